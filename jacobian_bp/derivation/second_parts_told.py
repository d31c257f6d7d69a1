"""What holds of the Gauss-Newton part and of the rest, as sentences, each with its premise."""

from collections.abc import Iterator, Sequence

from ..document.blocks import Block, Words
from ..writing.marked import marked
from ..writing.signs import bound, number
from .second_ledger import Search, SecondLedger, Spectrum, Verdict

MOST_EIGENVALUES = 6


def parts_told(ledger: SecondLedger) -> Iterator[Block]:
    verdict = ledger.verdict
    assert verdict is not None
    yield Words(_gauss_newton(verdict))
    if verdict.residual.is_rounding:
        yield Words(f"rest: {_rounding(verdict.residual)}")
    elif verdict.residual.values:
        total = verdict.trace
        nothing = abs(total) <= 1e-9 * sum(map(abs, verdict.residual.values))
        yield Words(
            f"rest: {_counts(verdict.residual)}: {_eigenvalues(verdict.residual)}; "
            f"their sum is {number(0 if nothing else total, 4)}"
        )
    elif ledger.rows:
        yield Words("rest: every entry is 0 here")
    if verdict.whole.is_rounding:
        yield Words(f"together: {_rounding(verdict.whole)}")
        return
    yield Words(f"together: {_counts(verdict.whole)}; the lowest is {number(verdict.whole.lowest)}")
    yield from _lowest(ledger, verdict)


def _gauss_newton(verdict: Verdict) -> str:
    """What is known of the Gauss-Newton part, and whether it had to be so."""
    part, middle, name = verdict.gauss_newton, verdict.middle, verdict.middle_name
    head = f"Gauss-Newton, cut at {verdict.cut}"
    if not name:
        return f"{head}: nothing bends at or behind it, every entry is 0"
    if part.is_rounding:
        return f"{head}: {_rounding(part)}"
    said = f"{head}: rank {len(part.values)} of {part.size}"
    if part.values:
        said += f", eigenvalue{'s' * (len(part.values) > 1)} {_eigenvalues(part)}"
    if not part.is_semidefinite:
        below = f"; {name} has the lowest eigenvalue {number(middle.lowest, 4)}" if middle else ""
        return f"{said}: not positive semidefinite{below}"
    if middle is None:
        return f"{said}: positive semidefinite here"
    if middle.is_semidefinite:
        return f"{said}: positive semidefinite, because {name} is"
    return (
        f"{said}: positive semidefinite here, though {name} has the lowest eigenvalue "
        f"{number(middle.lowest, 4)}: the cut does not promise it"
    )


def _counts(spectrum: Spectrum) -> str:
    zero = spectrum.size - len(spectrum.values)
    signs = f"{spectrum.positive} positive, {spectrum.negative} negative"
    return signs + f", {zero} zero to rounding" * (zero > 0)


def _rounding(spectrum: Spectrum) -> str:
    return (
        f"every eigenvalue is rounding, at most {number(spectrum.largest, 3)} in size beside the "
        "terms that are added up: nothing is said of signs"
    )


def _eigenvalues(spectrum: Spectrum) -> str:
    shown = ", ".join(number(value, 4) for value in spectrum.values[:MOST_EIGENVALUES])
    return shown + (", …" if len(spectrum.values) > MOST_EIGENVALUES else "")


def _lowest(ledger: SecondLedger, verdict: Verdict) -> Iterator[Block]:
    """Where negative curvature comes from: the shares of the rows along the lowest direction."""
    if verdict.whole.is_semidefinite:
        return
    if verdict.repeats > 1:
        yield Words(
            f"the lowest eigenvalue occurs {verdict.repeats} times: no one direction is its own, "
            "and no row is blamed"
        )
        return
    d, H = map(ledger.letter, "dH")
    yield Words(
        marked(f"along its direction `{d}`, {_shared_out(f'{d}ᵀ {H} {d}', verdict.shares)}")
    )
    yield Words(_to_blame(ledger, verdict))


def _shared_out(product: str, shares: Sequence[tuple[int, float]]) -> str:
    """`dᵀ H d = -0.776`: [13] 0.034, [14] -0.81"""
    total = number(sum(share for _, share in shares))
    told = [f"[{row}] {number(share, 4)}" for row, share in shares]
    return f"`{product} = {total}`: {', '.join(told)}"


def _to_blame(ledger: SecondLedger, verdict: Verdict | Search) -> str:
    """Which rows are negative along the direction, and which cannot be."""
    scale = max(abs(share) for _, share in verdict.shares)
    below = [f"[{n}]" for n, share in verdict.shares if share < -1e-9 * scale]
    head, inside = "", {row.number: row.residual for row in ledger.rows}
    gauss_newton = [f"[{n}]" for n, _ in verdict.shares if not inside[n]]
    if verdict.middle is not None and verdict.middle.is_semidefinite and gauss_newton:
        head = (
            f"{' '.join(gauss_newton)} cannot be negative{' together' * (len(gauss_newton) > 1)}, "
        )
        head += f"because {verdict.middle_name} is not: "
    return f"{head}what is negative comes from {' '.join(below)}"


def found_told(ledger: SecondLedger, search: Search) -> Iterator[Block]:
    """Of a matrix that is not built: what follows from the cut, and from a few products."""
    yield Words(
        f"{ledger.count:,} parameters: the whole matrix is not built for this page, and its "
        "eigenvalues are not counted"
    )
    head, name, middle = f"Gauss-Newton, cut at {search.cut}", search.middle_name, search.middle
    if not name:
        yield Words(f"{head}: nothing bends at or behind it, every entry is 0")
    elif middle is None:
        yield Words(f"{head}: {name} is not built either, and no sign is said")
    elif middle.is_semidefinite:
        yield Words(f"{head}: positive semidefinite, because {name} is")
        if not any(row.residual for row in ledger.rows):
            yield Words("nothing bends inside the network: that part is the whole")
            return
    else:
        yield Words(
            f"{head}: {name} has the lowest eigenvalue {number(middle.lowest, 4)}, so that the cut "
            "does not promise a sign"
        )
    d, H, v = map(ledger.letter, "dHv")
    tried = f"among {search.products} products {H} {v}"
    if not search.is_negative:
        yield Words(
            marked(
                f"{tried} no direction `{d}` has a `{d}ᵀ {H} {d}` below 0 beyond rounding: "
                "whether the whole is semidefinite is not said"
            )
        )
        return
    yield Words(
        marked(
            f"{tried} a direction `{d}` of length 1 was found: "
            f"{_shared_out(f'{d}ᵀ {H} {d}', search.shares)}"
        )
    )
    yield Words(
        f"so the lowest eigenvalue is no higher, and one lies {bound(search.residual)} away; "
        "whether another is lower is not said"
    )
    yield Words(_to_blame(ledger, search))
