"""What a step runs on, without numba; and the folder in which compiled code is kept."""

import sys

import pytest
from network_cases import network, refusal

from jacobian_bp import SpecError
from jacobian_bp.source import numba_files


def forget():
    """As in another process."""
    numba_files._LOADED.clear()


def test_an_engine_that_is_not_known_is_refused():
    net = network()
    assert refusal(SpecError, lambda: net.compile(engine="nunba")) == (
        "engine = 'nunba' is not known. Did you mean numba?\n  Write numpy or numba."
    )
    assert refusal(SpecError, lambda: net.compile(engine=None)) == (
        "engine = None is not known.\n  Write numpy or numba."
    )


@pytest.mark.parametrize(("module", "package"), [("numba", "numba"), ("scipy.linalg", "scipy")])
def test_without_numba_the_call_names_the_command(module, package, monkeypatch):
    for name in (package, module):
        monkeypatch.setitem(sys.modules, name, None)
    if package == "scipy":
        monkeypatch.setitem(sys.modules, "numba", sys)  # any module: it is there
    assert refusal(SpecError, lambda: network().compile(engine="numba")) == (
        f'net.compile(engine="numba") needs {package}, which is not installed.\n'
        f"  Write pip install 'jacobian-bp[{package}]'."
    )


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert numba_files.folder() == tmp_path / "jacobian_bp"
    (tmp_path / "jacobian_bp").chmod(0o777)
    assert numba_files.folder() is None
    (tmp_path / "jacobian_bp").rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "jacobian_bp").symlink_to(tmp_path / "elsewhere")
    assert numba_files.folder() is None
    (tmp_path / "jacobian_bp").unlink()
    (tmp_path / "jacobian_bp").write_text("no folder")
    assert numba_files.folder() is None
    forget()
    assert numba_files.loaded("step = 7\n").step == 7  # from a folder that is gone again
    monkeypatch.setenv("XDG_CACHE_HOME", "no/absolute/path")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert numba_files.folder() == tmp_path / "home" / ".cache" / "jacobian_bp"


def test_a_file_that_was_changed_is_written_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    forget()
    assert numba_files.loaded("step = 7\n").step == 7
    (path,) = (tmp_path / "jacobian_bp").glob("step_*.py")
    path.write_text("step = 8\n")
    forget()
    assert numba_files.loaded("step = 7\n").step == 7
    assert path.read_text() == "step = 7\n"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_what_is_broken_in_the_folder_is_gone_around(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    forget()
    written = numba_files._written
    monkeypatch.setattr(
        numba_files,
        "_written",
        lambda place, key, text: written(
            place, key, "1 / 0\n" if place.name == "jacobian_bp" else text
        ),
    )
    assert numba_files.loaded("step = 9\n").step == 9
