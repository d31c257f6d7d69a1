"""The audit passes, and it can fail: it is given checkers that are wrong on purpose."""

import argparse

import pytest

from jacobian_bp.coursework.commands import exercise
from jacobian_bp.coursework.exercises.audit import Audit, Count, audit
from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.verdict import RIGHT, WRONG, Verdict

SOME = [find_exercise(1), find_exercise(6)]


def accept_everything(task, answers):
    return [Verdict(question.name, RIGHT) for question in task.questions]


def refuse_everything(task, answers):
    return [Verdict(question.name, WRONG) for question in task.questions]


def blind_to_scale(task, answers):
    """The right checker, but for one fault: a delta3 of the right direction is right."""
    delta = answers.get("delta3")
    if hasattr(delta, "dtype") and delta.shape == task.right["delta3"].shape:
        length = (delta @ delta) ** 0.5 or 1.0
        right = task.right["delta3"]
        answers = {**answers, "delta3": delta / length * (right @ right) ** 0.5}
    return check_answers(task, answers)


def test_nothing_is_missed_and_nothing_is_a_false_alarm():
    found = audit(EXERCISES, [5])
    assert found.ok, "\n".join(found.lines())
    assert all(count.mistakes >= 10 and count.right_forms >= 5 for count in found.counts)


def test_a_checker_that_accepts_everything_misses_every_mistake():
    found = audit(SOME, [0], accept_everything)
    assert not found.ok
    assert [len(count.missed) for count in found.counts] == [c.mistakes for c in found.counts]
    assert [count.false_alarms for count in found.counts] == [(), ()]


def test_a_checker_that_refuses_everything_gives_false_alarms_only():
    found = audit(SOME, [0], refuse_everything)
    assert not found.ok
    assert [count.missed for count in found.counts] == [(), ()]
    assert all(len(count.false_alarms) >= count.right_forms for count in found.counts)


def test_a_checker_with_one_fault_misses_what_the_fault_hides():
    found = audit([find_exercise(2)], [0], blind_to_scale)
    assert found.counts[0].missed == ("seed 0, constant-factor",)


def test_the_table_names_what_went_wrong():
    counts = (
        Count(1, "shapes", 9, 5, ("seed 0, sign",), ()),
        Count(2, "slopes", 8, 4, (), ("seed 1, rows: dW",)),
    )
    assert Audit(counts).lines() == [
        "  nr  caught      missed  right forms  false alarms  exercise",
        "   1  8 of 9           1            5             0  shapes",
        "      missed: seed 0, sign",
        "   2  8 of 8           0            4             1  slopes",
        "      false alarm: seed 1, rows: dW",
        "26 trials: 1 missed, 1 false alarm",
    ]


@pytest.mark.parametrize(("checker", "code"), [(check_answers, 0), (accept_everything, 1)])
def test_the_exit_code_of_the_command(monkeypatch, capsys, checker, code):
    monkeypatch.setattr(exercise, "audit", lambda *_, **__: audit(SOME, [0], checker))
    assert exercise.run_command(argparse.Namespace(action="audit")) == code
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 99
    assert lines[0].split()[:3] == ["nr", "caught", "missed"]
