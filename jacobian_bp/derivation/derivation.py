"""The derivation of every gradient of a run, written out step by step.

From the cost down: each local Jacobian once, numbered; each layer's error δ as
the product of numbered steps; each parameter's gradient as one contraction,
with the delta that is spent in it. Linear in the number of steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..algebra import chain_rule
from ..algebra.axes import BATCH, Axis
from ..algebra.expression import Dense, Expression, Term
from ..algebra.jacobian import Jacobian
from ..algebra.nodes_and_links import identity
from ..algebra.spending import Spending, summed, written
from ..checks.all_routes import Agreement, check
from ..numbers.arrays import entry, quiet
from ..ops import Penalty
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.einsum_chain import plan
from ..routes.gradients import require_scalar
from ..routes.structured import structured
from ..writing.latex import aligned, formula, words
from ..writing.notebook import page, steps
from ..writing.shown import Shown
from ..writing.signs import dims, for_stream, plural, rename, to_ascii
from .as_text import WIDTH, render
from .conventions import Convention
from .folding import folded
from .ledger import Backward, DeltaStep, Folded, ForwardStep, GradientStep, Ledger, LocalStep
from .step_tables import step_numbers

ROOM = 80  # columns for the numbers of a step in a notebook
ZEROS = "under each step its numbers; '.' is zero for every input, '0' at this input only"


@dataclass(frozen=True, eq=False, repr=False)
class Derivation(Shown, Ledger):
    """The ledger of a run; printing it prints the derivation."""

    def text(self, width: int = WIDTH, ascii_only: bool = False, everything: bool = False) -> str:
        """The derivation as plain text; `everything` writes out repeated layers too."""

        def spell(text: str) -> str:
            named = rename(text, self.names)
            return to_ascii(named) if ascii_only else named

        return "\n".join(render(self, width, spell, everything))

    def latex(self) -> str:
        """The steps one under another, as LaTeX without delimiters; layout and shape as words."""
        lines = []
        for latex, shape, _ in self._rows():
            lines.append(latex.replace("=", "&=", 1) + (rf" &&{words(shape)}" if shape else ""))
        return aligned(lines)

    def _repr_html_(self) -> str:
        """For a notebook: each step with its numbers under it, then what the checks found."""
        checks = self.agreement.lines() if self.agreement else []
        return steps(self._rows(), self._numbers(), ZEROS) + "\n" + page("", checks)

    def _numbers(self) -> list[list[str]]:
        """The numbers of each row."""
        ledger = folded(self)
        return [
            [] if isinstance(step, Folded) else step_numbers(step, ROOM)
            for step in (*ledger.forward, *ledger.backward, *ledger.gradients)
        ]

    def _rows(self) -> list[tuple[str, str, str]]:
        """For each step its LaTeX, layout and shape, and reason; repeated layers are folded."""
        ledger, found = folded(self), []
        for step in (*ledger.forward, *ledger.backward, *ledger.gradients):
            if isinstance(step, Folded):
                found.append((words(str(step)), "", ""))
                continue
            reason = "" if isinstance(step, ForwardStep) else rename(step.reason, self.names)
            latex = formula(rename(step.statement, self.names))
            found.append((latex, self._place(step), reason))
        return found

    def _place(self, step: ForwardStep | LocalStep | DeltaStep | GradientStep) -> str:
        """The number of a step where it has one, its layout and its shape: [7] flat (2, 8)."""
        if isinstance(step, ForwardStep):
            return dims(step.value.shape)
        number = f"[{step.number}] " if isinstance(step, LocalStep) else ""
        shape = step.jacobian_shape if isinstance(step, GradientStep) else step.shape
        return f"{number}{self.layout} {dims(shape)}"

    def __str__(self) -> str:
        return for_stream(self.text())

    def __repr__(self) -> str:
        count = sum(isinstance(step, LocalStep) for step in self.backward)
        return (
            f"<Derivation of {plural(len(self.gradients), 'gradient')} of {self.cost} in layout "
            f"{self.layout}: {plural(self.parameter_count, 'parameter')}, "
            f"{plural(count, 'local Jacobian')}; print() shows it>"
        )


@dataclass
class _Product:
    """A product of local Jacobians that waits for a value to be named at."""

    jacobian: Jacobian
    factors: str  # δ3 [5][6]
    reason: str = ""  # of a fused product; else the factors have their own


@dataclass
class _Book:
    """The pages while they are written."""

    state: Pass
    layout: str
    rows: dict[str, np.ndarray]
    backward: list[Backward] = field(default_factory=list)
    waiting: dict[str, list[_Product]] = field(default_factory=dict)
    ones: set[str] = field(default_factory=set)  # values by which J has the derivative 1, always
    count: int = 0


@quiet
def derive(
    state: Pass,
    title: Sequence[str],
    tied: Mapping[str, str],
    convention: Convention,
    agreement: Agreement | None = None,
) -> Derivation:
    """The ledger of the run in one convention. Raises AxisError if the cost is not a scalar."""
    layout = convention.layout
    require_scalar(state)
    wrt = list(state.program.params)
    names, steps = state.dependents(wrt, state.cost)
    book = _Book(state, layout, structured(state, [n for n in names if n != state.cost]))
    for step in steps:
        _write_step(book, step, names, wrt)
    gradients, done = [], 0
    total = sum(state.values[name].size for name in wrt)
    notation = [f"notation of {convention.about}", f"its text: {convention.source}"]
    for name in book.waiting:  # what was not used up on the way down: the parameters
        done += state.values[name].size
        gradients.append(_gradient(book, name, done, total))
    return Derivation(
        (*title, *(notation if convention.is_seed else [])),
        state.cost,
        layout,
        convention.names(len(state.program.steps)),
        tuple((name, state.values[name]) for name in wrt),
        tuple(f"{name} = {first}" for name, first in tied.items()),
        tuple((n, v) for n, v in state.values.items() if n in state.program.inputs),
        tuple(_forward(state, step) for step in state.program.steps),
        tuple(book.backward),
        tuple(gradients),
        check(state) if agreement is None else agreement,
        _in_front(state),
    )


def _in_front(state: Pass) -> tuple[Axis, ...]:
    """The axes that data carries in front of what the ops name."""
    letters, found = state.program.letters, dict[str, Axis]()
    for name in state.program.inputs:
        if name in state.values and name not in state.program.labels:
            axes = state.axes(name)
            found |= {axis.name: axis for axis in axes[: len(axes) - len(letters[name])]}
            found |= {axis.name: axis for axis in axes if axis.name == BATCH}
    return tuple(found.values())


def symbol(name: str, cost: str) -> str:
    """How the error at a value is written: δ2 at z2, else ∂J/∂value in full."""
    return f"δ{name[1:]}" if name[0] == "z" and name[1:].isdigit() else f"∂{cost}/∂{name}"


def textbook(term: Term, wrt: Sequence[Axis]) -> str:
    """A product of vectors in matrix notation: δ[k'] a[i'] is δ aᵀ, one vector is itself.

    In a batch the examples are rows, so that Σ_n δ[n,k'] a[n,i'] is δᵀ a.
    """
    factors = term.of(Dense)
    if len(term.factors) != len(factors):
        return str(term)
    own = tuple(axis.name for axis in wrt)
    numbers = [factor.label for factor in factors if not factor.axes]
    axes = [factor.axes for factor in factors if factor.axes]
    names = [factor.label for factor in factors if factor.axes]
    if axes == [own]:
        product = names[0]
    elif len(own) == 2 and axes == [(own[0],), (own[1],)]:
        product = f"{names[0]} {names[1]}ᵀ"
    elif len(own) == len(axes) == 2 and axes[0][1:] == (own[0],) and axes[1][1:] == (own[1],):
        product = f"{names[0]}ᵀ {names[1]}"
    elif len(axes) == 1 and axes[0][1:] == own:
        product = f"Σ_{axes[0][0]} {names[0]}"
    else:
        return summed(term, own)
    times = str(Term((), term.coefficient)) if abs(term.coefficient) != 1 else ""
    words = " ".join([*([times] if times else []), *numbers, product])
    return f"−{words}" if term.coefficient == -1 else words


def _write_step(book: _Book, step: Step, names: Sequence[str], wrt: Sequence[str]) -> None:
    """The error at the step's value where it is worth a name, then its local Jacobians."""
    state, arrived = book.state, book.waiting.pop(step.name, [])
    path = [a for a in dict.fromkeys(step.args) if a in names]
    before = [a for a in path if a not in wrt]
    named = len(arrived) > 1 or len(before) > 1 or any(a in wrt for a in path)
    carried = arrived[0] if arrived else None
    if arrived and named:
        carried = _name_error(book, step.name, arrived)
    original = state.step(step.name)
    if original is not None and original.fused_op is not None and step.op is original.fused_op:
        _write_unfused(book, original, step, carried)
        return
    for arg in [a for a in path if a in wrt] + before:
        for position, local in _locals(state, step, arg):
            number = _write_local(book, local, step, position)
            _wait(book, arg, carried, local, f"[{number}]")


def _write_unfused(book: _Book, loss: Step, fused: Step, carried: _Product | None) -> None:
    """The two unfused factors, shown; the fused product of them, used."""
    state, between, logits = book.state, loss.args[0], fused.args[0]
    activation = state.step(between)
    assert activation is not None  # a fused loss stands behind an activation
    parts, numbers = [], []
    for step, arg in ((Step(loss.name, loss.op, loss.args), between), (activation, logits)):
        ((position, local),) = _locals(state, step, arg)
        parts.append(local)
        numbers.append(_write_local(book, local, step, position))
    ((_, local),) = _locals(state, fused, logits)
    _wait(book, logits, carried, local, "".join(f"[{number}]" for number in numbers))
    with_loss = (parts[0] @ parts[1]).materialise()
    reason = fused.reason(0)
    if not np.allclose(with_loss, local.materialise(), rtol=1e-6, atol=0):
        pair = " and ".join(f"[{number}]" for number in numbers)
        reason = f"multiplied out, {pair} have lost the answer here; the fused form keeps it"
    book.waiting[logits][-1].reason = reason


def _locals(state: Pass, step: Step, arg: str) -> list[tuple[int, Jacobian]]:
    """(position, local Jacobian) for each place in which the step reads `arg`."""
    found = []
    local = state.local(step)
    for position, operand in enumerate(step.op.parsed.inputs):
        if step.args[position] == arg and operand.name in local:
            out, wrt, expression = local[operand.name]
            jacobian = Jacobian.local(step.name, arg, out, wrt, expression, state.dtype)
            found.append((position, jacobian))
    return found


def _write_local(book: _Book, local: Jacobian, step: Step, position: int) -> int:
    """One numbered line: what the Jacobian is, and why; it can build its numbers."""
    book.count += 1
    reason = step.reason(position)
    book.backward.append(
        LocalStep(
            book.count,
            local.name,
            local.formula,
            reason or f"{local.structure}, by the op's own rule",
            local.axes,
            local.shape_in(book.layout),
            local.structure,
            local.size,
            local.structural_nonzeros,
            local.nbytes,
            book.layout,
            local,
        )
    )
    return book.count


def _wait(book: _Book, arg: str, carried: _Product | None, local: Jacobian, number: str) -> None:
    """The product so far, kept until the value `arg` is reached."""
    if carried is None:
        item = _Product(local, number)
    else:
        space = " " if carried.factors[-1] != "]" else ""
        item = _Product(carried.jacobian @ local, carried.factors + space + number)
    book.waiting.setdefault(arg, []).append(item)


def _name_error(book: _Book, name: str, arrived: list[_Product]) -> _Product:
    """∂J/∂name as the sum of the products that arrive there; from here on it is one factor."""
    node, row = book.state.node(name), book.rows[name]
    axes = tuple(map(Axis, node.primed, node.shape))
    sign = symbol(name, book.state.cost)
    label = sign if axes else _factor(sign)
    whole = Jacobian.local(
        book.state.cost, name, (), axes, Expression.of(Dense(label, node.primed, row)), row.dtype
    )
    found = " + ".join(_no_ones(book, _written_out(item.jacobian)[0]) for item in arrived)
    book.ones |= {name} if found == "1" else set()
    book.backward.append(
        DeltaStep(
            sign,
            f"∂{book.state.cost}/∂{name}",
            " + ".join(_in_order(item.factors, book.layout) for item in arrived),
            found,
            "; ".join(item.reason for item in arrived if item.reason),
            whole.shape_in(book.layout),
            whole.materialise(book.layout),
        )
    )
    return _Product(whole, sign)


def _factor(symbol: str) -> str:
    """A number as a factor, (∂J/∂R): 1/5 ∂J/∂R W could be read as a fraction below 5 ∂J."""
    return symbol if symbol.startswith("δ") else f"({symbol})"


def _no_ones(book: _Book, text: str) -> str:
    """A product without the derivatives that are 1, where there is another factor."""
    for name in book.ones:
        text = text.replace(f"{_factor(symbol(name, book.state.cost))} ", "")
    return text


def _in_order(factors: str, layout: str) -> str:
    """δ3 [5][6], or [6][5] δ3 where the variable's axes stand first and products turn round."""
    if layout != "gradient":
        return factors
    symbol_, space, numbers = factors.rpartition(" ")
    turned = "".join(f"[{n}" for n in reversed(numbers.split("[")[1:]))
    return f"{turned}{space}{symbol_}"


def _gradient(book: _Book, name: str, done: int, total: int) -> GradientStep:
    """The contraction that gives the gradient, before and after its delta is spent."""
    node, arrived = book.state.node(name), book.waiting[name]
    axes = tuple(map(Axis, node.primed, node.shape))
    before, after, reasons, books = [], [], [], []
    for item in arrived:
        written, trace, expression = _written_out(item.jacobian)
        before.append(_no_ones(book, trace[0].before if trace else written))
        after.append(_no_ones(book, written))
        reasons += [step.reason for step in trace]
        terms = _no_ones(book, " + ".join(textbook(term, axes) for term in expression.terms))
        books.append(_of_penalty(book, item.jacobian) or terms)
    first = arrived[0].jacobian
    return GradientStep(
        f"∂{book.state.cost}/∂{name}",
        " + ".join(plan(item.jacobian).equation for item in arrived),
        " + ".join(before),
        " + ".join(after),
        "; ".join(dict.fromkeys(reasons)),
        " + ".join(books),
        first.shape_in(book.layout),
        node.shape,
        done,
        total,
        np.array(book.rows[name], copy=True),
    )


def _of_penalty(book: _Book, jacobian: Jacobian) -> str:
    """2 · 0.1 W2, where a penalty is added to the cost as it is; else nothing."""
    source = jacobian.nodes[-2].name
    step = book.state.step(source)
    if step is None or not isinstance(step.op, Penalty):
        return ""
    return (
        rename(step.op.derivative, step.called) if source in (*book.ones, book.state.cost) else ""
    )


def _written_out(jacobian: Jacobian) -> tuple[str, list[Spending], Expression]:
    """The product of a short chain as text, its deltas spent and its sums left standing."""
    out = [axis.name for axis in jacobian.out_axes]
    trace: list[Spending] = []
    last = jacobian.nodes[-1]
    if jacobian.is_local:
        expression = jacobian.links[0].expression
    else:
        start = identity(out, jacobian.nodes[0].primed)
        expression = chain_rule.written_out(
            jacobian.nodes, jacobian.links, start, jacobian.out_axes, trace
        )
    kept = [*out, *last.primed]
    return written(expression, kept), trace, expression


def _forward(state: Pass, step: Step) -> ForwardStep:
    value = state.values[step.name]
    branch = step.op.branch(*state.inputs_of(step))
    off = np.zeros((0, 1)) if branch is None else np.argwhere((branch < 0) & (value == 0))
    names = tuple(entry(step.name, tuple(index)) for index in off)
    rectifies = branch is not None
    return ForwardStep(step.name, step.title, step.args, step.told, value, rectifies, names)
