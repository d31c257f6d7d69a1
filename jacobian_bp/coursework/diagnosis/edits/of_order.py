"""The right numbers in other places: reversed, moved on by one, read in another order.

dR[::-1], np.roll(dR, 1, 0)       for dR
δ[:, ::2], δ[:, :a] + δ[:, a:]    for δ[:, :a], the first of two that stand one behind another
δ.reshape(x.shape)                for δ.transpose
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations

import numpy as np

from .... import ops
from ....algebra.axes import BATCH
from ....ops import Op
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import POSITION, Equation
from .edit import Edit, called
from .of_factors import with_array
from .of_moved_places import DELTA_AT

# of the gates in W, U and b
ROWS: dict[type[Op], str] = {ops.LSTMCarry: "ifgo", ops.LSTMOutput: "ifgo", ops.GRUCell: "rzn"}


Order = Callable[[np.ndarray], np.ndarray]


def in_another_order(line: Line, equation: Equation, facts: Facts) -> Iterator[tuple[Order, Edit]]:
    """What is right, along one axis in another order; where paths add up, all of their sum."""
    whose = Factor("jacobian", line.target, np.zeros(()))
    right = facts.values[line.target]
    if facts.backward.to[line.target][0] is not line or right.ndim != len(equation.out):
        return
    for place, axis in enumerate(equation.out):
        if equation.sizes[axis] < 2:
            continue
        name = called(axis, equation)
        note = f"they are in reverse order along {name}"
        yield partial(np.flip, axis=place), Edit("reorder", equation, whose, note, extra=8)
        for step, which in ((1, "on"), (-1, "back")) if equation.sizes[axis] > 2 else ():
            note = f"along {name} each stands one place {which}, and the one at the end "
            note += "is the first" if step > 0 else "was the first"
            order = partial(np.roll, shift=step, axis=place)
            yield order, Edit("reorder", equation, whose, note, extra=9)
    for rows, note in rows_of_gates(line, facts):
        order = partial(np.take, indices=rows, axis=0)
        yield order, Edit("reorder", equation, whose, note)


def of_factors_moved(line: Line, equation: Equation) -> Iterator[Edit]:
    """A factor along one of its axes in reverse, or moved on: the gain of the channel before."""
    if line.kind != "op":
        return
    for factor in equation.factors():
        if factor.role not in ("value", "weight"):
            continue
        for place, axis in enumerate(factor.axes):
            if equation.sizes[axis] < 2 or axis.rstrip("'") == BATCH:
                continue
            name = called(axis, equation)
            ways = {f"its own in reverse order along {name}": np.flip(factor.array, place)}
            if equation.sizes[axis] > 2:
                for step, which in ((1, "on"), (-1, "back")):
                    note = f"its own, each one place {which} along {name}"
                    ways[note] = np.roll(factor.array, step, place)
            for note, array in ways.items():
                wrong = with_array(equation, factor, factor.name, array)
                same = [f for f in equation.factors() if f.name == factor.name]
                if len(same) > 1:  # wherever it stands
                    wrong = equation
                    for other in same:
                        wrong = with_array(wrong, other, factor.name, array)
                yield Edit("other", wrong, factor, note, extra=5)


def rows_of_gates(line: Line, facts: Facts) -> Iterator[tuple[np.ndarray, str]]:
    """The rows of one gate where those of another belong, in W, U or b."""
    blocks, right = ROWS.get(type(line.step.op), ""), facts.values[line.target]
    if not blocks or line.target not in facts.params or len(right) % len(blocks):
        return
    units = len(right) // len(blocks)
    for order in permutations(range(len(blocks))):
        rows = np.concatenate([np.arange(q * units, (q + 1) * units) for q in order])
        moved = [blocks[q] for place, q in enumerate(order) if place != q]
        if not moved:
            continue
        note = f"the rows of the gates {' and '.join(moved[::-1])} are exchanged"
        if len(moved) > 2:
            there = ", ".join(blocks[q] for q in order)
            note = f"the rows of the gates stand in the order {there}, not {', '.join(blocks)}"
        yield rows, note


def not_transposed(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """What comes in, reshaped row by row where its axes are exchanged."""
    if isinstance(line.step.op, ops.Transpose | ops.Vec):
        gives = partial(reshaped, facts.values[line.target].shape)
        whose = Factor("jacobian", line.target, np.zeros(()))
        note = "they are written row by row as they come in, where axes are exchanged"
        yield Edit("reorder", equation, whose, note, gives=gives)


def reshaped(shape: tuple[int, ...], incoming: np.ndarray) -> np.ndarray:
    return incoming.reshape(shape)


def of_joined(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Of values joined one behind another: every second entry, and all parts added up."""
    if not isinstance(line.step.op, ops.Concat):
        return
    sizes = [facts.values[name].shape[-1] for name in line.step.args]
    if len({*sizes}) > 1:
        return
    own, parts = sizes[0], len(sizes)
    for factor in equation.factors():
        match = DELTA_AT.fullmatch(factor.name) if factor.role == POSITION else None
        if match is None:
            continue
        joined, read = match[1], match[2].partition("+")[0]
        start = f"+{line.position}" if line.position else ""
        gives = partial(every, parts, line.position)
        yield Edit("places", equation, factor, f"δ[{joined},{parts}{read}{start}]", gives=gives)
        reads = [f"{read}+{n * own}" if n else read for n in range(parts)]
        gives = partial(added_up, parts)
        note = " + ".join(f"δ[{joined},{one}]" for one in reads)
        yield Edit("places", equation, factor, note, gives=gives)


def every(step: int, start: int, incoming: np.ndarray) -> np.ndarray:
    """Every entry of so many, from a place on."""
    return incoming[..., start::step]


def added_up(parts: int, incoming: np.ndarray) -> np.ndarray:
    """Parts of one length, added entry by entry."""
    return incoming.reshape(*incoming.shape[:-1], parts, -1).sum(-2)
