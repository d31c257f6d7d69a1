"""The small language of a line: names as courses write them, numpy's operators and functions.

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
from .array_calls import joined
from .calls import Calls
from .places import place_of
from .refusals import FUNCTIONS, LANGUAGE, cut, refuse, unknown
from .tree import Node

LONGEST, MOST_NODES, DEEPEST = 500, 120, 40
ALLOWED = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ .,()[]+-*/@=:<>'\"")
NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
SPELLED = {"δ": "delta", "−": "-", "\t": " "}  # as this package prints them
QUOTIENT = re.compile(r"\bd([A-Za-z]\d*|loss|cost)\s*/\s*d([A-Za-z]\d*)\b")  # dL/dz2
PLACE = r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*(?:\[[^\[\]<>=]*\])?"  # dW2, self.z1, grads['dW1']

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
    ast.Eq: "==",
    ast.NotEq: "!=",
}


@dataclass(frozen=True)
class Statement:
    """What stands left of = or += (or nothing), which of the two, and the tree of the rest.

    `masked` says that the line sets some entries, as dA1[Z1 <= 0] = 0 does. Of dW2 /= m the sign
    is /=, and the tree that of dW2 / m, in which dW2 is what stands there before.
    """

    target: str
    sign: str
    tree: Node
    masked: bool = False


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
    text = QUOTIENT.sub(r"d\1_d\2", text)
    masked = re.fullmatch(rf"\s*({PLACE})\s*\[(.*[<>=].*)\]\s*=(?!=)\s*([^=]+)", text)
    if masked:
        whole = f"np.where({masked[2]}, {masked[3].strip()}, {masked[1]})"
        return Statement(masked[1], "=", _tree(whole), masked=True)
    divided = re.fullmatch(rf"\s*({PLACE})\s*/=\s*([^=]+)", text)
    if divided:
        place, rest = re.sub(r"\s", "", divided[1]).replace('"', "'"), divided[2].strip()
        return Statement(place, "/=", _tree(f"{place} / ({rest})"))
    target, sign, rest = _sides(text)
    if not rest:
        refuse("the line is empty.", 'Write one such as "dW2 = d2.T @ a1".')
    return Statement(target, sign, _tree(rest))


def _tree(text: str) -> Node:
    body = _parsed(text)
    if sum(1 for _ in ast.walk(body)) > 3 * MOST_NODES:
        refuse(f"the line has more than {MOST_NODES} parts.", "Write one step at a time.")
    return _read(body, text, 0)


def _sides(text: str) -> tuple[str, str, str]:
    """dW2, =, and what stands right of it; += adds up, and adds what stands right of it."""
    named = re.fullmatch(rf"\s*({PLACE})\s*(\+?=)(?!=)(.*)", text)
    if named:
        return re.sub(r"\s", "", named[1]).replace('"', "'"), named[2], named[3].strip()
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
        said = cut(error.msg, 44) if isinstance(error, SyntaxError) else "too deeply nested"
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
        case ast.Attribute(value=value, attr="size"):
            return Node("size", (_read(value, text, depth + 1),), style=".size")
        case ast.Subscript(value=ast.Attribute(value=value, attr="shape"), slice=index):
            axis = str(literals.integer(index, text))
            return Node("size", (_read(value, text, depth + 1),), axis, style=".shape[")
        case ast.Subscript(value=ast.Attribute(ast.Name("np" | "numpy"), "c_" | "r_" as attr)):
            return joined(tree, attr, lambda part: _read(part, text, depth + 1))
        case ast.Attribute() | ast.Subscript() if path := place_of(tree):
            return Node("name", text=path)
        case ast.Subscript(value=value, slice=index):
            return Node("index", (_read(value, text, depth + 1),), literals.index(index, text))
        case ast.Call():
            return Calls(text, depth + 1, _read).of(tree)
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
