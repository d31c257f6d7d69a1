"""A file is written whole or not at all, whatever is raised on the way."""

import resource
import signal
from contextlib import contextmanager

import pytest
from network_cases import refusal

from jacobian_bp import SpecError
from jacobian_bp.coursework.grading.class_sheets import write_sheets
from jacobian_bp.network.files import paths
from jacobian_bp.network.files.paths import write_new
from jacobian_bp.writing.whole_file import write_whole


@contextmanager
def room_for(size):
    """As on a disk that is full after so many bytes of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_new_file_that_does_not_fit_is_taken_away_again(tmp_path):
    path = tmp_path / "net.toml"
    with room_for(1000):
        write_new(path, "x" * 1000)
        path.unlink()
        message = refusal(SpecError, write_new, path, "x" * 1001)
    told = "net.toml cannot be written: File too large.\n  Choose another folder or name."
    assert message == told
    assert not list(tmp_path.iterdir())
    write_new(path, "x" * 1001)
    assert path.read_text() == "x" * 1001


def test_the_sheets_of_a_class_that_do_not_fit_are_all_taken_away(tmp_path):
    sheets = {"ada.py": "x" * 500, "bob.py": "y" * 2000, "eve.py": "z" * 500}
    with room_for(1000):
        assert "bob.py cannot be written" in refusal(SpecError, write_sheets, tmp_path, sheets)
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_no_half_file_and_an_older_one_stays(tmp_path, monkeypatch):
    path = tmp_path / "net.toml"

    class Interrupted:
        def __init__(self, *place):
            self.file = open(*place)  # noqa: SIM115

        def __enter__(self):
            return self

        def __exit__(self, *raised):
            self.file.close()

        def write(self, content):
            self.file.write(content[:3])
            raise KeyboardInterrupt

    monkeypatch.setattr(paths, "open", Interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt):
        write_new(path, "network")
    assert not path.exists()
    path.write_text("older")
    assert "is there already" in refusal(SpecError, write_new, path, "network")
    assert path.read_text() == "older"


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt(), ValueError("no")])
@pytest.mark.parametrize("late", [False, True], ids=["while writing", "behind it"])
def test_an_older_file_stays_and_no_draft_is_left(tmp_path, error, late):
    path = tmp_path / "r.json"
    path.write_bytes(b"older")

    def fail(*file):
        for one in file:
            one.write(b"half")
        raise error

    write = (lambda file: file.write(b"newer")) if late else fail
    with pytest.raises(type(error)):
        write_whole(path, write, at_last=fail if late else None)
    assert path.read_bytes() == b"older"
    assert [found.name for found in tmp_path.iterdir()] == ["r.json"]


def test_a_link_is_replaced_and_the_permissions_are_those_asked_for(tmp_path):
    path, target = tmp_path / "r.json", tmp_path / "target"
    target.write_bytes(b"older")
    path.symlink_to(target)
    assert write_whole(path, lambda file: file.write(b"newer"), mode=0o640) == path
    assert not path.is_symlink()
    assert path.read_bytes() == b"newer"
    assert path.stat().st_mode & 0o777 == 0o640
    assert target.read_bytes() == b"older"


def test_the_last_word_on_the_place_is_spoken_when_all_is_written(tmp_path):
    other = tmp_path / "r.incomplete.json"
    found = write_whole(
        tmp_path / "r.json", lambda file: file.write(b"rows"), at_last=lambda: other
    )
    assert found == other
    assert [path.name for path in tmp_path.iterdir()] == [other.name]
