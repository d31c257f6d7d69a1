"""A loss behind its activation: the two are differentiated as one.

The product of the two slopes can be 0 · ∞ where the answer is an ordinary number:
behind a sigmoid that has saturated, binary cross-entropy has an infinite slope. The
loss says with which activation it fuses, and into what (`Op.fused`).
"""

from collections.abc import Mapping
from dataclasses import replace

from .step import Step


def fused(step: Step, made: Mapping[str, Step]) -> Step:
    """The step with the op that replaces it and the activation before it, where there is one.

    `made` holds the steps before it, by name.
    """
    before = made.get(step.args[0]) if step.args else None
    op = step.op.fused(before.op) if before else None
    if before is None or op is None:
        return step
    return replace(step, fused_op=op, fused_args=(before.args[0], *step.args[1:]))
