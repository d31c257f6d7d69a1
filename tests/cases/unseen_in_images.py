"""Mistakes in images, groups, tokens and choices: the second list of unseen_mistakes."""

import numpy as np
from unseen_scene import Scene

from jacobian_bp import Network


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


SECOND = (image, strided, rms_norm, groups, recurrent, residual, tokens, choices)
