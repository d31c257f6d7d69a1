"""Functions of public styles: no right one is accused; a mistake is named, or not judged."""

import courses_held_out
import layers_held_out
import layers_read
import public_columns
import public_layers
import public_rows
import pytest
from backward_functions import planted
from op_runs import run_of

from jacobian_bp import SpecError, diagnose_code

FORTY = {**public_columns.STYLES, **public_rows.STYLES, **public_layers.STYLES}
HELD_OUT = {**courses_held_out.STYLES, **layers_held_out.STYLES, **layers_read.STYLES}
EVERY = {**FORTY, **HELD_OUT}
QUICK = [
    "planar data with one hidden layer",
    "logistic regression",
    "digits with one_hot and a relu",
    "every delta first",
    "a linear classifier at once",
    "batch norm by its stages",
    "one step of a recurrent cell",
    "layer norm by means",
    "layer normalisation in one line",
    "batch norm as a class",
    "a helper for the gradients of any layer",
    "gradients averaged where they are returned",
    "classes of layers alone",
    "one function a layer, no net",
]
QUICK_MISTAKES = [
    "planar data with one hidden layer",
    "three layers with a penalty",
    "digits with one_hot and a relu",
    "a linear classifier at once",
    "theta, example by example",
    "layer norm by means",
    "batch normalisation stage by stage",
    "a helper for the gradients of any layer",
]
ACCEPTED, NAMED = 39, 36  # of the forty
MISNAMED = 2  # of the forty, at most: accepted, or another line


def reported(style, text):
    """The report; None where the text is refused."""
    try:
        return diagnose_code(text, run_of(style.network))
    except SpecError:
        return None


@pytest.mark.parametrize("name", QUICK)
def test_a_right_function_is_accepted(name):
    report = reported(EVERY[name], EVERY[name].text)
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)
    assert all(line.right is not False for line in report.lines)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", QUICK_MISTAKES)
def test_the_line_of_a_mistake_is_named(name):
    style = EVERY[name]
    text, line = planted(style.text, *style.mistakes[0])
    report = reported(style, text)
    assert (report.right, report.first_wrong) == (False, line), str(report)


@pytest.mark.full
@pytest.mark.parametrize("name", EVERY)
def test_no_right_function_is_accused(name):
    report = reported(EVERY[name], EVERY[name].text)
    assert report is None or (report.right is not False and report.first_wrong is None)


@pytest.mark.full
def test_most_of_the_forty_are_accepted_and_their_mistakes_named():
    accepted, named, elsewhere = [], [], []
    for name, style in FORTY.items():
        right = reported(style, style.text)
        accepted += [name] * bool(right and right.right)
        text, line = planted(style.text, *style.mistakes[0])
        report = reported(style, text)
        if report and report.right is False and report.first_wrong == line:
            named.append(name)
        elif report and (report.right or report.first_wrong is not None):
            elsewhere.append(name)
    assert len(FORTY) == 40
    assert len(accepted) >= ACCEPTED, sorted({*FORTY} - {*accepted})
    assert len(named) >= NAMED, sorted({*FORTY} - {*named})
    assert len(elsewhere) <= MISNAMED, elsewhere
