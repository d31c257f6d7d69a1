"""A Hessian: the Jacobian of a gradient, a sum of rows, one for each op that bends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ..algebra import chain_rule
from ..algebra.axes import Axis, fresh
from ..algebra.expression import Delta, Distinct, Expression
from ..algebra.jacobian import Jacobian
from ..algebra.nodes_and_links import Node, identity
from ..algebra.products.like_terms import written_short
from ..algebra.products.placing import evaluate
from ..algebra.tape import StandIn
from ..errors import AxisError
from ..numbers.arrays import is_finite, quiet
from ..numbers.memory import format_bytes
from ..program.bends import bends_of, raw_bends, second_name
from ..program.forward_pass import Pass
from ..program.program import Program
from ..program.step import Step
from ..routes.structured import look_of
from ..writing.signs import dims, plural, to_ascii
from .cut import Cut, cut_of
from .doubled_graph import Bend, DoubledGraph, doubled, slope_name
from .recorded_sweeps import replayed

MOST_PASSED = 1024  # of a program's steps, by how their ops have answered
MOST_PATHS = 6  # of a row whose formula is written out
OF = " of the "  # between a part and that of which it is a part
GRAPH = ("nodes", "links", "bends")
PARTS = {"Gauss-Newton": "Gauss-Newton part of", "residual": "residual of"}

_PASSED: WeakKeyDictionary[Program, set[Any]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Hessian(Jacobian):
    """∂²of/∂first∂second as a structured tensor; printing it prints its rows.

    It is the Jacobian of ∂of/∂first by second: `out_axes` are the axes of `of` and then those
    of `first`, `wrt_axes` those of `second`. So in each layout the entries of `first` are the
    rows, and those of `second` the columns. Of a block that is asked for by name the graph is
    doubled when `nodes`, `links` or `bends` are read: its factors come without.
    """

    value: str = ""  # of what it is the second derivative
    by: tuple[str, str] = ("", "")
    cut: Cut = field(default_factory=lambda: Cut((), frozenset()))
    bends: tuple[Bend, ...] = field(default_factory=tuple)
    part: str = ""  # which part of the Hessian it is; empty for the whole
    whole: "Hessian | None" = None  # of a collapsed one: the Hessian with its rows
    state: Pass | None = None  # the run that it is of

    if not TYPE_CHECKING:  # to a type checker a name that is misspelt stays an error

        def __getattr__(self, name: str) -> Any:
            """The graph, doubled when it is first read."""
            if name not in GRAPH:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            first, second = self.by
            graph = doubled(self.state, self.value, [first], [second])
            made = block_of(self.state, graph, first, second)
            self.__dict__.update({part: made.__dict__[part] for part in GRAPH})
            return self.__dict__[name]

    @property
    def name(self) -> str:
        """∂²J/∂W2∂W1, or the Gauss-Newton part of ∂²J/∂W2∂W1"""
        told = [PARTS.get(part, f"{part} in") for part in self.part.split(OF) if part]
        return " the ".join(told) + " " * bool(told) + second_name(self.value, *self.by)

    @property
    def rows(self) -> tuple["Hessian", ...]:
        """One part for each op that bends, each again a Hessian; they add up to the whole."""
        keys = dict.fromkeys(bend.key for bend in self._source.bends)
        return tuple(self.row(key) for key in keys)

    def row(self, key: tuple[str, frozenset[int]]) -> "Hessian":
        """The part of one op that bends by one pair of its inputs, in both orders."""
        name = next(bend.name for bend in self._source.bends if bend.key == key)
        return self._of(name, lambda bend: bend.key == key)

    @property
    def gauss_newton(self) -> "Hessian":
        """(∂f/∂p)ᵀ ∂²J/∂f² ∂f/∂q at the network's output f, `cut`: it bends behind f only."""
        return self._of("Gauss-Newton", lambda bend: not self._inside(bend))

    @property
    def residual(self) -> "Hessian":
        """The rest: what bends inside the network, each row weighted by what comes back to it."""
        return self._of("residual", self._inside)

    @property
    def direct(self) -> "Hessian":
        """The rows in which an op bends by one of the two variables itself, as it reads it.

        All else goes through the values that the variables are read into: where s reads p and r
        reads q, (∂s/∂p)ᵀ ∂²of/∂s∂r ∂r/∂q.
        """
        first, second = self.by

        def reads(bend: Bend) -> bool:
            return bend.bent.inputs[0] == first or bend.bent.inputs[1] == second

        return self._of("direct", reads)

    @quiet
    def diagonal(self) -> np.ndarray:
        """The entries at which both variables' axes agree, of shape (…of, …first).

        The Hessian is not built. Raises AxisError for a block by two different variables.
        """
        first, second = self.by
        if first != second:
            raise AxisError(
                f"{self.name} has no diagonal: it is by two variables, {first} and {second}.\n"
                f'  Write run.hessian("{first}", "{first}").diagonal().'
            )
        own = self.out_axes[len(self.out_axes) - len(self.wrt_axes) :]
        pairs = {w.name: o.name for o, w in zip(own, self.wrt_axes, strict=True)}
        names = [axis.name for axis in self.out_axes]
        sizes = {axis.name: axis.size for axis in self.out_axes}
        expression = self._collapsed(None)
        if expression.has_positions:
            spots = [axis.name for axis in self.axes]
            letters = {name: chr(ord("A") + place) for place, name in enumerate(names)}
            letters |= {w: letters[o] for w, o in pairs.items()}
            word = "".join(letters[spot] for spot in spots)
            result = "".join(letters[name] for name in names)
            return np.array(np.einsum(f"{word}->{result}", self.materialise()), copy=True)
        terms = []
        for term in expression.renamed(pairs).terms:
            if any(f.left == f.right for f in term.of(Distinct)):
                continue  # 1−δ on the diagonal
            kept = [f for f in term.factors if not (isinstance(f, Delta) and f.left == f.right)]
            terms.append(replace(term, factors=tuple(kept)))
        found = evaluate(Expression(tuple(terms)), names, sizes, self.dtype)
        self._require_finite(found, f"the diagonal of {self.name}")
        return found

    @quiet
    def factored(self) -> Expression:
        """The Hessian as a sum of products of deltas and factors: its storage.

        x[i] H[k,k'] x[i'] stays a product, and terms are added only where that saves numbers;
        a last sum over the examples stands where its factors are fewer numbers than it.
        Raises DomainError where a factor has an entry that is not finite.
        """
        expression = self._apart()
        for array in expression.arrays:
            self._require_finite(array, f"a factor of {self.name}")
        return expression.kept()

    def _apart(self) -> Expression:
        """The factors of the block; of a whole one by the sweep recorded for its program."""
        state, (first, second) = self.state, self.by
        if state is None or self.part:
            return self._collapsed(None, apart=True)

        def sweep(graph: DoubledGraph, _: Sequence[StandIn]) -> dict[str, Expression]:
            return {"": block_of(state, graph, first, second)._collapsed(None, apart=True)}

        record, arrays = replayed(state, "factored", (self.value, (first,), (second,)), sweep)
        return record.found[""].holding(arrays)

    @quiet
    def collapse(self) -> "Hessian":
        """The same Hessian with every summed axis spent or contracted, and the record of it."""
        found = Jacobian.collapse(self)
        return replace(
            self,
            nodes=found.nodes,
            links=found.links,
            trace=found.trace,
            whole=self._source,
        )

    @property
    def formula(self) -> str:
        """The rows with their deltas spent and their sums written out, or the number of paths."""
        if not self.links:
            return "0"
        if self.is_local:
            return str(self.links[0].expression)
        if self.paths > MOST_PATHS:
            return f"{plural(self.paths, 'path')} through {plural(len(self.links), 'link')}"
        out = [axis.name for axis in self.out_axes]
        start = identity(out, self.nodes[0].primed)
        found = chain_rule.written_out(self.nodes, self.links, start, self.out_axes, [])
        names = [axis.name for axis in self.wrt_axes]
        found = found.renamed(dict(zip(self.nodes[-1].primed, names, strict=True)))
        return written_short(found, [*out, *names])

    def text(self, ascii_only: bool = False) -> str:
        """The rows with their formulas, the layout beside the shape, and what is known before."""
        rows = self.rows
        head = self.statement.partition(" = ")[0]
        if len(rows) < 2 or self.whole is not None:
            lines = [self.statement]
        else:
            lines = [f"{head} = the sum of {plural(len(rows), 'row')}"]
            for row in rows:
                inside = self._inside(row.bends[0])
                kind = "residual" if inside else "Gauss-Newton"
                lines.append(f"    {row.formula}    ({kind}: {row.part})")
        lines.append(
            f"  layout numerator, shape {dims(self.shape)}: {self.structure}; "
            f"{self.structural_nonzeros:,} of {self.size:,} entries can be non-zero; "
            f"{format_bytes(self.nbytes)}"
        )
        lines += [f"  {step}" for step in self.trace]
        text = "\n".join(lines)
        return to_ascii(text) if ascii_only else text

    def __repr__(self) -> str:
        return f"<Hessian {self.name}, shape {dims(self.shape)}, {self.structure}>"

    @property
    def _source(self) -> "Hessian":
        return self if self.whole is None else self.whole

    @property
    def _is_infinite_slope(self) -> bool:
        """Never: each row is a product, with ∂of/∂s."""
        return False

    def _require_finite(self, product: np.ndarray, name: str) -> None:
        if is_finite(product):
            return
        source = self._source
        graph = DoubledGraph(self.value, source.nodes, source.links, source.bends)
        graph.require_finite(product, name)

    def _inside(self, bend: Bend) -> bool:
        return bend.bent.step.name in self.cut.inside

    def _of(self, part: str, chosen: Callable[[Bend], bool]) -> "Hessian":
        """The rows of some of the links that bend, as a Hessian of its own."""
        source = self._source
        graph = DoubledGraph(self.value, source.nodes, source.links, source.bends).keeping(chosen)
        graph = graph.between(0, [len(source.nodes) - 1])
        label = part if not self.part else f"{part}{OF}{self.part}"
        return _with_own_names(replace(source, part=label), graph)

    def _instead(self) -> str:
        """What a refusal in bytes advises."""
        second = self.by[1]
        nonzeros = self.structural_nonzeros
        share = "Every entry can be non-zero"
        if nonzeros < self.size:
            share = f"Only {nonzeros:,} of {self.size:,} entries can be non-zero"
        return f"{share}. Use H.push(v) with a v of the shape of {second}, or H.factored()."


def hessian(state: Pass, of: str, first: str, second: str) -> Hessian:
    """∂²of/∂first∂second, structured; nothing is built.

    A value that is computed is differentiated by what is added to it: ∂²J/∂z2∂W2 has the row of
    W2 in z2 = W2 a1 too. Raises SpecError for an unknown name, DomainError for labels, and
    JacobianError where an op between does not say how it bends.
    """
    state.require(of)
    for name in (first, second):
        state.require_variable(of, name)
    _, steps = state.dependents(dict.fromkeys([first, second]), of)
    for step in steps:
        _require_bends(state, step)
    found = _without_rows(state, of, first, second)
    for part in GRAPH:
        del found.__dict__[part]
    return found


def _require_bends(state: Pass, step: Step) -> None:
    """JacobianError or AxisError where an op does not say, or not rightly, how it bends.

    What was right once in a program, over the same axes, is not gone through again.
    """
    passed = _PASSED.setdefault(state.program, set())
    if step.op.keeps_terms:
        look: Any = step.key, tuple([array.shape for array in state.inputs_of(step)])
    else:
        look = step.key, look_of(raw_bends(state, step))
    if look not in passed:
        bends_of(state, step)
        if len(passed) >= MOST_PASSED:
            passed.clear()
        passed.add(look)


def block_of(state: Pass, graph: DoubledGraph, first: str, second: str) -> Hessian:
    """∂²of/∂first∂second out of a graph that was doubled for these names, and perhaps more."""
    start, end = graph.slope(first), graph.value(second)
    made = _without_rows(state, graph.of, first, second)
    if start < 0 or end < 0:
        return made
    return _with_own_names(made, graph.between(start, [end]))


def _without_rows(state: Pass, of: str, first: str, second: str) -> Hessian:
    """∂²of/∂first∂second where nothing bends: 0."""
    out, last = slope_axes(state, of, first), state.node(second)
    wrt = tuple(map(Axis, last.primed, last.shape))
    nodes: tuple[Node, ...] = (Node(slope_name(of, first), out), last)
    return Hessian(
        nodes, (), out, wrt, state.dtype, value=of, by=(first, second),
        cut=cut_of(state, of, (first, second)), state=state,
    )  # fmt: skip


def slope_axes(state: Pass, of: str, name: str) -> tuple[Axis, ...]:
    """The axes of ∂of/∂name, those of `of` first, each with a letter of its own and no prime."""
    taken: set[str] = set()
    found = []
    for axis in (*state.axes(of), *state.axes(name)):
        letter = fresh(taken, axis.name.rstrip("'"))
        taken.add(letter)
        found.append(Axis(letter, axis.size))
    return tuple(found)


def _with_own_names(made: Hessian, graph: DoubledGraph) -> Hessian:
    """The Hessian of this graph; one link alone is written over the Hessian's own axes."""
    links, bends = graph.links, graph.bends
    if len(links) == 1 and len(graph.nodes) == 2:
        (link,) = links
        out, wrt = ([axis.name for axis in part] for part in (made.out_axes, made.wrt_axes))
        names = dict(zip((*link.out, *link.wrt), (*out, *wrt), strict=True))
        moved = replace(
            link, out=tuple(out), wrt=tuple(wrt), expression=link.expression.renamed(names)
        )
        links, bends = (moved,), tuple(replace(bend, link=moved) for bend in bends)
    return replace(made, nodes=graph.nodes, links=links, bends=bends, whole=None, trace=())
