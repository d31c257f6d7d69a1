"""What is no batch is none for the gate: the rows of an image's channels are no m examples."""

import pytest

from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.secrecy import SAFE_RATIOS, Gate

SEEDS = (0, 1, 2)


@pytest.mark.parametrize(
    ("number", "has_batch"), [(14, False), (15, False), (17, True), (22, True)]
)
def test_a_factor_of_as_many_as_there_are_examples_is_told_and_no_other(number, has_batch):
    for seed in SEEDS:
        task = find_exercise(number).make(seed)
        rows = len(task.given["x"])
        ratios = Gate.of(task).ratios
        assert ratios - SAFE_RATIOS == (
            {str(rows), f"1/{rows}"} - SAFE_RATIOS if has_batch else set()
        )
        told = f"The delta of x is {rows} times the right array, in every entry."
        assert Gate.of(task).passes(told) == (has_batch or rows == 2)


@pytest.mark.parametrize("number", [14, 16, 20, 21, 23])
def test_no_sentence_on_a_planted_mistake_in_a_layer_has_a_right_number(number):
    task = find_exercise(number).make(5)
    gate = Gate.of(task)
    for planted in task.mistakes:
        assert gate.guarded(planted.says) == planted.says
    told = max((f"{value:.4g}" for value in gate.right), key=len)
    assert not gate.passes(f"it should be {told}")
