"""Sizes of output axes, inputs that may be left out, and positions: how a signature says them."""

from types import SimpleNamespace

import numpy as np
import pytest

from jacobian_bp.algebra.axes import Signature
from jacobian_bp.algebra.binding import bind
from jacobian_bp.algebra.output_sizes import SizeRule
from jacobian_bp.errors import AxisError

RNG = np.random.default_rng(97)
CONV = "x[c,i], K[d,c,r], b[d]? -> y[d,o]; o = (i + 2*pad - dilation*(r - 1) - 1)//stride + 1"
OPTIONS = {"pad": 1, "dilation": 2, "stride": 3}


def refusal(call, *arguments, **options):
    with pytest.raises(AxisError) as caught:
        call(*arguments, **options)
    return str(caught.value)


def bound(text, shapes, **options):
    return bind(
        Signature.parse(text), shapes, "Conv1d 'y'", op=SimpleNamespace(**OPTIONS | options)
    )


@pytest.mark.parametrize(
    "text", [CONV, "E[v,d], u[] in v -> e[d]", "a[i] -> b[o,q]; o = i + 1; q = 2*i"]
)
def test_a_signature_reads_as_it_is_printed(text):
    signature = Signature.parse(text)
    assert str(signature) == text
    assert Signature.parse(str(signature)) == signature


def test_an_output_axis_has_the_size_of_its_rule():
    binding = bound(CONV, [(2, 31), (5, 2, 7), (5,)])
    assert binding.shape == (5, (31 + 2 - 2 * 6 - 1) // 3 + 1)
    assert bound(CONV, [(11, 2, 31), (5, 2, 7), (5,)]).shape == (11, 5, 7)


@pytest.mark.parametrize("trial", range(40))
def test_a_rule_comes_to_what_python_says(trial):
    """Random sums of the four operations, Python itself being the oracle."""
    rng = np.random.default_rng(trial)

    def word(depth):
        if depth == 0 or rng.random() < 0.2:
            return str(rng.choice(["i", "r", "stride", str(rng.integers(1, 9))]))
        inside = f"{word(depth - 1)} {rng.choice(['+', '-', '*', '//'])} {word(depth - 1)}"
        return f"({inside})"

    text, known = word(4), {"i": 31, "r": 7, "stride": 3}
    try:
        expected = eval(text, {"__builtins__": {}}, known)  # of this test's own making
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            SizeRule.read(f"o = {text}", "it").size(known)
        return
    assert SizeRule.read(f"o = {text}", "it").size(known) == expected


def test_an_empty_window_is_told_with_both_witnesses_and_works_as_advised():
    text = "x[c,i], K[c,r] -> y[o]; o = i - r + 1"
    assert refusal(bound, text, [(3, 4), (3, 9)]) == (
        """\
Conv1d 'y': axis o would have size −4.
  o = i - r + 1, with i = 4, r = 9
  x[c,i] has shape (3, 4), so i = 4
  K[c,r] has shape (3, 9), so r = 9
  It has an entry with i = 9 or r = 4, all else as it is."""
    )
    assert bound(text, [(3, 9), (3, 9)]).shape == (1,)
    assert bound(text, [(3, 4), (3, 4)]).shape == (1,)


def test_a_window_of_no_entry_is_empty_too():
    message = refusal(bound, "x[i] -> y[o]; o = i - 3", [(7, 3)])
    assert message.splitlines()[0] == "Conv1d 'y': axis o would have size 0."
    assert "x[n,i] has shape (7, 3), so i = 3" in message


@pytest.mark.parametrize(
    ("stride", "has"),
    [(0.5, "stride is 0.5"), (True, "stride is True"), (None, "stride is None")],
)
def test_an_option_that_is_no_whole_number_is_told(stride, has):
    assert refusal(bound, "x[i] -> y[o]; o = i//stride", [(7,)], stride=stride) == (
        f"Conv1d 'y': the size o = i//stride needs the whole number stride, and {has}.\n"
        "  Keep it in __init__ as a whole number: self.stride = stride."
    )


def test_a_size_that_is_divided_by_0_is_told():
    assert refusal(bound, "x[i] -> y[o]; o = i//stride", [(7,)], stride=0) == (
        "Conv1d 'y': axis o has no size: it is divided by 0.\n"
        "  o = i//stride, with i = 7, stride = 0\n  x[i] has shape (7,), so i = 7\n"
        "  Choose sizes and options with which the divisor is not 0."
    )


def test_a_letter_that_is_carried_gives_way_in_its_rule_too():
    known = [("n", "o", "i")]
    signature = Signature.parse("x[i] -> y[o]; o = i - 1")
    binding = bind(signature, [(2, 5, 7)], "Op 'y'", known=known)
    assert (binding.fronts.output, binding.shape) == (("n", "o", "j"), (2, 5, 6))


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("o = i/2", "has i/2.\n  Write it with names, whole numbers, + − * // and parentheses. "
         "A quotient is //."),
        ("o = i**2", "has i**2."),
        ("o = f(i)", "has f(i)."),
        ("o = f(i//2)", "has f(i//2)."),
        ("o = i.size", "has i.size."),
        ("o = -i", "has -i."),
        ("o = 0.5*i", "has 0.5."),
        ("o = i if i else 1", "has i if i else 1."),
        ("o = True + i", "has True."),
        ("o = [i][0]", "has [i][0]."),
        ("o = exec(i)", "has exec(i)."),
        ("o = i +", "cannot be read: SyntaxError."),
        ("o", "'o' is not the size of an axis."),
        ("3 = i", "'3 = i' is not the size of an axis."),
        ("q = i", "q is no axis of the output.\n  Leave q = i out."),
        ("o = i, o = 2*i", "o has two sizes.\n  Leave o = 2*i out."),
    ],
)  # fmt: skip
def test_nothing_but_sums_of_names_is_read(rule, part):
    message = refusal(Signature.parse, f"x[i] -> y[o]; {rule}")
    assert message.startswith(f"signature 'x[i] -> y[o]; {rule}': ")
    assert part in message
    assert message.endswith(" A quotient is //.") == (rule == "o = i/2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a[i], b[i]?, c[i] -> z[i]",
            "b may be left out, and c behind it may not.\n"
            "  Write the inputs that may be left out last.",
        ),
        ("a[i]? -> z[i]", "a[i]? is no mark for the first input.\n  Write a[i]."),
        ("a[i] -> z[i]?", "z[i]? is no mark for the output.\n  Write z[i]."),
        ("a[i], u[] in v -> z[i]", "u[] in v names an axis that no other input has.\n"
         "  Name one of i."),
        ("a[i] -> z[i]; i = 3", "i takes its size from an input.\n  Leave i = 3 out."),
    ],
)  # fmt: skip
def test_a_mark_without_meaning_is_told(text, message):
    assert refusal(Signature.parse, text) == f"signature {text!r}: {message}"


def test_a_size_with_which_the_divisor_is_0_is_never_advised():
    """Beside r = 5: with 4 the divisor is 0, with 6 there is no entry, with 3 there is."""
    text = "x[c,i], K[c,r] -> y[o]; o = (i - 7)//(r - 4)"
    assert refusal(bound, text, [(2, 5), (2, 5)]).splitlines()[-1] == (
        "  It has an entry with i = 8 or r = 3, all else as it is."
    )
    assert bound(text, [(2, 8), (2, 5)]).shape == (1,)
    assert bound(text, [(2, 5), (2, 3)]).shape == (2,)
    assert "divided by 0" in refusal(bound, text, [(2, 5), (2, 4)])
