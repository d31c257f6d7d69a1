"""A signature meets actual shapes: each axis gets its size, the axes in front their names.

    a[n,t,i], W[k,i], b[k] -> z[n,t,k]      from  a[i], W[k,i], b[k] -> z[k]

A signature names trailing axes. What an array has in front of them is carried by name, and
so does the output have it. Where arrays meet, one carries the last axes of another: p[t,k]
beside x[n,t,k] is the same for every n.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..errors import AxisError, Later
from . import unfitting
from .axes import BATCH, Operand, Signature, unnamed
from .output_sizes import NoSizeError


@dataclass(frozen=True)
class Fronts:
    """The names of the axes of each input, and of the output, those in front included.

    `carried` has those in front of each input, `leading` those in front of the output.
    `signature` has another letter wherever a carried axis has it already; `renamed` are these.
    """

    carried: tuple[tuple[str, ...], ...]
    leading: tuple[str, ...]
    signature: Signature
    renamed: Mapping[str, str]

    @cached_property
    def inputs(self) -> tuple[tuple[str, ...], ...]:
        """All axes of each input."""
        pairs = zip(self.carried, self.signature.inputs, strict=True)
        return tuple((*front, *operand.axes) for front, operand in pairs)

    @cached_property
    def output(self) -> tuple[str, ...]:
        """All axes of the output."""
        return (*self.leading, *self.signature.output.axes)


@dataclass(frozen=True)
class Binding:
    """A signature met with actual shapes: the names of all axes, and the size of each."""

    fronts: Fronts
    sizes: dict[str, int]

    @property
    def carried(self) -> tuple[tuple[str, ...], ...]:
        """The names of the axes in front of each input."""
        return self.fronts.carried

    @property
    def leading(self) -> tuple[str, ...]:
        """The names of the axes in front of the output."""
        return self.fronts.leading

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the output."""
        return tuple([self.sizes[axis] for axis in self.fronts.output])

    @cached_property
    def moulds(self) -> dict[Any, Any]:
        """What local Jacobians look like for these shapes; kept by who casts them."""
        return {}

    def names(self) -> dict[str, str]:
        """What the names that an op writes in its Jacobians become here."""
        op_says = unnamed(len(self.leading), self.fronts.signature.letters)
        found = {**dict(zip(op_says, self.leading, strict=True)), **self.fronts.renamed}
        return {old: new for old, new in found.items() if old != new}


def bind(
    signature: Signature,
    shapes: Sequence[tuple[int, ...]],
    who: str | Later,
    names: Callable[[], Mapping[str, str]] | None = None,
    unbatched: Sequence[str] = (),
    computed: Callable[[], Collection[str]] | None = None,
    known: Sequence[tuple[str, ...] | None] | None = None,
    how_named: Callable[[str, Sequence[str]], str] | None = None,
    kept: dict[Any, Fronts] | None = None,
    op: object = None,
) -> Binding:
    """Give each axis of `signature` its size, or say which two arrays disagree.

    An input with more axes than declared carries those in front, unless it is one of
    `unbatched` (parameters). `known` has the names of each input's axes; one that has none
    takes the names of the array that it meets, and one axis in front that nobody names is
    n. `names` gives what a message calls the inputs, `computed` those of these names that a
    caller cannot pass in another shape, and `how_named` says where a name's axes are named.
    `kept` holds what was found for the same numbers of axes with the same names, and
    `op` keeps the options from which output axes may take their sizes.
    """

    def shown() -> list[Operand]:
        called = names() if names else {}
        return [Operand(called.get(o.name, o.name), o.axes) for o in signature.inputs]

    def instead() -> str:
        """What the op knows to write where these shapes do not fit."""
        ask = getattr(op, "instead", None)
        called = names() if names else {o.name: o.name for o in signature.inputs}
        given = {o.name: tuple(s) for o, s in zip(signature.inputs, shapes, strict=True)}
        return ask(called, given) if ask else ""

    ranks = tuple([len(shape) for shape in shapes])
    key = (ranks, *(known or ()))
    fronts = kept.get(key) if kept is not None else None
    if fronts is None:
        try:
            carried, leading = carried_axes(signature, ranks, unbatched, known)
        except WrongRankError as error:
            made = computed() if computed else ()
            place, may_carry = error.place, error.may_carry
            raise AxisError(
                unfitting.wrong_rank(
                    who, shown(), place, shapes, may_carry, made, how_named, instead()
                )
            ) from None
        for place, front in enumerate(carried):
            if front != leading[len(leading) - len(front) :]:
                longest = carried.index(leading)
                raise AxisError(unfitting.two_fronts(who, shown(), shapes, carried, longest, place))
        renamed = signature.beside(leading) if leading else {}
        fronts = Fronts(carried, leading, signature.renamed(renamed), renamed)
        if kept is not None:
            kept[key] = fronts
    sizes: dict[str, int] = {}
    for axes, shape in zip(fronts.inputs, shapes, strict=True):
        for axis, size in zip(axes, shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                made = computed() if computed else ()
                called = [operand.renamed(fronts.renamed) for operand in shown()]
                pair = _pair(fronts.inputs, shapes, axis)
                raise AxisError(
                    unfitting.two_sizes(
                        who, axis, called, shapes, fronts.carried, pair, made, instead()
                    )
                )
    for rule in signature.rules:
        axis = fronts.renamed.get(rule.axis, rule.axis)
        letters = fronts.renamed
        try:
            sizes[axis] = rule.size_among(sizes, op, letters)
        except NoSizeError as error:
            called = [operand.renamed(letters) for operand in shown()]
            lines = unfitting.size_lines(rule, letters, called, shapes, fronts.carried)
            raise AxisError(f"{who}: {error.told(lines)}") from None
    for axis in fronts.signature.output.axes:
        if axis not in sizes:
            raise AxisError(
                f"{who}: axis {axis} of the output {fronts.signature.output} stands in no input.\n"
                f"  The signature is {signature}; every output axis takes its size from an input,\n"
                f"  or from what stands behind a ';': {axis} = …"
            )
    return Binding(fronts, sizes)


def _pair(
    inputs: Sequence[tuple[str, ...]], shapes: Sequence[tuple[int, ...]], axis: str
) -> tuple[int, int]:
    """The first input that has an axis, and the first that gives it another size."""
    found = [
        (place, size)
        for place, (axes, shape) in enumerate(zip(inputs, shapes, strict=True))
        for name, size in zip(axes, shape, strict=True)
        if name == axis
    ]
    first, known = found[0]
    return first, next(place for place, size in found if size != known)


class WrongRankError(Exception):
    """An array has too few axes, or more in front than it may carry or than have names."""

    def __init__(self, place: int, may_carry: bool) -> None:
        super().__init__(place, may_carry)
        self.place, self.may_carry = place, may_carry


def carried_axes(
    signature: Signature,
    ranks: Sequence[int],
    unbatched: Sequence[str],
    known: Sequence[tuple[str, ...] | None] | None,
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The names of the axes in front of each input, and of those in front of the output."""
    leading: tuple[str, ...] = ()
    found: list[tuple[str, ...] | int] = []  # a number: so many, whose names are not known
    for place, (operand, rank) in enumerate(zip(signature.inputs, ranks, strict=True)):
        extra = rank - len(operand.axes)
        if not extra:
            found.append(())
            continue
        may_carry = operand.name not in unbatched
        axes = known[place] if known else None
        if extra < 0 or not may_carry:
            raise WrongRankError(place, may_carry and not signature.mixes_examples)
        if signature.mixes_examples and (axes is None or BATCH in axes[:extra]):
            raise WrongRankError(place, False)
        front = extra if axes is None else axes[:extra]
        found.append(front)
        if isinstance(front, tuple) and len(front) > len(leading):
            leading = front
    if not leading and 1 in found:
        leading = (BATCH,)
    carried = []
    for place, names in enumerate(found):
        if isinstance(names, int):
            if names > len(leading):
                raise WrongRankError(place, True)
            names = leading[len(leading) - names :]
        carried.append(names)
    return tuple(carried), leading
