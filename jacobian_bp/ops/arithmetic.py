"""Add, Subtract, Multiply and Divide: where values meet, entry by entry.

Axes in front are carried. Where the axes of one operand are not the last of the other, letters
say which meet: Multiply("a[t,k], b[t] -> c[t,k]"). A number is an operand too: Add(x, -2).
"""

import math
from collections.abc import Mapping
from functools import reduce
from operator import mul

import numpy as np

from ..algebra.axes import Signature, each_once, primed
from ..algebra.expression import Delta, Expression, One, dense
from ..errors import AxisError, DomainError
from ..numbers.arrays import entry, quiet
from ..writing.signs import number, plural
from .base import Op, over_batch
from .kernels import sums as kernels


class Arithmetic(Op):
    """An op on the entries of several operands, all with the axes `axes` or by their letters.

        ∂c/∂a = δ[k,k'] slope[k], and 1[t] for each axis t of c that a does not have

    Entry k reads entry k of each operand, hence δ[k,k']; an operand without the axis t is the
    same for every t, hence 1[t]. `numbers` are operands that are numbers, by their place.
    """

    takes_numbers = True
    symbol = ""

    def __init__(
        self, axes: str = "k", terms: int = 2, numbers: Mapping[int, float] | None = None
    ) -> None:
        if not isinstance(axes, str):
            raise AxisError(
                f"{self.name} has the axes {axes!r}.\n"
                "  Write their letters, such as 'r,c', or which meet: 'a[t,k], b[t] -> c[t,k]'."
            )
        if "->" not in axes:
            each_once(axes, f"{self.name}(axes={axes!r})")
        self.axes, self.terms = axes, terms
        self.numbers = {
            place: _finite(value, self.name) for place, value in (numbers or {}).items()
        }
        names = ("a", "b") if terms == 2 else tuple(f"a{t}" for t in range(1, terms + 1))
        if any(place >= terms for place in self.numbers) or len(self.numbers) == terms:
            raise AxisError(
                f"{self.name} takes {terms} operands, at least one of them a value.\n"
                f"  Write {self.name}(x, 2), or leave the other numbers out."
            )
        self.names = tuple(name for place, name in enumerate(names) if place not in self.numbers)
        self.letters, self.whole = self._letters()
        own = [f"{n}[{','.join(w)}]" for n, w in zip(self.names, self.letters, strict=True)]
        self.signature = f"{', '.join(own)} -> c[{','.join(self.whole)}]"
        shown = [f"({number(v)})" if v < 0 else number(v) for v in self.numbers.values()]
        said = dict(zip(self.numbers, shown, strict=True))
        joined = f" {self.symbol} ".join(said.get(p, name) for p, name in enumerate(names))
        self.formula = joined + self._repeated()

    def _repeated(self) -> str:
        """, b the same for every k: for each operand that lacks axes of the value."""
        found = ""
        for name, own in zip(self.names, self.letters, strict=True):
            lacks = [axis for axis in self.whole if axis not in own]
            found += f", {name} the same for every {' and '.join(lacks)}" if lacks else ""
        return found

    def _letters(self) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
        """The letters of each operand, and of the value."""
        if "->" not in self.axes:
            whole = Signature.parse(f"a[{self.axes}] -> c[{self.axes}]").output.axes
            return (whole,) * len(self.names), whole
        read = Signature.parse(self.axes)
        letters, whole = tuple(o.axes for o in read.inputs), read.output.axes
        if len(letters) != len(self.names):
            raise AxisError(
                f"{self.name}({self.axes!r}) has letters for {plural(len(letters), 'array')}, and "
                f"reads {len(self.names)}.\n  Write one array for each, such as "
                "'a[t,k], b[t] -> c[t,k]'."
            )
        for axes in (*letters, whole):
            stray = set(axes) - set(whole) or set(whole) - set().union(*letters)
            if stray or len(set(axes)) < len(axes):
                raise AxisError(
                    f"{self.name}({self.axes!r}): each letter stands once in c, and once in an "
                    "operand that has it.\n  Write it such as 'a[t,k], b[t] -> c[t,k]'."
                )
        return letters, whole

    @property
    def options(self) -> tuple[str, ...]:
        return () if self.axes == "k" else (repr(self.axes),)

    def written_operands(self, args):
        """The operands as a text has them: names, and numbers between them."""
        found = list(args)
        for place, value in sorted(self.numbers.items()):
            found.insert(place, _written(value))
        return tuple(found)

    def instead(self, names, shapes):
        """Numbers where entries are read: a cost and a penalty."""
        if "->" in self.axes or any(shapes.values()):
            return ""
        operands = self.written_operands([names[name] for name in self.names])
        return f"Of numbers write {self.name}({', '.join(operands)}, '')."

    def all(self, values: tuple[np.ndarray, ...]) -> list:
        """Every operand in its place, numbers too, the arrays laid along the axes of the value."""
        found: list = [self.laid(place, value) for place, value in enumerate(values)]
        for place, value in sorted(self.numbers.items()):
            found.insert(place, value)
        return found

    def laid(self, place: int, value: np.ndarray) -> np.ndarray:
        """An operand along the axes of the value: in their order, of size 1 where it has none."""
        own, whole = self.letters[place], self.whole
        if own == whole:
            return value
        front = value.ndim - len(own)
        order = sorted(range(len(own)), key=lambda p: whole.index(own[p]))
        turned = value.transpose([*range(front), *(front + p for p in order)])
        return turned[(..., *(slice(None) if axis in own else None for axis in whole))]

    def gathered(self, place: int, bar: np.ndarray, value: np.ndarray) -> np.ndarray:
        """A cotangent along the axes of the value, added up over those that an operand lacks."""
        own, whole = self.letters[place], self.whole
        if own != whole:
            lacks = tuple(p - len(whole) for p, axis in enumerate(whole) if axis not in own)
            bar = bar.sum(axis=lacks)
            kept = [axis for axis in whole if axis in own]
            front = bar.ndim - len(own)
            bar = bar.transpose([*range(front), *(front + kept.index(axis) for axis in own)])
        return over_batch(bar, value.ndim)

    def same(self, place: int) -> Expression:
        """δ[k,k'] for each axis of an operand, 1[t] for each that it does not have."""
        own = self.letters[place]
        ones = [One(axis) for axis in self.whole if axis not in own]
        return Expression.of(*(Delta(axis, axis + "'") for axis in own), *ones)

    def same_twice(self, first: int, second: int) -> Expression:
        """The deltas of two operands, their axes primed as one word: δ[k,k'] δ[k,k'']."""
        word = (*self.letters[first], *self.letters[second])
        pairs = list(zip(word, primed(word), strict=True))
        known = {axis for axis, _ in pairs}
        ones = [One(axis) for axis in self.whole if axis not in known]
        return Expression.of(*(Delta(*pair) for pair in pairs), *ones)

    def factor(self, place: int, value: np.ndarray, sign: str = "") -> Expression:
        """An operand, or a power of it, as a factor with its own letters."""
        return dense(f"{sign or self.names[place]}[{','.join(self.letters[place])}]", value)

    def __repr__(self) -> str:
        return f"{self.name}(axes={self.axes!r})"


class Add(Arithmetic):
    """Entrywise sum: a skip connection.

        c[k] = a[k] + b[k]
        ∂c/∂a = ∂c/∂b = δ[k,k']

    A value that feeds this op and another gets the sum of what comes back. Of three
    values and more the inputs are named a1, a2, a3, …
    """

    passes_on = True
    compiled_as = kernels.addition
    shows_nonfinite = True
    symbol = "+"

    def __init__(self, axes="k", terms=2, numbers=None):
        super().__init__(axes, terms, numbers)
        self.reasons = dict.fromkeys(self.names, "adding passes each slope on")
        self.passes_on = all(own == self.whole for own in self.letters)

    def reading(self, count):
        terms = count + len(self.numbers)
        return self if count < 1 or terms == self.terms else Add(self.axes, terms, self.numbers)

    def forward(self, *terms):
        first, *others = self.all(terms)
        return sum(others, start=first)

    def jacobians(self, *terms):
        return {name: self.same(place) for place, name in enumerate(self.names)}

    def second(self, *terms):
        return {}

    def vjp(self, c_bar, *terms):
        pairs = enumerate(zip(self.names, terms, strict=True))
        return {name: self.gathered(place, c_bar, term) for place, (name, term) in pairs}

    def peer(self, xp, *terms):
        return self.forward(*terms)  # sums alone


class Subtract(Arithmetic):
    """Entrywise difference.

    c[k] = a[k] − b[k]
    ∂c/∂a = δ[k,k'],  ∂c/∂b = −δ[k,k']
    """

    shows_nonfinite = True
    symbol = "-"
    reasons = {"a": "a stands with a plus", "b": "b stands with a minus"}

    def __init__(self, axes="k", numbers=None):
        super().__init__(axes, 2, numbers)

    def forward(self, *values):
        a, b = self.all(values)
        return a - b

    def jacobians(self, *values):
        signs = {"a": 1.0, "b": -1.0}
        return {name: signs[name] * self.same(place) for place, name in enumerate(self.names)}

    def second(self, *values):
        return {}

    def vjp(self, c_bar, *values):
        pairs = enumerate(zip(self.names, values, strict=True))
        found = {name: self.gathered(place, c_bar, value) for place, (name, value) in pairs}
        return {name: -bar if name == "b" else bar for name, bar in found.items()}


class Multiply(Arithmetic):
    """Entrywise (Hadamard) product.

        c[k] = a[k] b[k]
        ∂c/∂a = δ[k,k'] b[k],  ∂c/∂b = δ[k,k'] a[k]

        ∂²c/∂a∂b = δ[k,k'] δ[k,k'']

    Entry k of the product reads entry k of each factor, hence δ[k,k'].
    """

    reasons = {"a": "the other factor stays", "b": "the other factor stays"}
    keeps_zeros_of = ("a", "b")
    shows_nonfinite = True
    symbol = "*"

    def __init__(self, axes="k", numbers=None):
        super().__init__(axes, 2, numbers)
        if not self.numbers and not self._repeated():
            self.formula = "a * b, entry by entry"

    def forward(self, *values):
        a, b = self.all(values)
        return a * b

    def jacobians(self, *values):
        if self.numbers:
            return {self.names[0]: self._scale() * self.same(0)}
        a, b = values
        return {"a": self.same(0) * self.factor(1, b), "b": self.same(1) * self.factor(0, a)}

    def second(self, *values):
        return {} if self.numbers else {("a", "b"): self.same_twice(0, 1)}

    @quiet
    def vjp(self, c_bar, *values):
        if self.numbers:
            return {self.names[0]: self.gathered(0, c_bar * self._scale(), values[0])}
        a, b = self.all(values)
        return {
            "a": self.gathered(0, c_bar * b, values[0]),
            "b": self.gathered(1, c_bar * a, values[1]),
        }

    def _scale(self) -> float:
        return reduce(mul, self.numbers.values())


class Divide(Arithmetic):
    """Entrywise quotient.

        c[k] = a[k] / b[k]
        ∂c/∂a = δ[k,k'] 1/b[k],  ∂c/∂b = −δ[k,k'] a[k]/b[k] · 1/b[k]

    Entry k of the quotient reads entry k of each, hence δ[k,k']. Raises DomainError where an
    entry of b is 0.
    """

    reasons = {"a": "1/b stays", "b": "1/b has slope −1/b²"}
    symbol = "/"

    def __init__(self, axes="k", numbers=None):
        super().__init__(axes, 2, numbers)
        if self.numbers.get(1) == 0:
            raise DomainError("Divide by 0 is not defined.\n  Write another number.")

    def admit(self, names, *values):
        if "b" in self.names:
            b = values[-1]
            zero = np.argwhere(np.atleast_1d(b) == 0)
            if len(zero):
                at = entry(names["b"], tuple(map(int, zero[0])) if b.ndim else ())
                raise DomainError(
                    f"{at} is 0, by which nothing is divided.\n"
                    f"  Keep {names['b']} away from 0, such as by Add({names['b']}, 0.001)."
                )
        return values

    @quiet
    def forward(self, *values):
        a, b = self.all(values)
        return a / b

    @quiet
    def jacobians(self, *values):
        found = {}
        for place, name in enumerate(self.names):
            if name == "a" and self.numbers:
                found["a"] = 1 / self.numbers[1] * self.same(0)
            elif name == "a":
                found["a"] = self.same(0) * self.factor(1, 1 / values[1], "1/b")
            elif self.numbers:
                b = values[place]
                found["b"] = -self.numbers[0] * self.same(0) * self.factor(0, 1 / b / b, "1/b²")
            else:
                a, b = values
                inverse = self.factor(1, 1 / b, "1/b")
                found["b"] = -1.0 * self.same(1) * self.factor(0, a) * inverse * inverse
        return found

    @quiet
    def second(self, *values):
        """∂²c/∂a∂b = −1/b², ∂²c/∂b² = 2a/b³, for entry k alone."""
        if 1 in self.numbers:
            return {}
        b = values[-1]
        place = len(values) - 1
        inverse = self.factor(place, 1 / b, "1/b")  # 1/b³ may pass what a/b³ does not
        cube = self.same_twice(place, place) * inverse * inverse * inverse
        if self.numbers:
            return {("b", "b"): 2 * self.numbers[0] * cube}
        square = self.factor(1, 1 / b / b, "1/b²")
        return {
            ("a", "b"): -1.0 * self.same_twice(0, 1) * square,
            ("b", "b"): 2.0 * self.factor(0, values[0]) * cube,
        }

    @quiet
    def vjp(self, c_bar, *values):
        a, b = self.all(values)
        bars = {"a": c_bar / b, "b": -c_bar * (a / b) / b}
        pairs = enumerate(zip(self.names, values, strict=True))
        return {name: self.gathered(place, bars[name], value) for place, (name, value) in pairs}


def _finite(value: float, who: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DomainError(f"{who}: the operand {value!r} is not a finite number.\n  Write another.")
    return float(value)


def _written(value: float) -> str:
    """A number as a text has it: 2, -0.5."""
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
