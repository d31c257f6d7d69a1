"""diagnose_line on lines of public courses: right ones are right, their mistakes are named."""

import pytest
from course_lines import OTHERWISE, STYLES
from held_out_lines import OTHERWISE as HELD_OUT_OTHERWISE
from held_out_lines import STYLES as HELD_OUT
from line_cases import is_read, judged, names_the_cause

LEAST_READ = LEAST_RIGHT = 0.95
LEAST_NAMED = 0.85
RIGHT = [(style, lines[0]) for style in STYLES.values() for lines in style.lines]
PLANTED = [
    pytest.param(style, lines[0], wrong, id=f"{name}: {wrong}")
    for name, style in STYLES.items()
    for lines in style.lines
    for wrong in lines[1:]
]
FIRST_OF_EACH = [
    next(case for case in PLANTED if case.id.startswith(f"{name}: ")) for name in STYLES
]
BY_A_SUM = "fast.ai: dw1 = (x[:, :, None] * dz1[:, :, None]).sum(0)"  # mended, in another way


@pytest.mark.one_in(6)
@pytest.mark.parametrize("name", STYLES)
def test_every_right_line_is_read_and_called_right(name):
    for right, *_ in STYLES[name].lines:
        assert judged(STYLES[name], right).right is True, right


def test_there_are_as_many_lines_as_the_figures_ask_for():
    own = [right for style, right in RIGHT if style not in _found()]
    assert len(own) >= 60
    assert len(PLANTED) >= 100


def _found():
    return [style for name, style in STYLES.items() if name.startswith("found")]


def _named(style, right, wrong):
    report = judged(style, wrong)
    assert report.right is not True
    return names_the_cause(report, right, wrong, OTHERWISE)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("style", "right", "wrong"), FIRST_OF_EACH)
def test_a_planted_mistake_is_named(style, right, wrong):
    assert _named(style, right, wrong)


@pytest.mark.full
@pytest.mark.parametrize(
    ("style", "right", "wrong"), [case for case in PLANTED if case.id != BY_A_SUM]
)
def test_every_planted_mistake_is_named(style, right, wrong):
    assert _named(style, right, wrong)


@pytest.mark.full
def test_of_lines_that_the_reader_was_not_made_on_most_are_read_and_no_mistake_is_called_right():
    read = [is_read(s, lines[0]) for s in HELD_OUT.values() for lines in s.lines]
    right = [
        is_read(s, lines[0]) and judged(s, lines[0]).right is True
        for s in HELD_OUT.values()
        for lines in s.lines
    ]
    named = []
    for style in HELD_OUT.values():
        for first, *wrongs in style.lines:
            for wrong in wrongs:
                report = judged(style, wrong)
                assert report.right is not True, wrong
                named.append(names_the_cause(report, first, wrong, HELD_OUT_OTHERWISE))
    assert sum(read) >= LEAST_READ * len(read)
    assert sum(right) >= LEAST_RIGHT * len(right)
    assert sum(named) >= LEAST_NAMED * len(named)
