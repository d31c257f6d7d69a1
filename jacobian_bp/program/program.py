"""A straight-line program of ops.

A program is a list of steps, each giving a value its name: z1 = Linear(x, W1,
b1). Any directed acyclic graph is one: a name may be read as often as you like.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..errors import SpecError
from ..ops import Op
from ..writing.signs import plural, safe, with_article
from .fusing import fused
from .step import Step


@dataclass(frozen=True, eq=False)
class Program:
    """Steps in order; what they read and do not compute is a parameter or an input.

    The last step's value is the cost when it is a scalar.
    """

    steps: tuple[Step, ...]
    params: tuple[str, ...]
    left_out: tuple[Step, ...] = ()  # reductions over axes that are not there

    @classmethod
    def build(cls, steps: Iterable[Step], params: Sequence[str]) -> "Program":
        """Check the names, and fuse a loss with the activation in front of it."""
        steps = tuple(steps)
        if not steps:
            raise SpecError("the program has no steps.\n  Write at least one: z = Linear(x, W, b).")
        made: dict[str, Step] = {}
        own = set(params)
        for step in steps:
            if step.name in made or step.name in own:
                other = "a parameter" if step.name in own else f"{made[step.name]}"
                raise SpecError(
                    f"two values are named {safe(step.name)}: {step} and {other}.\n"
                    "  Give each value a name of its own."
                )
            made[step.name] = step
        places = {step.name: position for position, step in enumerate(steps)}
        for position, step in enumerate(steps):
            inputs = step.op.parsed.inputs
            if len(inputs) != len(step.args):
                raise SpecError(
                    f"{step.who} reads {_counted(step.op)}, {step.op.parsed}; "
                    f"it is given {len(step.args)}: {', '.join(step.args) or 'none'}."
                    f"\n  {_with_all_inputs(step)}"
                )
            for arg in step.args:
                if places.get(arg, -1) >= position:
                    raise SpecError(
                        f"{step.who} reads {arg}, which is computed by this step or a later one."
                        "\n  Write the steps in the order in which they are computed."
                    )
            for operand, arg in zip(inputs, step.args, strict=True):
                if operand.name in step.op.without_derivative and (arg in made or arg in own):
                    kind = _kind(step.op, operand.name)
                    raise SpecError(
                        f"{step.who}: {operand.name} is {with_article(kind)}, by which nothing is "
                        f"differentiated, but {arg} is {'trained' if arg in own else 'computed'}.\n"
                        f"  {_in_its_place(step, operand.name, kind, {*made, *own})}"
                    )
        read = dict.fromkeys(arg for step in steps for arg in step.args)
        unused = [name for name in params if name not in read]
        if unused:
            raise SpecError(
                f"no step reads the parameter {', '.join(map(safe, unused))}.\n"
                f"  The steps read {', '.join(read)}."
            )
        taken = frozenset((*made, *read, *params, *_letters_of_several(steps)))
        whole = [replace(fused(step, made), taken=taken) for step in steps]
        program = cls(tuple(whole), tuple(params))
        for name in program.inputs:
            uses = {
                _kind(step.op, o): step
                for step in steps
                for o, a in step.called.items()
                if a == name
            }
            if "position" in uses and len(uses) > 1:
                other, step = next(pair for pair in uses.items() if pair[0] != "position")
                raise SpecError(
                    f"{uses['position'].who} reads {name} as positions of an axis, "
                    f"{step.who} as {other or 'data'}.\n"
                    "  Give the two inputs names of their own."
                )
        return program

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names that are read but neither computed nor trained, in order of first use."""
        known = {step.name for step in self.steps}.union(self.params)
        read = dict.fromkeys(arg for step in self.steps for arg in step.args)
        return tuple(name for name in read if name not in known)

    @property
    def inputs_said(self) -> str:
        """For a message: the inputs, and how those are given that are neither x nor y."""
        named = [f"{name}=…" for name in self.inputs if name not in ("x", "y")]
        hint = f"; give {', '.join(named)} by name" if named else ""
        return f"Its inputs are {listed(self.inputs) or 'none'}{hint}."

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The inputs that are read as labels and as nothing else."""
        return self._read_as(lambda op: op.labels)

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """The inputs by which nothing is differentiated."""
        return self._read_as(lambda op: op.without_derivative)

    @cached_property
    def indices(self) -> tuple[str, ...]:
        """The inputs that hold positions of an axis: whole numbers."""
        return self._read_as(lambda op: op.parsed.indices)

    def kind_of(self, name: str) -> str:
        """What an input holds by which nothing is differentiated, for a message."""
        return (
            "positions"
            if name in self.indices
            else "labels"
            if name in self.labels
            else "constants"
        )

    def _read_as(self, listed: Callable[[Op], tuple[str, ...]]) -> tuple[str, ...]:
        uses: dict[str, list[bool]] = {name: [] for name in self.inputs}
        for step in self.steps:
            for operand, arg in zip(step.op.parsed.inputs, step.args, strict=True):
                if arg in uses:
                    uses[arg].append(operand.name in listed(step.op))
        return tuple(name for name, flags in uses.items() if all(flags))

    @cached_property
    def averages(self) -> bool:
        """Whether the cost is a mean over the examples: no data reaches it but through one."""
        reached = set(self.inputs)
        for step in self.steps:
            if not step.op.averages and not reached.isdisjoint(step.args):
                reached.add(step.name)
        means = any(step.op.averages for step in self.steps)
        return means and self.steps[-1].name not in reached

    @cached_property
    def meets_axes(self) -> bool:
        """Whether an op of it depends on the names of the axes that it reads."""
        return any(
            (op.meeting, op.meeting_behind) != (Op.meeting, Op.meeting_behind)
            for op in (type(step.op) for step in self.steps)
        )

    @cached_property
    def knows_zeros(self) -> bool:
        """Whether an op of it says where its value stands; then zeros follow that value."""
        return any(type(step.op).support is not Op.support for step in self.steps)

    @cached_property
    def bindings(self) -> dict[Any, Any]:
        """What signatures were bound to lately; kept by who binds its steps."""
        return {}

    @cached_property
    def meetings(self) -> dict[Any, "Program"]:
        """The same program for values with named axes, by these; kept as long as it lives."""
        return {}

    @cached_property
    def plans(self) -> dict[Any, Any]:
        """What forward passes have found to follow from shapes; kept by who computes them."""
        return {}

    def without(self, absent: frozenset[str]) -> "Program":
        """The steps that need none of these inputs; one program, however often it is asked for.

        A penalty goes with the cost that it is added to: what is computed from parameters
        alone, and read only by steps that go, goes too.
        """
        if not absent:
            return self
        if absent not in self._parts:
            unknown, kept = set(absent), []
            for step in self.steps:
                if unknown.isdisjoint(step.args):
                    kept.append(step)
                else:
                    unknown.add(step.name)
            for step in reversed(self._of_parameters):
                readers = {s.name for s in self.steps if step.name in s.args}
                if readers and readers <= unknown:
                    unknown.add(step.name)
            kept = [step for step in kept if step.name not in unknown]
            self._parts[absent] = Program(tuple(kept), self.params, self.left_out)
        return self._parts[absent]

    @cached_property
    def _of_parameters(self) -> list[Step]:
        """The steps that are computed from parameters alone, in order."""
        known, found = set(self.params), []
        for step in self.steps:
            if known.issuperset(step.args):
                known.add(step.name)
                found.append(step)
        return found

    @cached_property
    def _parts(self) -> dict[frozenset[str], "Program"]:
        return {}

    @cached_property
    def letters(self) -> dict[str, tuple[str, ...]]:
        """The axes of one example of each value, from the step that makes it or first reads it."""
        found: dict[str, tuple[str, ...]] = {}
        for step in self.steps:
            signature = step.op.parsed
            for operand, arg in zip(signature.inputs, step.args, strict=True):
                found.setdefault(arg, operand.axes)
            found[step.name] = signature.output.axes
        return found

    def unknown(self, name: str) -> str:
        """The message for a name that stands nowhere in the program."""
        known = [*self.inputs, *self.params, *(step.name for step in self.steps)]
        return f"no value is named {name!r}.\n  The values are {listed(known)}."


def _letters_of_several(steps: Sequence[Step]) -> list[str]:
    """The letters by which several ops say what is inside them, and do not mean the same by it.

    Two cells of a recurrent network have a z each; the two ops of an LSTM cell have the same gates.
    """
    meant: dict[str, set[Hashable]] = {}
    for step in steps:
        op = step.op
        from_these = tuple([step.called.get(operand) for operand in op.letters_from])
        for letter in op.own_letters:
            meant.setdefault(letter, set()).add(from_these or (type(op), step.args))
    return [letter for letter, meanings in meant.items() if len(meanings) > 1]


def _counted(op: Op) -> str:
    """2 or 3 values"""
    signature = op.parsed
    least, most = signature.least, len(signature.inputs)
    return plural(most, "value") if least == most else f"{least} to {most} values"


def _kind(op: Op, operand: str) -> str:
    """What an op reads as this input where nothing is differentiated by it; else nothing."""
    if operand in op.parsed.indices:
        return "position"
    if operand not in op.without_derivative:
        return ""
    return "label" if operand in op.labels else "constant"


def listed(names: Sequence[str], most: int = 20) -> str:
    shown = ", ".join(safe(name) for name in names[:most])
    return shown + (f", … {len(names)} in all" if len(names) > most else "")


def _with_all_inputs(step: Step) -> str:
    """The line with as many operands as the op has, those that lack under the op's own names."""
    signature = step.op.parsed
    inputs = [operand.name for operand in signature.inputs]
    args = [*step.args, *inputs[len(step.args) : signature.least]][: len(inputs)]
    inside = ", ".join((*args, *step.written_options))
    left = "" if len(args) >= len(step.args) else f", without {', '.join(step.args[len(args) :])}"
    return f"Write {step.name} = {step.title}({inside}){left}."


def _in_its_place(step: Step, operand: str, kind: str, known: Collection[str]) -> str:
    """The same line with the one operand that is an input where it belongs; else what to pass."""
    given = [name for name in step.args if name not in known]
    turned_round = kind != "constant" and len(step.args) == 2 and len(given) == 1
    if turned_round and given[0] != step.called[operand]:
        turned = ", ".join((*reversed(step.args), *step.written_options))
        return f"The {kind}s stand in the other place: {step.name} = {step.title}({turned})."
    return f"Pass the {kind}s as an input of the network, such as {operand}."
