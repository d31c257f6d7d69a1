"""diagnose on any program that runs: right answers are right, wrong ones raise nothing."""

import numpy as np
import pytest
from wide_programs import wide_program

from jacobian_bp import Network
from jacobian_bp.coursework.diagnosis import diagnose

SAMPLE, ALL = range(9), range(9, 300)


def right_answers(run):
    """The gradient of every parameter and the delta of every value that the cost reads."""
    state = run.forward_pass
    made = [step.name for step in state.program.steps if step.name != run.cost]
    return {name: run.vjp(run.cost, name, 1.0) for name in (*state.program.params, *made)}


def accused(run):
    """The right answers that are called wrong."""
    return [finding.key for finding in diagnose(run, right_answers(run)).values() if not finding.ok]


def of_wide_program(seed):
    net, data, axes = wide_program(seed)
    return net.run(**data, axes=axes)


@pytest.mark.parametrize("seed", SAMPLE)
def test_right_answers_are_right_on_any_program(seed):
    assert accused(of_wide_program(seed)) == []


@pytest.mark.full
@pytest.mark.parametrize("seed", ALL)
def test_right_answers_are_right_on_many_programs(seed):
    assert accused(of_wide_program(seed)) == []


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", SAMPLE)
def test_random_arrays_are_wrong_on_any_program(seed):
    run = of_wide_program(seed)
    right = right_answers(run)
    name = [*run.forward_pass.program.params][-1]
    wrong = np.random.default_rng(seed).normal(size=right[name].shape)
    assert [f.label for f in diagnose(run, {name: wrong}).values()] == ["unknown"]


def over_positions(reduction, over, front="n,t"):
    """A layer at every position, the outputs reduced along an axis that is not the last one."""
    rng = np.random.default_rng(3)
    params = {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=3)}
    sizes = {"n": 5, "t": 7}
    kept = [sizes[axis] for axis in front.split(",") if axis != over]
    lines = ["h = Linear(x, W, b)", f"p = {reduction}(h, over='{over}')"]
    lines += ["L = HalfSquaredError(p, y)", f"J = Mean(L, over='{'n' if over == 't' else 't'}')"]
    net = Network.program(*lines, params=params)
    x = rng.normal(size=(*(sizes[axis] for axis in front.split(",")), 2))
    return net.run(x=x, y=rng.normal(size=(*kept, 3)), axes={"x": front})


@pytest.mark.parametrize("over", ["n", "t"])
@pytest.mark.parametrize("reduction", ["Mean", "Sum"])
def test_a_reduction_along_any_axis_in_front_is_read(reduction, over):
    run = over_positions(reduction, over)
    assert accused(run) == []


def test_the_length_of_a_named_mean_that_is_left_out_is_told():
    run = over_positions("Mean", "t")
    found = diagnose(run, {"h": 7 * run.vjp("J", "h", 1.0)})["h"]
    assert (found.label, found.factor) == ("constant-factor", 7.0)
