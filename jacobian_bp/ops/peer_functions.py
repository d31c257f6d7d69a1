"""The functions in which an op says what it computes in another package.

    def peer(self, xp, z):
        return z * xp.sigmoid(z)

The arithmetic is Python's own: + - * / ** @, abs, .sum(-1) and .mean(0). `NUMPY`
has the same functions, so that the rule of an op is checked where no peer is installed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..numbers.stable import log_softmax, sigmoid, softmax_parts, softplus
from .windows import Sizes, Windows

Unary = Callable[[Any], Any]


@dataclass(frozen=True)
class Functions:
    """What a network needs of a peer; sums and softmax run over the last axis."""

    sigmoid: Unary
    tanh: Unary
    relu: Unary
    softplus: Unary
    softmax: Unary
    log_softmax: Unary
    log: Unary
    einsum: Any = None  # None, here and below: the peer has no layers of the kind
    erf: Unary | None = None
    convolve: Any = None  # of x, K, windows and the number of groups
    largest_pool: Any = None  # of x, the widths and how the windows lie
    not_later: Unary | None = None  # scores, −inf where u > t


def _convolved(x: np.ndarray, K: np.ndarray, windows: Windows, groups: int) -> np.ndarray:
    rank = K.ndim - 2
    view = windows.view(x, K.shape[2:])
    lead, places = view.shape[: -2 * rank - 1], view.shape[-2 * rank : -rank]
    entries = view.reshape(*lead, groups, K.shape[1], prod(places), -1)
    kernels = K.reshape(groups, len(K) // groups, K.shape[1], -1)
    y = np.einsum("...geot,gdet->...gdo", entries, kernels)
    return y.reshape(*lead, len(K), *places)


def _largest(x: np.ndarray, widths: Sizes, windows: Windows) -> np.ndarray:
    return windows.view(x, widths, -np.inf).max(axis=tuple(range(-len(widths), 0)))


def _not_later(s: np.ndarray) -> np.ndarray:
    return np.where(np.tri(*s.shape[-2:]) > 0, s, -np.inf).astype(s.dtype)


NUMPY = Functions(
    sigmoid,
    np.tanh,
    lambda z: np.maximum(z, 0),
    softplus,
    lambda z: softmax_parts(z)[0],
    log_softmax,
    np.log,
    np.einsum,
    np.vectorize(math.erf, otypes=[float]),
    _convolved,
    _largest,
    _not_later,
)
