"""From a hypothesis to what is said about it."""

import numpy as np

from .labels import LABELS
from .matching import Precision, is_right, is_same
from .readings import OTHER, Reading
from .report import Finding, Key, name_of
from .search import Hypothesis, Question


class Words:
    """Names the objects of one run, and fills the sentences of the labels."""

    def __init__(self, params: frozenset[str]) -> None:
        self.params = params

    def called(self, name: str) -> str:
        """The delta of z1 (layer 1); the gradient of W2 (layer 2)."""
        if name.startswith("∂"):
            return f"the Jacobian {name}"
        layer = name.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
        kind = "gradient" if name in self.params else "delta"
        return f"the {kind} of {name}" + (f" (layer {layer})" if layer.isdigit() else "")

    def sentence(self, label: str, key: Key, h: Hypothesis) -> str:
        """The label's sentence about this object."""
        return capital(
            LABELS[label].format(
                what=self.called(name_of(key)),
                here=self.called(h.where or name_of(key)),
                factor=h.missing or "the factor",
                note=h.note or h.layout or "see the line",
                by=h.by,
            )
        )

    def explained(self, key: Key, found: list[Hypothesis], square: bool) -> Finding:
        """The finding of the most likely hypothesis; the labels of all."""
        best = found[0]
        labels = tuple(dict.fromkeys(label for h in found for label in h.labels))
        if best.labels[0] == "transposed":
            also = ("reshape-order",) if square else ()
            labels = tuple(dict.fromkeys((*labels, *also, OTHER, "mixed-layouts")))
        return Finding(
            key,
            best.labels[0],
            labels,
            tuple(self.sentence(label, key, best) for label in best.labels),
            best.where or name_of(key),
            best.factor,
            layout=best.layout,
        )

    def unknown(self, key: Key, proved: list[str]) -> Finding:
        """Wrong, and what is certain."""
        sentence = self.sentence("unknown", key, Hypothesis(("unknown",), 1, 0))
        return Finding(key, "unknown", ("unknown",), (sentence,), proved=tuple(proved))

    def follows_own(self, key: str, earlier: list[str]) -> Finding:
        """Right, given the student's own wrong deltas."""
        text = f"{self.called(key)} follows from your own {', '.join(earlier)}: this step is right."
        return Finding(key, "correct", ("correct",), (capital(text),), follows=True)

    def follows_mistake(self, key: str, cause: Hypothesis) -> Finding:
        """Right, given a mistake that an earlier object has shown."""
        text = f"{self.called(key)} follows from the mistake in {self.called(cause.where)}."
        if cause.factor and not cause.changes:
            text = (
                f"{self.called(key)} is off like {self.called(cause.where)}, by the same mistake."
            )
        said = (capital(text),)
        return Finding(
            key, cause.labels[0], cause.labels, said, cause.where, cause.factor, follows=True
        )

    def right(self, key: Key, reading: Reading, question: Question) -> Finding:
        """Right, and what is to be said of its layout and its digits."""
        name, plain = name_of(key), Precision()
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
            said = f"{name} is right to the {question.precision.digits} digits given."
        elif reading.layout in ("a row", "a column"):
            said = f"{name} is right, as {reading.layout}."
        return Finding(key, labels[0], tuple(labels), (said,), layout=reading.layout)


def accepted_reading(question: Question, right: np.ndarray) -> Reading | None:
    """The reading under which the array is right, the declared layout first."""
    for reading in question.readings:
        if reading.accepted and is_right(reading.array, right, question.precision):
            return reading
    return None


def capital(text: str) -> str:
    """The first letter as a capital."""
    return text[0].upper() + text[1:]
