"""∂f/∂θ over more examples than fit at once: batch by batch, lazy, or in a store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from ..algebra.axes import BATCH
from ..chunks.chunked import (
    Chunked,
    Chunks,
    Make,
    Place,
    chunk_entries,
    given_lengths,
    traits_of,
)
from ..chunks.in_chunks import InChunks, fitting
from ..errors import AxisError, DomainError, JacobianError, SpecError
from ..numbers.arrays import is_finite, quiet
from ..numbers.compensated import Compensated
from ..numbers.memory import parse_bytes
from ..numbers.named_vectors import of_one
from ..program.forward_pass import Pass
from ..program.over_examples import EXAMPLE, WORDS, kinds_of
from ..program.program import listed
from ..routes.stacked import StackedJacobian, side_by_side
from ..writing.signs import did_you_mean, dims, safe, type_of
from .batches import Alike, Data, InBatch, Rows, is_dask, read_batches
from .runs import Runs

Block = tuple[tuple[slice, ...], np.ndarray]


@dataclass(frozen=True, eq=False)
class JacobianOver(InChunks):
    """∂of/∂(several parameters) of every example, shape (N, …of, P); none of it is made yet.

    Going through it gives (slices, array) block by block. Of arrays of rows the shape is known
    at once, and to_dask(), to_zarr() and contract_blocks() take them; an iterator of batches
    is gone through once.
    """

    net: Runs
    batches: Rows | Iterator[Data]
    of: str
    wrt: tuple[str, ...]
    axes: Mapping[str, str] | None
    max_bytes: int | str
    who: str

    @property
    def name(self) -> str:
        """∂a2/∂(W1, b1, …)"""
        return f"∂{self.of}/∂({', '.join(self.wrt)})"

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, …of, P), where the batches are arrays of rows; else SpecError."""
        return (self._rows("shape").count, *self._first.shape[1:])

    def __iter__(self) -> Iterator[Block]:
        start, alike = 0, None
        for place, data in enumerate(self.batches):
            if alike is None:
                alike = self.looked_at(data)
            alike.require(place, data)
            with InBatch(self.who, place):
                state = self.run(data)
                count = alike.examples(place, state)
                found = StackedJacobian(state, self.of, self.wrt).blocks(self.max_bytes)
            while True:
                with InBatch(self.who, place):
                    block = next(found, None)
                if block is None:
                    break
                (rows, *others), array = block
                yield (slice(start + rows.start, start + rows.stop), *others), array
            start += count
        if alike is None:
            raise DomainError(
                f"{self.who}: there is no batch.\n"
                "  Give at least one; an iterator that was gone through gives none again."
            )

    def run(self, data: Data) -> Pass:
        return self.net.run(**data, axes=self.axes).forward_pass

    def looked_at(self, data: Data) -> Alike:
        """How the examples look. JacobianError where `of` is not that of each example alone."""
        with InBatch(self.who, 0):
            state = self.run(data)
            state.require(self.of)
        alike = Alike.of(self.who, data, state)
        kind = kinds_of(state, self.of)[self.of]
        if kind != EXAMPLE:
            what = f"is {WORDS[kind]}" if kind in WORDS else "depends on no example"
            raise JacobianError(
                f"{self.who}: {safe(self.of)} {what}, not a value of each.\n"
                "  Name a value with the axis n of the examples; the gradient of a cost is "
                "net.gradients_over(batches)."
            )
        return alike

    @quiet
    def pull(self, cotangent: Any) -> np.ndarray:
        """Σ_n,out v[n,out] J[n,out,p], added up batch by batch; no row of J is built.

        v may be a dict {of: array}. Raises what `to_dask` does for an iterator, AxisError where v
        has another shape, SpecError for a dict of other names, and DomainError where an entry is
        not finite.
        """
        rows = self._rows("pull")
        hint = f"Pass an array of the shape of {self.of} over all rows."
        itself = self.name, self.shape
        cotangent = of_one(cotangent, self.of, f"{self.who}(…).pull", "cotangent")
        v = fitting(cotangent, "cotangent", self.shape[:-1], f"{self.who}(…).pull", itself, hint)
        total = Compensated()
        for place, (start, stop) in enumerate(pairwise(rows.cuts)):
            with InBatch(self.who, place):
                total.add({"v J": self.of_rows(_part(rows, start, stop)).pull(v[start:stop])})
        found = total.sums()["v J"]
        if not is_finite(found):
            raise DomainError(
                f"v {self.name}: the sum over {rows.count:,} examples is not finite; that of each "
                "batch is.\n  Pass a smaller cotangent."
            )
        return found

    @quiet
    def push(self, tangent: Any) -> np.ndarray:
        """Σ_p J[n,out,p] u[p] for every example, batch by batch; no row of J is built.

        u may be a dict of arrays by name, as in `StackedJacobian.push`. Raises what `to_dask` does
        for an iterator, AxisError where u has another length or shape, SpecError for a name that is
        no variable, and DomainError where an entry is not finite.
        """
        rows = self._rows("push")
        hint = f"Pass the entries of {', '.join(self.wrt)}, row by row, as one vector."
        itself = self.name, self.shape
        row = side_by_side(tangent, self._first.variables, f"{self.who}(…).push")
        u = fitting(row, "tangent", self.shape[-1:], f"{self.who}(…).push", itself, hint)
        found = np.empty(self.shape[:-1], self._first.dtype)
        for place, (start, stop) in enumerate(pairwise(rows.cuts)):
            with InBatch(self.who, place):
                found[start:stop] = self.of_rows(_part(rows, start, stop)).push(u)
        return found

    def of_rows(self, data: Data) -> StackedJacobian:
        """That of these rows alone, after a forward pass on them."""
        state = self.run({name: _computed(array) for name, array in data.items()})
        return StackedJacobian(state, self.of, self.wrt)

    def in_chunks(self, chunks: Chunks, who: str) -> Chunked:
        """The rows as chunks that are not made yet, each with a forward pass of its own."""
        rows, first, shape = self._rows(who.rpartition(".")[2]), self._first, self.shape
        names = (*(axis.name for axis in first.out_axes), "entries")
        said = given_lengths(who, chunks, names, shape)
        width, itemsize = prod(shape[1:]), first.dtype.itemsize
        if said is None:
            most = chunk_entries(who, chunks, itemsize)
            said = (max(1, min(shape[0], most // max(1, width))), *shape[1:])
        if said[1:] != shape[1:]:
            raise AxisError(
                f"{who}: only the rows {BATCH} are cut here.\n"
                f"  chunks is {dims(said)}, the shape is {dims(shape)}\n"
                f"  Write chunks=({said[0]}, {', '.join(map(str, shape[1:]))})."
            )
        length = said[0]

        def made() -> Iterator[tuple[Place, Make]]:
            for at, start in enumerate(range(0, shape[0], length)):
                data = _part(rows, start, min(start + length, shape[0]))
                yield (at, *(0 for _ in said[1:])), OfRows(self, data)

        def traits() -> list[float]:
            last = rows.part(max(0, shape[0] - length), shape[0])
            ends = [*rows.part(0, length).values(), *last.values()]
            return traits_of([*self.net.params.values(), *ends])

        held = sum(array.nbytes for array in self.net.params.values())
        return Chunked(
            self.name,
            self.name,
            names,
            len(names) - 1,
            shape,
            first.dtype,
            said,
            made,
            held,
            traits,
        )

    @cached_property
    def _first(self) -> StackedJacobian:
        """That of the first row alone: axes, width and dtype."""
        data = self._rows("shape").part(0, 1)
        self.looked_at(data)
        return StackedJacobian(self.run(data), self.of, self.wrt)

    def _rows(self, call: str) -> Rows:
        if isinstance(self.batches, Rows) and self.batches.count:
            return self.batches
        what = "the arrays have no rows"
        if not isinstance(self.batches, Rows):
            what = f"{call} asks how many examples there are, which an iterator does not say"
        raise SpecError(
            f"{self.who}: {what}.\n"
            f"  Give arrays of rows, of numpy, a memory map or Dask: "
            f"net.jacobian_over((X, Y), {self.of!r}, …)."
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """JacobianError: it is made block by block, and never held whole."""
        raise JacobianError(
            f"np.asarray of {self.name} over batches: it is made block by block.\n"
            "  Go through it, for rows, block in J, or write J.to_dask() or J.to_zarr(path)."
        )

    def __repr__(self) -> str:
        shape = dims(self.shape) if isinstance(self.batches, Rows) else "not known before"
        return f"<JacobianOver {self.name}, shape {shape}>"


@dataclass(frozen=True, eq=False)
class OfRows:
    """Makes one chunk: a forward pass on its rows, and their Jacobian."""

    asked: JacobianOver
    data: Data

    def __call__(self) -> np.ndarray:
        return self.asked.of_rows(self.data).materialise()


def _part(rows: Rows, start: int, stop: int) -> Data:
    """These rows; of a Dask array only what they need of its graph."""
    found = {}
    for name, array in rows.arrays.items():
        found[name] = array[start:stop] if is_dask(array) else np.asarray(array[start:stop])
    return found


def _computed(array: Any) -> np.ndarray:
    """The numbers, computed in this very thread: a chunk is a task already."""
    return array.compute(scheduler="synchronous") if is_dask(array) else array


def jacobian_over(
    net: Runs,
    batches: Any,
    of: str,
    wrt: str | Sequence[str] | Mapping[str, Any],
    axes: Mapping[str, str] | None,
    max_bytes: int | str,
) -> JacobianOver:
    """∂of/∂wrt over the batches. SpecError for what is no value, and no parameters once each."""
    who = "net.jacobian_over"
    known = [name for name in net.params if name not in net.tied]
    values = [step.partition(" = ")[0] for step in net.steps]
    if not isinstance(of, str) or of not in values:
        raise SpecError(
            f"{who}: no value is named {safe(repr(of)[:60])}.{did_you_mean(str(of), values)}\n"
            f"  The values are {listed(values)}."
        )
    if not isinstance(wrt, str | list | tuple | Mapping):
        raise SpecError(
            f"{who}: the variable is {type_of(wrt)}.\n"
            f'  Write a name such as "{known[0]}", or several: net.params.'
        )
    given = [wrt] if isinstance(wrt, str) else list(wrt)
    if isinstance(wrt, Mapping):
        given = [name for name in given if name not in net.tied]
    names = tuple(net.tied.get(name, name) if isinstance(name, str) else name for name in given)
    for name in names:
        if name not in known:
            raise SpecError(
                f"{who}: {safe(repr(name)[:60])} is no parameter.{did_you_mean(str(name), known)}\n"
                f"  The parameters are {listed(known)}."
            )
    if not names or len({*names}) < len(names):
        raise SpecError(
            f"{who} of {of} is by {listed(names) or 'no parameter'}.\n"
            f"  Name each once, and at least one of {listed(known)}."
        )
    parse_bytes(max_bytes, f"{who}(max_bytes=…)")
    return JacobianOver(net, read_batches(who, batches), of, names, axes, max_bytes, who)
