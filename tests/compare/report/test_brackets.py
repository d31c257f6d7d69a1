"""Three networks, three orders: the planner's brackets against every other way to bracket."""

from itertools import permutations

import numpy as np
import pytest

from jacobian_bp.compare.report.brackets import ORDERS, bracketing_lines, order_examples
from jacobian_bp.routes.einsum_chain import contract_full


def prices(sizes):
    """What every order of multiplying matrices of these sizes costs."""
    found = {}
    for order in permutations(range(1, len(sizes) - 1)):
        left, price = list(range(len(sizes))), 0
        for bond in order:
            at = left.index(bond)
            price += sizes[left[at - 1]] * sizes[bond] * sizes[left[at + 1]]
            del left[at]
        found[order] = price
    return found


@pytest.mark.parametrize(("place", "winner"), [(0, "reverse"), (1, "forward"), (2, None)])
def test_the_named_order_wins_and_no_other_is_as_cheap(place, winner):
    case = order_examples()[place]
    chains = {order: case.chain(order) for order in ORDERS}
    shapes = chains["reverse"].shapes
    bonds = [case.run[name.split("/")[0][1:]].size for name, _ in chains["reverse"].operands]
    every = prices([*bonds, case.run[case.wrt].size])
    best = min(every.values())
    assert len(shapes) == len(bonds)
    assert chains["planned"].multiplications == best
    if winner:
        assert chains[winner].brackets == chains["planned"].brackets
        assert chains[winner].multiplications == best
        assert sum(price == best for price in every.values()) == 1
    else:
        assert best < min(chains["reverse"].multiplications, chains["forward"].multiplications)
        assert sum(price == best for price in every.values()) == 2  # either side of the waist first
    arrays = [contract_full(case.run.jacobian(case.of, case.wrt), order) for order in ORDERS]
    for array in arrays[1:]:
        np.testing.assert_allclose(array, arrays[0], rtol=1e-10, atol=1e-12)


def test_the_lines_are_short_and_say_who_wins():
    lines = bracketing_lines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 99
    assert [line.split(":")[0].strip() for line in lines if " win" in line] == [
        "reverse wins",
        "forward wins",
        "a mixed order wins",
    ]
    assert "  planned    654  ((∂z4/∂z3 ∂z3/∂z2) (∂z2/∂z1 ∂z1/∂x))" in lines
