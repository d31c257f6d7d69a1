"""A product of axes in matrix notation: axes are nodes, matrices edges, vectors stand at nodes.

    Σ_k W[k,i'] d[k]        Wᵀ d      a matrix leads to another axis
    u[k'] x[i']             u xᵀ      two axes that nothing joins
    u[k'] W[k',i']          diag(u) W
    Σ_{k,i} A[k,i] B[i,k]   tr(A B)   a ring
    Σ_p δ[p,J·k+j] x[p]     mat(x)    a vector that is read as a matrix, row by row

LookupError for what has none: more than two axes, or rings inside each other.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from ..ops.entry_trees import Tree, name, names_in, num, number_of, over
from .lowering import Entry, Lowered, Product, Whole
from .matrix_trees import COLUMN, MATRIX, NUMBER, Algebra
from .terms import DELTA, PAIR, TURNED, Axes, Factor, Term

Edge = tuple[Tree, int, int]
ALIASES = {"softmax": "p", "tanh": "h", "sigmoid": "s", "relu": "h", "inv": "P", "exp": "e"}
SHORTEST = 9  # signs of a part that is worth a name


class Notation:
    """How the values of a formula are written; `aliases` are parts that have a name of theirs."""

    def __init__(
        self, lowered: Lowered, letters: Mapping[int, str], symmetric: Collection[str] = ()
    ) -> None:
        self.lowered, self.letters = lowered, letters
        ranks = {value: len(d) for value, d in lowered.dimensions.items()}
        self.algebra = Algebra(ranks, symmetric)
        self.aliases: dict[str, str] = {}

    def name_value(self, value: str, alias: str) -> None:
        """From now on `value` is written as `alias`."""
        self.aliases[value] = alias
        self.algebra.ranks[alias] = len(self.lowered.dimensions[value])

    def derivative(self, terms: Collection[Term], out: Axes, dims: Sequence[int]) -> Tree:
        """The sum of the terms, over the axes `out`, which have the dimensions `dims`."""
        known = dict(zip(out, dims, strict=True))
        return self.algebra.added(
            [self.term(t, out, (self.lowered.dimensions_in(t) | known).__getitem__) for t in terms]
        )

    def value(self, value: str, spelled: bool = False) -> Tree:
        """A value written out; by its alias, unless it is `spelled` out."""
        if value in self.aliases and not spelled:
            return name(self.aliases[value])
        definition = self.lowered.definitions.get(value)
        which = self.lowered.selections.get(value)
        if which is not None and which.places == ":":
            return Tree("I", (), self.letters[self.lowered.dimensions[value][0]])
        if definition is None:
            return name(value)
        if isinstance(definition, Entry):
            return self.tree(definition.tree, spelled)
        if isinstance(definition, Whole):
            return self.algebra.whole(definition.function, *map(self.value, definition.of))
        assert isinstance(definition, Product)
        dimension = self.lowered.axis_dimensions(definition)
        lengths = [Tree("dim", (), str(dimension[axis])) for axis in definition.averaged]
        factors = tuple(Factor(over(num(1), length), ()) for length in lengths)
        factors += tuple(Factor(name(read), word) for read, word in definition.factors)
        coefficient, tree = self.term(Term(1.0, factors), definition.out, dimension.__getitem__)
        return self.algebra.added([(coefficient, tree)])

    def tree(self, tree: Tree, spelled: bool = False) -> Tree:
        """An entrywise formula, or another factor of a term, as it is written."""
        alias = None if spelled else self._alias_of(tree)
        if alias is not None:
            return name(alias)
        if tree.op == "name":
            return self.value(tree.text)
        if tree.op == "num":
            return tree
        if tree.op == "dim":
            return Tree("dim", (), self.letters[int(tree.text)])
        args = [self.tree(arg) for arg in tree.args]
        if tree.op == TURNED:
            return self.algebra.transposed(args[0])
        if tree.op in ("softmax", "inv", "e_max", "e_min"):
            return self.algebra.whole(tree.op, args[0])
        is_number = all(map(self.algebra.is_number, args))
        if tree.op == "f":
            if tree.text == "sqrt" and args[0].op == "sq":
                return Tree("norm", args[0].args)
            return Tree("f", (args[0],), tree.text)
        if tree.op == "neg":
            return self.algebra.times(num(-1), args[0])
        if tree.op == "**":
            return Tree("pow" if is_number else "hpow", tuple(args))
        if is_number or (tree.op in "*/" and self._has_scalar(tree.op, args)):
            return self._of_numbers(tree.op, args)
        args = self._spread(tree, args)
        if tree.op == "*":
            return self.algebra.had(args)
        if tree.op == "/":
            inverse = Tree("hdiv", (Tree("num", (), "1.0"), args[1]))
            return self.algebra.had([args[0], inverse]) if number_of(args[0]) != 1 else inverse
        return self.algebra.sum(tree.op, *args)

    def _has_scalar(self, op: str, args: list[Tree]) -> bool:
        kinds = list(map(self.algebra.kind, args))
        return kinds[1] == NUMBER or (op == "*" and NUMBER in kinds)

    def _of_numbers(self, op: str, args: list[Tree]) -> Tree:
        if op == "*":
            return self.algebra.times(*args)
        if op == "/":
            return self.algebra.over(*args)
        return self.algebra.sum(op, *args)

    def _spread(self, tree: Tree, args: list[Tree]) -> list[Tree]:
        """A vector that meets a matrix stands in each of its rows: 1_k bᵀ."""
        kinds = [self.algebra.kind(arg) for arg in args]
        if MATRIX not in kinds or COLUMN not in kinds:
            return args
        matrix = tree.args[kinds.index(MATRIX)]
        rows = next(d for n in names_in(matrix) if len(d := self.lowered.dimensions[n]) == 2)[0]
        ones = Tree("ones", (), self.letters[rows])
        return [
            self.algebra.times(ones, self.algebra.transposed(arg)) if kind == COLUMN else arg
            for arg, kind in zip(args, kinds, strict=True)
        ]

    def _alias_of(self, tree: Tree) -> str | None:
        for value, alias in self.aliases.items():
            definition = self.lowered.definitions.get(value)
            same = isinstance(definition, Entry) and definition.tree == tree
            if isinstance(definition, Whole):
                same = Tree(definition.function, tuple(map(name, definition.of))) == tree
            if same:
                return alias
        return None

    def term(self, term: Term, out: Axes, dimension: Callable[[int], int]) -> tuple[float, Tree]:
        """One product: its coefficient, and the rest in matrix notation."""
        return term.coefficient, _Graph(self, term, out, dimension).written()


class _Graph:
    """The factors of one term, used up one by one as they are written."""

    def __init__(
        self, notation: Notation, term: Term, out: Axes, dimension: Callable[[int], int]
    ) -> None:
        self.algebra, self.letters = notation.algebra, notation.letters
        self.out, self.dimension = out, dimension
        if len(out) > 2:
            raise LookupError("more than two axes")
        self.above: list[Tree] = []
        self.below: list[Tree] = []
        self.vectors: dict[int, list[Tree]] = {}
        self.edges: list[Edge] = []
        self.pairs = {f.axes[0]: f.axes[1:] for f in term.factors if f.tree.op == PAIR}
        for factor in term.factors:
            if factor.tree.op != PAIR:
                self._take(notation, factor)
        for axis in [axis for axis in self.pairs if axis not in out]:
            self._read_as_matrix(axis)

    def _take(self, notation: Notation, factor: Factor) -> None:
        axes = factor.axes
        if len(axes) > 2:
            raise LookupError("a factor of more than two axes")
        if factor.tree == DELTA:
            tree = Tree("I", (), self.letters[self.dimension(axes[0])])
        else:
            tree = notation.tree(factor.tree)
        if not axes:
            if tree.op == "div" and number_of(tree.args[0]) == 1:
                self.below.append(tree.args[1])
            else:
                self.above.append(tree)
        elif len(axes) == 1:
            self.vectors.setdefault(axes[0], []).append(tree)
        elif axes[0] == axes[1]:
            self.vectors.setdefault(axes[0], []).append(Tree("diag", (tree,)))
        else:
            self._join(tree, *axes)

    def _read_as_matrix(self, axis: int) -> None:
        """Σ_p x[p] δ[p,J·k+j] is an entry of x as a matrix [k,j]."""
        rows, columns = self.pairs.pop(axis)
        if axis not in self.vectors or any(axis in edge[1:] for edge in self.edges):
            raise LookupError("a product of dimensions that no vector alone has")
        letters = "".join(self.letters[self.dimension(a)] for a in (rows, columns))
        self._join(Tree("mat", (self.algebra.had(self.vectors.pop(axis)),), letters), rows, columns)

    def _join(self, tree: Tree, row: int, column: int) -> None:
        """Two matrices over the same axes are one, entry by entry."""
        for place, (other, a, b) in enumerate(self.edges):
            if {a, b} == {row, column}:
                turned = tree if (a, b) == (row, column) else self.algebra.transposed(tree)
                self.edges[place] = (self.algebra.had([other, turned]), a, b)
                return
        self.edges.append((tree, row, column))

    def written(self) -> Tree:
        body = self._body()
        while self.edges or self.vectors:
            self.above.append(self._component())
        parts = [*self.above, *([] if body is None else [body])]
        return self.algebra.times(*parts, *(Tree("div", (num(1), b)) for b in self.below))

    def _of_pairs(self) -> Tree:
        """A value over a product of dimensions: vec(…), or A ⊗ B of parts that share no axis."""
        if any(a in self.vectors or any(a in e[1:] for e in self.edges) for a in self.out):
            raise LookupError("a factor beside a product of dimensions")
        if len(self.out) == 1:
            self.out = self.pairs[self.out[0]][::-1]
            return self.algebra.whole("vec", self._body_of_axes())
        if not all(axis in self.pairs for axis in self.out):
            raise LookupError("three axes that stay")
        outs = tuple(zip(*(self.pairs[axis] for axis in self.out), strict=True))
        if self._reached(outs[0]) & {*outs[1]}:
            raise LookupError("a Kronecker product whose parts hang together")
        parts = []
        for self.out in outs:
            parts.append(self._body_of_axes())
        return self.algebra.whole("kron", *parts)

    def _reached(self, start: Axes) -> set[int]:
        """The axes that edges lead to."""
        found, before = {*start}, 0
        while len(found) > before:
            before = len(found)
            found |= {a for edge in self.edges if found & {*edge[1:]} for a in edge[1:]}
        return found

    def _body(self) -> Tree | None:
        if not self.out:
            return None
        return self._of_pairs() if self.pairs else self._body_of_axes()

    def _body_of_axes(self) -> Tree:
        if len(self.out) == 1:
            return self._column(self.out[0], set())
        way = self._way(*self.out)
        if way is None:
            left = self._column(self.out[0], {self.out[1]})
            right = self._column(self.out[1], {self.out[0]})
            return self.algebra.times(left, self.algebra.transposed(right))
        nodes = [self.out[0], *(end for _, end in way)]
        parts = []
        for place, node in enumerate(nodes):
            beside = self._at(node, set(nodes))
            if beside:
                parts.append(Tree("diag", (self.algebra.had(beside),)))
            parts += [tree for tree, _ in way[place : place + 1]]
        return self.algebra.times(*parts)

    def _column(self, axis: int, stop: set[int]) -> Tree:
        found = self._at(axis, stop)
        return self.algebra.had(found) if found else self._ones(axis)

    def _ones(self, axis: int) -> Tree:
        return Tree("ones", (), self.letters[self.dimension(axis)])

    def _at(self, axis: int, stop: set[int]) -> list[Tree]:
        """The vectors at an axis, and those that matrices bring there from other axes."""
        found = self.vectors.pop(axis, [])
        for edge in list(self.edges):
            tree, a, b = edge
            if edge not in self.edges or axis not in (a, b):
                continue
            other = b if a == axis else a
            if other in stop or other in self.out:
                continue
            self.edges.remove(edge)
            turned = tree if a == axis else self.algebra.transposed(tree)
            found.append(self.algebra.times(turned, self._column(other, stop | {axis})))
        return found

    def _way(self, start: int, end: int) -> list[tuple[Tree, int]] | None:
        """The matrices from one axis to another, each turned to run that way; they are used up."""
        todo: list[tuple[int, list[Edge]]] = [(start, [])]
        seen = {start}
        while todo:
            at, way = todo.pop(0)
            if at == end:
                return self._used(start, way)
            for edge in self.edges:
                if at in edge[1:]:
                    other = edge[2] if edge[1] == at else edge[1]
                    if other not in seen:
                        seen.add(other)
                        todo.append((other, [*way, edge]))
        return None

    def _used(self, start: int, way: list[Edge]) -> list[tuple[Tree, int]]:
        found, at = [], start
        for edge in way:
            self.edges.remove(edge)
            tree, a, b = edge
            found.append((tree if a == at else self.algebra.transposed(tree), b if a == at else a))
            at = found[-1][1]
        return found

    def _component(self) -> Tree:
        """What hangs together and has no axis that stays: a number."""
        if not self.vectors:
            return self._ring()
        ends = [a for a in self.vectors if sum(a in edge[1:] for edge in self.edges) < 2]
        start = (ends or list(self.vectors))[0]
        first, *more = self.vectors.pop(start)
        rest = [*more, *self._at(start, set())]
        if not rest and first.op == "diag" and self.algebra.kind(first) == COLUMN:
            return Tree("tr", first.args)
        if not rest:
            return self.algebra.times(self.algebra.transposed(self._ones(start)), first)
        return self.algebra.total(first, self.algebra.had(rest))

    def _ring(self) -> Tree:
        tree, a, b = self.edges.pop(0)
        way = self._way(b, a)
        if way is None:
            if tree.op == "had" and len(tree.args) == 2:
                one, other = tree.args
                if one == other:
                    return Tree("sq", (one,))
                turned = self.algebra.transposed
                ways = (
                    self.algebra.times(turned(one), other),
                    self.algebra.times(one, turned(other)),
                )
                return Tree("tr", (min(ways, key=lambda way: str(way).count("'T'")),))
            left, right = self._column(a, {b}), self._column(b, {a})
            return self.algebra.times(self.algebra.transposed(left), tree, right)
        nodes = {end for _, end in way}
        if any(n in e[1:] for e in self.edges for n in nodes):
            raise LookupError("rings inside each other")
        return Tree("tr", (self.algebra.times(tree, *(t for t, _ in way)),))
