"""A file in the place of a network that is none: what it is, by its first bytes, and what to do."""

import pytest

from jacobian_bp.cli import main

IN_A_FILE = 'Weights are named in a network file, jacobian-bp new net.toml: [weights] file = "…".'
TORCH = (
    "is what PyTorch saved; no command reads a network from it.\n"
    "  Export the module, torch.onnx.export(model, (x,), 'model.onnx'), or read it in Python: "
    f"Network.from_torch(model, x).\n  {IN_A_FILE}"
)
A_PICKLE = (
    "is a pickle, which is not opened.\n"
    "  Open it in Python, and read the model: Network.from_sklearn(model)."
)
UNDER_ANOTHER_ENDING = {
    "net": (b"PK\x03\x04" + bytes(26) + b"net/data.pkl", TORCH),
    "net.bin": (b"PK\x03\x04" + bytes(26) + b"net/data.pkl", TORCH),
    "old.dat": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", TORCH),
    "w.model": (
        b"PK\x03\x04" + bytes(26) + b"W1.npy",
        f"has weights, and no network.\n  {IN_A_FILE}",
    ),
    "clf.model": (b"\x80\x04\x95" + bytes(9), A_PICKLE),
}


@pytest.mark.parametrize("name", UNDER_ANOTHER_ENDING)
@pytest.mark.parametrize("command", ["derive", "diagnose"])
def test_a_file_that_is_no_network_is_known_by_its_first_bytes(
    command, name, tmp_path, monkeypatch, capsys
):
    content, message = UNDER_ANOTHER_ENDING[name]
    (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    assert main([command, name, "a.npz"][: 2 + (command == "diagnose")]) == 2
    assert capsys.readouterr().err == f"jacobian-bp: SpecError: {name} {message}\n"


def test_another_file_is_no_list_of_widths_and_widths_are_no_file(tmp_path, monkeypatch, capsys):
    for name in ("notes.txt", "3-2"):
        (tmp_path / name).write_bytes(b"\n")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "notes.txt"]) == 2
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: notes.txt is a file, and no network by its ending.\n"
        "  A command reads .toml, .onnx and .keras; jacobian-bp new net.toml writes one.\n"
    )
    assert main(["check", "3-2"]) == 0
