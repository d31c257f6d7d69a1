"""The numbers that stand in a sheet, between its two marks: read as literals, never run.

By them a sheet is judged whose seed only the course's secret gives.
"""

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...derivation.ready_made import ReadyMade
from ...errors import JacobianError, SpecError
from ...writing.signs import safe
from .generator import Redraw
from .sheet import BEGIN, END
from .sheet_in_convention import given_of, sheet_in
from .task import Exercise, Task

LONGEST_AXIS = 200
TIMES = 100  # no number of a sheet is so many times another sheet's


def task_in(
    code: str, exercise: Exercise, token: str, name: str, convention: ReadyMade | None = None
) -> Task:
    """The task of the numbers in a sheet with this token; SpecError where they are none.

    It is the package's own, whatever the convention that the sheet is written in.

    Kinds and axes have to be those of any other sheet of the exercise, the entries finite.
    """
    exercise.require_of_given()
    start, end = code.find(BEGIN), code.find(END)
    example = exercise.make(0)
    wanted = sheet_in(example, convention).given
    if start < 0 or end < start or code.count(BEGIN) + code.count(END) != 2:
        raise _refused(name, exercise, "the marks around what is given are not there once each")
    try:
        tree = ast.parse(code[start + len(BEGIN) : end])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refused(name, exercise, "what is given is no Python") from None
    found = _assigned(tree, wanted)
    for missing in wanted.keys() - found.keys():
        raise _refused(name, exercise, f"{missing} is not among what is given")
    for each, value in found.items():
        if not _alike(value, wanted[each]):
            raise _refused(name, exercise, f"{each} is not the one of a sheet")
    try:
        given = {each: found[each] for each in wanted}
        given = given if convention is None else given_of(example, convention, given)
        return exercise.task_of(given, token)
    except (JacobianError, Redraw, ValueError, TypeError, IndexError, ArithmeticError, MemoryError):
        raise _refused(name, exercise, "the numbers do not fit each other") from None


def _assigned(tree: ast.Module, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The first value of each name: a literal, or an array of one; None for anything else."""
    found: dict[str, Any] = {}
    for line in tree.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            name = line.targets[0].id
            if name in wanted and name not in found:
                found[name] = _literal(line.value)
    return found


def _literal(node: ast.expr) -> Any:
    array = isinstance(node, ast.Call) and ast.unparse(node.func) == "np.array"
    try:
        if isinstance(node, ast.Call):
            (inside,) = node.args
            return np.array(ast.literal_eval(inside)) if array and not node.keywords else None
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None


def _alike(value: Any, other: Any) -> bool:
    if not isinstance(other, np.ndarray):
        return type(value) is type(other) and 0 < value <= TIMES * other
    if not isinstance(value, np.ndarray) or value.dtype != other.dtype:
        return False
    axes = value.ndim == other.ndim and all(0 < size <= LONGEST_AXIS for size in value.shape)
    return axes and bool(np.isfinite(value).all())


def _refused(name: str, exercise: Exercise, why: str) -> SpecError:
    return SpecError(
        f"{safe(name)}: {why}, so it is no sheet of exercise {exercise.number}.\n"
        "  Put back what stood between its two marks, or ask for the sheet again."
    )
