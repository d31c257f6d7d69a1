"""The folder of one run: empty at first, and gone afterwards, whatever a sheet leaves in it.

    with run_folder() as folder:
        folder.path, folder.user

Where the grader is root, each run has a user of its own, and what this user leaves in the
folders that all users share is deleted too. Tidying up raises nothing: names of any bytes,
folders without rights, links, pipes and folders of any depth are deleted, and what the system
does not let go stays.
"""

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

NOBODY = 65534
FIRST_USER, USERS = 1_879_048_192, 2**28  # numbers that no system gives to anybody
SHARED = ("/tmp", "/var/tmp", "/dev/shm")
AT_FOLDERS = {os.open, os.unlink, os.rmdir, os.rename, os.chmod} <= os.supports_dir_fd


@dataclass(frozen=True)
class RunFolder:
    """Where a sheet runs, and as which user; None is the grader's own."""

    path: str
    user: int | None


@contextmanager
def run_folder() -> Iterator[RunFolder]:
    """A new folder that the sheet owns, in one that only the grader can write to."""
    outer = tempfile.mkdtemp(prefix="sheet")
    inner = os.path.join(outer, "run")
    user, opened = None, []
    try:
        os.mkdir(inner, 0o700)
        user = _given_away(inner)
        if user is not None:
            os.chmod(outer, 0o711)
        if AT_FOLDERS:
            opened = [_open(inner), _open(outer)]  # a sheet may move what it owns
        yield RunFolder(inner, user)
    finally:
        for folder in opened:
            _emptied(folder)
            _removed(folder)
            os.close(folder)
        with suppress(OSError, RecursionError):
            shutil.rmtree(outer, ignore_errors=True)
        if user not in (None, NOBODY):
            _sweep(user)


def _given_away(folder: str) -> int | None:
    """The user that now owns the folder: a new one, or nobody where there are no others."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    for user in (FIRST_USER + secrets.randbelow(USERS), NOBODY):
        with suppress(OSError):
            os.chown(folder, user, user)
            return user
    return NOBODY


def _open(name: str, inside: int | None = None) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    return os.open(name, flags, dir_fd=inside)


def _emptied(folder: int) -> None:
    """Delete what is in an open folder, without recursion: what lies deeper is moved up."""
    with suppress(OSError):
        os.fchmod(folder, 0o700)
    refused: set[str] = set()
    while names := [name for name in _names(folder) if name not in refused]:
        for name in names:
            if not (_unlinked(name, folder) or _lifted(name, folder)):
                refused.add(name)


def _names(folder: int) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _unlinked(name: str, folder: int) -> bool:
    for delete in (os.unlink, os.rmdir):
        with suppress(OSError):
            delete(name, dir_fd=folder)
            return True
    return False


def _lifted(name: str, folder: int) -> bool:
    """Delete a folder in `folder`, what is in it being deleted, or moved to `folder`."""
    try:
        _allowed(name, folder)
        inner = _open(name, folder)
    except OSError:
        return False
    try:
        for each in _names(inner):
            if not _unlinked(each, inner):
                with suppress(OSError):
                    _allowed(each, inner)
                    new = secrets.token_hex(16)
                    os.rename(each, new, src_dir_fd=inner, dst_dir_fd=folder)
    finally:
        os.close(inner)
    return _unlinked(name, folder)


def _allowed(name: str, folder: int) -> None:
    """All rights on a folder; a link, which would be followed, is none."""
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        os.chmod(name, 0o700, dir_fd=folder)


def _removed(folder: int) -> None:
    """Remove an open folder that is empty, wherever it is now."""
    with suppress(OSError):
        path = os.readlink(f"/proc/self/fd/{folder}")
        if os.path.samestat(os.stat(path), os.fstat(folder)):
            os.rmdir(path)


def _sweep(user: int | None) -> None:
    """Delete what this user, who was one run's alone, left in the folders of all users."""
    for place in dict.fromkeys((tempfile.gettempdir(), *SHARED)):
        with suppress(OSError):
            folder = _open(place)
            try:
                for name in _names(folder):
                    _delete_if_of(user, name, folder)
            finally:
                os.close(folder)


def _delete_if_of(user: int | None, name: str, folder: int) -> None:
    with suppress(OSError):
        if os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid != user:
            return
        if _unlinked(name, folder):
            return
        inner = _open(name, folder)
        try:
            _emptied(inner)
        finally:
            os.close(inner)
        _unlinked(name, folder)
