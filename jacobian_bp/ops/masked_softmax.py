"""Softmax over a part of the classes: those that a mask lets stand, or those that are not later.

What has no part in the sum has a probability of exactly 0 for every input. Such zeros belong to
the value, so that what is multiplied by it keeps them: attention over what is not later has the
Jacobian of a triangle, not of a square.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..algebra.expression import Expression, delta, dense, distinct, one
from ..algebra.written_positions import within
from ..errors import DomainError
from ..numbers.arrays import entry, quiet
from ..numbers.stable import log_softmax, softmax_parts, sum_of_others
from ..writing.signs import witness
from .base import Op, elementwise_twice, over_batch
from .kernels import rows as kernels
from .labels import PROBABILITIES
from .softmax import (
    MARKS,
    AlongAxis,
    LogSoftmax,
    Softmax,
    covariance,
    first_row,
    require_live_rows,
    softmax_bend,
)


class Masked(AlongAxis):
    """What the two with a mask share: 1 where a class may have a probability, 0 where it has none.

    In a program they are called like the op without a mask, which becomes one of them.
    """

    constants = ("m",)
    reasons = {"z": "the classes that m lets stand share one sum"}
    of: type[AlongAxis]

    def __init_subclass__(cls, of: type[AlongAxis] | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if of is not None:
            cls.of, of.masked = of, cls

    def _read(self, letters: tuple[str, ...]) -> None:
        super()._read(letters)
        axes = ",".join(letters)
        self.signature = f"z[{axes}], m[{axes}] -> {self.result}[{axes}]"

    @property
    def name(self) -> str:
        return self.of.__name__

    def seen(self, z: np.ndarray, m: np.ndarray) -> np.ndarray:
        """The logits, −inf where m is 0, with the axis that the op goes along at the end."""
        return self.last(np.where(m != 0, z, -np.inf).astype(z.dtype))

    def standing(self, m: np.ndarray, prime: str = "") -> Expression:
        """m[k], or at the other class m[k']: a factor with exact zeros."""
        own, *others = self.letters
        return within(f"m[{','.join([own + prime, *others])}]", table=m)

    def standing_thrice(self, m: np.ndarray) -> Expression:
        """m[k] m[k'] m[k''], and δ for each axis behind the one that the op goes along."""
        first, second, third = (self.standing(m, mark) for mark in MARKS)
        return first * second * third * self.others_twice()

    def support(self, z, m):
        return self.standing(m)

    def admit(self, names, z, m):
        if m.ndim >= -self.place and z.ndim >= -self.place:
            require_mask(m, names["m"], self.place)
            require_live_rows(z, names["z"], self.place)
        return z, m


class MaskedSoftmax(Masked, of=Softmax):
    """Class probabilities of the classes that a mask lets stand: Softmax(z, m).

        p[k] = m[k] exp z[k] / Σ_j m[j] exp z[j]
        ∂p/∂z = m[k] m[k'] (p[k] δ[k,k'] − p[k] p[k']),  ∂²p/∂z² = m[k] m[k'] m[k''] that of Softmax

    A class with m[k] = 0 has no part in the sum, whatever its logit, hence m[k] and m[k'].
    Nothing is differentiated by m. Raises DomainError where a mask has other numbers than 0
    and 1, or leaves a row without a class.
    """

    formula = "softmax(z) where m is 1"
    compiled_as = kernels.masked_softmax
    gives = (PROBABILITIES,)

    def forward(self, z, m):
        return self.back(softmax_parts(self.seen(z, m))[0])

    def jacobians(self, z, m):
        p, rest = map(self.back, softmax_parts(self.seen(z, m)))
        diagonal = delta(self.pair) * self.here("p", p) * self.here("(1−p)", rest)
        off = distinct(self.pair) * self.here("p", p) * self.here("p", p, "'")
        return {"z": self.standing(m) * self.standing(m, "'") * self.others() * (diagonal - off)}

    @quiet
    def second(self, z, m):
        p, rest = map(self.back, softmax_parts(self.seen(z, m)))
        own, *others = self.letters
        at = [",".join([own + mark, *others]) for mark in MARKS]
        return {("z", "z"): self.standing_thrice(m) * softmax_bend(p, rest, own, at)}

    @quiet
    def vjp(self, p_bar, z, m):
        p, bar = softmax_parts(self.seen(z, m))[0], self.last(p_bar)
        back = self.back(p * (bar * sum_of_others(p) - sum_of_others(p * bar)))
        return {"z": over_batch(back, z.ndim)}


class MaskedLogSoftmax(Masked, of=LogSoftmax):
    """Logarithm of the probabilities of the classes that a mask lets stand: LogSoftmax(z, m).

        l[k] = m[k] (z[k] − log Σ_j m[j] exp z[j])
        ∂l/∂z = m[k] m[k'] (δ[k,k'] − p[k'])
        ∂²l/∂z² = −m[k] m[k'] m[k''] (p[k'] δ[k',k''] − p[k'] p[k''])

    A class with m[k] = 0 has no probability, whose logarithm is no number: l[k] is 0 there. The
    rest as in MaskedSoftmax.
    """

    formula = "log softmax(z) where m is 1"
    result = "l"

    def forward(self, z, m):
        logs = self.back(log_softmax(self.seen(z, m)))
        return np.where(m != 0, logs, 0).astype(z.dtype)

    def jacobians(self, z, m):
        p, rest = map(self.back, softmax_parts(self.seen(z, m)))
        diagonal = delta(self.pair) * self.here("(1−softmax(z))", rest)
        off = distinct(self.pair) * one(self.letters[0]) * self.here("softmax(z)", p, "'")
        return {"z": self.standing(m) * self.standing(m, "'") * self.others() * (diagonal - off)}

    @quiet
    def second(self, z, m):
        p, rest = map(self.back, softmax_parts(self.seen(z, m)))
        own, *others = self.letters
        found = one(own) * covariance(p, rest, own, others)
        return {("z", "z"): -1 * self.standing_thrice(m) * found}

    @quiet
    def vjp(self, l_bar, z, m):
        p = softmax_parts(self.seen(z, m))[0]
        bar = self.last(np.where(m != 0, l_bar, 0).astype(l_bar.dtype))
        back = self.back(bar * sum_of_others(p) - p * sum_of_others(bar))
        return {"z": over_batch(back, z.ndim)}


class CausalSoftmax(Op):
    """Softmax of each row of scores over what is not later than the row.

        P[t,u] = [u≤t] exp s[t,u] / Σ_j≤t exp s[t,j]
        ∂P/∂s = δ[t,t'] [u≤t] [u'≤t] (P[t,u] δ[u,u'] − P[t,u] P[t,u'])
        ∂²P/∂s² = δ[t,t'] δ[t,t''] [u≤t] [u'≤t] [u''≤t] that of Softmax along u

    Row t shares one sum, hence δ[t,t']; what is later has no part in it, hence [u≤t] and
    [u'≤t]. Row 0 has one position, whose share is 1 for every s: there P(1−P) is 0 for every
    input, by its factors and not by a delta, and is counted as an entry that can stand. Written
    as δ P(1−P) − (1−δ) P P', for the reason given at Softmax.
    Source: Vaswani et al., 2017.
    """

    signature = "s[t,u] -> P[t,u]"
    formula = "softmax(s) over [u≤t]"
    compiled_as = kernels.causal_softmax
    admits_finite = True
    needs_entries = True
    reasons: Mapping[str, str] = {
        "s": "row t shares one sum over what is not later; row 0 is always 1"
    }

    def forward(self, s):
        return softmax_parts(_not_later(s))[0]

    def jacobians(self, s):
        p, rest = softmax_parts(_not_later(s))
        diagonal = delta("u,u'") * dense("P[t,u]", p) * dense("(1−P)[t,u]", rest)
        off = distinct("u,u'") * dense("P[t,u]", p) * dense("P[t,u']", p)
        seen = within("u <= t") * within("u' <= t")
        return {"s": delta("t,t'") * seen * (diagonal - off)}

    @quiet
    def second(self, s):
        p, rest = softmax_parts(_not_later(s))
        found = softmax_bend(p, rest, "u", [f"t,u{mark}" for mark in MARKS], "P")
        seen = within("u <= t") * within("u' <= t") * within("u'' <= t")
        return {("s", "s"): elementwise_twice("t") * seen * found}

    @quiet
    def vjp(self, P_bar, s):
        p = softmax_parts(_not_later(s))[0]
        return {"s": p * (P_bar * sum_of_others(p) - sum_of_others(p * P_bar))}

    def peer(self, xp, s):
        return xp.not_later and xp.softmax(xp.not_later(s))

    def support(self, s):
        return within("u <= t")

    def admit(self, names, s):
        if s.ndim >= 2:
            require_live_rows(_not_later(s), names["s"])
        return (s,)


def first_no_mask(mask: np.ndarray, name: str) -> str:
    """m[1] is 0.5: the first entry of a mask that is neither 0 nor 1; nothing where none is."""
    wrong = np.argwhere((mask != 0) & (mask != 1))
    if not len(wrong):
        return ""
    place = tuple(map(int, wrong[0]))
    return f"{entry(name, place)} is {witness(float(mask[place]))}"


def require_mask(mask: np.ndarray, name: str, place: int = -1) -> None:
    """Refuse a mask with other numbers than 0 and 1, and a row along an axis without a 1."""
    wrong = first_no_mask(mask, name)
    if wrong:
        added = bool((mask <= 0).all() and (mask == 0).any())  # 0, and −1e9 where nothing stands
        raise DomainError(
            f"{wrong}; a mask holds 1 where a class may have a probability, and 0 where it has "
            f"none.\n  Pass {f'{name} == 0' if added else f'{name} with 0 and 1 only'}."
        )
    dead = np.asarray((mask == 0).all(axis=place))
    if mask.size and dead.any():
        raise DomainError(
            f"{first_row(dead, name, place)}: the mask is 0 everywhere, so that no class has a "
            "probability.\n  Leave a 1 in each row."
        )


def _not_later(s: np.ndarray) -> np.ndarray:
    """The scores, −inf where u > t."""
    later = np.arange(s.shape[-1]) > np.arange(s.shape[-2])[:, None]
    return np.where(later, -np.inf, s).astype(s.dtype)
