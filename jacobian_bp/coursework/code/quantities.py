"""What names and values are, in one layout and one naming; which quantity a value is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...derivation.convention import Convention
from ...ops import Activation
from ...program.step import Step
from ..lines.function_names import FORMULAS, NamedFunction, function_of
from ..lines.vocabulary import (
    COUNT,
    LISTS,
    MINI_BATCH,
    OF_GRADIENTS,
    PENALTY,
    RATE,
    ROUNDS,
    SIZES,
    SWITCHED_OFF,
    WIDTHS,
    Naming,
    Quantity,
    derivative_of,
    goal_of,
    list_kind,
    parameter_of,
    value_of,
)
from .limits import NotReadError
from .store import Store
from .studied import Studied

CLOSE, NEARLY_ZERO = 1e-7, 1e-10
OF_DROPOUT = re.compile(
    r"[DU]_?\d|(?:dropout_?)?masks?_?\d?|keep(?:_?prob\w*)?|p_?keep|dropout_keep"
)
NEXT_TO_NOTHING = 1e-200  # a penalty that is left out, where if reg > 0 still holds


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


class Quantities:
    """The right arrays as a student has them, and what the student's names mean.

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

    def times(self, items: list[Any]) -> list[int] | None:
        """Which recurrent step each round of a loop is of: a network of layers has none."""
        return None

    def kept_caches(self, stored: dict[str, Any]) -> dict[str, Any]:
        """What a forward function of several steps hands on, by the names that it is read by."""
        return {}

    def settle(self, stores: list[Store]) -> None:
        """What a place says that only the whole text tells."""

    def contradicts(self, name: str, value: Any, time: int | None) -> bool:
        """Whether an argument of a step's function is not what its name says."""
        return False

    def size_named(self, word: str) -> int | None:
        """The number of units that a name says, where its own line is not read."""
        return None

    def stands(self, time: int | None, inside: bool) -> None:
        """Where a name is read: in the round of which step, and in a function that is called."""

    # ---------------------------------------------------------------- names

    def named(self, value: Any) -> set[Quantity]:
        """The quantity that this very array is."""
        quantity = self._named.get(id(value))
        return {quantity} if quantity else set()

    def lookup(self, word: str, bag: str = "") -> Any:
        """What a name stands for that the text only reads; None where nothing tells."""
        low = word.lower().strip("_")
        if bag and OF_GRADIENTS.search(bag):
            return self._given_in_bag(word)
        if word in self.numbers and word not in self.regularising and low not in PENALTY:
            return self.numbers[word]
        if self.is_of_dropout(word):
            return 1.0
        value = value_of(word, self.naming, self.layers)
        if value and word not in self.regularising and Quantity("value", value) in self.known:
            return self.read_value(value)
        if low in COUNT:
            return self.examples
        if low in PENALTY or word in self.regularising:
            self.penalties.add(word)
            return self.penalty(word) * (1.0 if self.penalised else NEXT_TO_NOTHING)
        if low in MINI_BATCH and not bag:
            return self._pairs
        if low == "caches" and self.bias == "own":
            return self._caches
        if low in RATE:
            return 1.0
        if low in ROUNDS:
            return 1
        if low in SWITCHED_OFF:
            return 0
        if low in ("l", "num_layers", "n_layers", "nlayers"):
            self.asked.add("counts_input")
            return self.layers + (low != "l" and self.naming.counts_input)
        for kind, words in LISTS.items():
            if low in words and kind in self.lists:
                return self.lists[kind]
        if low in WIDTHS:
            return self._widths
        if (size := self._size(low)) is not None:
            return size
        if low in ("parameters", "params") and not bag:
            return dict.fromkeys(range(2 * self.layers))
        return self._given_derivative(word)

    @cached_property
    def _widths(self) -> list[int]:
        sides = [self.studied.arrays[Quantity("value", f"W{n + 1}")] for n in range(self.layers)]
        return [sides[0].shape[1], *(side.shape[0] for side in sides)]

    def _size(self, low: str) -> int | None:
        """How many units a name says: of the hidden layer, where there is one."""
        of_hidden = self._widths[1:-1] if self.layers == 2 else []
        sizes = {"input": self._widths[:1], "hidden": of_hidden, "output": self._widths[-1:]}
        return next((sizes[of][0] for of, said in SIZES.items() if low in said and sizes[of]), None)

    def is_of_dropout(self, word: str) -> bool:
        """Whether a name is that of a mask or of the share that is kept."""
        return self.drops and bool(OF_DROPOUT.fullmatch(word))

    def penalty(self, word: str) -> float:
        """The number of a regulariser: as `let` says, else 1 stands for the symbol."""
        return self.numbers.get(word) or 1.0

    def _given_derivative(self, word: str) -> np.ndarray | None:
        """dZ2 in a text that does not compute it: right, so far as the text can know."""
        value = derivative_of(word, self.naming, self.layers)
        return None if value is None else self.given_derivative(Quantity("gradient", value))

    def _given_in_bag(self, key: str) -> np.ndarray | None:
        """grads['dW2'] or grads['W2'] in a text that is handed its gradients."""
        goal = self.goal_of(f"grads[{key!r}]")
        return self.given_derivative(goal) if goal and goal.kind == "gradient" else None

    def given_derivative(self, quantity: Quantity) -> np.ndarray | None:
        """A derivative that a text is handed, as often as its naming says."""
        if quantity not in self.known:
            return None
        if quantity not in self._given:
            self.asked.add("given")
            of_examples = self.naming.given == "m" and not quantity.is_parameter_gradient
            factor = self.per_example if of_examples else 1
            self._given[quantity] = self.known[quantity] * factor
            self._named[id(self._given[quantity])] = quantity
        return self._given[quantity]

    def parameter(self, path: str | None) -> Quantity | None:
        """The gradient that an update of this name takes."""
        value = parameter_of(path, self.naming, self.layers) if path else None
        quantity = Quantity("gradient", value) if value else None
        return quantity if quantity in self.known else None

    def slot(self, source: Any, key: int, path: str | None) -> Quantity | None:
        """What nabla_w[-2] stands for: the place says it."""
        kind = getattr(source, "kind", None) or list_kind(path or "")
        if kind not in ("W", "b"):
            return None
        number = key + 1 if key >= 0 else len(source) + 1 + key
        return Quantity("gradient", f"{kind}{number}") if 1 <= number <= self.layers else None

    def goal(self, store: Store) -> Quantity | None:
        """The quantity that the place or the name of a store says."""
        if store.place in self.known or store.is_local:
            return store.place if store.place in self.known else None
        return self.goal_of(store.path)

    def goal_of(self, path: str) -> Quantity | None:
        """The quantity that a name says."""
        if path not in self._goals:
            goal = goal_of(path, self.naming, self.layers)
            self._goals[path] = goal if goal in self.known else None
        return self._goals[path]

    def behind(self, quantity: Quantity) -> Quantity | None:
        """∂J/∂z1 for ∂J/∂a1, which dA1[Z1 <= 0] = 0 makes of it; and the other way round."""
        other = {"a": "z", "z": "a"}.get(quantity.of[0], "") + quantity.of[1:]
        found = Quantity(quantity.kind, other)
        return found if quantity.kind == "gradient" and found in self.known else None

    def walked(self) -> None:
        """The text as it stands has been walked through once."""
        if self.reads_derivatives is None:
            self.reads_derivatives = bool(self._given)

    def is_given(self, array: Any) -> bool:
        """Whether an array stands for a derivative that the text only reads."""
        return any(array is given for given in self._given.values())

    # ---------------------------------------------------------------- values

    def matches(self, value: Any, wanted: Quantity | None = None) -> list[Match]:
        """The quantities that a value is, up to one factor; the wanted one first."""
        if not isinstance(value, np.ndarray | np.generic) or value.dtype == object:
            return []
        array = np.asarray(value, float)
        key = repr(array.shape).encode() + array.tobytes()
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._compared(array)
        return sorted(
            found,
            key=lambda m: (
                m.quantity != wanted,
                m.turned,
                abs(abs(m.factor) - 1) > CLOSE,
                m.factor < 0,
            ),
        )

    def by_chance(self, value: Any, factor: float) -> bool:
        """Whether a multiple proves nothing: of one or two entries, by a number that is not usual.

        One number is a multiple of every other one, and so are the two of p − y of two classes.
        Usual are numbers of three digits, one over these, and both times m, 1/m and 1/m².
        """
        if np.count_nonzero(value) > 2:
            return False
        m = self.per_example
        times = [abs(factor) / unit for unit in (1, m, 1 / m, 1 / m**2)]
        return not any(
            abs(one - float(f"{one:.3g}")) <= CLOSE * one for t in times if t for one in (t, 1 / t)
        )

    def unrolled(self, value: Any) -> bool:
        """Whether a vector is right gradients of parameters, one behind the other."""
        if not isinstance(value, np.ndarray) or value.ndim != 1:
            return False
        right = [a for q, a in self.known.items() if q.is_parameter_gradient]
        pieces = [a.ravel(order) for a in right for order in ("C", "F")]
        start = 0
        while start < value.size:
            for piece in pieces:
                own = value[start : start + piece.size]
                margin = NEARLY_ZERO + CLOSE * np.abs(piece).max()
                if own.shape == piece.shape and np.abs(own - piece).max() <= margin:
                    start += piece.size
                    break
            else:
                return False
        return start > 0

    def _compared(self, array: np.ndarray) -> list[Match]:
        if not array.any() or not np.isfinite(array).all():
            return []
        found = []
        for quantity in self._of_size.get(array.size, ()):
            right = self.known[quantity]
            for turned, form in self._forms(quantity, right, array):
                if factor := _times(form, right):
                    found.append(Match(quantity, factor, turned))
                    break
        return found + self._of_examples(array) if self.by_example else found

    @cached_property
    def _of_size(self) -> dict[int, list[Quantity]]:
        """The quantities of each number of entries: no other is a multiple."""
        found: dict[int, list[Quantity]] = {}
        for quantity, right in self.known.items():
            found.setdefault(right.size, []).append(quantity)
        return found

    def _of_examples(self, array: np.ndarray) -> list[Match]:
        """The quantities of one example that a value is; one number is none at any factor.

        The factor is 1 or m where it can be: with two classes every p − y is a multiple of another.
        """
        if array.ndim > 1 and array.size != max(array.shape):
            return []
        names, ones = self._ones.get(array.size, ([], np.empty((0, array.size))))
        value = array.ravel()
        factors = ones @ value / np.maximum((ones * ones).sum(1), np.finfo(float).tiny)
        margins = NEARLY_ZERO + CLOSE * np.abs(value).max()
        same = np.flatnonzero(np.abs(factors[:, None] * ones - value).max(1) <= margins)
        found: dict[Quantity, Match] = {}
        for place in same:
            quantity, factor = names[place], float(factors[place])
            usual = any(abs(abs(factor) - m) <= CLOSE * m for m in (1, self.per_example))
            if factor and (usual or (value.size > 1 and quantity not in found)):
                found[quantity] = Match(quantity, factor, False)
        return list(found.values())

    @cached_property
    def _ones(self) -> dict[int, tuple[list[Quantity], np.ndarray]]:
        """Every quantity of every example, by how many entries it has."""
        rows: dict[int, list[tuple[Quantity, np.ndarray]]] = {}
        for quantity in self.known:
            for number in range(self.examples):
                one = self.of_example(quantity, number)
                if one is not None:
                    rows.setdefault(one.size, []).append((quantity, one.ravel()))
        return {
            size: ([quantity for quantity, _ in found], np.array([one for _, one in found]))
            for size, found in rows.items()
        }

    def _forms(
        self, quantity: Quantity, right: np.ndarray, array: np.ndarray
    ) -> list[tuple[bool, np.ndarray]]:
        """The ways in which an array can stand for a quantity."""
        is_bias = quantity.of[0] == "b"
        if not right.any() or (array.ndim == 0 and (right.size > 1 or not is_bias)):
            return []
        forms = []
        flat = min(array.ndim, right.ndim) < 2
        if array.shape == right.shape:
            forms.append((False, array))
        elif (is_bias and array.size == right.size) or (
            flat and np.squeeze(array).shape == np.squeeze(right).shape
        ):
            forms.append((False, array.reshape(right.shape)))
        if array.ndim == 2 and array.T.shape == right.shape and not is_bias:
            forms.append((True, array.T))
        return forms

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


def _times(form: np.ndarray, right: np.ndarray) -> float:
    """How many times the right array a form is; 0 where it is no multiple of it."""
    place = np.unravel_index(np.abs(right).argmax(), right.shape)
    factor = float(form[place] / right[place]) if right[place] else 0.0
    margin = NEARLY_ZERO * abs(factor) * abs(float(right[place]))
    for other in ((0,) * right.ndim, (-1,) * right.ndim):  # most arrays differ here already
        one, meant = float(form[other]), factor * float(right[other])
        if abs(one - meant) > 2 * (margin + CLOSE * abs(meant)):
            return 0.0
    return factor if np.allclose(form, factor * right, rtol=CLOSE, atol=margin) else 0.0
