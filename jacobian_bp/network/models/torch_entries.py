"""aten functions of single entries, each as one node."""

from typing import Any

import numpy as np

from .model import Node
from .torch_call import Call, Rule, UnknownError


def unary(kind: str, **options: Any) -> Rule:
    """A function of one value, entry by entry."""
    return lambda call: call.one(
        kind, [call["self"] if "self" in call.given else call["input"]], **options
    )


def same(call: Call) -> list[Node]:
    return call.one("same", [next(iter(call.given.values()))])


def binary(kind: str) -> Rule:
    """Two values, or a value and a number."""

    def rule(call: Call) -> list[Node]:
        if call.given.get("alpha", 1) != 1:
            raise UnknownError("it has alpha; multiply before")
        if call.given.get("rounding_mode") is not None:
            raise UnknownError("it rounds")
        left, right = call["self"], call["other"]
        return call.one(kind, [_operand(call, left), _operand(call, right)])

    return rule


def reversed_difference(call: Call) -> list[Node]:
    """other − self."""
    if call.given.get("alpha", 1) != 1:
        raise UnknownError("it has alpha; multiply before")
    return call.one("subtract", [_operand(call, call["other"]), call["self"]])


def _operand(call: Call, value: Any) -> str:
    """The key of an operand; a number gets one of its own."""
    if isinstance(value, str):
        return value
    key = f"number {float(value)!r}"
    call.numbers[key] = np.array(float(value))
    return key


def dropout(call: Call) -> list[Node]:
    train = call.given.get("train", False)
    if train and call["p"] > 0:
        raise UnknownError("it drops out at random in training; call model.eval()")
    return same(call)


def power(call: Call) -> list[Node]:
    if isinstance(call["exponent"], str):
        raise UnknownError("its exponent is computed")
    return call.one("power", [call["self"]], p=float(call["exponent"]))


def gelu(call: Call) -> list[Node]:
    return call.one("gelu", [call["self"]], approximate=call["approximate"] == "tanh")


def elu(call: Call) -> list[Node]:
    return call.one("elu", [call["self"]], alpha=float(call["alpha"]))


def leaky_relu(call: Call) -> list[Node]:
    return call.one("leaky_relu", [call["self"]], slope=float(call["negative_slope"]))


def masked_fill(call: Call) -> list[Node]:
    fill = call["value"]
    if isinstance(fill, str):
        raise UnknownError("it fills in a tensor; write a number")
    return call.one("masked_fill", [call["self"], call["mask"]], fill=float(fill))


def where(call: Call) -> list[Node]:
    """Scores where a constant mask stands, and −∞ elsewhere."""
    fill = call["other"]
    if call["condition"] not in call.constants:
        raise UnknownError("its condition is computed")
    if isinstance(fill, str):
        if fill not in call.constants or call.constants[fill].numel() != 1:
            raise UnknownError("it chooses between two values")
        fill = float(call.constants[fill])
    return call.one("masked_fill", [call["self"], call["condition"]], fill=float(fill), kept=True)
