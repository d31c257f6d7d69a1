"""How an array with too many axes is passed instead: in a shape that was tried.

x[i] with i = 3 known from W:   (2, 4, 3)  every row is an example, x.reshape(-1, 3)
x[i] with i = 12 known from W:  (2, 4, 3)  each example is flattened, x.reshape(2, -1)
"""

from collections.abc import Mapping
from math import prod

from ..writing.signs import dims


def reshaped(
    name: str,
    axes: tuple[str, ...],
    shape: tuple[int, ...],
    sizes: Mapping[str, int],
    may_lift: bool,
) -> str:
    """What to write for an array of more axes than `axes`; `sizes` are known from other arrays."""

    def fits(kept: tuple[int, ...]) -> bool:
        extra = len(kept) - len(axes)
        if extra not in ((0, 1) if may_lift else (0,)):
            return False
        own = zip(axes, kept[extra:], strict=True)
        return all(sizes.get(axis, size) == size for axis, size in own)

    kept = tuple(size for size in shape if size != 1)
    if kept != shape and fits(kept):
        return f"Pass {name}.reshape{dims(kept)}, which has no axis of size 1."
    own = shape[len(shape) - len(axes) :]
    if axes and may_lift and fits(own):
        rows = ", ".join(map(str, own))
        return f"Make each of its rows an example: {name}.reshape(-1, {rows})."
    if len(axes) == 1 and may_lift and fits((prod(shape[1:]),)):
        return f"Flatten each example: {name}.reshape({shape[0]}, -1)."
    if len(axes) == 1 and fits((prod(shape),)):
        return f"Flatten it: {name}.reshape(-1)."
    if len(axes) == 1 and may_lift:
        return (
            f"One example has {axes[0]} = {sizes[axes[0]]} numbers: a row of {name} has "
            f"{shape[-1]}, an example flattened {prod(shape[1:])}."
        )
    told = ", ".join(f"{axis} = {sizes[axis]}" for axis in axes if axis in sizes)
    return f"Pass {name} with the axes {name}[{','.join(axes)}]{f', {told}' if told else ''}."
