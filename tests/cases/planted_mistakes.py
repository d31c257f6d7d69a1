"""Mistakes as a student writes them in numpy, over networks of several shapes.

Nothing here is shared with the diagnosis: forward and backward are written out by
hand. A plant is (label, variant, arrays handed in, factor); labels that give the same
numbers are joined by "|".
"""

# ruff: noqa: B023  each rule is used before its loop goes on

from dataclasses import dataclass, field

import numpy as np
from network_cases import random_net

from jacobian_bp import Network
from jacobian_bp.reference import second_seed


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


VALUE = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: z * (z > 0),
    "softmax": softmax,
    "identity": lambda z: z,
}
SLOPE = {
    "sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0) * 1.0,
    "identity": lambda z: np.ones_like(z),
}
BY_VALUE = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a**2}


@dataclass
class Scene:
    """A dense network at one point, with everything a student has on paper."""

    name: str
    net: Network
    x: np.ndarray
    y: np.ndarray
    acts: list
    loss: str
    squash: bool = False
    run: object = None
    a: list = field(default_factory=list)
    z: list = field(default_factory=list)

    def __post_init__(self):
        self.run = self.net.run(self.x, self.y)
        self.depth = len(self.acts)
        self.m = len(self.x) if self.x.ndim == 2 else 1
        self.W = [None] + [self.net.params[f"W{n}"] for n in range(1, self.depth + 1)]
        self.a = [sigmoid(self.x) if self.squash else self.x]
        self.z = [None]
        for n in range(1, self.depth + 1):
            self.z.append(self.a[-1] @ self.W[n].T + self.net.params[f"b{n}"])
            self.a.append(VALUE[self.acts[n - 1]](self.z[-1]))
        self.rows = self.y
        p = self.a[-1]
        if self.loss == "cross_entropy":
            self.rows = np.eye(p.shape[-1])[self.y]
        elif self.rows.shape != p.shape:
            self.rows = self.rows.reshape(p.shape)

    @property
    def batch(self):
        return self.x.ndim == 2

    @property
    def fused(self):
        return self.loss in ("bce", "cross_entropy")

    def slope(self, n):
        return SLOPE[self.acts[n - 1]](self.z[n])

    def width(self, n):
        return self.a[n].shape[-1]

    def output_delta(self):
        p, y = self.a[-1], self.rows
        if self.fused:
            return (p - y) / self.m
        d = (2 if self.loss == "squared_error" else 1) * (p - y) / self.m
        if self.acts[-1] == "softmax":
            return p * (d - (d * p).sum(-1, keepdims=True))
        return d * self.slope(self.depth)

    def backward(self, out=None, hidden=None, weight=None, bias=None):
        """All deltas and gradients; each rule may be the student's own."""
        found = {}
        d = self.output_delta() if out is None else out
        for n in range(self.depth, 0, -1):
            found[f"z{n}"] = d
            a = self.a[n - 1]
            right = d.T @ a if self.batch else np.outer(d, a)
            mine = weight(n, d) if weight else None
            found[f"W{n}"] = right if mine is None else mine
            mine = bias(n, d) if bias else None
            found[f"b{n}"] = (d.sum(0) if self.batch else d) if mine is None else mine
            if n > 1:
                mine = hidden(n - 1, d) if hidden else None
                d = (d @ self.W[n]) * self.slope(n - 1) if mine is None else mine
        return found


def scenes():
    rng = np.random.default_rng(77)
    seeds = second_seed()
    relu3 = ["relu", "relu", "sigmoid"]
    found = [
        Scene("seed", seeds, np.array([1.0, -2.0, 0.5]), np.array([1.0]), relu3, "bce"),
        Scene(
            "seed5",
            seeds,
            rng.normal(size=(5, 3)) * 1.5,
            np.array([1.0, 0, 1, 1, 0]),
            relu3,
            "bce",
        ),
    ]
    square = random_net([3, 3, 3], ["tanh", "sigmoid"], "squared_error", 4)
    acts = ["tanh", "sigmoid"]
    x, y = rng.normal(size=3), rng.normal(size=3)
    found.append(Scene("square", square, x, y, acts, "squared_error"))
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    found.append(Scene("square4", square, x, y, acts, "squared_error"))
    deep3 = random_net([3, 3, 3, 3], ["sigmoid", "tanh", "sigmoid"], "bce", 14)
    x, y = rng.normal(size=(3, 3)), (rng.random((3, 3)) < 0.5) * 1.0
    found.append(Scene("cube", deep3, x, y, ["sigmoid", "tanh", "sigmoid"], "bce"))
    one = random_net([5, 3], ["softmax"], "cross_entropy", 5)
    x, y = rng.normal(size=(7, 5)), rng.integers(0, 3, 7)
    found.append(Scene("softmax7", one, x, y, ["softmax"], "cross_entropy"))
    two = random_net([5, 4, 3], ["tanh", "softmax"], "cross_entropy", 6)
    found.append(Scene("softmax", two, x[0], y[0], ["tanh", "softmax"], "cross_entropy"))
    loose = random_net([4, 5, 3], ["sigmoid", "softmax"], "squared_error", 7)
    x, y = rng.normal(size=(6, 4)), rng.random((6, 3))
    found.append(Scene("soft6", loose, x, y, ["sigmoid", "softmax"], "squared_error"))
    dead = random_net([4, 6, 5, 2], ["relu", "relu", "identity"], "half_squared_error", 8)
    b = {"b1": dead.params["b1"].copy(), "b2": dead.params["b2"].copy()}
    b["b1"][2], b["b2"][0] = -50, -60
    dead = dead.with_params(b)
    x, y = rng.normal(size=(8, 4)), rng.normal(size=(8, 2))
    acts = ["relu", "relu", "identity"]
    found.append(Scene("dead8", dead, x, y, acts, "half_squared_error"))
    found.append(Scene("dead", dead, x[1], y[1], acts, "half_squared_error"))
    deep = random_net([2, 5, 3, 2], "sigmoid", "half_squared_error", 9, squash_input=True)
    x, y = rng.normal(size=(7, 2)), rng.random((7, 2))
    acts = ["sigmoid"] * 3
    found.append(Scene("deep7", deep, x, y, acts, "half_squared_error", True))
    found.append(Scene("deep", deep, x[0], y[0], acts, "half_squared_error", True))
    line = random_net([3, 4, 1], ["tanh", "sigmoid"], "squared_error", 10)
    x, y = rng.normal(size=(6, 3)), rng.random(6)
    found.append(Scene("one6", line, x, y, ["tanh", "sigmoid"], "squared_error"))
    return found


def dense_plants(s):
    """(label, variant, arrays, factor) for one scene: what numpy lets through."""
    yield from _slopes(s)
    yield from _outputs(s)
    yield from _weights(s)
    yield from _parameters(s)
    yield from _factors(s)


def at(layer, rule):
    """The rule in one layer only."""
    return lambda n, d: rule(n, d) if n == layer else None


def _slopes(s):
    B = s.backward
    for n in range(1, s.depth):
        act, g = s.acts[n - 1], s.slope(n)

        def u(k, d, s=s):
            return d @ s.W[k + 1]

        def plant(rule, n=n):
            return B(hidden=at(n, rule))

        yield "missing-slope", f"{n}", plant(lambda k, d: u(k, d)), None
        if act != "relu":
            f = SLOPE[act]
            yield "slope-at-activation", f"{n}", plant(lambda k, d: u(k, d) * f(s.a[k])), None
            h = BY_VALUE[act]
            formula = plant(lambda k, d: u(k, d) * h(s.z[k]))
            yield "slope-of-preactivation-formula", f"{n}", formula, None
        yield "value-for-slope", f"{n}", plant(lambda k, d: u(k, d) * s.a[k]), None
        for other in range(1, s.depth + 1):
            if other != n and s.acts[other - 1] != "softmax" and s.width(other) in (1, s.width(n)):
                t = s.slope(other)
                yield "wrong-layer-slope", f"{n}<{other}", plant(lambda k, d: u(k, d) * t), None
        if not s.batch:
            dot = {f"z{n}": np.dot(u(n, B()[f"z{n + 1}"]), g)}
            yield "contraction-for-elementwise", f"dot{n}", dot, None
            table = {f"z{n}": u(n, B()[f"z{n + 1}"]).reshape(-1, 1) * g}
            yield "row-column-broadcast", f"{n}", table, None
            summed = plant(lambda k, d: (u(k, d).reshape(-1, 1) * g).sum(axis=1))
            yield "row-column-broadcast|contraction-for-elementwise", f"sum{n}", summed, None
        else:
            dot = {f"z{n}": u(n, B()[f"z{n + 1}"]) @ g.T}
            yield "contraction-for-elementwise", f"dot{n}", dot, None
        total = plant(lambda k, d: u(k, d) * g.sum(axis=-1, keepdims=True))
        yield "contraction-for-elementwise|row-column-broadcast", f"total{n}", total, None
    if s.depth > 2:
        every = B(hidden=lambda k, d: d @ s.W[k + 1])
        yield "missing-slope", "all", every, None


def _outputs(s):
    B, p, y, m = s.backward, s.a[-1], s.rows, s.m
    last = s.acts[-1]
    d = s.output_delta()
    if s.fused:
        through = p * (1 - p)
        yield "extra-output-slope", "", B(out=d * through), None
        if last == "softmax":
            yield "softmax-as-elementwise", "", B(out=(-y / p / m) * through), None
            yield "missing-output-slope", "", B(out=-y / p / m), None
        else:
            yield "missing-output-slope", "", B(out=(p - y) / through / m), None
    else:
        c = (2 if s.loss == "squared_error" else 1) / m
        if last != "identity":
            yield "missing-output-slope", "", B(out=c * (p - y)), None
        if last == "softmax":
            yield "softmax-as-elementwise", "", B(out=c * (p - y) * p * (1 - p)), None
        if last in BY_VALUE:
            f = SLOPE[last]
            yield "extra-output-slope", "", B(out=c * (p - y) * s.slope(s.depth) ** 2), None
            yield "slope-at-activation", "out", B(out=c * (p - y) * f(p)), None
            h = BY_VALUE[last]
            formula = B(out=c * (p - y) * h(s.z[-1]))
            yield "slope-of-preactivation-formula", "out", formula, None
            yield "value-for-slope", "out", B(out=c * (p - y) * p), None
            if s.width(s.depth - 1) == s.width(s.depth):
                g = SLOPE[s.acts[-2]](s.z[-2])
                yield "wrong-layer-slope", "out", B(out=c * (p - y) * g), None
    if last == "sigmoid" and s.fused:
        z = B(out=(s.z[-1] - y) / m)
        yield "preactivation-for-activation", "out", z, None
    if s.width(s.depth) == 1 and s.batch:
        k = 1 if s.fused else 2 if s.loss == "squared_error" else 1
        g = 1 if s.fused else s.slope(s.depth)
        table = k * (p - y.ravel()) / m
        if s.fused:
            yield "flat-labels", "table", {f"z{s.depth}": table}, None
        mean = k * (p - y.ravel()).mean(axis=1, keepdims=True) * g / m
        yield "flat-labels", "mean", B(out=mean), None
        total = k * (p - y.ravel()).sum(axis=1, keepdims=True) * g / m
        yield "flat-labels", "sum", B(out=total), None
    if not s.batch and s.width(s.depth) > 1 and s.fused:
        yield "row-column-broadcast", "out", {f"z{s.depth}": p.reshape(-1, 1) - y}, None
    if last == "softmax" and s.fused and s.batch:
        e = np.exp(s.z[-1] - s.z[-1].max(axis=0))
        yield "examples-axis", "softmax", B(out=(e / e.sum(axis=0) - y) / m), None


def _weights(s):
    B = s.backward
    for n in range(1, s.depth):
        W, g = s.W[n + 1], s.slope(n)
        K, I = W.shape  # noqa: E741

        def plant(rule, n=n):
            return B(hidden=at(n, rule))

        if K == I:
            yield "weight-not-transposed", f"{n}", plant(lambda k, d: (d @ W.T) * g), None
            both = plant(lambda k, d: np.einsum("...k,ki->...k", d, W) * g)
            yield "wrong-contraction", f"einsum{n}", both, None
            if not s.batch:
                summed = plant(lambda k, d: (d * W).sum(axis=0) * g)
                yield "elementwise-for-contraction", f"sum{n}", summed, None
                table = {f"z{n}": B()[f"z{n + 1}"] * W * g}
                yield "elementwise-for-contraction", f"plain{n}", table, None
        if K in (1, I):
            yield "weight-missing", f"{n}", plant(lambda k, d: d * g), None
        if K > 1 and not s.batch:
            table = {f"z{n}": B()[f"z{n + 1}"][:, None] * W * g}
            yield "elementwise-for-contraction", f"{n}", table, None
        if K != I and K > 1 and I > 1:
            mixed = plant(lambda k, d: (d @ W.T.reshape(W.shape)) * g)
            yield "mixed-layouts", f"W reshaped {n}", mixed, None
        right = B()
        stale = W - 0.1 * right[f"W{n + 1}"]
        yield "stale-weights", f"{n}", plant(lambda k, d: (d @ stale) * g), 0.1
    if s.depth > 2:
        yield "stale-weights", "loop", _updated_on_the_way(s, 0.05), 0.05


def _updated_on_the_way(s, rate):
    found, d = {}, s.output_delta()
    for n in range(s.depth, 0, -1):
        found[f"z{n}"] = d
        dW = d.T @ s.a[n - 1] if s.batch else np.outer(d, s.a[n - 1])
        found[f"W{n}"], found[f"b{n}"] = dW, d.sum(0) if s.batch else d
        if n > 1:
            d = (d @ (s.W[n] - rate * dW)) * s.slope(n - 1)
    return found


def _parameters(s):
    B = s.backward
    for n in range(1, s.depth + 1):
        a = s.a[n - 1]

        def join(d, a):
            return d.T @ a if s.batch else np.outer(d, a)

        def weight(rule, n=n):
            return B(weight=at(n, rule))

        def bias(rule, n=n):
            return B(bias=at(n, rule))

        if n > 1:
            z = s.z[n - 1]
            pre = weight(lambda k, d: join(d, z))
            yield "preactivation-for-activation", f"W{n}", pre, None
        for other in range(s.depth + 1):
            if other not in (n - 1,) and s.acts[max(other - 1, 0)] != "softmax":
                wrong = weight(lambda k, d, o=other: join(d, s.a[o]))
                yield "wrong-layer-activation", f"W{n}<a{other}", wrong, None
        shape = s.W[n].shape
        if min(shape) > 1:
            yield "transposed", f"W{n}", weight(lambda k, d: join(d, a).T), None
            scrambled = weight(lambda k, d: join(d, a).ravel(order="F").reshape(shape))
            yield "reshape-order|mixed-layouts", f"W{n}", scrambled, None
            if shape[0] != shape[1]:
                turned = weight(lambda k, d: join(d, a).reshape(shape[::-1]))
                yield "reshape-order", f"W{n} for T", turned, None
        if shape[0] == shape[1]:
            if not s.batch:
                entry = weight(lambda k, d: d * a)
                yield "elementwise-for-contraction", f"W{n}", entry, None
                dot = weight(lambda k, d: np.dot(d, a))
                yield "wrong-contraction|contraction-for-elementwise", f"W{n} dot", dot, None
            else:
                over = weight(lambda k, d: d @ a.T)
                yield "examples-axis|wrong-contraction", f"W{n}", over, None
        if s.batch:
            if a.shape[0] != a.shape[1] and min(a.shape) > 1:  # A.reshape(m, n) for A.T
                reshaped = weight(lambda k, d: join(d, a.T.reshape(a.shape)))
                yield "reshape-order", f"W{n} input", reshaped, None
            if s.width(n) not in (1, s.m):
                reshaped = weight(lambda k, d: d.reshape(d.shape[::-1]) @ a)
                yield "reshape-order", f"W{n} delta", reshaped, None
            apart = weight(lambda k, d: np.outer(d.sum(0), a.sum(0)))
            yield "wrong-contraction", f"W{n} sums", apart, None
            one = weight(lambda k, d: np.outer(d[0], a[0]) * s.m)
            yield "check-of-wrong-quantity", f"W{n} one", one, None
            yield "bias-not-summed", f"b{n}", bias(lambda k, d: d), None
            yield "bias-wrong-axis", f"b{n}", bias(lambda k, d: d.sum(axis=1)), None
        elif s.width(n) > 1:
            yield "bias-wrong-axis", f"b{n}", bias(lambda k, d: d.sum()), None
        decay = weight(lambda k, d: join(d, a) + 0.01 * s.W[k])
        yield "weight-decay", f"W{n}", decay, 0.01
        if s.m > 1:
            decay = weight(lambda k, d: join(d, a) + 0.3 / s.m * s.W[k])
            yield "weight-decay", f"W{n}/m", decay, 0.3 / s.m
        if s.batch and s.x.shape[0] != s.W[n].shape[1]:
            size = s.W[n].shape[1]
            axis = weight(lambda k, d: join(d, a) * s.m / size)
            label = "examples-axis" if size > 1 else "missing-batch-mean"
            yield label, f"W{n} /n", axis, s.m / size
    if s.depth > 1:
        other = {"W1": None} | s.backward()
        wrong = {f"b{s.depth}": other["b1"]}
        if s.width(1) == s.width(s.depth):
            yield "check-of-wrong-quantity", "bias", wrong, None
        up = s.W[1] - 0.1 * other["W1"]
        yield "check-of-wrong-quantity", "updated", {"W1": up}, None


def _factors(s):
    right = s.backward()
    yield "sign", "all", {k: -v for k, v in right.items()}, -1.0
    yield "sign", "W1", right | {"W1": -right["W1"]}, -1.0
    yield "constant-factor", "2", {k: 2 * v for k, v in right.items()}, 2.0
    yield "constant-factor", "half", {k: v / 2 for k, v in right.items()}, 0.5
    if right["W1"].size > 2:
        yield "constant-factor", "W1", {"W1": 0.1 * right["W1"]}, 0.1
    if s.m > 1:
        yield "missing-batch-mean", "", {k: s.m * v for k, v in right.items()}, float(s.m)
        yield "batch-mean-twice", "", {k: v / s.m for k, v in right.items()}, 1 / s.m
        yield "missing-batch-mean", "b1", right | {"b1": right["b1"] * s.m}, float(s.m)
        yield "batch-mean-twice", "W1", right | {"W1": right["W1"] / s.m}, 1 / s.m
