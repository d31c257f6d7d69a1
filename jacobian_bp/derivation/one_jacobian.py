"""One Jacobian explained: formula, steps, the five layouts, and its numbers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..algebra.jacobian import Jacobian
from ..algebra.layouts import LAYOUTS, layout_axes
from ..algebra.pictured import pictured
from ..document.as_text import Spell, worded
from ..document.blocks import (
    Block,
    Column,
    Document,
    Formula,
    Matrix,
    Row,
    Section,
    Signs,
    Table,
    Words,
)
from ..errors import JacobianError, MemoryLimitError
from ..numbers.arrays import entry
from ..numbers.memory import current_limit, format_bytes
from ..writing.long_arrays import fits_a_page, leaves_out, long_block
from ..writing.signs import dims
from ..writing.tables import (
    DIGITS,
    fold_all,
    plain_block,
    right_aligned,
    table,
    zero_or_number,
)
from .jacobian_numbers import LARGEST_PRINTED, examples_of, largest_built, matrix_of, numbers
from .legend import ZEROS, arrays_on_the_way, folded_rows, meanings_of_zeros

MOST_ROWS = 40  # of a matrix that is all there is to see
MOST_STEPS = 12  # of a product that is multiplied out; of more the ends
FIRST_STEPS, LAST_STEPS = 6, 3


def explain(
    jacobian: Jacobian,
    layout: str = "flat",
    reason: str = "",
    width: int = 99,
    spell: Spell = str,
    everything: bool = False,
) -> list[str]:
    """The lines that `jacobian-bp show` prints: formula, reason, layouts, slices, numbers.

    Long arrays are printed where `everything` is asked for.
    """
    lines, room = list[str](), width - 2
    for section in _sections(jacobian, layout, reason, everything):
        if not lines:
            formula, *blocks = section.blocks
            lines = _lines(formula)
        else:
            blocks = list(section.blocks)
            lines += ["", f"{section.title}:"]
        for block in blocks:
            is_matrix = isinstance(block, Matrix)
            lines += _printed(jacobian, layout, room, everything) if is_matrix else []
            lines += _indented(_lines(block))
    lines += _indented(folded_rows("\n".join(lines)))
    return fold_all(map(spell, lines), width)


def document_of_jacobian(
    jacobian: Jacobian,
    layout: str = "flat",
    reason: str = "",
    everything: bool = False,
    spell: Spell = str,
) -> Document:
    """The same as blocks, for the forms in which formulas are set, and a picture of the tensor.

    `spell` writes the names in the picture as a convention has them.
    """
    told = _sections(jacobian, layout, reason, everything)
    sections = [replace(section, title=_headline(section.title)) for section in told]
    sections.append(Section("", "Picture", (_drawn(jacobian, spell),)))
    names = frozenset(node.name for node in jacobian.nodes)
    return Document(jacobian.name, tuple(sections), names)


def _sections(jacobian: Jacobian, layout: str, reason: str, everything: bool) -> Iterator[Section]:
    """What every form says: the formula, how it comes about, its layouts, its numbers."""
    formula, *facts = jacobian.text().splitlines()
    said: list[Block] = [Formula(_bare(formula))]
    for fact in (_bare(line).removeprefix("  ") for line in facts):
        depth = (len(fact) - len(fact.lstrip())) // 2
        said.append(Formula(fact) if "∂" in fact else Words(fact.strip(), depth))
    said += [Words(f"because {reason}")] * bool(reason)
    yield Section("", "formula", tuple(said))
    trace = _collapsed(jacobian)
    if trace:
        title = "collapsed, link by link from the left"
        yield Section("", title, tuple(_steps(trace, everything)))
    axes = jacobian.out_axes, jacobian.wrt_axes
    rows = [[n, dims(jacobian.shape_in(n)), layout_axes(n, *axes)] for n in LAYOUTS]
    columns = Column("layout"), Column("shape"), Column("axes")
    cells = tuple(Row(tuple(map(Words, row))) for row in rows)
    yield Section("", "in the five layouts", (Table(columns, cells, tuple(table(rows))),))
    title = f"{jacobian.name} in layout {layout}, shape {dims(jacobian.shape_in(layout))}"
    matrix = matrix_of(jacobian, layout, everything)
    yield Section("", title, (matrix, Signs(meanings_of_zeros)))


def _lines(block: Block) -> list[str]:
    """A block as lines; a matrix with its signs is `_printed`."""
    match block:
        case Words():
            return [worded(block)]
        case Formula():
            return [block.text]
        case Table():
            return list(block.plain)
    return []


def _printed(jacobian: Jacobian, layout: str, room: int, everything: bool) -> list[str]:
    """The numbers in a layout; of a 3-tensor its slices too, and what is too wide laid flat."""
    slices = _slices(jacobian, room, everything) if len(jacobian.shape) == 3 else []
    where = "below" if slices else ""
    lines = _indented(_laid_out(jacobian, layout, room, everything, where))
    if slices:
        title = (
            f"the slices of the tensor {dims(jacobian.shape)}, one for each {_sliced(jacobian)}:"
        )
        lines += ["", title, *_indented(slices)]
        if layout != "flat":
            lines += ["", f"the same laid flat, shape {dims(jacobian.shape_in('flat'))}:"]
            lines += _indented(_laid_out(jacobian, "flat", room, everything, "above"))
    return lines


def _drawn(jacobian: Jacobian, spell: Spell) -> Block:
    """Its slices, or where it can be other than zero; or why it is not drawn."""
    try:
        plain, spelled = jacobian.picture(), pictured(jacobian, spell=spell)
    except JacobianError as error:
        return Words(" ".join(str(error).split()))
    return replace(plain, svg=spelled.svg)  # the document spells the words


def _headline(words: str) -> str:
    return words[0].upper() + words[1:] if words[0].isascii() else words


def _bare(line: str) -> str:
    """A line without its layout, which is told of below it."""
    return re.sub("layout numerator, shape .*?: ", "", line)


def _collapsed(jacobian: Jacobian) -> list[tuple[str, str]]:
    """Each step of a product that is multiplied out: the equation, and the reason for it."""
    if jacobian.is_local or not jacobian.links:
        return []
    trace = jacobian.collapse().trace
    return [(f"{step.before} = {step.after}", step.reason) for step in trace]


def _steps(trace: Sequence[tuple[str, str]], everything: bool) -> Iterator[Block]:
    """Each step with its reason, the ends of many; then what was given a name on the way."""
    shown = list(trace)
    left_out = (
        0 if everything or len(trace) <= MOST_STEPS else len(trace) - FIRST_STEPS - LAST_STEPS
    )
    if left_out:
        shown = [*trace[:FIRST_STEPS], *trace[-LAST_STEPS:]]
    for place, (line, why) in enumerate(shown):
        if left_out and place == FIRST_STEPS:
            yield Words(f"… {left_out} more steps like these; --all prints them")
        yield Formula(line)
        yield Words(why, 2)
    text = "\n".join(line for line, _ in shown)
    yield from map(Words, arrays_on_the_way(text))


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _too_many(jacobian: Jacobian, everything: bool) -> str:
    """Why the numbers are not printed, and what prints or builds them, if anything; or nothing."""
    count = f"{jacobian.size:,} entries, {format_bytes(jacobian.nbytes)}"
    if jacobian.nbytes > current_limit():
        limit = format_bytes(current_limit())
        return f"{count}: not built, the memory limit is {limit}; the formula says each of them"
    if jacobian.size > LARGEST_PRINTED:
        call = f'run.jacobian("{jacobian.of}", "{jacobian.wrt}").materialise()'
        return f"{count}: too many to print; in Python {call} builds them"
    if everything or (jacobian.size <= largest_built(jacobian) and _fits(jacobian)):
        return ""
    return f"{count}: too many for a page; --all prints them"


def _fits(jacobian: Jacobian) -> bool:
    """Whether it fits a page, or the slice of its first example does."""
    mask = jacobian.can_be_nonzero()
    return fits_a_page(mask) or (examples_of(jacobian) > 1 and fits_a_page(mask[:1]))


def _laid_out(
    jacobian: Jacobian, layout: str, room: int, everything: bool, slices: str
) -> list[str]:
    """The numbers in a layout; where it is too large, a word about the `slices` above or below."""
    try:
        too_many = _too_many(jacobian, everything)
        if too_many:
            return [too_many]
        value, mask = jacobian.materialise(layout), jacobian.can_be_nonzero(layout)
    except MemoryLimitError as error:
        return str(error).splitlines()
    lines = _with_headings(jacobian, value, mask, room) if layout == "flat" else []
    lines = lines or (plain_block(value, mask, room, MOST_ROWS) if value.ndim < 4 else [])
    if not lines and slices:
        return [f"too large for the page in this layout; its slices stand {slices}"]
    lines = lines or numbers(jacobian, layout, room, everything)
    met = not mask.all(), bool(np.any(mask & (value == 0)))
    notes = [meaning for meaning, is_met in zip(ZEROS.values(), met, strict=True) if is_met]
    return lines + ["; ".join(notes)] * bool(notes)


def _slices(jacobian: Jacobian, room: int, everything: bool) -> list[str]:
    """A matrix for each index of the first axis, one under another: the delta moves on.

    Where they have too many rows, those that have a number; nothing where they are too many.
    """
    try:
        if _too_many(jacobian, everything):
            return []
        value, mask = jacobian.materialise(), jacobian.can_be_nonzero()
    except MemoryLimitError:
        return []
    if leaves_out(mask, whole=True):
        return numbers(jacobian, "numerator", room, everything)
    lines = []
    for position in range(len(value)):
        lines.append(_slice(jacobian, position))
        lines += _indented(long_block(value[position], mask[position], room - 2, whole=True))
    return lines


def _sliced(jacobian: Jacobian) -> str:
    """What there is a slice for: each output, or each index of the first axis."""
    if len(jacobian.out_axes) == 1:
        return "output"
    first = jacobian.axes[0].name.rstrip("'")
    return f"{first} of {jacobian.of if jacobian.out_axes else jacobian.wrt}"


def _slice(jacobian: Jacobian, position: int) -> str:
    """Which slice of the tensor it is: ∂z1[2]/∂W1, ∂z[2,:]/∂b, ∂J/∂K[2,:,:]."""
    own = jacobian.out_axes or jacobian.wrt_axes
    index = ",".join([str(position), *":" * (len(own) - 1)])
    of, wrt = jacobian.of, jacobian.wrt
    return f"∂{of}[{index}]/∂{wrt}" if jacobian.out_axes else f"∂{of}/∂{wrt}[{index}]"


def _with_headings(jacobian: Jacobian, value: np.ndarray, mask: np.ndarray, room: int) -> list[str]:
    """The flat matrix with the entry that each row and column stands for."""
    heads = ["", *(_entry(jacobian.wrt, jacobian.wrt_axes, i) for i in range(value.shape[1]))]
    if value.shape[1] > 16 or len(value) > 24:
        return []
    for digits in DIGITS:
        rows = []
        for position, (row, flags) in enumerate(zip(value, mask, strict=True)):
            head = _entry(jacobian.of, jacobian.out_axes, position)
            rows.append([head, *zero_or_number(row, flags, digits)])
        lines = right_aligned([heads, *rows])
        if max(map(len, lines)) <= room:
            return lines
    return []


def _entry(name: str, axes: Sequence, position: int) -> str:
    index = np.unravel_index(position, [axis.size for axis in axes]) if axes else ()
    return entry(name, tuple(map(int, index)))
