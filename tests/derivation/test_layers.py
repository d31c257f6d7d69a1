"""Each kind of layer, derived on a page: the numbers are right, and the page is short.

The cost of each network stands here once more, in plain arithmetic of 50 digits; its differences
with a step of 1e-20 are the exact gradient, as far as a float can tell.

A value that large terms leave, such as a residual near 0 or an entry beside its mean, brings its
rounding into the gradient whole. The sum over absolute values does not know of it: where that is
not enough, what the gradient moves by is allowed too, each value being off by its own rounding.
"""

import re

import mpmath
import numpy as np
import pytest
from layer_cases import LAYERS, layer_run
from moved_values import moved_by_rounding

from jacobian_bp import Network, ops
from jacobian_bp.derivation.legend import legend
from jacobian_bp.numbers.rounding import of_sums
from jacobian_bp.routes.structured import structured

DIGITS, STEP = 50, mpmath.mpf("1e-20")
SEEDS = (2, 3, 5)
WHOLE_PAGE = 60  # lines, with network and checks

exp, log, tanh = (np.vectorize(f, otypes=[object]) for f in (mpmath.exp, mpmath.log, mpmath.tanh))


def relu(z):
    return np.where(z > 0, z, 0 * z)


def sigmoid(z):
    return 1 / (1 + exp(-z))


def softmax(z):
    return exp(z) / exp(z).sum(axis=-1, keepdims=True)


def normal(z, axis):
    """(z − mean)/√(variance + eps)"""
    far = z - z.sum(axis=axis, keepdims=True) / z.shape[axis]
    spread = (far * far).sum(axis=axis, keepdims=True) / z.shape[axis] + mpmath.mpf(1e-5)
    return far / np.vectorize(mpmath.sqrt, otypes=[object])(spread)


def windows(x, K, b, groups=1):
    """Conv2d by loops."""
    d, c, r, s = K.shape
    out = np.zeros((d, x.shape[1] - r + 1, x.shape[2] - s + 1), object)
    for k, o, q in np.ndindex(*out.shape):
        first = k * groups // d * c
        out[k, o, q] = (K[k] * x[first : first + c, o : o + r, q : q + s]).sum() + b[k]
    return out


def largest(x):
    """MaxPool2d of width 2 by loops."""
    out = np.zeros((x.shape[0], x.shape[1] // 2, x.shape[2] // 2), object)
    for c, o, q in np.ndindex(*out.shape):
        out[c, o, q] = x[c, 2 * o : 2 * o + 2, 2 * q : 2 * q + 2].max()
    return out


def squares(a, y):
    return ((a - y) ** 2).sum()


COSTS = {
    "dense": lambda x, y, W, b: squares(W @ x + b, y),
    "rectifier": lambda x, y, W, b: squares(relu(W @ x + b), y),
    "softmax and cross-entropy": lambda x, y, W, b: -log(softmax(W @ x + b)[int(y)]),
    "convolution": lambda x, y, K, b: (y * windows(x, K, b)).sum(),
    "depthwise convolution": lambda x, y, K: (y * windows(x, K, [0, 0], groups=2)).sum(),
    "max pool": lambda x, y: (y * largest(x)).sum(),
    "batch norm": lambda x, y, W, gamma, beta: (y * (gamma * normal(x @ W.T, 0) + beta)).sum(),
    "layer norm": lambda x, y, W, gamma, beta: squares(gamma * normal(W @ x, 0) + beta, y),
    "residual": lambda x, y, W, b: squares(tanh(W @ x + b) + x, y),
    "squeeze and excite": lambda x, y, W1, W2: (
        y * sigmoid(W2 @ relu(W1 @ x.sum(axis=1)))[:, None] * x
    ).sum(),
    "attention": lambda y, q, k, v: (y * (softmax(q @ k.T) @ v)).sum(),
}
by_layer = pytest.mark.parametrize("name", LAYERS)


def exact_gradients(name, run):
    """The gradient by every parameter, in floats that are nearest to it."""
    with mpmath.workdps(DIGITS):
        exact = np.vectorize(mpmath.mpf, otypes=[object])
        inputs = [n for n in ("x", "y") if n in run and n not in run.params]
        values = {n: exact(np.asarray(run[n], float)) for n in (*inputs, *run.params)}
        if name.startswith("softmax"):
            values["y"] = int(np.argmax(run["y"]))
        cost = COSTS[name](**values)
        found = {}
        for param in run.params:
            gradient = np.zeros(values[param].shape)
            for index in np.ndindex(*gradient.shape):
                moved = values[param].copy()
                moved[index] += STEP
                rise = COSTS[name](**{**values, param: moved}) - cost
                gradient[index] = float((rise if np.ndim(rise) == 0 else rise.item()) / STEP)
            found[param] = gradient
    return found


def far(name, run):
    """The parameters whose gradient is beyond 8 ULP and 16·u·Σ|terms| of the exact one.

    The terms are those of its own sums; where they are not enough, those of every value too.
    """
    scale = structured(run.forward_pass, list(run.params), magnitudes=True)
    exact, found, moved = exact_gradients(name, run), [], None
    for route in ("vjp", "full", "structured"):
        for param, gradient in run.gradients(route).items():
            right = exact[param]
            bar = np.maximum(8 * np.spacing(np.abs(right)), of_sums(scale[param], np.float64))
            if not np.all(np.abs(gradient - right) <= bar):
                moved = moved or moved_by_rounding(run, list(run.params))
                bar = bar + moved[param]
            if not np.all(np.abs(gradient - right) <= bar):
                found.append((route, param))
    return found


def test_every_layer_has_its_cost_in_plain_arithmetic():
    assert COSTS.keys() == LAYERS.keys()


@pytest.mark.one_in(3)
@by_layer
def test_the_gradients_are_the_exact_ones(name):
    runs = [layer_run(name, seed) for seed in SEEDS]
    assert [far(name, run) for run in runs] == [[]] * len(SEEDS)
    gradients = [run.gradients() for run in runs]
    assert all(any(found[param].any() for found in gradients) for param in gradients[0])


def test_a_gradient_that_is_off_in_the_twelfth_digit_is_seen(monkeypatch):
    right = ops.LayerNorm.vjp

    def wrong(self, bar, x, gamma, beta):
        found = right(self, bar, x, gamma, beta)
        return {**found, "x": found["x"] * (1 + 1e-12)}

    monkeypatch.setattr(ops.LayerNorm, "vjp", wrong)
    assert far("layer norm", layer_run("layer norm", SEEDS[0])) == [("vjp", "W")]


@pytest.mark.one_in(3)
@by_layer
def test_the_page_is_short_and_all_routes_agree(name):
    for seed in SEEDS:
        lines = str(layer_run(name, seed).derivation()).splitlines()
        assert lines[-1].strip() == "all routes agree"
        assert len(lines) <= WHOLE_PAGE
        assert max(map(len, lines)) <= 99


def test_all_of_a_page_still_has_every_entry():
    run = layer_run("attention", SEEDS[0])
    short, whole = (run.derivation().text(everything=wanted) for wanted in (False, True))
    block = "        [-0.413064; -2.44147; 1.79971]  2 such blocks on the diagonal, '.' beside them"
    rows = [
        "-0.413064  .",
        "-2.44147  .",
        "1.79971  .",
        ".  -0.413064",
        ".  -2.44147",
        ".  1.79971",
    ]
    flat = [re.sub(r" {3,}", "  ", line).strip(" []") for line in whole.splitlines()]
    assert block in short.splitlines()
    assert block not in whole.splitlines()
    assert any(flat[place : place + 6] == rows for place in range(len(flat)))


def test_a_product_of_one_jacobian_is_not_said_again_under_its_name():
    page = str(layer_run("attention", SEEDS[0]).derivation())
    assert "∂J/∂o     y[t',d']" in page
    assert "= ∂J/∂o [3][4]" in page
    assert "= [1] " not in page


def test_a_zero_of_this_input_has_its_sentence_where_there_is_one():
    said = "'0' at this input"
    pages = {seed: str(layer_run("squeeze and excite", seed).derivation()) for seed in (2, 3)}
    assert {seed: "= [0  0]" in page for seed, page in pages.items()} == {2: False, 3: True}
    assert {seed: said in page for seed, page in pages.items()} == {2: False, 3: True}


def test_a_zero_that_every_input_has_by_its_factors_is_not_said_to_be_of_this_input_alone():
    """One position alone has the share 1: its slope P(1−P) is 0, and no delta says so."""
    scores, y = np.random.default_rng(7).normal(size=(2, 3, 3))
    lines, added = ["P = CausalSoftmax(s)", "J = Table(P, y)"], ops.Einsum("tu,tu->")
    run = Network.program(*lines, params={"s": scores}, ops={"Table": added}).run(y=y)
    page = str(run.derivation())
    assert "'.' is zero for every input; '0' at this input\n" in page
    assert "row t shares one sum over what is not later; row 0 is always 1" in page
    first = page[page.index("∂P/∂s ") :].splitlines()[4]
    assert first.lstrip().startswith("[0  .  .]"), first
    other = Network.program("P = CausalSoftmax(s)", params={"s": 3 * scores}).run()
    for each in (run, other):
        assert each["P"][0].tolist() == [1, 0, 0]
        assert not each.jacobian("P", "s").materialise()[0].any()


@by_layer
def test_every_sum_of_a_page_has_its_sentence(name):
    """Over the very axis, its prime included: Σ_r' is not Σ_r."""
    page = str(layer_run(name, SEEDS[0]).derivation())
    steps = page[page.index("\nstep ") : page.index("\ngradient ")]
    summed = set(re.findall(r"Σ_(\w+'*)", steps))
    signs, over = re.search(r"(Σ_[\w', Σ]+): the sum over ([\w', ]+)", page).groups()
    assert signs.replace("Σ_", "") == over
    assert {*over.split(", ")} >= summed


def test_a_sum_over_a_primed_axis_is_said_with_its_prime():
    ledger = layer_run("dense", SEEDS[0]).derivation()
    found = legend(ledger, "= Σ_r' δ1[k] K[k,r'] + Σ_r K[k,r]")
    assert found[-1] == "Σ_r', Σ_r: the sum over r', r"
