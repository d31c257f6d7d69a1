"""H down a chain of layers, and each block of two parameters by it.

Where every path to the cost goes through z3, then z2, then z1,

    H_32 = H_33 ∂z3/∂z2
    H_22 = (∂z3/∂z2)ᵀ H_33 ∂z3/∂z2 + the rows that bend between z2 and z3

with H_lm = ∂²J/∂z_l∂z_m. A parameter adds one Jacobian on its side, and the rows in which it
is itself multiplied: ∂²J/∂p∂q = (∂z/∂p)ᵀ H ∂z/∂q + those.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from ..algebra import chain_rule
from ..algebra.expression import Dense, Expression
from ..algebra.nodes_and_links import Link, identity
from ..algebra.products.spending import written
from ..curvature.doubled_graph import DoubledGraph
from ..curvature.hessian import MOST_PATHS, Hessian, block_of, slope_axes
from ..numbers.rounding import largest
from ..program.forward_pass import Pass
from ..program.step import Step
from .convention import Convention
from .jacobian_numbers import LARGEST_BUILT
from .second_ledger import BendRow, Between, Block
from .second_parts import Parts

Key = tuple[str, frozenset[int]]  # of a row: the step that bends, and by which of its inputs

MOST_ROWS = 4  # of a block that are written out; of more their numbers say which
LONGEST = 240  # signs of a block's formula in its indices


def heads_of(state: Pass, steps: Sequence[Step], graph: DoubledGraph) -> list[str]:
    """The values that parameters are read into and by which J bends, from the cost down."""
    params = set(state.program.params)
    found = [step.name for step in steps if params.intersection(step.args)]
    return [
        name for name in found if any(block_of(state, graph, name, other).links for other in found)
    ]


def is_chain(heads: Sequence[str], steps: Sequence[Step], cost: str) -> bool:
    """Whether every path from each of the heads to the cost goes through the one before it."""
    return all(cost not in above(lower, steps, without=upper) for upper, lower in pairwise(heads))


def above(name: str, steps: Sequence[Step], without: str = "") -> set[str]:
    """The value, and all that is computed from it on paths that avoid `without`."""
    found = {name}
    for step in reversed(steps):
        if step.name != without and found.intersection(step.args):
            found.add(step.name)
    return found


def from_the_cost_down(
    steps: Sequence[Step], params: Sequence[str], heads: Sequence[str]
) -> list[str]:
    """The parameters, those that are read nearest to the cost first; a penalty reads none apart."""

    def place(name: str) -> tuple[int, int]:
        reads = [
            (heads.index(s.name), s.args.index(name))
            for s in steps
            if name in s.args and s.name in heads
        ]
        return min(reads, default=(len(heads), 0))

    return sorted((p for p in params if any(p in step.args for step in steps)), key=place)


def between_heads(
    state: Pass,
    steps: Sequence[Step],
    graph: DoubledGraph,
    heads: Sequence[str],
    rows: Sequence[BendRow],
    layout: str,
) -> Iterator[Between]:
    """H_lm of each two heads, as it follows from the one above it, as a matrix.

    In a `layout` that has the variable's axes first each matrix is turned round, and so is the
    order of a product.
    """
    is_turned = layout == "gradient"
    matrix = "flat_column" if layout == "flat_column" else "flat"
    for place, lower in enumerate(heads):
        for other, upper in enumerate(heads[: place + 1]):
            block = block_of(state, graph, upper, lower)
            value = block.materialise(matrix) if block.size <= LARGEST_BUILT else None
            if other < place:
                before = heads[place - 1]
                sides = [[label(upper, before, state.cost), f"∂{before}/∂{lower}"]]
            else:
                sides = _diagonal(state, steps, heads, place, block, rows)
            if is_turned and value is not None:
                value = value.T
            terms = [" ".join(side[::-1] if is_turned else side) for side in sides]
            yield Between(f"{label(upper, lower, state.cost)} = {' + '.join(terms) or '0'}", value)


def _diagonal(
    state: Pass,
    steps: Sequence[Step],
    heads: Sequence[str],
    place: int,
    block: Hessian,
    rows: Sequence[BendRow],
) -> list[list[str]]:
    """The terms of H_ll: what comes through the layer above, and what bends on the way to it."""
    lower, sides, covered = heads[place], list[list[str]](), set[str]()
    if place:
        upper = heads[place - 1]
        covered = above(upper, steps)
        step = f"∂{upper}/∂{lower}"
        sides.append([f"({step})ᵀ", label(upper, upper, state.cost), step])
    keys = {bend.key for bend in block.bends if not covered.intersection(bend.bent.inputs)}
    for row in rows:
        if row.key in keys:
            u, v = row.inputs
            left, right = (f"∂{x}/∂{lower}" if x != lower else "" for x in (u, v))
            factors = [f"({left})ᵀ" if left else "", row.with_what_comes_back, right]
            term = [factor for factor in factors if factor]
            sides += [term] if u == v else [term, ["that transposed"]]
    return sides


def label(first: str, second: str, cost: str) -> str:
    """H32 for ∂²J/∂z3∂z2, H10,9 where a number has two digits; else it is written out."""
    if not all(re.fullmatch(r"z\d+", name) for name in (first, second)):
        return f"∂²{cost}/∂{first}²" if first == second else f"∂²{cost}/∂{first}∂{second}"
    numbers = first[1:], second[1:]
    return "H" + ("" if max(map(len, numbers)) < 2 else ",").join(numbers)


def labels_in(heads: Sequence[str], convention: Convention) -> dict[str, str]:
    """H33 as somebody writes it who counts the layers from another number: H44."""
    numbers = {name: int(name[1:]) for name in heads if re.fullmatch(r"z\d+", name)}
    moved = convention.first - 1
    return {
        label(p, q, ""): label(f"z{numbers[p] + moved}", f"z{numbers[q] + moved}", "")
        for p in numbers
        for q in numbers
        if moved
    }


def blocks_of(
    state: Pass,
    steps: Sequence[Step],
    graph: DoubledGraph,
    names: Sequence[str],
    heads: Sequence[str],
    rows: Sequence[BendRow],
    parts: Parts | None,
    layout: str,
) -> Iterator[Block]:
    """Each two parameters, from the cost down; by the H of `heads`, or by the rows without them.

    `parts` are the whole matrix's Gauss-Newton part and the rest, where they are built.
    """
    numbers, known = {row.key: row.number for row in rows}, {row.key: row for row in rows}
    for place, q in enumerate(names):
        for p in names[: place + 1]:
            block = block_of(state, graph, p, q)
            if not block.links:
                continue
            sizes = _sizes(block, parts)
            sides = _by_heads(state, graph, p, q, heads) if heads else []
            direct = block.direct if heads else block
            if direct.links:
                sides += _by_rows(direct, steps, known, is_turned=layout == "gradient")
            reached = tuple(sorted({numbers[bend.key] for bend in block.bends}))
            shape = block.shape_in(layout)
            yield Block(
                block.name, " + ".join(sides), reached, shape, block.structural_nonzeros, *sizes
            )


def _by_rows(
    block: Hessian, steps: Sequence[Step], rows: Mapping[Key, BendRow], is_turned: bool
) -> list[str]:
    """Each row of the block in its indices; where these are many, as a product of matrices.

    (∂u/∂p)ᵀ [row] ∂v/∂q + (∂v/∂p)ᵀ [row]ᵀ ∂u/∂q
    """
    own = block.rows
    if len(own) > MOST_ROWS:
        return [f"{len(own)} rows"]
    formulas = [row.formula for row in own]
    is_long = sum(map(len, formulas)) > LONGEST or any(row.paths > MOST_PATHS for row in own)
    if not is_long or block.value in block.by:
        return formulas
    p, q = block.by
    from_p, from_q = above(p, steps), above(q, steps)
    found: list[list[str]] = []
    for row in own:
        told = rows[row.bends[0].key]
        u, v = told.inputs
        middle = told.with_what_comes_back
        orders = [(u, v, middle)]
        if u != v:
            orders.append((v, u, f"({middle})ᵀ" if " " in middle else f"{middle}ᵀ"))
        for first, second, between in orders:
            if first in from_p and second in from_q:
                left = "" if first == p else f"(∂{first}/∂{p})ᵀ"
                right = "" if second == q else f"∂{second}/∂{q}"
                found.append([part for part in (left, between, right) if part])
    return [" ".join(term[::-1] if is_turned else term) for term in found]


def _sizes(block: Hessian, parts: Parts | None) -> list[float | None]:
    """The largest entries of the two parts of a block, in size."""
    if parts is None:
        return [_size(part) for part in (block.gauss_newton, block.residual)]
    rows, columns = (parts.places[name] for name in block.by)
    return [largest(part[rows, columns]) for part in (parts.gauss_newton, parts.residual)]


def _size(part: Hessian) -> float | None:
    """The largest entry in size; None of what is too large to be built without being asked for."""
    if not part.links:
        return 0.0
    return largest(part.materialise()) if part.size <= LARGEST_BUILT else None


def _by_heads(state: Pass, graph: DoubledGraph, p: str, q: str, heads: Sequence[str]) -> list[str]:
    """(∂s/∂p)ᵀ H ∂r/∂q for each s that reads p and r that reads q."""
    found = []
    out = slope_axes(state, graph.of, p)
    start, end = graph.slope(p), graph.value(q)
    places = {graph.slope(name): name for name in heads}
    sources = {graph.value(name): name for name in heads}
    for left in [link for link in graph.links if link.target == start and link.source in places]:
        for right in [k for k in graph.links if k.source == end and k.target in sources]:
            s, r = places[left.source], sources[right.target]
            middle = block_of(state, graph, s, r)
            if not middle.links:
                continue
            nodes = [graph.nodes[i] for i in (start, left.source, right.target, end)]
            letters = nodes[1].plain, nodes[2].primed
            array = np.broadcast_to(0.5, middle.shape)  # its name is written, its numbers are not
            between = Expression.of(Dense(label(s, r, graph.of), (*letters[0], *letters[1]), array))
            links = [
                Link(0, 1, left.out, left.wrt, left.expression),
                Link(1, 2, *letters, between),
                Link(2, 3, right.out, right.wrt, right.expression),
            ]
            begin = identity([axis.name for axis in out], nodes[0].primed)
            product = chain_rule.written_out(nodes, links, begin, out, [])
            found.append(written(product, [*(axis.name for axis in out), *nodes[3].primed]))
    return found


def added_as_they_are(
    state: Pass, steps: Sequence[Step], names: Sequence[str], heads: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """(b3, z3): parameters that one step reads, and whose Jacobian there is the identity."""
    for name in names:
        readers = [step.name for step in steps for arg in step.args if arg == name]
        alone = len(readers) == 1 and readers[0] in heads
        if alone and state.local_jacobian(readers[0], name).structure == "identity":
            yield name, readers[0]
