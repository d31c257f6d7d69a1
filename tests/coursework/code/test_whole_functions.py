"""Whole functions of further public styles: the right ones are right, each mistake is named."""

import pytest
from backward_functions import run_of as dense_run
from recurrent_runs import run_of as cell_run
from whole_functions import RIGHT, WRONG

from jacobian_bp import diagnose_code


def run_for(network):
    return cell_run(network) if isinstance(network, str) else dense_run(network)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_function_is_right(name):
    network, text = RIGHT[name]
    report = diagnose_code(text, run_for(network))
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", WRONG)
def test_the_wrong_line_alone_is_named(name):
    network, text, line = WRONG[name]
    report = diagnose_code(text, run_for(network))
    wrong = [each.number for each in report.lines if each.right is False]
    assert (report.right, wrong) == (False, [line]), str(report)
