"""The derivatives of a formula as sums of products over named axes, found without any numbers.

From the result down, the cotangent of each value is handed to what it reads:

    z[k] = Σ_i W[k,i] x[i]     ∂J/∂W[k',i'] += z̄[k'] x[i'];  ∂J/∂x[i'] += Σ_k z̄[k] W[k,i']
    z[k] = f(x[k], …)          ∂J/∂x[k'] += z̄[k'] ∂f/∂x[k']
    p = softmax(z)             ∂J/∂z[k'] += z̄[k'] p[k'] − p[k'] Σ_k z̄[k] p[k]
    Y = X⁻¹                    ∂J/∂X[i',j'] −= Σ Y[j,i'] z̄[j,i] Y[j',i]
    Y = A ⊗ B                  ∂J/∂A[k',i'] += Σ z̄[p,q] δ[p,J k'+j] δ[q,L i'+l] B[j,l]

These rules are not the ops' own: what is written is compared with what the ops compute.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import count
from typing import TypeGuard

from ..ops.entry_trees import (
    Tree,
    name,
    names_in,
    num,
    number_of,
    over,
    product_of,
    slope,
)
from .lowering import Entry, Lowered, Product, Whole
from .terms import DELTA, PAIR, Axes, Factor, Term, collected, spent


@dataclass
class Derivatives:
    """∂result/∂name for every name of a formula, as terms over axes."""

    lowered: Lowered
    own: dict[str, Axes] = field(default_factory=dict)
    _fresh: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        for value, dimensions in self.lowered.dimensions.items():
            self.own[value] = tuple(next(self._fresh) for _ in dimensions)

    def of(self, value: str) -> tuple[Axes, dict[str, list[Term]]]:
        """The axes of the value, and ∂value/∂leaf for each leaf, in the axes of its own."""
        out, shares = self._shares(value)
        kept = {leaf: (*out, *self.own[leaf]) for leaf in shares}
        return out, {
            leaf: collected(
                [self._spread(term, kept[leaf]) for term in terms], kept[leaf], self.own[leaf]
            )
            for leaf, terms in shares.items()
        }

    def second(self, value: str, first: str, second: str) -> tuple[Axes, list[Term]]:
        """∂²value/∂first∂second: its axes, those of `first` in front, and its terms.

        Each factor of ∂value/∂first in turn is replaced by its derivative by `second`.
        """
        _, shares = self._shares(value)
        axes = tuple(next(self._fresh) for _ in self.own[second])
        found = []
        for term in shares.get(first, ()):
            term = spent(term, self.own[first])
            for place, factor in enumerate(term.factors):
                rest = Term(term.coefficient, term.factors[:place] + term.factors[place + 1 :])
                for read, own, coefficient, factors in self._bent(factor):
                    for slope_of in self._moved_to(read, second, own, axes):
                        share = rest.times(coefficient * slope_of.coefficient, *factors)
                        share = share.times(1.0, *slope_of.factors)
                        gone = set(factor.axes) - share.axes - {*self.own[first], *axes}
                        dims = self.lowered.dimensions_in(term)
                        lengths = [Tree("dim", (), str(dims[axis])) for axis in sorted(gone)]
                        found.append(share.times(1.0, *(Factor(d, ()) for d in lengths)))
        kept = (*self.own[first], *axes)
        spread = [self._spread(term, kept) for term in found]
        return kept, collected(spread, kept, self.own[first])

    def _bent(self, factor: Factor) -> list[tuple[str, Axes, float, tuple[Factor, ...]]]:
        """The derivative of a factor by each name in it: (name, its axes, coefficient, factors)."""
        tree, axes = factor.tree, factor.axes
        if tree.op in ("e_max", "e_min"):
            return []
        if tree.op == "inv":
            row, column = next(self._fresh), next(self._fresh)
            sides = Factor(tree, (axes[0], row)), Factor(tree, (column, axes[1]))
            return [(tree.args[0].text, (row, column), -1.0, sides)]
        if tree.op == "softmax":
            read, other = tree.args[0].text, next(self._fresh)
            there = (*axes[:-1], other)
            outside = Factor(tree, axes), Factor(tree, there)
            return [(read, axes, 1.0, (factor,)), (read, there, -1.0, outside)]
        found = []
        for read in names_in(tree):
            rule = slope(tree, read)
            if number_of(rule) == 0:
                continue
            coefficient, factors = self._split(rule, axes)
            found.append((read, axes[len(axes) - len(self.own[read]) :], coefficient, factors))
        return found

    def _split(self, rule: Tree, axes: Axes) -> tuple[float, tuple[Factor, ...]]:
        """A slope as its number and its factors, over the last of these axes."""
        coefficient, trees = product_of(rule)
        factors = []
        for tree in trees:
            rank = max((len(self.own[n]) for n in names_in(tree)), default=0)
            factors.append(Factor(tree, axes[len(axes) - rank :]))
        return coefficient, tuple(factors)

    def _moved_to(self, value: str, by: str, out: Axes, axes: Axes) -> list[Term]:
        """∂value/∂by with these axes for the value's and the variable's, all others new."""
        found, shares = self._shares(value)
        names = dict(zip((*found, *self.own[by]), (*out, *axes), strict=True))
        terms = []
        for term in shares.get(by, ()):
            term = spent(term, (*found, *self.own[by]))
            inner = {axis: next(self._fresh) for axis in term.axes if axis not in names}
            terms.append(term.renamed(names | inner))
        return terms

    def _shares(self, value: str) -> tuple[Axes, dict[str, list[Term]]]:
        out = tuple(next(self._fresh) for _ in self.own[value])
        pairs = zip(out, self.own[value], strict=True)
        seed = Term(1.0, tuple(Factor(DELTA, pair) for pair in pairs))
        shares: dict[str, list[Term]] = {value: [seed]}
        for made, definition in reversed(self.lowered.definitions.items()):
            for term in shares.pop(made, ()):
                for read, share in self._handed_down(made, definition, term):
                    shares.setdefault(read, []).append(share)
        return out, shares

    def _handed_down(self, made: str, definition: object, term: Term) -> list[tuple[str, Term]]:
        if isinstance(definition, Product):
            return self._by_factors(made, definition, term)
        if isinstance(definition, Entry):
            return self._by_entries(made, definition, term)
        assert isinstance(definition, Whole)
        if definition.function == "kron":
            return self._by_kronecker(made, definition, term)
        inside = self.lowered.definitions.get(definition.of[0])
        if definition.function in ("det", "logdet") and _is_kronecker(inside):
            shares = self._by_determinant(made, definition.function, inside, term)
            if shares:
                return shares
        return [(definition.of[0], t) for t in self._by_whole(made, definition, term)]

    def _by_kronecker(self, made: str, whole: Whole, term: Term) -> list[tuple[str, Term]]:
        p, q = next(self._fresh), next(self._fresh)
        moved = term.renamed(dict(zip(self.own[made], (p, q), strict=True)))
        found = []
        for place, read in enumerate(whole.of):
            other = whole.of[1 - place]
            axes = tuple(next(self._fresh) for _ in self.own[other])
            one, two = (self.own[read], axes) if place == 0 else (axes, self.own[read])
            pairs = [
                self._pair(n, (made, *whole.of), three)
                for n, three in enumerate(zip((p, q), one, two, strict=True))
            ]
            found.append((read, moved.times(1.0, *pairs, Factor(name(other), axes))))
        return found

    def _pair(self, place: int, values: Sequence[str], axes: Axes) -> Factor:
        """δ[p,J·k+j], each axis being at this place of one of the values."""
        return _paired([self.lowered.dimensions[value][place] for value in values], axes)

    def _spread(self, term: Term, kept: Axes) -> Term:
        """With diag(x) as δ[k,j] x[k]; and A ⊗ B and vec(X) by entries, where such a δ is spent."""
        term = spent(term, kept)
        pairs = {f.axes[0] for f in term.factors if f.tree.op == PAIR}
        for place, factor in enumerate(term.factors):
            inside = self._entries_of(factor, pairs)
            if inside:
                others = term.factors[:place] + term.factors[place + 1 :]
                return self._spread(Term(term.coefficient, (*others, *inside)), kept)
        return term

    def _entries_of(self, factor: Factor, pairs: Set[int]) -> list[Factor]:
        made, axes = factor.tree.text, factor.axes
        whole = self.lowered.definitions.get(made) if factor.tree.op == "name" else None
        if not isinstance(whole, Whole):
            return []
        if whole.function == "diag":
            return [Factor(DELTA, axes), Factor(name(whole.of[0]), axes[:1])]
        if whole.function == "vec" and pairs & {*axes}:
            word = row, column = next(self._fresh), next(self._fresh)
            return [
                self._of_columns(made, whole, (*axes, column, row)),
                Factor(name(whole.of[0]), word),
            ]
        if whole.function == "kron" and pairs & {*axes}:
            words = [tuple(next(self._fresh) for _ in axes) for _ in whole.of]
            found = [
                self._pair(n, (made, *whole.of), three)
                for n, three in enumerate(zip(axes, *words, strict=True))
            ]
            parts = zip(whole.of, words, strict=True)
            return [*found, *(Factor(name(read), word) for read, word in parts)]
        return []

    def _of_columns(self, made: str, vec: Whole, axes: Axes) -> Factor:
        """δ[p,I·j+i], p being the place of X[i,j], column by column."""
        rows_last = self.lowered.dimensions[vec.of[0]][::-1]
        return _paired((*self.lowered.dimensions[made], *rows_last), axes)

    def _by_determinant(
        self, made: str, function: str, kronecker: Whole, term: Term
    ) -> list[tuple[str, Term]]:
        """log det(A ⊗ B) = J log det A + K log det B, where A has K rows and B has J."""
        found = []
        lengths = [self.lowered.dimensions[read] for read in kronecker.of]
        if any(rows != columns for rows, columns in lengths):
            return []
        itself = (Factor(name(made), ()),) if function == "det" else ()
        for place, read in enumerate(kronecker.of):
            row, column = self.own[read]
            rows = Tree("dim", (), str(lengths[1 - place][0]))
            inverse = Factor(Tree("inv", (name(read),)), (column, row))
            found.append((read, term.times(1.0, Factor(rows, ()), *itself, inverse)))
        return found

    def _by_factors(self, made: str, product: Product, term: Term) -> list[tuple[str, Term]]:
        found = []
        for place, (operand, word) in enumerate(product.factors):
            if operand in self.lowered.selections:
                continue
            names: dict[int, int] = {}
            deltas = []
            for axis, mine in zip(word, self.own[operand], strict=True):
                if axis in names:
                    deltas.append(Factor(DELTA, (names[axis], mine)))
                names.setdefault(axis, mine)
            moved = {}
            for axis, mine in zip(product.out, self.own[made], strict=True):
                names.setdefault(axis, next(self._fresh))
                moved[mine] = names[axis]
            others = []
            for other, (read, axes) in enumerate(product.factors):
                if other != place:
                    for axis in axes:
                        names.setdefault(axis, next(self._fresh))
                    others.append(Factor(name(read), tuple(names[a] for a in axes)))
            dimensions = self.lowered.axis_dimensions(product)
            lengths = [Tree("dim", (), str(dimensions[axis])) for axis in product.averaged]
            shared = [Factor(over(num(1), length), ()) for length in lengths]
            share = term.renamed(moved).times(1.0, *shared, *deltas, *others)
            found.append((operand, share))
        return found

    def _by_entries(self, made: str, entry: Entry, term: Term) -> list[tuple[str, Term]]:
        found = []
        for read in names_in(entry.tree):
            rule = slope(entry.tree, read)
            if number_of(rule) == 0:
                continue
            mine, own = self.own[read], self.own[made]
            kept = {axis: next(self._fresh) for axis in own[: len(own) - len(mine)]}
            names = kept | dict(zip(own[len(own) - len(mine) :], mine, strict=True))
            coefficient, factors = self._split(rule, tuple(names[a] for a in own))
            share = term.renamed(names).times(coefficient, *factors)
            share, summed = _on_diagonals(share, {*kept.values()})
            for axis, dimension in zip(own, self.lowered.dimensions[made], strict=True):
                if names[axis] in summed - share.axes:  # a sum of equal terms
                    share = share.times(1.0, Factor(Tree("dim", (), str(dimension)), ()))
            found.append((read, share))
        return found

    def _by_whole(self, made: str, whole: Whole, term: Term) -> list[Term]:
        (read,) = whole.of
        mine, own = self.own[read], self.own[made]
        names = dict(zip(own, mine, strict=False))
        if whole.function == "diag":
            return [term.renamed(dict.fromkeys(own, mine[0]))]
        if whole.function == "vec":
            return [term.times(1.0, self._of_columns(made, whole, (own[0], mine[1], mine[0])))]
        if whole.function in ("max", "min"):
            return [term.times(1.0, Factor(Tree(f"e_{whole.function}", (name(read),)), mine))]
        if whole.function in ("inv", "det", "logdet"):
            inverse = Tree("inv", (name(read),))
            row, column = mine
            if whole.function == "det":
                itself = Factor(name(made), ())
                return [term.times(1.0, itself, Factor(inverse, (column, row)))]
            if whole.function == "logdet":
                return [term.times(1.0, Factor(inverse, (column, row)))]
            j, i = next(self._fresh), next(self._fresh)
            first, last = Factor(inverse, (j, row)), Factor(inverse, (column, i))
            return [term.renamed({own[0]: j, own[1]: i}).times(-1.0, first, last)]
        softmax = Tree("softmax", (name(read),))
        here = Factor(softmax, mine)
        if whole.function == "logsumexp":
            return [term.renamed(names).times(1.0, here)]
        apart = names | {own[-1]: next(self._fresh)}
        there = Factor(softmax, (*mine[:-1], apart[own[-1]]))
        straight, summed = term.renamed(names), term.renamed(apart)
        if whole.function == "softmax":
            straight, summed = straight.times(1.0, here), summed.times(-1.0, there, here)
        else:
            summed = summed.times(-1.0, here)
            if apart[own[-1]] not in summed.axes:
                dimension = self.lowered.dimensions[made][-1]
                summed = summed.times(1.0, Factor(Tree("dim", (), str(dimension)), ()))
        return [straight, summed]


def _on_diagonals(term: Term, summed: Set[int]) -> tuple[Term, Set[int]]:
    """Σ_{k,j} δ[k,j] a[k] = Σ_k a[k]: the term without such δ, and the axes of its sum."""
    for place, delta in enumerate(term.factors):
        left, right = delta.axes if delta.tree == DELTA else (-1, -1)
        if left != right and {left, right} <= summed:
            others = term.factors[:place] + term.factors[place + 1 :]
            rest = Term(term.coefficient, others).renamed({left: right})
            return _on_diagonals(rest, summed - {left})
    return term, summed


def _paired(dimensions: Sequence[int], axes: Axes) -> Factor:
    return Factor(Tree(PAIR, (), ",".join(map(str, dimensions))), axes)


def _is_kronecker(definition: object) -> TypeGuard[Whole]:
    return isinstance(definition, Whole) and definition.function == "kron"
