"""Convolutions and pools in a compiled step: the numbers of a run, within the rounding bar."""

import numpy as np
import pytest
from compiled_cases import apart, put_kernel
from window_nets import CONVOLVED, window_net

from jacobian_bp import Network, ops


@pytest.mark.one_in(2)
@pytest.mark.parametrize("m", [1, 5])
@pytest.mark.parametrize("name", CONVOLVED)
def test_windows_agree_with_the_run(name, m):
    net, inputs = window_net(name, m)
    assert apart(net, net.compile(batch=m), **inputs) == []


@pytest.mark.parametrize("name", CONVOLVED)
def test_one_example_without_a_batch_axis_agrees_too(name):
    net, inputs = window_net(name, 1)
    one = {key: value[0] for key, value in inputs.items()}
    assert apart(net, net.compile(), **one) == []


def test_images_along_two_named_axes_agree_with_the_run():
    """A film: frames t of examples n, read by one kernel."""
    rng = np.random.default_rng(3)
    params = {"K": rng.standard_normal((2, 3, 2, 3)), "c": rng.standard_normal(2)}
    net = Network.program(
        "v = Conv2d(x, K, c, padding=1)",
        "w = MaxPool2d(v, 2)",
        "L = Sum(w, over='c,o,q')",
        "J = Mean(L, over='n,t')",
        params=params,
    )
    x = rng.standard_normal((5, 7, 3, 4, 6))
    axes = {"x": "n,t"}
    step, run = net.compile(batch=5, axes=axes), net.run(x, axes=axes)
    loss, gradients = step(net.params, x)
    assert loss == pytest.approx(run.loss, rel=1e-14)
    for name, expected in run.gradients().items():
        np.testing.assert_allclose(gradients[name], expected, rtol=1e-12, atol=1e-13)


def test_of_equal_largest_entries_the_first_gets_the_cotangent():
    """As in a run: what a window passes back is not shared, and not counted twice."""
    net = Network.program(
        "u = Add(x, p, 'c,i,j')",
        "v = MaxPool2d(u, 2)",
        "J = Sum(v, over='n,c,o,q')",
        params={"p": np.zeros((1, 2, 4))},
    )
    x = np.array([[[[3.0, 3.0, 1.0, 2.0], [3.0, 0.0, 2.0, 2.0]]]])
    _, gradients = net.compile(batch=1)(net.params, x)
    expected = [[[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]]
    np.testing.assert_array_equal(gradients["p"], expected, strict=True)


def test_a_large_entry_in_one_call_does_not_stay_for_the_next():
    net, inputs = window_net("max pool, overlapping and padded", 5)
    step = net.compile(batch=5)
    before = step(net.params, **inputs)[0]
    step(net.params, **inputs | {"x": inputs["x"] + 1e9})
    assert step(net.params, **inputs)[0] == before


PLANTED = {
    ops.Conv1d: "a sequence",
    ops.Conv2d: "groups",
    ops.MaxPool1d: "max pool of a sequence",
    ops.MaxPool2d: "max pool",
    ops.AvgPool1d: "average pool of a sequence",
    ops.AvgPool2d: "average pool",
}


@pytest.mark.parametrize("op", PLANTED, ids=[op.__name__ for op in PLANTED])
def test_windows_that_lie_one_entry_off_are_caught(monkeypatch, op):
    """The kernel reads and writes as if all that it reads had been rolled by one."""
    make = op.compiled_as.make

    def rolled(own, at):
        forward, backward = make(own, at)

        def wrong():
            backward()
            for bar in at.input_bars:
                if bar is not None:
                    bar[...] = np.roll(bar, 1, axis=-1)

        return forward, wrong

    put_kernel(monkeypatch, op, rolled)
    net, inputs = window_net(PLANTED[op], 5)
    assert "p" in apart(net, net.compile(batch=5), **inputs)
