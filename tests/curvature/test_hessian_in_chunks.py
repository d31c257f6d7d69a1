"""The rows of a Hessian, chunk by chunk, are those of the whole."""

import pickle

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, DomainError, Network
from jacobian_bp.curvature import hessian_in_chunks

RNG = np.random.default_rng(53)
RUN = Network.dense([3, 5, 2], ["tanh", "softmax"], "cross_entropy", seed=2).run(
    RNG.normal(size=(7, 3)), np.eye(2)[RNG.integers(0, 2, 7)]
)
WHOLE = RUN.hessian(RUN.params)


def joined(stacked, **options):
    found = np.full(stacked.shape, np.nan)
    for slices, array in stacked.blocks(**options):
        assert np.isnan(found[slices]).all()
        found[slices] = array
    return found


@pytest.mark.parametrize(
    "stacked", [WHOLE, WHOLE.gauss_newton, WHOLE.residual, RUN.hessian(["b2"])]
)
@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_the_blocks_are_rows_of_the_whole(stacked, rows):
    most = rows * stacked.shape[-1] * 8
    np.testing.assert_allclose(joined(stacked, max_bytes=most), stacked.materialise(), atol=1e-14)
    sizes = [array.nbytes for _, array in stacked.blocks(max_bytes=most)]
    assert max(sizes) <= most
    assert len(sizes) == -(-len(stacked.materialise()) // rows)


def test_rows_in_the_wrong_place_would_be_seen(monkeypatch):
    right = hessian_in_chunks.Rows.__call__
    monkeypatch.setattr(hessian_in_chunks.Rows, "__call__", lambda rows: right(rows)[::-1])
    assert np.abs(joined(WHOLE, max_bytes=2000) - WHOLE.materialise()).max() > 1e-3


def test_a_chunk_is_made_wherever_it_is_sent():
    places = dict(WHOLE.in_chunks((7, 32), "here").made())
    sent = pickle.loads(pickle.dumps(places[1, 0]))
    np.testing.assert_allclose(sent(), WHOLE.materialise()[7:14], atol=1e-14)


def test_its_product_chunk_by_chunk_is_that_of_the_whole():
    v = RNG.normal(size=32)
    for found in (WHOLE.contract_blocks(v), WHOLE.contract_blocks(tangent=v, chunks=3000)):
        np.testing.assert_allclose(found, WHOLE.materialise() @ v, atol=1e-13)


def test_what_cannot_be_cut_says_what_to_write():
    values = RUN.hessian(["W1", "b1"], of="z2")
    words = refusal(AxisError, values.blocks)
    assert words == (
        "∂²z2/∂(W1, b1)².blocks: a matrix for each entry of z2, shape (7, 2).\n"
        '  Take one block, H.block("W1", "W1"), or the Hessian of a scalar.'
    )
    assert next(iter(values.block("W1", "W1").blocks()))[1].size
    assert refusal(DomainError, WHOLE.blocks, 100).endswith(
        "  Write max_bytes=256, or ask for fewer variables at once, such as W1 alone."
    )
    words = refusal(AxisError, WHOLE.in_chunks, (7, 5), "H.to_dask")
    assert words.endswith(
        "  Write chunks=(7, 32), or take one variable: "
        'run.hessian("W1", of="J") is cut along all axes.'
    )
    assert RUN.hessian("W1", of="J").in_chunks((2, 3, 2, 3), "here").count


def test_an_entry_that_is_not_finite_is_told_at_its_rows():
    steps = "u = Multiply(w, x)", "v = Multiply(u, w)", "J = Einsum(v, x, 'k,k->')"
    run = Network.program(*steps, params={"w": np.zeros(2)}).run(np.full(2, 1e200))
    words = refusal(DomainError, lambda: [*run.hessian(["w"]).blocks()])
    assert words.startswith("the block [0:2] of ∂²J/∂(w)²[0,0] is inf")


def test_a_dask_array_and_a_store_hold_the_matrix(tmp_path):
    dask = pytest.importorskip("dask.array")
    lazy = WHOLE.to_dask((7, 32))
    assert isinstance(lazy, dask.Array)
    np.testing.assert_allclose(lazy.compute(), WHOLE.materialise(), atol=1e-14)
    zarr = pytest.importorskip("zarr")
    path = WHOLE.to_zarr(tmp_path / "hessian.zarr", (7, 32))
    stored = zarr.open_group(path, mode="r")["jacobian"][:]
    np.testing.assert_allclose(stored, WHOLE.materialise(), atol=1e-14)
