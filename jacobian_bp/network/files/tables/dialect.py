"""Text as rows of cells: which sign separates them, which quotes them, how many there are."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from ....errors import SpecError
from ....numbers.memory import require_memory
from ....writing.signs import plural, safe
from .cells import MISSING, PLAIN, is_number
from .options import DELIMITERS, TableOptions, quoted, refuse, some

SAMPLE = 200  # lines that are looked at for the delimiter
MOST_COLUMNS = 20_000
BYTES_A_CELL = 100
MOSTLY = 0.8  # of the lines have one width
A_STRAY_FEW = 0.02  # of the cells may hold another delimiter
ALL_BUT_STRAY = 1 - A_STRAY_FEW
SPACE = DELIMITERS["space"]
NAMES = {sign: name for name, sign in DELIMITERS.items()}
WORD = re.compile(r'"((?:[^"]|"")*)"|([^ \t\f\v]+)')
COMMENTS = re.compile(r"(?:\s*[#%][^\r\n]*(?:\r\n|\r|\n))+")
SPARSE = re.compile(r"\d{1,9}:[+-]?[\d.]+([eE][+-]?\d+)?\Z", re.A)

Rows = list[tuple[int, list[str]]]  # each with the line that it begins in


@dataclass(frozen=True, eq=False)
class Grid:
    """Rows of one width, and what was assumed to get them, in words."""

    source: str
    rows: Rows
    remarks: list[str] = field(default_factory=list)


def split_rows(source: str, text: str, options: TableOptions) -> Grid:
    """The rows of a table; SpecError where the lines cannot be split, or can be in two ways."""
    if options.skip:
        parts = text.split("\n", options.skip)
        text = "\n" * options.skip + (parts[-1] if len(parts) > options.skip else "")
    if not text.strip():
        refuse(source, " is empty.", (), "Write a header line and one line for each example.")
    sign = DELIMITERS[options.delimiter] if options.delimiter else None
    declared = re.match(r"sep=(.)\r?\n", text)
    if declared and sign is None:
        sign, text = declared[1], text[declared.end() - 1 :]
    text, comments = _without_comments(text)
    remarks = []
    if sign is None:
        sign = _delimiter(source, text, options)
        if sign != ",":
            remarks.append(f"columns separated by {NAMES[sign]} ({options.way('delimiter')})")
    cells = text.count(sign) + text.count("\n") + 1
    require_memory(
        f"the grid of cells of {source}",
        (cells,),
        BYTES_A_CELL,
        "Keep fewer rows or columns of the file.",
    )
    rows = _rows(source, text, sign)
    if '"' not in text and _quoted_by_apostrophes(rows):
        rows = _rows(source, text, sign, "'")
        remarks.append("cells quoted by '")
    if comments:
        rows, said = _names_in(comments, rows, sign, options)
        remarks.append(said)
    _require_dense(source, rows)
    width = Counter(len(row) for _, row in rows).most_common(1)[0][0]
    if not (options.columns or options.drop):
        require_few(f"{source}, line {rows[0][0]}", width, options)
    rows, dropped = _without_empty_end(rows, width)
    if dropped:
        remarks.append(f"{plural(dropped, 'empty column')} at the end of the lines left out")
    rows = _of_one_width(source, rows, width - dropped, options)
    return Grid(source, rows, remarks)


def _without_comments(text: str) -> tuple[str, list[str]]:
    """The text, lines above the table that begin with # or % made blank; and those lines."""
    above = COMMENTS.match(text)
    if not above or not text[above.end() :].strip():
        return text, []
    lines = re.split(r"\r\n|\r|\n", above[0])[:-1]
    comments = [line for line in lines if line.strip()]
    return "\n" * len(lines) + text[above.end() :], comments


def _names_in(
    comments: Sequence[str], rows: Rows, sign: str, options: TableOptions
) -> tuple[Rows, str]:
    """The rows, with the names that the last comment has, if it has them; and what was done.

    They are names where the comment has one for each column, and no names stand below it.
    """
    count = plural(len(comments), "comment line")
    said = f"{count} above the table left out"
    last = comments[-1].strip()
    text = last if last[1:].startswith(sign) and sign != SPACE else last.lstrip("#% ")
    cells = text.split()
    if sign != SPACE:
        cells = [cell.strip() for cell in next(csv.reader([text], delimiter=sign))]
    width = Counter(len(row) for _, row in rows).most_common(1)[0][0]
    named = any(map(is_number, rows[0][1])) or len(rows) < 2 or not any(map(is_number, rows[1][1]))
    if options.header is False or not named or width < 2 or len(cells) != width or not all(cells):
        return rows, said
    line = max(rows[0][0] - 1, 1)
    said = f"names behind the {last[0]} of line {line}"
    if len(comments) > 1:
        said = f"{plural(len(comments) - 1, 'comment line')} above the table left out; {said}"
    return [(line, cells), *rows], said


def _require_dense(source: str, rows: Rows) -> None:
    """SpecError for rows that name their columns, label 1:0.5 7:2, as LIBSVM writes them."""
    entries = [cell for _, row in rows[:SAMPLE] for cell in row[1:]]
    if len(entries) < 2 or not all(map(SPARSE.match, entries)):
        return
    for _, row in rows[:SAMPLE]:
        places = [int(cell.partition(":")[0]) for cell in row[1:]]
        if any(second <= first for first, second in pairwise(places)):
            return
    line, row = rows[0]
    fact = f" {quoted(row[-1])} is an entry with its column, as sparse tables have them."
    refuse(f"{source}, line {line}:", fact, (), "Write a cell for each column, zeros too.")


def require_few(where: str, width: int, options: TableOptions, more: str = "") -> None:
    """SpecError for a table of which more columns are used than are looked at one by one."""
    if width > MOST_COLUMNS:
        told = f"Say {options.way('columns', 'NAME')} for the inputs, or keep fewer columns."
        refuse(where, f" has {width:,} columns{more}; at most {MOST_COLUMNS:,} are used.", (), told)


def _rows(
    source: str, text: str, delimiter: str, quote: str = '"', most: int | None = None
) -> Rows:
    """Every line that is not blank, as cells without blanks around them."""
    if delimiter == SPACE and quote == '"':
        lines = enumerate(re.split(r"\r\n|\r|\n", text), 1)
        found = ((n, [a or b for a, b in WORD.findall(line)]) for n, line in lines if line.strip())
        return list(islice(found, most))
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        skipinitialspace=True,
        strict=True,
    )
    rows: Rows = []
    begun = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((begun, [cell.strip() for cell in row]))
                if most and len(rows) >= most:
                    break
            begun = reader.line_num + 1
    except csv.Error as error:
        longer = "field larger" in str(error)
        if longer and quote not in text:
            fact = f"a cell has more than {csv.field_size_limit():,} characters"
            refuse(f"{source}, line {begun}:", f" {fact}.", (), "Shorten it, or leave it out.")
        open_end = longer or "end of data" in str(error)
        fact = "a quote is opened and never closed" if open_end else str(error)
        told = "Close the quote; one that belongs to the text is written twice."
        refuse(f"{source}, line {begun}:", f" {fact}.", (), told)
    return rows


def _delimiter(source: str, text: str, options: TableOptions) -> str:
    """The sign that gives rows of one width whose cells hold no other sign."""
    begun = text.lstrip("\r\n")  # behind lines that are skipped
    head = "".join(islice(io.StringIO(begun, newline=""), SAMPLE))
    if head != begun and head.count('"') % 2:  # do not end within a quoted cell
        head = head[: head.rfind("\n", 0, head.rfind('"')) + 1] or head
    fits, torn, nearly, even = [], None, (0.0, SPACE), False
    for sign in ",;\t|":
        if sign not in head:
            continue
        try:
            rows = _rows(source, head, sign)
        except SpecError as error:  # a wrong sign tears quoted cells apart
            torn = torn or error
            continue
        share, width = _width(rows)
        if width > 1 and share >= MOSTLY:
            fits.append((_wholeness(rows, sign), width, sign))
            even |= share == 1
        elif width > 1:
            nearly = max(nearly, (share, sign))
    fits.sort(reverse=True)
    if not fits or fits[0][0] < ALL_BUT_STRAY or not even:
        share, width = _width(_rows(source, head, SPACE))
        if width > 1 and share >= MOSTLY and share > nearly[0] and (share == 1 or not fits):
            return SPACE
    if not fits:
        if torn:
            raise torn
        return nearly[1]  # uneven there, and refused there
    equal = [fit for fit in fits if fit[0] > fits[0][0] - A_STRAY_FEW]
    if len(equal) > 1:
        readings = []
        for _, width, sign in equal[:2]:
            first = _rows(source, head, sign, most=1)[0][1]
            readings.append(f"by {NAMES[sign]}: {width} columns, the first line {some(first, 4)}")
        told = " or ".join(options.way("delimiter", NAMES[sign]) for _, _, sign in equal[:2])
        refuse(source, ": its lines can be split in two ways.", readings, f"Say {told}.")
    return fits[0][2]


def _width(rows: Rows) -> tuple[float, int]:
    """The share of the rows that have the commonest width, and that width."""
    if not rows:
        return 0.0, 0
    width, count = Counter(len(row) for _, row in rows).most_common(1)[0]
    return count / len(rows), width


def _wholeness(rows: Rows, delimiter: str) -> float:
    """The share of the cells that no other sign would split."""
    others = set(",;\t|") - {delimiter}
    cells = [cell for _, row in rows for cell in row]
    whole = sum(is_number(c) or not (others & set(c) or _many_numbers(c)) for c in cells)
    return whole / len(cells)


def _many_numbers(cell: str) -> bool:
    parts = cell.split()
    return len(parts) > 1 and all(PLAIN.match(part) or part == "?" for part in parts)


def _quoted_by_apostrophes(rows: Rows) -> bool:
    """Whether in some column each cell stands between apostrophes."""

    def is_quoted(cell: str) -> bool:
        return len(cell) > 1 and cell[0] == cell[-1] == "'"

    for place in range(min(len(row) for _, row in rows[:SAMPLE])):
        column = [row[place] for _, row in rows if place < len(row)]
        said = [cell for cell in column if cell.lower() not in MISSING]
        if said and all(map(is_quoted, said)):
            return True
    return False


def _without_empty_end(rows: Rows, width: int) -> tuple[Rows, int]:
    """The rows without columns at their end in which nothing stands; how many those are."""
    filled = max((_filled(row) for _, row in rows if len(row) == width), default=width)
    filled = max(filled, max((len(row) for _, row in rows if len(row) < width), default=0), 1)
    if filled >= width or any(len(row) > width and _filled(row) > filled for _, row in rows):
        return rows, 0
    return [(line, row[:filled]) for line, row in rows], width - filled


def _filled(row: Sequence[str]) -> int:
    """How many cells there are up to the last that holds something."""
    count = len(row)
    while count and not row[count - 1]:
        count -= 1
    return count


def _of_one_width(source: str, rows: Rows, width: int, options: TableOptions) -> Rows:
    """The rows, all of one width; SpecError with the first that has another.

    R writes no name above its row names: the first line may be one name short.
    """
    short = len(rows) > 1 and len(rows[0][1]) == width - 1
    for line, row in rows[short:]:
        if len(row) != width:
            usual = sum(len(other) == width for _, other in rows)
            told = "Give every row one cell for each column."
            if line == rows[0][0]:
                told = f"Say {options.way('skip', line)} if titles stand above the table."
            refuse(
                f"{source}, line {line}:",
                " the row is ragged.",
                [
                    f"{usual} of {len(rows)} lines have {plural(width, 'column')}",
                    f"line {line} has {len(row)}: {some([quoted(c) for c in row], 3)}",
                ],
                told,
            )
    if not short:
        return rows
    first = [row[0] for _, row in rows[1:]]
    if len(set(first)) < len(first):
        refuse(
            f"{source}, line {rows[0][0]}:",
            f" {plural(width - 1, 'name')} for {width} columns.",
            [
                f"the first column holds row names; but {quoted(_twice(first))} stands there twice",
                "one name is missing",
            ],
            "Write all the names in the first line.",
        )
    return [(rows[0][0], ["", *rows[0][1]]), *rows[1:]]


def _twice(cells: Sequence[str]) -> str:
    return safe(next(cell for cell, count in Counter(cells).items() if count > 1))
