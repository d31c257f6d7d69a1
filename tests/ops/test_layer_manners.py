"""Layers with several inputs: float32 stays, inputs stay as they are, nothing is aliased."""

import numpy as np
import pytest
from op_checks import agree, dense_jacobian, swept_vjp

from jacobian_bp import ops

RNG = np.random.default_rng(71)
I, K = 5, 3  # noqa: E741
M, TRUE = np.array([1.0, 0, 1, 1, 0]), np.eye(3)[1]
HALF = (1.0, 2.5, 5.0)


def gates(count):
    return [(count * K, I), (count * K, K), (count * K,)]


CASES = [  # the op, and its inputs or their shapes
    (ops.CausalSoftmax(), [(3, 3)]),
    (ops.Inverse(), [(3, 3)]),
    (ops.LogDet(), [(3, 3)]),
    (ops.Det(), [(3, 3)]),
    (ops.Kron(), [(2, 3), (5, 2)]),
    (ops.Vec(), [(2, 3)]),
    (ops.Diag(), [(3,)]),
    (ops.Part("1,1:3"), [(2, 5)]),
    (ops.LogSumExp(), [(5,)]),
    (ops.Softmax().reading(2), [(5,), M]),
    (ops.LogSoftmax().reading(2), [(5,), M]),
    (ops.Reshape((5, -1)), [(2, 5)]),
    (ops.Flatten(), [(2, 5)]),
    (ops.Dropout(0.3), [(5,), M]),
    (ops.Max(), [(5,)]),
    (ops.Min("k"), [(5, 2)]),
    (ops.RNNCell(), [(I,), (K,), *gates(1)]),
    (ops.LSTMCarry(), [(I,), (K,), (K,), *gates(4)]),
    (ops.LSTMOutput(), [(I,), (K,), (K,), *gates(4)]),
    (ops.GRUCell(), [(I,), (K,), *gates(3), (3 * K,)]),
    (ops.GroupNorm(2), [(4, 2, 3), (4,), (4,)]),
    (ops.BatchNorm(), [(5, 3), (3,), (3,)]),
    (ops.BatchNorm(training=False), [(3,), (3,), (3,), (3,), np.array([0.5, 2.0, 1.0])]),
    (ops.Hinge(), [(3,), TRUE]),
    (ops.CrossEntropy(HALF), [np.array([0.5, 0.2, 0.3]), TRUE]),
    (ops.CrossEntropyFromLogits(HALF, -1), [(3,), TRUE]),
]


@pytest.mark.parametrize(("op", "given"), CASES, ids=[repr(op) for op, _ in CASES])
def test_float32_stays_and_nothing_is_aliased(op, given):
    wide = [RNG.normal(size=g) if isinstance(g, tuple) else g for g in given]
    inputs = [array.astype(np.float32) for array in wide]
    before = [array.copy() for array in inputs]
    value = np.asarray(op.forward(*inputs))
    assert value.dtype == np.float32
    agree(value, op.forward(*wide), bar=1e-5)
    pulled = op.vjp(np.ones_like(value), *inputs)
    for name in op.differentiable():
        jacobian = dense_jacobian(op, name, inputs)
        assert jacobian.dtype == pulled[name].dtype == np.float32
        agree(jacobian, swept_vjp(op, name, inputs), bar=1e-5)
        agree(jacobian, dense_jacobian(op, name, wide), bar=1e-5)
    for array, kept in zip(inputs, before, strict=True):
        assert np.array_equal(array, kept)
        assert not any(np.shares_memory(array, found) for found in (value, *pulled.values()))


def test_a_value_that_is_a_view_is_told():
    class View(ops.Flatten):
        def forward(self, x):
            return x.reshape(*x.shape[:-2], -1)

    with pytest.raises(AssertionError):
        test_float32_stays_and_nothing_is_aliased(View(), [(2, 5)])
