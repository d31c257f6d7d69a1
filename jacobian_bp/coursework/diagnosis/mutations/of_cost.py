"""Mistakes where the backward pass starts: the derivative of the cost."""

from collections.abc import Iterator

import numpy as np

from ....ops import Softmax
from ....ops.labels import CLASSES, PROBABILITIES
from ..passes.backward import Line
from ..passes.pass_lines import entrywise
from .logits import inside
from .mutation import Facts, Wrong, mutation

SAME_AS_P = 50  # added where class numbers of 0 change nothing


def residual(line: Line, facts: Facts) -> tuple[np.ndarray, np.ndarray, float] | None:
    """(prediction, labels, factor) where the derivative is factor · (prediction − labels)."""
    y = facts.values[line.step.args[-1]]
    output = inside(line, facts)
    if output is not None:
        return output.p, y, 1.0
    scale = line.step.op.residual
    return None if scale is None else (facts.values[line.target], y, scale)


def costing(line: Line, name: str, array: np.ndarray) -> Line:
    return line.using("cost", name, array)


@mutation("flat-labels", 10, "cost")
def labels_against_a_column(line: Line, facts: Facts) -> Iterator[Wrong]:
    """(m,1) − (m,) is an m×m table; a cost that averages it sees the mean label."""
    parts = residual(line, facts)
    if parts is None or not facts.examples or parts[0].shape[-1] != 1:
        return
    p, y, scale = parts
    table = scale * (p - y.reshape(1, -1))  # row n, label n'

    def whole(incoming, cost):
        return np.mean(incoming) * cost

    yield Wrong(costing(line, "an m×m table", table).by(whole), "an m×m table", "table")
    turned = costing(line, "an m×m table", table.T).by(whole)
    yield Wrong(turned, "an m×m table", "turned", prior=1)
    for name, reduced in (("mean", table.mean(1)), ("sum", table.sum(1))):
        shown = f"the {name} over all labels"
        yield Wrong(costing(line, shown, reduced[:, None]), shown, name)
    for name, reduced in (("mean", table.mean(0)), ("sum", table.sum(0))):
        shown = f"the {name} over all predictions"
        yield Wrong(costing(line, shown, reduced[:, None]), shown, name + "0", prior=3)
    for after in facts.backward.out_of.get(line.target, ()):
        if after.kind == "slope":  # the whole table goes through it, and is averaged then
            mean = after.by(lambda d, s: (d * s).mean(0)[:, None])
            shown = "the mean over all predictions"
            changed = costing(line, shown, table).by(whole)
            yield Wrong(changed, shown, "mean after", {after.key: mean}, prior=4)


@mutation("row-column-broadcast", 40, "cost")
def outputs_minus_labels_table(line: Line, facts: Facts) -> Iterator[Wrong]:
    """(n,1) − (n,) for one example: every output against every label."""
    parts = residual(line, facts)
    if parts is None or parts[0].ndim != 1 or parts[0].size < 2:
        return
    p, y, scale = parts
    table = scale * (p[:, None] - y[None, :])
    ways = {"an n×n table": table, "a turned table": table.T}
    for axis in (0, 1):
        ways[f"the table summed over axis {axis}"] = table.sum(axis)
        ways[f"the mean of the table over axis {axis}"] = table.mean(axis)
    for name, array in ways.items():
        changed = costing(line, name, array).by(lambda d, c: d * c)
        yield Wrong(changed, name, name)


@mutation("examples-axis", 36, "cost")
def labels_turned_round(line: Line, facts: Facts) -> Iterator[Wrong]:
    parts = residual(line, facts)
    if parts is not None and parts[1].ndim == 2 and parts[1].shape[0] == parts[1].shape[1]:
        p, y, scale = parts
        yield Wrong(costing(line, "y.T", scale * (p - y.T)), "the labels turned round")


@mutation("examples-axis", 34, "cost")
def softmax_over_examples(line: Line, facts: Facts) -> Iterator[Wrong]:
    if line.step.op.contains is not Softmax or not facts.examples:
        return
    z, y = facts.values[line.target], facts.values[line.step.args[-1]]
    e = np.exp(z - z.max(axis=0))
    p = e / e.sum(axis=0)
    yield Wrong(costing(line, "p over the examples", p - y), "softmax along axis 0")


@mutation("preactivation-for-activation", 30, "cost")
def preactivation_in_the_cost(line: Line, facts: Facts) -> Iterator[Wrong]:
    parts = residual(line, facts)
    if parts is None:
        return
    _, y, scale = parts
    if line.step.op.contains is not None:
        z = line.target
    elif line.target in facts.activations:
        z = facts.activations[line.target][0]
    else:
        return
    yield Wrong(costing(line, f"({z} − y)", scale * (facts.values[z] - y)), z)


@mutation("wrong-layer-activation", 34, "cost")
def another_value_in_the_cost(line: Line, facts: Facts) -> Iterator[Wrong]:
    """(h − y) where the loss reads s."""
    parts = residual(line, facts)
    if parts is None:
        return
    p, y, scale = parts
    read = facts.activations.get(line.target, ("",))[0]
    names = [*facts.layer_inputs, *facts.other_values]
    for other in facts.near(names, line.target):
        a = facts.values[other]
        if a.shape == p.shape and a is not p and other not in (line.target, read):
            wrong = costing(line, f"({other} − y)", scale * (a - y))
            yield Wrong(wrong, other, other, missing=line.target)


@mutation("value-for-slope", 50, "cost")
def value_of_the_difference(line: Line, facts: Facts) -> Iterator[Wrong]:
    """(a − y)² where its derivative is meant; or the prediction alone."""
    parts = residual(line, facts)
    if parts is not None and line.step.op.contains is None:
        p, y, scale = parts
        yield Wrong(costing(line, "(a − y)²", scale / 2 * (p - y) ** 2), "(a − y)²")


@mutation("check-of-wrong-quantity", 44, "cost")
def derivative_of_another_cost(line: Line, facts: Facts) -> Iterator[Wrong]:
    """The derivative of squared error where the cost is cross-entropy, and the like."""
    parts = residual(line, facts)
    if parts is None:
        return
    p, y, scale = parts
    output = inside(line, facts)
    if output is not None:
        for factor, name in ((1.0, "half the squared error"), (2.0, "the squared error")):
            cost = factor * (p - y)
            through = output.through(cost)
            note = f"it is the derivative of {name}, and this cost is a cross-entropy"
            changed = costing(line, name, through)
            yield Wrong(changed, note, label="extra-output-slope", prior=-20)
        return
    other = 1.0 if scale == 2.0 else 2.0
    yield Wrong(costing(line, "another cost", other * (p - y)), "the other squared error", "half")
    source = [k for k in facts.backward.out_of.get(line.target, ()) if k.kind == "slope"]
    if source and PROBABILITIES in source[0].step.op.gives:
        fused = {source[0].key: source[0].without("slope")}
        changed = costing(line, "p − y", p - y)
        note = "p − y is the derivative of cross-entropy"
        yield Wrong(changed, note, "bce", fused, "missing-output-slope", -20)


@mutation("check-of-wrong-quantity", 46, "cost")
def derivative_of_the_output(line: Line, facts: Facts) -> Iterator[Wrong]:
    """∂a/∂· in the place of ∂J/∂·: the cost is left out."""
    ones = np.ones_like(line.factor("cost").array)
    output = inside(line, facts)
    if output is not None:
        before = f"the derivative of {line.target}, not of the cost"
        yield Wrong(costing(line, "1", ones), before, "share z", prior=2)
        each = costing(line, "1", ones).by(lambda d, c: np.ones_like(d)[..., None] * c)
        yield Wrong(each, before, "whole z", prior=2)
        through = output.through(ones)
        note = f"the derivative of {output.name}, not of the cost"
    else:
        through, note = ones, f"the derivative of {line.target}, not of the cost"
    changed = costing(line, "1", through)
    yield Wrong(changed, note, "share")
    alone = changed.by(lambda d, c: np.ones_like(d)[..., None] * c)
    yield Wrong(alone, note, "whole")


@mutation("flat-labels", 20, "cost")
def class_numbers_for_rows(line: Line, facts: Facts) -> Iterator[Wrong]:
    """p − y with y the class numbers (m,): broadcast, never one-hot."""
    if line.step.op.label_kind != CLASSES:
        return
    parts = residual(line, facts)
    if parts is None:
        return
    p, rows, _ = parts
    classes = rows.argmax(-1)
    name = "p − class number"
    unseen = 0 if classes.any() else SAME_AS_P  # where every class is 0, no label is likelier
    yield Wrong(costing(line, name, p - classes[..., None]), name, prior=unseen)
    if p.ndim == 2 and p.shape[0] == p.shape[1]:
        yield Wrong(costing(line, name, p - classes), name, "row")


@mutation("check-of-wrong-quantity", 60, "cost")
def labels_left_out(line: Line, facts: Facts) -> Iterator[Wrong]:
    parts = residual(line, facts)
    if parts is not None:
        p, _, scale = parts
        yield Wrong(costing(line, "p", scale * p), "the prediction without the label", "p")


@mutation("value-for-slope", 54, "softmax")
def softmax_rows(line: Line, facts: Facts) -> Iterator[Wrong]:
    p = facts.values[line.source]
    yield Wrong(line.using("jacobian", "−p p", -p * p).by(entrywise), "−p²", "square")
