"""An exercise, and the task that a seed makes of it."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from ...derivation.convention import Convention
from ...derivation.ready_made import ReadyMade
from ...errors import SpecError
from ...network.run import Run
from .convention_line import convention_line
from .generator import Redraw, require_seed
from .questions import ArrayQuestion, Question
from .trusted_code import run_lines, value_of
from .wording import worded

MOST_DRAWS = 300
MOST_SEEDS = 3  # that are tried where any will do
UNKNOWN = -1  # a seed that nobody said
APART = 1e-3  # of the larger one: how far two planted mistakes must be from each other


@dataclass(frozen=True)
class Planted:
    """Some answers given another way: a mistake to be caught, or a right form to be accepted.

    `answers` are expressions in the names of the sheet; what is not named is
    answered by the solution, with these answers put in. In a mistake, `besides` holds
    answers that are written otherwise and are right nevertheless. `says` tells what stands
    there, and then, if need be, what should. `label` is for mistakes of one kind. One about the
    1/m is made where the convention has it so: `mean` is "delta" or "gradient".
    """

    name: str
    answers: Mapping[str, str]
    says: str = ""
    besides: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    mean: str = ""

    @property
    def tag(self) -> str:
        """What the mistake is called in statistics."""
        return self.label or self.name


class AnswerLineError(Exception):
    """The line of an answer that ends in an error, whose cause is the error."""

    def __init__(self, of: str, answer: str, line: str, names: tuple[str, ...]):
        super().__init__(f"the line {line!r} of {answer} ends in an error")
        self.of, self.answer, self.line, self.names = of, answer, line, names


@dataclass(frozen=True, eq=False)
class Task:
    """One exercise with its numbers."""

    questions: tuple[Question, ...]
    given: Mapping[str, Any]
    forward: str = ""  # lines that compute further names from what is given
    run: Run | None = None
    more: str = ""  # what the statement says about these very numbers
    mistakes: tuple[Planted, ...] = ()
    right_forms: tuple[Planted, ...] = ()
    hints: tuple[str, ...] = ()
    number: int = 0
    seed: int = 0  # UNKNOWN where only the sheet's token is known
    token: str = ""  # of a sheet whose seed follows from it and the course's secret alone
    title: str = ""
    statement: str = ""
    names: dict[str, Any] = field(default_factory=dict)  # all that is known before the answers
    written: Convention | None = None  # in which gradients and deltas are answered, if one is asked
    convention: ReadyMade | None = None  # in which the whole sheet is written, if one is asked
    raw: "Task | None" = None  # with its texts as the exercise has them, for any convention
    of_each_example: "Task | None" = None  # what is asked instead where the 1/m is in the gradients
    one_form: str = ""  # why the exercise is the same in every convention
    alike: Mapping[str, str] = field(default_factory=dict)  # given → the run's value it stands as
    checkable: bool = True  # whether who fills the sheet in has the exercise to check it with

    def answers(self, planted: Planted | None = None) -> dict[str, Any]:
        """The answers of the solution, with some of them given another way."""
        return self._answers(planted, {})

    def _answers(self, planted: Planted | None, right: Mapping[str, Any]) -> dict[str, Any]:
        """The same, where those before the first line that is another one are the `right` ones."""
        names, found = dict(self.names), {}
        lines = {**planted.answers, **planted.besides} if planted else {}
        as_solved = bool(right)
        for question in self.questions:
            line = lines.get(question.name, question.solution)
            as_solved = as_solved and line == question.solution
            try:
                value = right[question.name] if as_solved else value_of(line, names)
            except Exception as error:
                of = "the solution" if planted is None else f"{planted.name!r}"
                raise AnswerLineError(of, question.name, line, tuple(names)) from error
            names[question.name] = found[question.name] = value
        return found

    def told_apart(self) -> list[tuple[str, dict[str, Any]]]:
        """The answers of the solution and of every planted mistake, by name, to be compared."""
        right = self.answers()
        wrong = [(planted.name, self._answers(planted, right)) for planted in self.mistakes]
        return [("the solution", right), *wrong]

    def strict(self) -> "Task":
        """The same task, where an array is right in the layout that is asked for alone."""
        return replace(self, questions=tuple(question.strict() for question in self.questions))

    @cached_property
    def right(self) -> dict[str, Any]:
        """The right answers in their first form, as the package computes them."""
        return {question.name: question.right for question in self.questions}

    @property
    def own_given(self) -> Mapping[str, Any]:
        """What is given as the package itself writes it, an example a row."""
        return (self.raw or self).given

    @property
    def examples(self) -> int:
        """How many examples there are, of a run those of its batch, else the rows of x; or 0."""
        if self.run is not None:
            return self.run.forward_pass.examples or 0
        x = self.own_given.get("x")
        return len(x) if isinstance(x, np.ndarray) and x.ndim == 2 else 0

    @property
    def sheet(self) -> str:
        """Which sheet it is, as its first line says: seed 7, or token and 32 digits."""
        return f"token {self.token}" if self.token else f"seed {self.seed}"

    @property
    def fingerprint(self) -> str:
        """Eight digits that change with the exercise, the seed or token, or what is given."""
        text = f"{self.number} {self.token or self.seed} " + repr(
            [(name, np.asarray(value).tolist()) for name, value in self.given.items()]
        )
        said = "" if self.convention is None else convention_line(self.convention)
        return hashlib.sha256((text + self.more + said).encode()).hexdigest()[:8]


@dataclass(frozen=True, eq=False)
class Exercise:
    """What all tasks of one exercise share; `attempt` draws one, or asks to draw again.

    `fresh` says that the answers are formulas in what is given, so that a sheet can
    be run again on other numbers. `of_given` makes the task of the numbers that stand
    in a sheet; without it a sheet that has a token is judged by the grader alone. `one_form`
    says why the exercise is the same in every convention, where it is.
    """

    number: int
    title: str
    statement: str
    hints: tuple[str, ...]
    attempt: Callable[[np.random.Generator], Task]
    mistakes: tuple[Planted, ...] = ()
    right_forms: tuple[Planted, ...] = ()
    fresh: bool = True
    of_given: Callable[[Mapping[str, Any]], Task] | None = None
    one_form: str = ""

    def make(self, seed: int, token: str = "") -> Task:
        """The task of a seed, redrawn until every guarantee holds; `token` stands in its sheet.

        The same seed gives the same task. Raises SpecError where no draw meets the
        guarantees, with what stood in the way, and DomainError for a wrong seed.
        """
        generator = np.random.default_rng([self.number, require_seed(seed)])
        refused: dict[str, int] = {}
        for _ in range(MOST_DRAWS):
            try:
                task = self._complete(self.attempt(generator), seed, token)
                require_told_apart(task.raw or task)
                return task
            except Redraw as reason:
                refused[str(reason)] = refused.get(str(reason), 0) + 1
        counts = sorted(refused.items(), key=lambda item: -item[1])[:5]
        lines = "".join(f"  {count} times: {reason}\n" for reason, count in counts)
        raise SpecError(
            f"exercise {self.number}, seed {seed}: {MOST_DRAWS} draws, and none is fit for use.\n"
            f"{lines}  Take another seed."
        )

    def task_of(self, given: Mapping[str, Any], token: str) -> Task:
        """The task of the numbers in a sheet with this token; its seed stays unknown."""
        self.require_of_given()
        assert self.of_given is not None
        return self._complete(self.of_given(given), UNKNOWN, token)

    def require_of_given(self) -> None:
        """SpecError for an exercise whose tasks cannot be made of numbers."""
        if self.of_given is None:
            raise SpecError(
                f"exercise {self.number} cannot be made from the numbers of a sheet.\n"
                "  Its sheets with a token are judged by jacobian-bp grade, with the secret."
            )

    def _complete(self, task: Task, seed: int, token: str) -> Task:
        """The task with all that its exercise says, in the package's own convention."""
        raw = self._filled(task, seed, token)
        if task.of_each_example is not None:
            each = self._filled(task.of_each_example, seed, token)
            raw = replace(raw, of_each_example=each)
        return in_own_convention(raw)

    def _filled(self, task: Task, seed: int, token: str) -> Task:
        questions = tuple(
            replace(each, examples=task.examples) if isinstance(each, ArrayQuestion) else each
            for each in task.questions
        )
        return replace(
            task,
            questions=questions,
            number=self.number,
            seed=seed,
            token=token,
            title=self.title,
            statement=self.statement + task.more,
            hints=self.hints,
            mistakes=self.mistakes + task.mistakes,
            right_forms=self.right_forms + task.right_forms,
            names=run_lines(task.forward, task.given),
            one_form=self.one_form,
        )


def any_task(exercise: Exercise) -> Task:
    """A task of the exercise, of the first seed that gives one, for what all of them share."""
    for seed in range(MOST_SEEDS - 1):
        with suppress(SpecError):
            return exercise.make(seed)
    return exercise.make(MOST_SEEDS - 1)


def in_own_convention(raw: Task) -> Task:
    """The task as the package itself writes, the choices of its texts made."""
    own = Convention()

    def said(text: str) -> str:
        return worded(text, own)

    return replace(
        raw,
        raw=raw,
        statement=said(raw.statement),
        more=said(raw.more),
        hints=tuple(map(said, raw.hints)),
        questions=tuple(replace(each, ask=said(each.ask)) for each in raw.questions),
        mistakes=tuple(
            replace(each, says=said(each.says)) for each in raw.mistakes if each.mean != "gradient"
        ),
    )


def require_told_apart(task: Task) -> None:
    """Redraw unless all planted mistakes differ, from the solution and from each other."""
    outcomes = [
        (name, [question.outcome(answers[question.name]) for question in task.questions])
        for name, answers in task.told_apart()
    ]
    for (one, first), (other, second) in combinations(outcomes, 2):
        if not any(map(differ, first, second)):
            raise Redraw(f"{one} and {other} give the same answers")


def differ(first: Any, second: Any) -> bool:
    """Whether what two answers come to is told apart: numbers by a wide margin."""
    if first is second:
        return False
    if isinstance(first, str) or isinstance(second, str):
        return str(first) != str(second)
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape:
        return True
    if a.dtype.kind in "iub" and b.dtype.kind in "iub":
        return bool((a != b).any())
    finite = np.isfinite(a) & np.isfinite(b)
    if (np.isfinite(a) != np.isfinite(b)).any():
        return True
    scale = max(float(np.abs(a[finite]).max(initial=0)), float(np.abs(b[finite]).max(initial=0)))
    return bool((np.abs(a[finite] - b[finite]) > APART * scale).any())
