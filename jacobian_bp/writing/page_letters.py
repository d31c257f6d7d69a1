"""Letters and names of our own, kept apart from the names that a user has given to values."""

from collections.abc import Container

from .signs import to_ascii

# what a page calls by a letter, and by which one instead where a value has that name
INSTEAD = {"u": "μ", "p": "θ", "q": "φ", "s": "ρ", "v": "ν", "H": "M", "m": "N", "d": "τ"}


def free(letter: str, taken: Container[str], instead: str = "") -> str:
    """The letter, or another where a value is called so, as it is or as it is spelled out.

    >>> free("u", {"x", "W"}), free("u", {"u"}), free("u", {"u"}, "ε"), free("u", {"u", "mu"})
    ('u', 'μ', 'ε', 'uu')
    """
    for sign in (letter, instead or INSTEAD[letter]):
        if sign not in taken and to_ascii(sign) not in taken:
            return sign
    sign = letter + letter
    while sign in taken:
        sign += letter
    return sign


def unused(name: str, taken: Container[str]) -> str:
    """The name for a value that a message tells to add, numbered where there is one called so.

    >>> unused("J", {"z1"}), unused("J", {"J", "J2"})
    ('J', 'J3')
    """
    number, found = 2, name
    while found in taken:
        found, number = f"{name}{number}", number + 1
    return found
