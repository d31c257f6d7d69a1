"""What a student handed in, brought into the network's own names, axes and scale.

    dTheta1 (units, 1 + inputs)  →  W1 (outputs, inputs) and b1, with the bias as first column
    dZ2 (units, examples)        →  z2 (examples, units), with the examples in columns

How each array stood is kept, so that what is said of it can speak of its own rows and columns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ...algebra.axes import BATCH
from ...derivation.convention import Convention
from ...errors import SpecError
from ...network.files.answer_file import Key, key_of
from ...network.run import Run
from ...numbers.arrays import raw_array
from ...numbers.memory import require_memory
from ...ops import Linear
from ...program.forward_pass import Pass
from ...writing.signs import safe, type_of
from .diagnosis import name_of
from .evidence.proofs import WHOLE, Place
from .key_names import key_by, unknown_name

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Handed:
    """One object as it was handed in: its numbers, in the student's own axes.

    `turned` says that the student's axes are the network's exchanged, as declared; `examples`,
    of more than two axes, where among the network's own stands the last axis of the student's.
    `place` is where it stands in a larger array, `times` how often ours it is meant to be.
    """

    array: np.ndarray
    turned: bool = False
    place: Place = WHOLE
    times: float = 1.0
    part: str = ""  # of a larger array: "column 0"
    back: Callable[[np.ndarray], np.ndarray] = np.asarray  # of a Jacobian: to the student's axes
    examples: int | None = None

    def ours(self, right: Shape) -> np.ndarray:
        """The numbers in the network's own axes, in float64."""
        S = self.array.astype(np.float64) / self.times
        if self.examples is not None and S.ndim == len(right):
            return np.moveaxis(S, -1, self.examples)
        if not self.turned or S.ndim > 2:
            return S
        if len(right) == 1:  # of one example, or a bias: a column is the student's own
            if S.shape == (*right, 1):
                return S.reshape(right)
            return S.T if S.ndim == 2 and min(S.shape) > 1 else S
        if S.ndim == 2 and (min(S.shape) > 1 or S.shape == right[::-1]):
            return S.T
        if len(right) == 2 and S.size == right[0] * right[1]:  # written out flat
            return S.reshape(right[::-1]).T.reshape(S.shape)
        return S

    def laid(self, array: np.ndarray, turned: bool = False) -> np.ndarray:
        """An array of the network's own axes, as this one stands: exchanged once more or not."""
        if turned and array.ndim > 2 and self.array.ndim == 2:  # a kernel as a matrix of columns
            return np.asarray(array.reshape(len(array), -1).T * self.times)
        return np.asarray(self.own(array, turned).reshape(self.array.shape) * self.times)

    def own(self, array: np.ndarray, turned: bool = False) -> np.ndarray:
        """An array of the network's own axes in the order of the student's."""
        if self.examples is not None and array.ndim > 2:
            return np.moveaxis(array, self.examples, -1)
        return array.T if array.ndim == 2 and self.turned != turned else array


class HandedIn:
    """The arrays of a submission by the network's own keys, and by the student's."""

    def __init__(self, run: Run, submitted: Mapping[Any, Any], written: Convention | None) -> None:
        if not isinstance(submitted, Mapping):
            raise SpecError(
                f"the answers are {type_of(submitted)}, not a mapping of names to arrays.\n"
                '  Write diagnose(run, {"W2": dW2, "z2": delta2}).'
            )
        self.run, self.state, self.written = run, run.forward_pass, written
        self.keys: dict[Key, tuple[Key, ...]] = {}  # the student's key → ours
        self.of: dict[Key, Handed] = {}
        known = {key: self._known(key) for key in submitted}
        for key, value in submitted.items():
            array = _array(value, key)
            parts = self._parts(known[key], array)
            self.keys[key] = tuple(parts)
            for own, part in parts.items():
                self._keep(own, part)

    def _keep(self, key: Key, part: Handed) -> None:
        other = self.of.setdefault(key, part)
        if not np.array_equal(other.array, part.array, equal_nan=True):
            raise SpecError(
                f"{self.called(key)} is there twice, with other numbers.\n"
                "  Keep one of the two arrays."
            )

    def called(self, key: Key) -> str:
        """The object by the student's name."""
        if self.written is None:
            return name_of(key)
        if isinstance(key, str):
            return self.written.name(key)
        return name_of((self.written.name(key[0]), self.written.name(key[1])))

    # ---------------------------------------------------------------- names

    def _known(self, key: Any) -> Key:
        """The key by the names that the run knows; a tied parameter by its first name."""
        run = self.run
        names = {*run, *run._tied}
        theirs = self.written is not None and isinstance(key, tuple)
        if isinstance(key, str):
            key = key_of(key, names) or key if self.written is None else self._meant(key)
        pair = isinstance(key, tuple) and len(key) == 2
        asked = key if pair else (key,)
        if not all(isinstance(name, str) for name in asked):
            raise SpecError(
                f"{safe(repr(key))[:60]} names no object.\n"
                '  Write a name such as "W2" or "z2", or a pair such as ("z2", "W2").'
            )
        if theirs:
            asked = tuple(self._meant(name) for name in asked)
        for name in asked:
            run[name]  # SpecError for a name that stands nowhere
        found = tuple(run._tied.get(name, name) for name in asked)
        if not pair:
            run.forward_pass.require_variable(run.cost, found[0])
            return found[0]
        run.forward_pass.require_variable(found[0], found[1])
        return found[0], found[1]

    def _meant(self, key: str) -> Key:
        """Our key for a name of the student's; SpecError where it says nothing."""
        assert self.written is not None
        found = key_by(key, self.written, {*self.run, *self.run._tied})
        if found is None:
            raise unknown_name(key, self.written, self.run)
        return found

    # ---------------------------------------------------------------- arrays

    def _parts(self, key: Key, array: np.ndarray) -> dict[Key, Handed]:
        if self.written is None:
            return {key: Handed(array)}
        if not isinstance(key, str):
            array, back = jacobian_in_our_axes(self.state, key, array, self.written)
            return {key: Handed(array, back=back)}
        return parts_of(self.state, key, array, self.written)


def parts_of(state: Pass, key: str, array: np.ndarray, written: Convention) -> dict[Key, Handed]:
    """One array in the student's axes; of a W with its bias in it, both."""
    right, params = state.values[key].shape, state.program.params
    if key in params and len(right) == 2:
        turned = written.weights == "in,out" and key in layer_weights(state)
        bias = bias_of(state, key) if written.bias != "own" else None
        if bias is not None and array.shape == with_bias(right, turned):
            return _split(key, bias, array, turned, written.bias == "first")
        return {key: Handed(array, turned)}
    lifted = key in state.batched
    columns = written.examples == "columns" and (len(right) == 1 or (lifted and len(right) == 2))
    times = of_each_example(state, written) if lifted else 1.0
    order = axes_in(state, key, written)
    examples = order[-1] if len(order) > 2 and order[-1] < len(order) - 1 else None
    return {key: Handed(array, columns, times=times, examples=examples)}


def of_each_example(state: Pass, written: Convention) -> float:
    """How often ours the student's deltas are: m, where the 1/m stands in the gradients."""
    examples = [state.values[name].shape[0] for name in state.batched]
    apart = written.mean == "gradient" and state.program.averages and examples
    return float(examples[0]) if apart else 1.0


def layer_weights(state: Pass) -> frozenset[str]:
    """The weights of layers, whose axes a convention orders; not a table such as an embedding."""
    steps = [step for step in state.program.steps if isinstance(step.op, Linear)]
    return frozenset(step.args[1] for step in steps)


def bias_of(state: Pass, weight: str) -> str | None:
    """The bias that a layer adds to what it makes with this weight."""
    for step in state.program.steps:
        if isinstance(step.op, Linear) and len(step.args) == 3 and step.args[1] == weight:
            return step.args[2]
    return None


def with_bias(right: Shape, turned: bool) -> Shape:
    """(outputs, inputs + 1), or (inputs + 1, outputs)."""
    K, I = right  # noqa: E741
    return (I + 1, K) if turned else (K, I + 1)


def _split(
    weight: str, bias: str, array: np.ndarray, turned: bool, first: bool
) -> dict[Key, Handed]:
    """W and its bias, which is its first or last column; a row where W is (inputs, outputs)."""
    axis = 0 if turned else 1
    inputs = array.shape[axis] - 1
    at = 0 if first else inputs
    rest = np.delete(array, at, axis)
    before = (int(first), 0) if turned else (0, int(first))
    line = f"{'row' if turned else 'column'} {at}"
    return {
        weight: Handed(rest, turned, replace(WHOLE, before=before)),
        bias: Handed(np.take(array, at, axis), part=line),
    }


def jacobian_in_our_axes(
    state: Pass, key: tuple[str, str], array: np.ndarray, written: Convention
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """A Jacobian in our axes, and the way back to the student's.

    Its outputs, or its variable, are an array that the student keeps in another order of axes.
    The layout is found later: outputs first, the variable first, or either flat.
    """
    of, wrt = (state.values[name].shape for name in key)
    order = [axes_in(state, name, written) for name in key]
    if all(axes == tuple(range(len(axes))) for axes in order):
        return array, np.asarray
    mine = [tuple(s[a] for a in axes) for s, axes in zip((of, wrt), order, strict=True)]
    for first, then in ((0, 1), (1, 0)):
        if array.shape == mine[first] + mine[then]:
            rank = len(mine[first])
            theirs = (*order[first], *(rank + i for i in order[then]))
            ours = tuple(map(int, np.argsort(theirs)))
            return array.transpose(ours), partial(np.transpose, axes=theirs)
    if array.shape == (int(np.prod(of)), int(np.prod(wrt))) and (mine[0] != of or len(wrt) > 2):
        if len(wrt) < 3:  # whose columns are found later, row by row or column by column
            mine[1], order[1], wrt = array.shape[1:], (0,), array.shape[1:]
        theirs = (*order[0], *(len(of) + axis for axis in order[1]))

        def flat(found: np.ndarray, sides: Shape, axes: Sequence[int]) -> np.ndarray:
            return found.reshape(sides).transpose(axes).reshape(found.shape)

        ours = tuple(map(int, np.argsort(theirs)))
        there, here = (*mine[0], *mine[1]), (*of, *wrt)
        return flat(array, there, ours), lambda found: flat(found, here, theirs)
    return array, np.asarray


def axes_in(state: Pass, name: str, written: Convention) -> tuple[int, ...]:
    """The places of the axes of a value in the student's order: in columns the examples last."""
    axes = [axis.name for axis in state.axes(name)]
    places = list(range(len(axes)))
    if BATCH in axes and name not in state.program.params:
        if written.examples == "columns":
            places.append(places.pop(axes.index(BATCH)))
    elif len(axes) == 2 and name in layer_weights(state) and written.weights == "in,out":
        places.reverse()
    return tuple(places)


def _array(value: Any, key: Any) -> np.ndarray:
    name = key if isinstance(key, str) else name_of(key)
    array = raw_array(value, name)
    require_memory(name, array.shape, 8, f"Hand in {name} in the shape of the parameter or value.")
    kept = array.dtype if array.dtype.kind == "f" and array.dtype.itemsize <= 8 else np.float64
    return np.array(array, dtype=kept, copy=True)
