"""Which known mistake gives the numbers of a line that runs: `diagnose` is asked."""

import numpy as np

from ...errors import JacobianError
from ...network.run import Run
from ..diagnosis.diagnosis import Finding
from ..diagnosis.of_arrays import diagnose
from .goal import Goal
from .scene import Scene
from .tree import Node, names
from .values import Valued

LARGEST = 100_000  # entries of an array that is explained


def finding(tree: Node, value: Valued, goal: Goal, run: Run, scene: Scene) -> Finding | None:
    """What `diagnose` says of the line's array, given the derivatives that it reads.

    Those are right, so that the mistake is looked for in this step alone. None for a
    value of the forward pass, and where there is nothing to ask.
    """
    if goal.forward or value.array.size > LARGEST or value.array.dtype.kind not in "fiub":
        return None
    read = {scene.object(word) for word in names(tree)} - {goal.value, None}
    answers: dict[str | tuple[str, str], np.ndarray] = {}
    try:
        for name in read:
            assert name is not None
            answers[name] = scene.in_rows(name, scene.right(name)[0])
        answers[goal.value] = scene.in_rows(goal.value, value.array)
        return diagnose(run, answers)[goal.value]
    except JacobianError:
        return None
