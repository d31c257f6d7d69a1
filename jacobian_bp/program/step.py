"""One step of a program: a name, an op, and what it reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..algebra.binding import Binding, Fronts
from ..errors import JacobianError
from ..ops import Op
from ..writing.marked import marked
from ..writing.signs import rename, safe
from .options import beside_formula, of_made

OF_THE_PACKAGE = f"{Op.__module__.partition('.')[0]}."  # how the modules of its ops begin


@dataclass(frozen=True, eq=False)
class Step:
    """name = op(args). A fused step also knows the op and arguments that replace two steps.

    A step that was read from a text knows what its op is called there, and the options behind.
    """

    name: str
    op: Op
    args: tuple[str, ...]
    fused_op: Op | None = None
    fused_args: tuple[str, ...] = ()
    kind: str = ""
    options: tuple[str, ...] | None = None
    taken: frozenset[str] = (
        frozenset()
    )  # names of all values of its program, letters of several ops

    @cached_property
    def key(self) -> tuple[str, Op]:
        """What tells a step from every other, its fused twin too."""
        return self.name, self.op

    @property
    def who(self) -> str:
        """As an error names it: Linear 'z2'."""
        return f"{self.title} '{safe(self.name)}'"

    @property
    def title(self) -> str:
        """What the op is called in the program: the name of its class, or another given to it."""
        return self.kind or self.op.name

    @cached_property
    def called(self) -> dict[str, str]:
        """What the network calls each input of the op."""
        return dict(zip((o.name for o in self.op.parsed.inputs), self.args, strict=True))

    @cached_property
    def spelled(self) -> dict[str, str]:
        """What is written for each input of the op, for its value, and for letters of its own."""
        own = {letter: letter for letter in self.op.own_letters}
        for letter in self.taken.intersection(own):
            own[letter] = f"{letter}_{self.name}"
            while own[letter] in self.taken:
                own[letter] += "_"
        known = self.called | {self.op.parsed.output.name: self.name}
        labels = {t: made.format_map(known | own) for t, made in self.op.own_labels.items()}
        return labels | own | known

    @cached_property
    def variables(self) -> tuple[tuple[int, str, str], ...]:
        """(position, the op's name, the network's name) of each input to differentiate by."""
        kept = self.op.differentiable()
        return tuple(
            (position, operand, arg)
            for position, (operand, arg) in enumerate(self.called.items())
            if operand in kept
        )

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each input that the op is differentiated by stands, by the op's name for it."""
        return {operand: position for position, operand, _ in self.variables}

    @cached_property
    def indices(self) -> tuple[str, ...]:
        """What it reads as positions of an axis."""
        return tuple(self.called[operand] for operand in self.op.parsed.indices)

    @cached_property
    def fronts(self) -> dict[Any, Fronts]:
        """The names of all axes, by the numbers and names of the axes of what it reads."""
        return {}

    @cached_property
    def bindings(self) -> dict[Any, Binding]:
        """What was bound lately, by the shapes and names of the axes of what it reads."""
        return {}

    @property
    def formula(self) -> str:
        """The right-hand side in the network's names; empty where the op has no formula."""
        return rename(self.op.formula, self.spelled)

    @property
    def written_options(self) -> tuple[str, ...]:
        """Its options as a program's text has them."""
        return of_made(self.op) if self.options is None else self.options

    @property
    def told(self) -> str:
        """The right-hand side with its options: a formula, or else what the program says."""
        if self.op.formula:
            return ", ".join([self.formula, *beside_formula(self.op, self.written_options)])
        equation = getattr(self.op, "equation", "")
        if equation:  # an einsum is its equation
            return f"{equation} of {', '.join(self.args)}"
        return f"{self.title}({', '.join((*self.args, *self.written_options))})"

    def reason(self, position: int) -> str:
        """Why the Jacobian by one input looks as it does, in the network's names."""
        operand = self.op.parsed.inputs[position].name
        said = rename(self.op.reasons.get(operand, ""), self.spelled)
        return marked(said) if "`" in said else said

    def ask(self, what: str, function: Callable[..., Any], *arrays: Any) -> Any:
        """What a function of the op gives for these arrays, which are closed to writing.

        JacobianError where it writes to one of them, and for whatever an op of one's own raises.
        """
        try:
            return function(*arrays)
        except (JacobianError, MemoryError):
            raise
        except Exception as error:
            if isinstance(error, ValueError) and str(error).endswith("is read-only"):
                raise JacobianError(
                    f"{self.who}: {what} writes into an array that it was given: {error}.\n"
                    "  Other steps read the same array. Return a new one: a * 2, not a *= 2."
                ) from error
            if type(self.op).__module__.startswith(OF_THE_PACKAGE):
                raise
            said = f": {text}" if (text := safe(error)) else ""
            raise JacobianError(
                f"{self.who}: {what} raises {type(error).__name__}{said}.\n"
                f"  Mend {self.op.name}.{what.removesuffix('()')}, or what it is given: {self}."
            ) from error

    def active(self) -> "Step":
        """The step whose value and derivative are computed: the fused one where there is one."""
        return self if self.fused_op is None else self._fused

    @cached_property
    def _fused(self) -> "Step":
        assert self.fused_op is not None
        return Step(self.name, self.fused_op, self.fused_args, taken=self.taken)

    def reading(self, names: Mapping[str, str]) -> "Step":
        """The step with some of its arguments under another name."""
        return replace(self, args=tuple(names.get(arg, arg) for arg in self.args))

    def __str__(self) -> str:
        inside = ", ".join((*self.op.written_operands(self.args), *self.written_options))
        return f"{self.name} = {self.title}({inside})"
