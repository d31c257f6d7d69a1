"""`compare` as a user meets it: card, sweep, preset."""

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from compare_main import QUICK, caller, plain, table

from jacobian_bp import cli, memory_limit
from jacobian_bp.compare import command
from jacobian_bp.compare.cost import limits
from jacobian_bp.compare.cost.cost_card import cost_card
from jacobian_bp.compare.report import presets
from jacobian_bp.compare.timing import layer_workloads
from jacobian_bp.compare.timing.result import STEP
from jacobian_bp.compare.timing.subjects import ROUTES, compiled, plain_numpy, products_alone
from jacobian_bp.compare.timing.sweep import Sweep, imagined, parse_sweep
from jacobian_bp.compare.timing.workload import drawn, label_of
from jacobian_bp.numbers import memory
from jacobian_bp.writing import terminal


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


# ---------------------------------------------------------------- the card


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "options",
    ["", "3-5-2", "5-3 --batch 7 --loss cross_entropy", "4-3-2 --dtype float32",
     "4-5-3 --data iris --target species --loss cross_entropy --batch 11"],
)  # fmt: skip
def test_the_card_predicts_and_measures_every_route(call, options):
    code, lines, err = call(f"{options} {QUICK}")
    assert code == 0
    assert plain(err)
    predicted = table(lines, "predicted from the shapes")
    measured = table(lines, "measured: the gradient by every parameter")
    for rows in (predicted, measured):
        assert [row[:14].strip() for row in rows[:5]] == list(ROUTES)
    whole = table(lines, "cost and all gradients, forward pass included")
    assert [row[:19].strip() for row in whole] == ["compiled step", "net.run, then vjp"]
    text = "\n".join(lines)
    assert "BLAS threads: " in text
    assert "a mixed order wins" in text


@pytest.mark.parametrize("options", ["4-5-3", "3-5-2 --batch 7"])
def test_an_order_table_stands_once(call, options):
    """The reader's own chain is the example of a scalar cost; the other two follow it."""
    lines = call(f"{options} {QUICK}")[1]
    at = lines.index(
        "multiplications of one chain of this network, by the order in which it is contracted"
    )
    chains = [line for line in lines[at:] if "  reverse  " in line]
    assert len(chains) == len(set(chains)) == 3
    assert lines[at + 1].startswith("the cost by the first weights: ∂J/∂W1")
    assert "the same of two other chains, in which another order wins" in lines
    assert [line for line in lines if "scalar cost" in line] == []


def test_the_predicted_bytes_are_the_built_bytes(call):
    call(f"5-3-2 --batch 7 {QUICK} --json r.json")
    rows = json.loads(Path("r.json").read_text())["rows"]
    whole = [row for row in rows if row["subject"].startswith("full")]
    assert len(whole) == 3
    for row in whole:
        assert row["built_bytes"] == row["predicted_bytes"] > 0
        assert row["measured_bytes"] > row["built_bytes"]


def test_a_peer_that_is_missing_is_named_and_the_rest_runs(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    code, lines, _ = call(f"--against torch {QUICK}")
    assert code == 0
    assert (
        "peer      torch is not installed: pip install 'jacobian-bp[peers]', or pip install torch"
    ) in lines


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["torch", "jax", "autograd"])
def test_a_peer_that_is_there_is_timed_beside_us(call, name):
    pytest.importorskip(name)
    code, lines, _ = call(f"5-3-2 --batch 7 --against {name} {QUICK} --json r.json")
    assert code == 0
    rows = json.loads(Path("r.json").read_text())["rows"]
    theirs = [row for row in rows if row["subject"] == name]
    assert len(theirs) == 3
    assert all(row["minimum"] > 0 and not row["refused"] for row in theirs)
    assert sum(f"the fastest peer, {name}" in line for line in lines) == 3


# ---------------------------------------------------------------- the sweep


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "options", ["--widths 3,5,7", "--depths 2,3,5 --widths 3", "--batches 2,3,7 --depths 1"]
)
def test_a_sweep_has_a_row_for_each_size_and_route(call, options):
    code, lines, err = call(f"{options} {QUICK} --csv r.csv --loss half_squared_error")
    assert code == 0
    assert plain(err)
    axis = options[2:].split()[0].rstrip("s").replace("batche", "batch")
    rows = list(csv.DictReader(Path("r.csv").read_text().splitlines()))
    assert [row["subject"] for row in rows] == list(ROUTES) * 3
    assert {row["axis"] for row in rows} == {axis}
    sizes = options.split()[1].split(",")
    assert [row["size"] for row in rows] == [size for size in sizes for _ in ROUTES]
    growth = table(lines, f"exponent of the {axis}")
    assert [row[:14].strip() for row in growth[: len(ROUTES)]] == list(ROUTES)


def test_sizes_that_do_not_fit_say_their_bytes_and_are_kept(call):
    with memory_limit("100 KiB"):
        code, lines, _ = call(f"--widths 7,23,101 {QUICK} --json r.json")
    assert code == 0
    refused = [line.split("  ", 1)[1].strip() for line in lines if "refused" in line]
    assert refused[:3] == [
        "23  full, reverse    refused: 103.7 KiB; the limit is 100.0 KiB",
        "23  full, forward    refused: 198.6 KiB; the limit is 100.0 KiB",
        "23  full, planned    refused: 103.7 KiB; the limit is 100.0 KiB",
    ]
    assert len(refused) == 8
    rows = json.loads(Path("r.json").read_text())["rows"]
    assert len(rows) == 15
    wide = [row for row in rows if row["size"] == 101]
    assert all(row["predicted_bytes"] and row["refused"] for row in wide)
    assert all(row["minimum"] is None for row in wide)
    assert f"the limit is {'100.0 KiB'}" in wide[0]["refused"]


@pytest.mark.parametrize("axis", ["width", "depth", "batch"])
@pytest.mark.parametrize("size", [2, 3, 5])
def test_what_is_imagined_costs_what_is_there(axis, size):
    def make(sizes, batch, label):
        return drawn(sizes, batch)

    sweep = Sweep(axis, (2, 3, 5), width=7, depth=2, batch=3)
    sizes, batch = sweep.at(size)
    there = make(sizes, batch, "").run
    shapes = imagined(sweep, size, make)
    assert {n: v.shape for n, v in shapes.values.items()} == {n: there[n].shape for n in there}
    assert cost_card(shapes) == cost_card(there)


def test_at_one_example_too():
    sweep = Sweep("width", (3, 5), width=1, depth=2, batch=None)
    there = drawn([5, 5, 5], None).run
    shapes = imagined(sweep, 5, lambda sizes, batch, label: drawn(sizes, batch))
    assert cost_card(shapes) == cost_card(there)


def test_one_axis_is_swept_and_the_others_stay():
    sweep = parse_sweep("5", "3,2", None, "7")
    assert (sweep.axis, sweep.sizes, sweep.width, sweep.batch) == ("depth", (2, 3), 5, 7)
    assert sweep.at(3) == ([5, 5, 5, 5], 7)
    assert parse_sweep(None, None, None) is None


def test_a_size_that_is_far_too_large_is_a_row_and_the_others_are_measured(call):
    with memory_limit("9 MiB"):
        code, lines, _ = call(f"--batches 1,8,1000000 --widths 23 {QUICK} --json r.json")
    assert code == 0
    rows = json.loads(Path("r.json").read_text())["rows"]
    largest = [row for row in rows if row["size"] == 1_000_000]
    assert [row["refused"][:9] for row in largest] == ["refused: "] * len(ROUTES)
    assert all(row["minimum"] for row in rows if row["size"] == 1)
    assert any(line.startswith("exponent of the batch") for line in lines)


@pytest.mark.parametrize("options", ["--activations softmax --loss cross_entropy", "--loss bce "
                                     "--activations tanh,sigmoid"])  # fmt: skip
def test_what_is_imagined_builds_nothing_large(call, options):
    with memory_limit("1 MiB"):
        code, lines, _ = call(f"--widths 7,1000000 --batches 1000 --depths 2 {options} {QUICK}")
    assert code == 0
    assert sum("refused: " in line and "EiB" in line for line in lines) >= 3


def test_what_would_take_very_long_is_left_out_unless_asked_for(call, monkeypatch):
    monkeypatch.setattr(limits, "MOST_MULTIPLICATIONS", 1000)
    _, lines, _ = call(f"--widths 3,5,7 {QUICK}")
    assert "      7  full, forward    left out: about 1e4 multiplications; --long runs it" in lines
    _, lines, _ = call(f"--widths 3,5,7 {QUICK} --long")
    assert not any("left out:" in line for line in lines)
    monkeypatch.setattr(limits, "MOST_PRODUCTS", 10)
    _, lines, _ = call(f"--depths 2,3,5 --widths 3 {QUICK} --csv r.csv")
    assert sum("products of two Jacobians; --long runs it" in line for line in lines) == 6


def test_the_files_say_which_network_and_when(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = f"--widths 3,5,7 {QUICK} --loss half_squared_error --activations tanh --json r.json"
    options = cli._parser(["compare"]).parse_args(["compare", *text.split()])
    clock = datetime(2031, 5, 7, 11, 13, 17, tzinfo=UTC)
    with memory_limit("77 MiB"):
        assert command.run_command(options, cli._options, lambda: clock) == 0
    found = json.loads(Path("r.json").read_text())
    assert found["date"] == "2031-05-07T11:13:17Z"
    assert found["memory_limit"] == 77 * 2**20
    assert found["swept"] == {"axis": "width", "sizes": [3, 5, 7]}
    assert found["exponents"]["vjp"]["multiplications_points"] == 3
    row = found["rows"][0]
    assert (row["sizes"], row["activations"], row["loss"]) == (
        "3-3-3",
        "2 Tanh",
        "HalfSquaredError",
    )
    screen = capsys.readouterr().out
    assert "network   from 3-3-3, one example, float64; 2 Tanh; HalfSquaredError; seed 0" in screen
    assert "timing    1 round by turns" in screen


def test_the_order_of_the_users_own_network_is_shown(call):
    _, lines, _ = call(f"5-3-2 {QUICK}")
    place = lines.index("the cost by the first weights: ∂J/∂W1")
    assert [line.split()[0] for line in lines[place + 1 : place + 4]] == [
        "reverse",
        "forward",
        "planned",
    ]


@pytest.mark.parametrize(
    "options", ["5-3-2 --batch 7", "--widths 3,5,7", "--preset weight-jacobian"]
)
def test_tables_fit_a_narrow_terminal(call, monkeypatch, options):
    monkeypatch.setattr(presets, "WEIGHT_WIDTHS", (7,))
    monkeypatch.setattr(terminal, "width", lambda: 60)
    _, lines, _ = call(f"{options} {QUICK}")
    assert max(len(line) for line in lines if " ∂" not in line and "versions" not in line) <= 60
    if "widths" in options:
        titles = [line for line in lines if line.startswith("width ")]
        assert titles == [f"width {n}, {route}" for n in (3, 5, 7) for route in ROUTES]


def test_a_note_stands_only_under_the_column_that_it_is_of(call):
    with memory_limit("10 KiB"):  # the full routes are refused: nothing is followed
        _, lines, _ = call(f"23-23 {QUICK}")
    assert not any("built arrays" in line for line in lines)
    _, lines, _ = call(f"5-3 {QUICK}")
    assert sum("built arrays" in line for line in lines) == 2  # the column, and the note


def test_the_limit_is_read_once(call, monkeypatch):
    limits = iter(range(10**9, 10**10, 10**8))
    monkeypatch.setattr(memory, "_available", lambda: next(limits))
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    _, lines, _ = call(f"--widths 3,100000 {QUICK} --json r.json")
    limit = memory.format_bytes(json.loads(Path("r.json").read_text())["memory_limit"])
    assert sum(f"memory limit {limit}" in line for line in lines) == 1
    assert sum(line.endswith(f"the limit is {limit}") for line in lines) >= 3
    assert not any("the limit is" in line and limit not in line for line in lines)


@pytest.mark.filterwarnings("ignore")
def test_a_sweep_against_a_peer_has_the_whole_jacobian(call):
    pytest.importorskip("autograd")
    _, lines, _ = call(f"--widths 3,5 --against autograd {QUICK} --json r.json")
    rows = json.loads(Path("r.json").read_text())["rows"]
    whole = [row for row in rows if row["quantity"].startswith("∂a2/∂θ")]
    assert [row["subject"] for row in whole] == ["materialise", "autograd"] * 2
    assert all(row["minimum"] for row in whole)
    assert sum("∂f/∂θ autograd" in line for line in lines) == 2
    steps = [row for row in rows if row["quantity"] == STEP]
    assert [row["subject"] for row in steps] == ["compiled step", "autograd"] * 2
    head = next(p for p, line in enumerate(lines) if line.startswith("width "))
    legend = " ".join(line.strip() for line in lines[head - 4 : head])
    assert "compiled step, autograd: the cost and every gradient, forward pass included" in legend
    assert "∂f/∂θ: the output by every parameter, for each example, whole; ours, and by" in legend


# ---------------------------------------------------------------- presets


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "name", ["gradient", "weight-jacobian", "parameter-jacobian", "layers", "second", "growth"]
)
def test_every_preset_runs_to_its_end(call, monkeypatch, name):
    monkeypatch.setattr(presets, "GRADIENT_CASES", (([5, 3, 2], 7), ([3, 2], 1)))
    monkeypatch.setattr(presets, "JACOBIAN_CASES", (([5, 3, 2], 7),))
    monkeypatch.setattr(presets, "WEIGHT_WIDTHS", (7,))
    monkeypatch.setattr(presets, "CONVOLUTIONS", ((2, 7, 3, 2),))
    monkeypatch.setattr(presets, "LAYER_BATCHES", (3,))
    monkeypatch.setattr(layer_workloads, "PIXELS", 12)
    monkeypatch.setattr(presets, "DEPTHS", (2, 3))
    monkeypatch.setattr(presets, "PLANNED_LAYERS", 5)
    monkeypatch.setattr(presets, "WIDE", (7,))
    monkeypatch.setattr(presets, "HESSIAN_CASES", ([5, 3, 2], [3, 2], [2, 2, 2]))
    monkeypatch.setattr(presets, "FORM", 7)
    monkeypatch.setattr(presets, "FACTORS", (5, 3, 2))
    monkeypatch.setattr(presets, "REGRESSION", (5, 7))
    monkeypatch.setattr(presets, "POINTS", 5)
    monkeypatch.setattr(presets, "PRODUCT_CASE", [7, 3, 2])
    code, lines, err = call(f"--preset {name} {QUICK} --json r.json")
    assert code == 0
    assert plain(err)
    rows = json.loads(Path("r.json").read_text())["rows"]
    assert rows
    assert all(row["minimum"] is not None and not row["refused"] for row in rows)
    points = {
        "gradient": 4,
        "weight-jacobian": 1,
        "parameter-jacobian": 1,
        "layers": 10,
        "second": 9,
    }
    assert lines.count("") == points.get(name, 5)


def test_the_gradient_preset_has_the_seven_rows_in_both_precisions():
    points = list(presets.gradient([], 0))
    assert len(points) == 14
    labels = [label_of(*case, "float64") for case in presets.GRADIENT_CASES]
    assert labels[0] == "3-4-2-1, batch 1, float64"
    assert labels[-1] == "1024-1024-1024-10, batch 64, float64"


def test_the_references_are_what_they_say():
    task = drawn([5, 3, 2], 7, "float32")
    loss, gradients = compiled(task).prepare()()
    cost, plain = plain_numpy(task).prepare()()
    assert abs(loss - cost) < 1e-5
    assert {array.dtype for array in plain.values()} == {task.dtype}
    assert set(gradients) == set(plain)
    assert products_alone(task).prepare()() is None
