"""Products that stay products: the terms of a sum over paths, added only where that saves numbers.

    x[i] A[k,k'] + x[i] B[k,k']    x[i] (A + B)[k,k'], never an array over k,i,k'
    A[k,k'] a[i'] + B[k,i'] d[k']  stays as it is: the sum has more entries than its factors
    Σ_n x[n,i] A[n,k,k'] x[n,i']   stays a sum at the end, where written out it is larger

So a Hessian is stored in its factors. What a sum needs on the way is contracted as ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod

from .expression import Delta, Dense, Expression, One, Term
from .products.spending import densify, masks, merge, spent_product, sum_out, sum_positions


def multiply_apart(
    left: Expression,
    right: Expression,
    kept: Sequence[str],
    sizes: dict[str, int],
    label: str,
    is_last: bool,
) -> Expression:
    """The product, its deltas spent and its sums done; at the end only those that save numbers."""
    terms = []
    for term in spent_product(left, right, kept, sizes).terms:
        known = term.sizes(sizes)
        if term.has_positions:
            terms.append(sum_positions(term, kept, known, ""))
            continue
        term = masks(term, kept, known)
        if is_last and _grows(term, kept, known):
            terms.append(term.summing(kept, known))
        else:
            terms.append(sum_out(term, kept, known))
    return merge_apart(Expression(tuple(terms)), kept, sizes, label)


def merge_apart(
    expression: Expression, kept: Sequence[str], sizes: dict[str, int], label: str
) -> Expression:
    """Add up terms with the same deltas, beside what they have in common, where that saves."""
    if any(term.has_positions for term in expression.terms):
        return merge(expression, kept, sizes, label)
    groups: dict[frozenset, list[Term]] = {}
    for term in _counted(expression.terms):
        skeleton = frozenset(frozenset(f.axes) for f in term.of(Delta)), frozenset(term.sums)
        groups.setdefault(frozenset(skeleton), []).append(term)
    found: list[Term] = []
    for terms in groups.values():
        found += _added_beside(terms, kept, sizes, label)
    return Expression(tuple(found))


def _counted(terms: Iterable[Term]) -> list[Term]:
    """Terms of the same factors as one, with the sum of their coefficients."""
    found: dict[tuple, Term] = {}
    for term in terms:
        key = (
            term.sums,
            *[(f.axes, id(f.array)) if isinstance(f, Dense) else f for f in term.factors],
        )
        known = found.get(key)
        if known:
            term = replace(known, coefficient=known.coefficient + term.coefficient)
        found[key] = term
    return [*found.values()]


def densify_apart(
    expression: Expression, kept: Sequence[str], sizes: dict[str, int], label: str
) -> Expression:
    """Multiply out what a factor has every axis of: x[i] W[k,i'] σ'[i'] is x[i] (W σ')[k,i'].

    The rest beside x[i] is then what it is without x[i], for the bias too, and made once for both.
    """
    if len(expression.terms) != 1 or expression.terms[0].has_positions:
        return expression
    (term,) = expression.terms
    parts = _parts(term.of(Dense))
    if term.of(One) or len(parts) < 2 or term.sums:
        return densify(expression, kept, sizes, label)
    others = tuple(f for f in term.factors if not isinstance(f, Dense))
    widest, found = max(parts, key=lambda part: len({a for f in part for a in f.axes})), []
    for part in parts:
        coefficient = term.coefficient if part is widest else 1.0
        whole = densify(Expression.of(*part, coefficient=coefficient), kept, sizes, label)
        found.append(whole.terms[0])
    left = prod(part.coefficient for part in found)
    return Expression.of(*others, *(f for part in found for f in part.factors), coefficient=left)


def _parts(factors: Iterable[Dense]) -> list[list[Dense]]:
    """The factors, those together that an axis ties to each other."""
    found: list[list[Dense]] = []
    for factor in factors:
        tied = [part for part in found if any({*f.axes} & {*factor.axes} for f in part)]
        found = [part for part in found if part not in tied]
        found.append([f for part in tied for f in part] + [factor])
    return found


def _added_beside(
    terms: list[Term], kept: Sequence[str], sizes: dict[str, int], label: str
) -> list[Term]:
    """(what all have) (the sum of the rest), or the terms as they are where they hold less."""
    if len(terms) < 2 or any(term.sums for term in terms):
        return terms
    common = list(terms[0].of(Dense))
    for term in terms[1:]:
        common = in_both(common, term.of(Dense))
    rest = [without(term, common) for term in terms]
    spans = {frozenset(a for f in term.of(Dense) for a in f.axes) for term in rest}
    if len(spans) > 1 or not all(term.of(Dense) for term in rest):
        common, rest = [], terms
        spans = {frozenset(a for term in rest for f in term.of(Dense) for a in f.axes)}
    if prod(sizes[axis] for span in spans for axis in span) > _held(rest):
        return terms
    (whole,) = merge(Expression(tuple(rest)), kept, sizes, label).terms
    return [Term((*whole.factors, *common), whole.coefficient, whole.sums)]


def in_both(left: Iterable[Dense], right: Iterable[Dense]) -> list[Dense]:
    """The factors of one that the other has too, each as often as both have it."""
    found, waiting = [], list(right)
    for factor in left:
        twin = next((other for other in waiting if _same(factor, other)), None)
        if twin is not None:
            found.append(factor)
            waiting = [other for other in waiting if other is not twin]
    return found


def _same(one: Dense, other: Dense) -> bool:
    return one.array is other.array and one.axes == other.axes


def without(term: Term, common: Iterable[Dense]) -> Term:
    """The term less one of each of these factors."""
    factors = list(term.factors)
    for gone in common:
        place = next(n for n, f in enumerate(factors) if isinstance(f, Dense) and _same(f, gone))
        del factors[place]
    return Term(tuple(factors), term.coefficient, term.sums)


def _held(terms: Iterable[Term]) -> int:
    """The numbers that the terms hold, an array that several have once."""
    return sum({id(f.array): f.array.size for term in terms for f in term.of(Dense)}.values())


def _grows(term: Term, kept: Sequence[str], sizes: dict[str, int]) -> bool:
    """Whether the sums of a term, done, hold more numbers than its factors."""
    dense = term.of(Dense)
    summed = {axis for f in dense for axis in f.axes if axis not in kept}
    met = {axis for f in dense if summed.intersection(f.axes) for axis in f.axes}
    return bool(summed) and prod(sizes[axis] for axis in met - summed) > _held([term])
