"""How losses are written: that of each example, then the mean or the sum over the rest."""

from dataclasses import replace
from typing import Any

from .building import Builder, UnreadableError, Value
from .entry_rules import with_number
from .model import Node
from .views import turned

ENTRYWISE = {
    "squared_error": "SquaredError",
    "half_squared_error": "HalfSquaredError",
    "huber": "Huber",
    "bce": "BinaryCrossEntropy",
    "bce_logits": "BinaryCrossEntropyFromLogits",
}


def entrywise(b: Builder, node: Node) -> Value:
    """A loss that is a sum over the outputs, its mean over outputs and examples, or its sum."""
    value, labels = b.read(node.reads[0]), _labels(b, node)
    outputs = value.shape[-1] if value.example else 1
    if not value.example and value.batched:
        value = _with_output(b, value)
    value = replace(value, view=None)
    options = {"delta": node.options["delta"]} if node.options.get("delta", 1.0) != 1.0 else {}
    op = ENTRYWISE[node.kind]
    reduction = node.options["reduction"]
    loss = b.line(_part(node, "L"), op, [value, labels], value.shape[:-1], **options)
    if node.options.get("over", 1.0) != 1.0:
        loss = with_number(b, _part(node, "S"), "Divide", loss, node.options["over"])
    if reduction == "none":
        raise UnreadableError("it keeps the loss of each entry", 'reduction="mean"')
    if reduction == "mean" and outputs > 1:
        loss = b.line(_part(node, "E"), "MeanOverOutputs", [loss], loss.shape, outputs)
    return over_all(b, node, loss)


def cross_entropy(b: Builder, node: Node) -> Value:
    """Cross-entropy from logits, or from probabilities; classes on the last axis."""
    value, labels = b.read(node.reads[0]), _labels(b, node)
    op = "CrossEntropyFromLogits" if node.kind == "cross_entropy" else "CrossEntropy"
    if node.kind == "nll":
        value, op = _logits_of(b, value), "CrossEntropyFromLogits"
    if len(value.example) > 1 and value.view is None and not node.options.get("last"):
        order = [*range(1, len(value.example)), 0]  # classes stand on axis 1
        value = turned(b, _part(node, "z"), value, order)
    if node.options["reduction"] == "none":
        raise UnreadableError("it keeps the loss of each example", 'reduction="mean"')
    own = replace(value, view=None)
    loss = b.line(_part(node, "L"), op, [own, labels], own.shape[:-1])
    return over_all(b, node, loss)


def over_all(b: Builder, node: Node, loss: Value) -> Value:
    """The mean or the sum of the losses of all examples, tokens included."""
    op = "Mean" if node.options["reduction"] == "mean" else "Sum"
    if not loss.shape:
        return loss
    names = loss.axes or ()
    options: dict[str, Any] = {} if names == ("n",) else {"over": ",".join(names)}
    return b.line(node.called, op, [loss], (), **options)


def _labels(b: Builder, node: Node) -> Value:
    """The labels as they are given, whose examples and tokens may have been put in one axis."""
    key = node.reads[1]
    if b.constant(key) is not None:
        raise UnreadableError("its labels are constant", "make them an input of the model")
    labels = b.value(key)
    if labels.name not in b.model.names.values():
        raise UnreadableError("its labels are computed", "make them an input of the model")
    return replace(labels, view=None)


def _logits_of(b: Builder, value: Value) -> Value:
    """What a log-softmax reads, whose value the loss reads."""
    step = b.steps.get(value.name)
    if step is None or step.op.name != "LogSoftmax" or len(step.args) > 1:
        raise UnreadableError("it reads what no log-softmax gives", "cross_entropy of the logits")
    return replace(value, name=step.args[0], axes=b.axes.get(step.args[0]))


def _with_output(b: Builder, value: Value) -> Value:
    """The value before its one output lost its axis: z of shape (n, 1)."""
    step = b.steps.get(value.name)
    if step is not None and getattr(step.op, "equation", "") == "k->":
        return Value(step.args[0], (*value.shape, 1), b.axes.get(step.args[0]), True)
    raise UnreadableError("it reads one number of each example", "keep the axis of the outputs")


def _part(node: Node, letter: str) -> str:
    return letter if node.called == "J" else f"{node.called}_{letter}"


RULES = {
    **dict.fromkeys(ENTRYWISE, entrywise),
    "cross_entropy": cross_entropy,
    "cross_entropy_probabilities": cross_entropy,
    "nll": cross_entropy,
}
