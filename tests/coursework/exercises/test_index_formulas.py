"""A formula in indices: read, never run, judged by its values, or refused with what to write."""

import numpy as np
import pytest

from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.index_formulas import FormulaError, value_of_formula

RNG = np.random.default_rng(17)
X, W = RNG.normal(size=7), RNG.normal(size=(3, 7))
INDICES = {"o": 3, "i": 7}
NAMES = {"x": X, "W": W, "N": 7, "u": np.array([5, 2, 0])}


def by_loops(entry):
    """The same array, entry by entry."""
    return np.array([[entry(o, i) for i in range(7)] for o in range(3)], float)


@pytest.mark.parametrize(
    ("texts", "entry"),
    [
        (("delta[i, o]", "δ[i,o]", "delta(i, o)", "[i = o]", "[i == o]"), lambda o, i: i == o),
        (("delta[i, 2o + 1]", "[i = 2*o+1]", "delta [2 o + 1, i]"), lambda o, i: i == 2 * o + 1),
        (("delta[i, N - 1 - o]", "[i + o = N - 1]"), lambda o, i: i == 6 - o),
        (("[i <= o]", "[o ≥ i]", "1 - [i > o]", "1 − [o < i]"), lambda o, i: i <= o),
        (("[1 <= i <= o + 2] x[i]", "x[i][1 <= i <= o+2]"), lambda o, i: X[i] * (1 <= i <= o + 2)),
        (("W[o,i] x[i] - 2 delta[i,o]",), lambda o, i: W[o, i] * X[i] - 2 * (i == o)),
        (("delta[i, u[o]]", "[u[o] = i]"), lambda o, i: i == [5, 2, 0][o]),
        (("[i // 3 = o] (i % 3)", "(i % 3) delta[i//3, o]"), lambda o, i: (i // 3 == o) * (i % 3)),
        (("-x[i]/(o + 1) + 0.5", "0.5 - x[i] / (1 + o)"), lambda o, i: 0.5 - X[i] / (o + 1)),
        (("3",), lambda o, i: 3),
        (("[i != o] i", "i·[i ≠ o]"), lambda o, i: i * (i != o)),
    ],
)
def test_a_formula_has_the_values_of_its_loops_in_every_spelling(texts, entry):
    for text in texts:
        assert np.allclose(value_of_formula(text, INDICES, NAMES), by_loops(entry), atol=1e-14)


def test_a_changed_formula_has_other_values():
    right = value_of_formula("delta[i, 2*o + 1]", INDICES, NAMES)
    for text in ("delta[i, 2*o]", "delta[2*i + 1, o]", "-delta[i, 2*o + 1]", "[i <= 2*o + 1]"):
        assert not np.array_equal(value_of_formula(text, INDICES, NAMES), right)


NOT_READ = (
    "'{}' is not read here: write sums and products of delta[.., ..], [.. <= ..], entries and "
    "numbers"
)
SUCH_AS = "it cannot be read: write such as 'delta[i, 2*o + 1] * x[i]' or '[i <= o]'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", SUCH_AS),
        ("delta[i, o", SUCH_AS),
        ("2 3", SUCH_AS),
        ("i = o", NOT_READ.format("i == o")),
        ("__import__('os')", "there is no __import__ here, only o, i, x, W, N, u, delta"),
        ("delta[i]", "delta has two places: write delta[i, o]"),
        ("delta[i, k]", "there is no k here, only o, i, x, W, N, u, delta"),
        ("x", "x is an array: write one entry of it, such as x[o]"),
        ("W[i]", "W has 2 axes, and gets 1 index"),
        ("W[i, o]", "W[i, o] leaves W, which has the shape (3, 7), at some indices"),
        ("x[i + 1]", "x[i + 1] leaves x, which has the shape (7,), at some indices"),
        ("x[i / 2]", "x[i / 2] leaves x, which has the shape (7,), at some indices"),
        ("N[i]", "N is a number, and has no entries"),
        ("1 / o", "'1 / o' divides by 0 at some indices"),
        ("[i in o]", SUCH_AS),
        ("o if i else 1", SUCH_AS),
        ("x[:]", NOT_READ.format(":")),
        ("[i, o]", NOT_READ.format("[i, o]")),
        ("x.T[i]", NOT_READ.format("x.T[i]")),
        ("i" * 201, "the formula is longer than 200 characters"),
    ],
)
def test_what_cannot_be_read_says_what_to_write(text, message):
    with pytest.raises(FormulaError) as caught:
        value_of_formula(text, INDICES, NAMES)
    assert str(caught.value) == message


def test_what_is_advised_can_be_read():
    for text in ("delta[i, 2*o + 1] * x[i]", "[i <= o]", "delta[i, o]", "x[o]"):
        assert value_of_formula(text, INDICES, NAMES).shape == (3, 7)


def test_a_puzzle_tells_where_and_not_the_formula():
    task = find_exercise(24).make(7)
    answers = task.answers() | {"sliced": "[i = 2 o]", "summed": 3, "flipped": "delta[i, M]"}
    found = {v.name: v for v in check_answers(task, answers)}
    assert found["sliced"].words(3) == [
        "every column but column 14, which is right, of the axes o, i",
        "the slice begins at 1; at 0 it begins here",
    ]
    assert found["sliced"].tag == "offset-forgotten"
    assert found["summed"].where == "not a string: write it in quotes, such as 'delta[i, o]'"
    assert found["flipped"].where == (
        "there is no M here, only o, i, x, B, N, order, ex, sum_ex, delta"
    )
    assert all(found[name].ok for name in task.right if name not in ("sliced", "summed", "flipped"))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("delta[i, x[o]]", ["0 at all indices; every entry that is not 0, of the axes o, i"]),
        ("delta[i, order[o]] / 2", ["every entry that is not 0, of the axes o, i"]),
    ],
)
def test_a_delta_that_no_index_meets_is_told_so_and_no_other_formula_is(formula, words):
    task = find_exercise(24).make(seed=11)
    verdicts = check_answers(task, task.answers() | {"sorted_up": formula})
    (found,) = [verdict for verdict in verdicts if not verdict.ok]
    assert found.name == "sorted_up"
    assert list(found.words(level=1)) == words
