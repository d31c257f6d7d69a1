"""A formula as a straight line of values: products of axes, entrywise parts, matrix functions.

    sum((W @ x - y)**2)     t1 = Σ_i W[k,i] x[i];  t2[k] = t1[k] − y[k];  J = Σ_k t2[k] t2[k]

A maximal tree of @ .T sum trace outer dot is one Einsum, a maximal entrywise part one Entrywise.
"""

from dataclasses import dataclass, field
from itertools import islice

from ..errors import SpecError
from ..ops.entry_trees import Tree, constant_of, name, names_in, num, number_of, times
from ..writing.signs import number
from .shapes import ENTRYWISE, Shapes
from .terms import DELTA, PAIR, TURNED, Term

SMALLEST_SCALE, LARGEST_SCALE = 1e-300, 1e300
PRODUCTS = ("@", "dot", "T", "outer", "trace", "sum", "mean", "slice")
Word = tuple[int, ...]  # the axes of an operand, as numbers that a product gives them


@dataclass(frozen=True)
class Product:
    """Σ of a product of arrays over named axes, those of `out` staying; a mean over `averaged`."""

    factors: tuple[tuple[str, Word], ...]
    out: Word
    averaged: Word = ()


@dataclass(frozen=True)
class Entry:
    """A formula of the entries that stand at one place."""

    tree: Tree


@dataclass(frozen=True)
class Whole:
    """A function of arrays as a whole, such as softmax or kron."""

    function: str
    of: tuple[str, ...]


Definition = Product | Entry | Whole


@dataclass(frozen=True)
class Selection:
    """A constant: rows of the identity, by their places, 2, 1:3, :-1, ::2; all of it by a colon."""

    places: str

    @property
    def name(self) -> str:
        """e_2, E_1_3, E_0_end1, E_0_end_by2, E_turned; end1 is the last place, end behind it."""
        if self.places == ":":
            return "eye"
        low, high, step = self._words
        by = f"_by{step.lstrip('-')}" if step.lstrip("-") not in ("", "1") else ""
        if step.startswith("-"):
            return f"E_turned{by}"
        if ":" not in self.places:
            return f"e_{_place(low)}"
        return f"E_{_place(low or '0')}_{_place(high) if high else 'end'}{by}"

    @property
    def index(self) -> int | slice:
        """The places as numpy takes them."""
        if ":" not in self.places:
            return int(self.places)
        return slice(*(int(word) if word else None for word in self._words))

    @property
    def _words(self) -> list[str]:
        return [*self.places.split(":"), "", ""][:3]


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
        if self.is_product(tree):
            return self._product(tree)
        if tree.op == "eye":
            return self.selection(Selection(":"), self.shapes.of(tree))
        if tree.op == "kron" and len(self.shapes.of(tree)) == 1:
            return self.value(Tree("vec", (Tree("outer", tree.args[::-1]),)))  # a ⊗ b = vec(b aᵀ)
        if tree.op != "num" and tree.op not in ENTRYWISE:
            made = Whole(tree.op, tuple(map(self.value, tree.args)))
            return self._once(made, self.shapes.of(tree))
        whole = self._entries(tree)
        if names_in(tree) and not names_in(whole):
            self._require_size(0.0)
        if number_of(whole) is not None or not names_in(whole):
            raise SpecError(
                "the formula is a number, and reads no array.\n  Write at least one name."
            )
        return self._add(Entry(whole), self.shapes.of(tree))

    def is_product(self, tree: Tree) -> bool:
        """Whether a part is a sum of products; the diagonal of a matrix is one, X[k,k]."""
        return tree.op in PRODUCTS or (tree.op == "diag" and len(self.shapes.of(tree)) == 1)

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
        if self.is_product(tree):
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
        averaged = tuple(map(walk.root, walk.averaged))
        made = factors[0][0]
        dimensions = tuple(walk.dimension[i] for i in out)
        if len(factors) > 1 or factors[0][1] != out or averaged:
            made = self._once(Product(factors, out, averaged), dimensions)
        if walk.scale == 1:
            return made
        self._require_size(walk.scale)
        return self._add(Entry(times(num(walk.scale), name(made))), dimensions)

    @staticmethod
    def _require_size(scale: float) -> None:
        if not SMALLEST_SCALE < abs(scale) < LARGEST_SCALE:
            raise SpecError(
                f"the numbers of a product multiply to {number(scale)}.\n"
                f"  Write such whose product is between {SMALLEST_SCALE:g} and {LARGEST_SCALE:g}."
            )

    def _once(self, definition: Definition, dimensions: tuple[int, ...]) -> str:
        same = (n for n, d in self.definitions.items() if d == definition)
        return next(same, None) or self._add(definition, dimensions)

    def selection(self, which: Selection, dimensions: tuple[int, ...]) -> str:
        """The name of the constant of a slice, or of an identity."""
        for word in (which.name, *(f"{which.name}_{n}" for n in range(2, 100))):
            if word not in self.selections or self.dimensions[word] == dimensions:
                self.selections[word] = which
                self.dimensions[word] = dimensions
                return word
        raise SpecError("the formula has too many slices.\n  Split it.")

    def axis_dimensions(self, product: Product) -> dict[int, int]:
        """The dimension of each axis of a product."""
        found: dict[int, int] = {}
        for factor, word in product.factors:
            found |= dict(zip(word, self.dimensions[factor], strict=True))
        return found

    def dimensions_in(self, term: Term) -> dict[int, int]:
        """The dimension of each axis of a term, as its factors have it."""
        found: dict[int, int] = {}
        for factor in term.factors:
            if factor.tree.op == PAIR:
                dimensions = map(int, factor.tree.text.split(","))
                found |= dict(zip(factor.axes, dimensions, strict=True))
            elif factor.tree != DELTA:
                found |= dict(zip(factor.axes, self.axes_of(factor.tree), strict=True))
        return found

    def axes_of(self, tree: Tree) -> tuple[int, ...]:
        """The dimensions of a tree over names of values."""
        if tree.op == "name":
            return self.dimensions[tree.text]
        if tree.op in ("num", "dim"):
            return ()
        widest = max(map(self.axes_of, tree.args), key=len)
        return widest[::-1] if tree.op in ("inv", TURNED) else widest


@dataclass
class _Walk:
    """One product, gathered: its operands with their axes, and the axes that were made one."""

    lowered: Lowered
    operands: list[tuple[str, list[int]]] = field(default_factory=list)
    dimension: dict[int, int] = field(default_factory=dict)
    joined: dict[int, int] = field(default_factory=dict)
    scale: float = 1.0
    averaged: list[int] = field(default_factory=list)  # the axes of a mean

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
        constant = constant_of(tree)
        if constant is not None:  # 2, and 2/3
            self.scale *= constant
            return []
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
        if tree.op == "diag" and self.lowered.is_product(tree):
            axes = self.down(tree.args[0])
            self.join(*axes)
            return axes[:1]
        if tree.op == "slice":
            return self._sliced(tree)
        if tree.op == "*" and self.operands_or_numbers(tree):
            return self._beside(*tree.args)
        if tree.op == "neg":
            self.scale = -self.scale
            return self.down(tree.args[0])
        if tree.op == "**" and number_of(tree.args[1]) == 2:
            return self._beside(tree.args[0], tree.args[0])
        if tree.op == "/" and (below := constant_of(tree.args[1])):
            self.scale /= below
            return self.down(tree.args[0])
        return self._operand(tree)

    def operands_or_numbers(self, tree: Tree) -> bool:
        """Whether what stands in a product reads arrays: a number alone is no operand."""
        return any(constant_of(arg) is None for arg in tree.args)

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
            self.averaged += gone
        return [a for a in axes if a not in gone]

    def _sliced(self, tree: Tree) -> list[int]:
        axes = self.down(tree.args[0])
        lengths = iter(self.lowered.shapes.of(tree))
        words = tree.text.split(",")
        kept = []
        for word, axis in zip(words, axes, strict=False):
            dimension = self.dimension[self.root(axis)]
            if word == ":":
                kept.append(axis)
                next(lengths)
                continue
            own, gives = self._new(dimension), [self._new(d) for d in islice(lengths, ":" in word)]
            dimensions = (*(self.dimension[new] for new in gives), dimension)
            made = self.lowered.selection(Selection(word), dimensions)
            self.operands.append((made, [*gives, own]))
            self.join(own, axis)
            kept += gives
        return [*kept, *axes[len(words) :]]


def _is_factor(tree: Tree) -> bool:
    """Whether a part of a product entry by entry is an array itself, or such a product."""
    named = tree.op == "T" and tree.args[0].op == "name"
    return named or tree.op in ("name", "*", "neg", "slice") or constant_of(tree) is not None


def _has_number(args: tuple[Tree, ...]) -> bool:
    return any(number_of(arg) is not None for arg in args)


def _place(word: str) -> str:
    return f"end{word[1:]}" if word.startswith("-") else word
