"""Inverse, log det, log Σ exp and entrywise formulas: every way to a derivative agrees."""

import numpy as np
import pytest
from op_checks import agree, central_difference, dense_jacobian, swept_vjp

from jacobian_bp import DomainError, check_op
from jacobian_bp.formulas.reading import read
from jacobian_bp.ops.entry_trees import ENTRY_FUNCTIONS, Tree
from jacobian_bp.ops.entrywise import Entrywise
from jacobian_bp.ops.linear_algebra import Inverse, LogDet, LogSumExp

RNG = np.random.default_rng(1515)


def entrywise(text, **axes):
    return Entrywise(read(text), {n: tuple(word) for n, word in axes.items()}, tuple("ki"))


SQUARE = RNG.normal(size=(5, 5))
ROWS, COLUMNS = 3, 2
CASES = {
    "inverse": (Inverse(), {"X": SQUARE}),
    "log det": (LogDet(), {"X": SQUARE}),
    "log det, negative": (LogDet(), {"X": SQUARE[[1, 0, 2, 3, 4]]}),
    "log sum exp": (LogSumExp(), {"z": RNG.normal(size=7)}),
    "product": (
        entrywise("a * b + 2 * s * a**2", a="ki", b="i", s=""),
        {"a": RNG.normal(size=(ROWS, COLUMNS)), "b": RNG.normal(size=COLUMNS), "s": np.array(0.7)},
    ),
    "quotient": (
        entrywise("tanh(a) / (1 + b**2) - s", a="ki", b="i", s=""),
        {"a": RNG.normal(size=(ROWS, COLUMNS)), "b": RNG.normal(size=COLUMNS), "s": np.array(0.7)},
    ),
    "one entry read twice": (
        entrywise("sigmoid(a * a) * sqrt(b) / a", a="ki", b="ki"),
        {"a": RNG.normal(size=(ROWS, COLUMNS)), "b": RNG.uniform(1, 2, size=(ROWS, COLUMNS))},
    ),
} | {
    function: (
        Entrywise(Tree("f", (Tree("name", (), "a"),), function), {"a": ("k",)}, ("k",)),
        {"a": RNG.uniform(0.5, 2, size=5)},
    )
    for function in ENTRY_FUNCTIONS
}


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
        check_op(Inverse, {"X": np.array([[1.0, 2.0], [2.0, 4.0]])})
    assert str(caught.value) == (
        "X has no inverse: its rows depend on each other.\n"
        "  Pass a matrix of rank 2; an inverse has no slope at this one."
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
        ("log(a - 3)", 1.0, "log takes numbers above 0; its argument[0] is -2."),
    ],
)
def test_an_entry_outside_of_the_domain_is_named(text, value, said):
    op = Entrywise(read(text), {"a": ("k",)}, ("k",))
    with pytest.raises(DomainError) as caught:
        check_op(op, {"a": np.array([value, 5.0])})
    assert str(caught.value).splitlines()[0] == said


def test_log_sum_exp_is_stable():
    z = np.array([1000.0, -1000.0, 999.0])
    assert LogSumExp().forward(z) == pytest.approx(1000 + np.log1p(np.exp(-1)), rel=1e-15)
