"""What a network holds, what it admits, and what it leaves as it was."""

import numpy as np
import pytest
from network_cases import (
    by_activation_and_loss,
    close,
    data,
    gradients_of,
    network,
    one_or_batch,
    same_bits,
    term_sums,
)

from jacobian_bp import Network
from jacobian_bp.routes.gradients import ROUTES

RNG = np.random.default_rng(43)
X, Y = data()


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


@pytest.mark.one_in(5)
@by_activation_and_loss
def test_a_batch_of_one_is_the_example_exactly(activation, loss):
    net, (x, y) = network(activation, loss), data(loss)
    same_bits(gradients_of(net, x, y), gradients_of(net, x[None], y[None]))


def test_a_wide_batch_of_one_is_the_example_exactly():
    """Widths at which a matrix product and a matrix-vector product round differently."""
    sizes = [67, 53, 31]
    net, (x, y) = network("tanh", sizes=sizes), data(sizes=sizes)
    same_bits(gradients_of(net, x, y), gradients_of(net, x[None], y[None]))


@pytest.mark.one_in(10)
@by_activation_and_loss
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_batch_is_its_examples_one_by_one(activation, loss, reduction):
    net, (x, y) = network(activation, loss, reduction=reduction), data(loss, batch=True)
    runs = [net.run(*example) for example in zip(x, y, strict=True)]
    share = 1 / len(x) if reduction == "mean" else 1
    whole = net.run(x, y)
    assert whole.loss == pytest.approx(share * sum(run.loss for run in runs), rel=1e-13)
    scale = term_sums(whole)
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


@pytest.mark.parametrize("route", ROUTES)
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


def test_two_parameters_do_not_become_one_by_getting_the_same_array():
    net = Network.dense([3, 3, 3], "tanh", "squared_error", seed=5)
    same = RNG.standard_normal((3, 3))
    again = net.with_params({"W1": same, "W2": same})
    assert again.tied == {}
    run = again.run(RNG.standard_normal(3), RNG.standard_normal(3))
    gradients = run.gradients()
    assert set(gradients) == {"W1", "b1", "W2", "b2"}
    np.testing.assert_allclose(run.jacobian("J", "W2").materialise(), gradients["W2"], rtol=1e-12)
    assert not np.allclose(gradients["W1"], gradients["W2"])
