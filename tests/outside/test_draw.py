"""Pictures from the command line: a file, or signs and dots in a terminal."""

import re

import pytest

from jacobian_bp.cli import main
from jacobian_bp.document.as_html import inline_svg
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
    assert len({len(line) for line in dots}) == 1
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
        assert text.count(inline_svg(picture.svg)) == 1
    elif ending == "tex":
        assert text.count(r"\begin{picture}") == 1
        assert text.count(r"\pdfliteral{") > 9
    else:
        assert "+0++" in text


@pytest.mark.parametrize(
    ("what", "drawn"),
    [
        ("", lambda: second_seed().picture()),
        ("network", lambda: second_seed().picture()),
        ("layer", lambda: second_seed().picture(layer=1)),
        ("layer --layer 3", lambda: second_seed().picture(layer=3)),
        ("--layer 2", lambda: second_seed().picture(layer=2)),
        ("graph", lambda: RUN.graph()),
        ("chain", lambda: RUN.graph("chain")),
        ("hessian", lambda: RUN.hessian(RUN.params).picture()),
        ("dz2/dW1", lambda: RUN.jacobian("z2", "W1").picture()),
    ],
)
def test_draw_writes_what_python_gives(call, tmp_path, what, drawn):
    assert call(f"draw {what} --out g.svg") == (0, "written: g.svg\n", "")
    assert (tmp_path / "g.svg").read_text("utf-8") == drawn().svg


def test_draw_takes_a_network_and_its_options(call, tmp_path):
    code, out, err = call("draw 3-5-2 graph --activations tanh,softmax --loss cross_entropy")
    assert (code, err) == (0, "")
    assert "a1 = tanh(z1)" in out.splitlines()
    assert call("new net.toml")[0] == 0
    assert call("draw net.toml --out n.svg")[0] == 0
    assert (tmp_path / "n.svg").read_text("utf-8").startswith("<svg ")
    assert call("draw graph --convention second_seed --out s.svg")[0] == 0
    assert "W[1]" in call("draw graph --convention second_seed")[1]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "draw 4-5-3 grap",
            "'grap' is nothing that is drawn. Did you mean graph?\n"
            "  Write one of network, layer, graph, chain, hessian, or a Jacobian such as dz2/dW2.",
        ),
        (
            "draw graph --layer 2",
            "--layer goes with layer, not with graph.\n  Write layer --layer 2.",
        ),
        (
            "draw layer --layer 4",
            "layer 4 is not one of the network's.\n  Write a whole number from 1 to 3.",
        ),
        (
            "draw graph --out g.pdf",
            "g.pdf does not end in one of the forms that a picture has.\n"
            "  Write a name that ends in .svg.",
        ),
        (
            "draw dW1/dz1",
            "W1 does not depend on z1: every entry of ∂W1/∂z1 is 0. Did you mean dz1/dW1?\n"
            "  Name a value and something that it was computed from.",
        ),
    ],
)
def test_what_cannot_be_drawn_is_told_at_once(call, tmp_path, command, message):
    assert call(command) == (2, "", f"jacobian-bp: SpecError: {message}\n")
    assert list(tmp_path.iterdir()) == []
