"""What is handed out holds the entries of the whole array; structural zeros alone are left out."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from network_cases import refusal
from random_terms import case
from window_nets import window_net

from jacobian_bp import AxisError, DomainError, MemoryLimitError, Network, SpecError, memory_limit
from jacobian_bp.algebra import cutting, handed_out
from jacobian_bp.algebra.cutting import Span, within
from jacobian_bp.algebra.expression import delta, dense, distinct, one
from jacobian_bp.algebra.positions.affine_and_table import Affine
from jacobian_bp.algebra.products.placing import evaluate
from jacobian_bp.errors import JacobianError

RNG = np.random.default_rng(43)
INSTALL = "is large, and not installed here"


def runs():
    one_example = Network.dense([3, 5, 2], ["relu", "softmax"], "cross_entropy", seed=1)
    yield one_example.run(RNG.normal(size=3), np.eye(2)[0]), "z1/W1 a1/z1 a2/z2 z2/W1 z2/b2 J/W1"
    many = one_example.run(RNG.normal(size=(7, 3)), np.eye(2)[RNG.integers(0, 2, 7)])
    yield many, "z1/W1 z1/b1 a1/z1 a2/z2 z2/x J/W1 a2/W1"
    skip = Network.program(
        "z = Linear(x, W, b)",
        "a = Tanh(z)",
        "s = Add(a, z)",
        "t = Add(s, x)",
        "J = SquaredError(t, y)",
        params={"W": RNG.normal(size=(3, 3)), "b": RNG.normal(size=3)},
    )
    yield skip.run(RNG.normal(size=3), RNG.normal(size=3)), "s/z t/W t/x t/b s/x"
    causal = Network.program(
        "S = Einsum(x, Q, 'ti,iu->tu')",
        "A = CausalSoftmax(S)",
        "v = Einsum(A, x, 'tu,ui->ti')",
        "J = HalfSquaredError(v, y)",
        params={"Q": RNG.normal(size=(2, 5))},
    )
    yield causal.run(RNG.normal(size=(5, 2)), RNG.normal(size=(5, 2))), "A/S v/A v/x"
    for name in ("a sequence", "max pool of a sequence", "stride, padding, dilation", "groups"):
        net, data = window_net(name, 2)
        yield net.run(**data), "v/u z/u" + (" v/K" if "pool" not in name else "")


@pytest.fixture(scope="module")
def jacobians():
    found = [run.jacobian(*n.split("/")) for run, names in runs() for n in names.split()]
    found += [j.collapse() for j in found if not j.is_local and j.size < 3000]
    return found


def close(found, whole):
    scale = np.abs(whole).max(initial=0.0)
    return np.abs(found - whole).max(initial=0.0) <= 1e-13 * max(scale, 1e-300)


def put_together(jacobian, max_bytes):
    """The whole array from its blocks, how often each entry was in one, and the largest."""
    whole, times = np.zeros(jacobian.shape), np.zeros(jacobian.shape, int)
    firsts, largest = [], 0
    for slices, array in jacobian.blocks(max_bytes):
        assert whole[slices].shape == array.shape
        whole[slices] = array
        times[slices] += 1
        firsts.append(tuple(s.start for s in slices))
        largest = max(largest, array.nbytes)
    assert all(a < b for a, b in pairwise(firsts))
    return whole, times, largest


def test_blocks_make_up_the_whole_array_and_none_is_structurally_zero(jacobians):
    left_out = 0
    for jacobian in jacobians:
        whole, mask = jacobian.materialise(), jacobian.can_be_nonzero().astype(bool)
        for part in (1, 5, 37):
            most = max(8, jacobian.nbytes // part) if jacobian.size < 2000 or part < 37 else 4096
            found, times, largest = put_together(jacobian, most)
            assert largest <= most
            assert close(found, whole), (jacobian.name, part)
            assert times.max() == 1
            assert (times[mask] == 1).all()
            left_out += (times == 0).sum()
        for slices, _ in jacobian.blocks(most):
            assert mask[slices].any(), (jacobian.name, slices)
    assert left_out > 1000


def test_a_block_of_one_entry_is_made_where_an_entry_can_stand_only(jacobians):
    seen = 0
    for jacobian in (j for j in jacobians if j.size < 700):
        at = [tuple(s.start for s in slices) for slices, _ in jacobian.blocks(8)]
        expected = [tuple(row) for row in np.argwhere(jacobian.can_be_nonzero()).tolist()]
        assert at == expected, jacobian.name
        seen += 1
    assert seen > 15


def wrong(seed):
    """What of a random product of deltas, windows, look-ups and ranges is not what loops say."""
    drawn = case(seed)
    jacobian, values, stands = drawn.jacobian, drawn.values, drawn.stands
    for most in (8, max(8, jacobian.nbytes // 5)):
        found, times, largest = put_together(jacobian, most)
        if not np.allclose(found, values, rtol=1e-10, atol=1e-10):
            return "the values of blocks"
        if (times[stands] != 1).any() or (most == 8 and times[~stands].any()) or largest > most:
            return "which blocks are made"
    entries = jacobian.coo()
    places, at = stands.reshape(entries.shape), np.stack([entries.rows, entries.columns], axis=1)
    if not np.array_equal(np.argwhere(places), at):
        return "the places of entries"
    flat = values.reshape(entries.shape)[places]
    return "" if np.allclose(entries.values, flat, rtol=1e-10, atol=1e-10) else "entries"


def test_random_products_handed_out_are_what_nested_loops_say():
    assert {seed: what for seed in (*range(50), 199, 349) if (what := wrong(seed))} == {}


@pytest.mark.full
def test_thousands_of_random_products_handed_out_are_what_nested_loops_say():
    assert {seed: what for seed in range(1000, 2000) if (what := wrong(seed))} == {}


def test_positions_that_are_not_counted_from_the_start_of_a_piece_are_found_wrong(monkeypatch):
    right = cutting._position

    def from_the_axis(position, spans, start):
        return position if isinstance(position, Affine) else right(position, spans, start)

    monkeypatch.setattr(cutting, "_position", from_the_axis)
    assert sum(wrong(seed) != "" for seed in range(30)) > 5


def test_coordinates_are_those_of_the_mask_row_by_row(jacobians):
    for jacobian in jacobians:
        for layout in ("flat", "flat_column"):
            values, rows, columns, shape = jacobian.coo(layout)
            mask = jacobian.can_be_nonzero(layout).astype(bool)
            whole = jacobian.materialise(layout)
            assert shape == whole.shape
            assert np.array_equal(np.argwhere(mask), np.stack([rows, columns], axis=1)), (
                jacobian.name,
                layout,
            )
            assert close(values, whole[mask])
            assert len(values) == jacobian.structural_nonzeros


def test_a_piece_that_reads_one_entry_further_on_is_found_wrong(jacobians, monkeypatch):
    def shifted(expression, spans):
        moved = {
            axis: (max(0, start - 1), stop - min(1, start)) for axis, (start, stop) in spans.items()
        }
        return within(expression, moved)

    monkeypatch.setattr(handed_out, "within", shifted)
    dense_ones = [j for j in jacobians if j.structural_nonzeros == j.size > 8]
    assert len(dense_ones) > 2
    for jacobian in dense_ones:
        found, _, _ = put_together(jacobian, jacobian.nbytes // 2)
        assert not close(found, jacobian.materialise()), jacobian.name


def test_a_unit_that_is_switched_off_is_stored_and_a_structural_zero_is_not():
    net = Network.dense([3, 5, 2], ["relu", "sigmoid"], "bce", seed=1)
    jacobian = net.run(np.array([0.3, -2.0, 0.7]), np.array([0.0, 1.0])).jacobian("a1", "z1")
    values, rows, columns, _ = jacobian.coo()
    assert (values == 0).any()
    assert np.array_equal(rows, np.arange(5))
    assert np.array_equal(columns, np.arange(5))


def test_beside_an_infinite_slope_a_structural_zero_is_left_out_and_nothing_is_refused():
    net = Network.program("a = Sqrt(x)", "J = SquaredError(a, y)")
    jacobian = net.run(np.array([0.0, 4.0, 9.0]), np.ones(3)).jacobian("a", "x")
    whole = np.zeros((3, 3))
    for slices, array in jacobian.blocks(8):
        whole[slices] = array
    assert np.array_equal(whole, jacobian.materialise())
    assert np.array_equal(jacobian.coo().values, np.diag(whole))


def test_a_jacobian_beyond_any_memory_is_given_out_block_by_block():
    net = Network.dense([3001, 997], seed=0)
    jacobian = net.run(np.ones(3001), np.ones(997)).jacobian("z1", "W1")
    assert jacobian.nbytes > 2e10
    rows = 0
    for slices, array in jacobian.blocks("12MiB"):
        assert slices[0] == slices[1]
        rows += array.sum() / 3001
    assert rows == 997


def test_blocks_and_coordinates_are_new_and_the_second_call_gives_the_same(jacobians):
    for jacobian in jacobians[:9]:
        first = [(s, a.copy()) for s, a in jacobian.blocks(400)]
        for _, array in jacobian.blocks(400):
            array[...] = np.nan
        jacobian.coo().values[...] = np.nan
        again = list(jacobian.blocks(400))
        assert [s for s, _ in again] == [s for s, _ in first]
        assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, again, strict=True))
        assert np.isfinite(jacobian.coo().values).all()


def test_the_state_of_numpy_is_the_callers_between_two_blocks(jacobians):
    with np.errstate(all="raise"):
        for _ in jacobians[0].blocks(100):
            assert set(np.geterr().values()) == {"raise"}


def test_a_piece_of_an_expression_is_the_piece_of_its_array():
    a, k = RNG.normal(size=(7, 5)), {"k": 7, "k'": 7, "i": 5}
    expression = delta("k,k'") * dense("a[k,i]", a) + 3 * distinct("k,k'") * one("k") * dense(
        "b[i]", a[0]
    )
    whole = evaluate(expression, list(k), k, np.dtype(float))
    for mine, its in (((2, 4), (2, 4)), ((2, 4), (4, 6)), ((0, 2), (6, 7))):
        spans: dict[str, Span] = {"k": mine, "k'": its, "i": (1, 4)}
        sizes = {axis: stop - start for axis, (start, stop) in spans.items()}
        part = evaluate(within(expression, spans), list(k), sizes, np.dtype(float))
        assert np.array_equal(part, whole[tuple(slice(*s) for s in spans.values())])


def test_asarray_is_the_whole_array_in_the_dtype_that_is_asked_for(jacobians):
    jacobian = jacobians[0]
    assert np.array_equal(np.asarray(jacobian), jacobian.materialise())
    assert np.asarray(jacobian, dtype=np.float32).dtype == np.float32
    assert refusal(JacobianError, np.asarray, jacobian, copy=False) == (
        "np.asarray of ∂z1/∂W1 with copy=False: its array is not kept, only made.\n"
        "  Leave copy=False out."
    )
    with pytest.raises(TypeError):
        np.ones((2, 5)) @ jacobian


def test_what_cannot_be_handed_out_is_refused_before_any_work(jacobians):
    jacobian = jacobians[0]
    assert refusal(AxisError, jacobian.coo, "numerator") == (
        "∂z1/∂W1: layout 'numerator' has no rows and columns of its own.\n"
        "  Write one of flat, flat_column."
    )
    assert refusal(DomainError, jacobian.blocks, 7) == (
        "∂z1/∂W1.blocks(max_bytes=7): one entry takes 8 bytes.\n  Write max_bytes=8 or more."
    )
    assert refusal(DomainError, jacobian.blocks, -1) == (
        "∂z1/∂W1.blocks(max_bytes=…): -1 is not a number of bytes.\n"
        "  Write a whole number such as 8000000000, or one with a unit such as '8GiB'."
    )
    with memory_limit(100):
        assert refusal(MemoryLimitError, jacobian.blocks, 400) == (
            "a block of ∂z1/∂W1 has shape (4, 4, 3): 48 entries, 384 bytes; "
            "the limit is 100 bytes.\n"
            "  Write a smaller max_bytes, or spend the deltas: J.pull(v)."
        )
        assert refusal(MemoryLimitError, jacobian.coo) == (
            "∂z1/∂W1 as values, rows and columns has shape (15,): 15 entries, 360 bytes; "
            "the limit is 100 bytes.\n"
            "  Use J.pull(v), J.blocks(max_bytes=…), one block at a time, or J.to_zarr(path)."
        )
        assert len(list(jacobian.blocks(100))) > 1


def test_a_product_that_is_not_finite_is_named_with_its_block():
    net = Network.dense([2, 3, 2], "identity", "squared_error", seed=0)
    params = {k: np.full_like(v, 1e200 if k[0] == "W" else 0) for k, v in net.params.items()}
    jacobian = net.with_params(params).run(np.zeros(2), np.ones(2)).jacobian("z2", "x")
    said = refusal(DomainError, lambda: list(jacobian.blocks(8)))
    assert said.startswith("the block [0:1,0:1] of ∂z2/∂x[0,0] is inf; 1 of 1 entries"), said
    with pytest.raises(DomainError, match="∂z2/∂x"):
        jacobian.coo()
    assert all(np.isinf(array) for _, array in jacobian.blocks(8, finite=False))


@pytest.mark.parametrize("package", ["scipy", "xarray", "torch", "jax"])
def test_without_its_package_a_call_names_what_installs_it(jacobians, package, monkeypatch):
    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    assert refusal(SpecError, getattr(jacobians[0], f"to_{package}")) == (
        f"∂z1/∂W1.to_{package}() needs {package}, which is not installed.\n"
        f"  Write pip install 'jacobian-bp[{package}]'."
    )


def test_csr_stores_what_can_be_nonzero_and_its_mask_survives_the_zeros_of_this_input(jacobians):
    pytest.importorskip("scipy", reason="scipy is an extra")
    for jacobian in jacobians:
        matrix, mask = jacobian.to_scipy(), jacobian.to_scipy(mask=True)
        assert matrix.has_canonical_format
        assert close(matrix.toarray(), jacobian.materialise("flat"))
        matrix.eliminate_zeros()
        stands = jacobian.can_be_nonzero("flat").astype(bool)
        assert np.array_equal(mask.toarray(), stands)
        assert matrix.nnz <= mask.nnz == jacobian.structural_nonzeros


def test_an_xarray_has_the_axes_by_name_and_both_kinds_of_zero(jacobians):
    pytest.importorskip("xarray", reason="xarray is an extra")
    for jacobian in jacobians:
        array = jacobian.to_xarray()
        assert array.dims == tuple(axis.name for axis in jacobian.axes)
        assert np.array_equal(array.values, jacobian.materialise())
        stands = jacobian.can_be_nonzero().astype(bool)
        assert np.array_equal(array["structural_zero"].values, ~stands)
        assert array.name == jacobian.name


@pytest.mark.parametrize("package", ["torch", "jax"])
def test_a_tensor_has_the_numbers_of_the_layout(jacobians, package):
    pytest.importorskip(package, reason=f"{package} {INSTALL}")
    for layout in ("numerator", "flat"):
        tensor = getattr(jacobians[0], f"to_{package}")(layout)
        assert np.allclose(np.asarray(tensor), jacobians[0].materialise(layout), rtol=1e-6)
