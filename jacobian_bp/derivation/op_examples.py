"""A small example of each op, made from what the op says: sizes, numbers, and its Jacobians.

Every axis has a prime size of its own, so that no two shapes agree by chance.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..algebra.axes import Operand
from ..algebra.jacobian import Jacobian
from ..algebra.output_sizes import NoSizeError, SizeRule
from ..ops import Op
from ..ops.labels import CLASSES, DISTRIBUTION
from ..program.forward import run_forward
from ..program.forward_pass import Pass
from ..program.making_ops import make_op, takes
from ..program.program import Program
from ..program.program_text import OPS
from ..program.step import Step

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)
SEED = 0


@dataclass(frozen=True)
class OpEntry:
    """One op: what its class says, and what its small example shows."""

    op: Op
    step: Step  # the example as a step of a program
    sizes: Mapping[str, int]
    state: Pass

    @property
    def name(self) -> str:
        return self.op.name

    @cached_property
    def paragraphs(self) -> list[str]:
        """What the docstring says, without the examples that it runs."""
        parts = (inspect.getdoc(type(self.op)) or "").split("\n\n")
        return [part for part in parts if not part.lstrip().startswith(">>>")]

    @property
    def summary(self) -> str:
        """Its first sentence, as one line."""
        return " ".join(self.paragraphs[0].split())

    @property
    def equations(self) -> list[str]:
        """The lines of the docstring that are set apart: the value, then its derivatives.

        Where nothing stands behind them they are not indented any more: the formatter's way.
        """
        found = [part for part in self.paragraphs[1:] if part.startswith("    ")]
        found = found or [part for part in self.paragraphs[1:] if " = " in part]
        return [line.strip() for line in found[0].splitlines()] if found else []

    @property
    def options(self) -> str:
        """The options as the class takes them: stride=1, padding=0; nothing without any."""
        return takes(type(self.op)).partition("(")[2].removesuffix(")")

    @property
    def kinks(self) -> str:
        """Where the derivative is a convention, and which one; nothing for a smooth op."""
        values = self.state.inputs_of(self.step)
        if self.op.branch(*values) is None:
            return ""
        if self.op.kink:
            return self.op.kink
        read = f"where an entry of {self.step.args[0]} is 0"
        has_slope = getattr(self.op, "at_zero", None) is not None or "at_zero" in self.options
        return f"{read}; at_zero is the slope there" if has_slope else read

    @cached_property
    def jacobians(self) -> list[tuple[Jacobian, str]]:
        """∂output/∂input for each input to differentiate by, with the reason for its form."""
        found = []
        for position, operand, arg in self.step.variables:
            out, wrt, expression = self.state.local(self.step)[operand]
            jacobian = Jacobian.local(self.step.name, arg, out, wrt, expression)
            found.append((jacobian, self.step.reason(position)))
        return found


def all_ops() -> dict[str, list[type[Op]]]:
    """Every op of a program's text, by the module where it stands."""
    rooms: dict[str, list[type[Op]]] = {}
    for cls in sorted(OPS.values(), key=lambda cls: cls.__module__):
        rooms.setdefault(cls.__module__, []).append(cls)
    return rooms


def example_of(given: Op | type[Op], arrays: Mapping[str, np.ndarray] | None = None) -> OpEntry:
    """The small example of an op that is made, or of a class with the options in its `example`.

    Its inputs are drawn, unless `arrays` has them.
    """
    op = make_op(given, "op", (), given.example)
    signature, sizes = op.parsed, dict[str, int]()
    if arrays is None:
        sizes, rng = _sizes(op), np.random.default_rng(SEED)
        arrays = {o.name: _drawn(op, o, sizes, rng) for o in signature.inputs}
    out = signature.output.name
    step = Step(out if out not in arrays else f"{out}_out", op, tuple(arrays))
    state = run_forward(Program.build([step], []), {}, arrays, None, "example_of")
    (step,) = state.program.steps
    return OpEntry(op, step, sizes, state)


def _sizes(op: Op) -> dict[str, int]:
    """A prime for each axis, those of parameters first: a window has room in what it reads."""
    signature = op.parsed
    data = [o for o in signature.inputs if o.name not in op.parameters and o.within is None]
    read = list(dict.fromkeys(axis for operand in data for axis in operand.axes))
    others = {a for o in signature.inputs for a in (*o.axes, *[o.within][: o.within is not None])}
    letters = [axis for axis in signature.letters if axis in others and axis not in read]
    letters += [axis for axis in signature.letters if axis in read]
    primes = iter(PRIMES[len(letters) == 1 :])  # one axis alone has more than two entries
    sizes = {axis: next(primes) for axis in letters} | dict(op.example_sizes)
    for rule in signature.rules:
        grown = [axis for axis in rule.names if axis in read]
        largest = max(sizes.values(), default=0)
        larger = iter(p for p in PRIMES if grown and p > largest)
        while not _fits(rule, op, sizes):  # what it reads grows until there is room
            prime = next(larger, None)
            if prime is None:
                break
            sizes[grown[-1]] = prime
        sizes[rule.axis] = _size(rule, op, sizes)
    return sizes


def _fits(rule: SizeRule, op: Op, sizes: Mapping[str, int]) -> bool:
    """Whether the output axis has several entries, and as many as no other axis."""
    size = _size(rule, op, sizes)
    same = rule.text in sizes and size == sizes[rule.text]  # o = i
    return size > 1 and (same or size not in sizes.values())


def _size(rule: SizeRule, op: Op, sizes: Mapping[str, int]) -> int:
    try:
        return rule.size_among(sizes, op, {})
    except NoSizeError:
        return 0


def _drawn(
    op: Op, operand: Operand, sizes: Mapping[str, int], rng: np.random.Generator
) -> np.ndarray:
    """Numbers that the op admits: between 0 and 1; labels and positions of their own kind."""
    shape = tuple(sizes[axis] for axis in operand.axes)
    if operand.within is not None:
        return rng.integers(0, sizes[operand.within], shape)
    if operand.name in op.labels:
        if op.label_kind == CLASSES:
            return rng.integers(0, shape[-1], shape[:-1])
        return rng.integers(0, 2, shape).astype(float)
    if operand.name in op.constants:
        mask = np.ones(shape)
        mask[..., 1::2] = 0  # each row lets some stand, and some not
        return mask
    drawn = rng.uniform(0.1, 0.9, shape)
    return drawn / drawn.sum(axis=-1, keepdims=True) if op.takes == DISTRIBUTION else drawn
