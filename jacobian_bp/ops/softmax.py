"""Softmax and its logarithm: the Jacobians that are not diagonal.

Both Jacobians have the null vector (1, …, 1): adding one number to every logit
changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, ClassVar

import numpy as np

from ..algebra.axes import parse_axes
from ..algebra.expression import Expression, delta, dense, distinct, one
from ..errors import AxisError, DomainError
from ..numbers.arrays import entry, quiet
from ..numbers.stable import log_softmax, softmax_parts, sum_of_others
from .base import Op, elementwise, elementwise_twice
from .kernels import rows as kernels
from .labels import DISTRIBUTION, PROBABILITIES

MARKS = ("", "'", "''")  # of the class of the output, and of the two of the input


class AlongAxis(Op):
    """An op along one axis: the last, or the one with the name `axis` where it reads it.

    What stands behind that axis keeps its place: entry r reads entry r only, hence δ[r,r'].
    """

    masked: ClassVar["type[AlongAxis] | None"] = None  # the same with a mask, which says so itself
    reasons: Mapping[str, str] = {"z": "all classes share one sum"}
    admits_finite = True
    needs_entries = True
    result = "p"  # what the signature calls its value

    def __init__(self, axis: str | None = None) -> None:
        if axis is not None and (not isinstance(axis, str) or len(parse_axes(axis)) != 1):
            raise AxisError(
                f"{self.name}(axis={axis!r}) names no axis.\n"
                f'  Write one name, such as {self.name}(z, axis="t"), or none for the last axis.'
            )
        self.axis = axis
        self._read(("k",) if axis != "k" else ("j",))  # the last axis, until it meets names

    def _read(self, letters: tuple[str, ...]) -> None:
        """Set the axes that it reads; it goes along the first."""
        self.letters, self.place = letters, -len(letters)
        axes = ",".join(letters)
        self.signature = f"z[{axes}] -> {self.result}[{axes}]"

    def reading(self, count: int) -> Op:
        """The op with a mask where it reads two values: Softmax(z, m)."""
        return self.masked(self.axis) if self.masked and count == 2 else self

    def meeting(self, *axes: tuple[str, ...] | None) -> Op:
        """The same op for values with these axes. AxisError where the one named is not there."""
        names = axes[0]
        if self.axis is None or names is None:
            return self
        if self.axis not in names:
            has = f"has the axes {','.join(names)}" if names else "is one number"
            which = " or ".join(f'axis="{name}"' for name in names) or "no axis"
            raise AxisError(
                f"it goes along {self.axis}; z {has}, and no {self.axis}.\n  Write {which}, or "
                'name the axes that data has in front: axes={"x": "n,t"}.'
            )
        inside = names[names.index(self.axis) :]
        if inside == self.letters:
            return self
        met = copy(self)
        met._read(inside)
        return met

    def last(self, array: np.ndarray) -> np.ndarray:
        """The array with the axis that the op goes along moved to the end."""
        return array if self.place == -1 else np.moveaxis(array, self.place, -1)

    def back(self, array: np.ndarray) -> np.ndarray:
        """What `last` moved, in its place again."""
        return array if self.place == -1 else np.moveaxis(array, -1, self.place)

    def by_last(self, function: Callable[[Any], Any], z: Any) -> Any:
        """A peer's function, which goes along the last axis, along the axis of the op."""
        if self.place == -1:
            return function(z)
        return function(z.swapaxes(self.place, -1)).swapaxes(self.place, -1)

    def here(self, label: str, array: np.ndarray, prime: str = "") -> Expression:
        """label[k,r], or at the other class label[k',r], the classes being along the first axis."""
        own, *others = self.letters
        return dense(f"{label}[{','.join([own + prime, *others])}]", array)

    @property
    def pair(self) -> str:
        """k,k': the class of the output, and that of the input."""
        return f"{self.letters[0]},{self.letters[0]}'"

    def others(self) -> Expression:
        """δ[r,r'] for each axis behind the one that the op goes along."""
        return elementwise(",".join(self.letters[1:]))

    def others_twice(self) -> Expression:
        """δ[r,r'] δ[r,r''] for each of these axes."""
        return elementwise_twice(",".join(self.letters[1:]))

    def admit(self, names, z):
        require_live_rows(z, names["z"], self.place)
        return (z,)

    def __repr__(self) -> str:
        return f"{self.name}({'' if self.axis is None else f'axis={self.axis!r}'})"


class Softmax(AlongAxis):
    """Class probabilities along the last axis, or along `axis`.

        p[k] = exp z[k] / Σ_j exp z[j]
        ∂p/∂z = p[k] δ[k,k'] − p[k] p[k']
        ∂²p/∂z² = p[k] ((δ[k,k'] − p[k']) (δ[k,k''] − p[k'']) − p[k'] (δ[k',k''] − p[k'']))

    Written below as δ p(1−p) − (1−δ) p p': on the diagonal p − p² would cancel
    where p is near 1, so 1−p is summed from the other classes. With a mask it is
    Softmax(z, m): see MaskedSoftmax.

    >>> Softmax(axis="t").meeting(("n", "t", "k")).signature
    'z[t,k] -> p[t,k]'
    """

    formula = "softmax(z)"
    activation = "softmax"
    compiled_as = kernels.softmax
    admits_finite = True
    gives: tuple[str, ...] = (PROBABILITIES, DISTRIBUTION)

    def _read(self, letters):
        super()._read(letters)
        if self.place < -1:  # a loss reads along the last axis
            self.gives = (PROBABILITIES,)

    def forward(self, z):
        return self.back(softmax_parts(self.last(z))[0])

    def jacobians(self, z):
        p, rest = map(self.back, softmax_parts(self.last(z)))
        diagonal = delta(self.pair) * self.here("p", p) * self.here("(1−p)", rest)
        off = distinct(self.pair) * self.here("p", p) * self.here("p", p, "'")
        return {"z": self.others() * (diagonal - off)}

    @quiet
    def second(self, z):
        p, rest = map(self.back, softmax_parts(self.last(z)))
        own, *others = self.letters
        at = [",".join([own + mark, *others]) for mark in MARKS]
        found = softmax_bend(p, rest, own, at)
        return {("z", "z"): self.others_twice() * found}

    @quiet
    def vjp(self, p_bar, z):
        p, bar = softmax_parts(self.last(z))[0], self.last(p_bar)
        return {"z": self.back(p * (bar * sum_of_others(p) - sum_of_others(p * bar)))}

    def stages(self):
        """By exp z; and by exp of what is left of z when its largest is taken away."""
        own, *others = self.letters
        whole, rest = ",".join(self.letters), ",".join(others)
        wide = f"'a[{whole}], b[{rest}] -> c[{whole}]'"
        ends = f'total = Sum(exps, over="{own}")', f"p = Divide(exps, total, {wide})"
        away = f'top = Max(z, over="{own}")', f"shifted = Subtract(z, top, {wide})"
        return (
            (f"exps = Exp(z, '{whole}')", *ends),
            (*away, f"exps = Exp(shifted, '{whole}')", *ends),
        )

    def peer(self, xp, z):
        return self.by_last(xp.softmax, z)


class LogSoftmax(AlongAxis):
    """Logarithm of the class probabilities along the last axis, or along `axis`.

        l[k] = z[k] − log Σ_j exp z[j]
        ∂l/∂z = δ[k,k'] − p[k'],  ∂²l/∂z² = −1[k] (p[k'] δ[k',k''] − p[k'] p[k''])

    Written below as δ (1−p) − (1−δ) p', for the reason given at Softmax. With a mask it is
    LogSoftmax(z, m): see MaskedLogSoftmax.
    """

    formula = "log softmax(z)"
    result = "l"

    def forward(self, z):
        return self.back(log_softmax(self.last(z)))

    def jacobians(self, z):
        p, rest = map(self.back, softmax_parts(self.last(z)))
        diagonal = delta(self.pair) * self.here("(1−softmax(z))", rest)
        off = distinct(self.pair) * one(self.letters[0]) * self.here("softmax(z)", p, "'")
        return {"z": self.others() * (diagonal - off)}

    @quiet
    def second(self, z):
        p, rest = map(self.back, softmax_parts(self.last(z)))
        own, *others = self.letters
        found = one(own) * covariance(p, rest, own, others)
        return {("z", "z"): -1 * self.others_twice() * found}

    @quiet
    def vjp(self, l_bar, z):
        p, bar = softmax_parts(self.last(z))[0], self.last(l_bar)
        return {"z": self.back(bar * sum_of_others(p) - p * sum_of_others(bar))}

    def peer(self, xp, z):
        return self.by_last(xp.log_softmax, z)


def softmax_bend(
    p: np.ndarray, rest: np.ndarray, own: str, at: Sequence[str], label: str = "p"
) -> Expression:
    """∂²p[k]/∂z[k']∂z[k''] of one row, no product of it a difference: the cases of equal classes.

    `rest` is 1−p, `own` the axis of the classes, and `at` the axes of p at the three of them.
    """
    here, there, beyond = (dense(f"{label}[{axes}]", p) for axes in at)
    bend, bend_there = (
        dense(f"({label}(1−2{label}))[{axes}]", p * (rest - p), p * (rest + p)) for axes in at[:2]
    )
    pairs = f"{own},{own}'", f"{own},{own}''", f"{own}',{own}''"
    first, second, both = map(delta, pairs)
    apart, beside, between = map(distinct, pairs)
    found = first * second * bend * dense(f"(1−{label})[{at[0]}]", rest)
    found = found - first * beside * bend * beyond - second * apart * bend * there
    found = found - both * apart * here * bend_there
    return found + 2 * (apart * beside * between) * here * there * beyond


def covariance(
    p: np.ndarray, rest: np.ndarray, own: str = "k", others: Sequence[str] = ()
) -> Expression:
    """p[k'] δ[k',k''] − p[k'] p[k'']: on the diagonal p (1−p), with 1−p from the other classes.

    `rest` is 1−p, `own` the axis of the classes; the `others` are those behind it.
    """
    there, beyond = (",".join([own + mark, *others]) for mark in ("'", "''"))
    pair = f"{own}',{own}''"
    first, label = dense(f"softmax(z)[{there}]", p), "(1−softmax(z))"
    diagonal = delta(pair) * first * dense(f"{label}[{there}]", rest)
    return diagonal - distinct(pair) * first * dense(f"softmax(z)[{beyond}]", p)


def first_row(dead: np.ndarray, name: str, place: int) -> str:
    """z[1], or z[1,:,2]: the first of the rows along an axis that are dead, as numpy writes it."""
    if not dead.ndim:
        return entry(name, ())
    row = list(map(int, np.argwhere(dead)[0]))
    if place == -1:
        return entry(name, tuple(row))
    where: list[object] = [*row]
    where.insert(dead.ndim + 1 + place, ":")
    return f"{name}[{','.join(map(str, where))}]"


def require_live_rows(z: np.ndarray, name: str, place: int = -1) -> None:
    """Refuse a row of logits along an axis that are all −inf: no class is left to share out."""
    dead = np.asarray(np.isneginf(z).all(axis=place))
    if z.size and dead.any():
        raise DomainError(
            f"{first_row(dead, name, place)}: all {z.shape[place]} logits are -inf, so no class "
            "has a probability.\n  Leave at least one class unmasked."
        )
