"""jacobian-bp ops: the table of all ops, and the page of one, made from the ops themselves.

add_parser describes the command, run_command runs it.
"""

import argparse
import inspect
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from rich.cells import cell_len

from ..algebra.jacobian import Jacobian
from ..errors import SpecError
from ..ops import Op
from ..writing import terminal
from ..writing.signs import did_you_mean, dims, safe
from ..writing.tables import fold_all, table, wrapped
from .op_examples import OpEntry, all_ops, example_of

LEGEND = (
    "3 of 9: so many entries can be other than zero, in an example whose axes have prime sizes of",
    "their own. A primed index is the variable's own; δ[k,k'] = 1 if k = k', else 0; [i'≤o] = 1 if",
    "it holds, else 0; 1[n] = 1 for every n; an input marked ? may be left out.",
)
ABOUT = "all ops: signature, formula, Jacobians, options; or one of them"


def add_parser(commands: Any) -> None:
    """Add `ops` to the commands."""
    parser = commands.add_parser("ops", help=ABOUT, description=ABOUT + ".")
    parser.add_argument("op", metavar="OP", nargs="?", help="its page alone, such as Conv1d")


def run_command(options: argparse.Namespace) -> int:
    """Print the table, or one page: 0. Raises SpecError for a name that no op has."""
    width = terminal.width()
    terminal.write(op_table(width) if options.op is None else op_page(options.op, width))
    return 0


def op_table(width: int = terminal.PAGE) -> list[str]:
    """What the signs mean; then every op in a few lines, under what its module says of its ops."""
    lines = wrapped(" ".join(LEGEND), width)
    for title, entries in op_groups():
        lines += ["", *fold_all([title], width)]
        for entry in entries:
            lines += ["", *op_in_short(entry, width)]
    return lines


def op_groups() -> Iterator[tuple[str, list[OpEntry]]]:
    """What each module says of its ops, in one line, and these."""
    for module, classes in all_ops().items():
        sentence = (inspect.getdoc(import_module(module)) or "").partition("\n\n")[0]
        yield " ".join(sentence.split()), [example_of(cls) for cls in classes]


def op_page(name: str, width: int = terminal.PAGE) -> list[str]:
    """All about one op: its docstring, how it is written, and its Jacobians in numbers.

    Raises SpecError for a name that no op has; capitals do not matter.
    """
    entry = example_of(_named(name))
    lines = [f"{entry.name}: {entry.summary}"]
    for part in entry.paragraphs[1:]:
        lines += ["", *(f"  {line}" for line in part.splitlines())]
    lines += ["", *table(_written(entry)), ""]
    for jacobian, reason in entry.jacobians:
        lines.append(jacobian.statement)
        lines += [f"  because {reason}"] * bool(reason)
        counted = f"{jacobian.structural_nonzeros:,} of {jacobian.size:,} entries can be non-zero"
        lines.append(f"  shape {dims(jacobian.shape)}: {jacobian.structure}; {counted}")
    return fold_all(lines, width)


def _written(entry: OpEntry) -> list[list[str]]:
    """Beside the docstring: what is read, and how it stands in a program."""
    op = entry.op
    fixed = [o.name for o in op.parsed.inputs if o.name in op.without_derivative]
    sizes = ", ".join(f"{axis} = {size}" for axis, size in entry.sizes.items())
    rows = [
        ["signature", op.signature],
        ["options", entry.options or "none"],
        ["parameters", ", ".join(op.parameters)],
        ["constants", ", ".join(fixed)],
        ["kinks", entry.kinks or "none"],
        ["example", f"{entry.step}{f', with {sizes}' if sizes else ''}"],
    ]
    return [row for row in rows if row[1]]


def op_in_short(entry: OpEntry, width: int = terminal.PAGE) -> list[str]:
    """The name with its equation, a step with the signature, the options, and each Jacobian.

    A reason stands beside its Jacobian, or under it where there is no room.
    """
    value = [line for line in entry.equations if not line.startswith("∂")]
    lines = [f"{entry.name}: {entry.summary}", *(f"  {line}" for line in value)]
    lines.append(f"  {entry.step}:  {entry.op.signature}")
    lines += [f"  options  {entry.options}"] * bool(entry.options)
    lines += [f"  kinks    {entry.kinks}"] * bool(entry.kinks)
    found = entry.jacobians
    rows = [[f"  {jacobian.name}", jacobian.formula, _counted(jacobian)] for jacobian, _ in found]
    beside = table([[*row, reason] for row, (_, reason) in zip(rows, found, strict=True)])
    if max(map(cell_len, beside)) <= width:
        return fold_all(lines, width) + beside
    placed = table(rows)
    if max(map(cell_len, placed)) > width:
        placed = ["  ".join(row) for row in rows]
    for row, (_, reason) in zip(placed, found, strict=True):
        lines += [row, *[f"    because {reason}"] * bool(reason)]
    return fold_all(lines, width)


def _counted(jacobian: Jacobian) -> str:
    return f"{jacobian.structural_nonzeros:,} of {jacobian.size:,}"


def _named(name: str) -> type[Op]:
    known = {cls.__name__: cls for classes in all_ops().values() for cls in classes}
    alike: Sequence[str] = [other for other in known if other.lower() == name.lower()]
    if not alike:
        raise SpecError(
            f"no op is named {safe(name)}.{did_you_mean(name, known)}\n"
            f"  The ops are {', '.join(sorted(known))}."
        )
    return known[alike[0]]
