"""Formulas as LaTeX: the right ones, whole; and nothing that a name can break."""

import pickle
import re
import shutil
import subprocess
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobian_bp import Axis, Jacobian, Network, delta, dense, distinct, memory_limit, one
from jacobian_bp.derivation.ledger import Folded
from jacobian_bp.reference import X, Y, second_seed
from jacobian_bp.writing.latex import FUNCTIONS, GREEK, aligned, formula, inline, words
from jacobian_bp.writing.mathml import mathml
from jacobian_bp.writing.notebook import WHOLE_WORDS, Said, page

NAMED = (
    "approx backslash begin cdot displaystyle end frac hat langle ldots left leq mathrm neq odot "
    "otimes partial pm rangle right sim sum text times to top wedge"
)
COMMANDS = {*GREEK.values(), *FUNCTIONS, *NAMED.split(), *"{}_%$#&, \\"}
FOREIGN = [
    r"\input{/etc/passwd}",
    r"\write18{rm -rf x}",
    r"\immediate\openout",
    r"\def\x{}",
    r"^^5cinput",
    "W_out",
    "a^b^c",
    "a'^b'_c_d",
    "50% $ & # ~",
    "}}}}{",
    "{{{{",
    "$x$",
    "\\",
    "\\\\",
    "a\nb\x00\t\x1b[31m",
    "<script>alert(1)</script>",
    "ü中٣ 𝒳ᵀ²'",
    "W[k",
    "∂a/∂b/∂c",
    "Σ_Σ_",
    "(((",
    ")))",
    "x²²'",
    "[[1][k]]",
]


MATH = r"<math>.*?</math>"
SVG = r'<div style="overflow-x: auto"><svg.*?</svg></div>'


def faults(latex):
    """What could keep a formula from compiling, or make it more than a formula."""
    commands = re.findall(r"\\([A-Za-z]+|.|$)", latex, re.DOTALL)
    found = [f"command {c}" for c in commands if c not in COMMANDS]
    bare = re.sub(r"\\([^A-Za-z]|$)", "", latex)
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        if depth < 0:
            break
    found += ["braces"] * (depth != 0)
    found += [f"character {c!r}" for c in bare if not c.isascii() or c in '$%#~"`\n<>']
    found += ["brackets that grow"] * (bare.count(r"\left") != bare.count(r"\right"))
    found += ["two exponents"] * bool(re.search(r"\^\{[^{}]*\}['^]", latex))
    return found


def test_a_fault_is_found():
    assert faults(r"\frac{a}{b}\,\delta_{k,k'}\{") == []
    assert faults(r"\input{x}") == ["command input"]
    assert faults(r"\frac{a}{b") == ["braces"]
    assert faults("a}{b") == ["braces"]
    assert faults("$a%") == ["character '$'", "character '%'"]
    assert faults(r"\left(a") == ["brackets that grow"]
    assert faults("a^{2}^{3}") == ["two exponents"]
    assert faults("ü") == ["character 'ü'"]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("δ[k,k'] x̂[n,k]", r"\delta_{k,k'}\,\hat{x}_{n,k}"),
        ("ẑ2ᵀ mê", r"\hat{z}_{2}^{\top}\ \mathrm{m\hat{e}}"),
        ("∂z2/∂W2", r"\frac{\partial z_{2}}{\partial W_{2}}"),
        ("δ[k,k'] a1[i']", r"\delta_{k,k'}\,(a_{1})_{i'}"),
        ("δ[n,n'] δ[k,k'] σ'(z2)[n,k]", r"\delta_{n,n'}\,\delta_{k,k'}\,\sigma'(z_{2})_{n,k}"),
        ("−(y/a3)[k']", r"-(y/a_{3})_{k'}"),
        (
            "δ[k,k'] p[k] (1−p)[k] − (1−δ[k,k']) p[k] p[k']",
            r"\delta_{k,k'}\,p_{k}\,(1-p)_{k}-(1-\delta_{k,k'})\,p_{k}\,p_{k'}",
        ),
        (
            "1/11 1[n'] (softmax(z3) − y)[n',k']",
            r"\frac{1}{11}\,1_{n'}\,(\mathrm{softmax}(z_{3})-y)_{n',k'}",
        ),
        (
            "Σ_n Σ_k δ1[n,k] δ[k,k'] x[n,i']",
            r"\sum_{n}\sum_{k}(\delta_{1})_{n,k}\,\delta_{k,k'}\,x_{n,i'}",
        ),
        ("δ2 a1ᵀ", r"\delta_{2}\,a_{1}^{\top}"),
        ("Wᵀ[k,i'] b", r"W^{\top}_{k,i'}\,b"),
        ("W2ᵀ[k,i']", r"(W_{2}^{\top})_{k,i'}"),
        ("δ3 [5][6]", r"\delta_{3}\,[5][6]"),
        ("W[2][k,i'] δ[2]", r"W^{[2]}_{k,i'}\,\delta^{[2]}"),
        ("Θ^(1)ᵀ δ^(2)", r"{\Theta^{(1)}}^{\top}\,\delta^{(2)}"),
        ("W^2 z^1", r"W^{2}\,z^{1}"),
        ("Σ (a3 − y)²", r"\sum(a_{3}-y)^{2}"),
        ("log(1 + e^z1)", r"\log(1+e^{z_{1}})"),
        ("2e-05 W_out[k]", r"2\cdot 10^{-5}\,\mathrm{W\_out}_{k}"),
        ("h2''[k2']", r"(h_{2}'')_{k_{2}'}"),
        (
            "(∂J/∂z2 where k = k')",
            r"\left(\frac{\partial J}{\partial z_{2}}\ \mathrm{where}\ k=k'\right)",
        ),
        ("∂a2/∂(W1, b1)", r"\frac{\partial a_{2}}{\partial (W_{1},\,b_{1})}"),
        ("∂J/∂zᵀ x", r"\left(\frac{\partial J}{\partial z}\right)^{\top}\,x"),
        (
            "((∂J/∂z ∂z/∂a) ∂a/∂x)",
            r"\left(\left(\frac{\partial J}{\partial z}\,\frac{\partial z}{\partial a}\right)\,"
            r"\frac{\partial a}{\partial x}\right)",
        ),
        ("tanh'(u) tanh(v)", r"\tanh'(u)\tanh(v)"),
        ("s * x, entry by entry", r"s*x,\ \mathrm{entry}\ \mathrm{by}\ \mathrm{entry}"),
        (r"\input{x} %$&#", r"\backslash\mathrm{input}\{x\}\,\%\$\&\#"),
        ("ü", r"\mathrm{u00fc}"),
        ("", ""),
    ],
)
def test_each_expression_has_its_formula(text, latex):
    assert formula(text) == latex
    assert faults(latex) == []


def test_words_keep_what_a_text_can_carry():
    assert words("flat, shape (2, 8)") == r"\text{flat, shape (2, 8)}"
    assert words(r"\input{a}_$") == r"\text{?input?a???}"
    assert words(str(Folded(3, "z9"))) == (
        r"\text{... 3 more layers like these, the last one with z9 ...}"
    )


@cache
def every_formula():
    """What some networks print, in the names of the package and of the seeds, once each."""
    rng = np.random.default_rng(5)
    three = rng.normal(size=3)
    kinds = ["tanh", "relu", "softmax"]
    batch = Network.dense([3, 5, 7, 2], kinds, "cross_entropy", seed=1)
    smooth = Network.dense([3, 5, 2], ["softplus", "leaky_relu"], "half_squared_error", seed=2)
    skip = Network.program(
        *("z = Linear(x, W_in, b)", "h = Softmax(z)", "s = Add(h, x)", "t = Multiply(s, h)"),
        *("u = LogSoftmax(t)", "L = SquaredError(u, y)", "J = Mean(L)"),
        params={"W_in": rng.normal(size=(3, 3)), "b": three},
    )
    runs = [
        second_seed().run(X, Y),
        batch.run(rng.normal(size=(11, 3)), rng.integers(0, 2, 11)),
        smooth.run(three, [1.0, 2.0]),
        skip.run(rng.normal(size=(5, 3)), rng.normal(size=(5, 3))),
    ]
    found = {}
    for run in runs:
        for convention in ("flat", "first_seed", "second_seed", "third_seed"):
            for said, place, _ in run.derivation(convention)._rows():
                found[words(said) if isinstance(said, Said) else formula(said)] = place
        for name in run.params:
            jacobian = run.jacobian(run.cost, name)
            collapsed = jacobian.collapse()
            shown = [jacobian.latex(), collapsed.latex(), run.chain(name).latex()]
            shown += [formula(str(step).partition("    (")[0]) for step in collapsed.trace]
            found |= dict.fromkeys(shown, "")
    return list(found)


def test_what_networks_print_is_sound():
    found = every_formula()
    assert len(found) > 200
    assert [(latex, faults(latex)) for latex in found if faults(latex)] == []


def parser():
    mathtext = pytest.importorskip("matplotlib.mathtext")
    return mathtext.MathTextParser("path")


def require_parsed(latex):
    """The formula set by a program that knows a part of LaTeX; \\& and \\# it does not."""
    known = latex.replace(r"\&", "+").replace(r"\#", "+").replace(r"\%", "+")
    parser().parse(inline(known).replace(r"\displaystyle ", ""))


def test_what_networks_print_is_set_by_mathtext():
    for latex in every_formula()[::3]:
        require_parsed(latex)
    with pytest.raises(ValueError, match="Expected"):
        require_parsed(r"\frac{a}{b")
    with pytest.raises(ValueError, match="Double superscript"):
        require_parsed("a^{b}^{c}")


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_what_networks_print_is_set_by_pdflatex(tmp_path):
    shown = [inline(latex) for latex in [*every_formula(), *map(formula, FOREIGN)]]
    shown.append(inline(second_seed().run(X, Y).derivation().latex()))
    head = r"\documentclass{article}\usepackage{amsmath}\begin{document}"
    text = "\n\n".join([head, *shown, r"\end{document}"])
    (tmp_path / "all.tex").write_text(text, encoding="ascii")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=300)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_name_is_a_name(name):
    array = np.array([2.0, 3.0])
    out, wrt = (Axis("k", 2),), (Axis("k'", 2),)
    jacobian = Jacobian.local(name, name, out, wrt, delta("k,k'") * dense("w[k]", array))
    plain = formula(name)
    assert faults(plain) == []
    assert faults(jacobian.latex()) == []
    assert faults(words(name)) == []
    if plain:
        require_parsed(plain)
        require_parsed(jacobian.latex())
    html = jacobian._repr_html_()
    for part in re.findall(f"{MATH}|{SVG}", html, re.S):
        ElementTree.fromstring(part)
    html = re.sub(f"{MATH}|{SVG}|<wbr>", "", html, flags=re.S)
    assert re.findall(r"<(?!/?(?:p|pre|table|caption|tr|th|td|code)>)", html) == []
    assert not re.search(r"&(?!amp;|lt;|gt;)", html)
    assert "\x1b" not in html
    assert "\x00" not in html


@pytest.mark.parametrize("label", ["a b", "W_1", r"\input{x}", "}{", "f(z)", "(a − y)"])
def test_a_foreign_label_is_a_label(label):
    expression = delta("k,k'") * dense(f"{label}[k]", np.ones(3)) - 0.5 * distinct("k,k'") * one(
        "k"
    )
    assert faults(expression.latex()) == []
    require_parsed(expression.latex())


SPECIAL = "abWδσΣ∂ᵀ²'^_{}[]()$%&#~\\/ 012,.e−+·\n<>ü"


@given(st.one_of(st.text(max_size=30), st.text(SPECIAL, max_size=30)))
def test_any_text_gives_a_sound_formula(text):
    assert faults(formula(text)) == []


@settings(max_examples=40)
@given(st.text(SPECIAL, min_size=1, max_size=12).filter(str.strip))
def test_any_text_is_set_by_mathtext(text):
    require_parsed(formula(text))


def test_an_expression_shows_itself():
    expression = delta("k,k'") * dense("a1[i']", np.array([2.0, 3.0, 5.0]))
    assert expression._repr_latex_() == r"$\displaystyle \delta_{k,k'}\,(a_{1})_{i'}$"


RUN = second_seed().run(X, Y)


def test_a_jacobian_shows_itself():
    jacobian = RUN.jacobian("a2", "z2")
    assert jacobian.latex() == (
        r"\left(\frac{\partial a_{2}}{\partial z_{2}}\right)_{k,k'}"
        r"=\delta_{k,k'}\,\mathrm{relu}'(z_{2})_{k}"
    )
    assert jacobian._repr_latex_() == inline(jacobian.latex())
    assert jacobian._repr_html_() == (
        f"<p>{mathml(jacobian.statement)}</p>\n"
        f"{WHOLE_WORDS}layout numerator, shape (2, 2): diagonal; 2 of 4 entries can be non-zero; "
        "32 bytes</pre>\n"
        "<table>\n"
        "<caption>layout flat, shape (2, 2); '.' is zero for every input</caption>\n"
        "<tr><th></th><th><code>z2[0]</code></th><th><code>z2[1]</code></th></tr>\n"
        "<tr><th><code>a2[0]</code></th><td>1</td><td>.</td></tr>\n"
        "<tr><th><code>a2[1]</code></th><td>.</td><td>1</td></tr>\n"
        "</table>\n"
        f'<div style="overflow-x: auto">{jacobian.picture().svg.strip()}</div>'
    )


def test_the_two_kinds_of_zero_are_told_apart():
    html = RUN.jacobian("z2", "W2")._repr_html_()
    row = "<tr><th><code>z2[1]</code></th>" + "<td>.</td>" * 4
    assert row + "<td>1.15</td><td>0</td><td>0.95</td><td>0.3</td></tr>" in html
    assert "'.' is zero for every input; '0' is zero at this input" in html


def test_a_composed_jacobian_shows_its_product():
    chain = RUN.jacobian("J", "W3")
    assert chain.latex() == (
        r"\left(\frac{\partial J}{\partial W_{3}}\right)_{k',i'}="
        r"\frac{\partial J}{\partial z_{3}}\cdot\frac{\partial z_{3}}{\partial W_{3}}"
    )
    assert chain.collapse().latex() == (
        r"\left(\frac{\partial J}{\partial W_{3}}\right)_{k',i'}"
        r"=(\sigma(z_{3})-y)_{k'}\,(a_{2})_{i'}"
    )


def test_a_large_jacobian_shows_no_table():
    net = Network.dense([17, 3], loss=None, seed=0)
    run = net.run(np.linspace(-1, 1, 17))
    assert "<table>" not in run.jacobian("a1", "x")._repr_html_()
    assert "<table>" in run.jacobian("a1", "b1")._repr_html_()


def test_a_refused_array_is_no_error():
    jacobian = RUN.jacobian("z2", "W2")
    with memory_limit(64):
        assert "<table>" not in jacobian._repr_html_()
    assert "<table>" in jacobian._repr_html_()


def test_a_chain_shows_its_brackets():
    chain = RUN.chain("W3", "forward")
    assert chain.latex() == (
        r"\frac{\partial J}{\partial W_{3}}=\left(\frac{\partial J}{\partial z_{3}}\,"
        r"\frac{\partial z_{3}}{\partial W_{3}}\right)"
    )
    assert f"{WHOLE_WORDS}einsum   a,abc-&gt;bc\n" in chain._repr_html_()


def test_a_long_chain_is_short():
    net = Network.dense([2] * 101, "tanh", seed=3)
    run = net.run([0.5, -0.25], [0.0, 1.0])
    assert formula("201 whole Jacobians") in run.chain("W1").latex()
    assert len(run.chain("W1")._repr_html_()) < 3000
    assert len(re.sub(SVG, "", run.jacobian("J", "W1")._repr_html_(), flags=re.S)) < 5000
    assert r"\text{... 98 more layers like these" in run.derivation().latex()


def test_a_derivation_shows_every_step():
    derivation = RUN.derivation("second_seed")
    latex = derivation.latex()
    lines = latex.splitlines()
    assert (lines[0], lines[-1]) == (r"\begin{aligned}", r"\end{aligned}")
    steps = (*derivation.forward, *derivation.backward, *derivation.gradients)
    assert len(lines) == len(steps) + 2
    assert lines[1] == r"z^{[1]}&=W^{[1]}\,x+b^{[1]} &&\text{(4,)} \\"
    assert lines[14] == (
        r"\left(\frac{\partial a^{[2]}}{\partial z^{[2]}}\right)_{k,k'}&="
        r"\delta_{k,k'}\,g'(z^{[2]})_{k} &&\text{[6] flat (2, 2)} \\"
    )
    assert lines[-2] == (
        r"\frac{\partial J}{\partial b^{[1]}}&=\sum_{k}\delta^{[1]}_{k}\,\delta_{k,k'}"
        r"=\delta^{[1]}_{k'}=\delta^{[1]} &&\text{flat (1, 4)}"
    )
    html = derivation._repr_html_()
    assert html.count("<tr>") == 2 * len(steps)  # its numbers under each
    assert "<td>unit k reads only row k of W[1]</td>" in html
    assert html.endswith("all routes agree</pre>")


def test_aligned_and_page_put_lines_together():
    assert aligned(["a&=b", "c"]) == "\\begin{aligned}\na&=b \\\\\nc\n\\end{aligned}"
    assert page("", ["a < b"]) == f"{WHOLE_WORDS}a &lt; b</pre>"
    many = page("x", [f"line {n}" for n in range(100)])
    assert "line 20\n… 77 more …\nline 98\nline 99</pre>" in many


def test_a_console_shows_the_printed_text():
    jacobian = RUN.jacobian("a2", "z2")
    assert jacobian._repr_mimebundle_()["text/plain"] == str(jacobian)


def test_showing_changes_nothing():
    jacobian = RUN.jacobian("J", "W1")
    before = pickle.dumps(jacobian)
    jacobian._repr_html_()
    jacobian._repr_latex_()
    assert pickle.dumps(jacobian) == before
