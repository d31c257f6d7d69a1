"""Matrix algebra as trees, built in the form in which a reader would write it: (A B)ᵀ = Bᵀ Aᵀ.

A tree here is what is written; vectors are columns. Its operations:

    times a b …    the matrix product; a number in front of it
    had a b …      ⊙, entry by entry
    hdiv, hpow     ⊘ and a power, entry by entry; div and pow of numbers
    kron a b       ⊗; vec, mat (columns below one another, rows of a vector)
    T, inv, diag, tr, sq (‖a‖²), norm (‖a‖), ones (1_k), I, dim, f and other functions
    at             an entry of an array, a[k,i], which is a number
"""

import math
from collections.abc import Collection, Mapping
from functools import reduce
from itertools import pairwise

from ..ops.entry_trees import Tree, num, number_of
from .like_factors import entry_by_entry, gathered_powers, in_all, is_ones, one_power, without

NUMBER, COLUMN, ROW, MATRIX = "number", "column", "row", "matrix"
_BY_RANK = (NUMBER, COLUMN, MATRIX)
_NUMBERS = ("num", "dim", "tr", "sq", "norm", "det", "logdet", "max", "min", "at")


class Algebra:
    """Products, sums and transposes, told the ranks of names and which matrices are symmetric."""

    def __init__(self, ranks: Mapping[str, int], symmetric: Collection[str]) -> None:
        self.ranks, self.symmetric = dict(ranks), {*symmetric}

    def kind(self, tree: Tree) -> str:
        """A number, a column, a row or a matrix."""
        if tree.op == "name":
            return _BY_RANK[self.ranks[tree.text]]
        if tree.op in _NUMBERS:
            return NUMBER
        if tree.op in ("ones", "vec"):
            return COLUMN
        if tree.op in ("I", "inv", "kron", "mat"):
            return MATRIX
        kinds = [self.kind(arg) for arg in tree.args]
        if tree.op == "T":
            return {COLUMN: ROW, ROW: COLUMN}.get(kinds[0], kinds[0])
        if tree.op == "diag":
            return COLUMN if kinds[0] == MATRIX else MATRIX
        if tree.op == "logsumexp":
            return COLUMN if kinds[0] == MATRIX else NUMBER
        if tree.op == "times":
            return reduce(_product_kind, kinds)
        return max(kinds, key=[NUMBER, COLUMN, ROW, MATRIX].index)

    def whole(self, function: str, *inside: Tree) -> Tree:
        """A function of arrays as a whole; an inverse of an inverse is what it was."""
        if function == "inv":
            outer, inner = inside[0], inside[0].args[0] if inside[0].op == "T" else inside[0]
            if inner.op == "inv":
                return inner.args[0] if inner is outer else self.transposed(inner.args[0])
        return Tree(function, inside)

    def is_number(self, tree: Tree) -> bool:
        """Whether it is a number."""
        return self.kind(tree) == NUMBER

    def times(self, *parts: Tree) -> Tree:
        """The matrix product: its sign, its numbers, its arrays; what divides stands below."""
        coefficient, numbers, below, arrays = self.gathered(parts)
        arrays = [a for a in _cancelled(arrays) if a.op != "I"] or arrays[:1]
        arrays = self._diagonals_joined(arrays)
        if len(arrays) > 1 and self._is_diagonal(arrays[0]):
            column = arrays[1] if len(arrays) == 2 else Tree("times", tuple(arrays[1:]))
            if self.kind(column) == COLUMN:  # diag(u) v is u ⊙ v
                inside = self.had([arrays[0].args[0], column])
                divided = [Tree("div", (num(1), divisor)) for divisor in below]
                return self.times(num(coefficient), *numbers, inside, *divided)
        if below and coefficient and abs(coefficient) < 1 and (1 / coefficient).is_integer():
            below, coefficient = [num(1 / abs(coefficient)), *below], math.copysign(1, coefficient)
        kept = [*([num(abs(coefficient))] if abs(coefficient) != 1 else []), *numbers, *arrays]
        whole = num(1) if not kept else kept[0] if len(kept) == 1 else Tree("times", tuple(kept))
        if below:
            under = below[0] if len(below) == 1 else Tree("times", tuple(below))
            whole = Tree("div", (whole, under))
        return Tree("neg", (whole,)) if coefficient < 0 else whole

    def _diagonals_joined(self, arrays: list[Tree]) -> list[Tree]:
        """diag(u) diag(v) is diag(u ⊙ v)."""
        for place, both in enumerate(pairwise(arrays)):
            if all(map(self._is_diagonal, both)):
                inside = self.had([both[0].args[0], both[1].args[0]])
                joined = [*arrays[:place], Tree("diag", (inside,)), *arrays[place + 2 :]]
                return self._diagonals_joined(joined)
        return arrays

    def gathered(self, parts: Collection[Tree]) -> tuple[float, list[Tree], list[Tree], list[Tree]]:
        """A product's coefficient, other numbers and what divides it, each once, and its arrays."""
        coefficient, numbers, below, arrays = self._gathered(parts)
        numbers, below = gathered_powers(numbers, below, self._is_one_number, entries=False)
        return coefficient, numbers, below, arrays

    def _is_one_number(self, one: Tree, other: Tree) -> bool:
        """Whether two are the same number: xᵀ y is yᵀ x."""
        if one == other:
            return True
        return one.op == other.op == "times" and one == self._turned_round(other)

    def _turned_round(self, product: Tree) -> Tree:
        return self.times(*map(self.transposed, reversed(product.args)))

    def _gathered(
        self, parts: Collection[Tree]
    ) -> tuple[float, list[Tree], list[Tree], list[Tree]]:
        """The same, with what occurs twice."""
        coefficient = 1.0
        numbers: list[Tree] = []
        below: list[Tree] = []
        arrays: list[Tree] = []
        for part in parts:
            value = number_of(part)
            if value is not None:
                coefficient *= value
            elif part.op in ("neg", "div") or (part.op == "times" and not self.is_number(part)):
                inside = part.args[:1] if part.op in ("neg", "div") else part.args
                c, more, under, rest = self._gathered(inside)
                coefficient *= -c if part.op == "neg" else c
                numbers, below, arrays = numbers + more, below + under, arrays + rest
                if part.op == "div":
                    divisor, factors, over, _ = self._gathered(part.args[1:])
                    coefficient, numbers = coefficient / divisor, numbers + over
                    below += factors
            elif part.op == "times":
                c, more, under, rest = self._gathered(part.args)
                coefficient, numbers, below = coefficient * c, numbers + more, below + under
                numbers += [rest[0] if len(rest) == 1 else Tree("times", tuple(rest))] * bool(rest)
            elif part.op == "diag":
                c, more, under, rest = self._gathered(part.args)
                coefficient, numbers, below = coefficient * c, numbers + more, below + under
                whole = rest[0] if len(rest) == 1 else Tree("times", tuple(rest))
                if whole.op == "ones":
                    arrays.append(Tree("I", (), whole.text))
                else:
                    arrays.append(Tree("diag", (whole,)) if rest else part)
            else:
                (numbers if self.is_number(part) else arrays).append(part)
        return coefficient, numbers, below, arrays

    def over(self, above: Tree, below: Tree) -> Tree:
        """A quotient whose divisor is a number."""
        return self.times(above, Tree("div", (num(1), below)))

    def sum(self, sign: str, left: Tree, right: Tree) -> Tree:
        """left + right, or left − right, without parentheses around sums; 2 a for a + a."""
        terms = [*_terms(left), *_terms(right, 1.0 if sign == "+" else -1.0)]
        apart = [piece for c, term in terms for piece in self._distributed(c, term)]
        merged = self._like_added(apart)
        if merged and len(merged) < len(apart):
            return self.added(merged)
        found: Tree | None = None
        for coefficient, term in terms:
            if found is None:
                found = self.times(num(coefficient), term)
            else:
                found = Tree("+" if coefficient > 0 else "-", (found, term))
        return found or num(0)

    def _distributed(self, coefficient: float, tree: Tree) -> list[tuple[float, Tree]]:
        """2 (a − b) as 2 a − 2 b."""
        c, numbers, below, arrays = self.gathered([tree])
        others = [*numbers, *arrays]
        if len(others) != 1 or below or others[0].op not in "+-":
            return [(coefficient, tree)]
        return [
            piece
            for sign, term in _terms(others[0], coefficient * c)
            for piece in self._distributed(sign, term)
        ]

    def had(self, parts: Collection[Tree]) -> Tree:
        """Entry by entry; numbers stand in front, and a factor 1_k ⊘ x divides."""
        coefficient, numbers, below, arrays = 1.0, list[Tree](), list[Tree](), list[Tree]()
        before, behind = list[Tree](), list[Tree]()
        for part in parts:
            c, more, under, rest = self._gathered([part])
            coefficient, numbers, below = coefficient * c, numbers + more, below + under
            if len(rest) > 1 and self._is_diagonal(rest[0]):
                before, rest = [*before, rest[0]], rest[1:]
            if len(rest) > 1 and self._is_diagonal(rest[-1]):
                behind, rest = [*behind, rest[-1]], rest[:-1]
            if rest:
                arrays.append(rest[0] if len(rest) == 1 else Tree("times", tuple(rest)))
        body = [entry_by_entry(arrays)] if arrays else []
        divided = [Tree("div", (num(1), b)) for b in below]
        return self.times(num(coefficient), *numbers, *before, *body, *behind, *divided)

    def _is_diagonal(self, tree: Tree) -> bool:
        """(diag(u) A) ⊙ B is diag(u) (A ⊙ B)."""
        return tree.op == "diag" and self.kind(tree) == MATRIX

    def power(self, base: Tree, exponent: Tree) -> Tree:
        """A power of a number, or of each entry: (2 x ⊘ y)^∘2 is 4 x^∘2 ⊘ y^∘2."""
        power = "pow" if self.is_number(base) else "hpow"
        value = float(exponent.text)
        if number_of(base) is not None:
            return num(float(base.text) ** value)
        if base.op == "times" and power == "pow" and value.is_integer():
            c, numbers, below, _ = self.gathered([base])
            if len(numbers) + len(below) > 1 or c != 1:
                above = [self.power(number, exponent) for number in numbers]
                under = [Tree("div", (num(1), self.power(n, exponent))) for n in below]
                return self.times(num(c**value), *above, *under)
        if base.op == "div" and value.is_integer():
            return self.over(*(self.power(part, exponent) for part in base.args))
        if base.op == "hdiv" and value.is_integer():
            top, bottom = base.args
            top = top if is_ones(top) else self.power(top, exponent)
            return self.had([Tree("hdiv", (top, self.power(bottom, exponent)))])
        return one_power(Tree(power, (base, exponent)))

    def transposed(self, tree: Tree) -> Tree:
        """The transposed array, as it is written."""
        if tree.op == "T":
            return tree.args[0]
        if tree.op == "name" and tree.text in self.symmetric:
            return tree
        if (
            self.is_number(tree)
            or tree.op == "I"
            or (tree.op == "diag" and self.kind(tree) == MATRIX)
        ):
            return tree
        if tree.op == "times":
            return self.times(*map(self.transposed, reversed(tree.args)))
        if tree.op == "inv":
            return self.whole("inv", self.transposed(tree.args[0]))
        if tree.op == "kron":
            return Tree("kron", tuple(map(self.transposed, tree.args)))
        if tree.op == "neg":
            return Tree("neg", (self.transposed(tree.args[0]),))
        if tree.op == "div":
            return self.over(self.transposed(tree.args[0]), tree.args[1])
        if tree.op in ("had", "hpow", "f") and self.kind(tree) == MATRIX:
            arrays = tree.args[:1] if tree.op == "hpow" else tree.args
            if all(self.transposed(array) == array for array in arrays):
                return tree
        if tree.op in ("+", "-") and self.kind(tree) == MATRIX:
            left, right = map(self.transposed, tree.args)
            symmetric = (left, right) == tree.args  # or M + Mᵀ, which is itself too
            if symmetric or (tree.op == "+" and (right, left) == tree.args and not _plain(left)):
                return tree
            if not all(map(_plain, tree.args)):
                return Tree("T", (tree,))
            if tree.op == "+" and left == Tree("T", (right,)):
                return Tree("+", (right, left))  # A + Aᵀ is itself
            return Tree(tree.op, (left, right))
        return Tree("T", (tree,))

    def total(self, first: Tree, second: Tree) -> Tree:
        """The inner product of two columns."""
        if first == second:
            return Tree("sq", (first,))
        return self.times(self.transposed(first), second)

    def added(self, terms: Collection[tuple[float, Tree]]) -> Tree:
        """The sum of terms with their coefficients; what all have in common stands in front."""
        ordered = sorted(self._like_added(terms), key=lambda term: term[0] < 0)
        if len(ordered) > 1:
            sizes = {abs(c) for c, _ in ordered}
            size = sizes.pop() if len(sizes) == 1 else 1.0
            size = -size if all(c < 0 for c, _ in ordered) else size
            if size != 1:
                return self.times(num(size), self.added([(c / size, t) for c, t in ordered]))
            outside = self._common_numbers(ordered)
            if outside is not None:
                return outside
            for side in (0, -1):
                outside = self._common(ordered, side)
                if outside is not None:
                    return outside
        total: Tree | None = None
        for coefficient, tree in ordered:
            if total is None:
                total = self.times(num(coefficient), tree)
            else:
                term = self.times(num(abs(coefficient)), tree)
                total = self.sum("-" if coefficient < 0 else "+", total, term)
        return total or num(0)

    def _like_added(self, terms: Collection[tuple[float, Tree]]) -> list[tuple[float, Tree]]:
        """2 a + a is 3 a; diag(u) + diag(v) is diag(u + v)."""
        sums: dict[str, tuple[float, Tree]] = {}
        for coefficient, tree in terms:
            c, numbers, below, arrays = self.gathered([tree])
            divided = [Tree("div", (num(1), divisor)) for divisor in below]
            bare = self.times(*numbers, *arrays, *divided)
            key = self._in_one_order(bare)
            before, first = sums.get(key, (0.0, bare))
            sums[key] = before + coefficient * c, first
        added = [(c, tree) for c, tree in sums.values() if c]
        diagonals = [term for term in added if self._is_diagonal(term[1])]
        if len(diagonals) < 2:
            return added
        inside = self.added([(c, tree.args[0]) for c, tree in diagonals])
        others = [term for term in added if term not in diagonals]
        return [(1.0, self.times(Tree("diag", (inside,)))), *others]

    def _in_one_order(self, tree: Tree) -> str:
        """A text that is the same for x ⊙ y and y ⊙ x, and for λ μ and μ λ."""
        args = list(tree.args)
        if tree.op == "times":
            numbers = [arg for arg in args if self.is_number(arg)]
            args = sorted(numbers, key=str) + [arg for arg in args if not self.is_number(arg)]
        texts = [self._in_one_order(arg) for arg in args]
        return f"{tree.op} {tree.text}({','.join(sorted(texts) if tree.op == 'had' else texts)})"

    def _common_numbers(self, terms: list[tuple[float, Tree]]) -> Tree | None:
        """λ a + λ b = λ (a + b), and a/c + b/c = (a + b)/c."""
        found = [self.gathered([tree]) for _, tree in terms]
        numbers = in_all([numbers for _, numbers, _, _ in found])
        below = in_all([below for _, _, below, _ in found])
        if not numbers and not below:
            return None
        inside = []
        for (coefficient, _), (c, mine, under, arrays) in zip(terms, found, strict=True):
            divided = [Tree("div", (num(1), divisor)) for divisor in without(under, below)]
            tree = self.times(*without(mine, numbers), *arrays, *divided)
            inside.append((coefficient * c, tree))
        divided = [Tree("div", (num(1), divisor)) for divisor in below]
        return self.times(*numbers, self.added(inside), *divided)

    def _common(self, terms: list[tuple[float, Tree]], side: int) -> Tree | None:
        """A x + B x = (A + B) x, where every term has at least two arrays, and one in common."""
        found = []
        for coefficient, tree in terms:
            c, numbers, below, arrays = self._gathered([tree])
            if len(arrays) < 2 or below:
                return None
            found.append((coefficient * c, numbers, arrays))
        outside = found[0][2][side]
        if any(arrays[side] != outside for _, _, arrays in found):
            return None
        kept = slice(1, None) if side == 0 else slice(None, -1)
        inside = self.added([(c, self.times(*n, *arrays[kept])) for c, n, arrays in found])
        return self.times(outside, inside) if side == 0 else self.times(inside, outside)


def _terms(tree: Tree, sign: float = 1.0) -> list[tuple[float, Tree]]:
    """a − (b − c) as a, −b, c."""
    if tree.op in ("+", "-"):
        second = sign if tree.op == "+" else -sign
        return [*_terms(tree.args[0], sign), *_terms(tree.args[1], second)]
    return _terms(tree.args[0], -sign) if tree.op == "neg" else [(sign, tree)]


def _cancelled(arrays: list[Tree]) -> list[Tree]:
    """A⁻¹ A B as B."""
    for place, (one, two) in enumerate(pairwise(arrays)):
        others = arrays[:place] + arrays[place + 2 :]
        if others and (one == Tree("inv", (two,)) or two == Tree("inv", (one,))):
            return _cancelled(others)
    return arrays


def _plain(tree: Tree) -> bool:
    return tree.op == "name" or (tree.op == "T" and tree.args[0].op == "name")


def _product_kind(left: str, right: str) -> str:
    if NUMBER in (left, right):
        return right if left == NUMBER else left
    found = {
        (ROW, COLUMN): NUMBER,
        (COLUMN, ROW): MATRIX,
        (MATRIX, COLUMN): COLUMN,
        (ROW, MATRIX): ROW,
    }
    return found.get((left, right), MATRIX)
