"""Where a kernel reads and writes, and the kernel of any op: the op itself."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...ops import Op

Call = Callable[[], object]
Kernel = tuple[Call, Call]


LINE = 64  # bytes of a cache line, and of the widest vector register


def aligned_zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros whose first entry lies on a cache line: no load takes two lines for one."""
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.zeros(size + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size].view(dtype).reshape(shape)


@dataclass(frozen=True)
class Place:
    """Where a kernel reads and writes: inputs, value, and the cotangents of each.

    The cotangent of an input that nothing needs is None.
    """

    inputs: tuple[np.ndarray, ...]
    value: np.ndarray
    bar: np.ndarray
    input_bars: tuple[np.ndarray | None, ...]

    def buffer(self) -> np.ndarray:
        """A buffer of the value's shape."""
        return aligned_zeros(self.value.shape, self.value.dtype)

    def number(self, value: float) -> np.ndarray:
        """A constant in the dtype of the step: cheaper in a call than a Python number."""
        return np.array(value, self.value.dtype)


def general(op: Op, at: Place) -> Kernel:
    """Any op: its own forward and vjp, copied into place."""
    names = [operand.name for operand in op.parsed.inputs]

    def forward() -> None:
        at.value[...] = op.forward(*at.inputs)

    def backward() -> None:
        parts = op.vjp(at.bar, *at.inputs)
        for name, bar in zip(names, at.input_bars, strict=True):
            if bar is not None:
                bar[...] = parts[name]

    return forward, backward
