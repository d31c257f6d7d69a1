"""Terms of a derivative: products of trees over axes; deltas spent, equal terms added, factored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..ops.entry_trees import Tree, less, number_of, over, plus

Axes = tuple[int, ...]  # an axis is a number of its own
DELTA = Tree("delta")
PAIR = "pair"  # δ[p,J·k+j] with the axes p, k, j; their dimensions are its text
TURNED = "turned"  # a matrix whose rows are written as columns, inside a sum of two matrices


@dataclass(frozen=True)
class Factor:
    """A tree over names, and its axes; δ is the tree DELTA with two."""

    tree: Tree
    axes: Axes


@dataclass(frozen=True)
class Term:
    """coefficient × factors, summed over the axes that no one keeps."""

    coefficient: float
    factors: tuple[Factor, ...]

    @property
    def axes(self) -> set[int]:
        return {axis for factor in self.factors for axis in factor.axes}

    def renamed(self, names: Mapping[int, int]) -> "Term":
        """The same with other axes."""
        return Term(
            self.coefficient,
            tuple(Factor(f.tree, tuple(names.get(a, a) for a in f.axes)) for f in self.factors),
        )

    def times(self, coefficient: float, *factors: Factor) -> "Term":
        """The product with further factors; x · 1/x is 1."""
        mine = list(self.factors)
        for factor in factors:
            inverse = Factor(_inverse(factor.tree), factor.axes)
            if inverse in mine:
                mine.remove(inverse)
            else:
                mine.append(factor)
        return Term(self.coefficient * coefficient, tuple(mine))


def collected(terms: Sequence[Term], kept: Axes, read: Axes) -> list[Term]:
    """The terms with every δ spent that has a summed axis, equal ones added up, factored.

    Where two axes stay that a δ makes equal, all else is read at that of the axes `read`.
    """
    return factored(like_terms([canonical(at_one(spent(t, kept), read), kept) for t in terms]))


def at_one(term: Term, read: Axes) -> Term:
    """δ[k,k'] a[k] as δ[k,k'] a[k'], where k' is one of the axes `read`."""
    factors = term.factors
    for left, right in [f.axes for f in factors if f.tree == DELTA]:
        gone, stays = (left, right) if right in read else (right, left)
        factors = tuple(
            f
            if f.tree == DELTA
            else Factor(f.tree, tuple(stays if a == gone else a for a in f.axes))
            for f in factors
        )
    return Term(term.coefficient, factors)


def spent(term: Term, kept: Axes) -> Term:
    """Σ_k δ[k,k'] a[k] = a[k']: a δ with an axis that is summed is spent."""
    for delta in [f for f in term.factors if f.tree == DELTA]:
        left, right = next(f for f in term.factors if f is delta).axes
        gone, stays = (left, right) if left not in kept else (right, left)
        if gone == stays in kept:
            return spent(Term(term.coefficient, _but(term.factors, delta)), kept)
        if gone in kept or gone == stays:
            continue
        rest = Term(term.coefficient, tuple(f for f in term.factors if f is not delta))
        return spent(rest.renamed({gone: stays}), kept)
    return _unpaired(term, kept)


def _unpaired(term: Term, kept: Axes) -> Term:
    """Σ_p δ[p,J·k+j] δ[p,J·i+l] = δ[k,i] δ[j,l]; and Σ_p δ[p,J·k+j] = 1."""
    pairs = [f for f in term.factors if f.tree.op == PAIR]
    for place, first in enumerate(pairs):
        for second in pairs[place + 1 :]:
            if first.axes[0] == second.axes[0] and first.tree == second.tree:
                same = zip(first.axes[1:], second.axes[1:], strict=True)
                deltas = tuple(Factor(DELTA, both) for both in same)
                return spent(Term(term.coefficient, (*_but(term.factors, second), *deltas)), kept)
    for pair in pairs:
        rest = Term(term.coefficient, _but(term.factors, pair))
        others = {*rest.axes, *kept}
        if pair.axes[0] not in others and {*pair.axes[1:]} <= others:
            return spent(rest, kept)
    return term


def _but(factors: tuple[Factor, ...], without: Factor) -> tuple[Factor, ...]:
    place = next(n for n, f in enumerate(factors) if f is without)
    return factors[:place] + factors[place + 1 :]


def canonical(term: Term, kept: Axes) -> Term:
    """The same term with its factors in one order, and its summed axes numbered as they are met."""
    names = {axis: axis for axis in kept}
    todo = sorted(term.factors, key=lambda f: (str(f.tree), len(f.axes)))
    done = []
    while todo:
        ready = [f for f in todo if f.axes and set(f.axes) <= names.keys()]
        touching = [f for f in todo if any(a in names for a in f.axes)]
        factor = (ready or touching or todo)[0]
        todo.remove(factor)
        for axis in factor.axes:
            names.setdefault(axis, -1 - sum(n < 0 for n in names.values()))
        done.append(Factor(factor.tree, tuple(names[a] for a in factor.axes)))
    done.sort(key=lambda f: (str(f.tree), f.axes))
    return Term(term.coefficient, tuple(done))


def like_terms(terms: Sequence[Term]) -> list[Term]:
    """2 a b + a b = 3 a b; what comes to 0 is left out."""
    sums: dict[tuple[Factor, ...], float] = {}
    for term in terms:
        sums[term.factors] = sums.get(term.factors, 0.0) + term.coefficient
    return [Term(c, factors) for factors, c in sums.items() if c]


def factored(terms: Sequence[Term]) -> list[Term]:
    """a x − b x = (a − b) x, and A x + Aᵀ x = (A + Aᵀ) x, where two terms differ in one factor."""
    terms = list(terms)
    for i, first in enumerate(terms):
        for j in range(i + 1, len(terms)):
            both = _in_one(first, terms[j])
            if both is not None:
                return factored([*terms[:i], both, *terms[i + 1 : j], *terms[j + 1 :]])
    return terms


def _in_one(first: Term, second: Term) -> Term | None:
    if abs(first.coefficient) != abs(second.coefficient) or len(first.factors) < 2:
        return None
    mine, other = _without_common(first.factors, second.factors)
    if len(mine) != 1 or len(other) != 1:
        return None
    (one,), (two,) = mine, other
    if DELTA in (one.tree, two.tree) or sorted(one.axes) != sorted(two.axes) or not one.axes:
        return None
    a = one.tree
    b = two.tree if one.axes == two.axes else Tree(TURNED, (two.tree,))
    if len(set(one.axes)) < len(one.axes):
        return None
    if first.coefficient == second.coefficient:
        sum_of_both = plus(a, b)
        sign = 1.0
    elif first.coefficient > 0:
        sum_of_both, sign = less(a, b), 1.0
    else:
        sum_of_both, sign = less(b, a), -1.0
    factors = tuple(Factor(sum_of_both, one.axes) if f is one else f for f in first.factors)
    return Term(sign * first.coefficient, factors)


def _without_common(
    first: Sequence[Factor], second: Sequence[Factor]
) -> tuple[list[Factor], list[Factor]]:
    rest, mine = list(second), []
    for factor in first:
        if factor in rest:
            rest.remove(factor)
        else:
            mine.append(factor)
    return mine, rest


def _inverse(tree: Tree) -> Tree:
    if tree.op == "/" and number_of(tree.args[0]) == 1:
        return tree.args[1]
    return over(Tree("num", (), "1.0"), tree)
