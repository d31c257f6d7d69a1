"""diagnose in the convention of whoever wrote the arrays: axes, names, the 1/m, the bias."""

import numpy as np
import pytest
from planted_mistakes import dense_plants, scenes
from sampled import one_in
from written_in import drawn, key_in, written_in

from jacobian_bp import Convention, Network, SpecError, diagnose

RNG = np.random.default_rng(20)
NET = Network.dense([3, 7, 5, 2], "tanh", "half_squared_error", seed=4)
RUN = NET.run(RNG.normal(size=(11, 3)), RNG.normal(size=(11, 2)))
DELTAS = {f"z{n}": RUN.vjp("J", f"z{n}", 1.0) for n in (1, 2, 3)}
RIGHT = {**DELTAS, **RUN.gradients()}
SCENES = {s.name: s for s in scenes()}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("s", list(SCENES.values()), ids=list(SCENES))
def test_right_answers_are_right_in_every_convention(s):
    rng = np.random.default_rng(31)
    for _ in range(6):
        convention = drawn(rng)
        found = diagnose(s.run, written_in(convention, s.run, s.backward()), convention=convention)
        assert found.ok, (convention, str(found))


@pytest.mark.one_in(6)
@pytest.mark.parametrize("s", one_in(2, SCENES.values()), ids=list(SCENES))
def test_planted_mistakes_keep_their_label_in_every_convention(s):
    rng = np.random.default_rng(32)
    tried = 0
    for _, variant, arrays, _ in list(dense_plants(s))[::3]:
        ours, convention = diagnose(s.run, arrays, "gradient"), drawn(rng)
        given = written_in(convention, s.run, arrays)
        if (
            given is None
            or ours.ok
            or any(f.label == "correct-other-layout" for f in ours.values())
        ):
            continue
        theirs = diagnose(s.run, given, convention=convention)
        same = {key: (f.label, f.ok) for key, f in ours.items() if key_in(convention, key) in given}
        if convention.bias == "own":
            found = {key: theirs[key_in(convention, key)] for key in same}
            said = {key: (f.label, f.ok) for key, f in found.items()}
            assert said == same, (variant, convention, str(theirs))
        assert not theirs.ok
        tried += 1
    assert tried > 3


# ---------------------------------------------------------------- places, as they were handed in


def spoilt(array, *index):
    found = np.array(array)
    found[index] = 9.0
    return found


COLUMNS = Convention(examples="columns")
TURNED = Convention(weights="in,out")
BIASED = Convention(bias="first", first=2, names={"Theta{l-1}": "W", "err{l}": "delta"})
W1B = np.column_stack([RIGHT["b1"], RIGHT["W1"]])


@pytest.mark.one_in(8)
@pytest.mark.parametrize(
    ("given", "convention", "proved"),
    [
        ({"z1": spoilt(DELTAS["z1"].T, 3, 2)}, COLUMNS, "Wrong in one entry only: [3,2]"),
        ({"z1": spoilt(DELTAS["z1"], 3, 2)}, None, "Wrong in one entry only: [3,2]"),
        ({"z3": DELTAS["z3"].T, "z1": spoilt(DELTAS["z1"].T, 3, 2)}, None,
         "Wrong in one entry only: [3,2]"),
        ({"z1": spoilt(DELTAS["z1"].T, slice(None), 2)}, COLUMNS, "Wrong in 1 column only: 2"),
        ({"z1": spoilt(DELTAS["z1"].T, 4)}, COLUMNS, "Wrong in 1 row only: 4"),
        ({"W2": spoilt(RIGHT["W2"].T, 6, 1)}, TURNED, "Wrong in one entry only: [6,1]"),
        ({"W2": spoilt(RIGHT["W2"].T, 6)}, TURNED, "Wrong in 1 row only: 6"),
        ({"W1": RIGHT["W1"].T, "W2": spoilt(RIGHT["W2"].T, 6, 1)}, None,
         "Wrong in one entry only: [6,1]"),
        ({"dTheta1": spoilt(W1B, 5, 2)}, BIASED, "Wrong in one entry only: [5,2]"),
        ({"dTheta1": spoilt(W1B, slice(None), 3)}, BIASED, "Wrong in 1 column only: 3"),
        ({"dTheta1": spoilt(W1B, 5, 0)}, BIASED, "Wrong in 1 unit only: 5"),
        ({"b1": spoilt(RIGHT["b1"][:, None], 4, 0)}, COLUMNS, "Wrong in one entry only: [4,0]"),
        ({"W2": spoilt(RIGHT["W2"].ravel(), 8)}, None, "Wrong in 1 entry only: 8"),
    ],
)  # fmt: skip
def test_a_wrong_place_is_named_in_the_array_that_was_handed_in(given, convention, proved):
    whole = diagnose(RUN, given, convention=convention)
    assert whole.first_wrong is not None
    found = whole[whole.first_wrong]
    assert (found.label, found.proved) == ("unknown", (f"{proved} (counted from 0).",))


def test_what_is_not_finite_is_named_in_the_array_that_was_handed_in():
    bad = np.array(W1B)
    bad[6, 3] = np.nan
    assert diagnose(RUN, {"dTheta1": bad}, convention=BIASED)["dTheta1"].proved == (
        "1 entry is NaN or infinite: [6,3].",
    )
    delta = spoilt(DELTAS["z1"].T, 2, 10)
    delta[2, 10] = np.inf
    assert diagnose(RUN, {"z1": delta})["z1"].proved == ("1 entry is NaN or infinite: [2,10].",)


def test_a_shape_that_fits_nothing_is_told_the_shape_of_the_convention():
    found = diagnose(RUN, {"z1": np.ones((7, 7))}, convention=COLUMNS)["z1"]
    assert found.proved == ("Its shape fits no layout of z1, whose own is (7, 11).",)


def test_a_jacobian_is_read_and_told_in_the_convention():
    one = NET.run(RNG.normal(size=3), RNG.normal(size=2))
    right = one.jacobian("z2", "W2").materialise("numerator").transpose(0, 2, 1)
    both = Convention(weights="in,out", first=2)
    assert diagnose(one, {"dz3_dW3": right}, convention=both).ok
    found = diagnose(one, {"dz3_dW3": spoilt(right, 4, 6, 1)}, convention=both)["dz3_dW3"]
    assert found.proved == ("Wrong in one entry only: [4,6,1] (counted from 0).",)
    assert found.sentences[0].startswith("The Jacobian ∂z3/∂W3 is wrong")
    vector = diagnose(one, {("a1", "z1"): np.arange(7.0)})["a1", "z1"]
    assert vector.proved == (
        "Its shape (7,) is read as its diagonal alone, of (7, 7).",
        "No entry is right, and no ratio is constant.",
    )


# ---------------------------------------------------------------- names and the bias


@pytest.mark.parametrize(
    ("key", "names", "ours"),
    [
        ("dTheta1", {"Theta{l-1}": "W"}, "W1"),
        ("Theta2_grad", {"Theta{l-1}": "W"}, "W2"),
        ("dW[2]", {"W[{l-1}]": "W"}, "W2"),
        ("dW2", {}, "W1"),
        ("delta3", {}, "z2"),
        ("d_3", {}, "z2"),
        ("dZ2", {"dZ{l}": "delta"}, "z1"),
        ("err4", {"err{l}": "delta"}, "z3"),
        ("grad_b2", {}, "b1"),
    ],
)
def test_names_mean_what_the_convention_says(key, names, ours):
    convention = Convention(first=2, names=names)
    (found,) = diagnose(RUN, {key: RIGHT[ours]}, convention=convention).items()
    assert (found[0], found[1].ok) == (key, True)


def test_a_name_of_no_layer_is_refused_with_those_there_are():
    with pytest.raises(SpecError) as raised:
        diagnose(RUN, {"dW1": RIGHT["W1"]}, convention=BIASED)
    assert str(raised.value) == (
        "'dW1' names nothing of the network in this convention.\n"
        "  It has Theta1, b2, Theta2, b3, Theta3, b4, x, y, … 16 in all; names of your own are "
        "told by its names={…}."
    )


def test_a_bias_in_its_weight_and_by_itself_has_to_be_the_same():
    with pytest.raises(SpecError) as raised:
        diagnose(RUN, {"dTheta1": W1B, "b2": RIGHT["b1"] + 1}, convention=BIASED)
    assert str(raised.value) == (
        "b2 is there twice, with other numbers.\n  Keep one of the two arrays."
    )


def test_a_mistake_in_the_bias_column_is_said_of_the_column():
    array = np.column_stack([RIGHT["b1"] * 11, RIGHT["W1"]])
    found = diagnose(RUN, {"dTheta1": array}, convention=BIASED)["dTheta1"]
    assert (found.label, found.remark) == (
        "missing-batch-mean",
        "Column 0 of the gradient of Theta1 (layer 2) lacks the 1/m of the mean over the "
        "examples: it is 11 times the right array.",
    )


# ---------------------------------------------------------------- the 1/m


def test_a_delta_of_each_example_is_right_with_the_1_m_in_the_gradients():
    ng = Convention(mean="gradient")
    found = diagnose(RUN, {"z3": DELTAS["z3"] * 11, "W3": RIGHT["W3"]}, convention=ng)
    assert found.ok
    assert found["z3"].sentences[1] == (
        "It is ∂L/∂z3 of each example: the 1/m of the mean is in the gradients."
    )
    twice = diagnose(RUN, {"z3": DELTAS["z3"], "W3": RIGHT["W3"]}, convention=ng)
    assert (twice.first_wrong, twice["z3"].label) == ("z3", "batch-mean-twice")
    nowhere = diagnose(RUN, {"z3": DELTAS["z3"] * 11, "W3": RIGHT["W3"] * 11}, convention=ng)
    assert (nowhere.first_wrong, nowhere["W3"].label) == ("W3", "missing-batch-mean")


def test_a_delta_alone_is_said_to_be_right_of_each_example_where_no_gradient_denies_it():
    said = "It is right as ∂L/∂z3 of each example, if the 1/m is in your gradients."
    alone = diagnose(RUN, {"z3": DELTAS["z3"] * 11})["z3"]
    assert (alone.label, alone.sentences[-1]) == ("missing-batch-mean", said)
    beside = diagnose(RUN, {"z3": DELTAS["z3"] * 11, "W3": RIGHT["W3"] * 11})["z3"]
    assert said not in beside.sentences


def test_nothing_handed_in_is_changed():
    given = {"dTheta1": np.array(W1B), "err4": np.array(DELTAS["z3"])}
    before = {key: array.copy() for key, array in given.items()}
    first, second = (str(diagnose(RUN, given, convention=BIASED)) for _ in range(2))
    assert first == second
    assert all(np.array_equal(given[key], before[key]) for key in given)
