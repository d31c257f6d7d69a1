"""Kronecker deltas and dense factors: what a local Jacobian is made of.

    δ[k,k']       1 where the two axes agree, else 0
    (1−δ[k,k'])   the other way round
    W[k,i']       an array with named axes
    1[k]          constancy along an axis, said aloud
    δ[i,2o+r]     an axis read at a position, and [u≤t], a range (position_factors.py)

A product of factors is a term; an expression is a sum of terms. A term may keep sums
inside: Σ_r K[d,c',r] δ[i',2o+r−1]. Nothing is computed here: an expression is data
that is printed, counted and contracted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import is_
from typing import Any, TypeGuard

import numpy as np

from ..errors import AxisError
from ..numbers.arrays import is_closed, kept, real_array
from ..writing.notebook import page
from ..writing.shown import Shown
from ..writing.signs import dims, fraction, rename
from .axes import Axis, parse_axes, unnamed
from .positions.affine_and_table import Affine, Table
from .positions.position_factors import At, Within

MASK = "1−δ"  # the label of a Distinct that had to become an array


@dataclass(frozen=True)
class Delta:
    """δ[left,right]: 1 where left = right, else a structural zero."""

    left: str
    right: str

    @property
    def axes(self) -> tuple[str, ...]:
        return (self.left, self.right)

    def __str__(self) -> str:
        return f"δ[{self.left},{self.right}]"


@dataclass(frozen=True)
class Distinct:
    """1−δ[left,right]: 0 where left = right, else 1."""

    left: str
    right: str

    @property
    def axes(self) -> tuple[str, ...]:
        return (self.left, self.right)

    def __str__(self) -> str:
        return f"(1−δ[{self.left},{self.right}])"


@dataclass(frozen=True)
class One:
    """1[axis]: the product does not change along this axis."""

    axis: str

    @property
    def axes(self) -> tuple[str, ...]:
        return (self.axis,)

    def __str__(self) -> str:
        return f"1[{self.axis}]"


@dataclass(frozen=True, eq=False)
class Dense:
    """label[axes]: an array, one axis name for each of its axes.

    Where its entries are sums that cancel, such as p − y, `magnitude` holds the
    same sums over absolute values: the scale at which they were rounded. An array
    that a contraction made is `own`: nobody else holds it, so that it may be handed
    out or written to. Whoever keeps an expression takes `Expression.kept()` of it.
    Where the array is a window of another, `read_at` says how it is written: x[c,2o+r].
    """

    label: str
    axes: tuple[str, ...]
    array: np.ndarray
    magnitude: np.ndarray | None = None
    own: bool = False
    read_at: tuple[Affine | Table, ...] = ()

    def absolute(self) -> "Dense":
        """The factor with its magnitude in place of its entries."""
        size = np.abs(self.array) if self.magnitude is None else self.magnitude
        return replace(self, array=size, own=False)

    def __str__(self) -> str:
        if self.label == MASK:
            return f"(1−δ[{','.join(self.axes)}])"
        if self.read_at:
            return f"{self.label}[{','.join(map(str, self.read_at))}]"
        return f"{self.label}[{','.join(self.axes)}]" if self.axes else self.label


Factor = Delta | Distinct | One | Dense | At | Within
_POSITIONS = {At, Within}
Copies = dict[int, tuple[np.ndarray, np.ndarray]]  # an array and its copy, by the array's id


@dataclass(frozen=True)
class Term:
    """coefficient × factor × factor × …, summed over the axes that `sums` names.

    A user says in `sums` how long an axis is that no array has; the rest is filled in
    where the term becomes a local Jacobian.
    """

    factors: tuple[Factor, ...]
    coefficient: float = 1.0
    sums: tuple[Axis, ...] = ()

    @property
    def axes(self) -> set[str]:
        return {axis for factor in self.factors for axis in factor.axes}

    @property
    def has_positions(self) -> bool:
        """Whether a factor speaks of a position."""
        return not _POSITIONS.isdisjoint(map(type, self.factors))

    @property
    def arrays(self) -> list[Any]:
        """The arrays of its dense factors and look-ups, in their order."""
        held = [holder(factor) for factor in self.factors]
        return [part.array for part in held if part is not None]

    def times(self, other: "Term") -> "Term":
        """The product of two terms; a letter that both sum over is one axis."""
        sums = self.sums
        if other.sums:
            sums += tuple([axis for axis in other.sums if axis not in sums])
        return Term(self.factors + other.factors, self.coefficient * other.coefficient, sums)

    def summing(self, kept: Iterable[str], sizes: Mapping[str, int]) -> "Term":
        """The same term, whose sums are all of its axes that are not kept."""
        axes = dict.fromkeys(a for f in self.factors for a in f.axes)
        outer = {*kept}
        sums = tuple(Axis(a, sizes[a]) for a in axes if a not in outer)
        return self if sums == self.sums else replace(self, sums=sums)

    def sizes(self, known: dict[str, int]) -> dict[str, int]:
        """The sizes that are known, and those of the sums inside."""
        return known | {axis.name: axis.size for axis in self.sums} if self.sums else known

    def renamed(self, names: Mapping[str, str]) -> "Term":
        """The same term with other axis names."""
        factors = tuple([_renamed(f, names) for f in self.factors])
        if not self.sums:
            alike = all(map(is_, factors, self.factors))
            return self if alike else Term(factors, self.coefficient)
        sums = dict.fromkeys(Axis(names.get(a.name, a.name), a.size) for a in self.sums)
        return Term(factors, self.coefficient, tuple(sums))

    def of(self, kind: type) -> list:
        """The factors of one kind, in order."""
        return [factor for factor in self.factors if isinstance(factor, kind)]

    def __str__(self) -> str:
        return self.summed_over([axis.name for axis in self.sums])

    def summed_over(self, axes: Iterable[str]) -> str:
        """The product behind a summation sign for each of these axes: Σ_r K[d,c,r] δ[i,2o+r]."""
        signs, words = "".join(f"Σ_{axis} " for axis in axes), self._product()
        return f"−{signs}{words[1:]}" if signs and words.startswith("−") else signs + words

    def _product(self) -> str:
        words = [str(factor) for factor in self.factors]
        if self.coefficient == -1:
            return "−" + (" ".join(words) or "1")
        if self.coefficient != 1 or not words:
            words.insert(0, fraction(self.coefficient).replace("-", "−"))
        return " ".join(words)


@dataclass(frozen=True)
class Expression(Shown):
    """A sum of terms; + and − add terms, * multiplies every pair of them."""

    terms: tuple[Term, ...] = ()

    @classmethod
    def of(cls, *factors: Factor, coefficient: float = 1.0) -> "Expression":
        """The expression of one term."""
        return cls((Term(factors, coefficient),))

    @property
    def sums(self) -> tuple[str, ...]:
        """The letters of the sums inside its terms."""
        return tuple(dict.fromkeys(axis.name for term in self.terms for axis in term.sums))

    @property
    def has_positions(self) -> bool:
        """Whether a factor of a term speaks of a position."""
        return any(not _POSITIONS.isdisjoint(map(type, term.factors)) for term in self.terms)

    @property
    def arrays(self) -> list[Any]:
        """The arrays of its dense factors and look-ups, in their order."""
        if not self.has_positions:
            return [f.array for term in self.terms for f in term.factors if isinstance(f, Dense)]
        return [array for term in self.terms for array in term.arrays]

    @property
    def skeleton(self) -> tuple[Any, ...]:
        """The expression but for its arrays and labels, of one without positions."""
        return tuple(
            [
                (term.coefficient, term.sums, *[(type(f), f.axes) for f in term.factors])
                for term in self.terms
            ]
        )

    def __add__(self, other: "Expression") -> "Expression":
        return Expression(self.terms + other.terms)

    def __sub__(self, other: "Expression") -> "Expression":
        return self + -other

    def __neg__(self) -> "Expression":
        return -1.0 * self

    def __mul__(self, other: "Expression | float") -> "Expression":
        if isinstance(other, Expression):
            return Expression(tuple([a.times(b) for a in self.terms for b in other.terms]))
        number = float(other)
        return Expression(
            tuple([Term(t.factors, t.coefficient * number, t.sums) for t in self.terms])
        )

    __rmul__ = __mul__

    def renamed(self, names: Mapping[str, str]) -> "Expression":
        """The same expression with other axis names."""
        return Expression(tuple([term.renamed(names) for term in self.terms]))

    def holding(self, arrays: Iterable[Any]) -> "Expression":
        """The same expression with other arrays in its factors, in the order of `Term.arrays`."""
        following = iter(arrays)
        return Expression(
            tuple(
                [
                    Term(
                        tuple(
                            [
                                Dense(f.label, f.axes, next(following), None, f.own, f.read_at)
                                if isinstance(f, Dense)
                                else _holding(f, following)
                                for f in term.factors
                            ]
                        ),
                        term.coefficient,
                        term.sums,
                    )
                    for term in self.terms
                ]
            )
        )

    def kept(self, copies: Copies | None = None, new: bool = False) -> "Expression":
        """The same expression for somebody who keeps it: nobody can write to its arrays.

        None is free to be handed out. What an op, or whoever else, could still write to is copied,
        once; `copies` has these by their originals, where several expressions share them.
        Arrays that are `new` have no other holder: they are closed, not copied.
        """
        held: Copies = {} if copies is None else copies
        for term in self.terms:
            for factor in term.factors:
                if isinstance(factor, Dense) and not _is_kept(factor):
                    if not new or factor.own:
                        return Expression(tuple([_kept_term(t, held, new) for t in self.terms]))
                    kept(factor.array, own=True)
                    if factor.magnitude is not None:
                        kept(factor.magnitude, own=True)
        return self

    def relabelled(self, names: dict[str, str]) -> "Expression":
        """The same expression with its arrays under the names that the network gives them."""

        def relabelled(factor: Factor) -> Factor:
            if isinstance(factor, Dense):
                name, size = rename(factor.label, names), factor.magnitude
                return Dense(name, factor.axes, factor.array, size, factor.own, factor.read_at)
            if isinstance(factor, At | Within) and isinstance(factor.position, Table):
                label = rename(factor.position.label, names)
                return factor.reading(replace(factor.position, label=label))
            return factor

        terms = [Term(tuple(map(relabelled, t.factors)), t.coefficient, t.sums) for t in self.terms]
        return Expression(tuple(terms))

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        text = str(self.terms[0])
        for term in self.terms[1:]:
            word = str(term)
            text += f" − {word[1:]}" if word.startswith("−") else f" + {word}"
        return text

    def _repr_html_(self) -> str:
        return page(str(self))


def is_position(factor: Factor) -> TypeGuard[At | Within]:
    """Whether the factor is δ[i,f] or a range [low ≤ f ≤ high]."""
    return type(factor) in _POSITIONS


def holder(factor: Factor) -> Dense | Table | None:
    """What of a factor holds an array."""
    if isinstance(factor, Dense):
        return factor
    if isinstance(factor, At | Within) and isinstance(factor.position, Table):
        return factor.position
    return None


def _holding(factor: Factor, arrays: Iterator[Any]) -> Factor:
    """A position with the next array in place of its table, if it has one."""
    if isinstance(factor, At | Within) and isinstance(factor.position, Table):
        return factor.reading(replace(factor.position, array=next(arrays)))
    return factor


def _is_kept(factor: Dense) -> bool:
    if factor.own or not isinstance(factor.array, np.ndarray):
        return not factor.own  # a stand-in of a tape has no numbers
    return is_closed(factor.array) and (factor.magnitude is None or is_closed(factor.magnitude))


def _kept_term(term: Term, copies: Copies, new: bool) -> Term:
    def once(array: np.ndarray, own: bool = False) -> np.ndarray:
        if id(array) not in copies:
            copies[id(array)] = array, kept(array, own)
        return copies[id(array)][1]

    def factor(old: Factor) -> Factor:
        if not isinstance(old, Dense) or _is_kept(old):
            return old
        array, size = old.array, old.magnitude
        if isinstance(array, np.ndarray):
            array = once(array, old.own or new)
            size = None if size is None else once(size, new)
        return Dense(old.label, old.axes, array, size, False, old.read_at)

    return Term(tuple(map(factor, term.factors)), term.coefficient, term.sums)


@lru_cache(maxsize=256)
def delta(axes: str) -> Expression:
    """The Kronecker delta δ[k,k'] as an expression.

    >>> print(delta("k,k'"))
    δ[k,k']
    """
    return Expression.of(Delta(*_pair(axes, "delta")))


def distinct(axes: str) -> Expression:
    """1 − δ[k,k'], the factor that leaves the diagonal out.

    >>> print(distinct("k,k'"))
    (1−δ[k,k'])
    """
    return Expression.of(Distinct(*_pair(axes, "distinct")))


def one(axis: str) -> Expression:
    """Constancy along an axis, as a factor: 1[k].

    >>> print(2 * one("k"))
    2 1[k]
    """
    names = parse_axes(axis)
    if len(names) != 1:
        raise AxisError(f"one({axis!r}) takes one axis.\n  Write one('k') * one('i') for two.")
    return Expression.of(One(names[0]))


def dense(label: str, array: np.ndarray, magnitude: np.ndarray | None = None) -> Expression:
    """An array with named axes: dense("W[k,i']", W).

    An array with more axes than the label was computed from values that carry axes in
    front, such as the examples: it carries them too, and they need no name here. It is
    copied by whoever keeps the expression, a run or a Jacobian, unless it is closed to
    writing.
    Where the entries are differences, `magnitude` takes them with every sign
    plus, p + y for p − y; a check needs it to know how far rounding may reach.

    >>> print(delta("k,k'") * dense("a[i']", np.zeros(3)))
    δ[k,k'] a[i']
    >>> print(dense("a[i']", np.zeros((5, 3))))
    a[n,i']
    """
    head, axes = read_label(label)
    array = real_array(array, head)
    if array.ndim > len(axes):
        own = [axis.rstrip("'") for axis in axes]
        axes = (*unnamed(array.ndim - len(axes), own), *axes)
    if array.ndim != len(axes):
        raise AxisError(
            f"dense({label!r}): the label has {len(axes)} axes, "
            f"the array has shape {dims(array.shape)}.\n"
            "  Name every axis of the array; axes that are carried in front need no name."
        )
    return Expression.of(Dense(head, axes, array, magnitude))


@lru_cache(maxsize=256)
def read_label(label: str, who: str = "dense") -> tuple[str, tuple[str, ...]]:
    """The name and the axes in "W[k,i']"."""
    head, bracket, tail = label.rpartition("[")
    if not bracket:
        head, tail = label, "]"
    axes = parse_axes(tail.rstrip().removesuffix("]"), f"{who}({label!r})")
    return head.strip(), axes


def _pair(axes: str, who: str) -> tuple[str, str]:
    names = parse_axes(axes, f"{who}({axes!r})")
    if len(names) != 2:
        raise AxisError(f'{who}({axes!r}) takes two axes.\n  Write {who}("k,k\'").')
    return names[0], names[1]


def _renamed(factor: Factor, names: Mapping[str, str]) -> Factor:
    if isinstance(factor, Dense):
        axes = tuple([names.get(axis, axis) for axis in factor.axes])
        if axes == factor.axes:
            return factor
        own = tuple([f.renamed(names) for f in factor.read_at])
        return Dense(factor.label, axes, factor.array, factor.magnitude, factor.own, own)
    if isinstance(factor, One):
        return One(names[factor.axis]) if factor.axis in names else factor
    if isinstance(factor, At | Within):
        return factor.renamed(names)
    left, right = names.get(factor.left, factor.left), names.get(factor.right, factor.right)
    return factor if (left, right) == factor.axes else type(factor)(left, right)
