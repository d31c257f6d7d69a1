"""The Jacobian of each example by its own data: the delta between examples, spent.

∂a/∂x[n,k,n',i'] = δ[n,n'] σ'(z)[n,k] W[k,i']     of a batch
∂a/∂x[n,k,i']    = σ'(z)[n,k] W[k,i']             of each example
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import AxisError
from .axes import Axis
from .expression import Delta, Expression, One, Term
from .jacobian import Jacobian
from .nodes_and_links import Link, Node
from .products.spending import Spending
from .structure.patterns import Pattern, Patterns
from .structure.relations import AxisKey

REASON = "examples do not mix: what is not 0 has n = n'"


@dataclass(frozen=True, eq=False, repr=False)
class ExampleJacobian(Jacobian):
    """∂of/∂wrt[n,…] of each example n by its own part of wrt; `of_batch` has the axis n' too.

    `pull` and `push` take what those of the batch take, an array for all examples, and give the
    same.
    """

    of_batch: Jacobian | None = None

    @classmethod
    def spent(cls, whole: Jacobian, axis: str) -> "ExampleJacobian":
        """The Jacobian of a batch with δ[n,n'] spent, n being `axis`.

        Raises AxisError where a term has no such delta.
        """
        found = whole.collapse()
        (link,) = found.links or (_nothing(found),)
        other = next(name for name in link.wrt if name.rstrip("'") == axis)
        terms = tuple(
            _without_delta(found.name, term, axis, other) for term in link.expression.terms
        )
        places = link.out.index(axis), link.wrt.index(other)
        wrt_axes = tuple(own for own in found.wrt_axes if own.name != other)
        node = Node(found.wrt, tuple(Axis(a.name.rstrip("'"), a.size) for a in wrt_axes))
        made = Link(
            0,
            1,
            link.out,
            tuple(own.name for own in wrt_axes),
            Expression(terms).kept(),
            None if link.stands is None else _patterns(link.stands, *places),
        )
        step = Spending(str(link.expression), str(made.expression), REASON)
        nodes = (found.nodes[0], node)
        return cls(nodes, (made,), found.out_axes, wrt_axes, found.dtype, (step,), whole)

    def pull(self, cotangent: Any, *, finite: bool = True) -> np.ndarray:
        """For each example n, Σ_k v[n,k] J[n,k,i']: an array like wrt."""
        return self._whole.pull(cotangent, finite=finite)

    def push(self, tangent: Any) -> np.ndarray:
        """For each example n, Σ_i J[n,k,i] u[n,i]: an array like of."""
        return self._whole.push(tangent)

    @property
    def _whole(self) -> Jacobian:
        assert self.of_batch is not None
        return self.of_batch


def _nothing(found: Jacobian) -> Link:
    """What does not depend on the variable: no terms."""
    out, wrt = (tuple(a.name for a in axes) for axes in (found.out_axes, found.wrt_axes))
    return Link(0, 1, out, wrt, Expression())


def _without_delta(name: str, term: Term, axis: str, other: str) -> Term:
    for place, factor in enumerate(term.factors):
        if isinstance(factor, Delta) and {*factor.axes} == {axis, other}:
            rest = term.factors[:place] + term.factors[place + 1 :]
            left = replace(term, factors=rest).renamed({other: axis})
            constant = (One(axis),) if axis not in left.axes else ()
            return replace(left, factors=(*constant, *left.factors))
    raise AxisError(
        f"{name} of each example: the term {term} has no δ[{axis},{other}]; examples mix in it.\n"
        f"  Leave per_example out: {name} of the batch has the axis {other} too."
    )


def _patterns(patterns: Patterns, out: int, wrt: int) -> Patterns:
    """The same with one key for both axes of the examples."""
    names: dict[AxisKey, AxisKey] = {("wrt", wrt): ("out", out)}
    names |= {("wrt", p): ("wrt", p - 1) for p in range(wrt + 1, 64)}

    def named(classes: frozenset[frozenset[AxisKey]]) -> frozenset[frozenset[AxisKey]]:
        joined = (frozenset(names.get(key, key) for key in one) for one in classes)
        return frozenset(one for one in joined if len(one) > 1)

    return frozenset(
        Pattern(
            named(pattern.equal),
            named(pattern.differ),
            frozenset(relation.renamed(names) for relation in pattern.related),
        )
        for pattern in patterns
    )
