"""What a student's names mean: what a name stands for that is read, and what one is stored for."""

import re
from functools import cached_property
from typing import Any

import numpy as np

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
    Quantity,
    derivative_of,
    goal_of,
    in_one_key,
    list_kind,
    parameter_of,
    value_of,
)
from .recognised import Recognised
from .store import Store

OF_DROPOUT = re.compile(
    r"[DU]_?\d|(?:dropout_?)?masks?_?\d?|keep(?:_?prob\w*)?|p_?keep|dropout_keep"
)
NEXT_TO_NOTHING = 1e-200  # a penalty that is left out, where if reg > 0 still holds


class Named(Recognised):
    """The right arrays, with what is told from names and places."""

    def named(self, value: Any) -> set[Quantity]:
        """The quantity that this very array is."""
        quantity = self._named.get(id(value))
        return {quantity} if quantity else set()

    def lookup(self, word: str, bag: str = "") -> Any:
        """What a name stands for that the text only reads; None where nothing tells."""
        if (whole := in_one_key(f"{bag}[{word!r}]")) != f"{bag}[{word!r}]":
            bag, _, word = whole[:-2].rpartition("['")
        low = word.lower().strip("_")
        if bag and self.holds_gradients(bag):
            return self._given_in_bag(bag, word)
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

    def holds_gradients(self, bag: str) -> bool:
        """Whether a dictionary is one of gradients: by its name, or by what the text puts there."""
        return bag.partition("[")[0] in self.of_gradients or bool(OF_GRADIENTS.search(bag))

    def _given_in_bag(self, bag: str, key: str) -> np.ndarray | None:
        """grads['dW2'] or grads['W2'] in a text that is handed its gradients."""
        goal = self.goal_of(f"{bag}[{key!r}]")
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
        path = in_one_key(path) if path else None
        if path is None or path.rpartition("[")[0] in self.of_gradients:
            return None
        value = parameter_of(path, self.naming, self.layers)
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
            whole = in_one_key(path)
            goal = goal_of(whole, self.naming, self.layers)
            if goal and goal.kind == "value" and whole.rpartition("[")[0] in self.of_gradients:
                goal = Quantity("gradient", goal.of)
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
