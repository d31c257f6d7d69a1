"""Every op, every input, one example and a batch: rule = swept VJP = difference = loops.

A check that has never failed is not a check: the second half plants a mistake for each.
"""

import numpy as np
import pytest
from op_checks import (
    agree,
    central_difference,
    dense_jacobian,
    identical,
    swept_vjp,
    zeros_are_positive,
)
from ops_cases import CASES, by_every_input, in_both_forms

from jacobian_bp import ops
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.expression import delta, dense, distinct, one
from jacobian_bp.algebra.jacobian import Jacobian
from jacobian_bp.numbers.stable import softmax_parts


@in_both_forms
def test_the_value_is_that_of_the_loops(case, batch):
    inputs = case.inputs(batch)
    agree(case.op.forward(*inputs), case.loop_value(inputs))


@by_every_input
def test_jacobian_is_vjp_is_difference_is_loops(case, batch, name):
    inputs = case.inputs(batch)
    jacobian = dense_jacobian(case.op, name, inputs)
    agree(jacobian, case.loop_jacobian(name, inputs))
    agree(jacobian, swept_vjp(case.op, name, inputs))
    agree(jacobian, central_difference(case.op, name, inputs), bar=1e-8)


@pytest.mark.one_in(3)
@by_every_input
def test_float32_stays_float32(case, batch, name):
    inputs = case.inputs(batch)
    small = [x.astype(np.float32) for x in inputs]
    assert case.op.forward(*small).dtype == np.float32
    for rule in (dense_jacobian, swept_vjp):
        assert rule(case.op, name, small).dtype == np.float32
        agree(rule(case.op, name, small), rule(case.op, name, inputs), bar=1e-5)


@pytest.mark.one_in(3)
@by_every_input
def test_structural_zeros_are_positive_beside_inf_and_nan(case, batch, name):
    """A structural zero is one for every input: the loops show it at inputs that are all > 0."""
    inputs = case.inputs(batch)
    pattern = case.loop_jacobian(name, [abs(x) + 0.25 for x in inputs]) == 0
    rng = np.random.default_rng(3)
    hostile = [rng.choice([np.inf, -np.inf, np.nan, -2.0, -0.0], x.shape) for x in inputs]
    with np.errstate(all="ignore"):
        zeros_are_positive(dense_jacobian(case.op, name, hostile), pattern)


def test_an_infinite_activation_stays_in_its_row():
    """∂z[k]/∂W[K,i] = δ[k,K] a[i]: an identity times a would give 0 · inf = NaN, 0 · −2 = −0.0."""
    a, W, b = np.array([np.inf, -2.0, -np.inf]), np.ones((2, 3)), np.zeros(2)
    axes = (Axis("k", 2),), (Axis("k'", 2), Axis("i'", 3))
    rule = ops.Linear().jacobians(a, W, b)["W"]
    expected = np.zeros((2, 2, 3))
    expected[0, 0] = expected[1, 1] = a
    identical(Jacobian.local("z", "W", *axes, rule).materialise(), expected)


# Planted mistakes


class Negated(ops.Linear):
    def jacobians(self, a, W, b):
        return {name: -rule for name, rule in super().jacobians(a, W, b).items()}


class Doubled(ops.Sigmoid):
    def jacobians(self, z):
        return {"z": 2 * super().jacobians(z)["z"]}


class Transposed(ops.LogSoftmax):
    def jacobians(self, z):
        p, rest = softmax_parts(z)
        off = distinct("k,k'") * dense("p[k]", p) * one("k'")
        return {"z": delta("k,k'") * dense("(1−p)[k]", rest) - off}


@pytest.mark.parametrize(("op", "name"), [(Negated(), "a"), (Doubled(), "z"), (Transposed(), "z")])
def test_a_wrong_rule_fails_every_comparison(op, name):
    case = next(c for c in CASES if type(c.op) is type(op).__base__)
    inputs = case.inputs(batch=False)
    right, wrong = dense_jacobian(case.op, name, inputs), dense_jacobian(op, name, inputs)
    for witness in (
        case.loop_jacobian(name, inputs),
        swept_vjp(op, name, inputs),
        central_difference(op, name, inputs),
    ):
        agree(right, witness, bar=1e-8)
        with pytest.raises(AssertionError, match="first wrong entry"):
            agree(wrong, witness, bar=1e-8)


def test_one_wrong_entry_of_many_is_found():
    right = np.random.default_rng(5).normal(size=(20, 20))
    wrong = right.copy()
    wrong[17, 3] *= -1
    with pytest.raises(AssertionError, match=r"first wrong entry: \(17, 3\)"):
        agree(wrong, right)


@pytest.mark.parametrize("a", [[1.0, -2.0], [1.0, np.inf]], ids=["0 · −2", "0 · inf"])
def test_a_jacobian_built_with_an_identity_matrix_fails(a):
    pattern = np.broadcast_to(np.eye(2)[:, :, None], (2, 2, 2)) == 0
    with np.errstate(invalid="ignore"):
        product = np.eye(2)[:, :, None] * a
    with pytest.raises(AssertionError):
        zeros_are_positive(product, pattern)


def test_a_rounding_difference_is_not_identical():
    with pytest.raises(AssertionError):
        identical(np.array([0.1 + 0.2]), np.array([0.3]))
    with pytest.raises(AssertionError):
        identical(np.array([0.0]), np.array([-0.0]))
