"""A sheet run in the sandbox: the answers as the questions judge them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..sandbox import Limits, Outcome, run_code
from .equality import Unusable
from .task import Task


@dataclass(frozen=True, eq=False)
class Collected:
    """The answers by name, what is to be noted of them, and how the run went."""

    answers: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    outcome: Outcome = field(default_factory=Outcome)


def collect(code: str, task: Task, limits: Limits, numpy_only: bool = False) -> Collected:
    """Run `code` and read the answers to `task`; one that is no numbers has the reason."""
    asked = [question.name for question in task.questions]
    outcome = run_code(code, [*asked, *task.given], limits, numpy_only)
    unusable = {name: Unusable(says) for name, says in outcome.unusable.items()}
    answers = {**outcome.values, **unusable}
    return Collected(answers, tuple(_changed(task, answers)), outcome)


def _changed(task: Task, values: Mapping[str, Any]) -> list[str]:
    """A remark for what was given and is another now: the answers are judged by the old."""
    changed = [n for n, value in task.given.items() if n in values and not _equal(value, values[n])]
    return [f"the file changes {', '.join(changed)}, which was given"] if changed else []


def _equal(given: Any, found: Any) -> bool:
    try:
        return bool(np.array_equal(np.asarray(given), np.asarray(found)))
    except (ValueError, TypeError):
        return False
