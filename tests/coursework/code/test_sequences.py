"""Backpropagation through time: the right function is right, each planted line is named."""

import pytest
from backward_functions import planted
from recurrent_functions import STYLES
from recurrent_runs import run_of
from sequence_functions import SEQUENCES
from sequences_by_step import BY_STEP

from jacobian_bp import diagnose_code

OF_STEPS = {n: s for n, s in STYLES.items() if s.network in ("characters", "sequence")}
OF_STEPS |= SEQUENCES | BY_STEP
PLANTED = [(name, *each) for name, style in OF_STEPS.items() for each in style.mistakes]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", OF_STEPS)
def test_right_steps_are_right_line_by_line(name):
    report = diagnose_code(OF_STEPS[name].text, run_of(OF_STEPS[name].network))
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)
    assert all(line.right is not False for line in report.lines)
    assert report.sentences[1].startswith("Read as 3 steps of an "), report.sentences


@pytest.mark.one_in(6)
@pytest.mark.parametrize(("name", "old", "new"), PLANTED)
def test_the_line_of_a_mistake_in_a_step_is_named(name, old, new):
    text, line = planted(OF_STEPS[name].text, old, new)
    report = diagnose_code(text, run_of(OF_STEPS[name].network))
    wrong = [each.number for each in report.lines if each.right is False]
    assert (report.right, wrong) == (False, [line]), str(report)


LISTS = "lists that are appended to"
SAID = [
    (
        "dh = Why.T @ dscores + dh_next",
        "dh = Why.T @ dscores",
        ("dh is ∂J/∂h2 by score2; it is meant to be ∂J/∂h2, shape (7, 1).",),
    ),
    (
        "np.outer(dz, hs[t])",
        "np.outer(dz, hs[t + 1])",
        (
            "dWhh is not ∂J/∂U, shape (7, 7).",
            "Meant: dWhh += np.outer(dz, hs[t])   ([t] for [t + 1])",
        ),
    ),
    (
        "dh_next = Whh.T @ dz",
        "dh_next = Whh @ dz",
        (
            "dh_next is not ∂J/∂h2 through step 3, shape (7, 1).",
            "Meant: dh_next = Whh.T @ dz   (Whh.T for Whh)",
        ),
    ),
    (
        "dWxh += np.outer(dz, xs[t])",
        "dWxh = np.outer(dz, xs[t])",
        (
            "In each round dWxh overwrites what the other steps gave.",
            "Meant: dWxh += np.outer(dz, xs[t])   (+= for =)",
        ),
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), SAID)
def test_what_was_meant_in_a_step_is_said(old, new, said):
    text, line = planted(SEQUENCES[LISTS].text, old, new)
    report = diagnose_code(text, run_of("characters"))
    assert [each.sentences for each in report.lines if each.right is False] == [said], str(report)
    assert report.first_wrong == line


def test_gradients_under_names_that_nothing_tells_are_not_called_right():
    text = BY_STEP["gradients called g, states from -1"].text
    for old, new in [("gW", "qq"), ("gb", "rr"), ("ga @ hs[t - 1]", "ga @ hs[t]")]:
        text = text.replace(old, new)
    report = diagnose_code(text, run_of("sequence"))
    assert report.right is not True, str(report)


def test_the_call_of_a_step_that_hands_over_another_derivative_is_named():
    style = SEQUENCES["steps as functions, time last"]
    text, line = planted(style.text, "da[:, :, t] + da_prevt", "da[:, :, t]")
    report = diagnose_code(text, run_of("RNNCell"))
    assert [(each.number, each.sentences) for each in report.lines if each.right is False] == [
        (line, ("With what it hands over dtanh is not ∂J/∂z at step 2, shape (7, 5).",))
    ]


def test_a_text_without_a_loop_is_read_as_one_step_of_a_network_of_several():
    text = SEQUENCES["steps as functions, time in the middle"].text
    step = text[text.index("def rnn_step_backward") : text.index("def rnn_forward")]
    report = diagnose_code(step, run_of("sequence"))
    assert report.right is True, str(report)
    assert report.sentences[1] == (
        "Read as RNNCell of x (5, 3), examples in rows, W (inputs, outputs)."
    )
