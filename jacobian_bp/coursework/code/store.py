"""One store of a walk: a line puts a value under a name."""

import ast
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PLAIN, ADDED, MASKED, UPDATE, BREAK, UNREAD = "=", "+=", "mask", "update", "break", "unread"


class Quantity(NamedTuple):
    """What an array is: a value, ∂J/∂ a value, the slope at one, or output minus label.

    >>> print(Quantity("gradient", "W2"), Quantity("slope", "z1"))
    ∂J/∂W2 the slope at z1
    """

    kind: str
    of: str

    def __str__(self) -> str:
        if self.kind == "error":
            return f"{self.of} − y"
        return {"gradient": "∂J/∂", "slope": "the slope at "}.get(self.kind, "") + self.of

    @property
    def is_parameter_gradient(self) -> bool:
        return self.kind == "gradient" and self.of[0] in "Wb"

    @property
    def is_derivative(self) -> bool:
        return self.kind in ("gradient", "error")


@dataclass
class Store:
    """One store: its line, the name, the value, and which earlier stores it read.

    `place` is the quantity that the place says, as nabla_w[-2] does; an update W -= lr * G
    stores G, with `sign` -1 where it is added.
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
