"""A whole task in the convention of a course: what is given, names, lines, texts and answers.

    sheet_in(task, "ng")    X (features, examples); Z1 = W1 @ X + b1[:, None]; dZ2 = A2 - Y

Its texts are those of the exercise, said by `wording`; its lines are rewritten by
`line_in_convention`; which array stands how is told by the task's run and the keys of its
questions. Nothing is written twice, and its checker and grader are those of any task.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...derivation.convention import Convention
from ...derivation.ready_made import ReadyMade
from ...errors import JacobianError, SpecError
from ...network.files.convention_file import convention_of
from ..diagnosis.asked_convention import Asked
from ..diagnosis.handed_in import bias_of, layer_weights, of_each_example
from .accepted_forms import batch_forms, matrix_forms
from .line_in_convention import Kept, LineInConvention
from .questions import ArrayQuestion, NullQuestion, Question, ShapeQuestion
from .task import Planted, Task
from .trusted_code import run_lines, value_of
from .typed_names import name_in, typed_convention
from .wording import worded

ONE_FORM = "\n\nThis exercise has one form in every convention: {why}.\n"
NO_NETWORK = "it has no network whose arrays a convention could order"
TIMES_M = ", times m: the 1/m stands in the gradients"
IN_ROWS, IN_COLUMNS = "examples in rows", "examples in columns"


def sheet_in(task: Task, convention: Asked | None, who: str = "exercise") -> Task:
    """The task as a convention writes it; as it is where none is asked for.

    Raises SpecError for a convention that is not known, and for names that no sheet can have.
    """
    if convention is None or task.raw is None:
        return task
    try:
        ready = convention_of(convention)
    except SpecError as error:
        raise SpecError(f"{who}: {error}") from None
    if task.one_form or task.run is None:
        said = ONE_FORM.format(why=task.one_form or NO_NETWORK)
        return replace(task, convention=ready, statement=task.statement.rstrip("\n") + said)
    try:
        asked = _InConvention(task.raw, ready).task()
    except JacobianError as error:
        raise SpecError(f"{who}: exercise {task.number}: {error}") from None
    return replace(asked, checkable=task.checkable)


def given_of(task: Task, convention: ReadyMade, theirs: Mapping[str, Any]) -> dict[str, Any]:
    """What is given in the package's own convention, of the numbers that stand in a sheet.

    `task` is any one of the exercise.
    """
    if task.raw is None or task.one_form or task.run is None:
        return dict(theirs)
    return _InConvention(task.raw, convention).given_back(theirs)


@dataclass(frozen=True)
class _Joined:
    """A bias that is a line of its weight."""

    weight: str
    axis: int  # of the student's array
    place: int  # 0, or -1


class _InConvention:
    """One task and one convention: how each name is kept, and what follows from it."""

    def __init__(self, raw: Task, ready: ReadyMade) -> None:
        assert raw.run is not None
        convention = ready.convention
        self.state = raw.run.forward_pass
        self.times = of_each_example(self.state, convention)
        if raw.of_each_example is not None and self.times != 1:
            raw = replace(raw.of_each_example, of_each_example=None)
        self.raw, self.ready = raw, ready
        layers = sum(name[:1] == "W" and name[1:].isdecimal() for name in self.state.program.params)
        self.written = typed_convention(ready, layers)
        self.asked = {question.name: question for question in raw.questions}
        deltas = [q.name for q in raw.questions if self._is_delta(getattr(q, "key", None))]
        self.called = name_in(self.written, deltas)
        self.joined = self._biases_in_weights(convention)
        known = (*raw.names, *self.asked)
        self.kept = {name: self._kept(name) for name in known}
        self._require_apart()
        self.count = "m" if self._is_count(raw.names.get("m")) else f"len({self._batched()})"
        self.lines = self._lines(raw.answers())

    # ---------------------------------------------------------------- how a name is kept

    def _is_delta(self, key: Any) -> bool:
        return isinstance(key, str) and key not in self.state.program.params

    def _kept(self, name: str) -> Kept:
        """By what the name stands for: a value of the run, or what an answer is the gradient of."""
        called, of = self.called(name), name
        question = self.asked.get(name)
        if question is not None:
            key = getattr(question, "key", None)
            if getattr(question, "stands_as", ""):
                return Kept(called, self._turned(getattr(question, "stands_as", "")))
            if not isinstance(key, str) or isinstance(question, ShapeQuestion):
                return Kept(called)
            of = key
        elif name in self.raw.alike:
            of = self.raw.alike[name]
        is_answer = of != name or question is not None
        value: Any = self.raw.names.get(name) if question is None else question.right
        if of not in self.state.values or np.shape(value) != self.state.values[of].shape:
            return Kept(called)
        power = int(is_answer and self._is_delta(of) and self._is_batched(of) and self.times != 1)
        if not is_answer and name in self.joined:
            place = self.joined[name]
            weight = self.called(place.weight)
            return Kept(f"{weight}[{':, ' * place.axis}{place.place}]")
        bias = bias_of(self.state, name)
        if not is_answer and bias in self.joined:
            place = self.joined[bias]
            lines = "1:" if place.place == 0 else ":-1"
            return Kept(f"{called}[{':, ' * place.axis}{lines}]", self._turned(of))
        return Kept(called, self._turned(of), power)

    def _turned(self, name: str) -> bool:
        """Whether a matrix of the run has its axes exchanged."""
        if self.state.values[name].ndim != 2:
            return False
        if self._is_batched(name):
            return self.written.examples == "columns"
        return name in layer_weights(self.state) and self.written.weights == "in,out"

    def _is_batched(self, name: str) -> bool:
        return name in self.state.batched and self.state.values[name].ndim == 2

    def _biases_in_weights(self, convention: Convention) -> dict[str, _Joined]:
        if convention.bias == "own":
            return {}
        axis, place = int(convention.weights == "out,in"), -(convention.bias == "last")
        found = {}
        for weight in layer_weights(self.state):
            bias = bias_of(self.state, weight)
            if bias is not None and {weight, bias} <= self.raw.given.keys():
                found[bias] = _Joined(weight, axis, int(place))
        return found

    def _require_apart(self) -> None:
        """SpecError where two names of the sheet would be one."""
        first: dict[str, str] = {"np": "numpy"}
        for ours, kept in self.kept.items():
            other = first.setdefault(kept.text, ours)
            if other != ours:
                raise SpecError(
                    f"a sheet in this convention cannot be written: {kept.text} would be both "
                    f"{other} and {ours}.\n  Give one of the two another name in names = {{…}}."
                )

    def _is_count(self, value: Any) -> bool:
        return isinstance(value, int) and value == self.state.examples

    def _batched(self) -> str:
        return next((name for name in self.raw.given if name in self.state.batched), "x")

    # ---------------------------------------------------------------- the task

    def task(self) -> Task:
        raw = self.raw
        given, forward = self._given(), self.lines.lines(raw.forward)
        statement = self._said(raw.statement).rstrip("\n")
        mean = "delta" if self.times == 1 else "gradient"
        return replace(
            raw,
            raw=raw,
            convention=self.ready,
            written=replace(self.written, bias="own"),  # its gradient is asked by itself
            given=given,
            forward=forward,
            names=run_lines(forward, given),
            statement=f"{statement}\n\n{self._heading()}\n",
            more=self._said(raw.more),
            hints=tuple(map(self._said, raw.hints)),
            questions=tuple(map(self._question, raw.questions)),
            mistakes=tuple(map(self._planted, (m for m in raw.mistakes if m.mean in ("", mean)))),
            right_forms=tuple(map(self._planted, raw.right_forms)),
        )

    def _heading(self) -> str:
        """Which convention the sheet is in."""
        name, about = self.ready.name or "of the course", self.ready.about
        said = self.written if self.times != 1 else replace(self.written, mean="delta")
        return f"Convention {name}{f' ({about})' * bool(about)}: {said}."

    def _given(self) -> dict[str, Any]:
        found = {}
        for name, value in self.raw.given.items():
            if name in self.joined:
                continue
            kept = self.kept[name]
            if isinstance(value, np.ndarray):
                value = np.array(value.T if kept.turned else value, order="C")
                value = value * self.times if kept.power else value
            for bias, joined in self.joined.items():
                if joined.weight == name:
                    line = np.expand_dims(self.raw.given[bias], joined.axis)
                    parts = [line, value] if joined.place == 0 else [value, line]
                    value = np.concatenate(parts, axis=joined.axis)
            found[self.called(name)] = value
        return found

    def given_back(self, theirs: Mapping[str, Any]) -> dict[str, Any]:
        """What stands in a sheet, in the package's own axes and names."""
        found = {}
        for name in self.raw.given:
            kept = self.kept[name]
            value = run_lines(f"_value = {kept.text}", theirs)["_value"]
            if isinstance(value, np.ndarray):
                value = np.array(value.T if kept.turned else value, order="C")
            found[name] = value
        return found

    # ---------------------------------------------------------------- texts and lines

    def _lines(self, answers: Mapping[str, Any]) -> LineInConvention:
        return LineInConvention({**self.raw.names, **answers}, self.kept, self.count)

    def _said(self, text: str) -> str:
        """A text of the exercise in the convention."""
        names = {meant: name for name, meant in self.written.names.items()}
        names |= {ours: kept.text for ours, kept in self.kept.items()}
        return worded(text, self.written, self._code, names)

    def _code(self, line: str) -> str:
        return self.lines.lines(line)

    def _planted(self, planted: Planted) -> Planted:
        lines = self._lines(self.raw.answers(planted))
        answers, besides = (
            {self.called(name): self._answer(name, line, lines) for name, line in each.items()}
            for each in (planted.answers, planted.besides)
        )
        return replace(planted, answers=answers, besides=besides, says=self._said(planted.says))

    def _answer(self, name: str, line: str, lines: LineInConvention) -> str:
        """The line that answers a question, of a shape that it is asked in or of another one."""
        question, kept = self.asked[name], self.kept[name]
        if isinstance(question, ShapeQuestion):
            return self._sizes(question, line, lines)
        if isinstance(question, ArrayQuestion) and question.key and question.right.ndim == 1:
            return lines.either(line, kept)
        return lines.line(line, kept)

    def _sizes(self, question: ShapeQuestion, line: str, lines: LineInConvention) -> str:
        """A shape that is answered, its sizes in the order of the student's axes."""
        node = ast.parse(line, mode="eval").body
        if isinstance(node, ast.Attribute) and node.attr == "shape":
            array = ast.unparse(node.value)
            turned = self._stands_turned(question.key)
            return f"{_enclosed(lines.line(array, Kept('', turned)))}.shape"
        if not isinstance(node, ast.Tuple | ast.List):
            return lines.line(line)
        shape = tuple(int(size) for size in value_of(line, lines.names))
        order = self._order(question, shape)
        node.elts = [node.elts[place] for place in order]
        return lines.line(ast.unparse(node))

    def _stands_turned(self, key: Any) -> bool:
        return isinstance(key, str) and self._turned(key)

    def _order(self, question: ShapeQuestion, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The places of our sizes, as the student has them; what is laid flat stays.

        Of a Jacobian by W the axes of W are the last two, or in layout gradient the first two.
        """
        key, forms, rank = question.key, question.forms, len(shape)
        as_it_is = tuple(range(rank))
        if isinstance(key, str):
            if self.state.values[key].ndim == 1 and shape in forms.values():
                return as_it_is
            turned = self._turned(key)
            if self.state.values[key].ndim == 1:  # a bias by examples: as a delta
                turned = self.written.examples == "columns"
        else:
            turned = key is not None and self._turned(key[1])
        flat = any(shape == form for name, form in forms.items() if "flat" in name)
        if not turned or flat or rank < 2:
            return as_it_is
        first = rank == 3 and shape == forms.get("gradient") != forms.get("numerator")
        return (1, 0, 2) if first else (*as_it_is[:-2], rank - 1, rank - 2)

    # ---------------------------------------------------------------- questions

    def _question(self, question: Question) -> Question:
        kept = self.kept[question.name]
        asked = replace(
            question,
            name=kept.text,
            ask=self._said(question.ask) + TIMES_M * bool(kept.power),
            solution=self._answer(question.name, question.solution, self.lines),
        )
        if isinstance(asked, NullQuestion):
            return replace(asked, apart_from=tuple(map(self.called, asked.apart_from)))
        if isinstance(question, ShapeQuestion) and isinstance(asked, ShapeQuestion):
            theirs = {
                IN_ROWS
                if name == IN_COLUMNS and self._stands_turned(question.key)
                else name: tuple(form[place] for place in self._order(question, form))
                for name, form in question.forms.items()
            }
            return replace(asked, forms=theirs)
        if isinstance(asked, ArrayQuestion) and question.right.ndim == 2:
            in_columns = kept.turned and IN_COLUMNS in asked.forms
            return replace(asked, forms=self._forms(asked.forms, kept), in_columns=in_columns)
        return asked

    def _forms(self, forms: Mapping[str, np.ndarray], kept: Kept) -> Mapping[str, np.ndarray]:
        """The forms that are right, the first one as the convention has it."""
        if not (kept.turned or kept.power):
            return forms
        right = next(iter(forms.values())) * (self.times if kept.power else 1.0)
        theirs = right.T if kept.turned else right
        if "gradient" in forms:
            return matrix_forms(theirs)
        if IN_COLUMNS in forms:
            other = IN_ROWS if kept.turned else IN_COLUMNS
            return dict(zip(("", other), batch_forms(theirs).values(), strict=True))
        return {"": theirs}


def _enclosed(text: str) -> str:
    """An expression of which an attribute can be asked."""
    return text if text.isidentifier() else f"({text})"
