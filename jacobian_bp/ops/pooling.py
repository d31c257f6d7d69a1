"""Pooling: the largest entry of each window, or their mean; channels keep apart."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ..algebra.expression import Expression, delta
from ..algebra.written_positions import at
from ..errors import DomainError
from ..numbers.arrays import quiet
from .base import Op
from .kernels import windows as kernels
from .peer_functions import Functions
from .windows import Sizes, Windows, per_axis


class Pool(Op):
    """What the pools share: windows of a given width, without a kernel."""

    read: ClassVar[tuple[str, ...]]
    taps: ClassVar[tuple[str, ...]]
    places: ClassVar[tuple[str, ...]]
    example = {"width": 3}

    def __init__(self, width: Any, stride: Any = None, padding: Any = 0) -> None:
        self.width, self.stride, self.padding = width, stride, padding
        read, places = ",".join(self.read), ",".join(self.places)
        pairs = zip(self.places, self.read, self.widths, strict=True)
        sizes = "; ".join(self.windows.rule(n, o, i, w) for n, (o, i, w) in enumerate(pairs))
        self.signature = f"x[c,{read}] -> y[c,{places}]; {sizes}"

    @property
    def widths(self) -> Sizes:
        """The taps along each axis."""
        return per_axis(self.width, len(self.read), 1, f"{self.name}(width)")

    @property
    def windows(self) -> Windows:
        """How they lie; without a stride they stand side by side."""
        rank = len(self.read)
        stride = self.widths if self.stride is None else self.stride
        return Windows(
            per_axis(stride, rank, 1, f"{self.name}(stride)"),
            per_axis(self.padding, rank, 0, f"{self.name}(padding)"),
            (1,) * rank,
        )


class AveragePool(Pool):
    """What AvgPool1d and AvgPool2d share."""

    formula = "the mean of each window of x"
    reasons: Mapping[str, str] = {"x": "each entry of a window counts the same"}

    @quiet
    def forward(self, x):
        axes = tuple(range(-len(self.read), 0))
        return np.ascontiguousarray(self.windows.view(x, self.widths)).mean(axis=axes)

    def jacobians(self, x):
        found: Expression = delta("c,c'")
        for n, (i, r, o) in enumerate(zip(self.read, self.taps, self.places, strict=True)):
            equation = self.windows.position(n, f"{i}'", o, r)
            found = found * at(equation, sizes={r: self.widths[n]})
        return {"x": (1 / int(np.prod(self.widths))) * found}

    def second(self, x):
        return {}

    @quiet
    def vjp(self, y_bar, x):
        each = (y_bar / int(np.prod(self.widths)))[(..., *[None] * len(self.read))]
        parts = np.broadcast_to(each, (*y_bar.shape, *self.widths))
        return {"x": self.windows.add_back(parts, x.shape)}


class LargestPool(Pool):
    """What MaxPool1d and MaxPool2d share."""

    formula = "the largest entry of each window of x"
    reasons: Mapping[str, str] = {"x": "the largest entry of a window is passed on, no other"}
    kink = "two entries of its window are the largest; the first is taken"

    def __init__(self, width: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__(width, stride, padding)
        for reach, around in zip(self.widths, self.windows.padding, strict=True):
            if around >= reach:
                raise DomainError(
                    f"{self.name}(padding) is {padding!r}, with windows of width {width!r}: one of "
                    "padding alone has no largest entry.\n"
                    f"  Write a padding below the width, from 0 to {reach - 1}."
                )

    def forward(self, x):
        return self._entries(x).max(axis=-1)

    def jacobians(self, x):
        """Tap a[c,o] of window o: which tap it is was chosen by the values, the window was not."""
        chosen = np.unravel_index(self._chosen(x), self.widths)
        letters = ",".join(("c", *self.places))
        axes = zip(self.read, self.taps, self.places, chosen, ("a", "e"), strict=False)
        found: Expression = delta("c,c'")
        for n, (i, r, o, tap, label) in enumerate(axes):
            found = found * at(f"{r} = {label}[{letters}]", tap, here=True)
            equation = self.windows.position(n, f"{i}'", o, r)
            found = found * at(equation, sizes={r: self.widths[n]})
        return {"x": found}

    def second(self, x):
        return {}

    @quiet
    def vjp(self, y_bar, x):
        first = self._chosen(x)[..., None] == np.arange(int(np.prod(self.widths)))
        parts = np.where(first, y_bar[..., None], 0).astype(y_bar.dtype)
        return {"x": self.windows.add_back(parts.reshape(*y_bar.shape, *self.widths), x.shape)}

    def _peer(self, xp: Functions, x: Any) -> Any:
        return xp.largest_pool and xp.largest_pool(x, self.widths, self.windows)

    def branch(self, x):
        entries = self._entries(x)
        tied = (entries == entries.max(axis=-1, keepdims=True)).sum(axis=-1) > 1
        return np.where(tied, 0, 1 + entries.argmax(axis=-1))

    def _entries(self, x: np.ndarray) -> np.ndarray:
        """The entries of each window in a row; padding is never the largest."""
        view = self.windows.view(x, self.widths, -np.inf)
        return view.reshape(*view.shape[: -len(self.read)], -1)

    def _chosen(self, x: np.ndarray) -> np.ndarray:
        """The tap of the largest entry, the first of equal ones."""
        return np.asarray(self._entries(x).argmax(axis=-1))


class AvgPool1d(AveragePool):
    """The mean of each window of `width` entries.

        y[c,o] = 1/width Σ_r x[c, stride·o + r − padding]
        ∂y/∂x = 1/width δ[c,c'] Σ_r δ[i',stride·o+r−padding]

    Padding counts as zeros. Without a stride the windows stand side by side.
    """

    read, taps, places = ("i",), ("r",), ("o",)
    compiled_as = kernels.average_pool


class AvgPool2d(AveragePool):
    """The mean of each window of an image.

        y[c,o,q] = 1/(widths) Σ_r Σ_s x[c, stride·o + r − padding, stride·q + s − padding]
        ∂y/∂x = 1/(widths) δ[c,c'] Σ_r δ[i',stride·o+r−padding] Σ_s δ[j',stride·q+s−padding]

    width, stride and padding are one number, or one for each axis.
    """

    read, taps, places = ("i", "j"), ("r", "s"), ("o", "q")
    compiled_as = kernels.average_pool


class MaxPool1d(LargestPool):
    """The largest entry of each window of `width` entries.

        y[c,o] = max_r x[c, stride·o + r − padding]
        ∂y/∂x = δ[c,c'] Σ_r δ[r,a[c,o]] δ[i',stride·o+r−padding],  a[c,o] the tap of the largest

    a was chosen by the values: the other entries are zero for this input. Two equal largest
    entries are a kink; the first is taken.
    """

    read, taps, places = ("i",), ("r",), ("o",)
    compiled_as = kernels.largest_pool
    peer = LargestPool._peer


class MaxPool2d(LargestPool):
    """The largest entry of each window of an image.

        y[c,o,q] = max_r,s x[c, stride·o + r − padding, stride·q + s − padding]
        ∂y/∂x = δ[c,c'] Σ_r δ[r,a[c,o,q]] δ[i',stride·o+r−padding] Σ_s δ[s,e[c,o,q]] δ[j',…]

    width, stride and padding are one number, or one for each axis.
    """

    read, taps, places = ("i", "j"), ("r", "s"), ("o", "q")
    compiled_as = kernels.largest_pool
    peer = LargestPool._peer
