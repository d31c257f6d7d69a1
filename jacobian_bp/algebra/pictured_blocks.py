"""Several Jacobians in one picture, beside and below each other."""

from collections.abc import Callable, Sequence

import numpy as np

from ..document.picture import Picture
from ..picture.stacked import Side, blocks, fits, tiles
from .nodes_and_links import Node
from .pictured import Drawable


def pictured_blocks(
    name: str,
    facts: str,
    rows: Sequence[Node],
    columns: Sequence[Node],
    block: Callable[[str, str], Drawable],
    value: Callable[[], np.ndarray],
) -> Picture:
    """Every entry where they are few, else for each block how many can be other than zero.

    `block` is the Jacobian in one place, `value` the whole matrix, built where it is drawn.
    """
    down, across = _side(rows), _side(columns)
    parts = [[block(row.name, column.name) for column in columns] for row in rows]
    if fits(down, across):
        whole = value().reshape(sum(down.entries), sum(across.entries))
        possible = np.block([[_possible(part) for part in line] for line in parts])
        return blocks(name, facts, down, across, whole, possible)
    counts = np.array([[part.structural_nonzeros for part in line] for line in parts], object)
    return tiles(name, facts, down, across, counts)


def _possible(part: Drawable) -> np.ndarray:
    """The mask of a block as a matrix."""
    mask = part.can_be_nonzero("flat")
    return mask.reshape(-1, mask.shape[-1])


def _side(nodes: Sequence[Node]) -> Side:
    entries = tuple(int(np.prod(node.shape, dtype=object)) for node in nodes)
    return Side(tuple(node.name for node in nodes), entries)
