"""The results as tables of at most 99 columns: what was predicted, what was measured, how it grows.

Columns have fixed widths, so that a row can be printed as soon as it is finished.
"""

from collections.abc import Sequence

from ..memory import format_bytes
from .growth import ABOVE_OVERHEAD, Growth
from .row import Row, ratio

NOT_KNOWN = "-"
NAME, NUMBER, BYTES, TIME, RATIO = 19, 15, 11, 9, 9
SWEPT = (7, 14, NUMBER - 1, BYTES, BYTES, TIME, TIME, RATIO - 1)
EXPLAINED = (
    "  seconds  without those of the call at size 1, which is nearly all overhead; fitted to the",
    f"           sizes where a call takes {ABOVE_OVERHEAD} times as long or more; three are needed",
    "  theory   of large sizes: first of multiplications and seconds, then of bytes",
    "  bytes    told by the shapes, and seen: all that was allocated, Python's objects too",
)


def predicted_table(rows: Sequence[Row]) -> list[str]:
    """What the shapes say, before anything is built."""
    widths = (14, NUMBER, NUMBER, BYTES)
    lines = [_line(("route", "multiplied", "zeros left out", "peak bytes"), widths) + "  largest"]
    for row in rows:
        if row.predicted_bytes is None:
            continue
        counts = (_count(row.multiplications), _count(row.nonzero_multiplications))
        cells = (row.subject, *counts, size(row.predicted_bytes))
        largest = f"{row.largest}, {size(row.largest_bytes)}"
        lines.append(f"{_line(cells, widths)}  {largest}")
    return lines


def measured_table(rows: Sequence[Row], base: str, whose: str) -> list[str]:
    """Seconds and bytes as measured; `whose` heads the ratio of the minima to `base`.

    Where arrays were followed one by one, their bytes stand beside all that was allocated.
    """
    followed = any(row.built_bytes for row in rows)
    space = ("arrays", "peak") if followed else ("peak",)
    widths = (NAME, TIME, TIME, TIME, RATIO, *(BYTES for _ in space), 6)
    lines = [_line(("", "minimum", "median", "spread", whose, *space, "rounds"), widths)]
    for row in rows:
        if row.refused:
            lines.append(f"{row.subject:<{NAME}}  {row.refused}")
            continue
        times = (seconds(row.minimum), seconds(row.median), seconds(row.spread))
        seen = (size(row.built_bytes), size(row.measured_bytes))[-len(space) :]
        rounds = f"{row.rounds}" if row.complete else f"{row.rounds} …"
        compared = factor(ratio(row, _find(rows, base)))
        lines.append(_line((row.subject, *times, compared, *seen, rounds), widths))
    return lines


def beside_peers(rows: Sequence[Row], peers: Sequence[str]) -> list[str]:
    """Our first subject beside the fastest peer, in a line; none where no peer was timed."""
    timed = [row for row in rows if row.subject in peers and row.minimum]
    if not timed or not rows[0].minimum:
        return []
    fastest = min(timed, key=lambda row: row.minimum or 0)
    times = factor(ratio(rows[0], fastest))
    return [f"{rows[0].subject} takes {times} times as long as the fastest peer, {fastest.subject}"]


def sweep_head(axis: str) -> str:
    """The head of a sweep's table."""
    names = ("multiplied", "bytes told", "bytes seen", "minimum", "median", "of vjp")
    return _line((axis, "route", *names), SWEPT, left=(1,))


def sweep_line(row: Row, base: Row | None) -> str:
    """One row of a sweep's table."""
    start = (f"{row.size}", row.subject)
    if row.refused:
        return f"{start[0]:>{SWEPT[0]}}  {start[1]:<{SWEPT[1]}}  {row.refused}"
    cells = (_count(row.multiplications), size(row.predicted_bytes), size(row.measured_bytes))
    times = (seconds(row.minimum), seconds(row.median), factor(ratio(row, base)))
    return _line((*start, *cells, *times), SWEPT, left=(1,))


def growth_table(axis: str, found: Sequence[Growth]) -> list[str]:
    """The exponent of the size in each quantity, fitted, beside the one of the theory."""
    widths = (14, 11, 11, 8, 6, 11, 11, 6)
    times, bytes_ = ("multiplied", "seconds", "sizes", "theory"), ("bytes told", "bytes seen")
    lines = [f"exponent of the {axis}, with its 95 % interval"]
    lines.append(_line(("route", *times, *bytes_, "theory"), widths))
    for g in found:
        fits = (g.multiplications, g.seconds, g.predicted_bytes, g.measured_bytes)
        counts, time, told, seen = (NOT_KNOWN if fit is None else str(fit) for fit in fits)
        theory = (f"{g.theory_time}", f"{g.theory_bytes}")
        cells = (g.route, counts, time, g.rows_used, theory[0], told, seen, theory[1])
        lines.append(_line(cells, widths))
    return [*lines, *EXPLAINED]


def seconds(value: float | None) -> str:
    """A time in the unit that suits it.

    >>> seconds(2.34e-5), seconds(0.0123), seconds(12.0), seconds(0.0), seconds(None)
    ('23.4 us', '12.3 ms', '12 s', '0 us', '-')
    """
    if value is None:
        return NOT_KNOWN
    for unit, length in (("s", 1.0), ("ms", 1e-3)):
        if value >= length:
            return f"{_three(value / length)} {unit}"
    return f"{_three(value * 1e6)} us"


def factor(value: float | None) -> str:
    """A ratio, to three digits.

    >>> factor(1.0), factor(0.5678), factor(1234.5), factor(None)
    ('1', '0.568', '1,234', '-')
    """
    if value is None:
        return NOT_KNOWN
    return _three(value)


def _three(value: float) -> str:
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


def size(count: int | None) -> str:
    """Bytes as a reader writes them."""
    return NOT_KNOWN if count is None else format_bytes(count)


def _count(count: int | None) -> str:
    """A whole number; a long one by its power of ten.

    >>> _count(1234567), _count(10**15)
    ('1,234,567', '1.00e+15')
    """
    if count is None:
        return NOT_KNOWN
    return f"{count:,}" if count < 10**10 else f"{count:.2e}"


def _line(cells: Sequence[str], widths: Sequence[int], left: Sequence[int] = (0,)) -> str:
    """Cells in columns, numbers to the right; a cell that is too long pushes the others on."""
    placed = [
        f"{cell:<{width}}" if position in left else f"{cell:>{width}}"
        for position, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(placed).rstrip()


def _find(rows: Sequence[Row], subject: str) -> Row | None:
    return next((row for row in rows if row.subject == subject and row.minimum), None)
