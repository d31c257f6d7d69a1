"""Which ops bend, and what comes back to each: the rows of a Hessian."""

import numpy as np

from ..algebra.expression import Expression
from ..algebra.jacobian import Jacobian
from ..algebra.products.like_terms import written_short
from ..curvature.cut import Cut
from ..curvature.doubled_graph import Bend, DoubledGraph
from ..program.bends import Bent, second_name
from ..program.forward_pass import Pass
from ..program.step import Step
from .derive import symbol
from .second_ledger import BendRow, StraightRow


def rows_of(
    state: Pass, steps: list[Step], graph: DoubledGraph, cut: Cut, before: int
) -> tuple[tuple[BendRow | StraightRow, ...], tuple[str, ...]]:
    """A row for each op that bends, from the cost down, and the values that none bends in."""
    found: list[BendRow | StraightRow] = []
    straight: list[str] = []
    for step in steps:
        own: dict[object, list[Bend]] = {}
        for bend in graph.bends:
            if bend.bent.step.name == step.name:
                own.setdefault(bend.key, []).append(bend)
        number = before + sum(isinstance(row, BendRow) for row in found)
        values = [_values(bend) for bend, *_ in own.values()]
        found += [
            _row(state, bends, cut, number + place, values.count(_values(bends[0])) > 1)
            for place, bends in enumerate(own.values(), 1)
        ]
        kinks = step.op.branch(*state.inputs_of(step))
        if not own and kinks is not None:
            on = int((kinks == 0).sum())
            name = second_name(step.name, step.args[0], step.args[0])
            share = f"here {on:,} of {kinks.size:,} on one" if on else "none here on one"
            reason = f"straight between kinks; {share}"
            found.append(StraightRow(name, reason))
        elif not own:
            straight.append(step.name)
    return tuple(found), tuple(straight)


def _row(state: Pass, bends: list[Bend], cut: Cut, number: int, is_twin: bool) -> BendRow:
    """The row of one op by a pair of its inputs; of twins the reason says which inputs.

    Where two inputs are one value, the derivative by it has the pair in both orders.
    """
    bent, link = bends[0].bent, bends[0].link
    at = f", {_places(bent)}" if is_twin else ""
    u, v = bent.inputs
    inputs = (*bent.first, *bent.second)
    words = [axis.name for axis in bent.first]
    front = len(link.out) - len(words)
    kept = [*link.out[:front], *words, *link.wrt]
    both = bends if u == v else bends[:1]
    said, returned = Expression(), Expression()
    for bend in both:
        own = [axis.name for axis in (*bend.bent.first, *bend.bent.second)]
        names = dict(zip(own, (axis.name for axis in inputs), strict=True))
        said += bend.bent.expression.renamed(names)
        spots = (*bend.link.out, *bend.link.wrt)
        returned += bend.link.expression.renamed(dict(zip(spots, kept, strict=True)))
    pattern = Jacobian.local(bent.step.name, f"{u},{v}", bent.out, inputs, said)
    return BendRow(
        number,
        bends[0].name,
        written_short(said, [axis.name for axis in (*bent.out, *inputs)]),
        "" if bent.step.name == state.cost else symbol(bent.step.name, state.cost),
        written_short(returned, kept),
        pattern.structural_nonzeros,
        int(np.prod([axis.size for axis in pattern.axes], dtype=object)),
        bent.step.name in cut.inside,
        f"∂{bent.step.name}/∂{u} moves with {v}{at}",
        bends[0].key,
        (u, v),
    )


def _values(bend: Bend) -> tuple[str, ...]:
    """The two values by which it bends; several rows of a step that reads one twice share them."""
    return tuple(sorted(bend.bent.inputs))


def _places(bent: Bent) -> str:
    """inputs 1 and 3"""
    places = [str(place + 1) for place in sorted(set(bent.pair))]
    return f"input{'s' * (len(places) > 1)} {' and '.join(places)}"
