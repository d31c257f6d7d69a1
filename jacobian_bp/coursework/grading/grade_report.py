"""What grading finds, once, whatever format it is printed in.

A report holds marks; a mark is one aspect of one object, with its points and a message
for each level:

    0 pass or fail    1 where    2 symptom    3 cause
"""

from dataclasses import dataclass, field, replace
from typing import Any

from ...document.as_text import WIDTH
from ...errors import DomainError
from ...writing.signs import number, safe
from ...writing.tables import fold_all

PASSED, PARTIAL, FAILED = "passed", "partial", "failed"
NOT_GRADED = ("grader-stopped", "grader-failed")  # the grader's own ends: no result, not a zero
NOT_RUN = (
    "not-a-sheet",
    "not-own-sheet",
    "practice-sheet",
    "another-exercise",
    "not-python",
)  # nothing could be looked at
STOPPED = "stopped"
NO_CAUSE = (  # tags that name no mistake
    *("wrong", "shape", "not-numbers", "not-finite", "subscripts", "all-zero"),
    *("not-one-number", "not-whole", "not-a-word"),
    *("missing", STOPPED, "time-limit", "memory-limit", "killed", "no-answers"),
    *NOT_RUN,
    *NOT_GRADED,
)
DECIMALS = 2  # of points, where they are printed
UNGRADED = "The grader did not come to its end; tell your instructor."


@dataclass(frozen=True)
class Mark:
    """One aspect of one object: points, tags for statistics, and a message a level.

    `fresh` says that it was judged on numbers that the student does not see.
    """

    number: str
    object: str
    aspect: str
    score: float
    max_score: float
    tags: tuple[str, ...] = ()
    messages: tuple[str, str, str, str] = ("", "", "", "")
    fresh: bool = False

    @property
    def name(self) -> str:
        """As a list of tests shows it."""
        return f"{self.object}: {self.aspect}"

    @property
    def status(self) -> str:
        """passed, partial or failed."""
        if self.score >= self.max_score:
            return PASSED
        return PARTIAL if self.score > 0 else FAILED


@dataclass(frozen=True)
class GradeReport:
    """All marks on one submission.

    `failure` is why the submission did not come to its end, `notes` is for everybody,
    `seconds` is the time that the sheet took on its own numbers, `record` for the instructor
    only: seeds, other times, output.
    """

    exercise: int
    title: str
    marks: tuple[Mark, ...] = ()
    failure: str = ""
    kind: str = ""
    notes: tuple[str, ...] = ()
    level: int = 2
    seconds: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def score(self) -> float:
        return sum(mark.score for mark in self.marks)

    @property
    def max_score(self) -> float:
        return sum(mark.max_score for mark in self.marks)

    @property
    def ok(self) -> bool:
        """Everything is right, and the submission came to its end."""
        return bool(self.marks) and not self.failure and self.score >= self.max_score

    @property
    def labels(self) -> tuple[str, ...]:
        """Every tag of a mark that is not full, once, in the order of the marks."""
        lost = [tag for mark in self.marks if mark.status != PASSED for tag in mark.tags]
        return tuple(dict.fromkeys([*([self.kind] if self.kind else []), *lost]))

    def points(self, max: float = 1) -> float:
        """The score as a share of `max` points, such as the last line of an nbgrader cell."""
        if not max > 0 or max == float("inf"):
            raise DomainError(f"max is {max!r}.\n  Write a number above 0, points(max=5).")
        return round(max * self.score / self.max_score, 4) if self.max_score else 0.0

    def scaled(self, max: float) -> "GradeReport":
        """The same report with `max` points in all, each mark with the same share of them.

        A report without marks, of a grader that did not come to its end, stays as it is.
        """
        if not 0 < max < float("inf"):
            raise DomainError(f"max is {max!r}.\n  Write a number above 0, scaled(max=20).")
        if not self.max_score:
            return self
        share = max / self.max_score
        marks = [
            replace(m, score=share * m.score, max_score=share * m.max_score) for m in self.marks
        ]
        return replace(self, marks=tuple(marks))

    def lines(self, level: int | None = None) -> list[str]:
        """The report in words; the level is the report's own, or another one."""
        level = self.level if level is None else level
        lines = [f"exercise {self.exercise}: {self.title}".rstrip(": ")] if self.exercise else []
        if self.kind in NOT_GRADED:
            return [*lines, self.failure]
        refused = self.kind in NOT_RUN
        word = "not run" if refused else "stopped"
        lines += [f"{word:<8}  {self.failure}"] * bool(self.failure)
        rows = [] if refused else self._rows(level)
        lines += [*rows, *(f"note      {note}" for note in self.notes)]
        return [*lines, f"score     {shown(self.score)} of {shown(self.max_score)}"]

    def _rows(self, level: int) -> list[str]:
        """A line a mark: points, name, status, and what is said, once where it is the same."""
        rows = []
        wide = max((len(mark.name) for mark in self.marks), default=0)
        earned = [f"{shown(mark.score)}/{shown(mark.max_score)}" for mark in self.marks]
        most = max([5, *map(len, earned)])
        before = ("", "")
        for mark, points in zip(self.marks, earned, strict=True):
            said = mark.messages[level]
            if (mark.object, said) == before:
                said = "as above" if said else ""
            else:
                before = (mark.object, said)
            rows.append(
                f"  {points:>{most}}  {mark.name:<{wide}}  {mark.status:<7}  {said}".rstrip()
            )
        return rows

    def __str__(self) -> str:
        return "\n".join(fold_all(map(safe, self.lines()), WIDTH))


def shown(points: float) -> str:
    """Points as they are printed: to a hundredth, as scaled ones have many digits.

    >>> shown(35.0), shown(20 / 3)
    ('35', '6.67')
    """
    return number(round(points, DECIMALS))


def not_graded(exercise: int | None, kind: str, why: str = "") -> GradeReport:
    """What stands in for a report where the grader itself failed: no marks, no points lost.

    Students read one sentence; `why` is for the instructor's record. An exercise that was
    not said is 0.
    """
    record = {"failure": why} if why else {}
    return GradeReport(exercise or 0, "", failure=UNGRADED, kind=kind, record=record)
