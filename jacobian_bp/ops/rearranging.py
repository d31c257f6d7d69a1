"""Entries moved and chosen by their place: slices, flips, padding, joining, transposing.

Entry o of the result is one entry of the input, whose place is a formula in o: the Jacobian is
that formula in a delta, and contracting with it moves the cotangent back.
"""

from collections.abc import Mapping

import numpy as np

from ..algebra.axes import parse_axes
from ..algebra.expression import Expression
from ..algebra.written_positions import at
from ..errors import AxisError, DomainError
from .base import Op, elementwise
from .windows import per_axis

MOVED: Mapping[str, str] = {"x": "entry o is one entry of x"}


class Slice(Op):
    """A slice of the last axis, as Python counts: Slice(x, 1, None), Slice(x, None, None, -1).

        y[o] = x[start + step·o]
        ∂y/∂x = δ[i',step·o+start]

    Entry o reads one entry, hence the delta. Raises AxisError where the slice is empty, and
    DomainError where it reaches beyond the axis.
    """

    formula = "a slice of x"
    reasons = MOVED
    example = {"start": 1, "step": 2}

    def __init__(self, start: int | None = None, stop: int | None = None, step: int = 1) -> None:
        for name, value in (("start", start), ("stop", stop), ("step", step)):
            if (value is None and name != "step") or (
                type(value) is int and (value or name != "step")
            ):
                continue
            raise DomainError(
                f"Slice({name}) is {value!r}.\n  Write a whole number"
                f"{' other than 0' if name == 'step' else ', or None'}."
            )
        self.start, self.stop, self.step = start, stop, step
        self.signature = f"x[i] -> y[o]; o = {self._length()}"

    def forward(self, x):
        first, end = self._ends(x)
        at = np.arange(first, end, self.step)
        return np.ascontiguousarray(x[..., at])

    def jacobians(self, x):
        return {"x": at(f"i' = {_times(self.step)}o + {self._ends(x)[0]}")}

    def second(self, x):
        return {}

    def vjp(self, y_bar, x):
        x_bar = np.zeros_like(x)
        first, end = self._ends(x)
        x_bar[..., first : end if end >= 0 else None : self.step] = y_bar
        return {"x": x_bar}

    def admit(self, names, x):
        size = x.shape[-1]
        first, end = self._ends(x)
        last = first + (abs(end - first) - 1) // abs(self.step) * self.step
        if not (0 <= first < size and 0 <= last < size):
            wrong = "start" if not 0 <= first < size else "stop"
            raise DomainError(
                f"Slice({wrong}) is {getattr(self, wrong)}; {names['x']} has the places 0 to "
                f"{size - 1} there.\n  Write one from {-size} to {size}, or None for the end."
            )
        return (x,)

    def _length(self) -> str:
        """The number of entries as a rule: (end − first)/step, rounded up."""
        forwards, size = self.step > 0, abs(self.step)
        first = _place(self.start, (0, 0) if forwards else (1, -1))
        end = _place(self.stop, (1, 0) if forwards else (0, -1))
        times, more = end[0] - first[0], end[1] - first[1]
        if not forwards:
            times, more = -times, -more
        more += size - 1
        sign = "+" if more >= 0 else "-"
        text = {
            1: f"i {sign} {abs(more)}" if more else "i",
            0: f"{more}" if more >= 0 else f"0 - {-more}",
            -1: f"{more} - i" if more >= 0 else f"0 - {-more} - i",
        }[times]
        return text if size == 1 else f"({text})//{size}"

    def _ends(self, x: np.ndarray) -> tuple[int, int]:
        """The first place, and the one at which the slice has ended."""
        size, forwards = x.shape[-1], self.step > 0
        first = self.start if self.start is not None else 0 if forwards else size - 1
        end = self.stop if self.stop is not None else size if forwards else -1
        first += size * (self.start is not None and self.start < 0)
        end += size * (self.stop is not None and self.stop < 0)
        return first, end


class Flip(Op):
    """The last axis turned round.

        y[o] = x[D−1−o],  D the number of entries
        ∂y/∂x = δ[i',−o+D−1]

    Entry o reads one entry, counted from the other end, hence the delta.
    """

    formula = "x turned round"
    reasons = MOVED
    signature = "x[i] -> y[o]; o = i"

    def forward(self, x):
        return np.ascontiguousarray(x[..., ::-1])

    def jacobians(self, x):
        return {"x": at(f"i' = -o + {x.shape[-1] - 1}")}

    def second(self, x):
        return {}

    def vjp(self, y_bar, x):
        return {"x": np.ascontiguousarray(np.flip(y_bar, -1))}


class Pad(Op):
    """The last axis with a constant before and after it.

        y[o] = x[o − before], and `value` where there is no such entry
        ∂y/∂x = δ[i',o−before]

    The constants read nothing: o − before lies outside the axis there, a structural zero.
    """

    formula = "x with constants around it"
    reasons: Mapping[str, str] = {"x": "entry o is one entry of x, or a constant"}
    example = {"before": 1, "after": 2}

    def __init__(self, before: int = 0, after: int = 0, value: float = 0.0) -> None:
        per_axis(before, 1, 0, "Pad(before)")
        per_axis(after, 1, 0, "Pad(after)")
        self.before, self.after, self.value = before, after, float(value)
        self.signature = f"x[i] -> y[o]; o = i + {before + after}"

    def forward(self, x):
        around = [(0, 0)] * (x.ndim - 1) + [(self.before, self.after)]
        return np.pad(x, around, constant_values=self.value)

    def jacobians(self, x):
        return {"x": at(f"i' = o - {self.before}")}

    def second(self, x):
        return {}

    def vjp(self, y_bar, x):
        return {"x": y_bar[..., self.before : self.before + x.shape[-1]].copy()}


class Concat(Op):
    """Several values one behind the other, along the last axis.

        c[o] = a[o], then b[o − A],  A the number of entries of a
        ∂c/∂a = δ[o,i'],  ∂c/∂b = δ[o,j'+A]

    Entry o is an entry of one of them, hence a delta that is shifted by what stands before.
    Of three values and more the inputs are named a1, a2, a3, …
    """

    def __init__(self, terms: int = 2) -> None:
        self.names = ("a", "b") if terms == 2 else tuple(f"a{t}" for t in range(1, terms + 1))
        self.letters = ("i", "j") if terms == 2 else tuple(f"i{t}" for t in range(1, terms + 1))
        read = ", ".join(f"{n}[{i}]" for n, i in zip(self.names, self.letters, strict=True))
        self.signature = f"{read} -> c[o]; o = {' + '.join(self.letters)}"
        self.formula = ", ".join(self.names)
        self.formula = f"({self.formula}), one behind the other"
        self.reasons = dict.fromkeys(self.names, "entry o is one entry of one of them")

    options: tuple[str, ...] | None = ()

    def reading(self, count):
        return self if count in (0, 1, len(self.names)) else Concat(count)

    def forward(self, *terms):
        lead = np.broadcast_shapes(*(term.shape[:-1] for term in terms))
        whole = [np.broadcast_to(term, (*lead, term.shape[-1])) for term in terms]
        return np.concatenate(whole, axis=-1)

    def jacobians(self, *terms):
        found: dict[str, Expression] = {}
        before = 0
        for name, letter, term in zip(self.names, self.letters, terms, strict=True):
            found[name] = at(f"o = {letter}' + {before}")
            before += term.shape[-1]
        return found

    def second(self, *terms):
        return {}

    def vjp(self, c_bar, *terms):
        ends = np.cumsum([term.shape[-1] for term in terms])[:-1]
        parts = np.split(c_bar, ends, axis=-1)
        return {
            name: part.sum(axis=tuple(range(part.ndim - term.ndim)))
            if part.ndim > term.ndim
            else part.copy()
            for name, part, term in zip(self.names, parts, terms, strict=True)
        }

    def __repr__(self) -> str:
        return "Concat()"


class Transpose(Op):
    """The axes of an example in another order: Transpose(x, "i,j -> j,i").

        y[j,i] = x[i,j]
        ∂y/∂x = δ[j,j'] δ[i,i']

    Each entry stays what it is; only its place in the array is another.
    """

    formula = "x transposed"
    reasons: Mapping[str, str] = {"x": "the same entry, at another place"}
    example = {"order": "i,j -> j,i"}

    def __init__(self, order: str) -> None:
        self.order = order
        read, arrow, gives = str(order).partition("->")
        before = parse_axes(read, f"Transpose({order!r})") if arrow else ()
        after = parse_axes(gives, f"Transpose({order!r})") if arrow else ()
        if not before or sorted(before) != sorted(after) or len({*before}) < len(before):
            raise AxisError(
                f"Transpose({order!r}) is no order of axes.\n"
                '  Write each axis once on both sides, such as "i,j -> j,i".'
            )
        self.signature = f"x[{','.join(before)}] -> y[{','.join(after)}]"

    def forward(self, x):
        return np.ascontiguousarray(x.transpose(self._places(x.ndim, forwards=True)))

    def jacobians(self, x):
        return {"x": elementwise(",".join(self.parsed.output.axes))}

    def second(self, x):
        return {}

    def vjp(self, y_bar, x):
        return {"x": np.ascontiguousarray(y_bar.transpose(self._places(x.ndim, forwards=False)))}

    def _places(self, rank: int, forwards: bool) -> list[int]:
        before, after = self.parsed.inputs[0].axes, self.parsed.output.axes
        front = rank - len(before)
        pair = (before, after) if forwards else (after, before)
        return [*range(front), *(front + pair[0].index(axis) for axis in pair[1])]


def _place(value: int | None, whole: tuple[int, int]) -> tuple[int, int]:
    """A place as (how often the size, a number): counted from the end where it is negative."""
    if value is None:
        return whole
    return (0, value) if value >= 0 else (1, value)


def _times(step: int) -> str:
    return {1: "", -1: "-"}.get(step, str(step))
