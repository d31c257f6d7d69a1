"""Mistakes in smooth rectifiers, gates and norms, as courses see them: more of the fourth list."""

from math import erf

import numpy as np
from equation_cases import sigmoid
from unseen_scene import whole as net


def smooth(normal):
    here = net(
        "z = Linear(x, W, b)",
        "a = GELU(z)",
        "c = SiLU(a)",
        "e = ELU(c, alpha=1.7)",
        "L = HalfSquaredError(e, y)",
        "J = Mean(L)",
        params={"W": normal(size=(5, 3)), "b": normal(size=5)},
        x=2 * normal(size=(7, 3)),
        y=normal(size=(7, 5)),
    )
    Phi = np.vectorize(lambda t: 0.5 * (1 + erf(t / 2**0.5)))
    yield here.plant(
        "gelu-first-term",
        "z",
        here.d("a") * Phi(here.v["z"]),
        "term-missing|wrong-factor",
        "e",
        "c",
        "a",
    )
    yield here.plant(
        "silu-second-term",
        "a",
        here.d("c") * here.v["a"] * sigmoid(here.v["a"]) * (1 - sigmoid(here.v["a"])),
        "term-missing",
        "e",
        "c",
    )
    yield here.plant(
        "elu-alpha-lost",
        "c",
        here.d("e") * np.where(here.v["c"] > 0, 1, np.exp(here.v["c"])),
        "wrong-factor",
        "e",
    )
    yield here.plant(
        "elu-value",
        "c",
        here.d("e") * np.where(here.v["c"] > 0, 1, here.v["e"]),
        "wrong-factor",
        "e",
    )


def gates(normal):
    here = net(
        "y1 = Dropout(x, m, 0.6)",
        "u = Linear(y1, W, b)",
        "a = Tanh(u)",
        "s = Add(a, y1)",
        "w = Multiply(s, k)",
        "v = Divide(w, q)",
        "d = Subtract(v, n)",
        "L = HalfSquaredError(d, t)",
        "C = Mean(L)",
        "R = L1Penalty(W, 0.2)",
        "J = Add(C, R, axes='')",
        params={"W": normal(size=(5, 5)), "b": normal(size=5)},
        x=normal(size=(7, 5)),
        m=(normal(size=(7, 5)) > -0.3) * 1.0,
        k=normal(size=(7, 5)),
        q=abs(normal(size=(7, 5))) + 0.3,
        n=normal(size=(7, 5)),
        t=normal(size=(7, 5)),
    )
    gy, gv, gs, gu = (here.d("y1"), here.d("v"), here.d("s"), here.d("u"))
    W = here.v["W"]
    yield here.plant(
        "dropout-no-scale",
        "x",
        gy * here.v["m"],
        "constant-factor",
        "d",
        "v",
        "w",
        "s",
        "a",
        "u",
        "y1",
    )
    yield here.plant(
        "dropout-one-minus",
        "x",
        gy * here.v["m"] / 0.4,
        "constant-factor",
        "d",
        "v",
        "w",
        "s",
        "a",
        "u",
        "y1",
    )
    yield here.plant("skip-lost", "y1", gu @ W, "fan-out-overwritten", "d", "v", "w", "s", "a", "u")
    yield here.plant(
        "skip-branch-lost",
        "y1",
        gs,
        "fan-out-overwritten|last-step-only|check-of-wrong-quantity",
        "d",
        "v",
        "w",
        "s",
        "a",
        "u",
    )
    yield here.plant(
        "gate-self",
        "s",
        here.d("w") * here.v["s"],
        "wrong-factor|check-of-wrong-quantity",
        "d",
        "v",
        "w",
    )
    yield here.plant("quotient-sign", "q", gv * here.v["w"] / here.v["q"] ** 2, "sign", "d", "v")
    yield here.plant(
        "quotient-square", "q", -gv * here.v["w"] / here.v["q"], "factor-missing", "d", "v"
    )
    yield here.plant(
        "l1-as-l2",
        "W",
        gu.T @ here.v["y1"] + 0.2 * W,
        "penalty-missing|weight-decay",
        "d",
        "v",
        "w",
        "s",
        "a",
        "u",
    )
    yield here.plant("subtract-plus", "n", here.d("d"), "sign|check-of-wrong-quantity", "d")


def batches(normal):
    here = net(
        "z = Linear(x, W)",
        "y1 = BatchNorm(z, gamma, beta)",
        "a = Tanh(y1)",
        "L = HalfSquaredError(a, t)",
        "J = Mean(L)",
        params={
            "W": normal(size=(5, 3)),
            "gamma": abs(normal(size=5)) + 0.3,
            "beta": normal(size=5),
        },
        x=normal(size=(7, 3)),
        t=normal(size=(7, 5)),
    )
    g, z, gam = (here.d("y1"), here.v["z"], here.v["gamma"])
    sd = np.sqrt(z.var(0) + 1e-05)
    xh = (z - z.mean(0)) / sd
    yield here.plant(
        "bn-mean-constant",
        "z",
        gam / sd * (g - xh * (g * xh).mean(0)),
        "statistics-as-constants",
        "a",
        "y1",
    )
    yield here.plant(
        "bn-dgamma-x", "gamma", (g * z).sum(0), "preactivation-for-activation", "a", "y1"
    )
    yield here.plant(
        "bn-gamma-lost",
        "z",
        (g - g.mean(0) - xh * (g * xh).mean(0)) / sd,
        "factor-missing",
        "a",
        "y1",
    )
    yield here.plant("bn-eval", "z", gam / sd * g, "statistics-as-constants", "a", "y1")


def rows(normal):
    here = net(
        "z = Linear(x, W)",
        "y1 = LayerNorm(z, gamma, beta)",
        "a = Tanh(y1)",
        "L = HalfSquaredError(a, t)",
        "J = Mean(L)",
        params={
            "W": normal(size=(5, 3)),
            "gamma": abs(normal(size=5)) + 0.3,
            "beta": normal(size=5),
        },
        x=normal(size=(7, 3)),
        t=normal(size=(7, 5)),
    )
    g, z, gam = (here.d("y1"), here.v["z"], here.v["gamma"])
    sd = np.sqrt(z.var(1, keepdims=True) + 1e-05)
    xh = (z - z.mean(1, keepdims=True)) / sd
    h = g * gam
    yield here.plant(
        "ln-batch-axis",
        "z",
        (h - h.mean(0) - xh * (h * xh).mean(0)) / sd,
        "wrong-contraction",
        "a",
        "y1",
    )
    yield here.plant(
        "ln-dgamma-mean", "gamma", (g * xh).mean(0), "batch-mean-twice|constant-factor", "a", "y1"
    )
    yield here.plant(
        "ln-variance",
        "z",
        (h - h.mean(1, keepdims=True) - xh * (h * xh).mean(1, keepdims=True)) / sd**2,
        "factor-twice|wrong-factor",
        "a",
        "y1",
    )


def sizes(normal):
    here = net(
        "z = Linear(x, W)",
        "y1 = RMSNorm(z, gamma)",
        "a = Tanh(y1)",
        "L = HalfSquaredError(a, t)",
        "J = Mean(L)",
        params={"W": normal(size=(5, 3)), "gamma": abs(normal(size=5)) + 0.3},
        x=normal(size=(7, 3)),
        t=normal(size=(7, 5)),
    )
    g, z, gam = (here.d("y1"), here.v["z"], here.v["gamma"])
    sd = np.sqrt((z**2).mean(1, keepdims=True) + 1e-05)
    xh, h = (z / sd, g * gam)
    yield here.plant(
        "rms-sum-for-mean",
        "z",
        (h - xh * (h * xh).sum(1, keepdims=True)) / sd,
        "wrong-contraction|factor-missing",
        "a",
        "y1",
    )
    yield here.plant(
        "rms-sign",
        "z",
        (h + xh * (h * xh).mean(1, keepdims=True)) / sd,
        "sign-of-a-term",
        "a",
        "y1",
    )


ENTRYWISE = (smooth, gates, batches, rows, sizes)
