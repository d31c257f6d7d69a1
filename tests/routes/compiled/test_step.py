"""The compiled step gives the cost and the gradients of a run, within the rounding bar."""

import sys

import numpy as np
import pytest
from compiled_cases import (
    FORMS,
    KERNELS,
    LAYER,
    OUT,
    OWN,
    PROGRAMS,
    apart,
    by_form,
    compiled,
    program,
    put_kernel,
    shaped,
)
from network_cases import (
    BATCH,
    PAIRS,
    close,
    data,
    network,
    residual,
    term_sums,
)
from sampled import seldom
from token_nets import TOKENS, apart_in_tokens
from window_nets import CONVOLVED, window_net

from jacobian_bp import Network, ops
from jacobian_bp.ops.kernels.place import LINE, aligned_zeros
from jacobian_bp.routes.compiled import plan

by_dtype = pytest.mark.parametrize("dtype", [np.float64, np.float32])


# ---------------------------------------------------------------- dense layers

IN_TURN = [  # of the forms of a call one runs always, in turn
    way if (number + single + place) % 3 == 0 else seldom(*way)
    for number, pair in enumerate(PAIRS)
    for single, dtype in enumerate([np.float64, np.float32])
    for place, form in enumerate(FORMS)
    for way in [(*pair, dtype, form)]
]


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("activation", "loss", "dtype", "form"), IN_TURN)
def test_dense_layers_agree_with_the_run(activation, loss, dtype, form):
    net = network(activation, loss, dtype=dtype)
    step = compiled(net, form)
    assert apart(net, step, *shaped(form, *data(loss, True, dtype=dtype))) == []
    assert {g.dtype for g in step(net.params, *shaped(form, *data(loss, True)))[1].values()} == {
        np.dtype(dtype)
    }


@by_form
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("squash", ["sigmoid", "tanh", "relu", "softplus", "softmax"])
def test_squashed_inputs_and_both_reductions(squash, reduction, form):
    net = network("tanh", squash_input=squash, reduction=reduction)
    assert apart(net, compiled(net, form), *shaped(form, *data(batch=True))) == []


@by_form
def test_one_output_takes_its_labels_without_an_axis(form):
    sizes = [5, 3, 1]
    for loss in ("squared_error", "bce"):
        net, (x, y) = network("sigmoid", loss, sizes), data(loss, True, sizes)
        x, y = shaped(form, x, y)
        step = compiled(net, form)
        bits = [step(net.params, x, labels)[1]["W1"].tobytes() for labels in (y, y[..., 0], y)]
        assert bits[0] == bits[1] == bits[2]
        assert apart(net, step, x, y) == []


def test_wide_layers_agree_with_the_run():
    """Products large enough for the way that does not clear its result first."""
    sizes, m = [149, 131, 2], 137
    net, rng = network("relu", sizes=sizes), np.random.default_rng(3)
    x, y = rng.standard_normal((m, 149)), rng.standard_normal((m, 2))
    assert apart(net, net.compile(batch=m), x, y) == []


# ---------------------------------------------------------------- programs


@pytest.mark.one_in(3)
@by_form
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_agree_with_the_run(name, form):
    net, inputs = program(name)
    inputs = {n: shaped(form, value, value)[0] for n, value in inputs.items()}
    assert apart(net, compiled(net, form), **inputs) == []


@by_form
@pytest.mark.parametrize("units", [1, 2])
def test_weights_that_are_computed_or_given_as_data(units, form):
    """A row of weights has the shape of one example in a batch of one, and is none."""
    rng = np.random.default_rng(9)
    lines = ["z = Linear(x, W, b)", "L = SquaredError(z, y)", "J = Mean(L)"]
    x, y = shaped(form, rng.standard_normal((BATCH, 5)), rng.standard_normal((BATCH, units)))
    b, u = rng.standard_normal((2, units))
    net = Network.program(*lines, params={"b": b})
    W = rng.standard_normal((units, 5))
    step = compiled(net, form)
    loss, gradients = step(net.params, x, y, W=W)
    run = net.run(x, y, W=W)
    np.testing.assert_allclose(loss, run.loss, rtol=1e-14)
    np.testing.assert_allclose(gradients["b"], run.gradients()["b"], rtol=1e-13)
    params = {"u": u, "v": rng.standard_normal(5), "b": b}
    net = Network.program("W = Outer(u, v)", *lines, params=params, ops={"Outer": OWN["Outer"]})
    assert apart(net, compiled(net, form), x, y) == []


@pytest.mark.parametrize("m", [1, BATCH])
def test_rows_that_are_a_parameter(m):
    rng = np.random.default_rng(6)
    params = {"E": rng.standard_normal((m, 5)), "W": rng.standard_normal((2, 5))}
    params["b"] = rng.standard_normal(2)
    net = Network.program("z = Linear(E, W, b)", "out = Add(z, x)", *OUT, params=params)
    x, y = rng.standard_normal((2, m, 2))
    assert apart(net, net.compile(batch=m), x, y) == []


@by_form
def test_a_weight_of_one_row_that_is_also_the_rows_of_another_map(form):
    rng = np.random.default_rng(2)
    shapes = {"W": (1, 5), "b": (1,), "Q": (3, 1), "d": (3,), "V": (3, 5), "c": (3,), "e": (1,)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    lines = ["z = Linear(x, W, b)", "u = Linear(z, Q, d)", "h = Linear(W, V, c)"]
    net = Network.program(*lines, "out = Linear(u, h, e)", *OUT, params=params)
    x, y = shaped(form, rng.standard_normal((BATCH, 5)), rng.standard_normal((BATCH, 1)))
    assert apart(net, compiled(net, form), x, y) == []


@by_form
@pytest.mark.parametrize("at_zero", [0, 0.25, 1])
def test_exactly_on_a_kink_the_chosen_slope_is_used(at_zero, form):
    """One unit of three lies on its kink in every example."""
    params = {"W": [[0.5, -1.25], [0.0, 0.0], [2.0, 1.5]], "b": [0.75, 0.0, -0.5]}
    loss = ["J = SquaredError(a, y)"] if form == "one" else ["L = SquaredError(a, y)", "J = Sum(L)"]
    lines = ["z = Linear(x, W, b)", "a = Kinked(z)", *loss]
    own = {"Kinked": ops.ReLU(at_zero=at_zero)}
    net = Network.program(*lines, params=params, ops=own)
    rng = np.random.default_rng(12)
    x, y = shaped(form, rng.standard_normal((BATCH, 2)), rng.standard_normal((BATCH, 3)))
    step = compiled(net, form)
    assert apart(net, step, x, y) == []
    slope = step(net.params, x, y)[1]["b"][1]
    np.testing.assert_allclose(slope, -2 * at_zero * np.atleast_2d(y)[:, 1].sum(), rtol=1e-13)


def test_a_cost_that_an_activation_gives():
    """Its cotangent stays 1 from call to call: nothing is written over it."""
    own = {"Inner": ops.Einsum("k,k->"), "Squash": ops.Sigmoid("")}
    params = {**LAYER, "w": np.array([0.5, -1.5])}
    lines = ["z = Linear(x, W, b)", "s = Inner(z, w)", "J = Squash(s)"]
    net = Network.program(*lines, params=params, ops=own)
    step, x = net.compile(), data(sizes=[5, 5])[0]
    for _ in range(3):
        assert apart(net, step, x) == []


@by_form
def test_a_cost_that_no_parameter_reaches(form):
    lines = ["z = Linear(x, W, b)", "out = Tanh(x)", *OUT]
    net = Network.program(*lines, params=LAYER)
    x, y = shaped(form, *data(batch=True, sizes=[5, 5]))
    assert apart(net, compiled(net, form), x, y) == []


def test_a_batch_may_share_an_input():
    rng = np.random.default_rng(8)
    params = {"W": rng.standard_normal((2, 5)), "b": rng.standard_normal(2)}
    net = Network.program("z = Linear(x, W, b)", "out = Add(z, c)", *OUT, params=params)
    x, y, c = rng.standard_normal((BATCH, 5)), rng.standard_normal((BATCH, 2)), np.ones(2)
    assert apart(net, net.compile(batch=BATCH), x, y, c=c) == []


@pytest.mark.parametrize("reduction", [ops.Mean, ops.Sum])
def test_a_reduction_may_keep_an_axis_of_each_example(reduction):
    rng = np.random.default_rng(18)
    lines = ["z = Linear(x, W, b)", "m = Middle(z)", "J = SquaredError(m, y)"]
    net = Network.program(*lines, params=LAYER, ops={"Middle": reduction("k")})
    x, y = rng.standard_normal((BATCH, 5)), rng.standard_normal(2)
    assert apart(net, net.compile(batch=BATCH), x, y) == []


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (7, 2, 11)])
def test_every_buffer_begins_a_cache_line(dtype, shape):
    """Of several, as one alone may lie there by chance."""
    buffers = [aligned_zeros(shape, np.dtype(dtype)) for _ in range(17)]
    assert [buffer.ctypes.data % LINE for buffer in buffers] == [0] * 17
    assert all((b.shape, b.dtype, b.any()) == (shape, dtype, False) for b in buffers)


def test_the_same_array_given_twice_ties_two_layers():
    W, b = np.random.default_rng(2).standard_normal((3, 3)), np.full(3, 0.1)
    net = Network.dense([3, 3, 3], "tanh", params={"W1": W, "b1": b, "W2": W, "b2": b + 1})
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((2, BATCH, 3))
    assert apart(net, net.compile(batch=BATCH), x, y) == []
    assert list(net.compile()(net.params, x[0], y[0])[1]) == ["W1", "b1", "b2"]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("layers", [400, seldom(1_000)])
@by_form
def test_more_steps_than_the_default_recursion_limit(form, layers):
    net, rng = residual(layers), np.random.default_rng(1)
    x, y = shaped(form, *rng.standard_normal((2, BATCH, 3)))
    loss, gradients = compiled(net, form)(net.params, x, y)
    run = net.run(x, y)
    assert len(run.forward_pass.program.steps) > 1000 >= sys.getrecursionlimit()
    np.testing.assert_allclose(loss, run.loss, rtol=1e-13)
    for name, expected in run.gradients().items():
        np.testing.assert_allclose(gradients[name], expected, rtol=1e-9, atol=1e-12)


def test_a_reused_step_reads_parameters_that_changed_in_place():
    net, (x, y) = network("tanh"), data(batch=True)
    step, params = net.compile(batch=BATCH), {n: np.array(p) for n, p in net.params.items()}
    losses = []
    for _ in range(5):
        loss, gradients = step(params, x, y)
        run = net.with_params(params).run(x, y)
        scale = term_sums(run)
        for name, expected in run.gradients().items():
            assert close(gradients[name], expected, scale[name])
            params[name] -= 0.1 * gradients[name]
        losses.append(loss)
    assert losses == sorted(losses, reverse=True)
    assert losses[4] < 0.9 * losses[0]


# ---------------------------------------------------------------- planted mistakes


def off_by(kernel, backward_too):
    """A kernel whose value, or whose cotangents, are larger by 10⁻¹¹ of themselves."""

    def wrong(*arguments):
        at = arguments[-1]
        forward, backward = kernel(*arguments)

        def wrong_forward():
            forward()
            at.value[...] *= 1 + 1e-11

        def wrong_backward():
            backward()
            for bar in at.input_bars:
                if bar is not None:
                    bar *= 1 + 1e-11

        return (forward, wrong_backward) if backward_too else (wrong_forward, backward)

    return wrong


SEEN_IN = {
    ops.Sigmoid: "fan-out",
    ops.Tanh: "fan-out",
    ops.ReLU: "half_squared_error",
    ops.Identity: "unfused",
    ops.Add: "skip",
    ops.SquaredError: "skip",
    ops.HalfSquaredError: "half_squared_error",
    ops.CrossEntropyFromLogits: "cross_entropy",
    ops.BinaryCrossEntropyFromLogits: "bce",
    ops.Mean: "skip",
    ops.Sum: "labels of its own",
    ops.Conv1d: "a sequence",
    ops.Conv2d: "plain",
    ops.MaxPool1d: "max pool of a sequence",
    ops.MaxPool2d: "max pool",
    ops.AvgPool1d: "average pool of a sequence",
    ops.AvgPool2d: "average pool",
    ops.Einsum: "einsum",
    ops.Softmax: "softmax of tokens",
    ops.CausalSoftmax: "softmax over what is not later",
    ops.LayerNorm: "a layer norm",
    ops.RMSNorm: "an RMS norm",
    ops.GELU: "a GELU",
    ops.Sin: "waves",
    ops.Cos: "waves",
}


@pytest.mark.parametrize("backward", [False, True], ids=["value", "slope"])
@pytest.mark.parametrize("op", KERNELS, ids=[op.__name__ for op in KERNELS])
def test_a_wrong_kernel_is_caught(monkeypatch, op, backward):
    put_kernel(monkeypatch, op, off_by(op.compiled_as, backward))
    if SEEN_IN[op] in PROGRAMS:
        net, inputs = program(SEEN_IN[op])
    elif SEEN_IN[op] in TOKENS:
        assert apart_in_tokens(SEEN_IN[op], BATCH) != []
        return
    elif SEEN_IN[op] in CONVOLVED:
        net, inputs = window_net(SEEN_IN[op], BATCH)
    else:
        net = network("relu", SEEN_IN[op])
        inputs = dict(zip("xy", data(SEEN_IN[op], batch=True), strict=True))
    assert apart(net, net.compile(batch=BATCH), **inputs) != []


@pytest.mark.parametrize("backward", [False, True], ids=["value", "slope"])
@pytest.mark.parametrize(("kernel", "form"), [("linear", "batch"), ("linear_of_one", "one")])
def test_a_wrong_layer_is_caught(monkeypatch, kernel, form, backward):
    monkeypatch.setattr(plan, kernel, off_by(getattr(plan, kernel), backward))
    net = network("tanh")
    assert apart(net, compiled(net, form), *shaped(form, *data(batch=True))) != []


@pytest.mark.parametrize("backward", [False, True], ids=["value", "slope"])
def test_a_wrong_general_kernel_is_caught(monkeypatch, backward):
    put_kernel(monkeypatch, ops.Einsum, off_by(ops.Einsum.compiled_as, backward))
    net, inputs = program("einsum")
    assert apart(net, net.compile(batch=BATCH), **inputs) != []


def test_a_use_that_is_not_added_is_caught(monkeypatch):
    monkeypatch.setattr(plan.np, "add", lambda *arguments, out: None)
    net, inputs = program("fan-out")
    assert apart(net, net.compile(batch=BATCH), **inputs) != []


def test_every_kernel_has_its_planted_mistake():
    assert set(SEEN_IN) == set(KERNELS)
