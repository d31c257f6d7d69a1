"""Gradients and errors in matrix notation, as the axes of a convention have them."""

from collections.abc import Sequence

from ..algebra.axes import BATCH, Axis
from ..algebra.expression import Dense, Term
from ..algebra.products.spending import summed
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
    if len(whole.factors) != len(whole.of(Dense)):
        return share + str(whole)
    numbers = [factor.label for factor in whole.of(Dense) if not factor.axes]
    factors = [factor for factor in whole.of(Dense) if factor.axes]
    product = _in_matrices(factors, tuple(axis.name for axis in wrt), convention)
    if not product:
        return share + summed(whole, [axis.name for axis in wrt])
    count_of = str(Term((), whole.coefficient)) if abs(whole.coefficient) != 1 else ""
    words = " ".join([*([count_of] if count_of else []), *numbers, product])
    return share + (f"−{words}" if whole.coefficient == -1 else words)


def _in_matrices(factors: Sequence[Dense], own: tuple[str, ...], convention: Convention) -> str:
    """The product of arrays without their indices; nothing for another form."""
    axes = [factor.axes for factor in factors]
    names = [factor.label for factor in factors]
    if axes == [own]:
        return names[0]
    if len(axes) == 1 and len(axes[0]) == len(own) + 1:
        front, back = axes[0][0], axes[0][-1]
        if axes[0][1:] == own:
            return f"Σ_{front} {names[0]}"
        return f"Σ_n {names[0]}" if axes[0][:-1] == own and back == BATCH else ""
    if len(own) == len(axes) == 2:
        by_axis = {_without_examples(a): place for place, a in enumerate(axes)}
        if set(by_axis) == {own[:1], own[1:]}:
            left, right = by_axis[own[:1]], by_axis[own[1:]]
            return _product(names[left], names[right], axes[left], axes[right], convention)
        if axes[0][1:] == own[:1] and axes[1][1:] == own[1:]:
            return f"{names[0]}ᵀ {names[1]}"
    return ""


def textbook_error(term: Term, own: Sequence[str], convention: Convention) -> str:
    """An error in matrix notation: W2ᵀ δ2 ⊙ relu'(z1); nothing for another form.

        Σ_k δ2[k,n'] W2[k,k'] relu'(z1)[k',n']   =   W2ᵀ δ2 ⊙ relu'(z1) in columns

    ⊙ multiplies entry by entry. `own` are the axes of the value, primed.
    """
    factors = term.of(Dense)
    beside = [factor for factor in factors if factor.axes == tuple(own)]
    others = [factor for factor in factors if factor.axes != tuple(own)]
    if len(term.factors) != len(factors) or not factors:
        return ""
    words = [factor.label for factor in beside]
    if others:
        product = _through(others, own, convention)
        if not product:
            return ""
        words.insert(0, product)
    if len(words) == 1 and term.coefficient == 1:
        words = [_bare(words[0])]
    elif others:
        words[0] = words[0] if len(words) == 1 else f"({words[0]})"
    share = "" if term.coefficient == 1 else str(Term((), term.coefficient)) + " "
    return share + " ⊙ ".join(words)


def _through(others: Sequence[Dense], own: Sequence[str], convention: Convention) -> str:
    """W2ᵀ δ2 of columns, δ2 W2 of rows: the error of the layer above by the weights."""
    if len(others) != 2:
        return ""
    unit = own[-1] if own[0].startswith(BATCH) else own[0]
    weights = next((f for f in others if len(f.axes) == 2 and unit in f.axes), None)
    error = next((f for f in others if f is not weights), None)
    if weights is None or error is None or unit in error.axes:
        return ""
    above = next(axis for axis in weights.axes if axis != unit)
    if {above, *own} - {unit} != set(error.axes):
        return ""
    is_row = convention.examples == "rows" and (len(own) > 1 or convention.weights == "in,out")
    turned = (weights.axes[0] == unit) == is_row
    name = f"{weights.label}ᵀ" if turned else weights.label
    return f"{error.label} {name}" if is_row else f"{name} {error.label}"


def _bare(label: str) -> str:
    """A sum without the parentheses that are around the whole of it."""
    inner = label[1:-1]
    around = label.startswith("(") and label.endswith(")")
    return inner if around and inner.find(")") >= inner.find("(") else label


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
