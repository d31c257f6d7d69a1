"""Of a test marked one_in(n) one case in n runs always, and none is lost."""

import pytest
from sampled import drawn, mark_the_others_full


class Case:
    """What is asked of an item of pytest: its name, and its marks."""

    def __init__(self, nodeid, *marks):
        self.nodeid, self.marks = nodeid, [mark.mark for mark in marks]

    def get_closest_marker(self, name):
        return next((mark for mark in self.marks if mark.name == name), None)

    def add_marker(self, mark):
        self.marks.append(mark.mark)

    @property
    def runs_always(self):
        return self.get_closest_marker("full") is None


def cases(test, count, *marks):
    return [Case(f"tests/t.py::{test}[{number}]", *marks) for number in range(count)]


def test_of_cases_alike_one_in_n_runs_always_and_the_others_are_full():
    sampled, few = (
        cases("test_a", 11, pytest.mark.one_in(3)),
        cases("test_b", 1, pytest.mark.one_in(3)),
    )
    plain, slow = cases("test_c", 5), cases("test_a", 7, pytest.mark.one_in(3), pytest.mark.full)
    mark_the_others_full([*slow, *sampled, *plain, *few])
    always = [number for number, case in enumerate(sampled) if case.runs_always]
    assert always == sorted(drawn("test_a", 11, 3))
    assert len(always) == 4
    assert few[0].runs_always
    assert all(case.runs_always for case in plain)
    assert not any(case.runs_always for case in slow)
    assert [len(case.marks) for case in slow] == [2] * 7


def test_tests_of_one_name_in_two_files_are_sampled_each_by_itself():
    here, there = (cases("test_a", 2, pytest.mark.one_in(2)) for _ in range(2))
    for case in there:
        case.nodeid = case.nodeid.replace("t.py", "u.py")
    mark_the_others_full([*here, *there])
    assert [sum(case.runs_always for case in part) for part in (here, there)] == [1, 1]


@pytest.mark.parametrize("step", [2, 3, 5])
def test_the_sample_is_the_same_each_time_and_no_row_of_two_lists(step):
    """Of 5 values with 6 each, every step-th case would be of one row where step divides 5 or 6."""
    places = drawn("test_a", 30, step)
    assert places == drawn("test_a", 30, step) != drawn("test_b", 30, step)
    assert len(places) == 30 // step
    assert len({place % 5 for place in places}) > 1 < len({place % 6 for place in places})
