"""The value of a line on a workspace: numpy's rule for the shapes first, then the numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ...errors import SpecError
from ...numbers.memory import current_limit, require_memory
from ...numbers.stable import sigmoid
from . import shapes
from .meanings import Axes
from .shapes import Fit, MisfitError
from .tree import Node, short, walk
from .workspace import Workspace

MOST_AXES = 8
MOST_LOOPS = 10**9
INSTEAD = "Sum or contract before this step; np.einsum does both at once."


@dataclass(frozen=True, eq=False)
class Valued:
    """An array, what its axes mean, and how numpy came to its shape."""

    array: np.ndarray
    axes: Axes
    fit: Fit


class BreakError(Exception):
    """numpy refuses the line at `node`, whose operands have these values."""

    def __init__(self, node: Node, operands: list[Valued], misfit: MisfitError):
        super().__init__(misfit.why)
        self.node, self.operands, self.misfit = node, operands, misfit


class Values:
    """Values of trees on one workspace, each part computed once."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._known: dict[Node, Valued | BreakError] = {}
        self._held = 0  # bytes of what is known

    def of(self, node: Node) -> Valued:
        """The value, or BreakError; SpecError for an unknown name, MemoryLimitError for a giant."""
        found = self._known.get(node)
        if found is None:
            try:
                found = self._compute(node)
            except BreakError as breaks:
                found = breaks
            self._known[node] = found
        if isinstance(found, BreakError):
            raise found.with_traceback(None)
        return found

    def parts(self, node: Node) -> list[tuple[Node, Valued]]:
        """Every operation of a line that has a value, in the order of computing."""
        return [(part, self.of(part)) for part in dict.fromkeys(walk(node))]

    def _compute(self, node: Node) -> Valued:
        if node.op == "number":
            number = np.asarray(float(node.text), self.workspace.state.dtype)
            return Valued(number, (), Fit(()))
        if node.op in ("name", "slope"):
            return self._named(node)
        operands = [self.of(arg) for arg in node.args]
        try:
            fit = _fit(node, [operand.axes for operand in operands])
            if len(fit.axes) > MOST_AXES:
                raise MisfitError(f"it has {len(fit.axes)} axes; {MOST_AXES} is the most here.")
        except MisfitError as misfit:
            raise BreakError(node, operands, misfit) from None
        if node.op == "einsum":
            _require_few_loops(node, [operand.axes for operand in operands])
        require_memory(f"diagnose_line: {short(node)}", shapes.sizes_of(fit.axes), 8, INSTEAD)
        with np.errstate(all="ignore"):
            array = np.asarray(_numbers(node, [operand.array for operand in operands]))
        self._held += array.nbytes
        if self._held > current_limit():  # what is needed again is computed again
            self._known.clear()
            self._held = 0
        return Valued(array, fit.axes, fit)

    def _named(self, node: Node) -> Valued:
        if node.op == "name":
            array, axes = self.workspace.read(node.text)
        elif node.args[0].op == "name":
            array, axes = self.workspace.slope(node.args[0].text)
        else:
            self.of(node.args[0])
            misfit = MisfitError("slope takes the name of a pre-activation, such as slope(z2).")
            raise BreakError(node, [], misfit)
        return Valued(array, axes, Fit(axes))


def _require_few_loops(node: Node, axes: list[Axes]) -> None:
    loops = prod(shapes.einsum_loops(node.text, axes))
    if loops > MOST_LOOPS:
        raise SpecError(
            f"diagnose_line: {short(node, 24)} runs through {loops:.1e} products; "
            f"{MOST_LOOPS:.0e} is the most.\n  {INSTEAD}"
        )


def _fit(node: Node, axes: list[Axes]) -> Fit:
    """The rule for the shape of one operation."""
    first, last = axes[0], axes[-1]
    match node.op:
        case "+" | "-" | "*" | "/" | "**" | ">" | ">=" | "<" | "<=":
            return shapes.elementwise(node.op, first, last)
        case "@":
            return shapes.matmul(first, last)
        case "dot":
            return shapes.matmul(first, last, op="np.dot")
        case "outer":
            return shapes.outer(first, last)
        case "T":
            return shapes.transpose(first)
        case "sum" | "mean":
            return shapes.reduce(first, node.option("axis"), bool(node.option("keepdims")))
        case "reshape":
            return shapes.reshape(first, node.option("shape"))
        case "diag":
            return shapes.diag(first)
        case "index":
            return shapes.index(first, node.text)
        case "einsum":
            return shapes.einsum(node.text, axes)
    return Fit(first)  # elementwise functions


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "@": np.matmul,
    ">": lambda a, b: (a > b) * 1.0,
    ">=": lambda a, b: (a >= b) * 1.0,
    "<": lambda a, b: (a < b) * 1.0,
    "<=": lambda a, b: (a <= b) * 1.0,
    "dot": np.dot,
    "outer": np.outer,
    "neg": np.negative,
    "T": np.transpose,
    "diag": np.diag,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "exp": np.exp,
    "log": np.log,
    "sign": np.sign,
    "ones_like": np.ones_like,
}


def _numbers(node: Node, arrays: list[np.ndarray]) -> np.ndarray:
    match node.op:
        case "sum" | "mean":
            function = np.sum if node.op == "sum" else np.mean
            keep = bool(node.option("keepdims"))
            return function(arrays[0], axis=node.option("axis"), keepdims=keep)
        case "reshape":
            return arrays[0].reshape(node.option("shape"))
        case "index":
            words = node.text.split(", ")
            return arrays[0][tuple(slice(None) if word == ":" else None for word in words)]
        case "einsum":
            return np.einsum(node.text, *arrays)
    return np.asarray(FUNCTIONS[node.op](*arrays))
