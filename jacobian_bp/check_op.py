"""Is one op right? Its Jacobian, its VJP and finite differences, over every entry.

The VJP is swept over the basis of the output, so that each gives the whole
array ∂out/∂in; where two differ, finite differences say which one is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from .accumulate import Node
from .arrays import entry, quiet
from .axes import BATCH
from .chain import require_dense, whole_link
from .errors import JacobianError, SpecError
from .jacobian import make_link
from .ops import Op
from .program import Pass, Program, Step, run_forward
from .program_text import make_op
from .symbols import bound, for_stream, number, safe, to_ascii
from .symbols import shape as show

NOISE = 16  # in units of rounding of the largest entry: an op may lose that much
STEP = 1e-3  # of the Richardson differences: their error is of the order STEP**4
SMALL_STEP = 1e-7  # of the one-sided slopes that tell a kink


@dataclass(frozen=True)
class Finding:
    """One input by which the op's derivatives differ: where, what each says, and the pattern."""

    input: str
    entry: str
    values: tuple[tuple[str, float], ...]
    wrong: str
    count: str
    pattern: str

    def __str__(self) -> str:
        says = ", ".join(f"{who} {number(value, 10)}" for who, value in self.values)
        lines = [f"{self.entry}: {says}" if self.entry else self.wrong]
        if self.entry:
            lines.append(f"{self.wrong}; {self.count}")
        if self.pattern:
            lines.append(self.pattern)
        return "\n    ".join(lines)


@dataclass(frozen=True)
class OpReport:
    """What `check_op` found; `.ok`, and a table when printed."""

    op: str
    lines: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not self.findings

    def text(self, ascii_only: bool = False) -> str:
        head = f"{self.op}: " + ("the three derivatives agree" if self.ok else "WRONG")
        text = "\n".join([head, *(f"  {x}" for x in (*self.findings, *self.lines))])
        return to_ascii(text) if ascii_only else text

    def __str__(self) -> str:
        return for_stream(self.text())


def check_op(op: Op | type[Op], arrays: Mapping[str, Any]) -> OpReport:
    """Compare an op's Jacobian, its VJP and finite differences, entry by entry.

    `arrays` has one array for each input of the signature; data with one axis
    more is a batch. On a kink any slope between the one-sided ones is right.
    Raises SpecError for a missing or unknown input, AxisError for shapes.

    >>> from jacobian_bp import Linear
    >>> W, b = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]), np.array([0.5, -1.0])
    >>> check_op(Linear, {"a": [1.0, -2.0, 0.5], "W": W, "b": b}).ok
    True
    """
    made = make_op(op, "op")
    signature = made.parsed
    names = [operand.name for operand in signature.inputs]
    wrong = [n for n in names if n not in arrays] + [n for n in arrays if n not in names]
    if wrong:
        raise SpecError(
            f"{made.name} reads {', '.join(names)}; arrays has {', '.join(map(safe, arrays))}.\n"
            "  Give one array for each input of the signature."
        )
    out = signature.output.name
    step = Step(out if out not in names else f"{out}_out", made, tuple(names))
    state = run_forward(Program.build([step], []), {}, arrays)
    return check_step(state, state.program.steps[0])


@quiet
def check_step(state: Pass, step: Step) -> OpReport:
    """`check_op` for one step of a network, at the values of the pass."""
    swept, findings = _sweep(state, step)
    lines = []
    for position, operand in enumerate(step.op.parsed.inputs):
        if position not in swept:
            continue
        name = f"∂{step.name}/∂{step.args[position]}"
        try:
            jacobian = _whole(state, step, operand.name, name)
        except JacobianError as error:
            findings.append(_refused(name, f"jacobians() is refused. {error}"))
            continue
        slopes = _Slopes(state, step, position)
        found = _compare(name, jacobian, swept[position], slopes)
        if isinstance(found, Finding):
            findings.append(found)
        else:
            lines.append(found)
    return OpReport(step.op.name, tuple(lines), tuple(findings))


def _whole(state: Pass, step: Step, operand: str, name: str) -> np.ndarray:
    out, wrt, expression = state.local(step)[operand]
    link = make_link(f"{step.who}: {name}", 0, 1, out, wrt, expression)
    return whole_link(
        link, [Node(step.name, out), Node(name[name.index("/∂") + 2 :], wrt)], state.dtype
    )


def _sweep(state: Pass, step: Step) -> tuple[dict[int, np.ndarray], list[Finding]]:
    """∂out/∂input for each input, one row of it for each basis vector of the output."""
    values, shape = state.inputs_of(step), state.values[step.name].shape
    wanted = {
        position: operand.name
        for position, operand in enumerate(step.op.parsed.inputs)
        if operand.name not in step.op.constants
    }
    swept: dict[int, np.ndarray] = {}
    findings: dict[int, Finding] = {}
    for index in np.ndindex(shape):
        bar = np.zeros(shape, state.dtype)
        bar[index] = 1
        pulled = step.op.vjp(bar, *values)
        for position, operand in wanted.items():
            name = f"∂{step.name}/∂{step.args[position]}"
            if position in findings:
                continue
            if operand not in pulled:
                text = f"{name}: vjp() gives nothing for {operand}; it gives {', '.join(pulled)}"
                findings[position] = _refused(name, text)
                continue
            row, expected = np.asarray(pulled[operand]), values[position].shape
            if row.shape != expected:
                text = f"{name}: vjp()[{operand!r}] has shape {show(row.shape)}, "
                text += f"{step.args[position]} has shape {show(expected)}"
                unsummed = row.ndim and row.shape[1:] == expected
                hint = "the examples are not summed: use over_batch()" if unsummed else ""
                findings[position] = _refused(name, text, hint)
                continue
            if position not in swept:
                require_dense(name, (*shape, *expected), state.dtype)
                swept[position] = np.zeros((*shape, *expected), state.dtype)
            swept[position][index] = row
    return {p: array for p, array in swept.items() if p not in findings}, list(findings.values())


class _Slopes:
    """Finite differences of one op by one input, in float64."""

    def __init__(self, state: Pass, step: Step, position: int) -> None:
        self.op, self.position = step.op, position
        self.values = [v.astype(np.float64) for v in state.inputs_of(step)]
        self.unit = float(np.finfo(state.dtype).eps) / 2
        self.examples = state.binding(step).sizes.get(BATCH, 1)
        self.point = self.values[position]
        self.value = self.at((), 0.0)

    def at(self, index: tuple[int, ...], change: float) -> np.ndarray:
        """The op's value with `change` added to one entry."""
        moved = self.point.copy()
        if change:
            moved[index] += change
        inputs = [moved if p == self.position else v for p, v in enumerate(self.values)]
        return np.asarray(self.op.forward(*inputs))

    def whole(self) -> tuple[np.ndarray, np.ndarray]:
        """All slopes by Richardson's extrapolation, and how far each may be off."""
        shape = (*self.value.shape, *self.point.shape)
        slopes, doubt = np.zeros(shape), np.zeros(shape)
        for index in np.ndindex(self.point.shape):
            place = (..., *index)
            h = STEP * max(1.0, abs(float(self.point[index])))
            near, far = self._central(index, h), self._central(index, 2 * h)
            slopes[place] = (4 * near - far) / 3
            rounding = 1e3 * np.finfo(np.float64).eps * np.abs(self.value) / h
            doubt[place] = np.abs(near - far) + rounding
        return slopes, doubt

    def one_sided(self, index: tuple[int, ...], out: tuple[int, ...]) -> tuple[float, float]:
        """The slopes to the left and to the right, the smaller first."""
        h = SMALL_STEP * max(1.0, abs(float(self.point[index])))
        here = self.value[out]
        pair = [(self.at(index, s * h)[out] - here) / (s * h) for s in (-1.0, 1.0)]
        return min(pair), max(pair)

    def _central(self, index: tuple[int, ...], h: float) -> np.ndarray:
        return (self.at(index, h) - self.at(index, -h)) / (2 * h)


def _compare(name: str, jacobian: np.ndarray, swept: np.ndarray, slopes: _Slopes) -> Finding | str:
    """A finding, or one line that says how well the three agree."""
    differences, doubt = slopes.whole()
    scale = max(_largest(jacobian), _largest(swept))
    noise = NOISE * slopes.unit
    apart = np.abs(jacobian - swept)
    bar = np.maximum(4 * noise * np.maximum(np.abs(jacobian), np.abs(swept)), noise * scale)
    rules_differ = ~(apart <= bar)
    loose = doubt + 1e-7 * max(scale, _largest(differences)) + noise * scale
    off = {
        "jacobians()": ~(np.abs(jacobian - differences) <= loose),
        "vjp()": ~(np.abs(swept - differences) <= loose),
    }
    unknown = ~np.isfinite(differences)
    kinks = 0
    for index in map(tuple, np.argwhere(off["jacobians()"] | off["vjp()"])):
        at = tuple(int(i) for i in index)
        if unknown[at] or _on_kink(slopes, at, jacobian[at], swept[at]):
            kinks += not unknown[at]
            for flags in off.values():
                flags[at] = False
    if not rules_differ.any() and not any(flags.any() for flags in off.values()):
        shape = show(jacobian.shape)
        line = f"{name} {shape}: VJP differs by {bound(_largest(apart))}, "
        line += f"finite differences by {bound(_largest(jacobian - differences))}"
        return line + (f"; {kinks} entries sit on a kink" if kinks else "")
    return _finding(name, jacobian, swept, differences, rules_differ, off, slopes)


def _finding(
    name: str,
    jacobian: np.ndarray,
    swept: np.ndarray,
    differences: np.ndarray,
    rules_differ: np.ndarray,
    off: Mapping[str, np.ndarray],
    slopes: _Slopes,
) -> Finding:
    arrays = {"jacobians()": jacobian, "vjp()": swept}
    guilty = [who for who, flags in off.items() if flags.any()]
    flagged = rules_differ | off["jacobians()"] | off["vjp()"]
    size = np.where(flagged, np.maximum(np.abs(jacobian - swept), _gap(arrays, differences)), -1)
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(size)), size.shape))
    says = tuple((who, float(array[at])) for who, array in arrays.items())
    says += (("finite differences", float(differences[at])),)
    pattern = ""
    if len(guilty) == 1:
        right = swept if guilty[0] == "jacobians()" else jacobian
        pattern = describe_pattern(arrays[guilty[0]], right, slopes.examples, slopes.unit)
        wrong = f"{guilty[0]} is wrong"
    elif guilty:
        pattern = describe_pattern(jacobian, differences, slopes.examples, 1e-6)
        wrong = "both are wrong"
    else:
        wrong = "the two rules differ by less than finite differences can tell"
    count = f"{int(flagged.sum()):,} of {flagged.size:,} entries differ"
    return Finding(name.rpartition("∂")[2], entry(name, at), says, wrong, count, pattern)


def describe_pattern(wrong: np.ndarray, right: np.ndarray, examples: int, unit: float) -> str:
    """How a wrong array comes out of the right one, where that can be said in a few words."""
    tolerance = 1e3 * unit * max(_largest(right), _largest(wrong))
    if _close(wrong, -right, tolerance):
        return "every entry has the opposite sign"
    if not wrong.any():
        return "every entry is 0"
    held = np.abs(right) > tolerance
    if held.any() and not np.any(np.abs(wrong[~held]) > tolerance):
        ratios = wrong[held] / right[held]
        factor = float(ratios.flat[int(np.argmax(np.abs(right[held])))])
        if _close(wrong, factor * right, 1e3 * tolerance * max(1.0, abs(factor)) / 1e3):
            return f"every entry is {number(factor, 8)} times the right one" + _examples_hint(
                factor, examples
            )
    for first, second in combinations(range(right.ndim), 2):
        if right.shape[first] == right.shape[second]:
            swapped = np.swapaxes(right, first, second)
            if _close(wrong, swapped, tolerance):
                return f"axes {first} and {second} are exchanged: a factor is transposed"
    different = np.abs(wrong - right) > tolerance
    if int(different.sum()) == 1:
        return "one entry alone is off"
    return ""


def _examples_hint(factor: float, examples: int) -> str:
    if examples > 1 and abs(factor * examples - 1) < 1e-6:
        return f", 1/{examples}: the mean over {examples} examples was taken once too often"
    if examples > 1 and abs(factor - examples) < 1e-6:
        return f": the mean over {examples} examples, 1/{examples}, is missing"
    return ""


def _on_kink(slopes: _Slopes, at: tuple[int, ...], *claimed: float) -> bool:
    """Whether the left and right slopes differ there, and the claims lie between them."""
    rank = slopes.value.ndim
    low, high = slopes.one_sided(at[rank:], at[:rank])
    room = 1e-5 * max(1.0, abs(low), abs(high))
    if high - low < 100 * room:  # smooth here; the wide step may have crossed a kink nearby
        return slopes.point.size > 0 and all(abs(c - (low + high) / 2) < room for c in claimed)
    return all(low - room <= c <= high + room for c in claimed)


def _refused(name: str, text: str, pattern: str = "") -> Finding:
    return Finding(name.rpartition("∂")[2], "", (), text, "", pattern)


def _gap(arrays: Mapping[str, np.ndarray], differences: np.ndarray) -> np.ndarray:
    gaps = [np.abs(array - differences) for array in arrays.values()]
    return np.nan_to_num(np.maximum(*gaps), nan=0.0, posinf=0.0)


def _close(left: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    return left.shape == right.shape and bool(np.all(np.abs(left - right) <= tolerance))


def _largest(array: np.ndarray) -> float:
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0
