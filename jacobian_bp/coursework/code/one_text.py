"""diagnose_code: which line of a student's backward function is the first wrong one."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from ...derivation.convention import Convention
from ...network.run import Run
from ...numbers.arrays import quiet
from ...writing.signs import safe, type_of
from ..diagnosis.asked_convention import Asked, asked_convention
from ..lines.spelling import Spelling
from .beside import with_updates_beside
from .cells import StudiedCell
from .code_report import CodeReport
from .in_words import InWords
from .limits import NotReadError, TooMuchError, refuse, shown, with_line
from .normalisation import studied_norm
from .one_op import StudiedOp
from .parsing import Parsed, parse
from .readings import Readings
from .sequences import for_text, studied_cells
from .studied import Studied, studied_run


@quiet
def diagnose_code(
    text: str,
    run: Run,
    convention: Asked | None = None,
    let: Mapping[str, float] | None = None,
    function: str | None = None,
) -> CodeReport:
    """Read a backward function on the right values of a run, and name its first wrong line.

    The text is parsed and walked by a fixed list of what is read, never run by Python. Names may
    be any that say what they are (dZ2, self.W1, cache["A1"], grads["dW1"], nabla_w[-2]); rows or
    columns and the order of W are told from the lines, unless a `convention` says them: a
    Convention, or the name of a ready-made one or of a file, with names and the place of the 1/m.
    A text for one example at a time is right without a 1/m. Of a run with one BatchNorm or
    LayerNorm it is the function of that op: x, gamma, beta, eps and dout to out, dx, dgamma, dbeta;
    of a recurrent cell that of the step, x, prev_h, Wx, Wh, b and dnext_h to next_h, dx, …, or of
    several steps, one after the other.
    `let` gives numbers to names, such as {"reg": 0.01}; `function` picks one of several.

    >>> import numpy as np
    >>> from jacobian_bp import Network
    >>> net = Network.dense([3, 4, 2], "tanh", "half_squared_error", seed=0)
    >>> run = net.run(np.ones((5, 3)), np.zeros((5, 2)))
    >>> report = diagnose_code(TEXT, run)
    >>> report.right, report.first_wrong
    (False, 3)
    >>> report.lines[2].meant
    'dZ1 = dZ2 @ W2 * (1 - A1 ** 2)'

    Raises SpecError for a text that is not read, DomainError for a run without a cost.
    """
    studied = _studied(run) if isinstance(run, Run) else studied_run(run)
    numbers = _numbers(let)
    written = asked_convention(convention, run, "diagnose_code")
    if written is None:
        return _report(text, studied, None, numbers, function)
    spelling = Spelling(written, studied.state, "diagnose_code")
    bare = Convention(written.examples, written.weights, written.mean, written.bias)
    report = _report(spelling.ours(text), studied, bare, numbers, function)
    return in_their_words(report, spelling, text)


def in_their_words(report: CodeReport, spelling: Spelling, text: str) -> CodeReport:
    """The report in the names of the text's convention; its lines as they stand in the text."""
    said, lines = spelling.said, text.expandtabs(4).split("\n")
    return replace(
        report,
        lines=tuple(
            replace(
                line,
                text=lines[line.number - 1].strip(),
                stands_for=said(line.stands_for),
                meant=line.meant and said(line.meant),
                sentences=tuple(map(said, line.sentences)),
            )
            for line in report.lines
        ),
        convention=spelling.written,
        sentences=tuple(map(said, report.sentences)),
        ask=report.ask and said(report.ask),
        text=text.expandtabs(4),
    )


def _report(
    text: str,
    studied: Studied | StudiedOp,
    convention: Convention | None,
    numbers: dict[str, float],
    function: str | None,
) -> CodeReport:
    """The report on a text and its updates; on what it does for each example, if that is wrong."""
    report, parsed = _read(text, studied, convention, numbers, function)
    if parsed.inner and not report.right:
        alone, _ = _read(text, studied, convention, numbers, parsed.inner)
        return alone if alone.right is False and alone.first_wrong else report
    if function is not None or parsed.function is None or isinstance(studied, StudiedOp):
        return report

    def read(name: str) -> CodeReport:
        return _read(text, studied, convention or report.convention, numbers, name)[0]

    return with_updates_beside(report, parsed, read)


def _read(
    text: str,
    studied: Studied | StudiedOp,
    convention: Convention | None,
    numbers: dict[str, float],
    function: str | None,
) -> tuple[CodeReport, Parsed]:
    """The best reading of a text that has our names, put into words, and the text as parsed."""
    parsed = parse(text, function, isinstance(studied, StudiedOp))
    if isinstance(studied, StudiedCell):
        studied = for_text(studied, parsed)
    readings = Readings(parsed, studied, convention, numbers)
    try:
        best, as_good = readings.best()
        if numbers and (best is None or best.score[0]):  # a number of let may be a penalty's
            penalised = Readings(parsed, studied, convention, numbers, frozenset(numbers))
            other, as_good_too = penalised.best()
            if other and (best is None or other.score < best.score):
                readings, best, as_good = penalised, other, as_good_too
        own = best and best.layout.convention.bias == "own" and isinstance(studied, Studied)
        if best and own and best.score[0] and not BIAS.search("\n".join(parsed.lines)):
            bare = Readings(parsed, studied.without_biases(), convention, numbers)
            other, as_good_too = bare.best()
            if other and other.score < best.score:
                readings, best, as_good = bare, other, as_good_too
        if best is None:
            what = with_line(readings.error or NotReadError("the text"))
            refuse(f"{shown(what, 80)}: this is not read.")
        report = InWords(parsed, readings, best, as_good, studied.own, text, bool(function)).made()
    except TooMuchError as error:
        refuse(f"the text asks for too much: {with_line(error)}", error.instead)
    return report, parsed


def _studied(run: Run) -> Studied | StudiedOp:
    """The dense network of a run, its one normalisation, or its one recurrent cell."""
    state = run.forward_pass
    return studied_norm(state) or studied_cells(state) or studied_run(run)


BIAS = re.compile(r"\b(?:\w*_)?d?b_?\d*\b|bias|nabla_b|db", re.IGNORECASE)
TEXT = """\
dZ2 = (A2 - Y) * (1 - A2 ** 2) / m
dW2 = dZ2.T @ A1
dZ1 = dZ2 @ W2 * (1 - Z1 ** 2)
dW1 = dZ1.T @ X
"""


def _numbers(let: object) -> dict[str, float]:
    if let is None:
        return {}
    if not isinstance(let, Mapping):
        refuse(f"let is {type_of(let)}.", '  Write let={"reg": 0.01}.')
    found = {}
    for name, value in let.items():
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if (
            not isinstance(name, str)
            or not name.isidentifier()
            or not good
            or not math.isfinite(value)
        ):
            refuse(
                f"let has {safe(repr(name))[:40]}: {safe(repr(value))[:40]}.",
                '  Give a number to a name of the text, as in let={"reg": 0.01}.',
            )
        found[name] = float(value)
    return found
