"""All exercises, by number: each file in built_in/ is one."""

from importlib import import_module
from pkgutil import iter_modules

from ...errors import SpecError
from ...network.files.paths import brief
from ...writing.signs import safe
from . import built_in
from .task import Exercise

EXERCISES: tuple[Exercise, ...] = tuple(
    import_module(f"{built_in.__name__}.{module.name}").EXERCISE
    for module in iter_modules(built_in.__path__)
)


def find_exercise(number: int) -> Exercise:
    """The exercise of this number; SpecError with the numbers there are."""
    for exercise in EXERCISES:
        if exercise.number == number:
            return exercise
    last = EXERCISES[-1].number
    asked = brief(number, 20) if isinstance(number, str) else safe(str(number)[:20])
    raise SpecError(
        f"there is no exercise {asked}.\n"
        f"  Write a number from 1 to {last}; jacobian-bp exercise list shows them."
    )
