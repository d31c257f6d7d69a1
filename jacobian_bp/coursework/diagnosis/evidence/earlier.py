"""What came before an object: the student's own wrong arrays, and the mistakes found in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..mutations.mutation import Facts
from ..passes.backward import Backward
from .search import Context, Hypothesis

MOST_CONTEXTS = 6


@dataclass(eq=False)
class Earlier:
    """The wrong objects so far; `contexts` says what an object is to be judged from."""

    facts: Facts
    deltas: dict[str, np.ndarray] = field(default_factory=dict)
    units: dict[str, np.ndarray] = field(default_factory=dict)  # half units of rounded deltas
    jacobians: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    mistakes: list[Hypothesis] = field(default_factory=list)  # in deltas not handed in
    decays: list[float] = field(default_factory=list)  # λ that another parameter has shown
    factors: list[Hypothesis] = field(default_factory=list)  # an earlier gradient is off by these

    def remember(self, key: str, array: np.ndarray, best: Hypothesis | None) -> None:
        """A wrong delta is the student's own from here on; a mistake is made from here on."""
        params = self.facts.params
        if best is not None and best.labels[0] == "weight-decay" and best.factor:
            self.decays.append(best.factor)
        if key not in params:
            self.deltas[key] = array
        elif best is not None and best.factor and not best.changes and best.by:
            if "weight-decay" not in best.labels:
                self.factors.append(best)
        elif best is not None and any(target not in params for target, _, _ in best.changes):
            self.mistakes = [*self.mistakes, best][:MOST_CONTEXTS]

    def contexts(self, key: str) -> Iterator[tuple[Context, Hypothesis | None]]:
        """Own Jacobians put in, own deltas put in, then the mistakes of earlier gradients."""
        own = nearest(self.facts.backward, key, self.deltas)
        for (of, wrt), array in reversed(self.jacobians.items()):
            pulled = self._pulled(of, wrt, array) if wrt not in own else None
            if pulled is not None and wrt in self.facts.backward.needed(key):
                yield Context({**own, wrt: pulled}, {}, (f"∂{of}/∂{wrt}",)), None
        if own:
            yield Context(own, {}, tuple(own)), None
        for cause in self.mistakes:
            yield Context(own, cause.changes, tuple(own)), cause

    def _pulled(self, of: str, wrt: str, jacobian: np.ndarray) -> np.ndarray | None:
        """The delta of `wrt` by the student's Jacobian, where every path goes through `of`."""
        backward = self.facts.backward
        if of not in backward.base or of == wrt:
            return None
        right = self.facts.state.jacobian(of, wrt).materialise("numerator")
        rank = self.facts.values[of].ndim
        through = np.tensordot(backward.base[of], right, rank)
        # two sums of ours: what is handed in is judged by its precision, not by this
        if not np.allclose(through, backward.base.get(wrt, np.nan), rtol=1e-9, atol=1e-14):
            return None
        delta = backward.value(of, {}, nearest(backward, of, self.deltas, itself=True))
        return np.asarray(np.tensordot(delta, jacobian, rank))


def nearest(
    backward: Backward, key: str, deltas: Mapping[str, np.ndarray], itself: bool = False
) -> dict[str, np.ndarray]:
    """The own deltas that `key` is computed from directly, none behind another."""
    if itself and key in deltas:
        return {key: deltas[key]}
    found, waiting, seen = {}, [key], {key}
    while waiting:
        for line in backward.to.get(waiting.pop(), ()):
            source = line.source
            if source in deltas:
                found[source] = deltas[source]
            elif source not in seen:
                seen.add(source)
                waiting.append(source)
    return found
