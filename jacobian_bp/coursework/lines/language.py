"""The small language of a line: names, numbers, + - * / @ **, .T, np.dot, einsum, sums.

The text is parsed by Python's own parser and never run: the tree that comes out is
walked, and what is not listed here is refused with a SpecError.
"""

import ast
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from ...errors import SpecError
from ...writing.signs import safe
from . import literals
from .refusals import FUNCTIONS, LANGUAGE, cut, refuse, unknown
from .tree import Node

LONGEST, MOST_NODES, DEEPEST = 500, 120, 40
ALLOWED = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ .,()[]+-*/@=:<>'\"")
NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
SPELLED = {"δ": "delta", "−": "-", "\t": " "}  # as this package prints them

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.MatMult: "@",
    ast.Pow: "**",
}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
}
NUMPY = {  # how numpy calls it -> the operation, and how many arrays it takes
    "dot": ("dot", 2),
    "matmul": ("@", 2),
    "multiply": ("*", 2),
    "add": ("+", 2),
    "subtract": ("-", 2),
    "divide": ("/", 2),
    "outer": ("outer", 2),
    "sum": ("sum", 1),
    "mean": ("mean", 1),
    "reshape": ("reshape", 1),
    "diag": ("diag", 1),
    "transpose": ("T", 1),
    "tanh": ("tanh", 1),
    "exp": ("exp", 1),
    "log": ("log", 1),
    "sign": ("sign", 1),
    "ones_like": ("ones_like", 1),
}
METHODS = {
    "dot": ("dot", 2),
    "sum": ("sum", 1),
    "mean": ("mean", 1),
    "reshape": ("reshape", 1),
    "transpose": ("T", 1),
}


@dataclass(frozen=True)
class Statement:
    """What stands left of = or += (or nothing), which of the two, and the tree of the rest."""

    target: str
    sign: str
    tree: Node


def read_line(text: Any) -> Statement:
    """The line as a tree; SpecError shows what cannot be read. Nothing is run.

    >>> line = read_line("dW2 = np.dot(d2.T, a1) / m")
    >>> line.target, str(line.tree), line.tree.op
    ('dW2', 'np.dot(d2.T, a1) / m', '/')
    """
    if not isinstance(text, str):
        refuse(f"the line is of type {type(text).__name__}, not a string.", 'Write "d3 @ W3".')
    if len(text) > LONGEST:
        refuse(
            f"the line has {len(text):,} characters; {LONGEST} is the most.",
            "Write one step of the derivation at a time.",
        )
    for shown, meant in SPELLED.items():
        text = text.replace(shown, meant)
    _require_characters(text)
    target, sign, rest = _sides(text)
    if not rest:
        refuse("the line is empty.", 'Write one such as "dW2 = d2.T @ a1".')
    body = _parsed(rest)
    if sum(1 for _ in ast.walk(body)) > 3 * MOST_NODES:
        refuse(f"the line has more than {MOST_NODES} parts.", "Write one step at a time.")
    return Statement(target, sign, _read(body, rest, 0))


def _sides(text: str) -> tuple[str, str, str]:
    """dW2, =, and what stands right of it; += adds up, and adds what stands right of it."""
    named = re.fullmatch(r"\s*([A-Za-z]\w*)\s*(\+?=)(?!=)(.*)", text)
    if named:
        return named[1], named[2], named[3].strip()
    other = re.match(r"\s*([^=<>(]+?)\s*([-*/@+]?=)(?!=)", text)
    if other:
        left, sign = cut(safe(other[1])), other[2]
        instead = "Write a name there, as in dW2 = d2.T @ a1."
        if sign not in ("=", "+="):
            instead = "Write a step of the derivation, as in dW2 = d2.T @ a1."
        refuse(f"'{left} {sign}' is not read here.", instead)
    return "", "", text.strip()


def _require_characters(text: str) -> None:
    for column, character in enumerate(text, start=1):
        if character not in ALLOWED:
            title = unicodedata.name(character, "a control character")
            instead = "Write names in plain letters and digits, such as d2, W2, a1."
            if character == "^":
                instead = "For a power write **, as in a2**2."
            refuse(
                f"character {column} is '{safe(character)}' (U+{ord(character):04X}, {title}).",
                instead,
            )
    for word in re.findall(r"(?<![\w.])\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?", text):
        if re.fullmatch(NUMBER, word):
            continue
        factor = re.fullmatch(rf"({NUMBER})([A-Za-z]\w*)", word)
        instead = "Write a number such as 1000 or 0.5."
        if factor:
            instead = f"For a product write {factor[1]} * {factor[2]}."
        refuse(f"'{cut(word)}' is neither a number nor a name.", instead)


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None)
        where = f" at character {column}" if column else ""
        said = error.msg if isinstance(error, SyntaxError) else "too deeply nested"
        refuse(f"the line is no Python{where}: {said}.", "Check its operators and parentheses.")


def _read(tree: ast.expr, text: str, depth: int) -> Node:
    """One node of Python's tree as one of ours, by a fixed list."""
    if depth > DEEPEST:
        refuse(f"the line is nested more than {DEEPEST} deep.", "Write one step at a time.")
    match tree:
        case ast.Constant(value=bool() | None):
            pass
        case ast.Constant(value=int() | float() as value):
            return literals.number(value, ast.get_source_segment(text, tree) or "")
        case ast.Name(id=identifier):
            return _name(identifier)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Node("neg", (_read(operand, text, depth + 1),))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _read(operand, text, depth + 1)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            operator = OPERATORS[type(op)]
            pair = _read(left, text, depth + 1), _read(right, text, depth + 1)
            if operator == "**":
                literals.require_small_power(pair[1])
            return Node(operator, pair)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            pair = _read(left, text, depth + 1), _read(right, text, depth + 1)
            return Node(COMPARISONS[type(op)], pair)
        case ast.Attribute(value=value, attr="T"):
            return Node("T", (_read(value, text, depth + 1),))
        case ast.Subscript(value=value, slice=index):
            return Node("index", (_read(value, text, depth + 1),), literals.index(index, text))
        case ast.Call(func=ast.Name(id=function)) if function in FUNCTIONS:
            return _call(tree, text, depth, function, f"{function}(", 1)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="einsum")):
            return _einsum(tree, text, depth)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=attr)):
            if attr in ("power", "square"):
                return _power(tree, text, depth, attr)
            if attr in NUMPY:
                operation, count = NUMPY[attr]
                return _call(tree, text, depth, operation, f"np.{attr}(", count)
            unknown(attr, [*NUMPY, "einsum", "power", "square"], "np.{}")
        case ast.Call(func=ast.Attribute(attr=attr)):
            if attr in METHODS:
                return _call(tree, text, depth, METHODS[attr][0], ".", METHODS[attr][1])
            unknown(attr, METHODS, ".{}()")
        case ast.Call(func=ast.Name(id=function)):
            unknown(function, FUNCTIONS, "{}()")
        case ast.Attribute(attr=attr):
            unknown(attr, ["T"], ".{}")
    shown = ast.get_source_segment(text, tree) or type(tree).__name__
    raise SpecError(f"diagnose_line: '{cut(shown)}' is not read here.\n{LANGUAGE}")


def _name(identifier: str) -> Node:
    if identifier.startswith("__"):
        refuse(f"'{cut(identifier)}' is no name of a run.", "Write names such as d2, W2, a1.")
    if identifier in FUNCTIONS or identifier in ("np", "numpy"):
        refuse(f"'{identifier}' stands alone.", f"Call it, such as {identifier}(z2).")
    return Node("name", text=identifier)


def _call(tree: ast.Call, text: str, depth: int, operation: str, style: str, count: int) -> Node:
    """A function of `count` arrays and the options that it has."""
    given = [*([tree.func.value] if style == "." else []), *tree.args]  # type: ignore[attr-defined]
    arrays, rest = given[:count], given[count:]
    options: dict[str, Any] = {}
    if operation == "reshape" and rest:
        options["shape"] = literals.shape(rest, text)
    elif operation in ("sum", "mean") and len(rest) == 1:
        options["axis"] = literals.axis(rest[0], text)
    elif rest:
        arrays = given
    for keyword in tree.keywords:
        if operation not in ("sum", "mean") or keyword.arg not in ("axis", "keepdims"):
            refuse(
                f"{style.rstrip('(')}{operation if style == '.' else ''} takes no "
                f"{keyword.arg or '**'} here.",
                "Only sums and means take axis and keepdims.",
            )
        literal = literals.axis if keyword.arg == "axis" else literals.truth
        options[keyword.arg] = literal(keyword.value, text)
    if len(arrays) != count or (operation == "reshape" and "shape" not in options):
        refuse(
            f"'{cut(ast.get_source_segment(text, tree) or operation)}' is given "
            f"{len(given)} of what it needs.",
            f"{operation} takes {count} array{'s' * (count > 1)}"
            + (" and a shape, such as d2.reshape(-1, 1)." if operation == "reshape" else "."),
        )
    args = tuple(_read(array, text, depth + 1) for array in arrays)
    written = "transpose" if style == "." and operation == "T" else ""
    return Node(operation, args, written, tuple(options.items()), style)


def _power(tree: ast.Call, text: str, depth: int, function: str) -> Node:
    """np.power(a2, 3) and np.square(a2) as a2**3 and a2**2."""
    args = [_read(arg, text, depth + 1) for arg in tree.args]
    if len(args) != (2 if function == "power" else 1) or tree.keywords:
        usual = "np.power(a2, 2)" if function == "power" else "np.square(a2)"
        refuse(f"np.{function} is not given what it takes.", f"Write {usual}, or a2**2.")
    exponent = args[1] if function == "power" else Node("number", text="2")
    literals.require_whole_power(exponent)
    return Node("**", (args[0], exponent))


def _einsum(tree: ast.Call, text: str, depth: int) -> Node:
    match tree.args:
        case [ast.Constant(value=str() as subscripts), *arrays] if arrays and not tree.keywords:
            plain = subscripts.replace(" ", "")
            if re.fullmatch(r"[A-Za-z]*(,[A-Za-z]*)*(->[A-Za-z]*)?", plain):
                args = tuple(_read(array, text, depth + 1) for array in arrays)
                return Node("einsum", args, plain, style="np.einsum(")
    refuse("np.einsum takes a string of letters, then arrays.", 'Write np.einsum("nk,ki->ni", …).')
