"""A store holds the array whatever ended the work, and says which chunks are written."""

import errno
import inspect
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
from large_cases import RNG, dense_run, jacobians
from network_cases import refusal

from jacobian_bp import AxisError, DomainError, Network, SpecError, memory_limit
from jacobian_bp.chunks import zarr_store
from jacobian_bp.chunks.chunked import traits_of

zarr = pytest.importorskip("zarr", reason="zarr is an extra")


def opened(path):
    group = zarr.open_group(path, mode="r")
    return group["jacobian"][...], group["done"][...], group


@pytest.fixture
def jacobian():
    net = Network.dense([5, 7], seed=1)
    return net.run(np.arange(5) / 7 - 0.3, np.ones(7)).jacobian("z1", "W1")


def test_the_array_its_axes_and_its_zeros_are_in_the_store(tmp_path):
    zeros = 0
    for place, jacobian in enumerate(jacobians()):
        path = tmp_path / f"{place}.zarr"
        assert jacobian.to_zarr(path, max(8, jacobian.nbytes // 5)) == path
        values, done, group = opened(path)
        whole = jacobian.materialise()
        assert np.abs(values - whole).max() <= 1e-13 * np.abs(whole).max(), jacobian.name
        assert group["jacobian"].metadata.dimension_names == tuple(a.name for a in jacobian.axes)
        assert set(np.unique(done)) <= {1, 2}
        chunked = jacobian.in_chunks(max(8, jacobian.nbytes // 5), "")
        standing = {place for place, _ in chunked.made()}
        assert {tuple(at) for at in np.argwhere(done == 1).tolist()} == standing
        zeros += int((done == 2).sum())
    assert zeros > 10


def test_what_is_planned_is_said_before_anything_runs(tmp_path, jacobian, capsys):
    path = tmp_path / "z.zarr"
    jacobian.to_zarr(path, (2, 2, 5))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"∂z1/∂W1, shape (7, 7, 5), 1.9 KiB, to {path}\n"
        "  chunks  4 of shape (2, 2, 5), 12 chunks of structural zeros not made\n"
        "  bytes   160 bytes a chunk, at most 640 bytes before compression\n"
        "  peak    about 520 bytes of memory: 40 bytes, and 3 times a chunk\n"
    )


def test_ctrl_c_leaves_a_store_that_is_read_and_gone_on_with(
    tmp_path, jacobian, capsys, monkeypatch
):
    path, write, count = tmp_path / "z.zarr", zarr_store.write, [0]

    def interrupted(*arguments):
        count[0] += 1
        if count[0] == 4:
            raise KeyboardInterrupt
        write(*arguments)

    monkeypatch.setattr(zarr_store, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        jacobian.to_zarr(path, (1, 1, 5))
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"3 of 7 chunks are written, and can be read; to_zarr({str(path)!r}, resume=True) goes on."
    )
    values, done, _ = opened(path)
    whole = jacobian.materialise()
    assert (done == 1).sum() == 3
    assert (done == 0).sum() == 4
    for place in np.argwhere(done == 1)[:, :2]:
        assert np.array_equal(values[tuple(place)], whole[tuple(place)])
    jacobian.to_zarr(path, resume=True)
    assert count[0] == 4 + 4  # the three are not made again
    values, done, _ = opened(path)
    assert np.array_equal(values, whole)
    assert (done > 0).all()
    jacobian.to_zarr(path, resume=True)
    assert count[0] == 8


def test_a_chunk_that_is_put_on_record_before_it_is_written_is_found_wrong(
    tmp_path, jacobian, monkeypatch
):
    write, written = zarr_store.write, zarr_store._written

    def early(store, done, engine, at_once):
        for place, _ in list(store.chunked.made()):
            store.written(place)
        return written(store, done, engine, at_once)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(zarr_store, "_written", early)
    monkeypatch.setattr(zarr_store, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        jacobian.to_zarr(tmp_path / "z.zarr", (1, 1, 5))
    monkeypatch.setattr(zarr_store, "write", write)
    monkeypatch.setattr(zarr_store, "_written", written)
    jacobian.to_zarr(tmp_path / "z.zarr", resume=True)
    assert not np.array_equal(opened(tmp_path / "z.zarr")[0], jacobian.materialise())


def twenty_nine_rows():
    rng = np.random.default_rng(5)
    net = Network.dense([11, 13, 3], "relu", seed=0)
    return net.run(rng.normal(size=(29, 11))).jacobian("a2", net.params)


KILLED = f"""
import sys, time
import numpy as np
from jacobian_bp import Network
from jacobian_bp.chunks import zarr_store
write = zarr_store.write
def slowly(*arguments):
    write(*arguments)
    time.sleep(0.2)
zarr_store.write = slowly
{inspect.getsource(twenty_nine_rows)}
twenty_nine_rows().to_zarr(sys.argv[1], (2, 3, 198))
"""


def test_a_process_that_is_killed_in_the_middle_loses_nothing(tmp_path, capsys):
    path = tmp_path / "a.zarr"
    killed = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stderr=subprocess.PIPE)
    for _ in range(1200):
        time.sleep(0.05)
        with suppress(OSError, KeyError, ValueError):  # it is not there yet
            if (opened(path)[1] == 1).sum() >= 3:
                break
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    _, done, _ = opened(path)
    assert 3 <= (done == 1).sum() < 15
    twenty_nine_rows().to_zarr(path, resume=True)
    assert f"; {(done == 1).sum()} of them are there" in capsys.readouterr().err
    twenty_nine_rows().to_zarr(tmp_path / "b.zarr", (2, 3, 198))
    (resumed, flags, _), (whole, _, _) = opened(path), opened(tmp_path / "b.zarr")
    assert (flags == 1).all()
    assert resumed.tobytes() == whole.tobytes()
    assert whole.any()


def test_what_is_there_already_is_not_written_over(tmp_path, jacobian):
    path = tmp_path / "z.zarr"
    jacobian.to_zarr(path, (3, 3, 5))
    who = f"∂z1/∂W1.to_zarr({str(path)!r})"
    assert refusal(SpecError, jacobian.to_zarr, path) == (
        f"{who}: {path} is there already: 3 of 3 chunks of ∂z1/∂W1 are written.\n"
        "  Write resume=True to go on with it, or another path."
    )
    assert refusal(SpecError, jacobian.to_zarr, path, (2, 2, 5), resume=True) == (
        f"{who}: {path} holds another Jacobian.\n"
        "  chunks there: [3, 3, 5]\n  chunks here:  [2, 2, 5]\n"
        "  Write chunks=(3, 3, 5), or another path."
    )
    jacobian.to_zarr(path, (3, 3, 5), resume=True)
    other = dense_run().jacobian("z1", "W1")
    assert refusal(SpecError, other.to_zarr, path, resume=True) == (
        f"{who}: {path} holds another Jacobian.\n"
        "  shape there: [7, 7, 5]\n  shape here:  [5, 7, 7, 5]\n  Write another path."
    )
    net = Network.dense([5, 7], seed=1)
    moved = net.run(np.arange(5) / 7 - 0.3000001, np.ones(7)).jacobian("z1", "W1")
    assert refusal(SpecError, moved.to_zarr, path, resume=True) == (
        f"{who}: {path} holds ∂z1/∂W1 of other numbers: the data or the parameters were not "
        "these.\n  Go on with those it was begun with, or write another path."
    )
    assert np.array_equal(opened(path)[0], jacobian.materialise())
    jacobian.to_zarr(tmp_path / "other.zarr")


def test_a_foreign_store_a_file_and_a_missing_folder_are_refused_unchanged(tmp_path, jacobian):
    foreign = zarr.open_group(tmp_path / "foreign.zarr", mode="w")
    foreign.create_array("jacobian", shape=(3,), dtype="f8")
    (tmp_path / "text").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    for name in ("foreign.zarr", "text", "folder"):
        path = tmp_path / name
        for resume in (False, True):
            assert refusal(SpecError, jacobian.to_zarr, path, resume=resume) == (
                f"∂z1/∂W1.to_zarr({str(path)!r}): {path} is there already, and no store of a "
                "Jacobian.\n  Nothing in it was changed: write another path."
            )
    assert (tmp_path / "text").read_text() == "mine"
    assert [f.name for f in (tmp_path / "folder").iterdir()] == ["mine.txt"]
    assert zarr.open_group(tmp_path / "foreign.zarr", mode="r")["jacobian"].shape == (3,)
    path = tmp_path / "no" / "z.zarr"
    assert refusal(SpecError, jacobian.to_zarr, path) == (
        f"∂z1/∂W1.to_zarr({str(path)!r}): there is no folder {tmp_path / 'no'}.\n"
        "  Make it, or write another path."
    )


def test_what_is_no_path_and_a_folder_that_takes_no_files_are_refused(jacobian):
    for path in (5, None, "", b"a.zarr"):
        assert refusal(SpecError, jacobian.to_zarr, path) == (
            f"∂z1/∂W1.to_zarr: the path is {path!r}.\n"
            "  Write the name of a folder that is to be made, such as 'jacobian.zarr'."
        )
    if os.path.isdir("/proc"):
        assert refusal(SpecError, jacobian.to_zarr, "/proc/z.zarr") == (
            "∂z1/∂W1.to_zarr('/proc/z.zarr'): it cannot be made: No such file or directory.\n"
            "  Choose another folder."
        )


def test_a_full_disk_is_said_with_what_is_written(tmp_path, jacobian, monkeypatch):
    path, write, count = tmp_path / "z.zarr", zarr_store.write, [0]

    def full(*arguments):
        count[0] += 1
        if count[0] == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(*arguments)

    monkeypatch.setattr(zarr_store, "write", full)
    assert refusal(SpecError, jacobian.to_zarr, path, (1, 1, 5)) == (
        f"∂z1/∂W1.to_zarr({str(path)!r}): OSError: No space left on device.\n"
        "  2 of 7 chunks are written, and can be read; "
        f"to_zarr({str(path)!r}, resume=True) goes on."
    )
    jacobian.to_zarr(path, resume=True)
    assert np.array_equal(opened(path)[0], jacobian.materialise())


def test_a_chunk_that_does_not_fit_is_refused_and_the_way_out_works(tmp_path, jacobian):
    with memory_limit(1000):
        assert refusal(DomainError, jacobian.to_zarr, tmp_path / "z.zarr", (7, 7, 5)) == (
            "∂z1/∂W1: a chunk of shape (7, 7, 5) takes 1.9 KiB, and 3 times that to be written; "
            'the limit is 1000 bytes.\n  Write smaller chunks, or chunks="auto".'
        )
        jacobian.to_zarr(tmp_path / "z.zarr")
    assert np.array_equal(opened(tmp_path / "z.zarr")[0], jacobian.materialise())


def test_dask_writes_the_same_store(tmp_path):
    pytest.importorskip("dask", reason="dask is an extra")
    run = dense_run()
    jacobian = run.jacobian("a2", run.params)
    for engine in ("numpy", "dask"):
        jacobian.to_zarr(tmp_path / engine, 5000, engine=engine)
    one, other = (opened(tmp_path / engine) for engine in ("numpy", "dask"))
    assert one[0].tobytes() == other[0].tobytes()
    assert np.array_equal(one[1], other[1])


def test_numbers_are_known_again_to_rounding_and_not_beyond():
    array = RNG.normal(size=(50, 7))
    here = np.array(traits_of([array]))
    again = np.array(traits_of([array * (1 + 2**-52)]))
    other = array.copy()
    other[31, 2] += 1e-4
    scale = zarr_store.SAME * here[1]
    assert (np.abs(here - again) <= scale).all()
    assert (np.abs(here - traits_of([other])) > scale).any()
    swapped = array[::-1]
    assert (np.abs(here - traits_of([swapped])) > scale).any()


@pytest.mark.full
def test_the_memory_of_a_large_store_stays_within_the_limit(tmp_path):
    """A tenth of 4,096 rows of 784-128-10, whose Jacobian is 33 GB."""
    script = """
import sys
import numpy as np
import zarr
from jacobian_bp import Network, memory_limit
def status(what):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(what))
net = Network.dense([784, 128, 10], "relu", seed=0)
x = np.random.default_rng(0).normal(size=(410, 784))
start = status("VmRSS")
with memory_limit("256MiB"):
    net.jacobian_over({"x": x}, "a2", net.params).to_zarr(sys.argv[1])
more = (status("VmHWM") - start) / 2**10
print(f"{more:.0f} MiB beyond the start")
assert more <= 1.15 * 256, more
rows = zarr.open_group(sys.argv[1], mode="r")["jacobian"]
whole = net.run(x[400:403]).jacobian("a2", net.params).materialise()
assert rows.shape == (410, 10, 101770)
assert np.allclose(rows[400:403], whole, rtol=1e-12, atol=1e-14)
"""
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "z.zarr")], check=True, timeout=600
    )


def test_a_cut_along_an_axis_of_rows_only_is_asked_of_a_stacked_one():
    run = dense_run()
    stacked = run.jacobian("a2", run.params)
    assert refusal(AxisError, stacked.to_dask, (2, 3, 11)) == (
        "∂a2/∂(W1, b1, W2, b2).to_dask: entries is not cut here: it has 66, and chunks says 11.\n"
        "  Write chunks=(2, 3, 66), or take one variable: run.jacobian('a2', 'W1') is cut "
        "along all axes."
    )
    assert stacked.in_chunks((2, 3, 66), "").grid == (3, 1, 1)
    assert refusal(DomainError, stacked.to_dask, 100) == (
        "∂a2/∂(W1, b1, W2, b2).to_dask: rows of shape (1, 3, 66), the fewest, take 1.5 KiB.\n"
        "  Write chunks=1584, or ask for fewer variables at once, such as W1 alone."
    )
    assert stacked.in_chunks(1584, "").grid == (5, 1, 1)
    with memory_limit(1000):
        assert refusal(DomainError, stacked.in_chunks, "auto", "here") == (
            "here: rows of shape (1, 3, 66), the fewest, take 1.5 KiB.\n"
            "  Ask for fewer variables at once, such as W1 alone."
        )
        assert run.jacobian("a2", ["b1"]).in_chunks("auto", "here").grid[0] > 1
