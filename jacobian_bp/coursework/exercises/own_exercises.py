"""Exercises of an instructor's own: from a file, or from an installed package.

    exercise_of_file("my_exercise.py")    the one Exercise in it, tried out
    exercises_of_packages()               those of the entry point group jacobian_bp.exercises

Reading one runs it, with all that its reader may do. So a file is read where the instructor
names it, and nowhere else: no sheet can name one, and none is looked for.
"""

import keyword
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import JacobianError, SpecError
from ...network.files.paths import label, read_limited
from ...numbers.arrays import quiet
from ...writing.signs import plural, safe, type_of
from .checker import check_answers
from .own_exercise_errors import last_line, line_with, of_answer, of_package, remedy, told
from .questions import Question
from .sheet import literal
from .task import AnswerLineError, Exercise, Task
from .trusted_code import run_lines

GROUP = "jacobian_bp.exercises"
LARGEST = 2**20  # bytes of a file
LAST_NUMBER = 999_999  # a sheet's first line has six digits for it
TRIED = (0, 1, 2)  # seeds


@dataclass(frozen=True, eq=False)
class OwnExercise(Exercise):
    """An exercise from outside; `source` is what its errors are known by, `text` its file's."""

    source: str = ""
    text: str = ""

    def make(self, seed: int, token: str = "") -> Task:
        """The task of a seed. Raises SpecError, with the source, for whatever goes wrong in it."""
        with self._told_of(f"seed {seed}, cannot be made", "attempt(np.random.default_rng(0))"):
            task = super().make(seed, token)
            for form in task.right_forms:
                task.answers(form)  # its lines can be run
            return task

    def task_of(self, given: Mapping[str, Any], token: str) -> Task:
        """The task of the numbers in a sheet; SpecError as in make."""
        with self._told_of("cannot be made of the numbers of a sheet", "of_given(given)"):
            return super().task_of(given, token)

    @contextmanager
    def _told_of(self, what: str, function: str) -> Iterator[None]:
        """Whatever goes wrong in the file as a SpecError with its source and line."""
        try:
            yield
        except JacobianError as error:
            raise SpecError(f"{self.source}{of_package(error, self.source)}") from None
        except AnswerLineError as error:
            raise SpecError(of_answer(error, self.source, self.text)) from None
        except Exception as error:
            forward = last_line(error, "<exercise>")
            at = f"forward, line {forward}: " if forward else ""
            advice = (
                "Write forward in np, what is given, and what its own lines compute before."
                if forward
                else f"Correct the line, and try {function} by itself."
            )
            raise SpecError(
                f"{self.source}: exercise {self.number}, {what}: {at}"
                f"{told(error, self.source)}.\n  {advice}"
            ) from None

    def _complete(self, task: Task, seed: int, token: str) -> Task:
        """The task, if it is one, with sound names; students have nothing to check it with."""
        if not isinstance(task, Task):
            raise SpecError(
                f"attempt(rng) gave {type_of(task)}, not a Task.\n  Return Task(questions, given)."
            )
        _require_names(self, task)
        _require_alike(task)
        return replace(super()._complete(task, seed, token), checkable=False)


@quiet
def exercise_of_file(path: str | Path) -> OwnExercise:
    """The one exercise in a Python file, which is run; it has drawn a task and checked it.

    Raises SpecError, with the file and what to write, for a file that cannot be read or run,
    for none or two exercises in it, for one that never draws a task that is fit for use, and
    for a solution that its own check calls wrong.
    """
    path = Path(path)
    source = label(path)
    instead = "Name a Python file with one exercise in it, EXERCISE = Exercise(...)."
    content = read_limited(path, LARGEST, instead)
    try:
        code = compile(content.decode("utf-8-sig"), source, "exec", dont_inherit=True)
    except UnicodeDecodeError as error:
        raise SpecError(
            f"{source}: byte {error.start} is not UTF-8.\n  Save the file as UTF-8."
        ) from None
    except SyntaxError as error:
        raise SpecError(
            f"{source}, line {error.lineno}: {safe(error.msg)}.\n  Correct the line."
        ) from None
    except ValueError:
        raise SpecError(f"{source} cannot be read as Python.\n  {instead}") from None
    found = [v for v in _names_after(code, path).values() if isinstance(v, Exercise)]
    exercises = list({id(exercise): exercise for exercise in found}.values())
    if len(exercises) != 1:
        which = ", ".join(f"{e.number} ({safe(e.title)})" for e in exercises)
        raise SpecError(
            f"{source} holds {plural(len(exercises), 'exercise')}{f': {which}' * bool(which)}.\n"
            "  Write one in a file, EXERCISE = Exercise(number=100, ...); of another file import "
            "the module, not its exercise."
        )
    return sound(exercises[0], source, content.decode("utf-8-sig"))


def exercises_of_packages() -> tuple[tuple[OwnExercise, ...], tuple[str, ...]]:
    """The exercises of installed packages, and why the others of them cannot be used.

    A package offers them as entry points of the group jacobian_bp.exercises, each the name of
    an Exercise. What lies in the present folder counts as not installed: a student may have
    put it there.
    """
    found: dict[int, OwnExercise] = {}
    failed = []
    for entry, package in _entry_points():
        source = f"{safe(package)}, entry point {safe(entry.name)}"
        try:
            exercise = entry.load()
            if not isinstance(exercise, Exercise):
                raise SpecError(
                    f"{source}: {safe(entry.value)} is {type_of(exercise)}, not an Exercise."
                )
            made = sound(exercise, source)
            if made.number in found:
                other = found[made.number].source
                raise SpecError(f"{source}: exercise {made.number} is that of {other} already.")
            found[made.number] = made
        except JacobianError as error:
            failed.append(str(error).splitlines()[0])
        except (Exception, SystemExit) as error:
            failed.append(f"{source}: {safe(entry.value)} cannot be loaded: {told(error, '')}.")
    return tuple(found[number] for number in sorted(found)), tuple(failed)


def sound(exercise: Exercise, source: str, text: str = "") -> OwnExercise:
    """The exercise under the name of its source, tried out on a few seeds; else SpecError."""
    _require_fields(exercise, source)
    values = {field.name: getattr(exercise, field.name) for field in fields(Exercise)}
    own = OwnExercise(**values, source=source, text=text)
    refusals = []
    for seed in TRIED:
        try:
            task = own.make(seed)
        except SpecError as error:
            refusals.append(error)
            continue
        _require_given_back(task, source)
        for words, answers in (
            ("the solution", task.answers()),
            ("what the package computes", task.right),
        ):
            _require_right(task, own, words, answers)
    if len(refusals) == len(TRIED):
        raise SpecError(_never_drawn(refusals[0], source))
    return own


def _never_drawn(error: SpecError, source: str) -> str:
    """The refusal of all seeds: another one is no way out, so that is not advised."""
    text = str(error)
    if "none is fit for use" not in text:
        return text
    *said, _ = text.splitlines()
    return "\n".join(
        [*said, f"  Seeds {TRIED[0]} to {TRIED[-1]} all end so: change the mistakes, or attempt."]
    )


def _names_after(code: Any, path: Path) -> Mapping[str, Any]:
    """The names of the file after it was run, as a module that is not kept."""
    module = ModuleType(f"own exercise {path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look there
    try:
        exec(code, module.__dict__)
    except JacobianError as error:
        raise SpecError(f"{label(path)}{of_package(error, label(path))}") from None
    except (Exception, SystemExit) as error:
        raise SpecError(
            f"{label(path)} cannot be run: {told(error, label(path))}.\n"
            f"  {remedy(error)}, and try it in its folder: python {label(path)}."
        ) from None
    finally:
        sys.modules.pop(module.__name__, None)
    return module.__dict__


def _entry_points() -> Iterator[tuple[EntryPoint, str]]:
    """The entry points of the group with their package's name, in order of both."""
    here = os.path.realpath(os.getcwd())
    folders = [p for p in sys.path if p and os.path.realpath(p) != here]
    packages: dict[str, Distribution] = {}
    for package in distributions(path=folders):
        packages.setdefault(package.name, package)  # the first on the path is the one imported
    for name in sorted(packages):
        entries = [e for e in packages[name].entry_points if e.group == GROUP]
        yield from ((entry, name) for entry in sorted(entries))


def _require_fields(exercise: Exercise, source: str) -> None:
    number = exercise.number
    if type(number) is not int or not 0 < number <= LAST_NUMBER:
        raise SpecError(
            f"{source}: the exercise's number is {safe(repr(number)[:30])}.\n"
            f"  Write a whole number from 1 to {LAST_NUMBER}, such as number=100."
        )
    for name in ("title", "statement"):
        text = getattr(exercise, name)
        if not isinstance(text, str) or not text.strip():
            raise SpecError(f"{source}: the exercise has no {name}.\n  Write {name}='...'.")
    hints = exercise.hints
    if not isinstance(hints, tuple) or not all(isinstance(h, str) and h.strip() for h in hints):
        raise SpecError(
            f"{source}: the hints are no tuple of texts.\n"
            "  Write hints=('the first', 'the second'), or hints=() for none."
        )
    if not callable(exercise.attempt):
        raise SpecError(
            f"{source}: attempt is {type_of(exercise.attempt)}, not a function.\n"
            "  Write def attempt(rng), which returns a Task."
        )


def _require_names(exercise: Exercise, task: Task) -> None:
    """Every answer has a name of its own, and the planted ones are answers of the sheet."""
    if not task.questions:
        raise SpecError("the task asks nothing.\n  Write Task(questions=(...), given={...}).")
    names: list[str] = []
    for question in task.questions:
        if not isinstance(question, Question):
            raise SpecError(
                f"a question is {type_of(question)}.\n"
                "  Write ArrayQuestion(...), NumberQuestion(...) or another Question."
            )
        if not question.name.isidentifier() or keyword.iskeyword(question.name):
            raise SpecError(
                f"{safe(repr(question.name))} is no name of Python.\n  Write such as 'dW2'."
            )
        if question.name in (*names, *task.given, "np"):
            raise SpecError(
                f"the answer {question.name} has a name that is taken.\n"
                "  Give each answer a name that is not given and not another answer's."
            )
        names.append(question.name)
    for planted in (*exercise.mistakes, *exercise.right_forms, *task.mistakes, *task.right_forms):
        for name in (*planted.answers, *planted.besides):
            if name not in names:
                raise SpecError(
                    f"{safe(planted.name)!r} answers {safe(name)}, which the sheet does not ask.\n"
                    f"  Write one of {', '.join(names)}."
                )


def _require_alike(task: Task) -> None:
    """SpecError where `alike` speaks of what is not given, or of no value of the run."""
    for name, of in task.alike.items():
        if name not in task.given:
            raise SpecError(
                f"alike says how {safe(name)} stands, which is not given.\n"
                f"  Write one of {', '.join(task.given)}."
            )
        if task.run is None or of not in task.run:
            known = ", ".join(task.run) if task.run is not None else "none: the task has no run"
            raise SpecError(
                f"alike says that {safe(name)} stands as {safe(of)}, which is no value of the "
                f"run.\n  Its values are {known}."
            )


def _require_given_back(task: Task, source: str) -> None:
    """The sheet's own lines give back what is given: no inf, and nothing but numbers."""
    for name, value in task.given.items():
        try:
            found, why = run_lines("\n".join(literal(name, value)), {})[name], ""
        except Exception as error:
            found, why = None, f" ({told(error, '')})"
        if found is None or not np.array_equal(np.asarray(found), np.asarray(value)):
            raise SpecError(
                f"{source}: seed {task.seed}: the line of the sheet that gives {safe(name)} does "
                f"not give its value back{why}.\n"
                "  Give finite numbers, texts, and arrays of them; compute others in forward."
            )


def _require_right(task: Task, own: OwnExercise, words: str, answers: Mapping[str, Any]) -> None:
    for question, verdict in zip(task.questions, check_answers(task, answers), strict=True):
        if not verdict.ok:
            said = "; ".join([verdict.status, *verdict.words(level=2)])
            at = line_with(own.text, question.solution)
            raise SpecError(
                f"{own.source}{at}: exercise {task.number}, seed {task.seed}: {words} fails "
                f"its own check at {question.name}: {said}.\n"
                f"  Make the line {question.solution!r} and the right value agree."
            )
