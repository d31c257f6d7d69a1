"""A ledger as a document: every sentence of a derivation stands here, once."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..algebra.axes import BATCH
from ..document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    Equation,
    Equations,
    Formula,
    Matrix,
    Named,
    Row,
    Section,
    Shape,
    Signs,
    Table,
    Values,
    Words,
)
from ..writing.long_arrays import MOST_NUMBERS, fits_a_page
from ..writing.signs import plural
from .folding import folded
from .jacobian_numbers import LARGEST_BUILT, matrix_of
from .ledger import Backward, DeltaStep, Folded, ForwardStep, GradientStep, Ledger, LocalStep
from .legend import legend

FEW_PARAMETERS = 64  # that are shown before the derivation begins
FEW_NUMBERS = 64  # of a value in the forward pass
LONGEST_FORMULA = 34  # that stands in a row of its table
NO_LIMIT = float("inf")
CHECKS = "checks"
STATEMENT = re.compile(r"[^\W\d]\w*(, [^\W\d]\w*)* = ")

LAYOUT_WORDS = {
    "numerator": "output axes, then the variable's own",
    "transposed": "a matrix variable is turned round, a gradient is a row",
    "flat": "rows = outputs, columns = the variable's entries row by row",
    "flat_column": "rows = outputs, columns = the variable's entries column by column",
    "gradient": "the variable's axes first, a gradient has the variable's shape",
}


def document_of(ledger: Ledger, everything: bool = False) -> Document:
    """Network, forward pass, backward pass, gradients, checks.

    Of many equal layers two are shown, and long arrays by their range, unless
    `everything` is asked for.
    """
    if not everything:
        ledger = folded(ledger)
    forward = [*_given(ledger, everything), _forward(ledger, everything), *_switched_off(ledger)]
    sections = [
        Section("network", "Network", _network(ledger, everything)),
        Section("forward", "Forward pass", tuple(forward)),
    ]
    if ledger.backward:
        signs = Signs(lambda printed: legend(ledger, printed))
        steps = _backward(ledger, everything)
        sections.append(Section("signs", "Backward pass, one Jacobian at a time", (signs, steps)))
    if ledger.gradients:
        gradients = _gradients(ledger, everything), Words(_notes(ledger))
        sections.append(Section("", "Gradients, as each delta is spent", gradients))
    if ledger.agreement is not None:
        sections.append(Section(CHECKS, "Checks", ledger.agreement.blocks()))
    title = f"The gradient of {ledger.cost}, step by step"
    return Document(title, tuple(sections), _value_names(ledger))


def withheld(document: Document) -> Document:
    """The document without a number that was computed: shapes, formulas and reasons stay."""

    def without(block: Block) -> Block:
        match block:
            case Equations(items):
                shapes = (
                    replace(i, most=-1, elsewhere=None) if isinstance(i, Equation) else i
                    for i in items
                )
                return Equations(tuple(shapes))
            case Table(columns, rows):
                bare = (replace(row, matrix=None) if isinstance(row, Row) else row for row in rows)
                return Table(columns, tuple(bare))
        return block

    kept = [section for section in document.sections if section.label != CHECKS]
    sections = (replace(section, blocks=tuple(map(without, section.blocks))) for section in kept)
    return replace(document, sections=tuple(sections))


def _value_names(ledger: Ledger) -> frozenset[str]:
    """The names of values, which stand in sentences too."""
    steps = [step.name for step in ledger.forward if isinstance(step, ForwardStep)]
    reads = [n for step in ledger.forward if isinstance(step, ForwardStep) for n in step.reads]
    return frozenset([*steps, *reads, *(name for name, _ in (*ledger.parameters, *ledger.given))])


def _network(ledger: Ledger, everything: bool) -> tuple[Block, ...]:
    title = title_of(ledger.title)
    if not ledger.parameters:
        return (*title, Words("no parameters: there is no gradient to derive"))
    biases = ledger.bias_count
    weights = ledger.parameter_count - biases
    shown = ledger.parameter_count <= FEW_PARAMETERS or everything
    lines = [
        f"{ledger.parameter_count:,} parameters = {weights:,} weights + {biases:,} biases, "
        f"in {plural(len(ledger.parameters), 'array')}" + "; --all prints them" * (not shown),
        f"layout {ledger.layout}: {LAYOUT_WORDS[ledger.layout]}",
        *(f"tied: {pair}" for pair in ledger.tied),
    ]
    numbers = Values(tuple(Named(*pair) for pair in ledger.parameters))
    return (*title, *map(Words, lines), *([numbers] if shown else []))


def title_of(lines: Sequence[str]) -> tuple[Words, ...]:
    """The head of a derivation; the steps of a program, each said again below, stand packed."""
    return tuple(Words(line, pack=STATEMENT.match(line) is not None) for line in lines)


def _given(ledger: Ledger, everything: bool) -> list[Block]:
    """The data, its numbers where they are few."""
    most = NO_LIMIT if everything else FEW_NUMBERS
    found: list[Block] = [Values(tuple(Named(*pair) for pair in ledger.given), most, True)]
    if len(ledger.carried) == 1 and ledger.carried[0].name == BATCH:
        found.append(Words(f"{plural(ledger.carried[0].size, 'example')}, {_of_examples(ledger)}"))
    elif ledger.carried:
        found.append(Words(_carried_along(ledger)))
    return found


def _carried_along(ledger: Ledger) -> str:
    """Which axes stand in front, and that the examples stand behind all others in columns."""
    last = [a for a in ledger.carried if a.name == BATCH and ledger.convention.examples != "rows"]
    counts = ", ".join(f"{axis.name} = {axis.size}" for axis in ledger.carried if axis not in last)
    behind = "".join(f", examples in the last: {axis.name} = {axis.size}" for axis in last)
    said = "a formula leaves out those that its op carries along"
    return f"axes in front: {counts}{behind}; {said}"


def _of_examples(ledger: Ledger) -> str:
    """Which axis the examples are, and of what a formula speaks."""
    written = ledger.convention
    if (written.examples, written.weights, written.bias) == ("rows", "out,in", "own"):
        return "one a row; a formula is that of one"
    line = written.examples.removesuffix("s")
    return f"one a {line}; a formula is that of one, and of all but for the cost"


def _forward(ledger: Ledger, everything: bool) -> Equations:
    """The step that makes each value, and its numbers where they are few."""

    def equation(step: ForwardStep) -> Equation:
        if everything:
            return Equation(step.statement, step.value)
        elsewhere = lambda: _in_the_rows(ledger.backward, step)  # noqa: E731
        return Equation(step.statement, step.value, FEW_NUMBERS, elsewhere)

    return Equations(
        tuple(
            Words(str(step)) if isinstance(step, Folded) else equation(step)
            for step in ledger.forward
        )
    )


def _in_the_rows(backward: Sequence[Backward], step: ForwardStep) -> str:
    """In which Jacobian the very numbers stand, each row that is not 0; nothing where in none.

    They are shown there by slices: where they are long here they are too wide laid out.
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
            return f"its {step.value.size} numbers are row [{row}] of [{local.number}]"
    return ""


def _switched_off(ledger: Ledger) -> list[Block]:
    """How many units of a rectifier give 0 here, and which."""
    steps = [step for step in ledger.forward if isinstance(step, ForwardStep)]
    off = [name for step in steps for name in step.switched_off]
    total = sum(step.value.size for step in steps if step.rectifies)
    if not off:
        return []
    some = ", ".join(off[:6]) + (", …" if len(off) > 6 else "")
    verb = "is" if len(off) == 1 else "are"
    return [Words(f"{len(off)} of {total} rectifier outputs {verb} switched off: {some}")]


def _backward(ledger: Ledger, everything: bool) -> Table:
    """Each local Jacobian and each error."""
    columns = (
        Column("step", "step"),
        Column("Jacobian", "name"),
        Column("formula, tensor", "formula", 1, "= {}", LONGEST_FORMULA),
        Column(ledger.layout, "shape"),
        Column("can be ≠ 0", "count", 2, "{} can be ≠ 0"),
        Column("because", "reason", last=True),
    )
    return Table(columns, tuple(_step(step, everything) for step in ledger.backward))


def _step(step: Backward, everything: bool) -> Row | Words:
    if isinstance(step, Folded):
        return Words(str(step))
    reason = Words(step.reason) if step.reason else None
    if isinstance(step, DeltaStep):
        product, shape = Formula(step.product, goes_on=True), Shape(step.shape)
        equals = tuple(map(Formula, [step.textbook] * bool(step.textbook) + [step.formula]))
        cells: tuple[Cell, ...] = (None, Formula(step.symbol), product, shape, None, reason)
        return Row(cells, step.symbol, equals, array_matrix(step.value, everything, deep=True))
    reshaped = len(step.tensor) == 3 > len(step.shape)
    cells = (
        Words(f"[{step.number}]"),
        Formula(step.name),
        Formula(step.formula, step.tensor if reshaped else ()),
        Shape(step.shape),
        Words(f"{step.nonzeros:,} of {step.entries:,}"),
        reason,
    )
    return Row(
        cells, step.name, matrix=matrix_of(step.jacobian, step.layout, everything, step.structure)
    )


def matrix_of_step(step: ForwardStep | LocalStep | DeltaStep | GradientStep) -> Matrix:
    """The numbers of a step, whatever else is shown."""
    if isinstance(step, LocalStep):
        return matrix_of(step.jacobian, step.layout)
    return array_matrix(step.value, deep=True)


def array_matrix(
    value: np.ndarray, everything: bool = False, deep: bool = False, known: bool = False
) -> Matrix:
    """An array none of whose entries is zero for every input."""
    most = NO_LIMIT if everything else MOST_NUMBERS
    return Matrix(lambda: (value.copy(), None), form="known" if known else "", most=most, deep=deep)


def _gradients(ledger: Ledger, everything: bool) -> Table:
    """Each gradient, and its numbers where they do not stand above already."""
    columns = (
        Column("gradient", "name"),
        Column("einsum", "einsum", 2, "einsum {}"),
        Column("the δ spent", "formula", 1),
        Column("textbook", "textbook", 3, "textbook {}"),
        Column(ledger.layout, "shape"),
        Column("reshaped", "shape"),
        Column("so far", "done"),
    )
    steps = [step for step in ledger.backward if not isinstance(step, Folded)]
    named = {step.symbol if isinstance(step, DeltaStep) else step.name for step in steps}
    rows: list[Row | Words] = []
    for step in ledger.gradients:
        if isinstance(step, Folded):
            rows.append(Words(str(step)))
            continue
        cells = (
            Formula(step.name),
            Words(step.equation),
            Formula(step.before if step.before == step.after else f"{step.before} = {step.after}"),
            Formula(step.textbook),
            Shape(step.jacobian_shape),
            Shape(step.shape),
            Words(f"{step.done:,} / {step.total:,}"),
        )  # a bias gradient is the δ that stands above
        matrix = array_matrix(step.value, everything, known=step.textbook in named)
        rows.append(Row(cells, step.name, matrix=matrix))
    return Table(columns, tuple(rows))


def _notes(ledger: Ledger) -> str:
    notes = "einsum: numerator axes; textbook: columns; numbers: in the parameter's shape"
    alone = ledger.carried == ledger.carried[:1]
    rows = "examples" if alone or ledger.convention.examples != "rows" else "axes in front"
    if alone and ledger.carried and ledger.carried[0].name != BATCH:
        rows = f"axis {ledger.carried[0].name}"
    batch = ledger.carried and any(
        "Σ_n" in step.textbook or "ᵀ " in step.textbook
        for step in ledger.gradients
        if isinstance(step, GradientStep)
    )
    written = ledger.convention
    if batch:
        return notes.replace("columns", f"{rows} as {written.examples}")
    is_row = written.weights == "in,out" and written.examples == "rows"
    return notes.replace("columns", "rows") if is_row else notes
