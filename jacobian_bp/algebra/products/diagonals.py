"""Axes that deltas make equal, and the diagonal of an array at which they are."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..expression import Delta, Term


def leaders(term: Term, axes: Sequence[str]) -> dict[str, str]:
    """For each axis, the first axis that the term's deltas make equal to it."""
    leader = {axis: axis for axis in axes}
    for factor in term.of(Delta):
        first, second = sorted((leader[factor.left], leader[factor.right]), key=list(axes).index)
        leader = {a: first if b == second else b for a, b in leader.items()}
    return leader


def diagonal_view(array: np.ndarray, axes: Sequence[str], leader: dict[str, str]) -> np.ndarray:
    """The entries of `array` at which every axis equals its leader, as a writable view."""
    places = list(dict.fromkeys(leader[axis] for axis in axes))
    strides = dict.fromkeys(places, 0)
    extent: dict[str, int] = {}
    for axis, stride, size in zip(axes, array.strides, array.shape, strict=True):
        strides[leader[axis]] += stride
        extent[leader[axis]] = size
    shape, steps = tuple([extent[p] for p in places]), tuple([strides[p] for p in places])
    if array.flags.c_contiguous:  # as_strided gives the same, and takes ten times as long
        return np.ndarray(shape, array.dtype, array, 0, steps)
    return np.lib.stride_tricks.as_strided(array, shape, steps)


def ordered(axes: Iterable[str], kept: Sequence[str]) -> tuple[str, ...]:
    """Axes in the order in which the result has them."""
    found = set(axes)
    return tuple(axis for axis in kept if axis in found)
