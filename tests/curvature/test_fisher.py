"""Which matrix equals which: Gauss-Newton, the Fisher information, the empirical Fisher.

The Fisher information is the mean of g gᵀ over the y that the network itself expects; the
empirical Fisher has the labels that were given.
"""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.curvature.hessian import Hessian
from jacobian_bp.curvature.stacked_hessian import StackedHessian
from jacobian_bp.network.run import Run

RNG = np.random.default_rng(43)
X = RNG.standard_normal(5)


def outer(net, y):
    gradients = net.run(X, y).gradients().values()
    g = np.concatenate([array.ravel() for array in gradients])
    return np.outer(g, g)


def sure(net):
    """The network with probabilities that are far apart."""
    return net.with_params({**net.params, "W2": 4 * net.params["W2"]})


def softmax():
    """Each class with its probability."""
    net = sure(Network.dense([5, 2, 3], ["tanh", "softmax"], "cross_entropy", seed=1))
    p = net.run(X, np.array(0))["a2"]
    return net, np.array(1), [(p[k], np.array(k)) for k in range(3)]


def bernoulli():
    net = sure(Network.dense([5, 3, 1], ["tanh", "sigmoid"], "bce", seed=1))
    p = float(net.run(X, np.ones(1))["a2"][0])
    return net, np.ones(1), [(1 - p, np.zeros(1)), (p, np.ones(1))]


def normal(loss="half_squared_error", **options):
    """Labels about f whose mean is f and whose covariance is the identity."""
    net = Network.dense([5, 3, 2], ["tanh", "identity"], loss, seed=1, **options)
    f = net.run(X, np.zeros(2))["a2"]
    moved = np.sqrt(2) * np.eye(2)
    return net, np.ones(2), [(0.25, f + s * e) for s in (1, -1) for e in moved]


def matrices(case):
    """Gauss-Newton at the given label, the Fisher information, the empirical Fisher."""
    net, y, expected = case
    run = net.run(X, y)
    fisher = sum(share * outer(net, label) for share, label in expected)
    return run.hessian(run.params).gauss_newton.materialise(), fisher, outer(net, y)


@pytest.mark.parametrize("case", [softmax, bernoulli, normal])
def test_gauss_newton_is_the_fisher_information_of_a_likelihood_and_not_the_empirical_one(case):
    gauss_newton, fisher, empirical = matrices(case())
    np.testing.assert_allclose(gauss_newton, fisher, rtol=1e-11, atol=1e-13)
    assert np.abs(empirical - gauss_newton).max() > 0.1 * np.abs(gauss_newton).max()


def test_what_the_documentation_leaves_out_is_none():
    for case in (normal("squared_error"), normal(penalty={"W1": 0.5})):
        gauss_newton, fisher, _ = matrices(case)
        assert np.abs(gauss_newton - fisher).max() > 0.1 * np.abs(fisher).max()


def test_no_matrix_is_offered_as_a_fisher():
    for offered in (Hessian, StackedHessian, Run, Network):
        assert not [name for name in dir(offered) if "fisher" in name.lower()]
