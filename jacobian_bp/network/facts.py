"""What is known of a network besides its steps and its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..derivation.ready_made import ReadyMade
from .foreign import Foreign


@dataclass(frozen=True, eq=False)
class NetworkFacts:
    """The layers that a network was built from, and what its file says; else nothing.

    A network of any graph has no layers: `sizes` is empty. Without a file there is no data,
    and nothing to remark.
    """

    sizes: tuple[int, ...] = ()  # the input first, then each layer
    activations: tuple[str, ...] = ()  # one a layer
    loss: str | None = None
    penalty: tuple[str, ...] = ()  # what is added to the cost, as formulas
    squash: str = ""  # the activation that the input passes first
    convention: str | ReadyMade | None = None  # None: neither the file nor the user says
    seed: int = 0  # of what is drawn
    remarks: tuple[str, ...] = ()  # where weights and data come from, in words
    data: Mapping[str, np.ndarray] = field(default_factory=dict)  # x and y, where the file has them
    axes: Mapping[str, str] | None = None  # what these have in front of the axes of one vector
    foreign: Foreign | None = None  # what a model of another library has beside its parameters
