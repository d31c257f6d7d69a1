"""How a text is read: layouts, names, runs, penalties, what is asked for, what is refused."""

import warnings

import numpy as np
import pytest
from backward_functions import (
    RELU_CLASSES,
    SIGMOID_SQUARES,
    STYLES,
    TANH_BINARY,
    TANH_CLASSES,
    TANH_LINEAR,
    planted,
    run_of,
)
from sampled import seldom

from jacobian_bp import Convention, DomainError, Network, SpecError, diagnose_code
from jacobian_bp.coursework.code.limits import LANGUAGE

ROWS, COLUMNS = Convention("rows", "in,out"), Convention("columns", "out,in")
LINES = [  # right lines as networks written from scratch have them
    (RELU_CLASSES, ROWS, "dZ2 = (A2 - Y) / len(X)"),
    (RELU_CLASSES, ROWS, "dZ2 = A2 - Y"),
    (RELU_CLASSES, ROWS, "dW2 = np.dot(A1.T, dZ2) / m"),
    (RELU_CLASSES, ROWS, "dW2 = np.dot(self.A1.T, dZ2) / m"),
    (RELU_CLASSES, ROWS, "dW2 = A1.T @ dZ2"),
    (RELU_CLASSES, ROWS, "dA1 = np.dot(dZ2, W2.T)"),
    (RELU_CLASSES, ROWS, "dZ1 = dA1 * relu_derivative(Z1)"),
    (RELU_CLASSES, ROWS, "dZ1 = np.dot(dZ2, W2.T) * (Z1 > 0)"),
    (RELU_CLASSES, ROWS, "dW1 = np.dot(X.T, dZ1) / X.shape[0]"),
    (RELU_CLASSES, ROWS, "dZ1 = np.where(Z1 > 0, dA1, 0)"),
    (RELU_CLASSES, ROWS, "dA1[Z1 <= 0] = 0"),
    (RELU_CLASSES, ROWS, "dW2 = np.dot(A1.T, dZ2) + reg * W2"),
    (RELU_CLASSES, ROWS, "dW2 += reg * W2"),
    (TANH_CLASSES, COLUMNS, "dW2 = np.dot(dZ2, cache['A1'].T) / m"),
    (TANH_CLASSES, COLUMNS, "dW2 = np.dot(dZ2, A1.T) / m + lambd * W2 / m"),
    (RELU_CLASSES, COLUMNS, "dZ1 = np.multiply(dA1, np.int64(A1 > 0))"),
]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("network", "convention", "line"), LINES)
def test_a_right_line_by_itself_is_right(network, convention, line):
    run = run_of(network)
    assert diagnose_code(line, run, convention).right is True
    assert diagnose_code(line, run).right is True


@pytest.mark.parametrize("examples", ["rows", "columns"])
@pytest.mark.parametrize("weights", ["out,in", "in,out"])
def test_the_layout_is_told_from_the_lines(examples, weights):
    right = {
        ("rows", "out,in"): ("dZ2.T @ A1", "dZ2 @ W2", "dZ1.T @ X", 0),
        ("rows", "in,out"): ("A1.T @ dZ2", "dZ2 @ W2.T", "X.T @ dZ1", 0),
        ("columns", "out,in"): ("dZ2 @ A1.T", "W2.T @ dZ2", "dZ1 @ X.T", 1),
        ("columns", "in,out"): ("A1 @ dZ2.T", "W2 @ dZ2", "X @ dZ1.T", 1),
    }[examples, weights]
    text = (
        f"m = X.shape[{right[3]}]\ndZ2 = (A2 - Y) / m\ndW2 = {right[0]}\n"
        f"dZ1 = {right[1]} * (1 - A1**2)\ndW1 = {right[2]}\n"
    )
    report = diagnose_code(text, run_of(TANH_LINEAR))
    assert (report.right, report.convention) == (True, Convention(examples, weights))


def test_a_run_at_which_a_mistake_could_pass_is_replaced_by_one_at_which_it_cannot():
    net = Network.dense([2, 2, 2], ["relu", "identity"], "half_squared_error", seed=3)
    text = "m = X.shape[0]\ndZ2 = (A2 - Y) / m\ndW2 = dZ2 @ A1\ndZ1 = dZ2 @ W2 * (Z1 > 0)\n"
    for x, y in (([1.0, 2.0], [0.0, 1.0]), (np.ones((2, 2)), np.eye(2))):
        report = diagnose_code(text, net.run(x, y))
        assert (report.right, report.first_wrong) == (False, 3)
        assert report.sentences[2] == (
            "Judged on 5 random examples and random weights of widths 3-7-2: at the run's own "
            "sizes or numbers a mistake could pass."
        )
        assert diagnose_code(text.replace("dZ2 @ A1", "dZ2.T @ A1"), net.run(x, y)).right is True


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("width", "dtype", "examples"),
    [
        (width, dtype, examples)
        if (place + number + (dtype is np.float32)) % 2
        else seldom(width, dtype, examples)
        for place, width in enumerate([4, 7, 60])
        for dtype in (np.float32, np.float64)
        for number, examples in enumerate([1, 4, 5])
    ],
)
def test_a_right_function_is_right_on_any_run(width, dtype, examples):
    style = STYLES["rows with keepdims"]
    net = Network.dense([4, width, 2], *style.network[1:], seed=1, dtype=dtype)
    rng = np.random.default_rng(2)
    x = rng.standard_normal((examples, 4)).astype(dtype)
    y = np.eye(2, dtype=dtype)[rng.integers(0, 2, examples)]
    run = net.run(x, y)
    assert diagnose_code(style.text, run).right is True
    text, line = planted(style.text, *style.mistakes[2])
    assert diagnose_code(text, run).first_wrong == line
    assert run["z1"].dtype == dtype


def test_every_gradient_of_a_summed_cost_is_right_and_that_is_said():
    text = "dZ2 = A2 - Y\ndW2 = dZ2.T @ A1\ndZ1 = dZ2 @ W2 * (1 - A1**2)\ndW1 = dZ1.T @ X\n"
    report = diagnose_code(text, run_of(TANH_LINEAR))
    assert report.right is True
    assert report.sentences[-1] == (
        "Every gradient is m = 5 times the run's: right for a cost summed over the examples."
    )
    text = text.replace("dW1 = dZ1.T @ X", "dW1 = dZ1.T @ X / len(X)")
    assert diagnose_code(text, run_of(TANH_LINEAR)).right is False


def test_what_follows_from_a_wrong_line_is_credited():
    style = STYLES["columns with a cache"]
    text, line = planted(style.text, "dZ2 = A2 - Y", "dZ2 = A2 + Y")
    report = diagnose_code(text, run_of(style.network))
    assert str(report).splitlines()[0] == (
        f"Line {line} is the first wrong one; 10 others are right, given its right value."
    )


def test_two_lines_that_contradict_each_other_are_both_named():
    text = "dW2 = A1.T @ dZ2\ndZ1 = dZ2 @ W2 * (1 - A1 ** 2)\n"
    report = diagnose_code(text, run_of(TANH_LINEAR))
    assert (report.right, report.first_wrong) == (False, None)
    assert report.sentences[0] == "Lines 1 and 2 contradict each other."
    assert diagnose_code(text, run_of(TANH_LINEAR), Convention("rows", "out,in")).first_wrong == 1
    assert diagnose_code(text, run_of(TANH_LINEAR), Convention("rows", "in,out")).first_wrong == 2


ADDED = " * W is added to the gradients of W2, W1: a cost with "
PENALISED = "dW2 = dZ2.T @ A1 + {0}\ndW1 = dZ1.T @ X + {1}\n"


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("second", "first", "let", "line", "sentence"),
    [
        ("reg * W2", "reg * W1", None, None, f"reg{ADDED}reg."),
        ("2 * reg * W2", "2 * reg * W1", {"reg": 0.01}, None, f"2 * reg{ADDED}reg."),
        ("c * W2", "c * W1", {"c": 0.25}, None, f"c{ADDED}c."),
        ("reg * W2", "reg * W1 ** 2", None, 2, "What reg adds is no multiple of W1."),
        ("reg * W2", "-reg * W1", None, 2, "What reg adds has the other sign than reg * W1."),
        ("reg * W2", "3 * reg * W1", None, 2, "reg * W1 is added 3 times, reg * W2 1 times."),
        ("reg * W2", "0", None, 2, "reg penalises W2, and not W1."),
    ],
)  # fmt: skip
def test_a_penalty_is_a_multiple_of_w_the_same_in_every_layer(second, first, let, line, sentence):
    report = diagnose_code(PENALISED.format(second, first), run_of(TANH_LINEAR), let=let)
    assert report.first_wrong == line
    assert report.right is (line is None)
    of_line = [s for one in report.lines for s in one.sentences]
    assert sentence in (*report.sentences, *of_line)


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ("dZ2 = A2 - Y", "dZ2 = Y - A2",
         ("dZ2 is −m (m = 5) times ∂J/∂z2; the lines after it need m (m = 5) times ∂J/∂z2.",
          "Meant: dZ2 = A2 - Y   (the other sign)")),
        ("dW2 = np.dot(dZ2, A1.T) / m", "dW2 = np.dot(dZ2, A1.T)",
         ("dW2 is m (m = 5) times ∂J/∂W2.", "Meant: dW2 = np.dot(dZ2, A1.T) / m   (divided by m)")),
        ("m = X.shape[1]", "m = X.shape[0]",
         ("m is 3; there are 5 examples.",)),
    ],
)  # fmt: skip
def test_why_a_line_is_wrong_is_said(old, new, sentences):
    style = STYLES["columns with a cache"]
    text, line = planted(style.text, old, new)
    report = diagnose_code(text, run_of(style.network))
    assert next(one.sentences for one in report.lines if one.number == line) == sentences


def test_of_several_functions_one_can_be_named():
    text = (
        "def back_a():\n    dW2 = A1.T @ dZ2\n    return dW2\n"
        "def back_b():\n    dW2 = Z1.T @ dZ2\n    return dW2\n"
    )
    run = run_of(TANH_LINEAR)
    assert diagnose_code(text, run, ROWS, function="back_a").right is True
    assert diagnose_code(text, run, ROWS, function="back_b").first_wrong == 5
    with pytest.raises(SpecError) as raised:
        diagnose_code(text, run, function="back_bb")
    assert str(raised.value) == (
        "diagnose_code: the text has no function 'back_bb'. Did you mean back_b?\n"
        "  Its functions: back_a, back_b."
    )


def test_a_name_that_nothing_tells_is_asked_for():
    report = diagnose_code("dW2 = cost * dZ2.T @ A1", run_of(TANH_LINEAR))
    assert (report.right, report.ask) == (None, "Which quantity is cost, in line 1?")


def test_a_name_that_is_read_before_it_is_stored_is_named():
    text = "dW2 = dZ2.T @ A1\ndZ2 = (A2 - Y) / len(X)\n"
    report = diagnose_code(text, run_of(TANH_LINEAR))
    assert (report.right, report.ask) == (None, "Line 1 reads dZ2 before the text stores it.")


def test_a_gradient_handed_out_under_the_name_of_another_is_wrong():
    style = STYLES["columns with a cache"]
    text, line = planted(style.text, '"dW2": dW2', '"dW2": dW1')
    assert diagnose_code(text, run_of(style.network)).first_wrong == line


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", ["W3", "dZ3", *map(seldom, ("delta3", "Z0"))])
def test_a_name_of_a_layer_that_is_not_there_is_taken_for_nothing_else(name):
    text = "dZ2 = (A2 - Y) / len(X)\ndW2 = dZ2.T @ A1\ndZ1 = dZ2 @ W2 * (1 - A1**2)\n"
    run = run_of(TANH_LINEAR)
    assert diagnose_code(text, run).right is True
    for old in ("dZ2 @ W2", "dZ2.T @ A1"):
        assert diagnose_code(text.replace(old, f"{name} @ W2"), run).right is not True


COUNTED_FROM_THE_INPUT = """\
def backprop(X, y, Theta1, Theta2, b1, b2):
    m = X.shape[0]
    a1 = X
    z2 = a1 @ Theta1.T + b1
    a2 = sigmoid(z2)
    z3 = a2 @ Theta2.T + b2
    a3 = sigmoid(z3)
    delta3 = (a3 - y) * a3 * (1 - a3)
    delta2 = delta3 @ Theta2 * a2 * (1 - a2)
    Theta2_grad = delta3.T @ a2 / m
    Theta1_grad = delta2.T @ a1 / m
"""
ACTIVATION_CALLED_Z = """\
a1 = X @ W1.T + b1
z1 = sigmoid(a1)
z2 = sigmoid(z1 @ W2.T + b2)
d2 = (z2 - T) * z2 * (1 - z2) / len(X)
d1 = d2 @ W2 * z1 * (1 - z1)
dW2 = d2.T @ z1
dW1 = d1.T @ X
"""
STEPS_OF_A_LAYER = """\
def linear_backward(dZ, A_prev, W):
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    return np.dot(W.T, dZ), dW

def model_backward(A2, Y, X, A1, W1, W2):
    dZ2 = (A2 - Y) * A2 * (1 - A2)
    dA1, dW2 = linear_backward(dZ2, A1, W2)
    dZ1 = dA1 * A1 * (1 - A1)
    _, dW1 = linear_backward(dZ1, X, W1)
"""


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (COUNTED_FROM_THE_INPUT, "* a2 * (1 - a2)", "* a2"),
        (ACTIVATION_CALLED_Z, "d2.T @ z1", "d2.T @ a1"),
        (STEPS_OF_A_LAYER, "dA1 * A1 * (1 - A1)", "dA1 * A1"),
    ],
)
def test_layers_and_letters_that_are_called_otherwise_are_found_by_their_values(text, old, new):
    run = run_of(SIGMOID_SQUARES)
    assert diagnose_code(text, run).right is True
    wrong, line = planted(text, old, new)
    report = diagnose_code(wrong, run)
    assert (report.right, report.first_wrong) == (False, line)


@pytest.mark.parametrize("rhs", ["None", "{}", "zip()", "[1]", "open('a').read()", "eval('1')"])
def test_what_is_no_array_is_never_called_right(rhs):
    assert diagnose_code(f"dW2 = {rhs}", run_of(TANH_LINEAR)).right is None


READ = f"\n{LANGUAGE}"
REFUSED = {
    "while True:\n    dW2 = A1":
        "line 1: a while loop is not read.\n  Write for … in range(…).",
    "x = 1\ndW2 = ().__class__.__bases__":
        "line 2: __bases__ is not read.\n  Names of arrays are: dW2, self.W2.",
    "dW2 = (lambda: 1)()": "line 1: a lambda is not read.\n  Write a def.",
    "a = 1\nfor i in range(10**12):\n    a += 1":
        "the text asks for too much: line 2: a loop of more than 1,000 rounds.\n"
        "  Write the lines of one round by themselves: each round is judged like the first.",
    "dW2 = [0] * 10**9":
        "the text asks for too much: line 1: a list of more than 1,000 entries." + READ,
    "dW2 = np.zeros((10**6, 10**6))":
        "the text asks for too much: line 1: an array of more than 1,000,000 entries." + READ,
    "dW2 = np.outer(np.ones(10**6), np.ones(10**6))":
        "the text asks for too much: line 1: a product of more than 20,000,000 terms." + READ,
    "dW2 = [[[a for a in range(900)] for b in range(900)] for c in range(900)]":
        "the text asks for too much: line 1: it takes more than 20,000 steps." + READ,
    "dW2 = np.eye(10**5)":
        "the text asks for too much: line 1: an array of more than 1,000,000 entries." + READ,
    "dW2 = " + "-" * 500 + "A1":
        "line 1: too deep or too long an expression.\n  Write it in parts.",
    "dW2 = A1 if": "line 1 is no Python: invalid syntax.\n  Mend it, then ask again.",
    "": "the text stores nothing.\n  Write lines such as dW2 = d2.T @ a1.",
    "x" * 20_001: "the text has 20,001 characters; 20,000 is the most.\n"
        "  Pass the backward function and its helpers alone.",
    7: "the text is an int, not a string.\n"
        '  Pass the source of the function: open("backward.py").read().',
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: str(text)[:30])
def test_a_text_that_is_not_read_is_refused_at_once(text):
    with pytest.raises(SpecError) as raised:
        diagnose_code(text, run_of(TANH_BINARY))
    assert str(raised.value) == f"diagnose_code: {REFUSED[text]}"


@pytest.mark.one_in(6)
@pytest.mark.parametrize(
    "text",
    [
        "dW2 = 9**9**9**9",
        "dW2 = 'a' * 10**9",
        "def f(x):\n    return f(x)\ndW2 = f(A1)",
        "import os\nos.system('exit')\ndW2 = A1",
        "dW2 = f'{A1!r:>1000000000}'",
        "dW2 = 1 / 0",
        "dW2 = np.zeros(-1)",
        "dW2 = A1[0].dtype.type",
        "m = X.shape[7]\ndW2 = A1.T @ dZ2",
        "dW2 = np.sum(A1, axis='0')",
    ],
)
def test_a_hostile_text_is_judged_or_not_read_and_never_run(text):
    report = diagnose_code(text, run_of(TANH_BINARY))
    assert report.right is not True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": 3}, "the run is an int, not a run.\n  Pass what net.run(x, y) gives."),
        ({"convention": 3}, "the convention is 3.\n"
             "  Write a name such as 'ng', the path of a TOML file, or a Convention."),
        ({"let": {"reg": "a"}}, "let has 'reg': 'a'.\n"
         '  Give a number to a name of the text, as in let={"reg": 0.01}.'),
        ({"let": 0.1}, 'let is a float.\n  Write let={"reg": 0.01}.'),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused(change, message):
    arguments = {"text": "dW2 = A1", "run": run_of(TANH_LINEAR)} | change
    with pytest.raises(SpecError) as raised:
        diagnose_code(**arguments)
    assert str(raised.value) == f"diagnose_code: {message}"


def test_a_run_without_labels_is_refused():
    net = Network.dense([3, 7, 2], "tanh", seed=1)
    with pytest.raises(DomainError) as raised:
        diagnose_code("dW2 = A1", net.run(np.ones((5, 3))))
    assert str(raised.value) == (
        "diagnose_code: the run has no cost: y was not given.\n"
        "  Run the network with labels: net.run(x, y)."
    )


@pytest.mark.parametrize("field", ["examples", "weights"])
def test_a_convention_takes_only_its_words(field):
    with pytest.raises(SpecError, match=f"^Convention: {field} is 'row'"):
        Convention(**{field: "row"})


def test_nothing_outside_is_changed_and_two_calls_say_the_same():
    run = run_of(SIGMOID_SQUARES)
    before = {name: np.array(run[name]) for name in run}
    errors, printed, drawn = np.geterr(), np.get_printoptions(), np.random.get_state()[1].copy()
    text = STYLES["layers called l"].text
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (str(diagnose_code(text, run)) for _ in range(2))
    assert first == second
    assert (np.geterr(), np.get_printoptions()) == (errors, printed)
    assert (np.random.get_state()[1] == drawn).all()
    for name, value in before.items():
        assert (run[name] == value).all()


def test_a_notebook_shows_the_function_with_its_marks_and_no_markup_of_the_text():
    report = diagnose_code("dW2 = A1.T @ dZ2 * (A1 < '<b>')", run_of(TANH_LINEAR))
    shown = report._repr_html_()
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown
    assert shown.startswith('<pre style="white-space: pre; overflow-x: auto">')


REGULARISED = (
    "dZ2 = (A2 - Y) / m\ndW2 = dZ2.T @ A1\ndZ1 = dZ2 @ W2 * (Z1 > 0)\n"
    "dW1 = dZ1.T @ X\ndb1 = dZ1.sum(axis=0)\ndW2 += 2 * reg * W2\n"
)
CLASSES = Network.dense([3, 7, 5], ["relu", "softmax"], "cross_entropy", seed=4)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("let", [None, {"reg": 0.1}])
@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("dW1 += 2 * reg * W2", "dW1 += 2 * reg * W1"),
        ("dW1 += 2 * reg * W1.T", "dW1 += 2 * reg * W1"),
        ("dW1 = dW1 + 2 * reg * W2", "dW1 = dW1 + 2 * reg * W1"),
        ("dW1 += 2 * reg * b1", None),
    ],
)
def test_a_correction_keeps_the_penalty_a_multiple_of_its_weights(line, meant, let):
    draw = np.random.default_rng(12)
    run = CLASSES.run(draw.normal(size=(11, 3)), np.eye(5)[draw.integers(0, 5, 11)])
    report = diagnose_code(REGULARISED + line, run, let=let)
    assert (report.first_wrong, report.lines[-1].meant) == (7, meant)
    assert diagnose_code(REGULARISED + (meant or "dW1 += 2 * reg * W1"), run, let=let).right
