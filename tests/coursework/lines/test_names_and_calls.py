"""diagnose_line reads names by their place, numpy's functions, Jacobians, penalties, any layer."""

import numpy as np
import pytest
from course_lines import LINEAR, ONE_SIGMOID, RELU, SHALLOW
from network_cases import refusal, run_of

from jacobian_bp import SpecError, diagnose_line
from jacobian_bp.coursework.lines.language import read_line
from jacobian_bp.coursework.lines.naming import Meaning, Names
from jacobian_bp.coursework.lines.respelled import respelled

BATCH = run_of([11, 7, 3, 2], 5)
ONE = run_of([11, 7, 3, 2], 0)
VALUES = ["x", "y", *(f"{k}{n}" for n in (1, 2, 3) for k in "Wbza"), "J"]


# ---------------------------------------------------------------- names

NAMES = [
    ("self.W1", Meaning("value", "W1")),
    ("cache['A1']", Meaning("value", "a1")),
    ("params['W2']", Meaning("value", "W2")),
    ("grads['W2']", Meaning("gradient", "W2")),
    ("grads['dW2']", Meaning("gradient", "W2")),
    ("activations[0]", Meaning("value", "x")),
    ("activations[-1]", Meaning("value", "a3")),
    ("activations[-l - 1]", Meaning("value", "a1")),
    ("zs[-l]", Meaning("value", "z2")),
    ("self.weights[-l + 1]", Meaning("value", "W3")),
    ("weights[0]", Meaning("value", "W1")),
    ("nabla_w[-l]", Meaning("gradient", "W2")),
    ("nabla_b[-1]", Meaning("gradient", "b3")),
    ("parameters['W' + str(l)]", Meaning("value", "W2")),
    ("W", Meaning("value", "W2")),
    ("A_prev", Meaning("value", "a1")),
    ("dA_prev", Meaning("gradient", "a1")),
    ("dZ", Meaning("gradient", "z2")),
    ("delta", Meaning("gradient", "z2")),
    ("dscores", Meaning("gradient", "z3")),
    ("l1_error", Meaning("gradient", "a1")),
    ("dJ_dW1", Meaning("gradient", "W1")),
    ("dLdz2", Meaning("gradient", "z2")),
    ("da1_dz1", Meaning("jacobian", "a1", "z1")),
    ("dz2da1", Meaning("jacobian", "z2", "a1")),
    ("cost", None),
    ("dataset", None),
    ("activations[7]", None),
    ("W9", None),
    ("l3_error", None),  # a − y of the output is no derivative of one value
]


@pytest.mark.parametrize(("text", "meaning"), NAMES)
def test_a_name_means_what_it_says(text, meaning):
    assert Names(VALUES, "J", layer=2).meaning(text) == meaning


def test_only_a_name_without_a_number_is_of_any_layer():
    names = Names(VALUES, "J", layer=2)
    generic = [text for text, _ in NAMES if names.is_generic(text)]
    assert generic == [
        "activations[-l - 1]",
        "zs[-l]",
        "self.weights[-l + 1]",
        "nabla_w[-l]",
        "parameters['W' + str(l)]",
        "W",
        "A_prev",
        "dA_prev",
        "dZ",
        "delta",
    ]


@pytest.mark.parametrize(
    ("text", "wanted", "word"),
    [
        ("A1", Meaning("value", "a2"), "A2"),
        ("A1", Meaning("value", "z1"), "Z1"),
        ("A1", Meaning("value", "x"), "X"),
        ("cache['A1']", Meaning("value", "a3"), "cache['A3']"),
        ("activations[-2]", Meaning("value", "a1"), "activations[-3]"),
        ("activations[1]", Meaning("value", "a2"), "activations[2]"),
        ("zs[-l]", Meaning("value", "z3"), "zs[-l + 1]"),
        ("delta2", Meaning("gradient", "z3"), "delta3"),
        ("dZ2", Meaning("gradient", "z1"), "dZ1"),
        ("hidden", Meaning("value", "a2"), "a2"),
    ],
)
def test_another_quantity_keeps_the_spelling(text, wanted, word):
    assert respelled(text, wanted, Names(VALUES, "J", layer=2)) == word


def test_what_cannot_be_placed_is_asked_for():
    known = (
        "  The line may read x, y, W1, b1, W2, b2, z1, a1, z2, a2, L, J, d1, d2;\n"
        "  p is the output, m the number of examples, n_1 the width of layer 1."
    )
    for word in ("cost", "upstream"):
        assert refusal(SpecError, diagnose_line, f"dW2 = {word} * A1", RELU) == (
            f"diagnose_line: which quantity is '{word}'? Nothing tells.\n{known}"
        )


# ---------------------------------------------------------------- numpy's functions


@pytest.mark.parametrize(
    "line",
    [
        "np.kron(np.eye(3), b1)",
        "np.kron(W2, b3)",
        "np.hstack((np.ones((m, 1)), a1))",
        "np.vstack((b2, W3))",
        "np.concatenate([b2[:, None], W2], axis=1)[:, 1:]",
        "np.column_stack((b2, b2 + 1))",
        "a1[::-1][:, 2]",
        "W2[-1]",
        "W2[1:, None, ::2]",
        "x[-1, 3]",
        "np.where(z1 > 0, z1, 0.01 * z1)",
        "np.maximum(0, z2) - np.minimum(z2, 0)",
        "z2.clip(0) + z2.clip(0, 0.1)",
        "np.clip(z2, None, 0.1)",
        "(z1 > 0).astype(int) + np.int64(z1 > 0) + a1.copy()",
        "z2.flatten()",
        "np.ravel(z2)",
        "z2.max(axis=1, keepdims=True)",
        "np.exp(z2) / np.sum(np.exp(z2), 1, keepdims=True)",
        "a1 / len(x) + x.shape[1] + W2.size",
        "np.sqrt(np.abs(z2)) - np.zeros_like(z2)",
        "np.negative(a2)",
    ],
)
def test_every_function_has_numpys_value(line):
    names = {"np": np, "m": 5} | {word: BATCH[word] for word in BATCH}
    expected = eval(line, names)
    np.testing.assert_allclose(diagnose_line(line, BATCH).value, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a2.t()", "a2.T"),
        ("d2.t().mm(a1)", "d2.T @ a1"),
        ("d2.sum(dim=0, keepdim=True)", "d2.sum(axis=0, keepdims=True)"),
        ("relu_backward(da1, z1)", "da1 * (z1 > 0)"),
        ("self.activation(self.z1)", "a1"),
        ("softmax(z2)", "np.exp(z2) / np.exp(z2).sum(axis=1, keepdims=True)"),
        ("sigmoid_prime(z1)", "sigmoid(z1) * (1 - sigmoid(z1))"),
        ("nonlin(a1, deriv=True)", "1.0 * (a1 > 0)"),
        ("activation_derivative(z1)", "slope(z1)"),
    ],
)
def test_what_is_not_numpys_has_the_value_that_its_name_says(line, value):
    found, expected = (diagnose_line(f"q = {one}", LINEAR).value for one in (line, value))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("x[9]", "[9]: there is no entry 9 of examples (5)."),
        ("x[0, 0, 0]", "[0, 0, 0] names 3 axes, the array has 2."),
        ("np.hstack((x, a1[1:]))", "np.hstack pairs examples (5) with an axis (4)."),
        ("np.hstack((x, b1))", "np.hstack takes arrays of as many axes each, not (5, 11), (7,)."),
        ("x[:0]", "[:0] leaves nothing of examples (5)."),
        ("x.shape[2] * x", "x.shape[2]: the array has 2 axes."),
        ("np.ones((0.5, 1))", "0.5 stands where a size does."),
    ],
)
def test_what_numpy_refuses_is_said_with_both_sides(line, why):
    report = diagnose_line(f"q = {line}", BATCH)
    assert not report.runs
    assert why.replace("an axis (4)", "mixed axis (4)") in report.sentences


@pytest.mark.parametrize(
    "line",
    [
        "self.W1", "cache['A1'].T @ dZ2", "activations[-2]", "zs[-l]", "len(x) * a1", "x.shape[0]",
        "np.hstack((a, b))", "np.concatenate((a, b), axis=1)", "np.ones((m, 1))", "np.eye(n_2)",
        "np.where(z > 0, a, 0)", "(z > 0).astype(float)", "np.int64(a > 0)", "x[:, 1:]", "x[::-1]",
        "relu_backward(dA1, Z1)", "nonlin(l1, deriv=True)", "a.copy() + b.t()", "d2.mm(a1)",
        "nonlin(l1, True)", "np.maximum(0, z)",
    ],
)  # fmt: skip
def test_a_line_is_shown_as_it_is_written(line):
    assert str(read_line(line).tree) == line


# ---------------------------------------------------------------- how a line is read


def test_a_slope_function_may_take_the_activation_and_that_is_said():
    line = "dz1 = da1 * sigmoid_derivative(a1)"
    report = diagnose_line(line, SHALLOW)
    assert report.right is True
    assert "sigmoid_derivative is read as a slope that takes the activation." in report.sentences
    assert diagnose_line(line.replace("(a1)", "(z1)"), SHALLOW).sentences[1:] == ()
    prime = diagnose_line("dz1 = da1 * sigmoid_prime(a1)", SHALLOW)
    assert (prime.right, prime.meant) == (False, "da1 * sigmoid_prime(z1)")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("da2_dz2 = np.diag(a2 * (1 - a2))", "the whole Jacobian, in the layout numerator"),
        ("dz3_da2 = W3.T", "the whole Jacobian, in the layout gradient"),
        ("dz2_dW2 = np.kron(np.eye(n_2), a1)", "the whole Jacobian, in the layout flat,"),
        ("dz2_dW2 = np.kron(a1, np.eye(n_2))", "the whole Jacobian, in the layout flat_column"),
        ("dz2_dW2 = a1", "the row of each unit's own weights in ∂z2/∂W2: the δ is left out"),
        ("dz2_db2 = ones_like(b2)", "the diagonal of ∂z2/∂b2: the δ is left out"),
        ("da2_dz1 = np.diag(a2 * (1 - a2)) @ W2 @ np.diag(a1 * (1 - a1))", "the whole Jacobian"),
    ],
)
def test_a_jacobian_is_right_in_a_layout_that_is_named(line, words):
    report = diagnose_line(line, ONE_SIGMOID)
    assert report.right is True
    assert any(sentence.startswith(f"It is {words}") for sentence in report.sentences)
    assert diagnose_line(line + " / 2", ONE_SIGMOID).right is False


@pytest.mark.parametrize("line", ["delta2 = Theta3[:, 1:].T @ delta3 * slope(z2)"])
def test_a_weight_may_hold_its_bias_in_front(line):
    report = diagnose_line(line, BATCH, examples="columns")
    assert report.right is True
    said = "Theta3 is read with its bias in front: Theta3[:, 1:] is the rest."
    assert said in report.sentences
    wrong = diagnose_line(line.replace("slope(z2)", "slope(z1)"), BATCH, examples="columns")
    assert (wrong.right, wrong.meant) == (None, line.partition(" = ")[2])
    other = diagnose_line(line.replace("1:", ":-1"), BATCH, examples="columns")
    assert other.right is not True


def test_the_cost_is_judged_as_the_cost():
    line = "cost = -np.sum(Y * np.log(A2)) / m"
    report = diagnose_line(line, RELU)
    assert (report.right, report.target) == (True, "J")
    assert diagnose_line(line.replace("-np", "np"), RELU).right is False


def test_what_is_no_step_has_a_jacobian_too():
    zero = diagnose_line("dz1_da2 = W2", ONE_SIGMOID)
    assert (zero.right, zero.sentences[1]) == (False, "Every entry of ∂z1/∂a2 is 0.")
    assert diagnose_line("dz2_dz2 = np.eye(n_2)", ONE_SIGMOID).right is True
    assert diagnose_line("dz2_dz2 = np.eye(n_3)", ONE_SIGMOID).right is False
    assert diagnose_line("dz2_dx = W2", SHALLOW).sentences[1] == (
        "It has shape (3, 5), ∂z2/∂x of a batch is one matrix for each example."
    )


def test_a_whole_jacobian_of_a_batch_is_that_of_one_example():
    report = diagnose_line("da1_dz1 = np.diag(a1 * (1 - a1))", SHALLOW)
    assert (report.right, report.value.shape) == (True, (5, 5))
    assert report.sentences[1] == "Read for the first example."
    message = refusal(SpecError, diagnose_line, "dz1 = da2_dz1 @ da2", SHALLOW)
    assert message.startswith("diagnose_line: ∂a2/∂z1 of a batch is one matrix for each example.")


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("dW2 = d2.T @ a1 + reg * W2", True),
        ("dW2 = d2.T @ a1 + 2 * lambd * W2 / m", True),
        ("dW2 += weight_decay * W2", True),
        ("dW2 = d2.T @ a1 - reg * W2", False),
        ("dW2 = d2.T @ a1 + reg * W2**2", False),
        ("dW2 = d2.T @ z1 + reg * W2", False),
        ("dW2 = reg * W2", False),
        ("db2 = d2.sum(axis=0) + reg * b1.sum()", False),
    ],
)
def test_a_penalty_adds_a_positive_multiple_of_its_parameter(line, right):
    report = diagnose_line(line, LINEAR)
    assert report.right is right
    assert any("is the share of a penalty with" in said for said in report.sentences) is right


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("dW1 += 2 * reg * W2", "2 * reg * W1"),
        ("dW2 += 3 * reg * W2", "reg * W2"),
        ("dW2 += reg * W2.T", "reg * W2"),
        ("dW1 += reg * b1", None),
        ("dW1 += reg", None),
    ],
)
def test_the_correction_of_a_penalty_keeps_its_number_and_its_weights(line, meant):
    report = diagnose_line(line, LINEAR)
    assert (report.right, report.meant) == (False, meant)
    if meant:
        assert diagnose_line(f"{line[:3]} += {meant}", LINEAR).right


def test_entries_that_are_set_to_zero_make_a_delta_of_the_activations_derivative():
    right = diagnose_line("da1[z1 <= 0] = 0", LINEAR)
    assert (right.right, right.target) == (True, "z1")
    assert right.sentences[1] == "From here da1 is ∂J/∂z1."
    wrong = diagnose_line("da1[z1 > 0] = 0", LINEAR)
    assert (wrong.right, wrong.meant) == (False, "da1[z1 < 0] = 0")
    assert wrong.sentences[1] == "From here da1 is meant to be ∂J/∂z1."
    assert diagnose_line(wrong.meant, LINEAR).right is True


# ---------------------------------------------------------------- corrections


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("dW2 = d2.dot(a1)", "d2.dot(a1.T)"),
        ("dW2 = a1.dot(d2)", "d2.dot(a1.T)"),
        ("dW2 = np.dot(d2, a1)", "np.dot(d2, a1.T)"),
        ("dW2 = d2 * a1", "d2 @ a1.T"),
        ("d2 = W3.dot(d3) * slope(z2)", "W3.T.dot(d3) * slope(z2)"),
        ("db2 = d3", "d2"),
    ],
)
def test_a_correction_of_one_column_keeps_its_rank(line, meant):
    report = diagnose_line(line, ONE, examples="columns")
    assert report.meant == meant
    left = line.partition(" = ")[0]
    corrected = diagnose_line(f"{left} = {meant}", ONE, examples="columns")
    assert corrected.value.shape == ONE[left[1:] if left[1].isalpha() else "z2"].shape + (
        () if left == "dW2" else (1,)
    )


def test_no_correction_is_right_by_broadcasting_alone():
    for line in ("dW2 = d2 * a1", "dW2 = a1 * d2", "dW2 = d2.T * a1", "dW2 = d2 * z1"):
        for layout in ("rows", "columns"):
            report = diagnose_line(line, ONE, examples=layout)
            assert " * " not in report.meant


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("z2 = a1 @ W2.T", "a1 @ W2.T + b2"),
        ("z2 = a1 @ W2.T + b3", "a1 @ W2.T + b2"),
        ("z2 = a1 @ W2 + b2", "a1 @ W2.T + b2"),
        ("z2 = z1 @ W2.T + b2", "a1 @ W2.T + b2"),
        ("z2 = x @ W2.T + b2", "a1 @ W2.T + b2"),
        ("z2 = a1 @ W3.T + b2", "a1 @ W2.T + b2"),
        ("a2 = relu(z2)", "tanh(z2)"),
        ("a2 = tanh(z1)", "tanh(z2)"),
        ("a2 = tanh(a1 @ W2.T)", "tanh(a1 @ W2.T + b2)"),
    ],
)
def test_a_wrong_forward_line_has_the_right_one(line, meant):
    report = diagnose_line(line, BATCH)
    assert report.right is not True
    assert report.meant == meant
