"""What an array in chunks gives: a Dask array, a zarr store, its product with a vector."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..errors import AxisError, SpecError
from ..numbers.arrays import as_array, require_finite
from ..numbers.memory import current_limit
from ..writing.signs import dims
from .as_dask import to_dask
from .chunked import Chunked, Chunks
from .contracting import contract_chunks, require_engine
from .zarr_store import require_largest, stored_chunks, to_zarr

FOR_ENTRIES = "for its entries J.blocks(max_bytes=…), or J.to_zarr(path)"


class HasChunks(Protocol):
    """What is asked of a Jacobian."""

    @property
    def name(self) -> str: ...
    def in_chunks(self, chunks: Chunks, who: str) -> Chunked: ...


class InChunks:
    """A Jacobian larger than memory: lazy in Dask, in a store, or contracted chunk by chunk."""

    def to_dask(self: HasChunks, chunks: Chunks = "auto") -> Any:
        """A dask.array.Array: shape, dtype and bytes are known, and nothing is made yet.

        Each chunk is placed where it is computed, from the pieces of the factors that it needs;
        one of structural zeros takes the memory of one number. `chunks` is "auto", bytes such as
        "8MiB", or the length of a chunk along each axis; axes that a delta joins are cut alike.

        Raises SpecError without dask, AxisError and DomainError for chunks that do not fit, and,
        when it is computed, DomainError for an entry that is not finite.
        """
        return to_dask(self.in_chunks(chunks, f"{self.name}.to_dask"))

    def to_zarr(
        self: HasChunks,
        path: str | os.PathLike[str],
        chunks: Chunks = "auto",
        *,
        resume: bool = False,
        engine: str = "numpy",
    ) -> Path:
        """The array as a zarr store, written chunk by chunk; the path.

        `jacobian` in it is the array, its axes by name; `done` says of each chunk whether it is
        still to do (0), written (1), or structurally zero and never stored (2). What is planned is
        said on standard error before anything runs, and a bar moves on a terminal. Ctrl-C or
        a crash leaves a store that can be read, and with `resume` the work goes on; its
        chunks are then those of the store where `chunks` is not said. With engine="dask" chunks are
        made and written where Dask computes.

        Raises SpecError without zarr, for a path that holds anything else, and where the disk
        is full; AxisError and DomainError for chunks that do not fit, and for an entry that is
        not finite.
        """
        who = f"{self.name}.to_zarr"
        require_engine(who, engine)
        chunked = self.in_chunks(chunks, who)
        if resume and chunks == "auto":
            chunked = self.in_chunks(stored_chunks(path, chunked), who)
        require_largest(chunked, current_limit())
        return to_zarr(chunked, path, resume, engine)

    def contract_blocks(
        self: HasChunks,
        cotangent: Any = None,
        *,
        tangent: Any = None,
        chunks: Chunks = "auto",
        engine: str = "numpy",
    ) -> np.ndarray:
        """Σ_out v[out] J[out,wrt], or with `tangent` Σ_wrt J[out,wrt] u[wrt], chunk by chunk.

        Each chunk is made, multiplied and let go; one of structural zeros is never made. `pull` and
        `push` do the same without making any entry: this is the product of the array itself. With
        engine="dask" it is computed where Dask computes, and only products travel.

        Raises SpecError where none or both are given, AxisError where the vector does not fit.
        """
        who = f"{self.name}.contract_blocks"
        require_engine(who, engine)
        if (cotangent is None) == (tangent is None):
            raise SpecError(
                f"{who}: give a cotangent or a tangent, one of the two.\n"
                "  Write J.contract_blocks(v), or J.contract_blocks(tangent=u)."
            )
        kind, given = ("tangent", tangent) if cotangent is None else ("cotangent", cotangent)
        chunked = self.in_chunks(chunks, who)
        rank = chunked.out_rank
        expected = chunked.shape[rank:] if cotangent is None else chunked.shape[:rank]
        hint = f"Pass an array of shape {dims(expected)}."
        vector = fitting(given, kind, expected, who, (self.name, chunked.shape), hint)
        vector = vector.astype(chunked.dtype)
        return contract_chunks(chunked, vector, cotangent is not None, engine)


def fitting(
    given: Any,
    kind: str,
    expected: tuple[int, ...],
    who: str,
    of: tuple[str, tuple[int, ...]],
    instead: str,
) -> np.ndarray:
    """The cotangent or tangent of a Jacobian `of` this name and shape. AxisError for another."""
    if isinstance(given, Mapping) and kind == "tangent" and len(expected) == 1:
        raise SpecError(
            f"{who}: the {kind} is a dict, not one array of shape {dims(expected)}.\n"
            f"  Pass np.concatenate([np.ravel(v) for v in {kind}.values()])."
        )
    vector = as_array(given, kind)
    require_finite(vector, kind, f"Pass a finite {kind}.")
    if vector.shape != expected:
        raise AxisError(
            f"{who}: the {kind} does not fit.\n"
            f"  {kind} has shape {dims(vector.shape)}\n"
            f"  {of[0]} has shape {dims(of[1])}, so it takes {dims(expected)}\n"
            f"  {instead}"
        )
    return vector
