"""Why a text is no formula: the place, what is wrong there, and what to write instead.

A @ B @ C +      nothing stands behind +
sum(x            this ( is never closed
2x               nothing stands between 2 and x
"""

import re
from typing import NamedTuple

from ..writing.signs import safe

GENERAL = "the formula cannot be read from here.", "Write it as in numpy: sum((W @ x - y)**2)."
_TOKEN = re.compile(r"\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[^\W\d][^\Wᵀ²³]*|\*\*|[-+*/@^=]=?|\S")
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
        return self.text[0].isalnum() or (self.text[0] == "." and len(self.text) > 1)

    @property
    def ends_one(self) -> bool:
        """Whether an array, or a part in brackets, has ended."""
        return self.is_array or self.text in (")", "]", "'", "ᵀ", "²", "³")


def misread(text: str) -> Misread | None:
    """The first thing in a text for which a formula has no place, if it is one of the usual.

    >>> misread("A @ B @ C + ").problem
    'nothing stands behind +.'
    """
    tokens = [_Token(match[0], match.span()) for match in _TOKEN.finditer(text)]
    return _unclosed(tokens) or _with_sides(tokens, text) or _beside(tokens, text)


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


def _beside(tokens: list[_Token], text: str) -> Misread | None:
    """Two arrays with nothing between them, or an operation that has an array on one side alone."""
    for place, token in enumerate(tokens):
        follows = tokens[place + 1] if place + 1 < len(tokens) else None
        if token.ends_one and follows is not None and follows.is_array:
            left, right = safe(token.text), safe(follows.text)
            begin = token.at[0]
            if not token.is_array:
                left = "what ends here"
                begin = follows.at[0]
            instead = f"Write {left} * {right}."
            if not token.is_array:
                instead = "Write @ for a product of arrays, * for one entry by entry."
            elif token.text[0].isalpha():
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
