"""jacobian-bp derive with a formula: the page, its options, and what is refused."""

import html
import re
import shutil
import subprocess
import sys

import pytest

from jacobian_bp import cli, formula
from jacobian_bp.formulas.written import Written


@pytest.fixture
def call(capsys, monkeypatch):
    """Run a command; its exit code, what it prints, and what it says to standard error."""
    monkeypatch.setenv("COLUMNS", "99")

    def run(*words):
        code = cli.main(["derive", *words])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


PAGE = """\
formula   J = ‖W x − y‖²
          W[k,i]: a matrix, x[i]: a vector, y[k]: a vector
          checked at k = 3, i = 2, numbers drawn (seed 0)

gradient  ∂J/∂W = 2 (W x − y) xᵀ    [k',i']
          ∂J/∂x = 2 Wᵀ (W x − y)    [i']
          ∂J/∂y = −2 (W x − y)    [k']
signs     ᵀ: transposed
          ‖ ‖: the root of the sum of all squares

checks    full 11 of 11, structured 11 of 11, difference 11 of 11 entries as vjp: all routes agree
          4 lines, read again as they are printed, give the numbers of the ops
"""


def test_a_formula_is_derived_and_the_page_is_that_of_python(call):
    assert call("sum((W @ x - y)**2)") == (0, PAGE, "")
    assert str(formula("sum((W @ x - y)**2)")) + "\n" == PAGE


@pytest.mark.parametrize(
    ("words", "formula_line"),
    [
        (["-x.T @ x"], "J = −‖x‖²"),
        (["--wrt", "x", "-x'@x"], "J = −‖x‖²"),
        (["-sum(h)**2", "--second"], "J = −(1_kᵀ h)²"),
        (["-h * sum(x)", "--scalar", "h"], "J = −h (1_kᵀ x)"),
        (["--sum(exp(x))"], "J = 1_kᵀ exp(x)"),
        (["--", "-x.T@x"], "J = −‖x‖²"),
        (["  x.T @ x"], "J = ‖x‖²"),
    ],
)
def test_a_formula_may_begin_with_a_minus_sign_or_a_blank(call, words, formula_line):
    code, out, err = call(*words)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"formula   {formula_line}"


def test_the_options_reach_the_formula(call):
    code, out, _ = call(
        "x' @ inv(S) @ x + c * (a @ x)",
        "--symmetric",
        "S",
        "--positive",
        "S,x",
        "--scalar",
        "c",
        "--wrt",
        "x,c",
        "--shape",
        "S=4,4",
        "--seed",
        "7",
    )
    assert code == 0
    assert "S[k,j]: a symmetric matrix" in out
    assert "checked at k = 4, numbers drawn (seed 7)" in out
    assert "∂J/∂x = c a + 2 S⁻¹ x" in out
    assert "∂J/∂c = aᵀ x" in out
    assert "∂J/∂a" not in out


def test_second_derivatives_are_a_page_of_their_own(call):
    code, out, _ = call("x' @ A @ x", "--second", "--wrt", "x")
    assert code == 0
    assert "second    ∂²J/∂x² = A + Aᵀ    [k',k'']" in out


def test_no_line_is_wider_than_the_terminal(call, monkeypatch):
    monkeypatch.setattr(cli.terminal, "width", lambda: 60)
    _, out, _ = call("norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2")
    assert max(map(len, out.splitlines())) <= 60


def test_a_line_that_is_not_right_makes_the_exit_code_1(call, monkeypatch):
    texts = {"x": "3 Wᵀ (W x − y)"}
    monkeypatch.setattr(Written, "texts", property(lambda self: texts))
    code, out, _ = call("sum((W @ x - y)**2)", "--wrt", "x")
    assert code == 1
    assert "∂J/∂x: it gives other numbers than the ops" in out
    texts["x"] = "Wᵀ W x ?"
    code, out, _ = call("sum((W @ x - y)**2)", "--wrt", "x")
    assert code == 1
    assert "∂J/∂x: it cannot be read again: ? cannot be read in Wᵀ W x ?." in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-x.T @ "], "SpecError: nothing stands behind @."),
        (["3 + 4"], "SpecError: the formula has no letter, so there is nothing to derive by."),
        ([" "], "SpecError: the formula is empty."),
        (["2x"], "SpecError: nothing stands between 2 and x."),
        (["-sum(x)", "--batch", "3"], "SpecError: --batch does not go with a formula."),
        (["-sum(x)", "--shpe=x=2"], "SpecError: unrecognized arguments: --shpe=x=2."),
        (["4-3", "--data", "-my file.csv"], "SpecError: -my file.csv cannot be found."),
        (["sum(W @ x)", "--batch", "3"], "SpecError: --batch does not go with a formula."),
        (["sum(W @ x)", "--out", "a.html", "--static"], "SpecError: --static does not go with"),
        (["sum(W @ x)", "--out", "a.png"], "SpecError: a.png does not end in one of"),
        (["sum(W @ x)", "--shape", "W"], "SpecError: --shape W is no shape."),
        (["sum(W @ x)", "--seed", "-1"], "SpecError: the seed is -1."),
        (["4-3", "--shape", "W=2"], "SpecError: --shape goes with a formula."),
        (["sum(W @ x", "--wrt", "W"], "SpecError: this ( is never closed."),
        (["log(-exp(x))"], "DomainError: no numbers that were tried are in the domain of"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_printed(call, words, said):
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"jacobian-bp: {said}")


def test_a_terminal_without_the_signs_gets_the_page_in_ascii():
    command = [sys.executable, "-X", "utf8=0", "-m", "jacobian_bp", "derive", "norm(x)**3 * lam"]
    env = {"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin"}
    done = subprocess.run(command, capture_output=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    out = done.stdout.decode("ascii")
    assert "formula   J = ||x||^3 lambda" in out
    assert "\\" not in out


FILED = ["norm(W @ tanh(A @ x) - y)**2 + 3 * x @ inv(S) @ x", "--wrt", "W,x"]


@pytest.mark.parametrize("more", [[], ["--second"]])
def test_a_formula_is_written_to_a_file_as_it_is_printed(call, tmp_path, more):
    asked = [*FILED, *more] if not more else ["sum(a * x**3)", "--second"]
    code, printed, _ = call(*asked)
    assert code == 0
    place = tmp_path / "page.txt"
    assert call(*asked, "--out", str(place)) == (0, f"written: {place}\n", "")
    joined = " ".join(printed.split())
    assert " ".join(place.read_text("utf-8").split()) == joined


def test_the_other_forms_have_each_line_of_the_page(call, tmp_path):
    text = tmp_path / "page.txt"
    call(*FILED, "--out", str(text))
    rows = [line[10:] for line in text.read_text("utf-8").splitlines() if line]
    for ending in ("md", "html", "tex"):
        place = tmp_path / f"page.{ending}"
        assert call(*FILED, "--out", str(place))[0] == 0
        found = place.read_text("utf-8")
        assert not re.search(r"u[0-9a-f]{4}", found), ending  # each sign has its own
        if ending == "tex":
            assert found.count("\n\\formula{") == 5  # J, two derivatives, h and r
            assert (
                r"\formula{\frac{\partial J}{\partial W} = 2\,\allowbreak r\,\allowbreak " in found
            )
            assert len(rows) - 5 <= found.count(r"\mbox{") < len(rows) - 2  # a long one is broken
        else:
            plain = html.unescape(re.sub(r"<[^>]*>", "", found))
            assert all(row in plain for row in rows), ending
    wide = ["logdet(diag(exp(x)) + A.T @ A)", "--second", "--out", str(tmp_path / "wide.tex")]
    assert call(*wide)[0] == 0  # a line of many signs is broken where the paper ends
    set_as_mathematics = re.findall(
        r"\n\\formula\{(.*)\}", (tmp_path / "wide.tex").read_text("utf-8")
    )
    assert len(set_as_mathematics) > 3
    pieces = [p for line in set_as_mathematics for p in re.split(r"\\allowbreak|[-+=]", line)]
    assert max(map(len, pieces)) < 120  # with the marks of LaTeX
    before = place.read_bytes()
    assert call(*FILED, "--out", str(place))[0] != 0  # a file that is there stays
    assert place.read_bytes() == before


@pytest.mark.full
@pytest.mark.parametrize(
    "text",
    [
        "norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2",
        "sum(softmax(Q @ K.T) * G)",
        "norm(C - kron(A, B))**2 + sum((x / A)**2)",
    ],
)
@pytest.mark.parametrize("more", [[], ["--second"]])
def test_an_article_of_a_formula_compiles_in_its_margins(call, tmp_path, text, more):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    assert call(text, *more, "--out", str(tmp_path / "a.tex"))[0] == 0
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    said = done.stdout.decode("utf-8", "replace")
    wide = [float(w) for w in re.findall(r"Overfull \\hbox \(([\d.]+)pt", said)]
    assert (done.returncode, [w for w in wide if w > 3]) == (0, [])
