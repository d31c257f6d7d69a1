"""Networks, layers, graphs and chains are drawn as they are; what is left out is said."""

import re
from itertools import pairwise

import numpy as np
import pytest
from drawn import HOSTILE, read, shapes, words
from network_cases import refusal

from jacobian_bp import Network, SpecError
from jacobian_bp.picture.graph import Value, chain, graph
from jacobian_bp.picture.network import Layer, network, one_layer
from jacobian_bp.reference import X, Y, second_seed

RNG = np.random.default_rng(3)
RUN = second_seed().run(X, Y)


def edges(picture, kind):
    return len(shapes(picture, "path", kind))


def test_every_unit_and_every_edge_is_drawn():
    picture = Network.dense([3, 5, 2], ["relu", "softmax"], "cross_entropy", seed=0).picture()
    assert len(shapes(picture, "circle", "box")) == 3 + 5 + 2
    assert len(shapes(picture, "circle", "box dash")) == 2  # a node 1 for the biases of each layer
    assert edges(picture, "edge weight") == 3 * 5 + 5 * 2
    assert edges(picture, "edge dash") == 5 + 2
    assert [w for w in words(picture, "m") if re.match("[wb]", w)] == [
        *("w00", "w01", "w02", "b0"),
        *("w00", "w01", "w02", "w03", "w04", "b0"),
    ]
    assert words(picture, "m weight") == ["W1, b1", "W2, b2"]
    assert "5 relu" in words(picture)
    assert picture.lines == ("x(3) --W1,b1--> a1(5) relu --W2,b2--> a2(2) softmax",)
    assert picture.alt == (
        "A network with the units 3 of x, 5 of a1, 2 of a2. "
        "A node 1 in a column carries the biases of the next."
    )


def test_one_more_unit_is_another_picture():
    layers = [Layer("x", 3), Layer("a", 4, "relu", "W", "b")]
    more = [layers[0], Layer("a", 5, "relu", "W", "b")]
    assert edges(network(layers), "edge weight") == 12 != edges(network(more), "edge weight")
    bare = network([layers[0], Layer("a", 4, "", "W")])
    assert shapes(bare, "circle", "box dash") == []
    assert "biases" not in bare.alt


def test_a_wide_word_at_the_left_rim_is_inside_the_picture():
    picture = network([Layer("x", 3, "units of the input layer"), Layer("a", 2, "", "W", "b")])
    left = float(read(picture).get("viewBox").split()[0])
    assert left < -40  # half of the words stand to the left of the first unit
    assert read(network([Layer("x", 3), Layer("a", 2, "", "W")])).get("viewBox")[:2] == "0 "


def test_the_counting_may_begin_at_one_as_in_the_seeds():
    picture = network([Layer("a", 3), Layer("b", 2, "", "W", "b")], first=1)
    assert words(picture, "")[:3] == ["1", "2", "3"]
    assert "w13" in words(picture, "m")
    wide = network([Layer("a", 13), Layer("b", 2, "", "W", "b")], first=1)
    assert "w1,13" in words(wide, "m")  # w113 could be read in two ways


def test_a_large_network_is_bounded_and_says_what_is_left_out():
    picture = Network.dense([784, 3, 4, 5, 3, 4, 5, 3, 4, 10], seed=0).picture()
    assert picture.alt.endswith(
        " 4 layers in between left out. Of more than 8 units the first 6 and the last are drawn."
    )
    assert len(picture.svg) < 60_000
    assert "783" in words(picture)
    small = Network.dense([8, 3, 4, 5, 3, 4, 5], seed=0).picture()
    assert "left out" not in small.alt
    assert "first 6" not in small.alt


def test_a_layer_has_its_activations_and_its_sums_apart():
    net = Network.dense([3, 2], "sigmoid", None, seed=0, squash_input=True)
    picture = net.picture(layer=1)
    assert len(shapes(picture, "circle", "box sigma")) == 3
    assert len(shapes(picture, "circle", "box sum")) == 2
    assert edges(picture, "edge weight") == 6
    assert edges(picture, "edge weight dash") == 2
    assert set(words(picture, "m weight")) == {
        *("W1, b1", "w00", "w01", "w02", "w10", "w11", "w12", "b0", "b1")
    }
    assert picture.lines == ("σσσ 1 --W1,b1--> ++",)
    assert picture.alt == (
        "One layer: 3 σ nodes, to which x goes, 2 sum nodes, which give z1, 6 weighted edges W1 of "
        "shape (2, 3) and 2 bias edges b1 from a node 1."
    )
    second = second_seed().picture(layer=2)
    assert second.alt.endswith(" g is relu.")
    assert "g: relu" in words(second)
    first = second_seed().picture(layer=1)  # nothing squashes x
    assert shapes(first, "circle", "box sigma") == []
    assert first.alt.startswith("One layer: 3 units of x, 4 sum nodes, which give z1, ")


@pytest.mark.parametrize("layer", [0, 4, -1, True, 1.0, "1"])
def test_a_layer_that_is_not_there_is_refused(layer):
    assert refusal(SpecError, second_seed().picture, layer=layer) == (
        f"layer {layer!r} is not one of the network's.\n  Write a whole number from 1 to 3."
    )


def test_a_network_without_layers_is_told_of_the_graph():
    net = Network.program("z = Tanh(x)")
    assert refusal(SpecError, net.picture) == (
        "the network is a graph of steps, not layers one after another.\n"
        "  Write net.run(x, y).graph(), which draws any."
    )
    assert net.run(RNG.normal(size=3)).graph().alt.startswith("A graph of 1 step, ")


def test_the_graph_has_the_values_and_the_gradients_that_the_run_has():
    picture = RUN.graph()
    drawn = words(picture)
    for name in ("x", "z1", "a2", "z3", "J"):
        value = "  ".join(f"{v:.3g}" for v in np.ravel(RUN[name])).replace("-", "−")
        slope = np.ravel(RUN.vjp("J", name, 1.0))
        gradient = "  ".join(f"{v:.3g}" for v in slope).replace("-", "−")
        place = drawn.index(value)
        assert value in drawn
        assert gradient in words(picture, "accent")
        assert place >= 0
    assert words(picture, "accent")[0] == "−0.189  −0.0191  0.186"
    assert "(4, 3)" in words(picture, "soft")  # of ∂z1/∂x
    assert picture.lines[0] == "z1 = W1 x + b1"
    off = second_seed().with_params({"b1": [0.3, -0.1, -0.15, 0.05]}).run(X, Y).graph()
    assert off.svg != picture.svg


def test_without_labels_there_is_no_gradient_in_the_graph():
    picture = second_seed().run(X).graph()
    assert words(picture, "accent") == []
    assert "the gradient by it" not in words(picture)


def test_an_edge_that_passes_values_by_has_a_lane_of_its_own():
    net = Network.program(
        "a = Tanh(x)",
        "b = Tanh(a)",
        "c = Add(b, x)",
        "d = Add(c, a)",
        "J = Sum(d)",
    )
    picture = net.run(RNG.normal(size=3)).graph()
    lanes = [a["d"] for a in shapes(picture, "path", "edge") if "Q" in a["d"]]
    assert len(lanes) == 2
    columns = [re.search(r"Q([\d.-]+) ", lane)[1] for lane in lanes]
    assert len(set(columns)) == 2  # their heights meet: x … c and a … d
    apart = Network.program("a = Tanh(x)", "b = Add(a, x)", "c = Tanh(b)", "d = Add(c, b)")
    found = [a["d"] for a in shapes(apart.run([1.0, 2.0]).graph(), "path", "edge") if "Q" in a["d"]]
    assert len({re.search(r"Q([\d.-]+) ", lane)[1] for lane in found}) == 1


def crossed(picture):
    """Which lines of a graph run through a box: every third of a pixel of each is looked at."""
    boxes = [
        [float(b[k]) for k in ("x", "y", "width", "height")] for b in shapes(picture, "rect", "box")
    ]
    found = []
    for line in shapes(picture, "path", "edge"):
        d = re.sub(r"Q\S+ \S+ ", "L", line["d"])  # a corner as its chord
        points = np.array([float(n) for n in re.findall(r"-?[\d.]+", d)]).reshape(-1, 2)
        for start, end in pairwise(points):
            for share in np.linspace(0, 1, 3 * int(np.abs(end - start).max()) + 2):
                px, py = start + share * (end - start)
                found += [
                    (px, py)
                    for x, y, w, h in boxes
                    if x + 1 < px < x + w - 1 and y + 2 < py < y + h - 2
                ]
    return found


@pytest.mark.parametrize("at_side", [0, 1, 2, 3, 4, 7])
def test_no_edge_runs_through_a_box(at_side):
    own = [tuple(f"p{name}{n}" for n in range(at_side)) for name in "abcd"]
    values = [Value(p, (2,), at_side=True) for names in own for p in names]
    reads = [("x",), ("a", "x"), ("b", "a"), ("c", "a", "x")]
    values += [Value("x", (3,))]
    values += [
        Value(name, (2,), "f", "F", (*before, *names))
        for name, before, names in zip("abcd", reads, own, strict=True)
    ]
    shapes_ = {(of, by): (2, 2) for of, before in zip("abcd", reads, strict=True) for by in before}
    picture = graph(values, shapes_)
    assert crossed(picture) == []
    assert len([a for a in shapes(picture, "path", "edge") if "Q" in a["d"]]) == 4
    through = picture.svg.replace("</svg>", '<path d="M0 30L300 30" class="edge"/></svg>')
    assert crossed(type(picture)(through, picture.alt)) != []


def test_a_deep_graph_and_a_deep_chain_are_bounded_and_say_so():
    net = Network.dense([2] * 60, seed=0)
    run = net.run([0.3, 0.7], [0.1, 0.2])
    for picture, said in (
        (run.graph(), "81 values in between left out, with the edges to them."),
        (run.graph("chain"), "81 values in between left out."),
    ):
        assert picture.alt.endswith(said)
        assert len(picture.svg) < 60_000
        assert any(re.fullmatch(r"… 81 more( …)?", word) for word in words(picture))


def test_a_chain_has_the_shapes_of_its_values_and_of_its_jacobians():
    picture = RUN.graph("chain")
    assert words(picture, "m accent")[:3] == ["∂z1/∂x", "∂a1/∂z1", "∂z2/∂a1"]
    assert edges(picture, "edge accent") == 7
    assert words(picture, "soft").count("(4, 3)") == 1
    assert picture.lines[0].startswith("x (3,) -> z1 (4,) -> a1 (4,) -> ")
    skip = Network.program("a = Tanh(x)", "b = Add(a, x)").run([1.0, 2.0])
    assert refusal(SpecError, skip.graph, "chain") == (
        "the run is no chain: b reads a and x, not a alone.\n  Write run.graph(), which draws any."
    )
    skip.graph()
    assert refusal(SpecError, skip.graph, "tree") == (
        "a graph of form 'tree' is not known.\n  Write one of graph, chain."
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_foreign_name_is_words_and_nothing_else(name):
    layers = [Layer(name, 3, name), Layer(name, 2, name, name, name)]
    values = [
        Value(name, (3,)),
        Value("W", (2, 3), at_side=True),
        Value(f"{name}2", (2,), name, name, (name, "W"), False, name, name),
    ]
    drawn = network(layers), one_layer(*layers, name), graph(values, {}), chain(values, {})
    for picture in drawn:
        whole = read(picture)
        assert float(whole.get("width")) < 1_500
        assert not set(picture.svg + picture.alt) & set("\u202e\u2066\x1b\ufffe")


def test_nothing_is_changed_and_twice_is_the_same():
    before = {name: RUN[name].copy() for name in RUN}
    assert RUN.graph() == RUN.graph()
    assert second_seed().picture() == second_seed().picture()
    assert all(np.array_equal(RUN[name], value) for name, value in before.items())
