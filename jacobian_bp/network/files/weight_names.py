"""The names of weights in a file, as W1, b1, W2, b2, ….

W1, b1, W2, b2                    the names of this package
0.weight, 0.bias, 2.weight, …     PyTorch's, with any prefix: net.0.weight, fc1.weight
"""

import re
from collections.abc import Callable, Mapping, Sequence

from ...writing.signs import dims, nearest, safe
from .paths import brief

OWN = re.compile(r"([Wb])([1-9][0-9]{0,5})")
TORCH = re.compile(r"(?:(.{1,200})\.)?(weight|bias)")
NEARLY = re.compile(r"(w|weight|weights|kernel|b|bias|biases)[_.]?([1-9][0-9]{0,5})(\.npy)?")
ADVICE = "Name the arrays W1, b1, W2, b2, …, or as PyTorch does: 0.weight, 0.bias, 2.weight, …."
MOST_LINES = 20

Shapes = Mapping[str, tuple[int, ...]]
Names = Callable[[Shapes, bool], tuple[dict[str, str], list[str]]]


def own_names(shapes: Shapes, by_width: bool) -> tuple[dict[str, str], list[str]]:
    """The name of this package for each stored name, in order, and what is wrong, a line each.

    >>> own_names({"fc2.bias": (1,), "fc2.weight": (1, 4), "fc10.weight": (2, 1),
    ...            "fc10.bias": (2,)}, False)[0]
    {'fc2.weight': 'W1', 'fc2.bias': 'b1', 'fc10.weight': 'W2', 'fc10.bias': 'b2'}

    Layers whose names differ by numbers alone are in the order of the numbers.
    Others are in the order of the file, or, `by_width`, in the one order in
    which the outputs of a layer are as many as the inputs of the next.
    """
    own = [name for name in shapes if OWN.fullmatch(name)]
    torch = [name for name in shapes if TORCH.fullmatch(name)]
    known = {*own, *torch}
    wrong = [name for name in shapes if name not in known]
    lines = []
    if own and torch:
        lines.append(
            f"mixed: {own[0]} is a name of this package, {brief(torch[0])} one of PyTorch's"
        )
    if torch and not own:
        layers = list(dict.fromkeys(layer_of(name) for name in torch))
        ordered, trouble = _order(layers, shapes, by_width and not wrong)
        lines += trouble
        expected = {
            joined(layer, kind): f"{letter}{number}"
            for number, layer in enumerate(ordered, start=1)
            for kind, letter in (("weight", "W"), ("bias", "b"))
        }
    else:
        # one number beyond the count of names is a gap already
        last = min(max((int(name[1:]) for name in own), default=0), len(own) + 1)
        expected = {f"{letter}{n}": f"{letter}{n}" for n in range(1, last + 1) for letter in "Wb"}
    missing = [name for name in expected if name not in shapes]
    if not shapes:
        lines.append("it holds no array")
    lines += [
        f"unknown: {brief(name)}{_guess(name, missing[:40]) if place < MOST_LINES else ''}"
        for place, name in enumerate(wrong)
    ]
    if not (own and torch):
        lines += [f"missing: {safe(name)}" for name in missing]
    beyond = [name for name in own if name not in expected] if not torch else []
    lines += [f"missing: the layers before {name}" for name in beyond]
    return {name: plain for name, plain in expected.items() if name in shapes}, lines


def shorten(lines: Sequence[str]) -> list[str]:
    """A list as it may stand in a message: the first twenty, and how many more.

    >>> shorten(["a"] * 30)[-1]
    '… and 10 more'
    """
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"… and {more:,} more"] if more > 0 else [])]


def layer_of(name: str) -> str:
    """The layer of one of PyTorch's names.

    >>> layer_of("net.0.weight"), layer_of("weight")
    ('net.0', '')
    """
    return name.rpartition(".")[0]


def joined(layer: str, kind: str) -> str:
    """The name that PyTorch gives a layer's weight or bias."""
    return f"{layer}.{kind}" if layer else kind


def layers_in_order(layers: Sequence[str]) -> list[str] | None:
    """Layers whose names differ by numbers alone, in the order of these; None for others.

    >>> layers_in_order(["net.10", "net.2"]), layers_in_order(["conv", "head"])
    (['net.2', 'net.10'], None)
    """
    if len({re.sub(r"\d+", "#", layer) for layer in layers}) != 1:
        return None
    return sorted(layers, key=lambda layer: [int(n) for n in re.findall(r"\d+", layer)])


def _order(layers: list[str], shapes: Shapes, by_width: bool) -> tuple[list[str], list[str]]:
    """The layers from input to output."""
    by_number = layers_in_order(layers)
    if by_number is not None:
        return by_number, []
    if not by_width:
        return layers, []
    sizes = {layer: shapes.get(joined(layer, "weight"), ()) for layer in layers}
    if any(len(size) != 2 for size in sizes.values()):
        return layers, []  # said elsewhere
    after = {size[1]: layer for layer, size in sizes.items()}  # by its inputs
    outputs = {size[0] for size in sizes.values()}
    ordered = [layer for layer, size in sizes.items() if size[1] not in outputs][:1]
    while ordered and len(ordered) < len(layers) and sizes[ordered[-1]][0] in after:
        ordered.append(after[sizes[ordered[-1]][0]])
    if len(after) == len(layers) == len(set(ordered)):
        return ordered, []
    shown = ", ".join(f"{brief(layer)} {dims(size)}" for layer, size in list(sizes.items())[:6])
    return layers, [
        f"the order of the layers is not known: {shown}; "
        ".safetensors files are sorted by name, so number the layers"
    ]


def _guess(name: str, missing: Sequence[str]) -> str:
    match = NEARLY.fullmatch(name.lower())
    if match:
        return f"; did you mean {'W' if match[1][0] in 'wk' else 'b'}{match[2]}?"
    close = nearest(name, missing, 0.7) if len(name) < 100 else None
    return f"; did you mean {brief(close)}?" if close else ""
