"""Named axes: "a[i], W[k,i], b[k] -> z[k]" is the contract of an op.

An index keeps its letter: n sample, i input feature, k output unit or class; a
prime marks the axis of the variable that we differentiate by. What one letter
names has one size, wherever it stands.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from ..errors import AxisError, Later
from ..writing.signs import dims, plural
from .reshaping import reshaped

BATCH = "n"  # the axis of the examples

_OPERAND = re.compile(r"\s*([^\W\d]\w*)\s*\[\s*([^\[\]]*)\]\s*")
_AXIS = re.compile(r"[^\W\d]\w*'*")


@dataclass(frozen=True)
class Axis:
    """One named axis of an array, and its size."""

    name: str
    size: int


@dataclass(frozen=True)
class Operand:
    """One array of a signature: its name and its axes, "W[k,i]"."""

    name: str
    axes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}[{','.join(self.axes)}]"


@dataclass(frozen=True)
class Signature:
    """The arrays that an op reads and the one that it gives.

    >>> signature = Signature.parse("a[i], W[k,i], b[k] -> z[k]")
    >>> [str(operand) for operand in signature.inputs], str(signature.output)
    (['a[i]', 'W[k,i]', 'b[k]'], 'z[k]')

    A signature that names the axis n mixes examples (a mean over the batch);
    any other is written for one example and lifted to a batch.
    """

    inputs: tuple[Operand, ...]
    output: Operand

    @classmethod
    @cache
    def parse(cls, text: str) -> "Signature":
        """Read a signature; AxisError shows the part that cannot be read."""
        left, arrow, right = text.partition("->")
        if not arrow:
            raise AxisError(
                f"signature {text!r} has no '->'.\n  Write it such as 'a[i], W[k,i] -> z[k]'."
            )
        inputs, outputs = _operands(left, text), _operands(right, text)
        if len(outputs) != 1 or not inputs:
            raise AxisError(
                f"signature {text!r} has {len(inputs)} inputs and {len(outputs)} outputs.\n"
                "  An op has at least one input and exactly one output."
            )
        names = [operand.name for operand in inputs]
        for name in names:
            if names.count(name) > 1:
                raise AxisError(
                    f"signature {text!r} names the input {name} twice.\n"
                    "  Give each input a name of its own, such as u and v."
                )
        return cls(tuple(inputs), outputs[0])

    @cached_property
    def mixes_examples(self) -> bool:
        """Whether the op reads along the batch axis itself."""
        return any(BATCH in operand.axes for operand in self.inputs)

    def __str__(self) -> str:
        return ", ".join(str(operand) for operand in self.inputs) + f" -> {self.output}"


@dataclass(frozen=True)
class Binding:
    """A signature met with actual shapes: the size of each axis, and who carries the batch."""

    sizes: dict[str, int]
    batched: tuple[bool, ...]

    @property
    def any_batched(self) -> bool:
        return any(self.batched)


def bind(
    signature: Signature,
    shapes: Sequence[tuple[int, ...]],
    who: str | Later,
    names: Callable[[], Mapping[str, str]] | None = None,
    unbatched: Sequence[str] = (),
    computed: Callable[[], Collection[str]] | None = None,
) -> Binding:
    """Give each axis of `signature` its size, or say which two arrays disagree.

    An input with one axis more than declared carries the batch in front, unless it is
    one of `unbatched` (parameters). `names` gives what a message calls the inputs, and
    `computed` those of these names that a caller cannot pass in another shape.
    """

    def shown() -> list[Operand]:
        known = names() if names else {}
        return [Operand(known.get(o.name, o.name), o.axes) for o in signature.inputs]

    batched: list[bool] = []
    for operand, shape in zip(signature.inputs, shapes, strict=True):
        may_lift = not signature.mixes_examples and operand.name not in unbatched
        extra = len(shape) - len(operand.axes)
        if extra not in ((0, 1) if may_lift else (0,)):
            made = computed() if computed else ()
            raise AxisError(_wrong_rank(who, shown(), len(batched), shapes, may_lift, made))
        batched.append(extra == 1)
    witnesses: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for position, (operand, shape) in enumerate(zip(signature.inputs, shapes, strict=True)):
        axes = ((BATCH,) if batched[position] else ()) + operand.axes
        for axis, size in zip(axes, shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                first = witnesses[axis]
                made = computed() if computed else ()
                pair = (first, position)
                raise AxisError(_two_sizes(who, axis, shown(), shapes, batched, pair, made))
            witnesses.setdefault(axis, position)
    for axis in signature.output.axes:
        if axis not in sizes:
            raise AxisError(
                f"{who}: axis {axis} of the output {signature.output} stands in no input.\n"
                f"  The signature is {signature}; every output axis takes its size from an input."
            )
    return Binding(sizes, tuple(batched))


def parse_axes(text: str, within: str | None = None) -> tuple[str, ...]:
    """The axis names in "k, i'"."""
    names = tuple(part.strip() for part in text.split(",")) if text.strip() else ()
    for name in names:
        if not _AXIS.fullmatch(name):
            raise AxisError(
                f"{within or repr(text)}: {name!r} is not an axis name.\n"
                "  An axis is a word such as k or unit, with a prime for the variable's own: k'."
            )
    return names


def primed(axes: Sequence[str]) -> tuple[str, ...]:
    """The axes of the variable that we differentiate by: k, i become k', i'.

    >>> primed(("k", "i")), primed(("i", "i"))
    (("k'", "i'"), ("i'", "i''"))
    """
    return tuple(
        axis + "'" * (1 + list(axes[:position]).count(axis)) for position, axis in enumerate(axes)
    )


def fresh(taken: set[str], preferred: str) -> str:
    """An axis name not in `taken`: the preferred one, else the next of j, l, m, …"""
    if preferred not in taken:
        return preferred
    for letter in "jlmpqrstuv":
        if letter not in taken:
            return letter
    count = 1
    while f"j{count}" in taken:
        count += 1
    return f"j{count}"


def _operands(text: str, whole: str) -> list[Operand]:
    operands, position = [], 0
    while position < len(text):
        match = _OPERAND.match(text, position)
        if not match:
            break
        operands.append(Operand(match[1], parse_axes(match[2], f"signature {whole!r}")))
        position = match.end()
        if text[position : position + 1] != ",":
            break
        position += 1
        if not text[position:].strip():  # a comma with nothing after it
            position -= 1
            break
    if text[position:].strip() or not operands:
        rest = text[position:].strip() or whole
        raise AxisError(
            f"signature {whole!r} cannot be read at {rest!r}.\n"
            "  Write each array with its axes in brackets, such as W[k,i]; a scalar is J[]."
        )
    return operands


def summed(name: str, axes: int) -> str:
    """The step that makes one number of each example of a value with that many axes.

    >>> summed("L", 2)
    "Einsum(L, 'ij->')"
    """
    return f"Einsum({name}, '{'ijkl'[:axes]}->')"


def _two_sizes(
    who: str | Later,
    axis: str,
    operands: Sequence[Operand],
    shapes: Sequence[tuple[int, ...]],
    batched: Sequence[bool],
    pair: tuple[int, int],
    computed: Collection[str],
) -> str:
    labels: list[str] = []
    lines: list[str] = []
    for position in pair:
        axes = ((BATCH,) if batched[position] else ()) + operands[position].axes
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
    hint = _transpose_hint(operands, shapes, batched, pair, computed)
    return f"{who}: axis {axis} has two sizes.\n" + "\n".join(lines) + f"\n  {hint}"


def _transpose_hint(
    operands: Sequence[Operand],
    shapes: Sequence[tuple[int, ...]],
    batched: Sequence[bool],
    pair: tuple[int, int],
    computed: Collection[str],
) -> str:
    """Name the matrix that would fit everywhere if it were turned round."""
    given = [o.name not in computed for o in operands]
    for suspect in sorted(range(len(operands)), key=lambda p: p not in pair):
        if batched[suspect] or len(shapes[suspect]) != 2 or not given[suspect]:
            continue
        turned = [s[::-1] if p == suspect else s for p, s in enumerate(shapes)]
        if _consistent(operands, turned, batched):
            name = operands[suspect].name
            return f"{name} looks transposed: pass {name}.T, shape {dims(turned[suspect])}."
    for suspect in pair:  # a column that was meant as one example
        if not batched[suspect] or len(shapes[suspect]) != 2 or not given[suspect]:
            continue
        if shapes[suspect][1] != 1:
            continue
        length = shapes[suspect][0]
        whole = [s[:1] if p == suspect else s for p, s in enumerate(shapes)]
        if _consistent(operands, whole, [b and p != suspect for p, b in enumerate(batched)]):
            name = operands[suspect].name
            return f"{name} looks like a column: pass {name}[:, 0], shape ({length},)."
    first, second = (operands[p].name for p in pair)
    if pair[0] == pair[1]:
        return f"Give both of these axes of {first} the same size; nothing is broadcast."
    return f"Give {first} and {second} the same size along it; nothing is broadcast."


def _consistent(
    operands: Sequence[Operand], shapes: Sequence[tuple[int, ...]], batched: Sequence[bool]
) -> bool:
    sizes: dict[str, int] = {}
    for operand, shape, lifted in zip(operands, shapes, batched, strict=True):
        axes = ((BATCH,) if lifted else ()) + operand.axes
        if any(sizes.setdefault(a, s) != s for a, s in zip(axes, shape, strict=True)):
            return False
    return True


def _wrong_rank(
    who: str | Later,
    operands: Sequence[Operand],
    position: int,
    shapes: Sequence[tuple[int, ...]],
    may_lift: bool,
    computed: Collection[str],
) -> str:
    operand, shape = operands[position], tuple(shapes[position])
    declared = len(operand.axes)
    batch = f", or {declared + 1} for a batch with its examples in front" if may_lift else ""
    text = (
        f"{who}: {operand.name} has shape {dims(shape)}, {plural(len(shape), 'axis', 'axes')}; "
        f"{operand} has {plural(declared, 'axis', 'axes')}{batch}.\n  "
    )
    if operand.axes == (BATCH,) and 1 < len(shape) < 6:
        one = summed(operand.name, len(shape) - 1)
        return text + f"Add up each example first, s = {one}, and read s here."
    if operand.name in computed:
        return text + f"Let the step that computes it give one example the axes {operand}."
    if len(shape) > declared:
        sizes = {
            axis: size
            for other, found in zip(operands, shapes, strict=True)
            if other is not operand and len(found) == len(other.axes)
            for axis, size in zip(other.axes, found, strict=True)
        }
        return text + reshaped(operand.name, operand.axes, shape, sizes, may_lift)
    return text + f"Pass {operand.name} with the axes {operand}."
