"""Fold a long derivation: of layers that repeat, two are kept and the rest is counted."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from .ledger import DeltaStep, Folded, ForwardStep, GradientStep, Ledger, LocalStep

WRITTEN_OUT = 2


def folded(ledger: Ledger) -> Ledger:
    """The same ledger with runs of equal layers folded after the first two."""
    return replace(
        ledger,
        forward=_fold(_by_layer(ledger.forward)),
        backward=_fold(_by_error(ledger.backward)),
        gradients=_fold(_by_layer(ledger.gradients)),
    )


def _fold(blocks: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    """Of consecutive blocks that differ in their numbers only, the first two and a count."""
    found: list[Any] = []
    for _, run in groupby(blocks, key=lambda block: [_shape_of(item) for item in block]):
        same = list(run)
        shown = same if len(same) <= WRITTEN_OUT + 1 else same[:WRITTEN_OUT]
        found += [item for block in shown for item in block]
        if len(shown) < len(same):
            found.append(Folded(len(same) - WRITTEN_OUT, same[-1][-1].name))
    return tuple(found)


def _by_layer(items: Sequence[Any]) -> list[list[Any]]:
    """Consecutive items whose names end in the same number."""
    return [list(group) for _, group in groupby(items, key=lambda item: _number(item.name))]


def _by_error(items: Sequence[Any]) -> list[list[Any]]:
    """The local Jacobians of one layer, from one error down to the next."""
    blocks: list[list[Any]] = [[]]
    for item in items:
        blocks[-1].append(item)
        if isinstance(item, DeltaStep):
            blocks.append([])
    return [block for block in blocks if block]


def _number(name: str) -> str:
    match = re.search(r"\d+$", name)
    return match[0] if match else name


def _shape_of(item: Any) -> tuple[Any, ...]:
    """What an item looks like when its numbers are left out."""
    kinds: dict[type, Callable[[Any], tuple[Any, ...]]] = {
        ForwardStep: lambda s: (s.op, s.value.shape),
        LocalStep: lambda s: (s.formula, s.shape, s.structure),
        DeltaStep: lambda s: (s.product, s.formula, s.shape, s.reason),
        GradientStep: lambda s: (s.before, s.textbook, s.shape),
    }
    facts = kinds[type(item)](item)
    return tuple(re.sub(r"\d+", "#", f) if isinstance(f, str) else f for f in facts)
