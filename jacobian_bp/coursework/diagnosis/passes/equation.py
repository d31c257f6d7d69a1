"""A backward line as an equation: a sum of products of factors over named axes.

    ∂J/∂z[n,k']  =  δ[n,k] p[n,k] δ[k,k']  −  δ[n,k] p[n,k] p[n,k']

Every axis that is not one of the target's is summed. Which factor stands there, along which
axes, is data: a line with a factor left out, repeated or replaced is another equation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from .backward import Factor

Axes = tuple[str, ...]
PAIRWISE = 50_000  # products, from which on factors are multiplied two by two
DELTA, MASK = "delta", "mask"  # the roles of what comes in, and of a 1−δ[k,k'] that nobody names
# of zeros and ones that say where a summand goes: δ[i,o+r]; and where the values have chosen it
POSITION, CHOICE = "position", "choice"


@dataclass(frozen=True, eq=False)
class Term:
    """coefficient × factor × factor × …"""

    factors: tuple[Factor, ...]
    coefficient: float = 1.0

    def without(self, factor: Factor) -> "Term":
        """The term with this factor left out."""
        return replace(self, factors=tuple(f for f in self.factors if f is not factor))

    def times(self, factor: Factor) -> "Term":
        """The term with one more factor."""
        return replace(self, factors=(*self.factors, factor))

    def using(self, old: Factor, new: Factor) -> "Term":
        """The term with another factor in the place of one."""
        return replace(self, factors=tuple(new if f is old else f for f in self.factors))

    @property
    def axes(self) -> set[str]:
        return {axis for factor in self.factors for axis in factor.axes}


@dataclass(frozen=True, eq=False)
class Equation:
    """out[axes] = the sum of the terms, each summed over every axis that is not in `out`."""

    out: Axes
    terms: tuple[Term, ...]
    sizes: Mapping[str, int]

    def value(self, incoming: np.ndarray) -> np.ndarray:
        """The sum, with `incoming` as the delta of the step above."""
        parts = [self.part(term, incoming) for term in self.terms]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def part(self, term: Term, incoming: np.ndarray) -> np.ndarray:
        """One term, in the target's axes."""
        number = {axis: place for place, axis in enumerate(self.sizes)}
        operands: list = []
        for factor in term.factors:
            array = incoming if factor.role == DELTA else factor.array
            operands += [array, [number[axis] for axis in factor.axes]]
        there = [axis for axis in self.out if axis in term.axes]
        found = np.asarray(term.coefficient)
        if operands:
            pairwise = self.products(term) > PAIRWISE  # else finding an order takes longest
            places = [number[axis] for axis in there]
            found = term.coefficient * np.einsum(*operands, places, optimize=pairwise)
        shape = tuple(self.sizes[axis] for axis in self.out)
        spread = tuple(slice(None) if axis in there else None for axis in self.out)
        return np.broadcast_to(found[spread], shape)

    def products(self, term: Term) -> int:
        """How many products the term is written out to, all of its axes together."""
        return prod(self.sizes[axis] for axis in term.axes)

    def summed(self, term: Term) -> Axes:
        """The axes over which a term is summed, in their order."""
        return tuple(axis for axis in self.sizes if axis in term.axes and axis not in self.out)

    def without(self, factor: Factor) -> "Equation":
        """Every term without this factor."""
        return replace(self, terms=tuple(term.without(factor) for term in self.terms))

    def using(self, old: Factor, new: Factor) -> "Equation":
        """Another factor in the place of one, in every term."""
        return replace(self, terms=tuple(term.using(old, new) for term in self.terms))

    def times(self, factor: Factor) -> "Equation":
        """One more factor in every term."""
        return replace(self, terms=tuple(term.times(factor) for term in self.terms))

    def but(self, place: int, *terms: Term) -> "Equation":
        """Other terms, or none, in the place of one."""
        return replace(self, terms=(*self.terms[:place], *terms, *self.terms[place + 1 :]))

    def factors(self) -> list[Factor]:
        """Each factor once, in the order of the terms."""
        return list({id(f): f for term in self.terms for f in term.factors}.values())
