"""What is asked of a network by the parts of it that stand in files of their own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from .run import Run


class Runs(Protocol):
    """A network that can be run on data."""

    @property
    def params(self) -> Mapping[str, np.ndarray]: ...
    @property
    def steps(self) -> tuple[str, ...]: ...
    @property
    def tied(self) -> Mapping[str, str]: ...
    def run(
        self, x: Any = ..., y: Any = ..., *, axes: Mapping[str, str] | None = ..., **more: Any
    ) -> "Run": ...
