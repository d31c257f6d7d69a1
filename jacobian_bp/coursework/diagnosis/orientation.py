"""Which way round a whole submission is written: a layout is what its arrays agree on.

Each array votes, by its shape or by its numbers: a weight gradient as (inputs, outputs) is
a layout if all are, one alone included, and so is a delta with the examples in columns. Where
they disagree no layout explains them, and the turned ones are mistakes. A square array that
is wrong, or its own transpose, has no vote. The exercises are judged by the same rule.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from .diagnosis import Key
from .evidence.earlier import nearest
from .evidence.matching import Precision, is_right
from .evidence.readings import OWN_SHAPE
from .mutations.mutation import Facts

FOR, UNCLEAR, AGAINST = 1, 0, -1


class Orientation:
    """Reads off the arrays handed in whether gradients, or deltas, are all turned round."""

    def __init__(
        self,
        facts: Facts,
        truth: Mapping[str, np.ndarray],
        arrays: Mapping[Key, np.ndarray],
        exact: Mapping[Key, Precision],
    ) -> None:
        self.facts, self.truth, self.exact = facts, truth, exact
        self.arrays = {key: S for key, S in arrays.items() if isinstance(key, str)}

    def weights_turned(self, layout: str) -> bool:
        """Whether the gradients by matrices come transposed: a layout, then, not a mistake.

        Where another layout than the parameter's own is declared, it is the one asked for.
        """
        if layout not in OWN_SHAPE:
            return False
        batched = self.facts.state.batched
        matrices = [k for k in self.arrays if k not in batched and self.truth[k].ndim == 2]
        return agreed([self._vote(key, self._weight) for key in matrices])

    def in_columns(self) -> bool:
        """Whether the deltas come with the examples in columns."""
        batched = self.facts.state.batched
        deltas = [k for k in self.arrays if k in batched and self.truth[k].ndim == 2]
        votes = [self._vote(key, self._delta) for key in deltas]
        return agreed(votes)

    def _vote(self, key: str, meant: Callable[[str], Iterator[np.ndarray]]) -> int:
        S, right = self.arrays[key], self.truth[key]
        told = by_shape(S.shape, right.shape)
        if told is not None:
            return told
        if S.shape != right.shape:
            return UNCLEAR
        for array in meant(key):
            if is_right(S.T, array, self.exact[key]):
                return UNCLEAR if is_right(S, array, self.exact[key]) else FOR
            if is_right(S, array, self.exact[key]):
                return AGAINST
        return UNCLEAR

    def _weight(self, key: str) -> Iterator[np.ndarray]:
        """The right gradient, and the one that the student's own deltas lead to."""
        yield self.truth[key]
        deltas = {k: a for k, a in self._own() if k not in self.facts.params}
        try:
            own = nearest(self.facts.backward, key, deltas)
            followed = np.asarray(self.facts.backward.value(key, {}, own))
        except (ValueError, IndexError):
            return
        yield followed
        yield followed / max(self.facts.examples, 1)  # of deltas without the 1/m

    def _delta(self, key: str) -> Iterator[np.ndarray]:
        """The right delta, also without the 1/m of the mean."""
        yield self.truth[key]
        yield self.facts.examples * self.truth[key]

    def _own(self) -> Iterator[tuple[str, np.ndarray]]:
        """What was handed in, in the shape that it has in the network."""
        for key, S in self.arrays.items():
            shape = self.truth[key].shape
            if S.shape in (shape, shape[::-1]):
                yield key, S if S.shape == shape else S.T


def by_shape(shape: tuple[int, ...], right: tuple[int, ...]) -> int | None:
    """The vote of an array by its shape alone; None where a square one has to be looked into."""
    if right == right[::-1]:
        return None
    return FOR if shape == right[::-1] else AGAINST if shape == right else UNCLEAR


def agreed(votes: list[int]) -> bool:
    """At least one for it, and none against it."""
    return any(vote > 0 for vote in votes) and all(vote >= 0 for vote in votes)
