"""The gradient by four routes, and the products in between, entry by entry."""

import copy
import pickle
import sys
from functools import partial

import numpy as np
import pytest
from network_cases import (
    close,
    data,
    in_four_ways,
    network,
    one_or_batch,
    refusal,
    residual,
    same_bits,
    term_sums,
)
from sampled import seldom

from jacobian_bp import AxisError, DomainError, MemoryLimitError, Network, memory_limit, reference
from jacobian_bp.routes import full
from jacobian_bp.routes.einsum_chain import ORDERS
from jacobian_bp.routes.full import Arrays, sweep
from jacobian_bp.routes.vjp import pull

RNG = np.random.default_rng(29)
EXACT = [("vjp", "reverse"), ("structured", "reverse"), *(("full", order) for order in ORDERS)]


def all_close(found, expected, scale):
    return all(close(found[name], expected[name], scale[name]) for name in expected)


# ---------------------------------------------------------------- all routes


@pytest.mark.one_in(5)
@in_four_ways
def test_routes_and_orders_agree(activation, loss, batch, dtype):
    net = network(activation, loss, dtype=dtype)
    run = net.run(*data(loss, batch, dtype=dtype))
    pulled, scale = run.gradients(), term_sums(run)
    for route, order in EXACT:
        found = run.gradients(route, order)
        assert {name: g.shape for name, g in found.items()} == {
            name: p.shape for name, p in net.params.items()
        }
        assert all_close(found, pulled, scale)
    for name, slope in run.gradients("difference").items():
        np.testing.assert_allclose(slope, pulled[name], rtol=1e-5, atol=1e-6)


def test_the_bar_catches_a_millionth_of_an_entry():
    run = network("tanh").run(*data())
    scale, right = term_sums(run), run.gradients()
    wrong = {name: g.copy() for name, g in right.items()}
    wrong["W1"][1, 2] *= 1 + 1e-6
    assert all_close(right, run.gradients("full"), scale)
    assert not all_close(wrong, run.gradients("full"), scale)


def test_the_reference_network_to_the_printed_digits():
    """Second seed, at the fixed point of `reference`: the numbers of the checklist."""
    run = reference.second_seed().run(reference.X, reference.Y)
    printed = {
        "z1": [1.15, -0.3, 0.95, 0.3],
        "a1": [1.15, 0, 0.95, 0.3],
        "z2": [0.795, 0.295],
        "a2": [0.795, 0.295],
        "z3": [0.4115],
        "a3": [0.601447],
        "J": 0.508416,
    }
    for name, value in printed.items():
        np.testing.assert_array_equal(np.round(run[name], 6), value)
    jacobians = {
        ("J", "a3"): [[-1.662656]],
        ("a3", "z3"): [[0.239708]],
        ("J", "z3"): [[-0.398553]],
        ("z3", "z2"): [[0.8, -1.1]],
        ("J", "z2"): [[-0.318842, 0.438408]],
        ("z2", "z1"): [[0.3, 0, 0.2, 0.7], [-0.6, 0, 0.9, 0.1]],
        ("J", "z1"): [[-0.358697, 0, 0.330799, -0.179349]],
        ("J", "W2"): [[-0.366668, 0, -0.302900, -0.095653, 0.504169, 0, 0.416487, 0.131522]],
    }
    for (of, wrt), value in jacobians.items():
        found = run.jacobian(of, wrt).materialise("flat")
        np.testing.assert_array_equal(np.round(found, 6), value)
    block = run.jacobian("z2", "W2")
    assert (np.count_nonzero(block.materialise()), block.structural_nonzeros) == (6, 8)
    for route, order in EXACT:
        np.testing.assert_array_equal(
            np.round(run.gradients(route, order)["W2"], 6).ravel(), jacobians["J", "W2"][0]
        )


# ---------------------------------------------------------------- between any two values


@pytest.mark.one_in(3)
@pytest.mark.parametrize("loss", ["squared_error", "bce", "cross_entropy"])
@one_or_batch
def test_vjp_and_jvp_are_products_with_the_jacobian(loss, batch):
    run = network("tanh", loss, [5, 3, 7, 2]).run(*data(loss, batch, [5, 3, 7, 2]))
    values = [name for name in run if name != "y"]
    for of in values:
        for wrt in values:
            J = run.jacobian(of, wrt).materialise()
            v, u = RNG.standard_normal(run[of].shape), RNG.standard_normal(run[wrt].shape)
            pulled, pushed = run.vjp(of, wrt, v), run.jvp(of, wrt, u)
            np.testing.assert_allclose(pulled, np.tensordot(v, J, v.ndim), atol=1e-12)
            np.testing.assert_allclose(pushed, np.tensordot(J, u, u.ndim), atol=1e-12)
            # <v, J u> from both sides
            np.testing.assert_allclose(np.vdot(pulled, u), np.vdot(v, pushed), atol=1e-12)


def test_a_jacobian_without_a_path_is_zero():
    run = network().run(*data())
    J = run.jacobian("z1", "W2")
    assert (J.shape, J.structural_nonzeros, J.formula) == ((3, 2, 3), 0, "0")
    np.testing.assert_array_equal(J.materialise(), np.zeros((3, 2, 3)))
    np.testing.assert_array_equal(run.vjp("z1", "W2", np.ones(3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(run.jvp("z1", "W2", np.ones((2, 3))), np.zeros(3))
    np.testing.assert_array_equal(run.jacobian("z1", "z1").materialise(), np.eye(3))


@pytest.mark.parametrize(
    ("method", "kind", "name", "shape"),
    [("vjp", "cotangent", "z2", (2,)), ("jvp", "tangent", "W1", (3, 5))],
)
def test_a_cotangent_has_the_shape_of_its_value(method, kind, name, shape):
    call = getattr(network().run(*data()), method)
    message = f"the {kind} does not fit {name}.\n  {kind} has shape (7,)\n"
    message += f"  {name} has shape {shape}\n  Pass an array of the shape of {name}."
    assert refusal(AxisError, call, "z2", "W1", np.ones(7)) == message


@pytest.mark.parametrize("call", ["jacobian", "vjp", "jvp"])
def test_nothing_is_differentiated_by_a_label(call):
    run = network("tanh", "bce").run(*data("bce"))
    extra = {"jacobian": (), "vjp": (1.0,), "jvp": (np.ones(2),)}[call]
    assert refusal(DomainError, getattr(run, call), "J", "y", *extra) == (
        "∂J/∂y: y holds labels, by which nothing is differentiated.\n"
        "  Differentiate by one of x, W1, b1, W2, b2, z1, a1, z2, a2, J."
    )


@pytest.mark.parametrize(("route", "order"), [*EXACT, ("difference", "reverse")])
def test_a_parameter_that_the_cost_does_not_reach_has_a_gradient_of_zeros(route, order):
    lines = ["z = Linear(x, W, b)", "dead = Linear(x, V, c)", "J = SquaredError(z, y)"]
    shapes = {"W": (3, 5), "b": (3,), "V": (7, 5), "c": (7,)}
    params = {name: RNG.standard_normal(shape).astype("f4") for name, shape in shapes.items()}
    x, y = RNG.standard_normal(5).astype("f4"), RNG.standard_normal(3).astype("f4")
    found = Network.program(*lines, params=params).run(x, y).gradients(route, order)
    assert {name: (g.shape, g.dtype, bool(g.any())) for name, g in found.items()} == {
        name: (shape, np.float32, name in ("W", "b")) for name, shape in shapes.items()
    }


def test_one_sweep_pulls_to_values_of_which_one_reads_the_other():
    run = network().run(*data(batch=True))
    wrt = ["W1", "z1", "a1", "z2", "J", "x"]
    for of, bar in (("J", np.ones(())), ("a2", RNG.standard_normal((7, 2)))):
        names = [name for name in wrt if name != "J" or of == "J"]
        found = pull(run.forward_pass, of, names, bar)
        alone = {name: pull(run.forward_pass, of, [name], bar)[name] for name in names}
        same_bits(found, alone)
        assert all(array.any() for array in found.values())


@pytest.mark.parametrize("route", ["vjp", "full", "structured", "difference"])
def test_what_is_no_scalar_has_no_gradient(route):
    end = "; or ask for run.vjp('{}', name, v) with a cotangent v."
    net = network("tanh", reduction="mean")
    text = "a2 is not a scalar: it has shape (2,).\n  End the program with a loss: y was not given"
    assert refusal(AxisError, net.run(data()[0]).gradients, route) == text + end.format("a2")
    lines = ["z = Linear(x, W, b)", "L = SquaredError(z, y)"]
    params = {"W": RNG.standard_normal((2, 5)), "b": RNG.standard_normal(2)}
    rows = Network.program(*lines, params=params).run(*data(batch=True))
    text = "L is not a scalar: it has shape (7,).\n"
    text += "  End the program with a reduction over the examples: J = Mean(L)" + end.format("L")
    assert refusal(AxisError, rows.gradients, route) == text


def test_the_cost_by_itself_is_one():
    run = network().run(*data())
    found = run.jacobian("J", "J").materialise()
    assert (found.shape, found.dtype, float(found)) == ((), np.float64, 1.0)


# ---------------------------------------------------------------- memory


def test_the_full_route_is_refused_where_vjp_works():
    net = Network.dense([101, 53, 2], "tanh", seed=2)
    run = net.run(RNG.standard_normal((7, 101)), RNG.standard_normal((7, 2)))
    expected = run.gradients("full")
    with memory_limit("64 KiB"):
        found = run.gradients("vjp")
        structured = run.gradients("structured")
        message = refusal(MemoryLimitError, run.gradients, "full")
    assert message == (
        "∂a1/∂z1 has shape (7, 53, 7, 53): 137,641 entries, 1.1 MiB; the limit is 64.0 KiB.\n"
        '  Use run.gradients(route="structured") or run.gradients(route="vjp").'
    )
    scale = term_sums(run)
    assert all_close(found, expected, scale)
    assert all_close(structured, expected, scale)


# ---------------------------------------------------------------- depth


def deep_dense(layers):
    rng = np.random.default_rng(31)
    params = {}
    for layer in range(1, layers + 1):
        params[f"W{layer}"] = rng.standard_normal((2, 2)) / 2 + np.eye(2)
        params[f"b{layer}"] = rng.standard_normal(2) / 10
    return Network.dense([2] * (layers + 1), "tanh", params=params)


deep = pytest.mark.parametrize(
    "build",
    [
        pytest.param(partial(deep_dense, 510), id="dense"),
        pytest.param(partial(residual, 400, 2), id="skip"),
        seldom(partial(deep_dense, 1000), id="a thousand dense"),
        seldom(partial(residual, 1000, 2), id="a thousand skips"),
    ],
)


@pytest.mark.one_in(2)
@deep
def test_more_steps_than_the_default_recursion_limit(build):
    assert sys.getrecursionlimit() <= 1000
    net = build()
    run = net.run([0.5, -1.25], [0.25, 2.0])
    pulled, scale = run.gradients(), term_sums(run)
    assert len(run.forward_pass.program.steps) > 1000
    # The bar is per contraction; over many layers its rounding adds up.
    for route in ("structured", "full"):
        found = run.gradients(route)
        for name, expected in pulled.items():
            assert close(found[name], expected, scale[name], units=16 * 1000)
    same_bits(pickle.loads(pickle.dumps(run)).gradients(), pulled)
    same_bits(copy.deepcopy(net).run(run["x"], run["y"]).gradients(), pulled)


@pytest.mark.one_in(2)
@deep
def test_a_jacobian_through_many_layers_is_printed_link_by_link(build):
    run = build().run([0.5, -1.25], [0.25, 2.0])
    J = run.jacobian("J", "W1")
    assert len(str(J).splitlines()) <= len(J.links) + 10
    assert max(map(len, str(J).splitlines())) <= 99
    assert len(repr(J)) <= 99
    row = copy.copy(pickle.loads(pickle.dumps(J))).pull(np.ones(()))
    assert close(row, run.gradients()["W1"], term_sums(run)["W1"], units=16 * 1000)


@pytest.mark.parametrize("ask", ["pull", "push", "vjp", "jvp"])
def test_a_vector_that_is_not_finite_is_refused(ask):
    run = Network.dense([3, 5, 2], "tanh", "squared_error", seed=1).run([1, 2, 3], [0, 1])
    kind, shape = ("cotangent", (2,)) if ask in ("pull", "vjp") else ("tangent", (5, 3))
    vector = np.ones(shape)
    vector.flat[1] = np.nan
    calls = {
        "pull": lambda: run.jacobian("z2", "W1").pull(vector),
        "push": lambda: run.jacobian("z2", "W1").push(vector),
        "vjp": lambda: run.vjp("z2", "W1", vector),
        "jvp": lambda: run.jvp("z2", "W1", vector),
    }
    index = "1" if kind == "cotangent" else "0,1"
    with pytest.raises(DomainError) as caught:
        calls[ask]()
    assert str(caught.value) == (
        f"{kind}[{index}] is nan; 1 of {vector.size} entries of {kind} are not finite.\n"
        f"  Pass a finite {kind}."
    )


# ---------------------------------------------------------------- what is kept stays closed


KEEPING_A_CONTRACTION = {
    "the cost, an operand twice": ("J = Einsum(x, A, x, 'k,ki,i->')", (3, 3)),
    "an inner product behind a layer": (
        "z = Einsum(A, x, 'ki,i->k')\nJ = Einsum(z, B, z, 'k,kj,j->')",
        (5, 3),
    ),
}


def kept_run(case):
    text, shape = KEEPING_A_CONTRACTION[case]
    params = {"x": RNG.normal(size=3), "A": RNG.normal(size=shape)}
    if "B" in text:
        params["B"] = RNG.normal(size=(5, 5))
    return Network.program(*text.split("\n"), params=params).run()


@pytest.mark.parametrize("case", KEEPING_A_CONTRACTION)
@pytest.mark.parametrize(("route", "order"), EXACT)
def test_two_calls_give_the_same_and_writing_into_one_changes_nothing(case, route, order):
    run = kept_run(case)
    expected = run.gradients()
    for _ in range(3):
        found = run.gradients(route, order)
        assert all(np.allclose(found[name], expected[name], rtol=1e-13) for name in expected)
        for array in found.values():
            array += 7.0
    assert run.check().ok


@pytest.mark.parametrize("case", KEEPING_A_CONTRACTION)
@pytest.mark.parametrize("name", ["x", "A"])
def test_writing_into_a_materialised_jacobian_changes_nothing(case, name):
    run = kept_run(case)
    jacobian = run.jacobian("J", name)
    for build in (jacobian.materialise, jacobian.collapse().materialise, lambda: jacobian.pull(1)):
        first = build()
        before = first.copy()
        first += 7.0
        assert np.array_equal(build(), before)
    collapsed = jacobian.collapse()
    before = collapsed.materialise()
    collapsed.materialise()[...] = 7.0
    assert np.array_equal(collapsed.materialise(), before)
    assert run.check().ok


def test_a_sweep_gives_the_whole_jacobian_by_each_value_that_is_kept_and_no_other():
    jacobian = network().run(*data()).jacobian("J", "W1")
    last = len(jacobian.nodes) - 1
    for kept in ([last], [0, last], [0, 1, last]):
        found = sweep(Arrays(jacobian.dtype), jacobian.nodes, jacobian.links, kept)
        assert set(found) == {*kept} - {0}  # ∂J/∂J is no row: nothing is multiplied by it
        np.testing.assert_allclose(found[last], jacobian.materialise(), rtol=1e-13)


def test_a_whole_product_is_named_by_the_cost(monkeypatch):
    net = Network.dense([2, 3, 5], ["tanh", "softmax"], "cross_entropy", seed=1)
    run, names = net.run(np.ones((7, 2)), np.zeros(7, int)), []
    monkeypatch.setattr(full, "built", lambda name, array: names.append(name) or array)
    run.gradients("full")
    products = names[2::2]  # beside the local Jacobians, of which the first is ∂J/∂L
    assert products == [f"∂J/∂{name}" for name in ("z2", "a1", "W2", "b2", "z1", "W1", "b1")]
