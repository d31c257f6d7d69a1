"""Mistakes in losses, their means and penalties, as courses see them: the fourth list begins."""

import numpy as np
from equation_cases import softmax
from unseen_scene import whole as net


def onehot(classes, k):
    return np.eye(k)[classes]


def two_layers(normal):
    here = net(
        "z1 = Linear(x, W1, b1)",
        "h = ReLU(z1)",
        "z2 = Linear(h, W2, b2)",
        "L = CrossEntropyFromLogits(z2, y)",
        "C = Mean(L)",
        "R1 = HalfL2Penalty(W1, 0.3)",
        "R2 = HalfL2Penalty(W2, 0.3)",
        "Q = Add(R1, R2, axes='')",
        "J = Add(C, Q, axes='')",
        params={
            "W1": normal(size=(11, 5)),
            "b1": normal(size=11),
            "W2": normal(size=(3, 11)),
            "b2": normal(size=3),
        },
        x=normal(size=(7, 5)),
        y=onehot([0, 2, 1, 1, 0, 2, 2], 3),
    )
    p, y = (softmax(here.v["z2"]), here.v["y"])
    dz2, dz1 = (here.d("z2"), here.d("z1"))
    W1, W2 = (here.v["W1"], here.v["W2"])
    yield here.plant("softmax-no-mean", "z2", p - y, "missing-batch-mean|constant-factor")
    yield here.plant("softmax-minus-one-everywhere", "z2", (p - 1) / 7, "wrong-factor")
    yield here.plant(
        "penalty-doubled",
        "W2",
        dz2.T @ here.v["h"] + 2 * 0.3 * W2,
        "penalty-factor|weight-decay",
        "z2",
    )
    yield here.plant("relu-value", "z1", here.d("h") * here.v["h"], "value-for-slope", "z2", "h")
    yield here.plant(
        "relu-mask-of-dh", "z1", here.d("h") * (here.d("h") > 0), "slope-at-delta", "z2", "h"
    )
    yield here.plant(
        "bias-decayed", "b1", dz1.sum(0) + 0.3 * here.v["b1"], "weight-decay", "z2", "h", "z1"
    )
    yield here.plant(
        "mean-twice",
        "W1",
        dz1.T @ here.v["x"] / 7 + 0.3 * W1,
        "factor-beside-penalty",
        "z2",
        "h",
        "z1",
    )
    yield here.plant(
        "penalty-over-N",
        "W1",
        dz1.T @ here.v["x"] + 0.3 * W1 / 7,
        "penalty-factor",
        "z2",
        "h",
        "z1",
    )


def softplus(normal):
    here = net(
        "z = Linear(x, W, b)",
        "a = Softplus(z)",
        "L = SquaredError(a, y)",
        "J = Mean(L)",
        params={"W": normal(size=(3, 5)), "b": normal(size=3)},
        x=normal(size=(7, 5)),
        y=normal(size=(7, 3)),
    )
    yield here.plant(
        "square-without-2",
        "a",
        (here.v["a"] - here.v["y"]) / 7,
        "constant-factor|check-of-wrong-quantity",
    )
    yield here.plant(
        "softplus-as-sigmoid",
        "z",
        here.d("a") * here.v["a"] * (1 - here.v["a"]),
        "wrong-factor",
        "a",
    )


def huber(normal):
    here = net(
        "z = Linear(x, W, b)",
        "a = LeakyReLU(z, slope=0.2)",
        "L = Huber(a, y, delta=0.5)",
        "J = Mean(L)",
        params={"W": normal(size=(5, 3)), "b": normal(size=5)},
        x=normal(size=(11, 3)),
        y=normal(size=(11, 5)),
    )
    r = here.v["a"] - here.v["y"]
    yield here.plant("leaky-as-relu", "z", here.d("a") * (here.v["z"] > 0), "wrong-factor", "a")
    yield here.plant(
        "leaky-value",
        "z",
        here.d("a") * np.where(here.v["z"] > 0, 1, 0.2 * here.v["z"]),
        "wrong-factor",
        "a",
    )
    yield here.plant("huber-unclipped", "a", r / 11, "check-of-wrong-quantity")
    yield here.plant(
        "huber-sign-without-delta", "a", np.where(abs(r) <= 0.5, r, np.sign(r)) / 11, "wrong-factor"
    )


def two_classes(normal):
    here = net(
        "z = Linear(x, W, b)",
        "a = Sigmoid(z)",
        "L = BinaryCrossEntropy(a, y)",
        "J = Mean(L)",
        params={"W": normal(size=(3, 7)), "b": normal(size=3)},
        x=normal(size=(5, 7)),
        y=(normal(size=(5, 3)) > 0) * 1.0,
    )
    a, y = (here.v["a"], here.v["y"])
    yield here.plant("bce-slope-twice", "z", (a - y) / 5 * a * (1 - a), "extra-output-slope")
    yield here.plant("bce-first-term", "a", -y / a / 5, "check-of-wrong-quantity")


def margins(normal):
    here = net(
        "z = Linear(x, W, b)",
        "L = Hinge(z, y)",
        "J = Mean(L)",
        params={"W": normal(size=(5, 3)), "b": normal(size=5)},
        x=normal(size=(7, 3)),
        y=onehot([0, 4, 2, 2, 1, 3, 0], 5),
    )
    z, y = (here.v["z"], here.v["y"])
    m = np.maximum(0, 1 + z - (z * y).sum(1, keepdims=True)) * (1 - y)
    s = (m > 0) * 1.0
    yield here.plant("hinge-true-class-once", "z", (s - y) / 7, "wrong-factor")
    yield here.plant("hinge-margins", "z", (m - y * m.sum(1, keepdims=True)) / 7, "wrong-factor")


def probabilities(normal):
    here = net(
        "z = Linear(x, W, b)",
        "p = Softmax(z)",
        "L = CrossEntropy(p, y)",
        "J = Mean(L)",
        params={"W": normal(size=(5, 3)), "b": normal(size=5)},
        x=normal(size=(7, 3)),
        y=onehot([0, 4, 2, 2, 1, 3, 0], 5),
    )
    p, dp = here.v["p"], here.d("p")
    yield here.plant("ce-no-label", "p", -1 / p / 7, "wrong-factor")
    yield here.plant("softmax-diagonal", "z", dp * p * (1 - p), "softmax-as-elementwise", "p")
    yield here.plant(
        "softmax-axis-0", "z", p * (dp - (dp * p).sum(0, keepdims=True)), "wrong-contraction", "p"
    )
    yield here.plant(
        "softmax-sum-without-p", "z", p * (dp - dp.sum(1, keepdims=True)), "factor-missing", "p"
    )


LOSSES = (two_layers, softplus, huber, two_classes, margins, probabilities)
