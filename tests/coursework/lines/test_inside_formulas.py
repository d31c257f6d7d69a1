"""Lines about what stands inside a formula: the mean of a norm, the sum of a softmax, a mask."""

import numpy as np
import pytest
from inside_lines import RIGHT, RUNS, WRONG
from network_cases import refusal

from jacobian_bp import Network, Op, diagnose_line
from jacobian_bp.errors import JacobianError, SpecError
from jacobian_bp.program.staged import staged
from jacobian_bp.routes.vjp import pull


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_line_is_right(name):
    for line in map(str.strip, RIGHT[name].strip().splitlines()):
        report = diagnose_line(line, RUNS[name])
        assert report.right is True, f"{line}: {report}"


@pytest.mark.one_in(8)
@pytest.mark.parametrize(("name", "line", "meant", "sentence"), WRONG)
def test_a_mistake_is_found_and_the_line_that_is_meant_is_right(name, line, meant, sentence):
    report = diagnose_line(line, RUNS[name])
    assert (report.right, report.meant) == (False, meant), str(report)
    assert not sentence or sentence in report.sentences
    if meant:
        left = line.partition(" = ")[0]
        assert diagnose_line(f"{left} = {meant}", RUNS[name]).right is True


def test_a_line_is_read_with_the_examples_in_columns():
    run = RUNS["batch"]
    for line, meant in [
        ("dxhat = dout * beta", "dy1 * gamma1"),
        ("dvar = 0.5 / (var + eps) * dstd", "dstd / (2 * std)"),
        (
            "divar = np.sum(dxhat, axis=1, keepdims=True)",
            "np.sum(dx_hat * xmu, axis=1, keepdims=True)",
        ),
        ("mu = np.mean(x, axis=0)", "np.mean(x, axis=1, keepdims=True)"),
    ]:
        report = diagnose_line(line, run, examples="columns")
        assert (report.right, report.meant) == (False, meant), str(report)
        left = line.partition(" = ")[0]
        assert diagnose_line(f"{left} = {meant}", run, examples="columns").right is True


BEHIND = {  # the op in front names the last axis of what is normalised, not k
    "layer norm": ("u = LayerNorm(z, g, b)", ("g", "b")),
    "rms norm": ("u = RMSNorm(z, g)", ("g",)),
}


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("norm", BEHIND)
def test_a_norm_behind_a_convolution_is_read_in_the_axes_that_it_gives(norm, channels):
    rng = np.random.default_rng(23)
    line, gains = BEHIND[norm]
    params = {"K": rng.normal(size=(channels, 3, 3)), **{g: rng.normal(size=7) for g in gains}}
    lines = (
        "z = Conv1d(x, K, padding=1)",
        line,
        "L = HalfSquaredError(u, y)",
        "J = Sum(L, over='d')",
    )
    data = rng.normal(size=(3, 7)), rng.normal(size=(channels, 7))
    run = Network.program(*lines, params=params).run(*data)
    assert diagnose_line("dg = (du * x_hat).sum(0)", run).right is True
    report = diagnose_line("dg = (du * z).sum(0)", run)
    assert report.right is False
    assert "only because" not in str(report)  # the network has no other number of channels


def test_an_op_of_one_s_own_whose_stages_fail_is_said_to():
    class Bad(Op):
        signature = "x[k] -> y[k]"

        def forward(self, x):
            return 2 * x

        def vjp(self, bar, x):
            return {"x": 2 * bar}

        def stages(self):
            raise RuntimeError("no steps")

    net = Network.program(
        "h = Bad(x)\nL = SquaredError(h, y)\nJ = Mean(L)", params={}, ops={"Bad": Bad}
    )
    run = net.run(RUNS["batch"]["x"], RUNS["batch"]["x"] + 1)
    assert diagnose_line("dx = 2 * dh", run).right is True
    assert refusal(JacobianError, diagnose_line, "dx = skew * dh", run) == (
        "Bad 'h': stages() raises RuntimeError: no steps.\n"
        "  Mend Bad.stages, or what it is given: h = Bad(x)."
    )


def test_the_whole_report_of_a_line_that_breaks_beside_its_array():
    assert str(diagnose_line("dxhat = dout.T * gamma", RUNS["layer"])) == (
        "dxhat = dout.T * gamma: breaks at dout.T * gamma.\n"
        "  x is read as z1, and out as y1: what LayerNorm reads and gives.\n"
        "  dout.T has shape (5, 7): units of layer 1 × examples\n"
        "  gamma has shape (5,): units of layer 1\n"
        "  * pairs axes from the right: examples (7) with units of layer 1 (5); none of them is "
        "1.\n"
        "  Meant for ∂J/∂x_hat: dout * gamma   (dout for dout.T)\n"
        "  numpy lets it pass if the batch has 1 example: another shape; if layer 1 has 1 unit: "
        "right\n    numbers; if there are as many examples as units of layer 1: right shape, wrong "
        "numbers."
    )


@pytest.mark.parametrize("way", [0, 1])
def test_the_derivatives_inside_are_those_of_the_chain_rule(way):
    """∂J/∂exps and ∂J/∂total, by both ways to write a softmax, against differences of J."""
    state = staged(RUNS["softmax"].forward_pass, ["a2"], way).state
    exps, labels = state.values["exps"], state.values["y"]

    def cost(e, t):
        return -np.mean(np.sum(labels * np.log(e / t[:, None]), axis=1))

    pulled = pull(state, "J", ["exps", "total"], np.ones(()))
    for at in np.ndindex(exps.shape):
        step = np.zeros_like(exps)
        step[at] = 1e-6
        up, down = exps + step, exps - step
        slope = (cost(up, up.sum(axis=1)) - cost(down, down.sum(axis=1))) / 2e-6
        assert abs(slope - pulled["exps"][at]) < 1e-7 * max(1, abs(slope))
        total = exps.sum(axis=1)
        slope = (cost(exps, total + step.sum(1)) - cost(exps, total - step.sum(1))) / 2e-6
        assert abs(slope - pulled["total"][at[0]]) < 1e-7 * max(1, abs(slope))


def test_a_mean_over_the_examples_inside_a_norm_makes_no_mean_of_the_cost():
    assert staged(RUNS["batch"].forward_pass, ["y1"]).state.program.averages is True
    text = "z1 = Linear(x, W1, b1)\ny1 = BatchNorm(z1, gamma1, beta1)\nL = SquaredError(y1, y)"
    run = RUNS["batch"]
    params = {name: run[name] for name in ("W1", "b1", "gamma1", "beta1")}
    for last, expected in (("J = Sum(L)", False), ("J = Mean(L)", True)):
        summed = Network.program(f"{text}\n{last}", params=params)
        state = summed.run(run["x"], np.zeros_like(run["y1"])).forward_pass
        assert staged(state, ["y1"]).state.program.averages is expected


def test_a_line_leaves_the_run_as_it_was():
    run = RUNS["batch"]
    before = {name: run[name].copy() for name in run}
    first = diagnose_line("dvar = np.sum(dxhat * xmu, axis=0)", run)
    again = diagnose_line("dvar = np.sum(dxhat * xmu, axis=0)", run)
    assert str(first) == str(again)
    assert list(run) == list(before)
    assert all(np.array_equal(run[name], array) for name, array in before.items())
    first.value[...] = 0
    assert diagnose_line("dvar = np.sum(dxhat * xmu, axis=0)", run).value.any()


def test_what_no_formula_names_is_asked_for():
    said = refusal(SpecError, diagnose_line, "dx = dxhat * skew", RUNS["batch"])
    assert said.startswith("diagnose_line: which quantity is 'skew'? Nothing tells.\n")
    said = refusal(SpecError, diagnose_line, "dz2 = dxhat * ivar", RUNS["softmax"])
    assert said.startswith("diagnose_line: which quantity is 'dxhat'? Nothing tells.\n")
