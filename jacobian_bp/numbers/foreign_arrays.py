"""What to pass instead of an array that cannot be taken as it is.

What is advised for one container has been tried on it: a tensor may have to be
detached, brought to the host and widened, all three.
"""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from ..writing.signs import safe, type_of, with_article

NUMBERS = "biuf"
# the shortest way that works is advised
WAYS = (
    ".detach().numpy()",
    ".float()",
    ".cpu()",
    ".cpu().float()",
    ".detach().float()",
    ".detach().cpu()",
    ".detach().cpu().float()",
    ".to_dense()",
    ".detach().to_dense()",
    ".cpu().to_dense()",
    ".detach().cpu().to_dense()",
    ".to_dense().float()",
    ".detach().cpu().to_dense().float()",
    ".resolve_neg()",
    ".detach().resolve_neg()",
    ".dequantize()",
    ".get()",
    '.astype("float32")',
)
DENSE = ("toarray", "todense", "to_dense")
LONGEST = 200  # characters of another package's words


def is_sparse(value: Any) -> bool:
    """Whether a container leaves zeros out; that of torch is one that has a layout."""
    return hasattr(value, "tocoo") or hasattr(value, "todense")


def sparse_instead(value: Any, name: str) -> str:
    """How a sparse container is made dense: each package has its own word."""
    method = next((m for m in DENSE if hasattr(value, m)), DENSE[0])
    return f"{name}.{method}()"


def way_out(value: Any, name: str) -> str | None:
    """The methods that make a tensor an array of numbers, None where none does."""
    if not (hasattr(value, "__array__") or hasattr(value, "requires_grad")):
        return None
    for way in WAYS:
        found = value
        try:
            for method in way.strip(".").split(")."):
                word, _, argument = method.rstrip(")").partition("(")
                found = getattr(found, word)(*filter(None, [argument.strip('"')]))
            if np.asarray(found).dtype.kind in NUMBERS:
                return name + way
        except Exception:  # whatever another package's array raises
            continue
    return None


def detached(value: Any, name: str) -> str:
    """What to pass for a tensor that records gradients."""
    way = way_out(value, name)
    if way is None and hasattr(value, "detach"):  # it stands for numbers, as within torch.func
        return "a numpy array, outside of grad and vmap"
    return way or name + WAYS[0]


def unreadable(value: Any, name: str, error: Exception) -> str:
    """The message for a container that numpy cannot read."""
    kind = type(value).__name__
    if "Tracer" in kind or "Tracer" in type(error).__name__:
        return (
            f"{name} is {with_article(kind)}: while JAX traces a function, there are no numbers.\n"
            f"  Call it outside of jit, grad and vmap, with an array of numbers."
        )
    said = safe(str(error).partition("\n")[0].rstrip("."))[:LONGEST]
    way = way_out(value, name)
    instead = f"Pass {way}." if way else "Pass a numpy array, or a list of numbers."
    return f"{name} ({kind}) is not an array of numbers: {said}.\n  {instead}"


def not_numbers(value: Any, array: np.ndarray, name: str) -> str:
    """The message for what numpy reads, and not as real numbers."""
    kind, holds = array.dtype.kind, f"{name} has dtype {array.dtype}, which holds"
    if kind == "c":
        return f"{holds} complex numbers: pass np.real({name}) and np.imag({name}) as two inputs."
    if kind == "M":
        return (
            f"{holds} dates: convert them to numbers first, such as days:\n"
            f"  ({name} - {name}.min()) / np.timedelta64(1, 'D')."
        )
    if kind == "m":
        return (
            f"{holds} time spans: convert them to numbers first, such as seconds:\n"
            f"  {name} / np.timedelta64(1, 's')."
        )
    if array.dtype.names:
        return (
            f"{holds} records: pass the fields as columns of one array,\n"
            f"  np.stack([{name}[field] for field in {name}.dtype.names], axis=-1)."
        )
    if kind in "OUST":
        return _objects_or_text(value, array, name, holds)
    way = way_out(array, name)
    if way:
        return f"{name} has dtype {array.dtype}, which numpy does not calculate in.\n  Pass {way}."
    return f"{name} has dtype {array.dtype}; pass an array of float64 or float32."


def _objects_or_text(value: Any, array: np.ndarray, name: str, holds: str) -> str:
    words = f"{holds} {'Python objects' if array.dtype.kind == 'O' else 'text'}"
    if array.ndim == 0 and array.dtype.kind == "O":
        return _no_array(value, name)
    if _all_numbers(array):
        return f"{words}: convert it to numbers first, np.asarray({name}, dtype=float)."
    index = next(i for i in np.ndindex(array.shape) if not _is_number(array[i]))
    at = f"{name}[{','.join(map(str, index))}]" if index else name
    entry = array[index]
    if np.ndim(entry):
        return f"{words}: {at} has {len(entry)} entries.\n  Give every row the same length."
    if entry is None or entry != entry:
        return f"{words}: {at} is {entry}, a missing value.\n  Fill it, or leave its row out."
    shown = safe(repr(entry.item() if isinstance(entry, np.generic) else entry))[:40]
    return f"{words}: {at} is {shown}.\n  Write a number for it; number classes 0, 1, 2, …."


def _is_number(entry: Any) -> bool:
    return np.ndim(entry) == 0 and _all_numbers(entry)


def _all_numbers(entries: Any) -> bool:
    try:
        with np.errstate(all="ignore"):
            return bool(np.isfinite(np.asarray(entries, dtype=float)).all())
    except (TypeError, ValueError, OverflowError):
        return False


def _no_array(value: Any, name: str) -> str:
    """The message for one Python object that is no array."""
    kind = type_of(value)
    if value is None:
        return f"{name} is None.\n  Pass an array of numbers."
    if isinstance(value, Mapping):
        return f"{name} is {kind}, not an array.\n  Pass its values: list({name}.values())."
    if isinstance(value, Set):
        return f"{name} is {kind}, which has no order.\n  Pass sorted({name})."
    if isinstance(value, Iterable):
        return f"{name} is {kind}, not an array.\n  Pass list({name})."
    if _all_numbers(value):
        return f"{name} is {kind}, not an array.\n  Pass float({name})."
    return f"{name} is {kind}, not an array.\n  Pass an array of numbers."
