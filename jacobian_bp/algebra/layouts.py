"""One Jacobian, every convention.

    layout        ∂z/∂W, W of shape (K, I)       ∂J/∂z           ∂J/∂W
    numerator     (k, k', i')                    (K,)            (K, I)
    transposed    (k, i', k'): entry I[j=k] a_i  row (1, K)      (I, K)
    flat          (K, K·I), kron(I, aᵀ)          row (1, K)      (1, K·I)
    flat_column   (K, K·I), kron(aᵀ, I)          row (1, K)      (1, K·I)
    gradient      (k', i', k), input axes first  column (K, 1)   (K, I)

Numerator is the layout of JAX and PyTorch; transposed that of the first seed,
where a matrix argument is turned round; flat that of the second seed before it
reshapes; flat_column that of textbooks that stack columns; gradient that of
the second seed's dW and of the third seed. A batch axis stays in front of its
own example's axes in every layout; flat counts it as part of the row.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..errors import AxisError
from ..writing.signs import dims
from .axes import BATCH, Axis

LAYOUTS = ("numerator", "transposed", "flat", "flat_column", "gradient")


def require_layout(layout: str) -> None:
    """AxisError with the five names, if `layout` is none of them."""
    if layout not in LAYOUTS:
        raise AxisError(
            f"layout {layout!r} is not one of the layouts.\n  Write one of {', '.join(LAYOUTS)}."
        )


def layout_shape(layout: str, out: Sequence[Axis], wrt: Sequence[Axis]) -> tuple[int, ...]:
    """The shape in `layout` of a Jacobian with these output and variable axes."""
    return _plan(layout, tuple(out), tuple(wrt))[1]


def axis_order(layout: str, out: Sequence[Axis], wrt: Sequence[Axis]) -> list[str]:
    """The names of the axes from the slowest to the fastest, as `layout` stores them."""
    permutation, _ = _plan(layout, tuple(out), tuple(wrt))
    return [(*out, *wrt)[place].name for place in permutation]


def layout_axes(layout: str, out: Sequence[Axis], wrt: Sequence[Axis]) -> str:
    """The axes in the order in which `layout` has them; (k',i') is one axis, i' the faster.

    >>> layout_axes("flat_column", [Axis("k", 2)], [Axis("k'", 2), Axis("i'", 3)])
    "[k, (i',k')]"
    """
    names = axis_order(layout, out, wrt)
    if layout in ("flat", "flat_column"):
        parts = names[: len(out)], names[len(out) :]
        words = [p[0] if len(p) == 1 else f"({','.join(p)})" if p else "1" for p in parts]
        return f"[{', '.join(words)}]"
    if len(layout_shape(layout, out, wrt)) > len(names):  # a row or a column
        names = ["1", *names] if layout == "transposed" else [*names, "1"]
    return f"[{','.join(names)}]"


def to_layout(
    array: np.ndarray, layout: str, out: Sequence[Axis], wrt: Sequence[Axis]
) -> np.ndarray:
    """A numerator-layout array in another layout, as a new array.

    >>> out, wrt = [Axis("k", 2)], [Axis("k'", 2), Axis("i'", 3)]
    >>> tensor = np.arange(12.0).reshape(2, 2, 3)
    >>> to_layout(tensor, "transposed", out, wrt).shape, to_layout(tensor, "flat", out, wrt).shape
    ((2, 3, 2), (2, 6))
    """
    permutation, shape = _plan(layout, tuple(out), tuple(wrt))
    _require_shape(array, tuple(a.size for a in (*out, *wrt)), "numerator")
    return np.array(array.transpose(permutation).reshape(shape), order="C", copy=True)


def from_layout(
    array: np.ndarray, layout: str, out: Sequence[Axis], wrt: Sequence[Axis]
) -> np.ndarray:
    """An array in `layout` back in numerator layout, as a new array."""
    permutation, shape = _plan(layout, tuple(out), tuple(wrt))
    _require_shape(array, shape, layout)
    sizes = [a.size for a in (*out, *wrt)]
    turned = np.asarray(array).reshape([sizes[p] for p in permutation])
    return np.array(turned.transpose(np.argsort(permutation)), order="C", copy=True)


@lru_cache(maxsize=256)
def _plan(
    layout: str, out: tuple[Axis, ...], wrt: tuple[Axis, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where each numerator axis goes, and the final shape."""
    require_layout(layout)
    o, w = list(range(len(out))), list(range(len(out), len(out) + len(wrt)))
    sizes = [axis.size for axis in (*out, *wrt)]
    own = [p for p in w if not _is_batch((*out, *wrt)[p])]
    in_front = [p for p in w if p not in own]
    if layout == "numerator":
        order = o + w
    elif layout == "transposed":
        order = o + in_front + own[::-1]
    elif layout == "gradient":
        order = w + o
    elif layout == "flat":
        return tuple(o + w), (_size(out), _size(wrt))
    else:
        columns = _columns(out, 0) + _columns(wrt, len(out))
        return tuple(columns), (_size(out), _size(wrt))
    shape = tuple(sizes[p] for p in order)
    if not out and len(own) == len(w) == 1:  # a scalar by one example's vector
        shape = {"transposed": (1, *shape), "gradient": (*shape, 1)}.get(layout, shape)
    return tuple(order), shape


def _columns(axes: Sequence[Axis], start: int) -> list[int]:
    """Column-major order of one example's axes, the batch still in front."""
    batch = [start + p for p, axis in enumerate(axes) if _is_batch(axis)]
    return batch + [start + p for p, axis in enumerate(axes) if not _is_batch(axis)][::-1]


def _is_batch(axis: Axis) -> bool:
    return axis.name.rstrip("'") == BATCH


def _size(axes: Sequence[Axis]) -> int:
    return math.prod(axis.size for axis in axes)


def _require_shape(array: np.ndarray, shape: tuple[int, ...], layout: str) -> None:
    if np.shape(array) != shape:
        raise AxisError(
            f"the array has shape {dims(np.shape(array))}, "
            f"the Jacobian in layout {layout} has shape {dims(shape)}.\n"
            "  Name the layout that the array is in."
        )
