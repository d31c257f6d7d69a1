"""Batches as a caller gives them: an iterator of (x, y), or whole arrays that are cut into rows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..algebra.axes import BATCH
from ..errors import AxisError, DomainError, JacobianError, SpecError
from ..program.forward_pass import Pass
from ..writing.signs import dims, plural, safe, type_of

ROWS = 1024  # of arrays that are no chunks themselves
NAMES = ("x", "y")
WRITE = "Write pairs of arrays, such as [(x1, y1), (x2, y2)], or a dict of inputs for each batch."

Data = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """Arrays of as many rows each, and where they are cut; nothing of them is read yet."""

    arrays: Data
    cuts: tuple[int, ...]

    @property
    def count(self) -> int:
        return self.cuts[-1]

    def part(self, start: int, stop: int) -> Data:
        """These rows as arrays of numpy."""
        return {name: np.asarray(array[start:stop]) for name, array in self.arrays.items()}

    def __iter__(self) -> Iterator[Data]:
        return (self.part(start, stop) for start, stop in pairwise(self.cuts))


def read_batches(who: str, batches: Any) -> Rows | Iterator[Data]:
    """The batches one after another, or arrays of rows. SpecError for what is neither.

    A pair or a dict of arrays is rows, and so is one array, of x: of numpy, a memory map, zarr,
    HDF5 or Dask, whose own chunks of rows are kept.
    """
    given = dict(zip(NAMES, batches, strict=False)) if isinstance(batches, tuple) else batches
    if _is_array(batches):
        given = {NAMES[0]: batches}
    if isinstance(given, Mapping) and given and all(map(_is_array, given.values())):
        if isinstance(batches, tuple) and len(batches) > len(NAMES):
            raise SpecError(
                f"{who}: {len(batches)} arrays of rows are given; x and y have no third.\n"
                "  Write a dict of the inputs: {'x': X, 'y': Y, …}."
            )
        return _rows(who, dict(given))
    if isinstance(batches, Mapping):
        name = next((n for n, value in batches.items() if not _is_array(value)), "")
        what = f", whose {safe(name)} is {type_of(batches[name])}" if name else ""
        raise SpecError(
            f"{who}: batches is one dict{what}.\n"
            "  Put it into a list, [batch], or give an array of rows for each input."
        )
    if isinstance(batches, list) and batches and all(map(_is_array, batches)):
        raise SpecError(
            f"{who}: batches is a list of {plural(len(batches), 'array', 'arrays')}, and each "
            "would be a batch by itself.\n"
            "  Write [(x, y)] for one batch, or (x, y) for the rows of both."
        )
    if isinstance(batches, str | bytes) or not isinstance(batches, Iterable):
        raise SpecError(f"{who}: batches is {type_of(batches)}.\n  {WRITE}")
    return (_batch(who, place, batch) for place, batch in enumerate(batches))


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "__getitem__")


def _rows(who: str, arrays: Data) -> Rows:
    first, *others = arrays
    for name in (first, *others):
        if not arrays[name].shape:
            raise AxisError(f"{who}: {safe(name)} is one number, not rows.\n  {WRITE}")
    count = int(arrays[first].shape[0])
    for name in others:
        if arrays[name].shape[0] != count:
            raise AxisError(
                f"{who}: {safe(first)} and {safe(name)} have different numbers of rows.\n"
                f"  {safe(first)} has shape {dims(arrays[first].shape)}, so {count:,} rows\n"
                f"  {safe(name)} has shape {dims(arrays[name].shape)}, "
                f"so {arrays[name].shape[0]:,} rows\n"
                "  Pass the same examples in both."
            )
    chunks = getattr(arrays[first], "chunks", None)
    if is_dask(arrays[first]) and chunks:
        lengths = [int(length) for length in chunks[0] if length]
    else:
        lengths = [min(ROWS, count - start) for start in range(0, count, ROWS)]
    cuts = [0]
    for length in lengths:
        cuts.append(cuts[-1] + length)
    return Rows(arrays, tuple(cuts))


def is_dask(array: Any) -> bool:
    """Whether this is a Dask array; the package is not loaded to find out."""
    return type(array).__module__.partition(".")[0] == "dask"


def _batch(who: str, place: int, batch: Any) -> Data:
    """One batch by the names of the inputs."""
    if isinstance(batch, Mapping):
        return dict(batch)
    if isinstance(batch, tuple | list) and len(batch) == 2:
        return dict(zip(NAMES, batch, strict=True))
    if isinstance(batch, tuple) and len(batch) == 1:
        return {"x": batch[0]}
    count = f" of {len(batch)}" if isinstance(batch, tuple | list) else ""
    raise SpecError(f"{who}: batch {place} is {type_of(batch)}{count}.\n  {WRITE}")


class InBatch:
    """Inside the block an error says in which batch it is."""

    def __init__(self, who: str, place: int) -> None:
        self.who, self.place = who, place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, JacobianError):
            raise type(error)(f"{self.who}: batch {self.place}: {error}") from None


@dataclass(frozen=True)
class Alike:
    """What the first batch looks like; each other one has to look so."""

    who: str
    shapes: Mapping[str, tuple[int, ...]]  # of what carries examples, as it was given
    shared: Mapping[str, np.ndarray]  # what carries none

    @classmethod
    def of(cls, who: str, data: Data, state: Pass) -> "Alike":
        inputs = [name for name in state.program.inputs if name in state.values]
        carrying = [name for name in inputs if state.names[name][:1] == (BATCH,)]
        if not carrying:
            name = inputs[0] if inputs else "x"
            shape = state.values[name].shape if inputs else ()
            raise AxisError(
                f"{who}: batch 0 has no axis of examples.\n"
                f"  {safe(name)} has shape {dims(shape)}, one example\n"
                f"  Write a batch of one as {safe(name)}[None], with its labels: y[None]."
            )
        shapes = {n: np.shape(data[n]) for n in carrying if n in data}
        shared = {n: state.values[n] for n in inputs if n not in carrying}
        return cls(who, shapes, shared)

    def require(self, place: int, data: Data) -> None:
        """AxisError where the examples of a batch have other shapes than those of the first."""
        for name, shape in self.shapes.items():
            found = _shape(data.get(name))
            if found is not None and (len(found) != len(shape) or found[1:] != shape[1:]):
                raise AxisError(
                    f"{self.who}: the examples of batch {place} are not like those of batch 0.\n"
                    f"  batch 0: {safe(name)} has shape {dims(shape)}, {_examples(shape)}\n"
                    f"  batch {place}: {safe(name)} has shape {dims(found)}, {_examples(found)}\n"
                    "  Give each batch examples of one shape, their axis in front."
                )

    def pieces(self, data: Data, most: int) -> Iterator[Data]:
        """The batch in pieces of at most so many examples."""
        count = max((len(data[name]) for name in self.shapes if name in data), default=0)
        if count <= most or any(name not in data for name in self.shapes):
            yield data
            return
        for start in range(0, count, most):
            cut = {name: data[name][start : start + most] for name in self.shapes}
            yield {**data, **cut}

    def examples(self, place: int, state: Pass) -> int:
        """The number of examples. DomainError where what carries none has changed."""
        for name, array in self.shared.items():
            if not np.array_equal(state.values[name], array):
                raise DomainError(
                    f"{safe(name)} carries no axis of examples, and is not that of batch 0.\n"
                    f"  Give {safe(name)} an axis {BATCH} in front, or the same to each batch."
                )
        count = state.examples
        assert count is not None
        return count


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of an array or of rows; None where it has none, which the run says."""
    try:
        return None if value is None else np.shape(value)
    except ValueError:
        return None


def _examples(shape: tuple[int, ...]) -> str:
    if not shape:
        return "no axis of examples"
    return f"{plural(shape[0], 'example')} of shape {dims(shape[1:])}"
