"""Exercise 14: a convolution taken back, where stride and padding stand in the delta."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import only, vector_forms
from ..generator import numbers
from ..questions import ArrayQuestion, MaskQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
A convolution along one axis, for one example: C channels of N entries in x, a kernel K of R taps
for each pair of an output channel d and an input channel c, stride s and p zeros on either side:
y[d,o] = b[d] + sum over c and r of K[d,c,r] x[c, s o + r - p], where x is 0 outside. The kernel is
not turned round. There are as many channels behind it as before it, so no shape tells them apart.
Behind it comes a cost with the gradient g = ∂J/∂y.
"""

FORWARD = """
D, C, R = K.shape
N = x.shape[1]
xp = np.pad(x, ((0, 0), (p, p)))
O = (N + 2 * p - R) // s + 1
at = s * np.arange(O)[:, None] + np.arange(R)
y = np.einsum('dcr,cor->do', K, xp[:, at]) + b[:, None]
"""

HINTS = (
    "y[d,o] reads x[c,i] through tap r where i = s o + r - p, and nowhere else: that is "
    "delta[i, s o + r - p].",
    "∂y[d,o]/∂x[c,i] is the sum over r of K[d,c,r] delta[i, s o + r - p]: the channels c and i "
    "belong to the variable, and nothing is summed but the tap.",
    "∂J/∂x[c,i] adds over d and o what comes back; ∂J/∂K[d,c,r] adds over all places o, since one "
    "kernel is used at each of them.",
    "at[o,r] is where tap r of window o reads the padded x: xp[:, at] holds all windows, with the "
    "axes c, o and r.",
)

SIZES = ((2, 7), (3, 9), (2, 8), (3, 8))  # channels and entries


def attempt(rng: np.random.Generator) -> Task:
    channels, entries = SIZES[int(rng.integers(len(SIZES)))]
    taps, stride, padding = 3, 2, 1
    places = (entries + 2 * padding - taps) // stride + 1
    return of_given(
        {
            "x": numbers(rng, channels, entries),
            "K": numbers(rng, channels, channels, taps),
            "b": numbers(rng, channels),
            "g": numbers(rng, channels, places),
            "s": stride,
            "p": padding,
        }
    )


def of_given(given: Mapping[str, Any]) -> Task:
    x, K, b, g, s, p = (given[name] for name in ("x", "K", "b", "g", "s", "p"))
    line = f"y = Conv1d(x, K, b, stride={s}, padding={p})"
    net = Network.program(line, "J = Einsum(y, g, 'do,do->')", params={"K": K, "b": b})
    run = net.run(x=x, g=g)
    gradients = run.gradients()
    taps = np.stack([_reads(x, K, tap, s, p) for tap in range(K.shape[-1])], axis=1)
    questions = (
        MaskQuestion(
            "T",
            "T[o,r,i], 1 where tap r of window o reads x[:, i], else 0",
            "(at[:, :, None] - p == np.arange(N)) * 1.0",
            only(taps),
        ),
        ArrayQuestion(
            "dy_dx",
            "∂y/∂x, axes [d,o,c,i], from T",
            "np.einsum('dcr,ori->doci', K, T)",
            only(run.jacobian("y", "x").materialise()),
            key=("y", "x"),
        ),
        ArrayQuestion(
            "dx",
            "∂J/∂x, from ∂y/∂x",
            "np.einsum('do,doci->ci', g, dy_dx)",
            only(run.vjp("J", "x", 1.0)),
            key="x",
        ),
        ArrayQuestion(
            "dK",
            "∂J/∂K, of the shape of K",
            "np.einsum('do,cor->dcr', g, xp[:, at])",
            only(gradients["K"]),
            key="K",
        ),
        ArrayQuestion("db", "∂J/∂b", "g.sum(axis=1)", vector_forms(gradients["b"]), key="b"),
    )
    return Task(questions, given, FORWARD, run)


def _reads(x: np.ndarray, K: np.ndarray, tap: int, stride: int, padding: int) -> np.ndarray:
    """The Jacobian of a convolution whose kernel is 1 at one tap, so [o,i]."""
    one = np.zeros((1, 1, K.shape[-1]))
    one[0, 0, tap] = 1
    line = f"y = Conv1d(x, K, stride={stride}, padding={padding})"
    run = Network.program(line, params={"K": one}).run(x[:1])
    return run.jacobian("y", "x").materialise()[0, :, 0]


LAST = "T[::-1].sum(axis=1).cumsum(axis=0)[::-1][:, None] == 1"
MISTAKES = (
    Planted(
        "padding-off-by-one",
        {"T": "(at[:, :, None] - p - 1 == np.arange(N)) * 1.0"},
        "the places are moved by one: window 0 begins p entries before x[:, 0]",
    ),
    Planted(
        "padding-forgotten",
        {"T": "(at[:, :, None] == np.arange(N)) * 1.0"},
        "the padding was forgotten: places in the padded x stand for places in x",
    ),
    Planted(
        "stride-forgotten",
        {"T": "((np.arange(O)[:, None] + np.arange(R))[:, :, None] - p == np.arange(N)) * 1.0"},
        "the stride was forgotten: o stands for s o",
    ),
    Planted(
        "kernel-flipped",
        {"T": "((at[:, ::-1])[:, :, None] - p == np.arange(N)) * 1.0"},
        "the taps are counted from the other end",
    ),
    Planted(
        "kernel-flipped, dy_dx",
        {"dy_dx": "np.einsum('dcr,ori->doci', K[:, :, ::-1], T)"},
        "the kernel was flipped; it stands in ∂y/∂x as it does in y",
        label="kernel-flipped",
    ),
    Planted(
        "channels-swapped",
        {"dy_dx": "np.einsum('cdr,ori->doci', K, T)"},
        "the channels of K were exchanged: c is taken for the first axis",
    ),
    Planted(
        "one-tap",
        {"dy_dx": "np.einsum('dc,oi->doci', K[:, :, 0], T[:, 0])"},
        "one tap stands for the sum over all of them",
    ),
    Planted(
        "channels-swapped, dx",
        {"dx": "np.einsum('co,doci->di', g, dy_dx)"},
        "g was paired with the channels of x, not with those of y",
        label="channels-swapped",
    ),
    Planted(
        "last-window-only",
        {"dx": f"np.einsum('do,dcr,ori->ci', g, K, T * ({LAST}))"},
        "where windows overlap the last one was kept; what comes back from all of them is added",
    ),
    Planted(
        "kernel-flipped, dx",
        {"dx": "np.einsum('do,dcr,ori->ci', g, K[:, :, ::-1], T)"},
        "the kernel was flipped once more: ∂y/∂x has it the right way round",
        label="kernel-flipped",
    ),
    Planted(
        "kernel-flipped, dK",
        {"dK": "np.einsum('do,cor->dcr', g, xp[:, at])[:, :, ::-1]"},
        "the taps of ∂J/∂K stand in the reverse order",
        label="kernel-flipped",
    ),
    Planted(
        "padding-forgotten, dK",
        {"dK": "np.einsum('do,cor->dcr', g, np.pad(x, ((0, 0), (0, 2 * p)))[:, at])"},
        "the zeros stand behind x alone; p of them belong before it",
        label="padding-forgotten",
    ),
    Planted(
        "stride-forgotten, dK",
        {"dK": "np.einsum('do,cor->dcr', g, xp[:, np.arange(O)[:, None] + np.arange(R)])"},
        "the stride was forgotten: o stands for s o",
        label="stride-forgotten",
    ),
    Planted(
        "channels-swapped, dK",
        {"dK": "np.einsum('do,cor->cdr', g, xp[:, at])"},
        "the channels of ∂J/∂K stand in the other order",
        label="channels-swapped",
    ),
    Planted(
        "mean-over-places",
        {"dK": "np.einsum('do,cor->dcr', g, xp[:, at]) / O"},
        "the mean over the places stands for their sum",
    ),
    Planted(
        "bias-not-summed",
        {"db": "g"},
        "the places were not summed: one bias is used at all of them",
    ),
    Planted("bias-wrong-axis", {"db": "g.sum(axis=0)"}, "the channels were summed, not the places"),
)

RIGHT_FORMS = (
    Planted(
        "the transposed convolution",
        {"dx": "sum(np.einsum('do,dc,oi->ci', g, K[:, :, r], T[:, r]) for r in range(R))"},
    ),
    Planted("by the tensor", {"dK": "np.einsum('do,ci,ori->dcr', g, x, T)"}),
    Planted(
        "tap by tap", {"dy_dx": "sum(K[:, None, :, r, None] * T[:, r][:, None] for r in range(R))"}
    ),
    Planted("True and False", {"T": "at[:, :, None] == np.arange(N) + p"}),
    Planted(
        "a product with ones",
        {"db": "g @ np.ones(O)", "dK": "np.tensordot(g, xp[:, at], 0).trace(axis1=1, axis2=3)"},
    ),
)

EXERCISE = Exercise(
    14,
    "a convolution taken back",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="a kernel is no layer's weight, and one example has no batch",
)
