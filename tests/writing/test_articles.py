"""A name of code has the article that it is read out with, in every message."""

import ast
import re

import numpy as np
import pytest
from project import ROOT

from jacobian_bp import JacobianError, Network, Tanh, check_gradient, check_op, diagnose
from jacobian_bp.writing.signs import type_of, with_article

PACKAGE = ROOT / "jacobian_bp"
ARTICLES = {
    "a": ("str", "dict", "uint8", "Union", "GRUCell", "KLDivergence", "ReLU", "NoneType", "user"),
    "an": ("int", "Entrywise", "ndarray", "RMSNorm", "LSTMCarry", "L1Penalty", "ELU", "Axis"),
}


@pytest.mark.parametrize("article", ARTICLES)
def test_the_article_is_that_of_the_first_sound(article):
    for name in ARTICLES[article]:
        assert with_article(name) == f"{article} {name}"
    assert type_of(3) == "an int"
    assert type_of(np.zeros(2)) == "an ndarray"


def fixed_articles(text):
    """The names of classes behind an article that stands in the text of an f-string."""
    for found in ast.walk(ast.parse(text)):
        if not isinstance(found, ast.JoinedStr):
            continue
        for before, part in zip(found.values, found.values[1:], strict=False):
            if isinstance(before, ast.Constant) and isinstance(part, ast.FormattedValue):
                name = ast.unparse(part.value)
                if re.search(r"\ban? $", str(before.value)) and "__name__" in name:
                    yield name


def test_no_message_has_an_article_of_its_own_before_the_name_of_a_class():
    assert list(fixed_articles('f"x is a {type(x).__name__}, not an Op"')) == ["type(x).__name__"]
    found = {
        str(path.relative_to(PACKAGE)): names
        for path in sorted(PACKAGE.rglob("*.py"))
        if "__name__" in (text := path.read_text(encoding="utf-8"))
        and (names := list(fixed_articles(text)))
    }
    assert found == {}


RUN = Network.dense([3, 2], "tanh", "squared_error", seed=0).run([0.5, -1.0, 2.0], [0.1, 0.3])
CALLS = {
    "arrays is an int,": lambda: check_op(Tanh, 3),
    "f is an int,": lambda: check_gradient(3, 2.0, 1.0),
    "params is an ndarray,": lambda: Network.program("J = Sum(x)", params=np.zeros(2)),
    "the answers are an ndarray,": lambda: diagnose(RUN, np.zeros(2)),
    "the variable is an int.": lambda: RUN.jacobian("z1", 3),
    "an int is no path.": lambda: RUN.derivation().save(3),
}


@pytest.mark.parametrize("said", CALLS)
def test_a_message_about_what_was_given_reads_right(said):
    with pytest.raises(JacobianError) as refusal:
        CALLS[said]()
    assert said in str(refusal.value)
