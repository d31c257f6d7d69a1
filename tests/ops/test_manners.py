"""What no value shows: inputs are not touched, results are fresh, and neither the memory
layout of the inputs nor the caller's error state changes a result.
"""

import warnings

import numpy as np
import pytest
from op_case import SIZES
from op_checks import agree, all_agree, identical, network_results, results
from ops_cases import in_both_forms

from jacobian_bp.ops import HalfL2Penalty, Identity, L1Penalty, L2Penalty
from jacobian_bp.ops.peer_functions import NUMPY

LAYOUTS = {
    "read-only": lambda x: read_only(x.copy()),
    "Fortran order": lambda x: x.copy(order="F"),
    "negative strides": lambda x: np.flip(np.flip(x).copy()),
    "every second entry": lambda x: np.repeat(x[..., None], 2, axis=-1)[..., 0],
}
EXTREMES = [0.0, -0.0, 5e-324, -5e-324, 1e-310, -1e-310, 40.0, -40.0, 745.0, -745.0, 1e3, -1e3]


def read_only(x):
    x.flags.writeable = False
    return x


@in_both_forms
def test_inputs_are_untouched(case, batch):
    untouched(case.op, case.inputs(batch))


@in_both_forms
def test_results_are_fresh(case, batch):
    fresh(case.op, case.inputs(batch))


@pytest.mark.one_in(10)
@in_both_forms
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_layout_does_not_matter(case, batch, layout):
    inputs = case.inputs(batch)
    same_results(case.op, inputs, [LAYOUTS[layout](x) for x in inputs])


@pytest.mark.one_in(4)
@in_both_forms
def test_broadcast_views_are_as_good_as_copies(case, batch):
    """Stride 0 along the first axis: every row is the same memory."""
    views = [
        np.broadcast_to(x[:1], x.shape) if x.ndim and name != "y" else x
        for name, x in zip(case.names, case.inputs(batch), strict=True)
    ]
    same_results(case.op, [x.copy() for x in views], views)


@pytest.mark.one_in(4)
@in_both_forms
def test_error_state_does_not_matter(case, batch):
    under_raise(lambda: results(case.op, case.inputs(batch)))


@pytest.mark.one_in(4)
@in_both_forms
def test_error_state_does_not_matter_at_extreme_inputs(case, batch):
    inputs = [
        x if name in case.draws else np.resize(EXTREMES, x.shape)
        for name, x in zip(case.names, case.inputs(batch), strict=True)
    ]
    under_raise(lambda: network_results(case.op, inputs))
    if case.names[0] == "z":  # activations, softmax and losses from logits shield themselves
        under_raise(lambda: results(case.op, inputs))


def untouched(op, inputs):
    """The inputs have the same bits before and after."""
    before = [x.copy() for x in inputs]
    results(op, inputs)
    for x, y in zip(inputs, before, strict=True):
        identical(x, y)


def fresh(op, inputs):
    """No result shares memory with an input, nor with the cotangent that was pulled back."""
    bar = np.ones_like(op.forward(*inputs))
    pulled = {f"vjp {name}": array for name, array in op.vjp(bar, *inputs).items()}
    for name, result in (results(op, inputs) | pulled).items():
        for x in (*inputs, bar):
            assert not np.may_share_memory(result, x), f"{name} shares memory with its input"


def same_results(op, inputs, others):
    """Bit by bit through a network, which snapshots; a bare op may add in another order."""
    all_agree(network_results(op, others), network_results(op, inputs), identical)
    all_agree(results(op, others), results(op, inputs), agree)


def under_raise(function):
    """Where every floating-point flag and warning is an error: same bits, and state restored."""
    with np.errstate(all="ignore"):
        in_silence = function()
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        before = np.geterr()
        all_agree(function(), in_silence, identical)
        assert np.geterr() == before


# Planted mistakes: an identity with bad manners fails the check of just that.


class Mutating(Identity):
    def forward(self, z):
        z *= 2
        return z / 2


class Aliasing(Identity):
    def vjp(self, a_bar, z):
        return {"z": a_bar[:]}


class LayoutBound(Identity):
    def forward(self, z):
        return z.ravel(order="K").reshape(z.shape)


class Underflowing(Identity):
    def forward(self, z):
        return z + 0 * np.exp(-1000 - np.abs(z))


class Leaking(Identity):
    def forward(self, z):
        np.seterr(all="ignore")
        return z.copy()


@pytest.mark.parametrize(
    ("op", "check"),
    [
        (Mutating(), lambda op, x: untouched(op, [x])),
        (Aliasing(), lambda op, x: fresh(op, [x])),
        (LayoutBound(), lambda op, x: same_results(op, [x], [x.copy(order="F")])),
        (Underflowing(), lambda op, x: under_raise(lambda: results(op, [x]))),
        (Leaking(), lambda op, x: under_raise(lambda: results(op, [x]))),
    ],
    ids=lambda value: value.name if isinstance(value, Identity) else "",
)
def test_each_check_catches_its_planted_bad_manners(op, check):
    x = np.random.default_rng(1).normal(size=(SIZES["n"], SIZES["k"]))
    check(Identity(), x)
    with pytest.raises((AssertionError, FloatingPointError)):
        check(op, x)


@pytest.mark.parametrize(
    ("penalty", "norm"),
    [
        (L1Penalty, lambda W: np.abs(W).sum()),
        (L2Penalty, lambda W: (W**2).sum()),
        (HalfL2Penalty, lambda W: (W**2).sum() / 2),
    ],
)
def test_a_penalty_has_its_rate_here_and_in_other_frameworks(penalty, norm):
    W = np.random.default_rng(41).normal(size=(3, 5))
    for rate in (0.37, 2.9):
        for found in (penalty(rate).forward(W), penalty(rate).peer(NUMPY, W)):
            np.testing.assert_allclose(found, rate * norm(W), rtol=1e-14)
