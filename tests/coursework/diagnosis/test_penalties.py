"""Beside a penalty the diagnosis says only what is true of this cost."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose, diagnose_line

RNG = np.random.default_rng(61)
X, Y = RNG.standard_normal((7, 5)), RNG.standard_normal((7, 2))


def gradients(**options):
    net = Network.dense([5, 3, 2], ["tanh", "identity"], "squared_error", seed=1, **options)
    run = net.run(X, Y)
    return run, {name: np.array(g) for name, g in run.gradients().items()}, net.params


def test_a_right_gradient_with_its_penalty_is_right():
    run, right, _ = gradients(penalty={"W1": 0.25, "W2": {"l1": 0.5}})
    found = diagnose(run, right)
    assert {found[name].label for name in right} == {"correct"}


@pytest.mark.parametrize(
    ("penalty", "said"),
    [
        (None, "this cost has no weight decay"),
        ({"W2": 0.25}, "this cost has no weight decay"),
        ({"W1": 0.25}, "the right one has that of R1 = 0.25 Σ W1² already"),
    ],
)
def test_weight_decay_that_is_too_much_is_told_beside_what_the_cost_has(penalty, said):
    run, right, params = gradients(penalty=penalty)
    finding = diagnose(run, {"W1": right["W1"] + 0.125 * params["W1"]})["W1"]
    assert finding.label == "weight-decay"
    assert finding.sentences == (
        "The gradient of W1 (layer 1) has the parameter itself added, times 0.125; " + said + ".",
    )


LACKS = (
    "The gradient of {w} lacks the derivative of the penalty: {which}, is left out. "
    "What is added to the cost adds its derivative to the gradient."
)
FACTOR = (
    "The gradient of {w} has the derivative of the penalty with another factor or sign: "
    "of {which}, and {told}."
)
ALONE = (
    "In the gradient of {w} several paths add up, and only some are counted: "
    "the path through the penalty alone, which gives {which}."
)
BESIDE = (
    "The gradient of {w} has the right derivative of the penalty, and what comes through the "
    "network has another factor or sign: {told}."
)
OF_THE_NETWORK = {
    7.0: "it lacks the 1/m of the mean over the m = 7 examples",
    1 / 7: "it has the 1/m of the mean over the m = 7 examples twice",
    -1.0: "it has the wrong sign",
    2.0: "it is doubled",
    0.5: "it is halved",
}
KINDS = {  # the derivative, how it is written, the penalty
    "l2": (lambda W: 2 * 0.3 * W, "2 · 0.3 {n}", "R1 = 0.3 Σ {n}²"),
    "half_l2": (lambda W: 0.3 * W, "0.3 {n}", "R1 = ½ · 0.3 Σ {n}²"),
    "l1": (lambda W: 0.3 * np.sign(W), "0.3 sign({n})", "R1 = 0.3 Σ |{n}|"),
}
TOLD = {
    0.5: "half of it stands there",
    2.0: "twice that stands there",
    -1.0: "it is subtracted, not added",
    -0.5: "half of it is subtracted",
    -2.0: "twice that is subtracted",
    1 / 7: "it is divided by the m = 7 examples",
    1 / 14: "half of it, divided by the m = 7 examples, stands there",
    2 / 7: "twice that, divided by the m = 7 examples, stands there",
    7.0: "it is multiplied by the m = 7 examples",
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ["W1", "W2"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_with_a_penalty_is_named_by_itself(kind, name):
    run, right, params = gradients(penalty={name: {kind: 0.3}})
    slope, written, penalty = KINDS[kind]
    written, penalty = written.format(n=name), penalty.format(n=name)
    w, added = f"{name} (layer {name[1]})", slope(params[name])
    data = right[name] - added
    every = {
        data.tobytes(): ("penalty-missing", LACKS.format(w=w, which=f"{written}, of {penalty}")),
        added.tobytes(): ("fan-out-overwritten", ALONE.format(w=w, which=written)),
    }
    for factor, told in TOLD.items():
        said = FACTOR.format(w=w, which=f"{penalty} it is {written}", told=told)
        every[(data + factor * added).tobytes()] = ("penalty-factor", said)
    for factor, told in OF_THE_NETWORK.items():
        said = BESIDE.format(w=w, told=told)
        every[(factor * data + added).tobytes()] = ("factor-beside-penalty", said)
    assert len(every) == 2 + len(TOLD) + len(OF_THE_NETWORK)
    for numbers, (label, said) in every.items():
        finding = diagnose(run, {name: np.frombuffer(numbers).reshape(data.shape)})[name]
        assert (finding.label, finding.sentences, finding.ok) == (label, (said,), False)
    assert diagnose(run, {name: data + added})[name].label == "correct"


@pytest.mark.parametrize(
    ("kind", "line", "said", "meant"),
    [
        (
            "l2",
            "dW2 = d2.T @ a1",
            LACKS.format(w="W2 (layer 2)", which="2 · 0.3 W2, of R1 = 0.3 Σ W2²"),
            "",
        ),
        (
            "l1",
            "dW2 = d2.T @ a1 - 0.3 * np.sign(W2)",
            FACTOR.format(
                w="W2 (layer 2)",
                which="R1 = 0.3 Σ |W2| it is 0.3 sign(W2)",
                told="it is subtracted, not added",
            ),
            " Meant for ∂J/∂W2: d2.T @ a1 + 0.3 * np.sign(W2) (+ for -)",
        ),
    ],
)
def test_a_line_of_numpy_gets_the_same_sentence(kind, line, said, meant):
    run = gradients(penalty={"W2": {kind: 0.3}})[0]
    assert " ".join(str(diagnose_line(line, run)).split()).endswith(said + meant)
    right = {"l2": "dW2 = d2.T @ a1 + 2 * 0.3 * W2", "l1": "dW2 = d2.T @ a1 + 0.3 * sign(W2)"}
    told = f"{right[kind]}: right. It is ∂J/∂W2, shape (2, 3)."
    assert str(diagnose_line(right[kind], run)) == told


def test_one_of_two_penalties_and_both_are_told_apart():
    run, right, params = gradients(penalty={"W2": {"half_l2": 0.3, "l1": 0.5}})
    squares, sizes = 0.3 * params["W2"], 0.5 * np.sign(params["W2"])
    which = {
        "0.3 W2, of R1 = ½ · 0.3 Σ W2²": squares,
        "0.5 sign(W2), of R2 = 0.5 Σ |W2|": sizes,
        "0.3 W2, of R1 = ½ · 0.3 Σ W2², and 0.5 sign(W2), of R2 = 0.5 Σ |W2|": squares + sizes,
    }
    for said, missing in which.items():
        finding = diagnose(run, {"W2": right["W2"] - missing})["W2"]
        assert finding.sentences == (LACKS.format(w="W2 (layer 2)", which=said),)
    alone = diagnose(run, {"W2": squares + sizes})["W2"]
    assert alone.sentences == (ALONE.format(w="W2 (layer 2)", which="0.3 W2 + 0.5 sign(W2)"),)


def test_a_penalty_on_a_shared_weight_is_no_step_of_it():
    W, b = RNG.standard_normal((3, 3)), RNG.standard_normal(3)
    steps = ["z1 = Linear(h0, W, b)", "h1 = Tanh(z1)", "z2 = Linear(h1, W, b)", "h2 = Tanh(z2)"]
    ends = ["D = HalfSquaredError(h2, y)", "R = L2Penalty(W, 0.3)", "J = Add(D, R, '')"]
    net = Network.program(*steps, *ends, params={"W": W, "b": b})
    run = net.run(h0=RNG.standard_normal(3), y=RNG.standard_normal(3))
    d2 = run.vjp("J", "z2", 1.0)
    last = np.outer(d2, run["h1"])
    found = diagnose(run, {"W": last + 0.6 * W})["W"]
    assert (found.label, found.sentences[0].count("step that computes z2 alone")) == (
        "last-step-only",
        1,
    )
    found = diagnose(run, {"W": np.array(run.gradients()["W"]) - 0.6 * W})["W"]
    assert found.sentences == (LACKS.format(w="W", which="2 · 0.3 W, of R = 0.3 Σ W²"),)
