"""Gradients that are averaged where they are handed out, in each way that people write it."""

import pytest
from backward_functions import run_of

from jacobian_bp import diagnose_code

RUN = run_of(([3, 7, 1], ["tanh", "sigmoid"], "bce"))
SUMS = """\
def backward(self, X, Y):
    m = len(X)
    d2 = self.A2 - Y
    dW2 = self.A1.T @ d2
    db2 = d2.sum(axis=0)
    d1 = (d2 @ self.W2.T) * (1 - self.A1 ** 2)
    dW1 = X.T @ d1
    db1 = d1.sum(axis=0)
"""
ENDS = [
    "return dW1 / m, db1 / m, dW2 / m, db2 / m",
    "return [dW1 / m, db1 / m, dW2 / m, db2 / m]",
    "return {'dW1': dW1 / m, 'db1': db1 / m, 'dW2': dW2 / m, 'db2': db2 / m}",
    "return [g / m for g in (dW1, db1, dW2, db2)]",
    "return tuple(g / m for g in (dW1, db1, dW2, db2))",
    "grads = [g / m for g in [dW1, db1, dW2, db2]]\n    return grads",
    "dW1, db1, dW2, db2 = [g / m for g in (dW1, db1, dW2, db2)]\n    return dW1, db1, dW2, db2",
    "for g in (dW1, db1, dW2, db2):\n        g /= m\n    return dW1, db1, dW2, db2",
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("end", ENDS)
def test_the_mean_is_taken_at_the_end(end):
    report = diagnose_code(f"{SUMS}    {end}\n", RUN)
    assert (report.right, report.first_wrong) == (True, None), str(report)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("end", ENDS)
def test_a_wrong_line_before_it_is_named(end):
    wrong = SUMS.replace("dW1 = X.T @ d1", "dW1 = X.T @ d2 @ self.W2.T")
    report = diagnose_code(f"{wrong}    {end}\n", RUN)
    assert (report.right, report.first_wrong) == (False, 7), str(report)


def test_one_that_is_left_out_of_the_mean_is_named():
    report = diagnose_code(f"{SUMS}    return [g / m for g in (dW1, db1, dW2)] + [db2]\n", RUN)
    assert report.right is not True
    report = diagnose_code(f"{SUMS}    return dW1 / m, db1 / m, dW2 / m, db2\n", RUN)
    assert (report.right, report.first_wrong) == (False, 5), str(report)
