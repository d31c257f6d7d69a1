"""diagnose on slope vectors, reshaped factors, sums that cancel, and one step of many."""

import numpy as np
import pytest

from jacobian_bp import Einsum, Network, Op, delta, dense, one
from jacobian_bp.coursework.diagnosis import diagnose
from jacobian_bp.reference import X, Y, second_seed

RNG = np.random.default_rng(53)


def normal(*shape):
    return RNG.normal(size=shape)


@pytest.fixture(scope="module")
def classifier():
    """3-5-4, tanh, softmax, seven examples."""
    net = Network.dense([3, 5, 4], ["tanh", "softmax"], "cross_entropy", seed=11)
    return net, net.run(normal(7, 3), np.eye(4)[[0, 2, 1, 3, 3, 0, 1]])


# --- Jacobians -------------------------------------------------------------------


def test_a_slope_vector_is_the_diagonal_of_a_jacobian(classifier):
    net, run = classifier
    slope = 1 - run["a1"] ** 2
    one_example = net.run(run["x"][0], run["y"][0])
    for where, vector in ((run, slope), (one_example, slope[0]), (one_example, slope[:1].T)):
        found = diagnose(where, {("a1", "z1"): vector})["a1", "z1"]
        assert (found.label, found.layout) == ("correct-other-layout", "its diagonal alone")
    wrong = {("a1", "z1"): run["a1"], ("a2", "z2"): run["a2"] * (1 - run["a2"])}
    found = diagnose(run, wrong)
    assert found["a1", "z1"].label == "value-for-slope"
    assert found["a2", "z2"].label == "softmax-as-elementwise"
    assert diagnose(run, {("z2", "a1"): run["z2"]})["z2", "a1"].label == "unknown"


def test_another_jacobian_is_named(classifier):
    net, run = classifier
    x = run["x"][0]
    run = net.run(x, run["y"][0])
    slope = np.diag(1 - run["a1"] ** 2)
    asked = {
        ("z1", "W1"): ("it is ∂a1/∂W1", np.einsum("ab,i->abi", slope, x)),
        ("z2", "a1"): ("it is ∂z2/∂z1", net.params["W2"] @ slope),
    }
    for key, (note, array) in asked.items():
        found = diagnose(run, {key: array})[key]
        assert found.label == "check-of-wrong-quantity"
        assert found.remark.endswith(f"something else: {note}.")
        assert diagnose(run, {key: array + 0.01})[key].label == "unknown"


def test_a_jacobian_has_no_output_of_the_loss():
    net = Network.dense([3, 4, 2], "sigmoid", "half_squared_error", seed=2)
    run = net.run(normal(3), normal(2))
    found = diagnose(run, {("a2", "a1"): net.params["W2"]})["a2", "a1"]
    assert found.labels[:2] == ("missing-slope", "missing-output-slope")


# --- slopes and reshapes ---------------------------------------------------------


def test_an_extra_output_slope_goes_before_a_slope_that_only_broadcasts():
    run = second_seed().run(X, Y)
    a3 = run["a3"]
    wrong = run.gradients()["W1"] * (a3 * (1 - a3))
    assert diagnose(run, {"W1": wrong})["W1"].labels == ("extra-output-slope", "wrong-layer-slope")


def test_a_factor_that_is_reshaped_where_it_is_to_be_transposed(classifier):
    net, run = classifier
    d2 = (run["a2"] - run["y"]) / 7
    right, A, D, W2 = d2.T @ run["a1"], run["a1"].T, d2.T, net.params["W2"]
    lines = [
        (D @ A.reshape(7, 5), "a1 is reshaped, not transposed"),
        (d2.reshape(4, 7) @ run["a1"], "the delta is reshaped, not transposed"),
        ((A @ D.reshape(7, 4)).T, "the delta is reshaped, not transposed"),
    ]
    for wrong, note in lines:
        found = diagnose(run, {"W2": wrong})["W2"]
        assert found.label == "reshape-order"
        assert found.remark == (
            f"In the gradient of W2 (layer 2) the numbers stand in the wrong places: {note}."
        )
    assert diagnose(run, {"W2": D @ A.T}).ok
    d1 = (d2 @ W2.T.reshape(4, 5)) * (1 - run["a1"] ** 2)
    assert diagnose(run, {"z1": d1})["z1"].labels == ("mixed-layouts", "reshape-order")
    turned = diagnose(run, {"W2": right.ravel(order="F").reshape(4, 5)})["W2"]
    assert turned.remark == (
        "In the gradient of W2 (layer 2) the numbers stand in the wrong places: they are read in "
        "column-major order for row-major, or reshaped where they should be transposed."
    )


# --- normalisation ---------------------------------------------------------------


class ScaledBatchNorm(Op):
    """y = g (x − mean)/std + h over the examples."""

    signature = "x[n,k], g[k], h[k] -> y[n,k]"
    parameters = ("g", "h")

    def parts(self, x):
        s = np.sqrt(x.var(0) + 1e-5)
        return (x - x.mean(0)) / s, s

    def forward(self, x, g, h):
        return g * self.parts(x)[0] + h

    def jacobians(self, x, g, h):
        m, (u, s) = len(x), self.parts(x)
        whole = np.eye(m)[:, None, :] - 1 / m - u[:, :, None] * u.T[None] / m
        return {
            "x": delta("k,k'") * dense("B[n,k,n']", whole * (g / s)[:, None]),
            "g": delta("k,k'") * dense("u[n,k]", u),
            "h": delta("k,k'") * one("n"),
        }

    def vjp(self, bar, x, g, h):
        u, s = self.parts(x)
        d = bar * g
        pulled = (d - d.mean(0) - u * (d * u).mean(0)) / s
        return {"x": pulled, "g": (bar * u).sum(0), "h": bar.sum(0)}


@pytest.fixture(scope="module")
def normalised():
    """3-4 batch norm tanh-2, six examples, and what comes back to the norm's output."""
    P = {"W1": normal(4, 3), "b1": normal(4), "W2": normal(2, 4), "b2": normal(2)}
    net = Network.program(
        "z1 = Linear(x, W1, b1)",
        "n1 = Norm(z1, g, h)",
        "a1 = Tanh(n1)",
        "z2 = Linear(a1, W2, b2)",
        "L = SquaredError(z2, y)",
        "J = Mean(L)",
        params=P | {"g": np.array([1.5, -0.5, 0.75, 2.0]), "h": normal(4)},
        ops={"Norm": ScaledBatchNorm},
    )
    run = net.run(normal(6, 3), normal(6, 2))
    dn = (2 * (run["z2"] - run["y"]) / 6) @ P["W2"] * (1 - run["a1"] ** 2)
    return run, dn, run["g"] * dn / np.sqrt(run["z1"].var(0) + 1e-5)


def test_each_statistic_of_a_scaled_batch_norm(normalised):
    run, _, held = normalised
    u = (run["n1"] - run["h"]) / run["g"]
    for d1 in (held, held - held.mean(0), held - u * (held * u).mean(0)):
        assert diagnose(run, {"z1": d1})["z1"].label == "statistics-as-constants"
    assert diagnose(run, {"z1": held - held.mean(0) - u * (held * u).mean(0)}).ok


def test_the_scale_of_a_norm_by_the_wrong_values(normalised):
    run, dn, _ = normalised
    found = diagnose(run, {"g": (dn * run["z1"]).sum(0)})["g"]
    assert (found.label, found.remark) == (
        "preactivation-for-activation",
        "In the gradient of g z1 is used, where u belongs, which the step makes of it.",
    )
    assert diagnose(run, {"g": (dn * run["n1"]).sum(0)})["g"].label == "wrong-layer-activation"


def test_a_gradient_whose_terms_cancel_is_right_to_rounding(normalised):
    """A bias before a batch norm has no effect: its gradient is 0, its terms are not."""
    run, _, held = normalised
    single = np.float32(1e-8) * np.ones(4, np.float32)
    for zero in (np.zeros(4), run.gradients()["b1"], 1e-11 * normal(4), single):
        assert diagnose(run, {"b1": zero})["b1"].ok
    assert not diagnose(run, {"b1": 1e-5 * normal(4)})["b1"].ok
    assert diagnose(run, {"b1": held.sum(0)})["b1"].label == "statistics-as-constants"


# --- steps and tokens ------------------------------------------------------------


@pytest.fixture(scope="module")
def tagger():
    """h_t = tanh(U x_t + W h_{t-1} + b) with an output and a loss at each of three steps."""
    names = {"U": (4, 2), "b": (4,), "W": (4, 4), "V": (3, 4), "c": (3,), "h0": (4,)}
    P = {name: 0.7 * normal(*shape) for name, shape in names.items()}
    lines = []
    for t in (1, 2, 3):
        lines += [
            f"p{t} = Linear(x{t}, U, b)",
            f'r{t} = Einsum(W, h{t - 1}, equation="ki,i->k")',
            f"u{t} = Add(p{t}, r{t})",
            f"h{t} = Tanh(u{t})",
            f"o{t} = Linear(h{t}, V, c)",
            f"L{t} = HalfSquaredError(o{t}, y{t})",
        ]
    sums = ['S = Add(L1, L2, axes="")', 'J = Add(S, L3, axes="")']
    net = Network.program(*lines, *sums, params=P)
    return net.run(
        **{f"{name}{t}": normal(k) for t in (1, 2, 3) for name, k in (("x", 2), ("y", 3))}
    )


def unrolled(run, carried):
    """Gradients step by step; `carried` says whether anything flows back in time."""
    V, W, back = run["V"], run["W"], np.zeros(4)
    steps = {}
    for t in (3, 2, 1):
        do = run[f"o{t}"] - run[f"y{t}"]
        du = (V.T @ do + carried * back) * (1 - run[f"h{t}"] ** 2)
        back = W.T @ du
        steps[t] = {"V": np.outer(do, run[f"h{t}"]), "W": np.outer(du, run[f"h{t - 1}"])}
        steps[t] |= {"c": do, "U": np.outer(du, run[f"x{t}"])}
    return steps


@pytest.mark.parametrize("name", ["V", "W", "U", "c"])
def test_one_step_of_many(tagger, name):
    steps = unrolled(tagger, True)
    assert diagnose(tagger, {name: sum(step[name] for step in steps.values())}).ok
    last, first = steps[3][name], steps[1][name]
    assert diagnose(tagger, {name: last})[name].label == "last-step-only"
    found = diagnose(tagger, {name: first})[name]
    assert found.labels[:2] == ("last-step-only", "fan-out-overwritten")


@pytest.mark.parametrize("name", ["W", "U"])
def test_a_recurrence_is_cut_where_the_first_state_is_given(tagger, name):
    wrong = sum(step[name] for step in unrolled(tagger, False).values())
    assert diagnose(tagger, {name: wrong})[name].label == "last-step-only"


def test_two_statements_that_each_keep_the_last_row_of_an_index():
    E, first, second = normal(5, 2), np.array([0, 2, 2, 1]), np.array([2, 2, 3, 0])
    net = Network.program(
        "a = Lookup(xa, E)",
        "b = Lookup(xb, E)",
        "p = Multiply(a, b)",
        "L = SquaredError(p, y)",
        "J = Mean(L)",
        params={"E": E},
        ops={"Lookup": Einsum("v,vk->k")},
    )
    run = net.run(xa=np.eye(5)[first], xb=np.eye(5)[second], y=normal(4, 2))
    dp = 2 * (run["p"] - run["y"]) / 4
    da, db = dp * run["b"], dp * run["a"]
    dE = np.zeros((5, 2))
    dE[first] += da  # numpy keeps the last row with an index
    dE[second] += db
    assert diagnose(run, {"E": dE})["E"].label == "overwritten-index"
    np.add.at(dE := np.zeros((5, 2)), np.r_[first, second], np.r_[da, db])
    assert diagnose(run, {"E": dE}).ok


# --- saturation ------------------------------------------------------------------


def test_each_way_in_which_a_saturated_softmax_is_no_number():
    big = {"W1": np.array([[900.0, -30.0], [10.0, 800.0], [-700.0, 100.0]]), "b1": np.zeros(3)}
    net = Network.dense([2, 3], ["softmax"], "cross_entropy", params=big)
    y = np.eye(3)[[0, 2, 1, 1]]
    run = net.run(np.array([[1.0, 0.5], [-1.0, -0.5], [0.2, 1.0], [0.01, 0.02]]), y)
    with np.errstate(all="ignore"):
        e = np.exp(run["z1"])
        unguarded = e / e.sum(1, keepdims=True)
        ways = [(unguarded - y) / 4]
        for p in (unguarded, run["a1"]):
            ways.append(p * (-y / p - (-y / p * p).sum(1, keepdims=True)) / 4)
    for d1 in ways:
        assert 0 < np.isnan(d1).sum() < d1.size
        assert diagnose(run, {"z1": d1})["z1"].label == "saturated-nan"
        assert diagnose(run, {"W1": d1.T @ run["x"]})["W1"].label == "saturated-nan"
    moved = np.where(np.isnan(ways[0][::-1]), np.nan, 0.1)
    assert diagnose(run, {"z1": moved})["z1"].label == "unknown"


# --- typed numbers ---------------------------------------------------------------


def typed(array, digits):
    """The numbers as a student copies them from a print-out."""
    return np.array([float(f"{v:.{digits - 1}e}") for v in np.ravel(array)]).reshape(
        np.shape(array)
    )


@pytest.mark.one_in(2)
@pytest.mark.parametrize("digits", [5, 7, 9])
def test_mistakes_in_typed_numbers(classifier, digits):
    net, run = classifier
    right, W2, m = run.gradients()["W2"], net.params["W2"], 7
    wrong = {
        "constant-factor": (0.5 * right, 0.5),
        "batch-mean-twice": (right / m, 1 / m),
        "sign": (-right, -1.0),
        "weight-decay": (right + 0.7 / m * W2, 0.7 / m),
    }
    for label, (array, factor) in wrong.items():
        found = diagnose(run, {"W2": typed(array, digits)})["W2"]
        assert (found.label, found.factor) == (label, pytest.approx(factor, rel=1e-9))
    assert diagnose(run, {"W2": typed(right, digits)}).ok
    assert diagnose(run, {"W2": typed(1.0371 * right, digits)})["W2"].label == "unknown"


def test_how_many_digits_of_one_number_prove_a_mistake():
    run = second_seed().run(X, Y)
    d3, slope = run["a3"] - 1, run["a3"] * (1 - run["a3"])
    labels = {}
    for digits in (3, 5, 8):
        for name, array in (("sign", -d3), ("slope", d3 * slope)):
            labels[name, digits] = diagnose(run, {"z3": typed(array, digits)})["z3"].label
    assert labels == {
        ("sign", 3): "unknown",
        ("sign", 5): "sign",
        ("sign", 8): "sign",
        ("slope", 3): "unknown",
        ("slope", 5): "unknown",
        ("slope", 8): "extra-output-slope",
    }


def test_one_number_in_single_precision(classifier):
    net, run = classifier
    run = net.run(run["x"][0], run["y"][0])
    back = (run["a2"] - run["y"]) @ net.params["W2"]
    wrong = np.float32(back @ (1 - run["a1"] ** 2))
    assert diagnose(run, {"z1": wrong})["z1"].label == "contraction-for-elementwise"
    assert diagnose(run, {"z1": np.float32(0.1)})["z1"].label == "unknown"
