"""A model that is layers one after another, as Network.dense is given it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .model import Parameter


@dataclass(frozen=True, eq=False)
class Layered:
    """Sizes, activations, loss, penalty and parameters, and what the model calls these."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str | None
    reduction: str
    penalty: Mapping[str, Mapping[str, float]]
    parameters: Mapping[str, Parameter]
    remarks: tuple[str, ...] = field(default=())

    @property
    def params(self) -> dict[str, np.ndarray]:
        """W1, b1, …, each in this package's layout."""
        return {name: parameter.array for name, parameter in self.parameters.items()}


def kernel(foreign: str, array: np.ndarray) -> Parameter:
    """A kernel (inputs, outputs) as W (outputs, inputs).

    >>> kernel("coefs_[0]", np.ones((3, 5))).array.shape
    (5, 3)
    """
    return Parameter(foreign, np.ascontiguousarray(np.asarray(array).T), (1, 0))
