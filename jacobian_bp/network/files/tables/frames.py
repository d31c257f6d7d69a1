"""A data frame as named columns of cells, by what it can do: neither pandas nor polars is needed.

Its cells go through the same rules as the cells of a file.
"""

from collections import Counter
from datetime import date, time
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from ....writing.signs import safe, with_article
from .header import Named
from .options import quoted, refuse

SOURCE = "the data frame"
MOST_CELLS = 10_000_000


def is_frame(source: Any) -> bool:
    """Whether columns can be asked for by name, as in pandas and polars."""
    can_be_asked = any(hasattr(source, name) for name in ("iloc", "get_column"))
    return can_be_asked and hasattr(source, "columns")


def named_columns(frame: Any) -> Named:
    """The columns of a frame, each cell as the text that a file would hold.

    Raises SpecError for two columns of one name, and for what is neither text nor number.
    """
    keys = list(frame.columns)
    names = [str(key).strip() for key in keys]
    for name, times in Counter(names).items():
        if times > 1:
            fact = f" has two columns with the name {quoted(name)}."
            refuse(SOURCE, fact, (), "Give each column a name of its own.")
    count = len(frame)
    if not count:
        refuse(SOURCE, " has no rows.", (), "Give it one row for each example.")
    if count * len(names) > MOST_CELLS:
        fact = f" has {count * len(names):,} cells; at most {MOST_CELLS:,} are read."
        refuse(SOURCE, fact, (), "Give fewer rows or columns.")
    columns = []
    for key, name in zip(keys, names, strict=True):
        columns.append([_cell(v, name, row) for row, v in enumerate(frame[key].to_list())])
    remarks = []
    index = getattr(frame, "index", None)
    if index is not None and list(index) != list(range(count)):
        remarks.append("its index is not used")
    return Named(SOURCE, names, [False] * len(names), columns, [*range(count)], remarks, "row")


def _cell(value: Any, name: str, row: int) -> str:
    """A value as the text that stands for it in a file; nothing, where there is none."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return str(bool(value))
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real | Decimal):
        return "" if value != value else repr(float(value))
    if isinstance(value, date | time):
        return value.isoformat().replace("T", " ")
    kind = safe(type(value).__name__)
    refuse(
        f"{SOURCE}, row {row}, column {safe(name)}:",
        f" {with_article(kind)} is neither a number nor a text.",
        (),
        "Leave the column out, or turn it into numbers.",
    )
