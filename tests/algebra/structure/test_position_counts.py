"""Which entries can stand: exact counts, structures in words, and convolutions of convolutions."""

import numpy as np
import pytest

from jacobian_bp import Jacobian, at, delta, dense, memory_limit, within
from jacobian_bp.algebra.axes import Axis
from jacobian_bp.algebra.structure.relations import Relation, number_of_rows, projected
from jacobian_bp.errors import MemoryLimitError

RNG = np.random.default_rng(12)


def local(of, wrt, out, variable, expression):
    """∂of/∂wrt over axes with their sizes, {"d": 3, "o": 5}."""
    axes = [tuple(Axis(a, n) for a, n in sizes.items()) for sizes in (out, variable)]
    return Jacobian.local(of, wrt, *axes, expression)


def convolution(of, wrt, K, size, stride=1, padding=0, dilation=1):
    """∂y/∂x of y[d,o] = Σ_c,r K[d,c,r] x[c,stride·o+dilation·r−padding], and the size of o."""
    channels, below, width = K.shape
    count = (size + 2 * padding - dilation * (width - 1) - 1) // stride + 1
    window = at(f"i' = {stride}o + {dilation}r - {padding}")
    out, variable = {"d": channels, "o": count}, {"c'": below, "i'": size}
    return local(of, wrt, out, variable, dense("K[d,c',r]", K) * window), count


def by_loops(K, size, count, stride, padding, dilation):
    """The same, entry by entry, and where it can be other than zero."""
    channels, below, width = K.shape
    found = np.zeros((channels, count, below, size))
    for o in range(count):
        for r in range(width):
            i = stride * o + dilation * r - padding
            if 0 <= i < size:
                found[:, o, :, i] += K[:, :, r]
    return found


def causal_softmax(T):
    P = np.tril(RNG.random((T, T)))
    seen = within("u <= t") * within("u' <= t")
    same = delta("u,u'") * dense("P[t,u]", P)
    product = dense("P[t,u]", P) * dense("P[t,u']", P)
    shape = {"t": T, "u": T}
    whole = delta("t,t'") * seen * (same - product)
    return local("P", "s", shape, {"t'": T, "u'": T}, whole), P


def self_attention(T, D):
    """∂o/∂x: o = P V, P the causal softmax of s = Q Kᵀ, and Q, K, V linear in x."""
    x, weights = RNG.standard_normal((T, D)), RNG.standard_normal((3, D, D))
    Q, K, V = (x @ W.T for W in weights)

    def linear(name, W):
        own = delta("t,t'") * dense("W[k,i']", W)
        return local(name, "x", {"t": T, "k": D}, {"t'": T, "i'": D}, own)

    def by_queries(K):
        own = delta("t,t'") * dense("K[u,k']", K)
        return local("s", "Q", {"t": T, "u": T}, {"t'": T, "k'": D}, own)

    def by_keys(Q):
        own = delta("u,u'") * dense("Q[t,k']", Q)
        return local("s", "K", {"t": T, "u": T}, {"u'": T, "k'": D}, own)

    softmax, P = causal_softmax(T)
    seen = within("u' <= t")
    by_weights = delta("t,t'") * seen * dense("V[u',j]", V)
    by_values = delta("j,j'") * seen * dense("P[t,u']", P)
    out = {"t": T, "j": D}
    scores = by_queries(K) @ linear("Q", weights[0]) + by_keys(Q) @ linear("K", weights[1])
    through_weights = local("o", "P", out, {"t'": T, "u'": T}, by_weights) @ softmax @ scores
    through_values = local("o", "V", out, {"u'": T, "j'": D}, by_values)
    return through_weights + through_values @ linear("V", weights[2])


def pool(size, width, stride):
    count = (size - width) // stride + 1
    window = at(f"i' = {stride}o + a", sizes={"a": width})
    own = (1 / width) * delta("c,c'") * window
    return local("y", "x", {"c": 3, "o": count}, {"c'": 3, "i'": size}, own)


@pytest.mark.parametrize(
    ("jacobian", "count", "size"),
    [
        (local("y", "x", {"o": 10}, {"i'": 10}, within("i' <= o")), 55, 100),
        (causal_softmax(6)[0], 91, 6**4),
        (self_attention(6, 4), 336, 576),
        (pool(11, 3, 2), 3 * 5 * 3, 3 * 5 * 3 * 11),
        (pool(10, 2, 2), 3 * 10, 3 * 5 * 3 * 10),
    ],
    ids=["cumsum", "causal softmax", "causal self-attention", "average pool", "pool by pairs"],
)
def test_structural_nonzeros_are_the_true_ones(jacobian, count, size):
    assert (jacobian.structural_nonzeros, jacobian.size) == (count, size)
    stands = jacobian.can_be_nonzero()
    assert stands.sum() == count
    assert not jacobian.materialise()[~stands].any()


def test_entries_are_counted_without_listing_triples(monkeypatch):
    """Attention over 256 tokens has 5,625,216 triples; no list is longer than that of all pairs."""
    listed = []
    of = Relation.of.__func__

    def watched(cls, keys, rows):
        listed.append(len(rows))
        return of(cls, keys, rows)

    monkeypatch.setattr(Relation, "of", classmethod(watched))
    assert causal_softmax(256)[0].structural_nonzeros == sum(t * t for t in range(1, 257))
    assert self_attention(256, 2).structural_nonzeros == 256 * 257 // 2 * 4
    assert max(listed) <= 256 * 256


def test_a_large_convolution_is_counted_and_its_bytes_known_before_anything_is_built():
    K = np.broadcast_to(1.0, (64, 64, 3, 3))
    window = at("i' = o + a - 1") * at("j' = q + b - 1")
    J = local(
        "y",
        "x",
        {"d": 64, "o": 56, "q": 56},
        {"c'": 64, "i'": 56, "j'": 56},
        dense("K[d,c',a,b]", K) * window,
    )
    assert J.structural_nonzeros == 112_869_376
    assert J.nbytes == 8 * (64 * 56 * 56) ** 2
    with memory_limit("1 GiB"), pytest.raises(MemoryLimitError) as caught:
        J.materialise()
    assert str(caught.value) == (
        "∂y/∂x has shape (64, 56, 56, 64, 56, 56): 40,282,095,616 entries, 300.1 GiB; "
        "the limit is 1.0 GiB.\n"
        "  Only 112,869,376 of 40,282,095,616 entries can be non-zero "
        "(δ[i',o+a−1] δ[j',q+b−1]). Use J.pull(v), or run.gradients(route=\"vjp\"); "
        "for its entries J.blocks(max_bytes=…), or J.to_zarr(path)."
    )


@pytest.mark.parametrize("seed", range(30))
def test_convolutions_of_convolutions_by_value_and_count(seed):
    rng = np.random.default_rng(seed)
    options = [
        {
            "stride": int(rng.integers(1, 4)),
            "padding": int(rng.integers(0, 3)),
            "dilation": int(rng.integers(1, 3)),
        }
        for _ in range(2)
    ]
    channels, widths = rng.integers(1, 4, 3), rng.integers(1, 4, 2)
    inner = rng.standard_normal((channels[1], channels[0], widths[0]))
    outer = rng.standard_normal((channels[2], channels[1], widths[1]))
    first, between = convolution("z", "x", inner, 23, **options[0])
    second, count = convolution("y", "z", outer, between, **options[1])
    whole = second @ first
    parts = [(outer, between, count, options[1]), (inner, 23, between, options[0])]
    left, right = (by_loops(K, size, n, **how) for K, size, n, how in parts)
    found = np.tensordot(left, right, 2)
    np.testing.assert_allclose(whole.materialise(), found, rtol=1e-12, atol=1e-12)
    v, u = rng.standard_normal(found.shape[:2]), rng.standard_normal(found.shape[2:])
    np.testing.assert_allclose(whole.pull(v), np.tensordot(v, found, 2), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(whole.push(u), np.tensordot(found, u, 2), rtol=1e-9, atol=1e-12)
    ones = [by_loops(np.ones_like(K), size, n, **how) for K, size, n, how in parts]
    assert whole.structural_nonzeros == np.count_nonzero(np.tensordot(*ones, 2))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (at("i' = o + 1"), "selection"),
        (at("i' = -o + 4"), "selection"),
        (at("i' = u[o]", np.array([1, 4, 0, 4, 2])), "selection"),
        (at("i' = a[o]", np.array([1, 4, 0, 4, 2]), here=True), "selection chosen by the values"),
        (within("i' <= o"), "lower triangle"),
        (within("o <= i'"), "upper triangle"),
        (at("i' = o + r", sizes={"r": 2}), "shifted window"),
        (within("i' <= o") * dense("w[o]", np.ones(5)), "lower triangle ⊗ vector"),
        (at("i' = o + r") * dense("w[r]", np.ones(2)), "shifted window ⊗ vector"),
        (within("m[o]", table=np.arange(5) % 2) * dense("w[i']", np.ones(5)), "mask ⊗ vector"),
        (within("0 <= o + i' <= 8") * dense("w[i',o]", np.ones((5, 5))), "matrix"),
    ],
)
def test_the_words_for_a_structure_are_true_of_it(expression, words):
    J = local("y", "x", {"o": 5}, {"i'": 5}, expression)
    assert J.structure == J.collapse().structure == words
    square = local("x", "w", {"i": 5}, {"i'": 5}, delta("i,i'"))
    assert (J @ square).structural_nonzeros == J.structural_nonzeros


def test_what_the_values_have_chosen_is_no_structural_zero():
    """Given, an index leaves 5 entries of 25; chosen, any entry may stand at another input."""
    numbers = np.array([1, 4, 0, 4, 2])
    given = local("y", "x", {"o": 5}, {"i'": 5}, at("i' = u[o]", numbers))
    chosen = local("y", "x", {"o": 5}, {"i'": 5}, at("i' = u[o]", numbers, here=True))
    assert (given.structural_nonzeros, chosen.structural_nonzeros) == (5, 25)
    np.testing.assert_array_equal(given.materialise(), chosen.materialise())
    assert chosen.can_be_nonzero().all()
    twice = chosen @ local("x", "w", {"i": 5}, {"j'": 5}, delta("i,j'"))
    assert (twice.structural_nonzeros, twice.collapse().structural_nonzeros) == (25, 25)


def test_a_collapsed_jacobian_goes_on_with_what_can_stand():
    """The largest of two, twice: three entries of each row can stand, whatever was chosen."""
    numbers = np.array([0, 1, 1, 0, 1])
    largest = at("r = a[o]", numbers, here=True) * at("i' = o + r", sizes={"r": 2})
    first = local("z", "y", {"o": 5}, {"i'": 5}, largest)
    second = local("y", "x", {"o": 5}, {"i'": 5}, largest)
    whole = first @ second
    assert whole.structural_nonzeros == 5 + 4 + 3
    third = local("x", "w", {"o": 5}, {"i'": 5}, largest)
    assert (whole.collapse() @ third).structural_nonzeros == 5 + 4 + 3 + 2
    assert whole.collapse().structure == "shifted window ⊗ dense"


@pytest.mark.parametrize("count", [3, 13])
def test_paths_through_windows_of_their_own_add_up(count):
    """Each path shifts by another number of places; of many, one array is made."""
    whole, want = None, np.zeros((13, 13))
    for shift in range(count):
        w = RNG.standard_normal(13)
        moved = at(f"i' = o + {shift}")
        first = local("y", f"m{shift}", {"o": 13}, {"i'": 13}, moved)
        scaled = delta("i,j'") * dense(f"w{shift}[i]", w)
        path = first @ local(f"m{shift}", "x", {"i": 13}, {"j'": 13}, scaled)
        whole = path if whole is None else whole + path
        want += np.eye(13, k=shift) * w
    np.testing.assert_allclose(whole.materialise(), want, rtol=1e-12)
    collapsed = whole.collapse()
    np.testing.assert_allclose(collapsed.materialise(), want, rtol=1e-12)
    assert whole.structural_nonzeros == np.count_nonzero(want)
    assert collapsed.structural_nonzeros == np.count_nonzero(want)
    assert collapsed.formula.count("δ") == (count if count < 9 else 0)
    assert len(whole.patterns) == 1


@pytest.mark.parametrize("seed", range(20))
def test_relations_are_joined_and_counted_as_sets_of_tuples_are(seed):
    rng = np.random.default_rng(seed)
    keys = [("out", 0), ("out", 1), ("wrt", 0), ("wrt", 1)]
    sizes = dict(zip(keys, (3, 5, 2, 4), strict=True))
    arrays = []
    for _ in range(rng.integers(1, 4)):
        chosen = [k for k in keys if rng.random() < 0.6] or keys[:1]
        arrays.append((chosen, rng.random([sizes[k] for k in chosen]) < 0.5))
    found = [Relation.where(own, holds) for own, holds in arrays]
    whole = np.ones([sizes[k] for k in keys], bool)
    for own, holds in arrays:
        spread = tuple(slice(None) if k in own else None for k in keys)
        whole &= holds[spread]
    listed = {k for own, _ in arrays for k in own}
    free = int(np.prod([sizes[k] for k in keys if k not in listed]))
    assert number_of_rows(found) * free == whole.sum()
    some = whole.any(axis=(1, 3))
    kept = projected(found, {keys[0], keys[2]})
    part = np.ones((3, 2), bool)
    for relation in kept:
        part &= relation.holds([keys[0], keys[2]], sizes)
    np.testing.assert_array_equal(part, some)
