"""A run as a convention writes it: the same numbers, in the convention's own arrays.

W is turned round, the bias becomes a line of W, the examples go to the last axis. The
result is a pass of a program of its own, so that everything that follows from a pass
(Jacobians, gradients, checks, the derivation) follows in that convention.
"""

from dataclasses import replace

import numpy as np

from ..algebra.axes import BATCH
from ..errors import SpecError
from ..numbers.arrays import read_only
from ..ops import Linear, Op, Penalty
from ..program.forward_pass import Pass
from ..program.options import of_made
from ..program.program import Program
from ..program.step import Step
from ..writing.signs import safe
from .affine_forms import Affine
from .convention import WEIGHTS, Convention
from .in_columns import InColumns, columns_of


def written_in(state: Pass, convention: Convention) -> Pass:
    """The pass with its arrays as the convention has them; itself where they are so already.

    Raises SpecError for what the convention cannot say of this program: a matrix that
    another op than Linear reads, a bias that is tied, shared or penalised and would have
    to become a line of W.
    """
    if "a0" in state.values and convention.name("a0") == "a-1":
        raise SpecError(
            "first = 0 leaves no number for the input that passes an activation, a0.\n"
            '  Give it a name, names = { "h" = "a0" }, or count from 1.'
        )
    if (convention.weights, convention.bias) != ("out,in", "own"):
        state = _with_weights(state, convention)
    if convention.examples == "columns" and any(BATCH in a for a in state.names.values()):
        state = _with_columns(state)
    return state


def _with_weights(state: Pass, convention: Convention) -> Pass:
    """Each Linear step reads W as the convention has it, with the bias in it if it says so."""
    layers = [step for step in state.program.steps if type(step.op) is Linear]
    for step in state.program.steps:
        _require_sayable(state, step, convention)
    values, params = dict(state.values), list(state.program.params)
    for step in layers:
        _, weight, *bias = step.args
        found = state.values[weight]
        if bias and convention.bias != "own":
            _require_own_bias(state, step)
            found = _joined(found, values.pop(bias[0]), convention.bias)
            params.remove(bias[0])
        found = found.T if convention.weights == "in,out" else found
        values[weight] = read_only(np.array(found, order="C", copy=True))
    steps = [
        _affine(state, step, convention) if type(step.op) is Linear else step
        for step in state.program.steps
    ]
    program = Program(tuple(steps), tuple(params), state.program.left_out)
    names = {name: axes for name, axes in state.names.items() if name in values}
    names |= {step.args[1]: program.letters[step.args[1]] for step in layers}
    return Pass(program, values, names, state.dtype, state.missing)


def _affine(state: Pass, step: Step, convention: Convention) -> Step:
    """The step as the convention writes it; without a bias there is none to write."""
    op = Affine(convention, bool(state.batched), len(step.args) > 2)
    return replace(step, op=op, args=step.args[: len(op.parsed.inputs)], options=())


def _joined(weights: np.ndarray, bias: np.ndarray, place: str) -> np.ndarray:
    """[b W], or [W b]."""
    parts = [bias[:, None], weights] if place == "first" else [weights, bias[:, None]]
    return np.concatenate(parts, axis=1)


def _require_sayable(state: Pass, step: Step, convention: Convention) -> None:
    """SpecError where a matrix is no W of a Linear step, or a Linear step's W is computed."""
    params = state.program.params
    who = f"{WEIGHTS[convention.weights]}{_bias_said(convention)}"
    if type(step.op) is Linear:
        for arg in step.args[1:]:
            if arg not in params:
                raise SpecError(
                    f"{who} cannot be said of {step}: {safe(arg)} is no parameter.\n  {_leave()}"
                )
        return
    for arg in step.args:
        is_matrix = arg in params and state.values[arg].ndim > 1
        if is_matrix and not (isinstance(step.op, Penalty) and convention.bias == "own"):
            what = "penalises it alone" if isinstance(step.op, Penalty) else "is no Linear"
            raise SpecError(
                f"{who} cannot be said of {safe(arg)}: {step} reads it, which {what}.\n  {_leave()}"
            )


def _require_own_bias(state: Pass, step: Step) -> None:
    """SpecError where a bias, or the W that it shall stand in, belongs to more than one step."""
    for arg in step.args[1:]:
        readers = [other for other in state.program.steps if arg in other.args]
        if len(readers) > 1:
            raise SpecError(
                f"a bias in W cannot be said of {step}: {safe(arg)} is read by "
                f"{' and '.join(map(str, readers[:2]))}.\n  {_leave()}"
            )


def _bias_said(convention: Convention) -> str:
    return "" if convention.bias == "own" else f" with the bias as its {convention.bias} line"


def _leave() -> str:
    return 'Write a convention with weights="out,in" and bias="own"; names and columns may stay.'


def _with_columns(state: Pass) -> Pass:
    """Every array of a batch with the examples in its last axis."""
    values = {name: _moved(state, name, value) for name, value in state.values.items()}
    steps = tuple(_step_of_columns(state, step) for step in state.program.steps)
    program = Program(steps, state.program.params, state.program.left_out)
    names = {
        name: (*(axis for axis in axes if axis != BATCH), *([BATCH] if BATCH in axes else []))
        for name, axes in state.names.items()
    }
    return Pass(program, values, names, state.dtype, state.missing)


def _moved(state: Pass, name: str, value: np.ndarray) -> np.ndarray:
    """A value with its examples last; itself where it has none beside other axes."""
    axes = tuple(axis.name for axis in state.axes(name)) if name in state.program.letters else ()
    if len(axes) < 2 or BATCH not in axes:
        return value
    return read_only(np.array(columns_of(value, axes), order="C", copy=True))


def _step_of_columns(state: Pass, step: Step) -> Step:
    fused_op = step.fused_op and _op_of_columns(state, step.active())
    plain = replace(step, fused_op=None, fused_args=())
    options = of_made(step.op) if step.options is None else step.options
    return replace(step, op=_op_of_columns(state, plain), fused_op=fused_op, options=options)


def _op_of_columns(state: Pass, step: Step) -> Op:
    """The op for columns; the op itself where no array of it has examples beside other axes."""
    signature, binding = step.op.parsed, state.binding(step)
    for operand, front, arg in zip(signature.inputs, binding.carried, step.args, strict=True):
        axes = tuple(axis.name for axis in state.axes(arg))
        if len(axes) > 1 and BATCH in axes and BATCH not in (*front, *operand.axes):
            raise SpecError(
                f"examples in columns cannot be said of {step}: it reads "
                f"{safe(arg)}[{','.join(axes)}] as {operand}, the examples under another name.\n"
                '  Write a convention with examples="rows".'
            )
    if BATCH not in binding.leading and BATCH not in {
        axis for operand in signature.inputs for axis in operand.axes if len(operand.axes) > 1
    }:
        return step.op
    return InColumns(step.op, binding)
