"""What the names of a line stand for: the values of a run, its right deltas and gradients."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from ...algebra.axes import Axis
from ...errors import SpecError
from ...ops import Activation, Linear, Softmax
from ...program.forward_pass import Pass
from ...program.program import listed
from ...program.step import Step
from ...writing.signs import did_you_mean, safe
from .function_names import FORMULAS, function_of
from .inner_names import Inside
from .laid_out import Labelled, LaidOut, Told, require_cost
from .meanings import EXAMPLES, UNKNOWN
from .naming import Meaning, Names
from .tree import Node
from .vocabulary import COUNT, is_penalty


class Workspace(LaidOut):
    """Every name that a line may read, as an array with named axes."""

    def __init__(
        self,
        state: Pass,
        tied: Mapping[str, str] | None = None,
        told: Told | None = None,
        inside: Inside | None = None,
    ) -> None:
        super().__init__(state, told, inside)
        self.tied = dict(tied or {})
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
