"""Files of data: which come with the package, and how large one may be."""

from pathlib import Path

from ...errors import SpecError
from ...numbers.memory import current_limit, format_bytes
from ...writing.signs import safe

LIMIT = 8 * 2**20  # bytes of text, unless another limit is given; some MiB are read a second
SHIPPED = Path(__file__).parent / "data"


def shipped_names() -> tuple[str, ...]:
    """The data sets that come with the package.

    >>> shipped_names()
    ('breast_cancer', 'diabetes', 'iris')
    """
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.csv")))


def require_at_most(path: Path, size: int, limit: int, way: str = "--data-limit {}MiB") -> None:
    """SpecError for a data file above the limit, before it is opened; `way` raises the limit."""
    if size > limit:
        raised = f", or raise the limit: {way.format(-(-size // 2**20))}"
        raise SpecError(
            f"{safe(path.name)} has {format_bytes(size)}; the limit is {format_bytes(limit)}.\n"
            f"  Keep fewer rows{raised if size <= current_limit() else ''}."
        )
