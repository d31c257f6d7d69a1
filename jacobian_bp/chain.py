"""The chain rule as one einsum over whole Jacobians, and what each order costs.

    reverse   ((A B) C) D   from the output: a row stays a row
    forward   A (B (C D))   from the variable: a column stays a column
    auto      what opt_einsum's planner finds

A block of several paths (a skip connection) is one operand; the contractions
inside it are counted with the rest.

Rule of counting: one pairwise contraction costs as many multiplications as
there are values of all its axes together: (m×k)(k×n) costs m·k·n.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import opt_einsum

from .arrays import quiet
from .axes import Axis
from .contraction import evaluate
from .errors import JacobianError
from .graph import Link, Node
from .jacobian import Jacobian
from .memory import format_bytes, require_memory
from .symbols import for_stream, to_ascii
from .symbols import shape as show

ORDERS = ("reverse", "forward", "auto")
EXACT_PLANNER_UP_TO = 40  # operands; beyond it opt_einsum plans greedily
MOST_SHOWN = 12


@dataclass(frozen=True)
class Product:
    """One pairwise contraction of the plan: result = left · right."""

    left: str
    right: str
    result: str
    shape: tuple[int, ...]
    multiplications: int

    def __str__(self) -> str:
        return (
            f"{self.left} · {self.right} = {self.result}, shape {show(self.shape)}: "
            f"{self.multiplications:,} multiplications"
        )


@dataclass(frozen=True)
class Chain:
    """The einsum of a whole chain in one order; printing it prints the plan."""

    name: str
    order: str
    equation: str
    operands: tuple[tuple[str, tuple[int, ...]], ...]
    products: tuple[Product, ...]
    inside: int  # how many of the products, the first ones, lie inside blocks
    itemsize: int

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the operands, from the output to the variable."""
        return tuple(shape for _, shape in self.operands)

    @property
    def multiplications(self) -> int:
        return sum(product.multiplications for product in self.products)

    @property
    def largest_intermediate(self) -> int:
        """Entries of the largest array that a contraction gives."""
        return max((math.prod(p.shape) for p in self.products), default=0)

    @property
    def brackets(self) -> str:
        """The plan as a bracketed product: ((A B) C) D."""
        text = {name: name for name, _ in self.operands}
        last = self.operands[-1][0] if self.operands else "0"
        for p in self.products[self.inside :]:
            text[p.result] = f"({text[p.left]} {text[p.right]})"
            last = p.result
        return text.get(last, last)

    def text(self, ascii_only: bool = False) -> str:
        """The equation, the operands, the plan and its cost."""
        lines = [
            f"{self.name}, {self.order} order, a chain of {len(self.operands):,} whole Jacobians",
            f"  einsum   {_shortened(self.equation)}",
        ]
        width = max((len(name) for name, _ in self.operands), default=0)
        lines += _ends([f"  operand  {name:<{width}}  {show(s)}" for name, s in self.operands])
        lines += _ends([f"  product  {product}" for product in self.products])
        largest = self.largest_intermediate
        lines.append(
            f"  cost     {self.multiplications:,} multiplications; largest intermediate "
            f"{largest:,} entries, {format_bytes(largest * self.itemsize)}"
        )
        text = "\n".join(lines)
        return to_ascii(text) if ascii_only else text

    def __str__(self) -> str:
        return for_stream(self.text())


@dataclass(frozen=True)
class Operand:
    """A factor of the einsum while it is planned: a run of the chain and its axes."""

    of: str
    wrt: str
    axes: tuple[str, ...]
    place: int

    @property
    def name(self) -> str:
        return f"∂{self.of}/∂{self.wrt}"

    def times(self, other: "Operand") -> "Operand":
        """The contraction of two operands: what both have is summed."""
        left, right = sorted((self, other), key=lambda operand: operand.place)
        axes = [a for a in left.axes if a not in right.axes]
        axes += [a for a in right.axes if a not in left.axes]
        return Operand(left.of, right.wrt, tuple(axes), left.place)


def plan(jacobian: Jacobian, order: str = "reverse") -> Chain:
    """The chain of `jacobian` in one order, counted from shapes; nothing is built."""
    parts = segments(jacobian)
    operands, sizes = _operands(parts)
    products = [product for part in parts for product in _inside(part)]
    inside = len(products)
    for left, right, result in _pairs(operands, sizes, order):
        cost = math.prod(sizes[axis] for axis in {*left.axes, *right.axes})
        shape = tuple(sizes[axis] for axis in result.axes)
        products.append(Product(left.name, right.name, result.name, shape, cost))
    return Chain(
        jacobian.name,
        order,
        _equation(operands),
        tuple((o.name, tuple(sizes[a] for a in o.axes)) for o in operands),
        tuple(products),
        inside,
        jacobian.dtype.itemsize,
    )


@quiet
def contract_full(jacobian: Jacobian, order: str = "reverse") -> np.ndarray:
    """The whole Jacobian from whole local Jacobians, by opt_einsum in the given order.

    Raises MemoryLimitError, before anything is built, naming the first array of
    the plan that is too large.
    """
    parts = segments(jacobian)
    if not parts:
        return np.zeros(jacobian.shape, jacobian.dtype)
    operands, sizes = _operands(parts)
    pairs = list(_pairs(operands, sizes, order))
    arrays_to_come = [(p.result, p.shape) for part in parts for p in _inside(part)]
    for operand in [*operands, *(result for _, _, result in pairs)]:
        arrays_to_come.append((operand.name, tuple(sizes[a] for a in operand.axes)))
    for name, shape in arrays_to_come:
        require_dense(name, shape, jacobian.dtype)
    arrays = {o.axes: _whole(part) for o, part in zip(operands, parts, strict=True)}
    for left, right, result in pairs:
        arrays[result.axes] = _contracted(
            arrays.pop(left.axes), left.axes, arrays.pop(right.axes), right.axes, result.axes
        )
    (array,) = arrays.values()
    return array


def require_dense(name: str, shape: Sequence[int], dtype: np.dtype) -> None:
    """MemoryLimitError with the routes that need no such array."""
    instead = 'Use run.gradients(route="structured") or run.gradients(route="vjp").'
    require_memory(name, shape, dtype.itemsize, instead)


def segments(jacobian: Jacobian) -> list[Jacobian]:
    """The chain cut at every value that all paths cross.

    Between two neighbouring cuts lies one local Jacobian, or a block of several
    paths (a skip connection) that add up.
    """
    last = len(jacobian.nodes) - 1
    links = sorted(jacobian.links, key=lambda link: link.target)
    below, above = {0: 1}, {last: 1}
    for link in links:
        below[link.source] = below.get(link.source, 0) + below.get(link.target, 0)
    for link in sorted(links, key=lambda link: -link.source):
        above[link.target] = above.get(link.target, 0) + above.get(link.source, 0)
    total = below.get(last, 0)
    cuts = [p for p in range(last + 1) if total and below.get(p, 0) * above.get(p, 0) == total]
    parts, start = [], 0
    for first, final in pairwise(cuts):
        inside = []
        while start < len(links) and links[start].target < final:
            inside.append(links[start])
            start += 1
        parts.append(_segment(jacobian, first, final, inside))
    return parts


def whole_link(link: Link, nodes: Sequence[Node], dtype: np.dtype) -> np.ndarray:
    """One local Jacobian as a dense array, its structural zeros placed."""
    names = (*link.out, *link.wrt)
    shape = (*nodes[link.target].shape, *nodes[link.source].shape)
    require_dense(f"∂{nodes[link.target].name}/∂{nodes[link.source].name}", shape, dtype)
    sizes = dict(zip(names, shape, strict=True))
    return evaluate(link.expression, names, sizes, dtype).astype(dtype, copy=False)


def times_whole(row: np.ndarray, local: np.ndarray, rank: int) -> np.ndarray:
    """Contract the last `rank` axes of `row` with the first of `local`."""
    left = tuple(range(row.ndim))
    kept = row.ndim - rank
    right = (*left[kept:], *range(row.ndim, row.ndim + local.ndim - rank))
    result = (*left[:kept], *right[rank:])
    return np.asarray(opt_einsum.contract(row, left, local, right, result))


def _segment(jacobian: Jacobian, first: int, final: int, links: list[Link]) -> Jacobian:
    used = sorted({first, final, *(p for link in links for p in (link.target, link.source))})
    position = {p: i for i, p in enumerate(used)}
    moved = tuple(
        replace(link, target=position[link.target], source=position[link.source]) for link in links
    )
    nodes = tuple(jacobian.nodes[p] for p in used)
    out = tuple(map(Axis, moved[0].out, nodes[0].shape))
    wrt = tuple(map(Axis, moved[-1].wrt, nodes[-1].shape))
    return Jacobian(nodes, moved, out, wrt, jacobian.dtype)


def _inside(part: Jacobian) -> list[Product]:
    """The contractions within a block: each path from the output down; none where it is local."""
    found = []
    for link in sorted(part.links, key=lambda link: link.target):
        if link.target:
            between, source = part.nodes[link.target], part.nodes[link.source]
            shape = (*part.nodes[0].shape, *source.shape)
            cost = math.prod(shape) * math.prod(between.shape)
            left, right = f"∂{part.of}/∂{between.name}", f"∂{between.name}/∂{source.name}"
            found.append(Product(left, right, f"∂{part.of}/∂{source.name}", shape, cost))
    return found


def _whole(part: Jacobian) -> np.ndarray:
    """A segment as a dense array; the paths of a block are contracted and added."""
    if part.is_local:
        return whole_link(part.links[0], part.nodes, part.dtype)
    found: dict[int, np.ndarray] = {}
    for link in sorted(part.links, key=lambda link: link.target):
        array = whole_link(link, part.nodes, part.dtype)
        if link.target:
            array = times_whole(found[link.target], array, len(link.out))
        found[link.source] = found[link.source] + array if link.source in found else array
    return found[len(part.nodes) - 1]


def _contracted(
    left: np.ndarray,
    left_axes: tuple[str, ...],
    right: np.ndarray,
    right_axes: tuple[str, ...],
    axes: tuple[str, ...],
) -> np.ndarray:
    """One pairwise contraction, with letters that start again at a for each pair."""
    letters: dict[str, int] = {}
    for axis in (*left_axes, *right_axes):
        letters.setdefault(axis, len(letters))

    def word(names: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(letters[name] for name in names)

    contracted = opt_einsum.contract(left, word(left_axes), right, word(right_axes), word(axes))
    return np.asarray(contracted)


def _operands(parts: Sequence[Jacobian]) -> tuple[list[Operand], dict[str, int]]:
    """The segments with one symbol for each axis, shared where two segments meet."""
    sizes: dict[str, int] = {}

    def symbols(count: Sequence[Axis]) -> tuple[str, ...]:
        found = []
        for axis in count:
            symbol = opt_einsum.get_symbol(len(sizes))
            sizes[symbol] = axis.size
            found.append(symbol)
        return tuple(found)

    operands, bond = [], symbols(parts[0].out_axes) if parts else ()
    for place, part in enumerate(parts):
        following = symbols(part.wrt_axes)
        operands.append(Operand(part.of, part.wrt, bond + following, place))
        bond = following
    return operands, sizes


def _pairs(
    operands: Sequence[Operand], sizes: dict[str, int], order: str
) -> Iterator[tuple[Operand, Operand, Operand]]:
    """(left, right, product) in the order in which they are contracted."""
    if order not in ORDERS:
        raise JacobianError(f"order {order!r} is unknown.\n  Write one of {', '.join(ORDERS)}.")
    if order == "auto":
        yield from _planned(list(operands), sizes)
        return
    run = list(operands)
    while len(run) > 1:
        at = 0 if order == "reverse" else len(run) - 2
        product = run[at].times(run[at + 1])
        yield run[at], run[at + 1], product
        run[at : at + 2] = [product]


def _planned(
    run: list[Operand], sizes: dict[str, int]
) -> Iterator[tuple[Operand, Operand, Operand]]:
    if len(run) < 2:
        return
    optimize = "dp" if len(run) <= EXACT_PLANNER_UP_TO else "greedy"
    shapes = [tuple(sizes[a] for a in operand.axes) for operand in run]
    path, _ = opt_einsum.contract_path(_equation(run), *shapes, shapes=True, optimize=optimize)
    for pair in path:
        chosen = sorted((run.pop(p) for p in sorted(pair, reverse=True)), key=lambda o: o.place)
        product = chosen[0]
        for other in chosen[1:]:
            earlier, product = product, product.times(other)
            yield earlier, other, product
        run.append(product)


def _equation(operands: Sequence[Operand]) -> str:
    result = operands[0] if operands else Operand("", "", (), 0)
    for operand in operands[1:]:
        result = result.times(operand)
    return ",".join("".join(o.axes) for o in operands) + "->" + "".join(result.axes)


def _shortened(equation: str, most: int = 70) -> str:
    if len(equation) <= most:
        return equation
    return f"{equation[: most // 2]} … {equation[-most // 4 :]}  ({len(equation):,} characters)"


def _ends(lines: list[str]) -> list[str]:
    """The first and the last of many lines, and how many were left out."""
    if len(lines) <= MOST_SHOWN:
        return lines
    left_out = f"           … {len(lines) - MOST_SHOWN + 1:,} more …"
    return [*lines[: MOST_SHOWN - 3], left_out, *lines[-2:]]
