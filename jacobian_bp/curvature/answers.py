"""What steps say of slopes and of bends: their arrays, each once, and how all else looks.

An op of this package says the same terms at all numbers of one shape. So at other numbers the
arrays alone are had, and many of them are there: the ∂z/∂a of a layer is its W.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Any

import numpy as np

from ..algebra.expression import Expression, holder
from ..numbers.arrays import in_silence, kept
from ..program.bends import raw_bends_in_silence
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.structured import arrays_of, look_of

Said = Mapping[Any, Expression]
Spot = tuple[int, int, int]
Numbers = Callable[..., Sequence[np.ndarray]]
Question = tuple[Numbers, Step, Sequence[int]]


@dataclass(frozen=True, eq=False)
class Answers:
    """What some steps say at the numbers of one pass.

    An array that stands in several expressions is one, so that the algebra sees it as one:
    `seats` has its place in `arrays` for each time that it stands.
    """

    steps: tuple[Step, ...]
    slopes: Sequence[Said]
    bends: Sequence[Said]
    arrays: list[np.ndarray]
    seats: Sequence[int]

    @classmethod
    def of(cls, state: Pass, steps: Sequence[Step]) -> "Answers":
        """Every step asked, or what it has said at these numbers before."""
        slopes: list[Said] = [state.raw_in_silence(step) for step in steps]
        bends: list[Said] = [raw_bends_in_silence(state, step) for step in steps]
        every = [array for said in (*slopes, *bends) for array in arrays_of(said.values())]
        first: dict[int, np.ndarray] = {id(array): array for array in every}
        place = {key: seat for seat, key in enumerate(first)}
        seats = [place[id(array)] for array in every]
        return cls(tuple(steps), slopes, bends, [*first.values()], seats)

    @property
    def looks(self) -> tuple[Any, ...]:
        """All but the numbers and labels: what the algebra depends on."""
        return (tuple(self.seats), *map(look_of, (*self.slopes, *self.bends)))

    def again(self, state: Pass) -> "Again | None":
        """How the arrays are had at other numbers; None where an op may say other terms there."""
        every = [step.op for step in self.steps]
        own = any(what in vars(op) for op in every for what in ("jacobians", "second"))
        if own or state.program.knows_zeros or not all(op.keeps_terms for op in every):
            return None
        names = [""] * len(self.arrays)
        following = iter(self.seats)
        wanted: dict[Step, dict[str, list[tuple[int, Spot]]]] = {step: {} for step in self.steps}
        for what, answers in (("jacobians", self.slopes), ("second", self.bends)):
            for step, said in zip(self.steps, answers, strict=True):
                inputs = {id(state.values[arg]): arg for arg in step.args}
                for spot, array in _spots(said):
                    seat = next(following)
                    names[seat] = names[seat] or inputs.get(id(array), "")
                    if not names[seat]:
                        wanted[step].setdefault(what, []).append((seat, spot))
        questions = [q for step, spots in wanted.items() for q in _questions(step, spots)]
        options = [(vars(step.op), (*vars(step.op).values(),)) for step in self.steps]
        return Again(names, questions, options)


def _spots(said: Said) -> Iterator[tuple[Spot, np.ndarray]]:
    """Where arrays stand in what an op says: in which expression, which term, as which factor.

    They come in the order of `arrays_of`.
    """
    for place, expression in enumerate(said.values()):
        for n, term in enumerate(expression.terms):
            for m, factor in enumerate(term.factors):
                held = holder(factor)
                if held is not None:
                    yield (place, n, m), held.array


def _questions(step: Step, wanted: Mapping[str, Sequence[tuple[int, Spot]]]) -> list[Question]:
    """What gives the arrays of a step: its slope and its bend at once where the op has them so."""
    together = getattr(type(step.op), "slope_and_bend", None)
    if together and [*map(len, wanted.values())] == [1, 1]:
        return [(in_silence(together), step, [seat for ((seat, _),) in wanted.values()])]
    found: list[Question] = []
    for what, pairs in wanted.items():
        seats, spots = zip(*pairs, strict=True)
        found.append((_picking(getattr(type(step.op), what), spots), step, seats))
    return found


def _picking(says: Callable[..., Said], spots: Sequence[Spot]) -> Numbers:
    """What an op says, but for the arrays at these spots."""
    says = in_silence(says)

    def picked(*given: Any) -> list[np.ndarray]:
        said = [*says(*given).values()]
        held: list[Any] = [holder(said[place].terms[n].factors[m]) for place, n, m in spots]
        return [one.array for one in held]

    return picked


@dataclass(frozen=True, eq=False)
class Again:
    """How the arrays of some answers are had at other numbers of the same shapes.

    `names` says of each which value it is, if it is one. The others are what `questions` give:
    a function of the op and of what the step reads, and the seats of its arrays. `options` are
    what the ops were made with, and what that was.
    """

    names: Sequence[str]
    questions: Sequence[Question]
    options: Sequence[tuple[Mapping[str, Any], Sequence[Any]]]

    def arrays(self, state: Pass) -> list[np.ndarray] | None:
        """The arrays at the numbers of `state`; None where an op's options have been changed.

        The caller has numpy's warnings off.
        """
        for now, then in self.options:
            if len(now) != len(then) or not all(map(is_, now.values(), then)):
                return None
        found: list[Any] = [*map(state.values.get, self.names)]
        for function, step, seats in self.questions:
            for seat, array in zip(seats, function(step.op, *state.inputs_of(step)), strict=True):
                found[seat] = kept(array, own=True)  # it is new, or the pass's own
        return found
