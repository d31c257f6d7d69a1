"""A formula as a page: what it is, its derivatives, the signs, and the checks."""

import re
from collections.abc import Collection, Mapping, Sequence

from ..document.blocks import Document, Lines, Section
from ..writing.signs import plural
from ..writing.tables import wrapped
from .derived import Derived
from .emitting import own_letters
from .in_latex import line_in_latex
from .shapes import kind_of
from .signs_of_page import signs_in
from .written import Written


def page_lines(found: Derived) -> list[str]:
    """The page: the formula, its shapes, its derivatives, and the checks."""
    title = "gradient" if found.is_scalar else "jacobian"
    checks = [*_routes(found), *_read_again(found, found.first, found.unlike)]
    return [*_head(found), *_body(found, title, found.first), "", *_block("checks", checks)]


def second_page_lines(found: Derived) -> list[str]:
    """The page of the second derivatives."""
    routes, *kinks = _routes(found)
    again = _read_again(found, found.second, found.second_unlike)
    checks = [*again, f"of the gradient: {routes}", *kinks]
    return [*_head(found), *_body(found, "second", found.second), "", *_block("checks", checks)]


OF_PAPER = 86  # signs of typewriter on a line of an article
TITLE = "A formula, its derivatives and their checks"
TITLES = {
    "formula": "The formula",
    "note": "Read as",
    "gradient": "The gradient",
    "jacobian": "The Jacobians",
    "second": "The second derivatives",
    "where": "Where",
    "signs": "The signs",
    "checks": "The checks",
}


def document_of(found: Derived, lines: Sequence[str], in_article: bool = False) -> Document:
    """A page as a document: each block of its lines is a section.

    An article has formulas as mathematics, and breaks other long lines.
    """
    sections: list[tuple[str, list[str]]] = []
    for line in filter(None, lines):
        label = line[:10].strip()
        if label:
            sections.append((label, []))
        sections[-1][1].append(line[10:])
    blocks = _article_blocks if in_article else _one_block
    made = (Section(label, TITLES[label], blocks(found, label, body)) for label, body in sections)
    return Document(TITLE, tuple(made))


def _one_block(found: Derived, label: str, body: list[str]) -> tuple[Lines, ...]:
    return (Lines(tuple(body)),)


def _article_blocks(found: Derived, label: str, body: list[str]) -> tuple[Lines, ...]:
    """The lines of a section, those that are formulas as mathematics."""
    count = len(body) if label in ("gradient", "jacobian", "second", "where") else 0
    if label == "formula" and found.in_notation:
        count = 1
    try:
        latex = tuple(map(line_in_latex, body[:count]))
    except ValueError:
        count, latex = 0, ()
    parts = [part for line in body[count:] for part in _of_paper(line)]
    blocks = (Lines(tuple(body[:count]), latex), Lines(tuple(parts)))
    return tuple(block for block in blocks if block.lines)


def _of_paper(line: str) -> list[str]:
    return [line] if len(line) <= OF_PAPER else wrapped(line, OF_PAPER, "", " " * 4)


def _head(found: Derived) -> list[str]:
    lines = _block("formula", [found.statement, _kinds(found), _drawn(found)])
    return lines + _block("note", found.shapes.notes)


def _body(found: Derived, title: str, written: Written) -> list[str]:
    wide = max(len(line.head) for line in written.lines)
    rows = []
    for line in written.lines:
        words = f"    [{','.join(line.words)}]" if line.words else ""
        rows.append(f"{line.head:<{wide}} = {written.texts[line.key]}{words}")
    lines = ["", *_block(title, rows)]
    lines += _block("where", [f"{alias} = {text}" for alias, text in written.where.items()])
    return lines + _block("signs", _signs(found, written))


def _kinds(found: Derived) -> str:
    words = []
    for leaf in found.names:
        dims = found.lowered.dimensions[leaf]
        axes = f"[{','.join(own_letters(dims, found.letters))}]" if dims else ""
        square = len(dims) == 2 and dims[0] == dims[1]
        kind = "a square matrix" if square else kind_of(len(dims))
        if leaf in found.symmetric:
            kind = "a symmetric matrix"
        words.append(f"{leaf}{axes}: {kind}")
    return ", ".join(words)


def _drawn(found: Derived) -> str:
    numbers = f"numbers drawn (seed {found.seed})"
    if found.drawn.said:
        numbers += f", all {found.drawn.said}, as the formula asks"
    sizes = ", ".join(f"{c} = {found.sizes[d]}" for d, c in found.letters.items())
    return f"checked at {sizes}, {numbers}" if sizes else numbers


def _signs(found: Derived, written: Written) -> list[str]:
    texts = " ".join([found.statement, *written.texts.values(), *written.where.values()])
    axes = " ".join(f"[{','.join(line.words)}]" for line in written.lines)
    rows = signs_in(f"{texts} {axes}")
    if "abs(" in found.statement and re.search(r"\bsign\(", texts):
        rows.append("sign(0) = 0 is taken at the kink of abs, where the slopes −1 and 1 meet")
    for matrix in found.symmetric:
        if matrix in found.wrt:
            rows.append(
                f"∂/∂{matrix}: each entry by itself, the value taken at a symmetric {matrix}"
            )
    return rows


def _routes(found: Derived) -> list[str]:
    rows = [f"{row.route} {row.compared} of {row.total}" for row in found.agreement.rows]
    if not rows:
        return [found.agreement.error]
    verdict = "all routes agree" if found.agreement.ok else "THE ROUTES DISAGREE"
    of = "" if found.is_scalar else f" (on the sum of w ⊙ {found.result}, w drawn)"
    return [f"{', '.join(rows)} entries as vjp{of}: {verdict}", *found.agreement.kinks]


def _read_again(found: Derived, written: Written, unlike: Mapping[str, str]) -> list[str]:
    """How many lines give the numbers that the ops give, and what is wrong with the others."""
    heads = {found.result: found.result} if found.in_notation else {}
    heads |= {line.key: line.head for line in written.lines}
    heads |= {alias: alias for alias in written.where}
    lines = [f"{head}: {unlike[key]}" for key, head in heads.items() if key in unlike]
    count = len(heads) - len(unlike)
    if count:
        read = plural(
            count,
            "line, read again as it is printed, gives",
            "lines, read again as they are printed, give",
        )
        lines.append(f"{read} the numbers of the ops")
    return lines


def _block(title: str, lines: Collection[str]) -> list[str]:
    return [f"{'' if n else title:<10}{line}" for n, line in enumerate(lines)]
