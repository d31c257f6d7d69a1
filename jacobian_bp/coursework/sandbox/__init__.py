"""The sandbox: code that is not trusted, run in a process of its own.

It knows nothing of exercises and points; exercises/ and grading/ both run sheets by it.
"""

from .process import Limits, Outcome, run_code
from .stopping import stopped_in_order

__all__ = ["Limits", "Outcome", "run_code", "stopped_in_order"]
