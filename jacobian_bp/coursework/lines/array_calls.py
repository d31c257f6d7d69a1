"""Calls that move, join or contract axes: np.insert, np.c_, np.tensordot, np.expand_dims, .view.

Each becomes a node whose style is how it is written, with {} for each array, and whose options
are what it does.
"""

import ast
from collections.abc import Callable
from typing import Any

from . import literals
from .refusals import refuse
from .tree import Node

Read = Callable[[ast.expr], Node]
PARAMETERS: dict[str, tuple[str, ...]] = {  # behind the array, as numpy calls them
    "insert": ("obj", "values", "axis"),
    "delete": ("obj", "axis"),
    "append": ("values", "axis"),
    "tensordot": ("b", "axes"),
    "expand_dims": ("dim",),
    "unsqueeze": ("dim",),
    "squeeze": ("axis",),
    "swapaxes": ("axis1", "axis2"),
    "moveaxis": ("source", "destination"),
    "atleast_2d": (),
    "diagflat": (),
    "inner": ("b",),
    "vdot": ("b",),
    "norm": (),
    "broadcast_to": ("shape",),
    "tile": ("reps",),
    "reshape": ("newshape",),
    "view": ("newshape",),
    "reduce": ("axis", "keepdims"),
}
USUAL = {
    "insert": "np.insert(a1, 0, 1, axis=1)",
    "delete": "np.delete(W2, 0, axis=1)",
    "append": "np.append(np.ones((m, 1)), a1, axis=1)",
    "tensordot": "np.tensordot(d2, a1, axes=(0, 0))",
    "expand_dims": "np.expand_dims(d2, 1)",
    "unsqueeze": "d2.unsqueeze(1)",
    "swapaxes": "np.swapaxes(d2, 0, 1)",
    "moveaxis": "np.moveaxis(d2, 0, 1)",
    "inner": "np.inner(d2, a1)",
    "vdot": "np.vdot(d2, d2)",
    "broadcast_to": "np.broadcast_to(b2, z2.shape)",
    "tile": "np.tile(b2, (m, 1))",
    "reduce": "np.add.reduce(d2, axis=0)",
}
SIZES, SHAPED = ("shape", "newshape", "reps"), ("reshape", "view")
WITH_ARRAYS = {"insert": "values", "append": "values", "tensordot": "b", "inner": "b", "vdot": "b"}
NEEDED = ("obj", "values", "b", "dim", "axis1", "axis2", "source", "destination", *SIZES)


def array_call(
    tree: ast.Call, function: str, owner: ast.expr | None, read: Read, text: str
) -> Node:
    """The node of such a call; SpecError where it is not given what it takes."""
    names, called = PARAMETERS[function], ast.unparse(tree.func)
    first, *rest = [*([owner] if owner is not None else []), *tree.args] or [tree.func]
    if function in SHAPED and len(rest) > 1:
        rest = [ast.Tuple(rest, ast.Load())]
    given = [(name, value, "") for name, value in zip(names, rest, strict=False)]
    given += [(k.arg or "", k.value, f"{k.arg}=") for k in tree.keywords]
    known = [name for name, _, _ in given]
    lacks = [name for name in names if name in NEEDED and name not in known]
    if first is tree.func or lacks or set(known) - set(names) or len(rest) > len(names):
        usual = USUAL.get(function, f"{called}(d2)")
        refuse(f"{called} is not given what it takes.", f"Write such as {usual}.")
    arrays, options, parts = [read(first)], dict[str, Any](), []
    for name, value, lead in given:
        if name == WITH_ARRAYS.get(function):
            arrays.append(read(value))
            shown = "{}"
        elif name in SIZES:
            more, shown = _sizes(value, read)
            arrays += more
            options["like"] = shown == "{}.shape"
        else:
            options[name] = _literal(name, value, text)
            shown = ast.unparse(value)
        parts.append(lead + shown)
    begun = f"{{}}.{tree.func.attr}(" if owner is not None else f"{called}("  # type: ignore[attr-defined]
    inside = ", ".join(parts if owner is not None else ["{}", *parts])
    return Node(function, tuple(arrays), "", tuple(options.items()), f"{begun}{inside})")


def joined(tree: ast.Subscript, attr: str, read: Read) -> Node:
    """np.c_[np.ones(m), a1] and np.r_[b2[None, :], W2]."""
    parts = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    shown = f"{ast.unparse(tree.value)}[{', '.join(['{}'] * len(parts))}]"
    return Node(
        "join", tuple(map(read, parts)), attr, (("axis", -1 if attr == "c_" else 0),), shown
    )


def _sizes(value: ast.expr, read: Read) -> tuple[list[Node], str]:
    """The arrays that say a shape: those of z2.shape, or of (m, 1)."""
    if isinstance(value, ast.Attribute) and value.attr == "shape":
        return [read(value.value)], "{}.shape"
    if not isinstance(value, ast.Tuple | ast.List):
        return [read(value)], "{}"
    sizes = [read(size) for size in value.elts]
    return sizes, f"({', '.join(['{}'] * len(sizes))}{',' * (len(sizes) == 1)})"


def _literal(name: str, value: ast.expr, text: str) -> Any:
    if name == "keepdims":
        return literals.truth(value, text)
    if name == "axes" and isinstance(value, ast.Tuple | ast.List):
        sides = [
            [literals.integer(one, text) for one in side.elts]
            if isinstance(side, ast.Tuple | ast.List)
            else [literals.integer(side, text)]
            for side in value.elts
        ]
        return tuple(map(tuple, sides))
    return literals.axis(value, text)
