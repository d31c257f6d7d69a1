"""diagnose_line on what courses write: 1/m, columns, np.einsum, loss and activation as one."""

import numpy as np
import pytest
from line_cases import suggestion
from network_cases import run_of

from jacobian_bp import Network, diagnose_line
from jacobian_bp.coursework.lines.edits import _candidates
from jacobian_bp.coursework.lines.goal import Goal
from jacobian_bp.coursework.lines.language import read_line
from jacobian_bp.coursework.lines.workspace import Workspace

BATCH = run_of([11, 7, 3, 2], 5, "tanh")
ONE = run_of([11, 7, 3, 2], 0, "tanh")
BCE = run_of([7, 5, 2], 11, ["tanh", "sigmoid"], "bce")
ONE_BCE = run_of([7, 5, 2], 0, ["tanh", "sigmoid"], "bce")
SOFTMAX = run_of([7, 5, 3], 11, ["tanh", "softmax"], "cross_entropy")
RNG = np.random.default_rng(61)
EACH = "It is right if {} is ∂L/∂{} of each example, without the 1/m of the mean."


# ---------------------------------------------------------------- 1/m


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("line", "layout"),
    [
        ("dW2 = 1/m * np.dot(dz2, a1.T)", "columns"),
        ("dW2 = (1/m) * dz2 @ a1.T", "columns"),
        ("dW2 = np.dot(dz2, a1.T) * 1 / m", "columns"),
        ("db2 = 1/m * np.sum(dz2, axis=1)", "columns"),
        ("dW2 = dz2.T @ a1 * (1/m)", "rows"),
        ("db2 = np.mean(dz2, axis=0)", "rows"),
    ],
)
def test_a_gradient_with_1_m_is_right_for_deltas_without_it(line, layout):
    report = diagnose_line(line, BATCH, examples=layout)
    assert report.right is True
    assert EACH.format("dz2", "z2") in report.sentences
    without = diagnose_line(line.replace("mean", "sum").replace("/m", "").replace("/ m", ""), BATCH)
    assert EACH.format("dz2", "z2") not in without.sentences


@pytest.mark.parametrize(("run", "line"), [(BCE, "d2 = p - y"), (SOFTMAX, "dZ2 = A2 - Y")])
def test_a_delta_without_1_m_is_right_for_gradients_with_it(run, line):
    report = diagnose_line(line, run)
    assert report.right is True
    shape = f"({', '.join(map(str, run['z2'].shape))})"
    assert report.sentences == (
        f"{line}: right. It is ∂L/∂z2 of each example, shape {shape}.",
        "The 1/m of the mean then belongs in the gradients.",
    )
    assert diagnose_line(f"{line} / 2", run).right is False
    assert len(diagnose_line(line.replace("= ", "= (") + ") / m", run).sentences) == 1


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("run", "line"),
    [
        (BATCH, "dW2 = d2.T @ a1 / 2"),  # another factor
        (BATCH, "dW2 = a1.T @ d2 / m**2"),  # the transpose, too
        (BATCH, "d2 = d3 @ W3 * slope(z2) / m"),  # a delta: it would have the 1/m once too often
        (BCE, "dW2 = ((p - y) / m).T @ a1 / m"),  # no delta is read by name
        (BATCH, "dW2 = d2.T @ z1"),
    ],
)
def test_else_1_m_is_not_excused(run, line):
    report = diagnose_line(line, run)
    assert report.right is False
    assert not any(sentence.startswith("It is right if") for sentence in report.sentences)


def test_where_the_cost_is_no_mean_1_m_is_not_excused():
    net = Network.program(
        "z1 = Linear(x, W1, b1)",
        "L = SquaredError(z1, y)",
        "J = Sum(L)",
        params={"W1": np.random.default_rng(3).standard_normal((2, 3)), "b1": np.ones(2)},
    )
    run = net.run(np.random.default_rng(4).standard_normal((5, 3)), np.zeros((5, 2)))
    report = diagnose_line("dW1 = d1.T @ x / m", run)
    assert report.sentences[1] == "Every entry is 1/m times the right one, m = 5."
    assert EACH.format("d1", "z1") not in report.sentences


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("dW1 = x.T @ d1 / m", "d1.T @ x / m"),
        ("dW1 = np.dot(x.T, d1) / m", "np.dot(d1.T, x) / m"),
    ],
)
def test_a_transposed_product_over_m_keeps_its_m(line, meant):
    turned = "x for x.T, d1.T for d1, the operands the other way round"
    assert suggestion(line, BATCH) == f"{meant}   ({turned})"
    said = "d1 is read as ∂L/∂z1 of each example, without the 1/m of the mean."
    assert said in diagnose_line(line, BATCH).sentences


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("dW2 = d2.T @ a1 * m", "d2.T @ a1   (without m)"),
        ("dW2 = 2/m * (d2.T @ a1)", "d2.T @ a1   (without 2 / m)"),
        ("dW2 = (d2.T @ a1).T", "d2.T @ a1   (without .T)"),
        (
            "dW1 = 2 * (x.T @ d1)",
            "d1.T @ x   (without 2; x for x.T, d1.T for d1, the operands the other way round)",
        ),
        ("db2 = d2.T", "d2.sum(axis=0)   (without .T; summed over the examples)"),
    ],
)
def test_what_is_too_much_is_left_out(line, meant):
    assert suggestion(line, BATCH) == meant


# ---------------------------------------------------------------- sums


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("np.sum(dz2, axis=0)", "np.sum(dz2, axis=1, keepdims=True)   (axis=1, keepdims=True)"),
        ("dz2.sum(axis=0)", "dz2.sum(axis=1, keepdims=True)   (axis=1, keepdims=True)"),
        ("np.sum(dz2)", "np.sum(dz2, axis=1, keepdims=True)   (axis=1, keepdims=True)"),
        ("np.sum(dz2, axis=0, keepdims=True)", "np.sum(dz2, axis=1, keepdims=True)   (axis=1)"),
    ],
)
def test_a_sum_in_columns_is_kept(line, meant):
    assert suggestion(f"db2 = {line}", BATCH, "columns") == meant


def test_a_sum_in_rows_is_kept():
    assert suggestion("db2 = np.sum(d2, axis=1)", BATCH) == "np.sum(d2, axis=0)   (axis=0)"
    assert suggestion("db2 = np.sum(d2, axis=1, keepdims=True)", BATCH) == (
        "np.sum(d2, axis=0)   (axis=0, no keepdims)"
    )


# ---------------------------------------------------------------- one example


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        (
            "d2 = W3.T @ d3[:, None] * slope(z2)",
            "W3.T @ d3 * slope(z2)   (without [:, None])",
        ),
        ("da2 = W3 @ d3", "W3.T @ d3   (W3.T for W3)"),
        ("da2 = d3 @ W3.T", "d3 @ W3   (W3 for W3.T)"),
        ("da2 = np.dot(W3, d3)", "np.dot(W3.T, d3)   (W3.T for W3)"),
        ("z2 = W2.T @ a1 + b2", "W2 @ a1 + b2   (W2 for W2.T)"),
        ("dW2 = d2[:, None] @ a1", "d2[:, None] * a1   (* for @)"),
        ("dW2 = a1[:, None] @ d2[None, :]", "np.outer(d2, a1)   (np.outer, in this order)"),
    ],
)
def test_one_example_has_the_smallest_change(line, meant):
    assert suggestion(line, ONE) == meant


def test_a_product_is_changed_once():
    """Never np.outer for @, and @ for that np.outer."""
    workspace = Workspace(ONE.forward_pass)
    tree, goal = read_line("W3.T @ d3[:, None]").tree, Goal("a2")
    whys = [edit.why for edit in _candidates(tree, goal, workspace)]
    assert "np.outer for @" in whys
    assert "W3 for W3.T; without [:, None]" in whys
    assert not [why for why in whys if "for np.outer" in why]


# ---------------------------------------------------------------- loss and activation as one


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("run", "line", "meant"),
    [
        (BCE, "d2 = (a2 - y) * a2 * (1 - a2)", "(a2 - y) / m"),
        (BCE, "d2 = -y / p / m", "(p - y) / m"),
        (BCE, "dZ2 = (A2 - Y) * A2 * (1 - A2)", "(A2 - Y) / m"),
        (SOFTMAX, "d2 = -y / p / m", "(p - y) / m"),
        (SOFTMAX, "d2 = -y / a2", "(a2 - y) / m"),
        (ONE_BCE, "d2 = (a2 - y) * a2 * (1 - a2)", "a2 - y"),
    ],
)
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_the_delta_of_the_output_is_offered(run, line, meant, layout):
    assert suggestion(line, run, layout) == f"{meant}   (written anew)"


def test_without_a_fused_loss_it_is_not():
    report = diagnose_line("d3 = (a3 - y) * a3 * (1 - a3) / m", BATCH)
    assert (report.right, report.meant) == (False, None)
    assert diagnose_line("d1 = (a2 - y) * a1.sum()", BCE).meant != "(a2 - y) / m"


# ---------------------------------------------------------------- einsum


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        (
            'dW1 = np.einsum("ni,nk->ik", x, d1)',
            'np.einsum("ni,nk->ki", x, d1)   (->ki for ->ik)',
        ),
        ('dW1 = np.einsum("ni,nk", x, d1)', 'np.einsum("ni,nk->ki", x, d1)   (->ki put in)'),
        ('da2 = np.einsum("nk,ik->ni", d3, W3)', 'np.einsum("nk,ki->ni", d3, W3)   (ki for ik)'),
    ],
)
def test_einsum_keeps_its_name(line, meant):
    assert suggestion(line, BATCH) == meant


def test_a_transpose_is_called_so_once():
    stacked = diagnose_line('dW1 = np.einsum("ni,nk->nik", x, d1).sum(axis=0)', BATCH)
    assert (stacked.label, stacked.meant) == ("transposed", "d1.T @ x")
    assert str(stacked).count("transpose") == 1
    assert str(diagnose_line('dW1 = np.einsum("ni,nk->ik", x, d1)', BATCH)) == (
        'dW1 = np.einsum("ni,nk->ik", x, d1): runs, but gives another array than ∂J/∂W1.\n'
        "  It is the transpose of ∂J/∂W1, of shape (11, 7).\n"
        '  Meant for ∂J/∂W1: np.einsum("ni,nk->ki", x, d1)   (->ki for ->ik)\n'
        "  With W (inputs, outputs) this line is right."
    )


def test_a_derivative_divided_by_m_in_place_is_one_that_lacks_the_1_of_m_before():
    of_each = "It is right if {} is ∂L/∂{} of each example before it."
    summed = "It is right if {} is a sum over the examples before it."
    for line, says in (
        ("dscores /= N", of_each.format("dscores", "z2")),
        ("dZ1 /= len(X)", of_each.format("dZ1", "z1")),
        ("dW2 /= X.shape[0]", summed.format("dW2")),
    ):
        report = diagnose_line(line, SOFTMAX)
        assert (report.right, report.sentences[1]) == (True, says), line
    for line, meant in (("dW2 /= 2", "dW2 /= m"), ("dZ1 /= m**2", "dZ1 /= m")):
        wrong = diagnose_line(line, SOFTMAX)
        assert (wrong.right, wrong.meant) == (False, meant)
        assert diagnose_line(meant, SOFTMAX).right is True
    assert diagnose_line("dW2 /= m", SOFTMAX, convention="ng").right is True
    assert diagnose_line("dZ2 /= m", SOFTMAX, convention="ng").right is False
    lines = ("z2 = Linear(x, W2, b2)", "L = HalfSquaredError(z2, y)", "J = Sum(L)")
    params = {"W2": RNG.normal(size=(3, 7)), "b2": RNG.normal(size=3)}
    summed = Network.program(*lines, params=params)
    run = summed.run(RNG.normal(size=(5, 7)), RNG.normal(size=(5, 3)))
    assert diagnose_line("dW2 = dz2.T @ x", run).right is True
    assert diagnose_line("dW2 /= m", run).right is False
