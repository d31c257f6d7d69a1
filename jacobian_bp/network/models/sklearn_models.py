"""Fitted models of scikit-learn as layers, with the loss and the penalty that it fits them with.

scikit-learn itself is not imported: a model that is given has its numbers as attributes.

    MLPClassifier       mean over examples of the cross-entropy + α/(2n) Σ W²
    MLPRegressor        mean over examples and outputs of ½ (a − y)² + α/(2n) Σ W²
    LogisticRegression  Σ cross-entropy + 1/C (ρ Σ|W| + ½ (1−ρ) Σ W²), over n where n is given
    Ridge               Σ (a − y)² + α Σ W²
"""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np

from ...errors import SpecError
from ...writing.signs import safe, with_article
from .layered import Layered, kernel
from .model import Parameter

WHO = "Network.from_sklearn"
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "logistic": "sigmoid", "identity": "identity"}
READ = "MLPClassifier, MLPRegressor, LogisticRegression and Ridge"


def read_sklearn(model: Any, examples: int | None = None) -> Layered:
    """The layers of a fitted model; `examples` is n, over which a penalty is spread.

    Raises SpecError for a model of another kind, one that is not fitted, and options that
    change the loss in a way that is not read.
    """
    kind = type(model)
    rule = READERS.get(kind.__name__) if kind.__module__.startswith("sklearn.") else None
    if rule is None:
        raise SpecError(
            f"{WHO} is given {with_article(kind.__name__)}, which is not read.\n"
            f"  It reads {READ}; give the model itself, not a pipeline: pipe[-1]."
        )
    if not hasattr(model, "coefs_") and not hasattr(model, "coef_"):
        raise SpecError(f"the {kind.__name__} is not fitted.\n  Call model.fit(X, y) before.")
    if examples is not None and (
        isinstance(examples, bool) or not isinstance(examples, Integral) or examples < 1
    ):
        raise SpecError(
            f"examples is {safe(repr(examples))[:40]}.\n"
            "  Write how many examples the model was fitted on: examples=len(X)."
        )
    return rule(model, examples)


def _mlp(model: Any, examples: int | None) -> Layered:
    hidden, last = ACTIVATIONS.get(model.activation), model.out_activation_
    if hidden is None or model.loss not in ("log_loss", "squared_error"):
        raise SpecError(
            f"the {type(model).__name__} has the activation {safe(repr(model.activation))} and the "
            f"loss {safe(repr(model.loss))}.\n  Read are {', '.join(ACTIVATIONS)}; log_loss and "
            "squared_error."
        )
    if model.alpha and examples is None:
        raise SpecError(
            f"the penalty of the {type(model).__name__} is alpha/(2n) Σ W² with alpha = "
            f"{model.alpha:g}, and it does not know n.\n"
            f"  Write how many examples its loss is taken over: {WHO}(model, examples=len(X))."
        )
    parameters: dict[str, Parameter] = {}
    for layer, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True), start=1):
        parameters[f"W{layer}"] = kernel(f"coefs_[{layer - 1}]", W)
        parameters[f"b{layer}"] = Parameter(f"intercepts_[{layer - 1}]", np.array(b))
    widths = (model.coefs_[0].shape[0], *(len(b) for b in model.intercepts_))
    loss, reduction = "half_squared_error", "mean_over_entries"
    if model.loss == "log_loss":
        loss, reduction = ("bce" if last == "logistic" else "cross_entropy"), "mean"
    last = "softmax" if last == "softmax" else ACTIVATIONS[last]
    penalty = {}
    if model.alpha:
        assert examples is not None
        rate = float(model.alpha) / examples
        penalty = {name: {"half_l2": rate} for name in parameters if name[0] == "W"}
    activations = (*([hidden] * (len(widths) - 2)), last)
    if loss == "half_squared_error" and widths[-1] == 1:
        reduction = "mean"
    remarks = _classes(model)
    if reduction == "mean_over_entries":
        remarks = (
            f"the cost is scikit-learn's loss, a mean over {widths[-1]} outputs; its own gradients "
            "are those of the sum over them",
        )
    return Layered(widths, activations, loss, reduction, penalty, parameters, remarks)


def _logistic(model: Any, examples: int | None) -> Layered:
    W, b = np.atleast_2d(model.coef_), np.ravel(model.intercept_)
    trouble = (
        "weights its classes" if model.class_weight is not None
        else "has a solver that fits each class against the rest"
        if model.solver == "liblinear" and len(W) > 1
        else "scales its intercept" if model.solver == "liblinear" and model.intercept_scaling != 1
        else ""
    )  # fmt: skip
    if trouble:
        raise SpecError(
            f"the LogisticRegression {trouble}, a loss that is not read.\n"
            "  Fit it with class_weight=None and solver='lbfgs', or write the loss as a program."
        )
    kind = getattr(model, "penalty", "deprecated")
    ratio = {"l2": 0.0, "l1": 1.0}.get(kind, getattr(model, "l1_ratio", 0.0) or 0.0)
    strength = 0.0 if kind is None or np.isinf(model.C) else 1 / float(model.C)
    share = strength / (examples or 1)
    rates = {"half_l2": share * (1 - ratio), "l1": share * ratio}
    penalised = {name: rate for name, rate in rates.items() if rate}
    names = ("W1", "b1") if model.solver == "liblinear" and model.fit_intercept else ("W1",)
    binary = len(W) == 1
    return Layered(
        (W.shape[1], len(W)),
        ("sigmoid" if binary else "softmax",),
        "bce" if binary else "cross_entropy",
        "sum" if examples is None else "mean",
        dict.fromkeys(names, penalised) if penalised else {},
        _linear(W, b, model.fit_intercept),
        _classes(model),
    )


def _ridge(model: Any, examples: int | None) -> Layered:
    if np.ndim(model.alpha) and np.ptp(model.alpha):
        raise SpecError(
            "the Ridge has another alpha for each target.\n  Fit it with one number alpha."
        )
    W, rate = np.atleast_2d(model.coef_), float(np.ravel(model.alpha)[0])
    b = np.broadcast_to(np.ravel(model.intercept_), len(W)) if model.fit_intercept else ()
    return Layered(
        (W.shape[1], len(W)),
        ("identity",),
        "squared_error",
        "sum",
        {"W1": {"l2": rate}} if rate else {},
        _linear(W, np.array(b), model.fit_intercept),
    )


def _linear(W: np.ndarray, b: np.ndarray, has_bias: bool) -> dict[str, Parameter]:
    found = {"W1": Parameter("coef_", np.array(W))}
    return found | ({"b1": Parameter("intercept_", np.array(b))} if has_bias else {})


def _classes(model: Any) -> tuple[str, ...]:
    """Which class is which label, where there are classes."""
    classes = getattr(model, "classes_", None)
    if classes is None or np.array_equal(classes, range(len(classes))):
        return ()
    shown = ", ".join(f"{n} is {safe(str(c))}" for n, c in enumerate(np.asarray(classes)[:10]))
    return (f"labels are places in classes_: {shown}",)


READERS: dict[str, Callable[[Any, int | None], Layered]] = {
    "MLPClassifier": _mlp,
    "MLPRegressor": _mlp,
    "LogisticRegression": _logistic,
    "Ridge": _ridge,
}
