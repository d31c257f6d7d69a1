"""diagnose: what a submission as a whole says: its layout, its rounding, its own earlier steps."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.coursework.diagnosis import diagnose
from jacobian_bp.coursework.diagnosis.evidence.matching import Precision, digits_of
from jacobian_bp.network.files.answer_file import key_of

RNG = np.random.default_rng(84)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Net:
    """Sigmoid layers, half squared error, and the right backward pass, with a slope to plant."""

    def __init__(self, sizes, m=None, params=None):
        lead, self.m, self.depth = (m,) if m else (), m, len(sizes) - 1
        self.net = Network.dense(sizes, "sigmoid", "half_squared_error", seed=5)
        self.net = self.net.with_params({**self.net.params, **params}) if params else self.net
        x, y = RNG.normal(size=(*lead, sizes[0])), RNG.uniform(size=(*lead, sizes[-1]))
        self.run, self.y = self.net.run(x, y), y
        self.W = {n: self.net.params[f"W{n}"] for n in range(1, self.depth + 1)}
        self.a = {0: x} | {n: self.run[f"a{n}"] for n in range(1, self.depth + 1)}

    def slope(self, n):
        return self.a[n] * (1 - self.a[n])

    def answer(self, slope=None, top=None):
        """Every delta and gradient; `slope` has wrong ones by layer, `top` is a wrong delta."""
        slope, n, found = slope or {}, self.depth, {}
        d = (self.a[n] - self.y) / (self.m or 1) * slope.get(n, self.slope(n))
        d = d if top is None else top
        for n in range(self.depth, 0, -1):
            found[f"z{n}"] = d
            a = self.a[n - 1]
            found[f"W{n}"] = d.T @ a if self.m else np.outer(d, a)
            found[f"b{n}"] = d.sum(0) if self.m else d
            if n > 1:
                d = (d @ self.W[n]) * slope.get(n - 1, self.slope(n - 1))
        return found


def labels(found):
    return {key: finding.label for key, finding in found.items()}


def in_columns(answer):
    return {key: S.T if key[0] == "z" else S for key, S in answer.items()}


# --- layouts ---------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[3, 5, 4, 6, 2, 3, 2], [3, 3, 3, 3, 3, 3, 3]])
def test_a_wrong_gradient_does_not_make_the_others_transposed(sizes):
    net = Net(sizes, m=8)
    answer = net.answer()
    turned = {k: S.T if k[0] == "W" else S for k, S in answer.items()}
    turned["W5"] = (answer["z5"].T @ np.log(net.a[4])).T
    found = diagnose(net.run, turned)
    assert found.first_wrong == "W5"
    assert {found[f"W{n}"].label for n in (1, 2, 3, 4, 6)} == {"correct-other-layout"}


def test_an_own_delta_tells_how_a_square_gradient_is_turned():
    net = Net([3, 3, 3, 3], m=7)
    answer = net.answer(slope={2: 1.0})
    turned = {k: S.T if k[0] == "W" else S for k, S in answer.items()}
    del turned["W3"]  # the only one that is right
    found = diagnose(net.run, turned)
    assert labels(found) == {key: "correct" for key in answer if key != "W3"} | {
        "z2": "missing-slope"
    }
    turned["W1"] = turned["W1"].T  # one as it is, one turned: no layout
    assert diagnose(net.run, turned)["W2"].label == "transposed"


@pytest.mark.parametrize("sizes", [[3, 5, 2], [5, 5, 5], [5, 2, 1], [1, 5, 2]])
def test_with_a_declared_layout_a_turned_gradient_is_a_mistake(sizes):
    net = Net(sizes, m=7)
    plain = {key: net.answer()[key] for key in ("W1", "W2")}
    turned = {key: S.T for key, S in plain.items()}
    assert set(labels(diagnose(net.run, plain, layout="transposed")).values()) == {"transposed"}
    assert set(labels(diagnose(net.run, turned, layout="transposed")).values()) == {"correct"}
    assert set(labels(diagnose(net.run, plain, layout="gradient")).values()) == {"correct"}
    assert diagnose(net.run, turned, layout="gradient").ok  # what is meant if none is declared


@pytest.mark.parametrize("sizes", [[3, 4, 2], [4, 4, 4, 4]])
def test_examples_in_columns_where_a_batch_is_as_large_as_a_layer(sizes):
    net = Net(sizes, m=4)
    found = diagnose(net.run, in_columns(net.answer()))
    assert found.ok
    assert {f.label for k, f in found.items() if k[0] == "z"} == {"correct-other-layout"}
    wrong = diagnose(net.run, in_columns(net.answer(slope={1: 1.0})))
    assert (wrong.first_wrong, wrong["z1"].label) == ("z1", "missing-slope")
    assert wrong["W1"].follows
    assert wrong["b1"].follows


@pytest.mark.parametrize("m", [4, 7])
def test_one_delta_in_columns_is_a_mistake_where_another_has_the_examples_in_rows(m):
    net = Net([3, 4, 2], m=m)
    alone = diagnose(net.run, {"z1": net.answer()["z1"].T})["z1"]
    assert (alone.label, alone.layout) == ("correct-other-layout", "examples in columns")
    mixed = net.answer()
    mixed["z1"] = mixed["z1"].T
    assert diagnose(net.run, mixed)["z1"].label == "transposed"


def test_a_dot_product_with_the_slope_in_columns():
    net = Net([3, 4, 2], m=4)
    answer = net.answer()
    dA = (answer["z2"] @ net.W[2]).T
    found = diagnose(net.run, {"z2": answer["z2"].T, "z1": dA @ net.slope(1).T})
    assert found["z1"].label == "contraction-for-elementwise"


# --- Jacobians -------------------------------------------------------------------


def test_a_jacobian_is_meant_in_numerator_layout():
    net, key = Net([3, 3, 3]), ("z2", "a1")
    W = net.W[2]
    assert diagnose(net.run, {key: W})[key].labels == ("correct",)
    turned = diagnose(net.run, {key: W.T})[key]
    assert turned.labels[0] == "correct-other-layout"
    assert "weight-not-transposed" in turned.labels
    assert diagnose(net.run, {key: W.T}, layout="gradient")[key].label == "correct"
    oblong = Net([3, 5, 2])
    told = diagnose(oblong.run, {key: oblong.W[2].T})[key]
    assert told.labels == ("correct-other-layout", "correct")


def test_a_jacobian_of_the_cost_has_an_output_slope():
    net, key = Net([3, 4, 2]), ("J", "z2")
    labels = diagnose(net.run, {key: net.a[2] - net.y})[key].labels
    assert labels[:2] == ("missing-output-slope", "missing-slope")


def test_no_sum_over_examples_in_a_jacobian_of_one_example():
    net, key = Net([3, 3, 3]), ("z2", "b2")
    assert diagnose(net.run, {key: np.ones((3, 3))})[key].label == "unknown"


# --- digits ----------------------------------------------------------------------


@pytest.mark.one_in(2)
@pytest.mark.parametrize("digits", [4, 5, 6])
def test_rounded_numbers_follow_from_rounded_mistakes(digits):
    net = Net([5, 4, 3, 2], m=7)
    own = net.answer(top=-net.answer()["z3"])
    found = diagnose(net.run, {k: S.round(digits) for k, S in own.items()})
    assert (found.first_wrong, found["z3"].label) == ("z3", "sign")
    assert all(f.follows for k, f in found.items() if k != "z3")
    unexplained = net.answer(top=RNG.normal(size=(7, 2)))
    found = diagnose(net.run, {k: S.round(digits) for k, S in unexplained.items()})
    assert (found.first_wrong, found["z3"].label) == ("z3", "unknown")
    assert all(f.follows for k, f in found.items() if k != "z3")
    slip = unexplained | {"W2": -unexplained["W2"]}
    found = diagnose(net.run, {k: S.round(digits) for k, S in slip.items()})
    assert (found["W2"].ok, found["W1"].follows) == (False, True)


def test_three_decimals_are_rounding():
    assert digits_of(np.array([-0.362, 0.661]), np.dtype(float)).digits == 3
    assert digits_of(np.array([0.012, -0.031, 0.007, 0.045]), np.dtype(float)).digits == 2
    assert digits_of(np.array([0.012, -0.031, 0.007]), np.dtype(float)) == Precision()
    for plain in ([0.5, 0.25], [0.001, -0.002, 0.003, 0.004], [1.25, 3.0, 0.75, 12.0]):
        assert digits_of(np.array(plain), np.dtype(float)) == Precision()
    net = Net([3, 3, 3, 3], m=5)
    answer = net.answer()
    rounded = {key: S.round(3) for key, S in answer.items()}
    assert diagnose(net.run, rounded).ok
    for key, S in answer.items():
        noise = RNG.uniform(0.0015, 0.003, S.shape)
        assert diagnose(net.run, rounded | {key: (S + noise).round(3)}).first_wrong == key


def test_few_digits_prove_a_mistake_where_they_are_all():
    W = np.array([[0.5, -0.25], [0.125, 0.375]])
    net = Network.dense([2, 2], "identity", "half_squared_error", params={"W1": W, "b1": [0, 0]})
    run = net.run([0.5, -0.25], [0.25, 0.5])
    assert diagnose(run, {"z1": run["a1"] - run["y"], "W1": W}).first_wrong == "W1"
    decayed = np.outer(run["a1"] - run["y"], run["x"]) + 0.125 * W
    assert diagnose(run, {"W1": decayed})["W1"].label == "weight-decay"


def test_single_precision_promoted_to_double():
    net = Net([5, 6, 4, 2], m=7)
    single = {n: a.astype(np.float32) for n, a in net.a.items()}
    d = (single[3] - net.y.astype(np.float32)) / np.float32(7) * (single[3] * (1 - single[3]))
    hidden = (d @ net.W[3].astype(np.float32)) * net.slope(2)
    found = diagnose(net.run, {"z2": hidden})
    assert hidden.dtype == np.float64
    assert set(labels(found).values()) == {"correct-float32"}
    noise = 1 + 1e-5 * RNG.normal(size=hidden.shape)
    said = diagnose(net.run, {"z2": net.answer()["z2"] * noise})["z2"]
    assert said.label == "unknown"
    assert said.proved[0].startswith("It agrees to about ")


def test_how_many_digits_agree():
    net = Net([3, 4, 2], m=7)
    W = net.answer()["W1"]
    error = np.abs(W).max() * np.array([1.5e-5, -1.1e-5, 0.3e-5])
    assert diagnose(net.run, {"W1": W + error})["W1"].proved == (
        "It agrees to about 4 digits: finite differences, or rounding on the way?",
    )
    assert diagnose(net.run, {"W1": W + error / 4})["W1"].proved == (
        "It agrees to about 5 digits: finite differences, or rounding on the way?",
    )


def test_a_constant_ratio_is_printed():
    net = Net([3, 4, 2], m=7)
    found = diagnose(net.run, {"W1": np.sqrt(0.8) * net.answer()["W1"]})["W1"]
    said = "Every entry is the right one times one and the same number, 0.8944."
    assert (found.label, found.proved) == ("unknown", (said,))


# --- mistakes --------------------------------------------------------------------


@pytest.mark.one_in(3)
@pytest.mark.parametrize("key", ["W1", "b1"])
@pytest.mark.parametrize(
    ("label", "wrong"),
    [
        ("missing-slope", lambda z: np.ones_like(z)),
        ("slope-at-activation", lambda z: sigmoid(sigmoid(z)) * (1 - sigmoid(sigmoid(z)))),
        ("value-for-slope", sigmoid),
        ("slope-of-preactivation-formula", lambda z: z * (1 - z)),
    ],
)
def test_one_slip_in_a_loop_over_the_hidden_layers(key, label, wrong):
    net = Net([6, 5, 4, 3, 2])
    slopes = {n: wrong(net.run[f"z{n}"]) for n in (1, 2, 3)}
    found = diagnose(net.run, {key: net.answer(slope=slopes)[key]})[key]
    assert found.label == label
    everywhere = slopes | {4: wrong(net.run["z4"])}
    assert diagnose(net.run, {key: net.answer(slope=everywhere)[key]})[key].label == label


def test_zeros_follow_from_own_zeros_where_something_is_right():
    net = Net([5, 4, 3, 2], m=7)
    own = net.answer(slope={2: 0.0})
    found = diagnose(net.run, own)
    assert found.first_wrong == "z2"
    assert all(found[key].follows for key in ("W2", "b2", "z1", "W1", "b1"))


def test_the_decay_of_a_weight_explains_a_single_bias():
    net = Net([3, 4, 1], m=7, params={"b2": np.array([0.7])})
    answer = net.answer()
    decayed = {key: answer[key] + 0.05 * net.net.params[key] for key in ("W2", "b2")}
    found = diagnose(net.run, answer | decayed)
    assert (found["b2"].label, found["b2"].factor) == ("weight-decay", 0.05)
    assert diagnose(net.run, {"b2": decayed["b2"]})["b2"].label == "unknown"
    decayed["b2"] = decayed["b2"] + 0.01
    assert diagnose(net.run, answer | decayed)["b2"].label == "unknown"


def test_the_length_of_one_example_is_no_number_of_examples():
    net = Net([7, 4, 3])
    found = diagnose(net.run, {"W1": net.answer()["W1"] / 7})["W1"]
    assert found.labels[:2] == ("constant-factor", "examples-axis")


def test_a_prediction_without_its_label_0():
    net = Network.dense([4, 5, 3], ["tanh", "softmax"], "cross_entropy", seed=2)
    for place, label in enumerate(["check-of-wrong-quantity", "flat-labels"]):
        run = net.run([0.3, -1.0, 0.7, 2.0], np.eye(3)[place])
        assert diagnose(run, {"z2": run["a2"] - place})["z2"].label == label


def test_a_slope_by_shrinking_exponentials_is_nan():
    net = Net([2, 3, 2], params={"b1": np.array([0.1, -800.0, 0.2])})
    with np.errstate(all="ignore"):
        e = np.exp(-net.run["z1"])
        slope = e / (1 + e) ** 2
    found = diagnose(net.run, {"z1": net.answer(slope={1: slope})["z1"]})["z1"]
    assert found.label == "saturated-nan"


# --- names -----------------------------------------------------------------------


def test_the_names_of_other_courses():
    known = {"z2", "a2", "W2", "A"}
    meant = {"dZ2": "z2", "dA2": "a2", "Z2": "z2", "grad_W2": "W2", "dA": "A", "dZ2_dW2": "z2 W2"}
    for name, key in meant.items():
        assert key_of(name, known) == (tuple(key.split()) if " " in key else key)
    for name in ("w2", "dw2", "Z9", "grad_W9", "radW2", "dW2_", "d"):
        assert key_of(name, known) is None
