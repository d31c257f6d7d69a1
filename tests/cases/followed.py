"""Which messages of the package advise something, and which of them a test provokes.

A message advises where one of its lines, or a sentence in it, begins with a verb that tells the
reader what to do. Every such line is found in the source, as a pattern with a gap for each value.
A provocation covers it where it ran through the statement of that line and the message has it:
so a line that looks like another one is not covered by the other's test.
"""

import ast
import re
import sys
from collections.abc import Iterable
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jacobian_bp

PACKAGE = Path(jacobian_bp.__file__).parent
VERBS = (
    "Add|Ask|Begin|Build|Call|Choose|Close|Convert|Count|Delete|Drop|End|Fill|Flatten|Give|Hand|"
    "Install|Keep|Leave|Let|Make|Mend|Move|Name|Number|Pass|Put|Raise|Read|Remove|Rename|Run|Save|"
    "Say|See|Send|Shorten|Spell|Standardise|Start|Take|Try|Turn|Use|Write"
)
ADVISES = re.compile(rf"(?:^|[.?;:] |\. )\s*(?:{VERBS})\b|[Dd]id you mean ")
GAP = "\x00"


class Advice(NamedTuple):
    """One line of a message: where it stands in the source, and what it looks like."""

    file: str
    first: int
    last: int
    line: str
    in_function: bool

    def __str__(self) -> str:
        return f"{self.file}: {self.line.replace(GAP, '…')}"

    def covered_by(self, told: "Told") -> bool:
        """Whether this very line was reached, and stands in the message."""
        reached = not self.in_function or any(
            self.first <= line <= self.last for line in told.lines.get(self.file, ())
        )
        return reached and _pattern(self.line).search(told.message) is not None


class Told(NamedTuple):
    """A message, and the lines of the package that were run on the way to it, by file."""

    message: str
    lines: dict[str, set[int]]


@cache
def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(re.escape(line).replace(re.escape(GAP), ".*"))


def advice_in(*places: str, without: Iterable[str] = ()) -> list[Advice]:
    """Every line in these files and folders of the package that advises something."""
    found = []
    for place in places:
        root = PACKAGE / place
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            name = path.relative_to(PACKAGE).as_posix()
            if not any(name.startswith(other) for other in without):
                found += _advice_of(name, ast.parse(path.read_text("utf-8")))
    return found


def _advice_of(file: str, tree: ast.AST) -> Iterable[Advice]:
    skipped = set(_not_messages(tree))
    for node, statement, in_function in _with_statement(tree):
        if id(node) in skipped or (text := _text(node)) is None:
            continue
        skipped |= {id(part) for part in ast.walk(node)}
        last = statement.end_lineno or statement.lineno
        for line in filter(ADVISES.search, text.split("\n")):
            yield Advice(file, statement.lineno, last, line.strip(), in_function)


def _with_statement(tree: ast.AST, statement=None, in_function=False):
    """Each expression from the outside in, with its innermost statement."""
    for node in ast.iter_child_nodes(tree):
        inside = in_function or isinstance(tree, ast.FunctionDef | ast.Lambda)
        at = node if isinstance(node, ast.stmt) else statement
        if isinstance(node, ast.expr):
            yield node, at, inside
        yield from _with_statement(node, at, inside)


def _not_messages(tree: ast.AST) -> Iterable[int]:
    """Docstrings, the helps of options, patterns, and what is compared or looked up."""
    for node in ast.walk(tree):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        described = isinstance(node, ast.keyword) and node.arg in ("help", "metavar", "epilog")
        if docstring or described or isinstance(node, ast.Compare):
            yield from map(id, ast.walk(node))


def _text(node: ast.AST) -> str | None:
    """A text with gaps; None for what is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or GAP for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_text(side) for side in (node.left, node.right)]
        return None if sides == [None, None] else "".join(side or GAP for side in sides)
    return None


@contextmanager
def lines_run(advice: Iterable[Advice]):
    """The lines that are run inside the block, of the functions that advise something, by file."""
    wanted: dict[str, list[int]] = {}
    for one in advice:
        wanted.setdefault(f"{PACKAGE}/{one.file}", []).append(one.first)
    found: dict[str, set[int]] = {}
    before = sys.gettrace()

    @cache
    def advises(code) -> bool:
        lines = [line for _, _, line in code.co_lines() if line] or [0]
        return any(min(lines) <= line <= max(lines) for line in wanted[code.co_filename])

    def trace(frame, event, argument):
        name = frame.f_code.co_filename
        if name not in wanted or not advises(frame.f_code):
            return None
        lines = found.setdefault(name.removeprefix(f"{PACKAGE}/"), set())

        def line_of(frame, event, argument):
            if event == "line":
                lines.add(frame.f_lineno)
            return line_of

        return line_of(frame, event, argument)

    sys.settrace(trace)
    try:
        yield found
    finally:
        sys.settrace(before)


def not_covered(advice: Iterable[Advice], told: Iterable[Told]) -> list[str]:
    """The advice that no message gives, as it is written in the source."""
    told = list(told)
    return sorted({str(a) for a in advice if not any(a.covered_by(one) for one in told)})


# ---------------------------------------------------------------- a command, and what it is told


def option_in(message: str) -> str:
    """The option that a message names first."""
    return re.search(r"--[a-z]+(?:-[a-z]+)*", message)[0]


def without(words: list[str], option: str) -> list[str]:
    """The command without an option, and without its value."""
    kept, rest = [], iter(words)
    pending = list(rest)
    while pending:
        word = pending.pop(0)
        if word == option or word.startswith(f"{option}="):
            if word == option and pending and not pending[0].startswith("--"):
                pending.pop(0)
            continue
        kept.append(word)
    return kept


def left_out(words: list[str], message: str) -> list[str]:
    """The option that the message names first is left out."""
    assert re.search(
        r"[Ll]eave it out|[Ll]eave one|Write one of them|Write one of the two", message
    )
    option = option_in(message)
    assert any(word.partition("=")[0] == option for word in words)
    return without(words, option)


def meant(words: list[str], message: str) -> list[str]:
    """What did not exist is written as the message asks whether it was meant."""
    close = re.search(r"[Dd]id you mean '?([^\s?']+)'?\?", message)[1]
    shown = message.partition("id you mean")[0]
    wrong = next(word for word in words[::-1] if f"'{word}'" in shown or f" {word} " in shown)
    return [close if word == wrong else word for word in words]


def listed(words: list[str], message: str) -> list[str]:
    """In place of what did not exist, the first of those that the last line names."""
    first = re.search(r"(?:one|some) of ([\w-]+)|Write ([\w-]+) or ", message)
    wrong = next(word for word in words if f"'{word}'" in message)
    return [(first[1] or first[2]) if word == wrong else word for word in words]


def set_as_told(words: list[str], message: str) -> list[str]:
    """The last line says an option with its value: so it stands in the command."""
    value = r"(?!-)[^\s,;.]+(?:[.,][^\s,;.]+)*"
    told = re.search(rf"(--[a-z-]+)[ =]({value})", message.splitlines()[-1])
    return [*without(words, told[1]), told[1], told[2]]


def added(words: list[str], message: str) -> list[str]:
    """The last line names an option without a value: it is added."""
    return [*words, option_in(message.splitlines()[-1])]
