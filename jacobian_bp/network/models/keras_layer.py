"""One layer of a configuration of Keras, and the nodes and parameters that it adds to a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...writing.signs import safe
from .model import Model, Node, Parameter
from .names import as_name

ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("relu", {}), "sigmoid": ("sigmoid", {}), "tanh": ("tanh", {}),
    "softmax": ("softmax", {"axis": -1}), "log_softmax": ("softmax", {"axis": -1, "log": True}),
    "softplus": ("softplus", {}), "silu": ("silu", {}), "swish": ("silu", {}), "elu": ("elu", {}),
    "gelu": ("gelu", {}), "leaky_relu": ("leaky_relu", {"slope": 0.2}),
    "exponential": ("exp", {}),
}  # fmt: skip


class UnknownError(Exception):
    """An option of a known layer that cannot be written."""


@dataclass(frozen=True, eq=False)
class Here:
    """A value on the way: its key, and its shape with examples."""

    key: str
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a configuration: its class, name, options and arrays, and the model so far.

    `inner` are the arrays of the layers that it holds, `call` what it is called with by name.
    """

    model: Model
    kind: str
    name: str
    config: dict[str, Any]
    arrays: Sequence[np.ndarray]
    inner: Mapping[str, Sequence[np.ndarray]]  # of the layers that it holds, by their names
    call: Mapping[str, Any]  # what it is called with beside the values

    def node(
        self,
        kind: str,
        reads: Sequence[str | None],
        shape: tuple[int, ...],
        part: str = "",
        inside: str = "",
        **options: Any,
    ) -> Here:
        """One more node; of several values `part` is which.

        It has the name of the layer, and what is on the way to that, `inside`, one of its own.
        """
        key = f"{self.name}:{len(self.model.nodes)}{part}"
        place = f"layer {self.name!r}, {self.kind}"
        called = as_name(f"{self.name}_{inside}" if inside else self.name, "v")
        self.model.nodes.append(Node(kind, tuple(reads), key, shape, called, place, options))
        return Here(key, shape)

    def parameter(self, place: int, what: str, order: tuple[int, ...] | None = None) -> str:
        """An array of the layer as a parameter, in this package's order of axes."""
        array = self.arrays[place]
        turned = array if order is None else np.ascontiguousarray(array.transpose(order))
        return self.keep(what, turned, order)

    def keep(
        self,
        what: str,
        array: np.ndarray,
        order: tuple[int, ...] | None = None,
        rows: tuple[int, ...] | None = None,
        shape: tuple[int, ...] | None = None,
        inside: str = "",
    ) -> str:
        """A parameter in this package's layout, with the way back to that of Keras.

        There the name of the layer `inside` this one stands in between: lstm/lstm_cell/kernel.
        """
        key = f"{self.name}/{what}"
        foreign = f"{self.name}/{inside}/{what}" if inside else key
        self.model.parameters[key] = Parameter(foreign, array, order, rows, shape)
        return key

    def constant(self, place: int, what: str) -> str:
        key = f"{self.name}/{what}"
        self.model.constants[key] = self.arrays[place]
        return key

    def activated(self, value: Here) -> Here:
        """The value behind the activation that a layer names."""
        said = self.config.get("activation") or "linear"
        if isinstance(said, dict):
            said = said.get("config", {}).get("name") or said.get("class_name", "")
        if said == "linear":
            return value
        if said not in ACTIVATIONS:
            raise UnknownError(f"its activation is {safe(repr(said))[:60]}")
        kind, options = ACTIVATIONS[said]
        return self.node(kind, [value.key], value.shape, **options)


Rule = Callable[[Layer, list[Here]], Here]
