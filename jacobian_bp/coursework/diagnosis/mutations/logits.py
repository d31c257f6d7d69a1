"""A loss that reads logits has an activation in it: the probabilities and their slope."""

from dataclasses import dataclass

import numpy as np

from ....numbers.stable import sigmoid, softmax_parts
from ....ops import BinaryCrossEntropyFromLogits, CrossEntropyFromLogits
from ..passes.backward import Line
from .mutation import Facts

FUSED = (BinaryCrossEntropyFromLogits, CrossEntropyFromLogits)


@dataclass(frozen=True, eq=False)
class Inside:
    """What such a loss computes on the way; `name` is the value's, where the network has it."""

    p: np.ndarray
    name: str
    slope: str  # as it is printed
    softmax: bool

    def through(self, incoming: np.ndarray) -> np.ndarray:
        """The derivative by p taken back to the logits."""
        if self.softmax:
            return self.p * (incoming - (incoming * self.p).sum(-1, keepdims=True))
        return incoming * self.p * (1 - self.p)

    def loss_by_p(self, y: np.ndarray) -> np.ndarray:
        """The derivative of the loss by p, as textbooks have it."""
        return -y / self.p if self.softmax else -y / self.p + (1 - y) / (1 - self.p)


def inside(line: Line, facts: Facts) -> Inside | None:
    """The activation in the loss of this line; None where the loss reads no logits."""
    if not isinstance(line.step.op, FUSED):
        return None
    z, softmax = facts.values[line.target], isinstance(line.step.op, CrossEntropyFromLogits)
    p = softmax_parts(z)[0] if softmax else sigmoid(z)
    twin = unfused(line, facts)
    name = twin.source if twin else "p"
    slope = f"∂{name}/∂{line.target}" if softmax else f"σ'({line.target})"
    return Inside(p, name, slope, softmax)


def unfused(line: Line, facts: Facts) -> Line | None:
    """The line of the activation itself, asleep, where the network has it as a step."""
    return next((k for k in facts.backward.to[line.target] if k.asleep), None)
