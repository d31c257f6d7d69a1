"""Random terms of deltas, positions, ranges, arrays and inner sums, against nested loops."""

import numpy as np
import pytest
from random_terms import case

from jacobian_bp.algebra import chain_rule
from jacobian_bp.algebra.positions import scattering
from jacobian_bp.algebra.products import placing_positions, solving


@pytest.mark.one_in(2)
@pytest.mark.parametrize("start", range(0, 200, 50))
def test_random_terms_and_products_are_what_nested_loops_say(start):
    wrong = {seed: case(seed).wrong() for seed in range(start, start + 50)}
    assert {seed: what for seed, what in wrong.items() if what} == {}


@pytest.mark.full
@pytest.mark.parametrize("start", range(1000, 3000, 500))
def test_thousands_of_random_terms_and_products_are_what_nested_loops_say(start):
    wrong = {seed: case(seed).wrong() for seed in range(start, start + 500)}
    assert {seed: what for seed, what in wrong.items() if what} == {}


def written_not_added(out, places, value, own, positions, sizes):
    """A scatter in which entries that meet give their mean, one of them where they are equal."""
    fresh = np.zeros_like(out)
    scatter(fresh, places, value, own, positions, sizes)
    ones = np.zeros_like(out)
    scatter(ones, places, np.ones_like(value), own, positions, sizes)
    out += fresh / np.maximum(ones, 1)


scatter = scattering.scatter
MISTAKES = {
    "a position outside is not guarded": (solving, "lies_inside", lambda *_: True),
    "entries that meet do not add": (placing_positions, "scatter", written_not_added),
    "a sum inside keeps its letter": (chain_rule, "_bonds", lambda axes, taken: tuple(axes)),
    "a range is left out": (placing_positions, "_masks", lambda *_: []),
    "a position counts its axis through": (solving, "_counts_through", lambda *_: True),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_caught_by_the_loops(mistake, monkeypatch):
    monkeypatch.setattr(*MISTAKES[mistake])
    start = 350 if "letter" in mistake else 0  # such a meeting of letters is rare
    assert any(case(seed).wrong() for seed in range(start, start + 200))
