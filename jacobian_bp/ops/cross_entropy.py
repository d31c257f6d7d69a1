"""Cross-entropy over classes, from probabilities and from logits.

Labels are class indices (integers), one-hot rows, or soft rows that sum to 1;
inside they are always rows.
"""

import numpy as np

from ..algebra.expression import dense
from ..errors import AxisError, DomainError
from ..numbers.arrays import entry, quiet
from ..numbers.stable import log_softmax, softmax_parts, sum_of_others
from ..writing.signs import dims, witness
from .base import Op
from .softmax import require_live_rows

SUM_TOLERANCE = 1e-6


class CrossEntropy(Op):
    """Cross-entropy from probabilities.

        L = −Σ_k y[k] log p[k]
        ∂L/∂p = −(y/p)[k']

    Where y[k] is 0 the term is 0, also at p[k] = 0.
    """

    formula = "−Σ y log p"
    signature = "p[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"p": "log p has slope 1/p"}

    @quiet
    def forward(self, p, y):
        return 0 - np.where(y > 0, y * np.log(p), 0).sum(axis=-1)

    @quiet
    def jacobians(self, p, y):
        return {"p": -dense("(y/p)[k']", np.where(y > 0, y / p, 0))}

    @quiet
    def vjp(self, L_bar, p, y):
        return {"p": np.where(y > 0, -L_bar[..., None] * y / p, 0)}

    def admit(self, names, p, y):
        labels = class_labels(p, y, names["y"])
        wrong = ~((p >= 0) & (p <= 1))
        if wrong.any():
            index = tuple(np.argwhere(wrong)[0])
            raise DomainError(
                f"{entry(names['p'], index)} is {witness(p[index])}; cross-entropy takes "
                'probabilities, from 0 to 1.\n  Put a softmax in front: activations "softmax".'
            )
        return p, labels


class CrossEntropyFromLogits(Op):
    """Softmax and cross-entropy in one, from the logits.

        L = −Σ_k y[k] log softmax(z)[k]
        ∂L/∂z = (softmax(z) − y)[k'],  as Σ y = 1

    The fused derivative is computed as p (Σy − y) − y (1−p), with 1−p summed from
    the other classes: it keeps its digits where p rounds to y.
    """

    formula = "−Σ y log softmax(z)"
    signature = "z[k], y[k] -> L[]"
    labels = ("y",)
    constants = ("y",)
    reasons = {"z": "softmax and loss as one: Σ y = 1"}

    @quiet
    def forward(self, z, y):
        return 0 - np.where(y > 0, y * log_softmax(z), 0).sum(axis=-1)

    @quiet
    def jacobians(self, z, y):
        p, rest = softmax_parts(z)
        up, down = p * (y.sum(axis=-1, keepdims=True) - y), y * rest
        return {"z": dense("(softmax(z) − y)[k']", up - down, up + down)}

    @quiet
    def vjp(self, L_bar, z, y):
        p = softmax_parts(z)[0]
        return {"z": L_bar[..., None] * (p * sum_of_others(y) - y * sum_of_others(p))}

    def admit(self, names, z, y):
        require_live_rows(z, names["z"])
        return z, class_labels(z, y, names["y"])


def class_labels(outputs: np.ndarray, y: np.ndarray, name: str) -> np.ndarray:
    """Labels as rows of weights in the outputs' dtype, or DomainError naming the first bad one."""
    classes = outputs.shape[-1]
    if y.shape == outputs.shape[:-1]:
        return _one_hot(y, classes, name, outputs.dtype)
    if y.shape != outputs.shape:
        raise AxisError(
            f"{name} has shape {dims(y.shape)}, the outputs have shape {dims(outputs.shape)}.\n"
            f"  Pass class indices of shape {dims(outputs.shape[:-1])}, "
            f"or rows of shape {dims(outputs.shape)}."
        )
    rows = y.astype(outputs.dtype)
    wrong = ~((rows >= 0) & (rows <= 1))
    if wrong.any():
        index = tuple(np.argwhere(wrong)[0])
        raise DomainError(
            f"{entry(name, index)} is {witness(rows[index])}; a soft label lies between 0 and 1.\n"
            "  Give each row weights that sum to 1."
        )
    sums = np.atleast_1d(y.astype(np.float64).sum(axis=-1))
    bad = np.abs(sums - 1) > SUM_TOLERANCE
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        shown = entry(name, (row,)) if y.ndim > 1 else name
        raise DomainError(
            f"{shown} sums to {witness(sums[row])}; a row of class weights sums to 1.\n"
            f"  Divide it by its sum; p − y is the derivative only then."
        )
    return rows


def _one_hot(y: np.ndarray, classes: int, name: str, dtype: np.dtype) -> np.ndarray:
    require_classes(y, classes, name)
    return (np.arange(classes) == y[..., None]).astype(dtype)


def require_classes(y: np.ndarray, classes: int, name: str) -> None:
    """DomainError naming the first label that is not an index of one of the classes."""
    flat = np.atleast_1d(y)
    if y.dtype.kind not in "iu":
        raise DomainError(
            f"{entry(name, (0,) if y.ndim else ())} is {flat[0]!s}, of dtype {y.dtype}; "
            f"a class index is an integer from 0 to {classes - 1}.\n"
            f"  Pass {name}.astype(int), or a row of {classes} class weights."
        )
    wrong = (flat < 0) | (flat >= classes)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise DomainError(
            f"{entry(name, (row,) if y.ndim else ())} is {int(flat[row])}; with {classes} classes "
            f"an index lies from 0 to {classes - 1}.\n"
            "  Count classes from 0, or give the network more outputs."
        )
