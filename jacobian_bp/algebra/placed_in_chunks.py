"""A Jacobian in chunks: each placed by itself, from the pieces of its factors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..chunks.chunked import (
    Chunked,
    Chunks,
    Make,
    Place,
    chunk_entries,
    given_lengths,
    traits_of,
)
from ..errors import AxisError
from ..numbers.arrays import is_finite, quiet
from ..numbers.overflow import require_product
from .axes import Axis
from .cutting import cuttable, joined_axes, piece_lengths, standing, within
from .expression import Expression
from .finite import infinite_slope, surely_finite
from .nodes_and_links import Link, Node
from .products.placing import evaluate
from .structure.patterns import Patterns
from .structure.relations import AxisKey


class Whole(Protocol):
    """What is asked of a Jacobian."""

    @property
    def name(self) -> str: ...
    @property
    def formula(self) -> str: ...
    @property
    def nodes(self) -> tuple[Node, ...]: ...
    @property
    def links(self) -> tuple[Link, ...]: ...
    @property
    def axes(self) -> tuple[Axis, ...]: ...
    @property
    def out_axes(self) -> tuple[Axis, ...]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def size(self) -> int: ...
    @property
    def dtype(self) -> np.dtype: ...
    @property
    def patterns(self) -> Patterns: ...
    @property
    def _is_infinite_slope(self) -> bool: ...
    @property
    def _sizes(self) -> dict[AxisKey, int]: ...
    def _collapsed(self, trace: None, apart: bool = ...) -> Expression: ...


@dataclass(frozen=True, eq=False)
class Placed:
    """Makes one chunk: the factors over its pieces, placed."""

    name: str
    expression: Expression
    axes: tuple[str, ...]
    sizes: Mapping[str, int]
    dtype: np.dtype
    sure: bool  # that every entry is finite
    slopes: str

    @quiet
    def __call__(self) -> np.ndarray:
        found = evaluate(self.expression, self.axes, dict(self.sizes), self.dtype)
        if not self.sure and not is_finite(found):
            start = "Every slope on the way is finite; a product of slopes"
            require_product(found, self.name, start, self.dtype, self.slopes)
        return found


@quiet
def chunked(whole: Whole, chunks: Chunks, who: str) -> Chunked:
    """The Jacobian in chunks. AxisError and DomainError for chunks that do not fit it."""
    names = tuple(axis.name for axis in whole.axes)
    said = given_lengths(who, chunks, names, whole.shape)
    expression, found = cuttable(whole._collapsed(None, apart=True), whole.axes), whole.patterns
    rank = len(whole.out_axes)
    if said is None:
        most = chunk_entries(who, chunks, whole.dtype.itemsize)
        cut = piece_lengths(whole.axes, expression, found, rank, most)
    else:
        cut = dict(zip(names, said, strict=True))
        for group in joined_axes(whole.axes, expression, found, rank):
            _require_alike(who, whole, group, cut)
    lengths = {name: max(1, length) for name, length in cut.items()}
    axes = dict(zip(whole._sizes, whole.axes, strict=True))
    sure = whole._is_infinite_slope or surely_finite(expression, whole.dtype)
    slopes = infinite_slope(whole.nodes, whole.links) or "finite"

    def made() -> Iterator[tuple[Place, Make]]:
        for spans, _ in standing(found, axes, lengths) if whole.size else ():
            named = {axes[key].name: span for key, span in spans.items()}
            at = ",".join(f"{start}:{stop}" for start, stop in named.values())
            yield (
                tuple(start // lengths[name] for name, (start, _) in named.items()),
                Placed(
                    f"the block [{at}] of {whole.name}",
                    within(expression, named),
                    names,
                    {name: stop - start for name, (start, stop) in named.items()},
                    whole.dtype,
                    sure,
                    slopes,
                ),
            )

    arrays = {id(array): array for array in expression.arrays}.values()
    return Chunked(
        whole.name,
        whole.formula,
        names,
        rank,
        whole.shape,
        whole.dtype,
        tuple(lengths[name] for name in names),
        made,
        sum(array.nbytes for array in arrays),
        lambda: traits_of(expression.arrays),
    )


def _require_alike(
    who: str, whole: Whole, group: Sequence[str], lengths: Mapping[str, int]
) -> None:
    """AxisError where two axes that a delta joins are cut into different lengths."""
    other = next((axis for axis in group if lengths[axis] != lengths[group[0]]), None)
    if other is not None:
        sizes = {axis.name: axis.size for axis in whole.axes}
        mended = [lengths[group[0]] if a in group else lengths[a] for a in sizes]
        raise AxisError(
            f"{who}: {group[0]} and {other} are joined by a delta, and cut alike.\n"
            f"  {group[0]} in pieces of {lengths[group[0]]}\n"
            f"  {other} in pieces of {lengths[other]}\n"
            f"  Write chunks=({', '.join(map(str, mended))})."
        )
