"""Runs whose cost is predicted: every kind of graph, no two axes of one size where it matters."""

import numpy as np
from network_cases import data, network, residual

from jacobian_bp import Einsum, Network, Tanh
from jacobian_bp.compare.cost.cost_card import cost_card


def drawing():
    """draw(3, 5), an array of normal numbers; the same numbers in the same order each time."""
    rng = np.random.default_rng(29)
    return lambda *shape: rng.standard_normal(shape)


def dense(activation, loss, batch, dtype=np.float64, sizes=(5, 3, 2)):
    """Dense layers at a random point: one example, or BATCH of them."""
    net = network(activation, loss, list(sizes), dtype=dtype)
    return net.run(*data(loss, batch, list(sizes), dtype))


def skips(batch=()):
    """A block of two paths, and a value that is read twice by one step."""
    draw = drawing()
    net = Network.program(
        "z1 = Linear(x, W1, b1)",
        "a1 = Tanh(z1)",
        "z2 = Linear(a1, W2, b2)",
        "s = Add(z2, a1)",
        "q = Multiply(s, s)",
        "p = Softmax(q)",
        "L = SquaredError(p, y)",
        "J = Mean(L)",
        params={"W1": draw(3, 5), "b1": draw(3), "W2": draw(3, 3), "b2": draw(3)},
    )
    return net.run(draw(*batch, 5), draw(*batch, 3))


def scalar_waist():
    """A waist of one number, twice: two neighbouring Jacobians without any axis."""
    draw = drawing()
    net = Network.program(
        "z = Linear(x, W, b)",
        "c = Dot(z, z)",
        "d = ScalarTanh(c)",
        "e = ScalarTanh(d)",
        "f = Spread(e, v)",
        "J = SquaredError(f, y)",
        params={"W": draw(3, 2), "b": draw(3), "v": draw(5)},
        ops={"Dot": Einsum("k,k->"), "ScalarTanh": Tanh(""), "Spread": Einsum(",k->k")},
    )
    return net.run(draw(2), draw(5))


def unread():
    """A parameter from which no path leads to the cost."""
    draw = drawing()
    net = Network.program(
        "z = Linear(x, W, b)",
        "u = Linear(x, V, c)",
        "J = SquaredError(z, y)",
        params={"W": draw(3, 5), "b": draw(3), "V": draw(7, 5), "c": draw(7)},
    )
    return net.run(draw(5), draw(3))


def skip_layers(layers, batch=()):
    draw = drawing()
    return residual(layers).run(draw(*batch, 3), draw(*batch, 3))


RUNS = {
    "one example": lambda: dense("tanh", "squared_error", False),
    "one, three layers": lambda: dense("relu", "bce", False, sizes=(2, 11, 3, 7)),
    "batch": lambda: dense("sigmoid", "half_squared_error", True),
    "batch, three layers": lambda: dense("tanh", "bce", True, sizes=(2, 5, 3, 11)),
    "softmax inside": lambda: dense("softmax", "squared_error", True),
    "softmax twice": lambda: dense("softmax", "cross_entropy", True),
    "float32": lambda: dense("softplus", "cross_entropy", True, np.float32),
    "float32, one": lambda: dense("softmax", "squared_error", False, np.float32),
    "residual": lambda: skip_layers(3),
    "residual, batch": lambda: skip_layers(2, (5,)),
    "skip and softmax": skips,
    "skip and softmax, batch": lambda: skips((2,)),
    "a waist of one": scalar_waist,
    "no path": unread,
}


def card(run):
    return {cost.route: cost for cost in cost_card(run)}
