"""Derivatives as lines of text, parts that recur under a name, and each line read again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .index_notation import index_form
from .lowering import Entry, Lowered, Whole
from .matrix_notation import ALIASES, SHORTEST, Notation
from .printed import printed
from .reading_printed import evaluated
from .terms import Term

NEAR = 2.0**-30  # how far a printed line may be from the array, beside the array's largest entry


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
        """The parts that have a name of their own, each written out."""
        notation = self._notation_and_texts[0]
        aliases = reversed(notation.aliases.items())
        return {alias: printed(notation.value(v, spelled=True)) for v, alias in aliases}

    @cached_property
    def _notation_and_texts(self) -> tuple[Notation, dict[str, str]]:
        notation = Notation(self.lowered, self.letters, self.symmetric)
        texts = self._all_texts(notation)
        for value in reversed(self.lowered.definitions):
            if value == self.lowered.result or value in notation.aliases:
                continue
            try:
                text = printed(notation.value(value))
            except LookupError:
                continue
            if len(text) >= SHORTEST and sum(t.count(text) for t in texts.values()) > 1:
                notation.name_value(value, self._alias(value, notation))
                texts = self._all_texts(notation)
        return notation, texts

    def _alias(self, value: str, notation: Notation) -> str:
        definition = self.lowered.definitions[value]
        want = "z"
        if isinstance(definition, Whole):
            want = ALIASES.get(definition.function, "u")
        elif isinstance(definition, Entry):
            want = ALIASES.get(definition.tree.text, "r")
        want = want.upper() if len(self.lowered.dimensions[value]) == 2 else want
        taken = {*self.lowered.dimensions, *notation.aliases.values()}
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
        at = dict(values)
        for value, alias in self._notation_and_texts[0].aliases.items():
            at[alias] = values[value]
        letters = {letter: lengths[d] for d, letter in self.letters.items()}
        found = {}
        for line in self.lines:
            pairs = zip(line.words, line.dimensions, strict=True)
            sizes = {word.rstrip("'"): lengths[d] for word, d in pairs} | letters
            try:
                got = evaluated(self.texts[line.key], at, sizes, line.words)
            except ValueError as error:
                found[line.key] = f"it cannot be read again: {str(error).splitlines()[0]}"
                continue
            want = arrays[line.key]
            if not np.abs(got - want).max(initial=0) <= NEAR * (1 + np.abs(want).max(initial=0)):
                found[line.key] = "it gives other numbers than the ops"
        return found
