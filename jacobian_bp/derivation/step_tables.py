"""The steps of a derivation as two tables: local Jacobians and errors, then gradients.

A column that does not fit gives way: what stands in it goes below its row, with its name.
"""

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from ..writing.long_arrays import MOST_NUMBERS, long_block
from ..writing.signs import dims
from ..writing.tables import fold, plain_block, table
from .jacobian_numbers import numbers
from .ledger import DeltaStep, Folded, ForwardStep, GradientStep, Ledger, LocalStep

LONGEST_FORMULA = 34
INDENT = " " * 8

Spell = Callable[[str], str]


def backward_lines(ledger: Ledger, width: int, spell: Spell, everything: bool) -> list[str]:
    """Each local Jacobian and each error: a row, and below it the numbers."""
    if not ledger.backward:
        return []
    head = ("step", "Jacobian", "formula, tensor", ledger.layout, "can be ≠ 0", "because")
    rows: list[tuple[str, ...]] = [head]
    for step in ledger.backward:
        if isinstance(step, LocalStep):
            count = f"{step.nonzeros:,} of {step.entries:,}"
            first = f"[{step.number}]", step.name, _formula_cell(step), dims(step.shape)
            rows.append((*first, count, step.reason))
        elif isinstance(step, DeltaStep):
            product = f"= {step.product}"
            rows.append(("", step.symbol, product, dims(step.shape), "", step.reason))
        else:
            rows.append(("", "", "", "", "", ""))
    rows = [tuple(map(spell, row)) for row in rows]
    lines, gone = _fitted([row[:-1] for row in rows], (2, 4), width)
    reasons = [row[-1] for row in rows]
    wide = max(map(cell_len, lines)) + 2
    found = _beside(lines[0], reasons[0], wide, width)[:1]
    for line, row, step in zip(lines[1:], rows[1:], ledger.backward, strict=True):
        if isinstance(step, Folded):
            found.append(f"      {step}")
            continue
        beside = _beside(line, row[-1], wide, width)
        found += beside[:1]
        if isinstance(step, LocalStep):
            below = [f"{row[4]} can be ≠ 0"] if 4 in gone else []
            if 2 in gone or cell_len(step.formula) > LONGEST_FORMULA:
                below = [_formula_below(step), *below]
            found += [f"{INDENT}{words}" for words in [*below, *beside[1:]]]
            found += _numbers(step, width, everything)
        else:
            found += [f"{INDENT}= {step.product}"] if 2 in gone else []
            found += [f"{INDENT}{words}" for words in beside[1:]]
            found += _error(step, width, spell, everything)
    return found


def gradient_lines(ledger: Ledger, width: int, spell: Spell, everything: bool) -> list[str]:
    """Each gradient: a row, and below it the numbers where they do not stand above already."""
    if not ledger.gradients:
        return []
    head = ("gradient", "einsum", "the δ spent", "textbook", ledger.layout, "reshaped", "so far")
    rows: list[tuple[str, ...]] = [head]
    for step in ledger.gradients:
        if isinstance(step, Folded):
            rows.append(("",) * len(head))
            continue
        done = f"{step.done:,} / {step.total:,}"
        shapes = (dims(step.jacobian_shape), dims(step.shape))
        rows.append((step.name, step.equation, _spent(step), step.textbook, *shapes, done))
    rows = [tuple(map(spell, row)) for row in rows]
    lines, gone = _fitted(rows, (2, 1, 3), width)  # the longest column first
    named = {step.symbol for step in ledger.backward if isinstance(step, DeltaStep)}
    found = [lines[0]]
    for line, row, step in zip(lines[1:], rows[1:], ledger.gradients, strict=True):
        if isinstance(step, Folded):
            found.append(f"      {step}")
            continue
        found.append(line)
        found += [
            f"{INDENT}{row[place] if place == 2 else f'{rows[0][place]} {row[place]}'}"
            for place in sorted(gone)
        ]
        if step.textbook not in named:  # a bias gradient is the δ that stands above
            most = float("inf") if everything else MOST_NUMBERS
            block = long_block(step.value, None, width - len(INDENT), most)
            found += [f"{INDENT}{line}" for line in block]
    return [*found, *(f"          {line}" for line in fold(_notes(ledger), width - 10))]


def _fitted(
    rows: Sequence[Sequence[str]], gives_way: Sequence[int], width: int
) -> tuple[list[str], set[int]]:
    """The table without as many of the columns `gives_way` as it takes to fit, and which."""
    gone: set[int] = set()
    for place in (None, *gives_way):
        gone |= {place} if place is not None else set()
        lines = table([[cell for p, cell in enumerate(row) if p not in gone] for row in rows])
        if max(map(cell_len, lines)) <= width:
            break
    return lines, gone


def _beside(line: str, words: str, wide: int, width: int) -> list[str]:
    """A row with its reason in the last column where there is room, else the two apart."""
    if words and wide + cell_len(words) <= width:
        return [line + " " * (wide - cell_len(line)) + words]
    return [line, words] if words else [line]


def _formula_cell(step: LocalStep) -> str:
    """The formula, and the shape of the tensor where the layout makes a matrix of it."""
    if cell_len(step.formula) > LONGEST_FORMULA:
        return "below"
    return f"{step.formula}  {dims(step.tensor)}" if _is_reshaped(step) else step.formula


def _formula_below(step: LocalStep) -> str:
    tensor = f", tensor {dims(step.tensor)}" if _is_reshaped(step) else ""
    return f"= {step.formula}{tensor}"


def _is_reshaped(step: LocalStep) -> bool:
    return len(step.tensor) == 3 > len(step.shape)


def _numbers(step: LocalStep, width: int, everything: bool) -> list[str]:
    if step.structure in ("identity", "delta ⊗ ones"):
        return []
    block = step_numbers(step, width - len(INDENT), everything)
    return [f"{INDENT}{line}" for line in block]


def step_numbers(
    step: ForwardStep | LocalStep | DeltaStep | GradientStep, room: int, everything: bool = False
) -> list[str]:
    """The numbers of a step row by row, or one line about them where they are too many."""
    if isinstance(step, LocalStep):
        return numbers(step.jacobian, step.layout, room, everything)
    most = float("inf") if everything else MOST_NUMBERS
    return plain_block(step.value, None, room) or long_block(step.value, None, room, most)


def _error(step: DeltaStep, width: int, spell: Spell, everything: bool) -> list[str]:
    """The formula of an error and its numbers, on one line where they fit."""
    block = step_numbers(step, width - len(INDENT), everything)
    one_line = f"{INDENT}= {step.formula} = {block[0]}"
    book = [f"{INDENT}= {step.textbook}"] if step.textbook else []
    if len(block) == 1 and cell_len(spell(one_line)) <= width:
        return [*book, one_line]
    return [*book, f"{INDENT}= {step.formula}", *(f"{INDENT}{line}" for line in block)]


def _notes(ledger: Ledger) -> str:
    notes = "einsum: numerator axes; textbook: columns; numbers: reshaped to the parameter's shape"
    batch = ledger.examples is not None and any(
        "Σ_n" in step.textbook or "ᵀ " in step.textbook
        for step in ledger.gradients
        if isinstance(step, GradientStep)
    )
    written = ledger.convention
    if batch:
        return notes.replace("columns", f"examples as {written.examples}")
    is_row = written.weights == "in,out" and written.examples == "rows"
    return notes.replace("columns", "rows") if is_row else notes


def _spent(step: GradientStep) -> str:
    return step.before if step.before == step.after else f"{step.before} = {step.after}"
