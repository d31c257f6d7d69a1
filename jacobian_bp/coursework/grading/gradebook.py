"""What a class has earned: a line a student on the screen, and a CSV file for the gradebook.

student,name,exercise 2,exercise 3,total,of,remark
"""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import SpecError
from ...network.files.paths import cannot_be_written, label, require_replaceable
from ...writing.signs import plural, safe
from .grade import without_answers
from .grade_report import shown
from .roster import Roster

ABSENT = "handed in nothing"
MOST_POINTS = 10**5


@dataclass(frozen=True)
class Earned:
    """A student's points for one exercise, and words on them; None where it is not graded."""

    points: float | None
    words: str = ""


@dataclass(frozen=True)
class Gradebook:
    """The class, its exercises by number, and the points that each of them is worth."""

    roster: Roster
    exercises: tuple[int, ...]
    full: tuple[float, ...]

    @property
    def added(self) -> tuple[str, ...]:
        """The columns beside those of the roster."""
        return (*(f"exercise {number}" for number in self.exercises), "total", "of", "remark")

    def head(self) -> list[str]:
        """The two lines above those of the students: the columns, and the points there are."""
        full = [shown(points) for points in self.full]
        return [
            self._row("student", self.added[:-3], "total", "remark"),
            self._row("of", full, shown(sum(self.full)), ""),
        ]

    def line(self, student: str, earned: Sequence[Earned] | None) -> str:
        """A student on the screen; `earned` is None where nothing was handed in."""
        points = self._points(earned)
        return self._row(student, points, _total(points), self._remark(earned))

    def _row(self, student: str, points: Sequence[str], total: str, remark: str) -> str:
        wide = max(len("student"), *(len(safe(name)) for name in self.roster.students))
        columns = zip(points, self.added, strict=False)
        cells = [f"{cell or '-':>{len(column)}}" for cell, column in columns]
        return "  ".join(
            [f"{safe(student):<{wide}}", *cells, f"{total or '-':>6}", remark]
        ).rstrip()

    def text(self, earned: dict[str, Sequence[Earned] | None]) -> str:
        """The CSV file: the columns of the roster, points, their sum, and a remark.

        What was not graded is empty, and so is the sum: it is no zero of the student's.
        """
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*self.roster.columns, *self.added])
        of = shown(sum(self.full))
        for student, cells in self.roster.rows.items():
            points = self._points(earned[student])
            remark = self._remark(earned[student])
            writer.writerow([*cells, *points, _total(points), of, remark])
        return out.getvalue()

    def all_full(self, earned: dict[str, Sequence[Earned] | None]) -> bool:
        """Every student has every point."""
        best = [shown(points) for points in self.full]
        return all(self._points(each) == best for each in earned.values())

    def require_place(self, path: str | Path, never: Sequence[str | Path | None]) -> None:
        """SpecError, before any work, where the file cannot be written or is needed."""
        path = Path(path)
        for name in never:
            if name is not None and path.resolve() == Path(name).resolve():
                raise SpecError(
                    f"--gradebook would overwrite {label(path)}.\n  Name another file for it."
                )
        if path.suffix.lower() != ".csv":
            raise SpecError(
                f"{label(path)} does not end in .csv.\n  Name such as --gradebook marks.csv."
            )
        if not path.absolute().parent.is_dir():
            raise SpecError(
                f"{label(path)}: its folder is not there.\n  Make it, or name another one."
            )
        try:
            path.lstat()
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:  # a name that is too long, say
            raise cannot_be_written(label(path), error) from None
        if not os.access(path.absolute().parent, os.W_OK):
            raise SpecError(
                f"{label(path)}: its folder cannot be written to.\n  Choose another folder."
            )
        require_replaceable(path, "Name a file for the gradebook.")
        taken = {column.casefold() for column in self.roster.columns} & set(self.added)
        if taken:
            raise SpecError(
                f"the roster has a column {sorted(taken)[0]}, which the gradebook adds.\n"
                "  Give the roster's column another name."
            )

    def _points(self, earned: Sequence[Earned] | None) -> list[str]:
        if earned is None:
            return ["0"] * len(self.exercises)
        return ["" if e.points is None else shown(e.points) for e in earned]

    def _remark(self, earned: Sequence[Earned] | None) -> str:
        if earned is None:
            return ABSENT
        said = [(n, e.words) for n, e in zip(self.exercises, earned, strict=True) if e.words]
        if len(self.exercises) == 1:
            return "".join(words for _, words in said)
        return "; ".join(f"exercise {n}: {words}" for n, words in said)


def points_of(exercises: Sequence[int], points: Sequence[float] | None) -> list[float]:
    """What each exercise is worth: as it is, or of so many points in all, or as written for each.

    Points in all are divided as those that the exercises have. Raises SpecError for another
    number of them, and for one that is not above 0.
    """
    if points is not None and not all(0 < p < MOST_POINTS for p in points):
        raise SpecError(
            f"--points has {', '.join(f'{p:g}' for p in points)}.\n"
            f"  Write numbers above 0 and below {MOST_POINTS:,}."
        )
    if points is not None and len(points) not in (1, len(exercises)):
        asked = plural(len(exercises), "exercise")
        raise SpecError(
            f"--points has {plural(len(points), 'number')} for {asked}.\n"
            "  Write one, for all of them together, or one for each."
        )
    if points is not None and len(points) == len(exercises):
        return [float(p) for p in points]
    own = [without_answers(exercise, "", "").max_score for exercise in exercises]
    return own if points is None else [points[0] * p / sum(own) for p in own]


def _total(points: Sequence[str]) -> str:
    """The sum of what stands in the row, so that it adds up there."""
    return shown(sum(map(float, points))) if all(points) else ""
