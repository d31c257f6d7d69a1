"""A Hessian is a Jacobian of a gradient: the same numbers as differences of the vjp gradient."""

import copy

import numpy as np
import pytest
from network_cases import data, network, one_or_batch, refusal
from op_checks import identical
from random_programs import random_program
from sampled import seldom
from second_cases import close, differences

from jacobian_bp import (
    AxisError,
    DomainError,
    JacobianError,
    MemoryLimitError,
    Network,
    Op,
    SpecError,
    delta,
    memory_limit,
)
from jacobian_bp.algebra.products.placing import evaluate
from jacobian_bp.curvature.cut import cut_of
from jacobian_bp.curvature.doubled_graph import doubled
from jacobian_bp.reference import X, Y, second_seed

LAYOUTS = ("numerator", "transposed", "flat", "flat_column", "gradient")


def every_block(net, given, bar=1e-7, tolerance=1e-12):
    """Blocks, parts, rows, diagonal, whole and H v of a network, against differences."""
    run = net.run(**given)
    names = [*run.params, "x"]
    whole = run.hessian(names)
    H, places = whole.materialise(), whole.places
    blocks = [run.hessian(p, q) for p in names for q in names]
    assert whole.structural_nonzeros == sum(block.structural_nonzeros for block in blocks)
    for q in names:
        expected = differences(net, given, run.cost, names, q)
        for p in names:
            block = run.hessian(p, q)
            found = block.materialise()
            close(found, expected[p], bar)
            assert block.shape == found.shape
            assert block.nbytes == found.nbytes
            assert np.count_nonzero(found) <= block.structural_nonzeros
            assert not found[~block.can_be_nonzero()].any()
            close(sum((r.materialise() for r in block.rows), 0 * found), found, tolerance)
            parts = block.gauss_newton, block.residual
            close(sum(part.materialise() for part in parts), found, tolerance)
            close(H[places[p], places[q]].reshape(found.shape), found, tolerance)
    close(H, H.T, tolerance)
    close(whole.diagonal(), np.diag(H).copy(), tolerance)
    for part in ("gauss_newton", "residual"):
        close(getattr(whole, part).diagonal(), np.diag(getattr(whole, part).materialise()).copy())
    v = np.random.default_rng(3).normal(size=len(H))
    close(whole.push(v), H @ v, tolerance)
    vectors = {p: v[places[p]].reshape(run[p].shape) for p in names}
    found = run.hvp(vectors)
    assert list(found) == names
    close(np.concatenate([found[p].ravel() for p in names]), H @ v, tolerance)


BENT = [
    ("tanh", "squared_error"),
    ("sigmoid", "half_squared_error"),
    ("softplus", "bce"),
    ("silu", "cross_entropy"),
    ("gelu", "huber"),
    ("leaky_relu", "kl_divergence"),
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("activation", "loss", "batch"),
    [
        (*pair, batch) if (number + batch) % 2 else seldom(*pair, batch)
        for number, pair in enumerate(BENT)
        for batch in (False, True)
    ],
)
def test_a_dense_network(activation, loss, batch):
    net = network(activation, loss, sizes=[3, 2, 5])
    x, y = data(loss, batch, sizes=[3, 2, 5])
    every_block(net, {"x": x, "y": y})


@pytest.mark.one_in(6)
@pytest.mark.parametrize("seed", [0, 1, 3, 4, 6, *map(seldom, (2, 5, 7))])
@one_or_batch
def test_a_random_graph(seed, batch):
    """Ties, skips, products, einsums, an op of one's own."""
    net, given = random_program(seed + 100, batch=batch)
    every_block(net, given)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(200))
@one_or_batch
def test_many_random_graphs(seed, batch):
    net, given = random_program(seed + 1000, batch=batch)
    every_block(net, given)


def test_float32_stays_float32():
    net, given = random_program(103, dtype=np.float32)
    wide, same = random_program(103)
    run, exact = net.run(**given), wide.run(**same)
    for p in run.params:
        for q in run.params:
            found = run.hessian(p, q).materialise()
            assert found.dtype == np.float32
            close(found.astype(float), exact.hessian(p, q).materialise(), 2e-5)
    assert run.hessian(run.params).materialise().dtype == np.float32


def test_a_penalty_bends_too_and_counts_to_gauss_newton():
    net = Network.dense([3, 2, 5], "tanh", "squared_error", seed=1, penalty={"W1": 0.25})
    x, y = data("squared_error", False, sizes=[3, 2, 5])
    run = net.run(x, y)
    expected = differences(net, {"x": x, "y": y}, run.cost, ["W1"], "W1")["W1"]
    block = run.hessian("W1")
    close(block.materialise(), expected)
    plain = Network.dense([3, 2, 5], "tanh", "squared_error", seed=1).run(x, y).hessian("W1")
    more = block.gauss_newton.materialise() - plain.gauss_newton.materialise()
    np.testing.assert_allclose(more.reshape(6, 6), 0.5 * np.eye(6), atol=1e-15)
    close(block.residual.materialise(), plain.residual.materialise(), 1e-15)


# Of the second seed: what is printed


def run():
    return second_seed().run(X, Y)


def test_a_block_prints_its_rows():
    assert str(run().hessian("W2", "W1")) == (
        "∂²J/∂W2∂W1[k,i,k',i'] = the sum of 2 rows\n"
        "    Σ_j Σ_l a1[i] relu'(z2)[k] W3[j,k] σ'(z3)[j] W3[j,l] relu'(z2)[l] W2[l,k'] "
        "relu'(z1)[k'] x[i']    (Gauss-Newton: ∂²J/∂z3²)\n"
        "    ∂J/∂z2[k] relu'(z1)[i] δ[i,k'] x[i']    (residual: ∂²z2/∂W2∂a1)\n"
        "  layout numerator, shape (2, 4, 4, 3): dense; 96 of 96 entries can be non-zero; 768 bytes"
    )


def test_the_printed_formula_is_the_block():
    """Each letter of the printed rows, evaluated by numpy's own einsum."""
    r = run()
    slope = [(r[f"z{layer}"] > 0).astype(float) for layer in (1, 2)]
    s, W2, W3 = r["a3"], r["W2"], r["W3"]
    back = (W3.T @ (s - np.array([1.0]))) * slope[1]
    first = np.einsum(
        "i,k,jk,j,jl,l,lq,q,p->kiqp",
        r["a1"], slope[1], W3, s * (1 - s), W3, slope[1], W2, slope[0], r["x"],
    )  # fmt: skip
    second = np.einsum("k,i,iq,p->kiqp", back, slope[0], np.eye(4), r["x"])
    np.testing.assert_allclose(r.hessian("W2", "W1").materialise(), first + second, rtol=1e-14)


def test_the_residual_of_two_layers_is_one_link_and_three_quarters_zeros():
    residual = run().hessian("W2", "W1").residual
    assert (residual.structural_nonzeros, residual.size) == (24, 96)
    assert str(residual.formula) == "∂J/∂z2[k] relu'(z1)[i] δ[i,k'] x[i']"
    assert run().hessian("W1").residual.formula == "0"
    assert not run().hessian("W1").residual.materialise().any()


@pytest.mark.parametrize(
    ("first", "second", "formula"),
    [
        ("W2", "W1", "∂J/∂z2[k] relu'(z1)[i] δ[i,k'] x[i']"),
        ("W1", "W2", "x[i] relu'(z1)[k] δ[i',k] ∂J/∂z2[k']"),
        ("x", "W1", "δ[i',i] ∂J/∂z1[k']"),
        ("W1", "x", "δ[i,i'] ∂J/∂z1[k]"),
        ("W1", "W1", "0"),
    ],
)
def test_the_direct_rows_are_those_of_ops_that_bend_by_a_variable_itself(first, second, formula):
    assert str(run().hessian(first, second).direct.formula) == formula


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_the_first_name_in_its_rows(layout):
    block = run().hessian("W2", "W1")
    plain, found = block.materialise(), block.materialise(layout)
    assert found.shape == block.shape_in(layout)
    np.testing.assert_array_equal(block.from_layout(found, layout), plain)
    if layout == "flat":
        np.testing.assert_array_equal(found, plain.reshape(8, 12))
    if layout == "flat_column":
        np.testing.assert_array_equal(found, plain.transpose(1, 0, 3, 2).reshape(8, 12))


def test_pull_and_push_are_the_two_products():
    block = run().hessian("W2", "W1")
    H, rng = block.materialise("flat"), np.random.default_rng(1)
    u, v = rng.normal(size=(2, 4)), rng.normal(size=(4, 3))
    np.testing.assert_allclose(block.push(v).ravel(), H @ v.ravel(), rtol=1e-13)
    np.testing.assert_allclose(block.pull(u).ravel(), u.ravel() @ H, rtol=1e-13)


def test_a_hessian_composes_as_a_jacobian():
    """∂²J/∂W3∂z2 ∂z2/∂W1 is all of ∂²J/∂W3∂W1: W1 is read before z2 only."""
    r = run()
    found = (r.hessian("W3", "z2") @ r.jacobian("z2", "W1")).materialise()
    np.testing.assert_allclose(found, r.hessian("W3", "W1").materialise(), rtol=1e-13, atol=1e-16)


def test_a_computed_value_is_differentiated_by_what_is_added_to_it():
    r = run()
    left = r.hessian("z2", "W2").materialise().reshape(2, 8)
    right = r.hessian("W2", "z2").materialise().reshape(8, 2)
    np.testing.assert_allclose(left, right.T, rtol=1e-13, atol=1e-16)
    assert r.hessian("a3").formula != "0"  # unfused, at the value between sigmoid and loss


@pytest.mark.parametrize(("wanted", "at"), [("W1", "z3"), ("z2", "z3"), ("z3", "z3"), ("a3", "a3")])
def test_a_fused_loss_is_cut_off_at_the_logits_unless_the_derivative_is_behind_them(wanted, at):
    net = Network.dense([3, 5, 4, 2], ["tanh", "tanh", "sigmoid"], "bce", seed=1)
    r = net.run(np.arange(3.0), [0.0, 1.0])
    cut = cut_of(r.forward_pass, "J", [wanted])
    assert (cut.at, cut.told) == ((at,), at)
    assert {"a2", "z3"} <= cut.inside
    assert ("a3" in cut.inside) == (at == "a3")
    H = r.hessian(wanted)
    parts = H.gauss_newton.materialise() + H.residual.materialise()
    np.testing.assert_allclose(parts, H.materialise(), rtol=1e-12, atol=1e-15)
    assert np.any(H.residual.materialise()) == (wanted in ("W1", "z2"))


def test_of_another_value_stands_in_front():
    r = run()
    found = r.hessian("W1", "W2", of="z2").materialise()
    assert found.shape == (2, 4, 3, 2, 4)
    slope = (r["z1"] > 0).astype(float)
    expected = np.einsum("ok,iq,i,p->oipkq", np.eye(2), np.eye(4), slope, r["x"])
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    assert not r.hessian("W2", of="z2").links


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_examples_add_up_to_the_block_of_the_batch(reduction):
    net = network("tanh", "squared_error", sizes=[3, 2, 5], reduction=reduction)
    x, y = data("squared_error", True, sizes=[3, 2, 5])
    r = net.run(x, y)
    each = r.hessian("W1", "W2", per_example=True)
    assert each.shape == (7, 2, 3, 5, 2)
    found = each.materialise()
    for n in range(7):
        alone = net.run(x[n], y[n]).hessian("W1", "W2").materialise()
        np.testing.assert_allclose(found[n], alone, rtol=1e-12, atol=1e-14)
    whole = r.hessian("W1", "W2").materialise()
    np.testing.assert_allclose(getattr(found, reduction)(axis=0), whole, rtol=1e-12, atol=1e-14)


def test_the_whole_matrix_of_a_value_with_axes_has_them_in_front():
    whole = run().hessian(["W1", "W2"], of="z2")
    found, v = whole.materialise(), np.random.default_rng(1).normal(size=20)
    assert found.shape == whole.shape == (2, 20, 20)
    np.testing.assert_allclose(whole.push(v), found @ v, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(whole.diagonal(), np.einsum("opp->op", found))
    left = run().hessian("W1", "W2", of="z2").materialise().reshape(2, 12, 8)
    np.testing.assert_array_equal(found[:, :12, 12:], left)
    np.testing.assert_array_equal(found, found.transpose(0, 2, 1))


def test_collapsing_changes_nothing():
    block = run().hessian("W2", "W1")
    found = block.collapse()
    np.testing.assert_allclose(found.materialise(), block.materialise(), rtol=1e-14)
    assert found.trace
    assert found.gauss_newton.formula == block.gauss_newton.formula


def test_the_factored_form_holds_fewer_numbers_and_is_the_block():
    x, y = np.random.default_rng(1).normal(size=31), np.array(2)
    net = Network.dense([31, 29, 5], ["tanh", "softmax"], "cross_entropy", seed=3)
    block = net.run(x, y).hessian("W1")
    held = {id(a): a.size for term in block.factored().terms for a in term.arrays}
    assert sum(held.values()) < block.size / 20


def evaluated(block, expression):
    """The factors of a block multiplied out, its last sums done."""
    sizes = {axis.name: axis.size for axis in block.axes}
    sizes |= {axis.name: axis.size for term in expression.terms for axis in term.sums}
    return evaluate(expression, [axis.name for axis in block.axes], sizes, block.dtype)


def test_the_factors_of_a_block_come_without_its_graph_which_is_doubled_when_it_is_read():
    r = run()
    block, again = r.hessian("W2", "W1"), r.hessian("W2", "W1")
    assert len(again.links) == 3 + 2 + 5  # turned round, bent, and down to W1
    same = zip(block.factored().arrays, again.factored().arrays, strict=True)
    assert all(np.array_equal(one, other) for one, other in same)
    assert not {"nodes", "links", "bends"} & {*vars(block)}
    assert (block.name, block.shape, block.by) == ("∂²J/∂W2∂W1", (2, 4, 4, 3), ("W2", "W1"))
    assert str(block) == str(again)
    identical(copy.copy(r.hessian("W2", "W1")).materialise(), again.materialise())
    with pytest.raises(AttributeError, match="'Hessian' object has no attribute 'row_s'"):
        _ = block.row_s


def test_terms_of_the_same_factors_are_one():
    """An op that reads y twice bends by both orders of the pair: twice one product, not two."""
    rng = np.random.default_rng(19)
    params = {"W": rng.normal(size=(3, 2)), "V": rng.normal(size=(5, 3))}
    net = Network.program(
        'z = Einsum("ki,i->k", W, x)', "a = Tanh(z)", 'y = Einsum("lk,k->l", V, a)',
        'J = Einsum("l,l->", y, y)', params=params,
    )  # fmt: skip
    r = net.run(x=rng.normal(size=2))
    block = r.hessian("W", "V")
    found = block.factored()
    assert len(found.terms) == 2  # ∂²J/∂y², and V times a
    close(evaluated(block, found), block.materialise(), 1e-13)


def test_an_op_that_does_not_say_how_it_bends_is_refused_where_the_block_is_asked_for():
    class Half(Op):
        signature = "z[k] -> a[k]"

        def forward(self, z):
            return z / 2

        def jacobians(self, z):
            return {"z": 0.5 * delta("k,k'")}

    net = Network.program(
        "z = Linear(x, W, b)", "a = Half(z)", 'J = Einsum("k->", a)',
        params={"W": np.ones((3, 2)), "b": np.ones(3)}, ops={"Half": Half()},
    )  # fmt: skip
    r = net.run(x=np.ones(2))
    assert refusal(JacobianError, r.hessian, "W", "b").startswith("Half 'a' has no second.")
    assert r.hessian("W", "b", of="z").formula == "0"


def held(expression):
    """The numbers that it holds."""
    return sum({id(a): a.size for term in expression.terms for a in term.arrays}.values())


@one_or_batch
def test_the_factored_form_never_multiplies_an_outer_product_out(batch):
    """Beside the sizes of W: a few matrices between layers, and the vectors of each example."""
    sizes = [31, 29, 23, 5]
    net = network("tanh", "cross_entropy", sizes=sizes)
    x, y = data("cross_entropy", batch, sizes=sizes)
    r = net.run(x, y)
    each = 7 * (sum(sizes) * 3 + 29 * 29 * 2) if batch else sum(sizes) * 3
    for p in ("W1", "W2", "W3"):
        for q in ("W1", "W2", "W3"):
            block = r.hessian(p, q)
            found = block.factored()
            assert held(found) <= 2 * 29 * 29 + each < block.size or p == q == "W3"
            assert len(found.terms) <= 4
            close(evaluated(block, found), block.materialise(), 1e-13)
    assert held(r.hessian("W1").factored()) < r.hessian("W1").size / 20


@pytest.mark.one_in(3)
@one_or_batch
@pytest.mark.parametrize("seed", [0, 1, 2, seldom(3)])
def test_the_factored_form_of_a_random_graph_is_the_block(seed, batch):
    net, given = random_program(seed + 200, batch=batch)
    r = net.run(**given)
    for p in r.params:
        for q in r.params:
            block = r.hessian(p, q)
            close(evaluated(block, block.factored()), block.materialise(), 1e-12)


@pytest.mark.one_in(3)
@one_or_batch
@pytest.mark.parametrize("seed", range(3))
def test_the_whole_in_factors_is_each_block_and_what_is_left_out_is_zero(seed, batch):
    net, given = random_program(seed + 200, batch=batch)
    r = net.run(**given)
    for part in ("", "gauss_newton", "residual"):
        whole = r.hessian(r.params)
        whole = getattr(whole, part) if part else whole
        H, places, factored = whole.materialise(), whole.places, whole.factored()
        for n, p in enumerate(r.params):
            for q in r.params[n:]:
                block, expected = r.hessian(p, q), H[places[p], places[q]]
                if (p, q) in factored:
                    found = evaluated(block, factored[p, q])
                    close(found.reshape(expected.shape), expected, 1e-12)
                else:
                    assert not expected.any()
        assert not {(q, p) for p, q in factored if p != q} & {*factored}


def test_recorded_sweeps_give_the_numbers_of_each_run():
    """The record of one run, replayed on other inputs, other parameters, other kinks."""
    net, given = random_program(104)
    fresh, _ = random_program(104)
    rng = np.random.default_rng(7)
    for scale in (1.0, -0.75, 2.5):
        moved = {n: v * scale if np.asarray(v).dtype.kind == "f" else v for n, v in given.items()}
        params = {n: v * (1 + 0.25 * rng.normal(size=v.shape)) for n, v in net.params.items()}
        kept, anew = net.with_params(params).run(**moved), fresh.with_params(params).run(**moved)
        names = [*kept.params]
        vectors = {n: rng.normal(size=kept[n].shape) for n in names}
        H = kept.hessian(names).materialise()
        places = kept.hessian(names).places
        for p in names:
            for q in names:
                expected = anew.hessian(p, q).materialise()
                close(H[places[p], places[q]].reshape(expected.shape), expected, 1e-12)
        v = np.concatenate([vectors[n].ravel() for n in names])
        found = kept.hvp(vectors)
        close(np.concatenate([found[n].ravel() for n in names]), H @ v, 1e-12)


def test_a_large_one_is_refused_in_bytes_and_its_way_out_works():
    net = Network.dense([784, 128, 10], ["tanh", "softmax"], "cross_entropy", seed=3)
    r = net.run(np.random.default_rng(1).normal(size=784), np.array(3))
    whole = r.hessian(r.params)
    with memory_limit("1 GiB"):
        message = refusal(MemoryLimitError, whole.materialise)
        assert message == (
            "∂²J/∂(W1, b1, W2, b2)² has shape (101770, 101770): 10,357,132,900 entries, 77.2 GiB; "
            "the limit is 1.0 GiB.\n"
            '  Use run.hvp({"W1": v}), which builds nothing, or one block: run.hessian("W1", "b1").'
        )
        block = r.hessian("W1")
        assert "Use H.push(v) with a v of the shape of W1" in refusal(
            MemoryLimitError, block.materialise
        )
        v = np.random.default_rng(2).normal(size=(128, 784))
        np.testing.assert_allclose(block.push(v), r.hvp({"W1": v})["W1"], rtol=1e-9, atol=1e-12)


def test_a_part_of_a_part_is_named_after_both():
    block = run().hessian("W2", "W1")
    whole = "∂²J/∂W2∂W1"
    assert block.gauss_newton.residual.name == f"residual of the Gauss-Newton part of {whole}"
    assert block.residual.gauss_newton.name == f"Gauss-Newton part of the residual of {whole}"
    (row,) = block.residual.rows
    assert row.name == f"∂²z2/∂W2∂a1 in the residual of {whole}"
    assert block.rows[0].name == f"∂²J/∂z3² in {whole}"
    assert block.gauss_newton.name == f"Gauss-Newton part of {whole}"


# What cannot be asked


@pytest.mark.parametrize(
    ("ask", "kind", "message"),
    [
        (
            lambda r: r.hessian("W2", "W9"),
            SpecError,
            None,
        ),
        (
            lambda r: r.hessian("W2", "y"),
            DomainError,
            None,
        ),
        (
            lambda r: r.hessian(["W1", "W1"]),
            SpecError,
            "∂²J/∂(W1, W1): name each variable once, and at least one.\n"
            "  The parameters are W1, b1, W2, b2, W3, b3.",
        ),
        (
            lambda r: r.hessian(["W1"], "W2"),
            SpecError,
            "∂²J/∂…: the variables are ['W1'] and 'W2'.\n"
            '  Write two names, such as "W2", "W1", or a list of names alone: run.params.',
        ),
        (
            lambda r: r.hessian("W2", "W1").diagonal(),
            AxisError,
            "∂²J/∂W2∂W1 has no diagonal: it is by two variables, W2 and W1.\n"
            '  Write run.hessian("W2", "W2").diagonal().',
        ),
        (
            lambda r: r.hvp({"W1": np.ones((3, 4))}),
            AxisError,
            "H v: the vector of W1 does not fit.\n"
            "  it has shape (3, 4)\n"
            "  W1 has shape (4, 3)\n"
            "  Pass an array of the shape of W1.",
        ),
        (
            lambda r: r.hvp({}),
            SpecError,
            None,
        ),
        (
            lambda r: r.hvp({"W1": np.ones((4, 3))}, of="z2"),
            AxisError,
            "H v is of one number; z2 has shape (2,).\n"
            "  Pass of= the name of a scalar, or push a vector through one block: "
            'run.hessian("W1", of="z2").push(v).',
        ),
        (
            lambda r: r.hessian(r.params).push(np.ones(28)),
            AxisError,
            "∂²J/∂(W1, b1, W2, b2, W3, b3)²: the vector does not fit.\n"
            "  vector has shape (28,)\n"
            "  the variables have 29 entries\n"
            "  Pass the entries of W1, b1, W2, b2, W3, b3, row by row, as one vector.",
        ),
    ],
)
def test_what_cannot_be_asked_says_what_to_write(ask, kind, message):
    found = refusal(kind, lambda: ask(run()))
    if message is not None:
        assert found == message


def test_two_calls_give_the_same_and_nothing_is_aliased():
    r = run()
    values = {name: r[name].copy() for name in r}
    first = r.hessian(r.params).materialise()
    again = r.hessian(r.params).materialise()
    identical(first, again)
    first[...] = 7
    r.hessian("W2").diagonal()[...] = 7
    r.hvp({"b3": np.ones(1)})["b3"][...] = 7
    identical(r.hessian(r.params).materialise(), again)
    for name, value in values.items():
        identical(r[name], value)


@pytest.mark.parametrize(("op", "times"), [("HalfSquaredError(a, y)", 1), ("Einsum('i->', a)", 0)])
def test_h_v_is_a_new_array_also_where_it_is_v_or_nothing(op, times):
    net = Network.program(f"J = {op}".replace("'", '"'), params={"a": np.array([0.3, -1.1, 0.7])})
    r = net.run(**{"y": np.array([1.0, 2.0, -0.5])} if "y" in op else {})
    v = np.array([2.0, 3.0, 5.0])
    for _ in range(2):
        found = r.hvp({"a": v})["a"]
        identical(found, times * np.array([2.0, 3.0, 5.0]))
        found[...] = 7


def test_what_is_kept_for_the_next_v_has_no_v_in_it_and_is_handed_to_nobody():
    net, given = random_program(104)
    r = net.run(**given)
    H, places = r.hessian(r.params).materialise(), r.hessian(r.params).places
    rng = np.random.default_rng(7)
    for _ in range(3):
        v = rng.normal(size=len(H))
        found = r.hvp({p: v[places[p]].reshape(r[p].shape) for p in r.params})
        close(np.concatenate([found[p].ravel() for p in r.params]), H @ v, 1e-12)
        for array in found.values():
            array[...] = 7


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_large_outer_product_is_refused_where_an_entry_overflows_and_only_there(dtype):
    """J = z z for z = W x: H v = 2 (v x) x', finite by its lengths only where these are small."""
    largest = np.finfo(dtype).max
    x = np.full(3, np.sqrt(largest) / 7, dtype)
    W = np.full((5, 3), 1e-9 / x[0], dtype)
    net = Network.program("z = Linear(x, W)", "J = Einsum('k,k->', z, z)", params={"W": W})
    r = net.run(x=x)
    for share in (0.01, 0.9, 1.1):  # 6 share/49 of the largest number in each entry
        v = np.full((5, 3), share * 49 / 6, dtype)
        if share < 1:
            close(r.hvp({"W": v})["W"], share * largest * np.ones((5, 3), dtype), 1e-6)
            continue
        said = refusal(DomainError, r.hvp, {"W": v})
        assert said.splitlines()[0] == (
            "(H v)['W'][0,0] is inf; 15 of 15 entries of (H v)['W'] are not finite."
        )


@pytest.mark.parametrize("given", [{}, [1.0, 2.0]])
def test_without_parameters_h_v_is_advised_by_the_input_and_works_as_advised(given):
    net = Network.program("z = Tanh(x)", 'J = Einsum("i->", z)')
    x = np.array([0.3, -1.1, 0.7])
    r = net.run(x=x)
    assert refusal(SpecError, r.hvp, given) == (
        f"H v takes a dict from names to arrays, not {given}.\n"
        '  Write it such as {"x": v}, v of the shape of x.'
    )
    slope = 1 - np.tanh(x) ** 2
    found = r.hvp({"x": np.array([2.0, 3.0, 5.0])})["x"]
    np.testing.assert_allclose(found, [2, 3, 5] * (-2 * np.tanh(x) * slope), rtol=1e-13)


def test_a_graph_keeps_the_bends_that_are_chosen_and_their_links_only():
    graph = doubled(run().forward_pass, "J", ["W1", "W2"], ["W1", "W2"])
    assert len(graph.bends) > 2
    kept = graph.keeping(lambda bend: bend is graph.bends[1])
    assert kept.bends == (graph.bends[1],)
    dropped = {id(b.link) for b in graph.bends if b is not graph.bends[1]}
    assert [id(k) for k in kept.links] == [id(k) for k in graph.links if id(k) not in dropped]
    assert graph.keeping(lambda bend: True).bends == graph.bends


def test_the_diagonal_of_what_a_window_reads_stands_where_its_axes_meet():
    rng = np.random.default_rng(3)
    net = Network.program(
        "z = Conv1d(x, K)", "a = Tanh(z)", params={"K": rng.normal(size=(2, 3, 5))}
    )
    H = net.run(x=rng.normal(size=(3, 11))).hessian("x", of="a")
    expected = np.einsum("dkcici->dkci", H.materialise())
    assert np.any(expected)
    np.testing.assert_allclose(H.diagonal(), expected, rtol=1e-13)
