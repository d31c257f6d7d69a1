"""Labels and the outputs that they are compared with: each rule once.

    numbers   one for each output, in its shape
    binary    the same, each from 0 to 1
    classes   an index for each example, or a row of weights that sums to 1

A network with one output takes its label as a number or as a vector of one, and
the labels of a batch as (m,) or (m, 1); nothing else is reshaped. Inside, classes
are always rows.
"""

from collections.abc import Mapping

import numpy as np

from ..errors import AxisError, DomainError
from ..numbers.arrays import entry
from ..writing.signs import dims, witness

NUMBERS, BINARY, CLASSES = "numbers", "binary", "classes"
PROBABILITIES, DISTRIBUTION = "probabilities", "a distribution"  # which sums to 1
SUM_TOLERANCE = 1e-6


def outside_unit(values: np.ndarray) -> tuple[int, ...] | None:
    """Where the first entry lies that is no probability, a number from 0 to 1.

    >>> outside_unit(np.array([[0.5, 1.0], [1.5, 0.0]]))
    (1, 0)
    """
    wrong = ~((values >= 0) & (values <= 1))
    return tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.any() else None


def are_signs(labels: np.ndarray) -> bool:
    """Whether two classes are told by −1 and 1, not by 0 and 1."""
    return set(np.unique(labels)) <= {-1.0, 1.0}


def unequal_to_one(rows: np.ndarray) -> np.ndarray:
    """Which rows of class weights do not sum to 1."""
    sums = np.atleast_1d(rows.astype(np.float64).sum(axis=-1))
    return np.abs(sums - 1) > SUM_TOLERANCE


def require_probabilities(outputs: np.ndarray, name: str, loss: str, activation: str) -> None:
    """DomainError naming the first output that is no probability."""
    index = outside_unit(outputs)
    if index is not None:
        raise DomainError(
            f"{entry(name, index)} is {witness(outputs[index])}; {loss} takes probabilities, "
            f'from 0 to 1.\n  Put a {activation} in front: activations "{activation}".'
        )


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
    index = outside_unit(labels)
    if index is None:
        return labels
    text = f"{entry(name, index)} is {witness(labels[index])}; "
    if are_signs(labels):
        raise DomainError(
            text + f"the labels are -1 and 1, binary cross-entropy takes 0 and 1.\n"
            f"  Pass ({name} + 1) / 2."
        )
    raise DomainError(
        text + "a label of binary cross-entropy lies between 0 and 1.\n"
        '  Use 0 and 1 for the two classes, or loss="squared_error" for a regression.'
    )


def class_labels(outputs: np.ndarray, y: np.ndarray, name: str) -> np.ndarray:
    """Labels as rows of weights in the outputs' dtype, or DomainError naming the first bad one."""
    classes = outputs.shape[-1]
    if y.shape == outputs.shape[:-1]:
        require_classes(y, classes, name)
        return (np.arange(classes) == y[..., None]).astype(outputs.dtype)
    if y.shape != outputs.shape:
        raise AxisError(
            f"{name} has shape {dims(y.shape)}, the outputs have shape {dims(outputs.shape)}.\n"
            f"  Pass class indices of shape {dims(outputs.shape[:-1])}, "
            f"or rows of shape {dims(outputs.shape)}."
        )
    rows = y.astype(outputs.dtype)
    index = outside_unit(rows)
    if index is not None:
        raise DomainError(
            f"{entry(name, index)} is {witness(rows[index])}; a soft label lies between 0 and 1.\n"
            "  Give each row weights that sum to 1."
        )
    bad = unequal_to_one(y)
    if bad.any():
        row = tuple(map(int, np.argwhere(bad)[0]))
        shown = entry(name, row) if y.ndim > 1 else name
        total = np.atleast_1d(y.astype(np.float64).sum(axis=-1))[row]
        raise DomainError(
            f"{shown} sums to {witness(total)}; a row of class weights sums to 1.\n"
            f"  Divide it by its sum; p − y is the derivative only then."
        )
    return rows


def wrong_class(y: np.ndarray, classes: int) -> np.ndarray:
    """Which entries are not the index of one of the classes."""
    return (y < 0) | (y >= classes)


def require_classes(y: np.ndarray, classes: int, name: str) -> None:
    """DomainError naming the first label that is not an index of one of the classes."""
    flat = np.atleast_1d(y)
    if y.dtype.kind not in "iu":
        broken = flat != np.floor(flat)
        whole = not broken.any()
        first = _first(broken)  # 0 where all are whole
        instead = f"{name}.astype(int)" if whole else "whole numbers"
        raise DomainError(
            f"{entry(name, first if y.ndim else ())} is {flat[first]!s}, of dtype {y.dtype}; "
            f"a class index is an integer from 0 to {classes - 1}.\n"
            f"  Pass {instead}, or a row of {classes} class weights."
        )
    wrong = wrong_class(flat, classes)
    if wrong.any():
        row = _first(wrong)
        raise DomainError(
            f"{entry(name, row if y.ndim else ())} is {int(flat[row])}; with {classes} classes "
            f"an index lies from 0 to {classes - 1}.\n"
            "  Count classes from 0, or give the network more outputs."
        )


def _first(flags: np.ndarray) -> tuple[int, ...]:
    """Where the first entry lies that is true; the very first where none is."""
    return tuple(map(int, np.unravel_index(int(np.argmax(flags)), flags.shape)))
