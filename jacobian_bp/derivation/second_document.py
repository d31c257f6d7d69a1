"""The second derivatives as a document: every sentence of the page stands here, once."""

import re
from collections.abc import Iterator, Sequence

from ..document.blocks import (
    Block,
    Cell,
    Column,
    Document,
    Equation,
    Equations,
    Formula,
    Row,
    Section,
    Shape,
    Signs,
    Table,
    Words,
)
from ..numbers.memory import format_bytes
from ..writing.marked import marked
from ..writing.signs import bound, dims, number, plural
from . import second_ledger
from .document_of import title_of
from .of_each_example import SHARE
from .second_ledger import BendRow, SecondLedger, Spectrum, Verdict

MOST_EIGENVALUES = 6
FEW_NUMBERS = 64


def document_of_second(ledger: SecondLedger) -> Document:
    """The rows that bend, H down the layers, the blocks, verdicts, checks."""
    sections = [
        Section("second", "Second derivatives", tuple(_whole(ledger))),
        Section("signs", "What bends, and what comes back to it", tuple(_bends(ledger))),
    ]
    if ledger.between:
        sections.append(Section("from J", "From the cost down", tuple(_down(ledger))))
    if ledger.blocks:
        sections.append(Section("blocks", "Block by block", tuple(_blocks(ledger))))
    if ledger.verdict is not None:
        sections.append(Section("parts", "The two parts here", tuple(_parts(ledger))))
    sections.append(Section("checks", "Checks", tuple(_checks(ledger))))
    title = f"The second derivatives of {ledger.cost}, row by row"
    labels = re.findall(r"(?<!\w)H[\d,]+", "\n".join(i.statement for i in ledger.between))
    return Document(title, tuple(sections), ledger.names | set(labels))


def _whole(ledger: SecondLedger) -> Iterator[Block]:
    yield from title_of(ledger.title)
    size = (ledger.count, ledger.count)
    share = ""
    if ledger.nonzeros is not None:
        share = f": {ledger.nonzeros:,} of {ledger.count**2:,} entries can be ≠ 0"
    yield Words(
        f"∂²{ledger.cost}/∂p∂q by {plural(ledger.count, 'parameter')}, flat {dims(size)}, "
        f"{format_bytes(ledger.nbytes)}{share}"
    )
    if ledger.rows:
        yield Words(
            marked(
                f"= Σ over rows `(∂u/∂p)ᵀ [Σ_s ∂{ledger.cost}/∂s ∂²s/∂u∂v] (∂v/∂q)`, "
                "`u` and `v` in both orders"
            )
        )
    else:
        yield Words(f"no op bends on the way from a parameter to {ledger.cost}: every entry is 0")


def _bends(ledger: SecondLedger) -> Iterator[Block]:
    yield Signs(lambda _: _meanings(ledger))
    columns = (
        Column("row", "step"),
        Column("bends", "name"),
        Column("formula", "formula", 1, "= {}", 44),
        Column("can be ≠ 0", "count", 2, "{} can be ≠ 0"),
        Column("part", "words"),
        Column("because", "reason", last=True),
    )
    rows: list[Row | Words] = []
    for row in ledger.bends:
        if not isinstance(row, BendRow):
            rows.append(Row((None, Formula(row.name), Formula("0"), None, None, Words(row.reason))))
            continue
        share = Words(f"{row.nonzeros:,} of {row.entries:,}")
        cells: tuple[Cell, ...] = (
            Words(f"[{row.number}]"),
            Formula(row.name),
            Formula(row.formula),
            share,
            Words(row.part),
            Words(row.reason),
        )
        rows.append(Row(cells, row.name))
        if row.symbol:
            product, back = Formula(row.with_what_comes_back), Formula(row.returned)
            rows.append(Row((None, product, back, None, None, None)))
    yield Table(columns, tuple(rows))
    if ledger.straight:
        yield Words(f"straight in what parameters move: {', '.join(ledger.straight)}")


def _meanings(ledger: SecondLedger) -> list[str]:
    """What the signs of the formulas mean, in the order of the page."""
    formulas = [text for row in ledger.rows for text in (row.formula, row.returned, row.symbol)]
    formulas += [item.statement for item in ledger.between]
    formulas += [block.formula for block in ledger.blocks]
    printed, found = "\n".join(formulas), list[str]()
    if ledger.before:
        word = "[1]" if ledger.before == 1 else f"[1] to [{ledger.before}]"
        found.append(f"{word}: the derivation of the gradient")
    for sign, called in ledger.symbols:
        if sign != called and re.search(rf"{sign}(?!\w)", printed):
            found.append(_meaning_of_delta(ledger, sign, called))
            break
    if SHARE in printed and ledger.mean:
        found.append(f"m = {ledger.mean.count}, the examples")
    if "δ[" in printed:
        found.append("δ[k,k'] = 1 if k = k', else 0")
    if ledger.rows:
        found.append("in a row the index of a first input has a prime, that of a second one more")
    if ledger.blocks:
        found.append("in a block the indices of p have no prime, those of q have one")
    found += [f"Σ_{i}: the sum over {i}" for i in dict.fromkeys(re.findall(r"Σ_(\w+)", printed))]
    found += _meanings_of_primes(ledger, printed)
    known = {item.statement.partition(" = ")[0] for item in ledger.between}
    for left, right in dict.fromkeys(re.findall(r"(?<!\w)H(\d),?(\d)(?=\[)", printed)):
        if f"H{left}{right}" not in known and f"H{right}{left}" in known:
            found.append(f"H{left}{right}: H{right}{left} transposed")
    if "ᵀ" in printed:
        found.append("ᵀ: transposed")
    found.append("GN: Gauss-Newton, what bends at or behind the output")
    found.append("rest: what bends inside the network")
    return found


def _meaning_of_delta(ledger: SecondLedger, sign: str, called: str) -> str:
    """What a δ is: the derivative of the cost, or of what it is the mean of."""
    if ledger.mean is None or called not in ledger.mean.of:
        return f"{sign} = {called}, and so on"
    of = called.replace(f"∂{ledger.cost}/", f"∂{ledger.mean.loss}/")
    return f"{sign} = {of} of each example, {ledger.mean.count} {called}, and so on"


def _meanings_of_primes(ledger: SecondLedger, printed: str) -> Iterator[str]:
    """Slopes, and what they bend by; each by name where somebody calls a slope something else."""
    slopes = dict.fromkeys(re.findall(r"(?<![\w'])([^\W\d]\w*')'?\(", printed))
    bent = dict.fromkeys(re.findall(r"(?<![\w'])([^\W\d]\w*')'\(", printed))
    if any(slope in ledger.spelling for slope in slopes):
        yield from (f"{slope}': the slope of {slope}" for slope in bent)
        yield from (f"{slope}: the slope of {slope[:-1]}" for slope in slopes)
        return
    if bent:
        yield "two primes on a function: its second derivative"
    if re.search(r"(?<![\w'])[^\W\d]\w*'\(", printed):
        yield "one prime on a function: its slope"


def _down(ledger: SecondLedger) -> Iterator[Block]:
    items = ledger.between
    first = next((i.statement.partition(" = ")[0] for i in items if i.statement[0] == "H"), "")
    if first:
        yield Words(f"{_labels(ledger, first)}, and so on")
        yield from _how_laid(ledger, first)
    found: list[Equation | Words] = []
    for item in items:
        if item.value is None:
            found.append(Words(item.statement))
        else:
            found.append(Equation(item.statement, item.value, FEW_NUMBERS))
    if ledger.more_between:
        found.append(Words(_more(ledger.more_between)))
    yield Equations(tuple(found))
    if ledger.added:
        yield Words(_added(ledger.cost, ledger.added))


def _labels(ledger: SecondLedger, first: str) -> str:
    """H33 = ∂²J/∂z3²; where z3 has another kind of name that has no number, the next one too."""
    own = [item.statement.partition(" = ")[0] for item in ledger.between]
    square = [name for name in own if name[0] == "H" and len({*_numbers(name)}) == 1]
    one, _ = _numbers(first)
    known = square[:1] if re.search(r"\d", ledger.spelling.get(f"z{one}", one)) else square[:2]
    return ", ".join(
        f"{name} = ∂²{ledger.cost}/∂z{_numbers(name)[0]}²" for name in known or [first]
    )


def _numbers(label: str) -> tuple[str, str]:
    """The two layers of H32, of H10,9."""
    one, other = label[1:].split(",") if "," in label else (label[1], label[2])
    return one, other


def _how_laid(ledger: SecondLedger, first: str) -> Iterator[Words]:
    """How the matrices lie, where the layout does not say it of matrices."""
    if ledger.layout == "gradient":
        yield Words(
            "each is a matrix here, the entries of its second value in the rows; ∂a/∂b too has "
            "those of b in the rows, so that products stand in this order; of H[k,k'] in a formula "
            "k counts the first value"
        )
    elif ledger.layout in ("numerator", "transposed"):
        yield Words("each is a matrix here, the entries of its first value in the rows; ∂a/∂b too")


def _added(cost: str, added: Sequence[tuple[str, str]]) -> str:
    name, value = added[0]
    names = ", ".join(name for name, _ in added)
    values = ", ".join(value for _, value in added)
    square = f"∂²{cost}/∂{name}² = ∂²{cost}/∂{value}²"
    if len(added) == 1:
        return f"{name} is added to {value} as it is: {square}"
    return f"{names} are added to {values} as they are: {square}, and so on"


def _more(count: int) -> str:
    asked = "--all, in Python run.second_derivation(everything=True),"
    return f"… {count:,} more farther from the cost; {asked} writes them"


def _blocks(ledger: SecondLedger) -> Iterator[Block]:
    columns = (
        Column("block", "name"),
        Column("formula", "formula", 1, "= {}"),
        Column("rows", "words"),
        Column(ledger.layout, "shape"),
        Column("≠ 0", "count", 2, "{} can be ≠ 0"),
        Column("GN", "words"),
        Column("rest", "words"),
    )
    rows: list[Row | Words] = [Row(_cells(block), block.name) for block in ledger.blocks]
    if ledger.more_blocks:
        rows.append(Words(_more(ledger.more_blocks)))
    yield Table(columns, tuple(rows))
    if not ledger.is_chain:
        yield Words("the layers are no chain: a block is written by the paths through its rows")
    yield Words("GN, rest: the largest entry of each part, without its sign; ≠ 0: that can be so")


def _cells(block: second_ledger.Block) -> tuple[Cell, ...]:
    sizes = (block.gauss_newton, block.residual)
    return (
        Formula(block.name),
        Formula(block.formula),
        Words(" ".join(f"[{n}]" for n in block.rows)),
        Shape(block.shape),
        Words(f"{block.nonzeros:,}"),
        *(Words("not built" if size is None else number(size, 3)) for size in sizes),
    )


def _parts(ledger: SecondLedger) -> Iterator[Block]:
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
        said += f", eigenvalues {_eigenvalues(part)}"
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
    return f"{spectrum.positive} positive, {spectrum.negative} negative, {zero} zero to rounding"


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
    terms = [f"[{n}] {number(share, 4)}" for n, share in verdict.shares]
    total = number(sum(share for _, share in verdict.shares))
    yield Words(marked(f"along its direction `d`: `dᵀ H d = {' + '.join(terms)} = {total}`"))
    scale = max(abs(share) for _, share in verdict.shares)
    below = [f"[{n}]" for n, share in verdict.shares if share < -1e-9 * scale]
    head, inside = "", {row.number: row.residual for row in ledger.rows}
    gauss_newton = [f"[{n}]" for n, _ in verdict.shares if not inside[n]]
    if verdict.middle is not None and verdict.middle.is_semidefinite and gauss_newton:
        head = (
            f"{' '.join(gauss_newton)} cannot be negative{' together' * (len(gauss_newton) > 1)}, "
        )
        head += f"because {verdict.middle_name} is not: "
    yield Words(f"{head}what is negative comes from {' '.join(below)}")


def _checks(ledger: SecondLedger) -> Iterator[Block]:
    check = ledger.check
    done, total = check.entries
    left = ""
    if check.left_out:
        left = f"; {plural(check.left_out, 'column')} left out, whose steps cross a kink or an edge"
    elif done < total:
        left = f": {check.columns:,} columns, each as H e"
    yield Words(
        f"differences of the vjp gradient: {done:,} of {total:,} entries, "
        f"off by {bound(check.differences)}{left}"
    )
    if ledger.verdict is not None:
        yield Words(
            f"H v of one random v, H never built: off by {bound(check.product)}; "
            f"H − Hᵀ: {bound(check.asymmetry)}"
        )
    else:
        yield Words(f"uᵀ H v − vᵀ H u of random u and v: {bound(check.asymmetry)}")
        yield Words(
            f"{ledger.count:,} parameters: the whole matrix is not built for this page, and "
            "nothing is said of its eigenvalues"
        )
    yield Words("all agree" if check.ok else f"DISAGREES: {check.wrong}")
