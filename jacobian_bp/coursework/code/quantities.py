"""What names and values are, in one layout and one naming; what functions give by their names."""

import ast
import re
from typing import Any

import numpy as np

from ...ops import Activation
from ...program.step import Step
from ..lines.function_names import FORMULAS, NamedFunction, function_of
from ..lines.vocabulary import Quantity
from .limits import NotReadError
from .named import Named
from .store import Store


class Quantities(Named):
    """The right arrays as a student has them, and what the student's names mean."""

    # ---------------------------------------------------------------- of several steps

    def times(self, items: list[Any]) -> list[int] | None:
        """Which recurrent step each round of a loop is of: a network of layers has none."""
        return None

    def goes_through(self, body: tuple[ast.stmt, ...]) -> None:
        """The lines of a loop over the steps, before they are walked."""

    def kept_caches(self, stored: dict[str, Any]) -> dict[str, Any]:
        """What a forward function of several steps hands on, by the names that it is read by."""
        return {}

    def settle(self, stores: list[Store]) -> None:
        """What a place says that only the whole text tells."""

    def also_meant(self, store: Store) -> list[Quantity]:
        """What else the name of a store may say."""
        return []

    def contradicts(self, name: str, value: Any, time: int | None) -> bool:
        """Whether an argument of a step's function is not what its name says."""
        return False

    def size_named(self, word: str) -> int | None:
        """The number of units that a name says, where its own line is not read."""
        return None

    def stands(self, time: int | None, inside: bool) -> None:
        """Where a name is read: in the round of which step, and in a function that is called."""

    # ---------------------------------------------------------------- helpers by their name

    def helper(self, word: str, given: list[Any], options: dict[str, Any]) -> Any:
        """What sigmoid(z), relu_derivative(z) and the like give, where the text has no def."""
        low = word.lower()
        arrays = [value for value in given if isinstance(value, np.ndarray)]
        asked = any(k.startswith("deriv") and v for k, v in options.items())
        nonlin = low == "nonlin" and len(given) > 1 and given[1] is True
        function = function_of(word, asked or nonlin)
        of_slope = function if function is not None and function.kind == "slope" else None
        if re.search(r"one_?hot|to_categorical|encode", low) and arrays:
            self.taken_for[word] = "the labels one-hot"
            return arrays[0]
        if low == "delta" and len(arrays) == 3:
            # Nielsen's self.cost.delta(z, a, y)
            self.taken_for[word] = f"∂L/∂z{self.layers} of each example"
            return self._given_delta(arrays[0])
        if of_slope and len(arrays) == 1:
            takes = "a" if nonlin else self.naming.slope_takes
            found = self._slope(low, arrays[0], takes)
            self.taken_for[word] = f"the slope of {self._said(of_slope)}, given {takes}"
            return found
        if of_slope and len(arrays) == 2:
            found = self._slope_of_two(low, *arrays)
            of_cost = any(array is self.value("y") for array in arrays)
            times = f"times the slope of {self._said(of_slope)}, given {self.naming.slope_takes}"
            self.taken_for[word] = "a − y" if of_cost else f"its first argument {times}"
            return found
        if len(arrays) == 1 and function is not None:
            found = self._activation(low, arrays[0])
            self.taken_for[word] = self._said(function)
            return found
        raise NotReadError(f"what {word}() does")

    @staticmethod
    def _said(function: NamedFunction) -> str:
        """The activation that a name says, or that of the layer where it does not say which."""
        return {"sigm": "sigmoid", "": "the layer's activation"}.get(function.op, function.op)

    def _given_delta(self, z: np.ndarray) -> np.ndarray:
        """∂J/∂z of the last layer, of one example where z is that of one."""
        quantity = Quantity("gradient", f"z{self.layers}")
        delta = self.given_derivative(quantity)
        if delta is None:
            raise NotReadError("what delta() does")
        whole = self.value(quantity.of)
        if np.shape(z) == np.shape(whole) and np.allclose(z, whole):
            return delta
        last = Quantity("value", quantity.of)
        for number in range(self.examples):
            one = self.of_example(last, number)
            if one is not None and one.size == z.size and np.allclose(one.ravel(), z.ravel()):
                right = self.of_example(quantity, number)
                assert right is not None
                return (right * self.per_example).reshape(z.shape)
        raise NotReadError("what delta() does")

    def _slope_of_two(self, low: str, first: np.ndarray, second: np.ndarray) -> Any:
        """cost_derivative(a, y) is a − y; relu_backward(dA, Z) is dA * slope(Z)."""
        label = self.value("y")
        if first is label or second is label:
            if first.shape != second.shape:
                raise NotReadError("a cost of two shapes")
            return second - first if first is label else first - second
        slope = self._slope(low, second, self.naming.slope_takes)
        if np.shape(slope) != first.shape:
            raise NotReadError("a slope of another shape")
        return first * slope

    def _op(self, low: str, array: np.ndarray) -> str:
        function = function_of(low)
        if function is not None and function.op:
            return function.op
        for number in range(1, self.layers + 1):
            for kind in "za":
                right = self.value(f"{kind}{number}")
                if array.shape == right.shape and np.array_equal(array, right):
                    return f"a{number}"
        return "a1"

    def _activation(self, low: str, z: np.ndarray) -> np.ndarray:
        op = self._op(low, z)
        if op == "softmax" or (op[0] == "a" and not self._elementwise(op)):
            axis = 0 if self.columns or z.ndim == 1 else -1
            grown = np.exp(z - z.max(axis=axis, keepdims=True))
            return grown / grown.sum(axis=axis, keepdims=True)
        if op in FORMULAS:
            return FORMULAS[op][0](z)
        return np.asarray(self._step(op).op.forward(z))

    def _slope(self, low: str, array: np.ndarray, takes: str) -> np.ndarray:
        self.asked.add("slope_takes")
        op = self._op(low, array)
        if op[0] == "a":
            known = self._step(op).op.name.lower()
            known = "sigm" if known == "sigmoid" else known
            if known not in FORMULAS:
                if not self._elementwise(op) or takes == "a":
                    raise NotReadError("the slope of what is not elementwise")
                return np.asarray(self._step(op).op.vjp(np.ones_like(array), array)["z"])
            op = known
        if op not in FORMULAS:
            raise NotReadError("the slope of softmax, which is a whole matrix")
        return FORMULAS[op][1](array if takes == "a" else FORMULAS[op][0](array))

    def _elementwise(self, value: str) -> bool:
        return isinstance(self._step(value).op, Activation)

    def _step(self, value: str) -> Step:
        step = self.studied.state.step(value)
        assert step is not None, value
        return step
