"""One change of an equation; its label, its sentence and how likely it is follow from it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ....algebra.axes import BATCH
from ..passes.backward import Factor
from ..passes.equation import DELTA, Equation

# kind -> how likely it is: the smaller, the more
PRIORS = {
    "omit": 42,
    "repeat": 47,
    "at the delta": 46,
    "at its value": 46,
    "value at a": 48,
    "gradient": 48,
    "other": 49,
    "turned": 50,
    "flipped": 51,
    "places": 49,
    "another cost": 44,
    "drop": 44,
    "diagonal": 43,
    "negate": 52,
    "path twice": 52,
    "reorder": 46,
    "mean": 56,
    "sum": 58,
    "apart": 59,
    "not summed": 57,
    "overwrite": 45,
    "last": 47,
    "extra": 49,
    "axes": 52,
}
LABELS = {
    "at the delta": "slope-at-delta",
    "at its value": "slope-at-activation",
    "value at a": "value-for-slope",
    "gradient": "gradient-for-weight",
    "turned": "factor-turned",
    "flipped": "factor-flipped",
    "places": "other-places",
    "another cost": "check-of-wrong-quantity",
    "drop": "term-missing",
    "diagonal": "diagonal-only",
    "negate": "sign-of-a-term",
    "path twice": "fan-out-overwritten",
    "reorder": "reshape-order",
    "mean": "wrong-contraction",
    "sum": "wrong-contraction",
    "apart": "wrong-contraction",
    "not summed": "wrong-contraction",
    "repeat": "factor-twice",
    "overwrite": "summand-overwritten",
    "last": "last-step-only",
    "extra": "extra-factor",
    "axes": "axes-exchanged",
}
# of a factor left out, or another array in its place: by what the factor is
OTHER_DELTA = 5  # another delta is less likely than that the array is one of something else
OMITTED = {DELTA: "upstream-missing", "jacobian": "missing-slope"}
REPLACED = {DELTA: "wrong-delta", "weight": "wrong-weight"}


@dataclass(frozen=True, eq=False)
class Edit:
    """What is changed in a line: `kind`, the factor that it is about, and what stands there.

    `equation` is what the line becomes. Where an array of it is made from the incoming
    delta, `from_delta` puts it in.
    """

    kind: str
    equation: Equation
    factor: Factor
    note: str = ""
    from_delta: Callable[[Equation, np.ndarray], Equation] | None = None
    extra: int = 0  # less likely than others of its kind
    rows: bool = False  # whether what is overwritten are rows of a table with one index
    relation: str = ""  # of another array to the line: the same slip in every layer
    gives: Callable[[np.ndarray], np.ndarray] | None = None  # instead of the equation

    @property
    def label(self) -> str:
        """By the kind, and for a factor by what it is."""
        if self.kind == "omit":
            return OMITTED.get(self.factor.role, "factor-missing")
        if self.kind == "other":
            return REPLACED.get(self.factor.role, "wrong-factor")
        return "overwritten-index" if self.rows else LABELS[self.kind]

    @property
    def prior(self) -> int:
        passed = self.kind == "other" and self.factor.role == DELTA
        return PRIORS[self.kind] + self.extra + OTHER_DELTA * passed

    @property
    def tag(self) -> str:
        """Edits with one tag are the same slip in every layer; those with none are none."""
        same = self.kind in ("omit", "repeat", "at the delta", "value at a", "gradient")
        if self.relation:
            return f"{self.kind} {self.factor.role} {self.relation}"
        return f"{self.kind} {self.factor.role}" if same else ""

    def product(self, incoming: np.ndarray, *factors: np.ndarray) -> np.ndarray:
        """What the line gives; the factors' arrays stand in the equation."""
        del factors
        if self.gives is not None:
            return self.gives(incoming)
        made = self.from_delta
        equation = self.equation if made is None else made(self.equation, incoming)
        return equation.value(incoming)


def called(axis: str, equation: Equation) -> str:
    """An axis as it is printed: k for k' where no other k is there; n are the examples."""
    bare = axis.rstrip("'")
    name = bare if bare == axis or bare not in equation.sizes else axis
    return "the examples" if name == BATCH else name


def along(axes: tuple[str, ...], equation: Equation) -> str:
    """k and the examples"""
    return " and ".join(called(axis, equation) for axis in axes)
