"""Pictures from the command line: a file, or signs and dots in a terminal."""

import re

import pytest

from jacobian_bp.cli import main
from jacobian_bp.reference import X, Y, second_seed

RUN = second_seed().run(X, Y)


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run a command in a folder of its own; its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(command):
        code = main(command.split())
        return (code, *capsys.readouterr())

    return run


def test_show_draws_into_a_file(call, tmp_path):
    assert call("show dz1/dW1 --out w.svg") == (0, "written: w.svg\n", "")
    assert (tmp_path / "w.svg").read_text("utf-8") == RUN.jacobian("z1", "W1").picture().svg
    assert call("show dz1/dW1 --out w.svg")[::2] == (
        2,
        "jacobian-bp: SpecError: w.svg is there already, and is left as it is.\n"
        "  Choose another name.\n",
    )
    assert call("show dz1/dW1 --convention flat --out f.SVG")[0] == 0
    assert (tmp_path / "f.SVG").read_text("utf-8") == RUN.jacobian("z1", "W1").picture("flat").svg
    assert call("show dz1/dW1 --out w.png")[::2] == (
        2,
        "jacobian-bp: SpecError: w.png does not end in one of the forms that a document or a "
        "picture has.\n  Write a name that ends in .html, .tex, .md, .txt or .svg.\n",
    )


def test_show_draws_signs_in_a_terminal_and_dots_where_it_is_large(call):
    code, out, err = call("show dz2/dW2 --picture")
    assert (code, err) == (0, "")
    assert out.splitlines()[2:] == ["z2[0]", "+0++", "....", "z2[1]", "....", "+0++"]
    code, out, err = call("show dz1/dW1 97-89-2 --picture")
    assert (code, err) == (0, "")
    dots = [line for line in out.splitlines() if line.startswith(("⠉", "⠀"))]
    assert len(dots) == 12
    assert {len(line) for line in dots} == {64}
    places = [re.search("[^⠀]", line).start() for line in dots]
    assert places == sorted(places)  # a staircase goes down to the right
    assert places[0] == 0 < places[-1]


def test_the_picture_has_the_names_of_the_convention(call, tmp_path):
    assert call("show dz1/dW1 --convention second_seed --out w.svg")[0] == 0
    text = (tmp_path / "w.svg").read_text("utf-8")
    assert "W[1]" in text.split("<desc>")[0] + text.split("<desc>")[1]
    assert call("show dz1/dW1 --convention ng --out n.html")[0] == 0
    assert "<svg " in (tmp_path / "n.html").read_text("utf-8")


@pytest.mark.parametrize("ending", ["html", "md", "tex"])
def test_a_document_of_a_jacobian_has_its_picture(call, tmp_path, ending):
    assert call(f"show dz2/dW2 --out w.{ending}")[0] == 0
    text = (tmp_path / f"w.{ending}").read_text("utf-8")
    picture = RUN.jacobian("z2", "W2").picture()
    if ending == "html":
        assert text.count(picture.svg.strip()) == 1
    else:
        assert "+0++" in text
