"""A convention from a TOML file: alone, in a network's file, by name, and what is wrong with it."""

from pathlib import Path

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import Convention, Network, SpecError
from jacobian_bp.cli import main
from jacobian_bp.network.files.convention_file import convention_of
from jacobian_bp.network.files.net_file import EXAMPLE
from jacobian_bp.network.files.toml_text import read_toml

TABLE = """\
[convention]
examples = "columns"
weights = "in,out"
mean = "gradient"
bias = "first"
first = 2
layout = "gradient"
names = { "Theta{l-1}" = "W", "images" = "x" }
"""
SAID = Convention(
    "columns", "in,out", "gradient", "first", 2, {"Theta{l-1}": "W", "images": "x"}, "gradient"
)
HEAD = '[network]\nsizes = [3, 5, 2]\nactivations = "tanh"\nloss = "squared_error"\n'


@pytest.fixture
def file(tmp_path):
    def written(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        HEAD + TABLE,
        TABLE.replace("names = {", "[convention.names]\n").replace(", ", "\n").replace(" }", ""),
    ],
    ids=["alone", "in a network's file", "names as a table"],
)
def test_a_table_says_a_convention(file, text):
    path = file(text)
    assert convention_of(path).convention == convention_of(str(path)).convention == SAID


def test_a_networks_file_may_name_one_that_is_ready_made(file):
    path = file(HEAD + 'convention = "nielsen"\n')
    assert convention_of(path).name == "nielsen"
    assert (
        "written: examples in columns"
        in Network.from_toml(path).run(np.ones((7, 3)), np.ones((7, 2))).derivation().text()
    )


def test_the_table_of_a_networks_file_is_the_default_of_its_runs(file):
    net = Network.from_toml(file(HEAD + TABLE))
    run = net.run(np.ones((7, 3)), np.ones((7, 2)))
    assert "z2 = Theta1ᵀ [1; images]" in run.derivation().text()
    assert "z1 = W1 x + b1" in run.derivation("flat").text()


def test_every_key_of_the_example_is_read(file):
    """`jacobian-bp new` shows the table, commented: without the signs it is a convention."""
    table = EXAMPLE[EXAMPLE.index("# [convention]") :]
    lines = [line.removeprefix("# ") for line in table.splitlines()]
    path = file("\n".join(lines))
    assert convention_of(path).convention == Convention(
        "columns",
        "in,out",
        "gradient",
        names={"Theta{l}": "W", "delta{l}": "delta"},
        layout="gradient",
    )
    values, _ = read_toml(path)
    assert set(values["convention"]) == {*vars(Convention())}


WRONG = """\
[convention]
examples = "colums"
weights = "out.in"
mean = 3
bias = "frist"
first = 5
layoutt = "flat"
[convention.names]
"Theta{l}" = "W"
"T" = "W"
"Theta1" = "b1"
"q{l}" = "Q"
"n" = 3
[wieghts]
"""
MEANINGS = (
    "  With {l} the meaning is one of W, b, z, a, delta, dW, db, da;\n"
    '  without, one quantity: "W2", "x", "y", "J", "slope".\n'
)


def test_every_problem_is_said_at_once(file):
    assert refusal(SpecError, convention_of, file(WRONG)) == (
        "mine.toml has 11 problems.\n"
        "mine.toml, line 2, convention.examples: 'colums' is not known; did you mean 'columns'?\n"
        "  Write one of rows, columns.\n"
        "mine.toml, line 3, convention.weights: 'out.in' is not known; did you mean 'out,in'?\n"
        "  Write one of out,in, in,out.\n"
        "mine.toml, line 4, convention.mean: 3 is not a name.\n"
        "  Write one of delta, gradient.\n"
        "mine.toml, line 5, convention.bias: 'frist' is not known; did you mean 'first'?\n"
        "  Write one of own, first, last.\n"
        "mine.toml, line 6, convention.first: 5 is not a whole number from 0 to 2.\n"
        "  Write 0 or 1 or 2: the number of the first layer with weights.\n"
        "mine.toml, line 7, convention.layoutt: the key is not known; did you mean 'layout'?\n"
        "  Write one of examples, weights, mean, bias, layout, first, names.\n"
        "mine.toml, line 10, convention.names: 'T' means 'W', which wants one {l} in the name.\n"
        f"{MEANINGS}"
        "mine.toml, line 11, convention.names: 'Theta{l}' (W) and 'Theta1' (b1) are the same for "
        "some layer.\n"
        "  Give each name one meaning.\n"
        "mine.toml, line 12, convention.names: 'q{l}' means 'Q', which wants no {l} in the name.\n"
        f"{MEANINGS}"
        "mine.toml, line 13, convention.names: 'n' → 3.\n"
        "  Write both as strings: your name, then ours.\n"
        "mine.toml, line 14, wieghts: the table is not known; did you mean 'weights'?\n"
        "  Write [convention], alone or in the file of a network."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[data]\n", "mine.toml, [convention]: the table is missing.\n  Write the table with "
         'examples = "columns", weights = "in,out", …: examples, weights, mean, bias, layout, '
         "first, names."),
        ("convention = 3\n", "mine.toml, line 1, convention: 3 is not a table.\n"
         "  Write [convention] on a line of its own; a name goes under [network]."),
        (HEAD + 'convention = "ngg"\n', "mine.toml, line 5, network.convention: 'ngg' is not "
         "known; did you mean 'ng'?\n  Write one of numerator, transposed, flat, flat_column, "
         "gradient, first_seed, second_seed, third_seed, ng, nielsen, cs231n."),
        (HEAD + 'convention = "ng"\n' + TABLE, "mine.toml, line 6, convention: "
         "network.convention names one already.\n"
         "  Leave one of the two out, the key or the table [convention]."),
        ("[convention]\nnames = 3\n", "mine.toml, line 2, convention.names: 3 is not a table.\n"
         '  Write names = { "Theta{l}" = "W", "X" = "x" }.'),
        ("[convention]\nnames = {}\nfirst = true\n", "mine.toml, line 3, convention.first: true "
         "is not a whole number from 0 to 2.\n"
         "  Write 0 or 1 or 2: the number of the first layer with weights."),
    ],
)  # fmt: skip
def test_a_problem_is_told_with_its_line(file, text, told):
    path = file(text)
    assert refusal(SpecError, convention_of, path) == told
    if text.startswith(HEAD):
        assert refusal(SpecError, Network.from_toml, path) == told


def test_a_hundred_names_are_taken_and_no_more(file):
    names = ", ".join(f'"n{k}" = "W{k}"' for k in range(1, 102))
    assert refusal(SpecError, convention_of, file(f"[convention]\nnames = {{ {names} }}\n")) == (
        "mine.toml, line 2, convention.names: 101 names; at most 100 are taken.\n"
        "  Write {l} for the layer's number: one name then serves all layers."
    )


def test_a_file_that_is_not_there_is_refused_before_any_work(tmp_path, capsys):
    assert main(["derive", "3-5-2", "--convention", str(tmp_path / "no.toml")]) == 2
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: no.toml cannot be found.\n"
        "  Give a TOML file of at most 1.0 MiB; large weights go into an .npz file.\n"
    )
    assert refusal(SpecError, Network.dense, [3, 2], convention=Path("no.toml")).startswith(
        "no.toml"
    )


# ---------------------------------------------------------------- on the command line


def test_commands_write_in_a_convention(file, capsys):
    path = str(file(TABLE))
    options = ["3-5-2", "--activations", "tanh", "--batch", "7", "--convention", path]
    assert main(["derive", *options]) == 0
    printed = capsys.readouterr().out
    assert "z2 = Theta1ᵀ [1; images]" in printed
    assert "1/m [1; images] δ2ᵀ" in printed
    assert main(["show", "dz2/dTheta1", *options]) == 0
    assert "∂z2/∂Theta1[k,n,j',k'] = δ[k,k'] [1; images][j',n]" in capsys.readouterr().out
    assert main(["show", "dz2/dTheta9", *options]) == 2
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: no value is named 'Theta9'.\n"
        "  The values are images, y, Theta1, Theta2, z2, a2, z3, a3, L, J.\n"
    )
    assert main(["show", "dimages/dz2", *options]) == 2
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: images does not depend on z2: every entry of ∂images/∂z2 is 0. "
        "Did you mean dz2/dimages?\n  Name a value and something that it was computed from.\n"
    )
    assert main(["check", *options]) == 0
    assert "32 of 32 entries" in capsys.readouterr().out


def test_check_names_an_entry_where_the_convention_has_it(file, capsys):
    """A kink: relu at 0 in unit 1 of example 2, in rows z1[2,1], in columns Z1[1,2]."""
    net = file(
        '[network]\nsizes = [2, 3]\nactivations = "relu"\nloss = "squared_error"\n'
        "[weights]\nW1 = [[1, 1], [1, -1], [2, 1]]\nb1 = [1, 0, 1]\n"
        "[data]\nx = [[1, 2], [3, 1], [2, 2], [3, 4], [5, 1]]\n"
        "y = [[1, 0, 1], [1, 0, 1], [1, 0, 1], [1, 0, 1], [1, 0, 1]]\n",
        "net.toml",
    )
    for options, name in (([], "z1[2,1]"), (["--convention", "ng"], "Z1[1,2]")):
        assert main(["check", str(net), *options]) == 0
        assert f"kink: {name} is exactly 0" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["ng", "nielsen", "cs231n"])
def test_a_course_has_a_network_and_a_batch_of_its_own(name, capsys):
    assert main(["derive", "--convention", name]) == 0
    printed = capsys.readouterr().out
    assert "5 examples, one a" in printed
    assert "all routes agree" in printed


@pytest.mark.parametrize(
    ("name", "hidden"), [("ng", "relu"), ("nielsen", "sigmoid"), ("cs231n", "relu")]
)
def test_the_notation_of_a_course_goes_with_the_classes_of_any_data(name, hidden, file, capsys):
    data = file("a,b,k\n1,2,u\n3,1,v\n2,2,w\n0,1,u\n5,3,v\n4,4,w\n", "k.csv")
    options = ["auto-5-auto", "--data", str(data), "--target", "k", "--batch", "4"]
    assert main(["derive", *options, "--convention", name]) == 0
    printed = capsys.readouterr().out
    assert "3 classes, hence softmax and cross_entropy (--activations, --loss)" in printed
    assert f"(2) → 5 {hidden} → 3 softmax; loss: cross_entropy" in printed
    line = "rows" if name == "cs231n" else "columns"
    assert f"y: class indices, given to the loss as one-hot {line}" in printed


def test_a_loss_of_classes_is_not_said_to_take_them_as_numbers(file, capsys):
    data = file("a,b,k\n" + "".join(f"{n * n % 7},{n % 5},{n % 3}\n" for n in range(18)), "k.csv")
    options = ["auto-5-auto", "--data", str(data), "--target", "k", "--batch", "4"]
    assert main(["derive", *options]) == 0
    assert "k: whole numbers from 0, taken as numbers" in capsys.readouterr().out
    assert main(["derive", *options, "--convention", "cs231n"]) == 0
    assert "taken as numbers" not in capsys.readouterr().out
