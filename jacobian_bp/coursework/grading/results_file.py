"""A results file: written whole or not at all."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from ...errors import SpecError
from ...files.paths import KINDS, label


def write_results(path: str | Path, text: str) -> None:
    """Write `text` under another name in the same folder, then rename it.

    A link at `path` is replaced, not followed. Raises SpecError where it cannot be written,
    and where a device, a pipe or a folder is in its place.
    """
    path = Path(path)
    _require_replaceable(path)
    try:
        handle, name = tempfile.mkstemp(prefix=".results", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is none of a file"
        raise SpecError(
            f"{label(path)} cannot be written: {reason}.\n  Choose another folder or name."
        ) from None


def _require_replaceable(path: Path) -> None:
    """SpecError for what is there and is neither a file nor a link: /dev/null is to stay."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return  # nothing is there
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        kind = next((words for test, words in KINDS if test(mode)), "no regular file")
        raise SpecError(
            f"{label(path)} is {kind}, and is left as it is.\n  Name a file for the results."
        )
