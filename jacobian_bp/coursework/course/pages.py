"""The pages of a course: one for its students, and what its instructor does with each folder."""

import shlex
from collections.abc import Sequence

from ...derivation.ready_made import ReadyMade
from ...document.blocks import Column, Document, Lines, Row, Section, Table, Words
from ..exercises.catalogue import find_exercise
from .plan import PLAN, Sheet


def students_page(title: str, convention: ReadyMade | None) -> Document:
    """What the sheets are, how one is filled in and tried, and what counts as right."""
    rows = tuple(
        Row(
            (
                Words(sheet.name if place == 0 else ""),
                Words(str(number)),
                Words(find_exercise(number).title),
            )
        )
        for sheet in PLAN
        for place, number in enumerate(sheet.exercises)
    )
    first = PLAN[0]
    sheets = (
        Words(
            "Six sheets, each with two or three exercises. Your own sheet has numbers of your own, "
            "and a token in its first lines; a practice sheet has other numbers, and you can have "
            "either checked as often as you like."
        ),
        Table(tuple(map(Column, ("sheet", "exercise", "what it is about"))), rows),
        Words(_convention_said(convention)),
    )
    how = (
        Words(
            "A sheet is a Python file or a notebook, whichever you prefer. What is given stands "
            "between two marks: leave it as it is. Put an expression in the place of every None. "
            "numpy is all that you need."
        ),
        Words("Try it on the practice sheet, and on your own:"),
        Lines(
            (
                f"jacobian-bp exercise check {first.name}.py",
                f"jacobian-bp exercise check {first.name}.py --level 3",
                f"jacobian-bp exercise hint {first.name}.py",
            )
        ),
        Words(
            "The first says what is wrong and where, the second names the mistake if it is a known "
            "one, the third gives a hint; --level 2 one more."
        ),
    )
    counts = (
        Words(
            "Answers are compared by value. A later answer that follows rightly from a wrong "
            "earlier one of yours has its points. Your formulas are run on other numbers too, so a "
            "number that was typed in where a formula is asked for costs points."
        ),
        Words(
            "A gradient has the shape of its variable, or its transpose, the same throughout a "
            "sheet; which one is said where it matters."
        ),
        Words("Hand in your own sheet, under the name that it has. Each part is run by itself."),
    )
    return Document(
        title,
        (
            Section("", "The sheets", sheets),
            Section("", "How a sheet is filled in", how),
            Section("", "What counts", counts),
        ),
    )


def _convention_said(convention: ReadyMade | None) -> str:
    if convention is None:
        return (
            "Examples stand in rows, a weight W has the shape (outputs, inputs), and z = x W^T + b."
        )
    about = f", {convention.about}" if convention.about else ""
    return (
        f"Where an exercise depends on it, it is written in the convention "
        f"{convention.name or 'of the course'}{about}: {convention.convention}."
    )


def instructors_page(
    title: str, facts: tuple[str, Sequence[str], bool], wheel: bool, options: Sequence[str]
) -> str:
    """README.md: what lies where, and a line for each thing to do.

    `facts` are the secret's file, the students, and whether each has numbers of their own.
    """
    secret, students, own = facts
    made = shlex.join(["jacobian-bp", "course", "new", "DIR", *options])
    lines = [
        f"# {title}: for the instructor",
        "",
        "Made by " + f"`{made}`. Commands are run in this folder.",
        "",
        "| what | where | for whom |",
        "| --- | --- | --- |",
        "| the page of the course | `students.html` | students |",
        "| practice sheets, scripts and notebooks | `practice/` | students |",
        "| each student's own sheets | `sheets/1-dense/NAME.py`, … | that student alone |",
        "| the answer key: each sheet filled in | `key/` | you alone |",
        "| the class | `roster.csv` | you alone |",
        "| autograders | `gradescope/`, `otter/`, `nbgrader/` | the platform |",
    ]
    if secret == "secret.txt":
        lines.append("| the course's secret | `secret.txt` | you alone |")
    lines += [
        "",
        "## The sheets",
        "",
        "| sheet | exercises | what it is about |",
        "| --- | --- | --- |",
        *(f"| {s.name} | {', '.join(map(str, s.exercises))} | {s.about} |" for s in PLAN),
        "",
        "## Grading by hand",
        "",
        "Put what is handed in of a sheet into a folder of its own, "
        + (
            f"under the names that the sheets have (`{students[0]}.py`)."
            if own
            else "each file under its student's name (`ada.py`)."
        ),
        "",
        "```",
        *(grade_line(sheet, secret, own) for sheet in PLAN),
        "```",
        "",
        "The key is right itself:",
        "",
        "```",
        key_line(PLAN[0], students[0], secret),
        "```",
        "",
        "## Gradescope",
        "",
        "Upload `gradescope/1-dense.zip` as the autograder of that assignment, and so on."
        if wheel
        else "Each `gradescope/NAME.zip` waits for the wheel of this package: make one of its "
        "source with `pip wheel --no-deps .`, add it with "
        "`zip gradescope/1-dense.zip jacobian_bp-*.whl`, and upload the archive. `--wheel FILE` of "
        "`course new` puts it there at once.",
        *["Gradescope's `email` of a student has to be the name in the roster."] * own,
        "The archive holds the secret: keep it from students.",
        "",
        "## otter-grader",
        "",
        "Each folder `otter/1-dense/exercise-2` has a practice notebook and `tests/exercise-2.py`, "
        "with a case for each answer. In that folder",
        "",
        "```",
        "otter check exercise-2.ipynb -t tests",
        "```",
        "",
        "says what is right of a notebook, and `otter generate -t tests --no-environment` makes an "
        "autograder.zip, with which `otter run` gives the points.",
        "",
        "## nbgrader",
        "",
        "`nbgrader/source/1-dense/1-dense.ipynb` and so on are source notebooks with solutions. In "
        "the folder `nbgrader`",
        "",
        "```",
        "nbgrader generate_assignment 1-dense",
        "nbgrader autograde 1-dense --create",
        "nbgrader export",
        "```",
        "",
        "makes the notebook to hand out, `release/1-dense/1-dense.ipynb`; grades those in "
        "`submitted/NAME/1-dense/`; and writes `grades.csv`.",
        "",
        "otter and nbgrader grade practice sheets, whose numbers are the same for all; "
        "Gradescope and the lines above grade those with a token.",
    ]
    return "\n".join(lines) + "\n"


def grade_line(sheet: Sheet, secret: str, own: bool) -> str:
    """The call that grades a class on one sheet: to a gradebook, or a results file for each."""
    words = ["jacobian-bp", "grade", "--exercise", *map(str, sheet.exercises)]
    words += ["--submission", f"handed_in/{sheet.name}", "--secret-file", secret]
    if own:
        words += ["--roster", "roster.csv", "--sheet-seed", "own"]
        words += ["--gradebook", f"marks-{sheet.name}.csv"]
    else:
        words += ["--out-dir", f"results/{sheet.name}", "--format", "json"]
    return shlex.join(words)


def key_line(sheet: Sheet, student: str, secret: str) -> str:
    """The call that grades a sheet of the key."""
    words = ["jacobian-bp", "grade", "--exercise", *map(str, sheet.exercises)]
    words += ["--submission", f"key/{sheet.name}/{student}_solution.py", f"--student={student}"]
    words += ["--sheet-seed", "own", "--secret-file", secret]
    return shlex.join(words)
