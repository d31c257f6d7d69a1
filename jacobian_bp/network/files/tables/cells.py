"""What one cell can be: missing, a number, a date; and which numerals a column proves.

A comma may stand before decimals or between thousands. Most columns prove which: 1,5 and
0,25 can only be decimals, 1,234,567 and 1,234.5 only thousands; 1,234 alone is open.
"""

import re
from calendar import monthrange
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
    r"|\d{8}T\d{4}(\d\d)?"
    r"|\d{1,2}[:.]\d\d[:.]\d\d)\Z",
    re.A,
)
MONTH_OR_DAY = re.compile(r"((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])?\Z", re.A)
MINUS = "\u2212\u2013"  # the minus sign, and the dash that is typed for it
BLANKS = " \u00a0\u2009\u202f"
APOSTROPHES = "'\u2019"
BEFORE, BEHIND = "$€£¥₹", "%‰$€£¥₹"
UNUSUAL = frozenset(MINUS + BLANKS + APOSTROPHES + BEFORE + BEHIND)
WRITTEN = re.compile(
    rf"([+-]?)[{BLANKS}]?([{BEFORE}]?)[{BLANKS}]?([+-]?)(\d.*?|[.,]\d.*?)[{BLANKS}]?([{BEHIND}]?)\Z",
    re.A | re.DOTALL,
)
GROUPED = re.compile(
    rf"[1-9]\d{{0,2}}([{BLANKS}{APOSTROPHES}])\d{{3}}(\1\d{{3}})*([.,]\d+)?\Z", re.A
)
NUMERAL = rf"[+\-{MINUS}]?\s?[\d.,{BLANKS}{APOSTROPHES}]*\d[.,]?"
MONEY_OR_SHARE = re.compile(
    rf"[+\-{MINUS}]?\s?[{BEFORE}]\s?{NUMERAL}\Z|{NUMERAL}\s?[{BEHIND}]\Z", re.A
)
WITH_UNIT = re.compile(rf"[A-Z]{{3}}\s{NUMERAL}\Z|{NUMERAL}\s?[^\W\d_][^\d\s]{{0,5}}\Z")
IN_BRACKETS = re.compile(r"\([\d.,]+\)\Z", re.A)
NOT_FINITE = re.compile(r"[+-]?(inf|infinity)\Z", re.IGNORECASE | re.A)
DIGITS = set("0123456789.+-eE")
DASH = "-"
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", DASH, "\u2013", "\u2014"}

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


def is_month_or_day(cell: str) -> bool:
    """Whether digits are a month or a day, 202103 or 20210305, of the years 1900 to 2099.

    >>> [is_month_or_day(cell) for cell in ("202103", "20210305", "202113", "20210230", "2021")]
    [True, True, False, False, False]
    """
    found = MONTH_OR_DAY.match(cell)
    if not found:
        return False
    year, month, day = int(found[1]), int(found[2]), int(found[3] or 1)
    return day <= monthrange(year, month)[1]


def plain_numeral(cell: str) -> tuple[str, str, str] | None:
    """A number in signs that every reader of numbers takes, its unit, and what groups its digits.

    >>> plain_numeral("\u22121 234,5"), plain_numeral("-$7.50"), plain_numeral("3 km")
    (('-1234,5', '', ' '), ('-7.50', '$', ''), None)
    """
    for sign in MINUS:
        cell = cell.replace(sign, "-")
    found = WRITTEN.match(cell)
    if not found:
        return None
    first, currency, second, digits, behind = found.groups()
    if (first and second) or (currency and behind):
        return None
    grouped = GROUPED.match(digits)
    if grouped:
        digits = digits.replace(grouped[1], "")
    numeral = first + second + digits
    return (
        (numeral, currency + behind, grouped[1] if grouped else "") if is_number(numeral) else None
    )


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
