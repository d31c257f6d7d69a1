"""The windows that a Jacobian has where a step reads at positions, δ[i',2o+r−1]."""

import numpy as np

from ..document.picture import Picture
from ..errors import SpecError
from ..numbers.memory import require_memory
from ..picture.windows import LONGEST, windows
from ..writing.signs import dims
from .pictured import Drawable, Spell, facts_of, name_of
from .structure.patterns import Pattern
from .structure.relations import AxisKey


def pictured_windows(jacobian: Drawable, spell: Spell = str) -> Picture:
    """For each position of the output what it reads; SpecError where there are no windows."""
    moved = [pattern for pattern in jacobian.patterns if pattern.related]
    keys = sorted({key for p in moved for relation in p.related for key in relation.keys})
    out = [key for key in keys if key[0] == "out"]
    wrt = [key for key in keys if key[0] == "wrt"]
    if not 0 < len(out) <= 2 or not 0 < len(wrt) <= 2:
        raise SpecError(
            f"{jacobian.name}: no output reads a window of {jacobian.wrt}, of one axis or two.\n"
            "  Draw ∂z/∂x of a convolution or a pool; or leave kind out."
        )
    read = tuple(jacobian.wrt_axes[place].size for _, place in wrt)
    if max(read) > LONGEST:
        raise SpecError(
            f"{jacobian.name}: its windows lie in {dims(read)} entries, and at most {LONGEST} "
            "along an axis are drawn.\n"
            '  Write kind="sparsity", or draw a smaller input.'
        )
    axes = {("out", p): axis for p, axis in enumerate(jacobian.out_axes)}
    axes |= {("wrt", p): axis for p, axis in enumerate(jacobian.wrt_axes)}
    sizes = {key: axes[key].size for key in (*out, *wrt)}
    shape = tuple(sizes.values())
    require_memory(f"the windows of {jacobian.name}", shape, 1, lambda: "Draw a smaller input.")
    reads = np.zeros(shape, bool)
    for pattern in moved:
        reads |= _holds(pattern, sizes)
    names = [axes[key].name for key in out], [axes[key].name for key in wrt]
    return windows(name_of(jacobian, spell), facts_of(jacobian, ""), names, reads)


def _holds(pattern: Pattern, sizes: dict[AxisKey, int]) -> np.ndarray:
    found = np.ones([1] * len(sizes), bool)
    for relation in pattern.related:
        found = found & relation.holds(tuple(sizes), sizes)
    return found
