"""Which axes the values of a program have, by name.

An axis of data in front of what the ops name is carried: {"u": "n,t"} says that u has the
axes n and t there. One that nobody names is n, the examples.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any

import numpy as np

from ..algebra.axes import BATCH, fresh, parse_axes, unnamed
from ..algebra.binding import WrongRankError, carried_axes
from ..algebra.unfitting import some_names
from ..errors import AxisError, SpecError
from ..ops import Op, Reduction
from ..writing.signs import did_you_mean, plural, rename, safe, type_of
from .program import Program, listed
from .step import Step

Names = dict[str, tuple[str, ...]]


def read_names(program: Program, data: Mapping[str, Any], axes: Any) -> Names:
    """The names in axes={"u": "n,t"}, or SpecError for what they cannot be the axes of."""
    if axes is None:
        return {}
    if not isinstance(axes, Mapping):
        raise SpecError(
            f"axes is {type_of(axes)}, not a mapping of inputs to names of axes.\n"
            '  Write axes={"x": "n,t"} for examples n and tokens t in front.'
        )
    found = {}
    for name, text in axes.items():
        if name not in data:
            given = listed(list(data)) or "nothing"
            raise SpecError(
                f"axes names {safe(name)}, which is not given.{did_you_mean(name, data)}\n"
                f"  Name axes of what is given: {given}."
            )
        if name in program.labels:
            raise SpecError(
                f"axes names {safe(name)}, which holds labels.\n"
                "  Leave it out: labels have the axes of the outputs that they are compared with."
            )
        if not isinstance(text, str):
            raise SpecError(
                f"the axes of {safe(name)} are {text!r}.\n"
                '  Write their names with a comma between: "n,t".'
            )
        names = parse_axes(text, f"the axes of {safe(name)}, {text!r}")
        if any("'" in axis or names.count(axis) > 1 for axis in names):
            raise AxisError(
                f"the axes of {safe(name)} are {text!r}.\n"
                "  Give each axis a name of its own, without a prime: a prime marks the variable's."
            )
        found[name] = names
    return found


def names_of_data(program: Program, ranks: Mapping[str, int], given: Names) -> Names:
    """The axes of each array of data: what it carries in front, then the letters of its reader.

    Left out are those with several axes in front that have no names. AxisError where names are
    given for more or fewer axes than there are.
    """
    found: Names = {}
    for name, rank in ranks.items():
        letters = program.letters[name]
        extra, named = rank - len(letters), given.get(name)
        if named is not None:
            if letters[:1] == named[:1] == (BATCH,) and len(named) == extra + 1 < rank:
                letters, extra = letters[1:], extra + 1  # n of its reader is the one in front
            if extra < 0 or len(named) not in (extra, rank):
                raise AxisError(_miscounted(program, name, rank, named))
            found[name] = named if len(named) == rank else (*named, *letters)
            if len(named) < rank and not set(named).isdisjoint(letters):
                letters = _beside(program, name, rank, letters, named)
            found[name] = named if len(named) == rank else (*named, *letters)
            twice = [axis for axis in named if axis in letters and len(named) < rank]
            if twice:
                every = ",".join(some_names(rank, ()))
                raise AxisError(
                    f"axes names {twice[0]} in front of {safe(name)}[{','.join(letters)}], as it "
                    f"is read, which has it already.\n"
                    f'  Name all {rank} axes of {safe(name)}, such as axes={{"{safe(name)}": '
                    f'"{every}"}}.'
                )
        elif extra in (0, 1):
            found[name] = (BATCH, *letters) if extra == 1 else letters
    return found


def _beside(
    program: Program, name: str, rank: int, letters: tuple[str, ...], named: tuple[str, ...]
) -> tuple[str, ...]:
    """The letters of an array behind named axes that have some of them: others in their place.

    AxisError where the op that reads it means the very axis by its name.
    """
    reader = next(step for step in program.steps if name in step.args)
    twice = next(axis for axis in named if axis in letters)
    if isinstance(reader.op, Reduction):
        every = ",".join(some_names(rank, ()))
        raise AxisError(
            f"axes names {twice} in front of {safe(name)}[{','.join(letters)}], as it is read, "
            f"which has it already.\n  Name all {rank} axes of {safe(name)}, such as "
            f'axes={{"{safe(name)}": "{every}"}}.'
        )
    taken = {*letters, *named}
    found = []
    for letter in letters:
        found.append(fresh(taken, letter) if letter in named else letter)
        taken.add(found[-1])
    return tuple(found)


def _miscounted(program: Program, name: str, rank: int, named: tuple[str, ...]) -> str:
    letters = program.letters[name]
    read, count = f"{safe(name)}[{','.join(letters)}]", max(rank - len(letters), 0)
    stand = f"{count} of them {'stands' if count == 1 else 'stand'} in front"
    says = f'axes={{"{safe(name)}": "{",".join(some_names(count, letters))}"}}'
    way_out = f"Name these, such as {says}." if count else f"Leave {safe(name)} out of axes."
    reader = next(step.op for step in program.steps if name in step.args)
    if hasattr(reader, "axes") and _reads_all(reader) and 0 < rank - len(named) < len(letters):
        behind = ",".join(letters[: rank - len(named)])
        way_out = f'Say which axes an example has: {reader.name}(…, axes="{behind}").'
    return (
        f"axes names {plural(len(named), 'axis', 'axes')} in front of {read}: "
        f"{','.join(named) or 'none'}.\n"
        f"  {safe(name)} has {plural(rank, 'axis', 'axes')} and is read as {read}: {stand}\n"
        f"  {way_out}"
    )


def in_front(program: Program, names: Names, given: Names) -> dict[str, int]:
    """How many axes each array of data carries in front of what its reader reads.

    Where all its axes are named and the reader reads however many an example has, n is in front.
    """
    found = {}
    for name, axes in names.items():
        reader = next(step.op for step in program.steps if name in step.args)
        found[name] = len(axes) - len(program.letters[name])
        if given.get(name, axes) != axes:
            found[name] = len(given[name])
        elif name in given and _reads_all(reader):
            found[name] = int(axes[:1] == (BATCH,))
    return found


def _reads_all(op: Op) -> bool:
    """Whether it reads all axes of an example, however many: a norm of groups, a reshaping."""
    return type(op).meeting_behind is not Op.meeting_behind


def meeting(
    program: Program, names: Names, front: Mapping[str, int], others: Mapping[str, np.ndarray]
) -> Program:
    """The program for data with these axes: each op goes over the axes that it names.

    A reduction with none to go over is left out: J = Mean(L) makes L be J. `front` says how
    many axes of data are carried. Of the `others`, parameters and data without names, only the
    numbers of axes matter.
    """
    if not program.meets_axes:
        return program
    key = (*names.items(), *front.values(), *[array.ndim for array in others.values()])
    if key not in program.meetings:
        ranks = {name: array.ndim for name, array in others.items()}
        program.meetings[key] = _met(program, names, front, ranks)
    return program.meetings[key]


def _met(
    program: Program, names: Names, front: Mapping[str, int], ranks: Mapping[str, int]
) -> Program:
    axes: Names = dict(names)
    carried = {name: axes[name][:count] for name, count in front.items()}
    steps: list[Step] = []
    left_out: list[Step] = []
    for step in program.steps:
        try:
            known = [_known(program, arg, axes, ranks) for arg in step.args]
            op = step.op.meeting_behind(len(carried.get(step.args[0], ())), *known)
        except AxisError as error:
            raise AxisError(f"{step.who}: {rename(str(error), step.called)}") from None
        if op is None:
            left_out.append(step)
            axes[step.name] = axes[step.args[0]]
            carried[step.name] = carried.get(step.args[0], ())
            continue
        steps.append(step if op is step.op else replace(step, op=op))
        try:
            axes[step.name], leading = _output(steps[-1], axes, ranks)
            before = {axis for arg in step.args for axis in carried.get(arg, ())}
            carried[step.name] = tuple(takewhile(before.__contains__, leading))
        except WrongRankError:  # which is told where the step is computed
            return program
    if not left_out and all(a is b for a, b in zip(steps, program.steps, strict=True)):
        return program
    inside = {step.args[0]: step.name for step in left_out}

    def called(name: str) -> str:
        while name in inside:
            name = inside[name]
        return name

    kept = [
        replace(
            step,
            name=called(step.name),
            args=tuple(map(called, step.args)),
            fused_args=tuple(map(called, step.fused_args)),
        )
        if left_out
        else step
        for step in steps
    ]
    return Program(tuple(kept), program.params, tuple(left_out))


def _known(
    program: Program, name: str, axes: Names, ranks: Mapping[str, int]
) -> tuple[str, ...] | None:
    """The axes of a value by name; a parameter's are its letters, and n in front of them."""
    if name in axes or name not in program.params:
        return axes.get(name)
    letters = program.letters[name]
    found = (*unnamed(max(ranks[name] - len(letters), 0)), *letters)
    return found if len(set(found)) == len(found) == ranks[name] else None


def axes_of_output(step: Step, axes: Names, ranks: Mapping[str, int]) -> tuple[str, ...]:
    """The axes of what a step gives, as soon as those of the values that it reads are known.

    >>> from .program_text import read_program
    >>> (step,) = read_program(["J = Mean(L, over='t')"], {})
    >>> axes_of_output(step, {"L": ("n", "t", "k")}, {})
    ('n', 'k')
    """
    op = step.op.meeting(*(axes.get(arg) for arg in step.args))
    if op is None:
        return axes[step.args[0]]
    given, _ = _output(step if op is step.op else replace(step, op=op), axes, ranks)
    return given


def _output(
    step: Step, axes: Names, ranks: Mapping[str, int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The axes of what a step gives, and those that may be in front.

    WrongRankError where what it reads does not fit it.
    """
    signature = step.op.parsed
    counts = []
    for operand, arg in zip(signature.inputs, step.args, strict=True):
        known = len(axes[arg]) if arg in axes else None
        counts.append(ranks.get(arg, len(operand.axes)) if known is None else known)
    known_axes = [axes.get(arg) for arg in step.args]
    _, leading = carried_axes(signature, counts, step.op.parameters, known_axes)
    own = signature.renamed(signature.beside(leading)).output.axes
    mixes = BATCH in own  # it speaks of the axes in front itself, as a batch norm does
    return (*leading, *own), (*leading, *(own if mixes else ()))
