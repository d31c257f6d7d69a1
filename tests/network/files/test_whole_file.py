"""A file is written whole or not at all, whatever is raised on the way."""

import pytest

from jacobian_bp.network.files.whole_file import write_whole


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
