"""The value of each example, before the cost adds the examples up."""

from ..errors import AxisError
from ..program.forward_pass import Pass
from ..program.program import listed


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
    if len(found) != 1:
        have = f"{listed(found)} are" if found else "no value is"
        raise AxisError(
            f"{head}{of}/∂…: {have} added up over the examples on the way to {of}.\n"
            f'  Name the value of each example yourself: of="{found[0] if found else of}".'
        )
    return found[0]
