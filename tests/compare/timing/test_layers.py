"""Convolutions and attention beside a peer: its numbers, and what a peer without them is told."""

from dataclasses import replace

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.compare.timing import layer_workloads, peers
from jacobian_bp.compare.timing.layer_subjects import NoCounterpart, steps, vjp_by, whole_by_x
from jacobian_bp.compare.timing.layer_workloads import attention_block, classifier, convolution
from jacobian_bp.compare.timing.peer_ops import evaluate
from jacobian_bp.compare.timing.workload import Workload
from jacobian_bp.ops.peer_functions import NUMPY


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, size in {"PIXELS": 12, "TOKENS": 5, "WIDTH": 7, "KEY": 3, "HIDDEN": 11}.items():
        monkeypatch.setattr(layer_workloads, name, size)


@pytest.mark.parametrize(
    ("net", "planted"),
    [
        (attention_block, {"erf": lambda z: NUMPY.erf(z) + 1e-6}),
        (attention_block, {"not_later": lambda s: s}),
        (classifier, {"largest_pool": lambda x, *how: NUMPY.largest_pool(x[..., ::-1], *how)}),
        (classifier, {"convolve": lambda x, K, *how: NUMPY.convolve(x, K[..., ::-1], *how)}),
    ],
)
def test_a_network_in_the_functions_of_a_peer_is_that_of_a_run(net, planted):
    workload = net(3, "float64", 1)
    values = {n: workload.run[n] for n in (*workload.params, "x", "y")}
    cost = evaluate(workload.program, NUMPY, values, "J")
    np.testing.assert_allclose(cost, workload.run.loss, rtol=1e-13)
    wrong = evaluate(workload.program, replace(NUMPY, **planted), values, "J")
    assert abs(wrong - workload.run.loss) > 1e-9


def test_the_vjp_and_the_whole_jacobian_of_the_first_step_belong_together():
    workload = convolution(2, 7, 3, 2)
    (whole,) = whole_by_x(workload, [])
    (pulled,) = vjp_by("x", workload, [])
    J, found = whole.prepare()(), pulled.prepare()()
    v = np.linspace(-1, 1, J[..., 0, 0, 0].size).reshape(J.shape[:3])
    np.testing.assert_allclose(found, np.tensordot(v, J, 3), atol=1e-13)
    assert whole.needs == J.nbytes


@pytest.mark.parametrize("made", [whole_by_x, lambda w, p: vjp_by("K", w, p), steps])
def test_a_peer_without_such_layers_is_told_so_before_it_is_timed(made):
    peer = peers.Peer("numpy", "2", NUMPY, np.array, None, None, None)
    *ours, theirs = made(convolution(2, 7, 3, 2), [peer])
    assert ours
    with pytest.raises(NoCounterpart) as caught:
        theirs.prepare()
    assert str(caught.value) == "these layers are not written in the functions of numpy"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_jax_has_the_same_numbers(dtype):
    pytest.importorskip("jax")
    (peer,), _ = peers.find(["jax"])
    rng = np.random.default_rng(3)
    lines = ["z = Conv2d(x, K, b, stride=(2, 1), padding=1, dilation=(1, 2), groups=2)"]
    lines += ["p = MaxPool2d(z, (3, 2), stride=2, padding=1)", "J = Sum(p, over='c,o,q')"]
    params = {"K": rng.normal(size=(4, 1, 3, 2)), "b": rng.normal(size=4)}
    net = Network.program(*lines, params={n: v.astype(dtype) for n, v in params.items()})
    x = rng.normal(size=(2, 7, 11)).astype(dtype)
    windows = Workload("windows", net, net.run(x), x, None)
    tolerance = 1e-10 if dtype == "float64" else 1e-3
    cases = [(windows, whole_by_x), (windows, lambda w, p: vjp_by("K", w, p))]
    cases += [(classifier(3, dtype, 1), steps), (attention_block(2, dtype, 1), steps)]
    for workload, made in cases:
        first, *others = made(workload, [peer])
        with peers.session([peer], workload, 1):
            expected = first.arrays(first.prepare()())
            found = others[-1].arrays(others[-1].prepare()())
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance)
