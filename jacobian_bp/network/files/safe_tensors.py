"""What a .safetensors file holds: 8 bytes of length, a JSON header, raw numbers.

The format is small enough to be read here, strictly and without its library,
which would be one more dependency and speaks of no file in its errors. The
header is parsed as data and compared with the bytes that are there.
"""

import io
import json
import os
from typing import Any

import numpy as np

from ...errors import SpecError
from ...writing.signs import safe
from .paths import brief
from .stored import HEADER_LIMIT, MOST_ARRAYS, OF_WEIGHTS, Stored, damaged, read_array, require_size

TENSOR_DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}
HALF = "BF16"  # bfloat16, the first two bytes of a float32: read as one


def stored_safetensors(file: io.FileIO, name: str) -> dict[str, Stored]:
    """The tensors of a .safetensors file by their names; the file stays open for them.

    Strictly by the format: the tensors fill the bytes behind the header without
    a gap and without an overlap, and a name stands once. Raises SpecError.
    """
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(_exactly(file.read(8), 8, name), "little")
    if HEADER_LIMIT < length <= size - 8 and file.read(1) == b"{":
        raise SpecError(
            f"the list of the tensors of {name} has {length:,} bytes; the limit is "
            f"{HEADER_LIMIT:,}.\n  {OF_WEIGHTS}"
        )
    if length > min(size - 8, HEADER_LIMIT):
        raise SpecError(
            f"{name} claims a header of {length:,} bytes; the file has {size:,}, and a header at "
            f"most {HEADER_LIMIT:,}.\n  This is no .safetensors file, or one cut short."
        )
    entries = _json_header(_exactly(file.read(length), length, name), name)
    entries.pop("__metadata__", None)
    if len(entries) > MOST_ARRAYS:
        raise SpecError(
            f"{name} holds {len(entries):,} tensors; the limit is {MOST_ARRAYS:,}.\n  {OF_WEIGHTS}"
        )
    start, end = 8 + length, 0
    found: dict[str, Stored] = {}
    for key, tensor in sorted(entries.items(), key=lambda item: _offsets(item[1], item[0], name)):
        begin, stop = _offsets(tensor, key, name)
        shape, dtype = tuple(tensor["shape"]), np.dtype(TENSOR_DTYPES.get(tensor["dtype"], "V0"))
        if begin != end or stop > size - start:
            raise SpecError(
                f"{name}: the tensor {brief(key)} claims bytes {begin:,} to {stop:,}; it should "
                f"begin at {end:,}, and the file ends at {size - start:,}.\n"
                "  Write the file again; it is cut short or changed."
            )
        end = stop
        if dtype.itemsize:
            require_size(f"{name}: the tensor {brief(key)}", shape, dtype, stop - begin)
            trouble = ""
        else:
            trouble = f"has dtype {safe(tensor['dtype'][:20])}"

        half = tensor["dtype"] == HALF

        def load(
            at: int = start + begin, shape: tuple = shape, dtype: Any = dtype, half: bool = half
        ) -> np.ndarray:
            file.seek(at)
            array = read_array(file.read, shape, dtype, name)
            return (array.astype("<u4") << 16).view("<f4") if half else array

        dtype = np.dtype("<f4") if half else dtype
        found[key] = Stored(shape, dtype if dtype.itemsize else None, trouble, load)
    if end != size - start:
        raise SpecError(
            f"{name} has {size - start - end:,} bytes behind its last tensor.\n"
            "  Write the file again; nothing may stand there."
        )
    return {key: found[key] for key in entries}


def _json_header(raw: bytes, name: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise SpecError(f"{name} holds {brief(key)} twice.\n  Keep one of the two.")
            seen[key] = value
        return seen

    try:
        header = json.loads(raw.decode(), object_pairs_hook=once)
    except SpecError:
        raise
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise SpecError(
            f"{name} has a header that cannot be read as JSON: it begins {safe(repr(raw[:12]))}.\n"
            "  This is no .safetensors file."
        )
    return header


def _offsets(tensor: Any, key: str, name: str) -> tuple[int, int]:
    """Where a tensor begins and ends, once its entry has the form that the format asks for."""

    def whole(value: Any, least: int) -> bool:
        return type(value) is int and least <= value < 2**63

    if (
        isinstance(tensor, dict)
        and set(tensor) == {"dtype", "shape", "data_offsets"}
        and isinstance(tensor["dtype"], str)
        and isinstance(tensor["shape"], list)
        and isinstance(tensor["data_offsets"], list)
        and len(tensor["shape"]) <= 32
        and len(tensor["data_offsets"]) == 2
        and all(whole(size, 0) for size in [*tensor["shape"], *tensor["data_offsets"]])
        and tensor["data_offsets"][0] <= tensor["data_offsets"][1]
    ):
        return tensor["data_offsets"][0], tensor["data_offsets"][1]
    raise SpecError(
        f"{name}: the entry of {brief(key)} is not of the form of a tensor.\n"
        "  It has dtype, shape and two data_offsets, and nothing else."
    )


def _exactly(content: bytes, size: int, name: str) -> bytes:
    if len(content) == size:
        return content
    raise damaged(name)
