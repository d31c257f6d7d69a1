"""What steps say of slopes and of bends: their arrays, each once, and how all else looks.

An op of this package says the same terms at all numbers of one shape. So at other numbers the
arrays alone are had, and many of them are there: the ∂z/∂a of a layer is its W.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Any

import numpy as np

from ..algebra.expression import Expression
from ..numbers.arrays import kept
from ..program.bends import raw_bends_in_silence
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.structured import arrays_of, look_of

Said = Mapping[Any, Expression]


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
        if state.program.knows_zeros or not all(step.op.keeps_terms for step in self.steps):
            return None
        names = [""] * len(self.arrays)
        asked: list[tuple[str, Step, list[tuple[int, int]]]] = []
        following = iter(self.seats)
        for what, every in (("jacobians", self.slopes), ("second", self.bends)):
            for step, said in zip(self.steps, every, strict=True):
                inputs = {id(state.values[arg]): arg for arg in step.args}
                places = []
                for place, array in enumerate(arrays_of(said.values())):
                    seat = next(following)
                    names[seat] = names[seat] or inputs.get(id(array), "")
                    if not names[seat]:
                        places.append((seat, place))
                asked += [(what, step, places)] * bool(places)
        options = [(vars(step.op), tuple(vars(step.op).values())) for step in self.steps]
        return Again(names, asked, options)


@dataclass(frozen=True, eq=False)
class Again:
    """How the arrays of some answers are had at other numbers of the same shapes.

    `names` says of each which value it is, if it is one. The others are `asked` for: of a step,
    with their seats, and their places in what the op says. `options` are what the ops were made
    with, and what that was.
    """

    names: Sequence[str]
    asked: Sequence[tuple[str, Step, Sequence[tuple[int, int]]]]
    options: Sequence[tuple[Mapping[str, Any], Sequence[Any]]]

    def arrays(self, state: Pass) -> list[np.ndarray] | None:
        """The arrays at the numbers of `state`; None where an op's options have been changed."""
        for now, then in self.options:
            if len(now) != len(then) or not all(map(is_, now.values(), then)):
                return None
        found: list[Any] = [*map(state.values.get, self.names)]
        for what, step, places in self.asked:
            said = arrays_of(getattr(step.op, what)(*state.inputs_of(step)).values())
            for seat, place in places:
                found[seat] = kept(said[place], own=True)  # it is new, or it is the pass's own
        return found
