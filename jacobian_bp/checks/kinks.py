"""Kinks: where the slopes to the left and to the right differ, and a difference judges nothing.

An op with kinks says on which branch each entry is (`Op.branch`): 0 lies exactly on one.
"""

import numpy as np

from ..numbers.arrays import entry
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.difference import Perturbed
from .op_slopes import ROUNDING, SMALL_STEP, Slopes

MOST_NAMED = 5  # entries of one value
WIDER = 8.0  # times the small step, which tells a kink from a bend
BENT = 0.02  # of the jump of a bend, what a third derivative may make of the slope between


def exact_kinks(state: Pass) -> list[str]:
    """The entries that lie exactly on a kink, where the chosen slope is a convention."""
    found = []
    for step in state.program.steps:
        branch = step.op.branch(*state.inputs_of(step))
        if branch is None:
            continue
        places = np.argwhere(branch == 0)
        name, kink = _kink_of(step)
        found += [f"{entry(name, tuple(index))}{kink}" for index in places[:MOST_NAMED]]
        if len(places) > MOST_NAMED:
            found.append(f"{len(places) - MOST_NAMED} more entries of {name} are so")
    return found


def _kink_of(step: Step) -> tuple[str, str]:
    """Whose entries have a branch, the value's or those of what it reads; and what a kink is."""
    if step.op.kink:
        return step.name, f": {step.op.kink}"
    return step.args[0], f" is exactly 0, where {step.title} has no slope; its at_zero is used"


def count_on_kinks(slopes: Slopes) -> int:
    """How many entries of one op's inputs lie exactly on a kink, by the op's own word."""
    branch = slopes.op.branch(*slopes.values)
    return 0 if branch is None else int((branch == 0).sum())


def crossed_kink(cost: Perturbed, at: tuple[int, ...], h: float) -> str:
    """The value that changes its branch between w − h and w + h, if one does."""
    low, high = cost.values_at(at, -h), cost.values_at(at, h)
    for step in cost.steps:
        before = step.op.branch(*(low[a] for a in step.args))
        before = None if before is None else np.array(before)  # the op may keep it and write to it
        after = step.op.branch(*(high[a] for a in step.args))
        if before is not None and after is not None and np.any(before != after):
            index = tuple(int(i) for i in np.argwhere(before != after)[0])
            return entry(_kink_of(step)[0], index)
    return ""


def excused(slopes: Slopes, at: tuple[int, ...], unsure: bool, *claimed: float) -> str:
    """Why claims that the wide steps speak against are none the less right: "kink", "bend", "".

    On a kink the slopes to the left and to the right differ, and by as much at a wider step: what
    lies between them is right. Where a smooth function bends they differ by as much more as the
    step is wider: right is the slope in the middle. Where the wide steps are `unsure` they have
    crossed a kink nearby, and these small ones count.
    """
    rank = slopes.value.ndim
    out, index = at[:rank], at[rank:]
    low, high = slopes.one_sided(index, out)
    h = SMALL_STEP * max(1.0, abs(float(slopes.point[index])))
    room = 1e-5 * max(abs(low), abs(high)) + ROUNDING * abs(float(slopes.value[out])) / h
    jump, why = high - low, "kink"
    if jump >= 100 * room:
        far_low, far_high = slopes.one_sided(index, out, WIDER)
        if WIDER / 2 < (far_high - far_low) / jump < 2 * WIDER:
            low = high = (low + high) / 2
            room, why = room + BENT * jump, "bend"
    elif not unsure:
        return ""
    return why if all(low - room <= c <= high + room for c in claimed) else ""
