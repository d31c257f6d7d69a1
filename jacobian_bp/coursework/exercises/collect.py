"""A student's code run in a process of its own, and the values of the named answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..grading.sandbox import Limits, run_code
from .compare import Unusable

SECONDS = 20.0


@dataclass(frozen=True, eq=False)
class Collected:
    """The values by name; where the code did not come to its end, why."""

    answers: dict[str, Any] = field(default_factory=dict)
    failure: str = ""


def collect(code: str, names: Sequence[str], seconds: float = SECONDS) -> Collected:
    """Run `code` and read `names` from it; what could not be read is left out with a reason."""
    outcome = run_code(code, names, Limits(seconds=seconds))
    unusable = {name: Unusable(says) for name, says in outcome.unusable.items()}
    return Collected({**outcome.values, **unusable}, outcome.failure)
