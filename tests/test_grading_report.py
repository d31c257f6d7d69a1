"""Points by object and aspect, follow-through, messages by level, and no right number in any."""

import re
from functools import cache

import numpy as np
import pytest
from grading_cases import QUICK, sheet, write

from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.exercises.e11_saturated import FROM_SOUND, TEXTBOOK
from jacobian_bp.coursework.exercises.verdict import Verdict
from jacobian_bp.coursework.grading.aspects import Judged, marks_of
from jacobian_bp.coursework.grading.grade import Terms, _judged, grade_answers, grade_file
from jacobian_bp.coursework.grading.report import LEVELS
from jacobian_bp.coursework.grading.secrecy import Gate
from jacobian_bp.errors import DomainError, SpecError


def points(report, name):
    return {mark.aspect: mark.score for mark in report.marks if mark.object == name}


def graded(tmp_path, exercise=2, level=2, graded_seed=None, **changes):
    path = write(tmp_path, sheet(exercise, **changes))
    return grade_file(path, exercise, Terms(level, None, graded_seed, QUICK))


# ---------------------------------------------------------------- points


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


@pytest.mark.parametrize("wrong", ["np.zeros((5, 2))", "np.ones_like(np.outer(delta2, a1))"])
def test_the_points_for_the_shape_are_not_given_away(tmp_path, wrong):
    report = graded(tmp_path, changes=[("dW2 = np.outer(delta2, a1)", f"dW2 = {wrong}")])
    assert set(points(report, "dW2").values()) == {0}


def test_another_layout_has_all_points_and_is_named(tmp_path):
    report = graded(tmp_path, changes=[("np.outer(delta2, a1)", "np.outer(a1, delta2)")])
    assert report.ok
    assert [m.messages[1] for m in report.marks if m.object == "dW2"] == [
        "in layout transposed"
    ] * 3


def test_points_scale():
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


# ---------------------------------------------------------------- seeds of the numbers


def test_the_graded_numbers_are_never_those_of_the_sheet(tmp_path):
    seeds = [graded(tmp_path, graded_seed=s).record["graded_seed"] for s in (None, 8, 7)]
    assert seeds[1] == 8
    assert 7 not in seeds
    assert len(set(seeds)) == 3


@pytest.mark.parametrize(
    ("exercise", "sheet_seed", "failure"),
    [
        (3, None, "this is a sheet of exercise 2, not of exercise 3."),
        (2, 8, "this is the sheet of seed 7, which is not the one set for you."),
    ],
)
def test_another_sheet_is_refused_with_a_report(tmp_path, exercise, sheet_seed, failure):
    terms = Terms(sheet_seed=sheet_seed, limits=QUICK)
    report = grade_file(write(tmp_path, sheet(2)), exercise, terms)
    assert (report.score, report.failure, report.exercise) == (0, failure, exercise)
    assert report.labels == ("not-a-sheet",)
    assert report.max_score > 0


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("ex.py", "dW2 = 1\n", "has no line that says which exercise it answers"),
        ("ex.txt", "", "ends neither in .py nor in .ipynb"),
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


@pytest.mark.parametrize("package", ["torch", "jax", "autograd", "tensorflow", "jacobian_bp"])
def test_a_watched_import_is_noted_and_costs_nothing(tmp_path, package):
    code = f"try:\n    import {package}.nothing\nexcept ImportError:\n    pass"
    report = graded(tmp_path, before=code)
    assert report.ok
    assert len(report.notes) == 1
    assert f"the file imports {package}: " in report.notes[0]


def test_answers_as_arrays_alone(tmp_path):
    task = find_exercise(2).make(7)
    path = tmp_path / "answers.npz"
    np.savez(path, **{**task.answers(), "delta3": 2 * task.right["delta3"]}, extra=np.ones(3))
    report = grade_file(path, 2, Terms(sheet_seed=7))
    assert report.labels == ("constant-factor",)
    assert not any(mark.fresh for mark in report.marks)
    np.savez(path, delta3=np.array([{}], dtype=object))
    report = grade_file(path, 2, Terms(sheet_seed=7))
    assert report.score == 0
    assert "pickle, which is never read" in report.failure
    path.write_bytes(b"PK\x03\x04 no zip")
    assert grade_file(path, 2, Terms(sheet_seed=7)).kind == "not-a-sheet"


# ---------------------------------------------------------------- messages


def test_the_four_levels(tmp_path):
    report = graded(tmp_path, changes=[("delta3 = S3 @ (a3 - y)", "delta3 = S3 @ (y - a3)")])
    mark = next(mark for mark in report.marks if mark.status == "failed")
    where = "layer 3: shape right, values wrong: every entry"
    assert mark.messages == (
        "",
        where,
        f"{where}; every entry is -1 times the right one",
        f"{where}; every entry is -1 times the right one; the difference a3 - y was turned round",
    )
    assert len(LEVELS) == len(mark.messages)


def test_the_text_of_an_exception_on_fresh_numbers_is_not_told(tmp_path):
    after = "\nif W1[0, 0] != {}:\n    raise ValueError(repr(W1))\n"
    first = find_exercise(2).make(7).given["W1"][0, 0]
    report = graded(tmp_path, after=after.format(first))
    assert re.fullmatch(r"on fresh numbers line \d+: ValueError", report.failure)
    assert "array" in report.record["fresh_failure"]


def test_an_exception_that_prints_numbers_is_not_told(tmp_path):
    report = graded(tmp_path, after="\nraise ValueError(str(dW2))\n")
    assert re.fullmatch(r"line \d+: ValueError", report.failure)
    assert "ValueError: [[" in report.record["failure"]


@pytest.mark.parametrize(
    "raised", ["MemoryError(str(W1))", "type('E%d' % (1e6 * dW2[0, 0]), (Exception,), {})"]
)
def test_no_exception_carries_numbers_out(tmp_path, raised):
    first = find_exercise(2).make(7).given["W1"][0, 0]
    report = graded(tmp_path, after=f"\nif W1[0, 0] != {first}:\n    raise {raised}\n")
    assert re.fullmatch(r"on fresh numbers line \d+: (MemoryError|an error)", report.failure)


@cache
def renderings(task):
    """Every way in which a right number could be printed with three digits or more."""
    texts = set()
    for value in task.right.values():
        array = np.asarray(value)
        if array.dtype.kind in "iuf":
            for number in np.abs(array.astype(float)).ravel():
                shown = {f"{number:.{d}g}" for d in range(3, 18)}
                shown |= {f"{number:.{d}f}" for d in range(1, 17)} | {
                    f"{number:.3e}",
                    f"{number:,}",
                }
                texts |= {t for t in shown if len(re.sub(r"e.*|[^\d]", "", t).lstrip("0")) >= 3}
    return texts - {"1000"}


def told(task, text):
    """The right numbers that stand in a text."""
    found = set(re.findall(r"\d[\d,]*\.?\d*(?:e[+-]\d+)?", text))
    return sorted((found | {token.rstrip(".,") for token in found}) & renderings(task))


def all_messages(sheet_task, fresh_task):
    """(what is wrong, message) for every planted mistake at every level."""
    gate = Gate.of(sheet_task, fresh_task)
    for one, other in zip(sheet_task.mistakes, fresh_task.mistakes, strict=True):
        judged = [_judged(t, t.answers(p)) for t, p in ((sheet_task, one), (fresh_task, other))]
        for mark in marks_of(judged[0], judged[1], gate):
            yield from ((one.name, message) for message in mark.messages)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.title)
def test_no_message_at_any_level_holds_a_right_number(exercise):
    tasks = exercise.make(3), exercise.make(5)
    messages = list(all_messages(*tasks))
    assert any(message for _, message in messages)
    for name, message in messages:
        for task in tasks:
            assert told(task, message) == [], (name, message)
        assert not re.search(r"\d\.\d{2,}", message), (name, message)


@pytest.mark.parametrize("factor", [3.7, 11, 0.3717, 1 / 11, -12.5])
def test_no_ratio_but_a_safe_one_is_told(factor):
    task = find_exercise(5).make(3)
    answers = {**task.answers(), "dW3": factor * task.right["dW3"]}
    report = grade_answers(answers, 5, seed=3, level=3)
    text = "\n".join(message for mark in report.marks for message in mark.messages)
    assert not re.search(r"times (?!the right)|\d times", text)
    assert f"{abs(factor):.3g}" not in text
    assert set(report.labels) & {"constant-factor", "wrong"}


@pytest.mark.parametrize(("factor", "says"), [(2, "2"), (0.5, "1/2"), (-1, "-1")])
def test_a_safe_ratio_is_told_from_level_2(factor, says):
    task = find_exercise(5).make(3)
    answers = {**task.answers(), "dW3": factor * task.right["dW3"]}
    report = grade_answers(answers, 5, seed=3)
    mark = next(m for m in report.marks if m.object == "dW3" and m.score == 0)
    assert f"every entry is {says} times" in mark.messages[2]
    assert says not in mark.messages[1]


def test_a_planted_leak_is_seen_by_the_test_and_stopped_by_the_gate():
    task = find_exercise(2).make(3)
    right = float(task.right["dW2"].ravel()[np.argmax(np.abs(task.right["dW2"]))])
    for text in (
        f"it should be {right:.3g}",
        f"expected {right!r}",
        f"not {right:.6f}, {right:.2e}",
    ):
        assert told(task, text)
        assert not Gate.of(task).passes(text)
        verdict = Verdict("dW2", "wrong", where=text, symptom=text, cause=text, tag="wrong")
        judged = _judged(task, {**task.answers(), "dW2": np.ones(3)})
        leaky = Judged(task, judged.answers, {**judged.verdicts, "dW2": verdict})
        marks = marks_of(leaky, None, Gate.of(task))
        assert not any(told(task, message) for mark in marks for message in mark.messages)
        open_gate = Gate(np.zeros(0), frozenset())
        object.__setattr__(open_gate, "guarded", lambda text, instead="": text)
        marks = marks_of(leaky, None, open_gate)
        assert any(told(task, message) for mark in marks for message in mark.messages)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("rows 0, 2 only", True),
        ("shape (4, 12) fits this object in no layout", True),
        ("entry [1, 0] is nan", True),
        ("every entry is 1/2 times the right one", True),
        ("every entry is 1/3 times the right one", False),
        ("the slope 0.5 stands there", True),
        ("it is 0.123", False),
        ("it is .123", False),
        ("it is 1.5e-3", False),
        ("a factor of 3.25 times", False),
    ],
)
def test_the_gate(text, passes):
    assert Gate.of(find_exercise(6).make(3)).passes(text) is passes


def test_integers_that_are_answers_are_held_back():
    task = find_exercise(9).make(3)
    bytes_of_it = task.right["size"]
    assert not Gate.of(task).passes(f"numpy says {bytes_of_it}")
    assert not Gate.of(task).passes(f"numpy says {bytes_of_it:,}")
    assert told(task, f"numpy says {bytes_of_it}")
