"""A product taken chunk by chunk is that of the whole array; chunks of zeros are never made."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from large_cases import RNG, dense_run, jacobians
from network_cases import refusal

from jacobian_bp import AxisError, DomainError, Network, SpecError, memory_limit
from jacobian_bp.algebra import placed_in_chunks
from jacobian_bp.chunks.zarr_store import plan


@pytest.fixture(scope="module")
def found():
    return jacobians()


def vectors(jacobian):
    return (
        RNG.normal(size=tuple(axis.size for axis in jacobian.out_axes)),
        RNG.normal(size=tuple(axis.size for axis in jacobian.wrt_axes)),
    )


def close(one, other):
    return np.abs(one - other).max() <= 1e-13 * max(1.0, np.abs(other).max())


@pytest.mark.parametrize("engine", ["numpy", "dask"])
def test_from_either_side_it_is_what_pull_and_push_give(found, engine):
    if engine == "dask":
        pytest.importorskip("dask", reason="dask is an extra")
    for jacobian in found:
        v, u = vectors(jacobian)
        for chunks in ("auto", max(8, jacobian.nbytes // 7)):
            options = {"chunks": chunks, "engine": engine}
            assert close(jacobian.contract_blocks(v, **options), jacobian.pull(v)), jacobian.name
            assert close(jacobian.contract_blocks(tangent=u, **options), jacobian.push(u))


def test_only_chunks_that_can_have_an_entry_are_made(monkeypatch):
    jacobian = dense_run().jacobian("z1", "W1")
    made, place = [], placed_in_chunks.Placed.__call__

    def counted(self):
        made.append(self.name)
        return place(self)

    monkeypatch.setattr(placed_in_chunks.Placed, "__call__", counted)
    v, _ = vectors(jacobian)
    jacobian.contract_blocks(v, chunks=(1, 1, 1, 5))
    assert len(made) == 5 * 7
    assert jacobian.in_chunks((1, 1, 1, 5), "").count == 5 * 7 * 7


def test_a_chunk_that_is_multiplied_by_another_piece_is_found_wrong(found, monkeypatch):
    from jacobian_bp.chunks import contracting

    def turned(make, vector, from_left):
        return right(make, np.flip(vector), from_left)

    right = contracting.times
    monkeypatch.setattr(contracting, "times", turned)
    for jacobian in (j for j in found if j.out_axes):
        v, _ = vectors(jacobian)
        assert not close(jacobian.contract_blocks(v), jacobian.pull(v)), jacobian.name


def test_the_vector_and_the_engine_are_refused_before_any_work(found):
    jacobian = found[0]
    v, u = vectors(jacobian)
    assert refusal(SpecError, jacobian.contract_blocks, v, tangent=u) == (
        "∂z1/∂W1.contract_blocks: give a cotangent or a tangent, one of the two.\n"
        "  Write J.contract_blocks(v), or J.contract_blocks(tangent=u)."
    )
    assert refusal(AxisError, jacobian.contract_blocks, u) == (
        "∂z1/∂W1.contract_blocks: the cotangent does not fit.\n"
        "  cotangent has shape (7, 5)\n"
        "  ∂z1/∂W1 has shape (5, 7, 7, 5), so it takes (5, 7)\n"
        "  Pass an array of shape (5, 7)."
    )
    assert refusal(SpecError, jacobian.contract_blocks, v, engine="spark") == (
        "∂z1/∂W1.contract_blocks: engine is 'spark'.\n  Write one of numpy, dask."
    )
    assert refusal(AxisError, jacobian.contract_blocks, v, chunks=(5, 2)) == (
        "∂z1/∂W1.contract_blocks: chunks is (5, 2); the axes are n, k, k', i', of shape "
        '(5, 7, 7, 5).\n  Write "auto", bytes such as "8MiB", or a length from 1 up for each '
        "axis, such as (5, 7, 7, 5)."
    )
    assert refusal(AxisError, jacobian.contract_blocks, v, chunks=(5, 2, 3, 5)) == (
        "∂z1/∂W1.contract_blocks: k and k' are joined by a delta, and cut alike.\n"
        "  k in pieces of 2\n  k' in pieces of 3\n  Write chunks=(5, 2, 2, 5)."
    )
    assert close(jacobian.contract_blocks(v, chunks=(5, 2, 2, 5)), jacobian.pull(v))


@pytest.mark.parametrize("package", ["dask", "zarr"])
def test_without_its_package_a_call_names_what_installs_it(found, package, monkeypatch, tmp_path):
    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    arguments = (tmp_path / "a.zarr",) if package == "zarr" else ()
    said = refusal(SpecError, getattr(found[0], f"to_{package}"), *arguments)
    assert said.endswith(
        f"needs {package}, which is not installed.\n  Write pip install 'jacobian-bp[{package}]'."
    )
    if package == "dask":
        said = refusal(SpecError, found[0].contract_blocks, np.ones((5, 7)), engine="dask")
        assert said.startswith("∂z1/∂W1.contract_blocks needs dask, which is not installed."), said


def test_a_product_that_is_not_finite_is_named_with_its_chunk():
    net = Network.dense([2, 3, 2], "identity", "squared_error", seed=0)
    params = {k: np.full_like(v, 1e200 if k[0] == "W" else 0) for k, v in net.params.items()}
    jacobian = net.with_params(params).run(np.zeros(2), np.ones(2)).jacobian("z2", "x")
    said = refusal(DomainError, jacobian.contract_blocks, np.ones(2), chunks=8)
    assert said.startswith("the block [0:1,0:1] of ∂z2/∂x[0,0] is inf; 1 of 1 entries"), said


WIDE = """
import resource, time
import numpy as np
from jacobian_bp import Network
rng = np.random.default_rng(0)
run = Network.dense([1024, 1024], seed=0).run(rng.normal(size=1024), rng.normal(size=1024))
jacobian, v = run.jacobian("z1", "W1"), rng.normal(size=1024)
assert jacobian.nbytes == 8 * 2**30
start, cpu = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
found = jacobian.contract_blocks(v)
spent = time.process_time() - cpu
more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 2**20
assert np.array_equal(found, jacobian.pull(v))
print(f"{spent:.2f} s of CPU, {more:.3f} GiB")
assert spent <= 1.5 and more <= 0.5
"""


@pytest.mark.full
def test_eight_gibibytes_are_contracted_in_the_memory_of_a_few_chunks():
    subprocess.run([sys.executable, "-c", WIDE], check=True, timeout=120)


def test_the_memory_that_a_contraction_takes_is_that_of_a_chunk():
    import tracemalloc

    run = Network.dense([211, 307], seed=0).run(RNG.normal(size=211), RNG.normal(size=307))
    jacobian, v = run.jacobian("z1", "W1"), RNG.normal(size=307)
    tracemalloc.start()
    try:
        found = jacobian.contract_blocks(v, chunks="1MiB")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert close(found, jacobian.pull(v))
    assert most < 5 * 2**20 < jacobian.nbytes / 20


def test_the_page_shows_the_plan_that_is_printed():
    page = (Path(__file__).parents[2] / "docs" / "larger_than_memory.md").read_text("utf-8")
    net = Network.dense([784, 128, 10], "relu", seed=0)
    run = net.run(np.random.default_rng(0).normal(size=(4096, 784)))
    with memory_limit("512MiB"):
        chunked = run.jacobian("a2", net.params).in_chunks("auto", "")
    standing = sum(1 for _ in chunked.made())
    lines = plan(chunked, standing, 0, 1, Path("jacobian.zarr"))
    assert "```\n" + "\n".join(lines) + "\n```" in page
