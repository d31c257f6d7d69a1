"""diagnose beyond dense layers: what an op's Jacobian says can go wrong, by its equation."""

import held_out_mistakes
import numpy as np
import pytest
from equation_cases import RMSNorm, plants
from graph_cases import skip
from network_cases import random_net
from random_programs import random_program

from jacobian_bp import Einsum, LogSoftmax, Network, Op
from jacobian_bp.coursework.diagnosis import diagnose
from jacobian_bp.coursework.diagnosis.edits import edits_of
from jacobian_bp.coursework.diagnosis.mutations.mutation import Facts
from jacobian_bp.coursework.diagnosis.passes.pass_lines import backward_pass

PLANTS = {plant.name: plant for plant in plants()}
RNG = np.random.default_rng(71)


def normal(*shape):
    return RNG.normal(size=shape)


# --- the equation is the line ------------------------------------------------------


@pytest.mark.parametrize("scene", sorted({name.split(":")[0] for name in PLANTS}))
def test_the_equation_of_a_line_gives_what_the_line_gives(scene):
    run = next(p.run for name, p in PLANTS.items() if name.startswith(scene))
    backward = backward_pass(run.forward_pass)
    facts = Facts(backward, frozenset())
    seen = 0
    for line in backward.lines:
        equation = facts.equation(line)
        if line.asleep or equation is None:
            continue
        other = normal(*backward.base[line.source].shape)
        gap = equation.value(other) - line.value(other)
        assert np.abs(gap).max() <= 1e-12 * np.abs(line.value(other)).max()
        turned = -equation.value(other) - line.value(other)
        assert np.abs(turned).max() > 1e-3
        seen += 1
    assert seen >= len(backward.lines) - 1


# --- planted -----------------------------------------------------------------------


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_mistake_beyond_dense_layers_is_named(name):
    plant = PLANTS[name]
    before = {key: array.copy() for key, array in plant.arrays.items()}
    found = diagnose(plant.run, plant.arrays)
    assert found.first_wrong == plant.key
    assert found[plant.key].label in plant.labels
    assert not any(p in found[plant.key].remark for p in ("{", "None", "summed'", "apart'"))
    assert all(np.array_equal(before[key], plant.arrays[key]) for key in before)
    assert str(diagnose(plant.run, plant.arrays)) == str(found)


def test_each_edit_is_one_exact_sentence():
    said = {
        "gate: γ left out": "In the delta of h the factor gamma is left out: it stands in ∂r/∂h.",
        "gate: slope alone": "In the delta of u what comes back from the step after, ∂J/∂t, is "
        "left out: the chain rule multiplies ∂t/∂u by it.",
        "gate: u for tanh u": "In the delta of s another array stands in the place of the factor "
        "t: u.",
        "attention: softmax: a plus": "In the delta of s one term of the Jacobian ∂p/∂s has the "
        "wrong sign: −p[n,k] p[n,k'].",
        "attention: dK for K": "In the delta of q the gradient of a weight stands for the weight: "
        "∂J/∂K for K.",
        "convolution: the last window": "In the gradient of w one summand overwrites another: the "
        "last one along o is kept, where all are added.",
        "own_ops: a sum for a mean": "In the delta of x the sum over k is taken for the mean.",
    }
    for name, sentence in said.items():
        plant = PLANTS[name]
        assert diagnose(plant.run, plant.arrays)[plant.key].remark == sentence


def test_one_slip_in_every_layer_is_one_mistake_told_at_the_first():
    net = random_net([3, 5, 7, 2], ["tanh"] * 3, "half_squared_error", 9)
    run = net.run(normal(11, 3), normal(11, 2))
    d, P = (run["a3"] - run["y"]) / 11, net.params
    for layer in (3, 2, 1):
        d = d * (1 - np.tanh(d) ** 2)
        if layer > 1:
            d = d @ P[f"W{layer}"]
    found = diagnose(run, {"W1": d.T @ run["x"]})["W1"]
    assert (found.label, found.where) == ("slope-at-delta", "z1")
    assert found.remark.endswith("tanh'(∂J/∂a1) stands for tanh'(z1).")


# --- a sentence is said only where its premise holds ---------------------------------


class Centre(Op):
    """y = x − mean(x): it has a mean, and no variance."""

    signature = "x[k] -> y[k]"

    def forward(self, x):
        return x - x.mean(-1, keepdims=True)

    def jacobians(self, x):
        raise NotImplementedError

    def vjp(self, bar, x):
        return {"x": bar - bar.mean(-1, keepdims=True)}


@pytest.mark.parametrize("op", [RMSNorm, Centre, LogSoftmax])
def test_mean_and_variance_are_spoken_of_where_the_op_has_both(op):
    params = {"g": normal(5)} if op is RMSNorm else {}
    net = Network.program(
        f"r = {op.__name__}(x{', g' * len(params)})",
        "L = HalfSquaredError(r, y)",
        "J = Mean(L)",
        params=params,
        ops={} if op is LogSoftmax else {op.__name__: op},
    )
    run = net.run(normal(7, 5), normal(7, 5))
    dr = (run["r"] - run["y"]) / 7
    held = dr * params["g"] / np.sqrt((run["x"] ** 2).mean(-1, keepdims=True)) if params else dr
    found = diagnose(run, {"r": dr, "x": held})["x"]
    assert found.label != "statistics-as-constants"
    assert "mean" not in found.remark
    assert "variance" not in found.remark


def test_a_sum_that_is_no_mean_is_not_called_a_statistic():
    net = Network.program(
        "h = Tanh(x)",
        "s = Total(h)",
        "r = Weigh(s, h)",
        "L = HalfSquaredError(r, y)",
        ops={"Total": Einsum("k->"), "Weigh": Einsum(",k->k")},
    )
    run = net.run(x=normal(5), y=normal(5))
    dr = run["r"] - run["y"]
    found = diagnose(run, {"r": dr, "h": dr * run["s"]})["h"]
    assert found.label == "fan-out-overwritten"
    assert "variance" not in found.remark


def test_an_array_that_is_its_own_transpose_is_no_transposition():
    net = random_net([3, 4, 4, 2], ["tanh"] * 3, "half_squared_error", 5)
    run = net.run(normal(5, 3), normal(5, 2))
    found = diagnose(run, {"z2": np.zeros((5, 4)), "W2": np.zeros((4, 4))})
    assert [(f.label, f.follows) for f in found.values()] == [("unknown", False), ("correct", True)]
    assert diagnose(run, {"W2": np.zeros((4, 4))})["W2"].label == "unknown"
    one_sided = normal(4, 4)
    assert diagnose(run, {"W2": one_sided + one_sided.T})["W2"].label == "unknown"


def test_an_axis_of_length_1_is_never_spoken_of():
    net = Network.program(
        "h = Scale(x, w)",
        "L = HalfSquaredError(h, y)",
        "J = Mean(L)",
        params={"w": normal(1)},
        ops={"Scale": Einsum("k,k->k")},
    )
    run = net.run(normal(7, 1), normal(7, 1))
    lines = backward_pass(run.forward_pass)
    facts = Facts(lines, frozenset({(7,), (1,), (), (7, 1)}))
    notes = [v.note for line in lines.lines for v in edits_of(line, facts)]
    assert notes
    assert not any("over k" in note or "k and" in note for note in notes)


# --- the derivative of the output ----------------------------------------------------


@pytest.mark.parametrize("activation", ["identity", "tanh", "sigmoid", "relu"])
def test_the_derivative_of_the_output_is_told_whatever_the_activation(activation):
    net = Network.dense([2, 1], activation, "half_squared_error", seed=1)
    run = net.run([1.0, 0.5], 0.1)
    slope = {"identity": 1.0, "relu": 1.0 * (run["z1"] > 0)}.get(activation)
    a = run["a1"]
    slope = slope if slope is not None else 1 - a**2 if activation == "tanh" else a * (1 - a)
    dW = np.outer(np.ones(1) * slope, [1.0, 0.5])
    if np.any(dW):
        assert diagnose(run, {"W1": dW})["W1"].label == "check-of-wrong-quantity"


# --- mistakes that the edits were not made with ----------------------------------------

NOT_NAMED = {
    "recurrent_gate: 1 − g for g",  # it is the delta of h0 too, and that is said
    "norm_as_an_own_op: the sign alone",  # one number, up to sign, proves nothing
}


def test_mistakes_that_the_edits_were_not_made_with_are_named():
    found = {}
    for plant in held_out_mistakes.plants():
        finding = diagnose(plant.run, plant.arrays)[plant.key]
        assert not finding.ok, plant.name
        found[plant.name] = finding.label in plant.labels
    assert len(found) >= 60
    assert {name for name, named in found.items() if not named} == NOT_NAMED


# --- right answers, and numbers of nobody --------------------------------------------


def scenes_and_graphs():
    every = [*PLANTS.values(), *held_out_mistakes.plants()]
    runs = {id(p.run): p.run for p in every}
    return [*runs.values(), skip(True)[0], skip(False)[0]]


def right_arrays(run):
    names = [n for n in backward_pass(run.forward_pass).base if n != run.cost]
    return {name: run.vjp(run.cost, name, 1.0) for name in names}


def right_forms(array):
    """The right array as people hand it in."""
    yield array
    yield array.astype(np.float32)
    yield np.round(array, 9)
    yield array * (1 + 1e-10)


@pytest.mark.parametrize(
    ("programs", "least"), [(2, 300), pytest.param(90, 3000, marks=pytest.mark.full)]
)
def test_right_arrays_raise_no_alarm(programs, least):
    runs = scenes_and_graphs()
    for seed in range(programs):
        net, data = random_program(seed)
        runs.append(net.run(**data))
    count = 0
    for run in runs:
        right = right_arrays(run)
        assert diagnose(run, right).ok
        for name, array in right.items():
            for form in right_forms(array):
                assert diagnose(run, {name: form}).ok, name
                count += 1
    assert count >= least


def test_an_array_that_is_a_little_wrong_raises_the_alarm():
    for run in scenes_and_graphs():
        name, array = max(right_arrays(run).items(), key=lambda item: item[1].size)
        assert not diagnose(run, {name: array * 1.37 + 0.1}).ok, name


@pytest.mark.parametrize("least", [15, pytest.param(500, marks=pytest.mark.full)])
def test_random_arrays_have_no_label(least):
    runs = scenes_and_graphs()
    right = [right_arrays(run) for run in runs]
    count = 0
    while count < least:  # another array of each run in every round
        for run, arrays in zip(runs, right, strict=True):
            name = sorted(arrays)[count % len(arrays)]
            drawn = normal(*arrays[name].shape)
            assert diagnose(run, {name: drawn})[name].label == "unknown", name
            count += 1


def rms_norm():
    """y = g x / rms(x), with its delta and what the two terms of its Jacobian make of it."""
    net = Network.program(
        "r = RMSNorm(x, g)", "L = HalfSquaredError(r, y)", "J = Mean(L)", params={"g": normal(5)}
    )
    run = net.run(normal(7, 5), normal(7, 5))
    dr = (run["r"] - run["y"]) / 7
    rms = np.sqrt((run["x"] ** 2).mean(-1, keepdims=True) + 1e-5)
    return run, dr, dr * run["g"] / rms, run["x"] / rms


def test_the_diagonal_is_spoken_of_where_it_is_the_whole_diagonal():
    run, dr, held, u = rms_norm()
    right = run.vjp("J", "x", 1.0)
    assert np.allclose(held - u * (held * u).mean(-1, keepdims=True), right)
    found = diagnose(run, {"r": dr, "x": held})["x"]
    assert found.remark == (
        "In the delta of x a term of the Jacobian ∂r/∂x is left out: "
        "−1/5 (g/r_r)[n,k] u[n,k] u[n,k']."
    )
    diagonal = diagnose(run, {"r": dr, "x": held * (1 - u * u / 5)})["x"]
    assert diagonal.remark == (
        "In the delta of x only the diagonal of the Jacobian ∂r/∂x is used: "
        "an entry reads other entries too."
    )


@pytest.mark.parametrize("fan_out", [False, True])
def test_the_slope_of_another_activation_is_told(fan_out):
    lines = ["z = Linear(x, W, b)", "h = Softplus(z)"]
    lines += ["p = Multiply(h, z)"] if fan_out else ["p = Multiply(h, w)"]
    net = Network.program(
        *lines,
        "L = HalfSquaredError(p, y)",
        "J = Mean(L)",
        params={"W": normal(3, 5), "b": normal(3)},
    )
    run = net.run(x=normal(7, 5), y=normal(7, 3), **({} if fan_out else {"w": normal(7, 3)}))
    z, h, dp = run["z"], run["h"], (run["p"] - run["y"]) / 7
    dh, s = dp * (z if fan_out else run["w"]), 1 / (1 + np.exp(-z))
    straight = dp * h if fan_out else 0
    slopes = {"σ'(z)": s * (1 - s), "tanh'(z)": 1 - np.tanh(z) ** 2}
    for name, slope in slopes.items():
        found = diagnose(run, {"p": dp, "h": dh, "z": straight + dh * slope})["z"]
        assert found.remark == (
            f"In the delta of z another array stands in the place of the factor σ(z): {name}."
        )
    assert diagnose(run, {"p": dp, "h": dh, "z": straight + dh * s}).ok
