"""Columns as inputs and targets: which is which, what is missing, and classes as zeros and ones."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...numbers.memory import require_memory
from ...writing.signs import did_you_mean, plural, safe
from .table_columns import CLASS, DATES, EMPTY, MANY, NUMBER, ROW_NUMBER, TEXT, Column
from .table_header import Named
from .table_options import TableOptions, quoted, refuse, some

MOST_SHOWN = 6  # columns with missing values, classes of a target
LEFT_OUT = (ROW_NUMBER, DATES, TEXT, EMPTY)


@dataclass(frozen=True, eq=False)
class Parts:
    """Inputs, targets, and what was done to them; arrays that nobody else holds."""

    x: np.ndarray  # (m, i)
    y: np.ndarray  # (m,), or (m, k) of several targets
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...]  # of a target of text, in their order
    rows: tuple[int, ...]  # the lines that were used
    remarks: tuple[str, ...]


def place_of(table: Named, said: str, options: TableOptions, name: str = "target") -> int:
    """The column of a name, of a number from 1, of -1 for the last; SpecError for none."""
    if said in table.names:
        return table.names.index(said)
    count = len(table.names)
    if said == "last":
        return count - 1
    if re.fullmatch(r"-?\d{1,9}", said, re.A):
        if 1 <= int(said) <= count:
            return int(said) - 1
        if -count <= int(said) <= -1:
            return count + int(said)
        refuse(
            table.source,
            f" has no column {said}.",
            [f"Its columns are numbered from 1 to {count}; -1 is the last."],
        )
    twice = [n for n in table.names if n.startswith(f"{said} (column ")]
    if twice:
        told = " or ".join(options.way(name, n) for n in twice[:2])
        refuse(table.source, f" has several columns {quoted(said)}.", (), f"Say {told}.")
    refuse(
        table.source,
        f" has no column {quoted(said)}.{did_you_mean(said, table.names)}",
        [f"Its columns are {some(table.names, 40)}."],
    )


def places_of(table: Named, said: Sequence[str], options: TableOptions, name: str) -> list[int]:
    """The columns of several names, numbers, lists with commas, and ranges such as 2-5."""
    found: list[int] = []
    for text in said:
        parts = [text] if text in table.names or "," not in text else text.split(",")
        for part in map(str.strip, parts):
            span = re.fullmatch(r"(\d{1,9})-(\d{1,9})", part, re.A)
            if span and part not in table.names:
                ends = [place_of(table, end, options, name) for end in span.groups()]
                found += range(ends[0], ends[1] + 1)
            else:
                found.append(place_of(table, part, options, name))
    return list(dict.fromkeys(found))


def unused_columns(table: Named, targets: Sequence[int], options: TableOptions) -> set[int]:
    """The columns that are neither targets nor asked for as inputs."""
    chosen = places_of(table, options.columns, options, "columns")
    unused = set(places_of(table, options.drop, options, "drop"))
    if chosen:
        unused |= set(range(len(table.names))) - set(chosen)
    return unused - set(targets)


def split_roles(
    table: Named,
    columns: Sequence[Column],
    targets: Sequence[int],
    tokens: Collection[str],
    options: TableOptions,
) -> Parts:
    """Inputs and targets of a table whose columns are judged.

        x = (column − mean) / standard deviation

    over all rows that are used, for columns of numbers; a constant one becomes 0. Raises
    SpecError for missing values, unless the options say what to do with them.
    """
    inputs, remarks, columns = _inputs(table, columns, targets, options)
    _require_targets(table, columns, targets, options)
    keep, gaps, said = _missing(table, columns, [*inputs, *targets], targets, tokens, options)
    width = sum(len(set(columns[p].cells)) if columns[p].kind == CLASS else 2 for p in inputs)
    require_memory(
        f"the table of {table.source}", (len(keep), width), 24, "Keep fewer rows or columns."
    )
    x, features, told = _as_numbers(columns, inputs, keep, gaps, options)
    y, classes, of_target = _as_targets(columns, targets, keep, gaps, options)
    return Parts(
        x,
        y,
        tuple(features),
        tuple(columns[place].name for place in targets),
        classes,
        tuple(table.lines[row] for row in np.flatnonzero(keep)),
        (*remarks, *said, *told, *of_target),
    )


def _inputs(
    table: Named, columns: Sequence[Column], targets: Sequence[int], options: TableOptions
) -> tuple[list[int], list[str], list[Column]]:
    """The input columns, what is left out in words, and the columns as they are used now."""
    used = list(columns)
    kept = places_of(table, options.keep, options, "keep")
    dropped = places_of(table, options.drop, options, "drop")
    chosen = places_of(table, options.columns, options, "columns")
    for place in [p for p in (*dropped, *chosen) if p in targets]:
        fact = f" is the target, and cannot be {'dropped' if place in dropped else 'an input too'}."
        refuse(f"{table.source}: column {safe(table.names[place])}", fact, (), "Name another.")
    remarks = []
    for place in {*kept, *chosen}:
        column = used[place]
        if column.kind in (ROW_NUMBER, NUMBER):
            used[place] = replace(column, kind=NUMBER)
        elif column.kind == DATES:
            order = np.arange(len(column.cells), dtype=np.float64)
            used[place] = replace(column, kind=NUMBER, values=order)
            remarks.append(f"{safe(column.name)} as the order of the rows: 0, 1, 2, …")
        elif column.kind in (TEXT, MANY):
            used[place] = replace(column, kind=CLASS)
    unused = unused_columns(table, targets, options)
    wanted = [p for p in chosen or range(len(used)) if p not in targets and p not in unused]
    left = [p for p in wanted if used[p].kind in LEFT_OUT]
    for kind in LEFT_OUT:
        out = [f"{safe(used[p].name)}{used[p].note}" for p in left if used[p].kind == kind]
        if out:
            ways = "" if kind == EMPTY else f" ({options.way('keep')})"
            remarks.append(f"{kind}, left out{ways}: {_listed(out)}")
    if chosen and len(chosen) < len(used) - len(targets):
        remarks.append(f"{len(chosen)} of {len(used) - len(targets)} columns beside the target")
    elif dropped:
        remarks.append(f"left out, as asked: {some([used[p].name for p in dropped])}")
    for place in wanted:
        if used[place].kind == MANY:
            name = used[place].name
            refuse(
                f"{table.source}: column {safe(name)}",
                f" has {used[place].note}: many for classes, few for free text.",
                [
                    f"a class each: {options.way('category', name)}",
                    f"left out: {options.way('drop', name)}",
                ],
                "Say which.",
            )
    inputs = [p for p in wanted if p not in left]
    if not inputs:
        if not left:
            refuse(
                table.source,
                f" has no column beside the target {some([used[p].name for p in targets])}.",
                (),
                "A network needs at least one input column.",
            )
        able = next((p for p in left if used[p].kind != EMPTY), None)
        told = "Choose another target."
        if able is not None:
            told = f"Say {options.way('keep', used[able].name)} to use it all the same."
        refuse(
            table.source,
            ": no input column is left beside the target.",
            [f"left out: {safe(used[p].name)}, a {used[p].kind}{used[p].note}" for p in left[:6]],
            told,
        )
    return inputs, remarks, used


def _require_targets(
    table: Named, columns: Sequence[Column], targets: Sequence[int], options: TableOptions
) -> None:
    for place in targets:
        column = columns[place]
        if column.kind in (EMPTY, DATES):
            fact = "has no value at all" if column.kind == EMPTY else f"holds dates{column.note}"
            told = f"Its columns are {some(table.names, 40)}."
            refuse(f"{table.source}: the target {safe(column.name)}", f" {fact}.", (), told)
        if column.kind in (CLASS, TEXT, MANY) and len(targets) > 1:
            refuse(
                f"{table.source}: the target {safe(column.name)}",
                " holds texts; of several targets each is a column of numbers.",
                (),
                f"Name one target, or number the classes of {safe(column.name)} in the file.",
            )


def _missing(
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
        empty = np.array([cell.lower() in tokens for cell in columns[place].cells])
        values = columns[place].values
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
    counted = f"{plural(cells, 'cell')} in {rows} of {count} rows; {_listed(each)}"
    way = options.way
    if options.missing == "refuse":
        place = next(iter(gaps))
        row = int(np.argmax(gaps[place]))
        ways = [way("missing", "mean"), way("missing", "class")]
        if rows < count:
            ways.insert(0, f"{way('missing', 'drop')} ({plural(count - rows, 'row')} stay)")
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


def _as_numbers(
    columns: Sequence[Column],
    inputs: Sequence[int],
    keep: np.ndarray,
    gaps: dict[int, np.ndarray],
    options: TableOptions,
) -> tuple[np.ndarray, list[str], list[str]]:
    """x, the name of each of its columns, and what was done to them."""
    columns_of_numbers = [place for place in inputs if columns[place].kind == NUMBER]
    numbers, flat = _numbers(columns, columns_of_numbers, keep, gaps, options)
    parts, features, encoded, taken = [], [], [], 0
    for place in inputs:
        column, gap = columns[place], gaps.get(place)
        if column.kind == CLASS:
            zeros_and_ones, names, said = _one_hot(column, keep, gap)
            parts.append(zeros_and_ones)
            features += names
            encoded.append(said)
            continue
        parts.append(numbers[:, taken : taken + 1])
        features.append(column.name)
        taken += 1
        if gap is not None and gap[keep].any() and options.missing == "class":
            parts.append(gap[keep].astype(np.float64)[:, None])
            features.append(f"{column.name} is missing")
    remarks = []
    if taken:
        text = plural(taken, "number column")
        if options.raw:
            text += " as they are, not standardised"
        else:
            text += " standardised to mean 0 and standard deviation 1"
            text += f" ({options.way('raw', True)})"
        constant = [columns[p].name for p, f in zip(columns_of_numbers, flat, strict=True) if f]
        remarks.append(text + (f"; constant, hence 0: {some(constant)}" if constant else ""))
    if encoded:
        count = plural(len(encoded), "text column")
        how = "as 0 and 1, in alphabetical order, not standardised"
        remarks.append(f"{count} {how}: {_listed(encoded, '; ')}")
    return np.hstack(parts), features, remarks


def _numbers(
    columns: Sequence[Column],
    places: Sequence[int],
    keep: np.ndarray,
    gaps: dict[int, np.ndarray],
    options: TableOptions,
) -> tuple[np.ndarray, list[bool]]:
    """The columns of numbers, gaps filled by their means; and which are constant, hence 0."""
    filled = []
    for place in places:
        values, gap = columns[place].values, gaps.get(place)
        assert values is not None
        values = values[keep]
        if gap is not None and gap[keep].any():
            there = values[~gap[keep]]
            values = np.where(gap[keep], there.mean() if len(there) else 0.0, values)
        filled.append(values)
    if not filled:
        return np.empty((int(keep.sum()), 0)), []
    x = np.column_stack(filled)
    return (x, [False] * len(places)) if options.raw else standardised(x)


def standardised(x: np.ndarray) -> tuple[np.ndarray, list[bool]]:
    """Columns of mean 0 and standard deviation 1; and which were constant, hence 0.

    >>> standardised(np.array([[1.0, 7.0], [3.0, 7.0]]))
    (array([[-1.,  0.],
           [ 1.,  0.]]), [False, True])
    """
    flat = x.max(axis=0) == x.min(axis=0)
    x = x / np.where(flat, 1.0, np.abs(x).max(axis=0))  # so that no square overflows
    x = np.where(flat, 0.0, x)
    return (x - x.mean(axis=0)) / np.where(flat, 1.0, x.std(axis=0)), flat.tolist()


def _one_hot(
    column: Column, keep: np.ndarray, gap: np.ndarray | None
) -> tuple[np.ndarray, list[str], str]:
    """A column of 0 and 1 for each class; two classes are told by one column."""
    text, classes = _classes(column, keep, gap)
    name = safe(column.name)
    if len(classes) == 2:
        said = f"{name} 0 = {safe(classes[0])}, 1 = {safe(classes[1])}"
        return (text == classes[1]).astype(np.float64)[:, None], [column.name], said
    said = f"{name} {plural(len(classes), 'class', 'classes')}, {some(classes, 3)}"
    names = [f"{column.name}={each}" for each in classes]
    return (text[:, None] == np.array(classes)).astype(np.float64), names, said


def _classes(
    column: Column, keep: np.ndarray, gap: np.ndarray | None
) -> tuple[np.ndarray, list[str]]:
    """The class of each row, and all of them in their order; a missing value is one too."""
    cells = list(column.cells)
    if gap is not None:
        written = {cells[row] for row in np.flatnonzero(gap)}
        name = written.pop() if len(written) == 1 and written != {""} else "missing"
        name = name if name not in {c for c, g in zip(cells, gap, strict=True) if not g} else "—"
        cells = [name if empty else cell for cell, empty in zip(cells, gap, strict=True)]
    text = np.array(cells, dtype=object)[keep]
    return text, in_order(set(text.tolist()))


def in_order(classes: Collection[str]) -> list[str]:
    """Classes in alphabetical order, or by size where all are whole numbers.

    >>> in_order({"b", "a"}), in_order({"10", "9"})
    (['a', 'b'], ['9', '10'])
    """
    if all(re.fullmatch(r"[+-]?\d{1,15}", each, re.A) for each in classes):
        return sorted(classes, key=lambda each: (int(each), each))
    return sorted(classes)


def _as_targets(
    columns: Sequence[Column],
    targets: Sequence[int],
    keep: np.ndarray,
    gaps: dict[int, np.ndarray],
    options: TableOptions,
) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """y, the classes of a target of text, and what is said of it."""
    first = columns[targets[0]]
    if first.kind in (CLASS, TEXT, MANY):
        gap = gaps.get(targets[0])
        text, classes = _classes(first, keep, gap)
        index = {each: place for place, each in enumerate(classes)}
        y = np.array([index[each] for each in text.tolist()], dtype=np.int64)
        return y, tuple(classes), [said_of_classes(first.name, classes, y)]
    values = [columns[place].values for place in targets]
    y = np.column_stack([v for v in values if v is not None])[keep]
    names = some([columns[place].name for place in targets])
    if len(targets) > 1:
        return y, (), [f"{len(targets)} target columns as they are: {names}"]
    return y[:, 0].copy(), (), [f"target {titled(first.name)} as it is"]


def titled(name: str) -> str:
    """A column's name with the word in front, unless it says so itself."""
    return safe(name) if re.fullmatch(r"column \d+", name) else f"column {safe(name)}"


def said_of_classes(name: str, classes: Sequence[str], y: np.ndarray) -> str:
    """Which number stands for which class, and how many rows have it."""
    counts = np.bincount(y, minlength=len(classes)).tolist()
    each = [
        f"{place} = {safe(shown[:40])} ({plural(count, 'row')})"
        for place, (shown, count) in enumerate(zip(classes, counts, strict=True))
    ]
    if len(each) > MOST_SHOWN:
        each = [*each[: MOST_SHOWN // 2], "…", each[-1]]
    return f"target {titled(name)}, {plural(len(classes), 'class', 'classes')}: {', '.join(each)}"


def _listed(words: Sequence[str], gap: str = ", ") -> str:
    more = [f"… ({len(words)} in all)"] if len(words) > MOST_SHOWN else []
    return gap.join([*words[:MOST_SHOWN], *more])
