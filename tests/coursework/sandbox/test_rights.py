"""Whose the folder of a run is, and what holds the process itself: its session, pipe and limits."""

import os
import stat
import sys
import tempfile
import threading
from types import SimpleNamespace

import pytest

from jacobian_bp.coursework.sandbox import Limits, process, run_code, run_folder
from jacobian_bp.coursework.sandbox.run_folder import FIRST_USER, NOBODY, USERS

posix = pytest.mark.skipif(os.name != "posix", reason="users, sessions and limits are of POSIX")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="by /proc")
LAST_USER = FIRST_USER + USERS - 1


@posix
@pytest.mark.parametrize(
    ("refused", "asked", "given"),
    [
        ([], [LAST_USER], LAST_USER),
        ([LAST_USER], [LAST_USER, NOBODY], NOBODY),
        ([LAST_USER, NOBODY], [LAST_USER, NOBODY], NOBODY),
    ],
    ids=["a new user", "no such user", "no user at all"],
)
def test_roots_folder_is_given_to_a_new_user_or_to_nobody(refused, asked, given, monkeypatch):
    seen = []

    def chown(folder, user, group):
        assert (folder, user) == ("the folder", group)
        seen.append(user)
        if user in refused:
            raise PermissionError

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", chown)
    monkeypatch.setattr(run_folder.secrets, "randbelow", lambda most: most - 1)
    assert (run_folder._given_away("the folder"), seen) == (given, asked)


@posix
def test_who_is_not_root_keeps_the_folder(monkeypatch):
    monkeypatch.setattr(os, "chown", None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert run_folder._given_away("the folder") is None
    monkeypatch.delattr(os, "geteuid")  # as on Windows
    assert run_folder._given_away("the folder") is None


@posix
def test_what_is_tidied_up_is_opened_to_its_owner_and_links_are_not_followed(tmp_path):
    for name in ("closed", "elsewhere"):
        (tmp_path / name).mkdir(mode=0)
    (tmp_path / "file").touch(mode=0o400)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    folder = run_folder._open(str(tmp_path))
    for name in ("closed", "file", "link"):
        run_folder._allowed(name, folder)
    os.close(folder)
    rights = {name: (tmp_path / name).stat().st_mode for name in ("closed", "elsewhere", "file")}
    assert {name: stat.S_IMODE(mode) for name, mode in rights.items()} == {
        "closed": 0o700, "elsewhere": 0, "file": 0o400,
    }  # fmt: skip


@posix
def test_what_is_printed_last_is_waited_for(monkeypatch):
    class Late(threading.Thread):
        """One that has not begun to read when the sheet has ended."""

        def start(self):
            pass

        def join(self, timeout=None):
            self.run()

    monkeypatch.setattr(process, "threading", SimpleNamespace(Thread=Late))
    assert run_code("print('the last words')", [], Limits()).output == "the last words\n"


HELD = """
import os, time
if os.fork() == 0:
    os.setsid()
    for _ in range(400):
        if not os.path.exists("held"): os._exit(0)
        time.sleep(0.05)
    os.rename("held", "given up")
"""


@linux
def test_a_pipe_that_somebody_holds_open_keeps_nobody_waiting(tmp_path, monkeypatch):
    """The reader waits for its end; to close it nevertheless it must not be a buffered one.

    Nor may it keep the grader from ending.
    """
    child = tmp_path / "child.py"
    child.write_text(HELD)
    monkeypatch.setattr(process, "CHILD", child)
    monkeypatch.setattr(process, "GRACE", 0.05)
    (tmp_path / "held").touch()
    before = {*threading.enumerate()}
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as result:
        ended, said = process._process(str(tmp_path), asked, result, Limits())
    assert (ended, said) == (0, "")
    readers = {*threading.enumerate()} - before
    assert [reader.daemon for reader in readers] == [True]  # else the grader would not end
    (tmp_path / "held").unlink()  # it is not given up yet


@posix
def test_a_sheet_leads_a_session_and_is_told_of_its_limit_before_it_is_killed():
    code = """
import os, resource
leads = os.getsid(0) == os.getpid()
soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
"""
    found = run_code(code, ["leads", "soft", "hard"], Limits()).values
    assert found["leads"]
    assert found["hard"] == found["soft"] + 1
