"""Mistakes in layers, written down before anything was made with them.

The right derivatives are those of the vjp route; a mistake is what somebody writes for one of
them. A plant is (name, run, arrays handed in, wrong key, labels whose sentence is true of it).
"unknown" says that no label is: a formula of another op, which is no slip in this one.
"""

import numpy as np
from equation_cases import Plant, sigmoid, softmax

from jacobian_bp import Network

HELD = "statistics-as-constants|term-missing"


class Scene:
    """A network that ends in Σ g y, with its right derivatives."""

    def __init__(self, lines, ends, params=None, axes=None, **data):
        bare = Network.program(*lines, f"J = Sum({ends}, over='n')", params=params)
        self.run = bare.run(**data, axes=axes or {})

    def __getitem__(self, name):
        return np.array(self.run[name])

    def d(self, name):
        return self.run.vjp("J", name, 1.0)

    def plant(self, name, key, wrong, labels, *given):
        """A mistake at `key`, the right deltas `given` handed in before it."""
        wrong = np.asarray(wrong)
        right = self.d(key)
        assert wrong.shape == right.shape or "bias-not-summed" in labels, name
        assert wrong.shape != right.shape or not np.allclose(wrong, right), name
        return name, self.run, {one: self.d(one) for one in given} | {key: wrong}, key, labels


def net(lines, out, letters, params=None, axes=None, **data):
    """A program whose cost is Σ_n Σ g y over the letters of an example of y."""
    lines = [*lines, f"L = Einsum({out}, g, '{letters},{letters}->')"]
    return Scene(lines, "L", params, axes, **data)


def images(normal):
    """Two images through a strided, padded convolution and a rectifier."""
    K, b = normal(size=(3, 2, 3, 3)), normal(size=3)
    x, g = normal(size=(2, 2, 7, 6)), normal(size=(2, 3, 4, 3))
    here = net(
        ["z = Conv2d(x, K, b, stride=2, padding=1)", "a = ReLU(z)"],
        "a",
        "doq",
        {"K": K, "b": b},
        x=x,
        g=g,
    )
    dz, padded = here.d("z"), np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))

    def seen(stride, first=0):
        grid = np.pad(padded, ((0, 0), (0, 0), (0, 4), (0, 4)))
        rows = [stride * o + first for o in range(4)]
        columns = [stride * q + first for q in range(3)]
        return np.array([[grid[:, :, o : o + 3, q : q + 3] for q in columns] for o in rows])

    def back(kernel, at=1):
        found = np.zeros((2, 2, 9, 8))
        for o in range(4):
            for q in range(3):
                share = np.einsum("nd,dcrs->ncrs", dz[:, :, o, q], kernel)
                found[:, :, 2 * o : 2 * o + 3, 2 * q : 2 * q + 3] += share
        return found[:, :, at : at + 7, at : at + 6]

    assert np.allclose(back(K), here.d("x"))
    by = "ndoq,oqncrs->dcrs"
    assert np.allclose(np.einsum(by, dz, seen(2)), here.d("K"))
    moved = "other-places"
    yield here.plant("stride forgotten in dK", "K", np.einsum(by, dz, seen(1)), moved, "z")
    yield here.plant("padding forgotten in dK", "K", np.einsum(by, dz, seen(2, 1)), moved, "z")
    yield here.plant("padding not cut off from dx", "x", back(K, 0), moved, "z")
    one = np.einsum(by, dz[:1], seen(2)[:, :, :1])
    yield here.plant(
        "dK of the first image",
        "K",
        one,
        "last-step-only|check-of-wrong-quantity|summand-overwritten",
        "z",
    )
    yield here.plant(
        "db a mean over places",
        "b",
        dz.sum(0).mean((1, 2)),
        "constant-factor|wrong-contraction",
        "z",
    )
    yield here.plant(
        "mask of the gradient", "z", here.d("a") * (here.d("a") > 0), "slope-at-delta", "a"
    )
    yield here.plant(
        "one axis of the kernel flipped", "x", back(K[..., ::-1]), "factor-flipped", "z"
    )


def groups_of_channels(normal):
    """Channels in two groups, every other entry read."""
    K, b = normal(size=(6, 2, 3)), normal(size=6)
    x, g = normal(size=(3, 4, 11)), normal(size=(3, 6, 7))
    here = net(
        ["z = Conv1d(x, K, b, dilation=2, groups=2)"],
        "z",
        "do",
        {"K": K, "b": b},
        x=x,
        g=g,
    )

    def back(kernel, dilation=2, turn=0):
        found = np.zeros(x.shape)
        for half in (0, 1):
            channels = slice(2 * half, 2 * half + 2)
            other = slice(3 * (half ^ turn), 3 * (half ^ turn) + 3)
            for o in range(7):
                share = np.einsum("nd,dcr->ncr", g[:, other, o], kernel[other])
                found[:, channels, o : o + 2 * dilation + 1 : dilation] += share
        return found

    assert np.allclose(back(K), here.d("x"))
    yield here.plant("dilation forgotten in dx", "x", back(K, 1), "other-places|wrong-factor", "z")
    yield here.plant(
        "db by one example", "b", g[0].sum(1), "last-step-only|check-of-wrong-quantity", "z"
    )
    yield here.plant("taps turned in dx", "x", back(K[..., ::-1]), "factor-flipped", "z")


def pools(normal):
    """Largest entries of windows, and means of windows that overlap."""
    x = normal(size=(3, 2, 6, 8))
    g = normal(size=(3, 2, 3, 4))
    here = net(["y = MaxPool2d(x, 2)"], "y", "coq", x=x, g=g)
    blocks = x.reshape(3, 2, 3, 2, 4, 2)
    top = blocks == blocks.max((3, 5), keepdims=True)
    low = blocks == blocks.min((3, 5), keepdims=True)
    wide = g[:, :, :, None, :, None]
    assert np.allclose((top * wide).reshape(x.shape), here.d("x"))
    yield here.plant(
        "to the least entry", "x", (low * wide).reshape(x.shape), "other-places|wrong-factor", "y"
    )
    yield here.plant(
        "times the largest entry",
        "x",
        (top * wide * blocks).reshape(x.shape),
        "value-for-slope|extra-factor|slope-of-preactivation-formula",
        "y",
    )
    yield here.plant(
        "to the whole window",
        "x",
        np.broadcast_to(wide, blocks.shape).reshape(x.shape),
        "factor-missing",
        "y",
    )
    g = normal(size=(3, 2, 4, 5))
    here = net(["y = AvgPool2d(x, 3, stride=1)"], "y", "coq", x=x[:, :, :, :7], g=g)

    def back(share, stride=1):
        found = np.zeros((3, 2, 14, 14))
        for o in range(4):
            for q in range(5):
                rows, columns = (slice(stride * at, stride * at + 3) for at in (o, q))
                found[:, :, rows, columns] += share * g[:, :, o, q, None, None]
        return found[:, :, :6, :7]

    assert np.allclose(back(1 / 9), here.d("x"))
    yield here.plant("a third for a ninth", "x", back(1 / 3), "constant-factor|factor-missing", "y")
    yield here.plant("stride of the width", "x", back(1 / 9, 3), "other-places|wrong-factor", "y")


def norm_of_tokens(normal):
    """Layer norm at every position of every example."""
    gamma, beta = normal(size=(2, 5))
    x, g = normal(size=(3, 7, 5)), normal(size=(3, 7, 5))
    lines = ["y = LayerNorm(x, gamma, beta)", "E = Einsum(y, g, 'k,k->')", "L = Sum(E, over='t')"]
    axes = {"x": "n,t", "g": "n,t"}
    here = Scene(lines, "L", {"gamma": gamma, "beta": beta}, axes, x=x, g=g)
    s = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    u, d = (x - x.mean(-1, keepdims=True)) / s, g * gamma

    def spent(axis):
        mean = [of.mean(axis, keepdims=True) for of in (d, d * u)]
        return (d - mean[0] - u * mean[1]) / s

    assert np.allclose(spent(-1), here.d("x"))
    yield here.plant("means over the tokens", "x", spent(1), "wrong-contraction", "y")
    yield here.plant(
        "gain of each token", "gamma", (g * u).sum(0), "bias-not-summed|wrong-contraction", "y"
    )
    yield here.plant(
        "gain by the output",
        "gamma",
        (g * here["y"]).sum((0, 1)),
        "wrong-layer-activation|wrong-factor",
        "y",
    )
    sums = (d - d.sum(-1, keepdims=True) - u * (d * u).sum(-1, keepdims=True)) / s
    yield here.plant(
        "sums for means", "x", sums, "wrong-contraction|factor-missing|constant-factor", "y"
    )
    c = x - x.mean(-1, keepdims=True)
    plain = (d - d.mean(-1, keepdims=True) - c * (d * c).mean(-1, keepdims=True)) / s
    yield here.plant(
        "not divided by s in the third term", "x", plain, "wrong-factor|factor-missing", "y"
    )


def norm_of_a_batch(normal):
    """Batch norm, examples in rows."""
    gamma, beta = normal(size=(2, 3))
    x, g = 2 * normal(size=(11, 3)), normal(size=(11, 3))
    here = net(
        ["y = BatchNorm(x, gamma, beta)"],
        "y",
        "k",
        {"gamma": gamma, "beta": beta},
        x=x,
        g=g,
    )
    s = np.sqrt(x.var(0) + 1e-5)
    u, d = (x - x.mean(0)) / s, g * gamma
    right = (d - d.mean(0) - u * (d * u).mean(0)) / s
    assert np.allclose(right, here.d("x"))
    wrong = (d - d.sum(0) - u * (d * u).sum(0)) / s
    yield here.plant(
        "sums for means", "x", wrong, "wrong-contraction|factor-missing|constant-factor", "y"
    )
    wrong = (d - d.mean(0) - (x - x.mean(0)) * (d * u).mean(0)) / s
    yield here.plant("deviation for u", "x", wrong, "wrong-factor|factor-missing", "y")
    wrong = (d - g.mean(0) - u * (g * u).mean(0)) / s
    yield here.plant("gain in one term only", "x", wrong, "factor-missing", "y")
    yield here.plant(
        "gain for shift", "beta", (g * u).sum(0), "check-of-wrong-quantity|extra-factor", "y"
    )
    yield here.plant(
        "shift for gain", "gamma", g.sum(0), "check-of-wrong-quantity|factor-missing", "y"
    )
    yield here.plant(
        "gain by y", "gamma", (g * here["y"]).sum(0), "wrong-layer-activation|wrong-factor", "y"
    )


def norm_of_groups(normal):
    """Six channels in two groups."""
    gamma, beta = normal(size=(2, 6))
    x, g = normal(size=(3, 6, 5)), normal(size=(3, 6, 5))
    here = net(
        ["y = GroupNorm(x, gamma, beta, 2, axes='c,i')"],
        "y",
        "ci",
        {"gamma": gamma, "beta": beta},
        x=x,
        g=g,
    )

    def back(d, groups):
        shape = (3, groups, -1)
        parts = x.reshape(3, 2, -1)
        s = np.sqrt(parts.var(-1, keepdims=True) + 1e-5)
        u = ((parts - parts.mean(-1, keepdims=True)) / s).reshape(shape)
        wide = np.broadcast_to(s, parts.shape).reshape(shape)
        d = d.reshape(shape)
        found = (d - d.mean(-1, keepdims=True) - u * (d * u).mean(-1, keepdims=True)) / wide
        return found.reshape(x.shape)

    d = g * gamma[:, None]
    assert np.allclose(back(d, 2), here.d("x"))
    yield here.plant("means over all channels", "x", back(d, 1), "wrong-contraction", "y")
    yield here.plant("means of each channel", "x", back(d, 6), "wrong-contraction", "y")
    yield here.plant("gain forgotten", "x", back(g, 2), "factor-missing", "y")


def norm_by_size(normal):
    """RMS norm of the rows."""
    gamma = normal(size=7)
    x, g = normal(size=(3, 7)), normal(size=(3, 7))
    here = net(["y = RMSNorm(x, gamma)"], "y", "k", {"gamma": gamma}, x=x, g=g)
    r = np.sqrt((x**2).mean(1, keepdims=True) + 1e-5)
    u, d = x / r, g * gamma
    assert np.allclose((d - u * (d * u).mean(1, keepdims=True)) / r, here.d("x"))
    total = (d - u * (d * u).sum(1, keepdims=True)) / r
    yield here.plant(
        "a sum for the mean", "x", total, "wrong-contraction|factor-missing|constant-factor", "y"
    )
    plain = (d - x * (d * x).mean(1, keepdims=True)) / r
    yield here.plant("x for u", "x", plain, "wrong-factor|factor-missing", "y")
    layer = (d - d.mean(1, keepdims=True) - u * (d * u).mean(1, keepdims=True)) / r
    yield here.plant("as layer norm has it", "x", layer, "wrong-factor", "y")
    yield here.plant("the size held", "x", d / r, HELD, "y")


def words(normal):
    """Three texts of five words."""
    E, u = normal(size=(7, 2)), np.array([[2, 5, 2, 0, 5], [1, 1, 2, 6, 3], [5, 0, 0, 1, 2]])
    g = normal(size=(3, 5, 2))
    lines = [
        "e = Embedding(u, E)",
        "a = Tanh(e)",
        "P = Einsum(a, g, 'd,d->')",
        "L = Sum(P, over='t')",
    ]
    here = Scene(lines, "L", {"E": E}, {"u": "n,t", "g": "n,t"}, u=u, g=g)
    de = here.d("e")
    each = np.zeros(E.shape)
    for text, rows in zip(u, de, strict=True):
        own = np.zeros(E.shape)
        own[text] = rows
        each += own
    yield here.plant("assigned in each text", "E", each, "overwritten-index", "e")
    right = np.zeros(E.shape)
    np.add.at(right, u, de)
    assert np.allclose(right, here.d("E"))
    counts = np.bincount(u.ravel(), minlength=7)[:, None]
    yield here.plant(
        "a mean over the uses", "E", right / np.maximum(counts, 1), "wrong-contraction", "e"
    )
    yield here.plant(
        "one row down", "E", np.roll(right, 1, 0), "other-places|reshape-order|wrong-factor", "e"
    )
    slope = np.zeros(E.shape)
    np.add.at(slope, u, here.d("a"))
    yield here.plant("the slope forgotten", "E", slope, "wrong-delta", "e", "a")


def temperature(normal):
    """A softmax of scores over a temperature, and its logarithm against labels."""
    z, y = normal(size=(7, 3)), np.eye(3)[[0, 2, 1, 1, 0, 2, 2]]
    lines = ["s = Divide(z, 1.7)", "p = Softmax(s)", "q = Log(p)", "L = Einsum(q, y, 'k,k->')"]
    here = Scene(lines, "L", None, None, z=z, y=y)
    p, dp, ds = here["p"], here.d("p"), here.d("s")
    assert np.allclose(ds, p * (dp - (dp * p).sum(1, keepdims=True)))
    yield here.plant(
        "temperature forgotten", "z", ds, "missing-slope|factor-missing|constant-factor", "s"
    )
    yield here.plant("times the temperature", "z", ds * 1.7, "wrong-factor|constant-factor", "s")
    batch = dp * p - dp @ (p.T @ p)
    yield here.plant("outer product of the batch", "s", batch, "wrong-contraction", "p")
    yield here.plant(
        "p forgotten in the log", "p", y, "missing-slope|factor-missing|upstream-missing", "q"
    )
    yield here.plant("p for 1/p", "p", p * y, "wrong-factor|value-for-slope", "q")


def attention(normal):
    """One head over three texts of five tokens, with a residual and a projection."""
    X, g = normal(size=(3, 5, 4)), normal(size=(3, 5, 4))
    Wq, Wk, Wv = normal(size=(3, 4, 4)) / 2
    Wo = normal(size=(4, 4)) / 2
    lines = [
        "Q = Einsum(X, Wq, 'ti,hi->th')",
        "K = Einsum(X, Wk, 'ti,hi->th')",
        "V = Einsum(X, Wv, 'ti,hi->th')",
        "S = Einsum(Q, K, c, 'th,uh,->tu')",
        "P = Softmax(S, mask)",
        "O = Einsum(P, V, 'tu,uh->th')",
        "M = Einsum(O, Wo, 'th,ih->ti')",
        "R = Add(X, M)",
    ]
    mask = np.tril(np.ones((5, 5), dtype=int))
    here = net(
        lines,
        "R",
        "ti",
        {"Wq": Wq, "Wk": Wk, "Wv": Wv, "Wo": Wo},
        X=X,
        g=g,
        mask=np.broadcast_to(mask, (3, 5, 5)).copy(),
        c=np.asarray(0.5),
    )
    dP, P, dQ, K = here.d("P"), here["P"], here.d("Q"), here["K"]
    bare = softmax(here["S"])
    open_ = bare * (dP - (dP * bare).sum(-1, keepdims=True))
    yield here.plant(
        "mask forgotten on the way back", "S", open_, "wrong-factor|check-of-wrong-quantity", "P"
    )
    dS = here.d("S")
    assert np.allclose(dS @ K * 0.5, dQ)
    yield here.plant(
        "one over the root of the tokens", "Q", dS @ K / np.sqrt(5), "constant-factor", "S"
    )
    yield here.plant(
        "dV by dP",
        "V",
        np.einsum("ntu,nth->nuh", dP, here.d("O")),
        "wrong-factor|slope-at-delta|wrong-delta",
        "P",
        "O",
    )
    yield here.plant(
        "dWv by Q",
        "Wv",
        np.einsum("nth,nti->hi", here.d("V"), here["Q"]),
        "wrong-factor|wrong-layer-activation",
        "V",
    )
    yield here.plant(
        "dWq a mean",
        "Wq",
        here.d("Wq") / 3,
        "batch-mean-twice|constant-factor|wrong-contraction",
        "Q",
    )
    inner = sum(here.d(one) @ W for one, W in {"Q": Wq, "K": Wk, "V": Wv}.items())
    assert np.allclose(inner + g, here.d("X"))
    yield here.plant(
        "residual forgotten", "X", inner, "fan-out-overwritten|term-missing", "Q", "K", "V", "R"
    )
    yield here.plant("Wo turned", "O", g @ Wo.T, "weight-not-transposed|factor-turned", "M")
    yield here.plant(
        "softmax along the keys",
        "S",
        P * (dP - (dP * P).sum(1, keepdims=True)),
        "wrong-contraction",
        "P",
    )


def cells(normal):
    """One step of an LSTM, one of a GRU, and two of a plain cell."""
    k = 3
    data = {"x": normal(size=(7, 2)), "h0": normal(size=(7, k)), "c0": normal(size=(7, k))}
    params = {"W": normal(size=(4 * k, 2)), "U": normal(size=(4 * k, k)), "b": normal(size=4 * k)}
    lines = [
        "c = LSTMCarry(x, h0, c0, W, U, b)",
        "h = LSTMOutput(x, h0, c, W, U, b)",
        "m = Einsum(h, c, 'k,k->k')",
    ]
    here = net(lines, "m", "k", params, g=normal(size=(7, k)), **data)
    rows = data["x"] @ params["W"].T + data["h0"] @ params["U"].T + params["b"]
    i, f, _, o = (sigmoid(rows[:, q * k : q * k + k]) for q in range(4))
    dc, dh = here.d("c"), here.d("h")
    assert np.allclose(dc * f, here.d("c0"))
    yield here.plant(
        "forget gate forgotten",
        "c0",
        dc,
        "factor-missing|missing-slope|check-of-wrong-quantity",
        "c",
    )
    yield here.plant("input gate for forget gate", "c0", dc * i, "wrong-factor", "c")
    own = np.asarray(here.run["g"]) * here["h"]
    assert np.allclose(own + dh * o * (1 - np.tanh(here["c"]) ** 2), dc)
    yield here.plant("no way through the output", "c", own, "fan-out-overwritten", "h")
    yield here.plant("tanh forgotten", "c", own + dh * o, "missing-slope|factor-missing", "h")
    params = {
        "W": normal(size=(3 * k, 2)),
        "U": normal(size=(3 * k, k)),
        "b": normal(size=3 * k),
        "e": normal(size=3 * k),
    }
    data.pop("c0")
    here = net(["h = GRUCell(x, h0, W, U, b, e)"], "h", "k", params, g=normal(size=(7, k)), **data)
    rows = data["x"] @ params["W"].T + params["b"]
    back = data["h0"] @ params["U"].T + params["e"]
    r, z = (sigmoid((rows + back)[:, q * k : q * k + k]) for q in (0, 1))
    n = np.tanh(rows[:, 2 * k :] + r * back[:, 2 * k :])
    dh = here.d("h")
    dn = dh * (1 - z) * (1 - n**2)
    dz = dh * (data["h0"] - n) * z * (1 - z)
    dr = dn * back[:, 2 * k :] * r * (1 - r)
    gates = np.hstack([dr, dz, dn * r]) @ params["U"]
    assert np.allclose(gates + dh * z, here.d("h0"))
    yield here.plant("state kept is forgotten", "h0", gates, "term-missing", "h")
    yield here.plant("1 − z for z", "h0", gates + dh * (1 - z), "wrong-factor", "h")
    reset = np.hstack([dr, dz, dn]) @ params["U"] + dh * z
    yield here.plant("reset gate forgotten", "h0", reset, "factor-missing", "h")
    params = {"W": normal(size=(k, 2)), "U": normal(size=(k, k)), "b": normal(size=k)}
    lines = ["h1 = RNNCell(x1, h0, W, U, b)", "h2 = RNNCell(x2, h1, W, U, b)"]
    x1, x2 = normal(size=(2, 7, 2))
    here = net(lines, "h2", "k", params, g=normal(size=(7, k)), x1=x1, x2=x2, h0=data["h0"])
    s2 = here.d("h2") * (1 - here["h2"] ** 2)
    s1 = here.d("h1") * (1 - here["h1"] ** 2)
    assert np.allclose(s2.T @ here["h1"] + s1.T @ data["h0"], here.d("U"))
    both = (s2 + s1).T @ here["h1"]
    yield here.plant(
        "h1 in both steps", "U", both, "wrong-layer-activation|wrong-factor", "h2", "h1"
    )
    first = s1.T @ x1
    yield here.plant(
        "first step alone",
        "W",
        first,
        "last-step-only|fan-out-overwritten|term-missing",
        "h2",
        "h1",
    )
    bare = here.d("h2").T @ x2 + here.d("h1").T @ x1
    yield here.plant(
        "slopes forgotten in dW", "W", bare, "missing-slope|factor-missing", "h2", "h1"
    )


def two_masks(normal):
    """Two layers with a dropout each."""
    params = {"W1": normal(size=(5, 3)), "W2": normal(size=(5, 5))}
    m1, m2 = (normal(size=(2, 7, 5)) > -0.4) * 1
    lines = [
        "a1 = Linear(x, W1)",
        "d1 = Dropout(a1, m1, 0.8)",
        "a2 = Linear(d1, W2)",
        "d2 = Dropout(a2, m2, 0.5)",
    ]
    here = net(lines, "d2", "k", params, x=normal(size=(7, 3)), m1=m1, m2=m2, g=normal(size=(7, 5)))
    dd = here.d("d1")
    yield here.plant("the other mask", "a1", dd * m2 / 0.8, "wrong-factor", "d1")
    yield here.plant("the other keep", "a1", dd * m1 / 0.5, "constant-factor|wrong-factor", "d1")
    yield here.plant("dropped for kept", "a1", dd * m1 / 0.2, "constant-factor|wrong-factor", "d1")


def highway(normal):
    """A gate between a branch and what it skips, then reductions over the tokens."""
    params = {"W": normal(size=(3, 3)), "V": normal(size=(3, 3))}
    lines = [
        "u = Linear(x, W)",
        "s = Sigmoid(u)",
        "v = Linear(x, V)",
        "t = Tanh(v)",
        "w = Subtract(t, x)",
        "m = Multiply(s, w)",
        "r = Add(x, m)",
        "top = Max(r, over='t')",
        "mid = Mean(r, over='t')",
        "e = Add(top, mid)",
        "L = Einsum(e, g, 'k,k->')",
    ]
    x, g = normal(size=(2, 5, 3)), normal(size=(2, 3))
    here = Scene(lines, "L", params, {"x": "n,t"}, x=x, g=g)
    r = here["r"]
    top = r == r.max(1, keepdims=True)
    assert np.allclose(g[:, None] * (top + 1 / 5), here.d("r"))
    yield here.plant(
        "largest to all tokens",
        "r",
        g[:, None] * (1 + 1 / 5) + 0 * r,
        "factor-missing|missing-slope",
        "top",
        "mid",
    )
    yield here.plant(
        "mean by the examples",
        "r",
        g[:, None] * (top + 1 / 2),
        "constant-factor|wrong-contraction|wrong-factor",
        "top",
        "mid",
    )
    dr, dm = here.d("r"), here.d("m")
    yield here.plant("gate by t alone", "s", dm * here["t"], "wrong-factor", "m")
    yield here.plant("gate forgotten", "w", dm, "factor-missing", "m")
    skip = here.d("u") @ params["W"] + here.d("v") @ params["V"] + dr
    assert np.allclose(skip - dm * here["s"], here.d("x"))
    yield here.plant(
        "way past the gate added",
        "x",
        skip + dm * here["s"],
        "sign-of-a-term|sign",
        "r",
        "w",
        "u",
        "v",
    )


def places(normal):
    """Sums, sorting and slices of rows."""
    x = normal(size=(3, 7))
    order = np.argsort(x, 1)
    here = net(["y = Sort(x)"], "y", "o", x=x, g=normal(size=(3, 7)))
    dy = here.d("y")
    yield here.plant("not sorted back", "x", dy, "wrong-factor|missing-slope|factor-missing", "y")
    twice = np.take_along_axis(dy, order, 1)
    yield here.plant(
        "order for its inverse", "x", twice, "weight-not-transposed|factor-turned|wrong-factor", "y"
    )
    here = net(["y = CumSum(x)"], "y", "o", x=x, g=normal(size=(3, 7)))
    dy = here.d("y")
    late = np.cumsum(dy[:, ::-1], 1)[:, ::-1]
    assert np.allclose(late, here.d("x"))
    yield here.plant(
        "without its own entry", "x", late - dy, "other-places|wrong-factor|wrong-contraction", "y"
    )
    yield here.plant(
        "the whole sum",
        "x",
        dy.sum(1, keepdims=True) + 0 * dy,
        "factor-missing|wrong-contraction",
        "y",
    )
    here = net(["y = Slice(x, 1, None, 2)"], "y", "o", x=x, g=normal(size=(3, 3)))
    dy, wrong = here.d("y"), np.zeros((3, 7))
    wrong[:, 0:6:2] = dy
    yield here.plant("start forgotten", "x", wrong, "other-places|wrong-factor|reshape-order", "y")
    here = net(["y = Flip(x)"], "y", "o", x=x, g=normal(size=(3, 7)))
    yield here.plant(
        "not flipped back",
        "x",
        here.d("y"),
        "check-of-wrong-quantity|factor-flipped|wrong-factor|reshape-order|missing-slope",
        "y",
    )
    here = net(["y = Pad(x, 2, 1)"], "y", "o", x=x, g=normal(size=(3, 10)))
    yield here.plant("cut at the front", "x", here.d("y")[:, :7], "other-places|wrong-factor", "y")
    u = np.array([2, 0, 2, 5, 5, 1])
    here = net(
        ["y = Gather(x, u)"],
        "y",
        "o",
        x=x,
        u=np.broadcast_to(u, (3, 6)).copy(),
        g=normal(size=(3, 6)),
    )
    kept = np.zeros((3, 7))
    kept[:, u] = here.d("y")
    yield here.plant(
        "assigned where it comes again", "x", kept, "overwritten-index|summand-overwritten", "y"
    )


def curvature(normal):
    """v through a Gauss-Newton matrix, vᵀ Jᵀ B J v, and a determinant of it."""
    A, p = normal(size=(3, 3)), softmax(normal(size=3))
    B = np.diag(p) - np.outer(p, p)
    lines = ["u = Einsum(v, A, 'j,kj->k')", "L = Einsum(u, B, u, 'k,kl,l->')"]
    v = normal(size=(5, 3))
    here = Scene(lines, "L", {"A": A}, None, v=v, B=np.broadcast_to(B, (5, 3, 3)).copy())
    u, du = here["u"], here.d("u")
    assert np.allclose(2 * u @ B, du)
    yield here.plant(
        "one of two ways", "u", u @ B, "constant-factor|fan-out-overwritten|term-missing"
    )
    yield here.plant("output's curvature forgotten", "u", 2 * u, "factor-missing")
    yield here.plant("its diagonal", "u", 2 * u * np.diag(B), "wrong-factor|diagonal-only")
    yield here.plant(
        "A for its transpose", "v", du @ A.T, "weight-not-transposed|factor-turned", "u"
    )
    M = normal(size=(5, 3, 3))
    here = net(["Y = Inverse(X)"], "Y", "ij", X=M, g=normal(size=(5, 3, 3)))
    Y, dY = here["Y"], here.d("Y")
    T = Y.swapaxes(1, 2)
    assert np.allclose(-T @ dY @ T, here.d("X"))
    yield here.plant("inverse not transposed", "X", -Y @ dY @ Y, "factor-turned", "Y")
    yield here.plant("minus forgotten", "X", T @ dY @ T, "sign", "Y")


SCENES = (
    *(images, groups_of_channels, pools, norm_of_tokens, norm_of_a_batch, norm_of_groups),
    *(norm_by_size, words, temperature, attention, cells, two_masks, highway, places, curvature),
)


def plants(seed=71, scenes=SCENES):
    """Every mistake, with a generator of its own for each scene."""
    for scene in scenes:
        generator = np.random.default_rng([seed, len(scene.__name__)])
        for name, run, arrays, key, labels in scene(generator.normal):
            title = f"{scene.__name__}: {name}"
            yield Plant(title, run, arrays, key, frozenset(labels.split("|")))
