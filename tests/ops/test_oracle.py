"""Every local derivative within 8 ULP of the exact value, as Jacobian and as VJP.

From the smallest subnormal to |z| = 1000 and where exp over- and underflows, in float64 and
float32, against mpmath with 50 digits. Finite differences cannot see this: they accept 0 for
sigmoid'(40), which is 4.248354255291589e-18.
"""

import math
from functools import cache

import numpy as np
import pytest
from mpmath import mp, mpf, workdps
from op_checks import dense_jacobian, swept_vjp
from oracle import DIGITS, exactly, softmax_exactly, ulps, within_bar

from jacobian_bp import ops

BLOCK = 100  # points in one example: its whole Jacobian has BLOCK² entries
SLOPE = 0.125  # of the leaky rectifier: a power of two is exact in both precisions


def sigma(z):
    return 1 / (1 + mp.exp(-z))


def sigma_of_minus(z):
    return sigma(-z)


def softplus(z):
    return max(z, mpf(0)) + mp.log1p(mp.exp(-abs(z)))


def tanh_slope(z):
    e = mp.exp(-2 * abs(z))
    return 4 * e / (1 + e) ** 2


ACTIVATIONS = [
    (ops.Sigmoid(), sigma, lambda z: sigma(z) * sigma(-z)),
    (ops.Tanh(), mp.tanh, tanh_slope),
    (ops.Softplus(), softplus, sigma),
    (ops.ReLU(), lambda z: max(z, mpf(0)), lambda z: mpf(z > 0)),
    (ops.LeakyReLU(slope=SLOPE), lambda z: max(z, SLOPE * z), lambda z: 1 if z > 0 else SLOPE),
]


def normal(z):
    return mp.erfc(-z / mp.sqrt(2)) / 2


def density(z):
    return mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)


CUBIC = mpf(0.044715)  # the float that the op has


def twice_u(z):
    with workdps(DIGITS):
        return 2 * mp.sqrt(2 / mp.pi) * (z + CUBIC * z**3)


def twice_u_slope(z):
    return 2 * mp.sqrt(2 / mp.pi) * (1 + 3 * CUBIC * z * z)


def below(limit, least=0.0):
    """The points of smaller size, from `least` on; whole blocks of them."""

    def chosen(z):
        z = z[(abs(z) < limit) & (z >= least if least else True)]
        return z[: len(z) // BLOCK * BLOCK]

    return chosen


EVERYWHERE = below(np.inf)


def smooth(op, value, slope, terms=None, chosen=EVERYWHERE):
    """The slope of a product has a root: its ULP is that of the sum of both terms' sizes."""
    return op, value, slope, terms or slope, chosen


def power(p):
    """Where neither the value nor the slope leaves the floats."""

    def chosen(z):
        if p % 1:
            z = z[z > 0]
        z = z[z != 0]
        size = np.log2(abs(z.astype(np.float64)))
        top = np.log2(float(np.finfo(z.dtype).max)) - 1
        z = z[(size * p < top) & (size * (p - 1) + np.log2(abs(p)) < top)]
        return z[: len(z) // BLOCK * BLOCK]

    return smooth(
        ops.Power(p),
        lambda z: mp.power(z, mpf(p)),
        lambda z: mpf(p) * mp.power(z, mpf(p) - 1),
        chosen=chosen,
    )


def from_smallest(z):
    """Positive, and 1/z is no larger than the largest float."""
    least = 4 * float(np.finfo(z.dtype).tiny)
    return below(np.inf, least)(z)


def exponents(z):
    return below(709 if z.dtype == np.float64 else 88)(z)


ELEMENTARY = [
    smooth(ops.Exp(), mp.exp, mp.exp, chosen=exponents),
    smooth(ops.Log(), mp.log, lambda z: 1 / z, chosen=from_smallest),
    smooth(ops.Sqrt(), mp.sqrt, lambda z: 1 / (2 * mp.sqrt(z)), chosen=from_smallest),
    smooth(ops.Abs(), abs, mp.sign),
    smooth(ops.Sin(), mp.sin, mp.cos),
    smooth(ops.Cos(), mp.cos, lambda z: -mp.sin(z)),
    *map(power, [2, 5, 0.1, 1.95, -0.3, -1]),
    smooth(
        ops.ELU(),
        lambda z: z if z > 0 else mp.expm1(z),
        lambda z: mpf(1) if z > 0 else mp.exp(z),
    ),
    smooth(
        ops.ELU(alpha=0.375),
        lambda z: z if z > 0 else mpf(0.375) * mp.expm1(z),
        lambda z: mpf(1) if z > 0 else mpf(0.375) * mp.exp(z),
    ),
    smooth(
        ops.SiLU(),
        lambda z: z * sigma(z),
        lambda z: sigma(z) + z * sigma(z) * sigma(-z),
        lambda z: sigma(z) + abs(z) * sigma(z) * sigma(-z),
        below(1e6),
    ),
    smooth(
        ops.GELU(),
        lambda z: z * normal(z),
        lambda z: normal(z) + z * density(z),
        lambda z: normal(z) + abs(z) * density(z),
        below(1e4),
    ),
    smooth(
        ops.GELU(approximate=True),
        lambda z: z * sigma(twice_u(z)),
        lambda z: sigma(twice_u(z)) + z * sigma(twice_u(z)) * sigma(-twice_u(z)) * twice_u_slope(z),
        lambda z: (
            sigma(twice_u(z)) + abs(z) * sigma(twice_u(z)) * sigma(-twice_u(z)) * twice_u_slope(z)
        ),
        below(100),
    ),
]
LOGITS = [(size, scale) for size in (2, 3, 11, 31) for scale in (1, 50, 1000)]
LOGITS += [(100, 50), *(pytest.param(100, s, marks=pytest.mark.full) for s in (1, 1000))]
over_floats = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@cache
def on_grid(function, dtype, points):
    """A function of the points, computed once."""
    return exactly(function, points(dtype))


@cache
def row(size, scale, dtype):
    """Logits to ±scale, and their exact p, 1 − p and log p."""
    z = np.random.default_rng([size, scale]).uniform(-scale, scale, size).astype(dtype)
    return z, *softmax_exactly(z)


def diagonal(op, z):
    """The diagonal of the materialised Jacobian, a block of points at a time."""
    blocks = np.array_split(z, len(z) // BLOCK)
    return np.concatenate([np.diagonal(dense_jacobian(op, "z", [block])) for block in blocks])


@pytest.mark.one_in(3)
@over_floats
@pytest.mark.parametrize(
    ("op", "value", "slope"), ACTIVATIONS, ids=[a[0].name for a in ACTIVATIONS]
)
def test_an_activation_and_its_slope_are_exact(op, value, slope, dtype, points):
    z = points(dtype)
    within_bar(op.forward(z), on_grid(value, dtype, points))
    within_bar(diagonal(op, z), on_grid(slope, dtype, points))
    within_bar(op.vjp(np.ones_like(z), z)["z"], on_grid(slope, dtype, points))


@pytest.mark.one_in(8)
@over_floats
@pytest.mark.parametrize(
    ("op", "value", "slope", "terms", "chosen"), ELEMENTARY, ids=[repr(e[0]) for e in ELEMENTARY]
)
def test_an_elementary_function_and_its_slope_are_exact(
    op, value, slope, terms, chosen, dtype, points
):
    z = chosen(points(dtype))
    exact, scale = exactly(slope, z), exactly(terms, z)
    within_bar(op.forward(z), exactly(value, z))
    within_bar(diagonal(op, z), exact, scale)
    within_bar(op.vjp(np.ones_like(z), z)["z"], exact, scale)


@over_floats
def test_the_textbook_form_of_a_smooth_rectifier_is_rejected(dtype, points):
    """Φ as (1 + erf)/2 has lost its tail; z times a σ below the smallest float has too."""
    z = points(dtype)
    z = z[(z < -6) & (z > -38)][:BLOCK]
    wrong = z * (1 + np.array([math.erf(v / math.sqrt(2)) for v in z])) / 2
    with pytest.raises(AssertionError, match="ULP"):
        within_bar(wrong.astype(dtype), exactly(lambda z: z * normal(z), z))
    e = np.exp(-(z.astype(dtype) ** 2) / 2)
    with pytest.raises(AssertionError, match="ULP"):
        within_bar(e, exactly(lambda z: mp.exp(-z * z / 2), z))


@over_floats
@pytest.mark.parametrize(
    ("op", "slope"),
    [
        (ops.L2Penalty(0.375, "k"), lambda w: 0.75 * w),
        (ops.HalfL2Penalty(0.375, "k"), lambda w: 0.375 * w),
        (ops.L1Penalty(0.375, "k"), lambda w: 0.375 * mp.sign(w)),
    ],
    ids=["l2", "half_l2", "l1"],
)
def test_the_slope_of_a_penalty_is_exact(op, slope, dtype, points):
    W = points(dtype)
    within_bar(dense_jacobian(op, "W", [W]), exactly(slope, W))
    within_bar(op.vjp(dtype(1), W)["W"], exactly(slope, W))


@over_floats
@pytest.mark.parametrize("delta", [1.0, 0.375, 1000.0])
def test_huber_is_exact(delta, dtype, points):
    """From the smallest subnormal on, and where ½ r² would overflow beyond δ."""
    op, a = ops.Huber(delta), points(dtype)
    a = a[abs(a) < np.finfo(dtype).max / 2000]
    a = a[: len(a) // BLOCK * BLOCK]
    y = np.zeros_like(a)
    value = exactly(lambda r: r * r / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2), a)
    slope = exactly(lambda r: max(-delta, min(delta, r)), a)
    within_bar(op.forward(a[:, None], y[:, None]), value)
    within_bar(dense_jacobian(op, "a", [a, y]), slope)
    within_bar(op.vjp(dtype(1), a, y)["a"], slope)
    within_bar(op.vjp(dtype(1), a, y)["y"], [-s for s in slope])


@over_floats
@pytest.mark.parametrize("delta", [1.0, 0.375])
def test_a_huber_loss_that_squares_beyond_delta_is_rejected(delta, dtype, points):
    r = points(dtype)[:BLOCK]
    value = exactly(lambda r: r * r / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2), r)
    with pytest.raises(AssertionError, match="ULP"):
        within_bar(r * r / 2, value)


@over_floats
@pytest.mark.parametrize(("size", "scale"), [(3, 1), (11, 50), (31, 1000)])
def test_the_divergence_from_logits(size, scale, dtype):
    """Its value in ULPs of Σ |terms|, its slope as that of the cross-entropy; a label is 0."""
    z, p, rest, logs = row(size, scale, dtype)
    y = np.random.default_rng(size).dirichlet(np.ones(size)).astype(dtype)
    y[1] = 0
    y[0] += dtype(1) - y.sum()
    known = [mpf(float(v)) for v in y]
    with workdps(DIGITS):
        terms = [w * (mp.log(w) - log) for w, log in zip(known, logs, strict=True) if w]
        sizes = [w * (abs(mp.log(w)) + abs(log)) for w, log in zip(known, logs, strict=True) if w]
        total = mp.fsum(known)
        pulls = [q * (total - w) for q, w in zip(p, known, strict=True)]
        pushes = [w * r for w, r in zip(known, rest, strict=True)]
        slope = [a - b for a, b in zip(pulls, pushes, strict=True)]
        mixed = [a + b for a, b in zip(pulls, pushes, strict=True)]
    op = ops.KLDivergenceFromLogits()
    within_bar(op.forward(z[None], y[None]), [mp.fsum(terms)], [mp.fsum(sizes)])
    within_bar(dense_jacobian(op, "z", [z, y]), slope, mixed)
    within_bar(op.vjp(dtype(1), z, y)["z"], slope, mixed)


@pytest.mark.one_in(3)
@over_floats
@pytest.mark.parametrize("y", [0.0, 1.0, 0.25])
def test_binary_cross_entropy_from_logits(y, dtype, points):
    """A soft label's slope has a root where σ(z) = y: its ULP is that of (1−y)σ(z) + yσ(−z)."""
    op, z = ops.BinaryCrossEntropyFromLogits(), points(dtype)
    labels = np.full_like(z, y)
    value = exactly(lambda z: (1 - y) * softplus(z) + y * softplus(-z), z)
    pairs = list(
        zip(on_grid(sigma, dtype, points), on_grid(sigma_of_minus, dtype, points), strict=True)
    )
    with workdps(DIGITS):
        slope = [(1 - y) * right - y * left for right, left in pairs]
        scale = [(1 - y) * right + y * left for right, left in pairs]
    within_bar(op.forward(z[:, None], labels[:, None]), value)
    within_bar(dense_jacobian(op, "z", [z, labels]), slope, scale)
    within_bar(op.vjp(dtype(1), z, labels)["z"], slope, scale)


@pytest.mark.one_in(4)
@over_floats
@pytest.mark.parametrize(("size", "scale"), LOGITS)
def test_softmax_and_its_logarithm(size, scale, dtype):
    """Every entry of both Jacobians; on the diagonal p − p² would lose the digits of 1 − p."""
    z, p, rest, logs = row(size, scale, dtype)
    with workdps(DIGITS):
        jacobian = [p[k] * rest[k] if k == j else -p[k] * p[j] for k, j in np.ndindex(size, size)]
    of_logs = [rest[k] if k == j else -p[j] for k, j in np.ndindex(size, size)]
    for op, value, slope in [(ops.Softmax(), p, jacobian), (ops.LogSoftmax(), logs, of_logs)]:
        within_bar(op.forward(z), value)
        within_bar(dense_jacobian(op, "z", [z]).ravel(), slope)
        within_bar(swept_vjp(op, "z", [z]).ravel(), slope)


@over_floats
@pytest.mark.parametrize(("size", "scale"), LOGITS)
def test_the_logarithm_of_a_sum_of_exponentials(size, scale, dtype):
    """Of the value the larger of its two terms is the scale; a largest logit of 0 has one term."""
    z, p, _, logs = row(size, scale, dtype)
    top, op = int(z.argmax()), ops.LogSumExp()
    within_bar(dense_jacobian(op, "z", [z]), p)
    within_bar(op.vjp(dtype(1), z)["z"], p)
    with workdps(DIGITS):
        high, rest = mpf(float(z[top])), -logs[top]
        within_bar(op.forward(z)[None], [high + rest], [max(abs(high), rest)])
        z = np.array([0, -scale / 2, -scale / 3], dtype)
        within_bar(op.forward(z)[None], [mp.log1p(mp.fsum(mp.exp(mpf(float(v))) for v in z[1:]))])


@over_floats
@pytest.mark.parametrize(("size", "scale"), LOGITS)
@pytest.mark.parametrize("kind", ["likeliest", "unlikeliest", "soft"])
def test_cross_entropy_from_logits(size, scale, kind, dtype):
    """p − y in ULPs of p(1−y) + y(1−p), which for a hard label is |p − y| itself."""
    z, p, rest, logs = row(size, scale, dtype)
    hard = {"likeliest": z.argmax(), "unlikeliest": z.argmin()}
    y = np.arange(size) == hard[kind] if kind in hard else np.arange(size) % 2 / (size // 2)
    y = y.astype(dtype)
    weights = [mpf(float(v)) for v in y]
    with workdps(DIGITS):
        value = -mp.fsum(w * log for w, log in zip(weights, logs, strict=True))
        total = mp.fsum(weights)  # 1, but for the rounding of the weights to floats
        pulls = [q * (total - w) for q, w in zip(p, weights, strict=True)]
        pushes = [w * r for w, r in zip(weights, rest, strict=True)]
        slope = [a - b for a, b in zip(pulls, pushes, strict=True)]
        mixed = [a + b for a, b in zip(pulls, pushes, strict=True)]
    op = ops.CrossEntropyFromLogits()
    within_bar(op.forward(z[None], y[None]), [value])
    within_bar(dense_jacobian(op, "z", [z, y]), slope, mixed)
    within_bar(op.vjp(dtype(1), z, y)["z"], slope, mixed)


@over_floats
@pytest.mark.parametrize(("size", "scale", "eps"), [(3, 1, 0.0), (7, 1e-3, 1e-5), (31, 1e30, 1e-5)])
def test_layer_norm_is_exact_to_the_sum_of_its_terms(size, scale, eps, dtype):
    """Value, Jacobian and VJP; where x − μ or 1 + x̂ x̂' cancels, to what was added."""
    rng = np.random.default_rng([size, 5])
    x, gamma, beta = (rng.normal(2, 1, size).astype(dtype) for _ in range(3))
    x = (x * dtype(scale)).astype(dtype)
    with workdps(DIGITS):
        known, gains = [[mpf(float(v)) for v in array] for array in (x, gamma)]
        mean = mp.fsum(known) / size
        s = mp.sqrt(mp.fsum((v - mean) ** 2 for v in known) / size + mpf(eps))
        normal = [(v - mean) / s for v in known]
        lost = [(abs(v) + abs(mean)) / s for v in known]  # where x − μ cancels
        value = [g * n + mpf(float(b)) for g, n, b in zip(gains, normal, beta, strict=True)]
        scales = [
            abs(g) * o + abs(mpf(float(b))) for g, o, b in zip(gains, lost, beta, strict=True)
        ]
        pairs = list(np.ndindex(size, size))
        slope = [
            gains[k] / s * ((k == j) - (1 + normal[k] * normal[j]) / mpf(size)) for k, j in pairs
        ]
        terms = [
            abs(gains[k]) / s * ((k == j) + (1 + 2 * lost[k] * lost[j]) / mpf(size))
            for k, j in pairs
        ]
    op = ops.LayerNorm(eps)
    within_bar(op.forward(x, gamma, beta), value, scales)
    within_bar(dense_jacobian(op, "x", [x, gamma, beta]).ravel(), slope, terms)
    within_bar(swept_vjp(op, "x", [x, gamma, beta]).ravel(), slope, terms)


# Planted mistakes: the textbook's formulas, and the measure itself.


@over_floats
def test_the_textbook_slopes_are_rejected(dtype, points):
    z = points(dtype)
    sigmoid, tanh = ops.Sigmoid().forward(z), np.tanh(z)
    for wrong, (_, _, slope) in [
        (sigmoid * (1 - sigmoid), ACTIVATIONS[0]),
        (1 - tanh**2, ACTIVATIONS[1]),
    ]:
        with pytest.raises(AssertionError, match="inf ULP"):
            within_bar(wrong, on_grid(slope, dtype, points))


@over_floats
def test_the_textbook_residual_is_rejected(dtype):
    z, p, rest, _ = row(31, 50, dtype)
    true = int(z.argmax())
    wrong = ops.Softmax().forward(z) - (np.arange(31) == true)
    with pytest.raises(AssertionError, match="ULP"):
        within_bar(
            wrong.astype(dtype),
            [-r if k == true else q for k, (q, r) in enumerate(zip(p, rest, strict=True))],
        )


@over_floats
@pytest.mark.parametrize("exact", [1.0, 0.75, 1e-30, 1e-44])
def test_the_measure_counts_floats(exact, dtype):
    x = np.array([exact], dtype)
    up = np.nextafter(x, dtype(2))
    assert ulps(x, [mpf(float(x[0]))]) == 0
    assert ulps(up, [mpf(float(x[0]))]) == 1
    assert ulps(np.array([np.nan], dtype), [mpf(1)]) == np.inf
    assert ulps(np.zeros(1, dtype), [mpf(float(x[0]))]) == np.inf
