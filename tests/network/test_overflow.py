"""A vector-Jacobian product that overflows is named, as a gradient is: never a silent inf."""

import numpy as np
import pytest

from jacobian_bp import DomainError, Network


def far(x):
    net = Network.program(
        "z = Linear(x, W, b)",
        "a = ReLU(z)",
        "J = SquaredError(a, y)",
        params={"W": [[1e-60]], "b": [0.0]},
    )
    return net.run([x], [0.0])


@pytest.mark.parametrize(("of", "v"), [("J", 1.0), ("z", [1e120])])
def test_a_vjp_that_overflows_says_where(of, v):
    with pytest.raises(DomainError) as caught:
        far(1e200).vjp(of, "W", v)
    assert str(caught.value) == (
        f"v ∂{of}/∂W[0,0] is inf; 1 of 1 entries of v ∂{of}/∂W are not finite.\n"
        f"  {of}, the values before it and the cotangent are finite; a product with slopes passes\n"
        "  1.8e+308, the largest float64, or a slope is not finite.\n"
        "  Standardise the data, or start from smaller weights."
    )


def test_what_does_not_overflow_is_given():
    run = far(1e150)
    assert np.array_equal(run.vjp("J", "W", 1.0), [[2e240]])
    assert np.array_equal(run.vjp("z", "W", [1e120]), [[1e150 * 1e120]])
