"""Write the notebooks in derivations/ with their outputs; Jupyter is not needed.

    python docs/build_notebooks.py

tour.ipynb keeps its cells and gets fresh outputs: edit it in Jupyter, then run this.
exercise_sheet.ipynb is made from the exercises of the package, unanswered.
"""

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

from jacobian_bp.coursework.exercises import sheet
from jacobian_bp.coursework.exercises.catalogue import find_exercise

FOLDER = Path(__file__).parent.parent / "derivations"
TOUR, SHEET = FOLDER / "tour.ipynb", FOLDER / "exercise_sheet.ipynb"
EXERCISES = {2: 7, 3: 7, 4: 7, 6: 7}  # number: seed
MIME = {"text/html": "_repr_html_", "text/latex": "_repr_latex_"}

INTRODUCTION = """\
# Four exercises on whole Jacobians

Put an expression in the place of every `None`, run the cell, then run the check under it.
A check says what is right, what is wrong, and where; it prints no answer. numpy is enough.

Each exercise sets its own numbers in its first cell: when you come back to an earlier one,
run that cell again. Hints stand folded up under each statement: open one at a time. The
same exercises on other numbers, as a sheet to hand in:
`jacobian-bp exercise new 2 --seed 8 --out ex2.ipynb`."""

CHECK = '''\
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.checker import Report, check_answers


def check(number, seed):
    """What is right, what is wrong and where, among the answers given so far."""
    task = find_exercise(number).make(seed)
    report = Report(number, seed, task.title, check_answers(task, globals()))
    print("\\n".join(report.lines()))'''


def exercise_sheet() -> dict[str, Any]:
    """The sheet as a notebook without outputs."""
    cells = [_cell("introduction", "markdown", INTRODUCTION), _cell("check", "code", CHECK)]
    for number, seed in EXERCISES.items():
        made = json.loads(sheet.notebook(find_exercise(number).make(seed)))
        statement, hints, *code = ["".join(cell["source"]) for cell in made["cells"]]
        title, *paragraphs = statement.split("\n\n")
        text = "\n\n".join([f"## {title}", *paragraphs[:-1]])  # the last says how to hand in
        cells.append(_cell(f"exercise-{number}", "markdown", text))
        cells.append(_cell(f"hints-{number}", "markdown", hints))
        for place, source in enumerate(code):
            cells.append(_cell(f"exercise-{number}-{place}", "code", source))
        cells.append(_cell(f"check-{number}", "code", f"check({number}, seed={seed})"))
    return {**made, "cells": cells}


def executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """The same notebook, its code cells run in order in one namespace, with what they show."""
    space: dict[str, Any] = {"__name__": "__main__"}
    cells, count = [], 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            outputs = _outputs("".join(cell["source"]), space, count)
            cell = {**cell, "execution_count": count, "outputs": outputs}
        cells.append(cell)
    return {**notebook, "cells": cells}


def written(notebook: dict[str, Any]) -> str:
    """The text of the file, as Jupyter itself saves it."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _outputs(source: str, space: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """What a cell prints, then the value of its last expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value, printed = None, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"<cell {count}>", "exec"), space)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"<cell {count}>", "eval"), space)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        text = _lines(printed.getvalue())
        outputs.append({"name": "stdout", "output_type": "stream", "text": text})
    if value is not None:
        shown = {"data": _shown(value), "metadata": {}, "execution_count": count}
        outputs.append({"output_type": "execute_result", **shown})
    return outputs


def _shown(value: Any) -> dict[str, list[str]]:
    """The value in each form in which a notebook can show it."""
    found = {"text/plain": repr(value)}
    if hasattr(value, "_repr_mimebundle_"):
        found = value._repr_mimebundle_()
    for mime, method in MIME.items():
        if hasattr(value, method):
            found[mime] = getattr(value, method)()
    return {mime: _lines(text) for mime, text in found.items()}


def _cell(name: str, kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {}, "source": _lines(source)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


if __name__ == "__main__":
    tour = json.loads(TOUR.read_text(encoding="utf-8"))
    for path, notebook in ((TOUR, tour), (SHEET, exercise_sheet())):
        path.write_text(written(executed(notebook)), encoding="utf-8", newline="\n")
