"""How the values of a run are called in a convention."""

from ..program.forward_pass import Pass
from .ready_made import ReadyMade


def names_of(state: Pass, ready: ReadyMade) -> dict[str, str]:
    """How the values of a run are written in a convention."""
    return ready.names(len(state.program.steps), last_layer(state), state.values)


def last_layer(state: Pass) -> int | None:
    """The number of the last layer, where the values of layers are z1, z2, …."""
    numbers = [int(name[1:]) for name in state.values if name[0] == "z" and name[1:].isdecimal()]
    return max(numbers, default=None)
