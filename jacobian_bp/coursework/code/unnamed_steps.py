"""Lines of a loop over recurrent steps whose names tell nothing: which derivative mends the rest.

ga = gh  for  ga = gh * (1 - h[t]**2):  with ∂J/∂z_t in each round every gradient is right
"""

from collections.abc import Iterator

import numpy as np

from ..lines.vocabulary import Quantity
from .blame import Blame, Found
from .limits import NotReadError, ShapesError
from .store import BREAK, UNREAD

BEFORE_THE_STATE = ("z at step {t}", "z at step {t} by score{t}")
OF_STEPS = (  # what a line of round t may be meant to be
    "h{t}",
    "h{before} through step {t}",
    "c{t}",
    "c{before} through step {t}",
    "h{t} by score{t}",
    "score{t}",
    *BEFORE_THE_STATE,
)


def unnamed_step(blame: Blame, number: int) -> Found | None:
    """The first store of an unnamed line to blame for a gradient, and what it is meant to be.

    The line is one by whose right values, in every round, each gradient that is wrong now comes
    out right. Of several it is the one that goes wrong in the earliest round.
    """
    trace = blame.trace
    if trace.stores[number].time is None:
        return None
    feeding = trace.ancestors(number)
    found = []
    for rounds in _lines(blame, feeding):
        for form in OF_STEPS:
            if form in BEFORE_THE_STATE and not _is_read_by_gradient(blame, rounds):
                continue
            meant = {n: _meant(blame, n, form) for n in rounds}
            right = {n: q for n, q in meant.items() if q is not None}
            off = [n for n, q in right.items() if trace.matching(trace.stores[n].value, q) is None]
            if len(right) == len(rounds) and off and _mends(blame, right):
                found.append((rounds.index(off[0]), off[0], right[off[0]]))
    if not found:
        return None
    _, first, quantity = min(found, key=lambda each: each[:2])
    return Found(first, quantity, "value")


def _lines(blame: Blame, feeding: set[int]) -> Iterator[list[int]]:
    """The stores of each unnamed line that feeds a gradient, round after round."""
    trace, seen = blame.trace, set[tuple[int, str]]()
    for number in sorted(feeding - set(blame.mended) - blame.passed):
        own = trace.stores[number]
        key = own.line, own.path
        if own.time is None or own.calls or key in seen or blame.quantities.goal(own):
            continue
        seen.add(key)
        alike = [n for n, s in enumerate(trace.stores) if (s.line, s.path) == key]
        if all(trace.stores[n].kind not in (BREAK, UNREAD) for n in alike):
            yield alike


def _is_read_by_gradient(blame: Blame, rounds: list[int]) -> bool:
    gradients = blame.trace.gradients
    sums = {blame.trace.stores[n].path for n in gradients.of}
    stores = blame.trace.stores
    return any(n in store.reads for n in rounds for store in stores if store.path in sums)


def _meant(blame: Blame, number: int, form: str) -> Quantity | None:
    """What a form says in the round of a store, where it has its shape."""
    store = blame.trace.stores[number]
    assert store.time is not None
    quantity = Quantity("gradient", form.format(t=store.time, before=store.time - 1))
    right = blame.quantities.known.get(quantity)
    return quantity if right is not None and right.shape == np.shape(store.value) else None


def _mends(blame: Blame, right: dict[int, Quantity]) -> bool:
    """Whether every gradient of a parameter comes out right by these values."""
    put = {n: blame.quantities.known[quantity] for n, quantity in right.items()}
    try:
        after = blame.trials.trace({**blame.mended, **put}).gradients
    except (NotReadError, ShapesError):
        return False
    below = {n for n in blame.trace.gradients.of if blame.trace.ancestors(n) & right.keys()}
    return bool(below) and all(after.right.get(n) for n in below)
