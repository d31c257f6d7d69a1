"""What a reader may say about a table, and how each saying is spelled where it was said."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ....errors import SpecError
from ....writing.signs import did_you_mean, safe
from ..data_files import LIMIT

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " "}
CHOICES = {
    "delimiter": tuple(DELIMITERS),
    "decimal": ("point", "comma"),
    "thousands": ("comma", "point", "none"),
    "encoding": ("utf-8", "cp1252"),
    "missing": ("refuse", "drop", "mean", "class"),
}
LISTS = ("missing_token", "category", "drop", "keep", "columns")
OF_TEXT = ("header", "delimiter", "decimal", "thousands", "encoding", "skip")
OF_GAPS = ("missing", "missing_token")
MOST_NAMES = 12  # in one message
MOST_WORDS = 6  # each of them with more to it than a name


@dataclass(frozen=True)
class TableOptions:
    """Each option says what would be found, or assumed and said, without it."""

    header: bool | None = None  # whether the first line holds names
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    skip: int = 0  # lines above the table
    missing: str = "refuse"
    missing_token: tuple[str, ...] = ()  # what else means that a value is missing
    category: tuple[str, ...] = ()  # columns whose values are classes, though they are numbers
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()  # columns that would be left out: row numbers, dates, texts
    columns: tuple[str, ...] = ()  # the inputs; all without it
    rows: str | None = None  # such as 0-99
    raw: bool | None = None  # without it, columns are standardised and arrays are not
    data_limit: int = LIMIT  # bytes that the file may have
    spelling: str = "command"  # or "python", "toml"

    def way(self, name: str, value: Any = None) -> str:
        """How one says an option in the place where the table was asked for.

        >>> TableOptions().way("missing", "drop"), TableOptions().way("header", False)
        ('--missing drop', '--no-header')
        >>> TableOptions(spelling="python").way("drop", "Age")
        'drop=["Age"]'
        >>> TableOptions(spelling="toml").way("raw", True)
        'raw = true'
        """
        if self.spelling == "command":
            option = "--" + name.replace("_", "-")
            if isinstance(value, bool):
                return option if value else f"--no-{name}"
            return option if value is None else f"{option} {safe(shlex.quote(str(value)))}"
        equals = "=" if self.spelling == "python" else " = "
        if value is None:
            return f"{name}{equals}…"
        listed = [value] if name in LISTS else value
        text = json.dumps(listed, ensure_ascii=False)
        if self.spelling == "python" and isinstance(value, bool):
            text = str(value)
        return f"{name}{equals}{safe(text)}"


def table_options(spelling: str, **given: Any) -> TableOptions:
    """The options as they were given, or SpecError for a value that none of them takes."""
    plain = TableOptions(spelling=spelling)
    found: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in LISTS:
            listed = [value] if isinstance(value, str | int) else value
            whole = isinstance(listed, Sequence) and all(
                isinstance(v, str | int) and not isinstance(v, bool) for v in listed
            )
            if not whole:
                _not_taken(plain, name, value, f"Write {plain.way(name, 'NAME')}.")
            found[name] = tuple(map(str, listed))
        elif name in CHOICES:
            names = CHOICES[name]
            if not isinstance(value, str) or value not in names:
                told = f"Write one of {', '.join(names)}."
                _not_taken(plain, name, value, told, did_you_mean(value, names))
            found[name] = value
        elif name == "data_limit":
            if type(value) is not int or value < 0:
                _not_taken(plain, name, value, "Write how many bytes the file may have.")
            found[name] = value
        elif name == "skip":
            if type(value) is not int or not 0 <= value < 10**9:
                _not_taken(plain, name, value, "Write how many lines stand above the table.")
            found[name] = value
        elif name == "rows":
            if not isinstance(value, str) or not re.fullmatch(r"\d{1,9}-(\d{1,9})?", value, re.A):
                told = f"Write the first and the last, from 0: {plain.way('rows', '0-99')}."
                _not_taken(plain, name, value, told)
            found[name] = value
        else:
            if not isinstance(value, bool):
                yes, no = ("True", "False") if spelling == "python" else ("true", "false")
                _not_taken(plain, name, value, f"Write {yes} or {no}.")
            found[name] = value
    return TableOptions(**found, spelling=spelling)


def require_unsaid(source: str, holds: str, names: Sequence[str], options: TableOptions) -> None:
    """SpecError for an option that would change nothing, as the source is no such thing."""
    plain = TableOptions()
    for name in names:
        value = getattr(options, name)
        if value != getattr(plain, name):
            told = options.way(name, value[0] if isinstance(value, tuple) else value)
            refuse(source, f" holds {holds}: {told} says nothing of it.", (), "Leave it out.")


def refuse(where: str, fact: str, readings: Iterable[str] = (), instead: str = "") -> NoReturn:
    """SpecError: where, what is wrong, how it can be read, what to write."""
    lines = [f"{where}{fact}", *(f"  {reading}" for reading in readings)]
    raise SpecError("\n".join([*lines, f"  {instead}"] if instead else lines))


def some(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Names for a message, made harmless; of many the first, and how many there are.

    >>> some(["a", "b", "c"], 2)
    'a, b, … (3 in all)'
    """
    shown = [safe(name if len(name) <= 40 else name[:40] + "…") for name in names[:most]]
    return ", ".join(shown) + (f", … ({len(names)} in all)" if len(names) > most else "")


def few(words: Sequence[str], gap: str = ", ") -> str:
    """Words of ours, one after another; of many the first, and how many there are."""
    more = [f"… ({len(words)} in all)"] if len(words) > MOST_WORDS else []
    return gap.join([*words[:MOST_WORDS], *more])


def quoted(cell: str, most: int = 40) -> str:
    """A cell as messages show it."""
    return safe(repr(cell if len(cell) <= most else cell[:most] + "…"))


def _not_taken(plain: TableOptions, name: str, value: Any, told: str, guess: str = "") -> NoReturn:
    shown = quoted(value) if isinstance(value, str) else safe(repr(value)[:40])
    refuse("", f"{plain.way(name)}: {shown} is not what it takes.{guess}", (), told)
