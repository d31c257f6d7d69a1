"""What each axis of each value means, and the same program at other sizes.

Two axes mean the same where an op gives them one letter: in z2 = Linear(a1, W2, b2)
the columns of W2 are the units of a1, its rows are those of z2.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np

from ...algebra.axes import BATCH, Axis
from ...ops.labels import CLASSES
from ...program.forward import run_forward
from ...program.forward_pass import Pass

EXAMPLES, INPUTS, UNKNOWN = "examples", "inputs", ""
LARGEST = 48  # widths that a trial run keeps as they are

Axes = tuple[Axis, ...]  # an Axis's name says what it means


@dataclass(frozen=True)
class Meanings:
    """The named axes of every value, and the size of each name."""

    of: dict[str, Axes]

    @property
    def sizes(self) -> dict[str, int]:
        return {axis.name: axis.size for axes in self.of.values() for axis in axes}


def meanings(state: Pass) -> Meanings:
    """The axes of every value of a run, equal ones under one name."""
    group: dict[tuple[str, int], tuple[str, int]] = {}
    in_front: dict[tuple[str, int], str] = {}  # what is carried, by its name

    def root(place: tuple[str, int]) -> tuple[str, int]:
        while group.setdefault(place, place) != place:
            place = group[place]
        return place

    for step in state.program.steps:
        first: dict[str, tuple[str, int]] = {}
        fronts = state.binding(step).fronts
        operands = [*zip(fronts.inputs, step.args, strict=True), (fronts.output, step.name)]
        for letters, value in operands:
            for position, letter in enumerate(letters):
                here = root((value, position))
                group[here] = root(first.setdefault(letter, here))
                if letter in fronts.leading or letter == BATCH:
                    in_front.setdefault(here, letter)
    members: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for place in list(group):
        members.setdefault(root(place), []).append(place)
    named = {root(place): letter for place, letter in in_front.items()}
    words = {key: _word(places, named.get(key, "")) for key, places in members.items()}
    often = Counter(word for key, word in words.items() if key not in named)
    for key, word in words.items():
        if often[word] > 1 and key not in named:  # channels and places: not both are the inputs
            words[key] = _by_place(min(members[key], key=lambda place: place[0] != "x"))
    return Meanings(
        {
            value: tuple(
                Axis(words[root((value, p))] if (value, p) in group else UNKNOWN, size)
                for p, size in enumerate(array.shape)
            )
            for value, array in state.values.items()
        }
    )


def _word(places: list[tuple[str, int]], carried: str) -> str:
    """What a reader calls an axis, from the values that have it; a carried one by its name."""
    if carried:
        return EXAMPLES if carried == BATCH else f"axis {carried}"
    layers = [re.fullmatch(r"[zab](\d+)", value) for value, _ in places]
    numbers = sorted(int(match[1]) for match in layers if match and match[1] != "0")
    if numbers:
        return f"units of layer {numbers[0]}"
    if any(value == "x" for value, _ in places):
        return INPUTS
    return _by_place(min(places))


def _by_place(place: tuple[str, int]) -> str:
    value, position = place
    return f"axis {position} of {value}"


def generic_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """Pairwise different sizes, none of them 1: the run's own where they are so already."""
    own = list(sizes.values())
    if len(set(own)) == len(own) and all(1 < size <= LARGEST for size in own):
        return dict(sizes)
    return dict(zip(sizes, count(3), strict=False))


def small_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """Sizes that a trial is quick at; equal ones stay equal, and 1 stays 1."""
    if all(size <= LARGEST for size in sizes.values()):
        return dict(sizes)
    different = sorted({size for size in sizes.values() if size > 1})
    shrunk = dict(zip(different, count(3), strict=False)) | {1: 1}
    return {word: shrunk[size] for word, size in sizes.items()}


def resized(state: Pass, own: Meanings, sizes: Mapping[str, int], seed: int) -> Pass:
    """The same program, run on random weights and data of other sizes."""
    generator = np.random.default_rng(seed)
    program = state.program

    def shape(value: str) -> tuple[int, ...]:
        return tuple(sizes.get(axis.name, axis.size) for axis in own.of[value])

    params, data = {}, {}
    for value in program.params:
        fan_in = shape(value)[-1] if len(shape(value)) > 1 else 1
        params[value] = generator.standard_normal(shape(value)) * fan_in**-0.5
    rows = {
        arg
        for step in program.steps
        for arg, operand in zip(step.args, step.op.parsed.inputs, strict=False)
        if step.op.label_kind == CLASSES and operand.name in step.op.labels
    }
    for value in program.inputs:
        drawn = generator.uniform(0.2, 0.8, shape(value))
        if value not in program.labels:
            drawn = generator.standard_normal(shape(value))
        elif value in rows and drawn.ndim:
            drawn /= drawn.sum(axis=-1, keepdims=True)
        data[value] = drawn
    return run_forward(program, params, data, state.axes_said)
