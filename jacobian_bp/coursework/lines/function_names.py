"""What the name of a student's function says: sigmoid, relu_derivative, softmax, sigmoid_prime."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

SLOPE = re.compile(
    r"deriv|prime|grad|_der|^der|dev\b|_dev|backward|slope|^d_?(relu|sig|tanh|act|re)|relu_?d|sig_?d"
)
ACTIVATION = re.compile(r"relu|sigm|tanh|softmax|activ|nonlin|^act$|^f$|^g$|expit")
FORMULAS: dict[
    str, tuple[Callable[..., Any], Callable[..., Any]]
] = {  # the activation by z, its slope by a
    "sigm": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
    "tanh": (np.tanh, lambda a: 1 - a * a),
    "relu": (lambda z: np.maximum(z, 0), lambda a: (a > 0) * 1.0),
    "identity": (lambda z: z * 1.0, np.ones_like),
}
NAMES = ("sigm", "tanh", "relu", "softmax")


class NamedFunction(NamedTuple):
    """An activation or a slope; `op` is one of NAMES, or "" where the name does not say which.

    `takes` is "a" where the name says that it takes the activation, as nonlin(a, True) does.
    """

    kind: str
    op: str
    takes: str = ""


def function_of(word: str, deriving: bool = False) -> NamedFunction | None:
    """What a function's name says, or None; `deriving` where an argument asks for the slope.

    >>> function_of("relu_derivative"), function_of("activation")
    (NamedFunction(kind='slope', op='relu', takes=''), NamedFunction(kind='activation', op='', \
takes=''))
    """
    low = word.lower().replace("σ", "sigmoid")
    named = (name for name in NAMES if name in low and not (name == "relu" and "leaky" in low))
    op = next(named, "")
    if deriving or SLOPE.search(low):
        return NamedFunction("slope", op, "a" if deriving and low == "nonlin" else "")
    return NamedFunction("activation", op) if ACTIVATION.search(low) else None
