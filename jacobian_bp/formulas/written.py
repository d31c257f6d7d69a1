"""Derivatives as lines of text, parts that recur under a name, and each line read again."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..ops.entry_trees import Tree, name
from ..writing.signs import RAISED
from .emitting import own_letters
from .index_notation import index_form
from .lowering import Entry, Lowered, Whole
from .matrix_notation import ALIASES, SHORTEST, Notation
from .printed import printed
from .reading_printed import evaluated
from .terms import Term

NEAR = 2.0**-30  # how far a printed line may be from the array, beside the array's largest entry
_AXES = re.compile(r"\[[^]]*\]")


@dataclass(frozen=True)
class Line:
    """One derivative: what is in front of the equals sign, its axes, and its terms."""

    head: str
    key: str
    axes: tuple[int, ...]
    words: tuple[str, ...]  # the axes, as they are printed
    dimensions: tuple[int, ...]
    terms: list[Term]


@dataclass(frozen=True, eq=False)
class Written:
    """Lines in matrix notation where there is one, in index form else."""

    lowered: Lowered
    letters: Mapping[int, str]
    symmetric: Collection[str]
    lines: list[Line]

    @property
    def texts(self) -> dict[str, str]:
        """Each line's right-hand side, by its key."""
        return self._notation_and_texts[1]

    @property
    def where(self) -> dict[str, str]:
        """The parts that have a name of their own, each written out, in the order of their use."""
        return _where(self._notation_and_texts[0])

    @cached_property
    def _notation_and_texts(self) -> tuple[Notation, dict[str, str]]:
        notation = Notation(self.lowered, self.letters, self.symmetric)
        texts = self._all_texts(notation)
        lines = [*texts.values()]
        for part in self._parts():
            if part in notation.aliases:
                continue
            try:
                text = printed(notation.tree(part))
            except LookupError:
                continue
            if len(text) >= SHORTEST and sum(line.count(text) for line in lines) > 1:
                notation.name_part(part, self._alias(part, notation))
                texts = self._all_texts(notation)
                lines = [*texts.values(), *_where(notation).values()]
        while rare := _read_once(notation, texts):
            del notation.aliases[rare]
            texts = self._all_texts(notation)
        return notation, texts

    def _parts(self) -> Iterator[Tree]:
        """What may be worth a name: values, and what functions of entries are applied to."""
        made = list(reversed(self.lowered.definitions))
        definitions = self.lowered.definitions
        for value in made:
            whole = definitions[value]
            if value != self.lowered.result and getattr(whole, "function", "") != "diag":
                yield name(value)
        entries = [d.tree for d in map(definitions.get, made) if isinstance(d, Entry)]
        factors = [f.tree for line in self.lines for term in line.terms for f in term.factors]
        for tree in dict.fromkeys([*factors, *entries]):
            yield from _inside(tree)

    def _alias(self, part: Tree, notation: Notation) -> str:
        definition = self.lowered.definitions.get(part.text) if part.op == "name" else None
        want = ALIASES.get(part.op, "z")
        if isinstance(definition, Whole):
            want = ALIASES.get(definition.function, "u")
        elif isinstance(definition, Entry):
            want = ALIASES.get(definition.tree.text, "r")
        want = want.upper() if len(self.lowered.axes_of(part)) == 2 else want
        taken = {*self.lowered.dimensions, *notation.aliases.values(), *self.letters.values()}
        return next(w for w in (want, *(f"{want}{n}" for n in range(1, 99))) if w not in taken)

    def _all_texts(self, notation: Notation) -> dict[str, str]:
        return {line.key: self._text(notation, line) for line in self.lines}

    def _text(self, notation: Notation, line: Line) -> str:
        try:
            return printed(notation.derivative(line.terms, line.axes, line.dimensions))
        except LookupError:
            kept = dict(zip(line.axes, line.words, strict=True))
            return index_form(notation, line.terms, kept, self.letters)

    def unlike(
        self,
        values: Mapping[str, np.ndarray],
        arrays: Mapping[str, np.ndarray],
        lengths: Mapping[int, int],
    ) -> dict[str, str]:
        """Each line that, read as it is printed, does not give its array, and why."""
        notation, texts = self._notation_and_texts[0], self.texts
        at, found = dict(values), {}
        parts = {alias: part for part, alias in notation.aliases.items()}
        for alias, text in self.where.items():
            dimensions = self.lowered.axes_of(parts[alias])
            words = own_letters(dimensions, self.letters)
            if parts[alias].op == "name":
                at[alias] = values[parts[alias].text]
                found[alias] = self.fault(text, words, dimensions, at, at[alias], lengths)
            else:  # the ops have no value of its own; the lines that read it are compared
                at[alias] = self._read(text, words, dimensions, at, lengths)
        for line in self.lines:
            found[line.key] = self.fault(
                texts[line.key], line.words, line.dimensions, at, arrays[line.key], lengths
            )
        return {key: why for key, why in found.items() if why}

    def fault(
        self,
        text: str,
        words: tuple[str, ...],
        dimensions: tuple[int, ...],
        at: Mapping[str, np.ndarray],
        array: np.ndarray,
        lengths: Mapping[int, int],
    ) -> str:
        """Why a text, read over these axes as it is printed, is not the array; nothing if it is."""
        try:
            got = self._read(text, words, dimensions, at, lengths)
        except ValueError as error:
            return f"it cannot be read again: {str(error).splitlines()[0]}"
        near = np.abs(got - array).max(initial=0) <= NEAR * (1 + np.abs(array).max(initial=0))
        return "" if near else "it gives other numbers than the ops"

    def _read(
        self,
        text: str,
        words: tuple[str, ...],
        dimensions: tuple[int, ...],
        at: Mapping[str, np.ndarray],
        lengths: Mapping[int, int],
    ) -> np.ndarray:
        letters = {letter: lengths[d] for d, letter in self.letters.items()}
        pairs = zip(words, dimensions, strict=True)
        sizes = {word.rstrip("'"): lengths[d] for word, d in pairs} | letters
        return evaluated(text, at, sizes, words)


def _inside(tree: Tree) -> Iterator[Tree]:
    """A softmax or an inverse, and the arguments of functions, the outer ones first."""
    if tree.op in ("softmax", "inv"):
        yield tree
    if tree.op == "f" and tree.args[0].op not in ("name", "num"):
        yield tree.args[0]
    for arg in tree.args:
        yield from _inside(arg)


def _where(notation: Notation) -> dict[str, str]:
    """Each alias and what it stands for, what a line reads before the line."""
    todo = {a: printed(notation.tree(part, spelled=True)) for part, a in notation.aliases.items()}
    found: dict[str, str] = {}
    while todo:
        alias = next(a for a, t in todo.items() if not any(_count(other, t) for other in todo))
        found[alias] = todo.pop(alias)
    return found


def _count(alias: str, text: str) -> int:
    """How often a name stands in a text, outside of the brackets of axes."""
    return len(re.findall(rf"(?<!\w){re.escape(alias)}(?![^\Wᵀ{RAISED}]|')", _AXES.sub("", text)))


def _read_once(notation: Notation, texts: Mapping[str, str]) -> Tree | None:
    """A part whose name stands in one place at most, so that it needs none."""
    lines = [*texts.values(), *_where(notation).values()]
    for part, alias in notation.aliases.items():
        if sum(_count(alias, line) for line in lines) < 2:
            return part
    return None
