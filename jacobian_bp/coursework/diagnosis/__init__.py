"""Which mistake gives a student's numbers.

Offers diagnose, Diagnosis, Finding, LABELS, passes, mutations, edits, evidence.
May import network and below.
"""

from .diagnosis import Diagnosis, Finding
from .label_sentences import LABELS
from .of_arrays import diagnose

__all__ = ["LABELS", "Diagnosis", "Finding", "diagnose"]
