"""A student's arrays from an .npz file: np.savez("answer.npz", dW2=dW2, delta2=delta2).

    W2, dW2                the gradient by W2
    z2, dz2, d2, delta2    the delta of layer 2, ∂J/∂z2
    z2_W2, dz2_dW2         the Jacobian ∂z2/∂W2

Nothing is unpickled; NaN and infinite entries are let in, as they are a finding.
"""

import io
import re
from collections.abc import Callable, Container
from pathlib import Path
from typing import TypeVar

import numpy as np

from ...errors import SpecError
from ...numbers.memory import memory_limit
from ...writing.signs import nearest, safe
from .paths import brief, open_regular
from .paths import label as label_of
from .safe_npz import stored_npz
from .stored import Stored

Key = str | tuple[str, str]
Found = TypeVar("Found")

MOST_BYTES = 64 * 2**20
MOST_SHOWN = 5
INSTEAD = 'Write it with np.savez("answer.npz", dW2=dW2, delta2=delta2).'
DELTA = re.compile(r"(?:d|delta)_?(\d+)")
DERIVATIVE = re.compile(r"(?:d|grad)_?(.+)")


def read_answers(name: str, known: Container[str]) -> dict[Key, np.ndarray]:
    """The arrays of an .npz file by what each is: a gradient, a delta, or a Jacobian.

    Raises SpecError for a file that is none, and for names that stand for nothing
    among the values that are `known`.
    """
    path = Path(name)
    found: dict[Key, np.ndarray] = {}
    arrays = read_arrays(path)
    _require_known(path, [label for label in arrays if key_of(label, known) is None], known)
    for label, array in arrays.items():
        key = key_of(label, known)
        assert key is not None
        if key in found:
            raise SpecError(
                f"{safe(path.name)}: {brief(label)} is there twice, under two names.\n"
                "  Keep one of the two."
            )
        found[key] = array
    return found


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; nothing of it is run.

    Raises SpecError for a file that is none and for a member that is no array of
    numbers, MemoryLimitError for what would take more than 64 MiB.
    """

    def load(stored: dict[str, Stored], file: io.FileIO) -> dict[str, np.ndarray]:
        for key, array in stored.items():
            if array.trouble:
                name = label_of(path)
                raise SpecError(f"{name}: {brief(key)} {safe(array.trouble)}.\n  {INSTEAD}")
        return {key: np.array(array.load()) for key, array in stored.items()}

    return read_stored(path, load)


def read_stored(path: Path, read: Callable[[dict[str, Stored], io.FileIO], Found]) -> Found:
    """What `read` makes of the members of an .npz file, and of the file, which is open for it.

    Raises SpecError and MemoryLimitError as `read_arrays` does, but leaves members to `read`.
    """
    name = label_of(path)
    if path.suffix.lower() != ".npz":
        raise SpecError(f"{name} does not end in .npz.\n  {INSTEAD}")
    with open_regular(path, INSTEAD) as file, memory_limit(MOST_BYTES):
        if file.read(4) != b"PK\x03\x04":
            raise SpecError(f"{name} is no archive of arrays.\n  {INSTEAD}")
        file.seek(0)
        return read(stored_npz(file, name, INSTEAD), file)


def key_of(label: str, known: Container[str]) -> Key | None:
    """What an array's name stands for, or None.

    >>> known = {"z2", "W2"}
    >>> [key_of(name, known) for name in ("dW2", "delta2", "dz2_dW2", "W9")]
    ['W2', 'z2', ('z2', 'W2'), None]
    >>> [key_of(name, known) for name in ("dZ2", "grad_W2", "dZ2_dW2")]
    ['z2', 'W2', ('z2', 'W2')]
    """
    delta = DELTA.fullmatch(label)
    if label in known:
        return label
    if delta and f"z{delta[1]}" in known:
        return f"z{delta[1]}"
    single = _one(label, known)
    if single is not None:
        return single
    parts = label.replace("/", "_").split("_")
    if len(parts) != 2:
        return None
    of, wrt = (_one(part, known) for part in parts)
    return (of, wrt) if of is not None and wrt is not None else None


def _one(label: str, known: Container[str]) -> str | None:
    """The value or parameter: z2 is Z2 too, as some courses write a batch; dW2, grad_W2 is W2."""
    derivative = DERIVATIVE.fullmatch(label)
    for name in (label, derivative[1] if derivative else ""):
        for written in (name, name.lower() if name[:1] in ("Z", "A") else name):
            if written in known:
                return written
    return None


def _require_known(path: Path, unknown: list[str], known: Container[str]) -> None:
    """SpecError with all names that stand for nothing, as far as they can be shown."""
    if not unknown:
        return
    shown = ", ".join(brief(label) for label in unknown[:MOST_SHOWN])
    more = f" and {len(unknown) - MOST_SHOWN} more" if len(unknown) > MOST_SHOWN else ""
    name = "names no object" if len(unknown) == 1 else "name no objects"
    near = _meant(unknown[0], _names(known)) if len(unknown) == 1 else ""
    raise SpecError(
        f"{safe(path.name)}: {shown}{more} {name} of the network.{near}\n"
        "  Write dW2 for a gradient, delta2 for ∂J/∂z2, dz2_dW2 for a Jacobian."
    )


def _meant(label: str, known: list[str]) -> str:
    """ " Did you mean …?" with the nearest label, in the way in which this one is written."""
    derivative = re.match(r"(?:delta|grad|d)_?(?=.)", label, re.I)
    prefix = derivative[0].lower() if derivative else ""
    name = label[len(prefix) :]
    close = nearest(name, known)
    written = f"{prefix}{close}"
    return f" Did you mean {safe(written)}?" if close and key_of(written, known) == close else ""


def _names(known: Container[str]) -> list[str]:
    return list(known) if isinstance(known, set | frozenset | list | tuple | dict) else []
