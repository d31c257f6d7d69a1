"""Batch normalisation of images, and with given statistics, against loops; counts, refusals."""

import math

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree

from jacobian_bp import DomainError, Network, SpecError, check_op, ops

RNG = np.random.default_rng(67)
SHAPES = [(5, 3), (5, 3, 2), (5, 2, 3, 2)]
LETTERS = "ncij"


def named(shape):
    return {"x": ",".join(LETTERS[: len(shape)])} if len(shape) > 2 else {}


def of_units(shape):
    return {name: RNG.normal(size=shape[1]) for name in ("gamma", "beta")}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_channel_is_standardised_over_examples_and_places(shape):
    inputs = {"x": RNG.normal(size=shape), **of_units(shape)}
    op = ops.BatchNorm(eps=0.25).meeting(tuple(LETTERS[: len(shape)]))
    y = np.zeros(shape)
    for c in range(shape[1]):
        entries = list(inputs["x"][:, c].ravel())
        mean = sum(entries) / len(entries)
        s = math.sqrt(sum((v - mean) ** 2 for v in entries) / len(entries) + 0.25)
        for place in np.ndindex(*shape):
            if place[1] == c:
                normal = (inputs["x"][place] - mean) / s
                y[place] = inputs["gamma"][c] * normal + inputs["beta"][c]
    agree(op.forward(*inputs.values()), y)
    report = check_op(ops.BatchNorm(eps=0.25), inputs, axes=named(shape))
    assert report.ok, str(report)


@pytest.mark.parametrize("shape", SHAPES)
def test_given_statistics_leave_each_entry_to_itself(shape):
    inputs = {"x": RNG.normal(size=shape), **of_units(shape)}
    inputs |= {"mean": RNG.normal(size=shape[1]), "var": RNG.uniform(0.5, 2, shape[1])}
    op = ops.BatchNorm(eps=0.25, training=False).meeting(tuple(LETTERS[: len(shape)]))
    y = np.zeros(shape)
    for place in np.ndindex(*shape):
        gamma, beta, mean, var = (inputs[n][place[1]] for n in ("gamma", "beta", "mean", "var"))
        y[place] = gamma * (inputs["x"][place] - mean) / math.sqrt(var + 0.25) + beta
    agree(op.forward(*inputs.values()), y)
    report = check_op(ops.BatchNorm(0.25, training=False), inputs, axes=named(shape))
    assert report.ok, str(report)


def network(norm):
    shapes = {"K": (3, 2, 2, 2), "gamma": (3,), "beta": (3,), "W": (2, 6)}
    return Network.program(
        "a = Conv2d(x, K)",
        f"g = BatchNorm(a, gamma, beta{norm})",
        "f = Flatten(g)",
        "z = Linear(f, W)",
        "L = SquaredError(z, y)",
        "J = Mean(L)",
        params={name: RNG.normal(size=shape) for name, shape in shapes.items()},
    )


def test_behind_a_convolution_all_routes_agree_and_channels_keep_apart():
    data = {"x": RNG.normal(size=(5, 2, 2, 3)), "y": RNG.normal(size=(5, 2))}
    run = network("").run(**data)
    assert run.check().ok, str(run.check())
    assert run.jacobian("g", "a").structural_nonzeros == 3 * 10 * 10
    statistics = {"mean": RNG.normal(size=3), "var": RNG.uniform(0.5, 2, 3)}
    net = network(", mean, var, training=False")
    whole = net.run(**data, **statistics)
    assert whole.check().ok, str(whole.check())
    assert whole.jacobian("g", "a").structural_nonzeros == 30
    one = net.run(x=data["x"][0], y=data["y"][0], **statistics)
    assert one.check().ok, str(one.check())
    agree(one["g"], whole["g"][0])
    assert [*net.params] == ["K", "gamma", "beta", "W"]


def test_statistics_that_do_not_fit_are_refused():
    message = refusal(SpecError, lambda: network(", training=False"))
    assert message == (
        "BatchNorm 'g' reads 5 values, x[k], gamma[k], beta[k], mean[k], var[k] -> y[k]; "
        "it is given 3: a, gamma, beta.\n"
        "  Write g = BatchNorm(a, gamma, beta, mean, var, training=False)."
    )
    inputs = {"x": np.ones((5, 3)), **of_units((5, 3)), "mean": np.zeros(3), "var": [1, -2, 1]}
    assert refusal(DomainError, lambda: check_op(ops.BatchNorm(training=False), inputs)) == (
        "BatchNorm: var[1] is -2 and eps 1e-05; a variance is not below 0, and its sum with eps "
        "above 0.\n  Pass the variance itself, and an eps above 0 where it is 0."
    )
    still = {"x": np.ones((5, 3, 2, 2)), **of_units((5, 3))}
    still["x"][:, 0] = RNG.normal(size=(5, 2, 2))
    make = ops.BatchNorm(eps=0)
    assert refusal(DomainError, check_op, make, still, axes={"x": "n,c,i,j"}) == (
        "BatchNorm: all 20 entries of x[:,1,:,:] are 1, so that they have no spread.\n"
        "  Give an eps above 0, such as eps=1e-5."
    )


def test_a_mean_over_examples_alone_is_told():
    class OverExamples(ops.BatchNorm):
        def vjp(self, y_bar, x, gamma, beta):
            columns = [a.reshape(len(a), -1) for a in (y_bar, x)]
            wide = [np.repeat(a, x[0, 0].size) for a in (gamma, beta)]
            found = ops.BatchNorm(self.eps).vjp(*columns, *wide)
            return super().vjp(y_bar, x, gamma, beta) | {"x": found["x"].reshape(x.shape)}

    inputs = {"x": RNG.normal(size=(5, 3, 2)), **of_units((5, 3))}
    (finding,) = check_op(OverExamples(), inputs, axes={"x": "n,c,i"}).findings
    assert (finding.input, finding.wrong) == ("x", "vjp() is wrong")
