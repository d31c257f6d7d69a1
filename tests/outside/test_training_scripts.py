"""The scripts that train: what they learn, what --save writes, and what they refuse."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from project import DERIVATIONS
from run_here import run_script

NAMES = ("train_breast_cancer", "train_diabetes")

both = pytest.mark.parametrize("name", NAMES)


def ran(name, *arguments, cwd, code=0):
    done = run_script(DERIVATIONS / f"{name}.py", *arguments, cwd=cwd)
    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done


def committed(name):
    return (DERIVATIONS / f"{name}.txt").read_text(encoding="ascii")


@both
def test_the_cost_goes_down(name):
    rows = re.findall(r"^\d+ +(\d\.\d+) +(\d\.\d+)$", committed(name), re.MULTILINE)
    costs = np.array(rows, dtype=float)
    assert len(costs) > 4
    assert (np.diff(costs[:, 0]) < 0).all()
    assert costs[-1, 1] < 0.7 * costs[0, 1]


def test_the_classifier_is_right_about_rows_it_has_not_seen():
    found = re.search(r"accuracy (\S+); always saying benign gives (\S+)", committed(NAMES[0]))
    accuracy, baseline = map(float, found.groups())
    assert 0.55 < baseline < 0.7
    assert 0.93 < accuracy <= 1


def test_the_regression_explains_what_a_small_network_can():
    found = re.findall(r"R\^2 (-?\d\S*)$", committed(NAMES[1]), re.MULTILINE)
    mean, plane, network = map(float, found)
    assert abs(mean) < 0.05
    assert 0.35 < network < 0.6
    assert abs(plane - network) < 0.1


@both
def test_save_writes_the_trained_weights_and_nothing_else(name, tmp_path):
    file = tmp_path / "weights.npz"
    file.write_bytes(b"an older file")
    printed = ran(name, "--save", "weights.npz", cwd=tmp_path).stdout.decode("ascii")
    assert printed.replace("\r\n", "\n").startswith(committed(name))
    assert printed.splitlines()[-1].startswith("saved W1 (4, ")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]
    with np.load(file) as weights:
        shapes = {key: weights[key].shape for key in weights}
        assert all(np.isfinite(weights[key]).all() for key in weights)
    inputs = {"train_breast_cancer": 30, "train_diabetes": 10}[name]
    assert shapes == {"W1": (4, inputs), "b1": (4,), "W2": (1, 4), "b2": (1,)}


def test_the_saved_weights_are_the_ones_that_were_scored(tmp_path):
    from jacobian_bp import Network, read_table

    ran(NAMES[0], "--save", "w.npz", cwd=tmp_path)
    with np.load(tmp_path / "w.npz") as file:
        weights = dict(file)
    data = read_table("breast_cancer", "benign", raw=True)
    held = np.arange(len(data.x)) % 5 == 4
    x = (data.x - data.x[~held].mean(axis=0)) / data.x[~held].std(axis=0)
    net = Network.dense([30, 4, 1], ["relu", "sigmoid"], "bce", params=weights)
    accuracy = np.mean((net(x[held])[:, 0] > 0.5) == (data.y[held] > 0.5))
    assert f"accuracy {accuracy:.3f};" in committed(NAMES[0])


@both
@pytest.mark.parametrize("place", ["nowhere/weights.npz", ".", "weights.txt"])
def test_save_refuses_a_place_where_no_file_can_be(name, place, tmp_path):
    done = ran(name, "--save", place, cwd=tmp_path, code=2)
    assert b"--save" in done.stderr
    assert not done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.one_in(3)
@both
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("delta2.T @ a1", "delta2.T @ a1 / len(x)"),
        ("delta2 = (a2 - y) / len(x)", "delta2 = (y - a2) / len(x)"),
        ('delta2 @ w["W2"] * ', 'delta2 @ w["W2"] + 0 * '),
    ],
)
def test_a_wrong_formula_is_not_trained_with(name, right, wrong, tmp_path):
    text = (DERIVATIONS / f"{name}.py").read_text(encoding="utf-8")
    assert right in text
    (tmp_path / "planted.py").write_text(text.replace(right, wrong), encoding="utf-8")
    done = run_script(tmp_path / "planted.py")
    assert done.returncode == 1
    assert b"ArithmeticError" in done.stderr
    assert b"TRAINING" not in done.stdout


@pytest.mark.one_in(2)
@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminal")
@both
def test_on_a_terminal_the_bar_goes_to_standard_error(name, tmp_path):
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, str(DERIVATIONS / f"{name}.py")]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=theirs, env=environment, timeout=300
    )
    os.close(theirs)
    bar = os.read(ours, 100_000)
    os.close(ours)
    assert done.stdout.decode("ascii") == committed(name)
    assert b"training" in bar


def table_of(path, kind):
    """60 rows, semicolons and decimal commas; a column that never moves; two kinds or a number."""
    rng = np.random.default_rng(3)
    rows = ["a;b;still;target"]
    for k in range(60):
        a, b = rng.normal() + 2 * (k % 2), rng.normal()
        target = ("no", "yes")[k % 2] if kind == "classes" else f"{3 * a + b:.3f}"
        rows.append(f"{a:.3f};{b:.3f};5,5;{target}")
    path.write_text("\n".join(rows).replace(".", ",") + "\n")


@pytest.mark.parametrize(
    ("name", "kind"), [("train_breast_cancer", "classes"), ("train_diabetes", "numbers")]
)
def test_another_table_is_read_and_trained_on(name, kind, tmp_path):
    table_of(tmp_path / "own.csv", kind)
    own = ("--data", "own.csv", "--target", "target")
    text = ran(name, *own, cwd=tmp_path).stdout.decode()
    assert "own.csv: 60 rows, 4 columns; columns separated by semicolon" in text
    assert "nan" not in text
    assert ("guess yes" in text) == (kind == "classes")
    table_of(tmp_path / "own.csv", "numbers" if kind == "classes" else "classes")
    assert b"the target target " in ran(name, *own, cwd=tmp_path, code=2).stderr
    missing = ("--missing", "drop", "--skip", "2")
    assert (
        b"--skip goes with --data and --target"
        in ran(name, *missing[2:], cwd=tmp_path, code=2).stderr
    )
    table_of(tmp_path / "own.csv", kind)
    gap = (tmp_path / "own.csv").read_text().replace(";5,5;", ";?;", 1)
    (tmp_path / "own.csv").write_text(f"a title\nanother; one\n{gap}")
    asked = ran(name, *own, *missing[2:], cwd=tmp_path, code=2).stderr.decode()
    assert "Say --missing drop (59 rows stay), --missing mean" in asked
    text = ran(name, *own, *missing, cwd=tmp_path).stdout.decode()
    assert "1 cell in 1 of 60 rows; column still: 1; these rows left out, 59 stay" in text
    alone = ran(name, *own[:2], cwd=tmp_path, code=2).stderr
    assert b"--data and --target go together" in alone
