"""Names that a second spelling leaves alone, though they are names of ours too.

Where a writer counts from 0, our z2 is z1, and our z1 is z0: a text that is spelled part
by part and then as a whole must not have z2 become z0. Such a name goes about with its
first letter as a sign that no name has, of the same width, until the whole is written.
"""

import re

from ..writing.signs import rename, to_ascii

HIDDEN = 0xF0000  # code points for private use
_SIGN = re.compile(f"[{chr(HIDDEN)}-{chr(HIDDEN + 0xFFFD)}]")


def spelled_once(names: dict[str, str]) -> dict[str, str]:
    """The names, those hidden that spelling again would change.

    >>> names = spelled_once({"z1": "z0", "z2": "z1", "W1": "W^2"})
    >>> twice = rename(rename("z2 reads W1", names), names)
    >>> read_aloud(twice)
    'z1 reads W^2'
    """
    return {
        ours: chr(HIDDEN + ord(name[0])) + name[1:] if rename(name, names) != name else name
        for ours, name in names.items()
    }


def as_ascii(text: str) -> str:
    """`to_ascii`, the hidden letters kept."""
    return "".join(part if _SIGN.fullmatch(part) else to_ascii(part) for part in _parts(text))


def read_aloud(text: str) -> str:
    """The text with every letter as it is."""
    return _SIGN.sub(lambda sign: chr(ord(sign[0]) - HIDDEN), text)


def _parts(text: str) -> list[str]:
    return re.split(f"({_SIGN.pattern})", text)
