"""Gradients kept in a dictionary of each layer, with each array, in lists; names in Greek."""

import pytest
from backward_functions import planted, run_of
from kept_beside import KEPT

from jacobian_bp import diagnose_code


@pytest.mark.parametrize("name", KEPT)
def test_a_right_function_is_accepted(name):
    report = diagnose_code(KEPT[name].text, run_of(KEPT[name].network))
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("name", "old", "new"), [(n, *each) for n, s in KEPT.items() for each in s.mistakes]
)
def test_the_line_of_a_mistake_is_named(name, old, new):
    text, line = planted(KEPT[name].text, old, new)
    report = diagnose_code(text, run_of(KEPT[name].network))
    assert [each.number for each in report.lines if each.right is False] == [line], str(report)
