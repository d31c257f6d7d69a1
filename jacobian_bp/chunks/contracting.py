"""A vector times an array in chunks: each is made, multiplied at once, and let go."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import SpecError
from ..numbers.arrays import quiet
from ..numbers.compensated import Compensated
from ..numbers.extras import extra
from ..writing.signs import safe
from .chunked import Chunked, Make, Place

ENGINES = ("numpy", "dask")
AT_ONCE = 64  # products that wait for Dask together


def require_engine(who: str, engine: Any) -> None:
    """SpecError for no engine, and for Dask where it is not installed."""
    if engine not in ENGINES:
        raise SpecError(
            f"{who}: engine is {safe(repr(engine)[:60])}.\n  Write one of {', '.join(ENGINES)}."
        )
    if engine == "dask":
        extra("dask", who)


def contract_chunks(
    chunked: Chunked, vector: np.ndarray, from_left: bool, engine: str = "numpy"
) -> np.ndarray:
    """Σ_out v[out] J[out,wrt], or Σ_wrt J[out,wrt] u[wrt]: chunks of structural zeros are skipped.

    The order of the sum is that of the chunks, whatever the engine.
    """
    rank = chunked.out_rank
    kept = chunked.shape[rank:] if from_left else chunked.shape[:rank]
    found = np.zeros(kept, chunked.dtype)
    lost = np.zeros(kept, chunked.dtype)
    for place, part in _products(chunked, vector, from_left, engine):
        where = chunked.slices(place)[rank:] if from_left else chunked.slices(place)[:rank]
        total = Compensated({"": found[where]}, {"": lost[where]})
        total.add({"": part})
        found[where], lost[where] = total.parts("")
    return found + lost


def _products(
    chunked: Chunked, vector: np.ndarray, from_left: bool, engine: str
) -> Iterator[tuple[Place, np.ndarray]]:
    rank = chunked.out_rank
    side = slice(None, rank) if from_left else slice(rank, None)
    if engine == "numpy":
        for place, make in chunked.made():
            yield place, times(make, vector[chunked.slices(place)[side]], from_left)
        return
    dask = extra("dask", f"{chunked.name}.contract_blocks()")
    given, waiting = dask.delayed(times, pure=False), []
    for place, make in chunked.made():
        piece = vector[chunked.slices(place)[side]]
        waiting.append((place, given(make, piece, from_left)))
        if len(waiting) == AT_ONCE:
            yield from _computed(dask, waiting)
            waiting = []
    yield from _computed(dask, waiting)


def _computed(dask: Any, waiting: list[tuple[Place, Any]]) -> Iterator[tuple[Place, np.ndarray]]:
    products = dask.compute(*(product for _, product in waiting))
    return iter([(place, p) for (place, _), p in zip(waiting, products, strict=True)])


@quiet
def times(make: Make, vector: np.ndarray, from_left: bool) -> np.ndarray:
    """One chunk made and multiplied."""
    chunk = make()
    if from_left:
        return np.tensordot(vector, chunk, vector.ndim)
    return np.tensordot(chunk, vector, vector.ndim)
