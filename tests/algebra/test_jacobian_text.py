"""What a Jacobian says: its links, the record of a collapse, the refusal of what is too large."""

import io
import sys

import numpy as np
import pytest

from jacobian_bp import Jacobian, MemoryLimitError, Network, memory_limit
from jacobian_bp.algebra import chain_rule
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.expression import Expression, delta, dense, distinct, one
from jacobian_bp.algebra.nodes_and_links import identity

SIZES = {"n": 2, "k": 3, "i": 5}
RNG = np.random.default_rng(29)


def axes(names):
    return tuple(Axis(name, SIZES[name[0]]) for name in names.split(",") if name)


def draw(label):
    names = label[label.index("[") + 1 : -1]
    return dense(label, RNG.standard_normal([axis.size for axis in axes(names)]))


SLOPE = ("k", "k'", delta("k,k'") * draw("d[k]"))
BY_INPUT = ("k", "i'", draw("W[k,i']"))
BY_WEIGHT = ("k", "k',i'", delta("k,k'") * draw("a[i']"))
LOSS = ("", "k'", 2 * draw("e[k']"))
CENTRED = ("k", "k'", delta("k,k'") - 1 / 3 * one("k") * one("k'"))
OTHERS = ("k", "k'", distinct("k,k'") * draw("u[k']") * one("k"))


def local(of, wrt, case):
    out, by, expression = case
    return Jacobian.local(of, wrt, axes(out), axes(by), expression)


def zero():
    """∂z1/∂W2: no path leads there."""
    net = Network.dense([5, 3, 2], "tanh", "squared_error", seed=0, dtype=np.float32)
    return net.run(RNG.standard_normal(5).astype(np.float32)).jacobian("z1", "W2")


def chain_to_weights():
    return local("J", "a", LOSS) @ local("a", "z", SLOPE) @ local("z", "W", BY_WEIGHT)


# ---------------------------------------------------------------- a chain, a sum, a zero


def test_a_chain_is_printed_link_by_link():
    assert str(chain_to_weights()) == (
        "∂J/∂W[k',i'] = the product of 3 local Jacobians\n"
        "    ∂J/∂a[k'] = 2 e[k']\n"
        "  · ∂a/∂z[k,k'] = δ[k,k'] d[k]\n"
        "  · ∂z/∂W[k,k',i'] = δ[k,k'] a[i']\n"
        "  layout numerator, shape (3, 5): dense; 15 of 15 entries can be non-zero; 120 bytes"
    )


def test_a_sum_of_paths_is_printed_without_a_sign_of_multiplication():
    assert str(local("y", "x", SLOPE) + local("y", "x", CENTRED)) == (
        "∂y/∂x[k,k'] = the sum over 2 paths of the products of these local Jacobians\n"
        "    ∂y/∂x[k,k'] = δ[k,k'] d[k]\n"
        "    ∂y/∂x[k,k'] = δ[k,k'] − 1/3 1[k] 1[k']\n"
        "  layout numerator, shape (3, 3): dense; 9 of 9 entries can be non-zero; 72 bytes"
    )


def test_a_jacobian_without_a_path_is_zero_and_gives_zeros():
    J = zero()
    assert str(J) == (
        "∂z1/∂W2[k,k',i'] = 0\n"
        "  layout numerator, shape (3, 2, 3): zero; 0 of 18 entries can be non-zero; 72 bytes"
    )
    for found, shape in ((J.pull(np.ones(3)), (2, 3)), (J.push(np.ones((2, 3))), (3,))):
        assert (found.shape, found.dtype, found.any()) == (shape, np.float32, False)


def test_an_equation_wider_than_a_page_has_a_term_on_a_line():
    """Signs within brackets part nothing; in ASCII, where signs are longer, it is measured anew."""
    rows = [draw(f"(left − right)_{part}[k']") for part in ("mean", "spread")]
    wide = ("k", "k'", draw("slope_of_the_gain[k]") * (delta("k,k'") - rows[0] - 1 / 3 * rows[1]))
    text = local("y", "x", wide).text()
    assert text.splitlines()[:-1] == [
        "∂y/∂x[k,k'] = slope_of_the_gain[k] δ[k,k']",
        "              − slope_of_the_gain[k] (left − right)_mean[k']",
        "              − 1/3 slope_of_the_gain[k] (left − right)_spread[k']",
    ]
    short = ("k", "k'", draw("a_gain_with_a_long_name[k]") * (delta("k,k'") - 1 / 3 * one("k'")))
    J = local("the_output", "x", short)
    assert len(J.text().splitlines()) == 2
    assert J.text(ascii_only=True).splitlines()[:-1] == [
        "dthe_output/dx[k,k'] = a_gain_with_a_long_name[k] delta[k,k']",
        "                       - 1/3 a_gain_with_a_long_name[k] 1[k']",
    ]


def test_a_term_too_wide_beside_the_name_stands_below_it():
    label = "_".join(["a_label"] * 10)
    J = local("y_of_a_name", "x", ("k", "k'", draw(f"{label}[k]") * (delta("k,k'") - one("k'"))))
    assert J.text().splitlines()[:3] == [
        "∂y_of_a_name/∂x[k,k']",
        f"    = {label}[k] δ[k,k']",
        f"    − {label}[k] 1[k']",
    ]


def test_a_hat_has_a_spelling_in_ascii():
    J = local("y", "x", ("k", "k'", delta("k,k'") * draw("x̂[k]")))
    assert J.text(ascii_only=True).startswith("dy/dx[k,k'] = delta[k,k'] x_hat[k]\n")


def test_a_factor_may_have_the_name_of_the_jacobian():
    J = local("z", "x", ("k", "i'", draw("∂z/∂x[k,i']")))
    assert J.statement == "∂z/∂x[k,i'] = ∂z/∂x[k,i']"


# ---------------------------------------------------------------- the record of a collapse


def test_a_collapse_records_each_delta_that_is_spent():
    assert str(chain_to_weights().collapse()) == (
        "∂J/∂W[k',i'] = ∂J/∂z[k'] a[i']\n"
        "  layout numerator, shape (3, 5): outer product; "
        "15 of 15 entries can be non-zero; 120 bytes\n"
        "  Σ_k ∂J/∂a[k] δ[k,k'] d[k]  =  ∂J/∂a[k'] d[k']"
        "    (δ[k,k'] is 0 unless k = k': one term of Σ_k is left)\n"
        "  Σ_k ∂J/∂z[k] δ[k,k'] a[i']  =  ∂J/∂z[k'] a[i']"
        "    (δ[k,k'] is 0 unless k = k': one term of Σ_k is left)"
    )


def test_a_collapse_leaves_its_last_product_and_multiplies_out_those_before():
    J = local("a", "z", SLOPE) @ local("z", "x", BY_INPUT)
    assert J.collapse().formula == "d[k] W[k,i']"
    before = local("b", "a", SLOPE) @ J
    assert before.collapse().formula == "(∂b/∂z where k = k')[k] W[k,i']"


def test_a_collapse_records_the_sum_that_no_delta_spends():
    J = local("J", "z", LOSS) @ local("z", "x", BY_INPUT)
    assert [str(step) for step in J.collapse().trace] == [
        "Σ_k ∂J/∂z[k] W[k,i']  =  ∂J/∂x[i']    (the sum over k)"
    ]
    terms = (local("J", "y", LOSS) @ local("y", "x", CENTRED)).collapse().trace
    assert [str(step) for step in terms] == [
        "Σ_k ∂J/∂y[k] δ[k,k']  =  ∂J/∂y[k']"
        "    (δ[k,k'] is 0 unless k = k': one term of Σ_k is left)",
        "∂J/∂y[k'] − Σ_k 1/3 ∂J/∂y[k] 1[k']  =  ∂J/∂x[k']    (the sum over k)",
    ]


def test_terms_that_add_up_without_a_sum_are_recorded():
    """Both terms keep their delta: no axis is summed, and two terms become one."""
    twice = ("k", "k'", delta("k,k'") * draw("p[k]") + delta("k,k'") * draw("q[k]"))
    trace = (local("y", "x", SLOPE) @ local("x", "w", twice)).collapse().trace
    assert trace[-1].reason == "the terms added up"


def test_what_comes_along_one_of_several_paths_does_not_have_the_name_of_the_sum():
    """A penalty, a skip connection, and two links between the same two values."""
    through = local("J", "z", LOSS) @ local("z", "x", BY_INPUT)
    penalty = local("J", "R", ("", "", Expression.of())) @ local(
        "R", "x", ("", "i'", 2 * draw("x[i']"))
    )
    whole = (through + penalty).collapse()
    assert [str(step) for step in whole.trace] == [
        "Σ_k ∂J/∂z[k] W[k,i']  =  (∂J/∂x through z)[i']    (the sum over k)",
        "(∂J/∂x through z)[i'] + 2 x[i']  =  ∂J/∂x[i']"
        "    (what comes back through z and R adds up)",
    ]
    twice = (
        local("J", "z", LOSS) @ (local("z", "x", BY_INPUT) + local("z", "x", BY_INPUT))
    ).collapse()
    assert [step.after for step in twice.trace] == [
        "(∂J/∂x through z, 1 of 2)[i']",
        "(∂J/∂x through z, 2 of 2)[i']",
        "∂J/∂x[i']",
    ]


def test_a_penalty_and_a_skip_connection_are_the_last_line_of_a_collapse():
    """The letters of that line are those of the equation that is printed above it."""
    sizes = [5, 3, 2]
    net = Network.dense(sizes, ["tanh", "identity"], "squared_error", seed=0, penalty={"W1": 0.25})
    J = net.run(RNG.standard_normal(5), RNG.standard_normal(2)).jacobian("J", "W1").collapse()
    last = "∂J/∂z1[k'] x[i'] + 1/2 W1[k',i']"
    assert J.trace[-1].before in (last, " + ".join(reversed(last.split(" + "))))
    assert J.trace[-1].after == "∂J/∂W1[k',i']"
    steps = ["z = Linear(x, W, b)", "a = Tanh(z)", "s = Add(a, x)", "J = SquaredError(s, y)"]
    params = {"W": RNG.standard_normal((3, 3)), "b": RNG.standard_normal(3)}
    run = Network.program(*steps, params=params).run(
        x=RNG.standard_normal(3), y=RNG.standard_normal(3)
    )
    assert run.jacobian("J", "x").collapse().statement == (
        "∂J/∂x[k'] = ∂J/∂s[k'] + (∂J/∂x through z)[k']"
    )


def test_a_formula_is_written_out_with_its_record():
    J, trace = local("a", "z", SLOPE) @ local("z", "x", BY_INPUT), []
    start = identity(["k"], J.nodes[0].primed)
    written = chain_rule.written_out(J.nodes, J.links, start, J.out_axes, trace)
    assert str(written) == "d[k] W[k,i']"
    assert [str(step) for step in trace] == [
        "Σ_j δ[k,j] d[k] W[j,i']  =  d[k] W[k,i']"
        "    (δ[k,j] is 0 unless j = k: one term of Σ_j is left)"
    ]


# ---------------------------------------------------------------- what is too large


SHARE = (
    'can be non-zero{}. Use J.pull(v), or run.gradients(route="vjp"); for its entries '
    "J.blocks(max_bytes=…), or J.to_zarr(path)."
)
WHOLE = f"Every entry {SHARE.format('')}"


@pytest.mark.parametrize(
    ("jacobian", "size", "way_out"),
    [
        (local("z", "W", BY_WEIGHT), "(3, 3, 5): 45 entries, 360 bytes",
         "Only 1 entry in 3 " + SHARE.format(" (δ[k,k'])")),
        (local("z", "x", BY_INPUT), "(3, 5): 15 entries, 120 bytes", WHOLE),
        (local("z", "y", CENTRED), "(3, 3): 9 entries, 72 bytes", WHOLE),
        (local("z", "y", OTHERS), "(3, 3): 9 entries, 72 bytes",
         "Only 6 of 9 entries " + SHARE.format("")),
        (local("b", "a", SLOPE) @ local("a", "z", SLOPE), "(3, 3): 9 entries, 72 bytes",
         "Only 1 entry in 3 " + SHARE.format("")),
        (zero(), "(3, 2, 3): 18 entries, 72 bytes",
         "Every entry is a structural zero. Use J.pull(v)."),
    ],
    ids=["δ", "dense", "δ − 1", "1−δ", "chain", "zero"],
)  # fmt: skip
def test_what_is_too_large_says_how_much_of_it_is_structure(jacobian, size, way_out):
    for build, who in ((jacobian.materialise, ""), (jacobian.can_be_nonzero, "the mask of ")):
        with memory_limit(8), pytest.raises(MemoryLimitError) as caught:
            build()
        text = f"{who}{jacobian.name} has shape {size}; the limit is 8 bytes.\n  {way_out}"
        assert str(caught.value) == text


def test_a_vector_product_that_is_too_large_names_the_array():
    """Two deltas with an array beside each: they are added up before the next link."""
    J = local("y", "x", CENTRED) + local("y", "x", SLOPE)
    v = RNG.standard_normal(3)
    for product, name in ((J.pull, "∂(v·y)/∂x"), (J.push, "dy/dx")):
        with memory_limit(16), pytest.raises(MemoryLimitError) as caught:
            product(v)
        assert str(caught.value).splitlines()[0] == (
            f"{name} has shape (3,): 3 entries, 24 bytes; the limit is 16 bytes."
        )


def test_it_is_printed_in_the_signs_that_the_stream_can_carry(monkeypatch):
    J = local("z", "x", SLOPE)
    for encoding, ascii_only in (("ascii", True), ("utf-8", False)):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
        assert str(J) == J.text(ascii_only)
        assert str(J).isascii() == ascii_only


def test_a_variable_to_which_no_path_leads_has_none():
    assert zero().paths == 0
    assert local("z", "x", SLOPE).paths == 1
