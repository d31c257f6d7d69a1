"""diagnose_code on updates of parameters that the text has put into a list of its own."""

import pytest
from backward_functions import planted
from course_lines import RELU

from jacobian_bp import diagnose_code

TEXT = """\
Ws = [W1, W2]
m = X.shape[1]
dZ2 = (A2 - Y) / m
gW2 = dZ2 @ A1.T
dZ1 = (W2.T @ dZ2) * (Z1 > 0)
gW1 = dZ1 @ X.T
Ws[0] -= lr * gW1
Ws[-1] -= lr * gW2
"""


def test_an_entry_of_a_list_is_the_parameter_that_it_holds():
    report = diagnose_code(TEXT, RELU)
    assert report.right is True, str(report)
    assert [line.number for line in report.lines if line.right] == [2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Ws[0] -= lr * gW1", "Ws[0] -= lr * gW2"),
        ("Ws[0] -=", "Ws[0] +="),
        ("Ws[-1] -= lr * gW2", "Ws[-1] -= lr * dZ2"),
        ("Ws[-1] -=", "Ws[0] -="),
    ],
)
def test_a_mistake_in_the_update_of_an_entry_is_named(old, new):
    text, line = planted(TEXT, old, new)
    report = diagnose_code(text, RELU)
    assert [each.number for each in report.lines if each.right is False] == [line], str(report)


def test_what_is_read_is_said_once_under_the_first_line_that_is_not():
    text = TEXT.replace("gW2 = dZ2 @ A1.T", "gW2 = np.fft.fft(dZ2) @ A1.T")
    text = text.replace("gW1 = dZ1 @ X.T", "gW1 = np.fft.ifft(dZ1) @ X.T")
    report = diagnose_code(text, RELU)
    said = {line.number: line.sentences for line in report.lines if line.sentences}
    assert said[4][0] == "Not read: what fft() does."
    assert said[4][1].startswith("What is read: assignments, ")
    assert said[6] == ("Not read: what ifft() does.",), str(report)


def test_what_has_no_name_is_not_asked_for():
    text = TEXT.replace("Ws[0] -=", "frob(Ws)[0] -=").replace("dZ2 @ A1.T", "frob(dZ2) @ A1.T")
    report = diagnose_code(text, RELU)
    assert (report.right, report.ask) == (None, None), str(report)
