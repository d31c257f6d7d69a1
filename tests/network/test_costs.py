"""Huber, the divergence and the means have the numbers of plain numpy, wherever they are said."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, Huber, MeanOverOutputs, Network, SpecError, check_gradient

RNG = np.random.default_rng(53)
X, Y = RNG.standard_normal((7, 5)), 3 * RNG.standard_normal((7, 2))
ROWS = RNG.dirichlet(np.ones(2), 7)
ROWS[3] = [1, 0]
BINARY = RNG.choice([0.0, 1.0], (7, 2))


def huber(a, y, delta=1.0):
    r = abs(a - y)
    return np.where(r <= delta, r * r / 2, delta * (r - delta / 2))


def divergence(p, y):
    return np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / p), 0)


def bce(a, y):
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


LOSSES = [
    ("huber", "identity", huber, Y),
    ({"huber": 0.25}, "identity", lambda a, y: huber(a, y, 0.25), Y),
    ("squared_error", "identity", lambda a, y: (a - y) ** 2, Y),
    ("bce", "sigmoid", bce, BINARY),
    ("kl_divergence", "softmax", divergence, ROWS),
]
REDUCTIONS = {
    "mean": lambda entries: entries.sum() / 7,
    "sum": np.sum,
    "mean_over_entries": np.mean,
}


@pytest.mark.one_in(8)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("loss", "last", "entries", "y"), LOSSES)
def test_cost_and_gradients_are_those_of_plain_numpy(loss, last, entries, y, reduction):
    net = Network.dense([5, 3, 2], ["tanh", last], loss, seed=3, reduction=reduction)

    def cost(params):
        return REDUCTIONS[reduction](entries(net.with_params(params)(X), y))

    run, params = net.run(X, y), dict(net.params)
    assert float(run.loss) == pytest.approx(cost(params), rel=1e-13)
    assert run.check().ok
    report = check_gradient(cost, run.gradients(), params)
    assert report.ok, str(report)
    for other in REDUCTIONS.keys() - {reduction}:
        wrong = Network.dense([5, 3, 2], ["tanh", last], loss, seed=3, reduction=other)
        assert not check_gradient(cost, wrong.run(X, y).gradients(), params).ok
    value, gradients = net.compile(batch=7)(params, X, y)
    assert value == pytest.approx(float(run.loss), rel=1e-14)
    np.testing.assert_allclose(gradients["W1"], run.gradients()["W1"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("loss", "last", "entries", "y"), LOSSES)
def test_one_example_is_a_mean_over_its_outputs(loss, last, entries, y):
    net = Network.dense([5, 3, 2], ["tanh", last], loss, seed=3, reduction="mean_over_entries")
    run = net.run(X[3], y[3])
    assert float(run.loss) == pytest.approx(entries(net(X[3]), y[3]).mean(), rel=1e-13)
    batch = net.run(X[3:4], y[3:4])
    assert float(batch.loss) == float(run.loss)
    assert (batch.gradients()["W2"] == run.gradients()["W2"]).all()
    assert run.check().ok


@pytest.mark.parametrize("classes", [np.array([0, 1, 1, 0, 0, 1, 0]), ROWS])
def test_the_divergence_has_the_gradients_of_the_cross_entropy(classes):
    layers = [5, 3, 2], ["tanh", "softmax"]
    one, other = (
        Network.dense(*layers, loss, seed=3) for loss in ("kl_divergence", "cross_entropy")
    )
    first, second = one.run(X, classes), other.run(X, classes)
    entropy = 0.0
    if classes.ndim == 2:
        entropy = -divergence(np.ones_like(ROWS), ROWS).sum() / 7
        assert float(first.loss) < float(second.loss)
    assert float(second.loss - first.loss) == pytest.approx(entropy, abs=1e-15)
    for name, gradient in first.gradients().items():
        assert (gradient == second.gradients()[name]).all()


@pytest.mark.parametrize("loss", ["kl_divergence", "cross_entropy"])
def test_a_label_that_is_0_costs_nothing_where_p_is_0(loss):
    net = Network.dense([2, 2], "softmax", loss, params={"W1": 1000 * np.eye(2), "b1": [0.0, 0.0]})
    assert float(net.run([1.0, -1.0], [1.0, 0.0]).loss) == 0


def test_a_file_says_delta_and_the_mean(tmp_path):
    file = tmp_path / "net.toml"
    text = '[network]\nsizes = [5, 3, 2]\nactivations = ["tanh", "identity"]\nseed = 3\n'
    file.write_text(text + 'loss = { huber = 0.25 }\nreduction = "mean_over_entries"\n')
    net = Network.from_toml(file)
    assert net.steps[4:] == (
        "L = Huber(a2, y, 0.25)",
        "E = MeanOverOutputs(L, 2)",
        "J = Mean(E)",
    )
    assert float(net.run(X, Y).loss) == pytest.approx(huber(net(X), Y, 0.25).mean(), rel=1e-13)


def test_the_printed_steps_are_a_program_of_the_same_network():
    net = Network.dense([5, 2], "identity", {"huber": 0.25}, reduction="mean_over_entries", seed=3)
    again = Network.program(*net.steps, params=dict(net.params))
    assert float(again.run(X, Y).loss) == float(net.run(X, Y).loss)


def test_the_derivation_shows_delta_and_the_share_of_an_output():
    net = Network.dense([5, 2], "identity", {"huber": 0.25}, reduction="mean_over_entries", seed=3)
    run = net.run(X[0], Y[0])
    rows = [" ".join(line.split()) for line in run.derivation().text().splitlines()]
    assert any(row.startswith("L = Σ huber(a1 − y), δ = 0.25 ") for row in rows)
    assert any(row.startswith("J = L / 2 ") for row in rows)
    assert run.reason("J", "L") == "each of the 2 outputs counts 1/2"
    assert str(run.jacobian("L", "a1")).splitlines()[0] == "∂L/∂a1[k'] = clip(a1 − y, ±0.25)[k']"


DELTA = "it lies between 2.2250738585072014e-308 and inf, and is finite."


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: Huber(0), DomainError, "Huber(delta) is 0; " + DELTA),
        (lambda: Huber(np.nan), DomainError, "Huber(delta) is nan; " + DELTA),
        (
            lambda: MeanOverOutputs(0),
            DomainError,
            "MeanOverOutputs(outputs) is 0.\n"
            "  Write the number of outputs, a whole number from 1 up.",
        ),
        (
            lambda: Network.dense([5, 2], "identity", {"squared_error": 2}),
            SpecError,
            "loss is {'squared_error': 2}, which is not known.\n"
            '  Write a name, or with a number beside it {"huber": 0.5}.',
        ),
        (
            lambda: Network.dense(
                [5, 2], "softmax", "cross_entropy", reduction="mean_over_entries"
            ),
            DomainError,
            "reduction \"mean_over_entries\" divides by the number of outputs; 'cross_entropy' has "
            "one term for each example, that of its class.\n"
            '  Write reduction="mean", the mean over the examples.',
        ),
        (
            lambda: Network.dense([5, 2], "tanh", "kl_divergence"),
            DomainError,
            "loss 'kl_divergence' compares probabilities; the last activation is 'tanh'.\n"
            "  Make the last activation 'softmax'; the two are differentiated as one.",
        ),
        (
            lambda: Network.dense([5, 2], "softmax", "kl_divergence").run(X[0], [0.5, 0.25]),
            DomainError,
            "y sums to 0.75; a row of class weights sums to 1.\n"
            "  Divide it by its sum; p − y is the derivative only then.",
        ),
    ],
)
def test_a_cost_of_no_use_is_refused(call, kind, message):
    assert refusal(kind, call) == message


def test_a_wrong_cost_in_a_file_is_named(tmp_path):
    file = tmp_path / "net.toml"
    text = '[network]\nsizes = [5, 2]\nactivations = "softmax"\n'
    for cost, told in {
        "loss = { huber = 0 }": "line 4, network.loss.huber: 0 is not a number above 0.\n"
        "  Write it such as { huber = 0.5 }.",
        "loss = { bce = 1 }": "line 4, network.loss: a table is no loss of this form.\n"
        "  Write a name, or { huber = 0.5 } for its δ.",
        'loss = "cross_entropy"\nreduction = "mean_over_entries"': "line 5, network.reduction: "
        "cross_entropy has one term for each example, that of its class.\n"
        '  Write "mean", the mean over the examples.',
    }.items():
        file.write_text(text + cost + "\n")
        assert refusal(SpecError, Network.from_toml, file) == f"net.toml, {told}"
