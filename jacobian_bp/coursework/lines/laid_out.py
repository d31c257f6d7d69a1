"""The arrays of a run as a line has them: rows or columns, W either way, with named axes."""

import re
from dataclasses import dataclass

import numpy as np

from ...algebra.axes import Axis
from ...errors import DomainError
from ...ops import Linear
from ...program.forward_pass import Pass
from ...routes.gradients import require_scalar
from ...routes.vjp import pull
from .inner_names import Inside, inside_of
from .meanings import EXAMPLES, UNKNOWN, Axes, Meanings, meanings

Labelled = tuple[np.ndarray, Axes]


@dataclass(frozen=True)
class Told:
    """How a line is read: what its arrays are like, and what its names stand for.

    With `columns` the examples of data and of deltas stand in columns, (units, examples), one
    example is a column (units, 1), and so is a bias; with `turned` W is (inputs, outputs). A name
    without a number is of the layer `layer`, and the word `next` of the one after; weights are
    counted from `first`. `of_each` reads a delta as ∂L/∂z of each example, `slope_takes` "a" a
    slope function as one of the activation, and `diagonal` a Jacobian as its diagonal. With a
    `bias` that is "first" or "last", W and ∂J/∂W have it as that column, or row, as Theta2 has.
    With `summed` a gradient of W, too, lacks the 1/m of the mean: it is summed over the examples.
    `written` says that a convention is told, and `mean` where it has the 1/m, "delta" or
    "gradient"; where it does not say, either is read.
    Of an op whose formula is written out x is with `inside_x` what the op reads, and a mean or a
    spread stands with `kept` beside its array, its axis kept; `shares` says in which order dxmu1
    and dxmu2 are what reaches xmu through one step and through the other: "", "back" or "forth".
    """

    columns: bool = False
    turned: bool = False
    layer: int = 0
    next: str = ""
    first: int = 1
    of_each: bool = False
    summed: bool = False
    slope_takes: str = "z"
    diagonal: bool = False
    bias: str = "own"
    written: bool = False
    mean: str = ""
    inside_x: bool = False
    kept: bool = False
    shares: str = ""


class LaidOut:
    """The values of a run, and their right derivatives, in the layout that a line is read in."""

    def __init__(self, state: Pass, told: Told | None = None, inside: Inside | None = None) -> None:
        self.state, self.told = state, told or Told()
        self.inside = inside or inside_of(state, {})
        self.columns = self.told.columns
        self.meanings: Meanings = meanings(state)
        self.weights = {step.args[1] for step in state.program.steps if isinstance(step.op, Linear)}
        self._gradients: dict[str, np.ndarray] = {}

    def value(self, name: str) -> Labelled:
        """A value as a line has it; of weights with the bias where they hold it."""
        values = self.state.values
        if self.holds_bias(name):
            return self._with_bias(name, values[name], values[self._bias_of(name)])
        return self.laid(name, values[name])

    def penalised(self, name: str) -> Labelled:
        """What a penalty adds to ∂J/∂W, up to a factor: W itself, and nothing to a bias in it."""
        values = self.state.values
        if self.holds_bias(name):
            return self._with_bias(name, values[name], np.zeros_like(values[self._bias_of(name)]))
        return self.laid(name, values[name])

    def holds_bias(self, name: str) -> bool:
        """Whether these are weights, with their bias as a column."""
        if self.told.bias == "own" or name not in self.weights:
            return False
        return any(name in step.args and len(step.args) > 2 for step in self.state.program.steps)

    def _bias_of(self, weight: str) -> str:
        return next(step.args[2] for step in self.state.program.steps if weight in step.args)

    def _with_bias(self, weight: str, array: np.ndarray, bias: np.ndarray) -> Labelled:
        """W with its bias as the column of one more input."""
        units, inputs = self.meanings.of[weight]
        both = (bias, array) if self.told.bias == "first" else (array, bias)
        longer = Axis(f"{inputs.name} and the bias", inputs.size + 1)
        joined, axes = np.column_stack(both), (units, longer)
        return (joined.T, axes[::-1]) if self.told.turned else (joined, axes)

    def right(self, value: str) -> Labelled:
        """The right ∂J/∂value."""
        if value not in self._gradients:
            self.state.require_variable(self.state.cost, value)
            require_cost(self)
            one = np.ones((), self.state.dtype)
            self._gradients[value] = pull(self.state, self.state.cost, [value], one)[value]
        if self.holds_bias(value):
            bias = LaidOut(self.state).right(self._bias_of(value))[0]
            return self._with_bias(value, self._gradients[value], bias)
        return self.laid(value, self._gradients[value])

    @property
    def output(self) -> str:
        """What the loss compares with its labels; without a loss, the last value."""
        for step in self.state.program.steps:
            if step.op.labels:
                return step.args[0]
        return self.state.cost

    def deltas(self) -> list[str]:
        """d1, d2, … for the pre-activations of the network."""
        return [f"d{name[1:]}" for name in self.state.values if re.fullmatch(r"z\d+", name)]

    def variables(self) -> list[str]:
        """What a line may be meant for: parameters, then values, those on no path left out."""
        names = [*self.state.program.params, *self.state.variables()]
        ours = [name for name in dict.fromkeys(names) if name != self.state.cost]
        return [name for name in ours if self.state.values[name].size]

    def axes(self, value: str) -> Axes:
        """The named axes of a value, and of its derivative."""
        return self.laid(value, self.state.values[value])[1]

    @property
    def is_batch(self) -> bool:
        return bool(self.state.batched)

    @property
    def has_cost(self) -> bool:
        """Whether there is a scalar to differentiate."""
        return not self.state.missing and self.state.values[self.state.cost].ndim == 0

    def laid(self, value: str, array: np.ndarray) -> Labelled:
        """The array with its axes, in this layout."""
        axes = self.meanings.of[value]
        beside = self.inside.across.get(value) if self.told.kept else None
        if beside is not None and len(axes) < len(self.meanings.of[beside]):
            array, axes = _beside(array, axes, self.meanings.of[beside])
        if self.told.turned and value in self.weights and array.ndim == 2:
            return array.T, axes[::-1]
        if self.columns and len(axes) == 2 and axes[0].name == EXAMPLES:
            return array.T, axes[::-1]
        if self.columns and len(axes) == 1 and axes[0].name != EXAMPLES:
            one = UNKNOWN if value in self.state.program.params else EXAMPLES
            return array[:, None], (axes[0], Axis(one, 1))
        return array, axes


def _beside(array: np.ndarray, axes: Axes, whole: Axes) -> Labelled:
    """An array with an axis of size 1 for each of `whole` that it lacks, as keepdims=True does."""
    own = {axis.name for axis in axes}
    places = [p for p, axis in enumerate(whole) if axis.name not in own]
    wide = tuple(Axis(axis.name, 1) if p in places else axis for p, axis in enumerate(whole))
    return np.expand_dims(array, tuple(places)), wide


def require_cost(arrays: LaidOut) -> None:
    """DomainError where the run has no cost to differentiate."""
    missing = ", ".join(arrays.state.missing)
    if missing:
        raise DomainError(
            f"diagnose_line: the run has no cost: {missing} was not given.\n"
            "  Run the network with labels: net.run(x, y)."
        )
    require_scalar(arrays.state)
