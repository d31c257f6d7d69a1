"""A formula in indices as an answer, "delta[i, 2*o + 1] x[i]": read, never run, judged by value.

    delta[i, o]     1 where i = o, else 0; δ[i, o] too
    [i <= o]        1 where it holds, else 0; so do <, >, >=, = and !=
    2 o x[o+1]      a product, with or without *; +, -, /, // and % are there too

An index counts from 0 to its size less 1; arrays and sizes are those of the sheet.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from ...writing.signs import dims, plural, safe
from .equality import same
from .questions import LONGEST, Question
from .symptoms import where_wrong
from .verdict import Verdict

SIGNS = {"δ": "delta", "≤": "<=", "≥": ">=", "≠": "!=", "−": "-", "·": "*", "×": "*"}
TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[A-Za-z_]\w*|//|[<>=!]=|\S)")
COMPARED = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
COMBINED = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
}


class FormulaError(Exception):
    """Why a formula cannot be read, and what to write instead."""


def value_of_formula(text: str, indices: Mapping[str, int], names: Mapping[str, Any]) -> np.ndarray:
    """The array with an axis for each index, in their order; FormulaError where it is none.

    >>> value_of_formula("[i <= o] x[i]", {"o": 2, "i": 3}, {"x": np.array([5.0, 7.0, 9.0])})
    array([[5., 0., 0.],
           [5., 7., 0.]])
    """
    if len(text) > LONGEST:
        raise FormulaError(f"the formula is longer than {LONGEST} characters")
    plain = _with_signs(text)
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError(
            "it cannot be read: write such as 'delta[i, 2*o + 1] * x[i]' or '[i <= o]'"
        ) from None
    found = np.asarray(_Reader(indices, names).value(tree), float)
    return np.array(np.broadcast_to(found, tuple(indices.values())))


def _with_signs(text: str) -> str:
    """The formula as Python writes it: products with their *, = as ==.

    >>> _with_signs("2o δ[i,o] x[i] [i = o]")
    '2 * o * delta [ i , o ] * x [ i ] * [ i == o ]'
    """
    for sign, word in SIGNS.items():
        text = text.replace(sign, word)
    found: list[str] = []
    end, before = 0, ""
    while token := TOKEN.match(text, end):
        word, touches = token[1], token.start(1) == end
        value = before[-1:].isalnum() or before[-1:] in ("]", ")", "_")
        begins = word[0].isalpha() or word[0] == "_" or word in ("(", "[")
        is_entry = word == "[" and touches and (before[:1].isalpha() or before[:1] == "_")
        is_delta = before == "delta" and word in ("(", "[")
        if found and value and before and begins and not (is_entry or is_delta):
            found.append("*")
        found.append("==" if word == "=" else word)
        end, before = token.end(), word
    return " ".join(found) if not text[end:].strip() else text


class _Reader:
    """A formula read at all values of its indices at once."""

    def __init__(self, indices: Mapping[str, int], names: Mapping[str, Any]) -> None:
        axes = np.indices(tuple(indices.values()), sparse=True)
        self.indices: dict[str, Any] = dict(zip(indices, axes, strict=True))
        self.names = names

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return node.value
            case ast.Name():
                return self._named(node.id)
            case ast.UnaryOp(op=ast.USub()):
                return np.negative(self.value(node.operand))
            case ast.UnaryOp(op=ast.UAdd()):
                return self.value(node.operand)
            case ast.BinOp() if type(node.op) in COMBINED:
                return self._combined(node)
            case ast.List(elts=[ast.Compare() as condition]):
                return self._holds(condition) * 1.0
            case ast.List(elts=[inside]):
                return self.value(inside)
            case ast.Subscript(value=ast.Name(id="delta")):
                return self._delta(node.slice.elts if isinstance(node.slice, ast.Tuple) else [])
            case ast.Call(func=ast.Name(id="delta"), keywords=[]):
                return self._delta(node.args)
            case ast.Subscript(value=ast.Name(id=name)):
                return self._entry(name, node)
        raise FormulaError(
            f"{safe(ast.unparse(node))[:40]!r} is not read here: write sums and products of "
            "delta[.., ..], [.. <= ..], entries and numbers"
        )

    def _named(self, name: str) -> Any:
        if name in self.indices:
            return self.indices[name]
        value = self.names.get(name)
        if isinstance(value, int | float | np.integer | np.floating):
            return value
        if isinstance(value, np.ndarray):
            letters = ", ".join(list(self.indices)[: value.ndim])
            raise FormulaError(
                f"{name} is an array: write one entry of it, such as {name}[{letters}]"
            )
        known = [*self.indices, *(n for n, v in self.names.items() if np.size(v)), "delta"]
        raise FormulaError(f"there is no {safe(name)[:20]} here, only {', '.join(known)}")

    def _combined(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        by_zero = isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) and np.any(
            np.equal(right, 0)
        )
        if by_zero:
            raise FormulaError(f"'{safe(ast.unparse(node))[:40]}' divides by 0 at some indices")
        return COMBINED[type(node.op)](left, right)

    def _holds(self, condition: ast.Compare) -> Any:
        sides = [self.value(each) for each in (condition.left, *condition.comparators)]
        found: Any = True
        for op, (left, right) in zip(condition.ops, pairwise(sides), strict=True):
            found = found & COMPARED[type(op)](left, right)
        return found

    def _delta(self, places: list[ast.expr]) -> Any:
        if len(places) != 2:
            raise FormulaError("delta has two places: write delta[i, o]")
        first, second = map(self.value, places)
        return np.equal(first, second) * 1.0

    def _entry(self, name: str, node: ast.Subscript) -> Any:
        array = self.names.get(name)
        if not isinstance(array, np.ndarray):
            self._named(name)
            raise FormulaError(f"{safe(name)[:20]} is a number, and has no entries")
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(places) != array.ndim:
            there = plural(array.ndim, "axis", "axes")
            raise FormulaError(
                f"{name} has {there}, and gets {plural(len(places), 'index', 'indices')}"
            )
        at = [np.asarray(self.value(place)) for place in places]
        for place, size in zip(at, array.shape, strict=True):
            whole = np.equal(place, np.floor(place)).all()
            if not whole or place.min() < 0 or place.max() >= size:
                raise FormulaError(
                    f"{safe(ast.unparse(node))[:40]} leaves {name}, which has the shape "
                    f"{dims(array.shape)}, at some indices"
                )
        return array[tuple(place.astype(int) for place in at)]


@dataclass(frozen=True, eq=False)
class IndexFormulaQuestion(Question):
    """The formula of an entry, such as J[o,i], as a string in these indices.

    `expected` is the array of the package, with an axis for each index; `names` are the arrays
    and sizes that a formula may read.
    """

    indices: Mapping[str, int]
    expected: np.ndarray
    names: Mapping[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict, repr=False)  # outcomes of earlier texts

    @property
    def right(self) -> str:
        return str(ast.literal_eval(self.solution))

    def outcome(self, value: Any) -> Any:
        """The array that a formula gives; a text that is none stays."""
        if not isinstance(value, str):
            return str(value)
        if value not in self.known:
            try:
                self.known[value] = value_of_formula(value, self.indices, self.names)
            except FormulaError:
                self.known[value] = value
        return self.known[value]

    def _judge(self, value: Any, answers: Mapping[str, Any]) -> Verdict:
        if not isinstance(value, str):
            return self._wrong("not a string: write it in quotes, such as 'delta[i, o]'")
        try:
            given = value_of_formula(value, self.indices, self.names)
        except FormulaError as error:
            return self._wrong(str(error), tag="formula")
        if same(given, self.expected):
            return self._right()
        said = where_wrong(given, self.expected)
        if not np.any(given):
            said = f"0 at all indices; {said}"
        return self._wrong(f"{said}, of the axes {', '.join(self.indices)}")
