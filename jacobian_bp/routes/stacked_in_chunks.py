"""∂f/∂θ in chunks: rows of it, each placed from the factors of one sweep."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Protocol

import numpy as np

from ..algebra.axes import Axis
from ..algebra.cutting import Span, cuttable, joined_axes, within
from ..algebra.expression import Expression
from ..algebra.finite import surely_finite
from ..algebra.nodes_and_links import Node
from ..algebra.products.placing import evaluate
from ..chunks.chunked import (
    COPIES,
    Chunked,
    Chunks,
    Make,
    Place,
    chunk_entries,
    given_lengths,
    traits_of,
)
from ..errors import AxisError, DomainError
from ..numbers.arrays import is_finite, quiet
from ..numbers.memory import current_limit, format_bytes
from ..numbers.overflow import require_product
from ..program.forward_pass import Pass
from ..writing.signs import dims
from .structured import swept


class Shaped(Protocol):
    """An array by several variables."""

    @property
    def wrt(self) -> tuple[str, ...]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...


class Stacked(Shaped, Protocol):
    """What is asked of ∂f/∂θ."""

    @property
    def state(self) -> Pass: ...
    @property
    def of(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def out_axes(self) -> tuple[Axis, ...]: ...
    @property
    def variables(self) -> tuple[Node, ...]: ...
    @property
    def columns(self) -> Mapping[str, slice]: ...


@dataclass(frozen=True, eq=False)
class Beside:
    """One variable's block of a chunk: its factors over these rows, and its columns."""

    name: str
    expression: Expression
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    columns: slice
    sure: bool


@dataclass(frozen=True, eq=False)
class PlacedBeside:
    """Makes one chunk: the blocks of all variables, each written where it belongs."""

    blocks: tuple[Beside, ...]
    shape: tuple[int, ...]
    dtype: np.dtype

    @quiet
    def __call__(self) -> np.ndarray:
        found = np.empty(self.shape, self.dtype)
        for block in self.blocks:
            own = found[..., block.columns].reshape(block.shape)
            sizes = dict(zip(block.axes, block.shape, strict=True))
            evaluate(block.expression, block.axes, sizes, self.dtype, out=own)
            if not block.sure and not is_finite(own):
                start = "The value and those before it are finite; a product of slopes"
                require_product(own, block.name, start, self.dtype)
        return found


@quiet
def chunked(stacked: Stacked, chunks: Chunks, who: str, word: str = "chunks") -> Chunked:
    """∂f/∂θ in chunks of whole rows. AxisError and DomainError for chunks that do not fit.

    `word` is what the caller calls the chunks.
    """
    out, variables = stacked.out_axes, stacked.variables
    rows = [axis.name for axis in out]
    names, swept_ones = (*rows, "entries"), swept(stacked.state, stacked.of, stacked.wrt)
    pairs = [
        (node, cuttable(e, (*out, *map(Axis, node.primed, node.shape))))
        for node, e in zip(variables, swept_ones, strict=True)
    ]
    free = [axis for axis in rows if all(_is_free(axis, out, *pair) for pair in pairs)]
    alone = f"run.jacobian({stacked.of!r}, {stacked.wrt[0]!r})"
    lengths = lengths_of_rows(stacked, chunks, (who, word), names, free, alone)
    sure = {node.name: surely_finite(e, stacked.dtype) for node, e in pairs}

    def made() -> Iterator[tuple[Place, Make]]:
        counts = [-(-size // length) for size, length in zip(stacked.shape, lengths, strict=True)]
        for place in product(*map(range, counts)) if prod(stacked.shape) else ():
            spans = {
                name: (p * length, min((p + 1) * length, size))
                for name, p, length, size in zip(rows, place, lengths, stacked.shape, strict=False)
            }
            yield place, _placed(stacked, pairs, spans, free, sure)

    arrays = {id(a): a for _, e in pairs for a in e.arrays}.values()
    return Chunked(
        stacked.name,
        stacked.name,
        names,
        len(rows),
        stacked.shape,
        stacked.dtype,
        lengths,
        made,
        sum(array.nbytes for array in arrays),
        lambda: traits_of([array for _, e in pairs for array in e.arrays]),
    )


def _is_free(axis: str, out: Sequence[Axis], node: Node, expression: Expression) -> bool:
    """Whether no delta joins an axis of the value with one of the variable, or with another."""
    axes = (*out, *map(Axis, node.primed, node.shape))
    groups = joined_axes(axes, expression, frozenset(), len(out))
    return [axis] in groups


def lengths_of_rows(
    stacked: Shaped,
    chunks: Chunks,
    asked: tuple[str, str],
    names: Sequence[str],
    free: Sequence[str],
    alone: str,
) -> tuple[int, ...]:
    """How long a chunk is along each axis: the free ones are cut, the first of them first.

    `alone` is what a caller writes for one variable.
    """
    who, word = asked
    shape = stacked.shape
    said = given_lengths(who, chunks, names, shape)
    if said is not None:
        for name, length, size in zip(names, said, shape, strict=True):
            if length < size and name not in free:
                whole = [
                    n if axis in free else s for axis, n, s in zip(names, said, shape, strict=True)
                ]
                raise AxisError(
                    f"{who}: {name} is not cut here: it has {size:,}, and chunks says {length:,}.\n"
                    f"  Write chunks=({', '.join(map(str, whole))}), or take one variable: "
                    f"{alone} is cut along all axes."
                )
        return said
    most = chunk_entries(who, chunks, stacked.dtype.itemsize, word)
    found = dict(zip(names, shape, strict=True))
    for axis in free:
        beside = prod(size for name, size in found.items() if name != axis)
        found[axis] = max(1, min(found[axis], most // max(1, beside)))
    lengths = tuple(max(1, size) for size in found.values())
    needed = prod(lengths) * stacked.dtype.itemsize
    if prod(lengths) > most and (chunks != "auto" or needed > current_limit() // COPIES):
        instead = f"Write {word}={needed}, or ask" if chunks != "auto" else "Ask"
        raise DomainError(
            f"{who}: rows of shape {dims(lengths)}, the fewest, take {format_bytes(needed)}.\n"
            f"  {instead} for fewer variables at once, such as {stacked.wrt[0]} alone."
        )
    return lengths


def _placed(
    stacked: Stacked,
    pairs: Sequence[tuple[Node, Expression]],
    spans: Mapping[str, Span],
    free: Sequence[str],
    sure: Mapping[str, bool],
) -> PlacedBeside:
    """What makes the chunk of these rows."""
    cut = {axis: spans[axis] for axis in free}
    heights = tuple(stop - start for start, stop in spans.values())
    rows = ",".join(f"{start}:{stop}" for start, stop in spans.values())
    blocks = []
    for node, expression in pairs:
        whole = {a: (0, n) for a, n in zip(node.primed, node.shape, strict=True)}
        whole |= {axis: (0, stop - start) for axis, (start, stop) in spans.items()}
        blocks.append(
            Beside(
                f"the block [{rows}] of ∂{stacked.of}/∂{node.name}",
                within(expression, whole | cut),
                (*spans, *node.primed),
                (*heights, *node.shape),
                stacked.columns[node.name],
                sure[node.name],
            )
        )
    return PlacedBeside(tuple(blocks), (*heights, stacked.shape[-1]), stacked.dtype)
