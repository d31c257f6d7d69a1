"""Cross-entropy over classes, from probabilities and from logits."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from ..algebra.expression import dense
from ..numbers.arrays import quiet
from ..numbers.stable import log_softmax, softmax_parts, sum_of_others
from .base import Op, same_entry
from .kernels import losses as kernels
from .labels import CLASSES, DISTRIBUTION, class_labels, require_probabilities
from .softmax import Softmax, covariance, require_live_rows
from .textbook import CROSS_ENTROPY_FROM_LOGITS


class ClassLoss(Op):
    """A loss over classes; with class weights, or a label to ignore, it is made another op.

    That op says so itself: see weighted_cross_entropy.py.
    """

    weighted: ClassVar["type[ClassLoss] | None"] = None

    def __new__(
        cls, weights: Sequence[float] | None = None, ignore: int | None = None
    ) -> "ClassLoss":
        if cls.weighted is None or (weights is None and ignore is None):
            return super().__new__(cls)
        return cls.weighted(weights, ignore)


class CrossEntropy(ClassLoss):
    """Cross-entropy from probabilities.

        L = −Σ_k y[k] log p[k]
        ∂L/∂p = −(y/p)[k'],  ∂²L/∂p² = δ[k',k''] (y/p²)[k']

    Where y[k] is 0 the term is 0, also at p[k] = 0. CrossEntropy(weights=(1, 2, 5)) weighs the
    classes, CrossEntropy(ignore=-100) leaves out the examples with this label: see
    WeightedCrossEntropy.
    """

    options = ()

    formula = "−Σ y log p"
    signature = "p[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"p": "log p has slope 1/p"}
    loss = "cross_entropy"
    takes = DISTRIBUTION
    label_kind = CLASSES

    @quiet
    def forward(self, p, y):
        return 0 - np.where(y > 0, y * np.log(p), 0).sum(axis=-1)

    @quiet
    def jacobians(self, p, y):
        return {"p": -dense("(y/p)[k']", np.where(y > 0, y / p, 0))}

    @quiet
    def second(self, p, y):
        return {("p", "p"): same_entry("k") * dense("(y/p²)[k']", np.where(y > 0, y / p / p, 0))}

    @quiet
    def vjp(self, L_bar, p, y):
        return {"p": np.where(y > 0, -L_bar[..., None] * y / p, 0)}

    def admit(self, names, p, y):
        labels = class_labels(p, y, names["y"])
        require_probabilities(p, names["p"], "cross-entropy", "softmax")
        return p, labels

    def fused(self, before):
        return CrossEntropyFromLogits() if type(before) is Softmax and before.axis is None else None


class CrossEntropyFromLogits(ClassLoss):
    """Softmax and cross-entropy in one, from the logits.

        L = −Σ_k y[k] log softmax(z)[k]
        ∂L/∂z = (softmax(z) − y)[k'],  as Σ y = 1
        ∂²L/∂z² = p[k'] δ[k',k''] − p[k'] p[k''],  p = softmax(z)

    The fused derivative is computed as p (Σy − y) − y (1−p), with 1−p summed from
    the other classes: it keeps its digits where p rounds to y. Class weights and a label to
    ignore as in CrossEntropy.
    """

    options = ()

    formula = "−Σ y log softmax(z)"
    signature = "z[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"z": "softmax and loss as one: Σ y = 1"}
    contains = Softmax
    label_kind = CLASSES
    loss_textbook = CROSS_ENTROPY_FROM_LOGITS
    compiled_as = kernels.cross_entropy
    keeps_terms = False  # where each Σ y is 1 there is no factor (Σ y)

    @quiet
    def forward(self, z, y):
        return 0 - np.where(y > 0, y * log_softmax(z), 0).sum(axis=-1)

    @quiet
    def jacobians(self, z, y):
        p, rest = softmax_parts(z)
        up, down = p * (y.sum(axis=-1, keepdims=True) - y), y * rest
        return {"z": dense("(softmax(z) − y)[k']", up - down, up + down)}

    @quiet
    def second(self, z, y):
        found, total = covariance(*softmax_parts(z)), y.sum(axis=-1)
        return {("z", "z"): found if np.all(total == 1) else dense("(Σ y)", total) * found}

    @quiet
    def vjp(self, L_bar, z, y):
        p = softmax_parts(z)[0]
        return {"z": L_bar[..., None] * (p * sum_of_others(y) - y * sum_of_others(p))}

    def admit(self, names, z, y):
        require_live_rows(z, names["z"])
        return z, class_labels(z, y, names["y"])

    def peer(self, xp, z, y):
        return -(y * xp.log_softmax(z)).sum(-1)
