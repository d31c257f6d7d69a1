"""An array as the chunks that it is made of: known at once, and none of them made yet."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ..errors import AxisError
from ..numbers.memory import current_limit, nbytes, parse_bytes
from ..writing.signs import dims, safe

LARGEST = 64 * 2**20  # bytes of a chunk where nobody says how many
PARTS = 8  # of the memory limit, so large is one chunk at most then: beside it stand copies of it

COPIES = 3  # of a chunk that stand at once: placed, in order, compressed

Place = tuple[int, ...]  # which chunk along each axis
Make = Callable[[], np.ndarray]  # makes one chunk wherever it is called; it can be pickled
Chunks = str | int | Sequence[int]  # "auto", bytes, or the length along each axis


@dataclass(frozen=True, eq=False)
class Chunked:
    """An array whose chunks are made when they are asked for, each by itself.

    `made` gives the place of each chunk that can have an entry other than 0, and what makes it;
    all others are structural zeros. `held` are the bytes that the makers share.
    `traits` are numbers that tell this array from another one of the same name and shape.
    """

    name: str
    formula: str
    axes: tuple[str, ...]
    out_rank: int  # so many axes are those of the output
    shape: tuple[int, ...]
    dtype: np.dtype
    lengths: tuple[int, ...]  # of a chunk along each axis
    made: Callable[[], Iterator[tuple[Place, Make]]]
    held: int
    traits: Callable[[], list[float]]

    @property
    def nbytes(self) -> int:
        return nbytes(self.shape, self.dtype.itemsize)

    @property
    def chunk_bytes(self) -> int:
        """Bytes of the largest chunk."""
        return nbytes(self.lengths, self.dtype.itemsize)

    @property
    def grid(self) -> tuple[int, ...]:
        """The number of chunks along each axis."""
        pairs = zip(self.shape, self.lengths, strict=True)
        return tuple(-(-size // length) for size, length in pairs)

    @property
    def count(self) -> int:
        """The number of all chunks, those that are structural zeros too."""
        return math.prod(self.grid)

    @property
    def pieces(self) -> tuple[tuple[int, ...], ...]:
        """The lengths of the chunks along each axis, as Dask writes them."""
        return tuple(
            tuple(min(length, size - start) for start in range(0, size, length))
            for size, length in zip(self.shape, self.lengths, strict=True)
        )

    def places(self) -> Iterator[Place]:
        """Every place of the grid."""
        return product(*map(range, self.grid))

    def slices(self, place: Place) -> tuple[slice, ...]:
        """Where the chunk lies in the whole."""
        return tuple(
            slice(p * length, min((p + 1) * length, size))
            for p, length, size in zip(place, self.lengths, self.shape, strict=True)
        )

    def chunk_shape(self, place: Place) -> tuple[int, ...]:
        return tuple(part.stop - part.start for part in self.slices(place))


def traits_of(arrays: Sequence[np.ndarray]) -> list[float]:
    """Three sums of each array: of its entries, of their sizes, and of the entries weighed.

    >>> traits_of([np.array([1.0, -2.0])])
    [-1.0, 3.0, 0.1458980337503153]
    """
    found = []
    for array in arrays:
        flat = np.asarray(array, float).reshape(-1)
        weights = (np.arange(1, len(flat) + 1) * ((1 + 5**0.5) / 2)) % 1
        found += [flat.sum(), np.abs(flat).sum(), flat @ weights]
    return [float(number) for number in found]


def chunk_entries(who: str, chunks: Chunks, itemsize: int, word: str = "chunks") -> int:
    """How many entries a chunk may have: chunks="auto", or a number of bytes."""
    if isinstance(chunks, str) and chunks == "auto":
        return max(1, min(LARGEST, current_limit() // PARTS) // itemsize)
    return max(1, parse_bytes(chunks, f"{who}({word}=…)") // itemsize)  # type: ignore[arg-type]


def given_lengths(
    who: str, chunks: Any, axes: Sequence[str], shape: Sequence[int]
) -> tuple[int, ...] | None:
    """The length along each axis where `chunks` says them; None for bytes and "auto"."""
    if isinstance(chunks, str | int) and not isinstance(chunks, bool):
        return None
    found = tuple(chunks) if isinstance(chunks, tuple | list) else ()
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in found)
    if len(found) != len(shape) or not whole:
        raise AxisError(
            f"{who}: chunks is {safe(repr(chunks)[:60])}; the axes are {', '.join(axes)}, "
            f"of shape {dims(tuple(shape))}.\n"
            f'  Write "auto", bytes such as "8MiB", or a length from 1 up for each axis, such as '
            f"{dims(tuple(shape))}."
        )
    return tuple(min(length, max(1, size)) for length, size in zip(found, shape, strict=True))
