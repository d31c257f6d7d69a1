"""No message holds a right number: the gate that every message of check and grade passes.

A message may hold places, shapes, and one safe ratio (2, 1/2, -1, m, 1/m). A sentence
with any other number that could be part of an answer is replaced.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..diagnosis.label_sentences import LABELS
from .task import Task
from .verdict import Verdict

NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w])|(?<![\w.])\.\d+")
RATIO = re.compile(r"(-?\d[\d./]*) times|(?:times|divided by) (-?\d[\d./]*)")
SAFE_RATIOS = {"-1", "1", "2", "1/2", "0.5"}
SAFE_NUMBERS = {0.5, 0.25, 1e-6, 1e-9}
LEAST_DIGITS = 3
SOME = "some of the entries"
WITHHELD = "what went wrong has numbers in it that are not told"


@dataclass(frozen=True)
class Gate:
    """What may not be said about one task: its right numbers; and which ratios may."""

    right: np.ndarray
    ratios: frozenset[str]

    @classmethod
    def of(cls, *tasks: Task) -> "Gate":
        """The gate for the answers of these tasks together."""
        numbers = [np.abs(np.concatenate([_numbers(t) for t in tasks] or [np.zeros(0)]))]
        sizes = {str(task.examples) for task in tasks if task.examples}
        ratios = SAFE_RATIOS | sizes | {f"1/{size}" for size in sizes}
        return cls(np.unique(numbers[0]), frozenset(ratios))

    def passes(self, text: str) -> bool:
        """Whether a message holds no right number, no decimals, no ratio that is not safe."""
        for match in RATIO.finditer(text):
            if (match[1] or match[2]).rstrip(".") not in self.ratios:
                return False
        return not any(self._tells(token) for token in NUMBER.findall(text))

    def guarded(self, text: str, instead: str = WITHHELD) -> str:
        """`text`, or what is said in its place."""
        return text if self.passes(text) else instead

    def said(self, verdict: Verdict) -> Verdict:
        """The verdict, with what may be said of it; the mistake keeps its name."""
        known = f"the mistake is known as {verdict.tag}" if verdict.tag in LABELS else WITHHELD
        return replace(
            verdict,
            where=self.guarded(verdict.where, SOME if "entries" in verdict.where else WITHHELD),
            symptom=self.guarded(verdict.symptom),
            cause=self.guarded(verdict.cause, known),
        )

    def _tells(self, token: str) -> bool:
        plain = token.replace(",", "")
        value = float(plain)
        if not plain.isdigit() and value not in SAFE_NUMBERS:
            return True
        digits = plain.split("e")[0].split("E")[0].replace(".", "").lstrip("0")
        if len(digits) < LEAST_DIGITS or not np.isfinite(value):
            return len(digits) >= LEAST_DIGITS
        near = 0.5 * 10.0 ** (np.floor(np.log10(value)) - len(digits) + 1) if value else 0.0
        return bool((np.abs(self.right - value) <= near * (1 + 1e-9)).any())


def _numbers(task: Task) -> np.ndarray:
    """Every right number of a task, those of arrays, of shapes and single ones."""
    return np.concatenate([np.zeros(0), *(np.ravel(a) for a in _arrays(task))]).astype(float)


def _arrays(task: Task) -> Iterator[np.ndarray]:
    for value in task.right.values():
        array = np.asarray(value)
        if array.dtype.kind in "iuf":
            yield array
