"""Programs as text: what is read as a step, and what is refused without being executed."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, DomainError, Network, Op, SpecError, delta
from jacobian_bp.program.program_text import OPS, SEVERAL

X = np.array([0.5, -1.25, 2.0])
STEP = "  Write it such as z1 = Linear(x, W1, b1)."
ALL = f"  The ops are {', '.join({**OPS, **SEVERAL})}."


class Shift(Op):
    """A caller's own op: z = a + 3."""

    signature = "a[k] -> z[k]"

    def forward(self, a):
        return a + 3

    def jacobians(self, a):
        return {"a": delta("k,k'")}

    def vjp(self, z_bar, a):
        return {"a": z_bar + 0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("z = ReLU(x)", np.maximum(X, 0)),
        ("  z=LeakyReLU( x , slope=0.25 )  ", np.where(X > 0, X, X / 4)),
        ("# two steps\n\nu = Add(x, x)\nz = Multiply(u, x)", 2 * X * X),
        ("z = Einsum('i,i->', x, x)", X @ X),
        ("z = Shift(x)", X + 3),
    ],
)
def test_a_step_as_people_write_it_is_read(text, value):
    np.testing.assert_allclose(Network.program(text, ops={"Shift": Shift})(X), value, rtol=1e-15)


def test_an_op_made_already_is_read_by_its_name():
    net = Network.program("u = Mine(x)", "z = Mine(u)", ops={"Mine": Shift()})
    assert net.steps == ("u = Shift(x)", "z = Shift(u)")
    np.testing.assert_array_equal(net(X), X + 6)


NOT_A_STEP = [
    "x",
    "z = x",
    '__import__("os").system("x")',
    'z = __import__("os").system("x")',
    "z = x.__class__(x)",
    "z = (lambda: x)()",
    "z = Sigmoid(x) + 1",
    "z, w = Sigmoid(x)",
    "z[0] = Sigmoid(x)",
    "import os",
    "z: int = Sigmoid(x)",
]
NOT_NAMES = ["Sigmoid(x[0])", "Sigmoid(x.T)", "Sigmoid(Tanh(x))", "Sigmoid(*x)", "Sigmoid(-x)"]
NOT_PYTHON = ["z = Sigmoid(x", "for = Sigmoid(x)", "{0.__class__}%s%n = 1 2", "z = " + 250 * "("]
TWO_STEPS = "z = Sigmoid(x); w = Tanh(x)"


@pytest.mark.parametrize("text", NOT_A_STEP)
def test_what_is_no_step_is_refused(text):
    message = f"line 1: {text!r} is not of the form name = Op(names).\n{STEP}"
    assert refusal(SpecError, Network.program, text) == message


@pytest.mark.parametrize("call", NOT_NAMES)
def test_an_op_reads_names_only(call):
    message = f"line 1: {f'z = {call}'!r}: an op reads names, nothing else.\n{STEP}"
    assert refusal(SpecError, Network.program, f"z = {call}") == message


@pytest.mark.parametrize("text", NOT_PYTHON)
def test_what_python_cannot_read_is_refused(text):
    message = f"line 1: {text[:60]!r} cannot be read as a step: SyntaxError.\n{STEP}"
    assert refusal(SpecError, Network.program, text) == message


@pytest.mark.parametrize(
    "text",
    [
        "z = " + "-" * 9_000 + "x",
        "z = Sigmoid(" + "Sigmoid(" * 900 + "x" + ")" * 901,
        "z = Sigmoid(x, axes=" + "[" * 150 + "]" * 150 + ")",
        "z = Sigmoid(x, axes=" + "-" * 5_000 + "1)",
        "z = x" + ".x" * 4_000 + "()",
    ],
    ids=["minus signs", "calls", "lists", "signs in an option", "attributes"],
)
def test_deep_nesting_is_refused_like_any_other_text(text):
    assert refusal(SpecError, Network.program, text).startswith(f"line 1: {text[:60]!r}")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("z = Lnear(x)", SpecError, f"no op is named Lnear. Did you mean Linear?\n{ALL}"),
        ("z = Op(x)", SpecError, f"no op is named Op.\n{ALL}"),
        ("z = eval(x)", SpecError, f"no op is named eval.\n{ALL}"),
        (
            "z = ReLU(x, at_zero=abs)",
            SpecError,
            "an option is a number, a string, None, or numbers in parentheses.\n"
            "  Write it such as slope=0.1.",
        ),
        ("z = Sigmoid(x, **x)", SpecError, f"an op reads names, nothing else.\n{STEP}"),
    ],
)
def test_the_line_is_shown(text, error, message):
    assert refusal(error, Network.program, text) == f"line 1: {text!r}: {message}"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "",
            SpecError,
            "the program has no steps.\n  Write at least one: z = Linear(x, W, b).",
        ),
        (
            "z = " + "x" * 10_000,
            SpecError,
            f"line 1: {('z = ' + 'x' * 56)!r} … is 10,004 characters long; at most 10,000.",
        ),
        (
            "z = Sigmoid(x, y)",
            SpecError,
            "Sigmoid 'z' reads 1 value, z[k] -> a[k]; it is given 2: x, y.\n"
            "  Write z = Sigmoid(x), without y.",
        ),
        (
            "a = Sigmoid(b)\nb = Tanh(x)",
            SpecError,
            "Sigmoid 'a' reads b, which is computed by this step or a later one.\n"
            "  Write the steps in the order in which they are computed.",
        ),
        (
            "a = Sigmoid(x)\na = Tanh(x)",
            SpecError,
            "two values are named a: a = Tanh(x) and a = Sigmoid(x).\n"
            "  Give each value a name of its own.",
        ),
        (
            "y = Sigmoid(x)\np = Softmax(x)\nL = CrossEntropy(p, y)",
            SpecError,
            "CrossEntropy 'L': y is a label, by which nothing is differentiated, but y is computed."
            "\n  Pass the labels as an input of the network, such as y.",
        ),
        (
            "z = ReLU(x, at_zero=2)",
            DomainError,
            "ReLU(at_zero) is 2; it lies between 0.0 and 1.0, and is finite.",
        ),
        (
            "z = Sigmoid(x, axes='3')",
            AxisError,
            "Sigmoid(axes='3'): '3' is not an axis name.\n"
            "  An axis is a word such as k or unit, with a prime for the variable's own: k'.",
        ),
    ],
    ids=range(8),
)
def test_a_wrong_text_is_refused_with_its_step(text, error, message):
    assert refusal(error, Network.program, text) == message


def test_a_parameter_that_no_step_reads_is_refused():
    message = "no step reads the parameter W, b.\n  The steps read x."
    params = {"W": np.ones((2, 3)), "b": X}
    assert refusal(SpecError, Network.program, "z = ReLU(x)", params=params) == message


def test_a_parameter_is_not_computed():
    message = "two values are named W: W = ReLU(x) and a parameter.\n"
    message += "  Give each value a name of its own."
    assert refusal(SpecError, Network.program, "W = ReLU(x)", params={"W": X}) == message


def test_control_characters_are_shown_escaped_once():
    message = f"line 1: '\\x1b[31m' cannot be read as a step: SyntaxError.\n{STEP}"
    assert refusal(SpecError, Network.program, "\x1b[31m") == message


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (int, "ops['Mine'] is the class int, not an Op.\n  Derive it from jacobian_bp.Op."),
        (3, "ops['Mine'] is an int, not an Op.\n  Derive it from jacobian_bp.Op."),
        (
            Op,
            "ops['Mine']: Op has no signature.\n"
            '  Write it in the class, such as signature = "a[i], W[k,i] -> z[k]".',
        ),
    ],
)
def test_what_is_no_op_is_refused(op, message):
    assert refusal(SpecError, Network.program, "z = Mine(x)", ops={"Mine": op}) == message


def test_a_reduction_of_one_number_names_the_axis_that_is_missing():
    net = Network.program("J = Mean(L)")
    message = "Mean 'J': L has shape (), 0 axes; L[n] has 1 axis.\n  Pass L with the axes L[n]."
    assert refusal(AxisError, net.run, L=2.5) == message
    assert net.run(L=[2.5, 4.5]).loss == 3.5
