"""From a hypothesis to what is said about it."""

import re
from dataclasses import replace

import numpy as np

from ...derivation.convention import Convention
from ...writing.signs import fraction
from .diagnosis import Finding, Key, name_of
from .evidence.matching import FEWEST_DIGITS, Precision, is_promoted, is_right, is_same
from .evidence.readings import OTHER, Reading
from .evidence.search import Hypothesis, Question
from .label_sentences import BESIDES, LABELS
from .mutations.mutation import Facts
from .premises import EINSUM, sentence_of, told
from .speech import THROUGH_WEIGHTS, marked

WORD = re.compile(r"\w+")
RIGHT_ARRAY = "the right array"  # in the sentences of the labels


RATES = frozenset(["stale-weights", "weight-decay"])  # whose number is a rate


class Words:
    """Names the objects of one run, and fills the sentences of the labels."""

    def __init__(self, facts: Facts, written: Convention | None = None) -> None:
        self.facts, self.params, self.written = facts, facts.params, written

    def object(self, key: Key) -> str:
        """W2, z2, ∂z2/∂W2; dZ2 where the student's convention has a name for the delta."""
        name = name_of(key)
        own = f"delta{name[1:]}"
        if self.written is None or "delta" not in self.written.names.values():
            return name
        is_delta = name[:1] == "z" and name[1:].isdecimal() and name not in self.params
        return marked(self.written.name(own)) if is_delta else name

    def called(self, name: str) -> str:
        """The delta of z1 (layer 1); the gradient of W2 (layer 2)."""
        if name.startswith("∂"):
            return f"the Jacobian {name}"
        layer = name.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
        kind = "gradient" if name in self.params else "delta"
        said = f"the {kind} of {name}" if self.object(name) == name else self.object(name)
        numbered = layer.isdigit() and f"W{layer}" in self.params
        if name in self.facts.inside:
            return f"{said} (inside {self.facts.inside[name]})"
        return said + (f" (layer {layer})" if numbered else "")

    def sentence(self, label: str, key: Key, h: Hypothesis) -> str:
        """The label's sentence about this object."""
        return self._filled(sentence_of(label, LABELS[label], self.facts, h), key, h)

    def _filled(self, template: str, key: Key, h: Hypothesis) -> str:
        where = h.where if isinstance(key, str) and h.where else name_of(key)
        text = template.format(
            what=self.called(name_of(key)),
            here=self.called(where),
            factor=h.missing or "what belongs there",
            note=self._note(h) or h.layout or "something else",
            by=_as_written(h),
        )
        return sentence_start(text)

    def _note(self, h: Hypothesis) -> str:
        """What stands there; an equation with what kind of line it is of."""
        through = EINSUM.search(h.note) and told(self.facts, h).kind == "weights"
        return f"{THROUGH_WEIGHTS}{h.note}" if through else h.note

    def _part(self, key: Key, part: Hypothesis) -> str:
        """One mistake of a pair; a factor of the whole is said to come on top."""
        label = part.labels[0]
        besides = part.factor is not None and label in BESIDES
        return (
            self._filled(BESIDES[label], key, part) if besides else self.sentence(label, key, part)
        )

    def premise(self, names: tuple[str, ...], cause: Hypothesis | None) -> str:
        """What an object was computed from, where that is not right: your own z2."""
        if names:
            return f"your own {', '.join(map(self.object, names))}"
        return f"the mistake in {self.called(cause.where)}" if cause is not None else ""

    def given(self, premise: str, key: Key, text: str) -> str:
        """A sentence on a whole array, true of what it was compared with.

        What is said of one step is true whatever went into it.
        """
        whole = sentence_start(self.called(name_of(key)))
        if not premise or not text.startswith(whole):
            return text
        if RIGHT_ARRAY in text:
            gives = "give" if "," in premise else "gives"
            return text.replace(RIGHT_ARRAY, f"what {premise} {gives}")
        return f"Given {premise}, {text[0].lower()}{text[1:]}"

    def sentences(self, key: Key, h: Hypothesis, premise: str = "") -> tuple[str, ...]:
        """One sentence a mistake; what comes on top of another is said as such."""
        if h.parts:
            return tuple(self.given(premise, key, self._part(key, part)) for part in h.parts)
        others = h.labels[1:]
        if h.labels[0] == "constant-factor" and not h.changes:
            others = tuple(label for label in others if label != "sign")  # the number has it
        more = tuple(
            self._filled(BESIDES[label], key, h)
            if label in BESIDES
            else self.sentence(label, key, h)
            for label in others
        )
        if h.labels[0] == "constant-factor" and not h.changes and h.note:
            more = (h.note, *more)
        return self.given(premise, key, self.sentence(h.labels[0], key, h)), *more

    def explained(
        self, key: Key, found: list[Hypothesis], square: bool, premise: str = ""
    ) -> Finding:
        """The finding of the most likely hypothesis; the labels of all."""
        best = found[0]
        labels = tuple(dict.fromkeys(label for h in found for label in h.labels))
        if best.labels == ("transposed",):
            also = ("reshape-order",) if square else ()
            labels = tuple(dict.fromkeys(("transposed", OTHER, *also, *labels)))
        return Finding(
            key,
            best.labels[0],
            labels,
            self._with_formulas(self.sentences(key, best, premise), best),
            best.where or name_of(key),
            best.factor,
            layout=best.layout,
        )

    def _with_formulas(self, sentences: tuple[str, ...], h: Hypothesis) -> tuple[str, ...]:
        """At which other uses of a formula it is so, and what its values between are."""
        inside, found = self.facts.inside, list(sentences)
        if not self.facts.mates:
            return sentences
        uses = dict.fromkeys(inside.get(source, source) for _, source, _ in h.changes)
        own = next(iter(reversed([inside.get(source, source) for _, source, _ in h.changes])), "")
        others = [name for name in reversed(uses) if name != own]
        if others and None not in h.changes.values():
            found.append(f"It is so in the formula of {', '.join(others)} too.")
        words = dict.fromkeys(WORD.findall(" ".join(sentences)))
        written: dict[str, list[str]] = {}
        for word in (word for word in words if word in inside):
            written.setdefault(inside[word], []).append(str(self.facts.state.step(word)))
        if written:
            said = "; ".join(f"in {of}: {'; '.join(steps)}" for of, steps in written.items())
            found.append(f"Written out {said}.")
        return tuple(found)

    def unknown(self, key: Key, proved: list[str]) -> Finding:
        """Wrong, and what is certain."""
        sentence = self.sentence("unknown", key, Hypothesis(("unknown",), 1, 0))
        return Finding(key, "unknown", ("unknown",), (sentence,), proved=tuple(proved))

    def rounded(self, key: Key, outputs: list[str]) -> Finding:
        """Right, but for the digits that a − y loses at a saturated output."""
        said = (
            f"{self.object(key)} is right, as far as a − y has digits where "
            f"{', '.join(outputs)} is 0 or 1 to rounding."
        )
        return Finding(key, "correct", ("correct",), (said,))

    def follows_own(self, key: str, earlier: tuple[str, ...], zero: bool = False) -> Finding:
        """Right, given the student's own wrong deltas; of zeros come zeros, by any step."""
        end = "what comes of zeros is zero" if zero else "this step is right"
        text = f"{self.called(key)} follows from {self.premise(earlier, None)}: {end}."
        return Finding(key, "correct", ("correct",), (sentence_start(text),), follows=True)

    def follows_mistake(self, key: str, cause: Hypothesis) -> Finding:
        """Right, given a mistake that an earlier object has shown."""
        text = f"{self.called(key)} follows from the mistake in {self.called(cause.where)}."
        if cause.factor and not cause.changes:
            text = (
                f"{self.called(key)} is off like {self.called(cause.where)}, by the same mistake."
            )
        said = (sentence_start(text),)
        return Finding(
            key, cause.labels[0], cause.labels, said, cause.where, cause.factor, follows=True
        )

    def right(self, key: Key, reading: Reading, question: Question) -> Finding:
        """Right, and what is to be said of its layout and its digits."""
        name, plain = self.object(key), Precision()
        exact = is_right(reading.array, question.right, plain)
        exact = exact and is_same(reading.array, question.right, plain)
        labels, said = ["correct"], f"{name} is right."
        if reading.label == OTHER:
            labels.insert(0, OTHER)
            said = LABELS[OTHER].format(what=name, note=reading.layout)
        elif question.precision.single and not exact:
            labels.insert(0, "correct-float32")
            said = LABELS["correct-float32"].format(what=name)
        elif question.precision.digits and not exact:
            said = f"{name} is right to the {given(question.precision)} given."
        elif reading.layout in ("a row", "a column"):
            said = f"{name} is right, as {reading.layout}."
        return Finding(key, labels[0], tuple(labels), (said,), layout=reading.layout)


def accepted_reading(question: Question, right: np.ndarray) -> Reading | None:
    """The reading under which the array is right, the declared layout first."""
    for reading in question.readings:
        if reading.accepted and is_right(reading.array, right, question.precision):
            return reading
    return None


def given(precision: Precision) -> str:
    """3 digits; where there are fewer, 3 decimals"""
    few = precision.digits < FEWEST_DIGITS
    return f"{precision.decimals} decimals" if few else f"{precision.digits} digits"


def promoted_reading(question: Question) -> Reading | None:
    """The reading under which double precision numbers are right to single precision."""
    for reading in question.readings:
        if reading.accepted and is_promoted(reading.array, question.right):
            return reading
    return None


def in_single(question: Question) -> Question:
    """The question as it is asked of float32 numbers."""
    return replace(question, precision=replace(question.precision, single=True, digits=0))


def sentence_start(text: str) -> str:
    """The first letter as a capital."""
    return text[0].upper() + text[1:]


def _as_written(h: Hypothesis) -> str:
    """A factor as somebody writes it: 1/7 for 0.142857; a rate stays a decimal number."""
    if h.factor is None or h.by != f"{h.factor:.6g}" or RATES & {*h.labels}:
        return h.by
    found = fraction(h.factor)
    return found if "/" in found else h.by
