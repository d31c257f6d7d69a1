"""What a sheet may leave: nothing is left, and tidying up never fails."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from grading_cases import QUICK, SECRET, sheet, write

from jacobian_bp.cli import main
from jacobian_bp.coursework.grading.grade import Terms, grade_file
from jacobian_bp.coursework.sandbox import run_code
from jacobian_bp.coursework.sandbox.forbidden_calls import filter_program
from jacobian_bp.coursework.sandbox.run_folder import _open, run_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders are those of POSIX")
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="as root only")

LEFT = {  # what a sheet leaves in its folder
    "a deep folder": "for _ in range(60): os.mkdir('d'); os.chdir('d')\nopen('f', 'w').close()",
    "deep folders side by side": (
        "for name in 'abc':\n os.makedirs(name + '/d' * 23)\n open(name + '/f', 'w').close()"
    ),
    "folders without rights": "os.makedirs('a/b/c')\nfor n in ('a/b/c', 'a'): os.chmod(n, 0)",
    "its own folder without rights": "open('f', 'w').close(); os.mkdir('d'); os.chmod('.', 0)",
    "names of odd bytes": (
        "for n in (b'\\xff\\xfe', b'\\n', b' ', b'-rf', 'δ'.encode(), b'x' * 255):\n"
        " os.mkdir(n); open(os.path.join(n, n), 'w').close()"
    ),
    "links": "os.mkdir('d'); os.symlink('/', 'd/root'); os.symlink('d', 'l'); os.symlink('x', 'n')",
    "a pipe": "os.mkdir('d'); os.mkfifo('d/p'); os.mkfifo('p')",
    "a file that cannot be written": "os.mkdir('d'); open('d/f', 'w').close(); os.chmod('d/f', 0)",
    "names like those of what is moved": "os.makedirs('d/d/d/d/d'); os.makedirs('e/d/d')",
}


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """An empty folder in the place of the system's temporary one."""
    place = tmp_path / "temporary"
    place.mkdir()
    for folder in (place, *list(place.parents)[:3]):
        folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", LEFT)
def test_whatever_is_left_in_the_folder_is_deleted(name, temporary):
    found = run_code(f"import os\n{LEFT[name]}\nW = 1", ["W"], QUICK)
    assert (found.values, found.failure) == ({"W": 1}, "")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["links", "a deep folder"])
def test_what_a_link_names_stays(name, temporary, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "f").write_text("x")
    with run_folder() as folder:
        os.makedirs(f"{folder.path}/d/e")
        os.symlink(kept, f"{folder.path}/d/e/l")
        os.symlink(kept, f"{folder.path}/l")
    assert list(temporary.iterdir()) == []
    assert (kept / "f").read_text() == "x"


def test_a_link_that_stands_where_a_folder_was_is_never_opened(tmp_path):
    """A sheet may exchange one for the other while its folder is emptied."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    inside = _open(str(tmp_path))
    try:
        os.close(_open("kept", inside))
        with pytest.raises(OSError, match="link"):
            _open("link", inside)
    finally:
        os.close(inside)


DEEPER_THAN_PYTHON = "import os\nfor _ in range(1050): os.mkdir('d'); os.chdir('d')"


def test_a_sheet_with_a_folder_deeper_than_recursion_is_checked(temporary, tmp_path):
    path = write(tmp_path, sheet(5, before=DEEPER_THAN_PYTHON))
    assert main(["exercise", "check", str(path)]) == 0
    assert list(temporary.iterdir()) == []


@pytest.mark.full
def test_a_sheet_with_a_folder_deeper_than_recursion_is_graded(temporary, tmp_path):
    path = write(tmp_path, sheet(2, before=DEEPER_THAN_PYTHON))
    report = grade_file(path, 2, Terms(limits=QUICK))
    assert (report.ok, report.failure, report.score) == (True, "", 35)
    assert list(temporary.iterdir()) == []


def test_a_folder_that_was_moved_is_deleted_where_it_is(temporary, tmp_path):
    with run_folder() as folder:
        open(f"{folder.path}/f", "w").close()
        os.rename(folder.path, temporary / "other")  # as a sheet can where the grader is not root
    if sys.platform.startswith("linux"):
        assert list(temporary.iterdir()) == []
    with run_folder() as folder:
        os.rmdir(folder.path)
    assert [each.name for each in temporary.iterdir() if each.name != "other"] == []


def test_an_error_on_the_way_is_the_one_that_is_raised(temporary):
    with pytest.raises(ZeroDivisionError), run_folder() as folder:
        os.makedirs(f"{folder.path}/d/{1 // 0}")
    assert list(temporary.iterdir()) == []


@as_root
def test_a_sheet_cannot_move_its_own_folder_nor_read_the_next_ones(temporary):
    code = """
import os
here = os.getcwd()
try:
    os.rename(here, os.path.join(os.path.dirname(os.path.dirname(here)), "other"))
except OSError as error:
    W = type(error).__name__
V = os.getuid()
"""
    first, second = (run_code(code, ["W", "V"], QUICK).values for _ in range(2))
    assert first["W"] == second["W"] == "PermissionError"
    assert len({first["V"], second["V"], 0}) == 3  # a user for each run
    assert list(temporary.iterdir()) == []


SHARED = ("/tmp", "/var/tmp", "/dev/shm")


@as_root
@pytest.mark.parametrize("place", SHARED)
def test_what_is_left_for_the_next_sheet_in_a_shared_folder_is_deleted(place):
    if not os.path.isdir(place):
        pytest.skip("there is no such folder")
    mark = f"{place}/left-by-a-sheet-{os.getpid()}"
    code = f"""
import os, tempfile
W = tempfile.gettempdir() == os.getcwd() == os.path.expanduser("~")
os.makedirs({mark!r} + "/d/e")
open({mark!r} + "/d/f", "w").close()
os.chmod({mark!r} + "/d", 0)
os.symlink("/etc", {mark!r} + "-link")
V = 1
"""
    others = Path(f"{place}/of-another-user-{os.getpid()}")
    others.write_text("x")
    try:
        assert run_code(code, ["W", "V"], QUICK).values == {"W": True, "V": 1}
        assert not os.path.lexists(mark)
        assert not os.path.lexists(f"{mark}-link")
        assert others.read_text() == "x"
    finally:
        others.unlink()


GROUPS = """
import os
from jacobian_bp.coursework.sandbox import run_code
print(sorted(os.getgroups()), run_code("import os; W = str(os.getgroups())", ["W"]).values)
"""


@as_root
def test_root_gives_its_groups_up():
    command = [sys.executable, "-c", GROUPS]
    done = subprocess.run(
        command, extra_groups=[7, 11], capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "[7, 11] {'W': '[]'}\n"


HELD = {  # memory that no limit counts
    "memfd_create": "os.memfd_create('m')",
    "memfd_create as a call": "call(319 if machine == 'x86_64' else 279, b'm', 0)",
    "memfd_secret": "call(447, 0)",
    "shmget": "call(29 if machine == 'x86_64' else 194, 0, 4096, 0o1600)",
    "a number of the second table": "call(0x40000000 + 319, b'm', 0)",
}


@pytest.mark.skipif(not filter_program(), reason="the filter is that of Linux")
def test_memory_that_no_limit_counts_is_refused():
    code = """
import ctypes, os, platform
machine = platform.machine()
def call(*arguments):
    if ctypes.CDLL(None, use_errno=True).syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
"""
    for number, line in enumerate(HELD.values()):
        code += f"""
try:
    {line}
    W{number} = "held"
except OSError as error:
    W{number} = error.errno
"""
    names = [f"W{number}" for number in range(len(HELD))]
    found = run_code(code, names, QUICK).values
    assert found == dict.fromkeys(names, 1)  # "Operation not permitted"


def test_the_runner_names_no_place_of_a_package():
    code = """
import sys
frame, found = sys._getframe(), []
while frame:
    found += [text for held in frame.f_locals.values() if type(held) is dict for text in held]
    frame = frame.f_back
W = "numpy_only" in found
V = "packages" in found
"""
    assert run_code(code, ["W", "V"], QUICK, numpy_only=True).values == {"W": 1, "V": 0}


def test_no_secret_is_in_what_a_sheet_can_see_of_its_grader(tmp_path):
    """Its command line, environment and files: the secret's path is there, the secret is not."""
    code = """
import os
W = ""
for place in ("cmdline", "environ"):
    try:
        W += open(f"/proc/{os.getppid()}/{place}", errors="replace").read()
    except OSError:
        pass
"""
    secret = tmp_path / "secret.txt"
    secret.write_bytes(SECRET)
    assert SECRET.decode() not in str(run_code(code, ["W"], QUICK).values)
