"""Values as nodes, local Jacobians as links between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import AxisError, Later
from ..writing.signs import dims
from .axes import Axis, primed
from .expression import Delta, Dense, Distinct, Expression, Term
from .spending import require_covered, spend


@dataclass(frozen=True)
class Node:
    """A value of the network: its name and its axes."""

    name: str
    axes: tuple[Axis, ...]

    @property
    def primed(self) -> tuple[str, ...]:
        return primed([axis.name for axis in self.axes])

    @property
    def plain(self) -> tuple[str, ...]:
        """The axes without their prime, a repeated letter still told apart."""
        return tuple(name[:-1] for name in self.primed)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)


@dataclass(frozen=True)
class Link:
    """One local Jacobian ∂target/∂source: its axes and its expression.

    `target` and `source` are positions in a list of nodes that runs from the
    output to the variable, so target < source.
    """

    target: int
    source: int
    out: tuple[str, ...]
    wrt: tuple[str, ...]
    expression: Expression


def identity(out: Sequence[str], wrt: Sequence[str]) -> Expression:
    """δ between each output axis and its variable axis; 1 for a scalar."""
    return Expression.of(*(Delta(o, w) for o, w in zip(out, wrt, strict=True)))


def make_link(
    who: str | Later,
    target: int,
    source: int,
    out: tuple[Axis, ...],
    wrt: tuple[Axis, ...],
    expression: Expression,
) -> Link:
    """A link between two nodes, its summed axes spent and its axes and sizes checked.

    A message names it as `who`. Raises AxisError where an axis has two sizes, stands in no
    factor, or is neither the output's nor the variable's.
    """
    sizes = {axis.name: axis.size for axis in (*out, *wrt)}
    names = [axis.name for axis in (*out, *wrt)]
    first: dict[str, Dense] = {}  # where the size of a summed axis comes from
    for term in expression.terms:
        for factor in term.of(Dense):
            _require_sizes(who, factor, sizes, first)
        _require_equal_sizes(who, term, sizes)
    spent = Expression(tuple(spend(term, names, sizes) for term in expression.terms))
    for term in spent.terms:
        _require_equal_sizes(who, term, sizes)
        for axis in sorted(term.axes - set(names)):
            raise AxisError(
                f"{who}: the term {term} has the axis {axis}, which is neither an axis of the "
                f"output nor of the variable.\n"
                f"  The Jacobian has the axes {', '.join(names) or 'of a scalar'}; "
                "sum the axis out first."
            )
    for term, whole in zip(spent.terms, expression.terms, strict=True):
        require_covered(term, whole, names, who)
    return Link(
        target, source, tuple(a.name for a in out), tuple(a.name for a in wrt), spent.kept()
    )


def _require_equal_sizes(who: str | Later, term: Term, sizes: dict[str, int]) -> None:
    for factor in term.of(Delta) + term.of(Distinct):
        left, right = (sizes.get(axis) for axis in factor.axes)
        if left is not None and right is not None and left != right:
            raise AxisError(
                f"{who}: {factor} joins two axes of different size.\n"
                f"  {factor.left} = {left}\n  {factor.right} = {right}\n"
                "  A delta joins an output axis with the same axis of the variable."
            )


def _require_sizes(
    who: str | Later, factor: Dense, sizes: dict[str, int], first: dict[str, Dense]
) -> None:
    """Each axis of a factor has the size that it has elsewhere; `first` fixed those not known."""
    for axis, size in zip(factor.axes, factor.array.shape, strict=True):
        if axis not in sizes:
            first[axis] = factor
        known = sizes.setdefault(axis, size)
        if known != size:
            where = "the Jacobian has" if axis not in first else f"{_shape_of(first[axis])}, so"
            raise AxisError(
                f"{who}: axis {axis} has two sizes.\n"
                f"  {_shape_of(factor)}, so {axis} = {size}\n"
                f"  {where} {axis} = {known}\n"
                "  Name the axes of the factor in the order of the array's own axes."
            )


def _shape_of(factor: Dense) -> str:
    return f"{factor} has shape {dims(factor.array.shape)}"
