"""One mistake of each further kind: slopes, losses, orders, choices, groups, shares, matrices.

As in fresh_mistakes: the right derivatives are those of the vjp route. The last column is the
label, and the test beside it has the sentences.
"""

import numpy as np
from equation_cases import Plant, sigmoid, softmax
from fresh_mistakes import Scene, net


def slopes(normal):
    """SiLU, GELU and ELU: parts of a slope, other forms, the two sides of 0."""
    x, W, g = normal(size=(7, 3)), normal(size=(4, 3)), normal(size=(7, 4))

    def layer(activation):
        here = net(["z = Linear(x, W)", f"a = {activation}(z)"], "a", "k", {"W": W}, x=x, g=g)
        return here, here["z"], here["a"]

    here, z, _ = layer("GELU")
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    below = here.d("z") / g - z * density
    yield here.plant("Φ alone", "z", g * below, "term-missing", "a")
    yield here.plant("φ alone", "z", g * density, "wrong-factor", "a")
    yield here.plant("Φ + φ", "z", g * (below + density), "factor-missing", "a")
    yield here.plant("Φ − z φ", "z", g * (below - z * density), "sign-of-a-term", "a")
    u = np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)
    rise = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z * z)
    by_tanh = (1 + np.tanh(u)) / 2 + z / 2 * rise / np.cosh(u) ** 2
    yield here.plant("the form by tanh", "z", g * by_tanh, "wrong-factor", "a")
    s = sigmoid(1.702 * z)
    yield here.plant("the quick form", "z", g * (s + 1.702 * z * s * (1 - s)), "wrong-factor", "a")
    here, z, a = layer("SiLU")
    s = sigmoid(z)
    yield here.plant("σ + z (1 − σ)", "z", g * (s + z * (1 - s)), "factor-missing", "a")
    here, z, a = layer("ELU")
    yield here.plant("a left of 0", "z", g * np.where(z > 0, 1, a), "wrong-factor", "a")
    yield here.plant("sides exchanged", "z", g * np.where(z > 0, np.exp(z), 1), "wrong-factor", "a")
    here, z, a = layer("Softplus")
    yield here.plant("e^z", "z", g * np.exp(z), "factor-missing", "a")


def losses(normal):
    """Labels, predictions and weights of a cross-entropy; a Huber loss; a hinge."""
    z, g = normal(size=(7, 3)), abs(normal(size=7))
    y = np.eye(3)[[0, 2, 1, 1, 0, 2, 0]]
    here = net(["C = CrossEntropyFromLogits(z, y)"], "C", "", z=z, y=y, g=g)
    p, each = softmax(z), g[:, None]
    smooth = 0.9 * y + 0.1 / 3
    yield here.plant("smoothed labels", "z", each * (p - smooth), "wrong-factor")
    yield here.plant("a temperature", "z", each * (softmax(z / 2) - y), "wrong-factor")
    yield here.plant("σ for softmax", "z", each * (sigmoid(z) - y), "wrong-factor")
    yield here.plant("other classes alone", "z", each * p * (1 - y), "wrong-factor")
    w = np.array((0.5, 2.0, 3.0))
    lines = ["C = CrossEntropyFromLogits(z, y, weights=(0.5, 2.0, 3.0))"]
    here = net(lines, "C", "", z=z, y=y, g=g)
    yield here.plant("weights at y alone", "z", each * (p - w * y), "wrong-factor")
    a, t = normal(size=(7, 3)), normal(size=(7, 3))
    here = net(["C = Huber(a, t)"], "C", "", a=a, t=t, g=g)
    r = a - t
    yield here.plant("0 beyond the ends", "a", each * r * (abs(r) <= 1), "wrong-factor")
    yield here.plant("ends at 1/2", "a", each * np.clip(r, -0.5, 0.5), "wrong-factor")
    here = net(["C = Hinge(z, y)"], "C", "", z=z, y=y, g=g)
    gap = z - (y * z).sum(1, keepdims=True)
    inside = (gap + 1 > 0) * (1 - y)
    yield here.plant("true class forgotten", "z", each * inside, "wrong-factor")
    yield here.plant("−1 at the true class", "z", each * (inside - y), "wrong-factor")


def orders(normal):
    """Rows in another order, parts that are joined, gates, sums in a ring."""
    R, x = normal(size=(5, 3)), normal(size=(2, 5, 3))
    here = net(["h = Add(x, R, axes='t,k')", "a = Tanh(h)"], "a", "tk", {"R": R}, x=x, g=x[::-1])
    dR = here.d("R")
    yield here.plant("reversed", "R", dR[::-1], "reshape-order", "h")
    yield here.plant("moved on", "R", np.roll(dR, 1, 0), "reshape-order", "h")
    yield here.plant("times R", "R", dR * R, "extra-factor", "h")
    a, b = normal(size=(2, 5, 4))
    here = net(["c = Concat(a, b)", "d = Tanh(c)"], "d", "k", a=a, b=b, g=normal(size=(5, 8)))
    dc = here.d("c")
    yield here.plant("every second entry", "b", dc[:, 1::2], "other-places", "c")
    yield here.plant("parts added", "a", dc[:, :4] + dc[:, 4:], "other-places", "c")
    x = normal(size=(3, 7))
    here = net(["y = CumSum(x)"], "y", "o", x=x, g=normal(size=(3, 7)))
    dy = here.d("y")
    yield here.plant("in a ring", "x", dy - np.roll(dy, 1, 1), "other-places", "y")
    yield here.plant("down the examples", "x", dy[::-1].cumsum(0)[::-1], "other-places", "y")
    k, n = 3, 7
    params = {"W": normal(size=(4 * k, 2)), "U": normal(size=(4 * k, k)), "b": normal(size=4 * k)}
    data = {"x": normal(size=(n, 2)), "h0": normal(size=(n, k)), "c0": normal(size=(n, k))}
    lines = ["h, c = LSTMCell(x, h0, c0, W, U, b)"]
    here = net(lines, "h", "k", params, g=normal(size=(n, k)), **data)
    blocks = here.d("W").reshape(4, k, 2)
    moved = blocks[[1, 2, 3, 0]].reshape(4 * k, 2)
    yield here.plant("gates moved on", "W", moved, "reshape-order", "h")
    here = net(["y = Transpose(x, 'i,j -> j,i')"], "y", "ji", x=R[None], g=normal(size=(1, 3, 5)))
    yield here.plant("reshaped", "x", here.d("y").reshape(1, 5, 3), "reshape-order", "y")


def choices(normal):
    """The largest of a window, of a row, and the entry that a mean reads."""
    x = normal(size=(3, 2, 7))
    here = net(["y = MaxPool1d(x, 3, stride=2)"], "y", "co", x=x, g=normal(size=(3, 2, 3)))
    dy, by_size, of_row = here.d("y"), np.zeros(x.shape), np.zeros(x.shape)
    for o in range(3):
        window, size = x[:, :, 2 * o : 2 * o + 3], abs(x[:, :, 2 * o : 2 * o + 3])
        share = dy[:, :, o : o + 1]
        by_size[:, :, 2 * o : 2 * o + 3] += share * (size == size.max(-1, keepdims=True))
        of_row[:, :, 2 * o : 2 * o + 3] += share * (window == x.max(-1, keepdims=True))
    yield here.plant("by size", "x", by_size, "other-places", "y")
    yield here.plant("of the whole row", "x", of_row, "other-places", "y")
    x = normal(size=(2, 5, 3))
    here = net(["y = Max(x, over='t')"], "y", "k", None, {"x": "n,t,k"}, x=x, g=normal(size=(2, 3)))
    dy, last = here.d("y")[:, None], np.arange(5)[:, None] == 4
    yield here.plant("the last token", "x", dy * last, "other-places", "y")
    yield here.plant(
        "along the entries", "x", dy * (x == x.max(2, keepdims=True)), "other-places", "y"
    )
    here = net(
        ["y = Mean(x, over='t')"], "y", "k", None, {"x": "n,t,k"}, x=x, g=normal(size=(2, 3))
    )
    yield here.plant("one token of a mean", "x", here.d("y")[:, None] * last, "other-places", "y")


def groups(normal):
    """A group norm with other groups, an RMS norm by another size, strides and dilations."""
    x, gain, shift = normal(size=(3, 4, 5)), normal(size=4), normal(size=4)
    params, g = {"gain": gain, "shift": shift}, normal(size=(3, 4, 5))
    here = net(["y = GroupNorm(x, gain, shift, 2, axes='c,i')"], "y", "ci", params, x=x, g=g)
    d = here.d("y") * gain[:, None]

    def back(parts, delta):
        s = np.sqrt(parts.var(-1, keepdims=True) + 1e-5)
        u = (parts - parts.mean(-1, keepdims=True)) / s
        along = u * (delta * u).mean(-1, keepdims=True)
        return (delta - delta.mean(-1, keepdims=True) - along) / s

    yield here.plant("a group for each channel", "x", back(x, d), "wrong-factor", "y")
    turned = [a.reshape(3, 2, 2, 5).swapaxes(1, 2).reshape(3, 2, 10) for a in (x, d)]
    cards = back(*turned).reshape(3, 2, 2, 5).swapaxes(1, 2).reshape(3, 4, 5)
    yield here.plant("dealt out like cards", "x", cards, "wrong-factor", "y")
    x, gain, g = normal(size=(7, 5)), normal(size=5), normal(size=(7, 5))
    here = net(["y = RMSNorm(x, gain)"], "y", "k", {"gain": gain}, x=x, g=g)
    size = np.sqrt((x * x).sum(1, keepdims=True) + 1e-5)
    yield here.plant("by the length", "gain", (g * x / size).sum(0), "wrong-factor", "y")
    u, d = x / size, g * gain
    whole = (d - u * (d * u).sum(1, keepdims=True)) / size
    yield here.plant("by the length throughout", "x", whole, "wrong-factor", "y")
    x, K, g = normal(size=(3, 2, 11)), normal(size=(5, 2, 3)), normal(size=(3, 5, 4))
    here = net(["z = Conv1d(x, K, stride=2, dilation=2)"], "z", "do", {"K": K}, x=x, g=g)
    taps = [np.einsum("ndo,nco->dc", here.d("z"), x[:, :, r : r + 4]) for r in range(3)]
    yield here.plant("neither is there", "K", np.stack(taps, -1), "other-places", "z")


def shares(normal):
    """A softmax and what is read of it; paths counted twice and exchanged; a padding row."""
    x, c, g = normal(size=(2, 5, 3)), normal(size=(2, 4, 3)), normal(size=(2, 5, 3))
    W = {name: normal(size=(3, 3)) for name in ("Wq", "Wk", "Wv")}
    lines = [
        "Q = Einsum(x, Wq, 'ti,hi->th')",
        "K = Einsum(c, Wk, 'ui,hi->uh')",
        "V = Einsum(c, Wv, 'ui,hi->uh')",
        "S = Einsum(Q, K, 'th,uh->tu')",
        "P = Softmax(S)",
        "O = Einsum(P, V, 'tu,uh->th')",
    ]
    here = net(lines, "O", "th", W, x=x, c=c, g=g)
    P, S, dP = here["P"], here["S"], here.d("P")
    even = P * (dP - dP.mean(-1, keepdims=True))
    yield here.plant("a plain mean", "S", even, "wrong-factor", "P")
    scores = S * (dP - (dP * S).sum(-1, keepdims=True))
    yield here.plant("scores for shares", "S", scores, "wrong-factor", "P")
    turned = np.exp(S) / np.exp(S).sum(1, keepdims=True)
    yield here.plant("shares of the queries", "V", turned.swapaxes(1, 2) @ g, "wrong-factor", "O")
    crossed = here.d("V") @ W["Wk"] + here.d("K") @ W["Wv"]
    yield here.plant("Wk and Wv exchanged", "c", crossed, "wrong-delta", "K", "V")
    z = normal(size=(7, 3))
    here = net(["l = LogSoftmax(z)", "r = Add(z, l)"], "r", "k", z=z, g=normal(size=(7, 3)))
    dl, dr, p = here.d("l"), here.d("r"), softmax(z)
    yield here.plant(
        "the residual twice",
        "z",
        2 * dr + dl - p * dl.sum(1, keepdims=True),
        "fan-out-overwritten",
        "l",
        "r",
    )
    yield here.plant("p without the sum", "z", dr + dl - p, "upstream-missing", "l", "r")
    E, u = normal(size=(7, 3)), np.array([[0, 5, 2, 0, 1], [3, 1, 0, 4, 2]])
    ends = ["P = Einsum(e, g, m, 'd,d,->')", "L = Sum(P, over='t')"]
    mask = (u > 0) * 1.0
    axes = {"u": "n,t", "g": "n,t", "m": "n,t"}
    here = Scene(["e = Embedding(u, E)", *ends], "L", {"E": E}, axes, u=u, g=x, m=mask)
    yield here.plant("1 − m", "e", x * (1 - mask[:, :, None]), "wrong-factor", "P")
    here = Scene(
        ["e = Embedding(u, E)", "P = Einsum(e, g, 'd,d->')", ends[1]],
        "L",
        {"E": E},
        {"u": "n,t", "g": "n,t"},
        u=u,
        g=x,
    )
    held = here.d("E").copy()
    held[0] = 0
    yield here.plant("a padding row", "E", held, "extra-factor", "e")


def matrices(normal):
    """An inverse and a determinant taken for what their entries would give one by one."""
    X = normal(size=(5, 3, 3)) + 2 * np.eye(3)
    here = net(["Y = Inverse(X)"], "Y", "ij", X=X, g=normal(size=(5, 3, 3)))
    dY, turned = here.d("Y"), here["Y"].swapaxes(1, 2)
    yield here.plant("−1/X²", "X", -dY / X**2, "wrong-factor", "Y")
    yield here.plant("the left inverse alone", "X", -turned @ dY, "factor-missing", "Y")
    yield here.plant("X for its inverse", "X", -X @ dY @ X, "wrong-factor", "Y")
    here = net(["c = LogDet(X)"], "c", "", X=X, g=normal(size=5))
    dc = here.d("c")[:, None, None]
    yield here.plant("1/X", "X", dc / X, "wrong-factor", "c")
    det = np.linalg.det(X)[:, None, None]
    inverse = np.linalg.inv(X).swapaxes(1, 2)
    yield here.plant("as the determinant", "X", dc * inverse * det, "wrong-factor", "c")


def by_classes(normal):
    """1 taken away at too many classes; another function's slope; an alpha; a step's own number."""
    z, g = normal(size=(7, 5)), abs(normal(size=7))
    classes = [0, 3, 1, 1, 0, 3, 0]
    y, p = np.eye(5)[classes], softmax(z)
    here = net(["C = CrossEntropyFromLogits(z, y)"], "C", "", z=z, y=y, g=g)
    columns, rows = p.copy(), p.copy()
    columns[:, classes] -= 1
    rows[classes] -= 1
    yield here.plant("every class of the batch", "z", g[:, None] * columns, "wrong-factor")
    yield here.plant("every class", "z", g[:, None] * (p - 1), "wrong-factor")
    yield here.plant("rows by classes", "z", g[:, None] * rows, "wrong-factor")
    yield here.plant("times p", "z", g[:, None] * p * (p - y), "wrong-factor")
    yield here.plant("the loss", "z", -g[:, None] * y * np.log(p), "wrong-factor")
    h = normal(size=(7, 5))
    here = net(["s = Sigmoid(z)"], "s", "k", z=z, g=h)
    yield here.plant("tanh by its value", "z", h * (1 - here["s"] ** 2), "wrong-factor", "s")
    here = net(["e = ELU(z, alpha=1.7)"], "e", "k", z=z, g=h)
    e, right = here["e"], z > 0
    yield here.plant("e + 1", "z", h * np.where(right, 1, e + 1), "wrong-factor", "e")
    yield here.plant("alpha alone", "z", h * np.where(right, 1, 1.7), "wrong-factor", "e")
    x = normal(size=(2, 3, 8))
    here = net(["v = AvgPool1d(x, 2)", "a = Tanh(v)"], "a", "co", x=x, g=normal(size=(2, 3, 4)))
    dx = here.d("x")
    yield here.plant("as many places as examples", "x", 2 * dx, "constant-factor", "v")
    yield here.plant("divided twice", "x", dx / 2, "constant-factor", "v")


SCENES = (slopes, losses, orders, choices, groups, shares, matrices, by_classes)


def plants(seed=37, scenes=SCENES):
    """Every mistake, with a generator of its own for each scene."""
    for scene in scenes:
        generator = np.random.default_rng([seed, len(scene.__name__)])
        for name, run, arrays, key, labels in scene(generator.normal):
            title = f"{scene.__name__}: {name}"
            yield Plant(title, run, arrays, key, frozenset(labels.split("|")))
