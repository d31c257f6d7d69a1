"""A computation recorded without numbers, to be replayed on any.

The algebra of a sweep (which delta is spent, what is contracted with what) needs
the shapes and axes of its arrays and none of their entries. Run on stand-ins, it
leaves a tape of array functions; the tape then takes numbers, as often as wanted.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from operator import itemgetter
from typing import Any

import numpy as np

from ..numbers.memory import ALWAYS_THERE, current_limit, is_limited

Function = Callable[..., np.ndarray]


@dataclass(frozen=True, eq=False)
class StandIn:
    """An array of which only shape and dtype are known; `slot` is its place on the tape."""

    tape: "Tape"
    slot: int
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize


@dataclass(frozen=True)
class Call:
    """One function of arrays on the tape, and the slots that nobody reads after it."""

    function: Function
    inputs: tuple[int, ...]
    output: int
    spent: tuple[int, ...] = ()


@dataclass(eq=False)
class Tape:
    """Array functions in the order in which they were called.

    One that `shares` calls a function of the same arrays once, where it is told that it is the
    same: for results that nobody writes to, since two of them may be one array.

    >>> tape = Tape()
    >>> a, b = tape.leaf((2,)), tape.leaf((2,))
    >>> total = apply(np.add, [a, apply(np.multiply, [a, b], (2,))], (2,))
    >>> (found,) = tape.finished([total]).replay([np.array([1.0, 2.0]), np.array([3.0, 5.0])])
    >>> found
    array([ 4., 12.])
    """

    calls: list[Call] = field(default_factory=list)
    fixed: dict[int, np.ndarray] = field(default_factory=dict)
    leaves: list[int] = field(default_factory=list)
    results: tuple[int, ...] = ()
    sizes: list[int] = field(default_factory=list)  # entries, by slot
    largest: int = 0  # bytes
    shares: bool = False
    known: dict[Hashable, StandIn] = field(default_factory=dict)

    def leaf(self, shape: Sequence[int], dtype: Any = np.float64) -> StandIn:
        """A stand-in for an array that each replay is given, in the order of these calls."""
        found = self._stand_in(shape, np.dtype(dtype))
        self.leaves.append(found.slot)
        return found

    def record(
        self,
        function: Function,
        arrays: Sequence[Any],
        shape: Sequence[int],
        dtype: np.dtype | None = None,
        what: Hashable = None,
    ) -> StandIn:
        """Note a call; an array that is none of the tape's own is the same in each replay.

        The result has the dtype of its arrays, unless it is given: a look-up has whole numbers.
        Two functions of the same `what` give the same for the same arrays.
        """
        inputs = tuple([self._slot(array) for array in arrays])
        alike = (what, inputs) if self.shares and what is not None else None
        if alike in self.known:
            return self.known[alike]
        if dtype is None:
            dtype = np.result_type(*(array.dtype for array in arrays))
        found = self._stand_in(shape, dtype)
        self.calls.append(Call(function, inputs, found.slot))
        if alike:
            self.known[alike] = found
        self.largest = max(self.largest, prod(found.shape) * found.itemsize)
        return found

    def finished(self, results: Sequence[Any]) -> "Tape":
        """The tape, with what it gives, the calls that it needs, what each is the last to read."""
        self.results = tuple([self._slot(result) for result in results])
        self.calls = _needed(self.calls, self.results, {*self.fixed, *self.leaves})
        return self

    def divided(self, count: int) -> tuple["Tape", "Tape"]:
        """A finished tape as two: what follows from its first `count` leaves alone, and the rest.

        What the first gives is what the second is given, before the other leaves. A result is
        made by the second, so that it is new in each replay; so is what is larger than all that
        it is made of, since the first's results are there to be kept.

        >>> tape = Tape()
        >>> a, b = tape.leaf((2,)), tape.leaf((2,))
        >>> double = apply(np.add, [a, a], (2,))
        >>> first, second = tape.finished([apply(np.add, [double, b], (2,))]).divided(1)
        >>> kept = first.replay([np.array([1.0, 2.0])])
        >>> kept, second.replay([*kept, np.array([3.0, 5.0])])
        ([array([2., 4.])], [array([5., 9.])])
        """
        known = {*self.fixed, *self.leaves[:count]}
        early: list[Call] = []
        for call in self.calls:
            is_known = known.issuperset(call.inputs) and call.output not in self.results
            held = sum(self.sizes[slot] for slot in {*call.inputs})
            if is_known and self.sizes[call.output] <= held:
                early.append(call)
                known.add(call.output)
        made = {call.output for call in early}
        late = [call for call in self.calls if call.output not in made]
        wanted = {*self.results, *(slot for call in late for slot in call.inputs)}
        kept = tuple(sorted(known & wanted - {*self.fixed}))
        first = replace(self, leaves=self.leaves[:count], results=kept)
        first.calls = _needed(early, kept, {*first.fixed, *first.leaves})
        second = replace(self, leaves=[*kept, *self.leaves[count:]])
        second.calls = _needed(late, second.results, {*second.fixed, *second.leaves})
        return first, second

    def fits(self) -> bool:
        """Whether its largest array is within the limit that is in force now."""
        if self.largest <= ALWAYS_THERE and not is_limited():
            return True
        return self.largest <= current_limit()

    def replay(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The results for these numbers; every other array is let go when it was used."""
        values: list[Any] = [None] * len(self.sizes)
        for slot, array in self.fixed.items():
            values[slot] = array
        for slot, array in zip(self.leaves, arrays, strict=True):
            values[slot] = array
        for function, read, output, spent in self._steps:
            values[output] = function(*read(values))
            for slot in spent:
                values[slot] = None
        return [values[slot] for slot in self.results]

    @cached_property
    def _steps(self) -> list[tuple[Function, Callable[..., Any], int, tuple[int, ...]]]:
        """The calls of a finished tape, their parts at hand."""
        return [(c.function, _reader(c.inputs), c.output, c.spent) for c in self.calls]

    def _slot(self, array: Any) -> int:
        if isinstance(array, StandIn):
            return array.slot
        known = self._stand_in(array.shape, array.dtype)
        self.fixed[known.slot] = array
        return known.slot

    def _stand_in(self, shape: Sequence[int], dtype: np.dtype) -> StandIn:
        self.sizes.append(prod(shape))
        return StandIn(self, len(self.sizes) - 1, tuple(shape), dtype)


def apply(
    function: Function,
    arrays: Sequence[Any],
    shape: Sequence[int],
    dtype: np.dtype | None = None,
    what: Hashable = None,
) -> Any:
    """function(*arrays), or its record where an array is a stand-in."""
    for array in arrays:
        if isinstance(array, StandIn):
            return array.tape.record(function, arrays, shape, dtype, what)
    return function(*arrays)


def _reader(slots: tuple[int, ...]) -> Callable[..., Any]:
    """What takes the values in these slots, as a tuple."""
    if len(slots) > 1:
        return itemgetter(*slots)
    return lambda values: [values[slot] for slot in slots]


def _needed(calls: Sequence[Call], results: Sequence[int], given: Collection[int]) -> list[Call]:
    """The calls that some result needs, each with the slots that nobody reads after it."""
    needed, held = {*results}, {*results, *given}
    found: list[Call] = []
    for call in reversed(calls):
        if call.output in needed:
            needed.update(call.inputs)
            spent = tuple({*call.inputs} - held)
            found.append(Call(call.function, call.inputs, call.output, spent))
            held.update(call.inputs)
    return found[::-1]
