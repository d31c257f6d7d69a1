"""Writes the derivation of every gradient of a run out, step by step.

From the cost down: each local Jacobian once, numbered; each layer's error δ as
the product of numbered steps; each parameter's gradient as one contraction,
with the delta that is spent in it. Linear in the number of steps.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..algebra import chain_rule
from ..algebra.axes import BATCH, Axis, sized
from ..algebra.expression import Dense, Expression, Term
from ..algebra.jacobian import Jacobian
from ..algebra.layouts import to_layout
from ..algebra.nodes_and_links import Link, identity
from ..algebra.products.spending import Spending, written
from ..checks.all_routes import Agreement, check
from ..numbers.arrays import entry, quiet
from ..ops import Penalty
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.einsum_chain import equation_of
from ..routes.gradients import require_scalar
from ..routes.structured import structured
from ..writing.marked import joined
from ..writing.signs import rename
from .convention import Convention
from .derivation import Derivation
from .jacobian_numbers import LARGEST_BUILT
from .ledger import Backward, DeltaStep, ForwardStep, GradientStep, LocalStep
from .names_of import names_of
from .of_each_example import SHARE, MeanCost, times
from .ready_made import ReadyMade
from .textbook_formula import textbook, textbook_error
from .written_in import written_in


@dataclass
class _Product:
    """A product of local Jacobians that waits for a value to be named at."""

    jacobian: Jacobian
    factors: str  # δ3 [5][6]
    reason: str = ""  # of a fused product; else the factors have their own
    each: bool = False  # whether it begins with the δ of each example, its 1/m beside it


@dataclass
class _Book:
    """The pages while they are written."""

    state: Pass
    convention: Convention
    mean: MeanCost | None  # whose 1/m is kept for the gradients
    rows: dict[str, np.ndarray]
    backward: list[Backward] = field(default_factory=list)
    waiting: dict[str, list[_Product]] = field(default_factory=dict)
    ones: dict[str, str] = field(default_factory=dict)  # by which J has the derivative 1: its sign
    count: int = 0

    @property
    def layout(self) -> str:
        return self.convention.layout

    def mean_over(self, axes: Sequence[str]) -> MeanCost | None:
        """The mean whose 1/m a derivative with these axes leaves to the gradients."""
        return self.mean if BATCH in axes or BATCH + "'" in axes else None


@quiet
def derive(
    state: Pass,
    title: Sequence[str],
    tied: Mapping[str, str],
    ready: ReadyMade,
    agreement: Agreement | None = None,
) -> Derivation:
    """The ledger of a run in one convention; the run may be written in it already.

    Raises AxisError if the cost is not a scalar, SpecError for what the convention cannot
    say of this program.
    """
    convention = ready.convention
    require_scalar(state)
    mean = MeanCost.of(state) if convention.mean == "gradient" else None
    examples, plain = state.examples, state
    state = written_in(plain, convention)
    steps_as = dict(zip(map(str, plain.program.steps), state.program.steps, strict=True))
    wrt = list(state.program.params)
    names, steps = state.dependents(wrt, state.cost)
    swept = [name for name in names if name != state.cost]
    rows = structured(state, swept)
    book = _Book(state, convention, mean, rows)
    on_a_path, trained = frozenset(names), frozenset(wrt)
    for step in steps:
        _write_step(book, step, on_a_path, trained)
    gradients, done = [], 0
    total = sum(state.values[name].size for name in wrt)
    for name in book.waiting:  # what was not used up on the way down: the parameters
        done += state.values[name].size
        gradients.append(_gradient(book, name, done, total))
    written = ready.gradient_names(wrt)
    names_here = names_of(state, ready)
    compared = check(state, swept=swept) if agreement is None else agreement
    return Derivation(
        (*(str(steps_as.get(line, line)) for line in title), *ready.heading(mean is not None)),
        state.cost,
        convention.layout,
        names_here
        | ready.slope_names(step.formula for step in book.backward if isinstance(step, LocalStep)),
        tuple((name, _shown(state, name, convention)) for name in wrt),
        tuple(f"{name} = {first}" for name, first in tied.items()),
        tuple((n, _shown(state, n, convention)) for n in state.values if n in state.program.inputs),
        tuple(_forward(state, step, convention) for step in state.program.steps),
        tuple(book.backward),
        tuple(gradients),
        compared.beside({*state.values, *names_here.values()}),
        _in_front(state),
        examples,
        _bias_count(state, wrt, convention),
        convention,
        {f"∂{state.cost}/∂{name}": called for name, called in written.items()},
        _returned(book, trained),
    )


def _returned(book: _Book, wrt: Collection[str]) -> dict[str, np.ndarray]:
    """∂J/∂value for each value on the way: also for one that loss and activation as one pass by."""
    found = {book.state.cost: np.ones(())}
    found |= {name: row.copy() for name, row in book.rows.items() if name not in wrt}
    for step in book.backward:
        if not isinstance(step, LocalStep):
            continue
        if step.jacobian.wrt in found or step.jacobian.wrt in wrt:
            continue
        back = found.get(step.jacobian.of)
        if back is None or step.entries > LARGEST_BUILT:
            continue
        product = np.tensordot(back, step.jacobian.materialise(finite=False), back.ndim)
        if np.isfinite(product).all():
            found[step.jacobian.wrt] = product
    return found


def _in_front(state: Pass) -> tuple[Axis, ...]:
    """The axes that data carries in front of what the ops name."""
    letters, found = state.program.letters, dict[str, Axis]()
    for name in state.program.inputs:
        if name in state.values and name not in state.program.labels:
            axes = state.axes(name)
            found |= {axis.name: axis for axis in axes[: len(axes) - len(letters[name])]}
            found |= {axis.name: axis for axis in axes if axis.name == BATCH}
    return tuple(found.values())


def _bias_count(state: Pass, params: Sequence[str], convention: Convention) -> int:
    """How many of the parameters' entries are biases: vectors, or one line of each W."""
    shapes = [state.values[name].shape for name in params]
    if convention.bias != "own":
        return sum(shape[1 if convention.weights == "in,out" else 0] for shape in shapes)
    return sum(math.prod(shape) for shape in shapes if len(shape) < 2)


def _shown(state: Pass, name: str, convention: Convention) -> np.ndarray:
    """A value as it is printed: in columns, a vector that is no list of examples is one column."""
    value, axes = state.values[name], state.axes(name)
    if convention.examples == "columns" and len(axes) == 1 and axes[0].name != BATCH:
        return value[:, None]
    return value


def symbol(name: str, cost: str) -> str:
    """How the error at a value is written: δ2 at z2, else ∂J/∂value in full."""
    return f"δ{name[1:]}" if name[0] == "z" and name[1:].isdigit() else f"∂{cost}/∂{name}"


def _write_step(book: _Book, step: Step, names: Collection[str], wrt: Collection[str]) -> None:
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
    with_loss = (parts[0] @ parts[1]).materialise(finite=False)  # 0 · ∞ is what may be lost
    reason = fused.reason(0)
    if not np.allclose(with_loss, local.materialise(), rtol=1e-6, atol=0):
        pair = " and ".join(f"[{number}]" for number in numbers)
        reason = f"multiplied out, {pair} have lost the answer here; the fused form keeps it"
    book.waiting[logits][-1].reason = reason


def _locals(state: Pass, step: Step, arg: str) -> list[tuple[int, Jacobian]]:
    """(position, local Jacobian) for each place in which the step reads `arg`."""
    found = []
    for position, operand in enumerate(step.op.parsed.inputs):
        if step.args[position] == arg and operand.name not in step.op.without_derivative:
            found.append((position, state.by_one_input(step, position)))
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
        factors = carried.factors + space + number
        item = _Product(carried.jacobian @ local, factors, each=carried.each)
    book.waiting.setdefault(arg, []).append(item)


def _name_error(book: _Book, name: str, arrived: list[_Product]) -> _Product:
    """∂J/∂name as the sum of the products that arrive there; from here on it is one factor."""
    node, row = book.state.node(name), book.rows[name]
    axes = sized(node.primed, node.shape)
    mean = book.mean_over(node.primed)
    of = mean.loss if mean else book.state.cost
    sign = symbol(name, of)
    count = 1 if mean is None else mean.count
    label = sign if axes else _factor(sign)
    one = Expression.of(Dense(label, node.primed, row * row.dtype.type(count)))

    def local(expression: Expression) -> Jacobian:
        link = Link(0, 1, (), node.primed, expression)
        return Jacobian.of_link(book.state.cost, name, (), axes, link, row.dtype)

    error = local(one)
    products = [_written_out(item.jacobian, count) for item in arrived]
    found = " + ".join(_no_ones(book, text) for text, *_ in products)
    book.ones |= {name: label} if found == "1" else {}
    if _stands_above(book, sign, arrived):
        return _Product(local(one), sign)
    whole = error.materialise()
    book.backward.append(
        DeltaStep(
            sign,
            f"∂{of}/∂{name}",
            " + ".join(_product(item, mean, book.layout) for item in arrived),
            found,
            joined(item.reason for item in arrived if item.reason),
            error.shape_in(book.layout),
            to_layout(whole, book.layout, (), axes),
            _textbook_error(book, node.primed, [e for *_, e in products]),
            _own_axes(arrived),
            whole,
            _sum(arrived, [e for *_, e in products]),
        )
    )
    return _Product(local(times(one, 1 / count)), sign, each=mean is not None)


def _stands_above(book: _Book, sign: str, arrived: Sequence[_Product]) -> bool:
    """Whether the error is the local Jacobian on the line above, under the very name."""
    last = book.backward[-1]
    return (
        isinstance(last, LocalStep)
        and last.name == sign
        and [item.factors for item in arrived] == [f"[{last.number}]"]
    )


def _own_axes(arrived: Sequence[_Product]) -> tuple[Axis, ...]:
    """The axes of the value at which products arrive, in the letters of the first."""
    last = arrived[0].jacobian.nodes[-1]
    return sized(last.primed, last.shape)


def _sum(arrived: Sequence[_Product], expressions: Sequence[Expression]) -> Expression:
    """The terms of products that arrive at one value, for somebody who keeps them."""
    first = arrived[0].jacobian.nodes[-1].primed
    terms: list[Term] = []
    for item, expression in zip(arrived, expressions, strict=True):
        own = item.jacobian.nodes[-1].primed
        terms += expression.renamed(dict(zip(own, first, strict=True))).terms
    return Expression(tuple(terms)).kept()


def _textbook_error(book: _Book, own: Sequence[str], found: Sequence[Expression]) -> str:
    """The error in matrix notation, where the convention is not the package's: A2 − Y."""
    terms = [term for expression in found for term in expression.terms]
    if len(terms) != 1 or not book.convention.says_axes:
        return ""
    text = textbook_error(terms[0], own, book.convention)
    for step in book.state.program.steps:
        if re.fullmatch(r"\w+\(\w+\)", step.formula):  # σ(z2), which is a2
            text = text.replace(step.formula, step.name)
    return text


def _product(item: _Product, mean: MeanCost | None, layout: str) -> str:
    """The numbered steps of a product, m times where the 1/m among them is left out."""
    factors = _in_order(item.factors, layout)
    return factors if mean is None or item.each else f"{mean.count} {factors}"


def _factor(symbol: str) -> str:
    """A number as a factor, (∂J/∂R): 1/5 ∂J/∂R W could be read as a fraction below 5 ∂J."""
    return symbol if symbol.startswith("δ") else f"({symbol})"


def _no_ones(book: _Book, text: str) -> str:
    """A product without the derivatives that are 1, where there is another factor."""
    for label in book.ones.values():
        text = text.replace(f"{label} ", "")
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
    axes = sized(node.primed, node.shape)
    before, after, reasons, books, expressions = [], [], [], [], []
    for item in arrived:
        written, trace, expression = _written_out(item.jacobian)
        before.append(_no_ones(book, trace[0].before if trace else written))
        after.append(_no_ones(book, written))
        reasons += [step.reason for step in trace]
        expressions.append(expression)
        count = book.mean.count if book.mean and item.each else None
        terms = _no_ones(
            book,
            " + ".join(textbook(term, axes, book.convention, count) for term in expression.terms),
        )
        books.append(_of_penalty(book, item.jacobian) or terms)
    first = arrived[0].jacobian
    return GradientStep(
        f"∂{book.state.cost}/∂{name}",
        " + ".join(_equation(item) for item in arrived),
        " + ".join(before),
        " + ".join(after),
        joined(dict.fromkeys(reasons)),
        " + ".join(books),
        first.shape_in(book.layout),
        _shown(book.state, name, book.convention).shape,
        done,
        total,
        book.rows[name].reshape(_shown(book.state, name, book.convention).shape).copy(),
        _own_axes(arrived),
        _sum(arrived, expressions),
        tuple(item.jacobian for item in arrived),
    )


def _equation(item: _Product) -> str:
    """The einsum of a gradient; behind the δ of each example, 1/m stands before it."""
    equation = equation_of(item.jacobian)
    return f"{SHARE} {equation}" if item.each else equation


def _of_penalty(book: _Book, jacobian: Jacobian) -> str:
    """2 · 0.1 W2, where a penalty is added to the cost as it is; else nothing."""
    source = jacobian.nodes[-2].name
    step = book.state.step(source)
    if step is None or not isinstance(step.op, Penalty):
        return ""
    return (
        rename(step.op.derivative, step.called) if source in (*book.ones, book.state.cost) else ""
    )


def _written_out(jacobian: Jacobian, count: int = 1) -> tuple[str, list[Spending], Expression]:
    """The product of a short chain, `count` times, as text: deltas spent, sums left standing."""
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
    expression = times(expression, count)
    return written(expression, [*out, *last.primed]), trace, expression


def _forward(state: Pass, step: Step, convention: Convention) -> ForwardStep:
    rectifies = step.op.activation == "relu"
    off = np.argwhere(state.inputs_of(step)[0] < 0) if rectifies else ()
    names = tuple(entry(step.name, tuple(index)) for index in off)
    shown = _shown(state, step.name, convention)
    return ForwardStep(step.name, step.title, step.args, step.told, shown, rectifies, names)
