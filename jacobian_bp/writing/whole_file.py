"""A file is written whole or not at all: under another name beside its own, then moved there."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO


def write_whole(
    path: Path,
    write: Callable[[BinaryIO], Any],
    *,
    mode: int | None = None,
    at_last: Callable[[], Path] | None = None,
) -> Path:
    """What `write` puts into a file, at `path` in one move; the result is where it stands.

    A link at `path` is replaced, not followed. The permissions are `mode`, or those of any new
    file; `at_last` names another place when all is written. Whatever is raised on the way, an
    older file is as it was, and no draft is left. Raises OSError, and ValueError for a name that
    is none of a file.
    """
    draft = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}")
    try:
        with open(draft, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(draft, mode)
        place = at_last() if at_last else path
        os.replace(draft, place)
    except BaseException:
        with suppress(OSError, ValueError):
            draft.unlink()
        raise
    return place
