"""A walk that starts where it differs from the one before gives what it gives from the top."""

import numpy as np
import pytest
from backward_functions import STYLES, TANH_LINEAR, run_of
from layers_read import STYLES as LAYERS

from jacobian_bp import diagnose_code
from jacobian_bp.coursework.code.edits import edits
from jacobian_bp.coursework.code.limits import Budget, NotReadError, ShapesError
from jacobian_bp.coursework.code.parsing import parse
from jacobian_bp.coursework.code.readings import Readings
from jacobian_bp.coursework.code.studied import studied_run
from jacobian_bp.coursework.code.trials import Trials

TEXTS = [
    STYLES["columns with a cache"],
    STYLES["loop with negative indices"],
    LAYERS["a class for each layer and a list"],
    LAYERS["functions of single layers alone"],
]


def trials_of(style):
    """Trials in the reading that ranks best, with a maker of others that start from the top."""
    readings = Readings(parse(style.text), studied_run(run_of(style.network)), None, {})
    _, naming, layout = readings._ranked()[0]
    quantities = readings._quantities(layout, naming)

    def fresh():
        return Trials(readings.parsed, quantities, Budget())

    fresh().trace({})  # what is found out of the text at its first walk is known from here on
    return fresh(), fresh


def told(trials, *asked):
    """What a walk stores, as far as it can be walked."""
    try:
        trace = trials.trace(*asked)
    except (NotReadError, ShapesError) as error:
        return type(error), []
    shown = [(s.line, s.path, s.kind, s.reads, s.place, s.calls) for s in trace.stores]
    values = [s.value for s in trace.stores]
    return shown, [v for v in values if isinstance(v, np.ndarray)]


def same(one, other):
    return one[0] == other[0] and all(map(np.array_equal, one[1], other[1]))


@pytest.mark.parametrize("style", TEXTS)
def test_a_value_put_in_gives_the_same_from_a_checkpoint_and_from_the_top(style):
    trials, fresh = trials_of(style)
    base = trials.trace({}, keeps=True)
    differ = 0
    for number in range(0, len(base.stores), 3):
        value = base.stores[number].value
        if isinstance(value, np.ndarray):
            mended = {number: value + 1.0}
            resumed = told(trials, mended)
            assert same(resumed, told(fresh(), mended))
            differ += not same(resumed, told(fresh(), {}))
    assert differ > 2


@pytest.mark.parametrize("style", TEXTS)
def test_another_line_gives_the_same_from_a_checkpoint_and_from_the_top(style):
    trials, fresh = trials_of(style)
    base = trials.trace({}, keeps=True)
    for number in range(0, len(base.stores), 4):
        statement = base.stores[number].statement
        for _, instead in list(edits(statement))[:2]:
            swapped = {id(statement): instead}
            assert same(told(trials, {}, swapped), told(fresh(), {}, swapped))
    last = len(base.stores) - 1
    assert trials.trace({last: base.stores[last].value}).steps < base.steps / 2


def test_what_a_text_appends_to_a_list_of_the_run_is_there_in_its_own_walk_alone():
    text = "zs.append(X)\ndZ2 = ({} - Y) / len(X)\ndW2 = A1.T @ dZ2\n"
    run = run_of(TANH_LINEAR)
    assert diagnose_code(text.format("zs[-2]"), run).right is True
    assert diagnose_code(text.format("zs[-3]"), run).first_wrong == 2
