"""Is second() right? Against differences of the op's own Jacobians, over every entry and pair."""

from dataclasses import replace

import numpy as np

from ..algebra.products.placing import evaluate
from ..errors import JacobianError
from ..numbers.arrays import entry, quiet
from ..numbers.positions import in_float64
from ..numbers.rounding import UNITS, differing, largest, scales, unit_roundoff
from ..program.bends import Bent, bends_of, second_name
from ..program.forward_pass import Pass
from ..program.step import Step
from ..writing.signs import bound, dims, number, plural
from .op_slopes import Slopes, whole_jacobian

DIFFERENCE = 1e-6  # what differences of a Jacobian may be off, relative to the entry
UNSURE = 1e-3  # and where they are off by more than that, the slope jumps near by
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

    def at(self, index: tuple[int, ...], change: float) -> np.ndarray:
        """The op's Jacobian with `change` added to one entry."""
        key = self.by, index, change
        if key in self.moved:
            return whole_jacobian(self.moved[key], self.step, self.of)
        point = self.point.copy()
        if change:
            point[index] += change
        values = {**self.state.values, self.step.args[self.by]: point}
        state = replace(self.state, values=values)
        if point.size <= FEW:  # the Jacobians by the other inputs are asked for at the same places
            self.moved[key] = state
        return whole_jacobian(state, self.step, self.of)

    def size(self) -> np.ndarray:
        """The largest entry: an entry of a Jacobian may be what is left of terms that cancel."""
        return np.full(self.value.shape, largest(self.value))


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
            array = _dense(said.get((first, second)), shape, state.dtype)
            slopes = JacobianSlopes(state, step, first, second, moved)
            line, finding = _compared(name, array, slopes, state.dtype)
            if finding:
                missing = "" if (first, second) in said else "second() does not name this pair"
                wrong.append((finding, missing))
            elif (first, second) in said and first <= second:
                lines.append(line)
    return (lines, []) if not wrong else ([], wrong)


def _dense(bent: Bent | None, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """The whole array over the axes of out, first and second; zeros for a pair not named."""
    if bent is None:
        return np.zeros(shape, dtype)
    axes = [*bent.out, *bent.first, *bent.second]
    sizes = {axis.name: axis.size for axis in axes}
    return evaluate(bent.expression, [axis.name for axis in axes], sizes, dtype)


def _compared(
    name: str, said: np.ndarray, slopes: JacobianSlopes, dtype: np.dtype
) -> tuple[str, str]:
    """One line where second() and the differences agree, else what is wrong."""
    found, doubt = slopes.whole()
    unit = unit_roundoff(dtype)
    entries = np.fmax(np.abs(said), np.abs(found))
    scale = scales(entries, unit)
    sure = np.isfinite(found) & (doubt <= UNSURE * np.maximum(1, scale))
    loose = doubt + DIFFERENCE * entries + UNITS * unit * np.maximum(1, scale)
    off = differing(said, found, loose) & sure
    if off.any():
        gap = np.where(off, np.nan_to_num(np.abs(said - found), nan=np.inf), -1)
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(gap)), gap.shape))
        says = f"second() {number(float(said[at]), 10)}, differences of jacobians() "
        says += number(float(found[at]), 10)
        return "", f"{entry(name, at)}: {says}; {int(off.sum()):,} of {off.size:,} entries differ"
    most = largest(np.where(sure, said - found, 0))
    line = f"{name} {dims(said.shape)}: differences of jacobians() differ by {bound(most)}"
    jumps = int(sure.size - sure.sum())
    if jumps:
        line += f"; {plural(jumps, 'entry is', 'entries are')} on or near a kink, not judged"
    return line, ""
