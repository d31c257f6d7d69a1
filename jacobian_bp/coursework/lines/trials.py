"""The same line on the same network at other sizes: when numpy lets it pass, and why."""

import re
from collections.abc import Iterable, Mapping
from itertools import product as choices

from ...errors import JacobianError
from .comparison import compare
from .goal import Goal
from .meanings import EXAMPLES, INPUTS, generic_sizes, resized, small_sizes
from .shapes import MisfitError
from .tree import Node
from .values import BreakError, Values
from .workspace import Workspace

SEEDS = (3, 5, 7)  # a coincidence, such as units that are all alive, does not occur in each
BREAKS, RIGHT, WRONG, OTHER, RUNS = (
    "it breaks",
    "right numbers",
    "right shape, wrong numbers",
    "another shape",
    "it runs",
)
UNKNOWN = "the network has no such sizes"
MOST_REASONS = 3

Rule = tuple[str, ...]  # ("1", axis): one entry along it; ("=", axis, axis): equal sizes


class Trials:
    """Runs of the student's network at other sizes."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.sizes = {word: size for word, size in workspace.meanings.sizes.items() if word}
        self._small = small_sizes(self.sizes)

    def at(self, sizes: Mapping[str, int], seed: int = SEEDS[0]) -> Values:
        """The values of a line on random numbers of these sizes."""
        state = resized(self.workspace.state, self.workspace.meanings, sizes, seed)
        return Values(self.workspace.like(state))

    def generic(self) -> Values | None:
        """At pairwise different sizes; None where the network cannot be resized."""
        try:
            return self.at(generic_sizes(self.sizes))
        except JacobianError:
            return None

    def outcome(self, tree: Node, goal: Goal | None, sizes: Mapping[str, int]) -> str:
        """What becomes of the line at these sizes: the worst of several runs."""
        found = {self._once(tree, goal, sizes, seed) for seed in SEEDS}
        return next(o for o in (UNKNOWN, BREAKS, OTHER, WRONG, RUNS, RIGHT) if o in found)

    def _once(self, tree: Node, goal: Goal | None, sizes: Mapping[str, int], seed: int) -> str:
        try:
            values = self.at(sizes, seed)
        except JacobianError:
            return UNKNOWN
        try:
            value = values.of(tree)
            if goal is None:
                return RUNS
            comparison = compare(value, goal, values.workspace)
        except (BreakError, JacobianError):
            return BREAKS
        return RIGHT if comparison.right else WRONG if comparison.same_shape else OTHER

    def passes_when(self, tree: Node, goal: Goal | None, misfit: MisfitError) -> str:
        """At which sizes numpy would let a line pass that breaks here; empty if at none."""
        options = [
            [rule for rule in _rules(a.name, b.name, misfit.one_fits) if self._possible(rule)]
            for a, b in misfit.pairs
        ]
        single = [(rule,) for rule in dict.fromkeys(r for rules in options for r in rules)]
        passing = self._passing(tree, goal, single)
        if not passing and len(options) > 1:
            passing = self._passing(tree, goal, dict.fromkeys(choices(*options)))[:1]
        if not passing:
            return ""
        words: dict[str, list[str]] = {}
        for rules, outcome in passing[:MOST_REASONS]:
            words.setdefault(outcome, []).append(" and ".join(map(_words, rules)))
        parts = [f"if {' or '.join(whys)}: {outcome}" for outcome, whys in words.items()]
        return f"numpy lets it pass {'; '.join(parts)}."

    def passes_because(
        self, tree: Node, goal: Goal, ending: str, met: Iterable[tuple[str, str]]
    ) -> str:
        """Which sizes of this run let the line pass: at others, its outcome is `ending`.

        `met` are the axes that the line pairs although they mean different things.
        """
        causes: list[Rule] = [("1", word) for word, size in self._small.items() if size == 1]
        pairs = dict.fromkeys((first, second) for first, second in map(sorted, met))
        causes += [
            ("=", *pair)
            for pair in pairs
            if self._possible(("=", *pair)) and self._small[pair[0]] > 1
        ]
        found = []
        for rule in causes:
            changed = dict(self._small) | {rule[-1]: max(self._small.values()) + 3}
            if self.outcome(tree, goal, changed) == ending:
                found.append(_words(rule))
        if not found:
            return ""
        return f"numpy lets it pass only because {' and '.join(found[:MOST_REASONS])}."

    def _possible(self, rule: Rule) -> bool:
        return all(word in self.sizes for word in rule[1:])

    def _passing(
        self, tree: Node, goal: Goal | None, rules: Iterable[tuple[Rule, ...]]
    ) -> list[tuple[tuple[Rule, ...], str]]:
        found = []
        for chosen in rules:
            sizes = dict(self._small)
            for kind, first, *second in chosen:
                sizes[first] = sizes[second[0]] if kind == "=" else 1
            outcome = self.outcome(tree, goal, sizes)
            if outcome not in (BREAKS, UNKNOWN):
                found.append((chosen, outcome))
        return found


def _rules(first: str, second: str, one_fits: bool) -> list[Rule]:
    same: list[Rule] = [("=", *sorted((first, second)))] if first != second else []
    return [*([("1", first), ("1", second)] if one_fits else []), *same]


def _words(rule: Rule) -> str:
    """layer 3 has 1 unit; layers 2 and 3 are equally wide"""
    layers = [re.fullmatch(r"units of layer (\d+)", word) for word in rule[1:]]
    if rule[0] == "1":
        if layers[0]:
            return f"layer {layers[0][1]} has 1 unit"
        return {EXAMPLES: "the batch has 1 example", INPUTS: "there is 1 input"}.get(
            rule[1], f"{rule[1]} has 1 entry"
        )
    numbers = [match[1] for match in layers if match]
    if len(numbers) == 2:
        return f"layers {numbers[0]} and {numbers[1]} are equally wide"
    if any(word.startswith("axis ") for word in rule[1:]):
        return f"{rule[1]} is as long as {rule[2]}"
    sides = [{EXAMPLES: "examples", INPUTS: "inputs"}.get(word, word) for word in rule[1:]]
    return f"there are as many {sides[0]} as {sides[1]}"
