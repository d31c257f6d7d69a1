"""What a sum that cancels leaves, and what a rounding of the inputs decides, is no mistake."""

import numpy as np
import pytest
from wrong_ops import times

from jacobian_bp import BatchNorm, Huber, LayerNorm, Softmax, check_op
from jacobian_bp.ops import GroupNorm, Hinge, RMSNorm

RNG = np.random.default_rng(43)
GAINS = {"gamma": RNG.standard_normal(5), "beta": RNG.standard_normal(5)}
ORDINARY = {
    "LayerNorm": (LayerNorm(), {"x": RNG.standard_normal(5), **GAINS}),
    "LayerNorm without eps": (LayerNorm(eps=0), {"x": RNG.standard_normal((3, 5)), **GAINS}),
    "RMSNorm": (RMSNorm(), {"x": RNG.standard_normal(5), "gamma": GAINS["gamma"]}),
    "BatchNorm": (BatchNorm(), {"x": RNG.standard_normal((3, 5)), **GAINS}),
    "GroupNorm": (
        GroupNorm(2, axes="c,i"),
        {"x": RNG.standard_normal((2, 3)), "gamma": [0.3, -1.7], "beta": [0.2, 0.9]},
    ),
    "Huber": (Huber(0.25), {"a": RNG.standard_normal(7), "y": RNG.standard_normal(7)}),
    "Hinge": (Hinge(), {"z": RNG.standard_normal(5), "y": 2}),
}


def off_by(op, share, where):
    """The op with every rule times 1 + share, in its Jacobian, its VJP or both."""

    class Off(type(op)):
        def jacobians(self, *inputs):
            return times(1 + share * (where != "vjp"), super().jacobians(*inputs))

        def vjp(self, bar, *inputs):
            return times(1 + share * (where != "jacobian"), super().vjp(bar, *inputs))

    made = Off.__new__(Off)
    made.__dict__.update(vars(op))
    return made


@pytest.mark.one_in(4)
@pytest.mark.parametrize("where", ["jacobian", "vjp", "both"])
@pytest.mark.parametrize("name", ORDINARY)
def test_a_relative_mistake_of_a_ten_thousandth_is_found(name, where):
    op, inputs = ORDINARY[name]
    assert check_op(off_by(op, 0.0, where), inputs).ok
    blamed = {"jacobian": "jacobians() is", "vjp": "vjp() is", "both": "both are"}[where]
    for finding in check_op(off_by(op, 1e-4, where), inputs).findings:
        assert finding.wrong == f"{blamed} wrong"
        break
    else:
        pytest.fail("nothing was found")


ONE_ROW_CANCELS = {"x": [1.0, 1.0, -2.0], "gamma": [1e-30, 1e-29, 3.0], "beta": [0.5, 0.25, -1.0]}


@pytest.mark.parametrize(
    ("dtype", "said"),
    [
        (np.float64, ["rounding may be more than a thousandth of 9 entries"]),
        (
            np.float32,
            [
                "rounding may be more than a thousandth of 5 entries",
                "differences do not tell 4 entries to a thousandth",
            ],
        ),
    ],
)
def test_a_row_that_cancels_is_judged_by_the_terms_of_its_sums(dtype, said):
    """Row 2 is gamma/s (δ − 1/3 − x̂ x̂'/3), 1 − 1/3 − 2/3 and −1/3 + 1/3: rounding and eps."""
    inputs = {name: np.array(value, dtype) for name, value in ONE_ROW_CANCELS.items()}
    op = LayerNorm(eps=1e-12)
    report = check_op(op, inputs)
    assert report.ok, str(report)
    assert report.lines[0].split("\n    ")[1:] == said
    other = {**inputs, "x": np.array([1.0, 1.5, -2.0], dtype)}
    assert not check_op(off_by(op, 1e-3, "both"), other).ok


@pytest.mark.one_in(2)
@pytest.mark.parametrize("shift", [1e4, 1e7])
def test_a_row_far_from_0_whose_spread_is_small_is_right_and_a_mistake_there_is_found(shift):
    inputs = {"x": shift + 0.01 * RNG.standard_normal(5), **GAINS}
    assert check_op(LayerNorm(), inputs).ok
    assert not check_op(off_by(LayerNorm(), 1e-3, "both"), inputs).ok


def test_on_which_side_of_a_bend_an_entry_lies_is_known_to_a_rounding_of_the_inputs():
    """−2e-11 − 1 is −1 in float32, and beyond the bend at −1 in float64."""
    residual = np.array([-2e-11, 0.3], np.float32), np.array([1.0, 0.0], np.float32)
    inputs = dict(zip("ay", residual, strict=True))
    report = check_op(Huber(), inputs)
    assert report.ok, str(report)
    (second,) = (line for line in report.lines if line.startswith("∂²L/∂a² "))
    assert second.endswith("\n    1 entry is known to a rounding of the inputs only")

    class Between(Huber):
        def second(self, a, y):
            return times(1.5, super().second(a, y))

    assert not check_op(Between(), inputs).ok
    wide = {"a": np.array([-1e-5], np.float32), "y": np.array([1000.0], np.float32)}
    assert check_op(Huber(1000.0), wide).ok


@pytest.mark.parametrize("size", [1e300, 1e30])
def test_where_the_next_number_is_beyond_what_bends_differences_do_not_tell(size):
    report = check_op(Softmax(), {"z": np.full(3, size)})
    assert report.ok, str(report)
    assert "\n    differences do not tell 9 entries to a thousandth" in report.lines[0]
    assert not check_op(off_by(Softmax(), 1e-4, "vjp"), {"z": np.full(3, size)}).ok
