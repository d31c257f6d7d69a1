"""Which quantity a value is, up to its transpose and one factor."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity
from .laid_out import CLOSE, NEARLY_ZERO, LaidOut, Match


class Recognised(LaidOut):
    """The right arrays, with what is told from values."""

    def matches(self, value: Any, wanted: Quantity | None = None) -> list[Match]:
        """The quantities that a value is, up to one factor; the wanted one first."""
        if not isinstance(value, np.ndarray | np.generic) or value.dtype == object:
            return []
        array = np.asarray(value, float)
        key = repr(array.shape).encode() + array.tobytes()
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._compared(array)
        return sorted(
            found,
            key=lambda m: (
                m.quantity != wanted,
                m.turned,
                abs(abs(m.factor) - 1) > CLOSE,
                m.factor < 0,
            ),
        )

    def by_chance(self, value: Any, factor: float) -> bool:
        """Whether a multiple proves nothing: of one or two entries, by a number that is not usual.

        One number is a multiple of every other one, and so are the two of p − y of two classes.
        Usual are numbers of three digits, one over these, and both times m, 1/m and 1/m².
        """
        if np.count_nonzero(value) > 2:
            return False
        m = self.per_example
        times = [abs(factor) / unit for unit in (1, m, 1 / m, 1 / m**2)]
        return not any(
            abs(one - float(f"{one:.3g}")) <= CLOSE * one for t in times if t for one in (t, 1 / t)
        )

    def unrolled(self, value: Any) -> bool:
        """Whether a vector is right gradients of parameters, one behind the other."""
        if not isinstance(value, np.ndarray) or value.ndim != 1:
            return False
        right = [a for q, a in self.known.items() if q.is_parameter_gradient]
        pieces = [a.ravel(order) for a in right for order in ("C", "F")]
        start = 0
        while start < value.size:
            for piece in pieces:
                own = value[start : start + piece.size]
                margin = NEARLY_ZERO + CLOSE * np.abs(piece).max()
                if own.shape == piece.shape and np.abs(own - piece).max() <= margin:
                    start += piece.size
                    break
            else:
                return False
        return start > 0

    def _compared(self, array: np.ndarray) -> list[Match]:
        if not array.any() or not np.isfinite(array).all():
            return []
        found = []
        for quantity in self._near_at_its_ends(array):
            right = self.known[quantity]
            for turned, form in self._forms(quantity, right, array):
                if factor := _times(form, right):
                    found.append(Match(quantity, factor, turned))
                    break
        return found + self._of_examples(array) if self.by_example else found

    def _near_at_its_ends(self, array: np.ndarray) -> Iterable[Quantity]:
        """The quantities of which an array may be a multiple: no other is one at three entries."""
        quantities, rows, places = self._of_size.get(array.size, ((), None, None))
        if rows is None or places is None:
            return ()
        each, near = np.arange(len(rows)), np.zeros(len(rows), bool)
        for flat in (array.ravel(), array.T.ravel())[: max(array.ndim, 1)]:
            factors = flat[places] / rows[each, places]
            margins = NEARLY_ZERO * np.abs(flat[places])
            alike = np.isfinite(factors)
            for place in (0, -1):
                due = factors * rows[:, place]
                alike &= np.abs(flat[place] - due) <= 2 * (margins + CLOSE * np.abs(due))
            near |= alike
        return (quantity for quantity, may_be in zip(quantities, near, strict=True) if may_be)

    @cached_property
    def _of_size(self) -> dict[int, tuple[list[Quantity], np.ndarray, np.ndarray]]:
        """The quantities of each number of entries, a row each, and where each is largest."""
        alike: dict[int, list[Quantity]] = {}
        for quantity, right in self.known.items():
            if right.any():
                alike.setdefault(right.size, []).append(quantity)
        found = {}
        for size, quantities in alike.items():
            rows = np.array([self.known[quantity].ravel() for quantity in quantities])
            found[size] = quantities, rows, np.abs(rows).argmax(1)
        return found

    def _of_examples(self, array: np.ndarray) -> list[Match]:
        """The quantities of one example that a value is; one number is none at any factor.

        The factor is 1 or m where it can be: with two classes every p − y is a multiple of another.
        """
        if array.ndim > 1 and array.size != max(array.shape):
            return []
        names, ones = self._ones.get(array.size, ([], np.empty((0, array.size))))
        value = array.ravel()
        factors = ones @ value / np.maximum((ones * ones).sum(1), np.finfo(float).tiny)
        margins = NEARLY_ZERO + CLOSE * np.abs(value).max()
        same = np.flatnonzero(np.abs(factors[:, None] * ones - value).max(1) <= margins)
        found: dict[Quantity, Match] = {}
        for place in same:
            quantity, factor = names[place], float(factors[place])
            usual = any(abs(abs(factor) - m) <= CLOSE * m for m in (1, self.per_example))
            if factor and (usual or (value.size > 1 and quantity not in found)):
                found[quantity] = Match(quantity, factor, False)
        return list(found.values())

    @cached_property
    def _ones(self) -> dict[int, tuple[list[Quantity], np.ndarray]]:
        """Every quantity of every example, by how many entries it has."""
        rows: dict[int, list[tuple[Quantity, np.ndarray]]] = {}
        for quantity in self.known:
            for number in range(self.examples):
                one = self.of_example(quantity, number)
                if one is not None:
                    rows.setdefault(one.size, []).append((quantity, one.ravel()))
        return {
            size: ([quantity for quantity, _ in found], np.array([one for _, one in found]))
            for size, found in rows.items()
        }

    def _forms(
        self, quantity: Quantity, right: np.ndarray, array: np.ndarray
    ) -> list[tuple[bool, np.ndarray]]:
        """The ways in which an array can stand for a quantity."""
        is_bias = quantity.of[0] == "b"
        if array.ndim == 0 and (right.size > 1 or not is_bias):
            return []
        forms: list[tuple[bool, np.ndarray]] = []
        flat = min(array.ndim, right.ndim) < 2
        if array.shape == right.shape:
            forms.append((False, array))
        elif (is_bias and array.size == right.size) or (
            flat and np.squeeze(array).shape == np.squeeze(right).shape
        ):
            forms.append((False, array.reshape(right.shape)))
        if array.ndim == 2 and array.T.shape == right.shape and not is_bias:
            forms.append((True, array.T))
        return forms if forms and right.any() else []


def _times(form: np.ndarray, right: np.ndarray) -> float:
    """How many times the right array a form is; 0 where it is no multiple of it."""
    place = np.unravel_index(np.abs(right).argmax(), right.shape)
    factor = float(form[place] / right[place]) if right[place] else 0.0
    margin = NEARLY_ZERO * abs(factor) * abs(float(right[place]))
    meant = factor * right
    margins = margin + CLOSE * np.abs(meant)
    return factor if (np.abs(form - meant) <= margins).all() else 0.0
