"""The second derivatives of a run as data: what bends, what follows from it, what was checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..checks.of_hessian import HessianCheck
from ..writing.page_letters import free


@dataclass(frozen=True)
class BendRow:
    """One op that bends by a pair of its inputs: a row of the Hessian."""

    number: int
    name: str  # ∂²z3/∂W3∂a2
    formula: str  # δ[k,k'] δ[i',i'']
    symbol: str  # of what comes back, δ3, 1/m δ3; empty for the cost itself
    returned: str  # the two contracted: δ[i',i''] δ3[k']
    nonzeros: int
    entries: int
    residual: bool  # whether it bends inside the network; else it is of the Gauss-Newton part
    reason: str
    key: tuple[str, frozenset[int]]
    inputs: tuple[str, str]

    @property
    def step(self) -> str:
        """The value that bends: z3"""
        return self.key[0]

    @property
    def with_what_comes_back(self) -> str:
        """δ3 [14]; [13] alone for the cost itself"""
        sign = f"({self.symbol})" if "∂" in self.symbol else self.symbol
        return f"{sign} [{self.number}]".strip()

    @property
    def part(self) -> str:
        return "rest" if self.residual else "GN"


@dataclass(frozen=True)
class StraightRow:
    """An op with kinks that bends nowhere else."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Between:
    """H_lm, the Hessian by two values of the network, and how it follows from the one above."""

    statement: str  # H22 = (∂z3/∂z2)ᵀ H33 ∂z3/∂z2
    value: np.ndarray | None  # laid flat; None where it is large


@dataclass(frozen=True)
class Block:
    """∂²J/∂p∂q of two parameters: its formula, its rows, and how large its two parts are."""

    name: str
    formula: str
    rows: tuple[int, ...]  # the numbers of those that reach it
    shape: tuple[int, ...]  # in the layout
    nonzeros: int
    gauss_newton: float | None  # the largest entry of that part; None where it is not built
    residual: float | None


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of a symmetric matrix, those that rounding cannot tell from 0 set apart."""

    values: tuple[float, ...]  # that are not 0, the largest in size first
    size: int
    largest: float = 0.0  # of all in size, those that rounding cannot tell from 0 among them

    @property
    def is_rounding(self) -> bool:
        """Whether there are eigenvalues, and none that rounding can tell from 0."""
        return not self.values and self.largest > 0

    @property
    def positive(self) -> int:
        return sum(value > 0 for value in self.values)

    @property
    def negative(self) -> int:
        return sum(value < 0 for value in self.values)

    @property
    def lowest(self) -> float:
        return min((*self.values, *([0.0] * (len(self.values) < self.size))))

    @property
    def is_semidefinite(self) -> bool:
        return not self.negative


@dataclass(frozen=True)
class Verdict:
    """What holds of the parts at this input."""

    cut: str  # z3
    middle_name: str  # ∂²J/∂z3²; empty where nothing bends at or behind the cut
    middle: Spectrum | None  # None where it is too large to be asked
    gauss_newton: Spectrum
    residual: Spectrum
    trace: float  # of the residual
    whole: Spectrum
    repeats: int  # how many eigenvalues are the lowest, as far as rounding tells
    shares: tuple[tuple[int, float], ...]  # of each row, along the direction of the lowest


@dataclass(frozen=True)
class Search:
    """What few products with a Hessian that is not built say of it at this input."""

    cut: str  # z3
    middle_name: str  # ∂²J/∂z3²; empty where nothing bends at or behind the cut
    middle: Spectrum | None  # None where it is too large to be asked
    products: int
    curvature: float  # dᵀ H d of the direction that was found
    residual: float  # an eigenvalue lies so near
    is_negative: bool  # beyond what rounding can be
    shares: tuple[tuple[int, float], ...]  # of each row, along the direction


@dataclass(frozen=True)
class KeptMean:
    """A mean over the examples whose 1/m stands before every δ, which is that of each example."""

    loss: str  # what it is the mean of
    count: int  # m
    of: frozenset[str]  # the ∂J/∂z that are 1/m δ


@dataclass(frozen=True, eq=False)
class SecondLedger:
    """All second derivatives of one cost by its parameters."""

    title: tuple[str, ...]
    cost: str
    count: int
    nbytes: int
    nonzeros: int | None  # None where there are too many blocks to count them
    before: int  # local Jacobians of the first derivation, whose numbers come before
    symbols: tuple[tuple[str, str], ...]  # δ3 for ∂J/∂z3
    bends: tuple[BendRow | StraightRow, ...]
    straight: tuple[str, ...]  # values whose ops are straight in each input
    is_chain: bool
    between: tuple[Between, ...]
    more_between: int  # that are not written out
    added: tuple[tuple[str, str], ...]  # (b3, z3): a parameter that is added to a value as it is
    blocks: tuple[Block, ...]
    more_blocks: int  # that are not written out, those that are 0 among them
    verdict: Verdict | None  # None where the matrix is too large
    search: Search | None  # in its place there; None where nothing bends
    check: HessianCheck
    names: frozenset[str]
    inside: tuple[str, ...] = ()  # formulas of ops that name what is inside them, one of each kind
    arrays: tuple[str, ...] = ()  # what the arrays are that have a name of the page's own
    mean: KeptMean | None = None  # where a convention has the 1/m in the gradients
    layout: str = "flat"
    spelling: Mapping[str, str] = field(default_factory=dict)  # z3, δ3, H33 as they are written

    def letter(self, own: str) -> str:
        """A letter of the page's own, or another where a value is called so."""
        return free(own, {*self.names, *self.spelling.values()})

    @property
    def rows(self) -> tuple[BendRow, ...]:
        """The rows that bend, numbered."""
        return tuple(row for row in self.bends if isinstance(row, BendRow))
