"""A TOML file as tables, with the line of each key, and what is wrong with them.

tomllib gives values without their lines, so the text is scanned for them. What
is wrong is collected and said at once, each with its key and its line.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from ...errors import SpecError
from ...numbers.memory import format_bytes
from ...writing.signs import nearest, plural, safe, type_of
from .paths import brief, label, read_limited

LIMIT = 2**20  # tomllib reads a few MiB a second
MOST_DOTS = 20  # tomllib takes quadratic time over a key of many parts
MOST_PROBLEMS = 20
ONCE = "Write key = value, one a line, and each key once."
INSTEAD = f"Give a TOML file of at most {format_bytes(LIMIT)}; large weights go into an .npz file."

Place = tuple[str, str]  # table and key; no key for the header

PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
DOTTED = re.compile(rf"(?<![\w\\-]){PART}(?:[ \t]*+\.[ \t]*+{PART}){{{MOST_DOTS},}}")
HEADER = re.compile(rf"[ \t]*+\[\[?[ \t]*+({PART})")
KEY = re.compile(rf"[ \t]*+({PART})(?:[ \t]*+\.[ \t]*+({PART}))?[ \t]*+[=.]")
TOKEN = re.compile(
    r"""(?<!\\)"{3}(?:[^\\]|\\.)*?"{3}|'{3}.*?'{3}|(?<!\\)"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|#[^\n]*+|[\[\]{}\n]""",
    re.DOTALL,
)
DIGITS = re.compile(r"[0-9][0-9_]{640,}")
PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)

ALSO = {
    "linear": "identity",
    "none": "identity",
    "logistic": "sigmoid",
    "mse": "squared_error",
    "l2": "squared_error",
    "binary_cross_entropy": "bce",
    "binary_crossentropy": "bce",
    "nll": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "average": "mean",
    "numpy": "numerator",
}
WITH_FILE = ("weights", "data")  # tables that may name a file


class Section:
    """One table of the file: its values, and what is wrong with them."""

    def __init__(self, problems: "Problems", name: str, values: dict[str, Any]) -> None:
        self.problems = problems
        self.name = name
        self.values = values

    def wrong(self, key: str, fact: str, instead: str, index: str = "") -> None:
        """Note what is wrong with the value of a key, or with an entry of it."""
        self.problems.wrong((self.name, key), self.spelled(key) + index, fact, instead)

    def refused(self, key: str, error: Exception) -> None:
        """Note what another part of the package has against the value of a key."""
        self.problems.wrong((self.name, key), self.spelled(key), str(error), "")

    def spelled(self, key: str) -> str:
        """A key with its table, made harmless."""
        shown = safe(key[:60]) + "…" * (len(key) > 60)
        return f"{self.name}.{shown}" if key else self.name

    def only(self, keys: Iterable[str], required: Iterable[str] = ()) -> None:
        """Note keys that are unknown, with the nearest one that is known, and missing keys."""
        known = dict.fromkeys(keys)
        names = [*known] if len(known) <= 12 else [*[*known][:4], "…", *[*known][-2:]]
        for key, value in self.values.items():
            if key in known:
                continue
            guess = self.problems.guess(key, (k for k in known if k not in self.values))
            told = f"Write one of {', '.join(names)}."
            if key in WITH_FILE:
                guess, file = "", value if isinstance(value, str) else "…"
                told = (
                    f'It is a table of its own: write [{key}], and under it file = "{safe(file)}".'
                )
            self.wrong(key, f"the key is not known{guess}", told)
        for key in required:
            if key not in self.values:
                self.wrong(key, "the key is missing", f"Write it under [{self.name}].")

    def choice(self, key: str, value: Any, names: Iterable[str], index: str = "") -> str | None:
        """A name of a fixed table, or None and a note with the nearest name."""
        names = list(names)
        if isinstance(value, str) and value in names:
            return value
        fact = f"{shown(value)} is not a name"
        if isinstance(value, str):
            fact = f"{shown(value)} is not known{self.problems.guess(value, names)}"
        self.wrong(key, fact, f"Write one of {', '.join(names)}.", index)
        return None

    def whole(
        self,
        key: str,
        value: Any,
        least: int,
        most: int,
        index: str = "",
        told: str = "Write it in digits, without a point and without quotes.",
    ) -> int | None:
        """A whole number in a range, or None and a note; true and 3.0 are none."""
        if type(value) is int and least <= value <= most:
            return value
        fact = f"{shown(value)} is not a whole number from {least} to {most:,}"
        self.wrong(key, fact, told, index)
        return None


class Problems:
    """Everything that is wrong with one file."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.found: list[tuple[int, str]] = []
        self._text = text

    @cached_property
    def _lines(self) -> dict[Place, int]:
        return _key_lines(self._text)

    def guess(self, value: str, names: Iterable[str]) -> str:
        """The nearest of the names, as a question, as long as somebody will read it."""
        return question(value, names) if len(self.found) < MOST_PROBLEMS else ""

    def wrong(self, place: Place, key: str, fact: str, instead: str) -> None:
        """Note one thing, at the line of (table, key), of the table, or of nothing."""
        line = self._lines.get(place) or self._lines.get((place[0], "")) or 0
        where = f"{self.name}, line {line}, {key}" if line else f"{self.name}, {key}"
        text = f"{where}: {fact}"
        if instead:
            text += f"{'' if fact.endswith('?') else '.'}\n  {instead}"
        self.found.append((line, text))

    def has(self, place: Place) -> bool:
        """Whether (table, key) stands on a line of its own."""
        return place in self._lines

    def done(self) -> None:
        """Raise SpecError with everything that was noted, in the order of the lines."""
        if not self.found:
            return
        told = [text for _, text in sorted(self.found, key=lambda problem: problem[0])]
        if len(told) == 1:
            raise SpecError(told[0])
        more = len(told) - MOST_PROBLEMS
        head = f"{self.name} has {plural(len(told), 'problem')}."
        tail = [f"… and {more:,} more"] if more > 0 else []
        raise SpecError("\n".join([head, *told[:MOST_PROBLEMS], *tail]))


def read_toml(path: Path) -> tuple[dict[str, Any], Problems]:
    """The tables of a TOML file in UTF-8, with or without a byte order mark.

    Raises SpecError: not a regular file, too large, not UTF-8, not TOML, nested
    too deeply, or a number of thousands of digits; before tomllib could take long.
    """
    name = label(path)
    raw = read_limited(path, LIMIT, INSTEAD)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SpecError(
            f"{name}, line {line}: byte {error.start} is 0x{raw[error.start]:02x}, "
            "which is not UTF-8.\n  Save it as UTF-8."
        ) from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    dots = DOTTED.search(text)
    if dots:
        raise SpecError(
            f"{name}, line {_line(text, dots.start())}: a key of more than {MOST_DOTS} parts.\n"
            "  Write [network], [weights] and [data], and plain keys under them."
        )
    try:
        return tomllib.loads(text), Problems(name, text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{name}{_syntax(text, str(error))}") from None
    except RecursionError:
        raise SpecError(
            f"{name}: lists or tables are nested too deeply.\n"
            "  A matrix is a list of rows, and a row is a list of numbers."
        ) from None
    except ValueError:  # int() refuses thousands of digits
        raise SpecError(_too_many_digits(name, text)) from None


def shown(value: Any) -> str:
    """A value of a TOML file as a message shows it.

    >>> shown(True), shown("3"), shown(2.5), shown([1, 2]), shown(10**50)
    ('true', "'3'", '2.5', 'a list of 2', 'an integer of 51 digits')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return brief(value)
    if isinstance(value, int):
        digits = int(value.bit_length() * 0.30103) + 1
        return str(value) if digits < 30 else f"an integer of {digits:,} digits"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a table" if isinstance(value, dict) else type_of(value)


def question(value: str, names: Iterable[str]) -> str:
    """A question for the reader: the known name that is nearest, if one is near.

    >>> question("Rleu", ["relu", "tanh"]), question("mse", ["bce", "squared_error"])
    ("; did you mean 'relu'?", "; did you mean 'squared_error'?")
    """
    if len(value) > 60:
        return ""
    lowered = {name.lower(): name for name in names}
    plain = value.strip().lower()
    also = ALSO.get(plain)
    close = also if also in lowered else nearest(plain, lowered)
    return f"; did you mean {lowered[close]!r}?" if close else ""


def _key_lines(text: str) -> dict[Place, int]:
    """The line of each (table, key), and of each (table, "")."""
    found: dict[Place, int] = {}
    for place, line in _places(text):
        found.setdefault((place[0], ""), line)
        found.setdefault(place, line)
    return found


def _places(text: str) -> Iterator[tuple[Place, int]]:
    """Each header and key with its line, of a text that is TOML."""
    table, line, depth, start = "", 1, 0, 0
    for token in chain([None], TOKEN.finditer(text)):
        if token:
            first = token[0][0]
            line += token[0].count("\n")
            depth += (first in "[{") - (first in "]}")
            start = token.end()
        if depth == 0 and (token is None or first == "\n"):
            header, key = HEADER.match(text, start), KEY.match(text, start)
            if header:
                table = _bare(header[1])
                yield (table, ""), line
            elif key:
                one, two = _bare(key[1]), _bare(key[2] or "")
                yield ((table, one) if table else (one, two)), line


def _bare(key: str) -> str:
    """A key without its quotes, and with its escapes read where JSON knows them."""
    if "\\" in key and key[:1] == '"':
        with suppress(ValueError):
            return json.loads(key, strict=False)
    return key[1:-1] if key[:1] in ("'", '"') else key


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _syntax(text: str, message: str) -> str:
    match = PLACE.fullmatch(message)
    reason, line, column = match.groups() if match else (message, None, None)
    if "overwrite" in reason or "twice" in reason:
        lines = text.split("\n")[: int(line) if line else None]
        seen: dict[Place, int] = {}
        for place, at in _places("\n".join(lines)):
            if seen.setdefault(place, at) != at:
                first = f"it stands in line {seen[place]} already"
                return f", line {at}, {_key(place)}: {first}.\n  {ONCE}"
    where = f", line {line}, column {column}" if line else ", at its end"
    return f"{where}: {safe(reason)[:200]}.\n  {ONCE}"


def _key(place: Place) -> str:
    return ".".join(safe(part[:60]) for part in place if part)


def _too_many_digits(name: str, text: str) -> str:
    most = sys.get_int_max_str_digits() or 4300
    for match in DIGITS.finditer(text):
        digits = len(match[0].replace("_", ""))
        if digits > most:
            line = _line(text, match.start())
            *_, (place, _) = (("", ""), 0), *_places(text[: match.start()])
            return (
                f"{name}, line {line}, {_key(place)}: an integer of {digits:,} digits.\n"
                "  Write a number that a computer can hold."
            )
    return f"{name} holds a number that cannot be read.\n  Write numbers in digits."
