"""float64, or float32 where parameters and data all are: the precision of a computation.

float16 counts as float32, and whole numbers and longer floats as float64 (`arrays`).
"""

from collections.abc import Iterable

import numpy as np


def precision_of(arrays: Iterable[np.ndarray]) -> np.dtype:
    """The dtype in which to compute with `arrays`: float32 only if none of them is longer.

    >>> precision_of([np.zeros(3, np.float32)]), precision_of([np.zeros(3, np.float32), np.ones(2)])
    (dtype('float32'), dtype('float64'))
    """
    return np.result_type(np.float32, *arrays)
