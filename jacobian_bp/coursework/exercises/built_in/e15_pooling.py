"""Exercise 15: two pools taken back, where windows overlap."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....network.network import Network
from ..accepted_forms import only
from ..generator import Redraw, numbers
from ..questions import ArrayQuestion, MaskQuestion, NumberQuestion
from ..task import Exercise, Planted, Task

STATEMENT = """
Two pools over the same windows of R entries, for one example: C channels of N entries in x, and
window o begins at entry s o. y[c,o] is the largest entry of a window, a[c,o] the mean of one. s is
smaller than R, so the windows overlap. No two entries of x are the same. Behind y comes a cost
J with the gradient g = ∂J/∂y, behind a another cost L with the gradient h = ∂L/∂a.
"""

FORWARD = """
C, N = x.shape
O = (N - R) // s + 1
at = s * np.arange(O)[:, None] + np.arange(R)
top = x[:, at].argmax(axis=2)
y = x[:, at].max(axis=2)
a = x[:, at].mean(axis=2)
"""

HINTS = (
    "y[c,o] is one of the entries of its window, so ∂y[c,o]/∂x[c,i] is 1 for that entry i and 0 "
    "for any other.",
    "top[c,o] counts from where the window begins: entry top[c,o] of the window o is entry "
    "at[o, top[c,o]] of x.",
    "An entry that is the largest in two windows gets what comes back from both of them.",
    "Each entry of a window has the share 1/R of its mean, and gets that share of h from every "
    "window in which it stands.",
)


def attempt(rng: np.random.Generator) -> Task:
    channels, entries = ((2, 9), (3, 11), (2, 11))[int(rng.integers(3))]
    width, stride = 5, 2
    places = (entries - width) // stride + 1
    x, g, h = numbers(rng, channels, entries), *numbers(rng, 2, channels, places)
    if len(np.unique(x)) < x.size:
        raise Redraw("no two entries of x are the same")
    return of_given({"x": x, "g": g, "h": h, "R": width, "s": stride})


def of_given(given: Mapping[str, Any]) -> Task:
    x, g, h, width, stride = (given[name] for name in ("x", "g", "h", "R", "s"))
    run = Network.program(
        f"y = MaxPool1d(x, {width}, stride={stride})", "J = Einsum(y, g, 'co,co->')"
    ).run(x=x, g=g)
    mean = Network.program(f"a = AvgPool1d(x, {width}, stride={stride})").run(x)
    dy_dx = run.jacobian("y", "x").materialise()
    questions = (
        MaskQuestion(
            "M",
            "M[c,o,i], 1 where y[c,o] is the entry x[c,i], else 0",
            "(at[np.arange(O), top][:, :, None] == np.arange(N)) * 1.0",
            only(np.einsum("coci->coi", dy_dx)),
        ),
        MaskQuestion(
            "dy_dx",
            "∂y/∂x, axes [c,o,c',i], from M",
            "M[:, :, None] * np.eye(C)[:, None, :, None]",
            only(dy_dx),
        ),
        NumberQuestion(
            "possible",
            "how many entries of ∂y/∂x are non-zero for some input x",
            "C * O * R",
            int(dy_dx.shape[0] * dy_dx.shape[1] * width),
        ),
        ArrayQuestion(
            "dx",
            "∂J/∂x, from M",
            "np.einsum('co,coi->ci', g, M)",
            only(run.vjp("J", "x", 1.0)),
            key="x",
        ),
        ArrayQuestion(
            "da_dx",
            "∂a[0]/∂x[0], axes [o,i], of one channel",
            "(at[:, :, None] == np.arange(N)).sum(axis=1) / R",
            only(mean.jacobian("a", "x").materialise()[0, :, 0]),
        ),
        ArrayQuestion("dx_mean", "∂L/∂x, from ∂a/∂x", "h @ da_dx", only(mean.vjp("a", "x", h))),
    )
    return Task(questions, given, FORWARD, run)


LATER = "M[:, ::-1].cumsum(axis=1)[:, ::-1] == 1"  # no later window has the same entry
MISTAKES = (
    Planted(
        "place-in-window",
        {"M": "(top[:, :, None] == np.arange(N)) * 1.0"},
        "the place in the window stands for the place in x",
    ),
    Planted(
        "stride-forgotten",
        {"M": "((np.arange(O) + top)[:, :, None] == np.arange(N)) * 1.0"},
        "the stride was forgotten: o stands for s o",
    ),
    Planted(
        "whole-window",
        {"M": "(at[:, :, None] == np.arange(N)).any(axis=1) * np.ones((C, 1, 1))"},
        "every entry of a window was marked; y is one of them",
    ),
    Planted(
        "least-for-largest",
        {"M": "(at[np.arange(O), x[:, at].argmin(axis=2)][:, :, None] == np.arange(N)) * 1.0"},
        "the smallest entry was marked",
    ),
    Planted(
        "value-for-slope",
        {"M": "(at[np.arange(O), top][:, :, None] == np.arange(N)) * x[:, None]"},
        "the entry itself stands for its slope",
    ),
    Planted(
        "channels-mixed",
        {"dy_dx": "M[:, :, None] * np.ones((1, 1, C, 1))"},
        "the delta of the channels is missing: a channel reads itself only",
    ),
    Planted(
        "channel-of-the-other",
        {"dy_dx": "M[:, :, None] * np.eye(C)[::-1][:, None, :, None]"},
        "the channels stand in the reverse order",
    ),
    Planted("nonzero-here", {"possible": "C * O"}, "what is non-zero at this input was counted"),
    Planted(
        "windows-ignored", {"possible": "C * O * N"}, "entries outside of a window were counted"
    ),
    Planted(
        "all-channels", {"possible": "C * C * O * R"}, "entries between two channels were counted"
    ),
    Planted(
        "last-window-only",
        {"dx": f"np.einsum('co,coi->ci', g, M * ({LATER}))"},
        "where windows have one entry in common the last one was kept, not the sum",
    ),
    Planted(
        "upstream-missing", {"dx": "M.sum(axis=1)"}, "g is missing: the slopes stand there alone"
    ),
    Planted(
        "value-times-gradient",
        {"dx": "np.einsum('co,coi->ci', g * y, M)"},
        "g was multiplied by y",
    ),
    Planted(
        "share-forgotten",
        {"da_dx": "(at[:, :, None] == np.arange(N)).sum(axis=1) * 1.0"},
        "the 1/R of the mean was forgotten",
    ),
    Planted(
        "share-of-places",
        {"da_dx": "(at[:, :, None] == np.arange(N)).sum(axis=1) / O"},
        "the number of windows stands for that of the entries in one",
    ),
    Planted(
        "stride-forgotten, da_dx",
        {
            "da_dx": "(at[:, :, None] - at[:, :1, None] + np.arange(O)[:, None, None]"
            " == np.arange(N)).sum(axis=1) / R"
        },
        "the stride was forgotten: o stands for s o",
        label="stride-forgotten",
    ),
    Planted(
        "averaged-over-windows",
        {"dx_mean": "h @ da_dx / np.maximum(1, (da_dx > 0).sum(axis=0))"},
        "the mean over the windows of an entry stands for their sum",
    ),
    Planted(
        "last-window-only, dx_mean",
        {"dx_mean": "h @ (da_dx * ((da_dx[::-1] > 0).cumsum(axis=0)[::-1] == 1))"},
        "where windows overlap the last one was kept, not the sum",
        label="last-window-only",
    ),
)

RIGHT_FORMS = (
    Planted("by the product", {"dx": "np.einsum('co,coei->ei', g, dy_dx)"}),
    Planted(
        "by equality",
        {
            "M": "(y[:, :, None] == x[:, None]) & (x[:, at].max(2) == y)[:, :, None]"
            " & (at[:, :, None] == np.arange(N)).any(axis=1)"
        },
    ),
    Planted("einsum", {"dy_dx": "np.einsum('coi,ce->coei', M, np.eye(C))"}),
    Planted(
        "by the range",
        {
            "da_dx": "((np.arange(N) >= s * np.arange(O)[:, None]) & "
            "(np.arange(N) < s * np.arange(O)[:, None] + R)) / R"
        },
    ),
    Planted(
        "window by window",
        {"dx_mean": "sum(np.eye(N)[at[o]].sum(axis=0) * h[:, o, None] / R for o in range(O))"},
    ),
)

EXERCISE = Exercise(
    15,
    "two pools taken back",
    STATEMENT,
    HINTS,
    attempt,
    MISTAKES,
    RIGHT_FORMS,
    of_given=of_given,
    one_form="a pool has no weights, and one example has no batch",
)
