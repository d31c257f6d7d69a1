"""The hinge loss over classes: each other class should stay a margin below the true one."""

from collections.abc import Mapping

import numpy as np

from ..algebra.expression import dense
from ..errors import DomainError
from ..numbers.arrays import entry, quiet
from ..writing.signs import witness
from .base import Op
from .labels import CLASSES, class_labels

MARGIN = 1.0
MOST_TOLD_APART = 50  # classes whose sides of the margin are told apart, for kinks


class Hinge(Op):
    """The multiclass hinge loss of Weston and Watkins, with margin 1.

        L = Σ_k≠y max(0, m[k]),  m[k] = 1 + z[k] − z[y]
        ∂L/∂z = s[k'] − [k' the true class] Σ_k s[k],  s[k] = 1 where m[k] > 0, else 0, and s[y] = 0

    A class pushes with slope 1 while it is less than 1 below the true one, which is pushed the
    other way by each of them. Where a margin is exactly 0, a kink, its slope is taken as 0.
    Labels are class indices or one-hot rows. Raises DomainError for a row of other weights.
    Source: Weston and Watkins, 1999.
    """

    signature = "z[k], y[k] -> L[]"
    formula = "Σ max(0, 1 + z − z of the true class) over the other classes"
    own_letters = ("s",)
    labels = ("y",)
    constants = ("y",)
    reasons: Mapping[str, str] = {
        "z": "s is 1 for a class inside the margin, which pushes up; the true one is pushed down"
    }
    loss = "hinge"
    label_kind = CLASSES
    kink = "a margin is exactly 0; its slope is taken as 0"

    @quiet
    def forward(self, z, y):
        return np.maximum(self._margins(z, y), 0).sum(axis=-1)

    @quiet
    def jacobians(self, z, y):
        inside = (self._margins(z, y) > 0).astype(z.dtype)
        count = inside.sum(axis=-1, keepdims=True)
        return {"z": dense("(s − y Σ s)[k']", np.where(y > 0, -count, inside))}

    def second(self, *inputs):
        return {}

    @quiet
    def vjp(self, L_bar, z, y):
        bar = np.where(self._margins(z, y) > 0, L_bar[..., None], 0).astype(z.dtype)
        return {"z": bar - y * bar.sum(axis=-1, keepdims=True)}

    def branch(self, z, y):
        """Which margins are above 0, as a number; 0 where one is exactly 0."""
        margins = self._margins(z, y)
        place = 2.0 ** (np.arange(z.shape[-1]) % MOST_TOLD_APART)
        sides = 1 + ((margins > 0) * place).sum(axis=-1)
        return np.where(((margins == 0) & (y == 0)).any(axis=-1), 0, sides)

    def admit(self, names, z, y):
        rows = class_labels(z, y, names["y"])
        soft = np.argwhere((rows != 0) & (rows != 1))
        if len(soft):
            place = tuple(map(int, soft[0]))
            raise DomainError(
                f"{entry(names['y'], place)} is {witness(float(rows[place]))}; a hinge loss has "
                "one true class.\n  Pass class indices, or rows with one 1."
            )
        return z, rows

    def _margins(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """1 + z[k] − z[y], and −∞ at the true class, which has none."""
        true = np.where(y > 0, z, 0).sum(axis=-1, keepdims=True)
        return np.where(y > 0, -np.inf, (z - true) + MARGIN).astype(z.dtype)
