"""What a textbook prints for an activation and for a loss, and where it loses its digits.

A student's line is compared with these; nothing is differentiated by them. So they
are written as they stand in books, unguarded, and are no third rule of an op.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..numbers.stable import sigmoid, softmax_parts, softplus

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Textbook:
    """f(z); its slope as a function of z; the same slope as a formula in a = f(z).

    `terms` are the slope by z as a sum of products, each a number and its factors by name, where
    it is more than one factor. `left` is its formula left of 0, where it is 1 on the right.
    `unguarded` are the forms of the slope by z that overflow or give NaN far out.
    """

    name: str  # as it is printed: σ'(z1)
    value: Function
    slope: Function
    by_output: Function | None = None
    written: str = ""  # the formula by a
    unguarded: tuple[Function, ...] = ()
    terms: tuple[tuple[float, tuple[tuple[str, Function], ...]], ...] = ()
    left: Function | None = None


@dataclass(frozen=True)
class LossTextbook:
    """∂L/∂a in the output a and the labels y, and the unguarded forms by what the loss reads."""

    by_output: Callable[[np.ndarray, np.ndarray], np.ndarray]
    unguarded: tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], ...] = ()


def step(z: np.ndarray) -> np.ndarray:
    """1 where z > 0, else 0"""
    return np.where(z > 0, 1.0, 0.0)


def growing_sigmoid(z: np.ndarray) -> np.ndarray:
    """e^z / (1 + e^z)"""
    e = np.exp(z)
    return np.asarray(e / (1 + e))


def shrinking_slope(z: np.ndarray) -> np.ndarray:
    """e^−z / (1 + e^−z)²"""
    e = np.exp(-z)
    return e / (1 + e) ** 2


def growing_tanh_slope(z: np.ndarray) -> np.ndarray:
    """1 − tanh², tanh by e^z and e^−z"""
    up, down = np.exp(z), np.exp(-z)
    return 1 - ((up - down) / (up + down)) ** 2


def normal_below(z: np.ndarray) -> np.ndarray:
    """Φ(z), the part of a normal distribution below z."""
    return np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2, otypes=[float])(z)


def normal_density(z: np.ndarray) -> np.ndarray:
    """φ(z) = e^(−z²/2)/√(2π)"""
    return np.asarray(np.exp(-z * z / 2) / math.sqrt(2 * math.pi))


def sigmoid_by_value(a: np.ndarray) -> np.ndarray:
    """a (1 − a)"""
    return a * (1 - a)


LOGISTIC, COMPLEMENT = ("σ({z})", sigmoid), ("(1−σ({z}))", lambda z: sigmoid(-z))
ITSELF = ("{z}", np.asarray)

IDENTITY = Textbook("identity", lambda z: z, np.ones_like, np.ones_like, "1")
SIGMOID = Textbook(
    "σ",
    sigmoid,
    lambda z: sigmoid(z) * sigmoid(-z),
    sigmoid_by_value,
    "a (1 − a)",
    (lambda z: sigmoid_by_value(growing_sigmoid(z)), shrinking_slope),
    terms=((1.0, (LOGISTIC, COMPLEMENT)),),
)
TANH = Textbook(
    "tanh",
    np.tanh,
    lambda z: 1 / np.cosh(z) ** 2,
    lambda a: 1 - a * a,
    "1 − a²",
    (growing_tanh_slope,),
    terms=((1.0, ()), (-1.0, (("tanh({z})", np.tanh), ("tanh({z})", np.tanh)))),
)
RELU = Textbook("relu", lambda z: np.maximum(z, 0), step, step, "a > 0")
SOFTPLUS = Textbook(
    "softplus",
    softplus,
    sigmoid,
    lambda a: 1 - np.exp(-a),
    "1 − e^−a",
    (growing_sigmoid,),
    terms=((1.0, (("e^{z}", np.exp), ("1/(1 + e^{z})", lambda z: sigmoid(-z)))),),
)

SILU = Textbook(
    "silu",
    lambda z: z * sigmoid(z),
    lambda z: sigmoid(z) * (1 + z * sigmoid(-z)),
    unguarded=(lambda z: growing_sigmoid(z) * (1 + z * (1 - growing_sigmoid(z))),),
    terms=((1.0, (LOGISTIC,)), (1.0, (ITSELF, LOGISTIC, COMPLEMENT))),
)
EXACT_GELU = Textbook(
    "gelu",
    lambda z: z * normal_below(z),
    lambda z: normal_below(z) + z * normal_density(z),
    terms=(
        (1.0, (("Φ({z})", normal_below),)),
        (1.0, (ITSELF, ("φ({z})", normal_density))),
    ),
)


def leaky(flat: float) -> Textbook:
    """z where z > 0, else flat · z: the slope is the same by z and by a."""

    def slope(z: np.ndarray) -> np.ndarray:
        return np.where(z > 0, 1.0, flat)

    return Textbook(
        "leaky_relu",
        lambda z: np.where(z > 0, z, flat * z),
        slope,
        slope,
        "a > 0",
        left=lambda z: np.full_like(z, flat),
    )


def elu(alpha: float) -> Textbook:
    """z where z > 0, else alpha (e^z − 1): the slope there is a + alpha."""
    return Textbook(
        "elu",
        lambda z: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0))),
        lambda a: np.where(a > 0, 1.0, a + alpha),
        "a + alpha",
        left=lambda z: alpha * np.exp(z),
    )


def binary_by_output(a: np.ndarray, y: np.ndarray) -> np.ndarray:
    """−y/a + (1 − y)/(1 − a)"""
    return -y / a + (1 - y) / (1 - a)


def binary_through_sigmoid(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(−y/a + (1 − y)/(1 − a)) a (1 − a), a = 1/(1 + e^−z)"""
    a = 1 / (1 + np.exp(-z))
    return binary_by_output(a, y) * sigmoid_by_value(a)


def classes_by_output(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """−y/p"""
    return -y / p


def growing_softmax(z: np.ndarray) -> np.ndarray:
    """e^z / Σ e^z"""
    e = np.exp(z)
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def through_softmax(p: np.ndarray, incoming: np.ndarray) -> np.ndarray:
    """Σ_k g[k] ∂p[k]/∂z, example by example."""
    return np.asarray(p * (incoming - (incoming * p).sum(-1, keepdims=True)))


def classes_through_softmax(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """−y/p through the softmax that gave p"""
    return through_softmax(p, classes_by_output(p, y))


BINARY_CROSS_ENTROPY = LossTextbook(binary_by_output, (binary_by_output,))
BINARY_CROSS_ENTROPY_FROM_LOGITS = LossTextbook(
    binary_by_output, (binary_through_sigmoid, lambda z, y: growing_sigmoid(z) - y)
)
CROSS_ENTROPY_FROM_LOGITS = LossTextbook(
    classes_by_output,
    (
        lambda z, y: classes_through_softmax(growing_softmax(z), y),
        lambda z, y: growing_softmax(z) - y,
        lambda z, y: classes_through_softmax(softmax_parts(z)[0], y),
    ),
)
