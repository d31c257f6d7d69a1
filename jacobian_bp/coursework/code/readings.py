"""How a text can be read: rows or columns, the order of W, which letter is which."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import product
from typing import Any

from ...derivation.convention import Convention
from ..lines.vocabulary import COUNT, Naming, Quantity, is_numbered
from .judge import MOST_WRONG, Judge, Judgement
from .laid_out import Layout
from .limits import Budget, NotReadError, ShapesError
from .one_op import BATCH, StudiedOp
from .parsing import Parsed
from .quantities import Quantities
from .store import BREAK, MASKED, UNREAD
from .studied import Studied
from .trace import Trace
from .trials import Trials

CONVENTIONS = [Convention(e, w) for e in ("rows", "columns") for w in ("in,out", "out,in")]
COUNTED = re.compile(rf"\b(?:{'|'.join(sorted(COUNT))}|len)\b")
LABELLED = r"(?:self\.)?(?:y|t|labels?|targets?|y_true|y_train|y_batch|y_mini|true_labels)"
ENCODED = re.compile(  # one_hot(Y), np.eye(k)[Y], d[range(m), y] -= 1: Y holds classes
    rf"(?:one_?hot|to_categorical|encode)\w*\( *{LABELLED}\b"
    rf"|eye\([^\[\]]*\)\[ *{LABELLED} *\]"
    rf"|\[ *(?:np\.arange|range|list)\([^\[\]]*, *(?:list\( *)?{LABELLED} *\)? *\]",
    re.IGNORECASE,
)
COUNTED_FROM_0 = re.compile(
    r"\b(?:nabla_|grad_|d_?)?(?:W|w|weights?|theta|b|bias(?:es)?)_?0\b|['\"]d?[WwBb]0['\"]"
)
WITH_ONES = re.compile(  # 1s beside an activation, or W without its bias: the bias is in W
    r"(?:stack|concatenate|append|\bc_|\br_)\b.*\bones\b|insert\(.*\b1(?:\.0?)?, *axis"
    r"|(?:append|hstack)\(\(?\[? *1(?:\.0?)? *\]?,|insert\(.*, *0, *1(?:\.0?)?\)"
    r"|\b(?:[Tt]heta|W)_?\d\[(?::, *)?(?:1:|:-1)\]"
)
BARE = re.compile(r"(?<![\w.\[])(?:self\.)?d?[Ww]\b(?!\w|\[)|['\"]d?[Ww]['\"]")
FIRST = re.compile(r"\b(?:\w+_)?d?[Ww]_?[01]\b")
DEPTH = re.compile(r"\b(?:num_layers|n_?layers)\b")
ONE_COLUMN = re.compile(r"\w\[ *: *, *\w+\[\w+\] *\]")
DROPS = re.compile(r"\bkeep_?prob|dropout", re.IGNORECASE)
L2, LAYERS = re.compile(r"\bl2\b"), re.compile(r"\bl[013]\b")  # l2: a penalty, or layer 2
NOTHING_READ = 5  # as bad as that many wrong lines
ALWAYS_ASKED = {"gates", "swapped", "y_is_output", "first", "input", "bare"}  # by any name
ALWAYS_ASKED |= {"times", "coded"}
MOST_TRIED, MOST_GUESSES, MOST_WORSE = 12, 3, 2
MOST_WORSE_STEPS = 6  # of what breaks or is wrong where the steps of a recurrent network are read

Score = tuple[int, int, int, int, int]
# how bad, whether it is unusual, and the places of the two that follow
Ranked = tuple[int, bool, int, int, Naming, Layout]


@dataclass(frozen=True)
class Reading:
    """A text judged in one layout and naming; a lower score is a better reading."""

    layout: Layout
    naming: Naming
    quantities: Quantities
    judgement: Judgement
    guessed: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def score(self) -> Score:
        found = self.judgement
        lines = {wrong.line for wrong in found.wrong} | set(found.unread)
        return (
            len(lines)
            + (0 if found.computes_derivatives else NOTHING_READ)
            + (self.naming.swapped and (not self._stores_activations or bool(found.misnamed))),
            self._wrong_forward,
            sum(wrong.found.why == "break" for wrong in found.wrong),
            sum(found.trace.stores[number].kind != MASKED for number in found.misnamed),
            (found.trace.gradients.factor != 1) + (self.naming != Naming()),
        )

    @property
    def _wrong_forward(self) -> int:
        """How many forward lines are wrong: of readings that are as good, these tell the layout."""
        trace = self.judgement.trace
        return sum(
            (wrong.quantity is None or wrong.quantity.kind == "value")
            and not trace.carries_derivative(wrong.number)
            for wrong in self.judgement.wrong
        )

    @cached_property
    def _stores_activations(self) -> bool:
        """Whether forward lines show which of a and z is the activation."""
        goals = [self.quantities.goal(store) for store in self.judgement.trace.stores]
        return any(goal and goal.kind == "value" and goal.of[0] in "za" for goal in goals)

    @property
    def first_wrong(self) -> int | None:
        wrong = self.judgement.wrong
        return wrong[0].line if wrong else None


class Readings:
    """Every reading of one text on one network."""

    def __init__(
        self,
        parsed: Parsed,
        studied: Studied | StudiedOp,
        convention: Convention | None,
        numbers: dict[str, float],
        penalties: frozenset[str] = frozenset(),
    ) -> None:
        self.parsed, self.studied, self.numbers = parsed, studied, numbers
        self.penalties = penalties
        self.convention, self.budget = convention, Budget()
        self.text = parsed.walked
        self.penalties |= {"l2"} if L2.search(self.text) and not LAYERS.search(self.text) else set()
        self.error: NotReadError | None = None
        self._of: dict[tuple[Layout, Naming], Reading | None] = {}

    def best(self) -> tuple[Reading | None, list[Reading]]:
        """The best reading, and those as good in another convention that name another line."""
        ranked = self._ranked()
        best: Reading | None = None
        first: dict[Layout, tuple[int, Naming]] = {}
        for bad, naming, layout in ranked:
            first.setdefault(layout, (bad, naming))
        order = [(bad, naming, layout) for layout, (bad, naming) in first.items()] + ranked
        for place, (bad, naming, layout) in enumerate(order):
            if best is not None and (best.score[:4] == (0, 0, 0, 0) or self._is_settled(best)):
                break
            known = (layout, naming) in self._of
            beyond = place >= len(first)
            if known or (beyond and best and self._hopeless(bad, layout, best, first)):
                continue
            reading = self._reading(layout, naming, most=_worth(best))
            if reading and (best is None or reading.score < best.score):
                best = reading
        if best is None:
            return None, []
        if best.score[0] and _may_be_told_by_a_name(best.judgement.trace):
            best = self._with_guesses(best)
        return best, self._as_good(best)

    def _is_settled(self, best: Reading) -> bool:
        """Whether one line is wrong in a text of several steps, as it is read by what fits best."""
        return self._is_of_steps and best.score[0] == 1 and bool(best.judgement.wrong)

    def _hopeless(
        self, bad: int, layout: Layout, best: Reading, first: dict[Layout, tuple[int, Naming]]
    ) -> bool:
        return (
            layout != best.layout
            or bad > first[layout][0] + MOST_WORSE
            or len(self._of) > MOST_TRIED
        )

    def _as_good(self, best: Reading) -> list[Reading]:
        if self.convention is not None:
            return []
        return [
            r
            for r in self._of.values()
            if r
            and r.score[:2] == best.score[:2]
            and (best.judgement.computes_derivatives or r.score[2] == best.score[2])
            and r.naming == best.naming
            and r.layout.one == best.layout.one
            and None not in (r.first_wrong, best.first_wrong)
            and r.first_wrong != best.first_wrong
            and r.layout.convention != best.layout.convention
        ]

    @property
    def _declared(self) -> bool:
        """Whether the convention has the 1/m in the gradients."""
        return self.convention is not None and self.convention.mean == "gradient"

    def _is_of_one(self, trace: Trace) -> bool:
        """Whether a text for one example says so: by Nielsen's nabla, or a bias without a sum.

        Else a gradient of W that lacks the declared 1/m would pass as that of one example.
        """
        biases = [found for found in trace.gradients.of.values() if found.of[0] == "b"]
        return bool(biases) or "nabla" in self.text

    def layouts(self) -> list[Layout]:
        """One example alone is out where the text sums, averages or divides by m."""
        if isinstance(self.studied, StudiedOp):
            found = self.studied.layouts(self.convention)
            several = self.studied.is_of_examples(self.text)
            return [each for each in found if not (each.one and several)]
        conventions = [self.convention] if self.convention else CONVENTIONS
        if not self.convention and WITH_ONES.search(self.text):
            in_weights = [replace(c, bias=b) for b in ("first", "last") for c in CONVENTIONS]
            conventions = in_weights + CONVENTIONS
        batches = [Layout(convention) for convention in conventions]
        if BATCH.search(self.text) or (self._declared and COUNTED.search(self.text)):
            return batches
        return batches + [Layout(convention, True) for convention in conventions]

    def namings(self) -> list[Naming]:
        """The usual one first."""
        if isinstance(self.studied, StudiedOp):
            return list(self.studied.namings(self.text))
        first = 0 if COUNTED_FROM_0.search(self.text) and self.convention is None else 1
        bare = bool(BARE.search(self.text)) and not FIRST.search(self.text)
        bare = bare and (self.studied.layers == 1 or bool(re.search(r"\bW_?2\b", self.text)))
        usual = Naming(first=first, bare=bare)
        found = [usual, replace(usual, slope_takes="a")]
        if re.search(r"\b(t|y_true|targets?|labels?|yt)\b", self.text) and re.search(
            r"\by\b", self.text
        ):
            found = [replace(naming, y_is_output=True) for naming in found] + found
        beyond = rf"\b(?:z|a|d|dz|da|delta)_?{self.studied.layers + 1}\b"
        if re.search(beyond, self.text, re.IGNORECASE):
            found = [replace(naming, input=1) for naming in found] + found
        if DEPTH.search(self.text):
            found += [replace(naming, counts_input=False) for naming in found]
        of_each = [replace(naming, given="m") for naming in found]
        found = of_each if self._declared else found + of_each
        found += [replace(naming, swapped=True) for naming in found]
        bias = self.convention.bias if self.convention else "own"
        if bias != "own" or (not self.convention and WITH_ONES.search(self.text)):
            found += [replace(naming, padded=True) for naming in found]
        return found

    def _quantities(self, layout: Layout, naming: Naming) -> Quantities:
        if isinstance(self.studied, StudiedOp):
            return self.studied.quantities(layout, naming, self.numbers)
        studied = self._one if layout.one else self.studied
        classes = bool(ENCODED.search(self.text))
        found = Quantities(studied, layout, naming, self.numbers, self.penalties, classes)
        found.drops = bool(DROPS.search(self.text))
        return found

    @cached_property
    def _one(self) -> Studied:
        assert isinstance(self.studied, Studied)
        return self.studied.one_example()

    def _ranked(self) -> list[tuple[int, Naming, Layout]]:
        """One walk for each reading: how much breaks, is not read, or gives a wrong gradient.

        Of several steps the layouts that break more than others are left out by the first namings.
        """
        namings, layouts = list(enumerate(self.namings())), list(enumerate(self.layouts()))
        if not self._is_of_steps:
            found = self._walked(namings, layouts)
        else:
            first = [each for each in namings if _tells_shapes(each[1], namings[0][1])]
            found = _near_the_best(self._walked(first, layouts))
            close = {b for _, _, _, b, _, _ in found}
            rest = [each for each in namings if each not in first]
            found += self._walked(rest, [each for each in layouts if each[0] in close])
        found.sort(key=_key)
        found = _near_the_best(found) if self._is_of_steps else found
        return [(bad, naming, layout) for bad, *_, naming, layout in found]

    @property
    def _is_of_steps(self) -> bool:
        return isinstance(self.studied, StudiedOp) and self.studied.is_of_steps

    def _walked(
        self, namings: list[tuple[int, Naming]], layouts: list[tuple[int, Layout]]
    ) -> list[Ranked]:
        """How bad each naming is in each layout, where the text can be walked."""
        found: list[Ranked] = []
        walked: dict[Layout, list[tuple[Naming, set[str]]]] = {}
        for (a, naming), (b, layout) in product(namings, layouts):
            before = walked.setdefault(layout, [])
            if any(_differ(naming, other).isdisjoint(asked) for other, asked in before):
                continue  # nothing that the two do not share has been asked for
            quantities = self._quantities(layout, naming)
            try:
                trace = Trials(self.parsed, quantities, self.budget).trace({})
            except ShapesError:
                continue
            except NotReadError as error:
                self.error = self.error or error
                continue
            finally:
                before.append((naming, quantities.asked | ALWAYS_ASKED))
            if layout.one and self._declared and not self._is_of_one(trace):
                continue
            found.append((self._badness(trace), self._is_unusual(layout), a, b, naming, layout))
        return found

    def _is_unusual(self, layout: Layout) -> bool:
        """Whether columns are asked of a text of several steps that takes one out, U[:, x[t]].

        That is a vector, and numpy adds it to others: of readings as good this one comes later.
        """
        columns = layout.one and layout.convention.examples == "columns"
        return columns and self._is_of_steps and bool(ONE_COLUMN.search(self.text))

    def _badness(self, trace: Trace) -> int:
        """How much of a walk breaks, is not read or is wrong, less what is right."""
        right = list(trace.gradients.right.values())
        if trace.quantities.layout.one and self.parsed.has_no_weights:
            right = []  # of one example ∂J/∂b is ∂J/∂z: it tells no layout
        broken = sum(s.kind in (BREAK, UNREAD) for s in trace.stores)
        if self._is_of_steps:
            return broken - _right_values(trace)
        bad = broken + sum(not r for r in right) - len(right)
        if isinstance(self.studied, StudiedOp):
            bad += len(right) * _wrong_values(trace)  # these tell the order of the gates
        return bad

    def _reading(
        self,
        layout: Layout,
        naming: Naming,
        guessed: dict[str, Any] | None = None,
        most: int = MOST_WRONG,
    ) -> Reading | None:
        """The reading, or None where it cannot be walked, or has more than `most` wrong lines."""
        quantities = self._quantities(layout, naming)
        for path, what in (guessed or {}).items():
            known = isinstance(what, Quantity)
            quantities.guessed[path] = quantities.known[what] if known else what
        try:
            judgement = Judge(self.parsed, quantities, self.budget, most).judgement()
        except (NotReadError, ShapesError):
            judgement = None
        reading = None
        if judgement is not None:
            reading = Reading(layout, naming, quantities, judgement, guessed or {})
        if guessed is None:
            self._of[layout, naming] = reading
        return reading

    def _with_guesses(self, best: Reading) -> Reading:
        """Names that nothing tells, tried as each quantity: kept where the text comes out right."""
        start = best
        for _ in range(MOST_GUESSES):
            unknown = best.judgement.trace.unknown
            open_names = [p for p in unknown if p not in best.guessed and not is_numbered(p)]
            if not open_names:
                break
            layouts = {
                r.layout for r in self._of.values() if r and r.score[0] <= start.score[0] + 2
            }
            found: list[Reading] = []
            most = start.score[0]
            for layout, what in product(sorted(layouts, key=str), self._guesses()):
                guessed = {**best.guessed, open_names[0]: what}
                reading = self._reading(layout, best.naming, guessed, most)
                if reading:
                    found.append(reading)
                    most = min(most, reading.score[0])
            if not found:
                break
            best = min(found, key=lambda r: (r.score, len(r.judgement.trace.unknown)))
        return best if best.score[0] == 0 else start

    def _guesses(self) -> Iterator[Any]:
        last = self.studied.layers
        names = ["W1", "W2", "a1", "z1", "x", "y", f"a{last}", "z2"]
        yield from (
            Quantity("value", n) for n in names if Quantity("value", n) in self.studied.arrays
        )


def _worth(best: Reading | None) -> int:
    """How many wrong lines a reading may have to be as good, or to be mended by a guess."""
    if best is None:
        return MOST_WRONG
    return best.score[0] + MOST_WORSE * bool(best.judgement.trace.unknown)


def _may_be_told_by_a_name(trace: Trace) -> bool:
    """Whether names are open, and no call of a backward is left unread by anything else."""
    return bool(trace.unknown) and set(trace.unread_back) <= set(trace.unknown.values())


def _wrong_values(trace: Trace) -> int:
    """How many forward lines are not what their names say."""
    goals = [(store, trace.quantities.goal(store)) for store in trace.stores]
    said = [(store, goal) for store, goal in goals if goal and goal.kind == "value"]
    return sum(trace.matching(store.value, goal) is None for store, goal in said)


def _right_values(trace: Trace) -> int:
    """How many lines are what their names say."""
    made = [store for store in trace.stores if store.kind not in (BREAK, UNREAD)]
    goals = [(store, trace.quantities.goal(store)) for store in made]
    return sum(bool(goal and trace.matching(store.value, goal)) for store, goal in goals)


def _differ(first: Naming, second: Naming) -> set[str]:
    """In what two namings differ."""
    names = (each.name for each in fields(Naming))
    return {name for name in names if getattr(first, name) != getattr(second, name)}


def _key(found: Ranked) -> tuple[int, bool, int, int]:
    return found[:4]


def _near_the_best(found: list[Ranked]) -> list[Ranked]:
    least = min((each[0] for each in found), default=0)
    return [each for each in found if each[0] <= least + MOST_WORSE_STEPS]


def _tells_shapes(naming: Naming, first: Naming) -> bool:
    """Whether a naming differs from the first one in what U and W are alone, if in anything."""
    coded = {naming.coded.replace("u", ""), first.coded.replace("u", "")}
    return len(coded) == 1 and replace(naming, coded=first.coded) == first
