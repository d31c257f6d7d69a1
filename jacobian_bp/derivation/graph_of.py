"""The graph of a derivation: its values, the gradient by each of them, the Jacobians' shapes."""

from collections.abc import Mapping
from types import MappingProxyType

from ..document.as_text import Spell
from ..document.picture import Picture
from ..picture.graph import MOST_WRITTEN, Value, few, graph
from .ledger import ForwardStep, Ledger, LocalStep


def graph_of(
    ledger: Ledger,
    spell: Spell = str,
    links: Mapping[tuple[str, ...], str] = MappingProxyType({}),
    numbers: bool = True,
) -> Picture:
    """Data and values from top to bottom; what is trained and what is compared with at the side.

    Without `numbers` none that was computed stands there.

    On a page `links` say where ("z2",) and ("z2", "W2"), a value and an edge, lead to.
    """
    steps = [step for step in ledger.forward if isinstance(step, ForwardStep)]
    computed = {step.name for step in steps}
    values = []
    for name, array in ledger.given:
        reading = [step.reads for step in steps if name in step.reads]
        label = bool(reading) and all(computed & {*reads} for reads in reading)
        own = "" if label else few(array)
        values.append(Value(spell(name), array.shape, at_side=label, numbers=own))
    values += [Value(spell(n), a.shape, at_side=True) for n, a in ledger.parameters]
    known = {*computed, *(n for n, _ in (*ledger.given, *ledger.parameters))}
    for step in steps:
        error = ledger.returned.get(step.name)
        reads = tuple(spell(name) for name in step.reads if name in known)
        made = spell(step.formula), step.op, reads
        gradient = "" if error is None or error.size > MOST_WRITTEN else few(error)
        facts = (False, few(step.value), gradient) if numbers else (False, "", "")
        values.append(Value(spell(step.name), step.value.shape, *made, *facts))
    jacobians = [step.jacobian for step in ledger.backward if isinstance(step, LocalStep)]
    shapes = {(spell(j.of), spell(j.wrt)): j.shape_in("flat") for j in jacobians}
    called = {key: (to, _called(ledger, key, spell)) for key, to in links.items()}
    leading = {tuple(map(spell, key)): found for key, found in called.items()}
    return graph(values, shapes, leading)


def _called(ledger: Ledger, key: tuple[str, ...], spell: Spell) -> str:
    """∂z2/∂W2, an edge; ∂J/∂z2, a value."""
    of, wrt = key if len(key) > 1 else (ledger.cost, *key)
    return spell(f"∂{of}/∂{wrt}")
