"""Functions of layers are found by many names; one whose layer no name says is not called right."""

import pytest
from backward_functions import RELU_CLASSES, planted, run_of

from jacobian_bp import diagnose_code

TEXT = """\
def LINEAR(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def RELU(dout, cache):
    x = cache
    dx = dout * (x > 0)
    return dx
"""
NAMES = [
    ("linear_backward", "relu_backward"),
    ("linear_grad", "relu_grad"),
    ("backward_affine", "backward_relu"),
    ("grad_fc", "grad_relu"),
    ("dense_bwd", "relu_bwd"),
    ("dlinear", "d_relu"),
    ("affine_vjp", "relu_vjp"),
]


def named(linear, relu):
    return TEXT.replace("LINEAR", linear).replace("RELU", relu)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("linear", "relu"), NAMES)
def test_each_is_judged_as_the_layer_that_its_name_says(linear, relu):
    text, run = named(linear, relu), run_of(RELU_CLASSES)
    report = diagnose_code(text, run)
    assert report.right is True
    assert report.sentences[0] == "Right: 4 lines, with the gradients of W1, W2, b1, b2."
    for old, new in (("x.T.dot(dout)", "x.T.dot(dout) / len(x)"), ("(x > 0)", "(dout > 0)")):
        wrong, line = planted(text, old, new)
        report = diagnose_code(wrong, run)
        assert (report.right, report.first_wrong) == (False, line), str(report)


@pytest.mark.parametrize("name", ["conv_bwd", "vjp_of_it"])
def test_a_backward_whose_layer_is_not_known_is_not_called_right_with_the_others(name):
    report = diagnose_code(named(name, "relu_backward"), run_of(RELU_CLASSES))
    assert (report.right, report.first_wrong) == (None, None)
    assert report.sentences[0] == (
        f"Not judged: which layer {name}() in line 1 is of, its name does not say."
    )


@pytest.mark.parametrize("name", ["conv_backward", "backward_of_it"])
def test_what_it_reads_is_asked_for_where_it_is_the_backward_function_itself(name):
    report = diagnose_code(named(name, "relu_backward"), run_of(RELU_CLASSES))
    assert (report.right, report.first_wrong) == (None, None)
    assert report.ask == "Which quantity is dout, in line 3?"


def test_the_slope_of_one_array_is_no_layer():
    text = "def relu_grad(z):\n    return z > 0\n\ndZ2 = (A2 - Y) / len(X)\n"
    text += "dZ1 = dZ2 @ W2.T * relu_grad(Z1)\ndW1 = X.T @ dZ1\ndW2 = A1.T @ dZ2\n"
    assert diagnose_code(text, run_of(RELU_CLASSES)).right is True
