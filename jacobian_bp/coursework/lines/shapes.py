"""numpy's rules for shapes, each with its reason: which axes meet, and what they mean.

Every rule gives the axes of the result, or raises a MisfitError that says which axes of
which sizes met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from ...algebra.axes import Axis
from ...writing.signs import plural, safe
from .literals import item_of
from .meanings import UNKNOWN, Axes

NO_AXIS = Axis(UNKNOWN, 1)
MIXED = "mixed"  # what is called so runs through several axes at once


@dataclass(frozen=True)
class Stretch:
    """numpy repeated operand `side` along an axis that is 1 there, or that it does not have."""

    side: int
    axis: Axis


@dataclass(frozen=True)
class Fit:
    """The axes of a result; what was stretched; which unlike axes met in one size."""

    axes: Axes
    stretched: tuple[Stretch, ...] = ()
    met: tuple[tuple[Axis, Axis], ...] = ()
    turned_nothing: bool = False  # .T of a 1-D array


class MisfitError(Exception):
    """Shapes that numpy refuses; `pairs` are the axes whose sizes differ."""

    def __init__(self, why: str, pairs: Sequence[tuple[Axis, Axis]] = (), one_fits: bool = False):
        super().__init__(why)
        self.why, self.pairs, self.one_fits = why, tuple(pairs), one_fits


def axis_words(axis: Axis) -> str:
    """units of layer 3 (5)"""
    unnamed = "an axis" if axis.size == 1 else f"{MIXED} axis"
    return f"{axis.name or unnamed} ({axis.size})"


def axes_words(axes: Axes) -> str:
    """examples × units of layer 3"""
    return " × ".join(axis.name or ("1" if axis.size == 1 else MIXED) for axis in axes)


def sizes_of(axes: Axes) -> tuple[int, ...]:
    return tuple(axis.size for axis in axes)


def elementwise(op: str, left: Axes, right: Axes) -> Fit:
    """Axes are paired from the right; a pair is equal, or one of it is 1 and is stretched."""
    if not left or not right:  # a number with an array
        return Fit(left or right)
    rank = max(len(left), len(right))
    axes, stretched, met = [], [], []
    pairs: list = []
    for place in range(-rank, 0):
        a = left[place] if len(left) >= -place else None
        b = right[place] if len(right) >= -place else None
        if a is None or b is None:
            kept = b if a is None else a
            assert kept is not None
            stretched += [Stretch(0 if a is None else 1, kept)] if kept.size > 1 else []
        elif a.size == b.size:
            met += _meeting(a, b)
            kept = a if a.name else b
        elif 1 in (a.size, b.size):
            kept = b if a.size == 1 else a
            stretched.append(Stretch(0 if a.size == 1 else 1, kept))
        else:
            kept = a
            pairs.insert(0, (a, b))
        axes.append(kept)
    if pairs:
        words = ", ".join(f"{axis_words(a)} with {axis_words(b)}" for a, b in pairs)
        why = f"{op} pairs axes from the right: {words}; none of them is 1."
        raise MisfitError(why, pairs, one_fits=True)
    return Fit(tuple(axes), tuple(stretched), tuple(met))


def counted(rank: int) -> str:
    """2 axes"""
    return plural(rank, "axis", "axes")


def matmul(left: Axes, right: Axes, op: str = "@") -> Fit:
    """The last axis of the left is summed with the second to last of the right, or its only one."""
    if not left or not right:
        if op != "@":
            return elementwise("*", left, right)
        raise MisfitError("@ takes arrays, not numbers: for a number write *.")
    if op != "@" and max(len(left), len(right)) > 2:
        raise MisfitError(f"{op} of more than 2 axes is not read here: write np.einsum.")
    a, b = left[-1], right[-2] if len(right) > 1 else right[-1]
    if a.size != b.size:
        which = "last" if len(left) > 1 else "only"
        other = {1: "only one", 2: "first"}.get(len(right), "second to last")
        raise MisfitError(
            f"{op} sums the left's {which} axis with the right's {other}: "
            f"{axis_words(a)}, {axis_words(b)}.",
            [(a, b)],
        )
    stack = elementwise(op, left[:-2], right[:-2])
    axes = stack.axes + left[-2:-1] + (right[-1:] if len(right) > 1 else ())
    return Fit(axes, stack.stretched, (*stack.met, *_meeting(a, b)))


def outer(left: Axes, right: Axes) -> Fit:
    """Each entry of the left with each of the right, both flattened first."""
    return Fit((flat(left), flat(right)))


def transpose(axes: Axes) -> Fit:
    """The axes in the other order; of one axis, no change."""
    return Fit(axes[::-1], turned_nothing=len(axes) == 1)


def reduce(axes: Axes, axis: int | tuple[int, ...] | None, keepdims: bool) -> Fit:
    """The axes that a sum or a mean leaves."""
    asked = range(len(axes)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    gone = set()
    for place in asked:
        if not -len(axes) <= place < len(axes):
            known = " and ".join(str(p) for p in range(len(axes))) or "none"
            count = plural(len(axes), "axis", "axes")
            raise MisfitError(f"axis={place} does not exist: the array has {count}, {known}.")
        if place % len(axes) in gone:
            raise MisfitError(f"axis={axis} names one axis twice.")
        gone.add(place % len(axes))
    if keepdims:
        return Fit(tuple(Axis(a.name, 1) if p in gone else a for p, a in enumerate(axes)))
    return Fit(tuple(a for p, a in enumerate(axes) if p not in gone))


def reshape(axes: Axes, shape: tuple[int, ...]) -> Fit:
    """The same entries in another shape; axes keep their meaning where only ones come or go."""
    size, sizes = prod(sizes_of(axes)), list(shape)
    if sizes.count(-1) > 1 or any(s < -1 for s in sizes):
        raise MisfitError(f"reshape{shape}: one size at most is left open, as -1.")
    if -1 in sizes:
        known = -prod(sizes)
        sizes[sizes.index(-1)] = size // known if known else 0
    if prod(sizes) != size:
        raise MisfitError(f"reshape to {shape}: the array has {plural(size, 'entry', 'entries')}.")
    kept = [axis for axis in axes if axis.size > 1]
    if [axis.size for axis in kept] != [s for s in sizes if s > 1]:
        return Fit(tuple(Axis(UNKNOWN, s) for s in sizes))
    left = iter(kept)
    return Fit(tuple(next(left) if s > 1 else NO_AXIS for s in sizes))


def diag(axes: Axes) -> Fit:
    """A vector on the diagonal of a matrix, or the diagonal of a matrix."""
    if len(axes) == 1:
        return Fit((axes[0], axes[0]))
    if len(axes) != 2:
        raise MisfitError(f"np.diag takes 1 or 2 axes, not {len(axes)}.")
    first, second = axes
    met = _meeting(first, second) if first.size == second.size else ()
    return Fit((min(axes, key=lambda axis: axis.size),), met=tuple(met))


def index(axes: Axes, items: str) -> Fit:
    """A new axis of size 1 for each None; a whole slice keeps an axis, a number takes it away."""
    words = items.split(", ")
    if len(words) - words.count("None") > len(axes):
        named = len(words) - words.count("None")
        raise MisfitError(f"[{items}] names {named} axes, the array has {len(axes)}.")
    rest, found = list(axes), []
    for word in words:
        item = item_of(word)
        if item is None:
            found.append(NO_AXIS)
            continue
        axis = rest.pop(0)
        if isinstance(item, slice):
            size = len(range(*item.indices(axis.size)))
            if size == 0:
                raise MisfitError(f"[{items}] leaves nothing of {axis_words(axis)}.")
            found.append(axis if size == axis.size else Axis(UNKNOWN, size))
        elif not -axis.size <= item < axis.size:
            raise MisfitError(f"[{items}]: there is no entry {item} of {axis_words(axis)}.")
    return Fit((*found, *rest))


def kron(left: Axes, right: Axes) -> Fit:
    """Each entry of the left times the whole right: sizes are multiplied, axis by axis."""
    rank = max(len(left), len(right))
    pairs = zip(filled(left, rank), filled(right, rank), strict=True)
    return Fit(tuple(b if a.size == 1 else a if b.size == 1 else _mixed(a, b) for a, b in pairs))


def joined(operands: Sequence[Axes], axis: int, function: str) -> Fit:
    """Arrays side by side along an axis; the other axes are equal."""
    if function == "vstack":
        operands = [(NO_AXIS, *axes) if len(axes) == 1 else axes for axes in operands]
    if function in ("column_stack", "c_"):
        operands = [(*axes, NO_AXIS) if len(axes) == 1 else axes for axes in operands]
    ranks = {len(axes) for axes in operands}
    if function == "c_":
        axis = max(ranks) - 1
    if function == "hstack" and ranks == {1}:
        axis = 0
    if len(ranks) > 1 or not -min(ranks) <= axis < min(ranks):
        shown = ", ".join(str(sizes_of(axes)) for axes in operands)
        raise MisfitError(f"np.{function} takes arrays of as many axes each, not {shown}.")
    place = axis % ranks.pop()
    first = operands[0]
    for other in operands[1:]:
        for number, (a, b) in enumerate(zip(first, other, strict=True)):
            if number != place and a.size != b.size:
                raise MisfitError(
                    f"np.{function} pairs {axis_words(a)} with {axis_words(b)}.", [(a, b)]
                )
    total = Axis(UNKNOWN, sum(axes[place].size for axes in operands))
    kept = first[place] if len(operands) == 1 else total
    return Fit((*first[:place], kept, *first[place + 1 :]))


def where(mask: Axes, first: Axes, second: Axes) -> Fit:
    """Three arrays that broadcast to one shape."""
    inner = elementwise("np.where", first, second)
    outer_ = elementwise("np.where", mask, inner.axes)
    stretched = [Stretch(s.side + 1, s.axis) for s in inner.stretched]
    stretched += [Stretch(0, s.axis) for s in outer_.stretched if s.side == 0]
    return Fit(outer_.axes, tuple(stretched), (*inner.met, *outer_.met))


def filled(axes: Axes, rank: int) -> Axes:
    """As many axes of size 1 in front as make `rank` of them."""
    return (NO_AXIS,) * (rank - len(axes)) + axes


def _mixed(a: Axis, b: Axis) -> Axis:
    return Axis(UNKNOWN, a.size * b.size)


def einsum(subscripts: str, operands: Sequence[Axes]) -> Fit:
    """A letter is one size wherever it stands, or 1; what the output leaves out is summed."""
    left, arrow, out = subscripts.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        arrays = plural(len(operands), "array")
        raise MisfitError(f'"{subscripts}" names {len(terms)} arrays and is given {arrays}.')
    letters: dict[str, Axis] = {}
    met: list[tuple[Axis, Axis]] = []
    for side, (term, axes) in enumerate(zip(terms, operands, strict=True)):
        if len(term) != len(axes):
            count = plural(len(axes), "axis", "axes")
            raise MisfitError(f'"{term}" has {len(term)} letters; array {side + 1} has {count}.')
        for letter, axis in zip(term, axes, strict=True):
            known = letters.setdefault(letter, axis)
            if known.size != axis.size and 1 in (known.size, axis.size):
                letters[letter] = max(known, axis, key=lambda one: one.size)
                continue
            if known.size != axis.size:
                raise MisfitError(
                    f"the letter {letter} is both {axis_words(known)} and {axis_words(axis)}.",
                    [(known, axis)],
                )
            met += _meeting(known, axis)
    if not arrow:
        joined = "".join(terms)
        out = "".join(sorted(c for c in set(joined) if joined.count(c) == 1))
    for letter in out:
        if letter not in letters or out.count(letter) > 1:
            raise MisfitError(
                f'the output "{safe(out)}" has {letter} more often than the inputs do.'
            )
    stretched = [
        Stretch(side, letters[letter])
        for side, (term, axes) in enumerate(zip(terms, operands, strict=True))
        for letter, axis in zip(term, axes, strict=True)
        if axis.size < letters[letter].size
    ]
    return Fit(tuple(letters[letter] for letter in out), tuple(stretched), tuple(met))


def einsum_loops(subscripts: str, operands: Sequence[Axes]) -> tuple[int, ...]:
    """The size of every letter: what np.einsum runs through."""
    terms = subscripts.partition("->")[0].split(",")
    sizes: dict[str, int] = {}
    for term, axes in zip(terms, operands, strict=True):
        for letter, axis in zip(term, axes, strict=True):
            sizes[letter] = max(axis.size, sizes.get(letter, 1))
    return tuple(sizes.values())


def _meeting(a: Axis, b: Axis) -> list[tuple[Axis, Axis]]:
    return [(a, b)] if a.name and b.name and a.name != b.name else []


def flat(axes: Axes) -> Axis:
    """All axes as one, which means what the only wide one means."""
    wide = [axis for axis in axes if axis.size > 1]
    name = wide[0].name if len(wide) == 1 else axes[0].name if len(axes) == 1 else UNKNOWN
    return Axis(name, prod(sizes_of(axes)))
