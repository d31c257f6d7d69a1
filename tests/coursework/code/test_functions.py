"""Whole functions in the styles of public courses: right ones accepted, the planted line named."""

import pytest
from backward_functions import STYLES, planted, run_of
from held_out_functions import STYLES as HELD_OUT
from sampled import seldom

from jacobian_bp import diagnose_code

EVERY = {**STYLES, **HELD_OUT}
MISTAKES = [
    pytest.param(style, old, new, id=f"{name}: {new}")
    for name, style in STYLES.items()
    for old, new in style.mistakes
]
SLOW = ("loop with negative indices", "rows with a penalty")
QUICK = {name: style for name, style in STYLES.items() if name not in SLOW}
FIRST_OF_EACH = [
    (seldom if name in SLOW else pytest.param)(style, *style.mistakes[0], id=name)
    for name, style in STYLES.items()
]
NAMED_AT_LEAST = 0.85


REPORTS = {}  # of each text once: several tests look at the same report


def reported(style, text):
    if text not in REPORTS:
        REPORTS[text] = diagnose_code(text, run_of(style.network))
    return REPORTS[text]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", EVERY)
def test_a_right_function_is_accepted(name):
    report = reported(EVERY[name], EVERY[name].text)
    assert (report.right, report.first_wrong, report.ask) == (True, None, None)
    assert all(line.right is not False for line in report.lines)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("style", "old", "new"), FIRST_OF_EACH)
def test_the_line_of_a_planted_mistake_is_named(style, old, new):
    text, line = planted(style.text, old, new)
    report = reported(style, text)
    assert (report.right, report.first_wrong) == (False, line)
    assert [one.number for one in report.lines if one.right is False] == [line]


@pytest.mark.full
@pytest.mark.parametrize(("style", "old", "new"), MISTAKES)
def test_the_line_of_every_planted_mistake_is_named(style, old, new):
    text, line = planted(style.text, old, new)
    assert reported(style, text).first_wrong == line


@pytest.mark.full
def test_of_mistakes_written_after_the_reader_most_are_named_and_none_is_accepted():
    named = []
    for style in HELD_OUT.values():
        for old, new in style.mistakes:
            text, line = planted(style.text, old, new)
            report = reported(style, text)
            assert report.right is False
            named.append(report.first_wrong == line)
    assert len(named) >= 32
    assert sum(named) >= NAMED_AT_LEAST * len(named)


SOME = dict(list(QUICK.items())[::3])


@pytest.mark.parametrize("styles", [SOME, seldom(STYLES)], ids=["some", "all"])
def test_what_is_meant_is_accepted_in_the_place_of_the_wrong_line(styles):
    followed = 0
    for style in styles.values():
        old, new = style.mistakes[0]
        text, line = planted(style.text, old, new)
        wrong = next(one for one in reported(style, text).lines if one.number == line)
        if wrong.meant:
            lines = text.splitlines()
            lead = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
            lines[line - 1] = lead + wrong.meant
            assert reported(style, "\n".join(lines)).right is True, wrong.meant
            followed += 1
    assert followed >= len(styles) // 2
