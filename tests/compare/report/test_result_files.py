"""Files of results: tried first, written whole, an older one never lost."""

import csv
import json
import os
import shutil

import pytest

from jacobian_bp.compare.report.result_files import Output, as_csv, as_json
from jacobian_bp.compare.timing.result import Result
from jacobian_bp.errors import SpecError

FACTS = {"seed": 3, "machine": {"cores": 2}, "not_there": ["torch", "jax"]}
ROWS = [
    Result("3-5-2, batch 7", "gradient", "vjp", minimum=0.5, rounds=3, complete=True),
    Result("3-5-2, batch 7", "gradient", "=1+1", refused="refused: 7 bytes"),
]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_json_has_the_facts_and_every_row():
    found = json.loads(as_json(FACTS, ROWS, True))
    assert found["format"] == "jacobian-bp compare 1"
    assert (found["complete"], found["seed"], found["machine"]) == (True, 3, {"cores": 2})
    assert found["rows"] == [row.as_dict() for row in ROWS]
    assert found["rows"][1]["minimum"] is None
    assert json.loads(as_json(FACTS, [], False))["complete"] is False


def test_csv_has_the_facts_in_every_line_and_no_formula():
    lines = list(csv.DictReader(as_csv(FACTS, ROWS, False).decode().splitlines()))
    assert [line["subject"] for line in lines] == ["vjp", "'=1+1"]
    assert [line["task"] for line in lines] == ["3-5-2, batch 7"] * 2
    for line in lines:
        assert (line["seed"], line["machine.cores"], line["run_complete"]) == ("3", "2", "False")
        assert line["not_there"] == "torch; jax"
    assert (lines[0]["minimum"], lines[1]["minimum"]) == ("0.5", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_every_start_of_a_formula_is_quoted(start):
    row = Result(start + "1", "gradient", "vjp")
    assert as_csv({}, [row], True).decode().split("\n")[1].lstrip('"').startswith("'" + start)


def test_a_complete_file_replaces_an_older_one_and_says_so(tmp_path):
    path = tmp_path / "r.json"
    output = Output("--json", str(path), (".json",))
    assert files(tmp_path) == []  # tried, and nothing left behind
    assert output.write(b"new", True) == f"written   {path}"
    assert output.write(b"newer", True) == f"written   {path}, in place of an older one"
    assert path.read_bytes() == b"newer"
    assert files(tmp_path) == ["r.json"]


def test_an_incomplete_file_leaves_the_older_one(tmp_path):
    path = tmp_path / "r.json"
    output = Output("--json", str(path), (".json",))
    assert output.write(b"some", False) == f"written   {path}, incomplete"
    assert path.read_bytes() == b"some"
    said = output.write(b"less", False)
    beside = tmp_path / "r.incomplete.json"
    assert said == f"written   {beside}, incomplete; {path} is as it was"
    assert (path.read_bytes(), beside.read_bytes()) == (b"some", b"less")


def test_what_is_incomplete_never_takes_the_place_of_another(tmp_path):
    """Also where the other is read-only, a link to nothing, or made by a run at the same time."""
    output = Output("--json", str(tmp_path / "r.json"), (".json",))
    (tmp_path / "r.incomplete.json").write_text("of another run")
    (tmp_path / "r.incomplete.json").chmod(0o444)
    (tmp_path / "r.incomplete-3.json").symlink_to(tmp_path / "nothing")
    names = ["r.json", "r.incomplete-2.json", "r.incomplete-4.json"]
    for content, name in zip((b"one", b"two", b"three"), names, strict=True):
        kept = "" if name == "r.json" else f"; {tmp_path}/r.json is as it was"
        assert output.write(content, False) == f"written   {tmp_path}/{name}, incomplete{kept}"
    assert [(tmp_path / name).read_bytes() for name in names] == [b"one", b"two", b"three"]
    assert (tmp_path / "r.incomplete.json").read_text() == "of another run"
    assert (tmp_path / "r.incomplete-3.json").is_symlink()
    assert len(files(tmp_path)) == 5


def test_what_failed_names_the_file_and_not_the_temporary_one(tmp_path):
    (tmp_path / "gone").mkdir()
    output = Output("--json", str(tmp_path / "gone" / "r.json"), (".json",))
    shutil.rmtree(tmp_path / "gone")
    for complete in (True, False):
        with pytest.raises(OSError, match="No such file") as caught:
            output.write(b"new", complete)
        assert output.failed(caught.value) == (
            f"not written: {tmp_path}/gone/r.json: No such file or directory"
        )


def test_a_full_disk_leaves_the_older_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    path.write_text("old")
    output = Output("--json", str(path), (".json",))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        output.write(b"new", True)
    assert path.read_text() == "old"
    assert files(tmp_path) == ["r.json"]


def test_permissions_stay_and_a_new_file_has_the_usual_ones(tmp_path):
    path, other = tmp_path / "r.json", tmp_path / "s.json"
    path.write_text("old")
    path.chmod(0o640)
    Output("--json", str(path), (".json",)).write(b"new", True)
    assert path.stat().st_mode & 0o777 == 0o640
    Output("--json", str(other), (".json",)).write(b"new", True)
    (tmp_path / "t.json").write_text("plain")
    assert other.stat().st_mode == (tmp_path / "t.json").stat().st_mode


def test_a_link_is_followed(tmp_path):
    target, link = tmp_path / "r.json", tmp_path / "l.json"
    target.write_text("old")
    link.symlink_to(target)
    Output("--json", str(link), (".json",)).write(b"new", True)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("r.txt", "--json 'r.txt' does not end in .json.\n  Write such as --json results.json."),
        ("r\x1b.json", "--json 'r\\x1b.json' has characters that no path needs.\n"
         "  Write such as --json results.json."),
        ("no/r.json", "--json {0}/no/r.json cannot be written: there is no folder {0}/no.\n"
         "  Choose another folder or name; nothing was measured."),
        ("folder.json", "--json {}/folder.json cannot be written: it is a folder.\n"
         "  Choose another folder or name; nothing was measured."),
        ("closed.json", "--json {}/closed.json cannot be written: it is read-only.\n"
         "  Choose another folder or name; nothing was measured."),
        ("pipe.json", "--json {}/pipe.json cannot be written: it is no regular file.\n"
         "  Choose another folder or name; nothing was measured."),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_said_at_once(tmp_path, name, problem):
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "closed.json").write_text("old")
    (tmp_path / "closed.json").chmod(0o444)
    os.mkfifo(tmp_path / "pipe.json")
    before = files(tmp_path)
    with pytest.raises(SpecError) as caught:
        Output("--json", str(tmp_path / name), (".json",))
    assert str(caught.value) == problem.format(tmp_path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["a" * 300 + ".json", "/proc/r.json"])
def test_other_names_that_no_file_has(tmp_path, name):
    with pytest.raises(SpecError, match="cannot be written"):
        Output("--json", str(tmp_path / name), (".json",))
