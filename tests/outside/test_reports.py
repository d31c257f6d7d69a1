"""Reports in files: every command that finds something writes it in each form, once said."""

import dataclasses
import re
import shutil
import subprocess

import numpy as np
import pytest

from jacobian_bp import diagnose, diagnose_code, diagnose_line
from jacobian_bp.cli import main
from jacobian_bp.coursework.grading.formats import FORMATS
from jacobian_bp.coursework.grading.grade_report import GradeReport, Mark
from jacobian_bp.derivation.one_jacobian import document_of_jacobian
from jacobian_bp.document.as_latex import article
from jacobian_bp.document.blocks import Table
from jacobian_bp.reference import X, Y, second_seed

RUN = second_seed().run(X, Y)
D2 = RUN.vjp("J", "z2", 1.0)
CODE = """def backward(W2, a1, z1, d2):
    dW2 = np.outer(d2, z1)
    db2 = d2
    return dW2, db2
"""
REPORTS = {
    "check": RUN.check(),
    "arrays": diagnose(RUN, {"z2": D2, "W2": np.outer(D2, RUN["z1"])}),
    "line": diagnose_line("dW2 = a1 * d2", RUN),
    "code": diagnose_code(CODE, RUN),
}
BEGINS = {".html": "<!doctype html>", ".tex": r"\documentclass", ".md": "# ", ".txt": ""}
every_report = pytest.mark.parametrize("report", REPORTS.values(), ids=list(REPORTS))


def words(text):
    """The plain words of a text in any form."""
    return re.findall(r"[a-z]{4,}", re.sub(r"<[^>]*>", " ", text))


@every_report
def test_each_form_has_every_word_of_the_printed_text(report):
    printed = set(words(str(report)))
    assert len(printed) > 3
    for text in (report.html(RUN).partition("</style>")[2], report.tex(RUN), report.markdown(RUN)):
        assert printed - set(words(text)) == set()
    longest = max(printed, key=len)  # its loss is seen
    assert printed - set(words(report.markdown(RUN).replace(longest, ""))) == {longest}


@every_report
def test_a_report_is_saved_as_its_ending_says(report, tmp_path):
    for ending, begin in BEGINS.items():
        report.save(tmp_path / f"r{ending}", RUN)
        assert (tmp_path / f"r{ending}").read_text("utf-8").startswith(begin)
    assert (tmp_path / "r.txt").read_text("utf-8") == f"{report.printed()}\n"


@every_report
def test_a_name_of_a_value_is_a_formula_in_a_report(report):
    assert "<msub><mi>z</mi><mn>2</mn></msub>" in REPORTS["arrays"].html(RUN)
    assert report.markdown(RUN).count("$`") >= report.markdown().count("$`")


def test_a_comparison_that_disagrees_names_the_entry_in_every_form():
    agreement = RUN.check()
    row = dataclasses.replace(agreement.rows[0], worst=7.0, place="∂J/∂W1[0,0]", values=(1.5, 2.5))
    wrong = dataclasses.replace(agreement, rows=(row, *agreement.rows[1:]))
    table = next(b for b in wrong.blocks() if isinstance(b, Table))
    assert table.rows[0].cells[-1].text == (
        "7 times 16·u·Σ|terms|   DISAGREES; ∂J/∂W1[0,0]: full 1.5, vjp 2.5"
    )
    assert "DISAGREE" in wrong.html()
    assert "DISAGREE" not in agreement.html()


@pytest.mark.parametrize("ending", BEGINS)
def test_check_writes_a_report_and_prints_where(ending, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["check", "3-5-2", "--convention", "ng"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert main(["check", "3-5-2", "--convention", "ng", "--out", f"r{ending}"]) == 0
    assert capsys.readouterr().out.splitlines() == [*printed[:2], f"written: r{ending}"]
    text = (tmp_path / f"r{ending}").read_text("utf-8")
    assert text.startswith(BEGINS[ending])
    if ending == ".txt":
        assert text.splitlines() == printed[2:]
    assert main(["check", "3-5-2", "--out", f"r{ending}"]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.one_in(2)
@pytest.mark.parametrize("ending", BEGINS)
def test_a_line_is_diagnosed_into_a_file(ending, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "net.toml"]) == 0
    capsys.readouterr()
    line = ["diagnose", "net.toml", "--line", "dW2 = a1 * d2"]
    assert main(line) == 1
    printed = capsys.readouterr().out
    assert main([*line, "--out", f"r{ending}"]) == 1
    assert capsys.readouterr().out.endswith(f"written: r{ending}\n")
    text = (tmp_path / f"r{ending}").read_text("utf-8")
    assert set(words(printed)) - set(words(text)) == set()
    assert main([*line, "--out", "none/r.md"]) == 2
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: r.md cannot be written: none is no folder.\n  Make it first.\n"
    )


def test_a_sheet_is_checked_and_graded_into_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["exercise", "new", "2", "--seed", "7", "--out", "ex2.py"]) == 0
    capsys.readouterr()
    assert main(["exercise", "check", "ex2.py"]) == 1
    printed = capsys.readouterr().out
    assert main(["exercise", "check", "ex2.py", "--out", "c.txt"]) == 1
    assert (capsys.readouterr().out, (tmp_path / "c.txt").read_text("utf-8")) == (
        "written: c.txt\n",
        printed,
    )
    assert main(["exercise", "check", "ex2.py", "--out", "c.md"]) == 1
    checked = (tmp_path / "c.md").read_text("utf-8")
    assert "| S3 | missing | no answer yet |" in checked
    assert "score: 0 of 7" in checked
    grade = ["grade", "--exercise", "2", "--submission", "ex2.py"]
    assert main([*grade, "--out", "g.html"]) == 1
    graded = (tmp_path / "g.html").read_text("utf-8")
    assert graded.startswith("<!doctype html>")
    assert "graded seed: " in graded
    assert main([*grade, "--out", "g.txt"]) == 1
    assert "graded seed" not in (tmp_path / "g.txt").read_text("utf-8")


def test_a_comparison_writes_what_it_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for ending, begin in BEGINS.items():
        assert main(["compare", "3-5-2", "--repeats", "1", "--out", f"c{ending}"]) == 0
        *printed, written = capsys.readouterr().out.splitlines()
        assert written == f"written   c{ending}"
        text = (tmp_path / f"c{ending}").read_text("utf-8")
        assert text.startswith(begin)
        if ending == ".txt":
            assert text.splitlines() == printed
        plain = text.partition("</style>")[2] or text
        assert set(words("\n".join(printed))) - set(words(plain)) == set()
    assert main(["compare", "3-5-2", "--out", "c.md"]) == 2
    assert "c.md is there already, and is left as it is." in capsys.readouterr().err


HOSTILE = "<script>alert(1)</script> \\input{x} `a` | b"
GRADED = GradeReport(
    7,
    HOSTILE,
    (Mark("1", HOSTILE, "values", 1.0, 2.0, ("wrong",), (HOSTILE,) * 4),),
    notes=(HOSTILE,),
    record={"graded seed": 5, "output": HOSTILE},
)


def test_what_a_student_wrote_is_harmless_in_a_report():
    page, tex, md = (FORMATS[form](GRADED) for form in ("html", "tex", "md"))
    assert "<script" not in page
    assert r"\input" not in tex
    assert r"\textbackslash{}input" in tex
    outside = re.sub(r"(`{3,})text\n.*?\n\1", "", md, flags=re.S)
    assert "<script" not in outside.replace(r"\<", "")
    assert r"\\input" in md


def test_the_report_for_an_instructor_has_causes_record_and_output():
    causes = tuple(f"level {level}" for level in ("zero", "one", "two", "three"))
    mark = Mark("1", "dW2", "values", 1.0, 2.0, ("transposed",), causes)
    report = GradeReport(7, "t", (mark,), record={"graded_seed": 5, "output": "hello\nyou"})
    md = FORMATS["md"](report)
    assert "| 1/2 | dW2: values | partial | level three |" in md
    assert "level two" not in md
    assert "labels: transposed" in md
    assert "graded seed: 5" in md
    assert "```text\nhello\nyou\n```" in md
    assert "level two" in FORMATS["text"](report)


@pytest.mark.full
def test_every_report_compiles_in_its_margins(tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    texts = [report.tex(RUN) for report in REPORTS.values()] + [FORMATS["tex"](GRADED)]
    assert main(["compare", "4-5-3", "--repeats", "1", "--out", str(tmp_path / "c.tex")]) == 0
    texts.append((tmp_path / "c.tex").read_text("utf-8"))
    texts += [article(RUN.second_derivation().document())]
    texts += [
        article(document_of_jacobian(RUN.jacobian(*pair))) for pair in (("z2", "W2"), ("J", "W1"))
    ]
    for text in texts:
        (tmp_path / "a.tex").write_text(text, "utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
        said = done.stdout.decode("utf-8", "replace")
        wide = [float(w) for w in re.findall(r"Overfull \\hbox \(([\d.]+)pt", said)]
        assert (done.returncode, [w for w in wide if w > 3]) == (0, [])
