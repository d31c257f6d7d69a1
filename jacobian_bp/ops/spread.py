"""The spread of a row, √(mean of d² + eps): what a norm divides by, in all digits."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DomainError
from ..numbers.arrays import entry
from .base import Op

Standardised = tuple[np.ndarray, np.ndarray, np.ndarray | None]

LARGER = 2.0**64  # times that a subnormal has all its digits
SMALL = 2.0**80  # times the smallest normal number: entries above it differ by normal numbers


def standardised(x: np.ndarray, eps: float) -> Standardised:
    """(x − μ)/s and s, of each row; s keeps the axis."""
    return by_spread(x, eps, centred)


def by_spread(
    x: np.ndarray, eps: float, away_from: Callable[[np.ndarray], np.ndarray] = np.asarray
) -> Standardised:
    """d/s and s of each row, s = √(mean of d² + eps), d being x, or what `away_from` makes of it.

    A subnormal spread has few digits. So a row that may have one, its entries being small and eps
    nothing beside them, is taken times a power of two, and so is the s that is handed out. The
    powers come third, or None where no row may have one.
    """
    if eps**0.5 >= np.finfo(x.dtype).tiny:
        away = away_from(x)
        s = spread_of(away, eps)
        return away / s, s, None
    small = np.abs(x).max(axis=-1, keepdims=True) < np.finfo(x.dtype).tiny * SMALL
    larger = np.where(small, LARGER, 1).astype(x.dtype)
    away = away_from(x * larger)
    root = np.where(small, LARGER * eps**0.5, eps**0.5).astype(x.dtype)
    s = np.hypot(spread_of(away, 0.0), root)
    return away / s, s, larger


def over_spread(gain: Any, s: np.ndarray, larger: np.ndarray | None) -> Any:
    """gain/s."""
    if larger is None:
        return gain / s
    return gain * larger / s


def scaled(
    y_bar: np.ndarray, gamma: np.ndarray, s: np.ndarray, larger: np.ndarray | None
) -> np.ndarray:
    """y_bar gamma/s; 0 where y_bar is, though gamma/s may be too large for a number."""
    return np.where(y_bar == 0, y_bar, y_bar * over_spread(gamma, s, larger))


def centred(x: np.ndarray) -> np.ndarray:
    """x − μ of each row, to the last digits of the spread, however far from 0 the row is.

    A mean rounds, by a digit of x: what is left of it is a mean too, and taken away. Equal
    entries give exactly 0.
    """
    away = x - x.mean(axis=-1, keepdims=True)
    return np.asarray(away - away.mean(axis=-1, keepdims=True))


def spread_of(x: np.ndarray, eps: float) -> np.ndarray:
    """√(mean of x² + eps) of each row, without squaring what would overflow or vanish."""
    top = np.abs(x).max(axis=-1, keepdims=True)
    top = np.where(top == 0, 1, top).astype(x.dtype)
    mean = ((x / top) ** 2).mean(axis=-1, keepdims=True)
    return np.asarray(np.hypot(top * np.sqrt(mean), x.dtype.type(np.sqrt(eps))))


def require_spread(
    op: Op, x: np.ndarray, spread: np.ndarray, name: str, where: str = "[{}]"
) -> None:
    """DomainError where there is nothing to divide by."""
    still = np.argwhere(spread[..., 0] == 0)
    if len(still):
        place = tuple(still[0])
        which = entry(name, place) if where == "[{}]" else name + where.format(place[0])
        first, count = x[place][0], x.shape[-1]
        alone = f"{which} has one entry, {first:g}, which has no spread."
        same = f"all {count} entries of {which} are {first:g}, so that they have no spread."
        raise DomainError(
            f"{op.name}: {alone if count == 1 else same}\n  Give an eps above 0, such as eps=1e-5."
        )
