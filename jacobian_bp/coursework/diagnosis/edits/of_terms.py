"""A term of the Jacobian left out or with the other sign; only its diagonal."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .... import ops
from ....writing.signs import fraction
from ..mutations.mutation import Facts
from ..passes.backward import Factor, Line
from ..passes.equation import CHOICE, DELTA, MASK, POSITION, Equation, Term
from .edit import Edit
from .of_factors import jacobian, with_array

WHOLE = 1e-9  # of a number: by how much it may miss a whole one


def of_terms(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """Of the Jacobian as the op has it, and with a 1−δ[k,k'] written out."""
    *_, whole = every = forms(equation, facts)
    whose = Factor("jacobian", jacobian(line), np.zeros(()))
    yield from other_coefficients(line, equation, facts)
    for form in every:
        if len(form.terms) < 2:
            continue
        for place, term in enumerate(form.terms):
            note = written(term, form)
            rest = form.but(place)
            only = all(is_diagonal(t, form) for t in rest.terms) and is_off_diagonal(term)
            kind = "diagonal" if only else "drop"
            yield Edit(kind, rest, whose, note)
            if len(form.terms) > 2:
                alone = replace(form, terms=(term,))
                yield Edit("drop", alone, whose, f"{note} alone", extra=5)
            turned = form.but(place, replace(term, coefficient=-term.coefficient))
            yield Edit("negate", turned, whose, note)
            if len(form.terms) > 2:
                signs = (1 if n == place else -1 for n in range(len(form.terms)))
                others = tuple(
                    replace(t, coefficient=sign * t.coefficient)
                    for t, sign in zip(form.terms, signs, strict=True)
                )
                yield Edit("negate", replace(form, terms=others), whose, f"all but {note}", extra=3)
            number = abs(term.coefficient)
            if abs(1 / number % 1) < 1e-9 and number < 1:  # a mean, with Bessel's correction
                of = round(1 / number) - 1
                short_of = replace(term, coefficient=term.coefficient / number / of)
                factor = Factor("part", coefficient(number), np.zeros(()))
                yield Edit("other", form.but(place, short_of), factor, coefficient(1 / of))
            if number != 1:
                plain = form.but(place, replace(term, coefficient=term.coefficient / number))
                factor = Factor("part", coefficient(number), np.zeros(()))
                yield Edit("omit", plain, factor, f"one term of {whose.name}", extra=20)
        yield from another_share(form, facts)
    yield from diagonal_of(whole, whose)
    yield from swept_diagonal(equation, whose)
    if isinstance(line.step.op, ops.Softmax):
        yield from softmax_elsewhere(facts.values[line.target], whole, line.source)
    masked = isinstance(line.step.op, ops.CausalSoftmax) or len(line.step.args) > 1
    if line.step.op.name in ("Softmax", "CausalSoftmax") and masked:
        yield from without_its_mask(facts.values[line.target], equation, line.source)


def unnormalised(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """The exponentials for their shares, e^z for softmax(z); the inverse for the cofactors."""
    z, c = facts.values[line.target], facts.values[line.source]
    *_, equation = forms(equation, facts)
    for factor in equation.factors():
        if factor.own == "cofactor(X)" and np.all(c != 0):  # det X · X⁻ᵀ
            inverse = with_array(equation, factor, "X⁻ᵀ", factor.array / c[..., None, None])
            yield Edit(
                "omit", inverse, replace(factor, name=f"{line.source} = det X"), jacobian(line)
            )
        if factor.own == "softmax(z)" and factor.array.shape == z.shape:
            with np.errstate(over="ignore"):
                array = np.exp(z)
            note = f"e^{line.target}"
            yield Edit("other", with_array(equation, factor, note, array), factor, note)


def another_share(equation: Equation, facts: Facts) -> Iterator[Edit]:
    """1/(D−1) for the 1/D of every mean of the Jacobian, or another axis's length for D."""
    shares = {abs(term.coefficient) for term in equation.terms} - {1.0}
    for share in shares:
        size = 1 / share
        having = [p for p, t in enumerate(equation.terms) if abs(t.coefficient) == share]
        if abs(size - round(size)) > WHOLE * size or size < 2:
            continue
        factor = Factor("part", coefficient(share), np.zeros(()))
        for other in sorted({round(size) - 1, *facts.lengths} - {round(size), 1}):
            wrong = equation
            for place in having:
                term = equation.terms[place]
                wrong = wrong.but(place, replace(term, coefficient=term.coefficient * size / other))
            less = other == round(size) - 1
            yield Edit("other", wrong, factor, coefficient(1 / other), extra=0 if less else 3)


def softmax_elsewhere(z: np.ndarray, equation: Equation, name: str) -> Iterator[Edit]:
    """Probabilities that add up to 1 over the examples, or over everything."""
    for factor in equation.factors():
        if factor.name == name and factor.role == "value":
            for p, note in other_softmaxes(z):
                changed = equation
                for same in equation.factors():
                    if same.name == name and same.role == "value":
                        changed = with_array(changed, same, name, p)
                yield Edit("sum", changed, factor, note, extra=-8)
            return


def without_its_mask(z: np.ndarray, equation: Equation, name: str) -> Iterator[Edit]:
    """p (δ − Σ p δ) with a p over all classes, those that the mask takes out too."""
    p = ops.Softmax().forward(z)
    factor = next((f for f in equation.factors() if f.name == name), None)
    if factor is not None:

        def gives(incoming: np.ndarray) -> np.ndarray:
            return np.asarray(p * (incoming - (p * incoming).sum(-1, keepdims=True)))

        yield Edit("other", equation, factor, "that of softmax without the mask", gives=gives)


def other_softmaxes(z: np.ndarray) -> list[tuple[np.ndarray, str]]:
    """softmax(z, axis=0), and of a whole batch at once."""
    if z.ndim < 2 or min(z.shape) < 2:
        return []
    e = np.exp(z - z.max())
    return [
        (e / e.sum(0), "that of softmax over the examples"),
        (e / e.sum(), "that of softmax over the whole batch"),
    ]


def forms(equation: Equation, facts: Facts) -> list[Equation]:
    """The equation as the op has it, and where it has a 1−δ[k,k'] with that written out."""
    whole = written_out(equation, facts)
    return [equation] if whole is None else [equation, whole]


def is_diagonal(term: Term, equation: Equation) -> bool:
    """Whether an entry of the target reads the same entry of what comes in, and nothing else."""
    incoming = next((f for f in term.factors if f.role == DELTA), None)
    return incoming is not None and set(incoming.axes) == set(equation.out)


def is_off_diagonal(term: Term) -> bool:
    """Whether a 1−δ[k,k'] stands in it: only then the rest has the whole diagonal."""
    return any(factor.role == MASK for factor in term.factors)


def diagonal_of(equation: Equation, whose: Factor) -> Iterator[Edit]:
    """The diagonal entries of every term, those of p[k] p[k'] too: p (1 − p)."""
    if all(is_diagonal(term, equation) for term in equation.terms):
        return
    terms = []
    for term in equation.terms:
        lost = [axis for axis in equation.out if axis not in delta_of(term).axes]
        summed = equation.summed(term)
        if [equation.sizes[a] for a in lost] != [equation.sizes[a] for a in summed]:
            return
        onto = dict(zip(summed, lost, strict=True))
        factors = [replace(f, axes=tuple(onto.get(a, a) for a in f.axes)) for f in term.factors]
        terms.append(replace(term, factors=tuple(factors)))
    yield Edit("diagonal", replace(equation, terms=tuple(terms)), whose)


def delta_of(term: Term) -> Factor:
    """What comes in."""
    return next(f for f in term.factors if f.role == DELTA)


def written(term: Term, equation: Equation) -> str:
    """The term as it is printed, without what comes in: −p[k] p[k']"""
    words = []
    for factor in term.factors:
        if factor.role not in (DELTA, MASK):
            axes = ",".join(short(axis, equation) for axis in factor.axes)
            placed = factor.role in (POSITION, CHOICE)  # its name has its axes
            words.append(f"{factor.name}[{axes}]" if axes and not placed else factor.name)
    sign = "−" if term.coefficient < 0 else ""
    size = abs(term.coefficient)
    if size != 1 or not words:
        words.insert(0, coefficient(size))
    return sign + " ".join(words)


def coefficient(size: float) -> str:
    """1/11 for a mean over 11, else a few digits."""
    found = fraction(round(size, 12))
    return found if "/" in found else f"{size:.4g}"


def short(axis: str, equation: Equation) -> str:
    """n for n' where no other n is there."""
    bare = axis.rstrip("'")
    return bare if bare not in equation.sizes else axis


def other_coefficients(line: Line, equation: Equation, facts: Facts) -> Iterator[Edit]:
    """1/3 for the 1/5 of a mean, and none: told apart from a factor of all where paths add up."""
    if len(equation.terms) != 1 or len(facts.backward.to[line.target]) < 2:
        return
    (term,) = equation.terms
    number = abs(term.coefficient)
    if number == 1:
        return
    whole = Factor("part", coefficient(number), np.zeros(()))
    for size in sorted(facts.lengths):
        if abs(number - 1 / size) > 1e-9:
            wrong = replace(term, coefficient=term.coefficient / number / size)
            note = coefficient(1 / size)
            yield Edit("other", replace(equation, terms=(wrong,)), whole, note, extra=size == 1)


def written_out(equation: Equation, facts: Facts) -> Equation | None:
    """δ A − (1−δ) B as δ D − B, D = A + the diagonal of B: the form in textbooks, p (δ − p')."""
    masked = [t for t in equation.terms if any(f.role == MASK for f in t.factors)]
    plain = [t for t in equation.terms if is_diagonal(t, equation)]
    if len(masked) != 1 or len(plain) != 1 or len(equation.terms) != 2:
        return None
    inside = replace(
        masked[0], factors=tuple(f for f in masked[0].factors if f.role not in (MASK, DELTA))
    )
    hidden = next(f for f in masked[0].factors if f.role == MASK)
    onto = {axis: hidden.axes[1 - place] for place, axis in enumerate(hidden.axes)}
    same = tuple(
        replace(f, axes=tuple(a if a in equation.out else onto.get(a, a) for a in f.axes))
        for f in inside.factors
    )
    none = np.zeros(())
    diagonal = equation.part(replace(inside, factors=same), none)
    delta = next(f for f in plain[0].factors if f.role == DELTA)
    own = equation.part(plain[0].without(delta), none)
    entry = own - diagonal
    first: tuple[Factor, ...] = (delta,)
    if not np.allclose(entry, 1):
        known = (n for n, a in facts.values.items() if a.shape == entry.shape)
        name = next((n for n in known if np.allclose(entry, facts.values[n])), "D")
        same_name = (f.array for f in masked[0].factors if f.name == name)
        array = next(same_name, facts.values.get(name, entry))  # left out in both terms
        first = (delta, Factor("value", name, array, equation.out))
    rest = [f for f in masked[0].factors if f.role != MASK]
    second = Term(tuple(f for f in rest if not is_implied(f, rest)), masked[0].coefficient)
    return replace(equation, terms=(Term(first), second))


def is_implied(factor: Factor, others: list[Factor]) -> bool:
    """Whether it has zeros only where another factor, of each example, is 0 anyway."""
    if factor.role != POSITION:
        return False
    for other in others:
        if (
            other.role == "value"
            and tuple(a for a in other.axes if a in factor.axes) == factor.axes
        ):
            more = tuple(p for p, axis in enumerate(other.axes) if axis not in factor.axes)
            if not np.any((factor.array == 0) & (other.array != 0).any(axis=more)):
                return True
    return False


def swept_diagonal(equation: Equation, whose: Factor) -> Iterator[Edit]:
    """The diagonal of a Jacobian that is one array, where it is square and has more."""
    if len(equation.terms) != 1:
        return
    for factor in equation.factors():
        if factor.role != "jacobian":
            continue
        own = [a for a in factor.axes if a in equation.out and not is_shared(a, equation)]
        read = [a for a in factor.axes if a not in equation.out]
        if not read or [equation.sizes[a] for a in own] != [equation.sizes[a] for a in read]:
            continue
        array = np.array(factor.array)
        for a, b in zip(own, read, strict=True):
            first, second = factor.axes.index(a), factor.axes.index(b)
            shape = [1] * array.ndim
            shape[first] = shape[second] = equation.sizes[a]
            array = array * np.eye(equation.sizes[a]).reshape(shape)
        if np.array_equal(array, factor.array):
            continue
        yield Edit("diagonal", with_array(equation, factor, factor.name, array), whose)


def is_shared(axis: str, equation: Equation) -> bool:
    """Whether the axis is one that what comes in has too."""
    incoming = next(f for f in equation.factors() if f.role == DELTA)
    return axis in incoming.axes
