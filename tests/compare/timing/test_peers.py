"""Peers: missing, too old, and the real ones where they are installed."""

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from jacobian_bp import GELU, Network
from jacobian_bp.compare.report.plot import require_matplotlib
from jacobian_bp.compare.timing import machine, peers
from jacobian_bp.compare.timing.measure import Journal, measure, same_numbers, sampled
from jacobian_bp.compare.timing.peer_ops import evaluate
from jacobian_bp.compare.timing.result import Result
from jacobian_bp.compare.timing.subjects import Subject, textbook, weight_jacobian
from jacobian_bp.compare.timing.timer import Timer
from jacobian_bp.compare.timing.workload import drawn, workload_of
from jacobian_bp.errors import SpecError
from jacobian_bp.ops.names import ACTIVATIONS
from jacobian_bp.ops.peer_functions import NUMPY

NAMES = ["torch", "jax", "autograd"]
every_peer = pytest.mark.parametrize("name", NAMES)


def hide(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)  # import_module raises ImportError


@every_peer
def test_a_missing_peer_is_named_with_the_command_that_installs_it(monkeypatch, name):
    hide(monkeypatch, name)
    assert peers.find([name]) == (
        [],
        [f"{name} is not installed: pip install 'jacobian-bp[peers]', or pip install {name}"],
    )


@every_peer
def test_a_peer_that_is_too_old_is_named_with_its_version(monkeypatch, name):
    old = ModuleType(name)
    old.__version__ = "0.3.9+cpu"
    monkeypatch.setitem(sys.modules, name, old)
    oldest = ".".join(map(str, peers.OLDEST[name]))
    assert peers.find([name]) == (
        [],
        [f"{name} 0.3.9+cpu is too old, {oldest} is needed: pip install -U {name}"],
    )


BROKEN = {  # what stands in the package's first file: what is said of it
    "raise OSError('libcudart.so.12: cannot open shared object file')":
        "cannot be imported: OSError: libcudart.so.12: cannot open shared object file",
    "raise RuntimeError('no driver\\nof this card \\x1b[31m')":
        "cannot be imported: RuntimeError: no driver",
    "raise ImportError('no\\x1b')": "cannot be imported: ImportError: no\\x1b",
    "import jacobian_bp_has_no_such_part":
        "cannot be imported: ModuleNotFoundError: No module named 'jacobian_bp_has_no_such_part'",
    "import sys; sys.exit(5)": "cannot be imported: SystemExit: 5",
    "1 / 0": "cannot be imported: ZeroDivisionError: division by zero",
    "raise ValueError('x' * 500)": f"cannot be imported: ValueError: {'x' * 69}…",
    "__version__ = 'dev'": "cannot be used: its version is 'dev', and {} is needed",
}  # fmt: skip


@every_peer
@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_peer_that_is_broken_is_named_with_what_it_raised(monkeypatch, tmp_path, name, content):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    oldest = ".".join(map(str, peers.OLDEST[name]))
    assert peers.find([name]) == ([], [f"{name} {BROKEN[content].format(oldest)}"])
    sys.modules.pop(name, None)


@every_peer
def test_a_peer_without_a_version_is_not_called_old(monkeypatch, name):
    """Such as a folder of that name beside the user's own files."""
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(peers, "_version_of", lambda name, module: "")
    oldest = ".".join(map(str, peers.OLDEST[name]))
    assert peers.find([name]) == (
        [],
        [f"{name} cannot be used: it has no version, and {oldest} is needed"],
    )


@every_peer
def test_a_peer_that_lacks_a_part_is_named(monkeypatch, name):
    half = ModuleType(name)
    half.__version__ = "99.0"
    monkeypatch.setitem(sys.modules, name, half)
    for part in ("torch.func", "autograd.numpy"):
        monkeypatch.setitem(sys.modules, part, ModuleType(part))
    found, (remark,) = peers.find([name])
    assert found == []
    assert remark.startswith(f"{name} cannot be imported: AttributeError: module '{name}")


def test_a_peer_that_fails_when_it_is_called_ends_nothing():
    ours = Subject("ours", lambda: lambda: {"W": np.ones(3)}, arrays=dict)

    def failing():
        raise RuntimeError("out of memory\non this card")

    theirs = Subject("theirs", lambda: failing, traced=False, arrays=dict, foreign=True)
    rows = measure(Result("t", "q", ""), [theirs, ours], Journal(), Timer(rounds=1))
    assert [(row.subject, row.refused, row.rounds) for row in rows] == [
        ("theirs", "not timed: RuntimeError: out of memory", 0),
        ("ours", "", 1),
    ]
    with pytest.raises(RuntimeError, match="out of memory"):  # an error of ours is an error
        measure(Result("t", "q", ""), [replace(theirs, foreign=False)], Journal(), Timer(rounds=1))


def test_a_missing_peer_does_not_stop_the_others(monkeypatch):
    made = []
    monkeypatch.setitem(sys.modules, "jax", None)
    there = ModuleType("autograd")
    there.__version__ = "1.9"
    monkeypatch.setitem(sys.modules, "autograd", there)
    monkeypatch.setitem(peers._MAKERS, "autograd", lambda version: made.append(version) or "peer")
    found, remarks = peers.find(["jax", "autograd"])
    assert (found, made) == (["peer"], ["1.9"])
    assert len(remarks) == 1


def test_nothing_is_imported_unless_it_is_asked_for():
    assert peers.find([]) == ([], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torch,numpy", "--against: 'numpy' is not a package to compare with.\n"
         "  Write some of torch,jax,autograd, with commas."),
        ("trch", "--against: 'trch' is not a package to compare with. Did you mean torch?\n"
         "  Write some of torch,jax,autograd, with commas."),
        ("jax,jax", "--against names jax twice.\n  Name it once."),
        ("", "--against: '' is not a package to compare with.\n"
         "  Write some of torch,jax,autograd, with commas."),
    ],
)  # fmt: skip
def test_a_wrong_name_of_a_peer_is_refused(text, message):
    with pytest.raises(SpecError) as caught:
        peers.parse_names(text)
    assert str(caught.value) == message


def test_threads_are_estimated_without_threadpoolctl(monkeypatch):
    hide(monkeypatch, "threadpoolctl")
    monkeypatch.setattr(machine, "_cores", lambda: 7)
    for name in machine.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert machine.threads_line() == (
        "BLAS threads: not known, most likely 7; pip install 'jacobian-bp[peers]' brings "
        "threadpoolctl"
    )
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert machine.threads_line() == "BLAS threads: 3 (7 cores)"
    assert machine.threads_line(999) == "BLAS threads: 3, not the 999 asked for (7 cores)"
    with machine.limited_threads(None):
        pass
    with pytest.raises(SpecError) as caught, machine.limited_threads(5):
        pass
    assert str(caught.value) == (
        "--threads needs threadpoolctl, which is not installed.\n"
        "  Write pip install 'jacobian-bp[peers]', or OPENBLAS_NUM_THREADS=5 in front of the "
        "command."
    )


def test_a_plot_says_that_it_needs_matplotlib(monkeypatch):
    hide(monkeypatch, "matplotlib.figure")
    with pytest.raises(SpecError) as caught:
        require_matplotlib()
    assert str(caught.value) == (
        "--plot needs matplotlib, which is not installed.\n  Write pip install 'jacobian-bp[plot]'."
    )


def test_what_is_broken_is_said_with_what_it_raised(monkeypatch, tmp_path):
    for name in ("threadpoolctl", "matplotlib"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('x' * 500)")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SpecError) as caught:
        require_matplotlib()
    assert str(caught.value) == (
        f"--plot needs matplotlib, which cannot be imported:\n  RuntimeError: {'x' * 69}….\n"
        "  Write pip install 'jacobian-bp[plot]'."
    )
    with pytest.raises(SpecError) as caught, machine.limited_threads(5):
        pass
    assert str(caught.value).startswith(
        f"--threads needs threadpoolctl, which cannot be imported:\n  RuntimeError: {'x' * 69}"
    )
    assert machine.threads_line().startswith("BLAS threads: ")


def test_an_op_without_a_counterpart():
    net = Network.program(
        "z = Linear(x, W, b)",
        "s = Subtract(z, x)",
        "J = SquaredError(s, y)",
        params={"W": np.ones((3, 3)), "b": np.ones(3)},
    )
    run = net.run([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])
    values = dict.fromkeys("xyWb", np.ones((3, 3)))
    with pytest.raises(SpecError) as caught:
        evaluate(run.forward_pass.program, None, values, "J")
    assert str(caught.value) == (
        "Subtract 's' has no counterpart in the peers.\n"
        "  Compare a network of dense layers, or leave --against out."
    )


# ---------------------------------------------------------------- references


@pytest.mark.parametrize("batch", [None, 7])
def test_the_textbook_gives_the_same_gradient_and_a_slip_in_it_does_not(batch):
    task = drawn([5, 3, 2], batch)
    cost, gradients = textbook(task.params, task.x, task.y)
    assert np.isclose(cost, task.run.loss)
    right = sampled(task.run.gradients())
    assert same_numbers(sampled(gradients), right)
    assert not same_numbers(sampled(gradients | {"W2": -gradients["W2"]}), right)


def test_placed_by_hand_is_the_whole_jacobian():
    ours, placed, *_ = weight_jacobian(drawn([5, 3], None))
    np.testing.assert_array_equal(placed.prepare()(), ours.prepare()())


def test_other_numbers_are_not_timed():
    right = Subject("right", lambda: lambda: {"W": np.ones(3)}, arrays=dict)
    wrong = Subject("wrong", lambda: lambda: {"W": -np.ones(3)}, arrays=dict)
    rows = measure(Result("t", "q", ""), [right, wrong], Journal(), Timer(rounds=1))
    assert [(row.subject, row.refused, row.rounds) for row in rows] == [
        ("right", "", 1),
        ("wrong", "not timed: other numbers", 0),
    ]


# ---------------------------------------------------------------- the real ones


def loaded(name):
    pytest.importorskip(name)
    (peer,), remarks = peers.find([name])
    assert remarks == []
    return peer


LOSSES = [("sigmoid", "bce"), ("softmax", "cross_entropy"), ("softmax", "bce")]
CASES = [(a, "squared_error") for a in ACTIVATIONS] + [*LOSSES, ("tanh", "half_squared_error")]


@pytest.mark.one_in(4)
@every_peer
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch", [None, 7])
@pytest.mark.parametrize(("last", "loss"), CASES)
def test_a_peer_gives_the_same_gradient(name, dtype, batch, last, loss):
    peer = loaded(name)
    net = Network.dense([5, 3, 2], ["tanh", last], loss, seed=0)
    generator = np.random.default_rng(1)
    shape = () if batch is None else (batch,)
    y = generator.standard_normal((*shape, 2))
    if loss in ("bce", "cross_entropy"):
        y = np.eye(2)[generator.integers(0, 2, shape)]
    run = net.run(generator.standard_normal((*shape, 5)), y)
    task = workload_of(run, "t", dtype)
    with peers.session([peer], task, None):
        subject = peer.gradient_subject(task)
        found = subject.arrays(subject.prepare()())
    assert {array.dtype for array in found.values()} == {np.dtype(dtype)}
    assert same_numbers(sampled(found), sampled(task.run.gradients()))


@every_peer
@pytest.mark.filterwarnings("ignore")
def test_a_peer_gives_the_same_jacobians(name):
    peer, task = loaded(name), drawn([5, 3, 2], 7)
    one = task.one_example()
    with peers.session([peer], task, None):
        subject = peer.weight_jacobian_subject(one)
        found = subject.arrays(subject.prepare()())["whole"]
        np.testing.assert_allclose(found, one.run.jacobian("z1", "W1").materialise(), atol=1e-12)
        subject = peer.parameter_jacobian_subject(task)
        found = subject.arrays(subject.prepare()())["whole"]
    for n in range(7):
        run = task.net.run(task.x[n], task.y[n])
        whole = [run.jacobian("a2", p).materialise("flat") for p in task.params]
        np.testing.assert_allclose(found[n], np.concatenate(whole, axis=1), atol=1e-12)


def test_jax_keeps_the_callers_precision():
    jax = pytest.importorskip("jax")
    before, peer, task = jax.config.jax_enable_x64, loaded("jax"), drawn([5, 3], None)
    with peers.session([peer], task, None):
        assert jax.numpy.ones(3).dtype == np.float64
    assert jax.config.jax_enable_x64 == before


def test_torch_keeps_the_callers_threads():
    torch = pytest.importorskip("torch")
    before, peer, task = torch.get_num_threads(), loaded("torch"), drawn([5, 3], None)
    with peers.session([peer], task, 1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_rules_are_for_the_ops_of_dense_layers():
    z = np.array([-1.5, 0.25, 2.0])
    for op in ACTIVATIONS.values():
        np.testing.assert_allclose(op().peer(NUMPY, z), op().forward(z), rtol=1e-14)
    assert GELU().peer(replace(NUMPY, erf=None), z) is None
    by_tanh = GELU(approximate=True)
    np.testing.assert_allclose(by_tanh.peer(NUMPY, z), by_tanh.forward(z), rtol=1e-14)
