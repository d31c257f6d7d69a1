"""Columns as a reader names them: by name, by number from 1, from the end, as a span."""

import re
from collections.abc import Mapping, Sequence

from ....writing.signs import did_you_mean
from .header import Named
from .options import TableOptions, quoted, refuse, some


def _place_of(
    table: Named, places: Mapping[str, int], said: str, options: TableOptions, name: str
) -> int:
    """The column of a name, of a number from 1, of -1 for the last; SpecError for none."""
    if said in places:
        return places[said]
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
    places = {name: place for place, name in enumerate(table.names)} if said else {}
    found: list[int] = []
    for text in said:
        parts = [text] if text in places or "," not in text else text.split(",")
        for part in map(str.strip, parts):
            span = re.fullmatch(r"(\d{1,9})-(\d{1,9})", part, re.A)
            if span and part not in places:
                ends = [_place_of(table, places, end, options, name) for end in span.groups()]
                found += range(ends[0], ends[1] + 1)
            else:
                found.append(_place_of(table, places, part, options, name))
    return list(dict.fromkeys(found))


def unused_columns(table: Named, targets: Sequence[int], options: TableOptions) -> set[int]:
    """The columns that are neither targets nor asked for as inputs."""
    chosen = places_of(table, options.columns, options, "columns")
    unused = set(places_of(table, options.drop, options, "drop"))
    if chosen:
        unused |= set(range(len(table.names))) - set(chosen)
    return unused - set(targets)
