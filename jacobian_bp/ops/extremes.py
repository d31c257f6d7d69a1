"""Max and Min: the largest and the least entry along the examples, or along named axes."""

from collections.abc import Mapping

import numpy as np

from ..algebra.axes import BATCH
from ..algebra.expression import Expression
from ..algebra.written_positions import at
from ..errors import DomainError
from .base import elementwise
from .reductions import Reduction


class Extreme(Reduction):
    """What Max and Min share; each says which entry it chooses, and how that is called."""

    which = ""

    def _say(self, over):
        self.formula = f"the {self.which} of L" + (
            "" if over == (BATCH,) else f" over {','.join(over)}"
        )
        self.reasons: Mapping[str, str] = {"L": f"the {self.which} entry is passed on, no other"}

    def chosen(self, rows: np.ndarray) -> np.ndarray:
        """The place in each row of the entry that is passed on, the first of equal ones."""
        raise NotImplementedError(self.name)

    def forward(self, L):
        return np.take_along_axis(self._rows(L), self._places(L)[..., None], axis=-1)[..., 0].copy()

    def jacobians(self, L):
        """Entry a[k] along each axis: the place was chosen by the values."""
        letters = self.parsed.inputs[0].axes
        sizes = [L.shape[place] for place in self.summed]
        places = np.unravel_index(self._places(L), sizes)
        found: Expression = elementwise(self.kept)
        for axis, label, place in zip(self.summed, "aeghpqsw", places, strict=False):
            found = found * at(f"{letters[axis]}' = {label}[{self.kept}]", place, here=True)
        return {"L": found}

    def vjp(self, J_bar, L):
        L_bar = np.zeros(L.shape, np.result_type(J_bar, L))
        rows = np.zeros_like(self._rows(L_bar))
        np.put_along_axis(rows, self._places(L)[..., None], np.asarray(J_bar)[..., None], axis=-1)
        ends = tuple(range(-len(self.summed), 0))
        sizes = [L.shape[place] for place in self.summed]
        L_bar[...] = np.moveaxis(rows.reshape(*rows.shape[:-1], *sizes), ends, self.summed)
        return {"L": L_bar}

    def branch(self, L):
        rows, places = self._rows(L), self._places(L)
        best = np.take_along_axis(rows, places[..., None], axis=-1)
        return np.where((rows == best).sum(axis=-1) > 1, 0, 1 + places)

    def admit(self, names, L):
        letters = self.parsed.inputs[0].axes
        if L.ndim >= len(letters):
            for place in self.summed:
                if L.shape[place] == 0:
                    raise DomainError(
                        f"the {self.which} of {names['L']} over 0 entries along {letters[place]} "
                        "is not defined.\n  Pass at least one."
                    )
        return (L,)

    def _rows(self, L: np.ndarray) -> np.ndarray:
        """The entries that are compared, in a row behind the axes that stay."""
        ends = tuple(range(-len(self.summed), 0))
        moved = np.moveaxis(L, self.summed, ends)
        return moved.reshape(*moved.shape[: moved.ndim - len(ends)], -1)

    def _places(self, L: np.ndarray) -> np.ndarray:
        return np.asarray(self.chosen(self._rows(L)))


class Max(Extreme):
    """The largest entry over the N examples, or over named axes: Max(x, over="t").

        J[k] = max_t L[t,k]
        ∂J/∂L = δ[k,k'] δ[t',a[k]],  a[k] the place of the largest

    One entry is passed on, hence δ[t',a[k]]; it was chosen by the values, so that the others
    are zero for this input. Two equal largest entries are a kink; the first is taken.
    """

    which = "largest"
    kink = "two entries are the largest; the first is taken"

    def chosen(self, rows):
        return rows.argmax(axis=-1)


class Min(Extreme):
    """The least entry over the N examples, or over named axes: Min(x, over="t").

        J[k] = min_t L[t,k]
        ∂J/∂L = δ[k,k'] δ[t',a[k]],  a[k] the place of the least

    The rest as in Max.
    """

    which = "least"
    kink = "two entries are the least; the first is taken"

    def chosen(self, rows):
        return rows.argmin(axis=-1)
