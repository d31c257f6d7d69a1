"""Kernels of what reads windows: a convolution as one matrix product, pools tap by tap.

The entries of all windows are copied into a planned buffer, a row for each tap; long runs are
copied at once, as the last axis is that of the places.
"""

from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy import add, copyto, equal, maximum, multiply, subtract

from .place import Call, Calls, Place, aligned_zeros, kernel


class Read:
    """The windows of x: `view` of their entries, (…, channels, taps, places), in a padded copy.

    `load` brings x there; `add_back` adds entries of the same form to the places of x that they
    were read from, and leaves the sum in `bar`.
    """

    def __init__(
        self, windows: Any, taps: tuple[int, ...], x: np.ndarray, fill: float = 0.0
    ) -> None:
        rank, self.x = len(taps), x
        lead, sizes = x.shape[:-rank], x.shape[-rank:]
        grown = tuple(n + 2 * p for n, p in zip(sizes, windows.padding, strict=True))
        self.padded = any(windows.padding)
        self.inside: Any = (...,)
        self.inside += tuple(slice(p, p + n) for p, n in zip(windows.padding, sizes, strict=True))
        self.whole = aligned_zeros((*lead, *grown), x.dtype) if self.padded else x
        if self.padded:
            self.whole.fill(fill)
        view = windows.view_of(self.whole, taps)
        front = [*range(len(lead))]
        self.view = view.transpose(
            [
                *front,
                *(len(lead) + rank + n for n in range(rank)),
                *(len(lead) + n for n in range(rank)),
            ]
        )
        self.windows, self.taps, self.rank = windows, taps, rank

    def load(self) -> None:
        """Bring x into the padded copy, where there is one."""
        if self.padded:
            copyto(self.whole[self.inside], self.x)

    def add_back(self, parts: np.ndarray, bar: np.ndarray) -> Call:
        """The call that adds `parts`, (…, taps, places), to where they were read from in `bar`."""
        whole = aligned_zeros(self.whole.shape, bar.dtype) if self.padded else bar
        view = self.windows.view_of(whole, self.taps, writeable=True)
        each = []
        for tap in product(*map(range, self.taps)):
            read: Any = (..., *[slice(None)] * self.rank, *tap)
            part: Any = (..., *tap, *[slice(None)] * self.rank)
            each.append((view[read], parts[part]))
        inner = whole[self.inside]

        def added() -> None:
            whole.fill(0)
            for place, part in each:
                add(place, part, out=place)
            if whole is not bar:
                copyto(bar, inner)

        return added


@kernel()
def convolution(op: Any, at: Place) -> Calls:
    """y = K · columns + b, the columns being the windows of x.

    Turned round, ȳ · columnsᵀ is the gradient by K; a row of ones below the columns gives that
    by b in the same product. Kᵀ · ȳ goes back to where the windows were read.
    """
    (x, K, *bias), groups = at.inputs, op.groups
    x_bar, *parameter_bars = at.input_bars
    taps, rank = K.shape[2:], K.ndim - 2
    read = Read(op.windows, taps, x)
    lead, places = x.shape[: -rank - 1], at.value.shape[-rank:]
    count, many, entries = prod(lead), prod(places), prod(K.shape[1:])
    rows = K.reshape(groups, -1, entries)
    kernels = rows.shape[1]
    whole = aligned_zeros((count, groups, entries + len(bias), many), x.dtype)
    whole[:, :, entries:] = 1
    columns = whole[:, :, :entries]
    entry_of = columns.reshape(count, groups, K.shape[1], *taps, *places)
    windows = read.view.reshape(entry_of.shape)
    y, y_bar = (a.reshape(count, groups, kernels, many) for a in (at.value, at.bar))
    shifts = [b.reshape(groups, kernels, 1) for b in bias]

    turned = np.swapaxes(whole, -1, -2)
    shares = np.zeros((count, groups, kernels, entries + len(bias)), K.dtype)
    total = np.zeros(shares.shape[1:], K.dtype)
    each = (total[..., :entries], total[..., entries:])
    pairs = [
        (bar.reshape(part.shape), part)
        for bar, part in zip(parameter_bars, each, strict=False)
        if bar is not None
    ]
    added: Call | None = None
    if x_bar is not None:
        parts = aligned_zeros((count, groups, entries, many), x.dtype)
        added = read.add_back(parts.reshape(*lead, x.shape[-rank - 1], *taps, *places), x_bar)

    def forward() -> None:
        read.load()
        copyto(entry_of, windows)
        np.matmul(rows, columns, out=y)
        for shift in shifts:
            add(y, shift, out=y)

    def backward() -> None:
        if pairs:
            np.matmul(y_bar, turned, out=shares)
            add.reduce(shares, axis=0, out=total)
        for bar, part in pairs:
            copyto(bar, part)
        if added is not None:
            np.matmul(np.swapaxes(rows, -1, -2), y_bar, out=parts)
            added()

    return forward, backward


@kernel()
def largest_pool(op: Any, at: Place) -> Calls:
    """The largest entry of each window; its cotangent goes to the first tap that has it."""
    (x,), (x_bar,) = at.inputs, at.input_bars
    read = Read(op.windows, op.widths, x, -np.inf)
    entries, windows, each = tap_rows(op, read, at)
    rest, same = at.buffer(), np.zeros(at.value.shape, bool)
    parts, part_of, _ = tap_rows(op, read, at)
    added = None if x_bar is None else read.add_back(part_of, x_bar)

    def forward() -> None:
        read.load()
        copyto(windows, read.view)
        maximum.reduce(entries, axis=0, out=at.value)

    def backward() -> None:
        if added is None:
            return
        copyto(rest, at.bar)
        for entry, part in zip(each, parts, strict=True):
            equal(entry, at.value, out=same)
            multiply(rest, same, out=part)
            subtract(rest, part, out=rest)
        added()

    return forward, backward


@kernel()
def average_pool(op: Any, at: Place) -> Calls:
    """The mean of each window; every tap of it gets the same share of its cotangent."""
    (x,), (x_bar,) = at.inputs, at.input_bars
    read = Read(op.windows, op.widths, x)
    entries, windows, _ = tap_rows(op, read, at)
    share, part = at.number(1 / prod(op.widths)), at.buffer()
    spread = np.broadcast_to(part[(..., *[None] * read.rank)], (*part.shape, *op.widths))
    order = [*range(part.ndim - read.rank)]
    order += [*range(part.ndim, spread.ndim), *range(part.ndim - read.rank, part.ndim)]
    added = None if x_bar is None else read.add_back(spread.transpose(order), x_bar)

    def forward() -> None:
        read.load()
        copyto(windows, read.view)
        add.reduce(entries, axis=0, out=at.value)
        multiply(at.value, share, out=at.value)

    def backward() -> None:
        if added is not None:
            multiply(at.bar, share, out=part)
            added()

    return forward, backward


def tap_rows(op: Any, read: Read, at: Place) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """A buffer (taps, …, places), the same as (…, taps, places), and its rows one by one."""
    taps, rank = op.widths, read.rank
    rows = aligned_zeros((*taps, *at.value.shape), at.value.dtype)
    front = at.value.ndim - rank
    order = [*(rank + n for n in range(front)), *range(rank), *range(rank + front, rows.ndim)]
    flat = rows.reshape(-1, *at.value.shape)
    return flat, rows.transpose(order), [*flat]
