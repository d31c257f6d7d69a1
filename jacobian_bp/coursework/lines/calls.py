"""Calls in a line: numpy's functions, methods of arrays, and functions that say what they are."""

import ast
import re
from collections.abc import Callable
from typing import Any, NoReturn

from . import literals
from .array_calls import PARAMETERS as ARRAY_CALLS
from .array_calls import array_call
from .function_names import function_of
from .refusals import FUNCTIONS, cut, refuse, unknown
from .tree import Node

NUMPY = {  # how numpy calls it -> the operation, and how many arrays it takes
    "dot": ("dot", 2),
    "matmul": ("@", 2),
    "multiply": ("*", 2),
    "add": ("+", 2),
    "subtract": ("-", 2),
    "divide": ("/", 2),
    "greater": (">", 2),
    "greater_equal": (">=", 2),
    "less": ("<", 2),
    "less_equal": ("<=", 2),
    "maximum": ("maximum", 2),
    "minimum": ("minimum", 2),
    "heaviside": ("heaviside", 2),
    "equal": ("==", 2),
    "not_equal": ("!=", 2),
    "outer": ("outer", 2),
    "kron": ("kron", 2),
    "where": ("where", 3),
    "sum": ("sum", 1),
    "mean": ("mean", 1),
    "max": ("max", 1),
    "amax": ("max", 1),
    "min": ("min", 1),
    "var": ("var", 1),
    "std": ("std", 1),
    "reshape": ("reshape", 1),
    "diag": ("diag", 1),
    "transpose": ("T", 1),
    "tanh": ("tanh", 1),
    "exp": ("exp", 1),
    "log": ("log", 1),
    "log1p": ("log1p", 1),
    "expm1": ("expm1", 1),
    "sinh": ("sinh", 1),
    "cosh": ("cosh", 1),
    "reciprocal": ("reciprocal", 1),
    "sqrt": ("sqrt", 1),
    "absolute": ("abs", 1),
    "abs": ("abs", 1),
    "sign": ("sign", 1),
    "negative": ("neg", 1),
    "ones_like": ("ones_like", 1),
    "zeros_like": ("zeros_like", 1),
}
METHODS = {
    "dot": ("dot", 2),
    "mm": ("@", 2),
    "matmul": ("@", 2),
    "sum": ("sum", 1),
    "mean": ("mean", 1),
    "max": ("max", 1),
    "min": ("min", 1),
    "var": ("var", 1),
    "std": ("std", 1),
    "reshape": ("reshape", 1),
    "transpose": ("T", 1),
    "t": ("T", 1),
}
REDUCING = ("sum", "mean", "max", "min", "var", "std")
MODULES = ("np", "numpy", "jnp", "torch")
MOVING = ("squeeze", "swapaxes", "unsqueeze", "view")  # methods, too
AXES = {"axis": "axis", "dim": "axis", "keepdims": "keepdims", "keepdim": "keepdims"}
JOINING = {"hstack": 1, "vstack": 0, "concatenate": 0, "column_stack": 1}  # and their axis
SAME = frozenset(
    ["array", "asarray", "int64", "int32", "float64", "float32", "copy"]
)  # the same numbers
FLAT = ("ravel", "flatten")
SIZED = ("ones", "eye", "identity")
OTHERS = ("einsum", "power", "square", "clip", *SAME, *JOINING, *FLAT, *SIZED, *ARRAY_CALLS)

Read = Callable[[ast.expr, str, int], Node]


class Calls:
    """Reads one call; what it is given is read by `read`, one level deeper."""

    def __init__(self, text: str, depth: int, read: Read) -> None:
        self.text, self.depth, self.read = text, depth, read

    def of(self, tree: ast.Call) -> Node:
        match tree.func:
            case ast.Name(id="len") if len(tree.args) == 1 and not tree.keywords:
                return Node("size", (self._arg(tree.args[0]),), "0", style="len(")
            case ast.Name(id=function) if function in FUNCTIONS and not tree.keywords:
                return self._plain(tree, function, f"{function}(", 1)
            case ast.Attribute(value=ast.Name(id=module), attr=attr) if module in MODULES:
                return self._of_numpy(tree, attr)
            case ast.Attribute(value=ast.Attribute(ast.Name("np" | "numpy"), inner), attr=attr) if (
                f"{inner}.{attr}" in ("linalg.norm", "add.reduce")
            ):
                return array_call(tree, attr, None, self._arg, self.text)
            case ast.Attribute(
                value=ast.Attribute(ast.Name("np" | "numpy"), "multiply"), attr="outer"
            ):
                left, right = self._two(tree)
                style = f"{ast.unparse(tree.func)}({{}}, {{}})"
                return Node("tensordot", (left, right), "", (("axes", 0),), style)
            case ast.Attribute(value=value, attr=attr) if attr in MOVING:
                return array_call(tree, attr, value, self._arg, self.text)
            case ast.Attribute(value=value, attr="reshape" | "transpose") if self._reads_sizes(
                tree
            ):
                return self._sized_by_arrays(tree, value)
            case ast.Attribute(value=value, attr=attr) if attr in METHODS:
                return self._plain(tree, METHODS[attr][0], ".", METHODS[attr][1], value, attr)
            case ast.Attribute(value=value, attr="astype" | "float" | "copy" | "clip" as attr):
                return self._method(tree, value, attr)
            case ast.Attribute(value=value, attr="ravel" | "flatten") if not tree.args:
                return Node("reshape", (self._arg(value),), "", (("shape", (-1,)),), ".")
            case ast.Name(id=function) if function_of(function) or _is_error(function):
                return self._named(tree, function, function)
            case ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr=attr) if (
                function_of(attr) or _is_error(attr)
            ):
                return self._named(tree, attr, f"{ast.unparse(owner)}.{attr}")
            case ast.Attribute(attr=attr):
                unknown(attr, METHODS, ".{}()")
            case ast.Name(id=function):
                unknown(function, FUNCTIONS, "{}()")
        self._refuse(tree)

    def _arg(self, tree: ast.expr) -> Node:
        return self.read(tree, self.text, self.depth)

    def _two(self, tree: ast.Call) -> tuple[Node, Node]:
        if len(tree.args) != 2 or tree.keywords:
            self._refuse(tree)
        return self._arg(tree.args[0]), self._arg(tree.args[1])

    def _refuse(self, tree: ast.expr) -> NoReturn:
        shown = ast.get_source_segment(self.text, tree) or type(tree).__name__
        refuse(f"'{cut(shown)}' is not read here.", "Write such as np.dot(d2.T, a1).")

    # ---------------------------------------------------------------- numpy

    def _of_numpy(self, tree: ast.Call, attr: str) -> Node:
        if attr == "einsum":
            return self._einsum(tree)
        if attr in ("power", "square"):
            return self._power(tree, attr)
        if attr in SAME and len(tree.args) == 1:
            return Node("same", (self._arg(tree.args[0]),), f"np.{attr}(", style="np")
        if attr in JOINING:
            return self._joined(tree, attr)
        if attr in FLAT and len(tree.args) == 1:
            return Node(
                "reshape", (self._arg(tree.args[0]),), "", (("shape", (-1,)),), "np.reshape("
            )
        if attr in SIZED and len(tree.args) == 1 and not tree.keywords:
            return self._sized(tree.args[0], attr)
        if attr == "clip" and len(tree.args) == 3:
            return self._clipped(tree.args[0], tree.args[1:])
        if attr in ("reshape", "transpose") and self._reads_sizes(tree):
            return self._sized_by_arrays(tree, None)
        if attr in ARRAY_CALLS and attr not in NUMPY:
            return array_call(tree, attr, None, self._arg, self.text)
        if attr in NUMPY:
            operation, count = NUMPY[attr]
            return self._plain(tree, operation, f"np.{attr}(", count)
        unknown(attr, [*NUMPY, *OTHERS], "np.{}")

    def _plain(
        self,
        tree: ast.Call,
        operation: str,
        style: str,
        count: int,
        owner: ast.expr | None = None,
        method: str = "",
    ) -> Node:
        """A function of `count` arrays and the options that it has."""
        given = [*([owner] if owner is not None else []), *tree.args]
        arrays, rest = given[:count], given[count:]
        options: dict[str, Any] = {}
        if operation == "reshape" and rest:
            options["shape"] = literals.shape(rest, self.text)
        elif operation in REDUCING and len(rest) == 1:
            options["axis"] = literals.axis(rest[0], self.text)
        elif rest:
            arrays = given
        for keyword in tree.keywords:
            if operation not in REDUCING or keyword.arg not in AXES:
                shown = f"{style.rstrip('(')}{method or operation if style == '.' else ''}"
                refuse(
                    f"{shown} takes no {keyword.arg or '**'} here.",
                    "Only sums and means take axis and keepdims.",
                )
            key = AXES[keyword.arg]
            literal = literals.axis if key == "axis" else literals.truth
            options[key] = literal(keyword.value, self.text)
        if len(arrays) != count or (operation == "reshape" and "shape" not in options):
            refuse(
                f"'{cut(ast.get_source_segment(self.text, tree) or operation)}' is given "
                f"{len(given)} of what it needs.",
                f"{operation} takes {count} array{'s' * (count > 1)}"
                + (" and a shape, such as d2.reshape(-1, 1)." if operation == "reshape" else "."),
            )
        args = tuple(self._arg(array) for array in arrays)
        written = method if style == "." and method != operation else ""
        return Node(operation, args, written, tuple(options.items()), style)

    def _reads_sizes(self, tree: ast.Call) -> bool:
        """Whether a shape is not of plain numbers, or a transpose names its axes."""
        if isinstance(tree.func, ast.Attribute) and tree.func.attr == "transpose":
            is_function = isinstance(tree.func.value, ast.Name) and tree.func.value.id in MODULES
            return len(tree.args) > is_function
        return any(isinstance(part, ast.Name | ast.Attribute) for part in _sizes_of(tree))

    def _sized_by_arrays(self, tree: ast.Call, owner: ast.expr | None) -> Node:
        """reshape(m, -1), reshape(b2.shape); transpose(1, 0), which is .T of two axes."""
        assert isinstance(tree.func, ast.Attribute)
        if tree.func.attr == "reshape":
            return array_call(tree, "reshape", owner, self._arg, self.text)
        array, *rest = [owner, *tree.args] if owner is not None else tree.args
        order = literals.shape(rest, self.text)
        if order not in ((1, 0), (0, 1)):
            refuse(f"the order {order} is not read here.", "Write .T, or np.swapaxes(d2, 0, 1).")
        inner = self._arg(array)
        if order == (0, 1):
            return inner
        shown = f"({order[0]}, {order[1]})"
        style = f"{{}}.transpose{shown}" if owner is not None else f"np.transpose({{}}, {shown})"
        return Node("swapaxes", (inner,), "", (("axis1", 0), ("axis2", 1)), style)

    def _power(self, tree: ast.Call, function: str) -> Node:
        """np.power(a2, 3) and np.square(a2) as a2**3 and a2**2."""
        args = [self._arg(arg) for arg in tree.args]
        if len(args) != (2 if function == "power" else 1) or tree.keywords:
            usual = "np.power(a2, 2)" if function == "power" else "np.square(a2)"
            refuse(f"np.{function} is not given what it takes.", f"Write {usual}, or a2**2.")
        exponent = args[1] if function == "power" else Node("number", text="2")
        literals.require_small_power(exponent)
        return Node("**", (args[0], exponent))

    def _einsum(self, tree: ast.Call) -> Node:
        match tree.args:
            case [ast.Constant(value=str() as subscripts), *arrays] if arrays and not tree.keywords:
                plain = subscripts.replace(" ", "")
                if re.fullmatch(r"[A-Za-z]*(,[A-Za-z]*)*(->[A-Za-z]*)?", plain):
                    args = tuple(self._arg(array) for array in arrays)
                    return Node("einsum", args, plain, style="np.einsum(")
        refuse(
            "np.einsum takes a string of letters, then arrays.", 'Write np.einsum("nk,ki->ni", …).'
        )

    def _joined(self, tree: ast.Call, attr: str) -> Node:
        """np.hstack((a, b)) and its like: arrays side by side along an axis."""
        parts = tree.args[0] if tree.args else None
        options = {keyword.arg: keyword.value for keyword in tree.keywords}
        extra = tree.args[1:]
        fits = isinstance(parts, ast.Tuple | ast.List) and parts.elts and len(extra) < 2
        if not fits or set(options) - {"axis"} or (attr != "concatenate" and (options or extra)):
            usual = (
                "np.concatenate([b1, W1], axis=1)"
                if attr == "concatenate"
                else (f"np.{attr}((np.ones((m, 1)), x))")
            )
            refuse(f"np.{attr} is not given what it takes.", f"Write such as {usual}.")
        axis = JOINING[attr]
        written = [*extra, *options.values()]
        if written:
            axis = literals.integer(written[0], self.text)
        args = tuple(self._arg(part) for part in parts.elts)  # type: ignore[union-attr]
        return Node("join", args, attr, (("axis", axis),), f"np.{attr}(")

    def _sized(self, tree: ast.expr, attr: str) -> Node:
        """np.ones((m, 1)), np.eye(n_2): an array by its sizes, which may be those of others."""
        sizes = tree.elts if isinstance(tree, ast.Tuple) else [tree]
        if attr != "ones" and isinstance(tree, ast.Tuple):
            refuse(f"np.{attr} takes one size.", f"Write such as np.{attr}(n_2).")
        args = tuple(self._arg(size) for size in sizes)
        return Node("ones" if attr == "ones" else "eye", args, attr, style=f"np.{attr}(")

    # ------------------------------------------------------- methods, and functions by name

    def _method(self, tree: ast.Call, value: ast.expr, attr: str) -> Node:
        if attr == "clip":
            return self._clipped(value, tree.args)
        if len(tree.args) != (attr == "astype") or tree.keywords:
            self._refuse(tree)
        inside = ast.unparse(tree.args[0]) if tree.args else ""
        if inside and not re.fullmatch(r"(np\.)?\w+|'\w+'", inside):
            self._refuse(tree)
        return Node("same", (self._arg(value),), f"{attr}({inside})", style=".")

    def _clipped(self, value: ast.expr, limits: list[ast.expr]) -> Node:
        """a.clip(0) as np.maximum(a, 0); with an upper limit, np.minimum of that."""
        if not 1 <= len(limits) <= 2:
            refuse("clip takes a lower limit, or a lower and an upper one.", "Write z1.clip(0).")
        found = self._arg(value)
        for op, limit in zip(("maximum", "minimum"), limits, strict=False):
            if not (isinstance(limit, ast.Constant) and limit.value is None):
                found = Node(op, (found, self._arg(limit)), style=f"np.{op}(")
        return found

    def _named(self, tree: ast.Call, word: str, written: str) -> Node:
        """sigmoid_prime(z1), nonlin(l1, deriv=True), relu_backward(dA1, Z1)."""
        options = [keyword for keyword in tree.keywords if keyword.arg is not None]
        asked = any(k.arg.startswith("deriv") and _is_true(k.value) for k in options if k.arg)
        args = list(tree.args)
        if len(args) == 2 and _is_true(args[1]):
            asked, args = True, args[:1]
        known = all((k.arg or "").startswith("deriv") or k.arg in AXES for k in tree.keywords)
        if not known or not 1 <= len(args) <= 2:
            self._refuse(tree)
        kept: list[tuple[str, Any]] = [("derivative", True)] if asked else []
        for keyword in options:
            key = AXES.get(keyword.arg or "")
            if key:
                literal = literals.axis if key == "axis" else literals.truth
                kept.append((key, literal(keyword.value, self.text)))
        given = ast.unparse(tree)[len(ast.unparse(tree.func)) + 1 : -1].split(", ")[len(args) :]
        text = ", ".join(given) if asked else ""
        arrays = tuple(self._arg(arg) for arg in args)
        return Node("function", arrays, text, tuple(kept), f"{written}(")


def _sizes_of(tree: ast.Call) -> list[ast.expr]:
    """What may be the sizes of a reshape: all behind the array."""
    is_function = isinstance(tree.func, ast.Attribute) and (
        isinstance(tree.func.value, ast.Name) and tree.func.value.id in MODULES
    )
    rest = tree.args[is_function:]
    found: list[ast.expr] = []
    for part in rest:
        found += part.elts if isinstance(part, ast.Tuple | ast.List) else [part]
    return [*found, *(part.func for part in found if isinstance(part, ast.Call))]


def _is_error(word: str) -> bool:
    """cost_derivative(a2, y) is a2 − y."""
    return bool(re.fullmatch(r"(cost|loss)_(deriv\w*|prime|grad\w*)", word.lower()))


def _is_true(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and tree.value is True
