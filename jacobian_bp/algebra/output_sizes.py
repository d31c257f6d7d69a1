"""The size of an output axis that no input has: o = (i + 2*pad - r)//stride + 1.

It follows from the sizes of input axes and from the op's whole-number options, by + − * //
and parentheses. A rule is read once and strictly, and computed by the reader's own lines.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

from ..errors import AxisError
from ..writing.signs import safe

SUMS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}
ABSENT = object()  # an option that the op does not keep
LONGEST = 1_000  # characters of a rule
MOST_TRIED = 10_000  # sizes of one axis, to find one that fits


class NoSizeError(Exception):
    """A rule that gives no size from 1 up: what is wrong, what was read, what to write."""

    def __init__(self, what: str, read: str, instead: str) -> None:
        super().__init__(what)
        self.what, self.read, self.instead = what, read, instead

    def told(self, lines: Sequence[str]) -> str:
        """The message, with the lines that say where the sizes come from."""
        read = [self.read, *lines] if self.read else []
        return "\n  ".join([self.what, *read, self.instead])


@dataclass(frozen=True)
class SizeRule:
    """The size of one output axis, as a sum of whole numbers with names.

    >>> rule = SizeRule.read("o = (i - r)//stride + 1", "signature")
    >>> rule.axis, rule.names, rule.size({"i": 7, "r": 3, "stride": 2})
    ('o', ('i', 'r', 'stride'), 3)
    """

    axis: str
    text: str  # what stands on the right

    @classmethod
    def read(cls, text: str, who: str) -> "SizeRule":
        """The rule in "o = i - r + 1"; AxisError shows what cannot be read."""
        axis, equals, right = (part.strip() for part in text.partition("="))
        if not equals or not axis.isidentifier() or not right or len(text) > LONGEST:
            raise AxisError(
                f"{who}: {text.strip()[:60]!r} is not the size of an axis.\n"
                "  Write it such as o = i - r + 1."
            )
        rule = cls(axis, right)
        rule._require_plain(who)
        return rule

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The axes and options that it reads, in order."""
        nodes = [node for node in ast.walk(self._tree) if isinstance(node, ast.Name)]
        nodes.sort(key=lambda node: node.col_offset)
        return tuple(dict.fromkeys(node.id for node in nodes))

    def size(self, known: Mapping[str, int]) -> int:
        """What it comes to; ZeroDivisionError where it divides by 0."""
        return _value(self._tree, known)

    def size_among(self, sizes: Mapping[str, int], op: object, letters: Mapping[str, str]) -> int:
        """Its size from those of axes and from what an op keeps as options, or NoSizeError.

        `letters` are the axes of the rule that have another letter in `sizes`.
        """
        known, axes = dict[str, int](), list[str]()
        for name in self.names:
            letter = letters.get(name, name)
            if letter in sizes:
                known[name] = sizes[letter]
                axes.append(name)
                continue
            value = getattr(op, name, ABSENT)
            if isinstance(value, bool) or not isinstance(value, Integral):
                has = f"the op keeps no {name}" if value is ABSENT else f"{name} is {value!r}"
                raise NoSizeError(
                    f"the size {self} needs the whole number {name}, and {has}.",
                    "",
                    f"Keep it in __init__ as a whole number: self.{name} = {name}.",
                )
            known[name] = int(value)
        read = f"{self}, with {', '.join(f'{name} = {value}' for name, value in known.items())}"
        try:
            size = self.size(known)
        except ZeroDivisionError:
            raise NoSizeError(
                f"axis {self.axis} has no size: it is divided by 0.",
                read,
                "Choose sizes and options with which the divisor is not 0.",
            ) from None
        if size < 1:
            shown = str(size).replace("-", "−")
            raise NoSizeError(
                f"axis {self.axis} would have size {shown}.", read, self._instead(known, axes)
            )
        return size

    def _instead(self, known: Mapping[str, int], axes: Sequence[str]) -> str:
        """The nearest size of each axis with which the output has an entry."""
        found = []
        for name in axes:
            near = (known[name] + way * away for away in range(1, MOST_TRIED) for way in (1, -1))
            fits = (n for n in near if n > 0 and self._has_entries({**known, name: n}))
            size = next(fits, None)
            found += [] if size is None else [f"{name} = {size}"]
        if not found:
            return "Choose other sizes or options: with no size of one axis alone has it an entry."
        return f"It has an entry with {' or '.join(found)}, all else as it is."

    def _has_entries(self, known: Mapping[str, int]) -> bool:
        try:
            return self.size(known) > 0
        except ZeroDivisionError:
            return False

    @cached_property
    def _tree(self) -> ast.expr:
        return ast.parse(self.text, mode="eval").body

    def _require_plain(self, who: str) -> None:
        example = "+ − * // and parentheses"
        try:
            nodes = list(ast.walk(self._tree))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise AxisError(
                f"{who}: the size {self} cannot be read: {type(error).__name__}.\n"
                f"  Write it with names, whole numbers, {example}."
            ) from None
        for node in nodes:
            if isinstance(node, ast.Constant):
                plain = type(node.value) is int
            elif isinstance(node, ast.BinOp):
                plain = type(node.op) in SUMS
            else:
                plain = isinstance(node, (ast.Name, ast.operator, ast.expr_context))
            if not plain:
                part = ast.get_source_segment(self.text, node) or self.text
                hint = " A quotient is //." if "/" in part and "//" not in part else ""
                raise AxisError(
                    f"{who}: the size {self} has {safe(part[:40])}.\n"
                    f"  Write it with names, whole numbers, {example}.{hint}"
                )

    def __str__(self) -> str:
        return f"{self.axis} = {self.text}"


def _value(node: ast.expr, known: Mapping[str, int]) -> int:
    if isinstance(node, ast.BinOp):
        return SUMS[type(node.op)](_value(node.left, known), _value(node.right, known))
    if isinstance(node, ast.Name):
        return known[node.id]
    assert isinstance(node, ast.Constant)  # nothing else is read
    assert isinstance(node.value, int)
    return node.value
