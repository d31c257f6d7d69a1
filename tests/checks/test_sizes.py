"""check_op over numbers of every size: a right op is right, a wrong one is found, and what numbers
of that size cannot tell is said below the line, with the reason.
"""

from itertools import product

import numpy as np
import pytest
from mpmath import mp, mpf, workdps
from sampled import seldom
from wrong_ops import times

from jacobian_bp import BatchNorm, Divide, LayerNorm, Softmax, check_op
from jacobian_bp.errors import JacobianError
from jacobian_bp.ops import GroupNorm, LogSoftmax, RMSNorm
from jacobian_bp.ops.spread import by_spread, standardised

OPS = {  # with the shapes of the inputs; a norm has no eps to hide behind
    "LayerNorm": (LayerNorm(eps=0), {"x": (3,), "gamma": (3,)}),
    "RMSNorm": (RMSNorm(eps=0), {"x": (3,), "gamma": (3,)}),
    "BatchNorm": (BatchNorm(eps=0), {"x": (3, 2), "gamma": (2,)}),
    "GroupNorm": (GroupNorm(2, eps=0, axes="c,i"), {"x": (2, 3), "gamma": (2,)}),
    "Softmax": (Softmax(), {"z": (3,)}),
    "LogSoftmax": (LogSoftmax(), {"z": (3,)}),
    "Divide": (Divide(), {"a": (3,), "b": (3,)}),
}
SIZES = {
    np.float64: (1e-310, 1e-150, 1e-8, 1.0, 1e8, 1e150, 4e307),
    np.float32: (1e-40, 1e-20, 1e-8, 1.0, 1e8, 1e20, 8e37),
}
WAYS = ("equal", "times", "alone", "beside", "mixed")
LARGE = ("BatchNorm", "GroupNorm")  # whose second derivatives have most entries


def drawn(rng, way, size, shape, sizes):
    """Entries of one size, of any size up to it, one beside zeros or others, or of all sizes."""
    found = rng.uniform(-1, 1, shape)
    if way == "mixed":
        return rng.choice(sizes, shape) * rng.choice([-1.0, 1.0], shape)
    if way in ("equal", "times"):
        return np.full(shape, size) if way == "equal" else size * found
    found = 0 * found if way == "alone" else found
    found.flat[rng.integers(found.size)] = size
    return found


def arrays_of(name, dtype, size, way):
    """One draw for each input, and for each input with the others ordinary."""
    op, shapes = OPS[name]
    for who in (None, *shapes):
        rng, found = np.random.default_rng([SIZES[dtype].index(size), WAYS.index(way)]), {}
        for operand, shape in shapes.items():
            extreme = who in (None, operand)
            array = drawn(rng, way if extreme else "times", size if extreme else 1.0, shape, [size])
            if extreme and way == "mixed":
                array = drawn(rng, way, size, shape, SIZES[dtype])
            found[operand] = array.astype(dtype)
        if len(op.parsed.inputs) == 3:
            found["beta"] = np.zeros_like(found["gamma"])
        yield found


def called_wrong(name, dtype, size, way):
    found = []
    for arrays in arrays_of(name, dtype, size, way):
        try:
            report = check_op(OPS[name][0], arrays)
        except JacobianError:  # outside the domain: equal rows, a divisor of 0
            continue
        found += [] if report.ok else [f"{arrays}\n{report}"]
    return found


CASES = {name: [*product(SIZES, range(7), WAYS)] for name in OPS}
IN_TURN = [  # two of each op, at any size; one of those that take long
    (name, *CASES[name][(11 * count + 29 * turn + 3) % len(CASES[name])])
    for count, name in enumerate(OPS)
    for turn in range(1 if name in LARGE else 2)
]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("name", "dtype", "number", "way"), IN_TURN)
def test_a_right_op_is_right_at_every_size(name, dtype, number, way):
    assert called_wrong(name, dtype, SIZES[dtype][number], way) == []


@pytest.mark.full
@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("dtype", SIZES)
def test_a_right_op_is_right_at_each_size_of_each_kind(name, dtype):
    found = {}
    for size, way in product(SIZES[dtype], WAYS):
        wrong = called_wrong(name, dtype, size, way)
        found |= {(size, way): wrong} if wrong else {}
    assert found == {}


def off_by(op, factor, where):
    """The op with its rules times a factor: in its Jacobian, its VJP, both, or its second()."""

    class Off(type(op)):
        def jacobians(self, *inputs):
            found = super().jacobians(*inputs)
            return times(factor, found) if where in ("jacobian", "both") else found

        def vjp(self, bar, *inputs):
            found = super().vjp(bar, *inputs)
            return times(factor, found) if where in ("vjp", "both") else found

        def second(self, *inputs):
            found = super().second(*inputs)
            return times(factor, found) if where == "second" else found

    made = Off.__new__(Off)
    made.__dict__.update(vars(op))
    return made


def ordinary(name, size):
    """Different numbers, of which the first input's have a size."""
    op, shapes = OPS[name]
    rng = np.random.default_rng(7)
    found = {operand: rng.standard_normal(shape) for operand, shape in shapes.items()}
    first = next(iter(found))
    found[first] = found[first] * size
    if len(op.parsed.inputs) == 3:
        found["beta"] = np.zeros_like(found["gamma"])
    return found


PLACES = ("jacobian", "vjp", "both", "second")


@pytest.mark.parametrize("name", [seldom(name) if name in LARGE else name for name in OPS])
def test_a_mistake_of_a_thousandth_is_found_at_ordinary_and_at_extreme_sizes(name):
    far = 1e-8 if "oftmax" in name else 1e-150
    for size, where in ((1.0, "second"), (far, "both")):
        arrays = ordinary(name, size)
        assert check_op(off_by(OPS[name][0], 1.0, where), arrays).ok
        assert not check_op(off_by(OPS[name][0], 1.001, where), arrays).ok, (size, where)


@pytest.mark.full
@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("name", OPS)
def test_a_mistake_of_a_thousandth_is_found_in_every_rule(name, where):
    sizes = (1e-8, 1.0) if "oftmax" in name else (1e-150, 1e-8, 1.0, 1e8)
    for size in sizes:
        assert not check_op(off_by(OPS[name][0], 1.001, where), ordinary(name, size)).ok, size


# What is said below the line


def lines_of(report, begin):
    return [
        part for line in report.lines for part in line.split("\n    ") if part.startswith(begin)
    ]


ROW = {"x": [-0.07, 0.05, -0.84], "gamma": [4e307, 4e307, 4e307], "beta": [0.5, 1.25, 1.0]}


def test_a_sum_whose_terms_pass_the_largest_number_is_not_judged():
    report = check_op(LayerNorm(eps=0), ROW)
    assert report.ok, str(report)
    said = "27 entries are not judged: the terms of a sum pass 1.8e+308, the largest float64"
    assert lines_of(report, "27 entries") == [said]


def test_slopes_that_no_step_is_narrow_enough_for_are_not_judged_where_they_pass_it():
    arrays = {name: np.full(3, 8e37, np.float32) for name in ("x", "gamma", "beta")}
    report = check_op(LayerNorm(), arrays)
    assert report.ok, str(report)
    said = "entries are not judged: the terms of a sum pass 3.4e+38, the largest float32"
    assert report.lines[0] == f"∂y/∂x (3, 3):\n    9 {said}"
    assert report.lines[3] == f"∂²y/∂x² (3, 3, 3):\n    27 {said}"


@pytest.mark.parametrize("rule", ["second", "jacobians"])
def test_what_is_infinite_by_mistake_is_wrong(rule):
    class Endless(LayerNorm):
        pass

    setattr(Endless, rule, lambda self, *i: times(np.inf, getattr(LayerNorm, rule)(self, *i)))
    assert not check_op(Endless(eps=0), {**ROW, "gamma": [0.5, -2.0, 3.0]}).ok


def test_a_formula_whose_squares_pass_the_largest_number_is_not_judged():
    arrays = {"x": [1.0, 1e-150, -4e307], "gamma": [-1.0, 4.0, -4.0], "beta": [0.0, 0.0, 0.0]}
    report = check_op(LayerNorm(eps=0), arrays)
    assert report.ok, str(report)
    said = "peer() is not judged: a number on its way passes the largest float64"
    assert lines_of(report, "peer()") == [said]
    tiny = {**arrays, "x": [1e-160, 3e-160, -5e-160]}
    said = "peer() is not judged: a number on its way is too small for all digits of a float64"
    assert lines_of(check_op(LayerNorm(eps=0), tiny), "peer()") == [said]


def test_a_formula_that_loses_the_digits_of_a_far_row_is_not_judged():
    x = 1e8 + 1e-7 * np.array([3.0, 0.0, -5.0])
    report = check_op(LayerNorm(), {"x": x, "gamma": [0.3, 0.7, -0.2], "beta": [0.2, 0.3, 0.1]})
    assert report.ok, str(report)
    said = "stages() is not judged: a few roundings of the inputs move it as far"
    assert lines_of(report, "stages()") == [said]


CANCELS = {"x": [-5e-324, -1e-20, -1e4], "gamma": [-1e-20, -1e-4, 4e307], "beta": [0.0, 0.0, 0.0]}
SMALL = {"x": [-3e-161, 1e-161, -5e-161], "gamma": [7e-161, -8e-161, 1e-161]}


@pytest.mark.parametrize(
    ("op", "arrays", "why"),
    [
        (LayerNorm(eps=0), CANCELS, "a few roundings of the inputs move it as far"),
        (RMSNorm(eps=0), SMALL, "a number on its way is too small for all digits of a float64"),
    ],
)
def test_a_formula_in_stages_that_loses_its_digits_on_the_way_is_not_judged(op, arrays, why):
    report = check_op(op, arrays)
    assert report.ok, str(report)
    assert lines_of(report, "stages()") == [f"stages() is not judged: {why}"]


def test_differences_of_what_is_left_of_far_larger_terms_tell_nothing():
    arrays = {"x": [1e-100, -1e-20, -1e20], "gamma": [-1.0, -0.5, 1e155], "beta": [0.0, 0.0, 0.0]}
    assert check_op(LayerNorm(eps=0), arrays).ok
    told = {**arrays, "x": [1.0, -2.5, 7.0]}
    assert check_op(LayerNorm(eps=0), told).ok
    assert not check_op(off_by(LayerNorm(eps=0), 1.001, "second"), told).ok


def test_a_wrong_formula_is_wrong_where_it_can_be_told():
    class Wrong(LayerNorm):
        def peer(self, xp, x, gamma, beta):
            return 1.01 * super().peer(xp, x, gamma, beta)

        def stages(self):
            ((*lines, last),) = super().stages()
            return ((*lines, last.replace("Add", "Subtract")),)

    for gains in ([1.0, -2.0, 0.5], [4e307, -2e307, 1e307]):  # whose cotangents pass 1.8e308
        arrays = {"x": [0.25, -1.5, 3.0], "gamma": gains, "beta": [0.5, 0.25, 1.0]}
        facts = [finding.wrong.split()[0] for finding in check_op(Wrong(eps=0), arrays).findings]
        assert set(facts) == {"peer()", "stages()"}


# The digits of a norm


@pytest.mark.parametrize(
    ("dtype", "sizes"),
    [(np.float64, (5e-323, 1e-310, 1e-300)), (np.float32, (1e-44, 1e-40, 1e-38))],
)
def test_a_norm_of_subnormal_entries_is_exact_to_its_last_digits(dtype, sizes):
    rng, unit = np.random.default_rng(3), float(np.finfo(dtype).eps)
    with workdps(60):
        for size in sizes:
            x = (size * rng.uniform(-1, 1, (5, 7))).astype(dtype)
            rows = zip(x, standardised(x, 0)[0], by_spread(x, 0)[0], strict=True)
            for row, normal, whole in rows:
                exact = [mpf(float(v)) for v in row]
                mean = sum(exact) / len(exact)
                for taken, found in ((mean, normal), (mpf(0), whole)):
                    away = [v - taken for v in exact]
                    spread = mp.sqrt(sum(d * d for d in away) / len(away))
                    off = [abs(float(f) - d / spread) for f, d in zip(found, away, strict=True)]
                    assert max(off) <= 8 * unit


def test_a_gain_that_overflows_leaves_the_rows_of_the_others_alone():
    x, gamma, beta = np.array([1e-160, 3e-160, -5e-160]), np.array([1.0, 1e160, -2.0]), np.zeros(3)
    for op, given in ((LayerNorm(eps=0), (gamma, beta)), (RMSNorm(eps=0), (gamma,))):
        found = op.vjp(np.array([1.0, 0.0, 0.0]), x, *given)["x"]
        alone = op.vjp(np.array([1.0, 0.0, 0.0]), x, np.ones(3), *given[1:])["x"]
        assert np.isfinite(found).all()
        assert found.tolist() == alone.tolist()
