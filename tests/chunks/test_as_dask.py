"""A Dask array of a Jacobian is known before anything is made, and holds its very entries."""

import pickle

import numpy as np
import pytest
from large_cases import dense_run, jacobians
from network_cases import refusal

from jacobian_bp import DomainError, Network
from jacobian_bp.algebra import placed_in_chunks
from jacobian_bp.chunks import as_dask

dask = pytest.importorskip("dask", reason="dask is an extra")


@pytest.fixture(scope="module")
def found():
    return jacobians()


def test_its_entries_are_those_of_the_whole_array_in_chunks_of_any_size(found):
    zeros = 0
    for jacobian in found:
        whole = jacobian.materialise()
        for chunks in ("auto", max(8, jacobian.nbytes // 5)):
            array = jacobian.to_dask(chunks)
            assert (array.shape, array.dtype, array.nbytes) == (
                whole.shape,
                whole.dtype,
                whole.nbytes,
            )
            values = array.compute(scheduler="synchronous")
            scale = np.abs(whole).max()
            assert np.abs(values - whole).max() <= 1e-13 * scale, (jacobian.name, chunks)
            zeros += sum(task[0] is as_dask.nothing for task in _tasks(jacobian, chunks).values())
    assert zeros > 20


def _tasks(jacobian, chunks):
    """Which chunk is made and which is nothing, as the graph is written."""
    chunked = jacobian.in_chunks(chunks, "")
    made = {place for place, _ in chunked.made()}
    return {
        place: (as_dask.made if place in made else as_dask.nothing,) for place in chunked.places()
    }


def test_a_chunk_of_structural_zeros_takes_the_memory_of_one_number():
    block = as_dask.nothing((3, 5, 7), np.dtype("f"))
    assert (block.shape, block.dtype, block.strides) == ((3, 5, 7), np.dtype("f"), (0, 0, 0))
    assert not block.any()
    assert not block.flags.writeable


def test_nothing_is_made_before_it_is_computed_and_then_only_what_is_asked_for(monkeypatch):
    jacobian = dense_run().jacobian("z1", "W1")
    made, place = [], placed_in_chunks.Placed.__call__

    def counted(self):
        made.append(self.name)
        return place(self)

    monkeypatch.setattr(placed_in_chunks.Placed, "__call__", counted)
    array = jacobian.to_dask((1, 1, 1, 5))
    assert made == []
    row = array[2, 3].compute(scheduler="synchronous")
    assert np.array_equal(row, jacobian.materialise()[2, 3])
    assert made == ["the block [2:3,3:4,3:4,0:5] of ∂z1/∂W1"]


def test_chunks_are_new_and_threads_give_the_same_bits(found):
    for jacobian in found:
        array = jacobian.to_dask(max(8, jacobian.nbytes // 5))
        first = array.compute(scheduler="synchronous")
        for _, make in jacobian.in_chunks("auto", "").made():
            make()[...] = np.nan
        assert np.array_equal(array.compute(scheduler="threads"), first)


def test_what_makes_a_chunk_travels_to_another_process(found):
    for jacobian in found:
        for place, make in jacobian.in_chunks(max(8, jacobian.nbytes // 5), "").made():
            assert np.array_equal(pickle.loads(pickle.dumps(make))(), make()), (
                place,
                jacobian.name,
            )


def test_too_many_chunks_for_a_graph_are_refused_and_the_way_out_works(monkeypatch):
    jacobian = dense_run().jacobian("z1", "W1")
    monkeypatch.setattr(as_dask, "MOST", 100)
    assert refusal(DomainError, jacobian.to_dask, 8) == (
        "∂z1/∂W1.to_dask(): 1,225 chunks, each an entry of Dask's graph; at most 100.\n"
        '  Write larger chunks, such as chunks="64MiB", or contract_blocks(), which makes those '
        "that are not 0 alone."
    )
    assert jacobian.to_dask("64MiB").shape == jacobian.shape
    v = np.ones((5, 7))
    assert np.allclose(jacobian.contract_blocks(v, chunks=8), jacobian.pull(v))


@pytest.mark.full
def test_on_a_cluster_of_processes_a_worker_that_is_killed_loses_nothing(tmp_path):
    distributed = pytest.importorskip("distributed", reason="distributed is an extra")
    dask_array = pytest.importorskip("dask.array")
    import os
    import signal

    rng = np.random.default_rng(3)
    net = Network.dense([211, 307], seed=0)
    jacobian = net.run(rng.normal(size=211), rng.normal(size=307)).jacobian("z1", "W1")
    v = rng.normal(size=307)
    options = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": None,
    }
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        array = jacobian.to_dask("1MiB")
        waiting = client.compute((array * v[:, None, None]).sum(axis=0))
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        assert np.allclose(waiting.result(timeout=120), jacobian.pull(v))
        found = jacobian.contract_blocks(v, chunks="1MiB", engine="dask")
        assert np.allclose(found, jacobian.pull(v))
        zarr = pytest.importorskip("zarr", reason="zarr is an extra")
        jacobian.to_zarr(tmp_path / "a.zarr", "1MiB", engine="dask")
        rows = zarr.open_group(tmp_path / "a.zarr", mode="r")["jacobian"]
        assert np.array_equal(rows[40:60], jacobian.materialise()[40:60])
        x, y = rng.normal(size=(23, 211)), rng.normal(size=(23, 307))
        chunks = (
            dask_array.from_array(x, chunks=(5, 211)),
            dask_array.from_array(y, chunks=(5, 307)),
        )
        over, whole = net.gradients_over(chunks), net.run(x, y).gradients()
        assert all(np.allclose(over[name], whole[name], rtol=1e-12) for name in whole)
