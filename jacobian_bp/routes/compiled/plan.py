"""The plan of a compiled step: a buffer for each value and cotangent, and the calls in order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

import numpy as np

from ...errors import AxisError
from ...numbers.arrays import raw_array
from ...numbers.memory import require_memory
from ...numbers.positions import as_positions, require_positions
from ...ops import Linear, Op
from ...ops.kernels import LIMITS, Place
from ...ops.kernels.place import Call, aligned_zeros
from ...program.forward_pass import Pass
from ...program.step import Step
from .layer_kernels import linear, linear_of_one

BLOCK = 2**9  # entries whose squares are added up: their sum stays below the limit for usual values
LINE = 16  # entries of a cache line, with which every buffer begins
LOOKED_AT = 2**12  # entries of a δ aᵀ from which on only δ and a are looked at

Shapes = Mapping[str, tuple[int, ...]]


class Plan:
    """The calls that compute a cost and its gradients, for the shapes of one pass.

    Parameters and data that a linear map reads stay where the caller has them:
    `late` has them by name, beside the plan's own values. What any other op reads
    of them is copied into `copied` first.
    """

    def __init__(self, state: Pass) -> None:
        steps, dtype = needed(state), state.dtype
        names, backward = state.dependents(state.program.params, state.cost)
        made = {step.name: None for step in steps}
        given = list(dict.fromkeys(a for step in steps for a in step.args if a not in made))
        self.shapes: Shapes = {name: state.values[name].shape for name in (*made, *given)}
        require_room([self.shapes[name] for name in (*made, *names)], dtype)
        self.layers = layers_of(steps, self.shapes)
        layers = [step for step in steps if step.name in self.layers]
        indices = state.program.indices
        self.labels = tuple(n for n in given if n in state.program.labels or n in indices)
        read = [(n, self.shapes[n]) for n in given if n not in self.labels]
        self.params = tuple((n, shape) for n, shape in read if n in state.program.params)
        self.data = tuple((n, shape) for n, shape in read if n not in state.program.params)

        elsewhere = {arg for step in steps if step.name not in self.layers for arg in step.args}
        copied = [n for n in given if n in elsewhere]
        arrays, self.watched = arena(watched(steps), self.shapes, dtype)
        arrays |= {
            n: aligned_zeros(self.shapes[n], state.values[n].dtype)
            for n in (*made, *copied)
            if n not in arrays
        }
        self.copied = tuple((n, arrays[n]) for n in copied if n not in self.labels)
        rows = {step.args[0]: as_rows(self.shapes[step.args[0]]) for step in layers}
        self.late: dict[str, Any] = {
            n: arrays[n].reshape(rows.get(n, self.shapes[n])) for n in made
        }
        self.laid_out = tuple(
            (n, rows[n]) for n in given if n in rows and len(rows[n]) != len(self.shapes[n])
        )

        bounded = any(step.op.compiled_as.exponential for step in steps)
        self.limit = LIMITS[dtype] ** 2 if bounded else float(np.finfo(dtype).max)
        self.blocks = self.watched.reshape(-1, min(BLOCK, len(self.watched)) or 1)
        self.cost = arrays[state.cost]
        unreached = [name for name in state.program.params if name not in names]
        shapes = {name: state.values[name].shape for name in (*names, *unreached)}
        outer = outer_products(layers, backward, shapes)
        last = [name for name in names if name in outer]
        first = [name for name in (*names, *unreached) if name not in outer]
        self.bars, whole = arena([*first, *last], shapes, dtype)
        self.own = whole.base
        # every cotangent and gradient side by side; of a large δ aᵀ what it is the product of
        self.slopes = whole[: end_of(first, shapes)] if last else whole
        largest = float(np.finfo(dtype).max)
        self.room = (largest / 2) ** 2 if dtype == np.float32 else largest / 4
        self.read_by_outer = tuple({outer[name]: None for name in last})
        if names:
            self.bars[state.cost].fill(1)
        self._share(layers, backward)
        self.gradients = {name: self.bars[name] for name in state.program.params}
        for name in unreached:
            del self.bars[name]
        self.calls = self._calls(steps, backward, arrays)

    def values_are_inside(self) -> bool:
        """Whether every entry watched is below the limit: False where that takes a closer look.

        No entry's square is above the sum of all squares, or of those of its block.
        """
        if self.watched.dot(self.watched) < self.limit:
            return True
        return bool(np.vecdot(self.blocks, self.blocks).max(initial=0) < self.limit)

    def slopes_are_finite(self) -> bool:
        """Whether no gradient has overflowed: False where that takes a closer look.

        |δ[k] a[i]| is at most ‖δ‖ ‖a‖, so that the entries of a large δ aᵀ are not looked at.
        """
        square = float(self.slopes.dot(self.slopes))
        for name in self.read_by_outer:
            read = self.late[name]
            if not square * float(read.dot(read)) < self.room:
                return False
        return square < inf

    def _share(self, layers: Sequence[Step], backward: Sequence[Step]) -> None:
        """One buffer for two cotangents where the second is written over the first, or is it.

        ∂J/∂z takes the place of ∂J/∂a, for an activation whose z has no other reader.
        For one example ∂J/∂b is ∂J/∂z, where b is read once.
        """
        uses = Counter(arg for step in backward for arg in step.args)
        for step in backward[1:]:  # the cost's own cotangent stays 1
            z = step.args[0]
            if step.op.compiled_as.in_place and uses[z] == 1 and z in self.bars:
                self.bars[z] = self.bars[step.name]
        for step in layers:
            bias = step.args[2]
            if step.name in self.bars and uses[bias] == 1 and is_one(self.shapes[step.name]):
                self.bars[bias] = self.bars[step.name].reshape(-1)

    def _calls(
        self, steps: list[Step], backward: list[Step], arrays: Mapping[str, np.ndarray]
    ) -> tuple[Call, ...]:
        """Every value from the data on, then every cotangent from the cost on.

        Before an op that admits its inputs or labels comes the call that asks it.
        """
        forward: dict[str, Call] = {}
        unreached = [name for name in self.gradients if name not in self.bars]
        pulls: list[Call] = [partial(self.gradients[name].fill, 0) for name in unreached]
        written: set[str] = set()
        for step in backward:
            bars, sums = self._input_bars(step, written)
            forward[step.name], pull = self._kernel(step, arrays, bars)
            pulls += [pull, *sums]
        for step in steps:
            if step.name not in forward:  # no parameter reaches it: a value without cotangent
                forward[step.name], _ = self._kernel(step, arrays, (None,) * len(step.args))
        calls: list[Call] = []
        for step in steps:
            asked = set(step.args).intersection(self.labels) - set(step.indices)
            if type(step.op).admit is not Op.admit or asked:
                calls += admission(step, self.late, self.labels, arrays)
            calls += positions(step, self.late, arrays)
            calls.append(forward[step.name])
        return (*calls, *pulls)

    def _input_bars(
        self, step: Step, written: set[str]
    ) -> tuple[tuple[np.ndarray | None, ...], list[Call]]:
        """Where the step writes the cotangent of each input; later uses of a value are added."""
        bars: list[np.ndarray | None] = [None] * len(step.args)
        sums: list[Call] = []
        for position, _, arg in step.variables:
            if arg not in self.bars:
                continue
            bar = self.bars[arg]
            if arg in written:
                part = np.zeros_like(bar)
                sums.append(partial(np.add, bar, part, out=bar))
                bar = part
            written.add(arg)
            bars[position] = bar
        return tuple(bars), sums

    def _kernel(
        self, step: Step, arrays: Mapping[str, np.ndarray], bars: tuple[np.ndarray | None, ...]
    ) -> tuple[Call, Call]:
        value = arrays[step.name]
        bar = self.bars.get(step.name, np.zeros_like(value))
        if step.name in self.layers:
            layer = linear_of_one if is_one(value.shape) else linear
            return layer(self.late, step.args, Place((), value, bar, bars))
        at = Place(tuple(arrays[arg] for arg in step.args), value, bar, bars)
        return step.op.compiled_as(step.op, at)


@dataclass(frozen=True)
class Admission:
    """Asks an op whether it takes its inputs; labels are copied into place as it admits them.

    Raises what the op raises, and AxisError for labels of another shape than planned:
    the step then takes the long way, which says what is wrong.
    """

    op: Op
    called: Mapping[str, str]
    late: Mapping[str, Any]
    labels: Mapping[int, str]
    inputs: tuple[np.ndarray, ...]

    def __call__(self) -> None:
        given = list(self.inputs)
        for place, name in self.labels.items():
            label = self.late[name]
            known = type(label) is np.ndarray and label.dtype.kind == "f"
            given[place] = label if known else raw_array(label, name)
        admitted = self.op.admit(self.called, *given)
        for place in self.labels:
            put(self.inputs[place], admitted[place])


def admission(
    step: Step, late: Mapping[str, Any], labels: Sequence[str], arrays: Mapping[str, np.ndarray]
) -> list[Call]:
    """The calls, one or none, that admit what the step reads."""
    places = {place: arg for place, arg in enumerate(step.args) if arg in labels}
    inputs = tuple(arrays[arg] for arg in step.args)
    called = {**step.called, "outputs": step.args[0]}
    asked = Admission(step.op, called, late, places, inputs)
    if step.op.admits_finite and not places:
        return []
    if len(places) != 1 or not (step.op.admits_finite and step.op.shows_nonfinite):
        return [asked]
    ((place, name),) = places.items()
    buffer = inputs[place]

    def any_number() -> None:
        given = late[name]
        if type(given) is np.ndarray and given.dtype.kind == "f" and given.shape == buffer.shape:
            buffer[...] = given
        else:
            asked()

    return [any_number]


def positions(step: Step, late: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Call]:
    """The calls that copy positions of an axis into place, once they are found to lie in it.

    Raises what a run raises where they do not: the step then takes the long way.
    """
    calls: list[Call] = []
    operands = step.op.parsed.inputs
    for operand, arg in zip(operands, step.args, strict=True):
        if operand.within is None:
            continue
        axis = operand.within
        owner = next(p for p, o in enumerate(operands) if axis in o.axes and o.within is None)
        place = operands[owner].axes.index(axis) - len(operands[owner].axes)
        size = arrays[step.args[owner]].shape[place]

        def put_positions(arg: str = arg, size: int = size) -> None:
            given = as_positions(late[arg], arg)
            require_positions(given, size, step.who, arg, "")
            put(arrays[arg], given)

        calls.append(put_positions)
    return calls


def put(buffer: np.ndarray, array: np.ndarray) -> None:
    """Copy, without broadcasting."""
    if np.shape(array) != buffer.shape:
        raise AxisError("the labels do not have the planned shape.")
    np.copyto(buffer, array)


def watched(steps: Sequence[Step]) -> list[str]:
    """What has to lie inside the limits: whatever is read by an op that may hide it.

    tanh gives 1 where it reads inf, and a kernel may give NaN for a large number. All
    else shows in the loss. Labels are judged by their op where it admits them.
    """
    names = []
    for step in steps:
        if not step.op.shows_nonfinite:
            judged = step.op.labels if type(step.op).admit is not Op.admit else ()
            judged = (*judged, *step.op.parsed.indices)
            names += [arg for operand, arg in step.called.items() if operand not in judged]
    return list(dict.fromkeys(names))


def arena(
    names: Sequence[str], shapes: Shapes, dtype: np.dtype
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Buffers side by side in one array, in whole blocks, so that one product looks at all."""
    sizes = [int(np.prod(shapes[name])) for name in names]
    starts = np.cumsum([0] + [-(-size // LINE) * LINE for size in sizes])
    count = int(starts[-1])
    whole = aligned_zeros((count if count < BLOCK else -(-count // BLOCK) * BLOCK,), dtype)
    parts = zip(names, starts, sizes, strict=False)
    return {n: whole[i : i + size].reshape(shapes[n]) for n, i, size in parts}, whole


def end_of(names: Sequence[str], shapes: Shapes) -> int:
    """Where these buffers end in an arena that begins with them."""
    return sum(-(-int(np.prod(shapes[name])) // LINE) * LINE for name in names)


def outer_products(
    layers: Sequence[Step], backward: Sequence[Step], shapes: Shapes
) -> dict[str, str]:
    """The large weights whose gradient is one δ aᵀ, each with the name of a."""
    uses = Counter(arg for step in backward for arg in step.args)
    reached = {step.name for step in backward}
    return {
        step.args[1]: step.args[0]
        for step in layers
        if is_one(shapes.get(step.name, (2, 2)))
        and step.name in reached
        and uses[step.args[1]] == 1
        and np.prod(shapes.get(step.args[1], (0,))) >= LOOKED_AT
    }


def needed(state: Pass) -> list[Step]:
    """The steps that the cost is computed from, in order; a fused loss skips its activation."""
    wanted, found = {state.cost}, []
    for step in reversed(state.program.steps):
        step = step.active()
        if step.name in wanted:
            wanted.update(step.args)
            found.append(step)
    return found[::-1]


def layers_of(steps: Sequence[Step], shapes: Shapes) -> set[str]:
    """The steps that are linear maps of rows, whose inputs are read where they lie.

    What is the rows of one map and the weight of another has two shapes, and is copied.
    """
    linear = [step for step in steps if type(step.op) is Linear]
    weights = {arg for step in linear for arg in step.args[1:]}
    return {
        step.name
        for step in linear
        if len(step.args) == 3
        and len(shapes[step.name]) == len(shapes[step.args[0]])
        and step.args[0] not in weights
    }


def is_one(shape: tuple[int, ...]) -> bool:
    """Whether this is the shape of one example's vector, with or without a batch axis."""
    return len(shape) == 1 or (len(shape) == 2 and shape[0] == 1)


def as_rows(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which a layer reads such an array: one vector, or one below the other."""
    return (-1,) if is_one(shape) else (-1, shape[-1])


def require_room(shapes: Iterable[tuple[int, ...]], dtype: np.dtype) -> None:
    """MemoryLimitError where the buffers together are too large."""
    count = sum(int(np.prod(shape, dtype=object)) for shape in shapes)
    require_memory("the workspace of a step", (count,), dtype.itemsize, "Use a smaller batch.")
