"""diagnose where the Jacobian says where each entry goes: look-ups, windows, pools."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.coursework.diagnosis import diagnose

RNG = np.random.default_rng(23)
IDS = np.array([4, 1, 4, 0, 1, 4, 2])


def normal(*shape):
    return RNG.normal(size=shape)


def remark(run, name, array):
    """The label and the sentence on one array."""
    found = diagnose(run, {name: array})[name]
    return found.label, found.remark


def added_and_last(shape, places, parts):
    """The parts added up at their places, and the last one of each place alone."""
    added, last = np.zeros(shape), np.zeros(shape)
    for place, part in zip(places, parts, strict=True):
        added[place] += part
        last[place] = part
    return added, last


def test_rows_of_an_embedding_that_are_assigned_are_told():
    net = Network.program(
        "e = Embedding(i, E)",
        "L = HalfSquaredError(e, y)",
        "J = Mean(L)",
        params={"E": normal(5, 3)},
    )
    run = net.run(i=IDS, y=normal(7, 3))
    added, last = added_and_last((5, 3), IDS, (run["e"] - run["y"]) / 7)
    assert diagnose(run, {"E": added}).ok
    assert remark(run, "E", last) == (
        "overwritten-index",
        "In the gradient of E rows with one index overwrite each other: the last row with an index "
        "along the examples is kept, where all are added.",
    )


CONVOLUTION = Network.program(
    "v = Conv1d(x, U)",
    "c = Conv1d(v, K)",
    "f = Flatten(c)",
    "L = HalfSquaredError(f, y)",
    "J = Mean(L)",
    params={"U": normal(3, 2, 2), "K": normal(2, 3, 5)},
).run(x=normal(4, 2, 12), y=normal(4, 14))
WINDOWS = [(slice(None), slice(None), slice(o, o + 5)) for o in range(7)]


def test_windows_of_a_convolution_that_are_assigned_are_told():
    run, dc = CONVOLUTION, CONVOLUTION.vjp("J", "c", 1.0)
    parts = [np.einsum("nd,dcr->ncr", dc[:, :, o], run["K"]) for o in range(7)]
    added, last = added_and_last(run["v"].shape, WINDOWS, parts)
    assert diagnose(run, {"v": added}).ok
    assert remark(run, "v", last) == (
        "summand-overwritten",
        "In the delta of v one summand overwrites another: the last one along o, each summed over "
        "d, is kept, where all are added.",
    )


def test_the_kernel_of_the_last_window_alone_is_told():
    run, dc = CONVOLUTION, CONVOLUTION.vjp("J", "c", 1.0)
    parts = [
        np.einsum("nd,ncr->dcr", dc[:, :, o], run["v"][window]) for o, window in enumerate(WINDOWS)
    ]
    assert diagnose(run, {"K": sum(parts)}).ok
    assert remark(run, "K", parts[-1]) == (
        "summand-overwritten",
        "In the gradient of K one summand overwrites another: the last one along o, each summed "
        "over the examples, is kept, where all are added.",
    )


POOL = Network.program(
    "v = Tanh(x)", "p = MaxPool1d(v, 3, stride=1)", "L = HalfSquaredError(p, y)", "J = Mean(L)"
).run(x=normal(4, 13), y=normal(4, 11))


def test_the_largest_of_windows_that_overlap_is_added():
    v, dp = POOL["v"], POOL.vjp("J", "p", 1.0)
    places = [(c, o + int(np.argmax(v[c, o : o + 3]))) for c in range(4) for o in range(11)]
    added, last = added_and_last(v.shape, places, dp.ravel())
    assert not np.array_equal(added, last)
    assert diagnose(POOL, {"v": added}).ok
    assert remark(POOL, "v", last) == (
        "summand-overwritten",
        "In the delta of v one summand overwrites another: the last one along o is kept, where all "
        "are added.",
    )


def test_the_mask_of_a_pool_that_is_left_out_is_told():
    v, dp = POOL["v"], POOL.vjp("J", "p", 1.0)
    spread = np.zeros(v.shape)
    for o in range(11):
        spread[:, o : o + 3] += dp[:, o, None]
    assert remark(POOL, "v", spread) == (
        "factor-missing",
        "In the delta of v the factor δ[r,a[c,o]] is left out: it stands in ∂p/∂v.",
    )


@pytest.mark.parametrize(("run", "name"), [(CONVOLUTION, "v"), (CONVOLUTION, "K"), (POOL, "v")])
def test_random_arrays_have_no_label(run, name):
    assert diagnose(run, {name: normal(*run[name].shape)})[name].label == "unknown"


def test_a_kernel_that_is_flipped_is_told():
    run, dc = CONVOLUTION, CONVOLUTION.vjp("J", "c", 1.0)
    parts = [np.einsum("nd,dcr->ncr", dc[:, :, o], run["K"][:, :, ::-1]) for o in range(7)]
    flipped, _ = added_and_last(run["v"].shape, WINDOWS, parts)
    assert remark(run, "v", flipped) == (
        "factor-flipped",
        "In the delta of v the places δ[i',o+r] are taken in reverse order along r.",
    )
    assert remark(run, "K", run.gradients()["K"][:, :, ::-1]) == (
        "factor-flipped",
        "In the gradient of K the places δ[i,o+r'] are taken in reverse order along r.",
    )


def test_a_kernel_of_an_image_that_is_flipped_along_one_or_both_axes_is_told():
    net = Network.program(
        "c = Conv2d(x, K)",
        "f = Flatten(c)",
        "L = HalfSquaredError(f, y)",
        "J = Mean(L)",
        params={"K": normal(3, 2, 2, 3)},
    )
    run = net.run(x=normal(4, 2, 5, 7), y=normal(4, 60))
    dK = run.gradients()["K"]
    for wrong in (dK[..., ::-1], dK[..., ::-1, :], dK[..., ::-1, ::-1]):
        assert diagnose(run, {"K": wrong})["K"].label == "factor-flipped"
    assert diagnose(run, {"K": dK}).ok
