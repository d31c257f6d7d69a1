"""diagnose_line on what students often write: other layers' slopes, labels, signs, +=."""

import numpy as np
import pytest
from network_cases import refusal, run_of
from sampled import seldom

from jacobian_bp import Convention, Network, SpecError, diagnose, diagnose_line
from jacobian_bp.coursework.lines.language import read_line
from jacobian_bp.coursework.lines.simplify import negated
from jacobian_bp.reference import second_seed
from jacobian_bp.writing.notebook import WHOLE_WORDS

RNG = np.random.default_rng(5)
README = second_seed().run(RNG.standard_normal((11, 3)), RNG.integers(0, 2, 11))
SQUARE = run_of([5, 5, 5, 5], 7, "relu")
BCE = run_of([7, 5, 3, 2], 11, ["relu", "tanh", "sigmoid"], "bce")
SOFTMAX = run_of([7, 5, 3], 11, ["tanh", "softmax"], "cross_entropy")
RUNS = {"readme": README, "square": SQUARE}


# ---------------------------------------------------------------- slope-at-activation


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("d2 = d3 @ W3 * slope({})", "z2"),
        ("d1 = d2 @ W2 * slope({})", "z1"),
        ("d1 = slope({}) * (d2 @ W2)", "z1"),
    ],
)
@pytest.mark.parametrize("wrong", ["z1", "z2", "z3"])
def test_a_slope_is_meant_at_its_preactivation(name, line, own, wrong):
    """Never at the activation: relu'(a2) = relu'(z2) is an accident of relu."""
    if wrong == own:
        assert diagnose_line(line.format(own), RUNS[name]).right is True
        return
    report = diagnose_line(line.format(wrong), RUNS[name])
    assert report.right is not True
    assert report.meant == line.format(own).partition(" = ")[2]
    assert f"(slope({own}) for slope({wrong}))" in str(report)


def test_a_slope_at_an_activation_is_right_for_a_rectifier_and_told_so():
    report = diagnose_line("d2 = d3 @ W3 * slope(a2)", README)
    assert str(report) == (
        "d2 = d3 @ W3 * slope(a2): right. It is ∂J/∂z2, shape (11, 2).\n"
        "  slope(a2) equals slope(z2) for a rectifier only: the slope belongs at z2."
    )
    assert diagnose_line("d2 = d3 @ W3 * slope(a2)", BCE).meant == "d3 @ W3 * slope(z2)"


# ---------------------------------------------------------------- the label of a mistake


TWICE = "d3 = (a3 - y) * a3 * (1 - a3) / m"
ENTRY_BY_ENTRY = "d2 = -y / a2 * a2 * (1 - a2) / m"


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("run", "line", "label", "examples"),
    [
        (BCE, TWICE, "extra-output-slope", "columns"),
        (SOFTMAX, TWICE.replace("3", "2"), "extra-output-slope", "rows"),
        (SOFTMAX, ENTRY_BY_ENTRY, "softmax-as-elementwise", "rows"),
        seldom(BCE, TWICE, "extra-output-slope", "rows"),
        seldom(SOFTMAX, TWICE.replace("3", "2"), "extra-output-slope", "columns"),
        seldom(SOFTMAX, ENTRY_BY_ENTRY, "softmax-as-elementwise", "columns"),
    ],
)
def test_wrong_numbers_have_the_label_that_diagnose_gives(run, line, label, examples):
    report = diagnose_line(line, run, examples=examples)
    fused = f"(a{line[1]} - y) / m"
    assert (report.right, report.meant, report.label) == (False, fused, label)
    handed_in = report.value if examples == "rows" else report.value.T
    found = diagnose(run, {report.target: handed_in})[report.target]
    assert found.label == label
    *said, meant = report.sentences[1:]
    assert said[-len(found.sentences) :] == list(found.sentences)
    assert meant == f"Meant for ∂J/∂{report.target}: {fused}   (written anew)"
    assert diagnose_line(line.replace("(1 - a", "(1.3 - a"), run).label != label


def test_the_output_slope_twice_is_explained():
    report = diagnose_line("d3 = (a3 - y) * a3 * (1 - a3) / m", BCE)
    assert report.sentences[0] == (
        "d3 = (a3 - y) * a3 * (1 - a3) / m: runs, but gives wrong numbers for ∂J/∂z3, "
        "in the right shape."
    )
    assert report.sentences[1].startswith("In the delta of z3 (layer 3) the slope of the output ")


def test_a_mistake_is_looked_for_in_the_step_of_the_line():
    """The delta that the line reads is right: what is wrong is what the line does with it."""
    report = diagnose_line("d2 = d3 @ W3 * a1.sum()", BCE)
    assert not any("delta of z3" in sentence for sentence in report.sentences)


def test_without_a_label_there_is_what_is_proved():
    rows = diagnose_line("d3 = (a3 - y)**2 + a3", BCE)
    assert (rows.right, rows.label) == (False, "unknown")
    assert len(rows.sentences) > 1


def test_the_other_slope_at_a_kink_is_no_mistake():
    net = Network.dense([5, 3, 2], "relu", seed=2)
    net = net.with_params({"b1": np.zeros(3), "b2": np.ones(2)})
    x = RNG.standard_normal((7, 5))
    x[3] = 0
    run = net.run(x, RNG.standard_normal((7, 2)))
    assert (run["z1"][3] == 0).all()
    report = diagnose_line("d1 = d2 @ W2 * (z1 >= 0)", run)
    assert (report.right, report.label) == (True, None)
    assert "rectifier is exactly at 0" in str(report)
    assert diagnose_line("d1 = d2 @ W2 * (z1 >= 0.1)", run).right is False


# ---------------------------------------------------------------- corrections without ornaments


@pytest.mark.parametrize(
    ("line", "other_sign"),
    [
        ("-d2.T @ a1", "d2.T @ a1"),
        ("-(d2.T @ a1)", "d2.T @ a1"),
        ("(y - a3) / m", "(a3 - y) / m"),
        ("-d2.sum(axis=0)", "d2.sum(axis=0)"),
        ("np.sum(-d2, axis=0)", "np.sum(d2, axis=0)"),
        ("(y - a3).T", "(a3 - y).T"),
        ("-1 * d2", "d2"),
        ("x * -y", "x * y"),
        ("x @ (a - b)", "x @ (b - a)"),
        ("x @ y", "-(x @ y)"),
        ("-x + y", "-(-x + y)"),
        ("(-x)**2", "-(-x)**2"),
    ],
)
def test_the_other_sign_is_written_where_it_is_shortest(line, other_sign):
    tree = read_line(line).tree
    assert str(negated(tree)) == other_sign
    assert read_line(str(negated(tree))).tree == negated(tree)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("line", "meant", "why"),
    [
        ("dW2 = -d2.T @ a1", "d2.T @ a1", "the other sign"),
        ("d3 = (y - a3) / m", "(a3 - y) / m", "the other sign"),
        ("db2 = -np.sum(d2, axis=0)", "np.sum(d2, axis=0)", "the other sign"),
        ("dW2 = d2.T @ a1 / 2", "d2.T @ a1", "not divided by 2"),
        ("dW2 = d2.T @ a1 / (2 * m)", "d2.T @ a1", "not divided by 2 * m"),
        ("dW2 = 2 * d2.T @ a1", "d2.T @ a1", "without 2"),
    ],
)
def test_a_correction_is_as_one_would_write_it(line, meant, why):
    report = diagnose_line(line, BCE)
    assert report.meant == meant
    assert report.sentences[2] == f"Meant for ∂J/∂{report.target}: {meant}   ({why})"


def test_a_number_alone_is_no_correction():
    assert diagnose_line("dJ = 2", BCE).meant is None


# ---------------------------------------------------------------- left of the = sign


def test_what_is_added_is_judged():
    report = diagnose_line("dW2 += d2.T @ a1", BCE)
    assert str(report) == (
        "dW2 += d2.T @ a1: right. It is ∂J/∂W2, shape (3, 5).\n"
        "  += adds what stands right of it: that is what is judged."
    )
    assert diagnose_line("dW2 += d2.T @ z1", BCE).meant == "d2.T @ a1"


@pytest.mark.parametrize(
    ("line", "shown", "instead"),
    [
        ("W2 -= 0.1 * dW2", "W2 -=", "Write a step of the derivation, as in dW2 = d2.T @ a1."),
        ("d2 *= slope(z2)", "d2 *=", "Write a step of the derivation, as in dW2 = d2.T @ a1."),
        ("2 * dW2 = d2.T @ a1", "2 * dW2 =", "Write a name there, as in dW2 = d2.T @ a1."),
        ("W2 - dW2 += d2.T @ a1", "W2 - dW2 +=", "Write a name there, as in dW2 = d2.T @ a1."),
    ],
)
def test_what_is_no_name_is_refused(line, shown, instead):
    message = refusal(SpecError, diagnose_line, line, BCE)
    assert message == f"diagnose_line: '{shown}' is not read here.\n  {instead}"


def test_a_name_that_the_run_does_not_have():
    said = "The run has no W9: a line may be for dW1, db1, dW2, db2, dW3, db3, d1, d2, … 9 in all."
    assert str(diagnose_line("dW9 = a1", BCE)) == (
        "dW9 = a1: runs, and gives shape (11, 5): examples × units of layer 1.\n"
        f"  {said}\n"
        "  What it is meant for is not clear: name it in front, as in dW2 = d2.T @ a1."
    )
    other = diagnose_line("dW9 = d2.T @ a1", BCE)
    assert (other.right, other.target) == (False, "W2")
    assert str(other) == (
        "dW9 = d2.T @ a1: gives ∂J/∂W2, shape (3, 5), and is not dW9.\n"
        f"  {said}\n  Meant for ∂J/∂W2: dW2 = d2.T @ a1"
    )
    assert diagnose_line("dW2 = d2.T @ a1", BCE).right is True
    from_0 = diagnose_line("dW0 = d1.T @ x", BCE)
    assert (from_0.right, from_0.sentences[1]) == (True, "Counted from 0: W0 is W1 here.")
    assert diagnose_line("dW0 = d2.T @ a1", BCE).right is False
    for line in ("dW0 = d1.T @ x", "dW0 = d2.T @ a1"):
        assert diagnose_line(line, BCE, convention=Convention()).right is False
    message = refusal(SpecError, diagnose_line, "dW1 = d7", BCE, convention=Convention(first=0))
    assert message.startswith("diagnose_line: no value is named 'd7'.")
    assert diagnose_line("d9 = d2 @ W2", BCE).sentences[1].startswith("The run has no z9")
    for own in ("back = a1", "dW2 = d2.T @ a1", "z2 = a1 @ W2.T + b2", "m = a1"):
        assert not any("The run has no" in said for said in diagnose_line(own, BCE).sentences)


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("np.cbrt(a1)", "np.cbrt is not read here."),
        ("np.squares(a1)", "np.squares is not read here. Did you mean np.square?"),
        ("np.zeros(a1)", "np.zeros is not read here. A line is one formula: nothing is filled in."),
        ("np.heavyside(z1, 0)", "np.heavyside is not read here. Did you mean np.heaviside?"),
        ("np.dott(a1, d1)", "np.dott is not read here. Did you mean np.dot?"),
        ("np.cross(a1, d1)", "np.cross is not read here."),
        ("np.cumprod(a1)", "np.cumprod is not read here."),
        ("tan(a1)", "tan() is not read here. Did you mean tanh()?"),
        ("sine(a1)", "sine() is not read here. There is no sine among the functions."),
        ("np.sin(a1)", "np.sin is not read here. There is no sine among the functions."),
        ("kronecker(a1)", "kronecker() is not read here."),
    ],
)
def test_a_guess_is_a_near_one(line, said):
    message = refusal(SpecError, diagnose_line, line, BCE)
    assert message.splitlines()[0] == f"diagnose_line: {said}"
    assert max(map(len, message.splitlines())) <= 99


def test_a_mixed_axis_is_explained():
    assert (
        str(diagnose_line("np.outer(x, a1)", BCE, target="W1"))
        .splitlines()[0]
        .startswith("np.outer(x, a1): runs, but gives another array")
    )
    report = diagnose_line("d1 = np.outer(x, x) @ a1", BCE)
    assert report.sentences[1] == "np.outer(x, x) has shape (77, 77): mixed × mixed"
    assert report.sentences[3:5] == (
        "@ sums the left's last axis with the right's first: mixed axis (77), examples (11).",
        "A mixed axis runs through several at once, after a reshape or np.outer.",
    )
    assert "mixed" not in str(diagnose_line("d1 = x @ a1", BCE)).lower()


def test_one_number_is_called_it():
    assert str(diagnose_line("J = np.sum(L)", BCE)) == (
        "J = np.sum(L): runs, but gives a wrong number for J.\n"
        "  It is m times the right one, m = 11.\n"
        "  Meant for J: np.mean(L)   (mean for sum)"
    )
    assert diagnose_line("J = log(J - 100)", BCE).sentences[1] == "It is not finite."


def test_a_report_shows_itself_in_a_notebook():
    report = diagnose_line("dW2 = d2.T @ (a1 > 0)", BCE)
    assert repr(report) == "<LineReport of dW2 = d2.T @ (a1 > 0)>"
    assert report._repr_html_().startswith(
        f"{WHOLE_WORDS}dW2 = d2.T @ (a1 &gt; 0): runs, but gives"
    )


def test_a_correction_is_never_cut_off():
    report = diagnose_line("dW9 += np.outer(x, a1) @ d2.T * slope(z2)", BCE, target="W2")
    assert any(line.startswith("  Meant for ∂J/∂W2: ") for line in str(report).splitlines())


def test_the_diagonal_of_a_matrix_is_told():
    said = str(diagnose_line("d1 = (d2 @ W2) * np.diag(slope(z1))", BCE))
    m, units = BCE["z1"].shape
    assert m != units
    assert (
        f"np.diag(slope(z1)) is the diagonal of an array of shape ({m}, {units}): "
        "np.diag makes a matrix of a 1-D array only."
    ) in " ".join(said.split())
    assert "pairs" not in said
    assert "only because" not in said


def test_a_caret_is_no_power():
    with pytest.raises(SpecError) as error:
        diagnose_line("d1 = d2 @ W2 * (1 - a1^2)", BCE)
    assert str(error.value) == (
        "diagnose_line: character 23 is '^' (U+005E, CIRCUMFLEX ACCENT).\n"
        "  For a power write **, as in a2**2."
    )
