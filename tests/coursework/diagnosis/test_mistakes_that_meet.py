"""diagnose: what is said where one mistake meets another, and what must never be said."""

from bisect import bisect_left

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import Network, SpecError
from jacobian_bp.coursework.diagnosis import diagnose
from jacobian_bp.coursework.diagnosis.evidence import two_mistakes
from jacobian_bp.coursework.diagnosis.evidence.proofs import rank
from jacobian_bp.coursework.diagnosis.evidence.ratios import plain_number

RNG = np.random.default_rng(61)


def normal(*shape):
    return RNG.normal(size=shape)


class Net:
    """A dense network with tanh in its hidden layers, half squared error, and its backward pass."""

    def __init__(self, sizes, m=7, last="identity", seed=3, reduction="mean"):
        acts = ["tanh"] * (len(sizes) - 2) + [last]
        self.net = Network.dense(sizes, acts, "half_squared_error", seed=seed, reduction=reduction)
        self.m, self.depth = m, len(sizes) - 1
        self.run = self.net.run(normal(m, sizes[0]), normal(m, sizes[-1]))
        self.W = [self.net.params.get(f"W{n}") for n in range(self.depth + 1)]
        self.a = [self.run["x"]] + [self.run[f"a{n}"] for n in range(1, self.depth + 1)]
        d = (self.a[-1] - self.run["y"]) / (m if reduction == "mean" else 1)
        self.d = [None] * self.depth + [d]
        for n in range(self.depth - 1, 0, -1):
            self.d[n] = (self.d[n + 1] @ self.W[n + 1]) * self.slope(n)
        self.dW = [None] + [self.d[n].T @ self.a[n - 1] for n in range(1, self.depth + 1)]

    def slope(self, n):
        return 1 - self.a[n] ** 2


@pytest.fixture(scope="module")
def oblong():
    return Net([3, 5, 4, 2])


@pytest.fixture(scope="module")
def square():
    return Net([3, 3, 3, 3])


def finding(net, key, array, **others):
    return diagnose(net.run, others | {key: array})[key]


# --- digits ----------------------------------------------------------------------


def test_half_precision_has_three_digits(oblong):
    half = lambda array: finding(oblong, "W2", array.astype(np.float16))  # noqa: E731
    right = oblong.dW[2]
    assert half(right).sentences == ("W2 is right to the 3 digits given.",)
    assert half(-right).label == "sign"
    assert half(right + 0.02 * np.abs(right).max()).label == "unknown"


def test_single_precision_tells_two_digits(oblong):
    single = lambda c: finding(  # noqa: E731
        oblong, "W2", (c * oblong.dW[2]).astype(np.float32), z2=oblong.d[2]
    )
    for c in (0.7, 1.7, 0.023, 2 / 3, -1.3):
        found = single(c)
        assert (found.labels[0], found.factor) == ("constant-factor", pytest.approx(c, rel=1e-12))
    assert single(0.7034).label == single(0.38471).label == "unknown"


@pytest.mark.parametrize(
    ("c", "relative", "plain"),
    [
        (0.7, 1e-9, 0.7),
        (17 / 23, 1e-9, 17 / 23),
        (17 / 23, 1e-5, None),
        (0.70000001, 1e-5, 0.7),
        (0.705, 1e-5, None),
        (0.705, 1e-9, 0.705),
        (0.66667, 1e-4, 2 / 3),
        (0.7, 1e-4, None),
        (3e-7, 1e-9, None),
        (24.0, 1e-9, 24.0),
        (24 / 7, 1e-9, 24 / 7),
        (25 / 7, 1e-9, None),
    ],
)
def test_a_number_that_somebody_may_have_written(c, relative, plain):
    assert plain_number(c, relative) == plain


def test_the_rank_of_huge_numbers():
    assert rank(np.full((4, 5), 1e308)) == 1
    assert rank(np.diag([1e308, 1e307, 0.0])) == 2


# --- never behind a delta that is right ------------------------------------------


def test_a_right_delta_is_not_blamed(oblong, square):
    for net in (oblong, square):
        for wrong in (net.d[2] * 1.3, net.d[2] @ np.diag(np.arange(1.0, net.d[2].shape[1] + 1))):
            array = wrong.T @ net.a[1]
            found = diagnose(net.run, {"z2": net.d[2], "W2": array})
            assert "delta of" not in found["W2"].remark
    above = (square.d[3] @ square.W[3]).T @ square.a[1]  # the slope of layer 2 is left out
    assert finding(square, "W2", above).where == "z2"
    beside = finding(square, "W2", above, z2=square.d[2])
    assert (beside.label, beside.where) == ("wrong-delta", "W2")


def test_the_weight_that_is_stale_is_named():
    net, rate = Net([4, 5, 6, 3]), 0.5
    d, arrays = net.d[3], {}
    for n in (3, 2, 1):
        arrays |= {f"z{n}": d, f"W{n}": (gradient := d.T @ net.a[n - 1])}
        if n > 1:
            d = (d @ (net.W[n] - rate * gradient)) * net.slope(n - 1)
    for given in (arrays, {k: v for k, v in arrays.items() if k[0] == "W"}):
        found = diagnose(net.run, given)
        kind = "z" if "z2" in given else "W"
        for n in (2, 1):
            said = f"In the delta of z{n} (layer {n}) the weight W{n + 1} is used after its update;"
            assert found[f"{kind}{n}"].remark.startswith(said)


def test_a_mistake_is_named_by_the_key_that_was_handed_in(square):
    d3 = square.d[3]
    found = diagnose(square.run, {"z3": d3, "a2": d3 @ square.W[3].T})
    assert found["a2"].where == "a2"
    assert found["a2"].remark.startswith("In the delta of a2 (layer 2) the weight W3 is the wrong")
    below = finding(square, "z2", (d3 @ square.W[3].T) * square.slope(2))
    assert below.remark.startswith("In the delta of z2 (layer 2) the weight W3 is the wrong")


def test_a_value_with_several_readers_is_named_itself():
    """h goes into two layers; s, from which it is made, goes into one step only."""
    params = {f"W{n}": normal(4, 4) for n in (1, 2)} | {f"b{n}": normal(4) for n in (1, 2)}
    lines = ["h = Tanh(s)", "p = Linear(h, W1, b1)", "q = Linear(h, W2, b2)", "t = Add(p, q)"]
    cost = ["L = HalfSquaredError(t, y)", "J = Mean(L)"]
    run = Network.program(*lines, *cost, params=params).run(s=normal(7, 4), y=normal(7, 4))
    dt = (run["t"] - run["y"]) / 7
    found = diagnose(run, {"h": dt @ params["W1"]})["h"]
    assert found.remark == (
        "In the delta of h several paths add up, and only some are counted: the path through p "
        "alone."
    )
    assert diagnose(run, {"h": dt @ (params["W1"] + params["W2"])}).ok


# --- layouts ---------------------------------------------------------------------


def test_square_gradients_that_are_all_in_the_other_layout(square):
    plain = {f"W{n}": square.dW[n] for n in (1, 2, 3)}
    turned = {k: v.T for k, v in plain.items()}
    found = diagnose(square.run, turned)
    assert {f.label for f in found.values()} == {"correct-other-layout"}
    one = diagnose(square.run, turned | {"W1": plain["W1"]})
    assert (one["W1"].label, one["W2"].label) == ("correct", "transposed")
    assert diagnose(square.run, turned, layout="transposed").ok


# --- two mistakes ----------------------------------------------------------------


def stale(net, n, rate=0.1):
    """What comes back to a_n through the updated weight."""
    return net.d[n + 1] @ (net.W[n + 1] - rate * net.dW[n + 1])


def test_stale_weights_and_another_slip(oblong):
    given = {"z3": oblong.d[3]}
    slip = "In the delta of z2 (layer 2) the slope tanh'(z2) is left out: what comes back from the "
    both = finding(oblong, "z2", stale(oblong, 2), **given)
    assert both.labels[:2] == ("stale-weights", "missing-slope")
    assert both.sentences == (
        "In the delta of z2 (layer 2) the weight W3 is used after its update; the delta needs the "
        "one of the forward pass. The rate that fits is 0.1.",
        slip + "layer above has to go through it.",
    )
    whole = stale(oblong, 2) * oblong.slope(2)
    factors = {"sign": -1, "missing-batch-mean": 7, "batch-mean-twice": 1 / 7, "constant-factor": 2}
    for label, c in factors.items():
        assert finding(oblong, "z2", c * whole, **given).labels[:2] == ("stale-weights", label)
    odd = oblong.d[3] @ (oblong.W[3] - 0.1234567 * oblong.dW[3])
    assert finding(oblong, "z2", odd, **given).label == "unknown"
    assert finding(oblong, "z2", 0.38471 * whole, **given).label == "unknown"


def test_weight_decay_and_another_slip(oblong, square):
    decay = 0.1 * square.W[2]
    d2, dW2 = square.d[2], square.dW[2]
    wrong = {
        ("preactivation-for-activation", "weight-decay"): d2.T @ square.run["z1"] + decay,
        ("wrong-layer-activation", "weight-decay"): d2.T @ square.a[0] + decay,
        ("wrong-contraction", "weight-decay"): np.outer(d2.sum(0), square.a[1].sum(0)) + decay,
        ("weight-decay", "transposed"): dW2.T + decay,
        ("weight-decay", "batch-mean-twice"): dW2 / 7 + decay,
        ("weight-decay", "sign"): -(dW2 + decay),
    }
    for labels, array in wrong.items():
        found = finding(square, "W2", array, z2=d2)
        assert found.labels[:2] == labels
        assert "times 0.1;" in found.remark
    reordered = oblong.dW[2].T.reshape(4, 5) + 0.1 * oblong.W[2]
    found = finding(oblong, "W2", reordered, z2=oblong.d[2])
    assert found.labels[:2] == ("weight-decay", "reshape-order")
    odd = d2.T @ square.run["z1"] + 0.1234567 * square.W[2]
    assert finding(square, "W2", odd, z2=d2).label == "unknown"


def test_a_reshaped_weight_and_a_slip_at_the_slope(oblong):
    back = oblong.d[2] @ oblong.W[2].T.reshape(4, 5)
    found = finding(oblong, "z1", back, z2=oblong.d[2])
    assert found.labels[:2] == ("mixed-layouts", "missing-slope")
    assert found.sentences[0].endswith("W2 is reshaped, not transposed.")


def test_no_second_mistake_is_made_of_rounding_errors():
    """Deltas behind a softmax add up to 0 in each example; so do all of them."""
    net = Network.dense([3, 5, 4], ["tanh", "softmax"], "cross_entropy", seed=2)
    run = net.run(normal(7, 3), np.eye(4)[[0, 2, 1, 3, 3, 0, 1]])
    d2 = (run["a2"] - run["y"]) / 7
    for c in (1, 7, -1, 7 / 3):
        found = diagnose(run, {"z2": d2, "b2": np.sum(c * d2)})["b2"]
        if np.sum(c * d2):  # else it is 0, of which nothing is said
            assert found.labels[0] == "bias-wrong-axis"
            assert len(found.sentences) == 1


# --- a label for what had none ---------------------------------------------------


def test_a_dot_product_written_into_every_unit():
    net = Net([3, 5, 4, 2], m=1)
    run = net.net.run(net.run["x"][0], net.run["y"][0])
    back = net.d[3][0] @ net.W[3]
    filled = np.full(4, back @ net.slope(2)[0])
    assert diagnose(run, {"z2": filled})["z2"].label == "contraction-for-elementwise"
    assert diagnose(run, {"z2": filled + 0.01})["z2"].label == "unknown"


def logits(op, units):
    params = {"W": normal(units, 3), "b": normal(units)}
    lines = ["z = Linear(x, W, b)", f"L = {op}(z, y)", "J = Mean(L)"]
    net = Network.program(*lines, params=params)
    y = np.eye(units)[RNG.integers(0, units, 5)] if units > 1 else RNG.integers(0, 2, (5, 1))
    run = net.run(normal(5, 3), 1.0 * y)
    e = np.exp(run["z"])
    p = e / e.sum(1, keepdims=True) if units > 1 else e / (1 + e)
    return run, p, run["y"].reshape(p.shape)


def test_a_softmax_that_is_in_the_loss_alone():
    run, p, y = logits("CrossEntropyFromLogits", 4)
    label = lambda z: diagnose(run, {"z": z / 5})["z"].label  # noqa: E731
    assert label(p - y) == "correct"
    assert label((p - y) * p * (1 - p)) == "extra-output-slope"
    assert label(-y * (1 - p)) == "softmax-as-elementwise"
    assert label(-y / p) == "missing-output-slope"
    assert label(p) == "check-of-wrong-quantity"
    assert label((p - y) * p) == "wrong-factor"
    assert label((p - y) * p**3) == "unknown"


def test_a_sigmoid_that_is_in_the_loss_alone():
    run, p, y = logits("BinaryCrossEntropyFromLogits", 1)
    found = lambda z: diagnose(run, {"z": z / 5})["z"]  # noqa: E731
    assert found(p - y).label == "correct"
    extra = found((p - y) * p * (1 - p))
    assert extra.label == "extra-output-slope"
    assert "σ'(z) is put to it again" in extra.remark
    assert found((p - y) / (p * (1 - p))).remark == (
        "In the delta of z the slope of the output activation, σ'(z), is left out: the derivative "
        "of the loss by the output has to go through it."
    )
    assert found((p - y) * p).remark == (
        "In the delta of z another array stands in the place of the factor (σ(z) − y): the same "
        "times σ(z)."
    )
    assert found((p - y) * p**3).label == "unknown"


def test_a_product_of_means(oblong):
    means = np.outer(oblong.d[2].mean(0), oblong.a[1].mean(0))
    assert finding(oblong, "W2", means).remark == (
        "In the gradient of W2 (layer 2) the sum runs over the wrong index: each factor is "
        "averaged over the examples by itself."
    )


def test_flat_labels_behind_a_slope():
    net = Network.dense([3, 5, 1], ["tanh", "tanh"], "half_squared_error", seed=4)
    run = net.run(normal(7, 3), normal(7))
    table = (run["a2"] - run["y"].ravel()) * (1 - run["a2"] ** 2) / 7
    for wrong in (table, table.mean(0), table.mean(1), table.sum(1, keepdims=True)):
        assert diagnose(run, {"z2": wrong})["z2"].label == "flat-labels"


@pytest.mark.parametrize("reduced", ["mean", "sum"])
@pytest.mark.parametrize(("axis", "over"), [(0, "predictions"), (1, "labels")])
def test_flat_labels_are_told_by_what_is_averaged(reduced, axis, over):
    net = Network.dense([3, 5, 1], ["tanh", "sigmoid"], "bce", seed=4)
    run = net.run(normal(7, 3), [0, 1, 1, 0, 1, 0, 0])
    table = (run["a2"] - run["y"].ravel()) / 7
    found = diagnose(run, {"z2": getattr(table, reduced)(axis)[:, None]})["z2"]
    assert found.remark == (
        "In the delta of z2 (layer 2) labels of another shape were broadcast against the outputs: "
        f"the {reduced} over all {over}."
    )


def test_a_pair_that_was_found_is_told_where_the_work_then_ends(monkeypatch):
    s = Net([3, 5, 2], last="tanh")
    wrong = ((s.a[2] - s.run["y"]) / s.m @ s.W[2] * s.a[1]).T @ s.a[0]  # no slope, a for 1 − a²

    def labels(pairs):
        monkeypatch.setattr(two_mistakes, "MOST_PAIR_WORK", 20_000 * pairs)
        return diagnose(s.run, {"W1": wrong})["W1"].labels

    both = "missing-output-slope", "value-for-slope"
    least = bisect_left(range(1_000), True, key=lambda pairs: labels(pairs) == both)
    assert least > 1
    assert [labels(pairs) == both for pairs in (least - 1, least, 10_000)] == [False, True, True]


# --- what is printed -------------------------------------------------------------


def test_the_einsum_is_printed_in_the_letters_of_the_network(oblong):
    apart = np.outer(oblong.d[2].sum(0), oblong.a[1].sum(0))
    assert finding(oblong, "W2", apart).remark.endswith(
        "nk,mi->ki, where each factor is summed over the examples by itself."
    )
    rows = oblong.d[2].sum(1, keepdims=True) * oblong.W[2].sum(0) * oblong.slope(1)
    assert finding(oblong, "z1", rows, z2=oblong.d[2]).remark.endswith(
        "index: nk,mi->ni, where δ is summed over k, the other factor over m, each by itself."
    )


def test_one_wrong_entry_is_pointed_at(oblong):
    for index in ((1, 3), (0, 0)):
        wrong = oblong.dW[2].copy()
        wrong[index] += 0.3
        said = finding(oblong, "W2", wrong).proved[0]
        assert said == f"Wrong in one entry only: [{index[0]},{index[1]}] (counted from 0)."
    wrong[0, 1] += 0.3
    said = finding(oblong, "W2", wrong).proved[0]
    assert said == "Wrong in 1 row only: 0 (counted from 0)."


def test_of_one_number_no_row_or_column_is_said():
    net = Network.dense([3, 5, 1], ["tanh", "identity"], "half_squared_error", seed=4)
    run = net.run(normal(7, 3), normal(7))
    assert diagnose(run, {"b2": [0.7213]})["b2"].proved == ("The number is wrong.",)


def test_a_mean_where_a_sum_is_declared():
    net = Net([3, 5, 4, 2], reduction="sum")
    assert finding(net, "W2", net.dW[2] / 7).sentences == (
        "The gradient of W2 (layer 2) is 1/7 times the right array, in every entry.",
        "That is 1/m, and this cost is declared a sum.",
    )
    assert len(finding(net, "W2", net.dW[2] / 3).sentences) == 1
    assert len(finding(net, "W2", -net.dW[2] / 7).sentences) == 1


# --- keys ------------------------------------------------------------------------


def test_a_jacobian_asked_for_backwards(oblong):
    key = ("W2", "z2")
    assert diagnose(oblong.run, {key: oblong.dW[2]})[key].proved == (
        'W2 does not depend on z2; did you mean ("z2", "W2")?',
    )


def test_the_names_that_a_student_gives_to_arrays(oblong):
    arrays = {"delta2": oblong.d[2], "dW2": -oblong.dW[2], "d1": oblong.d[1]}
    found = diagnose(oblong.run, arrays)
    assert list(found) == ["delta2", "dW2", "d1"]
    assert (found["dW2"].label, found.first_wrong) == ("sign", "dW2")
    assert str(found).splitlines()[1].startswith("dW2: The gradient of W2")
    assert diagnose(oblong.run, {"W2": oblong.dW[2], "dW2": oblong.dW[2]}).ok
    twice = {"W2": oblong.dW[2], "dW2": -oblong.dW[2]}
    assert refusal(SpecError, diagnose, oblong.run, twice) == (
        "W2 is there twice, with other numbers.\n  Keep one of the two arrays."
    )
    assert refusal(SpecError, diagnose, oblong.run, {"dW9": 1.0}).startswith("no value is named")
