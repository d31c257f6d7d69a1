"""How a cost adds up over the examples, so that it can be taken batch by batch.

    a mean    J = Σ_b (m_b/N) J_b          N examples in batches of m_b
    a sum     J = Σ_b J_b
    with more J = Σ_b c · D_b + e · R      D a sum over the examples; no data reaches R: a penalty

What an example gives must not depend on its batch. Behind the mean or sum the program may go on
in a straight line only: that is asked of each op itself, at other values of what it reads.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from operator import add

import numpy as np

from ..algebra.axes import BATCH
from ..algebra.sum_over_paths import walk
from ..errors import JacobianError
from ..numbers.arrays import quiet
from ..ops import Mean, Sum
from ..writing.page_letters import unused
from ..writing.signs import safe
from .forward_pass import Pass
from .step import Step

ALONE, EXAMPLE, MEAN, SUM, MORE = "alone", "example", "mean", "sum", "sum and more"
ELSEWHERE = (-1.7, 0.0, 0.3, 2.9, 1e3)  # times what an op reads: where its slope is asked again
WORDS = {MEAN: "a mean over the examples", SUM: "a sum over the examples", MORE: "a sum and more"}
TAKE = "Take the whole batch at once: net.run(x, y).gradients()."


@dataclass(frozen=True)
class AddsUp:
    """How a cost is made: what is added up over the batches, and what counts once.

    `data` and `once` are values by name with the slope of the cost by each. With `averages`
    each batch weighs as many as it has examples, and their number divides the whole.
    """

    averages: bool
    data: Mapping[str, np.ndarray]
    once: Mapping[str, np.ndarray]


def kinds_of(state: Pass, of: str) -> dict[str, str]:
    """What `of` and all that it is made of are: alone of data, of each example, a mean, a sum.

    Raises JacobianError, naming the step, where an example depends on its batch, and where
    what stands behind a mean or a sum bends.
    """
    kinds = dict.fromkeys(state.program.params, ALONE)
    for name in state.program.inputs:
        kinds[name] = EXAMPLE if BATCH in state.names.get(name, ()) else ALONE
    for step in _made_for(state, of):
        kinds[step.name] = _kind(state, step, kinds)
    return kinds


def adds_up(state: Pass) -> AddsUp:
    """How the cost of this run adds up. JacobianError where it is no mean or sum over examples."""
    cost, kinds = state.cost, kinds_of(state, state.cost)
    one = np.ones(state.values[cost].shape, state.dtype)
    if kinds[cost] in (MEAN, SUM):
        return AddsUp(kinds[cost] == MEAN, {cost: one}, {})
    if kinds[cost] != MORE:
        what = "no data reaches it" if kinds[cost] == ALONE else "it has a value for each example"
        raise JacobianError(
            f"{safe(cost)} is no mean or sum over the examples: {what}.\n"
            f"  End the program with one, such as {unused('J', state.values)} = Mean({safe(cost)})."
        )
    steps = {s.name: s for s in reversed(_made_for(state, cost)) if kinds[s.name] == MORE}

    def times(name: str, bar: np.ndarray) -> list[tuple[str, np.ndarray]]:
        step = steps[name]
        pulled = step.op.vjp(bar, *state.inputs_of(step))
        return [(arg, np.asarray(pulled[operand])) for _, operand, arg in step.variables]

    found = walk(list(steps), {cost: one}, times, add)
    data = {name: slope for name, slope in found.items() if kinds[name] == SUM}
    return AddsUp(False, data, {n: s for n, s in found.items() if n not in data})


def _made_for(state: Pass, of: str) -> list[Step]:
    """The steps of which `of` is made, in order; a loss is taken fused with its activation."""
    wanted, found = {of}, []
    for step in reversed(state.program.steps):
        taken = step.active()
        if taken.name in wanted:
            wanted.update(taken.args)
            found.append(taken)
    return found[::-1]


def _kind(state: Pass, step: Step, kinds: Mapping[str, str]) -> str:
    """What a step gives, from what it reads."""
    read = {arg: kinds[arg] for arg in step.args}
    added = {arg: kind for arg, kind in read.items() if kind not in (ALONE, EXAMPLE)}
    if EXAMPLE not in read.values():
        return _behind(state, step, read, added) if added else ALONE
    if added:
        arg, kind = next(iter(added.items()))
        raise JacobianError(
            f"{step.who} gives each example what depends on its batch: beside the examples it "
            f"reads {safe(arg)}, {WORDS[kind]} of the batch.\n  {TAKE}"
        )
    if BATCH in state.names[step.name]:
        if _mixes(state, step, kinds):
            raise JacobianError(
                f"{step.who} gives each example what depends on its batch: it goes over the "
                f"axis {BATCH} of the examples itself.\n  {TAKE}"
            )
        return EXAMPLE
    if isinstance(step.op, Mean | Sum):
        return MEAN if isinstance(step.op, Mean) else SUM
    raise JacobianError(
        f"{step.who} is no mean or sum over the examples, and takes their axis {BATCH} away.\n"
        f"  {TAKE}"
    )


def _mixes(state: Pass, step: Step, kinds: Mapping[str, str]) -> bool:
    """Whether one example's value depends on another's: then δ[n,n'] is not in its Jacobian."""
    if all(BATCH not in operand.axes for operand in step.op.parsed.inputs):
        return False  # an op speaks of one example; what is carried in front stays apart
    for _, _, arg in step.variables:
        if kinds[arg] == EXAMPLE:
            own = state.names[step.name].index(BATCH), state.names[arg].index(BATCH)
            pair = {("out", own[0]), ("wrt", own[1])}
            found = state.local_jacobian(step.name, arg).patterns
            if not all(any(pair <= group for group in p.equal) for p in found):
                return True
    return False


def _behind(state: Pass, step: Step, read: Mapping[str, str], added: Mapping[str, str]) -> str:
    """What an op makes of means or sums: it must be straight in them."""
    if len({*added.values()} - {MORE}) > 1:
        both = " and ".join(f"{safe(arg)}, {WORDS[kind]}" for arg, kind in added.items())
        raise JacobianError(
            f"{step.who} adds {both}: batches of them do not weigh alike.\n"
            "  Write both as means, or both as sums."
        )
    moving = _moving(state, step, added)
    name, kind = next(iter(added.items()))
    if not moving.isdisjoint(added):
        raise JacobianError(
            f"{step.who} is not straight in {safe(name)}, {WORDS[kind]}: "
            "the whole is not that of its batches added up.\n"
            f"  End the program with {safe(name)}, and leave {safe(step.name)} out."
        )
    if MEAN in added.values():
        return MEAN
    trained = {arg for arg in moving if _is_trained(state, arg)}
    if MORE in added.values() and trained:
        arg = min(trained)
        raise JacobianError(
            f"{step.who} multiplies {safe(name)}, {WORDS[kind]}, by {safe(arg)}, which is trained."
            "\n  Multiply the sum over the examples by it, before anything is added."
        )
    if MORE not in added.values() and _is_zero_at_zero(state, step, added):
        return SUM
    beside = {arg for arg in step.args if arg not in added and _is_trained(state, arg)}
    trained |= beside & _moving(state, step, beside)
    if trained:
        raise JacobianError(
            f"{step.who} adds to {safe(name)}, {WORDS[kind]}, what is not straight in "
            f"{safe(min(trained))}, which is trained.\n"
            f"  Write what {safe(min(trained))} stands in as a step of its own."
        )
    return MORE


def _is_trained(state: Pass, name: str) -> bool:
    """Whether a parameter reaches this value."""
    return not {name, *(a for s in _made_for(state, name) for a in s.args)}.isdisjoint(
        state.program.params
    )


@quiet
def _moving(state: Pass, step: Step, varied: Collection[str]) -> set[str]:
    """The inputs by which the slope of a step is another one where the `varied` ones are.

    Where it has no value elsewhere, as a logarithm, it is not straight.
    """
    here, first, found = state.inputs_of(step), None, set[str]()
    bar = np.ones(state.values[step.name].shape, state.dtype)
    for times in (1.0, *ELSEWHERE):
        there = [
            value * value.dtype.type(times) + value.dtype.type(times != 1.0) * times
            if arg in varied
            else value
            for arg, value in zip(step.args, here, strict=True)
        ]
        try:
            step.op.admit(dict(step.called), *there)
            pulled = step.op.vjp(bar, *there)
            slopes = {arg: np.array(pulled[operand]) for _, operand, arg in step.variables}
        except (ValueError, ArithmeticError):
            return {*varied}
        first = first or slopes
        found |= {arg for arg, slope in slopes.items() if not np.array_equal(slope, first[arg])}
    return found


@quiet
def _is_zero_at_zero(state: Pass, step: Step, added: Mapping[str, str]) -> bool:
    zeros = [
        np.zeros_like(value) if arg in added else value
        for arg, value in zip(step.args, state.inputs_of(step), strict=True)
    ]
    return not np.any(step.op.forward(*zeros))
