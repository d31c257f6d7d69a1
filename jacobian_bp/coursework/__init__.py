"""Coursework: find the mistake in a derivation; set, check and grade exercises.

Offers LABELS, Diagnosis, Finding, diagnose, commands, grading, exercises, code, lines, sandbox.
May import network and below.
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
