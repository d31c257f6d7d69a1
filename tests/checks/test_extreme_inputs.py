"""check_op at extreme inputs, in both precisions, down to subnormals: right ops are right there."""

import numpy as np
import pytest
from op_case import probability
from ops_cases import CASES, in_both_forms, positive
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
    np.float16: [6e-8, -6e-8, 6e-5, -6e-5, 20.0, -20.0, *FAR],
}
LARGEST_SUM = {np.float64: 1e3, np.float32: 1e3, np.float16: 100.0}
DRAWS = range(8)  # the even ones fixed, the odd ones at random


def any_number(rng, shape, dtype):
    """Of any size, down to subnormals, as far as the sums of a few stay numbers."""
    least = np.log10(float(np.finfo(dtype).smallest_subnormal))
    sizes = 10 ** rng.uniform(least, np.log10(LARGEST_SUM[dtype]), shape)
    return rng.choice([-1.0, 1.0], shape) * np.where(rng.random(shape) < 0.5, sizes, 1.0)


def above_0(rng, shape, dtype):
    """Where a power −2 is a number."""
    return 10 ** rng.uniform(np.log10(float(np.finfo(dtype).tiny)) / 4, 1.5, shape)


def near_0_and_1(rng, shape, dtype):
    """Probabilities as near the ends as the digits tell; both ends are of one row."""
    nearest = np.log10(float(np.finfo(dtype).eps)) + 1
    low = 10 ** rng.uniform(nearest, -0.5, shape)
    return np.where(rng.random(shape) < 0.5, low, 1 - low)


IN_DOMAIN = {positive: above_0, probability: near_0_and_1}


def extreme(case, batch, dtype, draw):
    """Extreme inputs within the op's domain: fixed ones in another order, or random ones."""
    rng, found = np.random.default_rng([draw, len(case.names)]), {}
    for name, value in zip(case.names, case.inputs(batch), strict=True):
        inside = IN_DOMAIN.get(case.draws.get(name))
        if inside is not None:
            value = inside(rng, value.shape, dtype)
        elif name not in case.draws and draw % 2:
            value = any_number(rng, value.shape, dtype)
        elif name not in case.draws:
            value = np.resize(np.roll(EXTREMES[dtype], -2 * draw), value.shape)
        if value.dtype.kind == "f":  # rows that sum to 1 do not in float16
            as_given = dtype is np.float16 and inside is None and name in case.draws
            value = value.astype(np.float32 if as_given else dtype)
        found[name] = value
    return found


def judged_right(case, batch, dtype, draws):
    for draw in draws:
        report = check_op(case.op, extreme(case, batch, dtype, draw))
        assert report.ok, f"draw {draw}: {report}"


IN_TURN = [(case, list(EXTREMES)[number % 3]) for number, case in enumerate(CASES)]


@pytest.mark.one_in(16)
@pytest.mark.parametrize(("case", "dtype"), IN_TURN, ids=str)
def test_every_op_is_right_at_extreme_inputs(case, dtype):
    judged_right(case, False, dtype, (0, 1))


@pytest.mark.full
@in_both_forms
@pytest.mark.parametrize("dtype", EXTREMES)
def test_every_op_is_right_at_extreme_inputs_of_many_draws(case, batch, dtype):
    judged_right(case, batch, dtype, DRAWS[4:] if batch else DRAWS[:4])


@pytest.mark.parametrize("op", [Sigmoid, Softmax, Softplus])
def test_float16_is_computed_in_float32(op):
    z = np.array([-10.5, 0.25, 6e-8], np.float16)
    report = check_op(op, {"z": z})
    assert str(report) == str(check_op(op, {"z": z.astype(np.float32)}))
    assert str(report) != str(check_op(op, {"z": z.astype(np.float64)}))


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


@pytest.mark.one_in(5)
@pytest.mark.parametrize("where", ["jacobian", "vjp", "both"])
@pytest.mark.parametrize("factor", [-1.0, 1.0005])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("op", PLANTED)
def test_a_planted_mistake_is_found_there(op, dtype, factor, where):
    inputs = {name: np.array(value, dtype) for name, value in PLANTED[op].items()}
    assert check_op(op, inputs).ok
    assert not check_op(wrong(op, factor, where), inputs).ok
