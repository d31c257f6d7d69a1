"""A formula on the command line: what is one, its options, and the page.

Whether there is one is asked at every start of `derive`; what reads it is loaded where there is.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SpecError
from ..writing.signs import RAISED, safe
from ..writing.tables import wrapped

if TYPE_CHECKING:
    from .formula import Formula

OPTIONS = ("shape", "scalar", "symmetric", "positive", "wrt")
FILES = (".toml", ".onnx", ".keras")  # an argument with such an ending names a file
_SIGNS = re.compile(rf"[@*()^+/'ᵀ{RAISED}⁻‖⊙⊘⊗∘√∑·×∂∇|\[\]]|\.T\b|\s")
_PATH = re.compile(r"[\w./\\~-]+\.[a-z]\w*")  # runs/w.pt, but not x/y.T
_NUMBER_AND_LETTER = re.compile(r"\d+(\.\d+)?[^\W\d_]")  # 2x
_OPTION = re.compile(r"-h|--[\w-]*(=.*)?")
_SHAPE = re.compile(r"(\w{1,20})=(\d{1,4}(?:,\d{1,4})*)")


def is_formula(text: str | None) -> bool:
    """Whether an argument is a formula: neither widths nor the name of a file.

    >>> is_formula("sum((W @ x - y)**2)"), is_formula("4-5-3"), is_formula("my nets/net.toml")
    (True, False, False)
    >>> is_formula("x/y.T"), is_formula("runs/w.pt")
    (True, False)
    >>> is_formula("3 + 4"), is_formula("2x")  # none that can be read, but meant as one
    (True, True)
    """
    if text is None or text.lower().endswith(FILES) or _PATH.fullmatch(text):
        return False
    if not re.search(r"[^\W\d]", text):
        return not text.strip() or bool(re.search(r"[@*()^+/\[]", text))
    if _NUMBER_AND_LETTER.fullmatch(text.strip()):
        return True
    return bool(re.search(r"[^\W\d]", text)) and bool(_SIGNS.search(text.strip()))


def shielded(words: Sequence[str]) -> list[str]:
    """The words of a command line, with a blank before a formula that begins with a minus sign.

    >>> shielded(["derive", "-x.T@x", "--wrt", "x", "--shape=x=3"])
    ['derive', ' -x.T@x', '--wrt', 'x', '--shape=x=3']
    """
    return [f" {word}" if _begins_with_minus(word) else word for word in words]


def _begins_with_minus(word: str) -> bool:
    if not word.startswith("-") or _OPTION.fullmatch(word):
        return False
    return is_formula(word.replace(" ", ""))  # a blank alone is one of a file's name


def add_options(parser: argparse.ArgumentParser) -> None:
    """What goes with a formula alone."""
    group = parser.add_argument_group("of a formula, such as 'sum((W @ x - y)**2)'")
    group.add_argument(
        "--shape", metavar="W=4,2", action="append", help="the shape of an array; b= for a number"
    )
    for option, words in (
        ("scalar", "a name that is a number"),
        ("symmetric", "a matrix that is symmetric"),
        ("positive", "an array whose numbers are above 0; a symmetric matrix that is definite"),
        ("wrt", "what to differentiate by (default: everything)"),
    ):
        group.add_argument(f"--{option}", metavar="NAME", action="append", help=words)


def given(options: argparse.Namespace) -> list[str]:
    """The options of a formula that are given."""
    return [name for name in OPTIONS if getattr(options, name, None)]


def formula_of(options: argparse.Namespace, others: Sequence[str]) -> "Formula":
    """The formula with its options. SpecError for `others`, that do not fit."""
    from .formula import Formula

    if others:
        raise SpecError(
            f"--{others[0].replace('_', '-')} does not go with a formula.\n"
            "  Its options are "
            f"{', '.join(f'--{name}' for name in (*OPTIONS, 'seed', 'second', 'out'))}."
        )
    wrt = _names(options.wrt)
    return Formula(
        options.network,
        shapes=dict(map(_shape, options.shape or ())),
        scalars=_names(options.scalar),
        symmetric=_names(options.symmetric),
        positive=_names(options.positive),
        wrt=wrt or None,
        seed=_seed(options.seed),
    )


def page_of(found: "Formula", second: bool, width: int) -> tuple[list[str], bool]:
    """The lines of the page, and whether all is right."""
    lines, ok = lines_of(found, second)
    folded = [
        part
        for line in lines
        for part in (wrapped_page(line, width) if len(line) > width else [line])
    ]
    return folded, ok


def saved(found: "Formula", second: bool, place: Path) -> bool:
    """Write the page as the document that the file's ending asks for; whether all is right."""
    from ..document.saving import save
    from .page import document_of

    lines, ok = lines_of(found, second)
    article = place.suffix.lower() == ".tex"
    save(place, lambda: document_of(found, lines, article), lambda: "\n".join(lines))
    return ok


def lines_of(found: "Formula", second: bool) -> tuple[list[str], bool]:
    """The page, as wide as it is, and whether all is right."""
    if second:
        return found.second_lines(), found.second_ok
    return found.lines(), found.ok


def wrapped_page(line: str, width: int) -> list[str]:
    """A line of a page that is too wide: its further lines stand behind the titles."""
    head, body = line[:10], line[10:]
    return wrapped(body, max(width, 30), head, " " * 14)


def _names(words: list[str] | None) -> list[str]:
    return [part.strip() for word in words or () for part in word.split(",") if part.strip()]


def _seed(seed: Any) -> int:
    if seed < 0:
        raise SpecError(f"the seed is {seed}.\n  Write a whole number from 0 up.")
    return int(seed)


def _shape(word: str) -> tuple[str, tuple[int, ...]]:
    match = _SHAPE.fullmatch(word)
    if not match:
        raise SpecError(
            f"--shape {safe(word[:40])} is no shape.\n  Write it such as --shape W=4,2."
        )
    return match[1], tuple(map(int, match[2].split(",")))
