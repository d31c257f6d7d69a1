"""What a refusal of a size advises works under the very limit that refused."""

import re

import numpy as np
import pytest
from large_cases import RNG, dense_run, jacobians

from jacobian_bp import MemoryLimitError, memory_limit
from jacobian_bp.routes.stacked import StackedJacobian

RUN = dense_run(13)


def refused():
    """Each Jacobian that is larger than its product with a vector, and half of its bytes."""
    for jacobian in [*jacobians(), RUN.jacobian("a2", RUN.params)]:
        if jacobian.out_axes:
            yield jacobian, jacobian.nbytes // 2


def said(call, limit):
    with memory_limit(limit), pytest.raises(MemoryLimitError) as caught:
        call()
    return str(caught.value)


def test_each_way_out_of_a_whole_array_works_within_the_limit(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    for place, (jacobian, limit) in enumerate(refused()):
        words = said(jacobian.materialise, limit)
        assert words.endswith("for its entries J.blocks(max_bytes=…), or J.to_zarr(path).")
        ways = re.findall(r"(J\.\w+|run\.\w+)\(", words)
        several = isinstance(jacobian, StackedJacobian)
        assert ways == ["J.pull", *["run.gradients"] * (not several), "J.blocks", "J.to_zarr"]
        whole = jacobian.materialise()
        v = RNG.normal(size=tuple(axis.size for axis in jacobian.out_axes))
        product = np.tensordot(v, whole, v.ndim)
        found = np.zeros(jacobian.shape)
        with memory_limit(limit):
            assert np.allclose(jacobian.pull(v), product)
            for slices, array in jacobian.blocks(limit // 2):
                found[slices] = array
            path = jacobian.to_zarr(tmp_path / f"{place}.zarr")
        assert np.allclose(found, whole)
        assert np.allclose(zarr.open_group(path, mode="r")["jacobian"][...], whole)


def test_each_way_out_of_coordinates_that_do_not_fit_works_within_the_limit(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    jacobian = RUN.jacobian("a2", "z2")
    limit = jacobian.structural_nonzeros * 24 - 1
    words = said(jacobian.coo, limit)
    assert words.endswith(
        "J.pull(v), J.blocks(max_bytes=…), one block at a time, or J.to_zarr(path)."
    )
    whole, found = jacobian.materialise(), np.zeros(jacobian.shape)
    with memory_limit(limit):
        v = np.ones((13, 3))
        assert np.allclose(jacobian.pull(v), np.tensordot(v, whole, 2))
        for slices, array in jacobian.blocks(200):
            found[slices] = array
        path = jacobian.to_zarr(tmp_path / "a.zarr")
    assert np.array_equal(found, whole)
    assert np.array_equal(zarr.open_group(path, mode="r")["jacobian"][...], whole)
