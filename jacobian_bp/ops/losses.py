"""Losses of one example: squared error and binary cross-entropy.

A network with one output takes its label as a number or as a vector of one, and
the labels of a batch as (m,) or (m, 1); nothing else is reshaped.
"""

from collections.abc import Mapping

import numpy as np

from ..algebra.expression import dense
from ..errors import AxisError, DomainError
from ..numbers.arrays import entry, quiet
from ..numbers.stable import sigmoid, softplus
from ..writing.signs import dims, witness
from .base import Op


class SquaredError(Op):
    """Squared distance, without the ½.

        L = Σ_k (a[k] − y[k])²
        ∂L/∂a = 2 (a − y)[k'],  ∂L/∂y = −2 (a − y)[k']

    Source: first seed, J7 and J32.
    """

    signature = "a[k], y[k] -> L[]"
    formula = "Σ (a − y)²"
    labels = ("y",)
    reasons = {"a": "squaring gives 2 (a − y)", "y": "squaring gives 2 (a − y)"}

    def forward(self, a, y):
        return ((a - y) ** 2).sum(axis=-1)

    def jacobians(self, a, y):
        residual = dense("(a − y)[k']", a - y)
        return {"a": 2 * residual, "y": -2 * residual}

    @quiet
    def vjp(self, L_bar, a, y):
        missing = L_bar[..., None] * (y - a)
        return {"a": -missing - missing, "y": missing + missing}

    def admit(self, names, a, y):
        return a, like_outputs(a, y, names)


class HalfSquaredError(Op):
    """Squared distance with the ½ that spares the derivative its 2.

        L = ½ Σ_k (a[k] − y[k])²
        ∂L/∂a = (a − y)[k'],  ∂L/∂y = −(a − y)[k']

    Source: second seed, M8; third seed, F6.
    """

    signature = "a[k], y[k] -> L[]"
    formula = "½ Σ (a − y)²"
    labels = ("y",)
    reasons = {"a": "the ½ takes the 2 away", "y": "the ½ takes the 2 away"}

    def forward(self, a, y):
        return ((a - y) ** 2).sum(axis=-1) / 2

    def jacobians(self, a, y):
        residual = dense("(a − y)[k']", a - y)
        return {"a": residual, "y": -residual}

    @quiet
    def vjp(self, L_bar, a, y):
        missing = L_bar[..., None] * (y - a)
        return {"a": -missing, "y": missing}

    def admit(self, names, a, y):
        return a, like_outputs(a, y, names)


class BinaryCrossEntropy(Op):
    """Binary cross-entropy from probabilities.

        L = −Σ_k (y[k] log a[k] + (1 − y[k]) log(1 − a[k]))
        ∂L/∂a = (1 − y)/(1 − a) − y/a

    Where a is 0 and y is 0, or both are 1, the term is 0. Where they disagree
    there, L is infinite. Raises DomainError for labels outside [0, 1] and for
    probabilities outside it. Source: second seed, M9 and M20.
    """

    formula = "−Σ (y log a + (1−y) log(1−a))"
    signature = "a[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"a": "log a has slope 1/a"}

    @quiet
    def forward(self, a, y):
        right = np.where(y > 0, y * np.log(a), 0)
        left = np.where(y < 1, (1 - y) * np.log1p(-a), 0)
        return 0 - (right + left).sum(axis=-1)

    @quiet
    def jacobians(self, a, y):
        up, down = np.where(y < 1, (1 - y) / (1 - a), 0), np.where(y > 0, y / a, 0)
        return {"a": dense("((1−y)/(1−a) − y/a)[k']", up - down, up + down)}

    @quiet
    def vjp(self, L_bar, a, y):
        hard = np.where(y == 0, 1 / (1 - a), -1 / a)
        soft = (a - y) / (a * (1 - a))
        return {"a": L_bar[..., None] * np.where((y == 0) | (y == 1), hard, soft)}

    def admit(self, names, a, y):
        labels = binary_labels(a, y, names)
        wrong = ~((a >= 0) & (a <= 1))
        if wrong.any():
            index = tuple(np.argwhere(wrong)[0])
            raise DomainError(
                f"{entry(names['a'], index)} is {witness(a[index])}; binary cross-entropy takes "
                'probabilities, from 0 to 1.\n  Put a sigmoid in front: activations "sigmoid".'
            )
        return a, labels


class BinaryCrossEntropyFromLogits(Op):
    """Sigmoid and binary cross-entropy in one, from the logits.

        L = Σ_k (1 − y[k]) log(1 + e^z[k]) + y[k] log(1 + e^−z[k])
        ∂L/∂z = (σ(z) − y)[k']

    The fused derivative is computed as (1−y) σ(z) − y σ(−z), which keeps its
    digits where σ(z) rounds to y. Source: second seed, M25.
    """

    formula = "Σ ((1−y) log(1+e^z) + y log(1+e^−z))"
    signature = "z[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"z": "sigmoid and loss as one: σ' cancels"}

    @quiet
    def forward(self, z, y):
        negative = np.where(y < 1, (1 - y) * softplus(z), 0)
        positive = np.where(y > 0, y * softplus(-z), 0)
        return (negative + positive).sum(axis=-1)

    @quiet
    def jacobians(self, z, y):
        up, down = (1 - y) * sigmoid(z), y * sigmoid(-z)
        return {"z": dense("(σ(z) − y)[k']", up - down, up + down)}

    @quiet
    def vjp(self, L_bar, z, y):
        e = np.exp(-np.abs(z))
        right, left = ((1 - y) - y * e) / (1 + e), ((1 - y) * e - y) / (1 + e)
        return {"z": L_bar[..., None] * np.where(z >= 0, right, left)}

    def admit(self, names, z, y):
        return z, binary_labels(z, y, names)


def like_outputs(a: np.ndarray, y: np.ndarray, names: Mapping[str, str]) -> np.ndarray:
    """Labels in the shape of the outputs; a one-output network may leave its axis of size 1 out."""
    if a.ndim > 0 and a.shape[-1] == 1 and y.shape == a.shape[:-1]:
        return y[..., None]
    if y.shape != a.shape:
        raise AxisError(
            f"the labels do not have the shape of the outputs.\n"
            f"  {names.get('outputs', next(iter(names.values())))} has shape {dims(a.shape)}\n"
            f"  {names['y']} has shape {dims(y.shape)}\n"
            f"  Pass one label for each output; nothing is broadcast."
        )
    return y


def binary_labels(a: np.ndarray, y: np.ndarray, names: Mapping[str, str]) -> np.ndarray:
    """Labels in the outputs' dtype and shape, or DomainError naming the one outside [0, 1]."""
    name = names["y"]
    labels = like_outputs(a, y, names).astype(a.dtype)
    wrong = ~((labels >= 0) & (labels <= 1))
    if not wrong.any():
        return labels
    index = tuple(np.argwhere(wrong)[0])
    text = f"{entry(name, index)} is {witness(labels[index])}; "
    if set(np.unique(labels)) <= {-1.0, 1.0}:
        raise DomainError(
            text + f"the labels are -1 and 1, binary cross-entropy takes 0 and 1.\n"
            f"  Pass ({name} + 1) / 2."
        )
    raise DomainError(
        text + "a label of binary cross-entropy lies between 0 and 1.\n"
        '  Use 0 and 1 for the two classes, or loss="squared_error" for a regression.'
    )
