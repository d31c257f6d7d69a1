"""The convention that somebody asks for, as an object or by its name."""

from ..errors import SpecError
from ..writing.signs import safe
from .convention import Convention
from .conventions import find_convention


def chosen_convention(given: Convention | str | None) -> Convention | None:
    """The convention itself, the ready-made one of that name, or None where none is asked for.

    Raises SpecError for a name that is not known, and for what is neither.
    """
    if given is None or isinstance(given, Convention):
        return given
    found = find_convention(given) if isinstance(given, str) else None
    if not isinstance(found, Convention):
        raise SpecError(
            f"the convention is {safe(repr(given))[:40]}.\n"
            '  Pass Convention(examples="columns", weights="out,in"), or leave it out.'
        )
    return found
