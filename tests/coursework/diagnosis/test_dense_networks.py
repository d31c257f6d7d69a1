"""diagnose on dense networks: planted mistakes, right forms, follow-through, messages."""

from itertools import product

import numpy as np
import pytest
from equation_cases import plants
from network_cases import PAIRS, data, network, refusal, residual
from planted_mistakes import dense_plants, scenes
from sampled import one_in

from jacobian_bp import AxisError, DomainError, Network, SpecError
from jacobian_bp.coursework.diagnosis import LABELS, diagnose
from jacobian_bp.coursework.diagnosis.passes.pass_lines import backward_pass
from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.routes.vjp import pull

SCENES = {s.name: s for s in scenes()}
by_scene = pytest.mark.parametrize("s", list(SCENES.values()), ids=list(SCENES))
by_some_scene = pytest.mark.parametrize("s", one_in(3, SCENES.values()), ids=list(SCENES))
by_every_second = pytest.mark.parametrize("s", one_in(2, SCENES.values(), 1), ids=list(SCENES))
TIES = {  # mistakes that give the same numbers there as a likelier one
    "seed": {"sum2": "all slopes are 1", "total2": "all slopes are 1"},
    "seed5": {"total2": "all slopes are 1", "b3": "one output"},
    "dead": {"sum2": "one live unit", "total2": "one live unit"},
    "dead8": {"W1 /n": "m/n is 2"},
    "one6": {"W1 /n": "m/n is 2", "b2": "one output"},
}
CANCELLING = {("softmax", "b2")}  # the sum of p − y is rounding error: nothing is proved


# --- the pass as data ------------------------------------------------------------


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    ("pair", "batch", "reduction"), list(product(PAIRS, [0, 1], ["mean", "sum"]))
)
def test_the_right_pass_as_data_gives_the_gradients(pair, batch, reduction):
    net = network(*pair, reduction=reduction, squash_input=True)
    run = net.run(*data(pair[1], bool(batch)))
    same_as_vjp(run)


@pytest.mark.parametrize("shape", [(3,), (7, 3)])
def test_the_right_pass_of_a_graph(shape):
    rng = np.random.default_rng(2)
    same_as_vjp(residual(3).run(rng.normal(size=shape), rng.normal(size=shape)))


def same_as_vjp(run):
    lines = backward_pass(run.forward_pass)
    for name, right in run.gradients().items():
        np.testing.assert_allclose(lines.base[name], right, rtol=1e-9, atol=1e-13)
    for step in run.forward_pass.program.steps:
        right = pull(run.forward_pass, run.cost, [step.name], np.ones(()))[step.name]
        np.testing.assert_allclose(lines.base[step.name], right, rtol=1e-9, atol=1e-13)


# --- planted mistakes ------------------------------------------------------------


def wrong_keys(s, arrays):
    """The keys that are not right, in the order of the backward pass."""
    right = s.backward()
    order = [f"{c}{n}" for n in range(s.depth, 0, -1) for c in "zWb"]
    close = [
        k
        for k in order
        if k in arrays
        and np.shape(arrays[k]) == right[k].shape
        and np.allclose(arrays[k], right[k], rtol=1e-7, atol=1e-12)
    ]
    return [k for k in order if k in arrays and k not in close]


def handed_in(s, arrays, wrong, style):
    """Everything; the gradients only; or the first wrong gradient alone, unless it is turned.

    What a turned one is, the other weight gradients tell.
    """
    if style == 0:
        return arrays
    gradients = {k: v for k, v in arrays.items() if k[0] != "z"}
    if gradients and (style == 1 or turned_only(s, arrays, wrong)):
        return gradients
    first = next((k for k in wrong if k[0] != "z"), wrong[0])
    return {first: arrays[first]}


def turned_only(s, arrays, wrong):
    """Whether all that is wrong is one gradient, with rows and columns exchanged."""
    right, turned = s.backward()[wrong[0]], np.transpose(arrays[wrong[0]])
    return len(wrong) == 1 and right.shape == turned.shape and np.allclose(right, turned)


@pytest.mark.one_in(3)
@by_every_second
def test_planted_mistakes_are_named(s):
    for number, (label, variant, arrays, factor) in enumerate(dense_plants(s)):
        wrong = wrong_keys(s, arrays)
        if not wrong or (s.name, variant) in CANCELLING:
            continue
        given = handed_in(s, arrays, wrong, number % 3)
        found = diagnose(s.run, given)
        if s.depth == 1 and turned_only(s, arrays, wrong):
            assert found["W1"].label == "correct-other-layout"  # nothing stands beside it
            continue
        first = next(k for k in wrong if k in given)
        case = (label, variant, sorted(given))
        assert found.first_wrong == first, case
        finding = found[first]
        if variant in TIES.get(s.name, ()) or finding.label == "transposed":
            assert set(label.split("|")) & set(finding.labels), case
        else:
            assert finding.label in label.split("|"), (case, finding.labels)
            assert factor is None or finding.factor == pytest.approx(factor, rel=1e-6), case


def test_every_label_of_a_dense_network_is_planted_in_two_scenes():
    planted = {}
    for s in SCENES.values():
        for label, _, arrays, _ in dense_plants(s):
            if wrong_keys(s, arrays):
                planted.setdefault(label.split("|")[0], set()).add(s.name)
    graphs = {"fan-out-overwritten", "statistics-as-constants", "overwritten-index"}
    graphs |= {"last-step-only", "saturated-nan", "kink"}  # in test_graphs.py
    graphs |= {"penalty-missing", "penalty-factor", "factor-beside-penalty"}  # in test_penalties.py
    graphs |= {label for plant in plants() for label in plant.labels}  # in test_equations.py
    graphs |= {"factor-flipped"}  # in test_positions.py
    graphs |= {"other-places"}  # in test_fresh_mistakes.py
    graphs |= {"extra-factor", "axes-exchanged"}  # in test_layers.py
    rest = {"correct", "correct-other-layout", "correct-float32", "unknown"}
    assert set(planted) | graphs == set(LABELS) - rest
    assert min(map(len, planted.values())) >= 2


@pytest.mark.one_in(3)
@by_some_scene
def test_what_is_no_known_mistake_stays_unknown(s):
    rng, right = np.random.default_rng(3), s.backward()
    for name in ("W1", f"W{s.depth}"):
        W = right[name]
        largest = np.unravel_index(np.abs(W).argmax(), W.shape)
        flipped = W.copy()
        flipped[largest] *= -1
        noisy = W + 0.01 * np.abs(W).max() * rng.normal(size=W.shape)
        drawn, odd = rng.normal(size=W.shape), 0.3847123 * W
        some = (noisy, flipped, odd) if name == "W1" else (drawn, np.zeros_like(W), W**2)
        for wrong in some:
            assert diagnose(s.run, {name: wrong})[name].label == "unknown"


# --- right forms -----------------------------------------------------------------


def forms(s):
    """The right arrays in every form that has to pass."""
    g = s.backward()
    W = {k: v for k, v in g.items() if k[0] == "W"}
    b = {k: v for k, v in g.items() if k[0] == "b"}
    z = {k: v for k, v in g.items() if k[0] == "z"}
    yield "as they are", g, "gradient"
    yield "float32", {k: v.astype(np.float32) for k, v in g.items()}, "gradient"
    yield "rounded to 8", {k: np.round(v, 8) for k, v in g.items()}, "gradient"
    yield "lists", {k: v.tolist() for k, v in g.items()}, "gradient"
    yield "finite differences", s.run.gradients(route="difference"), "gradient"
    yield "flat", {k: v.reshape(1, -1) for k, v in W.items()}, "gradient"
    yield "flat, declared", {k: v.reshape(-1) for k, v in W.items()}, "flat"
    yield "columns first", {k: v.T.reshape(-1) for k, v in W.items()}, "flat_column"
    yield "transposed, declared", {k: v.T for k, v in W.items()}, "transposed"
    yield "bias as a column", {k: v[:, None] for k, v in b.items()}, "gradient"
    yield "bias as a row", {k: v[None, :] for k, v in b.items()}, "gradient"
    if len(W) > 1:
        yield "all transposed", {k: v.T for k, v in W.items()}, "gradient"
    if not s.batch:
        yield "columns", {k: v[:, None] for k, v in z.items()}, "gradient"
        yield "rows", {k: v[None, :] for k, v in z.items()}, "gradient"
    elif s.name != "cube":  # 3 examples of width 3: which axis is which cannot be seen
        yield "examples in columns", {k: v.T for k, v in z.items()}, "gradient"


@by_scene
def test_right_forms_are_right(s):
    for name, arrays, layout in forms(s):
        found = diagnose(s.run, arrays, layout=layout)
        assert found.ok, (name, str(found))


@pytest.mark.one_in(6)
@by_scene
def test_jacobians_are_right_in_every_layout(s):
    for pair in [("z1", "W1"), ("z1", "b1"), ("a1", "z1"), (f"z{s.depth}", "W1")]:
        for layout in ("numerator", "transposed", "flat", "flat_column", "gradient"):
            J = s.run.jacobian(*pair).materialise(layout)
            assert diagnose(s.run, {pair: J}).ok
            assert diagnose(s.run, {pair: J}, layout=layout)[pair].label == "correct"


def test_the_label_says_in_which_form_it_is_right():
    s = SCENES["deep7"]
    g = s.backward()
    label = lambda array: diagnose(s.run, {"W2": array})["W2"].label  # noqa: E731
    assert label(g["W2"]) == "correct"
    assert label(g["W2"].astype(np.float32)) == "correct-float32"
    assert label(g["W2"].reshape(1, -1)) == "correct-other-layout"
    assert label(g["W2"].T) == "correct-other-layout"
    both = diagnose(s.run, {"W2": g["W2"].T, "W1": g["W1"].T})
    assert both["W2"].label == both["W1"].label == "correct-other-layout"
    one = diagnose(s.run, {"W2": g["W2"].T, "W1": g["W1"]})
    assert (one.first_wrong, one["W2"].labels[:1]) == ("W2", ("transposed",))
    turned = diagnose(s.run, {"z2": g["z2"].T})["z2"]
    assert (turned.label, turned.layout) == ("correct-other-layout", "examples in columns")


def test_a_mistake_in_consistently_transposed_gradients():
    s = SCENES["seed"]
    g = s.backward(hidden=lambda n, d: d @ s.W[n + 1] if n == 1 else None)
    found = diagnose(s.run, {k: g[k].T for k in ("W1", "W2", "W3")})
    assert (found.first_wrong, found["W1"].label) == ("W1", "missing-slope")
    assert found["W2"].ok


# --- follow-through and pairs ----------------------------------------------------


def test_what_follows_from_a_wrong_delta_is_credited():
    s = SCENES["deep7"]
    wrong = s.backward(hidden=lambda n, d: d @ s.W[n + 1] if n == 2 else None)
    found = diagnose(s.run, wrong)
    assert found.first_wrong == "z2"
    assert [k for k, f in found.items() if f.follows] == ["W2", "b2", "z1", "W1", "b1"]
    assert all(found[k].ok for k in ("W2", "b2", "z1", "W1", "b1"))
    gradients = diagnose(s.run, {k: v for k, v in wrong.items() if k[0] != "z"})
    assert (gradients.first_wrong, gradients["W2"].where) == ("W2", "z2")
    assert gradients["W1"].follows


def test_one_factor_in_all_gradients_is_one_mistake():
    s = SCENES["deep7"]
    wrong = {k: -v for k, v in s.backward().items() if k[0] != "z"}
    found = diagnose(s.run, wrong | {"b1": s.backward()["b1"] * 7})
    assert found.first_wrong == "W3"
    assert [k for k, f in found.items() if f.follows] == ["b3", "W2", "b2", "W1"]
    assert {(f.label, f.factor) for k, f in found.items() if k != "b1"} == {("sign", -1.0)}
    assert (found["b1"].label, found["b1"].follows) == ("missing-batch-mean", False)


def test_a_second_mistake_is_found_behind_the_first():
    s = SCENES["deep7"]
    wrong = s.backward(
        hidden=lambda n, d: d @ s.W[n + 1] if n == 2 else None,
        weight=lambda n, d: d.T @ s.z[1] if n == 2 else None,
    )
    found = diagnose(s.run, wrong)
    assert found["z2"].label == "missing-slope"
    assert (found["W2"].label, found["W2"].follows) == ("preactivation-for-activation", False)


def test_a_delta_that_is_wrong_in_an_unknown_way_is_still_followed():
    s = SCENES["deep7"]
    noise = np.random.default_rng(8).normal(size=(7, 3))
    wrong = s.backward(hidden=lambda n, d: noise if n == 2 else None)
    found = diagnose(s.run, wrong)
    assert (found.first_wrong, found["z2"].label) == ("z2", "unknown")
    assert all(found[k].follows and found[k].ok for k in ("W2", "b2", "z1", "W1", "b1"))


def test_two_mistakes_at_once():
    s = SCENES["one6"]
    p, y, slope = s.a[2], s.y[:, None], s.slope(2)
    d2 = 2 * (p - y) * slope
    no_slope_no_mean = ((d2 @ s.W[2]).T) @ s.x
    found = diagnose(s.run, {"W1": no_slope_no_mean})["W1"]
    assert found.labels[:2] == ("missing-slope", "missing-batch-mean")
    assert found.factor == pytest.approx(6)
    both = ((d2 / 6 / slope @ s.W[2]) * s.a[1]).T @ s.x
    assert diagnose(s.run, {"W1": both})["W1"].labels == ("missing-output-slope", "value-for-slope")
    assert len(diagnose(s.run, {"W1": both})["W1"].sentences) == 2


# --- what is said ----------------------------------------------------------------


def test_each_finding_is_one_exact_sentence():
    run = second_seed().run(X, Y)
    g = run.gradients()
    d2 = run.vjp("J", "z2", 1.0)
    W2 = second_seed().params["W2"]
    mixed = np.random.default_rng(4).normal(size=(2, 4))
    mixed[0] = g["W2"][0]
    found = diagnose(
        run,
        {"W1": np.outer(d2 @ W2, X), "b1": d2 @ W2, "z2": d2, "W2": mixed, "W3": 2 * g["W3"]},
    )
    slope = "In the delta of z1 (layer 1) the slope relu'(z1) is left out: what comes back from"
    assert str(found).splitlines() == [
        "W3: The gradient of W3 (layer 3) is 2 times the right array, in every entry.",
        "z2: z2 is right.",
        "W2: The gradient of W2 (layer 2) is wrong, and no known mistake gives these numbers.",
        "  Wrong in 1 row only: 1 (counted from 0).",
        "  It has rank 2, the right array rank 1.",
        f"W1: {slope} the",
        "  layer above has to go through it.",
        "b1: The gradient of b1 (layer 1) follows from the mistake in the delta of z1 (layer 1).",
    ]
    assert (found.first_wrong, found["W3"].factor) == ("W3", 2.0)


@pytest.mark.parametrize("scene", ["seed5", "square", "softmax7"])
def test_every_sentence_is_narrow_and_complete(scene):
    s = SCENES[scene]
    for _, _, arrays, _ in dense_plants(s):
        if wrong_keys(s, arrays):
            text = str(diagnose(s.run, dict(list(arrays.items())[:2])))
            assert max(map(len, text.splitlines())) <= 99
            assert not any(word in text for word in ("{", "see the line", "the factor"))


def test_what_is_proved_of_an_unknown_array():
    s = SCENES["deep7"]
    W = s.backward()["W2"]
    said = lambda array: diagnose(s.run, {"W2": array})["W2"].proved  # noqa: E731
    assert said(W[:2]) == ("Its shape fits no layout of W2, whose own is (3, 5).",)
    rows = W * np.array([[1.3], [0.7], [2.9]])
    assert said(rows) == ("Each row is the right one times a number of its own.",)
    constant = ("Every entry is the right one times one and the same number, 0.3847.",)
    assert said(0.38471 * W) == constant
    assert said(W * (1 + 1e-5 * np.sin(np.arange(15).reshape(3, 5))))[0].startswith("It agrees")


# --- what is refused -------------------------------------------------------------


def test_what_names_no_object_is_refused():
    run = second_seed().run(X, Y)
    assert refusal(SpecError, diagnose, run, {"W9": 1.0}).startswith("no value is named 'W9'.")
    assert refusal(SpecError, diagnose, run, [1.0]) == (
        "the answers are a list, not a mapping of names to arrays.\n"
        '  Write diagnose(run, {"W2": dW2, "z2": delta2}).'
    )
    assert refusal(SpecError, diagnose, run, {("W1", "z1", "a1"): 1.0}) == (
        "('W1', 'z1', 'a1') names no object.\n"
        '  Write a name such as "W2" or "z2", or a pair such as ("z2", "W2").'
    )
    assert refusal(AxisError, diagnose, run, {"W1": 1.0}, layout="rows").startswith("layout 'rows'")
    assert refusal(DomainError, diagnose, run, {"W1": "two"}).startswith("W1 has dtype <U3")
    assert refusal(DomainError, diagnose, run, {"y": 1.0}).startswith("∂J/∂y: y holds labels")
    assert refusal(AxisError, diagnose, second_seed().run(X), {"W1": 1.0})


@pytest.mark.one_in(4)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 3), (2, 3, 4), (5, 1, 1, 1, 1), (0, 3)])
def test_any_shape_is_answered(shape):
    for s in (SCENES["seed"], SCENES["softmax7"]):
        for array in (np.full(shape, 0.7213), np.full(shape, np.nan), np.zeros(shape)):
            for key in ("W1", ("z1", "W1")):
                assert diagnose(s.run, {key: array})[key].label == "unknown"


def test_tied_parameters_keep_the_key_that_was_given():
    W = np.random.default_rng(5).normal(size=(3, 3))
    params = {"W1": W, "b1": np.zeros(3), "W2": W, "b2": np.ones(3)}
    net = Network.dense([3, 3, 3], "tanh", "squared_error", params=params)
    run = net.run([1.0, 2.0, 3.0], [0.0, 1.0, 0.0])
    right = run.gradients()["W1"]
    assert diagnose(run, {"W2": right})["W2"].ok
    assert diagnose(run, {"W2": right.T})["W2"].label == "correct-other-layout"
    assert diagnose(run, {"W2": right.T}, layout="flat")["W2"].label == "transposed"


def test_arrays_and_settings_stay_as_they_were():
    run = second_seed().run(X, Y)
    array = run.gradients()["W2"]
    kept, state = array.copy(), np.geterr()
    diagnose(run, {"W2": array, "W1": np.full((4, 3), np.inf)})
    np.testing.assert_array_equal(array, kept)
    assert np.geterr() == state
