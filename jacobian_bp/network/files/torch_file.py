"""The weights of a .pt or .pth file, by torch's weights-only loader, where torch is installed.

Such a file is a pickle in an archive. The weights-only loader builds tensors and plain containers
and nothing else; before PyTorch 2.6 it could be led to run code, and is not used.
"""

import io
import zipfile
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ...errors import SpecError
from ...numbers.memory import current_limit, format_bytes
from ...writing.signs import safe
from .stored import Stored, never

ENDINGS = (".pt", ".pth")
SAFE_FROM = (2, 6)
SAVE = "Save model.state_dict() alone: torch.save(model.state_dict(), 'w.pt')."


def torch_can_load() -> bool:
    """Whether a torch is installed whose weights-only loader runs nothing."""
    if find_spec("torch") is None:
        return False
    try:
        version = import_module("torch").__version__
        return tuple(int(part) for part in version.split(".")[:2]) >= SAFE_FROM
    except Exception:  # broken, or of a version without numbers
        return False


def stored_torch(file: io.FileIO, name: str) -> dict[str, Stored]:
    """The tensors of a state_dict by their names. SpecError for anything else in the file."""
    content = file.read(current_limit() + 1)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            total = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        total = None
    if total is None or total > max(current_limit(), 0):
        size = "" if total is None else f", and would unpack to {format_bytes(total)}"
        raise SpecError(f"{name} is no archive that torch.save writes{size}.\n  {SAVE}")
    torch = import_module("torch")
    try:
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # of pickle, of zip, of torch
        raise SpecError(
            f"{name} holds more than weights: torch's weights-only loader refuses it, "
            f"{type(error).__name__}.\n  {SAVE}"
        ) from None
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in found.items()
    ):
        raise SpecError(f"{name} holds no state_dict, names and their tensors.\n  {SAVE}")
    return {key: _stored(value) for key, value in found.items()}


def _stored(tensor: Any) -> Stored:
    shape = tuple(tensor.shape)
    if not tensor.dtype.is_floating_point or tensor.is_sparse or tensor.is_quantized:
        return Stored(shape, None, f"has dtype {safe(str(tensor.dtype))}", never)
    kept = tensor.detach()
    if str(kept.dtype) not in ("torch.float16", "torch.float32", "torch.float64"):
        kept = kept.float()  # bfloat16
    array = np.array(kept.numpy())
    return Stored(shape, array.dtype, "", array.copy)
