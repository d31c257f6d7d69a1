"""A ledger as plain text: one renderer, which adds nothing but words and spaces."""

from collections.abc import Callable, Sequence

from rich.cells import cell_len

from ..numbers.memory import format_bytes
from ..writing.signs import dims, plural, vector
from ..writing.tables import MOST_ROWS, array_block, fold_all, packed, table
from .folding import folded
from .ledger import DeltaStep, Folded, ForwardStep, GradientStep, Ledger, LocalStep

WIDTH = 99
LONGEST_FORMULA = 34
FEW_PARAMETERS = 40

Spell = Callable[[str], str]

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
    return fold_all([spell(line.rstrip()) for line in lines], width)


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
        lines += packed(shown, width - 10)
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
        else f"{name} of shape {dims(value.shape)}"
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
            text = f"shape {dims(step.value.shape)}"
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
                    dims(step.shape),
                    f"{step.nonzeros:,} of {step.entries:,}",
                    step.reason,
                )
            )
        elif isinstance(step, DeltaStep):
            product = f"= {step.product}"
            rows.append(("", step.symbol, product, dims(step.shape), "", step.reason))
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
        return f"{step.formula}  {dims(step.tensor)}"
    return step.formula


def _numbers(step: LocalStep, width: int) -> list[str]:
    if step.structure in ("identity", "delta ⊗ ones"):
        return []
    return [f"        {line}" for line in numbers_of(step, width - 8)]


def numbers_of(step: ForwardStep | LocalStep | DeltaStep | GradientStep, room: int) -> list[str]:
    """The numbers of a step, row by row, or one line about them where they are too many."""
    if not isinstance(step, LocalStep):
        return array_block(step.value, None, room)
    if step.value is None:
        return [f"[{step.entries:,} entries, {format_bytes(step.nbytes)}: not built here]"]
    return array_block(step.value, step.can_be_nonzero, room)


def _gradients(ledger: Ledger, width: int, spell: Spell) -> list[str]:
    head = ("gradient", "einsum", "the δ spent", "textbook", ledger.layout, "reshaped", "so far")
    rows: list[tuple[str, ...]] = [head]
    for step in ledger.gradients:
        if isinstance(step, Folded):
            rows.append(("",) * len(head))
            continue
        words = _spent(step)
        done = f"{step.done:,} / {step.total:,}"
        shapes = (dims(step.jacobian_shape), dims(step.shape))
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
