"""X and Y out of an .npz or .npy file: found by their names, turned and flattened, and said so."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ....numbers.memory import require_memory
from ....writing.signs import dims, plural, safe
from ..paths import open_regular
from ..safe_npz import stored_npy, stored_npz
from ..stored import Stored
from .cells import MISSING, is_missing
from .encoding import in_order, said_of_classes, standardised
from .header import Named
from .options import OF_GAPS, OF_TEXT, TableOptions, quoted, refuse, require_unsaid
from .text import require_file_at_most

ARRAY_FILES = (".npz", ".npy")
PAIRS = (  # names of inputs and targets, without regard to capitals
    ("x", "y"),
    ("x_train", "y_train"),
    ("train_x", "train_y"),
    ("train_set_x", "train_set_y"),
    ("train_images", "train_labels"),
    ("data", "target"),
    ("data", "labels"),
    ("images", "labels"),
    ("features", "labels"),
    ("inputs", "targets"),
)
INSTEAD = 'Write it with np.savez("data.npz", X=X, Y=Y).'
MOST_SHOWN = 12
BYTE = 255.0
BYTES_A_TEXT = 200


@dataclass(frozen=True, eq=False)
class ArrayPair:
    """Inputs (m, i), targets (m,) or (m, k), and what was done to them."""

    x: np.ndarray
    y: np.ndarray
    input_name: str
    target_name: str
    remarks: tuple[str, ...]
    classes: tuple[str, ...] = ()  # of targets that are texts, in their order


def read_array_file(path: Path, target: Sequence[str], options: TableOptions) -> ArrayPair | Named:
    """The inputs and targets of a file of arrays; an .npy file is one table of numbers.

    Headers are read first, nothing of the file is run, and nothing large is built before
    it is admitted. Raises SpecError for what is damaged or can be read in two ways.
    """
    name = safe(path.name)
    gaps = OF_GAPS if path.suffix.lower() == ".npz" else ()
    require_unsaid(name, "arrays, no text", OF_TEXT, options)
    require_unsaid(name, "arrays without gaps", gaps, options)
    require_file_at_most(path, options)
    with open_regular(path, INSTEAD) as file:
        if path.suffix.lower() == ".npy":
            return _table(name, _loaded(name, "", stored_npy(file, name)))
        _require_archive(name, file)
        stored = stored_npz(file, name, INSTEAD, texts=True)
        inputs, targets = _pair(name, stored, target, options)
        x = _loaded(name, inputs, stored[inputs])
        y, classes = _targets(name, targets, stored[targets])
    pair = _as_pair(name, x, y, inputs, targets, options)
    if not classes:
        return pair
    y = pair.y.astype(np.int64)
    said = said_of_classes(targets, classes, y).replace("target column ", "target ")
    return replace(pair, y=y, classes=classes, remarks=(*pair.remarks, said))


def _require_archive(name: str, file: io.FileIO) -> None:
    if file.read(4) != b"PK\x03\x04":
        refuse(name, " is no archive of arrays.", (), INSTEAD)
    file.seek(0)


def _loaded(name: str, key: str, stored: Stored) -> np.ndarray:
    """The numbers of an array, none of them missing where it has a name among others."""
    who = f"{name}: {safe(key)}" if key else name
    is_text = stored.dtype is not None and stored.dtype.kind in "US"
    if stored.trouble or is_text:
        fact = f" {safe(stored.trouble) or 'holds texts'}."
        refuse(who, fact, (), "Save it as an array of numbers.")
    require_memory(who, stored.shape, 16, "Keep fewer examples.")
    array = stored.load()
    if key and array.dtype.kind == "f" and not np.isfinite(array).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        place = ",".join(map(str, at))
        fact = f" has {array[at]} at [{place}]."
        refuse(who, fact, (), "Fill it or leave the example out before you save.")
    return array


def _targets(name: str, key: str, stored: Stored) -> tuple[np.ndarray, tuple[str, ...]]:
    """The targets as numbers; texts as the numbers of their classes, which are told too."""
    if stored.trouble or stored.dtype is None or stored.dtype.kind not in "US":
        return _loaded(name, key, stored), ()
    who = f"{name}: {safe(key)}"
    require_memory(who, stored.shape, BYTES_A_TEXT, "Keep fewer examples.")
    array = stored.load()
    try:
        texts = [t if isinstance(t, str) else t.decode() for t in array.reshape(-1).tolist()]
    except (ValueError, SystemError):  # bytes that are no text, numbers that are no letters
        refuse(who, " holds bytes that are no text.", (), "Save the classes as text or numbers.")
    empty = next((place for place, text in enumerate(texts) if is_missing(text, MISSING)), None)
    if empty is not None:
        fact = f" has a missing text, {quoted(texts[empty])}, at [{empty}]."
        refuse(who, fact, (), "Fill it or leave the example out before you save.")
    classes = in_order(set(texts))
    index = {each: place for place, each in enumerate(classes)}
    return np.array([index[text] for text in texts]).reshape(array.shape), tuple(classes)


def _table(name: str, array: np.ndarray) -> Named:
    """An array of rows as a table without names."""
    if array.ndim != 2:
        refuse(
            name,
            f" holds one array of shape {dims(array.shape)}, which is no table of rows.",
            (),
            INSTEAD,
        )
    count = array.shape[1]
    if not array.size:
        refuse(name, f" has shape {dims(array.shape)}: nothing is in it.", (), INSTEAD)
    columns = [[repr(value) for value in column] for column in array.T.tolist()]
    names = [f"column {place}" for place in range(1, count + 1)]
    remarks = ["an array, columns numbered from 1"]
    lines = [*range(array.shape[0])]
    return Named(name, names, [True] * count, columns, lines, remarks, "row")


def _pair(
    name: str, stored: Mapping[str, Stored], target: Sequence[str], options: TableOptions
) -> tuple[str, str]:
    """The names of the inputs and of the targets, as said or as they are usually called."""
    shown = [f"{safe(k)}: {dims(s.shape)}" for k, s in stored.items()][:MOST_SHOWN]
    asked = (*options.columns[:1], *target[:1])
    for said in asked:
        if said not in stored:
            refuse(name, f" holds no array {safe(repr(said[:40]))}.", shown, "Name one of these.")
    low: dict[str, str] = {}
    for key in stored:
        low.setdefault(key.lower(), key)
    fits = [(low[a], low[b]) for a, b in PAIRS if a in low and b in low]
    if options.columns:
        fits = [(options.columns[0], b) for _, b in fits] or [(options.columns[0], "")]
    if target:
        fits = [(a, target[0]) for a, _ in fits if a != target[0]] or [("", target[0])]
    fits = list(dict.fromkeys(fits))
    if len(fits) == 1 and all(fits[0]):
        return fits[0]
    if len(stored) == 2 and len(asked) == 1:
        other = next(key for key in stored if key != asked[0])
        return (other, asked[0]) if target else (asked[0], other)
    told = (
        f"Say {options.way('columns', 'NAME')} for the inputs and {options.way('target', 'NAME')}."
    )
    refuse(name, ": which arrays are inputs and targets?", shown, told)


def _as_pair(
    name: str, x: np.ndarray, y: np.ndarray, inputs: str, targets: str, options: TableOptions
) -> ArrayPair:
    """Examples in rows, images laid out in rows, labels as a vector or as rows."""
    remarks = [
        f"{name}: inputs {safe(inputs)} {dims(x.shape)}, targets {safe(targets)} {dims(y.shape)}"
        f" ({options.way('columns')}, {options.way('target')})"
    ]
    if x.ndim < 2 or not x.size or y.ndim > 2 or not y.size:
        refuse(
            name,
            f": {safe(inputs)} has shape {dims(x.shape)}, {safe(targets)} {dims(y.shape)}.",
            ["inputs have one row, or one image, for each example; targets one number, or one row"],
            INSTEAD,
        )
    x, y, turned = _examples_first(name, x, y, inputs, targets)
    if turned:
        remarks.append(f"examples stood in columns, turned: x is {dims(x.shape)}")
    if x.ndim > 2:
        each = x.shape[1:]
        flat = math.prod(each)
        remarks.append(
            f"images {'×'.join(map(str, each))} flattened to rows of {flat}, last axis fastest"
        )
        x = x.reshape(len(x), flat)
    bytes_ = x.dtype == np.uint8
    x = x.astype(np.float64)
    if options.raw is False:
        x, same = standardised(x)
        text = f"{plural(len(same), 'input')} standardised to mean 0 and standard deviation 1"
        constant = f"; constant, hence 0: {same.count(True)} of them" if any(same) else ""
        remarks.append(text + constant)
    elif bytes_ and options.raw is None:
        x /= BYTE
        remarks.append(f"bytes from 0 to 255 divided by 255 ({options.way('raw', True)})")
    else:
        told = f" ({options.way('raw', False)})" if options.raw is None else ""
        remarks.append(f"inputs as they are, not standardised{told}")
    if options.drop or options.keep or options.category:
        refuse(name, " has no columns with names.", (), "Leave columns out before you save.")
    return ArrayPair(x, y.astype(np.float64), inputs, targets, tuple(remarks))


def _examples_first(
    name: str, x: np.ndarray, y: np.ndarray, inputs: str, targets: str
) -> tuple[np.ndarray, np.ndarray, bool]:
    """x and y with the examples along the first axis, as the sizes of both tell."""
    vector = y.ndim == 1 or 1 in y.shape
    count = y.size if vector else None
    rows = x.shape[0] == (count if vector else y.shape[0])
    columns = x.ndim == 2 and x.shape[-1] == (count if vector else y.shape[-1])
    if rows and columns and vector and y.ndim == 2:  # (m, 1) has its examples in rows, (1, m) not
        rows, columns = y.shape[1] == 1, y.shape[1] != 1
    if rows and columns and not vector:  # a row of weights for each example sums to 1
        rows, columns = _are_weights(y, 1), _are_weights(y, 0)
        rows, columns = rows or not columns, columns or not rows
    if rows and columns:
        refuse(
            name,
            f": {safe(inputs)} {dims(x.shape)}, {safe(targets)} {dims(y.shape)} fit in two ways.",
            ["one example a row", "one example a column"],
            f"Save one number for each example: {safe(targets)} of shape ({x.shape[0]}, 1) "
            f"says rows, (1, {x.shape[0]}) says columns.",
        )
    if not rows and not columns:
        refuse(
            name,
            ": inputs and targets are not of as many examples.",
            [
                f"{safe(inputs)} has shape {dims(x.shape)}",
                f"{safe(targets)} has shape {dims(y.shape)}",
            ],
            INSTEAD,
        )
    if columns:
        x = np.ascontiguousarray(x.T)
        y = y if vector else np.ascontiguousarray(y.T)
    return x, y.reshape(-1) if vector else y, columns


def _are_weights(y: np.ndarray, axis: int) -> bool:
    """Whether targets are weights of classes, which sum to 1 along an axis."""
    return bool((y >= 0).all() and (y.sum(axis=axis) == 1).all())
