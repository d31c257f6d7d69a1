"""Formulas as MathML: well-formed, with every sign of the printed one, whatever a name holds."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import data, network

from jacobian_bp.derivation.ledger import Folded
from jacobian_bp.derivation.ready_made import READY_MADE
from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.writing.mathml import mathml, mathml_entry

CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2}
LEAVES = {"mi", "mn", "mo", "mtext"}


def faults(markup):
    """What a browser would not set as it is meant: scripts with a child too many, bare text."""
    found = []
    for node in ElementTree.fromstring(f"<p>{markup.replace('<wbr>', '<wbr/>')}</p>").iter():
        if len(node) != CHILDREN.get(node.tag, len(node)):
            found.append(f"{node.tag} of {len(node)}")
        if node.text and node.tag not in LEAVES:
            found.append(f"bare {node.text}")
    return found


def signs(markup):
    """Letters and digits in the order in which they stand."""
    return re.sub(r"[\W_]", "", re.sub(r"<[^>]*>", "", markup))


def test_a_fault_is_found():
    assert faults("<math><msub><mi>a</mi></msub>b</math>") == ["msub of 1"]
    assert faults("<math>b</math>") == ["bare b"]


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("W2", "<msub><mi>W</mi><mn>2</mn></msub>"),
        ("W[2]", "<msup><mi>W</mi><mtext>[2]</mtext></msup>"),
        ("relu(z)", '<mi>relu</mi><mrow><mo stretchy="false">(</mo><mi>z</mi>'
         '<mo stretchy="false">)</mo></mrow>'),
        ("a − b", "<mi>a</mi><mo>−</mo><mi>b</mi>"),
        ("-b", '<mo form="prefix">−</mo><mi>b</mi>'),
        ("aᵀ", "<msup><mrow><mi>a</mi></mrow><mo>⊤</mo></msup>"),
        ("(a)²", '<msup><mrow><mrow><mo stretchy="false">(</mo><mi>a</mi>'
         '<mo stretchy="false">)</mo></mrow></mrow><mn>2</mn></msup>'),
        ("1/5", "<mfrac><mn>1</mn><mn>5</mn></mfrac>"),
        ("<b>", "<mo>&lt;</mo><mi>b</mi><mo>&gt;</mo>"),
    ],
)  # fmt: skip
def test_each_expression_has_its_markup(text, markup):
    assert mathml(text) == f"<math>{markup}</math>"


def test_an_entry_has_its_place_below():
    assert signs(mathml_entry("a1", "2,3")) == "a123"
    assert faults(mathml_entry("a1", "2,3")) == []


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", [ready.name for ready in READY_MADE])
def test_what_a_derivation_prints_is_well_formed_with_every_sign(name):
    runs = [network("relu", "cross_entropy").run(*data("cross_entropy", True))]
    runs.append(second_seed().run(X, Y))
    for run in runs:
        derivation = run.derivation(name)
        for step in (*derivation.forward, *derivation.backward, *derivation.gradients):
            assert not isinstance(step, Folded)
            text = derivation.spelled(step.statement)
            markup = mathml(text)
            assert faults(markup) == []
            assert sorted(signs(markup)) == sorted(
                re.sub(r"[\W_Σᵀ²]", "", text) + "2" * text.count("²")
            )


@settings(deadline=None, max_examples=200)
@given(st.text("Wδ∂Σab2'()[],/²ᵀ^_<>&\"\\ =−+{}.½", max_size=30))
def test_nothing_that_a_name_holds_breaks_the_markup(text):
    assert faults(mathml(text)) == []
