"""check_op beside a pole, at the end of a domain, and where a slope is infinite."""

import numpy as np
import pytest
from wrong_ops import wrong

from jacobian_bp import (
    ELU,
    BinaryCrossEntropy,
    BinaryCrossEntropyFromLogits,
    CrossEntropy,
    Divide,
    Huber,
    Identity,
    KLDivergence,
    LayerNorm,
    Log,
    Op,
    Power,
    RMSNorm,
    SiLU,
    Sqrt,
    Sum,
    check_op,
    delta,
    dense,
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


@pytest.mark.one_in(3)
@pytest.mark.parametrize("near", NEAR)
@pytest.mark.parametrize("kind", BESIDE)
def test_an_op_is_right_beside_a_pole_and_at_the_end_of_its_domain(kind, near):
    op, arrays = BESIDE[kind]
    report = check_op(op, arrays(near))
    assert report.ok, str(report)


@pytest.mark.one_in(4)
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


JUDGED = "∂²a/∂z² (1, 1, 1): ∂²a/∂z²[0,0,0] is infinite here, in {}: it is not judged"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("op", [Power(p) for p in (1.001, 1.5, 1.999, 0.25, 0.999)] + [Sqrt()])
def test_a_second_derivative_without_end_is_said_to_be_infinite(op, dtype):
    report = check_op(op, {"z": np.zeros(1, dtype)})
    assert report.ok, str(report)
    assert report.lines[1] == JUDGED.format(np.dtype(dtype))


@pytest.mark.parametrize("p", [2.0, 2.001, 2.5, 3.0])
def test_one_with_an_end_is_judged_where_a_step_stays_in_the_domain(p):
    report = check_op(Power(p), {"z": [0.0]})
    assert report.ok, str(report)
    assert "infinite" not in str(report)
    assert ("1 entry is not judged: a kink, a pole or the end" in str(report)) == bool(p % 1)


def own_op(value, slope, bend, factor=1.0):
    """An op entry by entry; both rules of its slope and its second derivative times a factor."""

    class Own(Op):
        signature = "z[k] -> a[k]"

        def forward(self, z):
            return value(z)

        def jacobians(self, z):
            return {"z": delta("k,k'") * dense("s[k]", factor * slope(z))}

        def second(self, z):
            twice = delta("k,k'") * delta("k,k''")
            return {("z", "z"): twice * dense("t[k]", factor * bend(z))}

        def vjp(self, a_bar, z):
            return {"z": a_bar * (factor * slope(z))}

    return Own


def test_a_second_derivative_that_is_infinite_by_mistake_is_wrong():
    own = own_op(np.sin, np.cos, lambda z: np.where(z == 0, np.inf, -np.sin(z)))
    (finding,) = check_op(own, {"z": [0.0, 0.5]}).findings
    assert finding.wrong.startswith("∂²a/∂z²[0,0,0]: second() inf, differences of jacobians() 0;")


POLES = {  # elsewhere than at 0 and ±1: the value, its slope, its second derivative, where
    "tan": (
        np.tan,
        lambda z: 1 / np.cos(z) ** 2,
        lambda z: 2 * np.sin(z) / np.cos(z) ** 3,
        np.pi / 2,
    ),
    "1/(z − 3.7)": (
        lambda z: 1 / (z - 3.7),
        lambda z: -1 / (z - 3.7) ** 2,
        lambda z: 2 / (z - 3.7) ** 3,
        3.7,
    ),
    "log(z − 40.1)": (
        lambda z: np.log(z - 40.1),
        lambda z: 1 / (z - 40.1),
        lambda z: -1 / (z - 40.1) ** 2,
        40.1,
    ),
    "1/(z + 0.3)²": (
        lambda z: (z + 0.3) ** -2.0,
        lambda z: -2 * (z + 0.3) ** -3.0,
        lambda z: 6 * (z + 0.3) ** -4.0,
        -0.3,
    ),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("near", [0.1, *NEAR[:4]])
@pytest.mark.parametrize("kind", POLES)
def test_beside_a_pole_elsewhere_there_is_no_false_alarm_and_a_mistake_is_found(kind, near):
    *rules, pole = POLES[kind]
    points = {"z": np.array([pole + near, pole + 0.75])}
    report = check_op(own_op(*rules), points)
    assert report.ok, str(report)
    for factor in (-1.0, 1.01):
        assert not check_op(own_op(*rules, factor), points).ok


@pytest.mark.one_in(6)
@pytest.mark.parametrize(
    ("op", "arrays"),
    [
        (ELU, {"z": [0.0, 1.5]}),  # its slope has a kink
        (Huber(0.5), {"a": [1.5, -0.25], "y": [1.0, 0.25]}),
        (BinaryCrossEntropy, {"a": [0.0, 1.0, 0.25], "y": [0.0, 1.0, 1.0]}),  # 0 log 0
        (KLDivergence, {"p": [0.0, 1.0], "y": [0.0, 1.0]}),
        (Divide, {"a": [0.0, 1e-20], "b": [-1e-20, 1e-15]}),
        (RMSNorm(0), {"x": [1e-15, 0.0], "gamma": [1.0, 2.0]}),
        (LayerNorm(1e-5), {"x": [1e-20, 0.0, 1.0], "gamma": [1.0, 2.0, 3.0], "beta": [0, 1, 2]}),
        (Power(-0.001), {"z": [1e-38]}),
        (Power(1.5), {"z": [1e-38, 1e-20]}),
        (Sum, {"L": [6e-8, 1e3, -1e3]}),  # a sum that cancels
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_at_an_edge_an_op_is_right(op, arrays, dtype):
    report = check_op(op, {name: np.array(value, dtype) for name, value in arrays.items()})
    assert report.ok, str(report)


@pytest.mark.parametrize("p", [0.999, 0.25, 1.001, -0.001])
def test_the_slope_of_a_power_is_right_down_to_subnormals(p):
    mpmath = pytest.importorskip("mpmath")
    for z in (5e-324, 1e-310, 1e-300, 1e-5, 3.7, 1e300):
        with mpmath.workdps(50):
            right = float(mpmath.mpf(p) * mpmath.power(mpmath.mpf(z), mpmath.mpf(p) - 1))
        found = Power(p).vjp(np.ones(1), np.array([z]))["z"][0]
        assert found == right or abs(found / right - 1) < 8 * np.finfo(float).eps
