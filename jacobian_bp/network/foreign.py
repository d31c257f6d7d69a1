"""What a network keeps of the model that it was read from: constants, axes, names, buffers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..numbers.extras import extra
from .models.model import Parameter


@dataclass(frozen=True, eq=False)
class Foreign:
    """Constants by their names, axes that data have in front, and how parameters are called there.

    `shapes` and `output` are those of the example that the model was read with.
    """

    constants: Mapping[str, np.ndarray]
    axes: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    parameters: Mapping[str, Parameter]
    buffers: Mapping[str, Any] | None = None
    output: tuple[int, ...] = ()

    def completed(
        self, data: Mapping[str, Any], axes: Mapping[str, str] | None
    ) -> tuple[dict[str, Any], dict[str, str] | None]:
        """The data with the constants, and the axes of both where nobody names others.

        Data with one axis less than the example are one example: the axis n is not there.
        """
        named = dict(axes or {})
        for name, text in self.axes.items():
            if name in named:
                continue
            if name in self.constants:
                named[name] = text
            elif name in data:
                missing = len(self.shapes.get(name, ())) - np.ndim(data[name])
                letters = text.split(",")[missing:] if 0 <= missing <= 1 else []
                if letters:
                    named[name] = ",".join(letters)
        return {**self.constants, **data}, named or None

    def state_dict(self, params: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """The parameters under their foreign names; tensors, with the buffers, of PyTorch's."""
        found: dict[str, Any] = {}
        for name, parameter in self.parameters.items():
            array = params.get(name, parameter.array)
            found[parameter.foreign] = parameter.given_back(array)
        if self.buffers is None:
            return found
        torch = extra("torch", "state_dict() of a network from PyTorch")
        tensors = {key: torch.from_numpy(array) for key, array in found.items()}
        return {
            key: tensors[value] if isinstance(value, str) else torch.from_numpy(np.array(value))
            for key, value in self.buffers.items()
        }
