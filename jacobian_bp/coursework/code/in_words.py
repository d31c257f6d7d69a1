"""A reading of a text put into words: right or not, its lines, and what is to be asked."""

import ast
import re
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity
from .already_updated import UPDATED
from .blame import Blame, Found
from .classes import BACK, gives_back, has_own_lines
from .code_report import CodeLine, CodeReport
from .costs import costs_of, holds_cost
from .judge import Judgement, Wrong
from .kinks import off_the_kink
from .limits import LANGUAGE, shown
from .one_op import StudiedOp
from .parsing import Parsed
from .penalty import Penalty, penalty_of
from .readings import Reading, Readings
from .sentences import of_reading, of_wrong
from .store import BREAK, UNREAD
from .trials import Trials

NO_DROPOUT = "The run has no dropout: masks and keep_prob are read as 1, and are not judged."
UNLIKE = "is not the run's cost, nor a usual number times it."
MOST_OF_LAYERS = 2  # wrong lines of a text of layers
NAMED = re.compile(r"[^\W\d]")  # a number or a list that something is read from has no name
WRITABLE = {"T", "np", "maximum", "tanh", "exp"}  # beside the names of the text


def _with(line: CodeLine, said: str | None) -> CodeLine:
    return line if said is None else replace(line, sentences=(*line.sentences, said))


class InWords:
    """The headline, a report for each line, and what is to be asked."""

    def __init__(
        self,
        parsed: Parsed,
        readings: Readings,
        best: Reading,
        as_good: list[Reading],
        own: bool,
        text: str,
        asked: bool,
    ) -> None:
        self.readings = readings
        self.asked = asked  # whether the function is named that is to be judged
        self.parsed, self.best, self.as_good, self.own = parsed, best, as_good, own
        self.text = text.expandtabs(4)
        self.judgement: Judgement = best.judgement
        self.quantities = best.quantities
        self.trials = Trials(parsed, best.quantities, readings.budget)
        self.costs = costs_of(best.quantities)
        self.trials.swapped = best.judgement.swapped
        self.wrong = list(self.judgement.wrong)
        self.taken: dict[int, str] = {}  # lines that are not read, whose name says their value
        self.unlike: dict[int, str] = {}  # lines of a cost that is another one
        self._correct()
        self.unfit = self._unfit()
        self.way_out = self._way_out(readings.convention is not None) if self.unfit else ""
        if self.unfit:
            self.wrong = []
        self.penalty: Penalty | None = self._penalty()

    def made(self) -> CodeReport:
        lines = self._lines()
        ask = self._ask()
        first = None if self.as_good else (self.wrong[0].line if self.wrong else None)
        right = self._right(lines)
        if right and not self.penalty:
            said = off_the_kink(self.best, self.readings)
            lines = [_with(line, said.get(line.number)) for line in lines]
        return CodeReport(
            right=right,
            first_wrong=first,
            lines=tuple(lines),
            convention=self.best.layout.convention,
            sentences=tuple(self._sentences(right, first, lines, ask)),
            ask=ask,
            text=self.text,
        )

    def _unfit(self) -> list[int]:
        """The lines of layers that do not fit the run; beyond a few it is not read as it is meant.

        One layer's line serves every layer of its kind, so a mistake shows in one place: several
        wrong lines, or one beside lines that are not read, tell of the reading, not of the text.
        """
        if isinstance(self.quantities.studied, StudiedOp):
            return []
        of_layers = self.parsed.parts or any(c.is_layer for c in self.parsed.classes.values())
        lines = sorted({one.line for one in self.wrong})
        several = len(lines) > MOST_OF_LAYERS or bool(lines and self.judgement.unread)
        # what a layer by itself is handed is a guess: numpy may refuse the guess, not the text
        breaks = [one.found for one in self.wrong if one.found.why == "break"]
        unsaid = any(found.instead is None and found.quantity is None for found in breaks)
        guessed = self.parsed.parts is not None and unsaid
        return lines if of_layers and (several or guessed) else []

    def _way_out(self, said: bool) -> str:
        """What to do about layers that do not fit: the layout is asked for where it is open."""
        layout = self.best.layout
        calls = {one.calls[-1] for one in self.wrong if one.calls}
        if self._forward_fits():
            where = f", in line {calls.pop()}" if len(calls) == 1 else ""
            return (
                f"The forward pass is right for {layout}: see whether the layers are gone through "
                f"from the last to the first{where}. Or hand in one layer alone."
            )
        if said:
            return "Hand in one layer alone."
        examples = "rows" if layout.convention.examples == "columns" else "columns"
        weights = "in,out" if layout.convention.weights == "out,in" else "out,in"
        return (
            f"Hand in one layer alone. Or, if it is not written for {layout}, say how: such as "
            f"convention=Convention({examples!r}, {weights!r})."
        )

    def _forward_fits(self) -> bool:
        """Whether the output of the network comes out right, which it does in one layout only."""
        output, stores = Quantity("value", self.quantities.output), self.judgement.trace.stores
        places = [n for n in range(len(stores)) if self._stands_for(n) == output]
        needed = self.judgement.trace.ancestors(places[0]) if places else set()
        wrong = {one.number for one in self.wrong}
        return bool(needed) and not needed & wrong

    def _right(self, lines: list[CodeLine]) -> bool | None:
        if self.wrong:
            return False
        if self.unfit:
            return None
        gradients = self.judgement.trace.gradients
        if self.judgement.unread or not all(gradients.right.values()):
            return None
        if self.judgement.computes_derivatives:
            return None if self._no_layer else True
        if self._has_unknown_gradients:
            return None
        return True if self._before_the_output and self._left_out is None else None

    @property
    def _has_unknown_gradients(self) -> bool:
        """Whether a value that comes from the label has the shape of a parameter, and is none."""
        trace, known = self.judgement.trace, self.quantities.known
        shapes = {known[q].shape for q in known if q.is_parameter_gradient and known[q].ndim > 1}
        return any(
            isinstance(store.value, np.ndarray)
            and store.value.shape in shapes
            and trace.carries_derivative(number)
            for number, store in enumerate(trace.stores)
        )

    @cached_property
    def _left_out(self) -> ast.FunctionDef | None:
        """A backward function beside the forward pass, of which nothing is read."""
        if self.asked:
            return None  # it is the forward function that is to be judged
        every = [f for of in self.parsed.classes.values() for f in of.own.values()]
        back = [f for f in [*every, *self.parsed.helpers.values()] if BACK.fullmatch(f.name)]
        return next((f for f in back if has_own_lines(f)), None)

    @cached_property
    def _no_layer(self) -> ast.FunctionDef | None:
        """A backward function beside those of layers, whose name says no layer."""
        parts = self.parsed.parts
        others = self.parsed.helpers.values() if parts and not parts.classes else ()
        own = parts.functions if parts else ()
        return next(
            (f for f in others if f not in own and gives_back(f) and has_own_lines(f)), None
        )

    @cached_property
    def _before_the_output(self) -> set[int]:
        """The stores that the right value of the last layer comes from; none where one breaks."""
        output, trace = Quantity("value", self.quantities.output), self.judgement.trace
        found = [n for n in range(len(trace.stores)) if self._stands_for(n) == output]
        needed = trace.ancestors(found[-1]) | {found[-1]} if found else set()
        broken = any(trace.stores[n].kind in (BREAK, UNREAD) for n in needed)
        return set() if broken or self.wrong else needed

    def _correct(self) -> None:
        """One change that mends each wrong line, where there is one."""
        mended: dict[int, Any] = {}
        for wrong in sorted(self.wrong, key=lambda w: w.number):
            if (
                wrong.quantity
                and wrong.found.instead is None
                and wrong.found.why not in ("helper", "layer", "argument", "order", UPDATED)
            ):
                trace = self.trials.trace(mended, keeps=True)
                blame = Blame(self.trials, trace, mended, set())
                if wrong.number < len(trace.stores):
                    found = blame.one_change(
                        wrong.number, wrong.number, wrong.quantity, wrong.wanted
                    )
                    if found and self._can_be_written(found.instead):
                        wrong.found.instead, wrong.found.change = found.instead, found.detail
            if wrong.quantity:
                trace = self.trials.trace(mended)
                if wrong.number < len(trace.stores):
                    mended |= trace.right(wrong.number, wrong.quantity, wrong.wanted)
        self.mended = mended

    def _can_be_written(self, instead: ast.stmt | None) -> bool:
        """Whether a function's line reads only names that stand in its text."""
        if instead is None or self.parsed.function is None:
            return instead is not None
        words = set(re.findall(r"\w+", "\n".join(self.parsed.lines)))
        return set(re.findall(r"[A-Za-z_]\w*", ast.unparse(instead))) <= words | WRITABLE

    def _penalty(self) -> Penalty | None:
        if self.judgement.unread:
            return None
        if self.wrong:
            return None
        penalty = penalty_of(self.best, self.trials, self.mended)
        if penalty and penalty.line is not None:
            number = next(
                n for n, s in enumerate(self.judgement.trace.stores) if s.line == penalty.line
            )
            store = self.judgement.trace.stores[number]
            found = Found(number, None, "penalty", penalty.sentence)
            self.wrong.append(Wrong(number, store.line, store.said, None, found, store.value))
        return penalty

    # ---------------------------------------------------------------- the lines

    def _lines(self) -> list[CodeLine]:
        """A report for each line that stores something, loops taken together."""
        wrong: dict[int, Wrong] = {}
        for one in self.wrong:
            wrong.setdefault(one.line, one)
        stands: dict[int, dict[str, None]] = {}
        judged: dict[int, bool | None] = {}
        taken: dict[int, str] = {}
        unlike: dict[int, str] = {}
        open_parts: dict[int, str] = {}  # lines with a returned value that stands for nothing known
        for number, store in enumerate(self.judgement.trace.stores):
            if store.kind == UNREAD:
                judged.setdefault(store.line, None)
                if store.is_returned:
                    open_parts[store.line] = f"Not read: {store.error}."
                else:
                    taken[store.line] = store.error
                continue
            if isinstance(store.value, tuple | list | dict):
                continue  # its parts are judged where they are stored
            of_cost = holds_cost(store, self.quantities, self.costs) or self._may_be_cost(number)
            quantity = None if of_cost else self._stands_for(number)
            feeds = number in self._before_the_output or self._feeds_right_gradients(number)
            cost = of_cost and self.costs is not None and self.costs.is_right(store.value)
            if (
                of_cost
                and self.costs is not None
                and not cost
                and np.any(store.value)
                and not self.judgement.trace.draft(number)
                and not self.judgement.trace.is_after_update(number)
            ):
                unlike[store.line] = f"Not judged: {shown(store.said)} {UNLIKE}"
            known = quantity is not None or feeds or cost
            judged[store.line] = True if known and not self.unfit else judged.get(store.line)
            if store.is_returned and not known:
                open_parts.setdefault(store.line, f"Not judged: {shown(store.said)}.")
            words = stands.setdefault(store.line, {})
            words |= {str(quantity): None} if quantity else {"the cost": None} if cost else {}
        for line, why in self.judgement.trace.unread_steps.items():
            open_parts.setdefault(line, f"Not judged: a step of training; not read: {why}.")
        judged |= dict.fromkeys(open_parts)
        unlike = {**open_parts, **unlike}
        numbers = sorted({*judged, *wrong, *self.judgement.unread})
        self.taken = {line: error for line, error in taken.items() if line not in wrong}
        if all(one.found.why != "cost" for one in self.wrong):
            self.unlike = {line: said for line, said in unlike.items() if judged[line] is None}
        return [
            self._line(n, wrong.get(n), judged.get(n), ", ".join(stands.get(n, ())))
            for n in numbers
        ]

    def _may_be_cost(self, number: int) -> bool:
        """Whether it is one returned number, which is no gradient and has no key that says what."""
        store, gradients = self.judgement.trace.stores[number], self.judgement.trace.gradients
        unsaid = store.is_returned and self.quantities.goal(store) is None
        return unsaid and np.ndim(store.value) == 0 and number not in gradients.of

    def _line(self, number: int, wrong: Wrong | None, right: bool | None, stands: str) -> CodeLine:
        text = self.parsed.lines[number - 1].strip()
        if number in (contradicting := self._contradicting()):
            return CodeLine(number, text, None, "", None, (contradicting[number],))
        if wrong:
            instead = wrong.found.instead
            says = of_wrong(wrong, self.quantities, self.own)
            meant = says[-1].removeprefix("Meant: ").split("   (")[0] if instead else None
            what = str(wrong.quantity) if wrong.quantity else ""
            return CodeLine(number, text, False, what, meant, tuple(says))
        if number in self.judgement.unread:
            says = [f"Not read: {self.judgement.unread[number]}."]
            if number == self._unread_form:
                says.append(" ".join(LANGUAGE.split()))
            return CodeLine(number, text, None, stands, None, tuple(says))
        if number in self.taken:
            says = [f"Not read: {self.taken[number]}. It is taken as right."]
            return CodeLine(number, text, None, stands, None, tuple(says))
        said = (self.unlike[number],) if number in self.unlike else ()
        return CodeLine(number, text, right, stands, None, said)

    @cached_property
    def _unread_form(self) -> int | None:
        """The first line that is not read for what is written there, and not for a name in it."""
        named = self.judgement.trace.unknown.values()
        return min((n for n in self.judgement.unread if n not in named), default=None)

    def _contradicting(self) -> dict[int, str]:
        """Two lines of which each is right in a layout in which the other is wrong."""
        if not self.as_good:
            return {}
        both = (self.best, self.as_good[0]), (self.as_good[0], self.best)
        return {one.first_wrong or 0: f"Right for {other.layout}." for one, other in both}

    def _stands_for(self, number: int) -> Quantity | None:
        store, trace = self.judgement.trace.stores[number], self.judgement.trace
        goal = trace.gradients.of.get(number) or self.quantities.goal(store)
        matches = self.quantities.matches(store.value, goal)
        return matches[0].quantity if matches else None

    def _feeds_right_gradients(self, number: int) -> bool:
        trace = self.judgement.trace
        below = trace.descendants(number) & set(trace.gradients.of)
        return bool(below) and all(trace.gradients.right[n] for n in below)

    # ---------------------------------------------------------------- the sentences

    def _ask(self) -> str | None:
        if self.as_good:
            written = self.best.layout.convention
            return (
                "Which one is wrong depends on the layout: say it, such as "
                f"convention=Convention({written.examples!r}, {written.weights!r})."
            )
        unknown = {n: at for n, at in self.judgement.trace.unknown.items() if NAMED.match(n)}
        if self.judgement.unread and unknown:
            name, line = next(iter(unknown.items()))
            if name in self.parsed.plain_targets:
                return f"Line {line} reads {shown(name)} before the text stores it."
            return f"Which quantity is {shown(name)}, in line {line}?"
        return None

    def _sentences(
        self, right: bool | None, first: int | None, lines: list[CodeLine], ask: str | None
    ) -> list[str]:
        says = [self._headline(right, first, sum(line.right is True for line in lines))]
        told = any(line.right is not None for line in lines) and not self.as_good
        says += of_reading(self.best, self.own, told)
        says += [ask] if ask else []
        for number, what in self.judgement.misnamed.items():
            store = self.judgement.trace.stores[number]
            if what:
                says.append(f"{shown(store.said)} in line {store.line} is {what}.")
        if self.quantities.drops:
            says.append(NO_DROPOUT)
        if self.penalty and self.penalty.line is None:
            says.append(self.penalty.sentence)
        return says

    def _headline(self, right: bool | None, first: int | None, fine: int) -> str:
        wrong = sorted({one.line for one in self.wrong} - {first})
        if right:
            if not self.judgement.computes_derivatives:
                return f"Right: {fine} line{'s' * (fine != 1)} of the forward pass."
            gradients = sorted({q.of for q in self.judgement.trace.gradients.of.values()})
            of = f", with the gradients of {', '.join(gradients)}" if gradients else ""
            return f"Right: {fine} line{'s' * (fine != 1)}{of}."
        if self.as_good:
            lines = sorted(r.first_wrong or 0 for r in (self.best, self.as_good[0]))
            return f"Lines {lines[0]} and {lines[1]} contradict each other."
        if first is not None:
            also = f"; wrong by themselves are also {', '.join(map(str, wrong))}" if wrong else ""
            credit = f"; {fine} other{'s are' if fine > 1 else ' is'} right, given its right value"
            return f"Line {first} is the first wrong one{also}{credit if fine else ''}."
        if self.unfit:
            where = f"line{'s' * (len(self.unfit) > 1)} {', '.join(map(str, self.unfit))}"
            return (
                f"Not judged: as its layers are read, {where} would not fit the run. {self.way_out}"
            )
        unread = sorted(self.judgement.unread)
        if unread:
            return f"Not judged: line {unread[0]} is not read."
        if self._no_layer is not None:
            name, line = self._no_layer.name, self._no_layer.lineno
            return f"Not judged: which layer {name}() in line {line} is of, its name does not say."
        if self._before_the_output and self._left_out is not None:
            name, line = self._left_out.name, self._left_out.lineno
            return f"Not judged: no call of {name}() in line {line} is read."
        return "Not judged: it computes no derivative of the run."
