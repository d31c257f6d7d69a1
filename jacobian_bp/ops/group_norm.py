"""Group normalisation: channels dealt out in groups, each with one mean and one spread."""

from collections.abc import Mapping
from copy import copy
from math import prod

import numpy as np

from ..algebra.axes import each_once
from ..algebra.expression import Expression, delta, dense, one
from ..algebra.written_positions import within
from ..errors import DomainError
from ..numbers.arrays import quiet
from ..writing.signs import rename
from .activations import between
from .base import Op, of_example, over_batch
from .spread import (
    Standardised,
    centred,
    over_spread,
    require_spread,
    scaled,
    spread_of,
    standardised,
)
from .windows import per_axis


class GroupNorm(Op):
    """Normalisation of groups of channels of an example, with a gain and a shift a channel.

        y[c,i,j] = gamma[c] x̂[c,i,j] + beta[c],  x̂ = (x − μ)/s, mean and spread over c's group
        ∂y/∂x = (gamma[c]/s) (δ[c,c'] δ[i,i'] δ[j,j'] − same[c,c'] (1 + x̂[c,i,j] x̂[c',i',j'])/D)
        ∂y/∂gamma = δ[c,c'] x̂[c,i,j],  ∂y/∂beta = δ[c,c'] for every i and j
        ∂²y/∂x² = −same[c,c'] same[c,c''] gamma[c]/(D s) (x̂'' ∂x̂/∂x' + x̂' ∂x̂/∂x'' + x̂ ∂x̂'/∂x'')
        ∂²y/∂x∂gamma = δ[c,c''] ∂x̂/∂x'

    An entry reads itself, and through mean and spread all D entries of its group: same[c,c'] is
    1 where c and c' are in one group, and groups keep apart. Channels are the first axis of an
    example, dealt out in equal parts. One group is layer normalisation with a gain a channel, a
    group for each channel instance normalisation. An example is all that stands behind the axes
    carried in front, n and those that data names; `axes` says how many of the last axes it is, as
    "c" of tokens that nobody named. Source: Wu and He, 2018. Raises DomainError where the groups
    do not divide the channels, or eps is 0 and a group has no spread.
    """

    parameters = ("gamma", "beta")
    needs_entries = True
    formula = "gamma (x − mean)/s + beta, mean and spread s over a group of channels"
    own_letters = ("s", "mean", "spread")
    reasons: Mapping[str, str] = {
        "x": "itself, and its whole group through mean and spread",
        "gamma": "gain c stretches channel c only",
        "beta": "shift c moves channel c only",
    }
    example = {"groups": 2}

    def __init__(self, groups: int, eps: float = 1e-5, axes: str | None = None) -> None:
        (self.groups,) = per_axis(groups, 1, 1, "GroupNorm(groups)")
        self.eps = between(eps, 0.0, np.inf, "GroupNorm(eps)")
        self.axes = axes
        self._read(each_once("c,i,j" if axes is None else axes, f"GroupNorm(axes={axes!r})"))

    def _read(self, letters: tuple[str, ...]) -> None:
        """Set the axes of an example; the first are the channels."""
        self.letters = letters
        axes, (channel, *self.places) = ",".join(letters), letters
        self.signature = f"x[{axes}], gamma[{channel}], beta[{channel}] -> y[{axes}]"
        self.reasons = {n: rename(why, {"c": channel}) for n, why in type(self).reasons.items()}

    def meeting_behind(self, front: int, *axes: tuple[str, ...] | None) -> Op:
        """The op for a value with these axes: an example's are those that are not in front."""
        inside = of_example(axes[0], front, len(self.letters) if self.axes else None)
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
        normal, s, larger = self._normal(x)
        channel, *places = self.letters
        own = delta(f"{channel},{channel}'")
        beside: Expression = own
        for place in places:
            beside = beside * one(place)
        return {
            "x": dense(f"(gamma/s)[{channel}]", over_spread(gamma, s, larger))
            * self._moves(normal, "", "'"),
            "gamma": own * self._at(normal, ""),
            "beta": beside,
        }

    @quiet
    def second(self, x, gamma, beta):
        normal, s, larger = self._normal(x)
        channel = self.letters[0]
        parts = self._at(normal, "''") * self._moves(normal, "", "'")
        parts = parts + self._at(normal, "'") * self._moves(normal, "", "''")
        parts = parts + self._at(normal, "") * self._moves(normal, "'", "''")
        alike = self._same(len(gamma), "", "'") * self._same(len(gamma), "", "''")
        gain = dense(
            f"(gamma/s²)[{channel}]", over_spread(over_spread(gamma, s, larger), s, larger)
        )
        slope = delta(f"{channel},{channel}''") * dense(
            f"(1/s)[{channel}]", over_spread(1, s, larger)
        )
        return {
            ("x", "x"): -self._share(x.shape) * gain * alike * parts,
            ("x", "gamma"): slope * self._moves(normal, "", "'"),
        }

    @quiet
    def vjp(self, y_bar, x, gamma, beta):
        rows = self._rows(x)
        normal, s, larger = standardised(rows, self.eps)
        gain = self._rows(np.ones_like(y_bar) * self._wide(gamma))
        bar = scaled(self._rows(y_bar), gain, s, larger)
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
        require_spread(self, rows, spread_of(centred(rows), self.eps), f"{names['x']} in groups")
        return x, gamma, beta

    def __repr__(self) -> str:
        return f"GroupNorm({self.groups}, eps={self.eps!r}, axes={self.axes!r})"

    def _rows(self, x: np.ndarray) -> np.ndarray:
        """The entries of each group in a row."""
        front = x.shape[: x.ndim - len(self.letters)]
        return np.ascontiguousarray(x).reshape(*front, self.groups, -1)

    def _normal(self, x: np.ndarray) -> Standardised:
        """x̂ in the shape of x, and s of the group of each channel."""
        normal, s, larger = standardised(self._rows(x), self.eps)
        size = x.shape[-len(self.letters)] // self.groups
        if larger is not None:
            larger = np.repeat(larger[..., 0], size, axis=-1)
        return normal.reshape(x.shape), np.repeat(s[..., 0], size, axis=-1), larger

    def _share(self, shape: tuple[int, ...]) -> float:
        """1/D, D the number of entries of a group."""
        return self.groups / prod(shape[-len(self.letters) :])

    def _at(self, normal: np.ndarray, mark: str) -> Expression:
        """x̂ at one entry."""
        return dense(f"x̂[{','.join(letter + mark for letter in self.letters)}]", normal)

    def _same(self, channels: int, of: str, by: str) -> Expression:
        """1 where the channels of two entries are in one group."""
        group = np.arange(channels) // (channels // self.groups)
        label = f"same[{self.letters[0]}{of},{self.letters[0]}{by}]"
        return within(label, table=group[:, None] == group)

    def _moves(self, normal: np.ndarray, of: str, by: str) -> Expression:
        """How x̂ at one entry moves with x at another, times s."""
        own, ones = Expression.of(), Expression.of()
        for letter in self.letters:
            own = own * delta(f"{letter}{of},{letter}{by}")
            ones = ones * one(letter + of) * one(letter + by)
        mixed = ones + self._at(normal, of) * self._at(normal, by)
        same = self._same(normal.shape[-len(self.letters)], of, by)
        return own - self._share(normal.shape) * same * mixed

    def _wide(self, of_channels: np.ndarray) -> np.ndarray:
        """One number a channel, beside its places."""
        return of_channels.reshape(-1, *[1] * len(self.places))
