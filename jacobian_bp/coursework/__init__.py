"""Coursework: find the mistake in a derivation; set, check and grade exercises."""

from .diagnosis import LABELS, Diagnosis, Finding, diagnose

__all__ = ["LABELS", "Diagnosis", "Finding", "diagnose"]
