"""The command line inside this process: exit codes, output, and one message for each error."""

import importlib.util
import re
import subprocess
import sys

import numpy as np
import pytest
from wrong_ops import times

from jacobian_bp import Sigmoid, cli, reference
from jacobian_bp.cli import main

DATA = {
    "iris": "4-5-3 --data iris --target species --loss cross_entropy",
    "breast_cancer": "30-3-1 --data breast_cancer --target benign --loss bce",
    "diabetes": "10-5-1 --data diabetes --target progression",
}
by_data = pytest.mark.parametrize("name", DATA)
AGREE = "all routes agree"


@pytest.fixture
def call(capsys):
    """Run a command; its exit code, its lines, and what it said to standard error."""

    def run(command):
        try:
            code = main(command.split())
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert "\x1b" not in out + err
        return code, out.splitlines(), err

    return run


# ---------------------------------------------------------------- what works


@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("/usr/bin/jacobian-bp", "jacobian-bp"),
        ("/site-packages/jacobian_bp/__main__.py", "python -m jacobian_bp"),
    ],
)
def test_without_arguments_the_second_seed_is_derived(call, monkeypatch, program, command):
    monkeypatch.setattr("sys.argv", [program])
    code, lines, err = call("")
    assert (code, err) == (0, "")
    assert len(lines) < 80
    assert max(map(len, lines)) < 100
    derivation = reference.second_seed().run(reference.X, reference.Y).derivation()
    assert lines[:-1] == derivation.text().splitlines()
    assert lines[-2].strip() == AGREE
    assert lines[-1] == f"next      {command} show dz2/dW2     {command} -h"
    assert call("")[1] == lines


@pytest.mark.one_in(3)
@by_data
@pytest.mark.parametrize("options", ["", " --batch 7", " --layout gradient --seed 3"])
def test_derive_on_real_data(call, name, options):
    code, lines, err = call(f"derive {DATA[name]}{options}")
    assert (code, err) == (0, "")
    assert lines[-1].strip() == AGREE
    assert [line for line in lines if len(line) > 99] == []
    text = "\n".join(lines)
    assert f"{name}.csv" in text
    assert "standardised to mean 0 and standard deviation 1" in text
    assert f"layout {'gradient' if 'gradient' in options else 'flat'}:" in text
    assert ("a batch: the first 7 rows" if "batch" in options else "one example: row 0") in text


@pytest.mark.one_in(4)
@by_data
@pytest.mark.parametrize("options", ["", " --batch 17", " --batch all", " --raw --example 100"])
def test_check_on_real_data(call, name, options):
    code, lines, err = call(f"check {DATA[name]}{options}")
    assert (code, err, lines[-1]) == (0, "", AGREE)


@by_data
def test_show_on_real_data(call, name):
    code, lines, err = call(f"show dz2/dW2 {DATA[name]}")
    assert (code, err) == (0, "")
    assert "∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']" in lines
    assert [line for line in lines if len(line) > 99] == []


def test_show_the_whole_answer(call):
    code, lines, _ = call("show dz2/dW2")
    assert code == 0
    assert (
        "\n".join(lines)
        == """\
∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']
  delta ⊗ vector; 8 of 16 entries can be non-zero; 128 bytes
  because unit k reads only row k of W2

in the five layouts:
  numerator    (2, 2, 4)  [k,k',i']
  transposed   (2, 4, 2)  [k,i',k']
  flat         (2, 8)     [k, (k',i')]
  flat_column  (2, 8)     [k, (i',k')]
  gradient     (2, 4, 2)  [k',i',k]

∂z2/∂W2 in layout flat, shape (2, 8):
         W2[0,0]  W2[0,1]  W2[0,2]  W2[0,3]  W2[1,0]  W2[1,1]  W2[1,2]  W2[1,3]
  z2[0]     1.15        0     0.95      0.3        .        .        .        .
  z2[1]        .        .        .        .     1.15        0     0.95      0.3
  '.' is zero for every input; '0' is zero at this input

the slices of the tensor (2, 2, 4), one for each output:
  ∂z2[0]/∂W2
    [1.15  0  0.95  0.3]
    [   .  .     .    .]
  ∂z2[1]/∂W2
    [   .  .     .    .]
    [1.15  0  0.95  0.3]"""
    )


@pytest.mark.parametrize("pair", ["dJ/dW1", "∂J/∂W1", "J/W1"])
def test_a_jacobian_is_named_in_three_ways(call, pair):
    assert call(f"show {pair}")[:2] == call("show J/W1")[:2]


@pytest.mark.parametrize(
    "options",
    [
        "3-5-2",
        "3-5-2 --batch 7 --activations tanh,softmax",
        "3-5-2 --activations softplus --loss half_squared_error --reduction sum --batch 7",
        "3-5-2 --activations leaky_relu,sigmoid",
        "3-2 --squash-input --loss cross_entropy",
    ],
)
def test_networks_of_ones_own(call, options):
    code, lines, err = call(f"check {options}")
    assert (code, err, lines[-1]) == (0, "", AGREE)
    of = "7 examples of " if "--batch 7" in options else ""
    assert lines[:2] == [
        "data      weights drawn with seed 0",
        f"data      {of}x and y drawn with seed 0",
    ]


@pytest.mark.parametrize("command", ["check", "derive"])
def test_a_wrong_op_makes_the_exit_code_1(call, monkeypatch, command):
    right = Sigmoid.vjp
    monkeypatch.setattr(Sigmoid, "vjp", lambda *inputs: times(1.0005, right(*inputs)))
    code, lines, err = call(f"{command} 3-5-2 --activations sigmoid --loss squared_error")
    assert (code, err) == (1, "")
    assert lines[-1].strip() == "the routes DISAGREE"
    text = "\n".join(lines)
    assert "the routes part at a1 = Sigmoid(z1)" in text
    assert "every entry is 1.0005 times the right one" in text


def test_nothing_of_the_callers_is_changed(call):
    np.random.seed(5)
    before = np.random.get_state()[1].tobytes(), np.geterr()
    call("check 3-5-2")
    assert (np.random.get_state()[1].tobytes(), np.geterr()) == before


# ---------------------------------------------------------------- commands elsewhere


def test_the_list_of_commands_says_what_each_says_of_itself():
    """Only a command that is asked for is imported; the list knows the others by their lines."""
    listed, imported = cli._parser().format_help(), cli._parser(cli._NAMES).format_help()
    assert listed == imported
    places = [listed.index(f"\n    {name} ") for name in cli._NAMES]
    assert places == sorted(places)
    assert {*cli._NAMES} == {*cli._HERE, *cli._ELSEWHERE}


def test_a_line_that_is_not_the_commands_own_is_found(monkeypatch):
    wrong = cli._ELSEWHERE["grade"]._replace(help="mark a sheet")
    monkeypatch.setitem(cli._ELSEWHERE, "grade", wrong)
    assert cli._parser().format_help() != cli._parser(cli._NAMES).format_help()


NOT_FOR = {  # what a command has no use for, and does not wait for
    "-h": ["checks", "curvature", "source", "formulas.formula", "derivation.derivation"],
    "check": ["curvature", "source", "formulas.formula", "derivation.derivation"],
    "exercise list": ["checks", "curvature", "source", "formulas.formula"],
}


@pytest.mark.parametrize("command", list(NOT_FOR))
def test_a_command_that_is_not_asked_for_is_not_imported(command):
    code = (
        "import sys; from jacobian_bp import cli\n"
        f"try: cli.main({command.split()!r})\n"
        "except SystemExit: pass\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300)
    modules = done.stdout.decode().splitlines()[-1].split()
    for name, elsewhere in cli._ELSEWHERE.items():
        assert (f"jacobian_bp{elsewhere.module}" in modules) == (name in command)
    idle = [*NOT_FOR[command], "network.files.tables.read_table", "network.files.net_file"]
    assert not {f"jacobian_bp.{module}" for module in idle} & {*modules}
    assert "jacobian_bp.network.run" in modules  # a name that is spelt wrongly is never loaded
    for module in idle:
        assert importlib.util.find_spec(f"jacobian_bp.{module}")


# ---------------------------------------------------------------- what is refused

IRIS = "sepal_length_cm, sepal_width_cm, petal_length_cm, petal_width_cm, species"
MISSING = """\
SpecError: the network is missing: {} goes with one.
  Write its sizes, such as 4-5-3."""
REFUSED = {
    "derive 4-5-x": """\
SpecError: '4-5-x' is not a list of layer widths.
  Write them with hyphens, the input first, such as 4-5-3.""",
    "derive 4-0-3": """\
SpecError: '4-0-3' has a width of 0; a width is a whole number from 1 up.
  Write such as 4-5-3.""",
    "derive 4-3 --loss bcee": """\
SpecError: loss is 'bcee', which is not known. Did you mean 'bce'?
  Write one of squared_error, half_squared_error, huber, bce, cross_entropy, kl_divergence, \
hinge.""",
    "check 4-5-3 --activations sigmod": """\
SpecError: the activation of layer 1 is 'sigmod', which is not known. Did you mean 'sigmoid'?
  Write one of identity, sigmoid, tanh, relu, leaky_relu, softplus, elu, silu, gelu, softmax.""",
    "check 4-5-3 --reduction avg": """\
SpecError: reduction is 'avg', which is not known.
  Write one of mean, sum, mean_over_entries.""",
    "derive --data iris": MISSING.format("--data"),
    "check --loss bce": MISSING.format("--loss"),
    "derive --seed 5": MISSING.format("--seed"),
    "derive --squash-input": MISSING.format("--squash-input"),
    "derive 4-5-3 --data iris": f"""\
SpecError: --target is missing: which column of iris.csv is to be predicted?
  Its columns are {IRIS}.""",
    "derive 4-5-3 --data iris --target speces": f"""\
SpecError: iris.csv has no column 'speces'. Did you mean species?
  Its columns are {IRIS}.""",
    "derive 5-3 --data iris --target species": """\
SpecError: the network has 5 inputs, iris.csv has 4 input columns.
  Write 4-3.""",
    "check 4-3 --data none.csv --target x": """\
SpecError: none.csv cannot be found.
  Give the path of a CSV file, or one of breast_cancer, diabetes, iris.""",
    "derive 4-3 --data iris --target species --loss cross_entropy --example 150": """\
SpecError: --example 150 is not there: iris.csv has rows 0 to 149.""",
    "derive 4-3 --data iris --target species --loss cross_entropy --batch 151": """\
SpecError: --batch 151: iris.csv has 150 rows.""",
    "check 4-3 --batch 0": """\
SpecError: --batch '0' is neither a number from 1 up nor all.""",
    "check 4-2 --data iris --target species --loss cross_entropy --batch all": """\
DomainError: species[100] is 2; with 2 classes an index lies from 0 to 1.
  Count classes from 0, or give the network more outputs.""",
    "check 10-3 --data diabetes --target bmi --loss cross_entropy": """\
DomainError: bmi is 32.1 in data row 0; cross-entropy takes classes numbered 0, 1, 2, ….
  Number the classes; a regression has the loss squared_error.""",
    "derive 4-5-3 --layout flatt": """\
SpecError: convention 'flatt' is not known. Did you mean 'flat'?
  Write one of numerator, transposed, flat, flat_column, gradient,
  first_seed, second_seed, third_seed, ng, nielsen, cs231n;
  or the name of a TOML file with a table [convention].""",
    "show dz9/dW2": """\
SpecError: no value is named 'z9'.
  The values are x, y, W1, b1, W2, b2, W3, b3, z1, a1, z2, a2, z3, a3, J.""",
    "show dz2": """\
SpecError: 'dz2' does not name a Jacobian.
  Write it such as dz2/dW2.""",
    "show dJ/dy": """\
DomainError: ∂J/∂y: y holds labels, by which nothing is differentiated.
  Differentiate by one of x, W1, b1, W2, b2, W3, b3, z1, a1, z2, a2, z3, a3, J.""",
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("command", "message"), REFUSED.items(), ids=REFUSED)
def test_an_error_is_one_message(call, command, message):
    assert call(command) == (2, [], f"jacobian-bp: {message}\n")


COMMANDS = (
    "  The commands are derive, show, check, draw, source, ops, compare, diagnose, exercise, "
    "grade,\n"
    "  course, new.\n"
    "  jacobian-bp COMMAND -h lists the options."
)
SIZES = "  Sizes have hyphens, 2-3-2; lists have commas and no blanks, tanh,softmax."
PARSED = {
    "frob": f"argument COMMAND: invalid choice: 'frob'.\n{COMMANDS}",
    "check 4-3 --frob": f"unrecognized arguments: --frob.\n{COMMANDS}",
    "check 4-5-3 --seed x": "argument --seed: invalid int value: 'x'.\n"
    f"{SIZES}\n  jacobian-bp check -h lists the options.",
    "show": "the following arguments are required: NAME/NAME.\n"
    f"{SIZES}\n  jacobian-bp show -h lists the options.",
    "grade --exercise x": "argument --exercise: 'x' is neither a number nor a .py file.\n"
    "  jacobian-bp grade -h lists the options.",
    "exercise new x": "argument N: 'x' is no number of an exercise; "
    "jacobian-bp exercise list shows them.\n"
    "  jacobian-bp exercise new -h lists the options.",
}


@pytest.mark.parametrize(("command", "message"), PARSED.items(), ids=PARSED)
def test_what_the_parser_refuses_is_one_message(call, command, message):
    assert call(command) == (2, [], f"jacobian-bp: SpecError: {message}\n")
    assert max(map(len, message.splitlines())) <= 99


def test_the_hint_names_every_command_that_there_is(call):
    usage = call("-h")[1]
    helped = [line.split()[0] for line in usage if re.match("    [a-z]", line)]
    named = " ".join(COMMANDS.split())
    assert named.startswith(f"The commands are {', '.join(helped)}. jacobian-bp COMMAND")
    for name in helped:
        assert call(f"{name} -h")[1][0].startswith(f"usage: jacobian-bp {name}")


@pytest.mark.parametrize("command", ["derive 4-3 --seed -1", "check 99999999-99999999-3"])
def test_no_number_is_too_large_or_too_small_for_a_message(call, command):
    code, lines, err = call(command)
    assert (code, lines) == (2, [])
    kind = "SpecError" if "seed" in command else "MemoryLimitError"
    assert err.startswith(f"jacobian-bp: {kind}: ")


@pytest.mark.parametrize("option", ["--target species", "--example 2", "--raw"])
def test_an_option_that_has_no_effect_is_refused(call, option):
    """Without a file there are no columns and no rows to choose."""
    code, lines, err = call(f"check 4-5-3 {option}")
    assert (code, lines) == (2, [])
    assert err.startswith(f"jacobian-bp: SpecError: {option.split()[0]} ")


@pytest.mark.parametrize("columns", ["40", "60", "140"])
def test_the_next_step_is_whole_commands_at_every_width(call, monkeypatch, columns):
    monkeypatch.setattr("sys.argv", ["/usr/bin/jacobian-bp"])
    monkeypatch.setattr("jacobian_bp.writing.terminal.width", lambda: int(columns))
    lines = call("")[1]
    at = next(place for place, line in enumerate(lines) if line.startswith("next"))
    commands = [part for line in lines[at:] for part in line[10:].split("     ")]
    assert commands == ["jacobian-bp show dz2/dW2", "jacobian-bp -h"]


def test_a_file_name_with_blanks_is_folded_whole(capsys, tmp_path):
    name = str(
        tmp_path / "a sheet with a rather long name of many words, for the first exercise.py"
    )
    assert main(["exercise", "new", "1", "--seed", "3", "--out", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.strip() == f"'{name}'" for line in lines), lines
