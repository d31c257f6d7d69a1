"""Elimination orders: the counts of another package, brute force, and every order of few values."""

from itertools import permutations

import numpy as np
import pytest
from cost_cases import RUNS
from elimination_cases import COUNTED, dense_layers, skip_with_gate
from network_cases import refusal

from jacobian_bp import DomainError, JacobianError, Network, SpecError
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.jacobian import Jacobian
from jacobian_bp.algebra.structure.patterns import Pattern
from jacobian_bp.compare.cost import elimination
from jacobian_bp.compare.cost.cost_card import cost_card
from jacobian_bp.compare.cost.elimination import elimination_orders, values_between
from jacobian_bp.compare.report.eliminations import MOST_SEARCHED, elimination_lines

EVERYWHERE = Pattern(frozenset())
every_run = pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)


def of_all_inputs(run, *orders):
    variables = [*run.params, "x", "y"]
    return [one.multiplications for one in elimination_orders(run, variables, orders=orders)]


@pytest.mark.parametrize(("make", "expected"), COUNTED.values(), ids=COUNTED)
def test_the_counts_are_those_of_graphax(make, expected):
    assert tuple(of_all_inputs(make(), "reverse", "forward")) == expected


def counted_by_masks(run, order):
    """The multiplications, from arrays of where each Jacobian can be non-zero."""
    state = run.forward_pass
    names, steps = state.dependents(run.params, run.cost)
    edges = {}
    for link in state.links(names, steps):
        of, by = names[link.target], names[link.source]
        axes = [
            tuple(map(Axis, letters, run[name].shape))
            for letters, name in ((link.out, of), (link.wrt, by))
        ]
        local = Jacobian.local(of, by, *axes, link.expression, state.dtype)
        mask = local.can_be_nonzero().reshape(run[of].size, run[by].size)
        edges[of, by] = edges.get((of, by), False) | mask
    total = 0
    for value in order:
        above = {of: mask for (of, by), mask in edges.items() if by == value}
        below = {by: mask for (of, by), mask in edges.items() if of == value}
        edges = {key: mask for key, mask in edges.items() if value not in key}
        for of, left in above.items():
            for by, right in below.items():
                products = left.astype(int) @ right.astype(int)
                total += products.sum()
                edges[of, by] = edges.get((of, by), False) | (products > 0)
    return total, edges


@every_run
def test_each_count_is_that_of_the_entries_one_by_one(make):
    run = make()
    for found in elimination_orders(run):
        total, edges = counted_by_masks(run, found.values)
        assert found.multiplications == total, found.order
        for (of, by), mask in edges.items():
            whole = run.jacobian(of, by).can_be_nonzero().reshape(mask.shape)
            assert np.array_equal(whole, mask), (of, by)


def test_counting_structural_zeros_too_would_show():
    state = dense_layers(2, 3, 2).forward_pass
    names, edges = elimination._graph(state, state.program.params, state.cost)
    at = names.index("a2")
    assert elimination._cost(edges, at) == 2  # a diagonal, −y's and tanh's: not 2·2·2
    whole = {key: piece._replace(patterns=frozenset([EVERYWHERE])) for key, piece in edges.items()}
    assert elimination._cost(whole, at) == 8


@every_run
def test_the_values_are_each_eliminated_once(make):
    run = make()
    for found in elimination_orders(run):
        assert sorted(found.values) == sorted(values_between(run.forward_pass))


@pytest.mark.parametrize("beam", [1, 24])
def test_searched_takes_no_more_than_reverse_or_forward(beam, monkeypatch):
    monkeypatch.setattr(elimination, "MOST_EXACT", 0)
    monkeypatch.setattr(elimination, "BEAM", beam)
    for make in (skip_with_gate, lambda: dense_layers(1, 2, 3)):
        reverse, forward, searched = of_all_inputs(make(), "reverse", "forward", "searched")
        assert searched <= min(reverse, forward)


def waist():
    """Wide, narrow, wide: neither from one end nor from the other is the cheapest order."""
    rng = np.random.default_rng(3)
    lines = ["h = Linear(x, W1, b1)", "t = Tanh(h)", "z = Linear(t, W2, b2)", "a = Tanh(z)"]
    shapes = {"W1": (1, 5), "b1": (1,), "W2": (7, 1), "b2": (7,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return Network.program(*lines, params=params).run(x=rng.normal(size=5))


def test_few_values_are_searched_to_the_end():
    for run, variables, of in [
        (waist(), ["x"], "a"),
        (skip_with_gate(), ["x", "W1"], "f"),
        (dense_layers(3, 2), ["x", "W1"], "J"),
    ]:
        (found,) = elimination_orders(run, variables, of, ["searched"])
        names, edges = elimination._graph(run.forward_pass, variables, of)
        counts = set()
        for order in permutations(range(len(found.values))):
            left, count = edges, 0
            for place in order:
                at = names.index(found.values[place])
                count += elimination._cost(left, at)
                left = elimination._without(left, at)
            counts.add(count)
        assert found.exact
        assert found.multiplications == min(counts) < max(counts)


def test_between_two_wide_ends_neither_sweep_is_the_cheapest_order():
    reverse, forward, markowitz, searched = elimination_orders(waist(), ["x"], "a")
    assert (reverse.multiplications, forward.multiplications) == (49, 75)
    assert searched.multiplications == markowitz.multiplications == 47


def test_reverse_is_what_the_full_route_multiplies_where_no_value_is_read_twice():
    run = dense_layers(2, 3, 2)
    (card,) = cost_card(run, ["full, reverse"])
    (found,) = elimination_orders(run, orders=["reverse"])
    assert found.multiplications == card.nonzero_multiplications


def test_what_cannot_be_eliminated_is_refused():
    run = dense_layers(2, 3, 2)
    assert refusal(JacobianError, elimination_orders, run, orders=["backward"]) == (
        "order 'backward' is unknown.\n  Write one of reverse, forward, Markowitz, searched."
    )
    with pytest.raises(SpecError, match="'W9'"):
        elimination_orders(run, ["W9"])
    classes = Network.dense([3, 2], "softmax", "cross_entropy", seed=1)
    with pytest.raises(DomainError, match="labels"):
        elimination_orders(classes.run([1.0, 2.0, 3.0], 1), ["y"])


def test_the_lines_of_a_cost_card():
    run = dense_layers(2, 3, 2)
    assert elimination_lines(run.forward_pass, 99) == [
        "",
        "orders of elimination: the values between are eliminated one by one, zeros left out",
        "reverse      37  s d a2 u2 v2 a1 u1 v1",
        "forward     161  v1 u1 a1 v2 u2 a2 d s",
        "Markowitz    43  s d a2 u2 a1 v1 v2 u1",
        "searched     37  s d a2 u2 v2 a1 u1 v1",
        "  searched: every order was looked at; forward takes all parameters at once.",
    ]


def test_a_deep_network_gets_no_lines():
    deep = Network.dense([3, *[2] * MOST_SEARCHED, 1], "tanh", "half_squared_error", seed=1)
    run = deep.run([1.0, 2.0, 3.0], [0.5])
    assert elimination_lines(run.forward_pass, 99) == []
