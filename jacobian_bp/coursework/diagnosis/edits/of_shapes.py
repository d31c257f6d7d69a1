"""A value in another shape: its numbers read along other axes than they were written.

y = Flatten(x), x[c,i]        dx = dy.reshape(i, c).T     where dy.reshape(c, i) is meant
"""

from collections.abc import Iterator
from functools import partial
from itertools import permutations

import numpy as np

from ....ops import Flatten, Reshape
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import Equation
from .edit import Edit

MOST_AXES = 4


def reordered(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """The axes of one example in every other order."""
    if not isinstance(line.step.op, Flatten | Reshape):
        return
    there = facts.values[line.target].shape
    own = len(line.step.op.parsed.inputs[0].axes)
    front, shape = there[: len(there) - own], there[len(there) - own :]
    if len([size for size in shape if size > 1]) > MOST_AXES:
        return
    names = line.step.op.parsed.inputs[0].axes
    for order in permutations(range(own)):
        if order != tuple(range(own)):
            written = ",".join(names[place] for place in order)
            note = f"they are read in the order {written}, and written in the order "
            whose = Factor("jacobian", "the order", np.zeros(()))
            gives = partial(read_along, front=front, shape=shape, order=order)
            yield Edit("reorder", equation, whose, note + ",".join(names), gives=gives)


def read_along(
    incoming: np.ndarray, front: tuple[int, ...], shape: tuple[int, ...], order: tuple[int, ...]
) -> np.ndarray:
    """The numbers one after another along these axes, put in their places."""
    read = incoming.reshape(*front, *(shape[place] for place in order))
    start = len(front)
    back = (start + place for place in np.argsort(order))
    return read.transpose(*range(start), *map(int, back))
