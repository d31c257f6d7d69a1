"""One call of a graph of aten functions, its arguments by the names of aten's own schema."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .model import Node


class UnknownError(Exception):
    """An option of a known function that cannot be written."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a graph: its arguments as keys and numbers, and how its value is named."""

    node: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    called: str
    told: str
    constants: Mapping[str, Any]
    numbers: dict[str, np.ndarray]  # where numbers among the operands go

    @cached_property
    def given(self) -> dict[str, Any]:
        """The arguments by the names of aten's schema, defaults filled in."""
        found = {}
        for place, argument in enumerate(self.node.target._schema.arguments):
            if place < len(self.args):
                found[argument.name] = self.args[place]
            elif argument.name in self.kwargs:
                found[argument.name] = self.kwargs[argument.name]
            else:
                found[argument.name] = getattr(argument, "default_value", None)
        return found

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    @property
    def shape(self) -> tuple[int, ...]:
        value = self.node.meta.get("val")
        first = value[0] if isinstance(value, list | tuple) else value
        return tuple(int(s) for s in getattr(first, "shape", ()))

    def rank_of(self, place: int = 0) -> int:
        """The number of axes of an argument."""
        return len(self.node.args[place].meta["val"].shape)

    def shape_of(self, place: int = 0) -> tuple[int, ...]:
        """The shape of an argument."""
        return tuple(int(s) for s in self.node.args[place].meta["val"].shape)

    def one(self, kind: str, reads: Sequence[Any], **options: Any) -> list[Node]:
        """This call as one node."""
        return [
            Node(kind, tuple(reads), self.node.name, self.shape, self.called, self.told, options)
        ]

    def output(self, place: int, kind: str, reads: Sequence[Any], **options: Any) -> Node:
        """One of several values that this call gives."""
        shape = tuple(int(s) for s in self.node.meta["val"][place].shape)
        called = f"{self.called}_{place + 1}"
        return Node(
            kind, tuple(reads), f"{self.node.name}#{place}", shape, called, self.told, options
        )

    def first(self, kind: str, reads: Sequence[Any], **options: Any) -> list[Node]:
        """The first of several values, which alone is written."""
        key = f"{self.node.name}#0"
        return [Node(kind, tuple(reads), key, self.shape, self.called, self.told, options)]


Rule = Callable[[Call], list[Node]]
