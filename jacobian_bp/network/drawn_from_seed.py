"""Parameters and data from a seed, each from a generator of its own.

numpy's global state is not touched, and the data do not depend on the shapes of the parameters.
"""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from ..errors import DomainError, SpecError
from ..numbers.memory import require_memory
from ..ops.labels import BINARY, CLASSES
from ..ops.names import label_kind


def draw_params(
    shapes: Mapping[str, tuple[int, ...]], seed: int, dtype: Any
) -> dict[str, np.ndarray]:
    """Weights of standard deviation 1/√inputs, biases of 0.1."""
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise SpecError(f"seed is {seed!r}.\n  Write a whole number from 0 up.")
    try:
        known = np.dtype(dtype) in (np.float64, np.float32)
    except TypeError:
        known = False
    if not known:
        shown = dtype.__name__ if isinstance(dtype, type) else repr(dtype)
        raise DomainError(
            f"dtype is {shown}; parameters are drawn as float64 or float32.\n"
            "  Write dtype=np.float64 or np.float32."
        )
    for name, shape in shapes.items():
        require_memory(name, shape, 8, "Use narrower layers.")
    generator = np.random.default_rng(int(seed))
    return {
        name: (
            generator.standard_normal(shape) * (shape[1] ** -0.5 if len(shape) == 2 else 0.1)
        ).astype(dtype)
        for name, shape in shapes.items()
    }


def draw_data(
    sizes: Sequence[int], loss: str | None, seed: int, examples: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """x and y for layers of these sizes; None is one example, without a batch axis.

    x is normal; y is what the loss compares with: a class, zeros and ones, or normal.
    """
    generator = np.random.default_rng([seed, 1])
    batch = () if examples is None else (examples,)
    x = generator.standard_normal((*batch, sizes[0]))
    if label_kind(loss) == CLASSES:
        return x, generator.integers(0, sizes[-1], batch)
    if label_kind(loss) == BINARY:
        return x, generator.integers(0, 2, (*batch, sizes[-1]))
    return x, generator.standard_normal((*batch, sizes[-1]))
