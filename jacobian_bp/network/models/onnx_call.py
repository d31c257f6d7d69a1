"""One node of an ONNX graph as a rule reads it: attributes, constants, shapes of the example."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .model import Model, Node
from .onnx_file import told


class UnknownError(Exception):
    """An attribute of a known operator that cannot be written."""


@dataclass(frozen=True, eq=False)
class Call:
    """One node of a graph, all values for the example, and what is constant."""

    node: Any
    model: Model
    values: Mapping[str, np.ndarray]
    known: Mapping[str, np.ndarray]  # numbers of initial and constant values
    fixed: set[str]
    readers: Mapping[str, list[Any]]
    called: str
    skipped: set[str]  # values that another node gives already
    called_of: Callable[[Any], str]

    def attribute(self, name: str, usual: Any = None) -> Any:
        for given in self.node.attribute:
            if given.name == name:
                kinds = {1: "f", 2: "i", 3: "s", 6: "floats", 7: "ints", 8: "strings"}
                value = getattr(given, kinds[given.type])
                if given.type == 1:  # a float32, as it was written
                    return float(f"{value:.7g}")
                if isinstance(value, bytes):
                    return value.decode()
                return value if given.type < 6 else list(value)
        return usual

    @property
    def reads(self) -> list[str | None]:
        return [key or None for key in self.node.input]

    def constant(self, place: int) -> np.ndarray | None:
        """The numbers of an operand that is constant; None where it is left out."""
        if place >= len(self.node.input) or not self.node.input[place]:
            return None
        key = self.node.input[place]
        if key not in self.fixed:
            raise UnknownError(f"its operand {key!r} is computed")
        return np.asarray(self.known[key])

    def rank(self, place: int = 0) -> int:
        return len(self.shape_of(place))

    def axes(self, place: int = 1) -> tuple[int, ...] | None:
        """The axes of a reduction: an attribute in old files, an operand in new ones."""
        given = self.attribute("axes")
        if given is None:
            array = self.constant(place)
            given = None if array is None else array.ravel().tolist()
        return None if given is None else tuple(int(a) for a in given)

    def shape_of(self, place: int = 0) -> tuple[int, ...]:
        """The shape of an operand."""
        key = self.node.input[place]
        if key in self.values:
            return tuple(self.values[key].shape)
        known = self.model.inputs.get(key)
        return np.shape(self.known[key]) if known is None else known

    def one(
        self, kind: str, reads: Sequence[str | None], gives: int | str = 0, **options: Any
    ) -> list[Node]:
        key = self.node.output[gives] if isinstance(gives, int) else gives
        shape = tuple(self.values[key].shape)
        called = self.called
        return [Node(kind, tuple(reads), key, shape, called, told(self.node), options)]


Rule = Callable[[Call], list[Node]]
