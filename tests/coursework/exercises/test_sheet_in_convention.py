"""Sheets written in a convention: given, names, lines, texts, answers, and their marks."""

import re

import numpy as np
import pytest

from jacobian_bp import Convention, SpecError
from jacobian_bp.cli import main
from jacobian_bp.coursework.exercises.audit import audit
from jacobian_bp.coursework.exercises.catalogue import EXERCISES, find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.line_in_convention import Kept, LineInConvention
from jacobian_bp.coursework.exercises.sheet_in_convention import sheet_in
from jacobian_bp.coursework.exercises.typed_names import typed
from jacobian_bp.coursework.exercises.wording import worded
from jacobian_bp.coursework.grading.grade import Terms, grade_answers, grade_file

ONE_FORM = {4, 6, 7, 8, 9, 10, 14, 15, 18, 20, 21, 24, 25, 26, 27}
MINE = Convention(
    examples="columns",
    weights="in,out",
    mean="gradient",
    bias="first",
    first=0,
    names={"Theta{l}": "W", "err{l}": "delta"},
)
LAST = Convention(bias="last", mean="gradient", first=2)
COURSES = {"ng": "ng", "nielsen": "nielsen", "cs231n": "cs231n", "mine": MINE}
SEEDS = {name: name for name in ("first_seed", "second_seed", "third_seed")}
MADE = {number: find_exercise(number).make(3) for number in (1, 2, 3, 5, 11, 12, 13)}


def statuses(task, answers):
    return {v.name: v.status for v in check_answers(task, answers)}


def lines_of(task):
    return [*task.forward.splitlines(), *(f"{q.name} = {q.solution}" for q in task.questions)]


# ---------------------------------------------------------------- one line

RNG = np.random.default_rng(11)
M, K, I = 7, 3, 5  # noqa: E741 - the letters of the axes
NAMES = {
    "x": RNG.normal(size=(M, I)),
    "a": RNG.normal(size=(M, K)),
    "d": RNG.normal(size=(M, K)),
    "W": RNG.normal(size=(K, I)),
    "b": RNG.normal(size=K),
    "m": M,
}
LINES = {
    "a product": "x @ W.T",
    "a vector beside a matrix": "x @ W.T + b",
    "entry by entry": "np.where(a > 0, np.exp(a), b) * (a - b)",
    "the mean in the middle": "(a - d) / m * a",
    "m times": "m * d.T @ x",
    "a sum of unequal powers": "d + a",
    "a power": "d**2 - a",
    "one axis summed": "d.sum(axis=0)",
    "the other": "np.mean(d, axis=1)",
    "all summed": "np.sum(d * a) / m",
    "a maximum of what is scaled": "d.max(axis=0)",
    "an outer product": "np.outer(b, d.sum(axis=0)) @ W",
    "an einsum": "np.einsum('nk,ni->ki', d, x)",
    "its einsum turned": "np.einsum('nk,ni->ik', d, x)",
    "a length": "len(x) * b",
    "no rule": "np.linalg.norm(d) * d[1:3].reshape(-1)[:2]",
    "a sum that keeps its axis": "d.sum(axis=0, keepdims=True) * a",
    "a comprehension": "np.stack([row * 2 for row in d])",
}


def shown(array, kept):
    turned = np.ndim(array) == 2 and kept.turned
    return (array.T if turned else np.asarray(array)) * float(M) ** kept.power


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("turned", [False, True], ids=["rows", "columns"])
def test_a_line_of_the_student_gives_what_ours_gives(line, turned):
    kept = {name: Kept(name.upper(), turned) for name in ("x", "a")}
    kept |= {"d": Kept("D", turned, 1), "W": Kept("W", not turned), "b": Kept("B[:, 0]")}
    theirs = {each.text: shown(NAMES[name], each) for name, each in kept.items()}
    theirs = theirs | {"m": M, "B": NAMES["b"][:, None]}
    right = eval(line, {"np": np, **NAMES})
    rewritten = LineInConvention(NAMES, kept, "m")
    for want in (Kept(""), Kept("", True), Kept("", True, 1), Kept("", False, 2)):
        found = eval(rewritten.line(line, want), {"np": np, **theirs})
        np.testing.assert_allclose(found, shown(right, want), rtol=1e-12)
    either = np.asarray(eval(rewritten.either(line, Kept("")), {"np": np, **theirs}))
    assert any(
        s.shape == either.shape and np.allclose(s, either) for s in (right, np.transpose(right))
    )


def test_a_sheet_of_ng_reads_as_ng_writes():
    assert lines_of(sheet_in(MADE[11], "ng")) == [
        "m = X.shape[1]",
        "Z1 = W1 @ X + b1[:, None]",
        "A1 = np.maximum(Z1, 0)",
        "Z2 = W2 @ A1 + b2[:, None]",
        "A2 = 1 / (1 + np.exp(-Z2))",
        "flat = int((A2 * (1 - A2) == 0).sum())",
        "cost = np.mean(np.logaddexp(0, Z2) - Y * Z2)",
        "dZ2 = A2 - Y",
        "dW2 = dZ2 @ A1.T / m",
        "db2 = dZ2.sum(axis=1) / m",
        "dZ1 = W2.T @ dZ2 * (Z1 > 0)",
    ]


def test_a_sheet_of_cs231n_reads_as_cs231n_writes():
    assert lines_of(sheet_in(MADE[11], "cs231n"))[-4:] == [
        "dscores = (probs - y) / m",
        "dW2 = a1.T @ dscores",
        "db2 = dscores.sum(axis=0)",
        "dz1 = dscores @ W2.T * (z1 > 0)",
    ]


def test_a_bias_in_the_weights_is_a_line_of_them():
    assert lines_of(sheet_in(MADE[2], MINE))[0] == "z0 = Theta0[1:].T @ x + Theta0[0]"
    given = sheet_in(MADE[2], MINE).given
    assert set(given) == {"x", "y", "Theta0", "Theta1", "Theta2"}
    np.testing.assert_array_equal(given["Theta1"][0], MADE[2].given["b2"])
    np.testing.assert_array_equal(given["Theta1"][1:], MADE[2].given["W2"].T)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("convention", [*COURSES.values(), LAST], ids=[*COURSES, "last"])
def test_what_is_right_is_the_run_as_the_convention_writes_it(convention):
    task = sheet_in(MADE[5], convention)
    written = MADE[5].run.written_in(convention)
    state, gradients = written.forward_pass, written.gradients()
    first = task.written.first - 1
    for layer in (1, 2, 3):
        name = task.written.name(f"z{layer}")
        np.testing.assert_allclose(task.names[name], state.values[f"z{layer}"], rtol=1e-12)
    by_key = {q.key: q for q in task.questions if getattr(q, "key", None)}
    for key in ("W1", "W2", "W3"):
        whole, bias = gradients[key], task.convention.convention.bias
        axis = int(task.written.weights == "out,in")
        at = {"own": [], "first": [0], "last": [whole.shape[axis] - 1]}[bias]
        np.testing.assert_allclose(by_key[key].right, np.delete(whole, at, axis), rtol=1e-12)
    times = len(MADE[5].given["x"]) if task.written.mean == "gradient" else 1
    delta = MADE[5].run.vjp("J", "z2", 1.0) * times
    delta = delta.T if task.written.examples == "columns" else delta
    np.testing.assert_allclose(by_key["z2"].right, delta, rtol=1e-12)
    assert first == {"nielsen": 1}.get(convention, getattr(convention, "first", 1) - 1)


# ---------------------------------------------------------------- right, wrong, and by name


def require_judged(task):
    """Its solution has all points; each planted mistake is wrong, known, and told in its names."""
    assert set(statuses(task, task.answers()).values()) == {"right"}
    changed = {meant for name, meant in task.written.names.items() if meant != name}
    for planted in task.mistakes:
        verdicts = {v.name: v for v in check_answers(task, task.answers(planted))}
        for name in planted.answers:
            verdict = verdicts.pop(name)
            assert (verdict.status, verdict.credited) == ("wrong", False), planted.name
            assert verdict.tag in (planted.tag, "not-finite", "shape", "all-zero"), planted.name
            assert not planted.says or verdict.cause in (planted.says, ""), planted.name
        assert all(v.credited for v in verdicts.values()), planted.name
        words = set(re.findall(r"\w+", planted.says))
        assert not words & (changed - set(task.written.names)), planted.says


@pytest.mark.one_in(4)
@pytest.mark.parametrize("convention", COURSES.values(), ids=COURSES)
@pytest.mark.parametrize("number", [2, 5, 11])
def test_solution_and_planted_mistakes_in_a_convention(number, convention):
    require_judged(sheet_in(MADE[number], convention))


@pytest.mark.full
@pytest.mark.parametrize("convention", [*COURSES.values(), *SEEDS, LAST])
def test_every_exercise_in_every_convention_passes_the_audit(convention):
    assert audit(EXERCISES, (3,), convention=convention).ok


@pytest.mark.parametrize("number", [1, 3, 12, 13])
def test_the_other_exercises_in_the_convention_that_differs_most(number):
    task = sheet_in(MADE[number], MINE)
    assert set(statuses(task, task.answers()).values()) == {"right"}
    wrong = task.mistakes[0]
    assert {v for n, v in statuses(task, task.answers(wrong)).items() if n in wrong.answers} == {
        "wrong"
    }


def test_the_mean_is_missed_where_the_convention_has_it():
    own, ng = (
        {p.name: p.answers for p in t.mistakes} for t in (MADE[11], sheet_in(MADE[11], "ng"))
    )
    assert own["missing-batch-mean"] == {"delta2": "a2 - y"}
    assert "missing-batch-mean" not in ng
    assert ng["missing-batch-mean, dW2"] == {"dW2": "dZ2 @ A1.T"}
    assert ng["batch-mean-twice, delta2"] == {"dZ2": "(A2 - Y) / m"}
    assert set(own).isdisjoint(set(ng) - set(own))


def test_examples_in_rows_are_right_in_another_layout_and_the_mean_is_not():
    task = sheet_in(MADE[11], "ng")
    turned = {**task.answers()} | {n: task.answers()[n].T for n in ("dZ1", "dZ2")}
    found = {v.name: v for v in check_answers(task, turned)}
    assert (found["dZ1"].status, found["dZ1"].layout) == ("right", "examples in rows")
    with_mean = turned | {"dZ2": MADE[11].answers()["delta2"]}
    assert statuses(task, with_mean)["dZ2"] == "wrong"


def test_a_mistake_that_nobody_planted_is_diagnosed_in_the_names_of_the_convention():
    task = sheet_in(MADE[5], "nielsen")
    answers = task.answers()
    answers["nabla_w3"] = answers["delta3"] @ task.names["z2"].T / task.names["m"]
    report = grade_answers(answers, 5, 3, level=3, convention="nielsen")
    said = {mark.messages[3] for mark in report.marks if mark.object == "nabla_w3" and mark.tags}
    assert said == {
        "layer 3: shape right, values wrong: every entry; In the gradient of w3 (layer 3) the "
        "pre-activation is used: z2 stands for the activation."
    }


# ---------------------------------------------------------------- texts


def test_choices_lines_and_names_of_a_text():
    text = "{examples: rows | columns}, {formula: z1 = x @ W1.T + b1}; ∂²J/∂W1², layer 1, W10"
    named = {"W1": "Theta1", "J": "C"}
    code = {"z1 = x @ W1.T + b1": "Z1 = W1.T @ X + b1[:, None]"}.get
    said = worded(text, Convention(examples="columns", first=2), code, named)
    assert said == "columns, Z1 = W1^T X + b1; ∂²C/∂Theta1², layer 2, W10"
    assert worded(text, Convention()) == text.replace("{examples: rows | columns}", "rows").replace(
        "{formula: z1 = x @ W1.T + b1}", "z1 = x W1^T + b1"
    )


@pytest.mark.one_in(4)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: f"exercise {e.number}")
def test_no_choice_is_left_open_in_a_sheet(exercise):
    task = MADE.get(exercise.number) or exercise.make(3)
    for made in (task, sheet_in(task, MINE)):
        asked = [question.ask for question in made.questions]
        says = [planted.says for planted in made.mistakes]
        assert not any("{" in text for text in (made.statement, *made.hints, *asked, *says))
    assert bool(exercise.one_form) == (exercise.number in ONE_FORM)
    if exercise.one_form:
        theirs = sheet_in(task, "ng")
        assert theirs.statement.endswith(f"one form in every convention: {exercise.one_form}.\n")
        assert theirs.given is task.given


def test_printed_names_as_they_are_typed():
    names = ("w^2", "W[1]", "Θ^(1)", "λ", "δ^3", "x'")
    assert [typed(name) for name in names] == ["w2", "W1", "Theta1", "lambda_", "delta3", "x_"]


def test_a_name_that_no_sheet_can_have_is_refused():
    with pytest.raises(SpecError) as raised:
        sheet_in(MADE[2], Convention(names={"W-{l}": "W"}))
    assert str(raised.value) == (
        "exercise: exercise 2: a sheet in this convention cannot be written: W-1, for W1, is no "
        "name of Python.\n  Give W1 another name, of letters and digits: "
        'names = {"...": ...}.'
    )


def test_the_task_itself_stays_as_it_was():
    before = {name: np.array(value) for name, value in MADE[5].given.items()}
    task = sheet_in(MADE[5], MINE)
    for name, value in before.items():
        np.testing.assert_array_equal(MADE[5].given[name], value)
        assert not any(
            np.shares_memory(MADE[5].given[name], array) for array in task.given.values()
        )
    assert MADE[5].statement == find_exercise(5).make(3).statement
    assert sheet_in(MADE[5], None) is MADE[5]


# ---------------------------------------------------------------- files


def test_a_sheet_from_new_to_grade(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    written = ["exercise", "new", "2", "4", "--seed", "7", "--convention", "nielsen"]
    assert main([*written, "--solution", "--out", "week.py"]) == 0
    text = (tmp_path / "week.py").read_text()
    assert "# jacobian-bp exercise 2, seed 7, convention nielsen, sheet " in text
    assert main(["exercise", "check", "week.py"]) == 0
    report = grade_file("week.py", 2)
    assert report.ok
    assert {mark.object for mark in report.marks} >= {"delta4", "nabla_w3"}
    (tmp_path / "week.py").write_text(text.replace("delta4 = S4 @ (a4 - y)", "delta4 = a4 - y"))
    capsys.readouterr()
    assert main(["exercise", "check", "week.py", "--level", "3"]) == 1
    said = capsys.readouterr().out
    assert "  delta4    WRONG    every entry; S4 was left out of BP1" in said
    assert "  delta3    follows  right, given your delta4, which is not" in said
    assert main(["exercise", "hint", "week.py", "--level", "3"]) == 0
    assert "delta3 = S3 w4^T delta4" in capsys.readouterr().out


def test_a_convention_that_is_not_the_sheets_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["exercise", "new", "2", "--convention", "ng"]) == 0
    assert main(["exercise", "check", "ex2.py", "--convention", "cs231n"]) == 2
    assert capsys.readouterr().err == (
        "jacobian-bp: SpecError: exercise check: the sheet is written in the convention ng, and "
        "cs231n is asked for.\n  Leave the convention away: the sheet's first line says it.\n"
    )
    with pytest.raises(SpecError, match=r"^grade: the sheet is written in the convention ng"):
        grade_file("ex2.py", 2, Terms(convention=MINE))
    text = (tmp_path / "ex2.py").read_text()
    (tmp_path / "ex2.py").write_text(text.replace("convention ng", "convention cs231n"))
    assert main(["exercise", "check", "ex2.py"]) == 2
    assert "which is another one" in capsys.readouterr().err


def test_a_convention_of_a_file_goes_with_the_sheet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours.toml").write_text(
        '[convention]\nexamples = "columns"\nweights = "in,out"\nbias = "last"\n'
        'mean = "gradient"\nnames = { "Theta{l}" = "W" }\n'
    )
    written = ["exercise", "new", "11", "--seed", "3", "--convention", "ours.toml"]
    assert main([*written, "--solution", "--out", "ex11.ipynb"]) == 0
    (tmp_path / "ours.toml").unlink()
    assert main(["exercise", "check", "ex11.ipynb"]) == 0


def test_own_sheets_of_a_class_are_judged_by_their_numbers(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("of 31 letters, and of nobody else's\n")
    (tmp_path / "secret.txt").chmod(0o600)
    new = ["exercise", "new", "11", "--student", "ada", "--secret-file", "secret.txt"]
    ours = tmp_path / "ours.toml"
    ours.write_text('[convention]\nexamples = "columns"\nweights = "in,out"\nbias = "first"\n')
    assert main([*new, "--convention", "ours.toml", "--solution", "--out", "ada.py"]) == 0
    assert main(["exercise", "check", "ada.py"]) == 0
    grade = ["grade", "--exercise", "11", "--submission", "ada.py", "--student", "ada"]
    assert main([*grade, "--secret-file", "secret.txt", "--sheet-seed", "own"]) == 0
    text = (tmp_path / "ada.py").read_text()
    classes = re.search(r"\ny = np.array\(\[\n    \[(.*)\],\n", text)[1].split(", ")
    for place, said in (
        (0, "the numbers do not fit each other, so it is no sheet of exercise 11"),
        (-1, "Put the first line, or its numbers, back as it was"),
    ):
        other = list(classes)
        other[place] = {"0.0": "1.0", "1.0": "0.0"}[other[place]]
        (tmp_path / "ada.py").write_text(text.replace(", ".join(classes), ", ".join(other)))
        capsys.readouterr()
        assert main(["exercise", "check", "ada.py"]) == 2
        assert said in capsys.readouterr().err


def test_answers_alone_have_the_names_of_the_sheet_or_the_packages_own(tmp_path):
    task = sheet_in(MADE[11], "ng")
    np.savez(tmp_path / "ex11.npz", **task.answers())
    terms = Terms(sheet_seed=3, convention="ng")
    assert grade_file(tmp_path / "ex11.npz", 11, terms).ok
    renamed = dict(zip((q.name for q in MADE[11].questions), task.answers().values(), strict=True))
    assert grade_answers(renamed, 11, 3, convention="ng").ok
    assert not grade_answers(MADE[11].answers(), 11, 3, convention="ng").ok
