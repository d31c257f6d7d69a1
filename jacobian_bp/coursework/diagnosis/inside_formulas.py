"""The same run with its formulas written out: a mistake inside a cell or a norm, at every use.

    c3 = LSTMCarry(x3, h2, c2, W, U, b)    becomes    raw3, raw_i3, i3, …, c3 = kept3 + new3

A cell that is used at every time step is written once: what goes wrong in it goes wrong at each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...program.forward_pass import Pass
from ...program.staged import has_stages, staged
from ...writing.signs import rename
from .mutations.mutation import Variation

MOST_STEPS = 200  # of the longer program
MOST_ENTRIES = 20_000  # of the largest value


@dataclass(frozen=True, eq=False)
class Inside:
    """A longer pass, and which formula each of its values is in.

    `letters` has for each formula what its values are called in the letters of the op; the two of
    an LSTM, which have the sums of the gates in common, are one. `formulas` has for each value
    between, and for each that a formula gives, by which name its formula is found there.
    """

    state: Pass
    letters: Mapping[str, dict[str, str]]
    formulas: Mapping[str, str]
    between: Mapping[str, str]  # of the values that no program names alone

    @property
    def mates(self) -> dict[str, frozenset[str]]:
        """For each value of a formula the values that this formula names."""
        return {name: frozenset(self.letters[of]) for name, of in self.formulas.items()}

    def at_every_use(self, possible: list[Variation]) -> list[Variation]:
        """The same slip in a formula wherever the formula stands, as one variation."""
        groups: dict[tuple, list[Variation]] = {}
        for v in possible:
            groups.setdefault(self._slip(v), []).append(v)
        return [merged(group) for group in groups.values()]

    def _slip(self, v: Variation) -> tuple:
        """What goes wrong, in the letters of the formula."""
        letters = self.letters[self.formulas[v.line.source]]
        place = (letters.get(name, name) for name in (v.line.target, v.line.source))
        words = (rename(text, letters) for text in (v.note, v.missing))
        return v.label, v.prior, v.line.step.op.name, v.line.position, *place, *words


def merged(group: list[Variation]) -> Variation:
    """All changes of a group together; it is said of the last use."""
    last = group[-1]
    if len({v.line.key for v in group}) < 2:
        return last
    changes: dict = {}
    for v in group:
        changes |= v.changes
    return replace(last, changes=changes, everywhere=True)


def inside_of(state: Pass) -> Inside | None:
    """The run with every formula written out; None where none has stages, or it is too long."""
    which = [step.name for step in state.program.steps if has_stages(step.op)]
    largest = max((array.size for array in state.values.values()), default=0)
    if not which or largest > MOST_ENTRIES:
        return None
    try:
        longer = staged(state, which)
    except Exception:  # an op of the user's own may say anything
        return None
    if len(longer.state.program.steps) > MOST_STEPS:
        return None
    letters: dict[str, dict[str, str]] = {}
    formulas: dict[str, str] = {}
    between: dict[str, str] = {}
    for step in (step for step in state.program.steps if step.name in longer.inside):
        inner = longer.inside[step.name]
        own = next((formulas[value] for value in inner.values() if value in formulas), step.name)
        known = letters.setdefault(own, {})
        known |= {arg: operand for operand, arg in step.called.items() if arg not in known}
        known |= {there: letter for letter, there in inner.items()}
        known[step.name] = step.op.parsed.output.name
        formulas |= dict.fromkeys((*inner.values(), step.name), own)
        between |= {value: between.get(value, step.name) for value in inner.values()}
    return Inside(longer.state, letters, formulas, between)
