"""The ledger: every number in it is the run's own, and its text fits the page."""

import re
from functools import cache

import numpy as np
import pytest
from network_cases import data, network, one_or_batch, refusal, residual
from sampled import seldom

from jacobian_bp import LAYOUTS, Network, Op, SpecError, delta, reference
from jacobian_bp.derivation.ledger import DeltaStep, GradientStep, LocalStep

by_layout = pytest.mark.parametrize("layout", LAYOUTS)


def reference_run():
    return reference.second_seed().run(reference.X, reference.Y)


def locals_of(ledger):
    return [step for step in ledger.backward if isinstance(step, LocalStep)]


# ---------------------------------------------------------------- the second seed

NAMES = [
    *("∂J/∂a3", "∂a3/∂z3", "∂z3/∂W3", "∂z3/∂b3", "∂z3/∂a2", "∂a2/∂z2"),
    *("∂z2/∂W2", "∂z2/∂b2", "∂z2/∂a1", "∂a1/∂z1", "∂z1/∂W1", "∂z1/∂b1"),
]
NONZEROS = [1, 1, 2, 1, 2, 2, 8, 2, 8, 4, 12, 4]
SHAPES = {  # of ∂J/∂a3, ∂z2/∂W2, ∂z2/∂b2, ∂z2/∂a1
    "numerator": [(1,), (2, 2, 4), (2, 2), (2, 4)],
    "transposed": [(1, 1), (2, 4, 2), (2, 2), (2, 4)],
    "flat": [(1, 1), (2, 8), (2, 2), (2, 4)],
    "flat_column": [(1, 1), (2, 8), (2, 2), (2, 4)],
    "gradient": [(1, 1), (2, 4, 2), (2, 2), (4, 2)],
}


@by_layout
def test_the_reference_network_in_every_layout(layout):
    ledger = reference_run().derivation(layout)
    steps = locals_of(ledger)
    assert [step.name for step in steps] == NAMES
    assert [step.number for step in steps] == list(range(1, 13))
    assert [step.nonzeros for step in steps] == NONZEROS
    by_name = {step.name: step.shape for step in steps}
    assert [by_name[n] for n in ("∂J/∂a3", "∂z2/∂W2", "∂z2/∂b2", "∂z2/∂a1")] == SHAPES[layout]
    assert (ledger.layout, ledger.cost, ledger.parameter_count) == (layout, "J", 29)


def test_parameters_are_counted_down():
    gradients = reference_run().derivation().gradients
    assert [(g.name, g.done, g.total) for g in gradients] == [
        ("∂J/∂W3", 2, 29),
        ("∂J/∂b3", 3, 29),
        ("∂J/∂W2", 11, 29),
        ("∂J/∂b2", 13, 29),
        ("∂J/∂W1", 25, 29),
        ("∂J/∂b1", 29, 29),
    ]


def test_the_textbook_formulas_fall_out():
    ledger = reference_run().derivation()
    assert [g.textbook for g in ledger.gradients] == ["δ3 a2ᵀ", "δ3", "δ2 a1ᵀ", "δ2", "δ1 xᵀ", "δ1"]
    deltas = [step for step in ledger.backward if isinstance(step, DeltaStep)]
    assert [(d.symbol, d.product) for d in deltas] == [
        ("δ3", "[1][2]"),
        ("δ2", "δ3 [5][6]"),
        ("δ1", "δ2 [9][10]"),
    ]
    W2 = next(g for g in ledger.gradients if g.name == "∂J/∂W2")
    assert (W2.before, W2.after) == ("Σ_k δ2[k] δ[k,k'] a1[i']", "δ2[k'] a1[i']")
    assert "1 of 6 rectifier outputs is switched off: a1[1]" in ledger.text()


def test_rectifier_outputs_are_those_of_rectifiers_alone():
    """A leaky one gives no 0 for z < 0, and what a sort moves has been counted before."""
    lines = "z = Linear(x, W)", "a = ReLU(z)", "l = LeakyReLU(a)", "m = Sort(l)", "J = Sum(m)"
    rng = np.random.default_rng(67)
    run = Network.program(*lines, params={"W": rng.normal(size=(11, 3))}).run(rng.normal(size=3))
    off = int((run["z"] < 0).sum())
    assert off > 1
    assert f"{off} of 11 rectifier outputs are switched off: a[" in run.derivation().text()


# ---------------------------------------------------------------- the numbers are the run's


@pytest.mark.one_in(4)
@by_layout
@one_or_batch
@pytest.mark.parametrize("loss", ["half_squared_error", "bce", "cross_entropy"])
def test_every_number_is_the_runs_own(layout, batch, loss):
    run = network("relu", loss).run(*data(loss, batch))
    ledger, gradients = run.derivation(layout), run.gradients()
    for step in locals_of(ledger):
        of, wrt = (name.strip("∂") for name in step.name.split("/"))
        J = run.jacobian(of, wrt)
        np.testing.assert_array_equal(step.value, J.materialise(layout))
        assert step.value.shape == step.shape == J.shape_in(layout)
        assert (step.entries, step.nonzeros, step.nbytes) == (
            J.size,
            J.structural_nonzeros,
            J.nbytes,
        )
        assert (
            step.nonzeros == np.count_nonzero(step.can_be_nonzero) >= np.count_nonzero(step.value)
        )
        assert step.reason
    for step in ledger.backward:
        if isinstance(step, DeltaStep):
            J = run.jacobian("J", step.name.partition("/∂")[2])
            np.testing.assert_allclose(step.value, J.materialise(layout), rtol=1e-12, atol=1e-14)
    assert len(ledger.gradients) == len(gradients)
    for step in ledger.gradients:
        found = gradients[step.name.partition("/∂")[2]]
        np.testing.assert_allclose(step.value, found, rtol=1e-12, atol=1e-15)
        assert step.shape == found.shape
    for step in ledger.forward:
        np.testing.assert_array_equal(step.value, run[step.name])


def test_a_saturated_sigmoid_keeps_its_answer_and_that_is_said():
    net = Network.dense([1, 1], "sigmoid", "bce", params={"W1": [[800.0]], "b1": [0.0]})
    run = net.run([-1.0], [0.0])
    assert 0 <= run.gradients()["b1"][0] < 1e-300
    text = net.run([1.0], [0.0]).derivation().text()
    assert "multiplied out, [1] and [2] have lost the answer here; the fused form keeps it" in text


# ---------------------------------------------------------------- its size


@pytest.mark.parametrize("skip", [False, True])
def test_the_text_is_linear_in_depth(skip):
    def lines(layers):
        net = residual(layers) if skip else Network.dense([3] * (layers + 1), "tanh", seed=1)
        ledger = net.run([0.5, -1.0, 2.0], [1.0, 0.0, 0.25]).derivation(agreement=AGREEMENT)
        lines = ledger.text(everything=True).splitlines()
        return len(lines), sum(map(len, lines))

    (few, _), (more, _), (most, _) = counts = [lines(n) for n in (10, 20, 40)]
    assert most - more == pytest.approx(2 * (more - few), rel=0.1)
    assert counts[2][1] < 4.5 * counts[0][1]


def test_a_reason_is_an_english_sentence():
    """The names of an op's inputs are replaced by the values' own; the article a is no input."""
    steps = locals_of(network("tanh", "squared_error").run(*data()).derivation())
    assert steps[0].reason == "squaring gives 2 (a2 − y)"
    steps = locals_of(skipping(False).derivation())
    assert "adding passes each slope on" in [step.reason for step in steps]


AGREEMENT = reference_run().check()  # the routes are compared elsewhere


def squashed(batch):
    return network("sigmoid", squash_input=True).run(*data(batch=batch))


def tied(batch):
    rng = np.random.default_rng(59)
    params = {"W": rng.standard_normal((3, 3)), "b": rng.standard_normal(3)}
    lines = ["z1 = Linear(x, W, b)", "a1 = Softplus(z1)", "z2 = Linear(a1, W, b)"]
    lines += ["q = Multiply(z2, z2)", "s = Add(q, a1)", "L = SquaredError(s, y)", "J = Mean(L)"]
    net = Network.program(*lines, params=params)
    return net.run(*rng.standard_normal((2, *(7,) * batch, 3)))


def skipping(batch):
    return residual(3).run(*np.random.default_rng(61).standard_normal((2, *(7,) * batch, 3)))


def of_layers(activation, loss, sizes):
    def build(batch):
        return network(activation, loss, sizes).run(*data(loss, batch, sizes))

    return build


def long_names(batch):
    lines = ["pre_activation = Linear(measurements_of_the_patient, weights_of_layer_one, bias_one)"]
    lines += ["prediction = Tanh(pre_activation)", "L = SquaredError(prediction, y)", "J = Mean(L)"]
    params = {"weights_of_layer_one": np.ones((3, 5)) / 7, "bias_one": np.ones(3) / 3}
    x, y = np.ones((*(7,) * batch, 5)), np.ones((*(7,) * batch, 3))
    return Network.program(*lines, params=params).run(measurements_of_the_patient=x, y=y)


RUNS = {
    "reference": lambda batch: reference_run(),
    "squashed": squashed,
    "tied": tied,
    "skipping": skipping,
    "long names": long_names,
    "relu": of_layers("relu", "bce", [5, 3, 2]),
    "leaky": of_layers("leaky_relu", "half_squared_error", [2, 3, 5, 7]),
    "softmax": of_layers("softmax", "cross_entropy", [5, 3, 2]),
    "wide": of_layers("softplus", "cross_entropy", [31, 29, 3]),
    "many": of_layers("tanh", "squared_error", [13, 11, 7, 5, 3, 2]),
    "images": of_layers("relu", "cross_entropy", [784, 31, 10]),
    "deep": of_layers("sigmoid", "squared_error", [3] * 31),
}
by_run = pytest.mark.parametrize("build", RUNS.values(), ids=RUNS)


SLOW = ("images", "deep")


@cache
def derived(build, batch):
    """What several tests read, and none changes."""
    return build(batch).derivation()


@pytest.mark.one_in(10)
@pytest.mark.parametrize(
    ("build", "batch"),
    [
        seldom(build, batch) if name in SLOW and not batch else (build, batch)
        for name, build in RUNS.items()
        for batch in (False, True)
    ],
)
@pytest.mark.parametrize("ascii_only", [False, True], ids=["unicode", "ascii"])
def test_no_line_is_longer_than_99_columns(build, batch, ascii_only):
    text = derived(build, batch).text(ascii_only=ascii_only)
    assert [line for line in text.splitlines() if len(line) > 99] == []
    assert text.isascii() or not ascii_only
    assert not any(line.endswith(" ") for line in text.splitlines())


@pytest.mark.one_in(6)
@pytest.mark.parametrize(
    "build",
    [seldom(RUNS[name], id=name) if name in SLOW else RUNS[name] for name in RUNS],
    ids=RUNS,
)
def test_the_same_bytes_twice(build):
    assert build(False).derivation().text() == derived(build, False).text()


def test_columns_stay_aligned_in_ascii():
    for ascii_only in (False, True):
        lines = reference_run().derivation().text(ascii_only=ascii_only).splitlines()
        head = next(line for line in lines if line.startswith("step"))
        numbered = [at for at, line in enumerate(lines) if line.startswith("[")]
        assert len(numbered) == 12
        because, moved = head.index("because"), []
        for at in numbered:
            line, words = lines[at], ["Jacobian", "formula, tensor", "flat", "can be"]
            reason = re.split("  +", line)[-1]
            if because + len(reason) <= 99:
                words.append("because")
            else:  # a reason that would pass column 99 ends there
                moved.append(line.split()[0])
                assert len(line) == 99
            for word in words:
                column = head.index(word)
                assert line[column - 2 : column] == "  "
                assert line[column] != " "
            assert line[head.index("flat")] == "("
        assert moved == (["[5]", "[9]"] if ascii_only else [])


def test_tied_squashed_and_skipping_networks_are_written_out():
    assert "x(5) → sigmoid → 3 sigmoid → 2 sigmoid" in squashed(False).derivation().text()
    ledger = tied(False).derivation()
    W = next(g for g in ledger.gradients if g.name == "∂J/∂W")
    assert isinstance(W, GradientStep)
    assert W.after.count(" + ") == 1  # one product for each place in which W stands
    symbols = [d.product for d in skipping(False).derivation().backward if isinstance(d, DeltaStep)]
    assert any(" + " in product for product in symbols)


@pytest.mark.parametrize(("sizes", "told"), [([7, 8], False), ([4, 13], True)])
def test_parameters_that_are_left_out_are_said_to_be_printed_with_all(sizes, told):
    """64 of them stand there, 65 do not."""
    net = Network.dense(sizes, "identity", "squared_error", seed=2)
    derivation = net.run(np.arange(sizes[0]), np.arange(sizes[1])).derivation()
    text, whole = derivation.text(), derivation.text(everything=True)
    assert ("in 2 arrays; --all prints them\n" in text) is told
    assert ("W1 = [" in text) is not told
    assert "in 2 arrays\n" in whole
    assert "W1 = [" in whole


@pytest.mark.parametrize("name", ["flatt", "", "FLAT", "Ng", "Nielson"])
def test_an_unknown_convention_is_refused(name):
    meant = {"flatt": "flat", "FLAT": "flat", "Ng": "ng", "Nielson": "nielsen"}
    guess = f" Did you mean {meant[name]!r}?" if name else ""
    message = f"convention {name!r} is not known.{guess}\n"
    message += "  Write one of numerator, transposed, flat, flat_column, gradient,\n"
    message += "  first_seed, second_seed, third_seed, ng, nielsen, cs231n;\n"
    message += "  or the name of a TOML file with a table [convention]."
    assert refusal(SpecError, reference_run().derivation, name) == message


@one_or_batch
def test_a_batch_says_that_its_formulas_are_of_one_example(batch):
    lines = network("tanh").run(*data(batch=batch)).derivation().text().splitlines()
    said = [line.strip() for line in lines if "one a row" in line]
    assert said == ["7 examples, one a row; a formula is that of one"] * batch


def test_one_array_is_not_called_arrays():
    net = Network.program("z = Multiply(x, w)", "J = SquaredError(z, y)", params={"w": [1.0, 2.0]})
    text = net.run([1.0, 2.0], [0.0, 1.0]).derivation().text()
    assert "2 parameters = 0 weights + 2 biases, in 1 array\n" in text


def test_without_parameters_there_is_no_empty_table():
    run = Network.program("J = SquaredError(x, y)").run(x=[1.0, 2.0], y=[0.0, 5.0])
    assert (
        run.derivation().text().partition("\n\nchecks")[0]
        == """\
network   J = SquaredError(x, y)
          no parameters: there is no gradient to derive

forward   x = [1  2], y = [0  5]
          J = Σ (x − y)²  10"""
    )


class Scaled(Op):
    """z = by · a, an op without a formula."""

    signature = "a[k] -> z[k]"

    def __init__(self, by, shift=0):
        self.by, self.shift = by, shift

    def forward(self, a):
        return self.by * a

    def jacobians(self, a):
        return {"a": self.by * delta("k,k'")}

    def vjp(self, z_bar, a):
        return {"a": self.by * z_bar}


def test_a_forward_line_has_the_options_of_its_op_and_the_name_that_it_was_given():
    lines = [
        "q = Linear(x, W, b)",
        "z = Mine(q, 3.0, shift=1)",
        "a = LeakyReLU(z, slope=0.25)",
        "c = ReLU(a)",
        "L = Huber(c, y, 0.5)",
    ]
    params = {"W": [[1.5, -0.5], [0.25, 2.0], [-1.0, 0.75]], "b": [0.5, 1.0, -2.0]}
    net = Network.program(*lines, params=params, ops={"Mine": Scaled})
    run = net.run([1.0, -2.0], [1.0, 2.0, 3.0])
    assert [step.statement for step in run.derivation().forward] == [
        "q = W x + b",
        "z = Mine(q, 3.0, shift=1)",
        "a = leaky(z), slope=0.25",
        "c = relu(a)",
        "L = Σ huber(c − y), δ = 0.5",
    ]
    assert [step.op for step in run.derivation().forward][1] == "Mine"
    assert "Mine" in net._repr_html_()


def test_a_derivation_is_short_where_it_stands_in_a_list_and_whole_where_it_is_printed():
    derivation = reference_run().derivation()
    assert repr(derivation) == (
        "<Derivation of 6 gradients of J in layout flat: 29 parameters, 12 local Jacobians; "
        "print() shows it>"
    )
    assert str(derivation).count("\n") > 70
    assert derivation._repr_mimebundle_()["text/plain"] == str(derivation)
