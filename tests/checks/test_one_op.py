"""check_op says yes to every right op, and names what is wrong with a wrong one."""

import numpy as np
import pytest
from network_cases import refusal
from ops_cases import in_both_forms
from wrong_ops import (
    DeltaOnTheWrongAxis,
    Forgetful,
    MeanWithoutShare,
    MeanWithoutShareInBoth,
    NotANumber,
    OneEntryOff,
    OneEntryOffInVjp,
    Scale,
    SoftmaxDiagonal,
    TransposedJacobian,
    TransposedVjp,
    UnsummedBias,
    wrong,
)

from jacobian_bp import (
    AxisError,
    Linear,
    Multiply,
    Op,
    ReLU,
    Sigmoid,
    SpecError,
    Tanh,
    check_op,
    delta,
    dense,
)

RNG = np.random.default_rng(19)
A, W, B = RNG.standard_normal(5), RNG.standard_normal((3, 5)), RNG.standard_normal(3)
MANY = RNG.standard_normal((7, 5))
LINEAR, LINEAR_BATCH = {"a": A, "W": W, "b": B}, {"a": MANY, "W": W, "b": B}
SQUARE = {"a": A, "W": RNG.standard_normal((5, 5)), "b": RNG.standard_normal(5)}
NUMBERS = {"L": RNG.standard_normal(7)}
PAIR = {"a": A, "b": RNG.standard_normal(5)}
Z = {"z": RNG.standard_normal(5)}
JACOBIAN, VJP, BOTH = "jacobians() is wrong", "vjp() is wrong", "both are wrong"
ANYWHERE = pytest.mark.parametrize(
    ("where", "verdict"), [("jacobian", JACOBIAN), ("vjp", VJP), ("both", BOTH)]
)


# ---------------------------------------------------------------- right ops


@pytest.mark.one_in(16)
@in_both_forms
def test_every_op_of_the_package_is_right(case, batch):
    inputs = dict(zip(case.names, case.inputs(batch), strict=True))
    report = check_op(case.op, inputs)
    assert report.ok, str(report)
    bends = case.op.second(*inputs.values())
    assert len(report.lines) == len(case.op.differentiable()) + len(bends)
    assert sum("∂²" in line and "kink" not in line for line in report.lines) == len(bends)


@pytest.mark.parametrize("arrays", [{"a": A, "s": 2.5}, {"a": MANY, "s": RNG.random(7)}])
def test_an_op_of_ones_own_is_right(arrays):
    assert check_op(Scale, arrays).ok
    assert not check_op(wrong(Scale, 2.0, "vjp"), arrays).ok


def test_the_report_of_a_right_op():
    assert str(check_op(Linear, LINEAR)) == (
        "Linear: the three derivatives agree\n"
        "  ∂z/∂a (3, 5): VJP differs by less than 1e-15, finite differences by less than 1e-08\n"
        "  ∂z/∂W (3, 3, 5): VJP differs by less than 1e-15, finite differences by less than 1e-08\n"
        "  ∂z/∂b (3, 3): VJP differs by less than 1e-15, finite differences by less than 1e-08\n"
        "  ∂²z/∂a∂W (3, 5, 3, 5): differences of jacobians() differ by less than 1e-08"
    )
    assert check_op(Linear, LINEAR).text(ascii_only=True).isascii()


@pytest.mark.parametrize("at_zero", [0, 0.25, 0.5, 1])
def test_a_kink_is_a_kink_and_not_an_error(at_zero):
    report = check_op(ReLU(at_zero=at_zero), {"z": [0.0, -0.0, 1.5, -2.0, 0.0]})
    assert report.ok
    assert str(report).endswith("; 3 entries sit on a kink")


def test_a_wrong_slope_beside_a_kink_is_caught():
    wrong_relu = wrong(ReLU, 3.0, "both")
    report = check_op(wrong_relu, {"z": [0.0, 1.5, -2.0]})
    (finding,) = report.findings
    assert (finding.entry, finding.wrong) == ("∂a/∂z[1,1]", BOTH)


def smooth(f, slope):
    """z ↦ f(z), entry by entry, with this slope."""

    class Smooth(Op):
        signature = "z[k] -> a[k]"

        def forward(self, z):
            return f(z)

        def jacobians(self, z):
            return {"z": delta("k,k'") * dense("s[k]", slope(z))}

        def vjp(self, a_bar, z):
            return {"z": a_bar * slope(z)}

    return Smooth


BENT = {  # smooth, with second derivatives of about 1e6
    "a parabola": (lambda z: 5e5 * z * z, lambda z: 1e6 * z),
    "a fast wave": (lambda z: np.sin(1000 * z), lambda z: 1000 * np.cos(1000 * z)),
    "a sharp softplus": (
        lambda z: np.logaddexp(0, 4e6 * z) / 4e6,
        lambda z: 1 / (1 + np.exp(-4e6 * z)),
    ),
    "a sharp absolute value": (lambda z: np.hypot(z, 1e-6), lambda z: z / np.hypot(z, 1e-6)),
}


@pytest.mark.parametrize("name", BENT)
@pytest.mark.parametrize("factor", [1.0, 0.97, -1.0])
def test_a_function_that_bends_sharply_has_no_kink_and_one_slope(name, factor):
    f, slope = BENT[name]
    points = {"z": [0.0, 3e-7, -2e-7, 0.5]}
    report = check_op(smooth(f, lambda z: factor * slope(z)), points)
    assert report.ok == (factor == 1), str(report)
    assert "kink" not in str(report)
    shifted = smooth(f, lambda z: slope(z) + 0.03 * (z == 0))  # beside the slope at 0 alone
    (finding,) = check_op(shifted, points).findings
    assert finding.entry == "∂a/∂z[0,0]"


def test_what_lies_beside_a_kink_is_not_said_to_sit_on_it():
    """A step that is narrow enough judges 1e-8; beside the 1 that is added none judges 1e-10."""
    judged = check_op(ReLU, {"z": [1e-8, 0.0, 2.0]})
    assert str(judged).endswith("; 1 entry sits on a kink")
    lifted = smooth(lambda z: np.abs(z) + 1, lambda z: np.where(z < 0, -1.0, 1.0))
    beside = check_op(lifted, {"z": [1e-10, 0.0, 2.0]})
    assert str(beside).endswith("; 2 entries sit on a kink or beside one")
    assert "finite differences by less than 1e-08; 2" in str(beside)
    own = smooth(np.abs, lambda z: np.where(z < 0, -1.0, 1.0))
    assert str(check_op(own, {"z": [0.0, 2.0]})).endswith("; 1 entry sits on a kink or beside one")
    assert not check_op(smooth(np.abs, lambda z: 2 * np.sign(z)), {"z": [1e-8, 2.0]}).ok


@pytest.mark.one_in(3)
@pytest.mark.parametrize("large", [1e308, 1e150, 1e25])
@pytest.mark.parametrize("where", ["jacobian", "vjp", "both"])
@pytest.mark.parametrize("factor", [1.0, 1.001, -1.0])
def test_one_large_entry_hides_no_error_of_another(large, where, factor):
    slopes = np.array([0.3, large, -1.7])

    class Weights(Op):
        signature = "z[k] -> a[k]"

        def forward(self, z):
            return slopes * z

        def claimed(self, whose):
            return slopes * np.where([1, 0, 1], factor if where in (whose, "both") else 1, 1)

        def jacobians(self, z):
            return {"z": delta("k,k'") * dense("c[k]", self.claimed("jacobian"))}

        def vjp(self, a_bar, z):
            return {"z": a_bar * self.claimed("vjp")}

    report = check_op(Weights, {"z": [1.25, 0.1, -0.5]})
    assert report.ok == (factor == 1), str(report)
    if factor != 1:
        (finding,) = report.findings
        assert finding.count == "2 of 9 entries differ"
        assert finding.pattern == ""  # the large entry is right: no pattern fits them all


class Cancelling(Op):
    """z = c a (a − b): its slope c (2a − b), written as a difference of two large products."""

    signature = "a[k], b[k] -> z[k]"
    labels = ("b",)
    scale = np.float32(1e5)

    def forward(self, a, b):
        return self.scale * a * (a - b)

    def slope(self, a, b):
        return 2 * (self.scale * a) - self.scale * b

    def jacobians(self, a, b):
        return {
            "a": delta("k,k'") * dense("s[k]", self.slope(a, b)),
            "b": delta("k,k'") * dense("t[k]", -self.scale * a),
        }

    def vjp(self, z_bar, a, b):
        return {"a": z_bar * self.slope(a, b), "b": -self.scale * a * z_bar}


class FromZero(Op):
    """a = z √z + z, entry by entry: it ends at 0, with the slope 1."""

    signature = "z[k] -> a[k]"

    def forward(self, z):
        return z * np.sqrt(z) + z

    def jacobians(self, z):
        return {"z": delta("k,k'") * dense("(3/2 √z + 1)[k]", 1.5 * np.sqrt(z) + 1)}

    def vjp(self, a_bar, z):
        return {"z": a_bar * (1.5 * np.sqrt(z) + 1)}


def test_the_entry_that_is_shown_is_one_that_finite_differences_can_judge():
    """No step from 0 stays in the domain; 1.5 is as wrong, and what is shown is finite."""
    points = {"z": [0.0, 1.5, 0.25]}
    (finding,) = check_op(wrong(FromZero, 2.0, "vjp"), points).findings
    assert (finding.entry, finding.wrong) == ("∂a/∂z[1,1]", VJP)
    assert np.isfinite([value for _, value in finding.values]).all()
    assert check_op(FromZero, points).ok


CANCELLING = {"a": [0.1, 1.7, -0.9], "b": [0.20001, 0.3, 2.3]}


def test_an_entry_that_cancels_is_judged_at_the_scale_of_the_others():
    """0.1 rounded to float32 is off by 1e-9 of itself, 1e5 times that is the slope's own error."""
    arrays = {name: np.array(v, np.float32) for name, v in CANCELLING.items()}
    report = check_op(Cancelling, arrays)
    assert report.ok, str(report)
    assert "kink" not in str(report)
    assert not check_op(wrong(Cancelling, 1.0001, "both"), arrays).ok


# ---------------------------------------------------------------- wrong ops


@ANYWHERE
@pytest.mark.parametrize("op", [Sigmoid, Linear, Multiply])
@pytest.mark.parametrize(
    ("factor", "pattern"),
    [
        (-1.0, "every entry has the opposite sign"),
        (2.0, "every entry is 2 times the right one"),
        (1.0005, "every entry is 1.0005 times the right one"),
        (0.0, "every entry is 0"),
    ],
)
def test_signs_and_factors_are_named(op, factor, pattern, where, verdict):
    arrays = {Sigmoid: Z, Linear: LINEAR_BATCH, Multiply: PAIR}[op]
    report = check_op(wrong(op, factor, where), arrays)
    assert not report.ok
    assert [f.input for f in report.findings] == list(op().differentiable())
    assert {(f.wrong, f.pattern) for f in report.findings} == {(verdict, pattern)}


@ANYWHERE
@pytest.mark.parametrize("z", [20.0, -30.0])
def test_a_small_slope_is_checked_as_well_as_a_large_one(where, verdict, z):
    """σ'(20) is 2e-9: twice that is as wrong as 2 for 1."""
    report = check_op(wrong(Sigmoid, 2.0, where), {"z": [z, z + 0.5, z - 1.25]})
    assert [f.wrong for f in report.findings] == [verdict]


TURNED = "axes 0 and 1 are exchanged: a factor is transposed"
SHARE = "every entry is 7 times the right one: the mean over 7 examples, 1/7, is missing"


@pytest.mark.parametrize(
    ("op", "arrays", "entry", "verdict", "count", "pattern"),
    [
        (TransposedJacobian, SQUARE, "∂z/∂a", JACOBIAN, "20 of 25", TURNED),
        (TransposedVjp, SQUARE, "∂z/∂a", VJP, "20 of 25", TURNED),
        (MeanWithoutShare, NUMBERS, "∂J/∂L", JACOBIAN, "7 of 7", SHARE),
        (MeanWithoutShareInBoth, NUMBERS, "∂J/∂L", BOTH, "7 of 7", SHARE),
        (DeltaOnTheWrongAxis, PAIR, "∂c/∂a", JACOBIAN, "20 of 25", ""),
        (SoftmaxDiagonal, Z, "∂p/∂z", VJP, "20 of 25", ""),
        (NotANumber, Z, "∂a/∂z", VJP, "25 of 25", ""),
    ],
)
def test_what_is_wrong_is_named(op, arrays, entry, verdict, count, pattern):
    finding = check_op(op, arrays).findings[0]
    assert finding.entry.startswith(entry + "[")
    assert (finding.wrong, finding.count) == (verdict, f"{count} entries differ")
    assert finding.pattern == pattern


def test_a_mean_taken_once_too_often_is_named():
    pattern = "every entry is 0.14285714 times the right one, 1/7: "
    pattern += "the mean over 7 examples was taken once too often"
    findings = check_op(wrong(Linear, 1 / 7, "vjp"), LINEAR_BATCH).findings
    assert {f.pattern for f in findings} == {pattern}


@pytest.mark.parametrize(
    ("op", "verdict"),
    [(OneEntryOff, JACOBIAN), (OneEntryOffInVjp, VJP)],
)
def test_one_entry_off_by_a_millionth_of_the_largest_is_found(op, verdict):
    (finding,) = check_op(op, LINEAR).findings
    assert (finding.entry, finding.count) == ("∂z/∂a[1,2]", "1 of 15 entries differ")
    assert (finding.wrong, finding.pattern) == (verdict, "one entry alone is off")


def test_one_entry_off_in_both_rules_is_found():
    class OffInBoth(OneEntryOff, OneEntryOffInVjp):
        pass

    (finding,) = check_op(OffInBoth, LINEAR).findings
    assert (finding.entry, finding.wrong) == ("∂z/∂a[1,2]", BOTH)


def test_the_bias_that_is_not_summed_over_the_batch():
    assert check_op(UnsummedBias, LINEAR).ok  # one example has nothing to sum
    (finding,) = check_op(UnsummedBias, LINEAR_BATCH).findings
    assert str(finding) == (
        "∂z/∂b: vjp()['b'] has shape (7, 3), b has shape (3,)\n"
        "    the examples are not summed: use over_batch()"
    )


def test_the_whole_report_of_a_wrong_op():
    arrays = {"z": [0.25, -0.5]}
    assert str(check_op(wrong(Sigmoid, 2.0, "vjp"), arrays)) == (
        "WrongSigmoid: WRONG\n"
        "  ∂a/∂z[0,0]: jacobians() 0.2461340827, vjp() 0.4922681655, "
        "finite differences 0.2461340827\n"
        "    vjp() is wrong; 2 of 4 entries differ\n"
        "    every entry is 2 times the right one"
    )


def test_a_rule_that_is_missing_is_named():
    class NoVjp(Tanh):
        def vjp(self, a_bar, z):
            return {}

    (finding,) = check_op(Forgetful, {"z": A, "y": 2}).findings
    assert str(finding) == (
        "jacobians() is refused. Forgetful 'L': jacobians() gives no ∂L/∂z.\n"
        "  It gives none; the signature is z[k], y[k] -> L[]."
    )
    (finding,) = check_op(NoVjp, Z).findings
    assert str(finding) == "∂a/∂z: vjp() gives nothing for z; it gives none"


class Raising(Multiply):
    def jacobians(self, a, b):
        raise ArithmeticError("no rule")


class RaisingVjp(Multiply):
    def vjp(self, c_bar, a, b):
        raise ArithmeticError("no rule")


class TransposedShapes(Linear):
    def vjp(self, z_bar, a, W, b):
        return {
            name: row[None] if row.ndim == 1 else row
            for name, row in super().vjp(z_bar, a, W, b).items()
        }


def test_a_refusal_for_all_inputs_is_told_once_and_two_refusals_are_two():
    (finding,) = check_op(Raising, PAIR).findings
    assert finding.input == "a, b"
    assert str(finding) == (
        "jacobians() is refused. Raising 'c': jacobians() raises ArithmeticError: no rule.\n"
        "  Mend Raising.jacobians, or what it is given: c = Raising(a, b)."
    )
    (finding,) = check_op(RaisingVjp, PAIR).findings
    assert finding.input == "a, b"
    assert str(finding).startswith("∂c/∂a, ∂c/∂b: vjp() raises ArithmeticError: no rule\n")
    findings = check_op(TransposedShapes, {"a": A, "W": W, "b": B}).findings
    assert [(found.input, found.wrong) for found in findings] == [
        ("a", "vjp()['a'] has shape (1, 5), a has shape (5,)"),
        ("b", "vjp()['b'] has shape (1, 3), b has shape (3,)"),
    ]


# ---------------------------------------------------------------- what cannot be checked


class Reasoned(Tanh):
    reasons = ("z", "entry k reads entry k only")


@pytest.mark.parametrize(
    ("op", "arrays", "error", "message"),
    [
        (
            Linear,
            {"a": A, "b": B},
            SpecError,
            "Linear reads a, W, b; arrays has a, b.\n"
            "  Give one array for each input of the signature.",
        ),
        (
            Linear,
            [A, W, B],
            SpecError,
            "arrays is a list, not a mapping of inputs to arrays.\n"
            "  Linear reads a, W, b: give one array for each.",
        ),
        (
            Linear,
            LINEAR | {"q": A},
            SpecError,
            "Linear reads a, W, b; arrays has a, W, b, q.\n"
            "  Give one array for each input of the signature.",
        ),
        (
            Linear,
            LINEAR | {"W": W.T},
            AxisError,
            "Linear 'z': axis i has two sizes.\n"
            "  a[i]   has shape (5,),   so i = 5\n"
            "  W[k,i] has shape (5, 3), so i = 3\n"
            "  W looks transposed: pass W.T, shape (3, 5).",
        ),
        (
            Op,
            {},
            SpecError,
            "op: Op has no signature.\n"
            '  Write it in the class, such as signature = "a[i], W[k,i] -> z[k]".',
        ),
        (
            Reasoned,
            {"z": A},
            SpecError,
            "op: the reasons of Reasoned are a tuple.\n"
            '  Write a dict from input to reason: reasons = {"x": "entry k reads entry k only"}.',
        ),
        (int, {}, SpecError, "op is the class int, not an Op.\n  Derive it from jacobian_bp.Op."),
    ],
    ids=["missing", "list", "unknown", "transposed", "no signature", "reasons", "no op"],
)
def test_the_message_is_whole(op, arrays, error, message):
    assert refusal(error, check_op, op, arrays) == message
