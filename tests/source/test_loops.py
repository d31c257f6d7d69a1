"""style="loops": every entry in explicit loops, the vjp route's numbers to rounding."""

import ast
import re

import numpy as np
import pytest
from layer_cases import LAYERS, layer_run
from network_cases import by_activation_and_loss, data, network, refusal, residual
from ops_cases import FORMS
from written_out import weighed

from jacobian_bp import JacobianError, Network, Op, SpecError
from jacobian_bp.source.loop_source import loops_of, require_same

REFUSED = (
    " has no form as loops.\n"
    '  Leave out style="loops": as NumPy over whole arrays every op is written.'
)


def step_of(text):
    """The function that a text defines, in a space of its own."""
    space = {}
    exec(compile(text, "step.py", "exec"), space)
    return space["step"]


def moved(net, seed):
    """The network with other parameters, and none of them a constant of a text."""
    rng = np.random.default_rng(seed)
    params = {n: (p + rng.normal(size=p.shape) / 3).astype(p.dtype) for n, p in net.params.items()}
    return net.with_params(params)


def apart_elsewhere(text, net, x, y):
    """Compare a text with the run of other numbers than those that it was written for."""
    run = net.run(x, y)
    state = run.forward_pass
    cost, found = step_of(text)(net.params, *(state.values[n] for n in state.program.inputs))
    require_same(state, cost, found, "the loops give")
    assert cost == pytest.approx(float(run.loss), rel=1e-5 if state.dtype == np.float32 else 1e-13)
    assert all(np.asarray(found[name]).dtype == state.dtype for name in found)


# ---------------------------------------------------------------- the numbers


@pytest.mark.one_in(5)
@pytest.mark.parametrize("dtype", [np.float64, pytest.param(np.float32, marks=pytest.mark.full)])
@pytest.mark.parametrize("batch", [True, pytest.param(False, marks=pytest.mark.full)])
@by_activation_and_loss
def test_a_dense_network_has_the_runs_numbers_for_any_data(activation, loss, batch, dtype):
    net = network(activation, loss, dtype=dtype)
    x, y = data(loss, batch, dtype=dtype)
    text = net.run(x, y).source("loops")
    other = x[::-1] * dtype(1.7) + dtype(0.2)
    apart_elsewhere(text, moved(net, 5), other, y[::-1] if batch else y)


def test_a_value_that_is_read_twice_has_the_sum_of_what_comes_back():
    net, rng = residual(3), np.random.default_rng(7)
    x, y = rng.normal(size=(2, 5, 3))
    apart_elsewhere(net.run(x, y).source("loops"), moved(net, 8), -x, y)
    lines = (
        "h = Linear(x, W, b)",
        "a = Tanh(h)",
        "s = Add(a, h)",
        "t = Add(s, s)",
        "u = Add(t, a)",
    )
    params = {"W": rng.normal(size=(3, 3)), "b": rng.normal(size=3)}
    both = Network.program(*lines, "L = SquaredError(u, y)", "J = Mean(L)", params=params)
    apart_elsewhere(both.run(x, y).source("loops"), moved(both, 9), -x, y)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_example_and_single_precision_have_them_too(dtype):
    net = network("gelu", "cross_entropy", dtype=dtype)
    x, y = data("cross_entropy", dtype=dtype)
    apart_elsewhere(net.run(x, y).source("loops"), moved(net, 6), -x, y)


@pytest.mark.parametrize("forms", [FORMS[::9], pytest.param(FORMS, marks=pytest.mark.full)])
def test_an_op_has_loops_that_are_right_or_is_refused_by_its_name(forms):
    told = {}
    for case, batch in forms:
        state = weighed(case.op, case.inputs(batch))
        try:
            loops_of(state)
            told.setdefault(type(case.op).__name__, "")
        except SpecError as error:
            told[type(case.op).__name__] = str(error)
    refused = {name: text for name, text in told.items() if text}
    assert set(refused) <= {"BatchNorm", "Einsum"}, refused
    assert len(told) > 8
    for text in refused.values():
        assert text.endswith(REFUSED)
        assert text.partition(" = ")[2]  # which step it is


def test_layers_of_the_courses_have_loops_or_are_refused():
    refused = {}
    for name in LAYERS:
        try:
            assert layer_run(name, 3).source("loops")
        except SpecError as error:
            refused[name] = str(error)
    assert all(text.endswith(REFUSED) for text in refused.values())
    assert "attention" not in refused
    assert "convolution" in refused


def test_a_wrong_term_is_seen_and_named():
    run = network("tanh", "half_squared_error").run(*data("half_squared_error", True))
    state, text = run.forward_pass, run.source("loops")
    right = "s += delta2[n, k] * W2[k, i]"
    assert right in text
    step = step_of(text.replace(right, "s += delta2[n, k] * W2[k - 1, i]"))
    cost, found = step(state.values, state.values["x"], state.values["y"])
    mine, exact = found["W1"][0, 0], run.gradients("vjp")["W1"][0, 0]
    assert refusal(JacobianError, require_same, state, cost, found, "the loops give") == (
        "the loops give another ∂J/∂W1[0,0] than the run.\n"
        f"  the loops: {mine}, the vjp route: {exact}"
    )


# ---------------------------------------------------------------- how it reads

PAGE = '''"""The cost J and its gradients by hand, in loops: x (3,), y (2,), float64."""

import numpy as np


@np.errstate(all="ignore")
def step(params, x, y):
    """The cost, and a dict of ∂J/∂ each parameter."""
    W1 = params["W1"]  # (2, 3)
    b1 = params["b1"]  # (2,)

    z1 = np.empty((2,))
    a1 = np.empty((2,))
    for k in range(2):
        s = 0.0
        for i in range(3):
            s += x[i] * W1[k, i]
        z1[k] = s + b1[k]
        a1[k] = np.tanh(z1[k])
    s = 0.0
    for k in range(2):
        s += (a1[k] - y[k]) ** 2
    J = s / 2

    dJ = 1.0
    delta1 = np.empty((2,))
    for k in range(2):
        missing = dJ * (y[k] - a1[k])
        da1 = -missing
        delta1[k] = da1 * (1 / np.cosh(z1[k])) ** 2
    dW1 = np.empty((2, 3))
    for k in range(2):
        for i in range(3):
            dW1[k, i] = delta1[k] * x[i]
    db1 = np.empty((2,))
    for k in range(2):
        db1[k] = delta1[k]
    return J, {"W1": dW1, "b1": db1}
'''


def test_the_page_of_one_layer():
    net = Network.dense([3, 2], "tanh", "half_squared_error", seed=0)
    assert net.source(style="loops") == PAGE


def test_no_line_works_on_a_whole_array():
    text = network("softmax", "cross_entropy").run(*data("cross_entropy", True)).source("loops")
    step = ast.parse(text).body[-1]
    calls = {ast.unparse(n.func) for n in ast.walk(step) if isinstance(n, ast.Call)}
    whole = {"np.empty", "range", "np.asarray", "np.errstate"}
    one = {"np.exp", "np.maximum", "np.frexp", "np.ldexp", "np.rint", "np.log1p", "np.isfinite"}
    assert calls <= whole | one, calls - whole - one
    assert not any(isinstance(n, ast.MatMult | ast.Slice) for n in ast.walk(step))


# ---------------------------------------------------------------- what is refused


def test_a_step_that_is_too_long_for_python_is_refused():
    net = Network.dense([784, 128, 10], "sigmoid", "squared_error", seed=0)
    assert refusal(SpecError, net.source, 32, "loops") == (
        "the loops of this step run 6,784,747 statements, more than 1,000,000.\n"
        '  Take fewer examples or narrower layers, or leave out style="loops".'
    )


def test_a_style_that_is_not_known_is_refused_before_anything_is_run():
    net = Network.dense([3, 2], seed=0)
    assert refusal(SpecError, net.source, None, "loop") == (
        "style = 'loop' is not known. Did you mean loops?\n  Write numpy or loops."
    )
    assert refusal(SpecError, net.source, None, 3) == (
        "style = 3 is not known.\n  Write numpy or loops."
    )


class Sorted(Op):
    """z in order: np.sort has no reading entry by entry."""

    signature = "z[k] -> a[k]"

    def forward(self, z):
        return np.sort(z)

    def vjp(self, a_bar, z):
        return {"z": a_bar[np.argsort(np.argsort(z))]}


def test_an_op_of_ones_own_without_loops_is_named():
    lines = ("z = Sorted(p)", "L = SquaredError(z, y)")
    net = Network.program(*lines, params={"p": np.array([0.3, -0.2])}, ops={"Sorted": Sorted})
    run = net.run(y=np.array([1.0, 2.0]))
    assert refusal(SpecError, run.source, "loops") == (
        "z = Sorted(p): np.sort has no form as loops.\n"
        '  Leave out style="loops": as NumPy over whole arrays every op is written.'
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["t = Linear(x, A, b)", "J = Einsum(t, t, 'k,k->')"],
        ["J = norm(A @ x + b)**2"],
        ["p = softmax(A @ x + b)", "J = norm(p)**2 + dot(p, b)"],
    ],
)
def test_an_array_that_an_op_reads_twice_has_what_comes_back_by_both(lines):
    rng = np.random.default_rng(11)
    net = Network.program(*lines, params={"A": rng.normal(size=(5, 3)), "b": rng.normal(size=5)})
    x, other = rng.normal(size=(2, 3))
    text = net.run(x=x).source("loops")
    run = moved(net, 12).run(x=other)
    state = run.forward_pass
    cost, found = step_of(text)({n: state.values[n] for n in state.program.params}, other)
    require_same(state, cost, found, "the loops give")
    found["A"][0, 0] += 1e-9
    with pytest.raises(JacobianError):
        require_same(state, cost, found, "the loops give")


@pytest.mark.parametrize("seed", range(12))
def test_outputs_next_to_their_labels_are_written_and_a_wrong_digit_of_them_is_seen(seed):
    """a − y cancels: of its digits those are left that the sums in front of it have rounded."""
    rng = np.random.default_rng(seed)
    net = Network.dense([5, 7, 3], "tanh", "squared_error", seed=seed)
    x = rng.normal(size=(2, 5))
    y = net(x) * (1 + 1e-9 * rng.normal(size=(2, 3)))
    state = net.run(x, y).forward_pass
    cost, found = step_of(net.run(x, y).source("loops"))(net.params, x, y)
    largest = max(np.abs(gradient).max() for gradient in found.values())
    found["W2"][1, 2] += 1e-4 * largest
    with pytest.raises(JacobianError, match=r"the loops give another ∂J/∂W2\[1,2\] than the run"):
        require_same(state, cost, found, "the loops give")


@pytest.mark.parametrize(
    "lines",
    [
        ["J = sum(abs(W @ x - y))"],
        ["J = sum(sum(W, axis=0) * x)"],
        ["J = sum(mean(W, axis=1) * y) + sum(W**2)"],
        ["z = W @ x", "L = sum(log(1 + exp(-y * z)))", "J = Mean(L)"],
        ["z = Linear(x, W)", "n = BatchNorm(z, g, h)", "L = SquaredError(n, y)", "J = Mean(L)"],
    ],
    ids=str,
)
def test_sums_over_an_axis_that_one_array_has_and_a_batch_norm_are_written(lines):
    """What comes back from such a sum is the same for every entry along the axis."""
    rng = np.random.default_rng(31)
    shapes = {"W": (3, 5), "g": (3,), "h": (3,)}
    words = set(re.findall(r"\w+", " ".join(lines)))
    own = [name for name in shapes if name in words]
    net = Network.program(*lines, params={n: rng.normal(size=shapes[n]) for n in own})
    rows = (7,) if "Mean" in lines[-1] else ()

    def drawn():
        sizes = {"x": 5, "y": 3}
        return {n: rng.normal(size=(*rows, sizes[n])) for n in sizes if n in words}

    text = net.run(**drawn()).source("loops")
    state = moved(net, 5).run(**drawn()).forward_pass
    values = [state.values[n] for n in state.program.inputs]
    cost, found = step_of(text)({n: state.values[n] for n in state.program.params}, *values)
    require_same(state, cost, found, "the loops give")
    found["W"][1, 2] *= 1 + 1e-9
    with pytest.raises(JacobianError):
        require_same(state, cost, found, "the loops give")
