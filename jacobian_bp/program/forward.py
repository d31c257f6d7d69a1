"""One forward pass of a program: data admitted, every step computed, every value finite."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any

import numpy as np

from ..algebra.axes import BATCH
from ..algebra.binding import Binding
from ..errors import AxisError, DomainError
from ..numbers.arrays import (
    as_array,
    is_closed,
    is_finite,
    quiet,
    raw_array,
    read_only,
    require_finite,
)
from ..numbers.positions import as_positions
from ..numbers.precision import precision_of
from ..ops import Op
from ..writing.signs import dims, safe
from .forward_pass import Pass, bind_step, require_in_range
from .naming import Names, in_front, meeting, names_of_data, read_names
from .program import Program
from .step import Step

MOST_PLANS = 16  # kept of a program: batches of several sizes, with labels and without
HINT = "Standardise the data, or start from smaller weights."


@quiet
def run_forward(
    program: Program,
    params: Mapping[str, np.ndarray],
    data: Mapping[str, Any],
    axes: Mapping[str, str] | None = None,
    called: str = "net.run",
) -> Pass:
    """One forward pass: the data admitted, every step computed, every value finite.

    Steps that need an input which was not given (labels) are left out. `axes` names the
    axes that data carries in front, {"u": "n,t"}; one that nobody names is n. `called` is
    what the caller writes, for a message.
    """
    named = read_names(program, data, axes)
    admitted = {name: _admit(program, name, value) for name, value in data.items()}
    look = (
        *[(n, a.shape, a.dtype, named.get(n)) for n, a in admitted.items()],
        *[(n, a.shape, a.dtype) for n, a in params.items()],
    )
    plan = program.plans.get(look) or _planned(program, params, admitted, named)
    values = {
        n: a if n in plan.whole else a.astype(plan.dtype, copy=False) for n, a in admitted.items()
    }
    values |= {name: _unwritable(array, plan.dtype) for name, array in params.items()}
    for array in values.values():
        read_only(array)
    names = dict(plan.names)
    measured = frozenset({*data} - {*program.labels})
    known = plan.shapes, plan.program.bindings
    call = Call(values, names, plan.dtype, measured, called, *known)
    for step in plan.program.steps:
        call.compute(step)
    if plan.names.keys() != names.keys():  # the first pass of this look
        plan.names.update(names)
        if len(program.plans) >= MOST_PLANS:
            program.plans.clear()
        program.plans[look] = plan
    return Pass(plan.program, values, names, plan.dtype, plan.missing)


@dataclass(frozen=True, eq=False)
class Plan:
    """What follows for a pass from the shapes of its data and parameters, whatever their numbers.

    `names` are those of the axes of data, and after a pass those of all values; `shapes` has the
    shape of each value whose op takes all numbers of the shapes that it was bound to.
    """

    program: Program
    dtype: np.dtype
    whole: frozenset[str]  # what stays whole numbers
    missing: tuple[str, ...]
    names: Names
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


def _planned(
    program: Program,
    params: Mapping[str, np.ndarray],
    admitted: Mapping[str, np.ndarray],
    named: Names,
) -> Plan:
    """The program without what needs data that is not given, for data with these axes."""
    measured = {n: a for n, a in admitted.items() if n not in program.labels}
    whole = frozenset((*program.labels, *program.indices))
    dtype = precision_of([*(a for n, a in admitted.items() if n not in whole), *params.values()])
    missing = tuple(name for name in program.labels if name not in admitted)
    absent = frozenset(n for n in program.inputs if n not in admitted)
    program = program.without(absent)
    ranks = {name: array.ndim for name, array in measured.items()}
    names = names_of_data(program, ranks, named)
    for name, found in names.items():
        if found[:1] == (BATCH,) and measured[name].shape[0] == 0:
            raise DomainError(
                f"{safe(name)} has shape {dims(measured[name].shape)}: a batch of 0 examples.\n"
                "  Pass at least one example."
            )
    unnamed = {name: array for name, array in measured.items() if name not in names}
    front = in_front(program, names, named)
    program = meeting(program, names, front, {**params, **unnamed} if unnamed else params)
    return Plan(program, dtype, whole, missing, names)


def _admit(program: Program, name: str, value: Any) -> np.ndarray:
    """Data as a fresh finite array; whole-number labels and positions stay whole."""
    if name in program.indices:
        return as_positions(value, name)
    array = raw_array(value, name)
    if name in program.labels and array.dtype.kind in "biu":
        return np.array(array, copy=True)
    array = as_array(array, name)
    require_finite(array, name, "Drop or fill such entries before the network sees them.")
    return array


def _unwritable(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """A parameter in the dtype of the pass: itself where nobody can write to it, else a copy."""
    if array.dtype == dtype and array.flags.c_contiguous and is_closed(array):
        return array
    return array.astype(dtype, order="C")


@dataclass(frozen=True)
class Call:
    """What is known while the steps are computed, one after another."""

    values: dict[str, np.ndarray]
    names: dict[str, tuple[str, ...]]
    dtype: np.dtype
    data: frozenset[str]  # whose axes a caller can name
    called: str
    shapes: dict[str, tuple[int, ...]]  # what is known from an earlier pass
    bindings: dict[Any, Binding]  # and of steps of the same signature
    made: list[str] = field(default_factory=list)

    def compute(self, step: Step) -> None:
        """Add the step's value; labels that the op admits are replaced by their one form."""
        outputs = step.args[0]  # as the user knows them, where a loss is fused
        step, values, dtype = step.active(), self.values, self.dtype
        given = [values[arg] for arg in step.args]
        expected = self.shapes.get(step.name)
        if expected is None:
            given, expected = self.fitted(step, given, outputs)
        value = step.ask("forward()", step.op.forward, *given)
        shape = value.shape if isinstance(value, np.ndarray) else np.shape(value)
        if shape != expected:
            raise AxisError(
                f"{step.who}: forward gives shape {dims(shape)}, "
                f"the signature {step.op.parsed} says {dims(expected)}.\n"
                "  Mend forward or the signature."
            )
        self.made.append(step.name)
        values[step.name] = kept = read_only(_own(step.op, value, given, dtype))
        if not is_finite(kept):
            require_finite(kept, step.name, f"It is computed by {step}. {HINT}")

    def fitted(
        self, step: Step, given: list[np.ndarray], outputs: str
    ) -> tuple[list[np.ndarray], tuple[int, ...]]:
        """What the op takes of what it is given, and the shape of its value; all axes get names."""
        op, signature = step.op, step.op.parsed
        binding = self.bound(step) if _shapes_first(op, given) else None
        admits, before = op.labels or op.has_own_admit, given
        if admits:
            given, binding = self.admitted(step, given, outputs, binding)
        binding = binding or self.bound(step)
        if step.indices:
            require_in_range(step, binding, self.values)
        for arg, axes in zip(step.args, binding.fronts.inputs, strict=True):
            if arg not in self.names:
                self.names[arg] = axes
        self.names[step.name] = binding.fronts.output
        as_given = all(map(is_, given, before))
        by_shapes = not (step.indices or signature.rules)  # sizes of rules follow options
        if by_shapes and (not admits or (op.admits_finite and as_given)):
            self.shapes[step.name] = binding.shape
        return given, binding.shape

    def admitted(
        self, step: Step, given: list[np.ndarray], outputs: str, binding: Binding | None
    ) -> tuple[list[np.ndarray], Binding | None]:
        """What the op makes of what it is given, and the binding where the shapes stay."""
        values, dtype = self.values, self.dtype
        names = step.called | {"outputs": outputs}
        for arg, before, value in zip(
            step.args, given, step.ask("admit()", step.op.admit, names, *given), strict=True
        ):
            if (value is not before or before.dtype != dtype) and arg not in step.indices:
                values[arg] = read_only(np.array(value, dtype))
                if values[arg].shape != before.shape:
                    binding = None  # of the form that the op was given
        return [values[arg] for arg in step.args], binding

    def bound(self, step: Step) -> Binding:
        """The sizes of the step's axes, or AxisError for shapes that do not fit the op."""
        binding = bind_step(
            step, self.values, self.names, self.bindings, self.computed, self.how_named
        )
        if step.op.needs_entries and 0 in binding.sizes.values():
            _refuse_empty(step, binding, self.values)
        return binding

    def computed(self) -> Collection[str]:
        return self.made

    def how_named(self, name: str, axes: Sequence[str]) -> str:
        """How a caller says which axes a name has in front: net.run(…, axes={"x": "n,t"})."""
        said = f'{self.called}(…, axes={{"{name}": "{",".join(axes)}"}})'
        return said if name in self.data else ""


def _own(op: Op, value: np.ndarray, given: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """The value as an array that nobody else holds: itself where the op has made it."""
    made = op.gives_new_arrays and isinstance(value, np.ndarray) and value.base is None
    if made and value.dtype == dtype and not any(value is array for array in given):
        return value
    return np.array(value, dtype=dtype)


def _shapes_first(op: Op, given: Sequence[np.ndarray]) -> bool:
    """Whether shapes can be compared before the op admits the numbers.

    A class index becomes a row only there; what has too few axes for the op fits in no case.
    """
    return not op.labels or any(
        array.ndim < len(operand.axes)
        for operand, array in zip(op.parsed.inputs, given, strict=True)
        if operand.name not in op.labels
    )


def _refuse_empty(step: Step, binding: Binding, values: Mapping[str, np.ndarray]) -> None:
    """AxisError for an axis without entries: no mean, no largest entry, no probability is there."""
    for arg, axes in zip(step.args, binding.fronts.inputs, strict=True):
        for axis in axes:
            if binding.sizes[axis] == 0:
                raise AxisError(
                    f"{step.who}: axis {axis} has no entries.\n"
                    f"  {safe(arg)}[{','.join(axes)}] has shape {dims(values[arg].shape)}, "
                    f"so {axis} = 0\n"
                    f"  Pass {safe(arg)} with at least one entry along {axis}."
                )
