"""What is found depends on what a network computes, not on what its values are called."""

import closing_mistakes
import contact_mistakes
import fresh_mistakes
import further_mistakes
import last_mistakes
import pytest
from under_other_names import under_other_names

from jacobian_bp.coursework.diagnosis import diagnose

FILES = (fresh_mistakes, further_mistakes, last_mistakes, closing_mistakes, contact_mistakes)
SCENES = [(file, scene) for file in FILES for scene in file.SCENES]


@pytest.mark.one_in(8)
@pytest.mark.parametrize(("file", "scene"), SCENES, ids=[scene.__name__ for _, scene in SCENES])
def test_a_mistake_is_the_same_one_whatever_the_values_are_called(file, scene):
    for plant in file.plants(scenes=(scene,)):
        label = diagnose(plant.run, plant.arrays)[plant.key].label
        other = under_other_names(plant)
        found = diagnose(other.run, other.arrays)
        assert found.first_wrong == other.key, plant.name
        assert found[other.key].label == label, plant.name
