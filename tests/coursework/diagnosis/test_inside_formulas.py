"""A mistake inside a cell is found with the cell's formula written out, at one use and at all."""

import numpy as np
import pytest
from equation_cases import sigmoid

from jacobian_bp import Network, diagnose
from jacobian_bp.coursework.diagnosis.inside_formulas import inside_of

RNG = np.random.default_rng(89)
TIMES, K, I, N = (1, 2), 3, 2, 5  # noqa: E741  units, inputs, examples


@pytest.fixture(scope="module")
def unrolled():
    """Two steps of an LSTM, and a cost at each of them."""
    rows = {"W": RNG.normal(size=(4 * K, I)), "U": RNG.normal(size=(4 * K, K))}
    lines = ["s1, m1 = LSTMCell(v1, s0, m0, W, U)", "s2, m2 = LSTMCell(v2, s1, m1, W, U)"]
    ends = ["p = Multiply(s1, s2)", "L = Einsum(p, g, 'k,k->')", "J = Sum(L, over='n')"]
    data = {"v1": (N, I), "v2": (N, I), "s0": (N, K), "m0": (N, K), "g": (N, K)}
    given = {name: RNG.normal(size=shape) for name, shape in data.items()}
    return Network.program(*lines, *ends, params=rows).run(**given)


def back(run, tanh=np.tanh, i_slope="i", g_slope="g", kept="f", times=TIMES, through_u=True):
    """dW of the two steps, with what somebody gets wrong in each of them."""
    v = {name: np.array(run[name]) for name in run}
    found, dc = np.zeros((4 * K, I)), 0.0
    from_above = 0.0
    for t in (2, 1):
        old_s, old_m, m = v[f"s{t - 1}"], v[f"m{t - 1}"], v[f"m{t}"]
        rows = v[f"v{t}"] @ v["W"].T + old_s @ v["U"].T
        i, f, g, o = (rows[:, q * K : q * K + K] for q in range(4))
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        slopes = {"i": i * (1 - i), "f": f * (1 - f), "g": 1 - g**2, "o": o * (1 - o)}
        dh = v["g"] * v[f"s{3 - t}"] + from_above
        dc = dc + dh * o * (1 - np.tanh(m) ** 2)
        parts = dc * g * slopes[i_slope], dc * old_m * slopes["f"], dc * i * slopes[g_slope]
        gates = np.hstack([*parts, dh * tanh(m) * slopes["o"]])
        found += (t in times) * gates.T @ v[f"v{t}"]
        dc = dc * {"f": f, "i": i}[kept]
        from_above = gates @ v["U"] * through_u
    return found


SAID = {
    "the state for its tanh": (
        {"tanh": lambda c: c},
        "wrong-factor",
        "In the delta of o2 (inside s2) another array stands in the place of the factor tanh_c2: "
        "m2. It is so in the formula of s1 too. Written out in s2: o2 = Sigmoid(raw_o2); "
        "tanh_c2 = Tanh(m2).",
    ),
    "another gate's slope": (
        {"i_slope": "f"},
        "wrong-layer-slope",
        "In the delta of raw_i2 (inside m2) another slope is used: σ'(raw_f2) stands for "
        "σ'(raw_i2). It is so in the formula of m1 too. Written out in m2: "
        "raw_i2 = Slice(raw2, 0, 3); raw_f2 = Slice(raw2, 3, 6).",
    ),
    "another gate's function": (
        {"g_slope": "o"},
        "wrong-layer-slope",
        "In the delta of raw_g2 (inside m2) another slope is used: σ'(raw_o2) stands for "
        "tanh'(raw_g2). It is so in the formula of m1 too. Written out in m2: "
        "raw_g2 = Slice(raw2, 6, 9); in s2: raw_o2 = Slice(raw2, 9, 12).",
    ),
    "the last step only": (
        {"times": (2,)},
        "last-step-only",
        "In the gradient of W a parameter is used at several steps or in several examples, and one "
        "is counted: the step that computes from_x2 alone. All of them add up: += where = stands. "
        "Written out in m2: from_x2 = Linear(v2, W).",
    ),
    "no way back through U": (
        {"through_u": False},
        "fan-out-overwritten",
        "In the delta of s1 several paths add up, and only some are counted: the path through p "
        "alone.",
    ),
}


def test_the_way_back_is_right_where_nothing_is_wrong_in_it(unrolled):
    found = diagnose(unrolled, {"W": back(unrolled)})
    assert found["W"].remark == "W is right."


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", SAID)
def test_what_is_wrong_inside_is_said_of_every_use(unrolled, name):
    wrong, label, sentence = SAID[name]
    array = back(unrolled, **wrong)
    kept = array.copy()
    found = diagnose(unrolled, {"W": array})["W"]
    assert (found.label, found.remark) == (label, sentence)
    assert np.array_equal(array, kept)


def test_what_two_formulas_compute_alike_is_computed_once(unrolled):
    inside = inside_of(unrolled.forward_pass)
    names = [step.name for step in inside.state.program.steps]
    assert [name for name in names if name.startswith("raw")] == [
        *("raw1", "raw_i1", "raw_f1", "raw_g1", "raw_o1"),
        *("raw2", "raw_i2", "raw_f2", "raw_g2", "raw_o2"),
    ]
    for name in unrolled:
        np.testing.assert_allclose(inside.state.values[name], unrolled[name], rtol=1e-12)


@pytest.mark.full
def test_numbers_that_no_mistake_gives_have_no_label(unrolled):
    noise = RNG.normal(size=(4 * K, I))
    assert diagnose(unrolled, {"W": noise})["W"].label == "unknown"


def test_a_network_without_formulas_is_not_written_out():
    net = Network.dense([3, 5, 2], "tanh", "half_squared_error", seed=1)
    run = net.run(RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2)))
    assert inside_of(run.forward_pass) is None
