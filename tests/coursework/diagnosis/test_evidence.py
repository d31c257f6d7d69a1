"""diagnose says nothing without evidence: round numbers, zeros, rounding, long searches."""

import numpy as np
import pytest
from network_cases import random_net
from planted_mistakes import scenes

from jacobian_bp import Network
from jacobian_bp.coursework.diagnosis import diagnose, judge
from jacobian_bp.reference import X, Y, second_seed

SCENES = {s.name: s for s in scenes()}


def seed():
    """The run 3-4-2-1, its gradients and its deltas."""
    run = second_seed().run(X, Y)
    deltas = {z: run.vjp("J", z, 1.0) for z in ("z1", "z2", "z3", "a3")}
    return run, run.gradients() | deltas


# --- numbers that may come from anywhere -----------------------------------------


@pytest.mark.one_in(2)
@pytest.mark.parametrize("scene", ["softmax7", "one6"])
def test_round_numbers_prove_no_other_quantity(scene):
    s = SCENES[scene]
    for name, right in s.backward().items():
        for value in (1.0, -1.0, 0.5, 1e-17):
            found = diagnose(s.run, {name: np.full(right.shape, value)})[name]
            assert not {"check-of-wrong-quantity", "value-for-slope"} & set(found.labels[:1])
            assert len(found.sentences) == 1


@pytest.mark.parametrize("scene", ["seed5", "softmax7", "deep"])
def test_another_quantity_is_named_where_its_numbers_are_its_own(scene):
    s = SCENES[scene]
    value = diagnose(s.run, {f"z{s.depth}": s.run[f"z{s.depth}"]})[f"z{s.depth}"]
    assert value.label == "check-of-wrong-quantity"
    name = f"z{s.depth}"
    drawn = np.random.default_rng(2).normal(size=s.run[name].shape) * 1e-15
    assert diagnose(s.run, {name: drawn})[name].label == "unknown"


@pytest.mark.parametrize("scale", [2e-5])
def test_nearly_right_single_precision_is_no_pair_of_mistakes(scale):
    for s in (SCENES["seed"], SCENES["dead8"]):
        for name, right in s.backward().items():
            signs = np.where(np.arange(right.size).reshape(right.shape) % 2, 1, -1)
            wrong = (right * (1 + scale * signs)).astype(np.float32)
            label = diagnose(s.run, {name: wrong})[name].label
            assert label in ("unknown", "correct", "correct-float32"), (s.name, name)


# --- saturated outputs -----------------------------------------------------------


def saturated(weights, y):
    """2-2-1 with a sigmoid at the end, and its unfused, clipped deltas."""
    P = {"W1": [[1.0, 0.5], [-0.5, 1.0]], "b1": [0.0, 0.1], "W2": [weights], "b2": [0.0]}
    net = Network.dense([2, 2, 1], ["sigmoid", "sigmoid"], "bce", params=P)
    run = net.run([1.0, 2.0], [y])
    a, tiny = run["a2"], 1e-12
    safe = np.clip(a, tiny, 1 - tiny)
    quotient = (a - y) / np.clip(a * (1 - a), tiny, None) * (a * (1 - a))
    return run, a, [quotient, (safe - y) / (safe * (1 - safe)) * (a * (1 - a)), safe - y]


@pytest.mark.parametrize("weights", [[900.0, 300.0], [40.0, 20.0], [25.0, 15.0]])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_a_clipped_quotient_has_no_confident_label(weights, y):
    run, a, forms = saturated(weights, y)
    assert diagnose(run, {"z2": a - y, "W2": np.outer(a - y, run["a1"])}).ok
    for d2 in forms:
        found = diagnose(run, {"z2": d2})["z2"]
        assert found.label in ("correct", "unknown")
        if found.label == "unknown":
            assert found.proved[0] == (
                "a2 is 0 or 1 to rounding: what divides by a2 (1 − a2) has no digits, "
                "clipped or not."
            )


# --- zeros -----------------------------------------------------------------------


@pytest.mark.parametrize("top", ["z3", "z2", "z1"])
def test_zeros_follow_from_zeros_in_every_layer(top):
    run, g = seed()
    below = [k for k in ("W3", "z2", "W2", "z1", "W1") if k[1] < top[1] or k == f"W{top[1]}"]
    found = diagnose(run, {k: np.zeros_like(g[k]) for k in (top, *below)})
    assert found.first_wrong == top
    assert (found[top].label, found[top].ok, found[top].follows) == ("unknown", False, False)
    assert [(k, f.ok, f.follows) for k, f in found.items() if k != top] == [
        (k, True, True) for k in found if k != top
    ]
    assert set(found) == {top, *below}


def test_zeros_follow_from_nothing_else():
    run, g = seed()
    W2, z1 = np.zeros_like(g["W2"]), np.zeros_like(g["z1"])
    for above in ({}, {"z2": g["z2"]}, {"z2": np.cos(g["z2"])}):
        found = diagnose(run, {**above, "W2": W2, "z1": z1})
        assert (found["W2"].label, found["W2"].follows) == ("unknown", False)
        assert (found["z1"].label, found["z1"].follows) == ("unknown", False)


def test_zeros_of_dead_units_are_right():
    s = SCENES["dead"]
    dead = s.backward()
    assert not dead["W1"][2].any()
    assert diagnose(s.run, {"z1": dead["z1"], "W1": dead["W1"]}).ok


# --- fewest mistakes, from own objects or right ones -----------------------------


def test_one_mistake_from_the_right_pass_goes_before_two_from_a_wrong_delta():
    run, g = seed()
    found = diagnose(run, {"z1": 2 * g["z1"], "W1": g["W1"].T, "W3": g["W3"]})
    assert (found["z1"].label, found["z1"].factor) == ("constant-factor", 2.0)
    assert (found["W1"].label, found["W1"].factor) == ("transposed", None)
    right = diagnose(run, {"z1": 2 * g["z1"], "W1": g["W1"]})
    assert (right["W1"].label, right["W1"].follows) == ("correct", False)
    assert diagnose(run, {"z1": 2 * g["z1"], "W1": 2 * g["W1"]})["W1"].follows


def test_labels_of_a_transposed_gradient_are_in_order():
    run, g = seed()
    assert diagnose(run, {"W2": g["W2"].T, "W1": g["W1"]})["W2"].labels[:2] == (
        "transposed",
        "correct-other-layout",
    )


@pytest.mark.parametrize("factor", [2.0, -0.37])
def test_a_delta_follows_from_an_own_jacobian(factor):
    run, g = seed()
    J = factor * run.jacobian("a3", "z3").materialise("numerator")
    arrays = {("a3", "z3"): J, "z3": factor * g["z3"], "W3": factor * g["W3"]}
    found = diagnose(run, arrays)
    assert found.first_wrong == ("a3", "z3")
    assert [found[k].follows for k in ("z3", "W3")] == [True, True]
    assert found["z3"].remark.endswith("follows from your own ∂a3/∂z3: this step is right.")
    assert diagnose(run, {("a3", "z3"): J, "W1": factor * g["W1"]})["W1"].follows
    assert not diagnose(run, {("a3", "z3"): J, "W1": 3 * factor * g["W1"]})["W1"].follows


@pytest.mark.parametrize("scene", ["cube", "deep", "deep7"])
def test_a_hidden_jacobian_is_followed(scene):
    s = SCENES[scene]
    wrong = s.slope(1) * s.a[1]
    J = np.zeros((*wrong.shape, *wrong.shape))
    for index in np.ndindex(wrong.shape):
        J[index + index] = wrong[index]
    d1 = (s.backward()["z2"] @ s.W[2]) * wrong
    W1 = d1.T @ s.a[0] if s.batch else np.outer(d1, s.a[0])
    found = diagnose(s.run, {("a1", "z1"): J, "z1": d1, "W1": W1})
    assert found.first_wrong == ("a1", "z1")
    assert [found[k].follows for k in ("z1", "W1")] == [True, True]


# --- dZ without the 1/m ----------------------------------------------------------


@pytest.mark.parametrize("scene", ["seed5", "one6", "softmax7", "dead8", "deep7"])
def test_deltas_of_each_example_are_right_beside_right_gradients(scene):
    s = SCENES[scene]
    g, m = s.backward(), s.m
    z = {k: m * v for k, v in g.items() if k[0] == "z"}
    W = {k: v for k, v in g.items() if k[0] == "W"}
    found = diagnose(s.run, z | W)
    assert found.ok
    last = f"z{s.depth}"
    assert found[last].label == "correct"
    assert found[last].sentences[-1] == (
        f"It is ∂L/∂{last} of each example, without the 1/m of the mean; your gradients have it."
    )
    alone = diagnose(s.run, {last: z[last]})[last]
    assert (alone.label, alone.factor) == ("missing-batch-mean", m)
    forgotten = diagnose(s.run, {last: z[last], f"W{s.depth}": m * g[f"W{s.depth}"]})
    assert (forgotten.first_wrong, forgotten[last].label) == (last, "missing-batch-mean")


def test_a_mistake_among_deltas_of_each_example():
    s = SCENES["one6"]
    wrong = s.backward(hidden=lambda n, d: d @ s.W[n + 1])
    arrays = {k: s.m * v if k[0] == "z" else v for k, v in wrong.items()}
    found = diagnose(s.run, arrays)
    assert (found.first_wrong, found["z1"].label) == ("z1", "missing-slope")
    assert (found["z2"].label, found["W1"].follows) == ("correct", True)


# --- Jacobians of a batch --------------------------------------------------------


def test_blocks_of_the_examples_are_another_layout():
    s = SCENES["soft6"]
    p = s.a[-1]
    blocks = p[:, :, None] * (np.eye(3) - p[:, None, :])
    found = diagnose(s.run, {("a2", "z2"): blocks})["a2", "z2"]
    assert (found.label, found.layout) == ("correct-other-layout", "a block for each example")
    found = diagnose(s.run, {("z2", "a1"): s.W[2]})["z2", "a1"]
    assert found.layout == "one block for all examples"
    wrong = diagnose(s.run, {("a2", "z2"): (p * (1 - p))[:, :, None] * np.eye(3)})["a2", "z2"]
    assert wrong.label == "softmax-as-elementwise"


def test_a_jacobian_reshaped_in_the_wrong_order():
    run, _ = seed()
    J = np.kron(run["a1"], np.eye(2))
    assert diagnose(run, {("z2", "W2"): J}).ok
    found = diagnose(run, {("z2", "W2"): J.reshape(2, 2, 4)})["z2", "W2"]
    assert found.label == "reshape-order"


@pytest.mark.parametrize("order", [("C", "F"), ("F", "C")])
def test_a_gradient_written_in_one_order_and_read_in_another(order):
    run, g = seed()
    for name in ("W1", "W2"):
        W = g[name]
        for shape in (W.shape, W.shape[::-1]):
            wrong = W.ravel(order=order[0]).reshape(shape, order=order[1])
            if np.array_equal(wrong, W.T):
                continue
            labels = diagnose(run, {name: wrong})[name].labels
            assert "reshape-order" in labels[:2], labels


# --- long searches ---------------------------------------------------------------


def test_a_deep_network_is_searched_within_a_budget(monkeypatch):
    monkeypatch.setattr(judge, "BUDGET", 50_000)
    sizes = [3] * 61
    net = random_net(sizes, "tanh", "half_squared_error", 3)
    run = net.run(np.ones(3), np.zeros(3))
    right = run.gradients()["W30"]
    noise = np.random.default_rng(1).normal(size=(3, 3))
    found = diagnose(run, {"W30": noise})["W30"]
    assert found.label == "unknown"
    assert found.proved[-1] == (
        "The search was cut short: the network is too large for every mistake to be tried."
    )
    assert diagnose(run, {"W30": -right, "W29": run.gradients()["W29"]})["W30"].label == "sign"


def test_a_table_that_grows_in_each_layer_ends_the_attempt():
    net = random_net([3] * 9, "sigmoid", "half_squared_error", 3)
    run = net.run(np.ones(3), np.zeros(3))
    noise = np.random.default_rng(1).normal(size=(3, 3))
    assert diagnose(run, {"W1": noise})["W1"].label == "unknown"
