"""Backpropagation written out in full.

Every op hands over its whole Jacobian as a structured tensor; the chain rule is
a sequence of einsum contractions; the textbook formulas fall out by spending
the Kronecker deltas; and a fast vector-Jacobian route that shares no derivative
with them shows that they are right.
"""

from .axes import Axis
from .chain import Chain
from .check import Agreement
from .check_op import OpReport, check_op
from .derivation import Derivation
from .errors import AxisError, DomainError, JacobianError, MemoryLimitError, SpecError
from .factors import delta, dense, distinct, one
from .jacobian import Jacobian
from .layouts import LAYOUTS, from_layout, to_layout
from .memory import memory_limit
from .network import Network
from .ops import (
    Add,
    BinaryCrossEntropy,
    BinaryCrossEntropyFromLogits,
    CrossEntropy,
    CrossEntropyFromLogits,
    Einsum,
    HalfSquaredError,
    Identity,
    LeakyReLU,
    Linear,
    LogSoftmax,
    Mean,
    Multiply,
    Op,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    SquaredError,
    Sum,
    Tanh,
    outer,
    over_batch,
)
from .run import Run
from .taylor import TaylorReport, taylor_test

__version__ = "0.1.0"

__all__ = [
    "LAYOUTS",
    "Add",
    "Agreement",
    "Axis",
    "AxisError",
    "BinaryCrossEntropy",
    "BinaryCrossEntropyFromLogits",
    "Chain",
    "CrossEntropy",
    "CrossEntropyFromLogits",
    "Derivation",
    "DomainError",
    "Einsum",
    "HalfSquaredError",
    "Identity",
    "Jacobian",
    "JacobianError",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Mean",
    "MemoryLimitError",
    "Multiply",
    "Network",
    "Op",
    "OpReport",
    "ReLU",
    "Run",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SpecError",
    "SquaredError",
    "Sum",
    "Tanh",
    "TaylorReport",
    "check_op",
    "delta",
    "dense",
    "distinct",
    "from_layout",
    "memory_limit",
    "one",
    "outer",
    "over_batch",
    "taylor_test",
    "to_layout",
]
