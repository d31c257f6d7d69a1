"""Runs of a network that is one op: a normalisation, whose function is read, or a cell."""

import numpy as np
from backward_functions import run_of as dense_run_of

from jacobian_bp import Network

CELL = "RNNCell"


def run_of(network, seed=31):
    """The run of a dense network, or of the one op that is named."""
    if not isinstance(network, str):
        return dense_run_of(network)
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal
    if network == CELL:
        params = {"W": normal((7, 3)), "U": normal((7, 7)), "b": normal(7)}
        data = {"x": normal((5, 3)), "g": normal((5, 7)), "y": normal((5, 7))}
        line = f"h = {network}(x, g, W, U, b)"
    else:
        params = {"g": normal(3), "c": normal(3)}
        data = {"x": normal((11, 3)), "y": normal((11, 3))}
        line = f"h = {network}(x, g, c)"
    lines = (line, "L = HalfSquaredError(h, y)", "J = Mean(L)")
    return Network.program(*lines, params=params).run(**data)
