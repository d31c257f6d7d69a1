"""What a mistake is: a label, how likely it is, and the wrong lines that it puts into the pass.

    @mutation("missing-slope", 10, "slope")
    def leave_the_slope_out(line, facts):
        yield Wrong(line.without("slope"))

`facts` has what a mistake may need beyond its own line: the other values, widths,
the shapes that were handed in. Adding a mistake is adding one such declaration, and
its sentence in diagnosis/label_sentences.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ....ops.textbook import Textbook
from ....program.forward_pass import Pass
from ..passes.backward import Backward, Changes, Line, LineKey
from ..passes.equation import Equation
from ..passes.equation_of_line import equation_of
from ..passes.slopes import formulas

Shape = tuple[int, ...]
FEW_LAYERS, REACH = 16, 4


@dataclass(frozen=True, eq=False)
class Wrong:
    """One wrong line, or several that go together; `note` says what stands there instead.

    Wrong lines of one mistake with one `tag` are what the same slip gives in every layer.
    """

    line: Line | None = None
    note: str = ""
    tag: str = ""
    also: Changes = field(default_factory=dict)
    label: str = ""
    prior: int = 0
    missing: str = ""  # what should stand there, if not the line's first factor


@dataclass(frozen=True, eq=False)
class Facts:
    """What mistakes read of a run."""

    backward: Backward
    shapes: frozenset[Shape]  # of what was handed in, axes of size 1 left out
    inside: Mapping[str, str] = field(default_factory=dict)  # value → whose formula names it
    mates: Mapping[str, frozenset[str]] = field(default_factory=dict)  # the others in its formula

    @property
    def state(self) -> Pass:
        return self.backward.state

    @property
    def values(self) -> Mapping[str, np.ndarray]:
        return self.state.values

    def equation(self, line: Line) -> Equation | None:
        """The line as a sum of products; None where the op's Jacobian gives none. It is kept."""
        if line.key not in self._equations:
            incoming = self.backward.base.get(line.source)
            found = None if incoming is None else equation_of(line, self.state, incoming)
            self._equations[line.key] = found
        return self._equations[line.key]

    @cached_property
    def _equations(self) -> dict[LineKey, Equation | None]:
        return {}

    @cached_property
    def params(self) -> frozenset[str]:
        """The names of the parameters."""
        return frozenset(self.state.program.params)

    @cached_property
    def examples(self) -> int:
        """The number of examples in a batch, or 0 for one example."""
        sizes = [self.values[name].shape[0] for name in self.state.batched]
        return sizes[0] if sizes else 0

    @cached_property
    def activations(self) -> dict[str, tuple[str, Textbook]]:
        """Value -> (what its activation reads, the activation's formulas)."""
        found = {}
        for step in self.state.program.steps:
            known = formulas(step.op)
            if known is not None:
                found[step.name] = (step.args[0], known)
        return found

    @cached_property
    def layer_inputs(self) -> tuple[str, ...]:
        """The data that layers read and activations give, in order: x, a1, a2, …"""
        names = [k.factor("input").name for k in self.backward.lines if k.kind == "outer"][::-1]
        return tuple(dict.fromkeys([*names, *self.activations]))

    @cached_property
    def other_values(self) -> tuple[str, ...]:
        """The other values, such as a sum at a skip connection."""
        known = {*self.layer_inputs, *self.params, *self.state.program.labels}
        return tuple(name for name, a in self.values.items() if name not in known and a.ndim)

    @cached_property
    def lengths(self) -> frozenset[int]:
        """Of every axis that a value or a parameter has."""
        return frozenset({1, *(size for array in self.values.values() for size in array.shape)})

    def fits(self, shape: Shape) -> bool:
        """Whether sums and products of the network's arrays can have this shape."""
        most = 2 + max(array.ndim for array in self.values.values())
        return len(shape) <= most and set(shape) <= self.lengths

    def layer_output(self, source: str) -> str:
        """The activation that a layer's pre-activation goes into, perhaps through a sum."""
        for line in self.backward.to.get(source, ()):
            if line.source in self.activations:
                return line.source
            if line.kind == "pass":
                return self.layer_output(line.source)
        return ""

    def near(self, names: Sequence[str], name: str) -> list[str]:
        """The names whose array may be taken by mistake: all, or neighbours in a deep network.

        Of a value inside a formula, those that the formula has.
        """
        if name in self.mates:
            return [other for other in names if other in self.mates[name]]
        if len(names) <= FEW_LAYERS or name not in names:
            return list(names[:FEW_LAYERS])
        place = names.index(name)
        return list(names[max(0, place - REACH) : place + REACH + 1])

    @cached_property
    def outputs(self) -> frozenset[str]:
        """The values that the loss compares with the labels."""
        return frozenset(k.target for k in self.backward.lines if k.kind == "cost")

    def in_place_of(self, line: Line, wrong: Line) -> Changes:
        """The change; a line that was asleep takes the place of the fused one."""
        changes: dict[LineKey, Line | None] = {line.key: wrong}
        if line.asleep:
            fused = [k for k in self.backward.to[line.target] if k.kind == "cost"]
            changes |= {k.key: None for k in fused}
        return changes


@dataclass(frozen=True, eq=False)
class Mutation:
    """One declaration: which kinds of line it applies to, and what it makes of them."""

    label: str
    prior: int  # the smaller, the more likely
    kinds: tuple[str, ...]
    change: Callable[[Line, Facts], Iterator[Wrong]]


@dataclass(frozen=True, eq=False)
class Variation:
    """One mistake at one place (or the same at several): the lines that it changes."""

    label: str
    prior: int
    changes: Changes
    where: str
    line: Line
    note: str = ""
    tag: str = ""
    everywhere: bool = False
    missing: str = ""


MUTATIONS: list[Mutation] = []


def mutation(label: str, prior: int, *kinds: str) -> Callable[[Callable], Callable]:
    """Declare a mistake."""

    def declare(change: Callable[[Line, Facts], Iterator[Wrong]]) -> Callable:
        MUTATIONS.append(Mutation(label, prior, kinds, change))
        return change

    return declare


def variations(line: Line, facts: Facts) -> list[Variation]:
    """Every declared mistake that applies to one line."""
    found = []
    for declared in MUTATIONS:
        if line.kind not in declared.kinds:
            continue
        for wrong in declared.change(line, facts):
            changes = dict(wrong.also)
            if wrong.line is not None:
                changes |= facts.in_place_of(line, wrong.line)
            found.append(
                Variation(
                    wrong.label or declared.label,
                    declared.prior + wrong.prior,
                    changes,
                    place(line, facts) if wrong.line is not None else line.target,
                    line,
                    wrong.note,
                    f"{declared.change.__name__} {wrong.tag}",
                    missing=wrong.missing,
                )
            )
    return found


def place(line: Line, facts: Facts) -> str:
    """The object that a student has on paper where this line goes wrong: z1 rather than a1."""
    if line.kind in ("weights", "cost", "share"):
        for other in facts.backward.out_of.get(line.target, ()):
            if other.kind in ("slope", "softmax", "cost"):
                return other.target if other.kind != "cost" else place(other, facts)
    return line.target


def fits(array: np.ndarray, value: np.ndarray) -> bool:
    """Whether an array can stand where `value` stands, by broadcasting."""
    try:
        return np.broadcast_shapes(array.shape, value.shape) == value.shape
    except ValueError:
        return False
