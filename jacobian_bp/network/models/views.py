"""Values whose axes in the model are not ours one for one: moved, or several of ours in one.

We keep the examples in front. A model may have tokens there, or examples and heads in one axis; a
view says for each axis of the model which of ours it is, and ours of the examples is 0:

    (1,), (0,), (2,)    tokens in front: (t, n, k)
    (0, 1), (2,)        examples and tokens in one axis: (n·t, k)
    (), (0,), (1,)      an axis of size 1 in front

Moving and joining axes changes the view alone; lines are written where a reader needs the axes of
an example in the order of the model.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any, Protocol

from ...program.step import Step
from .value import Value, View, letters_of

TOKENS_IN_FRONT = ((1,), (0,), (2,))  # of the examples; layers too


class Lines(Protocol):
    """What writes lines: the builder."""

    steps: dict[str, Step]
    axes: dict[str, tuple[str, ...]]

    def letters(self, value: Value) -> list[str]: ...

    def line(
        self,
        called: str,
        op: str,
        reads: Sequence[Value],
        shape: tuple[int, ...],
        *options: Any,
        **named: Any,
    ) -> Value: ...


def view_of(value: Value) -> View:
    """Which of our axes each axis of the model is."""
    return value.view or tuple((axis,) for axis in range(len(value.shape)))


def shape_in_model(value: Value) -> tuple[int, ...]:
    """The shape that the model sees."""
    return tuple(prod(value.shape[axis] for axis in group) for group in view_of(value))


def seen(value: Value, view: View) -> Value:
    """The value in a view; there is none where the model's axes are ours."""
    ours = tuple((axis,) for axis in range(len(value.shape)))
    return replace(value, view=None if view == ours else view)


def examples_in(view: View) -> int:
    """The axis of the model in which the examples are.

    >>> examples_in(((1,), (0, 2), (3,)))
    1
    """
    return next(place for place, group in enumerate(view) if 0 in group)


def is_alone(view: View) -> bool:
    """Whether the examples share their axis of the model with no other."""
    return view[examples_in(view)] == (0,)


def settled(b: Lines, called: str, value: Value) -> Value:
    """The value with the axes of an example as the model has them: in its order, each for itself.

    What is left to the view is where the examples stand, and what shares their axis.
    """
    if value.view is None:
        return value
    order = [axis for group in value.view for axis in group if axis]
    base = turned(b, called, replace(value, view=None), [axis - 1 for axis in order])
    now = {0: 0, **{axis: place for place, axis in enumerate(order, start=1)}}
    sizes: list[int] = []
    view: list[tuple[int, ...]] = []
    for group in value.view:
        own = [base.shape[now[axis]] for axis in group if axis]
        if 0 in group:
            places = iter(range(len(sizes) + 1, len(sizes) + 1 + len(own)))
            view.append(tuple(next(places) if axis else 0 for axis in group))
        else:
            own = [prod(own)]
            view.append((len(sizes) + 1,))
        sizes += own
    if tuple(sizes) != base.example:
        base = reshaped(b, called, base, tuple(sizes))
    return seen(base, tuple(view))


def moved(value: Value, order: Sequence[int]) -> Value:
    """The axes of the model in another order."""
    view = view_of(value)
    return seen(value, tuple(view[place] for place in order))


def regrouped(b: Lines, called: str, value: Value, shape: tuple[int, ...]) -> Value | None:
    """The value in another shape of the model, row by row; None where examples do not stay apart.

    An axis of an example is cut where a new one ends within it; the axis of the examples never.
    """
    left = [(axis, 0, value.shape[axis]) for group in view_of(value) for axis in group]
    cut: dict[int, list[int]] = {axis: [] for axis in range(len(value.shape))}
    groups: list[list[tuple[int, int]]] = []
    for goal in shape:
        groups.append([])
        need = goal
        while left and (need > 1 or (goal == 1 and not groups[-1] and left[0][2] == 1)):
            axis, part, size = left.pop(0)
            if size == 1 and axis and goal > 1:
                continue  # squeezed
            if size > need and size % need == 0 and axis:
                left.insert(0, (axis, part + 1, size // need))
                size = need
            if need % size:
                return None
            cut[axis].append(size)
            groups[-1].append((axis, part))
            need //= size
        if need > 1:
            return None
    if any(size > 1 for _, _, size in left):
        return None
    if any(axis == 0 for axis, _, _ in left):  # one example, whose axis is squeezed
        cut[0].append(1)
        groups[-1:] = [[*(groups[-1] if groups else []), (0, 0)]]
    sizes = tuple(size for axis in sorted(cut) if axis for size in cut[axis])
    base = replace(value, view=None)
    if sizes != base.example:
        base = reshaped(b, called, base, sizes)
    parts = [(axis, part) for axis in sorted(cut) for part in range(len(cut[axis]))]
    place = {part: number for number, part in enumerate(parts)}
    return seen(base, tuple(tuple(place[part] for part in group) for group in groups))


def behind_examples(view: View, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes of an array without examples that meet those of a settled value, from the last.

    None where it goes on beyond the axis of the examples, or has another size than 1 there.
    """
    after = len(view) - 1 - examples_in(view)
    first = len(shape) - after
    if first <= 0:
        return tuple(range(len(shape)))
    if shape[first - 1] != 1:
        return None
    before = [p for p in range(first - 1) if shape[p] != 1]
    if before and not is_alone(view):
        return None
    return (*range(before[0] if before else first, first - 1), *range(first, len(shape)))


def reshaped(b: Lines, called: str, value: Value, sizes: tuple[int, ...]) -> Value:
    """The example of a value in another shape."""
    shape = (*value.shape[: value.batched], *sizes)
    if sizes == ():  # the one entry there is
        words = "".join(letters_of(len(value.example)))
        return b.line(called, "Einsum", [value], shape, f"{words}->")
    return b.line(called, "Reshape", [value], shape, sizes, axes=",".join(b.letters(value)))


def turned(b: Lines, called: str, value: Value, order: Sequence[int]) -> Value:
    """The axes of an example in another order; those in front that stay are left out."""
    if list(order) == sorted(order):
        return value
    letters = b.letters(value)
    first = next(p for p, o in enumerate(order) if p != o) if value.batched else 0
    before, after = letters[first:], [letters[p] for p in order[first:]]
    sizes = tuple(value.example[p] for p in order)
    shape = (*value.shape[: value.batched], *sizes)
    return b.line(called, "Transpose", [value], shape, f"{','.join(before)} -> {','.join(after)}")


def flat(b: Lines, value: Value) -> Value:
    """All entries of an example in one row; once, however often it is asked for."""
    name = f"{value.name}_flat"
    size = prod(value.example)
    if name in b.steps:
        return replace(
            value, name=name, shape=(*value.shape[: value.batched], size), axes=b.axes[name]
        )
    shape = (*value.shape[: value.batched], size)
    return b.line(name, "Flatten", [value], shape, axes=",".join(b.letters(value)))


def stacked(b: Lines, called: str, values: Sequence[Value], axis: int) -> Value:
    """Examples side by side: along a new first axis, which then goes to its place."""
    example = values[0].example
    rows = [v if len(v.example) == 1 else flat(b, v) for v in values]
    front: tuple[int, ...] = next((v.shape[:1] for v in values if v.batched), ())
    whole = (len(values), *example)
    name = f"{called}_row" if not axis else f"{called}_first"
    row = b.line(name, "Concat", rows, (*front, prod(whole))) if len(rows) > 1 else rows[0]
    found = reshaped(b, called if not axis else f"{called}_rows", row, whole)
    order = [*range(1, axis + 1), 0, *range(axis + 1, len(whole))]
    return turned(b, called, found, order)


def of_layers(b: Lines, value: Value) -> Value:
    """The states of several layers side by side, their axis in front of the examples."""
    side = stacked(b, f"{value.name}_states", value.layers, 0)
    return moved(side, [1, 0, *range(2, len(side.shape))])
