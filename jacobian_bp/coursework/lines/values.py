"""The value of a line on a workspace: numpy's rule for the shapes first, then the numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ...algebra.axes import Axis
from ...errors import SpecError
from ...numbers.memory import current_limit, require_memory
from ...numbers.stable import sigmoid
from ...writing.signs import plural
from . import array_shapes, shapes
from .literals import item_of
from .meanings import EXAMPLES, UNKNOWN, Axes
from .shapes import Fit, MisfitError
from .tree import Node, short, walk
from .workspace import Workspace

MOST_AXES = 8
MOST_LOOPS = 10**9
LARGEST_SIZE = 10**6
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
            fit = self._shaped(node, operands)
            if len(fit.axes) > MOST_AXES:
                raise MisfitError(f"it has {len(fit.axes)} axes; {MOST_AXES} is the most here.")
        except MisfitError as misfit:
            raise BreakError(node, operands, misfit) from None
        if node.op == "einsum":
            _require_few_loops(node, [operand.axes for operand in operands])
        require_memory(f"diagnose_line: {short(node)}", shapes.sizes_of(fit.axes), 8, INSTEAD)
        with np.errstate(all="ignore"):
            arrays = [operand.array for operand in operands]
            if node.op == "function":
                array = self.workspace.call(node, arrays)
            elif node.op == "size":
                array = np.asarray(_size_of(node, arrays[0]), self.workspace.state.dtype)
            else:
                array = np.asarray(_numbers(node, arrays, shapes.sizes_of(fit.axes)))
        self._held += array.nbytes
        if self._held > current_limit():  # what is needed again is computed again
            self._known.clear()
            self._held = 0
        return Valued(array, fit.axes, fit)

    def _shaped(self, node: Node, operands: list[Valued]) -> Fit:
        if node.op in ("ones", "eye"):
            sizes = [
                self._size(arg, operand) for arg, operand in zip(node.args, operands, strict=True)
            ]
            return Fit(tuple(sizes * 2 if node.op == "eye" else sizes))
        if node.op in ("reshape", "view") and len(node.args) > 1:
            return self._reshaped(node, operands)
        if node.op == "tile":
            return self._tiled(node, operands)
        if node.op == "size" and node.style != ".size":
            rank = len(operands[0].axes)
            if not -rank <= int(node.text) < rank:
                raise MisfitError(f"{short(node)}: the array has {plural(rank, 'axis', 'axes')}.")
        return _fit(node, [operand.axes for operand in operands])

    def _reshaped(self, node: Node, operands: list[Valued]) -> Fit:
        """reshape(m, -1) and reshape(b2.shape): sizes that are read."""
        whole, rest = operands[0], operands[1:]
        if node.option("like"):
            fit = shapes.reshape(whole.axes, rest[0].array.shape)
            return Fit(rest[0].axes if len(rest[0].axes) == len(fit.axes) else fit.axes)
        sizes = [int(one.array) if one.array.ndim == 0 else 0 for one in rest]
        return shapes.reshape(whole.axes, tuple(sizes))

    def _tiled(self, node: Node, operands: list[Valued]) -> Fit:
        """np.tile(b2, (m, 1)): so many copies along each axis."""
        whole, *reps = operands
        copies = [self._size(arg, one) for arg, one in zip(node.args[1:], reps, strict=True)]
        rank = max(len(copies), len(whole.axes))
        axes = shapes.filled(whole.axes, rank)
        times = [Axis(UNKNOWN, 1)] * (rank - len(copies)) + copies
        return Fit(
            tuple(
                a if t.size == 1 else t if a.size == 1 else Axis(UNKNOWN, a.size * t.size)
                for a, t in zip(axes, times, strict=True)
            )
        )

    def _size(self, arg: Node, operand: Valued) -> Axis:
        """The axis that a size stands for: len(b2) the units of layer 2, m the examples."""
        size = operand.array.item() if operand.array.ndim == 0 else -1
        if size != int(size) or not 0 < size <= LARGEST_SIZE:
            raise MisfitError(f"{short(arg)} stands where a size does.")
        if arg.op == "size" and arg.style != ".size":
            place = int(arg.text)
            return self.of(arg.args[0]).axes[place]
        sizes = self.workspace.meanings.sizes
        named = [word for word, own in sizes.items() if word and own == size]
        exact = {"m": EXAMPLES}.get(arg.text)
        return Axis(exact if exact in named else UNKNOWN, int(size))

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
    if node.op in array_shapes.SHAPES:
        return array_shapes.fit_of(node, axes)
    match node.op:
        case "+" | "-" | "*" | "/" | "**" | ">" | ">=" | "<" | "<=" | "==" | "!=":
            return shapes.elementwise(node.op, first, last)
        case "maximum" | "minimum" | "heaviside":
            return shapes.elementwise(node.op, first, last)
        case "@":
            return shapes.matmul(first, last)
        case "dot":
            return shapes.matmul(first, last, op="np.dot")
        case "outer":
            return shapes.outer(first, last)
        case "T":
            return shapes.transpose(first)
        case "kron":
            return shapes.kron(first, last)
        case "where":
            return shapes.where(*axes)
        case "join":
            return shapes.joined(axes, node.option("axis"), node.text)
        case "size":
            return Fit(())
        case "function" if len(axes) > 1:
            return shapes.elementwise(node.style, first, last)
        case "sum" | "mean" | "max" | "min" | "var" | "std":
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
    "==": lambda a, b: (a == b) * 1.0,
    "!=": lambda a, b: (a != b) * 1.0,
    "heaviside": np.heaviside,
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
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "reciprocal": np.reciprocal,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "kron": np.kron,
    "same": lambda a: a * 1.0,
    "ones_like": np.ones_like,
    "zeros_like": np.zeros_like,
}


def _size_of(node: Node, array: np.ndarray) -> int:
    return array.size if node.style == ".size" else array.shape[int(node.text)]


def _numbers(node: Node, arrays: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    if node.op in array_shapes.NUMBERS:
        return array_shapes.numbers_of(node, arrays)
    match node.op:
        case "reshape" | "view" if len(arrays) > 1:
            return arrays[0].reshape(shape)
        case "tile":
            return np.tile(arrays[0], tuple(int(size) for size in arrays[1:]))
        case "ones":
            return np.ones(shape)
        case "eye":
            return np.eye(shape[0])
        case "where":
            return np.where(arrays[0] != 0, arrays[1], arrays[2])
        case "join":
            if node.text == "concatenate":
                return np.concatenate(arrays, axis=node.option("axis"))
            joins: Any = getattr(np, node.text)
            return joins[tuple(arrays)] if node.text in ("c_", "r_") else joins(arrays)
        case "sum" | "mean" | "max" | "min" | "var" | "std":
            function: Any = getattr(np, node.op)
            keep = bool(node.option("keepdims"))
            return function(arrays[0], axis=node.option("axis"), keepdims=keep)
        case "reshape":
            return arrays[0].reshape(node.option("shape"))
        case "index":
            return arrays[0][tuple(map(item_of, node.text.split(", ")))]
        case "einsum":
            return np.einsum(node.text, *arrays)
    return np.asarray(FUNCTIONS[node.op](*arrays))
