"""Which known mistake gives the numbers of a line that runs: `diagnose` is asked."""

import numpy as np

from ...derivation.convention import Convention
from ...errors import JacobianError
from ...network.run import Run
from ..diagnosis.diagnosis import Finding
from ..diagnosis.of_arrays import diagnose_in_own_shape
from .goal import Goal
from .tree import Node, names
from .values import Valued
from .workspace import Workspace

LARGEST = 100_000  # entries of an array that is explained


def finding(
    tree: Node, value: Valued, goal: Goal, run: Run, workspace: Workspace
) -> Finding | None:
    """What `diagnose` says of the line's array, given the derivatives that it reads.

    Those are right, so that the mistake is looked for in this step alone. None for a
    value of the forward pass, and where there is nothing to ask.
    """
    if goal.forward or value.array.size > LARGEST or value.array.dtype.kind not in "fiub":
        return None
    read = {workspace.object(word) for word in names(tree)} - {goal.value, None}
    answers: dict[str | tuple[str, str], np.ndarray] = {}
    told = workspace.told
    written = Convention(
        examples="columns" if told.columns else "rows",
        weights="in,out" if told.turned else "out,in",
        mean="gradient" if told.of_each else "delta",
    )
    try:
        for name in read:
            assert name is not None
            answers[name] = workspace.derivative(name)[0]
        answers[goal.value] = value.array
        return diagnose_in_own_shape(run, answers, written)[goal.value]
    except JacobianError:
        return None
