"""Results in a file: complete or not at all in the place of an older one.

Two runs never mix, and a full disk leaves what was there. What an interrupted run
has goes to the name itself only where nothing was, else to NAME.incomplete.json, or
to the first of NAME.incomplete-2.json, … at which nothing was: no rows are ever
replaced by fewer.
"""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from ...errors import SpecError
from ...writing.signs import safe
from ...writing.whole_file import write_whole
from ..timing.foreign_text import quoted, reason
from ..timing.result import Result

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute such a cell
FORMAT = "jacobian-bp compare 1"


class Output:
    """A file to be written at the end, tried at the beginning."""

    def __init__(self, option: str, name: str, suffixes: Sequence[str]) -> None:
        self._option = option
        wrong = "" if name.isprintable() else "has characters that no path needs"
        if not name.lower().endswith(tuple(suffixes)):
            wrong = f"does not end in {' or '.join(suffixes)}"
        if wrong:
            raise SpecError(
                f"{option} {quoted(Path(name).name, 32)} {wrong}.\n"
                f"  Write such as {option} results{suffixes[0]}."
            )
        self.path = Path(os.path.realpath(name)) if os.path.islink(name) else Path(name)
        self._try()

    def write(self, content: bytes, complete: bool) -> str:
        """Write in one move; the sentence says where. Raises OSError, every older file intact."""
        existed = self.path.exists()

        def free() -> Path:
            return _taken_free(self._incomplete_names())

        path = write_whole(
            self.path,
            lambda file: file.write(content),
            mode=_mode(self.path),
            at_last=None if complete else free,
        )
        if not complete:
            kept = f"; {safe(self.path)} is as it was" if path != self.path else ""
            return f"written   {safe(path)}, incomplete{kept}"
        return f"written   {safe(path)}" + (", in place of an older one" if existed else "")

    def nothing(self) -> str:
        """The sentence where there are no rows to write."""
        return f"not written: {safe(self.path)}; there are no rows"

    def failed(self, error: BaseException) -> str:
        """The sentence where writing, or drawing, went wrong."""
        return f"not written: {safe(self.path)}: {reason(error)}"

    def _incomplete_names(self) -> Iterator[Path]:
        """Where incomplete results may go: r.json, r.incomplete.json, r.incomplete-2.json, …"""
        stem, suffix = self.path.stem, self.path.suffix
        yield self.path
        yield self.path.with_name(f"{stem}.incomplete{suffix}")
        for number in count(2):
            yield self.path.with_name(f"{stem}.incomplete-{number}{suffix}")

    @property
    def _folder(self) -> Path:
        return self.path.parent

    def _try(self) -> None:
        """SpecError where the file could not be written at the end."""
        try:
            problem = self._problem()
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or "its name is none of a file"
        if problem:
            raise SpecError(
                f"{self._option} {safe(self.path)} cannot be written: {problem}.\n"
                "  Choose another folder or name; nothing was measured."
            )

    def _problem(self) -> str:
        if not self._folder.is_dir():
            return f"there is no folder {safe(self._folder)}"
        if self.path.is_dir():
            return "it is a folder"
        if self.path.exists() and not self.path.is_file():
            return "it is no regular file"
        if self.path.exists() and not self.path.stat().st_mode & 0o222:  # root may, but was told
            return "it is read-only"
        if self.path.exists() and not os.access(self.path, os.W_OK):
            return "it may not be written"
        if len(os.fsencode(self.path.name)) > 200:
            return "its name is too long"
        handle, temporary = tempfile.mkstemp(prefix=".try.", dir=self._folder)
        os.close(handle)
        os.unlink(temporary)
        return ""


def as_json(about: Mapping[str, Any], rows: Sequence[Result], complete: bool) -> bytes:
    """What was measured, on what, and every row; numbers that are not known are null."""
    whole = {"format": FORMAT, "complete": complete, **about}
    whole["rows"] = [row.as_dict() for row in rows]
    return (json.dumps(whole, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()


def as_csv(about: Mapping[str, Any], rows: Sequence[Result], complete: bool) -> bytes:
    """A line for each row, and in each line what it was measured on.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    flat = {"run_complete": complete, **_flat(about)}
    columns = [*Result("", "", "").as_dict(), *flat]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: _cell(v) for k, v in (row.as_dict() | flat).items()})
    return text.getvalue().encode()


def _flat(about: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested facts with their names joined by a dot.

    >>> _flat({"seed": 0, "machine": {"cores": 2}})
    {'seed': 0, 'machine.cores': 2}
    """
    found: dict[str, Any] = {}
    for name, value in about.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _cell(value: Any) -> Any:
    """
    >>> _cell("=1+1"), _cell(-1), _cell(["a", "b"]), _cell(None)
    ("'=1+1", -1, 'a; b', None)
    """
    if isinstance(value, (list, tuple)):
        value = "; ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _taken_free(names: Iterator[Path]) -> Path:
    """The first of the names at which nothing is, made at once, so that no other run takes it."""
    for path in names:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
    return path


def _mode(path: Path) -> int | None:
    """The permissions of the file that is replaced; None where there is none."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return None
