"""Each exercise by itself: statement, sheet, hints, solution, mistakes, right forms."""

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from project import DOCS

from jacobian_bp import DomainError, SpecError, check_op
from jacobian_bp.coursework.diagnosis.label_sentences import LABELS
from jacobian_bp.coursework.exercises.built_in import e05_planted_bug, e07_einsum_strings
from jacobian_bp.coursework.exercises.built_in.e08_layer_norm import LayerNorm
from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.generator import draw
from jacobian_bp.coursework.exercises.questions import ArrayQuestion
from jacobian_bp.coursework.exercises.sheet import (
    BEGIN,
    END,
    header,
    notebook,
    script,
    sheet_text,
    with_numbers_of,
    write_sheet,
)
from jacobian_bp.coursework.exercises.task import differ
from jacobian_bp.writing.signs import to_ascii

by_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: f"exercise {e.number}")


def run_text(text):
    """What a sheet gives when it is run as it stands."""
    names = {}
    with np.errstate(all="ignore"):
        exec(compile(text, "sheet", "exec"), names)
    return names


def cells_of(text):
    return "\n".join(
        "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"
    )


# ---------------------------------------------------------------- one source


def test_the_exercises_are_numbered_from_one():
    assert [exercise.number for exercise in EXERCISES] == list(range(1, len(EXERCISES) + 1))
    assert len(EXERCISES) >= 10
    with pytest.raises(SpecError) as caught:
        find_exercise(99)
    assert str(caught.value) == (
        "there is no exercise 99.\n"
        f"  Write a number from 1 to {len(EXERCISES)}; jacobian-bp exercise list shows them.\n"
        "  One of an instructor's own needs its file: --exercise my_exercise.py."
    )
    with pytest.raises(SpecError, match=r"^there is no exercise '2'\.\n"):
        find_exercise("2")


@pytest.mark.one_in(4)
@by_exercise
def test_the_same_seed_gives_the_same_sheet_and_another_seed_another_one(exercise):
    first, again, other = exercise.make(7), exercise.make(7), exercise.make(8)
    for form in (script, notebook):
        assert form(first) == form(again)
        assert form(first) != form(other)
    assert first.fingerprint == again.fingerprint != other.fingerprint


@pytest.mark.one_in(4)
@by_exercise
def test_there_are_graded_hints_mistakes_and_right_forms(exercise):
    task = exercise.make(3)
    assert len(task.hints) >= 3
    assert len(task.mistakes) >= 5
    assert len(task.right_forms) >= 3
    assert all(planted.says for planted in task.mistakes)
    names = [planted.name for planted in task.mistakes]
    assert len(set(names)) == len(names)


@pytest.mark.one_in(10)
@by_exercise
@pytest.mark.parametrize("seed", range(5))
def test_the_solution_and_the_package_agree(exercise, seed):
    """Two routes: the solution's numpy lines, and what the package computes."""
    task = exercise.make(seed)
    verdicts = check_answers(task, task.answers())
    assert [v.name for v in verdicts if not v.ok] == []


@pytest.mark.one_in(4)
@by_exercise
def test_a_solution_that_is_wrong_on_purpose_does_not_agree(exercise):
    task = exercise.make(2)
    for planted in task.mistakes:
        verdicts = {v.name: v for v in check_answers(task, task.answers(planted))}
        assert {n for n, v in verdicts.items() if not v.credited} == set(planted.answers)


@pytest.mark.one_in(5)
@by_exercise
@pytest.mark.parametrize("seed", [0, 11])
def test_planted_mistakes_give_pairwise_different_answers(exercise, seed):
    task = exercise.make(seed)
    told = [task.answers(), *(task.answers(planted) for planted in task.mistakes)]
    for position, one in enumerate(told):
        for other in told[:position]:
            assert any(
                differ(q.outcome(one[q.name]), q.outcome(other[q.name])) for q in task.questions
            )


@pytest.mark.one_in(10)
@by_exercise
@pytest.mark.parametrize("seed", range(3))
def test_every_planted_mistake_is_called_by_its_own_name(exercise, seed):
    task = exercise.make(seed)
    for planted in task.mistakes:
        verdicts = {v.name: v for v in check_answers(task, task.answers(planted))}
        for name in planted.answers:
            like = {p.tag for p in task.mistakes if name in p.answers and p.says == planted.says}
            assert (verdicts[name].cause, verdicts[name].tag in like) == (planted.says, True)


@pytest.mark.one_in(4)
@by_exercise
def test_numbers_that_no_mistake_gives_have_no_cause(exercise):
    task, generator = exercise.make(3), np.random.default_rng(8)
    for question in task.questions:
        if isinstance(question, ArrayQuestion):
            wrong = generator.normal(1, 1, question.right.shape)
            verdicts = check_answers(task, {**task.answers(), question.name: wrong})
            found = next(verdict for verdict in verdicts if verdict.name == question.name)
            assert (found.status, found.cause, found.tag) == ("wrong", "", "wrong")


@pytest.mark.one_in(4)
@by_exercise
def test_every_layout_that_is_not_asked_for_has_a_name(exercise):
    task = exercise.make(3)
    arrays = [q for q in task.questions if isinstance(q, ArrayQuestion)]
    assert all(layout for question in arrays for layout in question.others or {})


# ---------------------------------------------------------------- the sheet


@pytest.mark.one_in(5)
@by_exercise
@pytest.mark.parametrize("form", [script, notebook], ids=["script", "notebook"])
def test_a_sheet_is_narrow_ascii_and_runs(exercise, form):
    task = exercise.make(5)
    text = form(task)
    assert text.isascii()
    assert text.endswith("\n")
    code = text if form is script else cells_of(text)
    assert max(map(len, code.splitlines())) <= 99
    assert code.startswith(header(task))
    names = run_text(code)
    assert all(names[question.name] is None for question in task.questions)
    for name, value in task.given.items():
        assert np.array_equal(names[name], value)


@pytest.mark.one_in(4)
@by_exercise
def test_in_a_notebook_each_hint_is_folded_up(exercise):
    task = exercise.make(5)
    cells = json.loads(notebook(task))["cells"]
    shown = "".join(cells[1]["source"])
    assert cells[1]["cell_type"] == "markdown"
    assert "\n\n" not in shown  # or what follows would be read as Markdown
    folded = re.findall(r"<details><summary>hint (\d)</summary>\n(.*?)\n</details>", shown, re.S)
    assert [int(place) for place, _ in folded] == list(range(1, len(task.hints) + 1))
    texts = [unescape(" ".join(text.split())) for _, text in folded]
    assert texts == [to_ascii(hint) for hint in task.hints]
    assert not re.search(r"<(?!/?details>|/?summary>)", shown)


@pytest.mark.one_in(5)
@by_exercise
@pytest.mark.parametrize("form", [script, notebook], ids=["script", "notebook"])
def test_a_sheet_holds_no_answers_and_no_reference_code(exercise, form):
    task = exercise.make(5)
    text = form(task)
    assert "jacobian_bp" not in text
    code = text if form is script else cells_of(text)
    tail = code[code.index(END) :]
    assert set(re.findall(r"^\w+ = (.*)$", tail, re.M)) == {"None"}
    assert not any(hint in code for hint in task.hints)
    long = [q.solution for q in task.questions if len(q.solution) > 12]
    if exercise.number != e05_planted_bug.EXERCISE.number:  # there the lines are the exercise
        assert [line for line in long if line in code] == []


@pytest.mark.one_in(5)
@by_exercise
@pytest.mark.parametrize("form", [script, notebook], ids=["script", "notebook"])
def test_a_solved_sheet_is_the_sheet_with_the_solution_put_in(exercise, form):
    task = exercise.make(5)
    solved = form(task, solution=True)
    names = run_text(solved if form is script else cells_of(solved))
    assert all(verdict.ok for verdict in check_answers(task, names))


@pytest.mark.one_in(4)
@by_exercise
def test_a_notebook_has_what_nbformat_asks_for(exercise):
    document = json.loads(notebook(exercise.make(5)))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in document["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in document["cells"]:
        assert cell["cell_type"] in ("code", "markdown")
        code = cell["cell_type"] == "code"
        assert {"execution_count", "outputs"} <= set(cell) if code else True
        assert all(line.endswith("\n") for line in cell["source"][:-1])


@pytest.mark.one_in(4)
@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.fresh], ids=lambda e: e.title)
def test_formulas_are_right_on_fresh_numbers(exercise):
    task, fresh = exercise.make(5), exercise.make(6)
    names = run_text(with_numbers_of(script(task, solution=True), fresh))
    assert all(verdict.ok for verdict in check_answers(fresh, names))
    assert with_numbers_of(script(task), fresh).startswith(header(fresh))


def test_numbers_typed_in_are_wrong_on_fresh_numbers():
    exercise = find_exercise(2)
    task, fresh = exercise.make(5), exercise.make(6)
    typed = script(task).replace("S3 = None", f"S3 = {task.right['S3'].tolist()}")
    names = run_text(with_numbers_of(typed, fresh))
    assert not check_answers(fresh, names)[0].ok


def test_without_the_marks_no_fresh_numbers_are_put_in():
    task = find_exercise(2).make(5)
    with pytest.raises(SpecError) as caught:
        with_numbers_of(script(task).replace(END, ""), task)
    assert str(caught.value) == (
        "the marks around what is given are not there, or not once each.\n"
        f"  Leave the lines {BEGIN!r} and {END!r} in place."
    )


def test_a_sheet_never_overwrites_a_file(tmp_path):
    task, file = find_exercise(3).make(1), tmp_path / "ex3.py"
    write_sheet(task, file)
    file.write_text("mine")
    with pytest.raises(SpecError) as caught:
        write_sheet(task, file)
    assert str(caught.value) == (
        "ex3.py is there already, and is left as it is.\n  Choose another name."
    )
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "ex3.txt",
            "ex3.txt ends neither in .py nor in .ipynb.\n"
            "  Write a name such as ex3.py or ex3.ipynb.",
        ),
        (
            "no/such/ex3.py",
            "ex3.py cannot be written: No such file or directory.\n"
            "  Choose another folder or name.",
        ),
        (
            "a\0b.py",
            "a\\x00b.py cannot be written: the name is none of a file.\n"
            "  Choose another folder or name.",
        ),
    ],
)
def test_a_sheet_that_cannot_be_written_is_an_error(tmp_path, name, message):
    with pytest.raises(SpecError) as caught:
        write_sheet(find_exercise(3).make(1), f"{tmp_path}/{name}")
    assert str(caught.value) == message


@pytest.mark.parametrize("seed", [-1, 1.5, True, "7", 2**64, None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(DomainError, match=r"Write a whole number from 0 to 2\*\*64 - 1\."):
        find_exercise(1).make(seed)


def test_text_of_a_sheet_by_the_ending_of_its_name():
    task = find_exercise(1).make(0)
    assert sheet_text(task, "A.PY") == script(task, name="A.PY")
    assert sheet_text(task, "folder/a.ipynb") == notebook(task, name="a.ipynb")


@pytest.mark.parametrize(
    ("name", "written"),
    [("my.py", "my.py"), ("a b.py", "'a b.py'"), ("a\nx = 1.py", r"'a\nx = 1.py'")],
)
def test_a_sheet_says_how_it_is_checked_by_its_own_name(name, written):
    text = sheet_text(find_exercise(2).make(5), name)
    assert text.count(f"\n#     jacobian-bp exercise check {written}\n") == 1
    assert "x = 1" not in text.replace(written, "")


@pytest.mark.one_in(4)
@by_exercise
def test_a_sheet_breaks_lines_between_words_only(exercise):
    task = exercise.make(5)
    text = " ".join(line.removeprefix("# ") for line in script(task).splitlines())
    words = {word for word in task.statement.split() if "-" in word and word.isascii()}
    assert [word for word in words if word not in text] == []
    assert f"jacobian-bp exercise check ex{task.number}.py" in text


def test_a_word_with_hyphens_at_the_end_of_a_line_is_kept_whole():
    task = replace(find_exercise(2).make(5), statement=f"{'x' * 80} weight-not-transposed")
    assert "# weight-not-transposed\n" in script(task)


def test_the_words_for_a_bug_are_labels_that_have_a_page():
    pages = {page.stem for page in (DOCS / "mistakes").glob("*.md")}
    assert set(e05_planted_bug.WORDS) <= set(LABELS) & pages


@pytest.mark.one_in(4)
@by_exercise
def test_a_cause_says_what_stands_there(exercise):
    """Not the remedy alone, which reads as if it were the mistake."""
    for planted in exercise.make(3).mistakes:
        assert not re.search(
            r"\bis (multiplied by|read by|that of|to be summed|on where)\b", planted.says
        )


NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven")


@pytest.mark.parametrize(("number", "name"), [(6, "rank"), (8, "rank"), (12, "paths")])
def test_no_cause_tells_a_small_number_in_words(number, name):
    """Nor as one more of something, which is the number asked for."""
    for seed in range(5):
        task = find_exercise(number).make(seed)
        right = task.right[name]
        for planted in task.mistakes:
            if name in planted.answers:
                told = {str(right), NUMBERS[right], "second", "less"}
                assert told.isdisjoint(re.findall(r"\w+", planted.says))


def test_a_cause_names_the_value_that_stands_there():
    says = {planted.name: planted.says for planted in find_exercise(2).make(3).mistakes}
    assert says["preactivation-for-activation"] == "z1 stands for a1"
    assert says["kink-side"] == "z1 < 0 stands for z1 > 0"


# ---------------------------------------------------------------- single exercises


def test_the_layer_norm_op_is_right():
    generator = np.random.default_rng(4)
    assert check_op(LayerNorm, {"x": generator.normal(size=5)}).ok
    assert check_op(LayerNorm, {"x": generator.normal(size=(3, 7))}).ok


def test_the_einsum_strings_are_those_of_a_real_backward_pass():
    drawn = draw_until(lambda rng: draw(rng, ["relu", "tanh", "sigmoid"], "half_squared_error"))
    run, m = drawn.run, len(drawn.x)
    one = drawn.net.run(drawn.x[0], drawn.y[0])
    string = {name: text for name, _, _, text in e07_einsum_strings.STEPS}
    d3, d2 = (one.jacobian(one.cost, name).materialise() for name in ("z3", "z2"))
    da2 = np.einsum(string["da2"], d3, one["W3"])
    assert np.allclose(da2, one.jacobian(one.cost, "a2").materialise())
    assert np.allclose(np.einsum(string["dz2"], da2, 1 - one["a2"] ** 2), d2)
    whole = np.einsum(string["dW2_whole"], d2, one.jacobian("z2", "W2").materialise())
    assert np.allclose(whole, one.gradients()["W2"])
    assert np.allclose(np.einsum(string["dW2"], d2, one["a1"]), one.gradients()["W2"])
    chain = np.einsum(string["chain"], one["W3"], 1 - one["a2"] ** 2, one["W2"])
    assert np.allclose(chain, one.jacobian("z3", "a1").materialise())
    batch = run.jacobian("J", "z2").materialise()
    assert batch.shape[0] == m
    dW2 = np.einsum(string["dW2_batch"], batch, run["a1"])
    assert np.allclose(dW2, run.gradients()["W2"])
    assert np.allclose(np.einsum(string["db2_batch"], batch), run.gradients()["b2"])


def test_every_bug_is_planted_by_some_seed_and_only_one_line_is_wrong():
    found = set()
    for seed in range(60):
        task = find_exercise(5).make(seed)
        shown = dict(re.findall(r"^    \d  (\w+) = (.*)$", task.statement, re.M))
        wrong = [n for n, line in e05_planted_bug.LINES.items() if shown[n] != line]
        assert len(wrong) == 1
        assert list(shown).index(wrong[0]) + 1 == task.right["line"]
        found.add(task.right["word"])
    assert len(found) >= len(e05_planted_bug.WORDS) - 1


def test_the_square_and_the_saturated_case_are_there():
    square, saturated = find_exercise(5).make(1), find_exercise(11).make(1)
    sizes = {array.shape for name, array in square.given.items() if name.startswith("W")}
    assert len(sizes) == 1
    assert len(set(sizes.pop())) == 1
    assert saturated.run["a2"][0, 0] == 1
    assert np.isfinite(saturated.right["delta2"]).all()


def draw_until(attempt, tries=100):
    generator = np.random.default_rng(0)
    for _ in range(tries):
        try:
            return attempt(generator)
        except Exception as reason:
            if type(reason).__name__ != "Redraw":
                raise
    raise AssertionError("no draw")


def test_the_page_has_a_row_for_each_exercise_under_its_title():
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", (DOCS / "exercises.md").read_text("utf-8"), re.M)
    assert rows == [(str(exercise.number), exercise.title) for exercise in EXERCISES]
