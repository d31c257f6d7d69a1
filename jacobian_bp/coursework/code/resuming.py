"""Where a walk can be taken up again: all that it knows before a statement of the text's own level.

A trial changes one line or one value. What stands before it comes out as in the walk before, so
that the trial starts there.
"""

import ast
from dataclasses import dataclass, field, replace
from typing import Any

from .scope import Instance, Scope
from .store import Store


@dataclass(frozen=True)
class LayerCall:
    """The forward or the backward function of a layer, an object's or one by itself."""

    function: ast.FunctionDef | None
    back: bool
    instance: Instance | None = None
    layer: int = 0
    of_activation: bool = False


@dataclass
class Body:
    """Statements one after the other, of which the one at `place` is being walked."""

    statements: tuple[ast.stmt, ...]
    place: int = 0


@dataclass
class Rounds:
    """A loop in its round `number`; `before` has the stores of the round before that."""

    target: ast.expr
    items: Any
    body: tuple[ast.stmt, ...]
    over_examples: bool
    is_long: bool
    outer: int | None
    number: int = 0
    first: int = 0
    before: list[Store] = field(default_factory=list)
    times: list[int] | None = None  # which step of a recurrent network each round is of
    outer_time: int | None = None


@dataclass
class LayerCalls:
    """Calls of layers that no line puts together, the one at `place` with the value `handed` on."""

    calls: tuple[LayerCall, ...]
    handed: Any = None
    place: int = 0


Frame = Body | Rounds | LayerCalls


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a walk knows at one place: `count` stores so far, the names, the loops that it is in."""

    count: int
    known: dict[str, Any]
    frames: list[Frame]


def copied(part: Any, seen: dict[int, Any]) -> Any:
    """A copy that no later line changes, in which what was one object is one.

    Arrays are told by which object they are, and never change: they are kept.
    """
    if id(part) in seen:
        return seen[id(part)]
    found: Any
    match part:
        case list():
            found = seen[id(part)] = type(part)()
            found.extend(copied(each, seen) for each in part)
            if hasattr(part, "kind"):
                found.kind = part.kind
            return found
        case dict():
            found = seen[id(part)] = {}
            found.update((key, copied(value, seen)) for key, value in part.items())
            return found
        case Instance():
            found = Instance(part.cls, part.number, part.layer)
        case Scope():
            found = replace(part, instance=copied(part.instance, seen))
        case tuple() if any(isinstance(each, list | dict | tuple | Instance) for each in part):
            found = tuple(copied(each, seen) for each in part)
        case Rounds():
            found = replace(part, items=copied(part.items, seen), before=list(part.before))
        case LayerCall():
            found = replace(part, instance=copied(part.instance, seen))
        case LayerCalls():
            calls = tuple(copied(each, seen) for each in part.calls)
            found = replace(part, calls=calls, handed=copied(part.handed, seen))
        case Body():
            found = replace(part)
        case _:
            return part
    seen[id(part)] = found
    return found
