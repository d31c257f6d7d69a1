"""Cross-entropy with class weights and a label that is left out, against loops; refusals."""

import math

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, dense_jacobian, swept_vjp

from jacobian_bp import AxisError, DomainError, Network, check_op, ops

RNG = np.random.default_rng(61)
WEIGHTS = (0.5, 3, 2)
OPTIONS = [(WEIGHTS, None), (None, -1), (WEIGHTS, -1), ((0, 2, 1), -1)]
Y = np.array([[0, 2, -1, 1, 2], [1, -1, 0, 2, 0]])


def by_loops(p, y, weights, ignore):
    """L and ∂L/∂p, ∂L/∂z of one example with the label y, z being log p."""
    weight = 0.0 if y == ignore else 1.0 if weights is None else float(weights[y])
    true = [float(k == y) for k in range(len(p))]
    by_p = [-weight * t / q for t, q in zip(true, p, strict=True)]
    by_z = [weight * (q - t) for t, q in zip(true, p, strict=True)]
    return -weight * math.log(p[y]) if weight else 0.0, by_p, by_z


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("weights", "ignore"), OPTIONS)
@pytest.mark.parametrize("from_logits", [False, True])
def test_a_class_counts_its_weight_and_an_ignored_label_nothing(weights, ignore, from_logits):
    kind, name = (ops.CrossEntropyFromLogits, "z") if from_logits else (ops.CrossEntropy, "p")
    op = kind(weights, ignore)
    p = RNG.dirichlet(np.ones(3), Y.shape)
    given = np.log(p) if from_logits else p
    y = Y if ignore else np.abs(Y)
    _, rows = op.admit({name: name, "y": "y"}, given, y)
    loops = [by_loops(p[i], y[i], weights, ignore) for i in np.ndindex(*Y.shape)]
    agree(op.forward(given, rows).ravel(), [value for value, _, _ in loops])
    for i, (_, by_p, by_z) in zip(np.ndindex(*Y.shape), loops, strict=True):
        expected = by_z if from_logits else by_p
        agree(dense_jacobian(op, name, [given[i], rows[i]]), expected)
        agree(swept_vjp(op, name, [given[i], rows[i]]), expected)
    report = check_op(op, {name: given, "y": y}, axes={name: "n,t"})
    assert report.ok, str(report)


@pytest.mark.parametrize("softmax", [True, False])
def test_a_network_with_class_weights_agrees_on_all_routes_and_compiles(softmax):
    lines = ["z = Linear(x, W)", "p = Softmax(z)"][: 1 + softmax]
    loss = "CrossEntropy(p, " if softmax else "CrossEntropyFromLogits(z, "
    net = Network.program(
        *lines,
        f"L = {loss}y, weights=(0.5, 3, 2), ignore=-100)",
        "J = Mean(L)",
        params={"W": RNG.normal(size=(3, 5))},
    )
    x, y = RNG.normal(size=(7, 5)), np.array([0, 2, -100, 1, 1, -100, 2])
    run = net.run(x, y)
    assert run.check().ok, str(run.check())
    formula = "δ[n,n'] (softmax(z) Σwy − w y)[n,k']"
    assert run.jacobian("L", "z").formula == formula
    loss, gradients = net.compile(batch=7)(net.params, x, y)
    agree(loss, run.loss)
    agree(gradients["W"], run.gradients()["W"])
    assert net.run(x, run["y"]).loss == run.loss
    z = x @ net.params["W"].T
    p = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    agree(run.loss, sum(by_loops(p[n], y[n], WEIGHTS, -100)[0] for n in range(7)) / 7)


def test_without_options_the_loss_is_the_plain_one():
    assert type(ops.CrossEntropy()) is ops.CrossEntropy
    assert type(ops.CrossEntropyFromLogits(None, None)) is ops.CrossEntropyFromLogits
    weights = np.array([1.0, 2.0])
    op = ops.CrossEntropy(weights)
    weights[0] = 7
    assert repr(op) == "CrossEntropy(weights=(1.0, 2.0), ignore=None)"


@pytest.mark.parametrize(
    ("error", "make", "message"),
    [
        (
            DomainError,
            lambda: ops.CrossEntropy(weights=(1, -2)),
            "CrossEntropy(weights) is (1, -2).\n"
            "  Write one number from 0 on for each class, such as (1, 2, 5).",
        ),
        (
            DomainError,
            lambda: ops.CrossEntropyFromLogits(weights="balanced"),
            "CrossEntropyFromLogits(weights) is 'balanced'.\n"
            "  Write one number from 0 on for each class, such as (1, 2, 5).",
        ),
        (
            DomainError,
            lambda: ops.CrossEntropy(ignore=0.5),
            "CrossEntropy(ignore) is 0.5.\n"
            "  Write the label of the examples that are left out, such as -100.",
        ),
        (
            AxisError,
            lambda: check_op(ops.CrossEntropy((1, 2)), {"p": np.ones(3) / 3, "y": 0}),
            "CrossEntropy: weights has 2 classes, p has 3.\n  Give each class one weight.",
        ),
        (
            DomainError,
            lambda: check_op(
                ops.CrossEntropy(ignore=-100), {"p": np.ones((2, 3)) / 3, "y": [-100, -1]}
            ),
            "y[1] is -1; with 3 classes an index lies from 0 to 2.\n"
            "  Count classes from 0, or give the network more outputs.",
        ),
    ],
)
def test_weights_and_labels_that_do_not_fit_are_refused(error, make, message):
    assert refusal(error, make) == message


def test_a_gradient_without_the_weight_is_told():
    class Unweighted(type(ops.CrossEntropyFromLogits(WEIGHTS))):
        def vjp(self, L_bar, z, y):
            return self.plain.vjp(L_bar, z, y)

    (finding,) = check_op(Unweighted(WEIGHTS), {"z": RNG.normal(size=3), "y": 2}).findings
    assert finding.wrong == "vjp() is wrong"
    assert finding.pattern == "every entry is 0.5 times the right one"
