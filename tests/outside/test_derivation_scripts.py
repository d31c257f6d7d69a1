"""Every script in derivations/ runs, and prints what is committed beside it, byte for byte."""

import os
import re
import subprocess
import sys

import pytest
from project import DERIVATIONS
from run_here import run_script
from sampled import seldom

SCRIPTS = sorted(DERIVATIONS.glob("*.py"))
TRAINING = ("trained_transformer", "train_digits")  # seconds each; trained_classifier does not

every_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)


def printed(script, cwd, **settings):
    # A C locale alone would be read as UTF-8 (PEP 538, 540); both ways out are closed.
    environment = {**os.environ, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", **settings}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=cwd, env=environment, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()
    assert not done.stderr
    return done.stdout.replace(b"\r\n", b"\n")


def test_some_scripts_are_found():
    assert SCRIPTS


@pytest.mark.parametrize(
    "script",
    [seldom(each) if each.stem in TRAINING else each for each in SCRIPTS],
    ids=lambda path: path.stem,
)
def test_prints_what_is_committed(script, tmp_path):
    done = run_script(script, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.replace(b"\r\n", b"\n") == script.with_suffix(".txt").read_bytes()


OTHER_STREAMS = [{"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}]
in_another_stream = pytest.mark.parametrize("settings", OTHER_STREAMS, ids=["C", "ascii"])


@pytest.mark.one_in(2)
@in_another_stream
def test_prints_the_same_to_a_stream_without_unicode(settings, tmp_path):
    script = next(script for script in SCRIPTS if script.stem == "second_seed")
    assert printed(script, tmp_path, **settings) == script.with_suffix(".txt").read_bytes()


@pytest.mark.full
@every_script
@in_another_stream
def test_every_script_prints_the_same_to_a_stream_without_unicode(script, settings, tmp_path):
    assert printed(script, tmp_path, **settings) == script.with_suffix(".txt").read_bytes()


@every_script
def test_fits_a_page_in_ascii(script):
    text = script.with_suffix(".txt").read_bytes().decode("ascii")
    assert max(map(len, text.splitlines())) < 100
    assert "\x1b" not in text
    assert not any(line != line.rstrip() for line in text.splitlines())


SLIPS = "J9 J28 J30 J30 J30 J30 J38 J38 J43 J52 M4 M19 M31 M31 M32 M37 M44 F1 F2 F5 F10 F10 F14"
ITEMS = {  # what stands in the margin of each script
    "first_seed": {f"J{number}" for number in range(1, 55)},
    "second_seed": {f"M{number}" for number in range(1, 51)},
    "third_seed": {f"F{number}" for number in range(1, 29)},
    "three_conventions": {"X1"},
    "whole_or_product": {"X2", "X3", "X4", "X5", "J27"},
    "errata": {"X6", *SLIPS.split()},
}


def margin(stem):
    text = (DERIVATIONS / f"{stem}.txt").read_text(encoding="ascii")
    return re.findall(r"^([A-Z]\d+) ", text, re.MULTILINE)


@pytest.mark.parametrize("stem", ITEMS)
def test_has_every_item_in_the_margin(stem):
    assert set(margin(stem)) == ITEMS[stem]


def test_errata_has_every_slip_in_order():
    assert margin("errata") == ["X6", *SLIPS.split()]


def test_first_seed_has_every_equation_at_its_item():
    text = (DERIVATIONS / "first_seed.txt").read_text(encoding="ascii")
    found = dict.fromkeys(re.findall(r"^(J\d+) \((\d+)\) ", text, re.MULTILINE))
    items = [15, 16, 22, 28, 35, 36, 38, 39, 40, 42, 43, 47, 48, 49, 51]
    expected = {(f"J{item}", str(equation)) for equation, item in enumerate(items, 1)}
    assert set(found) == expected


def test_second_seed_counts_down_its_parameters():
    text = (DERIVATIONS / "second_seed.txt").read_text(encoding="ascii")
    assert re.findall(r"^M17 +(\d+/\d+) ", text, re.MULTILINE) == ["3/29", "13/29", "29/29"]


PLANTED = {  # script: a formula, the same with a mistake, the last item before it, one behind it
    "first_seed": ("@ W[n + 1] @ slope[n]", "@ W[n + 1] @ -slope[n]", "J51", "J54"),
    "second_seed": ("delta2 = W3.T @ delta3", "delta2 = -W3.T @ delta3", "M36", "M38"),
    "third_seed": ("g[k] = P[k].T @", "g[k] = -P[k].T @", "F18", "F20"),
    "three_conventions": ("row2 = row3 @", "row2 = -row3 @", "X1", "EACH"),
    "whole_or_product": ('run["z1"], array', '-run["z1"], array', "X2", "X3"),
    "errata": ("W2.T @ d3 * slopes", "W2.T @ d3 + slopes", "M44", "F14"),
}


@pytest.mark.parametrize("stem", PLANTED)
def test_refuses_to_print_what_does_not_hold(stem, tmp_path):
    script = DERIVATIONS / f"{stem}.py"
    text = script.read_text(encoding="utf-8")
    right, wrong, before, behind = PLANTED[stem]
    assert right in text
    (tmp_path / "planted.py").write_text(text.replace(right, wrong), encoding="utf-8")
    done = run_script(tmp_path / "planted.py")
    assert done.returncode == 1
    assert b"ArithmeticError" in done.stderr
    assert before.encode() in done.stdout
    assert f"\n{behind} ".encode() not in done.stdout
