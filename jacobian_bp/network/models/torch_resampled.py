"""aten functions of pixels with fixed weights: interpolation, and means of unequal windows."""

from typing import Any

import numpy as np

from ...numbers.extras import extra
from .model import Node
from .torch_call import Call

ENOUGH = 8  # pixels along an axis of which nothing is asked: scaled down, some are left


def resampled(call: Call) -> list[Node]:
    """Each place is a sum of pixels with fixed weights, along one axis after another.

    PyTorch itself says them: the function of a row that is 1 at one pixel, for each pixel.
    """
    torch = extra("torch", "Network.from_torch")
    sizes = call.shape_of(0)[2:]
    matrices = [None, *(_weights(torch, call, axis, size) for axis, size in enumerate(sizes))]
    reads = [call["self" if "self" in call.given else "input"]]
    return call.one("resampled", reads, matrices=tuple(matrices))


def _weights(torch: Any, call: Call, axis: int, size: int) -> np.ndarray:
    """weights[o, i] along one axis; along the others all pixels are alike."""
    shape, others = [1] * (call.rank_of() - 2), [ENOUGH] * (call.rank_of() - 2)
    shape[axis] = others[axis] = size
    rows = torch.eye(size, dtype=torch.float64).reshape(1, size, *shape)
    rows = rows.expand(1, size, *others)
    found = call.node.target(rows, *call.node.args[1:], **call.node.kwargs).movedim(axis + 2, 2)
    return np.array(found.reshape(size, found.shape[2], -1)[:, :, 0].numpy().T)
