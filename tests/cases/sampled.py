"""Which cases of a parametrised test run always, and which with -m full only.

seldom(4, 5)                          this case of a list, with -m full only
one_in(3, CASES)                      every third of a list always
@pytest.mark.one_in(3)                one in three of all cases of a test, however they are made
"""

import random
from collections import defaultdict

import pytest


def seldom(*values, id=None):
    """A case like others that run always."""
    return pytest.param(*values, id=id, marks=pytest.mark.full)


def one_in(step, cases, first=0):
    """Of many cases alike every so manyth runs always, the others seldom."""
    return [each if number % step == first else _seldom(each) for number, each in enumerate(cases)]


def _seldom(case):
    if type(case) is type(pytest.param()):
        return seldom(*case.values, id=case.id)
    return seldom(*case) if type(case) is tuple else seldom(case)


def mark_the_others_full(items):
    """Of each test marked one_in, the cases that are not drawn become `full`."""
    alike = defaultdict(list)
    for item in items:
        mark = item.get_closest_marker("one_in")
        if mark is not None and item.get_closest_marker("full") is None:
            alike[item.nodeid.partition("[")[0], mark.args[0]].append(item)
    for (name, step), cases in alike.items():
        always = drawn(name.rpartition("::")[2], len(cases), step)
        for place, case in enumerate(cases):
            if place not in always:
                case.add_marker(pytest.mark.full)


def drawn(name, count, step):
    """The places of one case in `step`, at least of one, drawn by the name of their test.

    Not every so manyth: of cases that two lists make together that may be a single one of either.

    >>> sorted(drawn("test_a_sum_is_right", 12, 4)), sorted(drawn("test_a_sum_is_right", 2, 4))
    ([3, 6, 11], [1])
    """
    return set(random.Random(name).sample(range(count), -(-count // step)))
