"""Every block of docs/models.md runs, one behind the other, and its assertions hold."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "models.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.filterwarnings("ignore")  # torch.onnx.export warns of what it is to become
def test_the_page_runs(capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for package in ("torch", "onnx", "onnxscript", "sklearn", "h5py", "keras"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    names = {}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), names)
    assert "all routes agree" in capsys.readouterr().out


def test_the_page_has_assertions_in_every_part():
    parts = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    names = [part.partition("\n")[0] for part in parts]
    assert names == ["PyTorch", "ONNX", "scikit-learn", "Keras", "Weights alone"]
    assert all("assert " in part for part in parts)
