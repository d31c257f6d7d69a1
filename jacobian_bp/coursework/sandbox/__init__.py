"""The sandbox: code that is not trusted, run in a process of its own.

Offers run_code, Limits, Outcome, stopped_in_order.
May import writing alone.
"""

from .process import Limits, Outcome, run_code
from .stopping import stopped_in_order

__all__ = ["Limits", "Outcome", "run_code", "stopped_in_order"]
