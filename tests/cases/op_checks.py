"""The ways to a derivative, and the comparisons between them; each fails by AssertionError."""

import numpy as np

from jacobian_bp.algebra.axes import unnamed
from jacobian_bp.ops import Identity
from jacobian_bp.program.forward import run_forward
from jacobian_bp.program.forward_pass import Pass
from jacobian_bp.program.program import Program
from jacobian_bp.program.step import Step
from jacobian_bp.routes.vjp import pull

STEP = 6e-6  # of a central difference in float64: truncation h² and rounding u/h balance


def dense_jacobian(op, name, inputs):
    """∂op/∂name materialised, at these very arrays: nothing is copied or refused on the way."""
    operands = op.parsed.inputs
    names = [operand.name for operand in operands]
    with np.errstate(all="ignore"):
        out = np.asarray(op.forward(*inputs))
    values = dict(zip(names, inputs, strict=True)) | {"out": out}
    program = Program.build([Step("out", op, tuple(names))], op.parameters)
    pairs = zip(operands, inputs, strict=True)
    axes = {o.name: (*unnamed(np.ndim(array) - len(o.axes)), *o.axes) for o, array in pairs}
    axes["out"] = (*unnamed(out.ndim - len(op.parsed.output.axes)), *op.parsed.output.axes)
    return Pass(program, values, axes, inputs[0].dtype).jacobian("out", name).materialise()


def swept_vjp(op, name, inputs):
    """The VJP of every vector of the basis of the output: the Jacobian row by row."""
    value = np.asarray(op.forward(*inputs))
    rows = []
    for index in np.ndindex(*value.shape):
        bar = np.zeros_like(value)
        bar[index] = 1
        rows.append(op.vjp(bar, *inputs)[name])
    return np.reshape(rows, value.shape + np.shape(rows[0]))


def central_difference(op, name, inputs):
    """(f(x + h) − f(x − h)) / 2h for every entry of the input: the Jacobian column by column."""
    position = [operand.name for operand in op.parsed.inputs].index(name)

    def moved(index, h):
        arrays = [np.array(array) for array in inputs]
        arrays[position][index] += h
        return np.asarray(op.forward(*arrays))

    shape = inputs[position].shape
    columns = [(moved(x, STEP) - moved(x, -STEP)) / (2 * STEP) for x in np.ndindex(*shape)]
    return np.stack(columns, axis=-1).reshape((*columns[0].shape, *shape))


def agree(actual, expected, bar=1e-13):
    """Same shape, and every entry within the bar, relative to 1 or to the entry."""
    assert np.shape(actual) == np.shape(expected)
    assert np.isfinite(actual).all()
    wrong = np.abs(np.subtract(actual, expected)) > bar * np.maximum(1, np.abs(expected))
    assert not wrong.any(), f"first wrong entry: {tuple(map(int, np.argwhere(wrong)[0]))}"


def identical(actual, expected):
    """The same shape, dtype and bits."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
    assert actual.tobytes() == expected.tobytes()


def zeros_are_positive(jacobian, pattern):
    """Where `pattern` says 0 for every input, the bytes are those of +0.0."""
    assert not np.any(jacobian[pattern] != 0)
    assert not np.signbit(jacobian[pattern]).any()


def results(op, inputs):
    """The op's own value, dense Jacobians, and VJPs of a vector of ones."""
    value = np.asarray(op.forward(*inputs))
    pulled = op.vjp(np.ones_like(value), *inputs)
    found = {"value": value}
    for name in op.differentiable():
        found |= {f"∂{name}": dense_jacobian(op, name, inputs), f"vjp {name}": pulled[name]}
    return found


def network_results(op, inputs):
    """The same through a forward pass of a network of this one op, which snapshots its inputs.

    An op that reads the batch itself stands behind an identity, which carries the examples.
    """
    names = [operand.name for operand in op.parsed.inputs]
    steps, data = [Step("out", op, tuple(names))], dict(zip(names, inputs, strict=True))
    if op.parsed.mixes_examples:
        letters = [axis for axis in op.parsed.inputs[0].axes if axis != "n"]
        first, steps[0] = f"_{names[0]}", Step("out", op, (f"_{names[0]}", *names[1:]))
        steps.insert(0, Step(first, Identity(",".join(letters)), (names[0],)))
    params = {name: data.pop(name) for name in op.parameters}
    state = run_forward(Program.build(steps, op.parameters), params, data)
    value = state.values["out"]
    found = {"value": value}
    for name in op.differentiable():
        found[f"∂{name}"] = state.jacobian("out", name).materialise()
        found[f"vjp {name}"] = pull(state, "out", [name], np.ones_like(value))[name]
    return found


def all_agree(actual, expected, compare=agree):
    """The same keys, and `compare` passes for every value."""
    assert actual.keys() == expected.keys()
    for key, value in actual.items():
        compare(value, expected[key])
