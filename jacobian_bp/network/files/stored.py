"""An array in a file, as the file declares it: nothing is unpacked before it is admitted."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...errors import MemoryLimitError, SpecError
from ...numbers.memory import current_limit, format_bytes
from ...writing.signs import dims

CHUNK = 2**20
HEADER_LIMIT = 2**20
MOST_ARRAYS = 10_000
OF_WEIGHTS = "Keep the weights of the network alone."


@dataclass(frozen=True, eq=False)
class Stored:
    """One array of a file: what is declared, and how to read it."""

    shape: tuple[int, ...]
    dtype: np.dtype | None  # None: not supported, and `trouble` says why
    trouble: str
    load: Callable[[], np.ndarray]

    @property
    def nbytes(self) -> int:
        """Bytes once it is float32 or float64."""
        if self.dtype is None:
            return 0
        small = self.dtype.kind == "f" and self.dtype.itemsize <= 4
        return math.prod(self.shape) * (4 if small else 8)


def require_bytes(name: str, needed: int, instead: str = OF_WEIGHTS) -> None:
    """MemoryLimitError if the arrays of a file together are larger than the memory limit."""
    limit = current_limit()
    if needed > limit:
        raise MemoryLimitError(
            f"the arrays of {name} have {format_bytes(needed)}; the limit is "
            f"{format_bytes(limit)}.\n  {instead}"
        )


def require_size(who: str, shape: tuple[int, ...], dtype: np.dtype, there: int) -> None:
    """SpecError if a declared array does not fill the bytes that are there for it, exactly."""
    needed = math.prod(shape) * dtype.itemsize
    if needed != there:
        raise SpecError(
            f"{who} claims shape {dims(shape)} of {dtype.name}, {needed:,} bytes; "
            f"it holds {there:,}.\n  Write the file again; it is cut short or changed."
        )


def read_array(
    read: Callable[[int], bytes], shape: tuple[int, ...], dtype: np.dtype, name: str
) -> np.ndarray:
    """The next numbers of a stream, read in small pieces into an array of known size."""
    array = np.empty(shape, dtype)
    view, place = array.reshape(-1).view(np.uint8).data, 0
    while place < len(view):
        piece = read(min(CHUNK, len(view) - place))
        if not piece:
            raise damaged(name)
        view[place : place + len(piece)] = piece
        place += len(piece)
    return array


def damaged(name: str) -> SpecError:
    """The error for a file whose parts do not fit together."""
    return SpecError(
        f"{name} is damaged: a part of it is missing or changed.\n  Write the file again."
    )


def never() -> np.ndarray:
    """In place of reading what is not supported."""
    raise AssertionError("an array that is not supported is never loaded")
