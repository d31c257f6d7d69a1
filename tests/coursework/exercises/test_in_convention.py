"""A sheet answered in another convention: axes and 1/m of gradients and deltas."""

import numpy as np
import pytest

from jacobian_bp import Convention, SpecError
from jacobian_bp.cli import main
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.in_convention import task_in
from jacobian_bp.coursework.grading.grade import grade_answers

TURNED = Convention(examples="columns", weights="in,out", mean="gradient")
SHEET = find_exercise(11).make(3)  # dW2, db2 and both deltas of a batch
BATCH = len(SHEET.run["x"])


def answered(task, answers):
    """Gradients and deltas as TURNED has them."""
    found = dict(answers)
    for name in ("delta2", "delta1"):
        found[name] = np.transpose(answers[name]) * BATCH
    for name in ("dW2", "dW1"):
        if name in answers:
            found[name] = np.transpose(answers[name])
    return found


def statuses(task, answers):
    return {v.name: v.status for v in check_answers(task, answers)}


def test_the_solution_in_a_convention_is_right_and_as_in_the_sheet_it_is_not():
    task, right = task_in(SHEET, TURNED, "check"), SHEET.answers()
    assert set(statuses(task, answered(task, right)).values()) == {"right"}
    assert statuses(task, right)["delta2"] == statuses(task, right)["delta1"] == "wrong"
    assert set(statuses(SHEET, right).values()) == {"right"}
    assert task_in(SHEET, None, "check") is SHEET


def test_planted_mistakes_keep_their_tags_in_a_convention():
    task, seen = task_in(SHEET, TURNED, "check"), 0
    for planted in SHEET.mistakes:
        wrong = SHEET.answers(planted)
        ours = {v.name: (v.status, v.tag) for v in check_answers(SHEET, wrong)}
        given = answered(task, wrong)
        assert {v.name: (v.status, v.tag) for v in check_answers(task, given)} == ours, planted.name
        seen += "wrong" in {status for status, _ in ours.values()}
    assert seen > 1


def test_what_follows_from_a_wrong_delta_is_credited_in_the_convention():
    task, right = task_in(SHEET, TURNED, "check"), SHEET.answers()
    own = dict(right) | {"delta2": right["delta2"] + 0.25}
    own["dW2"] = own["delta2"].T @ SHEET.run["a1"]
    verdict = {v.name: v for v in check_answers(task, answered(task, own))}["dW2"]
    assert (verdict.status, verdict.remark) == ("follows", "right, given your delta2, which is not")


def test_a_grade_is_given_in_the_convention():
    given = answered(SHEET, SHEET.answers())
    assert grade_answers(given, 11, 3, convention=TURNED).ok
    assert grade_answers(given, 11, 3).score < grade_answers(SHEET.answers(), 11, 3).score
    with pytest.raises(SpecError) as raised:
        grade_answers(given, 11, 3, convention="nq")
    assert str(raised.value).startswith("grade: convention 'nq' is not known.\n")


def test_the_command_checks_a_sheet_in_the_convention_that_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["exercise", "new", "11", "--seed", "3", "--solution"]) == 0
    solution = tmp_path / "ex11_solution.py"
    assert main(["exercise", "check", str(solution)]) == 0
    capsys.readouterr()
    assert main(["exercise", "check", str(solution), "--convention", "ng"]) == 1
    said = capsys.readouterr().out
    assert "delta1  WRONG" in said
    assert "dW2     right" in said  # ng has W (outputs, inputs), too
    text = solution.read_text()
    assert "delta1 = delta2 @ W2 * (z1 > 0)" in text
    turned = text.replace(
        "delta1 = delta2 @ W2 * (z1 > 0)", "delta1 = (m * delta2 @ W2 * (z1 > 0)).T"
    )
    solution.write_text(turned)
    main(["exercise", "check", str(solution), "--convention", "ng"])
    assert "delta1  right" in capsys.readouterr().out
