"""All exercises, by number: those in built_in/, those of packages, and those of files.

with exercises_of("my_exercise.py"):      for as long as this goes on, number 14 is there too
    find_exercise(14)
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from ...errors import SpecError
from ...network.files.paths import brief
from ...writing.signs import safe
from . import built_in
from .own_exercises import OwnExercise, exercise_of_file, exercises_of_packages
from .task import Exercise

EXERCISES: tuple[Exercise, ...] = tuple(
    import_module(f"{built_in.__name__}.{module.name}").EXERCISE
    for module in iter_modules(built_in.__path__)
)
FIRST_OWN = 100  # from here up no exercise of this package has its number
_OF_FILES: ContextVar[tuple[OwnExercise, ...]] = ContextVar("exercises of files", default=())


def find_exercise(number: int) -> Exercise:
    """The exercise of this number; SpecError with the numbers there are."""
    for exercise in (*EXERCISES, *_OF_FILES.get()):
        if exercise.number == number:
            return exercise
    of_packages, failed = _of_packages() if isinstance(number, int) else ((), ())
    for exercise in of_packages:
        if exercise.number == number:
            return exercise
    last = EXERCISES[-1].number
    asked = brief(number, 20) if isinstance(number, str) else safe(str(number)[:20])
    raise SpecError(
        f"there is no exercise {asked}.\n"
        f"  Write a number from 1 to {last}; jacobian-bp exercise list shows them.\n"
        "  One of an instructor's own needs its file: --exercise my_exercise.py."
        + "".join(f"\n  Not to be used: {reason}" for reason in failed)
    )


def all_exercises() -> tuple[tuple[Exercise, ...], tuple[str, ...]]:
    """Every exercise there is, and why those of some packages cannot be used."""
    of_packages, failed = _of_packages()
    taken = {exercise.number for exercise in _OF_FILES.get()}
    rest = [exercise for exercise in of_packages if exercise.number not in taken]
    return (*EXERCISES, *_OF_FILES.get(), *rest), failed


@contextmanager
def exercises_of(*files: str | Path) -> Iterator[tuple[OwnExercise, ...]]:
    """The exercises of an instructor's files, each of which is run, are there inside `with`.

    Raises SpecError for a file that is none, and for a number that another exercise has.
    """
    own = tuple(exercise_of_file(path) for path in files)
    _require_free(own, (*EXERCISES, *_OF_FILES.get()))
    token = _OF_FILES.set((*_OF_FILES.get(), *own))
    try:
        yield own
    finally:
        _OF_FILES.reset(token)


def _require_free(own: Iterable[OwnExercise], others: Iterable[Exercise]) -> None:
    taken = {exercise.number: exercise for exercise in others}
    for exercise in own:
        other = taken.setdefault(exercise.number, exercise)
        if other is not exercise:
            whose = getattr(other, "source", "") or "this package"
            free = max(FIRST_OWN, max(taken) + 1)
            raise SpecError(
                f"{exercise.source}: exercise {exercise.number} is one of {whose} already: "
                f"{safe(other.title)}.\n  Give yours another number, such as {free}."
            )


@cache
def _of_packages() -> tuple[tuple[OwnExercise, ...], tuple[str, ...]]:
    """Read once: an installed package does not change while this one runs."""
    found, failed = exercises_of_packages()
    taken = {exercise.number for exercise in EXERCISES}
    clash = [e for e in found if e.number in taken]
    said = [f"{e.source}: exercise {e.number} is one of this package already." for e in clash]
    return tuple(e for e in found if e.number not in taken), (*failed, *said)
