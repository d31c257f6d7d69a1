"""Is second() right? Against differences of the op's own Jacobians, over every entry and pair."""

from dataclasses import replace
from functools import partial

import numpy as np

from ..algebra.products.placing import evaluate
from ..errors import JacobianError
from ..numbers.arrays import entry, for_reading, quiet
from ..numbers.positions import in_float64
from ..numbers.rounding import UNITS, differing, largest, scales, unit_roundoff
from ..program.bends import Bent, bends_of, second_name
from ..program.forward_pass import Pass
from ..program.step import Step
from ..routes.structured import absolute
from ..writing.signs import bound, dims, number, plural
from .conditioning import Beside, known_to_rounding, passed, past_the_largest, sums_of_terms
from .kinks import excused
from .op_slopes import Slopes, whole_jacobian

DIFFERENCE = 1e-6  # what differences of a Jacobian may be off, relative to the entry
UNSURE = 1e-3  # and where they are off by more than that, the slope jumps near by
TOO_NEAR = "a kink, a pole or the end of the domain is within each step, or rounding hides them"
MOST_ENTRIES = 20_000  # of a pair that is compared

FEW = 64  # entries of an input, for which the passes with one of them moved are kept

Moved = dict[tuple[int, tuple[int, ...], float], Pass]  # by input, entry and change
Sentence = tuple[str, str]  # what is wrong, and the pattern of it


class JacobianSlopes(Slopes):
    """Finite differences of an op's Jacobian by one input, by another input, in float64."""

    def __init__(self, state: Pass, step: Step, position: int, by: int, moved: Moved) -> None:
        values = {name: in_float64(value) for name, value in state.values.items()}
        self.state = replace(state, values=values, dtype=np.dtype(np.float64))
        self.step, self.of, self.by, self.moved = step, position, by, moved
        self.point = values[step.args[by]]
        self.value = self.at((), 0.0)
        self._narrow = None, []
        self._sums: np.ndarray | None = None

    def at(self, index: tuple[int, ...], change: float) -> np.ndarray:
        """The op's Jacobian with `change` added to one entry; NaN outside the op's domain."""
        state = self._moved(index, change)
        found = whole_jacobian(state, self.step, self.of)
        inputs = state.inputs_of(self.step)
        outside = np.isnan(np.asarray(self.step.op.forward(*map(for_reading, inputs))))
        if outside.any():  # there a formula in |z| still gives a slope
            found[outside] = np.nan
        return found

    def _moved(self, index: tuple[int, ...], change: float) -> Pass:
        """The pass with `change` added to one entry, kept for the Jacobians by other inputs."""
        key = self.by, index, change
        if key in self.moved:
            return self.moved[key]
        point = self.point.copy()
        if change:
            point[index] += change
        values = {**self.state.values, self.step.args[self.by]: point}
        state = replace(self.state, values=values)
        if point.size <= FEW:
            self.moved[key] = state
        return state

    def size(self) -> np.ndarray:
        """The largest entry: an entry may be what is left of terms that cancel, and all may be."""
        return np.maximum(largest(np.nan_to_num(self.value, posinf=0, neginf=0)), self.sums())

    def sums(self) -> np.ndarray:
        """Σ|terms| of each entry of the Jacobian, which may be next to 0 itself."""
        if self._sums is None:
            found = sums_of_terms(self.state, self.step, self.of)
            self._sums = np.where(np.isfinite(found), found, 0)
        return self._sums

    def endless(self, said: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Where `said` is infinite or no number, and is so by right.

        The slope is itself infinite there, or its differences have no end.
        """
        found = np.zeros(said.shape, bool)
        most = float(np.finfo(dtype).max)
        for place in np.argwhere(~np.isfinite(said)):
            at = tuple(int(i) for i in place)
            slope = self.value[at[: self.value.ndim]]
            found[at] = not np.isfinite(slope) or self.grows_without_end(at, most)
        column = found.any(axis=tuple(range(self.value.ndim)))  # 0 · inf in the other rows
        return found | (np.isnan(said) & column)


def _slopes_at(step: Step, position: int, by: int, moved: Pass) -> JacobianSlopes:
    """The slopes at a pass whose inputs are moved."""
    return JacobianSlopes(moved, step, position, by, Moved())


@quiet
def check_second(state: Pass, step: Step) -> tuple[list[str], list[Sentence]]:
    """A line for each pair that bends, and what is wrong; nothing of an op without second()."""
    if not step.op.has_second:
        return [], []
    try:
        said = {bent.pair: bent for bent in bends_of(state, step)}
    except JacobianError as error:
        return [], [(f"second() is refused. {error}", "")]
    except Exception as error:  # whatever a user's own op raises
        return [], [(f"second() raises {type(error).__name__}: {error}", "")]
    lines, wrong, moved = [], [], Moved()
    for first, _, u in step.variables:
        for second, _, v in step.variables:
            name = second_name(step.name, u, v)
            shape = (*state.values[step.name].shape, *state.values[u].shape, *state.values[v].shape)
            if np.prod(shape, dtype=float) > MOST_ENTRIES:
                if (first, second) in said and first <= second:
                    lines.append(f"{name} {dims(shape)}: not compared, it has too many entries")
                continue
            bent = said.get((first, second))
            array = _dense(bent, shape, state.dtype)
            terms = np.abs(array) if bent is None else _dense(bent, shape, state.dtype, terms=True)
            slopes = JacobianSlopes(state, step, first, second, moved)
            beside = Beside(partial(_slopes_at, step, first, second), state, step)
            line, finding = _compared(name, array, terms, slopes, beside, state.dtype)
            if finding:
                missing = "" if (first, second) in said else "second() does not name this pair"
                wrong.append((finding, missing))
            elif (first, second) in said and first <= second:
                lines.append(line)
    return (lines, []) if not wrong else ([], wrong)


def _dense(
    bent: Bent | None, shape: tuple[int, ...], dtype: np.dtype, terms: bool = False
) -> np.ndarray:
    """The whole array over the axes of out, first and second; zeros for a pair not named.

    With `terms`, the sums over absolute values that the rounding of each entry is of.
    """
    if bent is None:
        return np.zeros(shape, dtype)
    axes = [*bent.out, *bent.first, *bent.second]
    sizes = {axis.name: axis.size for axis in axes}
    expression = absolute(bent.expression) if terms else bent.expression
    return evaluate(expression, [axis.name for axis in axes], sizes, dtype)


def _compared(
    name: str,
    said: np.ndarray,
    terms: np.ndarray,
    slopes: JacobianSlopes,
    beside: Beside,
    dtype: np.dtype,
) -> tuple[str, str]:
    """One line where second() and the differences agree, else what is wrong."""
    found, doubt = slopes.whole()
    endless = slopes.endless(said, dtype)
    beyond = passed(slopes, ~np.isfinite(said) & ~endless, terms, dtype)
    terms = np.where(np.isfinite(terms), terms, 0)
    unit = unit_roundoff(dtype)
    entries = np.fmax(np.abs(said), np.abs(found))
    scale = np.fmax(scales(entries, unit), terms)
    judged = ~endless & ~beyond
    sure = np.isfinite(found) & (doubt <= UNSURE * np.maximum(1, scale)) & judged
    loose = doubt + DIFFERENCE * entries + UNITS * unit * np.maximum(1, scale)
    off, held = differing(said, found, loose) & sure, 0
    for place in np.argwhere(off):
        at = tuple(int(i) for i in place)
        claim, told = float(said[at]), None
        if not excused(slopes, at, False, claim):
            told = _by_narrow_steps(slopes, at, claim, float(scale[at]), unit)
            if told is None and not slopes.beyond_steps(at):
                if not beside.hold(at, float(loose[at]), claim):
                    break
                held += 1
        off[at] = False
        found[at], sure[at] = (found[at], False) if told is None else (told, True)
    if off.any():
        gap = np.where(off, np.nan_to_num(np.abs(said - found), nan=np.inf), -1)
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), gap.shape))
        says = f"second() {number(float(said[at]), 10)}, differences of jacobians() "
        says += number(float(found[at]), 10)
        return "", f"{entry(name, at)}: {says}; {int(off.sum()):,} of {off.size:,} entries differ"
    parts = []
    if sure.any():
        most = largest(np.where(sure, said - found, 0)[sure])
        parts.append(f"differences of jacobians() differ by {bound(most)}")
    parts += _not_judged(name, endless, int((~sure & judged).sum()) - held, dtype)
    line = f"{name} {dims(said.shape)}:" + " " * bool(parts) + "; ".join(parts)
    return line + known_to_rounding(held) + past_the_largest(beyond, dtype), ""


def _by_narrow_steps(
    slopes: JacobianSlopes, at: tuple[int, ...], said: float, scale: float, unit: float
) -> float | None:
    """The slope as narrow steps tell it, where it is the one that is said."""
    told = slopes.by_narrow_steps(at, scale) if np.isfinite([said, scale]).all() else None
    if told is None:
        return None
    slope, doubt = told
    right = abs(said - slope) <= doubt + DIFFERENCE * abs(slope) + UNITS * unit * scale
    return slope if right else None


def _not_judged(name: str, endless: np.ndarray, untold: int, dtype: np.dtype) -> list[str]:
    """What of a second derivative was not compared, and why."""
    parts = []
    if endless.any():
        first = entry(name, tuple(int(i) for i in np.argwhere(endless)[0]))
        parts.append(f"{first} is infinite here, in {dtype}: it is not judged")
    if untold:
        parts.append(f"{plural(untold, 'entry is', 'entries are')} not judged: {TOO_NEAR}")
    return parts
