"""A CSV file as inputs and labels: read strictly, standardised, and said so.

The whole file is read and checked before anything is computed with it; what
cannot be a table of numbers is refused with its line and its column.
"""

import csv
import math
import os
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DomainError, SpecError
from ...numbers.memory import current_limit, format_bytes, require_memory
from ...writing.signs import did_you_mean, number, safe

LIMIT = 8 * 2**20  # bytes of text, unless another limit is given; some MiB are read a second
MOST_NAMED = 20  # columns in a message
SHIPPED = Path(__file__).parent / "data"
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of numbers."""

    source: str
    columns: tuple[str, ...]
    values: np.ndarray  # (rows, columns)


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs (m, i), the target column (m,), and what was done to them, in words."""

    x: np.ndarray
    y: np.ndarray
    features: tuple[str, ...]
    remarks: tuple[str, ...]


def shipped_names() -> tuple[str, ...]:
    """The data sets that come with the package.

    >>> shipped_names()
    ('breast_cancer', 'diabetes', 'iris')
    """
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.csv")))


def read_csv(file: str | os.PathLike[str], limit: int = LIMIT) -> Table:
    """Read a CSV file of numbers with a header, or a shipped data set by its name.

    >>> read_csv("iris").values.shape
    (150, 5)

    Raises SpecError: file not found, not a regular file, larger than `limit` bytes, not
    UTF-8, empty, no header, a ragged row, or a cell that is not a finite number.
    """
    path = _find(file)
    require_at_most(path, path.stat().st_size, limit)
    rows = _rows(path)
    header = _header(path, rows)
    require_memory(
        f"the table of {safe(path.name)}",
        (len(rows) - 1, len(header)),
        8,
        "Keep fewer rows or columns of the file.",
    )
    values = np.empty((len(rows) - 1, len(header)))
    for position, (line, row) in enumerate(rows[1:]):
        if len(row) != len(header):
            raise SpecError(
                f"{safe(path.name)}, line {line}: the row is ragged.\n"
                f"  the header has {len(header)} columns\n"
                f"  line {line} has {len(row)}\n"
                "  Give every row one cell for each column."
            )
        for column, cell in enumerate(row):
            values[position, column] = _number(path, line, header[column], cell)
    return Table(path.name, tuple(header), values)


def examples(table: Table, target: str, standardise: bool = True) -> Examples:
    """Split off the target column, and standardise the others.

        x = (column − mean) / standard deviation

    over all rows of the file; a constant column becomes 0. Raises SpecError for
    a column that is not there.
    """
    if target not in table.columns:
        guess = did_you_mean(target, table.columns)
        raise SpecError(
            f"{safe(table.source)} has no column {target!r}.{guess}\n"
            f"  Its columns are {columns_said(table.columns)}."
        )
    place = table.columns.index(target)
    x = np.delete(table.values, place, axis=1)
    features = tuple(name for name in table.columns if name != target)
    if not features:
        raise SpecError(
            f"{safe(table.source)} has no column beside the target {safe(target)}.\n"
            "  A network needs at least one input column."
        )
    remarks = [f"{safe(table.source)}: {len(x)} rows, target column {safe(target)} as it is"]
    if standardise:
        flat = x.max(axis=0) == x.min(axis=0)
        x = x / np.where(flat, 1.0, np.abs(x).max(axis=0))  # so that no square overflows
        x = np.where(flat, 0.0, x)
        x = (x - x.mean(axis=0)) / np.where(flat, 1.0, x.std(axis=0))
        text = f"{len(features)} input columns standardised to mean 0 and standard deviation 1"
        if flat.any():
            constant = [name for name, f in zip(features, flat, strict=True) if f]
            text += f"; constant, hence 0: {columns_said(constant)}"
        remarks.append(text)
    else:
        remarks.append(f"{len(features)} input columns as they are, not standardised")
    return Examples(x, table.values[:, place].copy(), features, tuple(remarks))


def require_at_most(path: Path, size: int, limit: int, way: str = "--data-limit {}MiB") -> None:
    """SpecError for a data file above the limit, before it is opened; `way` raises the limit."""
    if size > limit:
        raised = f", or raise the limit: {way.format(-(-size // 2**20))}"
        raise SpecError(
            f"{safe(path.name)} has {format_bytes(size)}; the limit is {format_bytes(limit)}.\n"
            f"  Keep fewer rows{raised if size <= current_limit() else ''}."
        )


def columns_said(columns: Sequence[str]) -> str:
    """The names of columns in a message: long ones and many of them are cut and counted.

    >>> columns_said(["u", "v"]), columns_said([f"c{i}" for i in range(30)])[-21:]
    ('u, v', 'c18, c19, … 30 in all')
    """
    shown = [safe(name if len(name) <= 40 else name[:40] + "…") for name in columns[:MOST_NAMED]]
    more = [f"… {len(columns):,} in all"] if len(columns) > MOST_NAMED else []
    return ", ".join([*shown, *more])


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


def _find(file: str | os.PathLike[str]) -> Path:
    path = Path(file)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        shipped = SHIPPED / f"{path.name.removesuffix('.csv')}.csv"
        if path.name == str(path) and shipped.is_file():
            return shipped
        raise SpecError(
            f"{safe(file)} cannot be found.\n"
            f"  Give the path of a CSV file, or one of {', '.join(shipped_names())}."
        ) from None
    if not stat.S_ISREG(mode):
        raise SpecError(f"{safe(file)} is not a regular file.\n  Give the path of a CSV file.")
    return path


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """(line, cells) of every line that is not blank."""
    size = path.stat().st_size
    require_memory(
        f"{safe(path.name)}, {format_bytes(size)} of text,", (size,), 1, "Keep fewer rows."
    )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(
            f"{safe(path.name)} is not UTF-8: byte {error.start} is "
            f"0x{error.object[error.start]:02x}.\n  Save it as UTF-8."
        ) from None
    except OSError as error:
        raise SpecError(f"{safe(path.name)} cannot be read: {error.strerror}.") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise SpecError(
            f"{safe(path.name)}, line {line}: a NUL character, so this is not a text file.\n"
            "  Save the table as CSV."
        )
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SpecError(
            f"{safe(path.name)}, line {reader.line_num}: {error}.\n  Save the table as plain CSV."
        ) from None


def _header(path: Path, rows: Sequence[tuple[int, list[str]]]) -> list[str]:
    if not rows:
        raise SpecError(
            f"{safe(path.name)} is empty.\n  Write a header line and one line for each example."
        )
    header = [cell.strip() for cell in rows[0][1]]
    if all(_is_number(cell) for cell in header):
        raise SpecError(
            f"{safe(path.name)} begins with numbers: the header is missing.\n"
            "  Write the column names in the first line."
        )
    if len(header) == 1 and ";" in header[0]:
        raise SpecError(
            f"{safe(path.name)}: the header is one column, {header[0][:40]!r}.\n"
            "  Separate the columns by commas, not by semicolons."
        )
    counted = Counter(header)
    for name in header:
        if not name or counted[name] > 1:
            shown = f"the name {name!r} twice" if name else "a column without a name"
            raise SpecError(
                f"{safe(path.name)}: the header has {shown}.\n  Give each column a name of its own."
            )
    if len(rows) == 1:
        raise SpecError(
            f"{safe(path.name)} has a header and no rows.\n  Write one line for each example."
        )
    return header


def _number(path: Path, line: int, column: str, cell: str) -> float:
    """The number in a cell, or SpecError with its line and its column."""
    cell = cell.strip()
    if cell.lower() in MISSING:
        fact = f"the cell {cell!r} is a missing value"
        instead = "Fill it, or leave the row out; nothing is guessed."
    elif not _is_number(cell):
        fact = f"{cell[:40]!r} is not a number"
        instead = "Write numbers with a point; number the classes of a text column 0, 1, 2, …."
    elif not math.isfinite(value := float(cell)):
        fact = f"{cell[:40]!r} is not a finite number"
        instead = "Leave the row out or mend it."
    else:
        return value
    where = f"{safe(path.name)}, line {line}, column {safe(column)}"
    raise SpecError(f"{where}: {fact}.\n  {instead}")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
