"""run.check() at every scale of data and weights: no false alarm, no mistake missed."""

from itertools import product

import numpy as np
import pytest
from network_cases import LAST
from wrong_ops import wrong

from jacobian_bp import Network, Tanh
from jacobian_bp.routes.difference import Perturbed

EXPONENTS = (-8, -4, 0, 3, 5, 8)
KINDS = [("tanh", "bce"), ("relu", "squared_error"), ("softplus", "cross_entropy")]


def scaled(activation, loss, k, j, dtype=np.float64, ops=None):
    """x of size 10^k and W1 of 10^-k, so that z1 is ordinary; W2 of size 10^j."""
    rng, last = np.random.default_rng(7), LAST.get(loss, "identity")
    net = Network.dense([3, 5, 2], [activation, last], loss, seed=3, dtype=dtype, ops=ops)
    factors = {"W1": 10.0**-k, "W2": 10.0**j}
    net = net.with_params({n: (net.params[n] * f).astype(dtype) for n, f in factors.items()})
    x = (rng.normal(size=(7, 3)) * 10.0**k).astype(dtype)
    if loss == "cross_entropy":
        return net.run(x, rng.integers(0, 2, 7))
    y = rng.integers(0, 2, (7, 2)) if loss == "bce" else rng.normal(size=(7, 2)) * 10.0 ** max(j, 0)
    return net.run(x, y.astype(dtype))


@pytest.mark.parametrize(("activation", "loss"), KINDS)
@pytest.mark.parametrize("k", EXPONENTS)
def test_a_right_network_raises_no_false_alarm_at_any_scale(activation, loss, k):
    agreement = scaled(activation, loss, k, 0, np.float32 if k in (-4, 5) else np.float64).check()
    assert agreement.ok, str(agreement)


@pytest.mark.full
@pytest.mark.parametrize(("activation", "loss"), [*KINDS, ("leaky_relu", "half_squared_error")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_pair_of_scales_raises_a_false_alarm(activation, loss, dtype):
    for k, j in product((-8, -5, -2, 0, 1, 3, 4, 5, 8), (-8, -4, 0, 4, 8)):
        agreement = scaled(activation, loss, k, j, dtype).check()
        assert agreement.ok, f"1e{k}, 1e{j}\n{agreement}"


@pytest.mark.one_in(4)
@pytest.mark.parametrize("k", EXPONENTS)
@pytest.mark.parametrize("where", ["jacobian", "vjp", "both"])
@pytest.mark.parametrize("factor", [-1.0, 1.01])
def test_a_wrong_slope_is_found_at_every_scale(k, where, factor):
    """Wrong in both rules, the difference route alone can tell."""
    own = {"own": wrong(Tanh, factor, where)}
    agreement = scaled("own", "bce", k, 0, ops=own).check()
    assert not agreement.ok
    assert agreement.parted == "a1 = WrongTanh(z1)"


def test_entries_too_small_for_differences_are_counted():
    """One part in 10^30 of the cost: no step makes it show."""
    net = Network.program(
        "a = Tanh(w)",
        "b = Multiply(v, u)",
        "c = Add(a, b)",
        "L = SquaredError(c, y)",
        params={"w": [0.5], "v": [0.25]},
    )
    row = net.run(y=[2.0], u=[1e-30]).check().rows[-1]
    assert row.ok
    says = "1 entry is too small for a difference of costs to tell"
    assert row.verdict == f"within their accuracy, off by less than 1e-08; {says}"


@pytest.mark.parametrize("batch", [False, True], ids=["one", "batch"])
def test_empty_arrays_are_compared_and_derived(batch):
    net = Network.program(
        "m = Multiply(x, g)", "L = SquaredError(m, y)", "J = Mean(L)", params={"g": np.zeros(0)}
    )
    empty = np.zeros((7, 0) if batch else 0)
    run = net.run(empty, empty)
    agreement = run.check()
    assert agreement.ok
    assert [(row.compared, row.total) for row in agreement.rows] == [(0, 0)] * 3
    assert str(run.derivation()).endswith("all routes agree")


def test_an_entry_too_small_for_any_step_costs_few_passes(monkeypatch):
    """Gradients vanish through many sigmoids: the widest step is tried once."""
    net = Network.dense([3] * 31, "sigmoid", "squared_error", seed=0)
    run, calls = net.run(np.array([0.3, -1.1, 0.7]), np.array([0.1, 0.9, 0.4])), []
    once = Perturbed.values_at

    def counted(self, index, change):
        calls.append(index)
        return once(self, index, change)

    monkeypatch.setattr(Perturbed, "values_at", counted)
    (row,) = [row for row in run.check().rows if row.route == "difference"]
    assert (row.compared, row.total, row.ok) == (360, 360, True)
    assert row.vague > 50
    assert len(calls) <= 12 * row.total
