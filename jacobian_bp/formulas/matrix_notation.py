"""A product of axes in matrix notation: axes are nodes, matrices edges, vectors stand at nodes.

    Σ_k W[k,i'] d[k]        Wᵀ d      a matrix leads to another axis
    u[k'] x[i']             u xᵀ      two axes that nothing joins
    u[k'] W[k',i']          diag(u) W
    Σ_{k,i} A[k,i] B[i,k]   tr(A B)   a ring
    Σ_i A[k,i] B[i,k]       diag(A B) a ring at an axis that stays
    Σ_p δ[p,J·k+j] x[p]     mat(x)    a vector that is read as a matrix, row by row

LookupError for what has none: more than two axes, or rings inside each other.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from ..ops.entry_trees import Tree, name, num, number_of, over
from .lowering import Entry, Lowered, Product, Whole
from .matrix_trees import COLUMN, MATRIX, Algebra
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
        self.aliases: dict[Tree, str] = {}

    def name_part(self, part: Tree, alias: str) -> None:
        """From now on a part, a tree over values, is written as `alias`."""
        written = self.tree(part)
        self.aliases[part] = alias
        self.algebra.ranks[alias] = len(self.lowered.axes_of(part))
        if self.algebra.kind(written) == MATRIX and self.algebra.transposed(written) == written:
            self.algebra.symmetric.add(alias)

    def derivative(self, terms: Collection[Term], out: Axes, dims: Sequence[int]) -> Tree:
        """The sum of the terms, over the axes `out`, which have the dimensions `dims`."""
        known = dict(zip(out, dims, strict=True))
        return self.algebra.added(
            [self.term(t, out, (self.lowered.dimensions_in(t) | known).__getitem__) for t in terms]
        )

    def value(self, value: str, spelled: bool = False) -> Tree:
        """A value written out; by its alias, unless it is `spelled` out."""
        if name(value) in self.aliases and not spelled:
            return name(self.aliases[name(value)])
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
            return self.value(tree.text, spelled)
        if tree.op == "num":
            return tree
        if tree.op == "dim":
            return Tree("dim", (), self.letters[int(tree.text)])
        args = [self.tree(arg) for arg in tree.args]
        if tree.op == TURNED:
            return self.algebra.transposed(args[0])
        if tree.op in ("softmax", "inv", "e_max", "e_min"):
            return self.algebra.whole(tree.op, args[0])
        if tree.op == "f":
            if tree.text == "sqrt" and args[0].op == "sq":
                return Tree("norm", args[0].args)
            return Tree("f", (args[0],), tree.text)
        if tree.op == "neg":
            return self.algebra.times(num(-1), args[0])
        if tree.op == "**":
            return self.algebra.power(*args)
        if tree.op == "*" and any(map(self.algebra.is_number, args)):
            return self.algebra.times(*args)
        if tree.op == "/" and self.algebra.is_number(args[1]):
            return self.algebra.over(*args)
        one, other = self._spread(tree, args)
        ranks = [len(self.lowered.axes_of(arg)) for arg in tree.args]
        if tree.op in "*/" and ranks == [2, 1]:  # each column has its factor
            column = args[1] if tree.op == "*" else self._divided(tree.args[1], args[1])
            return self.algebra.times(args[0], Tree("diag", (column,)))
        if tree.op == "*" and ranks == [1, 2]:
            return self.algebra.times(args[1], Tree("diag", (args[0],)))
        if tree.op == "*":
            return self.algebra.had([one, other])
        if tree.op == "/":
            return self.algebra.had([one, self._divided(tree, other)])
        return self.algebra.sum(tree.op, one, other)

    def _spread(self, tree: Tree, args: list[Tree]) -> list[Tree]:
        """What has fewer axes than it meets is written as wide: 2 1_k, and 1_k bᵀ in each row."""
        axes = self.lowered.axes_of(tree)
        found = []
        for entry, arg in zip(tree.args, args, strict=True):
            count = len(self.lowered.axes_of(entry))
            missing = self._ones(axes[: len(axes) - count])
            if count == len(axes):
                found.append(arg)
            elif count:
                found.append(self.algebra.times(missing, self.algebra.transposed(arg)))
            else:
                found.append(self.algebra.times(arg, missing))
        return found

    def _divided(self, entry: Tree, array: Tree) -> Tree:
        """1_k ⊘ x, as wide as an entrywise tree."""
        return self.algebra.had([Tree("hdiv", (self._ones(self.lowered.axes_of(entry)), array))])

    def _ones(self, dimensions: Sequence[int]) -> Tree:
        """1_k, or 1_k 1_iᵀ."""
        columns = [Tree("ones", (), self.letters[d]) for d in dimensions]
        return self.algebra.times(*columns[:1], *map(self.algebra.transposed, columns[1:]))

    def _alias_of(self, tree: Tree) -> str | None:
        if tree in self.aliases:
            return self.aliases[tree]
        for part, alias in self.aliases.items():
            definition = self.lowered.definitions.get(part.text) if part.op == "name" else None
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
        self.places = notation.lowered.selections
        self.done: set[int] = set()  # axes at which all is written
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
        elif axes[0] == axes[1] and factor.tree == DELTA:  # δ[k,k] is 1
            self.vectors.setdefault(axes[0], []).append(self._ones(axes[0]))
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
                both = self.algebra.had([other, turned])
                if other == turned:
                    both = Tree("hpow", (other, num(2)))
                self.edges[place] = (both, a, b)
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
        self._shorten()
        way = self._way(self.out[0], self.out[1])
        if way is None:
            left = self._column(self.out[0], {self.out[1]})
            right = self._column(self.out[1], {self.out[0]})
            return self.algebra.times(left, self.algebra.transposed(right))
        nodes = {self.out[0], *(end for _, end in way)}
        first = self._decoration(self.out[0], nodes)
        return self.algebra.times(*first, *self._along(way, nodes))

    def _shorten(self) -> None:
        """Where two ways lead from axis to axis, each becomes one matrix, until they are one.

        Σ_m T[m,k'] P[m,i'] R[k',i']     (Tᵀ P)[k',i'] R[k',i']
        """
        while self._has_ring():
            inner = dict.fromkeys(a for edge in self.edges for a in edge[1:] if a not in self.out)
            few = (axis for axis in inner if sum(axis in edge[1:] for edge in self.edges) < 3)
            axis = next(few, None)
            if axis is None:
                raise LookupError("rings inside each other")
            ends = [edge for edge in self.edges if axis in edge[1:]]
            self.edges = [edge for edge in self.edges if edge not in ends]
            here = self.vectors.pop(axis, [])
            ways = [
                (m if b == axis else self.algebra.transposed(m), a + b - axis) for m, a, b in ends
            ]
            if len(ways) == 1:
                column = self.algebra.had(here) if here else self._ones(axis)
                self.vectors.setdefault(ways[0][1], []).append(
                    self.algebra.times(ways[0][0], column)
                )
            else:
                (left, start), (right, end) = ways
                middle = [Tree("diag", (self.algebra.had(here),))] if here else []
                tree = self.algebra.times(left, *middle, self.algebra.transposed(right))
                self._join(tree, start, end)

    def _has_ring(self) -> bool:
        """Whether there are two ways from an axis to another."""
        group = {a: a for edge in self.edges for a in edge[1:]}
        for _, a, b in self.edges:
            one, other = group[a], group[b]
            if one == other:
                return True
            group = {axis: one if g == other else g for axis, g in group.items()}
        return False

    def _along(self, way: list[tuple[Tree, int]], nodes: set[int]) -> list[Tree]:
        """The matrices of a way, behind each what stands at the axis to which it leads."""
        return [part for tree, end in way for part in (tree, *self._decoration(end, nodes))]

    def _decoration(self, node: int, nodes: set[int]) -> list[Tree]:
        beside = self._at(node, nodes)
        return [Tree("diag", (self.algebra.had(beside),))] if beside else []

    def _column(self, axis: int, stop: set[int]) -> Tree:
        found = self._at(axis, stop)
        return self.algebra.had(found) if found else self._ones(axis)

    def _ones(self, axis: int) -> Tree:
        return Tree("ones", (), self.letters[self.dimension(axis)])

    def _at(self, axis: int, stop: set[int]) -> list[Tree]:
        """The vectors at an axis, and those that matrices bring there from other axes."""
        found = self.vectors.pop(axis, [])
        self.done.add(axis)
        for edge in list(self.edges):
            tree, a, b = edge
            if edge not in self.edges or axis not in (a, b):
                continue
            other = b if a == axis else a
            if other in stop or other in self.out:
                continue
            if other in self.done:
                raise LookupError("rings inside each other")
            self.edges.remove(edge)
            turned = tree if a == axis else self.algebra.transposed(tree)
            back = self._way(other, axis, (stop | {*self.out}) - {axis})
            if back is None:
                found.append(self.algebra.times(turned, self._column(other, stop | {axis})))
            else:  # a ring at this axis: the diagonal of its product
                nodes = stop | {axis, other, *(end for _, end in back)}
                ring = turned, *self._decoration(other, nodes), *self._along(back[:-1], nodes)
                found.append(Tree("diag", (self.algebra.times(*ring, back[-1][0]),)))
        return found

    def _way(
        self, start: int, end: int, around: Collection[int] = ()
    ) -> list[tuple[Tree, int]] | None:
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
                    if other not in seen and other not in around:
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
        if self.done & {*self.vectors, *(end for edge in self.edges for end in edge[1:])}:
            raise LookupError("rings inside each other")
        if not self.vectors:
            return self._ring()
        ends = [a for a in self.vectors if sum(a in edge[1:] for edge in self.edges) < 2]
        start = (ends or list(self.vectors))[0]
        first, *more = self.vectors.pop(start)
        rest = [*more, *self._at(start, set())]
        if not rest and first.op == "diag" and self.algebra.kind(first) == COLUMN:
            return Tree("tr", first.args)
        if not rest and first.op == "name" and first.text in self.places:
            return num(1)  # the sum of e_0, which is 1 at one place
        if not rest:
            return self.algebra.times(self.algebra.transposed(self._ones(start)), first)
        return self.algebra.total(first, self.algebra.had(rest))

    def _ring(self) -> Tree:
        tree, a, b = self.edges.pop(0)
        way = self._way(b, a)
        alone = not any({a, b} & {*edge[1:]} for edge in self.edges)
        if way is None:
            if alone and tree.op == "hpow" and number_of(tree.args[1]) == 2:
                return Tree("sq", tree.args[:1])
            if alone and tree.op == "had" and len(tree.args) == 2:
                one, other = tree.args
                turned = self.algebra.transposed
                ways = (
                    self.algebra.times(turned(one), other),
                    self.algebra.times(one, turned(other)),
                )
                return Tree("tr", (min(ways, key=lambda way: str(way).count("'T'")),))
            left, right = self._column(a, {b}), self._column(b, {a})
            return self.algebra.times(self.algebra.transposed(left), tree, right)
        nodes = {end for _, end in way}
        self.done |= nodes
        round_once = self.algebra.times(tree, *(t for t, _ in way))
        both = round_once, self.algebra.transposed(round_once)
        return Tree("tr", (min(both, key=lambda way: str(way).count("'T'")),))
