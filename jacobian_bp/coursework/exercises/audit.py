"""The grader graded: every planted mistake and every right form through every checker.

A mistake is caught where each answer that holds it is wrong. A right form, or any
other right answer, that is called wrong is a false alarm.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...writing.signs import plural
from ..diagnosis.asked_convention import Asked
from .catalogue import EXERCISES
from .checker import check_answers
from .questions import ArrayQuestion, Question
from .sheet_in_convention import sheet_in
from .task import Exercise, Task
from .verdict import Verdict

SEEDS = (0, 1, 2)
Checker = Callable[[Task, Mapping[str, Any]], Sequence[Verdict]]


@dataclass(frozen=True)
class Count:
    """What became of the trials of one exercise; the lists name those that went wrong."""

    number: int
    title: str
    mistakes: int
    right_forms: int
    missed: tuple[str, ...]
    false_alarms: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """The counts of all exercises."""

    counts: tuple[Count, ...]

    @property
    def ok(self) -> bool:
        """No mistake was missed, no right form refused."""
        return not any(count.missed or count.false_alarms for count in self.counts)

    def lines(self) -> list[str]:
        """A table with a line an exercise, and under it whatever went wrong."""
        lines = ["  nr  caught      missed  right forms  false alarms  exercise"]
        for c in self.counts:
            caught = f"{c.mistakes - len(c.missed)} of {c.mistakes}"
            lines.append(
                f"{c.number:>4}  {caught:<10}  {len(c.missed):>6}  {c.right_forms:>11}  "
                f"{len(c.false_alarms):>12}  {c.title}"
            )
            lines += [f"      missed: {name}" for name in c.missed]
            lines += [f"      false alarm: {name}" for name in c.false_alarms]
        missed = sum(len(count.missed) for count in self.counts)
        alarms = sum(len(count.false_alarms) for count in self.counts)
        trials = sum(count.mistakes + count.right_forms for count in self.counts)
        said = f"{plural(trials, 'trial')}: {missed} missed, {plural(alarms, 'false alarm')}"
        return [*lines, said]


def audit(
    exercises: Sequence[Exercise] = EXERCISES,
    seeds: Sequence[int] = SEEDS,
    checker: Checker = check_answers,
    convention: Asked | None = None,
) -> Audit:
    """Every trial of every exercise at every seed; `checker` is what is being graded.

    With a `convention` the sheets are written in it.
    """
    return Audit(tuple(_count(exercise, seeds, checker, convention) for exercise in exercises))


def _count(
    exercise: Exercise, seeds: Sequence[int], checker: Checker, convention: Asked | None
) -> Count:
    missed: list[str] = []
    alarms: list[str] = []
    mistakes = right_forms = 0
    for seed in seeds:
        task = sheet_in(exercise.make(seed), convention, "exercise audit")
        for name, answers, wrong in wrong_trials(task):
            mistakes += 1
            verdicts = {verdict.name: verdict for verdict in checker(task, answers)}
            told = f"seed {seed}, {name}"
            if any(verdicts[n].credited for n in wrong):
                missed.append(told)
            rest = [n for n in verdicts if n not in wrong and not verdicts[n].credited]
            alarms += [f"{told}: {n}" for n in rest]
        for name, answers in right_trials(task):
            right_forms += 1
            refused = [v.name for v in checker(task, answers) if not v.ok]
            alarms += [f"seed {seed}, {name}: {n}" for n in refused]
    return Count(
        exercise.number, exercise.title, mistakes, right_forms, tuple(missed), tuple(alarms)
    )


def wrong_trials(task: Task) -> Iterator[tuple[str, dict[str, Any], tuple[str, ...]]]:
    """Name, all answers, and which are wrong: planted mistakes, then what is never right."""
    for planted in task.mistakes:
        yield planted.name, task.answers(planted), tuple(planted.answers)
    right = task.answers()
    for question in task.questions:
        for name, value in _never_right(question):
            yield f"{question.name}: {name}", {**right, question.name: value}, (question.name,)
    arrays = {q.name: np.zeros(q.right.shape) for q in task.questions if _is_array(q)}
    if arrays:
        yield "all arrays zero", right | arrays, tuple(arrays)
        empty = {name: np.full(zeros.shape, np.nan) for name, zeros in arrays.items()}
        yield "all arrays NaN", right | empty, tuple(arrays)
    yield "an empty sheet", {}, tuple(right)


def right_trials(task: Task) -> Iterator[tuple[str, dict[str, Any]]]:
    """The solution, the package's own values, the planted right forms, and other containers."""
    right = task.answers()
    yield "the solution", right
    yield "the package's own values", dict(task.right)
    for planted in task.right_forms:
        yield planted.name, task.answers(planted)
    arrays = {q.name: np.asarray(right[q.name]) for q in task.questions if _is_array(q)}
    if arrays:
        yield "float32", right | {n: a.astype(np.float32) for n, a in arrays.items()}
        yield "lists", right | {n: a.tolist() for n, a in arrays.items()}
        yield "Fortran order", right | {n: np.asfortranarray(a) for n, a in arrays.items()}


def _is_array(question: Question) -> bool:
    return isinstance(question, ArrayQuestion)


def _never_right(question: Question) -> Iterator[tuple[str, Any]]:
    right = question.right
    yield "nothing", None
    yield "text", "no such answer"
    if isinstance(right, np.ndarray):
        yield "all zeros", np.zeros(right.shape)
        yield "one NaN", np.where(np.arange(right.size).reshape(right.shape) == 0, np.nan, right)
        yield "another shape", np.ones((*right.shape, 2))
