"""The right arrays as a student has them, in one layout: W one way or the other, biases in W."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...derivation.convention import Convention
from ..lines.vocabulary import Naming, Quantity
from .store import Store
from .studied import Studied

CLOSE, NEARLY_ZERO = 1e-7, 1e-10


@dataclass(frozen=True)
class Layout:
    """A convention, for a batch or for one example alone."""

    convention: Convention
    one: bool = False

    def __str__(self) -> str:
        if not self.one:
            return str(self.convention)
        how = "as a column" if self.convention.examples == "columns" else "as a vector"
        axes = str(replace(self.convention, mean="delta"))  # one example has no 1/m
        return f"one example {how}, {axes.split(', ', 1)[1]}"


@dataclass(frozen=True)
class Match:
    """A value is `factor` times a quantity; `turned` where it is the transpose."""

    quantity: Quantity
    factor: float
    turned: bool


class LayerCache(tuple):
    """What a forward pass keeps of a layer, ((A_prev, W, b), Z), where the text does not say it.

    Taken apart into A_prev, Z or other names of a layer's values it has the values so named.
    """

    layer: int

    def __new__(cls, parts: Iterable[Any], layer: int) -> "LayerCache":
        made = super().__new__(cls, parts)
        made.layer = layer
        return made


class LaidOut:
    """The right arrays as a student has them.

    `numbers` are what unknown names stand for, as `let` says; those in `regularising` are the
    number of a penalty, as reg and lambd are. With `classes`, the text makes its label one-hot
    itself: y is a class for each example there.
    """

    def __init__(
        self,
        studied: Studied,
        layout: Layout,
        naming: Naming,
        numbers: dict[str, float],
        regularising: frozenset[str] = frozenset(),
        classes: bool = False,
    ) -> None:
        self.studied, self.layout, self.naming, self.numbers = studied, layout, naming, numbers
        self.regularising = regularising
        self.classes = classes
        self.drops = False  # the text drops units: its masks and its keep_prob are read as 1
        self.columns = layout.convention.examples == "columns"
        self.layers, self.examples = studied.layers, studied.examples
        self.per_example = studied.per_example
        self.known = {q: self._laid(q, array) for q, array in studied.arrays.items()}
        self.bias = layout.convention.bias
        if self.bias != "own":
            self._join_biases()
        self.guessed: dict[str, Any] = {}
        self.penalties: set[str] = set()  # the regularising numbers that the text reads
        self.penalised = False
        self.of_gradients: frozenset[str] = frozenset()  # dictionaries that the text fills so
        self.defaulted: frozenset[str] = frozenset()  # arguments that have a number by default
        self.as_written = False  # a function that the text defines is not taken by its name
        self.by_example = False  # the text goes through the examples in a loop
        self._named = {id(array): q for q, array in self.known.items()}
        self._given: dict[Quantity, np.ndarray] = {}
        self.reads_derivatives: bool | None = None  # that the text does not compute; after a walk
        self._found: dict[bytes, list[Match]] = {}
        self._goals: dict[str, Quantity | None] = {}
        self.left_alone: set[str] = set()  # classes of optimisers whose lines are not judged
        self.asked: set[str] = set()  # of the naming, what a walk has turned on
        self.taken_for: dict[str, str] = {}  # a function that the text only calls -> what it is

    def _laid(self, quantity: Quantity, array: np.ndarray) -> np.ndarray:
        array = np.array(array, float)
        if quantity.of[0] == "W" and quantity.kind != "slope":
            return array.T.copy() if self.layout.convention.weights == "in,out" else array
        if quantity.of[0] == "b":
            return array[:, None] if self.columns else array
        if not self.columns:
            return array
        return array[:, None] if self.layout.one else array.T.copy()

    def _join_biases(self) -> None:
        """W with its bias as a column, or as a row where W is (inputs, outputs); a with its 1s."""
        for n in range(1, self.layers + 1):
            for kind in ("value", "gradient"):
                weight, bias = Quantity(kind, f"W{n}"), self.known.pop(Quantity(kind, f"b{n}"))
                line = bias.reshape(-1, 1) if self._bias_axis else bias.reshape(1, -1)
                self.known[weight] = self._joined(line, self.known[weight], self._bias_axis)
            before = f"a{n - 1}" if n > 1 else "x"
            array = self.known[Quantity("value", before)]
            axis = 0 if self.columns or array.ndim == 1 else 1
            ones = np.ones_like(np.take(array, [0], axis))
            self.known[Quantity("padded", before)] = self._joined(ones, array, axis)

    @property
    def _bias_axis(self) -> int:
        return 0 if self.layout.convention.weights == "in,out" else 1

    def _joined(self, line: np.ndarray, array: np.ndarray, axis: int) -> np.ndarray:
        return np.concatenate([line, array] if self.bias == "first" else [array, line], axis)

    def split(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What W holds beside its bias, and its bias."""
        at = 0 if self.bias == "first" else array.shape[self._bias_axis] - 1
        bias = np.take(array, at, self._bias_axis)
        return np.delete(array, at, self._bias_axis), bias

    def padded_elsewhere(self, value: Any) -> Quantity | None:
        """The activation whose 1s stand first where they belong last, or last for first."""
        for padded, right in self.known.items():
            if padded.kind != "padded" or np.shape(value) != right.shape:
                continue
            axis = 0 if self.columns or right.ndim == 1 else 1
            step = -1 if self.bias == "first" else 1
            if np.allclose(value, np.roll(right, step, axis), rtol=CLOSE, atol=NEARLY_ZERO):
                return padded
        return None

    def value(self, name: str) -> np.ndarray:
        return self.known[Quantity("value", name)]

    @cached_property
    def data(self) -> list[np.ndarray]:
        """The inputs and the labels, where there are some."""
        return [array for q, array in self.known.items() if q.kind == "value" and q.of in "xy"]

    def read_value(self, name: str) -> np.ndarray:
        """A value by its name, an activation with its 1s where that is how the text has it."""
        padded = self.known.get(Quantity("padded", name))
        if padded is None:
            return self.value(name)
        self.asked.add("padded")
        return padded if self.naming.padded else self.value(name)

    def of_example(self, quantity: Quantity, number: int) -> np.ndarray | None:
        """The row or the column of one example; None of what has no axis of examples."""
        right = self.known[quantity]
        if self.layout.one or quantity.of[0] not in "xyza" or right.ndim != 2:
            return None
        return np.take(right, [number], 1 if self.columns else 0)

    def is_example(self, value: Any, number: int) -> bool:
        """Whether an array is the input or the label of one example."""
        ones = [self.of_example(Quantity("value", name), number) for name in ("x", "y")]
        return isinstance(value, np.ndarray) and any(
            one is not None and np.array_equal(np.ravel(value), one.ravel()) for one in ones
        )

    def is_label_of_one(self, value: Any) -> bool:
        """Whether an array is the one-hot label of one example."""
        if not isinstance(value, np.ndarray) or value.dtype != float or value.size < 2:
            return False
        label = self.known.get(Quantity("value", "y"))
        if label is None or label.ndim != 2 or not np.array_equal(np.unique(label), [0, 1]):
            return False
        rows = label.T if self.columns else label
        return value.size == rows.shape[1] and bool((rows == value.ravel()).all(axis=1).any())

    def right(self, quantity: Quantity, store: Store) -> np.ndarray:
        """The right array for a store: in a loop over the examples that of its example."""
        whole = self.known[quantity]
        one = None if store.example is None else self.of_example(quantity, store.example)
        if one is None:
            return whole
        if isinstance(store.value, np.ndarray | np.generic) and store.value.size == one.size:
            return one.reshape(store.value.shape)
        return one if self.columns else one[0]

    @property
    def output(self) -> str:
        """The value that a forward pass ends with."""
        return f"a{self.layers}"

    @cached_property
    def activations(self) -> list[str]:
        """The names of the activations that the network has."""
        steps = (self.studied.state.step(f"a{n}") for n in range(1, self.layers + 1))
        return sorted({step.op.name for step in steps if step})

    def as_the_text_has(self, value: Any) -> Any:
        """The classes (m,) in the place of the one-hot label, where the text starts from classes.

        What counts it sees them: Y.size, Y.shape[0], len(Y), Y.max(), np.eye(k)[Y].
        """
        if not self.classes or not isinstance(value, np.ndarray):
            return value
        label = self.value("y")
        if label.ndim < 2:
            return value
        if value is not label and not np.array_equal(value, label):
            return value
        return label.argmax(0 if self.columns else 1)

    @cached_property
    def lists(self) -> dict[str, list[np.ndarray]]:
        """self.weights, activations, …: a list of each kind, in the order of the layers."""
        numbers = range(1, self.layers + 1)
        kinds = "Wbaz" if self.bias == "own" else "Waz"
        found = {kind: [self.read_value(f"{kind}{n}") for n in numbers] for kind in kinds}
        return found | {"a": [self.read_value("x"), *found["a"]]}

    def kind_of_list(self, source: Any) -> str | None:
        return next((kind for kind, own in self.lists.items() if own is source), None)

    @cached_property
    def _caches(self) -> list[LayerCache]:
        """caches[l] of a forward pass by layers: ((A_prev, W, b), Z) of each."""
        of = self.lists
        linear = zip(of["a"][:-1], of["W"], of["b"], strict=True)
        pairs = zip(linear, of["z"], strict=True)
        return [LayerCache(pair, layer) for layer, pair in enumerate(pairs, 1)]

    @cached_property
    def _pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """A mini-batch as (x, y) of each example."""
        x, y = (Quantity("value", name) for name in "xy")
        found: list[tuple[np.ndarray, np.ndarray]] = []
        for number in range(self.examples):
            one, label = self.of_example(x, number), self.of_example(y, number)
            if one is None or label is None:
                return [(self.known[x], self.known[y])]
            found.append((one, label) if self.columns else (one[0], label[0]))
        return found
