"""Answers as arrays alone, in an .npz file: nothing of it is run.

This is the safer way to hand in. A mask is saved as 0 and 1: booleans are not read.
"""

from pathlib import Path

import numpy as np

from ...errors import SpecError
from ...files.paths import label, open_regular
from ...files.safe_npz import stored_npz
from ...memory import memory_limit
from ...symbols import safe

MOST_BYTES = 64 * 2**20
INSTEAD = "Save the answers with np.savez(FILE, name=value, ...)."


def read_answer_file(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; SpecError or MemoryLimitError where it is none."""
    name = label(path)
    with open_regular(path, INSTEAD) as file, memory_limit(MOST_BYTES):
        stored = stored_npz(file, name)
        for key, array in stored.items():
            if array.dtype is None:
                raise SpecError(f"{name}: {safe(key[:40])} has {safe(array.trouble)}.\n  {INSTEAD}")
        return {key: np.array(array.load()) for key, array in stored.items()}
