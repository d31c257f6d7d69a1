"""From the nodes of a model to the lines of a program: names, axes, and what is kept constant.

Every value knows whether its first axis is n, the examples; an op's letters name what stands
behind it. A rule (see rules) writes the lines of one kind of node.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...algebra.axes import BATCH
from ...algebra.binding import WrongRankError
from ...errors import JacobianError
from ...program.naming import axes_of_output
from ...program.program_text import read_program
from ...program.step import Step
from .model import Model, Node, Parameter
from .names import as_name, free_name
from .value import Value, letters_of
from .views import of_layers, settled, view_of

FRONT = "ntsrq"  # of what data has in front


class UnreadableError(Exception):
    """What a rule cannot write, in words that follow the place of its node."""

    def __init__(self, fact: str, instead: str = "") -> None:
        super().__init__(fact)
        self.fact, self.instead = fact, instead


@dataclass(eq=False)
class Built:
    """A model as a program: its lines, and what its network keeps beside them."""

    lines: tuple[str, ...]
    params: dict[str, np.ndarray]
    constants: dict[str, np.ndarray]
    axes: dict[str, str]
    parameters: dict[str, Parameter]
    outputs: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)  # of the example's inputs
    output: tuple[int, ...] = ()  # the shape of what it gives for the example


class Builder:
    """The lines so far, and what each key of the model has become."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.lines: list[str] = []
        self.steps: dict[str, Step] = {}
        self.values: dict[str, Value] = {}
        self.kept: dict[str, np.ndarray] = {}
        self.axes: dict[str, tuple[str, ...]] = {}
        self.given: dict[str, str] = {}  # how the axes of inputs are named
        self.used: dict[str, Parameter] = {}
        self.taken = {*model.names.values()}
        self.examples = next((s[0] for s in model.inputs.values() if len(s) > 1), None)
        for key, parameter in model.parameters.items():
            name = free_name(as_name(parameter.foreign), self.taken)
            self.taken.add(name)
            self.used[name] = parameter
            self.values[key] = Value(name, parameter.array.shape, None, False)
        for key, shape in model.inputs.items():
            batched = bool(shape) and (len(shape) > 1 or shape[0] == self.examples)
            if len(shape) == 1 and self.examples is None and model.names[key] in self._indices():
                batched = True
            self.values[key] = Value(model.names[key], shape, None, batched)

    def _indices(self) -> set[str]:
        """The inputs that a look-up reads."""
        keys = {node.reads[0] for node in self.model.nodes if node.kind == "embedding"}
        return {self.model.names[key] for key in keys if key in self.model.names}

    def build(self, rules: Mapping[str, Callable[["Builder", Node], Value]]) -> Built:
        """The program, or SpecError with everything that cannot be written."""
        model = self.model
        lost: set[str | None] = set()
        for node in model.nodes:
            if node.kind == "unread" or not lost.isdisjoint({*node.reads, *_bases(node.reads)}):
                lost.add(node.gives)  # it rests on what is told already
                continue
            if node.kind not in rules:
                model.wrong(node.place, f"{node.kind} is not known")
                lost.add(node.gives)
                continue
            try:
                self.values[node.gives] = rules[node.kind](self, node)
            except UnreadableError as error:
                model.wrong(node.place, error.fact, error.instead)
                lost.add(node.gives)
            except WrongRankError:
                model.wrong(node.place, f"{node.kind} reads other axes here")
                lost.add(node.gives)
            except JacobianError as error:
                model.wrong(node.place, str(error).replace("\n  ", " "))
                lost.add(node.gives)
        model.done()
        for key in model.outputs:
            if [axis for group in view_of(self.settled(key)) for axis in group][:1] == [0]:
                continue
            if self.values[key].batched:
                model.wrong(
                    model.source,
                    "its output has another axis in front of the examples",
                    "put the examples in front",
                )
        model.done()
        outputs = tuple(self.values[key].name for key in model.outputs)
        self._leave_out_unread(outputs)
        if not self.lines:
            model.wrong(model.source, "it computes nothing")
        model.done()
        read = {arg for step in self.steps.values() for arg in step.args}
        return Built(
            tuple(self.lines),
            {name: p.array for name, p in self.used.items() if name in read},
            {name: array for name, array in self.kept.items() if name in read},
            {name: text for name, text in self.given.items() if name in read},
            self.used,
            outputs,
            {model.names[key]: shape for key, shape in model.inputs.items()},
            self.values[model.outputs[0]].shape,
        )

    def _leave_out_unread(self, outputs: Sequence[str]) -> None:
        """Leave out the steps that lead to no output."""
        needed = set(outputs)
        for name in reversed(list(self.steps)):
            if name in needed:
                needed.update(self.steps[name].args)
        kept = [name in needed for name in self.steps]
        self.lines = [line for line, stays in zip(self.lines, kept, strict=True) if stays]
        self.steps = {name: step for name, step in self.steps.items() if name in needed}

    def value(self, key: str | None) -> Value:
        """The value of a key; that of a constant is kept beside the parameters."""
        assert key is not None
        if key in self.values:
            return self.values[key]
        array = self.constant(key)
        if array is None or array.dtype.kind != "f":
            raise UnreadableError(
                "it reads a constant where a value or a parameter is expected",
                "make it a parameter of the model",
            )
        return self.keep(self.model.called.get(key, key), array, tuple(letters_of(array.ndim)))

    def constant(self, key: str | None) -> np.ndarray | None:
        """The array of a key that is constant, or None."""
        return self.model.constants.get(key) if key is not None else None

    def line(
        self,
        called: str,
        op: str,
        reads: Sequence[Value],
        shape: tuple[int, ...],
        *options: Any,
        **named: Any,
    ) -> Value:
        """Write one line; the value that it gives."""
        written = [*map(repr, options), *(f"{k}={v!r}" for k, v in named.items())]
        call = f"{op}({', '.join([*(v.name for v in reads), *written])})"
        return self.call(called, call, reads, shape)

    def call(self, called: str, call: str, reads: Sequence[Value], shape: tuple[int, ...]) -> Value:
        """Write one line, whose right-hand side is given as a text."""
        name = free_name(as_name(called, "v"), self.taken)
        text = f"{name} = {call}"
        (step,) = read_program([text], {})
        for operand, value in zip(step.op.parsed.inputs, reads, strict=True):
            self._name_axes(value, step, operand.axes, operand.name)
        ranks = {v.name: len(v.shape) for v in reads}
        axes = axes_of_output(step, self.axes, ranks)
        self.taken.add(name)
        self.lines.append(text)
        self.steps[name], self.axes[name] = step, axes
        batched = any(v.batched for v in reads) and BATCH in axes
        return Value(name, shape, axes, batched)

    def _name_axes(self, value: Value, step: Step, letters: tuple[str, ...], operand: str) -> None:
        """Name the axes of an input where it is read first: those in front, then the letters."""
        name = value.name
        if name in self.axes or name in self.used or operand in step.op.labels:
            return
        if name not in self.model.names.values():
            return
        extra = len(value.shape) - len(letters)
        if extra < 0 or extra > len(FRONT):
            raise UnreadableError(f"{name} has {len(value.shape)} axes, and {operand} other ones")
        front = [c for c in FRONT if c not in letters or c == BATCH][:extra]
        self.axes[name] = (*front, *letters)
        if extra > 1:
            self.given[name] = ",".join(front)

    def named_input(self, value: Value) -> tuple[str, ...] | None:
        """The axes of an input that a mean or a sum reads, each by a name; None for a parameter."""
        if value.name not in self.model.names.values():
            return None
        if value.name not in self.axes:
            names = (*([BATCH] * value.batched), *letters_of(len(value.example)))
            self.axes[value.name] = names
            self.given[value.name] = ",".join(names)
        return self.axes[value.name]

    def keep(self, called: str, array: np.ndarray, axes: tuple[str, ...]) -> Value:
        """A constant that the network keeps, with the names of its axes."""
        array = np.asarray(array)
        for name, known in self.kept.items():
            same = known.shape == array.shape and self.axes[name] == axes
            if same and np.array_equal(known, array):
                return Value(name, array.shape, axes, False)
        name = free_name(as_name(called, "c"), self.taken)
        self.taken.add(name)
        self.kept[name], self.axes[name] = array, axes
        if array.ndim > 0:
            self.given[name] = ",".join(axes)
        return Value(name, array.shape, axes, False)

    def copied(self, called: str, row: np.ndarray) -> Value:
        """Numbers that a model has a copy of for each example: a parameter, or kept as a constant.

        An exporter folds what stands behind a state of 0, U 0 + b, into copies of b; entry for
        entry they are that parameter, if no other has these entries and they are not all alike.
        """
        same = [name for name, p in self.used.items() if np.array_equal(p.array, row)]
        if len(same) == 1 and np.ptp(row):
            return Value(same[0], row.shape, None, False)
        return self.keep(called, row, tuple(letters_of(row.ndim)))

    def one_of_copies(self, value: Value) -> Value:
        """A parameter that a file has once for each of its examples, (n, …), as (1, …)."""
        own, read = self.used.get(value.name), {a for s in self.steps.values() for a in s.args}
        if (
            not self.model.copies
            or own is None
            or len(own.array) != self.examples
            or value.name in read
        ):
            return value
        if not np.array_equal(own.array, np.broadcast_to(own.array[:1], own.array.shape)):
            return value
        one = replace(own, array=own.array[:1].copy(), copies=len(own.array))
        self.used[value.name] = one
        return replace(value, shape=one.array.shape)

    @property
    def with_one_row(self) -> str:
        """What to write for a parameter that has an axis of the examples."""
        if self.model.copies:
            return (
                "give it a first axis of 1; an export does where the number of examples is "
                "left open"
            )
        return "give it one row, and repeat that: h.expand(len(x), -1)"

    def letters(self, value: Value) -> list[str]:
        """A letter for each axis of an example of a value, each once and none of them n."""
        rank = len(value.example)
        if value.axes is not None and len(value.axes) == len(value.shape):
            own = list(value.axes[len(value.shape) - rank :])
            if len({*own}) == rank and BATCH not in own and all(len(c) == 1 for c in own):
                return own
        return letters_of(rank)

    def settled(self, key: str | None) -> Value:
        """A value with the axes of an example as the model has them, for all who read it."""
        value = self.value(key)
        if value.layers:
            value = of_layers(self, value)
        if value.view is None:
            return value
        assert key is not None
        self.values[key] = settled(self, f"{value.name}_turned", value)
        return self.values[key]

    def side_by_side(self, layers: Sequence[Value]) -> Value:
        """The states of layers on a first axis of the model's, joined where that is needed."""
        last = layers[-1]
        return Value(last.name, (len(layers), *last.shape), None, True, layers=tuple(layers))

    def read(self, key: str | None) -> Value:
        """A settled value for which no mask waits."""
        value = self.settled(key)
        if value.allowed is not None:
            raise UnreadableError("it reads a score of -inf that no softmax follows")
        return value

    def plain(self, key: str | None) -> Value:
        """A value whose axes are those of the model, one for one."""
        value = self.read(key)
        if value.view is not None and 0 not in value.view[0]:
            raise UnreadableError(
                "it reads examples behind another axis", "keep them in front: batch_first=True"
            )
        if value.view is not None:
            raise UnreadableError(
                "it reads examples and tokens in one axis", "keep them apart: x.view(n, t, -1)"
            )
        return value


def _bases(reads: Sequence[str | None]) -> set[str]:
    """The calls of which values are parts: lstm of lstm#1."""
    return {key.partition("#")[0] for key in reads if key is not None}
