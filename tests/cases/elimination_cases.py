"""Programs of primitive steps, as a tracer sees them: W @ x, + b, tanh, − y, squares, a sum.

The counts beside them are graphax's own (version of 2025, with JAX 0.5), all inputs as variables:
(reverse, forward).
"""

from itertools import pairwise

import numpy as np

from jacobian_bp import Network, Op, delta, dense, one


class Less(Op):
    signature = "a[k], b[k] -> d[k]"

    def forward(self, a, b):
        return a - b

    def jacobians(self, a, b):
        return {"a": delta("k,k'"), "b": -1.0 * delta("k,k'")}

    def vjp(self, g, a, b):
        return {"a": g, "b": -g}


def entrywise(name, function, slope, scalar=False):
    """An op of one input that acts on each entry, or on a scalar."""
    axis, factor = ("", "s") if scalar else ("k", "s[k]")

    class Entrywise(Op):
        signature = f"x[{axis}] -> y[{axis}]"

        def forward(self, x):
            return function(x)

        def jacobians(self, x):
            found = dense(factor, slope(x))
            return {"x": found if scalar else delta("k,k'") * found}

        def vjp(self, g, x):
            return {"x": g * slope(x)}

    Entrywise.__name__ = name
    return Entrywise


def spread(name, function, by_vector, by_scalar):
    """An op of a vector and a scalar that is read by each entry."""

    class Spread(Op):
        signature = "a[k], m[] -> d[k]"

        def forward(self, a, m):
            return function(a, m)

        def jacobians(self, a, m):
            return {
                "a": delta("k,k'") * dense("p", np.asarray(by_vector(a, m), float)),
                "m": one("k") * dense("q[k]", by_scalar(a, m)),
            }

        def vjp(self, g, a, m):
            return {"a": g * by_vector(a, m), "m": (g * by_scalar(a, m)).sum()}

    Spread.__name__ = name
    return Spread


OPS = {
    "Less": Less,
    "Square": entrywise("Square", np.square, lambda x: 2 * x),
    "Exponential": entrywise("Exponential", np.exp, np.exp),
    "Logarithm": entrywise("Logarithm", np.log, lambda x: 1 / x),
    "Negative": entrywise("Negative", np.negative, lambda x: -np.ones_like(x), True),
    "Eighth": entrywise("Eighth", lambda x: x / 8, lambda x: np.full_like(x, 0.125), True),
    "Above": entrywise("Above", lambda x: x + 1e-6, np.ones_like, True),
    "Root": entrywise("Root", np.sqrt, lambda x: 0.5 / np.sqrt(x), True),
    "Minus": spread("Minus", lambda a, m: a - m, lambda a, m: 1.0, lambda a, m: -np.ones_like(a)),
    "Plus": spread("Plus", lambda a, m: a + m, lambda a, m: 1.0, lambda a, m: np.ones_like(a)),
    "Times": spread("Times", lambda a, m: a * m, lambda a, m: m, lambda a, m: a),
    "Over": spread("Over", lambda a, m: a / m, lambda a, m: 1 / m, lambda a, m: -a / m**2),
}


def layer(number, source, target):
    """target = tanh(W source + b), in three steps."""
    return [
        f'v{number} = Einsum("ki,i->k", W{number}, {source})',
        f"u{number} = Add(v{number}, b{number})",
        f"{target} = Tanh(u{number})",
    ]


def squares(source):
    """J = Σ (source − y)²."""
    return [f"d = Less({source}, y)", "s = Square(d)", 'J = Einsum("k->", s)']


def run_of(lines, x, y, **params):
    """The program at random numbers of these shapes."""
    rng = np.random.default_rng(7)
    used = {name: op for name, op in OPS.items() if any(f"= {name}(" in line for line in lines)}
    drawn = {name: rng.uniform(0.5, 1.5, shape) for name, shape in params.items()}
    net = Network.program(*lines, params=drawn, ops=used)
    return net.run(x=rng.uniform(0.5, 1.5, x), y=rng.uniform(0.5, 1.5, y))


def dense_layers(*sizes):
    lines, params, source = [], {}, "x"
    for number, (i, k) in enumerate(pairwise(sizes), 1):
        lines += layer(number, source, f"a{number}")
        params |= {f"W{number}": (k, i), f"b{number}": (k,)}
        source = f"a{number}"
    return run_of([*lines, *squares(source)], sizes[0], sizes[-1], **params)


def skip_with_gate(gate="m = Multiply(z, x)", skip="f = Add(z, o)"):
    """Two layers of width 4, a gate between them and a skip around the second."""
    lines = [*layer(1, "x", "z"), gate, *layer(2, "m", "o"), skip, *squares("f")]
    return run_of(lines, 4, 4, W1=(4, 4), b1=(4,), W2=(4, 4), b2=(4,))


def perceptron():
    """4 → 8 tanh, layer norm, 8 → 4 tanh, softmax without a shift by the maximum, cross-entropy."""
    lines = [
        *layer(1, "x", "z"),
        'total = Einsum("k->", z)',
        "mean = Eighth(total)",
        "c = Minus(z, mean)",
        "c2 = Square(c)",
        'squared = Einsum("k->", c2)',
        "variance = Eighth(squared)",
        "safe = Above(variance)",
        "deviation = Root(safe)",
        "again = Minus(z, mean)",
        "n = Over(again, deviation)",
        "scaled = Times(n, gamma)",
        "h = Plus(scaled, beta)",
        *layer(2, "h", "o"),
        "e = Exponential(o)",
        'sum = Einsum("k->", e)',
        "p = Over(e, sum)",
        "log = Logarithm(p)",
        "each = Multiply(y, log)",
        'all = Einsum("k->", each)',
        "J = Negative(all)",
    ]
    return run_of(lines, 4, 4, W1=(8, 4), b1=(8,), W2=(4, 8), b2=(4,), gamma=(), beta=())


COUNTED = {  # a run, and (reverse, forward)
    "2-3-2": (lambda: dense_layers(2, 3, 2), (45, 209)),
    "3-4-2-1": (lambda: dense_layers(3, 4, 2, 1), (68, 411)),
    "4-5-3": (lambda: dense_layers(4, 5, 3), (103, 748)),
    "4-8-6-5-3": (lambda: dense_layers(4, 8, 6, 5, 3), (325, 7496)),
    "a gate, a skip": (skip_with_gate, (116, 984)),
    "a sum, a skip": (lambda: skip_with_gate("m = Add(z, x)", "f = Add(x, o)"), (116, 948)),
    "perceptron": (perceptron, (304, 7322)),
}
