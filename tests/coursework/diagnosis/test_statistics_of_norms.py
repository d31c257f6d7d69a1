"""A norm worked out with statistics that are not its own is told what they are."""

import numpy as np
import pytest

from jacobian_bp import Network, diagnose

RNG = np.random.default_rng(73)
N, T, K = 7, 3, 5
SHARE = "In the delta of v the number {} stands in the place of the factor {}."
INSTEAD = "In the delta of v another array stands in the place of the factor {}: {}."
OVER = "In the delta of v the sum runs over the wrong index: {}."
# op -> its axes, whether it takes a mean away, what it divides by
NORMS = {
    "LayerNorm": ((2,), True, "s"),
    "BatchNorm": ((0, 1), True, "s"),
    "RMSNorm": ((2,), False, "r"),
}


def network(op):
    """y = op(v) of tokens, and a cost that weighs each entry of it."""
    gain, shift = RNG.normal(size=K), RNG.normal(size=K)
    args, params = ("gain", {"gain": gain}) if op == "RMSNorm" else ("gain, shift", None)
    params = params or {"gain": gain, "shift": shift}
    net = Network.program(
        f"y = {op}(v, {args}, eps=0.25)",
        "L = Einsum(y, g, 'k,k->')",
        "J = Sum(L, over='n,t')",
        params=params,
    )
    v, g = RNG.normal(size=(2, N, T, K))
    return net.run(v=v, g=g, axes={"v": "n,t", "g": "n,t"}), v, g * gain


def back(d, v, over, centred, eps=0.25, more=0.0, count=0, means=None):
    """The way back of a norm, with what somebody gets wrong in it."""
    away = v - v.mean(over, keepdims=True) if centred else v
    size = np.prod([v.shape[p] for p in over])
    s = np.sqrt((away**2).sum(over, keepdims=True) / (size - count) + eps) + more
    u, means = away / s, means or over
    mean = d.mean(means, keepdims=True) if centred else 0
    return (d - mean - u * (d * u).mean(means, keepdims=True)) / s


def said(run, array):
    """The sentence on the delta of v, that of y being right."""
    kept = array.copy()
    finding = diagnose(run, {"y": run.vjp("J", "y", 1.0), "v": array})["v"]
    assert np.array_equal(kept, array)
    return finding.remark


@pytest.mark.parametrize("op", NORMS)
def test_each_other_statistic_is_named(op):
    over, centred, s = NORMS[op]
    run, v, d = network(op)
    D = int(np.prod([v.shape[p] for p in over]))
    assert said(run, back(d, v, over, centred)) == "v is right."
    wrong = back(d, v, over, centred, count=1)
    assert said(run, wrong) == INSTEAD.format(s, f"its mean has 1/{D - 1} for 1/{D}")
    wrong = back(d, v, over, centred, eps=0.0)
    assert said(run, wrong) == INSTEAD.format(s, "eps is not added before the root is taken")
    wrong = back(d, v, over, centred, eps=0.0, more=0.25)
    assert said(run, wrong) == INSTEAD.format(s, "eps is added behind the root")
    there, words = ((0,), "the examples") if op != "BatchNorm" else ((2,), "k")
    meant = "k" if op != "BatchNorm" else "the examples and t"
    what = "mean and spread go" if centred else "the mean of the squares goes"
    wrong = back(d, v, there, centred)
    assert said(run, wrong) == OVER.format(f"{what} over {words}, and not over {meant}")


@pytest.mark.parametrize("op", NORMS)
def test_one_less_than_the_entries_is_said_of_one_mean_and_of_both(op):
    over, centred, name = NORMS[op]
    run, v, d = network(op)
    D = int(np.prod([v.shape[p] for p in over]))
    away = v - v.mean(over, keepdims=True) if centred else v
    s = np.sqrt((away**2).mean(over, keepdims=True) + 0.25)
    u = away / s
    less = d.sum(over, keepdims=True) / (D - 1) if centred else 0
    both = (d - less - u * (d * u).sum(over, keepdims=True) / (D - 1)) / s
    assert said(run, both) == SHARE.format(f"1/{D - 1}", f"1/{D}")
    turned = back(d, v, over, centred) * s**2
    assert said(run, turned) == INSTEAD.format(f"1/{name}", name)


def test_a_mean_that_the_norm_does_not_take_away_is_no_part_of_its_way_back():
    run, v, d = network("RMSNorm")
    r = np.sqrt((v**2).mean(-1, keepdims=True) + 0.25)
    u = v / r
    wrong = (d - d.mean(-1, keepdims=True) - u * (d * u).mean(-1, keepdims=True)) / r
    found = INSTEAD.format("∂y/∂v", "that of a norm that takes the mean away too")
    assert said(run, wrong) == found


def test_the_gradient_of_a_gain_by_what_the_step_reads_names_what_belongs_there():
    run, v, _ = network("LayerNorm")
    dy = run.vjp("J", "y", 1.0)
    found = diagnose(run, {"y": dy, "gain": (dy * v).sum((0, 1))})["gain"]
    assert found.remark == (
        "In the gradient of gain v is used, where v̂ belongs, which the step makes of it."
    )
    mean, spread = v.mean(0), np.sqrt(v.var(0) + 0.25)
    found = diagnose(run, {"y": dy, "gain": (dy * (v - mean) / spread).sum((0, 1))})["gain"]
    assert found.remark == (
        "In the gradient of gain the sum runs over the wrong index: mean and spread go over the "
        "examples, and not over k."
    )
    noise = RNG.normal(size=(N, T, K))
    assert diagnose(run, {"y": dy, "v": noise})["v"].label == "unknown"
