"""Ops that read all axes of an example keep out of what data carries in front: examples, tokens."""

import numpy as np
import pytest
from network_cases import refusal
from op_checks import agree

from jacobian_bp import AxisError, Network, check_op, ops

RNG = np.random.default_rng(97)
N, T, F, K, R = 2, 5, 3, 4, 7
OVER = "L = Multiply(g, g)"


def normal(*shape):
    return RNG.normal(size=shape)


GAINS = {"gamma": normal(K), "beta": normal(K)}
GIVEN = {"mean": normal(K), "var": RNG.uniform(0.5, 2, K)}
BEHIND = {  # a line that makes z along n and t, its parameters, x
    "Linear": ("z = Linear(x, W)", {"W": normal(K, F)}, normal(N, T, F)),
    "Conv1d": ("z = Conv1d(x, W)", {"W": normal(K, F, 2)}, normal(N, T, F, R)),
}
NORMS = {
    "groups": ("g = GroupNorm(z, gamma, beta, 2)", GAINS, {}),
    "given": ("g = BatchNorm(z, gamma, beta, mean, var, training=False)", GAINS, GIVEN),
    "reshape": ("g = Reshape(z, (2, -1), axes='{own}')", {}, {}),
    "flatten": ("g = Flatten(z, axes='{own}')", {}, {}),
}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("behind", BEHIND)
def test_each_token_is_an_example_of_its_own(behind, norm):
    first, weights, x = BEHIND[behind]
    second, gains, given = NORMS[norm]
    lines = [first, second.format(own="k" if behind == "Linear" else "d,o"), OVER]
    net = Network.program(*lines, "J = Mean(L, over='n,t,k')", params=weights | gains)
    several = Network.program(*lines, params=weights | gains)
    for names, data in {"n,t": x, "t": x[0]}.items():
        run = several.run(data, axes={"x": names}, **given)
        for place in np.ndindex(*data.shape[: len(names.split(","))]):
            one = several.run(data[place], **given)
            agree(run["g"][place], one["g"])
        formula = run.jacobian("g", "z").formula
        assert all(f"δ[{axis},{axis}']" in formula for axis in names.split(","))
    if behind == "Linear" and norm != "reshape":
        run = net.run(x, axes={"x": "n,t"}, **given)
        assert run.check().ok, str(run.check())
        cost, gradients = net.compile(batch=N, axes={"x": "n,t"})(net.params, x, **given)
        agree(cost, run.loss)
        for name, gradient in run.gradients().items():
            np.testing.assert_allclose(gradients[name], gradient, rtol=1e-11, atol=1e-13)


def test_a_whole_sequence_is_one_row_where_no_axes_are_said():
    """As of the words of a context, whose embeddings are put one behind another."""
    net = Network.program("e = Embedding(u, E)", "f = Flatten(e)", params={"E": normal(R, F)})
    words = RNG.integers(0, R, (N, T))
    run = net.run(u=words, axes={"u": "n,t"})
    agree(run["f"], net.params["E"][words].reshape(N, T * F))


def test_a_batch_norm_of_tokens_goes_over_examples_and_tokens():
    first, weights, x = BEHIND["Linear"]
    net = Network.program(
        first,
        "g = BatchNorm(z, gamma, beta)",
        "f = GroupNorm(g, gamma, beta, 2)",
        "L = Multiply(f, f)",
        "J = Mean(L, over='n,t,k')",
        params=weights | GAINS,
    )
    run = net.run(x, axes={"x": "n,t"})
    rows = Network.program(*map(str, net.steps[:2]), params=weights | GAINS).run(
        x.reshape(N * T, F)
    )
    agree(run["g"].reshape(N * T, K), rows["g"])
    assert run.check().ok, str(run.check())
    assert run.jacobian("g", "z").structural_nonzeros == K * (N * T) ** 2
    assert run.reason("g", "z") == "unit k of all examples and all t, through mean_g and spread"
    page = run.derivation().text()
    assert "mean_g over n,t)/s_g + beta, s_g = √(variance over n,t + eps)" in page


def test_second_derivatives_of_a_batch_norm_of_tokens_are_those_of_differences():
    report = check_op(
        ops.BatchNorm(eps=0.25),
        {"x": normal(N, 3, K), **GAINS},
        axes={"x": "n,t"},
    )
    assert report.ok, str(report)


def test_a_token_read_as_a_channel_is_caught():
    class OverTokens(ops.GroupNorm):
        def forward(self, x, gamma, beta):
            return super().forward(x - x.mean(axis=-2, keepdims=True), gamma, beta)

    case = {"x": normal(N, T, K), **GAINS}
    assert check_op(ops.GroupNorm(2, axes="c"), case, axes={"x": "n,t"}).ok
    assert not check_op(OverTokens(2, axes="c"), case, axes={"x": "n,t"}).ok


def test_data_with_fewer_axes_behind_than_an_image_is_told_to_say_them():
    net = Network.program("g = GroupNorm(x, gamma, beta, 2)", params=GAINS)
    x = normal(N, T, K)
    message = refusal(AxisError, net.run, x, axes={"x": "n,t"})
    assert message == (
        "axes names 2 axes in front of x[c,i,j]: n,t.\n"
        "  x has 3 axes and is read as x[c,i,j]: 0 of them stand in front\n"
        '  Say which axes an example has: GroupNorm(…, axes="c").'
    )
    said = Network.program("g = GroupNorm(x, gamma, beta, 2, axes='c')", params=GAINS)
    run = said.run(x, axes={"x": "n,t"})
    agree(run["g"][1, 3], said.run(x[1, 3])["g"])
