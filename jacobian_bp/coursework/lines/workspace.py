"""What the names of a line stand for: the values of a run, its right deltas and gradients."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from ...algebra.axes import Axis
from ...errors import DomainError, SpecError
from ...ops import Activation, Linear, Softmax
from ...program.forward_pass import Pass
from ...program.program import listed
from ...program.step import Step
from ...routes.gradients import require_scalar
from ...routes.vjp import pull
from ...writing.signs import did_you_mean, safe
from .function_names import FORMULAS, function_of
from .inner_names import Inside, inside_of
from .meanings import EXAMPLES, UNKNOWN, Axes, Meanings, meanings
from .naming import Meaning, Names
from .tree import Node
from .vocabulary import COUNT, is_penalty

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


class Workspace:
    """Every name that a line may read, as an array with named axes."""

    def __init__(
        self,
        state: Pass,
        tied: Mapping[str, str] | None = None,
        told: Told | None = None,
        inside: Inside | None = None,
    ) -> None:
        self.state, self.tied, self.told = state, dict(tied or {}), told or Told()
        self.inside = inside or inside_of(state, {})
        self.columns = self.told.columns
        self.meanings: Meanings = meanings(state)
        self._gradients: dict[str, np.ndarray] = {}
        self._taken = {step.args[0]: step for step in reversed(state.program.steps) if step.args}
        self.names = Names(
            state.values,
            state.cost,
            self.told.layer,
            self.told.first,
            self.told.next,
            self.tied,
            self.inside.values,
            self.inside.own if self.told.inside_x else {},
            self.inside.shares(state, self.told.shares) if self.told.shares else {},
        )
        self.weights = {step.args[1] for step in state.program.steps if isinstance(step.op, Linear)}

    def like(self, state: Pass) -> "Workspace":
        """The same reading of the names, on other numbers."""
        return Workspace(state, self.tied, self.told, self.inside)

    def read_as(self, **changes: Any) -> "Workspace":
        """The same numbers, read in another way."""
        return Workspace(self.state, self.tied, replace(self.told, **changes), self.inside)

    def meaning(self, word: str) -> Meaning | None:
        """The value, gradient or Jacobian that a name means, or None."""
        return self.names.meaning(self.tied.get(word, word))

    def is_unknown(self, word: str) -> bool:
        """Whether a line that reads this name would be asked what it is."""
        known = self.meaning(word) is not None or self._size(word) is not None
        known = known or self.inside.number(word, self.state) is not None
        return not (known or is_penalty(word))

    def is_size(self, word: str) -> bool:
        """Whether a name is that of a size: m, N, n_1."""
        return self._size(word) is not None

    def object(self, word: str) -> str | None:
        """The value whose derivative a name means: dW2, d2, delta2, dz2, or None.

        `d2`, `delta2` and `dZ2` are the delta of layer 2, ∂J/∂z2.
        """
        found = self.meaning(word)
        return found.of if found and found.kind == "gradient" else None

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
        """The array of a name, or SpecError that asks what it is."""
        number: float | None = self._size(word)
        if number is not None and word not in self.state.values:
            return np.asarray(number, self.state.dtype), ()
        found = self.meaning(word)
        if found is None and (number := self.inside.number(word, self.state)) is not None:
            return np.asarray(number, self.state.dtype), ()
        if found is None and is_penalty(word):
            return np.asarray(1.0, self.state.dtype), ()
        if found is None:
            self._ask(word)
        if found.kind == "value":
            return self.value(found.of)
        if found.kind == "jacobian":
            return self._jacobian(found)
        if found.kind == "share":
            return self.share(found.of, found.by)
        return self.derivative(found.of)

    def share(self, value: str, by: str) -> Labelled:
        """What reaches ∂J/∂value through the step `by` alone."""
        step = self.state.step(by)
        assert step is not None
        bar = Workspace(self.state).right(by)[0]
        pulled = step.op.vjp(np.array(bar), *self.state.inputs_of(step))
        arrays = [np.asarray(pulled[name]) for name, arg in step.called.items() if arg == value]
        return self.laid(value, np.sum(arrays, axis=0))

    def derivative(self, value: str) -> Labelled:
        """The right ∂J/∂value as a line reads it; with `of_each` a delta is m times it."""
        array, axes = self.right(value)
        of_params = value in self.state.program.params
        of_each = self.told.summed if of_params else self.told.of_each
        return (array * self.read("m")[0] if of_each else array), axes

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

    def _ask(self, word: str) -> NoReturn:
        if word in self.state.missing:
            require_cost(self)
        known = [*self.state.values, *self.deltas()]
        close = did_you_mean(word, known)
        numbered = re.fullmatch(r"[A-Za-z_]*\d+", word)
        what = (
            f"no value is named '{safe(word)}'."
            if numbered or close
            else f"which quantity is '{safe(word)}'? Nothing tells."
        )
        raise SpecError(
            f"diagnose_line: {what}{close}\n"
            f"  The line may read {listed(known)};\n"
            "  p is the output, m the number of examples, n_1 the width of layer 1."
        )

    def _jacobian(self, found: Meaning) -> Labelled:
        """da1_dz1 in a product: the whole matrix of one example, or its diagonal."""
        self.state.require_variable(found.of, found.by)
        step = self.state.step(found.of)
        if step and found.by in step.args and (self.told.diagonal or self.is_batch):
            if isinstance(step.op, Activation):
                z = self.state.values[found.by]
                return self.laid(found.by, np.array(step.op.vjp(np.ones_like(z), z)["z"]))
            if isinstance(step.op, Linear) and found.by == step.args[0]:
                return self.laid(step.args[1], self.state.values[step.args[1]])
        if self.is_batch:
            raise SpecError(
                f"diagnose_line: ∂{found.of}/∂{found.by} of a batch is one matrix for each example."
                "\n  Run the network on one example, or write the product without it."
            )
        array = self.state.jacobian(found.of, found.by).materialise(layout="flat")
        out = self.meanings.of[found.of]
        by = self.meanings.of[found.by]
        return array, (*out, by[0] if len(by) == 1 else Axis(UNKNOWN, array.shape[-1]))

    def right(self, value: str) -> Labelled:
        """The right ∂J/∂value."""
        if value not in self._gradients:
            self.state.require_variable(self.state.cost, value)
            require_cost(self)
            one = np.ones((), self.state.dtype)
            self._gradients[value] = pull(self.state, self.state.cost, [value], one)[value]
        if self.holds_bias(value):
            bias = Workspace(self.state).right(self._bias_of(value))[0]
            return self._with_bias(value, self._gradients[value], bias)
        return self.laid(value, self._gradients[value])

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
                return self.laid(value, np.array(step.op.vjp(np.ones_like(z), z)["z"]))
        raise SpecError(_no_slope(value, reader or maker))

    def is_preactivation(self, word: str) -> bool:
        """Whether an activation reads the value: where its slope belongs."""
        value = self._value(word) or ""
        reader = self._taken.get(value)
        inner = value in self.inside.across
        return reader is not None and isinstance(reader.op, Activation) and not inner

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
        return self.laid(value, self.state.values[value])[1]

    @property
    def is_batch(self) -> bool:
        return bool(self.state.batched)

    @property
    def has_cost(self) -> bool:
        """Whether there is a scalar to differentiate."""
        return not self.state.missing and self.state.values[self.state.cost].ndim == 0

    def spelled(self, word: str) -> str:
        """A name as the run has it: Z2, A1, X and cache['A1'] are z2, a1, x and a1."""
        return self._value(word) or word

    def call(self, node: Node, arrays: list[np.ndarray]) -> np.ndarray:
        """What a function gives whose name says it: sigmoid_prime(z1), relu_backward(dA1, Z1)."""
        word = node.style[:-1].rsplit(".", 1)[-1]
        function = function_of(word, bool(node.option("derivative")))
        kind = function.kind if function else "slope"
        if len(arrays) == 2 and (function is None or word.lower().startswith(("cost", "loss"))):
            return arrays[0] - arrays[1]
        array, arg = arrays[-1], node.args[-1]
        value = self._value(arg.text) if arg.op == "name" else None
        op = self._op_of(function.op if function else "", value)
        if kind == "activation":
            return self._activated(op, array, node.option("axis"))
        if isinstance(op, Softmax) or op == "softmax":
            raise SpecError(_no_slope(value or "z", self._taken.get(value or "")))
        takes = function.takes if function and function.takes else self.told.slope_takes
        slope = self._sloped(op, array, takes)
        return arrays[0] * slope if len(arrays) == 2 else slope

    def _op_of(self, said: str, value: str | None) -> Any:
        """The activation that a function's name says, or that of the layer it is called for."""
        if said:
            return said
        steps = (self._taken.get(value or ""), self.state.step(value or ""))
        found = [s.op for s in steps if s and isinstance(s.op, Activation | Softmax)]
        own = [s.op for s in self.state.program.steps if isinstance(s.op, Activation)]
        if not found and not own:
            raise SpecError(
                "diagnose_line: the network has no activation that this function could be.\n"
                "  Write its formula, such as 1 - a1**2."
            )
        return (found or own)[0]

    def _activated(self, op: Any, array: np.ndarray, axis: int | None) -> np.ndarray:
        if isinstance(op, Softmax) or op == "softmax":
            along = axis if axis is not None else (0 if self.columns or array.ndim == 1 else -1)
            grown = np.exp(array - array.max(axis=along, keepdims=True))
            return grown / grown.sum(axis=along, keepdims=True)
        return FORMULAS[op][0](array) if isinstance(op, str) else np.array(op.forward(array))

    def _sloped(self, op: Any, array: np.ndarray, takes: str) -> np.ndarray:
        name = op if isinstance(op, str) else op.name.lower().replace("sigmoid", "sigm")
        if takes == "a" and name in FORMULAS:
            return FORMULAS[name][1](array)
        if isinstance(op, str):
            return FORMULAS[op][1](FORMULAS[op][0](array))
        return np.array(op.vjp(np.ones_like(array), array)["z"])

    def _value(self, word: str) -> str | None:
        found = self.meaning(word)
        return found.of if found and found.kind == "value" else None

    def _size(self, word: str) -> int | None:
        if word.lower() in COUNT:
            return self.meanings.sizes.get(EXAMPLES, 1)
        layer = re.fullmatch(r"n_?(\d+)", word)
        axes = self.meanings.of.get("x" if layer[1] == "0" else f"z{layer[1]}") if layer else None
        return axes[-1].size if axes else None

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
