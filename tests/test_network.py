"""What a network holds, what it admits, and what it leaves as it was."""

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from network_cases import (
    PAIRS,
    SIZES,
    by_activation_and_loss,
    close,
    data,
    network,
    one_or_batch,
    refusal,
    same_bits,
)

from jacobian_bp import Network, SpecError, routes
from jacobian_bp.errors import JacobianError

RNG = np.random.default_rng(41)
X, Y = data()


def gradients_of(net, x, y):
    """Gradients and values of one run, by name."""
    run = net.run(x, y)
    return {**run.gradients(), "J": run["J"]}


# ---------------------------------------------------------------- names and values


@one_or_batch
def test_values_and_parameters_are_named_in_order(batch):
    net, (x, y) = network("relu"), data(batch=batch)
    run, lead = net.run(x, y), (7,) * batch
    shapes = {"x": (5,), "y": (2,), "z1": (3,), "a1": (3,), "z2": (2,), "a2": (2,)}
    assert {name: run[name].shape for name in shapes} == {n: lead + s for n, s in shapes.items()}
    assert {n: p.shape for n, p in net.params.items()} == {
        "W1": (3, 5),
        "b1": (3,),
        "W2": (2, 3),
        "b2": (2,),
    }
    assert (run.cost, run["J"].shape, run.loss) == ("J", (), float(run["J"]))
    np.testing.assert_allclose(run["z1"], x @ net.params["W1"].T + net.params["b1"])


def test_drawn_parameters_follow_the_seed_alone():
    same_bits(network(seed=3).params, network(seed=3).params)
    assert not np.array_equal(network(seed=3).params["W1"], network(seed=4).params["W1"])


def test_a_network_is_a_function_of_its_input():
    net = network("tanh")
    np.testing.assert_array_equal(net(X), net.run(X, Y)["a2"])
    assert net(X).flags.writeable
    assert net.run(X).cost == "a2"


def test_with_params_is_another_network():
    net, W = network(), RNG.standard_normal((2, 3))
    other = net.with_params({"W2": W})
    np.testing.assert_array_equal(other.params["W2"], W)
    assert not np.array_equal(net.params["W2"], W)
    np.testing.assert_array_equal(other.params["W1"], net.params["W1"])


# ---------------------------------------------------------------- batches


@by_activation_and_loss
def test_a_batch_of_one_is_the_example_exactly(activation, loss):
    net, (x, y) = network(activation, loss), data(loss)
    same_bits(gradients_of(net, x, y), gradients_of(net, x[None], y[None]))


def test_a_wide_batch_of_one_is_the_example_exactly():
    """Widths at which a matrix product and a matrix-vector product round differently."""
    sizes = [67, 53, 31]
    net, (x, y) = network("tanh", sizes=sizes), data(sizes=sizes)
    same_bits(gradients_of(net, x, y), gradients_of(net, x[None], y[None]))


@by_activation_and_loss
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_batch_is_its_examples_one_by_one(activation, loss, reduction):
    net, (x, y) = network(activation, loss, reduction=reduction), data(loss, batch=True)
    runs = [net.run(*example) for example in zip(x, y, strict=True)]
    share = 1 / len(x) if reduction == "mean" else 1
    whole = net.run(x, y)
    assert whole.loss == pytest.approx(share * sum(run.loss for run in runs), rel=1e-13)
    scale = routes.structured(whole._state, list(net.params), magnitudes=True)
    for name, found in whole.gradients().items():
        expected = share * sum(run.gradients()[name] for run in runs)
        assert close(found, expected, scale[name])
        assert not close(2 * found, expected, scale[name])


@pytest.mark.parametrize(("y", "batch"), [(1, ()), ([1], ()), ([0, 1, 1], (3,))])
def test_the_labels_of_one_output_may_leave_its_axis_out(y, batch):
    net = network("relu", "bce", sizes=[5, 3, 1])
    x = RNG.standard_normal((*batch, 5))
    full = np.reshape(y, (*batch, 1))
    same_bits(gradients_of(net, x, y), gradients_of(net, x, full))


def test_class_indices_are_one_hot_rows_and_soft_rows_are_their_mixture():
    net, (x, y) = network("tanh", "cross_entropy"), data("cross_entropy", batch=True)
    same_bits(gradients_of(net, x, y), gradients_of(net, x, np.eye(2)[y]))
    soft = net.run(x, np.full((7, 2), [0.25, 0.75])).gradients()
    first, second = (net.run(x, np.full(7, k)).gradients() for k in (0, 1))
    for name, found in soft.items():
        np.testing.assert_allclose(found, 0.25 * first[name] + 0.75 * second[name], rtol=1e-12)


# ---------------------------------------------------------------- graphs


def test_squash_input_is_the_first_seeds_network():
    net = network("sigmoid", squash_input=True)
    run, plain = net.run(X, Y), network("sigmoid").run(1 / (1 + np.exp(-X)), Y)
    np.testing.assert_allclose(run["a0"], 1 / (1 + np.exp(-X)), rtol=1e-15)
    assert net.steps[0] == "a0 = Sigmoid(x)"
    for name, found in run.gradients().items():
        np.testing.assert_allclose(found, plain.gradients()[name], rtol=1e-13)
    delta = run.vjp("J", "z1", 1.0)
    np.testing.assert_array_equal(run.gradients()["W1"], np.outer(delta, run["a0"]))
    assert not np.allclose(run.gradients()["W1"], np.outer(delta, X))


def tied_by_array():
    W, b = RNG.standard_normal((3, 3)), RNG.standard_normal((2, 3))
    return Network.dense([3, 3, 3], "tanh", params={"W1": W, "b1": b[0], "W2": W, "b2": b[1]})


def untied(net, of):
    return Network.dense(
        [3, 3, 3], "tanh", params={name: np.array(net.params[of.get(name, name)]) for name in of}
    )


def test_one_array_under_two_names_is_one_parameter():
    net, (x, y) = tied_by_array(), (RNG.standard_normal(3), RNG.standard_normal(3))
    run = net.run(x, y)
    free = untied(net, {"W1": "W1", "b1": "b1", "W2": "W1", "b2": "b2"}).run(x, y).gradients()
    assert (net.tied, list(run.gradients())) == ({"W2": "W1"}, ["W1", "b1", "b2"])
    assert net.parameter_count == 9 + 3 + 3
    np.testing.assert_allclose(run.gradients()["W1"], free["W1"] + free["W2"], rtol=1e-13)
    assert "tied: W2 = W1" in run.derivation().text()
    np.testing.assert_array_equal(run["W2"], run["W1"])


@pytest.mark.parametrize("name", ["W1", "W2"])
def test_replacing_a_tied_parameter_replaces_it_everywhere(name):
    net, W = tied_by_array(), RNG.standard_normal((3, 3))
    x, y = RNG.standard_normal(3), RNG.standard_normal(3)
    other = net.with_params({name: W})
    assert other.tied == {"W2": "W1"}
    for step in ("W1", "W2"):
        np.testing.assert_array_equal(other.run(x, y)[step], W)


def test_one_name_in_two_steps_is_one_parameter():
    W, b = RNG.standard_normal((3, 3)), RNG.standard_normal(3)
    lines = ["z1 = Linear(x, {0}, {1})", "a1 = Tanh(z1)", "z2 = Linear(a1, {2}, {3})"]
    lines += ["L = SquaredError(z2, y)", "J = Mean(L)"]
    once = Network.program(*(s.format(*"WbWb") for s in lines), params={"W": W, "b": b})
    params = {"W": W, "b": b, "V": W.copy(), "c": b.copy()}
    twice = Network.program(*(s.format(*"WbVc") for s in lines), params=params)
    x, y = RNG.standard_normal(3), RNG.standard_normal(3)
    found, parts = once.run(x, y).gradients(), twice.run(x, y).gradients()
    np.testing.assert_allclose(found["W"], parts["W"] + parts["V"], rtol=1e-13)
    np.testing.assert_allclose(found["b"], parts["b"] + parts["c"], rtol=1e-13)
    assert not np.allclose(found["W"], parts["W"])


@pytest.mark.parametrize("route", routes.ROUTES)
def test_a_value_that_feeds_two_ops_or_one_op_twice_gets_the_sum(route):
    net = Network.program(
        "z = Linear(x, W, b)",
        "q = Multiply(z, z)",
        "s = Add(q, z)",
        "L = SquaredError(s, y)",
        params={"W": RNG.standard_normal((3, 5)), "b": RNG.standard_normal(3)},
    )
    run = net.run(X, RNG.standard_normal(3))
    bar = 2 * (run["s"] - run["y"]) * (2 * run["z"] + 1)
    found = run.gradients(route)
    np.testing.assert_allclose(found["b"], bar, rtol=1e-7)
    np.testing.assert_allclose(found["W"], np.outer(bar, X), rtol=1e-6)


# ---------------------------------------------------------------- dtypes


@pytest.mark.parametrize(
    ("x", "params", "expected"),
    [
        (np.float32, np.float32, np.float32),
        (np.float16, np.float32, np.float32),
        (np.float32, np.float64, np.float64),
        (np.float64, np.float32, np.float64),
        (np.int8, np.float32, np.float64),
        (bool, np.float32, np.float64),
        (np.longdouble, np.float32, np.float64),
        (">f4", np.float32, np.float32),
    ],
)
def test_the_dtype_is_float64_unless_everything_is_small(x, params, expected):
    values = np.array([1, 0, 1, 1, 0], dtype=x)
    run = network("sigmoid", dtype=params).run(values, Y)
    assert {run[name].dtype for name in ("x", "z1", "a2", "J")} == {np.dtype(expected)}
    for route in routes.ROUTES:
        assert {g.dtype for g in run.gradients(route).values()} == {np.dtype(expected)}
    np.testing.assert_array_equal(run["x"], [1, 0, 1, 1, 0])


def test_whole_numbers_do_not_wrap():
    params = {"W1": np.full((3, 5), 100, np.int8), "b1": np.zeros(3, np.int8)}
    net = Network.dense([5, 3], "identity", params=params)
    assert net.run(np.full(5, 40, np.int8))["z1"].tolist() == [20000.0] * 3


# ---------------------------------------------------------------- manners


@pytest.mark.parametrize(("activation", "loss"), PAIRS[::5])
def test_inputs_are_untouched_and_results_are_fresh(activation, loss):
    drawn, (x, y) = network(activation, loss), data(loss, batch=True)
    given = {name: np.array(p) for name, p in drawn.params.items()}
    before = [x.copy(), np.copy(y), *(p.copy() for p in given.values())]
    net = Network.dense(
        SIZES, drawn.facts["activations"], loss, params=given
    )  # all arrays here are the caller's
    run = net.run(x, y)
    first = run.gradients()
    run.check()
    for array in first.values():
        array[...] = 99
    assert not any(np.any(g == 99) for g in run.gradients().values())
    after = [x, y, *given.values()]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new, strict=True)
        assert new.flags.writeable
        assert not any(np.shares_memory(new, run[name]) for name in run)


def test_an_error_leaves_the_inputs_as_they_were():
    x = np.array([1.0, np.nan, 2.0, -0.0, 3.0])
    before = x.tobytes()
    refusal(JacobianError.__subclasses__()[1], network().run, x, Y)
    assert (x.tobytes(), x.flags.writeable) == (before, True)


def test_values_and_parameters_are_closed_to_writing():
    net = network()
    for array in (net.params["W1"], net.run(X, Y)["z1"], net.run(X, Y)["W1"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_an_edit_of_x_after_the_run_changes_nothing():
    x, y = X.copy(), Y.copy()
    run, expected = network().run(x, y), network().run(X, Y).gradients()
    x[...], y[...] = 7, 7
    same_bits(run.gradients(), expected)
    assert run.check().ok


@pytest.mark.parametrize(
    "again", [lambda o: pickle.loads(pickle.dumps(o)), copy.copy, copy.deepcopy]
)
def test_networks_and_runs_travel(again):
    net = network("relu")
    same_bits(gradients_of(again(net), X, Y), gradients_of(net, X, Y))
    run = again(net.run(X, Y))
    same_bits(run.gradients("structured"), net.run(X, Y).gradients("structured"))
    assert str(run.derivation()) == str(net.run(X, Y).derivation())
    assert not run["z1"].flags.writeable
    assert not again(net).params["W1"].flags.writeable


def test_threads_give_the_bits_of_a_serial_run():
    pairs = PAIRS * 3

    def work(pair):
        run = network(*pair).run(*data(pair[1], batch=True))
        return [run.gradients(route) for route in ("vjp", "structured", "full")]

    serial = [work(pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        for left, right in zip(serial, pool.map(work, pairs), strict=True):
            for one, other in zip(left, right, strict=True):
                same_bits(one, other)


def test_the_callers_state_is_left_alone():
    expected = gradients_of(network("softplus"), X * 1e3, Y)
    np.random.seed(7)
    draws = np.random.get_state()[1].tobytes()
    with warnings.catch_warnings(), np.errstate(all="raise"), np.printoptions(precision=3):
        warnings.simplefilter("error")
        states = np.geterr(), np.get_printoptions(), list(warnings.filters)
        same_bits(gradients_of(network("softplus"), X * 1e3, Y), expected)
        assert network("softplus").run(X * 1e3, Y).check().ok
        refusal(SpecError, network, loss="square")
        assert (np.geterr(), np.get_printoptions(), list(warnings.filters)) == states
    assert np.random.get_state()[1].tobytes() == draws
