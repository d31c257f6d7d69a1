"""What follows from a formula: its shapes, numbers to check it at, its derivatives, the checks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from ..checks.agreement import Agreement
from ..checks.all_routes import check
from ..curvature.hessian import hessian
from ..errors import DomainError, SpecError
from ..ops.einsum import Einsum
from ..program.forward import run_forward
from ..program.forward_pass import Pass
from ..program.program import Program
from ..program.step import Step
from ..routes.gradients import gradients
from ..writing.signs import did_you_mean, safe
from .differentiating import Derivatives
from .emitting import own_letters, steps_of_values
from .lowering import Lowered, Selection, Whole
from .matrix_notation import Notation
from .printed import printed
from .reading import SPELLED, read
from .shapes import PRIMES, Shapes, kind_of
from .terms import Term
from .written import Line, Written

WIDE = (2, 3, *PRIMES[2:])  # a product may have an inverse only if a matrix is wide,
TALL = (3, 2, 7, 5, 13, 11, 19, 17, 29, 23, 37, 31)  # or only if a matrix further on is tall
ABOVE = "above 0"
RANGES = {ABOVE: 1.0, "between -1/2 and 1/2": 1 / 8}  # what is drawn where a formula asks for it
WEIGHTS = "w_J"  # of the entries of a result that is an array


@dataclass(frozen=True, eq=False)
class Drawn:
    """Numbers at which a formula is checked, and the forward pass there."""

    arrays: dict[str, np.ndarray]
    sizes: dict[int, int]
    said: str  # "above 0", because the formula is not defined at others
    state: Pass


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
        self.shapes.note_what_meets_numbers_alone(self._tree)
        self.names = tuple(self.shapes.leaves)
        if not self.names:
            raise SpecError(
                "the formula has no letter, so there is nothing to derive by.\n"
                "  Write a letter for what varies: 3 * x."
            )
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
        self.letters, _ = self.shapes.lengths()
        self._measured(PRIMES)
        dimensions = self.lowered.dimensions
        self.result = "F" if dimensions[self.lowered.result] else "J"
        while self.result in self.names:
            self.result += "_"

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
        problem = f"{matrix} is {kind_of(len(axes))}, and only a matrix is symmetric"
        if len(axes) == 2:
            if not self.shapes.dimensions.join(*axes):
                return
            problem = f"{matrix} is a matrix that is not square, and cannot be symmetric"
        raise SpecError(f"{problem}.\n  Name a square matrix.")

    def _measured(self, primes: Sequence[int]) -> dict[int, int]:
        """The length of each dimension; that of a slice, which no name has, gets a letter too."""
        _, sizes = self.shapes.lengths(primes)
        found = [d for dims in self.lowered.dimensions.values() for d in dims]
        for dimension in dict.fromkeys(map(self.shapes.dimensions.find, found)):
            if dimension not in sizes:
                sizes[dimension] = self._length_of_unnamed(dimension, sizes)
            if dimension not in self.letters:
                spare = (c for c in "pqrstuvwyzabcdefgh" if c not in self.letters.values())
                self.letters[dimension] = next(spare)
        return sizes

    def _length_of_unnamed(self, dimension: int, sizes: Mapping[int, int]) -> int:
        """The length of a slice; an identity that meets no array has none."""
        if dimension in self.shapes.dimensions.rules:
            return self.shapes.dimensions.length(dimension, sizes)
        if dimension not in self.shapes.dimensions.given:
            raise SpecError(
                "the length of eye follows from nothing: it meets no array that has a name.\n"
                "  Add it to a matrix, or multiply it with one: A + eye."
            )
        return self.shapes.dimensions.given[dimension][0]

    # ------------------------------------------------------------------ numbers

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The numbers that stand for the names: drawn, and in the domain of the formula."""
        return {name: array.copy() for name, array in self.drawn.arrays.items()}

    @cached_property
    def drawn(self) -> Drawn:
        """Lengths and numbers; where the formula is not defined, others are tried.

        Raises DomainError where none of them is in its domain.
        """
        refused = None
        for primes, said in product((PRIMES, WIDE, TALL), ("", *RANGES)):
            sizes = self._measured(primes)
            positive = self.names if said == ABOVE else self.positive
            arrays = self._draw(positive, sizes, RANGES.get(said, 1.0))
            try:
                state = self._pass_of(arrays, sizes)
                self._require_inverses(state)
                return Drawn(arrays, sizes, said, state)
            except DomainError as error:
                refused = refused or error
        assert refused is not None
        raise self._outside(refused)

    def _outside(self, refused: DomainError) -> DomainError:
        """What is said where none of the numbers that were tried has a value."""
        what = str(refused).splitlines()[0]
        if what.startswith("the matrix in det"):
            return refused
        tried = ", ".join(["as drawn", *(f"all {said}" for said in RANGES)])
        leaf = next((n for n in self.names if n not in self.positive), None)
        own = f"--positive {leaf} makes {leaf} alone positive, " if leaf else ""
        return DomainError(
            f"no numbers that were tried are in the domain of the formula.\n  {what}\n"
            f"  Tried: {tried}. {own}--seed {self.seed + 1} draws others; or write another formula."
        )

    def _draw(
        self, positive: Collection[str], sizes: Mapping[int, int], scale: float
    ) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        found = {}
        for leaf in self.names:
            shape = tuple(sizes[d] for d in self.lowered.dimensions[leaf])
            array = rng.normal(size=shape).round(2)
            if leaf in self.symmetric:
                square = leaf in positive
                array = array @ array.T + np.eye(len(array)) if square else (array + array.T) / 2
            elif leaf in positive or not shape:
                array = np.abs(array) + 0.5
            found[leaf] = array * scale
        return found

    def _pass_of(self, arrays: Mapping[str, np.ndarray], sizes: dict[int, int]) -> Pass:
        lowered, result = self.lowered, self.result
        steps = steps_of_values(lowered, self.letters, result)
        data = {leaf: arrays[leaf] for leaf in self.names if leaf not in self.wrt}
        read = {argument for step in steps for argument in step.args}
        for made, which in lowered.selections.items():
            if made in read:
                data[made] = self._selected(made, which, sizes)
        shape = lowered.dimensions[lowered.result]
        if shape:
            word = "".join(own_letters(shape, self.letters))
            steps.append(Step("J", Einsum(f"{word},{word}->"), (result, WEIGHTS)))
            lengths = tuple(sizes[d] for d in shape)
            data[WEIGHTS] = np.random.default_rng(self.seed + 1).normal(size=lengths).round(2)
        params = {leaf: np.asarray(arrays[leaf]) for leaf in self.wrt}
        return run_forward(Program.build(steps, list(params)), params, data)

    def _require_inverses(self, state: Pass) -> None:
        """The slope of a determinant is written with an inverse, which a singular matrix lacks."""
        for definition in self.lowered.definitions.values():
            if isinstance(definition, Whole) and definition.function == "det":
                matrix = state.values[definition.of[0]]
                rank = np.linalg.matrix_rank(matrix)
                if rank < len(matrix):
                    raise DomainError(
                        f"the matrix in det has rank {rank} of {len(matrix)} at these shapes: its "
                        "determinant is 0 for all numbers.\n"
                        "  Give shapes at which it has an inverse: --shape A=2,3."
                    )

    def _selected(self, made: str, which: Selection, sizes: Mapping[int, int]) -> np.ndarray:
        dimension = self.lowered.dimensions[made][-1]
        return np.eye(sizes[self.shapes.dimensions.find(dimension)])[which.index]

    @property
    def forward_pass(self) -> Pass:
        """The formula at these numbers; of an array the last step is its sum with weights."""
        return self.drawn.state

    @property
    def sizes(self) -> dict[int, int]:
        """The length of each dimension."""
        return dict(self.drawn.sizes)

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
    def first(self) -> Written:
        """The derivatives of the result by each name, written."""
        derivatives = Derivatives(self.lowered)
        out, found = derivatives.of(self.lowered.result)
        lines = [
            self._line(w, f"∂{self.result}/∂{w}", (out, derivatives.own[w]), found.get(w, []))
            for w in self.wrt
        ]
        return self._written(lines)

    @cached_property
    def second(self) -> Written:
        """The second derivatives of the result by each pair of names, written."""
        if not self.is_scalar:
            raise SpecError(
                "the formula is an array; second derivatives are written of a number.\n"
                f"  Write its sum, or an entry: sum({self.text[:40]})."
            )
        derivatives, lines = Derivatives(self.lowered), []
        for place, one in enumerate(self.wrt):
            for two in self.wrt[place:]:
                axes, terms = derivatives.second(self.lowered.result, one, two)
                head = f"∂²{self.result}/∂{one}²" if one == two else f"∂²{self.result}/∂{one}∂{two}"
                count = len(self.lowered.dimensions[one])
                line = self._line(one, head, (axes[:count], axes[count:]), terms, two)
                lines.append(line)
        return self._written(lines)

    def _line(
        self,
        by: str,
        head: str,
        axes: tuple[tuple[int, ...], tuple[int, ...]],
        terms: list[Term],
        also: str | None = None,
    ) -> Line:
        dims = self.lowered.dimensions
        names = (self.lowered.result, by) if also is None else (by, also)
        marks = ("", "'") if also is None else ("'", "''")
        words: tuple[str, ...] = ()
        beside: dict[str, int] = {}
        for name, mark in zip(names, marks, strict=True):
            found = own_letters(dims[name], self.letters, beside)
            beside |= dict(zip(found, dims[name], strict=True))
            words += tuple(f"{letter}{mark}" for letter in found)
        whole = (*dims[names[0]], *dims[names[1]])
        return Line(
            head, by if also is None else f"{by},{also}", (*axes[0], *axes[1]), words, whole, terms
        )

    def _written(self, lines: list[Line]) -> Written:
        return Written(self.lowered, self.letters, self.symmetric, lines)

    @property
    def derivatives(self) -> dict[str, str]:
        """∂result/∂name for each name, as it is printed."""
        return dict(self.first.texts)

    @property
    def second_derivatives(self) -> dict[str, str]:
        """∂²result/∂one∂two for each pair, "x,A", as it is printed."""
        return dict(self.second.texts)

    @property
    def where(self) -> dict[str, str]:
        """The parts that have a name of their own, each written out."""
        return self.first.where

    @property
    def statement(self) -> str:
        """The formula itself: J = ‖W x − y‖²; as it was typed in where it has no such form."""
        return f"{self.result} = {self.in_notation or safe(self.text)}"

    @cached_property
    def in_notation(self) -> str:
        """The formula in matrix notation, nothing where it has none."""
        notation = Notation(self.lowered, self.letters, self.symmetric)
        try:
            return printed(notation.value(self.lowered.result))
        except LookupError:
            return ""

    # ------------------------------------------------------------------ checks

    @cached_property
    def agreement(self) -> Agreement:
        """Whether all routes agree on the gradient; of an array, on that of its weighted sum."""
        return check(self.forward_pass)

    @cached_property
    def unlike(self) -> dict[str, str]:
        """Each printed line that does not give its array, and why; empty where all do.

        A derivative has the name of its variable, the formula and a part that of its value.
        """
        return self._unlike(self.first, {w: self.array(w) for w in self.wrt})

    @cached_property
    def second_unlike(self) -> dict[str, str]:
        """The same of the second derivatives, beside the Hessian that the ops give."""
        state = self.forward_pass
        arrays = {}
        for line in self.second.lines:
            one, two = line.key.split(",")
            arrays[line.key] = hessian(state, state.cost, one, two).materialise()
        return self._unlike(self.second, arrays)

    def _unlike(self, written: Written, arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
        values, sizes = self._all_values, self.sizes
        found = written.unlike(values, arrays, sizes)
        if self.in_notation:
            axes = self.lowered.dimensions[self.lowered.result]
            words = own_letters(axes, self.letters)
            fault = written.fault(self.in_notation, words, axes, values, self.value, sizes)
            found |= {self.result: fault} if fault else {}
        return found

    @property
    def _all_values(self) -> dict[str, np.ndarray]:
        """The numbers of names, slices and values."""
        selected = {
            made: self._selected(made, which, self.sizes)
            for made, which in self.lowered.selections.items()
        }
        values = self.forward_pass.values
        return selected | {name: np.asarray(value) for name, value in values.items()}

    @property
    def ok(self) -> bool:
        """Whether the routes agree, and every printed line gives its array."""
        return self.agreement.ok and not self.unlike

    @property
    def second_ok(self) -> bool:
        """The same of the second derivatives."""
        return self.agreement.ok and not self.second_unlike


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
