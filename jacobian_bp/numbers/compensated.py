"""Sums of many arrays whose rounding does not grow with their number.

Each addition keeps what it rounds off (Knuth's TwoSum), so that the sum of any number of arrays is
within two units of roundoff of Σ|terms|, in whatever order they come.
"""

from collections.abc import Mapping

import numpy as np

from .arrays import quiet


class Compensated:
    """Named sums of arrays, each with what was rounded off on the way.

    >>> total = Compensated()
    >>> for term in (1e16, 1.0, 1.0, -1e16):
    ...     total.add({"g": np.array([term])})
    >>> total.sums()["g"]
    array([2.])
    """

    def __init__(
        self,
        sums: Mapping[str, np.ndarray] | None = None,
        lost: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self._sums, self._lost = dict(sums or {}), dict(lost or {})

    def add(self, terms: Mapping[str, np.ndarray], times: float = 1) -> None:
        """Add `times` the terms; the arrays given are not kept."""
        for name, term in terms.items():
            self._add(name, term * term.dtype.type(times))

    def join(self, other: "Compensated") -> "Compensated":
        """Both sums as one; what the other has rounded off is kept."""
        for name, term in other._sums.items():
            self._add(name, term)
            self._lost[name] = self._lost[name] + other._lost[name]
        return self

    def parts(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """A sum, and what was rounded off on the way to it."""
        return self._sums[name], self._lost[name]

    def sums(self, divided_by: float = 1) -> dict[str, np.ndarray]:
        """Each sum, new, divided by a number."""
        return {n: (s + self._lost[n]) / s.dtype.type(divided_by) for n, s in self._sums.items()}

    @quiet
    def _add(self, name: str, term: np.ndarray) -> None:
        before = self._sums.get(name)
        if before is None:
            self._sums[name], self._lost[name] = term, np.zeros_like(term)
            return
        now = before + term
        of_term = now - before
        lost = (before - (now - of_term)) + (term - of_term)
        self._sums[name], self._lost[name] = now, self._lost[name] + lost
