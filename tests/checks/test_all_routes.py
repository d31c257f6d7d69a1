"""run.check(): yes to a right network; the first wrong op of a wrong one, by name."""

import io

import numpy as np
import pytest
from network_cases import data, in_four_ways, network, one_or_batch, refusal, residual
from wrong_ops import NotANumber, SoftmaxDiagonal, TransposedJacobian, UnsummedBias, wrong

from jacobian_bp import (
    AxisError,
    Linear,
    Multiply,
    Network,
    Op,
    Sigmoid,
    Tanh,
    check_op,
    delta,
    dense,
    memory_limit,
    reference,
)
from jacobian_bp.checks import all_routes
from jacobian_bp.checks.of_hessian import check_hessian
from jacobian_bp.checks.taylor import TaylorReport
from jacobian_bp.routes.difference import Perturbed

EVERYWHERE = pytest.mark.parametrize("where", ["jacobian", "vjp", "both"])


def deep(op, at, batch=False, layers=7):
    """Seven layers of three units; in layer `at` the activation is `op`. The cost is C."""
    rng, lines, params = np.random.default_rng(3), [], {}
    for layer in range(1, layers + 1):
        before, activation = f"a{layer - 1}" if layer > 1 else "x", "Own" if layer == at else "Tanh"
        lines += [f"z{layer} = Linear({before}, W{layer}, b{layer})"]
        lines += [f"a{layer} = {activation}(z{layer})"]
        params[f"W{layer}"] = rng.standard_normal((3, 3))
        params[f"b{layer}"] = rng.standard_normal(3)
    lines += [f"L = SquaredError(a{layers}, y)", "C = Mean(L)"]
    net = Network.program(*lines, params=params, ops={"Own": op})
    return net.run(*rng.standard_normal((2, *(5,) * batch, 3)))


# ---------------------------------------------------------------- the op that is wrong


def test_the_first_wrong_op_is_reported_on_where_it_is_small(monkeypatch):
    """Entries of the local Jacobian: 3 × 3."""
    state = deep(wrong(Tanh, 2.0, "vjp"), 4).forward_pass
    for most, told in ((9, True), (8, False)):
        monkeypatch.setattr(all_routes, "LARGEST_REPORTED_OP", most)
        name, report = all_routes.first_wrong_op(state)
        assert name.startswith("a4 = ")
        assert (report is not None) is told
    monkeypatch.setattr(all_routes, "LARGEST_REPORTED_OP", 9)
    _, report = all_routes.first_wrong_op(state)
    assert "vjp() is wrong" in str(report)


def test_columns_whose_steps_cross_a_kink_are_counted_one_by_one():
    net = Network.dense([2, 3, 1], ["relu", "identity"], "squared_error", seed=1)
    params = {**net.params, "W1": np.zeros((3, 2)), "b1": np.zeros(3)}
    run = net.with_params(params).run(np.ones(2), np.ones(1))
    for names, left_out, columns in ((["W1"], 6, 0), (["b1", "b2"], 3, 1), (["b2"], 0, 1)):
        whole = run.hessian(names).materialise()
        found = check_hessian(run.forward_pass, names, whole)
        assert (found.left_out, found.columns, found.ok) == (left_out, columns, True)


# ---------------------------------------------------------------- right networks


@pytest.mark.parametrize("op", ["Tanh", "Sigmoid", "GELU"])
def test_a_way_of_very_many_steps_is_right_and_a_mistake_in_the_last_is_found(op):
    """At the fixed point of a sigmoid every step is off by the same rounding, to the same side."""
    for own, ok in ((op, True), ("Own", False)):
        lines = [f"v{n + 1} = {op}(v{n})" for n in range(300)] + [f"v301 = {own}(v300)"]
        net = Network.program(
            "v0 = Multiply(x, w)", *lines, "J = Sum(v301)",
            params={"w": np.array([0.5, 1.5])}, ops={"Own": wrong(Tanh, 1 + 1e-9, "vjp")},
        )  # fmt: skip
        agreement = net.run(np.ones(2)).check()
        assert agreement.ok is ok
        assert f"{16 + 4 * (303 - 8):,}·u·Σ|terms|" in str(agreement)


@pytest.mark.one_in(10)
@in_four_ways
def test_a_right_network_is_right(activation, loss, batch, dtype):
    agreement = network(activation, loss, dtype=dtype).run(*data(loss, batch, dtype=dtype)).check()
    assert agreement.ok, str(agreement)
    assert [(row.route, row.compared) for row in agreement.rows] == [
        (route, 3 * 5 + 3 + 2 * 3 + 2) for route in ("full", "structured", "difference")
    ]


def test_skip_connections_squashed_inputs_and_tied_weights_are_right():
    rng = np.random.default_rng(13)
    x, y, W = rng.standard_normal(3), rng.standard_normal(3), rng.standard_normal((3, 3))
    tied = Network.dense([3, 3, 3], "tanh", params={"W1": W, "b1": x, "W2": W, "b2": y})
    assert tied.run(x, y).check().ok
    assert residual(5).run(x, y).check().ok
    assert network("sigmoid", squash_input=True).run(*data()).check().ok


BARS = """\
u: the unit roundoff; Σ|terms|: an entry's sum with every sign plus
  their accuracy: what the difference of two neighbouring costs can resolve"""


def test_the_whole_table_of_a_right_network():
    assert str(reference.second_seed().run(reference.X, reference.Y).check()) == (
        "gradient of J: each route against the vjp route, entry by entry\n"
        "  full            29 of 29 entries   within 16·u·Σ|terms|, off by less than 1e-15\n"
        "  structured      29 of 29 entries   within 16·u·Σ|terms|, off by less than 1e-15\n"
        "  difference      29 of 29 entries   within their accuracy, off by less than 1e-08\n"
        f"  {BARS}\n"
        "all routes agree"
    )


def test_progress_is_told_from_the_first_entry_to_the_last():
    told = []
    reference.second_seed().run(reference.X, reference.Y).check(lambda *pair: told.append(pair))
    assert told == [(done, 29) for done in range(1, 30)]


# ---------------------------------------------------------------- wrong ops


@pytest.mark.one_in(10)
@EVERYWHERE
@one_or_batch
@pytest.mark.parametrize("factor", [-1.0, 2.0, 1.0005])
@pytest.mark.parametrize("at", [1, 4, 7])
def test_the_wrong_op_is_named(where, batch, factor, at):
    agreement = deep(wrong(Tanh, factor, where), at, batch).check()
    assert not agreement.ok
    assert agreement.parted == f"a{at} = WrongTanh(z{at})"
    (finding,) = agreement.report.findings
    verdict = {"jacobian": "jacobians() is", "vjp": "vjp() is", "both": "both are"}[where]
    assert finding.wrong == f"{verdict} wrong"


@pytest.mark.parametrize("where", ["jacobian", "vjp"])
def test_a_mistake_below_finite_differences_is_caught(where):
    agreement = deep(wrong(Tanh, 1 + 1e-12, where), 4).check()
    assert [row.route for row in agreement.rows if not row.ok] == ["full", "structured"]
    assert agreement.parted == "a4 = WrongTanh(z4)"
    (finding,) = agreement.report.findings
    assert finding.wrong == "the two rules differ by less than finite differences can tell"


@pytest.mark.parametrize("op", [SoftmaxDiagonal, NotANumber])
def test_other_mistakes_are_named_too(op):
    assert deep(op, 4).check().parted == f"a4 = {op.__name__}(z4)"


@pytest.mark.one_in(3)
@EVERYWHERE
@pytest.mark.parametrize("factor", [np.nan, np.inf, -np.inf])
def test_a_derivative_that_is_no_number_agrees_with_nothing(factor, where):
    agreement = deep(wrong(Tanh, factor, where), 4).check()
    assert not agreement.ok
    assert agreement.parted == "a4 = WrongTanh(z4)"
    assert not any(row.ok for row in agreement.rows)
    (finding,) = agreement.report.findings
    blamed = {"jacobian": "jacobians() is", "vjp": "vjp() is", "both": "both are"}[where]
    assert finding.wrong.startswith(f"{blamed} wrong")


@pytest.mark.parametrize("op", [TransposedJacobian, wrong(Linear, 1.0005, "vjp"), UnsummedBias])
def test_a_wrong_layer_is_named(op):
    rng = np.random.default_rng(43)
    net = Network.program(
        "z1 = Linear(x, W, b)",
        "z2 = Own(z1, W, b)",
        "L = SquaredError(z2, y)",
        "C = Mean(L)",
        params={"W": rng.standard_normal((3, 3)), "b": rng.standard_normal(3)},
        ops={"Own": op},
    )
    agreement = net.run(*rng.standard_normal((2, 7, 3))).check()
    assert not agreement.ok
    assert agreement.parted.startswith(f"z2 = {op.__name__}(z1, W, b)")


def test_the_first_wrong_op_in_topological_order_is_named():
    net = Network.program(
        "u = First(x, w)",
        "v = Second(u)",
        "L = SquaredError(v, y)",
        "C = Mean(L)",
        params={"w": [0.5, -1.25, 2.0]},
        ops={"First": wrong(Multiply, 3.0, "vjp"), "Second": wrong(Sigmoid, 2.0, "vjp")},
    )
    assert net.run([1.0, 2.0, 3.0], [0.0, 1.0, 0.5]).check().parted == "u = WrongMultiply(x, w)"


@pytest.mark.one_in(3)
@EVERYWHERE
def test_a_wrong_layer_of_many_entries_is_named(where):
    """Its local Jacobian has more entries than are compared one by one."""
    rng = np.random.default_rng(47)
    net = Network.program(
        "z1 = Own(x, W1, b1)",
        "z2 = Linear(z1, W2, b2)",
        "L = SquaredError(z2, y)",
        params={
            "W1": rng.standard_normal((53, 101)),
            "b1": rng.standard_normal(53),
            "W2": rng.standard_normal((2, 53)),
            "b2": rng.standard_normal(2),
        },
        ops={"Own": wrong(Linear, 1.5, where)},
    )
    agreement = net.run(rng.standard_normal(101), rng.standard_normal(2)).check()
    assert not agreement.ok
    assert agreement.parted == "z1 = WrongLinear(x, W1, b1)"


def test_a_stream_without_unicode_gets_ascii(monkeypatch):
    agreement = reference.second_seed().run(reference.X, reference.Y).check()
    reports = [agreement, check_op(Tanh, {"z": [0.5]})]
    reports.append(TaylorReport((0.5, 0.25), (4.0, 1.0), 1e-9))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    for report in reports:
        assert str(report) == report.text(ascii_only=True)
        assert str(report).isascii()
    assert "16*u*sum|terms|" in str(agreement)


def test_a_notebook_shows_the_table_the_witness_and_the_conclusion():
    net = Network.program(
        "a = Own(w)", "L = SquaredError(a, y)", "C = Mean(L)",
        params={"w": [0.25, -0.5]}, ops={"Own": wrong(Sigmoid, 2.0, "vjp")},
    )  # fmt: skip
    agreement = net.run(y=[1.0, 0.0]).check()
    html, lines = agreement._repr_html_(), agreement.lines()
    said = [lines[0], "  the routes part at a = WrongSigmoid(w)", lines[-1]]
    said += [text for row in agreement.rows for text in (row.route, "2 of 2", row.witness)]
    said += [row.verdict for row in agreement.rows]
    assert [text for text in said if text.strip() not in html] == []
    assert repr(agreement) == "<Agreement on C: the routes DISAGREE>"


def test_the_whole_table_of_a_wrong_network():
    net = Network.program(
        "a = Own(w)",
        "L = SquaredError(a, y)",
        "C = Mean(L)",
        params={"w": [0.25, -0.5]},
        ops={"Own": wrong(Sigmoid, 2.0, "vjp")},
    )
    lines = str(net.run(y=[1.0, 0.0]).check()).splitlines()
    assert [line for line in lines if "DISAGREES" not in line] == [
        "gradient of C: each route against the vjp route, entry by entry",
        "              ∂C/∂w[0]: full -0.215526570711, vjp -0.431053141422",
        "              ∂C/∂w[0]: structured -0.215526570711, vjp -0.431053141422",
        "              ∂C/∂w[0]: difference -0.215527, vjp -0.431053141422",
        *f"  {BARS}".splitlines(),
        "  the routes part at a = WrongSigmoid(w)",
        "    WrongSigmoid: WRONG",
        "      ∂a/∂w[0,0]: jacobians() 0.2461340827, vjp() 0.4922681655, "
        "finite differences 0.2461340827",
        "        vjp() is wrong; 2 of 4 entries differ",
        "        every entry is 2 times the right one",
        "the routes DISAGREE",
    ]
    told = [line.partition("   DISAGREES") for line in lines if "DISAGREES" in line]
    assert [(row[:36], row.partition(" times ")[2], end) for row, _, end in told] == [
        ("  full             2 of 2 entries   ", "16·u·Σ|terms|", ""),
        ("  structured       2 of 2 entries   ", "16·u·Σ|terms|", ""),
        ("  difference       2 of 2 entries   ", "their accuracy", ""),
    ]


# ---------------------------------------------------------------- what is said besides


def test_a_kink_is_said_and_is_no_error():
    params = {"W1": [[1.0, 2.0, 3.0], [0.25, 0.5, 0.75]], "b1": [0.0, 0.5]}
    run = Network.dense([3, 2], "relu", params=params).run([1.0, 1.0, -1.0], [1.0, 2.0])
    agreement = run.check()
    assert agreement.ok
    assert agreement.kinks[0] == "z1[0] is exactly 0, where ReLU has no slope; its at_zero is used"
    assert agreement.kinks[1] == "W1[0,0] ± 1e-06 moves z1[0] across a kink"
    assert not any("z1[1]" in kink for kink in agreement.kinks)


def test_a_kink_hides_no_wrong_op():
    """x = 0 puts every unit of the first layer on its kink; the mistake is in the second."""
    net = Network.program(
        "a = ReLU(w)",
        "p = Own(w)",
        "s = Add(a, p)",
        "L = SquaredError(s, y)",
        params={"w": [0.0, 0.75]},
        ops={"Own": wrong(Sigmoid, 2.0, "both")},
    )
    agreement = net.run(y=[0.5, -1.0]).check()
    assert not agreement.ok
    assert agreement.parted == "p = WrongSigmoid(w)"


def test_a_large_network_is_sampled_and_that_is_said():
    net = Network.dense([101, 53, 31, 2], "tanh", seed=1)
    rng = np.random.default_rng(53)
    agreement = net.run(rng.standard_normal(101), [1.0, 2.0]).check()
    full, _, difference = agreement.rows
    assert (full.compared, difference.compared, difference.total) == (7144, 3572, 7144)
    row = "  difference   3,572 of 7,144 entries   within their accuracy, off by less than 1e-08"
    assert f"{row}; a sample" in str(agreement).splitlines()


def test_a_refused_full_route_is_said():
    run = Network.dense([31, 53, 2], "tanh", seed=1).run(np.linspace(-1, 1, 31), [1.0, 2.0])
    with memory_limit("64 KiB"):
        agreement = run.check()
    assert agreement.ok
    assert [row.compared for row in agreement.rows] == [0, 1804, 1804]
    assert "full" in str(agreement).splitlines()[1]
    assert "refused:" in str(agreement).splitlines()[1]
    assert (
        "∂z1/∂W1 has shape (53, 53, 31): 87,079 entries, 680.3 KiB; the limit is 64.0 KiB."
        in str(agreement)
    )


def test_a_vector_has_no_gradient_to_compare():
    message = "a1 is not a scalar: it has shape (2,).\n"
    message += (
        "  End the program with a loss, or add up the entries: J = Einsum(a1, 'i->'); "
        "or ask for run.vjp('a1', name, v) with a cotangent v."
    )
    assert refusal(AxisError, Network.dense([3, 2], loss=None).run([1, 2, 4]).check) == message


@pytest.mark.one_in(5)
@pytest.mark.parametrize("seed", range(40))
def test_soft_labels_raise_no_false_alarm(seed):
    """p − y cancels: the bar is p + y, not |p − y|."""
    rng = np.random.default_rng(seed)
    classes = Network.dense([2, 3, 5], ["tanh", "softmax"], "cross_entropy", seed=seed)
    assert classes.run(rng.standard_normal(2), rng.dirichlet(np.ones(5))).check().ok
    units = Network.dense([2, 3, 5], ["tanh", "sigmoid"], "bce", seed=seed)
    assert units.run(rng.standard_normal(2), rng.random(5)).check().ok


@pytest.mark.one_in(5)
@pytest.mark.parametrize("seed", range(40))
def test_a_sum_inside_an_einsum_raises_no_false_alarm(seed):
    rng = np.random.default_rng(seed)
    net = Network.program(
        'v = Einsum(T, x, h, "kij,i,j->k")',
        "L = SquaredError(v, y)",
        params={"T": rng.standard_normal((2, 7, 3)), "h": rng.standard_normal(3)},
    )
    assert net.run(rng.standard_normal(7), rng.standard_normal(2)).check().ok


def test_a_deep_network_is_sampled_and_looked_at_only_where_it_is(monkeypatch):
    """What depends on an array is looked for only where one of its entries is compared."""
    looked_at = []

    class Counting(Perturbed):
        def __init__(self, state, name):
            looked_at.append(name)
            super().__init__(state, name)

    monkeypatch.setattr("jacobian_bp.checks.by_differences.Perturbed", Counting)
    monkeypatch.setattr("jacobian_bp.checks.by_differences.MOST_WORK", 20_000_000)
    depth = 300
    agreement = Network.dense([2] * (depth + 1), "tanh", seed=0).run([1, 2], [0, 1]).check()
    row = agreement.rows[-1]
    assert (agreement.ok, row.route, row.total) == (True, "difference", 6 * depth)
    assert 0 < row.compared < 10
    assert len(looked_at) <= row.compared
    assert f"{row.compared} of {row.total:,} entries" in str(agreement)


class OppositeOverflow(Op):
    """Each rule is finite, and their gap is not: 1.5e308 less −1.5e308."""

    signature = "z[k] -> a[k]"

    def forward(self, z):
        return 1.0 * z

    def jacobians(self, z):
        return {"z": delta("k,k'") * dense("(s)[k]", np.full_like(z, 1.5e308))}

    def vjp(self, a_bar, z):
        return {"z": -1.5e308 * a_bar}


def test_two_finite_gradients_that_lie_infinitely_far_apart_disagree():
    params = {"w": np.array([1.5])}
    net = Network.program("a = Own(w)", "J = Sum(a)", params=params, ops={"Own": OppositeOverflow})
    agreement = net.run().check()
    for row in agreement.rows[:2]:
        assert (row.ok, row.worst, row.largest) == (False, np.inf, np.inf)
        assert row.values == (1.5e308, -1.5e308)
