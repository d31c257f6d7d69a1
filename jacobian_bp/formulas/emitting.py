"""The values of a formula as steps of a program: einsums, entrywise formulas, and other ops.

    J = mean((W @ x)[0:2])     t = Part(W, "0:2,:"); u = Einsum("ki,i->k"); J = Mean(u, over="k")

No length is needed: a slice is a Part, a mean a Mean over the axes that are its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import ascii_lowercase

from ..ops import (
    Det,
    Diag,
    Inverse,
    Kron,
    LogDet,
    LogSoftmax,
    LogSumExp,
    Max,
    Mean,
    Min,
    Op,
    Part,
    Reduction,
    Softmax,
    Vec,
)
from ..ops.einsum import Einsum
from ..ops.entry_trees import Tree, name, names_in
from ..ops.entrywise import Entrywise
from ..program.step import Step
from .lowering import Entry, Lowered, Product, Whole, Word

WHOLE: dict[str, Callable[[], Op]] = {
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
    "logsumexp": LogSumExp,
    "inv": Inverse,
    "det": Det,
    "logdet": LogDet,
    "kron": Kron,
    "vec": Vec,
    "diag": Diag,
}
OVER_ALL: dict[str, type[Reduction]] = {"max": Max, "min": Min}


def steps_of_values(lowered: Lowered, letters: Mapping[int, str], final: str) -> list[Step]:
    """The steps of all values; the last is named `final`."""
    return _Emitter(lowered, letters, final).steps


@dataclass
class _Emitter:
    """Steps, written one value after the other."""

    lowered: Lowered
    letters: Mapping[int, str]
    final: str
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.taken = {*self.lowered.dimensions, self.final}
        for made, definition in self.lowered.definitions.items():
            called = self.final if made == self.lowered.result else made
            if isinstance(definition, Product):
                self._product(called, definition)
            elif isinstance(definition, Entry):
                self._entry(called, self.lowered.dimensions[made], definition.tree)
            else:
                self._whole(called, definition)

    def _add(self, called: str, op: Op, *reads: str) -> str:
        self.steps.append(Step(called, op, reads))
        return called

    def _new(self, stem: str) -> str:
        made = next(w for n in range(1, 10_000) if (w := f"{stem}{n}") not in self.taken)
        self.taken.add(made)
        return made

    def _whole(self, called: str, whole: Whole) -> None:
        if whole.function in OVER_ALL:
            axes = own_letters(self.lowered.dimensions[whole.of[0]], self.letters)
            op: Op = OVER_ALL[whole.function](over=",".join(axes)).of_last(*axes)
        else:
            op = WHOLE[whole.function]()
        self._add(called, op, *whole.of)

    def _entry(self, called: str, dimensions: Word, tree: Tree) -> None:
        out = own_letters(dimensions, self.letters)
        reads = names_in(tree)
        named = dict(zip(reads, (f"x{n}" for n in range(1, 1000)), strict=False))
        ranks = {n: len(self.lowered.dimensions[n]) for n in reads}
        axes = {named[n]: out[len(out) - ranks[n] :] for n in reads}
        self._add(called, Entrywise(_in_names(tree, named), axes, out), *reads)

    def _product(self, called: str, product: Product) -> None:
        """Its slices, its sum of products, its mean; what has nothing to do is left out."""
        operands = self._sliced(called, product)
        axes = self._axis_letters(product)
        kept = (*product.out, *dict.fromkeys(product.averaged))
        one = len(operands) == 1 and sorted(operands[0][1]) == sorted(kept)
        if product.averaged and not one:
            equation = _equation([word for _, word in operands], kept, axes)
            summed = self._add(self._new("s"), Einsum(equation), *(n for n, _ in operands))
            operands = [(summed, kept)]
        if product.averaged:
            ((read, word),) = operands
            over = ",".join(axes[a] for a in dict.fromkeys(product.averaged))
            self._add(called, Mean(over=over).of_last(*(axes[a] for a in word)), read)
        elif operands != [(called, product.out)]:
            equation = _equation([word for _, word in operands], product.out, axes)
            self._add(called, Einsum(equation), *(n for n, _ in operands))

    def _sliced(self, called: str, product: Product) -> list[tuple[str, Word]]:
        """The operands, each cut to what the slices along its axes leave of it."""
        slices: dict[int, tuple[str, Word]] = {}
        operands: list[tuple[str, Word]] = []
        for factor, word in product.factors:
            which = self.lowered.selections.get(factor)
            if which is None or which.places == ":":
                operands.append((factor, word))
            else:
                slices[word[-1]] = which.places, word[:-1]
        whole = len(operands) == 1
        while any(axis in slices for _, word in operands for axis in word):
            for place, (read, word) in enumerate(operands):
                if any(axis in slices for axis in word):
                    places = ",".join(slices[a][0] if a in slices else ":" for a in word)
                    left = tuple(b for a in word for b in (slices[a][1] if a in slices else (a,)))
                    last = whole and left == product.out and not product.averaged
                    made = self._add(called if last else self._new("s"), Part(places), read)
                    operands[place] = made, left
        return operands

    def _axis_letters(self, product: Product) -> dict[int, str]:
        """A letter for each axis; a second axis of one dimension gets another."""
        found: dict[int, str] = {}
        for axis, dimension in self.lowered.axis_dimensions(product).items():
            spare = (c for c in ascii_lowercase if c not in self.letters.values() and c != "n")
            choice = (self.letters[dimension], *spare)
            found[axis] = next(c for c in choice if c not in found.values())
        return found


def own_letters(
    dimensions: tuple[int, ...], letters: Mapping[int, str], beside: Mapping[str, int] | None = None
) -> tuple[str, ...]:
    """A letter for each axis; the second axis of one dimension gets one that is free.

    `beside` has letters that another array uses, each of its dimension alone.
    """
    found: list[str] = []
    for dimension in dimensions:
        taken = {c for c, d in (beside or {}).items() if d != dimension} | {*letters.values(), "n"}
        spare = (c for c in (*ascii_lowercase[9:], *ascii_lowercase) if c not in taken)
        want = letters[dimension]
        found.append(want if want not in found else next(c for c in spare if c not in found))
    return tuple(found)


def _equation(words: list[Word], out: Word, axes: Mapping[int, str]) -> str:
    """ki,i->k"""
    read = ["".join(axes[a] for a in word) for word in words]
    return f"{','.join(read)}->{''.join(axes[a] for a in out)}"


def _in_names(tree: Tree, named: Mapping[str, str]) -> Tree:
    """The tree in the op's own names."""
    if tree.op == "name":
        return name(named[tree.text])
    return Tree(tree.op, tuple(_in_names(arg, named) for arg in tree.args), tree.text)
