"""What coursework finds goes through pickle and copy, and says the same there."""

import copy
import pickle

import numpy as np
import pytest

from jacobian_bp import Network, diagnose, diagnose_code, diagnose_line
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.grading.formats import FORMATS
from jacobian_bp.coursework.grading.frameworks import grade

RNG = np.random.default_rng(13)
NET = Network.dense([5, 3, 2], ["tanh", "identity"], "squared_error", seed=3)
RUN = NET.run(RNG.standard_normal((7, 5)), RNG.standard_normal((7, 2)))
TASK = find_exercise(2).make(7)
FOUND = {
    "of arrays": lambda: diagnose(RUN, {"W1": -RUN.gradients()["W1"]}),
    "of a line": lambda: diagnose_line("dW2 = d2 @ a1", RUN),
    "of code": lambda: diagnose_code("d2 = a2 - y\ndW2 = d2 @ a1\n", RUN),
    "of answers": lambda: check_answers(TASK, TASK.answers()),
    "of a grader": lambda: grade(TASK.answers() | {"dW2": np.zeros((2, 2))}, 2, seed=7),
}


def text_of(found):
    if hasattr(found, "max_score"):
        return "".join(FORMATS[form](found) for form in sorted(FORMATS))
    return found.text() if callable(getattr(found, "text", None)) else str(found)


@pytest.mark.parametrize("find", FOUND.values(), ids=FOUND)
def test_a_report_travels(find):
    found = find()
    assert len(text_of(found)) > 20
    for other in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found)):
        assert type(other) is type(found)
        assert text_of(other) == text_of(found)
    assert text_of(find()) == text_of(found)
