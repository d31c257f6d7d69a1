"""A printed formula as LaTeX says the same, sign by sign; nothing of a page is left out."""

import importlib.util
import re

import pytest
from project import DOCS

from jacobian_bp import formula
from jacobian_bp.formulas.in_latex import in_latex, line_in_latex
from jacobian_bp.formulas.page import document_of
from jacobian_bp.writing.latex import GREEK

SPEC = importlib.util.spec_from_file_location(
    "build_matrix_calculus", DOCS / "build_matrix_calculus.py"
)
build = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(build)

WRITTEN = {
    "2 (W1 x − y) xᵀ": r"2\,(W_{1}\,x-y)\,x^{\top}",
    "1/2 det(X)^(−0.5) X⁻ᵀ": r"\tfrac{1}{2}\,\det(X)^{-0.5}\,X^{-\top}",
    "X⁻¹ x^∘(1/3) ⊘ y^∘2": r"X^{-1}\,x^{\circ 1/3}\oslash y^{\circ 2}",
    "−λ ‖x − y‖¹² ⊙ 1_k": r"-\lambda \,\lVert x-y\rVert ^{12}\odot \mathbf{1}_{k}",
    "Σ_k,i δ[k,dim(j) i+k'] a1[k]²/x[i']": (
        r"\sum_{k,i}\delta _{k,\dim(j)\,i+k'}\,(a_{1})_{k}^{2}/x_{i'}"
    ),
    "relu'(z) ⊗ σ'(z)": r"\mathrm{relu}'(z)\otimes \sigma '(z)",
    "silu''(x) ⊙ leaky_relu'(y)": r"\mathrm{silu}''(x)\odot \mathrm{leaky\_relu}'(y)",
    "E_1_endᵀ e_max(x)": r"E_{1,\mathrm{end}}^{\top}\,e_{\mathrm{max}}(x)",
}
HEADS = {
    "∂J/∂Σ = −Σ⁻ᵀ Σ_k x[k]    [k',j']": (
        r"\frac{\partial J}{\partial \Sigma } = -\Sigma ^{-\top}\,\sum_{k}x_{k}\quad[k',j']"
    ),
    "∂²J/∂W1∂λ = 0    [k',i',j'']": (
        r"\frac{\partial^{2} J}{\partial W_{1}\,\partial \lambda } = 0\quad[k',i',j'']"
    ),
    "∂²J/∂x²   = I_k": r"\frac{\partial^{2} J}{\partial x{}^{2}} = I_{k}",
}


def test_each_sign_has_its_own():
    assert {text: in_latex(text).replace(r"\allowbreak ", "") for text in WRITTEN} == WRITTEN
    assert {line: line_in_latex(line).replace(r"\allowbreak ", "") for line in HEADS} == HEADS


@pytest.mark.parametrize("text", ["x @ y", "x ? y", "x * y", "‹x"])
def test_what_no_page_prints_is_refused(text):
    with pytest.raises(ValueError, match=r"^. has no sign of LaTeX\.$"):
        in_latex(text)


BACK = {
    r"\allowbreak ": "",
    r"\lVert ": "‖",
    r"\rVert ": "‖",
    r"\odot ": " ⊙ ",
    r"\oslash ": " ⊘ ",
    r"\otimes ": " ⊗ ",
    r"^{-\top}": "⁻ᵀ",
    r"^{\top}": "ᵀ",
    r"^{-1}": "⁻¹",
    r"\mathbf{1}": "1",
    r"\sum": "Σ",
    **{f"\\{word} ": sign for sign, word in GREEK.items()},
    r"\,": " ",
}


def _signs(text):
    """What is left of a formula without what only sets it: its letters, numbers and operations."""
    text = re.sub(r"\\tfrac{(\d+)}{(\d+)}", r"\1/\2", text)
    for latex, sign in BACK.items():
        text = text.replace(latex, sign)
    text = re.sub(r"\\(mathrm|circ)", lambda m: "∘" * (m[1] == "circ"), text).replace("-", "−")
    text = text.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))
    return re.sub(r"[\s\\{}_^,()\[\]]", "", text)


@pytest.mark.parametrize("title", build.EXERCISES)
def test_every_formula_of_the_documentation_is_set_with_all_of_its_signs(title):
    for exercise in build.EXERCISES[title]:
        found = build.found(exercise)
        texts = [*found.derivatives.values(), *found.where.values(), found.in_notation]
        for text in [*texts, *(found.second_derivatives.values() if found.is_scalar else ())]:
            latex = in_latex(text)
            assert _signs(latex) == _signs(text)
            assert latex.count("{") == latex.count("}")


@pytest.mark.parametrize("sign", [r"^{\top}", r"\lVert ", "-", r"^{2}", "W", r"\odot "])
def test_a_sign_that_is_left_out_is_seen(sign):
    text = "−‖W x − y‖² Wᵀ (x ⊙ y)"
    latex = in_latex(text)
    assert sign in latex
    assert _signs(latex) == _signs(text) != _signs(latex.replace(sign, "", 1))


def test_an_article_alone_has_formulas_as_mathematics():
    found = formula("sum((x / A)**2)")
    lines = found.lines()
    article = document_of(found, lines, True)
    assert [bool(block.latex) for block in article.sections[0].blocks] == [True, False]
    assert not any(block.latex for s in document_of(found, lines).sections for block in s.blocks)
