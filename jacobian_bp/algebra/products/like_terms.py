"""A sum of terms as one writes it by hand: like terms are one, and what all have stands once.

Σ_u c[u] v[u] + Σ_t c[t] v[t]  =  2 Σ_u c[u] v[u]
δ[t,t'] [u≤t] P − δ[t,t'] [u≤t] Q  =  δ[t,t'] [u≤t] (P − Q)
"""

from collections.abc import Sequence
from dataclasses import replace

from ...writing.signs import fraction
from ..expression import Delta, Dense, Distinct, Expression, Factor, Term
from .spending import summed, written


def like_terms_added(expression: Expression, kept: Sequence[str]) -> Expression:
    """The sum with one term for all that differ in a number, or in the letters of their sums."""
    found: dict[object, Term] = {}
    for term in expression.terms:
        letters = (axis for factor in term.factors for axis in factor.axes if axis not in kept)
        counted = {axis: f"Σ{place}" for place, axis in enumerate(dict.fromkeys(letters))}
        likeness = tuple(sorted(map(_likeness, term.renamed(counted).factors)))
        known = found.get(likeness)
        number = term.coefficient + (known.coefficient if known else 0)
        found[likeness] = Term((known or term).factors, number, (known or term).sums)
    return Expression(tuple([term for term in found.values() if term.coefficient]))


def written_short(expression: Expression, kept: Sequence[str]) -> str:
    """The sum with its summation signs, like terms as one, and common factors in front.

    >>> from jacobian_bp import delta, dense
    >>> import numpy as np
    >>> p, q = dense("p[k]", np.zeros(3)), dense("q[k]", np.zeros(3))
    >>> print(written_short(delta("k,k'") * p - delta("k,k'") * q - delta("k,k'") * q, ["k", "k'"]))
    δ[k,k'] (p[k] − 2 q[k])
    """
    terms = like_terms_added(expression, kept).terms
    first = (
        [factor for factor in terms[0].factors if not isinstance(factor, Dense)] if terms else []
    )
    common = [factor for factor in first if all(factor in term.factors for term in terms)]
    if len(terms) < 2 or not common or any(_sums(term, kept) for term in terms):
        text = " + ".join(_numbered(term, kept) for term in terms) or "0"
        return text.replace("+ −", "− ")
    rest = [Term(tuple([f for f in t.factors if f not in common]), t.coefficient) for t in terms]
    return f"{summed(Term(tuple(common)), kept)} ({written(Expression(tuple(rest)), kept)})"


def _likeness(factor: Factor) -> tuple[str, str, int]:
    """What two factors that are the same have in common, to be sorted by."""
    kind = type(factor).__name__
    if isinstance(factor, Delta | Distinct):
        return kind, ",".join(sorted(factor.axes)), 0
    return kind, str(factor), id(factor.array) if isinstance(factor, Dense) else 0


def _numbered(term: Term, kept: Sequence[str]) -> str:
    """A term with its number in front of its sums: 2 Σ_k a[k] b[k]."""
    number = term.coefficient
    if abs(number) == 1 or not _sums(term, kept):
        return summed(term, kept)
    said = fraction(number).replace("-", "−")
    return f"{said} {summed(replace(term, coefficient=1.0), kept)}"


def _sums(term: Term, kept: Sequence[str]) -> bool:
    return bool(term.sums) or not term.axes.issubset(kept)
