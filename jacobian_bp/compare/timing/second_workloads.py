"""Where second derivatives are timed: a quadratic form, a factorisation, a fit, distances."""

import numpy as np

from ...network.network import Network
from .workload import Workload

DISTANCES = (
    "a = Einsum(P, o, 'id,j->ijd')",
    "b = Einsum(P, m, 'jd,i->ijd')",
    "r = Add(a, b)",
    "q = Einsum(r, r, 'ijd,ijd->ij')",
    "e = Add(q, x)",
    "J = Einsum(e, e, 'ij,ij->')",
)


def quadratic_form(size: int, seed: int = 0) -> Workload:
    """J = xᵀ A x, whose Hessian by x is A + Aᵀ."""
    rng = np.random.default_rng(seed)
    A, x = rng.standard_normal((size, size)), rng.standard_normal(size)
    net = Network.program(
        "u = Einsum(A, x, 'ij,j->i')", "J = Einsum(x, u, 'i,i->')", params={"A": A}
    )
    return Workload(f"xᵀ A x, {size} entries, float64", net, net.run(x), x, None)


def factorisation(rows: int, columns: int, rank: int, seed: int = 0) -> Workload:
    """J = Σ (U Vᵀ + x)², by U and V."""
    rng = np.random.default_rng(seed)
    params = {"U": rng.standard_normal((rows, rank)), "V": rng.standard_normal((columns, rank))}
    x, axes = rng.standard_normal((rows, columns)), {"x": "i"}
    steps = "p = Einsum(U, V, 'ik,jk->ij')", "e = Add(p, x)", "J = Einsum(e, e, 'ij,ij->')"
    net = Network.program(*steps, params=params)
    label = f"Σ (U Vᵀ + x)², {rows}×{columns}, rank {rank}, float64"
    return Workload(label, net, net.run(x, axes=axes), x, None, axes=axes)


def logistic(width: int, examples: int, seed: int = 0) -> Workload:
    """Logistic regression: Xᵀ D X / m."""
    rng = np.random.default_rng(seed)
    net = Network.dense([width, 1], "sigmoid", "bce", seed=seed)
    x, y = rng.standard_normal((examples, width)), rng.integers(0, 2, (examples, 1)).astype(float)
    label = f"logistic regression, {width} features, {examples} examples, float64"
    return Workload(label, net, net.run(x, y), x, y)


def distances(points: int, seed: int = 0) -> Workload:
    """J = Σ_ij (|P_i − P_j|² + x_ij)² of points in a plane, by all of them; m is −1, o is 1."""
    rng = np.random.default_rng(seed)
    params = {"P": rng.standard_normal((points, 2)), "o": np.ones(points), "m": -np.ones(points)}
    x, axes = -rng.random((points, points)), {"x": "i"}
    net = Network.program(*DISTANCES, params=params)
    label = f"squared distances of {points} points, float64"
    return Workload(label, net, net.run(x, axes=axes), x, None, axes=axes)
