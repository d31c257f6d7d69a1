"""∂²f/∂θ²: a value by several parameters at once, all blocks in one matrix.

    ∂²f/∂θ² = [ ∂²f/∂W1²    ∂²f/∂W1∂b1  … ]
              [ ∂²f/∂b1∂W1  ∂²f/∂b1²    … ],  shape (…f, P, P)

Each parameter's entries are counted row by row. The graph is doubled once, and one sweep from
each ∂f/∂p down serves a whole row of blocks; each is written once, into its place.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate as running
from math import prod
from types import MappingProxyType

import numpy as np

from ..algebra.expression import Expression
from ..algebra.handed_out_stacked import HandedOutStacked, Placed
from ..algebra.nodes_and_links import Node
from ..algebra.pictured_blocks import pictured_blocks
from ..algebra.tape import StandIn
from ..chunks.chunked import LARGEST, Chunked, Chunks
from ..chunks.in_chunks import InChunks
from ..document.picture import Picture, framed
from ..errors import AxisError, JacobianError, SpecError
from ..numbers.arrays import as_array, is_finite, kept, quiet, require_finite
from ..numbers.memory import format_bytes, nbytes, require_memory
from ..program.bends import second_name
from ..program.forward_pass import Pass
from ..writing.latex import formula
from ..writing.notebook import page
from ..writing.shown import Shown
from ..writing.signs import dims, for_stream, plural, to_ascii
from .counted_blocks import nonzeros_in_row
from .cut import Cut, cut_of
from .doubled_graph import Bend, DoubledGraph, doubled
from .hessian import Hessian, hessian
from .hessian_in_chunks import chunked
from .hessian_vector import replayed_product
from .planned_blocks import Block, Planned, plan_blocks, upper_blocks, write_blocks
from .recorded_sweeps import Record, replayed


@dataclass(frozen=True, eq=False)
class StackedHessian(HandedOutStacked, InChunks, Shown):
    """∂²of/∂(several variables)²: the axes of `of`, then two axes for all entries."""

    state: Pass
    of: str
    wrt: tuple[str, ...]
    part: str = ""  # Gauss-Newton, residual, or empty for the whole

    @property
    def variables(self) -> tuple[Node, ...]:
        """The variables with their axes, in the order of the blocks."""
        return tuple(self.state.node(name) for name in self.wrt)

    @property
    def dtype(self) -> np.dtype:
        return self.state.dtype

    @property
    def name(self) -> str:
        """∂²J/∂(W1, b1, …)²"""
        whole = f"∂²{self.of}/∂({', '.join(self.wrt)})²"
        return f"{self.part} part of {whole}" if self.part else whole

    @property
    def cut(self) -> Cut:
        """Where the network is taken to end."""
        return cut_of(self.state, self.of, self.wrt)

    @property
    def places(self) -> Mapping[str, slice]:
        """Where each variable's entries lie along the last axis, and along the one before it."""
        sizes = [prod(node.shape) for node in self.variables]
        stops = [*running(sizes)]
        found = zip(self.wrt, sizes, stops, strict=True)
        return MappingProxyType({name: slice(stop - size, stop) for name, size, stop in found})

    @property
    def shape(self) -> tuple[int, ...]:
        """The axes of the value, then twice the number of entries of all variables."""
        entries = sum(prod(node.shape) for node in self.variables)
        return (*(axis.size for axis in self.state.axes(self.of)), entries, entries)

    @property
    def nbytes(self) -> int:
        """The bytes of `materialise()`, predicted; nothing is built."""
        return nbytes(self.shape, self.dtype.itemsize)

    @property
    def structural_nonzeros(self) -> int:
        """Entries that are not zero for every input; nothing is built."""
        graph, found = self.graph(), 0
        for place, first in enumerate(self.wrt):
            counts = nonzeros_in_row(self.state, graph, first, self.wrt[place:])
            # a block below the diagonal has as many as that above it
            found += sum(number * (1 if name == first else 2) for name, number in counts.items())
        return found

    @property
    def gauss_newton(self) -> "StackedHessian":
        """The blocks of what bends at and behind the network's output, and of penalties."""
        return replace(self, part="Gauss-Newton")

    @property
    def residual(self) -> "StackedHessian":
        """The blocks of what bends inside the network."""
        return replace(self, part="residual")

    def block(self, first: str, second: str) -> Hessian:
        """∂²of/∂first∂second, structured."""
        found = hessian(self.state, self.of, first, second)
        if not self.part:
            return found
        return found.residual if self.part == "residual" else found.gauss_newton

    @property
    def front(self) -> tuple[str, ...]:
        """The axes of the value."""
        return tuple(axis.name for axis in self.state.axes(self.of))

    def placed(self) -> Iterator[Placed]:
        """Each block, and its first row and column among the entries."""
        starts = {name: part.start for name, part in self.places.items()}
        for first, row in starts.items():
            for second, column in starts.items():
                yield self.block(first, second), row, column

    @quiet
    def materialise(self) -> np.ndarray:
        """The whole matrix: a new array.

        Structural zeros are placed, never computed. Raises MemoryLimitError before anything is
        built, and DomainError where an entry is not finite.
        """
        instead = f'Use run.hvp({{"{self.wrt[0]}": v}}), which builds nothing, or one block: '
        instead += f'run.hessian("{self.wrt[0]}", "{self.wrt[-1 if len(self.wrt) < 2 else 1]}").'
        if self.shape[:-2]:
            instead = "Use H.push(v), or one block: H.block(p, q)."
        require_memory(self.name, self.shape, self.dtype.itemsize, instead)
        record, arrays = self._replayed()
        found = np.zeros(self.shape, self.dtype)
        write_blocks(record.plan, arrays, found, self._require_finite)
        return found

    @quiet
    def factored(self) -> dict[tuple[str, str], Expression]:
        """Each block on and above the diagonal that is not 0, as a sum of products: its storage.

        A block below the diagonal is that above it, its axes in the other order. Raises
        DomainError where a factor has an entry that is not finite.
        """

        def sweep(graph: DoubledGraph, _: Sequence[StandIn]) -> Mapping[Block, Expression]:
            return upper_blocks(self.state, self._chosen(graph), self.wrt, sums_stay=True)

        def planned(found: Mapping[Block, Expression]) -> dict[Block, Expression]:
            return {block: expression.kept() for block, expression in found.items()}

        graph = self.of, self.wrt, self.wrt
        asked = "factored", self.part
        record, arrays = replayed(self.state, asked, graph, sweep, plan=planned)
        for array in arrays:
            kept(array, own=True)  # a new one, or one that is kept already
        distinct = {id(array): array for array in arrays}.values()  # blocks share arrays
        are_finite = all(map(is_finite, distinct))
        following, found = iter(arrays), {}
        for (first, second, _), block in record.plan.items():
            found[first, second] = block.holding(following)
            if not are_finite:
                for array in found[first, second].arrays:
                    self._require_finite(array, first, second)
        return found

    @quiet
    def diagonal(self) -> np.ndarray:
        """The diagonal, of shape (…of, P): the matrix is not built."""
        front = self.shape[:-2]
        parts = [self.block(name, name).diagonal() for name in self.wrt]
        return np.concatenate([part.reshape((*front, -1)) for part in parts], axis=-1)

    @quiet
    def push(self, vector: object) -> np.ndarray:
        """H v for a v with the entries of all variables, row by row: the matrix is not built."""
        v = as_array(vector, "vector")
        require_finite(v, "vector", "Pass a finite vector.")
        if v.shape != self.shape[-1:]:
            raise AxisError(
                f"{self.name}: the vector does not fit.\n"
                f"  vector has shape {dims(v.shape)}\n"
                f"  the variables have {self.shape[-1]:,} entries\n"
                f"  Pass the entries of {', '.join(self.wrt)}, row by row, as one vector."
            )
        places, shapes = self.places, {node.name: node.shape for node in self.variables}
        given = {name: v[places[name]].reshape(shapes[name]) for name in self.wrt}
        if self.shape[:-2]:
            return self._pushed(given)
        found = replayed_product(self.state, self.of, given, self.part, self._chosen)
        return np.concatenate([found[name].reshape(-1) for name in self.wrt])

    def in_chunks(self, chunks: Chunks, who: str) -> Chunked:
        """The same matrix as chunks of rows that are not made yet."""
        return chunked(self, chunks, who)

    def blocks(
        self, max_bytes: int | str = LARGEST
    ) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """(slices, array) of rows after rows of the matrix of a scalar, each H e for its unit e.

        Raises AxisError where `of` is no scalar, DomainError for no number of bytes and for less
        than one row; then, at its block, for an entry that is not finite.
        """
        found = chunked(self, max_bytes, f"{self.name}.blocks", "max_bytes")
        return ((found.slices(place), make()) for place, make in found.made())

    def _pushed(self, given: Mapping[str, np.ndarray]) -> np.ndarray:
        """H v block by block, the axes of `of` in front."""
        front = self.shape[:-2]
        rows = []
        for first in self.wrt:
            parts = [self.block(first, name).push(v) for name, v in given.items()]
            rows.append(np.add.reduce(parts).reshape((*front, -1)))
        found = np.concatenate(rows, axis=-1)
        self.graph().require_finite(found, f"{self.name} v", ", v")
        return found

    def graph(self) -> DoubledGraph:
        """The doubled graph of all blocks, with the links that bend in this part."""
        return self._chosen(doubled(self.state, self.of, self.wrt, self.wrt))

    def _chosen(self, graph: DoubledGraph) -> DoubledGraph:
        """The graph with the links that bend in this part."""
        if not self.part:
            return graph
        inside, wanted = self.cut.inside, self.part == "residual"

        def chosen(bend: Bend) -> bool:
            return (bend.bent.step.name in inside) == wanted

        return graph.keeping(chosen)

    def _replayed(self) -> tuple[Record, list[np.ndarray]]:
        """The blocks on and above the diagonal, planned, and the arrays of their formulas."""

        def sweep(graph: DoubledGraph, _: Sequence[StandIn]) -> Mapping[Block, Expression]:
            return upper_blocks(self.state, self._chosen(graph), self.wrt)

        def planned(found: Mapping[Block, Expression]) -> list[Planned]:
            return plan_blocks(found, self.places, self.variables, self.shape, self.dtype)

        graph = self.of, self.wrt, self.wrt
        return replayed(self.state, ("blocks", self.part), graph, sweep, plan=planned)

    def _require_finite(self, block: np.ndarray, first: str, second: str) -> None:
        if not is_finite(block):
            self.graph().require_finite(block, second_name(self.of, first, second))

    def picture(self) -> Picture:
        """The blocks as a picture; of many entries how many can be other than zero.

        Raises SpecError where the value is no scalar: a Hessian for each of its entries.
        """
        if self.shape[:-2]:
            raise SpecError(
                f"{self.name}: a matrix for each entry of {self.of}, shape "
                f"{dims(self.shape[:-2])}, is not drawn.\n"
                f"  Draw that of a scalar, such as run.hessian({list(self.wrt)!r})."
            )
        nodes = self.variables
        return pictured_blocks(self.name, self._facts(), nodes, nodes, self.block, self.materialise)

    def text(self, ascii_only: bool = False) -> str:
        """The blocks and their places, and the bytes of the whole."""
        width = max(len(name) for name in self.wrt)
        lines = [f"{self.name}, {self._facts()}"]
        for node in self.variables:
            part = self.places[node.name]
            lines.append(
                f"  {node.name:<{width}}  rows and columns {part.start:,} to {part.stop - 1:,}: "
                f"the entries of shape {dims(node.shape)}, row by row"
            )
        text = "\n".join(lines)
        return to_ascii(text) if ascii_only else text

    def _facts(self) -> str:
        count = len(self.wrt)
        blocks = f"{count} × {count} blocks" if count > 1 else plural(1, "block")
        return f"layout flat, shape {dims(self.shape)}: {blocks}, {format_bytes(self.nbytes)}"

    def __str__(self) -> str:
        return for_stream(self.text())

    def __repr__(self) -> str:
        return f"<StackedHessian {self.name}, shape {dims(self.shape)}>"

    def latex(self) -> str:
        """The name as LaTeX, without delimiters."""
        return formula(self.name)

    def _repr_html_(self) -> str:
        """For a notebook: the name, where each block lies, and the blocks as a picture."""
        shown = page(self.name, self.text().splitlines()[1:])
        try:
            return f"{shown}\n{framed(self.picture())}"
        except JacobianError:  # too large to be drawn
            return shown
