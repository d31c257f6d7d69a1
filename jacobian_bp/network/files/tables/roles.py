"""Columns as inputs and targets: which is which, and what is left out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ....numbers.memory import require_memory
from ....writing.signs import safe
from .cells import is_missing
from .columns import CLASS, DATES, EMPTY, MANY, NUMBER, ROW_NUMBER, TEXT, Column
from .encoding import as_numbers, as_targets
from .header import Named
from .missing import settle_missing
from .options import TableOptions, few, refuse, some
from .places import places_of, unused_columns

FEWEST_TEXTS = 5  # that all differ, of a target that is taken for no classes
MOST_CLASSES = 1000  # of a target of which nobody said that its texts are classes
LEFT_OUT = (ROW_NUMBER, DATES, TEXT, EMPTY)
SAID = {ROW_NUMBER: "a row number", DATES: "a date", TEXT: "a text", EMPTY: "without any value"}


@dataclass(frozen=True, eq=False)
class Parts:
    """Inputs, targets, and what was done to them; arrays that nobody else holds."""

    x: np.ndarray  # (m, i)
    y: np.ndarray  # (m,), or (m, k) of several targets
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...]  # of a target of text, in their order
    remarks: tuple[str, ...]


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
    _require_targets(table, columns, targets, tokens, options)
    keep, gaps, said = settle_missing(table, columns, [*inputs, *targets], targets, tokens, options)
    width = sum(len(set(columns[p].cells)) if columns[p].kind == CLASS else 2 for p in inputs)
    require_memory(
        f"the table of {table.source}", (len(keep), width), 24, "Keep fewer rows or columns."
    )
    x, features, told = as_numbers(columns, inputs, keep, gaps, options)
    y, classes, of_target = as_targets(columns, targets, keep, gaps, options)
    return Parts(
        x,
        y,
        tuple(features),
        tuple(columns[place].name for place in targets),
        classes,
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
    for place in targets:  # digits of a date are the numbers that are asked for
        if used[place].kind == DATES and used[place].values is not None:
            used[place] = replace(used[place], kind=NUMBER)
    for place in sorted({*kept, *chosen}):
        column = used[place]
        if column.kind in (ROW_NUMBER, NUMBER):
            used[place] = replace(column, kind=NUMBER)
        elif column.kind == DATES and column.values is not None:
            used[place] = replace(column, kind=NUMBER)
            remarks.append(f"{safe(column.name)} as the numbers that its digits are")
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
            remarks.append(f"{kind}, left out{ways}: {few(out)}")
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
            [
                f"left out: {safe(used[p].name)}, {SAID[used[p].kind]}{used[p].note}"
                for p in left[:6]
            ],
            told,
        )
    return inputs, remarks, used


def _require_targets(
    table: Named,
    columns: Sequence[Column],
    targets: Sequence[int],
    tokens: Collection[str],
    options: TableOptions,
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
        if column.kind in (TEXT, MANY):
            _require_classes(table, column, tokens, options)


def _require_classes(
    table: Named, column: Column, tokens: Collection[str], options: TableOptions
) -> None:
    """SpecError for a target of texts of which none comes twice, or which are very many."""
    seen = [cell for cell in column.cells if not is_missing(cell, tokens)]
    count = len(set(seen))
    if FEWEST_TEXTS <= count == len(seen):
        fact = f" is another text in each of {count:,} rows, so no class comes twice."
    elif count > MOST_CLASSES:
        fact = f" has {count:,} texts in {len(seen):,} rows: many for classes."
    else:
        return
    refuse(
        f"{table.source}: the target {safe(column.name)}",
        fact,
        [f"a class each: {options.way('category', column.name)}"],
        f"Choose another target: its columns are {some(table.names, 40)}.",
    )
