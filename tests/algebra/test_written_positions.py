"""at("i = 2o + r - 1") and within("u <= t"): what is read, what is printed, what is refused."""

import numpy as np
import pytest

import jacobian_bp
from jacobian_bp import Jacobian, at, delta, dense, one, within
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.errors import AxisError, DomainError
from jacobian_bp.writing.latex import formula
from jacobian_bp.writing.signs import to_ascii

U = np.array([[4, 0, 2], [1, 1, 3]])


def refusal(call, *arguments, **named):
    with pytest.raises(AxisError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def test_the_two_functions_are_public():
    assert jacobian_bp.at is at
    assert jacobian_bp.within is within


@pytest.mark.parametrize(
    ("expression", "text", "latex"),
    [
        (at("i' = 2o + r - 1"), "δ[i',2o+r−1]", r"\delta_{i',2o+r-1}"),
        (at("i=2*o+3r"), "δ[i,2o+3r]", r"\delta_{i,2o+3r}"),
        (at("i = 2·o − r"), "δ[i,2o−r]", r"\delta_{i,2o-r}"),
        (at("i = 4 - o"), "δ[i,−o+4]", r"\delta_{i,-o+4}"),
        (at("i = o + r - o"), "δ[i,r]", r"\delta_{i,r}"),
        (at("i = 0"), "δ[i,0]", r"\delta_{i,0}"),
        (at("i = 0r + o"), "δ[i,o]", r"\delta_{i,o}"),
        (at("f = 12unit + 3i' + j''"), "δ[f,12unit+3i'+j'']", None),
        (at("v' = u[n,t]", U), "δ[v',u[n,t]]", r"\delta_{v',u_{n,t}}"),
        (at("v' = u[t]", U), "δ[v',u[n,t]]", r"\delta_{v',u_{n,t}}"),
        (at("v' = u", np.array(3)), "δ[v',u]", r"\delta_{v',u}"),
        (at("v' = u[t]", [1.0, 0.0]), "δ[v',u[t]]", r"\delta_{v',u_{t}}"),
        (within("t - u"), "[u≤t]", r"[u\leq t]"),
        (within("u <= t"), "[u≤t]", r"[u\leq t]"),
        (within("u ≤ t - 1"), "[u+1≤t]", r"[u+1\leq t]"),
        (within("0 <= o + r - 1 <= 4"), "[0≤o+r−1≤4]", r"[0\leq o+r-1\leq4]"),
        (within("o + r - 1", 0, 4), "[0≤o+r−1≤4]", r"[0\leq o+r-1\leq4]"),
        (within("-3 <= t - u <= 3"), "[−3≤t−u≤3]", r"[-3\leq t-u\leq3]"),
        (within("t - u", high=2), "[t≤u+2]", r"[t\leq u+2]"),
        (within("t - u", 2, 2), "[t=u+2]", r"[t=u+2]"),
        (within("m[k]", table=[1, 0, 1]), "m[k]", r"m_{k}"),
        (within("m[k]", table=[True, False]), "m[k]", r"m_{k}"),
        (within("u[t]", 0, 4, table=[1, 7]), "[0≤u[t]≤4]", r"[0\leq u_{t}\leq4]"),
        (2 * at("i = o") * one("k"), "2 δ[i,o] 1[k]", None),
    ],
)
def test_a_position_is_printed_as_a_formula(expression, text, latex):
    assert str(expression) == text
    assert to_ascii(text).isascii()
    if latex:
        assert formula(text) == latex


@pytest.mark.parametrize("text", ["2o", "o2", "-o + 3r' - 7", "1", "12unit"])
def test_what_is_printed_reads_back(text):
    first = at(f"i = {text}")
    (factor,) = first.terms[0].factors
    assert str(at(f"i = {factor.position}")) == str(first)


POSITION = "A position is a sum of whole multiples of axes, such as 2o + r - 1."


@pytest.mark.parametrize(
    ("equation", "read", "rest"),
    [
        ("i = 2(o + r)", "2(o + r)", "(o + r)"),
        ("i = 0.5o", "0.5o", ".5o"),
        ("i = o*2", "o*2", "*2"),
        ("i = 2o r", "2o r", "r"),
        ("i = 2 *", "2 *", "*"),
        ("i = o +", "o +", "+"),
        ("i = o // 2", "o // 2", "// 2"),
        ("i = o - - 1", "o - - 1", "- - 1"),
        ("i = 'o", "'o", "'o"),
    ],
)
def test_a_position_that_cannot_be_read_is_refused_where_it_breaks(equation, read, rest):
    assert refusal(at, equation) == (
        f"at({equation!r}): {read!r} cannot be read at {rest!r}.\n  {POSITION}"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: at("i"),
            "at('i') is no equation of one axis and a position.\n  Write at('i = 2o + r - 1').",
        ),
        (
            lambda: at("i, j = o"),
            "at('i, j = o') is no equation of one axis and a position.\n"
            "  Write at('i = 2o + r - 1').",
        ),
        (
            lambda: at("2i = o"),
            "at('2i = o'): '2i' is not an axis name.\n"
            "  An axis is a word such as k or unit, with a prime for the variable's own: k'.",
        ),
        (
            lambda: at("v = u[t]"),
            "at('v = u[t]'): 'u[t]' is a look-up, and no table is given.\n"
            "  Pass its whole numbers too: at('v = u[t]', table).",
        ),
        (
            lambda: at("v = u[t]", [1, 0.5, 2]),
            "at('v = u[t]'): the table holds 0.5 at [1].\n"
            "  A position is a whole number of at most 12 digits.",
        ),
        (
            lambda: at("v = u[t]", [1, np.nan, 2]),
            "at('v = u[t]'): the table holds nan at [1].\n"
            "  A position is a whole number of at most 12 digits.",
        ),
        (
            lambda: at("v = u[t]", [1.0, 1e300]),
            "at('v = u[t]'): the table holds 1e+300 at [1].\n"
            "  A position is a whole number of at most 12 digits.",
        ),
        (
            lambda: at("v = u[t]", [1, -(2**63)]),
            "at('v = u[t]'): the table holds -9223372036854775808 at [1].\n"
            "  A position is a whole number of at most 12 digits.",
        ),
        (
            lambda: at("i = 9999999999999o"),
            "at('i = 9999999999999o'): 9999999999999 is too large for a position.\n"
            "  Write a number of at most 12 digits.",
        ),
        (
            lambda: at("v = u[t]", np.zeros(())),
            "at('v = u[t]'): u[t] has 1 axis, the table has shape ().\n"
            "  Name every axis of the table once; axes in front, of a batch, need no name.",
        ),
        (
            lambda: at("i = 2o + r", sizes={"s": 3}),
            "at('i = 2o + r'): sizes has the axis s, which the position has not.\n"
            "  The position reads o, r.",
        ),
        (
            lambda: at("i = 2o + r", sizes={"r": 1.5}),
            "at('i = 2o + r'): axis r has size 1.5.\n"
            "  A size is a whole number that is not negative.",
        ),
        (
            lambda: within("u < t"),
            "within('u < t'): a range is written with <= only.\n"
            "  Write 'u <= t' for t >= u, 'u <= t - 1' for u < t, and at('i = t') for i = t.",
        ),
        (
            lambda: within("u <= t <= s"),
            "within('u <= t <= s'): only a position between two whole numbers has two bounds.\n"
            "  Write '0 <= o + r - 1 <= 4', or two ranges: within('a <= b') * within('b <= c').",
        ),
        (
            lambda: within("t - u", 0.5),
            "within('t - u'): the bound 0.5 is no whole number.\n  Write such as 0.",
        ),
        (
            lambda: within("m[k]", table=[1, 2]),
            "within('m[k]'): the mask holds 2 at [1].\n"
            "  A mask holds 1 where an entry may stand, and 0 where none does.",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_to_write(call, message):
    assert refusal(call) == message


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            ["a"],
            "u has dtype <U1, which holds text: u[0] is 'a'.\n"
            "  Write a number for it; number classes 0, 1, 2, ….",
        ),
        (
            [[1], [2, 3]],
            "u is ragged: u[0] has 1 entry, u[1] has 2 entries.\n  Give every row the same length.",
        ),
    ],
)
def test_a_table_that_holds_no_numbers_is_refused_as_any_array_is(table, message):
    with pytest.raises(DomainError) as caught:
        at("v = u[t]", table)
    assert str(caught.value) == message


def local(expression, **sizes):
    out = tuple(Axis(a, n) for a, n in sizes.items() if not a.endswith("_"))
    wrt = tuple(Axis(a[:-1] + "'", n) for a, n in sizes.items() if a.endswith("_"))
    return Jacobian.local("y", "x", out, wrt, expression)


K = np.ones((3, 2))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (
            at("i' = 2o + r"),
            "∂y/∂x: axis r of δ[i',2o+r] has no size: no array has it.\n"
            "  Say how long the sum over it is, such as sizes={'r': 3}.",
        ),
        (
            at("i = o"),
            "∂y/∂x: δ[i,o] reads the axis i, which is neither the output's nor the variable's, "
            "and no array has it.\n  Write the axis that is read at the position, such as i'.",
        ),
        (
            dense("K[r,o]", K) * at("i' = o + r", sizes={"r": 2}),
            "∂y/∂x: axis r has two sizes.\n"
            "  K[r,o] has shape (3, 2), so r = 3\n"
            "  sizes has r: 2, so r = 2\n"
            "  Name the axes of the factor in the order of the array's own axes.",
        ),
        (
            dense("K[r,o]", K) * at("i' = u[o]", np.array([0, 1, 2])),
            "∂y/∂x: axis o has two sizes.\n"
            "  u[o] has shape (3,), so o = 3\n"
            "  the Jacobian has o = 2\n"
            "  Name the axes of the factor in the order of the array's own axes.",
        ),
        (
            dense("K[m,o]", K) * at("i' = o + 1"),
            "∂y/∂x: the term K[m,o] δ[i',o+1] has the axis m, which is neither an axis of the "
            "output nor of the variable.\n"
            "  The Jacobian has the axes o, i'; sum the axis out first.",
        ),
        (
            within("0 <= o <= 1"),
            "∂y/∂x: axis i' stands in no factor of the term [0≤o≤1].\n"
            '  Where the term does not change along it, write one("i\'").',
        ),
    ],
)
def test_a_jacobian_that_its_positions_do_not_fit_is_refused(expression, message):
    assert refusal(local, expression, o=2, i_=5) == message


def test_following_the_advice_of_each_refusal_works():
    assert local(at("i' = 2o + r", sizes={"r": 3}), o=2, i_=5).structural_nonzeros == 6
    assert local(at("i' = o"), o=2, i_=5).structural_nonzeros == 2
    assert local(within("0 <= o <= 1") * one("i'"), o=2, i_=5).structural_nonzeros == 10
    assert str(within("a <= b") * within("b <= c")) == "[a≤b] [b≤c]"


def test_a_table_is_copied_once_and_never_changed():
    numbers = np.array([1, 0])
    J = local(at("i' = u[o]", numbers), o=2, i_=5)
    before = J.materialise()
    numbers[:] = 4
    np.testing.assert_array_equal(J.materialise(), before)
    read = at("i' = u[o]", numbers).terms[0].factors[0].position.array
    assert not read.flags.writeable
    assert numbers.flags.writeable


def test_a_product_sums_a_letter_that_both_name_once():
    both = at("i' = o + r", sizes={"r": 3}) * at("j' = q + r", sizes={"r": 3})
    J = local(both, o=2, q=3, i_=5, j_=7)
    assert str(J).startswith("∂y/∂x[o,q,i',j'] = Σ_r δ[i',o+r] δ[j',q+r]\n")
    assert J.structural_nonzeros == 2 * 3 * 3
    assert str(delta("o,i'") * at("j' = q")) == "δ[o,i'] δ[j',q]"


def test_the_arrays_of_an_expression_are_those_of_its_factors_and_of_its_look_ups():
    g, W = np.array([0.5, -2.0, 3.0]), np.array([[1.0, 2.0, 4.0]])
    plain = dense("g[t]", g) * dense("W[k,t]", W)
    looked_up = at("v' = u[n,t]", U) * dense("g[t]", g)
    for expression, arrays in ((plain, [g, W]), (looked_up, [U, g])):
        found = expression.arrays
        assert [array.tolist() for array in found] == [array.tolist() for array in arrays]
