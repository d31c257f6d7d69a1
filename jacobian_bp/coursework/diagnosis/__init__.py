"""Which mistake gives a student's numbers.

Offers diagnose, Diagnosis, Finding, LABELS, passes, mutations, evidence.
May import network and below.
"""

from .diagnosis import Diagnosis, Finding
from .labels import LABELS
from .mutations import (  # noqa: F401  each module declares its mistakes
    of_cost,
    of_graph,
    of_parameter,
    of_slope,
    of_weight,
)
from .of_arrays import diagnose

__all__ = ["LABELS", "Diagnosis", "Finding", "diagnose"]
