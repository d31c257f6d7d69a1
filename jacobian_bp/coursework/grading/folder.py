"""The submissions in a folder, and where the results on each are written."""

import os
from pathlib import Path

from ...errors import SpecError
from ...files.paths import label
from ...symbols import number, plural, safe
from .report import GradeReport

ENDINGS = (".py", ".ipynb", ".npz")
ENDING_OF = {"text": ".txt", "json": ".json", "gradescope": ".json", "junit": ".xml"}
MOST = 5000
WIDEST_NAME = 40


def submissions(folder: str | Path) -> list[Path]:
    """Every .py, .ipynb and .npz file in a folder, not below it, in order of name.

    Raises SpecError for what is no folder, and for one without such a file.
    """
    folder = Path(folder)
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError):
        raise SpecError(
            f"{label(folder)} is no folder that can be read.\n  Name the folder of the submissions."
        ) from None
    found = [folder / name for name in names if Path(name).suffix.lower() in ENDINGS]
    found = [path for path in found if not path.name.startswith(".")]
    if not found or len(found) > MOST:
        raise SpecError(
            f"{label(folder)} holds {plural(len(found), 'submission')}; "
            f"from 1 to {MOST:,} can be graded at once.\n"
            "  Put the files there, such as ada.py and bob.ipynb, each under its student's name."
        )
    return found


def results_file(folder: str | Path, submission: Path, form: str) -> Path:
    """Where the results on a submission are written, the folder being made if need be.

    >>> results_file(".", Path("class/ada.py"), "json").name
    'ada.py.json'
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is none of a folder"
        raise SpecError(
            f"{label(folder)} cannot be made: {reason}.\n  Choose another folder."
        ) from None
    return folder / f"{submission.name}{ENDING_OF[form]}"


def words_on(report: GradeReport) -> str:
    """One submission in a few words: points, and what went wrong."""
    points = f"{number(report.score)} of {number(report.max_score)}"
    return f"{points:<10}  {', '.join(report.labels)}".rstrip()


def name_of(submission: Path) -> str:
    """A file's name, harmless and not too long."""
    name = safe(submission.name)
    return name if len(name) <= WIDEST_NAME else name[: WIDEST_NAME - 1] + "…"
