"""Each printed line of a derivation, evaluated by numpy in the convention that it is written in."""

import itertools
from functools import cache

import numpy as np
import pytest
from printed_lines import by_indices, by_matrices, entry_by_entry

from jacobian_bp import Convention, Network
from jacobian_bp.checks.agreement import Agreement
from jacobian_bp.derivation.ledger import DeltaStep, LocalStep

SIZES, EXAMPLES = (3, 7, 5, 2), 11
RNG = np.random.default_rng(5)
NET = Network.dense(SIZES, ["tanh", "relu", "sigmoid"], "half_squared_error", seed=11)
DATA = RNG.standard_normal((EXAMPLES, 3)), RNG.standard_normal((EXAMPLES, 2))
CHECKED = Agreement("J", (), ())  # the routes are compared elsewhere
NAMES = {"Theta{l-1}": "W", "beta{l}": "b", "Z{l}": "z", "A{l}": "a", "dZ{l}": "delta", "X": "x"}
NAMES |= {"dTheta{l-1}": "dW", "dbeta{l}": "db"}
AXES = list(
    itertools.product(
        ("rows", "columns"), ("out,in", "in,out"), ("delta", "gradient"), ("own", "first", "last")
    )
)
SAID = ((0, {}, "numerator"), (2, NAMES, "gradient"), (1, {}, "gradient"))
ALL = [Convention(*axes, *said) for axes in AXES for said in SAID]
HALF = [Convention(*axes, *SAID[place // 3 % 2]) for place, axes in enumerate(AXES)]


@cache
def run_of(batch):
    """What every test reads, and none changes."""
    x, y = DATA
    return NET.run(x, y) if batch else NET.run(x[0], y[0])


def is_row(convention):
    """One example is a vector: a column, but for x W in rows."""
    return convention.examples == "rows" and convention.weights == "in,out"


def laid_out(name, array, convention, batch):
    """An array of the package as the convention has it, with two axes for matrix notation."""
    if name[0] == "W":
        bias = NET.params[f"b{name[1:]}"][:, None]
        joined = {"own": [array], "first": [bias, array], "last": [array, bias]}[convention.bias]
        joined = np.concatenate(joined, axis=1)
        return joined.T if convention.weights == "in,out" else joined
    if name[0] == "b":
        return array if batch and convention.examples == "rows" else turned(array, convention)
    if not batch:
        return turned(array, convention)
    return array.T if convention.examples == "columns" else array


def turned(vector, convention):
    return vector[None] if is_row(convention) else vector[:, None]


def right_arrays(convention, batch):
    """Values, parameters, deltas and gradients by our names, laid out by this test itself."""
    run = run_of(batch)
    layers = range(1, len(SIZES))
    found = {n: run[n] for n in ("x", "y", *(f"{s}{k}" for k in layers for s in "zaWb"))}
    for k in layers:
        delta = run.vjp("J", f"z{k}", 1.0)
        found[f"δ{k}"] = delta * EXAMPLES if batch and convention.mean == "gradient" else delta
    return {name: laid_out(name, array, convention, batch) for name, array in found.items()}


def right_gradient(name, convention, batch):
    gradients = run_of(batch).gradients()
    if name[0] == "b":
        gradient = gradients[name]
        column = convention.examples == "columns"
        return gradient[:, None] if column else gradient
    bias = gradients[f"b{name[1:]}"][:, None]
    parts = {"own": [], "first": [bias], "last": [bias]}[convention.bias]
    gradient = gradients[name]
    joined = np.concatenate(
        [*parts, gradient] if convention.bias == "first" else [gradient, *parts], axis=1
    )
    return joined.T if convention.weights == "in,out" else joined


def called(derivation, ours):
    return derivation.names.get(ours, ours)


def in_their_names(arrays, derivation):
    return {called(derivation, name): array for name, array in arrays.items()}


def as_examples(array, convention, batch):
    """A value for one line of matrix notation: of rows, an example of the default is a column."""
    return array.T if of_one_column(convention, batch) else array


def of_one_column(convention, batch):
    """Whether a formula is that of one row, as a column: W x + b, the package's own way."""
    own = (convention.examples, convention.weights, convention.bias) == ("rows", "out,in", "own")
    return batch and own


def matrices(convention, batch):
    """For the forward lines: where a formula is that of one row, the rows stand as columns."""
    arrays = right_arrays(convention, batch)
    found = {n: a if n[0] == "W" else as_examples(a, convention, batch) for n, a in arrays.items()}
    if of_one_column(convention, batch):
        found |= {n: a[:, None] for n, a in arrays.items() if n[0] == "b"}
    return found


both = pytest.mark.parametrize("batch", [False, True], ids=["one", "batch"])
every = pytest.mark.parametrize(
    "convention",
    [*HALF, *(pytest.param(c, marks=pytest.mark.full) for c in ALL if c not in HALF)],
    ids=lambda c: f"{c}, {c.layout}",
)


@pytest.mark.one_in(5)
@both
@every
def test_a_forward_line_computes_the_value_behind_it(convention, batch):
    derivation = run_of(batch).derivation(convention, CHECKED)
    text = derivation.text(width=400)
    arrays = in_their_names(matrices(convention, batch), derivation)
    lines = [step for step in derivation.forward if step.name[0] in "za"]
    assert len(lines) == 6
    laid = right_arrays(convention, batch)
    for step in lines:
        line = derivation.spelled(step.statement)
        assert f" {line} " in text or f" {line}\n" in text
        name, _, formula = line.partition(" = ")
        np.testing.assert_allclose(by_matrices(formula, arrays), arrays[name], err_msg=line)
        printed = np.atleast_2d(step.value)
        right = laid[step.name]
        np.testing.assert_allclose(printed.reshape(right.shape), right)
        assert batch is False or printed.shape == right.shape


@pytest.mark.one_in(5)
@both
@every
def test_a_textbook_line_gives_the_gradient_in_its_own_shape(convention, batch):
    derivation = run_of(batch).derivation(convention, CHECKED)
    arrays = in_their_names(right_arrays(convention, batch), derivation)
    names = [step.name.partition("/∂")[2] for step in derivation.gradients]
    expected = {"W1", "W2", "W3"} | ({"b1", "b2", "b3"} if convention.bias == "own" else set())
    assert set(names) == expected
    text = derivation.text(width=400)
    for name, step in zip(names, derivation.gradients, strict=True):
        right = right_gradient(name, convention, batch)
        line = derivation.spelled(step.textbook)
        assert f" {line} " in text
        value = by_matrices(line, arrays, EXAMPLES)
        np.testing.assert_allclose(np.squeeze(value), np.squeeze(right), err_msg=line)
        assert value.ndim == 1 or name[0] == "b" or value.shape == right.shape
        np.testing.assert_allclose(step.value, right, atol=1e-15)
        assert step.value.shape == right.shape == step.shape


@pytest.mark.one_in(5)
@both
@every
def test_a_textbook_line_gives_the_delta_in_its_own_shape(convention, batch):
    derivation = run_of(batch).derivation(convention, CHECKED)
    right = right_arrays(convention, batch)
    arrays = in_their_names(right, derivation)
    errors = [step for step in derivation.backward if isinstance(step, DeltaStep)]
    assert len(errors) == 3
    text = derivation.text(width=400)
    for step in errors:
        if not convention.says_axes:
            assert step.textbook == ""
            continue
        line = derivation.spelled(step.textbook)
        value = entry_by_entry(line, arrays)
        assert value.shape == right[step.symbol].shape
        np.testing.assert_allclose(value, right[step.symbol], err_msg=line)
        assert f" = {line}\n" in text
        slip = line.replace("ᵀ", "") if "ᵀ" in line else line.partition(" ⊙ ")[0]
        try:
            assert not np.allclose(entry_by_entry(slip, arrays), right[step.symbol]), slip
        except ValueError:
            continue  # numpy refuses it


def axes_of(name, array, convention, batch):
    """The axes of a variable, primed."""
    read = "i'" if convention.bias == "own" else "j'"
    if name[0] == "W":
        return (read, "k'") if convention.weights == "in,out" else ("k'", read)
    if not batch or name[0] == "b":
        return ("k'",)
    return ("k'", "n'") if convention.examples == "columns" else ("n'", "k'")


@pytest.mark.one_in(5)
@both
@every
def test_a_line_in_indices_gives_the_delta_and_the_gradient(convention, batch):
    derivation = run_of(batch).derivation(convention, CHECKED)
    arrays = right_arrays(convention, batch)
    flat = {
        n: a if n[0] == "W" or (batch and n[0] != "b") else a.ravel() for n, a in arrays.items()
    }
    named = in_their_names(flat, derivation)
    sizes = {"n": EXAMPLES, "n'": EXAMPLES}
    text = derivation.text(width=400)
    for step in derivation.backward:
        if isinstance(step, DeltaStep):
            line, right = derivation.spelled(step.formula), flat[step.symbol]
            value = by_indices(line, axes_of("z", right, convention, batch), named, sizes)
            np.testing.assert_allclose(value, right, err_msg=line)
            np.testing.assert_allclose(step.value.reshape(right.shape), right)
            assert line in text
    for step in derivation.gradients:
        name = step.name.partition("/∂")[2]
        right = right_gradient(name, convention, batch)
        right = right.ravel() if name[0] == "b" else right
        axes = axes_of(name, right, convention, batch)
        sizes |= {"k": right.shape[axes.index("k'")], "k'": right.shape[axes.index("k'")]}
        for formula in (step.before, step.after):
            line = derivation.spelled(formula)
            value = by_indices(line, axes, named, sizes)
            np.testing.assert_allclose(value, right, atol=1e-15, err_msg=line)
            assert line in text


@pytest.mark.one_in(5)
@both
@every
def test_a_jacobian_of_a_layer_is_its_line_in_indices(convention, batch):
    """∂z/∂W, ∂z/∂b and ∂z/∂a, beside the run's own Jacobian, turned by this test."""
    derivation = run_of(batch).derivation(convention, CHECKED)
    arrays = right_arrays(convention, batch)
    flat = {
        n: a if n[0] == "W" or (batch and n[0] != "b") else a.ravel() for n, a in arrays.items()
    }
    named = in_their_names(flat, derivation)
    seen = 0
    for step in derivation.backward:
        of, _, wrt = step.name.removeprefix("∂").partition("/∂")
        if not isinstance(step, LocalStep) or of[0] != "z":
            continue
        seen += 1
        axes = [axis.name for axis in step.axes]
        sizes = {axis.name: axis.size for axis in step.axes}
        line = derivation.spelled(step.formula)
        value = by_indices(line, axes, named, sizes)
        np.testing.assert_allclose(value, step.jacobian.materialise(), err_msg=line)
        expected = run_of(batch).jacobian(of, wrt)
        theirs = {axis.name: place for place, axis in enumerate(expected.axes)}
        if "j'" not in axes:
            order = [theirs[axis] for axis in axes]
            np.testing.assert_allclose(value, expected.materialise().transpose(order))
    assert seen == (8 if convention.bias == "own" else 5)


def holds(line, arrays, right, examples=EXAMPLES):
    """Whether a line gives these numbers; one that numpy refuses does not."""
    try:
        value = by_matrices(line, arrays, examples)
    except ValueError:
        return False
    return value.shape == right.shape and np.allclose(value, right)


def test_a_line_of_another_convention_is_caught():
    """A line read with the arrays of any other layout has other numbers, or fits none."""
    layouts = [Convention(*axes) for axes in AXES if axes[2] == "delta"]
    found = [(c, run_of(True).derivation(c, CHECKED), matrices(c, True)) for c in layouts]
    for (one, derivation, _), (other, _, laid) in itertools.permutations(found, 2):
        if is_row(one) == is_row(other) and (one.weights, one.bias) == (other.weights, other.bias):
            continue
        line = derivation.spelled(derivation.forward[0].formula)
        assert not holds(line, in_their_names(laid, derivation), laid["z1"]), (line, other)


@pytest.mark.parametrize(
    ("line", "mistaken"),
    [
        ("1/m dZ2 A1ᵀ", "dZ2 A1ᵀ"),
        ("1/m dZ1 Xᵀ", "1/m dZ1 X"),
        ("1/m Σ_n dZ2", "Σ_n dZ2"),
    ],
)
def test_the_lines_of_ng_are_there_and_a_slip_in_one_is_caught(line, mistaken):
    net = Network.dense([3, 5, 2], ["relu", "sigmoid"], "bce", seed=1)
    x, y = RNG.standard_normal((7, 3)), RNG.integers(0, 2, (7, 2)).astype(float)
    run = net.run(x, y)
    derivation = run.derivation("ng", CHECKED)
    step = next(s for s in derivation.gradients if derivation.spelled(s.textbook) == line)
    arrays = {"X": x.T, "A1": run["a1"].T}
    arrays |= {f"dZ{k}": 7 * run.vjp("J", f"z{k}", 1.0).T for k in (1, 2)}
    np.testing.assert_allclose(arrays["dZ2"], run["a2"].T - y.T)  # Ng's dZ2 = A2 − Y
    assert holds(line, arrays, step.value, 7)
    assert not holds(mistaken, arrays, step.value, 7)
