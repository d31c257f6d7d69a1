"""The loss kernels of a compiled step within 8 ULP of the exact value, as cost and as gradient.

The step is asked for J of z = p + x with p = 0: ∂J/∂p is the cotangent of the logits.
"""

import numpy as np
import pytest
from compiled_cases import BATCH, put_kernel
from mpmath import mp, mpf, workdps
from oracle import DIGITS, exactly, softmax_exactly, within_bar

from jacobian_bp import Network, ops
from jacobian_bp.ops.kernels import LIMITS
from jacobian_bp.ops.kernels import losses as loss_kernels
from jacobian_bp.routes.compiled.step import CompiledStep

over_floats = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def cost_and_cotangent(loss, z, y, monkeypatch):
    """J and ∂J/∂z from the kernel alone: the long way is closed."""
    net = Network.program("z = Add(p, x)", f"J = {loss}(z, y)", params={"p": np.zeros_like(z)})
    step = net.compile()
    step(net.params, np.ones_like(z), y)
    with monkeypatch.context() as patch:
        patch.setattr(CompiledStep, "_run", None)
        J, gradients = step(net.params, z, y)
    return np.array([J], z.dtype), gradients["p"]


def softplus(z):
    return max(z, mpf(0)) + mp.log1p(mp.exp(-abs(z)))


@pytest.mark.one_in(3)
@over_floats
@pytest.mark.parametrize("y", [0.0, 1.0, 0.25])
def test_binary_cross_entropy_is_exact(monkeypatch, y, dtype, points):
    """A soft label's slope has a root where σ(z) = y: its ULP is that of (1−y)σ(z) + yσ(−z)."""
    z = points(dtype)
    z = z[np.abs(z) < LIMITS[np.dtype(dtype)]]
    labels = np.full_like(z, y)
    value = exactly(lambda z: (1 - y) * softplus(z) + y * softplus(-z), z)
    pairs = exactly(lambda z: (1 / (1 + mp.exp(-z)), 1 / (1 + mp.exp(z))), z)
    with workdps(DIGITS):
        slope = [(1 - y) * right - y * left for right, left in pairs]
        scale = [(1 - y) * right + y * left for right, left in pairs]
        total = mp.fsum(value)
    cost, cotangent = cost_and_cotangent("BinaryCrossEntropyFromLogits", z, labels, monkeypatch)
    within_bar(cost, [total])
    within_bar(cotangent, slope, scale)
    for place in range(0, len(z), 251):
        cost, _ = cost_and_cotangent(
            "BinaryCrossEntropyFromLogits", z[place : place + 1], labels[:1], monkeypatch
        )
        within_bar(cost, value[place : place + 1])


@pytest.mark.one_in(5)
@over_floats
@pytest.mark.parametrize("scale", [1, 20, 75])
@pytest.mark.parametrize("size", [2, 3, 11, 31, 100])
@pytest.mark.parametrize("kind", ["likeliest", "unlikeliest", "soft"])
def test_cross_entropy_is_exact(monkeypatch, size, scale, kind, dtype):
    """p − y in ULPs of p(1−y) + y(1−p), which for a hard label is |p − y| itself."""
    z = np.random.default_rng([size, scale]).uniform(-scale, scale, size).astype(dtype)
    p, rest, logs = softmax_exactly(z)
    hard = {"likeliest": z.argmax(), "unlikeliest": z.argmin()}
    y = np.arange(size) == hard[kind] if kind in hard else np.arange(size) % 2 / (size // 2)
    y = y.astype(dtype)
    weights = [mpf(float(v)) for v in y]
    with workdps(DIGITS):
        value = -mp.fsum(w * log for w, log in zip(weights, logs, strict=True))
        total = mp.fsum(weights)
        pulls = [q * (total - w) for q, w in zip(p, weights, strict=True)]
        pushes = [w * r for w, r in zip(weights, rest, strict=True)]
        slope = [a - b for a, b in zip(pulls, pushes, strict=True)]
        mixed = [a + b for a, b in zip(pulls, pushes, strict=True)]
    cost, cotangent = cost_and_cotangent("CrossEntropyFromLogits", z, y, monkeypatch)
    within_bar(cost, [value])
    within_bar(cotangent, slope, mixed)


@pytest.mark.parametrize("z", [[3.0, 3.0, -1.0], [0.5], [2.0, 2.0]], ids=["a tie", "one", "equal"])
def test_ties_and_a_single_class(monkeypatch, z):
    z = np.array(z)
    y = np.eye(len(z))[0]
    cost, cotangent = cost_and_cotangent("CrossEntropyFromLogits", z, y, monkeypatch)
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    assert np.allclose(cost, -np.log(p[0]), rtol=1e-15, atol=0)
    assert np.allclose(cotangent, p - y, rtol=1e-15, atol=1e-17)


def test_more_classes_than_the_kernel_takes_go_to_the_op_itself(monkeypatch):
    seen, general = [], loss_kernels.general
    monkeypatch.setattr(
        loss_kernels, "general", lambda op, at: seen.append(op.name) or general(op, at)
    )
    for classes in (loss_kernels.MOST_CLASSES, loss_kernels.MOST_CLASSES + 1):
        net = Network.dense([3, classes], "softmax", "cross_entropy", seed=1)
        step = net.compile(batch=BATCH)
        x, y = np.ones((BATCH, 3)), np.arange(BATCH)
        step(net.params, x, y)
        expected = net.run(x, y).gradients()
        for name, found in step(net.params, x, y)[1].items():
            assert np.allclose(found, expected[name], rtol=1e-13, atol=1e-18)
    assert seen == ["CrossEntropyFromLogits"]


@over_floats
def test_the_textbook_residual_is_rejected(monkeypatch, dtype):
    """p − y loses the digits of 1 − p."""

    def textbook(op, at):
        (z, y), (z_bar, _) = at.inputs, at.input_bars

        def forward():
            at.value[...] = op.forward(z, y)

        def backward():
            e = np.exp(z - z.max())
            z_bar[...] = e / e.sum() - y

        return forward, backward

    put_kernel(monkeypatch, ops.CrossEntropyFromLogits, textbook)
    with pytest.raises(AssertionError, match="ULP"):
        test_cross_entropy_is_exact(monkeypatch, 11, 20, "likeliest", dtype)
