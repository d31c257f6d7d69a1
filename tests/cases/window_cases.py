"""Convolutions and pools once more, as nested loops; no two sizes that meet are alike."""

from itertools import product

import numpy as np

from jacobian_bp import ops


def places_of(op, sizes, taps):
    """For each window (one place an axis) and each tap: the entry that it reads, or None."""
    w = op.windows
    counts = [
        (n + 2 * p - d * (r - 1) - 1) // s + 1
        for n, r, s, p, d in zip(sizes, taps, w.stride, w.padding, w.dilation, strict=True)
    ]
    found = {}
    for place in product(*map(range, counts)):
        for tap in product(*map(range, taps)):
            at = tuple(
                s * o + d * r - p
                for o, r, s, d, p in zip(place, tap, w.stride, w.dilation, w.padding, strict=True)
            )
            inside = all(0 <= i < n for i, n in zip(at, sizes, strict=True))
            found[place, tap] = at if inside else None
    return counts, found


def convolved(op, x, K, b):
    """y and its Jacobians, one example: by_x[y's index, x's index], and so on."""
    rank = len(op.read)
    sizes, taps = x.shape[1:], K.shape[2:]
    counts, reads = places_of(op, sizes, taps)
    y = np.zeros((len(K), *counts))
    by_x, by_K = np.zeros((*y.shape, *x.shape)), np.zeros((*y.shape, *K.shape))
    share = len(K) // op.groups
    for d, e in product(range(len(K)), range(K.shape[1])):
        channel = d // share * K.shape[1] + e
        for (place, tap), at in reads.items():
            if at is not None:
                y[(d, *place)] += K[(d, e, *tap)] * x[(channel, *at)]
                by_x[(d, *place, channel, *at)] += K[(d, e, *tap)]
                by_K[(d, *place, d, e, *tap)] += x[(channel, *at)]
    by_b = np.zeros((*y.shape, len(K)))
    for d in range(len(K)):
        y[d] += b[d]
        by_b[d, ..., d] = 1
    assert y.ndim == 1 + rank
    return y, {"x": by_x, "K": by_K, "b": by_b}


def pooled(op, x):
    """y and ∂y/∂x of one example, and which entries of it a window reads."""
    counts, reads = places_of(op, x.shape[1:], op.widths)
    y = np.zeros((len(x), *counts))
    by_x, read = np.zeros((*y.shape, *x.shape)), np.zeros((*y.shape, *x.shape), bool)
    for c, place in product(range(len(x)), product(*map(range, counts))):
        entries = [at for (p, _), at in reads.items() if p == place and at is not None]
        for at in entries:
            read[(c, *place, c, *at)] = True
        if isinstance(op, ops.AvgPool1d | ops.AvgPool2d):
            share = 1 / np.prod(op.widths)
            y[(c, *place)] = share * sum(x[(c, *at)] for at in entries)
            for at in entries:
                by_x[(c, *place, c, *at)] = share
        else:
            largest = max(entries, key=lambda at: x[(c, *at)])
            y[(c, *place)] = x[(c, *largest)]
            by_x[(c, *place, c, *largest)] = 1
    return y, by_x, read


CONVOLUTIONS = [  # an op, and the shapes of x and K
    (ops.Conv1d(), (2, 7), (3, 2, 5)),
    (ops.Conv1d(stride=2, padding=1), (2, 7), (5, 2, 3)),
    (ops.Conv1d(stride=3, padding=2, dilation=2), (2, 11), (3, 2, 5)),
    (ops.Conv1d(padding=1, groups=2), (6, 5), (4, 3, 2)),
    (ops.Conv1d(stride=2, groups=3), (3, 7), (3, 1, 2)),
    (ops.Conv2d(), (2, 5, 7), (3, 2, 2, 3)),
    (ops.Conv2d(stride=(2, 1), padding=(0, 2), dilation=(1, 2)), (2, 5, 7), (3, 2, 3, 2)),
    (ops.Conv2d(stride=2, padding=1, groups=2), (4, 5, 3), (2, 2, 3, 2)),
]
POOLS = [
    (ops.AvgPool1d(2), (3, 7)),
    (ops.AvgPool1d(3, stride=2, padding=1), (2, 7)),
    (ops.AvgPool2d((2, 3), stride=1, padding=(0, 1)), (2, 5, 7)),
    (ops.MaxPool1d(2), (3, 7)),
    (ops.MaxPool1d(3, stride=1, padding=1), (2, 5)),
    (ops.MaxPool2d(3, stride=2, padding=1), (2, 5, 7)),
    (ops.MaxPool2d((2, 3), stride=1), (2, 5, 7)),
]
