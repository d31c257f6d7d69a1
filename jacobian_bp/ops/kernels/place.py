"""What a kernel is, where it reads and writes, and the kernel of any op: the op itself.

    @kernel(in_place=True)
    def double(op, at):
        (z,), (z_bar,) = at.inputs, at.input_bars
        return lambda: np.add(z, z, out=at.value), lambda: np.add(at.bar, at.bar, out=z_bar)

A kernel makes two calls without arguments, forward and backward, that read and
write arrays which stay where they are. Inside `LIMITS` its short formulas are as
accurate as the op's own stable ones; the step checks that what it reads lies inside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...numbers.arrays import for_reading

# |z| beyond which e^z, or its reciprocal, is no longer a normal number
LIMITS = {np.dtype(np.float64): 700.0, np.dtype(np.float32): 80.0}

Call = Callable[[], object]
Calls = tuple[Call, Call]

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


@dataclass(frozen=True)
class Kernel:
    """What makes the two calls of an op at a place.

    One that is `exponential` takes e^z, and holds inside LIMITS. One that is `in_place`
    may write the cotangent of its input over that of its value.
    """

    make: Callable[[Any, Place], Calls]
    exponential: bool = False
    in_place: bool = False

    def __call__(self, op: Any, at: Place) -> Calls:
        return self.make(op, at)


def kernel(
    exponential: bool = False, in_place: bool = False
) -> Callable[[Callable[[Any, Place], Calls]], Kernel]:
    """Declare a function of an op and a place to be a kernel."""
    return lambda make: Kernel(make, exponential, in_place)


def general(op: Any, at: Place) -> Calls:
    """Any op: its own forward and vjp, copied into place."""
    names = [operand.name for operand in op.parsed.inputs]
    inputs, value_bar = tuple(map(for_reading, at.inputs)), for_reading(at.bar)
    vjp = op.vjp
    if getattr(vjp, "on_demand", False):
        given = zip(names, at.input_bars, strict=True)
        vjp = partial(vjp, wanted=[name for name, bar in given if bar is not None])

    def forward() -> None:
        at.value[...] = op.forward(*inputs)

    def backward() -> None:
        parts = vjp(value_bar, *inputs)
        for name, bar in zip(names, at.input_bars, strict=True):
            if bar is not None:
                bar[...] = parts[name]

    return forward, backward


GENERAL = Kernel(general)
