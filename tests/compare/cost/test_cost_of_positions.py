"""What a window costs: whole, with zeros left out, and as products of what is read."""

import numpy as np
from position_ops import Window

from jacobian_bp import Network
from jacobian_bp.compare.cost.cost_card import cost_card

RNG = np.random.default_rng(14)


def test_a_window_is_counted_from_its_shapes():
    """z[d,i], 3 by 7, of x[c,i], 2 by 7, by K[d,c,r] of 3 places: a border place is read less."""
    net = Network.program(
        "z = Window(x, K, b)",
        "J = Einsum(z, y, 'di,di->')",
        params={"K": RNG.standard_normal((3, 2, 3)), "b": RNG.standard_normal(3)},
        ops={"Window": Window},
    )
    run = net.run(x=RNG.standard_normal((2, 7)), y=RNG.standard_normal((3, 7)))
    found = {cost.route: cost for cost in cost_card(run)}
    inside = 7 + 6 + 6  # (i, r) at which i + r − 1 lies within the 7 places
    whole = found["full, reverse"]
    assert whole.multiplications == 3 * 7 * (3 * 2 * 3) + 3 * 7 * 3
    assert whole.nonzero_multiplications == 3 * 2 * inside + 3 * 7
    assert found["structured"].multiplications == 3 * 7 * 2 * 3
