"""How one step bends: its second derivatives under the network's names, over the batch.

    ∂²z/∂W∂a[k,k',i',i''] = δ[k,k'] δ[i',i'']

An op says them of one example. By two inputs that both carry the examples they get
δ[n,n'] δ[n,n'']: examples do not mix. One of the two that does not carry them, such as a
parameter, brings no axis; where neither does, 1[n] says that every example bends alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..algebra.axes import Axis, primed
from ..algebra.expression import Copies, Delta, Expression, One
from ..algebra.nodes_and_links import make_link
from ..errors import AxisError, JacobianError, Later
from ..numbers.arrays import quiet
from .forward_pass import Pass
from .step import Step

Pair = tuple[int, int]  # the positions of two inputs of a step
Raw = dict[Pair, Expression]


@dataclass(frozen=True)
class Bent:
    """∂²out/∂first∂second of one step, by the inputs at two positions.

    `out`, `first` and `second` are the axes of the three; those of the two inputs are primed
    as one word, whichever of them comes first.
    """

    step: Step
    pair: Pair
    out: tuple[Axis, ...]
    first: tuple[Axis, ...]
    second: tuple[Axis, ...]
    expression: Expression

    @property
    def inputs(self) -> tuple[str, str]:
        """What the network calls the two inputs."""
        return self.step.args[self.pair[0]], self.step.args[self.pair[1]]

    @property
    def name(self) -> str:
        """∂²z2/∂W2∂a1, and ∂²a1/∂z1² where both are one."""
        return second_name(self.step.name, *self.inputs)

    @property
    def turned(self) -> "Bent":
        """The same by the two inputs in the other order."""
        pair = self.pair[::-1]
        return Bent(self.step, pair, self.out, self.second, self.first, self.expression)


def second_name(of: str, first: str, second: str) -> str:
    """∂²J/∂W2∂W1, and ∂²J/∂W1² where both are one.

    >>> second_name("J", "W2", "W1"), second_name("J", "W1", "W1")
    ('∂²J/∂W2∂W1', '∂²J/∂W1²')
    """
    return f"∂²{of}/∂{first}²" if first == second else f"∂²{of}/∂{first}∂{second}"


@quiet
def bends_of(state: Pass, step: Step) -> list[Bent]:
    """For each ordered pair of inputs that bend the step's value together, how they do.

    Raises JacobianError for an op that does not say how it bends, and AxisError for a pair or
    an axis that it cannot have.
    """
    return lifted_bends(state, step, raw_bends(state, step))


@quiet
def raw_bends(state: Pass, step: Step) -> Raw:
    """What the op says of one example, by the positions of the two inputs; kept."""
    return raw_bends_in_silence(state, step)


def raw_bends_in_silence(state: Pass, step: Step) -> Raw:
    """`raw_bends`, for a caller who has numpy's warnings off."""
    if step.key in state.bends:
        found: Raw = state.bends[step.key]
        return found
    if not step.op.has_second:
        raise JacobianError(f"{step.who} has no second.\n{_behind(step.op.lacks('second'))}")
    given = step.ask("second()", step.op.second, *state.inputs_of(step))
    if not isinstance(given, Mapping) or not all(isinstance(e, Expression) for e in given.values()):
        raise AxisError(
            f"{step.who}: second() gives no expressions.\n"
            "  Return a dict from pairs of inputs to deltas and factors, such as\n"
            '  {("W", "a"): delta("k,k\'") * delta("i\',i\'\'")}.'
        )
    copies: Copies = {}
    found = {}
    for key, expression in given.items():
        pair = _positions(step, key)
        if pair in found or pair[::-1] in found:
            raise AxisError(
                f"{step.who}: second() names {key[0]} and {key[1]} twice.\n"
                "  Name each pair once, in either order; the other order follows."
            )
        found[pair] = expression.kept(copies, step.op.gives_new_arrays)
    state.bends[step.key] = found
    return found


def lifted_bends(state: Pass, step: Step, raw: Raw) -> list[Bent]:
    """`bends_of` from what the op says of one example: each pair in both orders."""
    found: list[Bent] = []
    for pair, expression in raw.items():
        bent = _lifted(state, step, pair, expression)
        found.append(bent)
        if pair[0] != pair[1]:
            found.append(bent.turned)
    return found


def _behind(message: str) -> str:
    return message.partition("\n")[2]


def _positions(step: Step, key: object) -> Pair:
    """Where the two inputs of a pair stand; AxisError for what is no pair of them."""
    places = step.places
    named = isinstance(key, tuple) and len(key) == 2 and key[0] in places and key[1] in places
    if not named or not isinstance(key, tuple):
        raise AxisError(
            f"{step.who}: second() names {key!r}, which is no pair of inputs.\n"
            f"  The op is differentiated by {', '.join(places)}; name two of them, or one twice."
        )
    return places[key[0]], places[key[1]]


def _lifted(state: Pass, step: Step, pair: Pair, expression: Expression) -> Bent:
    """A pair from what the op says of one example, checked."""
    binding = state.binding(step)
    expression = expression.relabelled(step.spelled)
    front = binding.leading
    carried = [tuple(a for a in binding.carried[place]) for place in pair]
    own = [binding.fronts.signature.inputs[place].axes for place in pair]
    names = binding.names()
    if names:
        marks = ["'" * count for count in range(len(own[0]) + len(own[1]) + 1)]
        expression = expression.renamed(
            {old + mark: new + mark for old, new in names.items() for mark in marks}
        )
    inner = [(*lead, *axes) for lead, axes in zip(carried, own, strict=True)]
    word = primed((*inner[0], *inner[1]))
    split = len(inner[0])
    first, second = word[:split], word[split:]
    lift: list[Delta | One] = []
    for axis in front:
        meets = [
            marked[lead.index(axis)]
            for marked, lead in zip((first, second), carried, strict=True)
            if axis in lead
        ]
        lift += [Delta(axis, mark) for mark in meets] or [One(axis)]
    if lift:
        expression = Expression.of(*lift) * expression
    sizes = [binding.sizes[axis] for axis in (*inner[0], *inner[1])]
    out = tuple(Axis(axis, binding.sizes[axis]) for axis in binding.fronts.output)
    axes = tuple(map(Axis, word, sizes))
    args = step.args[pair[0]], step.args[pair[1]]
    who = Later(lambda: f"{step.who}: {second_name(step.name, *args)}")
    link = make_link(who, 0, 1, (*out, *axes[:split]), axes[split:], expression)
    return Bent(step, pair, out, axes[:split], axes[split:], link.expression)
