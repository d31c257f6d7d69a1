"""A forward pass of any size with no memory behind it: right shapes, right local Jacobians.

A small network of the same steps is run. Its values and the factors of its local
Jacobians are then replaced by arrays of the large shape that all repeat one number.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...algebra.axes import BATCH, Axis
from ...algebra.expression import Dense, Expression, Factor, Term
from ...program.forward_pass import Locals, Pass
from ...program.step import Step

Arrays = dict[int, np.ndarray]  # stand-ins, by the identity of what they stand for


def enlarged(small: Pass, width: int, batch: int | None) -> Pass:
    """The pass with `width` for every axis but that of the examples, which gets `batch`."""
    values, arrays = {}, {}
    for name, value in small.values.items():
        letters = [axis.name for axis in small.axes(name)]
        values[name] = repeated(_shape(letters, width, batch), small.dtype)
        arrays[id(_owner(value))] = values[name]
    steps = [step.active() for step in small.program.steps]
    return small.standing_for(
        values, {step.key: _local(small, step, width, batch, arrays) for step in steps}
    )


def repeated(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of this shape that repeats one number, and owns itself.

    >>> large = repeated((10**6, 10**6), np.dtype(np.float64))
    >>> large.nbytes, large.strides
    (8000000000000, (0, 0))
    """
    return np.ndarray(shape, dtype, bytes(dtype.itemsize), strides=(0,) * len(shape))


def _local(small: Pass, step: Step, width: int, batch: int | None, arrays: Arrays) -> Locals:
    def axes(old: tuple[Axis, ...]) -> tuple[Axis, ...]:
        sizes = _shape([axis.name for axis in old], width, batch)
        return tuple(Axis(axis.name, size) for axis, size in zip(old, sizes, strict=True))

    def factor(old: Factor) -> Factor:
        if not isinstance(old, Dense):
            return old
        shape = _shape(old.axes, width, batch)
        size = old.magnitude
        size = None if size is None else _stand_in(size, shape, arrays)
        return replace(old, array=_stand_in(old.array, shape, arrays), magnitude=size)

    found: Mapping[str, tuple[tuple[Axis, ...], tuple[Axis, ...], Expression]] = small.local(step)
    return {
        name: (
            axes(out),
            axes(wrt),
            Expression(
                tuple(Term(tuple(map(factor, t.factors)), t.coefficient) for t in whole.terms)
            ),
        )
        for name, (out, wrt, whole) in found.items()
    }


def _stand_in(array: np.ndarray, shape: tuple[int, ...], arrays: Arrays) -> np.ndarray:
    """One stand-in for one array: what is shared by two factors stays shared."""
    owner = _owner(array)
    known = arrays.setdefault(id(owner), repeated(shape, array.dtype))
    if known.shape == shape:
        return known
    return np.broadcast_to(known[(slice(1),) * known.ndim].reshape(()), shape)


def _shape(letters: list[str] | tuple[str, ...], width: int, batch: int | None) -> tuple[int, ...]:
    return tuple((batch or 1) if letter.rstrip("'") == BATCH else width for letter in letters)


def _owner(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
