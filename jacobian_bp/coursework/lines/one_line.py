"""diagnose_line: where one line of a student's numpy breaks, and what was meant."""

from collections.abc import Sequence
from typing import Any

from ...derivation.convention import Convention
from ...errors import JacobianError, SpecError
from ...network.run import Run
from ...numbers.arrays import quiet
from ...numbers.memory import current_limit, memory_limit
from ...program.forward_pass import Pass
from ...writing.signs import safe, type_of
from ..diagnosis.asked_convention import Asked, asked_convention
from .explanation import Explanation
from .inner_names import inside_of, longer_passes
from .inner_readings import is_unknown_inside
from .laid_out import Told
from .language import Statement, read_line
from .line_report import LineReport
from .readings import readings
from .spelling import Spelling
from .tree import names
from .workspace import Workspace

LARGEST = 2**30
MOST_READINGS = 4  # whose corrections are looked for
LAYOUTS = ("rows", "columns")


@quiet
def diagnose_line(
    line: str,
    run: Run,
    target: str | None = None,
    examples: str | None = None,
    convention: Asked | None = None,
) -> LineReport:
    """Read one line of numpy on the right values of a run, and say what becomes of it.

    The line reads x, y, z1, a1, W1, b1, …; d2, delta2 or dZ2 for the delta ∂J/∂z2; p for
    the output, m for the number of examples; and the names of courses, self.W1, cache["A1"],
    activations[-2], sigmoid_prime(z1). It is parsed, never run by Python.
    `target` names what it is meant for: "z2" for the delta of layer 2, "W2" for the
    gradient of W2; without one, the name left of the = sign says it, as in
    "dW2 = d2.T @ a1" or "da1_dz1 = 1 - a1**2", or else the factors suggest it. With
    examples="columns" data and deltas stand as (units, examples). A `convention`, a Convention or
    the name of a ready-made one or of a file, says that and more: the names, W (inputs, outputs),
    the 1/m in the deltas or in the gradients, the bias as a column of W. Without one either place
    of the 1/m is read, and a dTheta2 that is a column wider than W2 has its bias in it.

    >>> import numpy as np
    >>> from jacobian_bp import Network
    >>> net = Network.dense([5, 3, 2], "tanh", seed=0)
    >>> run = net.run(np.ones((7, 5)), np.zeros((7, 2)))
    >>> print(diagnose_line("dW2 = d2 @ a1.T", run).meant)
    d2.T @ a1

    Raises SpecError for what is no such line, DomainError for a run without a cost.
    """
    if not isinstance(run, Run):
        raise SpecError(
            f"diagnose_line: the run is {type_of(run)}, not a run.\n"
            "  Pass what net.run(x, y) gives."
        )
    if examples is not None and examples not in LAYOUTS:
        raise SpecError(
            f"diagnose_line: examples is {safe(repr(examples))[:40]}.\n"
            '  Write "rows" or "columns": where the examples of a batch stand.'
        )
    written = asked_convention(convention, run, "diagnose_line")
    if written is not None and examples not in (None, written.examples):
        raise SpecError(
            f"diagnose_line: examples is {examples!r}, and the convention has them in "
            f"{written.examples}.\n  Leave one of the two out."
        )
    if written is not None:
        spelling = Spelling(written, run.forward_pass)
        statement = read_line(spelling.ours(line))
        asked = spelling.ours(target) if isinstance(target, str) else target
        told = told_by(written, run.forward_pass)
    else:
        spelling, asked = None, target
        statement, told = read_line(line), Told(columns=examples == "columns")
    with memory_limit(min(current_limit(), LARGEST)):
        try:
            report = explained(statement, workspaces(statement, run, told, asked), asked)
        except SpecError as error:
            raise SpecError(spelling.said(str(error)) if spelling else str(error)) from None
    return spelling.theirs(report) if spelling else report


def told_by(written: Convention, state: Pass) -> Told:
    """How a line's arrays stand, as a convention says it."""
    apart = written.mean == "gradient" and state.program.averages and bool(state.batched)
    return Told(
        columns=written.examples == "columns",
        turned=written.weights == "in,out",
        written=True,
        mean=written.mean or "",
        of_each=apart,
        bias=written.bias,
    )


def workspaces(
    statement: Statement, run: Run, told: Told, target: Any = None
) -> list[tuple[Run, Workspace]]:
    """The run as the line reads it, with the formulas written out inside which it names a value."""
    plain = Workspace(run.forward_pass, run._tied, told)
    words = [*names(statement.tree), statement.target, target if isinstance(target, str) else ""]
    with_own = plain.read_as(inside_x=True)
    unknown = [word for word in words if word and with_own.is_unknown(word)]
    longer = [
        (other, Workspace(other.forward_pass, run._tied, told, inside_of(run.forward_pass, inside)))
        for other, inside in longer_passes(run, unknown)
    ]
    read = names(statement.tree)
    known = [pair for pair in longer if not any(is_unknown_inside(pair[1], word) for word in read)]
    return known or longer[:1] or [(run, plain)]


def explained(
    statement: Statement, spaces: Sequence[tuple[Run, Workspace]], target: str | None = None
) -> LineReport:
    """The report in the first reading in which the line is right, else in the nearest one."""
    found: list[Explanation] = []
    for run, workspace in spaces:
        for reading in readings(statement, workspace, target):
            one = Explanation(statement, run, reading)
            if one.is_right:
                return one.report()
            found += [] if reading.far else [one]
    nearest = min(found[:MOST_READINGS], key=lambda one: one.distance)
    run, workspace = spaces[0]
    nearest.other_layout = _other_layout(statement, run, workspace, target)
    return nearest.report()


def _other_layout(statement: Statement, run: Run, workspace: Workspace, target: str | None) -> str:
    """A sentence where the line is right with the examples, or W, the other way round."""
    columns, turned = workspace.told.columns, workspace.told.turned
    for told in ((not columns, turned), (columns, not turned), (not columns, not turned)):
        other = workspace.read_as(columns=told[0], turned=told[1])
        try:
            ways = readings(statement, other, target)
            right = any(Explanation(statement, run, reading).is_right for reading in ways)
        except JacobianError:
            continue
        if right:
            return _layout_words(workspace, other)
    return ""


def _layout_words(workspace: Workspace, other: Workspace) -> str:
    words = []
    if other.columns != workspace.columns:
        if workspace.columns:
            words.append("the examples in rows")
        elif workspace.is_batch:
            words.append("the examples in columns, arrays (units, examples),")
        else:
            words.append("one example as a column, arrays (units, 1),")
    if other.told.turned != workspace.told.turned:
        sides = "(inputs, outputs)" if other.told.turned else "(outputs, inputs)"
        words.append(f"W {sides}")
    very = " very" if workspace.columns and len(words) == 1 and other.columns is False else ""
    return f"With {' and '.join(words)} this{very} line is right."
