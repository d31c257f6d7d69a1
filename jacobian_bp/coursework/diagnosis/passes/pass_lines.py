"""From a run's program to the lines of its backward pass."""

import numpy as np

from ....algebra.expression import Delta
from ....numbers.arrays import quiet
from ....ops import (
    Activation,
    Einsum,
    Linear,
    Op,
    Penalty,
    Reduction,
    Softmax,
    outer,
    over_batch,
)
from ....program.forward_pass import Pass
from ....program.step import Step
from .backward import Backward, Factor, Line, as_it_is
from .slopes import slope_name


def entrywise(incoming: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """δ * s, entry by entry"""
    return incoming * slope


def through_weights(incoming: np.ndarray, W: np.ndarray) -> np.ndarray:
    """δ @ W: back through a layer, Σ_k δ[k] W[k,i]"""
    return incoming @ W


def outer_product(incoming: np.ndarray, a: np.ndarray) -> np.ndarray:
    """δ[k] a[i], summed over the examples"""
    return outer(incoming, a)


def outer_turned(incoming: np.ndarray, a: np.ndarray) -> np.ndarray:
    """a[i] δ[k], for a weight that is stored as (inputs, outputs)"""
    return outer(a, incoming)


def over_examples(incoming: np.ndarray) -> np.ndarray:
    """δ, summed over the examples"""
    return over_batch(incoming)


def each_example(incoming: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """The derivative of each example's cost, times what comes in for that example."""
    return np.asarray(incoming)[..., None] * cost


def through_rows(incoming: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """Σ_k δ[k] J[k,k'], example by example"""
    return np.einsum("...k,...kj->...j", incoming, jacobian)


def penalty_slope(incoming: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """The derivative of the penalty, times what comes in for its value."""
    return incoming * slope


def shared_out(incoming: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Each example's share of the cost."""
    return incoming * share


@quiet
def backward_pass(state: Pass) -> Backward:
    """The lines of the right backward pass, the unfused twins of fused lines asleep."""
    readers: dict[str, int] = {}
    for step in state.program.steps:
        for arg in step.args:
            readers[arg] = readers.get(arg, 0) + 1
    between = {
        step.args[0]
        for step in state.program.steps
        if step.fused_op is not None and readers[step.args[0]] == 1
    }
    lines: list[Line] = []
    for step in reversed(state.program.steps):
        active = step.active()
        asleep = step.name in between
        for position, operand, arg in active.variables:
            if arg not in state.program.labels:
                lines.append(_line(state, active, position, operand, arg, asleep))
        if step.fused_op is not None:  # the unfused derivative by the value between the two
            twin = _line(
                state, step, 0, step.variables[0][1], step.args[0], step.args[0] not in between
            )
            lines.append(twin)
    return Backward(state, lines)


def _line(state: Pass, step: Step, position: int, operand: str, arg: str, asleep: bool) -> Line:
    inputs = [state.values[name] for name in step.args]
    kind, product, factors = _content(state, step, position, operand, inputs)
    return Line(arg, step.name, step, position, kind, product, tuple(factors), asleep)


def _content(state, step: Step, position: int, operand: str, inputs: list[np.ndarray]):
    """(kind, product, factors) of the line back to one input."""
    op, names = step.op, step.args
    if isinstance(op, Linear):
        return _linear(names, position, inputs)
    if isinstance(op, Einsum):
        found = _matrix_vector(op, names, position, inputs, state)
        if found:
            return found
    if isinstance(op, Penalty):
        slope = _by_vjp(op, operand, inputs)(np.ones((), state.dtype))
        return "penalty", penalty_slope, [Factor("penalty", f"∂{step.name}/∂{names[0]}", slope)]
    if isinstance(op, Reduction) and state.values[step.name].ndim == 0:
        share = _by_vjp(op, operand, inputs)(np.ones(state.values[step.name].shape))
        return "share", shared_out, [Factor("share", "1/m", share)]
    if op.labels and state.values[step.name].ndim == inputs[position].ndim - 1:
        cost = _by_vjp(op, operand, inputs)(np.ones(state.values[step.name].shape))
        name = f"(p − {names[-1]})" if op.contains else f"∂L/∂{names[0]}"
        return "cost", each_example, [Factor("cost", name, cost)]
    if isinstance(op, Softmax) and op.place == -1:
        p = state.values[step.name]
        jacobian = p[..., :, None] * (np.eye(p.shape[-1]) - p[..., None, :])
        return "softmax", through_rows, [Factor("jacobian", f"∂{step.name}/∂{names[0]}", jacobian)]
    pull = _by_vjp(op, operand, inputs)
    if len(inputs) == 1 and _elementwise(state, step, operand):
        slope = pull(np.ones(state.values[step.name].shape, state.dtype))
        return "slope", entrywise, [Factor("slope", slope_name(op, names[0]), slope)]
    if op.passes_on and inputs[position].ndim == state.values[step.name].ndim:
        return "pass", as_it_is, []
    return "op", pull, []


def _linear(names, position: int, inputs: list[np.ndarray]):
    if position == 0:
        return "weights", through_weights, [Factor("weight", names[1], inputs[1])]
    if position == 1:
        return "outer", outer_product, [Factor("input", names[0], inputs[0])]
    return "bias", over_examples, []


def _matrix_vector(op: Einsum, names, position: int, inputs, state: Pass):
    """An einsum that is a layer without a bias, "ki,i->k" in any order of letters."""
    if len(op.operands) != 2:
        return None
    ranks = [len(word) for word in op.operands]
    if sorted(ranks) != [1, 2] or len(op.result) != 1:
        return None
    m = ranks.index(2)
    matrix, vector = op.operands[m], op.operands[1 - m]
    if set(matrix) != {vector, op.result} or inputs[m].ndim != 2:
        return None
    turned = matrix[0] == vector  # stored as (inputs, outputs)
    if position == m:
        product = outer_turned if turned else outer_product
        return "outer", product, [Factor("input", names[1 - m], inputs[1 - m])]
    W = inputs[m].T if turned else inputs[m]
    return "weights", through_weights, [Factor("weight", names[m], W)]


def _by_vjp(op: Op, operand: str, inputs: list[np.ndarray]):
    def pulled(incoming: np.ndarray) -> np.ndarray:
        return np.asarray(op.vjp(incoming, *inputs)[operand])

    return pulled


def _elementwise(state: Pass, step: Step, operand: str) -> bool:
    """Whether each output entry reads the same entry of the input only."""
    signature = step.op.parsed
    own = signature.inputs[0].axes
    if own != signature.output.axes:
        return False
    if isinstance(step.op, Activation):
        return True
    try:
        expression = step.op.jacobians(*state.inputs_of(step))[operand]
    except Exception:  # an op of the user's own that has a vjp only
        return False
    return all(
        sum(isinstance(factor, Delta) for factor in term.factors) == len(own)
        for term in expression.terms
    )
