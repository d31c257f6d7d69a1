"""A compiled step gives the same bits, however its parameters and data lie in memory."""

import numpy as np
import pytest
from compiled_cases import kept
from network_cases import same_bits
from random_programs import random_program

from jacobian_bp import Network

WAYS = {
    "columns first": lambda a: np.asfortranarray(a),
    "a transposed view": lambda a: a.T.copy().T,
    "backwards": lambda a: a[::-1].copy()[::-1] if a.ndim else a,
    "every second of more": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "one entry on": lambda a: np.append([0.0], a).astype(a.dtype)[1:].reshape(a.shape),
    "columns first, big-endian": lambda a: np.asfortranarray(a).astype(a.dtype.newbyteorder(">")),
}


def bits(step, params, data):
    return kept(step(params, **data))


@pytest.mark.one_in(4)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("far", [1.0, 1e3], ids=["near", "far out"])
def test_memory_order_changes_no_bit(way, far):
    lay = WAYS[way]
    for seed in range(12):
        net, data = random_program(seed, batch=seed % 2 == 0)
        data["x"] = data["x"] * far
        params = {name: np.array(p) for name, p in net.params.items()}
        step = net.compile(batch=7 if seed % 2 == 0 else None)
        expected = bits(step, params, data)
        laid = {n: lay(p) for n, p in params.items()}, {n: lay(a) for n, a in data.items()}
        same_bits(bits(step, *laid), expected)
        same_bits(bits(net.compile(batch=step.batch), *laid), expected)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_memory_order_changes_no_bit_of_wide_layers(way, dtype):
    """Wide enough that BLAS adds in blocks, which depend on how a matrix lies."""
    lay, rng = WAYS[way], np.random.default_rng(5)
    net = Network.dense([61, 53, 17], ["tanh", "identity"], "squared_error", seed=2, dtype=dtype)
    params = {name: np.array(p) for name, p in net.params.items()}
    data = {
        "x": rng.normal(size=(41, 61)).astype(dtype),
        "y": rng.normal(size=(41, 17)).astype(dtype),
    }
    step = net.compile(batch=41)
    expected = bits(step, params, data)
    same_bits(
        bits(step, {n: lay(p) for n, p in params.items()}, {n: lay(a) for n, a in data.items()}),
        expected,
    )
