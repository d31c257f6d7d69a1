"""Weights from a file and into one: .npz, .safetensors, .h5, .json, without running anything.

Nothing is unpickled, no name in a file is a path, and no array is built before
the directory of the file has shown that it is small enough and really there.
Both formats are parsed here: .safetensors is eight bytes, JSON and raw numbers,
so that reading it strictly needs no library.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DomainError, SpecError
from ...numbers.arrays import as_array, require_finite
from ...writing.signs import dims, safe
from ...writing.whole_file import write_whole
from .first_bytes import HEAD, PICKLE, ending_of, head_of, is_torch, kind_of, may_be
from .hdf5_arrays import stored_keras_weights
from .nielsen_json import stored_nielsen
from .other_names import as_named_here
from .paths import brief, inside, label, open_regular, require_replaceable
from .safe_npz import stored_npz
from .safe_tensors import stored_safetensors
from .stored import Stored, require_bytes
from .torch_file import ENDINGS as TORCH_ENDINGS
from .torch_file import stored_torch, torch_can_load
from .weight_names import ADVICE, OWN, Names, own_names, shorten

READERS: dict[str, Callable[..., dict[str, Stored]]] = {
    ".npz": stored_npz,
    ".safetensors": stored_safetensors,
    ".json": stored_nielsen,
    ".h5": stored_keras_weights,  # where h5py is installed
    **dict.fromkeys(TORCH_ENDINGS, stored_torch),  # where torch is installed
}
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib")
ADVICE_OF_PROGRAM = "Name the arrays as the lines do, or as PyTorch does: 0.weight, 0.bias, …."
INSTEAD = "Give the name of an .npz or .safetensors file."
FROM_TORCH = (
    "Save it without pickle: safetensors.torch.save_file(model.state_dict(), 'w.safetensors'),\n"
    "  or np.savez('w.npz', **{k: v.numpy() for k, v in model.state_dict().items()})."
)


def read_weights(path: Path, folder: Path, names: Names | None = None) -> dict[str, np.ndarray]:
    """The weights W1, b1, … of an .npz, .safetensors, .h5 or .json file that lies in `folder`.

    They may have the names of PyTorch, Flax or Keras, whose kernels are (inputs, outputs), or
    count from W0; a .json file is one of Nielsen's network2.py, an .h5 file one that Keras wrote.

    `names` says of a network that is no row of layers which of its parameters each array is.

    A relative path is taken from `folder`; links are followed and must not lead
    out of it. float16 becomes float32, integers in an .npz become float64.
    Raises SpecError for a file, name, dtype or shape that is none of a layer's,
    listing all at once, DomainError for NaN and infinite weights, and
    MemoryLimitError, each before the arrays are built that it is about.
    """
    _require_format(path, folder)
    place = inside(path, folder)
    name = safe(path.name)
    with open_regular(place, INSTEAD) as file:
        _require_magic(file.read(HEAD), path, name)
        file.seek(0)
        stored = as_named_here(READERS[path.suffix.lower()](file, name), name)
        plain = _require_layers(name, stored, path.suffix.lower() == ".safetensors", names)
        require_bytes(name, sum(array.nbytes for array in stored.values()))
        params = {}
        for key, own in plain.items():
            array = as_array(stored[key].load(), own)
            try:
                require_finite(array, own, "A weight is a finite number.")
            except DomainError as error:
                raise DomainError(f"{name}, array {brief(key)}: {error}") from None
            params[own] = array
    return params


def write_weights(path: Path, params: Mapping[str, Any], *, replace: bool = False) -> None:
    """Write W1, b1, W2, b2, … as an .npz file, whole or not at all.

    An existing file is refused unless `replace` is said. Raises SpecError, and
    DomainError for what is not finite.
    """
    path, name = Path(path), safe(Path(path).name)
    if path.suffix.lower() != ".npz":
        raise SpecError(f"{name} does not end in .npz.\n  Write it such as w.npz.")
    wrong = [key for key in params if not OWN.fullmatch(key)]
    if wrong or not params:
        text = f"{brief(wrong[0])} is no name of a weight" if wrong else "there are no weights"
        raise SpecError(f"{name}: {text}.\n  Name the arrays W1, b1, W2, b2, ….")
    arrays: dict[str, Any] = {}
    for key, value in params.items():
        arrays[key] = as_array(value, key)
        require_finite(arrays[key], key, "A weight is a finite number.")
    if not replace and os.path.lexists(path):
        raise SpecError(f"{name} is there already.\n  Choose another name, or say replace=True.")
    require_replaceable(path, "Name a file for the weights.")
    try:
        write_whole(path, lambda file: np.savez(file, **arrays))
    except OSError as error:
        raise SpecError(
            f"{name} cannot be written: {error.strerror}.\n  Choose another folder."
        ) from None


def _require_format(path: Path, folder: Path) -> None:
    suffix = path.suffix.lower()
    if suffix in PICKLES and not (suffix in TORCH_ENDINGS and torch_can_load()):
        raise SpecError(
            f"{label(path)} is a pickle by its ending; reading one can run code.\n  {FROM_TORCH}"
        )
    if suffix in READERS:
        return
    try:
        head = head_of(inside(path, folder))
    except SpecError:
        head = b""
    if is_torch(head):
        raise SpecError(
            f"{label(path)} is a PyTorch pickle; reading one can run code.\n  {FROM_TORCH}"
        )
    meant = ending_of(head)
    told = f"By its first bytes it may be one: give it the ending {meant}." if meant else INSTEAD
    raise SpecError(f"{label(path)} does not end in .npz or .safetensors.\n  {told}")


def _require_magic(head: bytes, path: Path, name: str) -> None:
    """SpecError that says what a file is, where its ending says another thing."""
    suffix = path.suffix.lower()
    if head and (suffix in (".json", ".h5", *TORCH_ENDINGS) or may_be(suffix, head)):
        return  # of the first three its reader tells
    if suffix != ".npz" and is_torch(head):
        raise SpecError(f"{name} is a PyTorch pickle; reading one can run code.\n  {FROM_TORCH}")
    other = "zip archive" if suffix == ".npz" else ".safetensors file"
    kind = kind_of(head) or (f"no {other}: it begins {safe(repr(head[:8]))}" if head else "empty")
    advice = FROM_TORCH if kind == PICKLE else "Save the weights with np.savez."
    raise SpecError(f"{name} is {kind}.\n  {advice}")


def _require_layers(
    name: str, stored: Mapping[str, Stored], by_width: bool, names: Names | None
) -> dict[str, str]:
    """The plain name of each array; SpecError listing everything that is no weight of a layer."""
    if any(key.endswith("data.pkl") for key in stored):
        raise SpecError(f"{name} is a PyTorch pickle; reading one can run code.\n  {FROM_TORCH}")
    declared = {key: array.shape for key, array in stored.items()}
    plain, lines = (names or own_names)(declared, by_width)
    advice = [(ADVICE if names is None else ADVICE_OF_PROGRAM)] if lines else []
    unsupported = [
        f"{brief(key)} {array.trouble}" for key, array in stored.items() if array.trouble
    ]
    if unsupported:
        lines += unsupported
        kinds = "float16, float32 and float64" + ("" if by_width else ", and integers")
        advice.append(f"Supported are {kinds}; convert the others before saving.")
    shapes = [
        f"{brief(key)} has shape {dims(stored[key].shape)}; {_expected(own)}"
        for key, own in plain.items()
        if names is None and not stored[key].trouble and not _fits(own, stored[key].shape)
    ]
    if shapes:
        advice.append("Only layers that multiply by a matrix and add a bias are read.")
    if lines or shapes:
        told = "\n".join(f"  {line}" for line in [*shorten([*lines, *shapes]), *advice])
        raise SpecError(f"{name} does not hold the weights of a network.\n{told}")
    return plain


def _fits(own: str, shape: tuple[int, ...]) -> bool:
    return len(shape) == (2 if own[0] == "W" else 1) and 0 not in shape


def _expected(own: str) -> str:
    return "a weight has (outputs, inputs)" if own[0] == "W" else "a bias has (outputs,)"
