"""The results as tables: what was predicted, what was measured, how it grows.

`room` is the width that there is; what does not fit into columns is stacked.
"""

from collections.abc import Sequence

from ...document.blocks import Table
from ...numbers.memory import format_bytes
from ...writing.signs import plural
from ..timing.fit import Fit
from ..timing.growth import ABOVE_OVERHEAD, Growth, bent
from ..timing.result import GRADIENT, STEP, Result, ratio
from .columns import Columns
from .parts import Part

NOT_KNOWN = "-"
WIDE = 99
NAME, NUMBER, BYTES, TIME, RATIO = 19, 15, 11, 9, 9
OURS = {"materialise": "ours"}  # a whole Jacobian in a sweep, beside the peers' ones


def predicted_table(rows: Sequence[Result], room: int = WIDE) -> Table:
    """What the shapes say, before anything is built."""
    known = [row for row in rows if row.predicted_bytes is not None]
    counts = [(_count(r.multiplications), _count(r.nonzero_multiplications)) for r in known]
    number = max((len(text) for pair in counts for text in pair), default=0)
    number = max(14, number)
    largest = [f"{row.largest}, {size(row.largest_bytes)}" for row in known]
    widths = (14, number, number, 14, max(map(len, largest), default=0))
    heads = ("route", "multiplied", "zeros left out", "predicted peak", "largest array")
    columns = Columns(heads, widths, (0, 4))
    lines = columns.head(room)
    if not lines:
        columns = Columns(heads, widths)
    found = [
        (row.subject, *pair, size(row.predicted_bytes), array)
        for row, pair, array in zip(known, counts, largest, strict=True)
    ]
    lines += [line for cells in found for line in columns.row(cells, room)]
    return columns.table(found, lines)


def measured_table(
    rows: Sequence[Result], base: str = "", whose: str = "", room: int = WIDE
) -> Table:
    """Seconds and bytes as measured; `whose` heads the ratio of the minima to `base`.

    Where arrays were followed one by one, their bytes stand beside all that was allocated.
    """
    followed = any(row.built_bytes for row in rows)
    compared = (whose,) if base and whose else ()
    space = ("built arrays", "allocated") if followed else ("allocated",)
    heads = ("", "minimum", "median", "spread", *compared, *space, "rounds")
    each = {"built arrays": 12, "allocated": 10}
    sizes = (NAME, TIME, TIME, TIME, *(RATIO for _ in compared), *(each[s] for s in space), 6)
    columns = Columns(heads, sizes)
    lines, found = columns.head(room), list[tuple[str, ...]]()
    for row in rows:
        if row.refused:
            found.append((row.subject, row.refused))
            lines += columns.sentence((row.subject,), row.refused, room)
            continue
        times = (seconds(row.minimum), seconds(row.median), seconds(row.spread))
        seen = (size(row.built_bytes), size(row.measured_bytes))[-len(space) :]
        rounds = f"{row.rounds}" if row.complete else f"{row.rounds} …"
        beside = (factor(ratio(row, _find(rows, base))),) if compared else ()
        found.append((row.subject, *times, *beside, *seen, rounds))
        lines += columns.row(found[-1], room)
    return columns.table(found, lines)


def beside_peers(rows: Sequence[Result], peers: Sequence[str]) -> list[str]:
    """Our first subject beside the fastest peer, in a line; none where no peer was timed."""
    timed = [row for row in rows if row.subject in peers and row.minimum]
    if not timed or not rows[0].minimum:
        return []
    fastest = min(timed, key=lambda row: row.minimum or 0)
    times = factor(ratio(rows[0], fastest))
    return [f"{rows[0].subject} takes {times} times as long as the fastest peer, {fastest.subject}"]


def sweep_legend(peers: Sequence[str]) -> list[str]:
    """What the rows of a sweep beside peers are of; none where there are none."""
    if not peers:
        return []
    names = ", ".join(peers)
    return [
        f"  compiled step, {names}: the cost and every gradient, forward pass included; the routes "
        "start from a finished one, so there is no × vjp",
        f"  ∂f/∂θ: the output by every parameter, for each example, whole; ours, and by {names}",
    ]


def built_lines(rows: Sequence[Result]) -> list[str]:
    """Whether the predicted peak is that of what was built, in every row where it is followed."""
    followed = [row for row in rows if row.built_bytes and row.predicted_bytes]
    if not followed:
        return []
    other = [row for row in followed if row.built_bytes != row.predicted_bytes]
    found = "each is the predicted peak" if not other else f"{len(other)} not the predicted peak"
    lines = [f"  built arrays: followed in {plural(len(followed), 'row')} of full; {found}"]
    for row in other:
        about = f"{row.axis} {row.size}, " if row.size else ""
        built, told = size(row.built_bytes), size(row.predicted_bytes)
        lines.append(f"  {about}{row.subject}: built {built}, predicted {told}")
    return [
        *lines,
        "  structured, vjp: no whole Jacobian is built, so none is followed; predicted is what they"
        " hold by rule, measured what was allocated",
    ]


def sweep_columns(axis: str) -> Columns:
    """The columns of a sweep's table."""
    heads = (axis, "route", "multiplied", "predicted", "measured", "minimum", "spread", "× vjp")
    return Columns(heads, (7, 15, 14, BYTES, BYTES, TIME, TIME, 6), (0, 1))


def sweep_line(row: Result, base: Result | None, room: int = WIDE) -> Table:
    """One row of a sweep's table; the bytes are those of the peak."""
    columns = sweep_columns(row.axis)
    route = row.subject
    if row.quantity not in (GRADIENT, STEP):
        route = f"∂f/∂θ {OURS.get(route, route)}"
    names = (f"{row.size:>{columns.widths[0]}}" if columns.fits(room) else f"{row.size}", route)
    if row.refused:
        return columns.table([(*names, row.refused)], columns.sentence(names, row.refused, room))
    cells = (_count(row.multiplications), size(row.predicted_bytes), size(row.measured_bytes))
    shown = seconds(row.minimum) + ("" if row.complete else " …")
    times = (shown, seconds(row.spread), factor(ratio(row, base)))
    found = (*names, *cells, *times)
    return columns.table([found], columns.row(found, room))


def sweep_rows(rows: Sequence[Result], room: int = WIDE) -> list[Table]:
    """Rows of one size; a ratio is to the vjp route."""
    base = _find(rows, "vjp")
    return [sweep_line(row, base, room) for row in rows]


def growth_table(axis: str, found: Sequence[Growth], room: int = WIDE) -> list[Part]:
    """The exponent of the size in each quantity, fitted, beside the one of the theory."""
    if not found:
        return []
    times = ("multiplied", "seconds", "sizes", "theory")
    heads = ("route", *times, "predicted", "measured", "in bytes")
    columns = Columns(heads, (14, 11, 11, 7, 6, 11, 11, 8))
    lines, rows = columns.head(room), list[tuple[str, ...]]()
    for g in found:
        fits = (g.multiplications, g.seconds, g.predicted_bytes, g.measured_bytes)
        counts, time, told, seen = map(exponent, fits)
        theory = (f"{g.theory_time}", f"{g.theory_bytes}")
        cells = (g.route, counts, time, g.rows_used, theory[0], told, seen, theory[1])
        rows.append(tuple(map(str, cells)))
        lines += columns.row(cells, room)
    title = f"exponent of the {axis}, with its 95 % interval"
    return [title, columns.table(rows, lines), *_remarks(found)]


def exponent(fit: Fit | None) -> str:
    """A fit with its interval; words where it says nothing."""
    if fit is None:
        return NOT_KNOWN
    return str(fit) if fit.known else "not known"


def _remarks(found: Sequence[Growth]) -> list[str]:
    lines = []
    unknown = [g.route for g in found if g.seconds is not None and not g.seconds.known]
    away = [g.route for g in found if bent(g)]
    taken_off = any(g.overhead for g in found)
    if any(g.seconds is None for g in found):
        lines.append("  too few: a fit takes three sizes that are timed; add larger ones")
    if unknown:
        lines.append(
            f"  {', '.join(unknown)}: not known from these sizes, the interval is wider than the "
            "value"
        )
    if away:
        lines.append(
            f"  {'; '.join(away)}: the theory of the seconds lies outside the interval: smaller "
            "terms, or the machine's caches, still bend the line"
        )
    whole = "  seconds: of the whole call, with its overhead"
    less = (
        "  seconds: without those of the same call at size 1, which is nearly all overhead, and "
        f"fitted to the larger sizes where a call takes {ABOVE_OVERHEAD:g} times as long or longer"
    )
    return [
        *lines,
        less if taken_off else whole,
        "  ±: how far the points scatter about a straight line; at small sizes smaller terms bend "
        "it, and its slope is not that of the theory",
        "  theory: of large sizes, for multiplications and seconds; in bytes: that of the bytes",
        "  predicted, measured: the peak of the bytes, from the shapes; all that was allocated, "
        "Python's objects too",
    ]


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
    """A whole number, in all its digits: the numbers of a column are comparable."""
    return NOT_KNOWN if count is None else f"{count:,}"


def _find(rows: Sequence[Result], subject: str) -> Result | None:
    return next((row for row in rows if row.subject == subject and row.minimum), None)
