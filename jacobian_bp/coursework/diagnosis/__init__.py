"""Which mistake gives a student's numbers, and where a line of numpy breaks."""

from .diagnosis import Diagnosis, Finding
from .labels import LABELS
from .of_arrays import diagnose

__all__ = ["LABELS", "Diagnosis", "Finding", "diagnose"]
