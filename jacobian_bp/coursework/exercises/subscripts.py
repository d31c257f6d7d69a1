"""An einsum string as an answer: judged by what it computes, never by how it is spelled."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...writing.signs import plural
from .equality import same
from .questions import LONGEST, Question
from .verdict import Verdict

LETTERS = re.compile(r"[A-Za-z]*")


def with_arrow(text: str) -> str:
    """A string without blanks, its result written out as numpy reads it where there is no arrow.

    The letters that stand once are kept, in the order of the alphabet.

    >>> with_arrow("n j, n i"), with_arrow("nj->j")
    ('nj,ni->ij', 'nj->j')
    """
    text = text.replace(" ", "")
    if "->" in text:
        return text
    kept = sorted(letter for letter in set(text) - {","} if text.count(letter) == 1)
    return f"{text}->{''.join(kept)}"


@dataclass(frozen=True, eq=False)
class SubscriptsQuestion(Question):
    """The string of np.einsum(string, *operands), of which each operand is one name.

    `expected` is a right string. An answer is run on fresh random arrays of the
    operands' shapes, and the result compared: other letters and another order of
    the operands' own axes in the result are right, and the latter is named.
    """

    operands: Sequence[str]
    shapes: Sequence[tuple[int, ...]]
    expected: str

    @property
    def right(self) -> str:
        return self.expected

    def _judge(self, value: Any, answers: Mapping[str, Any]) -> Verdict:
        if not isinstance(value, str):
            return self._wrong("not a string: write it in quotes, such as 'ij,j->i'")
        text = with_arrow(value)
        reason = self._unreadable(text)
        if reason:
            return self._wrong(reason, tag="subscripts")
        arrays = _fresh(self.shapes)
        try:
            given = np.einsum(text, *arrays)
        except ValueError:
            return self._wrong("np.einsum refuses the string", tag="subscripts")
        right = np.einsum(self.expected, *arrays)
        if same(given, right):
            return self._right()
        if given.ndim == right.ndim > 1 and same(given, right.transpose()):
            return self._right("transposed")
        return self._wrong(*_difference(given, right))

    def outcome(self, text: Any) -> str:
        """The numbers that a string computes, as one text."""
        if not isinstance(text, str) or self._unreadable(with_arrow(text)):
            return str(text)
        result = np.einsum(with_arrow(text), *_fresh(self.shapes))
        return str(np.round(result, 9).tolist())

    def _unreadable(self, text: str) -> str:
        """Why a string is none for these operands; nothing where it can be run."""
        left, _, result = text.partition("->")
        terms = left.split(",")
        if len(text) > LONGEST:
            return "no subscripts: the string is too long"
        if not all(LETTERS.fullmatch(word) for word in (*terms, result)):
            return "subscripts are letters, with commas and one '->'"
        if len(terms) != len(self.operands):
            there = plural(len(self.operands), "operand")
            return f"np.einsum gets {there}, and the string is for {len(terms)}"
        for name, term, shape in zip(self.operands, terms, self.shapes, strict=True):
            if len(term) != len(shape):
                axes = plural(len(shape), "axis", "axes")
                return f"{name} has {axes}, and gets {plural(len(term), 'letter')}"
        sizes: dict[str, int] = {}
        for name, term, shape in zip(self.operands, terms, self.shapes, strict=True):
            for letter, size in zip(term, shape, strict=True):
                if sizes.setdefault(letter, size) != size:
                    return f"the letter {letter} of {name} names axes of two sizes"
        if len(set(result)) != len(result):
            return "a letter stands twice in the result"
        return "" if set(result) <= set(left) else "a letter of the result stands in no operand"


def _fresh(shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    generator = np.random.default_rng(20_160)
    return [generator.standard_normal(shape) for shape in shapes]


def _difference(given: np.ndarray, right: np.ndarray) -> tuple[str, str]:
    if given.ndim > right.ndim:
        return "the number of axes of the result", "a sum is missing: an axis is left standing"
    if given.ndim < right.ndim:
        return "the number of axes of the result", "an axis is summed that should stay"
    if sorted(given.shape) != sorted(right.shape):
        return "the axes of the result", "the wrong axis is summed"
    return "the numbers", "the axes of the result are right, what is multiplied is not"
