"""Cross-entropy with class weights, and with a label whose examples are left out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..algebra.expression import dense
from ..errors import AxisError, DomainError
from ..numbers.arrays import quiet
from ..numbers.stable import softmax_parts
from ..writing.signs import plural
from .base import same_entry
from .cross_entropy import ClassLoss, CrossEntropy, CrossEntropyFromLogits
from .labels import CLASSES, DISTRIBUTION, class_labels
from .softmax import Softmax, covariance


class Weighted(ClassLoss):
    """What the two share: rows of labels times the class weights, and rows of 0 for the ignored.

    In a program they are called like the loss without weights, which becomes one of them.
    """

    labels = ("y",)
    constants = ("y",)
    label_kind = CLASSES
    of: type[ClassLoss]
    plain: ClassLoss  # the loss without weights, which reads w y in place of y

    def __init_subclass__(cls, of: type[ClassLoss] | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if of is not None:
            of.weighted, cls.of, cls.plain = cls, of, of()

    def __init__(self, weights: Sequence[float] | None = None, ignore: int | None = None) -> None:
        self.weights, self.ignore = weights, ignore
        if weights is not None:
            given = np.asarray(weights)
            numbers = given.dtype.kind in "iuf" and given.ndim == 1
            if not numbers or not ((given >= 0) & np.isfinite(given)).all():
                raise DomainError(
                    f"{self.name}(weights) is {weights!r}.\n"
                    "  Write one number from 0 on for each class, such as (1, 2, 5)."
                )
            self.weights = tuple(given.tolist())
        if ignore is not None and type(ignore) is not int:
            raise DomainError(
                f"{self.name}(ignore) is {ignore!r}.\n"
                "  Write the label of the examples that are left out, such as -100."
            )
        weighed = "w y" if weights is not None else "y"
        self.formula = self.plain.formula.replace(" y ", f" {weighed} ")
        if weights is not None:
            self.formula += ", w the weight of the class"
        if ignore is not None:
            self.formula += f", 0 for the label {ignore}"

    @property
    def name(self) -> str:
        return self.of.__name__

    def scaled(self, y: np.ndarray) -> np.ndarray:
        """Each row of labels times the weights of the classes."""
        return y if self.weights is None else y * np.asarray(self.weights, y.dtype)

    def forward(self, a, y):
        return self.plain.forward(a, self.scaled(y))

    def vjp(self, L_bar, a, y):
        return self.plain.vjp(L_bar, a, self.scaled(y))

    def admit(self, names, a, y):
        classes, name = a.shape[-1] if a.ndim else 0, names["y"]
        if self.weights is not None and len(self.weights) != classes:
            raise AxisError(
                f"{self.name}: weights has {plural(len(self.weights), 'class', 'classes')}, "
                f"{names[self.parsed.inputs[0].name]} has {classes}.\n"
                "  Give each class one weight."
            )
        left_out = np.zeros(a.shape[:-1], bool)
        if self.ignore is not None and y.shape == a.shape[:-1]:
            left_out = y == self.ignore
        elif self.ignore is not None and y.shape == a.shape:
            left_out = (y == 0).all(axis=-1)  # as this very method made them
        instead = left_out if y.shape == a.shape[:-1] else left_out[..., None]
        first = 0 if y.shape == a.shape[:-1] else np.arange(classes) == 0
        rows = class_labels(a, np.where(instead, first, y).astype(y.dtype), name)
        self.plain.admit(names, a, rows)
        return a, np.where(left_out[..., None], 0, rows).astype(rows.dtype)

    def __repr__(self) -> str:
        return f"{self.name}(weights={self.weights!r}, ignore={self.ignore!r})"


class WeightedCrossEntropy(Weighted, of=CrossEntropy):
    """Cross-entropy from probabilities, with class weights and a label that is left out.

        L = −Σ_k w[k] y[k] log p[k],  and 0 for an example with the label `ignore`
        ∂L/∂p = −(w y/p)[k'],  ∂²L/∂p² = δ[k',k''] (w y/p²)[k']

    A class counts w[k] times; with a weight of 0 it does not count. Mean divides by the number
    of all examples: PyTorch's mean divides by the sum of the weights of those that count.
    Raises DomainError for weights below 0, AxisError where they are not one a class.
    """

    signature = "p[k], y[k] -> L[]"
    reasons = {"p": "log p has slope 1/p, and counts w"}
    takes = DISTRIBUTION

    @quiet
    def jacobians(self, p, y):
        weighed = self.scaled(y)
        label = "(y/p)[k']" if self.weights is None else "(w y/p)[k']"
        return {"p": -dense(label, np.where(weighed > 0, weighed / p, 0))}

    @quiet
    def second(self, p, y):
        weighed = self.scaled(y)
        label = "(y/p²)[k']" if self.weights is None else "(w y/p²)[k']"
        bend = dense(label, np.where(weighed > 0, weighed / p / p, 0))
        return {("p", "p"): same_entry("k") * bend}

    def fused(self, before):
        plain = type(before) is Softmax and before.axis is None
        return CrossEntropyFromLogits(self.weights, self.ignore) if plain else None


class WeightedCrossEntropyFromLogits(Weighted, of=CrossEntropyFromLogits):
    """Softmax and cross-entropy in one, with class weights and a label that is left out.

        L = −Σ_k w[k] y[k] log softmax(z)[k],  and 0 for an example with the label `ignore`
        ∂L/∂z = (softmax(z) Σ w y − w y)[k']
        ∂²L/∂z² = (Σ w y) (p[k'] δ[k',k''] − p[k'] p[k'']),  p = softmax(z)

    Σ w y is the weight of the true class, 0 for an example that is left out; the rest as in
    WeightedCrossEntropy.
    """

    signature = "z[k], y[k] -> L[]"
    reasons = {"z": "softmax and loss as one, w y in place of y"}
    contains = Softmax

    @quiet
    def jacobians(self, z, y):
        weighed = self.scaled(y)
        p, rest = softmax_parts(z)
        up, down = p * (weighed.sum(axis=-1, keepdims=True) - weighed), weighed * rest
        label = "(softmax(z) Σy − y)[k']" if self.weights is None else "(softmax(z) Σwy − w y)[k']"
        return {"z": dense(label, up - down, up + down)}

    @quiet
    def second(self, z, y):
        total = self.scaled(y).sum(axis=-1)
        label = "(Σ y)" if self.weights is None else "(Σ w y)"
        return {("z", "z"): dense(label, total) * covariance(*softmax_parts(z))}
