"""The arrays of an HDF5 file from outside, by their places; and the weights that Keras saves so.

Nothing beside the file is read: links, and arrays whose numbers stand in other files, are refused,
and so is an array that does not fill its shape.
"""

import io
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from ...errors import SpecError
from ...numbers.extras import extra
from ...numbers.memory import current_limit
from ...writing.signs import dims
from .paths import brief
from .stored import MOST_ARRAYS, Stored, require_bytes

MOST_DEEP = 32
OF_WEIGHTS = "Save the weights again: model.save_weights('model.weights.h5')."
KINDS = {"0": "kernel", "1": "bias"}  # the arrays of a dense layer of Keras 3, by their numbers


def stored_keras_weights(file: IO[bytes], name: str) -> dict[str, Stored]:
    """The weights of a .weights.h5 file of Keras 3, or of an .h5 file of Keras 2, by layer.

        layers/dense_1/vars/0           dense_1/kernel
        dense_1/dense_1/bias:0          dense_1/bias

    Raises SpecError without h5py, and for a file that is damaged or reads others.
    """
    h5py = extra("h5py", name)
    limit = current_limit()
    content = file.read(limit + 1)
    require_bytes(name, len(content))
    found: dict[str, Stored] = {}
    try:
        with h5py.File(io.BytesIO(content), "r") as opened:
            for path, data in datasets(h5py, opened, name, OF_WEIGHTS):
                key = _key(path)
                if key in found or len(found) == MOST_ARRAYS:
                    raise SpecError(f"{name} holds {brief(key)} twice.\n  {OF_WEIGHTS}")
                array = array_of(data, path, name, OF_WEIGHTS)
                require_bytes(name, array.nbytes + sum(other.nbytes for other in found.values()))
                found[key] = Stored(array.shape, array.dtype, "", array.copy)
    except OSError:
        raise SpecError(
            f"{name} is no HDF5 file, or one that is cut short.\n  {OF_WEIGHTS}"
        ) from None
    return found


def _key(path: str) -> str:
    """The layer of an array and what it is there."""
    parts = path.split("/")
    if parts[0] in ("layers", "model_weights") and len(parts) > 2:
        parts = parts[1:]
    if len(parts) > 2 and parts[-2] == "vars":
        return f"{'/'.join(parts[:-2])}/{KINDS.get(parts[-1], f'vars/{parts[-1]}')}"
    return "/".join(parts[-2:])


def datasets(
    h5py: Any, group: Any, name: str, instead: str, path: str = ""
) -> Iterator[tuple[str, Any]]:
    """Every dataset with its place, numbers in their order. SpecError for links and depths."""
    if path.count("/") > MOST_DEEP:
        raise SpecError(f"{name}: groups within groups, {MOST_DEEP} deep.\n  {instead}")
    keys = sorted(group, key=lambda key: (int(key), "") if key.isdigit() else (-1, key))
    for key in keys:
        where = f"{path}/{key}".lstrip("/")
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise SpecError(
                f"{name}: {brief(where)} is a link; no file beside it is read.\n  {instead}"
            )
        value = group[key]
        if isinstance(value, h5py.Dataset):
            yield where, value
        else:
            yield from datasets(h5py, value, name, instead, where)


def array_of(data: Any, path: str, name: str, instead: str) -> np.ndarray:
    """The numbers of a dataset. SpecError where they are no fractions, or not all in the file."""
    if data.external or data.is_virtual:
        raise SpecError(
            f"{name} has the numbers of {brief(path)} in another file; none beside it is read.\n"
            f"  {instead}"
        )
    if data.dtype.kind != "f":
        raise SpecError(
            f"{name}: {brief(path)} has dtype {data.dtype}, which is no weight.\n"
            "  Save the model in float32."
        )
    there = data.id.get_storage_size()
    if there != data.size * data.dtype.itemsize:
        raise SpecError(
            f"{name}: {brief(path)} claims shape {dims(data.shape)} of {data.dtype}; it holds "
            f"{there:,} bytes.\n  {instead}"
        )
    return np.array(data[()])
