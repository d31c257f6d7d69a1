"""Numbers in other signs than a programmer's: a true minus, blanks between thousands, a currency.

A column is taken so where each of its cells is a number in such signs, and all have one unit.
"""

from collections.abc import Collection
from dataclasses import replace

from ....writing.signs import safe
from .cells import MINUS, UNUSUAL, is_missing, plain_numeral
from .header import Named
from .options import TableOptions, some


def in_plain_numerals(
    table: Named, tokens: Collection[str], options: TableOptions, besides: Collection[int]
) -> tuple[Named, list[str]]:
    """The table with such columns in plain numerals, and in words which they are.

    What stands in the columns `besides` is not looked at.
    """
    columns, minus, gaps, units = list(table.columns), [], [], []
    for place, column in enumerate(table.columns):
        if place in besides or UNUSUAL.isdisjoint("".join(column)):
            continue
        plain = list(column)
        found: set[str] = set()
        for row, cell in enumerate(column):
            if is_missing(cell, tokens):
                continue
            numeral = plain_numeral(cell)
            if numeral is None or len(found | {numeral[1]}) > 1:
                break
            found.add(numeral[1])
            plain[row] = numeral[0]
        else:
            if plain == column:
                continue
            columns[place] = plain
            name, text = table.names[place], "".join(column)
            if not set(MINUS).isdisjoint(text):
                minus.append(name)
            if any(not is_missing(c, tokens) and _is_grouped(c) for c in column):
                gaps.append(name)
            if found != {""}:
                units.append(f"{safe(name)} in {''.join(found)}")
    ways = f"{options.way('category')}, {options.way('drop')}"
    said = []
    if minus:
        said.append(f"− or – before a number read as a minus ({ways}): {some(minus)}")
    if gaps:
        said.append(f"blanks or apostrophes between thousands ({ways}): {some(gaps)}")
    if units:
        said.append(f"numbers without their unit ({ways}): {', '.join(units[:6])}")
    return (replace(table, columns=columns) if said else table), said


def _is_grouped(cell: str) -> bool:
    found = plain_numeral(cell)
    return found is not None and bool(found[2])
