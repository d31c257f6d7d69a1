"""`compare` as a user meets it: card, sweep, preset, bad options, and every way to stop it."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from compare_main import main

from jacobian_bp import cli, memory_limit, terminal
from jacobian_bp.compare import command, limits, plot, presets, stopping, views
from jacobian_bp.compare.cost import cost_card
from jacobian_bp.compare.plot import description, draw
from jacobian_bp.compare.report import beside_peers, factor, measured_table, seconds
from jacobian_bp.compare.row import Row
from jacobian_bp.compare.subjects import ROUTES, compiled, plain_numpy, products_alone
from jacobian_bp.compare.sweep import Sweep, imagined, parse_sweep
from jacobian_bp.compare.task import drawn, label_of
from jacobian_bp.errors import SpecError

QUICK = "--repeats 1"


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run a command in an empty folder; its exit code, its lines, its errors."""
    monkeypatch.chdir(tmp_path)

    def run(command):
        code = main(["compare", *command.split()])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert "\x1b" not in out + err
        assert [line for line in out.splitlines() if len(line) > 99] == []
        return code, out.splitlines(), err

    return run


def plain(err):
    """Whether nothing but what is being timed was said on the way."""
    return all(line.startswith(("timing ", "  ")) for line in err.splitlines())


def table(lines, head):
    """The first words of the lines of one table."""
    start = next(p for p, line in enumerate(lines) if line.startswith(head))
    found = []
    for line in lines[start + 2 :]:
        if not line:
            break
        found.append(line)
    return found


# ---------------------------------------------------------------- the card


@pytest.mark.parametrize(
    "options",
    ["", "3-5-2", "5-3 --batch 7 --loss cross_entropy", "4-3-2 --dtype float32",
     "4-5-3 --data iris --target species --loss cross_entropy --batch 11"],
)  # fmt: skip
def test_the_card(call, options):
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


@pytest.mark.parametrize(
    "options", ["--widths 3,5,7", "--depths 2,3,5 --widths 3", "--batches 2,3,7 --depths 1"]
)
def test_a_sweep(call, options):
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
    options = cli._parser().parse_args(["compare", *text.split()])
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
def test_a_narrow_terminal(call, monkeypatch, options):
    monkeypatch.setattr(presets, "WEIGHT_WIDTHS", (7,))
    monkeypatch.setattr(terminal, "width", lambda: 60)
    _, lines, _ = call(f"{options} {QUICK}")
    assert max(len(line) for line in lines if " ∂" not in line and "versions" not in line) <= 60


def test_nothing_finished_is_said(call, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(views, "overheads", interrupted)
    code, lines, err = call("--widths 3,5 --json r.json")
    assert code == 130
    assert err == "jacobian-bp: interrupted; nothing was finished\n"
    assert lines[-2:] == [
        "incomplete: it was interrupted",
        "not written: r.json; there are no rows",
    ]


def test_an_error_further_on_says_what_was_saved(call, monkeypatch):
    def failed(*arguments):
        raise SpecError("planted")

    monkeypatch.setattr(views, "own_chain", failed)
    code, _, err = call(f"3-2 {QUICK} --json r.json")
    assert code == 2
    assert "written   r.json, incomplete" in err.splitlines()


@pytest.mark.filterwarnings("ignore")
def test_a_sweep_against_a_peer_has_the_whole_jacobian(call):
    pytest.importorskip("autograd")
    _, lines, _ = call(f"--widths 3,5 --against autograd {QUICK} --json r.json")
    rows = json.loads(Path("r.json").read_text())["rows"]
    whole = [row for row in rows if row["quantity"].startswith("∂a2/∂θ")]
    assert [row["subject"] for row in whole] == ["materialise", "autograd"] * 2
    assert all(row["minimum"] for row in whole)
    assert sum("∂f/∂θ autograd" in line for line in lines) == 2


# ---------------------------------------------------------------- presets


@pytest.mark.parametrize("name", ["gradient", "weight-jacobian", "parameter-jacobian", "growth"])
def test_a_preset(call, monkeypatch, name):
    monkeypatch.setattr(presets, "GRADIENT_CASES", (([5, 3, 2], 7), ([3, 2], 1)))
    monkeypatch.setattr(presets, "JACOBIAN_CASES", (([5, 3, 2], 7),))
    monkeypatch.setattr(presets, "WEIGHT_WIDTHS", (7,))
    monkeypatch.setattr(presets, "DEPTHS", (2, 3))
    monkeypatch.setattr(presets, "PLANNED_LAYERS", 5)
    monkeypatch.setattr(presets, "WIDE", (7,))
    code, lines, err = call(f"--preset {name} {QUICK} --json r.json")
    assert code == 0
    assert plain(err)
    rows = json.loads(Path("r.json").read_text())["rows"]
    assert rows
    assert all(row["minimum"] is not None and not row["refused"] for row in rows)
    points = {"gradient": 4, "weight-jacobian": 1, "parameter-jacobian": 1, "growth": 5}[name]
    assert lines.count("") == points


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


# ---------------------------------------------------------------- wrong options

LIST = "  Write a list with commas and no blanks, such as {} 8,16,32."
WRONG = {
    "--widths 8,,x": "--widths: '' is not a whole number from 1 to 1,000,000.\n"
    + LIST.format("--widths"),
    "--widths=-1": "--widths: '-1' is not a whole number from 1 to 1,000,000.\n"
    + LIST.format("--widths"),
    "--depths 0": "--depths: '0' is not a whole number from 1 to 1,000.\n"
    + LIST.format("--depths"),
    "--batches 1" + "0" * 30: f"--batches: '1{'0' * 30}' is not a whole number from 1 to "
    "1,000,000.\n" + LIST.format("--batches"),
    "--widths 1,2,\u0663": "--widths: '\u0663' is not a whole number from 1 to 1,000,000.\n"
    + LIST.format("--widths"),
    "--widths 8,8": "--widths has 8 twice.\n  Write each size once.",
    "--widths 8,9 --depths 1,2": "two sizes are swept at once, width and depth; an exponent is of "
    "one.\n  Give several sizes to one option, and one size to the others.",
    "--batches 8 --batch 3": "--batch and --batches exclude each other.\n"
    "  Leave one of them out.",
    "--widths 8 --plot x.gif": "--plot x.gif does not end in .png or .svg.\n"
    "  Write such as --plot results.png.",
    "3-4 --plot x.png": "--plot draws the growth along a sweep.\n"
    "  Add one, such as --widths 8,16,32,64.",
    "3-4 --widths 8": "3-4 does not go with a sweep, which makes its networks itself.\n"
    "  Leave it out, or leave out --widths, --depths, --batches.",
    "--preset growth --loss bce": "--loss does not go with a preset, which makes its networks "
    "itself.\n  Leave it out, or leave out --preset.",
    "--preset growth --widths 8": "--widths does not go with --preset, which has sizes and "
    "precisions of its own.\n  Leave one of the two out.",
    "--preset grwth": "--preset 'grwth' is not known. Did you mean growth?\n"
    "  Write one of gradient, weight-jacobian, parameter-jacobian, growth.",
    "--widths 8 --batch 0": "--batch: '0' is not a whole number from 1 to 1,000,000.\n"
    "  Write such as --batch 8.",
    "3-4 --all": "--all does not go with compare, which prints no derivation.\n"
    "  Leave it out.",
    "--convention first_seed": "--convention does not go with compare, which prints no "
    "derivation.\n  Leave it out.",
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
    assert os.listdir() == []


# ---------------------------------------------------------------- stopping

COMMAND = [sys.executable, str(Path(__file__).with_name("compare_main.py")), "compare"]
TESTS = str(Path(__file__).parent)


def started(folder, *options):
    """A process that has begun to time its first size."""
    env = os.environ | {"PYTHONPATH": TESTS, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*COMMAND, *options], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )
    lines = [process.stdout.readline().decode() for _ in range(3)]
    return process, lines


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("older", [False, True])
def test_a_signal_keeps_what_is_finished(tmp_path, how, older):
    path = tmp_path / "r.json"
    if older:
        path.write_text("{}")
    process, _ = started(tmp_path, "--widths", "3,5,7,400", "--repeats", "2", "--json", "r.json")
    while not process.stdout.readline().strip().startswith(b"7  vjp"):
        assert process.poll() is None
    process.send_signal(how)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 130
    said = [line for line in err.decode().splitlines() if not plain(line)]
    assert said == ["jacobian-bp: interrupted; the rows above are what was finished"]
    lines = out.decode().splitlines()
    assert "incomplete: it was interrupted" in lines
    assert "exponent of the width, with its 95 % interval" in lines
    written = tmp_path / ("r.incomplete.json" if older else "r.json")
    found = json.loads(written.read_text())
    assert found["complete"] is False
    assert [row["complete"] for row in found["rows"]][:15] == [True] * 15
    if older:
        assert path.read_text() == "{}"
        assert lines[-1] == "written   r.incomplete.json, incomplete; r.json is as it was"
    else:
        assert lines[-1] == "written   r.json, incomplete"


def test_a_reader_that_goes_away_leaves_the_rows_in_the_file(tmp_path):
    process, lines = started(tmp_path, "3-2", "--repeats", "2", "--json", "r.json")
    assert lines[0] == "network   3-2, one example, float64; Identity; SquaredError\n"
    process.stdout.close()
    err = process.stderr.read().decode().splitlines()
    assert [line for line in err if not plain(line)] in (
        ["written   r.json, incomplete"],
        ["not written: r.json; there are no rows"],
    )
    assert process.wait(timeout=300) == 141
    process.stderr.close()
    if (tmp_path / "r.json").exists():  # the pipe may break before the first row
        assert json.loads((tmp_path / "r.json").read_text())["complete"] is False


@pytest.mark.parametrize("where", ["> /dev/full", ">&-"])
def test_an_output_that_fails(tmp_path, where):
    line = f"{' '.join(COMMAND)} 3-2 --repeats 1 {where}"
    done = subprocess.run(
        ["bash", "-c", line], env=os.environ | {"PYTHONPATH": TESTS}, capture_output=True
    )
    assert done.returncode == 3
    said = [line for line in done.stderr.decode().splitlines() if not plain(line)]
    assert said[0].startswith("jacobian-bp: the output cannot be written: ")


@pytest.mark.parametrize(
    "env", [{"PYTHONIOENCODING": "ascii"}, {"LANG": "C", "PYTHONCOERCECLOCALE": "0"}]
)
def test_ascii(tmp_path, env):
    done = subprocess.run(
        [*COMMAND, "3-2", "--repeats", "1"],
        env=os.environ | {"PYTHONPATH": TESTS, "TERM": "dumb", "PYTHONUTF8": "0"} | env,
        capture_output=True,
    )
    assert done.returncode == 0
    assert plain(done.stderr.decode())
    if "PYTHONIOENCODING" in env:
        text = done.stdout.decode("ascii")
        assert "\\x" not in text
        assert "\\u" not in text
        assert max(map(len, text.splitlines())) < 100


def test_the_handler_of_sigterm_is_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with stopping.termination_as_interrupt():
        assert signal.getsignal(signal.SIGTERM) is not before
        with stopping.undisturbed():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_installs_nothing():
    found = []

    def run():
        before = signal.getsignal(signal.SIGTERM)
        with stopping.termination_as_interrupt(), stopping.undisturbed():
            found.append(signal.getsignal(signal.SIGTERM) is before)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [True]


# ---------------------------------------------------------------- what is printed and drawn


def test_a_table_of_rows():
    rows = [
        Row("t", "q", "f", minimum=3e-6, median=4e-6, spread=1e-7, rounds=5, complete=True),
        Row("t", "q", "g", minimum=9e-3, median=2.0, spread=0.0, rounds=2, measured_bytes=2048),
        Row("t", "q", "h", refused="refused: 3.0 TiB; the limit is 1.0 GiB"),
    ]
    assert measured_table(rows, "f", "× f") == [
        "                       minimum     median     spread        × f   allocated  rounds",
        "f                         3 us       4 us     0.1 us          1           -       5",
        "g                         9 ms        2 s       0 us      3,000     2.0 KiB     2 …",
        "h                    refused: 3.0 TiB; the limit is 1.0 GiB",
    ]
    assert beside_peers(rows, ["g"]) == ["f takes 0.000333 times as long as the fastest peer, g"]
    assert beside_peers(rows, ["h"]) == []
    assert (seconds(None), factor(None)) == ("-", "-")


def swept():
    return [
        Row("t", "gradient", route, "width", n, minimum=n**2 * 1e-6, predicted_bytes=n**3)
        for route in ROUTES
        for n in (7, 23, 101)
    ]


def test_the_limit_and_the_lowest_marker_lie_within_the_picture():
    matplotlib = pytest.importorskip("matplotlib")
    figure = pytest.importorskip("matplotlib.figure").Figure()
    panel = figure.subplots()
    plot._panel(panel, "width", swept(), "predicted_bytes", "", 1)
    for limit in (10**12, 10):
        plot._limit(panel, limit)
        low, high = panel.get_ylim()
        assert low < limit < high
        assert low <= 7**3 / 2
    names = [text.xy[1] for text in panel.texts if "slope" in text.get_text()]
    assert len(names) == len(set(names)) == 2
    assert matplotlib


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_picture(suffix):
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    content = draw("width", swept(), "A title", suffix, 10**6)
    assert dict(matplotlib.rcParams) == before
    assert content.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")
    if suffix == ".svg":
        text = content.decode()
        assert "A title" in text
        assert "memory limit, 976.6 KiB" in text
        assert "seconds measured, full, reverse at width 7 to 101" in text


def test_the_picture_in_words():
    rows = [*swept(), Row("t", "gradient", "vjp", "width", 211, refused="refused: 1 TiB")]
    words = description("width", rows, 10**6)
    assert words.startswith(
        "Two log-log panels against the width: on the left seconds measured, full, reverse at "
        "width 7 to 101, full, forward"
    )
    assert words.endswith("the memory limit, 976.6 KiB. Some routes were not timed at width 211.")
