"""A run in a convention: its arrays, what is told of it, and what a convention cannot say."""

import copy
import itertools
import pickle
import re

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import Convention, Network, Op, SpecError, delta, dense
from jacobian_bp.algebra.expression import one
from jacobian_bp.checks.agreement import Agreement
from jacobian_bp.derivation.ready_made import COURSES, SEEDS, find_convention

RNG = np.random.default_rng(23)
CHECKED = Agreement("J", (), ())
OTHER = [
    Convention(examples, weights, bias=bias)
    for examples, weights, bias in itertools.product(
        ("rows", "columns"), ("out,in", "in,out"), ("own", "first", "last")
    )
][1:]
INSTEAD = '  Write a convention with weights="out,in" and bias="own"; names and columns may stay.'


def batch_of(net, count=7):
    inputs, outputs = net.facts.sizes[0], net.facts.sizes[-1]
    x, y = RNG.standard_normal((count, inputs)), RNG.random((count, outputs))
    return net.run(x, y / y.sum(1, keepdims=True))


def layers(loss="cross_entropy", last="softmax", **options):
    return Network.dense([3, 5, 2], ["relu", last], loss, seed=4, **options)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("convention", OTHER, ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "bce", "last": "sigmoid", "reduction": "sum"},
        {"loss": "huber", "last": "tanh", "reduction": "mean_over_entries"},
    ],
    ids=lambda options: options.get("loss", "cross_entropy"),
)
def test_all_routes_agree_on_the_arrays_of_a_convention(convention, options):
    own = batch_of(layers(**options)).written_in(convention)
    agreement = own.check()
    assert agreement.ok, agreement
    assert [row.compared for row in agreement.rows] == [32, 32, 32]


@pytest.mark.parametrize("convention", OTHER, ids=str)
def test_a_run_in_a_convention_has_the_same_numbers_elsewhere(convention):
    run = batch_of(layers())
    before = {name: run[name].copy() for name in run}
    own = run.written_in(convention)
    side = 1 if convention.weights == "in,out" else 0
    for k in (1, 2):
        weights = run[f"W{k}"]
        gradient = run.gradients()[f"W{k}"]
        if convention.bias != "own":
            place = 0 if convention.bias == "first" else weights.shape[1]
            weights = np.insert(weights, place, run[f"b{k}"], axis=1)
            gradient = np.insert(gradient, place, run.gradients()[f"b{k}"], axis=1)
        assert own[f"W{k}"].shape[side] == len(run[f"W{k}"])
        np.testing.assert_array_equal(own[f"W{k}"], weights.T if side else weights)
        np.testing.assert_allclose(
            own.gradients()[f"W{k}"], gradient.T if side else gradient, rtol=1e-13, atol=1e-16
        )
        values = run[f"z{k}"]
        columns = convention.examples == "columns"
        np.testing.assert_array_equal(own[f"z{k}"], values.T if columns else values)
        assert not own[f"W{k}"].flags.writeable
    for name, value in before.items():
        np.testing.assert_array_equal(run[name], value)


def test_a_run_that_is_written_in_a_convention_is_not_turned_twice():
    run = batch_of(layers())
    convention = Convention("columns", "in,out", bias="last")
    twice = run.written_in(convention).written_in(convention)
    assert twice["W1"].shape == (4, 5)
    text = run.derivation(convention, CHECKED).text()
    assert run.written_in(convention).derivation(agreement=CHECKED).text() == text
    assert run.written_in(convention).derivation(convention, CHECKED).text() == text
    assert run.written_in("flat").derivation(convention, CHECKED).text() == text


def test_the_own_convention_leaves_a_run_as_it_is():
    run = batch_of(layers())
    assert run.written_in(Convention()).forward_pass is run.forward_pass
    plain = run.derivation(agreement=CHECKED)
    assert run.derivation(Convention(), CHECKED).text() == plain.text()


@pytest.mark.parametrize(
    ("batch", "reduction", "said"),
    [(True, "mean", True), (True, "sum", False), (False, "mean", False)],
)
def test_a_mean_is_spoken_of_where_there_is_one(batch, reduction, said):
    net = layers(reduction=reduction)
    run = batch_of(net) if batch else net.run(RNG.standard_normal(3), 1)
    derivation = run.derivation("ng", CHECKED)
    text = derivation.text()
    assert ("1/m in the gradients" in text) is said
    assert (
        "dZ2 = ∂L/∂Z2 of each example, 7 ∂J/∂Z2: its 1/7 stands in the gradients" in text
    ) is said
    assert ("dZ2 = ∂J/∂Z2, the error at Z2" in text) is not said
    assert ("m = 7, the examples" in text) is said
    lines = [derivation.spelled(step.textbook) for step in derivation.gradients]
    db = ["1/m Σ_n dZ2", "1/m Σ_n dZ1"] if said else ["Σ_n dZ2", "Σ_n dZ1"]
    assert lines[1::2] == (db if batch else ["dZ2", "dZ1"])


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("convention", "words"),
    [
        (Convention("columns"), "7 examples, one a column; a formula is that of one, and of all"),
        (Convention("rows", "in,out"), "7 examples, one a row; a formula is that of one, and of"),
        (Convention(mean="gradient"), "7 examples, one a row; a formula is that of one\n"),
        (Convention("columns"), "textbook: examples as columns;"),
        (Convention(bias="last"), "32 parameters = 25 weights + 7 biases, in 2 arrays"),
        (Convention("columns"), "32 parameters = 25 weights + 7 biases, in 4 arrays"),
        (Convention("columns", "in,out"), "unit k reads only column k of W1"),
        (Convention("columns", bias="first"), "the bias left out: W2[:,1:]"),
        (Convention("columns", "in,out", bias="last"), "the bias left out: W2[:-1,:]"),
    ],
    ids=str,
)
def test_what_is_said_of_axes_is_said_of_the_arrays_shown(convention, words):
    text = batch_of(layers()).derivation(convention, CHECKED).text(width=200)
    assert words in text
    plain = batch_of(layers()).derivation(agreement=CHECKED).text(width=200)
    assert words not in plain or convention.mean == "gradient" or convention.weights == "out,in"


def test_an_entry_is_named_as_the_array_shown_has_it():
    run = batch_of(layers())
    off = np.argwhere(run["a1"] == 0)
    columns = run.derivation(Convention("columns"), CHECKED).text()
    unit, example = min((int(u), int(e)) for e, u in off)
    assert f"switched off: a1[{unit},{example}], " in columns


@pytest.mark.parametrize("ready", [*COURSES], ids=lambda ready: ready.name)
def test_a_course_is_named_with_its_text_and_its_axes(ready):
    text = " ".join(batch_of(layers()).derivation(ready.name, CHECKED).text().split())
    assert f"notation of {ready.about} its text: {ready.source}" in text
    assert f"written: {ready.convention} " in text


def test_the_names_of_ready_made_conventions():
    found = {r.name: r.names(2, 2) for r in (*SEEDS, *COURSES)}
    picked = {
        name: [n.get(s, s) for s in ("x", "W1", "z2", "a2", "δ2")] for name, n in found.items()
    }
    assert picked == {
        "first_seed": ["z^1", "W^2", "z^3", "a^3", "δ^3"],
        "second_seed": ["x", "W[1]", "z[2]", "a[2]", "δ[2]"],
        "third_seed": ["a^(1)", "Θ^(1)", "z^(3)", "a^(3)", "δ^(3)"],
        "ng": ["X", "W1", "Z2", "A2", "dZ2"],
        "nielsen": ["x", "w^2", "z^3", "a^3", "δ^3"],
        "cs231n": ["X", "W1", "scores", "probs", "dscores"],
    }
    assert find_convention("ng").gradient_names(["W2", "b2", "V"]) == {"W2": "dW2", "b2": "db2"}
    assert find_convention("nielsen").gradient_names(["W2"]) == {}


def test_a_name_is_written_for_what_it_means_and_for_no_other_word():
    net = Network.dense([3, 5, 2], "sigmoid", "squared_error", seed=4)
    names = {"sigmoid_prime": "slope", "images": "x", "out": "a2", "und": "and", "fan": "entry"}
    text = batch_of(net).derivation(Convention(names=names), CHECKED).text(width=200)
    assert "sigmoid_prime(z1)[n,k]" in text
    assert "squaring gives 2 (out − y)" in text
    assert "entry k reads entry k only" in text
    assert "und" not in text.split()
    mixed = batch_of(layers(last="sigmoid", loss="squared_error"))
    kept = mixed.derivation(Convention(names=names), CHECKED).text(width=200)
    assert "sigmoid_prime" not in kept  # of two kinds of slope, no one has the name
    assert "σ'(z2)" in kept


def test_a_matrix_of_another_op_has_no_other_order():
    net = Network.program(
        "z = Linear(x, W, b)",
        "s = Multiply(z, G)",
        "L = SquaredError(s, y)",
        "J = Mean(L)",
        params={"W": RNG.random((2, 3)), "b": RNG.random(2), "G": RNG.random((2,))},
    )
    run = net.run(RNG.random((5, 3)), RNG.random((5, 2)))
    assert run.written_in(Convention("columns", "in,out")).check().ok  # G is a vector
    tied = RNG.random((3, 3))
    shared = Network.dense(
        [3, 3, 3], "tanh", params={"W1": tied, "W2": tied, "b1": RNG.random(3), "b2": RNG.random(3)}
    )
    run = shared.run(RNG.random((5, 3)), RNG.random((5, 3)))
    assert run.written_in(Convention("columns", "in,out")).check().ok
    assert refusal(SpecError, run.written_in, Convention(bias="first")) == (
        "a bias in W cannot be said of z1 = Linear(x, W1, b1): W1 is read by "
        f"z1 = Linear(x, W1, b1) and z2 = Linear(a1, W1, b2).\n{INSTEAD}"
    )


def test_a_penalised_matrix_keeps_its_bias_apart():
    run = batch_of(layers(penalty={"W2": 0.25}))
    assert run.written_in(Convention("columns", "in,out")).check().ok
    text = run.derivation("ng", CHECKED).text(width=200)
    assert "2 · 0.25 W2 + 1/m dZ2 A1ᵀ" in text
    assert refusal(SpecError, run.derivation, Convention(bias="last")) == (
        "W (outputs, inputs) with the bias as its last line cannot be said of W2: "
        f"R1 = L2Penalty(W2, 0.25) reads it, which penalises it alone.\n{INSTEAD}"
    )


def test_two_ways_of_reading_the_examples_leave_no_single_mean():
    net = Network.program(
        "z = Linear(x, W, b)",
        "L = SquaredError(z, y)",
        "M = Mean(L)",
        "S = Sum(L)",
        "J = Add(M, S, '')",
        params={"W": RNG.random((2, 3)), "b": RNG.random(2)},
    )
    run = net.run(RNG.random((5, 3)), RNG.random((5, 2)))
    assert refusal(SpecError, run.derivation, Convention(mean="gradient")) == (
        'mean = "gradient" cannot be said of this program: S = Sum(L) and M = Mean(L) '
        "read all examples.\n"
        '  Write a convention with mean = "delta", where a δ is ∂J/∂z.'
    )
    assert run.derivation(Convention("columns", "in,out")).agreement.ok


def test_counting_from_0_has_no_number_for_a_squashed_input():
    net = layers(squash_input=True)
    assert refusal(SpecError, batch_of(net).derivation, Convention(first=0)) == (
        "first = 0 leaves no number for the input that passes an activation, a0.\n"
        '  Give it a name, names = { "h" = "a0" }, or count from 1.'
    )
    named = batch_of(net).derivation(Convention(first=0, names={"h": "a0"}), CHECKED)
    assert "z0 = W0 h + b0" in named.text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "the convention is 3.\n"),
        ({"examples": "columns"}, "the convention is {'examples': 'columns'}.\n"),
    ],
)
def test_what_is_no_convention_is_refused(given, said):
    told = "  Write a name such as 'ng', the path of a TOML file, or a Convention."
    assert refusal(SpecError, batch_of(layers()).derivation, given) == said + told
    assert refusal(SpecError, layers, convention=given) == said + told


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_what_has_a_convention_can_be_copied(copied):
    net = copied(layers(convention=Convention("columns", names={"Theta{l}": "W"})))
    run = copied(batch_of(net))
    assert run.written_in()["z1"].shape == (5, 7)
    derivation = run.derivation(agreement=CHECKED)
    assert copied(derivation).text() == derivation.text()
    assert copied(derivation).convention == derivation.convention


def test_a_network_keeps_the_convention_that_it_is_given():
    run = batch_of(layers(convention="ng"))
    assert "Z1 = W1 X + b1" in run.derivation(agreement=CHECKED).text()
    assert "z1 = W1 x + b1" in run.derivation("flat", CHECKED).text()
    assert run.written_in()["z1"].shape == (5, 7)
    again = layers(convention=Convention("columns")).with_params({"b1": np.zeros(5)})
    assert batch_of(again).written_in()["z1"].shape == (5, 7)


class Centre(Op):
    """What is left of the mean over the examples: an op that mixes them."""

    signature = "a[n,k] -> z[n,k]"

    def forward(self, a):
        return a - a.mean(axis=0)

    def jacobians(self, a):
        mean = (1 / len(a)) * one("n") * one("n'") * delta("k,k'")
        return {"a": delta("n,n'") * delta("k,k'") - mean}

    def vjp(self, bar, a):
        return {"a": bar - bar.mean(axis=0)}


class HalfASlope(Op):
    """A square whose vjp has lost its 2."""

    signature = "a[k] -> z[k]"

    def forward(self, a):
        return a**2

    def jacobians(self, a):
        return {"a": delta("k,k'") * dense("2a[k]", 2 * a)}

    def vjp(self, bar, a):
        return {"a": bar * a}


def with_op(op):
    net = Network.program(
        "z = Linear(x, W, b)",
        "c = Own(z)",
        "L = SquaredError(c, y)",
        "J = Mean(L)",
        params={"W": RNG.random((2, 3)), "b": RNG.random(2)},
        ops={"Own": op},
    )
    return net.run(RNG.standard_normal((5, 3)), RNG.standard_normal((5, 2)))


def test_an_op_of_ones_own_stands_in_columns_also_where_it_mixes_examples():
    run = with_op(Centre)
    own = run.written_in(Convention("columns", "in,out"))
    assert own.check().ok
    right = run.jacobian("c", "z").materialise().transpose(1, 0, 3, 2)
    np.testing.assert_allclose(own.jacobian("c", "z").materialise(), right)
    np.testing.assert_allclose(own.gradients()["W"], run.gradients()["W"].T)
    assert refusal(SpecError, run.derivation, Convention(mean="gradient")).startswith(
        'mean = "gradient" cannot be said of this program: '
    )


def test_a_wrong_op_is_found_in_columns_and_its_entry_named_there():
    run = with_op(HalfASlope)
    rows, columns = (str(r.check()) for r in (run, run.written_in(Convention("columns"))))
    assert "the routes part at c = HalfASlope(z)" in rows
    assert "the routes part at c = HalfASlope(z)" in columns
    example, unit = re.search(r"∂c/∂z\[(\d),(\d),", rows).groups()
    assert f"∂c/∂z[{unit},{example},{unit},{example}]" in columns


@pytest.mark.one_in(4)
@pytest.mark.parametrize("convention", OTHER, ids=str)
@pytest.mark.parametrize("count", [None, 7])
def test_a_layer_without_a_bias_is_written_in_every_convention(convention, count):
    net = Network.program(
        "z1 = Linear(x, W1, b1)",
        "a1 = Tanh(z1)",
        "z2 = Linear(a1, W2)",
        "L = SquaredError(z2, y)",
        "J = Mean(L)",
        params={
            name: RNG.normal(size=s) for name, s in {"W1": (5, 3), "b1": 5, "W2": (2, 5)}.items()
        },
    )
    front = () if count is None else (count,)
    run = net.run(RNG.normal(size=(*front, 3)), RNG.normal(size=(*front, 2)))
    own = run.written_in(convention)
    turned = convention.weights == "in,out"
    assert own["W2"].shape == ((5, 2) if turned else (2, 5))  # no line of a bias
    gradient = own.gradients()["W2"]
    np.testing.assert_allclose(gradient.T if turned else gradient, run.gradients()["W2"], 1e-13)
    assert own.check().ok
    page = run.derivation(convention).text()
    (formula,) = re.findall("^ *(z2 = .*?)(?:  .*)?$", page, re.M)  # its numbers stand behind it
    assert not any(word in formula for word in ("[1", "1]", "b"))


def test_a_mean_over_tokens_too_is_no_mean_of_examples_alone():
    net = Network.program(
        "z = Linear(x, W)",
        "L = SquaredError(z, y)",
        "J = Mean(L, over='n,t')",
        params={"W": RNG.normal(size=(2, 3))},
    )
    x, y = RNG.normal(size=(5, 7, 3)), RNG.normal(size=(5, 7, 2))
    run = net.run(x, y, axes={"x": "n,t"})
    assert refusal(SpecError, run.derivation, Convention(mean="gradient")) == (
        "mean = \"gradient\" cannot be said of this program: J = Mean(L, over='n,t') reads L[n,t], "
        "of each example more than one number.\n"
        '  Write a convention with mean = "delta", where a δ is ∂J/∂z.'
    )
    assert run.derivation(Convention(mean="delta"), CHECKED).text()
