"""The sheet that a student fills in, as a script or as a notebook, from one list of cells.

    # jacobian-bp exercise 2, seed 7, sheet 1f0c99ab    what `check` reads; for practice
    # jacobian-bp exercise 2, token 0f…, sheet 1f0c99ab   of which only the course has the seed
    statement, then what is given, between two marks
    # what is asked
    name = None

The same task gives the same text, byte for byte. A sheet holds no answers and no
reference code; `solution=True` fills it in.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SpecError
from ...network.files.paths import write_new
from ...writing.signs import safe, to_ascii
from ...writing.tables import wrapped
from .task import Task

WIDTH = 92
PROSE = WIDTH - 4  # of a paragraph
BEGIN, END = "# --- given: begin (leave these lines as they are)", "# --- given: end"
HEADER = re.compile(
    r"^# jacobian-bp exercise (\d{1,6}), (seed \d{1,20}|token [0-9a-f]{32}), "
    r"sheet ([0-9a-f]{8})[ \t]*$",
    re.M,
)


def sheet_text(task: Task, name: str, solution: bool = False) -> str:
    """The sheet for a file of this name: .py or .ipynb; SpecError for another ending."""
    ending = Path(name).suffix.lower()
    if ending == ".py":
        return script(task, solution, Path(name).name)
    if ending == ".ipynb":
        return notebook(task, solution, Path(name).name)
    raise SpecError(
        f"{safe(name)} ends neither in .py nor in .ipynb.\n"
        f"  Write a name such as ex{task.number}.py or ex{task.number}.ipynb."
    )


def write_sheet(task: Task, path: str | Path, solution: bool = False) -> None:
    """Write a sheet to a new file; SpecError where there is one already, or none can be."""
    path = Path(path)
    write_new(path, sheet_text(task, path.name, solution))


def header(task: Task) -> str:
    """The line by which a sheet is known."""
    return f"# jacobian-bp exercise {task.number}, {task.sheet}, sheet {task.fingerprint}"


def script(task: Task, solution: bool = False, name: str = "") -> str:
    """The sheet as a Python script; `name` is that of its file."""
    statement = [("# " + line).rstrip() for line in _statement(task, name or f"ex{task.number}.py")]
    parts = [[header(task), "#", *statement], ["import numpy as np"], given_lines(task)]
    parts += [_ask(task, question, solution) for question in task.questions]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def notebook(task: Task, solution: bool = False, name: str = "") -> str:
    """The sheet as a notebook, nbformat 4.5, without output; `name` is that of its file."""
    cells = [("markdown", _statement(task, name or f"ex{task.number}.ipynb"))]
    cells.append(("code", [header(task), "import numpy as np", "", *given_lines(task)]))
    cells += [("code", _ask(task, question, solution)) for question in task.questions]
    document = {
        "cells": [_cell(place, kind, lines) for place, (kind, lines) in enumerate(cells, 1)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def given_lines(task: Task) -> list[str]:
    """What is given, between its two marks: numbers, then what is computed from them."""
    lines = [line for name, value in task.given.items() for line in literal(name, value)]
    return [BEGIN, *lines, *task.forward.strip("\n").splitlines(), END]


def with_numbers_of(text: str, task: Task) -> str:
    """The same sheet, with the numbers of another task of the same exercise put in.

    The student's lines are kept as they are, so formulas are run on fresh numbers.
    Raises SpecError where the two marks of what is given are gone.
    """
    start, end = text.find(BEGIN), text.find(END)
    if start < 0 or end < start or text.count(BEGIN) + text.count(END) != 2:
        raise SpecError(
            "the marks around what is given are not there, or not once each.\n"
            f"  Leave the lines {BEGIN!r} and {END!r} in place."
        )
    fresh = text[:start] + "\n".join(given_lines(task)) + text[end + len(END) :]
    return HEADER.sub(header(task), fresh, count=1)


def literal(name: str, value: Any) -> list[str]:
    """An assignment that gives back the very value.

    >>> literal("b", np.array([0.5, -1.25]))
    ['b = np.array([0.5, -1.25])']
    """
    if not isinstance(value, np.ndarray):
        return [f"{name} = {value!r}"]
    text = f"{name} = np.array({value.tolist()!r})"
    if value.ndim < 2:
        return wrapped(text, WIDTH, rest="    ")
    rows = [f"{row!r}," for row in value.tolist()]
    wide = [part for row in rows for part in wrapped(row, WIDTH, first="    ", rest="     ")]
    return [f"{name} = np.array([", *wide, "])"]


def _statement(task: Task, name: str) -> list[str]:
    paragraphs = task.statement.strip().split("\n\n")
    lines = [to_ascii(f"Exercise {task.number}: {task.title}")]
    for paragraph in paragraphs:
        indented = paragraph.startswith("    ")
        text = to_ascii(paragraph)
        lines += ["", *(text.splitlines() if indented else wrapped(text, PROSE))]
    how = "Put an expression in the place of every None. numpy only. Then run:"
    return [*lines, "", how, f"    jacobian-bp exercise check {shlex.quote(safe(name))}"]


def _ask(task: Task, question: Any, solution: bool) -> list[str]:
    asked = wrapped(to_ascii(f"{question.name}: {question.ask}"), PROSE)
    answer = question.solution if solution else "None"
    return [*(f"# {line}" for line in asked), f"{question.name} = {answer}"]


def _cell(place: int, kind: str, lines: list[str]) -> dict[str, Any]:
    source = [line + "\n" for line in lines[:-1]] + lines[-1:]
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{place}", "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return {**cell, "source": source}
