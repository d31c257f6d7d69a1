"""The ops that say a name, by that name: activations="relu", loss="bce", reduction="mean".

The kinds in penalty={"W1": {"l2": 0.01}} are such names too.

>>> ", ".join(ACTIVATIONS)
'identity, sigmoid, tanh, relu, leaky_relu, softplus, elu, silu, gelu, softmax'
>>> ACTIVATIONS["relu"].__name__, fitting("bce"), last_activation("bce"), label_kind("bce")
('ReLU', ('sigmoid', 'softmax'), 'sigmoid', 'binary')
"""

from collections.abc import Iterator, Mapping

from .base import Op
from .labels import NUMBERS

# a message lists the names module by module; a module that is not here comes last
ORDER = (
    "activations",
    "smooth",
    "softmax",
    "losses",
    "cross_entropy",
    "divergence",
    "hinge",
    "reductions",
    "penalties",
)

Named = Mapping[str, Op | type[Op]]


def subclasses(cls: type[Op]) -> Iterator[type[Op]]:
    """The classes derived from `cls`, directly or not, as they were defined."""
    for derived in cls.__subclasses__():
        yield derived
        yield from subclasses(derived)


def named(fact: str) -> dict[str, type[Op]]:
    """The ops of this package that say a name as their `fact`."""
    modules = [f"{__package__}.{name}" for name in ORDER]
    found = [cls for cls in subclasses(Op) if cls.__module__.startswith(f"{__package__}.")]
    found.sort(key=lambda cls: (*modules, cls.__module__).index(cls.__module__))
    return {getattr(cls, fact): cls for cls in found if getattr(cls, fact)}


ACTIVATIONS = named("activation")
LOSSES = named("loss")
REDUCTIONS = named("reduction")
PENALTIES = named("penalty")


def fitting(
    loss: str | None, losses: Named = LOSSES, activations: Named = ACTIVATIONS
) -> tuple[str, ...]:
    """The activations whose values a loss takes; none where it takes any number."""
    takes = losses[loss].takes if loss is not None and loss in losses else ""
    return tuple(name for name, op in activations.items() if takes and takes in op.gives)


def last_activation(loss: str) -> str | None:
    """The activation that a loss is fused with, if it is with one."""
    made = LOSSES[loss]() if loss in LOSSES else None
    return next((n for n, op in ACTIVATIONS.items() if made and made.fused(op())), None)


def label_kind(loss: str | None) -> str:
    """What a loss takes as labels; numbers, where there is no loss of this name."""
    return LOSSES[loss].label_kind if loss in LOSSES else NUMBERS
