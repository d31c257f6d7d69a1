"""A results file: written whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ...errors import SpecError
from ...network.files.paths import label, require_replaceable


def write_results(path: str | Path, text: str) -> None:
    """Write `text` under another name in the same folder, then rename it.

    A link at `path` is replaced, not followed. Raises SpecError where it cannot be written,
    and where a device, a pipe or a folder is in its place.
    """
    path = Path(path)
    require_replaceable(path, "Name a file for the results.")
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
