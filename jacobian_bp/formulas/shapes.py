"""How many axes each part of a formula has, and which of them are of one length.

    sum((W @ x - y)**2)     W[k,i] x[i] y[k]: the columns of W are the entries of x

A capital letter is a matrix, a small one a vector, a Greek one a number. Dimensions that must
be equal are joined; each that stays free gets a letter, and a prime number as its length.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import NamedTuple, NoReturn

from ..errors import SpecError
from ..ops.entry_trees import Tree
from .reading import FILLED, refuse

PRIMES = (3, 2, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
LETTERS = "kijlpqrstuvabcdefghmo"
MANY = 12  # dimensions that have a length of their own
SQUARE = ("trace", "inv", "det", "logdet", "diag")
ENTRYWISE = ("+", "-", "*", "/", "**", "neg", "f")


FOLLOWS = "one follows from the other", "as the lengths of kron(A, B) and of x[1:] do"


class Rule(NamedTuple):
    """A length that follows from others: their product, less so many entries, in steps."""

    of: tuple[int, ...]
    less: int = 0
    step: int = 1


@dataclass
class Dimensions:
    """Dimensions, joined where they must have one length; of some the length is given."""

    leader: list[int] = field(default_factory=list)
    given: dict[int, tuple[int, str]] = field(default_factory=dict)  # the length, and who says it
    least: dict[int, int] = field(default_factory=dict)  # what a slice asks for
    rules: dict[int, list[Rule]] = field(default_factory=dict)  # of kron(A, B), of x[1:]

    def new(self, length: int | None = None, who: str = "") -> int:
        """A dimension of its own."""
        self.leader.append(len(self.leader))
        if length is not None:
            self.given[len(self.leader) - 1] = length, who
        return len(self.leader) - 1

    def following(self, *others: int, less: int = 0, step: int = 1) -> int:
        """A dimension whose length follows: the product of others, less so many entries."""
        made = self.new()
        self.rules[made] = [Rule(others, less, step)]
        return made

    def find(self, dimension: int) -> int:
        """The dimension that stands for all that are joined with it."""
        while self.leader[dimension] != dimension:
            dimension = self.leader[dimension]
        return dimension

    def join(self, one: int, other: int) -> tuple[str, str] | None:
        """Make two one; where their lengths differ, what says so of each."""
        a, b = sorted((self.find(one), self.find(other)))
        if a == b:
            return None
        if a in self.given and b in self.given and self.given[a][0] != self.given[b][0]:
            return self.given[a][1], self.given[b][1]
        if self._within(a, b) or self._within(b, a):
            return FOLLOWS
        mine, theirs = self.rules.get(a, []), self.rules.pop(b, [])
        self.leader[b] = a
        if theirs:
            self.rules[a] = [*mine, *theirs]
        if b in self.given:
            self.given.setdefault(a, self.given[b])
        self.least[a] = max(self.least.get(a, 1), self.least.get(b, 1))
        for left, right in product(mine, theirs):
            if left[1:] == right[1:] and len(left.of) == len(right.of):
                for both in zip(left.of, right.of, strict=True):  # taken to be equal one by one
                    clash = self.join(*both)
                    if clash:
                        return clash
        return None

    def _within(self, whole: int, part: int) -> bool:
        """Whether a length follows from another."""
        read = {self.find(d) for rule in self.rules.get(whole, ()) for d in rule.of}
        return part in read or any(self._within(d, part) for d in read)

    def length(self, dimension: int, sizes: Mapping[int, int]) -> int:
        """The length of a dimension, from the sizes of those that follow from no others."""
        leader = self.find(dimension)
        if leader in self.rules:
            return self.by_rule(self.rules[leader][0], sizes)
        return sizes[leader]

    def by_rule(self, rule: Rule, sizes: Mapping[int, int]) -> int:
        """What a rule says."""
        return -((rule.less - prod(self.length(d, sizes) for d in rule.of)) // rule.step)


@dataclass
class Shapes:
    """The dimensions of every part of a formula, found as they are asked for."""

    text: str
    shapes: Mapping[str, tuple[int, ...]]
    scalars: Collection[str]
    dimensions: Dimensions = field(default_factory=Dimensions)
    leaves: dict[str, tuple[int, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _known: dict[Tree, tuple[int, ...]] = field(default_factory=dict)

    def of(self, tree: Tree) -> tuple[int, ...]:
        """The dimensions of a part, each as the one that stands for it."""
        if tree not in self._known:
            self._known[tree] = self._found(tree)
        return tuple(map(self.dimensions.find, self._known[tree]))

    def leaf(self, name: str) -> tuple[int, ...]:
        """The dimensions of an array that has a name."""
        if name not in self.leaves:
            if name in self.shapes:
                shape = self.shapes[name]
                said = f"{name} has shape {tuple(shape)}"
                words = [f": {n} {w}" for n, w in zip(shape, ("rows", "columns"), strict=False)]
                said_of = [said + word * (len(shape) == 2) for word in words]
                made = zip(shape, said_of, strict=True)
                self.leaves[name] = tuple(self.dimensions.new(n, who) for n, who in made)
            else:
                count = rank_of(name, self.scalars)
                self.leaves[name] = tuple(self.dimensions.new() for _ in range(count))
        return self.leaves[name]

    def _found(self, tree: Tree) -> tuple[int, ...]:
        parts = [self.of(arg) for arg in tree.args]
        if tree.op == "name":
            return self.leaf(tree.text)
        if tree.op == "num":
            return ()
        if tree.op == "eye":
            return (self.dimensions.new(),) * 2
        if tree.op in ENTRYWISE:
            return self._meeting(tree, parts)
        if tree.op in ("@", "dot"):
            return self._product(tree, *parts)
        if tree.op == "outer":
            for part, arg in zip(parts, tree.args, strict=True):
                self._require_rank(arg, part, (1,), "outer takes two vectors")
            return parts[0] + parts[1]
        if tree.op == "kron":
            return self._kronecker(tree, *parts)
        (part,) = parts
        if tree.op == "T":
            return part[::-1]
        if tree.op == "vec":
            self._require_rank(tree.args[0], part, (2,), "vec takes a matrix")
            return (self.dimensions.following(*reversed(part)),)
        if tree.op == "diag":
            self._require_rank(tree.args[0], part, (1, 2), "diag takes a vector or a matrix")
            if len(part) == 2:
                self._join(tree, *part)
            return part * 2 if len(part) == 1 else part[:1]
        if tree.op in ("trace", "inv", "det", "logdet"):
            self._require_rank(tree.args[0], part, (2,), f"{tree.op} takes a square matrix")
            self._join(tree, part[0], part[1])
            return part[::-1] if tree.op == "inv" else ()
        if tree.op in ("sum", "mean", "max", "min"):
            self._require_rank(tree.args[0], part, (1, 2), f"{tree.op} takes an array")
            return self._reduced(tree, part)
        if tree.op == "slice":
            return self._sliced(tree, part)
        self._require_rank(tree.args[0], part, (1, 2), f"{tree.op} takes a vector")
        return part[:-1] if tree.op == "logsumexp" else part

    def _meeting(self, tree: Tree, parts: list[tuple[int, ...]]) -> tuple[int, ...]:
        widest = max(parts, key=len)
        for part in parts:
            for one, other in zip(reversed(part), reversed(widest), strict=False):
                self._join(tree, one, other)
        self._note_power_of_matrix(tree, parts)
        self._note_number_and_vector(tree, parts)
        self._note_matrix_and_vector(tree, parts)
        self._note_greek_number(tree)
        return widest

    def _note_power_of_matrix(self, tree: Tree, parts: list[tuple[int, ...]]) -> None:
        """A**2 is A * A in numpy, and A A on paper."""
        if tree.op != "**" or len(parts[0]) != 2 or tree.args[0].op != "name":
            return
        matrix, exponent = tree.args[0].text, float(tree.args[1].text)
        if not self._words(tree).startswith(matrix) or self._words(tree) == matrix:
            return  # of norm(A), which is read as the root of such a sum
        meant = {-1.0: f"the inverse write inv({matrix})"}
        meant |= {n: f"the product write {' @ '.join([matrix] * int(n))}" for n in (2.0, 3.0, 4.0)}
        if exponent in meant:
            words = self._words(tree)
            self.notes.append(
                f"{words} is the power of each entry, as in numpy; for {meant[exponent]}"
            )

    def note_what_meets_numbers_alone(self, tree: Tree) -> None:
        """In x @ y * c or a @ x + b @ y + c a small c is a vector, where many mean a number."""
        result = self.of(tree)
        if len(result) != 1:
            return
        owners = [n for n in self.leaves if result[0] in map(self.dimensions.find, self.leaves[n])]
        others = [n for n in self.leaves if n not in owners and len(self.leaves[n])]
        if len(owners) != 1 or not others or owners[0] in self.shapes:
            return
        (vector,) = owners
        if len(self.leaves[vector]) == 1 and not any(
            f"--scalar {vector}," in n for n in self.notes
        ):
            self.notes.append(
                f"{vector} is a vector, as a small letter is, and meets numbers alone, so that the "
                f"formula gives a vector too; for a number write --scalar {vector}, or "
                f'scalars=["{vector}"] in Python'
            )

    def _note_matrix_and_vector(self, tree: Tree, parts: list[tuple[int, ...]]) -> None:
        """A * x is entry by entry in numpy, and a product of matrices in other places."""
        if tree.op == "*" and sorted(map(len, parts)) == [1, 2]:
            one, other = map(self._words, tree.args)
            if "eye" in (tree.args[0].op, tree.args[1].op):
                self._note_vector_times_eye(tree)
                return
            self.notes.append(
                f"{one} * {other} goes entry by entry, the vector along each row, as in numpy; "
                f"for the product of matrices write {one} @ {other}"
            )

    def _note_vector_times_eye(self, tree: Tree) -> None:
        """In A + eps * eye a small eps is a vector, where many mean a number."""
        vector = next(arg for arg in tree.args if arg.op != "eye")
        words = self._words(vector)
        note = f"{words} is a vector, so that {self._words(tree)} is diag({words})"
        if vector.op == "name":
            note += f'; for a number write --scalar {words}, or scalars=["{words}"] in Python'
        self.notes.append(note)

    def _note_greek_number(self, tree: Tree) -> None:
        """In x - mu a Greek name is a number, where many mean a vector as long as x."""
        if tree.op != "-" or sorted(len(self.of(arg)) for arg in tree.args) != [0, 1]:
            return
        number = min(tree.args, key=lambda arg: len(self.of(arg)))
        if not _is_greek(number) or number.text in self._told:
            return
        words = self._words(number)
        (dimension,) = max(map(self.of, tree.args), key=len)
        length, _ = self.dimensions.given.get(dimension, (PRIMES[0], ""))
        self.notes.append(
            f"{words} is a number, as every Greek letter is; --shape {words}={length}, or "
            f'shapes={{"{words}": ({length},)}} in Python, makes it a vector'
        )

    @property
    def _told(self) -> set[str]:
        """The names of which an option says what they are."""
        return {*self.scalars, *self.shapes}

    def _note_number_and_vector(self, tree: Tree, parts: list[tuple[int, ...]]) -> None:
        """In sigmoid(w @ x + b) a small b is a vector, where many mean a number."""
        if tree.op not in "+-" or sorted(map(len, parts)) != [0, 1]:
            return
        number, vector = sorted(tree.args, key=lambda arg: len(self.of(arg)))
        if vector.op == "name" and number.op in ("@", "dot", "sum"):
            self.notes.append(
                f"{self._words(number)} is a number and {vector.text} a vector: the number is "
                f"added to each entry of {vector.text}; for a number write --scalar {vector.text}, "
                f'or scalars=["{vector.text}"] in Python'
            )

    def _product(
        self, tree: Tree, left: tuple[int, ...], right: tuple[int, ...]
    ) -> tuple[int, ...]:
        for part, arg in zip((left, right), tree.args, strict=True):
            if not part:
                instead = "Write *."
                if self._words(arg).startswith(FILLED):
                    instead = "Write a sum: sum(A, axis=1) for A @ vector(1)."
                elif _is_greek(arg):
                    words = self._words(arg)
                    shape = (
                        f"{words}=3,3 for a matrix"
                        if words[0].isupper()
                        else f"{words}=3 for a vector"
                    )
                    instead = f"Write *, or --shape {shape}."
                self._refuse(
                    arg, f"{self._words(arg)} is a number, and @ multiplies arrays.", instead
                )
        if len(right) == 1 and tree.args[1].op == "T":
            a, b = self._words(tree.args[0]), self._words(tree.args[1].args[0])
            self._refuse(
                tree.args[1],
                "a transposed vector behind @ is the same vector in numpy, a row on paper.",
                f"Write outer({a}, {b}) for the matrix, dot({a}, {b}) for the number.",
            )
        if tree.op == "dot":
            if left and right and len(left) + len(right) > 2:
                a, b = (
                    w if w.removesuffix(".T").isidentifier() else f"({w})"
                    for w in map(self._words, tree.args)
                )
                wide = tree.args[0] if len(left) > 1 else tree.args[1]
                told = f"dot takes two vectors; {self._words(wide)} is a matrix."
                self._refuse(tree, told, f"Write {a} @ {b} for their product.")
            for part, arg in zip((left, right), tree.args, strict=True):
                self._require_rank(arg, part, (1,), "dot takes two vectors")
        self._join(tree, left[-1], right[0])
        return left[:-1] + right[1:]

    def _kronecker(
        self, tree: Tree, left: tuple[int, ...], right: tuple[int, ...]
    ) -> tuple[int, ...]:
        self._require_rank(tree.args[0], left, (1, 2), "kron takes two matrices, or two vectors")
        said = "kron takes arrays of as many axes"
        self._require_rank(tree.args[1], right, (len(left),), said)
        return tuple(map(self.dimensions.following, left, right))

    def _reduced(self, tree: Tree, part: tuple[int, ...]) -> tuple[int, ...]:
        if not tree.text:
            return ()
        place = int(tree.text)
        if not -len(part) <= place < len(part):
            self._refuse(
                tree,
                f"{self._words(tree.args[0])} has {_axes(len(part))}; there is no axis {place}.",
                "Axes count from 0.",
            )
        kept = list(part)
        del kept[place]
        return tuple(kept)

    def _sliced(self, tree: Tree, part: tuple[int, ...]) -> tuple[int, ...]:
        words = tree.text.split(",")
        if len(words) > len(part):
            self._refuse(
                tree,
                f"{self._words(tree.args[0])} has {_axes(len(part))}, the slice {len(words)}.",
                "Name at most as many places as it has axes.",
            )
        found: list[int] = []
        for word, dimension in zip(words, part, strict=False):
            if word == ":":
                found.append(dimension)
            else:
                found += self._cut(tree, word, dimension)
        return (*found, *part[len(words) :])

    def _cut(self, tree: Tree, word: str, dimension: int) -> list[int]:
        """What a place leaves of a dimension, nothing, or a range; and how long it has to be."""
        low, high, steps = [*word.split(":"), "", ""][:3]
        colon, step = ":" in word, abs(int(steps or 1))
        first, last = int(low or 0), int(high) if high else None
        kept = first - (last or 0) if first >= 0 and (last is None or last < 0) else None
        if not colon:
            needed = first + 1 if first >= 0 else -first
        elif kept is not None:
            needed = kept + 1
        else:
            needed = -first if first < 0 else last or 0
        leader = self.dimensions.find(dimension)
        drawn = needed + (kept is not None) * step  # two entries show what one would hide
        self.dimensions.least[leader] = max(self.dimensions.least.get(leader, 1), drawn)
        length, who = self.dimensions.given.get(leader, (needed, ""))
        if length < needed:
            self._refuse(tree, f"{who}; the slice reads entry {needed - 1}.", "Count from 0.")
        if not colon:
            return []
        if kept is not None:
            if steps == "-1":
                return [dimension]
            return [self.dimensions.following(dimension, less=kept, step=step)]
        fixed = -((first - (last or 0)) // step)
        return [self.dimensions.new(fixed, f"{self._words(tree)} has length {fixed}")]

    def _join(self, tree: Tree, one: int, other: int) -> None:
        witnesses = self.dimensions.join(one, other)
        if witnesses is None:
            return
        said = "\n  ".join([f"{self._asks(tree)}.", *witnesses])
        instead = "Leave a shape out: lengths follow from what meets."
        if witnesses == FOLLOWS:
            instead = "Write parts that are equally long, such as x[1:] + x[:-1]."
        elif tree.op in SQUARE and tree.args[0].op == "name":
            instead = f"Leave the shape out, or write --shape {tree.args[0].text}=3,3."
        self._refuse(tree, said, instead)

    def _asks(self, tree: Tree) -> str:
        """Which operation asks for one length where there are two."""
        if tree.op in SQUARE:
            return f"{tree.op} takes a square matrix, and {self._words(tree.args[0])} is none"
        if tree.op in ("@", "dot"):
            left, right = map(self._words, tree.args)
            return (
                f"{tree.op} sums over the last axis of {left} and the first of {right}, and two "
                "lengths differ"
            )
        return f"{self._words(tree)} goes entry by entry, and two lengths differ"

    def _require_rank(
        self, tree: Tree, part: tuple[int, ...], allowed: tuple[int, ...], said: str
    ) -> None:
        if len(part) not in allowed:
            words = self._words(tree)
            instead = "A capital letter is a matrix, a small one a vector; --shape says otherwise."
            if not part and tree.op != "name" and said.endswith("takes an array"):
                instead = f"Write {words} alone: of one number there is nothing to take."
            if not part and _is_greek(tree):
                shape = "3,3" if 2 in allowed else "3"
                kind = kind_of(allowed[-1])
                instead = f"A Greek letter is a number; --shape {words}={shape} makes {kind} of it."
            self._refuse(tree, f"{said}; {words} is {kind_of(len(part))}.", instead)

    def _words(self, tree: Tree) -> str:
        begin, end = tree.at
        return self.text[begin:end] or tree.text

    def _refuse(self, tree: Tree, problem: str, instead: str) -> NoReturn:
        refuse(self.text, tree.at, problem, instead)

    def lengths(self, primes: Sequence[int] = PRIMES) -> tuple[dict[int, str], dict[int, int]]:
        """For each dimension that a name has a letter and a length; k, i of the first matrix."""
        arrays = sorted(self.leaves.values(), key=lambda axes: len(axes) < 2)
        order = [self.dimensions.find(d) for axes in arrays for d in axes]
        rules = [rule for rules in self.dimensions.rules.values() for rule in rules]
        order += [self.dimensions.find(d) for rule in rules for d in rule.of]
        order = list(dict.fromkeys(order))
        if len(order) > min(MANY, len(LETTERS)):
            raise SpecError(
                f"the formula has {len(order)} dimensions of their own; at most {MANY}.\n"
                "  Split it, or write a program: Network.program."
            )
        single = [d for d in order if d not in self.dimensions.rules]
        taken = {self.dimensions.given[d][0] for d in single if d in self.dimensions.given}
        free = [p for p in primes if p not in taken]
        sizes: dict[int, int] = {}
        for d in single:
            if d in self.dimensions.given:
                sizes[d] = self.dimensions.given[d][0]
            else:
                sizes[d] = next(p for p in free if p >= self.dimensions.least.get(d, 1))
                free.remove(sizes[d])
        try:
            found = self._all_lengths(sizes)
        except SpecError:
            fitting = self._fitting(sizes, [d for rule in rules for d in rule.of])
            if fitting is None:
                raise
            found = fitting
        return dict(zip(order, LETTERS, strict=False)), found

    def _fitting(self, sizes: dict[int, int], read: Sequence[int]) -> dict[int, int] | None:
        """Lengths at which all that follow from others are one: x even in x[::2] - x[1::2]."""
        leaders = dict.fromkeys(map(self.dimensions.find, read))
        free = [d for d in leaders if d in sizes and d not in self.dimensions.given]
        if len(free) > 4:
            return None
        others = {n for d, n in sizes.items() if d not in free}

        def likeness(lengths: tuple[int, ...]) -> tuple[int, ...]:
            return lengths.count(1), len(lengths) - len({*lengths} - others), sum(lengths)

        short = None
        tried = range(1, 13 if len(free) < 4 else 8)
        for lengths in sorted(product(tried, repeat=len(free)), key=likeness):
            try:
                found = self._all_lengths(sizes | dict(zip(free, lengths, strict=True)))
            except SpecError:
                continue
            if all(found[d] > 1 for d in self.dimensions.rules):
                return found
            short = short or found
        return short

    def _all_lengths(self, sizes: dict[int, int]) -> dict[int, int]:
        """With the lengths that follow, each as long as all say that meets it."""
        found = dict(sizes)
        for d, rules in self.dimensions.rules.items():
            found[d] = length = self.dimensions.length(d, sizes)
            given, who = self.dimensions.given.get(d, (length, ""))
            said = {self.dimensions.by_rule(rule, sizes) for rule in rules}
            if given != length:
                raise SpecError(
                    f"{who}, and meets a length that follows from others, {length} here.\n"
                    "  Give the shapes of these too, or none: lengths that fit are looked for."
                )
            if len(said) > 1:
                raise SpecError(
                    "two lengths meet that follow from others, and differ: "
                    f"{' and '.join(map(str, sorted(said)))}.\n"
                    "  Give shapes at which they are one, or none: lengths that fit are looked for."
                )
            if length < self.dimensions.least.get(d, 1):
                raise SpecError(
                    f"a slice reads entry {self.dimensions.least[d] - 1} of {length}.\n"
                    "  Give larger shapes: --shape A=5,7."
                )
        return found


def rank_of(name: str, scalars: Collection[str] = ()) -> int:
    """0 for a number, 1 for a vector, 2 for a matrix, by the first letter.

    >>> rank_of("W1"), rank_of("x"), rank_of("λ"), rank_of("c", ["c"])
    (2, 1, 0, 0)
    """
    first = name[0]
    if name in scalars or not first.isascii():
        return 0
    return 2 if first.isupper() else 1


def _is_greek(tree: Tree) -> bool:
    """Whether it is a name that is a number by its first letter."""
    return tree.op == "name" and not tree.text[0].isascii()


def kind_of(rank: int) -> str:
    """a number, a vector, a matrix"""
    return {0: "a number", 1: "a vector", 2: "a matrix"}.get(rank, f"an array of {rank} axes")


def _axes(count: int) -> str:
    return {0: "no axis", 1: "one axis"}.get(count, f"{count} axes")
