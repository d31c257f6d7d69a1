"""run.jacobian(of, [several]): the blocks side by side, written once, into any memory."""

import pickle

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import (
    AxisError,
    DomainError,
    MemoryLimitError,
    Network,
    SpecError,
    memory_limit,
)

RNG = np.random.default_rng(20)


def skip_net():
    params = {"W": RNG.standard_normal((3, 3)), "b": RNG.standard_normal(3)}
    lines = ("h = Linear(x, W, b)", "t = Tanh(h)", "s = Add(t, x)", "z = Linear(s, W, b)")
    return Network.program(*lines, "p = Softmax(z)", params=params)


def networks():
    yield Network.dense([3, 5, 2], "sigmoid", None, seed=1), RNG.standard_normal((7, 3)), "a2"
    yield Network.dense([3, 5, 2], "sigmoid", None, seed=1), RNG.standard_normal(3), "a2"
    relu = Network.dense([2, 7, 5, 3], ["relu", "tanh", "softmax"], None, seed=2)
    yield relu, RNG.standard_normal((11, 2)), "a3"
    yield relu, RNG.standard_normal((11, 2)), "z2"
    wide = Network.dense([41, 37, 5], "tanh", None, seed=3, dtype=np.float32)
    yield wide, RNG.standard_normal((3, 41)).astype(np.float32), "a2"
    yield skip_net(), RNG.standard_normal((5, 3)), "p"


@pytest.mark.parametrize(("net", "x", "of"), list(networks()))
def test_each_block_is_the_jacobian_of_its_parameter(net, x, of):
    run = net.run(x)
    stacked = run.jacobian(of, run.params)
    whole = stacked.materialise()
    assert whole.shape == stacked.shape == (*run[of].shape, net.parameter_count)
    assert whole.dtype == run[of].dtype
    assert whole.nbytes == stacked.nbytes
    for name in run.params:
        block = whole[..., stacked.columns[name]]
        alone = run.jacobian(of, name).materialise().reshape(block.shape)
        scale = np.abs(alone).max() or 1.0
        assert np.abs(block - alone).max() <= 16 * np.finfo(whole.dtype).eps * scale, name


@pytest.mark.parametrize(("net", "x", "of"), list(networks()))
def test_a_row_of_it_is_a_vector_jacobian_product(net, x, of):
    """An oracle of its own: v J is the ops' own vjp, and a wrong block is told apart."""
    run = net.run(x)
    stacked = run.jacobian(of, run.params)
    v = RNG.standard_normal(run[of].shape)
    summed = np.tensordot(v, stacked.materialise(), v.ndim)
    wrong = np.tensordot(v, stacked.materialise()[..., ::-1], v.ndim)
    tolerance = 1e-12 if run[of].dtype == np.float64 else 1e-4
    for name in run.params:
        pulled = run.vjp(of, name, v).reshape(-1)
        assert np.abs(summed[stacked.columns[name]] - pulled).max() < tolerance
    full = np.concatenate([run.vjp(of, name, v).reshape(-1) for name in run.params])
    assert np.abs(wrong - full).max() > 1e-3


def products_hold(run, of, wrt):
    """pull and push beside the array itself, whose entries are sums that have cancelled."""
    stacked = run.jacobian(of, wrt)
    whole = stacked.materialise()
    v = RNG.standard_normal(run[of].shape).astype(whole.dtype)
    u = RNG.standard_normal(whole.shape[-1]).astype(whole.dtype)
    unit = 64 * np.finfo(whole.dtype).eps
    for found, left, right in ((stacked.pull(v), v, whole), (stacked.push(u), whole, u)):
        expected = np.tensordot(left, right, v.ndim if right is whole else 1)
        scale = np.tensordot(np.abs(left), np.abs(right), v.ndim if right is whole else 1)
        assert (found.shape, found.dtype) == (expected.shape, whole.dtype)
        if np.abs(found - expected).max() > unit * scale.max():
            return False
    return True


@pytest.mark.parametrize(("net", "x", "of"), list(networks()))
def test_pulled_and_pushed_it_is_the_product_of_the_array(net, x, of):
    run = net.run(x)
    assert products_hold(run, of, run.params)


def test_products_by_values_by_the_value_itself_and_by_what_it_does_not_read():
    net = Network.dense([3, 5, 2], ["tanh", "softmax"], "cross_entropy", seed=1)
    run = net.run(RNG.standard_normal((7, 3)), RNG.integers(0, 2, 7))
    wanted = [("J", ["b2", "W1"]), ("a2", ["W1", "z2", "a1"]), ("a2", ["a2", "W1"])]
    for of, wrt in [*wanted, ("L", ["a2", "W1"]), ("z1", ["W2", "b1"]), ("z1", ["W2"])]:
        assert products_hold(run, of, wrt), (of, wrt)


def test_a_product_with_a_variable_at_another_place_is_found_wrong():
    run = skip_net().run(RNG.standard_normal((5, 3)))
    swapped = {"W": slice(3, 12), "b": slice(0, 3)}  # the columns of b in front
    stacked = run.jacobian("p", run.params)
    u = RNG.standard_normal(12)
    right = stacked.push(u)
    vars(stacked)["columns"] = swapped
    assert np.abs(stacked.push(u) - right).max() > 1e-3


def test_what_does_not_fit_or_overflows_is_refused():
    run = Network.dense([3, 5, 2], "sigmoid", None, seed=1).run(RNG.standard_normal((7, 3)))
    stacked = run.jacobian("a2", ["W2", "b2"])
    assert refusal(AxisError, stacked.pull, np.ones((2, 7))) == (
        "∂a2/∂(W2, b2): the cotangent does not fit.\n"
        "  cotangent has shape (2, 7)\n"
        "  ∂a2/∂(W2, b2) has shape (7, 2, 12), so it takes (7, 2)\n"
        "  Pass an array of the shape of a2."
    )
    assert refusal(AxisError, stacked.push, np.ones((2, 5))) == (
        "∂a2/∂(W2, b2): the tangent does not fit.\n"
        "  tangent has shape (2, 5)\n"
        "  ∂a2/∂(W2, b2) has shape (7, 2, 12), so it takes (12,)\n"
        "  Pass the entries of W2, b2, row by row, as one vector."
    )
    large = Network.dense([3, 5, 2], "identity", None, seed=1).run(np.full((7, 3), 1e200))
    steep = large.jacobian("z1", ["W1", "b1"])
    assert refusal(DomainError, steep.pull, np.full((7, 5), 1e200)).startswith(
        "v ∂z1/∂W1[0,0] is inf; 15 of 15 entries of v ∂z1/∂W1 are not finite."
    )
    assert refusal(DomainError, steep.push, np.full(20, 1e200)).startswith(
        "∂z1/∂(W1, b1) u[0,0] is inf; 35 of 35 entries of ∂z1/∂(W1, b1) u are not finite."
    )


def test_structural_zeros_are_placed_beside_negative_and_infinite_looking_numbers():
    net = Network.dense([3, 5, 2], "sigmoid", None, seed=1)
    run = net.run(-np.abs(RNG.standard_normal((7, 3))) * 1e300)
    stacked = run.jacobian("z2", ["W2", "b2"])
    block = stacked.materialise()[..., stacked.columns["W2"]].reshape(7, 2, 2, 5)
    off = block[:, [0, 1], [1, 0]]
    assert not off.any()
    assert not np.signbit(off).any()


def test_out_is_written_and_returned():
    run = Network.dense([3, 5, 2], "sigmoid", None, seed=1).run(RNG.standard_normal((7, 3)))
    stacked = run.jacobian("a2", run.params)
    out = np.full(stacked.shape, np.nan)
    assert stacked.materialise(out=out) is out
    assert np.array_equal(out, stacked.materialise())


def test_of_many_blocks_the_first_and_the_last_are_written_in_latex():
    def written(sizes, of):
        net = Network.dense(sizes, "tanh", None, seed=1)
        return net.run(RNG.standard_normal(3)).jacobian(of, net.params).latex()

    def slope(of, name):
        return rf"\frac{{\partial {of}}}{{\partial {name}}}"

    beside = r"\;\middle|\;"
    two = beside.join([slope("a_{1}", "W_{1}"), slope("a_{1}", "b_{1}")])
    whole = slope("a_{1}", r"(W_{1},\,b_{1})")
    assert written([3, 5], "a1") == rf"{whole}=\left[\,{two}\,\right]"
    six = written([3, 5, 2, 7], "a3")
    assert (six.count(beside), six.count("ldots")) == (5, 0)
    blocks = [slope("a_{4}", "W_{1}"), slope("a_{4}", "b_{1}"), r"\ldots", slope("a_{4}", "b_{4}")]
    whole = slope("a_{4}", r"(W_{1},\,b_{1},\,\ldots,\,b_{4})")
    eight = written([3, 5, 2, 7, 11], "a4")
    assert eight == rf"{whole}=\left[\,{beside.join(blocks)}\,\right]"


def test_an_out_that_does_not_fit():
    run = Network.dense([3, 5, 2], "sigmoid", None, seed=1).run(RNG.standard_normal((7, 3)))
    stacked = run.jacobian("a2", ["W2", "b2"])
    with pytest.raises(AxisError) as error:
        stacked.materialise(out=np.zeros((7, 2, 11)))
    assert str(error.value) == (
        "∂a2/∂(W2, b2): out does not fit.\n"
        "  out has shape (7, 2, 11) and dtype float64\n"
        "  the Jacobian has shape (7, 2, 12) and dtype float64\n"
        "  Pass np.empty((7, 2, 12), np.float64)."
    )
    with pytest.raises(AxisError) as error:
        stacked.materialise(out=np.zeros((7, 2, 12), np.float32))
    assert str(error.value) == (
        "∂a2/∂(W2, b2): out does not fit.\n"
        "  out has shape (7, 2, 12) and dtype float32\n"
        "  the Jacobian has shape (7, 2, 12) and dtype float64\n"
        "  Pass np.empty((7, 2, 12), np.float64)."
    )
    with pytest.raises(AxisError, match="out is a list"):
        stacked.materialise(out=[])
    with pytest.raises(AxisError) as error:
        stacked.materialise("gradient")
    assert str(error.value) == (
        "∂a2/∂(W2, b2): several variables side by side have one layout, flat.\n"
        "  Write materialise(), or one block: run.jacobian('a2', 'W2').materialise('gradient')."
    )
    closed = np.zeros((7, 2, 12))
    closed.flags.writeable = False
    for bad in (closed, np.zeros((12, 2, 7)).T):
        with pytest.raises(AxisError, match="is not a writable array in C order"):
            stacked.materialise(out=bad)


def test_bytes_are_refused_before_any_array():
    net = Network.dense([3, 5, 2], "sigmoid", None, seed=1)
    stacked = net.run(RNG.standard_normal((7, 3))).jacobian("a2", net.params)
    with memory_limit(1000), pytest.raises(MemoryLimitError) as error:
        stacked.materialise()
    assert str(error.value) == (
        "∂a2/∂(W1, b1, W2, b2) has shape (7, 2, 32): 448 entries, 3.5 KiB; "
        "the limit is 1000 bytes.\n"
        "  Use J.pull(v); for its entries J.blocks(max_bytes=…), or J.to_zarr(path)."
    )


@pytest.mark.parametrize("names", [[], ["W1", "W1"]])
def test_each_variable_is_named_once_and_at_least_one_is(names):
    run = Network.dense([3, 5, 2], "sigmoid", None, seed=1).run([1.0, 2.0, 3.0])
    with pytest.raises(SpecError, match="name each variable once, and at least one"):
        run.jacobian("a2", names)


def test_tied_parameters_are_one_block():
    shared = RNG.standard_normal((3, 3))
    lines = ("h = Linear(x, W1, b1)", "a = Tanh(h)", "z = Linear(a, W2, b2)")
    params = {"W1": shared, "b1": np.zeros(3), "W2": shared, "b2": np.ones(3)}
    net = Network.program(*lines, params=params)
    stacked = net.run(RNG.standard_normal(3)).jacobian("z", net.params)
    assert list(stacked.columns) == ["W1", "b1", "b2"]


def test_it_shows_itself():
    run = Network.dense([3, 5, 2], "sigmoid", None, seed=1).run(RNG.standard_normal((7, 3)))
    assert run.jacobian("a2", ["W2", "b2"]).text() == (
        "∂a2/∂(W2, b2), layout flat, shape (7, 2, 12): 2 blocks side by side, 1.3 KiB\n"
        "  W2  columns 0 to 9: the entries of shape (2, 5), row by row\n"
        "  b2  columns 10 to 11: the entries of shape (2,), row by row"
    )


def test_one_column_is_one():
    run = Network.dense([3, 5, 1], "sigmoid", None, seed=1).run(RNG.standard_normal(3))
    lines = run.jacobian("a2", ["W2", "b2"]).text().splitlines()
    assert lines[1:] == [
        "  W2  columns 0 to 4: the entries of shape (1, 5), row by row",
        "  b2  column 5: the entries of shape (1,), row by row",
    ]


def test_it_survives_pickling_after_it_was_used():
    run = Network.dense([3, 5, 2], "sigmoid", None, seed=1).run(RNG.standard_normal((7, 3)))
    stacked = run.jacobian("a2", run.params)
    stacked.pull(np.ones((7, 2)))
    again = pickle.loads(pickle.dumps(stacked))
    assert np.array_equal(again.materialise(), stacked.materialise())


def test_large_tensors_on_untouched_pages_are_ordinary_arrays():
    """From 3 MiB on, zeros lie on pages of their own: values, writing and copies as always."""
    n = 97
    net = Network.dense([n, n], "identity", None, seed=0)
    run = net.run(RNG.standard_normal(n))
    for layout in ("numerator", "transposed", "flat", "flat_column", "gradient"):
        tensor = run.jacobian("z1", "W1").materialise(layout)
        assert np.count_nonzero(tensor) == n * n
        assert tensor.flags.writeable
        assert tensor.flags.c_contiguous
        tensor[...] += 1
        assert tensor.sum() == pytest.approx(n**3 + n * run["x"].sum())
