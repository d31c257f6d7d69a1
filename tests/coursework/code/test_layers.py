"""Layers as functions and as classes: every line judged at each call, a wrong one named once."""

import pytest
from backward_functions import RELU_CLASSES, planted, run_of
from layers_read import STYLES

from jacobian_bp import diagnose_code

QUICK = ["a class for each layer and a list", "functions of single layers alone"]
MISTAKES = [
    pytest.param(
        style, old, new, id=f"{name}: {new}", marks=() if name in QUICK else pytest.mark.full
    )
    for name, style in STYLES.items()
    for old, new in style.mistakes[: 6 if name in QUICK else 1]
    if name in QUICK or name == "layers alone, W (outputs, inputs)"
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", STYLES)
def test_a_right_network_of_layers_is_accepted(name):
    report = diagnose_code(STYLES[name].text, run_of(STYLES[name].network))
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("style", "old", "new"), MISTAKES)
def test_the_wrong_line_of_a_layer_is_named_once(style, old, new):
    text, line = planted(style.text, old, new)
    report = diagnose_code(text, run_of(style.network))
    accused = [one.number for one in report.lines if one.right is False]
    assert (report.right, report.first_wrong, accused) == (False, line, [line]), str(report)


def test_the_call_where_a_wrong_line_shows_is_said():
    style = STYLES["a class for each layer and a list"]
    text, line = planted(style.text, "self.dW = self.x.T @ grad", "self.dW = grad.T @ self.x")
    report = diagnose_code(text, run_of(style.network))
    (wrong,) = [one for one in report.lines if one.number == line]
    assert (
        wrong.sentences[0] == "self.dW is not ∂J/∂W2, shape (7, 2). It is the transpose of ∂J/∂W2."
    )
    assert wrong.sentences[1] == "It shows in the call of line 38."


def test_where_several_lines_do_not_fit_none_is_accused_and_one_layer_alone_is_judged():
    style = STYLES["a class for each layer and a list"]
    text = style.text
    for number in (0, 2, 3):
        text, _ = planted(text, *style.mistakes[number])
    report = diagnose_code(text, run_of(style.network))
    assert (report.right, report.first_wrong) == (None, None)
    assert {line.right for line in report.lines} == {None}
    assert report.sentences[0] == (
        "Not judged: as its layers are read, lines 8, 11, 22 would not fit the run. Hand in one "
        "layer alone. Or, if it is not written for examples in rows, W (inputs, outputs), say how: "
        "such as convention=Convention('columns', 'out,in')."
    )
    layer = text[text.index("class Tanh") : text.index("class Model")]
    alone = diagnose_code(layer, run_of(style.network))
    assert (alone.right, alone.first_wrong) == (False, 7), str(alone)


def test_a_name_that_only_another_method_has_is_not_taken_for_what_the_object_keeps():
    style = STYLES["layers alone, W (outputs, inputs)"]
    text, line = planted(style.text, "grad_output.T.dot(self.input)", "grad_output.T.dot(input)")
    report = diagnose_code(text, run_of(style.network))
    assert (report.right, report.first_wrong, report.ask) == (None, None, None)
    (unread,) = [one for one in report.lines if one.sentences]
    assert (unread.number, unread.sentences[0]) == (
        line,
        "Not read: what input is, beside self.input.",
    )


RELU = """
class Relu:
    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out
    def backward(self, dout):
        dout[self.mask] = 0
        return dout
"""
DENSE = """
class Dense:
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T
"""
ALONE = [
    (RELU, " out[self.mask] = 0", " out[x < 0] = 1"),
    (RELU, " dout[self.mask] = 0", " dout[dout <= 0] = 0"),
    (DENSE, "dout @ self.W.T", "dout @ self.W"),
]


@pytest.mark.parametrize("text", [RELU, DENSE])
def test_one_class_alone_is_handed_what_the_layers_that_the_text_lacks_give(text):
    report = diagnose_code(text, run_of(RELU_CLASSES))
    assert (report.right, report.first_wrong) == (True, None), str(report)
    assert report.convention.examples == "rows"


@pytest.mark.parametrize(("text", "old", "new"), ALONE)
def test_a_mistake_in_one_class_alone_is_named(text, old, new):
    wrong, line = planted(text, old, new)
    report = diagnose_code(wrong, run_of(RELU_CLASSES))
    assert (report.right, report.first_wrong) == (False, line), str(report)


def test_where_numpy_refuses_what_a_layer_alone_is_handed_and_no_name_says_more_it_is_not_judged():
    text, _ = planted(RELU, " dout[self.mask] = 0", " dout[self.mask[:, :1].T] = 0")
    report = diagnose_code(text, run_of(RELU_CLASSES))
    assert (report.right, report.first_wrong) == (None, None), str(report)
    assert report.sentences[0].startswith("Not judged: as its layers are read, line 9 would not")
