"""The log-log picture of a sweep: seconds and bytes of each route, reference slopes, the limit."""

import io
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ..errors import SpecError
from ..memory import format_bytes
from .growth import THEORY
from .row import Row
from .subjects import ROUTES

SUFFIXES = (".png", ".svg")
EXTRA = "pip install 'jacobian-bp[plot]'"
# Okabe and Ito's colours, told apart also by marker and dash
STYLES = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "^", "-."),
    ("#CC79A7", "D", ":"),
    ("#000000", "v", "-"),
)
STYLE = dict(zip(ROUTES, STYLES, strict=True))
GREY = "#767676"


def require_matplotlib() -> Any:
    """matplotlib.figure, or SpecError with the command that installs it."""
    try:
        return import_module("matplotlib.figure")
    except ImportError:
        raise SpecError(
            f"--plot needs matplotlib, which is not installed.\n  Write {EXTRA}."
        ) from None


def draw(axis: str, rows: Sequence[Row], title: str, suffix: str, limit: int) -> bytes:
    """The picture as PNG or SVG; matplotlib's own state and settings stay as they are."""
    figure = require_matplotlib().Figure(figsize=(10, 5), layout="constrained")
    figure.suptitle(title)
    times, space = figure.subplots(1, 2)
    _panel(times, axis, rows, "minimum", "seconds of one gradient", 0)
    _panel(space, axis, rows, "predicted_bytes", "bytes at the peak, predicted", 1)
    space.axhline(limit, color="#B00000", linewidth=1.5)
    space.annotate(
        f"memory limit, {format_bytes(limit)}",
        (0.02, limit),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        color="#B00000",
    )
    handles, labels = space.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    file = io.BytesIO()
    about = {"Title": title, "Description": description(axis, rows, limit)}
    figure.savefig(file, format=suffix[1:], dpi=150, metadata=about)
    return file.getvalue()


def description(axis: str, rows: Sequence[Row], limit: int) -> str:
    """The picture in words, for those who cannot see it."""
    sizes = sorted({row.size for row in rows if row.size})
    refused = sorted({row.size for row in rows if row.refused and row.size})
    text = (
        f"Two log-log panels against {axis} {', '.join(map(str, sizes))}: seconds measured and "
        f"bytes predicted, a line for each of {', '.join(ROUTES)}; grey lines have the slopes of "
        f"the theory; a red line is the memory limit, {format_bytes(limit)}."
    )
    return text + (f" Refused at {axis} {', '.join(map(str, refused))}." if refused else "")


def _panel(
    panel: Any, axis: str, rows: Sequence[Row], what: str, label: str, exponent: int
) -> None:
    anchors: dict[int, tuple[float, float, float]] = {}
    for route, (color, marker, dash) in STYLE.items():
        points = _points(rows, route, what)
        if not points:
            continue
        xs, ys = zip(*points, strict=True)
        panel.plot(xs, ys, color=color, marker=marker, linestyle=dash, label=route)
        power = THEORY[axis][route][exponent]
        if ys[-1] > anchors.get(power, (0.0, 0.0, 0.0))[2]:
            anchors[power] = (xs[0], xs[-1], ys[-1])
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    low, high = panel.get_ylim()
    for power, (first, last, top) in anchors.items():
        start = 2 * top * (first / last) ** power
        panel.plot([first, last], [start, 2 * top], color=GREY, linewidth=0.8, zorder=0)
        panel.annotate(f"slope {power}", (last, 2 * top), color=GREY, ha="right", va="bottom")
    panel.set_ylim(low, 8 * high)
    panel.set_xlabel(axis)
    panel.set_ylabel(label)
    panel.grid(True, which="major", color="#DDDDDD", linewidth=0.5)


def _points(rows: Sequence[Row], route: str, what: str) -> list[tuple[float, float]]:
    """(size, value) of one route, as far as there is a value that a logarithm takes."""
    found = [(row.size, getattr(row, what)) for row in rows if row.subject == route]
    return [(float(n), float(y)) for n, y in found if n and y]
