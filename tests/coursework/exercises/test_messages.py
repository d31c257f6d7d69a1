"""What single exercises say, and keep to themselves: masks, layouts, strings, causes."""

import numpy as np
import pytest

from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.subscripts import with_arrow


def judged(task, **changed):
    """The verdicts where some answers are replaced and the others are right."""
    verdicts = check_answers(task, {**task.answers(), **changed})
    return {verdict.name: verdict for verdict in verdicts}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("cost", [123.0, 0.0, -1.0, 1e300, 2**70, 7, float("-inf"), float("nan")])
def test_a_wrong_cost_has_no_cause_but_a_true_one(cost):
    found = judged(find_exercise(11).make(7), cost=cost)["cost"]
    assert (found.status, found.cause) == ("wrong", "")
    infinite = judged(find_exercise(11).make(7), cost=float("inf"))["cost"]
    assert (infinite.tag, infinite.where) == (
        "log-of-zero",
        "the number is inf, and that is never right",
    )


def test_zeros_have_no_cause_though_a_mistake_may_give_them():
    """From a p that is one-hot, p(1 - p) is 0 too."""
    task = find_exercise(6).make(7)
    K = task.names["K"]
    zeros = judged(task, p=np.eye(K)[0], J=np.zeros((K, K)), dz=np.zeros(K))
    for name in ("J", "dz"):
        assert (zeros[name].symptom, zeros[name].cause) == ("all entries are 0", "")
        assert zeros[name].tag == "all-zero"
    null = judged(task, null=np.zeros(K))["null"]
    assert null.tag == "null-zero"


MASKS = {  # from a mask that is right: ones, its opposite, one entry more, one entry alone
    "ones": np.ones_like,
    "the opposite": np.logical_not,
    "one more": lambda mask: mask | (np.arange(mask.size).reshape(mask.shape) == mask.argmin()),
    "one alone": lambda mask: mask & (np.arange(mask.size).reshape(mask.shape) == 0),
}


@pytest.mark.parametrize("change", MASKS)
@pytest.mark.parametrize("name", ["can_be_nonzero", "nonzero_here"])
def test_a_mask_is_not_told_by_its_wrong_entries(name, change):
    task = find_exercise(3).make(7)
    wrong = MASKS[change](np.asarray(task.answers()[name]))
    found = judged(task, **{name: wrong})[name]
    assert (found.status, found.words(2)) == ("wrong", ["some of the entries"])
    own = {"can_be_nonzero": np.ones_like(wrong), "nonzero_here": wrong}
    given = judged(task, **own)["nonzero_here"]
    assert given.status == "wrong"
    assert set(given.words(2)) <= {
        "some of the entries",
        "some of the entries, given your can_be_nonzero",
    }


def test_the_other_reading_order_is_named():
    task = find_exercise(4).make(7)
    rows, columns = task.right["G_rows"], task.right["G_columns"]
    verdicts = judged(task, G_rows=columns[None], G_columns=rows)
    for name, layout in (("G_rows", "flat_column, a row"), ("G_columns", "flat")):
        assert verdicts[name].symptom == (
            f"these are the right numbers in layout {layout}; another one is asked for"
        )


@pytest.mark.parametrize(
    ("name", "text", "layout"),
    [
        ("da2", "k,kj", ""),
        ("da2", "b, ba", ""),
        ("dW2_whole", "j,jli", "transposed"),
        ("dW2", "j,i", "transposed"),
        ("chain", "kj,j,ji", "transposed"),
        ("dW2_batch", "nj,ni", "transposed"),
    ],
)
def test_a_string_without_an_arrow_is_what_numpy_makes_of_it(name, text, layout):
    task = find_exercise(7).make(7)
    found = judged(task, **{name: text})[name]
    assert (found.status, found.layout) == ("right", layout)
    question = next(q for q in task.questions if q.name == name)
    arrays = [np.ones(shape) for shape in question.shapes]
    assert np.einsum(with_arrow(text), *arrays).shape == np.einsum(text, *arrays).shape


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("db2_batch", "nj", "the number of axes of the result"),
        ("da2", "kj,k", "delta3 has 1 axis, and gets 2 letters"),
        ("chain", "kj,j", "np.einsum gets 3 operands, and the string is for 2"),
        ("db2_batch", "n", "D2 has 2 axes, and gets 1 letter"),
        ("db2_batch", "n.", "subscripts are letters, with commas and one '->'"),
        ("db2_batch", "n" * 300, "no subscripts: the string is too long"),
    ],
)
def test_a_string_that_is_wrong_says_how(name, text, where):
    assert judged(find_exercise(7).make(7), **{name: text})[name].where == where


@pytest.mark.parametrize(
    ("number", "name", "change", "tag"),
    [
        (2, "dW2", lambda right: -right, "sign"),
        (2, "dW2", lambda right: right / 2, "constant-factor"),
        (2, "dW2", lambda right: right * 1.37, "constant-factor"),
        (2, "delta1", lambda right: right * 0, "all-zero"),
        (6, "dz", lambda right: np.array([float(f"{x:.4g}") for x in right]), "rounded-digits"),
        (6, "rank", lambda right: right + 0.5, "not-whole"),
        (6, "rank", lambda right: [right, right], "not-one-number"),
        (6, "rank", lambda right: "many", "not-numbers"),
        (1, "shape_dz2_dW2", lambda right: right[::-1], "axes-order"),
        (1, "shape_z1", lambda right: (*right, 2), "axes-number"),
        (2, "delta1", lambda right: right + np.arange(len(right)) ** 2 + 1, "wrong"),
    ],
)
def test_a_wrong_answer_of_a_kind_that_is_known_has_its_tag(number, name, change, tag):
    task = find_exercise(number).make(7)
    wrong = {**task.answers(), name: change(task.right[name])}
    verdict = next(v for v in check_answers(task, wrong) if v.name == name)
    assert (verdict.status, verdict.tag) == ("wrong", tag)


@pytest.mark.parametrize(
    ("seed", "decimals", "tag"),
    [
        (8, 2, "rounded-digits"),
        (8, 3, "rounded-digits"),
        (8, 4, "rounded-digits"),
        (8, 1, "wrong"),
        (7, 2, "wrong"),  # the largest entry is 0.0128: one digit of it says nothing
    ],
)
def test_a_rounded_answer_has_its_tag_where_two_digits_are_left(seed, decimals, tag):
    task = find_exercise(2).make(seed)
    right = np.asarray(task.right["dW2"])
    for value, expected in ((np.round(right, decimals), tag), (np.round(right, 2) + 0.01, "wrong")):
        verdicts = check_answers(task, {**task.answers(), "dW2": value})
        verdict = next(v for v in verdicts if v.name == "dW2")
        assert (verdict.status, verdict.tag) == ("wrong", expected)
