"""A ledger as plain text: one renderer, which adds nothing but words and spaces."""

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len

from ..algebra.axes import BATCH
from ..writing.long_arrays import fits_a_page, long_block
from ..writing.signs import dims, plural, vector
from ..writing.tables import DIGITS, WIDTH, fold_all, packed
from .folding import folded
from .jacobian_numbers import LARGEST_BUILT
from .ledger import Backward, Folded, ForwardStep, Ledger, LocalStep
from .legend import legend
from .step_tables import Spell, backward_lines, gradient_lines

LABEL = 10  # columns in front of a section's lines
FEW_PARAMETERS = 40  # that are printed before the derivation begins
FEW_NUMBERS = 64  # of a value in the forward pass
MOST_LINES = 4  # of one, where a Jacobian below has the same numbers

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
    where the reader has no other symbols. Of many equal layers two are shown, and
    long arrays by their range, unless `everything` is asked for.
    """
    if not everything:
        ledger = folded(ledger)
    room = width - LABEL
    network = _network(ledger, room, spell, everything)
    forward = [
        *_given(ledger, room, spell, everything),
        *_forward(ledger, room, spell, everything),
    ]
    forward += _switched_off(ledger.forward)
    steps = backward_lines(ledger, width, spell, everything)
    gradients = gradient_lines(ledger, width, spell, everything)
    lines = _labelled("network", network, room, spell)
    lines += ["", *_labelled("forward", forward, room, spell)]
    if steps:
        signs = packed(legend(ledger, [*steps, *gradients]), room, "; ")
        lines += ["", *_labelled("signs", signs, room, spell), *steps]
    lines += ["", *gradients] if gradients else []
    if ledger.agreement is not None:
        lines += ["", *_labelled("checks", ledger.agreement.lines(), room, spell)]
    return fold_all([spell(line.rstrip()) for line in lines], width)


def _network(ledger: Ledger, room: int, spell: Spell, everything: bool) -> list[str]:
    if not ledger.parameters:
        return [*ledger.title, "no parameters: there is no gradient to derive"]
    biases = ledger.bias_count
    weights = ledger.parameter_count - biases
    lines = [
        *ledger.title,
        f"{ledger.parameter_count:,} parameters = {weights:,} weights + {biases:,} biases, "
        f"in {plural(len(ledger.parameters), 'array')}",
        f"layout {ledger.layout}: {LAYOUT_WORDS[ledger.layout]}",
    ]
    lines += [f"tied: {pair}" for pair in ledger.tied]
    if ledger.parameter_count <= FEW_PARAMETERS or everything:
        lines += _values(ledger.parameters, room, spell)
    return lines


def _values(named: Sequence[tuple[str, np.ndarray]], room: int, spell: Spell) -> list[str]:
    """W1 = […]: as many on a line as fit; what is too long for one, row by row."""
    lines: list[str] = []
    short: list[str] = []
    for name, value in named:
        head = spell(f"{name} = ")
        text = head + vector(value, most=value.size)
        if cell_len(text) <= room:
            short.append(text)
            continue
        lines += packed(short, room)
        short, indent = [], cell_len(head)
        first, *others = long_block(value, None, room - indent, float("inf"))
        lines += [head + first, *(" " * indent + other for other in others)]
    return lines + packed(short, room)


def _given(ledger: Ledger, room: int, spell: Spell, everything: bool) -> list[str]:
    """The data, its numbers where they are few."""
    most = float("inf") if everything else FEW_NUMBERS
    few = [(name, value) for name, value in ledger.given if value.size <= most]
    many = [
        f"{name} of shape {dims(value.shape)}" for name, value in ledger.given if value.size > most
    ]
    one_line = ", ".join([*(f"{name} = {vector(v, most=v.size)}" for name, v in few), *many])
    fits = cell_len(spell(one_line)) <= room
    lines = [one_line] if fits else [*_values(few, room, spell), *many]
    if len(ledger.carried) == 1 and ledger.carried[0].name == BATCH:
        lines.append(f"{plural(ledger.carried[0].size, 'example')}, {_of_examples(ledger)}")
    elif ledger.carried:
        counts = ", ".join(f"{axis.name} = {axis.size}" for axis in ledger.carried)
        lines.append(f"axes in front: {counts}; a formula is that of one vector")
    return lines


def _of_examples(ledger: Ledger) -> str:
    """Which axis the examples are, and of what a formula speaks."""
    written = ledger.convention
    if (written.examples, written.weights, written.bias) == ("rows", "out,in", "own"):
        return "one a row; a formula is that of one"
    line = written.examples.removesuffix("s")
    return f"one a {line}; a formula is that of one, and of all but for the cost"


def _forward(ledger: Ledger, room: int, spell: Spell, everything: bool) -> list[str]:
    """A line for each value: the step that makes it, and its numbers where they are few."""
    steps = ledger.forward
    calls = [spell(s.statement) if isinstance(s, ForwardStep) else "" for s in steps]
    wide = max((w for w in map(cell_len, calls) if w <= room // 2), default=0)
    found = []
    for step, call in zip(steps, calls, strict=True):
        if isinstance(step, Folded):
            found.append(str(step))
            continue
        if step.value.size > FEW_NUMBERS and not everything:
            block = [f"shape {dims(step.value.shape)}"]
        else:
            block = _on_a_line(step.value, room - max(wide, cell_len(call)) - 2)
            block = block or long_block(step.value, None, room - 4, float("inf"))
            if len(block) > MOST_LINES and not everything:
                block = _in_the_rows(ledger.backward, step) or block
        if len(block) == 1 and max(wide, cell_len(call)) + 2 + len(block[0]) <= room:
            found.append(f"{call}{' ' * (wide - cell_len(call))}  {block[0]}")
        else:
            found += [call, *(f"    {line}" for line in block)]
    return found


def _in_the_rows(backward: Sequence[Backward], step: ForwardStep) -> list[str]:
    """In which Jacobian the very numbers stand, each row that is not 0; nothing where in none.

    They are printed there by slices: where they are long here they are too wide laid out.
    """
    for local in backward:
        if not isinstance(local, LocalStep) or f"{step.name}[" not in local.formula:
            continue
        jacobian = local.jacobian
        if len(jacobian.shape) < 3 or jacobian.size > LARGEST_BUILT:
            continue
        value, mask = jacobian.materialise(), jacobian.can_be_nonzero()
        rows, place = value[mask.any(axis=-1)], np.argwhere(mask.any(axis=-1))
        alike = len(rows) and all(row.tobytes() == step.value.tobytes() for row in rows)
        if alike and fits_a_page(mask):
            row = ",".join([*map(str, place[0].tolist()), ":"])
            return [f"its {step.value.size} numbers are row [{row}] of [{local.number}]"]
    return []


def _on_a_line(value: np.ndarray, room: int) -> list[str]:
    """The numbers on one line, with fewer digits before it is too long; nothing where it is."""
    texts = (vector(value, digits, value.size) for digits in DIGITS)
    return next(([text] for text in texts if len(text) <= room), [])


def _switched_off(forward: Sequence[ForwardStep | Folded]) -> list[str]:
    """How many units of a rectifier give 0 here, and which."""
    lines = []
    steps = [step for step in forward if isinstance(step, ForwardStep)]
    off = [name for step in steps for name in step.switched_off]
    total = sum(step.value.size for step in steps if step.rectifies)
    if off:
        some = ", ".join(off[:6]) + (", …" if len(off) > 6 else "")
        verb = "is" if len(off) == 1 else "are"
        lines.append(f"{len(off)} of {total} rectifier outputs {verb} switched off: {some}")
    return lines


def _labelled(label: str, lines: Sequence[str], room: int, spell: Spell) -> list[str]:
    """Lines in `room` columns behind a label; what is too wide is folded beside it."""
    parts = fold_all(map(spell, lines), room)
    return [
        f"{label if position == 0 else '':<{LABEL}}{line}" for position, line in enumerate(parts)
    ]
