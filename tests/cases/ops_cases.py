"""The table of derivatives, a second time: every op from its formula, by plain arithmetic.

A capital letter is the variable's own axis: ∂z[k]/∂W[K,i] is `d(k, K) * a[i]`.
"""

# ruff: noqa: E741  (I is an index)

import math
from dataclasses import replace

import pytest
from op_case import SIZES, Case, class_index, hard_and_soft, probability, weights

from jacobian_bp import ops

N, I, K, J = (range(SIZES[axis]) for axis in "nikj")


def d(k, K):
    """The Kronecker delta."""
    return 1.0 if k == K else 0.0


def sigma(z):
    return 1 / (1 + math.exp(-z))


def log_sigma(z):
    return -math.log(1 + math.exp(-z))


def softmax(k, z):
    return math.exp(z[k]) / sum(math.exp(v) for v in z)


def activation(op, f, slope):
    """a[k] = f(z[k]);  ∂a[k]/∂z[K] is f'(z[k]) where k = K, else 0."""
    rank = len(op.parsed.output.axes)

    def entry(*args):
        k, by, z = args[:rank], args[rank:-1], args[-1]
        return slope(z[k]) if k == by else 0.0

    return Case(op, lambda *args: f(args[-1][args[:-1]]), {"z": entry})


def pointwise(op, f, by_a, by_b, shared=()):
    """c[k] = f(a[k], b[k])"""
    slopes = {
        "a": lambda k, K, a, b: d(k, K) * by_a(a[k], b[k]),
        "b": lambda k, K, a, b: d(k, K) * by_b(a[k], b[k]),
    }
    return Case(op, lambda k, a, b: f(a[k], b[k]), slopes, shared=shared)


def squared_error(op, half):
    """L = half · Σ_k (a[k] − y[k])²"""
    slopes = {
        "a": lambda k, a, y: 2 * half * (a[k] - y[k]),
        "y": lambda k, a, y: -2 * half * (a[k] - y[k]),
    }
    return Case(op, lambda a, y: half * sum((a[k] - y[k]) ** 2 for k in K), slopes)


def huber(delta):
    """L = Σ_k h(a[k] − y[k])"""

    def value(r):
        return r * r / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2)

    slopes = {
        "a": lambda k, a, y: max(-delta, min(delta, a[k] - y[k])),
        "y": lambda k, a, y: -max(-delta, min(delta, a[k] - y[k])),
    }
    return Case(ops.Huber(delta), lambda a, y: sum(value(a[k] - y[k]) for k in K), slopes)


def divergence(draw):
    """L = Σ_k y[k] log(y[k]/p[k]); 0 where y[k] is 0"""
    return Case(
        ops.KLDivergence(),
        lambda p, y: sum(y[k] * math.log(y[k] / p[k]) for k in K if y[k]),
        {"p": lambda k, p, y: -y[k] / p[k]},
        {"p": probability, "y": draw},
    )


def divergence_from_logits(draw):
    """L = Σ_k y[k] log(y[k]/softmax(z)[k])"""
    return Case(
        ops.KLDivergenceFromLogits(),
        lambda z, y: sum(y[k] * math.log(y[k] / softmax(k, z)) for k in K if y[k]),
        {"z": lambda k, z, y: softmax(k, z) - y[k]},
        {"y": draw},
    )


def cross_entropy(draw):
    """L = −Σ_k y[k] log p[k]"""
    return Case(
        ops.CrossEntropy(),
        lambda p, y: -sum(y[k] * math.log(p[k]) for k in K),
        {"p": lambda k, p, y: -y[k] / p[k]},
        {"p": probability, "y": draw},
    )


def cross_entropy_from_logits(draw):
    """L = −Σ_k y[k] log softmax(z)[k]"""
    return Case(
        ops.CrossEntropyFromLogits(),
        lambda z, y: -sum(y[k] * math.log(softmax(k, z)) for k in K),
        {"z": lambda k, z, y: softmax(k, z) - y[k]},
        {"y": draw},
    )


def reduction(op, share):
    """J[k] = share · Σ_n L[n,k], with no k or with several."""
    rank = len(op.parsed.output.axes)

    def entry(*args):
        k, by = args[:rank], args[rank + 1 : -1]
        return share if k == by else 0.0

    return Case(op, lambda *args: share * sum(args[-1][(n, *args[:-1])] for n in N), {"L": entry})


def positive(rng, shape):
    return rng.uniform(0.3, 2.5, shape)


def elementary(op, f, slope, draw=None):
    """`activation`, of numbers that the function takes."""
    case = activation(op, f, slope)
    return case if draw is None else replace(case, draws={"z": draw})


def normal_below(z):
    return (1 + math.erf(z / math.sqrt(2))) / 2


def twice_u(z):
    return 2 * math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)


def gelu_by_tanh_slope(z):
    s = sigma(twice_u(z))
    return s + z * s * (1 - s) * 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)


def standardised(x, eps):
    """(x − μ)/s and s, of a list of numbers."""
    mean = sum(x) / len(x)
    s = math.sqrt(sum((v - mean) ** 2 for v in x) / len(x) + eps)
    return [(v - mean) / s for v in x], s


def layer_norm(eps):
    """y[k] = gamma[k] x̂[k] + beta[k]"""

    def by_x(k, K, x, gamma, beta):
        normal, s = standardised(x, eps)
        return gamma[k] / s * (d(k, K) - 1 / len(x) - normal[k] * normal[K] / len(x))

    return Case(
        ops.LayerNorm(eps),
        lambda k, x, gamma, beta: gamma[k] * standardised(x, eps)[0][k] + beta[k],
        {
            "x": by_x,
            "gamma": lambda k, K, x, gamma, beta: d(k, K) * standardised(x, eps)[0][k],
            "beta": lambda k, K, x, gamma, beta: d(k, K),
        },
    )


def rms_norm(eps):
    """y[k] = gamma[k] x[k]/r"""

    def size(x):
        return math.sqrt(sum(v * v for v in x) / len(x) + eps)

    return Case(
        ops.RMSNorm(eps),
        lambda k, x, gamma: gamma[k] * x[k] / size(x),
        {
            "x": lambda k, K, x, gamma: (
                gamma[k] * (d(k, K) / size(x) - x[k] * x[K] / len(x) / size(x) ** 3)
            ),
            "gamma": lambda k, K, x, gamma: d(k, K) * x[k] / size(x),
        },
    )


def batch_norm(eps):
    """y[n,k] = gamma[k] x̂[n,k] + beta[k], each column standardised"""

    def by_x(n, k, M, K, x, gamma, beta):
        normal, s = standardised(x[:, k], eps)
        inner = d(n, M) - 1 / len(x) - normal[n] * normal[M] / len(x)
        return d(k, K) * gamma[k] / s * inner

    return Case(
        ops.BatchNorm(eps),
        lambda n, k, x, gamma, beta: gamma[k] * standardised(x[:, k], eps)[0][n] + beta[k],
        {
            "x": by_x,
            "gamma": lambda n, k, K, x, gamma, beta: d(k, K) * standardised(x[:, k], eps)[0][n],
            "beta": lambda n, k, K, x, gamma, beta: d(k, K),
        },
    )


def binary(y, right, left):
    """y · right + (1 − y) · left"""
    return y * right + (1 - y) * left


LAYERS = [
    Case(
        ops.Linear(),
        lambda k, a, W, b: sum(W[k, i] * a[i] for i in I) + b[k],
        {
            "a": lambda k, i, a, W, b: W[k, i],
            "W": lambda k, K, i, a, W, b: d(k, K) * a[i],
            "b": lambda k, K, a, W, b: d(k, K),
        },
    ),
    activation(ops.Identity(), lambda z: z, lambda z: 1.0),
    activation(ops.Sigmoid(), sigma, lambda z: sigma(z) * (1 - sigma(z))),
    activation(ops.Sigmoid("r,c"), sigma, lambda z: sigma(z) * (1 - sigma(z))),
    activation(ops.Tanh(), math.tanh, lambda z: 1 - math.tanh(z) ** 2),
    activation(ops.ReLU(), lambda z: max(0.0, z), lambda z: float(z > 0)),
    activation(ops.LeakyReLU(slope=0.2), lambda z: max(0.2 * z, z), lambda z: 1 if z > 0 else 0.2),
    activation(ops.Softplus(), lambda z: math.log(1 + math.exp(z)), sigma),
    elementary(ops.Exp(), math.exp, math.exp, positive),
    elementary(ops.Log(), math.log, lambda z: 1 / z, positive),
    elementary(ops.Sqrt(), math.sqrt, lambda z: 0.5 / math.sqrt(z), positive),
    elementary(ops.Power(3), lambda z: z**3, lambda z: 3 * z * z),
    elementary(ops.Power(-2, "r,c"), lambda z: z**-2, lambda z: -2 * z**-3, positive),
    elementary(ops.Power(0.3), lambda z: z**0.3, lambda z: 0.3 * z**-0.7, positive),
    elementary(ops.Sin(), math.sin, math.cos),
    elementary(ops.Cos("r,c"), math.cos, lambda z: -math.sin(z)),
    elementary(ops.Abs(), abs, lambda z: math.copysign(1, z)),
    elementary(
        ops.ELU(alpha=0.5),
        lambda z: z if z > 0 else 0.5 * math.expm1(z),
        lambda z: 1 if z > 0 else 0.5 * math.exp(z),
    ),
    elementary(ops.SiLU(), lambda z: z * sigma(z), lambda z: sigma(z) * (1 + z * (1 - sigma(z)))),
    elementary(
        ops.GELU(),
        lambda z: z * normal_below(z),
        lambda z: normal_below(z) + z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    ),
    elementary(ops.GELU(approximate=True), lambda z: z * sigma(twice_u(z)), gelu_by_tanh_slope),
    Case(
        ops.Softmax(),
        softmax,
        {"z": lambda k, K, z: softmax(k, z) * (d(k, K) - softmax(K, z))},
    ),
    Case(
        ops.LogSoftmax(),
        lambda k, z: math.log(softmax(k, z)),
        {"z": lambda k, K, z: d(k, K) - softmax(K, z)},
    ),
    layer_norm(1e-5),
    layer_norm(0.25),
    rms_norm(1e-5),
    batch_norm(1e-5),
    pointwise(ops.Add(), lambda a, b: a + b, lambda a, b: 1.0, lambda a, b: 1.0),
    pointwise(ops.Add(), lambda a, b: a + b, lambda a, b: 1.0, lambda a, b: 1.0, ("b",)),
    pointwise(ops.Multiply(), lambda a, b: a * b, lambda a, b: b, lambda a, b: a),
    pointwise(ops.Multiply(), lambda a, b: a * b, lambda a, b: b, lambda a, b: a, ("a",)),
]

LOSSES = [
    squared_error(ops.SquaredError(), 1.0),
    squared_error(ops.HalfSquaredError(), 0.5),
    Case(
        ops.BinaryCrossEntropy(),
        lambda a, y: -sum(binary(y[k], math.log(a[k]), math.log(1 - a[k])) for k in K),
        {"a": lambda k, a, y: -binary(y[k], 1 / a[k], -1 / (1 - a[k]))},
        {"a": probability, "y": hard_and_soft},
    ),
    Case(
        ops.BinaryCrossEntropyFromLogits(),
        lambda z, y: -sum(binary(y[k], log_sigma(z[k]), log_sigma(-z[k])) for k in K),
        {"z": lambda k, z, y: sigma(z[k]) - y[k]},
        {"y": hard_and_soft},
    ),
    cross_entropy(class_index),
    cross_entropy(weights),
    cross_entropy_from_logits(class_index),
    cross_entropy_from_logits(weights),
    huber(1.0),
    huber(0.25),
    divergence(class_index),
    divergence(weights),
    divergence_from_logits(class_index),
    divergence_from_logits(weights),
    Case(ops.MeanOverOutputs(3), lambda L: L / 3, {"L": lambda L: 1 / 3}),
    reduction(ops.Sum(), 1.0),
    reduction(ops.Sum("k"), 1.0),
    reduction(ops.Mean(), 1 / SIZES["n"]),
    reduction(ops.Mean("k"), 1 / SIZES["n"]),
]


def penalty(op, value, slope):
    """R = λ Σ value(w), over one example or a batch alike: ∂R/∂w is slope(w)."""

    def entry(*args):
        return slope(args[-1][args[:-1]])

    return Case(op, lambda W: sum(value(w) for w in W.ravel()), {"W": entry})


PENALTIES = [
    penalty(ops.L2Penalty(0.3), lambda w: 0.3 * w * w, lambda w: 0.6 * w),
    penalty(ops.L2Penalty(0.3, "k"), lambda w: 0.3 * w * w, lambda w: 0.6 * w),
    penalty(ops.HalfL2Penalty(0.3), lambda w: 0.15 * w * w, lambda w: 0.3 * w),
    penalty(ops.L1Penalty(0.3), lambda w: 0.3 * abs(w), lambda w: math.copysign(0.3, w)),
    penalty(ops.L1Penalty(0.3, "k,i,j"), lambda w: 0.3 * abs(w), lambda w: math.copysign(0.3, w)),
]

MATRIX_TIMES_VECTOR = {
    "a": lambda k, K, i, a, b: d(k, K) * b[i],
    "b": lambda k, i, a, b: a[k, i],
}

EINSUMS = [
    Case(
        ops.Einsum("k,i->ki"),
        lambda k, i, a, b: a[k] * b[i],
        {
            "a": lambda k, i, K, a, b: d(k, K) * b[i],
            "b": lambda k, i, I, a, b: a[k] * d(i, I),
        },
    ),
    *(
        Case(
            ops.Einsum("ki,i->k"),
            lambda k, a, b: sum(a[k, i] * b[i] for i in I),
            MATRIX_TIMES_VECTOR,
            shared=shared,
        )
        for shared in [(), ("a",), ("b",)]
    ),
    Case(
        ops.Einsum("ij,jk->ik"),
        lambda i, k, a, b: sum(a[i, j] * b[j, k] for j in J),
        {
            "a": lambda i, k, I, j, a, b: d(i, I) * b[j, k],
            "b": lambda i, k, j, K, a, b: a[i, j] * d(k, K),
        },
    ),
    Case(
        ops.Einsum("ki,i->i"),
        lambda i, a, b: sum(a[k, i] for k in K) * b[i],
        {
            "a": lambda i, k, I, a, b: d(i, I) * b[i],
            "b": lambda i, I, a, b: d(i, I) * sum(a[k, i] for k in K),
        },
    ),
    Case(
        ops.Einsum("k,k,k->"),
        lambda a, b, c: sum(a[k] * b[k] * c[k] for k in K),
        {
            "a": lambda k, a, b, c: b[k] * c[k],
            "b": lambda k, a, b, c: a[k] * c[k],
            "c": lambda k, a, b, c: a[k] * b[k],
        },
    ),
    Case(
        ops.Einsum("i,ij,j->"),
        lambda a, b, c: sum(a[i] * b[i, j] * c[j] for i in I for j in J),
        {
            "a": lambda i, a, b, c: sum(b[i, j] * c[j] for j in J),
            "b": lambda i, j, a, b, c: a[i] * c[j],
            "c": lambda j, a, b, c: sum(a[i] * b[i, j] for i in I),
        },
    ),
    Case(
        ops.Einsum(",k->k"),
        lambda k, a, b: a * b[k],
        {"a": lambda k, a, b: b[k], "b": lambda k, K, a, b: d(k, K) * a},
    ),
    Case(
        ops.Einsum("ii->i"),
        lambda i, a: a[i, i],
        {"a": lambda i, row, column, a: d(i, row) * d(i, column)},
    ),
    Case(
        ops.Einsum("ii->"),
        lambda a: sum(a[i, i] for i in I),
        {"a": lambda row, column, a: d(row, column)},
    ),
    Case(
        ops.Einsum("ij->"),
        lambda a: sum(a[i, j] for i in I for j in J),
        {"a": lambda i, j, a: 1.0},
    ),
    Case(
        ops.Einsum("ij->ji"),
        lambda j, i, a: a[i, j],
        {"a": lambda j, i, I, J, a: d(i, I) * d(j, J)},
    ),
]

CASES = LAYERS + LOSSES + PENALTIES + EINSUMS


# Mean and Sum read the batch itself: they have one form.
# A penalty reads no example: it has one form too.
def in_batches(case):
    return not (case.op.parsed.mixes_examples or case in PENALTIES)


FORMS = [(c, b) for c in CASES for b in (False, True) if not b or in_batches(c)]


def in_both_forms(test):
    """Parametrise a test over every op, for one example and for a batch."""
    ids = [f"{case}{', batch' if batch else ''}" for case, batch in FORMS]
    return pytest.mark.parametrize(("case", "batch"), FORMS, ids=ids)(test)


def by_every_input(test):
    """… and over every input that the op is differentiated by."""
    rows = [(case, batch, name) for case, batch in FORMS for name in case.op.differentiable()]
    ids = [f"{case}, ∂{name}{', batch' if batch else ''}" for case, batch, name in rows]
    return pytest.mark.parametrize(("case", "batch", "name"), rows, ids=ids)(test)
