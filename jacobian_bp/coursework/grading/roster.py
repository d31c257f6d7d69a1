"""The students of a class, from a CSV file with a column `student`.

student,name
ada,Ada L.          her sheet is ada.py, or ada.ipynb
"""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import SpecError
from ...network.files.paths import brief, label, read_limited
from ...writing.signs import plural, safe
from .grade import ENDINGS

COLUMN = "student"
LARGEST = 2**20  # bytes
MOST, LONGEST = 5000, 100  # students, characters of a name
NO_FILE_NAME = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]|^[.\-]|[. ]$')


@dataclass(frozen=True)
class Roster:
    """The columns of the file, and its rows by student."""

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]

    @property
    def students(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(self.rows)


def read_roster(path: str | Path) -> Roster:
    """The class in a CSV file, with commas, semicolons or tabs.

    A student's name is that of a file, so no two may be alike but for capitals. Raises
    SpecError for a file that cannot be read, with the line.
    """
    path = Path(path)
    who = label(path)
    content = read_limited(path, LARGEST, "Name a CSV file with a column student.")
    try:
        text = unicodedata.normalize("NFC", content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SpecError(
            f"{who}: byte {error.start} is not UTF-8.\n  Save the file as UTF-8."
        ) from None
    table = _table(text, who)
    if not table:
        raise SpecError(f"{who} is empty.\n  Write a first line student, and a student a line.")
    (_, columns), *lines = table
    place = _place_of_student(columns, who)
    rows: dict[str, tuple[str, ...]] = {}
    first: dict[str, tuple[int, str]] = {}
    for line, cells in lines:
        if len(cells) != len(columns):
            raise SpecError(
                f"{who}, line {line}: {plural(len(cells), 'cell')}; the first line has "
                f"{plural(len(columns), 'column')}.\n  Give each line as many."
            )
        student = cells[place]
        _require_file_name(student, f"{who}, line {line}")
        before = first.setdefault(student.casefold(), (line, student))
        if before[0] != line:
            raise SpecError(
                f"{who}, line {line}: {safe(student)} is {safe(before[1])} of line {before[0]}; "
                "their files would be one.\n  Write each student once, under a name of their own."
            )
        rows[student] = cells
    if not 0 < len(rows) <= MOST:
        raise SpecError(
            f"{who} has {plural(len(rows), 'student')}; a class has from 1 to {MOST:,}.\n"
            "  Write a student a line, below the line of the columns."
        )
    return Roster(columns, rows)


def students_files(
    folder: str | Path, roster: Roster | None = None
) -> tuple[dict[str, list[Path]], list[str]]:
    """The files of a folder by their student, and of every other entry why it is left out.

    Without a roster everybody whose file is there is a student.
    """
    students = None if roster is None else {s.casefold(): s for s in roster.students}
    found: dict[str, list[Path]] = {}
    left_out = []
    for path in sorted(Path(folder).iterdir()):
        name, student = safe(path.name), unicodedata.normalize("NFC", path.stem).strip()
        sheet = path.suffix.lower() in ENDINGS
        if path.name.startswith("."):
            left_out += [f"{name}: its name begins with a dot"] * sheet
        elif not sheet:
            kind = "a folder" if path.is_dir() else f"ends in none of {', '.join(ENDINGS)}"
            left_out.append(f"{name}: {kind}")
        elif students is None or student in students.values():
            found.setdefault(student, []).append(path)
        else:
            near = students.get(student.casefold())
            said = f"; {safe(near)} is" if near else ""
            left_out.append(f"{name}: {safe(student)} is not on the roster{said}")
    return found, left_out


def _table(text: str, who: str) -> list[tuple[int, tuple[str, ...]]]:
    """The rows that are not empty, each with its line, cells without blanks around them."""
    head = re.sub('"[^"]*"', "", text.partition("\n")[0])  # a quoted comma divides nothing
    delimiter = next((sign for sign in ",;\t" if sign in head), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, tuple(cell.strip() for cell in cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise SpecError(
            f"{who}, line {line}: {safe(error)}.\n"
            "  Put a cell that holds a delimiter or a quote in quotes, its quotes doubled."
        ) from None
    return rows


def _place_of_student(columns: Sequence[str], who: str) -> int:
    names = [column.casefold() for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise SpecError(
                f"{who} has two columns {brief(name)}.\n  Give each column a name of its own."
            )
    if COLUMN not in names:
        listed = ", ".join(brief(column, 20) for column in columns[:10])
        raise SpecError(
            f"{who} has no column {COLUMN}, but {listed}.\n"
            f"  Call the column {COLUMN} whose entries are the names of the files: ada for ada.py."
        )
    return names.index(COLUMN)


def _require_file_name(student: str, where: str) -> None:
    if not student or len(student) > LONGEST or NO_FILE_NAME.search(student):
        why = "is no name of a file" if student else "names nobody"
        raise SpecError(
            f"{where}: the student {brief(student, 40)} {why}.\n"
            f"  Write up to {LONGEST} letters, digits, blanks, @ . - or _, beginning with none of "
            ". and -; a number will do."
        )
