"""The log-log picture of a sweep: seconds and bytes of each route, reference slopes, the limit."""

import io
import warnings
from collections.abc import Sequence
from typing import Any

from ...errors import SpecError
from ...numbers.memory import format_bytes
from ..timing.growth import THEORY
from ..timing.optional import MissingPackageError, optional
from ..timing.result import Result
from ..timing.subjects import ROUTES

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
MARGIN = 3.0  # free space below the lowest marker, and above the limit, as a factor
APART, ROOM = 0.06, 0.13  # between two names, and for a name, as shares of an axis


def require_matplotlib() -> Any:
    """matplotlib.figure, or SpecError with the command that installs it."""
    try:
        return optional("matplotlib.figure")
    except MissingPackageError as error:
        raise SpecError(
            f"--plot needs matplotlib, which {error.in_lines()}.\n  Write {EXTRA}."
        ) from None


def draw(axis: str, rows: Sequence[Result], title: str, suffix: str, limit: int) -> bytes:
    """The picture as PNG or SVG; matplotlib's own state and settings stay as they are."""
    figure = require_matplotlib().Figure(figsize=(10, 5.4), layout="constrained")
    figure.suptitle(title)
    times, space = figure.subplots(1, 2)
    _panel(times, axis, rows, "minimum", "seconds of one gradient", 0)
    _panel(space, axis, rows, "predicted_bytes", "bytes at the peak, predicted", 1)
    _limit(space, limit)
    handles, labels = space.get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    file = io.BytesIO()
    about = {"Title": title, "Description": description(axis, rows, limit)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fonts and of folders, which change nothing here
        figure.savefig(file, format=suffix[1:], dpi=150, metadata=about)
    return file.getvalue()


def _limit(panel: Any, limit: int) -> None:
    """The memory limit as a line that lies within the picture, its name in the free half."""
    low, high = panel.get_ylim()
    panel.set_ylim(min(low, limit / MARGIN), max(high, MARGIN * limit))
    panel.axhline(limit, color="#B00000", linewidth=1.5)
    panel.annotate(
        f"memory limit, {format_bytes(limit)}",
        (0.02, limit),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        color="#B00000",
        va="bottom",
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )


def description(axis: str, rows: Sequence[Result], limit: int) -> str:
    """The picture in words, for those who cannot see it."""
    missing = sorted({row.size for row in rows if row.refused and row.size})
    panels = [
        f"{words}, {_drawn(axis, rows, what)}"
        for words, what in (
            ("on the left seconds measured", "minimum"),
            ("on the right bytes predicted", "predicted_bytes"),
        )
    ]
    text = (
        f"Two log-log panels against the {axis}: {'; '.join(panels)}; grey lines have the slopes "
        f"of the theory; a red line on the right is the memory limit, {format_bytes(limit)}."
    )
    sizes = ", ".join(map(str, missing))
    return text + (f" Some routes were not timed at {axis} {sizes}." if missing else "")


def _drawn(axis: str, rows: Sequence[Result], what: str) -> str:
    """Which lines a panel has, and how far they go."""
    lines = []
    for route in ROUTES:
        points = _points(rows, route, what)
        if points:
            ends = dict.fromkeys(f"{n:g}" for n, _ in (points[0], points[-1]))
            lines.append(f"{route} at {axis} {' to '.join(ends)}")
    return ", ".join(lines) or "nothing"


def _panel(
    panel: Any, axis: str, rows: Sequence[Result], what: str, label: str, exponent: int
) -> None:
    anchors: dict[int, tuple[float, float, float]] = {}
    values: list[float] = []
    for route, (color, marker, dash) in STYLE.items():
        points = _points(rows, route, what)
        if not points:
            continue
        xs, ys = zip(*points, strict=True)
        values += ys
        panel.plot(xs, ys, color=color, marker=marker, linestyle=dash, label=route)
        power = THEORY[axis][route][exponent]
        if len(points) > 1 and ys[-1] > anchors.get(power, (0.0, 0.0, 0.0))[2]:
            anchors[power] = (xs[0], xs[-1], ys[-1])
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    panel.set_xlabel(axis)
    panel.set_ylabel(label)
    panel.grid(True, which="major", color="#DDDDDD", linewidth=0.5)
    if values:
        _slopes(panel, anchors, min(values), max(values))


def _slopes(
    panel: Any, anchors: dict[int, tuple[float, float, float]], low: float, high: float
) -> None:
    """A grey line of each slope above the highest curve that has it, named at its right end.

    All end at the largest size, far enough from each other for their names.
    """
    if not anchors:
        panel.set_ylim(low / MARGIN, 2 * MARGIN * high)
        return
    start, end = (f(a[p] for a in anchors.values()) for p, f in ((0, min), (1, max)))
    tops = {p: 2 * top * (end / last) ** p for p, (_, last, top) in anchors.items()}
    bottom, roof = low / MARGIN, 2 * MARGIN * max(high, *tops.values())
    apart = (roof / bottom) ** APART
    reached = 0.0
    for power, top in sorted(tops.items(), key=lambda item: item[1]):
        reached = max(top, reached * apart)
        begin = max(start, end * (bottom / reached) ** (1 / power))
        line = reached * (begin / end) ** power, reached
        panel.plot([begin, end], line, color=GREY, linewidth=0.8, zorder=0)
        panel.annotate(
            f"slope {power}",
            (end, reached),
            color=GREY,
            va="center",
            xytext=(6, 0),
            textcoords="offset points",
        )
    left, right = panel.get_xlim()
    panel.set_xlim(left, right * (end / start) ** ROOM)
    panel.set_ylim(bottom, roof)


def _points(rows: Sequence[Result], route: str, what: str) -> list[tuple[float, float]]:
    """(size, value) of one route, as far as there is a value that a logarithm takes."""
    found = [(row.size, getattr(row, what)) for row in rows if row.subject == route]
    return [(float(n), float(y)) for n, y in found if n and y]
