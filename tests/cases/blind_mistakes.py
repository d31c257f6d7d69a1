"""A sixth list of mistakes in layers, written down before the diagnosis was tried on them.

As in fresh_mistakes: the right derivatives are those of the vjp route, and a plant has the labels
whose sentence is true of it; "unknown" stands where none is.
"""

import numpy as np
from equation_cases import Plant, sigmoid, softmax
from fresh_mistakes import Scene, net

EPS = 1e-5


def image_block(normal):
    """A strided convolution, a norm of groups and a SiLU."""
    x, K, b = normal(size=(2, 3, 7, 6)), normal(size=(4, 3, 3, 2)), normal(size=4)
    gain, shift, g = normal(size=4), normal(size=4), normal(size=(2, 4, 4, 3))
    params = {"K": K, "b": b, "gain": gain, "shift": shift}
    lines = [
        "z = Conv2d(x, K, b, stride=2, padding=(1, 0))",
        "q = GroupNorm(z, gain, shift, groups=2)",
        "a = SiLU(q)",
    ]
    here = net(lines, "a", "doq", params, x=x, g=g)
    dz, dq, z, q = here.d("z"), here.d("q"), here["z"], here["q"]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))

    def kernel(delta):
        seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 2), (2, 3))
        return np.einsum("ndoq,ncoqrs->dcrs", delta, seen[:, :, ::2, ::2])

    assert np.allclose(kernel(dz), here.d("K"))
    yield here.plant("dK skips the norm", "K", kernel(dq), "wrong-delta", "q", "z")
    column = dz[:, :, :, 0].sum((0, 2))
    yield here.plant("db of the first column", "b", column, "summand-overwritten", "z")
    wide = np.zeros((2, 3, 9, 6))
    for o in range(4):
        for p in range(3):
            share = np.einsum("nd,dcrs->ncrs", dz[:, :, o, p], K)
            wide[:, :, 2 * o : 2 * o + 3, 2 * p : 2 * p + 2] += share
    assert np.allclose(wide[:, :, 1:8], here.d("x"))
    yield here.plant("cut at the wrong end", "x", wide[:, :, 2:], "other-places", "z")
    yield here.plant(
        "padding kept in the place of the last rows", "x", wide[:, :, :7], "other-places", "z"
    )
    yield here.plant(
        "σ (1 + z)",
        "q",
        here.d("a") * sigmoid(q) * (1 + q),
        "factor-missing",
        "a",
    )
    parts, d = z.reshape(2, 2, -1), (dq * gain[:, None, None]).reshape(2, 2, -1)
    s = np.sqrt(parts.var(-1, keepdims=True) + EPS)
    u = (parts - parts.mean(-1, keepdims=True)) / s
    along = u * (d * u).mean(-1, keepdims=True)
    assert np.allclose(((d - d.mean(-1, keepdims=True) - along) / s).reshape(z.shape), dz)
    other = ((d - d.mean((0, 2), keepdims=True) - along) / s).reshape(z.shape)
    yield here.plant("one mean over all images too", "z", other, "wrong-contraction", "q")
    late = (dq * np.roll(gain, 1)[:, None, None]).reshape(2, 2, -1)
    along = u * (late * u).mean(-1, keepdims=True)
    neighbour = ((late - late.mean(-1, keepdims=True) - along) / s).reshape(z.shape)
    yield here.plant("the gain of the channel before", "z", neighbour, "wrong-factor|wrong-weight")


def upwards(normal):
    """A transposed convolution, a rectifier and a mean pool."""
    x, K, b = normal(size=(3, 4, 5)), normal(size=(4, 4, 3)), normal(size=4)
    g = normal(size=(3, 4, 5))
    lines = ["z = ConvTranspose1d(x, K, b, stride=2)", "a = ReLU(z)", "y = AvgPool1d(a, 2)"]
    here = net(lines, "y", "do", {"K": K, "b": b}, x=x, g=g)
    dz, da, dy = here.d("z"), here.d("a"), here.d("y")

    def back(weights, delta=dz):
        seen = np.lib.stride_tricks.sliding_window_view(delta, 3, 2)[:, :, ::2]
        return np.einsum("ndir,cdr->nci", seen, weights)

    assert np.allclose(back(K), here.d("x"))
    yield here.plant("input and output channels", "x", back(K.swapaxes(0, 1)), "factor-turned", "z")
    yield here.plant("no rectifier on the way", "x", back(K, da), "missing-slope", "a")
    seen = np.lib.stride_tricks.sliding_window_view(da, 3, 2)[:, :, ::2]
    taps = np.einsum("nci,ndir->cdr", x, seen)
    yield here.plant("dK without the rectifier", "K", taps, "wrong-delta|missing-slope", "a", "z")
    yield here.plant("db a mean of places", "b", dz.mean(2).sum(0), "constant-factor", "z")
    tiled = np.concatenate([np.tile(dy, 2), np.zeros((3, 4, 1))], 2) / 2
    yield here.plant("np.tile for np.repeat", "a", tiled, "other-places|reshape-order", "y")
    yield here.plant("the whole to both", "a", 2 * da, "constant-factor|factor-missing", "y")


def largest(normal):
    """A max pool of images, and the largest token behind it."""
    x, g = normal(size=(2, 3, 6, 4)), normal(size=(2, 3, 3, 2))
    here = net(["y = MaxPool2d(x, 2)"], "y", "coq", x=x, g=g)
    dy = here.d("y").repeat(2, 2).repeat(2, 3)
    rows = x.reshape(2, 3, 6, 2, 2)
    of_rows = (rows == rows.max(-1, keepdims=True)).reshape(x.shape)
    yield here.plant("one of each row of a window", "x", dy * of_rows, "other-places", "y")
    yield here.plant("the entries above their mean", "x", dy * (x > x.mean()), "other-places", "y")
    yield here.plant("times the entry", "x", here.d("x") * x, "extra-factor|factor-twice", "y")


def block(normal):
    """A layer norm, a layer with GELU and a second one, and what goes past them."""
    x, g = normal(size=(2, 5, 3)), normal(size=(2, 5, 3))
    gain, shift, W1, W2 = *normal(size=(2, 3)), normal(size=(3, 3)), normal(size=(3, 3))
    lines = [
        "u = LayerNorm(x, gain, shift)",
        "z = Linear(u, W1)",
        "a = GELU(z)",
        "m = Linear(a, W2)",
        "r = Add(x, m)",
    ]
    params = {"gain": gain, "shift": shift, "W1": W1, "W2": W2}
    ends = ["L = Einsum(r, g, 'k,k->')", "M = Sum(L, over='t')"]
    here = Scene([*lines, *ends], "M", params, {"x": "n,t", "g": "n,t"}, x=x, g=g)
    du, dz, dm, dr = here.d("u"), here.d("z"), here.d("m"), here.d("r")
    s = np.sqrt(x.var(-1, keepdims=True) + EPS)
    n = (x - x.mean(-1, keepdims=True)) / s

    def norm(delta):
        along = n * (delta * n).mean(-1, keepdims=True)
        return (delta - delta.mean(-1, keepdims=True) - along) / s

    assert np.allclose(norm(du * gain) + dr, here.d("x"))
    by_x = np.einsum("nth,nti->hi", dz, x)
    wrong = "wrong-factor|wrong-layer-activation|preactivation-for-activation"
    yield here.plant("W1 by x", "W1", by_x, wrong, "z")
    yield here.plant(
        "what goes past is normalised too", "x", norm(du * gain + dr), "unknown", "r", "u"
    )
    yield here.plant("divided by the gain", "x", norm(du / gain) + dr, "wrong-weight", "r", "u")
    yield here.plant("the shift for the gain", "x", norm(du * shift) + dr, "wrong-weight", "r", "u")
    first = (du * n)[:, 0].sum(0)
    labels = "summand-overwritten|last-step-only|wrong-contraction|other-places"
    yield here.plant("the first token alone", "gain", first, labels, "u")
    yield here.plant("W1 and W2 exchanged", "a", dm @ W1, "wrong-weight", "m")
    yield here.plant("W2 by z", "W2", np.einsum("nth,nti->hi", dm, here["z"]), wrong, "m")
    slope = here.d("z") / here.d("a")
    yield here.plant("the slope squared", "z", here.d("a") * slope**2, "factor-twice", "a")


def heads(normal):
    """Two heads of attention, added up by their own output weights."""
    x, g = normal(size=(2, 5, 4)), normal(size=(2, 5, 4))
    W = {name: normal(size=(2, 3, 4)) / 2 for name in ("Wq", "Wk", "Wv", "Wo")}
    lines = [
        "Q = Einsum(x, Wq, 'ti,hdi->htd')",
        "K = Einsum(x, Wk, 'ti,hdi->htd')",
        "V = Einsum(x, Wv, 'ti,hdi->htd')",
        "S = Einsum(Q, K, 'htd,hud->htu')",
        "P = Softmax(S)",
        "O = Einsum(P, V, 'htu,hud->htd')",
        "y = Einsum(O, Wo, 'htd,hdi->ti')",
    ]
    here = net(lines, "y", "ti", W, x=x, g=g)
    dS, dO, dV, Q, K, V, P = (*map(here.d, "SOV"), *(here[name] for name in "QKVP"))
    assert np.allclose(dS @ K, here.d("Q"))
    dQ, dK = here.d("Q"), here.d("K")
    yield here.plant(
        "heads in reverse",
        "Wq",
        here.d("Wq")[::-1],
        "reshape-order|factor-flipped",
        "Q",
    )
    yield here.plant("the other head's V", "P", dO @ V[:, ::-1].swapaxes(2, 3), "wrong-factor", "O")
    yield here.plant(
        "both triangles", "Q", (dS + dS.swapaxes(2, 3)) @ K, "unknown|wrong-delta", "S"
    )
    yield here.plant("scores turned", "Q", dS.swapaxes(2, 3) @ K, "factor-turned", "S")
    dP = here.d("P")
    by_q = P * (dP - (dO * Q).sum(-1, keepdims=True))
    yield here.plant("O's sum taken with Q", "S", by_q, "unknown|wrong-factor", "P", "O")
    parts = [np.einsum("nhtd,hdi->nti", d, W[w]) for d, w in ((dQ, "Wq"), (dK, "Wq"), (dV, "Wv"))]
    yield here.plant("Wq for Wk", "x", sum(parts), "wrong-weight", "Q", "K", "V")
    one = np.einsum("nti,di->ntd", g, W["Wo"][0])
    all_alike = np.stack([one, one], 1)
    yield here.plant("one head's Wo for both", "O", all_alike, "wrong-factor|wrong-weight", "y")
    yield here.plant("mean of the heads", "x", 0.5 * here.d("x"), "constant-factor", "Q", "K", "V")


def language(normal):
    """Words with places, a temperature and a cross-entropy."""
    E, R, W = normal(size=(7, 3)), normal(size=(4, 3)), normal(size=(5, 3))
    u = np.array([[2, 5, 2, 0], [1, 1, 6, 2], [0, 3, 3, 5]])
    lines = [
        "e = Embedding(u, E)",
        "h = Add(e, R)",
        "o = Tanh(h)",
        "z = Linear(o, W)",
        "s = Divide(z, 1.6)",
        "l = LogSoftmax(s)",
        "P = Einsum(l, g, 'k,k->')",
        "L = Sum(P, over='t')",
    ]
    here = Scene(
        lines,
        "L",
        {"E": E, "R": R, "W": W},
        {"u": "n,t", "g": "n,t"},
        u=u,
        g=normal(size=(3, 4, 5)),
    )
    ds, de, dh, dz, dl = (here.d(name) for name in ("s", "e", "h", "z", "l"))
    yield here.plant("times the temperature", "z", ds * 1.6, "constant-factor|wrong-factor", "s")

    def rows(index, delta):
        found = np.zeros(E.shape)
        np.add.at(found, index, delta)
        return found

    assert np.allclose(rows(u, de), here.d("E"))
    yield here.plant("tokens in reverse", "E", rows(u, de[:, ::-1]), "factor-flipped", "e")
    yield here.plant("the next token", "E", rows(np.roll(u, -1, 1), de), "other-places", "e")
    yield here.plant("places per text", "R", dh[-1], "last-step-only|wrong-contraction", "h")
    yield here.plant(
        "z's delta with p of z",
        "s",
        dl - softmax(here["z"]) * dl.sum(-1, keepdims=True),
        "wrong-factor",
        "l",
    )
    yield here.plant(
        "tokens averaged in dW",
        "W",
        np.einsum("ntk,nti->ki", dz, here["o"]) / 4,
        "constant-factor",
        "z",
    )
    yield here.plant(
        "no tanh in dR", "R", here.d("o").sum(0), "wrong-delta|missing-slope", "o", "h"
    )


def long_memory(normal):
    """Two steps of an LSTM and one of a GRU."""
    k, n = 3, 7
    x1, x2, h0, c0 = *normal(size=(2, n, 2)), *normal(size=(2, n, k))
    params = {"W": normal(size=(4 * k, 2)), "U": normal(size=(4 * k, k)), "b": normal(size=4 * k)}
    lines = ["h1, c1 = LSTMCell(x1, h0, c0, W, U, b)", "h2, c2 = LSTMCell(x2, h1, c1, W, U, b)"]
    data = {"x1": x1, "x2": x2, "h0": h0, "c0": c0}
    here = net(lines, "h2", "k", params, g=normal(size=(n, k)), **data)

    def gates(x, h):
        sums = x @ params["W"].T + h @ params["U"].T + params["b"]
        i, f, g, o = np.split(sums, 4, axis=1)
        return sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)

    (i1, f1, g1, o1), (i2, f2, g2, o2) = gates(x1, h0), gates(x2, here["h1"])
    dh2, dh1, dc2, dc1 = (here.d(name) for name in ("h2", "h1", "c2", "c1"))
    c1, c2 = here["c1"], here["c2"]
    through_h = dh1 * o1 * (1 - np.tanh(c1) ** 2)
    assert np.allclose(dc2 * f2 + through_h, dc1)
    yield here.plant("past h1", "c1", dc2 * f2, "fan-out-overwritten", "h2", "c2", "h1")
    yield here.plant(
        "f of the step before",
        "c1",
        dc2 * f1 + through_h,
        "wrong-factor|unknown",
        "h2",
        "c2",
        "h1",
    )
    first = np.hstack([dc1 * g1 * i1 * (1 - i1), dc1 * c0 * f1 * (1 - f1), dc1 * i1 * (1 - g1**2)])
    first = np.hstack([first, dh1 * np.tanh(c1) * o1 * (1 - o1)])
    second = np.hstack([dc2 * g2 * i2 * (1 - i2), dc2 * c1 * f2 * (1 - f2), dc2 * i2 * (1 - g2**2)])
    second = np.hstack([second, dh2 * np.tanh(c2) * o2 * (1 - o2)])
    given = ("h2", "c2", "h1", "c1")
    assert np.allclose(first.T @ h0 + second.T @ here["h1"], here.d("U"))
    both = (first + second).T @ h0
    yield here.plant("h0 in both steps", "U", both, "wrong-factor|wrong-layer-activation", *given)
    yield here.plant("steps averaged", "U", here.d("U") / 2, "constant-factor", *given)
    carried = dh2 * np.tanh(c2) * (1 - o2**2)
    bent = np.hstack([second[:, : 3 * k], carried]) @ params["U"]
    yield here.plant("o's slope 1 − o²", "h1", bent, "wrong-factor|wrong-layer-slope", "h2", "c2")

    names = ("W", "U", "b")
    rows = dict(
        zip(
            names,
            (normal(size=(3 * k, 2)), normal(size=(3 * k, k)), normal(size=3 * k)),
            strict=True,
        )
    )
    here = net(["h = GRUCell(x, h0, W, U, b)"], "h", "k", rows, g=h0[::-1], x=x1, h0=h0)
    dh, from_h = here.d("h"), h0 @ rows["U"].T
    front = x1 @ rows["W"].T + rows["b"]
    r, z = (sigmoid((front + from_h)[:, q * k : q * k + k]) for q in (0, 1))
    new = np.tanh(front[:, 2 * k :] + r * from_h[:, 2 * k :])
    dn, dz = dh * (1 - z) * (1 - new**2), dh * (h0 - new) * z * (1 - z)
    dr = dn * from_h[:, 2 * k :] * r * (1 - r)
    assert np.allclose(np.hstack([dr, dz, dn]).T @ x1, here.d("W"))
    yield here.plant(
        "r in the rows of W too",
        "W",
        np.hstack([dr, dz, dn * r]).T @ x1,
        "extra-factor|wrong-delta",
        "h",
    )
    yield here.plant(
        "n's slope 1 + n²",
        "x",
        np.hstack([dr * (1 + new**2) / (1 - new**2), dz, dh * (1 - z) * (1 + new**2)]) @ rows["W"],
        "sign-of-a-term|wrong-factor",
        "h",
    )
    yield here.plant(
        "z's value for its slope",
        "b",
        np.hstack([dr, dh * (h0 - new) * z, dn]).sum(0),
        "factor-missing|wrong-factor",
        "h",
    )


def plain_memory(normal):
    """Three steps of a plain cell."""
    k, n = 3, 7
    params = {"W": normal(size=(k, 2)), "U": normal(size=(k, k)), "b": normal(size=k)}
    data = {f"x{t}": normal(size=(n, 2)) for t in (1, 2, 3)} | {"h0": normal(size=(n, k))}
    lines = [f"h{t} = RNNCell(x{t}, h{t - 1}, W, U, b)" for t in (1, 2, 3)]
    here = net(lines, "h3", "k", params, g=normal(size=(n, k)), **data)
    dh = {t: here.d(f"h{t}") for t in (1, 2, 3)}
    dz = {t: dh[t] * (1 - here[f"h{t}"] ** 2) for t in dh}
    assert np.allclose(dz[1] @ params["U"], here.d("h0"))
    yield here.plant("stopped at the sum", "h0", dz[1], "weight-missing|factor-missing", "h1")
    before = dh[3] * (1 - here["h2"] ** 2)
    yield here.plant(
        "the slope of the step before",
        "h2",
        before @ params["U"],
        "wrong-layer-slope|wrong-factor",
        "h3",
    )
    steps = "h3", "h2", "h1"
    late = sum(dz[t].T @ data[f"x{max(t - 1, 1)}"] for t in dz)
    yield here.plant("x of the step before", "W", late, "wrong-layer-activation", *steps)
    twice = sum(dz.values()).sum(0) + dz[3].sum(0)
    yield here.plant("the last step twice", "b", twice, "fan-out-overwritten", *steps)


def batch(normal):
    """A batch norm between a layer and a gate, a dropout behind."""
    W, V = normal(size=(4, 3)), normal(size=(4, 3))
    gain, shift = normal(size=4), normal(size=4)
    params = {"W": W, "V": V, "gain": gain, "shift": shift}
    lines = [
        "z = Linear(x, W)",
        "q = BatchNorm(z, gain, shift)",
        "v = Linear(x, V)",
        "s = Sigmoid(v)",
        "m = Multiply(q, s)",
        "d = Dropout(m, k, 0.8)",
    ]
    x, k = normal(size=(7, 3)), (normal(size=(7, 4)) > -0.6) * 1
    here = net(lines, "d", "j", params, x=x, k=k, g=normal(size=(7, 4)))
    dq, dm, dd, z, q, s = here.d("q"), here.d("m"), here.d("d"), here["z"], here["q"], here["s"]
    spread = np.sqrt(z.var(0) + EPS)
    n = (z - z.mean(0)) / spread

    def norm(d):
        return (d - d.mean(0) - n * (d * n).mean(0)) / spread

    assert np.allclose(norm(dq * gain), here.d("z"))
    yield here.plant("the shift for the gain", "z", norm(dq * shift), "wrong-weight|wrong-factor")
    yield here.plant("the gain squared", "z", norm(dq * gain**2), "factor-twice", "q")
    yield here.plant("the gate for its input", "s", dm * s, "wrong-factor", "m")
    yield here.plant("σ alone", "v", here.d("s") * s, "value-for-slope|factor-missing", "s")
    yield here.plant("dropped entries kept", "m", dd / 0.8, "factor-missing", "d")
    yield here.plant(
        "a mean over the kept", "shift", dq.sum(0) / k.sum(0), "unknown|wrong-contraction", "q"
    )
    yield here.plant("V by z's delta", "V", here.d("z").T @ x, "check-of-wrong-quantity", "z", "v")
    yield here.plant("gain by the output", "gain", (dq * q).sum(0), "wrong-layer-activation", "q")


def costs(normal):
    """Binary labels, divergences, means over outputs, penalties."""
    z, y, g = normal(size=(7, 3)), (normal(size=(7, 3)) > 0) * 1.0, abs(normal(size=7))
    here = net(["C = BinaryCrossEntropyFromLogits(z, y)"], "C", "", z=z, y=y, g=g)
    p, each = sigmoid(z), g[:, None]
    assert np.allclose(each * (p - y), here.d("z"))
    labels = "wrong-factor|extra-factor|extra-output-slope"
    yield here.plant("σ once more", "z", each * (p - y) * p, labels)
    yield here.plant("softmax for σ", "z", each * (softmax(z) - y), "wrong-factor")
    yield here.plant("labels −1 and 1", "z", each * (p - (2 * y - 1)), "wrong-factor")
    here = net(["p = Sigmoid(z)", "C = BinaryCrossEntropy(p, y)"], "C", "", z=z, y=y, g=g)
    yield here.plant("no 1 − y", "p", -each * y / p, "check-of-wrong-quantity")
    yield here.plant(
        "both with a minus",
        "p",
        -each * (y / p + (1 - y) / (1 - p)),
        "sign-of-a-term|wrong-factor",
    )
    t = softmax(normal(size=(7, 3)))
    here = net(["p = Softmax(z)", "C = KLDivergence(p, t)"], "C", "", z=z, t=t, g=g)
    q = here["p"]
    yield here.plant("p and y exchanged", "p", each * (np.log(q / t) + 1), "wrong-factor|unknown")
    yield here.plant("the quotient turned", "p", -each * q / t, "wrong-factor")
    a, w = normal(size=(7, 3)), normal(size=(7, 3))
    lines = ["C = SquaredError(a, w)", "D = MeanOverOutputs(C, 3)"]
    here = net(lines, "D", "", a=a, w=w, g=g)
    yield here.plant("outputs not averaged", "a", 2 * each * (a - w), "constant-factor|wrong-delta")
    yield here.plant("the error alone", "a", each * abs(a - w) * 2 / 3, "wrong-factor")


def numbers(normal):
    """Shares, roots, slices, look-ups, products of matrices."""
    x, g = abs(normal(size=(5, 7))) + 0.3, normal(size=(5, 7))
    lines = [
        "s = Sqrt(x)",
        "t = Einsum(s, 'k->')",
        "r = Power(t, -1.0, '')",
        "q = Einsum(s, r, 'k,->k')",
    ]
    here = net(lines, "q", "k", x=x, g=g)
    dq, r, s = here.d("q"), here["r"][:, None], here["s"]
    total = here["t"][:, None]
    assert np.allclose(dq * r - (dq * s).sum(1, keepdims=True) / total**2, here.d("s"))
    yield here.plant("the sum held", "s", dq * r, "fan-out-overwritten|statistics-as-constants")
    yield here.plant(
        "1/t for 1/t²",
        "t",
        (-(dq * s).sum(1) / total[:, 0]),
        "factor-missing|wrong-factor|value-for-slope",
    )
    yield here.plant("the root's slope 1/√x", "x", here.d("s") / s, "constant-factor", "s")
    here = net(["c = LogSumExp(z)"], "c", "", z=x, g=g[:, 0])
    dc = here.d("c")[:, None]
    yield here.plant("e^z unshared", "z", dc * np.exp(x), "wrong-factor")
    yield here.plant("each gets all", "z", dc + 0 * x, "factor-missing")
    yield here.plant("1/K", "z", dc / 7 + 0 * x, "wrong-factor|factor-missing")
    here = net(["y = Slice(x, 6, None, -2)"], "y", "o", x=x, g=g[:, :4])
    dy, wrong = here.d("y"), np.zeros(x.shape)
    wrong[:, :4] = dy
    yield here.plant("put in front", "x", wrong, "other-places", "y")
    A, B = normal(size=(5, 2, 3)), normal(size=(5, 3, 2))
    here = net(["C = Kron(A, B)"], "C", "op", A=A, B=B, g=normal(size=(5, 6, 6)))
    blocks = here.d("C").reshape(5, 2, 3, 3, 2)
    assert np.allclose(np.einsum("nikjl,nkl->nij", blocks, B), here.d("A"))
    yield here.plant("sums of the blocks", "A", blocks.sum((2, 4)), "factor-missing", "C")
    other = here.d("C").reshape(5, 3, 2, 2, 3)
    yield here.plant(
        "blocks of B's entries",
        "A",
        np.einsum("nkilj,nkl->nij", other, B),
        "other-places|unknown",
        "C",
    )
    here = net(["y = Vec(X)"], "y", "o", X=A, g=normal(size=(5, 6)))
    yield here.plant("row by row", "X", here.d("y").reshape(5, 2, 3), "reshape-order", "y")
    here = net(["Y = Diag(v)"], "Y", "kj", v=A[:, 0], g=normal(size=(5, 3, 3)))
    yield here.plant("rows added", "v", here.d("Y").sum(2), "factor-missing|other-places", "Y")
    X = normal(size=(5, 3, 3)) + 2 * np.eye(3)
    here = net(["c = Det(X)"], "c", "", X=X, g=g[:, 0])
    dc = here.d("c")[:, None, None]
    yield here.plant(
        "the determinant left out",
        "X",
        dc * np.linalg.inv(X).swapaxes(1, 2),
        "factor-missing|wrong-factor",
    )
    here = net(["y = Cos(v)"], "y", "k", v=A[:, 0], g=normal(size=(5, 3)))
    yield here.plant("no minus", "v", here.d("y") * np.sin(A[:, 0]), "sign", "y")


SCENES = (
    *(image_block, upwards, largest, block, heads, language),
    *(long_memory, plain_memory, batch, costs, numbers),
)


def plants(seed=67, scenes=SCENES):
    """Every mistake, with a generator of its own for each scene."""
    for scene in scenes:
        generator = np.random.default_rng([seed, len(scene.__name__)])
        for name, run, arrays, key, labels in scene(generator.normal):
            title = f"{scene.__name__}: {name}"
            yield Plant(title, run, arrays, key, frozenset(labels.split("|")))
