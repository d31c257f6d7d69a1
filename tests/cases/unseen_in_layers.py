"""Mistakes in norms, windows, look-ups, gates and cells: the first list of unseen_mistakes."""

import numpy as np
from unseen_scene import Scene


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
