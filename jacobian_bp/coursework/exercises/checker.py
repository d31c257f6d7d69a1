"""All answers of a task judged, each given the student's own earlier ones, in one layout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...document.as_text import set_already
from ...document.blocks import Block, Column, Document, Row, Section, Table, Words
from ...numbers.arrays import quiet
from .accepted_forms import turned_layout
from .cause import cause_of
from .equality import as_numbers, same, unfit
from .orientation import turned_against_others
from .questions import ArrayQuestion, NullQuestion, Question, answer_of
from .secrecy import Gate
from .symptoms import tag_of
from .task import Task
from .verdict import FOLLOWS, MISSING, OTHER_LAYOUT, RIGHT, WRONG, Verdict

RIGHT_ONE = "the right one"  # in the sentences on a symptom
HEADS = ("answer", "verdict", "what is said")
WORDS = {RIGHT: "right", FOLLOWS: "follows", WRONG: "WRONG", MISSING: "missing"}


@dataclass(frozen=True)
class Report:
    """The verdicts on one sheet, and what else is to be said about it."""

    number: int
    seed: int
    title: str
    verdicts: tuple[Verdict, ...]
    failure: str = ""  # why the file did not come to its end
    remarks: tuple[str, ...] = ()
    token: str = ""  # that of the sheet, if it has one in place of a seed

    @property
    def ok(self) -> bool:
        """Every answer is right."""
        return not self.failure and all(verdict.ok for verdict in self.verdicts)

    @property
    def score(self) -> int:
        """The answers that are right, or right given an earlier one."""
        return sum(verdict.credited for verdict in self.verdicts)

    def __getitem__(self, name: str) -> Verdict:
        return next(verdict for verdict in self.verdicts if verdict.name == name)

    def lines(self, level: int = 2) -> list[str]:
        """The report in words, at a message level from 0 (pass or fail) to 3 (cause)."""
        return [self.heading, *set_already(self.blocks(level))]

    @property
    def heading(self) -> str:
        """Which exercise, with which numbers."""
        which = f"token {self.token}" if self.token else f"seed {self.seed}"
        return f"exercise {self.number}, {which}: {self.title}"

    def blocks(self, level: int = 2) -> tuple[Block, ...]:
        """Why the file stopped, an answer a row, what else is to be said, and the score."""
        stopped = [Words(self.failure, label="stopped")] * bool(self.failure)
        width = max((len(v.name) for v in self.verdicts), default=0)
        cells = [(v.name, WORDS[v.status], "; ".join(v.words(level))) for v in self.verdicts]
        plain = [f"  {name:<{width}}  {word:<7}  {said}".rstrip() for name, word, said in cells]
        rows = tuple(Row(tuple(map(Words, row))) for row in cells)
        answers = [Table(tuple(map(Column, HEADS)), rows, tuple(plain))] * bool(rows)
        notes = [Words(remark, label="note") for remark in self.remarks]
        score = f"{self.score} of {len(self.verdicts)}" + (", all right" if self.ok else "")
        return (*stopped, *answers, *notes, Words(score, label="score"))


def document_of_reports(reports: Sequence[Report], level: int = 2) -> Document:
    """The reports on all parts of a sheet, a section each."""
    sections = tuple(Section("", report.heading, report.blocks(level)) for report in reports)
    return Document("A sheet, checked", sections)


@quiet
def check_answers(task: Task, answers: Mapping[str, Any]) -> tuple[Verdict, ...]:
    """A verdict on each question of `task`; answers that are not there are missing."""
    verdicts: list[Verdict] = []
    own: dict[str, Any] = {}  # wrong answers, from which later ones may follow
    for question in task.questions:
        value = answers.get(question.name)
        verdict = question.judge(value, answers)
        if verdict.status == WRONG:
            right = {each.name: _in_sheet(each) for each in task.questions}
            names = {**task.names, **right, **own}
            if own.keys() & question.reads:
                verdict = _given_earlier(question, value, own, names) or verdict
            if isinstance(question, NullQuestion) and question.holds_of(own, value, answers):
                verdict = _follows(question, [question.of])
            own |= _carried(question, value)
            if verdict.status == WRONG:
                cause, tag = cause_of(task, question, value, names)
                tag = tag or verdict.tag or tag_of(verdict.symptom) or "wrong"
                verdict = replace(verdict, cause=cause, tag=tag)
        verdicts.append(verdict)
    verdicts = turned_against_others(task.questions, answers, verdicts)
    gate = Gate.of(task)
    return tuple(gate.said(verdict) for verdict in verdicts)


def _given_earlier(
    question: Question, value: Any, own: Mapping[str, Any], names: Mapping[str, Any]
) -> Verdict | None:
    """The verdict by what the solution's line gives from the student's own earlier answers.

    Zeros follow from zeros whatever is done with them, so they earn nothing.
    """
    used = sorted(own.keys() & question.reads)
    solved = answer_of(question.solution, names)
    in_sheet = not isinstance(question, ArrayQuestion) or question.as_in_sheet
    if isinstance(question, ArrayQuestion):
        solved = question.asked_as(solved)
    expected = as_numbers(solved, question.name)
    given = as_numbers(value, question.name)
    if isinstance(expected, str) or isinstance(given, str) or unfit(given) or unfit(expected):
        return None
    if not expected.any():
        return None
    turned = [expected.T, expected.reshape(-1)]
    turned += [expected.reshape(1, -1), expected.reshape(-1, 1)]
    one_layout = isinstance(question, ArrayQuestion) and len(question.forms) == 1
    one_layout = one_layout or not in_sheet
    if any(same(given, form) for form in [expected, *turned * (not one_layout)]):
        layout = ""
        if isinstance(question, ArrayQuestion) and not same(given, expected):
            layout = turned_layout(question.forms) if same(given, expected.T) else ""
        return _follows(question, used, layout)
    if one_layout and any(same(given, form) for form in turned):
        said = f"right, given your {_listed(used)}, but for the layout; another one is asked for"
        where = "the order of the axes"
        return Verdict(question.name, WRONG, where=where, symptom=said, tag=OTHER_LAYOUT)
    if given.shape != expected.shape:
        return None
    where, symptom = question.difference(given, expected)
    gives = f"what your {_listed(used)} {'gives' if len(used) == 1 else 'give'}"
    if RIGHT_ONE in symptom:
        symptom = symptom.replace(RIGHT_ONE, gives)
    elif symptom:
        symptom = f"{symptom} (compared with {gives})"
    return Verdict(
        question.name, WRONG, where=f"{where}, given your {_listed(used)}", symptom=symptom
    )


def _follows(question: Question, used: Sequence[str], layout: str = "") -> Verdict:
    """The verdict on an answer that is right given wrong ones."""
    said = f"right, given your {_listed(used)}, which {'is' if len(used) == 1 else 'are'} not"
    said += f"; in layout {layout}" if layout else ""
    return Verdict(question.name, FOLLOWS, layout, said, tag="follows")


def _in_sheet(question: Question) -> Any:
    """The right answer in the sheet's own axes."""
    if isinstance(question, ArrayQuestion):
        return question.in_sheet(np.asarray(question.right))
    return question.right


def _listed(names: Sequence[str]) -> str:
    """S1, S2 and S3."""
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])


def _carried(question: Question, value: Any) -> dict[str, Any]:
    """A wrong answer as later answers may use it: in the shape of the right one, or not at all."""
    array = as_numbers(value, question.name)
    if isinstance(array, str) or unfit(array):
        return {}
    if isinstance(question, ArrayQuestion):
        array = question.in_sheet(array)
    right = np.asarray(_in_sheet(question))
    if right.dtype.kind not in "biuf":
        return {}
    squeezed = [size for size in array.shape if size != 1]
    if squeezed == [size for size in right.shape if size != 1]:
        return {question.name: array.reshape(right.shape)}
    turned = isinstance(question, ArrayQuestion) and array.shape == right.T.shape
    return {question.name: array.T.copy()} if turned else {}
