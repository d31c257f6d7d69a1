"""Layer widths as one word, such as 4-5-3: the input first, then each layer."""

from collections.abc import Sequence

from ..errors import SpecError


def format_sizes(sizes: Sequence[int]) -> str:
    """The widths with hyphens between them.

    >>> format_sizes([4, 5, 3])
    '4-5-3'
    """
    return "-".join(map(str, sizes))


def parse_sizes(text: str) -> list[int]:
    """The widths that such a word says.

    >>> parse_sizes("4-5-3")
    [4, 5, 3]

    Raises SpecError for a word that says none.
    """
    parts = text.split("-")
    if len(parts) < 2 or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        raise SpecError(
            f"{text!r} is not a list of layer widths.\n"
            "  Write them with hyphens, the input first, such as 4-5-3."
        )
    return [int(part) for part in parts]
