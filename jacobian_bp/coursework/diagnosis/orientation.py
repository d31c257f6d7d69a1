"""Which way round a whole submission is written, where one square array cannot say it.

Each array votes, by its shape or by its numbers: a weight gradient as (inputs, outputs) is
a layout if all are, and so is a delta with the examples in columns. An array that is wrong
has no vote.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from .diagnosis import Key
from .evidence.earlier import nearest
from .evidence.matching import Precision, is_right
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
        """Whether the weight gradients come transposed: a layout, then, not a mistake."""
        weights = [k for k in self.arrays if k in self.facts.params and self.truth[k].ndim == 2]
        votes = [self._vote(key, self._weight) for key in weights]
        if layout == "transposed":
            votes = [-vote for vote in votes]
        return len(weights) > 1 and agreed(votes)

    def in_columns(self) -> bool:
        """Whether the deltas come with the examples in columns; a lone square one cannot say."""
        batched = self.facts.state.batched
        deltas = [k for k in self.arrays if k in batched and self.truth[k].ndim == 2]
        votes = [self._vote(key, self._delta) for key in deltas]
        return len(deltas) > 1 and agreed(votes)

    def _vote(self, key: str, meant: Callable[[str], Iterator[np.ndarray]]) -> int:
        S, right = self.arrays[key], self.truth[key]
        turned = right.shape[::-1]
        if right.shape != turned:
            return FOR if S.shape == turned else AGAINST if S.shape == right.shape else UNCLEAR
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


def agreed(votes: list[int]) -> bool:
    """At least one for it, and none against it."""
    return any(vote > 0 for vote in votes) and all(vote >= 0 for vote in votes)
