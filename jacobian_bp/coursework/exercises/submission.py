"""A student's file read, never run: its text, which sheet it is, and what it imports."""

import ast
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import SpecError
from ...network.files.paths import label
from ...writing.signs import plural, safe
from .catalogue import find_exercise
from .convention_line import convention_said
from .numbers_of_sheet import task_in
from .sheet import HEADER
from .sheet_in_convention import sheet_in
from .task import Task

SeedOf = Callable[[str, int], int]  # of a token and an exercise, by the course's secret

LARGEST = 5 * 2**20  # of a file, which may be a notebook with pictures
MOST_CODE = 2**18  # characters: reading Python takes a thousand times their memory
PYTHON_CELLS = ("%%time", "%%timeit", "%%capture")
WATCHED = {
    "jacobian_bp": "the toolkit, which knows the answers",
    "autograd": "automatic differentiation",
    "jax": "automatic differentiation",
    "mygrad": "automatic differentiation",
    "sympy": "symbolic differentiation",
    "tensorflow": "automatic differentiation",
    "tinygrad": "automatic differentiation",
    "torch": "automatic differentiation",
}


class NoSuchPartError(SpecError):
    """A sheet of several exercises has no part for the one that is asked for."""


@dataclass(frozen=True, eq=False)
class Submission:
    """The code of a file, and the task that its first line names."""

    name: str
    code: str
    task: Task
    remarks: tuple[str, ...] = ()
    failure: str = ""  # why the code cannot be run at all


def read_submission(
    path: str | Path, exercise: int | None = None, seed_of: SeedOf | None = None
) -> Submission:
    """The file of a student, or its part for an exercise; SpecError where it is no sheet of ours.

    A sheet of one exercise is taken whatever exercise it is of. With `seed_of` the task of a
    sheet that has a token is made of its seed; without, of the numbers that stand in the sheet.
    """
    path = Path(path)
    parts = _parts(path.name, _code(path))
    if len(parts) > 1 and exercise not in parts:
        held = ", ".join(map(str, parts))
        wanted = "" if exercise is None else f"; it has no part for exercise {exercise}"
        raise NoSuchPartError(
            f"{safe(path.name)} is a sheet of the exercises {held}{wanted}.\n  Name one of {held}."
        )
    return _submission(path.name, parts.get(exercise or 0) or next(iter(parts.values())), seed_of)


def read_parts(path: str | Path) -> tuple[Submission, ...]:
    """The parts of a sheet, in their order: one for each of its exercises."""
    path = Path(path)
    parts = _parts(path.name, _code(path))
    return tuple(_submission(path.name, code, None) for code in parts.values())


def has_token(path: str | Path) -> bool:
    """Whether a sheet, or a part of it, has a token; SpecError for a file that cannot be read."""
    return any(which.startswith("token") for _, which, *_ in HEADER.findall(_code(Path(path))))


def _submission(name: str, code: str, seed_of: SeedOf | None) -> Submission:
    task = _task(name, code, seed_of)
    failure, remarks = _looked_through(code)
    return Submission(name, code, task, tuple(remarks), failure)


def _parts(name: str, code: str) -> dict[int, str]:
    """The code for each exercise: its part, and what stands above the first one.

    The lines of the other parts are left empty, so that a line keeps its number.
    """
    if len(code) > MOST_CODE:
        raise SpecError(
            f"{safe(name)} has {plural(len(code), 'character')} of code; "
            f"a sheet has at most {MOST_CODE:,}.\n  Hand in the sheet with your lines alone."
        )
    heads = list({match[0]: match for match in HEADER.finditer(code)}.values())
    if len({head[1] for head in heads}) != len(heads) or len(heads) < 2:
        return {0: code}
    ends = [*(head.start() for head in heads[1:]), len(code)]
    above, parts = code[: heads[0].start()], {}
    for head, end in zip(heads, ends, strict=True):
        skipped = "\n" * code.count("\n", heads[0].start(), head.start())
        parts[int(head[1])] = above + skipped + code[head.start() : end]
    return parts


def _code(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in (".py", ".ipynb"):
        raise SpecError(
            f"{label(path)} ends neither in .py nor in .ipynb.\n  Hand in one of the two."
        )
    try:
        if not path.is_file():
            kind = "no file" if path.exists() else "not there"
            raise SpecError(f"{safe(path.name)} is {kind}.\n  Name a sheet that you filled in.")
        if path.stat().st_size > LARGEST:
            raise SpecError(
                f"{safe(path.name)} has {plural(path.stat().st_size, 'byte')}; "
                f"a sheet has at most {LARGEST:,}.\n  Clear the output of the notebook."
            )
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(
            f"{safe(path.name)}: byte {error.start} is not UTF-8.\n  Save the file as UTF-8."
        ) from None
    except (OSError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        reason = getattr(error, "strerror", None) or "the name is none of a file"
        raise SpecError(f"{safe(path.name)} cannot be read: {reason}.\n  Check it.") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if ending == ".py" else _cells(text, path.name)


def _cells(text: str, name: str) -> str:
    """The code cells of a notebook, one after another; lines with % or ! are left out.

    `display` prints, as there is no notebook where the code is run.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        at = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise SpecError(
            f"{safe(name)} is no notebook: it is not JSON{at}.\n"
            "  Save it again, or begin with a fresh sheet."
        ) from None
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        raise SpecError(
            f"{safe(name)} is no notebook of format 4: it has no list of cells.\n"
            "  Save it in format 4, or begin with a fresh sheet."
        )
    sources = [_source(cell, name) for cell in cells if _is_code(cell)]
    return "\n\n".join(["display = print", *sources]) + "\n"


def _is_code(cell: Any) -> bool:
    return isinstance(cell, dict) and cell.get("cell_type") == "code"


def _source(cell: dict[str, Any], name: str) -> str:
    source = cell.get("source", "")
    parts = source if isinstance(source, list) else [source]
    if not all(isinstance(part, str) for part in parts):
        raise SpecError(
            f"{safe(name)} is no notebook: the source of a cell is not text.\n"
            "  Save it again, or begin with a fresh sheet."
        )
    lines = "".join(parts).splitlines()
    if lines and lines[0].startswith("%%") and lines[0].split()[0] not in PYTHON_CELLS:
        return ""  # %%bash, %%html
    return "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in lines)


def _task(name: str, code: str, seed_of: SeedOf | None) -> Task:
    """The task that the header names; SpecError where there is none, or it was changed."""
    found = set(HEADER.findall(code))
    if len(found) != 1:
        told = "has no line that says" if not found else "has more than one line that says"
        raise SpecError(
            f"{safe(name)} {told} which exercise it answers.\n"
            "  Keep the first line of the sheet as it is: # jacobian-bp exercise 2, seed 7 (or a "
            "token), sheet and eight digits."
        )
    number, which, said, fingerprint = found.pop()
    convention = convention_said(said)
    word, _, value = which.partition(" ")
    exercise = find_exercise(int(number))
    by_numbers = word == "token" and seed_of is None
    if word == "seed" and int(value) >= 2**64:
        raise SpecError(f"{safe(name)}: no sheet has {which}.\n  Begin with a fresh sheet.")
    if word == "seed":
        task = exercise.make(int(value))
    elif seed_of is None:
        task = task_in(code, exercise, value, name, convention)
    else:
        task = exercise.make(seed_of(value, exercise.number), value)
    task = sheet_in(task, convention, safe(name))
    if task.fingerprint != fingerprint:
        also = ", or its numbers," if by_numbers else ""
        raise SpecError(
            f"{safe(name)}: its first line says exercise {number}, {which}, and sheet "
            f"{fingerprint}, which is another one.\n"
            f"  Put the first line{also} back as it was, or begin with a fresh sheet."
        )
    return task


def _looked_through(code: str) -> tuple[str, list[str]]:
    """Why the code cannot be run, and which imports an instructor may want to know of."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of a '\\d' is the student's own
            tree = ast.parse(code)
    except SyntaxError as error:
        at = "" if error.lineno is None else f"line {error.lineno}: "
        return f"{at}the syntax is wrong: {safe(error.msg)}", []
    except (ValueError, RecursionError, MemoryError):
        return "the file cannot be read as Python", []
    names = dict.fromkeys(name.split(".")[0] for name in _imports(tree))
    return "", [f"the file imports {n}: {WATCHED[n]}" for n in names if n in WATCHED]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Call) and node.args:
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if called in ("__import__", "import_module") and isinstance(first, ast.Constant):
                yield str(first.value)
