"""What a platform needs to grade a sheet: Gradescope's zip, otter's tests, nbgrader's cells."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from ..exercises.convention_line import convention_line
from ..exercises.questions import Question
from ..exercises.sheet import header, notebook
from ..exercises.task import Task
from .plan import Sheet

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # so that the same course gives the same archive
STOPPED = "The grader did not come to its end; tell your instructor."
SETUP = """#!/usr/bin/env bash
set -e
apt-get update
apt-get install -y python3 python3-venv
python3 -m venv /autograder/env
/autograder/env/bin/pip install /autograder/source/jacobian_bp-*.whl
mv /autograder/source/secret.txt /autograder/secret.txt
chmod 600 /autograder/secret.txt
"""
RUN = """#!/usr/bin/env bash
RESULTS=/autograder/results
printf '%s' '{{"score": 0, "output": "{stopped}"}}' > "$RESULTS/results.json"
STUDENT=$(python3 -c '
import json
with open("/autograder/submission_metadata.json", encoding="utf-8") as file:
    print(json.load(file)["users"][0]["email"])
')
SHEET=$(ls /autograder/submission/*.py /autograder/submission/*.ipynb 2>/dev/null | head -n 1)
for EXERCISE in {exercises}; do
    /autograder/env/bin/jacobian-bp grade --exercise "$EXERCISE" --submission "$SHEET" \\
        --secret-file /autograder/secret.txt --student="$STUDENT" {own}\\
        --format gradescope --out "$RESULTS/exercise-$EXERCISE.json"
done
/autograder/env/bin/jacobian-bp course results "$RESULTS"
"""


def gradescope_files(sheet: Sheet, own: bool) -> dict[str, str]:
    """setup.sh and run_autograder of a sheet, each student's `own` or one for everybody."""
    exercises = " ".join(map(str, sheet.exercises))
    run = RUN.format(exercises=exercises, stopped=STOPPED, own="--sheet-seed own " * own)
    return {"setup.sh": SETUP, "run_autograder": run}


def gradescope_zip(
    sheet: Sheet, secret: bytes, own: bool, wheel: tuple[str, bytes] | None
) -> bytes:
    """The archive to upload: the two scripts, the secret, and the wheel where there is one."""
    files: dict[str, bytes] = {n: text.encode() for n, text in gradescope_files(sheet, own).items()}
    files["secret.txt"] = secret + b"\n"
    if wheel is not None:
        files[wheel[0]] = wheel[1]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            script = name in ("setup.sh", "run_autograder")
            entry.external_attr = (0o755 if script else 0o600) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return content.getvalue()


def otter_test(task: Task, points: int) -> str:
    """A test file of otter-grader for a practice sheet of one exercise.

    A case for each answer, among which otter shares out the points.
    """
    cases = [
        f"""

@test_case(name="{question.name}")
def test_{question.name}(env):
    assert passes(env, {_call(task)}, answer="{question.name}")
"""
        for question in task.questions
    ]
    return f"""from otter.test_files import test_case
{_imports(task, "passes")}
OK_FORMAT = False
name = "exercise-{task.number}"
points = {points}
{"".join(cases)}"""


def nbgrader_notebook(tasks: Sequence[Task], name: str, points: int) -> str:
    """A source notebook of nbgrader: a solution for each answer, and two cells that grade."""
    document = json.loads(notebook(tasks, False, name, pictures=True))
    cells: list[dict[str, Any]] = []
    left: list[Task] = list(tasks)
    current: Task | None = None
    answered: dict[str, Question] = {}
    for cell in document["cells"]:
        text = "".join(cell["source"])
        if left and text.startswith(header(left[0])):
            cells += _grading_cells(current, points)
            current = left.pop(0)
            answered = {question.name: question for question in current.questions}
        asked = text.rsplit("\n", 1)[-1].removesuffix(" = None")
        if cell["cell_type"] == "code" and current is not None and text.endswith(" = None"):
            lines = f"\n### BEGIN SOLUTION\n{asked} = {answered[asked].solution}\n### END SOLUTION"
            about = _about(f"ex{current.number}-{asked}", solution=True)
            cell = {**cell, "source": (text + lines).splitlines(True), "metadata": about}
        cells.append(cell)
    cells += _grading_cells(current, points)
    for place, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{place}"
    return json.dumps({**document, "cells": cells}, indent=1, sort_keys=True) + "\n"


def _grading_cells(task: Task | None, points: int) -> list[dict[str, Any]]:
    """The report, and the points: a cell whose last line is a number gives partial credit."""
    if task is None:
        return []
    report = f"{_imports(task, 'grade')}\nreport = grade(globals(), {_call(task)})\nprint(report)"
    return [
        _code(report, _about(f"ex{task.number}-report", locked=True)),
        _code(
            f"report.points(max={points})",
            _about(f"ex{task.number}-points", locked=True, points=points),
        ),
    ]


def _call(task: Task) -> str:
    """The arguments of grade and passes behind the named values."""
    if task.convention is None:
        return f"{task.number}, seed={task.seed}"
    line = convention_line(task.convention)
    own = f"Convention(**{json.loads(line)!r})" if line.startswith("{") else repr(line)
    return f"{task.number}, seed={task.seed}, convention={own}"


def _imports(task: Task, name: str) -> str:
    """What such a call needs."""
    line = f"from jacobian_bp.coursework.grading import {name}\n"
    own = task.convention is not None and not task.convention.name
    return f"from jacobian_bp import Convention\n{line}" if own else line


def _code(text: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": text.splitlines(True),
    }


def _about(
    name: str, solution: bool = False, locked: bool = False, points: int | None = None
) -> dict[str, Any]:
    """What nbgrader keeps of a cell."""
    worth = {} if points is None else {"points": points}
    facts = {"grade_id": name, "solution": solution, "locked": locked, "schema_version": 3}
    return {"nbgrader": {**facts, "grade": points is not None, "task": False, **worth}}
