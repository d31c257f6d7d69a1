"""Arrays made of the entries of others: Kronecker products, columns in one, diagonals, parts."""

import re

import numpy as np

from ..algebra.expression import Expression, delta, dense
from ..algebra.written_positions import at
from ..errors import AxisError, DomainError
from ..numbers.arrays import quiet
from .base import Op, over_batch

_PLACE = re.compile(r":|(\d{1,6})(?::(\d{1,6}))?")
_READ, _GIVEN = "ijkl", "opqr"  # the axes of what a part is of, and those that a range gives
Reach = tuple[int, int | None] | None  # one place, a range, or all places


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
    """Entries at given places, counted from 0, as numpy slices: Part(X, "0,1:3"), Part(X, ":,2").

        y[p] = X[0,p+1]
        ∂y/∂X = δ[i',0] δ[j',p+1]

    Each axis has one place, a range, or all places, a colon. Entry p is one entry of X, hence a
    delta for each axis. Raises AxisError where a place cannot be read, DomainError where X has
    no such place.

    >>> Part("1:3").forward(np.array([2.0, 3.0, 5.0])).tolist()
    [3.0, 5.0]
    """

    formula = "X at these places"
    reasons = {"X": "the same entry, at another place"}
    example = {"places": "1,0:2"}

    def __init__(self, places: str) -> None:
        words = [word.strip() for word in str(places).split(",")]
        read = [_PLACE.fullmatch(word) for word in words]
        if not all(read) or len(words) > len(_READ):
            raise AxisError(
                f"Part({places!r}) names no places.\n"
                '  Write one for each axis: "0", a place; "1:3", a range; ":", all; "0,1:3".'
            )
        self.places = ",".join(words)
        self.options = (repr(self.places),)
        self.ranges = [_range(word) for word in words]
        for low, high in filter(None, self.ranges):
            if high is not None and high <= low:
                raise AxisError(
                    f"Part({places!r}): the range {low}:{high} has no entries.\n"
                    "  Write an end behind the beginning."
                )
        kept, rules = [], []
        for own, new, reach in zip(_READ, _GIVEN, self.ranges, strict=False):
            if reach is None:
                kept.append(own)
            elif reach[1] is not None:
                kept.append(new)
                rules.append(f"; {new} = {reach[1] - reach[0]}")
        read_axes = ",".join(_READ[: len(words)])
        self.signature = f"X[{read_axes}] -> y[{','.join(kept)}]{''.join(rules)}"

    def forward(self, X):
        return np.array(X[self._index()], copy=True)

    def jacobians(self, X):
        found: Expression | None = None
        for own, new, reach in zip(_READ, _GIVEN, self.ranges, strict=False):
            if reach is None:
                one = delta(f"{own},{own}'")
            else:
                low, high = reach
                one = at(f"{own}' = {low}" if high is None else f"{own}' = {new} + {low}")
            found = one if found is None else found * one
        return {"X": found}

    def second(self, X):
        return {}

    def vjp(self, bar, X):
        X_bar = np.zeros(X.shape, np.result_type(bar, X))
        X_bar[self._index()] = bar
        return {"X": X_bar}

    def admit(self, names, X):
        for axis, reach in enumerate(self.ranges):
            if reach is None or X.ndim < len(self.ranges):
                continue
            size = X.shape[X.ndim - len(self.ranges) + axis]
            last = reach[0] if reach[1] is None else reach[1] - 1
            if last >= size:
                raise DomainError(
                    f"Part({self.places!r}) reads place {last} along {_READ[axis]}; {names['X']} "
                    f"has {size} there.\n  Write places from 0 to {size - 1}."
                )
        return (X,)

    def __repr__(self) -> str:
        return f"Part({self.places!r})"

    def _index(self):
        inside = [
            slice(None) if reach is None else reach[0] if reach[1] is None else slice(*reach)
            for reach in self.ranges
        ]
        return (..., *inside)


def _range(word: str) -> Reach:
    match = _PLACE.fullmatch(word)
    if match is None or match[1] is None:
        return None
    return int(match[1]), int(match[2]) if match[2] else None
