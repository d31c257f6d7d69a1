"""∂²f/∂θ² in chunks of whole rows: each row is H e, in a sweep of the doubled graph."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..algebra.handed_out_stacked import ENTRIES
from ..chunks.chunked import Chunked, Chunks, Make, Place, traits_of
from ..errors import AxisError
from ..numbers.arrays import quiet
from ..program.forward_pass import Pass
from ..routes.stacked_in_chunks import lengths_of_rows
from ..writing.signs import dims
from .doubled_graph import DoubledGraph
from .hessian_columns import hessian_columns


class Stacked(Protocol):
    """What is asked of ∂²f/∂θ²."""

    @property
    def state(self) -> Pass: ...
    @property
    def of(self) -> str: ...
    @property
    def wrt(self) -> tuple[str, ...]: ...
    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    def graph(self) -> DoubledGraph: ...
    def push(self, vector: object) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Rows:
    """Makes the rows from `start` to before `stop`."""

    stacked: Stacked
    start: int
    stop: int

    @quiet
    def __call__(self) -> np.ndarray:
        stacked, graph = self.stacked, self.stacked.graph()
        rows = range(self.start, self.stop)
        found = hessian_columns(stacked.state, graph, stacked.wrt, rows)
        graph.require_finite(found, f"the block [{self.start}:{self.stop}] of {stacked.name}")
        return found


def chunked(stacked: Stacked, chunks: Chunks, who: str, word: str = "chunks") -> Chunked:
    """∂²f/∂θ² of a scalar in chunks of whole rows.

    Raises AxisError where f is no scalar, AxisError and DomainError for chunks that do not fit.
    `word` is what the caller calls the chunks.
    """
    front, (first, *_) = stacked.shape[:-2], stacked.wrt
    if front:
        raise AxisError(
            f"{who}: a matrix for each entry of {stacked.of}, shape {dims(front)}.\n"
            f'  Take one block, H.block("{first}", "{first}"), or the Hessian of a scalar.'
        )
    names = ENTRIES, f"{ENTRIES}'"
    alone = f'run.hessian("{first}", of="{stacked.of}")'
    lengths = lengths_of_rows(stacked, chunks, (who, word), names, names[:1], alone)
    count, step = stacked.shape[0], lengths[0]

    def made() -> Iterator[tuple[Place, Make]]:
        for place, start in enumerate(range(0, count, step)):
            yield (place, 0), Rows(stacked, start, min(start + step, count))

    def traits() -> list[float]:
        return traits_of([stacked.push(np.ones(count))])

    held = sum(array.nbytes for array in stacked.state.values.values())
    return Chunked(
        stacked.name,
        stacked.name,
        names,
        1,
        stacked.shape,
        stacked.dtype,
        lengths,
        made,
        held,
        traits,
    )
