"""A derivation in a file: the ending decides the form, and nothing that is there is lost."""

import re

import pytest
from network_cases import refusal

from jacobian_bp import SpecError
from jacobian_bp.cli import main
from jacobian_bp.reference import X, Y, second_seed

DERIVATION = second_seed().run(X, Y).derivation()
DRAWN = "data      weights drawn with seed 0\ndata      x and y drawn with seed 0\n"
BEGINS = {
    ".html": "<!doctype html>",
    ".tex": r"\documentclass",
    ".md": "# The gradient of",
    ".txt": "network   x(3)",
}


@pytest.mark.parametrize("ending", [*BEGINS, ".HTML"])
def test_the_ending_decides_the_form(ending, tmp_path):
    place = tmp_path / f"report{ending}"
    DERIVATION.save(place)
    text = place.read_text("utf-8")
    assert text.startswith(BEGINS[ending.lower()])
    assert [file.name for file in tmp_path.iterdir()] == [place.name]


def test_the_text_in_a_file_is_the_printed_one(tmp_path):
    DERIVATION.save(str(tmp_path / "a.txt"))
    assert (tmp_path / "a.txt").read_text("utf-8") == f"{DERIVATION.text()}\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "report.pdf",
            "report.pdf does not end in one of the forms that a document has.\n"
            "  Write a name that ends in .html, .tex, .md or .txt.",
        ),
        (
            "report",
            "report does not end in one of the forms that a document has.\n"
            "  Write a name that ends in .html, .tex, .md or .txt.",
        ),
        (
            "there.md",
            "there.md is there already, and is left as it is.\n"
            "  Choose another name, or say replace=True.",
        ),
        (
            "folder.md",
            "folder.md is no regular file, and is left as it is.\n  Choose another name.",
        ),
    ],
)
def test_a_name_that_will_not_do_is_refused_and_nothing_is_lost(name, message, tmp_path):
    (tmp_path / "there.md").write_text("mine")
    (tmp_path / "folder.md").mkdir()
    assert refusal(SpecError, DERIVATION.save, tmp_path / name) == message
    assert (tmp_path / "there.md").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_is_not_there_is_named(tmp_path):
    said = refusal(SpecError, DERIVATION.save, tmp_path / "no" / "a.md")
    assert said == f"a.md cannot be written: {tmp_path / 'no'} is no folder.\n  Make it first."
    (tmp_path / "no").mkdir()
    DERIVATION.save(tmp_path / "no" / "a.md")


@pytest.mark.parametrize(
    ("path", "kind"), [(7, "an int"), (None, "a NoneType"), (b"a.md", "a bytes")]
)
def test_what_is_no_path_is_said(path, kind):
    assert refusal(SpecError, DERIVATION.save, path) == (
        f"{kind} is no path.\n  Write a name that ends in .html, .tex, .md or .txt."
    )


def test_a_file_is_replaced_when_that_is_said(tmp_path):
    place = tmp_path / "there.md"
    place.write_text("mine")
    DERIVATION.save(place, replace=True)
    assert place.read_text("utf-8") == DERIVATION.markdown()


@pytest.mark.parametrize("ending", BEGINS)
def test_the_command_writes_the_document_and_says_so(ending, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["derive", "3-5-2", "--convention", "ng", "--out", f"r{ending}"]
    assert main(command) == 0
    assert capsys.readouterr() == (f"{DRAWN}written: r{ending}\n", "")
    assert (tmp_path / f"r{ending}").read_text("utf-8").startswith(BEGINS[ending][:9])
    before = (tmp_path / f"r{ending}").read_bytes()
    assert main(command) == 2
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        f"jacobian-bp: SpecError: r{ending} is there already, and is left as it is.\n"
        "  Choose another name.\n",
    )
    assert (tmp_path / f"r{ending}").read_bytes() == before


def test_a_bad_name_is_told_before_the_network_is_read(tmp_path, capsys):
    assert main(["derive", str(tmp_path / "none.toml"), "--out", "r.pdf"]) == 2
    assert re.search(r"SpecError: r\.pdf does not end in", capsys.readouterr().err)


@pytest.mark.parametrize("ending", BEGINS)
def test_one_jacobian_is_a_document_too(ending, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["show", "dz2/dW2", "--out", f"w{ending}"]
    assert main(command) == 0
    assert capsys.readouterr() == (f"written: w{ending}\n", "")
    text = (tmp_path / f"w{ending}").read_text("utf-8")
    structural = "." if ending == ".txt" else "zero for every input"
    assert structural in text
    assert text.count("0.95") >= 2
    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err


def test_the_text_of_one_jacobian_is_the_printed_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["show", "dJ/dW1", "--out", "w.txt"]) == 0
    capsys.readouterr()
    assert main(["show", "dJ/dW1"]) == 0
    assert capsys.readouterr().out == (tmp_path / "w.txt").read_text("utf-8")
