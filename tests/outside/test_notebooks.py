"""The notebooks in derivations/ run from top to bottom, and show what is committed."""

import copy
import importlib.util
import json
import re
import socket

import pytest
from project import DERIVATIONS, DOCS

from jacobian_bp.coursework.exercises.catalogue import find_exercise

SPEC = importlib.util.spec_from_file_location("notebooks", DOCS / "build_notebooks.py")
build = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(build)

NOTEBOOKS = sorted(DERIVATIONS.glob("*.ipynb"))

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def emptied(notebook):
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    return notebook


def notebook_of(*sources):
    cells = [build._cell(f"c{place}", "code", source) for place, source in enumerate(sources)]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def outputs(notebook, name=""):
    """What cells show, as text: all of them, or the one of this name."""
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code" and name in ("", c["id"])]
    shown = [output for cell in cells for output in cell["outputs"]]
    return "\n".join("".join(o.get("text") or o["data"]["text/plain"]) for o in shown)


def test_both_notebooks_are_found():
    assert [path.stem for path in NOTEBOOKS] == ["exercise_sheet", "tour"]


@every_notebook
def test_runs_and_shows_what_is_committed(path, monkeypatch):
    def refuse(*arguments):
        raise OSError("no network in a notebook")

    monkeypatch.setattr(socket, "socket", refuse)
    fresh = build.executed(emptied(read(path)))
    assert build.written(fresh) == path.read_text(encoding="utf-8")


@every_notebook
def test_is_a_notebook_of_format_4(path):
    notebook = read(path)
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-zA-Z0-9-_]{1,64}", name) for name in names)
    code = {"cell_type", "execution_count", "id", "metadata", "outputs", "source"}
    keys = {"code": code, "markdown": {"cell_type", "id", "metadata", "source"}}
    for cell in notebook["cells"]:
        assert set(cell) == keys[cell["cell_type"]]
        assert cell["source"] == build._lines("".join(cell["source"]))


@every_notebook
def test_keeps_no_trace_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/home/|/root|/tmp|/work|0x[0-9a-f]{6}|Traceback", text)
    assert "\x1b" not in text


def test_a_fault_in_a_cell_is_found():
    with pytest.raises(ZeroDivisionError):
        build.executed(notebook_of("a = 1", "a / 0"))
    with pytest.raises(SyntaxError):
        build.executed(notebook_of("a ="))
    with pytest.raises(NameError):
        build.executed(notebook_of("b"))


def test_a_fault_in_how_an_object_shows_itself_is_found():
    source = "class A:\n    def {}(self):\n        return 1 / 0\nA()"
    for method in ("__repr__", "_repr_html_", "_repr_latex_", "_repr_mimebundle_"):
        with pytest.raises(ZeroDivisionError):
            build.executed(notebook_of(source.format(method)))


def test_another_output_is_found():
    tour = read(NOTEBOOKS[1])
    for cell in tour["cells"]:
        if cell["id"] == "training":
            cell["source"] = [line.replace("0.1 *", "0.2 *") for line in cell["source"]]
    assert outputs(build.executed(tour), "training") != outputs(tour, "training")
    assert outputs(build.executed(tour), "check") == outputs(tour, "check")


def test_what_a_cell_shows():
    made = build.executed(notebook_of("print('a')\nprint('b')\n[1, 2]", "None", "x = 3"))
    first, *others = [cell["outputs"] for cell in made["cells"]]
    assert first == [
        {"name": "stdout", "output_type": "stream", "text": ["a\n", "b\n"]},
        {
            "output_type": "execute_result",
            "data": {"text/plain": ["[1, 2]"]},
            "metadata": {},
            "execution_count": 1,
        },
    ]
    assert others == [[], []]


def test_the_tour_says_why_before_each_step():
    kinds = [cell["cell_type"] for cell in read(NOTEBOOKS[1])["cells"]]
    assert "code, code" not in ", ".join(kinds)
    assert kinds.count("code") > 15


def test_in_the_tour_every_object_shows_itself():
    shown = {}
    for cell in read(NOTEBOOKS[1])["cells"]:
        for output in cell.get("outputs", []):
            shown[cell["id"]] = {k: "".join(v) for k, v in output.get("data", {}).items()}
    for name in ("local", "diagonal", "softmax", "product", "collapse", "einsum", "derivation"):
        assert {"text/plain", "text/html", "text/latex"} == set(shown[name])
    for name in ("network", "stacked"):
        assert {"text/plain", "text/html", "text/latex"} == set(shown[name])
    assert "text/latex" in shown["expression"]
    for name in ("run", "check", "diagnose", "line"):
        assert {"text/plain", "text/html"} == set(shown[name])
    assert "<li>W2: In the gradient of W2 (layer 2) the" in shown["diagnose"]["text/html"]
    assert shown["expression"]["text/latex"] == r"$\displaystyle \delta_{k,k'}\,(a_{1})_{i'}$"
    for words in ("layout flat, shape (2, 8)", "<td>.</td>", "<td>0</td>", "<table>"):
        assert words in shown["local"]["text/html"]


def test_the_tour_finds_what_was_planted():
    tour = read(NOTEBOOKS[1])
    assert "jacobians() is wrong; 3 of 9 entries differ" in outputs(tour, "own")
    assert "the slope relu'(z1) is left out" in outputs(tour, "diagnose")
    assert outputs(tour, "first-wrong") == "W2 preactivation-for-activation\n"
    losses = re.findall(r"J = ([0-9.]+)", outputs(tour, "training"))
    assert sorted(map(float, losses), reverse=True) == list(map(float, losses))


def test_the_sheet_is_the_one_that_the_exercises_make():
    assert emptied(read(NOTEBOOKS[0])) == build.exercise_sheet()


def test_the_sheet_holds_no_answer():
    sheet = read(NOTEBOOKS[0])
    for number, seed in build.EXERCISES.items():
        task = find_exercise(number).make(seed)
        report = outputs(sheet, f"check-{number}")
        assert report.count("no answer yet") == len(task.questions)
        assert f"score     0 of {len(task.questions)}\n" in report
        cells = [c for c in sheet["cells"] if c["id"].startswith(f"exercise-{number}-")]
        last_lines = [cell["source"][-1] for cell in cells[1:]]
        assert last_lines == [f"{question.name} = None" for question in task.questions]


def test_the_exercises_of_the_sheet_share_no_answer():
    tasks = [find_exercise(number).make(seed) for number, seed in build.EXERCISES.items()]
    asked = [question.name for task in tasks for question in task.questions]
    given = {name for task in tasks for name in task.names}
    assert len(set(asked)) == len(asked)
    assert not given & set(asked)


def filled_in(change=None):
    """The sheet with the answers of the solutions, and `change` in the place of some."""
    sheet = build.exercise_sheet()
    for cell in sheet["cells"]:
        if match := re.fullmatch(r"exercise-(\d+)-[1-9]\d*", cell["id"]):
            number = int(match[1])
            name = cell["source"][-1].removesuffix(" = None")
            questions = find_exercise(number).make(build.EXERCISES[number]).questions
            solution = next(q.solution for q in questions if q.name == name)
            cell["source"][-1] = f"{name} = {(change or {}).get(name, solution)}"
    return build.executed(sheet)


def test_the_right_answers_are_right():
    done = filled_in()
    for number in build.EXERCISES:
        assert outputs(done, f"check-{number}").endswith(", all right\n")


def test_a_wrong_answer_is_wrong_and_not_given_away():
    wrong = filled_in({"S2": "np.diag(a2)", "null": "np.zeros(K)"})
    report = outputs(wrong, "check-2")
    assert "  S2      WRONG" in report
    assert "  null  WRONG" in outputs(wrong, "check-6")
    assert outputs(wrong, "check-3").endswith(", all right\n")
    assert not re.search(r"\d\.\d", report)


@every_notebook
@pytest.mark.filterwarnings("ignore")
def test_jupyter_shows_the_same(path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.reads(json.dumps(emptied(read(path))), as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    for cell, committed in zip(notebook["cells"], read(path)["cells"], strict=True):
        for output, expected in zip(
            cell.get("outputs", []), committed.get("outputs", []), strict=True
        ):
            data = {k: "".join(v) for k, v in expected.get("data", {}).items()}
            assert output.get("text", "") == "".join(expected.get("text", []))
            assert dict(output.get("data", {})) == data
