"""A convention: what it is told in words, its names both ways, and what it refuses."""

import itertools

import pytest
from network_cases import refusal

from jacobian_bp import Convention, SpecError
from jacobian_bp.derivation.convention import LAYERED
from jacobian_bp.derivation.ready_made import COURSES, READY_MADE

NAMES = {"Theta{l-1}": "W", "dW[{l+1}]": "dW", "X": "x", "out": "a3", "cost": "J"}
MEANINGS = (
    "  With {l} the meaning is one of W, b, z, a, delta, dW, db, da;\n"
    '  without, one quantity: "W2", "x", "y", "J", "slope".'
)


@pytest.mark.parametrize(
    "convention",
    [
        *(Convention(first=first) for first in (0, 1, 2)),
        *(Convention(first=first, names=NAMES) for first in (1, 2)),
        *(ready.convention for ready in READY_MADE),
    ],
    ids=repr,
)
def test_a_name_is_read_back_as_the_quantity_that_it_was_written_for(convention):
    quantities = [f"{symbol}{layer}" for symbol in LAYERED for layer in (1, 2, 3, 12)]
    for quantity in [*quantities, *convention.names.values()]:
        if quantity in LAYERED:
            continue
        assert convention.quantity(convention.name(quantity)) == quantity
    written = [convention.name(quantity) for quantity in quantities]
    assert len(set(written)) == len(quantities)


def test_a_number_below_0_is_refused():
    assert refusal(SpecError, Convention, first=0, names={"Theta{l-1}": "W"}) == (
        "Convention: names: 'Theta{l-1}' is Theta-1 in the first layer, whose number is 0.\n"
        "  Write Theta{l}, or first = 1."
    )
    assert Convention(first=0, names={"Theta{l}": "W"}).name("W1") == "Theta0"


def test_a_layer_counted_otherwise_is_another_name():
    assert [Convention(first=first).name("W2") for first in (0, 1, 2)] == ["W1", "W2", "W3"]
    assert [Convention(first=first).quantity("W2") for first in (0, 1, 2)] == ["W3", "W2", "W1"]
    assert Convention(first=2).quantity("W1") is None
    assert Convention(names=NAMES).quantity("Theta0") == "W1"


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(COURSES, 2)])
def test_courses_are_told_apart_in_words(one, other):
    words = {str(one.convention), str(other.convention)}
    assert len(words) == 2


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"T": "W"}, f"'T' means 'W', which wants one {{l}} in the name.\n{MEANINGS}"),
        ({"T{l}": "x"}, f"'T{{l}}' means 'x', which wants no {{l}} in the name.\n{MEANINGS}"),
        ({"T{l}{l}": "W"}, "'T{l}{l}' means 'W', which wants one {l} in the name.\n" + MEANINGS),
        ({"T 1": "W1"}, "'T 1' is no name.\n  Write letters and numbers, and {l}, {l-1} or {l+1} "
         "for the layer's number."),
        ({"\x1b[31m{l}": "W"}, "'\\x1b[31m{l}' is no name.\n  Write letters and numbers, and {l}, "
         "{l-1} or {l+1} for the layer's number."),
        ({"a\u202eb": "x"}, "'a\\u202eb' is no name.\n  Write letters and numbers, and {l}, {l-1} "
         "or {l+1} for the layer's number."),
        ({"W{k}": "W"}, "'W{k}' is no name.\n  Write letters and numbers, and {l}, {l-1} or {l+1} "
         "for the layer's number."),
        ({"q": 3}, "'q' → 3.\n  Write both as strings: your name, then ours."),
        ({"T{l}": "W", "T2": "b1"}, "'T{l}' (W) and 'T2' (b1) are the same for some layer.\n"
         "  Give each name one meaning."),
        ({"T{l}": "W", "T{l-1}": "b"}, "'T{l}' (W) and 'T{l-1}' (b) are the same for some "
         "layer.\n  Give each name one meaning."),
    ],
)  # fmt: skip
def test_a_name_without_one_meaning_is_refused(names, told):
    assert refusal(SpecError, Convention, names=names) == f"Convention: names: {told}"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"examples": "column"}, "examples is 'column'. Did you mean 'columns'?\n"
         "  Write 'rows' or 'columns'."),
        ({"weights": "in-out"}, "weights is 'in-out'. Did you mean 'in,out'?\n"
         "  Write 'out,in' or 'in,out'."),
        ({"mean": "both"}, "mean is 'both'.\n  Write 'delta' or 'gradient'."),
        ({"bias": ["own"]}, "bias is ['own'].\n  Write 'own' or 'first' or 'last'."),
        ({"first": True}, "first is True.\n  Write 0 or 1 or 2."),
        ({"first": 1.0}, "first is 1.0.\n  Write 0 or 1 or 2."),
    ],
)  # fmt: skip
def test_another_word_is_refused(given, told):
    assert refusal(SpecError, Convention, **given) == f"Convention: {told}"
