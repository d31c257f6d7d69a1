"""All exercises, by number."""

from ...errors import SpecError
from ...network.files.paths import brief
from ...writing.signs import safe
from .built_in import (
    e01_shape_table,
    e02_diagonal_matrices,
    e03_nonzero_entries,
    e04_flatten,
    e05_planted_bug,
    e06_softmax,
    e07_einsum_strings,
    e08_layer_norm,
    e09_bytes,
    e10_layouts,
    e11_saturated,
    e12_skip_connection,
)
from .task import Exercise

EXERCISES: tuple[Exercise, ...] = tuple(
    module.EXERCISE
    for module in (
        e01_shape_table,
        e02_diagonal_matrices,
        e03_nonzero_entries,
        e04_flatten,
        e05_planted_bug,
        e06_softmax,
        e07_einsum_strings,
        e08_layer_norm,
        e09_bytes,
        e10_layouts,
        e11_saturated,
        e12_skip_connection,
    )
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
