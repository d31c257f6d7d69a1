"""A model from elsewhere as data: what every importer fills, and the one builder reads.

A node is one operation with the values that it reads, in numpy's counting of axes: every axis is
there, examples included. What an importer does not know it notes as a problem, with its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import SpecError
from ...writing.signs import plural, safe

MOST_PROBLEMS = 20  # that a message lists


@dataclass(frozen=True, eq=False)
class Parameter:
    """What is trained, in the layout of this package, and how it is called elsewhere.

    `order` are the axes of the foreign array in the order of this package's: (1, 0) for a kernel
    (inputs, outputs). `rows` are its rows then, where they are in another order, and `shape` is
    that of the foreign array, where heads are an axis of it; `copies` how often it has our only
    row, once for each example of a file.
    """

    foreign: str
    array: np.ndarray
    order: tuple[int, ...] | None = None
    rows: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None
    copies: int = 1

    def given_back(self, array: np.ndarray) -> np.ndarray:
        """An array of this package's layout in the foreign one, as a new array."""
        found = np.array(array) if self.rows is None else array[np.argsort(self.rows)]
        found = np.repeat(found, self.copies, axis=0) if self.copies > 1 else found
        if self.order is not None:
            found = np.ascontiguousarray(found.transpose(np.argsort(self.order)))
        return found if self.shape is None else found.reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Node:
    """One operation: its kind, what it reads (None where an operand is left out), its options.

    `gives` is the key of its value, `shape` the shape of that for the example, `called` what it
    should be named, `place` where in the model it stands.
    """

    kind: str
    reads: tuple[str | None, ...]
    gives: str
    shape: tuple[int, ...]
    called: str
    place: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Model:
    """The graph of a model: keys of its inputs, parameters and constants, and its nodes in order.

    `inputs` has the shape of each input of the example; `names` how inputs are called here,
    `called` how constants are; `copies` says whether a parameter may be there once for each
    example, as exporters have it.
    """

    source: str
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    outputs: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    called: dict[str, str] = field(default_factory=dict)
    copies: bool = False

    def wrong(self, place: str, fact: str, instead: str = "") -> None:
        """Note what cannot be read; `done` raises all at once."""
        line = f"{safe(place)}: {fact}" + (f"; {instead}" if instead else "")
        if line not in self.problems:
            self.problems.append(line)

    def done(self) -> None:
        """SpecError with every problem that was noted."""
        if not self.problems:
            return
        more = len(self.problems) - MOST_PROBLEMS
        shown = [*self.problems[:MOST_PROBLEMS], *([f"… and {more:,} more"] if more > 0 else [])]
        raise SpecError(
            f"{safe(self.source)} cannot be written as a program: "
            f"{plural(len(self.problems), 'problem')}.\n"
            + "\n".join(f"  {line}" for line in shown)
            + "\n  What is read stands in docs/models.md; leave the rest out, or write it as a "
            "program."
        )
