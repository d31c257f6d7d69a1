"""The line of a value inside a formula, forward and backward, as a course writes it.

var = np.mean(squared, axis=0)        dvar = dvar_eps
x_hat = xmu * ivar                    divar = np.sum(dx_hat * xmu, axis=0)
"""

from collections.abc import Iterator

from ...ops import Add, Divide, Exp, Mean, Multiply, Power, Sqrt, Subtract, Sum, Tanh
from ...program.step import Step
from ...writing.signs import number
from .goal import Goal
from .workspace import Workspace

SIGNS = {Add: "+", Subtract: "-", Multiply: "*", Divide: "/"}
FUNCTIONS = {Sqrt: "np.sqrt", Exp: "np.exp", Tanh: "np.tanh"}
REDUCTIONS = {Mean: "np.mean", Sum: "np.sum"}


def inner_lines(goal: Goal, workspace: Workspace) -> Iterator[str]:
    """Lines for a goal inside a formula: its own step's, or what comes back through its readers."""
    across = workspace.inside.across
    if not {goal.value, *_readers(goal.value, workspace)} & {*across}:
        return
    if goal.forward:
        step = workspace.state.step(goal.value)
        line = _forward(step, workspace) if step else None
        yield from [line] if line else []
        return
    readers = [goal.through] if goal.through else _readers(goal.value, workspace)[::-1]
    shares = [_share(goal.value, reader, workspace) for reader in readers]
    if shares and all(shares):
        yield " + ".join(map(str, shares))


def _readers(value: str, workspace: Workspace) -> list[str]:
    return [step.name for step in workspace.state.program.steps if value in step.args]


def _forward(step: Step, workspace: Workspace) -> str | None:
    kind, op = type(step.op), step.op
    if kind in SIGNS:
        return f" {SIGNS[kind]} ".join(op.written_operands(step.args))
    if kind in FUNCTIONS:
        return f"{FUNCTIONS[kind]}({step.args[0]})"
    if isinstance(op, Power):
        return f"{step.args[0]}**{number(op.p)}"
    if kind in REDUCTIONS:
        return f"{REDUCTIONS[kind]}({step.args[0]}{_along(step.args[0], step.name, workspace)})"
    return None


def _share(value: str, reader: str, workspace: Workspace) -> str | None:
    """What comes back to a value through one step that reads it, added up where it is shared."""
    step = workspace.state.step(reader)
    behind = _readers(reader, workspace)
    if step and type(step.op) is Add and step.op.numbers and len(behind) == 1:
        return _share(reader, behind[0], workspace)  # var + eps: what comes back is the same
    passed = _passed(value, step, workspace) if step else None
    lacks = len(workspace.meanings.of[value]) < len(workspace.meanings.of[reader])
    if passed is None or not lacks:
        return passed
    return f"np.sum({passed}{_along(reader, value, workspace)})"


def _passed(value: str, step: Step, workspace: Workspace) -> str | None:
    """The derivative of a step's value, times the step's own slope."""
    kind, op, first = type(step.op), step.op, step.args[0]
    d = f"d{_as_added(step.name, workspace)}"
    operands = op.written_operands(step.args) if kind in SIGNS else step.args
    is_second = kind in SIGNS and operands[0] != value
    other = operands[0] if is_second else operands[-1]
    own = f"({value})" if value.startswith("-") else value
    if kind in (Add, Subtract):
        return f"-{d}" if kind is Subtract and is_second else d
    if kind is Multiply:
        return f"{d} * {other}"
    if kind is Divide:
        return f"-{d} * {other} / {own}**2" if is_second else f"{d} / {other}"
    if isinstance(op, Power):
        rest = {1.0: "", 2.0: f" * {own}"}.get(op.p, f" * {own}**{number(op.p - 1)}")
        return f"{number(op.p)} * {d}{rest}"
    if kind is Sqrt:
        return f"{d} / (2 * {step.name})"
    if kind is Exp:
        return f"{d} * {step.name}"
    if kind is Tanh:
        return f"{d} * (1 - {step.name}**2)"
    if kind in REDUCTIONS:
        count = f" / {_count(first, step.name, workspace)}" if kind is Mean else ""
        return f"ones_like({first}) * {d}{count}"
    return None


def _as_added(value: str, workspace: Workspace) -> str:
    """The sum behind a value that is read by an addition alone: its derivative is the same."""
    behind = _readers(value, workspace)
    step = workspace.state.step(behind[0]) if len(behind) == 1 else None
    if step is None or type(step.op) is not Add or value not in workspace.inside.across:
        return value
    same = len(workspace.meanings.of[value]) == len(workspace.meanings.of[step.name])
    return _as_added(step.name, workspace) if same else value


def _lacking(whole: str, part: str, workspace: Workspace) -> list[int]:
    """The places of the axes of one value that another does not have."""
    names = {axis.name for axis in workspace.meanings.of[part]}
    axes = workspace.axes(whole)
    return [place for place, axis in enumerate(axes) if axis.name not in names]


def _along(whole: str, part: str, workspace: Workspace) -> str:
    places = _lacking(whole, part, workspace)
    axis = places[0] if len(places) == 1 else tuple(places)
    kept = workspace.told.kept or workspace.columns
    return f", axis={axis}{', keepdims=True' if kept else ''}"


def _count(whole: str, part: str, workspace: Workspace) -> str:
    sizes = [f"{whole}.shape[{place}]" for place in _lacking(whole, part, workspace)]
    return sizes[0] if len(sizes) == 1 else f"({' * '.join(sizes)})"
