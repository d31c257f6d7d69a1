"""Spend deltas, and sum: the algebra of expressions.

spend      Σ_k g[k] δ[k,k'] a[i']  ->  g[k'] a[i']
multiply   two expressions that share axes, the shared axes summed
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import AxisError, Later
from ...numbers.memory import require_memory
from ..expression import MASK, Delta, Dense, Distinct, Expression, Factor, One, Term
from ..positions.position_factors import At, Within
from .contracting import contract
from .diagonals import leaders, ordered
from .placing import evaluate
from .solving import next_summed, solved, spend_at
from .summing_positions import LONGEST_LABEL, sum_positions

MANY_FACTORS = 4  # beyond this, elementwise factors are multiplied out
MOST_TERMS = 8  # with windows of their own; beyond this, they are added up in one array


@dataclass(frozen=True)
class Spending:
    """One recorded step of the algebra: what a product was, what it became, and why."""

    before: str
    after: str
    reason: str

    def __str__(self) -> str:
        return f"{self.before}  =  {self.after}    ({self.reason})"


def spend(
    term: Term, kept: Sequence[str], sizes: dict[str, int], trace: list[Spending] | None = None
) -> Term:
    """Use up every delta that touches a summed axis, and record each use.

        Σ_k δ[k,k'] f[k]  =  f[k']

    because the only term of the sum that is not zero has k = k'. `sizes` takes
    the size of every axis; a summed axis that no factor names any longer
    contributes its size as a number.
    """
    position = 0
    while position < len(term.factors):
        factor = term.factors[position]
        if not isinstance(factor, Delta):
            position += 1
            continue
        factors = term.factors[:position] + term.factors[position + 1 :]
        rest = Term(factors, term.coefficient, term.sums)
        gone, stays = factor.left, factor.right
        if gone in kept:
            gone, stays = stays, gone
        if gone == stays:
            after = rest
            if gone not in rest.axes:
                after = replace(rest, factors=(*rest.factors, One(gone)))
        elif gone in kept:
            position += 1
            continue
        else:
            after = rest.renamed({gone: stays})
            if stays not in after.axes:
                after = replace(after, factors=(*after.factors, One(stays)))
        if trace is not None:
            reason = f"{factor} is 0 unless {gone} = {stays}: one term of Σ_{gone} is left"
            if gone == stays:
                reason = f"{factor} is 1 for every {gone}"
            trace.append(Spending(summed(term, kept), summed(after, kept), reason))
        term, position = after, 0
    return _drop_idle_ones(_each_once(term), kept, sizes)


def spend_positions(
    term: Term, kept: Sequence[str], sizes: dict[str, int], trace: list[Spending] | None = None
) -> Term:
    """Use up every delta at a position whose own axis is summed.

        Σ_i δ[i,2o+r] x[c,i]  =  x[c,2o+r]

    What is left is written so that no position has an axis that is itself read at one.
    """
    while True:
        factor = next_summed(term, kept)
        if factor is None:
            break
        after = spend_at(term, factor, sizes)
        if trace is not None:
            where = f"{factor.axis} = {factor.position}"
            reason = f"{factor} is 0 unless {where}: one term of Σ_{factor.axis} is left"
            trace.append(Spending(summed(term, kept), summed(after, kept), reason))
        term = after
    term = spend(solved(term, kept, sizes), kept, sizes)
    return term.summing(kept, sizes)


def spent_product(
    left: Expression,
    right: Expression,
    kept: Sequence[str],
    sizes: dict[str, int],
    trace: list[Spending] | None = None,
) -> Expression:
    """The product of two expressions with the deltas on summed axes spent, and nothing summed."""
    found = []
    for a in left.terms:
        for b in right.terms:
            term = a.times(b)
            known = term.sizes(sizes)
            spent = spend(term, kept, known, trace)
            if spent.has_positions:
                spent = spend_positions(spent, kept, known, trace)
            found.append(spent)
    return Expression(tuple(found))


def multiply(
    left: Expression,
    right: Expression,
    kept: Sequence[str],
    sizes: dict[str, int],
    label: str,
    trace: list[Spending] | None = None,
) -> Expression:
    """The product of two expressions, every axis outside `kept` summed.

    Deltas are spent first; what is left to sum is one contraction of dense
    factors, named `label`. The result is a sum over few terms: terms with the
    same deltas are added up.
    """
    spent = spent_product(left, right, kept, sizes, trace)
    whole = label if len(spent.terms) == 1 else ""  # a part of a sum has no right to the name
    terms = tuple(
        sum_positions(t, kept, t.sizes(sizes), whole)
        if t.has_positions
        else sum_out(masks(t, kept, t.sizes(sizes)), kept, t.sizes(sizes), whole)
        for t in spent.terms
    )
    result = merge(Expression(terms), kept, sizes, label)
    if trace is None:
        return result
    inside = {axis.name for term in result.terms for axis in term.sums}
    gone = sorted({a for term in spent.terms for a in term.axes} - {*kept} - inside)
    if gone or len(spent.terms) != len(result.terms):
        reason = f"the sum over {', '.join(gone)}" if gone else "the terms added up"
        trace.append(Spending(written(spent, kept), written(result, kept), reason))
    return result


def sum_out(
    term: Term,
    kept: Sequence[str],
    sizes: dict[str, int],
    label: str = "",
) -> Term:
    """Contract the dense factors that share a summed axis; leave the others as factors.

    The result is named `label` where it is the whole term, else after what was
    summed.
    """
    waiting, done = term.of(Dense), [f for f in term.factors if not isinstance(f, Dense)]
    out: list[Dense] = []
    while waiting:
        group, open_axes = [waiting.pop(0)], set()
        while True:
            open_axes = {a for f in group for a in f.axes if a not in kept}
            joined = [f for f in waiting if open_axes & set(f.axes)]
            if not joined:
                break
            group += joined
            waiting = [f for f in waiting if f not in joined]
        if open_axes:
            axes = ordered({a for f in group for a in f.axes}, kept)
            words = " ".join(f.label for f in group)
            words = words if len(words) <= LONGEST_LABEL else "…"
            whole = term.coefficient == 1 and len(group) == len(term.factors)
            name = label if whole and label else f"(Σ_{','.join(sorted(open_axes))} {words})"
            out.append(Dense(name, axes, contract(group, axes, sizes), own=True))
        else:
            out += group
    if len(out) > MANY_FACTORS:
        out = _absorbed(out, sizes)
    return Term((*done, *out), term.coefficient)


def merge(
    expression: Expression, kept: Sequence[str], sizes: dict[str, int], label: str
) -> Expression:
    """Add up the terms that have the same deltas, so that a sum over paths stays short."""
    if len(expression.terms) < 2:
        return expression
    groups: dict[frozenset, list[Term]] = {}
    for term in expression.terms:
        skeleton: frozenset = frozenset(frozenset(f.axes) for f in term.of(Delta))
        if term.has_positions:
            skeleton |= {*term.of(At), *term.of(Within), *term.sums}
        groups.setdefault(skeleton, []).append(term)
    if len(groups) > MOST_TERMS and any(term.has_positions for term in expression.terms):
        return _whole(expression, kept, sizes, label)
    name = label if len(groups) == 1 else f"(part of {label})"
    return Expression(
        tuple(
            terms[0] if len(terms) == 1 else _added(terms, kept, sizes, name)
            for terms in groups.values()
        )
    )


def densify(
    expression: Expression, kept: Sequence[str], sizes: dict[str, int], label: str
) -> Expression:
    """Multiply out a product in which one factor has every axis: that costs no memory.

    W[k,i'] σ'[i'] becomes one matrix; g[k'] a[i'] stays a product of vectors.
    """
    if len(expression.terms) != 1 or expression.terms[0].has_positions:
        return expression
    term = expression.terms[0]
    dense, others = term.of(Dense), [f for f in term.factors if isinstance(f, Delta | Distinct)]
    axes = ordered({axis for factor in dense for axis in factor.axes}, kept)
    if term.of(One):
        return expression
    if (len(dense) < 2 and term.coefficient == 1) or not any(
        set(f.axes) == set(axes) for f in dense
    ):
        return expression
    array = contract(dense, axes, sizes, term.coefficient)
    return Expression((Term((*others, Dense(_beside(label, others), axes, array, own=True))),))


def summed(term: Term, kept: Sequence[str]) -> str:
    """A term with its summation signs: Σ_k g[k] δ[k,k'] a[i']."""
    axes = [axis for f in term.factors for axis in f.axes if axis not in kept]
    return term.summed_over(dict.fromkeys(axes))


def written(expression: Expression, kept: Sequence[str]) -> str:
    """A sum of terms with their summation signs."""
    text = " + ".join(summed(term, kept) for term in expression.terms) or "0"
    return text.replace("+ −", "− ")


def require_covered(term: Term, written: Term, axes: Sequence[str], who: str | Later) -> None:
    """Every axis of a Jacobian stands in a factor of each term, or AxisError.

    `written` is the term as the op wrote it, before its deltas were spent.
    """
    other = sorted(written.axes - set(axes))
    for axis in axes:
        if axis not in term.axes:
            instead = f'Where the term does not change along it, write one("{axis}").'
            if axis[:-1] in axes and axis[-1] == "'":
                reads = f"Where entry {axis[:-1]} reads entry {axis[:-1]} only, write "
                reads += f'delta("{axis[:-1]},{axis}").'
                instead = f"{reads}\n  {instead}"
            if other:
                instead = f"Its axis {other[0]} is none of the Jacobian's: write {axis} for it."
            raise AxisError(
                f"{who}: axis {axis} stands in no factor of the term {written}.\n  {instead}"
            )


def _absorbed(factors: list[Dense], sizes: dict[str, int]) -> list[Dense]:
    """Multiply each factor into one that has all of its axes already."""
    groups: list[list[Dense]] = []
    for factor in sorted(factors, key=lambda f: -len(set(f.axes))):
        home = next((g for g in groups if set(factor.axes) <= set(g[0].axes)), None)
        if home is None:
            groups.append([factor])
        else:
            home.append(factor)
    found = []
    for group in groups:
        axes = tuple(dict.fromkeys(group[0].axes))  # a diagonal Q[i,i] has its axis once
        name = f"({len(group)} factors)"
        found.append(
            group[0] if len(group) == 1 else Dense(name, axes, contract(group, axes, sizes))
        )
    return found


def _added(terms: list[Term], kept: Sequence[str], sizes: dict[str, int], label: str) -> Term:
    """The sum of terms with the same deltas, as one dense factor beside those deltas.

    A factor 1−δ that all terms have stays a factor too: (1−δ) u + (1−δ) v = (1−δ) (u + v).
    """
    deltas = terms[0].of(Delta)
    positions = [*terms[0].of(At), *terms[0].of(Within)]
    leader = leaders(terms[0], kept)
    leader |= {axis.name: axis.name for axis in terms[0].sums}
    sizes = terms[0].sizes(sizes)
    renamed = [term.renamed(leader) for term in terms]
    apart = [f for f in dict.fromkeys(renamed[0].of(Distinct)) if f.left != f.right]
    apart = [f for f in apart if all(f in term.factors for term in renamed)]
    bare = []
    for term in renamed:
        factors = tuple(
            f for f in term.factors if not isinstance(f, Delta | At | Within) and f not in apart
        )
        bare.append(Term(factors, term.coefficient))
    names = [*kept, *(axis.name for axis in terms[0].sums)]
    standing = [f for t in bare for f in t.factors] if positions else terms
    places = tuple(dict.fromkeys(leader[a] for t in standing for a in ordered(t.axes, names)))
    dtypes = [f.array.dtype for t in terms for f in t.of(Dense)]
    dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.float64)
    shape = [sizes[a] for a in places]
    require_memory(label, shape, dtype.itemsize, "Use J.pull(v), or J.push(u).")
    array = evaluate(Expression(tuple(bare)), places, sizes, dtype)
    others = [*deltas, *apart]
    summed_up = Dense(_beside(label, others), places, array, own=True)
    return Term((*others, *positions, summed_up), sums=terms[0].sums)


def _whole(
    expression: Expression, kept: Sequence[str], sizes: dict[str, int], label: str
) -> Expression:
    """Many terms as one array over all axes."""
    dtypes = [f.array.dtype for t in expression.terms for f in t.of(Dense)]
    dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.float64)
    require_memory(label, [sizes[a] for a in kept], dtype.itemsize, "Use J.pull(v), or J.push(u).")
    array = evaluate(expression, kept, sizes, dtype)
    return Expression.of(Dense(label, tuple(kept), array, own=True))


def _beside(label: str, others: Sequence[Delta | Distinct]) -> str:
    """The name of an array beside deltas: the whole, where their axes are equal, or are not."""
    signs = ((f, "=" if isinstance(f, Delta) else "≠") for f in others)
    where = ", ".join(f"{factor.left} {sign} {factor.right}" for factor, sign in signs)
    return f"({label} where {where})" if where else label


def masks(term: Term, kept: Sequence[str], sizes: dict[str, int]) -> Term:
    """1−δ on a summed axis cannot be spent: it becomes a matrix of ones and zeros."""
    if not any(isinstance(factor, Distinct) for factor in term.factors):
        return term

    def mask(factor: Distinct) -> Dense:
        size = sizes[factor.left]
        dtypes = [f.array.dtype for f in term.of(Dense)]
        ones = np.ones((size, size), np.result_type(*dtypes) if dtypes else np.float64)
        np.fill_diagonal(ones, 0.0)
        return Dense(MASK, factor.axes, ones)

    factors = tuple(
        mask(f) if isinstance(f, Distinct) and not set(f.axes) <= set(kept) else f
        for f in term.factors
    )
    return Term(factors, term.coefficient)


def _each_once(term: Term) -> Term:
    """A factor that is 0 or 1 is its own square: [u≤t] [u≤t] = [u≤t], δ[k,k'] δ[k',k] = δ[k,k']."""
    found: list[Factor] = []
    seen: set[object] = set()
    for factor in term.factors:
        if isinstance(factor, Delta | Distinct):
            known: object = type(factor), frozenset(factor.axes)
        else:
            known = factor
        if isinstance(factor, Dense) or known not in seen:
            found.append(factor)
        seen.add(known)
    return term if len(found) == len(term.factors) else replace(term, factors=tuple(found))


def _drop_idle_ones(term: Term, kept: Sequence[str], sizes: dict[str, int]) -> Term:
    """Σ_k 1[k] is the size of k; a 1[k] beside another factor with k says nothing new."""
    if not any(isinstance(factor, One) for factor in term.factors):
        return term
    factors: list = []
    coefficient = term.coefficient
    for position, factor in enumerate(term.factors):
        if isinstance(factor, One):
            others = factors + list(term.factors[position + 1 :])
            if any(factor.axis in f.axes for f in others):
                continue
            if factor.axis not in kept:
                coefficient *= sizes[factor.axis]
                continue
        factors.append(factor)
    return Term(tuple(factors), coefficient, term.sums)
