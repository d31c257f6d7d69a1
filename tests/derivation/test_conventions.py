"""A seed's notation as a whole, and long derivations folded."""

import re

import numpy as np
import pytest

from jacobian_bp import Network, reference
from jacobian_bp.cli import main
from jacobian_bp.derivation.ledger import Folded
from jacobian_bp.derivation.ready_made import SEEDS, find_convention

RNG = np.random.default_rng(17)


def derived(convention, layers=2):
    sizes = [3, *[5] * (layers - 1), 2]
    net = Network.dense(sizes, "tanh", "squared_error", seed=3)
    return net.run(RNG.standard_normal(3), RNG.standard_normal(2)).derivation(convention)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("first_seed", {"W1": "W^2", "a0": "a^1", "x": "z^1", "δ2": "δ^3", "J": "C"}),
        ("second_seed", {"W1": "W[1]", "z3": "z[3]", "δ2": "δ[2]", "relu'": "g'"}),
        ("third_seed", {"W1": "Θ^(1)", "b1": "b^(2)", "z1": "z^(2)", "x": "a^(1)"}),
    ],
)
def test_symbols_and_layer_numbers_are_those_of_the_seed(name, written):
    names = find_convention(name).names(3)
    assert {symbol: names[symbol] for symbol in written} == written


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_no_symbol_of_the_package_is_left(seed):
    text = derived(seed.name).text()
    left = re.findall(r"\b[Wbza]\d|δ\d|(?<!\^)\bx\b", text)
    assert not [word for word in left if word != "x" or seed.name != "second_seed"]
    assert seed.about in text


def test_a_layout_changes_no_symbol():
    assert re.findall(r"\bW1\b", derived("flat").text())


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_the_numbers_are_the_same_in_every_notation(seed):
    net = reference.second_seed()
    plain = net.run(reference.X, reference.Y).derivation("gradient").gradients
    named = net.run(reference.X, reference.Y).derivation(seed.name).gradients
    for left, right in zip(plain, named, strict=True):
        np.testing.assert_array_equal(left.value, right.value)


def test_columns_stay_aligned_under_longer_names():
    lines = derived("third_seed").text().splitlines()
    calls = [line for line in lines if re.match(r" +\S+ = \w+\(", line) and "[" in line]
    assert len(calls) > 1
    assert len({line.index("[") for line in calls}) == 1


def test_a_hundred_layers_are_folded_after_two():
    derivation = derived("flat", layers=100)
    folded = derivation.text().splitlines()
    whole = derivation.text(everything=True).splitlines()
    assert len(folded) < 220 < 1000 < len(whole)
    assert [line.strip() for line in folded if "more layers like these" in line] == [
        "… 97 more layers like these, the last one with a99 …",
        "… 96 more layers like these, the last one with ∂J/∂z1 …",
        "… 96 more layers like these, the last one with ∂J/∂b2 …",
    ]


def test_what_differs_is_not_folded():
    net = Network.dense([2, 3, 4, 5, 6, 7], "tanh", "squared_error", seed=0)
    derivation = net.run(np.ones(2), np.zeros(7)).derivation()
    assert "more layers" not in derivation.text()


def test_the_ledger_itself_is_whole():
    derivation = derived("flat", layers=50)
    items = [*derivation.forward, *derivation.backward, *derivation.gradients]
    assert not [item for item in items if isinstance(item, Folded)]


AUTHORS = {
    "first_seed": 'Carolyn Johnston, "How I think about the neural network backpropagation '
    'algorithm", 2020',
    "second_seed": 'the blog post "The Math behind Neural Networks - Backpropagation"',
    "third_seed": "a question by frad on deriving the equations, and the answer by greg, with "
    "differentials",
}


@pytest.mark.parametrize("name", AUTHORS)
def test_the_text_of_a_seed_is_named_where_it_is_met(name, capsys):
    """In the derivation that uses its notation, and in the help that lists it."""
    assert f"its text: {AUTHORS[name]}" in " ".join(derived(name).text().split())
    for command in ("-h", "derive -h", "show -h"):
        with pytest.raises(SystemExit):
            main(command.split())
        assert f"{name}, {AUTHORS[name]}" in " ".join(capsys.readouterr().out.split())


def test_a_layout_has_no_text():
    assert "its text" not in derived("transposed").text()
