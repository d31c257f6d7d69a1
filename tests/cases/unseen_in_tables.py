"""Mistakes in norms of images, pools, tied tables and sums: the third list of unseen_mistakes."""

import numpy as np
from unseen_scene import Scene


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


THIRD = (norm_of_images, causal, pools_of_images, tied_table, log_softmax, running_sum)
