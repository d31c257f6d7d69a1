"""Chunks written to a zarr store one after another; which of them are written stands in the store.

    jacobian   the array, its axes by their names; what is not stored reads as 0
    done       for each chunk: 0 to do, 1 written, 2 structurally zero and never stored

A chunk is on record only when it is written whole. So whatever ends the work, the store can be
read, and the work goes on where it ended.
"""

import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DomainError, SpecError
from ..numbers.extras import extra
from ..numbers.memory import format_bytes
from ..version import __version__
from ..writing import terminal
from ..writing.signs import dims, plural, safe
from .chunked import COPIES, Chunked, Make, Place

MARK = "jacobian_bp"  # the attribute by which a store is known as one of these
TO_DO, WRITTEN, ZERO = 0, 1, 2
FLAGS = 2**14  # of the record in one chunk of its own
SAME = 1e-9  # of the sums by which numbers are known again


class Store:
    """A store that is being filled."""

    def __init__(self, chunked: Chunked, path: Path, who: str, zarr: Any) -> None:
        self.chunked, self.path, self.who, self.zarr = chunked, path, who, zarr

    def require(self, resume: bool) -> bool:
        """Whether there is a store to go on with. SpecError for what may not be written to."""
        if not self.path.exists():
            if not self.path.absolute().parent.is_dir():
                raise SpecError(
                    f"{self.who}: there is no folder {safe(str(self.path.absolute().parent))}.\n"
                    "  Make it, or write another path."
                )
            return False
        if self.path.is_dir() and not any(self.path.iterdir()):
            return False
        mark = self.mark()
        if mark is None:
            raise SpecError(
                f"{self.who}: {safe(str(self.path))} is there already, and no store of a "
                "Jacobian.\n  Nothing in it was changed: write another path."
            )
        if not resume:
            done = self.record()
            count, total = int((done == WRITTEN).sum()), int((done != ZERO).sum())
            raise SpecError(
                f"{self.who}: {safe(str(self.path))} is there already: {count:,} of {total:,} "
                f"chunks of {mark['name']} are written.\n"
                "  Write resume=True to go on with it, or another path."
            )
        self._require_same(mark)
        return True

    def mark(self) -> dict[str, Any] | None:
        """What the store says of itself; None for another one."""
        try:
            found = self.zarr.open_group(self.path, mode="r").attrs.get(MARK)
        except Exception:  # whatever zarr says of a folder that is none of its own
            return None
        return found if isinstance(found, dict) else None

    def _require_same(self, mark: dict[str, Any]) -> None:
        """SpecError, with both witnesses, where the store holds another array."""
        mine = self.said()
        for what in ("name", "shape", "dtype", "formula", "chunks"):
            if mark.get(what) != mine[what]:
                way_out = "Write another path."
                if what == "chunks":
                    way_out = f"Write chunks={tuple(mark['chunks'])}, or another path."
                raise SpecError(
                    f"{self.who}: {safe(str(self.path))} holds another Jacobian.\n"
                    f"  {what} there: {safe(str(mark.get(what))[:200])}\n"
                    f"  {what} here:  {safe(str(mine[what])[:200])}\n  {way_out}"
                )
        there, here = np.array(mark["traits"]), np.array(mine["traits"])
        scale = np.repeat(here[1::3], 3) if len(here) else here
        if there.shape != here.shape or (np.abs(there - here) > SAME * scale).any():
            raise SpecError(
                f"{self.who}: {safe(str(self.path))} holds {mine['name']} of other numbers: the "
                "data or the parameters were not these.\n"
                "  Go on with those it was begun with, or write another path."
            )

    def said(self) -> dict[str, Any]:
        """What the store says of itself."""
        chunked = self.chunked
        return {
            "name": chunked.name,
            "formula": chunked.formula,
            "shape": list(chunked.shape),
            "dtype": str(chunked.dtype),
            "chunks": list(chunked.lengths),
            "traits": chunked.traits(),
            "version": __version__,
            "done": "0 to do, 1 written, 2 structurally zero and never stored",
        }

    def begin(self, standing: list[Place]) -> None:
        """The empty store, its record last: without it nothing counts as begun."""
        chunked, group = self.chunked, self.zarr.open_group(self.path, mode="w")
        group.create_array(
            "jacobian",
            shape=chunked.shape,
            chunks=chunked.lengths,
            dtype=chunked.dtype,
            fill_value=0,
            dimension_names=chunked.axes,
        )
        flags = np.full(chunked.grid, ZERO, np.uint8)
        for place in standing:
            flags[place] = TO_DO
        record = group.create_array(
            "done",
            shape=chunked.grid,
            chunks=_small(chunked.grid),
            dtype="uint8",
            fill_value=TO_DO,
            dimension_names=tuple(f"chunks of {axis}" for axis in chunked.axes),
        )
        record[...] = flags
        group.attrs[MARK] = self.said()

    def record(self) -> np.ndarray:
        """The flag of every chunk."""
        return np.asarray(self.zarr.open_group(self.path, mode="r")["done"][...])

    def written(self, place: Place) -> None:
        """Put on record that a chunk is there."""
        record = self.zarr.open_group(self.path, mode="r+")["done"]
        record[place] = WRITTEN


def _small(grid: Place) -> tuple[int, ...]:
    """The lengths of the record's own chunks, of at most FLAGS flags."""
    lengths, room = [], FLAGS
    for size in reversed(grid):
        lengths.append(max(1, min(size, room)))
        room = max(1, room // lengths[-1])
    return tuple(reversed(lengths))


def _who(chunked: Chunked, path: Any) -> str:
    """How the call is named. SpecError for what is no path."""
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise SpecError(
            f"{chunked.name}.to_zarr: the path is {safe(repr(path)[:60])}.\n"
            "  Write the name of a folder that is to be made, such as 'jacobian.zarr'."
        )
    return f"{chunked.name}.to_zarr({safe(repr(os.fspath(path)))})"


def stored_chunks(path: str | os.PathLike[str], chunked: Chunked) -> tuple[int, ...]:
    """The lengths of the chunks of a store of this array; else those it has here."""
    who = _who(chunked, path)
    mark = Store(chunked, Path(path), who, extra("zarr", who)).mark() or {}
    said = tuple(mark.get("chunks") or ())
    alike = mark.get("shape") == list(chunked.shape) and len(said) == len(chunked.lengths)
    return said if alike else chunked.lengths


def to_zarr(
    chunked: Chunked, path: str | os.PathLike[str], resume: bool = False, engine: str = "numpy"
) -> Path:
    """Write every chunk that can have an entry other than 0; the path of the store.

    What is planned is said on standard error before anything runs.
    """
    who = _who(chunked, path)
    store = Store(chunked, Path(path), who, extra("zarr", who))
    goes_on = store.require(resume)
    standing = [place for place, _ in chunked.made()]
    at_once = _workers(who) if engine == "dask" else 1
    done = set()
    if goes_on:
        done = {tuple(map(int, at)) for at in np.argwhere(store.record() == WRITTEN)}
    terminal.fail("\n".join(plan(chunked, len(standing), len(done), at_once, store.path)))
    if not goes_on:
        try:
            store.begin(standing)
        except OSError as error:
            raise SpecError(
                f"{who}: it cannot be made: {error.strerror or error}.\n  Choose another folder."
            ) from None
    count = len(done)
    try:
        with terminal.progress(f"{chunked.name}, chunks") as report:
            for place in _written(store, done, engine, at_once):
                store.written(place)
                count += 1
                if report:
                    report(count, len(standing))
    except KeyboardInterrupt:
        terminal.fail(f"{_so_far(store.path, count, len(standing))}")
        raise
    except OSError as error:
        raise SpecError(
            f"{who}: {type(error).__name__}: {error.strerror or error}.\n"
            f"  {_so_far(store.path, count, len(standing))}"
        ) from None
    return store.path


def _so_far(path: Path, count: int, total: int) -> str:
    return (
        f"{count:,} of {total:,} chunks are written, and can be read; "
        f"to_zarr({str(path)!r}, resume=True) goes on."
    )


def plan(chunked: Chunked, standing: int, done: int, at_once: int, path: Path) -> list[str]:
    """What will be written, and what it takes."""
    zeros = chunked.count - standing
    peak = chunked.held + at_once * COPIES * chunked.chunk_bytes
    left = f", {plural(zeros, 'chunk')} of structural zeros not made" if zeros else ""
    there = f"; {done:,} of them are there" if done else ""
    share = f"{format_bytes(chunked.held)}, and {COPIES} times a chunk"
    share += f" for each of {at_once} workers" if at_once > 1 else ""
    return [
        f"{chunked.name}, shape {dims(chunked.shape)}, {format_bytes(chunked.nbytes)}, to {path}",
        f"  chunks  {standing:,} of shape {dims(chunked.lengths)}{there}{left}",
        f"  bytes   {format_bytes(chunked.chunk_bytes)} a chunk, at most "
        f"{format_bytes(min(chunked.nbytes, standing * chunked.chunk_bytes))} before compression",
        f"  peak    about {format_bytes(peak)} of memory: {share}",
    ]


def _workers(who: str) -> int:
    """How many chunks Dask makes at once: the threads of its cluster, or of this machine."""
    extra("dask", who)
    distributed = sys.modules.get("distributed")  # where it is not loaded there is no cluster
    try:
        client = distributed.get_client() if distributed else None
    except ValueError:
        client = None
    return max(1, sum(client.ncores().values())) if client else os.cpu_count() or 1


def _written(store: Store, done: set[Place], engine: str, at_once: int) -> Iterator[Place]:
    """Each place when its chunk is written."""
    waiting = (pair for pair in store.chunked.made() if pair[0] not in done)
    path = str(store.path)
    if engine == "numpy":
        for place, make in waiting:
            write(path, store.chunked.slices(place), make)
            yield place
        return
    dask = extra("dask", store.who)
    given = dask.delayed(write, pure=False)
    while some := list(islice(waiting, 2 * at_once)):
        dask.compute(*(given(path, store.chunked.slices(place), make) for place, make in some))
        yield from (place for place, _ in some)


def write(path: str, slices: tuple[slice, ...], make: Make) -> None:
    """Make one chunk and write it whole."""
    group = extra("zarr", "to_zarr").open_group(path, mode="r+")
    group["jacobian"][slices] = make()


def require_largest(chunked: Chunked, limit: int) -> None:
    """DomainError where one chunk and its copies do not fit."""
    if COPIES * chunked.chunk_bytes > limit:
        raise DomainError(
            f"{chunked.name}: a chunk of shape {dims(chunked.lengths)} takes "
            f"{format_bytes(chunked.chunk_bytes)}, and {COPIES} times that to be written; the "
            f'limit is {format_bytes(limit)}.\n  Write smaller chunks, or chunks="auto".'
        )
