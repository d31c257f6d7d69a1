"""Convolutions: one kernel, read at every place.

The window is a delta: entry i of x is read by tap r of window o where i = stride·o + dilation·r
− padding, and by no other. Contracting it with the cotangent slides the kernel back over x,
turned round: that is the textbook's "full" convolution.
"""

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar

import numpy as np

from ..algebra.expression import Expression, delta, dense, one
from ..algebra.written_positions import at
from ..errors import DomainError
from ..numbers.arrays import quiet
from ..writing.signs import plural
from .base import Op, on_demand
from .kernels import windows as kernels
from .peer_functions import Functions
from .runs import by_kernels, by_x, runs_of
from .windows import Windows, per_axis


class Convolution(Op):
    """What Conv1d and Conv2d share; each says its axes.

    With groups, the channels are dealt out in equal parts, and kernel d reads those of its own
    part alone: entry e of the kernel is channel `channel[d,e]` of x.
    """

    parameters = ("K", "b")
    needs_entries = True
    formula = "the windows of x times K + b"
    reasons: Mapping[str, str] = {
        "x": "tap r of window o reads one entry, weighted by the kernel",
        "K": "one kernel, used at every place o",
        "b": "each output channel has its own bias, at every place",
    }
    read: ClassVar[tuple[str, ...]]  # axes of x along which windows lie
    taps: ClassVar[tuple[str, ...]]
    places: ClassVar[tuple[str, ...]]

    def __init__(
        self, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
    ) -> None:
        self.stride, self.padding, self.dilation = stride, padding, dilation
        (self.groups,) = per_axis(groups, 1, 1, f"{self.name}(groups)")
        inner = "e" if self.groups > 1 else "c"
        read, taps, places = map(",".join, (self.read, self.taps, self.places))
        sizes = "; ".join(
            self.windows.rule(n, o, i, r)
            for n, (o, i, r) in enumerate(zip(self.places, self.read, self.taps, strict=True))
        )
        self.signature = f"x[c,{read}], K[d,{inner},{taps}], b[d]? -> y[d,{places}]; {sizes}"

    @property
    def windows(self) -> Windows:
        """How they lie, as the options say."""
        rank, who = len(self.read), self.name
        return Windows(
            per_axis(self.stride, rank, 1, f"{who}(stride)"),
            per_axis(self.padding, rank, 0, f"{who}(padding)"),
            per_axis(self.dilation, rank, 1, f"{who}(dilation)"),
        )

    @quiet
    def forward(self, x, K, b=None):
        columns = self._columns(x, K)
        y = np.matmul(self._rows(K), columns)
        y = y.reshape(*x.shape[: -len(self.read) - 1], len(K), *self._sizes(x, K))
        return y if b is None else y + b.reshape(-1, *[1] * len(self.read))

    def jacobians(self, x, K, b=None):
        taps = [f"{r}'" for r in self.taps]
        by_x = self._window([f"{i}'" for i in self.read], self.taps, K.shape[2:])
        by_K = delta("d,d'") * dense(f"x[{self._inside(chr(39))},{','.join(self.read)}]", x)
        letters = ",".join(self.taps)
        if self.groups == 1:
            by_x = dense(f"K[d,c',{letters}]", K) * by_x
        else:
            channel, inner = channel_table(K, self.groups), {"e": K.shape[1]}
            by_x = (
                dense(f"K[d,e,{letters}]", K) * at("c' = channel[d,e]", channel, sizes=inner) * by_x
            )
            by_K = by_K * at("c = channel[d',e']", channel)
        by_b: Expression = delta("d,d'")
        for place in self.places:
            by_b = by_b * one(place)
        by_K = by_K * self._window(self.read, taps, ())
        return {"x": by_x, "K": by_K} | ({} if b is None else {"b": by_b})

    def second(self, x, K, b=None):
        taps = [f"{r}'" for r in self.taps]
        found = delta("d,d'") * self._window([f"{i}'" for i in self.read], taps, ())
        if self.groups == 1:
            return {("x", "K"): delta("c',c''") * found}
        return {("x", "K"): at("c' = channel[d',e']", channel_table(K, self.groups)) * found}

    @quiet
    @on_demand
    def vjp(self, y_bar, x, K, b=None):
        places = y_bar.shape[-len(self.read) :]
        return {
            "x": lambda: self.by_x(y_bar, K, x.shape),
            "K": lambda: self.by_kernel(y_bar, x, K),
            "b": lambda: y_bar.reshape(-1, len(K), prod(places)).sum(axis=(0, 2)),
        }

    def instead(self, names, shapes):
        """Channels that stand last, a kernel in another order, and one kernel a channel."""
        (x, K), rank = (shapes["x"], shapes["K"]), len(self.read)
        if len(K) != rank + 2 or len(x) < rank:
            return ""
        if len(x) == rank:
            return f"It is one channel: pass {names['x']}[None]." if K[1] == 1 else ""
        channels, inner = x[-rank - 1], self.groups * K[1]
        if channels == inner:
            return ""
        if x[-1] == inner:
            moved = f"np.moveaxis({names['x']}, -1, {-rank - 1})"
            return f"{names['x']} looks to have its channels last: pass {moved}."
        if self.groups == 1 and K[1] and channels % K[1] == 0 == K[0] % (channels // K[1]):
            parts = channels // K[1]
            return (
                f"A kernel reads {plural(K[1], 'channel')}: with groups={parts} each reads its own "
                f"part of the {channels} channels of {names['x']}."
            )
        is_square = len(set(K[2:])) == 1 < len(set(K[:rank]))  # as kernels are, their taps last
        if K[-2] == channels and not is_square:
            order = (rank + 1, rank, *range(rank))
            return (
                f"{names['K']} looks to have its channels and kernels last: "
                f"pass {names['K']}.transpose{order}."
            )
        return ""

    def admit(self, names, x, K, b=None):
        channels = x.shape[-len(self.read) - 1]
        if self.groups > 1 and (channels != self.groups * K.shape[1] or len(K) % self.groups):
            raise DomainError(
                f"{self.name}: {self.groups} groups do not fit.\n"
                f"  {names['x']} has {channels} channels, {names['K']} reads {K.shape[1]} each in "
                f"{len(K)} kernels\n"
                f"  Let {names['x']} have groups · {K.shape[1]} channels, and the number of "
                "kernels be a multiple of groups."
            )
        return (x, K) if b is None else (x, K, b)

    def _peer(self, xp: Functions, x: Any, K: Any, b: Any = None) -> Any:
        if xp.convolve is None:
            return None
        y = xp.convolve(x, K, self.windows, self.groups)
        return y if b is None else y + b.reshape(-1, *[1] * len(self.read))

    def by_x(self, y_bar: np.ndarray, K: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Kᵀ ȳ, added up where the windows of an x of this shape were read."""
        rank, windows = len(self.read), self.windows
        runs = runs_of(windows, shape[-rank:], K.shape[-rank:])
        if runs is not None:
            return by_x(runs, self._grouped(y_bar), self._kernels(K), shape)
        lead, places = shape[: -rank - 1], y_bar.shape[-rank:]
        bar = y_bar.reshape(*lead, self.groups, len(K) // self.groups, -1)
        parts = np.matmul(np.swapaxes(self._rows(K), -1, -2), bar)
        parts = parts.reshape(*lead, shape[-rank - 1], *K.shape[-rank:], *places)
        order = [*range(len(lead) + 1), *(len(lead) + 1 + rank + n for n in range(rank))]
        order += [len(lead) + 1 + n for n in range(rank)]
        return windows.add_back(parts.transpose(order), shape)

    def by_kernel(self, y_bar: np.ndarray, x: np.ndarray, K: np.ndarray) -> np.ndarray:
        """ȳ times the windows of x, added up over their places and the examples."""
        rank, bar = len(self.read), self._grouped(y_bar)
        runs = runs_of(self.windows, x.shape[-rank:], K.shape[-rank:])
        if runs is not None:
            return by_kernels(runs, bar, self._grouped(x), K.shape)
        bar = bar.reshape(*bar.shape[:-rank], -1)
        by_K = np.matmul(bar, np.swapaxes(self._columns(x, K), -1, -2))
        return by_K.reshape(-1, *K.shape).sum(axis=0)

    def _grouped(self, array: np.ndarray) -> np.ndarray:
        """(…, groups, channels of a group, sizes) from (…, channels, sizes)."""
        at = array.ndim - len(self.read) - 1
        return array.reshape(*array.shape[:at], self.groups, -1, *array.shape[at + 1 :])

    def _kernels(self, K: np.ndarray) -> np.ndarray:
        """(groups, kernels of a group, channels of a group, taps)."""
        return K.reshape(self.groups, len(K) // self.groups, K.shape[1], -1)

    def _inside(self, prime: str) -> str:
        """The letter of the channel of x: c' where K has it as its own axis."""
        return f"c{prime}" if self.groups == 1 else "c"

    def _window(self, read: Any, taps: Any, sizes: tuple[int, ...]) -> Expression:
        """δ[i,2o+r−1] for each axis; `sizes` are those of taps that are summed."""
        return deltas(self.windows, read, self.places, taps, sizes)

    def _rows(self, K: np.ndarray) -> np.ndarray:
        """(groups, kernels of a group, entries of a kernel)."""
        return K.reshape(self.groups, len(K) // self.groups, -1)

    def _sizes(self, x: np.ndarray, K: np.ndarray) -> tuple[int, ...]:
        rank, w = len(self.read), self.windows
        each = zip(x.shape[-rank:], K.shape[-rank:], w.stride, w.padding, w.dilation, strict=True)
        return tuple((i + 2 * p - d * (r - 1) - 1) // s + 1 for i, r, s, p, d in each)

    def _columns(self, x: np.ndarray, K: np.ndarray) -> np.ndarray:
        """im2col: (…, groups, entries of a kernel, places)."""
        rank = len(self.read)
        view = self.windows.view(x, K.shape[-rank:])  # …, c, places, taps
        front = view.ndim - 2 * rank
        order = [*range(front), *range(front + rank, view.ndim), *range(front, front + rank)]
        places = int(np.prod(view.shape[front : front + rank]))
        return view.transpose(order).reshape(*x.shape[: -rank - 1], self.groups, -1, places)


def deltas(
    windows: Windows, inside: Any, places: Any, taps: Any, sizes: tuple[int, ...]
) -> Expression:
    """δ[i,2o+r−1] for each axis: tap r of window o lies at i; `sizes` are of taps summed over."""
    found = None
    for n, (i, o, r) in enumerate(zip(inside, places, taps, strict=True)):
        factor = at(windows.position(n, i, o, r), sizes={r: sizes[n]} if sizes else None)
        found = factor if found is None else found * factor
    assert found is not None  # a convolution has an axis
    return found


def channel_table(K: np.ndarray, groups: int) -> np.ndarray:
    """channel[d,e]: which channel kernel d has as its entry e, of the part that its group has."""
    own = np.arange(len(K)) // (len(K) // groups)
    return own[:, None] * K.shape[1] + np.arange(K.shape[1])


class Conv1d(Convolution):
    """Convolution along one axis, as cross-correlation: the kernel is not turned round.

        y[d,o] = Σ_c Σ_r K[d,c,r] x[c, stride·o + dilation·r − padding] + b[d]
        ∂y/∂x = Σ_r K[d,c',r] δ[i',stride·o+dilation·r−padding]
        ∂y/∂K = δ[d,d'] Σ_i x[c',i] δ[i,stride·o+dilation·r'−padding],  ∂y/∂b = δ[d,d'] 1[o]

    The window stands in the delta: which entry of x a tap reads. Kernel d makes channel d alone,
    hence δ[d,d']; the same K at every o, hence the sum over places in the gradient. b may be
    left out. Raises AxisError where no window fits, DomainError where groups do not.
    """

    read, taps, places = ("i",), ("r",), ("o",)
    compiled_as = kernels.convolution
    peer = Convolution._peer


class Conv2d(Convolution):
    """Convolution of images, as cross-correlation: the kernel is not turned round.

        y[d,o,q] = Σ_c Σ_r Σ_s K[d,c,r,s] x[c, stride·o+dilation·r−padding, …q…s…] + b[d]
        ∂y/∂x = Σ_r Σ_s K[d,c',r,s] δ[i',stride·o+dilation·r−padding] δ[j',stride·q+…]
        ∂y/∂K = δ[d,d'] Σ_i Σ_j x[c',i,j] δ[i,…r'…] δ[j,…s'…],  ∂y/∂b = δ[d,d'] 1[o] 1[q]

    A window is a product of two deltas, one an axis; the rest as in Conv1d. stride, padding and
    dilation are one number, or one for each axis.
    """

    read, taps, places = ("i", "j"), ("r", "s"), ("o", "q")
    compiled_as = kernels.convolution
    peer = Convolution._peer
