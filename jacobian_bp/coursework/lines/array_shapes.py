"""The shapes and the numbers of what `array_calls` reads: axes moved, joined, contracted."""

from collections.abc import Callable

import numpy as np

from ...algebra.axes import Axis
from . import shapes
from .meanings import UNKNOWN, Axes
from .shapes import Fit, MisfitError, sizes_of
from .tree import Node, short

Array = Callable[[Node, list[np.ndarray]], np.ndarray]
Shape = Callable[[Node, list[Axes]], Fit]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def fit_of(node: Node, axes: list[Axes]) -> Fit:
    """The rule for the shape of one such operation."""
    return SHAPES[node.op](node, axes)


def numbers_of(node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    """What numpy gives."""
    return NUMBERS[node.op](node, arrays)


def _places(node: Node, rank: int, *names: str) -> list[int]:
    """The axes that options name, counted from the front."""
    found = []
    for name in names:
        place = node.option(name)
        if not isinstance(place, int) or not -rank <= place < rank:
            raise MisfitError(f"{short(node)}: the array has {shapes.counted(rank)}.")
        found.append(place % rank)
    return found


def _swapped(node: Node, axes: list[Axes]) -> Fit:
    first, second = _places(node, len(axes[0]), "axis1", "axis2")
    order = list(axes[0])
    order[first], order[second] = order[second], order[first]
    return Fit(tuple(order))


def _moved(node: Node, axes: list[Axes]) -> Fit:
    source, destination = _places(node, len(axes[0]), "source", "destination")
    order = list(axes[0])
    order.insert(destination, order.pop(source))
    return Fit(tuple(order))


def _expanded(node: Node, axes: list[Axes]) -> Fit:
    (place,) = _places(node, len(axes[0]) + 1, "dim")
    return Fit((*axes[0][:place], shapes.NO_AXIS, *axes[0][place:]))


def _squeezed(node: Node, axes: list[Axes]) -> Fit:
    rank = len(axes[0])
    if node.option("axis") is None:
        return Fit(tuple(axis for axis in axes[0] if axis.size > 1))
    (place,) = _places(node, rank, "axis")
    if axes[0][place].size > 1:
        raise MisfitError(f"{short(node)}: {shapes.axis_words(axes[0][place])} has not size 1.")
    return Fit((*axes[0][:place], *axes[0][place + 1 :]))


def _at_least_2d(node: Node, axes: list[Axes]) -> Fit:
    lacking = (shapes.NO_AXIS,) * (2 - len(axes[0]))
    return Fit((*lacking, *axes[0]))


def _inserted(node: Node, axes: list[Axes]) -> Fit:
    """One more entry along an axis; without an axis the array is flat before."""
    whole, values = axes
    whole, place = _along(node, whole)
    if not isinstance(node.option("obj"), int):
        raise MisfitError(f"{short(node)}: one place is read here, such as 0.")
    rest = (*whole[:place], *whole[place + 1 :])
    if len(values) > len(rest) or any(
        a.size not in (1, b.size) for a, b in zip(values[::-1], rest[::-1], strict=False)
    ):
        raise MisfitError(
            f"{short(node)} puts an array of shape {sizes_of(values)} where {sizes_of(rest)} fits."
        )
    return Fit((*whole[:place], Axis(UNKNOWN, whole[place].size + 1), *whole[place + 1 :]))


def _deleted(node: Node, axes: list[Axes]) -> Fit:
    """One entry less along an axis."""
    whole, place = _along(node, axes[0])
    entry, size = node.option("obj"), whole[place].size
    if not isinstance(entry, int) or not -size <= entry < size:
        raise MisfitError(f"{short(node)}: there is no entry {entry}.")
    return Fit((*whole[:place], Axis(UNKNOWN, size - 1), *whole[place + 1 :]))


def _appended(node: Node, axes: list[Axes]) -> Fit:
    if node.option("axis") is None:
        axes = [(shapes.flat(one),) for one in axes]
    (_, place) = _along(node, axes[0])
    return shapes.joined(axes, place, "append")


def _along(node: Node, whole: Axes) -> tuple[Axes, int]:
    if node.option("axis") is None:
        return (shapes.flat(whole),), 0
    (place,) = _places(node, len(whole), "axis")
    return whole, place


def _contracted(node: Node, axes: list[Axes]) -> Fit:
    return shapes.einsum(_as_einsum(node, axes), axes)


def _as_einsum(node: Node, axes: list[Axes]) -> str:
    """np.tensordot(a, b, axes) as the letters of an einsum."""
    left, right = map(len, axes)
    pairs = node.option("axes", 2)
    if isinstance(pairs, int):
        pairs = tuple(range(left - pairs, left)), tuple(range(pairs))
    if len(pairs) != 2 or len(pairs[0]) != len(pairs[1]) or left + right > len(LETTERS):
        raise MisfitError(f"{short(node)}: axes names as many of one array as of the other.")
    first, second = list(LETTERS[:left]), list(LETTERS[left : left + right])
    for a, b in zip(*pairs, strict=True):
        if not (-left <= a < left and -right <= b < right):
            raise MisfitError(f"{short(node)}: axes names an axis that an array does not have.")
        second[b] = first[a]
    kept = [c for c in (*first, *second) if (*first, *second).count(c) == 1]
    return f"{''.join(first)},{''.join(second)}->{''.join(kept)}"


def _inner(node: Node, axes: list[Axes]) -> Fit:
    left, right = axes
    if not left or not right:
        return shapes.elementwise("*", left, right)
    return shapes.matmul(left, right[::-1], op="np.inner") if len(right) < 3 else _no_inner()


def _no_inner() -> Fit:
    raise MisfitError("np.inner of more than 2 axes is not read here: write np.einsum.")


def _scalar_product(node: Node, axes: list[Axes]) -> Fit:
    first, second = (shapes.flat(one) for one in axes)
    if first.size != second.size:
        raise MisfitError(
            f"{short(node)} pairs all entries: {first.size} with {second.size}.",
            [(first, second)],
        )
    return Fit(())


def _like(node: Node, axes: list[Axes]) -> Fit:
    """np.broadcast_to(b2, z2.shape): stretched to the shape of another array."""
    if not node.option("like"):
        raise MisfitError(f"{short(node)}: write the shape of an array, such as z2.shape.")
    fit = shapes.elementwise("np.broadcast_to", axes[0], axes[1])
    if sizes_of(fit.axes) != sizes_of(axes[1]):
        raise MisfitError(f"{short(node)}: the array has more axes than that shape.")
    return fit


SHAPES: dict[str, Shape] = {
    "swapaxes": _swapped,
    "moveaxis": _moved,
    "expand_dims": _expanded,
    "unsqueeze": _expanded,
    "squeeze": _squeezed,
    "atleast_2d": _at_least_2d,
    "insert": _inserted,
    "delete": _deleted,
    "append": _appended,
    "tensordot": _contracted,
    "inner": _inner,
    "vdot": _scalar_product,
    "norm": lambda node, axes: Fit(()),
    "diagflat": lambda node, axes: shapes.diag((shapes.flat(axes[0]),)),
    "broadcast_to": _like,
    "reduce": lambda node, axes: shapes.reduce(
        axes[0], node.option("axis", 0), bool(node.option("keepdims"))
    ),
}


def _tensordot(node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    return np.tensordot(arrays[0], arrays[1], axes=node.option("axes", 2))


NUMBERS: dict[str, Array] = {
    "swapaxes": lambda node, a: np.swapaxes(a[0], node.option("axis1"), node.option("axis2")),
    "moveaxis": lambda node, a: np.moveaxis(
        a[0], node.option("source"), node.option("destination")
    ),
    "expand_dims": lambda node, a: np.expand_dims(a[0], node.option("dim")),
    "unsqueeze": lambda node, a: np.expand_dims(a[0], node.option("dim")),
    "squeeze": lambda node, a: np.squeeze(a[0], axis=node.option("axis")),
    "atleast_2d": lambda node, a: np.atleast_2d(a[0]),
    "insert": lambda node, a: np.insert(a[0], node.option("obj"), a[1], axis=node.option("axis")),
    "delete": lambda node, a: np.delete(a[0], node.option("obj"), axis=node.option("axis")),
    "append": lambda node, a: np.append(a[0], a[1], axis=node.option("axis")),
    "tensordot": _tensordot,
    "inner": lambda node, a: np.inner(*a),
    "vdot": lambda node, a: np.asarray(np.vdot(a[0], a[1])),
    "norm": lambda node, a: np.asarray(np.linalg.norm(a[0])),
    "diagflat": lambda node, a: np.diagflat(a[0]),
    "broadcast_to": lambda node, a: np.broadcast_to(a[0], a[1].shape),
    "reduce": lambda node, a: np.sum(
        a[0], axis=node.option("axis", 0), keepdims=bool(node.option("keepdims"))
    ),
}
