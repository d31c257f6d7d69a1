"""Which cases of a parametrised test run always, and which with -m full only."""

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
