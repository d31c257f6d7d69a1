"""A product of finite slopes that passes the largest number: refused, everywhere in one wording."""

import numpy as np

from ..writing.signs import number
from .arrays import is_finite, require_finite


def require_product(
    found: np.ndarray, name: str, start: str, dtype: np.dtype, slopes: str = "unknown"
) -> None:
    """DomainError naming the first entry of `found` that is not finite, and what made it so.

    `start` says what is finite, and what is multiplied. `slopes` is "finite" where they are
    known to be, "unknown" where not, or else the name of one that is not.
    """
    if not is_finite(found):
        require_finite(found, name, why_not_finite(start, dtype, slopes))


def why_not_finite(start: str, dtype: np.dtype, slopes: str = "unknown") -> str:
    """That a product of slopes is too large, and what helps; or which slope has no finite value."""
    if slopes not in ("finite", "unknown"):
        return (
            f"One of its factors is the slope {slopes}, which is itself not finite here.\n"
            f"  Ask at values at which {slopes} is finite."
        )
    largest = number(float(np.finfo(dtype).max), 2)
    wider = ", or compute in float64" if dtype == np.float32 else ""
    perhaps = ", or a slope is not finite" if slopes == "unknown" else ""
    return (
        f"{start} passes\n  {largest}, the largest {np.dtype(dtype)}{perhaps}.\n"
        f"  Standardise the data, or start from smaller weights{wider}."
    )
