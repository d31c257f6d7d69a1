"""Networks for the tests: every activation with every loss, drawn from fixed seeds."""

import sys
from contextlib import contextmanager
from itertools import cycle, pairwise, product

import numpy as np
import pytest
from sampled import seldom

from jacobian_bp import Network
from jacobian_bp.network.layers import ACTIVATIONS, LOSSES
from jacobian_bp.routes.structured import structured

SIZES = [5, 3, 2]  # with a batch of 7: no two axes have one size
BATCH = 7
LAST = {"bce": "sigmoid", "cross_entropy": "softmax", "kl_divergence": "softmax"}
PAIRS = list(product(ACTIVATIONS, LOSSES))
by_activation_and_loss = pytest.mark.parametrize(("activation", "loss"), PAIRS)
each_with_another_loss = pytest.mark.parametrize(  # for what is slow: no text is of a pair
    ("activation", "loss"), [*zip(ACTIVATIONS, cycle(LOSSES))]
)
in_four_ways = pytest.mark.parametrize(  # of the four of a pair two run always, in turn
    ("activation", "loss", "batch", "dtype"),
    [
        way if (number + batch + (dtype is np.float32)) % 2 == 0 else seldom(*way)
        for number, pair in enumerate(PAIRS)
        for batch, dtype in product([False, True], [np.float64, np.float32])
        for way in [(*pair, batch, dtype)]
    ],
)
one_or_batch = pytest.mark.parametrize("batch", [False, True], ids=["one", "batch"])


def network(activation="tanh", loss="squared_error", sizes=SIZES, seed=11, **options):
    """Dense layers; the last activation is the one that the loss asks for."""
    names = [activation] * (len(sizes) - 2) + [LAST.get(loss, activation)]
    return Network.dense(sizes, names, loss, seed=seed, **options)


def data(loss="squared_error", batch=False, sizes=SIZES, dtype=np.float64):
    """x and y for one example, or for BATCH of them."""
    rng, shape = np.random.default_rng(23), (BATCH,) * batch
    x = rng.standard_normal((*shape, sizes[0])).astype(dtype)
    if loss in ("cross_entropy", "hinge"):
        return x, rng.integers(0, sizes[-1], shape)
    if loss == "kl_divergence":
        return x, rng.dirichlet(np.ones(sizes[-1]), shape or None).astype(dtype)
    if loss == "bce":
        return x, rng.choice([0.0, 1.0, 0.25], (*shape, sizes[-1])).astype(dtype)
    return x, rng.standard_normal((*shape, sizes[-1])).astype(dtype)


def run_of(sizes, batch, activations="tanh", loss="squared_error", dtype=np.float64):
    """A run whose labels all lie between 0 and 1, as no class does; batch 0 is one example."""
    rng, lead = np.random.default_rng(29), (batch,) * bool(batch)
    net = Network.dense(sizes, activations, loss, seed=31, dtype=dtype)
    x, y = rng.standard_normal((*lead, sizes[0])), rng.uniform(0.2, 0.8, (*lead, sizes[-1]))
    y = y / y.sum(axis=-1, keepdims=True) if loss == "cross_entropy" else y
    return net.run(x.astype(dtype), y.astype(dtype))


def random_net(sizes, activations, loss, seed, **options):
    """Dense layers whose biases are drawn too."""
    rng, params = np.random.default_rng(seed), {}
    for n, (i, k) in enumerate(pairwise(sizes), start=1):
        params[f"W{n}"] = rng.normal(size=(k, i)) / np.sqrt(i) * 1.3
        params[f"b{n}"] = rng.normal(size=k) * 0.3
    return Network.dense(sizes, activations, loss, params=params, **options)


def residual(layers, width=3, seed=5):
    """Layer after layer with a skip connection around each: s1 = x + tanh(W1 x + b1), …"""
    rng, lines, params = np.random.default_rng(seed), [], {}
    for layer in range(1, layers + 1):
        before = f"s{layer - 1}" if layer > 1 else "x"
        lines += [
            f"z{layer} = Linear({before}, W{layer}, b{layer})",
            f"a{layer} = Tanh(z{layer})",
            f"s{layer} = Add(a{layer}, {before})",
        ]
        params[f"W{layer}"] = rng.standard_normal((width, width)) / (2 * layers)
        params[f"b{layer}"] = rng.standard_normal(width) / (2 * layers)
    lines += [f"L = SquaredError(s{layers}, y)", "J = Mean(L)"]
    return Network.program(*lines, params=params)


def refusal(error, call, *arguments, **options):
    """The whole message of the error that the call raises; its very class is asked for."""
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    assert caught.type is error
    return str(caught.value)


def gradients_of(net, x, y):
    """Gradients and the loss of one run, by name."""
    run = net.run(x, y)
    return {**run.gradients(), "J": run["J"]}


def same_bits(left, right):
    """Two dictionaries of arrays: the same names, shapes, dtypes and bits."""
    assert list(left) == list(right)
    for name, array in left.items():
        assert array.dtype == right[name].dtype
        np.testing.assert_array_equal(array, right[name], strict=True)


def close(found, expected, scale, units=16):
    """Every entry within units·u·scale; NaN is never close."""
    unit = float(np.finfo(found.dtype).eps) / 2
    assert found.shape == expected.shape
    return bool(np.all(np.abs(found - expected) <= units * unit * scale))


def term_sums(run):
    """The gradients' contractions over absolute values: at this scale the sums round."""
    return structured(run.forward_pass, list(run.params), magnitudes=True)


class TooMuchWork(BaseException):
    """More calls than a block may make; nothing that catches Exception holds it."""


@contextmanager
def at_most(calls):
    """Ends the block at this many calls, of Python and of C: work is counted, never timed."""
    made, before = 0, sys.getprofile()

    def count(frame, event, argument):
        nonlocal made
        made += event in ("call", "c_call")
        if made > calls:
            sys.setprofile(None)
            raise TooMuchWork

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
