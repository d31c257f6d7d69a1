"""The small language of a line: names, numbers, + - * / @ **, .T, np.dot, einsum, sums.

The text is parsed by Python's own parser and never run: the tree that comes out is
walked, and what is not listed here is refused with a SpecError.
"""

import ast
import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn

from ...errors import SpecError
from ...symbols import did_you_mean, safe
from .line_tree import Node

LONGEST, MOST_NODES, DEEPEST, LARGEST_POWER, LARGEST = 500, 120, 40, 16, 1e100
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
FUNCTIONS = ("slope", "sigmoid", "tanh", "relu", "exp", "log", "ones_like")
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
    "ones_like": ("ones_like", 1),
}
METHODS = {
    "dot": ("dot", 2),
    "sum": ("sum", 1),
    "mean": ("mean", 1),
    "reshape": ("reshape", 1),
    "transpose": ("T", 1),
}
LANGUAGE = (
    "  Write names, numbers, + - * / @ **, .T, [:, None], .sum(axis=0), np.dot, np.outer, "
    "np.einsum\n  and the functions " + ", ".join(FUNCTIONS) + "."
)


@dataclass(frozen=True)
class Line:
    """What stands left of the = sign (or nothing), and the tree of the rest."""

    target: str
    tree: Node


def read_line(text: Any) -> Line:
    """The line as a tree; SpecError shows what cannot be read. Nothing is run.

    >>> line = read_line("dW2 = np.dot(d2.T, a1) / m")
    >>> line.target, str(line.tree), line.tree.op
    ('dW2', 'np.dot(d2.T, a1) / m', '/')
    """
    if not isinstance(text, str):
        _refuse(f"the line is of type {type(text).__name__}, not a string.", 'Write "d3 @ W3".')
    if len(text) > LONGEST:
        _refuse(
            f"the line has {len(text):,} characters; {LONGEST} is the most.",
            "Write one step of the derivation at a time.",
        )
    for shown, meant in SPELLED.items():
        text = text.replace(shown, meant)
    _require_characters(text)
    statement = re.fullmatch(r"\s*([A-Za-z]\w*)\s*=(?!=)(.*)", text)
    target, rest = statement.groups() if statement else ("", text)
    rest = rest.strip()
    if not rest:
        _refuse("the line is empty.", 'Write one such as "dW2 = d2.T @ a1".')
    body = _parsed(rest)
    if sum(1 for _ in ast.walk(body)) > 3 * MOST_NODES:
        _refuse(f"the line has more than {MOST_NODES} parts.", "Write one step at a time.")
    return Line(target, _read(body, rest, 0))


def _require_characters(text: str) -> None:
    for column, character in enumerate(text, start=1):
        if character not in ALLOWED:
            title = unicodedata.name(character, "a control character")
            _refuse(
                f"character {column} is '{safe(character)}' (U+{ord(character):04X}, {title}).",
                "Write names in plain letters and digits, such as d2, W2, a1.",
            )
    for word in re.findall(r"(?<![\w.])\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?", text):
        if re.fullmatch(NUMBER, word):
            continue
        factor = re.fullmatch(rf"({NUMBER})([A-Za-z]\w*)", word)
        instead = f"For a product write {factor[1]} * {factor[2]}." if factor else "Write 1000."
        _refuse(f"'{_cut(word)}' is neither a number nor a name.", instead)


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None)
        where = f" at character {column}" if column else ""
        said = error.msg if isinstance(error, SyntaxError) else "too deeply nested"
        _refuse(f"the line is no Python{where}: {said}.", "Check its operators and parentheses.")


def _read(tree: ast.expr, text: str, depth: int) -> Node:
    """One node of Python's tree as one of ours, by a fixed list."""
    if depth > DEEPEST:
        _refuse(f"the line is nested more than {DEEPEST} deep.", "Write one step at a time.")
    match tree:
        case ast.Constant(value=bool() | None):
            pass
        case ast.Constant(value=int() | float() as value):
            return _number(value, ast.get_source_segment(text, tree) or "")
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
                _require_small_power(pair[1])
            return Node(operator, pair)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            pair = _read(left, text, depth + 1), _read(right, text, depth + 1)
            return Node(COMPARISONS[type(op)], pair)
        case ast.Attribute(value=value, attr="T"):
            return Node("T", (_read(value, text, depth + 1),))
        case ast.Subscript(value=value, slice=index):
            return Node("index", (_read(value, text, depth + 1),), _index(index, text))
        case ast.Call(func=ast.Name(id=function)) if function in FUNCTIONS:
            return _call(tree, text, depth, function, f"{function}(", 1)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="einsum")):
            return _einsum(tree, text, depth)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=attr)):
            if attr in NUMPY:
                operation, count = NUMPY[attr]
                return _call(tree, text, depth, operation, f"np.{attr}(", count)
            _unknown(f"np.{attr}", [f"np.{known}" for known in [*NUMPY, "einsum"]])
        case ast.Call(func=ast.Attribute(attr=attr)):
            if attr in METHODS:
                return _call(tree, text, depth, METHODS[attr][0], ".", METHODS[attr][1])
            _unknown(f".{attr}()", [f".{known}()" for known in METHODS])
        case ast.Call(func=ast.Name(id=function)):
            _unknown(f"{function}()", [f"{known}()" for known in FUNCTIONS])
        case ast.Attribute(attr=attr):
            _unknown(f".{attr}", [".T"])
    shown = ast.get_source_segment(text, tree) or type(tree).__name__
    raise SpecError(f"diagnose_line: '{_cut(shown)}' is not read here.\n{LANGUAGE}")


def _name(identifier: str) -> Node:
    if identifier.startswith("__"):
        _refuse(f"'{_cut(identifier)}' is no name of a run.", "Write names such as d2, W2, a1.")
    if identifier in FUNCTIONS or identifier in ("np", "numpy"):
        _refuse(f"'{identifier}' stands alone.", f"Call it, such as {identifier}(z2).")
    return Node("name", text=identifier)


def _number(value: float, text: str) -> Node:
    try:
        fits = math.isfinite(float(value)) and abs(value) <= LARGEST
    except OverflowError:
        fits = False
    if not fits:
        _refuse(f"the number {_cut(text, 12)} is larger than {LARGEST:g}.", "Write a smaller one.")
    return Node("number", text=text if len(text) <= 12 else repr(float(value)))


def _require_small_power(exponent: Node) -> None:
    plain = exponent.args[0] if exponent.op == "neg" else exponent
    if plain.op != "number" or float(plain.text) > LARGEST_POWER:
        _refuse(
            f"the exponent {_cut(str(exponent))} is not a number from 0 to {LARGEST_POWER}.",
            "Write such as z1**2.",
        )


def _call(tree: ast.Call, text: str, depth: int, operation: str, style: str, count: int) -> Node:
    """A function of `count` arrays and the options that it has."""
    given = [*([tree.func.value] if style == "." else []), *tree.args]  # type: ignore[attr-defined]
    arrays, rest = given[:count], given[count:]
    options: dict[str, Any] = {}
    if operation == "reshape" and rest:
        options["shape"] = _shape(rest, text)
    elif operation in ("sum", "mean") and len(rest) == 1:
        options["axis"] = _axis(rest[0], text)
    elif rest:
        arrays = given
    for keyword in tree.keywords:
        if operation not in ("sum", "mean") or keyword.arg not in ("axis", "keepdims"):
            _refuse(
                f"{style.rstrip('(')}{operation if style == '.' else ''} takes no "
                f"{keyword.arg or '**'} here.",
                "Only sums and means take axis and keepdims.",
            )
        literal = _axis if keyword.arg == "axis" else _truth
        options[keyword.arg] = literal(keyword.value, text)
    if len(arrays) != count or (operation == "reshape" and "shape" not in options):
        _refuse(
            f"'{_cut(ast.get_source_segment(text, tree) or operation)}' is given "
            f"{len(given)} of what it needs.",
            f"{operation} takes {count} array{'s' * (count > 1)}"
            + (" and a shape, such as d2.reshape(-1, 1)." if operation == "reshape" else "."),
        )
    args = tuple(_read(array, text, depth + 1) for array in arrays)
    written = "transpose" if style == "." and operation == "T" else ""
    return Node(operation, args, written, tuple(options.items()), style)


def _einsum(tree: ast.Call, text: str, depth: int) -> Node:
    match tree.args:
        case [ast.Constant(value=str() as subscripts), *arrays] if arrays and not tree.keywords:
            plain = subscripts.replace(" ", "")
            if re.fullmatch(r"[A-Za-z]*(,[A-Za-z]*)*(->[A-Za-z]*)?", plain):
                args = tuple(_read(array, text, depth + 1) for array in arrays)
                return Node("einsum", args, plain, style="np.einsum(")
    _refuse("np.einsum takes a string of letters, then arrays.", 'Write np.einsum("nk,ki->ni", …).')


def _index(tree: ast.expr, text: str) -> str:
    """Full slices and new axes only: ':, None'."""
    items = tree.elts if isinstance(tree, ast.Tuple) else [tree]
    words = []
    for item in items:
        match item:
            case ast.Slice(lower=None, upper=None, step=None):
                words.append(":")
            case (
                ast.Constant(value=None)
                | ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="newaxis")
            ):
                words.append("None")
            case _:
                shown = _cut(ast.get_source_segment(text, tree) or "")
                _refuse(f"the index [{shown}] is not read here.", "Write such as d2[:, None].")
    return ", ".join(words)


def _axis(tree: ast.expr, text: str) -> int | tuple[int, ...] | None:
    if isinstance(tree, ast.Constant) and tree.value is None:
        return None
    if isinstance(tree, ast.Tuple):
        return tuple(_integer(item, text) for item in tree.elts)
    return _integer(tree, text)


def _shape(trees: list[ast.expr], text: str) -> tuple[int, ...]:
    only = trees[0]
    items = only.elts if len(trees) == 1 and isinstance(only, ast.Tuple) else trees
    return tuple(_integer(item, text) for item in items)


def _integer(tree: ast.expr, text: str) -> int:
    match tree:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            value = -value
        case ast.Constant(value=int() as value):
            pass
        case _:
            value = True
    if isinstance(value, bool) or abs(value) > 10**9:
        shown = _cut(ast.get_source_segment(text, tree) or "")
        _refuse(f"'{shown}' stands where a whole number does.", "Write such as axis=0.")
    return value


def _truth(tree: ast.expr, text: str) -> bool:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, bool):
        return tree.value
    shown = _cut(ast.get_source_segment(text, tree) or "")
    _refuse(f"keepdims={shown} is not read here.", "Write keepdims=True or keepdims=False.")


def _unknown(name: str, known: list[str]) -> NoReturn:
    guess = did_you_mean(name, known)
    raise SpecError(f"diagnose_line: {_cut(name)} is not read here.{guess}\n{LANGUAGE}")


def _refuse(what: str, instead: str) -> NoReturn:
    raise SpecError(f"diagnose_line: {what}\n  {instead}")


def _cut(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
