"""Messages by level, and no way in which a right number or a fresh one gets into any."""

import json
import re
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from grading_cases import QUICK, graded, sheet, write
from sampled import seldom

from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.exercises.secrecy import Gate
from jacobian_bp.coursework.exercises.verdict import LEVELS, Verdict
from jacobian_bp.coursework.grading.formats import FORMATS
from jacobian_bp.coursework.grading.grade import ON_FRESH, Terms, _judged, grade_answers, grade_file
from jacobian_bp.coursework.grading.marks import Judged, _layer, marks_of


def test_each_level_says_more(tmp_path):
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


def test_of_a_wrong_formula_on_fresh_numbers_no_shape_is_spoken_of(tmp_path):
    right = "'delta[i, o] - ex[i] / sum_ex'"
    for wrong, cause in (
        ("'delta[i, o] - ex[o] / sum_ex'", "; ex[o] stands for ex[i]"),
        ("'delta[i, o] - exp(x[i])'", ""),
    ):
        report = graded(tmp_path, 24, 3, changes=[(right, wrong)])
        (mark,) = (m for m in report.marks if m.fresh and m.status == "failed")
        assert mark.messages[3].startswith("a text that is not right")
        assert cause in mark.messages[3]


def test_the_text_of_an_exception_on_fresh_numbers_is_not_told(tmp_path):
    after = "\nif W1[0, 0] != {}:\n    raise ValueError(repr(W1))\n"
    first = find_exercise(2).make(7).given["W1"][0, 0]
    report = graded(tmp_path, after=after.format(first))
    assert report.failure == ON_FRESH
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
    assert (report.failure, report.kind) == (ON_FRESH, "stopped")


def test_how_a_sheet_stops_on_fresh_numbers_is_no_tag(tmp_path):
    first = find_exercise(2).make(7).given["W1"][0, 0]
    stop = f"if W1[0, 0] != {first}:\n    raise MemoryError\n"
    report = graded(tmp_path, changes=[("\nS3 = ", f"\n{stop}S3 = ")])
    assert {mark.tags for mark in report.marks if mark.fresh} == {("stopped",)}


WRITE = """
    import json, os
    line = json.dumps({document}).encode() + b"\\n"
    for number in range(3, 30):
        try: os.write(number, line)
        except OSError: pass
    os._exit(0)
"""
CARRIERS = {  # ways in which a sheet may try to carry the fresh numbers out: (code, what is told)
    "a forged failure": (
        WRITE.format(document="{'failure': 'TOLD' + repr(W1), 'kind': '', 'values': {}}"),
        ON_FRESH,
    ),
    "a forged kind": (
        WRITE.format(document="{'failure': 'TOLD' + repr(W1), 'kind': 'killed', 'values': {}}"),
        ON_FRESH,
    ),
    "a forged reason": (
        WRITE.format(
            document="{'failure': '', 'kind': '', "
            "'values': {'dW2': ['unusable', 'TOLD' + repr(W1)]}}"
        ),
        "layer 2: not numbers of a right shape",
    ),
    "the name of a class": (
        "dW2 = type('TOLD' + repr(W1), (), {})()",
        "layer 2: not numbers of a right shape",
    ),
    "a shape": (
        "dW2 = np.zeros((0, 1001, 1002))",
        "layer 2: not numbers of a right shape",
    ),
    "the number of a line": (
        "exec(compile('\\n' * 1001 + 'raise ValueError', 'your file', 'exec'))",
        ON_FRESH,
    ),
    "one class of many": ("raise KeyError(100)", ON_FRESH),
    "the exit status": ("__import__('os')._exit(100)", ON_FRESH),
    "a signal": ("__import__('os').kill(__import__('os').getpid(), 10)", ON_FRESH),
    "a time limit": ("__import__('signal').raise_signal(24)", ON_FRESH),
    "text as an answer": ("dW2 = 'TOLD' + repr(W1)", "layer 2: not numbers of a right shape"),
}


SELDOM = {"a forged kind", "a shape", "the exit status", "a signal"}  # as others that stop, or give


@pytest.mark.one_in(3)
@pytest.mark.parametrize("carrier", [seldom(c) if c in SELDOM else c for c in CARRIERS])
def test_nothing_carries_the_fresh_numbers_out(tmp_path, carrier):
    code, said = CARRIERS[carrier]
    first = find_exercise(2).make(7).given["W1"][0, 0]
    report = graded(tmp_path, level=3, after=f"\nif W1[0, 0] != {first}:\n    {code.strip()}\n")
    timeless = replace(report, seconds=0.0)
    shown = [FORMATS[form](timeless) for form in ("text", "gradescope", "junit")]
    assert said in report.failure or any(said in mark.messages[3] for mark in report.marks)
    for text in shown:
        assert "TOLD" not in text
        assert "100" not in text
        assert not re.search(r"Error|signal \d|exit status|time-limit|killed", text)
    assert report.record["fresh_failure"] or "dW2" in code


def test_the_time_of_the_fresh_run_is_not_told(tmp_path):
    """A sheet may sleep for as long as a number is large."""
    report = graded(tmp_path)
    told = {report.seconds, json.loads(FORMATS["gradescope"](report))["execution_time"]}
    assert told == {report.record["sheet_seconds"]}
    assert report.record["total_seconds"] >= report.record["fresh_seconds"]


def test_the_graded_seed_is_not_in_the_code_that_is_run(tmp_path):
    after = """
import sys
frame, found = sys._getframe(), ""
while frame:
    found += "".join(repr(v) for v in list(frame.f_locals.values()) if isinstance(v, dict | str))
    frame = frame.f_back
if str(W1[0, 0]) != "FIRST":
    raise ValueError(" ".join(part[:60] for part in found.split("seed ")[1:]))
""".replace("FIRST", str(find_exercise(2).make(7).given["W1"][0, 0]))
    report = graded(tmp_path, graded_seed=123456789, after=after)
    assert "ValueError" in report.record["fresh_failure"]
    assert "123456789" not in report.record["fresh_failure"]
    assert report.record["graded_seed"] == 123456789


@pytest.mark.parametrize("name", ["link.py", "link.npz"])
def test_a_link_is_not_followed(tmp_path, name):
    write(tmp_path, sheet(), "another.py")
    np.savez(tmp_path / "another.npz", **find_exercise(2).make(7).answers())
    (tmp_path / name).symlink_to(tmp_path / name.replace("link", "another"))
    report = grade_file(tmp_path / name, 2, Terms(sheet_seed=7, limits=QUICK))
    assert (report.score, report.kind) == (0, "not-a-sheet")
    assert report.failure == f"{name} is a link, which is not followed."


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


@pytest.mark.one_in(8)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.title)
def test_no_message_at_any_level_holds_a_right_number(exercise):
    tasks = exercise.make(3), exercise.make(5)
    messages = list(all_messages(*tasks))
    assert any(message for _, message in messages)
    for name, message in messages:
        for task in tasks:
            assert told(task, message) == [], (name, message)
        assert not re.search(r"\d\.\d{2,}", message), (name, message)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("factor", [3.7, 11, 0.3717, 1 / 11, -12.5])
def test_no_ratio_but_a_safe_one_is_told(factor):
    task = find_exercise(5).make(3)
    answers = {**task.answers(), "dW3": factor * task.right["dW3"]}
    report = grade_answers(answers, 5, seed=3, level=3)
    text = "\n".join(message for mark in report.marks for message in mark.messages)
    assert not re.search(r"times (?!the (?:right|same))|\d times", text)
    assert f"{abs(factor):.3g}" not in text
    assert set(report.labels) & {"constant-factor", "wrong"}


@pytest.mark.parametrize(
    ("factor", "says"), [(2, "2"), (0.5, "1/2"), (-1, "-1"), (7, "7"), (1 / 7, "1/7")]
)
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
        ("every entry is -2 times the right one", False),
        ("the sum is divided by 3, not by m", False),
        ("divided by K - 1", True),
        ("the slope 0.5 stands there", True),
        ("it is 0.123", False),
        ("it is .123", False),
        ("it is 1.5e-3", False),
        ("a factor of 3.25 times", False),
    ],
)
def test_the_gate_passes_no_number_of_the_solution(text, passes):
    assert Gate.of(find_exercise(6).make(3)).passes(text) is passes


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("it has 24 entries", True),  # two digits are a size, a place, a count
        ("it has 384 entries", False),
        ("it has 385 entries", True),
        ("it has 1,536 bytes", False),
        ("it has 154 thousand", False),  # 153.62 to three digits
        ("shape (3, 84)", True),
    ],
)
def test_three_digits_of_a_right_number_are_held_back(text, passes):
    gate = Gate(np.array([24.0, 384.0, 1536.0, 153.62]), frozenset())
    assert gate.passes(text) is passes


def test_integers_that_are_answers_are_held_back():
    task = find_exercise(9).make(3)
    bytes_of_it = task.right["size"]
    assert not Gate.of(task).passes(f"numpy says {bytes_of_it}")
    assert not Gate.of(task).passes(f"numpy says {bytes_of_it:,}")
    assert told(task, f"numpy says {bytes_of_it}")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("W2", "layer 2: "),
        (("a3", "z3"), "layer 3: "),
        (("z3", "a2"), "layer 2: "),  # a derivative belongs to the layer of its variable
        (("J", "W12"), "layer 12: "),
        ("x", ""),
        (None, ""),
    ],
)
def test_an_object_is_told_with_its_layer(key, said):
    assert _layer(SimpleNamespace(key=key)) == said
