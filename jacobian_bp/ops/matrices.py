"""Arrays made of the entries of others: Kronecker products, columns in one, diagonals, parts."""

import re
from dataclasses import dataclass
from functools import reduce
from operator import mul

import numpy as np

from ..algebra.expression import Expression, delta, dense
from ..algebra.written_positions import at
from ..errors import AxisError, DomainError
from ..numbers.arrays import quiet
from .base import Op, over_batch

_END = r"(-?\d{1,6})?"
_PLACE = re.compile(rf"-?\d{{1,6}}|{_END}:{_END}(:{_END})?")
_READ, _GIVEN = "ijkl", "opqr"  # the axes of what a part is of, and those that a range gives


class Kron(Op):
    """Kronecker product of two matrices, each entry of A times all of B.

        Y[o,p] = A[i,j] B[k,l]  where  o = K·i + k,  p = L·j + l,  K and L the sizes of B
        ∂Y/∂A = Σ_k,l δ[o,K·i'+k] δ[p,L·j'+l] B[k,l]
        ∂Y/∂B = Σ_i,j δ[o,K·i+k'] δ[p,L·j+l'] A[i,j]

    Block i,j of Y is A[i,j] B, and row k of it stands in row K·i + k, hence the deltas. Source:
    Van Loan, The ubiquitous Kronecker product, 2000.

    >>> Kron().forward(np.array([[1.0, 2.0]]), np.array([[3.0], [5.0]])).tolist()
    [[3.0, 6.0], [5.0, 10.0]]
    """

    signature = "A[i,j], B[k,l] -> Y[o,p]; o = i*k; p = j*l"
    formula = "A ⊗ B"
    reasons = {
        "A": "block i,j is A[i,j] times B",
        "B": "each block is B times an entry of A",
    }
    needs_entries = True

    @quiet
    def forward(self, A, B):
        blocks = np.einsum("...ij,...kl->...ikjl", A, B)
        return blocks.reshape(*blocks.shape[:-4], *self._sizes(A, B)).copy()

    def jacobians(self, A, B):
        rows, columns = B.shape[-2:]
        return {
            "A": at(f"o = {rows}i' + k") * at(f"p = {columns}j' + l") * dense("B[k,l]", B),
            "B": at(f"o = {rows}i + k'") * at(f"p = {columns}j + l'") * dense("A[i,j]", A),
        }

    def second(self, A, B):
        rows, columns = B.shape[-2:]
        return {("A", "B"): at(f"o = {rows}i' + k'") * at(f"p = {columns}j' + l'")}

    @quiet
    def vjp(self, bar, A, B):
        """Each block of bar with B, all blocks of bar with A."""
        (rows, columns), (tall, wide) = A.shape[-2:], B.shape[-2:]
        blocks = bar.reshape(*bar.shape[:-2], rows, tall, columns, wide)
        return {
            "A": over_batch(np.einsum("...ikjl,...kl->...ij", blocks, B), A.ndim),
            "B": over_batch(np.einsum("...ikjl,...ij->...kl", blocks, A), B.ndim),
        }

    @staticmethod
    def _sizes(A: np.ndarray, B: np.ndarray) -> tuple[int, int]:
        return A.shape[-2] * B.shape[-2], A.shape[-1] * B.shape[-1]


class Vec(Op):
    """The columns of a matrix, one below another.

        y[o] = X[i,j]  where  o = I·j + i,  I the number of rows
        ∂y/∂X = δ[o,I·j'+i']

    Entry o is the one entry of X with this place, column by column, hence the delta. Row by row
    it is Flatten. Source: Magnus and Neudecker, Matrix Differential Calculus, 2.4.

    >>> Vec().forward(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [1.0, 3.0, 2.0, 4.0]
    """

    signature = "X[i,j] -> y[o]; o = i*j"
    formula = "the columns of X, one below another"
    reasons = {"X": "the same entry, at another place"}
    needs_entries = True

    def forward(self, X):
        return np.swapaxes(X, -1, -2).reshape(*X.shape[:-2], -1).copy()

    def jacobians(self, X):
        return {"X": at(f"o = {X.shape[-2]}j' + i'")}

    def second(self, X):
        return {}

    def vjp(self, bar, X):
        columns = bar.reshape(*bar.shape[:-1], X.shape[-1], X.shape[-2])
        return {"X": np.swapaxes(columns, -1, -2).copy()}


class Diag(Op):
    """A vector on the diagonal of a matrix, zeros beside it.

        Y[k,j] = δ[k,j] x[k]
        ∂Y/∂x = δ[k,k'] δ[j,k']

    Row k reads entry k, hence δ[k,k'], and only its place k is not zero, hence δ[j,k'].

    >>> Diag().forward(np.array([2.0, 3.0])).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """

    signature = "x[k] -> Y[k,j]; j = k"
    formula = "diag(x)"
    reasons = {"x": "place k,k is entry k; beside it all is zero"}

    def forward(self, x):
        Y = np.zeros((*x.shape, x.shape[-1]), x.dtype)
        place = np.arange(x.shape[-1])
        Y[..., place, place] = x
        return Y

    def jacobians(self, x):
        return {"x": delta("k,k'") * delta("j,k'")}

    def second(self, x):
        return {}

    def vjp(self, bar, x):
        return {"x": np.diagonal(bar, axis1=-2, axis2=-1).copy()}


class Part(Op):
    """Entries at given places, as numpy slices: Part(X, "0,1:3"), Part(X, ":,-1"), Part(x, "1::2").

        y[p] = X[0,p+1]
        ∂y/∂X = δ[i',0] δ[j',p+1]

    Each axis has one place, a range, or all places, a colon; places count from 0, or from the end
    with a minus sign; 1::2 is every second, ::-1 the axis turned round, where entry o reads at
    −o + D − 1. Entry p is one entry of X, hence a delta for each axis. Raises AxisError
    where a place cannot be read or the range is empty, DomainError where X has no such place.

    >>> Part("1:3").forward(np.array([2.0, 3.0, 5.0])).tolist()
    [3.0, 5.0]
    """

    formula = "X at these places"
    reasons = {"X": "the same entry, at another place"}
    example = {"places": "1,0:2"}

    def __init__(self, places: str) -> None:
        words = [word.strip() for word in str(places).split(",")]
        if not all(word and _PLACE.fullmatch(word) for word in words) or len(words) > len(_READ):
            raise AxisError(
                f"Part({places!r}) names no places.\n"
                '  Write one for each axis: "0", a place; "1:3", a range; "::2", every second; '
                '":", all; "0,1:3".'
            )
        self.places = ",".join(words)
        self.options = (repr(self.places),)
        letters = zip(_READ, _GIVEN, words, strict=False)
        self.along = [_Along(own, new, word) for own, new, word in letters]
        kept = [a.own if a.word == ":" else a.new for a in self.along if ":" in a.word]
        rules = [f"; {a.new} = {a.length}" for a in self.along if ":" in a.word and a.word != ":"]
        read = ",".join(_READ[: len(words)])
        self.signature = f"X[{read}] -> y[{','.join(kept)}]{''.join(rules)}"

    def forward(self, X):
        return np.array(X[self._index()], copy=True)

    def jacobians(self, X):
        sizes = X.shape[X.ndim - len(self.along) :]
        found = [along.delta(size) for along, size in zip(self.along, sizes, strict=True)]
        return {"X": reduce(mul, found)}

    def second(self, X):
        return {}

    def vjp(self, bar, X):
        X_bar = np.zeros(X.shape, np.result_type(bar, X))
        X_bar[self._index()] = bar
        return {"X": X_bar}

    def admit(self, names, X):
        sizes = X.shape[max(0, X.ndim - len(self.along)) :]
        for along, size in zip(self.along, sizes, strict=False):
            for place in along.ends:
                if not -size <= place < size:
                    raise DomainError(
                        f"Part({self.places!r}) reads place {place} along {along.own}; "
                        f"{names['X']} has {size} there.\n"
                        f"  Write places from {-size} to {size - 1}."
                    )
        return (X,)

    def __repr__(self) -> str:
        return f"Part({self.places!r})"

    def _index(self):
        return (..., *(along.index for along in self.along))


@dataclass(frozen=True)
class _Along:
    """What a part takes along one axis: `word` is a place, a range, or a colon."""

    own: str
    new: str
    word: str

    def __post_init__(self) -> None:
        if self.step < 0 and any(self._words[:2]):
            raise AxisError(
                f"Part: the range {self.word} goes backwards from a place.\n"
                "  Write ::-1 for the whole axis turned round, and take a part of that."
            )
        if self.step == 0:
            raise AxisError(
                f"Part: the range {self.word} takes no steps.\n  Write a step such as 2, or none."
            )
        if ":" in self.word and self.end is not None and not self._has_entries(self.end):
            raise AxisError(
                f"Part: the range {self.word} has no entries, or not in every array.\n"
                "  Write an end behind the beginning, both from the same side, or such as 1:-1."
            )

    @property
    def _words(self) -> list[str]:
        return [*self.word.split(":"), "", ""][:3]

    @property
    def first(self) -> int:
        """The place, or where the range begins; −1 where it goes backwards."""
        return int(self._words[0] or -(self.step < 0))

    @property
    def end(self) -> int | None:
        """Where the range has ended; None at the end of the axis."""
        return int(self._words[1]) if self._words[1] else None

    @property
    def step(self) -> int:
        """How far one entry is from the next."""
        return int(self._words[2] or 1)

    def _has_entries(self, end: int) -> bool:
        return end > self.first if (end < 0) == (self.first < 0) else end < 0

    @property
    def index(self) -> int | slice:
        """The word as numpy takes it."""
        if ":" not in self.word:
            return self.first
        return slice(self.first, self.end, None if self.step == 1 else self.step)

    @property
    def length(self) -> str:
        """The rule for the length of a range: (end − first)/step, rounded up."""
        size = abs(self.step)
        if self.step < 0:
            return self.own if size == 1 else f"({self.own} + {size - 1})//{size}"
        if self.end is None:
            fixed, less = (-self.first, 0) if self.first < 0 else (None, self.first)
        else:
            same_side = (self.end < 0) == (self.first < 0)
            fixed, less = (self.end - self.first if same_side else None), self.first - self.end
        if fixed is not None:
            return str(-(-fixed // size))
        more = size - 1 - less
        entries = f"{self.own} {'-' if more < 0 else '+'} {abs(more)}"
        return entries if size == 1 else f"({entries})//{size}"

    @property
    def ends(self) -> tuple[int, ...]:
        """The first and the last place that are read."""
        if self.word == ":" or self.step < 0:
            return ()
        if ":" not in self.word:
            return (self.first,)
        if self.end is None:
            return (self.first, -1)
        return (self.first, self.end - 1)

    def delta(self, size: int) -> Expression:
        """Where entry o of the part stands."""
        if self.word == ":":
            return delta(f"{self.own},{self.own}'")
        first = self.first + size * (self.first < 0)
        steps = {1: "", -1: "-"}.get(self.step, str(self.step))
        return at(f"{self.own}' = {f'{steps}{self.new} + ' * (':' in self.word)}{first}")
