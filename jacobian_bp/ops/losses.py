"""Losses of one example: squared error, Huber's, and binary cross-entropy."""

import numpy as np

from ..algebra.expression import dense
from ..numbers.arrays import quiet
from ..numbers.stable import sigmoid, softplus
from ..writing.signs import number
from .activations import Sigmoid, between
from .base import Op, same_entry
from .kernels import losses as kernels
from .labels import BINARY, PROBABILITIES, binary_labels, like_outputs, require_probabilities
from .textbook import BINARY_CROSS_ENTROPY, BINARY_CROSS_ENTROPY_FROM_LOGITS


class SquaredError(Op):
    """Squared distance, without the ½.

        L = Σ_k (a[k] − y[k])²
        ∂L/∂a = 2 (a − y)[k'],  ∂L/∂y = −2 (a − y)[k']
        ∂²L/∂a² = 2 δ[k',k''] = ∂²L/∂y²,  ∂²L/∂a∂y = −2 δ[k',k'']

    Source: first seed, J7 and J32.
    """

    signature = "a[k], y[k] -> L[]"
    formula = "Σ (a − y)²"
    labels = ("y",)
    reasons = {"a": "squaring gives 2 (a − y)", "y": "squaring gives 2 (a − y)"}
    loss = "squared_error"
    residual = 2.0
    compiled_as = kernels.squared_error
    shows_nonfinite = admits_finite = True

    def forward(self, a, y):
        return ((a - y) ** 2).sum(axis=-1)

    def jacobians(self, a, y):
        residual = dense("(a − y)[k']", a - y)
        return {"a": 2 * residual, "y": -2 * residual}

    def second(self, a, y):
        same = 2 * same_entry("k")
        return {("a", "a"): same, ("a", "y"): -same, ("y", "y"): same}

    @quiet
    def vjp(self, L_bar, a, y):
        missing = L_bar[..., None] * (y - a)
        return {"a": -missing - missing, "y": missing + missing}

    def admit(self, names, a, y):
        return a, like_outputs(a, y, names)

    def peer(self, xp, a, y):
        return ((a - y) ** 2).sum(-1)


class HalfSquaredError(Op):
    """Squared distance with the ½ that spares the derivative its 2.

        L = ½ Σ_k (a[k] − y[k])²
        ∂L/∂a = (a − y)[k'],  ∂L/∂y = −(a − y)[k']
        ∂²L/∂a² = δ[k',k''] = ∂²L/∂y²,  ∂²L/∂a∂y = −δ[k',k'']

    Source: second seed, M8; third seed, F6.
    """

    signature = "a[k], y[k] -> L[]"
    formula = "½ Σ (a − y)²"
    labels = ("y",)
    reasons = {"a": "the ½ takes the 2 away", "y": "the ½ takes the 2 away"}
    loss = "half_squared_error"
    residual = 1.0
    compiled_as = kernels.squared_error
    shows_nonfinite = admits_finite = True

    def forward(self, a, y):
        return ((a - y) ** 2).sum(axis=-1) / 2

    def jacobians(self, a, y):
        residual = dense("(a − y)[k']", a - y)
        return {"a": residual, "y": -residual}

    def second(self, a, y):
        same = same_entry("k")
        return {("a", "a"): same, ("a", "y"): -same, ("y", "y"): same}

    @quiet
    def vjp(self, L_bar, a, y):
        missing = L_bar[..., None] * (y - a)
        return {"a": -missing, "y": missing}

    def admit(self, names, a, y):
        return a, like_outputs(a, y, names)

    def peer(self, xp, a, y):
        return ((a - y) ** 2).sum(-1) / 2


class Huber(Op):
    """Squared error near the label, absolute error beyond ±δ: far outliers pull no harder.

        L = Σ_k h(a[k] − y[k]),  h(r) = ½ r² where |r| ≤ δ, else δ (|r| − ½ δ)
        ∂L/∂a = clip(a − y, ±δ)[k'],  ∂L/∂y = −clip(a − y, ±δ)[k']

        ∂²L/∂a² = δ[k',k''] [|a − y| ≤ δ][k']

    Both pieces have the slope ±δ where they meet: no kink. `delta` is δ, above 0.
    Source: Huber, Robust Estimation of a Location Parameter, 1964, eq. 1.1.
    """

    signature = "a[k], y[k] -> L[]"
    labels = ("y",)
    reasons = {"a": "beyond ±δ the slope stays ±δ", "y": "beyond ±δ the slope stays ±δ"}
    loss = "huber"
    loss_option = "delta"
    shows_nonfinite = admits_finite = True

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = between(delta, float(np.finfo(float).tiny), np.inf, "Huber(delta)")

    @property
    def formula(self) -> str:
        return f"Σ huber(a − y), δ = {number(self.delta)}"

    @property
    def options(self) -> tuple[str, ...]:
        return () if self.delta == 1 else (repr(self.delta),)

    @quiet
    def forward(self, a, y):
        size = abs(a - y)
        near = np.minimum(size, self.delta)
        return (near * near / 2 + self.delta * (size - near)).sum(axis=-1)

    def jacobians(self, a, y):
        clipped = dense(f"clip(a − y, ±{number(self.delta)})[k']", self.clipped(a - y))
        return {"a": clipped, "y": -clipped}

    def second(self, a, y):
        near = (abs(a - y) <= self.delta).astype(a.dtype)
        same = same_entry("k") * dense(f"[|a − y| ≤ {number(self.delta)}][k']", near)
        return {("a", "a"): same, ("a", "y"): -same, ("y", "y"): same}

    @quiet
    def vjp(self, L_bar, a, y):
        missing = y - a
        slope = np.where(abs(missing) > self.delta, np.copysign(self.delta, missing), missing)
        pulled = L_bar[..., None] * slope.astype(missing.dtype)
        return {"a": -pulled, "y": pulled}

    def clipped(self, residual: np.ndarray) -> np.ndarray:
        """The residual, at most ±δ."""
        return np.clip(residual, -self.delta, self.delta)

    def admit(self, names, a, y):
        return a, like_outputs(a, y, names)

    def peer(self, xp, a, y):
        size = abs(a - y)
        near = size - xp.relu(size - self.delta)
        return (near * near / 2 + self.delta * (size - near)).sum(-1)


class BinaryCrossEntropy(Op):
    """Binary cross-entropy from probabilities.

        L = −Σ_k (y[k] log a[k] + (1 − y[k]) log(1 − a[k]))
        ∂L/∂a = (1 − y)/(1 − a) − y/a,  ∂²L/∂a² = δ[k',k''] ((1−y)/(1−a)² + y/a²)[k']

    Where a is 0 and y is 0, or both are 1, the term is 0. Where they disagree
    there, L is infinite. Raises DomainError for labels outside [0, 1] and for
    probabilities outside it. Source: second seed, M9 and M20.
    """

    formula = "−Σ (y log a + (1−y) log(1−a))"
    signature = "a[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"a": "log a has slope 1/a"}
    loss = "bce"
    takes = PROBABILITIES
    label_kind = BINARY
    loss_textbook = BINARY_CROSS_ENTROPY

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
    def second(self, a, y):
        left = np.where(y < 1, (1 - y) / (1 - a) / (1 - a), 0)
        right = np.where(y > 0, y / a / a, 0)
        return {("a", "a"): same_entry("k") * dense("((1−y)/(1−a)² + y/a²)[k']", left + right)}

    @quiet
    def vjp(self, L_bar, a, y):
        hard = np.where(y == 0, 1 / (1 - a), -1 / a)
        soft = (a - y) / (a * (1 - a))
        return {"a": L_bar[..., None] * np.where((y == 0) | (y == 1), hard, soft)}

    def admit(self, names, a, y):
        labels = binary_labels(a, y, names)
        require_probabilities(a, names["a"], "binary cross-entropy", "sigmoid")
        return a, labels

    def fused(self, before):
        return BinaryCrossEntropyFromLogits() if type(before) is Sigmoid else None

    def peer(self, xp, a, y):
        return -(y * xp.log(a) + (1 - y) * xp.log(1 - a)).sum(-1)


class BinaryCrossEntropyFromLogits(Op):
    """Sigmoid and binary cross-entropy in one, from the logits.

        L = Σ_k (1 − y[k]) log(1 + e^z[k]) + y[k] log(1 + e^−z[k])
        ∂L/∂z = (σ(z) − y)[k'],  ∂²L/∂z² = δ[k',k''] (σ(z) σ(−z))[k']

    The fused derivative is computed as (1−y) σ(z) − y σ(−z), which keeps its
    digits where σ(z) rounds to y. Source: second seed, M25.
    """

    formula = "Σ ((1−y) log(1+e^z) + y log(1+e^−z))"
    signature = "z[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"z": "sigmoid and loss as one: σ' cancels"}
    contains = Sigmoid
    label_kind = BINARY
    loss_textbook = BINARY_CROSS_ENTROPY_FROM_LOGITS
    compiled_as = kernels.binary_cross_entropy

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
    def second(self, z, y):
        return {("z", "z"): same_entry("k") * dense("σ'(z)[k']", sigmoid(z) * sigmoid(-z))}

    @quiet
    def vjp(self, L_bar, z, y):
        e = np.exp(-np.abs(z))
        right, left = ((1 - y) - y * e) / (1 + e), ((1 - y) * e - y) / (1 + e)
        return {"z": L_bar[..., None] * np.where(z >= 0, right, left)}

    def admit(self, names, z, y):
        return z, binary_labels(z, y, names)

    def peer(self, xp, z, y):
        return (xp.softplus(z) - y * z).sum(-1)
