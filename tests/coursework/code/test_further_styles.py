"""Functions of optimisers, mini-batches, dropout, lists filled from behind: accepted, or named."""

import numpy as np
import pytest
from backward_functions import TANH_CLASSES, TANH_LINEAR, planted, run_of
from further_functions import STYLES

from jacobian_bp import diagnose_code


def mistakes(which):
    return [
        pytest.param(style, *mistake, id=f"{name}: {mistake[1]}")
        for name, style in STYLES.items()
        for mistake in style.mistakes[which]
    ]


@pytest.mark.one_in(8)
@pytest.mark.parametrize("name", STYLES)
def test_a_right_function_is_accepted(name):
    report = diagnose_code(STYLES[name].text, run_of(STYLES[name].network))
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)


@pytest.mark.parametrize(
    ("style", "old", "new"),
    [case for case in mistakes(slice(1)) if case.id.startswith(("masks", "gradients called"))],
)
def test_the_line_of_a_planted_mistake_is_named(style, old, new):
    text, line = planted(style.text, old, new)
    report = diagnose_code(text, run_of(style.network))
    assert [one.number for one in report.lines if one.right is False] == [line], str(report)


@pytest.mark.full
@pytest.mark.parametrize(("style", "old", "new"), mistakes(slice(None)))
def test_the_line_of_every_planted_mistake_is_named(style, old, new):
    text, line = planted(style.text, old, new)
    report = diagnose_code(text, run_of(style.network))
    assert (report.right, report.first_wrong) == (False, line), str(report)


def test_that_dropout_is_not_judged_is_said():
    style = STYLES["masks of dropout"]
    said = "The run has no dropout: masks and keep_prob are read as 1, and are not judged."
    assert said in diagnose_code(style.text, run_of(style.network)).sentences
    plain = "dZ2 = A2 - Y\ndW2 = dZ2.T @ A1\n"
    assert said not in diagnose_code(plain, run_of(TANH_LINEAR)).sentences


SCORES = "scores = A1 @ W2 + b2\nscores -= scores.max(axis={}, keepdims=True)\n" + (
    "P = np.exp(scores)\nP /= P.sum(axis=1, keepdims=True)\n"
    "dZ2 = (P - Y) / len(X)\ndW2 = {} @ dZ2\n"
)


@pytest.mark.parametrize(
    ("axis", "factor", "line"), [(1, "A1.T", None), (1, "Z1.T", 6), (0, "A1.T", 2)]
)
def test_scores_may_lose_one_number_for_each_example_and_no_other(axis, factor, line):
    report = diagnose_code(SCORES.format(axis, factor), run_of(TANH_CLASSES))
    assert (report.right, report.first_wrong) == (line is None, line), str(report)


LOOSE = "dA1 = dZ2 @ W2.T\ndA1 = dA1 * {0}\ndA1 = dA1 / 1\ndZ1 = dA1 * (1 - A1**2)\n"


def test_a_line_that_rests_on_one_that_is_not_read_is_not_accused():
    text = "m = len(X)\ndZ2 = A2 - Y\n" + LOOSE.format("noise") + "dW1 = X.T @ dZ1 / m\n"
    report = diagnose_code(text, run_of(TANH_LINEAR))
    assert (report.right, report.first_wrong) == (None, None)
    assert report.ask == "Which quantity is noise, in line 4?"
    right = diagnose_code(text.replace(" * noise", ""), run_of(TANH_LINEAR))
    assert right.right is True


def test_the_loop_of_what_nothing_tells_is_not_read_and_never_called_right():
    text = "dZ2 = (A2 - Y) / len(X)\ndW2 = A1.T @ dZ2\nfor each in things:\n    dW1 = X.T @ each\n"
    report = diagnose_code(text, run_of(TANH_LINEAR))
    assert (report.right, report.first_wrong) == (None, None)
    assert report.lines[-1].sentences[0] == "Not read: what things is."


def test_of_the_data_the_examples_of_a_batch_are_all():
    text = "d2 = (a2 - y[idx]) / m\ndW2 = {0}.T @ d2\ndW1 = X[idx].T @ (d2 @ W2.T * (1 - a1**2))\n"
    run = run_of(TANH_LINEAR)
    before = np.array(run["x"])
    assert diagnose_code(text.format("a1"), run).right is True
    assert diagnose_code(text.format("z1"), run).first_wrong == 2
    assert (run["x"] == before).all()
