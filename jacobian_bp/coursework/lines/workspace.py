"""What the names of a line stand for: the values of a run, its right deltas and gradients."""

import re
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from ...algebra.axes import Axis
from ...errors import DomainError, SpecError
from ...ops import Activation, Softmax
from ...program.forward_pass import Pass
from ...program.program import listed
from ...program.step import Step
from ...routes.gradients import require_scalar
from ...routes.vjp import pull
from ...writing.signs import did_you_mean, safe
from .meanings import EXAMPLES, UNKNOWN, Axes, Meanings, meanings

Labelled = tuple[np.ndarray, Axes]


class Workspace:
    """Every name that a line may read, as an array with named axes.

    With `columns` the examples of data and of deltas stand in columns, (units,
    examples), one example is a column (units, 1), and so is a bias.
    """

    def __init__(
        self, state: Pass, tied: Mapping[str, str] | None = None, columns: bool = False
    ) -> None:
        self.state, self.tied, self.columns = state, dict(tied or {}), columns
        self.meanings: Meanings = meanings(state)
        self._gradients: dict[str, np.ndarray] = {}
        self._taken = {step.args[0]: step for step in reversed(state.program.steps) if step.args}

    def object(self, word: str) -> str | None:
        """The value whose derivative a name means: dW2, d2, delta2, dz2, or None.

        `d2`, `delta2` and `dZ2` are the delta of layer 2, ∂J/∂z2.
        """
        if self._value(word):
            return None
        layer = re.fullmatch(r"(?:d|delta)_?(\d+)", word)
        if layer:
            return self._value(f"z{layer[1]}")
        for prefix in ("delta_", "delta", "d_", "d"):
            found = self._value(word.removeprefix(prefix)) if word.startswith(prefix) else None
            if found:
                return found
        return None

    def unknown_left(self, word: str) -> str:
        """A sentence where the name left of = is spelt like one of the network, and is none."""
        like = re.fullmatch(r"(?:d|delta)_?([A-Za-z]?)(\d+)|([A-Za-z])(\d+)", word)
        if like is None or self.target(word) or self._size(word):
            return ""
        missing = word if like[3] else f"{like[1] or 'z'}{like[2]}"
        known = [*(f"d{name}" for name in self.state.program.params), *self.deltas()]
        return f"The run has no {missing}: a line may be for {listed(known, 8)}."

    def target(self, word: str) -> str | None:
        """The value that a target names: "z2", "W2", or a derivative such as "dW2", "d2"."""
        return self._value(word) or self.object(word)

    def read(self, word: str) -> Labelled:
        """The array of a name, or SpecError with the nearest name."""
        value = self._value(word)
        if value is None and word == "p":
            value = self.output
        if value is not None:
            return self._laid(value, self.state.values[value])
        derivative = self.object(word)
        if derivative is not None:
            return self.right(derivative)
        number = self._size(word)
        if number is not None:
            return np.asarray(number, self.state.dtype), ()
        if word in self.state.missing:
            require_cost(self)
        known = [*self.state.values, *self.deltas()]
        raise SpecError(
            f"diagnose_line: no value is named '{safe(word)}'.{did_you_mean(word, known)}\n"
            f"  The line may read {listed(known)};\n"
            "  p is the output, m the number of examples, n_1 the width of layer 1."
        )

    def right(self, value: str) -> Labelled:
        """The right ∂J/∂value."""
        if value not in self._gradients:
            self.state.require_variable(self.state.cost, value)
            require_cost(self)
            one = np.ones((), self.state.dtype)
            self._gradients[value] = pull(self.state, self.state.cost, [value], one)[value]
        return self._laid(value, self._gradients[value])

    def slope(self, word: str) -> Labelled:
        """The activation's slope at a value: of the one that reads it, else that computed it."""
        value = self._value(word)
        if value is None:
            self.read(word)  # the message for an unknown name
            raise SpecError(
                f"diagnose_line: slope({safe(word)}): {safe(word)} is no value of the network.\n"
                "  Write the slope at a pre-activation, such as slope(z2)."
            )
        reader, maker = self._taken.get(value), self.state.step(value)
        for step in (reader, maker):
            if step and isinstance(step.op, Activation):
                z = self.state.values[value]
                return self._laid(value, np.array(step.op.vjp(np.ones_like(z), z)["z"]))
        raise SpecError(_no_slope(value, reader or maker))

    def is_preactivation(self, word: str) -> bool:
        """Whether an activation reads the value: where its slope belongs."""
        reader = self._taken.get(self._value(word) or "")
        return reader is not None and isinstance(reader.op, Activation)

    @cached_property
    def preactivations(self) -> list[str]:
        """The values that an activation reads."""
        return [value for value in self.state.values if self.is_preactivation(value)]

    def before_activation(self, word: str) -> str:
        """The pre-activation that a slope is meant at: z2 for z2, and for a2."""
        value = self.target(word) or word
        reader, maker = self._taken.get(value), self.state.step(value)
        if reader and isinstance(reader.op, Activation):
            return value
        return maker.args[0] if maker and isinstance(maker.op, Activation) else value

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
        return self._laid(value, self.state.values[value])[1]

    @property
    def is_batch(self) -> bool:
        return bool(self.state.batched)

    @property
    def has_cost(self) -> bool:
        """Whether there is a scalar to differentiate."""
        return not self.state.missing and self.state.values[self.state.cost].ndim == 0

    def in_rows(self, value: str, array: np.ndarray) -> np.ndarray:
        """An array of this workspace's layout as the run itself has it, examples in rows."""
        own = self.meanings.of[value]
        if self.columns and len(own) == 2 and own[0].name == EXAMPLES:
            return array.T
        one_column = self.columns and len(own) == 1 and array.shape[1:] == (1,)
        return array[:, 0] if one_column else array

    def spelled(self, word: str) -> str:
        """A name as the run has it: Z2, A1 and X, as some courses write them, are z2, a1 and x."""
        small = word.lower()
        capital = word not in self.state.values and re.fullmatch(r"[ABXYZ]\d*", word)
        return small if capital and small in self.state.values else word

    def _value(self, word: str) -> str | None:
        word = self.spelled(self.tied.get(word, word))
        return word if word in self.state.values else None

    def _size(self, word: str) -> int | None:
        if word == "m":
            return self.meanings.sizes.get(EXAMPLES, 1)
        layer = re.fullmatch(r"n_?(\d+)", word)
        axes = self.meanings.of.get("x" if layer[1] == "0" else f"z{layer[1]}") if layer else None
        return axes[-1].size if axes else None

    def _laid(self, value: str, array: np.ndarray) -> Labelled:
        """The array with its axes; turned where the examples stand in columns."""
        axes = self.meanings.of[value]
        if self.columns and len(axes) == 2 and axes[0].name == EXAMPLES:
            return array.T, axes[::-1]
        if self.columns and len(axes) == 1 and axes[0].name != EXAMPLES:
            one = UNKNOWN if value in self.state.program.params else EXAMPLES
            return array[:, None], (axes[0], Axis(one, 1))
        return array, axes


def _no_slope(value: str, step: Step | None) -> str:
    if step is not None and step.name != value and isinstance(step.op, Softmax):
        return (
            f"diagnose_line: slope({value}): {step} is not elementwise; "
            "its Jacobian is a whole matrix.\n"
            "  Write the delta of softmax and loss at once, from p - y."
        )
    return (
        f"diagnose_line: slope({value}): no activation reads {value}.\n"
        "  Write the slope at a pre-activation, such as slope(z2)."
    )


def require_cost(workspace: Workspace) -> None:
    """DomainError where the run has no cost to differentiate."""
    missing = ", ".join(workspace.state.missing)
    if missing:
        raise DomainError(
            f"diagnose_line: the run has no cost: {missing} was not given.\n"
            "  Run the network with labels: net.run(x, y)."
        )
    require_scalar(workspace.state)
