"""Mean and Sum: the two ops that read along the examples, or along axes with a name.

For one example there is no mean over examples, and a network leaves it out. With
MeanOverOutputs before it, Mean is the mean over all entries, examples and outputs.
"""

from copy import copy
from functools import lru_cache, reduce
from math import prod
from numbers import Integral
from operator import mul

import numpy as np

from ..algebra.axes import BATCH, Signature, parse_axes
from ..algebra.expression import Expression, one
from ..errors import AxisError, DomainError
from .base import Op, elementwise
from .kernels import sums as kernels


class Reduction(Op):
    """An op along axes, by default along the examples.

    `axes` names the letters that it keeps, or `over` the axes that it goes over, by the names
    that they have where it reads them: over="t", over="n,t". Without either it goes over n;
    of one example, over all axes that the value has.
    """

    def __init__(self, axes: str = "", over: str | None = None) -> None:
        self.axes, self.over, self.kept, self.by_place = axes, over, axes, False
        wanted = self._wanted()
        self.signature = f"L[{','.join([*wanted, *([axes] if axes else [])])}] -> J[{axes}]"
        kept = len(parse_axes(axes, f"{self.name}({axes!r})"))
        self.summed = tuple(range(-kept - len(wanted), -kept))
        self._say(wanted)

    def _wanted(self) -> tuple[str, ...]:
        """The axes that it goes over, as far as it says so by itself."""
        if self.over is None:
            return (BATCH,)
        if not isinstance(self.over, str) or not parse_axes(self.over, f"{self.name}(over=…)"):
            raise AxisError(
                f"{self.name}(over={self.over!r}) names no axis.\n"
                f'  Write {self.name}(L, over="t"), or "n,t" for two.'
            )
        if self.axes:
            raise AxisError(
                f"{self.name} has axes to keep, {self.axes}, and axes to go over, {self.over}.\n"
                "  Write one of the two: the others follow."
            )
        wanted = parse_axes(self.over)
        for axis in wanted:
            if wanted.count(axis) > 1 or "'" in axis:
                raise AxisError(
                    f"{self.name}(over={self.over!r}): each axis stands there once, without a "
                    f'prime.\n  Write it such as over="t".'
                )
        return wanted

    def of_last(self, *axes: str) -> "Reduction":
        """The same over the last axes of any value: these are their letters, not their names.

        >>> Mean(over="k").of_last("k", "i").signature
        'L[k,i] -> J[i]'
        """
        chosen = self._wanted()
        kept = ",".join(axis for axis in axes if axis not in chosen)
        found = copy(self)
        found.signature, found.kept, found.by_place = (
            f"L[{','.join(axes)}] -> J[{kept}]",
            kept,
            True,
        )
        found.summed = tuple(place - len(axes) for place, a in enumerate(axes) if a in chosen)
        found._say(chosen)
        return found

    def meeting(self, *axes: tuple[str, ...] | None) -> Op | None:
        """The same op for a value with these axes; None where there is none to go over."""
        names = axes[0]
        if names is None or self.by_place:
            return self
        chosen = self._chosen(names)
        if not chosen:
            return None
        first = min(names.index(axis) for axis in chosen)
        inside = names[first:]
        kept = [axis for axis in inside if axis not in chosen]
        signature = f"L[{','.join(inside)}] -> J[{','.join(kept)}]"
        if signature == str(self.parsed):
            return self
        met = copy(self)
        met.signature, met.kept = signature, ",".join(kept)
        met.summed = tuple(place - len(inside) for place, a in enumerate(inside) if a in chosen)
        met._say(chosen)
        return met

    def _chosen(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Which of the axes of a value it goes over. AxisError for one that is not there."""
        if self.over is None:
            kept = len(parse_axes(self.axes))
            front = names[: len(names) - kept]
            return (BATCH,) if BATCH in front else front
        for axis in self._wanted():
            if axis not in (BATCH, *names):
                has = f"has the axes {','.join(names)}" if names else "is one number"
                raise AxisError(
                    f"it goes over {self.over}; L {has}, and no {axis}.\n  {_over(names)}"
                )
        return tuple(axis for axis in self._wanted() if axis in names)

    def _say(self, over: tuple[str, ...]) -> None:
        """What the printed line and its margin say for these axes."""
        raise NotImplementedError(self.name)

    def share(self, L: np.ndarray) -> float:
        """What each entry counts."""
        raise NotImplementedError(self.name)

    @property
    def options(self) -> tuple[str, ...]:
        if self.over is not None:
            return (f"over={self.over!r}",)
        return (repr(self.axes),) if self.axes else ()

    def forward(self, L):
        return L.sum(axis=self.summed)

    def jacobians(self, L):
        return {"L": self.share(L) * _everywhere(self.signature, self.summed, self.kept)}

    def second(self, L):
        return {}

    def vjp(self, J_bar, L):
        return {"L": self.spread(J_bar, L)}

    def count(self, L: np.ndarray) -> int:
        """How many entries of L are added up for each one of J."""
        return prod([L.shape[place] for place in self.summed])

    def spread(self, bar: np.ndarray, L: np.ndarray) -> np.ndarray:
        """The same for every entry along the axes that are summed: a new array like L."""
        if np.ndim(bar) == 0:
            return np.full(L.shape, bar)
        wide = np.expand_dims(bar, self.summed)
        return np.array(np.broadcast_to(wide, L.shape), copy=True)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(self.options) or 'axes=' + repr(self.axes)})"


class Mean(Reduction):
    """Mean over the N examples, or over named axes.

        J = (1/N) Σ_n L[n],  ∂J/∂L = (1/N) 1[n']

    Every example has the same share of the mean, hence 1[n'].
    """

    reduction = "mean"
    averages = True
    compiled_as = kernels.reduction
    shows_nonfinite = admits_finite = True

    def _say(self, over):
        counts = "·".join(axis.upper() for axis in over)
        several = f"the {counts} entries along {' and '.join(over)}"
        whom = "the N examples" if over == (BATCH,) else several
        share = counts if len(over) == 1 else f"({counts})"
        self.formula = "the mean of L" + ("" if over == (BATCH,) else f" over {','.join(over)}")
        self.reasons = {"L": f"each of {whom} counts 1/{share}"}
        self.averages = BATCH in over

    def share(self, L):
        return 1 / self.count(L)

    def forward(self, L):
        return L.sum(axis=self.summed) / self.count(L)

    def second(self, L):
        return {}

    def vjp(self, J_bar, L):
        return {"L": self.spread(J_bar / self.count(L), L)}

    def admit(self, names, L):
        if L.ndim >= len(self.parsed.inputs[0].axes):
            letters = self.parsed.inputs[0].axes
            for place in self.summed:
                if L.shape[place] == 0:
                    axis = letters[place]
                    what = "examples" if axis == BATCH else f"entries along {axis}"
                    one = "a batch of at least one example" if axis == BATCH else "at least one"
                    raise DomainError(
                        f"the mean of {names['L']} over 0 {what} is not defined.\n"
                        f"  Pass {one}, or use Sum."
                    )
        return (L,)

    def peer(self, xp, L):
        return L.mean(self.summed)


class Sum(Reduction):
    """Sum over the examples, or over named axes.

        J = Σ_n L[n],  ∂J/∂L = 1[n']

    Every example has the same share, hence the constant factor 1[n'].
    """

    reduction = "sum"
    compiled_as = kernels.reduction
    shows_nonfinite = True

    def _say(self, over):
        batch = over == (BATCH,)
        self.formula = "the sum of L" + ("" if batch else f" over {','.join(over)}")
        self.reasons = {"L": "each example counts once" if batch else "each entry counts once"}

    def share(self, L):
        return 1.0

    def peer(self, xp, L):
        return L.sum(self.summed)


@lru_cache(maxsize=256)
def _everywhere(signature: str, summed: tuple[int, ...], kept: str) -> Expression:
    """1[n'] for each axis that is summed, δ[k,k'] for each that is kept."""
    letters = Signature.parse(signature).inputs[0].axes
    return reduce(mul, [one(letters[place] + "'") for place in summed], elementwise(kept))


def _over(names: tuple[str, ...]) -> str:
    """What to write for a value with these axes."""
    named = 'name the axes that data has in front: axes={"x": "n,t"}'
    if not names:
        return f"Leave the step out, or {named}."
    which = " or ".join(f'over="{name}"' for name in names)
    return f"Write {which}, or {named}."


class MeanOverOutputs(Op):
    """A loss that is a sum over K outputs, made their mean; `outputs` is K.

        E = L/K,  ∂E/∂L = 1/K

    The mean of E over N examples is then the mean over all N·K entries.
    """

    signature = "L[] -> E[]"
    reduction = "mean_over_entries"
    shows_nonfinite = True
    example = {"outputs": 3}

    def __init__(self, outputs: int) -> None:
        if isinstance(outputs, bool) or not isinstance(outputs, Integral) or outputs < 1:
            raise DomainError(
                f"MeanOverOutputs(outputs) is {outputs!r}.\n"
                "  Write the number of outputs, a whole number from 1 up."
            )
        self.outputs: int = int(outputs)
        self.formula = f"L / {self.outputs}"
        self.reasons = {"L": f"each of the {self.outputs} outputs counts 1/{self.outputs}"}
        self.options = (str(self.outputs),)

    def forward(self, L):
        return L / self.outputs

    def jacobians(self, L):
        return {"L": (1 / self.outputs) * elementwise("")}

    def second(self, L):
        return {}

    def vjp(self, E_bar, L):
        return {"L": E_bar / self.outputs}

    def peer(self, xp, L):
        return L / self.outputs

    def __repr__(self) -> str:
        return f"MeanOverOutputs(outputs={self.outputs})"
