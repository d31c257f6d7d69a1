"""Mistakes in the last step: from a delta to the gradient of a weight or a bias."""

from collections.abc import Iterator

import numpy as np

from ..passes.backward import Line
from ..passes.pass_lines import outer_turned, over_examples
from .contractions import by_columns, by_rows, is_oblong, other_contractions, squeezed
from .mutation import Facts, Wrong, mutation

MOST_ROWS = 64  # examples of a batch that are taken one by one


@mutation("preactivation-for-activation", 10, "outer")
def preactivation_as_input(line: Line, facts: Facts) -> Iterator[Wrong]:
    read = line.factor("input").name
    if read in facts.activations:
        z = facts.activations[read][0]
        yield Wrong(line.using("input", z, facts.values[z]), z)


@mutation("wrong-layer-activation", 12, "outer")
def input_of_another_layer(line: Line, facts: Facts) -> Iterator[Wrong]:
    read = line.factor("input").name
    names = facts.near(facts.layer_inputs, read)
    before = facts.activations[read][0] if read in facts.activations else ""
    mine = facts.layer_output(line.source)
    if mine and mine != read:
        yield Wrong(line.using("input", mine, facts.values[mine]), mine, "own output")
    for other in names:
        if other not in (read, before, mine):
            step = str(names.index(other) - names.index(read))
            yield Wrong(line.using("input", other, facts.values[other]), other, step)
    for other in names:
        z = facts.activations[other][0] if other in facts.activations else ""
        if z and z not in (before, read) and z not in names:
            yield Wrong(line.using("input", z, facts.values[z]), z, prior=20)
    for other in facts.near(facts.other_values, read):
        if other not in (read, before) and other not in names:
            yield Wrong(line.using("input", other, facts.values[other]), other, prior=22)


@mutation("elementwise-for-contraction", 26, "outer")
def entrywise_with_the_input(line: Line, facts: Facts) -> Iterator[Wrong]:
    """δ * a in the place of the outer product."""
    a = line.factor("input").array
    yield Wrong(line.by(lambda d, a: d * a), "δ * a", "plain")
    if a.ndim == 2:
        yield Wrong(line.by(lambda d, a: (d * a).sum(0)), "δ * a, summed", "sum")
        yield Wrong(line.by(lambda d, a: d.T * a), "δ.T * a", "turned")
        yield Wrong(line.by(lambda d, a: d * a.T), "δ * a.T", "turned a")
    W = facts.values[line.target]
    if W.shape[0] == W.shape[1]:
        shape = W.shape
        yield Wrong(line.by(lambda d, a: spread(d * a, shape)), "δ * a in every row", "rows")
        yield Wrong(line.by(lambda d, a: spread(d * a, shape).T), "δ * a in every column", "cols")
        yield Wrong(line.by(lambda d, a: np.diag(summed(d * a))), "δ * a on the diagonal", "diag")


def summed(products: np.ndarray) -> np.ndarray:
    return products.sum(0) if products.ndim == 2 else products


def spread(products: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.array(np.broadcast_to(summed(products), shape))


@mutation("wrong-contraction", 66, "outer")
def dot_for_outer(line: Line, facts: Facts) -> Iterator[Wrong]:
    """np.dot(δ, a): one number in the place of a matrix."""
    del facts
    if line.factor("input").array.ndim == 1:
        yield Wrong(line.by(lambda d, a: np.asarray(np.vdot(d, a))), "a dot product")


@mutation("contraction-for-elementwise", 80, "outer")
def inner_for_outer(line: Line, facts: Facts) -> Iterator[Wrong]:
    yield from dot_for_outer(line, facts)


@mutation("examples-axis", 30, "outer")
def contracted_over_features(line: Line, facts: Facts) -> Iterator[Wrong]:
    """δ @ aᵀ with examples in rows: summed over units, not over examples."""
    a = line.factor("input").array
    if a.ndim != 2:
        return
    yield Wrong(line.by(lambda d, a: d @ a.T), "a sum over the units", "rows")
    yield Wrong(line.by(lambda d, a: a @ d.T), "a sum over the units", "turned", prior=1)
    if a.shape[0] == a.shape[1]:
        yield Wrong(line.by(lambda d, a: d.T @ a.T), "examples read along the columns", "a")
    if facts.values[line.source].shape[0] == facts.values[line.source].shape[1]:
        yield Wrong(line.by(lambda d, a: d @ a), "the delta's columns read as examples", "d")
    if squeezed((len(a), *facts.values[line.target].shape)) in facts.shapes:
        each = line.by(lambda d, a: d[:, :, None] * a[:, None, :])
        yield Wrong(each, "no sum over the examples", "n")


@mutation("mixed-layouts", 54, "outer")
def one_factor_turned(line: Line, facts: Facts) -> Iterator[Wrong]:
    a, d = line.factor("input").array, facts.values[line.source]
    if a.ndim == 2 and d.shape[0] == d.shape[1]:
        yield Wrong(line.by(lambda d, a: d @ a), "the delta turned round")
    if a.ndim == 2 and a.shape[0] == a.shape[1]:
        yield Wrong(line.by(lambda d, a: d.T @ a.T), "the input turned round", "a")
    W = facts.values[line.target].shape
    if min(W) > 1:

        def reshaped(d, a):
            return outer_turned(d, a).reshape(W)

        yield Wrong(line.by(reshaped), "a δᵀ, reshaped to the shape of W", "reshaped")


@mutation("reshape-order", 34, "outer")
def reshaped_for_transposed(line: Line, facts: Facts) -> Iterator[Wrong]:
    """A.reshape(m, n) where A.T is meant: it has the shape of A.T, and other numbers."""
    a, d = line.factor("input"), facts.values[line.source]
    for way, wrong in (("rows", by_rows), ("columns", by_columns)):
        if is_oblong(a.array):
            note = f"{a.name} is reshaped, not transposed"
            yield Wrong(line.using("input", a.name, wrong(a.array)), note, way)
        if is_oblong(d):
            product = line.by(lambda d, a, wrong=wrong: line.product(wrong(d), a))
            yield Wrong(product, "the delta is reshaped, not transposed", f"δ {way}")


@mutation("wrong-contraction", 60, "outer")
def sums_apart(line: Line, facts: Facts) -> Iterator[Wrong]:
    """Einsums with another index; among them (Σ_n δ)(Σ_n a)."""
    a, d = line.factor("input").array, facts.values[line.source]
    lifted = "n" if a.ndim == 2 else ""
    out = "ki" if facts.values[line.target].shape == (d.shape[-1], a.shape[-1]) else "ik"
    yield from other_contractions(line, facts, d.shape, a.shape, (lifted + "k", lifted + "i", out))


@mutation("wrong-contraction", 62, "outer")
def means_apart(line: Line, facts: Facts) -> Iterator[Wrong]:
    """np.outer(δ.mean(0), a.mean(0)): a product of means, where a mean of products is meant."""
    if line.factor("input").array.ndim == 2:

        def outer_of_means(d: np.ndarray, a: np.ndarray) -> np.ndarray:
            return line.product(d.mean(0, keepdims=True), a.mean(0, keepdims=True))

        yield Wrong(line.by(outer_of_means), "each factor is averaged over the examples by itself")


@mutation("check-of-wrong-quantity", 40, "outer", "bias")
def one_example_only(line: Line, facts: Facts) -> Iterator[Wrong]:
    """The share of one example in the place of the whole batch."""
    for n in range(min(facts.examples, MOST_ROWS)):

        def only(incoming, *others, n=n):
            return line.product(incoming[n : n + 1], *(a[n : n + 1] for a in others))

        def alone(incoming, *others, n=n):
            return only(incoming, *others, n=n) * facts.examples

        share = "check-of-wrong-quantity" if line.kind == "outer" else "bias-not-summed"
        if n == facts.examples - 1:  # a loop over the examples with = where += is meant
            share = "last-step-only"
        yield Wrong(line.by(only), f"example {n} alone", f"{n}", label=share)
        yield Wrong(line.by(alone), f"the cost of example {n} alone", f"{n} whole")


@mutation("bias-not-summed", 10, "bias")
def bias_per_example(line: Line, facts: Facts) -> Iterator[Wrong]:
    if facts.examples:
        yield Wrong(line.by(lambda d: d), "a row for each example")


@mutation("bias-wrong-axis", 12, "bias")
def bias_over_units(line: Line, facts: Facts) -> Iterator[Wrong]:
    del facts
    yield Wrong(line.by(lambda d: d.sum(-1)), "summed over the units", "units")
    yield Wrong(line.by(lambda d: np.asarray(d.sum())), "summed over everything", "all")
    yield Wrong(line.by(lambda d: np.full(d.shape[-1], d.sum())), "summed over everything", "full")
    yield Wrong(line.by(lambda d: d.mean(-1)), "the mean over the units", "mean", prior=2)


@mutation("preactivation-for-activation", 14, "op")
def own_parameter_by_what_goes_in(line: Line, facts: Facts) -> Iterator[Wrong]:
    """Σ δ * x where Σ δ * u is meant, u being what an op of one's own makes of x first."""
    made = facts.values[line.source]
    if line.target not in facts.params or facts.values[line.target].shape != made.shape[-1:]:
        return
    for read in dict.fromkeys([*line.step.args, line.source]):
        x = facts.values[read]
        if read not in facts.params and x.shape == made.shape:
            label = "wrong-layer-activation" if read == line.source else ""
            wrong = line.by(lambda d, x=x: over_examples(d * x))
            yield Wrong(wrong, read, read, label=label, missing=belongs_there(line, facts))


def belongs_there(line: Line, facts: Facts) -> str:
    """The one factor beside what comes in, as the op's Jacobian names it; "" if there is none."""
    equation = facts.equation(line)
    parts = [f.name for f in equation.factors() if f.role == "part"] if equation else []
    return parts[0] if len(parts) == 1 else ""


@mutation("bias-not-summed", 12, "op")
def own_parameter_per_example(line: Line, facts: Facts) -> Iterator[Wrong]:
    """The parameter of an op of one's own: a row for each example, or units summed."""
    W, d = facts.values[line.target], facts.values[line.source]
    if line.target not in facts.params or not facts.examples or W.ndim != 1 or d.ndim != 2:
        return
    if len(d) != facts.examples or len(d) > MOST_ROWS:
        return

    def each(incoming: np.ndarray) -> np.ndarray:
        rows = np.eye(len(incoming))[:, :, None] * incoming
        return np.stack([line.product(row) for row in rows])

    yield Wrong(line.by(each), "a row for each example", "rows")
    summed = line.by(lambda d: each(d).sum(-1))
    yield Wrong(summed, "summed over the units", "units", label="bias-wrong-axis")
