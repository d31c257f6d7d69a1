"""Chunks as a Dask array: lazy, of known shape, each chunk made where Dask computes it."""

import uuid
from typing import Any

import numpy as np

from ..errors import DomainError
from ..numbers.extras import extra
from .chunked import Chunked, Make

MOST = 10**6  # chunks: each is an entry of Dask's graph


def to_dask(chunked: Chunked) -> Any:
    """The dask.array.Array. DomainError for more chunks than its graph should hold."""
    array = extra("dask.array", f"{chunked.name}.to_dask()")
    if chunked.count > MOST:
        raise DomainError(
            f"{chunked.name}.to_dask(): {chunked.count:,} chunks, each an entry of Dask's graph; "
            f"at most {MOST:,}.\n  Write larger chunks, such as "
            'chunks="64MiB", or contract_blocks(), which makes those that are not 0 alone.'
        )
    name = f"jacobian-{uuid.uuid4().hex}"
    graph: dict[Any, Any] = {
        (name, *place): (nothing, chunked.chunk_shape(place), chunked.dtype)
        for place in chunked.places()
    }
    graph |= {(name, *place): (made, make) for place, make in chunked.made()}
    return array.Array(graph, name, chunks=chunked.pieces, dtype=chunked.dtype)


def made(make: Make) -> np.ndarray:
    """One chunk."""
    return make()


def nothing(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """A chunk of structural zeros: closed to writing, it takes the memory of one entry."""
    return np.broadcast_to(np.zeros((), dtype), shape)
