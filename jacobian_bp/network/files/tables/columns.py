"""What each column is: numbers, classes, or what is left out; judged over all of its rows."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ....writing.signs import number, plural, safe
from . import cells as cells_of
from .cells import (
    DASH,
    DATE,
    IN_BRACKETS,
    MONEY_OR_SHARE,
    NOT_FINITE,
    PLAIN,
    WITH_UNIT,
    is_missing,
    is_month_or_day,
    is_number,
)
from .header import Named
from .options import TableOptions, quoted, refuse, some

NUMBER, CLASS, ROW_NUMBER, DATES, TEXT, EMPTY = (
    "number",
    "class",
    "row number",
    "date",
    "text",
    "empty",
)
UNUSED = "unused"  # dropped, or not among the columns that are asked for
MANY = "many texts"  # too many for classes, too few for free text
MOST_CLASSES = 64
FEWEST_ROWS = 10  # that make a first column which counts a row number
FEWEST_COUNTED = 3  # of more rows than that it is told that it may be one
DIGITS_KEPT = 2**53
FEWEST_MONTHS = 3  # different ones, for no number that only looks like them
LONG = 10**5  # from here on a first column of different whole numbers may be codes
MOSTLY_DIFFERENT = 0.9
ID = re.compile(r"(^|[_ .-])(id|no|nr|number|index|key)$", re.IGNORECASE)
ID_WITHIN = re.compile(r"[a-z](Id|ID|No|Nr)$")
CODE = re.compile(
    r"(^|[_ .-])(code|zip|zip ?code|post ?code|plz|phone|ssn|isbn|ean)$", re.IGNORECASE
)


@dataclass(frozen=True, eq=False)
class Column:
    """One column: its cells, what it is, and its numbers where it holds numbers."""

    name: str
    cells: list[str]
    kind: str
    values: np.ndarray | None = None  # NaN where a value is missing
    note: str = ""  # what else is to be said where it is left out
    has_signs: bool = False  # + and - are its classes: there - is no missing value


def judge_columns(
    table: Named,
    tokens: Collection[str],
    options: TableOptions,
    forced: Collection[int],
    unused: Collection[int] = (),
) -> tuple[list[Column], list[str]]:
    """Each column with its kind, and what was assumed of their numerals, in words.

    `forced` are the columns whose values are classes, whatever they look like; what stands in
    those that are `unused` is not looked at.
    """
    seen = [[c for c in column if not is_missing(c, tokens)] for column in table.columns]
    quick = [cells_of.plain_numbers(column) for column in seen]
    numeric = [
        place
        for place, column in enumerate(seen)
        if column
        and place not in unused
        and place not in forced
        and (quick[place] or all(map(is_number, column)))
    ]
    proofs = {p: "" if quick[p] else cells_of.numerals(seen[p]) for p in numeric}
    readings, remarks = _readings(table, proofs, options)
    columns = []
    for place, column in enumerate(table.columns):
        if place in unused:
            columns.append(Column(table.names[place], column, UNUSED))
        elif place in readings:
            plain = quick[place]
            if plain is not None and len(plain) == len(column) and not readings[place]:
                values = np.array(plain)
            else:
                values = _values(column, tokens, readings[place])
            columns.append(_of_numbers(table, place, values, tokens))
        else:
            columns.append(_of_text(table, place, seen[place], tokens, options, forced))
    numbers = [(place, c) for place, c in enumerate(columns) if c.kind == NUMBER]
    codes = [c.name for place, c in numbers if _is_code(c, place, table) or _leading_zeros(c.cells)]
    months = [c.name for place, c in numbers if all(map(is_month_or_day, seen[place]))]
    told = f"{options.way('drop')}, {options.way('category')}"
    if codes:
        remarks.append(f"read as numbers, perhaps codes ({told}): {some(codes)}")
    if months:
        remarks.append(f"read as numbers, perhaps months or days ({told}): {some(months)}")
    signs = [column.name for column in columns if column.has_signs]
    if signs:
        told = options.way("missing_token", DASH)
        remarks.append(f"'-' beside '+' is a class, no missing value ({told}): {some(signs)}")
    return columns, remarks


def _readings(
    table: Named, proofs: dict[int, str], options: TableOptions
) -> tuple[dict[int, str], list[str]]:
    """How the numbers of each column are read; open ones lean on those that prove themselves."""
    proved = set(proofs.values())
    comma = cells_of.COMMA_DECIMAL in proved or cells_of.POINT_THOUSANDS in proved
    thousands = cells_of.COMMA_THOUSANDS in proved
    readings, leaning = {}, []
    for place, proof in proofs.items():
        reading = proof
        if proof == cells_of.CONTRADICTION:
            row = _first(table, place, lambda cell: "," in cell)
            fact = f" {quoted(table.columns[place][row])}: commas and points mean two things here."
            refuse(table.where(row, place), fact, (), "Write the column's numbers in one way.")
        elif proof == cells_of.OPEN:
            reading = _said_of_comma(options) or ""
            if not reading and comma != thousands:
                reading = cells_of.COMMA_DECIMAL if comma else cells_of.COMMA_THOUSANDS
                leaning.append(table.names[place])
            elif not reading:
                _ask_comma(table, place, options)
        elif proof == cells_of.NO_COMMA and comma:
            reading = _points_beside_commas(table, place, options)
        if reading:
            _require_said(table, place, reading, options)
        readings[place] = reading
    remarks = []
    if cells_of.COMMA_DECIMAL in readings.values():
        remarks.append("decimal comma")
    elif cells_of.POINT_THOUSANDS in readings.values():
        remarks.append("a point between thousands, decimal comma")
    if cells_of.COMMA_THOUSANDS in readings.values():
        remarks.append("a comma between thousands")
    if leaning:
        remarks.append(f"commas read as in the other columns: {some(leaning)}")
    return readings, remarks


def _said_of_comma(options: TableOptions) -> str | None:
    if options.decimal == "comma" or options.thousands == "point":
        return cells_of.COMMA_DECIMAL
    if options.thousands == "comma" or options.decimal == "point":
        return cells_of.COMMA_THOUSANDS
    return None


def _ask_comma(table: Named, place: int, options: TableOptions) -> None:
    row = _first(table, place, lambda cell: "," in cell)
    cell = table.columns[place][row]
    refuse(
        table.where(row, place),
        f" {quoted(cell)} can be read in two ways.",
        [
            f"a comma between thousands: {cell.replace(',', '')}",
            f"a decimal comma: {cell.replace(',', '.')}",
        ],
        f"Say {options.way('thousands', 'comma')} or {options.way('decimal', 'comma')}.",
    )


def _points_beside_commas(table: Named, place: int, options: TableOptions) -> str:
    """How a column with points is read in a file whose other columns have decimal commas."""
    points = [cell for cell in table.columns[place] if "." in cell and PLAIN.match(cell)]
    if not points or not all(map(cells_of.POINT_OR_THOUSANDS.match, points)):
        return cells_of.NO_COMMA
    if options.thousands is None:
        row = table.columns[place].index(points[0])
        refuse(
            table.where(row, place),
            f" {quoted(points[0])} beside decimal commas can be read in two ways.",
            [
                f"a point between thousands: {points[0].replace('.', '')}",
                f"a decimal point: {points[0]}",
            ],
            f"Say {options.way('thousands', 'point')} or {options.way('thousands', 'none')}.",
        )
    return cells_of.POINT_THOUSANDS if options.thousands == "point" else cells_of.NO_COMMA


def _require_said(table: Named, place: int, reading: str, options: TableOptions) -> None:
    """SpecError where a column proves another comma than was said."""
    decimal = reading in (cells_of.COMMA_DECIMAL, cells_of.POINT_THOUSANDS)
    said = _said_of_comma(options)
    if said is None or (said == cells_of.COMMA_DECIMAL) == decimal:
        return
    row = _first(table, place, lambda cell: "," in cell)
    option = "decimal" if options.decimal else "thousands"
    is_a = "a decimal comma" if decimal else "a comma between thousands"
    refuse(
        table.where(row, place),
        f" {quoted(table.columns[place][row])} has {is_a}.",
        [f"it was said that it has not: {options.way(option, getattr(options, option))}"],
        "Leave that out, or write the column's numbers in the way that was said.",
    )


def _first(table: Named, place: int, test: object) -> int:
    assert callable(test)
    return next(row for row, cell in enumerate(table.columns[place]) if test(cell))


def _values(cells: Sequence[str], tokens: Collection[str], reading: str) -> np.ndarray:
    return np.array(
        [np.nan if is_missing(c, tokens) else cells_of.value_of(c, reading) for c in cells]
    )


def _of_numbers(table: Named, place: int, values: np.ndarray, tokens: Collection[str]) -> Column:
    """A column of numbers, or the number of each row."""
    cells, name = table.columns[place], table.names[place]
    if np.isinf(values).any():
        row = int(np.argmax(np.isinf(values)))
        fact = f" {quoted(cells[row])} is not a finite number."
        refuse(table.where(row, place), fact, (), "Leave the row out or mend it.")
    nameless = table.unnamed[place] and not all(table.unnamed)
    if _counts(values) and (nameless or (place == 0 and len(values) >= FEWEST_ROWS)):
        note = f" ({number(values[0])}, {number(values[0] + 1)}, …)"
        return Column(name, cells, ROW_NUMBER, values, note)
    seen = {cell for cell in cells if not is_missing(cell, tokens)}
    if len(seen) >= FEWEST_MONTHS and all(map(is_month_or_day, seen)):
        return Column(name, cells, DATES, values, f" ({min(seen)} to {max(seen)})")
    return Column(name, cells, NUMBER, values)


def _of_text(
    table: Named,
    place: int,
    seen: Sequence[str],
    tokens: Collection[str],
    options: TableOptions,
    forced: Collection[int],
) -> Column:
    """A column that is not all numbers: classes, dates, texts, or a stray cell to be mended."""
    cells, name = table.columns[place], table.names[place]
    if not seen:
        return Column(name, cells, EMPTY, None, "")
    has_signs = set(seen) == {"+"} and DASH in cells and DASH not in options.missing_token
    if place in forced or has_signs:
        return Column(name, cells, CLASS, has_signs=has_signs)
    if all(map(DATE.match, seen)):
        return Column(name, cells, DATES, None, f" ({safe(seen[0][:20])}, …)")
    _require_no_unit(table, place, seen, MONEY_OR_SHARE, options)
    _require_no_stray(table, place, seen, tokens, options)
    count = len(set(seen))
    if count <= 2 or (count <= MOST_CLASSES and 2 * count <= len(seen)):
        return Column(name, cells, CLASS)
    _require_no_unit(table, place, seen, WITH_UNIT, options)
    if 2 * count > len(seen):
        return Column(name, cells, TEXT, None, f" ({plural(count, 'text')} in {len(seen)} rows)")
    return Column(name, cells, MANY, None, f"{plural(count, 'text')} in {len(seen)} rows")


def _require_no_unit(
    table: Named, place: int, seen: Sequence[str], unit: re.Pattern[str], options: TableOptions
) -> None:
    """SpecError for numbers with units that differ, or are words, and for those in brackets."""
    told = f"say {options.way('drop', table.names[place])}."
    if all(unit.match(cell) or is_number(cell) for cell in seen):
        row = _first(table, place, unit.match)
        fact = f" {quoted(table.columns[place][row])} is a number with a unit."
        told = f"Write all numbers of the column in one unit and without it, or {told}"
        refuse(table.where(row, place), fact, (), told)
    if all(IN_BRACKETS.match(cell) or is_number(cell) for cell in seen):
        row = _first(table, place, IN_BRACKETS.match)
        cell = table.columns[place][row]
        fact = f" {quoted(cell)} is a number in brackets, as accounts write a negative one."
        refuse(table.where(row, place), fact, (), f"Write {safe('-' + cell[1:-1])}, or {told}")


def _require_no_stray(
    table: Named,
    place: int,
    seen: Sequence[str],
    tokens: Collection[str],
    options: TableOptions,
) -> None:
    """SpecError for words among numbers: they may mean a missing value, or be classes."""
    numbers = sum(map(is_number, seen))
    others = {cell for cell in seen if not is_number(cell)}
    recur = 2 * len(set(seen)) <= len(seen)
    stray = 2 * numbers >= len(seen) and (
        10 * numbers >= 9 * len(seen) or len(others) <= 5 or recur
    )
    if not stray or not numbers:
        return
    cells = table.columns[place]
    row = _first(table, place, lambda c: not is_missing(c, tokens) and not is_number(c))
    if NOT_FINITE.match(cells[row]):
        fact = f" {quoted(cells[row])} is not a finite number."
        refuse(table.where(row, place), fact, (), "Leave the row out or mend it.")
    refuse(
        table.where(row, place),
        f" {quoted(cells[row])} stands among {plural(numbers, 'number')}.",
        [
            f"a missing value: {options.way('missing_token', cells[row][:40])}",
            f"a class, as the numbers are: {options.way('category', table.names[place])}",
        ],
        "Say which, or mend the cell.",
    )


def _counts(values: np.ndarray) -> bool:
    return values[0] in (0, 1) and bool(np.all(np.diff(values) == 1))


def _leading_zeros(cells: Sequence[str]) -> bool:
    return any(len(c) > 1 and c[0] == "0" and c.isascii() and c.isdigit() for c in cells)


def _is_code(column: Column, place: int, table: Named) -> bool:
    """Whether whole numbers may only name their rows: by the column's name, or by themselves."""
    values = column.values
    assert values is not None
    there = values[~np.isnan(values)]
    if not len(there) or (there != np.floor(there)).any():
        return False
    if (np.abs(there) > DIGITS_KEPT).any() and all(c.isdigit() for c in column.cells if c):
        return True
    different = len(np.unique(there))
    if all(table.unnamed):
        if place == 0 and len(there) > FEWEST_COUNTED and _counts(there):
            return True  # too few rows to be sure that it is a row number
        long = place == 0 and there.max() >= LONG and len(there) >= FEWEST_ROWS
        return bool(long and different >= MOSTLY_DIFFERENT * len(there))
    is_id = ID.search(column.name) or ID_WITHIN.search(column.name)
    return bool(CODE.search(column.name) or (is_id and different == len(there)))
