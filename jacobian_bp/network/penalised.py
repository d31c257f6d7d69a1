"""Penalties as a caller says them, penalty={"W1": 0.01}, and as steps of a program."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ..errors import DomainError, SpecError
from ..ops import Add, Penalty
from ..ops.names import PENALTIES
from ..program.step import Step
from ..writing.signs import did_you_mean, safe, type_of

PLAIN = "l2"  # of a number alone
KINDS = tuple(PENALTIES)
TOLD = 'Write {"W1": 0.01}, which is {"W1": {"l2": 0.01}}; ' + f"the kinds are {', '.join(KINDS)}."

Rates = dict[str, dict[str, float]]  # the parameter, the kind, the rate
Shapes = Mapping[str, tuple[int, ...]]


def read_penalty(penalty: Any, shapes: Shapes) -> Rates:
    """Every rate by parameter and kind, or SpecError with the name that does not fit."""
    if penalty is None:
        return {}
    if not isinstance(penalty, Mapping):
        raise SpecError(
            f"penalty is {type_of(penalty)}, not a mapping of parameters to rates.\n  {TOLD}"
        )
    found: Rates = {}
    for name, said in penalty.items():
        if name not in shapes:
            raise SpecError(
                f"penalty names {safe(repr(name)[:60])}, which is no parameter."
                f"{did_you_mean(name, shapes)}\n  The parameters are {', '.join(shapes)}."
            )
        found[name] = dict(said) if isinstance(said, Mapping) else {PLAIN: said}
        for kind in found[name]:
            if kind not in KINDS:
                raise SpecError(
                    f"the penalty on {name} is {safe(repr(kind)[:60])}, which is not known."
                    f"{did_you_mean(kind, KINDS, chr(39))}\n  {TOLD}"
                )
    return {name: rates for name, rates in found.items() if rates}


def penalised(steps: Sequence[Step], rates: Rates, shapes: Shapes) -> list[Step]:
    """The steps, with each penalty as a step R1, R2, … and the cost J as the sum of all.

    The cost of the data, J before, is D then. The sum stands after the mean over the
    examples, so that a penalty counts once in a batch.
    """
    if not rates:
        return list(steps)
    *before, cost = steps
    made: list[Step] = []
    for name, kinds in rates.items():
        for kind, rate in kinds.items():
            made.append(Step(f"R{len(made) + 1}", _op(name, kind, rate, shapes), (name,)))
    terms = ("D", *(step.name for step in made))
    total = Step("J", Add("", len(terms)), terms)
    return [*before, Step("D", cost.op, cost.args), *made, total]


def formulas(steps: Sequence[Step]) -> tuple[str, ...]:
    """The penalties among the steps, as formulas: 0.01 Σ W1²."""
    return tuple(step.formula for step in steps if isinstance(step.op, Penalty))


def _op(name: str, kind: str, rate: Any, shapes: Shapes) -> Penalty:
    axes = "k,i" if len(shapes[name]) == 2 else "k"
    op = cast("type[Penalty]", PENALTIES[kind])
    try:
        return op(rate, axes)
    except DomainError as error:
        fact = str(error).partition("\n")[0].partition(" is ")[2]
        instead = "Write a finite rate from 0 up, such as 0.01."
        if isinstance(rate, str | list | tuple):  # which may be meant to name the kind too
            instead = TOLD
        raise DomainError(f"the penalty {kind} on {name} is {fact}\n  {instead}") from None
