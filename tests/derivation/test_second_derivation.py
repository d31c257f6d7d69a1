"""The page of second derivatives: each formula is evaluated, each verdict has its premise."""

import re
import tracemalloc
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from network_cases import data, refusal
from printed_lines import SLOPES, by_indices
from random_programs import random_program
from second_cases import close

from jacobian_bp import Convention, Network, Op, SpecError, ops
from jacobian_bp.algebra.expression import Delta, Dense, Expression
from jacobian_bp.checks import of_hessian
from jacobian_bp.checks.of_hessian import check_hessian
from jacobian_bp.cli import main
from jacobian_bp.derivation.of_each_example import times
from jacobian_bp.derivation.second_ledger import BendRow
from jacobian_bp.ops import BatchNorm, Tanh
from jacobian_bp.reference import X, Y, second_seed

RNG = np.random.default_rng(13)
SECOND_SLOPES = {
    "tanh''": lambda z: -2 * np.tanh(z) * (1 - np.tanh(z) ** 2),
    "σ''": lambda z: SLOPES["σ'"](z) * (1 - 2 / (1 + np.exp(-z))),
}


def run_of(activations, loss, batch, sizes=(3, 5, 2), **options):
    net = Network.dense(sizes, activations, loss, seed=1, **options)
    return net.run(*data(loss, batch, sizes=list(sizes)))


CASES = [
    (["tanh", "softmax"], "cross_entropy", False, {}),
    (["tanh", "softmax"], "cross_entropy", True, {}),
    (["sigmoid", "sigmoid"], "squared_error", False, {"penalty": {"W1": 0.25}}),
    (["relu", "sigmoid"], "half_squared_error", True, {}),
]
by_case = pytest.mark.parametrize(("activations", "loss", "batch", "options"), CASES)


def arrays_of(run, page):
    """Whatever a formula of the page names, as numbers: values, δ, slopes, H."""
    found = {name: run[name] for name in run}
    for sign, called in page.symbols:
        slope = run.vjp(page.cost, called.rpartition("∂")[2], 1.0)
        found |= {sign: slope, called: slope}
    for name in run:
        for prime, function in (SLOPES | SECOND_SLOPES).items():
            found[f"{prime}({name})"] = function(run[name])
    if "z2" in run:
        softmax = np.exp(run["z2"]) / np.exp(run["z2"]).sum(-1, keepdims=True)
        found |= {"softmax(z2)": softmax, "(1−softmax(z2))": 1 - softmax}
    found["(1−δ)"] = 1 - np.eye(2)
    for p in ("z1", "z2"):
        for q in ("z1", "z2"):
            found[f"H{p[1]}{q[1]}"] = run.hessian(p, q).materialise()
    return found


def evaluated(text, axes, arrays):
    """A formula over the axes, whose sizes are in the numbers."""
    text = re.sub(r"\(1−δ\[(.*?)\]\)", r"(1−δ)[\1]", text)
    for scalar in re.findall(r"\((∂\w+/∂\w+)\)", text):
        text = text.replace(f"({scalar}) ", "").replace(f" ({scalar})", "")
        assert arrays[scalar] == 1  # the derivative of a cost by what is added to it
    sizes = {axis.name: axis.size for axis in axes}
    return by_indices(text, [axis.name for axis in axes], arrays, sizes)


@pytest.mark.one_in(2)
@by_case
def test_each_block_is_its_formula(activations, loss, batch, options):
    run = run_of(activations, loss, batch, **options)
    page = run.second_derivation()
    arrays, seen = arrays_of(run, page), 0
    named = [name for name in run.params if name not in dict(page.added)]
    for p in named:
        for q in named:
            block = run.hessian(p, q)
            line = next((b for b in page.blocks if b.name == block.name), None)
            if line is None:
                continue
            seen += 1
            found = evaluated(line.formula, block.axes, arrays)
            close(found, block.materialise(), 1e-13)
            assert f" {line.formula}" in page.text(width=400)
            parts = block.gauss_newton, block.residual
            sizes = [np.abs(part.materialise()).max() for part in parts]
            np.testing.assert_allclose((line.gauss_newton, line.residual), sizes)
            slip = line.formula.rpartition(" + ")[0] or re.sub(r"x\[|a1\[", "a2[", line.formula)
            if line.formula.count(" + ") and np.any(found):
                assert not np.allclose(evaluated(slip, block.axes, arrays), found)
    assert seen == len(page.blocks) >= 3


@pytest.mark.one_in(2)
@by_case
def test_each_row_is_its_formula_and_what_comes_back(activations, loss, batch, options):
    run = run_of(activations, loss, batch, **options)
    page = run.second_derivation()
    arrays = arrays_of(run, page)
    arrays |= {"∂L/∂z2": arrays["∂J/∂z2"]}
    for row in page.rows:
        u, v = row.inputs
        only = run.hessian(u, v).row(row.key)
        assert only.is_local
        back = row.returned
        bent = next(bend.bent for bend in only.bends if bend.bent.inputs == (u, v))
        axes = [axis.name for axis in (*bent.first, *bent.second)]
        sizes = dict(zip(axes, only.shape, strict=True))
        found = evaluated_over(back, axes, sizes, arrays)
        np.testing.assert_allclose(found, only.materialise(), rtol=1e-13, atol=1e-16)
        assert row.residual == bool(run.hessian(u, v).row(row.key).residual.links)
        assert f"∂{row.name[2:].partition('/')[0]}/∂{u} moves with {v}" == row.reason


def evaluated_over(text, axes, sizes, arrays):
    text = re.sub(r"\(1−δ\[(.*?)\]\)", r"(1−δ)[\1]", text)
    text = re.sub(r" ?\(∂\w+/∂\w+\)", "", text)
    return by_indices(text, axes, arrays, sizes)


@pytest.mark.one_in(2)
@by_case
def test_each_block_by_values_follows_from_the_one_above_it_as_the_line_says(
    activations, loss, batch, options
):
    run = run_of(activations, loss, batch, **options)
    page = run.second_derivation()
    known = {item.statement.partition(" = ")[0]: item.value for item in page.between}
    rows = {row.number: row for row in page.rows}
    assert list(known) == ["H22", "H21", "H11"]

    def factor(word):
        turned = word.endswith("ᵀ")
        word = word.removesuffix("ᵀ")
        if word in known:
            found = known[word]
        elif word.startswith("["):
            row = rows[int(word[1:-1])]
            found = run.hessian(*row.inputs).row(row.key).materialise("flat")
        else:
            of, wrt = re.fullmatch(r"\(?∂(\w+)/∂(\w+)\)?", word).groups()
            found = run.jacobian(of, wrt).materialise("flat")
        return found.T if turned else found

    def side(text):
        whole = 0
        for term in text.split(" + "):
            words = re.sub(r"(?:δ\d|\(∂\w+/∂\w+\)) (?=\[)", "", term).split(" ")
            product = factor(words[0])
            for word in words[1:]:
                product = product @ factor(word)
            whole = whole + product
        return whole

    for item in page.between:
        name, _, right = item.statement.partition(" = ")
        z, w = (f"z{n}" for n in name[1:])
        close(item.value, run.hessian(z, w).materialise("flat"), 1e-15)
        close(side(right), item.value, 1e-13)
        if " + " in right and np.any(side(right.split(" + ")[1])):
            assert not np.allclose(side(right.split(" + ")[0]), item.value)


def test_the_page_of_the_second_seed_is_short_and_says_each_thing():
    page = second_seed().run(X, Y).second_derivation()
    text = page.text()
    assert len(text.splitlines()) < 60
    assert max(map(len, text.splitlines())) <= 99
    assert [row.number for row in page.rows] == [13, 14, 15]
    assert (
        "∂²J/∂p∂q by 29 parameters, flat (29, 29), 6.6 KiB: 841 of 841 entries can be ≠ 0" in text
    )
    assert "∂²a2/∂z2²    0" in text
    assert "straight between kinks; none here on one" in text
    assert "positive semidefinite, because\n              ∂²J/∂z3² is" in text
    assert "[13] cannot be negative, because ∂²J/∂z3² is not: what is negative comes from" in text
    assert text.endswith("all agree")


def test_the_shares_of_the_rows_are_those_along_the_lowest_direction():
    run = second_seed().run(X, Y)
    page = run.second_derivation()
    whole = run.hessian(run.params)
    values, vectors = np.linalg.eigh(whole.materialise())
    d, places = vectors[:, 0], whole.places
    np.testing.assert_allclose(page.verdict.whole.lowest, values[0])
    for row, (number, share) in zip(page.rows, page.verdict.shares, strict=True):
        found = 0.0
        for p in run.params:
            for q in run.params:
                block = run.hessian(p, q)
                if any(bend.key == row.key for bend in block.bends):
                    part = block.row(row.key).materialise("flat")
                    found += d[places[p]] @ part @ d[places[q]]
        assert number == row.number
        np.testing.assert_allclose(share, found, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(sum(share for _, share in page.verdict.shares), values[0])


class Negative(Op):
    """J = −L"""

    signature = "L[] -> J[]"

    def forward(self, L):
        return -L

    def jacobians(self, L):
        return {"L": Expression.of(Dense("(−1)", (), -np.ones(())))}

    def second(self, L):
        return {}

    def vjp(self, bar, L):
        return {"L": -bar}


def concave(x):
    """Squared error, subtracted: ∂²J/∂z² is −2 δ."""
    net = Network.program(
        "z = Linear(x, W)",
        "L = SquaredError(z, y)",
        "J = Negative(L)",
        params={"W": RNG.standard_normal((2, 3))},
        ops={"Negative": Negative},
    )
    return net.run(x, RNG.standard_normal(2)).second_derivation()


def test_a_part_that_is_not_semidefinite_is_said_so_with_the_eigenvalue_at_the_cut():
    page = concave(RNG.standard_normal(3))
    assert not page.verdict.gauss_newton.is_semidefinite
    text = page.text(width=400)
    assert "not positive semidefinite; ∂²J/∂z² has the lowest eigenvalue -2" in text
    assert "cannot be negative" not in text
    assert "occurs 2 times: no one direction is its own, and no row is blamed" in text
    assert page.verdict.shares == ()


def test_what_is_semidefinite_here_only_is_not_promised_by_the_cut():
    text = concave(np.zeros(3)).text(width=400)
    assert (
        "rank 0 of 6: positive semidefinite here, though ∂²J/∂z² has the lowest eigenvalue -2: "
        "the cut does not promise it" in text
    )


ATTENTION = (
    "q = Linear(x, Wq)",
    "k = Linear(x, Wk)",
    "v = Linear(x, Wv)",
    "s = Einsum(q, k, 'td,ud->tu')",
    "c = CausalSoftmax(s)",
    "o = Einsum(c, v, 'tu,ue->te')",
    "J = Einsum(o, o, 'te,te->')",
)


@cache
def attention():
    shapes = {"Wq": (3, 2), "Wk": (3, 2), "Wv": (2, 2)}
    params = {name: RNG.normal(size=shape) for name, shape in shapes.items()}
    return Network.program(*ATTENTION, params=params).run(
        x=RNG.normal(size=(5, 2)), axes={"x": "t"}
    )


SKIPS = (
    "z = Linear(x, W)",
    "r = Add(x, z)",
    "h = LayerNorm(r, g, e)",
    "a = Tanh(h)",
    "f = Linear(a, V)",
    "w = Add(h, f)",
    "J = Einsum(w, w, 'd,d->')",
)


@cache
def with_skips():
    shapes = {"W": (3, 3), "g": (3,), "e": (3,), "V": (3, 3)}
    params = {name: RNG.normal(size=shape) for name, shape in shapes.items()}
    return Network.program(*SKIPS, params=params).run(x=RNG.normal(size=3))


@cache
def derived(run, layout):
    return run.second_derivation(layout)


FACTOR = r"\(\(∂J/∂\w+\) \[\d+\]\)ᵀ|\[\d+\]ᵀ?|\(∂(?!J)\w+/∂\w+\)ᵀ?"


def product_of(text, run, rows, layout):
    """The value of (∂o/∂Wv)ᵀ [11] (∂o/∂Wk) + …, each factor a matrix in the layout."""
    is_turned, whole = layout == "gradient", 0
    for term in text.split(" + "):
        product = None
        for word in re.findall(FACTOR, term):
            row = re.search(r"\[(\d+)\]", word)
            if row:
                (found,) = [r for r in rows if r.number == int(row[1])]
                matrix = run.hessian(*found.inputs).row(found.key).materialise("flat")
            else:
                of, wrt = re.search(r"∂(\w+)/∂(\w+)", word).groups()
                matrix = run.jacobian(of, wrt).materialise("flat")
            matrix = matrix.T if word.endswith("ᵀ") != is_turned else matrix
            product = matrix if product is None else product @ matrix
        whole = whole + product
    return whole


@pytest.mark.parametrize(
    ("made", "layout", "count"),
    [(attention, "flat", 5), (with_skips, "flat", 7), (with_skips, "gradient", 7)],
)
def test_a_long_block_of_a_graph_is_the_product_of_matrices_that_is_written(made, layout, count):
    run, seen = made(), 0
    page = derived(run, layout)
    assert len(page.text().splitlines()) < (60 if made is attention else 70)
    for block in page.blocks:
        if not re.search(r"\[\d+\]", block.formula):
            continue
        seen += 1
        p, q = re.fullmatch(r"∂²J/∂([A-Za-z]+)(?:²|∂([A-Za-z]+))", block.name).groups()
        expected = run.hessian(p, q or p).materialise("flat")
        expected = expected.T if layout == "gradient" else expected
        close(product_of(block.formula, run, page.rows, layout), expected, 1e-13)
        for slip in (block.formula.rpartition(" + ")[0], block.formula.replace("∂o", "∂c")):
            if slip and slip != block.formula:
                assert not matches(slip, run, page, layout, expected)
    assert seen == count


def matches(formula, run, page, layout, expected):
    try:
        return np.allclose(product_of(formula, run, page.rows, layout), expected)
    except ValueError:  # matrices that do not fit
        return False


def test_an_array_of_a_row_has_a_short_name_and_the_page_says_what_it_is():
    page = derived(attention(), "flat")
    row = page.rows[2]
    assert row.returned == "δ[t',t''] [u'≤t'] [u''≤t'] (δ[u',u''] R13a[t',u'] + R13b[t',u',u''])"
    assert page.arrays == (
        "R13a: terms of (∂J/∂c) [13] where t' = t'', u' = u'', added up to one array",
        "R13b: terms of (∂J/∂c) [13] where t' = t'', added up to one array",
    )
    assert "(Σ" not in page.text()


@pytest.mark.parametrize(
    ("lines", "shapes", "row", "between"),
    [
        (
            ("z1 = Linear(x, W)", "J = Einsum(z1, z1, 'k,k->')"),
            {"W": (3, 2)},
            "2 δ[k',k'']",
            "[2  0  0; 0  2  0; 0  0  2]",
        ),
        (
            ("z1 = Linear(x, W)", "a1 = Einsum(z1, z1, 'k,i->ki')", "J = Einsum(a1, 'ki->')"),
            {"W": (2, 3)},
            "δ[k,k'] δ[i,i'] + δ[k,i'] δ[i,k']",
            "[2  2; 2  2]",
        ),
    ],
)
def test_a_value_that_is_read_twice_bends_by_both_readings(lines, shapes, row, between):
    net = Network.program(*lines, params={n: RNG.normal(size=s) for n, s in shapes.items()})
    run = net.run(x=RNG.normal(size=shapes["W"][1]))
    page = run.second_derivation()
    assert [r.formula for r in page.rows] == [row]
    assert f"{page.between[0].statement}  {between}" in page.text(width=400)
    np.testing.assert_array_equal(page.between[0].value, run.hessian("z1").materialise("flat"))


def test_without_a_loss_all_that_bends_is_inside():
    net = Network.program(
        "J = Einsum(p, q)",
        params={"p": RNG.standard_normal(3), "q": RNG.standard_normal(3)},
        ops={"Einsum": ops.Einsum("a,a->")},
    )
    text = net.run().second_derivation().text(width=400)
    assert "Gauss-Newton, cut at J: nothing bends at or behind it, every entry is 0" in text
    assert "rest: 3 positive, 3 negative: " in text
    assert "the lowest eigenvalue occurs 3 times" in text
    assert "∂²J/∂p∂q  δ[a,a']  [3] " in text


def test_where_nothing_bends_the_page_says_that_every_entry_is_0():
    net = Network.program(
        "J = Total(p)", params={"p": np.ones(3)}, ops={"Total": ops.Einsum("a->")}
    )
    page = net.run().second_derivation()
    assert "no op bends on the way from a parameter to J: every entry is 0" in page.text(width=400)
    assert page.check.ok
    assert (page.blocks, page.rows) == ((), ())


def test_rows_of_one_name_say_which_inputs_they_are_of():
    net = Network.program(
        "z = Tanh(p)",
        "J = Einsum(z, q, z, 'a,a,a->')",
        params={name: RNG.standard_normal(3) for name in "pq"},
    )
    rows = net.run().second_derivation().rows
    assert [row.reason for row in rows] == [
        "∂J/∂z moves with q, inputs 1 and 2",
        "∂J/∂z moves with z",
        "∂J/∂q moves with z, inputs 2 and 3",
        "∂z/∂p moves with p",
    ]


def test_a_graph_that_is_no_chain_is_written_by_the_paths_through_its_rows():
    net, given = random_program(118, batch=False)
    page = net.run(**given).second_derivation()
    assert not page.is_chain
    assert not page.between
    assert "no chain: a block is written by the paths through its rows" in page.text()
    assert page.blocks[0].formula == "∂v7/∂v4[j] δ[k,k'] v0[i']"


def test_entries_on_a_kink_are_counted_and_their_columns_left_out():
    net = Network.dense([2, 3, 1], ["relu", "identity"], "squared_error", seed=1)
    params = {**net.params, "W1": np.zeros((3, 2)), "b1": np.zeros(3)}
    page = net.with_params(params).run(np.ones(2), np.ones(1)).second_derivation()
    assert "straight between kinks; here 3 of 3 on one" in page.text()
    assert page.check.left_out == 9  # W1 and b1
    assert "9 columns left out, whose steps cross a kink or an edge" in page.text(width=400)


class Bent(Tanh):
    """A second derivative of half the size."""

    def second(self, z):
        ((pair, found),) = Tanh.second(self, z).items()
        return {pair: times(found, 0.5)}


def planted():
    net = Network.program(
        "z = Linear(x, W)",
        "a = Bent(z)",
        "L = SquaredError(a, y)",
        params={"W": RNG.standard_normal((2, 3))},
        ops={"Bent": Bent},
    )
    return net.run(RNG.standard_normal(3), RNG.standard_normal(2))


def test_a_wrong_second_derivative_of_an_op_is_caught_with_both_numbers():
    page = planted().second_derivation()
    assert not page.check.ok
    entry = r"∂²L/∂W\[\d,\d\]∂W\[\d,\d\] is \S+, its difference \S+"
    assert re.search(rf"DISAGREES: {entry}$", page.text(width=400))


class BentBatchNorm(BatchNorm):
    """A second derivative whose terms are off by a few millionths, each by another share."""

    def second(self, x, gamma, beta):
        found = BatchNorm.second(self, x, gamma, beta)
        terms = enumerate(found["x", "x"].terms)
        moved = [replace(t, coefficient=t.coefficient * (1 + 1e-6 * n)) for n, t in terms]
        return found | {("x", "x"): Expression(tuple(moved))}


def shifted_batch(op=BatchNorm, dtype=np.float64, shift=(3,), seed=0):
    """What is normalised does not move with s: J is a constant, and all of H cancels."""
    rng = np.random.default_rng(seed)
    net = Network.program(
        "x = Add(x0, s)",
        "z = BatchNorm(x, g, c)",
        "J = Einsum(z, z, 'ab,ab->')",
        params={"s": rng.standard_normal(shift).astype(dtype)},
        ops={"BatchNorm": op},
    )
    given = {"x0": rng.standard_normal((5, 3)), "g": np.ones(3), "c": np.zeros(3)}
    return net.run(**{name: array.astype(dtype) for name, array in given.items()})


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(3))
def test_a_hessian_that_is_rounding_agrees_and_has_no_signs(dtype, seed):
    page = shifted_batch(dtype=dtype, seed=seed).second_derivation()
    largest = np.abs(shifted_batch(dtype=dtype, seed=seed).hessian("s").materialise()).max()
    assert page.check.wrong == ""
    assert page.verdict.whole.values == ()
    text = page.text(width=400)
    if largest:
        size = re.search(r"together: every eigenvalue is rounding, at most (\S+) in size", text)[1]
        np.testing.assert_allclose(float(size), page.verdict.whole.largest, rtol=1e-2)
        assert "nothing is said of signs" in text
    assert not re.search(r"[1-9]\d* (positive|negative), ", text)
    assert text.endswith("all agree")


@pytest.mark.parametrize("built", [True, False])
def test_a_hessian_that_cancels_after_very_many_steps_is_rounding_and_a_mistake_is_none(built):
    """J = |s w|² − s² |w|², s being the product of sixty factors: each step rounds it again."""
    factors = {f"c{n}": np.full(3, 1.1 if n % 2 else 1 / 1.1, np.float32) for n in range(60)}
    scaled = np.prod([factor[0] for factor in factors.values()], dtype=float) ** 2
    steps = [
        f"v{n} = Multiply({f'v{n - 1}' if n else 'w'}, {name})" for n, name in enumerate(factors)
    ]
    net = Network.program(
        *steps, "p = Einsum(v59, v59, 'a,a->')", "u = Multiply(w, g)",
        "q = Einsum(u, w, 'a,a->')", "J = Subtract(p, q, '')",
        params={"w": np.array([0.5, 1.5, -0.3], np.float32)},
    )  # fmt: skip
    run = net.run(**factors, g=np.full(3, scaled, np.float32))
    whole = run.hessian(["w"]).materialise()
    assert 16 * 2**-24 * 4 < -whole[0, 0] < 1e-5  # beyond the rounding of one sum of 2 and −2
    assert check_hessian(run.forward_pass, ["w"], whole if built else None).ok
    if built:
        assert run.second_derivation().verdict.whole.values == ()
        assert not check_hessian(run.forward_pass, ["w"], whole + np.diag([0, 0, 1e-3])).ok


def test_beside_a_hessian_that_is_rounding_each_check_catches_its_own_mistake():
    run = shifted_batch(BentBatchNorm)
    assert "DISAGREES: ∂²J/∂s[" in run.second_derivation().text(width=400)
    state, whole = shifted_batch().forward_pass, np.zeros((3, 3))
    assert check_hessian(state, ["s"], whole).ok
    assert check_hessian(state, ["s"], None).ok
    assert not check_hessian(run.forward_pass, ["s"], None).ok
    for place, off in (((1, 1), 1e-12), ((0, 2), 1e-12)):
        wrong = whole.copy()
        wrong[place] += off
        assert check_hessian(state, ["s"], wrong).wrong == (
            "H v, never built, is not the matrix times v"
        )


def test_eigenvalues_beyond_the_rounding_of_the_terms_keep_their_signs():
    verdict = shifted_batch(shift=(5, 3)).second_derivation().verdict
    assert (verdict.whole.positive, verdict.whole.negative) == (9, 3)
    assert verdict.whole.size - len(verdict.whole.values) == 3  # a shift of each unit
    assert not verdict.whole.is_rounding


TWIST = np.array([[0.0, 0.25], [-0.25, 0.0]])


class Twisted(Op):
    """Half the squared norm, whose second derivative is said not to be symmetric."""

    signature = "u[a] -> J[]"
    twist: np.ndarray | None = TWIST

    def forward(self, u):
        return 0.5 * np.sum(u * u, axis=-1)

    def jacobians(self, u):
        return {"u": Expression.of(Dense("u", ("a'",), u))}

    def second(self, u):
        found = Expression.of(Delta("a'", "a''"))
        if self.twist is not None:
            found = found + Expression.of(Dense("twist", ("a'", "a''"), self.twist))
        return {("u", "u"): found}

    def vjp(self, bar, u):
        return {"u": bar * u}


class Straight(Twisted):
    """The same, said rightly."""

    twist = None


@pytest.mark.parametrize(("op", "gap"), [(Twisted, 0.5 * 7 * 11), (Straight, 0.0)])
def test_blocks_derived_both_ways_tell_a_pair_that_is_not_symmetric(op, gap):
    # p moves u along (7, 0) and q along (0, 11): each block on the diagonal is one number
    net = Network.program(
        "a = Einsum(p, e, ',a->a')",
        "b = Einsum(q, f, ',a->a')",
        "u = Add(a, b)",
        "J = Cost(u)",
        params={"p": RNG.standard_normal(()), "q": RNG.standard_normal(())},
        ops={"Cost": op},
    )
    run = net.run(e=np.array([7.0, 0.0]), f=np.array([0.0, 11.0]))
    whole = run.hessian(["p", "q"]).materialise()
    np.testing.assert_array_equal(whole, whole.T)  # a block below the diagonal is the one above
    page = run.second_derivation()
    assert page.check.asymmetry == gap
    never_built = check_hessian(run.forward_pass, ["p", "q"], None)
    assert (never_built.asymmetry > 1) == (gap > 0)
    assert page.check.ok == (gap == 0)
    assert ("DISAGREES: ∂²J/∂" in page.text(width=400)) == (gap > 0)


@pytest.mark.parametrize("how", ["columns", "asymmetry", "product"])
def test_each_of_the_checks_catches_its_own_mistake(how):
    state = second_seed().run(X, Y).forward_pass
    names = state.program.params
    whole = second_seed().run(X, Y).hessian(names).materialise()
    assert check_hessian(state, names, whole).ok
    if how == "columns":
        whole[3, 3] += 1e-3
    else:
        whole[2, 5] += 1e-5 * (1 if how == "asymmetry" else 0)
        whole[4, 4] += 1e-5 * (how == "product")
    assert not check_hessian(state, names, whole).ok


def test_what_a_convention_cannot_say_of_a_program_is_refused_as_in_the_first_derivation():
    net = Network.dense([3, 2, 2], ["tanh", "tanh"], "squared_error", seed=1, penalty={"W1": 0.5})
    run = net.run(np.ones(3), np.ones(2))
    inside = Convention(bias="first")
    message = refusal(SpecError, run.second_derivation, inside)
    assert message == refusal(SpecError, run.derivation, inside)
    assert 'Write a convention with weights="out,in" and bias="own"; names and columns' in message
    assert run.second_derivation(Convention(examples="columns", names={"T{l}": "W"})).check.ok


def test_the_command_prints_the_page_and_each_form_has_its_sentences(tmp_path, capsys):
    page = second_seed().run(X, Y).second_derivation()
    assert main(["derive", "--second"]) == 0
    assert capsys.readouterr().out.split() == page.text().split()
    for ending in ("html", "tex", "md", "txt"):
        place = tmp_path / f"page.{ending}"
        assert main(["derive", "--second", "--out", str(place)]) == 0
        text = place.read_text("utf-8")
        for words in ("straight between kinks", "positive semidefinite", "all agree", "rank 1 of"):
            assert words in " ".join(text.split()), (ending, words)
    assert r"\frac{\partial^{2} J}{\partial z_{3}{}^{2}}" in (tmp_path / "page.tex").read_text(
        "utf-8"
    )
    assert "<mfrac><mrow><msup><mi>∂</mi><mn>2</mn></msup><mi>J</mi>" in page.html()
    latex = page.latex()
    assert all(name in latex for name in ("W_{3}", "H_{22}", r"\sigma'"))
    assert page._repr_latex_()
    assert page.text(ascii_only=True).isascii()
    assert "delta3 = dJ/dz3" in page.text(ascii_only=True)


def test_of_many_layers_those_nearest_to_the_cost_are_written_and_the_rest_counted():
    net = Network.dense([2] * 9, "tanh", "squared_error", seed=1)
    page = net.run(np.ones(2), np.zeros(2)).second_derivation()
    assert (len(page.between), page.more_between) == (21, 15)
    assert (len(page.blocks), page.more_blocks) == (21, 15)
    assert "… 15 more farther from the cost; --all, in Python" in page.text()


def test_what_is_too_large_to_be_built_is_checked_all_the_same():
    net = Network.dense([97, 11, 5], ["tanh", "softmax"], "cross_entropy", seed=3)
    page = net.run(RNG.standard_normal(97), np.array(3)).second_derivation()
    assert page.verdict is None
    assert page.check.ok
    assert 0 < page.check.columns < page.count
    text = page.text(width=400)
    assert "1,138 parameters: the whole matrix is not built for this page, and its eig" in text


def test_a_page_takes_little_memory_beside_the_matrix_that_is_not_built(monkeypatch):
    monkeypatch.setattr(of_hessian, "MOST_COLUMNS", 3)
    net = Network.dense([397, 11, 5], ["tanh", "softmax"], "cross_entropy", seed=3)
    run = net.run(RNG.standard_normal(397), np.array(3))
    tracemalloc.start()
    page = run.second_derivation()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert page.check.ok
    assert most < page.nbytes / 10


def test_two_pages_are_the_same_and_the_run_is_as_it_was():
    run = second_seed().run(X, Y)
    before = {name: run[name].copy() for name in run}
    texts = {run.second_derivation().text() for _ in range(2)}
    assert len(texts) == 1
    for name, value in before.items():
        np.testing.assert_array_equal(run[name], value)
    assert isinstance(run.second_derivation().bends[0], BendRow)


SIGNS = {  # what is said where a formula of the page has it
    r"(?<!\w)σ'*\(": "σ(z) = 1/(1 + e^−z)",
    "z\u0302": "z\u0302: z normalised",
    r"(?<!\w)1\[k": "1[k] = 1 for every k",
    r"z_h2": "h2 = tanh(z_h2), z_h2 = W x2 + U h1 + b, and so on",
    "ᵀ": "ᵀ: transposed",
    r"\w''\(": "two primes on a function: its second derivative",
}


def one_of_each():
    """Pages with different signs: a loss of logits, a norm, a cell twice, straight pieces."""
    yield run_of(["tanh", "sigmoid"], "bce", True, sizes=(3, 2, 1))
    params = {"W": RNG.normal(size=(3, 2)), "g": RNG.normal(size=3), "c": RNG.normal(size=3)}
    norm = "z = Linear(x, W)", "h = LayerNorm(z, g, c)", "J = HalfSquaredError(h, y)"
    yield Network.program(*norm, params=params).run(RNG.normal(size=2), RNG.normal(size=3))
    cells = "h1 = RNNCell(x1, h0, W, U, b)", "h2 = RNNCell(x2, h1, W, U, b)"
    shapes = {"W": (2, 3), "U": (2, 2), "b": (2,)}
    params = {name: RNG.normal(size=shape) for name, shape in shapes.items()}
    given = {"x1": (3,), "x2": (3,), "h0": (2,), "y": (2,)}
    twice = Network.program(*cells, "J = HalfSquaredError(h2, y)", params=params)
    yield twice.run(**{name: RNG.normal(size=shape) for name, shape in given.items()})
    yield run_of(["relu", "identity"], "squared_error", False)


def test_each_sign_is_said_where_it_is_used_and_nowhere_else():
    met = set()
    for run in one_of_each():
        found = run.second_derivation()
        page = str(found)
        told = " ".join(page[page.index("signs ") : page.index("\nrow ")].split())
        formulas = [text for row in found.rows for text in (row.formula, row.returned, row.symbol)]
        formulas += [item.statement for item in found.between]
        formulas += [block.formula for block in found.blocks]
        for sign, said in SIGNS.items():
            used = any(re.search(sign, text) for text in formulas)
            assert (said in told) == used, said
            met |= {said} if used else set()
        assert "p, q: any parameters; s: a value that bends; u, v: any of what its op reads" in told
    assert met == {*SIGNS.values()}


def test_the_indices_of_a_pair_have_one_prime_more_each_time_a_letter_comes_again():
    """As the page says it of u and then v: each row is written over such axes."""
    for run in one_of_each():
        for row in run.hessian(run.params[0]).rows:
            bent = row.bends[0].bent
            axes = [axis.name for axis in (*bent.first, *bent.second)]
            for place, axis in enumerate(axes):
                before = [one.rstrip("'") for one in axes[:place]].count(axis.rstrip("'"))
                assert axis.count("'") == before + 1
