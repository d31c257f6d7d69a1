"""Named axes: "a[i], W[k,i], b[k] -> z[k]" is the contract of an op.

An index keeps its letter: n sample, i input feature, k output unit or class; a
prime marks the axis of the variable that we differentiate by. What one letter
names has one size, wherever it stands.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import pairwise

from ..errors import AxisError
from .output_sizes import SizeRule

BATCH = "n"  # the axis of the examples

_OPERAND = re.compile(r"\s*([^\W\d]\w*)\s*\[\s*([^\[\]]*)\]\s*(\?)?\s*(?:in\s+([^\W\d]\w*)\s*)?")
_AXIS = re.compile(r"[^\W\d]\w*'*")


@dataclass(frozen=True)
class Axis:
    """One named axis of an array, and its size."""

    name: str
    size: int


def sized(names: Iterable[str], sizes: Iterable[int]) -> tuple[Axis, ...]:
    """Axes from their names and their sizes; those of layers of one shape are the same.

    >>> sized("ki", (2, 3))
    (Axis(name='k', size=2), Axis(name='i', size=3))
    """
    return _sized(tuple(names), tuple(sizes))


@lru_cache(maxsize=4096)
def _sized(names: tuple[str, ...], sizes: tuple[int, ...]) -> tuple[Axis, ...]:
    return tuple(map(Axis, names, sizes))


@dataclass(frozen=True)
class Operand:
    """One array of a signature: its name and its axes, "W[k,i]".

    "b[k]?" may be left out; "u[] in v" holds positions of the axis v, whole numbers from 0.
    """

    name: str
    axes: tuple[str, ...]
    optional: bool = False
    within: str | None = None

    def renamed(self, names: Mapping[str, str]) -> "Operand":
        """The same array with other letters."""
        axes = tuple(names.get(axis, axis) for axis in self.axes)
        within = None if self.within is None else names.get(self.within, self.within)
        return Operand(self.name, axes, self.optional, within)

    def __str__(self) -> str:
        text = f"{self.name}[{','.join(self.axes)}]{'?' if self.optional else ''}"
        return text if self.within is None else f"{text} in {self.within}"


@dataclass(frozen=True)
class Signature:
    """The arrays that an op reads and the one that it gives.

    >>> signature = Signature.parse("a[i], W[k,i], b[k] -> z[k]")
    >>> [str(operand) for operand in signature.inputs], str(signature.output)
    (['a[i]', 'W[k,i]', 'b[k]'], 'z[k]')
    >>> print(Signature.parse("x[i], u[] in i, b[]? -> y[o]; o = i//2 + 1"))
    x[i], u[] in i, b[]? -> y[o]; o = i//2 + 1

    It names trailing axes. The axes of data in front of them are carried: the op does
    the same along each of them, examples n, tokens t. A signature that names the axis n
    itself mixes examples (a mean over the batch).
    """

    inputs: tuple[Operand, ...]
    output: Operand
    rules: tuple[SizeRule, ...] = ()  # the sizes of output axes that no input has

    @classmethod
    @cache
    def parse(cls, text: str) -> "Signature":
        """Read a signature; AxisError shows the part that cannot be read."""
        arrays, _, sizes = text.partition(";")
        left, arrow, right = arrays.partition("->")
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
        rules = [SizeRule.read(rule, f"signature {text!r}") for rule in _parts(sizes)]
        found = cls(tuple(inputs), outputs[0], tuple(rules))
        found._require_sense(text)
        return found

    def _require_sense(self, text: str) -> None:
        """AxisError for a mark or a size that stands where it has no meaning."""
        who = f"signature {text!r}"
        for before, after in pairwise(self.inputs):
            if before.optional and not after.optional:
                raise AxisError(
                    f"{who}: {before.name} may be left out, and {after.name} behind it may not.\n"
                    "  Write the inputs that may be left out last."
                )
        if self.inputs[0].optional or self.output.optional or self.output.within:
            wrong = self.inputs[0] if self.inputs[0].optional else self.output
            raise AxisError(
                f"{who}: {wrong} is no mark for "
                f"{'the first input' if self.inputs[0].optional else 'the output'}.\n"
                f"  Write {wrong.name}[{','.join(wrong.axes)}]."
            )
        for operand in self.inputs:
            others = [o for o in self.inputs if o is not operand and not o.within]
            if operand.within and not any(operand.within in o.axes for o in others):
                raise AxisError(
                    f"{who}: {operand} names an axis that no other input has.\n"
                    f"  Name one of {', '.join(dict.fromkeys(a for o in others for a in o.axes))}."
                )
        known = {axis for operand in self.inputs for axis in operand.axes}
        for place, rule in enumerate(self.rules):
            twice = rule.axis in [earlier.axis for earlier in self.rules[:place]]
            if rule.axis in known or rule.axis not in self.output.axes or twice:
                why = "has two sizes" if twice else "is no axis of the output"
                why = "takes its size from an input" if rule.axis in known else why
                raise AxisError(f"{who}: {rule.axis} {why}.\n  Leave {rule} out.")

    @cached_property
    def indices(self) -> tuple[str, ...]:
        """The inputs that hold positions of an axis."""
        return tuple(operand.name for operand in self.inputs if operand.within is not None)

    def of(self, count: int) -> "Signature":
        """The signature without the inputs behind the first `count`, which may be left out."""
        return Signature(self.inputs[:count], self.output, self.rules)

    @cached_property
    def least(self) -> int:
        """How many inputs it has at least."""
        return sum(not operand.optional for operand in self.inputs)

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
        return Signature(inputs, self.output.renamed(names), self.rules)

    def __str__(self) -> str:
        text = ", ".join(str(operand) for operand in self.inputs) + f" -> {self.output}"
        return "; ".join([text, *map(str, self.rules)])


def unnamed(count: int, own: Collection[str] = ()) -> tuple[str, ...]:
    """What carried axes are called by an op, which does not know their names: the last is n.

    Where an op has n among its `own` axes, that name is left to it.

    >>> unnamed(1), unnamed(3), unnamed(2, "nk")
    (('n',), ('n3', 'n2', 'n'), ('n3', 'n2'))
    """
    first = 2 if BATCH in own else 1
    places = range(count + first - 1, first - 1, -1)
    return tuple(f"{BATCH}{place}" if place > 1 else BATCH for place in places)


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


def each_once(text: str, who: str) -> tuple[str, ...]:
    """The axis names in "i,j"; AxisError where two axes have one name, with names that differ."""
    names = parse_axes(text, who)
    own: list[str] = []
    for name in names:
        own.append(fresh({*names, *own}, name) if name in own else name)
    if tuple(own) != names:
        twice = next(name for name in names if names.count(name) > 1)
        raise AxisError(
            f"{who}: two axes are called {twice}.\n"
            f'  Give each axis a name of its own, such as "{",".join(own)}".'
        )
    return names


def primed(axes: Sequence[str]) -> tuple[str, ...]:
    """The axes of the variable that we differentiate by: k, i become k', i'.

    >>> primed(("k", "i")), primed(("i", "i"))
    (("k'", "i'"), ("i'", "i''"))
    """
    return _primed(tuple(axes))


@lru_cache(maxsize=1024)
def _primed(axes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        axis + "'" * (1 + axes[:position].count(axis)) for position, axis in enumerate(axes)
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


def _parts(text: str) -> list[str]:
    """The rules in "o = i + 1, q = j"; none in nothing."""
    return re.split("[,;]", text) if text.strip() else []


def _operands(text: str, whole: str) -> list[Operand]:
    operands, position = [], 0
    while position < len(text):
        match = _OPERAND.match(text, position)
        if not match:
            break
        axes = parse_axes(match[2], f"signature {whole!r}")
        operands.append(Operand(match[1], axes, match[3] is not None, match[4]))
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
