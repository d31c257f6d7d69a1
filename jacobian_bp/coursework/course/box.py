"""The folder of a course, written whole or not at all.

README.md, students.html, roster.csv    pages, and the class
practice/1-dense.py, .ipynb             the same numbers for all, of a seed that is said
sheets/1-dense/ada.py, .ipynb           a student's own numbers, which follow from the secret
key/1-dense/ada_solution.py             the same, filled in
gradescope/, otter/, nbgrader/          what grades them
"""

import csv
import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...derivation.ready_made import ReadyMade
from ...document.as_html import page
from ...errors import SpecError
from ...network.files.paths import cannot_be_written, label, read_limited
from ..exercises.catalogue import find_exercise
from ..exercises.sheet import notebook, sheet_text
from ..exercises.sheet_in_convention import sheet_in
from ..exercises.task import Task
from ..grading.roster import Roster
from ..grading.seeds import seed_of_token, sheet_token
from .autograders import gradescope_zip, nbgrader_notebook, otter_test
from .pages import instructors_page, students_page
from .plan import PLAN, Sheet

POINTS = 10  # for each exercise, in otter's tests and nbgrader's cells
LARGEST_WHEEL = 64 * 2**20
EVERYBODY = "everybody"
Content = str | bytes


@dataclass(frozen=True)
class Course:
    """What a course is made of; without a roster one sheet is for everybody."""

    title: str
    secret: bytes
    secret_file: str  # as the course's own folder has it, or where it lies
    seed: int
    roster: Roster | None = None
    convention: ReadyMade | None = None
    wheel: tuple[str, bytes] | None = None
    options: tuple[str, ...] = ()

    @property
    def students(self) -> tuple[str, ...]:
        """Whose sheets are written."""
        return (EVERYBODY,) if self.roster is None else self.roster.students


def new_course(folder: str | Path, course: Course) -> int:
    """Write the course to a folder that is not there yet; how many files it has.

    Raises SpecError for a folder that is there or cannot be made; then nothing is left of it.
    """
    folder = Path(folder)
    if folder.exists() or folder.is_symlink():
        raise SpecError(
            f"{label(folder)} is there already, and is left as it is.\n  Choose another folder."
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.parent))
    except (OSError, ValueError) as error:
        raise cannot_be_written(label(folder), error) from None
    try:
        count = 0
        for name, content in files_of(course):
            place = part / name
            place.parent.mkdir(parents=True, exist_ok=True)
            secret = name == "secret.txt" or name.startswith("gradescope/")
            with open(
                os.open(place, os.O_WRONLY | os.O_CREAT, 0o600 if secret else 0o644), "wb"
            ) as file:
                file.write(content if isinstance(content, bytes) else content.encode("utf-8"))
            count += 1
        part.chmod(0o755)
        part.rename(folder)
    except BaseException as error:  # also an interruption: half a course is none
        shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError):
            raise cannot_be_written(label(folder), error) from None
        raise
    return count


def files_of(course: Course) -> Iterator[tuple[str, Content]]:
    """Every file of a course, its name and what is in it."""
    yield "students.html", page(students_page(course.title, course.convention))
    facts = course.secret_file, course.students, course.roster is not None
    yield (
        "README.md",
        instructors_page(course.title, facts, course.wheel is not None, course.options),
    )
    yield "roster.csv", _roster_text(course)
    if course.secret_file == "secret.txt":
        yield "secret.txt", course.secret + b"\n"
    for sheet in PLAN:
        yield from _shared(sheet, course)
        for student in course.students:
            yield from _own(sheet, course, student)


def _shared(sheet: Sheet, course: Course) -> Iterator[tuple[str, Content]]:
    """What is the same for all students: practice, and the autograders."""
    tasks = [_written(find_exercise(n).make(course.seed), course) for n in sheet.exercises]
    name = sheet.name
    yield f"practice/{name}.py", sheet_text(tasks, f"{name}.py")
    yield f"practice/{name}.ipynb", notebook(tasks, False, f"{name}.ipynb", pictures=True)
    each = course.roster is not None
    yield f"gradescope/{name}.zip", gradescope_zip(sheet, course.secret, each, course.wheel)
    yield f"nbgrader/source/{name}/{name}.ipynb", nbgrader_notebook(tasks, f"{name}.ipynb", POINTS)
    for task in tasks:
        own = f"exercise-{task.number}"
        text = notebook(task, False, f"{own}.ipynb", pictures=True)
        yield f"otter/{name}/{own}/{own}.ipynb", text
        yield f"otter/{name}/{own}/tests/{own}.py", otter_test(task, POINTS)


def _own(sheet: Sheet, course: Course, student: str) -> Iterator[tuple[str, Content]]:
    """A student's own sheet, and the key to it."""
    tasks = []
    for number in sheet.exercises:
        token = sheet_token(course.secret, student, number)
        seed = seed_of_token(course.secret, token, number)
        tasks.append(_written(find_exercise(number).make(seed, token), course))
    yield f"sheets/{sheet.name}/{student}.py", sheet_text(tasks, f"{student}.py")
    text = notebook(tasks, False, f"{student}.ipynb", pictures=True)
    yield f"sheets/{sheet.name}/{student}.ipynb", text
    solved = f"{student}_solution.py"
    yield f"key/{sheet.name}/{solved}", sheet_text(tasks, solved, solution=True)


def _written(task: Task, course: Course) -> Task:
    return sheet_in(task, course.convention, "course new")


def _roster_text(course: Course) -> str:
    """The class as it was read; or the one name of a sheet that is for all."""
    columns: Sequence[str] = ("student",)
    rows: Sequence[Sequence[str]] = [(EVERYBODY,)]
    if course.roster is not None:
        columns, rows = course.roster.columns, list(course.roster.rows.values())
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue()


def new_secret() -> bytes:
    """A secret of 32 hexadecimal digits."""
    return secrets.token_hex(16).encode()


def read_wheel(path: str | Path) -> tuple[str, bytes]:
    """The name and content of a wheel of this package; SpecError for another file."""
    path = Path(path)
    if not (path.name.startswith("jacobian_bp-") and path.name.endswith(".whl")):
        raise SpecError(
            f"{label(path)} is no wheel of this package.\n"
            "  Make one in its source folder: pip wheel --no-deps . and name jacobian_bp-….whl."
        )
    return path.name, read_limited(path, LARGEST_WHEEL, "Name the wheel, jacobian_bp-….whl.")
