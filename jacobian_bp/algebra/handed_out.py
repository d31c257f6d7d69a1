"""A Jacobian handed to what people use: coordinates, blocks, arrays of other packages.

Each package is loaded where it is asked for; without it the call names what installs it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..chunks.chunked import Chunked, Chunks
from ..chunks.in_chunks import InChunks
from ..errors import AxisError, DomainError, JacobianError
from ..numbers.arrays import is_finite, quiet
from ..numbers.extras import extra
from ..numbers.memory import parse_bytes, require_memory
from .axes import Axis
from .cutting import cuttable, piece_lengths, standing, within
from .expression import MASK, Dense, Distinct, Expression, Term
from .finite import surely_finite
from .layouts import axis_order
from .pictured import Drawable
from .placed_in_chunks import chunked
from .products.diagonals import leaders
from .products.placing import evaluate
from .structure.patterns import Patterns, can_stand
from .structure.relations import AxisKey

FLAT = ("flat", "flat_column")
BLOCK = "64MiB"
SCAN = 2**22  # bytes of a block in which entries are looked for
INDEX = 8  # bytes of a row or column number

Block = tuple[tuple[slice, ...], np.ndarray]


class Coordinates(NamedTuple):
    """The entries that can be other than zero, row by row: values, rows, columns, and the shape."""

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    shape: tuple[int, int]


class Whole(Drawable, Protocol):
    """What is asked of a Jacobian that is handed out, beside what a picture of it asks."""

    @property
    def formula(self) -> str: ...
    @property
    def axes(self) -> tuple[Axis, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    @property
    def _has_positions(self) -> bool: ...
    @property
    def _is_infinite_slope(self) -> bool: ...
    @property
    def _sizes(self) -> dict[AxisKey, int]: ...
    def materialise(self, layout: str = ..., *, finite: bool = ...) -> np.ndarray: ...
    def _collapsed(self, trace: None, apart: bool = ...) -> Expression: ...
    def _require_finite(self, product: np.ndarray, name: str) -> None: ...


class Piece(NamedTuple):
    """A block on its way: where it lies, what is in it, and which entries can stand."""

    slices: tuple[slice, ...]
    array: np.ndarray
    expression: Expression
    patterns: Patterns


def blocks(whole: Whole, max_bytes: int | str, finite: bool) -> Iterator[Block]:
    """(slices, array) of every block that can have an entry other than zero."""
    who = f"{whole.name}.blocks"
    most = parse_bytes(max_bytes, f"{who}(max_bytes=…)")
    if most < whole.dtype.itemsize:
        raise DomainError(
            f"{who}(max_bytes={max_bytes!r}): one entry takes {whole.dtype.itemsize} bytes.\n"
            f"  Write max_bytes={whole.dtype.itemsize} or more."
        )
    pieces = _pieces(whole, most, finite)
    return ((piece.slices, piece.array) for piece in pieces)


def _pieces(whole: Whole, most: int, finite: bool) -> Iterator[Piece]:
    """The blocks of at most so many bytes; what they share is worked out before the first."""
    expression, found, axes = (
        _apart(whole),
        whole.patterns,
        dict(zip(whole._sizes, whole.axes, strict=True)),
    )
    rank, names = len(whole.out_axes), [axis.name for axis in whole.axes]
    lengths = piece_lengths(whole.axes, expression, found, rank, most // whole.dtype.itemsize)
    largest = tuple(lengths[name] for name in names)
    way_out = "Write a smaller max_bytes, or spend the deltas: J.pull(v)."
    require_memory(f"a block of {whole.name}", largest, whole.dtype.itemsize, way_out)
    sure = not finite or whole._is_infinite_slope or surely_finite(expression, whole.dtype)

    def made() -> Iterator[Piece]:
        for spans, inside in standing(found, axes, lengths) if whole.size else ():
            named = {axes[key].name: span for key, span in spans.items()}
            piece = within(expression, named)
            array = _placed(piece, {a: stop - start for a, (start, stop) in named.items()}, whole)
            slices = tuple(slice(*spans[key]) for key in axes)
            if not sure and not is_finite(array):
                at = ",".join(f"{s.start}:{s.stop}" for s in slices)
                whole._require_finite(array, f"the block [{at}] of {whole.name}")
            yield Piece(slices, array, piece, inside)

    return made()


@quiet
def _apart(whole: Whole) -> Expression:
    """The expression with its products kept as products, so that nothing large is made for it."""
    return cuttable(whole._collapsed(None, apart=True), whole.axes)


@quiet
def _placed(expression: Expression, sizes: dict[str, int], whole: Whole) -> np.ndarray:
    return evaluate(expression, [axis.name for axis in whole.axes], sizes, whole.dtype)


def coordinates(whole: Whole, layout: str) -> Coordinates:
    """Values, rows and columns of the entries that can be other than zero, row by row."""
    if layout not in FLAT:
        raise AxisError(
            f"{whole.name}: layout {layout!r} has no rows and columns of its own.\n"
            f"  Write one of {', '.join(FLAT)}."
        )
    number = whole.structural_nonzeros
    require_memory(
        f"{whole.name} as values, rows and columns",
        (number,),
        whole.dtype.itemsize + 2 * INDEX,
        "Use J.pull(v), J.blocks(max_bytes=…), one block at a time, or J.to_zarr(path).",
    )
    values, rows, columns = _entries(whole, layout)
    height, width = whole.shape_in(layout)
    return Coordinates(values, rows, columns, (height, width))


def csr(sparse: Any, found: Coordinates, mask: bool) -> Any:
    """The entries as a csr_array of the module scipy.sparse; with `mask` True for each of them."""
    values = np.ones(len(found.values), bool) if mask else found.values
    counts = np.bincount(found.rows, minlength=found.shape[0])
    starts = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_array((values, found.columns, starts), shape=found.shape)


@quiet
def _entries(whole: Whole, layout: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    names = axis_order(layout, whole.out_axes, whole.wrt_axes)
    sides = names[: len(whole.out_axes)], names[len(whole.out_axes) :]
    expression = whole._collapsed(None)
    if not whole._has_positions and len(expression.terms) == 1 and whole.size:
        (term,) = expression.terms
        if not term.sums and not any(map(_leaves_out, term.factors)):
            return _of_one_product(whole, term, sides)
    return _of_blocks(whole, sides)


def _leaves_out(factor: Any) -> bool:
    """Whether a factor leaves entries out that no delta does."""
    return isinstance(factor, Distinct) or (isinstance(factor, Dense) and factor.label == MASK)


def _of_one_product(
    whole: Whole, term: Term, sides: tuple[list[str], list[str]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """δ[k,k'] a[i']: the entries are those of a[i'] over k, each at its row and column."""
    names, sizes = [*sides[0], *sides[1]], {axis.name: axis.size for axis in whole.axes}
    leader = leaders(term, names)
    places = list(dict.fromkeys(leader[name] for name in names))
    free = Expression((_without_deltas(term, leader),))
    values = evaluate(free, places, sizes, whole.dtype)
    if not (surely_finite(free, whole.dtype) or whole._is_infinite_slope):
        whole._require_finite(values, f"the entries of {whole.name} along {', '.join(places)}")

    def lines(side: Sequence[str]) -> np.ndarray:
        steps, step = dict.fromkeys(places, 0), 1
        for name in reversed(side):
            steps[leader[name]] += step
            step *= sizes[name]
        found = np.zeros(values.shape, np.int64)
        for place, name in enumerate(places):
            if steps[name]:
                along = [-1 if other == place else 1 for other in range(len(places))]
                found += steps[name] * np.arange(sizes[name]).reshape(along)
        return found.reshape(-1)

    return values.reshape(-1), lines(sides[0]), lines(sides[1])


def _without_deltas(term: Term, leader: dict[str, str]) -> Term:
    dense = tuple(factor for factor in term.factors if isinstance(factor, Dense))
    return Term(dense, term.coefficient).renamed(leader)


def _of_blocks(
    whole: Whole, sides: tuple[list[str], list[str]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The entries that can stand, block after block, in the order of rows and columns."""
    names = [axis.name for axis in whole.axes]
    sizes = {axis.name: axis.size for axis in whole.axes}
    parts = [(np.zeros(0, whole.dtype), np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for piece in _pieces(whole, max(SCAN, whole.dtype.itemsize), finite=True):
        at = np.argwhere(_can_stand(whole, piece, names))  # a scalar too has one entry
        index = {n: a + s.start for n, a, s in zip(names, at.T, piece.slices, strict=True)}
        rows, columns = (_line(side, index, sizes, len(at)) for side in sides)
        parts.append((piece.array[tuple(at.T)].reshape(len(at)), rows, columns))
    values, rows, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((columns, rows))
    return values[order], rows[order], columns[order]


def _can_stand(whole: Whole, piece: Piece, names: list[str]) -> np.ndarray:
    """Which entries of a block are no structural zeros."""
    if whole._has_positions:
        sizes = dict(zip(whole._sizes, piece.array.shape, strict=True))
        return can_stand(piece.patterns, sizes)
    lengths = dict(zip(names, piece.array.shape, strict=True))
    return _placed(of_ones(piece.expression), lengths, whole) > 0


def of_ones(expression: Expression) -> Expression:
    """Each factor with ones for its numbers; a mask keeps its zeros, which are structural."""

    def ones(factor: Any) -> Any:
        if isinstance(factor, Dense) and factor.label != MASK:
            return Dense(factor.label, factor.axes, np.ones_like(factor.array))
        return factor

    return Expression(
        tuple(Term(tuple(map(ones, t.factors)), sums=t.sums) for t in expression.terms)
    )


def _line(
    side: Sequence[str], index: dict[str, np.ndarray], sizes: dict[str, int], count: int
) -> np.ndarray:
    """The row or the column of each entry."""
    found = np.zeros(count, np.int64)
    for name in side:
        found = found * sizes[name] + index[name]
    return found


class Materialised(Protocol):
    """What makes an array of its own when it is asked for one."""

    @property
    def name(self) -> str: ...
    def materialise(self) -> np.ndarray: ...


class AsArray:
    """np.asarray(J), of what is materialised."""

    def __array__(self: Materialised, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The whole array, as `materialise()` gives it.

        Raises what `materialise` raises, and JacobianError where copy=False asks for no new array.
        """
        if copy is False:
            raise JacobianError(
                f"np.asarray of {self.name} with copy=False: its array is not kept, only made.\n"
                "  Leave copy=False out."
            )
        array = self.materialise()
        return array if dtype is None else array.astype(dtype, copy=False)


class HandedOut(AsArray, InChunks):
    """What a Jacobian gives to other packages; everything is a new array."""

    __array_ufunc__ = None  # array @ J and array * J are not the chain rule

    def blocks(
        self: Whole, max_bytes: int | str = BLOCK, *, finite: bool = True
    ) -> Iterator[Block]:
        """(slices, array) block after block: each is placed by itself, from the factors alone.

            J[slices] = array

        `slices` are those of the numerator layout. No array is larger than `max_bytes`, a number
        or such as "8MiB". A block whose entries all are structural zeros is never made: what
        is not given out is +0.0. Axes that a delta joins are cut alike, the first ones first.

        Raises DomainError for no number of bytes and for less than one entry, MemoryLimitError
        for a block above the limit, before anything is built; then, at its block, DomainError
        for an entry that is not finite, unless finite=False.
        """
        return blocks(self, max_bytes, finite)

    def in_chunks(self: Whole, chunks: Chunks, who: str) -> Chunked:
        """The same array as chunks that are not made yet, for the calls above."""
        return chunked(self, chunks, who)

    def coo(self: Whole, layout: str = "flat") -> Coordinates:
        """Values, rows and columns of the entries that can be other than zero, row by row.

            J[rows[e], columns[e]] = values[e]

        An entry that is 0 at this input only (a unit switched off) is among them; what is not
        among them is a structural zero. The whole array is not built.

        Raises AxisError for a layout that is not flat or flat_column, MemoryLimitError where the
        entries do not fit, DomainError for an entry that is not finite.
        """
        return coordinates(self, layout)

    def to_scipy(self: Whole, layout: str = "flat", *, mask: bool = False) -> Any:
        """The flat form as a scipy.sparse.csr_array, the entries of `coo()` stored.

        What is stored can be other than zero, a stored 0 is a zero of this input, and what is not
        stored is a structural zero. With `mask`, True stands in place of each stored entry:
        it tells both kinds apart after eliminate_zeros() too.

        Raises what `coo` raises, and SpecError without scipy.
        """
        sparse = extra("scipy.sparse", f"{self.name}.to_scipy()")
        return csr(sparse, coordinates(self, layout), mask)

    def to_xarray(self: Whole) -> Any:
        """The whole array as an xarray.DataArray, its axes by their names: k, k', i'.

        The coordinate structural_zero is True where an entry is 0 at every input.
        Raises what `materialise` raises, and SpecError without xarray.
        """
        xarray = extra("xarray", f"{self.name}.to_xarray()")
        names, array = [axis.name for axis in self.axes], self.materialise()
        zeros = (names, ~self.can_be_nonzero().astype(bool))
        about = {"of": self.of, "wrt": self.wrt, "formula": self.formula}
        return xarray.DataArray(
            array, dims=names, coords={"structural_zero": zeros}, name=self.name, attrs=about
        )

    def to_torch(self: Whole, layout: str = "numerator") -> Any:
        """The whole array as a torch.Tensor that holds its own memory.

        Raises what `materialise` raises, and SpecError without torch.
        """
        torch = extra("torch", f"{self.name}.to_torch()")
        return torch.from_numpy(self.materialise(layout))

    def to_jax(self: Whole, layout: str = "numerator") -> Any:
        """The whole array as a jax.Array; JAX makes it float32 unless its jax_enable_x64 is on.

        Raises what `materialise` raises, and SpecError without jax.
        """
        numpy = extra("jax.numpy", f"{self.name}.to_jax()")
        return numpy.array(self.materialise(layout))
