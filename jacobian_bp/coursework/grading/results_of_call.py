"""The results file of a call with --out: valid from the first moment, whatever becomes of it.

results = ResultsOfCall.of(options)
results.begin()           "the grader did not come to its end"
results.failed(why)       the same, with the reason in the instructor's record
results.write(report)
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import JacobianError, SpecError
from ...network.files.paths import label
from .formats import FORMATS, format_for
from .grade_report import GradeReport, not_graded
from .results_file import write_results

READ_BY_HAND = ("out", "format", "exercise", "submission", "secret_file", "student")


@dataclass(frozen=True)
class ResultsOfCall:
    """Where results go and in which format; without a file nothing is written."""

    out: str | None
    form: str | None
    exercise: int | None
    never: tuple[str | None, ...] = ()  # files whose place they must not take
    whose: str = ""

    @classmethod
    def of(cls, options: argparse.Namespace) -> "ResultsOfCall":
        """Those that the options ask for."""
        never = (options.submission, options.secret_file)
        whose = options.whose or options.student or Path(options.submission or "").name
        return cls(options.out, options.format, options.exercise, never, whose)

    def begin(self) -> None:
        """What stands there if the grader is killed; SpecError for a file that is needed."""
        self._require_other_file()
        self.write(not_graded(self.exercise, "grader-stopped", whose=self.whose))

    def failed(self, why: str) -> None:
        """The results say that there are none; why goes into the full record alone."""
        self.write(not_graded(self.exercise, "grader-failed", why, self.whose))

    def write(self, report: GradeReport) -> None:
        """In the format that is asked for; where that is none, in one that a reader may expect."""
        if self.out is not None:
            likely = "gradescope" if self.out.endswith(".json") else format_for(self.out)
            form = self.form if self.form in FORMATS else likely
            write_results(self.out, FORMATS[form](report))

    def _require_other_file(self) -> None:
        for name in self.never:
            if self.out is not None and name is not None and _same_file(self.out, name):
                raise SpecError(
                    f"--out would overwrite {label(Path(name))}.\n"
                    "  Name another file for the results."
                )


def leaving_results(parse: Callable[..., Any], refuse: Callable[[str], Any]) -> Callable[..., Any]:
    """`parse_known_args`, with the results file written where a call cannot be read."""

    def parsed(words: Sequence[str], namespace: Any = None) -> Any:
        try:
            options, unknown = parse(words, namespace)
            if unknown:
                refuse(f"unrecognized arguments: {' '.join(unknown)}")
            return options, unknown
        except JacobianError as error:
            with suppress(SpecError):  # the error of the call is the one that is told
                results = ResultsOfCall.of(_by_hand(words))
                results.begin()
                results.failed(str(error).splitlines()[0])
            raise

    return parsed


def _by_hand(words: Sequence[str]) -> argparse.Namespace:
    """The options that a results file needs, from a call that cannot be read."""
    said = {name: _word(words, f"--{name.replace('_', '-')}") for name in READ_BY_HAND}
    number = said["exercise"] or ""
    known = number.isdecimal() and len(number) < 6
    return argparse.Namespace(**{**said, "exercise": int(number) if known else None, "whose": None})


def _word(words: Sequence[str], option: str) -> str | None:
    """The word behind an option, the last one, as `--out FILE` or `--out=FILE`."""

    def found() -> Iterator[str]:
        for place in reversed(range(len(words))):
            if words[place].startswith(f"{option}="):
                yield words[place].partition("=")[2]
            elif words[place] == option and place + 1 < len(words):
                yield words[place + 1]

    return next(found(), None)


def _same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):  # one is not there yet
        return False
