"""A results file: written whole or not at all."""

from pathlib import Path

from ...network.files.paths import cannot_be_written, label, require_replaceable
from ...writing.whole_file import write_whole


def write_results(path: str | Path, text: str) -> None:
    """Write `text` in the place of `path`; a link there is replaced, not followed.

    Raises SpecError where it cannot be written, and where a device, a pipe or a folder is in
    its place.
    """
    path = Path(path)
    require_replaceable(path, "Name a file for the results.")
    try:
        write_whole(path, lambda file: file.write(text.encode("utf-8")), mode=0o644)
    except (OSError, ValueError) as error:
        raise cannot_be_written(label(path), error) from None
