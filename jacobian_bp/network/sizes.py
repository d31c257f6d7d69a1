"""Layer widths as one word, such as 4-5-3: the input first, then each layer."""

from collections.abc import Sequence

from ..errors import SpecError

AUTO = "auto"  # a width that the data have


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
    if AUTO in parts:
        raise SpecError(
            f"{text!r} leaves a width to the data, and none is there for it.\n"
            "  The first and the last width can be auto, with --data FILE; write the others."
        )
    if len(parts) < 2 or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        raise SpecError(
            f"{text!r} is not a list of layer widths.\n"
            "  Write them with hyphens, the input first, such as 4-5-3."
        )
    widths = [int(part) for part in parts]
    if 0 in widths:
        raise SpecError(
            f"{text!r} has a width of 0; a width is a whole number from 1 up.\n"
            "  Write such as 4-5-3."
        )
    return widths


def with_widths(text: str, inputs: int, outputs: int) -> str:
    """The widths with those of the data where the first or the last is `auto`.

    >>> with_widths("auto-8-auto", 4, 3), with_widths("4-8-auto", 4, 3)
    ('4-8-3', '4-8-3')
    """
    first, *middle = text.split("-")
    parts = [str(inputs) if first == AUTO else first, *middle]
    if len(parts) > 1 and parts[-1] == AUTO:
        parts[-1] = str(outputs)
    return "-".join(parts)
