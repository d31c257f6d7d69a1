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
FIRST, MOST = 3, 60  # tests that are run at first, and at most, where it is to be quick
STOPPED = 2  # the code of pytest where its time was up
OWN = ("/tmp", "/var/tmp", "/dev/shm")  # what each mutant has to itself
TIME_UP = 128 + 9  # the code of a process that the kernel ends after its time
WAITING = 20  # how much longer than its own time a process may wait
SEEN = (sys.prefix, sys.base_prefix, ROOT)  # what it must see
NAMESPACES = ("unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child")
CONFINED = f"""set -e
mount --bind "$1" /mnt
for place in {" ".join(OWN)}; do mount -t tmpfs tmpfs "$place"; done
mount -o remount,bind,ro /
cd /mnt; ulimit -v 8388608; ulimit -t "$2"; shift 2
set +e; "$@"; exit $?"""  # not the last command: the first process of all is deaf to signals


def chosen(room: str, count: int, seed: int, root: Path = ROOT) -> list[Mutant]:
    """Drawn at random from the files of a room, the kinds taking turns."""
    inner = [f"jacobian_bp/{other}/" for other in ROOMS if other.startswith(f"{room}/")]
    kinds: dict[str, list[Mutant]] = {}
    for file in sorted((root / "jacobian_bp" / room).rglob("*.py")):
        path = file.relative_to(root).as_posix()
        if file.name != "__init__.py" and not path.startswith(tuple(inner)):
            for mutant in mutants(path, root):
                kinds.setdefault(mutant.kind, []).append(mutant)
    generator = random.Random(f"{seed} {room}")
    for each in kinds.values():
        generator.shuffle(each)
    turns = (m for turn in zip_longest(*kinds.values()) for m in turn if m and m.differs(root))
    return list(islice(turns, count))


def equivalents(text: str, root: Path = ROOT) -> dict[tuple[str, ...], str]:
    """The reasons for mutants that no test can tell from the code; SystemExit for a stale one."""
    listed = tomllib.loads(text).get("mutant", [])
    known = {(m["path"], m["within"], m["before"], m["after"]): m["reason"] for m in listed}
    paths = {path for path, *_ in known}
    made = {m.key for path in paths if (root / path).exists() for m in mutants(path, root)}
    if stale := known.keys() - made:
        said = "\n".join(" | ".join(key) for key in sorted(stale))
        raise SystemExit(
            f"No such mutant can be made of the code as it is:\n{said}\n"
            "Correct the record to what stands there now, or remove it."
        )
    return known


def run_tests(tree: Path, tests: list[str], seconds: int = 10**5) -> tuple[int, str]:
    """The exit code of pytest in the copy, and what it printed; the time is the processor's."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    confined = [*NAMESPACES, "sh", "-c", CONFINED, "sh", str(tree), str(seconds), *command]
    env = os.environ | {"PYTHONPATH": f"/mnt:{ROOT / 'tests/mutants'}", "PYTHONHASHSEED": "0"}
    env |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": ""}  # quick to start
    try:
        done = subprocess.run(
            [*confined, *tests],
            capture_output=True,
            text=True,
            timeout=WAITING * seconds,
            env=env,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return TIME_UP, ""
    return done.returncode, done.stdout + done.stderr


class Room:
    """The tests of one room, run once on the code as it is: what they take, what they call."""

    def __init__(self, room: str, tree: Path, quick: int | None = None) -> None:
        self.tree, self.folder, self.quick = tree, f"tests/{room}", quick
        self.changes, began = 0, os.times()
        ask = ["-p", "callers", "--callers=.callers", f"--callers-within={quick or 10**5}"]
        code, said = run_tests(tree, [*ask, self.folder])
        if code and not (quick and code == STOPPED and "no tests ran" not in said):
            raise SystemExit(f"{room}: its tests fail on the code as it is\n{said}")
        self.limit = 30 + 3 * round(os.times().children_user - began.children_user)
        self.callers: dict[str, list[str]] = {}
        tests = json.loads((tree / ".callers").read_text("utf-8"))
        for test in sorted(tests, key=lambda test: tests[test][0]):
            for name in tests[test][1]:
                self.callers.setdefault(name, []).append(test)

    def tests(self, mutant: Mutant) -> Iterator[list[str]]:
        """The quickest tests that call what is mutated; then more of them, or all of the room."""
        name = f"{mutant.path.removeprefix('jacobian_bp/')} {mutant.within}"
        near = self.callers.get(name, [])
        if near:
            yield near[:FIRST]
        if not near or not self.quick:
            yield [self.folder, mutant.path]
        elif near[FIRST:]:
            yield near[FIRST:MOST]

    def kills(self, mutant: Mutant) -> str:
        """The test that fails on a mutant, or how pytest ended; "" for a survivor."""
        file = self.tree / mutant.path
        kept, self.changes = file.read_bytes(), self.changes + 1
        try:
            file.write_bytes(mutant.code(self.tree))
            os.utime(file, (2 * self.changes, 2 * self.changes))  # else its bytecode may be kept
            for tests in self.tests(mutant):
                code, said = run_tests(self.tree, tests, self.limit)
                if code:
                    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
                    return failed[0] if failed else f"pytest ended with exit code {code}"
            return ""
        finally:
            file.write_bytes(kept)
            os.utime(file, (2 * self.changes + 1, 2 * self.changes + 1))


def main() -> int:
    """Exit code 1 where there is a survivor that is not listed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rooms", nargs="+", default=ROOMS, choices=ROOMS, metavar="ROOM")
    parser.add_argument("--count", type=int, default=225, help="of all rooms together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--quick",
        type=int,
        metavar="SECONDS",
        help=f"for so long only see which tests call what, and run at most {MOST} of them",
    )
    asked = parser.parse_args()
    if not confinable():
        raise SystemExit(
            "A mutant may delete files and end processes, so it runs in namespaces of its own.\n"
            "Run this as root on Linux with unshare, the tree and Python being outside "
            + ", ".join(OWN)
            + "."
        )
    known, totals = equivalents(EQUIVALENT.read_text("utf-8")), Counter[tuple[str, str]]()
    nothing = f"{'none of the tests that ran' if asked.quick else 'no test of the room'} fails"
    for room in asked.rooms:
        with copied() as tree:
            tests = Room(room, tree, asked.quick)
            for mutant in chosen(room, -(-asked.count // len(asked.rooms)), asked.seed):
                killer = "" if mutant.key in known else tests.kills(mutant)
                how = "killed" if killer else "equivalent" if mutant.key in known else "SURVIVED"
                totals[room, how] += 1
                print(f"{how}  {mutant.path}:{mutant.line} {mutant.within} ({mutant.kind})")
                print(f"    {mutant.before}\n    {mutant.after}")
                print(
                    f"    {known.get(mutant.key, killer or nothing)}",
                    flush=True,
                )
    for (room, how), number in totals.items():
        print(f"{room:24} {how:10} {number}")
    return int(any(how == "SURVIVED" for _, how in totals))


def confinable() -> bool:
    """Whether mutants can be kept from everything else, and the interpreter is still found."""
    shared = [Path(prefix).is_relative_to(p) for prefix in SEEN for p in OWN]
    command = [*NAMESPACES, "true"]
    return (
        not any(shared)
        and bool(shutil.which("unshare"))
        and not subprocess.call(command, stderr=subprocess.DEVNULL)
    )


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of what the tests need, where other users can read it."""
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        tree = Path(folder) / "tree"
        left_out = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(ROOT, tree, ignore=left_out)
        yield tree


if __name__ == "__main__":
    sys.exit(main())
