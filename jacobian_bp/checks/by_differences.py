"""The difference route against the vjp route: each entry by a step that tells something there.

The usual step is 1e-6, or that much of an entry beyond 1. Where it is too wide, for large data
and small weights, or so narrow that the cost does not move, another is looked for:
one that moves the cost by TELLING of its own rounding error, and no more. A step after which
the cost is no number has left the domain of an op: narrower ones are tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..numbers.arrays import entry
from ..numbers.rounding import largest, unit_roundoff
from ..program.forward_pass import Pass
from ..routes.difference import Perturbed, Progress
from .agreement import Row
from .kinks import MOST_NAMED, crossed_kink
from .op_slopes import SPACING

MOST_WORK = 500_000_000  # entries read and written by the difference route, about a second
WORK_PER_STEP = 5_000  # what calling an op costs, in entries
WHOLE_PASS = 200  # of u·|cost|: what a forward pass of many ops may be off
ALIKE = 1e-4  # of an entry: what truncation may make of it
CANCELLED = 1e-6  # of Σ|terms|: what rounding inside the pass may
UNSCALED = 1e-9  # with the usual step
VAGUE = 0.1  # of an entry's Σ|terms|: a step that is less sure than this tells nothing
TELLING, WIDE = 1e4, 1e6  # how far a step moves the cost, in units of its rounding error
WIDEST = 1e-2  # of the largest entry of a parameter
ALMOST = 0.99  # a step is rounded to what the entry can be moved by, downwards too
CONSISTENT = 1e-2  # of a slope: so far may the one by a tenth of the step be off
MARGIN = 3  # of that difference, what truncation may make of the slope
MOST_TRIED = 60  # steps at one entry
BESIDE_A_POLE = 1e-5  # of the entry: a step that does not reach a pole at 0
NARROW = 1e-3  # of the entry: a step within which a pole at 0 bends nothing


@dataclass(frozen=True)
class Slope:
    """A central difference, the step that it was taken by, and how far it may be off."""

    value: float
    step: float
    doubt: float


def by_differences(
    state: Pass,
    pulled: dict[str, np.ndarray],
    scale: dict[str, np.ndarray],
    bars: dict[str, np.ndarray],
    progress: Progress | None,
) -> tuple[Row, list[str]]:
    """The row of the difference route, over every entry, or evenly spaced ones of very many.

    `scale` has Σ|terms| of each entry, and `bars` what its rounding may be. The second
    result names the entries that a kink spoils.
    """
    total = sum(array.size for array in pulled.values())
    stride = -(-total // entries_in_time(state)) or 1
    row, seen = Row("difference", 0, total, 0.0, 0.0, "", sampled=stride > 1), 0
    seen_now = done = vague = 0  # entries visited, those judged, and those too small to judge
    on_edge = 0  # those from which every step leaves the domain
    kinks: list[str] = []
    for name, array in pulled.items():
        chosen = range(-seen % stride, array.size, stride)
        seen += array.size
        if not chosen:  # looking for what depends on the array is work too
            continue
        cost = Perturbed(state, name)
        for flat in chosen:
            at = tuple(int(i) for i in np.unravel_index(flat, array.shape))
            claimed = float(array[at])
            sure = ALIKE * abs(claimed) + CANCELLED * float(scale[name][at]) + float(bars[name][at])
            slope, kink = _judging(cost, at, claimed, float(scale[name][at]), sure)
            seen_now += 1
            if progress:
                progress(seen_now, -(-total // stride))
            if kink:
                if len(kinks) < MOST_NAMED:
                    kinks.append(f"{entry(name, at)} ± {kink}")
                continue
            if slope is None:
                vague += 1
                continue
            if not np.isfinite(slope.value) and np.isfinite(claimed):
                on_edge += 1
                continue
            done += 1
            bar, apart = sure + slope.doubt, abs(slope.value - claimed)
            vague += bool(bar > max(abs(claimed), float(scale[name][at])) > 0)
            worst = 0.0 if apart == 0 else apart / bar if np.isfinite(apart) and bar else np.inf
            if worst > row.worst:
                row = replace(row, worst=worst, place=entry(f"∂{cost.cost}/∂{name}", at))
                row = replace(row, values=(slope.value, claimed))
            row = replace(row, largest=max(row.largest, apart))
    return replace(row, compared=done, vague=vague, on_edge=on_edge), kinks


def entries_in_time(state: Pass) -> int:
    """How many entries are perturbed, of very many evenly spaced ones."""
    return max(1, MOST_WORK // work_per_entry(state))


def work_per_entry(state: Pass) -> int:
    """What two forward passes read and write, in entries, with the calls of the ops."""
    steps = [step.active() for step in state.program.steps]
    entries = sum(state.values[name].size for s in steps for name in (s.name, *s.args))
    return 2 * (entries + WORK_PER_STEP * len(steps))


def _judging(
    cost: Perturbed, at: tuple[int, ...], claimed: float, scale: float, sure: float
) -> tuple[Slope | None, str]:
    """The slope that judges an entry, None where no step tells it; and the kink that forbids it.

    It is not finite where every step leaves the domain.
    """
    usual = _inside(cost, at)
    usual = replace(usual, doubt=usual.doubt + UNSCALED)
    if not (np.isfinite(claimed) and np.isfinite(usual.value)):
        return usual, ""
    apart, size = abs(usual.value - claimed), max(abs(usual.value), abs(claimed), scale)
    if apart <= sure + usual.doubt <= sure + VAGUE * size or usual.value == claimed == scale == 0:
        near = _beside_a_pole(cost, at) if usual.step > NARROW * abs(cost.point[at]) else None
        # a wide step may bend to a wrong slope by chance
        differs = near is not None and abs(near.value - claimed) > sure + near.doubt
        return near if near and differs else usual, ""
    agrees = apart <= sure + usual.doubt
    if not agrees and _is_straight(cost, at, usual) and not crossed_kink(cost, at, usual.step):
        return usual, ""
    other = None if agrees else _beside_a_pole(cost, at)
    other = other or _another(cost, at, usual)
    if other is not None and not crossed_kink(cost, at, other.step):
        return other, ""
    crossed = "" if agrees else crossed_kink(cost, at, usual.step)
    if crossed:
        return None, f"{usual.step:.0e} moves {crossed} across a kink"
    return usual if agrees else None, ""


def _inside(cost: Perturbed, at: tuple[int, ...]) -> Slope:
    """The slope by the usual step, or by a narrower one that stays in every domain."""
    h, here = cost.step_size(at), abs(float(cost.point[at]))
    slope = _at_step(cost, at, h)
    for _ in range(MOST_TRIED):
        if np.isfinite(slope.value) or slope.step == 0:
            break
        h = min(h / 10, NARROW * here or h / 10)
        slope = _at_step(cost, at, h)
    return slope


def _beside_a_pole(cost: Perturbed, at: tuple[int, ...]) -> Slope | None:
    """The slope by a step far smaller than the entry, where it tells one."""
    slope = _at_step(cost, at, BESIDE_A_POLE * abs(float(cost.point[at])))
    telling = np.isfinite(slope.value) and _moved(slope) >= TELLING
    return _confirmed(cost, at, slope) if telling else None


def _is_straight(cost: Perturbed, at: tuple[int, ...], slope: Slope) -> bool:
    """Whether a tenth of the step tells the slope well, and as the very same."""
    tenth = _at_step(cost, at, slope.step / 10)
    gap = abs(slope.value - tenth.value)
    return _moved(tenth) >= TELLING and gap <= ALIKE * abs(slope.value) + tenth.doubt


def _another(cost: Perturbed, at: tuple[int, ...], usual: Slope) -> Slope | None:
    """The slope by a step that moves the cost far beyond rounding, and not farther than it must.

    A tenth of the step has to give the same. Where none up to the widest moves the cost so
    far, the widest.
    """
    for slope in _tried(cost, at, usual):
        moved = _moved(slope)
        at_widest = slope.step >= ALMOST * _widest(cost, usual)
        if moved <= WIDE and (moved >= TELLING or at_widest):
            return _confirmed(cost, at, slope)
    return None


def _confirmed(cost: Perturbed, at: tuple[int, ...], slope: Slope) -> Slope | None:
    """The slope, with what a tenth of the step makes doubtful; None where that gives another."""
    tenth = _at_step(cost, at, slope.step / 10)
    gap = abs(slope.value - tenth.value)
    if not gap <= CONSISTENT * abs(slope.value) + tenth.doubt:
        return None
    return replace(slope, doubt=slope.doubt + MARGIN * gap)


def _tried(cost: Perturbed, at: tuple[int, ...], usual: Slope) -> Iterator[Slope]:
    """Slopes by steps that go towards the one wanted: as if the cost were a line."""
    slope, widest = usual, _widest(cost, usual)
    for _ in range(MOST_TRIED):
        yield slope
        wanted = 10 * TELLING / max(_moved(slope), 1.0)
        if not np.isfinite(wanted):
            wanted = 0.0
        factor = min(max(wanted, 1e-8), 0.1) if not _moved(slope) < TELLING else max(wanted, 10.0)
        h = min(slope.step * factor, widest)
        slope = _at_step(cost, at, h)
        if slope.step == 0:
            return


def _moved(slope: Slope) -> float:
    """How far the cost moves, in units of its rounding error."""
    if not np.isfinite(slope.value):
        return np.inf
    return abs(slope.value) / slope.doubt if slope.doubt else (np.inf if slope.value else 0.0)


def _widest(cost: Perturbed, usual: Slope) -> float:
    return max(WIDEST * largest(cost.point), usual.step)


def _at_step(cost: Perturbed, at: tuple[int, ...], step: float) -> Slope:
    """The central difference by about this step, with what rounding makes of it."""
    here = float(cost.point[at])
    h = float((here + step) - here)  # exact beside the entry
    if h == 0:
        return Slope(np.nan, 0.0, np.inf)
    high, low = cost.at(at, h), cost.at(at, -h)
    size = max(abs(high), abs(low), abs(float(cost.values[cost.cost])))
    if not np.isfinite(size):  # it leaves the domain
        return Slope(np.nan, h, np.inf)
    rounding = unit_roundoff(np.float64) * size + SPACING
    return Slope((high - low) / (2 * h), h, WHOLE_PASS * rounding / h)
