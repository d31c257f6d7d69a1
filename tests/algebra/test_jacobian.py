"""A Jacobian is its nested loops; @, +, pull, push and collapse obey the algebra."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import reduce
from operator import matmul
from string import ascii_letters

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobian_bp import DomainError, Jacobian, MemoryLimitError, Network, memory_limit
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.expression import (
    Delta,
    Dense,
    Distinct,
    Expression,
    delta,
    dense,
    distinct,
    one,
)
from jacobian_bp.algebra.layouts import LAYOUTS
from jacobian_bp.errors import AxisError

SIZES = {"n": 2, "k": 3, "i": 5, "r": 7}
RNG = np.random.default_rng(11)


def refusal(call):
    with pytest.raises(AxisError) as caught:
        call()
    return str(caught.value)


def axes(names):
    """Axes from their names: "n,k'"; the letter says the size."""
    return tuple(Axis(name, SIZES[name[0]]) for name in names.split(",") if name)


def draw(label):
    """A dense factor of random numbers."""
    names = label[label.index("[") + 1 : -1]
    return dense(label, RNG.standard_normal([axis.size for axis in axes(names)]))


def local(of, wrt, case):
    out, by, expression = case
    return Jacobian.local(of, wrt, axes(out), axes(by), expression)


def whole_factor(factor):
    if isinstance(factor, Dense):
        return factor.array
    size = SIZES[factor.axes[0][0]]
    if isinstance(factor, Delta):
        return np.eye(size)
    return 1 - np.eye(size) if isinstance(factor, Distinct) else np.ones(size)


def whole(jacobian, magnitudes=False):
    """The specification: every delta a matrix of ones and zeros, one einsum a term."""
    (link,), total = jacobian.links, 0.0
    names = [*link.out, *link.wrt]
    letter = dict(zip(names, ascii_letters, strict=False))
    for term in link.expression.terms:
        words, arrays = ["".join(letter.values())], [np.ones(jacobian.shape)]
        for factor in term.factors:
            words.append("".join(letter[axis] for axis in factor.axes))
            arrays.append(whole_factor(factor))
        part = term.coefficient * np.einsum(",".join(words) + "->" + words[0], *arrays)
        total = total + (abs(part) if magnitudes else part)
    return total


def agree(found, expected, magnitude):
    """Entry by entry within 16·u·(the same contraction over absolute values)."""
    u = np.finfo(float).eps / 2
    return found.shape == expected.shape and bool(
        (abs(found - expected) <= 16 * u * magnitude).all()
    )


def nudged(vector):
    moved = np.array(vector)
    moved.flat[0] += 1e-9
    return moved


def softmax(p, q, p_primed):
    return delta("k,k'") * draw(p) * draw(q) - distinct("k,k'") * draw(p) * draw(p_primed)


LOCAL = {
    "linear by a": ("k", "i'", draw("W[k,i']")),
    "linear by W": ("k", "k',i'", delta("k,k'") * draw("a[i']")),
    "linear by W, batch": ("n,k", "k',i'", delta("k,k'") * draw("a[n,i']")),
    "linear by a, batch": ("n,k", "n',i'", delta("n,n'") * draw("W[k,i']")),
    "linear by b, batch": ("n,k", "k'", delta("k,k'") * one("n")),
    "activation": ("k", "k'", delta("k,k'") * draw("d[k]")),
    "activation, batch": ("n,k", "n',k'", delta("n,n'") * delta("k,k'") * draw("d[n,k]")),
    "softmax": ("k", "k'", softmax("p[k]", "q[k]", "p[k']")),
    "softmax, batch": (
        "n,k",
        "n',k'",
        delta("n,n'") * softmax("p[n,k]", "q[n,k]", "p[n,k']"),
    ),
    "centring": ("k", "k'", delta("k,k'") - 1 / 3 * one("k") * one("k'")),
    "others only": ("k", "k'", distinct("k,k'") * draw("u[k']") * one("k")),
    "loss": ("", "k'", 2 * draw("e[k']")),
    "sum": ("", "k'", one("k'")),
    "mean": ("", "k'", 1 / 3 * one("k'")),
    "mean, batch": ("", "n',k'", 1 / 6 * one("n'") * one("k'")),
    "the same for every k": ("k", "i'", one("k") * draw("u[i']")),
    "the same for every n and k": ("n,k", "i'", -2 * one("n") * one("k") * draw("u[i']")),
    "trace": ("i", "i',i''", delta("i,i'") * delta("i,i''")),
    "rows and columns": (
        "r,k",
        "r',k'",
        delta("r,r'") * draw("A[k,k']") + delta("k,k'") * draw("B[r,r']"),
    ),
    "product by a factor": ("k,i", "k'", delta("k,k'") * draw("b[i]")),
}
PAIRS = [
    ("loss", "activation"),
    ("loss", "softmax"),
    ("sum", "the same for every k"),
    ("mean", "the same for every k"),
    ("mean, batch", "the same for every n and k"),
    ("mean, batch", "linear by b, batch"),
    ("activation", "linear by W"),
    ("activation", "softmax"),
    ("softmax", "linear by a"),
    ("softmax", "softmax"),
    ("centring", "activation"),
    ("activation", "others only"),
    ("others only", "activation"),
    ("others only", "others only"),
    ("activation, batch", "linear by W, batch"),
    ("activation, batch", "linear by a, batch"),
    ("softmax, batch", "linear by b, batch"),
    ("softmax, batch", "activation, batch"),
    ("product by a factor", "linear by W"),
    ("linear by a", "trace"),
    ("rows and columns", "rows and columns"),
]
CHAINS = {f"({a}) @ ({b})": (LOCAL[a], LOCAL[b]) for a, b in PAIRS}
CHAIN_OF_SUMS = (LOCAL["softmax"], LOCAL["linear by a"])
EVERY = {name: (case,) for name, case in LOCAL.items()} | CHAINS
every = pytest.mark.parametrize("cases", EVERY.values(), ids=list(EVERY))


def chain(cases):
    """z0 <- z1 <- z2 …, the product of local Jacobians."""
    return reduce(matmul, [local(f"z{t}", f"z{t + 1}", case) for t, case in enumerate(cases)])


def product(cases, magnitudes=False):
    """The same product over whole arrays."""
    result = None
    for t, case in enumerate(cases):
        array = whole(local(f"z{t}", f"z{t + 1}", case), magnitudes)
        result = array if result is None else np.tensordot(result, array, len(axes(case[0])))
    return result


# ---------------------------------------------------------------- one array


def test_the_three_tensor_of_a_linear_layer():
    a = RNG.standard_normal(5)
    J = local("z", "W", ("k", "k',i'", delta("k,k'") * dense("a[i']", a)))
    tensor = J.materialise()
    for k in range(3):
        for j in range(3):
            for i in range(5):
                assert tensor[k, j, i] == (a[i] if j == k else 0.0)
    assert not np.array_equal(tensor, np.einsum("kj,i->kij", np.eye(3), a).reshape(3, 3, 5))
    assert str(J) == (
        "∂z/∂W[k,k',i'] = δ[k,k'] a[i']\n"
        "  layout numerator, shape (3, 3, 5): delta ⊗ vector; "
        "15 of 45 entries can be non-zero; 360 bytes"
    )


@every
def test_it_is_the_product_of_its_nested_loops(cases):
    J, expected, magnitude = chain(cases), product(cases), product(cases, magnitudes=True)
    found = J.materialise()
    assert agree(found, expected, magnitude)
    assert not agree(found * (1 + 1e-13), expected, magnitude)  # planted: a small error
    assert found.nbytes == J.nbytes
    assert found.shape == J.shape == J.shape_in("numerator")
    assert found.size == J.size


@every
def test_collapse_pull_and_push_change_no_number(cases):
    J, expected, magnitude = chain(cases), product(cases), product(cases, magnitudes=True)
    assert agree(J.collapse().materialise(), expected, magnitude)
    v = RNG.standard_normal([axis.size for axis in J.out_axes])
    u = RNG.standard_normal([axis.size for axis in J.wrt_axes])
    pulled, pushed = np.tensordot(v, expected, v.ndim), np.tensordot(expected, u, u.ndim)
    v_scale, u_scale = (
        np.tensordot(abs(v), magnitude, v.ndim),
        np.tensordot(magnitude, abs(u), u.ndim),
    )
    assert agree(J.pull(v), pulled, v_scale)
    assert agree(J.push(u), pushed, u_scale)
    assert not agree(J.pull(nudged(v)), pulled, v_scale)  # planted: one entry slightly off
    assert not agree(J.push(nudged(u)), pushed, u_scale)


@every
def test_structural_nonzeros_are_counted_before_anything_is_built(cases):
    """Brute force: the entries that are not zero for one of two random draws."""

    def drawn(link):
        terms = [replace(t, factors=tuple(map(redrawn, t.factors))) for t in link.expression.terms]
        return replace(link, expression=type(link.expression)(tuple(terms)))

    def redrawn(factor):
        if not isinstance(factor, Dense):
            return factor
        return replace(factor, array=RNG.uniform(1.0, 2.0, factor.array.shape))

    J = chain(cases)
    draws = [replace(J, links=tuple(map(drawn, J.links))).materialise() for _ in range(2)]
    found = int(np.logical_or(*(array != 0 for array in draws)).sum())
    assert J.structural_nonzeros == found


def test_where_a_sum_of_paths_can_be_nonzero_is_where_any_of_them_can():
    """t = tanh(a) + W a + b: a diagonal beside a matrix, in either order, and behind a layer."""
    plain = [local("y", "x", LOCAL[name]) for name in ("activation", "softmax", "others only")]
    everywhere, diagonal = np.ones((3, 3), bool), np.eye(3, dtype=bool)
    for one_way, other in ((0, 1), (1, 0), (0, 2), (2, 0), (1, 2)):
        total = plain[one_way] + plain[other]
        assert np.array_equal(total.can_be_nonzero(), everywhere)
        assert total.structural_nonzeros == 9
    assert np.array_equal((plain[0] + plain[0]).can_be_nonzero(), diagonal)
    total = local("z", "y", LOCAL["activation"]) @ (plain[1] + plain[0])
    assert (total.structural_nonzeros, total.structure) == (9, "dense plus diagonal")
    both = Network.program(
        "t = Tanh(a)", "z = Linear(a, W, b)", "s = Add(t, z)",
        params={"W": RNG.standard_normal((3, 3)), "b": RNG.standard_normal(3)},
    )  # fmt: skip
    J = both.run(a=RNG.standard_normal(3)).jacobian("s", "a")
    assert (J.structural_nonzeros, J.structure) == (9, "dense")


def test_a_factor_that_leaves_the_diagonal_out_is_kept_in_a_sum():
    """(1−δ) u + (1−δ) u is (1−δ) (u + u): its diagonal is zero for every input, -0.0 nowhere."""
    others = local("y", "x", LOCAL["others only"])
    scaled = (others + others) @ local("x", "w", LOCAL["activation"])
    for J in (others + others, scaled):
        assert not J.can_be_nonzero().diagonal().any()
        assert not np.signbit(J.materialise().diagonal()).any()
        assert str(J.collapse()).startswith(f"{J.name}[k,k'] = (1−δ[k,k']) ")
    everywhere = others + local("y", "x", LOCAL["softmax"]) + others
    assert everywhere.can_be_nonzero().all()


def test_the_mask_has_as_many_entries_as_are_counted_in_any_sum_and_product():
    generator = np.random.default_rng(20261129)
    names = ["activation", "softmax", "centring", "others only"]

    def drawn(depth, of, wrt):
        kind = generator.integers(3) if depth else 0
        if kind == 0:
            return local(of, wrt, LOCAL[names[generator.integers(4)]])
        if kind == 1:
            return drawn(depth - 1, of, wrt) + drawn(depth - 1, of, wrt)
        between = f"{of}{depth}"
        return drawn(depth - 1, of, between) @ drawn(depth - 1, between, wrt)

    few = 0
    for _ in range(300):
        J = drawn(3, "y", "x")
        mask = J.can_be_nonzero()
        assert mask.sum() == J.structural_nonzeros, J.formula
        zeros = J.materialise()[~mask]
        assert not zeros.any()
        assert not np.signbit(zeros).any()
        few += not mask.all()
    assert few > 30


def test_a_forgotten_delta_would_be_counted():
    forgotten = local("z", "W", ("k", "k',i'", one("k") * one("k'") * draw("a[i']")))
    assert local("z", "W", LOCAL["linear by W"]).structural_nonzeros == 15
    assert forgotten.structural_nonzeros == 45


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        ("linear by a", "dense"),
        ("linear by W", "delta ⊗ vector"),
        ("linear by a, batch", "delta ⊗ matrix"),
        ("linear by W, batch", "delta ⊗ matrix"),
        ("linear by b, batch", "delta ⊗ ones"),
        ("activation", "diagonal"),
        ("activation, batch", "diagonal"),
        ("softmax", "diagonal minus outer product"),
        ("centring", "identity minus ones"),
        ("loss", "dense"),
        ("rows and columns", "delta ⊗ matrix plus delta ⊗ matrix"),
    ],
)
def test_the_structure_is_read_off(name, structure):
    assert local("z", "x", LOCAL[name]).structure == structure


def test_a_product_of_vectors_is_outer_only_where_no_two_share_an_axis():
    u, v, w = (dense(f"{name}[k']", RNG.standard_normal(3)) for name in "uvw")
    W, a = dense("W[k,k']", RNG.standard_normal((3, 3))), dense("a[k]", RNG.standard_normal(3))
    assert local("J", "x", ("", "k'", u * v * w)).structure == "dense"
    assert local("y", "x", ("k", "k'", W * u)).structure == "dense"
    assert local("y", "x", ("k", "k'", a * u)).structure == "outer product"
    assert local("y", "x", ("k", "k'", a * u * v)).structure == "outer product"
    assert local("y", "x", ("k", "k'", a * one("k'"))).structure == "outer product"


def test_ones_are_called_ones_where_they_stand_everywhere():
    ones = one("k") * one("k'")
    assert local("y", "x", ("k", "k'", ones)).structure == "ones"
    apart = local("y", "x", ("k", "k'", distinct("k,k'") * ones))
    assert (apart.structure, apart.structural_nonzeros) == ("ones off the diagonal", 6)


def test_where_axes_are_exchanged_a_structure_is_no_identity_and_not_diagonal():
    """A transposed matrix, laid flat: each row has one entry, and it is not at its own place."""
    turned = delta("k,k'") * delta("i,i'")
    slopes = dense("s[k,i]", RNG.standard_normal((3, 5)))
    plain, exchanged = ("k,i", "k',i'"), ("i,k", "k',i'")
    assert local("y", "x", (*plain, turned)).structure == "identity"
    assert local("y", "x", (*exchanged, turned)).structure == "permutation"
    assert local("y", "x", (*plain, turned * slopes)).structure == "diagonal"
    assert local("y", "x", (*exchanged, turned * slopes)).structure == "scaled permutation"


def test_the_structure_of_an_identity_a_zero_and_a_product():
    assert local("z", "x", ("k", "k'", delta("k,k'"))).structure == "identity"
    assert chain([LOCAL["activation"], LOCAL["activation"]]).structure == "diagonal"
    assert chain([LOCAL["activation"], LOCAL["linear by W"]]).structure == "delta ⊗ dense"
    net = Network.dense([5, 3, 2], "tanh", "squared_error", seed=0)
    zero = net.run(RNG.standard_normal(5)).jacobian("z1", "W2")
    assert (zero.structure, zero.structural_nonzeros, zero.formula) == ("zero", 0, "0")
    assert not zero.materialise().any()


# ---------------------------------------------------------------- algebra


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["activation", "softmax", "centring"]), min_size=3, max_size=5))
def test_the_product_is_associative(names):
    cases = [LOCAL[name] for name in names]
    links = [local(f"z{t}", f"z{t + 1}", case) for t, case in enumerate(cases)]
    left, right = reduce(matmul, links), reduce(lambda late, early: early @ late, links[::-1])
    scale = product(cases, magnitudes=True)
    assert agree(left.materialise(), right.materialise(), scale)
    assert agree(left.materialise(), (links[0] @ reduce(matmul, links[1:])).materialise(), scale)
    assert str(left) == str(right)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["activation", "softmax", "centring"]), min_size=2, max_size=4))
def test_paths_add_and_the_product_distributes_over_them(names):
    paths = [local("y", "x", LOCAL[name]) for name in names]
    total, before = reduce(Jacobian.__add__, paths), local("z", "y", LOCAL["softmax"])
    parts = [(LOCAL["softmax"], LOCAL[name]) for name in names]
    scale = sum(product(cases, magnitudes=True) for cases in parts)
    assert total.paths == len(names)
    assert agree(total.materialise(), sum(map(whole, paths)), sum(whole(p, True) for p in paths))
    assert agree((before @ total).materialise(), sum(map(product, parts)), scale)
    v, whole_sum = RNG.standard_normal(3), sum(map(product, parts))
    assert agree((before @ total).pull(v), v @ whole_sum, abs(v) @ scale)
    assert agree((before @ total).push(v), whole_sum @ v, scale @ abs(v))
    lost = sum(map(product, parts[1:]))  # planted: a path forgotten
    assert not agree((before @ total).pull(v), v @ lost, abs(v) @ scale)
    assert not agree((before @ total).push(v), lost @ v, scale @ abs(v))


def test_what_does_not_meet_is_not_multiplied():
    J = local("z", "y", LOCAL["activation"])
    assert refusal(lambda: J @ local("x", "w", LOCAL["linear by a"])) == (
        """\
∂z/∂y @ ∂x/∂w: the value between them is not the same.
  ∂z/∂y differentiates by y, shape (3,)
  ∂x/∂w is of x, shape (3,)
  Multiply ∂a/∂b by ∂b/∂c, with the same b."""
    )
    assert refusal(lambda: J @ local("y", "W", LOCAL["linear by W, batch"])) == (
        """\
∂z/∂y @ ∂y/∂W: the value between them is not the same.
  ∂z/∂y differentiates by y, shape (3,)
  ∂y/∂W is of y, shape (2, 3)
  Multiply ∂a/∂b by ∂b/∂c, with the same b."""
    )
    assert refusal(lambda: J + local("z", "x", LOCAL["linear by a"])) == (
        """\
∂z/∂y + ∂z/∂x: only paths between the same two values add.
  ∂z/∂y has shape (3, 3)
  ∂z/∂x has shape (3, 5)
  Write the chain rule with @."""
    )


def test_a_vector_that_does_not_fit_is_shown_beside_the_value():
    J = local("z", "x", LOCAL["linear by a"])
    assert refusal(lambda: J.pull(RNG.standard_normal(5))) == (
        """\
∂z/∂x: the cotangent does not fit.
  cotangent has shape (5,)
  z has shape (3,)
  Pass an array of the shape of z."""
    )
    assert refusal(lambda: J.push(RNG.standard_normal((5, 1)))) == (
        """\
∂z/∂x: the tangent does not fit.
  tangent has shape (5, 1)
  x has shape (5,)
  Pass an array of the shape of x."""
    )


# ---------------------------------------------------------------- numbers and identity


def test_a_scalar_result_is_an_ndarray_too():
    J = local("L", "x", LOCAL["loss"])
    u = RNG.standard_normal(3)
    scalar = Jacobian.local("L", "s", (), (), 2 * dense("c", 3.5))
    assert isinstance(J.push(u), np.ndarray)
    assert isinstance(scalar.materialise(), np.ndarray)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_product_keeps_the_dtype(dtype):
    net = Network.dense([5, 3, 2], "tanh", "squared_error", seed=0, dtype=dtype)
    J = net.run(np.ones(5, dtype)).jacobian("z2", "W1")
    arrays = [J.materialise(), J.collapse().materialise(), J.pull([2, 3]), J.push(np.ones((3, 5)))]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    assert J.nbytes == arrays[0].nbytes


def test_the_wider_dtype_wins():
    single = Jacobian.local("z", "y", axes("k"), axes("k'"), delta("k,k'"), np.float32)
    double = Jacobian.local("y", "x", axes("k"), axes("k'"), delta("k,k'"), np.float64)
    again = replace(single, nodes=double.nodes)
    assert (single @ double).materialise().dtype == np.float64
    assert (single @ again).materialise().dtype == np.float32
    assert (again + double).materialise().dtype == np.float64


@every
def test_copies_have_the_same_text_and_the_same_bits(cases):
    J = chain(cases)
    for twin in (pickle.loads(pickle.dumps(J)), copy.copy(J), copy.deepcopy(J)):
        assert str(twin) == str(J)
        assert twin.materialise().tobytes() == J.materialise().tobytes()


@pytest.mark.one_in(4)
@every
@pytest.mark.parametrize("layout", LAYOUTS)
def test_asked_again_a_jacobian_gives_the_same_bits_in_an_array_of_its_own(cases, layout):
    J = chain(cases)
    first = J.materialise(layout)
    bits = first.tobytes()
    first[...] = 99.0
    for _ in range(2):  # from the second time on its placing is planned
        again = J.materialise(layout)
        assert again.shape == first.shape
        assert again.tobytes() == bits
        again[...] = 99.0


def test_asked_again_a_product_with_a_number_in_front_is_multiplied_in_the_same_order():
    rng = np.random.default_rng(7)
    u, v = rng.normal(size=3), rng.normal(size=(7, 3))
    product = Expression.of(Dense("u", ("k'",), u), Dense("v", ("n'", "k'"), v), coefficient=0.2)
    J = Jacobian.local("J", "x", (), (Axis("n'", 7), Axis("k'", 3)), product, np.float64)
    bits = J.materialise().tobytes()
    assert [J.materialise().tobytes() == bits for _ in range(2)] == [True, True]
    assert np.any(0.2 * u * v != 0.2 * (u * v))  # the order shows


def test_asked_again_a_jacobian_still_refuses_what_it_refused():
    J = local("z", "W", LOCAL["linear by W"])
    expected = J.materialise()
    for _ in range(2):
        with memory_limit(J.nbytes - 1), pytest.raises(MemoryLimitError):
            J.materialise()
        assert np.array_equal(J.materialise(), expected)
    steep = np.full(3, 1e200)
    product = Expression.of(Delta("k", "k'"), Dense("s", ("k",), steep), Dense("t", ("k",), steep))
    J = Jacobian.local("z", "x", axes("k"), axes("k'"), product)
    for _ in range(3):
        with pytest.raises(DomainError, match="is inf"):
            J.materialise()
        assert np.isinf(J.materialise(finite=False)).sum() == 3


def test_threads_get_the_same_bits():
    J = chain([LOCAL["softmax, batch"], LOCAL["activation, batch"], LOCAL["linear by W, batch"]])
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: J.materialise().tobytes() + str(J).encode(), range(64)))
    assert set(results) == {results[0]}


@every
def test_results_never_alias_inputs(cases):
    J = chain(cases)
    before = pickle.dumps(J)
    v = RNG.standard_normal([axis.size for axis in J.out_axes])
    u = RNG.standard_normal([axis.size for axis in J.wrt_axes])
    for result in (J.materialise(), J.collapse().materialise(), J.pull(v), J.push(u)):
        np.asarray(result)[...] = 99.0
    assert pickle.dumps(J) == before
    assert 99.0 not in v
    assert 99.0 not in u


def test_whoever_keeps_an_expression_gives_its_arrays_up():
    """An array that a contraction made is free to be handed out, until a Jacobian keeps it."""
    made = Dense("A", ("k", "i'"), RNG.standard_normal((3, 5)), own=True)
    J = local("z", "x", ("k", "i'", Expression.of(made) + LOCAL["linear by a"][2]))
    assert [factor.own for term in J.links[0].expression.terms for factor in term.factors] == [
        False,
        False,
    ]
    for J in (local("z", "x", ("k", "i'", Expression.of(made))), chain(CHAIN_OF_SUMS).collapse()):
        before = J.materialise()
        J.materialise()[...] = 99.0
        assert np.array_equal(J.materialise(), before)


def test_a_diagonal_of_an_operand_is_pulled_and_pushed():
    steps = ["h = Tanh(x)", "p = Softmax(h)", 'v = Einsum(Q, p, "ii,i->i")']
    run = Network.program(*steps, params={"Q": RNG.standard_normal((3, 3))}).run([1.0, 2.0, 3.0])
    whole = run.jacobian("v", "x")
    v = RNG.standard_normal(3)
    np.testing.assert_allclose(whole.collapse().pull(v), whole.materialise().T @ v, rtol=1e-12)
    np.testing.assert_allclose(whole.collapse().push(v), whole.materialise() @ v, rtol=1e-12)


def test_the_callers_error_state_does_not_matter():
    net = Network.dense([3, 3, 3], "softmax", "squared_error", seed=1)
    net = net.with_params({name: value * 1000 for name, value in net.params.items()})
    for seed in range(20):
        x = np.random.default_rng(seed).standard_normal(3)
        with np.errstate(all="raise"):
            whole = net.run(x, np.zeros(3)).jacobian("a2", "W1")
            whole.materialise()
            whole.collapse()
            whole.can_be_nonzero()
