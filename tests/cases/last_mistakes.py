"""A third list of mistakes in layers, written down after those of further_mistakes were mended.

As there: the right derivatives are those of the vjp route, and a plant has the labels whose
sentence is true of it; "unknown" stands where none is.
"""

import numpy as np
from equation_cases import Plant, sigmoid
from fresh_mistakes import Scene, net


def windows(normal):
    """An image of one size of channels, and a pool behind a convolution."""
    K, x = normal(size=(3, 3, 2, 2)), normal(size=(2, 3, 5, 7))
    here = net(["z = Conv2d(x, K)"], "z", "doq", {"K": K}, x=x, g=normal(size=(2, 3, 4, 6)))
    g = here.d("z")

    def back(kernel):
        found = np.zeros(x.shape)
        for o in range(4):
            for q in range(6):
                share = np.einsum("nd,dcrs->ncrs", g[:, :, o, q], kernel)
                found[:, :, o : o + 2, q : q + 2] += share
        return found

    assert np.allclose(back(K), here.d("x"))
    yield here.plant("channels of K exchanged", "x", back(K.swapaxes(0, 1)), "factor-turned", "z")
    yield here.plant(
        "axes of the taps exchanged", "x", back(K.swapaxes(2, 3)), "factor-turned", "z"
    )
    yield here.plant("dK for K", "x", back(here.d("K")), "gradient-for-weight", "z")
    first = np.zeros(x.shape)
    first[:, :, :4, :6] = np.einsum("ndoq,dc->ncoq", g, K[:, :, 0, 0])
    yield here.plant(
        "the first tap alone", "x", first, "summand-overwritten|wrong-contraction", "z"
    )
    here = net(["y = AvgPool2d(x, 2)"], "y", "coq", x=x, g=normal(size=(2, 3, 2, 3)))
    dy, wide = here.d("y"), np.zeros(x.shape)
    wide[:, :, :4:2, :6:2] = dy / 4
    yield here.plant(
        "one entry of each window",
        "x",
        wide,
        "summand-overwritten|wrong-factor|wrong-contraction",
        "y",
    )


def norms(normal):
    """Group norm and batch norm of images."""
    gamma, beta, x = *normal(size=(2, 4)), normal(size=(3, 4, 5))
    params, g = {"gamma": gamma, "beta": beta}, normal(size=(3, 4, 5))
    here = net(["y = GroupNorm(x, gamma, beta, 2, axes='c,i')"], "y", "ci", params, x=x, g=g)
    parts = x.reshape(3, 2, -1)
    s = np.sqrt(parts.var(-1, keepdims=True) + 1e-5)
    u = ((parts - parts.mean(-1, keepdims=True)) / s).reshape(x.shape)
    d = (g * gamma[:, None]).reshape(3, 2, -1)
    held = (d / s).reshape(x.shape)
    yield here.plant("statistics held", "x", held, "statistics-as-constants|term-missing", "y")
    yield here.plant(
        "dgamma by x",
        "gamma",
        (g * x).sum((0, 2)),
        "wrong-factor|wrong-layer-activation|preactivation-for-activation",
        "y",
    )
    yield here.plant(
        "dbeta times u", "beta", (g * u).sum((0, 2)), "check-of-wrong-quantity|extra-factor", "y"
    )
    yield here.plant(
        "dgamma averaged over places", "gamma", here.d("gamma") / 5, "constant-factor", "y"
    )
    flat = u.reshape(3, 2, -1)
    sums = (d - d.mean(-1, keepdims=True) - flat * (d * flat).sum(-1, keepdims=True)) / s
    yield here.plant(
        "one sum for a mean", "x", sums.reshape(x.shape), "wrong-contraction|factor-missing", "y"
    )


def tokens(normal):
    """Embeddings with positions, and scores that are summed over the tokens."""
    E, u = normal(size=(7, 3)), np.array([[1, 1, 4, 0, 6], [2, 1, 0, 5, 2]])
    lines = [
        "e = Embedding(u, E)",
        "h = Tanh(e)",
        "w = Multiply(h, h)",
        "P = Einsum(w, g, 'd,d->')",
        "L = Sum(P, over='t')",
    ]
    here = Scene(lines, "L", {"E": E}, {"u": "n,t", "g": "n,t"}, u=u, g=normal(size=(2, 5, 3)))
    dw, dh = here.d("w"), here.d("h")
    yield here.plant(
        "one of two factors", "h", dw * here["h"], "constant-factor|fan-out-overwritten", "w"
    )
    de = here.d("e")
    first = np.zeros(E.shape)
    np.add.at(first, u[0], de[0])
    yield here.plant(
        "the first text alone",
        "E",
        first,
        "last-step-only|overwritten-index|summand-overwritten",
        "e",
    )
    value = np.zeros(E.shape)
    np.add.at(value, u, dh)
    yield here.plant("slope forgotten", "E", value, "wrong-delta", "h", "e")
    yield here.plant(
        "tanh' of the embedding's slope",
        "e",
        dh * (1 - here["e"] ** 2),
        "slope-of-preactivation-formula",
        "h",
    )


def mixtures(normal):
    """Gates made by a softmax over experts, and a residual behind them."""
    z, V, g = normal(size=(7, 3)), normal(size=(7, 3, 2)), normal(size=(7, 2))
    lines = ["p = Softmax(z)", "m = Einsum(p, V, 'e,ek->k')", "t = Tanh(m)", "r = Add(m, t)"]
    here = net(lines, "r", "k", z=z, V=V, g=g)
    dm, p = here.d("m"), here["p"]
    dp = np.einsum("nk,nek->ne", dm, V)
    assert np.allclose(dp, here.d("p"))
    yield here.plant(
        "residual forgotten",
        "m",
        here.d("t") * (1 - here["t"] ** 2),
        "fan-out-overwritten",
        "r",
        "t",
    )
    yield here.plant(
        "slope on both ways",
        "m",
        2 * here.d("t") * (1 - here["t"] ** 2),
        "unknown|fan-out-overwritten",
        "r",
        "t",
    )
    yield here.plant("values' mean for their sum", "p", dp / 2, "constant-factor", "m")
    yield here.plant("p not multiplied", "V", np.repeat(dm[:, None], 3, 1), "factor-missing", "m")
    yield here.plant(
        "dp for z", "z", dp, "missing-slope|check-of-wrong-quantity|factor-missing", "p"
    )
    yield here.plant(
        "p² for p",
        "z",
        p**2 * (dp - (dp * p).sum(1, keepdims=True)),
        "factor-twice|wrong-factor",
        "p",
    )


def gates(normal):
    """A step of each gated cell."""
    k = 3
    x, h, c = normal(size=(7, 2)), normal(size=(7, k)), normal(size=(7, k))
    W, U, b = normal(size=(4 * k, 2)), normal(size=(4 * k, k)), normal(size=4 * k)
    here = net(
        ["y = LSTMCarry(x, h, c, W, U, b)"],
        "y",
        "k",
        {"W": W, "U": U, "b": b},
        x=x,
        h=h,
        c=c,
        g=normal(size=(7, k)),
    )
    s, dy = x @ W.T + h @ U.T + b, here.d("y")
    i, f, t = sigmoid(s[:, :k]), sigmoid(s[:, k : 2 * k]), np.tanh(s[:, 2 * k : 3 * k])
    di, df, dt = dy * t * i * (1 - i), dy * c * f * (1 - f), dy * i * (1 - t**2)
    zero = np.zeros((7, k))
    assert np.allclose(np.hstack([di, df, dt, zero]) @ W, here.d("x"))
    flat = np.hstack([dy * t, df, dt, zero])
    yield here.plant(
        "slope of the input gate forgotten", "x", flat @ W, "factor-missing|missing-slope", "y"
    )
    late = np.hstack([di, dy * here["y"] * f * (1 - f), dt, zero])
    yield here.plant("the new state for the old", "x", late @ W, "wrong-factor", "y")
    yield here.plant(
        "forget gate's way left out", "h", np.hstack([di, zero, dt, zero]) @ U, "term-missing", "y"
    )
    yield here.plant("dU a mean", "U", here.d("U") / 7, "batch-mean-twice|constant-factor", "y")
    yield here.plant(
        "db of the last example", "b", np.hstack([di, df, dt, zero])[-1], "last-step-only", "y"
    )


def moved(normal):
    """Entries that are joined, padded, turned and cut out."""
    x, w = normal(size=(3, 7)), normal(size=(3, 5))
    here = net(["y = Concat(x, w)"], "y", "o", x=x, w=w, g=normal(size=(3, 12)))
    dy = here.d("y")
    yield here.plant("the start for the end", "w", dy[:, :5], "other-places|wrong-factor", "y")
    here = net(["y = Slice(x, 5, 0, -2)"], "y", "o", x=x, g=normal(size=(3, 3)))
    dy, wrong = here.d("y"), np.zeros((3, 7))
    wrong[:, 1:6:2] = dy
    yield here.plant(
        "upwards for downwards", "x", wrong, "other-places|factor-flipped|wrong-factor", "y"
    )
    X = normal(size=(3, 2, 5))
    here = net(["y = Reshape(x, (5, 2))"], "y", "op", x=X, g=normal(size=(3, 5, 2)))
    yield here.plant(
        "transposed for reshaped", "x", here.d("y").transpose(0, 2, 1), "reshape-order", "y"
    )
    here = net(["y = CumSum(x)"], "y", "o", x=x, g=normal(size=(3, 7)))
    yield here.plant(
        "differences for sums",
        "x",
        here.d("y") - np.roll(here.d("y"), -1, 1),
        "other-places|wrong-factor",
        "y",
    )


SCENES = (windows, norms, tokens, mixtures, gates, moved)


def plants(seed=59, scenes=SCENES):
    """Every mistake, with a generator of its own for each scene."""
    for scene in scenes:
        generator = np.random.default_rng([seed, len(scene.__name__)])
        for name, run, arrays, key, labels in scene(generator.normal):
            title = f"{scene.__name__}: {name}"
            yield Plant(title, run, arrays, key, frozenset(labels.split("|")))
