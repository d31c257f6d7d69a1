"""Jacobians for the tests of chunks: every kind of factor, each small enough to be built whole."""

import numpy as np
from window_nets import window_net

from jacobian_bp import Network

RNG = np.random.default_rng(61)


def dense_run(batch=5):
    net = Network.dense([5, 7, 3], ["relu", "softmax"], "cross_entropy", seed=1)
    return net.run(RNG.normal(size=(batch, 5)), RNG.integers(0, 3, batch))


def jacobians():
    """Local and composed, with deltas of examples and of units, with windows and with ranges."""
    run = dense_run()
    found = [
        run.jacobian(*n.split("/"))
        for n in ["z1/W1", "z1/b1", "a1/z1", "a2/z2", "z2/x", "J/W1", "a2/W1"]
    ]
    causal = Network.program(
        "S = Einsum(x, Q, 'ti,iu->tu')",
        "A = CausalSoftmax(S)",
        "v = Einsum(A, x, 'tu,ui->ti')",
        "J = HalfSquaredError(v, y)",
        params={"Q": RNG.normal(size=(2, 5))},
    ).run(RNG.normal(size=(5, 2)), RNG.normal(size=(5, 2)))
    found += [causal.jacobian("A", "S"), causal.jacobian("v", "x")]
    for name in ("a sequence", "max pool of a sequence"):
        net, data = window_net(name, 2)
        found.append(net.run(**data).jacobian("v", "u"))
    return found
