"""One store of a walk: a line puts a value under a name."""

import ast
from dataclasses import dataclass, field
from typing import Any

from ..lines.vocabulary import Quantity

PLAIN, ADDED, MASKED, UPDATE, BREAK, UNREAD = "=", "+=", "mask", "update", "break", "unread"


@dataclass
class Store:
    """One store: its line, the name, the value, and which earlier stores it read.

    `place` is the quantity that the place says, as nabla_w[-2] does; an update W -= lr * G
    stores G, with `sign` -1 where it is added, and `before`, the W that it finds. It `decays`
    where G is a penalty's share alone, as in W -= lr * reg * W. What is `carried` from step to
    step, as V = beta * V + (1 - beta) * dW, has no value that a run could tell. `example` is the
    example whose round of a loop over the examples it stands in.
    """

    line: int
    path: str
    value: Any
    statement: ast.stmt
    reads: list[int] = field(default_factory=list)
    knows: set[Quantity] = field(default_factory=set)
    kind: str = PLAIN
    place: Quantity | None = None
    sign: int = 1
    error: str = ""
    before: Any = None
    decays: bool = False
    carried: bool = False
    example: int | None = None
