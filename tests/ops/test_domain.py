"""What is refused, by its whole message, and what has a limit although a formula has none."""

import numpy as np
import pytest
from op_checks import agree, dense_jacobian, identical

from jacobian_bp import ops
from jacobian_bp.errors import JacobianError

INF = np.inf
BCE, FROM_LOGITS = ops.BinaryCrossEntropy(), ops.BinaryCrossEntropyFromLogits()
CE, CE_FROM_LOGITS = ops.CrossEntropy(), ops.CrossEntropyFromLogits()
P = [0.2, 0.3, 0.5]  # of three classes, or of three yes-no questions
ROWS = [P, P]

LABEL = """\
{0}; a label of binary cross-entropy lies between 0 and 1.
  Use 0 and 1 for the two classes, or loss="squared_error" for a regression."""
MINUS_ONE = """\
{0} is -1; the labels are -1 and 1, binary cross-entropy takes 0 and 1.
  Pass (y + 1) / 2."""
PROBABILITY = """\
{0}; binary cross-entropy takes probabilities, from 0 to 1.
  Put a sigmoid in front: activations "sigmoid"."""
CLASS_PROBABILITY = """\
{0}; cross-entropy takes probabilities, from 0 to 1.
  Put a softmax in front: activations "softmax"."""
CLASS_INDEX = """\
{0}; with 3 classes an index lies from 0 to 2.
  Count classes from 0, or give the network more outputs."""
WHOLE_INDEX = """\
{0}; a class index is an integer from 0 to 2.
  Pass y.astype(int), or a row of 3 class weights."""
SOFT_LABEL = """\
{0}; a soft label lies between 0 and 1.
  Give each row weights that sum to 1."""
ROW_SUM = """\
{0}; a row of class weights sums to 1.
  Divide it by its sum; p − y is the derivative only then."""
DEAD_ROW = """\
{0}: all 3 logits are -inf, so no class has a probability.
  Leave at least one class unmasked."""
LABEL_SHAPE = """\
the labels do not have the shape of the outputs.
  {0}
  {1}
  Pass one label for each output; nothing is broadcast."""
CLASS_SHAPE = """\
y has shape {0}, the outputs have shape (2, 3).
  Pass class indices of shape (2,), or rows of shape (2, 3)."""
NO_EXAMPLES = """\
the mean of L over 0 examples is not defined.
  Pass a batch of at least one example, or use Sum."""
NO_EQUATION = """\
Einsum({0}) is not an equation of lower-case letters with '->'.
  Write it such as Einsum('ki,i->k')."""
OUTPUT_LETTERS = """\
Einsum({0}): each letter of the output {1} stands there once, and in an operand.
  Write it such as Einsum('ki,i->k')."""
BATCH_LETTER = """\
Einsum({0}): the letter n is the axis of the examples.
  Use another letter; the equation is lifted to a batch by itself."""
MANY_OPERANDS = """\
Einsum('k,k,k,k,k,k,k,k,k,k,k,k,k,k,k,k,k,k,k,k,'...) has 26 operands; at most 25 have a name.
  Split it into several ops."""
NOT_A_NUMBER = """\
{0}, not a number.
  Pass a float such as 0.0."""
SPREAD = """\
{0}: all 2 entries of {1} are {2}, so that they have no spread.
  Give an eps above 0, such as eps=1e-5."""
ALONE = """\
BatchNorm: x[:,0] has one entry, 4, which has no spread.
  Give an eps above 0, such as eps=1e-5."""
LOGARITHM = "a logarithm takes numbers above 0"
ROOT = "a square root takes numbers from 0 on"
RANGE = """\
{0}; {1}.
  Change z, or put an op in front that keeps it in that range."""
OUTSIDE = "{0} is {1}; it lies between {2} and {3}, and is finite."

REFUSED_INPUTS = [
    (BCE, [P, [0, 1.7, 1]], LABEL.format("y[1] is 1.7")),
    (FROM_LOGITS, [ROWS, [[0, 1, 1], [0, 1, np.nan]]], LABEL.format("y[1,2] is nan")),
    (BCE, [P, [1, -1, 1]], MINUS_ONE.format("y[1]")),
    (FROM_LOGITS, [ROWS, [[1, 1, 1], [1, -1, 1]]], MINUS_ONE.format("y[1,1]")),
    (BCE, [[0.2, 1.2, 0.5], [0, 1, 1]], PROBABILITY.format("a[1] is 1.2")),
    (BCE, [[0.2, 0.3, -1e-9], [0, 1, 1]], PROBABILITY.format("a[2] is -1e-09")),
    (BCE, [[0.2, np.nan, 0.5], [0, 1, 1]], PROBABILITY.format("a[1] is nan")),
    (CE, [[0.2, 1.2, 0.5], 1], CLASS_PROBABILITY.format("p[1] is 1.2")),
    (CE, [P, -1], CLASS_INDEX.format("y is -1")),
    (CE_FROM_LOGITS, [ROWS, [0, 3]], CLASS_INDEX.format("y[1] is 3")),
    (CE, [P, 1.0], WHOLE_INDEX.format("y is 1.0, of dtype float64")),
    (CE_FROM_LOGITS, [ROWS, [1.0, 2.0]], WHOLE_INDEX.format("y[0] is 1.0, of dtype float64")),
    (CE_FROM_LOGITS, [ROWS, [True, False]], WHOLE_INDEX.format("y[0] is True, of dtype bool")),
    (CE, [P, [1.5, -0.5, 0]], SOFT_LABEL.format("y[0] is 1.5")),
    (CE, [P, [0.5, 0.6, 0]], ROW_SUM.format("y sums to 1.1")),
    (CE_FROM_LOGITS, [ROWS, [P, [0.5, 0.4, 0]]], ROW_SUM.format("y[1] sums to 0.9")),
    (ops.Softmax(), [[-INF, -INF, -INF]], DEAD_ROW.format("z")),
    (ops.LogSoftmax(), [[P, [-INF, -INF, -INF]]], DEAD_ROW.format("z[1]")),
    (CE_FROM_LOGITS, [[P, [-INF, -INF, -INF]], [0, 1]], DEAD_ROW.format("z[1]")),
    (BCE, [ROWS, [0, 1]], LABEL_SHAPE.format("a has shape (2, 3)", "y has shape (2,)")),
    (FROM_LOGITS, [P, [[0, 1, 0]]], LABEL_SHAPE.format("z has shape (3,)", "y has shape (1, 3)")),
    (
        ops.SquaredError(),
        [P, [[1], [2], [3]]],
        LABEL_SHAPE.format("a has shape (3,)", "y has shape (3, 1)"),
    ),
    (CE, [ROWS, [0, 1, 2]], CLASS_SHAPE.format("(3,)")),
    (CE_FROM_LOGITS, [ROWS, [[0], [1]]], CLASS_SHAPE.format("(2, 1)")),
    (ops.Mean(), [[]], NO_EXAMPLES),
    (ops.LayerNorm(0), [[[1, 2], [3, 3]], [1, 1], [0, 0]], SPREAD.format("LayerNorm", "x[1]", 3)),
    (ops.BatchNorm(0), [[[1, 2], [3, 2]], [1, 1], [0, 0]], SPREAD.format("BatchNorm", "x[:,1]", 2)),
    (ops.BatchNorm(0), [[[4, 2]], [1, 1], [0, 0]], ALONE),
    (ops.RMSNorm(0), [[0, 0], [1, 1]], SPREAD.format("RMSNorm", "x", 0)),
    (ops.Log(), [[2.0, 0.0, -1.0]], RANGE.format("z[1] is 0", LOGARITHM)),
    (ops.Log("r,c"), [[[2.0], [-3e-9]]], RANGE.format("z[1,0] is -3e-09", LOGARITHM)),
    (
        ops.Sqrt(),
        [[0.0, -0.5]],
        RANGE.format("z[1] is -0.5", "a square root takes numbers from 0 on"),
    ),
    (
        ops.Power(0.5),
        [[0.0, -0.5]],
        RANGE.format("z[1] is -0.5", "the exponent 0.5 takes numbers from 0 on"),
    ),
    (ops.Power(-2), [[3.0, 0.0]], RANGE.format("z[1] is 0", "the exponent -2 takes no 0")),
]

REFUSED_OPTIONS = [
    *(
        (lambda text=text: ops.Einsum(text), NO_EQUATION.format(repr(text)))
        for text in ["ki,i", "ki,I->k", "k->k->k", "...k->k", ""]
    ),
    (lambda: ops.Einsum("ki->kk"), OUTPUT_LETTERS.format("'ki->kk'", "'kk'")),
    (lambda: ops.Einsum("k->j"), OUTPUT_LETTERS.format("'k->j'", "'j'")),
    (lambda: ops.Einsum("n,i->i"), BATCH_LETTER.format("'n,i->i'")),
    (lambda: ops.Einsum(",".join(["k"] * 26) + "->k"), MANY_OPERANDS),
    (lambda: ops.ReLU(at_zero=2), OUTSIDE.format("ReLU(at_zero)", 2, 0.0, 1.0)),
    (lambda: ops.ReLU(at_zero="1"), NOT_A_NUMBER.format("ReLU(at_zero) is '1'")),
    (lambda: ops.ReLU(at_zero=True), NOT_A_NUMBER.format("ReLU(at_zero) is True")),
    (lambda: ops.LeakyReLU(slope=np.nan), OUTSIDE.format("LeakyReLU(slope)", "nan", -INF, INF)),
    (
        lambda: ops.Power("2"),
        "Power(p) is '2', not a number.\n  Pass a float such as 0.0.",
    ),
    (
        lambda: ops.LeakyReLU(slope=0.2, at_zero=0.1),
        OUTSIDE.format("LeakyReLU(at_zero)", 0.1, 0.2, 1.0),
    ),
]


def admit(op, inputs):
    names = {operand.name: operand.name for operand in op.parsed.inputs}
    return op.admit(names, *map(np.asarray, inputs))


@pytest.mark.parametrize(("op", "inputs", "message"), REFUSED_INPUTS)
def test_an_input_outside_the_domain_is_refused(op, inputs, message):
    with pytest.raises(JacobianError) as caught:
        admit(op, inputs)
    assert str(caught.value) == message


@pytest.mark.parametrize(("build", "message"), REFUSED_OPTIONS)
def test_a_wrong_option_is_refused(build, message):
    with pytest.raises(JacobianError) as caught:
        build()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("op", "inputs", "wrong"),
    [
        (BCE, [[0.2, 1 + 2e-16, 0.5], [0, 1, 1]], "a[1] is 1;"),
        (BCE, [P, [0, 1 + 1e-9, 1]], "y[1] is 1;"),
        (CE, [P, [0.5, 0.500002, 0]], "sums to 1;"),
    ],
)
def test_the_value_shown_is_not_rounded_to_an_allowed_one(op, inputs, wrong):
    with pytest.raises(JacobianError) as caught:
        admit(op, inputs)
    assert wrong not in str(caught.value)


# Limits


def by_both(op, name, *inputs):
    """The value, the Jacobian, and the VJP of ones: a pair that has to agree."""
    arrays = [np.array(x, dtype=float) for x in inputs]
    value = np.asarray(op.forward(*arrays))
    pulled = op.vjp(np.ones_like(value), *arrays)[name]
    return value, dense_jacobian(op, name, arrays), pulled


def test_a_certain_and_right_probability_costs_nothing():
    """ŷ = y = 0 and ŷ = y = 1: 0 log 0 is 0, and the slopes are 1 and −1."""
    value, jacobian, pulled = by_both(BCE, "a", [0.0, 1.0], [0.0, 1.0])
    assert value == 0
    agree(jacobian, [1.0, -1.0])
    agree(pulled, [1.0, -1.0])


@pytest.mark.parametrize(("a", "y", "slope"), [(0.0, 1.0, -INF), (1.0, 0.0, INF)])
def test_a_certain_and_wrong_probability_costs_infinitely_much(a, y, slope):
    value, jacobian, pulled = by_both(BCE, "a", [a], [y])
    assert (value, jacobian.item(), pulled.item()) == (INF, slope, slope)


def test_certain_and_right_logits_cost_nothing():
    """z = −∞ for y = 0 and z = +∞ for y = 1: 0, not ∞ − ∞ and not 0 · ∞."""
    value, jacobian, pulled = by_both(FROM_LOGITS, "z", [-INF, INF], [0.0, 1.0])
    assert value == 0
    agree(jacobian, [0.0, 0.0])
    agree(pulled, [0.0, 0.0])


def test_certain_and_wrong_logits_have_slope_one():
    value, jacobian, pulled = by_both(FROM_LOGITS, "z", [-INF, INF], [1.0, 0.0])
    assert value == INF
    agree(jacobian, [-1.0, 1.0])
    agree(pulled, [-1.0, 1.0])


def test_an_impossible_class_that_is_not_the_label_costs_nothing():
    value, jacobian, pulled = by_both(CE, "p", [0.0, 1.0], [0.0, 1.0])
    assert value == 0
    agree(jacobian, [0.0, -1.0])
    agree(pulled, [0.0, -1.0])


def test_a_masked_class_has_probability_zero_and_no_slope():
    z = [-INF, 0.0, np.log(3)]
    expected = np.array([[0, 0, 0], [0, 3, -3], [0, -3, 3]]) / 16
    value, jacobian, _ = by_both(ops.Softmax(), "z", z)
    agree(value, [0.0, 0.25, 0.75])
    agree(jacobian, expected)
    value, jacobian, pulled = by_both(CE_FROM_LOGITS, "z", z, [0.0, 1.0, 0.0])
    agree(value, np.log(4))
    agree(jacobian, [0.0, -0.75, 0.75])
    agree(pulled, [0.0, -0.75, 0.75])


@pytest.mark.parametrize("op", [ops.ReLU(), ops.LeakyReLU(slope=0.5)], ids=lambda op: op.name)
def test_minus_zero_is_zero(op):
    for of_minus_zero, of_zero in zip(
        by_both(op, "z", [-0.0]), by_both(op, "z", [0.0]), strict=True
    ):
        identical(of_minus_zero, of_zero)
    identical(op.forward(np.array([-0.0])), np.array([0.0]))


@pytest.mark.parametrize(
    ("op", "slope"),
    [
        (ops.ReLU(), 0.0),
        (ops.ReLU(at_zero=0.5), 0.5),
        (ops.ReLU(at_zero=1), 1.0),
        (ops.LeakyReLU(slope=0.25), 0.25),
        (ops.LeakyReLU(slope=0.25, at_zero=0.5), 0.5),
    ],
)
def test_at_a_kink_both_routes_take_the_chosen_slope(op, slope):
    z = [-1.0, 0.0, -0.0, 1.0]
    left = getattr(op, "slope", 0.0)
    _, jacobian, pulled = by_both(op, "z", z)
    identical(jacobian, np.diag([left, slope, slope, 1.0]))
    identical(pulled, np.array([left, slope, slope, 1.0]))
