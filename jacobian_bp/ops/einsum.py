"""Any einsum as an op, its Jacobians read off its equation."""

from dataclasses import replace
from functools import partial
from itertools import combinations
from string import ascii_lowercase
from typing import Any

import numpy as np

from ..algebra.axes import BATCH, primed, unnamed
from ..algebra.expression import Delta, Dense, Expression, Factor, Term
from ..algebra.products.diagonals import diagonal_view
from ..algebra.products.spending import sum_out
from ..errors import AxisError
from ..numbers.arrays import quiet
from .base import Op, on_demand
from .kernels import contractions as kernels

TOO_MANY = len(ascii_lowercase)


class Einsum(Op):
    """A sum of products, by its equation.

        Einsum("ki,i->k"):  c[k] = Σ_i a[k,i] b[i]

    An einsum is linear in each operand, so the derivative by one operand is the
    product of the others, with a δ for each of its own letters:

        ∂c/∂a = δ[k,k'] δ[i,i'] b[i], summed over i:  δ[k,k'] b[i']

    and by two of them the product of the rest, ∂²c/∂a∂b = δ[k,k'] δ[i',i''].

    >>> print(Einsum("ki,i->k").signature)
    a[k,i], b[i] -> c[k]
    """

    shows_nonfinite = True
    example = {"equation": "ki,i->k"}
    compiled_as = kernels.einsum

    def __init__(self, equation: str) -> None:
        if not isinstance(equation, str):
            raise AxisError(
                f"Einsum takes an equation, not {equation!r}.\n"
                "  Write it such as Einsum('ki,i->k')."
            )
        words, arrow, result = equation.replace(" ", "").partition("->")
        operands = words.split(",")
        letters = "".join(operands) + result
        if not arrow or not all(c in ascii_lowercase for c in letters):
            raise AxisError(
                f"Einsum({equation!r}) is not an equation of lower-case letters with '->'.\n"
                "  Write it such as Einsum('ki,i->k')."
            )
        if len(set(result)) < len(result) or not set(result) <= set("".join(operands)):
            raise AxisError(
                f"Einsum({equation!r}): each letter of the output {result!r} stands there once, "
                "and in an operand.\n  Write it such as Einsum('ki,i->k')."
            )
        if BATCH in letters:
            parts = [*operands, result]
            in_front = result[:1] == BATCH and all(BATCH not in word[1:] for word in parts)
            without = equation.replace(BATCH, "")
            raise AxisError(
                f"Einsum({equation!r}): the letter {BATCH} is the axis of the examples.\n"
                + (
                    f"  Write {without!r}, which is lifted to a batch by itself; "
                    f"axes={{…}} of the run names what has it in front."
                    if in_front
                    else "  Use another letter; the equation is lifted to a batch by itself."
                )
            )
        if len(operands) >= TOO_MANY:
            raise AxisError(
                f"Einsum({equation[:40]!r}...) has {len(operands)} operands; "
                f"at most {TOO_MANY - 1} have a name.\n  Split it into several ops."
            )
        self.equation = f"{','.join(operands)}->{result}"
        self.operands, self.result = operands, result
        names, output = ascii_lowercase[: len(operands)], ascii_lowercase[len(operands)]
        inputs = [f"{n}[{','.join(w)}]" for n, w in zip(names, operands, strict=True)]
        others = ": the other operands stay" if len(names) > 1 else " in its operand"
        self.reasons = dict.fromkeys(names, f"linear{others}")
        self.signature = f"{', '.join(inputs)} -> {output}[{','.join(result)}]"

    @quiet
    def forward(self, *arrays):
        return self._contract(self.operands, arrays, self.result)

    def jacobians(self, *arrays):
        return {
            name: self._others((position,), arrays)
            for position, name in enumerate(ascii_lowercase[: len(arrays)])
        }

    @quiet
    def second(self, *arrays):
        names = ascii_lowercase[: len(arrays)]
        pairs = combinations(range(len(arrays)), 2)
        return {(names[p], names[q]): self._others((p, q), arrays) for p, q in pairs}

    @quiet
    @on_demand
    def vjp(self, c_bar, *arrays):
        return {
            name: partial(self._pull, position, c_bar, arrays)
            for position, name in enumerate(ascii_lowercase[: len(arrays)])
        }

    def _others(self, by: tuple[int, ...], arrays: tuple[np.ndarray, ...]) -> Expression:
        """The product of the operands but those at `by`, a δ for each letter of these."""
        own = "".join(self.operands[position] for position in by)
        factors: list[Factor] = [
            Delta(axis, mark) for axis, mark in zip(own, primed(own), strict=True)
        ]
        for other, (word, array) in enumerate(zip(self.operands, arrays, strict=True)):
            if other not in by:
                front = unnamed(array.ndim - len(word))
                factors.append(Dense(ascii_lowercase[other], (*front, *word), array))
        sizes: dict[str, int] = {}
        carried: tuple[str, ...] = ()
        for word, array in zip(self.operands, arrays, strict=True):
            front = unnamed(array.ndim - len(word))
            carried = max(carried, front, key=len)
            sizes |= dict(zip((*front, *word), array.shape, strict=True))
        kept = list(dict.fromkeys((*carried, *own, *primed(own), *self.result)))
        term = sum_out(Term(tuple(factors)), kept, sizes)
        positive = [f.absolute() if isinstance(f, Dense) else f for f in factors]
        scale = sum_out(Term(tuple(positive)), kept, sizes)
        return Expression.of(*map(_with_magnitude, term.factors, scale.factors))

    def _pull(self, position: int, bar: np.ndarray, arrays: tuple[np.ndarray, ...]) -> np.ndarray:
        """bar contracted with the other operands, spread over the operand's own letters."""
        own, value = self.operands[position], arrays[position]
        words = [self.result, *(w for p, w in enumerate(self.operands) if p != position)]
        values = [bar, *(a for p, a in enumerate(arrays) if p != position)]
        known = "".join(dict.fromkeys(c for c in own if any(c in w for w in words)))
        found = self._contract(words, values, known)
        front = unnamed(value.ndim - len(own))
        shared = found.ndim - len(known) - len(front)  # axes in front that it does not have
        if shared:
            found = found.sum(axis=tuple(range(shared)))
        if known == own and found.dtype == value.dtype:
            return found
        distinct = list(dict.fromkeys(own))
        spread = [slice(None) if c in known else None for c in distinct]
        order = [known.index(c) for c in distinct if c in known]
        moved = found.transpose([*range(len(front)), *(len(front) + p for p in order)])
        across = moved[(*[slice(None)] * len(front), *spread)]
        dtype = np.result_type(bar, value)
        if len(distinct) == len(own):
            return np.broadcast_to(across, value.shape).astype(dtype, order="C")
        out = np.zeros(value.shape, dtype)
        leader = dict(zip(primed(own), own, strict=True)) | dict(zip(front, front, strict=True))
        target = diagonal_view(out, [*front, *primed(own)], leader)
        target[...] = across
        return out

    def peer(self, xp, *arrays):
        return xp.einsum and xp.einsum(self._lifted(self.operands, arrays, self.result), *arrays)

    @staticmethod
    def _contract(
        words: list[str], arrays: tuple[np.ndarray, ...] | list[np.ndarray], result: str
    ) -> np.ndarray:
        found = np.einsum(Einsum._lifted(words, arrays, result), *arrays)
        return found if len(arrays) > 1 else found.copy()  # of one array it may be a view

    @staticmethod
    def _lifted(words: list[str], arrays: Any, result: str) -> str:
        """The equation, with ... for the axes that an array has in front."""
        pairs = list(zip(words, arrays, strict=True))
        equation = ",".join("..." + w if a.ndim > len(w) else w for w, a in pairs)
        batch = "..." if any(a.ndim > len(w) for w, a in pairs) else ""
        return f"{equation}->{batch}{result}"


def _with_magnitude(factor: Factor, scale: Factor) -> Factor:
    """A factor that may be a sum, and the same sum over absolute values."""
    if isinstance(factor, Dense) and isinstance(scale, Dense):
        return replace(factor, magnitude=scale.array)
    return factor
