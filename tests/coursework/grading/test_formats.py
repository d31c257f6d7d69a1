"""The four formats, and the results file."""

import json
import os
import stat
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from grading_cases import QUICK, command, require_gradescope, sheet, write

from jacobian_bp.coursework.grading.formats import FOR_AN_INSTRUCTOR, FORMATS, log_lines
from jacobian_bp.coursework.grading.grade import Terms, grade_file
from jacobian_bp.coursework.grading.results_file import write_results
from jacobian_bp.errors import SpecError

WRONG = [("delta3 = S3 @ (a3 - y)", "delta3 = S3 @ (y - a3)")]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = write(tmp_path_factory.mktemp("wrong"), sheet(changes=WRONG))
    return grade_file(path, 2, Terms(graded_seed=123456789, limits=QUICK))


def hostile(report):
    """The same report, with everything that a format could stumble over."""
    words = "\x00\x1b[31m <b>&amp;\"'</b> ]]> \ud800 \ufffe \u202e ∂"
    marks = tuple(replace(m, messages=(words,) * 4, object=words) for m in report.marks)
    return replace(report, failure=words, notes=(words,), marks=marks)


# ---------------------------------------------------------------- formats


def test_gradescope_gets_what_it_reads(report):
    results = require_gradescope(FORMATS["gradescope"](report))
    test = next(test for test in results["tests"] if test["status"] == "failed")
    assert test == {
        "number": "2.2",
        "name": "delta3: values, one example",
        "score": 0,
        "max_score": 2,
        "status": "failed",
        "output": "layer 3: shape right, values wrong: every entry; "
        "every entry is -1 times the right one",
        "output_format": "text",
        "tags": ["sign"],
        "visibility": "visible",
    }
    fresh = {t["visibility"] for t in results["tests"] if t["name"].endswith("fresh numbers")}
    assert fresh == {"after_published"}


def test_the_seed_stands_in_the_full_record_only(report):
    holds = {name: "123456789" in show(report) for name, show in FORMATS.items()}
    assert {name for name, held in holds.items() if held} == {"json", *FOR_AN_INSTRUCTOR}


def test_the_log_has_the_record_and_the_first_lines_that_were_printed(report):
    printed = "\n".join([*(f"line {n}" for n in range(1, 20)), "x" * 300, "line 21"])
    record = {"sheet_seed": 7, "fresh_failure": "", "graded_seed": 11, "output": printed}
    assert log_lines(replace(report, seconds=0.25, record=record)) == [
        "exercise  2, 0.25 seconds",
        "sheet seed: 7",
        "graded seed: 11",
        *(f"printed   line {n}" for n in range(1, 20)),
        "printed   " + "x" * 200,
    ]


def test_a_report_is_closed_and_its_log_is_plain_text(report):
    assert isinstance(report.marks, tuple)
    hash(report.marks)
    shown = replace(report, record={"output": "\x1b[31m\u202e"})
    assert log_lines(shown)[1:] == [r"printed   \x1b[31m\u202e"]


def test_every_format_survives_hostile_text(report):
    nasty = hostile(report)
    require_gradescope(FORMATS["gradescope"](nasty))
    json.loads(FORMATS["json"](nasty))
    text = FORMATS["text"](nasty)
    assert text.isascii()
    assert "\x1b" not in text
    root = ElementTree.fromstring(FORMATS["junit"](nasty).encode())
    assert "<b>&amp;\"'</b> ]]>" in root.find(".//error").get("message")


def test_text_fits_99_columns_at_every_level(report):
    for level in range(4):
        lines = FORMATS["text"](replace(report, level=level)).splitlines()
        assert max(map(len, lines)) <= 99
        assert lines[-1] == "score     31 of 35"


def test_junit_gets_a_case_for_each_mark(report):
    text = FORMATS["junit"](report)
    root = ElementTree.fromstring(text.encode())
    suite = root.find("testsuite")
    cases = suite.findall("testcase")
    failures = suite.findall("testcase/failure")
    assert (root.tag, int(suite.get("tests")), len(cases)) == ("testsuites", 21, 21)
    assert int(suite.get("failures")) == len(failures) == 2
    assert failures[0].get("type") == "wrong"
    assert cases[4].get("name") == "2.2 delta3: values, one example"


def test_junit_counts_alike_for_the_whole_and_for_its_one_suite(report):
    stopped = replace(report, failure="line 3: ValueError", seconds=2.71828, notes=("late",))
    root = ElementTree.fromstring(FORMATS["junit"](stopped).encode())
    counts = {"tests": "22", "failures": "2", "errors": "1", "skipped": "0", "time": "2.718"}
    assert root.attrib == counts
    suite = root.find("testsuite")
    assert suite.attrib == {"name": "exercise 2", **counts}
    assert suite.find("testcase").get("name") == "the file comes to its end"
    error = suite.find("testcase/error").attrib
    assert error == {"message": "line 3: ValueError", "type": "failure"}
    assert suite.find("system-out").text == "late"
    total = {p.get("name"): p.get("value") for p in suite.findall("properties/property")}
    assert total == {"score": "31", "max_score": "35", "whose": "ex.py"}


def test_junit_names_the_mistake_at_the_level_of_causes_only(report):
    types = []
    for level in range(4):
        root = ElementTree.fromstring(FORMATS["junit"](replace(report, level=level)).encode())
        types.append({failure.get("type") for failure in root.iter("failure")})
    assert types == [{"wrong"}, {"wrong"}, {"wrong"}, {"sign"}]


def test_the_full_record_has_all_levels(report):
    record = json.loads(FORMATS["json"](report))
    mark = next(mark for mark in record["marks"] if mark["status"] == "failed")
    assert len(mark["messages"]) == 4
    assert mark["messages"][3].endswith("the difference a3 - y was turned round")
    assert record["record"]["graded_seed"] == 123456789
    assert (record["score"], record["labels"]) == (31, ["sign"])


# ---------------------------------------------------------------- the results file


def test_a_results_file_is_replaced_whole(tmp_path):
    path = tmp_path / "results.json"
    path.symlink_to(tmp_path / "elsewhere")
    write_results(path, "one")
    write_results(path, "two")
    assert path.read_text() == "two"
    assert not path.is_symlink()
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_results_file_that_cannot_be_written(tmp_path):
    with pytest.raises(SpecError) as error:
        write_results(tmp_path / "no" / "results.json", "one")
    assert str(error.value) == (
        "results.json cannot be written: No such file or directory.\n"
        "  Choose another folder or name."
    )
    with pytest.raises(SpecError, match="is a folder, and is left as it is"):
        write_results(tmp_path, "one")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_and_a_device_are_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SpecError) as error:
        write_results(tmp_path / "pipe", "one")
    assert str(error.value) == (
        "pipe is a named pipe, and is left as it is.\n  Name a file for the results."
    )
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)
    try:
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except OSError:
        return  # as root only
    with pytest.raises(SpecError, match="null is a device, and is left as it is"):
        command("--exercise", 2, "--submission", "x.py", "--out", tmp_path / "null")
    assert stat.S_ISCHR((tmp_path / "null").lstat().st_mode)
    assert len(list(tmp_path.iterdir())) == 2
