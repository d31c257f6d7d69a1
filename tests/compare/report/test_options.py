"""Options of `compare` that are wrong: one message, before anything is timed."""

import os

import pytest
from compare_main import caller


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


LIST = "  Write a list with commas and no blanks, such as {} 8,16,32."
WRONG = {
    "--widths 8,,x": "--widths: '' is not a whole number from 1 to 1,000,000.\n"
    + LIST.format("--widths"),
    "--widths=-1": "--widths: '-1' is not a whole number from 1 to 1,000,000.\n"
    + LIST.format("--widths"),
    "--depths 0": "--depths: '0' is not a whole number from 1 to 1,000.\n"
    + LIST.format("--depths"),
    "--batches 1" + "0" * 30: f"--batches: '1{'0' * 13}…' is not a whole number from 1 to "
    "1,000,000.\n" + LIST.format("--batches"),
    "--widths 1,2,\u0663": "--widths: '\u0663' is not a whole number from 1 to 1,000,000.\n"
    + LIST.format("--widths"),
    "--widths 8,8": "--widths has 8 twice.\n  Write each size once.",
    "--widths 8,9 --depths 1,2": "two sizes are swept at once, width and depth; an exponent is of "
    "one.\n  Give several sizes to one option, and one size to the others.",
    "--batches 8 --batch 3": "--batch and --batches exclude each other.\n"
    "  Leave one of them out.",
    "--json=": "--json '' does not end in .json.\n  Write such as --json results.json.",
    "--preset growth --dtype float32": "--dtype does not go with --preset, which has sizes and "
    "dtypes of its own.\n  Leave one of the two out.",
    "--widths 8 --plot x.gif": "--plot 'x.gif' does not end in .png or .svg.\n"
    "  Write such as --plot results.png.",
    "3-4 --plot x.png": "--plot draws the growth along a sweep.\n"
    "  Write one in place of 3-4, such as --widths 8,16,32,64.",
    "3-4 --widths 8": "3-4 does not go with a sweep, which makes its networks itself.\n"
    "  Leave it out, or leave out --widths, --depths, --batches.",
    "--preset growth --loss bce": "--loss does not go with a preset, which makes its networks "
    "itself.\n  Leave it out, or leave out --preset.",
    "--preset growth --widths 8": "--widths does not go with --preset, which has sizes and "
    "dtypes of its own.\n  Leave one of the two out.",
    "--preset grwth": "--preset 'grwth' is not known. Did you mean growth?\n"
    "  Write one of gradient, weight-jacobian, parameter-jacobian, layers, second, growth.",
    "--widths 8 --batch 0": "--batch: '0' is not a whole number from 1 to 1,000,000.\n"
    "  Write such as --batch 8.",
    "3-4 --all": "--all does not go with compare, which prints no derivation.\n"
    "  Leave it out.",
    "--convention first_seed": "--convention does not go with compare, which prints no "
    "derivation.\n  Leave it out.",
    "--widths 8,16 --workers 4": "--workers: calls that are timed side by side change each "
    "other's times.\n"
    "  Leave it out; --threads N gives the matrix products N cores.",
    "--threads 0": "--threads '0' is not a whole number from 1 to 1,024.\n"
    "  Write such as --threads 1.",
    "--repeats 1e3": "--repeats '1e3' is not a whole number from 1 to 100,000.\n"
    "  Write such as --repeats 1.",
    "--dtype float23": "--dtype 'float23' is not known. Did you mean float32?\n"
    "  Write float64 or float32.",
    "--depths 1,3 --activations tanh,relu": "activations has 2 names, the network has 1 layer.\n"
    "  Write one name for all layers, or one a layer; the input is not a layer.",
    "--json no/r.json": "--json no/r.json cannot be written: there is no folder no.\n"
    "  Choose another folder or name; nothing was measured.",
}  # fmt: skip


@pytest.mark.parametrize("options", WRONG)
def test_a_wrong_option_is_said_before_anything_is_timed(call, options):
    code, lines, err = call(options)
    assert (code, lines) == (2, [])
    assert err == f"jacobian-bp: SpecError: {WRONG[options]}\n"
    assert max(map(len, err.splitlines())) <= 99
    assert os.listdir() == []


LONG = "9" * 200
LONG_OPTIONS = [
    f"--widths {LONG}", f"--depths {LONG}", f"--batches {LONG}", f"--widths 3 --batch {LONG}",
    f"--threads {LONG}", f"--repeats {LONG}", f"--dtype {LONG}", f"--preset {LONG}",
    f"--against {LONG}", f"--json {LONG}", f"--csv {LONG}", f"--widths 3 --plot {LONG}",
    f"{LONG} --widths 3", f"--preset growth {LONG}", f"--csv \x1b{LONG}.csv",
]  # fmt: skip


@pytest.mark.parametrize("options", LONG_OPTIONS)
def test_no_message_is_too_wide_whatever_is_written(call, options):
    code, lines, err = call(options)
    assert (code, lines) == (2, [])
    assert max(map(len, err.splitlines())) <= 99
    assert "…" in err
