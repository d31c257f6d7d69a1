"""A layout belongs to the whole hand-in: diagnose, the check and the grader say the same of it."""

from itertools import product

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.coursework.diagnosis import diagnose
from jacobian_bp.coursework.exercises import orientation
from jacobian_bp.coursework.exercises.accepted_forms import batch_forms, matrix_forms
from jacobian_bp.coursework.exercises.catalogue import find_exercise
from jacobian_bp.coursework.exercises.checker import check_answers
from jacobian_bp.coursework.exercises.questions import ArrayQuestion
from jacobian_bp.coursework.exercises.task import Task
from jacobian_bp.coursework.grading.grade import grade_answers

PLAIN, TURNED, ABSENT = "plain", "turned", "absent"
SAID = {"correct": PLAIN, "correct-other-layout": TURNED, "transposed": "mistake"}


def task_of(sizes, m=None, symmetric=False):
    """The gradients and deltas of a network, asked for; the last gradient may be symmetric."""
    rng = np.random.default_rng(31)
    hidden = ["tanh"] * (len(sizes) - 2)
    net = Network.dense(sizes, [*hidden, "identity"], "half_squared_error", seed=3)
    x = rng.normal(size=(*((m,) if m else ()), sizes[0]))
    y = rng.normal(size=(*x.shape[:-1], sizes[-1]))
    if symmetric:  # the delta of the last layer is 3 times its input
        run = net.run(x, y)
        into = run[f"a{len(sizes) - 2}"] if hidden else x
        y = run[f"a{len(sizes) - 1}"] - 3 * into
    run = net.run(x, y)
    keys = [f"W{n}" for n in range(1, len(sizes))]
    asked = [ArrayQuestion(k, "", "0", matrix_forms(run.gradients()[k]), key=k) for k in keys]
    for n in range(1, len(sizes)) if m else ():
        delta = run.jacobian("J", f"z{n}").materialise()
        asked.append(ArrayQuestion(f"z{n}", "", "0", batch_forms(delta), key=f"z{n}"))
    return Task(tuple(asked), {}, run=run)


def hand_in(task, states):
    """The right answers of some questions, each as it is asked for or turned round."""
    right = {question.name: question.right for question in task.questions}
    given = {name: state for name, state in states.items() if state != ABSENT}
    return {n: right[n] if state == PLAIN else right[n].T.copy() for n, state in given.items()}


def meant(task, states):
    """What the rule says of each answer."""
    right = {question.name: question.right for question in task.questions}
    told = {}
    for name, state in states.items():
        if state == ABSENT:
            continue
        like = [s for n, s in states.items() if n[0] == name[0] and not own_transpose(right[n])]
        turned = state == TURNED and not own_transpose(right[name])
        told[name] = PLAIN if not turned else "mistake" if PLAIN in like else TURNED
    return told


def own_transpose(array):
    return array.shape == array.T.shape and np.allclose(array, array.T)


def by_diagnose(task, answers):
    keys = {q.name: q.key for q in task.questions if q.name in answers}
    found = diagnose(task.run, {keys[name]: answers[name] for name in keys})
    own = {key for key, f in found.items() if key[0] == "z" and not f.ok}
    for key, f in found.items():  # what a gradient is, given a turned delta, has other names
        assert f.ok is (f.label in ("correct", "correct-other-layout")), str(found)
        assert f.ok or f.label == "transposed" or (own and key[0] == "W"), str(found)
    return {name: SAID.get(found[key].label, "mistake") for name, key in keys.items()}


def by_check(task, answers):
    told = {}
    for verdict in check_answers(task, answers):
        if verdict.status == "right":
            assert verdict.layout in ("", "transposed", "examples in columns")
            told[verdict.name] = TURNED if verdict.layout else PLAIN
        elif verdict.status != "missing":
            told[verdict.name] = SAID[verdict.tag]
    return told


SCENES = {
    "oblong": task_of([3, 5, 7, 2]),
    "square": task_of([5, 5, 5, 5]),
    "one square": task_of([3, 3, 5]),
    "one unit": task_of([1, 7, 1]),
    "symmetric": task_of([5, 5, 5], symmetric=True),
    "symmetric alone": task_of([5, 5], symmetric=True),
    "batch": task_of([3, 5, 2], m=7),
    "square batch": task_of([5, 5, 5], m=5),
    "batch of one unit": task_of([3, 2, 1], m=7),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("scene", SCENES)
def test_every_mixture_is_judged_by_one_rule(scene):
    task = SCENES[scene]
    names = [question.name for question in task.questions]
    mixtures = list(product((PLAIN, TURNED, ABSENT), repeat=len(names)))
    for states in mixtures:
        states = dict(zip(names, states, strict=True))
        answers = hand_in(task, states)
        assert by_check(task, answers) == meant(task, states), states
        assert by_diagnose(task, answers) == meant(task, states), states


def test_the_rule_is_not_said_by_accident():
    said = {v for s in SCENES.values() for v in meant(s, {q.name: TURNED for q in s.questions})}
    assert said  # every scene has something to turn, and in one nothing can be told
    assert meant(SCENES["symmetric alone"], {"W1": TURNED}) == {"W1": PLAIN}
    mixed = {"W1": TURNED, "W2": PLAIN, "W3": PLAIN}
    assert meant(SCENES["square"], mixed) == {"W1": "mistake", "W2": PLAIN, "W3": PLAIN}


@pytest.mark.parametrize("rule", [any, all])
def test_a_check_with_another_rule_would_be_seen(monkeypatch, rule):
    states = {"W1": TURNED, "W2": PLAIN, "W3": PLAIN}
    if rule is all:  # as if the symmetric, or the missing, stood against the others
        states = {"W1": TURNED, "W2": TURNED, "W3": ABSENT}
    monkeypatch.setattr(orientation, "agreed", lambda votes: rule(vote > 0 for vote in votes))
    task = SCENES["square"]
    assert by_check(task, hand_in(task, states)) != meant(task, states)


FIVE = {f"dW{n}": f"W{n}" for n in (1, 2, 3)} | {f"d{n}": f"z{n}" for n in (1, 2, 3)}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("turned", ["dW2", "d2", "dW3 dW1", "d3 d2 d1", "dW3 dW2 dW1"])
def test_the_grader_and_diagnose_say_the_same_of_a_sheet(turned):
    task, turned = find_exercise(5).make(7), turned.split()
    answers = task.answers()
    answers |= {name: answers[name].T.copy() for name in turned}
    found = diagnose(task.run, {key: answers[name] for name, key in FIVE.items()})
    report = grade_answers(answers, 5, seed=7)
    for name, key in FIVE.items():
        marks = [mark for mark in report.marks if mark.object == name]
        said = {tag for mark in marks for tag in mark.tags}
        assert all(mark.score == mark.max_score for mark in marks) is found[key].ok, name
        assert said == (set() if found[key].ok else {found[key].label}), name
    assert found.ok is (len(turned) == 3)


def test_what_is_said_names_what_stands_as_it_is_asked_for():
    task = SCENES["oblong"]
    answers = hand_in(task, {"W1": PLAIN, "W2": TURNED, "W3": PLAIN})
    verdict = check_answers(task, answers)[1]
    assert verdict.words(level=2) == [
        "the order of the axes",
        "the right numbers, with rows and columns exchanged, while your W1, W3 stand as asked for",
    ]
    alone = check_answers(task, hand_in(task, {"W2": TURNED}))[1]
    assert (alone.ok, alone.words(level=2)) == (True, ["in layout transposed"])


def test_with_a_strict_layout_a_turned_answer_is_not_right_whatever_the_others_are():
    task = SCENES["oblong"]
    for states in product((PLAIN, TURNED), repeat=3):
        states = dict(zip(("W1", "W2", "W3"), states, strict=True))
        verdicts = check_answers(task.strict(), hand_in(task, states))
        assert {v.name: v.tag for v in verdicts} == {
            name: "other-layout" if state == TURNED else "" for name, state in states.items()
        }


@pytest.mark.parametrize("sizes", [[5, 5, 5, 5], [3, 5, 7, 2]])
def test_a_turned_answer_that_follows_from_a_wrong_one_has_a_vote(sizes):
    """What is right given an own delta is turned round or not, as what is right in itself."""
    plain = task_of(sizes, m=11)
    lines = {"W1": "z1.T @ x", "W2": "z2.T @ a1", "W3": "z3.T @ a2"}
    asked = [q for q in plain.questions if q.name in ("z2", "W2", "W3")]
    asked = sorted(asked, key=lambda q: ["z2", "W2", "W3"].index(q.name))
    asked = [ArrayQuestion(q.name, "", lines.get(q.name, "0"), q.forms, key=q.key) for q in asked]
    names = {name: plain.run[name] for name in ("x", "a1", "a2")}
    task = Task(tuple(asked), {}, run=plain.run, names=names)
    z2 = asked[0].right * np.linspace(0.5, 2, sizes[2])
    dW2, dW3 = z2.T @ plain.run["a1"], asked[2].right
    for second, third, said in [
        (dW2.T, dW3.T, ["follows", "right"]),
        (dW2.T, dW3, ["wrong", "right"]),
        (dW2, dW3.T, ["follows", "wrong"]),
        (dW2, dW3, ["follows", "right"]),
    ]:
        verdicts = check_answers(task, {"z2": z2, "W2": second, "W3": third})
        assert [v.status for v in verdicts[1:]] == said
        found = diagnose(plain.run, {"z2": z2, "W2": second, "W3": third})
        assert [found[k].ok for k in ("W2", "W3")] == [status != "wrong" for status in said]


@pytest.mark.parametrize(("strict", "tag"), [(False, "transposed"), (True, "other-layout")])
def test_a_turned_delta_has_the_point_of_its_shape_only_at_edge_points_too(strict, tag):
    answers = find_exercise(11).make(7).answers()
    answers["delta1"] = answers["delta1"].T.copy()
    marks = grade_answers(answers, 11, seed=7, strict_layout=strict).marks
    assert [(m.aspect, m.score, m.tags) for m in marks if m.object == "delta1"] == [
        ("shape", 1.0, ()),
        ("values, ordinary points", 0.0, (tag,)),
        ("values, edge points", 0.0, (tag,)),
    ]
