"""Mistakes beyond dense layers that nothing was made with are named; right answers are not."""

import numpy as np
import pytest
from unseen_mistakes import FIRST, FOURTH, SECOND, THIRD, plants

from jacobian_bp.coursework.diagnosis import diagnose
from jacobian_bp.coursework.diagnosis.label_sentences import RIGHT

LEAST_NAMED = 0.85
QUICK = 3  # every so manieth mistake by default
RNG = np.random.default_rng(41)


def named(chosen):
    """How many are found at their array with a label that is true of them, of how many."""
    found = []
    for plant in chosen:
        before = {key: array.copy() for key, array in plant.arrays.items()}
        finding = diagnose(plant.run, plant.arrays)
        assert finding.first_wrong == plant.key, plant.name
        assert finding[plant.key].label in (*plant.labels, "unknown"), plant.name
        assert all(np.array_equal(before[key], plant.arrays[key]) for key in before)
        found.append(finding[plant.key].label in plant.labels)
    return sum(found), len(found)


def test_most_of_a_sample_are_named_and_none_is_called_something_else():
    right, every = named(list(plants())[1::QUICK])
    assert every >= 30
    assert right >= LEAST_NAMED * every


@pytest.mark.full
@pytest.mark.parametrize(
    "scenes", [FIRST, SECOND, THIRD, FOURTH], ids=["first", "second", "third", "fourth"]
)
@pytest.mark.parametrize("seed", [29, 83])
def test_most_are_named_and_none_is_called_something_else(scenes, seed):
    right, every = named(plants(scenes, seed))
    assert every >= 37
    assert right >= LEAST_NAMED * every


def test_the_right_arrays_of_the_same_networks_are_right():
    for scene in (*FIRST, *SECOND, *THIRD, *FOURTH):
        plant = next(plants((scene,)))
        run = plant.run
        names = [name for name in run if name in run.params or name in plant.arrays]
        gradients = run.gradients()
        arrays = {n: a for n, a in gradients.items() if n in names}
        assert all(found.label in RIGHT for found in diagnose(run, arrays).values()), scene


def test_random_numbers_are_given_no_label():
    for scene in (*FIRST, *SECOND, *THIRD, *FOURTH):
        plant = next(plants((scene,)))
        noise = RNG.normal(size=np.shape(plant.arrays[plant.key]))
        if noise.size > 1:
            found = diagnose(plant.run, {plant.key: noise})[plant.key]
            assert found.label == "unknown", (plant.name, found.remark)
