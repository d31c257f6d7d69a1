"""diagnose at kinks, at saturated units, on skip connections, and beside every known label."""

import numpy as np
import pytest
from graph_cases import LayerNorm, skip, through_s
from network_cases import random_net
from planted_mistakes import scenes

from jacobian_bp import Network
from jacobian_bp.coursework.diagnosis import diagnose

RNG = np.random.default_rng(47)
SCENES = {s.name: s for s in scenes()}


def normal(*shape):
    return RNG.normal(size=shape)


# --- kinks -----------------------------------------------------------------------


def kinked(activation, batch):
    """2-3-2; the first unit is exactly at 0 (in a batch: in the examples 0 and 3)."""
    W1, b1, W2 = np.array([[1.0, -1.0], [-0.5, -2.0], [1.5, 0.25]]), np.zeros(3), normal(2, 3)
    params = {"W1": W1, "b1": b1, "W2": W2, "b2": normal(2)}
    net = Network.dense([2, 3, 2], [activation, "identity"], "squared_error", params=params)
    x = normal(5, 2) if batch else np.array([1.0, 1.0])
    if batch:
        x[[0, 3]] = [[2.0, 2.0], [-1.5, -1.5]]
    run = net.run(x, normal(5, 2) if batch else normal(2))
    assert (run["z1"] == 0).any()
    return run, (2 * (run["a2"] - run["y"]) / (5 if batch else 1)) @ W2


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("chosen", [0.5, 1.0, 0.3])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_slope_at_a_kink_is_a_choice(activation, chosen, batch):
    run, u = kinked(activation, batch)
    flat = 0.01 if activation == "leaky_relu" else 0.0
    z, x = run["z1"], run["x"]
    d1 = u * np.where(z == 0, chosen, np.where(z > 0, 1.0, flat))
    W1, b1 = (d1.T @ x, d1.sum(0)) if batch else (np.outer(d1, x), d1)
    for arrays in ({"z1": d1, "W1": W1, "b1": b1}, {"W1": W1}):
        found = diagnose(run, arrays)
        assert found.first_wrong is None
        assert {f.label for f in found.values()} == {"kink"}
        assert all(f.remark.endswith("is a choice, not a mistake.") for f in found.values())
    wrong = u * np.where(z == 0, chosen, 1.0)  # the slope is left out elsewhere
    assert not diagnose(run, {"z1": wrong})["z1"].ok


@pytest.mark.parametrize("batch", [False, True])
def test_a_kink_does_not_hide_a_mistake(batch):
    run, u = kinked("relu", batch)
    z = run["z1"]
    d1 = u * np.where(z == 0, 1.0, z > 0)
    found = diagnose(run, {"z1": 1.7 * d1})["z1"]
    assert (found.ok, found.label) == (False, "unknown")


# --- NaN -------------------------------------------------------------------------


def test_nan_of_a_saturated_softmax_is_told():
    params = {"W1": normal(4, 2), "b1": normal(4), "W2": normal(3, 4), "b2": [800.0, 0.0, -30.0]}
    net = Network.dense([2, 4, 3], ["tanh", "softmax"], "cross_entropy", params=params)
    run = net.run(normal(5, 2), [0, 2, 1, 0, 0])
    y = np.eye(3)[[0, 2, 1, 0, 0]]
    with np.errstate(all="ignore"):
        e = np.exp(run["z2"])
        d2 = (e / e.sum(-1, keepdims=True) - y) / 5
    assert np.isnan(d2[:, 0]).all()
    with np.errstate(all="ignore"):
        p, through = e / e.sum(-1, keepdims=True), -y / (e / e.sum(-1, keepdims=True))
        unfused = p * (through - (through * p).sum(-1, keepdims=True)) / 5
    found = diagnose(run, {"z2": unfused})["z2"]
    assert (found.label, found.ok) == ("saturated-nan", False)
    assert "NaN" in found.proved[0]


@pytest.mark.parametrize("batch", [False, True])
def test_a_saturated_tanh_by_its_textbook_formula(batch):
    params = {"W1": normal(3, 2), "b1": [0.1, 900.0, -0.3], "W2": normal(2, 3), "b2": normal(2)}
    net = Network.dense([2, 3, 2], ["tanh", "identity"], "half_squared_error", params=params)
    run = net.run(normal(5, 2) if batch else normal(2), normal(5, 2) if batch else normal(2))
    m = 5 if batch else 1
    with np.errstate(all="ignore"):
        up, down = np.exp(run["z1"]), np.exp(-run["z1"])
        d1 = ((run["a2"] - run["y"]) / m) @ params["W2"] * (1 - ((up - down) / (up + down)) ** 2)
    assert np.isnan(d1).any()
    found = diagnose(run, {"z1": d1, "b1": d1.sum(0) if batch else d1})
    assert {f.label for f in found.values()} == {"saturated-nan"}
    elsewhere = np.where(np.isnan(d1), 0.0, np.nan)
    assert diagnose(run, {"z1": elsewhere})["z1"].label == "unknown"


# --- a label for what had none ---------------------------------------------------


def wide():
    """3-3-3-3 with a sigmoid between two tanh: every array fits everywhere."""
    net = random_net([3, 3, 3, 3], ["tanh", "sigmoid", "tanh"], "squared_error", 21)
    run = net.run(normal(3), normal(3))
    a = [run["x"], run["a1"], run["a2"], run["a3"]]
    d3 = 2 * (a[3] - run["y"]) * (1 - a[3] ** 2)
    d2 = (d3 @ net.params["W3"]) * a[2] * (1 - a[2])
    return run, net.params, a, d3, d2


@pytest.mark.parametrize("other", [0, 1, 3])
def test_the_slope_formula_at_another_layers_values(other):
    run, P, a, d3, _ = wide()
    wrong = (d3 @ P["W3"]) * a[other] * (1 - a[other])
    assert diagnose(run, {"z2": wrong})["z2"].label == "wrong-layer-slope"
    slope = (d3 @ P["W3"]) * (1 - a[1] ** 2)
    assert diagnose(run, {"z2": slope})["z2"].label == "wrong-layer-slope"


@pytest.mark.parametrize("scene", ["square", "cube"])
def test_the_jacobian_in_the_place_of_its_transpose(scene):
    s = SCENES[scene]
    d2 = s.backward()["z2"]
    before = d2 / s.slope(2) if s.depth > 2 or not s.fused else None
    pulled = (before @ s.W[2].T) * s.slope(2)
    assert diagnose(s.run, {"a1": pulled})["a1"].label == "weight-not-transposed"


@pytest.mark.parametrize("batch", [False, True])
def test_mistakes_around_a_skip_connection(batch):
    run, P, x, dt, dz2 = skip(batch)
    slope = 1 - run["a2"] ** 2
    turned = through_s(run, x, dt + (dt @ P["W2"].T) * slope)
    assert diagnose(run, turned)["s"].label == "weight-not-transposed"
    W2 = dz2.T @ x if batch else np.outer(dz2, x)
    assert diagnose(run, {"W2": W2})["W2"].label == "wrong-layer-activation"
    other = 2 * (run["s"] - run["y"]) / len(np.atleast_2d(x))
    found = diagnose(run, {"t": other, "z2": other * slope})
    assert (found["t"].label, found["z2"].follows) == ("wrong-layer-activation", True)
    assert found["t"].remark.endswith("s stands for t.")


def test_another_weight_and_a_slope_twice_are_told():
    run, P, a, _, d2 = wide()
    slope1 = 1 - a[1] ** 2
    other = diagnose(run, {"z1": (d2 @ P["W1"]) * slope1})["z1"]
    assert (other.label, other.remark) == (
        "wrong-weight",
        "In the delta of z1 (layer 1) another array stands in the place of the weight W2: W1.",
    )
    twice = diagnose(run, {"z1": (d2 @ P["W2"]) * slope1**2})["z1"]
    assert (twice.label, twice.remark) == (
        "factor-twice",
        "In the delta of z1 (layer 1) the factor tanh'(z1) stands twice, where once is right.",
    )
    wrong = (d2 @ P["W1"]) * slope1
    followed = diagnose(run, {"z1": wrong, "W1": np.outer(wrong, a[0])})
    assert followed["W1"].follows


def test_parameters_of_an_own_op():
    params = {"W1": normal(5, 3), "b1": normal(5), "W2": normal(2, 5), "b2": normal(2)}
    net = Network.program(
        "z1 = Linear(x, W1, b1)",
        "y1 = LayerNorm(z1, g, h)",
        "z2 = Linear(y1, W2, b2)",
        "L = SquaredError(z2, y)",
        "J = Mean(L)",
        params=params | {"g": normal(5), "h": normal(5)},
        ops={"LayerNorm": LayerNorm},
    )
    run = net.run(normal(7, 3), normal(7, 2))
    dy = (2 * (run["z2"] - run["y"]) / 7) @ params["W2"]
    z = run["z1"]
    u = (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-5)
    label = lambda key, array: diagnose(run, {key: array})[key].label  # noqa: E731
    assert label("h", dy.sum(0)) == label("g", (dy * u).sum(0)) == "correct"
    assert label("h", dy) == label("g", dy * u) == "bias-not-summed"
    assert label("h", dy.sum(1)) == label("g", (dy * u).sum(1)) == "bias-wrong-axis"


@pytest.mark.parametrize("scene", ["seed5", "deep7"])
def test_a_loop_over_the_examples_that_overwrites(scene):
    s = SCENES[scene]
    g = s.backward()
    last = np.outer(g["z2"][-1], s.a[1][-1])
    assert diagnose(s.run, {"W2": last})["W2"].label == "last-step-only"
    assert diagnose(s.run, {"b2": g["z2"][-1]})["b2"].label == "last-step-only"
    assert diagnose(s.run, {"b2": g["z2"][0]})["b2"].label == "bias-not-summed"


# --- two sentences ---------------------------------------------------------------


def test_a_second_mistake_has_a_sentence_of_its_own():
    s = SCENES["one6"]
    d2 = s.output_delta()
    wrong = (s.m * d2 @ s.W[2]).T @ s.x
    found = diagnose(s.run, {"W1": wrong})["W1"]
    assert found.labels[:2] == ("missing-slope", "missing-batch-mean")
    assert found.sentences == (
        "In the delta of z1 (layer 1) the slope tanh'(z1) is left out: what comes back from the "
        "layer above has to go through it.",
        "Besides, the 1/m of the mean over the examples is left out.",
    )
    both = (((d2 / s.slope(2)) @ s.W[2]) * s.a[1]).T @ s.x
    first, second = diagnose(s.run, {"W1": both})["W1"].sentences
    assert first.startswith("In the delta of z2 (layer 2) the slope of the output activation, σ'")
    assert second.endswith(
        "(layer 1) the value of a function stands for its slope: a1 for tanh'(z1)."
    )
