"""Mistakes at the slope of an activation: left out, taken elsewhere, put together wrongly."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..passes.backward import Line
from ..passes.pass_lines import entrywise
from .logits import inside, unfused
from .mutation import Facts, Wrong, fits, mutation

BY_BROADCAST = 30  # added where another layer's slope fits by broadcasting only


@mutation("missing-slope", 10, "slope", "softmax")
def slope_left_out(line: Line, facts: Facts) -> Iterator[Wrong]:
    role = line.factors[0].role
    label = "missing-output-slope" if line.source in facts.outputs else "missing-slope"
    yield Wrong(line.without(role), label=label)


@mutation("extra-output-slope", 12, "cost")
def slope_after_a_fused_loss(line: Line, facts: Facts) -> Iterator[Wrong]:
    cost, output = line.factor("cost"), inside(line, facts)
    if output is None:
        return
    ways = {output.slope: output.through(cost.array)}
    if output.softmax:
        ways = {"p(1−p)": cost.array * output.p * (1 - output.p)} | ways
    for name, array in ways.items():
        yield Wrong(line.using("cost", f"{cost.name} {name}", array), already(cost.name, name))


def already(fused: str, slope: str) -> str:
    return f"{fused} is loss and activation as one, and {slope} is put to it again"


@mutation("extra-output-slope", 14, "slope")
def output_slope_twice(line: Line, facts: Facts) -> Iterator[Wrong]:
    slope = line.factor("slope")
    if line.source in facts.outputs and not line.asleep:
        note = f"{slope.name} stands there twice, where once is right"
        yield Wrong(line.using("slope", f"{slope.name}²", slope.array**2), note)


@mutation("softmax-as-elementwise", 10, "softmax")
def softmax_like_a_sigmoid(line: Line, facts: Facts) -> Iterator[Wrong]:
    p = facts.values[line.source]
    yield Wrong(line.using("jacobian", "p(1−p)", p * (1 - p)).by(entrywise))


@mutation("softmax-as-elementwise", 10, "cost")
def softmax_of_logits_like_a_sigmoid(line: Line, facts: Facts) -> Iterator[Wrong]:
    """The same where softmax is in the loss alone; and its slope left out."""
    output = inside(line, facts)
    if output is None or unfused(line, facts):
        return
    by_p = output.loss_by_p(facts.values[line.step.args[-1]])
    wrong = line.using("cost", "∂L/∂p", by_p)
    yield Wrong(wrong, missing=output.slope, label="missing-output-slope")
    if output.softmax:
        yield Wrong(line.using("cost", "∂L/∂p p(1−p)", by_p * output.p * (1 - output.p)))


@mutation("value-for-slope", 30, "slope", "softmax")
def value_for_slope(line: Line, facts: Facts) -> Iterator[Wrong]:
    wrong = line.using(line.factors[0].role, line.source, facts.values[line.source])
    yield Wrong(wrong.by(entrywise), line.source)


@mutation("value-for-slope", 36, "slope")
def preactivation_for_slope(line: Line, facts: Facts) -> Iterator[Wrong]:
    yield Wrong(line.using("slope", line.target, facts.values[line.target]), line.target)


@mutation("slope-at-activation", 20, "slope")
def slope_at_the_activation(line: Line, facts: Facts) -> Iterator[Wrong]:
    if line.source in facts.activations:
        f = facts.activations[line.source][1]
        name = f"{f.name}'({line.source})"
        yield Wrong(line.using("slope", name, f.slope(facts.values[line.source])), name)


@mutation("slope-of-preactivation-formula", 22, "slope")
def formula_by_a_at_z(line: Line, facts: Facts) -> Iterator[Wrong]:
    if line.source in facts.activations:
        f = facts.activations[line.source][1]
        if f.by_output is not None:
            name = f.written.replace("a", line.target)
            yield Wrong(line.using("slope", name, f.by_output(facts.values[line.target])), name)


@mutation("slope-of-preactivation-formula", 23, "softmax")
def softmax_formula_at_z(line: Line, facts: Facts) -> Iterator[Wrong]:
    z = facts.values[line.target]
    yield Wrong(line.using("jacobian", "z(1−z)", z * (1 - z)).by(entrywise), "z (1 − z)")


@mutation("wrong-layer-slope", 32, "slope")
def slope_of_another_layer(line: Line, facts: Facts) -> Iterator[Wrong]:
    if line.source not in facts.activations:
        return
    here, mine = facts.values[line.target], facts.activations[line.source][1]
    made = list(facts.activations)
    for other in facts.near(made, line.source):
        z, theirs = facts.activations[other]
        there = facts.values[z]
        step = str(made.index(other) - made.index(line.source))
        if other == line.source:
            continue
        ways = [(theirs, there, z)]
        if theirs is not mine:
            ways += [(mine, there, z), (theirs, here, line.target)]
        for f, at, name in ways:
            shown, slope = f"{f.name}'({name})", f.slope(at)
            if fits(slope, here):
                more = 0 if at is there else 4
                more += 0 if slope.shape == here.shape else BY_BROADCAST
                yield Wrong(line.using("slope", shown, slope), shown, step, prior=more)
        if theirs is not mine and theirs.by_output is not None:
            formula = theirs.by_output(facts.values[line.source])
            shown = f"{theirs.written} with a = {line.source}"
            yield Wrong(line.using("slope", shown, formula), shown, step, prior=6)


@mutation("wrong-layer-slope", 40, "slope")
def formula_at_another_layer(line: Line, facts: Facts) -> Iterator[Wrong]:
    """1 − a1² where 1 − a2² is meant, whatever gives a1."""
    if line.source not in facts.activations:
        return
    here, f = facts.values[line.target], facts.activations[line.source][1]
    if f.by_output is None:
        return
    computed = [name for name in facts.other_values if facts.state.step(name) is not None]
    made = [*facts.layer_inputs, *computed]
    for other in facts.near(made, line.source):
        a = facts.values[other]
        if other != line.source and a.shape == here.shape:
            shown = f"{f.written} with a = {other}"
            step = str(made.index(other) - made.index(line.source))
            yield Wrong(line.using("slope", shown, f.by_output(a)), shown, step)


@mutation("contraction-for-elementwise", 40, "slope")
def dot_with_the_slope(line: Line, facts: Facts) -> Iterator[Wrong]:
    """np.dot(δ, slope) and δ @ slope.T, where the two are multiplied entry by entry."""
    del facts

    def dot(d, s):
        return np.asarray(np.vdot(d, s)) if d.ndim == 1 else d @ s.T

    def products(d, s):
        return np.sum(d * s, axis=-1, keepdims=True)

    def filled(d, s):
        return np.broadcast_to(products(d, s), np.shape(s))

    yield Wrong(line.by(dot), "a dot product", "dot")
    yield Wrong(line.by(lambda d, s: d @ s), "a matrix product", "plain")
    yield Wrong(line.by(lambda d, s: d.T @ s), "a matrix product", "turned")
    yield Wrong(line.by(lambda d, s: s @ d), "a matrix product", "in columns")
    yield Wrong(line.by(products), "a dot product in each example", "row")
    yield Wrong(line.by(filled), "a dot product for every unit", "filled", prior=1)
    yield Wrong(line.by(lambda d, s: d * s.sum(-1, keepdims=True)), "the summed slope", "sum")
    yield Wrong(line.by(lambda d, s: d * s.mean(-1, keepdims=True)), "the mean slope", "mean")
    yield Wrong(line.by(lambda d, s: d.sum(-1, keepdims=True) * s), "the summed delta", "delta")
    yield Wrong(line.by(lambda d, s: np.outer(d, s)), "an outer product", "outer", prior=15)


@mutation("row-column-broadcast", 38, "slope")
def column_times_row(line: Line, facts: Facts) -> Iterator[Wrong]:
    """(n,1) * (n,) is an n×n table; then perhaps summed away again."""
    del facts
    shape = line.factor("slope").array.shape
    if len(shape) == 1:
        yield from tables(line)
    elif shape[1] == 1:  # (m,1) * (m,) in a batch
        flat = line.using("slope", line.factor("slope").name, line.factor("slope").array[:, 0])
        for wrong in tables(flat.by(lambda d, s: d[:, 0] * s)):
            if wrong.line is not None:
                yield replace(wrong, line=in_column(wrong.line))


def in_column(line: Line) -> Line:
    """A line of flat deltas, fed from a column and giving a column where it is reduced."""
    flat = line.product

    def product(d: np.ndarray, s: np.ndarray) -> np.ndarray:
        table = flat(d[:, 0], s)
        return table[:, None] if table.ndim == 1 else table

    return line.by(product)


def tables(line: Line) -> Iterator[Wrong]:
    """The table of a column with a row, both ways round, whole and reduced."""
    yield Wrong(line.by(lambda d, s: d[:, None] * s[None, :]), "an n×n table", "c")
    yield Wrong(line.by(lambda d, s: d[None, :] * s[:, None]), "an n×n table", "r", prior=1)
    for axis in (0, 1):
        summed, mean = f"the table summed over axis {axis}", f"its mean over axis {axis}"
        yield Wrong(line.by(lambda d, s, a=axis: (d[:, None] * s).sum(a)), summed, f"s{axis}")
        yield Wrong(line.by(lambda d, s, a=axis: (d[:, None] * s).mean(a)), mean, f"m{axis}")


@mutation("mixed-layouts", 60, "slope")
def slope_with_examples_in_columns(line: Line, facts: Facts) -> Iterator[Wrong]:
    slope = line.factor("slope")
    del facts
    if slope.array.ndim == 2 and slope.array.shape[0] == slope.array.shape[1]:
        yield Wrong(line.using("slope", f"{slope.name}.T", slope.array.T), f"{slope.name}.T")
