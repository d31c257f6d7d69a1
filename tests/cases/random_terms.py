"""Random terms with positions, and what they are by definition: nested loops over all axes."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from jacobian_bp import Jacobian
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.expression import Delta, Dense, Distinct, Expression, One, Term
from jacobian_bp.algebra.positions.affine_and_table import Affine, Table
from jacobian_bp.algebra.positions.position_factors import At, Within

INNER = "rsm"
VALUES = (("o", "q"), ("i", "j"), ("k", "l"), ("a", "b"))  # the axes of y0, y1, y2, y3


def by_loops(term, axes, sizes):
    """Σ over every other axis of the product, and where it can be other than zero."""
    every = list(dict.fromkeys([*axes, *(a for f in term.factors for a in f.axes)]))
    values = np.zeros([sizes[axis] for axis in axes])
    stands = np.zeros(values.shape, bool)
    for numbers in product(*(range(sizes[axis]) for axis in every)):
        at = dict(zip(every, numbers, strict=True))
        entry = tuple(at[axis] for axis in axes)
        held = [(holds(f, at), getattr(f, "here", False)) for f in term.factors]
        if all(here or it for it, here in held):
            stands[entry] = True
        if all(it for it, _ in held):
            factors = [f.array[tuple(at[a] for a in f.axes)] for f in term.of(Dense)]
            values[entry] += term.coefficient * np.prod(factors)
    return values, stands


def holds(factor, at):
    """Whether a factor is other than a structural zero at these indices."""
    if isinstance(factor, Delta):
        return at[factor.left] == at[factor.right]
    if isinstance(factor, Distinct):
        return at[factor.left] != at[factor.right]
    if isinstance(factor, At):
        return place(factor.position, at) == at[factor.axis]
    if isinstance(factor, Within):
        found = place(factor.position, at)
        low, high = factor.low, factor.high
        return (low is None or low <= found) and (high is None or found <= high)
    return True


def place(position, at):
    if isinstance(position, Affine):
        return position.offset + sum(times * at[axis] for axis, times in position.parts)
    return position.array[tuple(at[axis] for axis in position.axes)]


class Drawn:
    """A term over given axes, drawn: deltas, positions, ranges, arrays, sums inside."""

    def __init__(self, rng, axes, sizes):
        self.rng, self.sizes = rng, sizes
        self.inner = list(INNER[: rng.integers(0, 3)])
        self.names = [*axes, *self.inner] or ["r"]
        self.inner = self.inner if axes or self.inner else ["r"]
        self.axes = axes

    def term(self):
        while True:
            factors = [self.factor() for _ in range(self.rng.integers(1, 4))]
            factors = [f for f in factors if f is not None]
            factors += [self.dense() for _ in range(self.rng.integers(0, 3))]
            there = {a for f in factors for a in f.axes}
            positions = {a for f in factors if isinstance(f, At | Within) for a in f.axes}
            if any(isinstance(f, At | Within) for f in factors) and all(
                axis in positions for axis in self.inner if axis in there
            ):
                break
        factors += [One(axis) for axis in self.axes if axis not in there]
        order = self.rng.permutation(len(factors))
        sums = tuple(Axis(a, self.sizes[a]) for a in self.inner if a in positions)
        coefficient = float(self.rng.choice([1, -1, 0.5, 3]))
        return Term(tuple(factors[p] for p in order), coefficient, sums)

    def some(self, axes, most):
        count = min(len(axes), int(self.rng.integers(0, most)))
        return [str(axis) for axis in self.rng.permutation(axes)[:count]]

    def position(self, axes, size):
        if self.rng.random() < 0.3:
            own = tuple(self.some(axes, 3))
            shape = [self.sizes[axis] for axis in own]
            return Table("u", own, self.rng.integers(-1, size + 1, shape))
        times = {axis: int(self.rng.choice([-2, -1, 1, 1, 2, 3])) for axis in self.some(axes, 4)}
        return Affine.of(times, int(self.rng.integers(-2, 4)))

    def factor(self):
        kind, axis = self.rng.random(), str(self.rng.choice(self.names))
        if kind < 0.55:
            others = [a for a in self.names if a != axis or self.rng.random() < 0.1]
            here = bool(self.rng.random() < 0.15)
            return At(axis, self.position(others, self.sizes[axis]), here)
        if kind < 0.8:
            low, high = sorted(int(bound) for bound in self.rng.integers(-2, 5, 2))
            bounds = (low, None) if self.rng.random() < 0.4 else (low, high)
            bounds = (None, high) if self.rng.random() < 0.2 else bounds
            return Within(self.position(self.names, 3), *bounds)
        other = str(self.rng.choice(self.names))
        if other == axis or self.sizes[axis] != self.sizes[other]:
            return None
        return Delta(axis, other) if kind < 0.9 else Distinct(axis, other)

    def dense(self):
        own = tuple(self.some(self.names, 4))
        return Dense("d", own, self.rng.standard_normal([self.sizes[axis] for axis in own]))


@dataclass
class Case:
    """A Jacobian of random terms or a product of several, and what loops say that it is."""

    jacobian: Jacobian
    values: np.ndarray
    stands: np.ndarray
    cotangent: np.ndarray
    tangent: np.ndarray

    def wrong(self):
        """What the algebra says otherwise than the loops."""
        J, values, rank = self.jacobian, self.values, self.cotangent.ndim
        collapsed = J.collapse()
        count = int(self.stands.sum())
        pulled = np.tensordot(self.cotangent, values, rank)
        pushed = np.tensordot(values, self.tangent, self.tangent.ndim)
        near = {
            "entries": (J.materialise(), values),
            "collapsed": (collapsed.materialise(), values),
            "pull": (J.pull(self.cotangent), pulled),
            "push": (J.push(self.tangent), pushed),
        }
        wrong = [what for what, pair in near.items() if not np.allclose(*pair, 1e-9, 1e-9)]
        wrong += ["count"] if J.structural_nonzeros != count else []
        wrong += ["collapsed count"] if collapsed.structural_nonzeros != count else []
        wrong += ["mask"] if not np.array_equal(J.can_be_nonzero(), self.stands) else []
        return wrong


def case(seed):
    """One Jacobian of one or two terms for every other seed, else a product of two or three."""
    rng = np.random.default_rng(seed)
    length = 1 if seed % 2 else 2 + seed // 2 % 2
    ranks = [int(rng.integers(0, 3)) for _ in range(length + 1)]
    sizes = {axis: int(rng.integers(1, 6 if length == 1 else 5)) for v in VALUES for axis in v}
    sizes |= {axis: int(rng.integers(1, 5 if length == 1 else 4)) for axis in INNER}
    if rng.random() < 0.5:  # equal sizes, for the deltas that join them
        sizes = dict.fromkeys(sizes, 3)
    values = stands = jacobian = None
    for number in range(length):
        out, below = VALUES[number][: ranks[number]], VALUES[number + 1][: ranks[number + 1]]
        wrt = tuple(axis + "'" for axis in below)
        known = sizes | {axis + "'": sizes[axis] for axis in below}
        terms = [Drawn(rng, [*out, *wrt], known).term() for _ in range(rng.integers(1, 3))]
        local = Jacobian.local(
            f"y{number}",
            f"y{number + 1}",
            tuple(Axis(axis, known[axis]) for axis in out),
            tuple(Axis(axis, known[axis]) for axis in wrt),
            Expression(tuple(terms)),
        )
        parts = [by_loops(term, [*out, *wrt], known) for term in terms]
        own, can = sum(p[0] for p in parts), np.logical_or.reduce([p[1] for p in parts])
        if jacobian is None:
            jacobian, values, stands = local, own, can
            continue
        rank = ranks[number]
        jacobian, values = jacobian @ local, np.tensordot(values, own, rank)
        stands = np.tensordot(stands.astype(float), can.astype(float), rank) > 0
    ends = [jacobian.out_axes, jacobian.wrt_axes]
    vectors = [rng.standard_normal([axis.size for axis in axes]) for axes in ends]
    return Case(jacobian, values, stands, *vectors)
