"""A ledger as plain text: one renderer, which adds nothing but words and spaces.

Two kinds of zero are told apart in every printed array: '.' is zero for every
input, '0' is zero at this input only.
"""

import textwrap
from collections.abc import Callable, Sequence

import numpy as np
from rich.cells import cell_len

from .folding import folded
from .ledger import DeltaStep, Folded, ForwardStep, GradientStep, Ledger, LocalStep
from .memory import format_bytes
from .symbols import number, plural, vector
from .symbols import shape as show

WIDTH = 99
MOST_ROWS = 16
LONGEST_FORMULA = 34
FEW_PARAMETERS = 40

Spell = Callable[[str], str]
DIGITS = (6, 5, 4, 3)

LAYOUT_WORDS = {
    "numerator": "output axes, then the variable's own",
    "transposed": "a matrix variable is turned round, a gradient is a row",
    "flat": "rows = outputs, columns = the variable's entries row by row",
    "flat_column": "rows = outputs, columns = the variable's entries column by column",
    "gradient": "the variable's axes first, a gradient has the variable's shape",
}


def render(
    ledger: Ledger, width: int = WIDTH, spell: Spell = str, everything: bool = False
) -> list[str]:
    """The lines of a derivation: network, forward pass, backward pass, gradients, checks.

    `spell` rewrites every word before it is measured: a seed's names, or ASCII
    where the reader has no other symbols. Of many equal layers two are shown,
    unless `everything` is asked for.
    """
    if not everything:
        ledger = folded(ledger)
    lines = [
        *_labelled("network", _network(ledger, width, spell)),
        "",
        *_labelled("forward", [*_given(ledger), *_forward(ledger.forward, width, spell)]),
        *_switched_off(ledger.forward),
        "",
        *_labelled("signs", _legend(ledger)),
        *_backward(ledger, width, spell),
        "",
        *_gradients(ledger, width, spell),
    ]
    if ledger.agreement is not None:
        lines += ["", *_labelled("checks", ledger.agreement.lines())]
    return [part for line in lines for part in fold(spell(line.rstrip()), width)]


def fold(line: str, width: int) -> list[str]:
    """A line that is too wide, broken at spaces and indented; no word is cut."""
    if cell_len(line) <= width:
        return [line]
    indent = " " * min(width // 2, len(line) - len(line.lstrip(" ")) + 4)
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def array_block(
    value: np.ndarray, can_be_nonzero: np.ndarray | None, room: int, most_rows: int = MOST_ROWS
) -> list[str]:
    """An array row by row in aligned columns, or one line about it where it is too large."""
    rows = np.atleast_2d(value).reshape(-1, value.shape[-1] if value.ndim else 1)
    mask = (
        np.ones(rows.shape, bool) if can_be_nonzero is None else can_be_nonzero.reshape(rows.shape)
    )
    if len(rows) <= most_rows and rows.shape[1] <= room // 2:
        for digits in DIGITS:
            cells = [zero_or_number(r, m, digits) for r, m in zip(rows, mask, strict=True)]
            lines = ["[" + "  ".join(row) + "]" for row in columns(cells)]
            if max(map(len, lines), default=0) <= room:
                return _sliced(lines, value.shape)
    if not value.size:
        return ["[no entries]"]
    low, high = number(value.min(), 3), number(value.max(), 3)
    return [f"[{value.size:,} entries, from {low} to {high}]"]


def zero_or_number(row: np.ndarray, can_be_nonzero: np.ndarray, digits: int) -> list[str]:
    """The cells of one row: '.' for a structural zero, else the number."""
    pairs = zip(row, can_be_nonzero, strict=True)
    return [number(value, digits) if possible else "." for value, possible in pairs]


def table(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Rows in aligned columns, by display width; the last column is not padded."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(
            cell + " " * (size - cell_len(cell)) for cell, size in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _network(ledger: Ledger, width: int, spell: Spell) -> list[str]:
    weights = sum(value.size for _, value in ledger.parameters if value.ndim > 1)
    biases = ledger.parameter_count - weights
    lines = [
        *ledger.title,
        f"{ledger.parameter_count:,} parameters = {weights:,} weights + {biases:,} biases, "
        f"in {plural(len(ledger.parameters), 'array')}",
        f"layout {ledger.layout}: {LAYOUT_WORDS[ledger.layout]}",
    ]
    lines += [f"tied: {pair}" for pair in ledger.tied]
    if ledger.parameter_count <= FEW_PARAMETERS:
        shown = [spell(f"{name} = {vector(value)}") for name, value in ledger.parameters]
        lines += _packed(shown, width - 10)
    return lines


def _packed(words: Sequence[str], room: int) -> list[str]:
    """As many words on a line as fit."""
    lines: list[str] = []
    for word in words:
        if lines and cell_len(lines[-1]) + 2 + cell_len(word) <= room:
            lines[-1] += "  " + word
        else:
            lines.append(word)
    return lines


def _legend(ledger: Ledger) -> list[str]:
    """What the signs mean, in as many lines as the reader will read."""
    errors = [s for s in ledger.backward if isinstance(s, DeltaStep) and s.symbol != s.name]
    error = f"{errors[0].symbol} = {errors[0].name}; " if errors else ""
    lines = [
        f"{error}δ[k,k'] = 1 if k = k', else 0; a primed index is the variable's",
        "indices from 0; '.' is zero for every input, '0' at this input only; [1][2] a product",
    ]
    if any(isinstance(s, LocalStep) and "1[n" in s.formula for s in ledger.backward):
        lines.append("1[n] = 1 for every example n: what does not change along n")
    return lines


def _given(ledger: Ledger) -> list[str]:
    """The data, its numbers where they are few."""
    parts = [
        f"{name} = {vector(value)}"
        if value.size <= MOST_ROWS
        else f"{name} of shape {show(value.shape)}"
        for name, value in ledger.given
    ]
    lines = [", ".join(parts)]
    if ledger.examples is not None:
        lines.append(f"{plural(ledger.examples, 'example')}, one a row; a formula is that of one")
    return lines


def _forward(steps: Sequence[ForwardStep | Folded], width: int, spell: Spell) -> list[str]:
    """A line for each value: the step that makes it, and its numbers where they are few."""
    calls, found = [], []
    for step in steps:
        if isinstance(step, ForwardStep):
            calls.append(spell(f"{step.name} = {step.formula}"))
    room = max(map(cell_len, calls), default=0)
    waiting = iter(calls)
    for step in steps:
        if isinstance(step, Folded):
            found.append(str(step))
            continue
        call = next(waiting)
        text = vector(step.value)
        if step.value.size > 4 * MOST_ROWS or room + 2 + len(text) > width - 10:
            text = f"shape {show(step.value.shape)}"
        found.append(f"{call}{' ' * (room - cell_len(call))}  {text}")
    return found


def _switched_off(forward: Sequence[ForwardStep | Folded]) -> list[str]:
    """How many units of a rectifier give 0 here, and which."""
    lines = []
    steps = [step for step in forward if isinstance(step, ForwardStep)]
    off = [name for step in steps for name in step.switched_off]
    total = sum(step.value.size for step in steps if step.rectifies)
    if off:
        some = ", ".join(off[:6]) + (", …" if len(off) > 6 else "")
        verb = "is" if len(off) == 1 else "are"
        lines.append(
            f"          {len(off)} of {total} rectifier outputs {verb} switched off: {some}"
        )
    return lines


def _backward(ledger: Ledger, width: int, spell: Spell) -> list[str]:
    head = ("step", "Jacobian", "formula, tensor", ledger.layout, "can be ≠ 0", "because")
    rows: list[tuple[str, ...]] = [head]
    for step in ledger.backward:
        if isinstance(step, LocalStep):
            rows.append(
                (
                    f"[{step.number}]",
                    step.name,
                    _formula_cell(step),
                    show(step.shape),
                    f"{step.nonzeros:,} of {step.entries:,}",
                    step.reason,
                )
            )
        elif isinstance(step, DeltaStep):
            product = f"= {step.product}"
            rows.append(("", step.symbol, product, show(step.shape), "", step.reason))
        else:
            rows.append(("", "", "", "", "", ""))
    rows = [tuple(map(spell, row)) for row in rows]
    lines = table([row[:-1] for row in rows])
    reasons = [row[-1] for row in rows]
    wide = max(map(cell_len, lines)) + 2
    found = [lines[0] + " " * (wide - cell_len(lines[0])) + reasons[0]]
    for line, reason, step in zip(lines[1:], reasons[1:], ledger.backward, strict=True):
        if isinstance(step, Folded):
            found.append(f"      {step}")
        elif reason and wide + cell_len(reason) <= width:
            found.append(line + " " * (wide - cell_len(line)) + reason)
        else:
            found += [line, f"        {reason}"] if reason else [line]
        if isinstance(step, LocalStep):
            below = cell_len(step.formula) > LONGEST_FORMULA
            found += [f"        = {step.formula}"] * below + _numbers(step, width)
        elif isinstance(step, DeltaStep):
            block = array_block(step.value, None, width - 8)
            one_line = f"        = {step.formula} = {block[0]}"
            if len(block) == 1 and cell_len(spell(one_line)) <= width:
                found.append(one_line)
            else:
                found += [f"        = {step.formula}", *(f"        {line}" for line in block)]
    return found


def _formula_cell(step: LocalStep) -> str:
    """The formula, and the shape of the tensor where the layout makes a matrix of it."""
    if cell_len(step.formula) > LONGEST_FORMULA:
        return "below"
    if len(step.tensor) == 3 > len(step.shape):
        return f"{step.formula}  {show(step.tensor)}"
    return step.formula


def _numbers(step: LocalStep, width: int) -> list[str]:
    if step.structure in ("identity", "delta ⊗ ones"):
        return []
    lines = []
    if step.value is None:
        lines.append(f"[{step.entries:,} entries, {format_bytes(step.nbytes)}: not built here]")
    else:
        lines += array_block(step.value, step.can_be_nonzero, width - 8)
    return [f"        {line}" for line in lines]


def _gradients(ledger: Ledger, width: int, spell: Spell) -> list[str]:
    head = ("gradient", "einsum", "the δ spent", "textbook", ledger.layout, "reshaped", "so far")
    rows: list[tuple[str, ...]] = [head]
    for step in ledger.gradients:
        if isinstance(step, Folded):
            rows.append(("",) * len(head))
            continue
        words = _spent(step)
        done = f"{step.done:,} / {step.total:,}"
        shapes = (show(step.jacobian_shape), show(step.shape))
        rows.append((step.name, step.equation, words, step.textbook, *shapes, done))
    rows = [tuple(map(spell, row)) for row in rows]
    lines = table(rows)
    too_wide = max(map(cell_len, lines)) > width
    if too_wide:  # the longest column goes on a line of its own
        lines = table([row[:2] + row[3:] for row in rows])
    named = {step.symbol for step in ledger.backward if isinstance(step, DeltaStep)}
    found = [lines[0]]
    notes = "einsum: numerator axes; textbook: columns; numbers: reshaped to the parameter's shape"
    if any(
        "Σ_n" in step.textbook or "ᵀ " in step.textbook
        for step in ledger.gradients
        if isinstance(step, GradientStep)
    ):
        notes = notes.replace("columns", "examples as rows")
    for line, step in zip(lines[1:], ledger.gradients, strict=True):
        if isinstance(step, Folded):
            found.append(f"      {step}")
            continue
        found.append(line)
        found += [f"        {_spent(step)}"] if too_wide else []
        if step.textbook not in named:  # a bias gradient is the δ that stands above
            found += [f"        {x}" for x in array_block(step.value, None, width - 8)]
    return [*found, f"          {notes}"]


def _spent(step: GradientStep) -> str:
    return step.before if step.before == step.after else f"{step.before} = {step.after}"


def _labelled(label: str, lines: Sequence[str]) -> list[str]:
    return [f"{label if position == 0 else '':<10}{line}" for position, line in enumerate(lines)]


def columns(cells: list[list[str]]) -> list[list[str]]:
    """Cells padded on the left, so that columns align on the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [[c.rjust(w) for c, w in zip(row, widths, strict=True)] for row in cells]


def _sliced(lines: list[str], shape: tuple[int, ...]) -> list[str]:
    """Mark where a slice of a 3-tensor begins."""
    if len(shape) < 3:
        return lines
    rows = shape[-2]
    return [
        f"{'[' + str(p // rows) + ']' if p % rows == 0 else '':<4} {line}"
        for p, line in enumerate(lines)
    ]
