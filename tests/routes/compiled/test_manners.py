"""What a compiled step admits, leaves as it was, and how it travels."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from compiled_cases import END, LAYER, X, Y, kept, opened, planned
from network_cases import BATCH, PAIRS, data, network, refusal, same_bits

from jacobian_bp import DomainError, Network, ops
from jacobian_bp.ops.kernels import LIMITS
from jacobian_bp.routes.compiled.step import CompiledStep

# ---------------------------------------------------------------- inputs and results


@pytest.mark.parametrize(("activation", "loss"), PAIRS[::3])
def test_inputs_are_untouched(activation, loss):
    net, (x, y) = network(activation, loss), data(loss, batch=True)
    params, step = opened(net), net.compile(batch=BATCH)
    given = [x, y, *params.values()]
    before = [np.copy(array) for array in given]
    for _ in range(3):
        _, gradients = step(params, x, y)
        for array in gradients.values():
            assert not any(np.shares_memory(array, other) for other in given)
            array[...] = 99
    for old, new in zip(before, given, strict=True):
        np.testing.assert_array_equal(old, new, strict=True)
        assert new.flags.writeable


WAYS = {
    "read-only": lambda a: np.broadcast_to(a, a.shape),
    "Fortran-ordered": np.asfortranarray,
    "every second of more": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "turned twice": lambda a: a[..., ::-1].copy()[..., ::-1],
    "lists": lambda a: a.tolist(),
    "big-endian": lambda a: a.astype(">f8"),
    "long": lambda a: a.astype(np.longdouble),
    "float32": lambda a: a.astype(np.float32),
    "a subclass": lambda a: a.view(type("Sub", (np.ndarray,), {})),
    "not aligned": lambda a: (
        np.frombuffer(b"." + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape)
    ),
}


@pytest.mark.parametrize("form", ["batch", "one"])
@pytest.mark.parametrize("way", WAYS)
def test_any_array_of_the_same_numbers_will_do(way, form):
    net = network("tanh", params={n: p.astype("f4") for n, p in network().params.items()})
    net = net.with_params({n: p.astype("f8") for n, p in net.params.items()})
    x, y = (a.astype("f4").astype("f8") for a in data(batch=form == "batch"))
    step = net.compile(batch=BATCH if form == "batch" else None)
    plain = kept(step(net.params, x, y))
    odd = WAYS[way]
    again = step({n: odd(p) for n, p in opened(net).items()}, odd(x), odd(y))
    for name, array in kept(again).items():
        np.testing.assert_allclose(array, plain[name], rtol=1e-13, strict=True)
    same_bits(kept(step(net.params, x, y)), plain)


@pytest.mark.parametrize("x", [np.float32, np.float64])
def test_the_dtype_is_that_of_the_parameters(x):
    net = network("tanh", dtype=np.float32)
    _, gradients = net.compile(batch=BATCH)(net.params, X.astype(x), Y)
    expected = net.run(X.astype(np.float32), Y).gradients()
    for name, gradient in gradients.items():
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-4, atol=1e-6)


def test_whole_numbers_and_lists_as_labels():
    net, step = planned()
    whole = np.arange(14).reshape(7, 2) % 3
    expected = kept(step(net.params, X, whole.astype(float)))
    for labels in (whole, whole.tolist(), whole.astype(np.int8), whole.astype(np.float16)):
        same_bits(kept(step(net.params, X, labels)), expected)


def test_class_labels_as_indices_lists_and_rows():
    net, (x, y) = network("tanh", "cross_entropy"), data("cross_entropy", True)
    step = net.compile(batch=BATCH)
    expected = kept(step(net.params, x, y))
    for labels in (y.tolist(), y.astype(np.uint8), np.eye(2)[y], np.eye(2)[y].tolist()):
        same_bits(kept(step(net.params, x, labels)), expected)


def test_the_next_call_overwrites_the_gradients():
    net, step = planned()
    _, first = step(net.params, X, Y)
    before = first["W1"].copy()
    _, second = step(net.params, 2 * X, Y)
    assert not np.array_equal(first["W1"], before)
    assert first["W1"] is second["W1"]
    assert first is not second


def test_what_is_written_into_a_gradient_does_not_stay():
    """Weight decay in place, also where no path leads from the parameter to the cost."""
    lines = ["d = Linear(x, V, b)", "z = Linear(x, W, b)", *END]
    net = Network.program(*lines, params={**LAYER, "V": LAYER["W"] + 1})
    step = net.compile(batch=BATCH)
    expected = kept(step(net.params, X, Y))
    for _ in range(3):
        _, gradients = step(net.params, X, Y)
        for name, gradient in gradients.items():
            gradient += 0.1 * net.params[name]
    same_bits(kept(step(net.params, X, Y)), expected)
    assert not expected["V"].any()


def test_two_steps_of_one_network_share_nothing():
    net, step = planned()
    _, other = planned(net)
    expected = kept(step(net.params, X, Y))
    gradients = step(net.params, X, Y)[1]
    others = other(net.params, -X, Y)[1]
    assert not any(np.shares_memory(gradients[n], others[n]) for n in gradients)
    same_bits({**gradients, "J": expected["J"]}, expected)


@pytest.mark.parametrize(
    "again", [lambda o: pickle.loads(pickle.dumps(o)), copy.copy, copy.deepcopy]
)
def test_a_copy_plans_for_itself(again):
    net, step = planned()
    expected = kept(step(net.params, X, Y))
    other = again(step)
    assert other.dtype is np.dtype(np.float64)  # a call compares dtypes by identity
    same_bits(kept(other(net.params, X, Y)), expected)
    gradients = step(net.params, X, Y)[1]
    other(net.params, -X, Y)
    same_bits({**gradients, "J": expected["J"]}, expected)
    loss, _ = again(net.compile(batch=3))(net.params, X[:3], Y[:3])
    assert loss == pytest.approx(net.run(X[:3], Y[:3]).loss, rel=1e-14)


def test_the_callers_state_is_left_alone():
    for dtype, activation in [(np.float64, "sigmoid"), (np.float32, "tanh")]:
        net = network(activation, dtype=dtype)
        calls = [(X, Y), (X * 1e3, Y), (X * 1e-300, Y * 1e-300)]
        step = net.compile(batch=BATCH)
        expected = [kept(step(net.params, *call)) for call in calls]
        np.random.seed(7)
        draws = np.random.get_state()[1].tobytes()
        with warnings.catch_warnings(), np.errstate(all="raise"), np.printoptions(precision=3):
            warnings.simplefilter("error")
            states = np.geterr(), np.get_printoptions(), list(warnings.filters)
            step = net.compile(batch=BATCH)
            for call, found in zip(calls[::-1], expected[::-1], strict=True):
                same_bits(kept(step(net.params, *call)), found)
            refusal(DomainError, step, net.params, X * np.nan, Y)
            assert (np.geterr(), np.get_printoptions(), list(warnings.filters)) == states
        assert np.random.get_state()[1].tobytes() == draws


def test_it_says_what_it_takes():
    assert repr(network().compile(batch=7)) == "<CompiledStep for a batch of 7, float64>"
    net = network(dtype=np.float32)
    assert repr(net.compile()) == "<CompiledStep for one example without a batch axis, float32>"


# ---------------------------------------------------------------- far out


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize("loss", ["squared_error", "bce", "cross_entropy"])
def test_beyond_the_limits_it_has_the_bits_of_a_run(activation, loss):
    net, (x, y) = network(activation, loss), data(loss, batch=True)
    net, step = planned(net, x, y)
    for far in (1e3, 1e6):
        same_bits(kept(step(net.params, far * x, y)), kept_run(net, far * x, y))


def kept_run(net, x, y):
    run = net.run(x, y)
    return {**run.gradients(), "J": np.array(run.loss)}


def test_many_moderate_numbers_do_not_leave_the_kernels(monkeypatch):
    """Their squares together pass the limit's, none of them the limit."""
    net, m = network("sigmoid"), 5003
    x, y = np.random.default_rng(2).standard_normal((m, 5)) * 30, np.zeros((m, 2))
    step = planned(net, x, y)[1]
    assert np.linalg.norm(net.run(x, y)["z1"]) > 700
    monkeypatch.setattr(CompiledStep, "_run", None)
    step(net.params, x, y)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_large_batch_is_looked_at_in_blocks(monkeypatch, dtype):
    """Its squares add up to more than the limit of one, and each block's to less."""
    net = Network.dense([3, 61, 2], "sigmoid", "squared_error", seed=1, dtype=dtype)
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((257, 3)).astype(dtype), rng.standard_normal((257, 2)).astype(dtype)
    step = net.compile(batch=257)
    step(net.params, x, y)
    with monkeypatch.context() as patch:
        patch.setattr(CompiledStep, "_far_out", None)
        step(net.params, x, y)
    W, beyond = net.params["W1"], 1.005 * LIMITS[np.dtype(dtype)]
    for row in (0, 101, 256):  # one unit beyond the limit, in any block; e^z is finite there
        far = x.copy()
        far[row] *= beyond / np.abs(W @ x[row]).max()
        same_bits(step(net.params, far, y)[1], net.run(far, y).gradients())


def test_an_op_that_fails_leaves_a_step_that_works():
    class Moody(ops.Tanh):
        broken = False

        def vjp(self, a_bar, z):
            if Moody.broken:
                raise KeyboardInterrupt
            return super().vjp(a_bar, z)

    lines = ["a = Linear(x, W, b)", "z = Moody(a)", *END]
    net = Network.program(*lines, params=LAYER, ops={"Moody": Moody})
    step = planned(net)[1]
    expected = kept(step(net.params, X, Y))
    Moody.broken = True
    with pytest.raises(KeyboardInterrupt):
        step(net.params, 3 * X, Y)
    Moody.broken = False
    same_bits(kept(step(net.params, X, Y)), expected)


HANDED_BACK = {
    "all of them": lambda p, g, x: (g, x),
    "one for another": lambda p, g, x: ({**p, "W2": g["W3"]}, x),
    "views": lambda p, g, x: ({name: array[:] for name, array in g.items()}, x),
    "transposed": lambda p, g, x: ({**p, "W2": g["W2"].T}, x),
    "a row of one": lambda p, g, x: ({**p, "b1": g["W3"][1]}, x),
    "as data": lambda p, g, x: (p, g["W2"] if x.ndim == 2 else g["b2"]),
}


@pytest.mark.parametrize("way", HANDED_BACK)
@pytest.mark.parametrize("batch", [None, 3])
def test_gradients_may_be_handed_back_in(way, batch):
    """They are the buffers that the call writes to: it reads a copy of them."""
    net = network("sigmoid", sizes=[3, 3, 3, 3])
    x, y = data(batch=True, sizes=[3, 3])
    x, y = (x[0], y[0]) if batch is None else (x[:3], y[:3])
    step = net.compile(batch=batch)
    handed = HANDED_BACK[way](opened(net), step(net.params, x, y)[1], x)
    params, rows = {name: array.copy() for name, array in handed[0].items()}, handed[1].copy()
    expected = kept(net.compile(batch=batch)(params, rows, y))
    same_bits(kept(step(*handed, y)), expected)
