"""Weights under the names and in the layout of Flax, Keras and others, as PyTorch would have them.

    Dense_0/kernel (inputs, outputs), Dense_0/bias    Flax, with / or . between the parts
    dense/kernel:0, dense/bias:0                      Keras
    W0, b0, W1, b1                                    counted from 0

A kernel is turned: of a layer to (outputs, inputs), of a convolution (taps, inputs, outputs) to
(outputs, inputs, taps).
"""

import re
from collections.abc import Mapping

import numpy as np

from ...errors import SpecError
from .paths import brief
from .stored import Stored

FROM_ZERO = re.compile(r"([Wb])(0|[1-9][0-9]{0,5})")
PART = re.compile(r"(.{1,200})[/.](kernel|bias|scale|embedding|gamma|beta)(:0)?")
PLAIN = {
    "kernel": "weight", "scale": "weight", "gamma": "weight", "embedding": "weight",
    "bias": "bias", "beta": "bias",
}  # fmt: skip


def as_named_here(stored: Mapping[str, Stored], name: str) -> dict[str, Stored]:
    """The same arrays under names that are known here; others stay as they are.

    >>> def row(*shape): return Stored(shape, np.dtype(float), "", lambda: np.ones(shape))
    >>> found = as_named_here({"dense/kernel:0": row(3, 5), "dense_1/kernel:0": row(5, 2)}, "w.npz")
    >>> {key: array.shape for key, array in found.items()}
    {'dense_0.weight': (5, 3), 'dense_1.weight': (2, 5)}
    >>> list(as_named_here({"W0": row(5, 3), "b0": row(5)}, "w.npz"))
    ['W1', 'b1']

    Raises SpecError where two arrays would have one name.
    """
    zero = [FROM_ZERO.fullmatch(key) for key in stored]
    if stored and all(zero) and not {"W0", "b0"}.isdisjoint(stored):
        return {
            f"{match[1]}{int(match[2]) + 1}": array
            for match, array in zip(zero, stored.values(), strict=True)
            if match
        }
    parts = {key: PART.fullmatch(key) for key in stored}
    if not any(match and match[2] == "kernel" for match in parts.values()):
        return dict(stored)
    stems = {match[1] for match in parts.values() if match}
    found: dict[str, Stored] = {}
    for key, array in stored.items():
        match = parts[key]
        own = f"{_numbered(match[1], stems)}.{PLAIN[match[2]]}" if match else key
        if own in found:
            raise SpecError(
                f"{name}: {brief(key)} is the {own.rpartition('.')[2]} of a layer that has one "
                "already.\n  Keep one of the two."
            )
        found[own] = turned(array) if match and match[2] == "kernel" else array
    return found


def turned(array: Stored) -> Stored:
    """A kernel as PyTorch has it: outputs, inputs, then the taps."""
    rank = len(array.shape)
    if rank < 2:
        return array
    order = (rank - 1, rank - 2, *range(rank - 2))
    shape = tuple(array.shape[axis] for axis in order)
    return Stored(
        shape,
        array.dtype,
        array.trouble,
        lambda: np.ascontiguousarray(array.load().transpose(order)),
    )


def _numbered(stem: str, stems: set[str]) -> str:
    """Keras calls the first of several dense, the next dense_1: the first is number 0."""
    plain = stem.replace("/", ".")
    if not re.search(r"_\d+$", stem) and any(
        re.fullmatch(re.escape(stem) + r"_\d+", other) for other in stems
    ):
        return f"{plain}_0"
    return plain
