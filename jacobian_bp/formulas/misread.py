"""Why a text is no formula: the place, what is wrong there, and what to write instead.

A @ B @ C +      nothing stands behind +
sum(x            this ( is never closed
2x               nothing stands between 2 and x
"""

import re
from collections.abc import Container
from itertools import pairwise
from typing import NamedTuple

from ..writing.signs import RAISED, lowered, safe

GENERAL = "the formula cannot be read from here.", "Write it as in numpy: sum((W @ x - y)**2)."
_MARK = rf"⁻ᵀ|⁻?[{RAISED}]+|ᵀ"
_TOKEN = re.compile(
    r"[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+|"
    rf"{_MARK}|[^\W\d][^\Wᵀ{RAISED}]*|\*\*|[-+*/@^=]=?|\S"
)
_QUOTED = re.compile(r"(?<=[,=(])\s*((['\"])[^'\"]*\2)")
_OF_PAPER = {  # signs that a page or a book has, and what to write for them
    "∑": "Write sum(x) for the sum of all entries, a @ x for Σ_i a[i] x[i].",
    "‖": "Write norm(x) for ‖x‖.",
    "|": "Write abs(x) for the size of each entry, norm(x) for a length, det(X) for a determinant.",
    "√": "Write sqrt(x) for √x.",
    "⊙": "Write x * y for x ⊙ y, and its sides in parentheses: x * (A @ y).",
    "∘": "Write x * y for what is multiplied entry by entry, x**2 for x^∘2.",
    "⊘": "Write x / y for x ⊘ y, and its sides in parentheses: x / (A @ y).",
    "⊗": "Write kron(A, B) for A ⊗ B, outer(a, b) for a bᵀ.",
    "·": "Write @ for a product of arrays, * for one entry by entry.",
    "×": "Write @ for a product of arrays, * for one entry by entry.",
    "∂": "Write the formula alone: its derivatives are what is printed.",
    "∇": "Write the formula alone: its derivatives are what is printed.",
}
_CLOSES = {")": "(", "]": "[", "}": "{"}
_OPERATORS = ("+", "-", "−", "*", "/", "@", "**", "^")


class Misread(NamedTuple):
    """From where to where in the text, the problem, and what to write instead."""

    at: tuple[int, int]
    problem: str
    instead: str


class _Token(NamedTuple):
    text: str
    at: tuple[int, int]

    @property
    def is_array(self) -> bool:
        """A name or a number."""
        is_point = self.text[0] == "." and len(self.text) > 1
        return is_point or (self.text[0].isalnum() and not self.is_mark)

    @property
    def ends_one(self) -> bool:
        """Whether an array, or a part in brackets, has ended."""
        return self.is_array or self.is_mark or self.text in (")", "]")

    @property
    def is_mark(self) -> bool:
        """What hangs on an array: x', xᵀ, x², X⁻¹."""
        return self.text == "'" or bool(re.fullmatch(_MARK, self.text))


def misread(text: str, functions: Container[str] = ()) -> Misread | None:
    """The first thing in a text for which a formula has no place, if it is one of the usual.

    >>> misread("A @ B @ C + ").problem
    'nothing stands behind +.'
    """
    tokens = [_Token(match[0], match.span()) for match in _TOKEN.finditer(text)]
    return (
        _of_paper(tokens)
        or _unclosed(tokens)
        or _with_sides(tokens, text)
        or _of_books(tokens)
        or _bare_function(tokens, text, functions)
        or _beside(tokens, text)
    )


def quoted(text: str) -> Misread | None:
    """A word in quotation marks, norm(X, 'fro'); x' is no such word."""
    found = _QUOTED.search(text)
    if found is None:
        return None
    instead = "Write norm(X) for the root of the sum of squares, of a matrix too." * (
        "norm" in text[: found.start()]
    )
    return Misread(
        found.span(1),
        "a word in quotation marks is not read in a formula.",
        instead or f"Leave {safe(found[1][:40])} out.",
    )


def _of_paper(tokens: list[_Token]) -> Misread | None:
    """A sign of paper for which a formula has a word."""
    for before, token in pairwise([_Token("", (0, 0)), *tokens]):
        if token.text[0] == "⁻":
            of = safe(before.text) if before.is_array else "(…)"
            whole = f"inv{of}" if of == "(…)" else f"inv({of})"
            whole += ".T" * (token.text == "⁻ᵀ")
            if token.text[1:] not in ("ᵀ", "¹", ""):
                whole = f"{of}**-{lowered(token.text[1:])}"
            begin = before.at[0] if before.is_array else token.at[0]
            instead = f"Write {whole}."
            return Misread((begin, token.at[1]), f"{token.text} is not read in a formula.", instead)
        sums = before.text[:1] == "Σ" and token.is_array
        sign = before if sums else token
        if sums or sign.text in _OF_PAPER:
            instead = _OF_PAPER["∑" if sums else sign.text]
            return Misread(sign.at, f"{safe(sign.text)} is not read in a formula.", instead)
    return None


def _unclosed(tokens: list[_Token]) -> Misread | None:
    opened: list[_Token] = []
    for token in tokens:
        if token.text in _CLOSES.values():
            opened.append(token)
        elif token.text in _CLOSES:
            if not opened or opened[-1].text != _CLOSES[token.text]:
                problem = f"this {token.text} closes nothing."
                return Misread(token.at, problem, f"Leave it out, or write {_CLOSES[token.text]}.")
            opened.pop()
    if not opened:
        return None
    last = opened[-1]
    closing = next(sign for sign, opening in _CLOSES.items() if opening == last.text)
    return Misread(last.at, f"this {last.text} is never closed.", f"Write {closing} where it ends.")


def _with_sides(tokens: list[_Token], text: str) -> Misread | None:
    """J = sum(x**2), which a formula has no place for, at the equals sign."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.text in _CLOSES.values()) - (token.text in _CLOSES)
        if token.text == "=" and not depth:
            right = safe(text[token.at[1] :].strip())
            instead = f"Write {right}." if right and place == 1 else "Write one side alone."
            return Misread(token.at, "a formula has one side.", instead)
    return None


def _of_books(tokens: list[_Token]) -> Misread | None:
    r"""x^T A x, A^-1 b and A \ b, whose signs mean something else in numpy."""
    for place, (before, sign) in enumerate(pairwise([_Token("", (0, 0)), *tokens])):
        behind = [token.text for token in tokens[place + 1 : place + 4]]
        has_a_name = bool(before.text) and before.is_array
        of, begin = (safe(before.text), before.at[0]) if has_a_name else ("(…)", sign.at[0])
        inverse = f"inv({of})" if has_a_name else "inv(…)"
        if sign.text in ("^", "**") and behind[:1] in (["T"], ["t"]):
            both = sign.at[0], tokens[place + 1].at[1]
            return Misread(
                both,
                f"{sign.text}{behind[0]} is a power.",
                f"Write {of}.T for the transposed one, and @ for a product: {of}.T @ A.",
            )
        negative = sign.text in ("^", "**") and behind[:2] == ["-", "1"]
        if negative and len(behind) == 3 and behind[2][0].isalpha():
            return Misread(
                (begin, tokens[place + 2].at[1]),
                f"{sign.text}-1 is the power of each entry, and nothing stands behind it.",
                f"Write {inverse} @ {safe(behind[2])} for the product with the inverse.",
            )
        if sign.text == "\\":
            right = safe(behind[0]) if behind else "b"
            return Misread(sign.at, "\\ is not read in a formula.", f"Write {inverse} @ {right}.")
    return None


def _bare_function(tokens: list[_Token], text: str, functions: Container[str]) -> Misread | None:
    """log det(S) and tr A, where what a function is of stands in no parentheses."""
    for place, (token, follows) in enumerate(pairwise(tokens)):
        if token.text in functions and follows.is_array:
            end = follows.at[1]
            opens = [inner.text for inner in tokens[place + 2 : place + 3]] == ["("]
            if follows.text in functions and not opens:
                continue  # of log det S the inner one first
            if opens:
                depth = 0
                for inner in tokens[place + 2 :]:
                    depth += (inner.text == "(") - (inner.text == ")")
                    end = inner.at[1]
                    if not depth:
                        break
            inside = safe(text[follows.at[0] : end])
            problem = f"what {token.text} is of stands in no parentheses."
            return Misread((token.at[0], end), problem, f"Write {token.text}({inside}).")
    return None


def _with_marks(tokens: list[_Token]) -> _Token | None:
    """The array that ends here, x of x'; None where a bracket does."""
    return next((t if t.is_array else None for t in tokens[::-1] if not t.is_mark), None)


def _start_of(token: _Token, text: str) -> int:
    """Where an array begins, of which a token may be the last part: x of x.T."""
    whole = re.search(r"[\w.]+$", text[: token.at[1]])
    return token.at[0] if whole is None or "." not in whole[0] else whole.start()


def _beside(tokens: list[_Token], text: str) -> Misread | None:
    """Two arrays with nothing between them, or an operation that has an array on one side alone."""
    for place, token in enumerate(tokens):
        follows = tokens[place + 1] if place + 1 < len(tokens) else None
        if token.ends_one and follows is not None and follows.is_array:
            first = _with_marks(tokens[: place + 1])
            begin = token.at[0] if first is None else _start_of(first, text)
            left, right = safe(text[begin : token.at[1]]), safe(follows.text)
            if first is None:
                left = "what ends here"
                begin = follows.at[0]
            instead = f"Write {left} * {right}."
            if first is None:
                instead = "Write @ for a product of arrays, * for one entry by entry."
            elif first.text[0].isalpha():
                instead = (
                    f"Write {left} @ {right} for their product, {left} * {right} entry by entry."
                )
            problem = f"nothing stands between {left} and {right}."
            return Misread((begin, follows.at[1]), problem, instead)
        if token.text in _OPERATORS:
            if follows is None or follows.text in (*_CLOSES, ","):
                instead = f"Write what is meant there, or leave {token.text} out."
                return Misread(token.at, f"nothing stands behind {token.text}.", instead)
            if follows.text in _OPERATORS[3:]:
                problem = f"nothing stands between {token.text} and {follows.text}."
                both = token.at[0], follows.at[1]
                return Misread(
                    both, problem, "Write what is meant there, or leave one of them out."
                )
    return None
