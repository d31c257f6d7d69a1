"""What `compare` shows: a cost card, a sweep, or a preset; each gives its parts as it goes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...document.blocks import Lines, Words
from ...errors import MemoryLimitError
from ...numbers.memory import current_limit
from ...writing import terminal
from ...writing.tables import fold
from ..cost.cost_card import RouteCost
from ..cost.limits import Left, affordable
from ..timing.forecast import Call, Forecast, calls_of
from ..timing.growth import growths
from ..timing.measure import Journal, measure, refused_result, with_cost
from ..timing.peers import session
from ..timing.result import GRADIENT, STEP, Result, blank_result
from ..timing.subjects import (
    Subject,
    compiled,
    parameter_jacobian,
    route_subjects,
    run_and_vjp,
    weight_jacobian,
    with_engine,
)
from ..timing.sweep import overheads, plan_sweep, run_sweep
from ..timing.workload import Workload, label_of, label_of_run, workload_of
from .brackets import bracketing_lines, own_chain
from .eliminations import elimination_lines
from .options import Asked
from .parts import Part, labelled
from .presets import PRESETS, Point
from .provenance import circumstances, network_lines
from .result_tables import (
    beside_peers,
    built_lines,
    growth_table,
    measured_table,
    predicted_table,
    sweep_columns,
    sweep_legend,
    sweep_rows,
)

Parts = Iterator[Sequence[Part]]
BUILT = (
    "  built arrays: whole Jacobians and their products, followed one by one: the predicted peak.",
    "  structured and vjp build none, so none is followed: predicted is what they hold by rule.",
)
ALLOCATED = (
    "  allocated: all that the call allocates at its peak, Python's objects and scratch too.",
)
UNFINISHED = "  …: interrupted; the times are those of so many rounds"
PLANNED = (
    "  full, planned: the best order for each parameter's chain by itself; full, reverse is one",
    "  sweep that all parameters share, and can therefore take fewer multiplications.",
)
USED = (
    "  used: then multiplied from the left by a row v, Σ_k v[k] ∂z1[k]/∂W1: every entry is read.",
)
PRODUCTS = (
    "  products alone: np.matmul for every product. The compiled step can take less: it writes the",
    "  gradient of a weight by one example as an outer product, which is quicker than a matmul.",
)


def lines_of(asked: Asked, journal: Journal) -> Parts:
    """The parts of what is asked for, as soon as they are known."""
    if asked.preset:
        return preset(asked, journal)
    return sweep(asked, journal) if asked.sweep else card(asked, journal)


def card(asked: Asked, journal: Journal) -> Parts:
    """One network: predicted, measured, and why the order of multiplication matters."""
    case, room = asked.case(), terminal.width()
    state = case.run.forward_pass
    label = label_of_run(state, asked.dtype)
    workload = workload_of(case.run, label, asked.dtype)
    blank = blank_result(workload.run.forward_pass, label, GRADIENT)
    remarks = case.remarks or ("weights, x and y of the second seed's example",)
    costs, left = affordable(workload.run.forward_pass, asked.long)
    forecast = _agreed(asked, calls_of(label, costs, left))
    data = [Words(remark, label="data") for remark in remarks]
    yield [*labelled(network_lines(blank)), *data]
    yield labelled([*circumstances(asked), *forecast.lines()])
    told = [with_cost(replace(blank, subject=cost.route), cost) for cost in costs]
    yield ["", "predicted from the shapes: the gradient by every parameter"]
    yield [predicted_table(told, room), *PLANNED]
    orders = elimination_lines(workload.run.forward_pass, room)
    yield [*orders[:2], Lines(tuple(orders[2:]))]
    journal.beside = "vjp", "× vjp"
    rows = _timed(asked, workload, blank, route_subjects(workload), journal, costs, left)
    yield ["", "measured: the gradient by every parameter, the forward pass done before"]
    built = BUILT if any(row.built_bytes for row in rows) else ()
    yield [measured_table(rows, *journal.beside, room), *built, *ALLOCATED]
    journal.show()
    for point in _with_peers(asked, workload):
        yield ["", *_point(asked, point, journal)]
        journal.show()
    yield _peers(asked)
    own = own_chain(workload, asked.long)
    for head, *lines in filter(None, [own, bracketing_lines(bool(own))]):
        yield ["", head, Lines(tuple(lines))]


def sweep(asked: Asked, journal: Journal) -> Parts:
    """All routes at each size, and the exponents of growth."""
    if asked.sweep is None:
        return
    axis, rows, room = asked.sweep.axis, [], terminal.width()
    sizes, batch = asked.sweep.at(asked.sweep.sizes[0])
    small = asked.make([2] * len(sizes), batch and 2, "").run.forward_pass
    first = blank_result(small, f"from {label_of(sizes, batch, asked.dtype)}", "")
    planned = plan_sweep(asked.sweep, asked.make, asked.long)
    made = [point for point in planned if point.needed <= current_limit()]
    forecast = _agreed(
        asked, [c for p in made for c in calls_of(f"{axis} {p.size}", p.costs, p.left)]
    )
    yield [Words(f"of the {axis}; weights, x and y drawn", label="sweep")]
    yield labelled(network_lines(first, asked.options.seed))
    yield [*labelled(circumstances(asked)), *_peers(asked)]
    yield labelled(forecast.lines())
    journal.overhead = overheads(asked.sweep, asked.make, asked.timer)

    def timed(
        workload: Workload, blank: Result, costs: Sequence[RouteCost], left: Left
    ) -> list[Result]:
        subjects = route_subjects(workload)
        if asked.peers:
            steps = [compiled(workload), *(peer.gradient_subject(workload) for peer in asked.peers)]
            subjects += [replace(subject, quantity=STEP) for subject in steps]
        found = _timed(asked, workload, blank, subjects, journal, costs, left)
        if asked.peers:
            whole = replace(blank, quantity=f"∂{workload.output}/∂θ of each example, whole")
            found += _timed(asked, workload, whole, _whole_jacobians(asked, workload), journal)
        return found

    yield ["", *sweep_legend([peer.name for peer in asked.peers])]
    yield [sweep_columns(axis).table([], sweep_columns(axis).head(room))]
    for found in run_sweep(asked.sweep, planned, asked.make, asked.dtype, journal, timed):
        yield sweep_rows(found, room)
        journal.show()
        rows += found
    yield built_lines(rows)
    yield ["", *growth_table(axis, growths(axis, rows, journal.overhead), room)]


def _agreed(asked: Asked, calls: Sequence[Call]) -> Forecast:
    """What is to come; on a terminal, where someone waits, --yes is asked for if it is long.

    In a pipe it goes on, and says what it does before it does it.
    """
    forecast = Forecast(tuple(calls), asked.timer.rounds)
    if terminal.is_watched() and not asked.yes:
        forecast.require_yes()
    return forecast


def preset(asked: Asked, journal: Journal) -> Parts:
    """The points of a preset, one table each; where a size grows, its exponent."""
    drawn = f"{asked.preset}; weights, x and y drawn with seed {asked.options.seed}"
    yield [Words(drawn, label="preset")]
    yield [*labelled(circumstances(asked)), *_peers(asked)]
    for point in PRESETS[asked.preset or ""](asked.peers, asked.options.seed):
        yield ["", *_point(asked, point, journal)]
        journal.show()
    grown = growths("depth", journal.rows, {})  # no call at depth 1 was timed: nothing is taken off
    yield ["", *growth_table("depth", grown, terminal.width())] if grown else []


def _peers(asked: Asked) -> list[Words]:
    """Each peer that is asked for and not there."""
    return [Words(remark, label="peer") for remark in asked.remarks]


def unseen_parts(asked: Asked, journal: Journal) -> list[Part]:
    """After an interruption: the rows that are not on the screen, and what the others tell."""
    unseen, room = journal.rows[journal.shown :], terminal.width()
    lines: list[Part] = []
    if asked.sweep is not None:
        lines += sweep_rows(unseen, room)
        lines += [] if all(row.complete for row in unseen) else [UNFINISHED]
        lines += built_lines(journal.rows)
        found = growths(asked.sweep.axis, journal.rows, journal.overhead)
        fitted = [g for g in found if g.multiplications or g.seconds]
        lines += ["", *growth_table(asked.sweep.axis, fitted, room)] if fitted else []
        return lines
    for title in dict.fromkeys((row.quantity, row.task) for row in unseen):
        own = [row for row in unseen if (row.quantity, row.task) == title]
        lines += [f"{title[0]}: {title[1]}", measured_table(own, *journal.beside, room)]
    lines += [] if all(row.complete for row in unseen) else [UNFINISHED]
    return lines


def _point(asked: Asked, point: Point, journal: Journal) -> list[Part]:
    room = terminal.width()
    try:
        workload = point.make()
    except MemoryLimitError as error:
        row = refused_result(Result("", point.quantity, "network", point.axis, point.size), error)
        journal.rows.append(row)
        return [f"{point.quantity}: {row.refused}"]
    blank = blank_result(workload.run.forward_pass, workload.label, point.quantity)
    blank = replace(blank, axis=point.axis, size=point.size)
    subjects = point.subjects(workload)
    journal.beside = point.base, point.whose
    rows = _timed(asked, workload, blank, subjects, journal)
    lines: list[Part] = [*fold(f"{point.quantity}: {workload.label}", room)]
    lines.append(measured_table(rows, *journal.beside, room))
    named = {subject.name for subject in subjects}
    lines += USED if "zeros, placed, used" in named else ()
    lines += PRODUCTS if "products alone" in named else ()
    return lines + beside_peers(rows, [peer.name for peer in asked.peers])


def _with_peers(asked: Asked, workload: Workload) -> Iterator[Point]:
    """The whole step, forward pass included; with peers also the whole Jacobians."""

    def step(workload: Workload) -> list[Subject]:
        ours = [compiled(workload), run_and_vjp(workload)]
        return ours + [peer.gradient_subject(workload) for peer in asked.peers]

    def by_weights(workload: Workload) -> list[Subject]:
        return weight_jacobian(workload) + [
            p.weight_jacobian_subject(workload) for p in asked.peers
        ]

    def by_parameters(workload: Workload) -> list[Subject]:
        return parameter_jacobian(workload) + [
            p.parameter_jacobian_subject(workload) for p in asked.peers
        ]

    yield Point(STEP, lambda: workload, step, "compiled step", "× step")
    if asked.peers:
        name = "∂z1/∂W1 of the first example, whole"
        yield Point(name, workload.one_example, by_weights, "zeros, placed", "× placed")
        name = f"∂{workload.output}/∂θ of each example, whole"
        yield Point(name, lambda: workload, by_parameters, "materialise", "× ours")


def _whole_jacobians(asked: Asked, workload: Workload) -> list[Subject]:
    """∂f/∂θ by us and by the peers; a peer is not asked for what would not fit."""
    ours = parameter_jacobian(workload)[0]
    theirs = [peer.parameter_jacobian_subject(workload) for peer in asked.peers]
    return [ours, *(replace(subject, needs=ours.needs) for subject in theirs)]


def _timed(
    asked: Asked,
    workload: Workload,
    blank: Result,
    subjects: Sequence[Subject],
    journal: Journal,
    costs: Sequence[RouteCost] = (),
    left: Left | None = None,
) -> list[Result]:
    """The rows of one workload, with a progress bar on a terminal and plain lines elsewhere."""
    title = f"timing {workload.label}: {blank.quantity}"
    subjects = with_engine(asked.engine, subjects, workload)
    with (
        session(asked.peers, workload, asked.threads),
        terminal.progress(title) as progress,
    ):

        def reached(text: str) -> None:
            if progress is None:
                terminal.fail(text)

        reached(title)
        return measure(
            blank, subjects, journal, asked.timer, costs, progress, left=left, reached=reached
        )
