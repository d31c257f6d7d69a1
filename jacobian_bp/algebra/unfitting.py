"""What is said where a signature and the shapes of arrays do not fit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations

from ..errors import Later
from ..writing.page_letters import unused
from ..writing.signs import dims, plural
from .axes import BATCH, Operand
from .output_sizes import SizeRule
from .reshaping import reshaped

Fronts = Sequence[tuple[str, ...]]  # the names of the axes in front of each array


MOST_TURNED = 2  # matrices that are thought of as transposed, both at once


def summed(name: str, axes: int) -> str:
    """The step that makes one number of each example of a value with that many axes.

    >>> summed("L", 2)
    "Einsum(L, 'ij->')"
    """
    return f"Einsum({name}, '{'ijkl'[:axes]}->')"


def some_names(count: int, taken: Collection[str]) -> tuple[str, ...]:
    """Names for axes in front: examples n, tokens t, and others.

    >>> some_names(2, "k"), some_names(3, "t")
    (('n', 't'), ('n', 's', 'u'))
    """
    others = [name for name in "tsuvwpqr" if name not in taken]
    return (BATCH, *others[: count - 1])


def two_fronts(
    who: str | Later,
    operands: Sequence[Operand],
    shapes: Sequence[tuple[int, ...]],
    carried: Fronts,
    longest: int,
    other: int,
) -> str:
    """Two arrays meet, and neither carries the last axes of the other."""
    labels = [
        f"{operands[place].name}[{','.join(carried[place] + operands[place].axes)}]"
        for place in (longest, other)
    ]
    width = max(map(len, labels))
    lines = [
        f"  {label:<{width}} has shape {dims(shapes[place])} and carries {','.join(carried[place])}"
        for label, place in zip(labels, (longest, other), strict=True)
    ]
    may = [",".join(carried[longest][-count:]) for count in range(len(carried[longest]), 0, -1)]
    return (
        f"{who}: the axes in front of {operands[longest].name} and {operands[other].name} do not "
        f"match.\n" + "\n".join(lines) + f"\n  Beside {operands[longest].name}, "
        f"{operands[other].name} may carry {' or '.join(may)}, or nothing."
    )


def size_lines(
    rule: SizeRule,
    letters: Mapping[str, str],
    operands: Sequence[Operand],
    shapes: Sequence[tuple[int, ...]],
    carried: Fronts,
) -> list[str]:
    """Where a rule has its sizes from: x[c,i] has shape (3, 4), so i = 4."""
    lines = []
    for name in rule.names:
        axis = letters.get(name, name)
        for operand, shape, front in zip(operands, shapes, carried, strict=True):
            if axis in operand.axes:
                axes = (*front, *operand.axes)
                size = shape[len(shape) - len(operand.axes) + operand.axes.index(axis)]
                label = f"{operand.name}[{','.join(axes)}]"
                lines.append(f"{label} has shape {dims(shape)}, so {axis} = {size}")
                break
    return lines


def two_sizes(
    who: str | Later,
    axis: str,
    operands: Sequence[Operand],
    shapes: Sequence[tuple[int, ...]],
    carried: Fronts,
    pair: tuple[int, int],
    computed: Collection[str],
    instead: str = "",
) -> str:
    """One axis has two sizes: both arrays that say so, and what looks turned; else `instead`."""
    labels: list[str] = []
    lines: list[str] = []
    for position in pair:
        axes = carried[position] + operands[position].axes
        labels.append(f"{operands[position].name}[{','.join(axes)}]")
    widths = [max(map(len, labels)), max(len(dims(shapes[p])) for p in pair)]
    for label, position in zip(labels, pair, strict=True):
        names = label[label.index("[") + 1 : -1].split(",")
        size = shapes[position][names.index(axis)]
        # The later size of a repeated axis is the one that disagrees.
        if pair[0] == pair[1] and lines:
            size = shapes[position][len(names) - 1 - names[::-1].index(axis)]
        shape = dims(shapes[position]) + ","
        lines.append(
            f"  {label:<{widths[0]}} has shape {shape:<{widths[1] + 1}} so {axis} = {size}"
        )
    hint = _transpose_hint(operands, shapes, carried, pair, computed)
    hint = hint or instead or _alike([operands[p].name for p in pair], pair[0] == pair[1])
    return f"{who}: axis {axis} has two sizes.\n" + "\n".join(lines) + f"\n  {hint}"


def _transpose_hint(
    operands: Sequence[Operand],
    shapes: Sequence[tuple[int, ...]],
    carried: Fronts,
    pair: tuple[int, int],
    computed: Collection[str],
) -> str:
    """The matrices that would fit everywhere if they were turned round, or a column; else ""."""
    given = [o.name not in computed for o in operands]
    matrices = [
        place
        for place in sorted(range(len(operands)), key=lambda p: p not in pair)
        if not carried[place] and len(shapes[place]) == 2 and given[place]
    ]
    for count in range(1, min(len(matrices), MOST_TURNED) + 1):
        for suspects in combinations(matrices, count):
            turned = [s[::-1] if p in suspects else s for p, s in enumerate(shapes)]
            if _consistent(operands, turned, carried):
                names = " and ".join(operands[p].name for p in suspects)
                verb = "looks" if count == 1 else "look"
                passed = ", and ".join(
                    f"{operands[p].name}.T, shape {dims(turned[p])}" for p in suspects
                )
                return f"{names} {verb} transposed: pass {passed}."
    for suspect in pair:  # a column that was meant as one example
        if len(carried[suspect]) != 1 or len(shapes[suspect]) != 2 or not given[suspect]:
            continue
        if shapes[suspect][1] != 1:
            continue
        length = shapes[suspect][0]
        whole = [s[:1] if p == suspect else s for p, s in enumerate(shapes)]
        if _consistent(operands, whole, [() if p == suspect else c for p, c in enumerate(carried)]):
            name = operands[suspect].name
            return f"{name} looks like a column: pass {name}[:, 0], shape ({length},)."
    return ""


def _alike(names: Sequence[str], same: bool) -> str:
    """What is said where nothing else is known."""
    if same:
        return f"Give both of these axes of {names[0]} the same size; nothing is broadcast."
    return f"Give {names[0]} and {names[1]} the same size along it; nothing is broadcast."


def _consistent(
    operands: Sequence[Operand], shapes: Sequence[tuple[int, ...]], carried: Fronts
) -> bool:
    sizes: dict[str, int] = {}
    for operand, shape, front in zip(operands, shapes, carried, strict=True):
        axes = front + operand.axes
        if any(sizes.setdefault(a, s) != s for a, s in zip(axes, shape, strict=True)):
            return False
    return True


def wrong_rank(
    who: str | Later,
    operands: Sequence[Operand],
    position: int,
    shapes: Sequence[tuple[int, ...]],
    may_lift: bool,
    computed: Collection[str],
    how_named: Callable[[str, Sequence[str]], str] | None,
    instead: str = "",
) -> str:
    """An array has fewer axes than its signature, or more than can be told apart."""
    operand, shape = operands[position], tuple(shapes[position])
    declared = len(operand.axes)
    batch = f", or {declared + 1} for a batch with its examples in front" if may_lift else ""
    text = (
        f"{who}: {operand.name} has shape {dims(shape)}, {plural(len(shape), 'axis', 'axes')}; "
        f"{operand} has {plural(declared, 'axis', 'axes')}{batch}.\n  "
    )
    if instead and (len(shape) < declared or not may_lift):
        return text + instead
    if operand.axes == (BATCH,) and 1 < len(shape) < 6:
        one, s = summed(operand.name, len(shape) - 1), unused("s", [o.name for o in operands])
        return text + f"Add up each example first, {s} = {one}, and read {s} here."
    if operand.name in computed:
        return text + f"Let the step that computes it give one example the axes {operand}."
    if len(shape) > declared:
        sizes = {
            axis: size
            for other, found in zip(operands, shapes, strict=True)
            if other is not operand and len(found) == len(other.axes)
            for axis, size in zip(other.axes, found, strict=True)
        }
        instead = reshaped(operand.name, operand.axes, shape, sizes, may_lift)
        own = zip(operand.axes, shape[len(shape) - declared :], strict=True)
        fits = all(sizes.get(axis, size) == size for axis, size in own)
        count = len(shape) - declared
        front = some_names(count, operand.axes)
        if how_named and may_lift and fits and 1 not in shape[:count]:
            how = how_named(operand.name, front)
            or_named = f"{instead[:-1]}; or name" if declared else "Name"
            instead = f"{or_named} the axes in front: {how}." if how else instead
        return text + instead
    return text + f"Pass {operand.name} with the axes {operand}."
