"""A .keras file looked at before anything in it is used: an archive of configuration and weights.

The configuration is JSON, read as data: a class in it is looked up in a table, never imported. The
weights are HDF5, read by h5py from memory: links to other files, arrays that stand in other files
and arrays that do not fill their shapes are refused.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SpecError
from ...numbers.extras import extra
from ...numbers.memory import current_limit, format_bytes
from ..files.hdf5_arrays import array_of, datasets
from ..files.paths import label, read_limited
from ..files.stored import require_bytes

WHO = "Network.from_keras"
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
LONGEST_CONFIG = 2**24
RATIO = 100  # of unpacked to packed bytes
INSTEAD = "Give the name of a file that model.save('model.keras') wrote."

Arrays = dict[str, list[np.ndarray]]


def read_keras_file(path: str | Path) -> tuple[dict[str, Any], Arrays]:
    """The configuration of a .keras file, and its arrays by their group layers/dense_1.

    Raises SpecError for what is no such file, MemoryLimitError where its arrays do not fit.
    """
    place = Path(path)
    name = label(place)
    if place.name.lower().endswith((".h5", ".hdf5")):
        raise SpecError(
            f"{name} has weights alone, or is of Keras 2.\n"
            "  Save the model whole, model.save('model.keras'), with Keras 3; or name it as the "
            "weights of a network file."
        )
    if place.suffix.lower() != ".keras":
        raise SpecError(f"{name} does not end in .keras.\n  {INSTEAD}")
    extra("h5py", WHO)
    content = read_limited(place, current_limit(), INSTEAD)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            config = _member(archive, CONFIG, len(content), name)
            weights = _member(archive, WEIGHTS, len(content), name)
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
        EOFError,
    ) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(
            f"{name} is no .keras file, or one that is cut short.\n  {INSTEAD}"
        ) from None
    return _config(config, name), dict(_arrays(weights, name))


def _member(archive: zipfile.ZipFile, member: str, packed: int, name: str) -> bytes:
    infos = [info for info in archive.infolist() if info.filename == member]
    if len(infos) != 1:
        raise SpecError(f"{name} holds {member} {len(infos)} times.\n  {INSTEAD}")
    size = infos[0].file_size
    limit = LONGEST_CONFIG if member == CONFIG else current_limit()
    if size > limit or size > max(RATIO * packed, 2**20):
        raise SpecError(
            f"{name}: {member} would unpack to {format_bytes(size)}, from {format_bytes(packed)}.\n"
            f"  {INSTEAD}"
        )
    with archive.open(infos[0]) as file:
        return file.read(size + 1)


def _config(raw: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(raw.decode())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("config"), dict):
        raise SpecError(f"{name}: {CONFIG} is no configuration of a model.\n  {INSTEAD}")
    return found


def _arrays(raw: bytes, name: str) -> Iterator[tuple[str, list[np.ndarray]]]:
    """The arrays of each group vars, in the order of their numbers."""
    h5py = extra("h5py", WHO)
    try:
        with h5py.File(io.BytesIO(raw), "r") as file:
            total = 0
            found: Arrays = {}
            for path, data in datasets(h5py, file, name, INSTEAD):
                group, _, number = path.rpartition("/vars/")
                if not group.startswith("layers/") or not number.isdigit():
                    continue
                total += 8 * data.size
                require_bytes(name, total)
                found.setdefault(group, []).append(array_of(data, path, name, INSTEAD))
    except OSError:
        raise SpecError(
            f"{name}: {WEIGHTS} is no HDF5 file, or one that is cut short.\n  {INSTEAD}"
        ) from None
    yield from found.items()
