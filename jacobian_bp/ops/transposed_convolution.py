"""Transposed convolutions: a convolution turned round, its windows written instead of read.

Entry i of x is written through tap r to place o = stride·i + dilation·r − padding of y, which is
where a convolution of y would have read it: the same delta, with input and output exchanged.
Forward is that convolution's vector-Jacobian product, and its own is that convolution.
"""

from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar

import numpy as np

from ..algebra.expression import Expression, delta, dense, one
from ..algebra.written_positions import at
from ..errors import DomainError
from ..numbers.arrays import quiet
from .base import Op, on_demand
from .convolution import Conv1d, Conv2d, Convolution, channel_table, deltas
from .windows import Windows, per_axis


class TransposedConvolution(Op):
    """What ConvTranspose1d and ConvTranspose2d share; each says its axes.

    With groups, the channels are dealt out in equal parts, and channel c of x writes to those of
    its own part alone: entry e of its kernel is channel `channel[c,e]` of y.
    """

    parameters = ("K", "b")
    needs_entries = True
    formula = "K times x, added up at the places of the windows, + b"
    reasons: Mapping[str, str] = {
        "x": "through tap r entry i writes to one place o, weighted by the kernel",
        "K": "one kernel, used at every entry of x",
        "b": "each output channel has its own bias, at every place",
    }
    turned: ClassVar[type[Convolution]]  # the convolution that it is the transpose of
    read: ClassVar[tuple[str, ...]]  # axes of x
    taps: ClassVar[tuple[str, ...]]
    places: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> None:
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.output_padding = output_padding
        (self.groups,) = per_axis(groups, 1, 1, f"{self.name}(groups)")
        self.signature = self._signature(", b[d]?")

    def _signature(self, bias: str) -> str:
        """The signature; with groups and no bias, d has its size from the kernels."""
        inner = "e" if self.groups > 1 else "d"
        read, taps, places = map(",".join, (self.read, self.taps, self.places))
        sizes = [] if bias or self.groups == 1 else [f"d = {self.groups}*e"]
        sizes += map(self._size_rule, range(len(self.read)))
        rules = "; ".join(sizes)
        return f"x[c,{read}], K[c,{inner},{taps}]{bias} -> y[d,{places}]; {rules}"

    def _size_rule(self, n: int) -> str:
        """o = 2*(i - 1) + 3*(r - 1) + 1 - 4, without what is 1 or 0."""
        w, i, r = self.windows, self.read[n], self.taps[n]
        s, p, d, more = w.stride[n], w.padding[n], w.dilation[n], self.more[n]
        first = f"{s}*({i} - 1)" if s != 1 else f"{i} - 1"
        reach = f"{d}*({r} - 1) + 1" if d != 1 else r
        end = f" + {more - 2 * p}" if more > 2 * p else f" - {2 * p - more}" if more < 2 * p else ""
        return f"{self.places[n]} = {first} + {reach}{end}"

    def reading(self, count):
        fewer = copy(self)
        fewer.signature = self._signature("" if count == 2 else ", b[d]?")
        return fewer

    @property
    def more(self) -> tuple[int, ...]:
        """output_padding, one number an axis."""
        return per_axis(self.output_padding, len(self.read), 0, f"{self.name}(output_padding)")

    @property
    def windows(self) -> Windows:
        """How they lie on y, as the options say."""
        rank, who = len(self.read), self.name
        return Windows(
            per_axis(self.stride, rank, 1, f"{who}(stride)"),
            per_axis(self.padding, rank, 0, f"{who}(padding)"),
            per_axis(self.dilation, rank, 1, f"{who}(dilation)"),
        )

    @quiet
    def forward(self, x, K, b=None):
        y = self._convolution.by_x(x, K, self._value_shape(x, K))
        return y if b is None else y + b.reshape(-1, *[1] * len(self.read))

    def jacobians(self, x, K, b=None):
        mine = [f"{i}'" for i in self.read]
        letters = ",".join(self.taps)
        written = self._written(mine, self.taps, K.shape[2:])
        if self.groups == 1:
            by_x = dense(f"K[c',d,{letters}]", K) * written
            by_K = delta("d,d'")
        else:
            channel = channel_table(K, self.groups)
            to_own = at("d = channel[c',e]", channel, sizes={"e": K.shape[1]})
            by_x = dense(f"K[c',e,{letters}]", K) * to_own * written
            by_K = at("d = channel[c',e']", channel)
        by_K = by_K * dense(f"x[c',{','.join(self.read)}]", x)
        by_K = by_K * self._written(self.read, [f"{r}'" for r in self.taps], ())
        by_b: Expression = delta("d,d'")
        for place in self.places:
            by_b = by_b * one(place)
        return {"x": by_x, "K": by_K} | ({} if b is None else {"b": by_b})

    def second(self, x, K, b=None):
        to_own = delta("d,d'")
        if self.groups > 1:
            to_own = at("d = channel[c',e']", channel_table(K, self.groups))
        written = self._written([f"{i}'" for i in self.read], [f"{r}'" for r in self.taps], ())
        return {("x", "K"): delta("c',c''") * to_own * written}

    @quiet
    @on_demand
    def vjp(self, y_bar, x, K, b=None):
        rank = len(self.read)
        return {
            "x": lambda: self._read_back(y_bar, x, K),
            "K": lambda: self._convolution.by_kernel(x, y_bar, K),
            "b": lambda: y_bar.sum(axis=(*range(y_bar.ndim - rank - 1), *range(-rank, 0))),
        }

    def instead(self, names, shapes):
        """Channels that stand last, kernels in the order of a convolution, one channel."""
        (x, K), rank = (shapes["x"], shapes["K"]), len(self.read)
        if len(K) != rank + 2 or len(x) < rank:
            return ""
        if len(x) == rank:
            return f"It is one channel: pass {names['x']}[None]." if K[0] == 1 else ""
        if x[-rank - 1] == K[0]:
            return ""
        if x[-1] == K[0]:
            return (
                f"{names['x']} looks to have its channels last: "
                f"pass np.moveaxis({names['x']}, -1, {-rank - 1})."
            )
        if x[-rank - 1] == K[1] and self.groups == 1:
            return (
                f"{names['K']} looks to be (outputs, inputs, taps), as a convolution has it: "
                f"pass np.swapaxes({names['K']}, 0, 1)."
            )
        return ""

    def admit(self, names, x, K, b=None):
        channels, own = len(K), K.shape[1]
        if channels % self.groups:
            raise DomainError(
                f"{self.name}: {self.groups} groups do not fit.\n"
                f"  {names['x']} has {channels} channels, and {names['K']} a kernel for each\n"
                "  Let their number be a multiple of groups."
            )
        if b is not None and len(b) != self.groups * own:
            raise DomainError(
                f"{self.name}: {names['b']} has {len(b)} entries, and the value "
                f"{self.groups * own} channels.\n"
                f"  {names['K']} makes {own} in each of {self.groups} groups\n"
                f"  Pass a bias of {self.groups * own} entries."
            )
        for o, more, s, d in zip(
            self.places, self.more, self.windows.stride, self.windows.dilation, strict=True
        ):
            if more >= max(s, d):
                raise DomainError(
                    f"{self.name}: output_padding is {more} along {o}, and the stride {s}, the "
                    f"dilation {d}.\n"
                    f"  Write at most {max(s, d) - 1}; for more zeros, a step Pad behind it."
                )
        return (x, K) if b is None else (x, K, b)

    @property
    def _convolution(self) -> Convolution:
        """The convolution that reads what this op writes."""
        return self.turned(self.stride, self.padding, self.dilation, self.groups)

    def _value_shape(self, x: np.ndarray, K: np.ndarray) -> tuple[int, ...]:
        rank, w = len(self.read), self.windows
        each = zip(
            *(x.shape[-rank:], K.shape[-rank:], w.stride, w.padding, w.dilation, self.more),
            strict=True,
        )
        sizes = (s * (i - 1) + d * (r - 1) + 1 + more - 2 * p for i, r, s, p, d, more in each)
        return (*x.shape[: -rank - 1], self.groups * K.shape[1], *sizes)

    def _read_back(self, y_bar: np.ndarray, x: np.ndarray, K: np.ndarray) -> np.ndarray:
        """The windows of ȳ times K; what output_padding adds may have one window more."""
        whole = self._convolution.forward(y_bar, K)
        inside: Any = (...,)
        inside += tuple(slice(size) for size in x.shape[-len(self.read) :])
        return np.ascontiguousarray(whole[inside])

    def _written(self, read: Any, taps: Any, sizes: tuple[int, ...]) -> Expression:
        """δ[o,2i+r−1] for each axis; `sizes` are those of taps that are summed."""
        return deltas(self.windows, self.places, read, taps, sizes)


class ConvTranspose1d(TransposedConvolution):
    """Transposed convolution along one axis: each entry of x writes a kernel into y.

        y[d,o] = Σ_c Σ_i Σ_r K[c,d,r] δ[o,stride·i+dilation·r−padding] x[c,i] + b[d]
        ∂y/∂x = Σ_r K[c',d,r] δ[o,stride·i'+dilation·r−padding]
        ∂y/∂K = δ[d,d'] Σ_i x[c',i] δ[o,stride·i+dilation·r'−padding],  ∂y/∂b = δ[d,d'] 1[o]

    The delta is that of Conv1d with the entry read and the place exchanged: ∂y/∂x here is ∂y/∂x
    there, transposed. Entry d of a kernel makes channel d alone, hence δ[d,d']. Kernels that
    overlap add up; `padding` cuts y on both sides, `output_padding` makes it longer at its end,
    where only b arrives. b may be left out. Raises AxisError where nothing of y is left,
    DomainError where groups or output_padding do not fit.

    >>> x, K = np.array([[1.0, 2.0]]), np.array([[[1.0, 10.0, 100.0]]])
    >>> ConvTranspose1d(stride=2).forward(x, K)
    array([[  1.,  10., 102.,  20., 200.]])
    """

    turned = Conv1d
    read, taps, places = ("i",), ("r",), ("o",)


class ConvTranspose2d(TransposedConvolution):
    """Transposed convolution of images: each entry of x writes a kernel into y.

        y[d,o,q] = Σ_c Σ_i Σ_j Σ_r Σ_s K[c,d,r,s] δ[o,stride·i+dilation·r−padding] δ[q,…] x[c,i,j]
                   + b[d]
        ∂y/∂x = Σ_r Σ_s K[c',d,r,s] δ[o,stride·i'+dilation·r−padding] δ[q,stride·j'+…s…]
        ∂y/∂K = δ[d,d'] Σ_i Σ_j x[c',i,j] δ[o,…r'…] δ[q,…s'…],  ∂y/∂b = δ[d,d'] 1[o] 1[q]

    A window is a product of two deltas, one an axis; the rest as in ConvTranspose1d. stride,
    padding, output_padding and dilation are one number, or one for each axis.
    """

    turned = Conv2d
    example_sizes = {"i": 11, "j": 17}
    read, taps, places = ("i", "j"), ("r", "s"), ("o", "q")
