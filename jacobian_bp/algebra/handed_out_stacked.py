"""Blocks side by side handed to what people use: coordinates, and arrays of other packages.

Each block gives its own entries, and they are put where the block lies in the whole.
"""

from collections.abc import Iterator
from math import prod
from typing import Any, Protocol

import numpy as np

from ..numbers.arrays import entry
from ..numbers.extras import extra
from ..numbers.memory import require_memory
from .handed_out import INDEX, AsArray, Coordinates, Whole, coordinates, csr
from .nodes_and_links import Node

ENTRIES = "entries"  # the axis of all entries of several variables

Placed = tuple[Whole, int, int]  # a block, and its first row and column among the entries


class Stacked(Protocol):
    """What is asked of blocks side by side."""

    @property
    def name(self) -> str: ...
    @property
    def of(self) -> str: ...
    @property
    def wrt(self) -> tuple[str, ...]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    @property
    def variables(self) -> tuple[Node, ...]: ...
    @property
    def structural_nonzeros(self) -> int: ...
    @property
    def front(self) -> tuple[str, ...]: ...
    def placed(self) -> Iterator[Placed]: ...
    def materialise(self) -> np.ndarray: ...
    def coo(self) -> Coordinates: ...


class HandedOutStacked(AsArray):
    """What blocks side by side give to other packages; everything is a new array."""

    def coo(self: Stacked) -> Coordinates:
        """Values, rows and columns of the entries that can be other than zero, row by row.

            J.materialise().reshape(shape)[rows[e], columns[e]] = values[e]

        The axes in front are counted row by row. The whole array is not built. Raises
        MemoryLimitError where the entries do not fit, DomainError for one that is not finite.
        """
        each = self.dtype.itemsize + 2 * INDEX
        instead = "Take one block at a time, or its product with a vector."
        number = self.structural_nonzeros
        require_memory(f"{self.name} as values, rows and columns", (number,), each, instead)
        parts = [_in_the_whole(self, *one) for one in self.placed()]
        values, rows, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.lexsort((columns, rows))
        shape = prod(self.shape[:-1]), self.shape[-1]
        return Coordinates(values[order], rows[order], columns[order], shape)

    def to_scipy(self: Stacked, *, mask: bool = False) -> Any:
        """The whole as a scipy.sparse.csr_array, the entries of `coo()` stored.

        With `mask`, True stands in place of each stored entry. Raises what `coo` raises, and
        SpecError without scipy.

        >>> from jacobian_bp.reference import X, Y, second_seed
        >>> run = second_seed().run(X, Y)
        >>> H = run.hessian(["W3", "b3"]).to_scipy()
        >>> H.shape, H.nnz, run.jacobian("z1", run.params).to_scipy(mask=True).nnz
        ((3, 3), 9, 16)
        """
        return csr(extra("scipy.sparse", f"{self.name}.to_scipy()"), self.coo(), mask)

    def to_xarray(self: Stacked) -> Any:
        """The whole array as an xarray.DataArray, each of its entries by name: "W1[0,2]".

        The coordinate structural_zero is True where an entry is 0 at every input. Raises what
        `materialise` and `coo` raise, and SpecError without xarray.
        """
        xarray = extra("xarray", f"{self.name}.to_xarray()")
        array, found = self.materialise(), self.coo()
        zeros = np.ones(found.shape, bool)
        zeros[found.rows, found.columns] = False
        labels = [
            entry(node.name, index) for node in self.variables for index in np.ndindex(*node.shape)
        ]
        dims = [*self.front, *(ENTRIES + "'" * n for n in range(array.ndim - len(self.front)))]
        coords: dict[str, Any] = {name: labels for name in dims if name not in self.front}
        coords["structural_zero"] = (dims, zeros.reshape(array.shape))
        about = {"of": self.of, "wrt": ", ".join(self.wrt)}
        return xarray.DataArray(array, dims=dims, coords=coords, name=self.name, attrs=about)

    def to_torch(self: Stacked) -> Any:
        """The whole array as a torch.Tensor that holds its own memory.

        Raises what `materialise` raises, and SpecError without torch.
        """
        return extra("torch", f"{self.name}.to_torch()").from_numpy(self.materialise())

    def to_jax(self: Stacked) -> Any:
        """The whole array as a jax.Array; JAX makes it float32 unless its jax_enable_x64 is on.

        Raises what `materialise` raises, and SpecError without jax.
        """
        return extra("jax.numpy", f"{self.name}.to_jax()").array(self.materialise())


def _in_the_whole(
    stacked: Stacked, block: Whole, row: int, column: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The entries of a block, its rows and columns counted in the whole."""
    found = coordinates(block, "flat")
    front = prod(stacked.shape[: len(stacked.front)])
    height = found.shape[0] // max(front, 1)
    each, own = np.divmod(found.rows, max(height, 1))
    rows = each * prod(stacked.shape[len(stacked.front) : -1]) + own + row
    return found.values, rows, found.columns + column
