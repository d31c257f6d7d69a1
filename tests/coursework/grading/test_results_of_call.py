"""A results file of a call: for the file that is asked for, in no other's place."""

import argparse
import json

import numpy as np
import pytest

from jacobian_bp.coursework.grading.grade_report import UNGRADED
from jacobian_bp.coursework.grading.npz_answers import _reason, read_npz_answers
from jacobian_bp.coursework.grading.results_file import write_results
from jacobian_bp.coursework.grading.results_of_call import ResultsOfCall, _by_hand
from jacobian_bp.coursework.grading.summary import MOST_LABELS, _labels
from jacobian_bp.errors import SpecError


def options(folder, **changed):
    named = {"out": "r.json", "submission": "ex2.py", "secret_file": "secret.txt"}
    paths = {name: str(folder / changed.get(name, file)) for name, file in named.items()}
    return argparse.Namespace(**paths, format="json", exercise=2, student=None, whose=None)


def test_the_file_is_valid_from_the_first_moment(tmp_path):
    results = ResultsOfCall.of(options(tmp_path))
    results.begin()
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["exercise"], document["whose"]) == (2, "ex2.py")
    assert document["failure"] == UNGRADED
    assert document["labels"] == ["grader-stopped"]


@pytest.mark.parametrize("needed", ["submission", "secret_file"])
def test_it_takes_the_place_of_no_file_that_is_needed(tmp_path, needed):
    (tmp_path / "kept").write_text("kept")
    results = ResultsOfCall.of(options(tmp_path, out="kept", **{needed: "kept"}))
    with pytest.raises(SpecError) as caught:
        results.begin()
    assert str(caught.value) == (
        "--out would overwrite kept.\n  Name another file for the results."
    )
    assert (tmp_path / "kept").read_text() == "kept"


def test_options_are_read_by_hand_where_a_call_cannot_be():
    found = _by_hand(["ex2.py", "--out", "a.json", "--exercise=2", "--out=b.json", "--format"])
    assert vars(found) == {
        "out": "b.json", "format": None, "exercise": 2, "submission": None, "secret_file": None,
        "student": None, "whose": None,
    }  # fmt: skip
    assert _by_hand(["--exercise", "two", "out", "c.json"]).exercise is None
    assert _by_hand(["--exercise", "two", "out", "c.json"]).out is None


def test_a_name_that_no_file_can_have_is_refused():
    for name in ("a\0b.json", "x" * 300):
        with pytest.raises(SpecError):
            write_results(name, "{}")


def test_a_mask_has_its_entries_where_they_were_in_either_order(tmp_path):
    mask = np.array([[True, False, False], [True, True, False]])
    np.savez(tmp_path / "a.npz", c=mask, f=np.asfortranarray(mask))
    found = read_npz_answers(tmp_path / "a.npz", ["c", "f"])
    for name in ("c", "f"):
        np.testing.assert_array_equal(found[name], mask, strict=True)


def test_a_reason_is_harmless():
    assert _reason("has dtype x: \x1b[31m") == r"an array of \x1b[31m"
    assert _reason("is \x1b[31m") == r"\x1b[31m"


def test_so_many_labels_are_read_and_one_more_is_refused():
    labels = [f"label {n}" for n in range(MOST_LABELS)]
    assert MOST_LABELS == 200
    assert _labels(labels) == tuple(labels)
    with pytest.raises(ValueError, match=r"its labels are no list"):
        _labels([*labels, "one more"])
