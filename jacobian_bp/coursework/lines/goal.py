"""What a line is meant for: a derivative of the cost, a value of the forward pass, a Jacobian."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import SpecError
from ...ops import Activation
from ...writing.signs import did_you_mean, safe
from .jacobian_forms import forms
from .laid_out import Labelled
from .language import Statement
from .workspace import Workspace

PENALTIES: dict[str, Callable[[float], float]] = {  # how often a penalty of rate 1 adds W
    "{}": lambda m: 1.0,
    "{} / m": lambda m: 1 / m,
    "2 * {}": lambda m: 2.0,
    "2 * {} / m": lambda m: 2 / m,
}


@dataclass(frozen=True)
class Goal:
    """∂J/∂value; with `forward` the value itself; with `by` the Jacobian ∂value/∂by.

    With `of_each` it is m times that, ∂L/∂value of each example. `penalty` is how many times the
    parameter is added to it for a penalty, one of PENALTIES; `alone` is this part by itself. It is
    `through` one step what reaches the value through that step alone.
    """

    value: str
    forward: bool = False
    by: str = ""
    of_each: bool = False
    penalty: str | None = None
    alone: bool = False
    through: str = ""

    def right(self, workspace: Workspace) -> Labelled:
        """The right array, with named axes."""
        if self.forward:
            return workspace.value(self.value)
        if self.by:
            return self.forms(workspace)[0][1], ()
        if self.through:
            return workspace.share(self.value, self.through)
        array, axes = workspace.right(self.value)
        m = workspace.read("m")[0].item()
        if self.of_each:
            array = array * m
        if self.penalty is not None:
            added = workspace.penalised(self.value)[0] * PENALTIES[self.penalty](m)
            array = added if self.alone else array + added
        return array, axes

    def forms(self, workspace: Workspace) -> list[tuple[str, np.ndarray]]:
        """The arrays that a Jacobian may be written as, each with its name."""
        return forms(workspace, self.value, self.by)

    def __str__(self) -> str:
        if self.by:
            return f"∂{self.value}/∂{self.by}"
        if self.forward:
            return self.value
        if self.through:
            return f"∂J/∂{self.value} through {self.through}"
        name = f"∂L/∂{self.value} of each example" if self.of_each else f"∂J/∂{self.value}"
        if self.penalty is None:
            return name
        return f"a penalty's share of {name}" if self.alone else f"{name} with a penalty"

    @property
    def is_plain(self) -> bool:
        """Whether it is ∂J/∂value as the run has it."""
        return self == Goal(self.value)


def asked_goal(target: Any, statement: Statement, workspace: Workspace) -> Goal | None:
    """The goal that is named, by the caller or left of the = sign; None where nothing is."""
    if target is not None:
        value = workspace.target(target) if isinstance(target, str) else None
        found = workspace.meaning(target) if isinstance(target, str) else None
        if found is not None and found.kind == "jacobian":
            return Goal(found.of, by=found.by)
        if found is not None and found.kind == "share":
            return Goal(found.of, through=found.by)
        if value is None:
            known = workspace.variables()
            raise SpecError(
                f"diagnose_line: the target is {safe(repr(target))[:60]}, which the run does not "
                f"have.{did_you_mean(target, known)}\n"
                f"  Name what the line is meant for, such as {', '.join(known[:4])}."
            )
        return Goal(value)
    left = workspace.meaning(statement.target) if statement.target else None
    if left is None and statement.target.lower() in ("j", "cost", "loss"):
        return Goal(workspace.state.cost, True)
    if left is None:
        return None
    if left.kind == "jacobian":
        return Goal(left.of, by=left.by)
    if left.kind == "share":
        return Goal(left.of, through=left.by)
    if left.kind == "gradient":
        maker = workspace.state.step(left.of)
        through = statement.masked and maker is not None and isinstance(maker.op, Activation)
        return Goal(maker.args[0] if through and maker else left.of)
    return Goal(left.of, True) if workspace.state.step(left.of) else None
