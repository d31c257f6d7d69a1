"""Which mistakes a class made, from a folder of results files.

    exercise  label           submissions  percent

Below the mistakes stand the labels that name none, as `wrong`. Where the grader did not come
to its end there is no result: the file is named, and left out of every count. Both the full
record and Gradescope's results.json are read. A file that is neither is named and skipped.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import JacobianError, SpecError
from ...network.files.paths import read_limited
from ...writing.signs import plural, safe
from .formats import RECORD
from .grade_report import NO_CAUSE, NOT_GRADED

LARGEST = 5 * 2**20
MOST_FILES = 20_000
MOST_LABELS, LONGEST_LABEL = 200, 60
MOST_NAMED = 20
MISTAKES, OTHERS = "mistake", "no known mistake"


@dataclass(frozen=True)
class Result:
    """What a summary needs of one submission."""

    exercise: int
    share: float
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """All results of a folder; what was not graded; what could not be read, with the reasons."""

    results: tuple[Result, ...]
    skipped: tuple[str, ...] = ()
    not_graded: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Every file was read, and every submission graded."""
        return not self.skipped and not self.not_graded

    def lines(self) -> list[str]:
        """A table by exercise and label, the most frequent first, then what is not in it."""
        counts = Counter((r.exercise, label) for r in self.results for label in r.labels)
        handed_in = Counter(r.exercise for r in self.results)
        rows = sorted(counts.items(), key=lambda row: (row[0][0], -row[1], row[0][1]))
        wide = max((len(label) for _, label in [*counts, (0, OTHERS)]), default=0)
        lines = []
        for head, apart in ((MISTAKES, False), (OTHERS, True)):
            chosen = [row for row in rows if (row[0][1] in NO_CAUSE) is apart]
            if chosen or not apart:
                lines.append(f"exercise  {head:<{wide}}  submissions  percent")
            for (exercise, label), count in chosen:
                percent = 100 * count / handed_in[exercise]
                lines.append(f"{exercise:>8}  {label:<{wide}}  {count:>11,}  {percent:>7.0f}")
        for exercise, count in sorted(handed_in.items()):
            shares = [r.share for r in self.results if r.exercise == exercise]
            average = 100 * sum(shares) / count
            said = f"{plural(count, 'submission')}, on average {average:.0f} percent of the points"
            lines.append(f"exercise {exercise}: {said}")
        lines += _named("not graded", self.not_graded)
        return lines + _named("skipped", self.skipped)


def _named(word: str, names: tuple[str, ...]) -> list[str]:
    """A line for each, up to a number, and how many more there are."""
    lines = [f"{word:<8}  {name}" for name in names[:MOST_NAMED]]
    more = len(names) - len(lines)
    return [*lines, *([f"{word:<8}  {plural(more, 'more file')}"] if more else [])]


def summarise(folder: str | Path) -> Summary:
    """The summary of all .json files in a folder and below; SpecError where there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise SpecError(
            f"{safe(folder.name or folder)} is no folder.\n  Name the folder of the results files."
        )
    results, skipped, not_graded = [], [], []
    for path in _files(folder):
        name = safe(path.relative_to(folder))
        try:
            found = _results(path)
        except JacobianError as error:
            skipped.append(f"{name}: {str(error).splitlines()[0]}")
        except (ValueError, TypeError, KeyError, RecursionError, MemoryError) as error:
            skipped.append(f"{name}: {_reason(error)}")
        else:
            for result in found:
                ends = [label for label in result.labels if label in NOT_GRADED]
                if ends:
                    not_graded.append(f"{name}: {ends[0]}")
                else:
                    results.append(result)
    if not results and not skipped and not not_graded:
        raise SpecError(
            f"{safe(folder.name or folder)} holds no .json file.\n"
            "  Grade a class with --format json --out-dir DIR, or one file with --out DIR/ada.json."
        )
    return Summary(tuple(results), tuple(skipped), tuple(not_graded))


def _files(folder: Path) -> Iterator[Path]:
    """The .json files in order of name; links are not followed."""
    found = sorted(p for p in folder.rglob("*.json") if not p.is_symlink() and not p.is_dir())
    if len(found) > MOST_FILES:
        raise SpecError(
            f"the folder holds {plural(len(found), 'file')}; the limit is {MOST_FILES:,}.\n"
            "  Summarise one exercise at a time."
        )
    yield from found


def _results(path: Path) -> list[Result]:
    """What a file says of one exercise, or of each of a sheet."""
    text = read_limited(path, LARGEST, "A results file is smaller.").decode("utf-8")
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("no results file")
    record = document if document.get("format") == RECORD else document.get("extra_data")
    if not isinstance(record, dict) or record.get("format") != RECORD:
        raise ValueError("no results file of this grader")
    several = record.get("exercises", [record])
    if not isinstance(several, list) or not all(isinstance(each, dict) for each in several):
        raise ValueError("its exercises are no list")
    return [_result(each) for each in several]


def _result(record: dict[str, Any]) -> Result:
    exercise, most = record["exercise"], _points(record["max_score"])
    if type(exercise) is not int or not 0 <= exercise < 10**6:
        raise ValueError("its exercise is no number")
    share = _points(record["score"]) / most if most else 0.0
    if not 0 <= share <= 1:
        raise ValueError("its score is above its maximum")
    return Result(exercise, share, _labels(record["labels"]))


def _points(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or not 0 <= value < 1e6:
        raise ValueError("its points are no number")
    return float(value)


def _labels(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_LABELS:
        raise ValueError("its labels are no list")
    if not all(isinstance(label, str) and len(label) <= LONGEST_LABEL for label in value):
        raise ValueError("its labels are no words")
    return tuple(dict.fromkeys(safe(label) for label in value))


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON at line {error.lineno}"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, RecursionError | MemoryError):
        return "nested too deeply"
    return str(error)[:100]
