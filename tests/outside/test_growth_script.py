"""derivations/growth.py with --measure: the counted part as committed, then times of some shape."""

import importlib.util
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from project import DERIVATIONS
from sampled import seldom

from jacobian_bp.compare.timing.subjects import ROUTES

SCRIPT = DERIVATIONS / "growth.py"


def is_measured(text, axis):
    """The times of every route at the sizes of one axis, and the exponents."""
    time = r"\d[\d.,]* (us|ms|s)"
    assert max(map(len, text.splitlines())) < 100
    assert f"MEASURED: THE {axis.upper()} GROWS" in text
    assert f"exponent of the {axis}" in text
    for route in ROUTES:
        assert len(re.findall(rf"^ +{route} +{time} +{time}", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("axis", ["width", seldom("batch")])
def test_small_networks_are_measured(capsys, monkeypatch, axis):
    spec = importlib.util.spec_from_file_location("growth", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setitem(script.TIMED, axis, replace(script.TIMED[axis], sizes=(2, 4, 8, 16)))
    script.measured(axis)
    is_measured(capsys.readouterr().out, axis)


@pytest.mark.full  # times ten networks; the small ones above are timed by the same lines
def test_measured_after_what_is_counted():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--measure"], capture_output=True, timeout=300, check=True
    )
    assert done.stderr == b""
    text = done.stdout.decode("ascii")
    counted = SCRIPT.with_suffix(".txt").read_text("ascii")
    assert text.startswith(counted)
    width, batch = text[len(counted) :].split("\n\nMEASURED: THE BATCH GROWS")
    is_measured(width, "width")
    is_measured(f"MEASURED: THE BATCH GROWS{batch}", "batch")
