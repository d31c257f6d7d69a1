"""The chain rule as one einsum over whole Jacobians, and what each order costs.

    reverse   ((A B) C) D   from the output: a row stays a row
    forward   A (B (C D))   from the variable: a column stays a column
    auto      the cheapest that a search finds

A block of several paths (a skip connection) is one operand; the contractions
inside it are counted with the rest.

Rule of counting: one pairwise contraction costs as many multiplications as
there are values of all its axes together: (m×k)(k×n) costs m·k·n.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import opt_einsum
from opt_einsum import paths

from ..algebra.axes import Axis, sized
from ..algebra.jacobian import Jacobian
from ..algebra.nodes_and_links import Link
from ..algebra.sum_over_paths import paths_from_output, paths_to_variable
from ..errors import JacobianError
from ..numbers.arrays import quiet
from ..numbers.memory import format_bytes
from ..writing.latex import formula
from ..writing.notebook import page
from ..writing.shown import Shown
from ..writing.signs import did_you_mean, dims, for_stream, to_ascii
from .full import Arrays, Bond, Whole, WholeAlgebra, sweep

ORDERS = ("reverse", "forward", "planned")
ALSO = {"auto": "planned"}  # another name of an order
EXACT_PLANNER_UP_TO = 40  # operands; beyond it an exact search takes too long
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
            f"{self.left} · {self.right} = {self.result}, shape {dims(self.shape)}: "
            f"{self.multiplications:,} multiplications"
        )


@dataclass(frozen=True)
class Chain(Shown):
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
        lines += _ends([f"  operand  {name:<{width}}  {dims(s)}" for name, s in self.operands])
        lines += _ends([f"  product  {product}" for product in self.products])
        largest = self.largest_intermediate
        lines.append(
            f"  cost     {self.multiplications:,} multiplications; largest intermediate "
            f"{largest:,} entries, {format_bytes(largest * self.itemsize)}"
        )
        text = "\n".join(lines)
        return to_ascii(text) if ascii_only else text

    def latex(self) -> str:
        """The bracketed product as LaTeX; of a long chain, its length."""
        return formula(self._product)

    @property
    def _product(self) -> str:
        count = len(self.operands)
        right = self.brackets if count <= MOST_SHOWN else f"{count:,} whole Jacobians"
        return f"{self.name} = {right}"

    def _repr_html_(self) -> str:
        return page(self._product, self.text().split("\n")[1:])

    def __str__(self) -> str:
        return for_stream(self.text())


@dataclass(frozen=True)
class ChainOperand:
    """A factor of the einsum while it is planned: a run of the chain and its axes.

    `place` and `end` are the first and the last segment in it, from the output.
    """

    of: str
    wrt: str
    axes: tuple[str, ...]
    place: int
    end: int

    @property
    def name(self) -> str:
        return f"∂{self.of}/∂{self.wrt}"

    def times(self, other: "ChainOperand") -> "ChainOperand":
        """The contraction of two operands: what both have is summed."""
        left, right = sorted((self, other), key=lambda operand: operand.place)
        axes = [a for a in left.axes if a not in right.axes]
        axes += [a for a in right.axes if a not in left.axes]
        last = max(left, right, key=lambda operand: operand.end)
        return ChainOperand(left.of, last.wrt, tuple(axes), left.place, last.end)


Pair = tuple[ChainOperand, ChainOperand, ChainOperand]  # left, right, and their product


def plan(jacobian: Jacobian, order: str = "reverse") -> Chain:
    """The chain of `jacobian` in one order, counted from shapes; nothing is built."""
    parts = segments(jacobian)
    operands, sizes = operands_of(parts)
    products = [product for part in parts for product in _inside(part)]
    inside = len(products)
    for left, right, result in pairs_of(operands, sizes, order):
        cost = _cost(left, right, sizes)
        shape = tuple(sizes[axis] for axis in result.axes)
        products.append(Product(left.name, right.name, result.name, shape, cost))
    return Chain(
        jacobian.name,
        require_order(order),
        _equation(operands),
        tuple((o.name, tuple(sizes[a] for a in o.axes)) for o in operands),
        tuple(products),
        inside,
        jacobian.dtype.itemsize,
    )


def equation_of(jacobian: Jacobian) -> str:
    """The einsum of the chain alone: ab,bc->ac, with no plan of it."""
    return _equation(operands_of(segments(jacobian))[0])


@quiet
def contract_full(jacobian: Jacobian, order: str = "reverse") -> np.ndarray:
    """The whole Jacobian from whole local Jacobians, by opt_einsum in the given order.

    Raises MemoryLimitError, before anything is built, naming the first array of
    the plan that is too large.
    """
    return contracted(Arrays(jacobian.dtype), jacobian, order)


def contracted(whole: WholeAlgebra[Whole], jacobian: Jacobian, order: str) -> Whole:
    """The chain of `jacobian`, contracted in the given order in any algebra of whole Jacobians.

    Each factor is built when it is first used, and let go when it was used.
    """
    parts = segments(jacobian)
    if not parts:
        return whole.zeros(jacobian.name, jacobian.shape)
    operands, sizes = operands_of(parts)
    pairs = list(pairs_of(operands, sizes, order))
    to_come = [(p.result, p.shape) for part in parts for p in _inside(part)]
    for operand in [*operands, *(result for _, _, result in pairs)]:
        to_come.append((operand.name, tuple(sizes[a] for a in operand.axes)))
    for name, shape in to_come:
        whole.require(name, shape)
    done: dict[int, Whole] = {}

    def take(operand: ChainOperand) -> Whole:
        if operand.place in done:
            return done.pop(operand.place)
        return _segment_whole(whole, parts[operand.place])

    for first, second, result in pairs:
        left, right = take(first), take(second)
        done[result.place] = whole.times(left, right, result.name, _bond(first, second, result))
        whole.let_go(left)
        whole.let_go(right)
        del left, right
    return take(operands[0])


def segments(jacobian: Jacobian) -> list[Jacobian]:
    """The chain cut at every value that all paths cross.

    Between two neighbouring cuts lies one local Jacobian, or a block of several
    paths (a skip connection) that add up.
    """
    last = len(jacobian.nodes) - 1
    links = sorted(jacobian.links, key=lambda link: link.target)
    before, after = paths_from_output(links, last), paths_to_variable(links, last)
    total = before.get(last, 0)
    cuts = [p for p in range(last + 1) if total and before.get(p, 0) * after.get(p, 0) == total]
    parts, start = [], 0
    for first, final in pairwise(cuts):
        inside = []
        while start < len(links) and links[start].target < final:
            inside.append(links[start])
            start += 1
        parts.append(_segment(jacobian, first, final, inside))
    return parts


def _segment(jacobian: Jacobian, first: int, final: int, links: list[Link]) -> Jacobian:
    used = sorted({first, final, *(p for link in links for p in (link.target, link.source))})
    position = {p: i for i, p in enumerate(used)}
    moved = tuple([link.between(position[link.target], position[link.source]) for link in links])
    nodes = tuple(jacobian.nodes[p] for p in used)
    out, wrt = sized(moved[0].out, nodes[0].shape), sized(moved[-1].wrt, nodes[-1].shape)
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


def _segment_whole(whole: WholeAlgebra[Whole], part: Jacobian) -> Whole:
    """A segment as one whole Jacobian; the paths of a block are contracted and added."""
    last = len(part.nodes) - 1
    return sweep(whole, part.nodes, part.links, (last,))[last]


def _bond(left: ChainOperand, right: ChainOperand, result: ChainOperand) -> Bond:
    """The axes of a product as numbers that start again at 0 for each pair."""
    letters: dict[str, int] = {}
    for axis in (*left.axes, *right.axes):
        letters.setdefault(axis, len(letters))

    def word(operand: ChainOperand) -> tuple[int, ...]:
        return tuple(letters[name] for name in operand.axes)

    return word(left), word(right), word(result)


def operands_of(parts: Sequence[Jacobian]) -> tuple[list[ChainOperand], dict[str, int]]:
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
        operands.append(ChainOperand(part.of, part.wrt, bond + following, place, place))
        bond = following
    return operands, sizes


def require_order(order: str) -> str:
    """The order by its own name, auto being planned; JacobianError for one that is unknown."""
    known = ALSO.get(order, order)
    if known not in ORDERS:
        raise JacobianError(
            f"order {order!r} is unknown.{did_you_mean(order, ORDERS)}\n"
            f"  Write one of {', '.join(ORDERS)}."
        )
    return known


def pairs_of(operands: Sequence[ChainOperand], sizes: dict[str, int], order: str) -> Iterator[Pair]:
    """(left, right, product) in the order in which they are contracted."""
    if require_order(order) == "planned":
        yield from _planned(operands, sizes)
        return
    run = list(operands)
    while len(run) > 1:
        at = 0 if order == "reverse" else len(run) - 2
        product = run[at].times(run[at + 1])
        yield run[at], run[at + 1], product
        run[at : at + 2] = [product]


def _planned(operands: Sequence[ChainOperand], sizes: dict[str, int]) -> list[Pair]:
    """The cheapest order: an exact search, or for a long chain the best of three."""
    if len(operands) <= EXACT_PLANNER_UP_TO:
        return _searched(operands, sizes, opt_einsum.DynamicProgramming())
    plans = [list(pairs_of(operands, sizes, order)) for order in ("reverse", "forward")]
    plans.append(_searched(operands, sizes, paths.greedy))
    return min(plans, key=lambda plan: sum(_cost(left, right, sizes) for left, right, _ in plan))


def _searched(operands: Sequence[ChainOperand], sizes: dict[str, int], planner: Any) -> list[Pair]:
    """The pairs that one of opt_einsum's planners chooses."""
    run = list(operands)
    if len(run) < 2:
        return []
    result = reduce(ChainOperand.times, run)
    found = []
    for pair in planner([frozenset(o.axes) for o in run], frozenset(result.axes), sizes):
        chosen = sorted((run.pop(p) for p in sorted(pair, reverse=True)), key=lambda o: o.place)
        product = chosen[0]
        for other in chosen[1:]:
            earlier, product = product, product.times(other)
            found.append((earlier, other, product))
        run.append(product)
    return found


def _cost(left: ChainOperand, right: ChainOperand, sizes: dict[str, int]) -> int:
    """Multiplications of one pairwise contraction."""
    return math.prod(sizes[axis] for axis in {*left.axes, *right.axes})


def _equation(operands: Sequence[ChainOperand]) -> str:
    result = operands[0] if operands else ChainOperand("", "", (), 0, 0)
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
