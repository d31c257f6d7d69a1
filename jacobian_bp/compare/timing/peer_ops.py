"""Our ops, as a peer computes them: one line an op, in functions that every peer has.

`xp` is the peer's own module of functions, seen through `Functions`; each entry
computes the value of one step from the values that it reads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import SpecError
from ...ops import (
    BinaryCrossEntropy,
    BinaryCrossEntropyFromLogits,
    CrossEntropyFromLogits,
    HalfSquaredError,
    Identity,
    LeakyReLU,
    Linear,
    Mean,
    Op,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    SquaredError,
    Sum,
    Tanh,
)
from ...program.program import Program

Unary = Callable[[Any], Any]


@dataclass(frozen=True)
class Functions:
    """What a network needs of a peer; sums and softmax run over the last axis."""

    sigmoid: Unary
    tanh: Unary
    relu: Unary
    softplus: Unary
    softmax: Unary
    log_softmax: Unary
    log: Unary


Rule = Callable[..., Any]

RULES: dict[type[Op], Rule] = {
    Linear: lambda op, xp, a, W, b: a @ W.T + b,
    Identity: lambda op, xp, z: z,
    Sigmoid: lambda op, xp, z: xp.sigmoid(z),
    Tanh: lambda op, xp, z: xp.tanh(z),
    ReLU: lambda op, xp, z: xp.relu(z),
    LeakyReLU: lambda op, xp, z: xp.relu(z) - op.slope * xp.relu(-z),
    Softplus: lambda op, xp, z: xp.softplus(z),
    Softmax: lambda op, xp, z: xp.softmax(z),
    SquaredError: lambda op, xp, a, y: ((a - y) ** 2).sum(-1),
    HalfSquaredError: lambda op, xp, a, y: ((a - y) ** 2).sum(-1) / 2,
    BinaryCrossEntropy: lambda op, xp, a, y: -(y * xp.log(a) + (1 - y) * xp.log(1 - a)).sum(-1),
    BinaryCrossEntropyFromLogits: lambda op, xp, z, y: (xp.softplus(z) - y * z).sum(-1),
    CrossEntropyFromLogits: lambda op, xp, z, y: -(y * xp.log_softmax(z)).sum(-1),
    Mean: lambda op, xp, L: L.mean(0),
    Sum: lambda op, xp, L: L.sum(0),
}


def evaluate(program: Program, xp: Functions, values: Mapping[str, Any], of: str) -> Any:
    """The value named `of`, computed by a peer from parameters and data.

    A loss is computed fused with its activation, as it is here. Raises SpecError
    for an op that stands in no rule.
    """
    found = dict(values)
    for step in program.steps:
        taken = step.active()
        rule = RULES.get(type(taken.op))
        if rule is None:
            raise SpecError(
                f"{taken.who} has no counterpart in the peers.\n"
                "  Compare a network of dense layers, or leave --against out."
            )
        found[taken.name] = rule(taken.op, xp, *(found[arg] for arg in taken.args))
        if taken.name == of:
            break
    return found[of]
