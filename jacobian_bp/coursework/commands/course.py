"""jacobian-bp course: a course in a box, and the results of a sheet made one.

jacobian-bp course new autumn                                 one sheet for everybody, a secret made
jacobian-bp course new autumn --roster class.csv --secret-file secret.txt
                                                              each student's own sheets
jacobian-bp course new autumn --convention ng                 as a course writes it
jacobian-bp course new autumn --wheel jacobian_bp-0.2-py3-none-any.whl
                                                              autograders ready to be uploaded
jacobian-bp course results DIR                                exercise-2.json, … to results.json
"""

import argparse
import shlex
from pathlib import Path
from typing import Any

from ...errors import SpecError
from ...network.files.convention_file import convention_of
from ...writing import terminal
from ...writing.signs import plural, safe
from ...writing.tables import fold_all
from ..course.box import EVERYBODY, Course, new_course, new_secret, read_wheel
from ..course.plan import PLAN
from ..grading.merged_results import RESULTS, merge_results
from ..grading.roster import read_roster
from ..grading.seeds import VARIABLE, needed, read_secret

TITLE = "Backpropagation by hand"


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of jacobian-bp."""
    parser = commands.add_parser("course", help="a course in a box: sheets, key, autograders")
    actions = parser.add_subparsers(dest="action", metavar="new | results")
    new = actions.add_parser("new", help="write a course to a new folder")
    new.add_argument("folder", nargs="?", metavar="DIR", help="a folder that is not there yet")
    new.add_argument("--title", default=TITLE, help=f"on its pages (default: {TITLE})")
    new.add_argument("--roster", metavar="CSV", help="a sheet for each student in it")
    new.add_argument(
        "--secret-file", metavar="FILE", help=f"the course's secret (or {VARIABLE}; or one is made)"
    )
    new.add_argument("--seed", type=int, default=1, help="of the practice sheets (default: 1)")
    new.add_argument("--convention", metavar="NAME|FILE.toml", help="ng, nielsen, cs231n, …")
    new.add_argument("--wheel", metavar="FILE", help="of this package, for Gradescope's archives")
    results = actions.add_parser("results", help="exercise-N.json in a folder to results.json")
    where = "the folder with exercise-N.json of each exercise; results.json is written there"
    results.add_argument("folder", nargs="?", metavar="DIR", help=where)


def run_command(options: argparse.Namespace) -> int:
    """Run jacobian-bp course; the result is the exit code."""
    action = getattr(options, "action", None)
    if action is None or options.folder is None:
        raise SpecError(
            "no folder is named.\n"
            "  Write jacobian-bp course new autumn, or course results DIR for an autograder."
        )
    if action == "results":
        count = merge_results(options.folder)
        _write([f"written: {safe(str(Path(options.folder, RESULTS)))}, of {plural(count, 'part')}"])
        return 0
    return _new(options)


def _new(options: argparse.Namespace) -> int:
    roster = None if options.roster is None else read_roster(options.roster)
    convention = None if options.convention is None else convention_of(options.convention)
    wheel = None if options.wheel is None else read_wheel(options.wheel)
    secret = read_secret(options.secret_file)
    made = secret is None
    place = "secret.txt" if made or options.secret_file is None else _seen_from(options)
    course = Course(
        options.title,
        new_secret() if secret is None else needed(secret),
        place,
        options.seed,
        roster,
        convention,
        wheel,
        tuple(_said(options, convention is not None)),
    )
    sheets = len(course.students) * len(PLAN)
    terminal.announce(f"{plural(sheets, 'sheet')} of {plural(len(course.students), 'student')} …")
    count = new_course(options.folder, course)
    lines = [f"written: {safe(options.folder)}, {plural(count, 'file')}"]
    if options.secret_file is None:
        whose = "made for this course" if made else f"that of {VARIABLE}"
        lines.append(f"secret:  {safe(str(Path(options.folder, place)))}, {whose}")
    whom = (
        f"for {EVERYBODY}" if roster is None else f"for {plural(len(course.students), 'student')}"
    )
    lines += [f"sheets:  {len(PLAN)} {whom}, {', '.join(sheet.name for sheet in PLAN)}"]
    lines += [f"next:    cd {shlex.quote(safe(options.folder))}, and read README.md"]
    _write(lines)
    return 0


def _seen_from(options: argparse.Namespace) -> str:
    """The secret file as it is named in the course's folder."""
    return str(Path(options.secret_file).resolve())


def _said(options: argparse.Namespace, in_convention: bool) -> list[str]:
    """The options of this call, for the record."""
    words = [] if options.title == TITLE else ["--title", options.title]
    for name in ("roster", "secret_file", "convention", "wheel"):
        value = getattr(options, name)
        words += [] if value is None else [f"--{name.replace('_', '-')}", str(value)]
    return [*words, *([] if options.seed == 1 else ["--seed", str(options.seed)])]


def _write(lines: list[str]) -> None:
    terminal.write(fold_all(lines, terminal.width()))
