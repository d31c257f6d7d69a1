"""What follows from a formula: its shapes, numbers to check it at, its derivatives, the checks."""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ..checks.agreement import Agreement
from ..checks.all_routes import check
from ..errors import DomainError, JacobianError, SpecError
from ..ops.einsum import Einsum
from ..program.forward import run_forward
from ..program.forward_pass import Pass
from ..program.program import Program
from ..program.step import Step
from ..routes.gradients import gradients
from ..writing.signs import did_you_mean, safe
from .differentiating import Derivatives
from .index_notation import index_form
from .lowering import Entry, Lowered, Selection, Whole, own_letters
from .matrix_notation import ALIASES, SHORTEST, Notation
from .printed import printed
from .reading import SPELLED, read
from .reading_printed import evaluated
from .shapes import Shapes, kind_of
from .terms import Term

UNITS = 2.0**-30  # how far a printed formula may be from the array, beside its largest entry
WEIGHTS = "w_J"  # of the entries of a result that is an array


class Derived:
    """A formula, its derivatives by each array that it reads, and checks of both."""

    def __init__(
        self,
        text: str,
        *,
        shapes: Mapping[str, tuple[int, ...]] | None = None,
        scalars: Collection[str] = (),
        symmetric: Collection[str] = (),
        positive: Collection[str] = (),
        wrt: Collection[str] | None = None,
        seed: int = 0,
    ) -> None:
        self.text, self.seed = text, seed
        self._tree = read(text)
        given = {_spelled(n): _shape(n, s) for n, s in (shapes or {}).items()}
        self.shapes = Shapes(text, given, {*map(_spelled, _names(scalars, "scalars"))})
        self.shapes.of(self._tree)
        self.names = tuple(self.shapes.leaves)
        if not self.names:
            raise SpecError("the formula reads no array.\n  Write at least one name.")
        self.symmetric = self._known(symmetric, "symmetric")
        self.positive = self._known(positive, "positive")
        self._known(given, "shapes")
        self._known(scalars, "scalars")
        for matrix in self.symmetric:
            self._require_square(matrix)
        self.wrt = self.names if wrt is None else self._known(wrt, "wrt")
        if not self.wrt:
            raise SpecError(f"wrt names no array.\n  The formula reads {', '.join(self.names)}.")
        self.lowered = Lowered.of(self._tree, self.shapes)
        self.letters, self.sizes = self.shapes.lengths()
        self._letter_slices()
        dimensions = self.lowered.dimensions
        self.result = "F" if dimensions[self.lowered.result] else "J"
        while self.result in self.names:
            self.result += "_"
        self.all_positive = False

    def _known(self, given: Collection[str], option: str) -> tuple[str, ...]:
        names = tuple(map(_spelled, _names(given, option)))
        for word in names:
            if word not in self.names:
                raise SpecError(
                    f"{option} names {safe(word)}, which the formula does not read."
                    f"{did_you_mean(word, self.names)}\n  It reads {', '.join(self.names)}."
                )
        return names

    def _require_square(self, matrix: str) -> None:
        axes = self.shapes.leaves[matrix]
        if len(axes) != 2 or self.shapes.dimensions.join(*axes):
            raise SpecError(
                f"{matrix} is {kind_of(len(axes))} that is not square, and cannot be symmetric.\n"
                "  Name a square matrix."
            )

    def _letter_slices(self) -> None:
        """A letter for the length of a slice, which no name has."""
        found = [d for dims in self.lowered.dimensions.values() for d in dims]
        spare = (c for c in "pqrstuvwyzabcdefgh" if c not in self.letters.values())
        for dimension in dict.fromkeys(map(self.shapes.dimensions.find, found)):
            if dimension not in self.letters:
                self.letters[dimension] = next(spare)
                self.sizes[dimension] = self.shapes.dimensions.given[dimension][0]

    # ------------------------------------------------------------------ numbers

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The numbers that stand for the names: drawn, and in the domain of the formula."""
        drawn = self._draw(self.positive)
        try:
            self._pass_of(drawn)
        except DomainError:
            drawn = self._draw(self.names)
            self.all_positive = True
            self._pass_of(drawn)
        return drawn

    def _draw(self, positive: Collection[str]) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        found = {}
        for leaf in self.names:
            shape = tuple(self.sizes[d] for d in self.lowered.dimensions[leaf])
            array = rng.normal(size=shape).round(2)
            if leaf in self.symmetric:
                square = leaf in positive
                array = array @ array.T + np.eye(len(array)) if square else (array + array.T) / 2
            elif leaf in positive or not shape:
                array = np.abs(array) + 0.5
            found[leaf] = array
        return found

    def _pass_of(self, arrays: Mapping[str, np.ndarray]) -> Pass:
        lowered, result = self.lowered, self.result
        steps = lowered.steps(self.sizes, self.letters, result)
        data = {leaf: arrays[leaf] for leaf in self.names if leaf not in self.wrt}
        for made, which in lowered.selections.items():
            data[made] = self._selected(made, which)
        shape = lowered.dimensions[lowered.result]
        if shape:
            word = "".join(own_letters(shape, self.letters))
            steps.append(Step("J", Einsum(f"{word},{word}->"), (result, WEIGHTS)))
            sizes = tuple(self.sizes[d] for d in shape)
            data[WEIGHTS] = np.random.default_rng(self.seed + 1).normal(size=sizes).round(2)
        params = {leaf: np.asarray(arrays[leaf]) for leaf in self.wrt}
        return run_forward(Program.build(steps, list(params)), params, data)

    def _selected(self, made: str, which: Selection) -> np.ndarray:
        dimension = self.lowered.dimensions[made][-1]
        rows = np.eye(self.sizes[self.shapes.dimensions.find(dimension)])
        return rows[which.low] if which.high is None else rows[which.low : which.high]

    @cached_property
    def forward_pass(self) -> Pass:
        """The formula at these numbers; of an array the last step is its sum with weights."""
        return self._pass_of(self.arrays)

    @property
    def is_scalar(self) -> bool:
        """Whether the result is one number."""
        return not self.lowered.dimensions[self.lowered.result]

    @property
    def value(self) -> np.ndarray:
        """The value of the formula at these numbers, a new array."""
        return np.array(self.forward_pass.values[self.result])

    def array(self, by: str) -> np.ndarray:
        """∂result/∂by as the routes compute it: axes of the result, then those of the variable."""
        if self.is_scalar:
            return gradients(self.forward_pass, [by], "vjp")[by]
        return self.forward_pass.jacobian(self.result, by).materialise()

    # ------------------------------------------------------------------ formulas

    @cached_property
    def _terms(self) -> dict[str, tuple[tuple[int, ...], list[Term]]]:
        """For each variable its axes, the result's in front, and the terms of the derivative."""
        derived = Derivatives(self.lowered)
        out, found = derived.of(self.lowered.result)
        return {w: ((*out, *derived.own[w]), found.get(w, [])) for w in self.wrt}

    @cached_property
    def _written(self) -> tuple[Notation, dict[str, str]]:
        notation = Notation(self.lowered, self.letters, self.symmetric)
        texts = self._texts(notation)
        taken = {*self.names, *self.lowered.definitions, self.result, "I", "δ"}
        for value in reversed(self.lowered.definitions):
            if value == self.lowered.result or value in notation.aliases:
                continue
            text = printed(notation.value(value))
            seen = sum(t.count(text) for t in texts.values())
            if len(text) >= SHORTEST and seen > 1:
                notation.name_value(value, self._alias(value, taken))
                texts = self._texts(notation)
        return notation, texts

    def _alias(self, value: str, taken: set[str]) -> str:
        definition = self.lowered.definitions[value]
        want = "z"
        if isinstance(definition, Whole):
            want = ALIASES.get(definition.function, "u")
        elif isinstance(definition, Entry):
            want = ALIASES.get(definition.tree.text, "r")
        want = want.upper() if len(self.lowered.dimensions[value]) == 2 else want
        found = next(w for w in (want, *(f"{want}{n}" for n in range(1, 99))) if w not in taken)
        taken.add(found)
        return found

    def _texts(self, notation: Notation) -> dict[str, str]:
        return {w: self._text(notation, w) for w in self._terms}

    def _text(self, notation: Notation, w: str) -> str:
        axes, terms = self._terms[w]
        try:
            return printed(notation.derivative(terms, axes, self._dims(w)))
        except LookupError:
            kept = dict(zip(axes, self.axes(w), strict=True))
            return index_form(notation, terms, kept, self.letters)

    def _dims(self, w: str) -> tuple[int, ...]:
        dimensions = self.lowered.dimensions
        return (*dimensions[self.lowered.result], *dimensions[w])

    def axes(self, by: str) -> tuple[str, ...]:
        """The letters of the axes of ∂result/∂by: the result's, and the variable's with a prime."""
        dimensions = self.lowered.dimensions
        out = own_letters(dimensions[self.lowered.result], self.letters)
        return (*out, *(f"{c}'" for c in own_letters(dimensions[by], self.letters)))

    @property
    def derivatives(self) -> dict[str, str]:
        """∂result/∂name for each name, as it is printed."""
        return dict(self._written[1])

    @property
    def where(self) -> dict[str, str]:
        """The parts that have a name of their own, each written out."""
        notation = self._written[0]
        found = {}
        for value, alias in reversed(notation.aliases.items()):
            found[alias] = printed(notation.value(value, spelled=True))
        return found

    @cached_property
    def statement(self) -> str:
        """The formula itself: J = ‖W x − y‖²."""
        notation = Notation(self.lowered, self.letters, self.symmetric)
        return f"{self.result} = {printed(notation.value(self.lowered.result))}"

    # ------------------------------------------------------------------ checks

    @cached_property
    def agreement(self) -> Agreement:
        """Whether all routes agree on the gradient; of an array, on that of its weighted sum."""
        return check(self.forward_pass)

    @cached_property
    def unlike(self) -> dict[str, str]:
        """Each printed derivative that does not give the array, and why; empty where all do."""
        sizes = {letter: self.sizes[d] for d, letter in self.letters.items()}
        at = dict(self.arrays)
        at |= {made: self._selected(made, s) for made, s in self.lowered.selections.items()}
        found = {}
        for value, alias in self._written[0].aliases.items():
            at[alias] = np.asarray(self.forward_pass.values[value])
        for w, text in self.derivatives.items():
            pairs = zip(self.axes(w), self._dims(w), strict=True)
            own = {axis.rstrip("'"): self.sizes[d] for axis, d in pairs}
            try:
                got = evaluated(text, at, own | sizes, self.axes(w))
            except JacobianError as error:
                found[w] = f"it cannot be read again: {str(error).splitlines()[0]}"
                continue
            want = self.array(w)
            if not np.abs(got - want).max(initial=0) <= UNITS * (1 + np.abs(want).max(initial=0)):
                found[w] = "it gives other numbers than the routes"
        return found

    @property
    def ok(self) -> bool:
        """Whether the routes agree, and every printed derivative gives the array."""
        return self.agreement.ok and not self.unlike


def _spelled(word: str) -> str:
    return SPELLED.get(word, word)


def _names(given: Any, option: str) -> tuple[str, ...]:
    if isinstance(given, str) or not all(isinstance(word, str) for word in given):
        raise SpecError(f"{option} takes a list of names.\n  Write {option}=['W'].")
    return tuple(given)


def _shape(word: str, shape: Any) -> tuple[int, ...]:
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if not all(isinstance(n, int) and not isinstance(n, bool) and 0 < n <= 1000 for n in sizes):
        raise SpecError(
            f"the shape of {safe(word)} is {safe(shape)}.\n"
            "  Write whole numbers from 1 to 1000, such as (4, 2)."
        )
    if len(sizes) > 2:
        raise SpecError(f"{safe(word)} has {len(sizes)} axes; a formula knows two at most.")
    return sizes
