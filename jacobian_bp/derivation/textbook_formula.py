"""The gradient by a parameter in matrix notation, as the axes of a convention have it."""

from collections.abc import Sequence

from ..algebra.axes import BATCH, Axis
from ..algebra.expression import Dense, Term
from ..algebra.spending import summed
from .convention import Convention
from .of_each_example import SHARE, times_term


def textbook(
    term: Term, wrt: Sequence[Axis], convention: Convention, count: int | None = None
) -> str:
    """A product of vectors in matrix notation: δ[k'] a[i'] is δ aᵀ, one vector is itself.

        W (outputs, inputs)     δ aᵀ of one example, δᵀ a of rows, δ aᵀ of columns
        W (inputs, outputs)     aᵀ δ of one as a row, a δᵀ as a column; aᵀ δ of rows, a δᵀ
                                of columns

    In a batch of rows Σ_n δ[n,k'] a[n,i'] is δᵀ a; in columns Σ_n δ[k',n] a[i',n] is δ aᵀ.
    Of `count` examples whose δ has no 1/m in it, 1/m stands in front.
    """
    whole = term if count is None else times_term(term, count)
    share = "" if count is None else f"{SHARE} "
    factors = whole.of(Dense)
    if whole.coefficient != 1 or len(whole.factors) != len(factors):
        return share + str(whole)
    own = tuple(axis.name for axis in wrt)
    axes = [factor.axes for factor in factors]
    names = [factor.label for factor in factors]
    if axes == [own]:
        return share + names[0]
    if len(axes) == 1 and _without_examples(axes[0]) == own:
        return f"{share}Σ_n {names[0]}"
    if len(own) == len(axes) == 2:
        by_axis = {_without_examples(a): place for place, a in enumerate(axes)}
        if set(by_axis) == {own[:1], own[1:]}:
            left, right = by_axis[own[:1]], by_axis[own[1:]]
            product = _product(names[left], names[right], axes[left], axes[right], convention)
            if product:
                return share + product
    return share + summed(whole, own)


def _product(
    left: str, right: str, of_left: Sequence[str], of_right: Sequence[str], convention: Convention
) -> str:
    """left rightᵀ or leftᵀ right, by where the examples stand; nothing where they differ."""
    if BATCH not in of_left and BATCH not in of_right:
        row = convention.weights == "in,out" and convention.examples == "rows"
        return f"{left}ᵀ {right}" if row else f"{left} {right}ᵀ"
    if of_left[0] == of_right[0] == BATCH:
        return f"{left}ᵀ {right}"
    return f"{left} {right}ᵀ" if of_left[-1] == of_right[-1] == BATCH else ""


def _without_examples(axes: Sequence[str]) -> tuple[str, ...]:
    return tuple(axis for axis in axes if axis != BATCH)
