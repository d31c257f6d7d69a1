"""Whether two arrays are equal: to rounding, to single precision, to the digits written down.

A right answer is accepted generously; a mistake must reproduce the numbers tightly,
or a wrong diagnosis would be made with confidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from ....numbers.rounding import FLOOR, RELATIVE, agree, is_single, largest
from ....numbers.wrong_arrays import factor_between

K = TypeVar("K")

TIGHT, SINGLE = 1e-9, 1e-5  # of the largest entry, in float64 and in float32
PROMOTED = 1e-6  # of the largest entry, where float32 was turned into float64 on the way
FEWEST_DIGITS, MOST_DIGITS = 3, 9  # of numbers that were typed from a print-out
READ_OFF = 11.0  # times what typed digits allow, where a ratio of two of them is used
# typed digits, in all entries together, that prove a mistake: more where more is tried
PROVE_A_FACTOR, PROVE_ONE, PROVE_TWO = 5, 8, 11


@dataclass(frozen=True)
class Precision:
    """How exact the numbers handed in can be at all."""

    single: bool = False
    decimals: int = 0  # digits behind the point, 0 where they are not rounded
    digits: int = 0  # significant digits
    terms: float = 0.0  # Σ|terms| of the sums: what is small beside it may be rounding
    carried: np.ndarray | float = 0.0  # by rounding of what the array is computed from
    times: float = 1.0  # how often ours the numbers were written down: m, without the 1/m

    @property
    def relative(self) -> float:
        """Of the largest entry: what two equal arrays may differ by."""
        if self.single:
            return SINGLE
        return TIGHT if not self.digits else 10.0 ** (1 - self.digits)

    def proving(self, entries: int) -> int:
        """How many entries prove a number of one's own: twice as many where digits are few."""
        return entries if self.relative < 1e-8 else 2 * entries

    def allowed(self, right: np.ndarray) -> np.ndarray | float:
        """The largest difference of each entry that rounding can explain."""
        if self.times != 1:
            return replace(self, times=1.0).allowed(right * self.times) / self.times
        scale = largest(right)
        if self.single or not self.digits:
            return self.relative * scale
        fixed = 0.505 * 10.0**-self.decimals
        if self.digits < FEWEST_DIGITS:  # of small numbers, rounded to so many decimals
            return fixed + TIGHT * scale
        with np.errstate(divide="ignore"):
            exponent = np.floor(np.log10(np.abs(right)))
        shown = np.where(right == 0, 0.0, 0.505 * 10.0 ** (exponent + 1 - self.digits))
        return np.maximum(fixed, shown) + TIGHT * scale


HALF = Precision(decimals=7, digits=3)  # float16: 11 bits, and steps of 6e-8 near 0


def digits_of(submitted: np.ndarray, run_dtype: np.dtype) -> Precision:
    """float32 by its dtype or by its values; typed digits by their number, float16 like them."""
    if submitted.dtype == np.float16:
        return HALF
    if run_dtype == np.float32 or is_single(submitted):
        return Precision(single=True)
    values = np.asarray(submitted, np.float64).ravel()
    values = values[(values != 0) & np.isfinite(values)]
    if values.size == 0 or values.size > 100_000:
        return Precision()
    if np.array_equal(values, values.astype(np.float32)) and not np.all(values * 64 % 1 == 0):
        return Precision(single=True)
    texts = [np.format_float_scientific(v, trim="-") for v in values[:2000]]
    digits = [len(t.split("e")[0].replace(".", "").lstrip("-")) for t in texts]
    decimals = [d - 1 - int(t.split("e")[1]) for d, t in zip(digits, texts, strict=True)]
    most = max(digits)
    enough = most >= FEWEST_DIGITS or (most > 1 and most * len(values) >= PROVE_ONE)
    if enough and most <= MOST_DIGITS and max(decimals) >= FEWEST_DIGITS:
        return Precision(decimals=max(decimals), digits=most)
    return Precision()


def precisions(arrays: Mapping[K, np.ndarray], run_dtype: np.dtype) -> dict[K, Precision]:
    """How exact each array is; one of few digits may be rounded as all others are."""
    found = {key: digits_of(array, run_dtype) for key, array in arrays.items()}
    rounded = {p.decimals for p in found.values() if p.digits}
    others = [p for p in found.values() if p.digits and p != HALF]
    if len(rounded) == 1 and len(others) > 1:
        (decimals,) = rounded
        shared = Precision(decimals=decimals, digits=FEWEST_DIGITS - 1)
        for key, precision in found.items():
            if precision == Precision() and np.array_equal(
                arrays[key], np.round(arrays[key], decimals)
            ):
                found[key] = shared
    return found


def is_right(submitted: np.ndarray, right: np.ndarray, precision: Precision) -> bool:
    """Equal to what rounding, single precision or typing can do to a right answer."""
    if submitted.shape != right.shape or not np.isfinite(submitted).all():
        return False
    floor = (RELATIVE if precision.single else FLOOR) * precision.terms
    floor = max(floor, FLOOR * largest(right))
    allowed = np.maximum(RELATIVE * np.abs(right) + floor, precision.allowed(right))
    return agree(submitted, right, allowed + precision.carried)


def is_promoted(submitted: np.ndarray, right: np.ndarray) -> bool:
    """Equal to single precision, although the numbers have the digits of double precision.

    A product of float32 and float64 arrays is float64, with the errors of float32.
    """
    return agree(submitted, right, PROMOTED * largest(right))


def is_same(
    submitted: np.ndarray,
    candidate: np.ndarray,
    precision: Precision,
    proof: int = PROVE_ONE,
    slack: float = 1.0,
) -> bool:
    """Equal as tightly as the numbers allow: what a mistake has to reproduce."""
    if submitted.shape != candidate.shape or not np.isfinite(candidate).all():
        return False
    digits = precision.digits * np.count_nonzero(submitted)
    if precision.digits and (precision.digits < FEWEST_DIGITS or digits < proof):
        precision, slack = Precision(), 1.0  # too few digits, if they are not all there are
    return agree(submitted, candidate, slack * precision.allowed(candidate))


def constant_ratio(
    submitted: np.ndarray,
    candidate: np.ndarray,
    precision: Precision,
    proof: int = PROVE_A_FACTOR,
) -> float | None:
    """c where submitted = c · candidate in every entry, to rounding.

    It is read off one entry: where the digits are few, c has no more of them.
    """
    if submitted.shape != candidate.shape:
        return None
    c = factor_between(submitted, candidate)
    slack = READ_OFF if precision.digits else 1.0
    return c if c and is_same(submitted, c * candidate, precision, proof, slack) else None
