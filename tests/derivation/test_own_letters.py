"""No page has one letter for two things: its own letters keep off the names of values."""

import re
from dataclasses import replace

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, Convention, Network
from jacobian_bp.derivation.op_examples import all_ops, example_of
from jacobian_bp.program.forward_pass import Pass
from jacobian_bp.program.program import Program
from jacobian_bp.writing.signs import HAT

RNG = np.random.default_rng(31)
WORD = re.compile(rf"[^\W\dᵀ²](?:[^\Wᵀ²]|{HAT})*'?")
OWN = [
    (cls, letter)
    for classes in all_ops().values()
    for cls in classes
    for letter in example_of(cls).op.own_letters
]


def written(step, state):
    """All that a page has of a step: its formula, its reasons, its Jacobians."""
    whole = [step.formula, *(step.reason(place) for place, _, _ in step.variables)]
    whole += [state.local(step)[operand][2] for _, operand, _ in step.variables]
    return "\n".join(map(str, whole))


def times(name, text):
    """How often a name stands in the text as a word of its own, outside of brackets."""
    words = WORD.findall(re.sub(r"\[[^\]]*\]", "", text))
    return [word.replace(HAT, "") for word in words].count(name)


def example_with(cls, letter):
    """The step of an op's example whose first differentiable input is called so, and its pass."""
    entry = example_of(cls)
    _, _, arg = entry.step.variables[0]
    step = replace(entry.step, args=tuple(letter if a == arg else a for a in entry.step.args))
    params = [letter if p == arg else p for p in entry.state.program.params]
    values = {letter if n == arg else n: v for n, v in entry.state.values.items()}
    names = {letter if n == arg else n: v for n, v in entry.state.names.items()}
    program = Program.build([step], params)
    return entry, arg, Pass(program, values, names, entry.state.dtype), program.steps[0]


@pytest.mark.parametrize(("cls", "letter"), OWN, ids=lambda v: getattr(v, "__name__", v))
def test_a_letter_of_an_op_is_not_that_of_a_value_that_it_reads(cls, letter):
    entry, arg, state, step = example_with(cls, letter)
    before = written(entry.step, entry.state)
    assert times(letter, written(step, state)) == times(arg, before)
    if times(letter, before):  # without the names of the program the letter has two meanings
        blind = replace(step, taken=frozenset())
        assert times(
            letter, written(blind, Pass(state.program, state.values, state.names, state.dtype))
        ) > (times(arg, before))


def test_ops_that_name_what_is_inside_them_say_so():
    assert {cls.__name__ for cls, _ in OWN} >= {
        *("LayerNorm", "RMSNorm", "BatchNorm", "GroupNorm", "Hinge"),
        *("RNNCell", "GRUCell", "LSTMCarry", "LSTMOutput"),
    }


def test_of_a_norm_behind_a_value_s_the_spread_has_the_name_of_the_step():
    params = {"W": RNG.normal(size=(3, 2)), "g": np.ones(3), "mean": np.zeros(3)}
    lines = ("s = Linear(x, W)", "p = LayerNorm(s, g, mean)", "J = SquaredError(p, y)")
    run = Network.program(*lines, params=params).run(RNG.normal(size=2), RNG.normal(size=3))
    page = str(run.derivation())
    assert "p = g (s − mean_p)/s_p + mean, s_p = √(variance + eps)" in page
    centred = "s\u0302"  # the hat of x̂ on the value's own letter
    spread = f"1/3 (g/s_p)[k] {centred}[k] {centred}[k']"
    assert f"= (g/s_p)[k] δ[k,k'] − 1/3 (g/s_p)[k] 1[k'] − {spread}" in page


def test_the_gates_of_a_cell_keep_off_the_values_and_name_the_weights_as_they_are_called():
    params = {"A": RNG.normal(size=(8, 3)), "B": RNG.normal(size=(8, 2))}
    data = {"x": RNG.normal(size=3), "g": RNG.normal(size=2), "c0": RNG.normal(size=2)}
    run = Network.program("h, c = LSTMCell(x, g, c0, A, B)", params=params).run(**data)
    assert run.forward_pass.program.steps[0].formula == (
        "f * c0 + i * g_c, with the gates i, f, g_c, o of A x + B g"
    )
    assert run.jacobian("c", "x").formula == (
        "di[k] Ai[k,i'] + df[k] Af[k,i'] + dg_c[k] Ag_c[k,i']"
    )


def test_of_two_cells_each_has_letters_of_its_own():
    cells = ("h1 = RNNCell(x1, h0, W, U, b)", "h2 = RNNCell(x2, h1, W, U, b)")
    params = {"W": RNG.normal(size=(2, 3)), "U": RNG.normal(size=(2, 2)), "b": RNG.normal(size=2)}
    given = {name: RNG.normal(size=size) for name, size in {"x1": 3, "h0": 2, "x2": 3}.items()}
    net = Network.program(*cells, "J = SquaredError(h2, y)", params=params)
    page = str(net.run(**given, y=RNG.normal(size=2)).derivation())
    assert "h1 = tanh(z_h1), z_h1 = W x1 + U h0 + b" in page
    assert "h2 = tanh(z_h2), z_h2 = W x2 + U h1 + b" in page
    assert "∂h2/∂h1   tanh'(z_h2)[k] U[k,j']" in page
    once = Network.program(cells[0], "J = SquaredError(h1, y)", params=params)
    del given["x2"]
    assert "h1 = tanh(z), z = W x1 + U h0 + b" in str(
        once.run(**given, y=RNG.normal(size=2)).derivation()
    )


def test_both_ops_of_an_lstm_cell_have_its_gates_and_two_norms_two_spreads():
    params = {"W": RNG.normal(size=(8, 3)), "U": RNG.normal(size=(8, 2))}
    once = "h1, c1 = LSTMCell(x1, h0, c0, W, U)"
    one = Network.program(once, params=params)._program
    assert [step.spelled["f"] for step in one.steps] == ["f", "f"]
    two = Network.program(once, "h2, c2 = LSTMCell(x2, h1, c1, W, U)", params=params)._program
    assert [step.spelled["f"] for step in two.steps] == ["f_c1", "f_h1", "f_c2", "f_h2"]
    norms = "p = LayerNorm(x, g, c)", "q = LayerNorm(p, g, c)"
    both = Network.program(*norms, params={"g": np.ones(3), "c": np.zeros(3)})._program
    assert [step.spelled["s"] for step in both.steps] == ["s_p", "s_q"]


def test_the_unit_roundoff_and_the_sums_of_a_second_derivation_have_free_letters():
    params = {"p": RNG.normal(size=(3, 2)), "s": RNG.normal(size=3)}
    lines = ("u = Linear(x, p, s)", "d = Softmax(u)", "J = CrossEntropy(d, y)")
    run = Network.program(*lines, params=params).run(RNG.normal(size=2), np.int64(1))
    checked = str(run.check())
    assert "within 16·ε·Σ|terms|" in checked
    assert "  ε: the unit roundoff; Σ|terms|: an entry's sum with every sign plus\n" in checked
    assert "·u·" not in checked
    assert "within 16·ε·Σ|terms|" in str(run.derivation())
    page = str(run.second_derivation())
    assert "∂²J/∂θ∂q by 9 parameters" in page
    assert "= Σ over rows (∂μ/∂θ)ᵀ [Σ_ρ ∂J/∂ρ ∂²ρ/∂μ∂v] (∂v/∂q), μ and v in both orders" in page
    assert "in a block the indices of θ have no prime, those of q have one" in page
    plain = Network.dense([2, 3], "softmax", "cross_entropy", seed=1)
    other = plain.run(RNG.normal(size=2), np.int64(1))
    assert "·u·Σ|terms|" in str(other.check())
    assert "(∂u/∂p)ᵀ [Σ_s ∂J/∂s ∂²s/∂u∂v] (∂v/∂q), u and v" in str(other.second_derivation())


def test_a_name_that_a_convention_gives_counts_too():
    run = Network.dense([2, 3], "softmax", "cross_entropy", seed=1).run(
        RNG.normal(size=2), np.int64(1)
    )
    page = str(run.derivation(Convention(names={"u": "x"})))
    assert "within 16·ε·Σ|terms|" in page
    assert "16·u·" not in page


def test_a_step_that_is_advised_has_a_name_that_is_free():
    W = RNG.normal(size=(3, 2))
    net = Network.program("s = Linear(x, W)", "J = Tanh(s)", params={"W": W})
    run = net.run(RNG.normal(size=(5, 2)))
    assert refusal(AxisError, run.gradients).splitlines()[1] == (
        "  Add up each example, s2 = Einsum(J, 'i->'), and end with J2 = Mean(s2); or ask for "
        "run.vjp('J', name, v) with a cotangent v."
    )
    more = ("s2 = Einsum(J, 'i->')", "J2 = Mean(s2)")
    mended = Network.program("s = Linear(x, W)", "J = Tanh(s)", *more, params={"W": W})
    assert mended.run(RNG.normal(size=(5, 2))).check().ok
