"""Mistakes in windows, tables, attention and cells: the end of the fourth list."""

import numpy as np
from equation_cases import sigmoid
from unseen_scene import whole as net


def kernels(normal):
    here = net(
        "y1 = Conv1d(x, K, b)",
        "a = Tanh(y1)",
        "flat = Flatten(a)",
        "L = HalfSquaredError(flat, t)",
        "J = Mean(L)",
        params={"K": normal(size=(5, 3, 3)), "b": normal(size=5)},
        x=normal(size=(2, 3, 13)),
        t=normal(size=(2, 55)),
    )
    g, x, K = (here.d("y1"), here.v["x"], here.v["K"])
    dK = np.stack([np.einsum("ndo,nco->dc", g, x[:, :, k : k + 11]) for k in range(3)], axis=2)
    yield here.plant(
        "conv-dK-flipped", "K", dK[:, :, ::-1], "factor-flipped|reshape-order", "a", "y1"
    )
    dx = np.zeros_like(x)
    for k in range(3):
        dx[:, :, k : k + 11] += np.einsum("ndo,dc->nco", g, K[:, :, 2 - k])
    yield here.plant(
        "conv-dx-kernel-not-flipped", "x", dx, "factor-flipped|wrong-weight", "a", "y1"
    )
    yield here.plant("conv-db-mean", "b", g.sum(0).mean(1), "constant-factor", "a", "y1")


def strided(normal):
    here = net(
        "y1 = Conv1d(x, K, stride=2, padding=1)",
        "a = Tanh(y1)",
        "flat = Flatten(a)",
        "L = HalfSquaredError(flat, t)",
        "J = Mean(L)",
        params={"K": normal(size=(5, 2, 3))},
        x=normal(size=(3, 2, 13)),
        t=normal(size=(3, 35)),
    )
    g, x, K = (here.d("y1"), here.v["x"], here.v["K"])
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    yield here.plant(
        "conv-stride-forgotten",
        "K",
        np.stack([np.einsum("ndo,nco->dc", g, xp[:, :, k : k + 7]) for k in range(3)], axis=2),
        "other-places",
        "a",
        "y1",
    )
    dxp = np.zeros_like(xp)
    for k in range(3):
        dxp[:, :, k : k + 14 : 2][:, :, :7] += np.einsum("ndo,dc->nco", g, K[:, :, k])
    yield here.plant("conv-crop-wrong-end", "x", dxp[:, :, :-2], "other-places", "a", "y1")


def images(normal):
    here = net(
        "y1 = Conv2d(x, K, b)",
        "a = ReLU(y1)",
        "v = MaxPool2d(a, 2)",
        "flat = Flatten(v)",
        "L = HalfSquaredError(flat, t)",
        "J = Mean(L)",
        params={"K": normal(size=(5, 2, 3, 3)), "b": abs(normal(size=5)) + 0.3},
        x=normal(size=(3, 2, 6, 8)),
        t=normal(size=(3, 30)),
    )
    g, x, K = (here.d("y1"), here.v["x"], here.v["K"])
    dK = np.zeros_like(K)
    for i in range(3):
        for j in range(3):
            dK[:, :, i, j] = np.einsum("ndop,ncop->dc", g, x[:, :, i : i + 4, j : j + 6])
    yield here.plant(
        "conv2d-dK-axes", "K", dK.transpose(0, 1, 3, 2), "axes-exchanged", "v", "a", "y1"
    )
    dx = np.zeros_like(x)
    for i in range(4):
        for j in range(6):
            dx[:, :, i : i + 3, j : j + 3] = np.einsum("nd,dcrs->ncrs", g[:, :, i, j], K)
    yield here.plant("conv2d-dx-overwritten", "x", dx, "summand-overwritten", "v", "a", "y1")
    dK = np.zeros_like(K)
    for i in range(3):
        for j in range(3):
            dK[:, :, i, j] = np.einsum("dop,cop->dc", g[-1], x[-1, :, i : i + 4, j : j + 6])
    yield here.plant("conv2d-dK-last-example", "K", dK, "last-step-only", "v", "a", "y1")
    up = np.repeat(np.repeat(here.d("v"), 2, 2), 2, 3)
    mx = np.repeat(np.repeat(here.v["v"], 2, 2), 2, 3)
    yield here.plant("pool-evenly", "a", up / 4, "wrong-factor", "v")
    yield here.plant(
        "pool-times-value", "a", up * (here.v["a"] == mx) * here.v["a"], "extra-factor", "v"
    )


def overlapping(normal):
    here = net(
        "u = MaxPool1d(x, 3, stride=1)",
        "v = AvgPool1d(u, 2)",
        "flat = Flatten(v)",
        "L = HalfSquaredError(flat, t)",
        "J = Mean(L)",
        params={},
        x=normal(size=(2, 3, 13)),
        t=normal(size=(2, 15)),
    )
    g = here.d("u")
    dx = np.zeros_like(here.v["x"])
    for n in range(2):
        for c in range(3):
            for o in range(11):
                dx[n, c, o + here.v["x"][n, c, o : o + 3].argmax()] = g[n, c, o]
    yield here.plant("pool-overwritten", "x", dx, "summand-overwritten", "v", "u")
    du = np.zeros_like(here.v["u"])
    du[:, :, :10] = np.repeat(here.d("v"), 2, 2)
    yield here.plant("avgpool-no-width", "u", du, "constant-factor", "v")


def tokens(normal):
    tok = np.array([3, 1, 3, 3, 0, 5, 1])
    here = net(
        "e = Embedding(u, E)",
        "a = Tanh(e)",
        "L = HalfSquaredError(a, t)",
        "J = Mean(L)",
        params={"E": normal(size=(11, 3))},
        u=tok,
        t=normal(size=(7, 3)),
    )
    g = here.d("e")
    dE = np.zeros((11, 3))
    dE[tok] = g
    yield here.plant("emb-overwritten", "E", dE, "overwritten-index", "a", "e")
    dE = np.zeros((11, 3))
    np.add.at(dE, tok, g)
    yield here.plant(
        "emb-averaged",
        "E",
        dE / np.maximum(1, np.bincount(tok, minlength=11))[:, None],
        "wrong-contraction",
        "a",
        "e",
    )
    yield here.plant(
        "emb-off-by-one", "E", np.roll(dE, 1, 0), "other-places|reshape-order", "a", "e"
    )


def causal_heads(normal):
    here = net(
        "q = Einsum(x, Wq, 'ti,di->td')",
        "k = Einsum(x, Wk, 'ti,di->td')",
        "v = Einsum(x, Wv, 'ti,di->td')",
        "r = Einsum(q, k, 'td,ud->tu')",
        "s = Multiply(r, c, axes='t,u')",
        "P = CausalSoftmax(s)",
        "o = Einsum(P, v, 'tu,ud->td')",
        "flat = Flatten(o)",
        "L = HalfSquaredError(flat, t)",
        "J = Mean(L)",
        params={"Wq": normal(size=(3, 2)), "Wk": normal(size=(3, 2)), "Wv": normal(size=(3, 2))},
        x=normal(size=(7, 5, 2)),
        t=normal(size=(7, 15)),
        c=np.full((7, 5, 5), 3 ** (-0.5)),
    )
    do, P, dP = (here.d("o"), here.v["P"], here.d("P"))
    yield here.plant("att-dv-not-turned", "v", P @ do, "factor-turned", "o")
    yield here.plant(
        "att-scale-lost", "r", here.d("s"), "constant-factor|check-of-wrong-quantity", "o", "P", "s"
    )
    yield here.plant(
        "att-dk-not-turned", "k", here.d("r") @ here.v["q"], "factor-turned", "o", "P", "s", "r"
    )
    yield here.plant(
        "att-softmax-columns",
        "s",
        P * (dP - (dP * P).sum(1, keepdims=True)),
        "wrong-contraction",
        "o",
        "P",
    )
    yield here.plant(
        "att-dWq-from-dk",
        "Wq",
        np.einsum("ntd,nti->di", here.d("k"), here.v["x"]),
        "check-of-wrong-quantity|wrong-delta",
        "o",
        "P",
        "s",
        "r",
        "q",
        "k",
        "v",
    )
    yield here.plant(
        "att-dx-last-path",
        "x",
        here.d("v") @ here.v["Wv"],
        "fan-out-overwritten",
        "o",
        "P",
        "s",
        "r",
        "q",
        "k",
        "v",
    )


def unrolled(normal):
    here = net(
        "h1 = RNNCell(x1, h0, W, U, b)",
        "h2 = RNNCell(x2, h1, W, U, b)",
        "h3 = RNNCell(x3, h2, W, U, b)",
        "L = HalfSquaredError(h3, t)",
        "J = Mean(L)",
        params={"W": normal(size=(3, 2)), "U": normal(size=(3, 3)), "b": normal(size=3)},
        x1=normal(size=(5, 2)),
        x2=normal(size=(5, 2)),
        x3=normal(size=(5, 2)),
        h0=normal(size=(5, 3)),
        t=normal(size=(5, 3)),
    )
    e = [here.d(f"h{i}") * (1 - here.v[f"h{i}"] ** 2) for i in (1, 2, 3)]
    yield here.plant(
        "rnn-last-step",
        "U",
        e[2].T @ here.v["h2"],
        "last-step-only|fan-out-overwritten",
        "h3",
        "h2",
        "h1",
    )
    yield here.plant(
        "rnn-state-after",
        "U",
        sum(e[i - 1].T @ here.v[f"h{i}"] for i in (1, 2, 3)),
        "wrong-factor",
        "h3",
        "h2",
        "h1",
    )
    yield here.plant("rnn-no-slope", "h2", here.d("h3") @ here.v["U"], "factor-missing", "h3")


def lstm(normal):
    here = net(
        "h, c = LSTMCell(x, h0, c0, W, U, b)",
        "L = HalfSquaredError(h, t)",
        "J = Mean(L)",
        params={"W": normal(size=(12, 2)), "U": normal(size=(12, 3)), "b": normal(size=12)},
        x=normal(size=(5, 2)),
        h0=normal(size=(5, 3)),
        c0=normal(size=(5, 3)),
        t=normal(size=(5, 3)),
    )
    a = here.v["x"] @ here.v["W"].T + here.v["h0"] @ here.v["U"].T + here.v["b"]
    i, gg, o = sigmoid(a[:, :3]), np.tanh(a[:, 6:9]), sigmoid(a[:, 9:])
    dh, dc = (here.d("h"), here.d("c"))
    yield here.plant("lstm-dc0-input-gate", "c0", dc * i, "wrong-factor", "h", "c")
    blocks = np.hstack(
        [
            dc * gg * i * (1 - i),
            dc * here.v["c0"],
            dc * i * (1 - gg**2),
            dh * np.tanh(here.v["c"]) * o * (1 - o),
        ]
    )
    yield here.plant(
        "lstm-forget-slope", "W", blocks.T @ here.v["x"], "factor-missing|wrong-factor", "h", "c"
    )


def gru(normal):
    here = net(
        "h = GRUCell(x, h0, W, U, b, d)",
        "L = HalfSquaredError(h, t)",
        "J = Mean(L)",
        params={
            "W": normal(size=(9, 2)),
            "U": normal(size=(9, 3)),
            "b": normal(size=9),
            "d": normal(size=9),
        },
        x=normal(size=(5, 2)),
        h0=normal(size=(5, 3)),
        t=normal(size=(5, 3)),
    )
    aw, au = (here.v["x"] @ here.v["W"].T + here.v["b"], here.v["h0"] @ here.v["U"].T + here.v["d"])
    rr, zz = (sigmoid(aw[:, :3] + au[:, :3]), sigmoid(aw[:, 3:6] + au[:, 3:6]))
    nn = np.tanh(aw[:, 6:] + rr * au[:, 6:])
    dh = here.d("h")
    dn = dh * (1 - zz) * (1 - nn**2)
    dr, dz = (dn * au[:, 6:] * rr * (1 - rr), dh * (here.v["h0"] - nn) * zz * (1 - zz))
    yield here.plant(
        "gru-carry-lost", "h0", np.hstack([dr, dz, dn * rr]) @ here.v["U"], "term-missing", "h"
    )
    yield here.plant(
        "gru-update-sign", "W", np.hstack([dr, -dz, dn]).T @ here.v["x"], "sign-of-a-term", "h"
    )


ACROSS = (kernels, strided, images, overlapping, tokens, causal_heads, unrolled, lstm, gru)
