"""Softmax in a compiled step: along any axis, over what is not later, and with a mask."""

from functools import partial

import numpy as np
import pytest
from compiled_cases import put_kernel
from network_cases import close, refusal, term_sums

from jacobian_bp import DomainError, Network, ops
from jacobian_bp.ops.kernels import general
from jacobian_bp.routes.compiled.step import CompiledStep

TRI = np.tri(5, 7)
SPOTS = (np.arange(35).reshape(5, 7) % 3 != 0).astype(float)
CASES = {
    "the last axis": ("Softmax(s)", {}),
    "another axis": ("Softmax(s, axis='t')", {}),
    "not later": ("CausalSoftmax(s)", {}),
    "a mask": ("Softmax(s, m)", {"m": TRI}),
    "a mask along another axis": ("Softmax(s, m, axis='t')", {"m": SPOTS}),
}


def case(name, dtype=np.float64, shape=(3, 5, 7), scale=1.0):
    """A network with one softmax of tokens, its data, and a step that was planned on other data."""
    rng = np.random.default_rng(41)
    line, mask = CASES[name]
    lines = ["s = Add(x, p)", f"A = {line}", "L = SquaredError(A, y)", "J = Mean(L, over='n,t')"]
    axes = {"x": "n,t"} | dict.fromkeys(mask, "t")
    net = Network.program(*lines, params={"p": rng.standard_normal(shape[1:]).astype(dtype)})
    data = {n: (scale * rng.standard_normal(shape)).astype(dtype) for n in ("x", "y")}
    data |= {n: m.astype(dtype) for n, m in mask.items()}
    step = net.compile(batch=len(data["x"]), axes=axes)
    step(net.params, **{n: v if n == "m" else np.flip(v) for n, v in data.items()})
    return partial(net.run, axes=axes), partial(step, net.params), data


def is_that_of_the_run(run_on, step, data):
    run = run_on(**data)
    loss, gradients = step(**data)
    known = close(gradients["p"], run.gradients()["p"], term_sums(run)["p"])
    return known and abs(loss - run.loss) <= 16 * np.finfo(run["J"].dtype).eps * run.loss


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 9.0])
@pytest.mark.parametrize("name", CASES)
def test_its_kernel_has_the_numbers_of_a_run(name, scale, dtype, monkeypatch):
    """Also where one class rules its row; no long way is open, and no op is asked."""
    run_on, step, data = case(name, dtype, scale=scale)
    run = run_on(**data)
    expected, scales = run.gradients()["p"], term_sums(run)["p"]
    monkeypatch.setattr(CompiledStep, "_run", None)
    for op in (ops.Softmax, ops.CausalSoftmax, type(run.forward_pass.program.steps[1].op)):
        monkeypatch.setattr(op, "vjp", None)
    gradients = step(**data)[1]
    assert close(gradients["p"], expected, scales)
    assert not close(gradients["p"] * (1 + 64 * np.finfo(dtype).eps), expected, scales)


@pytest.mark.parametrize("name", ["not later", "a mask"])
def test_what_is_left_out_is_exactly_zero(name):
    """In the value, and in the gradient by the scores, from one call to the next."""
    _, step, data = case(name)
    gradient = step(**data)[1]["p"]
    assert not gradient[TRI == 0].any()
    assert np.abs(gradient[1:][TRI[1:] == 1]).min() > 0


@pytest.mark.parametrize(
    "shape", [(2, 3, 131), (2, 131, 3), (2, 2, 1009)], ids=["long", "long along t", "too long"]
)
@pytest.mark.parametrize("name", ["the last axis", "another axis", "not later"])
def test_long_rows_have_the_numbers_of_a_run(name, shape):
    assert is_that_of_the_run(*case(name, shape=shape))


def test_each_call_reads_its_own_mask():
    run_on, step, data = case("a mask")
    first = step(**data)[1]["p"].copy()
    other = data | {"m": np.flip(TRI, axis=1).copy()}
    assert is_that_of_the_run(run_on, step, other)
    assert is_that_of_the_run(run_on, step, data)
    np.testing.assert_array_equal(step(**data)[1]["p"], first)


@pytest.mark.parametrize("entry", [0.5, np.nan])
def test_a_mask_that_is_none_is_refused_as_in_a_run(entry):
    run_on, step, data = case("a mask")
    wrong = data | {"m": np.where(TRI == 0, entry, 1)}
    expected = refusal(DomainError, run_on, **wrong)
    assert refusal(DomainError, step, **wrong) == expected


@pytest.mark.parametrize("name", CASES)
def test_beyond_the_limits_a_step_has_the_bits_of_a_run(name):
    """e^z overflows there, and the ops' own formula, which shifts each row, does not."""
    run_on, step, data = case(name, scale=800.0)
    data["y"] = data["y"] / 800
    run = run_on(**data)
    loss, gradients = step(**data)
    assert loss == run.loss
    np.testing.assert_array_equal(gradients["p"], run.gradients()["p"], strict=True)


def test_a_mask_that_lies_the_other_way_is_found(monkeypatch):
    """Planted: what is later instead of what is not."""

    def later(op, at):
        forward, backward = general(op, at)

        def turned():
            forward()
            at.value[...] = np.flip(at.value, axis=-1)

        return turned, backward

    put_kernel(monkeypatch, ops.CausalSoftmax, later)
    assert not is_that_of_the_run(*case("not later"))
