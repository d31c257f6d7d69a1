"""The backward pass as data: a list of lines, each a product of named factors.

    delta of z1   =   ∂J/∂a1 * relu'(z1)           kind "slope"
    delta of a1   =   δ2 @ W2                      kind "weights"
    gradient W2   =   δ2ᵀ a1, summed over examples kind "outer"

A line carries what comes in from one step back to one of the values that the step
reads; a value that is read twice has two lines, and their sum is its delta. A
mistake is another line in the place of one of these. Nothing else is needed to
compute what a student with that mistake would get.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ....program.forward_pass import Pass
from ....program.step import Step

LineKey = tuple[str, str, int]  # target, source, position of the target among what the step reads
Product = Callable[..., np.ndarray]

LARGEST = 200_000  # entries of a wrong array; a table that grows in every layer ends here
BUDGET = 2_000_000  # lines that are looked at for one object
ENTRIES = 400  # of an array that take as long as looking at one line


@dataclass(frozen=True, eq=False)
class Factor:
    """One factor of a line: its role, the name it is printed by, its numbers.

    In an equation it has the names of its axes too, and one factor has the role "delta":
    what comes in, whose numbers are not known before. `own` is its name in the letters of the
    op, whatever the network calls the op's inputs.
    """

    role: str  # weight, slope, jacobian, input, cost, share, penalty, value, part, mask, delta
    name: str
    array: np.ndarray
    axes: tuple[str, ...] = ()
    own: str = ""


@dataclass(frozen=True, eq=False)
class Line:
    """What comes back to `target` from the step that computes `source`.

    `product` takes the incoming delta and the factors' arrays. A line that is
    `asleep` is not part of the right pass: it is the unfused twin of a fused one.
    """

    target: str
    source: str
    step: Step
    position: int
    kind: str
    product: Product
    factors: tuple[Factor, ...] = ()
    asleep: bool = False

    @property
    def key(self) -> LineKey:
        return self.target, self.source, self.position

    def value(self, incoming: np.ndarray) -> np.ndarray:
        """The product, with `incoming` as the delta of the step above."""
        return self.product(incoming, *(factor.array for factor in self.factors))

    def factor(self, role: str) -> Factor:
        """The factor with this role."""
        return next(factor for factor in self.factors if factor.role == role)

    def without(self, role: str) -> "Line":
        """The incoming delta alone, where the factor with this role was the only one."""
        kept = tuple(factor for factor in self.factors if factor.role != role)
        return replace(self, factors=kept, product=as_it_is, asleep=False)

    def using(self, role: str, name: str, array: np.ndarray) -> "Line":
        """Another array in the place of one factor."""
        changed = tuple(
            Factor(role, name, array) if factor.role == role else factor for factor in self.factors
        )
        return replace(self, factors=changed, asleep=False)

    def by(self, product: Product) -> "Line":
        """The same factors, put together by another product."""
        return replace(self, product=product, asleep=False)


Changes = Mapping[LineKey, Line | None]  # the line that stands instead; None: it is left out


def as_it_is(incoming: np.ndarray) -> np.ndarray:
    """The incoming delta alone."""
    return incoming


class Backward:
    """All lines of one run in the order of the backward pass, and their values.

    `value` gives the delta of a value or the gradient of a parameter, with some
    lines changed and with some deltas given (a student's own).
    """

    def __init__(self, state: Pass, lines: Iterable[Line]) -> None:
        self.state = state
        self.lines = tuple(lines)
        self.to: dict[str, list[Line]] = {}
        for line in self.lines:
            self.to.setdefault(line.target, []).append(line)
        self.out_of: dict[str, list[Line]] = {}
        for line in self.lines:
            self.out_of.setdefault(line.source, []).append(line)
        self.sources = {name: {k.source for k in lines} for name, lines in self.to.items()}
        self.budget = BUDGET
        self._base: dict[str, np.ndarray] = {}
        self._needed: dict[str, tuple[str, ...]] = {}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Cost first; a parameter behind the delta that it is computed from."""
        names = [self.state.cost]
        pending: dict[str, list[str]] = {}
        made = {step.name: place for place, step in enumerate(self.state.program.steps)}
        for name, lines in self.to.items():
            if name not in made:
                last = min(lines, key=lambda line: made[line.step.name])
                pending.setdefault(last.step.name, []).append(name)
        for step in reversed(self.state.program.steps):
            if step.name in self.to:
                names.append(step.name)
            names += pending.get(step.name, [])
        return tuple(names)

    def needed(self, target: str) -> tuple[str, ...]:
        """The names on the way from the cost to `target`, in order, both included."""
        if target not in self._needed:
            wanted = {target}
            for name in reversed(self.order):
                if name in wanted:
                    wanted.update(line.source for line in self.to.get(name, ()))
            self._needed[target] = tuple(name for name in self.order if name in wanted)
        return self._needed[target]

    def since(self, target: str, known: Collection[str]) -> tuple[str, ...]:
        """The names on the way to `target` that are computed after those that are known."""
        found, waiting = {target}, [target]
        while waiting:
            sources = self.sources.get(waiting.pop(), set()) - found - set(known)
            found |= sources
            waiting += sources
        return tuple(name for name in self.needed(target) if name in found)

    @property
    def base(self) -> dict[str, np.ndarray]:
        """Every right delta and gradient, by these lines."""
        if not self._base:
            start = np.ones((), self.state.dtype)
            self._base = self._sweep(self.order, {self.state.cost: start}, {}, None)
        return self._base

    def value(
        self,
        target: str,
        changes: Changes | None = None,
        own: Mapping[str, np.ndarray] | None = None,
    ) -> np.ndarray:
        """The delta or gradient of `target`; ValueError where shapes do not fit.

        It is a ValueError too where the budget of the search is spent.
        """
        changes, own = changes or {}, own or {}
        if not changes and not own:
            return self.base[target]
        if self.budget < 0:
            raise ValueError("the search is cut short")
        return self._sweep(self.needed(target), own, changes, self.base)[target]

    def values(self, changes: Changes) -> dict[str, np.ndarray]:
        """Every delta and gradient with some lines changed; ValueError where shapes do not fit."""
        return self._sweep(self.order, {self.state.cost: self.base[self.state.cost]}, changes, None)

    def terms(self, target: str) -> float:
        """Σ|terms| of the last product, its largest entry: the scale at which it is rounded."""
        size = 0.0
        for line in self.to.get(target, ()):
            if not line.asleep and line.kind != "op" and line.source in self.base:
                plus = [np.abs(factor.array) for factor in line.factors]
                found = line.product(np.abs(self.base[line.source]), *plus)
                size += float(np.max(found, initial=0.0))
        return size

    def jacobian(self, of: str, wrt: str, changes: Changes | None = None) -> np.ndarray:
        """∂of/∂wrt, row by row: each unit vector at `of` pulled back along the lines."""
        value = self.state.values[of]
        path = self.needed(wrt)
        awake = {k.key: replace(k, asleep=False) for k in self.lines if k.asleep}
        changes = {**awake, **(changes or {})}
        names = path[path.index(of) :] if of in path else ()
        rows = []
        for index in np.ndindex(value.shape):
            unit = np.zeros(value.shape, value.dtype)
            unit[index] = 1
            found = self._sweep(names, {of: unit}, changes, None)
            rows.append(found.get(wrt, np.zeros_like(self.state.values[wrt])))
        return np.array(rows).reshape(*value.shape, *rows[0].shape)

    def _pay(self, part: np.ndarray, line: Line) -> None:
        self.budget -= 1 + np.size(part) // ENTRIES
        if np.size(part) > max(LARGEST, 64 * self.state.values[line.target].size):
            raise ValueError("a table that grows")

    def _sweep(
        self,
        names: Iterable[str],
        given: Mapping[str, np.ndarray],
        changes: Changes,
        base: Mapping[str, np.ndarray] | None,
    ) -> dict[str, np.ndarray]:
        """Values of `names`; what no change touches is taken from `base`."""
        found = dict(given)
        moved, changed = set(given), {target for target, _, _ in changes}
        for name in names:
            self.budget -= 1
            if name in given:
                continue
            lines = self.to.get(name, [])
            if base is not None:
                if name not in changed and moved.isdisjoint(self.sources.get(name, ())):
                    found[name] = base[name]
                    continue
                moved.add(name)
            parts = []
            for line in lines:
                used = changes.get(line.key, line)
                if used is not None and not used.asleep and line.source in found:
                    parts.append(used.value(found[line.source]))
                    self._pay(parts[-1], line)
            if parts:
                total = parts[0]
                for part in parts[1:]:
                    total = total + part
                found[name] = total
            elif base is not None:
                found[name] = np.zeros_like(self.state.values[name])
        return found
