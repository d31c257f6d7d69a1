"""What stands between the facts of a derivation and every renderer: a document of blocks.

A formula is its printed string, a number is an array, and each sentence stands in a block
once. A renderer decides how a kind of block looks; of its own it adds marks, and no words
that are not said here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..writing.long_arrays import MOST_NUMBERS
from .picture import Picture as Picture

Entries = tuple[np.ndarray, np.ndarray | None]  # numbers, and where they can be other than zero


@dataclass(frozen=True)
class Words:
    """A sentence; `indent` is the depth at which it stands below another.

    A `label` says in a word what it is of; a text in columns has it in its margin. In `plain`
    words nothing is a formula: a second is no value s. Short statements of one kind, as of a
    program, `pack`: a text in columns has several on a line.
    """

    text: str
    indent: int = 0
    label: str = ""
    plain: bool = False
    pack: bool = False


@dataclass(frozen=True)
class Lines:
    """Lines that stay as they are set: code, what a program printed, columns.

    Where all of them are formulas, an article sets `latex`, each as mathematics.
    """

    lines: tuple[str, ...]
    latex: tuple[str, ...] = ()


@dataclass(frozen=True)
class Formula:
    """δ[k,k'] a1[i'], with the shape of its tensor where a layout makes a matrix of that."""

    text: str
    tensor: tuple[int, ...] = ()
    goes_on: bool = False  # = δ3 [5][6], the next side of an equation that begins before it


@dataclass(frozen=True)
class Shape:
    """The sizes of the axes."""

    sizes: tuple[int, ...]


Cell = Words | Formula | Shape | None


@dataclass(frozen=True, eq=False)
class Named:
    """x = [1  -2  0.5]"""

    name: str
    array: np.ndarray


@dataclass(frozen=True, eq=False)
class Values:
    """Named arrays; of one with more than `most` numbers the shape alone.

    A `sentence` names them one after another; else they stand in a list.
    """

    items: tuple[Named, ...]
    most: float = float("inf")
    sentence: bool = False


@dataclass(frozen=True, eq=False)
class Equation:
    """z1 = W1 x + b1, and the numbers that it gives; of more than `most` the shape alone.

    `elsewhere` says where in the document the same numbers stand, if they do.
    """

    statement: str
    array: np.ndarray
    most: float = float("inf")
    elsewhere: Callable[[], str] | None = None


@dataclass(frozen=True, eq=False)
class Equations:
    """Equations one under another; Words stand for those that are left out."""

    items: tuple[Equation | Words, ...]


@dataclass(frozen=True)
class Signs:
    """The meanings of the signs that are met in what was rendered, as plain text."""

    meanings: Callable[[str], list[str]]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Numbers with their two kinds of zero, built anew whenever they are asked for.

    Where they do not fit as they are laid out, the rows of the `tensor` are shown, and
    `slices` says what one of them is.
    """

    laid_out: Callable[[], Entries]
    tensor: Callable[[], Entries] | None = None
    slices: str = ""
    refused: str = ""  # in place of the numbers: why they are not built
    beyond_memory: str = ""  # the same, where the limit was met on the way
    form: Literal["", "known", "diagonal"] = ""  # known: its row says each of them already
    most: float = MOST_NUMBERS
    whole: bool = False  # rows of structural zeros are written too
    deep: bool = False  # four axes and more are laid out in rows as well
    examples: int = 0  # along the tensor's first axis: the first is shown where all are too many


@dataclass(frozen=True)
class Column:
    """One column; `kind` is what a renderer knows it by.

    `gives_way` is the place in the order in which columns leave a table that is too wide; a
    cell then stands below its row, as `below` has it. One longer than `longest` does so always.
    A `last` one stands at the end of its row where there is room, else below it.
    """

    head: str
    kind: Literal[
        "step", "name", "formula", "shape", "count", "reason", "einsum", "textbook", "done", "words"
    ] = "words"
    gives_way: int = 0
    below: str = "{}"
    longest: float = float("inf")
    last: bool = False


@dataclass(frozen=True, eq=False)
class Row:
    """One step: its cells, what it equals further, and its numbers."""

    cells: tuple[Cell, ...]
    key: str = ""  # by which others point at it: ∂z2/∂W2
    equals: tuple[Formula, ...] = ()
    matrix: Matrix | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """Rows under heads; Words stand for rows that are left out.

    `plain` are its lines where it is part of a text that has been set already.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row | Words, ...]
    plain: tuple[str, ...] = ()


Block = Words | Lines | Formula | Values | Equations | Signs | Matrix | Table | Picture


@dataclass(frozen=True, eq=False)
class Section:
    """Blocks under a heading; `label` is what a text in columns has for it in its margin."""

    label: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, eq=False)
class Document:
    """Sections under a title, and the names of values that may stand in a sentence."""

    title: str
    sections: tuple[Section, ...]
    names: frozenset[str] = frozenset()
    spell: Callable[[str], str] = str  # a convention's names in place of the package's
