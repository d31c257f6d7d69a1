"""What is said about answers: status, place, symptom, cause; and never a right number."""

import json
import re

import numpy as np
import pytest

from jacobian_bp.coursework.diagnosis.diagnosis import Finding
from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.exercises.cause import _usable, diagnosed
from jacobian_bp.coursework.exercises.checker import Report, _listed, check_answers
from jacobian_bp.coursework.exercises.equality import Unusable, same
from jacobian_bp.coursework.exercises.symptoms import symptom, where_wrong
from jacobian_bp.coursework.exercises.task import Planted
from jacobian_bp.coursework.exercises.trusted_code import value_of


class Raises:
    """An object whose __array__ raises."""

    def __array__(self, *arguments, **options):
        raise RuntimeError("boom")


@pytest.fixture(scope="module")
def task():
    return find_exercise(2).make(7)


def judged(task, **changed):
    """The verdicts where some answers are replaced and the others are right."""
    verdicts = check_answers(task, {**task.answers(), **changed})
    return {verdict.name: verdict for verdict in verdicts}


# ---------------------------------------------------------------- equal by value


def test_every_layout_of_a_gradient_is_accepted_and_named(task):
    right = task.right["dW2"]
    forms = {
        "gradient": right,
        "transposed": right.T,
        "flat": right.reshape(1, -1),
        "flat_column": right.T.reshape(1, -1),
        "flat, one axis": right.reshape(-1),
    }
    for layout, form in forms.items():
        verdict = judged(task, dW2=form)["dW2"]
        named = layout * (layout != "gradient")  # the usual one goes without saying
        assert (verdict.status, verdict.layout) == ("right", named)
        assert verdict.words(1) == ([f"in layout {layout}"] if named else [])


def test_a_transposed_gradient_that_stands_alone_is_right_and_named(task):
    verdicts = judged(task, dW2=task.right["dW2"].T)
    assert [v.status for v in verdicts.values()] == ["right"] * 7
    report = Report(2, 7, "t", diagnosed(task, task.answers(), tuple(verdicts.values())))
    assert report.lines(3)[-2:] == [
        "  dW2     right    in layout transposed",
        "score     7 of 7, all right",
    ]


def test_the_wrong_reading_order_is_no_layout(task):
    right = task.right["dW2"]
    assert not judged(task, dW2=right.T.reshape(right.shape))["dW2"].ok


def test_float32_is_right_and_said_so(task):
    verdict = judged(task, delta2=task.right["delta2"].astype(np.float32))["delta2"]
    assert (verdict.status, verdict.remark) == ("right", "in float32")


@pytest.mark.parametrize("relative", [1e-4, 1e-5])
def test_an_error_beyond_rounding_is_wrong(task, relative):
    wrong = task.right["delta2"] * (1 + relative)
    assert judged(task, delta2=wrong)["delta2"].status == "wrong"


def test_nothing_is_equal_to_infinity():
    for right in (np.inf, -np.inf, np.nan):
        assert not same(np.array(5.0), np.array(right))
        assert not same(np.array([5.0, 1.0]), np.array([right, 1.0]))
        assert not same(np.array(right), np.array(right))


def test_a_small_entry_is_judged_by_itself():
    right = np.array([1.0, 1e-4])
    assert same(np.array([1.0, 1.000001e-4]), right)
    assert not same(np.array([1.0, 1.1e-4]), right)


# ---------------------------------------------------------------- given the earlier answer


def test_what_follows_from_a_wrong_answer_is_credited(task):
    wrong = task.right["delta3"] * 3 + 1
    names = {**task.names, **task.right, "delta3": wrong}
    S2, W3 = names["S2"], names["W3"]
    verdicts = judged(task, delta3=wrong, delta2=S2 @ W3.T @ wrong)
    assert verdicts["delta3"].status == "wrong"
    assert verdicts["delta2"].status == "follows"
    assert verdicts["delta2"].words(2) == ["right, given your delta3, which is not"]
    assert verdicts["delta1"].status == "right"
    report = Report(2, 7, "t", tuple(verdicts.values()))
    assert (report.ok, report.score) == (False, len(verdicts) - 1)


def test_a_column_is_followed_like_a_vector(task):
    wrong = (task.right["delta3"] + 1)[:, None]
    delta2 = task.right["S2"] @ task.names["W3"].T @ wrong
    assert judged(task, delta3=wrong, delta2=delta2)["delta2"].status == "follows"


def test_a_second_mistake_is_named_given_the_first(task):
    wrong = -task.right["delta3"]
    delta2 = 2 * task.right["S2"] @ task.names["W3"].T @ wrong
    verdict = judged(task, delta3=wrong, delta2=delta2)["delta2"]
    assert verdict.status == "wrong"
    assert verdict.where == "every entry, given your delta3"
    assert verdict.symptom == "every entry is 2 times what your delta3 gives"


def test_two_wrong_answers_are_both_named(task):
    wrong = {name: task.right[name] + 1 for name in ("S2", "delta3")}
    delta2 = wrong["S2"] @ task.names["W3"].T @ wrong["delta3"]
    verdicts = judged(task, **wrong, delta2=delta2)
    assert verdicts["delta2"].remark == "right, given your S2 and delta3, which are not"
    verdicts = judged(task, **wrong, delta2=2 * delta2)
    assert verdicts["delta2"].where == "every entry, given your S2 and delta3"
    assert _listed(["S1", "S2", "S3"]) == "S1, S2 and S3"


def test_a_number_given_an_earlier_one_is_one_number():
    task = find_exercise(9).make(7)
    found = judged(task, size=task.right["size"] + 8, size_batch=12)["size_batch"]
    assert (found.where, found.symptom) == ("another number, given your size", "")


@pytest.mark.one_in(4)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.title)
def test_zeros_earn_nothing_though_zero_follows_from_zero(exercise):
    task = exercise.make(4)
    arrays = {n: np.zeros(np.shape(a)) for n, a in task.right.items() if isinstance(a, np.ndarray)}
    verdicts = check_answers(task, {**task.answers(), **arrays})
    assert not any(verdict.credited for verdict in verdicts if verdict.name in arrays)


def test_no_credit_for_the_same_wrong_numbers_without_the_earlier_answer(task):
    wrong = task.right["delta3"] * 3 + 1
    delta2 = task.right["S2"] @ task.names["W3"].T @ wrong
    assert judged(task, delta3=None, delta2=delta2)["delta2"].status == "wrong"


# ---------------------------------------------------------------- place, symptom, cause


def test_the_place_is_named():
    right = np.arange(1.0, 13.0).reshape(3, 4)
    row, column, entry, some = right.copy(), right.copy(), right.copy(), right.copy()
    row[1] += 1
    column[:, [0, 2]] += 1
    entry[2, 3] = 0
    some[[0, 1, 2], [0, 1, 2]] += 1
    assert where_wrong(row, right) == "row 1 only"
    assert where_wrong(column, right) == "columns 0, 2 only"
    assert where_wrong(entry, right) == "entry [2, 3] only"
    assert where_wrong(some, right) == "columns 0, 1, 2 only"
    tall = np.arange(1.0, 27.0).reshape(13, 2)
    one_right = "every row but row 12, which is right"
    for count, said in ((4, "rows 0, 1, 2, 3 only"), (12, one_right), (7, "7 of")):
        wrong = tall.copy()
        wrong[:count] += 1
        assert where_wrong(wrong, tall).startswith(said)
    wrong = tall.copy()
    wrong[[0, 2, 4, 5, 6, 7, 8, 9, 10, 11]] += 1
    assert where_wrong(wrong, tall) == "every row but rows 1, 3, 12, which are right"
    short = tall[:9].T.copy()
    short[:, [0, 3, 6, 7, 8]] += 1
    assert where_wrong(short, tall[:9].T) == "columns 0, 3, 6, 7, 8 only"
    assert where_wrong(np.array([2.0]), np.array([1.0])) == "the number"
    assert where_wrong(right + 1, right) == "every entry"
    diagonal = right + np.eye(3, 4)
    diagonal[0, 3] += 1
    assert where_wrong(diagonal, right) == "4 entries"


def test_the_symptom_is_named():
    right = np.array([1.2345678, -2.3456789, 0.0])
    assert symptom(np.zeros(3), right) == "all entries are 0"
    assert symptom(-right, right) == "every entry is -1 times the right one"
    assert symptom(7 * right, right) == "every entry is the right one times the same factor"
    assert symptom(np.array([1.23, -2.35, 0.0]), right) == (
        "the leading digits are right: give all digits, not the printed ones"
    )
    assert symptom(right + np.array([0, 0, 1.0]), right) == (
        "entries that are 0 in truth are not 0 here; all others are right"
    )
    assert symptom(right * np.array([1, 0, 1]), right) == (
        "some entries are 0 that should not be; all others are right"
    )
    assert symptom(np.array([5.0, 1.0, 3.0]), right) == ""


def test_a_factor_that_is_no_small_fraction_is_not_told(task):
    verdict = judged(task, delta3=task.right["delta3"] * 0.3717)["delta3"]
    assert "0.37" not in " ".join(verdict.words(3))
    assert verdict.symptom == "every entry is the right one times the same factor"


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (None, "no answer yet"),
        ("0.5", "is text, not numbers"),
        (Unusable("a dict, not numbers"), "is a dict, not numbers"),
        (np.ones((2, 2), dtype=complex), "has dtype complex128, which holds complex numbers"),
        ([[1.0], [2.0, 3.0]], "is ragged"),
        (Raises(), "is a Raises, not numbers"),
        (np.ones(4), "shape (4,) fits this object in no layout"),
        (np.ones((3, 3)), "a row met a column, and numpy made a table of them"),
        (float("nan"), "the number is nan, and that is never right"),
        (np.array([0.1, np.inf, 0.2]), "entry [1] is inf, and that is never right"),
    ],
)
def test_what_no_answer_can_be(task, value, where):
    assert task.right["delta3"].shape == (3,)
    verdict = judged(task, delta3=value)["delta3"]
    assert not verdict.credited
    assert where in verdict.where
    assert all(judged(task, delta3=value)[name].ok for name in ("S3", "delta2", "dW2"))


def test_a_planted_mistake_is_called_by_its_name(task):
    wrong = next(planted for planted in task.mistakes if planted.name == "missing-output-slope")
    verdicts = {v.name: v for v in check_answers(task, task.answers(wrong))}
    assert (verdicts["delta3"].tag, verdicts["delta3"].cause) == (wrong.name, wrong.says)
    assert verdicts["delta3"].cause not in verdicts["delta3"].words(2)
    assert verdicts["delta3"].cause in verdicts["delta3"].words(3)
    assert verdicts["delta2"].status == "follows"


def test_a_mistake_that_is_not_planted_is_diagnosed(task):
    answers = {**task.answers(), "delta3": 5 * task.right["delta3"]}
    verdicts = diagnosed(task, answers, check_answers(task, answers))
    found = next(verdict for verdict in verdicts if verdict.name == "delta3")
    assert found.tag == "constant-factor"
    assert found.cause


@pytest.mark.parametrize("factor", [3, 4, 0.25, 7, 1 / 7, -3, 3.7, 0.1, 2 / 3])
def test_no_level_tells_a_factor_that_gives_the_answer_away(task, factor):
    answers = {**task.answers(), "delta3": factor * task.right["delta3"]}
    verdicts = diagnosed(task, answers, check_answers(task, answers))
    found = next(verdict for verdict in verdicts if verdict.name == "delta3")
    assert found.words(3)[:2] == [
        "every entry",
        "every entry is the right one times the same factor",
    ]
    assert not re.search(r"\d", " ".join(found.words(3)))
    if found.tag == "constant-factor":
        assert found.cause == "the mistake is known as constant-factor"


@pytest.mark.parametrize(("number", "answer"), [(5, "d3"), (22, "delta2"), (27, "da2")])
def test_the_number_of_examples_is_told_as_a_factor(number, answer):
    task = find_exercise(number).make(7)
    m = len(task.own_given["x"])
    for factor, said in ((m, f"{m}"), (1 / m, f"1/{m}"), (m + 1, ""), (1 / (m + 1), "")):
        answers = {**task.answers(), answer: factor * task.right[answer]}
        found = next(v for v in check_answers(task, answers) if v.name == answer)
        words = f"every entry is {said} times the right one"
        assert found.words(2) == [
            "every entry",
            words if said else "every entry is the right one times the same factor",
        ]
        assert found.tag in ("constant-factor", *(p.tag for p in task.mistakes))


APART = "np.eye(K)[0] / p[0] - np.eye(K)[1] / p[1]"  # which p is at right angles to


@pytest.mark.parametrize(
    ("number", "null", "own", "follows"),
    [
        (6, "null", {"J": "np.outer(p, p)", "null": APART}, True),
        (6, "null", {"J": "np.outer(p, p)", "null": "np.eye(K)[0]"}, False),
        (6, "null", {"J": "np.zeros((K, K))", "null": "np.eye(K)[0]"}, False),
        (6, "null", {"null": APART}, False),
        (8, "null_1", {"J": "np.diag(np.arange(K) * 1.0)", "null_1": "np.eye(K)[0]"}, True),
        (8, "null_1", {"J": "np.diag(np.arange(K) * 1.0)", "null_1": "np.eye(K)[1]"}, False),
    ],
)  # fmt: skip
def test_a_vector_that_ones_own_matrix_sends_to_0_follows(number, null, own, follows):
    task = find_exercise(number).make(7)
    verdicts = {v.name: v for v in check_answers(task, task.answers(Planted("own", own)))}
    found = verdicts[null]
    assert (found.status == "follows") is follows
    assert found.credited is follows
    if follows:
        assert found.words(2) == ["right, given your J, which is not"]


def test_the_rank_of_ones_own_matrix_follows_and_so_does_the_right_one():
    task = find_exercise(6).make(7)
    for rank, status in (("K", "follows"), ("K - 1", "right"), ("1", "wrong")):
        own = {"J": "np.diag(p * (1 - p))", "rank": rank}
        verdicts = {v.name: v for v in check_answers(task, task.answers(Planted("own", own)))}
        assert verdicts["rank"].status == status
    verdicts = {v.name: v for v in check_answers(task, task.answers(Planted("", {"rank": "K"})))}
    assert verdicts["rank"].status == "wrong"


def test_the_number_of_entries_is_not_told_where_it_is_asked_for():
    task = find_exercise(3).make(3)
    for planted in task.mistakes:
        verdicts = check_answers(task, task.answers(planted))
        text = " ".join(word for verdict in verdicts for word in verdict.words(3))
        assert not re.search(rf"\b{task.right['entries']}\b", text)
        assert "numbers in it that are not told" not in text


def test_the_share_of_an_example_is_told_as_a_fraction():
    task = find_exercise(5).make(3)
    m = len(task.given["x"])
    for factor, said in ((m, f"{m} times"), (1 / m, f"1/{m} times"), (m + 1, "known as")):
        answers = {**task.answers(), "dW3": factor * task.right["dW3"]}
        verdicts = diagnosed(task, answers, check_answers(task, answers))
        found = next(verdict for verdict in verdicts if verdict.name == "dW3")
        assert said in found.cause or found.tag == "wrong"
    assert m > 2


@pytest.mark.parametrize(
    ("number", "name", "line"),
    [
        (2, "S1", "np.where(z1 > 0, 1.0, 0.0)"),
        (2, "S1", "z1 > 0"),
        (2, "S2", "1 - a2**2"),
        (2, "S3", "a3 * (1 - a3)"),
        (12, "D", "1 - h**2"),
    ],
)
def test_a_vector_where_a_matrix_is_asked_for_has_the_true_cause(number, name, line):
    task = find_exercise(number).make(7)
    answers = {**task.answers(), name: value_of(line, {**task.names, **task.answers()})}
    found = {v.name: v for v in diagnosed(task, answers, check_answers(task, answers))}[name]
    assert (found.tag, found.cause) == ("not-a-matrix", "a vector, not the diagonal matrix with it")


@pytest.mark.parametrize("line", ["delta2", "x", "a1 * a1"])
def test_an_answer_of_other_axes_is_not_explained_by_its_numbers(task, line):
    """diagnose may find a contraction that gives these numbers; their shape says more."""
    answers = {**task.answers(), "dW2": value_of(line, {**task.names, **task.answers()})}
    found = {v.name: v for v in diagnosed(task, answers, check_answers(task, answers))}["dW2"]
    assert (found.cause, found.tag) == ("", "shape")


def test_a_finding_about_the_shape_is_believed():
    question = find_exercise(2).make(7).questions[-1]
    vector, matrix = np.ones(2), np.ones(question.right.shape)
    other, shape = (
        Finding("W2", label, (label,), ("so.",))
        for label in ("contraction-for-elementwise", "bias-not-summed")
    )
    assert [_usable(other, a, question) for a in (vector, matrix, matrix.ravel())] == [
        *(False, True, True)
    ]
    assert _usable(shape, vector, question)


def test_a_mistake_that_nobody_knows_is_called_so(task):
    x, delta2 = task.names["x"], task.right["delta2"]
    answers = {**task.answers(), "dW2": np.outer(delta2, x[:2])}
    found = diagnosed(task, answers, check_answers(task, answers))[-1]
    assert found.words(2) == ["every entry"]
    assert found.words(3) == ["every entry", "no known mistake gives these numbers"]


def test_one_entry_is_not_every_entry(task):
    """A matrix of which one entry alone is not 0 has no factor in common."""
    S1 = np.diag(task.names["a1"])
    assert np.count_nonzero(S1) == 1
    found = judged(task, S1=S1)["S1"]
    assert found.words(3) == ["entry [1, 1] only", "the value a1 stands for its slope"]
    assert found.tag == "value-for-slope"
    assert symptom(np.array([0.0, 2.5]), np.array([0.0, 1.25])) == ""
    assert symptom(np.array([2.5]), np.array([1.25])) == "it is 2 times the right one"
    assert symptom(np.array([2.5, 5.0]), np.array([1.25, 2.5])).startswith("every entry is 2")


def test_each_level_of_messages_says_more(task):
    wrong = next(planted for planted in task.mistakes if planted.name == "sign")
    report = Report(2, 7, "t", check_answers(task, task.answers(wrong)))
    lines = [report.lines(level)[2] for level in range(4)]
    assert lines == [
        "  delta3  WRONG",
        "  delta3  WRONG    every entry",
        "  delta3  WRONG    every entry; every entry is -1 times the right one",
        "  delta3  WRONG    every entry; every entry is -1 times the right one; "
        "the difference a3 - y was turned round",
    ]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.title)
def test_no_level_prints_a_right_number(exercise):
    """No decimal of a right answer stands in any message on any planted mistake."""
    task = exercise.make(3)
    right = {
        digits
        for value in task.right.values()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
        for number in value.ravel()
        for digits in re.findall(r"0\.\d{3,}", f"{abs(number):.6f} {abs(number):.3f}")
    }
    for planted in task.mistakes:
        answers = task.answers(planted)
        verdicts = diagnosed(task, answers, check_answers(task, answers))
        text = "\n".join(Report(1, 3, "t", verdicts).lines(3))
        assert right.isdisjoint(re.findall(r"0\.\d{3,}", text))
    shapes = [v for v in task.right.values() if isinstance(v, tuple)]
    text = json.dumps(
        [v.words(3) for v in check_answers(task, dict.fromkeys(task.right, (99, 98)))]
    )
    assert not any(str(shape) in text for shape in shapes if len(shape) > 1)


def test_a_wild_answer_leaves_the_state_of_numpy_alone(task):
    with np.errstate(all="raise"):
        verdict = judged(task, delta3=np.full(3, 1e308), delta2=np.full(2, -1e308))["delta3"]
    assert verdict.status == "wrong"


def test_a_rank_follows_from_the_matrix_that_has_it():
    task = find_exercise(8).make(3)
    own = {"J": (np.eye(len(task.names["x"])) - 1 / len(task.names["x"])) / task.names["x"].std()}
    rank = np.linalg.matrix_rank(own["J"])
    verdict = judged(task, **own, rank=rank)["rank"]
    assert (verdict.status, verdict.remark) == ("follows", "right, given your J, which is not")
    assert judged(task, **own, rank=rank - 1)["rank"].status == "right"
    assert judged(task, rank=rank)["rank"].status == "wrong"
