"""The sheet that a student fills in, as a script or as a notebook, from one list of cells.

    # jacobian-bp exercise 2, seed 7, sheet 1f0c99ab    what `check` reads; for practice
    # jacobian-bp exercise 2, token 0f…, sheet 1f0c99ab   of which only the course has the seed
    # jacobian-bp exercise 2, seed 7, convention ng, sheet 1f0c99ab    as a course writes it
    statement, then what is given, between two marks
    # what is asked
    name = None

The same task gives the same text, byte for byte. A sheet holds no answers and no
reference code; `solution=True` fills it in. A sheet of several exercises is one part after
another, each with such a first line, and is run part by part.
"""

import json
import re
import shlex
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SpecError
from ...network.drawn import steps_picture
from ...network.files.paths import write_new
from ...writing.signs import rename, safe, to_ascii
from ...writing.tables import wrapped
from .convention_line import PATTERN, convention_line
from .task import Task
from .typed_names import name_in

WIDTH = 92
PROSE = WIDTH - 4  # of a paragraph
BEGIN, END = "# --- given: begin (leave these lines as they are)", "# --- given: end"
HEADER = re.compile(
    r"^# jacobian-bp exercise (\d{1,6}), (seed \d{1,20}|token [0-9a-f]{32})"
    rf"{PATTERN}, "
    r"sheet ([0-9a-f]{8})[ \t]*$",
    re.M,
)


def sheet_text(tasks: Task | Sequence[Task], name: str, solution: bool = False) -> str:
    """The sheet of one or more tasks for a file of this name; SpecError for another ending."""
    tasks = _together(tasks)
    file, ending = Path(name).name, Path(name).suffix.lower()
    if ending == ".py":
        parts = [script(task, solution, file) for task in tasks]
        return parts[0] if len(parts) == 1 else "\n\n".join([_opening(tasks), *parts])
    if ending == ".ipynb":
        return notebook(tasks, solution, file)
    first = tasks[0].number
    raise SpecError(
        f"{safe(name)} ends neither in .py nor in .ipynb.\n"
        f"  Write a name such as ex{first}.py or ex{first}.ipynb."
    )


def write_sheet(task: Task | Sequence[Task], path: str | Path, solution: bool = False) -> None:
    """Write a sheet to a new file; SpecError where there is one already, or none can be."""
    path = Path(path)
    write_new(path, sheet_text(task, path.name, solution))


def header(task: Task) -> str:
    """The line by which a sheet is known."""
    said = "" if task.convention is None else f", convention {convention_line(task.convention)}"
    return f"# jacobian-bp exercise {task.number}, {task.sheet}{said}, sheet {task.fingerprint}"


def script(task: Task, solution: bool = False, name: str = "") -> str:
    """The sheet as a Python script; `name` is that of its file."""
    statement = [("# " + line).rstrip() for line in _statement(task, name or f"ex{task.number}.py")]
    parts = [[header(task), "#", *statement], ["import numpy as np"], given_lines(task)]
    parts += [_ask(task, question, solution) for question in task.questions]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def notebook(
    tasks: Task | Sequence[Task], solution: bool = False, name: str = "", pictures: bool = False
) -> str:
    """The sheet as a notebook, nbformat 4.5, without output; `name` is that of its file.

    The hints of an exercise stand under its statement, each folded up; with `pictures` the graph
    of its steps does too, without a number.
    """
    tasks = _together(tasks)
    cells = []
    if len(tasks) > 1:
        cells += [("markdown", _overview(tasks)), ("code", ["import numpy as np"])]
    for task in tasks:
        cells.append(("markdown", _statement(task, name or f"ex{task.number}.ipynb")))
        if pictures and task.run is not None:
            cells.append(("markdown", picture_lines(task)))
        cells += [("markdown", folded_hints(task))] * bool(task.hints)
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


def picture_lines(task: Task) -> list[str]:
    """The graph of a task's steps as an image of a notebook, in the names of the sheet."""
    assert task.run is not None
    state = task.run.forward_pass
    called = str if task.written is None else name_in(task.written, ())
    names = {name: called(name) for name in state.values}
    picture = steps_picture(state, lambda text: rename(text, names))
    content = b64encode(picture.svg.encode()).decode()
    return [f"![{to_ascii(picture.alt)}](data:image/svg+xml;base64,{content})"]


def folded_hints(task: Task) -> list[str]:
    """The hints for a notebook, each shown by a click; without empty lines they stay plain text."""
    found = []
    for place, hint in enumerate(task.hints, 1):
        text = wrapped(escape(" ".join(to_ascii(hint).split()), quote=False), PROSE)
        found += [f"<details><summary>hint {place}</summary>", *text, "</details>"]
    return found


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
    return HEADER.sub(lambda _: header(task), fresh, count=1)


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
    how = "Put an expression in the place of every None. numpy only. Then"
    if not task.checkable:
        return [*lines, "", f"{how} hand in this file."]
    return [*lines, "", f"{how} run:", f"    jacobian-bp exercise check {shlex.quote(safe(name))}"]


def _together(tasks: Task | Sequence[Task]) -> list[Task]:
    """The tasks of one sheet, which its reader can check as a whole or not at all."""
    tasks = [tasks] if isinstance(tasks, Task) else list(tasks)
    checkable = all(task.checkable for task in tasks)
    return [replace(task, checkable=checkable) for task in tasks]


def _overview(tasks: Sequence[Task]) -> list[str]:
    """What stands above the parts of several exercises."""
    *most, last = [str(task.number) for task in tasks]
    said = (
        "Each exercise is graded by itself, with what stands above the first of them: put there "
        "what all of them shall use. What one exercise computes, another does not see."
    )
    return [f"Exercises {', '.join(most)} and {last}", "", *wrapped(said, PROSE)]


def _opening(tasks: Sequence[Task]) -> str:
    lines = [("# " + line).rstrip() for line in _overview(tasks)]
    return "\n".join([*lines, "", "import numpy as np", ""])


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
