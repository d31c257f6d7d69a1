"""What a plan lays side by side, and which steps it reads where they lie."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import DomainError, Network
from jacobian_bp.routes.compiled.plan import arena, end_of

RNG = np.random.default_rng(31)


def test_the_end_of_some_buffers_is_where_the_next_one_begins():
    shapes = {"a": (5, 7), "b": (17,), "c": (3,), "d": ()}
    arrays, whole = arena([*shapes], shapes, np.dtype(float))
    for count, name in enumerate(shapes):
        start = end_of([*shapes][:count], shapes)
        whole[start] = count + 1
        assert arrays[name].flat[0] == count + 1


@pytest.mark.parametrize("wrong", [5, -1])
def test_a_position_that_an_axis_has_not_is_refused_as_a_run_refuses_it(wrong):
    lines = ("e = Embedding(u, E)", "L = Einsum('d,d->', e, e)", "J = Mean(L)")
    net = Network.program(*lines, params={"E": RNG.standard_normal((5, 3))})
    step = net.compile(batch=2)
    for u in ([4, 0], [1, 3]):
        loss, gradients = step(net.params, u=np.array(u))
        run = net.run(u=np.array(u))
        np.testing.assert_allclose(loss, run["J"], rtol=1e-14)
        np.testing.assert_allclose(gradients["E"], run.gradients()["E"], rtol=1e-14)
    said = refusal(DomainError, step, net.params, u=np.array([2, wrong]))
    assert said == refusal(DomainError, net.run, u=np.array([2, wrong]))
    assert said.splitlines()[0] == (
        f"Embedding 'e': u[1] is {wrong}, and axis v has the positions 0 to 4."
    )


@pytest.mark.parametrize("examples", [1, 7])
def test_a_linear_map_without_a_bias_has_the_numbers_of_a_run(examples):
    lines = ("z = Linear(x, W)", "a = Tanh(z)", "L = Einsum('k,k->', a, a)", "J = Mean(L)")
    net = Network.program(*lines, params={"W": RNG.standard_normal((3, 2))})
    x = RNG.standard_normal((examples, 2))
    loss, gradients = net.compile(batch=examples)(net.params, x=x)
    run = net.run(x=x)
    np.testing.assert_allclose(loss, run["J"], rtol=1e-14)
    np.testing.assert_allclose(gradients["W"], run.gradients()["W"], rtol=1e-13)
