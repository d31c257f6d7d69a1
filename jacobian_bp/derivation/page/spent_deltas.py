"""From a row times a tensor to an outer product: the same cells, stage after stage.

    (10)  ∂J/∂W2 = ∂J/∂z2 ∂z2/∂W2                      a number above each slice
    (11)         = δ2 ∂z2/∂W2                           the row has a name
    (12)         = Σ_k δ2[k] δ[k,k'] a1[i']             a sum over the slices
    (12)         = δ2[k'] a1[i']                        of each slice its survivors are left
    (13)         = δ2 a1ᵀ                               multiplied out, then added up

The numbers of the equations are the first seed's. Of a batch, and where several products
arrive, each example and each product leaves a matrix of its own; in the end they are added.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from ...algebra.axes import Axis
from ...algebra.expression import Delta
from ...algebra.jacobian import Jacobian
from ...writing.signs import plural
from ..ledger import GradientStep
from .places import GAP, ROOM, Head

MOST_CELLS = 900
ABOVE = 1.5  # from the number above a slice to the slice


@dataclass(frozen=True)
class Frame:
    """A cell at one stage; without a value it is zero for every input, or it has gone."""

    x: float
    y: float
    value: float | None
    gone: bool = False
    multiplied: bool = False  # a product, whose colour goes by the size of the others


@dataclass(frozen=True)
class Stage:
    """A number of the first seed, the equation, and what happens; the names of its heads."""

    number: str
    equation: str
    words: str
    heads: tuple[Head, ...] = ()


@dataclass
class Spent:
    """The stages; each cell, an entry or a number of the error, with a frame for each stage."""

    stages: list[Stage]
    entries: list[list[Frame]] = field(default_factory=list)
    errors: list[list[Frame]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Slice:
    """∂z[k]/∂W as a matrix, where it can be other than zero, and the number before it."""

    matrix: np.ndarray
    possible: np.ndarray
    error: float
    label: str  # k = 0
    group: tuple[int, ...]  # whose survivors stand in one matrix
    title: str  # of that matrix: n = 0


def spent_deltas(step: GradientStep) -> Spent | None:
    """The stages of a gradient; None where they are no picture of it, or too large a one."""
    shape = tuple(axis.size for axis in step.axes)
    matrix = (shape[0], int(np.prod(shape[1:], dtype=np.int64))) if len(shape) > 1 else (1, -1)
    count = sum(_size(product) for product in step.products)
    if not step.products or not count or count > MOST_CELLS:
        return None
    slices = list[_Slice]()
    for place, jacobian in enumerate(step.products):
        if len(jacobian.links) > 2:
            return None
        slices += _slices(jacobian, place, len(step.products), matrix)
    groups = list(dict.fromkeys(each.group for each in slices))
    return _staged(step, slices, groups)


def _size(jacobian: Jacobian) -> int:
    between = jacobian.nodes[1].shape if len(jacobian.links) == 2 else ()
    return int(np.prod([*between, *jacobian.shape], dtype=np.int64))


def _slices(jacobian: Jacobian, place: int, products: int, matrix: tuple[int, int]) -> list[_Slice]:
    """The local Jacobian by each entry of its output, each with its number."""
    node, last = jacobian.nodes[-2], jacobian.nodes[-1]
    link = jacobian.links[-1]
    is_first = len(jacobian.links) == 1
    out = () if is_first else tuple(map(Axis, link.out, node.shape))
    wrt = tuple(map(Axis, link.wrt, last.shape))
    local = Jacobian.local(node.name, last.name, out, wrt, link.expression, jacobian.dtype)
    value, possible = local.materialise(finite=False), local.can_be_nonzero()
    error = np.ones(())
    if not is_first:
        before = jacobian.links[0]
        by = tuple(map(Axis, before.wrt, node.shape))
        row = Jacobian.local(jacobian.of, node.name, (), by, before.expression, jacobian.dtype)
        error = row.materialise(finite=False)
    kept = [n for n, axis in enumerate(out) if axis.name not in _spent(local)]
    found = []
    for index in np.ndindex(*(axis.size for axis in out)):
        named = [f"{axis.name} = {at}" for axis, at in zip(out, index, strict=True)]
        label, title = (
            f"{node.name}: {words}" if products > 1 and words else words or node.name
            for words in (", ".join(named), ", ".join(named[n] for n in kept))
        )
        part, mask = value[index].reshape(matrix), possible[index].reshape(matrix)
        group = (place, *(index[n] for n in kept))
        found.append(_Slice(part, mask, float(error[index]), label, group, title))
    if any(
        np.sum([s.possible for s in found if s.group == g], axis=0).max() > 1
        for g in {s.group for s in found}
    ):  # survivors of two slices would stand on each other
        return [replace(s, group=(*s.group, n), title=s.label) for n, s in enumerate(found)]
    return found


def _spent(local: Jacobian) -> set[str]:
    """The output axes on which a delta stands, in every term."""
    own = {axis.name for axis in local.wrt_axes}
    each = [
        {a for f in term.of(Delta) for a in f.axes if own & {*f.axes} and a not in own}
        for term in local.links[0].expression.terms
    ]
    return set.intersection(*each) if each else set()


def _staged(
    step: GradientStep, slices: Sequence[_Slice], groups: Sequence[tuple[int, ...]]
) -> Spent:
    tall, wide = slices[0].matrix.shape
    told = _stages(step, slices, groups)
    names = [stage for stage, *_ in told]
    spent = Spent([])
    spread = _grid(len(slices), wide, tall + ABOVE + 1.2)
    joined = _grid(len(groups), wide + 1.5, tall + 2.2)
    result = np.reshape(step.value, (tall, wide)).astype(float)
    heads: dict[str, list[Head]] = {"slices": [], "joined": []}
    heads["times"] = heads["joined"]
    never = ~np.any([each.possible for each in slices], axis=0)  # a zero of the gradient too
    first: set[tuple[int, int]] = set()
    for (x, y), each in zip(spread, slices, strict=True):
        gx, gy = joined[groups.index(each.group)]
        gx, gy = gx + 1.5, gy + 1.4
        heads["slices"].append(Head(x, y, each.label, {}, True))
        frames = {"slices": Frame(x, y + 0.9, each.error)}
        at = _beside(each, gx, gy)
        frames["joined"] = Frame(*at, each.error)
        frames["times"] = frames["sum"] = Frame(*at, each.error, True)
        spent.errors.append([frames[name] for name in names])
        for (row, column), value in np.ndenumerate(each.matrix):
            here, there = (x + column, y + 0.9 + ABOVE + row), (gx + column, gy + row)
            is_first = (row, column) not in first
            target = joined[0][0] + 1.5 + column, joined[0][1] + 1.4 + row
            if not each.possible[row, column]:
                stays = bool(never[row, column]) and is_first
                frames = {"slices": Frame(*here, None), "joined": Frame(*there, None, not stays)}
                frames["times"] = frames["joined"]
                frames["sum"] = Frame(*target, None, not stays)
            else:
                frames = {"slices": Frame(*here, float(value))}
                frames["joined"] = Frame(*there, float(value))
                product = float(value) * each.error
                frames["times"] = Frame(*there, product, multiplied=True)
                total = float(result[row, column])
                frames["sum"] = Frame(*target, total, not is_first, multiplied=True)
            if each.possible[row, column] or never[row, column]:
                first.add((row, column))
            spent.entries.append([frames[name] for name in names])
    for group, (x, y) in zip(groups, joined, strict=True):
        title = next(each.title for each in slices if each.group == group)
        if len(groups) > 1:
            heads["joined"].append(Head(x + 1.5, y, title, {}, True))
    spent.stages = [
        Stage(number, equation, words, tuple(heads.get(kind, ())))
        for kind, number, equation, words in told
    ]
    return spent


def _beside(each: _Slice, x: float, y: float) -> tuple[float, float]:
    """Where the number of a slice stands: left of its one row, or above its columns."""
    rows, columns = (
        np.nonzero(each.possible.any(axis=1))[0],
        np.nonzero(each.possible.any(axis=0))[0],
    )
    if len(each.matrix) > 1 and len(rows) == 1:
        return x - 1.4, y + float(rows[0])
    if len(columns) == 1:
        return x + float(columns[0]), y - 1.2
    return x - 1.4, y


def _grid(count: int, wide: float, tall: float) -> list[tuple[float, float]]:
    """Places for so many parts, a few beside each other."""
    beside = max(1, min(count, int((ROOM + GAP) // (wide + GAP))))
    if count > beside:  # the last row about as long as the others
        beside = -(-count // -(-count // beside))
    return [(n % beside * (wide + GAP), n // beside * (tall + GAP / 2)) for n in range(count)]


def _stages(
    step: GradientStep, slices: Sequence[_Slice], groups: Sequence[tuple[int, ...]]
) -> list[tuple[str, str, str, str]]:
    """For each stage where its cells stand, its number, its equation and its words."""
    axes = ",".join(axis.name for axis in step.axes)
    head = f"{step.name}[{axes}]" if axes else step.name
    chains = [_chain(product) for product in step.products]
    kind = "slice" if len(slices[0].matrix) > 1 else "row"
    many = len(slices) > 1
    weighed = (
        f"Each {kind} is multiplied by the number above it, and the {kind}s are added."
        if many
        else "One number, times what stands below it."
    )
    found = [
        (
            "slices",
            "(10)",
            f"{step.name} = {' + '.join(whole for whole, _ in chains)}",
            f"The chain rule. {weighed}",
        )
    ]
    if any(whole != named for whole, named in chains):
        signs = " and ".join(
            dict.fromkeys(_sign(product) for product in step.products if len(product.links) == 2)
        )
        found.append(
            (
                "slices",
                "(11)",
                f"{step.name} = {' + '.join(named for _, named in chains)}",
                f"The error was computed on the way down: {signs}.",
            )
        )
    reading = (
        f"Entry by entry: a sum with one part from each {kind}." if many else "Entry by entry."
    )
    found.append(("slices", "(12)", f"{head} = {step.before}", reading))
    if step.before != step.after:
        fades = any(not each.possible.all() for each in slices)
        moves = "What is zero for every input fades; what is left moves together." if fades else ""
        reason = f"{step.reason}." if step.reason else ""
        found.append(("joined", "(12)", f"{head} = {step.after}", f"{reason} {moves}".strip()))
    last = f"{step.name} = {step.textbook}"
    found.append(("times", "(13)", last, "Each entry is multiplied by its number."))
    if len(groups) > 1:
        found.append(
            (
                "sum",
                "(13)",
                last,
                f"The {plural(len(groups), 'matrix', 'matrices')} are added, entry by entry.",
            )
        )
    return found


def _chain(product: Jacobian) -> tuple[str, str]:
    """∂J/∂z2 ∂z2/∂W2, and the same with the error's name: δ2 ∂z2/∂W2."""
    nodes = [node.name for node in product.nodes]
    parts = [f"∂{a}/∂{b}" for a, b in pairwise(nodes)]
    named = [_sign(product), parts[-1]] if len(parts) == 2 else parts
    return " ".join(parts), " ".join(named)


def _sign(product: Jacobian) -> str:
    """δ2, or 1/5 δ2 where the share of an example is kept beside it."""
    (term, *_) = product.links[0].expression.terms
    bare = [getattr(factor, "label", "") for factor in term.factors]
    sign = " ".join(filter(None, bare))
    whole = str(product.links[0].expression)
    share, space, _ = whole.partition(" ")
    return f"{share} {sign}" if space and term.coefficient != 1 else sign
