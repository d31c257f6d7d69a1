"""The page of second derivatives in a convention: each printed formula, evaluated in its arrays."""

import re
from functools import cache

import numpy as np
import pytest
from network_cases import data, refusal
from printed_lines import SLOPES, by_indices
from second_cases import close

from jacobian_bp import Convention, JacobianError, Network
from jacobian_bp.cli import main
from jacobian_bp.ops import Tanh
from jacobian_bp.reference import X, Y, second_seed

SECOND_SLOPES = {
    "tanh''": lambda z: -2 * np.tanh(z) * (1 - np.tanh(z) ** 2),
    "σ''": lambda z: SLOPES["σ'"](z) * (1 - 2 / (1 + np.exp(-z))),
}
COLUMNS = Convention(
    "columns",
    "in,out",
    "gradient",
    "first",
    2,
    {"Theta{l-1}": "W", "err{l}": "delta", "images": "x", "g_prime": "slope"},
)
LAST = Convention("rows", "out,in", None, "last", 0, {"S{l}": "z", "W_{l}": "W"}, "numerator")
CASES = [
    (("tanh", "sigmoid"), "squared_error", True, "ng"),
    (("relu", "softmax"), "cross_entropy", True, "cs231n"),
    (("sigmoid", "sigmoid"), "half_squared_error", True, "nielsen"),
    (("tanh", "identity"), "half_squared_error", False, "third_seed"),
    (("sigmoid", "sigmoid"), "squared_error", False, "first_seed"),
    (("relu", "sigmoid"), "squared_error", False, "second_seed"),
    (("tanh", "tanh"), "squared_error", True, COLUMNS),
    (("sigmoid", "tanh"), "squared_error", True, LAST),
    (("tanh", "tanh"), "squared_error", True, "flat_column"),
    (("tanh", "tanh"), "squared_error", True, "gradient"),
]
by_case = pytest.mark.parametrize(("activations", "loss", "batch", "convention"), CASES)


@cache
def both(activations, loss, batch, convention):
    """The run with its arrays as the convention has them, and the page."""
    net = Network.dense([3, 5, 2], activations, loss, seed=1)
    run = net.run(*data(loss, batch, sizes=[3, 5, 2]))
    return run.written_in(convention), run.second_derivation(convention)


SLOPE_OF = {"tanh": "tanh'", "sigmoid": "σ'", "relu": "relu'"}


def arrays_of(run, page, activations):
    """Whatever a formula of the page names, under the names of the convention."""
    found = {name: run[name] for name in run}
    known = [SLOPE_OF[name] for name in activations if name in SLOPE_OF]
    functions = SLOPES | SECOND_SLOPES
    for name in run:
        for slope, function in functions.items():
            if slope.rstrip("'") + "'" not in known:
                continue
            found[f"{slope}({name})"] = function(run[name])
    for sign, called in page.symbols:
        slope = run.vjp(page.cost, called.rpartition("∂")[2], 1.0)
        found[called] = slope
        each = page.mean is not None and sign != called
        found[sign] = slope * page.mean.count if each else slope
    softmax = np.exp(run["z2"]) / np.exp(run["z2"]).sum(-1, keepdims=True)
    found |= {"softmax(z2)": softmax, "(1−softmax(z2))": 1 - softmax}
    for name in ("x", "a1"):
        ones = np.ones((7, 1))
        if run[name].shape[0] == 7:
            found[f"[{name} 1]"] = np.concatenate([run[name], ones], axis=1)
        elif run[name].ndim == 2:
            found[f"[1; {name}]"] = np.concatenate([ones.T, run[name]])
    for p in ("z1", "z2"):
        for q in ("z1", "z2"):
            found[f"H{p[1]}{q[1]}"] = run.hessian(p, q).materialise()
    return {page.spelled(name): array for name, array in found.items()}


def evaluated(text, axes, sizes, arrays, page):
    """A printed formula over the axes."""
    if page.mean is not None:
        text = text.replace("1/m ", f"1/{page.mean.count} ")
    text = re.sub(r"\(1−δ\[(.*?)\]\)", r"(1−δ)[\1]", text)
    arrays = arrays | {"(1−δ)": 1 - np.eye(2)}
    sizes = sizes | {"j": 6, "j'": 6, "j''": 6}
    for one, other in set(re.findall(r"δ\[(j'*),(\w'*)\+1\]", text)):
        text = text.replace(f"δ[{one},{other}+1]", f"shift{sizes[other]}[{one},{other}]")
        arrays[f"shift{sizes[other]}"] = np.eye(sizes[other] + 1, sizes[other], -1)
    for one, other in set(re.findall(r"δ\[(j'*),([ik]'*)\]", text)):
        text = text.replace(f"δ[{one},{other}]", f"stay{sizes[other]}[{one},{other}]")
        arrays[f"stay{sizes[other]}"] = np.eye(sizes[other] + 1, sizes[other])
    return by_indices(text, axes, arrays, sizes)


@pytest.mark.one_in(2)
@by_case
def test_each_block_is_its_formula_in_the_convention(activations, loss, batch, convention):
    run, page = both(activations, loss, batch, convention)
    arrays, text, layout = arrays_of(run, page, activations), page.text(width=500), page.layout
    assert page.check.ok
    assert len(page.blocks) >= 3
    rest, slips = (arrays, page), 0
    for line in page.blocks:
        p, q = re.fullmatch(r"∂²\w+/∂(\w+?)(?:²|∂(\w+))", line.name).groups()
        block = run.hessian(p, q or p)
        formula = page.spelled(line.formula)
        sizes = {axis.name: axis.size for axis in block.axes}
        names = [axis.name for axis in block.axes]
        found = evaluated(formula, names, sizes, arrays, page)
        close(found, block.materialise(), 1e-13)
        assert f" {formula}" in text
        assert page.spelled(line.name) in text
        assert line.shape == block.shape_in(layout)
        slip = formula.rpartition(" + ")[0]
        if slip and np.any(evaluated(formula.removeprefix(slip + " + "), names, sizes, *rest)):
            assert not np.allclose(evaluated(slip, names, sizes, *rest), found)
            slips += 1
    assert slips


@by_case
def test_each_row_with_what_comes_back_is_its_formula_in_the_convention(
    activations, loss, batch, convention
):
    run, page = both(activations, loss, batch, convention)
    arrays, text = arrays_of(run, page, activations), page.text(width=500)
    for row in page.rows:
        u, v = row.inputs
        only = run.hessian(u, v).row(row.key)
        bent = next(bend.bent for bend in only.bends if bend.bent.inputs == (u, v))
        axes = [axis.name for axis in (*bent.first, *bent.second)]
        returned = page.spelled(row.returned)
        found = evaluated(returned, axes, dict(zip(axes, only.shape, strict=True)), arrays, page)
        np.testing.assert_allclose(found, only.materialise(), rtol=1e-13, atol=1e-16)
        assert (returned in text) or row.symbol == ""
        assert page.spelled(row.reason) in text
        assert (row.symbol[:4] == "1/m ") == (page.mean is not None and row.step == "z2")


@by_case
def test_each_matrix_between_layers_is_the_product_that_its_line_says(
    activations, loss, batch, convention
):
    run, page = both(activations, loss, batch, convention)
    is_turned, rows = page.layout == "gradient", {row.number: row for row in page.rows}
    matrix = "flat_column" if page.layout == "flat_column" else "flat"
    known = {item.statement.partition(" = ")[0]: item.value for item in page.between}

    def laid(jacobian):
        found = jacobian.materialise(matrix)
        return found.T if is_turned else found

    def factor(word):
        turned, word = word.endswith("ᵀ"), word.removesuffix("ᵀ")
        if word in known:
            found = known[word]
        elif word.startswith("["):
            row = rows[int(word[1:-1])]
            found = laid(run.hessian(*row.inputs).row(row.key))
        else:
            found = laid(run.jacobian(*re.fullmatch(r"\(?∂(\w+)/∂(\w+)\)?", word).groups()))
        return found.T if turned else found

    for item in page.between:
        name, _, right = item.statement.partition(" = ")
        close(item.value, laid(run.hessian(*(f"z{n}" for n in name[1:]))), 1e-15)
        terms = []
        for term in right.split(" + "):
            words = re.sub(r"(?:1/m )?(?:δ\d|\(∂\w+/∂\w+\)) (?=\[)", "", term).split(" ")
            product = factor(words[0])
            for word in words[1:]:
                product = product @ factor(word)
            terms.append(product)
        close(sum(terms), item.value, 1e-13)
        assert page.spelled(item.statement) in page.text(width=500)
    assert known["H21"].shape == tuple(
        run[z].size for z in (("z1", "z2") if is_turned else ("z2", "z1"))
    )


@by_case
def test_what_the_signs_mean_is_said_in_the_convention(activations, loss, batch, convention):
    run, page = both(activations, loss, batch, convention)
    text, ready = " ".join(page.text(width=500).split()), run.convention()
    name = page.spelled
    delta = f"{name('δ2')} = ∂{name('J')}/∂{name('z2')}, and so on"
    if page.mean is not None:
        delta = (
            f"{name('δ2')} = ∂{name('L')}/∂{name('z2')} of each example, 7 "
            f"∂{name('J')}/∂{name('z2')}, and so on; m = 7, the examples"
        )
    assert delta in text
    shift = ready.convention.first - 1
    assert f"H{2 + shift}{2 + shift} = {name('∂²J/∂z2²')}" in text
    if name("z2") == "scores":
        assert "H22 = ∂²J/∂scores², H11 = ∂²J/∂z1², and so on" in text
    assert ("its second value in the rows" in text) == (page.layout == "gradient")
    assert re.search(rf"block (formula )?rows {page.layout} ≠ 0", text)
    before = len(run.derivation().backward) - sum(
        type(step).__name__ == "DeltaStep" for step in run.derivation().backward
    )
    assert f"[1] to [{before}]: the derivation of the gradient" in text


def test_the_eigenvalues_are_those_of_the_run_whatever_the_convention():
    run = second_seed().run([X, [0.5, 1.0, -2.0]], [Y, [0.0]])
    own = run.second_derivation().verdict
    for convention in ("ng", "third_seed", COLUMNS):
        page = run.second_derivation(convention)
        assert page.check.ok, convention
        np.testing.assert_allclose(page.verdict.whole.values, own.whole.values, rtol=1e-9)


def test_slopes_that_somebody_names_are_told_by_that_name():
    _, page = both(("tanh", "tanh"), "squared_error", True, COLUMNS)
    text = page.text(width=500)
    assert "g_prime': the slope of g_prime; g_prime: the slope of tanh" in text
    assert "tanh'" not in text


def test_a_power_of_a_name_that_ends_in_one_is_bracketed():
    _, page = both(("sigmoid", "sigmoid"), "squared_error", False, "first_seed")
    assert page.spelled("∂²J/∂z2²") == "∂²C/∂(z^3)²"
    assert page.spelled("∂²J/∂W2∂W1") == "∂²C/∂W^3∂W^2"
    assert r"\frac{\partial^{2} C}{\partial (a^{3}){}^{2}}" in page.latex()
    _, page = both(("tanh", "identity"), "half_squared_error", False, "third_seed")
    assert page.spelled("∂²J/∂W2²") == "∂²J/∂(Θ^(2))²"


def test_the_command_writes_the_page_in_a_convention_in_every_form(tmp_path, capsys):
    page = ["derive", "--second", "--convention", "third_seed"]
    assert main(page) == 0
    out = capsys.readouterr().out
    assert "notation of the third seed" in out
    for word in ("∂z^(3)/∂Θ^(2) moves with a^(2)", "δ^(3) = ∂J/∂z^(3)", "all agree"):
        assert word in " ".join(out.split())
    assert not re.search(r"\bz[123]\b|\bW[123]\b", out)
    for ending in ("html", "tex", "md", "txt"):
        place = tmp_path / f"page.{ending}"
        assert main([*page, "--out", str(place)]) == 0
        text = place.read_text("utf-8")
        assert "third seed" in text
        assert not re.search(r"\bz[123]\b|z_\{?[123]|<mi>z</mi><mn>", text)


RNG = np.random.default_rng(37)


def test_a_hessian_of_examples_in_columns_has_the_axes_of_its_arrays_tokens_in_front():
    params = {"W": RNG.standard_normal((5, 3)), "g": RNG.standard_normal(5), "c": np.ones(5)}
    net = Network.program(
        "z = Linear(x, W)",
        "a = Tanh(z)",
        "u = LayerNorm(a, g, c)",
        "L = SquaredError(u, y)",
        "q = Einsum(L, 't->')",
        "J = Mean(q)",
        params=params,
    )
    x, y = RNG.standard_normal((7, 2, 3)), RNG.standard_normal((7, 2, 5))
    run = net.run(x=x, y=y, axes={"x": "n,t"})
    own = run.written_in(Convention("columns", "in,out"))
    assert own["x"].shape == (2, 3, 7)
    plain, found = run.hessian("W", "x").materialise(), own.hessian("W", "x").materialise()
    assert (plain.shape, found.shape) == ((5, 3, 7, 2, 3), (3, 5, 2, 3, 7))
    np.testing.assert_allclose(found, np.einsum("kinte->ikten", plain), rtol=1e-12, atol=1e-14)
    assert run.second_derivation(Convention("columns", "in,out")).check.ok


class Silent(Tanh):
    """Says no second derivative."""

    def forward(self, z):
        return super().forward(z)


def test_an_op_that_does_not_say_how_it_bends_is_refused_in_columns_too():
    steps = "z = Linear(x, W)", "a = Silent(z)", "L = SquaredError(a, y)", "J = Mean(L)"
    ops, params = {"Silent": Silent}, {"W": RNG.standard_normal((2, 3))}
    run = Network.program(*steps, params=params, ops=ops).run(
        RNG.standard_normal((5, 3)), RNG.standard_normal((5, 2))
    )
    for one in (run, run.written_in("ng")):
        message = refusal(JacobianError, one.hessian, "W")
        assert message == (
            "Silent 'a' has no second.\n"
            "  Write def second(self, z), which returns {} where every second derivative is 0, "
            'else an expression for each pair that bends, such as {("z", "z"): …} over the axes '
            "k, k', k''."
        )
