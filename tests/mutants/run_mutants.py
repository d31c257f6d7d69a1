"""Do the tests notice a mistake in the code? Mutants, each run against the tests of its room.

    python tests/mutants/run_mutants.py --rooms algebra ops --count 40 --seed 1

A mutant (`mutants.py`) is put into a copy of the tree, never into the tree itself. One that all
tests pass is a survivor: the tests lack a case, the code is not needed, or the two are equivalent;
`equivalent.toml` lists the last kind, each with its reason.

A mutant of the sandbox may delete any file and end any process. So each runs in namespaces of
its own (Linux, `unshare`): it sees no process but its own, has /tmp to itself, and can write
nowhere else. Where there are no namespaces, the tool refuses.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, zip_longest
from pathlib import Path

from mutants import ROOT, Mutant, mutants

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
ROOMS = (
    *("algebra", "routes", "routes/compiled", "ops", "checks", "curvature"),
    *("coursework/grading", "coursework/sandbox", "coursework/diagnosis"),
)
MOST = 1000  # tests named on one command line
CONFINED = """set -e
mount --bind "$1" /mnt
for place in /tmp /var/tmp /dev/shm; do mount -t tmpfs tmpfs "$place"; done
mount -o remount,bind,ro /
cd /mnt; shift; ulimit -v 8388608
set +e; "$@"; exit $?"""  # not the last command: the first process of all is deaf to signals


def chosen(room: str, count: int, seed: int) -> list[Mutant]:
    """Drawn at random from the files of a room, the kinds taking turns."""
    inner = [other for other in ROOMS if other.startswith(f"{room}/")]
    kinds: dict[str, list[Mutant]] = {}
    for file in sorted((ROOT / "jacobian_bp" / room).rglob("*.py")):
        path = file.relative_to(ROOT).as_posix()
        if file.name != "__init__.py" and not any(f"jacobian_bp/{i}/" in path for i in inner):
            for mutant in mutants(path):
                kinds.setdefault(mutant.kind, []).append(mutant)
    generator = random.Random(f"{seed} {room}")
    for each in kinds.values():
        generator.shuffle(each)
    turns = (m for turn in zip_longest(*kinds.values()) for m in turn if m and m.differs())
    return list(islice(turns, count))


def equivalents() -> dict[tuple[str, ...], str]:
    """The reason for each mutant that no test can tell from the code."""
    listed = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("mutant", [])
    return {(m["path"], m["within"], m["before"], m["after"]): m["reason"] for m in listed}


def run_tests(tree: Path, tests: list[str], seconds: float | None = None) -> tuple[int, str]:
    """The exit code of pytest in the copy, 124 where the time was up, and what it printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    confined = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child"]
    confined += ["sh", "-c", CONFINED, "sh", str(tree), *command, "--hypothesis-seed=0", *tests]
    env = {**os.environ, "PYTHONPATH": "/mnt:/mnt/tests/mutants", "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run(
            confined, capture_output=True, text=True, timeout=seconds, env=env, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, "the time was up"
    return done.returncode, done.stdout + done.stderr


class Room:
    """The tests of one room, run once on the code as it is: what they take, what they call."""

    def __init__(self, room: str, tree: Path, callers_only: bool) -> None:
        self.tree, self.folder, self.callers_only = tree, f"tests/{room}", callers_only
        self.changes, began = 0, time.monotonic()
        code, said = run_tests(tree, ["-p", "callers", "--callers=.callers", self.folder])
        if code:
            raise SystemExit(f"{room}: its tests fail on the code as it is\n{said}")
        self.limit = 3 * (time.monotonic() - began) + 30
        self.callers: dict[str, list[str]] = {}
        tests = json.loads((tree / ".callers").read_text("utf-8"))
        for test in sorted(tests, key=lambda test: tests[test][0]):
            for name in tests[test][1]:
                self.callers.setdefault(name, []).append(test)

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that call what is mutated, the quickest first; then all others."""
        name = f"{mutant.path.removeprefix('jacobian_bp/')} {mutant.within}"
        near = self.callers.get(name, [])
        return near if near and self.callers_only else [*near[:MOST], self.folder, mutant.path]

    def kills(self, mutant: Mutant) -> str:
        """The test that fails on a mutant, or why there is no end; "" for a survivor."""
        file = self.tree / mutant.path
        kept, self.changes = file.read_bytes(), self.changes + 1
        try:
            file.write_bytes(mutant.code(self.tree))
            os.utime(file, (2 * self.changes, 2 * self.changes))  # else its bytecode may be kept
            code, said = run_tests(self.tree, self.tests(mutant), self.limit)
        finally:
            file.write_bytes(kept)
            os.utime(file, (2 * self.changes + 1, 2 * self.changes + 1))
        failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
        return (failed or [said.strip().splitlines()[-1]])[0] if code else ""


def main() -> int:
    """Exit code 1 where there is a survivor that is not listed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rooms", nargs="+", default=ROOMS, choices=ROOMS, metavar="ROOM")
    parser.add_argument("--count", type=int, default=225, help="of all rooms together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--callers-only",
        action="store_true",
        help="run only tests that are seen to call what is mutated: quicker, with more survivors",
    )
    asked = parser.parse_args()
    known, totals = equivalents(), Counter[tuple[str, str]]()
    for room in asked.rooms:
        with copied() as tree:
            tests = Room(room, tree, asked.callers_only)
            for mutant in chosen(room, -(-asked.count // len(asked.rooms)), asked.seed):
                killer = "" if mutant.key in known else tests.kills(mutant)
                how = "killed" if killer else "equivalent" if mutant.key in known else "SURVIVED"
                totals[room, how] += 1
                print(f"{how}  {mutant.path}:{mutant.line} {mutant.within} ({mutant.kind})")
                print(f"    {mutant.before}\n    {mutant.after}")
                print(
                    f"    {known.get(mutant.key, killer or 'no test of the room fails')}",
                    flush=True,
                )
    for (room, how), number in totals.items():
        print(f"{room:24} {how:10} {number}")
    return int(any(how == "SURVIVED" for _, how in totals))


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of what the tests need, where other users can read it."""
    if ROOT.is_relative_to("/tmp") or subprocess.call(["unshare", "--pid", "--mount", "true"]):
        raise SystemExit("mutants need a tree outside /tmp, Linux, and the right to `unshare`")
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        tree = Path(folder) / "tree"
        left_out = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(ROOT, tree, ignore=left_out)
        yield tree


if __name__ == "__main__":
    sys.exit(main())
