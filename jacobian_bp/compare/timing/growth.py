"""How fast each route grows with width, depth and batch: fitted, and by theory.

Theory is of what is left when the swept size n is large and the others stay:
which array has the most axes of that size, and which product sums over most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .fit import Fit, growth
from .result import Result
from .subjects import ROUTES

ABOVE_OVERHEAD = 1.2  # a time counts in the fit when it is this many times that at size 1

# axis: route: (exponent of the time, exponent of the bytes)
#   width  ∂z/∂W has three axes of size n; forward order keeps one axis more in its products
#   depth  one chain a parameter repeats what one sweep shares; gradients and factors pile up
#   batch  ∂a/∂z has the axis of the examples twice
THEORY: dict[str, dict[str, tuple[int, int]]] = {
    "width": {
        "full, reverse": (3, 3),
        "full, forward": (4, 3),
        "full, planned": (3, 3),
        "structured": (2, 2),
        "vjp": (2, 2),
    },
    "depth": {
        "full, reverse": (1, 1),
        "full, forward": (2, 1),
        "full, planned": (2, 1),
        "structured": (1, 1),
        "vjp": (1, 1),
    },
    "batch": {
        "full, reverse": (2, 2),
        "full, forward": (2, 2),
        "full, planned": (2, 2),
        "structured": (1, 1),
        "vjp": (1, 1),
    },
}


@dataclass(frozen=True)
class Growth:
    """The exponents of one route along one axis; None where there are too few rows."""

    route: str
    multiplications: Fit | None
    predicted_bytes: Fit | None
    measured_bytes: Fit | None
    seconds: Fit | None
    rows_used: str  # which sizes the fit of the seconds stands on
    overhead: float  # seconds that were taken off each of them
    theory_time: int
    theory_bytes: int


def growths(axis: str, rows: Sequence[Result], overhead: dict[str, float]) -> list[Growth]:
    """The growth of each route; `overhead` is the time of each at size 1.

    The overhead is taken off the seconds, of which those count where enough remains; those
    at size 1, from which it comes, have nothing left but noise.
    """
    found = []
    for route in ROUTES:
        own = [r for r in rows if r.subject == route and r.size and r.axis == axis]
        if own:
            found.append(_growth(axis, route, own, overhead.get(route, 0.0)))
    return found


def _growth(axis: str, route: str, rows: Sequence[Result], overhead: float) -> Growth:
    floor = ABOVE_OVERHEAD * overhead
    timed = [row for row in rows if row.complete and (row.minimum or 0) > floor]
    if overhead:
        timed = [row for row in timed if row.size != 1]
    used = f"{timed[0].size} up" if len(timed) > 2 else "too few"
    time, space = THEORY[axis][route]
    return Growth(
        route,
        _fit([(row.size, row.multiplications) for row in rows]),
        _fit([(row.size, row.predicted_bytes) for row in rows]),
        _fit([(row.size, row.measured_bytes) for row in rows]),
        _fit([(row.size, (row.minimum or 0) - overhead) for row in timed]),
        used,
        overhead,
        time,
        space,
    )


def bent(growth: Growth) -> bool:
    """Whether the seconds' interval leaves the theory out: smaller terms still bend the line."""
    fit = growth.seconds
    return fit is not None and fit.known and not fit.reaches(growth.theory_time)


def _fit(pairs: Sequence[tuple[int | None, float | None]]) -> Fit | None:
    known = [(n, y) for n, y in pairs if n and y]
    return growth([n for n, _ in known], [y for _, y in known])


def exponents_of(found: Sequence[Growth]) -> dict[str, dict[str, object]]:
    """The exponents for a file: for each route and quantity the value, its interval, the theory."""
    return {
        g.route: {
            **_exponent("multiplications", g.multiplications, g.theory_time),
            **_exponent("seconds", g.seconds, g.theory_time),
            **_exponent("predicted_bytes", g.predicted_bytes, g.theory_bytes),
            **_exponent("measured_bytes", g.measured_bytes, g.theory_bytes),
        }
        for g in found
    }


def _exponent(name: str, fit: Fit | None, theory: int) -> dict[str, object]:
    return {
        name: fit and fit.exponent,
        f"{name}_margin": fit and fit.margin,
        f"{name}_points": fit and fit.points,
        f"{name}_theory": theory,
    }
