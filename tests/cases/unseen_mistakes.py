"""Mistakes beyond dense layers that nothing was made with: written down first, then diagnosed.

The right derivatives are those of the vjp route; a mistake is what somebody writes for one of
them. A plant is (name, run, arrays handed in, wrong key, labels that are true of it).
"""

import numpy as np
from equation_cases import Plant

from jacobian_bp import Network, Op, delta, dense

LOSS = ("L = HalfSquaredError({}, y)", "J = Mean(L)")


class Scene:
    """A network with its right derivatives."""

    def __init__(self, lines, params, data, loss=True):
        text = [*lines]
        if loss:
            text += [LOSS[0].format(lines[-1].split(" = ")[0]), LOSS[1]]
        own = {"Swish": Swish, "Bilinear": Bilinear}
        ops = {name: op for name, op in own.items() if any(name in line for line in text)}
        net = Network.program("\n".join(text), params=params, ops=ops)
        self.run = net.run(**data)
        self.v = {name: np.array(self.run[name]) for name in self.run}
        self.gradients = self.run.gradients()

    def d(self, name):
        if name in self.gradients:
            return self.gradients[name]
        return self.run.jacobian("J", name).materialise().reshape(self.v[name].shape)

    def plant(self, name, key, wrong, labels, *given):
        arrays = {one: self.d(one) for one in given} | {key: wrong}
        return name, self.run, arrays, key, labels


class Swish(Op):
    """a = z σ(z)."""

    signature = "z[k] -> a[k]"

    def forward(self, z):
        return z / (1 + np.exp(-z))

    def jacobians(self, z):
        s = 1 / (1 + np.exp(-z))
        return {"z": delta("k,k'") * (dense("s[k]", s) + dense("z s (1−s)[k]", z * s * (1 - s)))}

    def vjp(self, bar, z):
        s = 1 / (1 + np.exp(-z))
        return {"z": bar * (s + z * s * (1 - s))}


class Bilinear(Op):
    """c[k] = a[k] s b[k], with one number s for all."""

    signature = "a[k], b[k], s[] -> c[k]"
    parameters = ("s",)

    def forward(self, a, b, s):
        return s * a * b

    def jacobians(self, a, b, s):
        own = delta("k,k'")
        return {
            "a": own * dense("s", s) * dense("b[k]", b),
            "b": own * dense("s", s) * dense("a[k]", a),
            "s": dense("a[k]", a) * dense("b[k]", b),
        }

    def vjp(self, bar, a, b, s):
        return {"a": bar * s * b, "b": bar * s * a, "s": np.asarray((bar * a * b).sum())}


def batch_norm(normal):
    n, i, k = 11, 3, 5
    params = {"W": normal(size=(k, i)), "b": normal(size=k)}
    params |= {"gamma": normal(size=k), "beta": normal(size=k)}
    data = {"x": normal(size=(n, i)), "y": normal(size=(n, k))}
    lines = ["z = Linear(x, W, b)", "o = BatchNorm(z, gamma, beta)", "a = Tanh(o)"]
    here = Scene(lines, params, data)
    z, dy, gamma = here.v["z"], here.d("o"), here.v["gamma"]
    s = np.sqrt(z.var(0) + 1e-5)
    u, g = (z - z.mean(0)) / s, gamma / s
    mean, spread = dy.mean(0), u * (dy * u).mean(0)
    held = "statistics-as-constants|term-missing"
    factor = "factor-missing|wrong-factor"
    yield here.plant("only the spread held", "z", g * (dy - mean), held, "o")
    yield here.plant("only the mean held", "z", g * (dy - spread), held, "o")
    yield here.plant("the gain left out", "z", (dy - mean - spread) / s, factor, "o")
    yield here.plant("not divided by s", "z", gamma * (dy - mean - spread), factor, "o")
    yield here.plant(
        "over each example",
        "z",
        g * (dy - dy.mean(1, keepdims=True) - u * (dy * u).mean(1, keepdims=True)),
        "wrong-contraction",
        "o",
    )
    yield here.plant(
        "sums for means",
        "z",
        g * (dy - dy.sum(0) - u * (dy * u).sum(0)),
        "wrong-contraction|wrong-factor|constant-factor",
        "o",
    )
    yield here.plant("the spread added", "z", g * (dy - mean + spread), "sign-of-a-term", "o")
    yield here.plant(
        "dgamma without the examples' sum",
        "gamma",
        (dy * u).mean(0),
        "batch-mean-twice|constant-factor|wrong-contraction",
        "o",
    )
    yield here.plant(
        "dgamma from the output",
        "gamma",
        (dy * here.v["o"]).sum(0),
        "wrong-factor|preactivation-for-activation|wrong-layer-activation",
        "o",
    )
    yield here.plant(
        "dgamma as dbeta", "gamma", dy.sum(0), "factor-missing|check-of-wrong-quantity", "o"
    )


def layer_norm(normal):
    n, k = 7, 5
    params = {"gamma": normal(size=k), "beta": normal(size=k), "V": normal(size=(3, k))}
    data = {"x": normal(size=(n, k)), "y": normal(size=(n, 3))}
    here = Scene(["o = LayerNorm(x, gamma, beta)", "r = Linear(o, V)"], params, data)
    x, dy, gamma = here.v["x"], here.d("o"), here.v["gamma"]
    s = np.sqrt(x.var(1, keepdims=True) + 1e-5)
    u = (x - x.mean(1, keepdims=True)) / s

    def centred(bar):
        return bar - bar.mean(1, keepdims=True) - u * (bar * u).mean(1, keepdims=True)

    yield here.plant(
        "the gain behind the means",
        "x",
        gamma / s * centred(dy),
        "wrong-contraction|factor-turned|weight-not-transposed",
        "o",
    )
    yield here.plant(
        "mean and spread over the batch",
        "x",
        (gamma * dy - (gamma * dy).mean(0) - u * (gamma * dy * u).mean(0)) / s,
        "wrong-contraction",
        "o",
    )
    yield here.plant("s twice", "x", centred(gamma * dy) / s**2, "factor-twice", "o")
    yield here.plant(
        "dbeta of one example",
        "beta",
        dy[-1],
        "summand-overwritten|wrong-contraction|last-step-only|bias-wrong-axis",
        "o",
    )


def convolution(normal):
    n, c, d, w, t = 5, 2, 3, 8, 3
    params = {"K": normal(size=(d, c, t)), "b": normal(size=d)}
    data = {"x": normal(size=(n, c, w)), "y": normal(size=(n, d, w - t + 1))}
    here = Scene(
        ["z = Conv1d(x, K, b)", "a = Tanh(z)", "f = Flatten(a)"],
        params,
        data | {"y": normal(size=(n, d * (w - t + 1)))},
    )
    x, K, dz = here.v["x"], here.v["K"], here.d("z")
    O = dz.shape[-1]  # noqa: E741
    dK = here.d("K")
    flipped = np.zeros_like(x)
    for r in range(t):
        flipped[:, :, r : r + O] += np.einsum("ndo,dc->nco", dz, K[:, :, t - 1 - r])
    yield here.plant("the kernel flipped on the way back", "x", flipped, "factor-flipped", "z")
    yield here.plant("dK flipped", "K", dK[:, :, ::-1], "factor-flipped|reshape-order", "z")
    yield here.plant(
        "b not added up over places",
        "b",
        dz[:, :, 0].sum(0),
        "summand-overwritten|bias-wrong-axis|wrong-contraction",
        "z",
    )
    yield here.plant(
        "b as a mean over places", "b", dz.mean(-1).sum(0), "constant-factor|wrong-contraction", "z"
    )
    first = np.zeros_like(x)
    first[:, :, :O] = np.einsum("ndo,dc->nco", dz, K[:, :, 0])
    yield here.plant(
        "one tap alone",
        "x",
        first,
        "wrong-contraction|term-missing|summand-overwritten|factor-missing",
        "z",
    )
    yield here.plant(
        "dK from the activation's delta",
        "K",
        np.stack([np.einsum("ndo,nco->dc", here.d("a"), x[:, :, r : r + O]) for r in range(t)], -1),
        "wrong-delta|missing-slope",
        "a",
        "z",
    )


def pools(normal):
    n, c, w = 5, 3, 8
    data = {"x": normal(size=(n, c, w)), "y": normal(size=(n, c * w // 2))}
    for kind in ("MaxPool1d", "AvgPool1d"):
        here = Scene([f"p = {kind}(x, 2)", "f = Flatten(p)"], {}, data)
        dp, x = here.d("p"), here.v["x"]
        pairs = x.reshape(n, c, w // 2, 2)
        if kind == "MaxPool1d":
            yield here.plant(
                "both entries get it",
                "x",
                np.repeat(dp, 2, -1),
                "factor-missing|missing-slope|wrong-factor|wrong-contraction",
                "p",
            )
            yield here.plant(
                "the smaller gets it",
                "x",
                np.where(pairs == pairs.min(-1, keepdims=True), dp[..., None], 0).reshape(x.shape),
                "other-places|wrong-factor|factor-flipped",
                "p",
            )
            yield here.plant(
                "shared out equally",
                "x",
                np.repeat(dp / 2, 2, -1),
                "wrong-factor|factor-missing|wrong-contraction",
                "p",
            )
        else:
            yield here.plant(
                "without the share",
                "x",
                np.repeat(dp, 2, -1),
                "constant-factor|factor-missing",
                "p",
            )
            one = np.where(np.arange(w) % 2 == 0, np.repeat(dp, 2, -1), 0)
            yield here.plant(
                "the first entry gets it",
                "x",
                one,
                "wrong-contraction|wrong-factor|term-missing|summand-overwritten",
                "p",
            )


def embedding(normal):
    v, d, t = 6, 3, 7
    u = np.array([1, 4, 1, 0, 4, 4, 2])
    params = {"E": normal(size=(v, d)), "W": normal(size=(2, d)), "b": normal(size=2)}
    data = {"u": u, "y": normal(size=(t, 2))}
    here = Scene(["e = Embedding(u, E)", "h = Tanh(e)", "z = Linear(h, W, b)"], params, data)
    de = here.d("e")
    last, first, mean = (np.zeros((v, d)) for _ in range(3))
    for at, row in enumerate(u):
        last[row] = de[at]
        mean[row] += de[at] / np.sum(u == row)
    for at in range(t)[::-1]:
        first[u[at]] = de[at]
    overwritten = "overwritten-index|summand-overwritten"
    yield here.plant("the last use alone", "E", last, overwritten, "e")
    yield here.plant("the first use alone", "E", first, overwritten, "e")
    yield here.plant(
        "a mean over the uses", "E", mean, "wrong-contraction|wrong-factor|factor-missing", "e"
    )
    slope = np.zeros((v, d))
    np.add.at(slope, u, here.d("h"))
    yield here.plant("the slope forgotten", "E", slope, "missing-slope|wrong-delta", "h")


def gate(normal):
    n, k = 7, 5
    params = {"U": normal(size=(k, 3)), "V": normal(size=(k, 3))}
    data = {"x": normal(size=(n, 3)), "y": normal(size=(n, k))}
    lines = ["p = Linear(x, U)", "g = Sigmoid(p)", "q = Linear(x, V)", "h = Multiply(g, q)"]
    here = Scene(lines, params, data)
    dh, g, q, x = here.d("h"), here.v["g"], here.v["q"], here.v["x"]
    yield here.plant("the gate itself", "g", dh * g, "wrong-factor", "h")
    yield here.plant("the gate passes all", "q", dh, "factor-missing", "h")
    yield here.plant("the value for the gate", "q", dh * q, "wrong-factor", "h")
    yield here.plant("what comes back left out", "g", q, "upstream-missing", "h")
    yield here.plant("the sigmoid's value", "p", here.d("g") * g, "value-for-slope", "g")
    yield here.plant(
        "both ways of x, one counted",
        "x",
        here.d("p") @ here.v["U"],
        "fan-out-overwritten",
        "p",
        "q",
    )
    yield here.plant(
        "the other weight",
        "x",
        here.d("p") @ here.v["V"] + here.d("q") @ here.v["V"],
        "wrong-weight|wrong-layer-activation",
        "p",
        "q",
    )
    yield here.plant(
        "the other delta", "U", here.d("q").T @ x, "wrong-delta|check-of-wrong-quantity", "p", "q"
    )


def attention(normal):
    n, t, d = 2, 5, 3
    shape = (n, t, d)
    data = {name: normal(size=shape) for name in ("q", "k", "v")} | {"y": normal(size=shape)}
    ops = ['s = Einsum(q, k, "td,ud->tu")', "r = Multiply(s, 0.577)", "P = Softmax(r)"]
    text = [*ops, 'o = Einsum(P, v, "tu,ud->td")', 'w = Einsum(o, c, "td,td->d")']
    here = Scene(text, {}, data | {"c": normal(size=shape), "y": normal(size=(n, d))})
    k, P = here.v["k"], here.v["P"]
    do, dP, ds, dr = (here.d(name) for name in ("o", "P", "s", "r"))
    yield here.plant("P not turned", "v", P @ do, "factor-turned", "o")
    yield here.plant(
        "ds turned", "q", ds.swapaxes(1, 2) @ k, "factor-turned|wrong-contraction", "s"
    )
    yield here.plant(
        "the softmax's sum left out", "r", P * dP, "term-missing|diagonal-only|value-for-slope", "P"
    )
    yield here.plant(
        "the sum over the queries",
        "r",
        P * (dP - (P * dP).sum(1, keepdims=True)),
        "wrong-contraction",
        "P",
    )
    yield here.plant(
        "the scale forgotten", "s", dr, "factor-missing|constant-factor|missing-slope", "r"
    )
    yield here.plant(
        "k for q",
        "k",
        ds.swapaxes(1, 2) @ k,
        "wrong-factor|wrong-layer-activation|wrong-weight",
        "s",
    )


def joined(normal):
    n, k = 7, 4
    params = {"A": normal(size=(k, 3)), "B": normal(size=(k, 3)), "W": normal(size=(2, 2 * k))}
    data = {"x": normal(size=(n, 3)), "y": normal(size=(n, 2))}
    lines = ["a = Linear(x, A)", "b = Linear(x, B)", "c = Concat(a, b)", "z = Linear(c, W)"]
    here = Scene(lines, params, data)
    dc = here.d("c")
    swapped = "wrong-contraction|wrong-factor|check-of-wrong-quantity|reshape-order|wrong-delta"
    yield here.plant("the other part", "a", dc[:, k:], swapped, "c")
    yield here.plant(
        "the parts added", "b", dc[:, :k] + dc[:, k:], "wrong-contraction|other-places", "c"
    )
    yield here.plant("every second entry", "a", dc[:, ::2], "reshape-order|other-places", "c")
    yield here.plant("one branch", "x", here.d("a") @ here.v["A"], "fan-out-overwritten", "a", "b")


def cell(normal):
    n, i, k = 5, 3, 4
    params = {"W": normal(size=(k, i)), "U": normal(size=(k, k)) / 2, "b": normal(size=k)}
    data = {"x1": normal(size=(n, i)), "x2": normal(size=(n, i)), "h0": normal(size=(n, k))}
    lines = ["h1 = RNNCell(x1, h0, W, U, b)", "h2 = RNNCell(x2, h1, W, U, b)"]
    here = Scene(lines, params, data | {"y": normal(size=(n, k))})
    v = here.v
    e1, e2 = ((1 - v[h] ** 2) * here.d(h) for h in ("h1", "h2"))
    given = ("h1", "h2")
    yield here.plant("the last step alone", "W", e2.T @ v["x2"], "last-step-only", *given)
    yield here.plant(
        "the new state for the old",
        "U",
        e2.T @ v["h2"] + e1.T @ v["h1"],
        "wrong-layer-activation|wrong-factor",
        *given,
    )
    yield here.plant(
        "no slope in time", "h1", here.d("h2") @ v["U"], "missing-slope|factor-missing", "h2"
    )
    yield here.plant(
        "W for U in time", "h1", e2 @ v["U"].T, "weight-not-transposed|factor-turned", "h2"
    )
    yield here.plant(
        "nothing flows back through time",
        "b",
        e2.sum(0) + ((1 - v["h1"] ** 2) * 0).sum(0),
        "last-step-only",
        *given,
    )


def dropped(normal):
    n, k = 7, 5
    mask = np.array(normal(size=(n, k)) > -0.3, float)
    params = {"W": normal(size=(k, 3)), "b": normal(size=k)}
    data = {"x": normal(size=(n, 3)), "mask": mask, "y": normal(size=(n, k))}
    here = Scene(["z = Linear(x, W, b)", "h = Tanh(z)", "o = Dropout(h, mask, 0.6)"], params, data)
    do = here.d("o")
    yield here.plant("keep forgotten", "h", do * mask, "constant-factor|factor-missing", "o")
    yield here.plant("the mask forgotten", "h", do / 0.6, "factor-missing", "o")
    yield here.plant("the mask turned round", "h", do * (1 - mask) / 0.6, "wrong-factor", "o")
    yield here.plant(
        "no dropout at all",
        "z",
        do * (1 - here.v["h"] ** 2),
        "factor-missing|wrong-delta|missing-slope",
        "o",
    )


def own_ops(normal):
    n, k = 7, 5
    data = {"x": normal(size=(n, k)), "w": normal(size=(n, k)), "y": normal(size=(n, k))}
    here = Scene(["a = Swish(x)", "c = Bilinear(a, w, s)"], {"s": np.array(1.7)}, data)
    dc, da, a, x, w = here.d("c"), here.d("a"), here.v["a"], here.v["x"], here.v["w"]
    sig = 1 / (1 + np.exp(-x))
    yield here.plant("the product rule's half", "x", da * sig, "term-missing", "a")
    yield here.plant("the value for the slope", "x", da * a, "value-for-slope|wrong-factor", "a")
    yield here.plant(
        "the slope at a",
        "x",
        da * (1 / (1 + np.exp(-a)) * (1 + a * (1 - 1 / (1 + np.exp(-a))))),
        "slope-at-activation",
        "a",
    )
    yield here.plant("s forgotten", "a", dc * w, "factor-missing|constant-factor", "c")
    yield here.plant("s twice", "a", dc * w * 1.7**2, "factor-twice|constant-factor", "c")
    yield here.plant(
        "ds of the last example",
        "s",
        np.asarray((dc * a * w)[-1].sum()),
        "summand-overwritten|last-step-only|wrong-contraction",
        "c",
    )
    yield here.plant(
        "ds with s",
        "s",
        np.asarray((dc * a * w).sum() * 1.7),
        "factor-twice|constant-factor|wrong-factor",
        "c",
    )


def entrywise(normal):
    n, k = 7, 5
    data = {"x": np.abs(normal(size=(n, k))) + 0.3, "w": normal(size=(n, k)) ** 2 + 0.4}
    here = Scene(["r = Sqrt(x)", "c = Divide(r, w)"], {}, data | {"y": normal(size=(n, k))})
    dr, dc, r, w = here.d("r"), here.d("c"), here.v["r"], here.v["w"]
    yield here.plant("½ forgotten", "x", dr / r, "constant-factor", "r")
    yield here.plant("times the root", "x", dr * r / 2, "wrong-factor|value-for-slope", "r")
    yield here.plant("no minus", "w", dc * r / w**2, "sign", "c")
    yield here.plant("w once", "w", -dc * r / w, "factor-missing|wrong-factor", "c")
    yield here.plant("r forgotten", "w", -dc / w**2, "factor-missing", "c")
    yield here.plant("times w", "r", dc * w, "wrong-factor", "c")


def image(normal):
    n, c, d, w, t = 3, 2, 3, 7, 3
    params = {"K": normal(size=(d, c, t, t)), "b": normal(size=d)}
    x = normal(size=(n, c, w, w))
    lines = ["z = Conv2d(x, K, b)", "a = ReLU(z)", "f = Flatten(a)"]
    here = Scene(lines, params, {"x": x, "y": normal(size=(n, d * 25))})
    dz, K = here.d("z"), params["K"]
    flipped = np.zeros_like(x)
    for r in range(t):
        for s in range(t):
            flipped[:, :, r : r + 5, s : s + 5] += np.einsum(
                "ndoq,dc->ncoq", dz, K[:, :, t - 1 - r, t - 1 - s]
            )
    dK = here.d("K")
    yield here.plant("both axes flipped", "x", flipped, "factor-flipped", "z")
    yield here.plant(
        "dK flipped in one axis", "K", dK[..., ::-1], "factor-flipped|reshape-order", "z"
    )
    yield here.plant(
        "db of one row",
        "b",
        dz[:, :, 0].sum((0, -1)),
        "summand-overwritten|wrong-contraction|bias-wrong-axis",
        "z",
    )
    yield here.plant(
        "db a mean",
        "b",
        dz.mean((0, 2, 3)),
        "constant-factor|wrong-contraction|batch-mean-twice",
        "z",
    )
    yield here.plant("no slope of the rectifier", "z", here.d("a"), "missing-slope", "a")
    kept = np.zeros_like(x)
    for r in range(t):
        for s in range(t):
            kept[:, :, r : r + 5, s : s + 5] = np.einsum("ndoq,dc->ncoq", dz, K[:, :, r, s])
    yield here.plant("taps assigned", "x", kept, "summand-overwritten", "z")


def strided(normal):
    n, c, w = 4, 2, 9
    params = {"K": normal(size=(3, c, 3)), "V": normal(size=(2, 12))}
    data = {"x": normal(size=(n, c, w)), "y": normal(size=(n, 2))}
    lines = ["z = Conv1d(x, K, stride=2)", "f = Flatten(z)", "r = Linear(f, V)"]
    here = Scene(lines, params, data)
    dz, K = here.d("z"), params["K"]
    over = np.zeros_like(data["x"])
    for o in range(4):
        over[:, :, 2 * o : 2 * o + 3] = np.einsum("nd,dcr->ncr", dz[..., o], K)
    dense_one = np.zeros_like(data["x"])
    for r in range(3):
        dense_one[:, :, r : r + 4] += np.einsum("ndo,dc->nco", dz, K[:, :, r])
    yield here.plant("windows assigned", "x", over, "summand-overwritten", "z")
    yield here.plant(
        "the stride forgotten",
        "x",
        dense_one,
        "other-places|wrong-factor|factor-missing|wrong-contraction",
        "z",
    )
    flat = here.d("f")
    yield here.plant(
        "channels last", "z", flat.reshape(n, 4, 3).swapaxes(1, 2), "reshape-order", "f"
    )


def rms_norm(normal):
    n, k = 7, 5
    params = {"gamma": normal(size=k)}
    data = {"x": normal(size=(n, k)), "y": normal(size=(n, k))}
    here = Scene(["o = RMSNorm(x, gamma)", "a = Tanh(o)"], params, data)
    x, dy, gamma = here.v["x"], here.d("o"), params["gamma"]
    r = np.sqrt((x**2).mean(1, keepdims=True) + 1e-5)
    u, g = x / r, gamma * dy
    yield here.plant("the size held", "x", g / r, "statistics-as-constants|term-missing", "o")
    yield here.plant(
        "the gain left out",
        "x",
        (dy - u * (dy * u).mean(1, keepdims=True)) / r,
        "factor-missing",
        "o",
    )
    yield here.plant(
        "a sum",
        "x",
        (g - u * (g * u).sum(1, keepdims=True)) / r,
        "wrong-contraction|factor-missing",
        "o",
    )
    yield here.plant(
        "not divided",
        "x",
        g - u * (g * u).mean(1, keepdims=True),
        "factor-missing|wrong-factor",
        "o",
    )
    yield here.plant(
        "plus", "x", (g + u * (g * u).mean(1, keepdims=True)) / r, "sign-of-a-term", "o"
    )
    yield here.plant(
        "dgamma with x",
        "gamma",
        (dy * x).sum(0),
        "wrong-factor|preactivation-for-activation|wrong-layer-activation",
        "o",
    )


def groups(normal):
    n, c = 4, 6
    params = {"gamma": normal(size=c), "beta": normal(size=c)}
    data = {"x": normal(size=(n, c, 3)), "y": normal(size=(n, 18))}
    here = Scene(
        ["o = GroupNorm(x, gamma, beta, groups=2, axes='c,i')", "f = Flatten(o)"], params, data
    )
    dy, x = here.d("o"), data["x"]
    rows = x.reshape(n, 2, -1)
    s = np.sqrt(rows.var(-1) + 1e-5).repeat(3, 1)[:, :, None]
    g = dy * params["gamma"][:, None]
    yield here.plant("the statistics held", "x", g / s, "statistics-as-constants|term-missing", "o")
    yield here.plant(
        "dbeta of every place",
        "beta",
        dy.sum(0)[:, 0],
        "summand-overwritten|bias-wrong-axis|wrong-contraction",
        "o",
    )


def recurrent(normal):
    n, i, k = 5, 3, 2
    params = {"W": normal(size=(3 * k, i)), "U": normal(size=(3 * k, k)), "b": normal(size=3 * k)}
    data = {"x": normal(size=(n, i)), "h": normal(size=(n, k)), "y": normal(size=(n, k))}
    here = Scene(["o = GRUCell(x, h, W, U, b)"], params, data)
    do, x, h = here.d("o"), data["x"], data["h"]
    gates = x @ params["W"].T + params["b"]
    of_h = h @ params["U"].T
    r, z = (1 / (1 + np.exp(-(gates + of_h)[:, at : at + k])) for at in (0, k))
    m = np.tanh(gates[:, 2 * k :] + r * of_h[:, 2 * k :])
    dn = do * (1 - z) * (1 - m**2)
    dr, dz = dn * of_h[:, 2 * k :] * r * (1 - r), do * (h - m) * z * (1 - z)

    def weights_by(*parts):
        return np.concatenate(parts, 1).T @ x

    yield here.plant(
        "what is kept forgotten",
        "h",
        np.concatenate([dr, dz, dn * r], 1) @ params["U"],
        "term-missing|fan-out-overwritten",
        "o",
    )
    yield here.plant(
        "z's slope forgotten",
        "W",
        weights_by(dr, do * (h - m), dn),
        "factor-missing|missing-slope|wrong-factor",
        "o",
    )
    yield here.plant(
        "the reset gate's rows alone",
        "W",
        weights_by(dr, 0 * dz, 0 * dn),
        "term-missing|factor-missing",
        "o",
    )
    yield here.plant("n's gate the other sign", "W", weights_by(dr, dz, -dn), "sign-of-a-term", "o")


def residual(normal):
    n, k = 7, 4
    params = {"W": normal(size=(k, k)), "b": normal(size=k)}
    data = {"x": normal(size=(n, k)), "y": normal(size=(n, k))}
    lines = ["z = Linear(x, W, b)", "s = SiLU(z)", "r = Add(x, s)", "g = GELU(r)"]
    here = Scene(lines, params, data)
    dr, ds, dz, z = here.d("r"), here.d("s"), here.d("z"), here.v["z"]
    yield here.plant("the skip forgotten", "x", dz @ params["W"], "fan-out-overwritten", "r", "z")
    yield here.plant(
        "the skip alone", "x", dr, "fan-out-overwritten|check-of-wrong-quantity", "r", "z"
    )
    sig = 1 / (1 + np.exp(-z))
    yield here.plant(
        "a sigmoid's slope", "z", ds * sig * (1 - sig), "wrong-layer-slope|wrong-factor", "s"
    )
    yield here.plant("the value", "z", ds * here.v["s"], "value-for-slope", "s")
    yield here.plant("W turned", "x", dz @ params["W"].T + dr, "weight-not-transposed", "r", "z")
    yield here.plant("no slope", "r", here.d("g"), "missing-slope|missing-output-slope", "g")


def tokens(normal):
    n, t, k = 4, 5, 3
    params = {"W": normal(size=(2, k)), "b": normal(size=2)}
    x = normal(size=(n, t, k))
    lines = ["h = Tanh(x)", 'm = Mean(h, over="t")', "z = Linear(m, W, b)"]
    text = "\n".join([*lines, "L = HalfSquaredError(z, y)", "J = Mean(L)"])
    net = Network.program(text, params=params)
    run = net.run(x=x, y=normal(size=(n, 2)), axes={"x": "n,t,k"})
    dm = run.jacobian("J", "m").materialise().reshape(run["m"].shape)
    spread = np.repeat(dm[:, None], t, 1)
    given = {"m": dm}
    yield "1/t forgotten", run, given | {"h": spread}, "h", "constant-factor|factor-missing"
    first = np.zeros_like(spread)
    first[:, 0] = dm / t
    yield (
        "one token alone",
        run,
        given | {"h": first},
        "h",
        ("summand-overwritten|other-places|term-missing"),
    )
    yield "no slope", run, given | {"x": spread / t}, "x", "missing-slope"


def choices(normal):
    n, k = 6, 5
    data = {"x": normal(size=(n, k)), "w": normal(size=(n, k)), "y": normal(size=n)}
    lines = ["e = Exp(x)", "l = Log(e)", "p = Multiply(l, w)", "q = Power(p, 2)"]
    here = Scene(lines, {}, data | {"y": normal(size=(n, k))})
    dq, dp, dl, de = (here.d(name) for name in "qple")
    p, e, l = (here.v[name] for name in "pel")  # noqa: E741
    yield here.plant("2 forgotten", "p", dq * p, "constant-factor|factor-missing", "q")
    yield here.plant(
        "p forgotten", "p", 2 * dq, "factor-missing|missing-slope|missing-output-slope", "q"
    )
    yield here.plant("p² for 2p", "p", dq * p**2, "value-for-slope", "q")
    yield here.plant("l for w", "l", dp * l, "wrong-factor", "p")
    yield here.plant("the log's slope inverted", "e", dl * e, "wrong-factor|wrong-layer-slope", "l")
    yield here.plant("the log's value", "e", dl * l, "value-for-slope", "l")
    yield here.plant("exp's slope forgotten", "x", de, "missing-slope", "e")
    yield here.plant("exp's slope inverted", "x", de / e, "wrong-factor|wrong-layer-slope", "e")


def norm_of_images(normal):
    here = Scene(
        ["z = Conv2d(x, K)", "o = BatchNorm(z, gamma, beta)", "a = ReLU(o)", "f = Flatten(a)"],
        {"K": normal(size=(3, 2, 2, 2)), "gamma": normal(size=3), "beta": normal(size=3)},
        {"x": normal(size=(4, 2, 5, 5)), "y": normal(size=(4, 48))},
    )
    do = here.d("o")
    z = here.v["z"]
    g = here.v["gamma"][:, None, None]
    m = z.mean((0, 2, 3), keepdims=True)
    s = np.sqrt(z.var((0, 2, 3), keepdims=True) + 1e-5)
    u = (z - m) / s
    b = g * do
    yield here.plant("bn img held", "z", b / s, "term-missing|statistics-as-constants", "o")
    yield here.plant(
        "bn img mean path only over n",
        "z",
        (b - b.mean(0) - u * (b * u).mean(0)) / s,
        "wrong-contraction",
        "o",
    )
    yield here.plant(
        "bn img gain out",
        "z",
        (do - do.mean((0, 2, 3), keepdims=True) - u * (do * u).mean((0, 2, 3), keepdims=True)) / s,
        "factor-missing",
        "o",
    )
    yield here.plant(
        "bn img dgamma mean",
        "gamma",
        (do * u).mean((0, 2, 3)),
        "wrong-contraction|constant-factor",
        "o",
    )
    yield here.plant(
        "bn img dgamma one image", "gamma", (do * u)[-1].sum((1, 2)), "last-step-only", "o"
    )
    yield here.plant(
        "bn img dbeta one place", "beta", do[:, :, -1, -1].sum(0), "summand-overwritten", "o"
    )
    yield here.plant(
        "bn img dgamma z",
        "gamma",
        (do * z).sum((0, 2, 3)),
        "preactivation-for-activation|wrong-factor",
        "o",
    )
    dz = here.d("z")
    x = here.v["x"]
    K = here.v["K"]
    dKlast = np.einsum(
        "nd,ncrs->dcrs",
        dz[:, :, -1, -1],
        np.stack([np.stack([x[:, :, 3 + r, 3 + q] for q in range(2)], -1) for r in range(2)], -2),
    )
    yield here.plant("conv dK last window", "K", dKlast, "summand-overwritten", "z")
    yield here.plant("conv dK mean over batch", "K", here.d("K") / 4, "batch-mean-twice", "z")
    xt = np.zeros_like(x)
    for r in range(2):
        for q in range(2):
            xt[:, :, r : r + 4, q : q + 4] += np.einsum("ndij,dc->ncij", dz, K[:, :, q, r])
    yield here.plant("conv kernel transposed in dx", "x", xt, "factor-turned", "z")


def causal(normal):
    d = 3
    here = Scene(
        [
            's = Einsum(q, k, "td,ud->tu")',
            "P = CausalSoftmax(s)",
            'o = Einsum(P, v, "tu,ud->td")',
            'w = Einsum(o, c, "td,td->d")',
        ],
        {},
        {
            "q": normal(size=(2, 4, d)),
            "k": normal(size=(2, 4, d)),
            "v": normal(size=(2, 4, d)),
            "c": normal(size=(2, 4, d)),
            "y": normal(size=(2, d)),
        },
    )
    do, dP, ds, P = here.d("o"), here.d("P"), here.d("s"), here.v["P"]
    yield here.plant(
        "mask forgotten backward: dP for ds", "q", dP @ here.v["k"], "wrong-delta", "P", "s"
    )
    yield here.plant(
        "softmax sum over queries",
        "s",
        P * (dP - (P * dP).sum(1, keepdims=True)),
        "wrong-contraction",
        "P",
    )
    yield here.plant("diag", "s", P * (1 - P) * dP, "diagonal-only", "P")
    yield here.plant("sign", "s", P * (dP + (P * dP).sum(2, keepdims=True)), "sign-of-a-term", "P")
    yield here.plant("v for c", "o", here.d("w")[:, None] * here.v["v"], "wrong-factor", "w")
    yield here.plant("dv without P", "v", do, "factor-missing", "o")
    yield here.plant("dk by k", "k", ds.swapaxes(1, 2) @ here.v["k"], "wrong-factor", "s")
    yield here.plant("dq by ds turned", "q", ds.swapaxes(1, 2) @ here.v["k"], "factor-turned", "s")


def pools_of_images(normal):
    here = Scene(
        ["p = MaxPool2d(x, 2)", "h = Tanh(p)", "r = AvgPool2d(h, 2)", "f = Flatten(r)"],
        {},
        {"x": normal(size=(3, 2, 8, 8)), "y": normal(size=(3, 8))},
    )
    dp = here.d("p")
    dr = here.d("r")

    def up(a):
        return a.repeat(2, 2).repeat(2, 3)

    yield here.plant("max all", "x", up(dp), "factor-missing", "p")
    yield here.plant("max quarter", "x", up(dp) / 4, "factor-missing|wrong-factor", "p")
    yield here.plant("avg without share", "h", up(dr), "constant-factor", "r")
    yield here.plant("avg half share", "h", up(dr) / 2, "constant-factor", "r")
    yield here.plant("no tanh slope", "p", here.d("h"), "missing-slope", "h")
    yield here.plant(
        "tanh at value",
        "p",
        here.d("h") * (1 - np.tanh(here.v["h"]) ** 2),
        "slope-at-activation",
        "h",
    )


def tied_table(normal):
    u = np.array([0, 3, 3, 1, 0, 3])
    here = Scene(
        ["e = Embedding(u, E)", "h = GELU(e)", "z = Linear(h, E)"],
        {"E": normal(size=(5, 4))},
        {"u": u, "y": normal(size=(6, 5))},
    )
    de = here.d("e")
    dz = here.d("z")
    h = here.v["h"]
    one = np.zeros((5, 4))
    np.add.at(one, u, de)
    yield here.plant("tied: lookup alone", "E", one, "last-step-only", "e", "z")
    yield here.plant("tied: output alone", "E", dz.T @ h, "last-step-only", "e", "z")
    ow = np.zeros((5, 4))
    for t in range(6):
        ow[u[t]] = de[t]
    yield here.plant("tied: overwritten", "E", dz.T @ h + ow, "overwritten-index", "e", "z")
    yield here.plant(
        "tied: dh by E turned impossible", "h", dz @ here.v["E"] * 0.5, "constant-factor", "z"
    )
    yield here.plant("gelu value", "e", here.d("h") * h, "value-for-slope", "h")


def log_softmax(normal):
    here = Scene(
        ["z = Linear(x, W, b)", "a = Softplus(z)", "l = LogSoftmax(a)", "q = Multiply(l, w)"],
        {"W": normal(size=(4, 3)), "b": normal(size=4)},
        {"x": normal(size=(7, 3)), "w": normal(size=(7, 4)), "y": normal(size=(7, 4))},
    )
    dq, dl, da = here.d("q"), here.d("l"), here.d("a")
    a = here.v["a"]
    p = np.exp(here.v["l"])
    yield here.plant("logsoftmax passes", "a", dl, "term-missing", "l")
    yield here.plant(
        "logsoftmax p left out", "a", dl - dl.sum(1, keepdims=True), "factor-missing", "l"
    )
    yield here.plant("logsoftmax sum left", "a", dl - p * dl, "diagonal-only", "l")
    yield here.plant(
        "logsoftmax mean", "a", dl - p * dl.mean(1, keepdims=True), "wrong-contraction", "l"
    )
    yield here.plant(
        "logsoftmax over batch",
        "a",
        dl - p * dl.sum(0, keepdims=True),
        "wrong-contraction",
        "l",
    )
    yield here.plant("softplus a slope", "z", da / (1 + np.exp(-a)), "slope-at-activation", "a")
    yield here.plant("softplus value", "z", da * a, "value-for-slope", "a")
    yield here.plant("w forgotten", "l", dq, "factor-missing", "q")
    yield here.plant("l for w", "l", dq * here.v["l"], "wrong-factor", "q")
    yield here.plant(
        "dW without x", "W", here.d("z").T @ np.ones_like(here.v["x"]), "factor-missing", "z"
    )
    yield here.plant("db mean", "b", here.d("z").mean(0), "batch-mean-twice", "z")


def running_sum(normal):
    here = Scene(
        ["c = CumSum(x)", "s = Slice(c, 1, 4)", "t = Tanh(s)", "k = Multiply(t, t)"],
        {},
        {"x": normal(size=(5, 6)), "y": normal(size=(5, 3))},
    )
    dc = here.d("c")
    dk = here.d("k")
    ds = here.d("s")
    yield here.plant("cumsum forward", "x", np.cumsum(dc, 1), "weight-not-transposed", "c")
    yield here.plant("cumsum forgotten", "x", dc, "diagonal-only", "c")
    yield here.plant("square one path", "t", dk * here.v["t"], "constant-factor", "k")
    shift = np.zeros((5, 6))
    shift[:, 0:3] = ds
    yield here.plant("slice at the start", "c", shift, "other-places|wrong-factor", "s")


FIRST = (
    batch_norm,
    layer_norm,
    convolution,
    pools,
    embedding,
    gate,
    attention,
    joined,
    cell,
    dropped,
    own_ops,
    entrywise,
)
SECOND = (image, strided, rms_norm, groups, recurrent, residual, tokens, choices)

THIRD = (norm_of_images, causal, pools_of_images, tied_table, log_softmax, running_sum)


def plants(scenes=(*FIRST, *SECOND, *THIRD), seed=29):
    """Every plant, with its scene in its name."""
    draw = np.random.default_rng(seed)
    for scene in scenes:
        for name, run, arrays, key, labels in scene(draw.normal):
            yield Plant(f"{scene.__name__}: {name}", run, arrays, key, tuple(labels.split("|")))
