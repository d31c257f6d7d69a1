"""Mistakes beyond dense layers that nothing was made with: written down first, then diagnosed.

The right derivatives are those of the vjp route; a mistake is what somebody writes for one of
them. A plant is (name, run, arrays handed in, wrong key, labels that are true of it).
"""

import numpy as np
from equation_cases import Plant
from unseen_in_courses import ENTRYWISE
from unseen_in_images import SECOND
from unseen_in_layers import FIRST
from unseen_in_losses import LOSSES
from unseen_in_sequences import ACROSS
from unseen_in_tables import THIRD

__all__ = ["FIRST", "FOURTH", "SECOND", "THIRD", "plants"]

FOURTH = (*LOSSES, *ENTRYWISE, *ACROSS)


def plants(scenes=(*FIRST, *SECOND, *THIRD, *FOURTH), seed=29):
    """Every plant, with its scene in its name."""
    draw = np.random.default_rng(seed)
    for scene in scenes:
        for name, run, arrays, key, labels in scene(draw.normal):
            yield Plant(f"{scene.__name__}: {name}", run, arrays, key, tuple(labels.split("|")))
