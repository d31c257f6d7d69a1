"""Values as nodes, local Jacobians as links between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import AxisError, Later
from ..writing.signs import dims
from .axes import Axis, primed
from .expression import Delta, Dense, Distinct, Expression, Factor, Term, holder, is_position
from .positions.affine_and_table import Table
from .positions.position_factors import At
from .products.spending import require_covered, spend
from .structure.patterns import Patterns, patterns_of

Witness = Axis | Dense | Table  # of the size of an axis


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
        return tuple([name[:-1] for name in self.primed])

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple([axis.size for axis in self.axes])


@dataclass(frozen=True)
class Link:
    """One local Jacobian ∂target/∂source: its axes and its expression.

    `target` and `source` are positions in a list of nodes that runs from the
    output to the variable, so target < source. What a collapse has made of several
    keeps in `stands` which entries can be other than zero at any input.
    """

    target: int
    source: int
    out: tuple[str, ...]
    wrt: tuple[str, ...]
    expression: Expression
    stands: Patterns | None = None

    def between(self, target: int, source: int) -> "Link":
        """The same local Jacobian at other positions."""
        return Link(target, source, self.out, self.wrt, self.expression, self.stands)


def patterns_through(link: Link, shape: Sequence[int]) -> Patterns:
    """Which entries of a link can be other than zero; `shape` is that of both its ends."""
    if link.stands is not None:
        return link.stands
    return patterns_of(
        link.expression, link.out, link.wrt, dict(zip((*link.out, *link.wrt), shape, strict=True))
    )


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
    terms = []
    for term in expression.terms:
        known = _sizes_of(who, term, sizes)
        _require_equal_sizes(who, term, known)
        left = spend(term, names, known)
        _require_equal_sizes(who, left, known)
        _require_no_other_axes(who, left, names)
        terms.append(left.summing(names, known) if left.has_positions else left)
    spent = Expression(tuple(terms))
    for term, whole in zip(spent.terms, expression.terms, strict=True):
        require_covered(term, whole, names, who)
    return Link(
        target, source, tuple(a.name for a in out), tuple(a.name for a in wrt), spent.kept()
    )


def _require_no_other_axes(who: str | Later, term: Term, names: Sequence[str]) -> None:
    """Each axis is the output's, the variable's, or that of a sum that a position is part of."""
    other = term.axes.difference(names)
    if not other:
        return
    inside = {axis for factor in term.factors if is_position(factor) for axis in factor.axes}
    for axis in sorted(other - inside):
        raise AxisError(
            f"{who}: the term {term} has the axis {axis}, which is neither an axis of the "
            f"output nor of the variable.\n"
            f"  The Jacobian has the axes {', '.join(names) or 'of a scalar'}; "
            "sum the axis out first."
        )


def _sizes_of(who: str | Later, term: Term, outer: dict[str, int]) -> dict[str, int]:
    """The size of each axis of a term, in which no two arrays disagree."""
    sizes = dict(outer)
    first: dict[str, Witness] = {}  # where the size of a summed axis comes from
    for inner in term.sums:
        _require_size(who, inner.name, inner.size, inner, sizes, first)
    for factor in term.factors:
        held = holder(factor)
        if held is not None:
            for axis, size in zip(held.axes, held.array.shape, strict=True):
                if sizes.get(axis) != size:
                    _require_size(who, axis, size, held, sizes, first)
    if term.has_positions:
        for factor in term.factors:
            _require_known(who, factor, sizes)
    return sizes


def _require_size(
    who: str | Later,
    axis: str,
    size: int,
    witness: Witness,
    sizes: dict[str, int],
    first: dict[str, Witness],
) -> None:
    """An axis has the size that it has elsewhere; `first` says what fixed those not known."""
    if axis not in sizes:
        first[axis] = witness
    known = sizes.setdefault(axis, size)
    if known != size:
        where = "the Jacobian has" if axis not in first else f"{_said(first[axis])}, so"
        raise AxisError(
            f"{who}: axis {axis} has two sizes.\n"
            f"  {_said(witness)}, so {axis} = {size}\n"
            f"  {where} {axis} = {known}\n"
            "  Name the axes of the factor in the order of the array's own axes."
        )


def _said(witness: Witness) -> str:
    if isinstance(witness, Axis):
        return f"sizes has {witness.name}: {witness.size}"
    return f"{witness} has shape {dims(witness.array.shape)}"


def _require_known(who: str | Later, factor: Factor, sizes: dict[str, int]) -> None:
    for axis in factor.axes:
        if axis in sizes:
            continue
        if isinstance(factor, At) and axis == factor.axis:
            raise AxisError(
                f"{who}: {factor} reads the axis {axis}, which is neither the output's nor the "
                f"variable's, and no array has it.\n"
                f"  Write the axis that is read at the position, such as {axis}'."
            )
        raise AxisError(
            f"{who}: axis {axis} of {factor} has no size: no array has it.\n"
            f"  Say how long the sum over it is, such as sizes={{{axis!r}: 3}}."
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
