"""Runs of one recurrent step, and of the steps of a sequence that share their parameters."""

import numpy as np

from jacobian_bp import Network

SIZES = {"RNNCell": 7, "LSTMCell": 28, "GRUCell": 21}
STEPS = 3


def run_of(network, seed=31):
    """The run of one cell that is named, or else of a cell in three steps, one after the other."""
    normal = np.random.default_rng(seed).standard_normal
    rows = SIZES.get(network, 7)
    params = {"W": normal((rows, 3)), "U": normal((rows, 7)), "b": normal(rows)}
    if network == "LSTMCell":
        lines = ["h, c = LSTMCell(x, h0, c0, W, U, b)", "L = HalfSquaredError(h, y)", "J = Mean(L)"]
        data = {"x": normal((5, 3)), "h0": normal((5, 7)), "c0": normal((5, 7))}
    elif network in SIZES:
        lines = [f"h = {network}(x, h0, W, U, b)", "L = HalfSquaredError(h, y)", "J = Mean(L)"]
        data = {"x": normal((5, 3)), "h0": normal((5, 7))}
    else:
        lines, data = [], {"h0": normal((5, 7))}
        for t in range(1, STEPS + 1):
            lines += [f"h{t} = RNNCell(x{t}, h{t - 1}, W, U, b)"]
            data[f"x{t}"] = normal((5, 3))
        lines += [f"L = HalfSquaredError(h{STEPS}, y)", "J = Mean(L)"]
    return Network.program(*lines, params=params).run(**data, y=normal((5, 7)))
