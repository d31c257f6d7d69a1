"""The graph in the documents of a derivation has its values, its errors and its shapes."""

import re

import numpy as np
from drawn import read, words

from jacobian_bp import Network
from jacobian_bp.derivation.graph_of import graph_of
from jacobian_bp.picture.graph import few
from jacobian_bp.reference import X, Y, second_seed

RNG = np.random.default_rng(29)
DERIVATION = second_seed().run(X, Y).derivation()


def test_the_graph_has_the_gradient_by_each_value_that_the_derivation_goes_through():
    picture = graph_of(DERIVATION)
    read(picture)
    run = second_seed().run(X, Y)
    errors = [few(run.vjp("J", name, 1.0)) for name in ("z1", "a1", "z2", "a2", "z3", "a3")]
    errors.append("1")
    assert errors[:2] == ["−0.359  0  0.331  −0.179", "−0.359  0.335  0.331  −0.179"]
    assert words(picture, "accent")[:-1] == errors
    assert "1.15  −0.3  0.95  0.3" in words(picture)
    assert [w for w in words(picture, "soft") if w.startswith("(")] == [
        *("(4, 4)", "(2, 4)", "(2, 2)", "(1, 2)", "(1, 1)", "(1, 1)")
    ]
    other = second_seed().run(X, [0.0]).derivation()
    assert words(graph_of(other), "accent")[:-1] != errors


def test_the_label_stands_at_the_side_and_the_data_at_the_top():
    net = Network.dense([3, 5, 2], "tanh", "half_squared_error", seed=4)
    picture = graph_of(net.run(RNG.normal(size=3), RNG.normal(size=2)).derivation())
    assert picture.alt.startswith("A graph of 5 steps, from top to bottom; at the side y, W1, b1,")


def test_on_a_page_a_value_and_an_edge_lead_to_their_steps_and_elsewhere_to_none():
    links = {("z2",): "#here", ("z2", "W2"): "#there", ("a1", "z1"): '"><b>'}
    svg = graph_of(DERIVATION, links=links).svg
    found = re.findall('<a href="(.*?)" aria-label="(.*?)">', svg)
    places = ["#there", "#here", "&quot;&gt;&lt;b&gt;"]
    names = ["∂z2/∂W2", "∂J/∂z2", "∂a1/∂z1"]
    assert sorted(found) == sorted(zip(places, names, strict=True))
    assert "<a " not in graph_of(DERIVATION).svg
    heard = r'(<text[^>]*?) role="img" aria-label="([^"]*)"'
    said = {name for _, name in re.findall(heard, svg)}
    assert {"z2 is 0.795  0.295", "z2 has the gradient −0.319  0.438"} <= said
    bare = re.sub("</?a.*?>", "", re.sub(heard, r"\1", svg)).replace('role="group"', 'role="img"')
    assert bare == graph_of(DERIVATION).svg


def test_every_document_but_the_text_has_it():
    words_of = graph_of(DERIVATION).alt.split(";")[0]
    assert DERIVATION.html().count("<svg ") == 1
    assert DERIVATION.html(static=True).count("<svg ") == 1
    assert "<h2>Graph</h2>" in DERIVATION.html(static=True)
    assert "## Graph" in DERIVATION.markdown()
    assert words_of in DERIVATION.markdown()
    assert "Graph" not in DERIVATION.text()


def test_the_names_are_those_of_the_convention():
    derivation = second_seed().run(X, Y).derivation("ng")
    names = words(graph_of(derivation, derivation.spelled), "m")
    assert {"Z1", "A2", "W1"} <= set(names)
    assert "z1" not in names


def test_what_comes_back_is_the_gradient_of_the_cost_in_every_convention():
    net = Network.dense([3, 2, 2], "tanh", "half_squared_error", seed=4)
    run = net.run(RNG.normal(size=(2, 3)), RNG.normal(size=(2, 2)))
    for convention in (None, "ng", "first_seed"):
        derivation = run.derivation(convention)
        assert {*derivation.returned} == {"z1", "a1", "z2", "a2", "L", "J"}
        for name, found in derivation.returned.items():
            right = run.vjp("J", name, 1.0)
            turned = convention == "ng" and right.ndim == 2
            assert np.allclose(found, right.T if turned else right, rtol=1e-14)
    fused = Network.dense([3, 5, 2], ["tanh", "softmax"], "cross_entropy", seed=7)
    batch = fused.run(RNG.normal(size=(4, 3)), np.array([0, 1, 1, 0]))
    between = batch.derivation().returned["a2"]
    assert np.allclose(between, batch.vjp("J", "a2", 1.0), rtol=1e-14)
    found[...] = 7.0
    assert run.derivation().returned["z1"].flat[0] != 7.0
