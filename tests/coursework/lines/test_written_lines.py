"""Lines as courses write them: read, right, and of the value that numpy itself gives."""

import numpy as np
import pytest
from network_cases import refusal
from written_lines import CASES, LINES, RUNS

from jacobian_bp import diagnose_line
from jacobian_bp.coursework.lines.laid_out import Told
from jacobian_bp.coursework.lines.language import read_line
from jacobian_bp.coursework.lines.tree import names, render
from jacobian_bp.coursework.lines.values import Values
from jacobian_bp.coursework.lines.workspace import Workspace
from jacobian_bp.derivation.convention import Convention
from jacobian_bp.errors import SpecError


def report_of(name, examples, weights, line):
    if weights == "out,in":
        return diagnose_line(line, RUNS[name], examples=examples)
    told = Convention(examples=examples, weights=weights)
    return diagnose_line(line, RUNS[name], convention=told)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("key", LINES, ids=lambda key: key[0])
def test_a_right_line_is_read_and_right(key):
    for name, examples, weights, line in CASES:
        if (name, (examples, weights)) == key:
            report = report_of(name, examples, weights, line)
            assert report.right is True, f"{line}: {report}"


def test_there_are_enough_of_them():
    assert len({line for *_, line in CASES}) >= 80


@pytest.mark.parametrize("key", LINES, ids=lambda key: key[0])
def test_a_line_has_the_value_and_the_text_that_python_gives(key):
    """What is read is printed as Python that gives the same array."""
    for name, examples, weights, line in CASES:
        if (name, (examples, weights)) != key or "expit" in line or "sigmoid" in line:
            continue
        told = Told(columns=examples == "columns", turned=weights == "in,out")
        space = Workspace(RUNS[name].forward_pass, told=told)
        tree = read_line(line).tree
        if any(space.is_unknown(word) or "Theta" in word for word in names(tree)):
            continue
        arrays = {word: space.read(word)[0] for word in names(tree)} | {"np": np}
        arrays |= {word: int(arrays[word]) for word in ("m",) if word in arrays}
        found = Values(space).of(tree)
        right = eval(render(tree), dict(arrays))  # a line of ours, in plain Python
        assert found.array.shape == np.shape(right), line
        assert found.array.shape == tuple(axis.size for axis in found.axes), line
        np.testing.assert_allclose(found.array, right, rtol=1e-12, atol=1e-12, err_msg=line)


WRONG = [
    ("relu", ("rows", "in,out"), "dZ1 = dA1 * np.heaviside(-Z1, 0)"),
    ("relu", ("rows", "in,out"), "dZ1 = np.tensordot(dZ2, W2, axes=(1, 1)) * (Z1 < 0)"),
    ("relu", ("rows", "in,out"), "dW2 = np.tensordot(dZ2, A1, axes=([0], [0]))"),
    ("relu", ("rows", "in,out"), "Z2 = np.c_[A1, np.ones(m)] @ np.r_[b2[None, :], W2]"),
    ("sigmoid", ("rows", "out,in"), "dTheta2 = d2.T.dot(np.insert(a1, 0, 0, axis=1))"),
    ("sigmoid", ("rows", "out,in"), "d1 = d2.dot(np.delete(Theta2, 1, 1)) * (a1 * (1 - a1))"),
    ("sigmoid", ("rows", "out,in"), "a1 = np.reciprocal(1 - np.exp(-z1))"),
    ("tanh", ("columns", "out,in"), "dZ1 = np.dot(W2.T, dZ2) / np.sinh(Z1)**2"),
    ("tanh", ("columns", "out,in"), "dW1 = np.inner(X, dZ1)"),
    ("one", ("rows", "out,in"), "dW2 = np.multiply.outer(a1, d2)"),
    ("one", ("rows", "out,in"), "loss = np.linalg.norm(a2 - y)"),
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("name", "told", "line"), WRONG)
def test_a_mistake_in_such_a_line_is_no_right_line(name, told, line):
    assert report_of(name, *told, line).right is not True


REFUSED = [
    (
        "np.insert(a1, 0)",
        "np.insert is not given what it takes.\n  Write such as np.insert(a1, 0, 1, axis=1).",
    ),
    (
        "np.tensordot(d2)",
        "np.tensordot is not given what it takes.\n"
        "  Write such as np.tensordot(d2, a1, axes=(0, 0)).",
    ),
    (
        "a1.swapaxes(0)",
        "a1.swapaxes is not given what it takes.\n  Write such as np.swapaxes(d2, 0, 1).",
    ),
    (
        "np.transpose(a1, (2, 0, 1))",
        "the order (2, 0, 1) is not read here.\n  Write .T, or np.swapaxes(d2, 0, 1).",
    ),
    (
        "np.var(a1, ddof=1)",
        "np.var takes no ddof here.\n  Only sums and means take axis and keepdims.",
    ),
]


@pytest.mark.parametrize(("line", "message"), REFUSED)
def test_what_is_not_given_what_it_takes_is_refused_with_what_to_write(line, message):
    said = refusal(SpecError, diagnose_line, line, RUNS["sigmoid"])
    assert said == f"diagnose_line: {message}"


BREAKS = [
    ("db2 = np.delete(d2, 9, axis=1)", "np.delete(d2, 9, axis=1): there is no entry 9."),
    ("db2 = d2.squeeze(1)", "d2.squeeze(1): units of layer 2 (3) has not size 1."),
    ("db2 = np.expand_dims(d2, 4)", "np.expand_dims(d2, 4): the array has 3 axes."),
    (
        "db2 = np.vdot(d2, a1)",
        "np.vdot(d2, a1) pairs all entries: 33 with 55.",
    ),
    (
        "db2 = np.tensordot(d2, a1, axes=(3, 0))",
        "np.tensordot(d2, a1, axes=(3, 0)): axes names an axis that an array does not have.",
    ),
    (
        "db2 = np.tensordot(d2, a1, axes=1)",
        "the letter b is both units of layer 2 (3) and examples (11).",
    ),
]


@pytest.mark.parametrize(("line", "sentence"), BREAKS)
def test_a_line_that_numpy_refuses_breaks_with_the_reason(line, sentence):
    report = diagnose_line(line, RUNS["sigmoid"])
    assert report.runs is False
    assert sentence in report.sentences, str(report)
