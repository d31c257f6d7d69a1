"""Missing values: refused with their counts, unless it is said what becomes of them."""

from collections.abc import Collection, Sequence

import numpy as np

from ....writing.signs import plural
from .cells import DASH
from .columns import NUMBER, Column
from .encoding import titled
from .header import Named
from .options import TableOptions, few, quoted, refuse


def settle_missing(
    table: Named,
    columns: Sequence[Column],
    used: Sequence[int],
    targets: Sequence[int],
    tokens: Collection[str],
    options: TableOptions,
) -> tuple[np.ndarray, dict[int, np.ndarray], list[str]]:
    """Which rows are used, where each column has no value, and what was done, in words."""
    count = len(table.lines)
    gaps = {}
    for place in used:
        column = columns[place]
        own = {*tokens} - {DASH} if column.has_signs else tokens
        empty = np.array([cell.lower() in own for cell in column.cells])
        values = column.values
        if values is not None:
            empty &= np.isnan(values)
        if empty.any():
            gaps[place] = empty
    keep = np.ones(count, dtype=bool)
    if not gaps:
        return keep, gaps, []
    without = np.any([*gaps.values()], axis=0)
    rows, cells = int(without.sum()), sum(int(gap.sum()) for gap in gaps.values())
    each = [f"{titled(columns[p].name)}: {int(gap.sum())}" for p, gap in gaps.items()]
    counted = f"{plural(cells, 'cell')} in {rows} of {count} rows; {few(each)}"
    way = options.way
    if options.missing == "refuse":
        place = next(iter(gaps))
        row = int(np.argmax(gaps[place]))
        ways = [way("missing", "mean"), way("missing", "class")]
        if rows < count:
            ways.insert(
                0, f"{way('missing', 'drop')} ({plural(count - rows, 'row stays', 'rows stay')})"
            )
        if place not in targets and len(used) - len(targets) > 1:
            ways.append(way("drop", columns[place].name))
        refuse(
            table.where(row, place),
            f" {quoted(columns[place].cells[row])} is a missing value; nothing is guessed.",
            [counted],
            f"Say {', '.join(ways[:-1])} or {ways[-1]}.",
        )
    if options.missing == "drop":
        keep = ~without
        said = f"missing: {counted}; these rows left out, {int(keep.sum())} stay"
    else:
        for place in targets:
            if place in gaps and (columns[place].kind == NUMBER or options.missing == "mean"):
                keep &= ~gaps[place]
        said = f"missing: {counted}; {_filled(columns, gaps, targets, options)}"
        if not keep.all():
            said += f"; {plural(int((~keep).sum()), 'row')} without a target left out"
    if not keep.any():
        refuse(
            f"{table.source}:",
            " every row has a missing value.",
            [counted],
            f"Say {way('missing', 'mean')}, or {way('drop', 'COLUMN')} for the emptiest columns.",
        )
    return keep, gaps, [said]


def _filled(
    columns: Sequence[Column],
    gaps: dict[int, np.ndarray],
    targets: Sequence[int],
    options: TableOptions,
) -> str:
    """How the gaps of the inputs are filled."""
    kinds = {columns[place].kind == NUMBER for place in gaps if place not in targets}
    words = []
    if True in kinds:
        words.append("numbers filled by their column's mean")
        if options.missing == "class":
            words[-1] += ", with a column of 0 and 1 that tells where"
    if False in kinds or (options.missing == "class" and any(p in targets for p in gaps)):
        words.append("in columns of classes a class of their own")
    return ", ".join(words) or "no input is missing"
