"""A line of a student's numpy as a tree, and back as text.

    d3 @ W3 * slope(z2)      *( @(d3, W3), slope(z2) )

A node is a value: equal trees are equal, and a corrected line is a new tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

PRECEDENCE = {">": 1, ">=": 1, "<": 1, "<=": 1, "==": 1, "!=": 1, "+": 2, "-": 2}
PRECEDENCE |= {"*": 3, "/": 3, "@": 3, "neg": 4, "**": 5}
ATOM = 6
NAMED = ("name", "number")
METHODS = ("sum", "mean", "reshape", "dot", "transpose")
SHORT = 44  # how much of an operand a message shows


@dataclass(frozen=True)
class Node:
    """One operation on its arguments; a name and a number have a text and no arguments.

    `style` is how the student wrote it: "np.dot(", a method ".", or "" for an operator; with {}
    for each argument it is the whole text.
    """

    op: str
    args: tuple["Node", ...] = ()
    text: str = ""
    options: tuple[tuple[str, Any], ...] = ()
    style: str = ""

    def option(self, name: str, default: Any = None) -> Any:
        """What was written for axis, keepdims or shape."""
        return dict(self.options).get(name, default)

    def __str__(self) -> str:
        return render(self)


def name(text: str) -> Node:
    """The tree that is one name."""
    return Node("name", text=text)


def turned(node: Node) -> Node:
    """The transpose; of a transpose, the array itself."""
    return node.args[0] if node.op == "T" else Node("T", (node,))


def product(op: str, left: Node, right: Node) -> Node:
    """left op right, where op is *, @ or outer."""
    return Node(op, (left, right), style="np.outer(" if op == "outer" else "")


def walk(node: Node) -> Iterator[Node]:
    """Every node, the arguments before what reads them."""
    for arg in node.args:
        yield from walk(arg)
    yield node


def names(node: Node) -> tuple[str, ...]:
    """The names that the line reads, each once, from left to right."""
    return tuple(dict.fromkeys(part.text for part in walk(node) if part.op == "name"))


def places(node: Node, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Node]]:
    """Every node with the way to it from the root."""
    yield path, node
    for position, arg in enumerate(node.args):
        yield from places(arg, (*path, position))


def put(root: Node, path: tuple[int, ...], new: Node) -> Node:
    """The tree with `new` at the end of `path`."""
    if not path:
        return new
    args = list(root.args)
    args[path[0]] = put(args[path[0]], path[1:], new)
    return replace(root, args=tuple(args))


def render(node: Node) -> str:
    """The line as Python text, with no more parentheses than it needs.

    >>> line = product("*", product("@", name("d3"), turned(name("W3"))), name("s"))
    >>> render(line), render(turned(line))
    ('d3 @ W3.T * s', '(d3 @ W3.T * s).T')
    """
    return _text(node)[0]


def short(node: Node, most: int = SHORT) -> str:
    """The text of a node for a message: the middle of a long one is left out."""
    text = render(node)
    if len(text) <= most:
        return text
    return text[: most // 2 - 1] + "…" + text[-(most // 2 - 1) :]


def _text(node: Node) -> tuple[str, int]:
    """The text, and how tightly it binds."""
    if node.op in NAMED:
        return node.text, ATOM
    if node.op == "T" and not node.style:
        return f"{_called(node.args[0])}.T", ATOM
    if node.op == "index":
        return f"{_called(node.args[0])}[{node.text}]", ATOM
    if node.op == "size":
        return _size(node), ATOM
    if node.op == "same":
        inner = _called(node.args[0]) if node.style == "." else render(node.args[0])
        return (f"{inner}.{node.text}" if node.style == "." else f"{node.text}{inner})"), ATOM
    if "{}" in node.style:
        first = _called if node.style.startswith("{}.") else render
        filled = [first(arg) if not place else render(arg) for place, arg in enumerate(node.args)]
        return node.style.format(*filled), ATOM
    if node.style == ".":
        called = _called(node.args[0])
        return f"{called}.{node.text or node.op}({_arguments(node, node.args[1:])})", ATOM
    if node.style:
        return f"{node.style}{_given(node)})", ATOM
    level = PRECEDENCE[node.op]
    if node.op == "neg":
        return f"-{_bound(node.args[0], level)}", level
    left, right = node.args
    if node.op == "**":
        return f"{_bound(left, level + 1)}**{_bound(right, level - 1)}", level
    return f"{_bound(left, level)} {node.op} {_bound(right, level + 1)}", level


def _given(node: Node) -> str:
    """What stands between the parentheses of a function."""
    words = ", ".join(map(render, node.args))
    match node.op:
        case "einsum":
            return _arguments(node, node.args, [f'"{node.text}"'])
        case "join":
            along = f", axis={node.option('axis')}" if node.text == "concatenate" else ""
            return f"({words}{',' * (len(node.args) == 1)}){along}"
        case "ones" if len(node.args) > 1:
            return f"({words})"
        case "function" if node.option("derivative"):
            return f"{words}, {node.text}"
    return _arguments(node, node.args)


def _size(node: Node) -> str:
    if node.style == "len(":
        return f"len({render(node.args[0])})"
    array = _called(node.args[0])
    return f"{array}.size" if node.style == ".size" else f"{array}.shape[{node.text}]"


def _bound(node: Node, least: int) -> str:
    text, level = _text(node)
    return f"({text})" if level < least else text


def _called(node: Node) -> str:
    """What stands in front of a dot; 2.T is no Python."""
    return f"({node.text})" if node.op == "number" else _bound(node, ATOM)


def _arguments(node: Node, args: tuple[Node, ...], first: list[str] | None = None) -> str:
    words = [*(first or []), *map(render, args)]
    for key, value in node.options:
        words.append(_sizes(value) if key == "shape" else f"{key}={value}")
    return ", ".join(words)


def _sizes(shape: tuple[int, ...]) -> str:
    return str(shape) if len(shape) != 1 else str(shape[0])
