"""check_op beside a pole, at the end of a domain, and where a slope is infinite."""

import numpy as np
import pytest
from wrong_ops import wrong

from jacobian_bp import (
    BinaryCrossEntropy,
    BinaryCrossEntropyFromLogits,
    CrossEntropy,
    Divide,
    Identity,
    KLDivergence,
    Log,
    Power,
    SiLU,
    Sqrt,
    check_op,
)

NEAR = [3e-3, 1e-4, 1e-6, 1e-9, 1e-13]
BESIDE = {
    "b/a": (Divide(), lambda v: {"a": [1.0, -3.0], "b": [v, -v]}),
    "1/z": (Power(-1.0), lambda v: {"z": [v, -2 * v]}),
    "1/z²": (Power(-2.0), lambda v: {"z": [v, -2 * v]}),
    "log": (Log(), lambda v: {"z": [v, 1.5]}),
    "square root": (Sqrt(), lambda v: {"z": [v, 1.5]}),
    "binary": (BinaryCrossEntropy(), lambda v: {"a": [v, 1 - v], "y": [1.0, 0.0]}),
    "binary, right": (BinaryCrossEntropy(), lambda v: {"a": [v, 1 - v], "y": [0.0, 1.0]}),
    "divergence": (KLDivergence(), lambda v: {"p": [v, 1 - v], "y": [0.25, 0.75]}),
    "classes": (CrossEntropy(), lambda v: {"p": [v, 1 - v], "y": 0}),
}


@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize("kind", BESIDE)
def test_an_op_is_right_beside_a_pole_and_at_the_end_of_its_domain(kind, near):
    op, arrays = BESIDE[kind]
    report = check_op(op, arrays(near))
    assert report.ok, str(report)


@pytest.mark.parametrize("near", NEAR[:4])
@pytest.mark.parametrize("where", ["jacobian", "vjp", "both"])
@pytest.mark.parametrize("factor", [-1.0, 1.01])
@pytest.mark.parametrize("kind", ["b/a", "1/z", "log", "binary", "divergence"])
def test_a_planted_mistake_is_found_there(kind, factor, where, near):
    op, arrays = BESIDE[kind]
    own = wrong(type(op), factor, where)
    assert not check_op(own(-1.0) if isinstance(op, Power) else own(), arrays(near)).ok


@pytest.mark.parametrize(
    ("op", "arrays"),
    [
        (BinaryCrossEntropyFromLogits, {"z": [5.0], "y": [0.0]}),
        (BinaryCrossEntropy, {"a": [1e-4], "y": [0.0]}),
        (BinaryCrossEntropy, {"a": [0.9999], "y": [1.0]}),
        *((SiLU, {"z": [z]}) for z in (-95.0, -100.0, -103.0, -104.0)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_formula_of_a_book_may_lose_what_it_loses(op, arrays, dtype):
    report = check_op(op, {name: np.array(value, dtype) for name, value in arrays.items()})
    assert report.ok, str(report)


def test_a_formula_that_is_wrong_by_more_is_still_named():
    class Own(BinaryCrossEntropy):
        def peer(self, xp, a, y):
            return 1.001 * super().peer(xp, a, y)

    report = check_op(Own, {"a": np.float32([1e-4]), "y": np.float32([0])})
    (finding,) = report.findings
    assert str(finding) == "peer() gives 0.000100105; forward() gives 0.000100005"


INFINITE = "; the slope ∂a/∂z[0,0] is infinite here, in {}: it is not judged"


@pytest.mark.parametrize("op", [Sqrt(), Power(0.5), Power(0.9)])
def test_a_slope_without_end_is_said_to_be_infinite(op):
    report = check_op(op, {"z": [0.0, 1.75, 0.5]})
    assert report.ok, str(report)
    assert report.lines[0].endswith(INFINITE.format("float64"))


def test_a_slope_beyond_the_largest_float32_is_said_to_be_infinite_in_it():
    report = check_op(Log, {"z": np.float32([1e-45, 2.5])})
    assert report.ok, str(report)
    assert report.lines[0].endswith(INFINITE.format("float32"))


def test_a_slope_that_is_infinite_by_mistake_is_wrong():
    own = wrong(Identity, np.inf, "both")
    assert not check_op(own, {"z": [0.0]}).ok
    assert not check_op(own, {"z": [1.5, -0.5]}).ok
    assert not check_op(wrong(Sqrt, np.inf, "jacobian"), {"z": [0.25]}).ok


def test_beside_an_infinite_slope_a_wrong_one_is_found():
    assert not check_op(wrong(Sqrt, 1.01, "both"), {"z": [0.0, 1.75]}).ok
