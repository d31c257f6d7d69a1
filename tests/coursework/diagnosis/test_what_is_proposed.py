"""What diagnose tries: ratios, readings, statistics, rates, slopes and edits, each by itself."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose
from jacobian_bp.coursework.diagnosis.edits import of_factors
from jacobian_bp.coursework.diagnosis.edits.of_overwriting import overwritten
from jacobian_bp.coursework.diagnosis.evidence.matching import Precision
from jacobian_bp.coursework.diagnosis.evidence.other_quantities import other_quantities
from jacobian_bp.coursework.diagnosis.evidence.own_numbers import MOST_KINKS, solved
from jacobian_bp.coursework.diagnosis.evidence.readings import HOME, OTHER, readings
from jacobian_bp.coursework.diagnosis.evidence.search import Question, everywhere
from jacobian_bp.coursework.diagnosis.mutations.mutation import Facts, Variation
from jacobian_bp.coursework.diagnosis.mutations.of_graph import is_statistic
from jacobian_bp.coursework.diagnosis.passes.pass_lines import backward_pass

RNG = np.random.default_rng(163)


def normal(*shape):
    return RNG.normal(size=shape)


# --- readings ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "as_it_stands", "turned"),
    [
        ("gradient", HOME, "transposed"),
        ("numerator", HOME, "transposed"),
        ("transposed", "transposed", HOME),
        ("flat", OTHER, "transposed"),
        ("flat_column", OTHER, "transposed"),
    ],
)
def test_a_matrix_is_at_home_in_the_layout_that_was_asked_for(layout, as_it_stands, turned):
    S, shape = normal(3, 5), (3, 5)
    first = next(iter(readings(S, shape, layout, False)))
    assert (first.label, first.layout) == (as_it_stands, "gradient")
    assert np.array_equal(first.array, S)
    first = next(iter(readings(S.T, shape, layout, False)))
    assert (first.label, first.layout) == (turned, "transposed")
    assert np.array_equal(first.array, S)


# --- statistics --------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("axes", [(0,), (2,), (1, 2)])
def test_mean_variance_and_deviation_are_statistics_and_nothing_near_them(axes, scale):
    x = (normal(3, 5, 7) + 0.5) * scale
    mean, variance = x.mean(axes), x.var(axes)
    added = variance.min() / 20
    made = [mean, variance, variance + added, np.sqrt(variance + added), variance**-0.5]
    assert [is_statistic(each, x, axes) for each in made] == [True] * 5
    wrong = [x.max(axes), 2 * variance, variance - added, variance + 20 * variance.max(), -mean]
    assert [is_statistic(each, x, axes) for each in wrong] == [False] * 5
    uneven = added * (1 + np.arange(variance.size).reshape(variance.shape) / variance.size)
    nearly = [mean + 1e-6 * scale, mean + 1e-12 * scale, variance + uneven, variance * (1 - 1e-12)]
    assert [is_statistic(each, x, axes) for each in nearly] == [False, True, False, True]


# --- one slip in every layer -------------------------------------------------------


def test_one_slip_in_every_layer_is_nearly_as_likely_as_in_the_last():
    x = np.ones(2)
    run = Network.dense([2, 3, 5, 7], "tanh", "half_squared_error", seed=1).run(x, np.ones(7))
    lines = [line for line in backward_pass(run.forward_pass).lines if line.kind == "slope"][::-1]
    assert len({line.key for line in lines}) == 3
    said = [("missing-slope", 31), ("missing-slope", 17), ("missing-output-slope", 5)]
    possible = [
        Variation(label, prior, {line.key: None}, line.target, line, tag="t")
        for (label, prior), line in zip(said, lines, strict=True)
    ]
    hidden, every = everywhere(possible)
    assert (hidden.prior, every.prior) == (17 + 2, 5 + 3)
    assert (set(hidden.changes), set(every.changes)) == (
        {line.key for line in lines[:2]},
        {line.key for line in lines},
    )
    assert hidden.label == every.label == "missing-slope"


# --- a rate that was solved for ----------------------------------------------------


def asked(right):
    return Question("W1", lambda changes: right, right, [], Precision(), right)


@pytest.mark.parametrize("rate", [0.1, -0.37, 0.123456789])
def test_a_rate_is_solved_for_where_the_numbers_prove_it(rate):
    W, D, E = normal(3, 5), normal(3, 5), normal(3, 5)

    def at(t):
        return W - t * D + t * t * E

    found = solved(at, at(rate), asked(W))
    assert found == pytest.approx(rate, rel=1e-9)
    assert solved(at, at(rate) + np.eye(3, 5), asked(W)) is None


def test_a_rate_of_one_number_or_of_a_factor_is_believed_only_as_it_is_written_down():
    for W, D in [(normal(1, 1), normal(1, 1)), (M := normal(3, 5), -2 * M)]:
        for rate, believed in [(0.25, True), (0.123456789, False)]:
            found = solved(lambda t, W=W, D=D: W - t * D, W - rate * D, asked(W))
            assert found == (pytest.approx(rate) if believed else None)


# --- slopes at a corner, the axis of a softmax, what a sum is divided by -------------


@pytest.mark.parametrize("slope", [1.0, 0.5, 0.3])
def test_one_slope_at_any_number_of_corners_is_a_choice(slope):
    params = {"W1": normal(5, 3), "b1": np.zeros(5), "W2": normal(2, 5), "b2": normal(2)}
    net = Network.dense([3, 5, 2], ["relu", "identity"], "squared_error", params=params)
    x = normal(7, 3)
    x[[0, 3, 5]] = 0
    run = net.run(x, normal(7, 2))
    z, u = run["z1"], 2 * (run["a2"] - run["y"]) / 7 @ params["W2"]
    assert (z == 0).sum() > MOST_KINKS
    d1 = u * np.where(z == 0, slope, z > 0)
    for key, array in {"z1": d1, "b1": d1.sum(0)}.items():
        found = diagnose(run, {key: array})[key]
        assert (found.label, found.ok) == ("kink", True)
        assert f"where you take {slope:g} for its slope" in found.remark
    other = u * np.where(z == 0, slope * (1 + np.arange(5)), z > 0)
    assert diagnose(run, {"z1": other})["z1"].label != "kink"


@pytest.mark.parametrize("examples", [7, 4])
def test_a_softmax_over_the_examples_is_named(examples):
    net = Network.dense([3, 5, 4], ["tanh", "softmax"], "cross_entropy", seed=2)
    run = net.run(normal(examples, 3), np.eye(4)[RNG.integers(4, size=examples)])
    e = np.exp(run["z2"] - run["z2"].max(0))
    p = e / e.sum(0)
    found = diagnose(run, {"z2": (p - run["y"]) / examples})["z2"]
    assert found.label == "examples-axis"
    assert found.remark == (
        "In the delta of z2 (layer 2) the axis of the examples is taken for another: "
        "softmax along axis 0."
    )
    assert diagnose(run, {"z2": p / examples})["z2"].label != "examples-axis"


def tokens():
    """Seven examples of five tokens: the mean over the examples of a sum over the tokens."""
    net = Network.program(
        "z = Linear(x, W)",
        "a = Tanh(z)",
        'L = Einsum("tk,tk->", a, y)',
        "J = Mean(L)",
        params={"W": normal(3, 2)},
    )
    return net.run(x=normal(7, 5, 2), y=normal(7, 5, 3), axes={"x": "n,t"})


@pytest.mark.parametrize("divisor", [7 * 5 * 3, 7 * 5 * 2])
def test_a_mean_over_all_entries_of_a_table_of_tokens_is_named(divisor):
    run = tokens()
    found = diagnose(run, {"W": run.gradients()["W"] * 7 / divisor})["W"]
    assert found.label == "examples-axis"
    assert f"the sum is divided by {divisor}, not by the m = 7 examples" in found.remark


def test_the_last_one_of_two_sums_and_the_first_are_proposed_once_in_every_order():
    """dW[k,i] = Σ_n,t δ[n,t,k] x[n,t,i]: along n, along t, along both in either order."""
    backward = backward_pass(tokens().forward_pass)
    facts = Facts(backward, frozenset())
    (line,) = [line for line in backward.lines if line.target == "W"]
    equation = facts.equation(line)
    edits = list(overwritten(line, equation, facts))
    assert len({(edit.note, edit.extra) for edit in edits}) == len(edits) == 8
    assert len([edit for edit in edits if "the first one" in edit.note]) == 4
    delta, x = normal(7, 5, 3), facts.values["x"]
    found = [edit.equation.value(delta) for edit in edits]
    assert np.allclose(found[0], np.einsum("tk,ti->ki", delta[-1], x[-1]))
    assert np.allclose(found[1], np.einsum("tk,ti->ki", delta[0], x[0]))


def test_other_arrays_of_the_shape_of_a_factor_its_own_kind_first(monkeypatch):
    """None is the factor itself, none is all 0; its own gradient comes before the others."""
    net = Network.dense([2, 3, 3, 3], "tanh", "half_squared_error", seed=3)
    net = net.with_params({**net.params, "b1": np.zeros(3)})
    backward = backward_pass(net.run(normal(2), normal(3)).forward_pass)
    facts = Facts(backward, frozenset())

    def proposed(target, name):
        (line,) = [line for line in backward.lines if line.target == target]
        equation = facts.equation(line)
        (factor,) = [factor for factor in equation.factors() if factor.name == name]
        edits = list(of_factors.other_arrays(line, equation, factor, facts))
        numbers = [
            backward.base[e.note[4:]] if e.note[0] == "∂" else facts.values[e.note] for e in edits
        ]
        for edit, array in zip(edits, numbers, strict=True):
            assert any(np.array_equal(factor.array, array) for factor in edit.equation.factors())
        return [(edit.note, edit.extra, edit.kind, edit.relation) for edit in edits]

    plain = lambda names, extra: [(name, extra, "other", "") for name in names.split()]  # noqa: E731
    its_own = ("∂J/∂W3", 8, "gradient", "")
    assert proposed("a2", "W3") == [its_own, *plain("W2", 0), *plain("∂J/∂W2", 8)]
    own = ("z3", 8, "other", "its own value")
    assert proposed("a2", "∂J/∂z3") == [
        *plain("∂J/∂a3 ∂J/∂a2 ∂J/∂z2 ∂J/∂a1 ∂J/∂z1", 0), *plain("b2 b3 z1 a1 z2 a2", 8), own,
        *plain("a3 ∂J/∂b1 ∂J/∂b2 ∂J/∂b3", 8),
    ]  # fmt: skip
    monkeypatch.setattr(of_factors, "MOST_OTHERS", 2)
    assert len(proposed("a2", "∂J/∂z3")) == 2


def test_in_the_place_of_one_number_everywhere_only_deltas_are_tried():
    """Whatever multiplies the whole would be said to stand for the 1 of a sum."""
    net = Network.program("a = Tanh(x)", "J = Einsum(a, 'k->')", params={"x": normal(3)})
    backward = backward_pass(net.run().forward_pass)
    facts = Facts(backward, frozenset())
    (line,) = [line for line in backward.lines if line.source == "a"]
    equation, notes = facts.equation(line), {}
    for factor in equation.factors():
        others = of_factors.other_arrays(line, equation, factor, facts)
        notes[factor.name] = [edit.note for edit in others]
    assert notes == {"∂J/∂a": [], "tanh'(x)": ["a"]}


# --- right numbers of something else -------------------------------------------------


def test_another_gradient_is_likelier_than_a_value_and_a_value_than_an_update():
    """Their places among the mistakes: those of 50 and less come first, those of 54 after."""
    run = Network.dense([3, 5, 2], "tanh", "half_squared_error", seed=3).run(normal(3), normal(2))
    facts = Facts(backward_pass(run.forward_pass), frozenset())
    right, W = run.gradients(), run["W1"]
    handed_in = {
        "it is the gradient of b1": right["b1"],
        "it is a1 itself": run["a1"],
        "it is W1 after its update": W - 0.5 * right["W1"],
    }
    ranks = {}
    for S in handed_in.values():
        name = "W1" if S.ndim == 2 else "b2"
        mine = right[name]
        as_it_stands = list(readings(S, mine.shape, "gradient", False))
        question = Question(name, lambda _, mine=mine: mine, S, as_it_stands, Precision(), mine)
        ranks |= {found.note: found.prior for found in other_quantities(question, facts)}
    assert [ranks.get(note) for note in handed_in] == [50, 56, 58]
