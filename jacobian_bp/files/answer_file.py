"""A student's arrays from an .npz file: np.savez("answer.npz", dW2=dW2, delta2=delta2).

    W2, dW2                the gradient by W2
    z2, dz2, d2, delta2    the delta of layer 2, ∂J/∂z2
    z2_W2, dz2_dW2         the Jacobian ∂z2/∂W2

Nothing is unpickled; NaN and infinite entries are let in, as they are a finding.
"""

import re
from collections.abc import Container
from pathlib import Path

import numpy as np

from ..errors import SpecError
from ..memory import memory_limit
from ..symbols import did_you_mean, safe
from .paths import brief, open_regular
from .paths import label as label_of
from .safe_npz import stored_npz

Key = str | tuple[str, str]

MOST_BYTES = 64 * 2**20
INSTEAD = 'Write it with np.savez("answer.npz", dW2=dW2, delta2=delta2).'
DELTA = re.compile(r"(?:d|delta)_?(\d+)")


def read_answers(name: str, known: Container[str]) -> dict[Key, np.ndarray]:
    """The arrays of an .npz file by what each is: a gradient, a delta, or a Jacobian.

    Raises SpecError for a file that is none, and for names that stand for nothing
    among the values that are `known`.
    """
    path = Path(name)
    found: dict[Key, np.ndarray] = {}
    for label, array in read_arrays(path).items():
        key = key_of(label, known)
        if key is None:
            raise SpecError(
                f"{safe(path.name)}: {brief(label)} names no object of the network."
                f"{did_you_mean(label.removeprefix('d'), _names(known))}\n"
                "  Write dW2 for a gradient, delta2 for ∂J/∂z2, dz2_dW2 for a Jacobian."
            )
        if key in found:
            raise SpecError(
                f"{safe(path.name)}: {brief(label)} is there twice, under two names.\n"
                "  Keep one of the two."
            )
        found[key] = array
    return found


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; nothing of it is run.

    Raises SpecError for a file that is none, and MemoryLimitError for what would
    take more than 64 MiB.
    """
    name = label_of(path)
    if path.suffix.lower() != ".npz":
        raise SpecError(f"{name} does not end in .npz.\n  {INSTEAD}")
    with open_regular(path, INSTEAD) as file, memory_limit(MOST_BYTES):
        if file.read(4) != b"PK\x03\x04":
            raise SpecError(f"{name} is no archive of arrays.\n  {INSTEAD}")
        file.seek(0)
        stored = stored_npz(file, name)
        for key, array in stored.items():
            if array.trouble:
                raise SpecError(f"{name}: {brief(key)} has {safe(array.trouble)}.\n  {INSTEAD}")
        return {key: np.array(array.load()) for key, array in stored.items()}


def key_of(label: str, known: Container[str]) -> Key | None:
    """What an array's name stands for, or None.

    >>> known = {"z2", "W2"}
    >>> [key_of(name, known) for name in ("dW2", "delta2", "dz2_dW2", "W9")]
    ['W2', 'z2', ('z2', 'W2'), None]
    """
    delta = DELTA.fullmatch(label)
    if label in known:
        return label
    if delta and f"z{delta[1]}" in known:
        return f"z{delta[1]}"
    if label.startswith("d") and label[1:] in known:
        return label[1:]
    parts = label.replace("/", "_").split("_")
    if len(parts) != 2:
        return None
    of, wrt = (part if part in known else part.removeprefix("d") for part in parts)
    return (of, wrt) if of in known and wrt in known else None


def _names(known: Container[str]) -> list[str]:
    return list(known) if isinstance(known, set | frozenset | list | tuple | dict) else []
