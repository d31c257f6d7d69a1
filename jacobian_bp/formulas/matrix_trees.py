"""Matrix algebra as trees, built in the form in which a reader would write it: (A B)ᵀ = Bᵀ Aᵀ.

A tree here is what is written; vectors are columns. Its operations:

    times a b …    the matrix product; a number in front of it
    had a b …      ⊙, entry by entry
    hdiv, hpow     ⊘ and a power, entry by entry; div and pow of numbers
    kron a b       ⊗; vec, mat (columns below one another, rows of a vector)
    T, inv, diag, tr, sq (‖a‖²), norm (‖a‖), ones (1_k), I, dim, f and other functions
"""

from collections.abc import Collection, Mapping
from functools import reduce
from itertools import pairwise

from ..ops.entry_trees import Tree, num, number_of

NUMBER, COLUMN, ROW, MATRIX = "number", "column", "row", "matrix"
_BY_RANK = (NUMBER, COLUMN, MATRIX)
_NUMBERS = ("num", "dim", "tr", "sq", "norm", "det", "logdet", "max", "min")


class Algebra:
    """Products, sums and transposes, told the ranks of names and which matrices are symmetric."""

    def __init__(self, ranks: Mapping[str, int], symmetric: Collection[str]) -> None:
        self.ranks, self.symmetric = dict(ranks), symmetric

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
        coefficient, numbers, below, arrays = self._gathered(parts)
        arrays = [a for a in _cancelled(arrays) if a.op != "I"] or arrays[:1]
        numbers = _powers_of_numbers(numbers)
        kept = [*([num(abs(coefficient))] if abs(coefficient) != 1 else []), *numbers, *arrays]
        whole = num(1) if not kept else kept[0] if len(kept) == 1 else Tree("times", tuple(kept))
        if below:
            whole = Tree("div", (whole, self.times(*_powers(below))))
        return Tree("neg", (whole,)) if coefficient < 0 else whole

    def _gathered(
        self, parts: Collection[Tree]
    ) -> tuple[float, list[Tree], list[Tree], list[Tree]]:
        """A product's coefficient, its other numbers, what divides it, and its arrays."""
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
                below += list(part.args[1:]) if part.op == "div" else []
            elif part.op == "times":
                c, more, under, rest = self._gathered(part.args)
                coefficient, numbers, below = coefficient * c, numbers + more, below + under
                numbers += [rest[0] if len(rest) == 1 else Tree("times", tuple(rest))] * bool(rest)
            else:
                (numbers if self.is_number(part) else arrays).append(part)
        return coefficient, numbers, below, arrays

    def over(self, above: Tree, below: Tree) -> Tree:
        """A quotient whose divisor is a number."""
        return self.times(above, Tree("div", (num(1), below)))

    def sum(self, sign: str, left: Tree, right: Tree) -> Tree:
        """left + right, or left − right; 2 a for a + a."""
        if left == right and sign == "+":
            return self.times(num(2), left)
        if right.op == "neg":
            return Tree({"+": "-", "-": "+"}[sign], (left, right.args[0]))
        return Tree(sign, (left, right))

    def had(self, parts: Collection[Tree]) -> Tree:
        """Entry by entry; a factor 1 ⊘ x divides."""
        if any(part.op == "neg" for part in parts):
            sign = sum(part.op == "neg" for part in parts) % 2
            inside = self.had([part.args[0] if part.op == "neg" else part for part in parts])
            return Tree("neg", (inside,)) if sign else inside
        flat = [piece for part in parts for piece in (part.args if part.op == "had" else (part,))]
        above = [p for p in flat if not _is_inverse(p)]
        below = [p.args[1] for p in flat if _is_inverse(p)]
        top = num(1) if not above else above[0] if len(above) == 1 else Tree("had", tuple(above))
        if not below:
            return top
        bottom = below[0] if len(below) == 1 else Tree("had", tuple(below))
        return Tree("hdiv", (top, bottom))

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
        if tree.op in ("+", "-") and self.kind(tree) == MATRIX and all(map(_plain, tree.args)):
            return Tree(tree.op, tuple(map(self.transposed, tree.args)))
        return Tree("T", (tree,))

    def total(self, first: Tree, second: Tree) -> Tree:
        """The inner product of two columns."""
        if first == second:
            return Tree("sq", (first,))
        return self.times(self.transposed(first), second)

    def added(self, terms: Collection[tuple[float, Tree]]) -> Tree:
        """The sum of terms with their coefficients; what all have in common stands in front."""
        ordered = sorted(terms, key=lambda term: term[0] < 0)
        if len(ordered) > 1:
            sizes = {abs(c) for c, _ in ordered}
            if len(sizes) == 1 and sizes != {1.0}:
                inside = self.added([(c / max(sizes), t) for c, t in ordered])
                return self.times(num(max(sizes)), inside)
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


def _cancelled(arrays: list[Tree]) -> list[Tree]:
    """A⁻¹ A B as B."""
    for place, (one, two) in enumerate(pairwise(arrays)):
        others = arrays[:place] + arrays[place + 2 :]
        if others and (one == Tree("inv", (two,)) or two == Tree("inv", (one,))):
            return _cancelled(others)
    return arrays


def _powers_of_numbers(numbers: list[Tree]) -> list[Tree]:
    """det(X) det(X) as det(X)²."""
    found = [(one, numbers.count(one)) for one in dict.fromkeys(numbers)]
    return [one if n == 1 else Tree("pow", (one, num(n))) for one, n in found]


def _plain(tree: Tree) -> bool:
    return tree.op == "name" or (tree.op == "T" and tree.args[0].op == "name")


def _powers(factors: list[Tree]) -> list[Tree]:
    """‖x‖² ‖x‖ as ‖x‖³."""
    exponents: dict[Tree, float] = {}
    for factor in factors:
        base, exponent = factor, 1.0
        if factor.op == "sq":
            base, exponent = Tree("norm", factor.args), 2.0
        elif factor.op == "pow":
            base, exponent = factor.args[0], float(factor.args[1].text)
        exponents[base] = exponents.get(base, 0) + exponent
    found = []
    for base, exponent in exponents.items():
        if exponent == 2 and base.op == "norm":
            found.append(Tree("sq", base.args))
        else:
            found.append(base if exponent == 1 else Tree("pow", (base, num(exponent))))
    return found


def _is_inverse(tree: Tree) -> bool:
    return tree.op == "hdiv" and number_of(tree.args[0]) == 1


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
