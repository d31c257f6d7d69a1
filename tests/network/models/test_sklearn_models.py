"""Fitted models of scikit-learn: their loss, its gradients, its optimum, and what is refused."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import SpecError

pytest.importorskip("sklearn", reason="the extra sklearn is not installed")
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

RNG = np.random.default_rng(8)
N, D, K = 29, 5, 3
X = RNG.normal(size=(N, D))
CLASSES = RNG.integers(0, K, N)
BITS = (RNG.normal(size=N) + X[:, 0] > 0).astype(int)
SEVERAL = RNG.integers(0, 2, (N, K))
NUMBERS = X @ RNG.normal(size=(D, 2)) + RNG.normal(size=(N, 2))

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer", "ignore:lbfgs failed")


def mlp(kind, y, **options):
    return kind(hidden_layer_sizes=(7, 4), max_iter=3, random_state=0, **options).fit(X, y), y


MLPS = {
    "classes": lambda: mlp(MLPClassifier, CLASSES, alpha=0.3, activation="tanh"),
    "two classes": lambda: mlp(MLPClassifier, BITS, alpha=0.3),
    "several labels": lambda: mlp(MLPClassifier, SEVERAL, alpha=0.1, activation="logistic"),
    "numbers": lambda: mlp(MLPRegressor, NUMBERS, alpha=0.2, activation="identity"),
    "one number": lambda: mlp(MLPRegressor, NUMBERS[:, 0], alpha=0.0),
}


def own_loss(model, y):
    """scikit-learn's own backward pass: the loss, and the gradients by all parameters."""
    labels = model._label_binarizer.transform(y) if hasattr(model, "_label_binarizer") else y
    labels = np.reshape(labels, (N, -1)).astype(float)
    arrays = [X] + [np.empty((N, W.shape[1])) for W in model.coefs_]
    deltas = [np.empty_like(a) for a in arrays[1:]]
    by_coefs = [np.empty_like(W) for W in model.coefs_]
    by_intercepts = [np.empty_like(b) for b in model.intercepts_]
    loss, *_ = model._backprop(X, labels, None, arrays, deltas, by_coefs, by_intercepts)
    return loss, by_coefs, by_intercepts


@pytest.mark.parametrize("name", MLPS)
def test_a_perceptron_has_the_loss_and_the_gradients_of_scikit_learn(name):
    model, y = MLPS[name]()
    net = Network.from_sklearn(model, examples=N)
    run = net.run(X, y)
    loss, by_coefs, by_intercepts = own_loss(model, y)
    assert run.loss == pytest.approx(loss, rel=1e-13)
    # of several numbers scikit-learn's loss is a mean, and its gradient that of the sum
    times = 2 if name == "numbers" else 1
    for layer, (W, b) in enumerate(zip(by_coefs, by_intercepts, strict=True), start=1):
        decay = (times - 1) * model.alpha / N * net.params[f"W{layer}"]
        found = times * run.gradients()[f"W{layer}"] - decay
        np.testing.assert_allclose(found, W.T, rtol=0, atol=1e-14)
        np.testing.assert_allclose(times * run.gradients()[f"b{layer}"], b, rtol=0, atol=1e-14)
    assert len(net.facts.remarks) == times - 1
    assert run.check().ok
    last = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    found = net(X) if name != "two classes" else np.hstack([1 - net(X), net(X)])
    np.testing.assert_allclose(found.reshape(last.shape), last, rtol=0, atol=1e-14)
    state = net.state_dict()
    assert all(np.array_equal(state[f"coefs_[{p}]"], W) for p, W in enumerate(model.coefs_))
    assert not np.shares_memory(state["coefs_[0]"], model.coefs_[0])


LINEAR = {
    "classes": lambda: (LogisticRegression(C=0.7, tol=1e-10), CLASSES),
    "two classes": lambda: (LogisticRegression(C=0.7, tol=1e-10), BITS),
    "two classes without a bias": lambda: (
        LogisticRegression(C=0.7, tol=1e-10, fit_intercept=False),
        BITS,
    ),
    "liblinear penalises the bias": lambda: (
        LogisticRegression(C=0.7, tol=1e-10, solver="liblinear"),
        BITS,
    ),
    "ridge": lambda: (Ridge(1.7), NUMBERS),
    "ridge without a bias": lambda: (Ridge(1.7, fit_intercept=False), NUMBERS),
    "ridge of one target": lambda: (Ridge(0.3), NUMBERS[:, 0]),
}


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("examples", [None, N])
def test_the_gradients_of_a_fitted_linear_model_are_0(name, examples):
    model, y = LINEAR[name]()
    net = Network.from_sklearn(model.fit(X, y), examples)
    gradients = net.run(X, y).gradients()
    assert all(np.abs(g).max() < 1e-4 for g in gradients.values())
    moved = net.with_params({"W1": 1.1 * net.params["W1"]}).run(X, y)
    assert moved.loss > net.run(X, y).loss
    assert np.abs(moved.gradients()["W1"]).max() > 1e-3  # a check that could fail


def test_the_loss_of_a_logistic_regression_is_the_documented_one():
    model = LogisticRegression(C=0.7).fit(X, CLASSES)
    p = model.predict_proba(X)[np.arange(N), CLASSES]
    own = -np.log(p).sum() + (model.coef_**2).sum() / (2 * 0.7)
    assert Network.from_sklearn(model).run(X, CLASSES).loss == pytest.approx(own, rel=1e-13)
    assert Network.from_sklearn(model, N).run(X, CLASSES).loss == pytest.approx(own / N, rel=1e-13)


def test_labels_are_places_among_the_classes():
    names = np.array(["ash", "oak", "yew"])[CLASSES]
    net = Network.from_sklearn(LogisticRegression().fit(X, names))
    assert net.facts.remarks == ("labels are places in classes_: 0 is ash, 1 is oak, 2 is yew",)


REFUSED = {
    "another model": (
        lambda: Network.from_sklearn(Lasso().fit(X, NUMBERS)),
        "Network.from_sklearn is given a Lasso, which is not read.\n"
        "  It reads MLPClassifier, MLPRegressor, LogisticRegression and Ridge; give the model "
        "itself, not a pipeline: pipe[-1].",
    ),
    "not fitted": (
        lambda: Network.from_sklearn(Ridge()),
        "the Ridge is not fitted.\n  Call model.fit(X, y) before.",
    ),
    "n is not known": (
        lambda: Network.from_sklearn(MLPS["classes"]()[0]),
        "the penalty of the MLPClassifier is alpha/(2n) Σ W² with alpha = 0.3, and it does not "
        "know n.\n  Write how many examples its loss is taken over: "
        "Network.from_sklearn(model, examples=len(X)).",
    ),
    "n is no number": (
        lambda: Network.from_sklearn(Ridge().fit(X, NUMBERS), examples=True),
        "examples is True.\n  Write how many examples the model was fitted on: examples=len(X).",
    ),
    "weighted classes": (
        lambda: Network.from_sklearn(LogisticRegression(class_weight="balanced").fit(X, BITS)),
        "the LogisticRegression weights its classes, a loss that is not read.\n"
        "  Fit it with class_weight=None and solver='lbfgs', or write the loss as a program.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_says_what_to_write(name):
    call, message = REFUSED[name]
    with pytest.raises(SpecError) as caught:
        call()
    assert str(caught.value) == message
