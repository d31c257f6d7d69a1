"""Channels and places of an image are told apart: each axis has a name of its own."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose_line
from jacobian_bp.coursework.lines.meanings import meanings

RNG = np.random.default_rng(107)


@pytest.fixture(scope="module")
def sequences():
    """One channel of seven places, through a kernel of one tap."""
    params = {"K": RNG.normal(size=(1, 1, 1)), "b": RNG.normal(size=1)}
    lines = ["z1 = Conv1d(x, K, b)", "a1 = Tanh(z1)", "L = Einsum(a1, g, 'do,do->')"]
    net = Network.program(*lines, "J = Sum(L, over='n')", params=params)
    return net.run(x=RNG.normal(size=(3, 1, 7)), g=RNG.normal(size=(3, 1, 7)))


def test_no_two_axes_of_other_sizes_have_one_name(sequences):
    of = meanings(sequences.forward_pass).of
    sizes = {}
    for axes in of.values():
        for axis in axes:
            assert sizes.setdefault(axis.name, axis.size) == axis.size
    assert [axis.name for axis in of["x"]] == ["examples", "axis 1 of x", "axis 2 of x"]


def test_a_channel_is_not_called_an_input(sequences):
    said = str(diagnose_line("dx = dz1 @ K", sequences))
    assert "axis 1 of x" in said
    assert "input" not in said
    assert "numpy lets it pass if axis 1 of x is as long as" in said


def test_the_inputs_of_layers_keep_their_name():
    net = Network.dense([3, 5, 2], "tanh", "half_squared_error", seed=1)
    run = net.run(RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2)))
    assert [axis.name for axis in meanings(run.forward_pass).of["x"]] == ["examples", "inputs"]
    assert np.shape(run["x"]) == (7, 3)
