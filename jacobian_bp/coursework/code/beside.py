"""Functions beside the backward one that it does not call, and that update the parameters.

def step(self, lr): self.W2 += lr * self.dW2  is judged by itself, and told with the other lines.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import replace

from ...errors import SpecError
from ..lines.vocabulary import RATE
from .code_report import CodeLine, CodeReport
from .limits import shown
from .parsing import Parsed

Reader = Callable[[str], CodeReport]  # what is found where the function of a name is judged


def with_updates_beside(report: CodeReport, parsed: Parsed, read: Reader) -> CodeReport:
    """A report that finds nothing wrong, with what is found in the updates that it left aside."""
    for function in updates_beside(parsed, report):
        if not report.right:
            break
        own = None if parsed.parts else _judged(function, parsed, read)
        report = _with_lines(report, own) if own else _left_aside(report, function)
    return report


def updates_beside(parsed: Parsed, report: CodeReport) -> list[ast.FunctionDef]:
    """The functions of the text with an update by a rate, of which no line has been judged."""
    every = [*parsed.helpers.values()]
    every += [f for of in parsed.classes.values() for f in of.own.values()]
    every = list({id(f): f for f in every if f.name != parsed.function}.values())
    seen = {line.number for line in report.lines}
    return sorted(
        (f for f in every if seen.isdisjoint(_lines_of(f)) and any(map(is_update, ast.walk(f)))),
        key=lambda f: f.lineno,
    )


def is_update(node: ast.AST) -> bool:
    """W -= lr * dW and W = W - lr * dW.

    >>> is_update(ast.parse("self.W1 += self.lr * dW1").body[0])
    True
    >>> is_update(ast.parse("dW1 += reg * W1").body[0])
    False
    """
    match node:
        case ast.AugAssign(op=ast.Add() | ast.Sub(), value=value):
            return _reads_a_rate(value)
        case ast.Assign(targets=[target], value=ast.BinOp(left, ast.Add() | ast.Sub(), right)):
            by_key = isinstance(target, ast.Subscript) and isinstance(
                left, ast.Name | ast.Subscript
            )
            return (by_key or ast.unparse(left) == ast.unparse(target)) and _reads_a_rate(right)
    return False


def _reads_a_rate(value: ast.expr) -> bool:
    names = (getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(value))
    return any(isinstance(name, str) and name.lower().strip("_") in RATE for name in names)


def _lines_of(function: ast.FunctionDef) -> range:
    return range(function.lineno, (function.end_lineno or function.lineno) + 1)


def _judged(function: ast.FunctionDef, parsed: Parsed, read: Reader) -> list[CodeLine] | None:
    """The lines of a function judged by itself; None where it cannot be told what is right."""
    owners = [of for of in parsed.classes.values() if function.name in of.own]
    if len(owners) + (function.name in parsed.helpers and function not in _methods(parsed)) > 1:
        return None  # by its name alone another one would be judged
    try:
        report = read(function.name)
    except SpecError:
        return None
    lines = [line for line in report.lines if line.number in _lines_of(function)]
    told = any(line.right is not None for line in lines)
    elsewhere = report.right is False and report.first_wrong not in _lines_of(function)
    return lines if told and report.right is not None and not elsewhere else None


def _methods(parsed: Parsed) -> list[ast.FunctionDef]:
    return [f for of in parsed.classes.values() for f in of.own.values()]


def _with_lines(report: CodeReport, own: list[CodeLine]) -> CodeReport:
    """The report with the lines of an update, which may be wrong."""
    lines = tuple(sorted((*report.lines, *own), key=lambda line: line.number))
    wrong = [line.number for line in lines if line.right is False]
    fine = sum(line.right is True for line in lines)
    if wrong:
        also = f"; wrong by themselves are also {', '.join(map(str, wrong[1:]))}"
        credit = f"; {fine} other{'s are' if fine > 1 else ' is'} right, given its right value."
        first = f"Line {wrong[0]} is the first wrong one{also if wrong[1:] else ''}{credit}"
    else:
        first = re.sub(r"^Right: \d+ lines?", f"Right: {fine} lines", report.sentences[0])
    return replace(
        report,
        right=not wrong,
        first_wrong=wrong[0] if wrong else None,
        lines=lines,
        sentences=(first, *report.sentences[1:]),
    )


def _left_aside(report: CodeReport, function: ast.FunctionDef) -> CodeReport:
    first, last = function.lineno, function.end_lineno
    said = (
        f"Not judged: {shown(function.name)}(), lines {first} to {last}, which updates parameters."
    )
    return replace(report, sentences=(*report.sentences, said))
