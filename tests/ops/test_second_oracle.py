"""Every second derivative within 8 ULP of the exact value, as the first are.

From the smallest subnormal to |z| = 1000, in float64 and float32, against mpmath with 50 digits.
"""

import numpy as np
import pytest
from mpmath import mp, mpf
from op_checks import identical
from oracle import exactly, softmax_exactly, within_bar

from jacobian_bp import ops
from jacobian_bp.algebra.expression import Dense
from jacobian_bp.algebra.products.placing import evaluate

DTYPES = [np.float64, np.float32]
CUBIC = mpf(0.044715)  # the float that the op has


def sigma(z):
    return 1 / (1 + mp.exp(-z))


def density(z):
    return mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)


def twice_u(z):
    return 2 * mp.sqrt(2 / mp.pi) * (z + CUBIC * z**3)


def twice_u_slope(z):
    return 2 * mp.sqrt(2 / mp.pi) * (1 + 3 * CUBIC * z * z)


def exponents(z):
    return z[abs(z) < (709 if z.dtype == np.float64 else 88)]


def logistic_slope(z):
    return sigma(z) * sigma(-z)


def tanh_bend(z):
    e = mp.exp(-2 * abs(z))
    return -8 * mp.tanh(z) * e / (1 + e) ** 2


def by_tanh(z, sign=-1):
    """∂²(z σ(2u))/∂z², its terms added with this sign."""
    slope = twice_u_slope(z)
    bend = 12 * mp.sqrt(2 / mp.pi) * CUBIC * z
    parts = 2 * slope + z * bend, abs(z) * slope**2 * mp.tanh(abs(twice_u(z)) / 2)
    return logistic_slope(twice_u(z)) * (parts[0] + sign * parts[1])


def everywhere(z):
    return z


def to_a_thousand(z):
    return z[abs(z) <= 1000]


def inside(p):
    """Where neither the bend nor what it is made of leaves the floats."""

    def chosen(z):
        z = z[z > 0] if p % 1 else z[z != 0]
        size = np.log2(abs(z.astype(np.float64)))
        limits = np.finfo(z.dtype)
        top, least = np.log2(float(limits.max)) - 4, np.log2(float(limits.tiny)) + 4
        return z[(size * (p - 2) < top) & (size * (p - 2) > least)]

    return chosen


# op, its bend, the sum of its terms' sizes where they cancel, and the points
BENDS = [
    (ops.Sigmoid(), lambda z: -logistic_slope(z) * mp.tanh(z / 2), None, everywhere),
    (ops.Tanh(), tanh_bend, None, everywhere),
    (ops.Softplus(), logistic_slope, None, everywhere),
    (ops.ELU(), lambda z: mpf(0) if z > 0 else mp.exp(z), None, everywhere),
    (
        ops.SiLU(),
        lambda z: logistic_slope(z) * (2 - z * mp.tanh(z / 2)),
        lambda z: logistic_slope(z) * (2 + z * mp.tanh(z / 2)),
        everywhere,
    ),
    (
        ops.GELU(),
        lambda z: density(z) * (2 - z * z),
        lambda z: density(z) * (2 + z * z),
        to_a_thousand,
    ),
    (ops.GELU(approximate=True), by_tanh, lambda z: by_tanh(z, +1), to_a_thousand),
    (ops.Exp(), mp.exp, None, exponents),
    (ops.Sin(), lambda z: -mp.sin(z), None, everywhere),
    (ops.Cos(), lambda z: -mp.cos(z), None, everywhere),
    (ops.Log(), lambda z: -1 / z**2, None, inside(0)),
    (ops.Sqrt(), lambda z: -1 / (4 * z * mp.sqrt(z)), None, inside(0.5)),
    *(
        (
            ops.Power(p),
            lambda z, p=p: mpf(p) * (mpf(p) - 1) * mp.power(z, mpf(p) - 2),
            None,
            inside(p),
        )
        for p in (2, 3, 5, 0.1, 1.95, -0.3, -1)
    ),
]


def factor(op, z):
    (term,) = op.second(z)["z", "z"].terms
    (dense,) = term.of(Dense)
    return dense.array


@pytest.mark.one_in(8)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("op", "bend", "terms", "chosen"), BENDS, ids=[repr(b[0]) for b in BENDS])
def test_an_elementwise_bend_is_within_eight_ulp(op, bend, terms, chosen, dtype, points):
    z = chosen(points(dtype))
    found = factor(op, z)
    assert found.dtype == dtype
    assert len(z) > len(points(dtype)) / 8
    within_bar(found, exactly(bend, z), exactly(terms, z) if terms else None)


def test_the_textbooks_form_loses_the_bend_of_a_saturated_sigmoid():
    z = np.array([40.0])
    s = ops.Sigmoid().forward(z)
    with pytest.raises(AssertionError, match="inf ULP"):
        within_bar(s * (1 - s) * (1 - 2 * s), exactly(BENDS[0][1], z))
    assert float(factor(ops.Sigmoid(), z)[0]) == -4.248354255291589e-18


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [0.5, 8.0, 300.0])
def test_a_softmax_bends_exactly_to_the_sum_of_its_terms(dtype, scale):
    """p[k] ((δ[k,k'] − p[k']) (δ[k,k''] − p[k'']) − p[k'] (δ[k',k''] − p[k'']))"""
    size, rng = 5, np.random.default_rng(43)
    sizes = dict.fromkeys(["k", "k'", "k''"], size)
    unit = float(np.finfo(dtype).eps) / 2
    tiny = float(np.finfo(dtype).smallest_subnormal)
    for _ in range(7):
        z = (scale * rng.normal(size=size)).astype(dtype)
        p, rest, _ = softmax_exactly(z)
        for op, axes in (
            (ops.Softmax(), ["k", "k'", "k''"]),
            (ops.LogSoftmax(), ["k", "k'", "k''"]),
            (ops.LogSumExp(), ["k'", "k''"]),
        ):
            found = evaluate(op.second(z)["z", "z"], axes, sizes, np.dtype(dtype))
            if type(op) is ops.LogSumExp:  # −1[k] times it is that of the logarithm of p
                found = np.broadcast_to(-found, (size,) * 3)
            for k, a, b in np.ndindex(*found.shape):
                first = rest[k] if k == a else -p[a]
                second = rest[k] if k == b else -p[b]
                cov = p[a] * (rest[a] if a == b else -p[b])
                exact, terms = -cov, abs(cov)
                if type(op) is ops.Softmax:
                    exact = p[k] * (first * second - cov)
                    terms = p[k] * (abs(first * second) + abs(cov))
                off = abs(mpf(float(found[k, a, b])) - exact)
                assert off <= 16 * unit * terms + 8 * tiny, (op, k, a, b)


def test_hard_and_soft_labels_bend_a_fused_loss_alike():
    """∂²L/∂z² is σ'(z) whatever the label: it is not built from 1−y and y."""
    z = np.array([-40.0, 0.5, 3.0])
    rules = [
        ops.BinaryCrossEntropyFromLogits().second(z, np.full(3, y))["z", "z"].terms[0].of(Dense)
        for y in (0.0, 0.25, 1.0)
    ]
    for (dense,) in rules:
        identical(dense.array, factor(ops.Softplus(), z))
