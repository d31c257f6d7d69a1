"""Convolutions and pools against nested loops: values, Jacobians, counts, a batch, refusals."""

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, dense_jacobian, swept_vjp
from sampled import seldom
from window_cases import CONVOLUTIONS, POOLS, convolved, pooled

from jacobian_bp import AxisError, DomainError, Network, check_op, ops

every_convolution = pytest.mark.parametrize(
    ("op", "x", "K"), CONVOLUTIONS, ids=[repr(c[0]) for c in CONVOLUTIONS]
)
every_pool = pytest.mark.parametrize(("op", "x"), POOLS, ids=[repr(p[0]) for p in POOLS])


def drawn(*shapes):
    rng = np.random.default_rng(11)
    return [rng.normal(size=shape) for shape in shapes]


@every_convolution
def test_a_convolution_is_its_nested_loops(op, x, K):
    inputs = drawn(x, K, K[:1])
    y, jacobians = convolved(op, *inputs)
    agree(op.forward(*inputs), y)
    for name, expected in jacobians.items():
        agree(dense_jacobian(op, name, inputs), expected)
        agree(swept_vjp(op, name, inputs), expected)


@every_convolution
def test_a_convolution_counts_what_can_be_nonzero(op, x, K):
    values = dict(zip("xKb", drawn(x, K, K[:1]), strict=True))
    run = one_step(op, "x, K, b", values)
    _, jacobians = convolved(op, *(np.ones_like(value) for value in values.values()))
    for name, ones in jacobians.items():
        jacobian = run.jacobian("y", name)
        assert jacobian.structural_nonzeros == (ones != 0).sum(), name
        assert np.array_equal(jacobian.can_be_nonzero(), ones != 0), name


def one_step(op, reads, values):
    params = {name: value for name, value in values.items() if name in op.parameters}
    letters = "".join(op.parsed.output.axes)
    net = Network.program(
        f"y = Step({reads})", f'J = Einsum("{letters}->", y)', params=params, ops={"Step": op}
    )
    return net.run(**{name: value for name, value in values.items() if name not in params})


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("bias", "op", "x", "K"),
    [
        (bias, *case) if (number + bias) % 2 else seldom(bias, *case)
        for number, case in enumerate(CONVOLUTIONS)
        for bias in (True, False)
    ],
)
def test_a_batch_is_its_examples(op, x, K, bias):
    inputs = dict(zip("xKb", drawn((3, *x), K, K[:1]), strict=True))
    if not bias:
        del inputs["b"]
    report = check_op(op, inputs)
    assert report.ok, str(report)
    each = [op.forward(one, *list(inputs.values())[1:]) for one in inputs["x"]]
    agree(op.forward(*inputs.values()), np.stack(each))


def test_all_routes_agree_on_a_small_classifier():
    """Images of two channels, two convolutions with a pool between them, a dense layer."""
    rng = np.random.default_rng(5)
    shapes = {"K1": (3, 2, 2, 3), "b1": (3,), "K2": (5, 3, 2, 2), "W": (2, 5)}
    net = Network.program(
        "y1 = Conv2d(x, K1, b1, stride=2, padding=1)",
        "a1 = Tanh(y1)",
        "p1 = MaxPool2d(a1, 2, stride=1)",
        "y2 = Conv2d(p1, K2)",
        "a2 = Softplus(y2)",
        'm = Einsum("dij->d", a2)',
        'z = Einsum("kd,d->k", W, m)',
        "L = CrossEntropyFromLogits(z, y)",
        "J = Mean(L)",
        params={name: rng.normal(size=shape) for name, shape in shapes.items()},
    )
    for run in (
        net.run(x=rng.normal(size=(2, 7, 5)), y=1),
        net.run(x=rng.normal(size=(3, 2, 7, 5)), y=[0, 1, 1]),
    ):
        report = run.check()
        assert report.ok, str(report)


@every_pool
def test_a_pool_is_its_nested_loops(op, x):
    inputs = drawn(x)
    y, by_x, read = pooled(op, *inputs)
    agree(op.forward(*inputs), y)
    agree(dense_jacobian(op, "x", inputs), by_x)
    agree(swept_vjp(op, "x", inputs), by_x)
    jacobian = one_step(op, "x", {"x": inputs[0]}).jacobian("y", "x")
    assert jacobian.structural_nonzeros == read.sum()


@every_pool
def test_a_pool_of_a_batch_is_right(op, x):
    report = check_op(op, {"x": drawn((3, *x))[0]})
    assert report.ok, str(report)


def test_equal_largest_entries_are_a_kink_and_the_first_is_taken():
    run = one_step(ops.MaxPool1d(3, stride=1), "x", {"x": np.array([[1.0, 5, 5, 2, 0]])})
    assert run.jacobian("y", "x").materialise()[0, :, 0].argmax(axis=1).tolist() == [1, 1, 2]
    lines = [line.strip() for line in run.check().lines()]
    words = "two entries of its window are the largest; the first is taken"
    assert f"kink: y[0,0]: {words}" in lines
    assert f"kink: y[0,1]: {words}" in lines


def test_the_printed_lines_say_the_window():
    x, K = drawn((2, 7), (3, 2, 5))
    run = one_step(ops.Conv1d(stride=2, padding=1), "x, K", {"x": x, "K": K})
    assert str(run.jacobian("y", "x")).splitlines()[0] == (
        "∂y/∂x[d,o,c',i'] = Σ_r K[d,c',r] δ[i',2o+r−1]"
    )
    assert str(run.jacobian("y", "K")).splitlines()[0] == (
        "∂y/∂K[d,o,d',c',r'] = Σ_i δ[d,d'] x[c',i] δ[i,2o+r'−1]"
    )
    run = one_step(ops.MaxPool1d(2), "x", {"x": x})
    assert str(run.jacobian("y", "x")).splitlines()[0] == (
        "∂y/∂x[c,o,c',i'] = Σ_r δ[c,c'] δ[r,a[c,o]] δ[i',2o+r]"
    )


@pytest.mark.parametrize(
    ("error", "make", "message"),
    [
        (
            DomainError,
            lambda: ops.Conv2d(stride=(1, 2, 3)),
            "Conv2d(stride) is (1, 2, 3).\n  Write a whole number from 1 on, or 2 of them.",
        ),
        (
            DomainError,
            lambda: ops.MaxPool1d(0),
            "MaxPool1d(width) is 0.\n  Write a whole number from 1 on.",
        ),
        (
            DomainError,
            lambda: ops.Conv1d(padding=True),
            "Conv1d(padding) is True.\n  Write a whole number from 0 on.",
        ),
        (
            DomainError,
            lambda: check_op(
                ops.Conv1d(groups=2), dict(zip("xKb", drawn((3, 5), (3, 2, 3), 3), strict=True))
            ),
            "Conv1d: 2 groups do not fit.\n"
            "  x has 3 channels, K reads 2 each in 3 kernels\n"
            "  Let x have groups · 2 channels, and the number of kernels be a multiple of groups.",
        ),
        (
            AxisError,
            lambda: check_op(
                ops.Conv1d(), dict(zip("xKb", drawn((2, 3), (3, 2, 5), 3), strict=True))
            ),
            "Conv1d 'y': axis o would have size −1.\n"
            "  o = i - r + 1, with i = 3, r = 5\n"
            "  x[c,i] has shape (2, 3), so i = 3\n"
            "  K[d,c,r] has shape (3, 2, 5), so r = 5\n"
            "  It has an entry with i = 5 or r = 3, all else as it is.",
        ),
    ],
)
def test_what_does_not_fit_is_refused(error, make, message):
    assert refusal(error, make) == message


def turned_kernel(x, K):
    """A convolution with the kernel turned round, where the layer is a cross-correlation."""
    return ops.Conv1d().forward(x, K[..., ::-1])


def test_a_turned_kernel_is_told_from_the_right_one():
    x, K = drawn((2, 7), (3, 2, 5))
    y, _ = convolved(ops.Conv1d(), x, K, np.zeros(3))
    with pytest.raises(AssertionError):
        agree(turned_kernel(x, K), y)


@pytest.mark.parametrize("at_once", [1, 150, 2**16])
@pytest.mark.parametrize(
    "op",
    [
        ops.Conv2d(padding=(1, 2)),
        ops.Conv2d(dilation=(2, 1)),
        ops.Conv2d(padding=(2, 0), dilation=(1, 3), groups=2),
    ],
)
def test_runs_of_any_number_of_taps_at_once_are_the_nested_loops(op, at_once, monkeypatch):
    """One tap, some or all in one product: the gradients of a batch are those of its examples."""
    monkeypatch.setattr("jacobian_bp.ops.runs.AT_ONCE", at_once)
    channels = 2 // op.groups
    x, K = drawn((3, 2, 5, 7), (4, channels, 3, 2))
    local = [convolved(op, example, K, np.zeros(4))[1] for example in x]
    (bar,) = drawn((3, *local[0]["x"].shape[:3]))
    found = op.vjp(bar, x, K, np.zeros(4))
    by_x = [np.einsum("doq,doq...->...", v, each["x"]) for v, each in zip(bar, local, strict=True)]
    by_K = [np.einsum("doq,doq...->...", v, each["K"]) for v, each in zip(bar, local, strict=True)]
    np.testing.assert_allclose(found["x"], by_x, atol=1e-13)
    np.testing.assert_allclose(found["K"], sum(by_K), atol=1e-13)
    shifted = op.vjp(np.roll(bar, 1, axis=-1), x, K)["x"]
    assert np.abs(shifted - found["x"]).max() > 0.1
