"""∂f/∂θ: a value by several parameters at once, their Jacobians side by side.

    ∂f/∂θ = [ ∂f/∂W1 | ∂f/∂b1 | ∂f/∂W2 | … ],  shape (…f, P)

Each parameter's entries are counted row by row; P is the number of all of them.
One sweep from f down serves all blocks, and each block is written once, where it
belongs in the whole.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate as running
from types import MappingProxyType
from typing import Any

import numpy as np

from ..algebra import chain_rule
from ..algebra.axes import Axis
from ..algebra.expression import Dense, Expression
from ..algebra.finite import surely_finite
from ..algebra.handed_out_stacked import HandedOutStacked, Placed
from ..algebra.nodes_and_links import Link, Node
from ..algebra.pictured_blocks import pictured_blocks
from ..algebra.products.placing import evaluate, written_to
from ..algebra.products.placing_planned import Spot, Writer
from ..chunks.chunked import LARGEST, Chunked, Chunks
from ..chunks.in_chunks import FOR_ENTRIES, InChunks, fitting
from ..document.picture import Picture
from ..errors import AxisError, SpecError
from ..numbers.arrays import is_finite, quiet
from ..numbers.memory import format_bytes, nbytes, require_memory
from ..numbers.named_vectors import of_one, of_variables
from ..program.forward_pass import Pass
from ..writing.latex import formula
from ..writing.notebook import grid, page
from ..writing.shown import Shown
from ..writing.signs import did_you_mean, dims, for_stream, plural, safe, to_ascii, type_of
from .overflow import refuse
from .stacked_in_chunks import chunked
from .structured import recorded

MOST_BLOCKS = 6  # in a formula
SMALL = 2**16  # entries: so many are looked at sooner than their factors


@dataclass(frozen=True, eq=False)
class StackedJacobian(HandedOutStacked, InChunks, Shown):
    """∂of/∂(several variables), the axes of `of` first, then one axis for all entries.

    In a batch row n of the result is example n's own Jacobian: a parameter is
    shared, and each example differentiates by it for itself.
    """

    state: Pass
    of: str
    wrt: tuple[str, ...]

    @cached_property
    def out_axes(self) -> tuple[Axis, ...]:
        """The axes of the value, the batch in front where it has one."""
        return self.state.axes(self.of)

    @cached_property
    def variables(self) -> tuple[Node, ...]:
        """The variables with their axes, in the order of the blocks."""
        return tuple(self.state.node(name) for name in self.wrt)

    def __reduce__(self) -> tuple[Any, ...]:
        """Its three parts alone travel: what was worked out from them is worked out again."""
        return type(self), (self.state, self.of, self.wrt)

    @property
    def dtype(self) -> np.dtype:
        return self.state.dtype

    @property
    def name(self) -> str:
        """∂of/∂(W1, b1, …)"""
        return f"∂{self.of}/∂({', '.join(self.wrt)})"

    @cached_property
    def columns(self) -> Mapping[str, slice]:
        """Where each variable's entries lie along the last axis."""
        sizes = [self.state.values[name].size for name in self.wrt]
        places = zip(self.wrt, sizes, running(sizes), strict=True)
        return MappingProxyType({name: slice(stop - size, stop) for name, size, stop in places})

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The axes of the value, then the number of entries of all variables."""
        width = sum(self.state.values[name].size for name in self.wrt)
        return (*self.state.values[self.of].shape, width)

    @property
    def nbytes(self) -> int:
        """The bytes of `materialise()`, predicted; nothing is built."""
        return nbytes(self.shape, self.dtype.itemsize)

    @property
    def structural_nonzeros(self) -> int:
        """Entries that are not zero for every input; nothing is built."""
        return sum(block.structural_nonzeros for block, *_ in self.placed())

    @property
    def front(self) -> tuple[str, ...]:
        """The axes of the value."""
        return tuple(axis.name for axis in self.out_axes)

    def placed(self) -> Iterator[Placed]:
        """Each block, and its first row and column among the entries."""
        for name in self.wrt:
            yield self.state.jacobian(self.of, name), 0, self.columns[name].start

    @quiet
    def materialise(self, out: np.ndarray | None = None) -> np.ndarray:
        """The whole array: new, or written into `out`, which is then returned.

        Structural zeros are placed, never computed. Raises MemoryLimitError before
        anything is built, AxisError where `out` has another shape or dtype, and
        DomainError where an entry is not finite.
        """
        if out is None:
            instead = f"Use J.pull(v); {FOR_ENTRIES}."
            require_memory(self.name, self.shape, self.dtype.itemsize, instead)
            out = np.zeros(self.shape, self.dtype)
        else:
            self._require_fit(out)
            out[...] = 0.0
        sweep, arrays = recorded(self.state, self.of, self.wrt)
        if "stacked" not in sweep.plans:
            sweep.plans["stacked"] = self._planned(sweep.expressions)
        for start, stop, write in sweep.plans["stacked"]:
            write(arrays[start:stop], out)
        if out.size > SMALL or not is_finite(out):
            self._require_finite(sweep.expressions, arrays, out)
        return out

    def _planned(self, found: Sequence[Expression]) -> list[tuple[int, int, Writer]]:
        """For each block which arrays are its own, and what writes it to its place in the whole."""
        planned, start = [], 0
        for node, expression in zip(self.variables, found, strict=True):
            stop = start + len(expression.arrays)
            write = written_to(expression, self._spot(node), self.dtype)
            planned.append((start, stop, write))
            start = stop
        return planned

    def _spot(self, node: Node) -> Spot:
        """Where a block lies in the whole: a row for each entry of the value."""
        rows, step, width = self.out_axes, self.dtype.itemsize, self.shape[-1]
        sizes = (*(axis.size for axis in rows), *node.shape)
        down = [math.prod(sizes[n + 1 : len(rows)]) * width * step for n in range(len(rows))]
        along = [math.prod(node.shape[n + 1 :]) * step for n in range(len(node.shape))]
        axes = (*(axis.name for axis in rows), *node.primed)
        return Spot(axes, sizes, (*down, *along), self.columns[node.name].start * step)

    def _require_finite(
        self, found: Sequence[Expression], arrays: Sequence[np.ndarray], out: np.ndarray
    ) -> None:
        """DomainError where a block has an entry that is not finite, told by its factors first."""
        own = iter(arrays)
        for node, expression in zip(self.variables, found, strict=True):
            block = out[..., self.columns[node.name]]
            if not surely_finite(expression.holding(own), self.dtype) and not is_finite(block):
                start = f"{self.of} and the values before it are finite; a product of slopes"
                name = f"∂{self.of}/∂{node.name}"
                shaped = block.reshape(*out.shape[:-1], *node.shape)
                refuse(self.state, self.of, node.name, shaped, name, start)

    @quiet
    def pull(self, cotangent: Any) -> np.ndarray:
        """Σ_out v[out] J[out,p], with the entries of all variables row by row; J is not built.

        v may be a dict {of: array}; found[J.columns["W1"]] are the entries of W1. One sweep from
        `of` down serves all variables. Raises AxisError where v has not the shape of `of`,
        SpecError for a dict of other names, and DomainError where an entry is not finite.
        """
        value = Node(self.of, self.out_axes)
        hint = f"Pass an array of the shape of {self.of}."
        itself = self.name, self.shape
        cotangent = of_one(cotangent, self.of, f"{self.name}.pull", "cotangent")
        v = fitting(cotangent, "cotangent", value.shape, self.name, itself, hint)
        nodes, links = self._graph
        start = Expression.of(Dense("v", value.primed, v))
        sinks = {place for place, node in enumerate(nodes) if node.name in self.wrt}
        found = chain_rule.reverse(nodes, links, start, sinks=sinks, of=f"(v·{self.of})")
        by_name = {nodes[place].name: expression for place, expression in found.items()}
        parts = []
        for node in self.variables:
            part = self._evaluated(by_name.get(node.name), node.primed, node.shape)
            if not is_finite(part):
                start_of = f"{self.of}, the values before it and v are finite; a product of slopes"
                name = f"v ∂{self.of}/∂{node.name}"
                refuse(self.state, self.of, node.name, part, name, start_of)
            parts.append(part.reshape(-1))
        return np.concatenate(parts)

    @quiet
    def push(self, tangent: Any) -> np.ndarray:
        """Σ_p J[out,p] u[p], u with the entries of all variables row by row; J is not built.

        u may be a dict of arrays by name instead; a variable that it does not name counts as one
        whose u is 0. One sweep from the variables up to `of`. Raises AxisError where u has another
        length or shape, SpecError for a name that is no variable, and DomainError where an entry is
        not finite.
        """
        listed = ", ".join(self.wrt)
        hint = f"Pass the entries of {listed}, row by row, as one vector."
        itself = self.name, self.shape
        row = side_by_side(tangent, self.variables, f"{self.name}.push")
        u = fitting(row, "tangent", self.shape[-1:], self.name, itself, hint)
        nodes, links = self._graph
        start = {}
        for place, node in enumerate(nodes):
            if node.name in self.wrt:
                part = u[self.columns[node.name]].reshape(node.shape)
                start[place] = Expression.of(Dense("u", node.plain, part))
        found = chain_rule.forward(nodes, links, start, by=f"({listed})")
        value = nodes[0]
        product = self._evaluated(found, value.plain, value.shape)
        if not is_finite(product):
            start_of = f"{self.of}, the values before it and u are finite; a product of slopes"
            refuse(self.state, self.of, self.wrt[0], product, f"{self.name} u", start_of)
        return product

    @cached_property
    def _graph(self) -> tuple[list[Node], list[Link]]:
        """What lies on a path from a variable to the value, the value first."""
        names, steps = self.state.dependents(self.wrt, self.of)
        nodes = [self.state.node(name) for name in names or [self.of]]
        return nodes, self.state.links(names, steps)

    def _evaluated(
        self, expression: Expression | None, axes: Sequence[str], shape: tuple[int, ...]
    ) -> np.ndarray:
        if expression is None:
            return np.zeros(shape, self.dtype)
        return evaluate(expression, axes, dict(zip(axes, shape, strict=True)), self.dtype)

    def in_chunks(self, chunks: Chunks, who: str) -> Chunked:
        """The same array as chunks of rows that are not made yet."""
        return chunked(self, chunks, who)

    def blocks(
        self, max_bytes: int | str = LARGEST
    ) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """(slices, array) of rows after rows: each block is placed by itself from one sweep.

        Raises DomainError for no number of bytes and for less than one row of all variables;
        then, at its block, for an entry that is not finite.
        """
        found = chunked(self, max_bytes, f"{self.name}.blocks", "max_bytes")
        return ((found.slices(place), make()) for place, make in found.made())

    def _require_fit(self, out: Any) -> None:
        if isinstance(out, str):
            raise AxisError(
                f"{self.name}: several variables side by side have one layout, flat.\n"
                f"  Write materialise(), or one block: run.jacobian({self.of!r}, "
                f"{self.wrt[0]!r}).materialise({out!r})."
            )
        fits = isinstance(out, np.ndarray) and out.shape == self.shape and out.dtype == self.dtype
        if not fits:
            found = f"is {type_of(out)}"
            if isinstance(out, np.ndarray):
                found = f"has shape {dims(out.shape)} and dtype {out.dtype}"
            raise AxisError(
                f"{self.name}: out does not fit.\n"
                f"  out {found}\n"
                f"  the Jacobian has shape {dims(self.shape)} and dtype {self.dtype}\n"
                f"  Pass np.empty({dims(self.shape)}, np.{self.dtype})."
            )
        if not (out.flags.writeable and out.flags.c_contiguous):
            raise AxisError(
                f"{self.name}: out is not a writable array in C order.\n"
                f"  Pass np.empty({dims(self.shape)}, np.{self.dtype})."
            )

    def picture(self) -> Picture:
        """The blocks as a picture; of many entries how many can be other than zero."""
        return pictured_blocks(
            self.name,
            self._facts(),
            [Node(self.of, self.out_axes)],
            self.variables,
            self.state.jacobian,
            self.materialise,
        )

    def text(self, ascii_only: bool = False) -> str:
        """The blocks and their columns, and the bytes of the whole."""
        width = max(len(node.name) for node in self.variables)
        lines = [f"{self.name}, {self._facts()}"]
        for node in self.variables:
            lines.append(
                f"  {node.name:<{width}}  {_place(self.columns[node.name])}: "
                f"the entries of shape {dims(node.shape)}, row by row"
            )
        text = "\n".join(lines)
        return to_ascii(text) if ascii_only else text

    def _facts(self) -> str:
        blocks = plural(len(self.variables), "block")
        size = format_bytes(self.nbytes)
        return f"layout flat, shape {dims(self.shape)}: {blocks} side by side, {size}"

    def __str__(self) -> str:
        return for_stream(self.text())

    def __repr__(self) -> str:
        return f"<StackedJacobian {self.name}, shape {dims(self.shape)}>"

    def latex(self) -> str:
        """The blocks side by side as LaTeX, without delimiters; of many the first and the last."""
        whole, blocks = self._blocks()
        beside = r"\;\middle|\;".join(map(formula, blocks))
        return rf"{formula(whole)}=\left[\,{beside}\,\right]"

    def _blocks(self) -> tuple[str, list[str]]:
        """The whole, and its blocks; of many the first and the last."""
        of, names = self.of, list(self.wrt)
        blocks = [f"∂{of}/∂{name}" for name in names]
        if len(names) > MOST_BLOCKS:
            names[2:-1], blocks[2:-1] = ["…"], ["…"]
        return f"∂{of}/∂({', '.join(names)})", blocks

    def _repr_html_(self) -> str:
        """For a notebook: the blocks as a formula, and where each of them lies."""
        of, columns = self.of, self.columns
        rows = [
            (f"∂{of}/∂{node.name}", _place(columns[node.name]), dims(node.shape))
            for node in self.variables
        ]
        heads = ("block", "in the last axis", "row by row the entries of shape")
        whole, blocks = self._blocks()
        return page(f"{whole} = ( {' | '.join(blocks)} )", [self._facts()], grid(heads, rows))


def _place(part: slice) -> str:
    """columns 3 to 7, or column 3"""
    if part.stop - part.start == 1:
        return f"column {part.start:,}"
    if part.stop == part.start:
        return "no column"
    return f"columns {part.start:,} to {part.stop - 1:,}"


def side_by_side(tangent: Any, variables: Sequence[Node], who: str) -> Any:
    """The arrays of a dict in one row, variable after variable; what is no dict, as it is."""
    if not isinstance(tangent, Mapping):
        return tangent
    shapes = {node.name: node.shape for node in variables}
    for name in tangent:
        if name not in shapes:
            shown, guess = safe(repr(name)[:60]), did_you_mean(str(name), shapes)
            raise SpecError(
                f"{who}: {shown} is none of its variables.{guess}\n  They are {', '.join(shapes)}."
            )
    given = of_variables(tangent, shapes, who, "tangent")
    rows = [given.get(node.name, np.zeros(node.shape)).reshape(-1) for node in variables]
    return np.concatenate(rows)
