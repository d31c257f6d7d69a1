"""A program as a peer computes it: each op says its own rule, in functions that every peer has."""

from collections.abc import Mapping
from typing import Any

from ...errors import SpecError
from ...ops.peer_functions import Functions
from ...program.program import Program


def evaluate(program: Program, xp: Functions, values: Mapping[str, Any], of: str) -> Any:
    """The value named `of`, computed by a peer from parameters and data.

    A loss is computed fused with its activation, as it is here. Raises SpecError
    for an op that says no rule.
    """
    found = dict(values)
    for step in program.steps:
        taken = step.active()
        value = taken.op.peer(xp, *(found[arg] for arg in taken.args))
        if value is None:
            raise SpecError(
                f"{taken.who} has no counterpart in the peers.\n"
                "  Compare a network of dense layers, or leave --against out."
            )
        found[taken.name] = value
        if taken.name == of:
            break
    return found[of]
