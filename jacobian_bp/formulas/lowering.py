"""A formula as a straight line of values: products of axes, entrywise parts, matrix functions.

    sum((W @ x - y)**2)     t1 = Σ_i W[k,i] x[i];  t2[k] = t1[k] − y[k];  J = Σ_k t2[k] t2[k]

A maximal tree of @ .T sum trace outer dot is one Einsum, a maximal entrywise part one Entrywise.
"""

from dataclasses import dataclass, field
from string import ascii_lowercase

from ..errors import SpecError
from ..ops import Inverse, LogDet, LogSoftmax, LogSumExp, Op, Softmax
from ..ops.einsum import Einsum
from ..ops.entry_trees import Tree, name, num, number_of, times
from ..ops.entrywise import Entrywise
from ..program.step import Step
from .shapes import ENTRYWISE, Shapes
from .terms import DELTA, TURNED, Term

PRODUCTS = ("@", "dot", "T", "outer", "trace", "sum", "mean", "slice")
WHOLE: dict[str, type[Op]] = {
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
    "logsumexp": LogSumExp,
    "inv": Inverse,
    "logdet": LogDet,
}
Word = tuple[int, ...]  # the axes of an operand, as numbers that a product gives them


@dataclass(frozen=True)
class Product:
    """Σ of a product of arrays over named axes, those of `out` staying."""

    factors: tuple[tuple[str, Word], ...]
    out: Word


@dataclass(frozen=True)
class Entry:
    """A formula of the entries that stand at one place."""

    tree: Tree


@dataclass(frozen=True)
class Whole:
    """A function of an array as a whole, of WHOLE."""

    function: str
    of: str


Definition = Product | Entry | Whole


@dataclass(frozen=True)
class Selection:
    """A constant of a slice: row `low` of the identity, or the rows up to `high`."""

    low: int
    high: int | None = None


@dataclass
class Lowered:
    """The values of a formula, in the order in which they are computed."""

    shapes: Shapes
    definitions: dict[str, Definition] = field(default_factory=dict)
    dimensions: dict[str, tuple[int, ...]] = field(default_factory=dict)
    selections: dict[str, Selection] = field(default_factory=dict)
    _named: dict[Tree, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: Tree, shapes: Shapes) -> "Lowered":
        """The values of a whole formula; the last of them is the result."""
        shapes.of(tree)
        self = cls(shapes)
        result = self.value(tree)
        if result not in self.definitions:  # a name alone: itself, entry by entry
            self._add(Entry(name(result)), shapes.of(tree))
        leaves = {leaf: tuple(map(shapes.dimensions.find, d)) for leaf, d in shapes.leaves.items()}
        self.dimensions |= leaves
        return self

    @property
    def result(self) -> str:
        """The name of the last value."""
        return next(reversed(self.definitions))

    def value(self, tree: Tree) -> str:
        """The name of the value of a part, which is computed once."""
        if tree.op == "name":
            return tree.text
        if tree not in self._named:
            self._named[tree] = self._lowered(tree)
        return self._named[tree]

    def _lowered(self, tree: Tree) -> str:
        if tree.op in PRODUCTS:
            return self._product(tree)
        if tree.op in WHOLE:
            return self._add(Whole(tree.op, self.value(tree.args[0])), self.shapes.of(tree))
        whole = self._entries(tree)
        if number_of(whole) is not None or not _reads(whole):
            raise SpecError(
                "the formula is a number, and reads no array.\n  Write at least one name."
            )
        return self._add(Entry(whole), self.shapes.of(tree))

    def _entries(self, tree: Tree) -> Tree:
        """The entrywise part that begins here, over the names of what is computed before."""
        if tree.op == "num":
            return tree
        if tree.op in ENTRYWISE:
            args = tuple(map(self._entries, tree.args))
            return (
                times(*args)
                if tree.op == "*" and _has_number(args)
                else Tree(tree.op, args, tree.text)
            )
        if tree.op in PRODUCTS:
            made = self._product(tree)
            definition = self.definitions.get(made)
            if isinstance(definition, Entry) and made not in self._named.values():
                del self.definitions[made], self.dimensions[made]  # a number times a product
                return definition.tree
            return name(made)
        return name(self.value(tree))

    def _add(self, definition: Definition, dimensions: tuple[int, ...]) -> str:
        taken = {*self.shapes.leaves, *self.definitions}
        made = next(t for n in range(1, 10_000) if (t := f"t{n}") not in taken)
        self.definitions[made] = definition
        self.dimensions[made] = dimensions
        return made

    def _product(self, tree: Tree) -> str:
        walk = _Walk(self)
        axes = walk.down(tree)
        factors = tuple((n, tuple(map(walk.root, word))) for n, word in walk.operands)
        out = tuple(map(walk.root, axes))
        made = factors[0][0]
        dimensions = tuple(walk.dimension[i] for i in out)
        if len(factors) > 1 or factors[0][1] != out:
            made = self._once(Product(factors, out), dimensions)
        scale = Tree("name", (), made)
        if walk.scale != 1:
            scale = times(num(walk.scale), scale)
        for dimension in walk.divided:
            scale = Tree("/", (scale, Tree("dim", (), str(dimension))))
        return made if scale == name(made) else self._add(Entry(scale), dimensions)

    def _once(self, product: Product, dimensions: tuple[int, ...]) -> str:
        same = (n for n, d in self.definitions.items() if d == product)
        return next(same, None) or self._add(product, dimensions)

    def selection(self, which: Selection, dimensions: tuple[int, ...]) -> str:
        """The name of the constant of a slice."""
        stem = f"e_{which.low}" if which.high is None else f"E_{which.low}_{which.high}"
        for word in (stem, *(f"{stem}_{n}" for n in range(2, 100))):
            if word not in self.selections or self.dimensions[word] == dimensions:
                self.selections[word] = which
                self.dimensions[word] = dimensions
                return word
        raise SpecError("the formula has too many slices.\n  Split it.")

    def dimensions_in(self, term: Term) -> dict[int, int]:
        """The dimension of each axis of a term, as its factors have it."""
        found: dict[int, int] = {}
        for factor in term.factors:
            if factor.tree != DELTA:
                found |= dict(zip(factor.axes, self._axes_of(factor.tree), strict=True))
        return found

    def _axes_of(self, tree: Tree) -> tuple[int, ...]:
        if tree.op == "name":
            return self.dimensions[tree.text]
        if tree.op in ("num", "dim"):
            return ()
        widest = max(map(self._axes_of, tree.args), key=len)
        return widest[::-1] if tree.op in ("inv", TURNED) else widest

    def steps(self, sizes: dict[int, int], letters: dict[int, str], final: str) -> list[Step]:
        """The ops of the values; the last is named `final`."""
        steps = []
        for made, definition in self.definitions.items():
            op, reads = self._op(made, definition, sizes, letters)
            steps.append(Step(final if made == self.result else made, op, reads))
        return steps

    def _op(
        self, made: str, definition: Definition, sizes: dict[int, int], letters: dict[int, str]
    ) -> tuple[Op, tuple[str, ...]]:
        if isinstance(definition, Product):
            return Einsum(self.equation(definition, letters)), tuple(
                n for n, _ in definition.factors
            )
        if isinstance(definition, Whole):
            return WHOLE[definition.function](), (definition.of,)
        out = own_letters(self.dimensions[made], letters)
        reads = _reads(definition.tree)
        named = dict(zip(reads, (f"x{n}" for n in range(1, 1000)), strict=False))
        axes = {named[n]: out[len(out) - len(self.dimensions[n]) :] for n in reads}
        return Entrywise(_numbers(definition.tree, named, sizes), axes, out), reads

    def equation(self, product: Product, letters: dict[int, str]) -> str:
        """ki,i->k, in the letters of the dimensions; a second axis of one gets another letter."""
        found: dict[int, str] = {}
        for factor, word in product.factors:
            for axis, dimension in zip(word, self.dimensions[factor], strict=True):
                if axis not in found:
                    want = letters[dimension]
                    spare = [want, *(c for c in ascii_lowercase if c not in letters.values())]
                    found[axis] = next(c for c in spare if c not in found.values() and c != "n")
        words = ["".join(found[a] for a in word) for _, word in product.factors]
        return f"{','.join(words)}->{''.join(found[a] for a in product.out)}"


def own_letters(dimensions: tuple[int, ...], letters: dict[int, str]) -> tuple[str, ...]:
    """A letter for each axis; the second axis of one dimension gets one that is free."""
    found: list[str] = []
    for dimension in dimensions:
        spare = (c for c in ascii_lowercase[9:] if c not in letters.values() and c != "n")
        want = letters[dimension]
        found.append(want if want not in found else next(c for c in spare if c not in found))
    return tuple(found)


@dataclass
class _Walk:
    """One product, gathered: its operands with their axes, and the axes that were made one."""

    lowered: Lowered
    operands: list[tuple[str, list[int]]] = field(default_factory=list)
    dimension: dict[int, int] = field(default_factory=dict)
    joined: dict[int, int] = field(default_factory=dict)
    scale: float = 1.0
    divided: list[int] = field(default_factory=list)  # dimensions of a mean

    def root(self, axis: int) -> int:
        while axis in self.joined:
            axis = self.joined[axis]
        return axis

    def join(self, one: int, other: int) -> None:
        a, b = sorted((self.root(one), self.root(other)))
        if a != b:
            self.joined[b] = a

    def down(self, tree: Tree) -> list[int]:
        """The axes of a part, its operands noted."""
        if tree.op == "T":
            return self.down(tree.args[0])[::-1]
        if tree.op in ("@", "dot"):
            left, right = map(self.down, tree.args)
            self.join(left[-1], right[0])
            return left[:-1] + right[1:]
        if tree.op == "outer":
            return self.down(tree.args[0]) + self.down(tree.args[1])
        if tree.op == "trace":
            self.join(*self.down(tree.args[0]))
            return []
        if tree.op in ("sum", "mean"):
            return self._reduced(tree)
        if tree.op == "slice":
            return self._sliced(tree)
        if tree.op == "*" and self.operands_or_numbers(tree):
            return self._beside(*tree.args)
        if tree.op == "neg":
            self.scale = -self.scale
            return self.down(tree.args[0])
        if tree.op == "**" and number_of(tree.args[1]) == 2:
            return self._beside(tree.args[0], tree.args[0])
        if tree.op == "/" and number_of(tree.args[1]):
            self.scale /= float(tree.args[1].text)
            return self.down(tree.args[0])
        if tree.op == "num":
            self.scale *= float(tree.text)
            return []
        return self._operand(tree)

    def operands_or_numbers(self, tree: Tree) -> bool:
        """Whether what stands in a product reads arrays: a number alone is no operand."""
        return any(arg.op != "num" for arg in tree.args)

    def _operand(self, tree: Tree) -> list[int]:
        made = self.lowered.value(tree)
        axes = [self._new(d) for d in self.lowered.shapes.of(tree)]
        self.operands.append((made, axes))
        return list(axes)

    def _new(self, dimension: int) -> int:
        self.dimension[len(self.dimension)] = dimension
        return len(self.dimension) - 1

    def _beside(self, one: Tree, other: Tree) -> list[int]:
        """Two parts multiplied entry by entry."""
        left, right = (
            self.down(part)
            if _is_factor(part) and (one != other or part.op == "name")
            else self._operand(part)
            for part in (one, other)
        )
        if len(left) < len(right):
            left, right = right, left
        for a, b in zip(reversed(left), reversed(right), strict=False):
            self.join(a, b)
        return left

    def _reduced(self, tree: Tree) -> list[int]:
        axes = self.down(tree.args[0])
        gone = axes if not tree.text else [axes[int(tree.text)]]
        if tree.op == "mean":
            self.divided += [self.dimension[self.root(a)] for a in gone]
        return [a for a in axes if a not in gone]

    def _sliced(self, tree: Tree) -> list[int]:
        axes = self.down(tree.args[0])
        lengths = iter(self.lowered.shapes.of(tree))
        words = tree.text.split(",")
        kept = []
        for word, axis in zip(words, axes, strict=False):
            low, _, high = word.partition(":")
            dimension = self.dimension[self.root(axis)]
            if word == ":":
                kept.append(axis)
                next(lengths)
            elif high:
                length = next(lengths)
                which = Selection(int(low), int(high))
                new, own = self._new(length), self._new(dimension)
                made = self.lowered.selection(which, (length, dimension))
                self.operands.append((made, [new, own]))
                self.join(own, axis)
                kept.append(new)
            else:
                own = self._new(dimension)
                made = self.lowered.selection(Selection(int(low)), (dimension,))
                self.operands.append((made, [own]))
                self.join(own, axis)
        return [*kept, *axes[len(words) :]]


def _is_factor(tree: Tree) -> bool:
    """Whether a part of a product entry by entry is an array itself, or such a product."""
    return tree.op in ("name", "num", "*", "neg", "slice") or (
        tree.op == "T" and tree.args[0].op == "name"
    )


def _has_number(args: tuple[Tree, ...]) -> bool:
    return any(number_of(arg) is not None for arg in args)


def _reads(tree: Tree) -> tuple[str, ...]:
    if tree.op == "name":
        return (tree.text,)
    return tuple(dict.fromkeys(n for arg in tree.args for n in _reads(arg)))


def _numbers(tree: Tree, named: dict[str, str], sizes: dict[int, int]) -> Tree:
    """The tree in the op's own names, each length as a number."""
    if tree.op == "name":
        return name(named[tree.text])
    if tree.op == "dim":
        return num(sizes[int(tree.text)])
    return Tree(tree.op, tuple(_numbers(arg, named, sizes) for arg in tree.args), tree.text)
