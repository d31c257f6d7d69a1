"""Programs as text: "z1 = Linear(x, W1, b1)", one step a line.

The text is parsed, never executed: a line is a name, an op from a fixed table
(or one that the caller passes), the names it reads, and options that are plain
numbers or strings.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import ops
from ..errors import SpecError
from ..ops import Op
from ..writing.signs import did_you_mean, safe
from .making_ops import fitting, make_op
from .options import as_written, of_made, option, parameters_of
from .step import Step

OPS: dict[str, type[Op]] = {
    cls.__name__: cls
    for name in ops.__all__
    if isinstance(cls := getattr(ops, name), type)
    and cls not in (Op, ops.Activation, ops.Penalty, ops.Reduction)
}
LONGEST_LINE = 10_000
SUMS: dict[type[ast.operator | ast.unaryop], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


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
    _require_no_sums(call, name, kind, line, where)
    keywords = {k.arg: _option(k.value, where, own, kind) for k in call.keywords if k.arg}
    if any(k.arg is None for k in call.keywords):
        raise SpecError(f"{where}: an op reads names, nothing else.\n  {example}")
    reads = tuple(a.id for a in call.args if isinstance(a, ast.Name))
    others = [a for a in call.args if not isinstance(a, ast.Name)]
    if not all(map(_is_literal, others)):
        raise SpecError(f"{where}: an op reads names, nothing else.\n  {example}")
    op = table[kind]
    numbers = _numbers(op, call.args)
    options = [_option(a, where, own, kind) for a in others if a not in numbers.values()]
    if numbers:
        keywords["numbers"] = {place: ast.literal_eval(a) for place, a in numbers.items()}
        if isinstance(op, type) and "terms" in parameters_of(op):
            keywords["terms"] = len(reads) + len(numbers)
        if not reads:
            raise SpecError(f"{where}: {kind} reads no value.\n  Write one, such as {kind}(x, 2).")
    if not isinstance(op, type) and (options or keywords):
        raise SpecError(
            f"{where}: {safe(kind)} is an op that is made already; it takes no options.\n"
            f"  Leave them out, or give the class: ops={{{kind!r}: {op.name}}}."
        )
    filled = ("numbers", "terms") if numbers else ()
    instead = _instead(op, reads, options, keywords, f"{name} = {kind}")
    made = make_op(op, where, options, keywords, instead)
    read = made.reading(len(reads))
    written = as_written(options, {k: v for k, v in keywords.items() if k not in filled})
    # The name of the class says all of an op without options, unless another op has that name.
    other = table.get(read.name, op) not in (op, type(read))
    hidden = not isinstance(op, type) and of_made(op) != ()
    return Step(name, read, reads, kind=kind if written or other or hidden else "", options=written)


def _numbers(op: Op | type[Op], args: Sequence[ast.expr]) -> dict[int, ast.expr]:
    """The numbers among the operands of an op that takes some, by their place."""
    if not (isinstance(op, type) and issubclass(op, Op) and op.takes_numbers):
        return {}
    operands = [a for a in args if isinstance(a, ast.Name) or _plain_number(a)]
    return {place: a for place, a in enumerate(operands) if not isinstance(a, ast.Name)}


def _plain_number(node: ast.expr) -> bool:
    """Whether this is 2 or -0.5."""
    value = ast.literal_eval(node) if _is_literal(node) else None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _instead(
    op: Op | type[Op],
    reads: Sequence[str],
    options: Sequence[Any],
    keywords: Mapping[str, Any],
    begun: str,
) -> str:
    """How a step is written whose options do not fit: those that do, and those it must have."""
    if not (isinstance(op, type) and issubclass(op, Op)):
        return ""
    kept, named, needed = fitting(op, options, keywords)
    shown = ", ".join([*reads, *as_written(kept, named), *(f"{option}=…" for option in needed)])
    if not needed:
        return f"Leave out what it does not take: {begun}({shown})."
    return f"Write its options behind the names that it reads: {begun}({shown})."


def _require_no_sums(call: ast.Call, name: str, kind: str, line: str, where: str) -> None:
    """SpecError for an option that is still to be computed, 1/2, with what it comes to."""
    found, shown, values = [], [], []
    for label, node in [("", a) for a in call.args] + [(k.arg, k.value) for k in call.keywords]:
        text = ast.get_source_segment(line, node) or ""
        sum_of_numbers = not _is_literal(node) and not any(
            isinstance(part, ast.Name | ast.Starred) for part in ast.walk(node)
        )
        if sum_of_numbers:
            found.append(text)
            values.append(_number(node))
            text = option(values[-1])
        shown.append({"": text, None: f"**{text}"}.get(label, f"{label}={text}"))
    if found:
        instead = f"the number itself: {name} = {kind}({', '.join(shown)})"
        if None in values:
            instead = "the number or string itself"
        raise SpecError(
            f"{where}: an option is a plain number or string, not {safe(found[0][:40])}.\n"
            f"  Write {instead}."
        )


def _number(node: ast.expr) -> float | None:
    """What a sum, difference, product or quotient of plain numbers comes to."""
    try:
        if isinstance(node, ast.BinOp | ast.UnaryOp) and type(node.op) in SUMS:
            sides = [node.operand] if isinstance(node, ast.UnaryOp) else [node.left, node.right]
            numbers = [_number(side) for side in sides]
            if None in numbers:
                return None
            found = SUMS[type(node.op)](*numbers)
            return found if math.isfinite(found) else None
        value = ast.literal_eval(node)
    except (ArithmeticError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return value if plain else None


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True


def _is_numbers(value: Any) -> bool:
    """Whether it is a tuple of numbers, (1, 2): one for each axis."""
    return isinstance(value, tuple) and all(isinstance(part, int | float) for part in value)


def _option(node: ast.expr, where: str, own: Mapping[str, Op | type[Op]], kind: str) -> Any:
    if _is_literal(node):
        value = ast.literal_eval(node)
        if value is None or isinstance(value, str | int | float) or _is_numbers(value):
            return value
    instead = "Write it such as slope=0.1."
    if kind in own:
        instead = f"Give the op made, ops={{{kind!r}: {kind}(…)}}, and leave the option out here."
    raise SpecError(
        f"{where}: an option is a number, a string, None, or numbers in parentheses.\n  {instead}"
    )
