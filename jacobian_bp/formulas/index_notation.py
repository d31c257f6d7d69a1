"""A derivative in index form, for what has none in matrix notation: δ[k,k'] (W x)[i'].

Σ_i δ[k,k'] W[j',i] x[i]            δ[k,k'] (W x)[j']     what is summed is a product of matrices
(x ⊙ y)[k'], diag(u)[k,k']          x[k'] y[k'], δ[k,k'] u[k']
c a[k] b[k'] − c b[k] a[k']         c (a[k] b[k'] − b[k] a[k'])
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from string import ascii_lowercase

from ..ops.entry_trees import Tree, name, num
from ..writing.signs import fraction
from .like_factors import in_all, without
from .matrix_notation import Notation
from .matrix_trees import COLUMN, MATRIX, Algebra
from .printed import POWER, printed_factor
from .terms import DELTA, PAIR, Axes, Factor, Term

Word = tuple[str, ...]


def index_form(
    notation: Notation,
    terms: Collection[Term],
    kept: Mapping[int, str],
    letters: Mapping[int, str],
) -> str:
    """The terms with the letters of the axes that stay; what else is summed is said by a Σ."""
    return _sum(_like_added([_Writer(notation, t, kept, letters).product() for t in terms]))


@dataclass(frozen=True)
class _Product:
    """coefficient × numbers and entries / others, summed over some letters."""

    coefficient: float
    above: tuple[Tree, ...] = ()
    below: tuple[Tree, ...] = ()
    summed: Word = ()


class _Writer:
    """One term: each part of it that hangs together by sums becomes entries of arrays."""

    def __init__(
        self,
        notation: Notation,
        term: Term,
        kept: Mapping[int, str],
        letters: Mapping[int, str],
    ) -> None:
        self.notation, self.term, self.kept, self.letters = notation, term, kept, letters
        self.dimensions = notation.lowered.dimensions_in(term)
        self.names = dict(kept)
        self.numbers: list[Tree] = []
        self.summed: list[str] = []

    def product(self) -> _Product:
        """The term written."""
        todo = list(self.term.factors)
        while todo:
            part = [todo.pop(0)]
            axes = {a for a in part[0].axes if a not in self.kept}
            while more := [f for f in todo if axes & {*f.axes}]:
                part += more
                todo = [f for f in todo if f not in more]
                axes |= {a for f in more for a in f.axes if a not in self.kept}
            self._part(part, axes)
        numbers = [num(self.term.coefficient), *self.numbers]
        coefficient, above, below, _ = self.notation.algebra.gathered(numbers)
        above = [n.args[0] if n.op == "pow" and _is_delta(n.args[0]) else n for n in above]
        ordered = sorted(above, key=lambda n: (n.op in ("at", "pow"), not _is_delta(n)))
        return _Product(coefficient, tuple(ordered), tuple(below), tuple(self.summed))

    def _part(self, part: list[Factor], summed: set[int]) -> None:
        if not summed:
            self._factor(part[0])
            return
        out = tuple(a for a in self.kept if any(a in f.axes for f in part))
        try:
            tree, axes = self._multiplied(part, out)
        except LookupError:
            self._with_sum(part)
        else:
            self._entry(tree, axes)

    def _multiplied(self, part: list[Factor], out: Axes) -> tuple[Tree, Axes]:
        """What is summed as a product of matrices, written the way that turns fewer round."""
        if any(factor.tree.op == PAIR for factor in part):
            raise LookupError("a product of dimensions")
        words = dict.fromkeys((out, out[::-1]))
        whole = Term(1.0, tuple(part))
        trees = [self.notation.term(whole, word, self.dimensions.__getitem__)[1] for word in words]
        return min(zip(trees, words, strict=True), key=lambda both: _turns(both[0]))

    def _with_sum(self, part: list[Factor]) -> None:
        """What has no such form, with its sums."""
        for axis in (a for factor in part for a in factor.axes):
            if axis not in self.names:
                self.names[axis] = _letter(self.letters[self.dimensions[axis]], self.names)
                self.summed.append(self.names[axis])
        for factor in part:
            self._factor(factor)

    def _factor(self, factor: Factor) -> None:
        if factor.tree.op == PAIR:
            whole, one, other = (self.names[a] for a in factor.axes)
            step = self.letters[int(factor.tree.text.split(",")[-1])]
            self.numbers.append(_delta(whole, f"dim({step}) {one}+{other}"))
        elif factor.tree == DELTA:
            order = [*self.names]
            self.numbers.append(
                _delta(*(self.names[a] for a in sorted(factor.axes, key=order.index)))
            )
        else:
            self._entry(self.notation.tree(factor.tree), factor.axes)

    def _entry(self, tree: Tree, axes: Axes) -> None:
        order = [*self.names.values()]
        word = tuple(self.names[a] for a in axes)
        self.numbers += _entries(self.notation.algebra, tree, word, order)


def _entries(algebra: Algebra, tree: Tree, word: Word, order: list[str]) -> list[Tree]:
    """The entry of an array as numbers that are multiplied."""
    coefficient, numbers, below, arrays = algebra.gathered([tree])
    found = [num(coefficient), *numbers, *(Tree("div", (num(1), divisor)) for divisor in below)]
    if not arrays:
        return found
    inside = algebra.times(*arrays)
    if len(word) == 2:
        turned = algebra.transposed(inside)
        symmetric = turned == inside and order.index(word[0]) > order.index(word[1])
        if symmetric or _turns(turned) < _turns(inside):
            inside, word = turned, word[::-1]

    def entry(part: Tree, at: Word = word) -> list[Tree]:
        return _entries(algebra, part, at, order)

    if inside.op == "ones":
        return found
    if inside.op == "had":
        return [*found, *(n for part in inside.args for n in entry(part))]
    if inside.op == "hdiv":
        below = entry(inside.args[1])
        return [*found, *entry(inside.args[0]), *(Tree("div", (num(1), n)) for n in below)]
    if inside.op == "hpow":
        return [*found, *(algebra.power(n, inside.args[1]) for n in entry(inside.args[0]))]
    if len(word) == 2:
        parts = inside.args if inside.op == "times" else (inside,)
        if inside.op == "diag" and algebra.kind(inside) == MATRIX:
            return [*found, _delta(*word), *entry(inside.args[0], word[1:])]
        if parts[0].op == "diag" and algebra.kind(parts[0]) == MATRIX:
            return [*found, *entry(parts[0].args[0], word[:1]), *entry(algebra.times(*parts[1:]))]
        if parts[-1].op == "diag" and algebra.kind(parts[-1]) == MATRIX:
            return [*found, *entry(parts[-1].args[0], word[1:]), *entry(algebra.times(*parts[:-1]))]
        for place in range(1, len(parts)):
            column, row = algebra.times(*parts[:place]), algebra.times(*parts[place:])
            if algebra.kind(column) == COLUMN:
                return [*found, *entry(column, word[:1]), *entry(algebra.transposed(row), word[1:])]
    return [*found, Tree("at", (inside,), ",".join(word))]


def _delta(one: str, other: str) -> Tree:
    return Tree("at", (name("δ"),), f"{one},{other}")


def _is_delta(tree: Tree) -> bool:
    return tree.op == "at" and tree.args[0] == name("δ")


def _turns(tree: Tree) -> int:
    return (tree.op == "T") + sum(map(_turns, tree.args))


def _like_added(products: list[_Product]) -> list[_Product]:
    """2 a[k] + a[k] is 3 a[k]."""
    sums: dict[object, _Product] = {}
    for product in products:
        key = frozenset(product.above), frozenset(product.below), product.summed
        before = sums[key].coefficient if key in sums else 0.0
        sums[key] = replace(sums.get(key, product), coefficient=before + product.coefficient)
    return [product for product in sums.values() if product.coefficient]


def _sum(products: list[_Product]) -> str:
    """The sum of products; what all have in common stands in front of it."""
    if not products:
        return "0"
    products = sorted(products, key=lambda product: product.coefficient < 0)
    if len(products) > 1:
        common = _common(products)
        if common != _Product(1.0):
            return _text(common, _sum([_less(product, common) for product in products]))
    first, *others = map(_text, products)
    return first + "".join(f" − {o[1:]}" if o[0] == "−" else f" + {o}" for o in others)


def _common(products: list[_Product]) -> _Product:
    """What stands in every product, and is in no sum."""
    sizes = {abs(product.coefficient) for product in products}
    size = sizes.pop() if len(sizes) == 1 else 1.0
    size = -size if all(product.coefficient < 0 for product in products) else size
    summed = {letter for product in products for letter in product.summed}
    above, below = in_all([p.above for p in products]), in_all([p.below for p in products])
    above, below = ([n for n in found if not _letters(n) & summed] for found in (above, below))
    return _Product(size, tuple(above), tuple(below))


def _letters(tree: Tree) -> set[str]:
    mine = (
        set(tree.text.replace(" ", ",").replace("+", ",").split(",")) if tree.op == "at" else set()
    )
    return mine.union(*map(_letters, tree.args))


def _less(product: _Product, common: _Product) -> _Product:
    """What is left of a product."""
    return replace(
        product,
        coefficient=product.coefficient / common.coefficient,
        above=tuple(without(product.above, common.above)),
        below=tuple(without(product.below, common.below)),
    )


def _text(product: _Product, inside: str = "") -> str:
    """−2 Σ_k ‖x‖² a[k] b[k,i']/dim(k)"""
    size = abs(product.coefficient)
    parts = [fraction(size)] * (size != 1)
    parts += [f"Σ_{','.join(product.summed)}"] * bool(product.summed)
    parts += [printed_factor(number, POWER) for number in product.above]
    parts += [f"({inside})"] * bool(inside)
    text = " ".join(parts) or "1"
    below = [printed_factor(number, POWER) for number in product.below]
    if below:
        text += f"/{below[0] if len(below) == 1 else '(' + ' '.join(below) + ')'}"
    return f"−{text}" if product.coefficient < 0 else text


def _letter(want: str, names: Mapping[int, str]) -> str:
    taken = set(names.values())
    return next(c for c in (want, *ascii_lowercase) if c not in taken and c not in "n")
