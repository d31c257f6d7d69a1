"""A printed formula as a tree, from which LaTeX, MathML and the text itself are printed.

    Σ_k δ3[k] W3[k,k']

is a row of a sum over k, a δ3 with one index below it and a W3 with two; `text` writes the
row as it was read, sign by sign, so that no printer can lose a part of it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from .formula_tokens import split_indices, split_name, tokens

OPERATORS = "+-=*/|−·×⊗⊙±→≤≠≈Σ"


@dataclass(frozen=True)
class Symbol:
    """W2: letters, a number, and the mark that a seed puts on a layer's name: W^(2), W[2]."""

    letters: str
    number: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Number:
    """0.4, and 2e-05, which is 2 times a power of ten."""

    digits: str
    exponent: str = ""


@dataclass(frozen=True)
class Sign:
    """One character that is no symbol: an operator, or a mark such as a comma."""

    character: str

    @property
    def is_operator(self) -> bool:
        return self.character in OPERATORS


@dataclass(frozen=True)
class Blank:
    """What stands apart; how wide that is depends on both neighbours."""

    signs: str


@dataclass(frozen=True)
class Row:
    """One part after another."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Bracket:
    """( … ), closed."""

    inside: Row


@dataclass(frozen=True)
class Derivative:
    """∂z2/∂W2; ∂²J/∂W2∂W1 and ∂²J/∂b1² are of `order` 2."""

    of: Row
    by: tuple[Row, ...]
    order: Literal[1, 2] = 1


@dataclass(frozen=True)
class Sum:
    """Σ_k, in front of what is summed."""

    over: Row


@dataclass(frozen=True)
class Ratio:
    """1/3, of two whole numbers."""

    above: str
    below: str


@dataclass(frozen=True)
class Scripted:
    """relu'(…), a1ᵀ, δ[k,k']: what hangs on a part, primes first, indices last."""

    base: "Node"
    primes: int = 0
    turned: bool = False
    indices: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Power:
    """a1², a^n; without a base where a formula begins with one."""

    base: "Node | None"
    exponent: Symbol | None  # None: squared


Node = Symbol | Number | Sign | Blank | Bracket | Derivative | Sum | Ratio | Scripted | Power | Row
Gap = Literal["", "narrow", "wide"]


def parse(formula: str) -> Row:
    """The tree of a printed formula; every text has one.

    >>> parse("δ[k,k'] 2").parts[-1]
    Number(digits='2', exponent='')
    >>> text(parse("∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']"))
    "∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']"
    """
    rows: list[list[Node]] = [[]]  # the row that is read, in those whose brackets are open
    for kind, match in tokens(formula):
        here = rows[-1]
        part: Node
        match kind:
            case "blank":
                part = Blank(match[0])
            case "second":
                of, first, second, turned, axes = match.groups()
                by = (first,) if second is None else (first, second)
                part = Derivative(parse(of), tuple(map(parse, by)), 2)
                part = _scripted(part, "", turned, axes)
            case "fraction":
                of, wrt, turned, axes = match.groups()
                part = _scripted(Derivative(parse(of), (parse(wrt),)), "", turned, axes)
            case "sum":
                part = Sum(parse(match[1]))
            case "ratio":
                part = Ratio(match[1], match[2])
            case "number":
                part = _scripted(Number(match[1], match[2] or ""), "", "", match[3])
            case "operand":
                name, primes, turned, axes = match.groups()
                part = _scripted(Symbol(*split_name(name)), primes, turned, axes)
            case "close" if len(rows) > 1:
                inside = Row(tuple(rows.pop()))
                here = rows[-1]
                part = _scripted(Bracket(inside), "", match[1], match[2])
            case "close":
                part = _scripted(Sign(")"), "", match[1], match[2])
            case "power":
                base = here.pop() if here and not isinstance(here[-1], Blank) else None
                part = Power(base, Symbol(*split_name(match[1])) if match[1] else None)
            case "sign" if match[0] == "(":
                rows.append([])
                continue
            case "sign":
                part = Sign(match[0])
        here.append(part)
    while len(rows) > 1:  # a bracket that is never closed
        inside_it = rows.pop()
        rows[-1] += [Sign("("), *inside_it]
    return Row(tuple(rows[0]))


def text(node: Node) -> str:
    """The formula as it is printed in a line of text."""
    match node:
        case Symbol(letters, number, mark):
            return letters + number + (mark if mark[:1] in ("", "[") else f"^{mark}")
        case Number(digits, exponent):
            return digits + (f"e{exponent}" if exponent else "")
        case Sign(signs) | Blank(signs):
            return signs
        case Row(parts):
            return "".join(map(text, parts))
        case Bracket(inside):
            return f"({text(inside)})"
        case Derivative(of, by, order):
            squared = "²" if order == 2 and len(by) == 1 else ""
            below = "".join(f"∂{text(one)}" for one in by)
            return f"∂{'²' if order == 2 else ''}{text(of)}/{below}{squared}"
        case Sum(over):
            return f"Σ_{text(over)}"
        case Ratio(above, below):
            return f"{above}/{below}"
        case Scripted(base, primes, turned, indices):
            axes = f"[{','.join(map(text, indices))}]" if indices else ""
            return text(base) + "'" * primes + "ᵀ" * turned + axes
        case Power(base, exponent):
            raised = "²" if exponent is None else f"^{text(exponent)}"
            return (text(base) if base else "") + raised


def within(node: Node) -> Iterator[Node]:
    """The node and what it is made of; indices and what a derivative is by are not."""
    yield node
    match node:
        case Row(parts):
            inner = parts
        case Bracket(inside):
            inner = inside.parts
        case Scripted(base) | Power(base):
            inner = (base,) if base else ()
        case _:
            inner = ()
    for part in inner:
        yield from within(part)


def spaced(row: Row, operators: Collection[str] = ()) -> Iterator[tuple[Gap, Node]]:
    """The parts of a row, each with the room in front of it: none beside an operator.

    Printers that set space around a function's name themselves say so: it is one of their
    `operators`.

    >>> [(gap, text(part)) for gap, part in spaced(parse("y log a = 2 z"))]
    [('', 'y'), ('wide', 'log'), ('wide', 'a'), ('', '='), ('', '2'), ('narrow', 'z')]
    """
    before, apart = "open", False
    for part, after in zip_longest(row.parts, row.parts[1:]):
        if isinstance(part, Blank):
            apart = True
            continue
        kind = _kind(part, after, operators)
        seen = apart and before != "open" and "operator" not in (before, kind)
        yield ("wide" if "word" in (before, kind) else "narrow") if seen else "", part
        before, apart = kind, False


def _kind(part: Node, after: Node | None, operators: Collection[str]) -> str:
    if isinstance(part, Sum) or (isinstance(part, Sign) and part.is_operator):
        return "operator"
    if part == Sign("("):
        return "open"
    if not isinstance(part, Symbol) or part.number or part.mark:
        return "operand"
    if part.letters in operators:
        return "operator"
    while isinstance(after, Scripted | Power) and after.base:
        after = after.base
    called = isinstance(after, Bracket) or after == Sign("(")
    return "word" if len(part.letters) > 1 and part.letters.isalpha() and not called else "operand"


def _scripted(base: Node, primes: str, turned: str | None, axes: str | None) -> Node:
    indices = tuple(map(parse, split_indices(axes))) if axes else ()
    if primes or turned or indices:
        return Scripted(base, len(primes), bool(turned), indices)
    return base
