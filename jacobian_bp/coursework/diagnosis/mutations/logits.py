"""A loss that reads logits has an activation in it: the probabilities and their slope."""

from dataclasses import dataclass

import numpy as np

from ....ops import Softmax
from ....ops.textbook import LossTextbook, through_softmax
from ..passes.backward import Line
from .mutation import Facts


@dataclass(frozen=True, eq=False)
class Inside:
    """What such a loss computes on the way; `name` is the value's, where the network has it."""

    p: np.ndarray
    name: str
    slope: str  # as it is printed
    softmax: bool
    textbook: LossTextbook

    def through(self, incoming: np.ndarray) -> np.ndarray:
        """The derivative by p taken back to the logits."""
        if self.softmax:
            return through_softmax(self.p, incoming)
        return incoming * self.p * (1 - self.p)

    def loss_by_p(self, y: np.ndarray) -> np.ndarray:
        """The derivative of the loss by p, as textbooks have it."""
        return self.textbook.by_output(self.p, y)


def inside(line: Line, facts: Facts) -> Inside | None:
    """The activation in the loss of this line; None where the loss reads no logits."""
    activation, textbook = line.step.op.contains, line.step.op.loss_textbook
    if activation is None or textbook is None:
        return None
    p, softmax = activation().forward(facts.values[line.target]), activation is Softmax
    twin = unfused(line, facts)
    name = twin.source if twin else "p"
    slope = f"∂{name}/∂{line.target}" if softmax else f"σ'({line.target})"
    return Inside(p, name, slope, softmax, textbook)


def unfused(line: Line, facts: Facts) -> Line | None:
    """The line of the activation itself, asleep, where the network has it as a step."""
    return next((k for k in facts.backward.to[line.target] if k.asleep), None)
