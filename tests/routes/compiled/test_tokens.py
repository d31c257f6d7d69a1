"""Attention, norms and layers over named axes in a compiled step: the numbers of a run."""

import numpy as np
import pytest
from token_nets import TOKENS, apart_in_tokens, token_net

from jacobian_bp import Network
from jacobian_bp.routes.compiled.step import CompiledStep


@pytest.mark.one_in(5)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("m", [1, 8])
@pytest.mark.parametrize("name", TOKENS)
def test_tokens_agree_with_the_run(name, m, dtype):
    assert apart_in_tokens(name, m, dtype) == []


@pytest.mark.parametrize("scale", [1e-3, 30.0])
@pytest.mark.parametrize("name", ["softmax of tokens", "a layer norm", "a GELU"])
def test_where_one_entry_rules_a_row_they_agree_too(name, scale):
    """There p is within rounding of 1, a slope within rounding of 0, a spread below eps."""
    assert apart_in_tokens(name, 8, scale=scale) == []


def test_a_norm_whose_squares_overflow_goes_the_long_way():
    """Far out the step has the bits of a run, which does not square what would overflow."""
    net, data, axes = token_net("a layer norm", 3)
    step = net.compile(batch=3, axes=axes)
    step(net.params, **data)
    far = data | {"x": data["x"] * 1e170}
    run = net.run(**far, axes=axes)
    loss, gradients = step(net.params, **far)
    assert loss == run.loss
    for name, expected in run.gradients().items():
        np.testing.assert_array_equal(gradients[name], expected, strict=True)


@pytest.mark.parametrize("norm", ["LayerNorm(x, g, b, eps=1e-320)", "RMSNorm(x, g, eps=1e-320)"])
def test_a_norm_whose_squares_have_few_digits_goes_the_long_way(norm):
    rng = np.random.default_rng(3)
    params = {"g": rng.normal(size=5), "b": rng.normal(size=5), "c": rng.normal(size=5)}
    params = {name: array for name, array in params.items() if name != "b" or "b" in norm}
    lines = (f"y = {norm}", "L = Einsum('k,k->', y, c)", "J = Mean(L)")
    net = Network.program(*lines, params=params)
    x = 1e-160 * rng.normal(size=(3, 5))
    loss, gradients = net.compile(batch=3)(net.params, x=x)
    run = net.run(x=x)
    np.testing.assert_allclose(loss, run.loss, rtol=1e-13)
    for name, expected in run.gradients().items():
        np.testing.assert_allclose(gradients[name], expected, rtol=1e-13, atol=1e-15)


def test_a_norm_with_eps_stays_in_its_kernel(monkeypatch):
    net, data, axes = token_net("a transformer block", 3)
    step = net.compile(batch=3, axes=axes)
    step(net.params, **data)
    monkeypatch.setattr(CompiledStep, "_run", None)
    step(net.params, **data)
