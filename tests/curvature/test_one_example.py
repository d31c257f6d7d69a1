"""Where nothing adds up over examples, each example's own Hessian is the Hessian; one block."""

import numpy as np
from network_cases import data, network, refusal

from jacobian_bp import AxisError, Network
from jacobian_bp.reference import X, Y, second_seed


def test_for_one_example_each_examples_own_is_the_whole():
    run = second_seed().run(X, Y)
    own, whole = run.hessian("W2", "W1", per_example=True), run.hessian("W2", "W1")
    assert (own.name, own.shape) == (whole.name, whole.shape) == ("∂²J/∂W2∂W1", (2, 4, 4, 3))
    np.testing.assert_array_equal(own.materialise(), whole.materialise())
    assert whole.materialise().any()


def test_a_value_with_the_axis_of_the_examples_has_each_examples_own_already():
    net = network("tanh", "squared_error", sizes=[3, 2, 5])
    x, y = data("squared_error", True, sizes=[3, 2, 5])
    run = net.run(x, y)
    own = run.hessian("W1", of="a1", per_example=True).materialise()
    np.testing.assert_array_equal(own, run.hessian("W1", of="a1").materialise())
    assert own.shape == (7, 2, 2, 3, 2, 3)
    assert own.any()


def test_what_no_one_value_adds_up_over_the_examples_is_refused_and_the_hint_works():
    lines = ["z = Linear(x, W, b)", "L = SquaredError(z, y)", "M = SquaredError(z, u)"]
    lines += ["s = Mean(L)", "t = Mean(M)", "J = Einsum(s, t, ',->')"]
    rng = np.random.default_rng(5)
    params = {"W": rng.standard_normal((2, 3)), "b": rng.standard_normal(2)}
    shapes = {"x": (5, 3), "y": (5, 2), "u": (5, 2)}
    run = Network.program(*lines, params=params).run(
        **{name: rng.standard_normal(shape) for name, shape in shapes.items()}
    )
    assert refusal(AxisError, run.hessian, "W", per_example=True) == (
        "∂²J/∂…: M, L are added up over the examples on the way to J.\n"
        '  Name the value of each example yourself: of="M".'
    )
    assert run.hessian("W", of="M", per_example=True).shape == (5, 2, 3, 2, 3)
    assert run.hessian("W", of="s", per_example=True).name == "∂²L/∂W²"
    assert refusal(AxisError, run.hessian, "W", of="W", per_example=True) == (
        "∂²W/∂…: W is given, not computed, and depends on nothing.\n"
        '  Name first what is differentiated, a value that is computed, such as "M".'
    )


def test_a_single_block_is_counted_as_one():
    run = second_seed().run(X, Y)
    assert str(run.hessian(["b3"])) == (
        "∂²J/∂(b3)², layout flat, shape (1, 1): 1 block, 8 bytes\n"
        "  b3  rows and columns 0 to 0: the entries of shape (1,), row by row"
    )
    assert str(run.hessian(["W3", "b3"])).startswith(
        "∂²J/∂(W3, b3)², layout flat, shape (3, 3): 2 × 2 blocks, 72 bytes\n"
    )


def test_the_whole_matrix_times_a_vector_takes_no_block():
    """To the bit what run.hvp gives, which is one sweep."""
    rng = np.random.default_rng(3)
    net = Network.dense([2, 7, 5], ["tanh", "softmax"], "cross_entropy", seed=1)
    run = net.run(rng.normal(size=(11, 2)), rng.integers(0, 5, size=11))
    names = list(net.params)
    v = {name: rng.normal(size=net.params[name].shape) for name in names}
    pushed = run.hessian(names).push(np.concatenate([v[name].ravel() for name in names]))
    alone = run.hvp(v)
    assert pushed.tobytes() == np.concatenate([alone[name].ravel() for name in names]).tobytes()
