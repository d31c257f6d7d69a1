"""check_op at extreme inputs, in both precisions, down to subnormals: right ops are right there."""

import numpy as np
import pytest
from ops_cases import in_both_forms
from wrong_ops import wrong

from jacobian_bp import (
    CrossEntropyFromLogits,
    Linear,
    Multiply,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
    check_op,
)

FAR = [0.0, -0.0, 40.0, -40.0, 95.0, -104.0, 110.0, 88.0, 1e3, -1e3]
EXTREMES = {
    np.float64: [5e-324, -5e-324, 1e-310, -1e-310, 745.0, -745.0, *FAR],
    np.float32: [1e-45, -1e-45, 1e-39, -1e-39, 20.0, -20.0, *FAR],
}


def extreme(case, batch, dtype, shift):
    """The inputs that may be any number are extreme, another draw for each shift."""
    found = {}
    for name, value in zip(case.names, case.inputs(batch), strict=True):
        if name not in case.draws:
            value = np.resize(np.roll(EXTREMES[dtype], -shift), value.shape)
        found[name] = value.astype(dtype) if value.dtype.kind == "f" else value
    return found


@in_both_forms
@pytest.mark.parametrize("dtype", EXTREMES)
def test_every_op_is_right_at_extreme_inputs(case, batch, dtype):
    for shift in (0, 3, 7, 11):
        report = check_op(case.op, extreme(case, batch, dtype, shift))
        assert report.ok, str(report)


@pytest.mark.parametrize(
    ("op", "inputs"),
    [
        (Softmax, {"z": [110, 0]}),
        (Softmax, {"z": [95, 0]}),
        (Sigmoid, {"z": [-104]}),
        (Softplus, {"z": [-104]}),
        (CrossEntropyFromLogits, {"z": [95, 0], "y": 0}),
    ],
)
def test_a_subnormal_of_float32_has_few_digits_and_is_right(op, inputs):
    arrays = {n: v if n == "y" else np.array(v, np.float32) for n, v in inputs.items()}
    assert check_op(op, arrays).ok


LINEAR = {"a": [88.0, -1e3], "W": [[110.0, 0.0], [1e-45, 95.0], [3.0, 1e3]], "b": [0.0, 1.0, -40.0]}
PLANTED = {
    Sigmoid: {"z": [95.0, -40.0, 1e-39]},
    Tanh: {"z": [20.0, -40.0, 1e-39]},
    Softplus: {"z": [-80.0, 1e-45, 1e3]},
    Multiply: {"a": [110.0, 1e-39], "b": [1e3, -40.0]},
    Linear: LINEAR,
}


@pytest.mark.parametrize("where", ["jacobian", "vjp", "both"])
@pytest.mark.parametrize("factor", [-1.0, 1.0005])
@pytest.mark.parametrize("dtype", EXTREMES)
@pytest.mark.parametrize("op", PLANTED)
def test_a_planted_mistake_is_found_there(op, dtype, factor, where):
    inputs = {name: np.array(value, dtype) for name, value in PLANTED[op].items()}
    assert check_op(op, inputs).ok
    assert not check_op(wrong(op, factor, where), inputs).ok
