"""The kinds of answers: an array, a number, a shape, a word.

A question knows its name in the sheet, what it asks, the line that answers it,
and what is right; `judge` compares by value.
"""

import ast
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ...numbers.rounding import is_single
from ...writing.signs import safe
from .accepted_forms import Forms
from .equality import as_numbers, same, unfit
from .symptoms import symptom, where_wrong, wrong_shape
from .trusted_code import value_of
from .verdict import MISSING, OTHER_LAYOUT, RIGHT, WRONG, Verdict

LONGEST = 200  # characters of an answer in words
ANOTHER = "another number"


def answer_of(line: str, names: Mapping[str, Any]) -> Any:
    """What a line of ours gives from these names, or None where it cannot be run on them."""
    try:
        return value_of(line, names)
    except (ValueError, TypeError, IndexError, ArithmeticError):
        return None


@dataclass(frozen=True, eq=False)
class Question(ABC):
    """One name of the sheet to be given a value.

    `solution` is an expression in the names of the sheet. The package does not
    judge by it: what is right is computed another way, and the two must agree.
    """

    name: str
    ask: str
    solution: str

    @cached_property
    def reads(self) -> frozenset[str]:
        """The names that the solution's line reads."""
        tree = ast.parse(self.solution, mode="eval")
        return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))

    def judge(self, value: Any, answers: Mapping[str, Any]) -> Verdict:
        """The verdict on one answer; `answers` are all of them, under their names."""
        if value is None:
            return Verdict(self.name, MISSING, where="no answer yet")
        return self._judge(value, answers)

    @abstractmethod
    def _judge(self, value: Any, answers: Mapping[str, Any]) -> Verdict:
        """The verdict on an answer that was given."""

    def strict(self) -> Self:
        """The same question, with one layout that is right."""
        return self

    def outcome(self, value: Any) -> Any:
        """What an answer comes to: equal for texts that mean the same."""
        return value

    def difference(self, value: np.ndarray, right: np.ndarray) -> tuple[str, str]:
        """Where an answer of the right shape is wrong, and by which pattern."""
        return where_wrong(value, right), symptom(value, right)

    def _right(self, layout: str = "", remark: str = "") -> Verdict:
        return Verdict(self.name, RIGHT, layout, remark)

    def _wrong(self, where: str, symptom: str = "", tag: str = "") -> Verdict:
        return Verdict(self.name, WRONG, where=where, symptom=symptom, tag=tag)

    @property
    @abstractmethod
    def right(self) -> Any:
        """The right value in its first form."""


@dataclass(frozen=True, eq=False)
class ArrayQuestion(Question):
    """An array, in any of `forms`; `others` are layouts that the question does not ask for.

    `key` names the object to `diagnose`, where the exercise has a run: "W2", "z2",
    ("z2", "W2"). `stands_as` names a value of the run that has its axes, of an answer that is
    no gradient.
    """

    forms: Forms
    others: Forms | None = None
    key: str | tuple[str, str] | None = None
    stands_as: str = ""
    turned: bool = False  # whether it is answered with the axes of the sheet exchanged
    times: float = 1.0  # how often the sheet's array: m, without the 1/m of a mean
    in_columns: bool = False  # whether the sheet itself has its examples in columns
    examples: int = 0  # of the batch, m

    @property
    def right(self) -> np.ndarray:
        return next(iter(self.forms.values()))

    @property
    def as_in_sheet(self) -> bool:
        """Whether the answer is asked for in the sheet's own axes and scale."""
        return not self.turned and self.times == 1

    def asked_as(self, array: Any) -> Any:
        """An array of the sheet's names as the answer is asked for."""
        plain = self.as_in_sheet or np.ndim(array) != 2
        return array if plain else (np.transpose(array) if self.turned else array) * self.times

    def in_sheet(self, array: np.ndarray) -> np.ndarray:
        """An answer in the axes and the scale of the sheet."""
        if self.as_in_sheet or array.ndim != 2:
            return array
        return (array.T if self.turned else array) / self.times

    def strict(self) -> Self:
        """The first form alone is right, and the others are named; a lone number has no layout."""
        (layout, first), *rest = self.forms.items()
        if first.size == 1:
            return self
        return replace(self, forms={layout: first}, others={**dict(rest), **(self.others or {})})

    def difference(self, value: np.ndarray, right: np.ndarray) -> tuple[str, str]:
        """Where it is wrong, and by which pattern: m and 1/m times the right one are two."""
        return where_wrong(value, right), symptom(value, right, self.examples)

    def _judge(self, value: Any, answers: Mapping[str, Any]) -> Verdict:
        array = as_numbers(value, self.name)
        if isinstance(array, str):
            return self._wrong(array, tag="not-numbers")
        if unfit(array):
            return self._wrong(unfit(array), tag="not-finite")
        for place, (layout, form) in enumerate(self.forms.items()):
            if same(array, form):
                return self._right(layout * (place > 0), "in float32" if is_single(array) else "")
        for layout, form in (self.others or {}).items():
            if same(array, form):
                said = f"these are the right numbers in layout {layout}; another one is asked for"
                return self._wrong("the order of the axes", said, OTHER_LAYOUT)
        fitting = [form for form in self.forms.values() if form.shape == array.shape]
        if not fitting:
            shapes = [form.shape for form in self.forms.values()]
            return self._wrong(wrong_shape(array, shapes), tag="shape")
        return self._wrong(*self.difference(array, fitting[0]))


@dataclass(frozen=True, eq=False)
class MaskQuestion(ArrayQuestion):
    """An array of True and False, where the place of a wrong entry is its right value."""

    def difference(self, value: np.ndarray, right: np.ndarray) -> tuple[str, str]:
        """Nothing of places or counts: where entries are wrong, they are the other way round."""
        return "some of the entries", ""


@dataclass(frozen=True, eq=False)
class NumberQuestion(Question):
    """A whole number, exactly."""

    expected: int

    @property
    def right(self) -> int:
        return self.expected

    def _judge(self, value: Any, answers: Mapping[str, Any]) -> Verdict:
        array = as_numbers(value, self.name)
        if isinstance(array, str):
            return self._wrong(array, tag="not-numbers")
        if array.size != 1 or array.dtype.kind == "b":
            return self._wrong("not one number", tag="not-one-number")
        number = array.reshape(-1)[0]
        if not np.isfinite(number):
            return self._wrong(unfit(array.reshape(())), tag="not-finite")
        if number != round(float(number)):
            return self._wrong("not a whole number", tag="not-whole")
        if int(number) == self.expected:
            return self._right()
        return self._wrong(ANOTHER)

    def difference(self, value: np.ndarray, right: np.ndarray) -> tuple[str, str]:
        """Nothing but that it is another one: a ratio would give it away."""
        return ANOTHER, ""


@dataclass(frozen=True, eq=False)
class ShapeQuestion(Question):
    """A shape as a tuple of whole numbers, in any of `forms`; `key` as of an array."""

    forms: Mapping[str, tuple[int, ...]]
    key: str | tuple[str, str] | None = None

    @property
    def right(self) -> tuple[int, ...]:
        return next(iter(self.forms.values()))

    def _judge(self, value: Any, answers: Mapping[str, Any]) -> Verdict:
        sizes = as_numbers(value, self.name)
        if isinstance(sizes, str):
            return self._wrong(sizes, tag="not-numbers")
        if sizes.ndim == 0 and sizes.dtype.kind in "iu":
            sizes = sizes.reshape(1)
        if sizes.ndim != 1 or (sizes.dtype.kind not in "iu" and sizes.size):
            return self._wrong("not a shape: write a tuple of whole numbers, such as (4, 2)")
        given = tuple(int(size) for size in sizes)
        for place, (layout, form) in enumerate(self.forms.items()):
            if given == form:
                return self._right(layout * (place > 0))
        ranks = {len(form) for form in self.forms.values()}
        if len(given) not in ranks:
            return self._wrong("the number of axes", tag="axes-number")
        if any(sorted(given) == sorted(form) for form in self.forms.values()):
            return self._wrong("the order of the axes", tag="axes-order")
        return self._wrong("the sizes of the axes")


@dataclass(frozen=True, eq=False)
class ChoiceQuestion(Question):
    """One of a few words."""

    expected: str
    options: Sequence[str]

    @property
    def right(self) -> str:
        return self.expected

    def _judge(self, value: Any, answers: Mapping[str, Any]) -> Verdict:
        if not isinstance(value, str):
            said = "not a word: write one of those listed, in quotes"
            return self._wrong(said, tag="not-a-word")
        if value.strip().lower() == self.expected:
            return self._right()
        if value.strip().lower() not in self.options:
            said = f"{safe(value[:40])!r} is none of the words listed"
            return self._wrong(said, tag="not-a-word")
        return self._wrong("another word")


@dataclass(frozen=True, eq=False)
class NullQuestion(Question):
    """A vector that a matrix turns into 0, of any length, not along an earlier one.

    `of` is the answer that is the matrix.
    """

    matrix: np.ndarray
    example: np.ndarray
    apart_from: tuple[str, ...] = ()
    of: str = "J"

    def holds_of(self, own: Mapping[str, Any], value: Any, answers: Mapping[str, Any]) -> bool:
        """Whether it is a right answer for the student's own matrix, which is not 0."""
        matrix = np.asarray(own.get(self.of, 0.0), float)
        return bool(matrix.any()) and replace(self, matrix=matrix).judge(value, answers).ok

    @property
    def right(self) -> np.ndarray:
        return self.example

    def _judge(self, value: Any, answers: Mapping[str, Any]) -> Verdict:
        array = as_numbers(value, self.name)
        if isinstance(array, str):
            return self._wrong(array, tag="not-numbers")
        if unfit(array):
            return self._wrong(unfit(array), tag="not-finite")
        size = self.matrix.shape[1]
        if array.size != size or max(array.shape, default=0) != size:
            return self._wrong("not one vector of the right length", tag="shape")
        vector = array.astype(float).reshape(-1)
        length = float(np.linalg.norm(vector))
        if length == 0 or not np.isfinite(length):
            said = "the zero vector is sent to 0 by every matrix"
            return self._wrong("every entry", said, "all-zero")
        unit = vector / length
        exact = array.dtype.itemsize == 8 or array.dtype.kind in "biu"
        if np.abs(self.matrix @ unit).max() > (1e-8 if exact else 1e-5) * np.abs(self.matrix).max():
            return self._wrong("the product", "the matrix does not send this vector to 0")
        for other in self.apart_from:
            if self._along(unit, answers.get(other)):
                said = f"a multiple of {other}: find another one"
                return self._wrong("the direction", said, "same-direction")
        return self._right()

    def _along(self, unit: np.ndarray, other: Any) -> bool:
        array = as_numbers(other, "other") if other is not None else ""
        if isinstance(array, str) or array.size != unit.size or unfit(array):
            return False
        vector = array.astype(float).reshape(-1)
        length = float(np.linalg.norm(vector))
        return length > 0 and abs(float(vector @ unit)) > (1 - 1e-9) * length
