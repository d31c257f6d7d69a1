"""From an op's structured Jacobian to the equation of a backward line: the deltas are spent.

    Σ_k δ[n,k] · δ[n,n'] δ[k,k'] σ'(z)[n,k]   becomes   δ[n,k] σ'(z)[n,k]

An einsum is its own equation, since its Jacobian comes multiplied out, which hides what is
inside. Of an op with a vjp only the Jacobian is swept out by unit vectors.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ....algebra.axes import BATCH, Axis, primed
from ....algebra.expression import Delta, Dense, Distinct, Expression
from ....algebra.expression import Term as Product
from ....algebra.positions.position_factors import At, Within
from ....numbers.rounding import largest
from ....ops import Einsum
from ....program.forward_pass import Pass
from .backward import Factor, Line
from .equation import CHOICE, DELTA, MASK, POSITION, Axes, Equation, Term

MOST_SWEPT = 128  # entries of one example's output: a vjp for each is asked for
MOST_ENTRIES = 200_000  # of a factor that is made here
MOST_PRODUCTS = 300_000_000  # of one term: more would take too long, once for each edit
SAME = 1e-6  # of the largest entry: by how much op and equation may differ


def equation_of(line: Line, state: Pass, incoming: np.ndarray) -> Equation | None:
    """The equation of a right line; None where the op's Jacobian gives no such sum."""
    try:
        found = of_einsum(line, state) or of_jacobian(line, state) or swept(line, state)
        if found is None or any(found.products(t) > MOST_PRODUCTS for t in found.terms):
            return None
        mine, meant = found.value(incoming), line.value(incoming)
    except Exception:  # an op of the user's own may raise anything
        return None
    if mine.shape != meant.shape or not np.isfinite(mine).all():
        return None
    return found if largest(mine - meant) <= SAME * largest(meant) else None


def of_einsum(line: Line, state: Pass) -> Equation | None:
    """Σ δ[result] · every other operand, along the letters of the op's own equation."""
    op, step = line.step.op, line.step
    if not isinstance(op, Einsum):
        return None
    arrays = state.inputs_of(step)
    own = op.operands[line.position]
    if len(set(own)) < len(own):
        return None
    made = state.values[step.name]
    spelled = zip(op.operands, step.args, strict=True)
    words = [lifted(word, name, state) for word, name in spelled]
    result = lifted(op.result, step.name, state)
    sizes: dict[str, int] = {}
    for word, array in zip(words, arrays, strict=True):
        sizes |= dict(zip(word, array.shape, strict=True))
    factors = [
        role_of(name, array, word, state)
        for place, (name, array, word) in enumerate(zip(step.args, arrays, words, strict=True))
        if place != line.position
    ]
    delta = Factor(DELTA, f"∂{state.cost}/∂{step.name}", made, result)
    return Equation(words[line.position], (Term((delta, *factors)),), sizes)


def lifted(word: str, name: str, state: Pass) -> Axes:
    """The letters of an operand, the examples in front where it has them, and named axes."""
    front = [axis.name for axis in state.axes(name)]
    return (*front[: len(front) - len(word)], *word)


def role_of(name: str, array: np.ndarray, axes: Axes, state: Pass) -> Factor:
    """A factor by what it is in the network: a parameter, a value, or a part of an op."""
    known = state.values.get(name)
    if known is None or not (known is array or np.array_equal(known, array)):
        return Factor("part", name, array, axes)
    return Factor("weight" if name in state.program.params else "value", name, array, axes)


def of_jacobian(line: Line, state: Pass) -> Equation | None:
    """δ in front of the op's own expression, term by term."""
    operand = line.step.op.parsed.inputs[line.position].name
    try:
        out, wrt, expression = state.local(line.step)[operand]
    except Exception:  # an op of the user's own that has a vjp only
        return None
    letters = labels_of(state.raw(line.step)[operand])
    return by_expression(line, state, out, wrt, expression, letters)


def labels_of(expression: Expression) -> dict[int, str]:
    """What an op calls each array of its Jacobian, in its own letters."""
    return {id(f.array): f.label for t in expression.terms for f in t.of(Dense)}


def by_expression(
    line: Line,
    state: Pass,
    out: tuple[Axis, ...],
    wrt: tuple[Axis, ...],
    expression: Expression,
    letters: Mapping[int, str],
) -> Equation | None:
    """An axis of the variable that a delta joins to one of the output is that axis."""
    sizes = {axis.name: axis.size for axis in (*out, *wrt)}
    delta = Factor(
        DELTA,
        f"∂{state.cost}/∂{line.source}",
        state.values[line.source],
        tuple(axis.name for axis in out),
    )
    target = tuple(axis.name for axis in wrt)
    arrays = {id(a): name for name, a in state.values.items()}
    shared: dict[tuple, Factor] = {}  # a factor that several terms have is one factor
    terms = []
    for product in expression.terms:
        names = joined(product, target)
        sizes |= product.sizes(sizes)
        for own in product.of(Dense):
            sizes |= dict(zip(own.axes, own.array.shape, strict=True))
        factors = [renamed(delta, names, shared)]
        for own in product.factors:
            if isinstance(own, Distinct):
                factors.append(mask(own, sizes, names, shared))
            elif isinstance(own, Dense) and not np.all(own.array == 1):
                sizes |= dict(zip(own.axes, own.array.shape, strict=True))
                name = arrays.get(id(own.array), own.label)
                placed = role_of(name, own.array, own.axes, state)
                placed = replace(placed, own=letters.get(id(own.array), own.label))
                factors.append(renamed(placed, names, shared))
            elif isinstance(own, At | Within):
                factors.append(renamed(known_mask(placing(own, sizes), state), names, shared))
        if len({names.get(axis, axis) for axis in target}) < len(target):
            return None  # two axes of the variable joined: no sum of products
        terms.append(Term(tuple(factors), product.coefficient))
    used = {axis for term in terms for axis in term.axes} | set(target)
    there = {axis: size for axis, size in sizes.items() if axis in used}
    return Equation(target, tuple(terms), there) if terms else None


def joined(product: Product, target: Axes) -> dict[str, str]:
    """Each axis by the one that stands for all that deltas join it to, the target's if any."""
    leader: dict[str, str] = {}

    def top(axis: str) -> str:
        while axis in leader:
            axis = leader[axis]
        return axis

    for factor in product.of(Delta):
        a, b = top(factor.left), top(factor.right)
        if a != b:
            below, above = (b, a) if a in target else (a, b)
            leader[below] = above
    return {axis: top(axis) for axis in leader}


def renamed(factor: Factor, names: Mapping[str, str], shared: dict[tuple, Factor]) -> Factor:
    """The factor along the joined axes; one object for one array along the same axes."""
    axes = tuple(names.get(axis, axis) for axis in factor.axes)
    key = (factor.role, id(factor.array), axes)
    return shared.setdefault(key, replace(factor, axes=axes))


def mask(
    own: Distinct, sizes: Mapping[str, int], names: Mapping[str, str], shared: dict[tuple, Factor]
) -> Factor:
    """1−δ[k,k'] as an array."""
    size = sizes[own.left]
    if size * size > MOST_ENTRIES:
        raise ValueError("a mask that is too large")
    axes = tuple(names.get(axis, axis) for axis in own.axes)
    found = Factor(MASK, f"(1−δ[{','.join(own.axes)}])", 1.0 - np.eye(size), axes)
    return shared.setdefault((MASK, size, axes), found)


def placing(own: At | Within, sizes: Mapping[str, int]) -> Factor:
    """δ[i,o+r] or [0≤o+r≤i] as zeros and ones, the axis that is picked last."""
    over = own.position.axes
    if int(np.prod([sizes[axis] for axis in own.axes])) > MOST_ENTRIES:
        raise ValueError("a selection that is too large")
    at = np.broadcast_to(own.position.values(over, sizes), [sizes[axis] for axis in over])
    if isinstance(own, Within):
        return Factor(POSITION, str(own), own.holds(at).astype(float), over)
    found = (at[..., None] == np.arange(sizes[own.axis])).astype(float)
    return Factor(CHOICE if own.here else POSITION, str(own), found, (*over, own.axis))


def known_mask(factor: Factor, state: Pass) -> Factor:
    """A range of ones that is a value of the run, the mask of a dropout, under that name."""
    for name, array in state.values.items():
        is_data = array.shape == factor.array.shape and name not in state.program.params
        if is_data and np.array_equal(array, factor.array):
            return Factor("value", name, factor.array, factor.axes)
    return factor


def swept(line: Line, state: Pass) -> Equation | None:
    """The Jacobian of an op that has a vjp only, one unit vector after another."""
    signature, step = line.step.op.parsed, line.step
    made, read = state.values[line.source], state.values[line.target]
    out, wrt = signature.output.axes, signature.inputs[line.position].axes
    together = made.ndim > len(out) and read.ndim > len(wrt)  # examples that do not mix
    own = made.shape[1:] if together else made.shape
    if made.ndim > len(out) and not together:
        out = (BATCH, *out)
    if made.ndim != len(out) + together or read.ndim != len(wrt) + together:
        return None
    entries = int(np.prod(own))
    if entries > MOST_SWEPT or entries * read.size > MOST_ENTRIES:
        return None
    rows = []
    for index in np.ndindex(own):
        unit = np.zeros(made.shape, made.dtype)
        unit[(slice(None), *index) if together else index] = 1
        rows.append(line.value(unit))
    front = (BATCH,) if together else ()
    whole = np.stack(rows, axis=len(front)).reshape(
        *made.shape[: len(front)], *own, *read.shape[len(front) :]
    )
    target = (*front, *primed(wrt))
    axes = (*front, *out, *primed(wrt))
    sizes = dict(zip(axes, whole.shape, strict=True))
    delta = Factor(DELTA, f"∂{state.cost}/∂{step.name}", made, (*front, *out))
    jacobian = Factor("jacobian", f"∂{step.name}/∂{line.target}", whole, axes)
    return Equation(target, (Term((delta, jacobian)),), sizes)
