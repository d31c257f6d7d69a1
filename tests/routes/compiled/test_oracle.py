"""The kernels of a compiled step within 8 ULP of the exact value, as value and as slope.

The step is asked for J = Σ_k w[k] f(z[k]): at w = 1, ∂J/∂w is the value f(z), ∂J/∂z its slope.
"""

from functools import cache

import numpy as np
import pytest
from compiled_cases import put_kernel
from mpmath import mp, mpf
from oracle import exactly, ulps, within_bar

from jacobian_bp import Network, ops
from jacobian_bp.ops.kernels import LIMITS
from jacobian_bp.routes.compiled.step import CompiledStep

over_floats = pytest.mark.parametrize("dtype", [np.float64, np.float32])
INNER = {"Inner": ops.Einsum("k,k->")}


def sigma(z):
    return 1 / (1 + mp.exp(-z))


def sigma_slope(z):
    return sigma(z) * sigma(-z)


def tanh_slope(z):
    e = mp.exp(-2 * abs(z))
    return 4 * e / (1 + e) ** 2


EXACT = {
    "Sigmoid": (sigma, sigma_slope),
    "Tanh": (mp.tanh, tanh_slope),
    "ReLU": (lambda z: max(z, mpf(0)), lambda z: mpf(z > 0)),
}
by_activation = pytest.mark.parametrize("name", EXACT)


@cache
def inside(dtype, points):
    """The grid within the limits, and the floats on both sides of each limit and of 0."""
    limit, z = dtype(LIMITS[np.dtype(dtype)]), points(dtype)
    edge = np.nextafter(limit, dtype(0))
    return np.concatenate([z[np.abs(z) < limit], [edge, -edge, dtype(0), -dtype(0)]])


@cache
def exact(name, dtype, points, everywhere=False):
    z = points(dtype) if everywhere else inside(dtype, points)
    return [exactly(function, z) for function in EXACT[name]]


def value_and_slope(name, z, monkeypatch=None):
    """f(z) and f'(z) by one step; with `monkeypatch`, the kernels' own: no long way is open."""
    params = {"p": np.zeros_like(z), "w": np.ones_like(z)}
    lines = ["z = Add(p, x)", f"a = {name}(z)", "J = Inner(a, w)"]
    net = Network.program(*lines, params=params, ops=INNER)
    step = net.compile()
    step(net.params, np.ones_like(z))
    if monkeypatch:
        monkeypatch.setattr(CompiledStep, "_run", None)
    gradients = step(net.params, z)[1]
    return gradients["w"], gradients["p"]


@over_floats
@by_activation
def test_kernels_inside_their_limits(monkeypatch, name, dtype, points):
    found = value_and_slope(name, inside(dtype, points), monkeypatch)
    for array, expected in zip(found, exact(name, dtype, points), strict=True):
        assert array.dtype == dtype
        within_bar(array, expected)


@over_floats
def test_gelu_keeps_its_digits_down_to_the_smallest_subnormal(monkeypatch, dtype, points):
    """Its slope has a root: there the bar is of Φ + |z| φ. Far to the right it is z, and 1."""
    z = points(dtype)
    z = z[np.abs(z) < 1e4]

    def area(v):
        return mp.erfc(-v / mp.sqrt(2)) / 2

    def lever(v):
        return v * mp.exp(-v * v / 2) / mp.sqrt(2 * mp.pi)

    value, slope = value_and_slope("GELU", z, monkeypatch)
    within_bar(value, exactly(lambda v: v * area(v), z))
    scale = exactly(lambda v: area(v) + abs(lever(v)), z)
    within_bar(slope, exactly(lambda v: area(v) + lever(v), z), scale)
    assert ulps(slope * dtype(1 + 1e-5), exactly(lambda v: area(v) + lever(v), z), scale) > 8


@over_floats
@pytest.mark.parametrize("name", ["Sigmoid", "Tanh"])
def test_everywhere_with_the_long_way(name, dtype, points):
    """From the smallest subnormal to the largest float."""
    z = points(dtype)
    for array, expected in zip(
        value_and_slope(name, z), exact(name, dtype, points, True), strict=True
    ):
        within_bar(array, expected)


@over_floats
@by_activation
def test_one_unit_behind_a_layer_around_the_limits(name, dtype):
    """W = 1 and b = 0: z is x, one number a call, on both sides of each border."""
    limit = dtype(LIMITS[np.dtype(dtype)])
    tops = [709.78, 709.79, 745.13, 745.14, 88.72, 88.73, 103.97, 103.98, 372.5, 51.9, 1000]
    right = [limit, np.nextafter(limit, dtype(0)), np.nextafter(limit, dtype(2000)), *tops]
    z = np.array([*right, 0, np.finfo(dtype).smallest_subnormal], dtype)
    z = np.concatenate([z, -z])
    params = {"W": np.ones((1, 1), dtype), "b": np.zeros(1, dtype), "w": np.ones(1, dtype)}
    lines = ["z = Linear(x, W, b)", f"a = {name}(z)", "J = Inner(a, w)"]
    step = Network.program(*lines, params=params, ops=INNER).compile()
    found = []
    for number in z:
        loss, gradients = step(params, number[None])
        found.append([gradients["w"][0], gradients["b"][0]])
        assert loss == gradients["w"][0]
    for array, function in zip(np.array(found, dtype).T, EXACT[name], strict=True):
        within_bar(array, exactly(function, z))


@over_floats
def test_what_an_addition_carries_over_the_limit_is_seen(dtype):
    """Neither summand is beyond it, their sum is: e^z would overflow, and 0 · NaN is NaN."""
    half = dtype(0.64 * LIMITS[np.dtype(dtype)])
    params = {"p": np.array([half, 0], dtype), "w": np.array([0, 1], dtype)}
    net = Network.program(
        "z = Add(p, x)", "a = Sigmoid(z)", "J = Inner(a, w)", params=params, ops=INNER
    )
    step = net.compile()
    step(params, np.zeros(2, dtype))
    loss, gradients = step(params, np.array([half, 0], dtype))
    assert (loss, gradients["p"].tolist(), gradients["w"].tolist()) == (0.5, [0, 0.25], [1, 0.5])


# ---------------------------------------------------------------- planted mistakes


def textbook(slope):
    """A kernel whose slope is a formula in the value, as textbooks have it."""

    def made(op, at):
        def forward():
            at.value[...] = op.forward(at.inputs[0])

        def backward():
            at.input_bars[0][...] = at.bar * slope(at.value)

        return forward, backward

    return made


@over_floats
@pytest.mark.parametrize(
    ("op", "slope"),
    [(ops.Sigmoid, lambda a: a * (1 - a)), (ops.Tanh, lambda a: 1 - a * a)],
    ids=["Sigmoid", "Tanh"],
)
def test_the_textbook_slopes_are_rejected(monkeypatch, op, slope, dtype, points):
    put_kernel(monkeypatch, op, textbook(slope))
    _, found = value_and_slope(op.__name__, inside(dtype, points), monkeypatch)
    assert ulps(found, exact(op.__name__, dtype, points)[1]) == np.inf


@over_floats
@pytest.mark.parametrize("name", ["Sigmoid", "Tanh"])
def test_one_number_beyond_the_limit_leaves_the_kernels(monkeypatch, name, dtype):
    """So that the grid above is known to be judged by the kernels' own numbers."""
    limit = dtype(LIMITS[np.dtype(dtype)])
    for z in (limit, -limit):
        with monkeypatch.context() as patch, pytest.raises(TypeError, match="not callable"):
            value_and_slope(name, np.array([0.5, z], dtype), patch)
