"""Functions that count z and a from the input, W from 1, and have no biases."""

import pytest
from backward_functions import SIGMOID_SQUARES, planted, run_of
from sampled import one_in

from jacobian_bp import Convention, diagnose_code

LINES = """\
z2 = X @ W1
a2 = sigmoid(z2)
z3 = a2 @ W2
yHat = sigmoid(z3)
delta3 = np.multiply(-(y-yHat), sigmoidPrime(z3))
dJdW2 = np.dot(a2.T, delta3)
delta2 = np.dot(delta3, W2.T)*sigmoidPrime(z2)
dJdW1 = np.dot(X.T, delta2)
"""
CLASS = """\
class Neural_Network(object):
    def forward(self, X):
        self.z2 = np.dot(X, self.W1)
        self.a2 = self.sigmoid(self.z2)
        self.z3 = np.dot(self.a2, self.W2)
        yHat = self.sigmoid(self.z3)
        return yHat
    def sigmoid(self, z):
        return 1/(1+np.exp(-z))
    def sigmoidPrime(self,z):
        return np.exp(-z)/((1+np.exp(-z))**2)
    def costFunctionPrime(self, X, y):
        self.yHat = self.forward(X)
        delta3 = np.multiply(-(y-self.yHat), self.sigmoidPrime(self.z3))
        dJdW2 = np.dot(self.a2.T, delta3)
        delta2 = np.dot(delta3, self.W2.T)*self.sigmoidPrime(self.z2)
        dJdW1 = np.dot(X.T, delta2)
        return dJdW1, dJdW2
"""
DECLARED = Convention(weights="in,out", first=2, names={"W{l-1}": "W"})
BARE = "It has no biases: judged with biases of 0."
COUNTED = "Its z and a are counted from the input as layer 1: z2 is z1 here."


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("text", "convention", "said"),
    [
        (LINES, None, (BARE, COUNTED)),
        (CLASS, None, (BARE, COUNTED)),
        (LINES, DECLARED, (BARE,)),
        (LINES, Convention(weights="in,out"), (BARE, COUNTED)),
        (LINES.replace("@ W1", "@ W1 + b1").replace("@ W2", "@ W2 + b2"), None, (COUNTED,)),
    ],
)
def test_it_is_right_and_how_it_is_read_is_said(text, convention, said):
    report = diagnose_code(text, run_of(SIGMOID_SQUARES), convention)
    assert (report.right, report.first_wrong) == (True, None)
    assert tuple(s for s in report.sentences if s in (BARE, COUNTED)) == said


MISTAKES = [
    ("sigmoidPrime(z2)", "sigmoidPrime(z3)"),
    ("sigmoidPrime(z2)", "z2"),
    ("(a2.T, delta3)", "(z2.T, delta3)"),
    ("-(y-yHat)", "(y-yHat)"),
    ("X @ W1", "2 * X @ W1"),
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("convention", "old", "new"),
    [
        *((DECLARED, *mistake) for mistake in MISTAKES),
        *one_in(3, [(None, *mistake) for mistake in MISTAKES]),
    ],
)
def test_a_mistake_in_it_is_named(convention, old, new):
    text, line = planted(LINES, old, new)
    report = diagnose_code(text, run_of(SIGMOID_SQUARES), convention)
    assert (report.right, report.first_wrong) == (False, line)


def test_one_bias_alone_makes_the_missing_one_a_mistake():
    report = diagnose_code(LINES.replace("@ W1", "@ W1 + b1"), run_of(SIGMOID_SQUARES))
    assert (report.right, report.first_wrong) == (False, 3)
