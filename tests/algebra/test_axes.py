"""Signatures are read, met with shapes, and refused with both witnesses."""

import pytest

from jacobian_bp.algebra.axes import Signature, fresh, parse_axes, primed
from jacobian_bp.algebra.binding import bind
from jacobian_bp.errors import AxisError

LINEAR = Signature.parse("a[i], W[k,i], b[k] -> z[k]")
SHOWN = {"a": "a1", "W": "W2", "b": "b2"}


def bound(*shapes):
    return bind(LINEAR, shapes, "Linear 'z2'", lambda: SHOWN, unbatched=("W", "b"))


def refusal(call, *arguments):
    with pytest.raises(AxisError) as caught:
        call(*arguments)
    return str(caught.value)


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("text", "inputs", "output"),
    [
        ("a[i], W[k,i], b[k] -> z[k]", ["a[i]", "W[k,i]", "b[k]"], "z[k]"),
        ("  p[k],y[ k ]->  L[] ", ["p[k]", "y[k]"], "L[]"),
        ("L[n] -> J[]", ["L[n]"], "J[]"),
        ("a[i,i] -> b[i]", ["a[i,i]"], "b[i]"),
        ("x2[row,col] -> y_bar[col]", ["x2[row,col]"], "y_bar[col]"),
        ("Θ[κ,ι] -> ζ[κ]", ["Θ[κ,ι]"], "ζ[κ]"),
    ],
)
def test_a_signature_is_read_and_printed(text, inputs, output):
    signature = Signature.parse(text)
    assert [str(operand) for operand in signature.inputs] == inputs
    assert str(signature.output) == output
    assert Signature.parse(str(signature)) == signature


def test_only_an_input_with_n_mixes_examples():
    assert Signature.parse("L[n] -> J[]").mixes_examples
    assert not LINEAR.mixes_examples


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a[i], z[k]",
            "signature 'a[i], z[k]' has no '->'.\n  Write it such as 'a[i], W[k,i] -> z[k]'.",
        ),
        (
            "a[i] -> z[k], y[k]",
            "signature 'a[i] -> z[k], y[k]' has 1 inputs and 2 outputs.\n"
            "  An op has at least one input and exactly one output.",
        ),
        (
            "a[i], a[k] -> z[k]",
            "signature 'a[i], a[k] -> z[k]' names the input a twice.\n"
            "  Give each input a name of its own, such as u and v.",
        ),
        (
            "a(i) -> z[k]",
            "signature 'a(i) -> z[k]' cannot be read at 'a(i)'.\n"
            "  Write each array with its axes in brackets, such as W[k,i]; a scalar is J[].",
        ),
        (
            "a[i] b[k] -> z[k]",
            "signature 'a[i] b[k] -> z[k]' cannot be read at 'b[k]'.\n"
            "  Write each array with its axes in brackets, such as W[k,i]; a scalar is J[].",
        ),
        (
            "a[i], W[k,i],  -> z[k]",
            "signature 'a[i], W[k,i],  -> z[k]' cannot be read at ','.\n"
            "  Write each array with its axes in brackets, such as W[k,i]; a scalar is J[].",
        ),
        (
            "a[2] -> z[k]",
            "signature 'a[2] -> z[k]': '2' is not an axis name.\n"
            "  An axis is a word such as k or unit, with a prime for the variable's own: k'.",
        ),
    ],
)
def test_a_bad_signature_is_shown_where_it_fails(text, message):
    assert refusal(Signature.parse, text) == message


def test_a_comma_with_nothing_after_it_is_refused():
    assert refusal(Signature.parse, "a[i], -> z[i]").startswith("signature 'a[i], -> z[i]' ")


# ---------------------------------------------------------------- meeting shapes


def test_one_example_gives_each_axis_its_size():
    binding = bound((3,), (5, 3), (5,))
    assert binding.sizes == {"i": 3, "k": 5}
    assert binding.carried == ((), (), ())
    assert binding.leading == ()


@pytest.mark.parametrize("examples", [1, 7])
def test_one_axis_more_is_the_batch_also_of_one_example(examples):
    binding = bound((examples, 3), (5, 3), (5,))
    assert binding.sizes == {"n": examples, "i": 3, "k": 5}
    assert binding.carried == (("n",), (), ())


def test_an_op_that_mixes_examples_is_not_lifted():
    mean = Signature.parse("a[n,i] -> m[i]")
    assert bind(mean, [(7, 3)], "Mean 'm'").sizes == {"n": 7, "i": 3}
    expected = "Mean 'm': a has shape (2, 7, 3), 3 axes; a[n,i] has 2 axes."
    assert refusal(bind, mean, [(2, 7, 3)], "Mean 'm'").splitlines()[0] == expected


def test_a_transposed_matrix_is_called_transposed():
    assert refusal(bound, (4,), (4, 2), (2,)) == (
        """\
Linear 'z2': axis i has two sizes.
  a1[i]   has shape (4,),   so i = 4
  W2[k,i] has shape (4, 2), so i = 2
  W2 looks transposed: pass W2.T, shape (2, 4)."""
    )


def test_a_transposed_matrix_is_called_transposed_beside_a_batch_too():
    assert refusal(bound, (7, 4), (4, 2), (2,)) == (
        """\
Linear 'z2': axis i has two sizes.
  a1[n,i] has shape (7, 4), so i = 4
  W2[k,i] has shape (4, 2), so i = 2
  W2 looks transposed: pass W2.T, shape (2, 4)."""
    )


def test_a_matrix_that_fits_neither_way_is_not_called_transposed():
    assert refusal(bound, (4,), (5, 3), (2,)) == (
        """\
Linear 'z2': axis i has two sizes.
  a1[i]   has shape (4,),   so i = 4
  W2[k,i] has shape (5, 3), so i = 3
  Give a1 and W2 the same size along it; nothing is broadcast."""
    )


def test_a_matrix_of_one_column_is_not_called_an_example_that_is_a_column():
    assert refusal(bound, (3,), (2, 1), (2,)) == (
        """\
Linear 'z2': axis i has two sizes.
  a1[i]   has shape (3,),   so i = 3
  W2[k,i] has shape (2, 1), so i = 1
  Give a1 and W2 the same size along it; nothing is broadcast."""
    )


def test_a_bias_of_one_number_is_not_broadcast():
    assert refusal(bound, (3,), (5, 3), (1,)) == (
        """\
Linear 'z2': axis k has two sizes.
  W2[k,i] has shape (5, 3), so k = 5
  b2[k]   has shape (1,),   so k = 1
  Give W2 and b2 the same size along it; nothing is broadcast."""
    )


def test_a_column_is_not_taken_for_a_vector():
    """(3, 1) reads as three examples of one feature, and says so."""
    assert refusal(bound, (3, 1), (5, 3), (5,)).splitlines()[:3] == [
        "Linear 'z2': axis i has two sizes.",
        "  a1[n,i] has shape (3, 1), so i = 1",
        "  W2[k,i] has shape (5, 3), so i = 3",
    ]


def test_a_bias_given_as_a_column_is_told_its_shape():
    assert refusal(bound, (3,), (5, 3), (5, 1)) == (
        """\
Linear 'z2': b2 has shape (5, 1), 2 axes; b2[k] has 1 axis.
  Pass b2.reshape(5,), which has no axis of size 1."""
    )


def test_images_are_to_be_flattened():
    assert refusal(bound, (7, 11, 13), (5, 3), (5,)) == (
        "Linear 'z2': a1 has shape (7, 11, 13), 3 axes; "
        "a1[i] has 1 axis, or 2 for a batch with its examples in front.\n"
        "  One example has i = 3 numbers: a row of a1 has 13, an example flattened 143."
    )
    assert refusal(bound, (7, 11, 13), (5, 143), (5,)).endswith(
        "\n  Flatten each example: a1.reshape(7, -1)."
    )
    assert refusal(bound, (7, 11, 13), (5, 13), (5,)).endswith(
        "\n  Make each of its rows an example: a1.reshape(-1, 13)."
    )


def test_an_axis_too_few_is_named():
    assert refusal(bound, (3,), (15,), (5,)) == (
        """\
Linear 'z2': W2 has shape (15,), 1 axis; W2[k,i] has 2 axes.
  Pass W2 with the axes W2[k,i]."""
    )


def test_a_repeated_axis_has_one_size():
    diagonal = Signature.parse("a[i,i] -> b[i]")
    assert bind(diagonal, [(5, 5)], "Einsum 'd'").sizes == {"i": 5}
    assert bind(diagonal, [(7, 5, 5)], "Einsum 'd'").sizes == {"n": 7, "i": 5}
    assert refusal(bind, diagonal, [(5, 3)], "Einsum 'd'").splitlines()[:3] == [
        "Einsum 'd': axis i has two sizes.",
        "  a[i,i] has shape (5, 3), so i = 5",
        "  a[i,i] has shape (5, 3), so i = 3",
    ]


def test_an_output_axis_takes_its_size_from_an_input():
    assert refusal(bind, Signature.parse("a[i] -> z[k]"), [(3,)], "Op 'z'") == (
        """\
Op 'z': axis k of the output z[k] stands in no input.
  The signature is a[i] -> z[k]; every output axis takes its size from an input,
  or from what stands behind a ';': k = …"""
    )


# ---------------------------------------------------------------- names


def test_a_repeated_letter_gets_a_prime_more_each_time():
    assert primed(("k", "i")) == ("k'", "i'")
    assert primed(("i", "k", "i")) == ("i'", "k'", "i''")


def test_axis_names_are_words_with_primes():
    assert parse_axes(" k, i'' ,unit") == ("k", "i''", "unit")
    assert parse_axes("") == ()
    assert refusal(parse_axes, "k,2") == (
        """\
'k,2': '2' is not an axis name.
  An axis is a word such as k or unit, with a prime for the variable's own: k'."""
    )


def test_a_fresh_name_is_the_preferred_one_if_it_is_free():
    assert fresh({"i"}, "k") == "k"
    assert fresh({"k"}, "k") == "j"
    assert fresh({"k", "j", "l"}, "k") == "m"
    assert fresh(set("kjlmpqrstuv") | {"j1"}, "k") == "j2"
