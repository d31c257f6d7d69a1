"""What a student writes for an activation and its slope: by z, by a, and the value itself."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ....numbers.stable import sigmoid, softplus
from ....ops import Identity, LeakyReLU, Op, ReLU, Sigmoid, Softplus, Tanh

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Formulas:
    """f(z); its slope as a function of z; the same slope as a formula in a = f(z)."""

    name: str
    value: Function
    slope: Function
    by_value: Function
    written: str  # the formula by a


def _sigmoid_slope(z: np.ndarray) -> np.ndarray:
    return sigmoid(z) * sigmoid(-z)


def _tanh_slope(z: np.ndarray) -> np.ndarray:
    return 1 / np.cosh(z) ** 2


def _step(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, 1.0, 0.0)


SIGMOID = Formulas("σ", sigmoid, _sigmoid_slope, lambda a: a * (1 - a), "a (1 − a)")
TANH = Formulas("tanh", np.tanh, _tanh_slope, lambda a: 1 - a * a, "1 − a²")
RELU = Formulas("relu", lambda z: np.maximum(z, 0), _step, _step, "a > 0")
SOFTPLUS = Formulas("softplus", softplus, sigmoid, lambda a: 1 - np.exp(-a), "1 − e^−a")
IDENTITY = Formulas("identity", lambda z: z, np.ones_like, np.ones_like, "1")
BY_CLASS: dict[type[Op], Formulas] = {
    Sigmoid: SIGMOID,
    Tanh: TANH,
    ReLU: RELU,
    Softplus: SOFTPLUS,
    Identity: IDENTITY,
}


def formulas(op: Op) -> Formulas | None:
    """The formulas of a known activation."""
    if isinstance(op, LeakyReLU):
        steep, flat = 1.0, float(op.slope)

        def slope(z: np.ndarray) -> np.ndarray:
            return np.where(z > 0, steep, flat)

        return Formulas("leaky_relu", lambda z: np.where(z > 0, z, flat * z), slope, slope, "a > 0")
    return BY_CLASS.get(type(op))


def slope_name(op: Op, z: str) -> str:
    """As it is printed: σ'(z1), relu'(z2)."""
    known = formulas(op)
    return f"{known.name if known else op.name.lower()}'({z})"
