"""Second derivatives as they are timed: our own agree with each other, and JAX with them."""

import numpy as np
import pytest
from second_cases import differences

from jacobian_bp.compare.timing import peers
from jacobian_bp.compare.timing.layer_subjects import NoCounterpart
from jacobian_bp.compare.timing.second_subjects import factors, product, whole_hessian
from jacobian_bp.compare.timing.second_workloads import (
    distances,
    factorisation,
    logistic,
    quadratic_form,
)
from jacobian_bp.compare.timing.workload import drawn
from jacobian_bp.ops.peer_functions import Functions

CASES = [
    (drawn([5, 3, 2], None, "float64", "tanh", 1), ["W1", "b1", "W2", "b2"]),
    (quadratic_form(7, 1), ["x"]),
    (factorisation(5, 3, 2, 1), ["U", "V"]),
    (logistic(5, 7, 1), ["W1", "b1"]),
    (distances(5, 1), ["P"]),
]
each_case = pytest.mark.parametrize(
    ("workload", "names"), CASES, ids=lambda c: getattr(c, "label", "")
)


@each_case
def test_the_whole_hessian_is_that_of_differences(workload, names):
    given = {name: workload.run[name] for name in workload.program.inputs}
    given |= {"axes": workload.axes} if workload.axes else {}
    there, anew = (subject.prepare()() for subject in whole_hessian(names, workload, []))
    np.testing.assert_array_equal(there, anew)
    rows = {}
    for q in names:
        for p, block in differences(workload.net, given, "J", names, q).items():
            rows.setdefault(p, []).append(block.reshape(workload.run[p].size, -1))
    expected = np.concatenate([np.concatenate(rows[p], axis=1) for p in names])
    np.testing.assert_allclose(there, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@each_case
def test_products_and_factors_belong_to_the_whole(workload, names):
    (whole, _) = (subject.prepare()() for subject in whole_hessian(names, workload, []))
    found = [s.arrays(s.prepare()())["whole"] for s in product(names, workload, [])]
    rng = np.random.default_rng(1)
    v = np.concatenate([rng.standard_normal(workload.run[n].shape).ravel() for n in names])
    for array in found:
        np.testing.assert_allclose(array, whole @ v, rtol=1e-10, atol=1e-12)
    (subject,) = factors(names, workload, [])
    assert {*subject.prepare()()} == {(p, q) for n, p in enumerate(names) for q in names[n:]}


def test_a_peer_without_second_derivatives_is_told_so_before_it_is_timed():
    functions = Functions(*[np.tanh] * 7)
    peer = peers.Peer("numpy", "2", functions, np.array, None, None, None)
    for made, said in ((whole_hessian, "no Hessian"), (product, "no H v")):
        *_, theirs = made(["x"], quadratic_form(7), [peer])
        with pytest.raises(NoCounterpart) as caught:
            theirs.prepare()
        assert str(caught.value) == f"{said} is timed in numpy"


@each_case
def test_jax_has_the_same_second_derivatives(workload, names):
    pytest.importorskip("jax")
    (peer,), _ = peers.find(["jax"])
    for made in (whole_hessian, product):
        first, *_, theirs = made(names, workload, [peer])
        with peers.session([peer], workload, 1):
            expected = first.arrays(first.prepare()())["whole"]
            found = theirs.arrays(theirs.prepare()())["whole"]
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())
