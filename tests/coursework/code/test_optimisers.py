"""An optimiser beside the backward: what keeps means is left alone, a plain step is judged."""

import pytest
from backward_functions import planted, run_of
from optimiser_functions import STYLES

from jacobian_bp import diagnose_code

MODULE = STYLES["layers and an optimiser in one module"]
HEAD, REST = MODULE.text.split("class Adam:")
PLAIN = (
    HEAD
    + """\
class SGD:
    def __init__(self, layers, lr=0.1):
        self.layers, self.lr = layers, lr

    def step(self):
        for layer in self.layers:
            layer.W -= self.lr * layer.dW
            layer.b -= self.lr * layer.db


net ="""
    + REST.split("net =")[1].replace("Adam", "SGD")
)
KEEPS = "Its optimiser Adam keeps means of the gradients: it is left alone."


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", STYLES)
def test_the_backward_is_judged_with_its_optimiser_beside_it(name):
    style = STYLES[name]
    run = run_of(style.network)
    report = diagnose_code(style.text, run)
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)
    assert (KEEPS in report.sentences) == (style is MODULE)
    text, line = planted(style.text, *style.mistakes[0])
    report = diagnose_code(text, run)
    assert (report.right, report.first_wrong) == (False, line), str(report)


def test_a_plain_step_of_an_optimiser_is_judged():
    run = run_of(MODULE.network)
    report = diagnose_code(PLAIN, run)
    assert (report.right, report.first_wrong) == (True, None), str(report)
    text, line = planted(PLAIN, "layer.b -= self.lr", "layer.b += self.lr")
    report = diagnose_code(text, run)
    assert (report.right, report.first_wrong) == (False, line), str(report)
    (accused,) = [one for one in report.lines if one.right is False]
    assert accused.sentences[0].endswith(": a step uphill.")
