"""Matrices as a whole: the inverse, the determinant and its logarithm; and log Σ exp."""

from functools import reduce
from itertools import permutations
from operator import mul

import numpy as np

from ..algebra.expression import Expression, dense
from ..errors import DomainError
from ..numbers.arrays import entry, quiet
from ..numbers.stable import exact_sum, exponentials, softmax_parts
from ..writing.signs import dims, number, safe
from .base import Op
from .softmax import covariance


class Inverse(Op):
    """Inverse of a square matrix.

        Y = X⁻¹
        ∂Y/∂X = −Y[j,i'] Y[j',i]

    From d(X Y) = 0, dY = −Y dX Y: row i' and column j' of dX stand between two inverses, and no
    δ is left. Value and slope are within 8 n κ u of their largest entry, for n rows, u the unit
    roundoff and κ the largest singular value of X over the smallest. Raises DomainError where X
    is not square, or singular within rounding. Source: Magnus and Neudecker, Matrix Differential
    Calculus, 8.4; Higham, Accuracy and Stability of Numerical Algorithms, 14.1.

    >>> Inverse().forward(np.array([[2.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """

    signature = "X[i,j] -> Y[j,i]"
    formula = "X⁻¹"
    reasons = {"X": "`dY = −Y dX Y`: `dX` stands between two inverses"}
    example_sizes = {"i": 3, "j": 3}

    @quiet
    def forward(self, X):
        return np.linalg.inv(X)

    @quiet
    def jacobians(self, X):
        return {"X": -_inverse_at(X, "j,i'", "j',i")}

    @quiet
    def second(self, X):
        first = _inverse_at(X, "j,i'", "j',i''", "j'',i")
        other = _inverse_at(X, "j,i''", "j'',i'", "j',i")
        return {("X", "X"): first + other}

    @quiet
    def vjp(self, bar, X):
        """−X⁻ᵀ bar X⁻ᵀ, by two systems of equations instead of an inverse."""
        turned = np.swapaxes(X, -1, -2)
        left = np.linalg.solve(turned, bar)
        return {"X": -np.swapaxes(np.linalg.solve(X, np.swapaxes(left, -1, -2)), -1, -2)}

    def admit(self, names, X):
        _require_inverse(X, names["X"], "an inverse")
        return (X,)


class Det(Op):
    """Determinant of a square matrix.

        c = det X
        ∂c/∂X = cofactor(X)[i',j']

    The determinant is a sum of products with one entry of each row; what stands beside X[i',j'] in
    them is its cofactor, the determinant without row i' and column j', with the sign (−1)^(i'+j').
    A singular matrix has a slope too, and where there is an inverse it is det X · X⁻¹[j',i']. The
    value is within 8 n² u σ Π of the exact one, for n rows, u the unit roundoff, σ the largest
    singular value and Π the product of the n − 1 largest; the slope with the n − 2 largest. Raises
    DomainError where X is not square. Source: Magnus and Neudecker, Matrix Differential Calculus,
    8.3.

    >>> Det().vjp(1.0, np.array([[2.0, 3.0], [5.0, 7.0]]))["X"].round(12).tolist()
    [[7.0, -5.0], [-3.0, 2.0]]
    """

    signature = "X[i,j] -> c[]"
    formula = "det X"
    reasons = {"X": "what stands beside the entry in the products that are added"}
    example_sizes = {"i": 3, "j": 3}

    @quiet
    def forward(self, X):
        return np.asarray(np.linalg.det(X))

    @quiet
    def jacobians(self, X):
        """Each cofactor by its definition; all are rounded beside the largest products."""
        cofactors = np.zeros_like(X)
        for i, j in np.ndindex(X.shape[-2:]):
            cofactors[..., i, j] = (-1) ** (i + j) * np.linalg.det(_without(X, (i,), (j,)))
        s = np.linalg.svd(X, compute_uv=False)
        largest = X.shape[-1] ** 2 * s[..., :1].sum(axis=-1) * s[..., :-2].prod(axis=-1)
        magnitude = np.maximum(np.abs(cofactors), largest[..., None, None])
        return {"X": dense("cofactor(X)[i',j']", cofactors, magnitude)}

    @quiet
    def second(self, X):
        """The cofactor of a cofactor: 0 for two entries of one row, or of one column."""
        n = X.shape[-1]
        found = np.zeros((*X.shape, n, n), X.dtype)
        for i, p in permutations(range(n), 2):
            for j, q in permutations(range(n), 2):
                sign = (-1) ** (i + j + p + q) * (1 if (i < p) == (j < q) else -1)
                found[..., i, j, p, q] = sign * np.linalg.det(_without(X, (i, p), (j, q)))
        return {("X", "X"): dense("cofactor(X)[i',j',i'',j'']", found)}

    @quiet
    def vjp(self, bar, X):
        """bar times the cofactors by X = U diag(s) Vᵀ: det(U Vᵀ) U diag(Π of the other s) Vᵀ."""
        U, s, V = np.linalg.svd(X)
        others = np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(axis=-1)
        sign = np.linalg.det(U) * np.linalg.det(V)
        share = (np.asarray(bar) * sign)[..., None] * others
        return {"X": (U * share[..., None, :]) @ V}

    def admit(self, names, X):
        _require_square(X, names["X"], "a determinant")
        return (X,)


class LogDet(Op):
    """Logarithm of the determinant's absolute value.

        c = log |det X|
        ∂c/∂X = X⁻¹[j',i'],  ∂²c/∂X² = −X⁻¹[j',i''] X⁻¹[j'',i']

    The cofactor of an entry over the determinant is an entry of the inverse, transposed. The
    slope is within 8 n κ u of its largest entry and the value within 8 n κ u, for n rows, u the
    unit roundoff and κ the largest singular value of X over the smallest. Raises DomainError
    where X is not square, or singular within rounding. Source: Magnus and Neudecker, Matrix
    Differential Calculus, 8.3.

    >>> float(LogDet().forward(np.diag([1.0, -1.0])))  # the sign of the determinant is left out
    0.0
    """

    signature = "X[i,j] -> c[]"
    formula = "log |det X|"
    reasons = {"X": "the cofactor of an entry over the determinant"}
    example_sizes = {"i": 3, "j": 3}

    @quiet
    def forward(self, X):
        return np.asarray(np.linalg.slogdet(X)[1])

    @quiet
    def jacobians(self, X):
        return {"X": _inverse_at(X, "j',i'")}

    @quiet
    def second(self, X):
        return {("X", "X"): -_inverse_at(X, "j',i''", "j'',i'")}

    @quiet
    def vjp(self, bar, X):
        """bar times the solution of Xᵀ Z = I."""
        turned = np.swapaxes(X, -1, -2)
        identity = np.broadcast_to(np.eye(X.shape[-1], dtype=X.dtype), X.shape)
        return {"X": np.asarray(bar)[..., None, None] * np.linalg.solve(turned, identity)}

    def admit(self, names, X):
        _require_inverse(X, names["X"], "a determinant")
        return (X,)


class LogSumExp(Op):
    """Logarithm of the sum of exponentials, along the last axis.

        c = log Σ_k e^z[k]
        ∂c/∂z = softmax(z)[k'],  ∂²c/∂z² = softmax(z)[k'] δ[k',k''] − softmax(z)[k'] softmax(z)[k'']

    The slope of the logarithm is one over the sum that all entries share, hence a softmax and no
    δ. The slopes are within 8 units in the last place; so is the value, max z + log1p(Σ of the
    other e^(z[k] − max z)), of the larger of its two terms. Source: Boyd and Vandenberghe, Convex
    Optimization, 3.1.5.

    >>> float(LogSumExp().forward(np.array([1000.0, 1000.0])))
    1000.6931471805599
    """

    signature = "z[k] -> c[]"
    formula = "log Σ_k e^z[k]"
    reasons = {"z": "each exponential over the sum of all"}
    needs_entries = True

    @quiet
    def forward(self, z):
        e, _, _ = exponentials(z)
        top = np.arange(z.shape[-1]) == z.argmax(axis=-1)[..., None]
        return z.max(axis=-1) + np.log1p(exact_sum(np.where(top, 0, e)))[..., 0]

    @quiet
    def jacobians(self, z):
        return {"z": dense("softmax(z)[k']", softmax_parts(z)[0])}

    @quiet
    def second(self, z):
        return {("z", "z"): covariance(*softmax_parts(z))}

    @quiet
    def vjp(self, bar, z):
        e, _, _ = exponentials(z)
        return {"z": np.asarray(bar)[..., None] * (e / e.sum(axis=-1, keepdims=True))}


def _inverse_at(X: np.ndarray, *axes: str) -> Expression:
    """X⁻¹ at each of these axes, multiplied.

    Each is within 8 n κ u of the largest entry. The magnitude of the first factor, times 16·u,
    stands for what all of them are off by, so that a product is not allowed the square of it.
    """
    inverse = np.linalg.inv(X)
    s = np.linalg.svd(X, compute_uv=False)
    condition = s.max(axis=-1, initial=0) / s.min(axis=-1, initial=np.inf)
    largest = np.abs(inverse).max(axis=(-2, -1), keepdims=True, initial=0)
    rounded = np.maximum(len(axes) * X.shape[-1] / 2 * condition[..., None, None], 1) * largest
    sizes = [rounded, *[largest] * (len(axes) - 1)]
    return reduce(
        mul,
        (
            dense(f"X⁻¹[{where}]", inverse, np.broadcast_to(size, X.shape))
            for where, size in zip(axes, sizes, strict=True)
        ),
    )


def _without(X: np.ndarray, rows: tuple[int, ...], columns: tuple[int, ...]) -> np.ndarray:
    return np.delete(np.delete(X, rows, axis=-2), columns, axis=-1)


def _require_square(X: np.ndarray, name: str, what: str) -> None:
    if X.shape[-1] != X.shape[-2]:
        raise DomainError(
            f"{safe(name)} has shape {dims(X.shape)}; {what} is that of a square matrix.\n"
            "  Pass as many rows as columns."
        )


def _require_inverse(X: np.ndarray, name: str, what: str) -> None:
    _require_square(X, name, what)
    if not X.size:
        return
    spread = np.linalg.svd(X, compute_uv=False)
    largest, smallest = spread[..., 0], spread[..., -1]
    singular = np.argwhere(smallest <= largest * (X.shape[-1] * np.finfo(spread.dtype).eps))
    if len(singular):
        where = tuple(map(int, singular[0]))
        ends = f"{number(largest[where])} down to {number(smallest[where])}"
        raise DomainError(
            f"{entry(name, where)} is singular within rounding: "
            f"its singular values go from {ends}.\n"
            f"  Pass a matrix of rank {X.shape[-1]}; {what} has no slope at a singular one."
        )
