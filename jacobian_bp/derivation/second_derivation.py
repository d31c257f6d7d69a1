"""The second derivatives of a run, written out: what bends, how H comes down the layers, and why.

The gradient's derivation goes before: its steps are numbered on, and its δ are used.
"""

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ..algebra.axes import BATCH
from ..checks.agreement import Agreement
from ..checks.announced_second import second_announcement
from ..checks.of_hessian import check_hessian
from ..curvature.cut import cut_of
from ..curvature.doubled_graph import doubled
from ..curvature.magnitudes import hessian_magnitudes
from ..curvature.stacked_hessian import StackedHessian
from ..document.as_html import page as html_page
from ..document.as_markdown import markdown
from ..document.as_text import text_lines
from ..document.blocks import Document
from ..document.saving import place_for, save
from ..errors import SpecError
from ..numbers.arrays import quiet
from ..ops import Op
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.gradients import require_scalar
from ..writing.latex import aligned, formula
from ..writing.notebook import steps
from ..writing.shown import Shown
from ..writing.signs import for_stream, plural, rename
from ..writing.tables import WIDTH
from .convention import Convention
from .derive import derive, symbol
from .ledger import LocalStep
from .of_each_example import SHARE, MeanCost
from .ready_made import ReadyMade
from .second_chain import (
    added_as_they_are,
    between_heads,
    blocks_of,
    from_the_cost_down,
    heads_of,
    is_chain,
    labels_in,
)
from .second_document import document_of_second
from .second_ledger import BendRow, KeptMean, SecondLedger, StraightRow
from .second_named import named_arrays
from .second_parts import parts_of
from .second_rows import rows_of
from .second_search import search_of
from .second_verdict import verdict_of
from .spelled_once import as_ascii, read_aloud, spelled_once
from .written_in import written_in

MOST_BUILT = 400  # parameters of which the whole matrix and its eigenvalues are asked for
MOST_SHOWN = 21  # pairs of layers, and of parameters: those of the six nearest to the cost


@dataclass(frozen=True, eq=False, repr=False)
class SecondDerivation(Shown, SecondLedger):
    """The second derivatives as data; printing it prints the page."""

    def text(self, width: int = WIDTH, ascii_only: bool = False) -> str:
        """The page as plain text."""
        names = spelled_once({**self.spelling})

        def spell(text: str) -> str:
            named = _squares_closed(rename(text, names))
            return as_ascii(named) if ascii_only else named

        return read_aloud("\n".join(text_lines(document_of_second(self), width, spell)))

    def document(self) -> Document:
        """The page as blocks, which every form of it is made from."""
        return replace(document_of_second(self), spell=self.spelled)

    def spelled(self, text: str) -> str:
        """A text with the symbols of the convention: ∂²J/∂W1² is ∂²C/∂(W^2)²."""
        return _squares_closed(rename(text, {**self.spelling}))

    def html(self) -> str:
        """The page as one HTML file that loads nothing."""
        return html_page(self.document())

    def markdown(self, plain: bool = False) -> str:
        """The page as Markdown; formulas as GitHub marks them, or in `plain` dollars."""
        return markdown(self.document(), plain)

    def save(self, path: str | os.PathLike[str], replace: bool = False) -> None:
        """Write it to a file, as .html .tex .md .txt says; what is there stays without `replace`.

        Raises SpecError for another ending, a folder that is not there, and a file that is.
        """
        place = place_for(path, replace, ", or say replace=True")
        save(place, self.document, self.text)

    def latex(self) -> str:
        """The rows and the blocks one under another, as LaTeX without delimiters."""
        lines = [f"{row.name} = {row.formula}" for row in self.rows]
        lines += [item.statement for item in self.between]
        lines += [f"{block.name} = {block.formula}" for block in self.blocks]
        spelled = map(self.spelled, lines)
        return aligned([formula(line).replace("=", "&=", 1) for line in spelled])

    def _repr_html_(self) -> str:
        """For a notebook: each row and each block as a formula, with its reason."""
        lines = [(f"{row.name} = {row.formula}", "", row.reason) for row in self.rows]
        lines += [(f"{block.name} = {block.formula}", "", "") for block in self.blocks]
        return steps([(self.spelled(line), "", self.spelled(why)) for line, _, why in lines])

    def __str__(self) -> str:
        return for_stream(self.text())

    def __repr__(self) -> str:
        return (
            f"<SecondDerivation of {self.cost} by {plural(self.count, 'parameter')}: "
            f"{plural(len(self.rows), 'row')}; print() shows it>"
        )


@quiet
def derive_second(
    state: Pass, title: Sequence[str], ready: ReadyMade, everything: bool = False
) -> SecondDerivation:
    """The second derivatives of a run in one convention, all or those nearest to the cost.

    Raises AxisError if the cost is no scalar, SpecError without parameters and for what the
    convention cannot say of this program, and JacobianError where an op does not say how it bends.
    """
    require_scalar(state)
    plain, state, convention = state, written_in(state, ready.convention), ready.convention
    cost, params = state.cost, state.program.params
    if not params:
        raise SpecError(
            f"∂²{cost}/∂…: the network has no parameters.\n"
            f'  Write run.hessian("x") for the second derivative by an input x.'
        )
    names, steps = state.dependents(params, cost)
    graph, cut = doubled(state, cost, params, params), cut_of(state, cost, params)
    first = derive(plain, title, {}, ready, Agreement(cost, (), ()))
    before = sum(isinstance(step, LocalStep) for step in first.backward)
    mean = _mean_of(plain, convention, steps)
    rows, straight = rows_of(state, steps, graph, cut, before)
    rows = tuple(_with_share(row, mean, cost) for row in rows)
    bends = [row for row in rows if isinstance(row, BendRow)]
    heads = heads_of(state, steps, graph)
    chain = is_chain(heads, steps, cost)
    listed = from_the_cost_down(steps, params, heads)
    added = dict(added_as_they_are(state, steps, listed, heads)) if chain else {}
    named = [name for name in listed if name not in added]
    whole = StackedHessian(state, cost, params)
    count = whole.shape[-1]
    most = None if everything else MOST_SHOWN
    built = parts = sums = None
    if count <= MOST_BUILT:
        built = whole.materialise()
        parts = parts_of(whole, graph, cut)
        sums = hessian_magnitudes(state, cost, params)
    layout = convention.layout
    downwards = between_heads(state, steps, graph, heads, bends, layout) if chain else iter(())
    blocks = blocks_of(state, steps, graph, named, heads if chain else [], bends, parts, layout)
    between = tuple(islice(downwards, most))
    found = SecondDerivation(
        title=first.title,
        cost=cost,
        count=count,
        nbytes=whole.nbytes,
        nonzeros=whole.structural_nonzeros,
        before=before,
        symbols=tuple((symbol(s.name, cost), f"∂{cost}/∂{s.name}") for s in steps[1:]),
        mean=mean,
        inside=tuple(_inside(steps, {row.step for row in bends})),
        layout=layout,
        spelling={**first.names, **labels_in(heads, convention)},
        bends=rows,
        straight=straight,
        is_chain=chain,
        between=between,
        more_between=_pairs(len(heads)) - len(between) if chain else 0,
        added=tuple(added.items()),
        blocks=tuple(islice(blocks, most)),
        more_blocks=max(0, _pairs(len(named)) - MOST_SHOWN) if most else 0,
        search=search_of(state, graph, cut, bends) if parts is None and bends else None,
        verdict=None if parts is None else verdict_of(state, graph, cut, bends, parts, sums),
        check=check_hessian(state, params, built, sums),
        names=frozenset([*names, *(arg for step in steps for arg in step.args)]),
    )
    return _with_symbols(found)


def announcement_of_second(state: Pass, everything: bool = False) -> str:
    """What a long page will do and about how long it takes; empty for one that is soon done."""
    count = sum(state.values[name].size for name in state.program.params)
    return second_announcement(state, count <= MOST_BUILT, everything)


def _pairs(count: int) -> int:
    """Of so many, each two in one order, and each with itself."""
    return count * (count + 1) // 2


def _with_symbols(found: SecondDerivation) -> SecondDerivation:
    """The same with δ3 for ∂J/∂z3 in every formula, and a number ∂J/∂R in brackets."""

    mean = found.mean
    formulas = [*(row.returned for row in found.rows), *(block.formula for block in found.blocks)]
    arrays, meanings = named_arrays(found.rows, formulas, {*found.names, *found.spelling.values()})

    def spelled(text: str) -> str:
        for label in sorted(arrays, key=len, reverse=True):
            text = text.replace(label, arrays[label])
        for sign, called in found.symbols:
            if sign != called:
                share = f"{SHARE} " * (mean is not None and called in mean.of)
                text = re.sub(re.escape(called) + r"(?!\w)", share + sign, text)
        return re.sub(r"(?<!\()(∂[^\W²]+/∂\w+)(?![\w\[])", r"(\1)", text)

    bends = tuple(
        replace(row, returned=spelled(row.returned)) if isinstance(row, BendRow) else row
        for row in found.bends
    )
    blocks = tuple(replace(block, formula=spelled(block.formula)) for block in found.blocks)
    return replace(found, bends=bends, blocks=blocks, arrays=tuple(meanings))


def _mean_of(state: Pass, convention: Convention, steps: Sequence[Step]) -> KeptMean | None:
    """The mean whose 1/m no δ has, where the convention says so, and the ∂J/∂z that have it."""
    mean = MeanCost.of(state) if convention.mean == "gradient" else None
    if mean is None:
        return None
    each = [step.name for step in steps if BATCH in state.names[step.name]]
    slopes = frozenset(f"∂{state.cost}/∂{n}" for n in each if symbol(n, state.cost)[0] == "δ")
    return KeptMean(mean.loss, mean.count, slopes)


def _inside(steps: Sequence[Step], bent: Collection[str]) -> Iterator[str]:
    """h1 = tanh(z), z = W x + U h0 + b: of each kind of op that names what is inside it, one."""
    kinds: dict[type[Op], list[Step]] = {}
    for step in steps:
        if step.name in bent and step.op.own_letters and step.formula:
            kinds.setdefault(type(step.op), []).append(step)
    for first, *others in kinds.values():
        yield f"{first.name} = {first.formula}" + (", and so on" if others else "")


def _with_share(
    row: BendRow | StraightRow, mean: KeptMean | None, cost: str
) -> BendRow | StraightRow:
    """The row with 1/m before its δ, where that is of each example."""
    if mean is None or isinstance(row, StraightRow) or f"∂{cost}/∂{row.step}" not in mean.of:
        return row
    return replace(row, symbol=f"{SHARE} {row.symbol}")


def _squares_closed(text: str) -> str:
    """∂(z^3)² where a name ends in a power of its own."""
    return re.sub(r"(?<=∂)(\w+\^(?:\(\w+\)|\w+?))²", r"(\1)²", text)
