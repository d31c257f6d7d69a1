"""Group normalisation: channels dealt out in groups, each with one mean and one spread."""

from collections.abc import Mapping
from copy import copy
from math import prod

import numpy as np

from ..algebra.axes import BATCH, parse_axes
from ..algebra.expression import Expression, delta, dense, one
from ..algebra.written_positions import within
from ..errors import DomainError
from ..numbers.arrays import quiet
from .activations import between
from .base import Op, elementwise, over_batch
from .norms import require_spread, spread_of, standardised
from .windows import per_axis


class GroupNorm(Op):
    """Normalisation of groups of channels of an example, with a gain and a shift a channel.

        y[c,i,j] = gamma[c] x̂[c,i,j] + beta[c],  x̂ = (x − μ)/s, mean and spread over c's group
        ∂y/∂x = (gamma[c]/s) (δ[c,c'] δ[i,i'] δ[j,j'] − same[c,c'] (1 + x̂[c,i,j] x̂[c',i',j'])/D)
        ∂y/∂gamma = δ[c,c'] x̂[c,i,j],  ∂y/∂beta = δ[c,c'] for every i and j

    An entry reads itself, and through mean and spread all D entries of its group: same[c,c'] is
    1 where c and c' are in one group, and groups keep apart. Channels are the first axis of an
    example, dealt out in equal parts. One group is layer normalisation with a gain a channel, a
    group for each channel instance normalisation. Source: Wu and He, 2018. Raises DomainError
    where the groups do not divide the channels, or eps is 0 and a group has no spread.
    """

    parameters = ("gamma", "beta")
    formula = "gamma (x − mean)/s + beta, mean and spread s over a group of channels"
    reasons: Mapping[str, str] = {
        "x": "itself, and its whole group through mean and spread",
        "gamma": "gain c stretches channel c only",
        "beta": "shift c moves channel c only",
    }
    example = {"groups": 2}

    def __init__(self, groups: int, eps: float = 1e-5, axes: str = "c,i,j") -> None:
        (self.groups,) = per_axis(groups, 1, 1, "GroupNorm(groups)")
        self.eps = between(eps, 0.0, np.inf, "GroupNorm(eps)")
        self.axes = axes
        self._read(parse_axes(axes, f"GroupNorm(axes={axes!r})"))

    def _read(self, letters: tuple[str, ...]) -> None:
        """Set the axes of an example; the first are the channels."""
        self.letters = letters
        axes, (channel, *self.places) = ",".join(letters), letters
        self.signature = f"x[{axes}], gamma[{channel}], beta[{channel}] -> y[{axes}]"

    def meeting(self, *axes: tuple[str, ...] | None) -> Op:
        """The op for a value with these axes: those behind n are the example's."""
        names = axes[0]
        inside = None if names is None else names[1:] if names[:1] == (BATCH,) else names
        if not inside or inside == self.letters:
            return self
        met = copy(self)
        met._read(inside)
        return met

    @quiet
    def forward(self, x, gamma, beta):
        return self._wide(gamma) * self._normal(x)[0] + self._wide(beta)

    @quiet
    def jacobians(self, x, gamma, beta):
        normal, s = self._normal(x)
        channel, *places = self.letters
        axes, primes = ",".join(self.letters), ",".join(f"{a}'" for a in self.letters)
        group = np.arange(len(gamma)) // (len(gamma) // self.groups)
        same = within(f"same[{channel},{channel}']", table=group[:, None] == group)
        share = 1 / (prod(x.shape[-len(self.letters) :]) // self.groups)
        ones: Expression = one(channel) * one(f"{channel}'")
        for place in places:
            ones = ones * one(place) * one(f"{place}'")
        mixed = ones + dense(f"x̂[{axes}]", normal) * dense(f"x̂[{primes}]", normal)
        own = delta(f"{channel},{channel}'")
        beside: Expression = own
        for place in places:
            beside = beside * one(place)
        gain = dense(f"(gamma/s)[{channel}]", gamma / s)
        return {
            "x": gain * (elementwise(axes) - share * same * mixed),
            "gamma": own * dense(f"x̂[{axes}]", normal),
            "beta": beside,
        }

    @quiet
    def vjp(self, y_bar, x, gamma, beta):
        rows = self._rows(x)
        normal, s = standardised(rows, self.eps)
        bar = self._rows(y_bar * self._wide(gamma)) / s
        along = (bar * normal).mean(axis=-1, keepdims=True)
        x_bar = bar - bar.mean(axis=-1, keepdims=True) - normal * along
        places = tuple(range(-len(self.places), 0))
        whole = normal.reshape(x.shape)
        return {
            "x": x_bar.reshape(x.shape),
            "gamma": over_batch((y_bar * whole).sum(axis=places)),
            "beta": over_batch(y_bar.sum(axis=places)),
        }

    def admit(self, names, x, gamma, beta):
        if x.ndim < len(self.letters):
            return x, gamma, beta
        channels = x.shape[-len(self.letters)]
        if channels % self.groups:
            raise DomainError(
                f"GroupNorm: {names['x']} has {channels} channels, which are not {self.groups} "
                f"equal groups.\n  Let groups divide {channels}."
            )
        rows = self._rows(x)
        centred = rows - rows.mean(axis=-1, keepdims=True)
        require_spread(self, rows, spread_of(centred, self.eps), f"{names['x']} in groups")
        return x, gamma, beta

    def __repr__(self) -> str:
        return f"GroupNorm({self.groups}, eps={self.eps!r}, axes={self.axes!r})"

    def _rows(self, x: np.ndarray) -> np.ndarray:
        """The entries of each group in a row."""
        front = x.shape[: x.ndim - len(self.letters)]
        return np.ascontiguousarray(x).reshape(*front, self.groups, -1)

    def _normal(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x̂ in the shape of x, and s of the group of each channel."""
        normal, s = standardised(self._rows(x), self.eps)
        size = x.shape[-len(self.letters)] // self.groups
        return normal.reshape(x.shape), np.repeat(s[..., 0], size, axis=-1)

    def _wide(self, of_channels: np.ndarray) -> np.ndarray:
        """One number a channel, beside its places."""
        return of_channels.reshape(-1, *[1] * len(self.places))
