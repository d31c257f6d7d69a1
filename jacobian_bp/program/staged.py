"""A program with the formulas of some ops written out: a step for each value that they name inside.

y1 = BatchNorm(z1, gamma, beta)     becomes     mu = Mean(z1, over="n"), …, y1 = Add(scaled, beta)
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..algebra.axes import BATCH, fresh, parse_axes
from ..ops import Op, Reduction
from ..ops.facts import Facts
from .forward import run_forward
from .forward_pass import Pass
from .program import Program
from .program_text import read_program
from .step import Step

SIZE = re.compile(r"\{(\d+)([a-z]\w*)\}")  # {2k}: twice the size of k


@dataclass(frozen=True)
class Staged:
    """A pass of the longer program, and what each formula's own names are called in it.

    `inside` has for each step that was written out, by its value, what the values between are
    called there: {"y1": {"mu": "mu", "var": "var", …}}.
    """

    state: Pass
    inside: Mapping[str, Mapping[str, str]]


def has_stages(op: Op) -> bool:
    """Whether an op writes its value step by step."""
    return type(op).stages is not Facts.stages


def names_inside(step: Step) -> list[tuple[str, ...]]:
    """What the formula of a step names inside, for each way in which it is written out."""
    ways = step.ask("stages()", step.op.stages)
    ones = dict.fromkeys(step.op.parsed.letters, 1)
    return [tuple(line.name for line in _read(lines, ones)[:-1]) for lines in ways]


def _read(lines: Sequence[str], sizes: Mapping[str, int]) -> list[Step]:
    """The steps of a formula, the size of an axis filled in where {2k} stands."""

    def number(found: re.Match[str]) -> str:
        return str(int(found[1]) * sizes[found[2]])

    return read_program([SIZE.sub(number, line) for line in lines], {})


def _sizes(step: Step, state: Pass) -> dict[str, int]:
    """The sizes of the axes that an op's signature names."""
    sizes: dict[str, int] = {}
    for operand, arg in zip(step.op.parsed.inputs, step.args, strict=True):
        shape = state.values[arg].shape
        own = shape[len(shape) - len(operand.axes) :]
        sizes |= dict(zip(operand.axes, own, strict=True))
    return sizes


def staged(state: Pass, which: Collection[str], way: int = 0) -> Staged:
    """The same pass, the formulas of these values written out in one way, or else the usual one.

    What two formulas compute alike, the sums of an LSTM's gates, is computed once.
    """
    written = [s for s in state.program.steps if s.name in which and has_stages(s.op)]
    taken = {*state.values, *state.program.inputs, *(s.name for s in state.program.steps)}
    inside: dict[str, dict[str, str]] = {}
    steps: list[Step] = []
    known: dict[tuple[str, tuple[str, ...]], str] = {}
    for step in state.program.steps:
        if step not in written:
            steps.append(replace(step, fused_op=None, fused_args=()))
            continue
        found = step.ask("stages()", step.op.stages)
        lines = _read(found[min(way, len(found) - 1)], _sizes(step, state))
        names = inside[step.name] = {}
        alone = len(of_its_kind(step, state.program.steps)) == 1
        for line in lines[:-1]:
            plain = line.name if alone else f"{line.name}{number_of(step, state.program.steps)}"
            names[line.name] = plain if plain not in taken else f"{step.name}_{line.name}"
            taken.add(names[line.name])
        for new in _in_the_network(lines, step, names, state):
            args = tuple(known.get((arg, ()), arg) for arg in new.args)
            what = f"{type(new.op).__name__} {new.op!r}", args
            if what in known and new.name != step.name:
                known[new.name, ()] = known[what]
                continue
            known.setdefault(what, new.name)
            steps.append(replace(new, args=args))
        inside[step.name] = {line: known.get((name, ()), name) for line, name in names.items()}
    program = Program.build(steps, state.program.params)
    data = {name: state.values[name] for name in program.inputs if name in state.values}
    params = {name: state.values[name] for name in program.params}
    named = {n: ",".join(state.names[n]) for n in data if n not in program.labels}
    said = {name: axes for name, axes in named.items() if axes}
    return Staged(run_forward(program, params, data, said), inside)


def of_its_kind(step: Step, steps: Sequence[Step]) -> list[Step]:
    """The steps with an op of the same class."""
    return [other for other in steps if type(other.op) is type(step.op)]


def number_of(step: Step, steps: Sequence[Step]) -> str:
    """The number that a value's name ends in, 1 of y1; else which of its kind it is."""
    digits = re.search(r"\d+$", step.name)
    return digits[0] if digits else str(of_its_kind(step, steps).index(step) + 1)


def _in_the_network(
    lines: list[Step], step: Step, names: Mapping[str, str], state: Pass
) -> list[Step]:
    """The steps in the names of the network, the axes that they go over in those of its values."""
    called = {**step.called, **names, lines[-1].name: step.name}
    axes: dict[str, str] = {}
    for operand, arg in zip(step.op.parsed.inputs, step.args, strict=True):
        own = state.names[arg]
        here = dict(zip(operand.axes, own[len(own) - len(operand.axes) :], strict=True))
        axes = here | axes  # what is normalised stands first; a gain has an axis of its own
    found = []
    letters = {line.name: line.op.parsed.output.axes for line in lines}
    for line in lines:
        op = line.op
        if isinstance(op, Reduction) and op.over is not None:
            kept = letters.get(line.args[0], ())  # of a value between, what its own line says
            over = [a if a in kept else axes.get(a, a) for a in parse_axes(op.over)]
            op = type(op)(over=",".join(over))
        args = tuple(called[arg] for arg in line.args)
        found.append(Step(called[line.name], op, args))
    return found


def by_itself(op: Op, way: int, inputs: Mapping[str, np.ndarray]) -> Pass:
    """A pass of one op's stages alone, in the letters of its signature."""
    result = op.parsed.output.name
    params = {name: inputs[name] for name in op.parameters if name in inputs}
    program = Program.build([Step(result, op, tuple(inputs))], tuple(params))
    data = {name: array for name, array in inputs.items() if name not in params}
    extra = {o.name: data[o.name].ndim - len(o.axes) for o in op.parsed.inputs if o.name in data}
    front: list[str] = []
    while len(front) < max(extra.values(), default=0):
        front.append(fresh({*op.parsed.letters, *front}, "t" if front else BATCH))
    named = front not in ([], [BATCH])
    said = {n: ",".join(front[-more:]) for n, more in extra.items() if more and named}
    return staged(run_forward(program, params, data, said), [result], way).state
