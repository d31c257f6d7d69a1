"""A sentence that says which of its parts are formulas, and which are code.

    marked("`dᵀ H d` is `-1.7`, by ``ni,mi->nm``")

is the text without its marks, as a line of text has it; LaTeX, MathML and Markdown set the parts
between single marks as formulas, those between double ones as code.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_MARKS = re.compile(r"``(?P<code>[^`]+)``|`(?P<formula>[^`]+)`")
Kind = Literal["words", "formula", "code"]


@dataclass(frozen=True)
class Part:
    """Part of a sentence; `place` is that of an entry, 1 of a1[1]."""

    text: str
    kind: Kind = "words"
    place: str = ""


class Marked(str):
    """The plain sentence, and its parts; what is made of it by cutting is plain again."""

    parts: tuple[Part, ...]


def joined(sentences: Iterable[str], between: str = "; ") -> str:
    """Sentences one after another, with their marks where each has some.

    >>> isinstance(joined([marked("`a` and"), marked("`b`")], " "), Marked)
    True
    """
    given = list(sentences)
    if not all(isinstance(sentence, Marked) for sentence in given):
        return between.join(given)
    parts = [(Part(between), *each.parts) for each in given if isinstance(each, Marked)]
    return _of_parts([part for each in parts for part in each][1:])


def marked(text: str) -> Marked:
    """The sentence of a text with marks; one without any is words throughout.

    >>> sentence = marked("`log a` has slope `1/a`")
    >>> print(sentence)
    log a has slope 1/a
    >>> [part.text for part in sentence.parts if part.kind == "formula"]
    ['log a', '1/a']
    """
    parts, done = list[Part](), 0
    for match in _MARKS.finditer(text):
        parts += [Part(text[done : match.start()])] * (match.start() > done)
        kind: Kind = "code" if match["code"] else "formula"
        parts.append(Part(match[kind], kind))
        done = match.end()
    parts += [Part(text[done:])] * (done < len(text))
    return _of_parts(parts)


def _of_parts(parts: Iterable[Part]) -> Marked:
    kept = tuple(parts)
    found = Marked("".join(part.text for part in kept))
    found.parts = kept
    return found
