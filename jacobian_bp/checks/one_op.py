"""Is one op right? Its Jacobian, its VJP and finite differences, over every entry.

The VJP is swept over the basis of the output, so that each gives the whole
array ∂out/∂in; where two differ, finite differences say which one is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..algebra.axes import BATCH
from ..errors import JacobianError, SpecError
from ..numbers.arrays import entry, for_reading, quiet
from ..numbers.rounding import UNITS, differing, largest, scales, unit_roundoff
from ..ops import Op
from ..program.forward import run_forward
from ..program.forward_pass import Pass
from ..program.making_ops import make_op
from ..program.program import Program
from ..program.step import Step
from ..routes.full import require_dense
from ..writing.notebook import page
from ..writing.shown import Printed
from ..writing.signs import bound, dims, for_stream, number, plural, safe, to_ascii, type_of
from .conditioning import (
    DIFFERENCE,
    UNSURE,
    Beside,
    passed,
    past_the_largest,
    sums_of_terms,
    untold,
)
from .kinks import count_on_kinks, excused
from .op_facts import judged_facts
from .op_slopes import Slopes, whole_jacobian
from .patterns_of_mistakes import ONE_ENTRY, describe_pattern
from .second_slopes import check_second

VJP_HINT = (
    'return a dict such as {"x": slope * bar}; in a batch index from the right: bar[..., None]'
)


@dataclass(frozen=True)
class Disagreement:
    """One input by which the op's derivatives differ: where, what each says, and the pattern.

    Of a rule that gives nothing to compare, `entry` is what it is refused for, without values.
    """

    input: str
    entry: str
    values: tuple[tuple[str, float], ...]
    wrong: str
    count: str
    pattern: str

    def __str__(self) -> str:
        says = ", ".join(f"{who} {number(value, 10)}" for who, value in self.values)
        lines = [f"{self.entry}: " * bool(self.entry) + (says or self.wrong)]
        if says:
            lines.append(f"{self.wrong}; {self.count}")
        if self.pattern:
            lines.append(self.pattern)
        return "\n    ".join(lines)


@dataclass(frozen=True, repr=False)
class OpReport(Printed):
    """What `check_op` found; `.ok`, and a table when printed."""

    op: str
    lines: tuple[str, ...]
    findings: tuple[Disagreement, ...]

    @property
    def ok(self) -> bool:
        return not self.findings

    def text(self, ascii_only: bool = False) -> str:
        found = [f"  {x}" for x in (*self.findings, *self.lines)]
        text = "\n".join([self._verdict, *found])
        return to_ascii(text) if ascii_only else text

    def __str__(self) -> str:
        return for_stream(self.text())

    def __repr__(self) -> str:
        return f"<OpReport on {self._verdict}>"

    def _repr_html_(self) -> str:
        return page("", self.text().split("\n"))

    @property
    def _verdict(self) -> str:
        return f"{self.op}: " + ("the three derivatives agree" if self.ok else "WRONG")


def check_op(
    op: Op | type[Op], arrays: Mapping[str, Any], *, axes: Mapping[str, str] | None = None
) -> OpReport:
    """Compare an op's Jacobian, its VJP and finite differences, entry by entry.

    Then its second(), where it has one, with differences of its Jacobians, and what the op says
    of itself, such as a kernel or a peer's rule, with these.
    `arrays` has one array for each input of the signature; data with one axis
    more is a batch, and several axes in front have the names in `axes`, {"a": "n,t"}.
    On a kink any slope between the one-sided ones is right. An op with options is
    given made: check_op(LeakyReLU(slope=0.1), …). Raises SpecError for a missing or
    unknown input, AxisError for shapes, and JacobianError for an op without forward,
    jacobians or vjp.

    >>> from jacobian_bp import Linear
    >>> W, b = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]), np.array([0.5, -1.0])
    >>> check_op(Linear, {"a": [1.0, -2.0, 0.5], "W": W, "b": b}).ok
    True
    """
    made = make_op(op, "op")
    for method in made.undefined():
        raise JacobianError(made.lacks(method))
    if isinstance(arrays, Mapping) and len(arrays) > len(made.parsed.inputs):
        made = made.reading(len(arrays))
    signature = made.parsed
    names = [operand.name for operand in signature.inputs]
    if not isinstance(arrays, Mapping):
        raise SpecError(
            f"arrays is {type_of(arrays)}, not a mapping of inputs to arrays.\n"
            f"  {made.name} reads {', '.join(names)}: give one array for each."
        )
    while len(names) > signature.least and names[-1] not in arrays:
        names.pop()  # it may be left out
    made = made.reading(len(names))
    wrong = [n for n in names if n not in arrays] + [n for n in arrays if n not in names]
    if wrong:
        raise SpecError(
            f"{made.name} reads {', '.join(names)}; arrays has {', '.join(map(safe, arrays))}.\n"
            "  Give one array for each input of the signature."
        )
    out = signature.output.name
    step = Step(out if out not in names else f"{out}_out", made, tuple(names))
    state = run_forward(Program.build([step], []), {}, arrays, axes, "check_op")
    if not state.program.steps:
        return OpReport(made.name, ("nothing to check: it gives what it reads",), ())
    (step,) = state.program.steps
    report = check_step(state, step)
    if not report.ok:
        return report
    lines, wrong = check_second(state, step)
    refused = tuple(Disagreement("", "", (), sentence, "", pattern) for sentence, pattern in wrong)
    not_judged, findings = _facts(state, step)
    return replace(report, lines=(*report.lines, *lines, *not_judged), findings=findings + refused)


@quiet
def check_step(state: Pass, step: Step) -> OpReport:
    """`check_op` for one step of a network, at the values of the pass."""
    swept, findings = _sweep(state, step)
    terms = _terms(state, step, swept)
    lines = []
    for position in sorted(swept):
        name = f"∂{step.name}/∂{step.args[position]}"
        try:
            jacobian = whole_jacobian(state, step, position)
            sums = sums_of_terms(state, step, position)
        except JacobianError as error:
            said = f"jacobians() is refused. {error}"
            findings.append(replace(_refused(name, said), entry=""))  # the error says of what
            continue
        except Exception as error:  # whatever a user's own op raises
            findings.append(_refused(name, f"jacobians() raises {_words(error)}"))
            continue
        comparison = _Comparison(
            name,
            jacobian,
            swept[position],
            sums,
            Slopes(state, step, position, terms),
            Beside(partial(_slopes_at, step, position, terms), state, step),
            unit_roundoff(state.dtype),
            float(np.finfo(state.dtype).smallest_subnormal),
            state.binding(step).sizes.get(BATCH, 1),
            state.dtype,
        )
        found = _compare(comparison)
        if isinstance(found, Disagreement):
            findings.append(found)
        else:
            lines.append(found)
    return OpReport(step.title, tuple(lines), tuple(_each_once(findings)))


@quiet
def _facts(state: Pass, step: Step) -> tuple[list[str], tuple[Disagreement, ...]]:
    """What the op says of itself: lines on what is not judged, and what it does not compute."""
    facts = judged_facts(step.op, tuple(state.inputs_of(step)), state.values[step.name])
    wrong = [*facts.wrong, *_stands_elsewhere(state, step)]
    return facts.not_judged, tuple(Disagreement("", "", (), says, "", "") for says in wrong)


def _stands_elsewhere(state: Pass, step: Step) -> list[str]:
    """A sentence for the first range of support() outside which the value is other than 0."""
    value, names = state.values[step.name], state.names[step.name]
    sizes = dict(zip(names, value.shape, strict=True))
    for stands in state.support(step.name):
        outside = ~np.broadcast_to(stands.holds(stands.position.values(names, sizes)), value.shape)
        wrong = np.argwhere(outside & (value != 0))
        if len(wrong):
            at = tuple(int(i) for i in wrong[0])
            given = number(float(value[at]), 6)
            return [f"support() says {stands}; forward() gives {given} at {entry('', at)}"]
    return []


def _terms(state: Pass, step: Step, swept: Mapping[int, np.ndarray]) -> np.ndarray:
    """Σ |slope · input| over all entries of all inputs: what a value that cancels is the sum of."""
    found = np.zeros(state.values[step.name].shape)
    for position, slopes in swept.items():
        x = state.values[step.args[position]].astype(np.float64)
        terms = np.abs(slopes * x).reshape(*found.shape, -1)
        found += np.where(np.isfinite(terms), terms, 0).sum(axis=-1)
    return found


def _slopes_at(step: Step, position: int, terms: np.ndarray, moved: Pass) -> Slopes:
    """The slopes at a pass whose inputs are moved."""
    return Slopes(moved, step, position, terms)


@dataclass(frozen=True, eq=False)
class _Comparison:
    """∂out/∂input by the op's two rules, and what judges between them."""

    name: str
    jacobian: np.ndarray
    swept: np.ndarray
    sums: np.ndarray  # Σ|terms| of its entries
    slopes: Slopes
    beside: Beside
    unit: float  # roundoff of the op's dtype
    spacing: float  # of its subnormals: below them a number has fewer digits
    examples: int
    precision: np.dtype  # of the op's numbers


def _sweep(state: Pass, step: Step) -> tuple[dict[int, np.ndarray], list[Disagreement]]:
    """∂out/∂input for each input, one row of it for each basis vector of the output."""
    values, shape = state.inputs_of(step), state.values[step.name].shape
    wanted = {position: operand for position, operand, _ in step.variables}
    swept: dict[int, np.ndarray] = {}
    findings: dict[int, Disagreement] = {}
    for index in np.ndindex(shape):
        bar = np.zeros(shape, state.dtype)
        bar[index] = 1
        try:
            pulled = step.op.vjp(for_reading(bar), *values)
            problem = "" if isinstance(pulled, Mapping) else f"gives {type_of(pulled)}"
        except Exception as error:  # whatever a user's own op raises
            problem = f"raises {_words(error)}"
        if problem:
            names = [f"∂{step.name}/∂{step.args[position]}" for position in wanted]
            return {}, [_refused(name, f"vjp() {problem}", VJP_HINT) for name in names]
        for position, operand in wanted.items():
            name = f"∂{step.name}/∂{step.args[position]}"
            if position in findings:
                continue
            if operand not in pulled:
                given = ", ".join(pulled) or "none"
                text = f"vjp() gives nothing for {operand}; it gives {given}"
                findings[position] = _refused(name, text)
                continue
            row, expected = np.asarray(pulled[operand]), values[position].shape
            if row.shape != expected:
                text = f"vjp()[{operand!r}] has shape {dims(row.shape)}, "
                text += f"{step.args[position]} has shape {dims(expected)}"
                unsummed = row.ndim and row.shape[1:] == expected
                hint = "the examples are not summed: use over_batch()" if unsummed else ""
                findings[position] = _refused(name, text, hint)
                continue
            if position not in swept:
                require_dense(name, (*shape, *expected), state.dtype)
                swept[position] = np.zeros((*shape, *expected), state.dtype)
            swept[position][index] = row
    return {p: array for p, array in swept.items() if p not in findings}, list(findings.values())


def _compare(c: _Comparison) -> Disagreement | str:
    """A finding, or one line that says how well the three agree."""
    differences, doubt = c.slopes.whole()
    entries = np.fmax(np.abs(c.jacobian), np.abs(c.swept))  # a NaN is no scale
    sums = np.where(np.isfinite(c.sums), c.sums, 0)
    scale, noise = np.maximum(scales(entries, c.unit), sums), UNITS * c.unit
    floor = UNITS * c.spacing
    rounding = noise * np.fmax(4 * entries, scale) + floor
    rules_differ = differing(c.jacobian, c.swept, rounding)
    loose = doubt + DIFFERENCE * np.maximum(entries, np.abs(differences)) + noise * scale + floor
    off = {
        "jacobians()": differing(c.jacobian, differences, loose),
        "vjp()": differing(c.swept, differences, loose),
    }
    exact, seen, held, coarse, refuted = count_on_kinks(c.slopes), 0, 0, 0, False
    endless = _endless(c)
    nonfinite = ~(np.isfinite(c.jacobian) & np.isfinite(c.swept)) & ~endless
    beyond = passed(c.slopes, nonfinite, c.sums, c.precision)
    numbers = ~endless & ~beyond
    judged = np.isfinite(differences) & numbers
    rules_differ &= numbers
    off = {who: flags & numbers for who, flags in off.items()}
    for index in np.argwhere(off["jacobians()"] | off["vjp()"]):
        at = tuple(int(i) for i in index)
        known = bool(np.isfinite(differences[at]))
        unsure = bool(doubt[at] > UNSURE * max(scale[at], abs(float(differences[at]))))
        why = excused(c.slopes, at, unsure, c.jacobian[at], c.swept[at]) if known else "end"
        told = None
        if not (why or refuted):
            told, why = _beyond_wide_steps(c, at, float(scale[at]), float(loose[at]))
            held, coarse = held + (why == "rounding"), coarse + (why == "coarse")
            refuted = told is None and not why  # one wrong entry is enough
        if told is not None:
            differences[at] = told
        elif why:
            seen += why == "kink"
            judged[at] = False
        if why or told is not None:
            for flags in off.values():
                flags[at] = False
    if rules_differ.any() or any(flags.any() for flags in off.values()):
        return _finding(c, differences, rules_differ, off)
    compared = []
    if numbers.any() or not numbers.size:
        compared.append(f"VJP differs by {bound(_largest((c.jacobian - c.swept)[numbers]))}")
    if judged.any() or not judged.size:
        most = _largest((c.jacobian - differences)[judged])
        compared.append(f"finite differences by {bound(most)}")
    parts = [", ".join(compared)] * bool(compared)
    kinks, where = max(exact, seen), "on a kink" if exact >= seen else "on a kink or beside one"
    parts += [f"{plural(kinks, 'entry sits', 'entries sit')} {where}"] * bool(kinks)
    if endless.any():
        first = entry(c.name, tuple(int(i) for i in np.argwhere(endless)[0]))
        parts.append(f"the slope {first} is infinite here, in {c.precision}: it is not judged")
    line = f"{c.name} {dims(c.jacobian.shape)}:" + " " * bool(parts) + "; ".join(parts)
    line += untold(entries, np.where(judged, differences, 0), rounding, loose, held, coarse)
    return line + past_the_largest(beyond, c.precision)


def _beyond_wide_steps(
    c: _Comparison, at: tuple[int, ...], scale: float, loose: float
) -> tuple[float | None, str]:
    """The slope as narrow steps tell it, where both rules say the same: a pole is near.

    Or why it is not told: a rounding of the inputs decides it, or no step is narrow enough.
    """
    rules = float(c.jacobian[at]), float(c.swept[at])
    told = c.slopes.by_narrow_steps(at, scale) if np.isfinite([scale, *rules]).all() else None
    if told is not None:
        slope, doubt = told
        room = doubt + DIFFERENCE * abs(slope) + UNITS * c.unit * scale
        if all(abs(rule - slope) <= room for rule in rules):
            return slope, ""
    if c.beside.hold(at, loose, *rules):
        return None, "rounding"
    return None, "coarse" if c.slopes.beyond_steps(at) else ""


def _endless(c: _Comparison) -> np.ndarray:
    """Where a rule gives inf, the other no number that speaks against it, and the slope has no end.

    With it what 0 · inf leaves in the rows of other outputs, for the same entry.
    """
    found = np.zeros(c.jacobian.shape, bool)
    rank = c.slopes.value.ndim
    nonfinite = ~np.isfinite(c.jacobian) | ~np.isfinite(c.swept)
    for index in np.argwhere(np.isinf(c.jacobian) | np.isinf(c.swept)):
        at = tuple(int(i) for i in index)
        both = not (np.isfinite(c.jacobian[at]) or np.isfinite(c.swept[at]))
        if both and c.slopes.grows_without_end(at, float(np.finfo(c.precision).max)):
            column: Any = (..., *at[rank:])
            found[column] |= nonfinite[column]
    return found


def _finding(
    c: _Comparison,
    differences: np.ndarray,
    rules_differ: np.ndarray,
    off: Mapping[str, np.ndarray],
) -> Disagreement:
    """The entry that is furthest off, who is wrong there, and the pattern of it."""
    arrays = {"jacobians()": c.jacobian, "vjp()": c.swept}
    flagged = rules_differ | off["jacobians()"] | off["vjp()"]
    gaps = [np.abs(c.jacobian - c.swept), *(np.abs(a - differences) for a in arrays.values())]
    size = np.where(flagged, np.nan_to_num(np.maximum.reduce(gaps), nan=0.0, posinf=0.0), -1)
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(size)), size.shape))
    says = [(who, float(array[at])) for who, array in arrays.items()]
    says.append(("finite differences", float(differences[at])))
    guilty = [who for who, flags in off.items() if flags.any()]
    pattern = ""
    if len(guilty) == 1:
        wrong = f"{guilty[0]} is wrong"
        right = c.swept if guilty[0] == "jacobians()" else c.jacobian
        pattern = describe_pattern(arrays[guilty[0]], right, c.examples, c.unit)
    elif guilty:
        wrong = "both are wrong"
        pattern = describe_pattern(c.jacobian, differences, c.examples, 1e-6)
    else:
        wrong = "the two rules differ by less than finite differences can tell"
    if pattern == ONE_ENTRY and flagged.sum() > 1:  # the others are off by less than was looked for
        pattern = ""
    count = f"{int(flagged.sum()):,} of {flagged.size:,} entries differ"
    return Disagreement(_variable(c.name), entry(c.name, at), tuple(says), wrong, count, pattern)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _refused(name: str, text: str, pattern: str = "") -> Disagreement:
    return Disagreement(_variable(name), name, (), text, "", pattern)


def _each_once(findings: list[Disagreement]) -> list[Disagreement]:
    """What is refused for the same reason in one, with all that it is refused for."""
    found: dict[tuple[str, str], Disagreement] = {}
    for each in findings:
        key = each.wrong, each.entry if each.values else each.pattern
        if key in found:
            before = found[key]
            names = ", ".join(filter(None, (before.entry, each.entry)))
            each = replace(before, input=f"{before.input}, {each.input}", entry=names)
        found[key] = each
    return list(found.values())


def _variable(name: str) -> str:
    """The input in ∂out/∂input."""
    return name.rpartition("∂")[2]


def _largest(array: np.ndarray) -> float:
    """Of the entries that are numbers."""
    return largest(array[np.isfinite(array)])
