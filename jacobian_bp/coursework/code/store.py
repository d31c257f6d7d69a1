"""One store of a walk: a line puts a value under a name."""

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from ..lines.vocabulary import Quantity

PLAIN, ADDED, MASKED, UPDATE, BREAK, UNREAD = "=", "+=", "mask", "update", "break", "unread"
COMPARING = ("maximum", "minimum", "clip", "heaviside", "sign")  # with 0


@dataclass
class Store:
    """One store: its line, the name, the value, and which earlier stores it read.

    `place` is the quantity that the place says, as nabla_w[-2] does; an update W -= lr * G
    stores G, with `sign` -1 where it is added, and `before`, the W that it finds. It `decays`
    where G is a penalty's share alone, as in W -= lr * reg * W. What is `carried` from step to
    step, as V = beta * V + (1 - beta) * dW, has no value that a run could tell. `example` is the
    example whose round of a loop over the examples it stands in. Inside of a function that is
    called, `calls` has the lines of the calls, the outermost first, `holder` says which call or
    which object the name belongs to, and `visible` has the arrays that can be read there.
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
    calls: tuple[int, ...] = ()
    holder: int = 0
    visible: dict[str, Any] = field(default_factory=dict)
    time: int | None = None  # of the steps of a recurrent network, which round it stands in
    is_local: bool = False  # its name says nothing by itself
    is_returned: bool = False  # it is computed in the text's own return

    @property
    def is_of_a_round(self) -> bool:
        """Whether it stands in a round of a loop over the examples or over the steps."""
        return self.example is not None or self.time is not None

    @property
    def said(self) -> str:
        """Its name as the text has it: an attribute of an object is one of self there."""
        return re.sub(r"#\d+\.", "self.", self.path)

    @property
    def is_masked_by_itself(self) -> bool:
        """Whether a line compares what it changes: dA1[dA1 <= 0] = 0, np.maximum(dA1, 0)."""
        changed = getattr(self.statement, "targets", [getattr(self.statement, "target", None)])
        bases = [t.value if isinstance(t, ast.Subscript) else t for t in changed if t]
        own = {ast.unparse(node) for node in [*changed, *bases] if node}
        compared: list[ast.expr] = []
        for node in ast.walk(self.statement):
            if isinstance(node, ast.Compare):
                compared += [node.left, *node.comparators]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(COMPARING):
                compared += node.args
        return any(ast.unparse(node) in own for node in compared)

    def same_place(self, other: "Store") -> bool:
        """Whether two stores put something under the same name of the same call or object."""
        return self.path == other.path and self.holder == other.holder
