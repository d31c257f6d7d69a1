"""The derivation as data: what a renderer prints, and what a test reads.

Formulas are strings, numbers are arrays; nothing here knows how it will look.
Every number, shape and formula was computed from the run; a renderer adds
nothing but words and spaces.
"""

from dataclasses import dataclass, field

import numpy as np

from ..algebra.axes import Axis
from ..algebra.expression import Expression
from ..algebra.jacobian import Jacobian
from ..checks.all_routes import Agreement
from .convention import Convention
from .jacobian_numbers import LARGEST_BUILT


@dataclass(frozen=True)
class Folded:
    """Steps of layers that repeat, left out: how many, and the last of them."""

    layers: int
    last: str

    def __str__(self) -> str:
        return f"… {self.layers:,} more layers like these, the last one with {self.last} …"


@dataclass(frozen=True, eq=False)
class ForwardStep:
    """One value of the forward pass: z1 = Linear(x, W1, b1)."""

    name: str
    op: str
    reads: tuple[str, ...]
    formula: str
    value: np.ndarray
    rectifies: bool = False  # whether the op is a rectifier
    switched_off: tuple[str, ...] = ()  # entries that it has set to 0

    @property
    def statement(self) -> str:
        """z1 = W1 x + b1"""
        return f"{self.name} = {self.formula}"


@dataclass(frozen=True, eq=False)
class LocalStep:
    """One local Jacobian: its formula, the reason for it, and its numbers."""

    number: int
    name: str
    formula: str
    reason: str
    axes: tuple[Axis, ...]
    shape: tuple[int, ...]  # in the derivation's layout
    structure: str
    entries: int
    nonzeros: int
    nbytes: int
    layout: str
    jacobian: Jacobian  # which builds the numbers when they are asked for

    @property
    def value(self) -> np.ndarray | None:
        """The numbers in the layout, a new array; None above LARGEST_BUILT entries."""
        small = self.entries <= LARGEST_BUILT
        return self.jacobian.materialise(self.layout) if small else None

    @property
    def can_be_nonzero(self) -> np.ndarray | None:
        """False where an entry is zero for every input; None where the numbers are."""
        small = self.entries <= LARGEST_BUILT
        return self.jacobian.can_be_nonzero(self.layout) if small else None

    @property
    def statement(self) -> str:
        """∂z2/∂W2[k,k',i'] = δ[k,k'] a1[i']"""
        axes = ",".join(axis.name for axis in self.axes)
        return f"{self.name}[{axes}] = {self.formula}" if axes else f"{self.name} = {self.formula}"

    @property
    def tensor(self) -> tuple[int, ...]:
        """The shape in numerator layout."""
        return tuple(axis.size for axis in self.axes)


@dataclass(frozen=True, eq=False)
class DeltaStep:
    """∂J/∂value, the error of a layer: a product of earlier steps, its deltas spent."""

    symbol: str
    name: str  # ∂J/∂z2; ∂L/∂z2 where it is that of each example
    product: str  # δ3 [5][6]
    formula: str  # Σ_k δ3[k] W3[k,k'] relu'(z2)[k']
    reason: str
    shape: tuple[int, ...]
    value: np.ndarray
    textbook: str = ""  # W3ᵀ δ3 ⊙ relu'(z2); said in a convention of one's own
    axes: tuple[Axis, ...] = ()  # of the value
    row: np.ndarray = field(default_factory=lambda: np.zeros(()))  # its numbers over these axes
    expression: Expression = field(default_factory=Expression)  # what the formula prints

    @property
    def statement(self) -> str:
        """δ2 = δ3 [5][6] = Σ_k δ3[k] W3[k,k'] relu'(z2)[k']"""
        head = self.name if self.symbol == self.name else f"{self.symbol} = {self.name}"
        return f"{head} = {self.product} = {self.formula}"


@dataclass(frozen=True, eq=False)
class GradientStep:
    """∂J/∂parameter: the contraction, the delta spent, and the textbook's formula."""

    name: str
    equation: str  # a,abc->bc
    before: str  # Σ_k δ3[k] δ[k,k'] a2[i']
    after: str  # δ3[k'] a2[i']
    reason: str
    textbook: str  # δ3 a2ᵀ
    jacobian_shape: tuple[int, ...]  # in the derivation's layout
    shape: tuple[int, ...]  # the parameter's own
    done: int
    total: int
    value: np.ndarray
    axes: tuple[Axis, ...] = ()  # of the parameter
    expression: Expression = field(default_factory=Expression)  # what `after` prints
    products: tuple[Jacobian, ...] = ()  # that arrive at the parameter, an error first

    @property
    def statement(self) -> str:
        """∂J/∂W2 = Σ_k δ2[k] δ[k,k'] a1[i'] = δ2[k'] a1[i'] = δ2 a1ᵀ"""
        parts = dict.fromkeys((self.name, self.before, self.after, self.textbook))
        return " = ".join(parts)


Backward = LocalStep | DeltaStep | Folded


@dataclass(frozen=True, eq=False)
class Ledger:
    """A whole derivation, step by step, in the order in which it is read."""

    title: tuple[str, ...]
    cost: str
    layout: str
    names: dict[str, str]  # how a convention writes a symbol: W1 -> W^2
    parameters: tuple[tuple[str, np.ndarray], ...]
    tied: tuple[str, ...]
    given: tuple[tuple[str, np.ndarray], ...]  # the data: x, y
    forward: tuple[ForwardStep | Folded, ...]
    backward: tuple[Backward, ...]
    gradients: tuple[GradientStep | Folded, ...]
    agreement: Agreement | None
    carried: tuple[Axis, ...] = ()  # the axes in front of data: examples, tokens
    examples: int | None = None  # in a batch
    bias_count: int = 0  # of the parameters, those that are biases
    convention: Convention = field(default_factory=Convention)
    gradient_names: dict[str, str] = field(default_factory=dict)  # ∂J/∂W2 -> dW2
    returned: dict[str, np.ndarray] = field(default_factory=dict)  # value -> ∂J/∂value

    @property
    def parameter_count(self) -> int:
        return sum(value.size for _, value in self.parameters)
