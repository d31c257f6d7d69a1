"""What grading finds, once, whatever format it is printed in.

A report holds marks; a mark is one aspect of one object, with its points and a message
for each level:

    0 pass or fail    1 where    2 symptom    3 cause
"""

from dataclasses import dataclass, field, replace
from typing import Any

from ...document.as_text import set_already
from ...document.blocks import Block, Column, Document, Lines, Row, Section, Table, Words
from ...errors import DomainError
from ...writing.signs import number, safe
from ...writing.tables import WIDTH, fold_all
from ..exercises.verdict import LEVELS

HEADS = ("points", "mark", "status", "what is said")
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
    *("wrong", "shape", "not-numbers", "not-finite", "subscripts", "formula", "all-zero"),
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
    only: seeds, other times, output. `whose` is the student, or the file where none is named.
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
    whose: str = ""

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
        return [*([self.heading] if self.exercise else []), *set_already(self.blocks(level))]

    @property
    def heading(self) -> str:
        """Which exercise it is on, and whose sheet."""
        whose = f", {safe(self.whose)}" if self.whose else ""
        return f"exercise {self.exercise}{whose}: {self.title}".rstrip(": ")

    def blocks(self, level: int) -> tuple[Block, ...]:
        """Why the file stopped, a row a mark, what else is to be said, and the score."""
        if self.kind in NOT_GRADED:
            return (Words(self.failure),)
        refused = self.kind in NOT_RUN
        word = "not run" if refused else "stopped"
        stopped = [Words(self.failure, label=word)] * bool(self.failure)
        marks = [] if refused or not self.marks else [self._table(level)]
        notes = [Words(note, label="note") for note in self.notes]
        score = f"{shown(self.score)} of {shown(self.max_score)}"
        return (*stopped, *marks, *notes, Words(score, label="score"))

    def document(self, level: int | None = None) -> Document:
        """The report for an instructor: the causes too, how it was run, what the file printed."""
        level = len(LEVELS) - 1 if level is None else level
        labels = Words(", ".join(self.labels), label="labels", plain=True)
        printed = [safe(line) for line in str(self.record.get("output", "")).splitlines()]
        sections = [
            Section("", "Marks", (*self.blocks(level), *[labels] * bool(self.labels))),
            Section("", "How it was graded", tuple(self.circumstances())),
        ]
        if printed:
            sections.append(Section("", "What the file printed", (Lines(tuple(printed)),)))
        return Document(self.heading, tuple(sections))

    def circumstances(self) -> list[Words]:
        """For the instructor: the seconds, and what the record says but for what was printed."""
        found = [Words(f"{self.exercise}, {self.seconds:g} seconds", label="exercise", plain=True)]
        for name, value in self.record.items():
            told = safe(value)
            if name != "output" and told:
                found.append(Words(f"{name.replace('_', ' ')}: {told}", plain=True))
        return found

    def _table(self, level: int) -> Table:
        """A row a mark: points, name, status, and what is said, once where it is the same."""
        rows, plain = [], []
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
            rows.append(Row(tuple(map(Words, (points, mark.name, mark.status, said)))))
            plain.append(
                f"  {points:>{most}}  {mark.name:<{wide}}  {mark.status:<7}  {said}".rstrip()
            )
        return Table(tuple(map(Column, HEADS)), tuple(rows), tuple(plain))

    def __str__(self) -> str:
        return "\n".join(fold_all(map(safe, self.lines()), WIDTH))


def shown(points: float) -> str:
    """Points as they are printed: to a hundredth, as scaled ones have many digits.

    >>> shown(35.0), shown(20 / 3)
    ('35', '6.67')
    """
    return number(round(points, DECIMALS))


def not_graded(exercise: int | None, kind: str, why: str = "", whose: str = "") -> GradeReport:
    """What stands in for a report where the grader itself failed: no marks, no points lost.

    Students read one sentence; `why` is for the instructor's record. An exercise that was
    not said is 0.
    """
    record = {"failure": why} if why else {}
    return GradeReport(exercise or 0, "", failure=UNGRADED, kind=kind, record=record, whose=whose)
