"""A seventh list of mistakes in layers, written down after those of blind_mistakes were mended.

As there: the right derivatives are those of the vjp route, and a plant has the labels whose
sentence is true of it.
"""

import numpy as np
from equation_cases import Plant, sigmoid, softmax
from fresh_mistakes import net

EPS = 1e-5


def sequence(normal):
    """A convolution of sequences, a batch norm of none, a leaky rectifier, a max pool."""
    x, K, b, g = (
        normal(size=(3, 2, 9)),
        normal(size=(4, 2, 3)),
        normal(size=4),
        normal(size=(3, 4, 4)),
    )
    lines = [
        "z = Conv1d(x, K, b, padding=1)",
        "a = LeakyReLU(z, slope=0.2)",
        "y = MaxPool1d(a, 2)",
    ]
    here = net(lines, "y", "do", {"K": K, "b": b}, x=x, g=g)
    dz, da, z, a = here.d("z"), here.d("a"), here["z"], here["a"]
    yield here.plant("0.2 everywhere", "z", 0.2 * da, "constant-factor|wrong-factor", "a")
    yield here.plant("0.8 left of 0", "z", da * np.where(z > 0, 1, 0.8), "wrong-factor", "a")
    yield here.plant(
        "the rectifier at x", "z", da * np.where(z > 0, 1, 0.2) * z, "value-for-slope", "a"
    )
    seen = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1))), 3, 2)
    by_a = np.einsum("ndo,ncor->dcr", a, seen)
    yield here.plant("dK by the value", "K", by_a, "wrong-delta|upstream-missing", "z")
    one = np.einsum("ndo,ncor->dcr", dz, seen[:, ::-1])
    yield here.plant(
        "channels of x in reverse", "K", one, "wrong-factor|reshape-order|factor-flipped", "z"
    )
    yield here.plant(
        "db squared", "b", (dz**2).sum((0, 2)), "factor-twice|extra-factor|unknown", "z"
    )
    yield here.plant("first of each pair", "a", first_of_pairs(here), "other-places", "y")


def first_of_pairs(here):
    wide = np.zeros(here["a"].shape)
    wide[:, :, :8:2] = here.d("y")
    return wide


def mixture(normal):
    """A softmax over experts, whose outputs are weighed, and a residual."""
    x, V, W, g = (
        normal(size=(7, 3)),
        normal(size=(4, 3)),
        normal(size=(4, 3, 3)),
        normal(size=(7, 3)),
    )
    lines = [
        "s = Linear(x, V)",
        "p = Softmax(s)",
        "e = Einsum(x, W, 'i,aki->ak')",
        "m = Einsum(p, e, 'a,ak->k')",
        "r = Add(x, m)",
    ]
    here = net(lines, "r", "k", {"V": V, "W": W}, x=x, g=g)
    dm, dp, p, de = here.d("m"), here.d("p"), here["p"], here.d("e")
    yield here.plant(
        "experts alike", "e", np.repeat(dm[:, None] / 4, 4, 1), "wrong-factor|factor-missing", "m"
    )
    yield here.plant(
        "the best expert alone",
        "p",
        dp * (p == p.max(1, keepdims=True)),
        "unknown|extra-factor",
        "m",
    )
    yield here.plant("p times itself", "s", p * p * dp, "value-for-slope", "p")
    yield here.plant(
        "x twice", "x", here.d("x") + here.d("r"), "fan-out-overwritten", "r", "s", "e"
    )
    yield here.plant(
        "no router", "x", here.d("x") - here.d("s") @ V, "fan-out-overwritten", "r", "s", "e"
    )
    yield here.plant(
        "W by m",
        "W",
        np.einsum("nak,ni->aki", de, here["m"]),
        "wrong-factor|wrong-layer-activation",
        "e",
    )
    yield here.plant("experts turned", "W", here.d("W").swapaxes(1, 2), "axes-exchanged", "e")


def token_norm(normal):
    """An RMS norm of tokens, a gate by SiLU, and a product of two layers."""
    x, gain, g = normal(size=(5, 4)), normal(size=4), normal(size=(5, 6))
    A, B = normal(size=(6, 4)), normal(size=(6, 4))
    lines = [
        "u = RMSNorm(x, gain)",
        "a = Linear(u, A)",
        "b = Linear(u, B)",
        "s = SiLU(a)",
        "y = Multiply(s, b)",
    ]
    here = net(lines, "y", "k", {"gain": gain, "A": A, "B": B}, x=x, g=g)
    dy, ds, db, da, du = (here.d(name) for name in ("y", "s", "b", "a", "u"))
    a = here["a"]
    r = np.sqrt((x * x).mean(1, keepdims=True) + EPS)
    n, d = x / r, du * gain
    assert np.allclose((d - n * (d * n).mean(1, keepdims=True)) / r, here.d("x"))
    yield here.plant("a for SiLU(a)", "b", dy * a, "wrong-factor|preactivation-for-activation", "y")
    yield here.plant("the gate's sigmoid", "b", dy * sigmoid(a), "wrong-factor|unknown", "y")
    yield here.plant("SiLU's 1 + a", "a", ds * sigmoid(a) * (1 + a), "factor-missing", "s")
    yield here.plant("b's way alone", "u", db @ B, "fan-out-overwritten", "a", "b")
    yield here.plant(
        "A and B exchanged", "u", da @ B + db @ A, "wrong-delta|wrong-weight", "a", "b"
    )
    yield here.plant(
        "gain behind",
        "x",
        gain * (du - n * (du * n).mean(1, keepdims=True)) / r,
        "weight-not-transposed",
        "u",
    )
    yield here.plant(
        "dgain by s",
        "gain",
        (du * x).sum(0),
        "wrong-factor|wrong-layer-activation|preactivation-for-activation",
        "u",
    )
    yield here.plant(
        "no gain", "x", (du - n * (du * n).mean(1, keepdims=True)) / r, "factor-missing", "u"
    )
    yield here.plant(
        "1/r³", "x", (d / r - x * (d * x).mean(1, keepdims=True) / r**2), "factor-missing", "u"
    )


def outputs(normal):
    """Losses of several kinds, behind a softmax or by themselves."""
    z, g = normal(size=(7, 4)), abs(normal(size=7))
    y = np.eye(4)[[0, 3, 1, 2, 2, 1, 0]]
    each, p = g[:, None], softmax(z)
    here = net(["p = Softmax(z)", "C = HalfSquaredError(p, y)"], "C", "", z=z, y=y, g=g)
    yield here.plant(
        "p − y for z",
        "z",
        each * (p - y),
        "missing-slope|missing-output-slope|check-of-wrong-quantity",
        "p",
    )
    yield here.plant("y p (1 − p)", "z", here.d("p") * p * (1 - p), "softmax-as-elementwise")
    yield here.plant("p for p − y", "p", each * p, "check-of-wrong-quantity|wrong-factor")
    here = net(["C = CrossEntropyFromLogits(z, y)"], "C", "", z=z, y=y, g=g)
    yield here.plant("y turned over", "z", each * (p - (1 - y)), "wrong-factor")
    yield here.plant("half the temperature", "z", each * (softmax(2 * z) - y), "wrong-factor")
    yield here.plant("p² − y", "z", each * (p**2 - y), "wrong-factor|unknown")
    a, t = normal(size=(7, 3)), normal(size=(7, 3))
    here = net(["C = Huber(a, t)"], "C", "", a=a, t=t, g=g)
    yield here.plant(
        "the sign everywhere", "a", each * np.sign(a - t), "check-of-wrong-quantity|wrong-factor"
    )
    yield here.plant("t − a", "a", each * np.clip(t - a, -1, 1), "sign")
    here = net(["h = ELU(a)", "C = SquaredError(h, t)"], "C", "", a=a, t=t, g=g)
    h, dh = here["h"], here.d("h")
    yield here.plant(
        "1 + h everywhere", "a", dh * (1 + h), "wrong-factor|slope-of-preactivation-formula", "h"
    )
    yield here.plant("0 left of 0", "a", dh * (a > 0), "wrong-factor", "h")
    yield here.plant("not doubled", "h", each * (h - t), "constant-factor")


SCENES = (sequence, mixture, token_norm, outputs)


def plants(seed=83, scenes=SCENES):
    """Every mistake, with a generator of its own for each scene."""
    for scene in scenes:
        generator = np.random.default_rng([seed, len(scene.__name__)])
        for name, run, arrays, key, labels in scene(generator.normal):
            title = f"{scene.__name__}: {name}"
            yield Plant(title, run, arrays, key, frozenset(labels.split("|")))
