"""One line of a student's numpy: where it breaks, what was meant, when it would pass."""

from itertools import product

import numpy as np
import pytest
from network_cases import at_most, refusal, run_of

from jacobian_bp import Network, diagnose_line
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.coursework.lines import shapes
from jacobian_bp.coursework.lines.language import read_line
from jacobian_bp.coursework.lines.line_report import MOST_LINES
from jacobian_bp.coursework.lines.trials import Trials
from jacobian_bp.coursework.lines.workspace import Workspace
from jacobian_bp.errors import AxisError, DomainError, MemoryLimitError, SpecError

RNG = np.random.default_rng(17)


BATCH = run_of([11, 7, 3, 2], 5)
ONE = run_of([11, 7, 3, 2], 0)
NARROW = run_of([11, 3, 2, 1], 5, ["relu", "tanh", "sigmoid"], "bce")  # one output
SQUARE = run_of([3, 3, 3, 3], 5)
RUNS = {"batch": BATCH, "one": ONE, "narrow": NARROW, "square": SQUARE}


def derivative(run, value):
    """∂J/∂value by another route: the whole Jacobian."""
    return run.jacobian(run.cost, value).materialise()


# ---------------------------------------------------------------- right lines

RIGHT = [  # line, target, on which runs
    ("d3 @ W3 * slope(z2)", "z2", "batch one narrow square"),
    ("d2 = d3 @ W3 * slope(z2)", "z2", "batch one narrow square"),
    ("slope(z2) * (d3 @ W3)", "z2", "batch one narrow square"),
    ("np.multiply(np.dot(delta3, W3), slope(z2))", "z2", "batch one narrow square"),
    ("d3.dot(W3) * (1 - a2**2)", "z2", "batch one narrow square"),
    ("dz1 = (dz2 @ W2) * (z1 > 0)", "z1", "narrow"),
    ("d3 @ W3", "a2", "batch one narrow square"),
    ("dW2 = d2.T @ a1", "W2", "batch narrow square"),
    ("dW2 = (a1.T @ d2).T", "W2", "batch narrow square"),
    ("dW2 = np.einsum('nk,ni->ki', d2, a1)", "W2", "batch narrow square"),
    ("dW2 = np.sum(d2[:, :, None] * a1[:, None, :], axis=0)", "W2", "batch narrow square"),
    ("dW1 = np.matmul(np.transpose(d1), x)", "W1", "batch narrow square"),
    ("dW2 = np.outer(d2, a1)", "W2", "one"),
    ("dW2 = d2[:, None] @ a1[None, :]", "W2", "one"),
    ("dW2 = d2.reshape(-1, 1) * a1", "W2", "one"),
    ("dW2 = np.diag(d2) @ np.outer(d2, a1) / d2[:, None]", "W2", "one"),
    ("db2 = d2.sum(axis=0)", "b2", "batch narrow square"),
    ("db2 = d2.sum(axis=0, keepdims=True)", "b2", "batch narrow square"),
    ("db2 = np.mean(d2, axis=0) * m", "b2", "batch narrow square"),
    ("db2 = d2", "b2", "one"),
    ("d3 = (p - y) / m", "z3", "narrow"),
    ("z2 = a1 @ W2.T + b2", "z2", "batch one narrow square"),
    ("dx = d1 @ W1", "x", "batch one narrow square"),
]
CASES = [(line, target, run) for line, target, runs in RIGHT for run in runs.split()]


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("line", "target", "name"), CASES)
def test_a_right_line_is_right(line, target, name):
    run = RUNS[name]
    report = diagnose_line(line, run)
    assert (report.runs, report.right, report.target) == (True, True, target), str(report)
    assert (report.broke_at, report.meant, report.passes_when) == (None, None, "")
    right = run[target] if line.startswith(target) else derivative(run, target)
    np.testing.assert_allclose(report.value.reshape(right.shape), right, rtol=1e-9, atol=1e-12)


# ---------------------------------------------------------------- wrong lines

WRONG = [  # run, line, where it breaks or None, what was meant
    ("batch", "d3 * W3 * slope(z2)", "d3 * W3", "d3 @ W3 * slope(z2)"),
    ("batch", "d3 @ W3.T * slope(z2)", "d3 @ W3.T", "d3 @ W3 * slope(z2)"),
    ("batch", "W3.T @ d3 * slope(z2)", "W3.T @ d3", "d3 @ W3 * slope(z2)"),
    ("batch", "slope(z2) * d3 @ W3", "slope(z2) * d3", "slope(z2) * (d3 @ W3)"),
    ("batch", "d3 @ W3 @ slope(z2)", "d3 @ W3 @ slope(z2)", "d3 @ W3 * slope(z2)"),
    ("batch", "d2 = d3 @ W3", None, "d3 @ W3 * slope(z2)"),
    ("batch", "d3 @ W3 * slope(a2)", None, "d3 @ W3 * slope(z2)"),
    ("batch", "d2 = d3 @ W3 * a2", None, "d3 @ W3 * slope(z2)"),
    ("batch", "d2 @ W2 * (z1 > 0)", None, "d2 @ W2 * slope(z1)"),
    ("batch", "d2 = d3 * slope(z2)", "d3 * slope(z2)", "d3 @ W3 * slope(z2)"),
    ("batch", "dW2 = d2 @ a1", "d2 @ a1", "d2.T @ a1"),
    ("batch", "dW2 = d2 @ a1.T", "d2 @ a1.T", "d2.T @ a1"),
    ("batch", "dW2 = d2 * a1", "d2 * a1", "d2.T @ a1"),
    ("batch", "dW2 = a1.T @ d2", None, "d2.T @ a1"),
    ("batch", "dW2 = np.outer(d2, a1)", None, "d2.T @ a1"),
    ("batch", "dW2 = d2.T @ z1", None, "d2.T @ a1"),
    ("batch", "dW2 = d2.T @ a2", None, "d2.T @ a1"),
    ("batch", "dW1 = d1.T @ a1", None, "d1.T @ x"),
    ("batch", "dW2 = d2.T @ a1 * m", None, "d2.T @ a1"),
    ("batch", "dW2 = -d2.T @ a1", None, "d2.T @ a1"),
    ("batch", "dW2 = np.einsum('nk,ni->ik', d2, a1)", None, 'np.einsum("nk,ni->ki", d2, a1)'),
    ("batch", "db2 = d2", None, "d2.sum(axis=0)"),
    ("batch", "db2 = d2.sum(axis=1)", None, "d2.sum(axis=0)"),
    ("batch", "db2 = d2.sum()", None, "d2.sum(axis=0)"),
    ("batch", "db2 = np.mean(d2, axis=1)", None, "np.mean(d2, axis=0)"),
    ("batch", "z2 = W2 @ a1 + b2", "W2 @ a1", "a1 @ W2.T + b2"),
    ("one", "d3 * W3 * slope(z2)", "d3 * W3", "d3 @ W3 * slope(z2)"),
    ("one", "dW2 = d2.T @ a1", "d2.T @ a1", "np.outer(d2, a1)"),
    ("one", "dW2 = d2 @ a1.T", "d2 @ a1.T", "np.outer(d2, a1)"),
    ("one", "dW2 = d2 * a1", "d2 * a1", "np.outer(d2, a1)"),
    ("one", "dW2 = np.outer(a1, d2)", None, "np.outer(d2, a1)"),
    ("narrow", "d3 = y - p", None, "p - y"),
    ("narrow", "d2 = d3 * slope(z2)", None, "d3 @ W3 * slope(z2)"),
    ("square", "d3 @ W3.T * slope(z2)", None, "d3 @ W3 * slope(z2)"),
    ("square", "d2 = d3 @ W2 * slope(z2)", None, "d3 @ W3 * slope(z2)"),
    ("square", "dW2 = a1.T @ d2", None, "d2.T @ a1"),
    ("square", "dW2 = d2.T @ x", None, "d2.T @ a1"),
    ("square", "d2 = d3 * slope(z2)", None, "d3 @ W3 * slope(z2)"),
]


@pytest.mark.one_in(8)
@pytest.mark.parametrize(("name", "line", "broke_at", "meant"), WRONG)
def test_a_wrong_line_is_wrong_and_its_correction_is_right(name, line, broke_at, meant):
    report = diagnose_line(line, RUNS[name])
    assert (report.runs, report.broke_at, report.meant) == (broke_at is None, broke_at, meant)
    assert report.right is (False if report.runs else None)
    assert (report.value is None) == (broke_at is not None)
    left, equals, _ = line.rpartition(" = ")
    assert diagnose_line(f"{left}{equals}{meant}", RUNS[name]).right is True


@pytest.mark.parametrize(("name", "line", "broke_at", "meant"), WRONG)
def test_numpy_itself_breaks_at_the_same_lines(name, line, broke_at, meant):
    """The line is run by Python here, on the run's arrays, as a student would."""
    run = RUNS[name]
    names = {word: run[word] for word in run}
    names |= {f"d{layer}": derivative(run, f"z{layer}") for layer in (1, 2, 3)}
    slopes = {"z2": derivative(run, "z2"), "a2": derivative(run, "z2"), "z1": derivative(run, "z1")}
    shaped = {id(run[word]): value for word, value in slopes.items()}
    names |= {"np": np, "m": 5, "p": run["a3"], "slope": lambda z: shaped[id(z)]}
    code = line.partition(" = ")[2] or line
    if broke_at is None:
        eval(code, names)
    else:
        with pytest.raises(ValueError, match=r"shapes|matmul|broadcast|mismatch|not aligned"):
            eval(code, names)


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.full)])
def test_every_report_is_short(step):
    for name, line, _, _ in WRONG[::step]:
        lines = str(diagnose_line(line, RUNS[name])).splitlines()
        assert len(lines) <= MOST_LINES
        assert max(map(len, lines)) <= 99


# ---------------------------------------------------------------- whole messages


def test_a_break_is_explained_by_the_meaning_of_the_axes():
    assert str(diagnose_line("d3 * W3 * slope(z2)", BATCH)) == (
        "d3 * W3 * slope(z2): breaks at d3 * W3.\n"
        "  d3 has shape (5, 2): examples × units of layer 3\n"
        "  W3 has shape (2, 3): units of layer 3 × units of layer 2\n"
        "  * pairs axes from the right: units of layer 3 (2) with units of layer 2 (3), "
        "examples (5) with\n"
        "    units of layer 3 (2); none of them is 1.\n"
        "  Meant for ∂J/∂z2: d3 @ W3 * slope(z2)   (@ for *)\n"
        "  numpy lets it pass if layer 3 has 1 unit: right numbers."
    )


def test_the_same_line_passes_where_the_output_is_one_unit():
    report = diagnose_line("d3 * W3 * slope(z2)", NARROW)
    assert (report.right, report.broadcast) == (True, True)
    assert str(report) == (
        "d3 * W3 * slope(z2): right, by numpy's broadcasting. It is ∂J/∂z2, shape (5, 2).\n"
        "  d3 * W3 stretches d3 (5, 1) along units of layer 2 (2), and W3 (1, 2) along "
        "examples (5).\n"
        "  numpy lets it pass only because layer 3 has 1 unit.\n"
        "  Right at any size: d3 @ W3 * slope(z2)   (@ for *)"
    )


@pytest.mark.parametrize(
    "line", ["z2 = a1 @ W2.T + b2", "z2 = b2 + a1 @ W2.T", "a2 = tanh(a1 @ W2.T + b2)"]
)
def test_a_bias_that_each_example_has_is_right_without_a_but(line):
    report = diagnose_line(line, BATCH)
    assert (report.right, report.broadcast) == (True, True)
    head, repeated = str(report).splitlines()
    name = line[:2]
    assert head == f"{line}: right. It is {name}, shape (5, 3)."
    assert repeated.endswith(" repeats b2 (3,) along examples (5), as it should.")


def test_a_square_layer_hides_a_transpose():
    assert str(diagnose_line("d3 @ W3.T * slope(z2)", SQUARE)) == (
        "d3 @ W3.T * slope(z2): runs, but gives wrong numbers for ∂J/∂z2, in the right shape.\n"
        "  d3 @ W3.T pairs units of layer 3 with units of layer 2: both are 3.\n"
        "  Meant for ∂J/∂z2: d3 @ W3 * slope(z2)   (W3 for W3.T)\n"
        "  With W (inputs, outputs) this line is right.\n"
        "  numpy lets it pass only because layers 2 and 3 are equally wide."
    )
    assert diagnose_line("d3 @ W3.T * slope(z2)", BATCH).passes_when == (
        "numpy lets it pass if layers 2 and 3 are equally wide: right shape, wrong numbers."
    )


def test_the_transpose_of_one_axis_is_nothing():
    assert str(diagnose_line("dW2 = d2 @ a1.T", ONE)) == (
        "dW2 = d2 @ a1.T: breaks at d2 @ a1.T.\n"
        "  d2 has shape (3,): units of layer 2\n"
        "  a1.T has shape (7,): units of layer 1\n"
        "  @ sums the left's only axis with the right's only one: units of layer 2 (3), "
        "units of layer 1\n"
        "    (7).\n"
        "  a1.T is a1 itself: .T of a 1-D array turns nothing.\n"
        "  Meant for ∂J/∂W2: np.outer(d2, a1)   (np.outer for @)\n"
        "  With one example as a column, arrays (units, 1), this line is right.\n"
        "  numpy lets it pass if layers 1 and 2 are equally wide: another shape."
    )
    assert diagnose_line("dW2 = d2 @ a1.T", ONE).passes_when == (
        "numpy lets it pass if layers 1 and 2 are equally wide: another shape."
    )


def test_a_factor_is_named():
    assert str(diagnose_line("dW2 = d2.T @ a1 * m", BATCH)) == (
        "dW2 = d2.T @ a1 * m: runs, but gives wrong numbers for ∂J/∂W2, in the right shape.\n"
        "  Every entry is m times the right one, m = 5.\n"
        "  Meant for ∂J/∂W2: d2.T @ a1   (without m)"
    )


def test_a_transposed_gradient_is_called_so():
    assert str(diagnose_line("dW2 = a1.T @ d2", BATCH)) == (
        "dW2 = a1.T @ d2: runs, but gives another array than ∂J/∂W2.\n"
        "  It is the transpose of ∂J/∂W2, of shape (7, 3).\n"
        "  Meant for ∂J/∂W2: d2.T @ a1   (a1 for a1.T, d2.T for d2, the operands the other way "
        "round)\n"
        "  With W (inputs, outputs) this line is right."
    )


def test_a_line_without_a_goal_has_its_shapes_explained():
    report = diagnose_line("log(a2 - 5)", BATCH)
    assert (report.runs, report.right, report.target) == (True, None, None)
    assert np.isnan(report.value).all()
    assert str(report) == (
        "log(a2 - 5): runs, and gives shape (5, 3): examples × units of layer 2.\n"
        "  What it is meant for is not clear: name it in front, as in dW2 = d2.T @ a1."
    )


def test_a_value_that_is_not_finite_is_never_right():
    report = diagnose_line("d2 = slope(z2) * log(a2 - 5)", BATCH)
    assert (report.right, report.sentences[1]) == (False, "15 entries of 15 are not finite.")


def test_a_coincidence_of_this_run_is_called_one():
    net = Network.dense([5, 3, 2], "relu", seed=2)
    net = net.with_params({"b1": [50.0] * 3, "b2": [90.0] * 2})  # every unit is alive
    run = net.run(RNG.standard_normal((7, 5)), RNG.standard_normal((7, 2)))
    report = diagnose_line("d1 = d2 @ W2", run)
    assert (report.right, report.meant) == (True, "d2 @ W2 * slope(z1)")
    assert "Right at this run; at other sizes or weights it is not." in report.sentences


# ---------------------------------------------------------------- examples in columns

COLUMNS = [
    ("W3.T @ d3 * slope(z2)", "z2"),
    ("dW2 = d2 @ a1.T", "W2"),
    ("db2 = d2.sum(axis=1, keepdims=True)", "b2"),
    ("db2 = d2.sum(axis=1)", "b2"),
    ("z2 = W2 @ a1 + b2", "z2"),
]


@pytest.mark.parametrize("run", [BATCH, ONE, SQUARE], ids=["batch", "one", "square"])
@pytest.mark.parametrize(("line", "target"), COLUMNS)
def test_a_line_for_columns_is_right_in_columns(line, target, run):
    report = diagnose_line(line, run, examples="columns")
    assert (report.right, report.target) == (True, target)


@pytest.mark.parametrize(("line", "target"), COLUMNS)
def test_a_line_for_columns_is_said_to_be_one(line, target):
    report = diagnose_line(line, BATCH)
    assert (report.right is True, report.other_layout) == (False, True)
    assert "With the examples in columns, arrays (units, examples), this line is right." in str(
        report
    )


def test_a_line_for_rows_breaks_in_columns():
    report = diagnose_line("dW2 = d2.T @ a1", BATCH, examples="columns")
    assert (report.broke_at, report.meant, report.other_layout) == ("d2.T @ a1", "d2 @ a1.T", True)
    assert not diagnose_line("dW2 = d2.T @ z1", BATCH, examples="columns").other_layout


def test_a_delta_with_its_examples_in_columns_is_right():
    report = diagnose_line("d2 = W3.T @ d3.T * slope(z2).T", BATCH)
    assert (report.right, report.value.shape) == (True, (3, 5))
    assert report.sentences[1] == "It has its examples in columns: shape (3, 5)."


# ---------------------------------------------------------------- other networks


def test_any_graph_is_read():
    params = {"W1": (3, 3), "b1": 3, "W2": (2, 3), "b2": 2}
    net = Network.program(
        "z1 = Linear(x, W1, b1)",
        "a1 = Tanh(z1)",
        "s1 = Add(a1, x)",
        "z2 = Linear(s1, W2, b2)",
        "L = SquaredError(z2, y)",
        "J = Mean(L)",
        params={name: RNG.standard_normal(size) for name, size in params.items()},
    )
    run = net.run(RNG.standard_normal((5, 3)), RNG.standard_normal((5, 2)))
    assert diagnose_line("dx = d2 @ W2 + d1 @ W1", run).right is True
    assert diagnose_line("dx = d1 @ W1", run).right is False  # the skip is forgotten
    assert diagnose_line("dW2 = d2.T @ a1", run).meant == "d2.T @ s1"


def test_a_tied_parameter_has_one_gradient():
    W = RNG.standard_normal((3, 3))
    params = {"W1": W, "b1": np.zeros(3), "W2": W, "b2": np.ones(3)}
    net = Network.dense([3, 3, 3], "tanh", params=params)
    run = net.run(RNG.standard_normal((5, 3)), RNG.standard_normal((5, 3)))
    assert diagnose_line("dW2 = d2.T @ a1 + d1.T @ x", run).right is True
    report = diagnose_line("dW2 = d2.T @ a1", run)
    assert report.right is False
    assert "W1 and W2 are one array: its gradient adds up every use." in report.sentences


def test_float32_is_compared_as_float32():
    run = run_of([11, 7, 3], 5, dtype=np.float32)
    report = diagnose_line("dW1 = (d2 @ W2 * (1 - a1**2)).T @ x", run)
    assert (report.right, report.value.dtype) == (True, np.float32)
    assert diagnose_line("dW1 = 1.001 * d1.T @ x", run).right is False


def test_a_wide_network_is_tried_on_a_small_one():
    run = run_of([97, 83, 61, 10], 128)
    report = diagnose_line("d3 * W3 * slope(z2)", run)
    assert report.meant == "d3 @ W3 * slope(z2)"
    assert report.passes_when == "numpy lets it pass if layer 3 has 1 unit: right numbers."


def test_nothing_is_changed_and_nothing_is_shared():
    before = {name: run_value.copy() for name in BATCH for run_value in [BATCH[name]]}
    with np.errstate(all="raise"):
        report = diagnose_line("a1", BATCH)
        diagnose_line("exp(1000 * d3) @ W3", BATCH)
        assert np.geterr()["over"] == "raise"
    report.value[...] = 0
    assert all(np.array_equal(BATCH[name], value) for name, value in before.items())


# ---------------------------------------------------------------- numpy's rules for shapes

SHAPES = [
    (),
    (1,),
    (3,),
    (5,),
    (1, 3),
    (3, 1),
    (3, 5),
    (5, 3),
    (1, 1),
    (5, 1),
    (2, 3, 5),
    (2, 1, 3),
]


def named(shape):
    return tuple(Axis(f"axis {p}", size) for p, size in enumerate(shape))


def shape_or_none(call, *arguments):
    try:
        return np.shape(call(*arguments))
    except ValueError:
        return None


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("left", "right"), list(product(SHAPES, SHAPES)))
@pytest.mark.parametrize(
    ("rule", "call"),
    [
        (lambda a, b: shapes.elementwise("*", a, b), np.multiply),
        (shapes.matmul, np.matmul),
        (shapes.outer, np.outer),
        (lambda a, b: shapes.einsum("ab,bc->ac", (a, b)), lambda *ab: np.einsum("ab,bc->ac", *ab)),
    ],
    ids=["*", "@", "outer", "einsum"],
)
def test_the_rules_are_numpys(rule, call, left, right):
    try:
        found = shapes.sizes_of(rule(named(left), named(right)).axes)
    except shapes.MisfitError:
        found = None
    assert found == shape_or_none(call, np.ones(left), np.ones(right))


def test_a_rule_that_forgets_to_look_is_caught():
    def hopeful(left, right):
        return shapes.Fit((*left[:-1], *right[1:]))

    left, right = named((3, 5)), named((3, 5))
    assert shapes.sizes_of(hopeful(left, right).axes) == (3, 5)
    assert shape_or_none(np.matmul, np.ones((3, 5)), np.ones((3, 5))) is None


def test_a_correction_that_is_right_by_coincidence_is_not_offered():
    """With one output, d3 * W3 is right on this run; a correction holds at any size."""
    narrow = diagnose_line("d2 = d3 * W3", NARROW)
    assert (narrow.right, narrow.meant) == (False, "d3 @ W3 * slope(z2)")
    assert diagnose_line("d2 = d3 * W3 * slope(z2)", NARROW).right is True


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "line",
    [
        "d2.sum(axis=1)",
        "d2.sum(axis=(0, 1))",
        "d2.sum(axis=-1, keepdims=True)",
        "d2.mean()",
        "d2.reshape(3, -1)",
        "d2.reshape(15)",
        "np.diag(d2.sum(axis=0))",
        "np.diag(W2)",
        "d2[:, None]",
        "d2[None, :, None]",
        "np.einsum('nk,nk->n', d2, d2)",
        "np.einsum('ab,bc', d3, W3)",
        "d3.dot(W3).T",
        "ones_like(z2) - sigmoid(z2) / 2 + relu(z2)**2 - tanh(-z2)",
        "np.sign(W2) + 3 * np.sign(-W2)",
    ],
)
def test_every_operation_has_numpys_value(line):
    functions = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: z * (z > 0)}
    names = {"np": np, "ones_like": np.ones_like, "tanh": np.tanh, "W2": BATCH["W2"]}
    names |= {"d2": derivative(BATCH, "z2"), "d3": derivative(BATCH, "z3"), "W3": BATCH["W3"]}
    expected = eval(line, names | functions | {"z2": BATCH["z2"]})
    np.testing.assert_allclose(diagnose_line(line, BATCH).value, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("d2.sum(axis=2)", "axis=2 does not exist: the array has 2 axes, 0 and 1."),
        ("d2.reshape(4, 4)", "reshape to (4, 4): the array has 15 entries."),
        ("np.einsum('nki,ki->n', d2, W2)", '"nki" has 3 letters; array 1 has 2 axes.'),
        (
            "np.einsum('nk,ik->ni', d3, W3)",
            "the letter k is both units of layer 3 (2) and units of layer 2 (3).",
        ),
        ("2 @ W2", "@ takes arrays, not numbers: for a number write *."),
        ("slope(2 * z2)", "slope takes the name of a pre-activation, such as slope(z2)."),
    ],
)
def test_a_misfit_says_why(line, why):
    report = diagnose_line(line, BATCH)
    assert not report.runs
    assert why in report.sentences


# ---------------------------------------------------------------- the language


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a*(b*c)", "a * (b * c)"),
        ("(a*b)*c", "a * b * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("-a**2", "-a**2"),
        ("(-a)**2", "(-a)**2"),
        ("(a+b).T@c", "(a + b).T @ c"),
        ("δ3 @ W3 − 1", "delta3 @ W3 - 1"),
        ("np.dot(a.T,b).sum(axis=0,keepdims=True)", "np.dot(a.T, b).sum(axis=0, keepdims=True)"),
        ("numpy.einsum('ab, bc -> ac',a,b)", 'np.einsum("ab,bc->ac", a, b)'),
        ("a[np.newaxis,:]", "a[None, :]"),
        ("a.transpose()", "a.transpose()"),
        ("1-(a>=0)", "1 - (a >= 0)"),
    ],
)
def test_a_line_is_shown_as_it_was_read(line, shown):
    tree = read_line(line).tree
    assert str(tree) == shown
    assert read_line(shown).tree == tree


HOSTILE = [
    "x.__class__.__bases__",
    "__import__('os').system('true')",
    "x.tofile('a')",
    "np.load('a')",
    "np.linalg.inv(W2)",
    "open('a')",
    "eval('1')",
    "lambda: x",
    "f'{x}'",
    "'x' * 9",
    "[x for x in y]",
    "x if y else z1",
    "(x := z1)",
    "x[m]",
    "x[y]",
    "x; y",
    "x\ny",
    "x\0",
    "\u04301 @ W2",
    "x\u202e",
    "ｘ",
    "2 ** 10 ** 10",
    "10**10**10",
    "x**1000",
    "x**y",
    "9" * 400,
    "1e999",
    "1j",
    "0x10",
    "2W2",
    "(" * 240 + "x" + ")" * 240,
    "-" * 400 + "x",
    "x" + ".T" * 200,
    "x" * 501,
    "",
    "   ",
    "x @",
    "x is y",
    "not x",
    "True",
    "...",
    "slope",
    "slope()",
    "relu(x, y)",
    "x.sum(axis=y)",
    "x.sum(out=y)",
    "x.reshape()",
    "x.sum(**y)",
    "x.dot(*y)",
    "np.einsum(x, 'ab')",
    "np.einsum('a...', x)",
    "nobody @ W2",
    "d9",
    "slope(W2)",
    "slope(m)",
    "_ + 1",
    "np.einsum('ab,cd,ef,gh,ij,kl->', x, x, x, x, W1, W1)",
    5,
    None,
    b"x",
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_line_is_refused_at_once(line):
    with at_most(20_000):  # it is never run
        message = refusal(SpecError, diagnose_line, line, BATCH)
    assert message.startswith("diagnose_line: ")
    assert message.splitlines()[-1].startswith("  ")
    assert message.replace("\n", "").isprintable()
    assert max(map(len, message.splitlines())) <= 99


def test_refusals_say_what_to_write():
    assert refusal(SpecError, diagnose_line, "2W2 * x", BATCH) == (
        "diagnose_line: '2W2' is neither a number nor a name.\n  For a product write 2 * W2."
    )
    assert refusal(SpecError, diagnose_line, "\u04301 @ W2", BATCH) == (
        "diagnose_line: character 1 is '\u0430' (U+0430, CYRILLIC SMALL LETTER A).\n"
        "  Write names in plain letters and digits, such as d2, W2, a1."
    )
    assert refusal(SpecError, diagnose_line, "np.dott(x, W1)", BATCH) == (
        "diagnose_line: np.dott is not read here. Did you mean np.dot?\n"
        "  Write names, numbers, + - * / @ **, .T, [:, None], .sum(axis=0), np.dot, np.outer, "
        "np.einsum\n"
        "  and the functions slope, sigmoid, tanh, relu, exp, log, sign, ones_like."
    )
    assert refusal(SpecError, diagnose_line, "d4 @ W3", BATCH) == (
        "diagnose_line: no value is named 'd4'.\n"
        "  The line may read x, y, W1, b1, W2, b2, W3, b3, z1, a1, z2, a2, z3, a3, L, J, "
        "d1, d2, d3;\n"
        "  p is the output, m the number of examples, n_1 the width of layer 1."
    )


def test_a_softmax_has_no_slope():
    net = Network.dense([5, 3, 2], ["tanh", "softmax"], "cross_entropy", seed=0)
    run = net.run(RNG.standard_normal((7, 5)), RNG.integers(0, 2, 7))
    assert diagnose_line("d2 = (p - y) / m", run).right is True
    assert refusal(SpecError, diagnose_line, "d2 = (p - y) * slope(z2)", run) == (
        "diagnose_line: slope(z2): a2 = Softmax(z2) is not elementwise; "
        "its Jacobian is a whole matrix.\n"
        "  Write the delta of softmax and loss at once, from p - y."
    )


def test_wrong_options_are_refused():
    assert refusal(SpecError, diagnose_line, "d2", BATCH, "W9") == (
        "diagnose_line: the target is 'W9', which the run does not have.\n"
        "  Name what the line is meant for, such as W1, b1, W2, b2."
    )
    assert refusal(SpecError, diagnose_line, "d2", BATCH, examples="up") == (
        "diagnose_line: examples is 'up'.\n"
        '  Write "rows" or "columns": where the examples of a batch stand.'
    )
    assert refusal(SpecError, diagnose_line, "d2", {"z2": 1}) == (
        "diagnose_line: the run is a dict, not a run.\n  Pass what net.run(x, y) gives."
    )


def test_a_run_without_a_cost_has_values_and_no_deltas():
    net = Network.dense([5, 3, 2], "tanh", seed=0)
    run = net.run(RNG.standard_normal((7, 5)))
    assert diagnose_line("z1 = x @ W1.T + b1", run).right is True
    assert diagnose_line("z1 = x * W1 + b1", run).meant == "x @ W1.T + b1"
    assert refusal(DomainError, diagnose_line, "dW1 = x.T @ z1", run) == (
        "diagnose_line: the run has no cost: y was not given.\n"
        "  Run the network with labels: net.run(x, y)."
    )
    with pytest.raises((AxisError, DomainError)):
        diagnose_line("d2 @ W2", run)


def test_an_intermediate_beyond_memory_is_refused():
    line = "np.outer(np.outer(np.outer(x, x), np.outer(x, x)), np.outer(x, x))"
    message = refusal(MemoryLimitError, diagnose_line, line, BATCH)
    assert message.endswith(
        "the limit is 1.0 GiB.\n  Sum or contract before this step; np.einsum does both at once."
    )


# ---------------------------------------------------------------- at other sizes


@pytest.mark.parametrize("loss", ["CrossEntropy", "KLDivergence"])
@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("batch", [(), (5,)])
def test_a_loss_of_classes_gets_rows_that_sum_to_1_at_every_size(loss, logits, batch):
    """Also of a network written by hand, and from logits; else no trial at other sizes can run."""
    lines = ["z1 = Linear(x, W1, b1)", "a1 = Tanh(z1)", "z2 = Linear(a1, W2, b2)"]
    lines += [f"L = {loss}FromLogits(z2, y)"] if logits else []
    lines += [] if logits else ["p = Softmax(z2)", f"L = {loss}(p, y)"]
    sizes = {"W1": (3, 3), "b1": (3,), "W2": (3, 3), "b2": (3,)}
    params = {name: RNG.standard_normal(shape) for name, shape in sizes.items()}
    net = Network.program(*lines, *["J = Mean(L)"] * bool(batch), params=params)
    labels = RNG.dirichlet(np.ones(3), batch or None)
    run = net.run(RNG.standard_normal((*batch, 3)), labels)
    trials = Trials(Workspace(run.forward_pass))
    assert set(trials.sizes.values()) <= {3, 5}
    other = trials.generic().workspace.state
    assert other.values["y"].shape[-1] != 3
    np.testing.assert_allclose(other.values["y"].sum(axis=-1), 1)
