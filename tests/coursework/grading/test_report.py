"""Points by object and aspect, follow-through, and what is no sheet at all."""

import io
import re
import sys
import zipfile

import numpy as np
import pytest
from grading_cases import QUICK, graded, sheet, write

from jacobian_bp.coursework.exercises.built_in.e11_saturated import FROM_SOUND, TEXTBOOK
from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.grading import grade
from jacobian_bp.coursework.grading.grade import Terms, grade_answers, grade_file
from jacobian_bp.errors import DomainError, MemoryLimitError, SpecError
from jacobian_bp.network.files.answer_file import read_answers, read_arrays


def points(report, name):
    return {mark.aspect: mark.score for mark in report.marks if mark.object == name}


# ---------------------------------------------------------------- points


@pytest.mark.one_in(12)
@pytest.mark.parametrize("exercise", [e.number for e in EXERCISES])
def test_the_solution_has_all_points(exercise, tmp_path):
    report = graded(tmp_path, exercise)
    assert report.ok
    assert report.score == report.max_score > 10
    assert report.labels == ()
    fresh = [mark for mark in report.marks if mark.fresh]
    assert bool(fresh) == find_exercise(exercise).fresh
    assert len({mark.number for mark in report.marks}) == len(report.marks)


def test_an_empty_sheet_has_none(tmp_path):
    code = sheet(2)
    empty = re.sub(r"^(S\d|delta\d|dW2) = .*$", r"\1 = None", code, flags=re.M)
    report = grade_file(write(tmp_path, empty), 2, Terms(limits=QUICK))
    assert (report.score, report.failure, report.labels) == (0, "", ("missing",))


def test_what_follows_from_a_mistake_is_credited(tmp_path):
    report = graded(tmp_path, changes=[("delta3 = S3 @ (a3 - y)", "delta3 = a3 - y")])
    aspects = {"shape": 1, "values, one example": 2, "values, fresh numbers": 2}
    assert points(report, "delta3") == {**dict.fromkeys(aspects, 0), "shape": 1}
    for name in ("S3", "S2", "delta2", "S1", "delta1", "dW2"):
        assert points(report, name) == aspects
    assert report.labels == ("missing-output-slope",)
    assert report.score == report.max_score - 4


def test_a_second_mistake_costs_its_own_points(tmp_path):
    changes = [("delta3 = S3 @ (a3 - y)", "delta3 = a3 - y")]
    changes += [("dW2 = np.outer(delta2, a1)", "dW2 = np.outer(delta2, z1)")]
    report = graded(tmp_path, changes=changes)
    assert report.labels == ("missing-output-slope", "preactivation-for-activation")
    assert report.score == report.max_score - 8


def test_a_number_that_was_typed_in_is_found_out(tmp_path):
    right = find_exercise(2).make(7).right["dW2"].tolist()
    report = graded(tmp_path, changes=[("dW2 = np.outer(delta2, a1)", f"dW2 = np.array({right})")])
    assert points(report, "dW2") == {
        "shape": 1,
        "values, one example": 2,
        "values, fresh numbers": 0,
    }
    mark = report.marks[-1]
    assert "is a number typed in?" in mark.messages[1]
    assert mark.fresh


def test_edge_points_have_points_of_their_own(tmp_path):
    changes = [("delta2 = (a2 - y) / m", f"delta2 = {TEXTBOOK}")]
    solution = find_exercise(11).make(7)
    lines = {q.name: q.solution for q in solution.questions}
    changes += [(f"\n{n} = {lines[n]}", f"\n{n} = {line}") for n, line in FROM_SOUND.items()]
    report = graded(tmp_path, 11, changes=changes)
    assert points(report, "delta2") == {
        "shape": 1,
        "values, ordinary points": 1,
        "values, edge points": 0,
        "values, fresh numbers": 0,
    }
    assert points(report, "delta1")["values, edge points"] == 1
    assert report.labels == ("saturated-nan",)


@pytest.mark.parametrize(("exercise", "at_edges"), [(5, set()), (11, {"delta1", "delta2"})])
def test_edge_points_are_marked_where_an_example_saturates_and_nowhere_else(exercise, at_edges):
    answers = find_exercise(exercise).make(7).answers()
    marks = grade_answers(answers, exercise, seed=7).marks
    for part in ("values, edge points", "values, ordinary points"):
        assert {mark.object for mark in marks if mark.aspect == part} == at_edges
    whole = {mark.object for mark in marks if mark.aspect == "values, a batch"}
    assert whole == {mark.object for mark in marks} - at_edges


@pytest.mark.parametrize(
    ("exercise", "aspect"),
    [
        (13, "values, one example"),
        (14, "values, one example"),
        (16, "values, a batch"),
        (24, "values"),
    ],
)
def test_a_batch_is_said_where_examples_are_in_front_and_not_of_the_rows_of_one(exercise, aspect):
    answers = find_exercise(exercise).make(7).answers()
    aspects = {mark.aspect for mark in grade_answers(answers, exercise, seed=7).marks}
    assert {a for a in aspects if a.startswith("values")} == {aspect}


def test_a_delta_that_is_wrong_at_ordinary_points_too_has_no_points_for_them():
    task = find_exercise(11).make(7)
    right = np.asarray(task.right["delta2"])
    ordinary = ~((right == 0) | (np.abs(right) == 1 / len(right))).ravel()
    assert sorted(ordinary) == [False, True]
    wrong_edge = np.where(ordinary[:, None], right, 5.0)
    for delta2, ordinary_points in [(2 * right, 0), (right[:1], 0), (wrong_edge, 1), (right, 1)]:
        report = grade_answers({**task.answers(), "delta2": delta2}, 11, seed=7)
        scores = points(report, "delta2")
        assert scores["values, ordinary points"] == ordinary_points
        assert scores["values, edge points"] == np.array_equal(delta2, right)


def test_why_no_cause_was_looked_for_is_kept_in_the_record(monkeypatch):
    """The points stand, and nothing is recorded where the causes were looked for."""
    wrong = {**find_exercise(2).make(7).answers(), "dW2": np.eye(2, 4)}
    looked_for = grade_answers(wrong, 2, seed=7)
    assert "undiagnosed" not in looked_for.record

    def broken(*_):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(sys.modules[grade_answers.__module__], "diagnosed", broken)
    report = grade_answers(wrong, 2, seed=7)
    assert report.record["undiagnosed"] == ["ZeroDivisionError: oh"]
    assert report.score == looked_for.score


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    "wrong", ["np.zeros_like(W2)", "np.ones_like(W2)", "np.full_like(W2, np.nan)"]
)
def test_the_points_for_the_shape_are_not_given_away(tmp_path, wrong):
    report = graded(tmp_path, changes=[("dW2 = np.outer(delta2, a1)", f"dW2 = {wrong}")])
    assert set(points(report, "dW2").values()) == {0}
    messages = [mark.messages[2] for mark in report.marks if mark.object == "dW2"]
    if "nan" not in wrong:
        assert all("one number repeated earns no point for its shape" in m for m in messages)


def test_another_layout_has_all_points_and_is_named(tmp_path):
    report = graded(tmp_path, changes=[("np.outer(delta2, a1)", "np.outer(a1, delta2)")])
    assert report.ok
    assert [m.messages[1] for m in report.marks if m.object == "dW2"] == [
        "in layout transposed"
    ] * 3


def test_points_scale_to_the_maximum_that_is_asked_for():
    task = find_exercise(6).make(4)
    report = grade_answers(task.answers(), 6, seed=4)
    assert (report.ok, report.points(), report.points(max=5)) == (True, 1, 5)
    assert grade_answers({}, 6, seed=4).points(max=5) == 0
    wrong = grade_answers({**task.answers(), "p": None}, 6, seed=4)
    assert 0 < wrong.points(max=5) < 5
    assert isinstance(wrong.points(max=5), float)
    for bad in (0, -1, float("nan"), float("inf")):
        with pytest.raises(DomainError):
            wrong.points(max=bad)


def test_named_values_are_told_at_the_level_that_is_asked_for():
    task = find_exercise(6).make(4)
    wrong = {**task.answers(), "p": 2 * np.asarray(task.right["p"])}
    reports = [grade_answers(wrong, 6, seed=4, level=level) for level in range(4)]
    assert [report.level for report in reports] == [0, 1, 2, 3]
    assert [report.lines() for report in reports] == [reports[3].lines(n) for n in range(4)]
    assert len({str(report) for report in reports}) > 2
    assert grade_answers(wrong, 6, seed=4).level == 2


# ---------------------------------------------------------------- seeds of the numbers


def test_the_graded_numbers_are_never_those_of_the_sheet(tmp_path):
    records = [graded(tmp_path, graded_seed=s).record for s in (None, 8, 7)]
    seeds = [record["graded_seed"] for record in records]
    assert [record["sheet_seed"] for record in records] == [7, 7, 7]
    assert seeds[1] == 8
    assert 7 not in seeds
    assert len(set(seeds)) == 3


@pytest.mark.parametrize(
    ("exercise", "sheet_seed", "label", "failure"),
    [
        (3, None, "another-exercise", "this is a sheet of exercise 2, not of exercise 3."),
        (2, 8, "not-own-sheet", "this is the sheet of seed 7, which is not the one set for you."),
    ],
)
def test_another_sheet_is_refused_with_a_report(tmp_path, exercise, sheet_seed, label, failure):
    terms = Terms(sheet_seed=sheet_seed, limits=QUICK)
    report = grade_file(write(tmp_path, sheet(2)), exercise, terms)
    assert (report.score, report.failure, report.exercise) == (0, failure, exercise)
    assert report.labels == (label,)
    assert report.record.get("found_seed") == (7 if label == "not-own-sheet" else None)
    assert report.max_score > 0


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("ex.py", "dW2 = 1\n", "has no line that says which exercise it answers"),
        ("ex.txt", "", "ex.txt ends in none of .py, .ipynb, .npz."),
        ("ex.ipynb", "{", "is no notebook"),
    ],
)
def test_what_is_no_sheet_gets_a_report_too(tmp_path, name, text, part):
    report = grade_file(write(tmp_path, text, name), 2)
    assert (report.score, report.kind) == (0, "not-a-sheet")
    assert part in report.failure


def test_a_syntax_error_is_named(tmp_path):
    report = graded(tmp_path, after="\nx = = 1\n")
    assert (report.score, report.kind) == (0, "not-python")
    assert "the syntax is wrong" in report.failure


def test_an_exercise_that_is_not_there_is_a_wrong_call(tmp_path):
    with pytest.raises(SpecError, match="there is no exercise 99"):
        grade_file(write(tmp_path, sheet(2)), 99)
    with pytest.raises(SpecError, match="the level is 4"):
        Terms(level=4)


def test_a_watched_import_is_noted_and_costs_nothing(tmp_path):
    watched = ["torch", "jax", "autograd", "tensorflow", "jacobian_bp"]
    tried = "try:\n    import {}.nothing\nexcept ImportError:\n    pass\n"
    report = graded(tmp_path, before="".join(map(tried.format, watched)))
    assert report.ok
    noted = [re.match(r"the file imports (\w+): ", note)[1] for note in report.notes]
    assert sorted(noted) == sorted(watched)


def test_answers_as_arrays_alone(tmp_path):
    task = find_exercise(2).make(7)
    path = tmp_path / "answers.npz"
    np.savez(path, **{**task.answers(), "delta3": 2 * task.right["delta3"]}, extra=np.ones(3))
    report = grade_file(path, 2, Terms(sheet_seed=7))
    assert report.labels == ("constant-factor",)
    assert not any(mark.fresh for mark in report.marks)
    path.write_bytes(b"PK\x03\x04 no zip")
    assert grade_file(path, 2, Terms(sheet_seed=7)).kind == "not-a-sheet"


def saved(tmp_path, exercise, **changed):
    """All answers to a sheet of seed 7 as an .npz file, some of them exchanged."""
    np.savez(tmp_path / "a.npz", **{**find_exercise(exercise).make(7).answers(), **changed})
    return grade_file(tmp_path / "a.npz", exercise, Terms(sheet_seed=7))


@pytest.mark.one_in(8)
@pytest.mark.parametrize("exercise", [e.number for e in EXERCISES])
def test_every_answer_can_be_handed_in_as_an_array(exercise, tmp_path):
    """Masks (3), a word (5) and strings (7) too."""
    report = saved(tmp_path, exercise)
    assert report.ok, str(report)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.ones((5, 5), complex), "is an array of complex numbers"),
        (np.array("text"), "is text, not numbers"),
        (np.array(["some", "text"]), "is an array of text"),
        (np.array(b"text"), "is an array of bytes"),
        (
            np.array([{}], dtype=object),
            "is an array of Python objects, stored as a pickle, which is never read",
        ),
        (np.zeros(2, [("a", float)]), "is an array that holds records, not numbers"),
        (np.array("2026-01-01", "M8[D]"), "is an array of dates"),
        (np.ones((1,) * 64), f"shape ({', '.join('1' * 64)}) fits this object in no layout"),
    ],
)
def test_one_member_that_is_no_answer_costs_the_others_nothing(wrong, said, tmp_path):
    report = saved(tmp_path, 6, J=wrong)
    assert {mark.object for mark in report.marks if mark.score < mark.max_score} == {"J"}
    assert [mark.messages[1] for mark in report.marks if mark.object == "J"] == [said] * 2


def test_a_mask_that_was_tampered_with_is_no_answer(tmp_path):
    """A byte that is neither 0 nor 1, or one too few."""
    content = io.BytesIO()
    np.save(content, find_exercise(3).make(7).answers()["can_be_nonzero"])
    head, line, body = content.getvalue().partition(b"\n")
    for changed in (body, body.replace(b"\1", b"\7"), body[1:]):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("can_be_nonzero.npy", head + line + changed)
        report = grade_file(tmp_path / "a.npz", 3, Terms(sheet_seed=7))
        assert (report.score > 0, report.failure) == (changed is body, "")
    assert report.marks[0].messages[1] == "is an array of booleans"


def test_answers_alone_need_the_seed_of_their_sheet(tmp_path):
    np.savez(tmp_path / "a.npz", **find_exercise(6).make(3).answers())
    with pytest.raises(SpecError) as error:
        grade_file(tmp_path / "a.npz", 6)
    assert str(error.value) == (
        "a.npz does not say from which sheet its answers are.\n"
        "  Write --sheet-seed 7, or grade(path, 6, seed=7), with the sheet's seed."
    )
    assert grade(tmp_path / "a.npz", 6, seed=3).ok


def test_a_file_of_answers_that_is_a_bomb_is_told_of_answers(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", J=np.zeros((3000, 3000)))
    with pytest.raises(MemoryLimitError) as error:
        read_arrays(tmp_path / "a.npz")
    assert str(error.value).endswith(
        'Write it with np.savez("answer.npz", dW2=dW2, delta2=delta2).'
    )
    report = grade_file(tmp_path / "a.npz", 6, Terms(sheet_seed=7))
    assert (report.score, report.kind) == (0, "not-a-sheet")


def test_what_a_file_of_arrays_is_told_when_it_is_diagnosed(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, J=np.ones(2, complex))
    with pytest.raises(SpecError) as error:
        read_arrays(path)
    assert str(error.value).splitlines()[0] == "a.npz: 'J' has dtype <c16: complex numbers."
    for unknown, said in (
        ({"dW22"}, "'dW22' names no object of the network. Did you mean dW2?"),
        ({"grad_w2"}, "'grad_w2' names no object of the network. Did you mean grad_W2?"),
        ({"Dw2"}, "'Dw2' names no object of the network. Did you mean dW2?"),
        ({"w2"}, "'w2' names no object of the network. Did you mean W2?"),
        ({"GRAD_W22"}, "'GRAD_W22' names no object of the network. Did you mean grad_W2?"),
        ({"grad_b7"}, "'grad_b7' names no object of the network."),
        ({"p", "q"}, "'p', 'q' name no objects of the network."),
        (set("abcdefg"), "'a', 'b', 'c', 'd', 'e' and 2 more name no objects of the network."),
    ):
        np.savez(path, z2=np.ones(2), **{name: np.ones(2) for name in sorted(unknown)})
        with pytest.raises(SpecError) as error:
            read_answers(path, {"W2", "z2"})
        assert str(error.value).splitlines()[0] == f"a.npz: {said}"


def test_a_call_with_the_wrong_things(tmp_path):
    with pytest.raises(SpecError) as error:
        grade(5, 2)
    assert str(error.value) == (
        "answers of type int are neither named values nor a file.\n"
        "  Write such as grade(globals(), 2, seed=7), or grade('ex2.py', 2)."
    )
    with pytest.raises(SpecError, match=r"^there is no exercise '2'"):
        grade({}, "2", seed=7)
