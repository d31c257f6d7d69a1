"""Programs as text: "z1 = Linear(x, W1, b1)", one step a line.

The text is parsed, never executed: a line is a name, an op from a fixed table
(or one that the caller passes), the names it reads, and options that are plain
numbers or strings.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from .. import ops
from ..errors import SpecError
from ..ops import Op
from ..writing.signs import did_you_mean, safe
from .making_ops import make_op, required
from .options import as_written, parameters_of
from .step import Step

OPS: dict[str, type[Op]] = {
    cls.__name__: cls
    for name in ops.__all__
    if isinstance(cls := getattr(ops, name), type)
    and cls not in (Op, ops.Activation, ops.Penalty, ops.Reduction)
}
LONGEST_LINE = 10_000


def read_program(lines: Sequence[str], own: Mapping[str, Op | type[Op]]) -> list[Step]:
    """The steps of a program's text, or SpecError with the line and what to write."""
    steps = []
    if not all(isinstance(block, str) for block in lines):
        raise SpecError(
            "a program is lines of text.\n  Write them such as 'z1 = Linear(x, W1, b1)'."
        )
    text = [line.strip() for block in lines for line in block.splitlines()]
    for number, line in enumerate(text, start=1):
        if line and not line.startswith("#"):
            steps.append(_read_line(line, number, own))
    return steps


def _read_line(line: str, number: int, own: Mapping[str, Op | type[Op]]) -> Step:
    where = f"line {number}: {line[:60]!r}"  # repr shows control characters escaped
    example = "Write it such as z1 = Linear(x, W1, b1)."
    if len(line) > LONGEST_LINE:
        raise SpecError(f"{where} … is {len(line):,} characters long; at most {LONGEST_LINE:,}.")
    try:
        (statement,) = ast.parse(line).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SpecError(
            f"{where} cannot be read as a step: {type(error).__name__}.\n  {example}"
        ) from None
    if not (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Name)
    ):
        raise SpecError(f"{where} is not of the form name = Op(names).\n  {example}")
    name, call = statement.targets[0].id, statement.value
    kind = statement.value.func.id
    table: dict[str, Op | type[Op]] = {**OPS, **own}
    if kind not in table:
        raise SpecError(
            f"{where}: no op is named {safe(kind)}.{did_you_mean(kind, table)}\n"
            f"  The ops are {', '.join(table)}."
        )
    keywords = {k.arg: _option(k.value, where, own, kind) for k in call.keywords if k.arg}
    if any(k.arg is None for k in call.keywords):
        raise SpecError(f"{where}: an op reads names, nothing else.\n  {example}")
    reads = tuple(a.id for a in call.args if isinstance(a, ast.Name))
    others = [a for a in call.args if not isinstance(a, ast.Name)]
    if not all(map(_is_literal, others)):
        raise SpecError(f"{where}: an op reads names, nothing else.\n  {example}")
    options = [_option(a, where, own, kind) for a in others]
    op = table[kind]
    if not isinstance(op, type) and (options or keywords):
        raise SpecError(
            f"{where}: {safe(kind)} is an op that is made already; it takes no options.\n"
            f"  Leave them out, or give the class: ops={{{kind!r}: {op.name}}}."
        )
    made = make_op(op, where, options, keywords, _instead(op, reads, name, kind))
    read = made.reading(len(reads))
    if not parameters_of(type(made)):  # its class says all of it
        return Step(name, read, reads)
    return Step(name, read, reads, kind=kind, options=as_written(options, keywords))


def _instead(op: Op | type[Op], reads: Sequence[str], name: str, kind: str) -> str:
    """How a step is written whose options do not fit, with those that it must have."""
    if not isinstance(op, type):
        return ""
    needed = required(op)
    if not needed:
        return f"Leave out what it does not take: {name} = {kind}({', '.join(reads)})."
    shown = ", ".join([*reads, *(f"{option}=…" for option in needed)])
    return f"Write its options behind the names that it reads: {name} = {kind}({shown})."


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True


def _option(node: ast.expr, where: str, own: Mapping[str, Op | type[Op]], kind: str) -> Any:
    value = ast.literal_eval(node) if _is_literal(node) else None
    if isinstance(value, str | int | float):
        return value
    instead = "Write it such as slope=0.1."
    if kind in own:
        instead = f"Give the op made, ops={{{kind!r}: {kind}(…)}}, and leave the option out here."
    raise SpecError(f"{where}: an option is a plain number or string.\n  {instead}")
