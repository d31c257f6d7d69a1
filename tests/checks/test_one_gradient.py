"""check_gradient says yes to every right gradient, and names what is wrong with a wrong one."""

import warnings

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, DomainError, SpecError, check_gradient
from jacobian_bp.checks.function_slopes import NARROWER, FunctionSlopes, Slope

RNG = np.random.default_rng(31)
X = RNG.standard_normal(7)
W, V = RNG.standard_normal((3, 5)), RNG.standard_normal((5, 5))
DATA, TARGET = RNG.standard_normal((7, 5)), RNG.standard_normal((7, 3))
LAYER = {"W": W, "b": RNG.standard_normal(3)}


def square(x):
    return (x**2).sum()


def twice(x):
    return 2 * x


def layer(p):
    """The mean squared error of a layer."""
    return ((DATA @ p["W"].T + p["b"] - TARGET) ** 2).sum() / 7


def of_layer(p):
    z_bar = 2 * (DATA @ p["W"].T + p["b"] - TARGET) / 7
    return {"W": z_bar.T @ DATA, "b": z_bar.sum(axis=0)}


def wrong(factor, name):
    def gradient(p):
        return {**of_layer(p), name: factor * of_layer(p)[name]}

    return gradient


def rectified(x):
    return np.maximum(x, 0).sum()


# ---------------------------------------------------------------- right gradients


@pytest.mark.parametrize("scale", [1e-150, 1e-20, 1e-8, 1.0, 1e8, 1e20, 1e100])
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: (np.tanh(x) ** 2).sum(), lambda x: 2 * np.tanh(x) / np.cosh(x) ** 2),
        (lambda x: (1 / x).sum(), lambda x: -1 / x**2),
        (lambda x: np.exp(-(x**2)).sum(), lambda x: -2 * x * np.exp(-(x**2))),
    ],
)
def test_the_scale_of_x_does_not_matter(f, slope, scale):
    """…and one entry off by a thousandth is found at every scale."""
    point, spoilt = X * scale, np.ones(7)
    spoilt[3] = 1.001

    def stretched(x):
        return f(x / scale)

    assert check_gradient(stretched, lambda x: slope(x / scale) / scale, point).ok
    report = check_gradient(stretched, lambda x: spoilt * slope(x / scale) / scale, point)
    assert report.findings[0].entry == "∂f/∂x[3]"
    assert report.findings[0].count == "1 of 7 entries differ"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_right_gradient_of_one_array_and_of_several(dtype):
    assert check_gradient(square, twice, X.astype(dtype)).ok
    narrow = {name: array.astype(dtype) for name, array in LAYER.items()}
    report = check_gradient(layer, of_layer, narrow)
    assert report.ok, str(report)
    assert check_gradient(layer, of_layer(narrow), narrow).ok
    assert not check_gradient(layer, wrong(1.01, "b"), narrow).ok


def test_the_report_of_a_right_gradient():
    report = check_gradient(layer, of_layer, LAYER)
    assert str(report) == (
        "layer: gradient and finite differences agree\n"
        "  ∂f/∂W (3, 5): finite differences differ by less than 1e-08\n"
        "  ∂f/∂b (3,): finite differences differ by less than 1e-08"
    )
    assert report.text(ascii_only=True).isascii()
    assert repr(report) == "<GradientReport on layer: gradient and finite differences agree>"


@pytest.mark.parametrize("rate", [1e2, 1e4, 1e6])
def test_a_function_of_many_periods_is_judged_by_narrow_steps(rate):
    report = check_gradient(lambda x: np.sin(rate * x).sum(), lambda x: rate * np.cos(rate * x), X)
    assert report.ok, str(report)
    off = np.where(X[4] == X, 1.001, 1.0)
    wrong_slope = check_gradient(
        lambda x: np.sin(rate * x).sum(), lambda x: off * rate * np.cos(rate * x), X
    )
    assert wrong_slope.findings[0].count == "1 of 7 entries differ"


S = Slope
NARROWER_STEPS = [  # after a slope of 5 that is in doubt by 1/2
    ("surely another slope, though in more doubt", [S(9.0, 0.8)], S(9.0, 0.8)),
    ("another slope that is not sure", [S(10.0, 1.0)], S(5.0, 0.5)),
    ("as far as the doubts reach", [S(6.0, 0.5)], S(5.0, 0.5)),
    ("beyond either doubt, not beyond both", [S(6.0, 0.55)], S(5.0, 0.5)),
    ("surely the same slope in more doubt", [S(5.5, 0.54)], S(5.0, 0.5)),
    ("the other sign", [S(-6.0, 0.55)], S(-6.0, 0.55)),
    ("the same slope, less doubt", [S(5.1, 0.4)], S(5.1, 0.4)),
    ("another one as doubtful", [S(1.0, 0.5)], S(5.0, 0.5)),
    ("a kink", [S(5.1, 0.4), S(7.0, 0.6, (6.0, 8.0)), S(8.0, 0.1)], S(7.0, 0.6, (6.0, 8.0))),
]


@pytest.mark.parametrize(
    ("steps", "told"),
    [case[1:] for case in NARROWER_STEPS],
    ids=[case[0] for case in NARROWER_STEPS],
)
def test_a_narrower_step_tells_the_slope_where_it_is_sure_and_apart(steps, told, monkeypatch):
    """It has to be beyond both doubts and sure by itself, or in less doubt than what is there."""
    widths = []

    def by_step(self, name, index, h):
        widths.append(h)
        return steps[len(widths) - 1], len(widths) < len(steps)

    monkeypatch.setattr(FunctionSlopes, "_by_step", by_step)
    slopes = FunctionSlopes(lambda values: 1.0, {"x": np.ones(1)})
    assert slopes._narrower("x", (0,), Slope(5.0, 0.5), 1.0) == told
    narrowed = [NARROWER**-n for n in range(1, len(steps) + 1)]
    assert widths == narrowed[: 2 if told.kink else len(steps)]


def test_a_value_near_the_largest_float_leaves_its_digits():
    report = check_gradient(lambda x: np.exp(x).sum(), np.exp, [350.0, 690.0, 1.5])
    assert report.compared == 1  # beside e^690 all else is noise
    assert str(report).endswith(
        "; 2 entries are smaller than the noise of f, and could not be seen"
    )
    assert not check_gradient(lambda x: np.exp(x).sum(), lambda x: 1.01 * np.exp(x), [690.0]).ok


def test_a_number_is_an_x():
    assert check_gradient(lambda x: x**3, lambda x: 3 * x**2, 1.5).ok
    assert not check_gradient(lambda x: x**3, 6.0, 1.5).ok


def test_a_tiny_entry_beside_large_ones_is_judged():
    mixed = [1e-20, 1.0, 2.0, 0.0]
    assert check_gradient(square, twice, mixed).ok
    report = check_gradient(square, lambda x: 2 * x + 1e-8, mixed)
    assert report.findings[0].count == "2 of 4 entries differ"  # beside 2 and 4 1e-8 is rounding


def test_a_function_that_computes_in_float32_is_judged_by_the_digits_that_it_has():
    def narrow(x):
        return np.float32((x.astype(np.float32) ** 2).sum())

    report = check_gradient(narrow, twice, X)
    assert report.ok
    assert "noise of f leaves them about" in str(report)
    assert not check_gradient(narrow, lambda x: 2.1 * x, X).ok


def test_what_cannot_be_seen_is_said_and_is_not_ok():
    report = check_gradient(lambda x: 1e16 + square(x), twice, X)
    assert not report.ok
    assert str(report) == (
        "f: nothing could be compared\n"
        "  ∂f/∂x (7,): 7 entries are smaller than the noise of f, and could not be seen"
    )


def test_an_f_that_ends_beside_an_entry_is_said():
    report = check_gradient(lambda x: (x * np.sqrt(x)).sum(), lambda x: 1.5 * np.sqrt(x), [0, 2.0])
    assert report.ok
    assert str(report).endswith("; f has no value beside 1 entry, which could not be judged")


def test_of_very_many_entries_evenly_spaced_ones_are_compared():
    many = RNG.standard_normal((53, 41))
    report = check_gradient(square, twice, many)
    assert report.ok
    assert str(report).endswith("; 725 of 2,173 entries were compared")
    assert report.compared == 725
    spoilt = 2 * many
    spoilt[50] = 0
    assert not check_gradient(square, spoilt, many).ok
    assert check_gradient(square, twice, many, entries=2173).compared == 2173


# ---------------------------------------------------------------- kinks


@pytest.mark.parametrize("at_zero", [0, 0.25, 0.5, 1])
def test_a_kink_is_a_kink_and_not_an_error(at_zero):
    def slope(x):
        return np.where(x == 0, at_zero, x > 0)

    report = check_gradient(rectified, slope, [0.0, -0.0, 1.5, -2.0, 1e-5, -1e-9])
    assert report.ok
    assert str(report).endswith("; 2 entries sit on a kink")


@pytest.mark.parametrize("at_zero", [-0.5, 1.5])
def test_a_slope_outside_of_a_kink_is_wrong(at_zero):
    report = check_gradient(rectified, lambda x: np.where(x == 0, at_zero, x > 0), [0.0, 1.5, -2.0])
    (finding,) = report.findings
    assert finding.entry == "∂f/∂x[0]"
    assert finding.values == (
        ("gradient", at_zero),
        ("finite differences to one side", 0.0),
        ("to the other", pytest.approx(1.0)),
    )


@pytest.mark.parametrize("distance", [1e-2, 1e-4, 1e-6])
def test_a_wrong_slope_near_a_kink_is_caught(distance):
    def bent(x):
        return abs(x - 1).sum()

    x = 1 + distance * np.array([1.0, -1.0, 2.0])
    assert check_gradient(bent, lambda x: np.sign(x - 1), x).ok
    assert not check_gradient(bent, lambda x: -np.sign(x - 1), x).ok
    assert not check_gradient(bent, lambda x: 0.9 * np.sign(x - 1), x).ok


def test_a_steep_bend_is_no_kink():
    def bend(x):
        return np.logaddexp(0, 1e5 * x).sum()

    def slope(x):
        return 1e5 / (1 + np.exp(-1e5 * x))

    assert check_gradient(bend, slope, [0.0, 1.0]).ok
    assert not check_gradient(bend, lambda x: 0.9 * slope(x), [0.0, 1.0]).ok


# ---------------------------------------------------------------- wrong gradients


@pytest.mark.parametrize(
    ("gradient", "pattern"),
    [
        (
            wrong(7, "W"),
            "every entry is 7 times the right one: the mean over 7 examples, 1/7, is missing",
        ),
        (
            wrong(1 / 7, "W"),
            "every entry is 0.14285714 times the right one, 1/7: "
            "the mean over 7 examples was taken once too often",
        ),
        (wrong(0.5, "W"), "every entry is 0.5 times the right one"),
        (wrong(-1, "W"), "every entry has the opposite sign"),
        (wrong(0, "W"), "every entry is 0"),
        (wrong(np.array([[1.0], [2.0], [1.0]]), "W"), "only row 1 differs"),
        (wrong(np.array([1.0, 2.0, 1.0, 3.0, 1.0]), "W"), "only columns 1, 3 differ"),
    ],
)
def test_the_pattern_of_a_mistake_is_named(gradient, pattern):
    report = check_gradient(layer, gradient, LAYER, examples=7)
    (finding,) = report.findings
    assert (finding.input, finding.wrong, finding.pattern) == ("W", "gradient is wrong", pattern)
    assert [line.partition(":")[0] for line in report.lines] == ["∂f/∂b (3,)"]


def test_the_report_of_a_wrong_gradient():
    def swapped(W):
        return np.outer(X[:5], X[2:7])

    report = check_gradient(lambda V: X[2:7] @ V @ X[:5], swapped, V)
    (finding,) = report.findings
    at = tuple(map(int, finding.entry.removeprefix("∂f/∂x[").rstrip("]").split(",")))
    right = np.outer(X[2:7], X[:5])
    assert finding.values[0] == ("gradient", swapped(V)[at])
    assert finding.values[1] == ("finite differences", pytest.approx(right[at], rel=1e-8))
    assert str(report).splitlines()[0] == "f: WRONG"
    assert str(report).splitlines()[2:] == [
        "    gradient is wrong; 20 of 25 entries differ",
        "    axes 0 and 1 are exchanged: a factor is transposed",
    ]


@pytest.mark.parametrize(
    ("gradient", "text"),
    [
        (
            lambda p: {**of_layer(p), "W": of_layer(p)["W"].T},
            "∂f/∂W: gradient has shape (5, 3), W has shape (3, 5)\n"
            "    it looks transposed: a gradient has the shape of its variable",
        ),
        (
            lambda p: {**of_layer(p), "b": 2 * (DATA @ p["W"].T + p["b"] - TARGET) / 7},
            "∂f/∂b: gradient has shape (7, 3), b has shape (3,)\n"
            "    the examples are not summed: sum over axis 0",
        ),
        (
            lambda p: {**of_layer(p), "W": of_layer(p)["W"].ravel()},
            "∂f/∂W: gradient has shape (15,), W has shape (3, 5)\n"
            "    give it the shape of its variable: .reshape((3, 5))",
        ),
        (
            lambda p: {"W": of_layer(p)["W"]},
            "∂f/∂b: gradient gives nothing for b; it gives W",
        ),
        (lambda p: {**of_layer(p), "c": 0.0}, "gradient has c; x has W, b"),
        (lambda p: of_layer(p)["Q"], "gradient() raises KeyError: 'Q'"),
        (
            lambda p: of_layer(p)["W"],
            'gradient is an ndarray; x is a dict\n    give a dict such as {"W": …}, '
            "an array for each name",
        ),
        (
            lambda p: [p["W"].fill(3), of_layer(p)][1],
            "gradient() changes its input: {entry} was {was}, and is 3 after the call.\n"
            "    Let it work on a copy: W.copy().",
        ),
    ],
)
def test_a_gradient_of_no_use_is_named(gradient, text):
    report = check_gradient(layer, gradient, LAYER)
    assert not report.ok
    was = f"{W[0, 0]:.6g}"
    expected = text.format(entry="W[0,0]", was=was) if "{was}" in text else text
    assert [str(finding) for finding in report.findings] == [expected]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_wrong(bad):
    report = check_gradient(square, lambda x: np.where(x == X[2], bad, 2 * x), X)
    assert str(report) == (
        f"square: WRONG\n  ∂f/∂x[2]: gradient {bad}, finite differences {2 * X[2]:.10g}\n"
        "    gradient is not finite; 1 of 7 entries differ"
    )


# ---------------------------------------------------------------- an f of no use


def changes(x):
    x[1] = 5
    return x.sum()


def raises(x):
    raise KeyError("weights")


CALLS = iter(range(100))


@pytest.mark.parametrize(
    ("f", "kind", "message"),
    [
        (
            3.0,
            SpecError,
            "f is a float, not a function.\n"
            "  Pass the function itself, f, and not its value, f(x).",
        ),
        (
            lambda x: x**2,
            AxisError,
            "f gives an array of shape (3,); a gradient is that of one number.\n  Return its sum; "
            "taylor_test(f, x, jacobian) judges a Jacobian of several.",
        ),
        (
            lambda x: x[:1],
            AxisError,
            "f gives an array of shape (1,); a gradient is that of one number.\n  Return f(x)[0].",
        ),
        (
            lambda x: x[None, :1],
            AxisError,
            "f gives an array of shape (1, 1); a gradient is that of one number.\n"
            "  Return f(x).item().",
        ),
        (
            raises,
            DomainError,
            "f raises KeyError: 'weights'\n  It is called as f(x), where x is an array; "
            "mend it so that f(x) gives a number.",
        ),
        (
            lambda x: np.log(x).sum(),
            DomainError,
            "f is nan at x.\n  Choose an x at which f is a finite number.",
        ),
        (lambda x: None, SpecError, "f gives None, not a number.\n  Let it return its value."),
        (
            changes,
            DomainError,
            "f changes its input: x[1] was -2, and is 5 after the call.\n"
            "  Let it work on a copy: x.copy().",
        ),
        (
            lambda x: float(next(CALLS)),
            DomainError,
            "f gives two values at one x: 0.0, then 1.0.\n"
            "  Let it depend on x alone: draw random numbers once, outside of f.",
        ),
        (
            lambda x: 1j * x.sum(),
            DomainError,
            "f(x) has dtype complex128, which holds complex numbers: "
            "pass np.real(f(x)) and np.imag(f(x)) as two inputs.",
        ),
    ],
)
def test_an_f_of_no_use_is_refused(f, kind, message):
    assert refusal(kind, lambda: check_gradient(f, twice, [1.0, -2.0, 3.0])) == message


@pytest.mark.parametrize(
    ("x", "options", "kind", "message"),
    [
        ([], {}, DomainError, "x has no entry to differentiate by.\n  Pass at least one number."),
        ({}, {}, DomainError, "x has no entry to differentiate by.\n  Pass at least one number."),
        (
            [1.0, np.nan],
            {},
            DomainError,
            "x[1] is nan; 1 of 2 entries of x are not finite.\n"
            "  Choose a point at which f and its gradient are finite.",
        ),
        (
            {3: [1.0]},
            {},
            SpecError,
            'x has a name that is no text.\n  Write such as {"W": W, "b": b}.',
        ),
        (
            [1.0],
            {"entries": 0},
            SpecError,
            "entries is 0.\n  Write how many entries are compared at most, "
            "a whole number from 1 up.",
        ),
        (
            [1.0],
            {"examples": 2.5},
            SpecError,
            "examples is 2.5.\n  Write the m of a mean over m examples, a whole number from 1 up.",
        ),
    ],
)
def test_an_x_of_no_use_is_refused(x, options, kind, message):
    assert refusal(kind, lambda: check_gradient(square, twice, x, **options)) == message


def test_nothing_is_changed_and_two_calls_give_the_same():
    x, given = X.copy(), 2 * X
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        before = np.geterr()
        first, second = (check_gradient(square, given, x) for _ in range(2))
        assert np.geterr() == before
    assert first == second
    assert (x == X).all()
    assert (given == 2 * X).all()


ENDLESS = [
    (lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x)),
    (lambda x: np.sum(x**0.75), lambda x: 0.75 * x**-0.25),
    (
        lambda x: np.sum(np.sqrt(np.abs(x))),
        lambda x: np.where(x == 0, np.inf, 0.5 / np.sqrt(np.abs(x))),
    ),
]


@pytest.mark.parametrize(("f", "gradient"), ENDLESS)
def test_a_slope_that_is_infinite_by_right_is_said_and_not_judged(f, gradient):
    x = np.array([0.0, 4.0])
    report = check_gradient(f, gradient, x)
    assert report.ok, str(report)
    assert str(report).endswith("; ∂f/∂x[0] is infinite here: it is not judged")
    (finding,) = check_gradient(f, lambda x: gradient(x) * [1, 1.01], x).findings  # beside it
    assert (finding.entry, finding.wrong) == ("∂f/∂x[1]", "gradient is wrong")
    assert not check_gradient(f, lambda x: -gradient(x), x).ok


def test_a_gradient_that_is_infinite_by_mistake_is_wrong():
    slope = lambda x: np.where(x == 0, np.inf, np.cos(x))  # noqa: E731
    (finding,) = check_gradient(lambda x: np.sum(np.sin(x)), slope, np.array([0.0, 4.0])).findings
    assert (finding.entry, finding.wrong) == ("∂f/∂x[0]", "gradient is not finite")
