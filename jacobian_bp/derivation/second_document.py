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
from .legend import arrays_on_the_way, meanings_of_hats
from .of_each_example import SHARE
from .second_ledger import BendRow, SecondLedger
from .second_parts_told import found_told, parts_told

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
        sections.append(Section("parts", "The two parts here", tuple(parts_told(ledger))))
    elif ledger.search is not None:
        found = tuple(found_told(ledger, ledger.search))
        sections.append(Section("parts", "What is known of the two parts here", found))
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
    H, p, q, s, u, v = map(ledger.letter, "Hpqsuv")
    yield Words(
        f"{H} = ∂²{ledger.cost}/∂{p}∂{q} by {plural(ledger.count, 'parameter')}, "
        f"flat {dims(size)}, {format_bytes(ledger.nbytes)}{share}"
    )
    if ledger.rows:
        yield Words(
            marked(
                f"= Σ over rows `(∂{u}/∂{p})ᵀ [Σ_{s} ∂{ledger.cost}/∂{s} ∂²{s}/∂{u}∂{v}] "
                f"(∂{v}/∂{q})`, `{u}` and `{v}` in both orders"
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
    p, q, s, u, v = map(ledger.letter, "pqsuv")
    if ledger.rows:
        found.append(
            f"{p}, {q}: any parameters; {s}: a value that bends; {u}, {v}: any of what its op reads"
        )
        found.append(
            f"in a row the indices of {u}, then {v}, have primes, "
            "one more each time a letter comes again"
        )
    if ledger.blocks:
        found.append(f"in a block the indices of {p} have no prime, those of {q} have one")
    sums = [*dict.fromkeys(re.findall(r"Σ_(\w+)", printed))]
    if sums:
        more = ", and so on" if len(sums) > 1 else ""
        found.append(f"Σ_{sums[0]}: the sum over {sums[0]}{more}")
    found += _meanings_of_primes(ledger, printed)
    found += ledger.inside
    found += _meanings_of_signs(printed)
    known = {item.statement.partition(" = ")[0] for item in ledger.between}
    for left, right in dict.fromkeys(re.findall(r"(?<!\w)H(\d),?(\d)(?=\[)", printed)):
        if f"H{left}{right}" not in known and f"H{right}{left}" in known:
            found.append(f"H{left}{right}: H{right}{left} transposed")
    if "ᵀ" in printed:
        found.append("ᵀ: transposed")
    found += ledger.arrays
    found += arrays_on_the_way(printed)
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


def _meanings_of_signs(printed: str) -> Iterator[str]:
    """What a page without a forward pass does not say otherwise."""
    if re.search(r"(?<!\w)σ'*\(", printed):
        yield "σ(z) = 1/(1 + e^−z)"
    yield from meanings_of_hats(printed)
    ones = re.search(r"(?<!\w)1\[(\w+)'*\]", printed)
    if ones:
        yield f"1[{ones[1]}] = 1 for every {ones[1]}"


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
    if any(re.search(r"\[\d+\]", block.formula) for block in ledger.blocks):
        yield Words(_products(ledger))
    yield Words("GN, rest: the largest entry of each part, without its sign; ≠ 0: that can be so")


def _products(ledger: SecondLedger) -> str:
    """What the factors are of a block that is written as a product."""
    row = next(row for row in ledger.rows if f"[{row.number}]" in _formulas(ledger))
    sides = [f"{row.with_what_comes_back} is the matrix of that line"]
    sides.append("∂a/∂b that of all paths from b to a")
    if ledger.layout == "gradient":
        sides.append("with the entries of b in its rows")
    return f"a long block is written as products: {', '.join(sides)}"


def _formulas(ledger: SecondLedger) -> str:
    return " ".join(block.formula for block in ledger.blocks)


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


def _checks(ledger: SecondLedger) -> Iterator[Block]:
    check = ledger.check
    H, u, v = map(ledger.letter, "Huv")
    done, total = check.entries
    left = ""
    if check.left_out:
        left = f"; {plural(check.left_out, 'column')} left out, whose steps cross a kink or an edge"
    elif done < total:
        left = f": {check.columns:,} columns, each as {H} e"
    yield Words(
        f"differences of the vjp gradient: {done:,} of {total:,} entries, "
        f"off by {bound(check.differences)}{left}"
    )
    if ledger.verdict is not None:
        yield Words(
            f"{H} {v} of one random {v}, {H} never built: off by {bound(check.product)}; "
            f"{H} − {H}ᵀ: {bound(check.asymmetry)}"
        )
    else:
        both = f"{u}ᵀ {H} {v} − {v}ᵀ {H} {u} of random {u} and {v}"
        yield Words(f"{both}: {bound(check.asymmetry)}")
    yield Words("all agree" if check.ok else f"DISAGREES: {check.wrong}")
