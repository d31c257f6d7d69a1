"""A Hessian by its columns, and what is counted of its blocks, against the blocks themselves."""

import numpy as np
import pytest
from network_cases import one_or_batch
from random_programs import random_program
from second_cases import close

from jacobian_bp import Network, Op
from jacobian_bp.algebra.expression import Dense, Expression
from jacobian_bp.curvature import hessian_columns as module
from jacobian_bp.curvature.counted_blocks import nonzeros_in_row
from jacobian_bp.curvature.doubled_graph import doubled
from jacobian_bp.curvature.hessian import block_of
from jacobian_bp.curvature.hessian_columns import hessian_columns
from jacobian_bp.curvature.hessian_vector import shares_along

RNG = np.random.default_rng(29)


@pytest.mark.one_in(2)
@one_or_batch
@pytest.mark.parametrize("seed", range(4))
def test_the_columns_are_those_of_the_blocks_however_many_are_moved_at_once(
    seed, batch, monkeypatch
):
    net, given = random_program(seed + 300, batch=batch)
    run = net.run(**given)
    state, names = run.forward_pass, [*run.params, "x"]
    graph = doubled(state, run.cost, names, names)
    whole = run.hessian(names).materialise()
    found = hessian_columns(state, graph, names)
    close(found, whole, 1e-12)
    monkeypatch.setattr(module, "MOST_AT_ONCE", 3 * max(len(whole), *(run[n].size for n in run)))
    close(hessian_columns(state, graph, names), found, 1e-13)
    if np.any(whole):
        order = [*reversed(range(len(whole)))]
        assert not np.allclose(found[order], whole)


class Leaning(Op):
    """Half the squared norm, whose second derivative is said not to be symmetric."""

    signature = "u[a] -> J[]"
    slope = np.array([[1.0, 3.0], [0.0, 1.0]])

    def forward(self, u):
        return 0.5 * np.sum(u * u, axis=-1)

    def jacobians(self, u):
        return {"u": Expression.of(Dense("u", ("a'",), u))}

    def second(self, u):
        return {("u", "u"): Expression.of(Dense("slope", ("a'", "a''"), self.slope))}

    def vjp(self, bar, u):
        return {"u": bar * u}


def test_no_column_is_a_row_turned_round():
    net = Network.program(
        "a = Einsum(p, e, ',a->a')",
        "b = Einsum(q, f, ',a->a')",
        "u = Add(a, b)",
        "J = Leaning(u)",
        params={"p": np.array(2.0), "q": np.array(5.0)},
        ops={"Leaning": Leaning},
    )
    run = net.run(e=np.array([1.0, 0.0]), f=np.array([0.0, 1.0]))
    names = run.params
    found = hessian_columns(run.forward_pass, doubled(run.forward_pass, "J", names, names), names)
    np.testing.assert_array_equal(found, Leaning.slope)
    assert run.hessian(names).materialise()[1, 0] == 3  # that above the diagonal, turned round


@one_or_batch
@pytest.mark.parametrize("seed", range(3))
def test_the_shares_of_the_bends_along_a_direction_are_those_of_their_rows(seed, batch):
    net, given = random_program(seed + 300, batch=batch)
    run = net.run(**given)
    names, state = run.params, run.forward_pass
    graph = doubled(state, run.cost, names, names)
    v = {name: RNG.standard_normal(run[name].shape) for name in names}
    found = shares_along(state, graph, v)
    assert [bend for bend, _ in found] == [*graph.bends]
    flat = np.concatenate([v[name].ravel() for name in names])
    for bend, share in found:
        only = graph.keeping(lambda other, bend=bend: other is bend)
        expected = flat @ hessian_columns(state, only, names) @ flat
        np.testing.assert_allclose(share, expected, rtol=1e-9, atol=1e-12)


@one_or_batch
@pytest.mark.parametrize("seed", range(4))
def test_the_entries_of_a_row_of_blocks_are_counted_as_each_block_counts_its_own(seed, batch):
    net, given = random_program(seed + 300, batch=batch)
    run = net.run(**given)
    state, names = run.forward_pass, [*run.params, "x"]
    graph = doubled(state, run.cost, names, names)
    whole = 0
    for first in names:
        counted = nonzeros_in_row(state, graph, first, names)
        for second in names:
            block = block_of(state, graph, first, second)
            assert counted.get(second, 0) == block.structural_nonzeros
            assert (second in counted) == bool(block.links)
            whole += block.structural_nonzeros
    assert run.hessian(names).structural_nonzeros == whole


def test_links_grow_linearly_and_blocks_as_the_square_of_the_depth():
    links, bends, crossed, blocks = ({} for _ in range(4))
    for depth in (2, 8, 16, 32):
        net = Network.dense([2] * (depth + 1), "tanh", "squared_error", seed=1)
        run = net.run(np.ones(2), np.zeros(2))
        names, state = run.params, run.forward_pass
        graph = doubled(state, run.cost, names, names)
        links[depth], bends[depth] = len(graph.links), len(graph.bends)
        ends = [graph.value(name) for name in names]
        crossed[depth] = len(graph.between(graph.slope("W1"), ends).links)
        counted = {first: nonzeros_in_row(state, graph, first, names) for first in names}
        blocks[depth] = sum(map(len, counted.values()))
        assert all(all(row.values()) for row in counted.values())
    for found in (links, bends, crossed):  # so many more with each layer
        more = (found[8] - found[2]) / 6
        assert (found[16] - found[8]) / 8 == (found[32] - found[16]) / 16 == more > 0
    assert blocks == {depth: (2 * depth) ** 2 for depth in blocks}


def test_no_more_than_two_terms_a_block_are_kept_at_32_layers():
    net = Network.dense([2] * 33, "tanh", "squared_error", seed=1)
    run = net.run(np.ones(2), np.zeros(2))
    for second in ("W1", "b9", "W32"):
        assert 1 <= len(run.hessian("W1", second).factored().terms) <= 2
