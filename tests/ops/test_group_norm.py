"""Group normalisation against loops over the entries of each group; counts, refusals."""

import math

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree, dense_jacobian, swept_vjp

from jacobian_bp import DomainError, Network, check_op, ops

RNG = np.random.default_rng(53)
CASES = [  # groups, and the shape of an example
    (2, (4, 3, 5)),
    (3, (3, 2, 5)),
    (1, (2, 3, 5)),
    (5, (10, 3)),
    (2, (6,)),
]
every_case = pytest.mark.parametrize(("groups", "shape"), CASES)


def made(groups, shape):
    return ops.GroupNorm(groups, eps=0.25, axes=",".join("cij"[: len(shape)]))


def by_loops(groups, x, gamma, beta, eps):
    """y, ∂y/∂x and ∂y/∂gamma: each entry with those of its group."""
    y, by_x = np.zeros(x.shape), np.zeros((*x.shape, *x.shape))
    by_gamma, by_beta = (np.zeros((*x.shape, len(gamma))) for _ in range(2))
    size = len(gamma) // groups
    for group in range(groups):
        places = [p for p in np.ndindex(*x.shape) if p[0] // size == group]
        count = len(places)
        mean = sum(x[p] for p in places) / count
        s = math.sqrt(sum((x[p] - mean) ** 2 for p in places) / count + eps)
        for p in places:
            normal = (x[p] - mean) / s
            y[p] = gamma[p[0]] * normal + beta[p[0]]
            by_gamma[(*p, p[0])], by_beta[(*p, p[0])] = normal, 1
            for q in places:
                mixed = (1 + normal * (x[q] - mean) / s) / count
                by_x[(*p, *q)] = gamma[p[0]] / s * ((p == q) - mixed)
    return y, {"x": by_x, "gamma": by_gamma, "beta": by_beta}


def drawn(shape, front=()):
    return [RNG.normal(size=(*front, *shape)), RNG.normal(size=shape[0]), RNG.normal(size=shape[0])]


@every_case
def test_a_group_is_standardised_by_itself(groups, shape):
    op, inputs = made(groups, shape), drawn(shape)
    y, jacobians = by_loops(groups, *inputs, op.eps)
    agree(op.forward(*inputs), y)
    for name, expected in jacobians.items():
        agree(dense_jacobian(op, name, inputs), expected)
        agree(swept_vjp(op, name, inputs), expected)


@pytest.mark.one_in(2)
@every_case
@pytest.mark.parametrize("front", [(7,), (7, 2)])
def test_examples_keep_apart(groups, shape, front):
    op, inputs = made(groups, shape), drawn(shape, front)
    each = [by_loops(groups, x, *inputs[1:], op.eps)[0] for x in inputs[0].reshape(-1, *shape)]
    agree(op.forward(*inputs), np.reshape(each, inputs[0].shape))
    if len(front) == 1 and len(shape) < 3:
        report = check_op(op, dict(zip(("x", "gamma", "beta"), inputs, strict=True)))
        assert report.ok, str(report)


def test_behind_a_convolution_groups_keep_apart_and_routes_agree():
    shapes = {"K": (4, 2, 2, 3), "gamma": (4,), "beta": (4,), "W": (2, 16)}
    net = Network.program(
        "a = Conv2d(x, K)",
        "g = GroupNorm(a, gamma, beta, groups=2)",
        "r = Tanh(g)",
        "f = Flatten(r)",
        "z = Linear(f, W)",
        "L = Hinge(z, y)",
        "J = Mean(L)",
        params={name: RNG.normal(size=shape) for name, shape in shapes.items()},
    )
    for lead, y in (((), 1), ((3,), [0, 1, 1])):
        run = net.run(x=RNG.normal(size=(*lead, 2, 3, 4)), y=y)
        report = run.check()
        assert report.ok, str(report)
        assert run.jacobian("g", "a").structural_nonzeros == run["a"].size * 8
        assert run.jacobian("g", "gamma").structural_nonzeros == run["a"].size


def test_groups_that_do_not_fit_are_refused():
    inputs = dict(zip(("x", "gamma", "beta"), drawn((4, 3, 5)), strict=True))
    assert refusal(DomainError, lambda: check_op(ops.GroupNorm(3), inputs)) == (
        "GroupNorm: x has 4 channels, which are not 3 equal groups.\n  Let groups divide 4."
    )
    assert refusal(DomainError, lambda: ops.GroupNorm(0)) == (
        "GroupNorm(groups) is 0.\n  Write a whole number from 1 on."
    )
    inputs["x"][2:] = 7
    assert refusal(DomainError, lambda: check_op(ops.GroupNorm(2, eps=0), inputs)) == (
        "GroupNorm: all 30 entries of x in groups[1] are 7, so that they have no spread.\n"
        "  Give an eps above 0, such as eps=1e-5."
    )


class OneGroup(ops.GroupNorm):
    """Its VJP takes mean and spread over all channels."""

    def vjp(self, y_bar, x, gamma, beta):
        return ops.GroupNorm(1, self.eps).vjp(y_bar, x, gamma, beta)


def test_a_mean_over_all_channels_is_told():
    inputs = dict(zip(("x", "gamma", "beta"), drawn((4, 3, 2)), strict=True))
    findings = check_op(OneGroup(2), inputs).findings
    assert [f.wrong for f in findings] == ["vjp() is wrong"] * 2
    assert [f.input for f in findings] == ["x", "gamma"]


@pytest.mark.parametrize("training", [True, False])
def test_a_reason_has_the_letters_of_the_jacobian_beside_it(training):
    """The channel is c of an image, q where an axis of the data is called so."""
    given = ", m, v, training=False" * (not training)
    net = Network.program(
        f"y = BatchNorm(x, g, b{given})",
        "w = GroupNorm(y, g, b, 2)",
        params={"g": RNG.random(4), "b": RNG.random(4)},
    )
    more = {} if training else {"m": RNG.random(4), "v": RNG.random(4)}
    run = net.run(RNG.random((3, 4, 5)), axes={"x": "n,q,t"}, **more)
    for of, what in (("y", "unit"), ("w", "channel")):
        assert run.local_jacobian(of, "g").formula.startswith("δ[q,q']")
        assert run.reason(of, "g") == f"gain q stretches {what} q only"
        assert run.reason(of, "b") == f"shift q moves {what} q only"
