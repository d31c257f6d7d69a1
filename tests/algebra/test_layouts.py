"""One Jacobian in five layouts: the table of the conventions, and the way back."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.layouts import LAYOUTS, from_layout, to_layout
from jacobian_bp.errors import AxisError

N, X, H, K = 7, 5, 3, 2  # examples, inputs, hidden units, outputs
RNG = np.random.default_rng(13)
NET = Network.dense([X, H, K], "tanh", "squared_error", seed=13)
RUN = NET.run(RNG.standard_normal(X), RNG.standard_normal(K))
BATCH = NET.run(RNG.standard_normal((N, X)), RNG.standard_normal((N, K)))
A = RUN["a1"]

PAIRS = [("z2", "W2"), ("z2", "a1"), ("z2", "b2"), ("z2", "W1"), ("J", "z2"), ("J", "W1")]
every = pytest.mark.parametrize("layout", LAYOUTS)


def refusal(call, *arguments):
    with pytest.raises(AxisError) as caught:
        call(*arguments)
    return str(caught.value)


# ---------------------------------------------------------------- the table

TABLE = {  # layout: ∂z/∂W, ∂J/∂z, ∂J/∂W
    "numerator": ((K, K, H), (K,), (K, H)),
    "transposed": ((K, H, K), (1, K), (H, K)),
    "flat": ((K, K * H), (1, K), (1, K * H)),
    "flat_column": ((K, K * H), (1, K), (1, K * H)),
    "gradient": ((K, H, K), (K, 1), (K, H)),
}
TABLE_OF_A_BATCH = {
    "numerator": ((N, K, K, H), (N, K), (K, H)),
    "transposed": ((N, K, H, K), (N, K), (H, K)),
    "flat": ((N * K, K * H), (1, N * K), (1, K * H)),
    "flat_column": ((N * K, K * H), (1, N * K), (1, K * H)),
    "gradient": ((K, H, N, K), (N, K), (K, H)),
}


@every
@pytest.mark.parametrize(("run", "table"), [(RUN, TABLE), (BATCH, TABLE_OF_A_BATCH)])
def test_the_shapes_are_those_of_the_table(run, table, layout):
    jacobians = [run.jacobian("z2", "W2"), run.jacobian("J", "z2"), run.jacobian("J", "W2")]
    assert tuple(J.shape_in(layout) for J in jacobians) == table[layout]
    assert tuple(J.materialise(layout).shape for J in jacobians) == table[layout]


# ---------------------------------------------------------------- the entries


def test_flat_is_a_kronecker_product():
    J = RUN.jacobian("z2", "W2")
    flat, flat_column = J.materialise("flat"), J.materialise("flat_column")
    assert np.array_equal(flat, np.kron(np.eye(K), A[None, :]))
    assert np.array_equal(flat_column, np.kron(A[None, :], np.eye(K)))
    assert not np.array_equal(flat, flat_column)


def test_the_entries_of_each_layout_by_their_indices():
    J = RUN.jacobian("z2", "W2")
    tensor, transposed, gradient = map(J.materialise, ("numerator", "transposed", "gradient"))
    for k in range(K):
        for j in range(K):
            for i in range(H):
                expected = A[i] if j == k else 0.0
                assert tensor[k, j, i] == expected
                assert transposed[k, i, j] == expected
                assert gradient[j, i, k] == expected


def test_the_batch_stays_in_front_of_its_own_example():
    tensor = BATCH.jacobian("a1", "z1").materialise()  # (n, k, n', k')
    into = {layout: BATCH.jacobian("a1", "z1").materialise(layout) for layout in LAYOUTS}
    for n, k in np.ndindex(N, H):
        slope = 1 - BATCH["a1"][n, k] ** 2
        assert tensor[n, k, n, k] == pytest.approx(slope, rel=1e-12)
        assert into["transposed"][n, k, n, k] == tensor[n, k, n, k]
        assert into["gradient"][n, k, n, k] == tensor[n, k, n, k]
        assert into["flat"][n * H + k, n * H + k] == tensor[n, k, n, k]
        assert into["flat_column"][n * H + k, n * H + k] == tensor[n, k, n, k]


def test_flat_column_of_a_batch_stacks_the_columns_of_w():
    tensor = BATCH.jacobian("z2", "W2").materialise()
    expected = np.array([[w.ravel(order="F") for w in example] for example in tensor])
    found = BATCH.jacobian("z2", "W2").materialise("flat_column")
    assert np.array_equal(found, expected.reshape(N * K, K * H))
    assert not np.array_equal(found, tensor.reshape(N * K, K * H))


def test_a_gradient_has_the_shape_of_its_variable_and_a_delta_is_a_column():
    gradient = RUN.jacobian("J", "W1").materialise("gradient")
    assert gradient.shape == NET.params["W1"].shape
    np.testing.assert_allclose(gradient, RUN.gradients()["W1"], rtol=1e-12)
    column = RUN.jacobian("J", "z2").materialise("gradient")
    row = RUN.jacobian("J", "z2").materialise("transposed")
    assert np.array_equal(column, row.T)
    assert column.shape == (K, 1)


# ---------------------------------------------------------------- there and back


@every
@pytest.mark.parametrize("run", [RUN, BATCH], ids=["one example", "batch"])
@pytest.mark.parametrize(("of", "wrt"), PAIRS)
def test_there_and_back_is_the_identity(run, of, wrt, layout):
    J = run.jacobian(of, wrt)
    tensor = RNG.standard_normal(J.shape)  # no entry like another
    there = to_layout(tensor, layout, J.out_axes, J.wrt_axes)
    assert np.array_equal(J.from_layout(there, layout), tensor)
    assert J.from_layout(there, layout).flags.c_contiguous
    assert np.array_equal(from_layout(there, layout, J.out_axes, J.wrt_axes), tensor)
    assert not np.shares_memory(there, tensor)
    wrong = to_layout(tensor[..., ::-1], layout, J.out_axes, J.wrt_axes)
    assert not np.array_equal(J.from_layout(wrong, layout), tensor)


@every
@pytest.mark.parametrize("run", [RUN, BATCH], ids=["one example", "batch"])
@pytest.mark.parametrize(("of", "wrt"), PAIRS)
def test_materialise_is_numerator_and_then_the_layout(run, of, wrt, layout):
    J = run.jacobian(of, wrt)
    tensor, found = J.materialise(), J.materialise(layout)
    assert np.array_equal(found, to_layout(tensor, layout, J.out_axes, J.wrt_axes))
    assert found.flags.c_contiguous
    assert found.nbytes == J.nbytes


def test_a_repeated_letter_and_axes_that_are_all_different():
    out, wrt = [Axis("r", 2), Axis("c", 3)], [Axis("i'", 5), Axis("i''", 7), Axis("j'", 11)]
    tensor = RNG.standard_normal((2, 3, 5, 7, 11))
    expected = {
        "numerator": tensor,
        "transposed": tensor.transpose(0, 1, 4, 3, 2),
        "flat": tensor.reshape(6, 385),
        "flat_column": tensor.transpose(1, 0, 4, 3, 2).reshape(6, 385),
        "gradient": tensor.transpose(2, 3, 4, 0, 1),
    }
    for layout in LAYOUTS:
        assert np.array_equal(to_layout(tensor, layout, out, wrt), expected[layout])
        assert np.array_equal(from_layout(expected[layout], layout, out, wrt), tensor)


# ---------------------------------------------------------------- the chain rule in each


def test_the_five_layouts_give_one_gradient():
    """∂J/∂W2 from ∂J/∂z2 and ∂z2/∂W2, multiplied as each convention multiplies them."""
    outer, inner, J = RUN.jacobian("J", "z2"), RUN.jacobian("z2", "W2"), RUN.jacobian("J", "W2")
    products = {
        "numerator": lambda g, T: np.tensordot(g, T, 1),
        "transposed": lambda g, T: np.tensordot(g, T, 1)[0],
        "flat": np.matmul,
        "flat_column": np.matmul,
        "gradient": lambda g, T: np.tensordot(T, g, 1)[..., 0],
    }
    expected = RUN.gradients()["W2"]
    for layout in LAYOUTS:
        found = products[layout](outer.materialise(layout), inner.materialise(layout))
        assert found.shape == J.shape_in(layout)
        np.testing.assert_allclose(J.from_layout(found, layout), expected, rtol=1e-12)
    mistaken = J.from_layout(J.materialise("flat_column"), "flat")
    assert not np.allclose(mistaken, expected)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("layout", ["rows", "Flat", "", None])
def test_an_unknown_layout_is_told_the_five(layout):
    J = RUN.jacobian("z2", "W2")
    message = (
        f"layout {layout!r} is not one of the layouts.\n"
        "  Write one of numerator, transposed, flat, flat_column, gradient."
    )
    assert refusal(J.materialise, layout) == message
    assert refusal(J.shape_in, layout) == message
    assert refusal(J.from_layout, J.materialise(), layout) == message


def test_an_array_of_another_layout_is_told_both_shapes():
    J = RUN.jacobian("z2", "W2")
    assert refusal(J.from_layout, J.materialise("transposed"), "flat") == (
        """\
the array has shape (2, 3, 2), the Jacobian in layout flat has shape (2, 6).
  Name the layout that the array is in."""
    )
    assert refusal(to_layout, np.zeros(12), "flat", J.out_axes, J.wrt_axes) == (
        """\
the array has shape (12,), the Jacobian in layout numerator has shape (2, 2, 3).
  Name the layout that the array is in."""
    )
