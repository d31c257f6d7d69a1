"""Which mistake gives a student's numbers, and where a line of numpy breaks."""

from . import (  # noqa: F401  each module declares its mistakes
    mutations_cost,
    mutations_graph,
    mutations_parameter,
    mutations_slope,
    mutations_weight,
)
from .diagnose import diagnose
from .labels import LABELS
from .report import Diagnosis, Finding

__all__ = ["LABELS", "Diagnosis", "Finding", "diagnose"]
