"""The values of one forward pass, and the local Jacobians at them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..algebra.axes import BATCH, Axis, primed, sized, unnamed
from ..algebra.binding import Binding, bind
from ..algebra.expression import Copies, Delta, Dense, Expression, One, Term
from ..algebra.jacobian import Jacobian
from ..algebra.nodes_and_links import Link, Node, identity, make_link
from ..algebra.positions.position_factors import Within
from ..errors import AxisError, DomainError, Later, SpecError
from ..numbers.arrays import read_only
from ..numbers.positions import require_positions
from ..ops import Op
from ..writing.signs import dims, plural, safe
from .moulds import cast
from .program import Program, listed
from .step import Step

MADE_AGAIN = (
    "_raws",
    "_locals",
    "_links",
    "_supports",
    "answers",
    "_neighbours",
    "_nodes",
)  # not kept with a copy of a pass
MOST_BINDINGS = 4  # kept of a step: before and after its parameters' axes have names, twice
MOST_SHARED = 64  # kept of a program, for steps that read arrays of the same shapes
Locals = dict[str, tuple[tuple[Axis, ...], tuple[Axis, ...], Expression]]


@dataclass(frozen=True, eq=False)
class Pass:
    """The values of one forward pass, and the local Jacobians at them.

    `names` has the names of each value's axes: first those that it carries in front, then
    the letters of the op that computes it, or that first reads it.
    """

    program: Program
    values: dict[str, np.ndarray]
    names: dict[str, tuple[str, ...]]
    dtype: np.dtype
    missing: tuple[str, ...] = ()  # labels that were not given

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in MADE_AGAIN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for array in self.values.values():  # a copy of a closed array is open
            read_only(array)

    def standing_for(
        self, values: Mapping[str, np.ndarray], local: Mapping[tuple[str, Op], Locals]
    ) -> "Pass":
        """The same steps at other values, with the local Jacobians that are given for them."""
        other = replace(self, values=dict(values))
        other._locals.update(local)
        return other

    @property
    def cost(self) -> str:
        """The name of the last value computed."""
        return self.program.steps[-1].name

    @cached_property
    def batched(self) -> frozenset[str]:
        """The values that have an axis of examples in front."""
        return frozenset(name for name, axes in self.names.items() if axes[:1] == (BATCH,))

    @property
    def axes_said(self) -> dict[str, str]:
        """What `axes` says of such data, where it is more than an n that nobody names."""
        letters, found = self.program.letters, dict[str, str]()
        for name in self.program.inputs:
            if name in self.values and name not in self.program.labels:
                front = self.names[name][: self.values[name].ndim - len(letters[name])]
                found |= {name: ",".join(front)} if front not in ((), (BATCH,)) else {}
        return found

    @property
    def examples(self) -> int | None:
        """The number of examples in a batch, or None for one example."""
        return next((len(self.values[name]) for name in self.batched), None)

    def step(self, name: str) -> Step | None:
        """The step that computes `name`, or None for a parameter or an input."""
        return self._steps.get(name)

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return {step.name: step for step in self.program.steps}

    def require(self, name: str) -> None:
        """SpecError if nothing has this name."""
        if name not in self.values:
            raise SpecError(self.program.unknown(name))

    def variables(self) -> list[str]:
        """The names by which something can be differentiated."""
        inputs = [name for name in self.program.inputs if name in self.values]
        data = [name for name in inputs if name not in self.program.constants]
        return [*data, *self.program.params, *self._steps]

    def require_variable(self, of: str, wrt: str) -> None:
        """DomainError for a derivative by labels, positions or constants."""
        self.require(wrt)
        if wrt in self.program.constants:
            raise DomainError(
                f"∂{of}/∂{wrt}: {wrt} holds {self.program.kind_of(wrt)}, by which nothing is "
                f"differentiated.\n  Differentiate by one of {listed(self.variables())}."
            )

    def axes(self, name: str) -> tuple[Axis, ...]:
        """The axes of a value, those that it carries in front."""
        return sized(self.names[name], self.values[name].shape)

    def node(self, name: str) -> Node:
        if name not in self._nodes:
            self._nodes[name] = Node(name, self.axes(name))
        return self._nodes[name]

    @cached_property
    def _nodes(self) -> dict[str, Node]:
        return {}

    def inputs_of(self, step: Step) -> list[np.ndarray]:
        return [self.values[arg] for arg in step.args]

    def dependents(self, wrt: Iterable[str], of: str) -> tuple[list[str], list[Step]]:
        """What lies on a path from `wrt` to `of`: the names from `of` down, and their steps.

        A loss is taken fused with its activation, unless the derivative is
        asked for at the very value between the two.
        """
        wanted = list(wrt)
        up, reached = set(wanted), []
        for step in self.program.steps:
            between = step.fused_op is not None and step.args[0] in wanted
            taken = step if between else step.active()
            if up.intersection(taken.args):
                up.add(taken.name)
                reached.append(taken)
        down, chosen = {of}, []
        for step in reversed(reached):
            if step.name in down:
                down.update(up.intersection(step.args))
                chosen.append(step)
        names = [step.name for step in chosen]
        sources = down.difference(names)
        return names + [name for name in wanted if name in sources], chosen

    def links(
        self,
        names: Sequence[str],
        steps: Sequence[Step],
        local: Callable[[Step, int], Link] | None = None,
    ) -> list[Link]:
        """The local Jacobians of `steps`, between positions in `names`."""
        local = local or self.link
        position = {name: p for p, name in enumerate(names)}
        found = []
        for step in steps:
            target = position[step.name]
            for operand, arg in enumerate(step.args):
                if position.get(arg, -1) > target:
                    link = local(step, operand)
                    found.append(link.between(target, position[arg]))
        return found

    def link(self, step: Step, operand: int) -> Link:
        """The local Jacobian by one input, checked once and kept."""
        key = (*step.key, operand)
        if key not in self._links:
            known = self._locals.get(step.key)
            self._links[key] = (
                link_of(step, operand, known) if known else self.cast(step, operand, self.raw(step))
            )
        return self._links[key]

    def cast(self, step: Step, operand: int, raw: Mapping[str, Expression]) -> Link:
        """The local Jacobian by one input from what the op hands over, on numbers or stand-ins."""
        name = step.op.parsed.inputs[operand].name
        return cast(
            self.binding(step),
            name,
            raw,
            step.spelled,
            lambda: link_of(step, operand, self.lifted(step, raw)),
        )

    @cached_property
    def _links(self) -> dict[tuple[str, Op, int], Link]:
        return {}

    def local(self, step: Step) -> Locals:
        """For each input of the op: output axes, variable axes, and the expression; kept.

        The op speaks of trailing axes. By data, an axis in front brings δ[n,n'] (examples do
        not mix); by what does not have it, such as a parameter, it brings 1[n]: the same
        parameter serves every example, and the sum over n adds their shares.
        """
        if step.key not in self._locals:
            self._locals[step.key] = self.lifted(step, self.raw(step))
        return self._locals[step.key]

    def forget(self) -> None:
        """Let go of the local Jacobians that are kept; they are made again when needed."""
        self._raws.clear()
        self._locals.clear()
        self._links.clear()
        self.bends.clear()
        self.answers.clear()

    @cached_property
    def bends(self) -> dict[tuple[str, Op], Any]:
        """What ops have said of how they bend; kept by who asks them."""
        return {}

    @cached_property
    def answers(self) -> dict[Any, Any]:
        """What steps have answered to recorded sweeps; kept by who asks them."""
        return {}

    @cached_property
    def _locals(self) -> dict[tuple[str, Op], Locals]:
        return {}

    def raw(self, step: Step) -> Mapping[str, Expression]:
        """What the op hands over, of one example, under its own names; kept."""
        known = self._raws.get(step.key)
        if known is not None:
            return known
        with np.errstate(all="ignore"):
            return self.raw_in_silence(step)

    def raw_in_silence(self, step: Step) -> Mapping[str, Expression]:
        """`raw`, for a caller who has numpy's warnings off."""
        if step.key in self._raws:
            return self._raws[step.key]
        expressions = step.ask("jacobians()", step.op.jacobians, *self.inputs_of(step))
        if not isinstance(expressions, Mapping) or not all(
            isinstance(e, Expression) for e in expressions.values()
        ):
            raise AxisError(
                f"{step.who}: jacobians() gives no expressions.\n"
                "  Return a dict from input to deltas and factors, such as\n"
                '  {"z": delta("k,k\'") * dense("slope[k]", slope)}.'
            )
        if self.program.knows_zeros:
            expressions = self._with_zeros(step, expressions)
        copies: Copies = {}  # of arrays that several of them share
        new = step.op.gives_new_arrays
        self._raws[step.key] = {name: e.kept(copies, new) for name, e in expressions.items()}
        return self._raws[step.key]

    @cached_property
    def _raws(self) -> dict[tuple[str, Op], Mapping[str, Expression]]:
        return {}

    def _with_zeros(self, step: Step, raw: Mapping[str, Expression]) -> Mapping[str, Expression]:
        """A factor that is a value with known zeros brings the ranges in which that stands."""
        held = [(self.values[arg], self.names[arg], self.support(arg)) for arg in step.args]
        held = [known for known in held if known[2]]
        if not held:
            return raw

        def bounded(term: Term) -> Term:
            ranges = [
                stands.renamed(dict(zip(names, factor.axes, strict=True)))
                for factor in term.of(Dense)
                for value, names, support in held
                if factor.array is value
                for stands in support
            ]
            return replace(term, factors=(*ranges, *term.factors)) if ranges else term

        return {name: Expression(tuple(map(bounded, e.terms))) for name, e in raw.items()}

    def support(self, name: str) -> tuple[Within, ...]:
        """The ranges of its axes in which a value can stand; none where that is everywhere."""
        if name not in self._supports:
            step = self.step(name)
            self._supports[name] = () if step is None else tuple(self._ranges(step))
        return self._supports[name]

    @cached_property
    def _supports(self) -> dict[str, tuple[Within, ...]]:
        return {}

    def _ranges(self, step: Step) -> Iterable[Within]:
        """What the op says of its value, and what that has from what the op reads."""
        said = step.ask("support()", step.op.support, *self.inputs_of(step))
        if said is not None:
            factors = said.terms[0].factors if isinstance(said, Expression) and said.terms else ()
            if (
                not factors
                or len(said.terms) > 1
                or not all(isinstance(f, Within) for f in factors)
            ):
                raise AxisError(
                    f"{step.who}: support() gives {said}, which is no product of ranges.\n"
                    '  Return such as within("u <= t"), or None where the value stands everywhere.'
                )
            own = said.relabelled(step.called).renamed(self.binding(step).names())
            yield from own.terms[0].of(Within)
        mine = self.names[step.name][::-1]
        for operand, arg in step.called.items():
            if operand in step.op.keeps_zeros_of:
                names = dict(zip(self.names[arg][::-1], mine, strict=False))
                yield from (stands.renamed(names) for stands in self.support(arg))

    def lifted(self, step: Step, expressions: Mapping[str, Expression]) -> Locals:
        """`local` from the expressions of an op: under the network's names, over the batch."""
        signature, binding = step.op.parsed, self.binding(step)
        names, own = binding.names(), binding.fronts.signature
        found = {}
        for operand, renamed, front in zip(
            signature.inputs, own.inputs, binding.carried, strict=True
        ):
            if operand.name in step.op.without_derivative:
                continue
            if operand.name not in expressions:
                raise AxisError(
                    f"{step.who}: jacobians() gives no ∂{signature.output.name}/∂{operand.name}.\n"
                    f"  It gives {', '.join(expressions) or 'none'}; "
                    f"the signature is {signature}."
                )
            expression = expressions[operand.name].relabelled(step.spelled)
            _require_carried(step, operand.name, expression, binding)
            if names:
                primes = max(len(operand.axes), 1)
                marks = ["'" * count for count in range(primes + 1)]
                expression = expression.renamed(
                    {old + mark: new + mark for old, new in names.items() for mark in marks}
                )
            lift = [Delta(a, a + "'") if a in front else One(a) for a in binding.leading]
            if lift:
                expression = Expression.of(*lift) * expression
            inner = (*front, *renamed.axes)
            found[operand.name] = (
                sized(binding.fronts.output, binding.shape),
                sized(primed(inner), [binding.sizes[axis] for axis in inner]),
                expression,
            )
        return found

    def binding(self, step: Step) -> Binding:
        """The sizes of the step's axes, checked."""
        return bind_step(step, self.values, self.names, self.program.bindings)

    def local_jacobian(self, of: str, wrt: str) -> Jacobian:
        """∂of/∂wrt of the one step that computes `of`; the sum where it reads `wrt` twice."""
        self.require(of)
        self.require_variable(of, wrt)
        step = self.step(of)
        if step is None or wrt not in step.args:
            reads = listed(step.args) if step else "nothing"
            raise SpecError(
                f"{of} does not read {wrt}: there is no local ∂{of}/∂{wrt}.\n"
                f"  {of} reads {reads}. For a composed one write run.jacobian({of!r}, {wrt!r})."
            )
        links = self.links([of, wrt], [step])
        out = sized(links[0].out, self.values[of].shape)
        variable = sized(links[0].wrt, self.values[wrt].shape)
        nodes = (self.node(of), self.node(wrt))
        return Jacobian(nodes, tuple(links), out, variable, self.dtype)

    def by_one_input(self, step: Step, operand: int) -> Jacobian:
        """The local Jacobian of a step by one of its inputs, whatever else reads the same value."""
        link, arg = self.link(step, operand), step.args[operand]
        out = sized(link.out, self.values[step.name].shape)
        wrt = sized(link.wrt, self.values[arg].shape)
        return Jacobian.of_link(step.name, arg, out, wrt, link, self.dtype)

    def jacobian(self, of: str, wrt: str) -> Jacobian:
        """∂of/∂wrt: one link where they are neighbours, else the graph between them."""
        if (of, wrt) in self._neighbours:
            return self._neighbours[of, wrt]
        found = self._between(of, wrt)
        if found.is_local:
            self._neighbours[of, wrt] = found
        return found

    @cached_property
    def _neighbours(self) -> dict[tuple[str, str], Jacobian]:
        """The Jacobians of one link that were asked for; nothing in them can be written to."""
        return {}

    def _between(self, of: str, wrt: str) -> Jacobian:
        self.require(of)
        self.require(wrt)
        node = self.node(wrt)
        wrt_axes = sized(node.primed, node.shape)
        out_axes = self.axes(of)
        if of == wrt:
            same = identity([a.name for a in out_axes], node.primed)
            return Jacobian.local(of, wrt, out_axes, wrt_axes, same, self.dtype)
        self.require_variable(of, wrt)
        names, steps = self.dependents([wrt], of)
        if of not in names or wrt not in names:
            return Jacobian((self.node(of), node), (), out_axes, wrt_axes, self.dtype)
        names = [name for name in names if name != wrt] + [wrt]
        links = self.links(names, steps)
        first = next(link for link in links if link.target == 0)
        last = next(link for link in links if link.source == len(names) - 1)
        out_axes = sized(first.out, [axis.size for axis in out_axes])
        wrt_axes = sized(last.wrt, node.shape)
        nodes = tuple(self.node(name) for name in names)
        return Jacobian(nodes, tuple(links), out_axes, wrt_axes, self.dtype)


def link_of(step: Step, operand: int, local: Locals) -> Link:
    """The local Jacobian of a step by one input, its axes and sizes checked."""
    out, wrt, expression = local[step.op.parsed.inputs[operand].name]
    who = Later(lambda: f"{step.who}: ∂{step.name}/∂{step.args[operand]}")
    return make_link(who, 0, 1, out, wrt, expression)


def bind_step(
    step: Step,
    values: Mapping[str, np.ndarray],
    axes: Mapping[str, tuple[str, ...]],
    shared: dict[Any, Binding],
    computed: Callable[[], Collection[str]] | None = None,
    how_named: Callable[[str, Sequence[str]], str] | None = None,
) -> Binding:
    """The sizes of the axes of a step's op, from the shapes and axes of what the step reads.

    `shared` has what steps of the same signature were bound to: layers of one shape are bound
    once. `computed` gives the names that steps compute, and `how_named` says where a name's axes
    are named, both for a message.
    """

    shapes = tuple([values[arg].shape for arg in step.args])
    known = tuple([axes.get(arg) for arg in step.args])
    kept = step.bindings.get((shapes, known))
    if kept is not None:
        return kept

    def names() -> dict[str, str]:
        return {operand: safe(arg) for operand, arg in step.called.items()}

    signature = step.op.parsed
    alike = (signature, step.op.parameters, shapes, known)
    found = shared.get(alike)
    if found is None:
        found = bind(
            signature,
            shapes,
            Later(lambda: step.who),
            names,
            step.op.parameters,
            computed,
            known,
            how_named,
            step.fronts,
            step.op,
        )
    if not signature.rules:  # sizes of rules follow options, which an op's owner may change
        _keep(step.bindings, (shapes, known), found, MOST_BINDINGS)
        _keep(shared, alike, found, MOST_SHARED)
    return found


def _keep(known: dict[Any, Binding], key: Any, binding: Binding, most: int) -> None:
    if len(known) >= most:
        known.clear()
    known[key] = binding


def require_in_range(step: Step, binding: Binding, values: Mapping[str, np.ndarray]) -> None:
    """DomainError for a position that the axis does not have, with the array that has the axis."""
    operands = binding.fronts.signature.inputs
    for operand, arg in zip(operands, step.args, strict=True):
        if operand.within is None:
            continue
        axis = operand.within
        owner = next(p for p, o in enumerate(operands) if axis in o.axes and o.within is None)
        axes = ",".join(binding.fronts.inputs[owner])
        has = f"{safe(step.args[owner])}[{axes}] has shape {dims(values[step.args[owner]].shape)}"
        size = binding.sizes[axis]
        require_positions(values[arg], size, step.who, safe(arg), f"{axis},{has}")


def _require_carried(step: Step, by: str, expression: Expression, binding: Binding) -> None:
    """AxisError for a factor that has more axes than its label and than are carried."""
    letters = step.op.parsed.letters
    taken = {*letters, *unnamed(len(binding.leading), letters)}
    for term in expression.terms:
        for factor in term.of(Dense):
            missing = [a for a in unnamed(len(factor.axes)) if a in factor.axes and a not in taken]
            if missing:
                named = len(factor.axes) - len(missing) - len(binding.leading)
                carries = ",".join(binding.leading) or "nothing"
                raise AxisError(
                    f"{step.who}: the factor {factor.label} of ∂{step.name}/∂{by} has shape "
                    f"{dims(factor.array.shape)} and a label of {plural(named, 'axis', 'axes')};"
                    f" the step carries {carries} in front.\n"
                    f'  Name every axis of the array that is not carried: dense("{factor.label}'
                    f'[…]", …).'
                )
