"""A network and a run as their pictures have them: layers, values, the shapes of Jacobians."""

from collections.abc import Callable, Mapping

import numpy as np

from ..document.picture import Picture
from ..errors import JacobianError, SpecError
from ..picture.graph import MOST_WRITTEN, Value, chain, few, graph
from ..picture.network import Layer, network, one_layer
from ..program.forward_pass import Pass
from ..routes.gradients import pulled_back
from ..writing.signs import safe
from .facts import NetworkFacts

FORMS = ("graph", "chain")

Spell = Callable[[str], str]
Shapes = dict[tuple[str, str], tuple[int, ...]]


def layers_of(facts: NetworkFacts, spell: Spell = str) -> list[Layer]:
    """The input and each layer. SpecError where a network has no layers."""
    if not facts.sizes:
        raise SpecError(
            "the network is a graph of steps, not layers one after another.\n"
            "  Write net.run(x, y).graph(), which draws any."
        )
    units, *widths = facts.sizes
    found = [Layer(spell("a0" if facts.squash else "x"), units, facts.squash)]
    for at, (width, made) in enumerate(zip(widths, facts.activations, strict=True), 1):
        found.append(Layer(spell(f"a{at}"), width, made, spell(f"W{at}"), spell(f"b{at}")))
    return found


def network_picture(facts: NetworkFacts, layer: int | None, spell: Spell = str) -> Picture:
    """All layers, or one of them in detail; SpecError for a layer that is not there."""
    layers = layers_of(facts, spell)
    if layer is None:
        return network(layers)
    known = range(1, len(layers))
    if isinstance(layer, bool) or not isinstance(layer, int | np.integer) or layer not in known:
        raise SpecError(
            f"layer {safe(repr(layer)[:40])} is not one of the network's.\n"
            f"  Write a whole number from 1 to {len(layers) - 1}."
        )
    before, after = layers[layer - 1], layers[layer]
    sums = Layer(spell(f"z{layer}"), after.units, "", after.weights, after.biases)
    if layer == 1:
        squash = facts.squash
        return one_layer(Layer(spell("x"), before.units), sums, _sign(squash))
    return one_layer(Layer(spell(f"z{layer - 1}"), before.units), sums, _sign(before.made))


def run_picture(state: Pass, form: str, spell: Spell = str) -> Picture:
    """The graph of a run, or its chain. SpecError for another form, and for what is no chain."""
    if form not in FORMS:
        raise SpecError(
            f"a graph of form {safe(repr(form))} is not known.\n  Write one of {', '.join(FORMS)}."
        )
    values = _values(state, form == "graph")
    if form == "chain":
        _require_chain(values)
    shapes = _shapes(state, values)
    values = [_spelled(value, spell) for value in values]
    named = {(spell(of), spell(wrt)): shape for (of, wrt), shape in shapes.items()}
    return graph(values, named) if form == "graph" else chain(values, named)


def steps_picture(state: Pass, spell: Spell = str) -> Picture:
    """The steps of a run alone: what is made from what, and no number, gradient or Jacobian."""
    return graph([_spelled(value, spell) for value in _values(state, False)], {})


def _sign(activation: str) -> str:
    return {"sigmoid": "σ"}.get(activation, activation)


def _values(state: Pass, with_numbers: bool) -> list[Value]:
    """What is given, then every step."""
    program = state.program
    steps = {step.name: step for step in program.steps}
    beside = {*program.params, *program.labels, *program.constants}
    found = []
    for name in [*(n for n in state.values if n not in steps), *steps]:
        if name not in state.values:
            continue
        value, step, numbers = state.values[name], steps.get(name), ("", "")
        if with_numbers and name not in beside:
            numbers = few(value), _gradient(state, name)
        reads = step.args if step else ()
        made = (step.told, step.title) if step else ("", "")
        found.append(Value(name, value.shape, *made, reads, name in beside, *numbers))
    return found


def _gradient(state: Pass, name: str) -> str:
    """The gradient of the cost by a value; nothing where there is none."""
    cost, value = state.values[state.cost], state.values[name]
    if cost.ndim or not np.issubdtype(value.dtype, np.floating):
        return ""
    if value.size > MOST_WRITTEN:
        return ""
    try:
        return few(pulled_back(state, state.cost, name, np.ones((), cost.dtype)))
    except JacobianError:
        return ""


def _shapes(state: Pass, values: list[Value]) -> Shapes:
    """The flat shape of each local Jacobian by a value that is not at the side."""
    found: Shapes = {}
    beside = {value.name for value in values if value.at_side}
    for step in state.program.steps:
        for _, _, arg in step.variables:
            if arg not in beside and step.name in state.values:
                shape = state.local_jacobian(step.name, arg).shape_in("flat")
                found[step.name, arg] = shape
    return found


def _spelled(value: Value, spell: Spell) -> Value:
    reads = tuple(map(spell, value.reads))
    facts = value.at_side, value.numbers, value.gradient
    return Value(spell(value.name), value.shape, spell(value.made), value.op, reads, *facts)


def _require_chain(values: list[Value]) -> None:
    beside: Mapping[str, bool] = {value.name: value.at_side for value in values}
    column = [value for value in values if not value.at_side]
    for place, value in enumerate(column):
        read = [name for name in dict.fromkeys(value.reads) if not beside[name]]
        before = [column[place - 1].name] if place else []
        if read != before:
            what = " and ".join(map(safe, read)) or "none of the values"
            raise SpecError(
                f"the run is no chain: {safe(value.name)} reads {what}"
                f"{f', not {safe(before[0])} alone' if before else ''}.\n"
                "  Write run.graph(), which draws any."
            )
