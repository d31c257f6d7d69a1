"""Named axes: "a[i], W[k,i], b[k] -> z[k]" is the contract of an op.

An index keeps its letter: n sample, i input feature, k output unit or class; a
prime marks the axis of the variable that we differentiate by. What one letter
names has one size, wherever it stands.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from ..errors import AxisError

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

    def renamed(self, names: Mapping[str, str]) -> "Operand":
        """The same array with other letters."""
        return Operand(self.name, tuple(names.get(axis, axis) for axis in self.axes))

    def __str__(self) -> str:
        return f"{self.name}[{','.join(self.axes)}]"


@dataclass(frozen=True)
class Signature:
    """The arrays that an op reads and the one that it gives.

    >>> signature = Signature.parse("a[i], W[k,i], b[k] -> z[k]")
    >>> [str(operand) for operand in signature.inputs], str(signature.output)
    (['a[i]', 'W[k,i]', 'b[k]'], 'z[k]')

    It names trailing axes. The axes of data in front of them are carried: the op does
    the same along each of them, examples n, tokens t. A signature that names the axis n
    itself mixes examples (a mean over the batch).
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

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """Every axis that it names, once."""
        operands = (*self.inputs, self.output)
        return tuple(dict.fromkeys(axis for operand in operands for axis in operand.axes))

    def beside(self, carried: Collection[str]) -> dict[str, str]:
        """The letters that a carried axis has already, each with another one for the op.

        >>> Signature.parse("z[k] -> a[k]").beside(("n", "k"))
        {'k': 'j'}
        """
        taken = {*self.letters, *carried}
        found: dict[str, str] = {}
        for letter in self.letters:
            if letter in carried:
                found[letter] = fresh(taken, letter)
                taken.add(found[letter])
        return found

    def renamed(self, names: Mapping[str, str]) -> "Signature":
        """The same signature with other letters."""
        if not names:
            return self
        inputs = tuple(operand.renamed(names) for operand in self.inputs)
        return Signature(inputs, self.output.renamed(names))

    def __str__(self) -> str:
        return ", ".join(str(operand) for operand in self.inputs) + f" -> {self.output}"


def unnamed(count: int) -> tuple[str, ...]:
    """What carried axes are called by an op, which does not know their names: the last is n.

    >>> unnamed(1), unnamed(3)
    (('n',), ('n3', 'n2', 'n'))
    """
    return tuple(f"{BATCH}{place}" if place > 1 else BATCH for place in range(count, 0, -1))


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
