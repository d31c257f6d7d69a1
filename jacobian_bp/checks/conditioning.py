"""How far a derivative is determined at all: by the terms of its sums and the digits it is of.

A sum that cancels is known to the rounding of its terms, which its entries no longer show. And a
rule that stands on the right side of a bend, or of a spread that is next to nothing, does so to a
rounding of its inputs: it is right where the true slope lies between those of inputs that close.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from ..algebra.jacobian import Jacobian
from ..numbers.positions import in_float64
from ..numbers.rounding import off_by_roundings
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.full import whole_link
from ..routes.structured import absolute
from ..writing.signs import number, plural
from .op_slopes import Slopes

DIFFERENCE = 1e-7  # what finite differences may be off, relative to the entry
UNSURE = 1e-3  # of an entry: what is known no closer is not told
FAR_SMALLER = 1e-6  # than the largest number: such a slope is no sum of terms beyond it


def sums_of_terms(state: Pass, step: Step, position: int) -> np.ndarray:
    """Σ|terms| of each entry of ∂out/∂input, by the op's jacobians()."""
    operand = step.op.parsed.inputs[position].name
    out, wrt, expression = state.local(step)[operand]
    terms = absolute(expression)
    local = Jacobian.local(step.name, step.args[position], out, wrt, terms, state.dtype)
    return whole_link(local.links[0], local.nodes, state.dtype).astype(np.float64)


def passed(slopes: Slopes, nonfinite: np.ndarray, sums: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Of entries that a rule makes infinite or no number, those whose terms are too large.

    Their Σ|terms| have passed the largest number of `dtype`. Differences that are all far smaller,
    throughout the array, speak against the rule: of terms that large no sum cancels everywhere.
    But not where the value jumps to the next numbers, so that no step tells a slope.
    """
    found = nonfinite & ~np.isfinite(sums)
    least = FAR_SMALLER * float(np.finfo(dtype).max)
    if found.any() and all(
        slopes.steepest(index).max(initial=0) <= least for index in np.ndindex(slopes.point.shape)
    ):
        for place in np.argwhere(found):
            at = tuple(int(i) for i in place)
            found[at] = slopes.beyond_steps(at)
    return found


def past_the_largest(passed: np.ndarray, dtype: np.dtype) -> str:
    """A line on the entries whose terms are too large for a number."""
    if not passed.any():
        return ""
    them = plural(int(passed.sum()), "entry is", "entries are")
    most = number(float(np.finfo(dtype).max), 2)
    return f"\n    {them} not judged: the terms of a sum pass {most}, the largest {dtype}"


def moved_by_rounding(state: Pass, step: Step) -> Iterator[Pass]:
    """The pass in float64 with what the step reads off by a few roundings, up and down."""
    values = {name: in_float64(value) for name, value in state.values.items()}
    moving = list(dict.fromkeys(arg for _, _, arg in step.variables))
    for arrays in off_by_roundings([values[name] for name in moving], state.dtype):
        moved = {**values, **dict(zip(moving, arrays, strict=True))}
        yield replace(state, values=moved, dtype=np.dtype(np.float64))


class Beside:
    """The slopes of one op at inputs that are a few roundings away; made when asked for."""

    def __init__(self, slopes_at: Callable[[Pass], Slopes], state: Pass, step: Step) -> None:
        self._made = slopes_at, state, step
        self._slopes: list[Slopes] = []
        self._columns: dict[tuple[int, ...], list[tuple[np.ndarray, np.ndarray]]] = {}

    def hold(self, at: tuple[int, ...], room: float, *claims: float) -> bool:
        """Whether the claims for one entry lie among the slopes there."""
        if not np.isfinite([room, *claims]).all():
            return False
        if not self._slopes:
            slopes_at, state, step = self._made
            self._slopes = [slopes_at(moved) for moved in moved_by_rounding(state, step)]
        rank = self._slopes[0].value.ndim
        out, index = at[:rank], at[rank:]
        if index not in self._columns:
            self._columns[index] = [slopes.surest(index) for slopes in self._slopes]
        told = [(float(s[out]), float(doubt[out])) for s, doubt in self._columns[index]]
        told = [(slope, doubt + DIFFERENCE * abs(slope)) for slope, doubt in told]
        told = [(slope, doubt) for slope, doubt in told if np.isfinite(slope + doubt)]
        if not told:
            return False
        low = min(slope - doubt for slope, doubt in told) - room
        high = max(slope + doubt for slope, doubt in told) + room
        return all(low <= claim <= high for claim in claims)


def untold(
    rules: np.ndarray,
    differences: np.ndarray,
    room: np.ndarray,
    loose: np.ndarray,
    held: int,
    coarse: int,
) -> str:
    """What of a Jacobian its numbers do not tell, as lines below that of the report.

    `room` is what the two rules may differ by, `loose` what they and the differences may, `held`
    the number of entries that a rounding of the inputs explains, `coarse` that of those where no
    step is narrow enough.
    """
    sizes = np.fmax(rules, np.abs(differences))
    known = (sizes > 0) & np.isfinite(sizes)
    lost = int((known & (room > UNSURE * sizes)).sum())
    unsure = coarse + int((known & (room <= UNSURE * sizes) & (loose > UNSURE * sizes)).sum())
    said = ""
    if lost:
        said += f"\n    rounding may be more than a thousandth of {entries(lost)}"
    if unsure:
        said += f"\n    differences do not tell {entries(unsure)} to a thousandth"
    return said + known_to_rounding(held)


def entries(count: int) -> str:
    """1 entry; 2 entries"""
    return plural(count, "entry", "entries")


def known_to_rounding(count: int) -> str:
    """A line on the entries whose value a rounding of the inputs decides."""
    known = plural(count, "entry is", "entries are")
    return f"\n    {known} known to a rounding of the inputs only" if count else ""
