"""Each example by itself: its Jacobian where no step lets examples meet, its share of a cost."""

from ..algebra.axes import BATCH
from ..algebra.each_example import ExampleJacobian
from ..algebra.expression import Delta, Expression
from ..algebra.jacobian import Jacobian
from ..errors import AxisError
from .forward_pass import Pass
from .program import listed


def jacobian_of_each_example(state: Pass, of: str, wrt: str) -> Jacobian:
    """∂of/∂wrt with one axis n: of each example by its own wrt, or by what all examples share.

    Of one example it is the Jacobian as it is. Raises AxisError where examples meet on the way,
    in a batch norm or a sum over them, and says in which step.
    """
    whole = state.jacobian(of, wrt)
    if state.examples is None or of not in state.batched:
        return whole
    _require_apart(state, whole)
    if wrt not in state.batched:
        return whole
    return ExampleJacobian.spent(whole, BATCH)


def before_the_examples_add_up(state: Pass, of: str, head: str = "∂²") -> str:
    """The one value with the axis n from which `of` is made without it: L in J = mean of L.

    `of` itself where it has the axis n, or where there is no batch. Raises AxisError where no
    value, or more than one, is added up over the examples.
    """
    if of in state.batched or state.examples is None:
        return of
    before, found = {of}, []
    for step in reversed(state.program.steps):
        taken = step.active()
        if taken.name in before and taken.name not in state.batched:
            before.update(taken.args)
            found += [arg for arg in taken.args if arg in state.batched]
    found = list(dict.fromkeys(found))
    if not found and state.step(of) is None:
        made = [step for step in state.program.steps if step.name in state.batched]
        reading = [step.name for step in made if of in step.args]
        names = [*reading, *(step.name for step in made)] if head == "∂" else [made[-1].name]
        raise AxisError(
            f"{head}{of}/∂…: {of} is given, not computed, and depends on nothing.\n"
            f'  Name first what is differentiated, a value that is computed, such as "{names[0]}".'
        )
    if len(found) != 1:
        have = f"{listed(found)} are" if found else "no value is"
        raise AxisError(
            f"{head}{of}/∂…: {have} added up over the examples on the way to {of}.\n"
            f'  Name the value of each example yourself: of="{found[0] if found else of}".'
        )
    return found[0]


def _require_apart(state: Pass, whole: Jacobian) -> None:
    for link in reversed(whole.links):
        target, source = (whole.nodes[place].name for place in (link.target, link.source))
        if source not in state.batched:
            continue
        if target not in state.batched:
            how = f"adds up what belongs to different examples: {target} has no axis {BATCH}"
        elif not _keeps_apart(link.expression):
            how = f"lets examples meet: entry {BATCH} of {target} reads {source} of others too"
        else:
            continue
        step = state.step(target)
        raise AxisError(
            f"{whole.name} of each example: {step.who if step else target} {how}.\n"
            f"  ∂{target}/∂{source}[{','.join((*link.out, *link.wrt))}] = {link.expression}\n"
            f'  Leave per_example out, run.jacobian("{whole.of}", "{whole.wrt}"), or take a value '
            "before that step."
        )


def _keeps_apart(expression: Expression) -> bool:
    """Whether every term has the delta between an example and itself."""
    return all(
        any({axis.rstrip("'") for axis in delta.axes} == {BATCH} for delta in term.of(Delta))
        for term in expression.terms
    )
