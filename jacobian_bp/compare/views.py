"""What `compare` shows: a cost card, a sweep, or a preset; each gives its lines as it goes."""

from collections.abc import Iterator, Sequence

from .. import terminal
from ..errors import MemoryLimitError
from .brackets import bracketing_lines
from .cost import RouteCost, cost_card
from .growth import growths
from .machine import blas_threads, machine, threads_line, versions
from .measure import Journal, measure, refused_row
from .options import Asked
from .peers import session
from .presets import PRESETS, Point
from .report import (
    beside_peers,
    growth_table,
    measured_table,
    predicted_table,
    sweep_head,
    sweep_line,
)
from .row import Row
from .subjects import (
    Subject,
    compiled,
    parameter_jacobian,
    route_subjects,
    run_and_vjp,
    weight_jacobian,
)
from .sweep import overheads, run_sweep
from .task import Task, label_of, sizes_of, task_of
from .timing import ROUNDS

Lines = Iterator[list[str]]


def view(asked: Asked, journal: Journal) -> Lines:
    """The lines of what is asked for, as soon as they are known."""
    if asked.preset:
        return preset(asked, journal)
    return sweep(asked, journal) if asked.sweep else card(asked, journal)


def card(asked: Asked, journal: Journal) -> Lines:
    """One network: predicted, measured, and why the order of multiplication matters."""
    case = asked.case()
    sizes, x = sizes_of(case.run), case.run["x"]
    label = label_of(sizes, len(x) if x.ndim == 2 else None, asked.dtype)
    task = task_of(case.run, label, asked.dtype)
    costs = cost_card(task.run)
    yield [f"network   {label}", *(f"data      {remark}" for remark in case.remarks)]
    yield _circumstances(asked)
    blank = Row(label, "gradient", "", dtype=asked.dtype)
    rows = _timed(asked, task, blank, route_subjects(task), journal, costs)
    yield ["", "predicted from the shapes: the gradient by every parameter", *predicted_table(rows)]
    head = "measured: the gradient by every parameter, the forward pass done before"
    yield ["", head, *measured_table(rows, "vjp", "of vjp")]
    journal.show()
    for point in _with_peers(asked, task):
        yield ["", *_point(asked, point, journal)]
        journal.show()
    yield [f"peer      {remark}" for remark in asked.remarks]
    yield ["", *bracketing_lines()]


def sweep(asked: Asked, journal: Journal) -> Lines:
    """All routes at each size, and the exponents of growth."""
    if asked.sweep is None:
        return
    axis, rows = asked.sweep.axis, []
    smallest = label_of(*asked.sweep.at(asked.sweep.sizes[0]), asked.dtype)
    yield [f"sweep     of the {axis}, from {smallest}; weights, x and y drawn"]
    yield [*_circumstances(asked), *(f"peer      {remark}" for remark in asked.remarks)]
    overhead = overheads(asked.sweep, asked.make, asked.timer)

    def timed(task: Task, blank: Row, costs: Sequence[RouteCost]) -> list[Row]:
        subjects = route_subjects(task)
        if asked.peers:
            subjects += [compiled(task), *(peer.gradient_subject(task) for peer in asked.peers)]
        return _timed(asked, task, blank, subjects, journal, costs)

    yield ["", sweep_head(axis)]
    for found in run_sweep(asked.sweep, asked.make, asked.dtype, journal, timed):
        base = next((row for row in found if row.subject == "vjp" and row.minimum), None)
        yield [sweep_line(row, base) for row in found]
        journal.show()
        rows += found
    yield ["", *growth_table(axis, growths(axis, rows, overhead))]


def preset(asked: Asked, journal: Journal) -> Lines:
    """The points of a preset, one table each."""
    yield [f"preset    {asked.preset}"]
    yield [*_circumstances(asked), *(f"peer      {remark}" for remark in asked.remarks)]
    for point in PRESETS[asked.preset or ""](asked.peers, asked.options.seed):
        yield ["", *_point(asked, point, journal)]
        journal.show()


def _point(asked: Asked, point: Point, journal: Journal) -> list[str]:
    try:
        task = point.make()
    except MemoryLimitError as error:
        row = refused_row(Row("", point.quantity, "network", point.axis, point.size), error)
        journal.rows.append(row)
        return [f"{point.quantity}: {row.refused}"]
    blank = Row(task.label, point.quantity, "", point.axis, point.size, str(task.dtype))
    rows = _timed(asked, task, blank, point.subjects(task), journal)
    title = f"{point.quantity}: {task.label}"
    peers = beside_peers(rows, [peer.name for peer in asked.peers])
    return [title, *measured_table(rows, point.base, point.whose), *peers]


def _with_peers(asked: Asked, task: Task) -> Iterator[Point]:
    """The whole step, forward pass included; with peers also the whole Jacobians."""

    def step(task: Task) -> list[Subject]:
        ours = [compiled(task), run_and_vjp(task)]
        return ours + [peer.gradient_subject(task) for peer in asked.peers]

    def by_weights(task: Task) -> list[Subject]:
        return weight_jacobian(task) + [p.weight_jacobian_subject(task) for p in asked.peers]

    def by_parameters(task: Task) -> list[Subject]:
        return parameter_jacobian(task) + [p.parameter_jacobian_subject(task) for p in asked.peers]

    name = "cost and all gradients, forward pass included"
    yield Point(name, lambda: task, step, "compiled step", "of that")
    if asked.peers:
        name = "∂z1/∂W1 of the first example, whole"
        yield Point(name, task.one_example, by_weights, "zeros, placed", "of placed")
        name = f"∂{task.output}/∂θ of each example, whole"
        yield Point(name, lambda: task, by_parameters, "materialise", "of that")


def _timed(
    asked: Asked,
    task: Task,
    blank: Row,
    subjects: Sequence[Subject],
    journal: Journal,
    costs: Sequence[RouteCost] = (),
) -> list[Row]:
    """The rows of one task, with a progress bar on a terminal."""
    with (
        session(asked.peers, task, asked.threads),
        terminal.progress(f"timing {task.label}") as report,
    ):
        return measure(blank, subjects, journal, asked.timer, costs, report)


def _circumstances(asked: Asked) -> list[str]:
    """What the times depend on, and how they were taken."""
    here, packages = machine(), versions(tuple(peer.name for peer in asked.peers))
    named = ", ".join(f"{name} {version}" for name, version in packages.items())
    rounds = f"{asked.timer.rounds or ROUNDS}"
    return [
        f"machine   {here['processor']}; {threads_line()}",
        f"versions  {named}; {here['blas']}",
        f"timing    {rounds} rounds by turns after calls to warm up; spread: interquartile range",
    ]


def facts(asked: Asked) -> dict[str, object]:
    """What the results were measured on, for a file."""
    return {
        "measured": asked.preset or ("sweep" if asked.sweep else "card"),
        "versions": versions(tuple(peer.name for peer in asked.peers)),
        "machine": machine(),
        "threads": blas_threads(),
        "seed": asked.options.seed,
        "repeats": asked.timer.rounds or ROUNDS,
        "not_there": list(asked.remarks),
    }
