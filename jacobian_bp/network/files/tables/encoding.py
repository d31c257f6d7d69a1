"""Columns as numbers: standardised, classes as zeros and ones, targets as class numbers."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from ....errors import DomainError
from ....writing.signs import number, plural, safe
from .columns import CLASS, MANY, NUMBER, TEXT, Column
from .options import TableOptions, few, some

MOST_SHOWN = 6  # classes of a target


def as_numbers(
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
        remarks.append(f"{count} {how} ({options.way('drop')}): {few(encoded, '; ')}")
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
        said = f"{name} 0 = {safe(classes[0])}, 1 = {safe(classes[1])}{_alike(classes)}"
        return (text == classes[1]).astype(np.float64)[:, None], [column.name], said
    said = f"{name} {plural(len(classes), 'class', 'classes')}, {some(classes, 3)}{_alike(classes)}"
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


def as_targets(
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
    same = f", {number(y[0, 0], 17)} in every row" if len(y) > 1 and np.ptp(y) == 0 else ""
    return y[:, 0].copy(), (), [f"target {titled(first.name)} as it is{same}"]


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
    alone = ""
    if len(each) > MOST_SHOWN:
        each = [*each[: MOST_SHOWN // 2], "…", each[-1]]
        alone = f"; {counts.count(1)} of them in 1 row each" if 1 in counts else ""
    told = f"target {titled(name)}, {plural(len(classes), 'class', 'classes')}: {', '.join(each)}"
    return told + alone + _alike(classes)


def _alike(classes: Sequence[str]) -> str:
    """What is said of classes that differ in capitals alone."""
    counted = Counter(each.casefold() for each in classes)
    alike = [each for each in classes if counted[each.casefold()] > 1]
    return f"; they differ in capitals alone: {some(alike, 4)}" if alike else ""


def class_indices(y: np.ndarray, name: str) -> np.ndarray:
    """A target column as whole-number class indices, or DomainError with the row."""
    wrong = y != np.floor(y)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise DomainError(
            f"{safe(name)} is {number(y[row])} in data row {row}; "
            "cross-entropy takes classes numbered 0, 1, 2, ….\n"
            "  Number the classes; a regression has the loss squared_error."
        )
    return y.astype(np.int64)
