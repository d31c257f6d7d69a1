"""Ops of one's own with options, wherever an op is given; and what is said when they do not fit."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import JacobianError, Network, Op, SpecError, check_op, delta, dense

X, Y = np.array([0.5, 1.25, 2.0]), np.array([1.0, 0.25, 3.0])


class Power(Op):
    """An op that is nothing without its option."""

    signature = "a[k] -> z[k]"

    def __init__(self, power, scale=1.0):
        self.power, self.scale = power, scale

    def forward(self, a):
        return self.scale * a**self.power

    def jacobians(self, a):
        slope = self.scale * self.power * a ** (self.power - 1)
        return {"a": delta("k,k'") * dense("slope[k]", slope)}

    def vjp(self, bar, a):
        return {"a": bar * self.power * self.forward(a) / a}


class Late(Power):
    """Its default is refused by itself: the class is given, and the options where it is used."""

    def __init__(self, power=None):
        if power is None:
            raise ValueError("which power?")
        super().__init__(power)


class Axes(Power):
    """The signature follows from an option."""

    signature = None

    def __init__(self, axes):
        super().__init__(2)
        self.signature = f"a[{axes}] -> z[{axes}]"


@pytest.mark.parametrize(
    ("text", "own", "value"),
    [
        ("z = Power(x, 3)", Power, X**3),
        ("z = Power(3, x)", Power, X**3),
        ("z = Power(x, power=3)", Power, X**3),
        ("z = Power(x, 3, scale=-0.5)", Power, -0.5 * X**3),
        ("z = Power(x, -2)", Power, X**-2),
        ("z = Power(x)", Power(3), X**3),
        ("z = Power(x, 3)", Late, X**3),
        ("z = Power(x, 'unit')", Axes, X**2),
        ("u = Power(x, 2)\nz = Power(u, 3)", Power, X**6),
        ("u = Power(x)\nz = ReLU(u, at_zero=0.5)", Power(3), X**3),
    ],
)
def test_options_stand_in_the_text_or_in_the_op_that_is_given(text, own, value):
    net = Network.program(text, ops={"Power": own})
    np.testing.assert_allclose(net(X), value, rtol=1e-14)


def test_an_activation_with_options_is_given_made():
    net = Network.dense([3, 3], "cube", ops={"cube": Power(3)}, seed=2)
    run = net.run(X, Y)
    np.testing.assert_allclose(run["a1"], run["z1"] ** 3)
    assert run.check().ok
    assert check_op(Power(3), {"a": X}).ok
    assert not check_op(type("Wrong", (Power,), {"vjp": lambda *_: {"a": X}})(3), {"a": X}).ok


LINE = "line 1: {!r}: "
NONE = "Power(power, scale=1.0) is called with no options: missing a required argument: 'power'.\n"
BEHIND = "  Write its options behind the names that it reads: z = Power(x, power=…)."
MADE = "  Give the op made, with its options: Power(power=…)."
PLAIN_NOT = "an option is a plain number or string, not "
PLAIN = "an option is a number, a string, None, or numbers in parentheses.\n"
OPTIONAL = "  Give the op made, ops={'Power': Power(…)}, and leave the option out here."


@pytest.mark.parametrize(
    ("text", "own", "message"),
    [
        ("z = Power(x)", Power, NONE + BEHIND),
        (
            "z = Power(x, 1, 2, 3)",
            Power,
            "Power(power, scale=1.0) is called with 1, 2, 3: too many positional arguments.\n"
            "  Leave out what it does not take: z = Power(x, 1, 2).",
        ),
        (
            "z = Power(x, 2, size=4)",
            Power,
            "Power(power, scale=1.0) is called with 2, size=4: "
            "got an unexpected keyword argument 'size'.\n"
            "  Leave out what it does not take: z = Power(x, 2).",
        ),
        (
            "z = Power(x, 2, power=3)",
            Power,
            "Power(power, scale=1.0) is called with 2, power=3: "
            "multiple values for argument 'power'.\n"
            "  Leave out what it does not take: z = Power(x, 2).",
        ),
        (
            "z = Power(x, scale=4)",
            Power,
            "Power(power, scale=1.0) is called with scale=4: "
            "missing a required argument: 'power'.\n"
            "  Write its options behind the names that it reads: z = Power(x, scale=4, power=…).",
        ),
        (
            "z = Power(x, 1/2)",
            Power,
            PLAIN_NOT + "1/2.\n  Write the number itself: z = Power(x, 0.5).",
        ),
        (
            "z = Power(2*3-1, x, scale=-(1/4))",
            Power,
            PLAIN_NOT + "2*3-1.\n  Write the number itself: z = Power(5, x, scale=-0.25).",
        ),
        (
            "z = Power(x, scale=1/0)",
            Power,
            PLAIN_NOT + "1/0.\n  Write the number or string itself.",
        ),
        (
            "z = Power(x, 1/2, 2**0.5)",
            Power,
            PLAIN_NOT + "1/2.\n  Write the number or string itself.",
        ),
        (
            "z = Power(x, 3)",
            Power(3),
            "Power is an op that is made already; it takes no options.\n"
            "  Leave them out, or give the class: ops={'Power': Power}.",
        ),
        ("z = Power(x, [1, 2])", Power, PLAIN + OPTIONAL),
        ("z = Power(x, power={})", Power, PLAIN + OPTIONAL),
        (
            "z = Power(x)",
            Late,
            "Late(power=None) raises ValueError: which power?.\n"
            "  Mend Late.__init__, or its options.",
        ),
        ("z = Sigmoid(x, b'r')", Power, PLAIN + "  Write it such as slope=0.1."),
        (
            "z = Linear(x, W, b, 3)",
            Power,
            "Linear() is called with 3: too many positional arguments.\n"
            "  Leave out what it does not take: z = Linear(x, W, b).",
        ),
        (
            "z = Einsum(x)",
            Power,
            "Einsum(equation) is called with no options: missing a required argument: 'equation'.\n"
            "  Write its options behind the names that it reads: z = Einsum(x, equation=…).",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused_with_the_line(text, own, message):
    found = refusal(SpecError, Network.program, text, ops={"Power": own})
    assert found == LINE.format(text) + message


def test_the_advice_for_options_works():
    """Each is what a message above says to write."""
    for text, own in [
        ("z = Power(x, power=2)", Power),
        ("z = Power(x)", Power(2)),
        ("z = Power(x, 1, 2)", Power),
        ("z = Power(x, scale=4, power=2)", Power),
        ("z = Power(x, 0.5)", Power),
        ("z = Power(5, x, scale=-0.25)", Power),
        ("z = Einsum(x, equation='i->i')", Power),
    ]:
        assert Network.program(text, ops={"Power": own})(X).shape == (3,)


def test_a_class_without_its_options_is_refused_wherever_no_options_can_stand():
    assert refusal(SpecError, check_op, Power, {"a": X}) == f"op: {NONE}{MADE}"
    text = refusal(SpecError, Network.dense, [3, 3], "cube", ops={"cube": Power})
    assert text == f"the activation of layer 1: {NONE}{MADE}"


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        ([Power], "ops is a list, not a mapping of names to ops."),
        ({3: Power}, "ops has the name 3, which is not a string."),
    ],
)
def test_ops_are_named(ops, message):
    for call in (Network.program, lambda *_, ops: Network.dense([3, 3], ops=ops)):
        text = refusal(SpecError, call, "z = ReLU(x)", ops=ops)
        assert text == f'{message}\n  Write ops={{"Scale": Scale}}.'


# ---------------------------------------------------------------- a method that is missing

WRITE = {
    "forward": "def forward(self, a), which returns z",
    "jacobians": 'def jacobians(self, a), which returns {"a": …}, products of deltas and factors',
    "vjp": 'def vjp(self, bar, a), which returns {"a": …}, each in the shape of its input',
}


def without(method):
    """Power, one method of it not written."""
    kept = {n: vars(Power)[n] for n in ("signature", "__init__", *WRITE) if n != method}
    return type("Unfinished", (Op,), kept)(3)


@pytest.mark.parametrize("method", WRITE)
def test_a_method_that_is_missing_is_named_and_called_no_mistake(method):
    op = without(method)
    message = f"Unfinished has no {method}.\n  Write {WRITE[method]}."
    assert op.undefined() == (method,)
    assert refusal(JacobianError, check_op, op, {"a": X}) == message
    net = Network.program(
        "z = P(x)", "u = Multiply(z, w)", "J = SquaredError(u, y)", params={"w": Y}, ops={"P": op}
    )
    if method == "forward":
        assert refusal(JacobianError, net.run, X, Y) == message
        return
    assert net.run(X, Y).check().ok  # no gradient is taken through it
    report = (
        Network.program("z = P(w)", "J = SquaredError(z, y)", params={"w": X}, ops={"P": op})
        .run(y=Y)
        .check()
    )
    assert not report.ok
    assert report.text() == f"the routes cannot be compared: {message}"
    assert "DISAGREE" not in report._repr_html_()


@pytest.mark.parametrize(("method", "route"), [("vjp", "vjp"), ("jacobians", "full")])
def test_the_other_route_does_without_it(method, route):
    op = without(method)
    net = Network.program("z = P(w)", "J = SquaredError(z, y)", params={"w": X}, ops={"P": op})
    run, other = net.run(y=Y), {"vjp": "full", "full": "vjp"}[route]
    message = f"Unfinished has no {method}.\n  Write {WRITE[method]}."
    assert refusal(JacobianError, run.gradients, route) == message
    np.testing.assert_allclose(run.gradients(other)["w"], 2 * (X**3 - Y) * 3 * X**2)
