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
from .step import Step

OPS: dict[str, type[Op]] = {
    cls.__name__: cls
    for name in ops.__all__
    if isinstance(cls := getattr(ops, name), type)
    and cls not in (Op, ops.Activation, ops.Penalty, ops.Reduction)
}
LONGEST_LINE = 10_000


def read_program(lines: Sequence[str], own: Mapping[str, Op]) -> list[Step]:
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


def make_op(op: Op | type[Op], who: str) -> Op:
    """An op, or the op that a class makes without options."""
    made = op() if isinstance(op, type) and issubclass(op, Op) else op
    if not isinstance(made, Op):
        kind = f"the class {op.__name__}" if isinstance(op, type) else f"a {type(op).__name__}"
        raise SpecError(f"{who} is {kind}, not an Op.\n  Derive it from jacobian_bp.Op.")
    if not isinstance(getattr(made, "signature", None), str):
        raise SpecError(
            f"{who}: {made.name} has no signature.\n"
            '  Write it in the class, such as signature = "a[i], W[k,i] -> z[k]".'
        )
    if not isinstance(made.reasons, Mapping):
        raise SpecError(
            f"{who}: the reasons of {made.name} are a {type(made.reasons).__name__}.\n"
            '  Write a dict from input to reason: reasons = {"x": "entry k reads entry k only"}.'
        )
    return made


def made_ops(ops: Mapping[str, Op | type[Op]] | None) -> dict[str, Op]:
    """A caller's own ops by the names that they are given."""
    return {name: make_op(op, f"ops[{name!r}]") for name, op in (ops or {}).items()}


def _read_line(line: str, number: int, own: Mapping[str, Op]) -> Step:
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
    options: list[Any] = [a.value for a in call.args if isinstance(a, ast.Constant)]
    keywords = {k.arg: _literal(k.value, where) for k in call.keywords if k.arg}
    if any(k.arg is None for k in call.keywords):
        raise SpecError(f"{where}: an op reads names, nothing else.\n  {example}")
    args = [a for a in call.args if not isinstance(a, ast.Constant)]
    if not all(isinstance(a, ast.Name) for a in args):
        raise SpecError(f"{where}: an op reads names, nothing else.\n  {example}")
    op = table[kind]
    if isinstance(op, type):
        try:
            made: Op | type[Op] = op(*options, **keywords)
        except TypeError as error:
            raise SpecError(f"{where}: {error}.\n  {example}") from None
    elif options or keywords:
        raise SpecError(f"{where}: {kind} is an op that is made already; it takes no options.")
    else:
        made = op
    reads = tuple(a.id for a in args if isinstance(a, ast.Name))
    return Step(name, make_op(made, where).reading(len(reads)), reads)


def _literal(node: ast.expr, where: str) -> Any:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        value = node
    if isinstance(value, str | int | float):
        return value
    raise SpecError(
        f"{where}: an option is a plain number or string.\n  Write it such as slope=0.1."
    )
