"""What is said of an error in an instructor's own file: the line, and what to write instead."""

import ast
import re
import traceback

from ...errors import JacobianError
from ...writing.signs import safe
from .task import AnswerLineError


def remedy(error: BaseException) -> str:
    """What to do about a file that cannot be run: a module may be missing, or a line is wrong."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    package = (missing or "").partition(".")[0]
    if package and package != __name__.partition(".")[0]:
        return f"Install the module {safe(package)}, or import another"
    return "Correct the line"


def of_package(error: JacobianError, source: str) -> str:
    """What the package says of a line of the file; a line that it names is of the text there."""
    line = last_line(error, source)
    if line is None:
        return f": {error}"
    return f", line {line}: " + re.sub(
        r"^line (\d+): ", r"in the text there, line \1: ", str(error)
    )


def of_answer(error: AnswerLineError, source: str, text: str) -> str:
    """Which line of which answer ends in an error, where it stands, and what it may read."""
    cause = error.__cause__
    said = f"{type(cause).__name__}: {getattr(cause, 'msg', cause)}".rstrip(": ").splitlines()[0]
    at = line_with(text, error.line)
    names = ", ".join(["np", *error.names])
    return (
        f"{source}{at}: the line {error.line!r} of the answer {safe(error.answer)}, in "
        f"{safe(error.of)}, ends in an error: {safe(said)[:200]}.\n"
        f"  Correct it; the names that it can read are {safe(names)[:300]}."
    )


def line_with(text: str, constant: str) -> str:
    """Where a text stands in a file, if it does so in one line alone."""
    nodes = ast.walk(ast.parse(text))
    found = {n.lineno for n in nodes if isinstance(n, ast.Constant) and n.value == constant}
    return f", line {found.pop()}" if len(found) == 1 else ""


def last_line(error: BaseException, source: str) -> int | None:
    """The line of a file that was last on the way to an exception."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == source]
    return lines[-1] if lines else None


def told(error: BaseException, source: str) -> str:
    """An exception with its text, and the line of the file where it came up."""
    line = last_line(error, source)
    at = "" if line is None else f"line {line}: "
    return safe(f"{at}{type(error).__name__}: {error}".rstrip(": ").splitlines()[0])[:300]
