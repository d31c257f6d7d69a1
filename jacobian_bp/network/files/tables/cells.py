"""What one cell can be: missing, a number, a date; and which numerals a column proves.

A comma may stand before decimals or between thousands. Most columns prove which: 1,5 and
0,25 can only be decimals, 1,234,567 and 1,234.5 only thousands; 1,234 alone is open.
"""

import re
from collections.abc import Collection, Sequence

PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.A)
DECIMAL_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?\Z", re.A)
THOUSANDS_COMMA = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?\Z", re.A)
THOUSANDS_POINT = re.compile(r"[+-]?[1-9]\d{0,2}((\.\d{3}){2,}|(\.\d{3})+,\d+)\Z", re.A)
POINT_OR_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}\Z", re.A)
DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([ T]\d{1,2}:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}( \d{1,2}:\d\d(:\d\d)?)?"
    r"|\d{1,2}[-/ ][A-Za-z]{3,9}[-/ ]\d{4}"
    r"|\d{1,2}[:.]\d\d[:.]\d\d)\Z",
    re.A,
)
WITH_UNIT = re.compile(r"[$€£]\s?[\d.,]+\Z|[\d.,]+\s?[%$€£]\Z", re.A)
NOT_FINITE = re.compile(r"[+-]?(inf|infinity)\Z", re.IGNORECASE | re.A)
DIGITS = set("0123456789.+-eE")
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}

# what a column proves of its numerals
NO_COMMA, COMMA_DECIMAL, COMMA_THOUSANDS, POINT_THOUSANDS = "", "decimal", "thousands", "point"
OPEN, CONTRADICTION = "open", "contradiction"


def is_missing(cell: str, tokens: Collection[str]) -> bool:
    """Whether a cell says that there is no value."""
    return cell.lower() in tokens


def is_number(cell: str) -> bool:
    """Whether a cell is a number in some way of writing.

    >>> [is_number(cell) for cell in ("-.5e3", "1,5", "1,234.5", "1.234,5", "1_0", "nan", "1,5,2")]
    [True, True, True, True, False, False, False]
    """
    return any(way.match(cell) for way in (PLAIN, DECIMAL_COMMA, THOUSANDS_COMMA, THOUSANDS_POINT))


def plain_numbers(cells: Sequence[str]) -> list[float] | None:
    """The numbers of a column in which nothing else stands, found without looking at each cell."""
    if not DIGITS.issuperset("".join(cells)):
        return None
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def numerals(cells: Sequence[str]) -> str:
    """What numbers of one column prove of their commas and points.

    >>> [numerals(cells) for cells in (["1", "2.5"], ["1,5", "2"], ["1,234", "7.5"], ["1.234,5"])]
    ['', 'decimal', 'thousands', 'point']
    >>> numerals(["1,234", "12"]), numerals(["1,5", "2.5"])
    ('open', 'contradiction')
    """
    odd = [cell for cell in cells if not PLAIN.match(cell)]
    if not odd:
        return NO_COMMA
    points = [cell for cell in cells if "." in cell and PLAIN.match(cell)]
    decimal = any(DECIMAL_COMMA.match(c) and not THOUSANDS_COMMA.match(c) for c in odd)
    thousands = any(THOUSANDS_COMMA.match(c) and not DECIMAL_COMMA.match(c) for c in odd)
    if any(THOUSANDS_POINT.match(cell) for cell in odd):
        apart = [cell for cell in points if not POINT_OR_THOUSANDS.match(cell)]
        return CONTRADICTION if thousands or apart else POINT_THOUSANDS
    if decimal:
        return CONTRADICTION if thousands or points else COMMA_DECIMAL
    return COMMA_THOUSANDS if thousands or points else OPEN


def value_of(cell: str, reading: str) -> float:
    """The number in a cell, its comma and point read in one way."""
    if reading == COMMA_DECIMAL:
        return float(cell.replace(",", "."))
    if reading == COMMA_THOUSANDS:
        return float(cell.replace(",", ""))
    if reading == POINT_THOUSANDS:
        return float(cell.replace(".", "").replace(",", "."))
    return float(cell)
