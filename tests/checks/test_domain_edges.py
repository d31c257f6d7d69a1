"""run.check() near the end of an op's domain and near a pole: no false alarm, no mistake missed."""

import numpy as np
import pytest
from wrong_ops import wrong

from jacobian_bp import BinaryCrossEntropy, Divide, KLDivergence, Log, Network, Power, Sqrt

NEAR = [1e-5, 2e-6, 1.0001e-6, 1e-6, 9.9e-7, 1e-7, 3e-9, 1e-12, 1e-100]
SUMMED = {  # the op's line, the op, and the parameters
    "log": ("z = Op(a)", Log(), lambda v: {"a": [v]}),
    "square root": ("z = Op(a)", Sqrt(), lambda v: {"a": [v]}),
    "1/a": ("z = Op(a)", Power(-1.0), lambda v: {"a": [v]}),
    "1/a of a negative number": ("z = Op(a)", Power(-1.0), lambda v: {"a": [-v]}),
    "b/a": ("z = Op(b, a)", Divide(), lambda v: {"a": [v], "b": [2.0]}),
}
LOSSES = {
    "binary": (BinaryCrossEntropy(), lambda v: [v, 0.5], [1.0, 0.0]),
    "binary, near 1": (BinaryCrossEntropy(), lambda v: [1 - v, 0.5], [0.0, 0.0]),
    "divergence": (KLDivergence(), lambda v: [v, 1 - v], [0.25, 0.75]),
}


def summed(kind, near, op=None):
    line, right, params = SUMMED[kind]
    params = {name: np.array(value) for name, value in params(near).items()}
    return Network.program(line, "J = Sum(z)", params=params, ops={"Op": op or right}).run().check()


def loss(kind, near, op=None):
    right, point, labels = LOSSES[kind]
    params = {"a": np.array(point(near))}
    net = Network.program("J = Op(a, y)", params=params, ops={"Op": op or right})
    return net.run(y=np.array(labels)).check()


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize("kind", SUMMED)
def test_a_step_that_leaves_the_domain_raises_no_false_alarm(kind, near):
    agreement = summed(kind, near)
    assert agreement.ok, str(agreement)
    assert agreement.rows[-1].compared > 0


@pytest.mark.parametrize("near", [v for v in NEAR if v > 1e-13])
@pytest.mark.parametrize("kind", LOSSES)
def test_a_loss_of_probabilities_near_0_and_1_raises_no_false_alarm(kind, near):
    agreement = loss(kind, near)
    assert agreement.ok, str(agreement)
    assert agreement.rows[-1].compared > 0


@pytest.mark.parametrize("factor", [-1.0, 1.01])
@pytest.mark.parametrize("near", [1e-5, 1e-6, 1e-12])
@pytest.mark.parametrize("kind", SUMMED)
def test_a_wrong_slope_is_found_there(kind, near, factor):
    right = SUMMED[kind][1]
    own = wrong(type(right), factor, "both")
    assert not summed(kind, near, own(-1.0) if isinstance(right, Power) else own()).ok


@pytest.mark.parametrize("factor", [-1.0, 1.01])
@pytest.mark.parametrize("near", [1e-5, 1e-6, 1e-7])
@pytest.mark.parametrize("kind", LOSSES)
def test_a_wrong_slope_of_a_loss_is_found_there(kind, near, factor):
    assert not loss(kind, near, wrong(type(LOSSES[kind][0]), factor, "both")()).ok


def test_a_cost_that_underflows_raises_no_false_alarm():
    params = {"a": np.array([1e-320])}
    assert Network.program("z = Power(a, p=1.5)", "J = Sum(z)", params=params).run().check().ok


def test_an_entry_that_no_step_can_leave_is_said_to_be_so():
    """The number next to 1: the one to its right is 1, where log(1 − a) ends."""
    row = loss("binary, near 1", 2.0**-53).rows[-1]
    assert (row.compared, row.total) == (1, 2)
    says = "within their accuracy, off by less than 1e-08; no step from 1 entry stays in the domain"
    assert row.verdict == says
