"""The chain rule over whole Jacobians: the plan, its cost, and chains of any length."""

import copy
import pickle
import sys
from functools import reduce
from itertools import pairwise
from operator import matmul

import numpy as np
import pytest

from jacobian_bp import Jacobian, Network, memory_limit
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.expression import delta, dense
from jacobian_bp.errors import JacobianError, MemoryLimitError
from jacobian_bp.routes import full
from jacobian_bp.routes.einsum_chain import ORDERS, _shortened, contract_full, plan, segments

RNG = np.random.default_rng(17)


def test_an_equation_of_70_characters_is_shown_whole_and_a_longer_one_by_its_ends():
    equation = "".join(chr(ord("a") + n % 26) for n in range(71))
    assert _shortened(equation[:70]) == equation[:70]
    assert _shortened(equation) == f"{equation[:35]} … {equation[-18:]}  (71 characters)"


def matrices(sizes):
    """Random matrices A0 A1 …: ∂v0/∂v1 of shape sizes[0] × sizes[1], and so on."""
    return [RNG.standard_normal(pair) for pair in pairwise(sizes)]


def link(t, array):
    """∂v_t/∂v_t+1: a matrix, or a vector on the diagonal."""
    out, wrt = array.shape if array.ndim == 2 else 2 * array.shape
    diagonal = delta("k,k'") * dense("d[k]", array) if array.ndim == 1 else None
    expression = diagonal or dense("A[k,k']", array)
    return Jacobian.local(f"v{t}", f"v{t + 1}", (Axis("k", out),), (Axis("k'", wrt),), expression)


def product(arrays):
    """∂v0/∂v1 @ ∂v1/∂v2 @ …"""
    return reduce(matmul, [link(t, array) for t, array in enumerate(arrays)])


def close(found, expected, magnitude):
    """Entry by entry within 16·u·(the same contraction over absolute values)."""
    u = np.finfo(float).eps / 2
    return bool((abs(found - expected) <= 16 * u * magnitude).all())


# ---------------------------------------------------------------- counting

LAYERS = Network.dense([3, 4, 2, 1], "tanh", "squared_error", seed=17)
CHAIN = LAYERS.run(RNG.standard_normal(3), RNG.standard_normal(1)).jacobian("J", "W1")


def test_the_plan_is_printed_with_its_cost():
    assert str(plan(CHAIN, "reverse")) == (
        """\
∂J/∂W1, reverse order, a chain of 7 whole Jacobians
  einsum   a,ab,bc,cd,de,ef,fgh->gh
  operand  ∂J/∂a3   (1,)
  operand  ∂a3/∂z3  (1, 1)
  operand  ∂z3/∂a2  (1, 2)
  operand  ∂a2/∂z2  (2, 2)
  operand  ∂z2/∂a1  (2, 4)
  operand  ∂a1/∂z1  (4, 4)
  operand  ∂z1/∂W1  (4, 4, 3)
  product  ∂J/∂a3 · ∂a3/∂z3 = ∂J/∂z3, shape (1,): 1 multiplications
  product  ∂J/∂z3 · ∂z3/∂a2 = ∂J/∂a2, shape (2,): 2 multiplications
  product  ∂J/∂a2 · ∂a2/∂z2 = ∂J/∂z2, shape (2,): 4 multiplications
  product  ∂J/∂z2 · ∂z2/∂a1 = ∂J/∂a1, shape (4,): 8 multiplications
  product  ∂J/∂a1 · ∂a1/∂z1 = ∂J/∂z1, shape (4,): 16 multiplications
  product  ∂J/∂z1 · ∂z1/∂W1 = ∂J/∂W1, shape (4, 3): 48 multiplications
  cost     79 multiplications; largest intermediate 12 entries, 96 bytes"""
    )


def test_multiplications_are_those_counted_by_hand():
    by_hand = {"reverse": [1, 2, 4, 8, 16, 48], "forward": [192, 96, 48, 24, 12, 12]}
    for order, counts in by_hand.items():
        found = plan(CHAIN, order)
        assert [p.multiplications for p in found.products] == counts
        assert found.multiplications == sum(counts)
    assert plan(CHAIN, "reverse").largest_intermediate == 4 * 3
    assert plan(CHAIN, "forward").largest_intermediate == 4 * 4 * 3
    assert plan(CHAIN, "planned").multiplications <= 79


def test_planned_has_another_name_and_one_meaning():
    """compare says planned; auto is the same, for a chain as for gradients."""
    run = LAYERS.run(RNG.standard_normal(3), RNG.standard_normal(1))
    assert run.chain("W1", "planned") == run.chain("W1", "auto") != run.chain("W1", "forward")
    assert run.chain("W1", "auto").order == "planned"
    planned, auto = (run.gradients("full", order) for order in ("planned", "auto"))
    for name, found in planned.items():
        np.testing.assert_array_equal(found, auto[name])


def test_the_brackets_show_the_order():
    J = product(matrices([2, 3, 5, 7]))
    names = "∂v0/∂v1", "∂v1/∂v2", "∂v2/∂v3"
    assert plan(J, "reverse").brackets == "(({} {}) {})".format(*names)
    assert plan(J, "forward").brackets == "({} ({} {}))".format(*names)


def test_a_chain_without_a_path_has_no_product_and_costs_nothing():
    zero = LAYERS.run(RNG.standard_normal(3), RNG.standard_normal(1)).chain("W2", of="z1")
    assert str(zero) == (
        "∂z1/∂W2, reverse order, a chain of 0 whole Jacobians\n"
        "  einsum   ->\n"
        "  cost     0 multiplications; largest intermediate 0 entries, 0 bytes"
    )
    assert (zero.brackets, zero.shapes) == ("0", ())


def test_twelve_factors_are_written_out_and_thirteen_are_counted():
    for count, written in ((12, True), (13, False)):
        found = plan(product(matrices([2, 3] * 6 + [5] * (count - 11))))
        assert len(found.operands) == count
        assert ("whole" in found.latex()) is not written
        shown = [line for line in str(found).splitlines() if line.startswith("  operand")]
        assert len(shown) == (count if written else 11)
    assert "           … 2 more …" in str(found).splitlines()


@pytest.mark.parametrize("ranks", [(0, 1, 2), (1, 1, 1), (2, 1, 2), (1, 2, 0), (2, 3, 1)])
def test_the_letters_of_a_product_are_those_of_its_einsum(ranks):
    sizes = [2, 3, 5, 7, 2, 3][: sum(ranks)]
    out, between, _ = ranks
    left = RNG.standard_normal(sizes[: out + between])
    right = RNG.standard_normal(sizes[out:])
    mine, other, result = full._bond(*ranks)
    expected = np.tensordot(left, right, between)
    np.testing.assert_allclose(np.einsum(left, mine, right, other, result), expected, rtol=1e-12)


def test_an_hourglass_is_cheapest_from_its_waist():
    """17 <- 13 <- 13 <- 2 <- 2 <- 11: neither end is where to start."""
    J = product(matrices([17, 13, 13, 2, 2, 11]))
    found = {order: plan(J, order).multiplications for order in ORDERS}
    assert found["reverse"] == 17 * 13 * 13 + 17 * 13 * 2 + 17 * 2 * 2 + 17 * 2 * 11
    assert found["forward"] == 2 * 2 * 11 + 13 * 2 * 11 + 13 * 13 * 11 + 17 * 13 * 11
    assert found["planned"] == 13 * 13 * 2 + 17 * 13 * 2 + 2 * 2 * 11 + 17 * 2 * 11
    assert found["planned"] < min(found["reverse"], found["forward"])


def test_the_run_hands_out_the_same_plan():
    run = LAYERS.run(RNG.standard_normal(3), RNG.standard_normal(1))
    assert run.chain("W1", order="forward") == plan(run.jacobian("J", "W1"), "forward")
    assert run.chain("W1", of="z2").shapes == ((2, 4), (4, 4), (4, 4, 3))


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_gives_the_numbers_of_multi_dot(order):
    arrays = matrices([17, 13, 11, 2, 3, 7, 5])
    found, expected = contract_full(product(arrays), order), np.linalg.multi_dot(arrays)
    magnitude = np.linalg.multi_dot([abs(array) for array in arrays])
    assert close(found, expected, magnitude)
    assert close(product(arrays).materialise(), expected, magnitude)
    arrays[3] = arrays[3] * (1 + 1e-9)  # planted: one factor slightly off
    assert not close(contract_full(product(arrays), order), expected, magnitude)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("examples", [None, 7])
def test_every_order_gives_the_gradients_of_the_vjp(order, examples):
    lead = () if examples is None else (examples,)
    run = LAYERS.run(RNG.standard_normal((*lead, 3)), RNG.standard_normal((*lead, 1)))
    gradients, full = run.gradients(), run.gradients(route="full", order=order)
    assert list(gradients) == list(full)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(full[name], gradient, rtol=1e-10)


def test_a_chain_longer_than_the_alphabet():
    sizes = [2 + t % 2 for t in range(101)]  # 100 links, more than 52 letters
    arrays = [array / 2 for array in matrices(sizes)]
    J, expected = product(arrays), np.linalg.multi_dot(arrays)
    magnitude = np.linalg.multi_dot([abs(array) for array in arrays])
    for order in ORDERS:
        assert close(contract_full(J, order), expected, magnitude)
        assert len(plan(J, order).products) == 99
        lines = str(plan(J, order)).splitlines()
        assert max(map(len, lines)) < 100
        assert len(lines) < 40


def test_a_network_of_a_hundred_layers():
    net = Network.dense([3, 2] * 50 + [5], "tanh", "squared_error", seed=17)
    run = net.run(RNG.standard_normal(3), RNG.standard_normal(5))
    expected = run.gradients()["W50"]
    for order in ("reverse", "auto"):
        found = contract_full(run.jacobian("J", "W50"), order)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-300)


# ---------------------------------------------------------------- blocks and ties


def residual(**more):
    W, b = RNG.standard_normal((3, 3)), RNG.standard_normal(3)
    params = {"W": W, "b": b, "V": RNG.standard_normal((2, 3)), "c": RNG.standard_normal(2)}
    return Network.program(
        "z = Linear(x, W, b)", "t = Tanh(z)", "s = Add(t, x)", "y = Linear(s, V, c)",
        params=params | more,
    )  # fmt: skip


def test_a_skip_connection_is_one_block_of_the_chain():
    run = residual().run(RNG.standard_normal(3))
    J = run.jacobian("y", "x")
    assert [part.name for part in segments(J)] == ["∂y/∂s", "∂s/∂x"]
    assert [part.paths for part in segments(J)] == [1, 2]
    assert run.chain("x", of="y").shapes == ((2, 3), (3, 3))
    slope = np.diag(1 - run["t"] ** 2)
    expected = run["V"] @ (slope @ run["W"] + np.eye(3))
    for order in ORDERS:
        np.testing.assert_allclose(contract_full(J, order), expected, rtol=1e-10)
    assert not np.allclose(contract_full(J), run["V"] @ slope @ run["W"])  # planted: a path lost


def test_the_cost_of_a_block_is_counted_too():
    chain = residual().run(RNG.standard_normal(3)).chain("x", of="y")
    inside = 3 * 3 * 3 + 3 * 3 * 3  # ∂s/∂t · ∂t/∂z, then · ∂z/∂x
    assert chain.multiplications == inside + 2 * 3 * 3


def test_tied_weights_add_up():
    W, b, x = RNG.standard_normal((3, 3)), RNG.standard_normal(3), RNG.standard_normal(3)
    lines = ("z1 = Linear(x, W1, b1)", "t = Tanh(z1)", "z2 = Linear(t, W2, b2)")
    tied = Network.program(*lines, params={"W1": W, "b1": b, "W2": W, "b2": b}).run(x)
    free = Network.program(*lines, params={"W1": W, "b1": b, "W2": W.copy(), "b2": b.copy()}).run(x)
    expected = sum(free.jacobian("z2", name).materialise() for name in ("W1", "W2"))
    for name in ("W1", "W2"):
        J = tied.jacobian("z2", name)
        assert J.paths == 2
        np.testing.assert_allclose(J.materialise(), expected, rtol=1e-12)
        np.testing.assert_allclose(contract_full(J), expected, rtol=1e-12)
    assert not np.allclose(free.jacobian("z2", "W1").materialise(), expected)


# ---------------------------------------------------------------- a thousand links

THOUSAND = [RNG.uniform(0.9, 1.1, 3) for _ in range(1000)]


@pytest.fixture
def _python_s_own_recursion_limit():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("_python_s_own_recursion_limit")
def test_a_chain_of_a_thousand_links_needs_no_recursion():
    J, d, v = product(THOUSAND), np.prod(THOUSAND, axis=0), RNG.standard_normal(3)
    np.testing.assert_allclose(J.materialise(), np.diag(d), rtol=1e-12)
    np.testing.assert_allclose(J.pull(v), d * v, rtol=1e-12)
    np.testing.assert_allclose(J.push(v), d * v, rtol=1e-12)
    np.testing.assert_allclose(contract_full(J, "auto"), np.diag(d), rtol=1e-12)
    assert (J.structural_nonzeros, J.structure, J.paths) == (3, "diagonal", 1)
    for twin in (pickle.loads(pickle.dumps(J)), copy.deepcopy(J)):
        assert str(twin) == str(J)
    assert repr(J) == "<Jacobian ∂v0/∂v1000, shape (3, 3), diagonal>"
    assert len(J.collapse().trace) == 999


def test_the_text_is_linear_in_the_links():
    lines = [len(str(product(THOUSAND[:n])).splitlines()) for n in (10, 100, 1000)]
    assert lines == [12, 102, 1002]


# ---------------------------------------------------------------- the record


def test_collapse_records_every_spent_delta_with_its_reason():
    net = Network.dense([3, 5, 2], "tanh", "squared_error", seed=17)
    J = net.run(RNG.standard_normal(3), RNG.standard_normal(2)).jacobian("J", "W1")
    assert [str(step) for step in J.collapse().trace] == [
        "Σ_k ∂J/∂a2[k] δ[k,k'] tanh'(z2)[k]  =  ∂J/∂a2[k'] tanh'(z2)[k']"
        "    (δ[k,k'] is 0 unless k = k': one term of Σ_k is left)",
        "Σ_k ∂J/∂z2[k] W2[k,k']  =  ∂J/∂a1[k']    (the sum over k)",
        "Σ_k ∂J/∂a1[k] δ[k,k'] tanh'(z1)[k]  =  ∂J/∂a1[k'] tanh'(z1)[k']"
        "    (δ[k,k'] is 0 unless k = k': one term of Σ_k is left)",
        "Σ_k ∂J/∂z1[k] δ[k,k'] x[i']  =  ∂J/∂z1[k'] x[i']"
        "    (δ[k,k'] is 0 unless k = k': one term of Σ_k is left)",
    ]
    assert str(J.collapse()).splitlines()[0] == "∂J/∂W1[k',i'] = ∂J/∂z1[k'] x[i']"
    assert J.trace == ()


# ---------------------------------------------------------------- what is refused


def test_an_unknown_order_is_told_the_three():
    with pytest.raises(JacobianError) as caught:
        plan(CHAIN, "sideways")
    assert str(caught.value) == (
        "order 'sideways' is unknown.\n  Write one of reverse, forward, planned."
    )


def test_the_first_array_that_is_too_large_is_named():
    with memory_limit("300 B"), pytest.raises(MemoryLimitError) as caught:
        contract_full(CHAIN, "forward")
    assert str(caught.value) == (
        "∂z1/∂W1 has shape (4, 4, 3): 48 entries, 384 bytes; the limit is 300 bytes.\n"
        '  Use run.gradients(route="structured") or run.gradients(route="vjp").'
    )
    J = product(matrices([7, 2, 2, 11]))
    with memory_limit("200 B"), pytest.raises(MemoryLimitError) as caught:
        contract_full(J, "reverse")
    assert str(caught.value).startswith("∂v0/∂v3 has shape (7, 11): 77 entries, 616 bytes;")
