"""One submission or a folder of them, and where the results on each are written."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import JacobianError, SpecError
from ...network.files.paths import label
from ...writing.signs import plural, safe
from ..exercises.submission import has_token
from .formats import FOR_AN_INSTRUCTOR
from .grade import ENDINGS
from .grade_report import GradeReport, shown
from .seeds import sheet_seed

ENDING_OF = {"text": ".txt", "json": ".json", "gradescope": ".json", "junit": ".xml"} | {
    form: f".{form}" for form in FOR_AN_INSTRUCTOR
}
MOST = 5000
WIDEST_NAME = 40
NAMED = 3  # files in a message
OUT_OF_CLASS = " On a roster its student then stands as having handed in nothing."
LONGEST_NAME, SHORT_NAME = 250, 200  # bytes; a file's name has 255, the results' ending 5


def require_one(path: Path, report_anyway: bool) -> None:
    """SpecError for a folder, and for a file that is not there unless a report is due anyway.

    A folder whose name is that of a file is such a file: a student may have handed it in.
    """
    named_as_file = path.suffix.lower() in ENDINGS
    if os.path.isdir(path) and not named_as_file:
        raise SpecError(
            f"{label(path)} is a folder.\n"
            "  Write --out-dir RESULTS too, to grade each submission in it."
        )
    if not (report_anyway or os.path.isfile(path) or os.path.islink(path)):
        kind = "no file" if os.path.lexists(path) else "not there"
        raise SpecError(
            f"{label(path)} is {kind}.\n  Name the file that was handed in, such as ex2.py."
        )


def require_apart(files: Sequence[str], submission: str | None) -> None:
    """SpecError for a file of an instructor's that lies among the submissions of a folder.

    It is run with all the rights of who grades, and a student may have put it there.
    """
    if submission is None or not os.path.isdir(submission):
        return
    folder = os.path.realpath(submission)
    for file in files:
        if Path(os.path.realpath(file)).is_relative_to(folder):
            raise SpecError(
                f"{label(Path(file))} lies among the submissions, and would be run as your own.\n"
                "  Keep your exercises in another folder."
            )


def require_gradable(
    files: Sequence[Path], secret: bytes | None, sheet_seed: str | None, roster: bool = False
) -> None:
    """SpecError, before any is run, where files of a class want a secret or a seed of the call.

    Else each of them would be "not graded", and a good gradebook replaced by empty marks. With
    a roster it is said what becomes of the students whose files are taken out.
    """
    out = OUT_OF_CLASS * roster
    tokens = [path for path in files if secret is None and _with_token(path)]
    if tokens:
        named = ", ".join(map(name_of, tokens[:NAMED])) + ", ..." * (len(tokens) > NAMED)
        raise SpecError(
            f"{len(tokens):,} of {plural(len(files), 'file')} with a token, {named}: graded with "
            "the course's secret only, so nothing is graded.\n"
            "  Write --secret-file FILE; --sheet-seed own does not help without it. To grade "
            f"practice sheets, take those with a token out of the folder.{out}"
        )
    arrays = [path for path in files if path.suffix.lower() == ".npz" and sheet_seed is None]
    if arrays:
        own = "own" if secret is not None else "7, with the seed of its sheet"
        raise SpecError(
            f"{name_of(arrays[0])} does not say from which sheet its answers are; nothing is "
            "graded.\n"
            f"  Write --sheet-seed {own}, or take it out of the folder.{out}"
        )


def _with_token(path: Path) -> bool:
    """Of a file that cannot be read its own report will say so; a link is not followed."""
    if path.is_symlink() or path.suffix.lower() == ".npz":
        return False
    try:
        return has_token(path)
    except JacobianError:
        return False


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

    A name that is too long for that is cut, and its hash put behind it: so it is nobody else's.

    >>> results_file(".", Path("class/ada.py"), "json").name
    'ada.py.json'
    >>> results_file(".", Path("a" * 251 + ".py"), "json").name[-32:]
    'aaaaaaaaaa~43cf7208dc30b3bf.json'
    """
    return made_folder(folder) / f"{_short(submission.name)}{ENDING_OF[form]}"


def made_folder(folder: str | Path) -> Path:
    """A folder, made if need be; SpecError where it cannot be."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is none of a folder"
        raise SpecError(
            f"{label(folder)} cannot be made: {reason}.\n  Choose another folder."
        ) from None
    return folder


def _short(name: str) -> str:
    """A name with room for an ending; a cut one has no ending of a submission, as all others do."""
    whole = os.fsencode(name)
    if len(whole) <= LONGEST_NAME:
        return name
    kept = os.fsdecode(whole[:SHORT_NAME]).encode("utf-8", "ignore").decode()
    return f"{kept}~{hashlib.sha256(whole).hexdigest()[:16]}"


def owners(files: Sequence[Path], secret: bytes | None, exercise: int) -> dict[int, str]:
    """Whose sheet a seed is, of the students whose files these are; none without a secret."""
    if secret is None:
        return {}
    return {sheet_seed(secret, path.stem, exercise): name_of(path) for path in files}


def words_on(report: GradeReport, owners: Mapping[int, str]) -> str:
    """One submission in a few words: points, what went wrong, and whose sheet it is if not own."""
    points = f"{shown(report.score)} of {shown(report.max_score)}"
    return f"{points:<10}  {labels_on(report, owners)}".rstrip()


def labels_on(report: GradeReport, owners: Mapping[int, str]) -> str:
    """What went wrong, and whose sheet it is if not own."""
    owner = owners.get(report.record.get("found_seed", -1))
    whose = [f"the one of {owner}"] if owner is not None else []
    return ", ".join([*report.labels, *whose])


def name_of(submission: Path) -> str:
    """A file's name, harmless and not too long."""
    name = safe(submission.name)
    return name if len(name) <= WIDEST_NAME else name[: WIDEST_NAME - 1] + "…"
