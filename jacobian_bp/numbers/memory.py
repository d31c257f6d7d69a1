"""Bytes are predicted before anything is built.

Sizes are Python integers, which do not overflow. The limit is half
of the memory that is available, or what the environment variable
JACOBIAN_BP_MEMORY_LIMIT says (bytes, or such as 512MiB, 8GiB), or what a
`with memory_limit(...)` block says.
"""

import math
import os
import re
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np

from ..errors import DomainError, MemoryLimitError

VARIABLE = "JACOBIAN_BP_MEMORY_LIMIT"
PARTS_OF_AVAILABLE = 2  # one of them may be used
FALLBACK = 4 * 2**30
ALWAYS_THERE = 2**24  # bytes: where Python runs at all, so many can be had without asking
UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
UNITS |= {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
CGROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

_block_limit: ContextVar[int | None] = ContextVar("jacobian_bp_memory_limit", default=None)


class Meter:
    """What the arrays shown to it occupied: the most at one time, and the largest of them."""

    def __init__(self) -> None:
        self.alive_bytes = self.peak_bytes = self.largest_bytes = 0
        self.largest: tuple[str, tuple[int, ...]] = ("nothing", ())
        self._alive: set[int] = set()

    def show(self, name: str, array: np.ndarray) -> None:
        """Count an array until it dies; views of the same memory count once."""
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        if id(owner) in self._alive:
            return
        self._alive.add(id(owner))
        weakref.finalize(owner, self._let_go, id(owner), owner.nbytes).atexit = False
        self.alive_bytes += owner.nbytes
        self.peak_bytes = max(self.peak_bytes, self.alive_bytes)
        if owner.nbytes > self.largest_bytes:
            self.largest, self.largest_bytes = (name, array.shape), owner.nbytes

    def _let_go(self, key: int, count: int) -> None:
        self._alive.discard(key)
        self.alive_bytes -= count


_meter: ContextVar[Meter | None] = ContextVar("jacobian_bp_meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Inside the block, follow every array that the full route builds, from birth to death.

    >>> import numpy as np
    >>> with metered() as meter:
    ...     first = built("first", np.zeros((3, 5)))
    ...     del first
    ...     second = built("second", np.zeros((2, 7)))
    >>> meter.peak_bytes, meter.largest
    (120, ('first', (3, 5)))
    """
    meter = Meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)


def built(name: str, array: np.ndarray) -> np.ndarray:
    """The array itself, shown to the meter where one is running."""
    meter = _meter.get()
    if meter is not None:
        meter.show(name, array)
    return array


@contextmanager
def memory_limit(limit: int | str) -> Iterator[None]:
    """Inside the block, refuse any array of more than `limit` bytes.

    >>> import jacobian_bp as jb
    >>> net = jb.Network.dense([3, 4, 2], activations="tanh", loss="squared_error", seed=0)
    >>> run = net.run([1.0, 2.0, 3.0], [0.0, 1.0])
    >>> with jb.memory_limit("100 B"):
    ...     run.jacobian("z1", "W1").materialise()
    Traceback (most recent call last):
    jacobian_bp.errors.MemoryLimitError: ∂z1/∂W1 has shape (4, 4, 3): 48 entries, 384 bytes; \
the limit is 100 bytes.
      Only 1 entry in 4 can be non-zero (δ[k,k']). Use J.pull(v), or run.gradients(route="vjp"); \
for its entries J.blocks(max_bytes=…), or J.to_zarr(path).
    """
    token = _block_limit.set(parse_bytes(limit, "memory_limit"))
    try:
        yield
    finally:
        _block_limit.reset(token)


def current_limit() -> int:
    """The limit in force, in bytes: block, then environment, then available memory."""
    block = _block_limit.get()
    if block is not None:
        return block
    text = os.environ.get(VARIABLE)
    if text:
        return parse_bytes(text, VARIABLE)
    return _available() // PARTS_OF_AVAILABLE


def is_limited() -> bool:
    """Whether a block or the environment sets the limit, rather than the machine."""
    return _block_limit.get() is not None or bool(os.environ.get(VARIABLE))


def nbytes(shape: Sequence[int], itemsize: int) -> int:
    """Bytes of a dense array of this shape."""
    return math.prod(int(size) for size in shape) * itemsize


def format_bytes(count: int) -> str:
    """`count` as a reader writes it: 384 bytes, 1.5 KiB, 512.0 GiB."""
    if count < 1024:
        return f"{count} bytes"
    size, units = count / 1024, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:,.1f} {units[0]}"


def require_memory(
    who: str, shape: Sequence[int], itemsize: int, instead: str | Callable[[], str]
) -> None:
    """Raise MemoryLimitError, with the reason and the way out, if `shape` is too large.

    `instead` is the way out; a function gives it only where it is needed.
    """
    needed = nbytes(shape, itemsize)
    if needed <= ALWAYS_THERE and not is_limited():
        return
    limit = current_limit()
    if needed <= limit:
        return
    instead = instead if isinstance(instead, str) else instead()
    shown = "(" + ", ".join(str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"
    raise MemoryLimitError(
        f"{who} has shape {shown}: {math.prod(shape):,} entries, {format_bytes(needed)}; "
        f"the limit is {format_bytes(limit)}.\n  {instead}"
    )


def parse_bytes(limit: int | str, who: str) -> int:
    """A number of bytes as people write it, 8GiB; DomainError naming `who` gives another."""
    if isinstance(limit, str) and len(limit) < 40:
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", limit)
        if match and match[2].upper() in UNITS:
            return int(float(match[1]) * UNITS[match[2].upper()])
    elif isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0:
        return limit
    raise DomainError(
        f"{who}: {repr(limit)[:40]} is not a number of bytes.\n"
        "  Write a whole number such as 8000000000, or one with a unit such as '8GiB'."
    )


def _available() -> int:
    """What the machine has available, and no more than its container may have."""
    found = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    except (OSError, ValueError, IndexError):
        found.append(_half_of_physical())
    for file in CGROUP_FILES:
        try:
            found.append(int(Path(file).read_text()))
        except (OSError, ValueError):
            continue
    return min((amount for amount in found if amount > 0), default=FALLBACK)


def _half_of_physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return FALLBACK
