"""A fourth list of mistakes in layers, written down after those of last_mistakes were mended.

As there: the right derivatives are those of the vjp route, and a plant has the labels whose
sentence is true of it; "unknown" stands where none is.
"""

import numpy as np
from equation_cases import Plant, sigmoid, softmax
from fresh_mistakes import Scene, net


def convolutions(normal):
    """Images in two layers, the second by single taps, and sequences with a stride."""
    K1, K2, x = normal(size=(3, 2, 3, 3)), normal(size=(5, 3, 1, 1)), normal(size=(2, 2, 6, 5))
    lines = ["z = Conv2d(x, K1)", "a = Tanh(z)", "y = Conv2d(a, K2)"]
    here = net(lines, "y", "doq", {"K1": K1, "K2": K2}, x=x, g=normal(size=(2, 5, 4, 3)))
    dy, dz = here.d("y"), here.d("z")
    each = np.einsum("ndoq,ncoq->dc", dy, here["z"])[:, :, None, None]
    yield here.plant("z for a", "K2", each, "wrong-factor|preactivation-for-activation", "y")
    yield here.plant("no slope before dz", "z", here.d("a"), "missing-slope", "a")
    value = here.d("a") * (1 - np.tanh(here["a"]) ** 2)
    yield here.plant("slope at a", "z", value, "slope-at-activation", "a")
    summed = dz.sum(1, keepdims=True)
    patches = np.lib.stride_tricks.sliding_window_view(x, (4, 3), axis=(2, 3))
    wrong = np.einsum("neoq,ncrsoq->ecrs", summed, patches)
    wrong = np.broadcast_to(wrong, K1.shape)
    yield here.plant("output channels summed", "K1", wrong, "wrong-contraction", "z")
    right = np.einsum("ndoq,ncrsoq->dcrs", dz, patches)
    assert np.allclose(right, here.d("K1"))
    yield here.plant(
        "dK of the last image",
        "K1",
        right - np.einsum("doq,crsoq->dcrs", dz[0], patches[0]),
        "last-step-only|summand-overwritten",
        "z",
    )
    K = normal(size=(3, 2, 2))
    s = normal(size=(2, 2, 9))
    here = net(["y = Conv1d(x, K, stride=3)"], "y", "do", {"K": K}, x=s, g=normal(size=(2, 3, 3)))
    dy, wrong = here.d("y"), np.zeros((2, 2, 9))
    for o in range(3):
        wrong[:, :, 2 * o : 2 * o + 2] += np.einsum("nd,dcr->ncr", dy[:, :, o], K)
    yield here.plant("stride of the taps' number", "x", wrong, "other-places", "y")


def statistics(normal):
    """Norms with other slips than before."""
    gamma, beta, x, g = *normal(size=(2, 5)), 2 * normal(size=(7, 5)), normal(size=(7, 5))
    params = {"gamma": gamma, "beta": beta}
    here = net(["y = LayerNorm(x, gamma, beta)"], "y", "k", params, x=x, g=g)
    s = np.sqrt(x.var(1, keepdims=True) + 1e-5)
    u, d = (x - x.mean(1, keepdims=True)) / s, g * gamma
    mean, spread = d.mean(1, keepdims=True), (d * u).mean(1, keepdims=True)
    yield here.plant(
        "u forgotten before its mean", "x", (d - mean - spread) / s, "factor-missing", "y"
    )
    yield here.plant(
        "u forgotten within its mean", "x", (d - mean - u * mean) / s, "factor-missing", "y"
    )
    yield here.plant(
        "gain multiplied last",
        "x",
        gamma * (g - g.mean(1, keepdims=True) - u * (g * u).mean(1, keepdims=True)) / s,
        "weight-not-transposed|unknown",
        "y",
    )
    yield here.plant(
        "both means added", "x", (d + mean + u * spread) / s, "sign-of-a-term|unknown", "y"
    )
    yield here.plant("dbeta with the gain", "beta", d.sum(0), "extra-factor", "y")
    here = net(["y = RMSNorm(x, gamma)"], "y", "k", {"gamma": gamma}, x=x, g=g)
    r = np.sqrt((x**2).mean(1, keepdims=True) + 1e-5)
    u = x / r
    yield here.plant(
        "minus lost", "x", (d + u * (d * u).mean(1, keepdims=True)) / r, "sign-of-a-term", "y"
    )
    yield here.plant(
        "size squared", "x", (d - u * (d * u).mean(1, keepdims=True)) / r**2, "factor-twice", "y"
    )
    yield here.plant(
        "mean over the examples", "x", (d - u * (d * u).mean(0)) / r, "wrong-contraction", "y"
    )


def heads(normal):
    """A causal softmax over scores, a residual and a table tied to the output."""
    s, V, g = normal(size=(2, 5, 5)), normal(size=(2, 5, 3)), normal(size=(2, 5, 3))
    lines = ["P = CausalSoftmax(s)", "O = Einsum(P, V, 'tu,uh->th')"]
    here = net(lines, "O", "th", s=s, V=V, g=g)
    P, dP = here["P"], here.d("P")
    yield here.plant(
        "all scores on the way back",
        "s",
        softmax(s) * (dP - (softmax(s) * dP).sum(-1, keepdims=True)),
        "wrong-factor",
        "P",
    )
    yield here.plant(
        "sum without P",
        "s",
        P * (dP - dP.sum(-1, keepdims=True)),
        "factor-missing|wrong-contraction",
        "P",
    )
    yield here.plant("dP alone", "s", dP * (P > 0), "missing-slope|factor-missing|unknown", "P")
    yield here.plant("P for its transpose", "V", P @ g, "factor-turned", "O")
    E, u = normal(size=(7, 3)), np.array([[2, 5, 2, 0], [1, 1, 6, 3]])
    lines = [
        "e = Embedding(u, E)",
        "z = Einsum(e, E, 'd,vd->v')",
        "M = Einsum(z, g, 'v,v->')",
        "L = Sum(M, over='t')",
    ]
    here = Scene(lines, "L", {"E": E}, {"u": "n,t", "g": "n,t"}, u=u, g=normal(size=(2, 4, 7)))
    out = np.einsum("ntv,ntd->vd", here.d("z"), here["e"])
    looked = here.d("E") - out
    yield here.plant("look-up forgotten", "E", out, "fan-out-overwritten|last-step-only", "z", "e")
    yield here.plant("look-up subtracted", "E", out - looked, "sign-of-a-term", "z", "e")


def recurrences(normal):
    """Gated cells and a plain one."""
    k = 3
    x, h = normal(size=(7, 2)), normal(size=(7, k))
    params = {
        "W": normal(size=(3 * k, 2)),
        "U": normal(size=(3 * k, k)),
        "b": normal(size=3 * k),
        "e": normal(size=3 * k),
    }
    here = net(["y = GRUCell(x, h, W, U, b, e)"], "y", "k", params, x=x, h=h, g=normal(size=(7, k)))
    front, back = x @ params["W"].T + params["b"], h @ params["U"].T + params["e"]
    r, z = (sigmoid((front + back)[:, q * k : q * k + k]) for q in (0, 1))
    n = np.tanh(front[:, 2 * k :] + r * back[:, 2 * k :])
    dy = here.d("y")
    dn, dz = dy * (1 - z) * (1 - n**2), dy * (h - n) * z * (1 - z)
    dr = dn * back[:, 2 * k :] * r * (1 - r)
    assert np.allclose(np.hstack([dr, dz, dn]) @ params["W"], here.d("x"))
    yield here.plant(
        "slope of n forgotten",
        "x",
        np.hstack([dr, dz, dy * (1 - z)]) @ params["W"],
        "factor-missing",
        "y",
    )
    yield here.plant(
        "z for 1 − z",
        "x",
        np.hstack([dr, dz, dy * z * (1 - n**2)]) @ params["W"],
        "wrong-factor",
        "y",
    )
    yield here.plant("sign of dz", "W", np.hstack([dr, -dz, dn]).T @ x, "sign-of-a-term", "y")
    yield here.plant(
        "db a mean", "b", np.hstack([dr, dz, dn]).mean(0), "constant-factor|batch-mean-twice", "y"
    )
    yield here.plant("e as b", "e", here.d("b"), "check-of-wrong-quantity|factor-missing", "y")


def rest(normal):
    """Losses, reductions and matrices."""
    z, y = normal(size=(7, 3)), normal(size=(7, 3))
    here = Scene(["a = Tanh(z)", "L = Huber(a, y)"], "L", z=z, y=y)
    yield here.plant("not clipped", "a", here["a"] - y, "check-of-wrong-quantity")
    here = net(["p = Softmax(z)", "q = Multiply(p, p)"], "q", "k", z=z, g=y)
    p, dq = here["p"], here.d("q")
    yield here.plant("square as p", "p", dq * p, "constant-factor", "q")
    dp = here.d("p")
    yield here.plant(
        "p (1 − p)", "z", dp * p * (1 - p), "softmax-as-elementwise|diagonal-only", "p"
    )
    X, g = normal(size=(5, 3, 3)), normal(size=5)
    here = net(["c = LogDet(X)"], "c", "", X=X, g=g)
    yield here.plant(
        "inverse not turned",
        "X",
        here.d("X").transpose(0, 2, 1),
        "axes-exchanged|factor-turned",
        "c",
    )
    here = net(["c = Det(X)"], "c", "", X=X, g=g)
    inverse = np.linalg.inv(X).transpose(0, 2, 1)
    yield here.plant(
        "determinant forgotten",
        "X",
        here.d("c")[:, None, None] * inverse,
        "wrong-factor|factor-missing",
        "c",
    )


SCENES = (convolutions, statistics, heads, recurrences, rest)


def plants(seed=43, scenes=SCENES):
    """Every mistake, with a generator of its own for each scene."""
    for scene in scenes:
        generator = np.random.default_rng([seed, len(scene.__name__)])
        for name, run, arrays, key, labels in scene(generator.normal):
            title = f"{scene.__name__}: {name}"
            yield Plant(title, run, arrays, key, frozenset(labels.split("|")))
