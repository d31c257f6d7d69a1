"""What a line is meant for: a derivative, or a value of the forward pass."""

from dataclasses import dataclass
from typing import Any

from ...errors import SpecError
from ...writing.signs import did_you_mean, safe
from .workspace import Labelled, Workspace


@dataclass(frozen=True)
class Goal:
    """∂J/∂value, or with `forward` the value itself."""

    value: str
    forward: bool = False

    def right(self, workspace: Workspace) -> Labelled:
        """The right array, with named axes."""
        return workspace.read(self.value) if self.forward else workspace.right(self.value)

    def __str__(self) -> str:
        return self.value if self.forward else f"∂J/∂{self.value}"


def asked_goal(target: Any, left: str, workspace: Workspace) -> Goal | None:
    """The goal that is named, by the caller or left of the = sign; None where nothing is."""
    if target is not None:
        value = workspace.target(target) if isinstance(target, str) else None
        if value is None:
            known = workspace.variables()
            raise SpecError(
                f"diagnose_line: the target is {safe(repr(target))[:60]}, which the run does not "
                f"have.{did_you_mean(target, known)}\n"
                f"  Name what the line is meant for, such as {', '.join(known[:4])}."
            )
        return Goal(value)
    derivative = workspace.object(left) if left else None
    if derivative:
        return Goal(derivative)
    computed = workspace.target(left) if left else None
    return Goal(computed, True) if computed and workspace.state.step(computed) else None
