"""The multilayer network as a program: names, activations, losses."""

from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral
from typing import Any

from ..errors import DomainError, SpecError
from ..ops import (
    BinaryCrossEntropy,
    CrossEntropy,
    HalfSquaredError,
    Identity,
    LeakyReLU,
    Linear,
    Mean,
    Op,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    SquaredError,
    Sum,
    Tanh,
)
from ..program.program import Step
from ..writing.signs import did_you_mean, plural

ACTIVATIONS: dict[str, type[Op]] = {
    "identity": Identity,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "softplus": Softplus,
    "softmax": Softmax,
}
LOSSES: dict[str, type[Op]] = {
    "squared_error": SquaredError,
    "half_squared_error": HalfSquaredError,
    "bce": BinaryCrossEntropy,
    "cross_entropy": CrossEntropy,
}
REDUCTIONS: dict[str, type[Op]] = {"mean": Mean, "sum": Sum}
PROBABILITIES = {"bce": ("sigmoid", "softmax"), "cross_entropy": ("softmax",)}

Shapes = dict[str, tuple[int, ...]]


def build_dense(
    sizes: Sequence[int],
    activations: str | Sequence[str],
    loss: str | None,
    reduction: str,
    squash_input: bool | str,
) -> tuple[list[Step], Shapes]:
    """The steps of the layers, and the shape of each parameter."""
    widths = _widths(sizes)
    names = _activation_names(activations, len(widths) - 1)
    _require_probabilities(loss, names[-1])
    steps: list[Step] = []
    shapes: Shapes = {}
    last = "x"
    if not isinstance(squash_input, bool | str):
        raise SpecError(
            f"squash_input is {squash_input!r}.\n  Write True, False, or an activation's name."
        )
    if squash_input:
        squash = "sigmoid" if squash_input is True else squash_input
        steps.append(Step("a0", choose(ACTIVATIONS, squash, "squash_input")(), ("x",)))
        last = "a0"
    for layer, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        weight, bias = f"W{layer}", f"b{layer}"
        shapes[weight], shapes[bias] = (outputs, inputs), (outputs,)
        steps.append(Step(f"z{layer}", Linear(), (last, weight, bias)))
        activation = choose(ACTIVATIONS, names[layer - 1], f"the activation of layer {layer}")
        last = f"a{layer}"
        steps.append(Step(last, activation(), (f"z{layer}",)))
    if loss is not None:
        steps.append(Step("L", choose(LOSSES, loss, "loss")(), (last, "y")))
        steps.append(Step("J", choose(REDUCTIONS, reduction, "reduction")(), ("L",)))
    return steps, shapes


def choose(table: dict[str, type[Op]], name: Any, what: str) -> type[Op]:
    """The entry of a fixed table, or SpecError with the nearest name."""
    if isinstance(name, str) and name in table:
        return table[name]
    guess = did_you_mean(name, table, "'")
    raise SpecError(
        f"{what} is {repr(name)[:60]}, which is not known.{guess}\n"
        f"  Write one of {', '.join(table)}."
    )


def _widths(sizes: Sequence[int]) -> list[int]:
    if isinstance(sizes, str) or not hasattr(sizes, "__len__") or len(sizes) < 2:
        raise SpecError(
            f"sizes is {sizes!r}; a network has an input width and at least one layer.\n"
            "  Write it such as [3, 4, 2, 1]."
        )
    for position, width in enumerate(sizes):
        if isinstance(width, bool) or not isinstance(width, Integral) or width < 1:
            raise SpecError(
                f"sizes[{position}] is {width!r}; a width is a whole number from 1 up.\n"
                "  Write it such as [3, 4, 2, 1]."
            )
    return [int(width) for width in sizes]


def _activation_names(activations: str | Sequence[str], layers: int) -> list[str]:
    if isinstance(activations, str):
        return [activations] * layers
    if not isinstance(activations, Sequence):
        raise SpecError(
            f"activations is {activations!r}.\n"
            "  Write one name for all layers, or a list with one a layer."
        )
    names = list(activations)
    if len(names) != layers:
        raise SpecError(
            f"activations has {plural(len(names), 'name')}, "
            f"the network has {plural(layers, 'layer')}.\n"
            "  Write one name for all layers, or one a layer; the input is not a layer."
        )
    return names


def _require_probabilities(loss: str | None, last: str) -> None:
    allowed = PROBABILITIES.get(loss or "")
    if allowed and last in ACTIVATIONS and last not in allowed:
        raise DomainError(
            f"loss {loss!r} compares probabilities; the last activation is {last!r}.\n"
            f"  Make the last activation {' or '.join(map(repr, allowed))}; "
            "the two are differentiated as one."
        )
