"""Kullback-Leibler divergence of rows of labels, from probabilities and from logits."""

import numpy as np

from ..algebra.expression import dense
from ..numbers.arrays import quiet
from ..numbers.stable import log_softmax, softmax_parts, sum_of_others
from .base import Op, same_entry
from .labels import CLASSES, DISTRIBUTION, class_labels, require_probabilities
from .softmax import Softmax, covariance, require_live_rows
from .textbook import CROSS_ENTROPY_FROM_LOGITS


class KLDivergence(Op):
    """How far the probabilities p are from those of the labels, in nats.

        L = Σ_k y[k] log(y[k]/p[k])
        ∂L/∂p = −(y/p)[k'],  ∂²L/∂p² = δ[k',k''] (y/p²)[k']

    It is the cross-entropy less the entropy of the labels, which no parameter moves:
    their gradients are the same. Where y[k] is 0 the term is 0, also at p[k] = 0; where
    p[k] alone is 0, L is infinite. Labels are rows of probabilities, or class indices.
    Source: Kullback and Leibler, On Information and Sufficiency, 1951.
    """

    formula = "Σ y log(y/p)"
    signature = "p[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"p": "log p has slope 1/p"}
    loss = "kl_divergence"
    takes = DISTRIBUTION
    label_kind = CLASSES

    @quiet
    def forward(self, p, y):
        return np.where(y > 0, y * (np.log(y) - np.log(p)), 0).sum(axis=-1)

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
        require_probabilities(p, names["p"], "the Kullback-Leibler divergence", "softmax")
        return p, labels

    def fused(self, before):
        return KLDivergenceFromLogits() if type(before) is Softmax and before.axis is None else None


class KLDivergenceFromLogits(Op):
    """Softmax and Kullback-Leibler divergence in one, from the logits.

        L = Σ_k y[k] (log y[k] − log softmax(z)[k])
        ∂L/∂z = (softmax(z) − y)[k'],  as Σ y = 1
        ∂²L/∂z² = p[k'] δ[k',k''] − p[k'] p[k''],  p = softmax(z)

    The fused derivative is that of CrossEntropyFromLogits, computed in the same way.
    """

    formula = "Σ y (log y − log softmax(z))"
    signature = "z[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"z": "softmax and loss as one: Σ y = 1"}
    contains = Softmax
    label_kind = CLASSES
    loss_textbook = CROSS_ENTROPY_FROM_LOGITS
    keeps_terms = False  # where each Σ y is 1 there is no factor (Σ y)

    @quiet
    def forward(self, z, y):
        return np.where(y > 0, y * (np.log(y) - log_softmax(z)), 0).sum(axis=-1)

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
        return (y * (xp.log(y + (y == 0)) - xp.log_softmax(z))).sum(-1)
