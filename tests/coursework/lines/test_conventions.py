"""diagnose_line and diagnose_code in a writer's convention: names, axes, the place of the 1/m."""

import numpy as np
import pytest
from lines_in import Lines, drawn
from sampled import seldom

from jacobian_bp import Convention, Network, SpecError, diagnose_code, diagnose_line

RNG = np.random.default_rng(71)
NET = Network.dense([3, 7, 5, 2], "tanh", "half_squared_error", seed=4)
RUN = NET.run(RNG.normal(size=(11, 3)), RNG.normal(size=(11, 2)))
BINARY = Network.dense([2, 5, 1], ["tanh", "sigmoid"], "bce", seed=2)
NG = BINARY.run(RNG.normal(size=(7, 2)), [0, 1, 1, 0, 1, 0, 1])
THETA = Convention(weights="in,out", first=2, names={"Theta{l-1}": "W", "err{l}": "delta"})
PAIR = "dZ2 = {}\ndW2 = {}\ndZ1 = np.dot(W2.T, dZ2) * (1 - A1**2)\ndW1 = {}\n"


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", range(8))
def test_a_right_line_is_right_and_a_mistake_keeps_its_label_in_every_convention(seed):
    convention = drawn(np.random.default_rng(seed))
    lines = Lines(convention)
    for line in lines.right():
        report = diagnose_line(line, RUN, convention=convention)
        assert report.right, (convention, str(report))
        assert report.line.split(" = ")[0] == line.split(" = ")[0]
    other_m = "" if lines.by_m else " / m"
    factor = "batch-mean-twice" if other_m else "missing-batch-mean"
    for line, label, said in [
        (lines.back(slope=" * 1"), "missing-slope", f"slope({lines.z2})"),
        (lines.weight(read=lines.z1), "preactivation-for-activation", lines.a1),
        (lines.weight(turned=not lines.turned), "transposed", lines.d2),
        (lines.weight(by_m=other_m), factor, lines.d2),
    ]:
        report = diagnose_line(line, RUN, convention=convention)
        assert (report.right, report.label) == (False, label), (convention, line, str(report))
        assert said in (report.meant or ""), (convention, str(report))


def test_a_mistake_is_told_in_the_writer_s_names_and_numbers():
    assert str(diagnose_line("dTheta2 = z2.T @ err3", RUN, convention=THETA)) == (
        "dTheta2 = z2.T @ err3: runs, but gives wrong numbers for ∂J/∂Theta2, in the right shape.\n"
        "  Meant for ∂J/∂Theta2: a2.T @ err3   (a2 for z2)"
    )
    assert str(diagnose_line("err3 = err4 @ Theta3", RUN, convention=THETA)) == (
        "err3 = err4 @ Theta3: breaks at err4 @ Theta3.\n"
        "  err4 has shape (11, 2): examples × units of layer 4\n"
        "  Theta3 has shape (5, 2): units of layer 3 × units of layer 4\n"
        "  @ sums the left's last axis with the right's first: units of layer 4 (2), units of "
        "layer 3 (5).\n"
        "  Meant for ∂J/∂z3: err4 @ Theta3.T * slope(z3)   (Theta3.T for Theta3; slope(z3) put "
        "in)\n"
        "  numpy lets it pass if layers 3 and 4 are equally wide: right shape, wrong numbers."
    )


@pytest.mark.parametrize(
    ("line", "right", "label"),
    [
        ("dZ2 = A2 - Y", True, None),
        ("dW2 = 1/m * np.dot(dZ2, A1.T)", True, None),
        ("dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))", True, None),
        ("db1 = 1/m * np.sum(dZ1, axis=1, keepdims=True)", True, None),
        ("dZ2 = (A2 - Y) / m", False, "batch-mean-twice"),
        ("dW2 = np.dot(dZ2, A1.T)", False, "missing-batch-mean"),
    ],
)
def test_the_1_m_stands_where_the_convention_has_it(line, right, label):
    report = diagnose_line(line, NG, convention="ng")
    assert (report.right, report.label) == (right, label)


def test_what_a_delta_is_said_to_be_is_what_the_convention_makes_it():
    report = diagnose_line("dZ2 = A2 - Y", NG, convention="ng")
    assert str(report) == "dZ2 = A2 - Y: right. It is ∂L/∂Z2 of each example, shape (1, 7)."
    assert diagnose_line("dZ2 = (A2 - Y) / m", NG, convention=Convention("columns")).right


def test_a_pair_of_lines_has_the_1_m_once():
    once = ("A2 - Y", "np.dot(dZ2, A1.T) / m", "np.dot(dZ1, X.T) / m")
    twice = ("(A2 - Y) / m", *once[1:])
    nowhere = ("A2 - Y", "np.dot(dZ2, A1.T)", "np.dot(dZ1, X.T)")
    found = [diagnose_code(PAIR.format(*lines), NG, "ng") for lines in (once, twice, nowhere)]
    assert [(report.right, report.first_wrong) for report in found] == [
        (True, None),
        (False, 1),
        (False, 2),
    ]
    assert diagnose_code(PAIR.format(*twice), NG).right is False


def test_a_function_is_read_and_told_in_its_writer_s_names():
    text = (
        "def back(self, X, Y):\n"
        "    err4 = (self.a4 - Y) * (1 - self.a4**2) / m\n"
        '    grads["dTheta3"] = self.a3.T @ err4\n'
        "    err3 = err4 @ self.Theta3.T * (1 - self.z3**2)\n"
        '    grads["dTheta2"] = self.a2.T @ err3\n'
    )
    report = diagnose_code(text, RUN, THETA)
    assert (report.right, report.first_wrong, report.convention) == (False, 4, THETA)
    assert report.lines[2].text == "err3 = err4 @ self.Theta3.T * (1 - self.z3**2)"
    assert report.lines[2].meant == "err3 = err4 @ self.Theta3.T * (1 - self.a3 ** 2)"
    assert diagnose_code(text.replace("z3", "a3"), RUN, THETA).right


@pytest.mark.parametrize(
    ("line", "convention", "message"),
    [
        ("W1 * 2", THETA,
         "diagnose_line: W1 is of no layer in this convention, whose first weights are Theta1.\n"
         "  Write the layers' numbers as the convention counts them."),
        ("dW1 * 2", THETA,
         "diagnose_line: dW1 is of no layer in this convention, whose first weights are Theta1.\n"
         "  Write the layers' numbers as the convention counts them."),
    ],
)  # fmt: skip
def test_what_a_convention_does_not_reach_is_refused(line, convention, message):
    with pytest.raises(SpecError) as raised:
        diagnose_line(line, RUN, convention=convention)
    assert str(raised.value) == message


PROBABLE = Network.dense([3, 7, 5], ["relu", "softmax"], "cross_entropy", seed=4)
CLASSED = PROBABLE.run(RNG.normal(size=(11, 3)), np.eye(5)[RNG.integers(0, 5, 11)])


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("line", "wrong", "convention"),
    [
        ("dA1 = np.dot(W2.T, dZ2)", "dA1 = np.dot(W2.T, dZ2) / m", "ng"),
        ("dZ1 = np.multiply(dA1, np.int64(A1 > 0))", "dZ1 = np.multiply(dA1, np.int64(A1))", "ng"),
        ("dA1 = np.dot(W2.T, dZ2)", "dA1 = dZ2", Convention("columns", names={"dZ{l}": "delta"})),
        ("dA1 = np.dot(dZ2, W2.T)", "dA1 = np.dot(dZ2, W2)", "cs231n"),
        ("grad_a1 = np.dot(dscores, W2.T)", "grad_a1 = np.dot(scores, W2.T)", "cs231n"),
        ("dZ1 = np.where(Z1 > 0, dA1, 0)", "dZ1 = np.where(Z1 > 0, A1, 0)", "cs231n"),
        ("dA1[Z1 <= 0] = 0", "dA1[Z1 >= 0] = 0", "cs231n"),
        ("da2 = w3.T @ delta3", "da2 = w3.T @ z3", "nielsen"),
        ("da2_dz2 = (z2 > 0)", "da2_dz2 = (z2 < 0)", "nielsen"),
    ],
)
def test_a_derivative_by_an_activation_is_read_where_only_the_delta_has_a_name(
    line, wrong, convention
):
    report = diagnose_line(line, CLASSED, convention=convention)
    assert report.right, str(report)
    assert not diagnose_line(wrong, CLASSED, convention=convention).right


def test_a_function_with_a_derivative_by_an_activation_is_read_in_ng_s_names():
    text = (
        "dZ2 = A2 - Y\ndW2 = np.dot(dZ2, A1.T) / m\ndA1 = np.dot(W2.T, dZ2)\n"
        "dZ1 = np.multiply(dA1, np.int64(A1 > 0))\ndW1 = np.dot(dZ1, X.T) / m\n"
    )
    assert diagnose_code(text, CLASSED, "ng").right
    wrong = diagnose_code(text.replace("A1 > 0", "A1 < 0"), CLASSED, "ng")
    assert (wrong.right, wrong.first_wrong) == (False, 4)


DEEP = Network.dense([3, 7, 5, 2], "sigmoid", "half_squared_error", seed=4)
DRAWN = RNG.normal(size=(11, 3)), RNG.random(size=(11, 2))
NIELSEN = """\
def backprop(self, x, y):
    nabla_b = [np.zeros(b.shape) for b in self.biases]
    nabla_w = [np.zeros(w.shape) for w in self.weights]
    activation = x
    activations = [x]
    zs = []
    for b, w in zip(self.biases, self.weights):
        z = np.dot(w, activation)+b
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    delta = self.cost_derivative(activations[-1], y) * sigmoid_prime(zs[-1])
    nabla_b[-1] = delta
    nabla_w[-1] = np.dot(delta, activations[-2].transpose())
    for l in range(2, self.num_layers):
        delta = np.dot(self.weights[-l+1].transpose(), delta) * sigmoid_prime(zs[-l])
        nabla_b[-l] = delta
        nabla_w[-l] = np.dot(delta, activations[-l-1].transpose())
"""


@pytest.mark.parametrize(
    ("convention", "examples"),
    [("nielsen", slice(0, 11)), ("ng", slice(4, 5)), ("nielsen", 6)],
)
def test_a_text_for_one_example_has_no_1_m_of_a_mean(convention, examples):
    report = diagnose_code(NIELSEN, DEEP.run(*(array[examples] for array in DRAWN)), convention)
    assert report.right, str(report)
    assert report.sentences[1] == "Read as one example as a column, W (outputs, inputs)."


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("activations[-l-1]", "activations[-l]", 18),
        ("delta) * sigmoid_prime(zs[-l])", "delta)", 16),
        ("nabla_b[-1] = delta", "nabla_b[-1] = delta * 2", 13),
    ],
)
def test_a_mistake_in_a_text_for_one_example_is_found_in_its_convention(right, wrong, line):
    report = diagnose_code(NIELSEN.replace(right, wrong), DEEP.run(*DRAWN), "nielsen")
    assert (report.right, report.first_wrong) == (False, line)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("examples", [slice(0, 11), slice(4, 5), 6], ids=["batch", "one", "vector"])
def test_nielsen_s_nabla_is_of_one_example_unless_its_line_counts_them(examples):
    run = DEEP.run(*(array[examples] for array in DRAWN))
    for line, wrong in [
        ("nabla_b[-1] = delta", "nabla_b[-1] = activations[-1]"),
        ("nabla_b[-1] = delta.mean(axis=1, keepdims=True)", "nabla_b[-1] = delta.mean()"),
        ("nabla_w[-l] = np.dot(delta, activations[-l-1].T)", "nabla_w[-l] = delta * 2"),
        ("nabla_w[-2] = np.dot(delta3, activations[-3].T) / m", "nabla_w[-2] = delta3 / m"),
    ]:
        report = diagnose_line(line, run, convention="nielsen")
        assert report.right, str(report)
        assert not diagnose_line(wrong, run, convention="nielsen").right


def test_what_is_read_for_one_example_is_said():
    run = DEEP.run(*DRAWN)
    assert str(diagnose_line("nabla_b[-1] = delta", run, convention="nielsen")) == (
        "nabla_b[-1] = delta: right. It is ∂C/∂b^4, shape (2, 1).\n"
        "  Read for layer 4.\n"
        "  Read for one example, the first: nabla_b[-1] is a derivative of its loss. The 1/m of "
        "the mean\n"
        "    comes where the examples are added up."
    )
    short = diagnose_line("dw4 = np.dot(delta4, a3.T)", run, convention="nielsen")
    assert (short.right, short.label) == (False, "missing-batch-mean")


ONES = {"first": "np.ones((m, 1)), a1", "last": "a1, np.ones((m, 1))"}


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("bias", "weights", "examples"),
    [
        ("first", "out,in", "rows"),
        ("last", "in,out", "rows"),
        ("last", "out,in", "columns"),
        ("first", "in,out", "columns"),
        seldom("last", "out,in", "rows"),
        seldom("first", "in,out", "rows"),
        seldom("first", "out,in", "columns"),
        seldom("last", "in,out", "columns"),
    ],
)
def test_a_line_is_read_with_the_bias_in_w(bias, weights, examples):
    convention = Convention(examples, weights, bias=bias)
    ones, rest = f"np.hstack([{ONES[bias]}])", "1:" if bias == "first" else ":-1"
    if examples == "columns":
        ones = f"np.vstack([{ONES[bias]}])".replace("(m, 1)", "(1, m)")
    outer, forward = f"d2.T @ {ones}", f"{ones} @ W2.T"
    back = f"d2 @ W2[:, {rest}]" if weights == "out,in" else f"d2 @ W2[{rest}].T"
    if weights == "in,out":
        outer, forward = f"{ones}.T @ d2", f"{ones} @ W2"
    if examples == "columns":
        outer = f"d2 @ {ones}.T" if weights == "out,in" else f"{ones} @ d2.T"
        forward = f"W2 @ {ones}" if weights == "out,in" else f"W2.T @ {ones}"
        back = f"W2[:, {rest}].T @ d2" if weights == "out,in" else f"W2[{rest}] @ d2"
    for line in (f"dW2 = {outer}", f"z2 = {forward}", f"d1 = {back} * (1 - a1**2)"):
        report = diagnose_line(line, RUN, convention=convention)
        assert report.right, (convention, str(report))
        other = line.replace("a1", "z1")
        assert diagnose_line(other, RUN, convention=convention).right is False
        swapped = Convention(examples, weights, bias="last" if bias == "first" else "first")
        assert diagnose_line(line, RUN, convention=swapped).right is False


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("line", "convention", "meant"),
    [
        ("d1 = d2 @ W2 * (1 - a1**2)", Convention(bias="first"),
         "d2 @ W2[:, 1:] * (1 - a1**2)   (W2[:, 1:] for W2)"),
        ("d1 = W2 @ d2 * (1 - a1**2)", Convention("columns", "in,out", bias="last"),
         "W2[:-1] @ d2 * (1 - a1**2)   (W2[:-1] for W2)"),
        ("dW2 = d2.T @ a1", Convention(bias="first"),
         "d2.T @ np.hstack((np.ones((m, 1)), a1))   (ones put beside a1)"),
        ("dW2 = a1 @ d2.T", Convention("columns", "in,out", bias="last"),
         "np.vstack((a1, np.ones((1, m)))) @ d2.T   (ones put beside a1)"),
    ],
)  # fmt: skip
def test_a_correction_knows_where_the_bias_stands(line, convention, meant):
    report = diagnose_line(line, RUN, convention=convention)
    value = "z1" if line.startswith("d1") else "W2"
    assert f"Meant for ∂J/∂{value}: {meant}" in report.sentences, str(report)
    mended = f"{line.split(' = ')[0]} = {report.meant}"
    assert diagnose_line(mended, RUN, convention=convention).right
    assert not any("mixed" in said for said in report.sentences)


@pytest.mark.parametrize("line", ["d2 = (a2 - y) / m", "d2 = a2 - y"])
def test_the_place_of_the_bias_does_not_touch_a_delta(line):
    reports = [
        diagnose_line(line, NG, convention=Convention(bias=b, mean="delta"))
        for b in ("first", "own")
    ]
    assert reports[0].right is ("/ m" in line)
    assert str(reports[0]) == str(reports[1])


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("line", "right", "said"),
    [
        ("dTheta2 = d2.T @ np.hstack([np.ones((m, 1)), A1])", True, "first"),
        ("dTheta2 = d2.T @ np.hstack([np.ones((m, 1)), A1]) / m", True, "first"),
        ("Theta2_grad = d2.T @ np.hstack([A1, np.ones((m, 1))])", True, "last"),
        ("Theta2_grad = d2.T @ np.hstack([np.ones((m, 1)), Z1])", False, "first"),
        ("dTheta2 = d2.T @ A1", True, None),
        ("dW2 = d2.T @ np.hstack([np.ones((m, 1)), A1])", False, None),
    ],
)
def test_theta_with_a_column_more_has_its_bias_and_that_is_said(line, right, said):
    report = diagnose_line(line, RUN)
    name = line.split(" = ")[0]
    says = f"{name} is read with the gradient of the bias as its {said} column."
    assert (report.right, says in report.sentences) == (right, said is not None), str(report)


def test_examples_against_the_convention_is_refused():
    with pytest.raises(SpecError) as raised:
        diagnose_line("d2", RUN, examples="rows", convention="ng")
    assert str(raised.value) == (
        "diagnose_line: examples is 'rows', and the convention has them in columns.\n"
        "  Leave one of the two out."
    )
