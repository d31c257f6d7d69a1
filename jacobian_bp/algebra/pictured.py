"""Which picture shows a Jacobian, and what is said beside it."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ..document.picture import Picture
from ..errors import SpecError
from ..numbers.arrays import entry
from ..picture import matrices, sparsity
from ..picture.canvas import LONGEST_FORMULA, shortened
from ..picture.matrices import Block
from ..writing.signs import did_you_mean, dims
from .axes import Axis
from .coverage import coverage
from .layouts import axis_order, require_layout
from .structure.patterns import Patterns

KINDS = ("entries", "sparsity", "windows")
FLAT = ("flat", "flat_column")
MOST_SLICES = 24

Spell = Callable[[str], str]


class Drawable(Protocol):
    """What a picture asks of a Jacobian."""

    @property
    def of(self) -> str: ...
    @property
    def wrt(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def out_axes(self) -> tuple[Axis, ...]: ...
    @property
    def wrt_axes(self) -> tuple[Axis, ...]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def size(self) -> int: ...
    @property
    def patterns(self) -> Patterns: ...
    @property
    def structure(self) -> str: ...
    @property
    def structural_nonzeros(self) -> int: ...
    def shape_in(self, layout: str) -> tuple[int, ...]: ...
    def materialise(self, layout: str = ...) -> np.ndarray: ...
    def can_be_nonzero(self, layout: str = ...) -> np.ndarray: ...


def pictured(
    jacobian: Drawable, layout: str = "numerator", kind: str = "", spell: Spell = str
) -> Picture:
    """The entries in their layout; of a larger one where they can be other than zero."""
    require_layout(layout)
    if kind and kind not in KINDS:
        raise SpecError(
            f"{jacobian.name}: a picture of kind {kind!r} is not known."
            f"{did_you_mean(kind, KINDS, quote=chr(39))}\n  Write one of {', '.join(KINDS)}."
        )
    shape = jacobian.shape_in(layout)
    if kind == "sparsity" or not _drawn_whole(shape):
        if len(shape) > 2 and kind != "sparsity" and matrices.fits(jacobian.shape_in("flat")):
            return matrices.matrix(block_of(jacobian, "flat", spell))
        if kind == "entries":
            raise SpecError(
                f"{jacobian.name}: its {jacobian.size:,} entries, shape {dims(shape)}, are too "
                "many to be drawn one by one.\n"
                '  Write kind="sparsity": where they can be other than zero.'
            )
        return _sparsity(jacobian, layout if layout in FLAT else "flat", spell)
    block = block_of(jacobian, layout, spell)
    return matrices.slices(block) if len(shape) == 3 else matrices.matrix(block)


def beside(left: Drawable, right: Drawable, spell: Spell = str) -> Picture:
    """Two small Jacobians as flat matrices."""
    for one in (left, right):
        if not matrices.fits(one.shape_in("flat")):
            raise SpecError(
                f"{one.name} of shape {dims(one.shape)} is too large to be drawn beside another.\n"
                f"  Draw it alone, or a smaller network of this form."
            )
    return matrices.beside(block_of(left, "flat", spell), block_of(right, "flat", spell))


def block_of(jacobian: Drawable, layout: str, spell: Spell = str) -> Block:
    """The Jacobian as a matrix or as slices, with the names at its sides."""
    value, possible = jacobian.materialise(layout), jacobian.can_be_nonzero(layout)
    out, wrt = jacobian.out_axes, jacobian.wrt_axes
    order = axis_order(layout, out, wrt)
    axes = {axis.name: axis for axis in (*out, *wrt)}
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    ends: tuple[int, ...] = ()
    if value.ndim == 3:
        first = axes[order[0]]
        alone = len(out) == 1 and first is out[0]
        of = shortened(spell(jacobian.of))
        rows = [f"{of}[{n}]" if alone else f"{first.name} = {n}" for n in range(first.size)]
    elif layout in FLAT:
        parts = [axes[name] for name in order]
        rows = _entries(shortened(spell(jacobian.of)), out, parts[: len(out)])
        columns = _entries("", wrt, parts[len(out) :])
        if len(wrt) > 1:
            step = parts[-1].size
            ends = tuple(range(step, value.shape[1], step))
    elif value.ndim < 2:
        value, possible = value.reshape(1, -1), possible.reshape(1, -1)
    facts = facts_of(jacobian, layout)
    return Block(
        name_of(jacobian, spell), facts, value, possible, tuple(rows), tuple(columns), ends
    )


def name_of(jacobian: Drawable, spell: Spell) -> str:
    """∂z1/∂W1, each of the two names cut where it is long; a Hessian has another."""
    if jacobian.name != f"∂{jacobian.of}/∂{jacobian.wrt}":
        return shortened(spell(jacobian.name), LONGEST_FORMULA)
    return f"∂{shortened(spell(jacobian.of))}/∂{shortened(spell(jacobian.wrt))}"


def _drawn_whole(shape: tuple[int, ...]) -> bool:
    return len(shape) <= 3 and matrices.fits(shape) and (len(shape) < 3 or shape[0] <= MOST_SLICES)


def facts_of(jacobian: Drawable, layout: str) -> str:
    """Layout and shape, structure, and the count of what can be other than zero."""
    shape = dims(jacobian.shape_in(layout) if layout else jacobian.shape)
    where = f"layout {layout}, shape" if layout else "shape"
    return (
        f"{where} {shape}: {jacobian.structure}; "
        f"{jacobian.structural_nonzeros:,} of {jacobian.size:,} entries can be other than zero"
    )


def _entries(name: str, axes: Sequence[Axis], order: Sequence[Axis]) -> list[str]:
    """Each entry in the order in which a flat layout has them, a[0], or 0,1 without a name."""
    found = []
    for at in np.ndindex(*(axis.size for axis in order)):
        place = dict(zip((axis.name for axis in order), at, strict=True))
        index = tuple(place[axis.name] for axis in axes)
        found.append(entry(name, index) if name else ",".join(map(str, index)))
    return found


def _sparsity(jacobian: Drawable, layout: str, spell: Spell) -> Picture:
    rows, columns = jacobian.shape_in(layout)

    def share(most: tuple[int, int]) -> np.ndarray:
        axes = jacobian.out_axes, jacobian.wrt_axes
        grid = sparsity.grid_of((rows, columns), most)
        return coverage(jacobian.patterns, *axes, layout, grid, jacobian.name)

    lines, characters = sparsity.TEXT
    fine, dots = share(sparsity.FINEST), share((4 * lines, 2 * characters))
    facts = facts_of(jacobian, layout)
    return sparsity.sparsity(
        sparsity.Sparsity(name_of(jacobian, spell), facts, (rows, columns), fine, dots)
    )
