"""Normalisation: by the mean and the spread of an example, of its size, or of a whole batch.

Mean and spread are functions of x: that is where −1/D and −x̂ x̂'/D come from. The entries off
the diagonal are −(1 + x̂ x̂')/D, a sum that can cancel: they are exact to the sum of its
absolute values.
"""

from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar

import numpy as np

from ..algebra.axes import BATCH
from ..algebra.expression import Expression, delta, dense, one
from ..numbers.arrays import quiet
from ..writing.signs import rename
from .activations import between
from .base import Op, over_batch
from .kernels import rows as kernels
from .spread import (
    Standardised,
    by_spread,
    centred,
    over_spread,
    require_spread,
    scaled,
    spread_of,
    standardised,
)


class LayerNorm(Op):
    """Layer normalisation of the last axis, with a gain and a shift.

        y[k] = gamma[k] x̂[k] + beta[k],  x̂ = (x − μ)/s,  s = √(mean of (x − μ)² + eps)
        ∂y/∂x = (gamma[k]/s) (δ[k,k'] − 1/D − x̂[k] x̂[k']/D),  D the number of entries
        ∂y/∂gamma = x̂[k] δ[k,k'],  ∂y/∂beta = δ[k,k']

    Entry k reads itself, hence δ[k,k']; every entry through the mean, hence 1/D; and every
    entry through the spread, hence x̂ x̂'/D. Source: Ba, Kiros and Hinton, 2016.
    Raises DomainError where eps is 0 and all entries are equal.
    """

    signature = "x[k], gamma[k], beta[k] -> y[k]"
    parameters = ("gamma", "beta")
    needs_entries = True
    formula = "gamma (x − mean)/s + beta, s = √(variance + eps)"
    own_letters = ("s", "mean", "variance")
    compiled_as = kernels.layer_norm
    reasons: Mapping[str, str] = {
        "x": "itself, and all entries through mean and spread",
        "gamma": "gain k stretches entry k only",
        "beta": "shift k moves entry k only",
    }

    def __init__(self, eps: float = 1e-5) -> None:
        self.eps = between(eps, 0.0, np.inf, f"{self.name}(eps)")

    @property
    def admits_finite(self) -> bool:
        """With eps above 0 there is always something to divide by."""
        return self.eps > 0

    @quiet
    def forward(self, x, gamma, beta):
        normal, _, _ = standardised(x, self.eps)
        return gamma * normal + beta

    @quiet
    def jacobians(self, x, gamma, beta):
        normal, s, larger = standardised(x, self.eps)
        share = 1 / x.shape[-1]
        inner = delta("k,k'") - share * one("k") * one("k'")
        inner = inner - share * dense("x̂[k]", normal) * dense("x̂[k']", normal)
        gain = dense("(gamma/s)[k]", over_spread(gamma, s, larger))
        return {
            "x": gain * inner,
            "gamma": delta("k,k'") * dense("x̂[k]", normal),
            "beta": delta("k,k'"),
        }

    @quiet
    def second(self, x, gamma, beta):
        normal, s, larger = standardised(x, self.eps)
        return _second(normal, s, larger, gamma, 1 / x.shape[-1], ("x̂", "s"), centred=True)

    @quiet
    def vjp(self, y_bar, x, gamma, beta):
        normal, s, larger = standardised(x, self.eps)
        bar = scaled(y_bar, gamma, s, larger)
        along = (bar * normal).mean(axis=-1, keepdims=True)
        return {
            "x": bar - bar.mean(axis=-1, keepdims=True) - normal * along,
            "gamma": over_batch(y_bar * normal),
            "beta": over_batch(y_bar),
        }

    def stages(self):
        lines = normalised_in_stages('over="k"', "k", "", self.eps)
        return ((*lines, "scaled = Multiply(x_hat, gamma)", "y = Add(scaled, beta)"),)

    def peer(self, xp, x, gamma, beta):
        away = x - x.mean(-1)[..., None]
        spread = (away * away).mean(-1)[..., None] + self.eps
        return gamma * (away / spread**0.5) + beta

    def admit(self, names, x, gamma, beta):
        require_spread(self, x, spread_of(centred(x), self.eps), names["x"])
        return x, gamma, beta


class RMSNorm(Op):
    """Normalisation by the root mean square of the last axis, with a gain.

        y[k] = gamma[k] u[k],  u = x/r,  r = √(mean of x² + eps)
        ∂y/∂x = (gamma[k]/r) (δ[k,k'] − u[k] u[k']/D)
        ∂y/∂gamma = u[k] δ[k,k']

    No mean is taken away, hence no 1/D. Source: Zhang and Sennrich, 2019.
    Raises DomainError where eps is 0 and all entries are 0.
    """

    signature = "x[k], gamma[k] -> y[k]"
    parameters = ("gamma",)
    needs_entries = True
    formula = "gamma u, u = x/r, r = √(mean of x² + eps)"
    own_letters = ("r", "u", "mean")
    compiled_as = kernels.rms_norm
    reasons: Mapping[str, str] = {
        "x": "itself, and all entries through their size",
        "gamma": "gain k stretches entry k only",
    }

    def __init__(self, eps: float = 1e-5) -> None:
        self.eps = between(eps, 0.0, np.inf, f"{self.name}(eps)")

    @property
    def admits_finite(self) -> bool:
        """With eps above 0 there is always something to divide by."""
        return self.eps > 0

    @quiet
    def forward(self, x, gamma):
        return gamma * by_spread(x, self.eps)[0]

    @quiet
    def jacobians(self, x, gamma):
        u, r, larger = by_spread(x, self.eps)
        inner = delta("k,k'") - (1 / x.shape[-1]) * dense("u[k]", u) * dense("u[k']", u)
        return {
            "x": dense("(gamma/r)[k]", over_spread(gamma, r, larger)) * inner,
            "gamma": delta("k,k'") * dense("u[k]", u),
        }

    @quiet
    def second(self, x, gamma):
        u, r, larger = by_spread(x, self.eps)
        return _second(u, r, larger, gamma, 1 / x.shape[-1], ("u", "r"), centred=False)

    @quiet
    def vjp(self, y_bar, x, gamma):
        u, r, larger = by_spread(x, self.eps)
        bar = scaled(y_bar, gamma, r, larger)
        along = (bar * u).mean(axis=-1, keepdims=True)
        return {"x": bar - u * along, "gamma": over_batch(y_bar * u)}

    def stages(self):
        return (
            (
                "squared = Power(x, 2)",
                'ms = Mean(squared, over="k")',
                f"ms_eps = Add(ms, {self.eps!r}, '')",
                "rms = Sqrt(ms_eps, '')",
                "inv_rms = Divide(1, rms, '')",
                "x_hat = Multiply(x, inv_rms, 'a[k], b[] -> c[k]')",
                "y = Multiply(x_hat, gamma)",
            ),
        )

    def admit(self, names, x, gamma):
        require_spread(self, x, spread_of(x, self.eps), names["x"])
        return x, gamma


class BatchNorm(Op):
    """Batch normalisation in training: each unit by its mean and spread over the examples.

        y[n,k] = gamma[k] x̂[n,k] + beta[k],  x̂ = (x − μ[k])/s[k]
        ∂y/∂x = δ[k,k'] (gamma[k]/s[k]) (δ[n,n'] − 1/N − x̂[n,k] x̂[n',k]/N)
        ∂y/∂gamma = x̂[n,k] δ[k,k'],  ∂y/∂beta = δ[k,k'] for every n

    Units keep apart, hence δ[k,k']; examples do not: each reads all others through the mean
    and the spread, hence no δ[n,n'] alone. Of images x[n,c,i,j] the channels c are the units, and
    mean and spread go over n, i and j: the unit is the axis behind n, and behind tokens t that
    data carries, x[n,t,k], whose mean and spread go over n and t. With training=False mean and
    variance are given: see GivenStatistics. Source: Ioffe and Szegedy, 2015.
    Raises DomainError where eps is 0 and a unit has one value for all examples.
    """

    parameters = ("gamma", "beta")
    needs_entries = True
    formula = "gamma (x − mean over n)/s + beta, s = √(variance over n + eps)"
    own_letters: tuple[str, ...] = ("s", "mean", "variance")
    reasons: Mapping[str, str] = {
        "x": "unit k of all examples, through mean and spread",
        "gamma": "gain k stretches unit k only",
        "beta": "shift k moves unit k only",
    }
    given: ClassVar["type[BatchNorm] | None"] = None  # with given statistics, which says so itself

    def __init_subclass__(cls, with_given: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        if with_given:
            BatchNorm.given = cls

    def __new__(cls, eps: float = 1e-5, training: bool = True) -> "BatchNorm":
        return super().__new__(cls if training or cls.given is None else cls.given)

    def __init__(self, eps: float = 1e-5, training: bool = True) -> None:
        self.eps = between(eps, 0.0, np.inf, f"{self.name}(eps)")
        self.training = bool(training)
        self._read((BATCH, "k"))

    def _read(self, letters: tuple[str, ...], place: int = 1) -> None:
        """Set the axes that it reads: examples, the units at `place`, the places of an image."""
        self.letters, self.place = letters, place
        axes, unit, mixed = ",".join(letters), letters[place], self.mixed
        self.signature = f"x[{axes}], gamma[{unit}], beta[{unit}] -> y[{axes}]"
        reasons = {n: rename(why, {"k": unit}) for n, why in type(self).reasons.items()}
        if len(mixed) > 1:
            self.formula = type(self).formula.replace("over n", f"over {','.join(mixed)}")
            what = "channel" if place + 1 < len(letters) else "unit"
            also = [f"all {','.join(letters[1:place])}"] if place > 1 else []
            where = " and ".join(["all examples", *also, *["places"] * (what == "channel")])
            reasons["x"] = f"{what} {unit} of {where}, through mean and spread"
        self.reasons = reasons

    @property
    def mixed(self) -> tuple[str, ...]:
        """The axes over which mean and spread go: all but that of the units."""
        return (*self.letters[: self.place], *self.letters[self.place + 1 :])

    def meeting(self, *axes: tuple[str, ...] | None) -> Op:
        """The op for a value with these axes: behind n the units, then the places of an image."""
        return self.meeting_behind(1, *axes)

    def meeting_behind(self, front: int, *axes: tuple[str, ...] | None) -> Op:
        """The op for a value with these axes: behind those in front the units, then the places."""
        names = axes[0]
        if names is None or names[:1] != (BATCH,) or not 0 < front < len(names) > 2:
            return self
        if (names, front) == (self.letters, self.place):
            return self
        met = copy(self)
        met._read(names, front)
        return met

    @quiet
    def forward(self, x, gamma, beta):
        normal, _, _ = self._normal(x)
        return self._wide(gamma) * normal + self._wide(beta)

    @quiet
    def jacobians(self, x, gamma, beta):
        normal, s, larger = self._normal(x)
        unit, mixed = self.letters[self.place], self.mixed
        own, axes = delta(f"{unit},{unit}'"), ",".join(self.letters)
        there = ",".join(axis if axis == unit else f"{axis}'" for axis in self.letters)
        share = len(gamma) / x.size
        same, ones, beside = Expression.of(), Expression.of(), Expression.of()
        for axis in mixed:
            same, ones = same * delta(f"{axis},{axis}'"), ones * one(axis) * one(f"{axis}'")
            beside = beside * one(axis)
        inner = same - share * ones
        inner = inner - share * dense(f"x̂[{axes}]", normal) * dense(f"x̂[{there}]", normal)
        return {
            "x": own * dense(f"(gamma/s)[{unit}]", over_spread(gamma, s, larger)) * inner,
            "gamma": own * dense(f"x̂[{axes}]", normal),
            "beta": beside * own,
        }

    @quiet
    def second(self, x, gamma, beta):
        normal, s, larger = self._normal(x)
        unit, mixed, share = self.letters[self.place], self.mixed, len(gamma) / x.size

        def there(mark: str) -> Expression:
            axes = [axis if axis == unit else axis + mark for axis in self.letters]
            return dense(f"x̂[{','.join(axes)}]", normal)

        def moves(of: str, by: str) -> Expression:
            """How x̂ at one entry moves with x at another, times s."""
            same, ones = Expression.of(), Expression.of()
            for axis in mixed:
                same = same * delta(f"{axis}{of},{axis}{by}")
                ones = ones * one(axis + of) * one(axis + by)
            return same - share * ones - share * there(of) * there(by)

        found = there("''") * moves("", "'") + there("'") * moves("", "''")
        found = found + there("") * moves("'", "''")
        twice = delta(f"{unit},{unit}'") * delta(f"{unit},{unit}''")
        return {
            ("x", "x"): -share
            * twice
            * dense(f"(gamma/s²)[{unit}]", over_spread(over_spread(gamma, s, larger), s, larger))
            * found,
            ("x", "gamma"): twice
            * dense(f"(1/s)[{unit}]", over_spread(1, s, larger))
            * moves("", "'"),
        }

    @quiet
    def vjp(self, y_bar, x, gamma, beta):
        normal, s, larger = standardised(_units(x, self.place), self.eps)
        whole = _units(y_bar, self.place)
        bar = scaled(whole, gamma[:, None], s, larger)
        along = (bar * normal).mean(axis=1, keepdims=True)
        return {
            "x": _back(bar - bar.mean(axis=1, keepdims=True) - normal * along, x.shape, self.place),
            "gamma": (whole * normal).sum(axis=1),
            "beta": whole.sum(axis=1),
        }

    def stages(self):
        unit, over = self.letters[self.place], ",".join(self.mixed)
        whole = ",".join(self.letters[self.place :])  # what is in front is carried by name
        lines = normalised_in_stages(f'over="{over}"', whole, unit, self.eps)
        wide = f"'a[{whole}], b[{unit}] -> c[{whole}]'"
        scaled, shifted = f"Multiply(x_hat, gamma, {wide})", f"Add(scaled, beta, {wide})"
        return ((*lines, f"scaled = {scaled}", f"y = {shifted}"),)

    def instead(self, names, shapes):
        """Images whose axes nobody has named."""
        if self.letters != (BATCH, "k") or len(shapes["x"]) != 4:
            return ""
        named = f"{names['x']}_image = Identity({names['x']}, 'c,i,j')"
        return f"Of images the axes are named in a step before: read {named} here."

    def admit(self, names, x, gamma, beta):
        if x.ndim == len(self.letters):
            units = _units(x, self.place)
            where = "[" + ":," * self.place + "{}" + ",:" * (x.ndim - self.place - 1) + "]"
            require_spread(self, units, spread_of(centred(units), self.eps), names["x"], where)
        return x, gamma, beta

    def __repr__(self) -> str:
        return f"BatchNorm(eps={self.eps!r}{'' if self.training else ', training=False'})"

    def _normal(self, x: np.ndarray) -> Standardised:
        """x̂ in the shape of x, and s of each unit."""
        normal, s, larger = standardised(_units(x, self.place), self.eps)
        if larger is not None:
            larger = larger[:, 0]
        return _back(normal, x.shape, self.place), s[:, 0], larger

    def _wide(self, of_units: np.ndarray) -> np.ndarray:
        """One number a unit, beside its places."""
        return of_units.reshape(-1, *[1] * (len(self.letters) - self.place - 1))


def _second(
    normal: np.ndarray,
    s: np.ndarray,
    larger: np.ndarray | None,
    gamma: np.ndarray,
    share: float,
    letters: tuple[str, str],
    centred: bool,
) -> dict[tuple[str, str], Expression]:
    """∂²y/∂x² = −(gamma[k]/(D s²)) (x̂[k''] M[k,k'] + x̂[k'] M[k,k''] + x̂[k] M[k',k'']).

    M[k,k'] is s ∂x̂[k]/∂x[k'], δ[k,k'] − 1/D − x̂[k] x̂[k']/D: the product rule on x̂ and 1/s.
    `letters` are those of the two: u and r where no mean is taken away.
    """
    hat, size = letters

    def moves(of: str, by: str) -> Expression:
        found = delta(f"{of},{by}") - share * at(of) * at(by)
        return found - share * (one(of) * one(by)) if centred else found

    def at(axis: str) -> Expression:
        return dense(f"{hat}[{axis}]", normal)

    parts = at("k''") * moves("k", "k'") + at("k'") * moves("k", "k''")
    gain = dense(f"(gamma/{size}²)[k]", over_spread(over_spread(gamma, s, larger), s, larger))
    slope = dense(f"(1/{size})[k]", np.broadcast_to(over_spread(1, s, larger), normal.shape))
    return {
        ("x", "x"): -share * gain * (parts + at("k") * moves("k'", "k''")),
        ("x", "gamma"): delta("k,k''") * slope * moves("k", "k'"),
    }


def _units(x: np.ndarray, place: int) -> np.ndarray:
    """The entries of each unit as a row: sums over them do not depend on how x is stored."""
    return np.ascontiguousarray(np.moveaxis(x, place, 0)).reshape(x.shape[place], -1)


def _back(rows: np.ndarray, shape: tuple[int, ...], place: int) -> np.ndarray:
    """The rows of `_units` in the shape that they came from."""
    moved = rows.reshape(shape[place], *shape[:place], *shape[place + 1 :])
    return np.ascontiguousarray(np.moveaxis(moved, 0, place))


def normalised_in_stages(over: str, whole: str, kept: str, eps: float) -> tuple[str, ...]:
    """x̂ of x over the axes `whole`, line by line; mean and spread have the axes `kept`."""
    wide = f"'a[{whole}], b[{kept}] -> c[{whole}]'"
    return (
        f"mu = Mean(x, {over})",
        f"xmu = Subtract(x, mu, {wide})",
        f"squared = Power(xmu, 2, '{whole}')",
        f"var = Mean(squared, {over})",
        f"var_eps = Add(var, {eps!r}, '{kept}')",
        f"std = Sqrt(var_eps, '{kept}')",
        f"ivar = Divide(1, std, '{kept}')",
        f"x_hat = Multiply(xmu, ivar, {wide})",
    )
