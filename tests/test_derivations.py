"""Every script in derivations/ runs, and prints what is committed beside it, byte for byte."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "derivations"
SCRIPTS = sorted(FOLDER.glob("*.py"))

every_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)


def printed(script, cwd, **settings):
    # A C locale alone would be read as UTF-8 (PEP 538, 540); both ways out are closed.
    environment = {**os.environ, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", **settings}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=cwd, env=environment, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    assert not done.stderr
    return done.stdout.replace(b"\r\n", b"\n")


def test_there_are_scripts():
    assert SCRIPTS


@every_script
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"PYTHONIOENCODING": "utf-8"}, id="utf-8"),
        pytest.param({"LANG": "C", "LC_ALL": "C"}, id="C"),
        pytest.param({"PYTHONIOENCODING": "ascii"}, id="ascii"),
    ],
)
def test_prints_what_is_committed(script, settings, tmp_path):
    assert printed(script, tmp_path, **settings) == script.with_suffix(".txt").read_bytes()


@every_script
def test_fits_a_page_in_ascii(script):
    text = script.with_suffix(".txt").read_bytes().decode("ascii")
    assert max(map(len, text.splitlines())) < 100
    assert "\x1b" not in text
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_second_seed_has_every_item_in_the_margin():
    text = (FOLDER / "second_seed.txt").read_text(encoding="ascii")
    found = re.findall(r"^(M\d+) ", text, re.MULTILINE)
    assert set(found) == {f"M{number}" for number in range(1, 51)}
    assert found.count("M17") == 3


def test_second_seed_counts_down_its_parameters():
    text = (FOLDER / "second_seed.txt").read_text(encoding="ascii")
    assert re.findall(r"^M17 +(\d+/\d+) ", text, re.MULTILINE) == ["3/29", "13/29", "29/29"]


def test_second_seed_refuses_to_print_what_does_not_hold(tmp_path):
    script = FOLDER / "second_seed.py"
    text = script.read_text(encoding="utf-8")
    right, wrong = "delta2 = W3.T @ delta3 * slopes", "delta2 = -W3.T @ delta3 * slopes"
    assert right in text
    (tmp_path / "planted.py").write_text(text.replace(right, wrong), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "planted.py")], capture_output=True, timeout=60
    )
    assert done.returncode == 1
    assert b"ArithmeticError" in done.stderr
    assert b"M36" in done.stdout
    assert b"M38" not in done.stdout
