"""The text that is being written: statements in order, and a name of its own for each value."""

import ast
import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from .folding import folded, reads_of
from .known_or_code import Code, Parts, Value

TAKEN = {*keyword.kwlist, *dir(builtins), "np", "step", "params", "gradients"}


@dataclass
class PlainText:
    """Statements, each with a remark to stand behind it, and the names that they use."""

    statements: list[tuple[ast.stmt, str]] = field(default_factory=list)
    passing: set[str] = field(default_factory=set)  # names that go where they are read once
    names: set[str] = field(default_factory=lambda: set(TAKEN))

    def new_name(self, wanted: str) -> str:
        """The name itself, or with the first number that makes it free."""
        base = re.sub(r"\W", "_", wanted) or "value"
        base = base if base.isidentifier() else f"_{base}"
        found, count = base, 2
        while found in self.names:
            found, count = f"{base}_{count}", count + 1
        self.names.add(found)
        return found

    def add(self, statement: ast.stmt, remark: str = "") -> None:
        self.statements.append((statement, remark))

    def assign(self, name: str, code: Code) -> Code:
        """name = code, with its shape beside it; what reads it reads the name."""
        target = ast.Name(name, ast.Store())
        self.add(ast.Assign([target], code.node, lineno=0), shape_of(code.example))
        return Code(ast.Name(name, ast.Load()), code.example)

    def held(self, value: Value, wanted: str) -> Value:
        """The value under a name of its own: its expression is computed once."""
        if isinstance(value, Parts):
            if isinstance(value.items, dict):
                held = {k: self.held(v, f"{wanted}_{k}") for k, v in value.items.items()}
                return Parts(held)
            kind = type(value.items)
            numbered = enumerate(value.items)
            return Parts(kind(self.held(item, f"{wanted}_{place}") for place, item in numbered))
        if not isinstance(value, Code) or value.is_a_name:
            return value
        name = self.new_name(wanted)
        if name != wanted:  # found_2 says no more than its expression
            self.passing.add(name)
        return self.assign(name, value)

    def argument(self, value: Value, wanted: str) -> Value:
        """What a function reads several times: a name, which is folded away if one read is left."""
        held = self.held(value, wanted)
        if isinstance(held, Code) and isinstance(held.node, ast.Name) and held is not value:
            self.passing.add(held.node.id)
        return held

    def mark(self) -> tuple[int, set[str]]:
        """Where the text stands, to come back to."""
        return len(self.statements), set(self.names)

    def back_to(self, mark: tuple[int, set[str]]) -> None:
        length, self.names = mark
        del self.statements[length:]

    def lines(self, read: Iterable[str], begins: int = 0) -> tuple[list[str], list[str]]:
        """The lines before a statement and from it on, without those whose value nothing reads."""
        kept, late = self.needed(read), {id(s) for s, _ in self.statements[begins:]}
        counted = reads_of(s for s, _ in kept) + Counter(read)
        parts = (
            folded([pair for pair in kept if (id(pair[0]) in late) is after], self.passing, counted)
            for after in (False, True)
        )
        before, after = ([_line(*pair) for pair in part] for part in parts)
        return before, after

    def needed(self, read: Iterable[str]) -> list[tuple[ast.stmt, str]]:
        """The statements without those whose value nothing reads."""
        kept, used = [], set(read)
        for statement, remark in reversed(self.statements):
            if _gives(statement) and not used.intersection(_gives(statement)):
                continue
            kept.append((statement, remark))
            used.update(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
        return kept[::-1]


def shape_of(example: object) -> str:
    """(7, 4), or nothing for what is no array."""
    if not isinstance(example, np.ndarray | np.generic):
        return ""
    return str(example.shape)


def _gives(statement: ast.stmt) -> set[str]:
    """The names that a statement gives values to, where it does nothing else."""
    if not isinstance(statement, ast.Assign):
        return set()
    target = statement.targets[0]
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    found = {name.id for name in names if isinstance(name, ast.Name)}
    return found if len(found) == len(names) else set()


def _line(statement: ast.stmt, remark: str) -> str:
    text = ast.unparse(ast.fix_missing_locations(statement))
    return f"{text}  # {remark}" if remark else text
