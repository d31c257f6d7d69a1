"""The multilayer network as a program: names, activations, losses."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from numbers import Integral
from typing import Any

from ..errors import DomainError, SpecError
from ..ops import CrossEntropy, Linear, Mean, MeanOverOutputs, Op
from ..ops.names import ACTIVATIONS, LOSSES, REDUCTIONS, Named, fitting
from ..program.making_ops import make_op
from ..program.step import Step
from ..writing.signs import did_you_mean, plural
from .penalised import penalised, read_penalty

Shapes = dict[str, tuple[int, ...]]


def build_dense(
    sizes: Sequence[int],
    activations: str | Sequence[str],
    loss: str | None,
    reduction: str,
    squash_input: bool | str,
    own: Mapping[str, Op | type[Op]],
    penalty: Any = None,
) -> tuple[list[Step], Shapes]:
    """The steps of the layers, and the shape of each parameter; `own` are the caller's ops."""
    widths = _widths(sizes)
    names = _activation_names(activations, len(widths) - 1)
    known: Named = {**ACTIVATIONS, **{name: op for name, op in own.items() if not op.labels}}
    losses: Named = {**LOSSES, **{name: op for name, op in own.items() if op.labels}}
    _require_probabilities(loss, names[-1], losses, known)
    steps: list[Step] = []
    shapes: Shapes = {}
    last = "x"
    if not isinstance(squash_input, bool | str):
        raise SpecError(
            f"squash_input is {squash_input!r}.\n  Write True, False, or an activation's name."
        )
    if squash_input:
        squash = "sigmoid" if squash_input is True else squash_input
        steps.append(Step("a0", choose(known, squash, "squash_input"), ("x",)))
        last = "a0"
    for layer, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        weight, bias = f"W{layer}", f"b{layer}"
        shapes[weight], shapes[bias] = (outputs, inputs), (outputs,)
        steps.append(Step(f"z{layer}", Linear(), (last, weight, bias)))
        activation = choose(known, names[layer - 1], f"the activation of layer {layer}")
        last = f"a{layer}"
        steps.append(Step(last, activation, (f"z{layer}",)))
    if loss is not None:
        steps.append(Step("L", choose(losses, loss, "loss"), (last, "y")))
        steps += _reduced(reduction, loss, widths[-1], losses)
    rates = read_penalty(penalty, shapes)
    if rates and loss is None:
        raise SpecError(
            f"there is a penalty on {', '.join(rates)}, and no loss to add it to.\n"
            "  Give the network a loss, or leave the penalty out."
        )
    return penalised(steps, rates, shapes), shapes


def choose(table: Named, name: Any, what: str) -> Op:
    """The op of this name, or SpecError with the nearest one."""
    if isinstance(name, str) and name in table:
        return make_op(table[name], what)
    guess = did_you_mean(name, table, "'")
    raise SpecError(
        f"{what} is {repr(name)[:60]}, which is not known.{guess}\n"
        f"  Write one of {', '.join(table)}."
    )


def read_loss(loss: Any) -> tuple[Any, dict[str, Op]]:
    """The name of a loss, and the op where an option is said beside it: {"huber": 0.5}."""
    if not isinstance(loss, Mapping):
        return loss, {}
    told = ", ".join(f'{{"{name}": 0.5}}' for name, op in LOSSES.items() if op.loss_option)
    said = next(iter(loss.items())) if len(loss) == 1 else ("", None)
    option = LOSSES[said[0]].loss_option if said[0] in LOSSES else ""
    if not option:
        raise SpecError(
            f"loss is {repr(dict(loss))[:60]}, which is not known.\n"
            f"  Write a name, or with a number beside it {told}."
        )
    return said[0], {said[0]: LOSSES[said[0]](**{option: said[1]})}


def _reduced(reduction: str, loss: str, outputs: int, losses: Named) -> list[Step]:
    """The steps from the loss of each example to the cost J."""
    if reduction != MeanOverOutputs.reduction:
        return [Step("J", choose(REDUCTIONS, reduction, "reduction"), ("L",))]
    if losses[loss] is CrossEntropy:
        raise DomainError(
            f'reduction "{reduction}" divides by the number of outputs; {loss!r} has one term '
            'for each example, that of its class.\n  Write reduction="mean", the mean over the '
            "examples."
        )
    return [Step("E", MeanOverOutputs(outputs), ("L",)), Step("J", Mean(), ("E",))]


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


def _require_probabilities(loss: str | None, last: str, losses: Named, activations: Named) -> None:
    allowed = fitting(loss, losses, activations)
    if allowed and last in activations and last not in allowed:
        raise DomainError(
            f"loss {loss!r} compares probabilities; the last activation is {last!r}.\n"
            f"  Make the last activation {' or '.join(map(repr, allowed))}; "
            "the two are differentiated as one."
        )
