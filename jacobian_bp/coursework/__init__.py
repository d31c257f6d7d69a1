"""Coursework: find the mistake in a derivation; set, check and grade exercises.

Offers commands, grading, exercises, lines, diagnosis and sandbox, and by name LABELS,
Diagnosis, Finding and diagnose. May import network and below; nothing of compare.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .diagnosis import LABELS, Diagnosis, Finding, diagnose

__all__ = ["LABELS", "Diagnosis", "Finding", "diagnose"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """A name of diagnosis when it is used: the sandbox does not wait for it."""
        if name in __all__:
            return getattr(import_module(".diagnosis", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
