"""The premise of each label's sentence, and what is said of an op that lacks it.

A sentence such as "mean and variance are taken for constants" is true of a network whose step
has both. What stands at the place of the mistake decides; where it is not what the sentence
speaks of, another sentence is said, which needs less.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from .evidence.search import Hypothesis
from .mutations.mutation import Facts
from .passes.backward import Line

NUMBER = re.compile(r"[\d./]+")
EINSUM = re.compile(r"\b([a-z]+),([a-z]+)->([a-z]*)")


@dataclass(frozen=True, eq=False)
class Told:
    """One mistake that is to be told: the line of the right pass at which it sits, and its note."""

    facts: Facts
    line: Line | None
    note: str
    missing: str = ""

    @property
    def kind(self) -> str:
        return self.line.kind if self.line else ""


def told(facts: Facts, h: Hypothesis) -> Told:
    """The mistake, with its line."""
    for target, source, position in h.changes:
        for line in facts.backward.to.get(target, ()):
            if line.key == (target, source, position):
                return Told(facts, line, h.note, h.missing)
    return Told(facts, None, h.note, h.missing)


def right_line_sums(of: Told) -> bool:
    """Whether the right line adds up several products: over units of a layer, or examples."""
    if of.line is None:
        return True
    if of.kind == "weights":
        return of.line.factor("weight").array.shape[0] > 1
    return of.kind != "outer" or of.facts.examples > 1


def both_lines_sum(of: Told) -> bool:
    """Whether the right line and the wrong one do."""
    equation = EINSUM.search(of.note)
    return (right_line_sums(of) and not takes_a_sum_for_a_mean(of)) and (
        equation is None or bool(set(equation[1] + equation[2]) - set(equation[3]))
    )


def takes_a_sum_for_a_mean(of: Told) -> bool:
    """Whether the index is right, and 1/n is missing or is too much."""
    return " is taken for the " in of.note


def has_a_batch(of: Told) -> bool:
    """Whether there are examples to be summed over."""
    return of.facts.examples > 0


def is_a_weight(of: Told) -> bool:
    """Whether it goes back through a weight, not through the Jacobian of another op."""
    return of.kind in ("weights", "")


def a_layer_is_above(of: Told) -> bool:
    """Whether what comes back to the activation comes through weights."""
    if of.line is None:
        return True
    waiting, seen = [of.line.source], set()
    while waiting:
        name = waiting.pop()
        for above in of.facts.backward.to.get(name, ()):
            if above.kind == "weights":
                return True
            if above.kind == "pass" and above.source not in seen:
                seen.add(above.source)
                waiting.append(above.source)
    return False


def reads_an_activation(of: Told) -> bool:
    """Whether an activation belongs there, and what stands there is what it reads."""
    return of.note in {z for z, _ in of.facts.activations.values()} and of.kind != "op"


def is_outside_formulas(of: Told) -> bool:
    """Whether it is a line between layers, and not within the formula of one op."""
    return of.line is None or of.line.target not in of.facts.inside


def stands_in_a_layer(of: Told) -> bool:
    """Whether what stands there is the input, or the value, of a layer."""
    names = {*of.facts.layer_inputs, *(z for z, _ in of.facts.activations.values())}
    return of.note in names and of.kind != "op"


def holds_mean_and_variance(of: Told) -> bool:
    """Whether the step standardises its input, and both of its statistics are held."""
    return of.note == "mean and variance held"


def is_the_output(of: Told) -> bool:
    """Whether the loss reads what is saturated, so that loss and activation can be one."""
    lines = of.facts.backward.lines
    fused = {k.target for k in lines if k.kind == "cost" and k.step.op.contains is not None}
    return any(re.match(rf"{re.escape(name)}\b", of.note) for name in fused)


def has_several_uses(of: Told) -> bool:
    """Whether one of several shares is counted, and not a path between them cut."""
    return of.note != "nothing flows back through time"


def counts_some_only(of: Told) -> bool:
    """Whether a path is forgotten, and not one counted twice."""
    return not of.note.endswith(" twice")


def lacks_one_term(of: Told) -> bool:
    """Whether one term is left out, and not all but one."""
    return not of.note.endswith(" alone")


def is_an_array(of: Told) -> bool:
    """Whether it is an array that stands there, and not a number."""
    return NUMBER.fullmatch(of.note) is None


def exchanges_two(of: Told) -> bool:
    """Whether two axes are exchanged, and not three moved on."""
    return " for " not in of.note


def turns_one_term(of: Told) -> bool:
    """Whether one term has the wrong sign, and not all but one."""
    return not of.note.startswith("all but ")


def stands_for_a_factor(of: Told) -> bool:
    """Whether it is known which factor of the op's Jacobian belongs there."""
    return of.kind == "op" and bool(of.missing)


Premise = Callable[[Told], bool]

# The label, the premise of its sentence, and what is said where it does not hold.
PREMISES: dict[str, tuple[Premise, str]] = {
    "elementwise-for-contraction": (
        right_line_sums,
        "In {here} a product entry by entry stands for an outer product: {note}.",
    ),
    "wrong-contraction": (
        both_lines_sum,
        "In {here} the indices are paired in another way: {note}.",
    ),
    "bias-wrong-axis": (
        has_a_batch,
        "{what} is {note}; of one example nothing is added up.",
    ),
    "weight-not-transposed": (
        is_a_weight,
        "In {here} the Jacobian {factor} is the wrong way round: forward the sum runs over its "
        "inputs, so backward it runs over its outputs.",
    ),
    "missing-slope": (
        a_layer_is_above,
        "In {here} the slope {factor} is left out: what comes back has to go through it.",
    ),
    "preactivation-for-activation": (
        reads_an_activation,
        "In {here} {note} is used, where what the step makes of it belongs.",
    ),
    "wrong-layer-activation": (
        stands_in_a_layer,
        "In {here} another value is used: {note} stands there.",
    ),
    "wrong-layer-slope": (
        is_outside_formulas,
        "In {here} another slope is used: {note} stands for {factor}.",
    ),
    "statistics-as-constants": (
        holds_mean_and_variance,
        "In {here} what is computed from several entries is taken for a constant: {note}.",
    ),
    "sign-of-a-term": (
        turns_one_term,
        "In {here} terms of the Jacobian {factor} have the wrong sign: {note}.",
    ),
    "axes-exchanged": (
        exchanges_two,
        "{what} has its axes in another order: {note}.",
    ),
    "wrong-factor": (
        is_an_array,
        "In {here} the number {note} stands in the place of the factor {factor}.",
    ),
    "saturated-nan": (
        is_the_output,
        "{what} is not a number because {note}: the textbook's formula of the slope is none there. "
        "Use the one in terms of the activation.",
    ),
    "fan-out-overwritten": (
        counts_some_only,
        "In {here} several paths add up, and one is counted too often: {note}.",
    ),
    "term-missing": (
        lacks_one_term,
        "In {here} one term of the Jacobian {factor} is kept, and the others are left out: {note}.",
    ),
    "last-step-only": (
        has_several_uses,
        "In {here} the state of the step before is taken for a constant: {note}.",
    ),
}


# A premise that needs less than the first, and what is said where that one holds alone.
WEAKER: dict[str, tuple[Premise, str]] = {
    "preactivation-for-activation": (
        stands_for_a_factor,
        "In {here} {note} is used, where {factor} belongs, which the step makes of it.",
    ),
    "wrong-layer-activation": (
        stands_for_a_factor,
        "In {here} another value is used: {note} stands for {factor}.",
    ),
    "wrong-contraction": (takes_a_sum_for_a_mean, "In {here} {note}."),
}


def sentence_of(label: str, template: str, facts: Facts, h: Hypothesis) -> str:
    """The label's sentence where its premise holds, else the one that needs less."""
    if label not in PREMISES:
        return template
    holds, otherwise = PREMISES[label]
    of = told(facts, h)
    if holds(of):
        return template
    still_holds, sentence = WEAKER.get(label, (holds, otherwise))
    return sentence if still_holds(of) else otherwise
