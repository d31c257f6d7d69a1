"""What a network leaves as it was: inputs, results, dtypes, threads, the caller's settings."""

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from network_cases import PAIRS, SIZES, data, gradients_of, network, refusal, same_bits
from sampled import seldom

from jacobian_bp import DomainError, Network, SpecError
from jacobian_bp.routes.gradients import ROUTES

X, Y = data()

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
    for route in ROUTES:
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
    net = Network.dense(SIZES, drawn.facts.activations, loss, params=given)
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
    refusal(DomainError, network().run, x, Y)
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


@pytest.mark.parametrize("pairs", [PAIRS, seldom(PAIRS * 3)], ids=["once", "three times"])
def test_threads_give_the_bits_of_a_serial_run(pairs):

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
