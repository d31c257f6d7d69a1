"""Inverse, log det, log Σ exp and entrywise formulas: every way to a derivative agrees."""

import numpy as np
import pytest
from mpmath import mp, mpf, workdps
from op_checks import agree, central_difference, dense_jacobian, swept_vjp

from jacobian_bp import AxisError, DomainError, Network, check_op
from jacobian_bp.formulas.reading import read
from jacobian_bp.ops import Det, Inverse, LogDet, LogSumExp
from jacobian_bp.ops.entry_trees import ENTRY_FUNCTIONS, Tree
from jacobian_bp.ops.entrywise import Entrywise

RNG = np.random.default_rng(1515)


def entrywise(text, **axes):
    return Entrywise(read(text), {n: tuple(word) for n, word in axes.items()}, tuple("ki"))


SQUARE = RNG.normal(size=(5, 5))
ROWS, COLUMNS = 3, 2
CASES = {
    "inverse": (Inverse(), {"X": SQUARE}),
    "log det": (LogDet(), {"X": SQUARE}),
    "log det, negative": (LogDet(), {"X": SQUARE[[1, 0, 2, 3, 4]]}),
    "det": (Det(), {"X": SQUARE}),
    "det, one entry": (Det(), {"X": SQUARE[:1, :1]}),
    "det, a batch": (Det(), {"X": RNG.normal(size=(2, 3, 3))}),
    "det, singular": (Det(), {"X": np.outer(SQUARE[0, :3], SQUARE[1, :3])}),
    "det, one direction lost": (Det(), {"X": SQUARE[:3, :2] @ SQUARE[:2, :3]}),
    "log sum exp": (LogSumExp(), {"z": RNG.normal(size=7)}),
    "product": (
        entrywise("a * b + 2 * s * a**2", a="ki", b="i", s=""),
        {"a": RNG.normal(size=(ROWS, COLUMNS)), "b": RNG.normal(size=COLUMNS), "s": np.array(0.7)},
    ),
    "quotient": (
        entrywise("tanh(a) / (1 + b**2) - s", a="ki", b="i", s=""),
        {"a": RNG.normal(size=(ROWS, COLUMNS)), "b": RNG.normal(size=COLUMNS), "s": np.array(0.7)},
    ),
    "a number 0 beside an entry": (
        entrywise("(a - 0)**2 * (0 - b)", a="ki", b="i"),
        {"a": RNG.normal(size=(ROWS, COLUMNS)), "b": RNG.normal(size=COLUMNS)},
    ),
    "one entry read twice": (
        entrywise("sigmoid(a * a) * sqrt(b) / a", a="ki", b="ki"),
        {"a": RNG.normal(size=(ROWS, COLUMNS)), "b": RNG.uniform(1, 2, size=(ROWS, COLUMNS))},
    ),
} | {
    function: (
        Entrywise(Tree("f", (Tree("name", (), "a"),), function), {"a": ("k",)}, ("k",)),
        {"a": RNG.uniform(0.5, 2, size=5) / (4 if function.startswith("arc") else 1)},
    )
    for function in ENTRY_FUNCTIONS
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", CASES)
def test_jacobian_vjp_and_difference_agree(name):
    op, inputs = CASES[name]
    arrays = list(inputs.values())
    for by in inputs:
        whole = dense_jacobian(op, by, arrays)
        agree(swept_vjp(op, by, arrays), whole, 1e-12)
        np.testing.assert_allclose(central_difference(op, by, arrays), whole, rtol=1e-6, atol=1e-8)
    report = check_op(op, inputs)
    assert report.ok, str(report)


def test_a_wrong_rule_of_an_inverse_is_seen():
    class Turned(Inverse):
        def vjp(self, bar, X):
            return {"X": super().vjp(bar, X)["X"].T}

    assert not check_op(Turned, {"X": SQUARE}).ok


def test_what_has_no_inverse_is_refused():
    with pytest.raises(DomainError) as caught:
        check_op(Inverse, {"X": np.diag([3.0, 0.0])})
    assert str(caught.value) == (
        "X is singular within rounding: its singular values go from 3 down to 0.\n"
        "  Pass a matrix of rank 2; an inverse has no slope at a singular one."
    )
    with pytest.raises(DomainError) as caught:  # it has an inverse, and is as near to one without
        check_op(LogDet, {"X": np.stack([SQUARE[:2, :2], np.diag([1.0, 1e-20])])})
    assert str(caught.value) == (
        "X[1] is singular within rounding: its singular values go from 1 down to 1e-20.\n"
        "  Pass a matrix of rank 2; a determinant has no slope at a singular one."
    )
    with pytest.raises(DomainError) as caught:
        check_op(LogDet, {"X": np.ones((2, 3))})
    assert str(caught.value) == (
        "X has shape (2, 3); a determinant is that of a square matrix.\n"
        "  Pass as many rows as columns."
    )


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("log(a)", -1.0, "log takes numbers above 0; a[0] is -1."),
        ("sqrt(a)", -0.5, "sqrt takes numbers from 0 on; a[0] is -0.5."),
        ("1 / a", 0.0, "a divisor is not 0; a[0] is 0."),
        ("a**(1/2)", -2.0, "the power 0.5 takes numbers from 0 on; a[0] is -2."),
        ("a**-1", 0.0, "the power -1 takes numbers other than 0; a[0] is 0."),
        (
            "arcsin(a)",
            1.0,
            "arcsin takes numbers between -1 and 1, where it has a slope; a[0] is 1.",
        ),
        (
            "arccos(a)",
            -2.0,
            "arccos takes numbers between -1 and 1, where it has a slope; a[0] is -2.",
        ),
        ("log(a - 3)", 1.0, "log takes numbers above 0; its argument[0] is -2."),
    ],
)
def test_an_entry_outside_of_the_domain_is_named(text, value, said):
    op = Entrywise(read(text), {"a": ("k",)}, ("k",))
    with pytest.raises(DomainError) as caught:
        check_op(op, {"a": np.array([value, 5.0])})
    assert str(caught.value).splitlines()[0] == said


def test_log_sum_exp_of_no_entries_is_refused():
    with pytest.raises(AxisError) as caught:
        Network.program("c = LogSumExp(z)", params={"z": np.zeros(0)}).run()
    assert str(caught.value) == (
        "LogSumExp 'c': axis k has no entries.\n"
        "  z[k] has shape (0,), so k = 0\n"
        "  Pass z with at least one entry along k."
    )


SIZE = 5


def conditioned(kappa, dtype):
    """A random matrix with singular values from 1 down to 1/κ."""
    turned = [np.linalg.qr(RNG.normal(size=(SIZE, SIZE)))[0] for _ in range(2)]
    return (turned[0] * np.geomspace(1, 1 / kappa, SIZE) @ turned[1]).astype(dtype)


def share_of_bar(computed, exact, bar):
    """How far an array is from the exact one, as a share of the bar of its largest entry."""
    largest = max(map(abs, exact))
    apart = (abs(mpf(float(c)) - e) for c, e in zip(computed.ravel(), exact, strict=True))
    return float(max(apart) / (bar * largest))


@pytest.mark.parametrize(
    ("dtype", "kappa"), [(np.float64, k) for k in (1, 1e3, 1e6, 1e12)] + [(np.float32, 1e4)]
)
def test_an_inverse_and_a_log_determinant_are_exact_to_the_condition_number(dtype, kappa):
    X = conditioned(kappa, dtype)
    bar = 8 * SIZE * kappa * float(np.finfo(dtype).eps) / 2
    with workdps(50):
        given = mp.matrix(X.astype(float).tolist())
        Y, size = given**-1, mp.log(abs(mp.det(given)))
        inverse = [Y[j, i] for j, i in np.ndindex(SIZE, SIZE)]
        slope = [-Y[j, a] * Y[b, i] for j, i, a, b in np.ndindex((SIZE,) * 4)]
        of_log = [Y[b, a] for a, b in np.ndindex(SIZE, SIZE)]
        assert share_of_bar(Inverse().forward(X), inverse, bar) <= 1
        assert abs(mpf(float(LogDet().forward(X))) - size) <= bar
        for op, exact in ((Inverse(), slope), (LogDet(), of_log)):
            for found in (dense_jacobian(op, "X", [X]), swept_vjp(op, "X", [X])):
                assert share_of_bar(found, exact, bar) <= 1
        wrong = np.linalg.inv(X) * dtype(1 + 2 * bar)
        assert share_of_bar(wrong, inverse, bar) > 1


@pytest.mark.parametrize("kappa", [1, 1e3, 1e8, 1e20])
def test_a_determinant_and_its_slope_are_exact_to_the_largest_products(kappa):
    """Of a singular matrix too: 1e-20 beside 1 is within rounding of 0."""
    X = conditioned(kappa, np.float64)
    spread = np.geomspace(1, 1 / kappa, SIZE)
    u = float(np.finfo(float).eps) / 2
    with workdps(50):
        given = mp.matrix(X.tolist())
        value = mp.det(given)
        turned = given**-1
        slope = [value * turned[j, i] for i, j in np.ndindex(SIZE, SIZE)]
        assert abs(mpf(float(Det().forward(X))) - value) <= 8 * SIZE**2 * u * spread[:-1].prod()
        bar = mpf(8 * SIZE**2 * u * spread[:-2].prod())
        for found in (dense_jacobian(Det(), "X", [X]), swept_vjp(Det(), "X", [X])):
            apart = [abs(mpf(float(c)) - e) for c, e in zip(found.ravel(), slope, strict=True)]
            assert max(apart) <= bar
            assert abs(apart[0] - 4 * bar) > bar  # what lies four bars off is not taken for it


def test_a_determinant_is_that_of_a_square_matrix():
    with pytest.raises(DomainError) as caught:
        check_op(Det, {"X": np.ones((2, 3))})
    assert str(caught.value) == (
        "X has shape (2, 3); a determinant is that of a square matrix.\n"
        "  Pass as many rows as columns."
    )


@pytest.mark.parametrize(
    "text", ["a + b", "(a + b) * s", "a - b + a", "s * (a + b + a) / 2", "-a + b"]
)
def test_no_two_cotangents_of_a_formula_share_memory(text):
    op = entrywise(text, a="ki", b="ki", s="") if "s" in text else entrywise(text, a="ki", b="ki")
    arrays = [RNG.normal(size=(ROWS, COLUMNS)) for _ in "ab"] + [np.array(0.7)] * ("s" in text)
    bar = RNG.normal(size=(ROWS, COLUMNS))
    found = list(op.vjp(bar, *arrays).values())
    value = op.forward(*arrays)
    everything = [bar, value, *arrays, *found]
    for place, one in enumerate(everything):
        assert not any(np.shares_memory(one, other) for other in everything[place + 1 :])
    assert entrywise("a", a="ki").forward(arrays[0]) is not arrays[0]


PROGRAMS = (  # what is computed before an inverse, or from it, and its parameters
    (("Y = inv(X)", "c = sum((Y @ a)**2)"), "Xa"),
    (("c = logdet(X / (1 + B**2))",), "XB"),
    (("Y = inv(X @ X.T)", "q = a @ Y @ a", "c = q**2"), "Xa"),
    (("c = (inv(X + B) @ a)[1]",), "XaB"),
)


def of_condition(kappa, rows, rng):
    turns = [np.linalg.qr(rng.normal(size=(rows, rows)))[0] for _ in range(2)]
    return 10.0 ** rng.uniform(-3, 3) * turns[0] * np.geomspace(1, 1 / kappa, rows) @ turns[1]


@pytest.mark.parametrize(("lines", "names"), PROGRAMS)
def test_routes_through_an_inverse_agree_whatever_its_condition(lines, names):
    rng = np.random.default_rng(8)
    for rows in (2, 3, 5, 7) * 4:
        X = of_condition(10.0 ** rng.uniform(0, 6), rows, rng)
        drawn = {"X": X, "a": rng.normal(size=rows), "B": rng.normal(size=(rows, rows))}
        report = Network.program(*lines, params={n: drawn[n] for n in names}).run().check()
        assert report.ok, str(report)


def test_a_slope_of_an_inverse_that_is_a_thousandth_too_large_is_seen(monkeypatch):
    rng = np.random.default_rng(9)
    params = {"X": of_condition(1e6, 5, rng), "a": rng.normal(size=5)}
    run = Network.program(*PROGRAMS[0][0], params=params).run()
    right = Inverse.jacobians
    monkeypatch.setattr(Inverse, "jacobians", lambda op, X: {"X": right(op, X)["X"] * 1.001})
    assert "DISAGREES" in str(run.check())
