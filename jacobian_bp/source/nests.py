"""Statements over whole arrays as nests of loops; neighbours of one shape share their loops.

z1 = x @ W1.T + b1        for n in range(7):
a1 = np.tanh(z1)              for k in range(4):
                                  s = 0.0
                                  for i in range(3):
                                      s += x[n, i] * W1[k, i]
                                  z1[n, k] = s + b1[k]
                                  a1[n, k] = np.tanh(z1[n, k])
"""

import ast
import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .entries import At, Entries, Scope, Style

READ = re.compile("⟦(.*?)\\|(.*?)⟧")
LETTERS = "nkijlmopqrtuvwab"


@dataclass
class Nest:
    """Loops over the entries of one shape, and what stands inside them."""

    shape: tuple[int, ...]
    variables: At
    scopes: list[Scope]
    made: list[str] = field(default_factory=list)
    reads: list[tuple[str, At]] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)  # arrays of before, written in their place

    @property
    def at(self) -> At:
        """The entry that the loops stand at; along an axis of one entry there is no loop."""
        given = iter(self.variables)
        return tuple("0" if size == 1 else next(given) for size in self.shape)


@dataclass
class Whole:
    """A call that writes a whole array: np.dot(x, W1.T, z1)."""

    text: str
    made: list[str]
    reads: list[tuple[str, At]]


class Nests:
    """Writes statements as nests of loops. `letters` has the axes of a step's arrays by shape."""

    def __init__(self, examples: dict[str, Any], style: Style, taken: set[str]) -> None:
        self.examples, self.style, self.taken = examples, style, taken
        self.found: list[Nest | Whole] = []
        self.alias: dict[str, str] = {}
        self.own: set[str] = set()  # arrays that these statements make
        self.letters: Mapping[tuple[int, ...], At] = {}
        self.reads: list[tuple[str, At]] = []
        self.entries = Entries(examples, style, self._read, self._letter, self._fresh)
        self.renamed: dict[str, str] = {}  # what a value is called in the network
        self.local: set[str] = set()  # running sums and the like: their nest alone reads them

    # ------------------------------------------------------------ names

    def _read(self, name: str, at: At) -> str:
        name = self.alias.get(name, name)
        self.reads.append((name, at))
        return f"⟦{name}|{', '.join(at)}⟧"

    def _letter(self, size: int, taken: set[str]) -> str:
        """The letter of an axis of this size in the step, or the first that is free."""
        own = {
            letter: n for s, axes in self.letters.items() for letter, n in zip(axes, s, strict=True)
        }
        like = [letter for letter, n in own.items() if n == size and letter not in taken]
        free = [letter for letter in LETTERS[2:] if letter not in taken | set(own)]
        for letter in (*like, *free):
            if letter not in self.taken:
                return letter
        return self._fresh("i_")

    def _fresh(self, wanted: str) -> str:
        """s, s2, s3, …: free in this nest."""
        name, count = wanted, 2
        while name in self.taken or name in self.local:
            name, count = f"{wanted}{count}", count + 1
        self.local.add(name)
        return name

    def called(self, name: str, other: str) -> None:
        """`name` is the array `other`, from here on."""
        first = self.alias.get(other, other)
        self.alias[name] = first
        if first in self.own:
            self.renamed.setdefault(first, name)

    def written_again(self, name: str, value: ast.expr) -> tuple[str, ast.expr]:
        """Which array to write where `name` gets another value, dt = dt + found, and that value.

        The array that `name` has been called so far; one of its own where that has other names.
        """
        first = self.alias.get(name)
        if first is None:
            return name, value
        if first in self.own and list(self.alias.values()).count(first) == 1:
            return first, value
        del self.alias[name]
        if self.renamed.get(first) == name:
            del self.renamed[first]
        return name, _Reading(name, first).visit(copy.deepcopy(value))

    def _variables(self, shape: tuple[int, ...]) -> At:
        """Letters for the loops over a shape."""
        axes = self.letters.get(shape)
        found: list[str] = []
        for place, size in enumerate(shape):
            letter = axes[place] if axes else ""
            usable = letter.isidentifier() and letter not in self.taken and letter not in found
            if size != 1:
                found.append(letter if usable else self._letter(size, set(found)))
        return tuple(found)

    # ------------------------------------------------------------ statements

    def add(
        self, names: Sequence[str], node: ast.expr, example: Any, form: str = "{} = {}"
    ) -> None:
        """names[…] = the entry of an expression, in the loops of the statement before if it can."""
        shape = np.shape(example if len(names) == 1 else example[0])
        last = self.found[-1] if self.found else None
        if isinstance(last, Nest) and last.shape == shape and self._joins(last, names, node, form):
            return
        self.local = set()
        nest = Nest(shape, self._variables(shape), [])
        sizes = [size for size in shape if size != 1]
        nest.scopes = [Scope(), *map(Scope, nest.variables, sizes)]
        self._write(nest, names, node, form)
        self.found.append(nest)

    def _joins(self, nest: Nest, names: Sequence[str], node: ast.expr, form: str) -> bool:
        """Whether the statement reads of what the nest makes only the entry that it stands at."""
        before = [len(scope.lines) for scope in nest.scopes]
        reads = list(nest.reads)
        local = set(self.local)
        self._write(nest, names, node, form)
        new, made = nest.reads[len(reads) :], {*nest.made[: -len(names)]}
        wrong = [name for name, at in new if name in made and at != nest.at]
        wrong += [name for name, at in reads if name in names and at != nest.at]
        if not wrong:
            return True
        for scope, count in zip(nest.scopes, before, strict=True):
            del scope.lines[count:]
        nest.reads[:] = reads
        del nest.made[-len(names) :]
        self.local = local
        return False

    def _write(self, nest: Nest, names: Sequence[str], node: ast.expr, form: str) -> None:
        self.entries.forget()
        self.entries.scopes = nest.scopes
        self.reads = nest.reads
        dtype = np.asarray(self.examples[names[0]]).dtype
        if len(names) > 1:
            text = self.entries.several(node, nest.at)
        elif is_running_sum(node):
            text = self._running_sum(nest, node, dtype)
        else:
            text = self.entries.entry(node, nest.at, dtype)
        targets = ", ".join(f"⟦{name}|{', '.join(nest.at)}⟧" for name in names)
        nest.scopes[-1].lines.append(form.format(targets, _bare(text)))
        nest.made.extend(names)

    def _running_sum(self, nest: Nest, node: ast.expr, dtype: np.dtype) -> str:
        """np.cumsum along the last axis: what is summed so far."""
        assert isinstance(node, ast.Call)
        text = self.entries.entry(node.args[0], nest.at, dtype)
        if nest.shape[-1] == 1:
            return text
        total = self._fresh("s")
        nest.scopes[-2].lines.append(f"{total} = {self.style.number(0.0, dtype)}")
        nest.scopes[-1].lines.append(f"{total} += {_bare(text)}")
        return total

    def whole(self, text: str, name: str, reads: Sequence[str]) -> None:
        """A call that writes a whole array."""
        self.found.append(Whole(text, [name], [(self.alias.get(r, r), ("…",)) for r in reads]))

    # ------------------------------------------------------------ what is left of it

    def only_here(self, kept: set[str]) -> set[str]:
        """Names that are numbers: read in the nest that makes them, and nowhere else."""
        makers: dict[str, list[int]] = {}
        readers: dict[str, set[int]] = {}
        for place, nest in enumerate(self.found):
            for name in nest.made:
                makers.setdefault(name, []).append(place)
            for name, _ in nest.reads:
                readers.setdefault(name, set()).add(place)
        return {
            name
            for name, places in makers.items()
            if len(set(places)) == 1
            and name not in kept
            and isinstance(self.found[places[0]], Nest)
            and readers.get(name, set()) <= set(places)
        }

    def lines(self, kept: set[str], declare: Callable[[str], str]) -> list[str]:
        """The text; `declare` gives the line that makes room for an array."""
        numbers, written = self.only_here(kept), list[str]()
        known: set[str] = set()

        def shown(found: re.Match[str]) -> str:
            name, at = found[1], found[2]
            shown = self.renamed.get(name, name)
            if name in numbers or at == "*":
                return shown
            if not at:
                return shown if name in self.own else f"{shown}[()]"
            return f"{shown}[{at}]"

        for nest in self.found:
            for name in nest.made:
                if name in known or name in numbers:
                    continue
                known.add(name)
                if np.shape(self.examples[name]) or isinstance(nest, Whole):
                    written.append(declare(self.renamed.get(name, name)))
            if isinstance(nest, Whole):
                written += READ.sub(shown, nest.text).splitlines() or [""]
                continue
            body: list[Any] = []
            for scope in reversed(nest.scopes):
                body = [*scope.lines, *body]
                if scope.variable:
                    body = [(scope.variable, scope.size, body)]
            text = "\n".join(READ.sub(shown, line) for line in _flat(body))
            written += ast.unparse(ast.parse(text)).splitlines()  # brackets where they are needed
        return written

    def gap(self) -> None:
        """An empty line, over which no statement joins another's loops."""
        self.found.append(Whole("", [], []))


class _Reading(ast.NodeTransformer):
    """An expression that reads one array in the place of another."""

    def __init__(self, name: str, other: str) -> None:
        self.name, self.other = name, other

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.other, node.ctx) if node.id == self.name else node


def is_running_sum(node: ast.AST) -> bool:
    """np.cumsum(x, axis=-1)"""
    match node:
        case ast.Call(ast.Attribute(ast.Name("np"), "cumsum"), [_], [ast.keyword("axis", axis)]):
            return ast.unparse(axis) == "-1"
    return False


def _flat(lines: Sequence[Any], depth: int = 0) -> list[str]:
    found = []
    for line in lines:
        if isinstance(line, str):
            found.append("    " * depth + line)
        else:
            variable, size, inner = line
            found.append("    " * depth + f"for {variable} in range({size}):")
            found += _flat(inner, depth + 1)
    return found


def _bare(text: str) -> str:
    """Without the brackets around the whole."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and place < len(text) - 1:
            return text
    return text[1:-1]
