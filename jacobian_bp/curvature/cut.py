"""Where a network ends and its cost begins: the cut at which Gauss-Newton is taken.

    H = Gauss-Newton + residual

The Gauss-Newton part takes the network as straight up to its output f, (∂f/∂p)ᵀ ∂²J/∂f² ∂f/∂q:
it has the rows of what bends behind f, and of penalties. The residual has the rows of what bends
inside the network, each weighted by what comes back to it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from ..program.forward_pass import Pass
from ..program.step import Step


@dataclass(frozen=True)
class Cut:
    """The values at which the network is cut, and the steps before them."""

    at: tuple[str, ...]
    inside: frozenset[str]

    @property
    def told(self) -> str:
        """z3, or z3 and s"""
        return " and ".join(self.at)


def cut_of(state: Pass, of: str, wanted: Collection[str]) -> Cut:
    """The cut of ∂²of/∂(wanted)²: at what the losses read that `of` depends on.

    A loss that is fused with its activation reads the logits, unless the derivative is by the
    very value between the two. Without a loss the cut is `of` itself: all that bends is inside.
    """
    steps = [_taken(step, wanted) for step in state.program.steps]
    before = _before([of], steps)
    losses = [step for step in steps if step.op.labels and step.name in before]
    at = [
        arg
        for step in losses
        for operand, arg in step.called.items()
        if operand not in step.op.labels
    ]
    found = tuple(dict.fromkeys(at)) or (of,)
    return Cut(found, frozenset(_before(found, steps)))


def _taken(step: Step, wanted: Collection[str]) -> Step:
    between = step.fused_op is not None and step.args[0] in wanted
    return step if between else step.active()


def _before(names: Collection[str], steps: list[Step]) -> set[str]:
    """The names, and all that they are computed from."""
    found = set(names)
    for step in reversed(steps):
        if step.name in found:
            found.update(step.args)
    return found
